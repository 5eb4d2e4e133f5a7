//! Routers that live, and the station that judges what they say.
//!
//! Two hands wrote the two ends from the same RFCs: a router notes what a server must hold, a station
//! reads it off the octets. They must agree at every step.

mod rules;

use std::collections::BTreeSet;

use tests::Rng;
use tests::router::{Emission, Router, Shape};
use tests::station::{Family, Station, Tally, View, difference};

const SEEDS: u64 = 200;
const STEPS: usize = 300;

/// What a server hears: a session that has ended without a Peer Down ends with one.
fn heard(emission: Emission) -> Vec<u8> {
    let Emission { bytes, implicit_down, .. } = emission;
    if !implicit_down {
        return bytes;
    }
    let header = &bytes[6..48];
    let reason: &[u8] =
        if header[0] == 3 { &[6, 0, 3, 0, 6, b'g', b'l', b'o', b'b', b'a', b'l'] } else { &[4] };
    let len = u8::try_from(6 + header.len() + reason.len()).expect("a short message");
    [&[3, 0, 0, 0, len, 2], header, reason, &bytes].concat()
}

/// Tells the station in pieces of any length, some of them of none.
fn tell(station: &mut Station, dice: &mut Rng, mut bytes: &[u8]) -> Result<(), String> {
    while !bytes.is_empty() {
        let most = dice.pick(&[1, 10, 1000, 100_000]);
        let (piece, rest) = bytes.split_at(dice.below(most + 1).min(bytes.len()));
        station.take(piece)?;
        bytes = rest;
    }
    Ok(())
}

/// Everything a station has must be what the router says that it has.
fn compare(station: &Station, router: &Router) -> Result<(), String> {
    if let Some(difference) = difference(station.tables(), &router.tables()) {
        return Err(difference);
    }
    if *station.statistics() != router.statistics() {
        return Err(format!("statistics {:?}, expected {:?}", station.statistics(), router.statistics()));
    }
    if *station.end_of_ribs() != router.end_of_ribs() {
        return Err(format!("End-of-RIBs {:?}, expected {:?}", station.end_of_ribs(), router.end_of_ribs()));
    }
    match station.mid_message() {
        true => Err("it stands inside a message".to_owned()),
        false => Ok(()),
    }
}

/// What came up in a life.
#[derive(Default)]
struct Seen {
    /// Views and families, with path ids and without.
    tables: BTreeSet<(View, Family, bool)>,
    /// Kinds of things that are rare.
    rare: BTreeSet<&'static str>,
}

impl Seen {
    fn look(&mut self, station: &Station, router: &Router) {
        for (key, route) in station.tables() {
            self.tables.insert((key.view, key.family, key.path_id.is_some()));
            let provisional = router.provisional().contains(&key.peer);
            let rare = [
                (!route.trailing.is_empty(), "octets behind a PDU"),
                (key.view != View::LocRib && route.header.0 & 0x20 != 0, "A flag"),
                (key.peer.kind == 1, "RD peer"),
                (key.family == (1, 1) && !route.next_hop.is_empty(), "IPv4 in MP_REACH_NLRI"),
                (route.attributes.len() > 1000, "large set"),
                (route.attributes.len() > 4096, "set that needs an extended message"),
                (provisional && route.header.2 == [0; 4], "provisional"),
            ];
            self.rare.extend(rare.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what));
        }
    }

    fn hear(&mut self, emission: &Emission) {
        let mut rest = &emission.bytes[..];
        if emission.implicit_down {
            self.rare.insert("another session without a Peer Down");
        }
        while let Some(([_, a, b, c, d, kind], _)) = rest.split_first_chunk() {
            let len = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).expect("a length");
            let down = ["", "down 1", "down 2", "down 3", "down 4", "down 5", "down 6"];
            match kind {
                2 => self.rare.insert(down[usize::from(rest[48])]),
                4 => self.rare.insert("Initiation"),
                100 => self.rare.insert("type 100"),
                _ => false,
            };
            rest = &rest[len..];
        }
    }
}

/// A router lives for so many steps, and loses its connection now and then.
fn live(seed: u64, shape: Shape, steps: usize, seen: &mut Seen) -> Result<Station, String> {
    let mut dice = Rng::new(seed, 99);
    let mut router = Router::new(seed, shape);
    let mut station = Station::new();
    router.provisional().into_iter().for_each(|peer| station.tolerate(peer));
    let mut connected = false;
    for step in 1..=steps {
        let emissions = match (connected, dice.below(100)) {
            (false, 0..30) => {
                connected = true;
                router.connect()
            }
            (true, 0) => {
                connected = false;
                router.disconnect();
                station.reconnect();
                Vec::new()
            }
            _ => router.step(),
        };
        for emission in emissions {
            seen.hear(&emission);
            let told = tell(&mut station, &mut dice, &heard(emission));
            told.map_err(|text| format!("seed {seed}, step {step}: {text}"))?;
        }
        if step == steps || dice.percent(10) {
            seen.look(&station, &router);
            compare(&station, &router).map_err(|text| format!("seed {seed}, step {step}: {text}"))?;
        }
    }
    Ok(station)
}

#[test]
fn a_station_holds_what_a_router_says_that_it_must() {
    let mut seen = Seen::default();
    let mut all = Tally::default();
    let (mut statistics, mut end_of_ribs, mut lost) = (0, 0, 0);
    for seed in 0..SEEDS {
        let shape = match seed % 20 {
            0 => Shape { peers: 11, ..Shape::default() },
            1 => Shape { prefixes: 400, large: 20, ..Shape::default() },
            2 => Shape { restless: 40, ..Shape::default() },
            _ => Shape::default(),
        };
        let station = live(seed, shape, STEPS, &mut seen).unwrap_or_else(|text| panic!("{text}"));
        let tally = station.tally();
        tally.messages.iter().for_each(|(kind, n)| *all.messages.entry(*kind).or_default() += n);
        all.updates += tally.updates;
        all.end_of_ribs += tally.end_of_ribs;
        all.announced += tally.announced;
        all.withdrawn += tally.withdrawn;
        all.withdrawn_absent += tally.withdrawn_absent;
        all.untold += tally.untold;
        statistics += station.statistics().len();
        end_of_ribs += station.end_of_ribs().len();
        lost += station.messages_lost();
    }
    // It is not that there was nothing to compare.
    println!("{all:?} {statistics} {end_of_ribs} {lost}\n{:?}\n{:?}", seen.tables, seen.rare);
    assert_eq!(seen.tables.len(), 5 * 8 * 2, "views by families by path ids: {:?}", seen.tables);
    assert_eq!(seen.rare.len(), 7 + 1 + 6 + 2, "{:?}", seen.rare);
    assert!([statistics, end_of_ribs, lost, all.untold, all.withdrawn_absent].iter().all(|n| *n > 100));
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let life = |seed| {
        let mut router = Router::new(seed, Shape::default());
        let mut emissions = router.connect();
        emissions.extend((0..STEPS).flat_map(|_| router.step()));
        emissions.into_iter().map(|emission| (emission.peer, emission.bytes)).collect::<Vec<_>>()
    };
    assert!(life(1) == life(1) && life(1) != life(2));
}
