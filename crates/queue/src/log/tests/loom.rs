//! Every schedule of small logs. Blocks of a few octets, one or two readers; the octet at a position is
//! its number, so that one out of place is seen, and every look at an octet is on loom's record.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p heliograph-queue --release loom`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;
use loom::{sync, thread};

use super::super::{Log, Pool, Read, Reader};

/// Tries all schedules with at most so many switches that nobody asked for; says how many.
fn model(preemptions: Option<usize>, run: impl Fn() + Sync + Send + 'static) {
    let schedules = Arc::new(AtomicUsize::new(0));
    let count = schedules.clone();
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        run();
    });
    println!("{} schedules", schedules.load(Ordering::Relaxed));
}

/// Appends octets that are their positions, as one commit.
fn append(log: &mut Log, len: usize) {
    let end = log.end();
    let room = log.reserve(len).expect("short enough");
    for (octet, position) in room[..len].iter_mut().zip(end..) {
        *octet = position.to_le_bytes()[0];
    }
    log.commit(len);
}

/// Reads once and checks what it got. Whether there may be more.
fn take(reader: &mut Reader, cap: usize) -> bool {
    let position = reader.position();
    match reader.read(cap) {
        Read::Data(chunk) => {
            assert_eq!(chunk.position(), position);
            assert!(!chunk.is_empty());
            for (&octet, position) in chunk.iter().zip(position..) {
                assert_eq!(u64::from(octet), position);
            }
            reader.advance(chunk.len());
            true
        }
        Read::Idle => {
            assert_eq!(position, reader.position());
            false
        }
        Read::Fell => {
            assert!(reader.cut_off());
            assert!(matches!(reader.read(cap), Read::Fell), "for good");
            false
        }
        Read::Closed => false,
    }
}

/// What is seen is written: two batches of two commits, read with caps that need the marks.
fn append_and_read(preemptions: Option<usize>, caps: &'static [usize]) {
    model(preemptions, || {
        let mut log = Log::new(&Pool::new(8, 1), 8);
        let readers: Vec<_> = caps.iter().map(|&cap| (log.subscribe(), cap)).collect();
        let readers = readers.into_iter().map(|(mut reader, cap)| {
            thread::spawn(move || {
                while take(&mut reader, cap) {
                    assert!(matches!(reader.position(), 2 | 3 | 5 | 6), "a cut");
                }
                reader
            })
        });
        let readers: Vec<_> = readers.collect();
        for _ in 0..2 {
            append(&mut log, 2);
            append(&mut log, 1);
            log.publish();
        }
        for reader in readers {
            let mut reader = reader.join().expect("a reader");
            while take(&mut reader, 99) {}
            assert_eq!(reader.position(), 6, "nothing skipped");
        }
    });
}

#[test]
fn loom_append_and_read() {
    append_and_read(None, &[3]);
    append_and_read(Some(3), &[3, 99]);
}

/// A reader follows over segments, of which two are kept: it gets everything or falls off, and if it
/// does, what it had was a prefix of whole segments.
#[test]
fn loom_follow_or_fall() {
    model(None, || {
        let mut log = Log::new(&Pool::new(2, 1), 4);
        let mut reader = log.subscribe();
        let follower = thread::spawn(move || {
            while take(&mut reader, 99) {}
            reader
        });
        for _ in 0..3 {
            append(&mut log, 2);
            log.publish();
        }
        let mut reader = follower.join().expect("a reader");
        while take(&mut reader, 99) {}
        assert!(reader.at_boundary());
        match reader.read(99) {
            Read::Fell => assert_eq!(reader.position(), 2, "whole, and what follows was let go of"),
            Read::Idle => assert_eq!(reader.position(), 6),
            other => panic!("{other:?}"),
        }
    });
}

/// Nobody writes where somebody still looks: a chunk is held while its segment, of the one block that
/// goes round, is let go of by all others, and read only then.
#[test]
fn loom_reuse() {
    model(None, || {
        let pool = Pool::new(2, 1);
        let mut log = Log::new(&pool, 0);
        let mut reader = log.subscribe();
        append(&mut log, 2);
        log.publish();
        let holder = thread::spawn(move || {
            let Read::Data(chunk) = reader.read(99) else { panic!("it was published") };
            drop(reader);
            assert_eq!(*chunk, [0, 1]);
        });
        // Whether these get the block of the first is up to when the chunk is dropped.
        append(&mut log, 2);
        append(&mut log, 2);
        holder.join().expect("a holder");
        assert_eq!((pool.usage().retained, pool.usage().stragglers), (2, 0));
    });
}

/// The same, across logs: what one reader lets go of another log takes while a third looks for it.
#[test]
fn loom_reuse_by_another_log() {
    model(Some(3), || {
        let pool = Pool::new(2, 2);
        let mut log = Log::new(&pool, 2);
        let mut reader = log.subscribe();
        append(&mut log, 2);
        log.publish();
        let other = thread::spawn({
            let pool = pool.clone();
            move || {
                let mut log = Log::new(&pool, 2);
                let mut reader = log.subscribe();
                append(&mut log, 2);
                log.publish();
                while take(&mut reader, 99) {}
                assert_eq!(reader.position(), 2);
            }
        });
        let follower = thread::spawn(move || while take(&mut reader, 99) {});
        append(&mut log, 2);
        append(&mut log, 2);
        drop(log);
        other.join().expect("the other log");
        follower.join().expect("a reader");
        assert_eq!((pool.usage().retained, pool.usage().stragglers), (0, 0));
    });
}

/// Closed is told from fallen off, and comes after everything.
#[test]
fn loom_close() {
    model(None, || {
        let mut log = Log::new(&Pool::new(2, 1), 4);
        let mut reader = log.subscribe();
        let follower = thread::spawn(move || {
            loop {
                match reader.read(99) {
                    Read::Data(chunk) => reader.advance(chunk.len()),
                    Read::Idle => thread::yield_now(),
                    Read::Fell => return assert_eq!(reader.position(), 2),
                    Read::Closed => return assert_eq!(reader.position(), 3),
                }
            }
        });
        append(&mut log, 2);
        append(&mut log, 1);
        drop(log);
        follower.join().expect("a reader");
    });
}

/// Who sees the seal sees the note, whether it falls off, comes to the end of the log or stands there
/// still. Each segment's note is where it ends.
#[test]
fn loom_note() {
    fn note(reader: &Reader) -> Option<u64> {
        reader.note().map(|note| *note.downcast_ref().expect("a position"))
    }
    model(None, || {
        let mut log = Log::new(&Pool::new(2, 1), 2);
        let mut reader = log.subscribe();
        let follower = thread::spawn(move || {
            loop {
                match reader.read(99) {
                    Read::Data(chunk) => reader.advance(chunk.len()),
                    Read::Idle => thread::yield_now(),
                    Read::Fell | Read::Closed => break,
                }
                // Of this segment, and not of the one before.
                assert!(note(&reader).is_none_or(|end| end >= reader.position()));
            }
            assert_eq!(note(&reader), Some(reader.position()));
        });
        for _ in 0..2 {
            append(&mut log, 2);
            log.set_note(Arc::new(log.end()));
        }
        drop(log);
        follower.join().expect("a reader");
    });
}

/// The way to sleep that the story tells loses no wake-up.
#[test]
fn loom_sleep() {
    model(None, || {
        let asleep = sync::Arc::new(sync::atomic::AtomicBool::new(false));
        let mut log = Log::new(&Pool::new(2, 1), 2);
        let reader = log.subscribe();
        let sleeper = thread::spawn({
            let asleep = asleep.clone();
            move || {
                asleep.store(true, Ordering::Relaxed);
                sync::atomic::fence(Ordering::SeqCst);
                // Whether it would sleep.
                !reader.ready()
            }
        });
        append(&mut log, 1);
        assert!(log.publish());
        sync::atomic::fence(Ordering::SeqCst);
        let woken = asleep.load(Ordering::Relaxed);
        assert!(!sleeper.join().expect("a reader") || woken, "asleep with octets to read");
    });
}
