//! One writer and three readers at once, one of them slow: every octet in its place, nothing skipped
//! but by falling off, with the note of that very place, and memory within the bound while it lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::super::{Log, Pool, Read, Reader};
use super::{octet, octets};

const SEGMENT_LEN: usize = 512;
const BUDGET: usize = 3 * SEGMENT_LEN;
/// Chunks that the slow reader keeps in flight.
const HELD_MAX: usize = 4;

/// What a reader saw.
#[derive(Default)]
struct Seen {
    octets: u64,
    falls: u64,
}

/// Reads until the log is closed; where it falls off, says so and goes on with a new reader.
fn follow(mut reader: Reader, fell: &AtomicBool, next: &Receiver<Reader>, slow: bool) -> Seen {
    let mut seen = Seen::default();
    let mut held = Vec::new();
    for turn in 1_usize.. {
        match reader.read(turn * 13 % 400) {
            Read::Data(chunk) => {
                assert_eq!(chunk.position(), reader.position());
                for (&got, position) in chunk.iter().zip(chunk.position()..) {
                    assert_eq!(got, octet(position), "at {position}");
                }
                let done = if turn % 3 == 0 { chunk.len().div_ceil(2) } else { chunk.len() };
                reader.advance(done);
                seen.octets += done as u64;
                if slow {
                    held.truncate(HELD_MAX - 1);
                    held.insert(0, chunk);
                    thread::yield_now();
                }
            }
            Read::Idle => thread::yield_now(),
            Read::Fell => {
                assert!(reader.at_boundary() && reader.cut_off());
                let note = reader.note().expect("a segment that ended");
                assert_eq!(note.downcast_ref(), Some(&reader.position()));
                seen.falls += 1;
                fell.store(true, Ordering::Relaxed);
                let Ok(fresh) = next.recv() else { break };
                assert!(fresh.position() > reader.position());
                reader = fresh;
            }
            Read::Closed => break,
        }
    }
    seen
}

#[test]
fn one_writer_and_three_readers() {
    let octets_all = if cfg!(miri) { 4_000 } else { 3_000_000 };
    let pool = Pool::new(SEGMENT_LEN, 4);
    let mut log = Log::new(&pool, BUDGET);
    let fell: [AtomicBool; 3] = Default::default();
    let seen = thread::scope(|scope| {
        let (mut doors, mut followers) = (Vec::new(), Vec::new());
        for (at, fell) in fell.iter().enumerate() {
            let (door, next) = sync_channel(1);
            let reader = log.subscribe();
            followers.push(scope.spawn(move || follow(reader, fell, &next, at == 2)));
            doors.push(door);
        }
        while log.end() < octets_all {
            for _ in 0..1 + log.end() % 5 {
                let message = octets(log.end(), usize::try_from(1 + log.end() * 7 % 61).expect("short"));
                log.set_note(Arc::new(log.end()));
                log.append(&message).expect("short enough");
            }
            log.publish();
            for (fell, door) in fell.iter().zip(&doors) {
                if fell.swap(false, Ordering::Relaxed) {
                    door.send(log.subscribe()).expect("it waits");
                }
            }
            let usage = pool.usage();
            // The figures are not of one instant: what has just come back is counted twice at worst.
            assert!(usage.retained <= BUDGET && usage.pooled <= 4 * SEGMENT_LEN, "{usage:?}");
            assert!(usage.stragglers <= (3 + HELD_MAX + 3) * SEGMENT_LEN, "{usage:?}");
        }
        drop((log, doors));
        let seen = followers.into_iter().map(|follower| follower.join().expect("a reader"));
        seen.collect::<Vec<Seen>>()
    });
    for Seen { octets, falls } in seen {
        assert!(octets > 0 && octets <= octets_all + 400, "{octets} octets, {falls} falls");
        assert!(falls > 0 || octets >= octets_all, "{octets} octets, {falls} falls");
    }
    assert_eq!((pool.usage().retained, pool.usage().stragglers), (0, 0));
}
