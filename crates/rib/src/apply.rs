//! What an UPDATE does to a column.
//!
//! A path costs up to eight lines of memory that are in no cache. Who knows what comes next says so
//! beforehand ([`Rib::expect`]); what nobody has expected is looked at here, as far as it is not alone.

use wire::nlri::{Entry, PathId, Routes};

use crate::ahead::EXPECTED_MAX;
use crate::attributes::{AttributeId, FIELD_MAX, Shared};
use crate::column::{Before, wants_flat};
use crate::epochs::Stamp;
use crate::sweep::{Grave, VISITS};
use crate::{ColumnId, Open, Rib, table};

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
        let mut applied = Applied::default();
        let fits = shared.block.len() <= FIELD_MAX && shared.trailing.len() <= FIELD_MAX;
        let Some(block) = fits.then(|| self.attributes.hold_block(shared)).flatten() else {
            applied.refused = routes.len();
            return applied;
        };
        let stamp = self.epochs.stamp();
        let expected = self.were_expected(&routes);
        while !routes.is_empty() {
            if !expected {
                self.look_at(id, &routes);
            }
            self.announce_some(id, &mut routes, block, stamp, &mut applied);
        }
        self.attributes.release(block);
        let Self { settings, prefixes, columns, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_mut().expect("an open column");
        let all = table(prefixes, *family).end() as usize;
        if !*add_path && !column.is_flat() && wants_flat(column.live, all, settings.flat_min) {
            column.reform(settings.seed);
        }
        applied
    }

    /// The next routes of these, with this block, which the caller holds.
    fn announce_some(
        &mut self,
        id: ColumnId,
        routes: &mut Routes<'_>,
        block: AttributeId,
        stamp: Stamp,
        applied: &mut Applied,
    ) {
        let Self { settings, prefixes, attributes, columns, entries, tombstones, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_mut().expect("an open column");
        assert_eq!(*family, routes.family(), "routes of the column's family");
        let (prefixes, seed) = (table(prefixes, *family), settings.seed);
        let tombstones_before = column.tombstones;
        for entry in routes.take(EXPECTED_MAX) {
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
        *tombstones = *tombstones + column.tombstones - tombstones_before;
    }

    /// The routes are gone.
    ///
    /// # Panics
    /// As [`Rib::announce`].
    pub fn withdraw(&mut self, id: ColumnId, mut routes: Routes<'_>) -> Applied {
        let mut applied = Applied::default();
        let stamp = self.epochs.stamp();
        let expected = self.were_expected(&routes);
        while !routes.is_empty() {
            if !expected {
                self.look_at(id, &routes);
            }
            self.withdraw_some(id, &mut routes, stamp, &mut applied);
        }
        self.tidy_graves(applied.changed * VISITS);
        applied
    }

    /// The next routes of these.
    fn withdraw_some(&mut self, id: ColumnId, routes: &mut Routes<'_>, stamp: Stamp, applied: &mut Applied) {
        let Self { settings, prefixes, attributes, columns, tombstones, graves, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_mut().expect("an open column");
        assert_eq!(*family, routes.family(), "routes of the column's family");
        let prefixes = table(prefixes, *family);
        let tombstones_before = column.tombstones;
        for entry in routes.take(EXPECTED_MAX) {
            let path = path_id(entry, *add_path);
            let key = entry.key();
            let prefix = prefixes.find(prefixes.tag(&key), &key).unwrap_or(0);
            // No column has a path of the prefix that is nobody's.
            match column.set(settings.seed, (prefix, path), 0, stamp) {
                Before::Was(before) => {
                    attributes.release(before);
                    graves.push(Grave { column: id, prefix, path, stamp });
                    applied.changed += 1;
                }
                Before::Nothing | Before::Same => applied.same += 1,
            }
        }
        *tombstones = *tombstones + column.tombstones - tombstones_before;
    }
}

/// The path id of an entry as a column keeps it.
#[inline]
fn path_id(entry: Entry<'_>, add_path: bool) -> u32 {
    assert_eq!(entry.path_id().is_some(), add_path, "path ids as the column has them");
    entry.path_id().map_or(0, |PathId(id)| id)
}
