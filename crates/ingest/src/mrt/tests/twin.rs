//! Seeded files, and what they say by the simplest of readings.

use std::collections::{BTreeMap, BTreeSet};

use tests::station::{PeerKey, Route, RouteKey, Tables, View, difference};
use tests::stream::{mrt_rib, mrt_updates};

use super::*;

/// Takes octets off the front.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn number(&mut self, len: usize) -> usize {
        self.take(len).iter().fold(0, |number, octet| number << 8 | usize::from(*octet))
    }

    fn counted(&mut self, len: usize) -> &'a [u8] {
        let len = self.number(len);
        self.take(len)
    }
}

/// Type, flags with which it stands, value, and all of it.
fn attributes(block: &[u8]) -> Vec<(u8, &[u8], &[u8])> {
    let mut octets = Octets(block);
    let mut found = Vec::new();
    while !octets.0.is_empty() {
        let before = octets.0;
        let (flags, kind) = (octets.number(1), octets.number(1));
        let value = octets.counted(if flags & 0x10 == 0 { 1 } else { 2 });
        found.push((u8::try_from(kind).expect("one octet"), value, &before[..before.len() - octets.0.len()]));
    }
    found
}

/// Everything but the routes that MP_REACH and MP_UNREACH have.
fn others(block: &[u8]) -> Vec<u8> {
    attributes(block)
        .into_iter()
        .filter(|(kind, ..)| !matches!(kind, 14 | 15))
        .flat_map(|(.., all)| all.to_vec())
        .collect()
}

fn routes(field: &[u8]) -> Vec<Vec<u8>> {
    let mut octets = Octets(field);
    let mut found = Vec::new();
    while !octets.0.is_empty() {
        let before = octets.0;
        let len = 1 + octets.number(1).div_ceil(8);
        octets.take(len - 1);
        found.push(before[..len].to_vec());
    }
    found
}

#[derive(Clone, Copy)]
struct Peer {
    key: PeerKey,
    header: (u8, u32, [u8; 4]),
}

fn peer(ip: &[u8], asn: u32, bgp_id: Option<[u8; 4]>) -> Peer {
    let mut address = [0; 16];
    address[16 - ip.len()..].copy_from_slice(ip);
    let flags = if ip.len() == 16 { 0x80 } else { 0 };
    let [.., a, b, c, d] = address;
    let key = PeerKey { kind: 0, distinguisher: [0; 8], address };
    Peer { key, header: (flags, asn, bgp_id.unwrap_or([a, b, c, d])) }
}

/// What the files amount to.
#[derive(Default)]
struct Twin {
    tables: Tables,
    index: Vec<Peer>,
    up: BTreeSet<PeerKey>,
    ends: BTreeSet<(PeerKey, View, (u16, u8))>,
    families: BTreeMap<(u16, u8), BTreeSet<PeerKey>>,
}

impl Twin {
    fn read(&mut self, file: &[u8]) {
        let mut file = Octets(file);
        while !file.0.is_empty() {
            file.take(4);
            let (kind, subtype) = (file.number(2), file.number(2));
            let mut body = Octets(file.counted(4));
            match (kind, subtype) {
                (13, 1) => self.index(&mut body),
                (13, 2) => self.rib(&mut body, (1, 1)),
                (13, 4) => self.rib(&mut body, (2, 1)),
                (17, 4) => self.update(&mut body),
                other => panic!("{other:?}"),
            }
        }
        for (family, peers) in std::mem::take(&mut self.families) {
            self.ends.extend(peers.into_iter().map(|peer| (peer, View::PreIn, family)));
        }
    }

    fn index(&mut self, body: &mut Octets<'_>) {
        body.take(4);
        body.counted(2);
        for _ in 0..body.number(2) {
            let kind = body.number(1);
            let bgp_id = body.take(4).try_into().expect("four octets");
            let ip = body.take(if kind & 1 == 0 { 4 } else { 16 });
            let asn = u32::try_from(body.number(4)).expect("four octets");
            self.index.push(peer(ip, asn, Some(bgp_id)));
        }
        self.up.extend(self.index.iter().map(|peer| peer.key));
    }

    fn rib(&mut self, body: &mut Octets<'_>, family: (u16, u8)) {
        body.take(4);
        let before = body.0;
        let len = 1 + body.number(1).div_ceil(8);
        body.take(len - 1);
        for _ in 0..body.number(2) {
            let peer = self.index[body.number(2)];
            body.take(4);
            let block = body.counted(2);
            let reach = attributes(block).into_iter().find(|(kind, ..)| *kind == 14);
            // A length, and a next hop.
            let next_hop = reach.map_or(&[][..], |(_, value, _)| &value[1..]);
            self.announce(peer, family, next_hop, block, vec![before[..len].to_vec()]);
            self.families.entry(family).or_default().insert(peer.key);
        }
    }

    fn update(&mut self, body: &mut Octets<'_>) {
        body.take(4);
        let asn = u32::try_from(body.number(4)).expect("four octets");
        body.take(4 + 2);
        let len = if body.number(2) == 1 { 4 } else { 16 };
        let peer = peer(body.take(len), asn, None);
        body.take(len + 19);
        self.up.insert(peer.key);
        let withdrawn = body.counted(2);
        let block = body.counted(2);
        self.withdraw(peer, (1, 1), routes(withdrawn));
        for (kind, value, _) in attributes(block) {
            let mut value = Octets(value);
            match kind {
                14 => {
                    assert_eq!(value.take(3), [0, 2, 1]);
                    let next_hop = value.counted(1);
                    value.take(1);
                    self.announce(peer, (2, 1), next_hop, block, routes(value.0));
                }
                15 => {
                    assert_eq!(value.take(3), [0, 2, 1]);
                    self.withdraw(peer, (2, 1), routes(value.0));
                }
                _ => {}
            }
        }
        self.announce(peer, (1, 1), &[], block, routes(body.0));
    }

    fn announce(
        &mut self,
        peer: Peer,
        family: (u16, u8),
        next_hop: &[u8],
        block: &[u8],
        routes: Vec<Vec<u8>>,
    ) {
        for key in routes {
            let key = RouteKey { peer: peer.key, view: View::PreIn, family, key, path_id: None };
            let route = Route {
                header: peer.header,
                next_hop: next_hop.to_vec(),
                attributes: others(block),
                payload: Vec::new(),
                trailing: Vec::new(),
            };
            self.tables.insert(key, route);
        }
    }

    fn withdraw(&mut self, peer: Peer, family: (u16, u8), routes: Vec<Vec<u8>>) {
        for key in routes {
            let key = RouteKey { peer: peer.key, view: View::PreIn, family, key, path_id: None };
            self.tables.remove(&key);
        }
    }
}

fn same(twin: &Twin, stream: &[u8], what: &str) -> Station {
    let station = station(stream);
    if let Some(difference) = difference(station.tables(), &twin.tables) {
        panic!("{what}: held against wanted:\n{difference}");
    }
    station
}

#[test]
fn tables() {
    for seed in 0..6 {
        for ahead in [0, 10, usize::MAX] {
            let peers = 1 + usize::try_from(seed).expect("small") * 7;
            let (file, answer) = mrt_rib(seed, 1500, peers);
            let mut twin = Twin::default();
            twin.read(&file);
            let (stream, counts) = stream(&[&file], ahead, Filter::default());
            let what = format!("seed {seed}, {ahead} ahead");
            let station = same(&twin, &stream, &what);
            assert_eq!(
                (counts.records, counts.mirrored),
                (answer.messages as u64, answer.messages as u64),
                "{what}"
            );
            assert_eq!(station.tally().announced, answer.announced, "{what}");
            assert_eq!(counts.announced, answer.announced as u64, "{what}");
            assert_eq!(counts.peer_ups, peers as u64, "{what}");
            // Who has no route of a family and is not said to have it, has no end of it.
            assert!(station.end_of_ribs().is_superset(&twin.ends), "{what}");
            assert_eq!(station.end_of_ribs().len() as u64, counts.end_of_ribs, "{what}");
        }
    }
}

#[test]
fn updates() {
    for seed in 0..6 {
        for ahead in [0, 10, usize::MAX] {
            let (file, answer) = mrt_updates(seed, 3000);
            let mut twin = Twin::default();
            twin.read(&file);
            let (stream, counts) = stream(&[&file], ahead, Filter::default());
            let what = format!("seed {seed}, {ahead} ahead");
            let station = same(&twin, &stream, &what);
            assert_eq!(station.tally().updates, answer.route_monitoring, "{what}");
            assert_eq!(
                (station.tally().announced, station.tally().withdrawn),
                (answer.announced, answer.withdrawn)
            );
            assert_eq!(
                (counts.announced, counts.withdrawn),
                (answer.announced as u64, answer.withdrawn as u64)
            );
            assert_eq!(counts.restarts, 0, "{what}");
        }
    }
}

/// Attributes are packed: as many messages as there are sets of them, more or less.
#[test]
fn packed() {
    let (file, answer) = mrt_rib(3, 4000, 4);
    let (stream, counts) = stream(&[&file], 0, Filter::default());
    // Times differ by peer and route in this file: with one time for all there is something to pack.
    let mut one_time = file.clone();
    let mut at = 0;
    while let Ok(Some((record, rest))) = Record::split(&file[at..]) {
        if record.subtype().0 != 1 {
            let mut place = 12 + 4;
            place += 1 + usize::from(file[at + place]).div_ceil(8);
            let count = usize::from(file[at + place]) << 8 | usize::from(file[at + place + 1]);
            place += 2;
            for _ in 0..count {
                one_time[at + place + 2..at + place + 6].fill(7);
                place += 8 + (usize::from(file[at + place + 6]) << 8 | usize::from(file[at + place + 7]));
            }
        }
        at = file.len() - rest.len();
    }
    let (packed, packed_counts) = super::stream(&[&one_time], 0, Filter::default());
    assert_eq!(counts.announced, packed_counts.announced);
    let station = station(&packed);
    let sets: BTreeSet<_> = station
        .tables()
        .iter()
        .map(|(key, route)| (key.peer, key.family, route.next_hop.clone(), route.attributes.clone()))
        .collect();
    let besides = 1 + packed_counts.peer_ups + packed_counts.end_of_ribs;
    assert_eq!(packed_counts.messages, sets.len() as u64 + besides, "of {} routes", answer.announced);
    if let Some(difference) = difference(super::station(&stream).tables(), station.tables()) {
        panic!("{difference}");
    }
}
