//! What crosses threads allocates nothing on its way: a million values through lanes that are open, and
//! a million messages through a log, but for the header of each new segment.
//!
//! A test binary of its own, for the allocator that counts is the whole program's. It counts by
//! thread, so both ends are worked from one: no other way through the code is taken from two.

#![cfg(not(miri))] // a million takes hours there, and it has nothing to find

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use allocation_counter::{AllocationInfo, measure};
use queue::log::{Log, Pool, Read, Reader};
use queue::ring::{Cost, Drained, Event, Full, Gate, Inlet, Intake, Settings, intake, spsc};

const VALUES: usize = 1_000_000;
const LANES: usize = 100;
const CAPACITY: usize = 16;

/// As large as what a source passes on; its own octets are the source's to allocate.
#[derive(Clone, Copy)]
struct Record([usize; 4]);

impl Cost for Record {
    fn cost(&self) -> usize {
        1 + self.0[0] % 200
    }
}

fn lanes(wake: impl Fn() + Send + Sync + 'static) -> (Gate<Record>, Intake<Record>) {
    intake(Settings { lanes_max: LANES, quantum: 300 }, wake)
}

fn open(gate: &Gate<Record>) -> Vec<Inlet<Record>> {
    (0..LANES).map(|_| gate.open(CAPACITY).expect("one of a hundred")).collect()
}

/// Pushes one by one and in batches, now and then more than there is room for, and drains by budgets
/// that end within visits; says how many values came through, how many were refused, how many sleeps.
fn pass_on(inlets: &mut [Inlet<Record>], intake: &mut Intake<Record>, values: usize) -> [usize; 3] {
    let [mut pushed, mut passed, mut refused, mut slept] = [0; 4];
    let mut turn = 0;
    while passed < values {
        turn += 1;
        for (at, inlet) in inlets.iter_mut().enumerate().skip(turn % 3).step_by(1 + turn % 4) {
            pushed += inlet.push_many(&mut (0..turn % 7).map(|n| Record([n + at; 4])));
            match inlet.push(Record([turn; 4])) {
                Ok(()) => pushed += 1,
                Err(Full(back)) => refused += usize::from(back.0[0] == turn),
            }
        }
        // Every tenth turn leaves nothing, and then there is sleep.
        let budget = if turn % 10 == 0 { usize::MAX } else { 4000 };
        let Drained { more, .. } = intake.drain(budget, |lane, event| {
            passed += usize::from(matches!(black_box((lane, event)).1, Event::Value(_)));
        });
        slept += usize::from(!more && intake.prepare_sleep());
    }
    while intake.drain(usize::MAX, |_, event| passed += usize::from(matches!(event, Event::Value(_)))).more {}
    assert_eq!(passed, pushed, "nothing lost");
    [passed, refused, slept]
}

#[test]
fn lanes_allocate_nothing_once_they_are_open() {
    let woken = Arc::new(AtomicUsize::new(0));
    let (gate, mut intake) = lanes({
        let woken = woken.clone();
        move || _ = woken.fetch_add(1, Ordering::Relaxed)
    });
    let mut inlets = open(&gate);
    let mut done = [0; 3];
    let counted = measure(|| done = pass_on(&mut inlets, &mut intake, VALUES));
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "allocations, octets");
    let [passed, refused, slept] = done;
    assert!(passed >= VALUES && refused > VALUES / 100 && slept > 100, "{done:?}");
    assert!(woken.load(Ordering::Relaxed) > 100);
    println!("{passed} values, {refused} refused, {slept} sleeps, no allocation");
}

/// What a lane takes is allocated by its opening, and by nothing before or after: its ring with the
/// counts beside it, and its slots.
#[test]
fn a_lane_is_two_allocations() {
    let (gate, mut intake) = lanes(|| ());
    let mut inlets = Vec::with_capacity(LANES);
    // Lanes that go and come again find the tables as they are.
    for _ in 0..3 {
        let opened = measure(|| inlets.extend((0..LANES).map(|_| gate.open(CAPACITY).expect("one more"))));
        let closed = measure(|| {
            inlets.clear();
            intake.drain(usize::MAX, |_, event| assert!(!matches!(event, Event::Value(_))));
        });
        assert_eq!((opened.count_total, opened.count_current), (200, 200), "for 100 lanes");
        assert_eq!((closed.count_total, closed.count_current), (0, -200));
    }
}

#[test]
fn a_ring_of_its_own_allocates_nothing_either() {
    let (mut producer, mut consumer) = spsc::ring(CAPACITY);
    let mut passed = 0;
    let counted = measure(|| {
        while passed < VALUES {
            while producer.push(Record([passed; 4])).is_ok() {}
            passed += consumer.pop_many(CAPACITY / 2).map(black_box).count();
            passed += usize::from(black_box(consumer.pop()).is_some());
            producer.push_many(&mut (0..5).map(|n| Record([n; 4])));
        }
    });
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "allocations, octets");
}

const SEGMENT_LEN: usize = 64 << 10;
/// Octets of a message.
const MESSAGE: usize = 200;
/// What the story of the log says that a segment has beside its block.
const HEADER_MAX: u64 = 512;

/// Appends, notes, publishes and reads, a few messages in a turn; says how many segments ended.
fn feed(log: &mut Log, readers: &mut [Reader], notes: &[Arc<u64>], messages: usize) -> u64 {
    let message = [0xa5; MESSAGE];
    let first = log.end() / (SEGMENT_LEN / MESSAGE * MESSAGE) as u64;
    let mut appended = 0;
    while appended < messages {
        log.set_note(notes[appended % notes.len()].clone());
        for _ in 0..appended % 9 + 1 {
            log.append(&message).expect("short enough");
            appended += 1;
        }
        log.publish();
        for reader in &mut *readers {
            while let Read::Data(chunk) = reader.read(4000) {
                reader.advance(black_box(chunk).len());
            }
            black_box(reader.note());
        }
    }
    // A segment ends when the first message of the next one comes.
    (log.end() - 1) / (SEGMENT_LEN / MESSAGE * MESSAGE) as u64 - first
}

#[test]
fn a_log_allocates_a_header_a_segment_while_the_pool_has_blocks() {
    let pool = Pool::new(SEGMENT_LEN, 4);
    let mut log = Log::new(&pool, 4 * SEGMENT_LEN);
    let mut readers: Vec<Reader> = (0..3).map(|_| log.subscribe()).collect();
    let notes: Vec<Arc<u64>> = (0..5).map(Arc::new).collect();
    // Until the budget is used each block is the first, and the list of segments grows.
    feed(&mut log, &mut readers, &notes, 8 * SEGMENT_LEN / MESSAGE);
    let mut ended = 0;
    let counted = measure(|| ended = feed(&mut log, &mut readers, &notes, VALUES));
    let AllocationInfo { count_total, count_current, bytes_total, bytes_current, .. } = counted;
    assert!(ended > 3000, "{ended} segments");
    assert_eq!(count_total, ended, "allocations, for so many segments");
    assert!(bytes_total <= ended * HEADER_MAX, "{bytes_total} octets for {ended} segments");
    assert_eq!((count_current, bytes_current), (0, 0), "and as many go");
    assert!(readers.iter().all(|reader| reader.behind() == 0));
    println!("{VALUES} messages, {ended} segments, {} octets of header each", bytes_total / ended);
}

/// Nor does what a session does then: it finds the note and comes back where the log is.
#[test]
fn falling_off_allocates_nothing() {
    let pool = Pool::new(SEGMENT_LEN, 8);
    let mut log = Log::new(&pool, 4 * SEGMENT_LEN);
    let mut slow = log.subscribe();
    let note = Arc::new(0);
    for _ in 0..3 {
        feed(&mut log, &mut [], std::slice::from_ref(&note), 8 * SEGMENT_LEN / MESSAGE);
        let counted = measure(|| {
            while let Read::Data(chunk) = slow.read(4000) {
                slow.advance(chunk.len());
            }
            assert!(slow.cut_off() && slow.note().is_some());
            slow = log.subscribe();
        });
        // What goes: the header of its segment, and of the gone one that this was linked to.
        assert_eq!((counted.count_total, counted.count_current), (0, -2));
    }
}

/// The measure measures.
#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(black_box(vec![1_u8; 100])));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100));
}
