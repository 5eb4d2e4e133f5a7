//! The RIB: columns of paths, and what they share.
//!
//! ```text
//!  family ─► prefix table: key ◄─► id            shared by all peers and views
//!  attribute table:  octets ◄─► id, counted      shared by all
//!  column (one table of one peer and family):  prefix id ─► attribute id, stamp of the last change
//!      │
//!      └─ walk(since) ─► Route Monitoring messages: all that has changed since, packed by attributes
//! ```
//!
//! A path costs octets, not a struct: eight of them in a flat column, and its share of what is shared.
//!
//! * **exact**      a path gives back what it was announced with: key, payload, path id, every octet of
//!   its attributes and what stood behind its PDU.
//! * **current**    a walk tells the state of now, never one that was; a path that changes under it is
//!   told by the next walk, whose epoch is the one at which this one began.
//! * **owed**       a path that is gone leaves a tombstone until no server can be owed word of it
//!   ([`Rib::sweep`]); then nothing is left of it, nor of its prefix and attributes.
//! * **bounded**    paths ([`Settings::paths_max`]), tombstones ([`Settings::tombstones_max`]), walks
//!   that sort at the same time ([`WALKS_MAX`]), and the work of every call.
//!
//! Nothing here knows routers, peers or servers: who owns a column, and who is owed what, is told.
//!
//! ```
//! use rib::{Cursor, Epoch, Rib, Settings, Shared, Time, Walked};
//! use wire::{Family, bgp, bmp, nlri};
//!
//! let mut rib = Rib::new(Settings::default());
//! let column = rib.open(Family::IPV4_UNICAST, false)?;
//! let nlri = [24, 192, 0, 2, 24, 198, 51, 100];
//! let routes = nlri::Routes::check(Family::IPV4_UNICAST, nlri::Reading::default(), &nlri)?;
//! let origin = [0x40, 1, 1, 0];
//! rib.announce(column, routes, &Shared { block: &origin, trailing: &[], two_octet_as: false });
//!
//! let mut buffer = vec![0; 64 << 10];
//! let (mut cursor, mut work) = (Cursor::default(), usize::MAX);
//! let header = bmp::PeerHeader::default();
//! let told = rib.walk(column, Epoch::NOTHING, &mut cursor, &header, &mut buffer, &mut work);
//! assert!(matches!(told.walked, Walked::All));
//! let (frame, _) = bmp::Frame::split(&buffer[..told.len])?.expect("one message");
//! assert!(frame.to_string().contains("192.0.2.0/24 198.51.100.0/24"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod apply;
mod arena;
mod attributes;
mod chunked;
mod column;
mod epochs;
mod index;
mod prefixes;
mod sweep;
mod walk;

pub use apply::Applied;
pub use attributes::Shared;
pub use epochs::{Epoch, Time};
pub use walk::{Cursor, ROOM_MIN, Told, WALKS_MAX, Walked};

use std::collections::VecDeque;
use std::fmt;

use ahead::Ahead;
use attributes::Attributes;
use column::Column;
use epochs::Epochs;
use prefixes::Prefixes;
use sweep::Graves;
use walk::Scratches;
use wire::Family;

/// What a RIB is made with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Paths and tombstones of all columns together.
    pub paths_max: usize,
    /// Tombstones beyond which those go that a server is still owed, which is then told of its peer
    /// anew ([`Rib::can_tell`]).
    pub tombstones_max: usize,
    /// A column of fewer paths is never flat.
    pub flat_min: usize,
    /// Paths that a walk sorts at once: 8 octets each, and twice that while they are being chosen.
    /// Fewer mean more looks at the whole column, one for each so many of its paths.
    pub sorted_max: usize,
    /// Makes the clashes of hashes unforeseeable. Two RIBs with one seed do the same.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { paths_max: 1 << 30, tombstones_max: 1 << 22, flat_min: 1024, sorted_max: 128 << 10, seed: 0 }
    }
}

/// Ids, and counts of references, have 32 bits.
const PATHS_MAX: usize = u32::MAX as usize / 2;

/// Which column. Used again after [`Rib::close`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ColumnId(u32);

/// Why there is no column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unframed(pub Family);

impl fmt::Display for Unframed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "routes of {} cannot be told apart, so there is no table of them", self.0)
    }
}

impl std::error::Error for Unframed {}

/// Octets by what they are for. What allocators add is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Memory {
    /// Prefix tables.
    pub prefixes: usize,
    /// The attribute table.
    pub attributes: usize,
    /// Columns, those that are being cleared away included, and the list of tombstones.
    pub columns: usize,
    /// What walks sort in.
    pub walks: usize,
}

/// How much there is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// Paths that are there.
    pub paths: usize,
    /// Paths that are gone and remembered.
    pub tombstones: usize,
    /// Prefixes of all families.
    pub prefixes: usize,
    /// Blocks and payloads.
    pub attributes: usize,
    /// Columns that are open.
    pub columns: usize,
}

/// An open column.
struct Open {
    family: Family,
    add_path: bool,
    column: Column,
    /// Word of tombstones up to here may have been lost.
    lost: Epoch,
}

/// All routes of a shard.
pub struct Rib {
    settings: Settings,
    epochs: Epochs,
    /// By the index of the family.
    prefixes: Vec<Option<Box<Prefixes>>>,
    attributes: Attributes,
    columns: Vec<Option<Open>>,
    free: Vec<ColumnId>,
    /// Columns that were closed and whose paths still count.
    closed: VecDeque<(Family, Column)>,
    /// All tombstones, and some that are none any more.
    graves: Graves,
    /// Paths and tombstones of all columns, closed ones included.
    entries: usize,
    tombstones: usize,
    scratches: Scratches,
    ahead: Ahead,
}

impl Rib {
    /// An empty one.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = Settings {
            paths_max: settings.paths_max.min(PATHS_MAX),
            sorted_max: settings.sorted_max.max(1),
            ..settings
        };
        Self {
            settings,
            epochs: Epochs::new(),
            prefixes: Family::known().map(|_| None).collect(),
            attributes: Attributes::new(settings.seed),
            columns: Vec::new(),
            free: Vec::new(),
            closed: VecDeque::new(),
            graves: Graves::default(),
            entries: 0,
            tombstones: 0,
            scratches: Scratches::default(),
            ahead: Ahead::default(),
        }
    }

    /// How many paths and tombstones there may be from now on. Those that there are stay.
    pub fn set_paths_max(&mut self, paths_max: usize) {
        self.settings.paths_max = paths_max.min(PATHS_MAX);
    }

    /// A new column, whose routes have path ids or have none.
    ///
    /// # Errors
    /// A family whose routes nobody here can tell apart.
    pub fn open(&mut self, family: Family, add_path: bool) -> Result<ColumnId, Unframed> {
        let index = family.index().ok_or(Unframed(family))?;
        let seed = self.settings.seed;
        self.prefixes[index].get_or_insert_with(|| Box::new(Prefixes::new(seed)));
        let open = Open { family, add_path, column: Column::new(), lost: Epoch::NOTHING };
        let id = self.free.pop().unwrap_or_else(|| {
            self.columns.push(None);
            #[expect(clippy::cast_possible_truncation, reason = "far fewer columns than that")]
            let id = ColumnId((self.columns.len() - 1) as u32);
            id
        });
        self.columns[id.0 as usize] = Some(open);
        Ok(id)
    }

    /// The column is gone with all its paths. They are cleared away by [`Rib::sweep`]. Cursors that
    /// stand in it are of no use any more; what their walks sorted in is free.
    pub fn close(&mut self, id: ColumnId) {
        if let Some(open) = self.columns[id.0 as usize].take() {
            self.scratches.close(id);
            self.tombstones -= open.column.tombstones;
            self.closed.push_back((open.family, open.column));
            self.free.push(id);
        }
    }

    /// Ends the current epoch, if anything has changed in it: all changes so far are told to whoever
    /// has been told the epoch that is given, and none of those that follow. `now` is when those are.
    pub fn tick(&mut self, now: Time) -> Epoch {
        if let Some(by) = self.epochs.rebase() {
            self.columns.iter_mut().flatten().for_each(|open| open.column.rebase(by));
            self.graves.rebase(by);
        }
        self.epochs.tick(now)
    }

    /// A change of the caller's own: the epoch that it is in.
    pub fn stamp(&mut self) -> Epoch {
        let stamp = self.epochs.stamp();
        self.epochs.epoch(stamp)
    }

    /// Whether anything of a column has changed after an epoch.
    #[must_use]
    pub fn changed(&self, id: ColumnId, since: Epoch) -> bool {
        self.open_column(id).column.newest > self.epochs.told(since)
    }

    /// The paths of a column.
    #[must_use]
    pub fn paths(&self, id: ColumnId) -> usize {
        self.open_column(id).column.live
    }

    /// The family of a column, and whether its routes have path ids.
    #[must_use]
    pub fn family(&self, id: ColumnId) -> (Family, bool) {
        let open = self.open_column(id);
        (open.family, open.add_path)
    }

    /// How much there is.
    #[must_use]
    pub fn count(&self) -> Count {
        let columns = self.columns.iter().flatten();
        Count {
            paths: columns.clone().map(|open| open.column.live).sum(),
            tombstones: self.tombstones,
            prefixes: self.prefixes.iter().flatten().map(|prefixes| prefixes.len()).sum(),
            attributes: self.attributes.len(),
            columns: columns.count(),
        }
    }

    /// What it takes.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let open = self.columns.iter().flatten().map(|open| open.column.memory());
        let closed = self.closed.iter().map(|(_, column)| column.memory());
        Memory {
            prefixes: self.prefixes.iter().flatten().map(|prefixes| prefixes.memory()).sum(),
            attributes: self.attributes.memory(),
            columns: open.chain(closed).sum::<usize>() + self.graves.memory(),
            walks: self.scratches.memory(),
        }
    }

    fn open_column(&self, id: ColumnId) -> &Open {
        self.columns[id.0 as usize].as_ref().expect("a column that is open")
    }

    /// As if so many epochs had gone by.
    #[cfg(test)]
    fn age(&mut self, by: u64) {
        self.epochs.age(by);
    }
}

/// The prefix table of a family that has a column.
fn table(prefixes: &mut [Option<Box<Prefixes>>], family: Family) -> &mut Prefixes {
    family.index().and_then(|index| prefixes[index].as_deref_mut()).expect("made with the first column")
}

#[cfg(test)]
mod tests;
