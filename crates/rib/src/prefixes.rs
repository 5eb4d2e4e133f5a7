//! The route keys of one family, by dense ids that all peers and views share.
//!
//! ```text
//!  key ─tag──► index ─► id ─► slot: │ length, key of up to 7 octets      │ references │
//!                                   │ 255, handle ─► length, longer key  │ references │
//!                                   │ 254, next free id                  │ 0          │
//! ```
//!
//! * **counted** every path and every tombstone of a column holds its prefix; one that nobody holds is
//!   gone, and its id is used again.
//! * **inline**  an IPv4 prefix stands in its slot: finding it costs two lines of memory, the bucket
//!   and the slot.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::arena::{Arena, Handle};
use crate::chunked::Chunked;
use crate::index::{Index, Tag, tag};

/// A prefix of one family. 0 is nobody's.
pub(crate) type PrefixId = u32;

/// Octets of a key that stand in the slot.
const INLINE: usize = 7;
const LONG: u8 = 255;
const FREE: u8 = 254;
/// Slots of a piece of the table.
const CHUNK: usize = 4096;

#[derive(Clone, Copy, Default)]
struct Slot {
    key: [u8; 8],
    references: u32,
}

const _: () = assert!(size_of::<Slot>() == 12);

pub(crate) struct Prefixes {
    slots: Chunked<Slot, CHUNK>,
    /// One more than the highest id ever given.
    end: PrefixId,
    /// The first free id.
    free: PrefixId,
    count: usize,
    index: Index,
    long: Arena,
    hasher: FixedState,
}

/// A key out of its slot.
pub(crate) enum Key<'a> {
    Short([u8; 8]),
    Long(&'a [u8]),
}

impl std::ops::Deref for Key<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(slot) => &slot[1..=usize::from(slot[0]) & 7],
            Self::Long(key) => key,
        }
    }
}

impl Prefixes {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Chunked::default(),
            end: 1,
            free: 0,
            count: 0,
            index: Index::new(6),
            long: Arena::default(),
            hasher: FixedState::with_seed(seed),
        }
    }

    #[inline]
    pub(crate) fn tag(&self, key: &[u8]) -> Tag {
        let mut hasher = self.hasher.build_hasher();
        match short(key) {
            // One multiplication instead of a loop: nine keys in ten.
            Some(slot) => hasher.write_u64(u64::from_le_bytes(slot)),
            None => hasher.write(key),
        }
        tag(hasher.finish())
    }

    /// Where a search begins; see [`Index::touch`].
    #[inline]
    pub(crate) fn touch(&self, tag: Tag) -> u64 {
        self.index.touch(tag)
    }

    /// Looks at a slot; see [`Index::touch`].
    #[inline]
    pub(crate) fn touch_slot(&self, id: PrefixId) -> u32 {
        self.slots[id].references
    }

    #[inline]
    pub(crate) fn find(&self, tag: Tag, key: &[u8]) -> Option<PrefixId> {
        if let Some(key) = short(key) {
            return self.find_short(tag, &key);
        }
        self.index.find(tag, |id| self.slots[id].key[0] == LONG && *self.key(id) == *key)
    }

    #[inline]
    pub(crate) fn find_short(&self, tag: Tag, key: &[u8; 8]) -> Option<PrefixId> {
        self.index.find(tag, |id| self.slots[id].key == *key)
    }

    /// The id of a key, which may be new and is then held by nobody; `None` if ids have run out.
    #[inline]
    pub(crate) fn intern(&mut self, tag: Tag, key: &[u8]) -> Option<PrefixId> {
        match self.find(tag, key) {
            Some(id) => Some(id),
            None => self.insert(tag, key),
        }
    }

    fn insert(&mut self, tag: Tag, key: &[u8]) -> Option<PrefixId> {
        if self.free == 0 && self.end == PrefixId::MAX {
            return None;
        }
        let slot = match short(key) {
            Some(slot) => slot,
            None => {
                let len = u32::try_from(key.len()).ok()?.to_le_bytes();
                link(LONG, self.long.insert(&[&len, key])?.0)
            }
        };
        let id = self.slots.claim(&mut self.free, &mut self.end, |free| linked(free.key));
        self.slots[id] = Slot { key: slot, references: 0 };
        self.index.insert(tag, id);
        self.count += 1;
        Some(id)
    }

    #[inline]
    pub(crate) fn key(&self, id: PrefixId) -> Key<'_> {
        let slot = self.slots[id].key;
        if slot[0] != LONG {
            return Key::Short(slot);
        }
        let handle = Handle(linked(slot));
        let len = self.long.get(handle, 4).first_chunk().copied().map_or(0, u32::from_le_bytes) as usize;
        Key::Long(&self.long.get(handle, 4 + len)[4..])
    }

    /// One more entry of a column stands for this prefix.
    #[inline]
    pub(crate) fn hold(&mut self, id: PrefixId) {
        self.slots[id].references += 1;
    }

    /// One less does. With the last one the prefix goes.
    #[inline]
    pub(crate) fn release(&mut self, id: PrefixId) {
        self.slots[id].references -= 1;
        self.drop_unheld(id);
    }

    /// Lets go of a prefix that was interned and that nobody came to hold.
    #[inline]
    pub(crate) fn drop_unheld(&mut self, id: PrefixId) {
        if self.slots[id].references == 0 {
            self.forget(id);
        }
    }

    #[cold]
    fn forget(&mut self, id: PrefixId) {
        let tag = self.tag(&self.key(id));
        self.index.remove(tag, id);
        let slot = self.slots[id].key;
        if slot[0] == LONG {
            let len = self.key(id).len();
            self.long.remove(Handle(linked(slot)), 4 + len);
        }
        self.slots[id].key = link(FREE, self.free);
        self.free = id;
        self.count -= 1;
    }

    /// One more than the highest id there has been: how long a flat column is.
    pub(crate) fn end(&self) -> PrefixId {
        self.end
    }

    /// As if all ids were given.
    #[cfg(test)]
    pub(crate) fn run_out(&mut self) {
        self.end = PrefixId::MAX;
    }

    /// How many prefixes there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn memory(&self) -> usize {
        self.slots.memory() + self.index.memory() + self.long.memory()
    }
}

/// A key as it stands in its slot, if it does.
#[inline]
pub(crate) fn short(key: &[u8]) -> Option<[u8; 8]> {
    (key.len() <= INLINE).then(|| inline(key))
}

#[inline]
fn inline(key: &[u8]) -> [u8; 8] {
    let mut slot = [0; 8];
    #[expect(clippy::cast_possible_truncation, reason = "at most INLINE")]
    {
        slot[0] = key.len() as u8;
    }
    slot[1..=key.len()].copy_from_slice(key);
    slot
}

#[inline]
fn link(kind: u8, to: u32) -> [u8; 8] {
    let [a, b, c, d] = to.to_le_bytes();
    [kind, 0, 0, 0, a, b, c, d]
}

#[inline]
fn linked([.., a, b, c, d]: [u8; 8]) -> u32 {
    u32::from_le_bytes([a, b, c, d])
}
