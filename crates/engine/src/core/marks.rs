//! What has gone through a log by when: marks at places of it.
//!
//! ```text
//!   the log   ├────────┼──┼┼┼──────┼────┼┼┼┼┼┤ end
//!   marks     coarse: a second apart    fine: a millisecond apart, and always one at the end
//! ```
//!
//! * **at the end**  the last mark is exact: who has read all is told exact numbers. Who is behind is told those
//!   of the mark before its place, and how long ago what it reads next was published.
//! * **where one falls**  what had been counted at the end of a segment is exact as well, for a reader only falls
//!   off there.
//! * **bounded**     [`FINE_MAX`] and [`COARSE_MAX`] marks, [`ENDS_MAX`] ends. A place older than all is as old as
//!   the oldest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rib::Time;
use wire::bmp::Kind;

/// Messages by type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts([u64; 8]);

/// The place of all types that have none of their own.
const OTHERS: usize = 7;

impl Counts {
    /// One message more, of which this is the beginning.
    #[inline]
    pub fn count(&mut self, message: &[u8]) {
        let kind = message.get(5).map_or(OTHERS, |kind| usize::from(*kind));
        self.0[kind.min(OTHERS)] += 1;
    }

    /// All messages of some octets, which are whole ones.
    pub fn count_all(&mut self, mut octets: &[u8]) {
        while let Some(&[_, a, b, c, d, _]) = octets.first_chunk() {
            self.count(octets);
            let len = u32::from_be_bytes([a, b, c, d]) as usize;
            octets = octets.get(len.max(6)..).unwrap_or_default();
        }
    }

    /// How many of a type.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.0[usize::from(kind.0).min(OTHERS)]
    }

    /// How many of types that have no place of their own.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.0[OTHERS]
    }

    /// More by these.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }

    /// What has come since.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut counts = *self;
        counts.0.iter_mut().zip(before.0).for_each(|(count, before)| *count = count.saturating_sub(before));
        counts
    }
}

/// Marks a millisecond apart.
const FINE_MAX: usize = 256;
const FINE_MICROS: u64 = 1_000;
/// Marks a second apart.
const COARSE_MAX: usize = 512;
const COARSE_MICROS: u64 = 1_000_000;

/// Ends of segments: 4 GiB of a log.
const ENDS_MAX: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Mark {
    position: u64,
    time: Time,
    counts: Counts,
}

/// The marks of one log.
#[derive(Debug, Default)]
pub(super) struct Marks {
    coarse: VecDeque<Mark>,
    fine: VecDeque<Mark>,
    /// Where segments ended, and what had been counted there.
    ends: VecDeque<(u64, Counts)>,
    shared: Arc<Published>,
}

impl Marks {
    /// The log has been published up to here.
    pub(super) fn publish(&mut self, position: u64, time: Time, counts: &Counts) {
        let mark = Mark { position, time, counts: *counts };
        let len = self.fine.len();
        if len >= 2 && time.0 < self.fine[len - 2].time.0 + FINE_MICROS {
            // What it says of the time of its first octets stays true: the mark before it says when.
            self.fine[len - 1] = mark;
        } else {
            if len == FINE_MAX
                && let Some(old) = self.fine.pop_front()
            {
                let last = self.coarse.back().map_or(0, |last| last.time.0);
                if old.time.0 >= last + COARSE_MICROS {
                    if self.coarse.len() == COARSE_MAX {
                        self.coarse.pop_front();
                    }
                    self.coarse.push_back(old);
                }
            }
            self.fine.push_back(mark);
        }
        self.shared.publish(position, time);
    }

    /// A segment of the log ends here.
    #[cold]
    pub(super) fn end(&mut self, position: u64, counts: &Counts) {
        if self.ends.len() == ENDS_MAX {
            self.ends.pop_front();
        }
        self.ends.push_back((position, *counts));
    }

    /// What had been counted when the log ended here, or a little before.
    pub(super) fn counts(&self, position: u64) -> Counts {
        if let Ok(at) = self.ends.binary_search_by_key(&position, |end| end.0) {
            return self.ends[at].1;
        }
        let at = |marks: &VecDeque<Mark>| {
            let next = marks.partition_point(|mark| mark.position <= position);
            next.checked_sub(1).map(|at| marks[at].counts)
        };
        at(&self.fine).or_else(|| at(&self.coarse)).unwrap_or_default()
    }

    /// When what stands behind a place was published; `None` if nothing stands there.
    pub(super) fn published(&self, position: u64) -> Option<Time> {
        let at = |marks: &VecDeque<Mark>| {
            let next = marks.partition_point(|mark| mark.position <= position);
            (next, marks.get(next).map(|mark| mark.time))
        };
        match at(&self.fine) {
            // It may be older than all of these.
            (0, time) => at(&self.coarse).1.or(time),
            (_, time) => time,
        }
    }

    /// The same for other threads.
    pub(super) fn shared(&self) -> &Arc<Published> {
        &self.shared
    }
}

/// When a log was published up to where: written by the one who does, read by anybody, without locks.
#[derive(Debug)]
pub struct Published {
    /// Each publication, of the last few.
    fine: Recent,
    /// One in a while: half a minute of them.
    coarse: Recent,
    /// When the last of those was.
    coarse_at: AtomicU64,
}

/// Marks of a ring.
const RECENT: usize = 256;
/// How far apart those are of which there is one in a while.
const WHILE_MICROS: u64 = 100_000;

impl Default for Published {
    fn default() -> Self {
        Self { fine: Recent::new(), coarse: Recent::new(), coarse_at: AtomicU64::new(0) }
    }
}

impl Published {
    fn publish(&self, position: u64, time: Time) {
        self.fine.push(position, time);
        if time.0 >= self.coarse_at.load(Ordering::Relaxed) + WHILE_MICROS {
            self.coarse_at.store(time.0, Ordering::Relaxed);
            self.coarse.push(position, time);
        }
    }

    /// When what stands behind a place was published; a little later than that where it was long ago, and the
    /// oldest time that is known where it was longer ago than that. `None` if nothing stands there.
    #[must_use]
    pub fn when(&self, position: u64) -> Option<Time> {
        match self.fine.when(position)? {
            (time, true) => Some(time),
            (time, false) => Some(self.coarse.when(position).map_or(time, |(coarse, _)| coarse.min(time))),
        }
    }
}

/// The last marks there were.
#[derive(Debug)]
struct Recent {
    /// Marks that were ever written.
    tail: AtomicU64,
    slots: [(AtomicU64, AtomicU64); RECENT],
}

impl Recent {
    fn new() -> Self {
        Self { tail: AtomicU64::new(0), slots: [const { (AtomicU64::new(0), AtomicU64::new(0)) }; RECENT] }
    }

    fn push(&self, position: u64, time: Time) {
        let tail = self.tail.load(Ordering::Relaxed);
        let (at, when) = &self.slots[slot(tail)];
        at.store(position, Ordering::Relaxed);
        when.store(time.0, Ordering::Relaxed);
        self.tail.store(tail + 1, Ordering::Release);
    }

    /// The time of the first mark behind a place, and whether there was one in front of that, so that it is the
    /// very one.
    fn when(&self, position: u64) -> Option<(Time, bool)> {
        let tail = self.tail.load(Ordering::Acquire);
        // The slot of the next mark may be on its way to being written.
        let oldest = (tail + 1).saturating_sub(RECENT as u64);
        let mut found = None;
        let mut exact = oldest == 0;
        for number in (oldest..tail).rev() {
            let (at, when) = &self.slots[slot(number)];
            if at.load(Ordering::Relaxed) <= position {
                exact = true;
                break;
            }
            found = Some((number, when.load(Ordering::Relaxed)));
        }
        let (number, time) = found?;
        // What was overwritten meanwhile says nothing.
        let now = self.tail.load(Ordering::Acquire);
        (now < number + RECENT as u64).then_some((Time(time), exact))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than RECENT")]
fn slot(number: u64) -> usize {
    (number % RECENT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_by_type() {
        let message = |kind: u8, len: usize| {
            let mut message = vec![0; len];
            message[0] = 3;
            message[1..5].copy_from_slice(&u32::try_from(len).unwrap().to_be_bytes());
            message[5] = kind;
            message
        };
        let mut counts = Counts::default();
        counts.count_all(&[message(0, 6), message(3, 90), message(0, 48), message(100, 7)].concat());
        assert_eq!((counts.of(Kind::ROUTE_MONITORING), counts.of(Kind::PEER_UP), counts.others()), (2, 1, 1));
        let mut more = counts;
        more.add(&counts);
        assert_eq!(more.since(&counts), counts);
    }

    /// Beside a list of all that was ever published.
    #[test]
    fn marks_agree_with_a_list_of_all() {
        let mut marks = Marks::default();
        let mut all: Vec<(u64, u64, u64)> = Vec::new();
        let (mut position, mut time, mut messages) = (0_u64, 1_000_000, Counts::default());
        let mut dice = ::tests::Rng::new(7, 0);
        for _ in 0..20_000 {
            position += 1 + dice.below(5000) as u64;
            time += [10, 200, 1_500, 90_000][dice.below(4)];
            messages.count(&[3, 0, 0, 0, 6, 0]);
            marks.publish(position, Time(time), &messages);
            all.push((position, time, messages.of(Kind::ROUTE_MONITORING)));
            // At the end everything is exact.
            assert_eq!(marks.counts(position), messages);
            assert_eq!(marks.published(position), None);
            // Somewhere behind, it is off by no more than the marks are apart.
            let behind = position.saturating_sub(dice.below(2_000_000) as u64);
            let at = all.partition_point(|(position, ..)| *position <= behind);
            let (_, exact, count) = all[at.min(all.len() - 1)];
            if at < all.len() && exact + 300_000_000 > time {
                let found = marks.published(behind).unwrap().0;
                assert!(found.abs_diff(exact) <= COARSE_MICROS + 90_000, "{found} for {exact}");
                let counted = marks.counts(behind).of(Kind::ROUTE_MONITORING);
                assert!(counted < count, "{counted} messages of {count}");
            }
            // For who measures, to a tenth of a second, and less than it was where it was long ago.
            let found = marks.shared().when(behind).map(|found| found.0);
            assert_eq!(found.is_some(), at < all.len());
            if let Some(found) = found {
                assert!(found >= exact, "{found} for {exact}");
                let close = found - exact <= WHILE_MICROS + 90_000;
                assert!(close || exact + 20_000_000 < time, "{found} for {exact}");
                assert!(
                    found == exact || all.len() - at >= RECENT - 1,
                    "{found} for {exact}, which is recent"
                );
            }
        }
        assert!(marks.fine.len() <= FINE_MAX && marks.coarse.len() <= COARSE_MAX);
        assert!(marks.coarse.len() > COARSE_MAX / 2, "time enough for many coarse marks");
    }
}
