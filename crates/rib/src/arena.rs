//! Octets of any length, by a handle of 32 bits.
//!
//! ```text
//!  page 0: │ 16 │ 96      │ 96      │ 104      │ 16 │ …        one bump pointer
//!  free lists, one a size class:  16 ─► 16 ─►   96 ─►         the link stands in the free octets
//! ```
//!
//! * **eight apart** a block begins at a multiple of eight octets, so a handle reaches 32 GiB.
//! * **one class**   a free block serves its own size class again and no other. What a class once needed
//!   it keeps: memory is that of the worst moment of each class, and nothing is ever moved.

/// Octets of a page.
const PAGE: usize = 1 << 20;
/// Octets of a unit.
const UNIT: usize = 8;
/// Units of a page.
const PAGE_UNITS: usize = PAGE / UNIT;
/// Up to here a class has one length, in steps of `UNIT`.
const EXACT_MAX: usize = 512;
/// The longest block: what an attribute entry can have, and no page is left half empty for it.
pub(crate) const BLOCK_MAX: usize = 1 << 18;

/// Where a block begins, in units; 0 is no block's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Handle(pub(crate) u32);

#[derive(Default)]
pub(crate) struct Arena {
    pages: Vec<Box<[u8]>>,
    /// Units of the last page that were given out.
    bumped: usize,
    /// The first free block of each class.
    free: Vec<Handle>,
}

/// The class of a length, and the units its blocks have.
fn class(len: usize) -> (usize, usize) {
    let exact = EXACT_MAX / UNIT;
    if len <= EXACT_MAX {
        let units = len.div_ceil(UNIT).max(1);
        return (units - 1, units);
    }
    // Four classes to a power of two: at most a fifth of a block is lost.
    let log2 = (len - 1).ilog2() as usize;
    let step = 1 << (log2 - 2);
    let quarter = (len - (1 << log2)).div_ceil(step);
    let first = EXACT_MAX.ilog2() as usize;
    (exact + (log2 - first) * 4 + quarter - 1, ((1 << log2) + quarter * step) / UNIT)
}

impl Arena {
    /// A block with these octets; `None` if handles have run out.
    pub(crate) fn insert(&mut self, parts: &[&[u8]]) -> Option<Handle> {
        let len = parts.iter().map(|part| part.len()).sum();
        assert!(len <= BLOCK_MAX, "a block of {len} octets, at most {BLOCK_MAX}");
        let handle = self.take(len)?;
        let mut room = self.room_mut(handle, len);
        for part in parts {
            let (here, rest) = room.split_at_mut(part.len());
            here.copy_from_slice(part);
            room = rest;
        }
        Some(handle)
    }

    /// The first `len` octets of a block.
    #[inline]
    pub(crate) fn get(&self, handle: Handle, len: usize) -> &[u8] {
        let unit = handle.0 as usize;
        let at = unit % PAGE_UNITS * UNIT;
        &self.pages[unit / PAGE_UNITS][at..at + len]
    }

    /// Gives back a block that was made with `len` octets.
    pub(crate) fn remove(&mut self, handle: Handle, len: usize) {
        let (class, _) = class(len);
        let next = self.free[class].0.to_le_bytes();
        self.room_mut(handle, next.len()).copy_from_slice(&next);
        self.free[class] = handle;
    }

    /// Octets of all pages.
    pub(crate) fn memory(&self) -> usize {
        self.pages.len() * PAGE + self.free.capacity() * size_of::<Handle>()
    }

    fn take(&mut self, len: usize) -> Option<Handle> {
        let (class, units) = class(len);
        if self.free.len() <= class {
            self.free.resize(class + 1, Handle::default());
        }
        let free = self.free[class];
        if free != Handle::default() {
            let link = self.get(free, 4).first_chunk().copied().unwrap_or_default();
            self.free[class] = Handle(u32::from_le_bytes(link));
            return Some(free);
        }
        if self.pages.is_empty() || self.bumped + units > PAGE_UNITS {
            u32::try_from((self.pages.len() + 1) * PAGE_UNITS).ok()?;
            // Unit 0 of all is nobody's, so that no handle is 0.
            self.bumped = usize::from(self.pages.is_empty());
            self.pages.push(vec![0; PAGE].into_boxed_slice());
        }
        let unit = (self.pages.len() - 1) * PAGE_UNITS + self.bumped;
        self.bumped += units;
        u32::try_from(unit).ok().map(Handle)
    }

    fn room_mut(&mut self, handle: Handle, len: usize) -> &mut [u8] {
        let unit = handle.0 as usize;
        let at = unit % PAGE_UNITS * UNIT;
        &mut self.pages[unit / PAGE_UNITS][at..at + len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_their_lengths_and_waste_little() {
        let mut last = (0, 0);
        for len in 0..=BLOCK_MAX {
            let (class, units) = class(len);
            let room = units * UNIT;
            assert!(room >= len.max(4), "{len} octets in {room}");
            let lost = room - len.max(1);
            assert!(lost < UNIT || lost * 5 <= room, "{len} octets in {room}");
            assert!(class == last.0 || class == last.0 + 1, "{len} octets: class {class} after {}", last.0);
            assert_eq!(class == last.0, units == last.1 || len == 0, "{len} octets: one length a class");
            last = (class, units);
        }
    }

    #[test]
    fn blocks_keep_their_octets_and_come_back() {
        let mut arena = Arena::default();
        let lens = [0, 1, 7, 8, 9, 100, 511, 512, 513, 4000, 70_000, BLOCK_MAX];
        let octets = |n: usize, len: usize| vec![u8::try_from(n % 251).unwrap_or(0); len];
        let mut blocks = Vec::new();
        for (n, len) in lens.iter().copied().cycle().take(200).enumerate() {
            blocks.push((arena.insert(&[&octets(n, len)]).expect("far from full"), n, len));
        }
        let full = arena.memory();
        for round in 0..3 {
            for (handle, n, len) in &mut blocks {
                assert_eq!(arena.get(*handle, *len), octets(*n, *len));
                if *n % 2 == round % 2 {
                    arena.remove(*handle, *len);
                    *n += 1000;
                    let (left, right) = (octets(*n, *len / 2), octets(*n, *len - *len / 2));
                    *handle = arena.insert(&[&left, &right]).expect("what was given back");
                }
            }
        }
        assert_eq!(arena.memory(), full, "free blocks are used again");
    }
}
