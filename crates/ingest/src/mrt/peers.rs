//! Who has a table or a session in the files, and what is known of them.
//!
//! * **one peer**   an address and an AS. A peer that a record calls AS 23456, or 0, is one of those that are
//!   known at the address, if there is one: records with AS numbers of two octets say no more.
//! * **told apart** the second peer of an address, and each one after it, is a Local Instance with a distinguisher
//!   that counts them, so that servers see two peers as well.
//! * **found out**  whether routes have path ids is in no record. Two OPENs tell; else the routes themselves, by
//!   the first [`EVIDENCE_MAX`] fields of them that can be read in one way only; else the record's subtype.

use std::net::IpAddr;

use foldhash::HashMap;
use wire::Family;
use wire::bgp::{Dialect, Open, Pdu};
use wire::bmp::{PeerFlags, PeerHeader, PeerKind};
use wire::nlri::{Reading, Trial, trial};

use super::Stamp;
use super::opens::Claims;

/// Fields of routes that are tried both ways before the matter is settled.
pub const EVIDENCE_MAX: u8 = 8;

/// What stands in OPEN and in records of two octets for an AS number of four.
pub(super) const AS_TRANS: u32 = 23_456;

/// Which peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct PeerId(pub(super) usize);

/// All peers.
#[derive(Default)]
pub(super) struct Peers {
    list: Vec<Peer>,
    by_ip: HashMap<IpAddr, Vec<PeerId>>,
    /// The last one that was found: records come in runs.
    last: Option<(IpAddr, u32, PeerId)>,
}

/// One peer.
pub(super) struct Peer {
    pub(super) ip: IpAddr,
    pub(super) asn: u32,
    /// 0 for unknown.
    pub(super) bgp_id: [u8; 4],
    /// How many peers of the same address came before it.
    place: u32,
    /// The collector's end.
    pub(super) local: Option<(IpAddr, u32)>,
    /// The collector's BGP identifier; 0 for unknown.
    pub(super) collector: [u8; 4],
    pub(super) needs: Vec<Need>,
    /// Whether UPDATEs were seen with AS numbers of two octets, of four.
    pub(super) two_octets: bool,
    pub(super) four_octets: bool,
    /// Whether an UPDATE is longer than 4096 octets.
    pub(super) long: bool,
    /// Real OPENs, of the collector and of the peer.
    pub(super) sent: Option<Box<[u8]>>,
    pub(super) received: Option<Box<[u8]>>,
    pub(super) up: Option<Up>,
    /// Routes that wait to be packed.
    pub(super) pending: usize,
    /// In which turn a route of it without a path id was packed.
    pub(super) turn: u64,
}

/// What a Peer Up has said.
pub(super) struct Up {
    pub(super) since: Stamp,
    /// The collector's address.
    pub(super) local: [u8; 16],
    pub(super) header: PeerHeader,
    pub(super) claims: Claims,
}

/// What a Peer Up has to say of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) family: Family,
    /// Fields of routes that can only be read with path ids, and without.
    with: u8,
    without: u8,
    /// What the subtype of records says.
    hint: bool,
    /// Entries of a table have path ids.
    pub(super) in_table: bool,
    /// An entry has a stack of labels.
    pub(super) stack: bool,
    /// Routes of it have been told in this life of the peer.
    pub(super) told: bool,
}

impl Peers {
    /// The peer with this address and AS; the `nth` of them, for a table that names several. Made where there is
    /// none.
    pub(super) fn find(&mut self, ip: IpAddr, asn: u32, nth: usize) -> PeerId {
        if let Some((last_ip, last_as, id)) = self.last
            && (last_ip, last_as, 0) == (ip, asn, nth)
        {
            return id;
        }
        let here = self.by_ip.entry(ip).or_default();
        let list = &mut self.list;
        let exact = here.iter().copied().filter(|id| list[id.0].asn == asn).nth(nth);
        let vague = |one: u32| matches!(one, 0 | AS_TRANS);
        let near = || here.iter().copied().find(|id| vague(asn) || vague(list[id.0].asn));
        let found = exact.or_else(|| if nth == 0 { near() } else { None });
        let id = found.unwrap_or_else(|| {
            let id = PeerId(list.len());
            list.push(Peer::new(ip, asn, u32::try_from(here.len()).unwrap_or(u32::MAX)));
            here.push(id);
            id
        });
        if vague(list[id.0].asn) && asn != 0 {
            list[id.0].asn = asn;
        }
        if nth == 0 {
            self.last = Some((ip, asn, id));
        }
        id
    }

    pub(super) fn get(&self, id: PeerId) -> &Peer {
        &self.list[id.0]
    }

    pub(super) fn get_mut(&mut self, id: PeerId) -> &mut Peer {
        &mut self.list[id.0]
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> + use<> {
        (0..self.list.len()).map(PeerId)
    }

    pub(super) fn up_count(&self) -> usize {
        self.list.iter().filter(|peer| peer.up.is_some()).count()
    }
}

impl Peer {
    fn new(ip: IpAddr, asn: u32, place: u32) -> Self {
        Self {
            ip,
            asn,
            bgp_id: [0; 4],
            place,
            local: None,
            collector: [0; 4],
            needs: Vec::new(),
            two_octets: false,
            four_octets: false,
            long: false,
            sent: None,
            received: None,
            up: None,
            pending: 0,
            turn: 0,
        }
    }

    /// What it needs for a family.
    pub(super) fn need(&mut self, family: Family) -> &mut Need {
        let place = self.needs.iter().position(|need| need.family == family).unwrap_or_else(|| {
            self.needs.push(Need::new(family));
            self.needs.len() - 1
        });
        &mut self.needs[place]
    }

    /// The per-peer header of all its messages, without a time and without the flags of a table.
    pub(super) fn header(&self) -> PeerHeader {
        let mut distinguisher = [0; 8];
        distinguisher[4..].copy_from_slice(&self.place.to_be_bytes());
        PeerHeader {
            kind: if self.place == 0 { PeerKind::GLOBAL } else { PeerKind::LOCAL },
            flags: PeerFlags(if self.ip.is_ipv6() { PeerFlags::IPV6 } else { 0 }),
            distinguisher,
            address: octets(self.ip),
            asn: self.asn.into(),
            bgp_id: self.identifier(),
            ..PeerHeader::default()
        }
    }

    /// Its BGP identifier: its own where that is known, else the end of its address; never 0.
    pub(super) fn identifier(&self) -> [u8; 4] {
        let received = self.received.as_deref().and_then(open).map(|open| open.bgp_id);
        let [.., a, b, c, d] = octets(self.ip);
        [received.unwrap_or_default(), self.bgp_id, [a, b, c, d]]
            .into_iter()
            .find(|id| *id != [0; 4])
            .unwrap_or([0, 0, 0, 1])
    }

    /// What both OPENs agree on, if both are real.
    pub(super) fn agreed(&self) -> Option<Dialect> {
        let (sent, received) = (self.sent.as_deref()?, self.received.as_deref()?);
        Some(Dialect::negotiated(&open(sent)?, &open(received)?))
    }
}

impl Need {
    fn new(family: Family) -> Self {
        Self { family, with: 0, without: 0, hint: false, in_table: false, stack: false, told: false }
    }

    /// Reads a field of routes both ways, while that is not settled.
    pub(super) fn learn(&mut self, subtype: bool, field: &[u8]) {
        self.hint |= subtype;
        if self.with.saturating_add(self.without) >= EVIDENCE_MAX || field.is_empty() {
            return;
        }
        match trial(self.family, Reading::default(), field) {
            Trial::With => self.with += 1,
            Trial::Without => self.without += 1,
            Trial::Either | Trial::Neither => {}
        }
    }

    /// Whether its routes have path ids, as far as that can be told.
    pub(super) fn path_ids(&self, agreed: Option<&Dialect>) -> bool {
        if self.in_table {
            return true;
        }
        if let Some(dialect) = agreed {
            return dialect.add_path_in.union(dialect.add_path_out).contains(self.family);
        }
        if self.with == self.without { self.hint } else { self.with > self.without }
    }

    /// Whether a Peer Up that said otherwise has to be taken back.
    pub(super) fn contradicts(&self, path_ids: bool) -> bool {
        match path_ids {
            true => self.with == 0 && self.without >= 2 && !self.in_table,
            false => self.in_table || self.without == 0 && self.with >= 2,
        }
    }
}

/// An OPEN that has been kept.
pub(super) fn open(bytes: &[u8]) -> Option<Open<'_>> {
    let (pdu, _) = Pdu::split_whole(bytes).ok()?;
    Open::parse(pdu).ok()
}

/// An address as BMP writes it.
pub(super) fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut octets = [0; 16];
            octets[12..].copy_from_slice(&ip.octets());
            octets
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_many_peers() {
        let mut peers = Peers::default();
        let one: IpAddr = "192.0.2.1".parse().expect("an address");
        let other: IpAddr = "192.0.2.2".parse().expect("an address");
        // Address, AS, which of several: which peer, of what AS then, of what type.
        let rows = [
            (one, 0, 0, 0, 0, 0),
            (one, 64_500, 0, 0, 64_500, 0),
            (one, AS_TRANS, 0, 0, 64_500, 0),
            (one, 64_501, 0, 1, 64_501, 2),
            (one, 64_500, 1, 2, 64_500, 2),
            (one, 64_500, 0, 0, 64_500, 0),
            (one, 64_500, 1, 2, 64_500, 2),
            (other, AS_TRANS, 0, 3, AS_TRANS, 0),
            (other, 0, 0, 3, AS_TRANS, 0),
            (other, 4_200_000_000, 0, 3, 4_200_000_000, 0),
        ];
        for (row, (ip, asn, nth, id, then, kind)) in rows.into_iter().enumerate() {
            assert_eq!(peers.find(ip, asn, nth), PeerId(id), "row {row}");
            let header = peers.get(PeerId(id)).header();
            assert_eq!((peers.get(PeerId(id)).asn, header.kind), (then, PeerKind(kind)), "row {row}");
        }
    }
}
