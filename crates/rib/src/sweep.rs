//! What nobody refers to any more goes, a little at a time.
//!
//! * **closed columns** are taken apart piece by piece.
//! * **tombstones** go once no server can be owed their word: the caller knows the least epoch that
//!   anybody stands at, the *floor*. If there are more than [`Settings::tombstones_max`], they go anyway,
//!   and a server that was still owed them is told of the peer anew: see [`Rib::can_tell`].
//! * **flat columns** that have become all but empty become sparse.
//!
//! [`Settings::tombstones_max`]: crate::Settings::tombstones_max

use crate::column::{BLOCK, wants_sparse};
use crate::epochs::{Epoch, Stamp};
use crate::{ColumnId, Open, Rib, table};

/// A sweep of one column.
#[derive(Default)]
pub(crate) struct Pass {
    /// The block that comes next, and the stamp at which the pass began; `None` between passes.
    at: Option<(usize, Stamp)>,
    /// The oldest tombstone that was left standing.
    kept: Option<Stamp>,
    /// Word of tombstones up to here may have been lost.
    lost: Epoch,
}

impl Pass {
    /// Slots or stamps have got another meaning: the pass begins again, with what the column knows.
    pub(crate) fn restart(&mut self) {
        *self = Self { lost: self.lost, ..Self::default() };
    }
}

/// What burying a tombstone costs, where looking at one block costs one.
const BURIAL_WORK: usize = 2;

impl Rib {
    /// Clears away, for at most `work`; whether there is more to do. Nobody stands at an epoch before
    /// `floor`: of a walk that counts from an epoch that is this one, of one that counts from
    /// [`Epoch::NOTHING`] the one that [`Rib::tick`] gave when it began.
    pub fn sweep(&mut self, floor: Epoch, mut work: usize) -> bool {
        while work > 0 && self.clear_closed() {
            // A piece of a flat column has 16 blocks.
            work = work.saturating_sub(16 * BURIAL_WORK * 8);
        }
        let floor = self.epochs.told(floor);
        let mut seen = 0;
        while seen < self.columns.len() {
            if work == 0 {
                return true;
            }
            if self.sweep_at >= self.columns.len() {
                self.sweep_at = 0;
            }
            if !self.sweep_column(floor, &mut work) {
                self.sweep_at += 1;
                seen += 1;
            }
        }
        !self.closed.is_empty() || work == 0
    }

    /// Whether all that has changed in a column since an epoch can be told: word of paths that are gone
    /// may have been lost when there were too many. Whoever stands there needs the whole peer anew.
    ///
    /// Ask with the epoch that a walk counts from, and before each of its calls: what was lost in its
    /// midst may be older than the epoch at which it began.
    #[must_use]
    pub fn can_tell(&self, id: ColumnId, since: Epoch) -> bool {
        since == Epoch::NOTHING || since >= self.open_column(id).sweep.lost
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

    /// Sweeps on in the column whose turn it is; whether it has to go on there.
    fn sweep_column(&mut self, floor: Stamp, work: &mut usize) -> bool {
        let now = self.epochs.next_stamp();
        let crowded = self.tombstones > self.settings.tombstones_max;
        let Self { settings, epochs, prefixes, columns, entries, tombstones, sweep_at, .. } = self;
        let Some(Open { family, column, sweep, .. }) = &mut columns[*sweep_at] else { return false };
        let owed = if crowded { Stamp::MAX } else { floor };
        if sweep.at.is_none() && (column.tombstones == 0 || column.oldest_tombstone > owed) {
            return false;
        }
        let prefixes = table(prefixes, *family);
        let resumed = sweep.at.is_some();
        let (mut block, began) = sweep.at.unwrap_or((0, now));
        while let Some(at) = column.changed_block(block, 0) {
            if *work == 0 {
                sweep.at = Some((at, began));
                return true;
            }
            let mut gone = [0; BLOCK];
            let mut count = 0;
            column.changed(at, 0, |slot, attributes| {
                if attributes == 0 {
                    gone[count] = slot;
                    count += 1;
                }
            });
            for &slot in &gone[..count] {
                let path = column.get(slot);
                if path.stamp > owed {
                    sweep.kept = Some(sweep.kept.map_or(path.stamp, |kept| kept.min(path.stamp)));
                    continue;
                }
                if path.stamp > floor {
                    sweep.lost = sweep.lost.max(epochs.epoch(path.stamp));
                }
                column.bury(settings.seed, slot);
                prefixes.release(path.prefix);
                (*entries, *tombstones) = (*entries - 1, *tombstones - 1);
            }
            *work = work.saturating_sub(1 + count * BURIAL_WORK);
            block = at + 1;
        }
        // What was withdrawn since, where the pass had been already, is not older than the pass.
        column.oldest_tombstone = sweep.kept.take().unwrap_or(Stamp::MAX).min(began);
        sweep.at = None;
        let paths = column.live + column.tombstones;
        if column.is_flat() && wants_sparse(paths, prefixes.end() as usize, settings.flat_min) {
            column.reform(settings.seed);
        }
        // Where an earlier call had been, there is what may go by now.
        resumed && column.tombstones > 0 && column.oldest_tombstone <= owed
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
