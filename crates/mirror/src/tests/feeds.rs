//! Feeds begin and end with who wants them; what is said to them lives as long as somebody may need it.

use std::sync::Arc;

use wire::bmp::TerminationReason;

use super::{ALL, Bench, Twin, add, del, init, p, says, up};
use crate::{Mirror, Mode, Settings, Want};

fn no_mirroring() -> Want {
    Want { mirroring: false, ..Want::everything() }
}

#[test]
fn shared_by_equal_wants() {
    let mut bench = Bench::new(Settings::default());
    let [a, b, c] = [Want::everything(), no_mirroring(), Want::everything()].map(|want| bench.attach(want));
    let other = bench.mirror.router("r2");
    let d = bench.mirror.attach(other, &Arc::new(Want::everything()), &mut bench.logs);
    assert_eq!(bench.mirror.router("r1"), bench.router, "known by its name");
    let feeds = [a, b, c, d].map(|id| bench.mirror.feed(id).0);
    assert_eq!(feeds, [0, 1, 0, 2]);
    bench.take(&[init("one")]);
    says("once", &bench.heard(a), &["init one"]);
    says("another router", &bench.heard(d), &[]);
    bench.mirror.detach(a, &mut bench.logs);
    assert_eq!(bench.logs.story, ["open 0", "open 1", "open 2"], "somebody still reads it");
    bench.mirror.detach(c, &mut bench.logs);
    bench.mirror.detach(b, &mut bench.logs);
    // Numbers are used again, of sessions and of feeds.
    let e = bench.attach(no_mirroring());
    assert_eq!((e, bench.mirror.feed(e).0), (a, 0));
    bench.take(&[init("two")]);
    says("a new one", &bench.heard(e), &["init two"]);
    bench.mirror.detach(d, &mut bench.logs);
    bench.mirror.detach(e, &mut bench.logs);
    let story = ["open 0", "open 1", "open 2", "close 0", "close 1", "open 0", "close 2", "close 0"];
    assert_eq!(bench.logs.story, story);
}

/// Who falls off a feed that has just begun is told nothing twice: its first word is of now.
#[test]
fn a_new_feed_has_fresh_word() {
    let mut bench = Bench::new(Settings::default());
    bench.take(&[init("one"), up(p(1)), add(p(1), 1, 1)]);
    bench.take(&[]);
    let id = bench.live();
    let seen = bench.seen(id);
    bench.take(&[add(p(1), 2, 2)]);
    says("only what is new", &bench.fall(id, &seen), &["p1 in-pre 1003 announce 10.2.0.0/16 med 2"]);
}

/// A server that knew routes before the first epoch ended is told that they went.
#[test]
fn before_the_first_tick() {
    let mut bench = Bench::new(Settings::default());
    let take = |bench: &mut Bench, octets: &[u8]| {
        let Bench { mirror, logs, router, lane, now, .. } = bench;
        mirror.take(*now, *router, *lane, octets, logs).expect("whole messages");
    };
    let id = bench.attach(Want::everything());
    take(&mut bench, &up(p(1)).octets);
    take(&mut bench, &add(p(1), 1, 1).octets);
    assert_eq!(bench.connect(id).len(), 4);
    let seen = bench.seen(id);
    take(&mut bench, &del(p(1), 1).octets);
    says("fallen", &bench.fall(id, &seen), &["p1 in-pre 1000 withdraw 10.1.0.0/16"]);
}

/// Gone routes are remembered while a server may be owed word of them, and no longer: each row is what
/// becomes of the session, and how many are remembered then.
#[test]
fn what_is_remembered() {
    type Becomes = fn(&mut Bench, crate::SessionId);
    let rows: [(&str, Becomes, usize); 6] = [
        ("it reads on", |_, _| {}, 0),
        (
            "it falls, and is not told",
            |bench, id| {
                let seen = bench.seen(id);
                bench.take(&[del(p(1), 1)]);
                bench.mirror.fell(id, &seen);
            },
            1,
        ),
        (
            "it falls, and is told",
            |bench, id| {
                let seen = bench.seen(id);
                bench.take(&[del(p(1), 1)]);
                bench.fall(id, &seen);
            },
            0,
        ),
        (
            "it falls, and is lost",
            |bench, id| {
                let seen = bench.seen(id);
                bench.take(&[del(p(1), 1)]);
                bench.mirror.fell(id, &seen);
                bench.mirror.lost(id);
            },
            0,
        ),
        (
            "it is lost, and detached",
            |bench, id| {
                bench.mirror.lost(id);
                bench.mirror.detach(id, &mut bench.logs);
            },
            0,
        ),
        (
            "it is lost, and nobody wants the router, whose peers come and go",
            |bench, id| {
                bench.mirror.lost(id);
                bench.mirror.detach(id, &mut bench.logs);
                bench.take(&[up(p(2))]);
            },
            0,
        ),
    ];
    for (row, becomes, tombstones) in rows {
        let mut bench = Bench::new(Settings::default());
        bench.take(&[up(p(1)), add(p(1), 1, 1), add(p(1), 2, 2), add(p(1), 3, 3)]);
        let id = bench.live();
        bench.take(&[]);
        becomes(&mut bench, id);
        bench.take(&[del(p(1), 1)]);
        // Two epochs: what is said of the first lets go in the second.
        bench.take(&[]);
        bench.take(&[]);
        assert_eq!(bench.mirror.rib().count().tombstones, tombstones, "{row}");
    }
}

/// A word that somebody holds is kept for, however many have been said since.
#[test]
fn many_words() {
    let mut bench = Bench::new(Settings::default());
    bench.take(&[up(p(1)), add(p(1), 1, 1)]);
    let [a, b] = [bench.live(), bench.live()];
    bench.take(&[]);
    let seen = bench.seen(a);
    bench.take(&[del(p(1), 1)]);
    for n in 0..300_u16 {
        bench.take(&[add(p(1), 2, n.to_be_bytes()[1])]);
    }
    assert!(bench.mirror.said.len() <= 2 * 64 + 1, "{} words", bench.mirror.said.len());
    assert_eq!(bench.mirror.rib().count().tombstones, 1);
    let told = bench.fall(a, &seen);
    says(
        "all of it",
        &told,
        &["p1 in-pre 1003 withdraw 10.1.0.0/16", "p1 in-pre 1303 announce 10.2.0.0/16 med 43"],
    );
    drop(seen);
    bench.take(&[]);
    bench.take(&[]);
    assert_eq!(bench.mirror.rib().count().tombstones, 0);
    assert_eq!(bench.mirror.mode(b), Mode::Live);
}

/// We leave: the last message, and nothing more for that connection.
#[test]
fn leave() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.attach(Want::everything());
    let alone = bench.mirror.session_memory(id);
    for catching in [true, false] {
        bench.mirror.connected(id);
        if !catching {
            bench.caught_up(id);
            assert_eq!(bench.mirror.session_memory(id), alone, "no more than one that is away");
        }
        let mut buffer = [0xa5; 64];
        let len = bench.mirror.leave(id, TerminationReason::PERMANENTLY_CLOSED, &mut buffer);
        says("the word", &bench.lines(&buffer[..len]), &["termination permanently-closed"]);
        assert_eq!(bench.mirror.mode(id), Mode::Leaving);
        bench.mirror.rest(id);
        bench.mirror.lost(id);
        assert_eq!(bench.mirror.mode(id), Mode::Away);
    }
}

#[test]
#[should_panic(expected = "a session is lost before it is detached")]
fn detached_while_live() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.live();
    bench.mirror.detach(id, &mut bench.logs);
}

#[test]
#[should_panic(expected = "a session that is Away cannot be Fell")]
fn fallen_while_away() {
    let mut logs = Twin::default();
    let mut mirror = Mirror::new(Settings::default());
    let router = mirror.router("r");
    let id = mirror.attach(router, &Arc::new(Want::everything()), &mut logs);
    mirror.tick(rib::Time(1), ALL, &mut logs);
    let seen = logs.feeds[&mirror.feed(id)].seen.clone().expect("said");
    mirror.fell(id, &seen);
}
