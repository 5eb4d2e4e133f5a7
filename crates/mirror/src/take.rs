//! What a router's messages do: to its peers, to the RIB, and to the logs of its feeds.
//!
//! ```text
//!  frame ─► whose? ─► Route Monitoring   parts ─► columns                  ─┐
//!                     Peer Up, Down      a life begins, goes on, ends       ├─► feeds that want it:
//!                     Statistics, End    the latest is kept                 │   verbatim, once each
//!                     all others         counted                           ─┘
//! ```
//!
//! * **whole or not at all** an UPDATE of which one part cannot be read changes no table. It is passed on,
//!   for servers may know better, and counted.
//! * **the newest connection** of a router is the one that counts: with its first message the peers of the
//!   one before go down, and what is left of that one's queues is dropped.
//! * **state, then log, then word** of what the log's reader has seen: a note never says more than what
//!   stands in front of it.

use std::sync::Arc;

use rib::{Epoch, Time};
use wire::bgp::Pdu;
use wire::bmp::{
    self, DownReason, Frame, InformationKind, Message, PeerDown, PeerHeader, PeerKind, PeerUp, Tlv,
};
use wire::{Error, Fault};

use crate::catch_up::KEPT_MAX;
use crate::peer::same_session;
use crate::peer::{Incarnation, Lane, Latest, PEER_UPS_MAX, Peer, STATISTICS_MAX};
use crate::update::{Read, WINDOW};
use crate::{Feed, FeedId, Logs, Mirror, Router, RouterId, at};

/// What came of some octets.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    /// Whole messages.
    pub messages: usize,
    /// Routes that changed the RIB: so much more is owed to those who are caught up.
    pub changed: usize,
}

impl Mirror {
    /// Takes whole messages of a router, in the order in which they came by a lane.
    ///
    /// # Errors
    /// Octets that are no whole BMP message. What stands in front of them has been taken.
    pub fn take(
        &mut self,
        now: Time,
        id: RouterId,
        lane: Lane,
        octets: &[u8],
        logs: &mut impl Logs,
    ) -> Result<Taken, Error> {
        let mut taken = Taken::default();
        let mut rest = octets;
        let mut window = Vec::with_capacity(WINDOW);
        self.now = now;
        self.connection(now, id, lane.connection, logs);
        let stale = lane.connection < self.routers[id.0 as usize].connection;
        while !rest.is_empty() {
            if !stale {
                let ahead = self.look_ahead(id, rest, &mut window);
                rest = &rest[ahead..];
                let tally = &mut self.routers[id.0 as usize].tally;
                tally.messages += window.len() as u64;
                tally.route_monitoring += window.len() as u64;
                taken.messages += window.len();
                for read in &window {
                    taken.changed += self.update(id, read, logs);
                }
                window.clear();
            }
            let offset = octets.len() - rest.len();
            let split = Frame::split(rest).map_err(|error| error.within(offset))?;
            let Some((frame, tail)) = split else {
                if rest.is_empty() {
                    break;
                }
                return Err(Error {
                    offset,
                    fault: Fault::Cut { what: "BMP message", want: rest.len() + 1, left: rest.len() },
                });
            };
            rest = tail;
            taken.messages += 1;
            taken.changed += self.frame(now, id, lane, frame, logs);
        }
        Ok(taken)
    }

    /// A lane has ended: the peers that came by it are gone.
    pub fn ended(&mut self, now: Time, id: RouterId, lane: Lane, logs: &mut impl Logs) {
        self.down_where(now, id, logs, |peer| peer.lane == lane);
    }

    /// A newer connection of a router takes the place of the one before.
    fn connection(&mut self, now: Time, id: RouterId, connection: u64, logs: &mut impl Logs) {
        let router = &mut self.routers[id.0 as usize];
        if connection > router.connection {
            router.connection = connection;
            self.down_where(now, id, logs, |peer| peer.lane.connection < connection);
        }
    }

    fn down_where(
        &mut self,
        now: Time,
        id: RouterId,
        logs: &mut impl Logs,
        mut gone: impl FnMut(&Peer) -> bool,
    ) {
        let places = self.routers[id.0 as usize].peers.len();
        for place in 0..places {
            let peer = self.routers[id.0 as usize].peers[place].as_ref();
            let Some(peer) = peer.filter(|peer| gone(peer)) else { continue };
            let message = peer_down(&peer.incarnation, DownReason::DECONFIGURED, now);
            self.down(id, place, &message, logs);
        }
    }

    /// One message. Gives how many routes it changed.
    fn frame(
        &mut self,
        now: Time,
        id: RouterId,
        lane: Lane,
        frame: Frame<'_>,
        logs: &mut impl Logs,
    ) -> usize {
        let router = &mut self.routers[id.0 as usize];
        router.tally.messages += 1;
        if lane.connection < router.connection {
            router.tally.stale += 1;
            return 0;
        }
        router.tally.route_monitoring += u64::from(frame.kind() == bmp::Kind::ROUTE_MONITORING);
        match frame.route_monitoring() {
            Ok(None) => {}
            Ok(Some(monitoring)) => {
                let Some(place) = self.peer_of(id, lane, monitoring.peer, logs) else { return 0 };
                let peer = peer_mut(&mut self.routers[id.0 as usize], place);
                return match Read::new(frame, monitoring, peer, place) {
                    Some(read) => self.update(id, &read, logs),
                    None => {
                        self.malformed(id, lane, frame, logs);
                        0
                    }
                };
            }
            Err(_) => {
                self.malformed(id, lane, frame, logs);
                return 0;
            }
        }
        let Ok(message) = frame.message() else {
            self.malformed(id, lane, frame, logs);
            return 0;
        };
        match message {
            Message::PeerUp(up) => self.peer_up(now, id, lane, frame, &up, logs),
            Message::PeerDown(down) => self.peer_down(id, frame, &down, logs),
            Message::Statistics(statistics) => {
                if let Some(place) = self.peer_of(id, lane, statistics.peer, logs) {
                    let epoch = self.rib.stamp();
                    let peer = peer_mut(&mut self.routers[id.0 as usize], place);
                    if !keep_statistics(peer, statistics.peer.flags.0, frame.bytes(), epoch) {
                        self.untold(id, place, epoch);
                    }
                    let view = statistics.peer.view();
                    self.pass(id, frame.bytes(), logs, |feed, peer| feed.want.view(peer, view), place);
                }
            }
            Message::RouteMirroring(mirroring) => self.route_mirroring(id, frame, mirroring.peer, logs),
            Message::Initiation(_) => {
                let epoch = self.rib.stamp();
                let kept = (frame.bytes().len() <= KEPT_MAX)
                    .then(|| Latest { message: frame.bytes().to_vec(), epoch });
                let router = &mut self.routers[id.0 as usize];
                router.tally.untold += u64::from(kept.is_none());
                router.initiation = kept;
                self.pass_to_all(id, frame.bytes(), logs, |_| true);
            }
            // The router leaves us. That is no reason to leave others: its peers go down with its lanes.
            Message::Termination(_) => self.routers[id.0 as usize].tally.stray += 1,
            Message::RouteMonitoring(_) => unreachable!("taken above"),
            Message::Unknown(_) => {
                self.routers[id.0 as usize].tally.untold += 1;
                self.pass_to_all(id, frame.bytes(), logs, |_| true);
            }
        }
        0
    }

    /// What nobody here can read goes on as it came.
    #[cold]
    fn malformed(&mut self, id: RouterId, lane: Lane, frame: Frame<'_>, logs: &mut impl Logs) {
        self.routers[id.0 as usize].tally.malformed += 1;
        let Some(header) = frame.peer() else {
            // Servers would take a Termination for ours, whatever else they can read of it.
            if frame.kind() != bmp::Kind::TERMINATION {
                self.pass_to_all(id, frame.bytes(), logs, |_| true);
            }
            return;
        };
        match frame.kind() {
            // One that cannot be read would leave servers with another peer than we have.
            bmp::Kind::PEER_UP | bmp::Kind::PEER_DOWN => return,
            // What it mirrors is of no concern.
            bmp::Kind::ROUTE_MIRRORING => return self.route_mirroring(id, frame, header, logs),
            _ => {}
        }
        if let Some(place) = self.peer_of(id, lane, header, logs) {
            let epoch = self.rib.stamp();
            peer_mut(&mut self.routers[id.0 as usize], place).untold = epoch;
            self.pass(id, frame.bytes(), logs, |feed, peer| feed.want.peer(peer), place);
        }
    }

    fn route_mirroring(&mut self, id: RouterId, frame: Frame<'_>, header: &PeerHeader, logs: &mut impl Logs) {
        // One implementation reports losses under a header of the router itself: no peer is made of that.
        let Some(&place) = self.routers[id.0 as usize].places.get(&header.identity()) else {
            self.pass_to_all(id, frame.bytes(), logs, |feed| feed.want.mirroring);
            return;
        };
        let epoch = self.rib.stamp();
        peer_mut(&mut self.routers[id.0 as usize], place).mirrored = Some((*header, epoch));
        let wanted = |feed: &Feed, peer: &Incarnation| feed.want.mirroring && feed.want.peer(peer);
        self.pass(id, frame.bytes(), logs, wanted, place);
    }

    /// The place of the peer that a message is about, which is made if it was not there; `None` if the
    /// message does not count.
    #[inline]
    fn peer_of(
        &mut self,
        id: RouterId,
        lane: Lane,
        header: &PeerHeader,
        logs: &mut impl Logs,
    ) -> Option<usize> {
        let router = &mut self.routers[id.0 as usize];
        if let Some(place) = router.find(&header.identity()) {
            return Some(place);
        }
        let life = Incarnation::provisional(header);
        // Nothing is known of how it writes; what routers write that have nothing to show is this.
        let dialect = wire::bgp::Dialect { four_octet_as: true, ..wire::bgp::Dialect::default() };
        self.up(id, Peer::new(header, life, lane, dialect, self.now), None, logs)
    }

    /// Puts a peer into its router's table, and passes on the message that says so.
    fn up(
        &mut self,
        id: RouterId,
        peer: Peer,
        message: Option<&[u8]>,
        logs: &mut impl Logs,
    ) -> Option<usize> {
        self.rib.stamp();
        let peers_max = self.settings.peers_max;
        let router = &mut self.routers[id.0 as usize];
        if router.places.len() >= peers_max {
            router.tally.beyond += 1;
            return None;
        }
        let place = router.peers.iter().position(Option::is_none).unwrap_or_else(|| {
            router.peers.push(None);
            router.peers.len() - 1
        });
        router.places.insert(peer.identity, place);
        router.roll.set(place, Some(peer.incarnation.clone()));
        router.peers[place] = Some(peer);
        router.last = place;
        if let Some(message) = message {
            self.pass(id, message, logs, |feed, peer| feed.want.peer(peer), place);
        }
        self.say(id.0 as usize, logs);
        Some(place)
    }

    /// Takes a peer out of its router's table, and passes on the message that says so.
    fn down(&mut self, id: RouterId, place: usize, message: &[u8], logs: &mut impl Logs) {
        self.rib.stamp();
        let router = &mut self.routers[id.0 as usize];
        let Some(peer) = router.peers[place].as_ref() else { return };
        peer.incarnation.end(if message.len() <= KEPT_MAX { message } else { &[] });
        self.pass(id, message, logs, |feed, peer| feed.want.peer(peer), place);
        self.forget(id, place);
        self.say(id.0 as usize, logs);
    }

    /// Takes a peer out of its router's table, and its columns out of the RIB.
    fn forget(&mut self, id: RouterId, place: usize) {
        let router = &mut self.routers[id.0 as usize];
        if let Some(peer) = router.peers[place].take() {
            peer.tables.iter().for_each(|table| self.rib.close(table.column));
            router.places.remove(&peer.identity);
            router.roll.set(place, None);
        }
    }

    fn peer_up(
        &mut self,
        now: Time,
        id: RouterId,
        lane: Lane,
        frame: Frame<'_>,
        up: &PeerUp<'_>,
        logs: &mut impl Logs,
    ) {
        let router = &self.routers[id.0 as usize];
        if let Some(&place) = router.places.get(&up.peer.identity()) {
            let peer = router.peers[place].as_ref().expect("a place is taken");
            if goes_on(peer, lane, up) {
                self.goes_on(id, place, frame, up, logs);
                return;
            }
            if peer.incarnation.ups.is_empty() {
                // Nobody was told that it is up: its Peer Up says that it begins.
                self.forget(id, place);
            } else {
                let message = peer_down(&peer.incarnation, DownReason::REMOTE_NO_DATA, now);
                self.down(id, place, &message, logs);
            }
        }
        let (kept, cut) = kept_peer_up(frame, up);
        let peer = Peer::new(up.peer, Incarnation::begin(up, &kept), lane, up.dialect(), now);
        let place = self.up(id, peer, Some(frame.bytes()), logs);
        if let Some(place) = place.filter(|_| cut) {
            let epoch = self.rib.stamp();
            self.untold(id, place, epoch);
        }
    }

    /// Another Peer Up for a session that is up.
    fn goes_on(
        &mut self,
        id: RouterId,
        place: usize,
        frame: Frame<'_>,
        up: &PeerUp<'_>,
        logs: &mut impl Logs,
    ) {
        let epoch = self.rib.stamp();
        let (kept, cut) = kept_peer_up(frame, up);
        let router = &mut self.routers[id.0 as usize];
        let peer = peer_mut(router, place);
        let known = peer.incarnation.ups.iter().any(|known| **known == *kept);
        let room = peer.incarnation.ups.len() < PEER_UPS_MAX;
        if !known && room {
            peer.dialect = peer.dialect.merged(up.dialect());
            peer.incarnation = Arc::new(peer.incarnation.with(&kept));
            let incarnation = peer.incarnation.clone();
            router.roll.set(place, Some(incarnation));
        }
        if cut || !known && !room {
            self.untold(id, place, epoch);
        }
        self.pass(id, frame.bytes(), logs, |feed, peer| feed.want.peer(peer), place);
        self.say(id.0 as usize, logs);
    }

    pub(crate) fn untold(&mut self, id: RouterId, place: usize, epoch: Epoch) {
        let router = &mut self.routers[id.0 as usize];
        router.tally.untold += 1;
        peer_mut(router, place).untold = epoch;
    }

    fn peer_down(&mut self, id: RouterId, frame: Frame<'_>, down: &PeerDown<'_>, logs: &mut impl Logs) {
        let router = &mut self.routers[id.0 as usize];
        match router.places.get(&down.peer.identity()).copied() {
            Some(place) => self.down(id, place, frame.bytes(), logs),
            None => router.tally.stray += 1,
        }
    }

    /// Passes a message about a peer on to the feeds that want it.
    fn pass(
        &mut self,
        id: RouterId,
        message: &[u8],
        logs: &mut impl Logs,
        wanted: impl Fn(&Feed, &Incarnation) -> bool,
        place: usize,
    ) {
        let Self { routers, feeds, .. } = self;
        let router = &routers[id.0 as usize];
        let Some(peer) = router.peers[place].as_ref() else { return };
        for &feed in &router.feeds {
            if wanted(at(feeds, feed.0), &peer.incarnation) {
                logs.append(feed, message);
            }
        }
    }

    /// Passes on a message that is about no peer.
    fn pass_to_all(
        &mut self,
        id: RouterId,
        message: &[u8],
        logs: &mut impl Logs,
        wanted: impl Fn(&Feed) -> bool,
    ) {
        let feeds = &self.feeds;
        let router = &self.routers[id.0 as usize];
        let wanted = |id: &&FeedId| wanted(at(feeds, id.0));
        router.feeds.iter().filter(wanted).for_each(|feed| logs.append(*feed, message));
    }
}

fn peer_mut(router: &mut Router, place: usize) -> &mut Peer {
    router.peers[place].as_mut().expect("a place is taken")
}

/// Whether a Peer Up speaks of the session that the peer has, and leaves its tables as they are.
fn goes_on(peer: &Peer, lane: Lane, up: &PeerUp<'_>) -> bool {
    let first = peer.incarnation.ups.first().and_then(|first| Frame::split(first).ok().flatten());
    let Some(Ok(Message::PeerUp(first))) = first.map(|(frame, _)| frame.message()) else { return false };
    peer.lane == lane && same_session(&first, up) && peer.reads_alike(&peer.dialect.merged(up.dialect()))
}

/// A Peer Up as it is kept: as it came, or without its TLVs if those are too long. Whether they were.
fn kept_peer_up(frame: Frame<'_>, up: &PeerUp<'_>) -> (Vec<u8>, bool) {
    if frame.bytes().len() <= KEPT_MAX {
        return (frame.bytes().to_vec(), false);
    }
    let mut kept = vec![0; KEPT_MAX];
    let ports = (up.local_port(), up.remote_port());
    let opens: (Pdu<'_>, Pdu<'_>) = (up.sent_open, up.received_open);
    match bmp::peer_up(&mut kept, up.peer, up.local_address(), ports, opens, &[]) {
        Ok(len) => kept.truncate(len),
        // OPENs of 64 KiB, against all standards: what is kept says who, and dummies stand for them.
        Err(_) => {
            let dummy = [&[0xff; 16][..], &[0, 29, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
            let (open, _) = Pdu::split_whole(&dummy).expect("an OPEN of 29 octets");
            let len = bmp::peer_up(&mut kept, up.peer, up.local_address(), ports, (open, open), &[]);
            kept.truncate(len.expect("far less than KEPT_MAX"));
        }
    }
    (kept, true)
}

/// The Peer Down of a life that ends without one.
pub(crate) fn peer_down(peer: &Incarnation, reason: DownReason, now: Time) -> Vec<u8> {
    let header = PeerHeader { seconds: seconds(now).into(), micros: micros(now).into(), ..peer.header };
    let mut message = vec![0; 128 + usize::from(u16::MAX)];
    // A Loc-RIB ends with a reason of its own, and with its name (RFC 9069 §5.3).
    let name = peer.instance.as_deref().unwrap_or_default();
    let named = Tlv { kind: InformationKind::TABLE_NAME.0, value: name };
    let len = if header.kind == PeerKind::LOC_RIB {
        let mut tlv = Vec::new();
        if !name.is_empty() {
            tlv.extend(named.kind.to_be_bytes());
            tlv.extend(u16::try_from(name.len()).unwrap_or(0).to_be_bytes());
            tlv.extend(name);
        }
        bmp::peer_down(&mut message, &header, DownReason::LOCAL_TLVS, &tlv)
    } else {
        bmp::peer_down(&mut message, &header, reason, &[])
    };
    message.truncate(len.expect("a name has at most 65535 octets"));
    message
}

#[expect(clippy::cast_possible_truncation, reason = "until 2106")]
pub(crate) fn seconds(Time(now): Time) -> u32 {
    (now / 1_000_000) as u32
}

pub(crate) fn micros(Time(now): Time) -> u32 {
    (now % 1_000_000) as u32
}

/// Keeps the latest Statistics Report for each combination of flags: some routers send one for each view.
/// Whether there was room for it.
fn keep_statistics(peer: &mut Peer, flags: u8, message: &[u8], epoch: Epoch) -> bool {
    let fits = message.len() <= KEPT_MAX;
    // The one before is not the latest any more, even if there is nothing to tell in its place.
    let latest = Latest { message: if fits { message.to_vec() } else { Vec::new() }, epoch };
    if let Some((_, known)) = peer.statistics.iter_mut().find(|(known, _)| *known == flags) {
        *known = latest;
    } else if peer.statistics.len() < STATISTICS_MAX {
        peer.statistics.push((flags, latest));
    } else {
        return false;
    }
    fits
}
