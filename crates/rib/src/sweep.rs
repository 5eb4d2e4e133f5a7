//! What nobody refers to any more goes, a little at a time.
//!
//! ```text
//!  withdraw ─► graves: │ column, prefix, path id, stamp │ … in the order of their stamps ─► sweep
//! ```
//!
//! * **closed columns** are taken apart piece by piece.
//! * **tombstones** go once no server can be owed their word: the caller knows the least epoch that
//!   anybody stands at, the *floor*. If there are more than [`Settings::tombstones_max`], the oldest go
//!   anyway, and a server that was still owed them is told of the peer anew: see [`Rib::can_tell`].
//! * **graves** name all tombstones, the oldest first, so nobody looks for them. A path that came back
//!   leaves its grave behind; there are never many more graves than tombstones.
//! * **flat columns** that have become all but empty become sparse.
//!
//! [`Settings::tombstones_max`]: crate::Settings::tombstones_max

use std::collections::VecDeque;

use crate::column::wants_sparse;
use crate::epochs::{Epoch, Stamp};
use crate::prefixes::PrefixId;
use crate::{ColumnId, Open, Rib, table};

/// Where a tombstone was made.
pub(crate) struct Grave {
    pub(crate) column: ColumnId,
    pub(crate) prefix: PrefixId,
    pub(crate) path: u32,
    pub(crate) stamp: Stamp,
}

const _: () = assert!(size_of::<Grave>() == 16);

/// Graves without a tombstone that are left alone, beside as many as there are tombstones.
const EMPTY_GRAVES: usize = 1024;

/// Graves that are visited for each new one, if there are too many: half of those are empty then, so there
/// are soon fewer.
pub(crate) const VISITS: usize = 4;

/// All graves, the oldest first.
///
/// ```text
///  oldest │ visited: tombstones │ not visited since │ newest       visiting goes from left to right, a little
///         └─────── old ─────────┴────── new ────────┘              at a time, and begins again at the end
/// ```
#[derive(Default)]
pub(crate) struct Graves {
    old: VecDeque<Grave>,
    new: VecDeque<Grave>,
}

impl Graves {
    pub(crate) fn push(&mut self, grave: Grave) {
        self.new.push_back(grave);
    }

    fn front(&self) -> Option<&Grave> {
        self.old.front().or_else(|| self.new.front())
    }

    fn pop(&mut self) -> Option<Grave> {
        self.old.pop_front().or_else(|| self.new.pop_front())
    }

    fn len(&self) -> usize {
        self.old.len() + self.new.len()
    }

    /// Visits one more, which stays if there is a tombstone.
    fn visit(&mut self, is_there: impl FnOnce(&Grave) -> bool) {
        if self.new.is_empty() {
            std::mem::swap(&mut self.old, &mut self.new);
            self.old = VecDeque::new();
        }
        self.old.extend(self.new.pop_front().filter(is_there));
    }

    pub(crate) fn rebase(&mut self, by: Stamp) {
        for grave in self.old.iter_mut().chain(&mut self.new) {
            grave.stamp = grave.stamp.saturating_sub(by).max(1);
        }
    }

    pub(crate) fn memory(&self) -> usize {
        (self.old.capacity() + self.new.capacity()) * size_of::<Grave>()
    }
}

/// What letting go of a path costs, where telling one costs one: its prefix and its attributes are both far
/// away.
const PATH_WORK: usize = 2;

impl Rib {
    /// Clears away, for at most `work`; whether there is more to do. Nobody stands at an epoch before
    /// `floor`: of a walk that counts from an epoch that is this one, of one that counts from
    /// [`Epoch::NOTHING`] the one that [`Rib::tick`] gave when it began.
    pub fn sweep(&mut self, floor: Epoch, mut work: usize) -> bool {
        while work > 0
            && let Some(paths) = self.clear_closed()
        {
            work = work.saturating_sub(1 + paths * PATH_WORK);
        }
        let floor = self.epochs.told(floor);
        while let Some(grave) = self.graves.front() {
            let crowded = self.tombstones > self.settings.tombstones_max;
            if grave.stamp > floor && !crowded {
                break;
            }
            if work == 0 {
                return true;
            }
            work = work.saturating_sub(PATH_WORK);
            self.bury(floor, if crowded { Stamp::MAX } else { floor });
        }
        self.tidy_graves(work / PATH_WORK);
        !self.closed.is_empty()
    }

    /// Whether all that has changed in a column since an epoch can be told: word of paths that are gone
    /// may have been lost when there were too many. Whoever stands there needs the whole peer anew.
    ///
    /// Ask with the epoch that a walk counts from, and before each of its calls: what was lost in its
    /// midst may be older than the epoch at which it began.
    #[must_use]
    pub fn can_tell(&self, id: ColumnId, since: Epoch) -> bool {
        since == Epoch::NOTHING || since >= self.open_column(id).lost
    }

    /// Takes apart a piece of a closed column, if there is one; gives how many paths it had.
    fn clear_closed(&mut self) -> Option<usize> {
        let Self { prefixes, attributes, closed, entries, .. } = self;
        let (family, column) = closed.front_mut()?;
        let prefixes = table(prefixes, *family);
        let before = *entries;
        let more = column.tear_down(|prefix, held| {
            *entries -= 1;
            prefixes.release(prefix);
            if held != 0 {
                attributes.release(held);
            }
        });
        if !more {
            closed.pop_front();
        }
        Some(before - *entries)
    }

    /// Removes the oldest grave, and the tombstone that stands there if it is not newer than `owed`. That
    /// of another path, which has the place by now, may go as well.
    fn bury(&mut self, floor: Stamp, owed: Stamp) {
        let Self { settings, epochs, prefixes, columns, graves, entries, tombstones, .. } = self;
        let Some(Grave { column, prefix, path, .. }) = graves.pop() else { return };
        let Some(Open { family, column, lost, .. }) = &mut columns[column.0 as usize] else { return };
        let Some((slot, stamp)) = column.tombstone(settings.seed, prefix, path) else { return };
        if stamp > owed {
            return;
        }
        if stamp > floor {
            *lost = epochs.epoch(stamp).max(*lost);
        }
        let prefixes = table(prefixes, *family);
        column.bury(settings.seed, slot);
        prefixes.release(prefix);
        (*entries, *tombstones) = (*entries - 1, *tombstones - 1);
        let paths = column.live + column.tombstones;
        if column.is_flat() && wants_sparse(paths, prefixes.end() as usize, settings.flat_min) {
            column.reform(settings.seed);
        }
    }

    /// Visits so many graves, as long as too many are without a tombstone.
    pub(crate) fn tidy_graves(&mut self, visits: usize) {
        let Self { settings, columns, graves, tombstones, .. } = self;
        for _ in 0..visits {
            if graves.len() <= 2 * *tombstones + EMPTY_GRAVES {
                return;
            }
            graves.visit(|Grave { column, prefix, path, stamp }| {
                let open = columns[column.0 as usize].as_ref();
                let found = open.and_then(|open| open.column.tombstone(settings.seed, *prefix, *path));
                found.is_some_and(|(_, found)| found == *stamp)
            });
        }
    }

    /// Sweeps until nothing is left to be cleared away.
    pub fn sweep_all(&mut self, floor: Epoch) {
        while self.sweep(floor, usize::MAX) {}
    }
}
