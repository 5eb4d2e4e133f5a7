//! The engine's clock: what the machine calls the time, and never going back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rib::Time;

/// Read by several threads, which agree.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    /// What the time was then, in microseconds since 1970: later than it was if the machine has been put forward.
    base: AtomicU64,
}

impl Clock {
    /// One that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now(), base: AtomicU64::new(wall()) }
    }

    /// Now. Where the machine was put back, we go on as before; where it was put forward, so are we.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = micros(self.began.elapsed());
        let base = wall().saturating_sub(elapsed);
        Time(self.base.fetch_max(base, Ordering::Relaxed).max(base) + elapsed)
    }

    /// How long it has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.began.elapsed()
    }
}

fn wall() -> u64 {
    micros(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// A duration in microseconds.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
