//! What comes in: by which lane, of which router, broken or out of turn.

use std::sync::Arc;

use wire::bmp::TerminationReason;

use super::super::{Core, EPOCH_MICROS, Output, Record, Settings, Step};
use super::{BEGIN, Bench, add, down, push, send, up};
use rib::Time;

/// A lane that breaks takes its peers with it, and nothing else.
#[test]
fn a_broken_lane() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.attach("r");
    bench.connect(id);
    let [mut one, mut two] = [bench.lane("r", 1), bench.lane("r", 1)];
    send(&mut one, &[up(1)]);
    send(&mut two, &[up(2)]);
    bench.calm();
    assert_eq!(bench.lines(id), ["initiation", "peer-up p1", "peer-up p2"]);
    send(&mut one, &[add(1, 1, 1), b"\x09 what is this?".to_vec()]);
    send(&mut one, &[up(3)]);
    send(&mut two, &[add(2, 1, 1)]);
    bench.calm();
    let mut lines = bench.lines(id);
    lines.sort();
    let want = [
        "p1 update announce ipv4-unicast 10.0.1.0/24 origin igp med 1",
        "p2 update announce ipv4-unicast 10.0.1.0/24 origin igp med 1",
        "peer-down p1 1003.000000 deconfigured",
    ];
    assert_eq!(lines, want, "its peers are down, what stood in front was taken, the rest dropped");
    let at = add(1, 1, 1).len();
    assert_eq!(bench.said, [format!("router 0: offset {at}: BMP version 9, expected 3")]);
    drop(one);
    drop(two);
    bench.calm();
    assert_eq!(bench.lines(id), ["peer-down p2 1005.000000 deconfigured"], "once each");
}

/// Each row: what a lane brings, and what a server hears; `of` says whose the lane is.
#[test]
fn records() {
    let of = |router: &str, connection| Record::Of { router: Arc::from(router), connection };
    let messages = |messages: &[Vec<u8>]| Record::Messages(messages.concat().into());
    let rows: [(&str, Vec<Record>, &[&str]); 6] = [
        ("nothing", vec![of("r", 1)], &[]),
        ("messages of nobody", vec![messages(&[up(1)]), of("r", 1), messages(&[up(2)])], &["peer-up p2"]),
        ("another router", vec![of("s", 1), messages(&[up(1)])], &[]),
        (
            "two routers, one after the other",
            vec![of("r", 1), messages(&[up(1)]), of("s", 1), messages(&[up(2)])],
            &["peer-up p1", "peer-down p1 1002.000000 deconfigured"],
        ),
        (
            "whose it is, again",
            vec![of("r", 1), messages(&[up(1)]), of("r", 1), messages(&[up(1)])],
            &["peer-up p1", "peer-down p1 1002.000000 deconfigured", "peer-up p1"],
        ),
        (
            "an older connection",
            vec![of("r", 2), messages(&[up(1)]), of("r", 1), messages(&[up(2), down(1)])],
            &["peer-up p1", "peer-down p1 1002.000000 deconfigured"],
        ),
    ];
    for (row, records, want) in rows {
        let mut bench = Bench::new(Settings::default());
        let id = bench.attach("r");
        bench.connect(id);
        bench.step();
        let mut lane = bench.gate.open(64).expect("a lane");
        records.into_iter().for_each(|record| push(&mut lane, record));
        bench.step();
        bench.read();
        assert_eq!(bench.lines(id)[1..], *want, "{row}");
    }
}

/// What one step says: is there more, is there news, when again.
#[test]
fn steps() {
    let settings = Settings { intake: 1, ..Settings::default() };
    let (gate, mut core) = Core::new(settings, || {});
    let session = core.attach("r", &Arc::new(mirror::Want::everything()));
    let step = |core: &mut Core, now| core.step(Time(now), |_| {});
    let idle = Step { more: false, news: false, at: None, messages: 0 };
    assert_eq!(step(&mut core, BEGIN), idle, "nothing to do, nothing asked for");
    let mut lane = gate.open(8).expect("a lane");
    push(&mut lane, Record::Of { router: Arc::from("r"), connection: 1 });
    for n in 1..=2 {
        send(&mut lane, &[up(n)]);
    }
    let at = Some(Time(BEGIN + 2 * EPOCH_MICROS));
    let rows = [
        // Whose the lane is. An epoch ends with it: the one before ended long ago.
        Step { more: true, ..idle },
        // An intake of one octet gathers until it is enough for a message.
        Step { more: true, at, ..idle },
        Step { more: true, news: true, at, messages: 1 },
        Step { more: false, news: true, at, messages: 1 },
        Step { at, ..idle },
    ];
    for (row, now) in rows.iter().zip(BEGIN + EPOCH_MICROS..) {
        assert_eq!(step(&mut core, now), *row, "at {now}");
    }
    assert_eq!(step(&mut core, BEGIN + 2 * EPOCH_MICROS), idle, "the epoch has ended");
    assert!(core.prepare_sleep(), "nobody pushes");
    core.connected(session);
    let connected = step(&mut core, BEGIN + 2 * EPOCH_MICROS);
    assert_eq!(connected, idle, "told in one turn");
    assert_eq!(core.mirror().mode(session), mirror::Mode::Live);
}

/// A route that comes after a long silence is not as old as the silence.
#[test]
fn times() {
    for silence in [0, 1, 3600] {
        let mut bench = Bench::new(Settings::default());
        let id = bench.attach("r");
        let mut lane = bench.lane("r", 1);
        send(&mut lane, &[up(1), add(1, 1, 1)]);
        bench.step();
        bench.now.0 += silence * 1_000_000;
        send(&mut lane, &[add(1, 2, 2)]);
        bench.calm();
        bench.connect(id);
        bench.calm();
        let lines = bench.lines(id);
        let want = [
            "p1 1001.000000 update announce ipv4-unicast 10.0.1.0/24 origin igp med 1".to_owned(),
            format!("p1 {}.000000 update announce ipv4-unicast 10.0.2.0/24 origin igp med 2", 1002 + silence),
        ];
        assert_eq!(lines[2..4], want, "{silence} seconds");
    }
}

/// What a connection that is gone still says is about nobody, whatever has become of its session.
#[test]
fn stale_connections() {
    let mut bench = Bench::new(Settings::default());
    let mut lane = bench.lane("r", 1);
    let id = bench.attach("r");
    let first = bench.connect(id);
    send(&mut lane, &[up(1)]);
    bench.calm();
    let mut gone = bench.server(id).readers.pop_front().expect("its log");
    bench.core.lost(first);
    bench.core.lost(first);
    let second = bench.connect(id);
    assert_ne!(first, second);
    bench.step();
    let pieces = bench.server(id).readers.len();
    assert_eq!((pieces, bench.core.outlets[0].pieces), (2, 1), "a piece and the log");
    bench.core.took(first);
    bench.core.fell(first, &gone);
    bench.core.lost(first);
    assert_eq!(bench.core.outlets[0].pieces, 1);
    assert_eq!(bench.core.mirror().mode(id), mirror::Mode::Live);
    assert_eq!(gone.read(0), queue::log::Read::Idle);
    // And when the session is no more, with a turn still in the queue.
    bench.core.lost(second);
    let third = bench.connect(id);
    bench.core.lost(third);
    bench.core.detach(id);
    bench.core.took(third);
    bench.core.lost(third);
    bench.core.fell(third, &gone);
    let step = bench.step();
    assert!(!step.more, "nobody has a turn");
    // Its number is used again, by a session that has nothing to do with it.
    assert_eq!(bench.attach("s"), id);
    bench.core.lost(third);
    let fourth = bench.connect(id);
    assert!(![first, second, third].contains(&fourth));
    bench.calm();
    assert_eq!(bench.lines(id), ["initiation"]);
}

/// A farewell for who was connected, at any time; nothing for others.
#[test]
fn farewells() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.attach("r");
    let leave = |bench: &mut Bench| {
        let mut finish = None;
        bench.core.leave(id, TerminationReason::ADMINISTRATIVELY_CLOSED, &mut |output| {
            let Output::Finish(connection, reader) = output else { panic!("a farewell") };
            finish = Some((connection, reader));
        });
        finish
    };
    assert!(leave(&mut bench).is_none(), "away");
    for live in [false, true] {
        let connection = bench.connect(id);
        if live {
            bench.calm();
            bench.lines(id);
        }
        let (to, reader) = leave(&mut bench).expect("connected");
        assert_eq!(to, connection);
        assert!(leave(&mut bench).is_none(), "left already");
        bench.server(id).readers = [reader].into();
        bench.calm();
        assert_eq!(bench.lines(id), ["termination administratively-closed"], "live: {live}");
        bench.core.lost(connection);
    }
    bench.core.detach(id);
}
