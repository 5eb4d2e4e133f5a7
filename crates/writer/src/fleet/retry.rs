//! How long to wait before the next attempt: longer each time, and not all at once.

use std::time::Duration;

use super::Settings;

/// A session's attempts that came to nothing since it was last live.
#[derive(Clone, Copy, Default)]
pub(super) struct Retry {
    failures: u32,
}

impl Retry {
    /// How long to wait now: the least time, doubled with each failure before, and up to a quarter more,
    /// so that a thousand sessions of one server that came back do not come at once; never more than the
    /// longest time.
    pub(super) fn next(&mut self, settings: &Settings, spread: &mut Spread) -> Duration {
        let doubled = settings.retry_min.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let most = settings.retry_max.max(settings.retry_min);
        let step = doubled.min(most);
        step.saturating_add(spread.up_to(step / 4)).min(most)
    }

    /// It went well: the next failure is the first.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Where the spread of back-offs comes from: `SplitMix64`, which is enough to keep sessions apart.
pub(super) struct Spread(pub(super) u64);

impl Spread {
    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 32 bits of it are a share of `most`.
        most.mul_f64(f64::from((mixed >> 32) as u32) / f64::from(u32::MAX))
    }
}
