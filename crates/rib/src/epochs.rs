//! Epochs, and when they were.
//!
//! ```text
//!  epoch    2      3      4      5 …          a tick closes one, if anything changed in it
//!  stamps   1 1 1  2      –      4 4          what a path has of it: 32 bits, counted from `base`
//!  ring     (2, 10:00:00) (3, 10:00:07) …     at most RING_MAX; thinned out where it is old
//! ```
//!
//! * **only grows** an epoch is 64 bits and never used again. Stamps are 32; when they run out, all of
//!   them move down and the oldest become one, which can only make a catch-up say more than it must.
//! * **none is nothing** a tick never gives [`Epoch::NOTHING`]: whoever has walked was told something,
//!   though it was before the first change.
//! * **never late** the time of a stamp is at or before the change that it stands for, and by no more
//!   than a thirty-second of its age. One that nobody can say is 0, as BMP has it.

/// A moment: microseconds since 1970, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

/// Grows with the changes of a RIB. A server that was told everything up to an epoch is owed what
/// changed after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Before all changes: whoever stands here has been told nothing.
    pub const NOTHING: Self = Self(0);
}

/// What a path has of an epoch. 0 is older than all.
pub(crate) type Stamp = u32;

/// How many moments are remembered.
const RING_MAX: usize = 4096;
/// A moment is left out if that makes no time wrong by more than one part of its age in so many.
const AGE_PARTS: u64 = 32;

pub(crate) struct Epochs {
    /// The one in which changes are made.
    current: Epoch,
    /// Whether there were any.
    used: bool,
    /// The epoch whose stamp would be 0.
    base: u64,
    /// Epochs by the time at which they began, both growing.
    ring: Vec<(Epoch, Time)>,
    /// Whether stamps have moved down: what was 1 since then stands for many epochs.
    moved: bool,
}

impl Epochs {
    pub(crate) fn new() -> Self {
        Self { current: Epoch(2), used: false, base: 1, ring: Vec::new(), moved: false }
    }

    /// Everything so far is in the epoch that is given, or before; what follows is not. A clock that
    /// goes back is taken to stand still.
    pub(crate) fn tick(&mut self, now: Time) -> Epoch {
        if self.used {
            self.used = false;
            self.current.0 += 1;
        }
        match self.ring.last_mut() {
            Some((epoch, time)) if *epoch == self.current => *time = now.max(*time),
            Some((_, time)) if now <= *time => {}
            _ => self.remember(now),
        }
        Epoch(self.current.0 - 1)
    }

    fn remember(&mut self, now: Time) {
        if self.ring.len() == RING_MAX {
            self.thin(now);
        }
        self.ring.push((self.current, now));
    }

    /// Leaves out what is near enough to its neighbours, seen from now. Of three moments in a row that
    /// stay, the first is older than the third by a part in `AGE_PARTS`: less than 3000 stay, whatever
    /// the times, and the next pass is at least 1000 ticks away.
    #[cold]
    fn thin(&mut self, now: Time) {
        let mut kept = 0;
        for at in 1..self.ring.len() {
            let before = self.ring[kept].1.0;
            let near = self.ring.get(at + 1).is_some_and(|(_, Time(behind))| {
                behind - before <= now.0.saturating_sub(*behind) / AGE_PARTS
            });
            if !near {
                kept += 1;
                self.ring[kept] = self.ring[at];
            }
        }
        self.ring.truncate(kept + 1);
    }

    /// The stamp of a change that is made now.
    #[inline]
    pub(crate) fn stamp(&mut self) -> Stamp {
        self.used = true;
        #[expect(clippy::cast_possible_truncation, reason = "rebase keeps it below 2^32")]
        let stamp = (self.current.0 - self.base) as Stamp;
        stamp
    }

    /// The newest stamp that somebody who stands at an epoch has been told of.
    #[inline]
    pub(crate) fn told(&self, since: Epoch) -> Stamp {
        Stamp::try_from(since.0.saturating_sub(self.base)).unwrap_or(Stamp::MAX)
    }

    /// The epoch of a stamp.
    pub(crate) fn epoch(&self, stamp: Stamp) -> Epoch {
        Epoch(self.base + u64::from(stamp))
    }

    /// When a stamp was current, or a little before.
    pub(crate) fn time(&self, stamp: Stamp) -> Time {
        if self.moved && stamp == 1 {
            return Time::default();
        }
        let epoch = self.epoch(stamp);
        let behind = self.ring.partition_point(|(began, _)| *began <= epoch);
        behind.checked_sub(1).map_or(Time::default(), |at| self.ring[at].1)
    }

    /// By how much all stamps must move down, if they have run out.
    pub(crate) fn rebase(&mut self) -> Option<Stamp> {
        let stamp = self.current.0 - self.base;
        let by = Stamp::MAX / 2;
        (stamp >= u64::from(Stamp::MAX - 1)).then(|| {
            self.base += u64::from(by);
            self.moved = true;
            by
        })
    }

    /// The stamp that the next change will have.
    #[cfg(test)]
    pub(crate) fn next_stamp(&self) -> Stamp {
        Stamp::try_from(self.current.0 - self.base).unwrap_or(Stamp::MAX)
    }

    /// As if so many epochs had gone by.
    #[cfg(test)]
    pub(crate) fn age(&mut self, by: u64) {
        self.current.0 += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_without_changes_is_none() {
        let mut epochs = Epochs::new();
        assert_eq!(epochs.tick(Time(5)), Epoch(1));
        assert_eq!(epochs.stamp(), 1);
        assert_eq!(epochs.tick(Time(6)), Epoch(2));
        assert_eq!(epochs.tick(Time(7)), Epoch(2));
        assert_eq!(epochs.stamp(), 2);
        assert_eq!([1, 2].map(|stamp| epochs.time(stamp)), [Time(5), Time(7)]);
    }

    #[test]
    fn what_nobody_knows_is_no_time() {
        let mut epochs = Epochs::new();
        assert_eq!(epochs.stamp(), 1);
        epochs.tick(Time(100));
        assert_eq!(epochs.stamp(), 2);
        assert_eq!([1, 2].map(|stamp| epochs.time(stamp)), [Time(0), Time(100)], "before the first tick");
        epochs.age(u64::from(Stamp::MAX) - 3);
        assert_eq!(epochs.rebase(), Some(Stamp::MAX / 2));
        assert_eq!(epochs.time(1), Time(0), "older than the base");
        assert_eq!(epochs.rebase(), None);
        epochs.tick(Time(200));
        let stamp = epochs.stamp();
        assert_eq!(epochs.time(stamp), Time(200));
    }

    /// Times of which none is late or far off, whatever the pace: steady, in bursts, ever slower.
    #[test]
    fn times_are_near_and_never_late() {
        let paces: [fn(u64) -> u64; 4] = [
            |_| 1_000_000,
            |tick| if tick % 1000 < 990 { 1 } else { 60_000_000 },
            |tick| 1 + tick / 7,
            |tick| 1 << (tick / 3000),
        ];
        for (row, pace) in paces.iter().enumerate() {
            let mut epochs = Epochs::new();
            let ticks: u32 = 100_000;
            let mut times = vec![0];
            for tick in 1..=ticks {
                let now = times[tick as usize - 1] + pace(tick.into());
                times.push(now);
                epochs.tick(Time(now));
                assert_eq!(epochs.stamp(), tick);
                assert!(epochs.ring.len() <= RING_MAX);
            }
            let now = times[ticks as usize];
            for tick in 1..=ticks {
                let (told, was) = (epochs.time(tick).0, times[tick as usize]);
                assert!(told <= was, "pace {row}, {tick}: {told} and not {was}");
                let (off, age) = (was - told, now - was);
                assert!(off <= age / AGE_PARTS, "pace {row}, {tick}: {off} off at an age of {age}");
            }
        }
    }

    /// The worst row of times there is: each gap as large as what is allowed, from a microsecond on.
    #[test]
    fn a_thinned_ring_has_room() {
        let mut times = vec![u64::MAX - 1];
        let mut age = 1_u64;
        while let Some(next) =
            age.checked_add((age / (2 * AGE_PARTS)).max(1)).filter(|age| *age < u64::MAX / 2)
        {
            times.push(u64::MAX - next);
            age = next;
        }
        times.reverse();
        let mut epochs = Epochs::new();
        for &time in &times {
            epochs.tick(Time(time));
            epochs.stamp();
        }
        epochs.thin(Time(u64::MAX));
        assert!(epochs.ring.len() < 3000, "{} of {}", epochs.ring.len(), times.len());
    }
}
