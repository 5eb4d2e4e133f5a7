//! Misbehaviour on purpose: how much may be read now, and when.
//!
//! * **pure** time comes in as an argument, as octets do.
//! * **slow** a bucket of tokens: it holds a twentieth of a second's octets, and is not dipped into before it is
//!   half full, so that a slow reader reads rarely and not one octet at a time.

use std::time::Duration;

/// What a bucket holds is what flows in within this part of a second.
const BURST: u64 = 20;

/// The ways in which a connection can be made to suffer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Habits {
    /// Octets a second.
    pub rate: Option<u64>,
    /// Reading stops once, behind so many octets.
    pub stall: Option<Stall>,
    /// The connection is closed behind so many octets.
    pub close: Option<Close>,
}

/// Reading stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stall {
    /// Behind so many octets.
    pub after: u64,
    /// For so long, or for ever.
    pub period: Option<Duration>,
}

/// The connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Close {
    /// Behind so many octets.
    pub after: u64,
    /// By a reset, and not in order.
    pub by_reset: bool,
}

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Read, at most so many octets.
    Read(usize),
    /// Wait until the bucket has filled.
    Wait(Duration),
    /// Wait for so long, or for ever: a stall.
    Stall(Option<Duration>),
    /// Close.
    Close {
        /// By a reset.
        by_reset: bool,
    },
}

/// One connection under [`Habits`].
pub struct Pace {
    habits: Habits,
    read: u64,
    /// Octets in the bucket, in nanoseconds times octets a second.
    tokens: u128,
    filled_at: Duration,
    /// A stall has begun and ends then.
    stalled_until: Option<Duration>,
    has_stalled: bool,
}

impl Pace {
    /// A connection that begins now.
    #[must_use]
    pub fn new(habits: Habits, now: Duration) -> Self {
        Self { habits, read: 0, tokens: 0, filled_at: now, stalled_until: None, has_stalled: false }
    }

    /// What is to be done now; at most `most` octets can be read at once.
    pub fn turn(&mut self, now: Duration, most: usize) -> Turn {
        let mut most = most as u64;
        if let Some(Close { after, by_reset }) = self.habits.close {
            match after.saturating_sub(self.read) {
                0 => return Turn::Close { by_reset },
                left => most = most.min(left),
            }
        }
        if let Some(Stall { after, period }) = self.habits.stall.filter(|_| !self.has_stalled) {
            match after.saturating_sub(self.read) {
                0 => {
                    let Some(period) = period else { return Turn::Stall(None) };
                    let until = *self.stalled_until.get_or_insert(now + period);
                    if now < until {
                        return Turn::Stall(Some(until - now));
                    }
                    self.has_stalled = true;
                }
                left => most = most.min(left),
            }
        }
        if let Some(rate) = self.habits.rate {
            let (rate, second) = (u128::from(rate.max(1)), Duration::from_secs(1).as_nanos());
            let burst = (rate / u128::from(BURST)).max(1) * second;
            let passed = now.saturating_sub(self.filled_at).as_nanos();
            self.tokens = (self.tokens + passed * rate).min(burst);
            self.filled_at = now;
            let enough = (burst / 2).max(second).min(u128::from(most) * second);
            if self.tokens < enough {
                let nanos = (enough - self.tokens).div_ceil(rate);
                return Turn::Wait(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
            }
            most = most.min(u64::try_from(self.tokens / second).unwrap_or(u64::MAX));
        }
        Turn::Read(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// So many octets have been read.
    pub fn read(&mut self, octets: usize) {
        self.read += octets as u64;
        self.tokens = self.tokens.saturating_sub(octets as u128 * Duration::from_secs(1).as_nanos());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100_000;

    /// Reads as much as it may for so many seconds, and says how much was read each second.
    fn life(habits: Habits, seconds: usize) -> Vec<usize> {
        let mut pace = Pace::new(habits, Duration::ZERO);
        let mut read = vec![0; seconds];
        let (mut now, end) = (Duration::ZERO, Duration::from_secs(seconds as u64));
        while now < end {
            match pace.turn(now, MOST) {
                Turn::Read(octets) => {
                    assert!((1..=MOST).contains(&octets));
                    read[usize::try_from(now.as_secs()).expect("few")] += octets;
                    pace.read(octets);
                    now += Duration::from_millis(1);
                }
                Turn::Wait(period) | Turn::Stall(Some(period)) => {
                    assert!(!period.is_zero());
                    now += period;
                }
                Turn::Stall(None) | Turn::Close { .. } => break,
            }
        }
        read
    }

    #[test]
    fn as_fast_as_asked() {
        for rate in [1, 7, 1000, 123_456, 50_000_000] {
            let read = life(Habits { rate: Some(rate), ..Habits::default() }, 20);
            let (all, expected) = (read.iter().sum::<usize>() as u64, rate * 20);
            assert!(all.abs_diff(expected) <= rate / BURST + rate / 5 + 1, "{rate}: {all} of {expected}");
        }
    }

    #[test]
    fn stalls_and_closes_at_the_octet() {
        let second = Some(Duration::from_secs(3));
        let stall = |period| Some(Stall { after: 250_000, period });
        let close = |after| Some(Close { after, by_reset: true });
        let rows = [
            (Habits { stall: stall(None), ..Habits::default() }, vec![250_000, 0, 0, 0, 0]),
            (Habits { close: close(120_000), ..Habits::default() }, vec![120_000, 0, 0, 0, 0]),
            (
                Habits { stall: stall(second), close: close(400_000), ..Habits::default() },
                vec![250_000, 0, 0, 150_000, 0],
            ),
        ];
        for (habits, expected) in rows {
            assert_eq!(life(habits.clone(), 5), expected, "{habits:?}");
        }
    }
}
