//! How fast values cross threads, beside other people's queues.
//!
//! `cargo bench -p benches --bench queue` measures; `cargo test --benches -p benches` runs everything
//! once, small, and checks the answers.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;

use crossbeam_queue::ArrayQueue;
use queue::ring::{Cost, Event, Inlet, Intake, Settings, intake, spsc};

/// Values that cross in one turn.
fn values() -> u32 {
    if benches::measuring() { 4_000_000 } else { 10_000 }
}

/// As many as a queue holds, and as many as go at once.
const CAPACITY: usize = 1024;
const BATCH: usize = 64;

/// What a queue of the engine carries is of this size: a pointer, a length, a time, a kind.
#[derive(Clone, Copy)]
struct Value([u64; 4]);

impl Value {
    fn new(n: usize) -> Self {
        Self([n as u64, 0, 0, 0])
    }
}

impl Cost for Value {
    fn cost(&self) -> usize {
        100
    }
}

/// The sum of all values, so that none may be missing.
fn answer(values: u32) -> usize {
    let values = values as usize;
    values * (values - 1) / 2
}

fn add(sum: &mut usize, value: Value) {
    *sum += usize::try_from(black_box(value).0[0]).expect("64 bits");
}

/// One thread that pushes and one that pops, until the sum of `values` is there.
fn two_threads(
    mut push: impl FnMut(&mut dyn ExactSizeIterator<Item = Value>) + Send + 'static,
    mut pop: impl FnMut(&mut usize) -> usize,
) -> usize {
    let total = values() as usize;
    let pushing = thread::spawn(move || {
        let mut values = (0..total).map(Value::new);
        while values.len() > 0 {
            push(&mut values);
        }
    });
    let (mut sum, mut popped) = (0, 0);
    while popped < total {
        match pop(&mut sum) {
            0 => thread::yield_now(),
            some => popped += some,
        }
    }
    pushing.join().expect("no panic");
    sum
}

/// A value into a queue that may be full, at any cost.
fn insist(value: Value, mut push: impl FnMut(Value) -> Result<(), Value>) {
    let mut value = value;
    while let Err(back) = push(value) {
        value = back;
        thread::yield_now();
    }
}

fn ring_single_two() -> usize {
    let (mut producer, mut consumer) = spsc::ring(CAPACITY);
    two_threads(
        move |values| {
            values.for_each(|value| insist(value, |value| producer.push(value).map_err(|full| full.0)));
        },
        move |sum| consumer.pop().map(|value| add(sum, value)).map_or(0, |()| 1),
    )
}

fn ring_batch_two() -> usize {
    let (mut producer, mut consumer) = spsc::ring(CAPACITY);
    two_threads(
        move |values| {
            if producer.push_many(&mut values.take(BATCH)) == 0 {
                thread::yield_now();
            }
        },
        move |sum| consumer.pop_many(BATCH).map(|value| add(sum, value)).count(),
    )
}

fn lane_two(batch: usize) -> usize {
    let (gate, mut intake) = intake(Settings { lanes_max: 1, quantum: BATCH * 100 }, || ());
    let mut inlet = gate.open(CAPACITY).expect("the first");
    two_threads(
        move |values| {
            if inlet.push_many(&mut values.take(batch)) == 0 {
                thread::yield_now();
            }
        },
        move |sum| drain(&mut intake, BATCH * 100, sum),
    )
}

fn array_queue_two() -> usize {
    let queue = std::sync::Arc::new(ArrayQueue::new(CAPACITY));
    let there = queue.clone();
    two_threads(
        move |values| values.for_each(|value| insist(value, |value| there.push(value))),
        move |sum| queue.pop().map(|value| add(sum, value)).map_or(0, |()| 1),
    )
}

fn channel_two() -> usize {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    two_threads(
        move |values| values.for_each(|value| sender.send(value).expect("a receiver")),
        move |sum| receiver.recv().map(|value| add(sum, value)).map_or(0, |()| 1),
    )
}

fn mpsc_two() -> usize {
    let (sender, receiver) = mpsc::sync_channel(CAPACITY);
    two_threads(
        move |values| values.for_each(|value| sender.send(value).expect("a receiver")),
        move |sum| receiver.recv().map(|value| add(sum, value)).map_or(0, |()| 1),
    )
}

/// The same on one thread, in rounds of a batch: what the instructions cost when no line moves.
fn one_thread(mut round: impl FnMut(&mut dyn Iterator<Item = Value>, &mut usize)) -> usize {
    let mut values = (0..values() as usize).map(Value::new);
    let mut sum = 0;
    for _ in 0..values.len().div_ceil(BATCH) {
        round(&mut values.by_ref().take(BATCH), &mut sum);
    }
    sum
}

fn ring_single_one() -> usize {
    let (mut producer, mut consumer) = spsc::ring(CAPACITY);
    one_thread(|values, sum| {
        values.for_each(|value| producer.push(value).expect("room"));
        while let Some(value) = consumer.pop() {
            add(sum, value);
        }
    })
}

fn ring_batch_one() -> usize {
    let (mut producer, mut consumer) = spsc::ring(CAPACITY);
    one_thread(|mut values, sum| {
        producer.push_many(&mut values);
        consumer.pop_many(BATCH).for_each(|value| add(sum, value));
    })
}

fn lane_one(single: bool) -> usize {
    let (gate, mut intake) = intake(Settings { lanes_max: 1, quantum: BATCH * 100 }, || ());
    let mut inlet = gate.open(CAPACITY).expect("the first");
    one_thread(|mut values, sum| {
        if single {
            values.for_each(|value| inlet.push(value).expect("room"));
        } else {
            inlet.push_many(&mut values);
        }
        drain(&mut intake, usize::MAX, sum);
    })
}

fn array_queue_one() -> usize {
    let queue = ArrayQueue::new(CAPACITY);
    one_thread(|values, sum| {
        values.for_each(|value| queue.push(value).map_err(drop).expect("room"));
        while let Some(value) = queue.pop() {
            add(sum, value);
        }
    })
}

fn channel_one() -> usize {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    one_thread(|values, sum| {
        values.for_each(|value| sender.send(value).expect("a receiver"));
        receiver.try_iter().for_each(|value| add(sum, value));
    })
}

fn mpsc_one() -> usize {
    let (sender, receiver) = mpsc::sync_channel(CAPACITY);
    one_thread(|values, sum| {
        values.for_each(|value| sender.send(value).expect("a receiver"));
        receiver.try_iter().for_each(|value| add(sum, value));
    })
}

/// Drains and says how many values there were.
fn drain(intake: &mut Intake<Value>, budget: usize, sum: &mut usize) -> usize {
    let mut count = 0;
    intake.drain(budget, |_, event| {
        if let Event::Value(value) = event {
            add(sum, value);
            count += 1;
        }
    });
    count
}

/// So many lanes, of which some have a value each round.
const LANES: usize = 1000;

/// Values for them: a scan of the idle ones takes its time.
fn few() -> u32 {
    values() / 20
}

fn round_robin(active: usize) -> usize {
    let (gate, mut intake) = intake(Settings { lanes_max: LANES, quantum: 1000 }, || ());
    let mut inlets: Vec<Inlet<Value>> = (0..LANES).map(|_| gate.open(4).expect("of a thousand")).collect();
    let (mut sum, mut values) = (0, (0..few() as usize).map(Value::new));
    drain(&mut intake, usize::MAX, &mut sum);
    while values.len() > 0 {
        for (inlet, value) in inlets.iter_mut().step_by(LANES / active).zip(values.by_ref().take(active)) {
            inlet.push(value).expect("room");
        }
        drain(&mut intake, usize::MAX, &mut sum);
    }
    sum
}

/// What one does without a ready-list.
fn scan(active: usize) -> usize {
    let queues: Vec<ArrayQueue<Value>> = (0..LANES).map(|_| ArrayQueue::new(4)).collect();
    let (mut sum, mut values) = (0, (0..few() as usize).map(Value::new));
    while values.len() > 0 {
        for (queue, value) in queues.iter().step_by(LANES / active).zip(values.by_ref().take(active)) {
            queue.push(value).map_err(drop).expect("room");
        }
        for queue in &queues {
            while let Some(value) = queue.pop() {
                add(&mut sum, value);
            }
        }
    }
    sum
}

fn main() {
    let mega = (f64::from(values()) / 1e6, "million values");
    benches::versus(
        "one thread, 64 in and 64 out",
        mega,
        answer(values()),
        &[
            ("ring, batches", &ring_batch_one),
            ("ring, single", &ring_single_one),
            ("lane, batches", &|| lane_one(false)),
            ("lane, single", &|| lane_one(true)),
            ("ArrayQueue", &array_queue_one),
            ("crossbeam chan", &channel_one),
            ("std mpsc", &mpsc_one),
        ],
    );
    benches::versus(
        "two threads",
        mega,
        answer(values()),
        &[
            ("ring, batches", &ring_batch_two),
            ("ring, single", &ring_single_two),
            ("lane, batches", &|| lane_two(BATCH)),
            ("lane, single", &|| lane_two(1)),
            ("ArrayQueue", &array_queue_two),
            ("crossbeam chan", &channel_two),
            ("std mpsc", &mpsc_two),
        ],
    );
    for active in [1, 10, LANES] {
        benches::versus(
            &format!("{LANES} lanes, {active} of them with a value at a time"),
            (f64::from(few()) / 1e6, "million values"),
            answer(few()),
            &[("ready-list", &|| round_robin(active)), ("scan", &|| scan(active))],
        );
    }
}
