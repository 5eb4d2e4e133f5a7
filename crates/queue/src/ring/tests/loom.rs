//! Every schedule, and every value that a load may return under the C11 memory model:
//! `RUSTFLAGS="--cfg loom" cargo test -p heliograph-queue --release loom`.

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::super::spsc::{Consumer, Producer, ring};
use super::super::{Event, Full, Inlet, Intake, OpenError, Settings, intake};
use super::{Drops, Token};

/// Runs a model in every way there is, and prints how many they were.
fn every_schedule(name: &str, model: impl Fn() + Send + Sync + 'static) {
    schedules(name, None, model);
}

/// The same, with no more than so many preemptions in a run: three threads have too many schedules.
fn schedules(name: &str, preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let ways = std::sync::Arc::new(AtomicUsize::new(0));
    let count = ways.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{name}: {} schedules", ways.load(Ordering::Relaxed));
}

/// Pushes `values` until one is refused, and says how many were not.
fn push_all(producer: &mut Producer<usize>, values: std::ops::Range<usize>) -> usize {
    values.map_while(|value| producer.push(value).ok()).count()
}

#[test]
fn values_pass_one_by_one() {
    for capacity in [1, 2] {
        every_schedule(&format!("push and pop, capacity {capacity}"), move || {
            let (mut producer, mut consumer) = ring(capacity);
            let pushing = thread::spawn(move || push_all(&mut producer, 0..3));
            let mut seen: Vec<usize> = (0..3).filter_map(|_| consumer.pop()).collect();
            let pushed = pushing.join().unwrap();
            seen.extend(std::iter::from_fn(|| consumer.pop()));
            assert_eq!(seen, (0..pushed).collect::<Vec<_>>());
            assert!(pushed >= capacity && consumer.is_closed());
        });
    }
}

#[test]
fn values_pass_in_batches() {
    every_schedule("push_many and pop_many", || {
        let (mut producer, mut consumer) = ring(2);
        let pushing = thread::spawn(move || {
            let mut values = 0..5;
            producer.push_many(&mut values) + producer.push_many(&mut values)
        });
        let mut seen: Vec<usize> = Vec::new();
        for limit in [1, 2] {
            // The second look leaves one inside, if there are two.
            let batch = consumer.pop_many(limit);
            let most = batch.len().min(1);
            seen.extend(batch.take(most));
        }
        let pushed = pushing.join().unwrap();
        seen.extend(consumer.pop_many(9));
        assert_eq!(seen, (0..pushed).collect::<Vec<_>>());
    });
}

#[test]
fn either_side_may_go() {
    every_schedule("a side drops", || {
        let drops = Drops::new(2);
        let (mut producer, mut consumer): (Producer<Token>, Consumer<Token>) = ring(2);
        let here = drops.clone();
        let pushing = thread::spawn(move || {
            for name in 0..2 {
                assert!(producer.push(drops.token(name)).is_ok());
            }
            // Both go at any time; who is last drops the rest.
            producer.is_closed()
        });
        let popped = consumer.pop().is_some();
        assert!(!(popped && consumer.is_closed()) || consumer.pop().is_none());
        drop(consumer);
        pushing.join().unwrap();
        here.assert_once(2);
    });
}

#[test]
fn the_end_comes_after_the_last_value() {
    every_schedule("last word", || {
        let (mut producer, mut consumer) = ring(2);
        let pushing = thread::spawn(move || producer.push(7).unwrap());
        if consumer.is_closed() {
            panic!("closed with a value inside");
        }
        if let Some(value) = consumer.pop() {
            assert_eq!(value, 7);
        }
        pushing.join().unwrap();
    });
}

const SETTINGS: Settings = Settings { lanes_max: 2, quantum: 1 };

/// An intake whose consumer is this thread and parks; and how often it was woken.
fn parking() -> (super::super::Gate<Token>, Intake<Token>, std::sync::Arc<AtomicUsize>) {
    let (wakes, consumer) = (std::sync::Arc::new(AtomicUsize::new(0)), thread::current());
    let count = wakes.clone();
    let (gate, intake) = intake(SETTINGS, move || {
        count.fetch_add(1, Ordering::Relaxed);
        consumer.unpark();
    });
    (gate, intake, wakes)
}

/// Drains and sleeps until so many lanes have ended; returns the names of the tokens by lane index,
/// and how often it slept. A wake-up that is lost is a deadlock, which loom reports.
fn until_ended(intake: &mut Intake<Token>, ends: usize) -> (Vec<Vec<usize>>, usize) {
    let mut seen = vec![None; SETTINGS.lanes_max];
    let (mut ended, mut sleeps) = (0, 0);
    while ended < ends {
        let drained = intake.drain(2, |lane, event| {
            let seen = &mut seen[lane.index()];
            match event {
                Event::Opened => assert_eq!(seen.replace(Vec::new()), None, "opened twice"),
                Event::Value(token) => seen.as_mut().expect("opened").push(token.name),
                Event::Ended => ended += 1,
            }
        });
        if !drained.more && ended < ends && intake.prepare_sleep() {
            sleeps += 1;
            thread::park();
        }
    }
    assert_eq!((ended, intake.lanes()), (ends, 0));
    (seen.into_iter().flatten().collect(), sleeps)
}

fn push(inlet: &mut Inlet<Token>, token: Token) {
    assert!(inlet.push(token).is_ok(), "no room");
}

#[test]
fn no_wake_up_is_lost() {
    every_schedule("push, push, end; drain, sleep", || {
        let drops = Drops::new(2);
        let (gate, mut intake, wakes) = parking();
        let mut inlet = gate.open(2).unwrap();
        let there = drops.clone();
        let pushing = thread::spawn(move || {
            push(&mut inlet, there.token(0));
            push(&mut inlet, there.token(1));
        });
        let (seen, sleeps) = until_ended(&mut intake, 1);
        pushing.join().unwrap();
        assert_eq!(seen, [[0, 1]]);
        assert!(wakes.load(Ordering::Relaxed) <= sleeps);
        drops.assert_once(2);
    });
}

#[test]
fn no_wake_up_is_lost_between_two() {
    schedules("two producers; drain, sleep", Some(2), || {
        let drops = Drops::new(2);
        let (gate, mut intake, wakes) = parking();
        let pushing: Vec<_> = (0..2)
            .map(|name| {
                let (mut inlet, there) = (gate.open(1).unwrap(), drops.clone());
                thread::spawn(move || push(&mut inlet, there.token(name)))
            })
            .collect();
        let (seen, sleeps) = until_ended(&mut intake, 2);
        for thread in pushing {
            thread.join().unwrap();
        }
        assert_eq!(seen, [[0], [1]]);
        assert!(wakes.load(Ordering::Relaxed) <= sleeps);
        drops.assert_once(2);
    });
}

#[test]
fn a_lane_opens_while_the_consumer_falls_asleep() {
    every_schedule("open, push, end; drain, sleep", || {
        let drops = Drops::new(1);
        let (gate, mut intake, wakes) = parking();
        let there = drops.clone();
        let pushing = thread::spawn(move || push(&mut gate.open(1).unwrap(), there.token(0)));
        let (seen, sleeps) = until_ended(&mut intake, 1);
        pushing.join().unwrap();
        assert_eq!(seen, [[0]]);
        assert!(wakes.load(Ordering::Relaxed) <= sleeps);
        drops.assert_once(1);
    });
}

/// No sleep, so no unpark that would order anything by itself: what the drain sees, it sees through
/// the list and the ring. And a full ring has room again for who was refused.
#[test]
fn a_drain_meets_a_push() {
    every_schedule("push; drain", || {
        let drops = Drops::new(3);
        let (gate, mut intake) = intake(SETTINGS, || panic!("nobody sleeps"));
        let mut inlet = gate.open(1).unwrap();
        let there = drops.clone();
        let pushing = thread::spawn(move || {
            let mut pushed = 0;
            for name in 0..3 {
                match inlet.push(there.token(name)) {
                    Ok(()) => pushed += 1,
                    Err(Full(token)) => drop(token),
                }
            }
            pushed
        });
        let mut seen = Vec::new();
        for _ in 0..2 {
            intake.drain(9, |_, event| {
                if let Event::Value(token) = event {
                    seen.push(token.name);
                }
            });
        }
        let pushed = pushing.join().unwrap();
        let mut ended = 0;
        intake.drain(9, |_, event| match event {
            Event::Opened => panic!("told already"),
            Event::Value(token) => seen.push(token.name),
            Event::Ended => ended += 1,
        });
        assert!(seen.is_sorted() && seen.len() == pushed, "{seen:?} of {pushed}");
        assert!(ended <= 1 && intake.lanes() == 0);
        drops.assert_once(3);
    });
}

#[test]
fn the_consumer_goes_at_any_time() {
    every_schedule("open, push, end; drain, drop", || {
        let drops = Drops::new(2);
        let (gate, mut intake) = intake(SETTINGS, || panic!("nobody sleeps"));
        let mut inlet = gate.open(1).unwrap();
        let there = drops.clone();
        let pushing = thread::spawn(move || {
            push(&mut inlet, there.token(0));
            match gate.open(1) {
                Ok(mut second) => push(&mut second, there.token(1)),
                Err(error) => {
                    assert_eq!(error, OpenError::Closed);
                    drop(there.token(1));
                }
            }
            inlet
        });
        intake.drain(1, |_, _| {});
        drop(intake);
        let inlet = pushing.join().unwrap();
        assert!(inlet.is_closed());
        drop(inlet);
        drops.assert_once(2);
    });
}
