//! One table of a peer: from prefix (and path id) to attributes and the stamp of the last change.
//!
//! ```text
//!  flat    slot = prefix id    │ attributes │ stamp │                     8 octets a slot
//!  sparse  index ─► slot       │ prefix │ path id │ attributes │ stamp │  16 octets, and the index
//!
//!  block of 256 slots ─► its newest stamp      a walk passes over what has not changed
//! ```
//!
//! * **flat or sparse** a column that has a third of the prefixes is flat; one with path ids never is.
//!   Flat it takes 8 octets a prefix of the family, sparse about 30 for each path it has.
//! * **tombstones**     a withdrawn path stays, without attributes, until nobody can be owed word of it.
//! * **summed up**      no slot of a block has a stamp newer than the block's, no block one newer than
//!   the column's.

use crate::attributes::AttributeId;
use crate::chunked::Chunked;
use crate::epochs::Stamp;
use crate::index::{self, Index, Tag};
use crate::prefixes::PrefixId;

/// Slots of a block.
pub(crate) const BLOCK: usize = 256;
/// Slots of a piece of a flat column: 32 KiB, which allocators have a size for.
const FLAT_CHUNK: usize = 4096;
/// A column becomes flat when it has one in so many of its family's prefixes...
const FLAT_ABOVE: usize = 3;
/// ...and sparse again when it has less than one in so many.
const FLAT_BELOW: usize = 9;

/// Whether a column of so many paths should be flat where its family has so many prefixes.
pub(crate) fn wants_flat(paths: usize, prefixes: usize, flat_min: usize) -> bool {
    paths >= flat_min && paths * FLAT_ABOVE >= prefixes
}

/// Whether a flat column should be sparse again.
pub(crate) fn wants_sparse(paths: usize, prefixes: usize, flat_min: usize) -> bool {
    paths < flat_min / 2 || paths * FLAT_BELOW < prefixes
}

/// A path, and where the walk finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) prefix: PrefixId,
    /// 0 in a column without path ids.
    pub(crate) path: u32,
    /// 0 for a tombstone.
    pub(crate) attributes: AttributeId,
    pub(crate) stamp: Stamp,
}

#[derive(Clone, Copy, Default)]
struct FlatSlot {
    attributes: AttributeId,
    /// 0 if there is no path and never was one.
    stamp: Stamp,
}

#[derive(Clone, Copy, Default)]
struct SparseSlot {
    prefix: PrefixId,
    path: u32,
    attributes: AttributeId,
    /// 0 if the slot is free; `path` is the next free one then.
    stamp: Stamp,
}

const _: () = assert!(size_of::<FlatSlot>() == 8 && size_of::<SparseSlot>() == 16);

enum Form {
    Flat { slots: Vec<Box<[FlatSlot]>> },
    Sparse { slots: Chunked<SparseSlot, BLOCK>, end: u32, free: u32, index: Index },
}

pub(crate) struct Column {
    form: Form,
    /// The newest stamp of each block.
    blocks: Vec<Stamp>,
    /// The newest of all.
    pub(crate) newest: Stamp,
    /// Paths that are there.
    pub(crate) live: usize,
    /// Paths that were withdrawn and whose word may still be owed.
    pub(crate) tombstones: usize,
    /// Counts the changes of form: slots mean something else after one.
    pub(crate) generation: u32,
}

/// What a change found.
pub(crate) enum Before {
    /// No path, nor a tombstone.
    Nothing,
    /// A path that is the same.
    Same,
    /// A path with these attributes; 0 for a tombstone.
    Was(AttributeId),
}

/// Mixes prefix and path id. Path ids come from outside, so the seed keeps clashes unforeseeable.
#[inline]
fn tag(seed: u64, prefix: PrefixId, path: u32) -> Tag {
    let mixed = (u128::from((u64::from(prefix) << 32 | u64::from(path)) ^ seed))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    let folded = mixed as u64 ^ (mixed >> 64) as u64;
    index::tag(folded)
}

impl Column {
    pub(crate) fn new() -> Self {
        Self {
            form: Form::Sparse { slots: Chunked::default(), end: 0, free: u32::MAX, index: Index::new(0) },
            blocks: Vec::new(),
            newest: 0,
            live: 0,
            tombstones: 0,
            generation: 0,
        }
    }

    pub(crate) fn is_flat(&self) -> bool {
        matches!(self.form, Form::Flat { .. })
    }

    /// The slot of a path.
    #[inline]
    pub(crate) fn find(&self, seed: u64, prefix: PrefixId, path: u32) -> Option<u32> {
        match &self.form {
            Form::Flat { slots } => {
                let chunk = slots.get(prefix as usize / FLAT_CHUNK)?;
                (chunk.get(prefix as usize % FLAT_CHUNK)?.stamp != 0).then_some(prefix)
            }
            Form::Sparse { slots, index, .. } => {
                let is_it = |id: u32| slots[id - 1].prefix == prefix && slots[id - 1].path == path;
                index.find(tag(seed, prefix, path), is_it).map(|id| id - 1)
            }
        }
    }

    /// The attributes of a path, if the prefix alone says where that is; 0 if not.
    #[inline]
    pub(crate) fn touch(&self, prefix: PrefixId) -> AttributeId {
        match &self.form {
            Form::Flat { slots } => {
                let chunk = slots.get(prefix as usize / FLAT_CHUNK);
                chunk
                    .and_then(|chunk| chunk.get(prefix as usize % FLAT_CHUNK))
                    .map_or(0, |slot| slot.attributes)
            }
            Form::Sparse { .. } => 0,
        }
    }

    /// The tombstone of a path, if there is one: its slot and its stamp.
    pub(crate) fn tombstone(&self, seed: u64, prefix: PrefixId, path: u32) -> Option<(u32, Stamp)> {
        let slot = self.find(seed, prefix, path)?;
        let found = self.get(slot);
        (found.attributes == 0).then_some((slot, found.stamp))
    }

    /// What stands in a slot.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Path {
        match &self.form {
            Form::Flat { slots } => {
                let FlatSlot { attributes, stamp } =
                    slots[slot as usize / FLAT_CHUNK][slot as usize % FLAT_CHUNK];
                Path { prefix: slot, path: 0, attributes, stamp }
            }
            Form::Sparse { slots, .. } => {
                let SparseSlot { prefix, path, attributes, stamp } = slots[slot];
                Path { prefix, path, attributes, stamp }
            }
        }
    }

    /// Gives a path its attributes, 0 if it is gone. Nobody has counted anything yet.
    #[inline]
    pub(crate) fn set(
        &mut self,
        seed: u64,
        (prefix, path): (PrefixId, u32),
        attributes: AttributeId,
        stamp: Stamp,
    ) -> Before {
        let (slot, before) = match &mut self.form {
            Form::Flat { slots } => {
                let chunk = prefix as usize / FLAT_CHUNK;
                if slots.get(chunk).is_none_or(|chunk| chunk.is_empty()) {
                    if attributes == 0 {
                        return Before::Nothing;
                    }
                    add_flat_chunk(slots, &mut self.blocks, chunk);
                }
                let slot = &mut slots[chunk][prefix as usize % FLAT_CHUNK];
                let before = *slot;
                if before.stamp == 0 && attributes == 0 {
                    return Before::Nothing;
                }
                if before.stamp != 0 && before.attributes == attributes {
                    return Before::Same;
                }
                *slot = FlatSlot { attributes, stamp };
                (prefix, if before.stamp == 0 { Before::Nothing } else { Before::Was(before.attributes) })
            }
            Form::Sparse { slots, end, free, index } => {
                let tag = tag(seed, prefix, path);
                let is_it = |id: u32| slots[id - 1].prefix == prefix && slots[id - 1].path == path;
                match index.find(tag, is_it) {
                    Some(id) => {
                        let slot = &mut slots[id - 1];
                        if slot.attributes == attributes {
                            return Before::Same;
                        }
                        let before = std::mem::replace(&mut slot.attributes, attributes);
                        slot.stamp = stamp;
                        (id - 1, Before::Was(before))
                    }
                    None if attributes == 0 => return Before::Nothing,
                    None => {
                        let slot = if *free == u32::MAX {
                            if slots.len() == *end as usize {
                                slots.grow();
                                self.blocks.push(0);
                            }
                            *end += 1;
                            *end - 1
                        } else {
                            std::mem::replace(free, slots[*free].path)
                        };
                        slots[slot] = SparseSlot { prefix, path, attributes, stamp };
                        index.insert(tag, slot + 1);
                        (slot, Before::Nothing)
                    }
                }
            }
        };
        self.blocks[slot as usize / BLOCK] = stamp;
        self.newest = stamp;
        match (&before, attributes) {
            (Before::Nothing, _) => self.live += 1,
            (Before::Was(0), _) => (self.live, self.tombstones) = (self.live + 1, self.tombstones - 1),
            (_, 0) => (self.live, self.tombstones) = (self.live - 1, self.tombstones + 1),
            _ => {}
        }
        before
    }

    /// Forgets a tombstone.
    pub(crate) fn bury(&mut self, seed: u64, slot: u32) {
        match &mut self.form {
            Form::Flat { slots } => {
                slots[slot as usize / FLAT_CHUNK][slot as usize % FLAT_CHUNK] = FlatSlot::default();
            }
            Form::Sparse { slots, free, index, .. } => {
                let SparseSlot { prefix, path, .. } = slots[slot];
                index.remove(tag(seed, prefix, path), slot + 1);
                slots[slot] = SparseSlot { path: *free, ..SparseSlot::default() };
                *free = slot;
            }
        }
        self.tombstones -= 1;
    }

    /// The first block from `at` on that has changed after `told`.
    #[inline]
    pub(crate) fn changed_block(&self, at: usize, told: Stamp) -> Option<usize> {
        self.blocks[at..].iter().position(|newest| *newest > told).map(|offset| at + offset)
    }

    /// Calls `each` with every path and tombstone of a block that has changed after `told`.
    #[inline]
    pub(crate) fn changed(&self, block: usize, told: Stamp, mut each: impl FnMut(u32, AttributeId)) {
        let first = block * BLOCK;
        #[expect(clippy::cast_possible_truncation, reason = "slots have 32 bits")]
        let slot = |at: usize| (first + at) as u32;
        match &self.form {
            Form::Flat { slots } => {
                let chunk = &slots[first / FLAT_CHUNK];
                if chunk.is_empty() {
                    return;
                }
                let at = first % FLAT_CHUNK;
                for (at, entry) in chunk[at..at + BLOCK].iter().enumerate() {
                    if entry.stamp > told {
                        each(slot(at), entry.attributes);
                    }
                }
            }
            Form::Sparse { slots, .. } => {
                for (at, entry) in slots.chunk(block).iter().enumerate() {
                    if entry.stamp > told {
                        each(slot(at), entry.attributes);
                    }
                }
            }
        }
    }

    /// The same paths in the other form.
    pub(crate) fn reform(&mut self, seed: u64) {
        let mut other = Self { generation: self.generation.wrapping_add(1), ..Self::new() };
        if !self.is_flat() {
            other.form = Form::Flat { slots: Vec::new() };
        }
        for block in 0..self.blocks.len() {
            self.changed(block, 0, |slot, attributes| {
                let Path { prefix, path, stamp, .. } = self.get(slot);
                // A tombstone has to be a path first.
                let first = if attributes == 0 { AttributeId::MAX } else { attributes };
                other.set(seed, (prefix, path), first, stamp);
                if attributes == 0 {
                    other.set(seed, (prefix, path), 0, stamp);
                }
            });
        }
        other.repair_blocks();
        *self = other;
    }

    /// The newest stamps of blocks and column, from their slots.
    fn repair_blocks(&mut self) {
        for block in 0..self.blocks.len() {
            let mut newest = 0;
            self.changed(block, 0, |slot, _| newest = newest.max(self.get(slot).stamp));
            self.blocks[block] = newest;
        }
        self.newest = self.blocks.iter().copied().max().unwrap_or(0);
    }

    /// Moves all stamps down; those that would fall below 1 become 1.
    pub(crate) fn rebase(&mut self, by: Stamp) {
        let down = |stamp: &mut Stamp| {
            if *stamp != 0 {
                *stamp = stamp.saturating_sub(by).max(1);
            }
        };
        match &mut self.form {
            Form::Flat { slots } => slots.iter_mut().flatten().for_each(|slot| down(&mut slot.stamp)),
            Form::Sparse { slots, end, .. } => (0..*end).for_each(|at| down(&mut slots[at].stamp)),
        }
        self.blocks.iter_mut().for_each(down);
        down(&mut self.newest);
    }

    /// Takes the last slots away and calls `each` with what stood there; `false` once none is left.
    pub(crate) fn tear_down(&mut self, mut each: impl FnMut(PrefixId, AttributeId)) -> bool {
        match &mut self.form {
            Form::Flat { slots } => {
                let Some(chunk) = slots.pop() else { return false };
                for (at, slot) in chunk.iter().enumerate().filter(|(_, slot)| slot.stamp != 0) {
                    #[expect(clippy::cast_possible_truncation, reason = "prefix ids have 32 bits")]
                    each((slots.len() * FLAT_CHUNK + at) as PrefixId, slot.attributes);
                }
            }
            Form::Sparse { slots, .. } => {
                let Some(chunk) = slots.shrink() else { return false };
                for slot in chunk.iter().filter(|slot| slot.stamp != 0) {
                    each(slot.prefix, slot.attributes);
                }
            }
        }
        true
    }

    /// Holds the column to what it says of itself.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let (mut live, mut tombstones) = (0, 0);
        for (block, newest) in self.blocks.iter().enumerate() {
            assert!(*newest <= self.newest, "block {block} is newer than its column");
            self.changed(block, 0, |slot, attributes| {
                let stamp = self.get(slot).stamp;
                assert!(stamp <= *newest, "slot {slot} is newer than its block");
                (live, tombstones) =
                    (live + usize::from(attributes != 0), tombstones + usize::from(attributes == 0));
            });
        }
        assert_eq!((live, tombstones), (self.live, self.tombstones));
        if let Form::Sparse { index, .. } = &self.form {
            assert_eq!(index.len(), live + tombstones, "what is indexed is there");
        }
    }

    pub(crate) fn memory(&self) -> usize {
        let form = match &self.form {
            Form::Flat { slots } => {
                let chunks = slots.iter().map(|chunk| chunk.len() * size_of::<FlatSlot>()).sum::<usize>();
                chunks + slots.capacity() * size_of::<Box<[FlatSlot]>>()
            }
            Form::Sparse { slots, index, .. } => slots.memory() + index.memory(),
        };
        size_of::<Self>() + form + self.blocks.capacity() * size_of::<Stamp>()
    }
}

/// Makes the piece with this number, and places for those in front of it.
#[cold]
fn add_flat_chunk(slots: &mut Vec<Box<[FlatSlot]>>, blocks: &mut Vec<Stamp>, chunk: usize) {
    if slots.len() <= chunk {
        slots.resize_with(chunk + 1, Box::default);
        blocks.resize((chunk + 1) * (FLAT_CHUNK / BLOCK), 0);
    }
    slots[chunk] = vec![FlatSlot::default(); FLAT_CHUNK].into_boxed_slice();
}
