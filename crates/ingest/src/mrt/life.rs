//! Peers come up and go down.

use wire::bgp::{Pdu, end_of_rib};
use wire::bmp::{self, DownReason, PeerHeader};
use wire::{Family, bgp};

use super::opens::{Claims, collector_id, opens};
use super::peers::{PeerId, Up, octets};
use super::{Router, Stamp};

/// FSM event 0, as reason 2 has it: not known.
pub(super) const NO_EVENT: [u8; 2] = [0; 2];

impl Router {
    /// Sees to it that the peer is up and that its Peer Up says what has to be said of a family; gives whether
    /// routes of that have path ids.
    pub(super) fn ready(&mut self, id: PeerId, time: Stamp, family: Family, out: &mut Vec<u8>) -> bool {
        let peer = self.peers.get_mut(id);
        let long = peer.long;
        let agreed = peer.sent.is_some() && peer.received.is_some();
        let need = peer.need(family);
        let (told, need) = (std::mem::replace(&mut need.told, true), *need);
        let claim = peer.up.as_ref().and_then(|up| Some((*up.claims.family(family)?, up.claims.long)));
        match claim {
            Some((claim, known_long)) if known_long || !long => {
                // Of routes that have been told it takes more than one field to doubt how they are read.
                let otherwise = need.path_ids(None) != claim.path_ids;
                let wrong = !agreed && if told { need.contradicts(claim.path_ids) } else { otherwise };
                if !wrong && (claim.stack || !need.stack) {
                    return claim.path_ids;
                }
                if wrong && (told || claim.path_ids) {
                    // What servers have read in the other way is not what was said, and no second Peer Up takes
                    // back what the first one said.
                    self.counts.restarts += 1;
                    self.peer_down_keeping(id, time, DownReason::LOCAL_NO_NOTIFICATION, &NO_EVENT, out);
                }
            }
            _ => {}
        }
        self.peer_up(id, time, out);
        self.peers.get_mut(id).need(family).told = true;
        let up = self.peers.get(id).up.as_ref();
        up.and_then(|up| up.claims.family(family)).is_some_and(|claim| claim.path_ids)
    }

    /// Says that a peer is up; of one that is up already, what was not said before.
    pub(super) fn peer_up(&mut self, id: PeerId, time: Stamp, out: &mut Vec<u8>) {
        let besides: &[Family] =
            if self.surveyed { &[] } else { &[Family::IPV4_UNICAST, Family::IPV6_UNICAST] };
        let peer = self.peers.get(id);
        let mut claims = Claims::of(peer, besides);
        if claims.families.is_empty() {
            claims = Claims::of(peer, &[Family::IPV4_UNICAST]);
        }
        let (since, local, header) = match &peer.up {
            // Only with the same marks it is the same session.
            Some(up) => (up.since, up.local, up.header),
            None => {
                let local = match peer.local {
                    Some((ip, _)) if ip.is_ipv6() == peer.ip.is_ipv6() => octets(ip),
                    None if !peer.ip.is_ipv6() => octets(collector_id(peer).unwrap_or_default().into()),
                    _ => [0; 16],
                };
                (time, local, peer.header())
            }
        };
        let stamped = PeerHeader { seconds: since.seconds.into(), micros: since.micros.into(), ..header };
        // More families than an OPEN can name: a message of BGP has only so much room. It names what it can.
        let made = loop {
            match opens(peer, &claims) {
                Ok(made) => break made,
                Err(_) => claims.families.truncate(claims.families.len() / 2),
            }
        };
        let pdu = |bytes| Pdu::split_whole(bytes).expect("an OPEN that was read, or made").0;
        let pair = (pdu(&made.0), pdu(&made.1));
        let len =
            bmp::peer_up(&mut self.scratch, &stamped, &local, (0, 0), pair, &[]).expect("room for two OPENs");
        self.put(len, out);
        self.counts.peer_ups += 1;
        self.peers.get_mut(id).up = Some(Up { since, local, header, claims });
    }

    /// Says that a peer is down, if it is up.
    pub(super) fn peer_down(
        &mut self,
        id: PeerId,
        time: Stamp,
        reason: DownReason,
        data: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.flush_for(id, out);
        let peer = self.peers.get_mut(id);
        (peer.sent, peer.received) = (None, None);
        peer.needs.iter_mut().for_each(|need| need.told = false);
        let Some(up) = peer.up.take() else { return };
        let header = stamped(&up.header, time);
        let len = bmp::peer_down(&mut self.scratch, &header, reason, data).expect("room for a NOTIFICATION");
        self.put(len, out);
        self.counts.peer_downs += 1;
    }

    /// The same, of a peer that comes up again with the OPENs that are known.
    pub(super) fn peer_down_keeping(
        &mut self,
        id: PeerId,
        time: Stamp,
        reason: DownReason,
        data: &[u8],
        out: &mut Vec<u8>,
    ) {
        let peer = self.peers.get_mut(id);
        let kept = (peer.sent.take(), peer.received.take());
        self.peer_down(id, time, reason, data, out);
        let peer = self.peers.get_mut(id);
        (peer.sent, peer.received) = kept;
    }

    /// Says that a table of a peer has been told, if the peer is up and has such a table.
    pub(super) fn end_of_rib(&mut self, id: PeerId, family: Family, time: Stamp, out: &mut Vec<u8>) {
        let Some(up) = &self.peers.get(id).up else { return };
        if up.claims.family(family).is_none() {
            return;
        }
        let header = stamped(&up.header, time);
        let len = bmp::route_monitoring_with(&mut self.scratch, &header, |pdu| end_of_rib(pdu, family))
            .expect("room for an End-of-RIB");
        self.put(len, out);
        self.counts.end_of_ribs += 1;
    }
}

/// A header with a time.
pub(super) fn stamped(header: &PeerHeader, time: Stamp) -> PeerHeader {
    PeerHeader { seconds: time.seconds.into(), micros: time.micros.into(), ..*header }
}

const _: () = assert!(super::SCRATCH_LEN > bgp::EXTENDED_MESSAGE_MAX + 256);
