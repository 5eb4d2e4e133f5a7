//! Digests say what tables are, and nothing of how they became so.

use std::collections::HashMap;

use proptest::prelude::*;
use tests::Rng;
use tests::router::{Router, Shape};
use wire::bgp::{Announce, AttributeKind, Route, View, Withdraw};
use wire::bmp::{self, Frame, Kind, PeerHeader, PeerIdentity};
use wire::nlri::PathId;
use wire::{Family, bgp};

use super::{expect_none, heard, lenient};
use station::hearing::all_of;
use station::{Digest, Hearing};

/// Octets in front of a stream's peers.
const INITIATION: [u8; 15] = [3, 0, 0, 0, 15, 4, 0, 2, 0, 5, b'a', b'g', b'a', b'i', b'n'];
/// More than any Route Monitoring message has.
const MESSAGE_MAX: usize = 70_000;

/// A path that can be told again.
#[derive(Clone)]
struct Told {
    peer: PeerHeader,
    family: Family,
    path_id: Option<PathId>,
    key: Vec<u8>,
    payload: Vec<u8>,
    block: Vec<u8>,
    trailing: Vec<u8>,
}

/// What a router has said, as tables, and what must be told of its peers.
struct Life {
    hearing: Hearing,
    ups: Vec<u8>,
    paths: Vec<Told>,
}

fn life(seed: u64) -> Life {
    let mut router = Router::new(seed, Shape { prefixes: 12, ..Shape::default() });
    let mut hearing = lenient();
    let mut ups: HashMap<PeerIdentity, Vec<u8>> = HashMap::new();
    let mut emissions = router.connect();
    for _ in 0..60 {
        for emission in emissions {
            let bytes = heard(emission);
            hearing.take(&bytes);
            let mut rest = &bytes[..];
            while let Some((frame, tail)) = Frame::split(rest).expect("a router's own frames") {
                rest = tail;
                let Some(peer) = frame.peer() else { continue };
                match frame.kind() {
                    Kind::PEER_UP => ups.entry(peer.identity()).or_default().extend(frame.bytes()),
                    Kind::PEER_DOWN => drop(ups.remove(&peer.identity())),
                    _ => {}
                }
            }
        }
        emissions = router.step();
    }
    let mut paths = Vec::new();
    for (peer, _, family, table) in hearing.tables() {
        paths.extend(table.paths().map(|path| {
            let mut peer = *peer;
            peer.flags = path.set.flags();
            peer.asn.set(path.set.asn());
            peer.bgp_id = path.set.bgp_id();
            let (key, payload) = (path.key.to_vec(), path.payload.to_vec());
            let (block, trailing) = (path.set.block().to_vec(), path.set.trailing().to_vec());
            Told { peer, family, path_id: path.path_id, key, payload, block, trailing }
        }));
    }
    paths.sort_by(|one, other| (&one.key, one.path_id).cmp(&(&other.key, other.path_id)));
    let ups = ups.into_values().flatten().collect();
    Life { hearing, ups, paths }
}

impl Told {
    fn announce(&self) -> Vec<u8> {
        let mut pdu = vec![0xa5; MESSAGE_MAX];
        let mut update = Announce::open(&mut pdu, self.family, &self.block).expect("room");
        let route = Route { path_id: self.path_id, key: &self.key, payload: &self.payload };
        update.push(&route).expect("room");
        let len = update.close();
        self.around(&pdu[..len], &self.trailing)
    }

    fn withdraw(&self) -> Vec<u8> {
        let mut pdu = vec![0xa5; 4096];
        let mut update = Withdraw::open(&mut pdu, self.family).expect("room");
        update.push(self.path_id, &self.key).expect("room");
        let len = update.close();
        self.around(&pdu[..len], &[])
    }

    fn around(&self, pdu: &[u8], trailing: &[u8]) -> Vec<u8> {
        let mut message = vec![0xa5; MESSAGE_MAX];
        let len = bmp::route_monitoring(&mut message, &self.peer, pdu, trailing).expect("room");
        message[..len].to_vec()
    }

    /// The same route with other attributes, or of another path: something that passes.
    fn passing(&self, dice: &mut Rng) -> Self {
        let mut other = self.clone();
        other.block.extend([0xc0, 200, 2, dice.u8(), dice.u8()]);
        other
    }
}

/// The same content in another order, with a past that has left nothing.
fn again(life: &Life, paths: &[Told], seed: u64) -> Hearing {
    let mut dice = Rng::new(seed, 96);
    let mut order: Vec<usize> = (0..paths.len()).collect();
    (1..order.len()).rev().for_each(|at| order.swap(at, dice.below(at + 1)));
    let mut hearing = lenient();
    hearing.take(&INITIATION);
    hearing.take(&life.ups);
    for path in order.iter().map(|at| &paths[*at]) {
        if dice.percent(40) {
            hearing.take(&path.passing(&mut dice).announce());
        }
        if dice.percent(40) {
            hearing.take(&path.withdraw());
        }
    }
    // What is there of a passing set is replaced or goes.
    order.rotate_left(paths.len() / 3);
    order.iter().for_each(|at| hearing.take(&paths[*at].announce()));
    hearing
}

fn table_digests(hearing: &Hearing) -> Vec<(PeerIdentity, View, Family, Digest)> {
    let tables = hearing.tables().into_iter().filter(|(.., table)| !table.is_empty());
    tables.map(|(peer, view, family, table)| (peer.identity(), view, family, table.digest())).collect()
}

/// Changes one octet of the value of one attribute, if there is one whose value may be anything.
fn change(path: &mut Told, at: usize) -> bool {
    let open = [AttributeKind::COMMUNITIES, AttributeKind::LARGE_COMMUNITIES, AttributeKind::MED];
    let mut places = Vec::new();
    let mut attributes = bgp::attributes(&path.block).expect("a block");
    while let Some(attribute) = attributes.next() {
        let end = path.block.len() - attributes.rest().len();
        if open.contains(&attribute.kind) || attribute.kind.0 > 40 {
            places.extend(end - attribute.value.len()..end);
        }
    }
    if places.is_empty() {
        return false;
    }
    let place = places[at % places.len()];
    path.block[place] ^= 1 << (at % 8);
    true
}

/// Changes something of a path, and says whether it could.
type Change<'a> = &'a dyn Fn(&mut Told) -> bool;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_content_has_equal_digests(seed in 0_u64..1_000_000, other in 0_u64..1_000_000) {
        let life = life(seed);
        expect_none(&life.hearing, "the first telling");
        let again = again(&life, &life.paths, other);
        expect_none(&again, "the second telling");
        prop_assert_eq!(life.hearing.counts().paths, again.counts().paths);
        prop_assert_eq!(table_digests(&life.hearing), table_digests(&again));
        prop_assert_eq!(life.hearing.digest(), again.digest());
    }

    #[test]
    fn one_octet_more_or_less_has_another(
        seed in 0_u64..1_000_000,
        which in any::<prop::sample::Index>(),
        at in 0_usize..10_000,
    ) {
        let life = life(seed);
        prop_assume!(!life.paths.is_empty());
        let which = which.index(life.paths.len());
        let rows: [(&str, Change<'_>); 6] = [
            ("an attribute", &|path| change(path, at)),
            ("what stands behind the PDU", &|path| { path.trailing.push(0); true }),
            ("a peer's AS", &|path| { path.peer.asn.set(path.peer.asn.get() ^ 1); true }),
            ("a BGP identifier", &|path| { path.peer.bgp_id[at % 4] ^= 1; true }),
            ("a label", &|path| path.payload.first_mut().map(|octet| *octet ^= 1).is_some()),
            ("a path id", &|path| {
                // One that is not taken: those of routers are small.
                path.path_id = path.path_id.map(|PathId(id)| PathId(id ^ 1 << 31));
                path.path_id.is_some()
            }),
        ];
        let mut told: Vec<_> = rows
            .iter()
            .filter_map(|(what, change)| {
                let mut changed = life.paths.clone();
                change(&mut changed[which]).then_some((*what, changed))
            })
            .collect();
        let mut fewer = life.paths.clone();
        fewer.remove(which);
        told.push(("a path less", fewer));
        for (what, changed) in told {
            let again = again(&life, &changed, seed);
            prop_assert_ne!(life.hearing.digest(), again.digest(), "{} differs", what);
            let (before, after) = (table_digests(&life.hearing), table_digests(&again));
            let same = before.iter().filter(|row| after.contains(row)).count();
            prop_assert_eq!(same + 1, before.len(), "{} differs, in one table", what);
        }
    }
}

#[test]
fn it_counts_whose_table_it_is() {
    let zero = PeerHeader::default().identity();
    let row = (zero, View::AdjRibInPre, Family::IPV4_UNICAST, Digest(1));
    let mut rows = vec![row];
    rows.extend(View::ALL[1..].iter().map(|view| (row.0, *view, row.2, row.3)));
    rows.extend([Family::new(2, 1), Family::new(1, 2)].map(|family| (row.0, row.1, family, row.3)));
    rows.push((PeerIdentity { kind: bmp::PeerKind::RD, ..zero }, row.1, row.2, row.3));
    rows.push((PeerIdentity { distinguisher: [0, 0, 0, 0, 0, 0, 0, 1], ..zero }, row.1, row.2, row.3));
    rows.push((PeerIdentity { address: [1; 16], ..zero }, row.1, row.2, row.3));
    rows.push((row.0, row.1, row.2, Digest(2)));
    let mut digests: Vec<_> = rows.iter().map(|row| all_of([*row].into_iter())).collect();
    assert_eq!(all_of(rows.iter().rev().copied()), all_of(rows.iter().copied()), "the order does not count");
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), rows.len());
    let empty = (row.0, View::LocRib, row.2, Digest::default());
    assert_eq!(all_of([row, empty].into_iter()), all_of([row].into_iter()), "nor does a table without paths");
}

#[test]
fn the_same_for_ever() {
    let (bytes, _) = tests::stream::every_family(1, 400);
    let hearing = super::hear(&bytes);
    let digest = (hearing.counts().paths, hearing.digest().to_string());
    assert_eq!(
        digest,
        (865, "814d6b8b34b176fe20061aab6f11f639".to_owned()),
        "a changed digest breaks comparisons with earlier runs"
    );
}
