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

impl Grave {
    pub(crate) fn rebase(&mut self, by: Stamp) {
        self.stamp = self.stamp.saturating_sub(by).max(1);
    }
}

/// Graves without a tombstone that are left alone, beside as many as there are tombstones.
const EMPTY_GRAVES: usize = 1024;

/// What a grave costs, and what a piece of a closed column does.
const GRAVE_WORK: usize = 2;
const PIECE_WORK: usize = 256;

impl Rib {
    /// Clears away, for at most `work`; whether there is more to do. Nobody stands at an epoch before
    /// `floor`: of a walk that counts from an epoch that is this one, of one that counts from
    /// [`Epoch::NOTHING`] the one that [`Rib::tick`] gave when it began.
    pub fn sweep(&mut self, floor: Epoch, mut work: usize) -> bool {
        while work > 0 && self.clear_closed() {
            work = work.saturating_sub(PIECE_WORK);
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
            work = work.saturating_sub(GRAVE_WORK);
            self.visit(floor, if crowded { Stamp::MAX } else { floor });
        }
        self.tidy_graves();
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

    /// Takes apart a piece of a closed column; whether there was one.
    fn clear_closed(&mut self) -> bool {
        let Self { prefixes, attributes, closed, entries, .. } = self;
        let Some((family, column)) = closed.front_mut() else { return false };
        let prefixes = table(prefixes, *family);
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
        true
    }

    /// Removes the oldest grave, and the tombstone that stands there if it is not newer than `owed`. That
    /// of another path, which has the place by now, may go as well.
    fn visit(&mut self, floor: Stamp, owed: Stamp) {
        let Self { settings, epochs, prefixes, columns, graves, entries, tombstones, .. } = self;
        let Some(Grave { column, prefix, path, .. }) = graves.pop_front() else { return };
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

    /// Removes the graves without a tombstone, if there are many.
    pub(crate) fn tidy_graves(&mut self) {
        if self.graves.len() <= 2 * self.tombstones + EMPTY_GRAVES {
            return;
        }
        let Self { settings, columns, graves, .. } = self;
        graves.retain(|grave| {
            let open = columns[grave.column.0 as usize].as_ref();
            let found = open.and_then(|open| open.column.tombstone(settings.seed, grave.prefix, grave.path));
            found.is_some_and(|(_, stamp)| stamp == grave.stamp)
        });
        if graves.len() * 4 < graves.capacity() {
            graves.shrink_to(graves.len() * 2);
        }
    }

    /// Sweeps until nothing is left to be cleared away.
    pub fn sweep_all(&mut self, floor: Epoch) {
        while self.sweep(floor, usize::MAX) {}
    }
}

impl ColumnId {
    /// Dense: for tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
