//! Real threads: order within each lane, totals, and a consumer that sleeps and never polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::spsc::ring;
use super::super::{Cost, Event, Full, Inlet, Settings, intake};

const VALUES: usize = if cfg!(miri) { 200 } else { 200_000 };

#[test]
fn a_ring_between_two_threads() {
    for (capacity, batch) in [(1, 1), (2, 3), (64, 1), (64, 50), (1024, 2000)] {
        // A small one changes hands all the time.
        let count = if capacity < 64 { VALUES / 100 } else { VALUES };
        let (mut producer, mut consumer) = ring(capacity);
        let pushing = thread::spawn(move || {
            let mut values = (0..count).map(Box::new);
            while values.len() > 0 {
                if producer.push_many(&mut values.by_ref().take(batch.min(capacity))) == 0 {
                    thread::yield_now();
                }
            }
        });
        let mut next = 0;
        while !consumer.is_closed() {
            let before = next;
            for value in consumer.pop_many(batch) {
                assert_eq!(*value, next);
                next += 1;
            }
            if next == before {
                thread::yield_now();
            }
        }
        assert_eq!(next, count);
        pushing.join().unwrap();
    }
}

/// Which lane of the test, and its how-manieth value.
struct Sent(usize, usize);

impl Cost for Sent {
    fn cost(&self) -> usize {
        1 + self.1 % 7
    }
}

#[test]
fn many_lanes_and_a_consumer_that_sleeps() {
    const LANES: usize = if cfg!(miri) { 6 } else { 200 };
    const EACH: usize = VALUES / LANES;
    let wakes = Arc::new(AtomicUsize::new(0));
    let (count, consumer) = (wakes.clone(), thread::current());
    let (gate, mut intake) = intake(Settings { lanes_max: LANES, quantum: 50 }, move || {
        count.fetch_add(1, Ordering::Relaxed);
        consumer.unpark();
    });
    let sources: Vec<_> = (0..2)
        .map(|half| {
            let gate = gate.clone();
            thread::spawn(move || {
                // Each source opens its lanes while others push; short lanes end while long ones run.
                let mut open: Vec<(Inlet<Sent>, usize, usize)> = Vec::new();
                for lane in (half..LANES).step_by(2) {
                    open.push((gate.open(4).unwrap(), lane, 0));
                    push_some(&mut open, EACH);
                }
                while !open.is_empty() {
                    push_some(&mut open, EACH);
                    // Sometimes nothing comes, and the consumer has to sleep.
                    thread::yield_now();
                }
            })
        })
        .collect();

    let (mut ended, mut sleeps) = (0, 0);
    let mut next = vec![0; LANES];
    let mut lanes = vec![None; LANES];
    while ended < LANES {
        let drained = intake.drain(500, |lane, event| match event {
            Event::Opened => lanes[lane.index()] = Some((lane.generation(), None)),
            Event::Value(Sent(name, number)) => {
                let (generation, owner) = lanes[lane.index()].as_mut().expect("opened");
                assert_eq!((*generation, *owner.get_or_insert(name)), (lane.generation(), name));
                assert_eq!(number, next[name], "order of lane {name}");
                next[name] += 1;
            }
            Event::Ended => ended += 1,
        });
        if !drained.more && ended < LANES && intake.prepare_sleep() {
            sleeps += 1;
            thread::park();
        }
    }
    sources.into_iter().for_each(|source| source.join().unwrap());
    assert_eq!(next, vec![EACH; LANES]);
    let wakes = wakes.load(Ordering::Relaxed);
    println!("{} values, {sleeps} sleeps, {wakes} wake-ups", EACH * LANES);
    assert!(wakes <= sleeps);
}

/// One turn over a source's lanes; those that are done are dropped.
fn push_some(open: &mut Vec<(Inlet<Sent>, usize, usize)>, each: usize) {
    open.retain_mut(|(inlet, lane, sent)| {
        while *sent < each {
            match inlet.push(Sent(*lane, *sent)) {
                Ok(()) => *sent += 1,
                Err(Full(_)) => return true,
            }
        }
        false
    });
}
