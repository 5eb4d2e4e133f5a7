//! Records in advance: nothing goes out, and what Peer Ups will have to say is found out.

use std::net::IpAddr;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use wire::bgp::{MESSAGE_MAX, PduKind, Update};
use wire::mrt::{BgpMessage, Message, PeerTable, Rib, Session};
use wire::nlri::{Labels, Reading, Routes};
use wire::{Family, Framing};

use super::peers::{Peer, PeerId};
use super::{Input, Record, Router};

impl Router {
    /// Looks at a record that will be taken later.
    pub fn expect(&mut self, input: Input, record: &Record<'_>) {
        match record.message() {
            Ok(Message::PeerIndexTable(table) | Message::GeoPeerTable(table)) => {
                self.source(input).ahead = self.known(&table);
            }
            Ok(Message::Rib(rib)) => self.expect_rib(input, &rib),
            Ok(Message::TableDump(dump)) => {
                let id = self.peers.find(dump.peer_ip, dump.peer_as.into(), 0);
                let peer = self.peers.get_mut(id);
                peer.two_octets = true;
                peer.need(dump.family);
            }
            Ok(Message::BgpEntry(entry)) => {
                let id = self.session(&entry.session);
                let peer = self.peers.get_mut(id);
                peer.two_octets = true;
                peer.need(entry.family);
            }
            Ok(Message::BgpMessage(message)) => {
                let id = self.session(&message.session);
                if let Ok(pdu) = message.pdu()
                    && pdu.kind() == PduKind::UPDATE
                    && let Ok(update) = Update::parse(pdu)
                {
                    learn(self.peers.get_mut(id), &message, &update);
                }
            }
            Ok(Message::StateChange(change)) => drop(self.session(&change.session)),
            _ => {}
        }
    }

    /// All records have been shown: what was not seen is not there.
    pub fn expected_all(&mut self) {
        self.surveyed = true;
    }

    fn expect_rib(&mut self, input: Input, rib: &Rib<'_>) {
        let stack = is_stack(rib.family, rib.nlri.bytes());
        let Self { sources, peers, .. } = self;
        let Some(source) = sources.get(input.0) else { return };
        for entry in rib.entries() {
            if let Some(id) = source.ahead.get(usize::from(entry.peer.0)) {
                let peer = peers.get_mut(*id);
                peer.four_octets = true;
                let need = peer.need(rib.family);
                need.in_table |= entry.path_id.is_some();
                need.stack |= stack;
            }
        }
    }

    /// The peers of an index, in its order.
    pub(super) fn known(&mut self, table: &PeerTable<'_>) -> Vec<PeerId> {
        let mut index = Vec::with_capacity(table.peers().len());
        let mut seen: HashSet<PeerId> = HashSet::new();
        // How many of an address and AS there were.
        let mut nths: HashMap<(IpAddr, u32), usize> = HashMap::new();
        for peer in table.peers() {
            let nth = nths.entry((peer.ip, peer.asn)).or_default();
            let id = loop {
                let id = self.peers.find(peer.ip, peer.asn, *nth);
                *nth += 1;
                if seen.insert(id) {
                    break id;
                }
            };
            index.push(id);
            let known = self.peers.get_mut(id);
            if peer.bgp_id != [0; 4] {
                known.bgp_id = peer.bgp_id;
            }
            known.collector = table.collector_id;
        }
        index
    }

    /// The peer of a session.
    pub(super) fn session(&mut self, session: &Session) -> PeerId {
        let id = self.peers.find(session.peer_ip, session.peer_as, 0);
        let local = (session.local_ip, session.local_as);
        let peer = self.peers.get_mut(id);
        if !session.local_ip.is_unspecified() || peer.local.is_none() {
            peer.local = Some(local);
        }
        id
    }
}

/// What an UPDATE tells of its session.
pub(super) fn learn(peer: &mut Peer, message: &BgpMessage<'_>, update: &Update<'_>) {
    if message.four_octet_as {
        peer.four_octets = true;
    } else {
        peer.two_octets = true;
    }
    // Two octets of its header say how long it is.
    peer.long |= message
        .bytes
        .get(16..18)
        .is_some_and(|len| usize::from(len[0]) << 8 | usize::from(len[1]) > MESSAGE_MAX);
    for part in update.parts() {
        peer.need(part.family).learn(message.add_path, part.nlri);
    }
}

/// Whether a route can only be read as one that has a stack of labels.
pub(super) fn is_stack(family: Family, bytes: &[u8]) -> bool {
    if !matches!(family.framing(), Some(Framing::Labelled | Framing::Vpn)) {
        return false;
    }
    let key = |labels| {
        let mut routes = Routes::check(family, Reading { add_path: false, labels }, bytes).ok()?;
        routes.next().map(|route| route.key().to_vec())
    };
    key(Labels::Stack).is_some_and(|stack| key(Labels::One) != Some(stack))
}
