//! The first that a server is told, and in what order.

use wire::bmp::PeerFlags;

use super::{Bench, V4, V6, add, add6, end, init, loc, mirrored, p, says, stat, up, up_with, v, view};
use crate::{Settings, Want};

const POST: u8 = PeerFlags::POST_POLICY;

/// Each row: what the router has sent, and what a new server is told of it.
#[test]
fn a_first_dump() {
    let rows = [
        ("nothing", vec![], vec!["initiation sys-descr \"what we are\" sys-name \"r1\""]),
        ("an Initiation", vec![init("one"), init("two")], vec!["init two"]),
        (
            "Loc-RIBs come last, each table ends, nothing is lost that was mirrored before",
            vec![
                init("one"),
                up(loc()),
                up(p(1)),
                up(v(2)),
                add(p(1), 5, 1),
                add(loc(), 5, 2),
                stat(p(1), 3),
                mirrored(p(1), 0),
            ],
            vec![
                "init one",
                "p1 up 1",
                "v2 up 1",
                "loc up 1",
                "loc 1001 announce 10.5.0.0/16 med 2",
                "loc 1001 end-of-rib",
                "p1 in-pre 1001 announce 10.5.0.0/16 med 1",
                "p1 in-pre 1001 end-of-rib",
                "p1 stat 3",
            ],
        ),
        (
            "Peer Ups of one life, as they came, the same one once",
            vec![
                init("one"),
                up_with(p(1), 1, &[super::PATHS_V6], "", 0),
                up(p(1)),
                up_with(p(1), 1, &[super::PATHS_V6], "", 0),
            ],
            vec!["init one", "p1 up 1 paths [0, 2, 1, 3]", "p1 up 1"],
        ),
        (
            "a table ends once, also if the router ended it; one without routes only where it did",
            vec![init("one"), up(p(1)), end(p(1), V6), add(p(1), 1, 1), add6(p(1), 1, 1), end(p(1), V4)],
            vec![
                "init one",
                "p1 up 1",
                "p1 in-pre 1001 announce 10.1.0.0/16 med 1",
                "p1 in-pre 1001 announce ipv6-unicast 2001:100::/24 next-hop 192.0.2.99 med 1",
                "p1 in-pre 1001 end-of-rib ipv6-unicast",
                "p1 in-pre 1001 end-of-rib",
            ],
        ),
        (
            "statistics: the latest for each combination of flags",
            vec![init("one"), up(p(1)), stat(p(1), 1), stat(view(p(1), POST), 2), stat(p(1), 3)],
            vec!["init one", "p1 up 1", "p1 stat 3", "p1/40 stat 2"],
        ),
        (
            "routes without a Peer Up",
            vec![init("one"), add(p(1), 1, 1)],
            vec!["init one", "p1 in-pre 1001 announce 10.1.0.0/16 med 1", "p1 in-pre 1001 end-of-rib"],
        ),
        (
            "routes with equal attributes share a message; views do not",
            vec![
                init("one"),
                up(p(1)),
                add(p(1), 2, 1),
                add(p(1), 1, 1),
                add(view(p(1), POST), 1, 1),
                add(p(1), 3, 2),
            ],
            vec![
                "init one",
                "p1 up 1",
                "p1 in-pre 1001 announce 10.2.0.0/16 10.1.0.0/16 med 1",
                "p1 in-pre 1001 announce 10.3.0.0/16 med 2",
                "p1 in-post 1001 announce 10.1.0.0/16 med 1",
                "p1 in-pre 1001 end-of-rib",
                "p1 in-post 1001 end-of-rib",
            ],
        ),
    ];
    for (row, sent, want) in rows {
        let settings = Settings { description: "what we are".to_owned(), ..Settings::default() };
        let mut bench = Bench::new(settings);
        bench.take(&sent);
        let id = bench.attach(Want::everything());
        says(row, &bench.connect(id), &want);
        says(&format!("{row}: again"), &bench.reconnect(id), &want);
        says(&format!("{row}: no more"), &bench.heard(id), &[]);
    }
}

/// An Initiation that we make has the names it can have, cut between letters.
#[test]
fn long_names() {
    let description = "ä".repeat(200);
    let mut bench = Bench::new(Settings { description, ..Settings::default() });
    let id = bench.attach(Want::everything());
    let want = format!("initiation sys-descr \"{}\" sys-name \"r1\"", "ä".repeat(127));
    says("255 octets", &bench.connect(id), &[&want]);
}

/// A message that is news to a server that was caught up is told when it falls, others are not.
#[test]
fn after_a_fall() {
    let before = [init("one"), up(p(1)), add(p(1), 1, 1), add(p(1), 2, 1), end(p(1), V4), stat(p(1), 1)];
    let rows = [
        ("nothing", vec![], vec![]),
        ("another Initiation", vec![init("two")], vec!["init two"]),
        (
            "another Peer Up of the same life",
            vec![up_with(p(1), 1, &[super::PATHS_V6], "", 0)],
            vec!["p1 up 1 paths [0, 2, 1, 3]"],
        ),
        (
            "another peer",
            vec![up(p(2)), add(p(2), 1, 1)],
            vec!["p2 up 1", "p2 in-pre 1002 announce 10.1.0.0/16 med 1"],
        ),
        (
            "routes that change, go, and go that came",
            vec![add(p(1), 1, 2), super::del(p(1), 2), add(p(1), 3, 1), super::del(p(1), 3)],
            vec![
                "p1 in-pre 1002 withdraw 10.2.0.0/16 10.3.0.0/16",
                "p1 in-pre 1002 announce 10.1.0.0/16 med 2",
            ],
        ),
        ("a route as it was", vec![add(p(1), 1, 1)], vec![]),
        ("an end that the router says again", vec![end(p(1), V4)], vec!["p1 in-pre 1003 end-of-rib"]),
        ("statistics", vec![stat(p(1), 2), stat(view(p(1), POST), 1)], vec!["p1 stat 2", "p1/40 stat 1"]),
        (
            "what was mirrored is lost, once",
            vec![mirrored(p(1), 0), mirrored(p(1), 0)],
            vec!["route-mirroring p1 1003 messages-lost"],
        ),
        ("a message nobody knows", vec![super::raw("odd", 100, None, &[1, 2])], vec![]),
    ];
    for (row, sent, want) in rows {
        let mut bench = Bench::new(Settings::default());
        bench.take(&before);
        let id = bench.live();
        let other = bench.live();
        // An epoch ends, and with it what the log's readers know is up to here.
        bench.take(&[]);
        bench.now.0 -= 1_000_000;
        let seen = bench.seen(id);
        bench.take(&sent);
        let names: Vec<_> = sent.iter().map(|sent| &*sent.name).collect();
        says(&format!("{row}: live"), &bench.heard(other), &names);
        bench.now.0 += 1_000_000;
        says(row, &bench.fall(id, &seen), &want);
    }
}
