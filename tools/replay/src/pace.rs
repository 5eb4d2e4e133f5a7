//! When a record is due.
//!
//! ```text
//!  record   first ────────── record                 first record taken: now is `begun`
//!  clock    begun ── (record - first) / speed ──► due
//! ```
//!
//! * **no drift**  each due time counts from the beginning, so being late once does not make all that follows late.
//! * **sleep, then look** the kernel wakes us some tens of microseconds late: the last [`SPIN_US`] are spent looking
//!   at the clock.
//! * **interrupted** no sleep is longer than [`SLEEP_US`], so that who wants to leave can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The end of a wait that is not slept through, in microseconds.
pub(crate) const SPIN_US: u64 = 300;
/// The longest sleep, in microseconds.
pub(crate) const SLEEP_US: u64 = 50_000;

/// How fast, by the times of the records.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Speed {
    /// As fast as it can.
    Max,
    /// So many times as fast as it was.
    Times(f64),
}

/// What time it is, in microseconds.
pub(crate) trait Clock {
    fn now(&mut self) -> u64;
    fn sleep(&mut self, micros: u64);
}

/// The machine's.
pub(crate) struct Machine(pub(crate) Instant);

impl Clock for Machine {
    fn now(&mut self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sleep(&mut self, micros: u64) {
        std::thread::sleep(Duration::from_micros(micros));
    }
}

/// When records are due.
pub(crate) struct Pace {
    speed: Speed,
    rate: Option<f64>,
    /// When the first record came, by the clock, and its own time.
    begun: Option<(u64, u64)>,
    records: u64,
}

impl Pace {
    pub(crate) fn new(speed: Speed, rate: Option<f64>) -> Self {
        Self { speed, rate, begun: None, records: 0 }
    }

    /// Whether there is nothing to wait for, ever.
    pub(crate) fn is_free(&self) -> bool {
        self.speed == Speed::Max && self.rate.is_none()
    }

    /// When a record of this time is due.
    pub(crate) fn due(&mut self, clock: &mut impl Clock, record: u64) -> u64 {
        let (begun, first) = *self.begun.get_or_insert_with(|| (clock.now(), record));
        let by_time = match self.speed {
            Speed::Max => 0,
            // Older than the first: at once.
            Speed::Times(times) => scaled(record.saturating_sub(first), 1.0 / times),
        };
        let by_rate = self.rate.map_or(0, |rate| scaled(self.records, 1e6 / rate));
        self.records += 1;
        begun.saturating_add(by_time.max(by_rate))
    }

    /// The files begin anew: so do their times.
    pub(crate) fn again(&mut self) {
        (self.begun, self.records) = (None, 0);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "microseconds of any span of time that there is, and never below 0"
)]
fn scaled(number: u64, by: f64) -> u64 {
    (number as f64 * by) as u64
}

/// Waits until something is due, or until `stop`.
pub(crate) fn wait(clock: &mut impl Clock, due: u64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match due.saturating_sub(clock.now()) {
            0 => return,
            left if left > SPIN_US => clock.sleep((left - SPIN_US).min(SLEEP_US)),
            _ => std::hint::spin_loop(),
        }
    }
}

/// How late things left.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Late {
    /// The most, in microseconds.
    pub(crate) max_us: u64,
    /// How many waits there were, and how many of them ended more than a millisecond late.
    pub(crate) count: u64,
    pub(crate) over: u64,
}

impl Late {
    pub(crate) fn add(&mut self, late_us: u64) {
        self.count += 1;
        self.max_us = self.max_us.max(late_us);
        self.over += u64::from(late_us > 1000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that goes on by a microsecond when it is looked at, and sleeps too long.
    struct Fake {
        now: u64,
        oversleeps: u64,
        slept: u64,
    }

    impl Clock for Fake {
        fn now(&mut self) -> u64 {
            self.now += 1;
            self.now
        }

        fn sleep(&mut self, micros: u64) {
            assert!(micros <= SLEEP_US, "{micros}");
            self.slept += micros;
            self.now += micros + self.oversleeps;
        }
    }

    /// Times of records, and how long after the first each leaves.
    fn replay(speed: Speed, rate: Option<f64>, oversleeps: u64, times: &[u64]) -> (Vec<u64>, u64) {
        let mut clock = Fake { now: 1_000_000, oversleeps, slept: 0 };
        let mut pace = Pace::new(speed, rate);
        let mut left = Vec::new();
        let mut first = None;
        for time in times {
            let due = pace.due(&mut clock, *time);
            wait(&mut clock, due, &AtomicBool::new(false));
            let begun = *first.get_or_insert(due);
            assert!(clock.now >= due, "before its time");
            // What is due in the past leaves at once, that is: now.
            left.push(clock.now.max(due) - begun);
        }
        (left, clock.slept)
    }

    #[test]
    fn leaves_on_time() {
        let times = [500, 1500, 250_500, 250_500, 250_400, 2_000_500];
        let rows: &[(Speed, Option<f64>, [u64; 6])] = &[
            (Speed::Max, None, [0, 0, 0, 0, 0, 0]),
            (Speed::Times(1.0), None, [0, 1000, 250_000, 250_000, 250_000, 2_000_000]),
            (Speed::Times(10.0), None, [0, 100, 25_000, 25_000, 25_000, 200_000]),
            (Speed::Times(0.5), None, [0, 2000, 500_000, 500_000, 500_000, 4_000_000]),
            (Speed::Max, Some(1000.0), [0, 1000, 2000, 3000, 4000, 5000]),
            (Speed::Times(1.0), Some(100.0), [0, 10_000, 250_000, 250_000, 250_000, 2_000_000]),
        ];
        for oversleeps in [0, 60, SPIN_US - 1] {
            for (speed, rate, expected) in rows {
                let (left, _) = replay(*speed, *rate, oversleeps, &times);
                for (left, expected) in left.iter().zip(expected) {
                    let late = left.checked_sub(*expected);
                    // Each look at the clock is a microsecond.
                    assert!(late.is_some_and(|late| late < 20), "{speed:?} {rate:?} {left} {expected}");
                }
            }
        }
    }

    #[test]
    fn sleeps_nearly_all_of_it() {
        let (_, slept) = replay(Speed::Times(1.0), None, 0, &[0, 1_000_000]);
        let looks = 1_000_000 / SLEEP_US + 1;
        assert_eq!(slept, 1_000_000 - SPIN_US - looks, "a microsecond for each look at the clock");
    }

    #[test]
    fn stops() {
        let mut clock = Fake { now: 0, oversleeps: 0, slept: 0 };
        wait(&mut clock, u64::MAX, &AtomicBool::new(true));
        assert_eq!(clock.slept, 0);
    }
}
