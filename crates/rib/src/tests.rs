//! The RIB against a naive twin ([`twin`]), and at each of its limits ([`limits`]).
//!
//! Both speak to it as a caller does: in UPDATE fields that `wire` reads, and in messages that it
//! reads back.

mod limits;
mod steps;
mod twin;

use std::collections::BTreeMap;

use wire::nlri::{self, Labels, PathId, Reading, Routes};
use wire::{Family, bgp, bmp};

use crate::{ColumnId, Cursor, Epoch, Rib, Shared, Told};

const IPV6: Family = Family::IPV6_UNICAST;
const VPN: Family = Family::new(1, 128);
const EVPN: Family = Family::new(25, 70);
const FLOW: Family = Family::new(1, 133);

/// What a path was announced with.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Value {
    payload: Vec<u8>,
    block: Vec<u8>,
    trailing: Vec<u8>,
    two_octet_as: bool,
}

/// What a path is found by: the key of its route, and its path id.
type Key = (Vec<u8>, u32);

/// One table of a peer.
type Table = BTreeMap<Key, Value>;

/// A route of a family by its number: its key, and a payload that may differ.
fn route(family: Family, n: u16, payload: u8) -> (Vec<u8>, Vec<u8>) {
    let [a, b] = n.to_be_bytes();
    let label = [payload, 0, 0x11];
    match family {
        Family::IPV4_UNICAST => (vec![24, 10, a, b], vec![]),
        IPV6 => (vec![64, 0x20, 1, 0xd, 0xb8, 0, 0, a, b], vec![]),
        VPN => (vec![64 + 24, 0, 0, 0, 1, 0, 0, 0, 2, 10, a, b], label.to_vec()),
        EVPN => {
            let key = [&[2, 0][..], &[0, 0, 0, 1, 0, 0, 0, 2], &[0, 0, 0, 9], &[48, 2, 2, 2, 2, a, b], &[0]];
            (key.concat(), [&[payload; 10][..], &label].concat())
        }
        // Keys from 8 octets to hundreds, so that they have all kinds of lengths in the arena.
        FLOW => ([&vec![b; 6 + usize::from(n) * 37 % 900][..], &[a, b]].concat(), vec![]),
        _ => unreachable!("a family of these tests"),
    }
}

/// A field of an UPDATE: entries that announce with a payload, or such that withdraw.
fn field(family: Family, routes: &[(Key, Option<Vec<u8>>)], add_path: bool) -> Vec<u8> {
    let mut field = Vec::new();
    for ((key, path), payload) in routes {
        if add_path {
            field.extend(path.to_be_bytes());
        }
        let mut entry = [0xa5; 8192];
        let len = match payload {
            Some(payload) => nlri::write(&mut entry, family, key, payload),
            None => nlri::write_withdrawal(&mut entry, family, key),
        };
        field.extend(&entry[..len.expect("room for an entry")]);
    }
    field
}

fn read(family: Family, field: &[u8], add_path: bool) -> Routes<'_> {
    Routes::check(family, Reading { add_path, labels: Labels::One }, field).expect("a field")
}

/// A block: MP_REACH if its family needs one, ORIGIN, and an attribute of `more` octets that nobody knows.
fn block(family: Family, id: u32, more: usize) -> Vec<u8> {
    let mut block = Vec::new();
    if family != Family::IPV4_UNICAST || id.is_multiple_of(3) {
        let [a, b] = family.afi.to_be_bytes();
        let next_hop: &[u8] = if family == FLOW { &[] } else { &[192, 0, 2, 1] };
        let len = [0, u8::try_from(5 + next_hop.len()).expect("short")];
        block.extend([&[0x90, 14], &len[..], &[a, b, family.safi, len[1] - 5], next_hop, &[0]].concat());
    }
    block.extend([0x40, 1, 1, 0]);
    block.extend([&[0x80, 4, 4], &id.to_be_bytes()[..]].concat());
    if more > 0 {
        let len = u16::try_from(more).expect("an attribute").to_be_bytes();
        block.extend([&[0xd0, 99], &len[..], &vec![id.to_be_bytes()[3]; more]].concat());
    }
    block
}

fn header() -> bmp::PeerHeader {
    bmp::PeerHeader { asn: 64500.into(), bgp_id: [192, 0, 2, 7], ..bmp::PeerHeader::default() }
}

/// What one message of a walk says.
struct Said {
    time: u64,
    pdu_len: usize,
    /// What each has, or that it is gone.
    routes: Vec<(Key, Option<Value>)>,
}

/// The messages that a walk wrote.
fn said(mut stream: &[u8], family: Family, add_path: bool) -> Vec<Said> {
    let mut all = Vec::new();
    let mut dialect = bgp::Dialect::default();
    if add_path {
        dialect.add_path_in.insert(family);
    }
    while let Some((frame, rest)) = bmp::Frame::split(stream).expect("frames") {
        stream = rest;
        let message = frame.route_monitoring().expect("well-formed").expect("Route Monitoring");
        let peer = message.peer;
        assert_eq!((peer.asn, peer.bgp_id), (header().asn, header().bgp_id));
        let update = message.update().expect("an UPDATE");
        let time = u64::from(peer.seconds.get()) * 1_000_000 + u64::from(peer.micros.get());
        let mut one = Said { time, pdu_len: message.pdu.bytes().len(), routes: Vec::new() };
        for part in update.parts() {
            assert_eq!(part.family, family);
            let mut scratch = vec![0; one.pdu_len];
            let block = update.block(&part, &mut scratch).expect("room for a block").to_vec();
            for entry in part.routes(&dialect, bgp::View::AdjRibInPre).expect("routes") {
                let path = entry.path_id().map_or(0, |PathId(id)| id);
                let value = Value {
                    payload: entry.payload().to_vec(),
                    block: block.clone(),
                    trailing: message.trailing.to_vec(),
                    two_octet_as: !peer.four_octet_as(),
                };
                let announced = part.action == bgp::Action::Announce;
                one.routes.push(((entry.key().to_vec(), path), announced.then_some(value)));
            }
        }
        assert!(!one.routes.is_empty(), "no message says nothing");
        all.push(one);
    }
    assert!(stream.is_empty(), "whole messages");
    all
}

/// A RIB and a buffer, for tests that need no more.
struct Bench {
    rib: Rib,
    buffer: Vec<u8>,
}

impl Bench {
    fn new(settings: crate::Settings) -> Self {
        Self { rib: Rib::new(settings), buffer: vec![0xa5; crate::ROOM_MIN] }
    }

    fn announce(&mut self, id: ColumnId, routes: std::ops::Range<u16>, shared: &Shared<'_>) -> [usize; 3] {
        let (family, add_path) = self.rib.family(id);
        let mut sum = [0; 3];
        for n in routes {
            let (key, payload) = route(family, n, 1);
            let field = field(family, &[((key, 7), Some(payload))], add_path);
            let applied = self.rib.announce(id, read(family, &field, add_path), shared);
            sum = [sum[0] + applied.changed, sum[1] + applied.same, sum[2] + applied.refused];
        }
        sum
    }

    fn withdraw(&mut self, id: ColumnId, routes: std::ops::Range<u16>) -> [usize; 3] {
        let (family, add_path) = self.rib.family(id);
        let mut sum = [0; 3];
        for n in routes {
            let field = field(family, &[((route(family, n, 1).0, 7), None)], add_path);
            let applied = self.rib.withdraw(id, read(family, &field, add_path));
            sum = [sum[0] + applied.changed, sum[1] + applied.same, sum[2] + applied.refused];
        }
        sum
    }

    /// One call of a walk with all of the buffer.
    fn walk(
        &mut self,
        id: ColumnId,
        since: Epoch,
        cursor: &mut Cursor,
        mut work: usize,
    ) -> (Told, Vec<Said>) {
        let told = self.rib.walk(id, since, cursor, &header(), &mut self.buffer, &mut work);
        let (family, add_path) = self.rib.family(id);
        (told, said(&self.buffer[..told.len], family, add_path))
    }
}
