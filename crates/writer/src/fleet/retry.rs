//! How long to wait before the next attempt: longer each time, and not all at once.

use std::time::Duration;

use super::Settings;
use crate::dice::Dice;

/// A session's attempts that came to nothing since it was last live.
#[derive(Clone, Copy, Default)]
pub(super) struct Retry {
    failures: u32,
}

impl Retry {
    /// How long to wait now: the least time, doubled with each failure before, and up to a quarter more,
    /// so that a thousand sessions of one server that came back do not come at once; never more than the
    /// longest time.
    pub(super) fn next(&mut self, settings: &Settings, dice: &mut Dice) -> Duration {
        let doubled = settings.retry_min.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let most = settings.retry_max.max(settings.retry_min);
        let step = doubled.min(most);
        step.saturating_add(up_to(dice, step / 4)).min(most)
    }

    /// It went well: the next failure is the first.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A time from nothing to `most`.
fn up_to(dice: &mut Dice, most: Duration) -> Duration {
    // 32 bits are a share of `most`.
    most.mul_f64(f64::from((dice.next() >> 32) as u32) / f64::from(u32::MAX))
}
