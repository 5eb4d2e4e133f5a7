//! Lives of peers: each begins and ends once for every server, whether it reads the log or is caught up.

use std::sync::Arc;

use wire::bmp::DownReason;

use super::{ALL, Bench, PATHS_V4, V4, add, del, down, end, loc, p, says, stat, up, up_with, v};
use crate::{Lane, PIECE_MIN, Progress, Seen, SessionId, Settings};

const DECONFIGURED: DownReason = DownReason::DECONFIGURED;

/// A bench with a peer that has a route and a Loc-RIB; a session that reads its log, one that falls off
/// now, and one that is told half: what it was told does not count on what comes next.
fn bench() -> (Bench, SessionId, Arc<Seen>) {
    let mut bench = Bench::new(Settings::default());
    bench.take(&[up(p(1)), add(p(1), 1, 1), up_with(loc(), 1, &[], "blue", 0), add(loc(), 1, 1)]);
    let id = bench.live();
    bench.take(&[]);
    bench.now.0 -= 1_000_000;
    let seen = bench.seen(id);
    (bench, id, seen)
}

/// Something that happens to a router.
type Happens = fn(&mut Bench);

/// Each row: what happens, what the log's readers see of it, what who fell off before it is told.
#[test]
fn once_each() {
    let rows: [(&str, Happens, &[&str], &[&str]); 10] = [
        (
            "another Peer Up of the same session",
            |bench| bench.happens(&[up_with(p(1), 1, &[], "more", 0)]),
            &["p1 up 1 more"],
            &["p1 up 1 more"],
        ),
        (
            "a Peer Down, as it came",
            |bench| bench.happens(&[down(p(1), DownReason(250))]),
            &["p1 down 250"],
            &["p1 down 250"],
        ),
        (
            "a flap that nobody saw, on the same place",
            |bench| {
                bench.happens(&[down(p(1), DECONFIGURED), up_with(p(1), 2, &[], "", 0), add(p(1), 2, 2)]);
            },
            &["p1 down 5", "p1 up 2", "p1 +2 med 2"],
            &["p1 down 5", "p1 up 2", "p1 in-pre 1002 announce 10.2.0.0/16 med 2"],
        ),
        (
            "two flaps are one to who saw none: the life that it knew ended as the first one did",
            |bench| {
                bench.take(&[down(p(1), DECONFIGURED), up_with(p(1), 2, &[], "", 0)]);
                bench.take(&[down(p(1), DownReason(4)), up_with(p(1), 3, &[], "", 0)]);
            },
            &["p1 down 5", "p1 up 2", "p1 down 4", "p1 up 3"],
            &["p1 down 5", "p1 up 3"],
        ),
        (
            "another peer in its place",
            |bench| bench.happens(&[down(p(1), DECONFIGURED), up(v(2))]),
            &["p1 down 5", "v2 up 1"],
            &["p1 down 5", "v2 up 1"],
        ),
        (
            "one that came and went was never there",
            |bench| bench.happens(&[up(v(2)), add(v(2), 1, 1), down(v(2), DECONFIGURED)]),
            &["v2 up 1", "v2 +1 med 1", "v2 down 5"],
            &[],
        ),
        (
            "a Peer Up of another session",
            |bench| bench.happens(&[up_with(p(1), 2, &[], "", 0)]),
            &["peer-down p1 1002 remote-no-data", "p1 up 2"],
            &["peer-down p1 1002 remote-no-data", "p1 up 2"],
        ),
        (
            "a Peer Up after which the routes read otherwise",
            |bench| bench.happens(&[up_with(p(1), 1, &[PATHS_V4], "", 0)]),
            &["peer-down p1 1002 remote-no-data", "p1 up 1 paths [0, 1, 1, 3]"],
            &["peer-down p1 1002 remote-no-data", "p1 up 1 paths [0, 1, 1, 3]"],
        ),
        (
            "the lane ends",
            |bench| bench.ended(bench.lane),
            &["peer-down p1 1002 deconfigured", "peer-down loc 1002 loc-rib-ended table-name \"blue\""],
            &["peer-down p1 1002 deconfigured", "peer-down loc 1002 loc-rib-ended table-name \"blue\""],
        ),
        (
            "a newer connection",
            |bench| {
                bench.lane = Lane { connection: 2, queue: 1 };
                bench.take(&[up(p(1))]);
                bench.ended(Lane { connection: 1, queue: 1 });
            },
            &[
                "peer-down p1 1002 deconfigured",
                "peer-down loc 1002 loc-rib-ended table-name \"blue\"",
                "p1 up 1",
            ],
            &[
                "peer-down p1 1002 deconfigured",
                "peer-down loc 1002 loc-rib-ended table-name \"blue\"",
                "p1 up 1",
            ],
        ),
    ];
    for (row, happens, live, fallen) in rows {
        let (mut bench, id, seen) = bench();
        happens(&mut bench);
        says(&format!("{row}: live"), &bench.heard(id), live);
        says(&format!("{row}: fallen"), &bench.fall(id, &seen), fallen);
        bench.take(&[]);
        let seen = bench.seen(id);
        says(&format!("{row}: once"), &bench.fall(id, &seen), &[]);
    }
}

/// Peers of one lane end with it, those of another do not.
#[test]
fn lanes() {
    let (mut bench, id, _) = bench();
    let first = bench.lane;
    bench.lane.queue = 2;
    // The first lane's peer comes by the second one: it is that one's from here on.
    bench.take(&[up(p(1)), up(p(2))]);
    let other = ["peer-down p1 1002 remote-no-data", "p1 up 1", "p2 up 1"];
    says("another lane", &bench.heard(id), &other);
    bench.ended(first);
    says("the first", &bench.heard(id), &["peer-down loc 1003 loc-rib-ended table-name \"blue\""]);
    bench.now.0 += 250_000;
    bench.ended(bench.lane);
    says(
        "the second",
        &bench.heard(id),
        &["peer-down p1 1004.250000 deconfigured", "peer-down p2 1004.250000 deconfigured"],
    );
    bench.ended(bench.lane);
    says("no more", &bench.heard(id), &[]);
    assert_eq!(bench.mirror.rib().count().columns, 0);
}

/// A peer without a Peer Up ends where its Peer Up comes; who was caught up is told so.
#[test]
fn provisional() {
    let rows: [(&str, Happens, &[&str], &[&str]); 3] = [
        (
            "its Peer Up",
            |bench| bench.happens(&[up(p(2)), add(p(2), 2, 2)]),
            &["p2 up 1", "p2 +2 med 2"],
            &["peer-down p2 1003 remote-no-data", "p2 up 1", "p2 in-pre 1003 announce 10.2.0.0/16 med 2"],
        ),
        ("its Peer Down", |bench| bench.happens(&[down(p(2), DECONFIGURED)]), &["p2 down 5"], &["p2 down 5"]),
        (
            "the lane",
            |bench| {
                bench.take(&[down(p(1), DECONFIGURED), down(loc(), DECONFIGURED)]);
                bench.ended(bench.lane);
            },
            &["p1 down 5", "loc down 5", "peer-down p2 1004 deconfigured"],
            &["p1 down 5", "loc down 5", "peer-down p2 1004 deconfigured"],
        ),
    ];
    for (row, happens, live, fallen) in rows {
        let (mut bench, id, _) = bench();
        bench.take(&[add(p(2), 1, 1), stat(p(2), 1), end(p(2), V4)]);
        bench.heard(id);
        let seen = bench.seen(id);
        happens(&mut bench);
        says(&format!("{row}: live"), &bench.heard(id), live);
        let told = bench.fall(id, &seen);
        // What was between the note and the fall is told again or not at all: here it ends with the life.
        says(&format!("{row}: fallen"), &told, fallen);
    }
}

/// A life that ends or begins while a round goes on is the next round's.
#[test]
fn amid_a_round() {
    // With a work of one the round stands still inside of the first table.
    let rows: [(&str, Happens, &[&str]); 5] = [
        (
            "a flap of the peer that is being told",
            |bench| {
                bench.happens(&[down(p(1), DECONFIGURED), up_with(p(1), 2, &[], "", 0), add(p(1), 7, 7)]);
            },
            &[
                "loc 1002 announce 10.1.0.0/16 med 1",
                "loc 1003 end-of-rib",
                "p1 down 5",
                "p1 up 2",
                "p1 in-pre 1003 announce 10.7.0.0/16 med 7",
            ],
        ),
        (
            "another peer, and it is gone",
            |bench| bench.happens(&[up(p(2)), add(p(2), 1, 1), down(p(2), DECONFIGURED)]),
            &[
                "p1 in-pre 1001 announce 10.2.0.0/16 med 2",
                "p1 in-pre 1003 end-of-rib",
                "loc 1002 announce 10.1.0.0/16 med 1",
                "loc 1003 end-of-rib",
            ],
        ),
        (
            "another peer",
            |bench| bench.happens(&[up(p(2)), add(p(2), 1, 1), end(p(2), V4)]),
            &[
                "p1 in-pre 1001 announce 10.2.0.0/16 med 2",
                "p1 in-pre 1003 end-of-rib",
                "loc 1002 announce 10.1.0.0/16 med 1",
                "loc 1003 end-of-rib",
                "p2 up 1",
                "p2 in-pre 1003 announce 10.1.0.0/16 med 1",
                "p2 in-pre 1003 end-of-rib",
            ],
        ),
        (
            "its routes go, the one that was told and the one that was not",
            |bench| bench.happens(&[del(p(1), 1), del(p(1), 2)]),
            &[
                "p1 in-pre 1003 end-of-rib",
                "loc 1002 announce 10.1.0.0/16 med 1",
                "loc 1003 end-of-rib",
                "p1 in-pre 1003 withdraw 10.1.0.0/16 10.2.0.0/16",
            ],
        ),
        (
            "a table more, and a Peer Up that says how to read it",
            |bench| {
                let more = up_with(p(1), 1, &[super::PATHS_V6], "", 0);
                let nlri = [&[0, 0, 0, 5], &*super::prefix(super::V6, 1)].concat();
                let six = super::mp(14, super::V6, &nlri);
                bench.take(&[more, super::update("six", p(1), [&[], &six, &[]], &[])]);
            },
            &[
                "p1 up 1 paths [0, 2, 1, 3]",
                "p1 in-pre 1001 announce 10.2.0.0/16 med 2",
                "p1 in-pre 1003 announce ipv6-unicast 2001:100::/24#5 next-hop 192.0.2.99",
                "p1 in-pre 1003 end-of-rib",
                "p1 in-pre 1003 end-of-rib ipv6-unicast",
                "loc 1002 announce 10.1.0.0/16 med 1",
                "loc 1003 end-of-rib",
                // It changed after the round began.
                "p1 in-pre 1003 announce ipv6-unicast 2001:100::/24#5 next-hop 192.0.2.99",
            ],
        ),
    ];
    for (row, happens, want) in rows {
        let mut bench = Bench::new(Settings::default());
        bench.take(&[up(p(1)), add(p(1), 1, 1), add(p(1), 2, 2)]);
        bench.take(&[up_with(loc(), 1, &[], "blue", 0), add(loc(), 1, 1)]);
        let id = bench.attach(crate::Want::everything());
        bench.mirror.connected(id);
        let (filled, piece) = bench.fill(id, PIECE_MIN, 5);
        assert_eq!((filled.progress, filled.routes), (Progress::Spent, 1), "{row}");
        let first = bench.lines(&piece);
        happens(&mut bench);
        // What nobody is owed goes; this server is owed what has changed since its round began.
        for _ in 0..3 {
            bench.mirror.tick(bench.now, ALL, &mut bench.logs);
        }
        let (filled, piece) = bench.fill(id, 4 << 20, ALL);
        assert_eq!(filled.progress, Progress::CaughtUp, "{row}");
        says(
            &format!("{row}: before"),
            &first[1..],
            &["p1 up 1", "loc up 1 blue", "p1 in-pre 1001 announce 10.1.0.0/16 med 1"],
        );
        let got = bench.lines(&piece);
        let with_paths = "nlri 8 octets 0000000518200101 (offset 89: NLRI entry wants 5 octets, 3 left)";
        let got: Vec<_> = got.iter().map(|line| line.replace(with_paths, "2001:100::/24#5")).collect();
        says(row, &got, want);
    }
}
