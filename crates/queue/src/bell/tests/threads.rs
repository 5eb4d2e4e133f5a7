//! A bell by hand, and as it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::super::Bell;

#[test]
fn by_hand() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = wakes.clone();
    let bell = Bell::new(move || _ = count.fetch_add(1, Ordering::Relaxed));
    // l: lies down, g: gets up, r: somebody rings.
    let rows =
        [("rrr", 0), ("lr", 1), ("lrrr", 1), ("lgr", 0), ("llr", 1), ("lrglr", 2), ("lrgr", 1), ("lrlr", 2)];
    for (doings, wanted) in rows {
        for doing in doings.chars() {
            match doing {
                'l' => bell.lie_down(),
                'g' => bell.get_up(),
                _ => bell.ring(),
            }
        }
        bell.get_up();
        assert_eq!(wakes.swap(0, Ordering::Relaxed), wanted, "{doings}");
    }
}

/// Some threads ring for each piece of work; one sleeps between them, now and then with a time-out. It gets
/// all, and is woken no more often than it slept.
#[test]
fn many_ring_for_one() {
    const RINGERS: usize = 3;
    const WORK: usize = 20_000;
    let (work, wakes, sleeper) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), thread::current());
    let count = wakes.clone();
    let bell = Arc::new(Bell::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        sleeper.unpark();
    }));
    let ringers: Vec<_> = (0..RINGERS)
        .map(|_| {
            let (work, bell) = (work.clone(), bell.clone());
            thread::spawn(move || {
                for _ in 0..WORK {
                    work.fetch_add(1, Ordering::Relaxed);
                    bell.ring();
                }
            })
        })
        .collect();
    let (mut done, mut sleeps) = (0, 0);
    while done < RINGERS * WORK {
        bell.lie_down();
        sleeps += 1;
        match work.load(Ordering::Relaxed) {
            seen if seen > done => done = seen,
            _ if sleeps % 2 == 0 => thread::park_timeout(Duration::from_micros(1)),
            _ => thread::park(),
        }
        bell.get_up();
    }
    for ringer in ringers {
        ringer.join().expect("it only rings");
    }
    let wakes = wakes.load(Ordering::Relaxed);
    assert!(wakes <= sleeps, "{wakes} wake-ups in {sleeps} sleeps");
}
