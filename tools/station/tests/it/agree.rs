//! Two hands read the same octets.

use tests::Rng;
use tests::router::{Router, Shape};
use tests::station::{self as naive, PeerKey, Route, RouteKey, Tables, View, difference};
use tests::stream::{self, Answer};
use wire::bgp::AttributeKind;

use super::{expect_none, hear, heard, lenient, tell};
use station::{Hearing, Mode, Pool};

const SEEDS: u64 = 120;
const STEPS: usize = 250;

/// Our tables in the form of the other station.
fn tables(hearing: &Hearing) -> Tables {
    let mut all = Tables::new();
    for (peer, view, family, table) in hearing.tables() {
        let view = match view {
            wire::bgp::View::AdjRibInPre => View::PreIn,
            wire::bgp::View::AdjRibInPost => View::PostIn,
            wire::bgp::View::AdjRibOutPre => View::PreOut,
            wire::bgp::View::AdjRibOutPost => View::PostOut,
            wire::bgp::View::LocRib => View::LocRib,
        };
        let identity = peer.identity();
        let (kind, distinguisher, address) = (identity.kind.0, identity.distinguisher, identity.address);
        for path in table.paths() {
            let mut key = path.key.to_vec();
            if (family.afi, family.safi) == (25, 70) {
                key.remove(1); // the length, which ours keeps a place for
            }
            let key = RouteKey {
                peer: PeerKey { kind, distinguisher, address },
                view,
                family: (family.afi, family.safi),
                key,
                path_id: path.path_id.map(|id| id.0),
            };
            let (mut next_hop, mut attributes) = (Vec::new(), path.set.block().to_vec());
            let first = path.set.attributes().next().filter(|first| first.kind == AttributeKind::MP_REACH);
            if let Some(reach) = first {
                next_hop = reach.value[4..reach.value.len() - 1].to_vec();
                attributes.drain(..4 + reach.value.len());
            }
            let route = Route {
                header: (path.set.flags().0, path.set.asn(), path.set.bgp_id()),
                next_hop,
                attributes,
                payload: path.payload.to_vec(),
                trailing: path.set.trailing().to_vec(),
            };
            assert!(all.insert(key, route).is_none(), "a path twice");
        }
    }
    all
}

#[test]
fn the_tables_of_a_router_that_lives() {
    let mut compared = 0;
    for seed in 0..SEEDS {
        let mut dice = Rng::new(seed, 98);
        let shape = match seed % 10 {
            0 => Shape { peers: 11, ..Shape::default() },
            1 => Shape { prefixes: 400, large: 20, ..Shape::default() },
            2 => Shape { restless: 40, ..Shape::default() },
            _ => Shape::default(),
        };
        let mut router = Router::new(seed, shape);
        let mut other = naive::Station::new();
        router.provisional().into_iter().for_each(|peer| other.tolerate(peer));
        let mut ours = lenient();
        let mut emissions = router.connect();
        for step in 1..=STEPS {
            for emission in std::mem::take(&mut emissions) {
                let bytes = heard(emission);
                other.take(&bytes).unwrap_or_else(|text| panic!("seed {seed}, step {step}: {text}"));
                tell(&mut ours, &mut dice, &bytes);
            }
            if step == STEPS || dice.percent(4) {
                if let Some(text) = difference(&tables(&ours), other.tables()) {
                    panic!("seed {seed}, step {step}: {text}");
                }
                assert_eq!(ours.counts().paths, other.tables().len() as u64, "seed {seed}, step {step}");
                compared += other.tables().len();
            }
            emissions = router.step();
        }
        expect_none(&ours, format_args!("seed {seed}"));
        let (counts, tally) = (ours.counts(), other.tally());
        let got =
            [counts.end_of_ribs, counts.announced, counts.withdrawn, counts.withdrawn_absent, counts.untold];
        let expected =
            [tally.end_of_ribs, tally.announced, tally.withdrawn, tally.withdrawn_absent, tally.untold];
        assert_eq!(got, expected.map(|n| n as u64), "seed {seed}: ends, +, -, - absent, untold");
        for (kind, count) in other.heard() {
            assert!(*kind >= 7 || counts.kinds[usize::from(*kind)] == *count, "seed {seed}: type {kind}");
        }
        assert_eq!(ours.router(), Some(router.name()));
        assert_eq!(counts.messages_lost > 0, other.messages_lost() > 0, "seed {seed}");
    }
    assert!(compared > 100_000, "{compared} paths were compared");
}

#[test]
fn the_counts_of_streams() {
    for seed in 0..4 {
        let rows = [
            ("bmp", stream::bmp(seed, 3000)),
            ("bmp_plain", stream::bmp_plain(seed, 3000)),
            ("every_family", stream::every_family(seed, 3000)),
            ("control", stream::control(seed, 3000)),
        ];
        for (name, (bytes, answer)) in rows {
            let mut dice = Rng::new(seed, 97);
            let mut hearing = lenient();
            tell(&mut hearing, &mut dice, &bytes);
            hearing.end();
            let Answer { messages, route_monitoring, announced, mut withdrawn, .. } = answer;
            if name == "control" {
                withdrawn = 0; // what is withdrawn there stands in Route Mirroring
            }
            let counts = hearing.counts();
            let got = [counts.octets, counts.messages, counts.kinds[0], counts.announced, counts.withdrawn];
            let expected = [bytes.len(), messages, route_monitoring, announced, withdrawn];
            assert_eq!(got, expected.map(|n| n as u64), "{name} {seed}: octets, messages, updates, +, -");
            if name != "control" {
                expect_none(&hearing, format_args!("{name} {seed}"));
                assert_eq!(hearing.digest(), hear(&bytes).digest(), "{name} {seed}: cuts leave no trace");
            }
        }
    }
}

#[test]
fn every_cut_of_a_short_stream() {
    let (bytes, _) = stream::bmp(7, 12);
    let whole = hear(&bytes);
    for cut in 0..=bytes.len() {
        let mut hearing = hear(&bytes[..cut]);
        let mid_message = hearing.is_mid_message();
        hearing.take(&bytes[cut..]);
        assert_eq!((hearing.digest(), *hearing.counts()), (whole.digest(), *whole.counts()), "cut at {cut}");
        let mut ended = hear(&bytes[..cut]);
        ended.end();
        assert_eq!(ended.violations().total(), u64::from(mid_message), "an end at {cut}");
    }
}

#[test]
fn what_is_not_kept_is_still_counted() {
    let (bytes, answer) = stream::bmp(5, 500);
    let counted = |mode| {
        let mut hearing = Hearing::new(mode, station::Demands::default(), Pool::new(10));
        hearing.take(&bytes);
        hearing.end();
        let counts = *hearing.counts();
        (counts.octets, counts.messages, counts.announced, counts.paths, hearing.violations().total())
    };
    let (octets, messages) = (bytes.len() as u64, answer.messages as u64);
    assert_eq!(counted(Mode::Discard), (octets, 0, 0, 0, 0));
    assert_eq!(counted(Mode::Count), (octets, messages, 0, 0, 0));
}
