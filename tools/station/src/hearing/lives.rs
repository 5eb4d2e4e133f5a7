//! What every message does that is about the router or a peer.

use wire::Error;
use wire::bgp::{Dialect, Open};
use wire::bmp::{DownReason, InformationKind, Mirrored, PeerDown, PeerHeader, PeerUp, RouteMirroring, Tlvs};

use super::peer::{Peer, Session, State};
use super::{Hearing, PEERS_MAX};
use crate::rules::Rule;

/// Characters kept of the name of a router.
const NAME_MAX: usize = 255;

impl Hearing {
    pub(super) fn initiation(&mut self, tlvs: Tlvs<'_>) {
        if let Some(name) = tlvs.find_kind(InformationKind::SYS_NAME) {
            self.router = Some(String::from_utf8_lossy(name).chars().take(NAME_MAX).collect());
        }
    }

    pub(super) fn route_mirroring(&mut self, mirroring: &RouteMirroring<'_>) {
        let lost = mirroring.iter().any(|mirrored| mirrored == Mirrored::MessagesLost);
        self.counts.messages_lost += u64::from(lost);
        // Who lost messages may be the router itself, which is no peer.
        if !lost {
            self.speaks(mirroring.peer);
        }
    }

    pub(super) fn peer_up(&mut self, up: &PeerUp<'_>) -> Result<(), Error> {
        for open in [up.sent_open, up.received_open] {
            if let Err(error) = Open::parse(open) {
                self.breach(Rule::Opens, 0, || format!("peer-up {}: {error}", up.peer));
            }
        }
        let session = Session::of(up);
        if let Some(peer) = self.peer(up.peer) {
            let differs = match &mut peer.state {
                State::Up(known) => match known.unite(&session) {
                    Ok(()) => return up.tlvs().map(drop),
                    Err(what) => Some(what),
                },
                State::Provisional | State::Down => None,
            };
            // What it said before, without a Peer Up or in another session, was of an earlier life.
            peer.state = State::Up(session);
            self.forget(up.peer);
            if let Some(what) = differs {
                self.breach(Rule::OneSession, 0, || {
                    format!("peer-up {}: it is up, with another {what}", up.peer)
                });
            }
        }
        up.tlvs().map(drop)
    }

    pub(super) fn peer_down(&mut self, down: &PeerDown<'_>) -> Result<(), Error> {
        let what = "peer-down";
        match self.peers.get(&down.peer.identity()).map(|peer| &peer.state) {
            Some(State::Up(_) | State::Provisional) => {}
            Some(State::Down) => {
                self.breach(Rule::AfterPeerDown, 0, || format!("{what} {}: it is down already", down.peer));
            }
            None => {
                self.breach(Rule::PeerUpFirst, 0, || format!("{what} {}: it was never up", down.peer));
            }
        }
        self.forget(down.peer);
        if let Some(peer) = self.peer(down.peer) {
            peer.state = State::Down;
        }
        down.notification()?;
        down.tlvs()?;
        let most = match down.reason {
            DownReason::LOCAL_NO_NOTIFICATION if down.data.len() != 2 => Some(2),
            DownReason::REMOTE_NO_DATA | DownReason::DECONFIGURED if !down.data.is_empty() => Some(0),
            _ => None,
        };
        if let Some(most) = most {
            let len = down.data.len();
            self.breach(Rule::Malformed, 0, || {
                format!("{what} {}: {len} octets of data, expected {most}", down.peer)
            });
        }
        Ok(())
    }

    /// A message has come that only a peer may send that is up: how it writes, or `None` if there is no room for
    /// it.
    pub(super) fn speaks(&mut self, header: &PeerHeader) -> Option<Dialect> {
        let (rule, text) = match self.peers.get(&header.identity()).map(|peer| (&peer.state, peer)) {
            Some((State::Up(_) | State::Provisional, peer)) => return Some(peer.dialect()),
            Some((State::Down, _)) => (Rule::AfterPeerDown, "a Peer Down and no Peer Up before it"),
            None => (Rule::PeerUpFirst, "no Peer Up before it"),
        };
        self.breach(rule, 0, || format!("{header}: {text}"));
        // Said once: what follows is of the same life.
        let peer = self.peer(header)?;
        peer.state = State::Provisional;
        Some(peer.dialect())
    }

    /// The peer with this header, new if need be.
    pub(super) fn peer(&mut self, header: &PeerHeader) -> Option<&mut Peer> {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&header.identity()) {
            self.breach(Rule::PeersMax, 0, || format!("{header} would be one more than {PEERS_MAX}"));
            return None;
        }
        Some(self.peers.entry(header.identity()).or_insert_with(|| Peer::new(header)))
    }

    /// A peer has lost everything.
    fn forget(&mut self, header: &PeerHeader) {
        if let Some(peer) = self.peers.get_mut(&header.identity()) {
            let paths = peer.forget(header);
            self.counts.paths -= paths as u64;
            self.pool.remove_paths(paths);
        }
    }
}
