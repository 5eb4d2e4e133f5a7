//! What the feed log costs, beside what it replaces: a queue of messages for every session.
//!
//! `cargo bench -p benches --bench log` measures; `cargo test --benches -p benches` runs everything
//! once, small, and checks that all contenders hand every octet to every session.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Mutex;
use std::thread;

use benches::versus;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use queue::log::{Log, POOLED_MAX, Pool, Read, Reader, SEGMENT_LEN};

/// A usual Route Monitoring message.
const MESSAGE: [u8; 150] = {
    let mut message = [0; 150];
    let mut at = 0;
    while at < message.len() {
        #[expect(clippy::cast_possible_truncation, reason = "150")]
        let octet = at as u8;
        message[at] = octet;
        at += 1;
    }
    message
};

/// What the kernel is given at once.
const CAP: usize = 256 << 10;

/// Messages between two looks of the sessions.
const BATCH: usize = 64;

fn messages() -> usize {
    if benches::measuring() { 640_000 } else { 640 }
}

/// What a send would look at; and, where it is not measured, all of it.
fn digest(octets: &[u8]) -> usize {
    let sum = |octets: &[u8]| octets.iter().map(|&octet| usize::from(octet)).sum::<usize>();
    octets.len() + if benches::measuring() { 0 } else { sum(octets) }
}

/// Appends messages and publishes every so many of them.
fn append(segment_len: usize, each: usize) -> usize {
    let pool = Pool::new(segment_len, POOLED_MAX);
    let mut log = Log::new(&pool, 4 << 20);
    for at in 1..=messages() {
        // As an encoder does: into the room, without a copy of its own.
        let room = log.reserve(MESSAGE.len()).expect("short");
        room[..MESSAGE.len()].copy_from_slice(black_box(&MESSAGE));
        log.commit(MESSAGE.len());
        if at % each == 0 {
            black_box(log.publish());
        }
    }
    usize::try_from(log.end()).expect("it was written")
}

/// The floor: the same octets into one buffer that goes round.
fn copy() -> usize {
    let mut buffer = vec![0; 4 << 20];
    let (mut at, mut copied) = (0, 0);
    for _ in 0..messages() {
        if at + MESSAGE.len() > buffer.len() {
            at = 0;
        }
        buffer[at..at + MESSAGE.len()].copy_from_slice(black_box(&MESSAGE));
        at += MESSAGE.len();
        copied += MESSAGE.len();
        black_box(&mut buffer);
    }
    copied
}

/// All that a reader has for its session now.
fn drain(reader: &mut Reader) -> usize {
    let mut digested = 0;
    while let Read::Data(chunk) = reader.read(CAP) {
        digested += digest(black_box(&chunk));
        reader.advance(chunk.len());
    }
    digested
}

/// One log, so many cursors; everybody reads after each batch.
fn fan_out(sessions: usize) -> usize {
    let pool = Pool::default();
    let mut log = Log::new(&pool, 4 << 20);
    let mut readers: Vec<Reader> = (0..sessions).map(|_| log.subscribe()).collect();
    let mut digested = 0;
    for _ in 0..messages() / BATCH {
        for _ in 0..BATCH {
            log.append(black_box(&MESSAGE)).expect("short");
        }
        log.publish();
        digested += readers.iter_mut().map(drain).sum::<usize>();
    }
    digested
}

/// A message made once, counted by reference, in a queue for each session.
fn fan_out_queues(sessions: usize) -> usize {
    let queues: Vec<Mutex<VecDeque<Bytes>>> = (0..sessions).map(|_| Mutex::default()).collect();
    let mut digested = 0;
    for _ in 0..messages() / BATCH {
        for _ in 0..BATCH {
            let message = Bytes::copy_from_slice(black_box(&MESSAGE));
            for queue in &queues {
                queue.lock().expect("alone").push_back(message.clone());
            }
        }
        for queue in &queues {
            let taken = std::mem::take(&mut *queue.lock().expect("alone"));
            digested += taken.iter().map(|message| digest(black_box(message))).sum::<usize>();
        }
    }
    digested
}

/// A writer and so many cursors on a thread of their own, as in the engine. The budget holds it all.
fn across(sessions: usize) -> usize {
    let pool = Pool::default();
    let mut log = Log::new(&pool, usize::MAX);
    let mut readers: Vec<Reader> = (0..sessions).map(|_| log.subscribe()).collect();
    let whole = (messages() * MESSAGE.len()) as u64;
    thread::scope(|scope| {
        let follower = scope.spawn(move || {
            let mut digested = 0;
            while readers.iter().any(|reader| reader.position() < whole) {
                digested += readers.iter_mut().map(drain).sum::<usize>();
                thread::yield_now();
            }
            digested
        });
        for at in 1..=messages() {
            log.append(black_box(&MESSAGE)).expect("short");
            if at % BATCH == 0 {
                log.publish();
            }
        }
        log.publish();
        follower.join().expect("it reads")
    })
}

fn across_queues(sessions: usize) -> usize {
    let queues: Vec<Mutex<VecDeque<Bytes>>> = (0..sessions).map(|_| Mutex::default()).collect();
    let whole = messages() * sessions;
    thread::scope(|scope| {
        let queues = &queues;
        let follower = scope.spawn(move || {
            let (mut taken, mut digested) = (0, 0);
            while taken < whole {
                for queue in queues {
                    let batch = std::mem::take(&mut *queue.lock().expect("no panic"));
                    taken += batch.len();
                    digested += batch.iter().map(|message| digest(black_box(message))).sum::<usize>();
                }
                thread::yield_now();
            }
            digested
        });
        for _ in 0..messages() / BATCH {
            let batch: Vec<Bytes> = (0..BATCH).map(|_| Bytes::copy_from_slice(black_box(&MESSAGE))).collect();
            for queue in queues {
                queue.lock().expect("no panic").extend(batch.iter().cloned());
            }
        }
        follower.join().expect("it reads")
    })
}

/// What a session that has nothing to do costs each time somebody looks.
fn idle(criterion: &mut Criterion) {
    let mut log = Log::new(&Pool::default(), 4 << 20);
    let mut readers: Vec<Reader> = (0..64).map(|_| log.subscribe()).collect();
    let mut group = criterion.benchmark_group("cursors");
    group.throughput(Throughput::Elements(64));
    group.bench_function("64 idle", |bencher| {
        bencher.iter(|| readers.iter_mut().filter(|reader| reader.ready()).count());
    });
    log.append(&MESSAGE).expect("short");
    log.publish();
    group.bench_function("64 read one message", |bencher| {
        bencher.iter(|| {
            let read =
                |reader: &mut Reader| matches!(reader.read(CAP), Read::Data(chunk) if chunk.len() == 150);
            assert_eq!(readers.iter_mut().filter_map(|reader| read(reader).then_some(())).count(), 64);
        });
    });
    group.finish();
}

fn main() {
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let million = |sessions: usize| ((messages() * sessions) as f64 / 1e6, "million messages");
    let octets = messages() * MESSAGE.len();
    let digest = messages() * digest(&MESSAGE);

    versus(
        "append, 150 octets",
        million(1),
        octets,
        &[
            ("publish by 64", &|| append(SEGMENT_LEN, 64)),
            ("by 1", &|| append(SEGMENT_LEN, 1)),
            ("64 KiB segments", &|| append(64 << 10, 64)),
            ("1 MiB segments", &|| append(1 << 20, 64)),
            ("copy alone", &copy),
        ],
    );
    for sessions in [1, 64] {
        versus(
            &format!("append and read, {sessions} sessions, one thread"),
            million(sessions),
            sessions * digest,
            &[("log", &|| fan_out(sessions)), ("queues", &|| fan_out_queues(sessions))],
        );
        versus(
            &format!("append and read, {sessions} sessions, two threads"),
            million(sessions),
            sessions * digest,
            &[("log", &|| across(sessions)), ("queues", &|| across_queues(sessions))],
        );
    }
    let mut criterion = Criterion::default().configure_from_args();
    idle(&mut criterion);
    criterion.final_summary();
}
