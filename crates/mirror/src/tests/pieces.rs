//! Pieces: however small they are and however little is done at a time, it comes to the same.

use std::sync::Arc;

use rib::WALKS_MAX;
use tests::Rng;
use tests::router::{Router, Shape};
use tests::station::{Station, Tables};
use wire::bmp::{DownReason, Frame};

use super::{ALL, BEGIN, Bench, Twin, add, del, down, p, says, up, up_with};
use crate::{Lane, Mirror, PIECE_MIN, Progress, SessionId, Settings, Want};

/// Fills until all is told; gives the octets, and checks what each piece says of itself.
fn fill(mirror: &mut Mirror, id: SessionId, now: rib::Time, len: usize, work: usize) -> (Vec<u8>, usize) {
    let mut octets = Vec::new();
    let mut piece = vec![0; len];
    for pieces in 1.. {
        assert!(pieces < 1_000_000, "it does not get there");
        let mut left = work;
        let filled = mirror.fill(id, now, &mut piece, &mut left);
        let done = work - left;
        octets.extend(&piece[..filled.len]);
        match filled.progress {
            Progress::CaughtUp => return (octets, pieces),
            Progress::Full => assert!(filled.len > 0 || len < PIECE_MIN, "no progress in {len} octets"),
            Progress::Spent => assert_eq!(done, work, "spent"),
            Progress::Waiting => panic!("nobody else sorts"),
        }
    }
    unreachable!("it returns")
}

/// Routers from seeds: what a first dump amounts to, in pieces and work of any size, is one and the same,
/// and what the router says that it is.
#[test]
fn sizes_do_not_matter() {
    for seed in 0..60 {
        let mut dice = Rng::new(seed, 3);
        let rib = rib::Settings {
            seed,
            sorted_max: dice.pick(&[1, 7, 1000]),
            flat_min: 16,
            ..rib::Settings::default()
        };
        let mut mirror = Mirror::new(Settings { rib, ..Settings::default() });
        let mut logs = Twin::default();
        let id = mirror.router("r");
        let shape = Shape { peers: 1 + dice.below(6), prefixes: dice.pick(&[5, 50]), ..Shape::default() };
        let mut router = Router::new(seed, shape);
        let mut now = rib::Time(BEGIN);
        let lane = Lane { connection: 1, queue: 1 };
        let mut emissions = router.connect();
        (0..dice.below(300)).for_each(|_| emissions.extend(router.step()));
        for emission in emissions {
            now.0 += 1000;
            mirror.tick(now, 10, &mut logs);
            mirror.take(now, id, lane, &emission.bytes, &mut logs).expect("whole messages");
        }
        let held = |mirror: &mut Mirror, logs: &mut Twin, len: usize, work: usize| -> (Tables, Vec<u8>) {
            let session = mirror.attach(id, &Arc::new(Want::everything()), logs);
            mirror.connected(session);
            let (octets, _) = fill(mirror, session, now, len, work);
            let mut station = Station::new();
            router.provisional().into_iter().for_each(|peer| station.tolerate(peer));
            station.take(&octets).unwrap_or_else(|broken| panic!("seed {seed}, {len}, {work}: {broken}"));
            assert!(!station.mid_message(), "seed {seed}: whole messages");
            (station.tables().clone(), octets)
        };
        let (tables, octets) = held(&mut mirror, &mut logs, 8 << 20, ALL);
        assert!(tables == router.tables(), "seed {seed}: not what the router has");
        for _ in 0..4 {
            let (len, work) =
                (dice.pick(&[PIECE_MIN, PIECE_MIN + 999, 1 << 20]), dice.pick(&[1, 2, 17, 500, ALL]));
            let (again, piecewise) = held(&mut mirror, &mut logs, len, work);
            assert!(again == tables, "seed {seed}: another table with {len} octets and work {work}");
            if work == ALL {
                assert!(piecewise == octets, "seed {seed}: other octets with {len} octets a piece");
            }
        }
    }
}

/// A Peer Up that has no room yet has not been told: its peer may go, and nobody hears of it.
#[test]
fn no_room_for_a_peer_up() {
    let mut bench = Bench::new(Settings::default());
    let long = |n| up_with(p(n), 1, &[], "", 40_000);
    bench.take(&[long(1), long(2), long(3), long(4)]);
    let id = bench.attach(Want::everything());
    bench.mirror.connected(id);
    let (filled, piece) = bench.fill(id, PIECE_MIN, ALL);
    assert_eq!(filled.progress, Progress::Full);
    says("three fit", &bench.lines(&piece)[1..], &["p1 up 1", "p2 up 1", "p3 up 1"]);
    bench.take(&[down(p(4), DownReason::DECONFIGURED), down(p(3), DownReason::DECONFIGURED)]);
    says("one went that was told", &bench.caught_up(id).0, &["p3 down 5"]);
}

/// An end that was told is not told again because a table comes while the rest waits for room.
#[test]
fn ends_with_tables_that_come() {
    const ENDS: u16 = 100;
    let ends = (0..ENDS).map(|n| super::end(p(1), wire::Family::new(1000 + n, 1)));
    let sent: Vec<_> = [up_with(p(1), 1, &[], "", 40_000), add(p(1), 1, 1)].into_iter().chain(ends).collect();
    // Room for the walk, and for some of the ends.
    for len in (45_000..47_000).step_by(97) {
        let mut bench = Bench::new(Settings::default());
        bench.take(&sent);
        let id = bench.attach(Want::everything());
        bench.mirror.connected(id);
        let (filled, first) = bench.fill(id, len, ALL);
        assert_eq!(filled.progress, Progress::Full, "a piece of {len} octets");
        bench.take(&[add(super::view(p(1), 0x40), 1, 1)]);
        let lines = [bench.lines(&first), bench.caught_up(id).0].concat();
        let ends = lines.iter().filter(|line| line.starts_with("p1 in-pre") && line.contains("end-of-rib"));
        assert_eq!(ends.count(), 1 + usize::from(ENDS), "a piece of {len} octets: {lines:#?}");
    }
}

/// So many may sort at a time; one more waits until somebody rests, is lost or is done.
#[test]
fn sorting_places() {
    type Frees = fn(&mut Bench, SessionId);
    let rows: [(&str, Frees); 4] = [
        ("rests", |bench, id| bench.mirror.rest(id)),
        ("is lost", |bench, id| bench.mirror.lost(id)),
        ("leaves", |bench, id| {
            bench.mirror.leave(id, wire::bmp::TerminationReason::UNSPECIFIED, &mut [0; 64]);
        }),
        ("is done", |bench, id| drop(bench.caught_up(id))),
    ];
    for (row, frees) in rows {
        let mut bench = Bench::new(Settings::default());
        let routes: Vec<_> = (1..=200).map(|n| add(p(1), n, n)).collect();
        bench.take(&[&[up(p(1))], &*routes].concat());
        let stuck: Vec<_> = (0..=WALKS_MAX).map(|_| bench.attach(Want::everything())).collect();
        let progress: Vec<_> = stuck
            .iter()
            .map(|id| {
                bench.mirror.connected(*id);
                bench.fill(*id, PIECE_MIN, 50).0.progress
            })
            .collect();
        assert_eq!(progress[..WALKS_MAX], [Progress::Spent; WALKS_MAX], "{row}");
        assert_eq!(progress[WALKS_MAX], Progress::Waiting, "{row}");
        frees(&mut bench, stuck[3]);
        let told = bench.caught_up(stuck[WALKS_MAX]).0;
        let routes = told.iter().filter(|line| line.contains("announce")).count();
        assert_eq!(routes, 200, "{row}");
        if row == "rests" {
            let rest = bench.caught_up(stuck[3]).0;
            assert!(rest.len() < 200 + 2, "{row}: it goes on where it was");
        }
    }
}

/// The peer goes amid its walk, by which the place is free.
#[test]
fn a_column_that_goes_frees_its_place() {
    let mut bench = Bench::new(Settings::default());
    let routes: Vec<_> = (1..=200).map(|n| add(p(1), n, n)).collect();
    bench.take(&[&[up(p(1))], &*routes, &[up(p(2)), add(p(2), 1, 1)]].concat());
    let stuck: Vec<_> = (0..WALKS_MAX).map(|_| bench.attach(Want::everything())).collect();
    for id in &stuck {
        bench.mirror.connected(*id);
        assert_eq!(bench.fill(*id, PIECE_MIN, 50).0.progress, Progress::Spent);
    }
    bench.take(&[down(p(1), DownReason::DECONFIGURED)]);
    let other = bench.attach(Want::everything());
    assert_eq!(bench.connect(other).len(), 4);
    for id in stuck {
        let told = bench.caught_up(id).0;
        says(
            "the rest",
            &told,
            &["p2 in-pre 1001 announce 10.1.0.0/16 med 1", "p2 in-pre 1002 end-of-rib", "p1 down 5"],
        );
    }
}

/// Word of gone routes that was dropped for want of room: the peer is told anew.
#[test]
fn tombstones_dropped() {
    let rib = rib::Settings { tombstones_max: 3, ..rib::Settings::default() };
    let mut bench = Bench::new(Settings { rib, ..Settings::default() });
    let routes: Vec<_> = (1..=20).map(|n| add(p(1), n, 1)).collect();
    bench.take(&[&[up(p(1)), up(p(2)), add(p(2), 1, 1)], &*routes].concat());
    let id = bench.live();
    bench.take(&[]);
    let seen = bench.seen(id);
    bench.take(&(2..=20).map(|n| del(p(1), n)).collect::<Vec<_>>());
    bench.take(&[]);
    assert!(bench.mirror.rib().count().tombstones <= 3);
    says(
        "anew",
        &bench.fall(id, &seen),
        &["peer-down p1 1004 remote-no-data", "p1 up 1", "p1 in-pre 1001 announce 10.1.0.0/16 med 1"],
    );
}

/// Messages of a catch-up have the time of the newest route in them, when it was taken or a little
/// before, whatever comes between and however late they are told.
#[test]
fn times() {
    let mut bench = Bench::new(Settings::default());
    let mut taken = vec![0; 200];
    bench.take(&[up(p(1))]);
    let mut dice = Rng::new(5, 5);
    for n in 1..=199_u8 {
        bench.now.0 += dice.pick(&[1, 100_000, 60_000_000, 3_600_000_000]);
        bench.take(&[add(p(1), n, n)]);
        taken[usize::from(n)] = bench.now.0;
    }
    bench.now.0 += 1_000_000;
    let id = bench.attach(Want::everything());
    bench.mirror.connected(id);
    let (octets, _) = fill(&mut bench.mirror, id, bench.now, PIECE_MIN, 17);
    let mut rest = &octets[..];
    let mut seen = 0;
    while let Some((frame, tail)) = Frame::split(rest).expect("BMP") {
        rest = tail;
        let Ok(Some(monitoring)) = frame.route_monitoring() else { continue };
        let Some(part) = monitoring.update().expect("fine").parts().next() else { continue };
        let (n, header) = (part.nlri[2], monitoring.peer);
        let told = u64::from(header.seconds.get()) * 1_000_000 + u64::from(header.micros.get());
        let was = taken[usize::from(n)];
        assert!(told <= was, "route {n}: {told} and it was {was}");
        assert!(was - told <= (bench.now.0 - was) / 32, "route {n}: {told} and it was {was}");
        seen += 1;
    }
    assert_eq!(seen, 199);
}
