//! What an UPDATE does to a column.
//!
//! A path costs up to six lines of memory that are not in a cache: the bucket and the slot of its
//! prefix, its place in the column, the count of the attributes it had, and for new ones a bucket and
//! a place of their own. They depend on each other within a route and not between routes, so routes go
//! through in stages, `STAGE` at a time, and the machine waits for many lines at once.

use std::hint::black_box;

use wire::nlri::{Entry, PathId, Routes};

use crate::attributes::{FIELD_MAX, Shared};
use crate::column::{Before, Column, wants_flat};
use crate::prefixes::Prefixes;
use crate::sweep::Grave;
use crate::{ColumnId, Open, Rib, table};

/// Routes that go through the stages together.
const STAGE: usize = 16;

/// What became of routes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Applied {
    /// They were new, or are otherwise than before.
    pub changed: usize,
    /// They were there as they are, or were not there to be withdrawn.
    pub same: usize,
    /// There was no room for them: the table lacks them, or still has what they were.
    pub refused: usize,
}

impl Rib {
    /// The routes are there, with these attributes.
    ///
    /// # Panics
    /// If they are of another family than the column, or have path ids and the column none: a bug in
    /// the caller.
    pub fn announce(&mut self, id: ColumnId, mut routes: Routes<'_>, shared: &Shared<'_>) -> Applied {
        let Self { settings, epochs, prefixes, attributes, columns, entries, tombstones, ahead, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_mut().expect("an open column");
        assert_eq!(*family, routes.family(), "routes of the column's family");
        let prefixes = table(prefixes, *family);
        let mut applied = Applied::default();
        let fits = shared.block.len() <= FIELD_MAX && shared.trailing.len() <= FIELD_MAX;
        let Some(block) = fits.then(|| attributes.hold_block(shared)).flatten() else {
            applied.refused = routes.len();
            return applied;
        };
        let (stamp, seed) = (epochs.stamp(), settings.seed);
        let tombstones_before = column.tombstones;
        let far = ahead.left < routes.len();
        ahead.left = ahead.left.saturating_sub(routes.len());
        while !routes.is_empty() {
            if far {
                warm(prefixes, column, &routes);
            }
            for entry in routes.by_ref().take(STAGE) {
                let (key, payload) = (entry.key(), entry.payload());
                let path = path_id(entry, *add_path);
                let Some(prefix) = prefixes.intern(prefixes.tag(&key), &key) else {
                    applied.refused += 1;
                    continue;
                };
                let full = *entries >= settings.paths_max && column.find(seed, prefix, path).is_none();
                let held = match (full, payload.is_empty()) {
                    (true, _) => None,
                    (_, true) => {
                        attributes.hold(block);
                        Some(block)
                    }
                    _ => attributes.hold_payload(block, &payload),
                };
                let Some(held) = held else {
                    prefixes.drop_unheld(prefix);
                    applied.refused += 1;
                    continue;
                };
                match column.set(seed, (prefix, path), held, stamp) {
                    Before::Same => {
                        attributes.release(held);
                        applied.same += 1;
                        continue;
                    }
                    Before::Nothing => {
                        prefixes.hold(prefix);
                        *entries += 1;
                    }
                    Before::Was(0) => {}
                    Before::Was(before) => attributes.release(before),
                }
                applied.changed += 1;
            }
        }
        attributes.release(block);
        *tombstones = *tombstones + column.tombstones - tombstones_before;
        if !*add_path
            && !column.is_flat()
            && wants_flat(column.live, prefixes.end() as usize, settings.flat_min)
        {
            column.reform(seed);
        }
        applied
    }

    /// The routes are gone.
    ///
    /// # Panics
    /// As [`Rib::announce`].
    pub fn withdraw(&mut self, id: ColumnId, mut routes: Routes<'_>) -> Applied {
        let Self { settings, epochs, prefixes, attributes, columns, tombstones, graves, ahead, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_mut().expect("an open column");
        assert_eq!(*family, routes.family(), "routes of the column's family");
        let prefixes = table(prefixes, *family);
        let (stamp, seed) = (epochs.stamp(), settings.seed);
        let tombstones_before = column.tombstones;
        let mut applied = Applied::default();
        let far = ahead.left < routes.len();
        ahead.left = ahead.left.saturating_sub(routes.len());
        while !routes.is_empty() {
            if far {
                warm(prefixes, column, &routes);
            }
            for entry in routes.by_ref().take(STAGE) {
                let path = path_id(entry, *add_path);
                let key = entry.key();
                let prefix = prefixes.find(prefixes.tag(&key), &key);
                match prefix.map(|prefix| column.set(seed, (prefix, path), 0, stamp)) {
                    Some(Before::Was(before)) => {
                        attributes.release(before);
                        graves.push_back(Grave {
                            column: id,
                            prefix: prefix.unwrap_or_default(),
                            path,
                            stamp,
                        });
                        applied.changed += 1;
                    }
                    _ => applied.same += 1,
                }
            }
        }
        *tombstones = *tombstones + column.tombstones - tombstones_before;
        self.tidy_graves();
        applied
    }
}

/// Looks at what the next routes will need, all of it before any of it is needed.
#[inline]
fn warm(prefixes: &Prefixes, column: &Column, routes: &Routes<'_>) {
    if routes.len() > 1 {
        let next = || (*routes).take(STAGE).map(|entry| entry.key());
        black_box(next().fold(0, |sum, key| sum ^ prefixes.touch(prefixes.tag(&key))));
        let find = |key: wire::nlri::Piece<'_>| prefixes.find(prefixes.tag(&key), &key);
        black_box(next().filter_map(find).fold(0, |sum, prefix| sum ^ column.touch(prefix)));
    }
}

/// The path id of an entry as a column keeps it.
#[inline]
fn path_id(entry: Entry<'_>, add_path: bool) -> u32 {
    assert_eq!(entry.path_id().is_some(), add_path, "path ids as the column has them");
    entry.path_id().map_or(0, |PathId(id)| id)
}
