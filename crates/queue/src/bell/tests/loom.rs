//! Every schedule, and every value that a load may return: a wake-up that is lost is a deadlock, which loom
//! reports. All work is told by relaxed loads and stores, so that nothing but the bell orders them.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p heliograph-queue --release --lib loom`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize as Count, Ordering};

use loom::model::Builder;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::super::Bell;

/// What ringers and sleeper share: who has worked is a bit. Wake-ups are counted where loom does not look.
struct Room {
    work: AtomicUsize,
    bell: Bell<Box<dyn Fn() + Send + Sync>>,
    wakes: Arc<Count>,
}

impl Room {
    /// The sleeper is this thread, and parks.
    fn new() -> Arc<Self> {
        let (wakes, sleeper) = (Arc::new(Count::new(0)), thread::current());
        let count = wakes.clone();
        let wake = move || {
            count.fetch_add(1, Ordering::Relaxed);
            sleeper.unpark();
        };
        Arc::new(Self { work: AtomicUsize::new(0), bell: Bell::new(Box::new(wake)), wakes })
    }

    /// A thread that does so many pieces of work, and rings after each.
    fn ringer(self: &Arc<Self>, bits: &'static [usize]) -> thread::JoinHandle<()> {
        let room = self.clone();
        thread::spawn(move || {
            for bit in bits {
                room.work.fetch_or(*bit, Ordering::Relaxed);
                room.bell.ring();
            }
        })
    }

    /// Sleeps until all that work has been seen. For so many sleeps time is up before anybody rings.
    fn sleep_until(&self, wanted: usize, mut timeouts: usize) {
        let mut sleeps = 0;
        loop {
            self.bell.lie_down();
            sleeps += 1;
            let seen = self.work.load(Ordering::Relaxed) == wanted;
            match (seen, timeouts) {
                (true, _) => {}
                (false, 0) => thread::park(),
                (false, _) => timeouts -= 1,
            }
            self.bell.get_up();
            if seen {
                break;
            }
        }
        let wakes = self.wakes.load(Ordering::Relaxed);
        assert!(wakes <= sleeps, "{wakes} wake-ups in {sleeps} sleeps");
    }
}

/// Tries all schedules with at most so many switches that nobody asked for; says how many.
fn model(name: &str, preemptions: Option<usize>, run: impl Fn() + Sync + Send + 'static) {
    let schedules = Arc::new(Count::new(0));
    let count = schedules.clone();
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        run();
    });
    println!("{name}: {} schedules", schedules.load(Ordering::Relaxed));
}

fn sleep_and_ring(
    name: &str,
    preemptions: Option<usize>,
    ringers: &'static [&'static [usize]],
    timeouts: usize,
) {
    model(name, preemptions, move || {
        let room = Room::new();
        let threads: Vec<_> = ringers.iter().map(|bits| room.ringer(bits)).collect();
        room.sleep_until(ringers.iter().flat_map(|bits| *bits).sum(), timeouts);
        for ringer in threads {
            ringer.join().expect("it only rings");
        }
    });
}

#[test]
fn no_wake_up_is_lost() {
    sleep_and_ring("one ring", None, &[&[1]], 0);
    sleep_and_ring("two rings of one", None, &[&[1, 2]], 0);
}

#[test]
fn no_wake_up_is_lost_between_two() {
    sleep_and_ring("two ringers", Some(3), &[&[1], &[2]], 0);
}

/// Getting up by itself meets a ring that has seen it asleep: the next sleep finds the work or is woken.
#[test]
fn a_time_out_meets_a_ring() {
    sleep_and_ring("one ring, one time-out", None, &[&[1]], 1);
    sleep_and_ring("two rings, one time-out", None, &[&[1, 2]], 1);
    sleep_and_ring("two ringers, one time-out", Some(3), &[&[1], &[2]], 1);
}

/// Of any number that ring into one sleep, one wakes; who is not asleep is not woken.
#[test]
fn once_for_each_sleep() {
    model("one sleep", None, || {
        let wakes = Arc::new(Count::new(0));
        let count = wakes.clone();
        let wake = Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed));
        let room = Arc::new(Room { work: AtomicUsize::new(0), bell: Bell::new(wake), wakes });
        room.bell.lie_down();
        let threads = [room.ringer(&[1]), room.ringer(&[2])];
        for ringer in threads {
            ringer.join().expect("it only rings");
        }
        assert_eq!(room.wakes.load(Ordering::Relaxed), 1);
        room.ringer(&[4]).join().expect("it only rings");
        assert_eq!(room.wakes.load(Ordering::Relaxed), 1, "nobody sleeps");
    });
}
