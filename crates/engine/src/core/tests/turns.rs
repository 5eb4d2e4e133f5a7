//! Who is caught up when, and what it may cost.

use mirror::{Mode, PIECE_MIN, SessionId};
use queue::ring::Inlet;

use super::super::{CHASE, EPOCH_OCTETS, PIECES_AHEAD, Record, Settings};
use super::{Bench, Server, add, send, up};

/// Routes with attributes of their own, from a number on, in one record.
fn routes(from: u16, count: u16, med: u32) -> Vec<Vec<u8>> {
    (from..from + count).map(|n| add(1, n, med + u32::from(n))).collect()
}

/// A bench whose router has so many routes.
fn bench(settings: Settings, count: u16) -> (Bench, Inlet<Record>) {
    let mut bench = Bench::new(settings);
    let mut lane = bench.lane("r", 1);
    send(&mut lane, &[up(1)]);
    send(&mut lane, &routes(0, count, 0));
    bench.calm();
    (bench, lane)
}

fn small() -> Settings {
    Settings { piece_len: PIECE_MIN, segment_len: 4096, retention: 16 << 10, ..Settings::default() }
}

/// Who does not read gets so many pieces and no turn; who reads gets there meanwhile.
#[test]
fn pieces_ahead() {
    let (mut bench, _lane) = bench(small(), 10_000);
    let [slow, fast] = [bench.attach("r"), bench.attach("r")];
    bench.connect(slow);
    bench.connect(fast);
    bench.server(slow).stalled = true;
    bench.calm();
    assert_eq!(bench.server(slow).readers.len(), PIECES_AHEAD);
    assert_eq!([slow, fast].map(|id| bench.core.mirror().mode(id)), [Mode::Catching, Mode::Live]);
    let lines = bench.lines(fast);
    assert_eq!(lines.len(), 2 + 10_000 + 1, "all routes, and their end");
    let step = bench.step();
    assert!(!step.more && step.at.is_none(), "nothing is asked for who does not read: {step:?}");
    bench.server(slow).stalled = false;
    bench.calm();
    let late = bench.lines(slow);
    // The time of an end is when it is told.
    assert!(late.len() == lines.len() && late[..10_002] == lines[..10_002], "the same");
}

/// Ten servers get to their log while the router goes on changing all it has; one that is stalled delays
/// nobody, and each gets there in about as many steps.
#[test]
fn fair_turns() {
    let settings = Settings { slice: 500, ..small() };
    let (mut bench, mut lane) = bench(settings, 3000);
    let ids: Vec<_> = (0..11).map(|_| bench.attach("r")).collect();
    for id in &ids {
        bench.connect(*id);
    }
    let (stuck, ids) = ids.split_first().expect("eleven");
    bench.server(*stuck).stalled = true;
    let mut there = vec![None; ids.len()];
    for step in 0..2000_u16 {
        send(&mut lane, &routes(step % 29 * 100, 20, u32::from(step) + 9));
        bench.step();
        bench.read();
        for (id, there) in ids.iter().zip(&mut there) {
            if there.is_none() && bench.core.mirror().mode(*id) == Mode::Live {
                *there = Some(step);
            }
        }
        if there.iter().all(Option::is_some) {
            break;
        }
    }
    let steps: Vec<_> = there.iter().map(|there| there.expect("it gets there")).collect();
    let (first, last) = (steps.iter().min().expect("ten"), steps.iter().max().expect("ten"));
    assert!(*last < 300 && last - first < 60, "{steps:?}");
    assert_eq!(bench.core.mirror().mode(*stuck), Mode::Catching);
}

fn churn(bench: &mut Bench, lane: &mut Inlet<Record>) {
    for med in 1..=40 {
        send(lane, &routes(0, 500, med * 1000));
        bench.calm();
    }
}

/// A step does no more for those who catch up than its slice, and for each route that was taken in while
/// one waited so much more; however long the session was away, live or stalled before.
#[test]
fn work_of_a_step() {
    const SLICE: usize = 100;
    type Before = fn(&mut Bench, SessionId, &mut Inlet<Record>);
    let rows: [(&str, Before); 4] = [
        ("a new one", |bench, id, _| {
            bench.connect(id);
        }),
        ("one that had a connection", |bench, id, lane| {
            let connection = bench.connect(id);
            bench.calm();
            bench.core.lost(connection);
            bench.servers.insert(id, Server::default());
            churn(bench, lane);
            bench.connect(id);
        }),
        ("one that was live", |bench, id, lane| {
            let connection = bench.connect(id);
            bench.calm();
            churn(bench, lane);
            bench.core.lost(connection);
            bench.connect(id);
        }),
        ("one whose server did not read", |bench, id, lane| {
            bench.connect(id);
            bench.server(id).stalled = true;
            churn(bench, lane);
            bench.server(id).stalled = false;
            bench.read();
            bench.lines(id);
        }),
    ];
    for (row, before) in rows {
        let (mut bench, mut lane) = bench(Settings { slice: SLICE, ..small() }, 1000);
        let id = bench.attach("r");
        before(&mut bench, id, &mut lane);
        let mut steps = 0;
        while bench.core.mirror().mode(id) != Mode::Live {
            bench.step();
            bench.read();
            let told = bench.lines(id).iter().filter(|line| line.contains("announce")).count();
            assert!(told <= SLICE, "{row}: {told} routes in a step");
            steps += 1;
            assert!(steps < 10_000, "{row}: it gets there");
        }
        // What was told before it stalled counts too.
        assert!(steps >= 500 / SLICE, "{row}: {steps} steps");
        // With intake, more.
        let connection = bench.connect_again(id);
        send(&mut lane, &routes(0, 100, 99));
        bench.step();
        bench.read();
        let told = bench.lines(id).iter().filter(|line| line.contains("announce")).count();
        assert!(told > SLICE && told <= SLICE + CHASE * 100, "{row}: {told} routes in a step");
        assert_eq!(bench.server(id).connection, Some(connection));
    }
}

impl Bench {
    fn connect_again(&mut self, id: SessionId) -> super::Connection {
        let connection = self.server(id).connection.expect("it is there");
        self.core.lost(connection);
        self.connect(id)
    }
}

/// Who falls off is told the rest, and reads on.
#[test]
fn falling() {
    let (mut bench, mut lane) = bench(small(), 100);
    let [slow, fast] = [bench.attach("r"), bench.attach("r")];
    for id in [slow, fast] {
        bench.connect(id);
    }
    bench.calm();
    bench.server(slow).stalled = true;
    for med in 1..=5 {
        send(&mut lane, &routes(0, 100, med * 1000));
        bench.calm();
    }
    for id in [slow, fast] {
        bench.lines(id);
    }
    bench.server(slow).stalled = false;
    bench.read();
    assert_eq!([slow, fast].map(|id| bench.server(id).falls), [1, 0]);
    assert_eq!(bench.core.mirror().mode(slow), Mode::Catching);
    bench.lines(slow);
    bench.calm();
    assert_eq!(bench.lines(slow).len(), 100, "each route once, as it is now");
    send(&mut lane, &[add(1, 7, 7)]);
    bench.calm();
    assert_eq!(bench.lines(slow), bench.lines(fast));
}

/// What a session takes is the same for one route and for many, away, behind or live.
#[test]
fn memory_of_a_session() {
    let memory = |count: u16| {
        let (mut bench, mut lane) = bench(small(), count);
        let id = bench.attach("r");
        let mut memory = vec![bench.core.session_memory(id)];
        bench.connect(id);
        bench.server(id).stalled = true;
        bench.step();
        memory.push(bench.core.session_memory(id));
        bench.server(id).stalled = false;
        bench.calm();
        memory.push(bench.core.session_memory(id));
        bench.server(id).stalled = true;
        for med in 1..=5 {
            send(&mut lane, &routes(0, 300, med * 1000));
            bench.calm();
        }
        memory.push(bench.core.session_memory(id));
        bench.server(id).stalled = false;
        bench.read();
        assert_eq!(bench.core.mirror().mode(id), Mode::Catching);
        memory.push(bench.core.session_memory(id));
        memory
    };
    let (few, many) = (memory(1), memory(10_000));
    assert_eq!([few[0], few[2], few[3]], [few[0]; 3], "away, live, behind: {few:?}");
    assert_eq!([many[0], many[2], many[3], many[4]], [few[0], few[2], few[3], few[4]]);
    assert!(many[1] <= few[0] + 1000, "while it is caught up: {many:?}");
}

/// Gone routes are let go of in the end, with nobody there and with somebody who reads.
#[test]
fn nothing_left() {
    let (mut bench, mut lane) = bench(small(), 1000);
    for attached in [false, true] {
        if attached {
            let id = bench.attach("r");
            bench.connect(id);
        }
        for round in 0..3 {
            send(&mut lane, &routes(0, 1000, round * 5000));
            bench.calm();
        }
        let withdrawn: Vec<_> = (0..1000_u16)
            .flat_map(|n| {
                let [a, b] = n.to_be_bytes();
                [24, 10, a, b]
            })
            .collect();
        let pdu =
            [&[0xff; 16][..], &4023_u16.to_be_bytes(), &[2], &4000_u16.to_be_bytes(), &withdrawn, &[0, 0]]
                .concat();
        send(&mut lane, &[super::written(|to| wire::bmp::route_monitoring(to, &super::p(1), &pdu, &[]))]);
        bench.calm();
        // An epoch ends only where something comes.
        for _ in 0..3 {
            send(&mut lane, &vec![add(1, 1, 1); EPOCH_OCTETS / 80]);
            bench.calm();
        }
        let count = bench.core.mirror().rib().count();
        assert_eq!((count.paths, count.tombstones), (1, 0), "attached: {attached}");
    }
}
