//! Sessions: BGP4MP and BGP4MP_ET. What a router said goes on as it stands.

use wire::bgp::{Action, Pdu, PduKind, Update, View};
use wire::bmp::{DownReason, PeerFlags, route_monitoring};
use wire::mrt::{BgpMessage, State, StateChange};

use super::life::{NO_EVENT, stamped};
use super::peers::{PeerId, open};
use super::survey::learn;
use super::{Router, Skip, Stamp};

impl Router {
    pub(super) fn bgp(
        &mut self,
        time: Stamp,
        message: &BgpMessage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        let session = &message.session;
        if !self.filter.peer(session.peer_ip, session.peer_as) {
            return Err(Skip::Filtered);
        }
        let id = self.session(session);
        let pdu = message.pdu().map_err(|_| Skip::BrokenMessage)?;
        match pdu.kind() {
            PduKind::UPDATE => self.update(id, time, message, pdu, out),
            PduKind::OPEN => {
                self.open(id, time, message, pdu, out);
                Err(Skip::Open)
            }
            PduKind::NOTIFICATION if self.peers.get(id).up.is_some() => {
                let reason = if message.local {
                    DownReason::LOCAL_NOTIFICATION
                } else {
                    DownReason::REMOTE_NOTIFICATION
                };
                self.peer_down(id, time, reason, pdu.bytes(), out);
                Ok(())
            }
            PduKind::NOTIFICATION => Err(Skip::Notification),
            PduKind::KEEPALIVE => Err(Skip::Keepalive),
            PduKind::ROUTE_REFRESH => Err(Skip::RouteRefresh),
            _ => Err(Skip::OtherMessage),
        }
    }

    /// An OPEN is kept for the Peer Up. One that comes of a peer that is up begins another session.
    fn open(&mut self, id: PeerId, time: Stamp, message: &BgpMessage<'_>, pdu: Pdu<'_>, out: &mut Vec<u8>) {
        let Some(said) = open(pdu.bytes()) else { return };
        // Not every writer says which of the two it is.
        let session = &message.session;
        let ours = message.local || said.asn() == session.local_as && session.local_as != session.peer_as;
        if !ours && self.peers.get(id).up.is_some() {
            // What the collector has said since is of the new session.
            self.peer_down_keeping(id, time, DownReason::REMOTE_NO_DATA, &[], out);
        }
        let peer = self.peers.get_mut(id);
        let place = if ours { &mut peer.sent } else { &mut peer.received };
        *place = Some(pdu.bytes().into());
    }

    fn update(
        &mut self,
        id: PeerId,
        time: Stamp,
        message: &BgpMessage<'_>,
        pdu: Pdu<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        let update = Update::parse(pdu).map_err(|_| Skip::BrokenUpdate)?;
        learn(self.peers.get_mut(id), message, &update);
        let view = if message.local { View::AdjRibOutPost } else { View::AdjRibInPre };
        if !self.wanted(id, &update, view) {
            return Err(Skip::Filtered);
        }
        self.flush_for(id, out);
        let mut ready = false;
        for part in update.parts() {
            self.ready(id, time, part.family, out);
            ready = true;
        }
        if !ready {
            let family = update.end_of_rib().unwrap_or(wire::Family::IPV4_UNICAST);
            self.ready(id, time, family, out);
        }
        let peer = self.peers.get(id);
        let Some(up) = &peer.up else { return Err(Skip::BrokenUpdate) };
        let dialect = up.claims.dialect();
        let mut counted = (0, 0);
        for part in update.parts().filter(|part| part.family.framing().is_some()) {
            let routes = part.routes(&dialect, view).map_err(|_| Skip::BrokenRoutes)?;
            match part.action {
                Action::Announce => counted.0 += routes.len() as u64,
                Action::Withdraw => counted.1 += routes.len() as u64,
            }
        }
        let mut header = stamped(&up.header, time);
        let narrow = if message.four_octet_as { 0 } else { PeerFlags::TWO_OCTET_AS };
        let table = if message.local { PeerFlags::ADJ_RIB_OUT | PeerFlags::POST_POLICY } else { 0 };
        header.flags = PeerFlags(header.flags.0 | narrow | table);
        let len = route_monitoring(&mut self.scratch, &header, pdu.bytes(), &[])
            .expect("room for the longest message of BGP");
        self.put(len, out);
        self.counts.announced += counted.0;
        self.counts.withdrawn += counted.1;
        Ok(())
    }

    /// Whether a filter lets an UPDATE pass.
    fn wanted(&self, id: PeerId, update: &Update<'_>, view: View) -> bool {
        let peer = self.peers.get(id);
        let dialect = match &peer.up {
            Some(up) => up.claims.dialect(),
            None => super::opens::Claims::of(peer, &[]).dialect(),
        };
        self.filter.update(update, &dialect, view)
    }

    pub(super) fn state(&mut self, time: Stamp, change: &StateChange, out: &mut Vec<u8>) -> Result<(), Skip> {
        let session = &change.session;
        if !self.filter.peer(session.peer_ip, session.peer_as) {
            return Err(Skip::Filtered);
        }
        let id = self.session(session);
        let is_up = self.peers.get(id).up.is_some();
        match (change.old, change.new) {
            (State::ESTABLISHED, State::ESTABLISHED) => Err(Skip::StateChange),
            (_, State::ESTABLISHED) => {
                // No OPEN of the peer came in between: the one that it had is as good as any.
                self.peer_down_keeping(id, time, DownReason::LOCAL_NO_NOTIFICATION, &NO_EVENT, out);
                self.peer_up(id, time, out);
                Ok(())
            }
            (State::ESTABLISHED, _) if is_up => {
                self.peer_down(id, time, DownReason::REMOTE_NO_DATA, &[], out);
                Ok(())
            }
            _ => Err(Skip::StateChange),
        }
    }
}
