//! What routes share, once: attribute blocks, counted by reference.
//!
//! ```text
//!  entry:  handle ─► │ form │ attributes │ trailing octets │      a block
//!          handle ─► │ form │ payload    │   base ─► a block      labels and such over a block
//! ```
//!
//! * **exact**    a block is the octets that the routes came with, what stood behind the PDU included,
//!   and the form they are to be read in. Two are one if and only if all of that is equal.
//! * **two deep** a family whose routes carry labels has as many payloads as routes, and few blocks:
//!   so a payload is an entry of its own, and holds its block.
//! * **counted**  every path holds its entry; one that nobody holds is gone, and its id is used again.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::arena::{Arena, Handle};
use crate::chunked::Chunked;
use crate::index::{Index, Tag, tag};

/// An entry. 0 is none: what a path has that was withdrawn.
pub(crate) type AttributeId = u32;

/// Marks the ids of payloads, so that most ids say by themselves that they are a block's: a walk asks that
/// of every path, and the entry would be a miss for each.
const PAYLOAD: AttributeId = 1 << 31;

/// Where the entry of an id stands.
#[inline]
fn place(id: AttributeId) -> u32 {
    id & !PAYLOAD
}

/// Entries of a piece of the table.
const CHUNK: usize = 4096;
/// The longest field of an entry.
pub(crate) const FIELD_MAX: usize = u16::MAX as usize;

#[derive(Clone, Copy, Default)]
struct Entry {
    octets: Handle,
    references: u32,
    /// Octets of attributes, or of payload.
    head: u16,
    /// Octets of what stood behind the PDU.
    tail: u16,
    /// Of a payload the block under it, of a block its tag, of a free entry the next one.
    link: u32,
}

const _: () = assert!(size_of::<Entry>() == 16);

/// What the routes of one UPDATE share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shared<'a> {
    /// The attribute block, as `wire::bgp::Update::block` gives it.
    pub block: &'a [u8],
    /// What stood behind the PDU.
    pub trailing: &'a [u8],
    /// Whether its AS paths have AS numbers of two octets.
    pub two_octet_as: bool,
}

/// The first octet of an entry: AS numbers of two octets, or a payload.
const TWO_OCTET_AS: u8 = 1;
const OF_PAYLOAD: u8 = 2;

fn form(shared: &Shared<'_>) -> u8 {
    if shared.two_octet_as { TWO_OCTET_AS } else { 0 }
}

pub(crate) struct Attributes {
    entries: Chunked<Entry, CHUNK>,
    end: AttributeId,
    free: AttributeId,
    count: usize,
    index: Index,
    octets: Arena,
    hasher: FixedState,
}

impl Attributes {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            entries: Chunked::default(),
            end: 1,
            free: 0,
            count: 0,
            index: Index::new(6),
            octets: Arena::default(),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// The entry of a block, held once more; `None` if there is no room for it.
    pub(crate) fn hold_block(&mut self, shared: &Shared<'_>) -> Option<AttributeId> {
        self.hold_entry(form(shared), shared.block, shared.trailing, 0)
    }

    /// The entry of a payload over a block, held once more.
    pub(crate) fn hold_payload(&mut self, base: AttributeId, payload: &[u8]) -> Option<AttributeId> {
        self.hold_entry(0, payload, &[], base)
    }

    fn tag(&self, form: u8, head: &[u8], tail: &[u8], base: AttributeId) -> Tag {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(head);
        if !tail.is_empty() {
            hasher.write(tail);
        }
        hasher.write_u64(u64::from(base) << 32 | u64::from(form) << 16 | head.len() as u64 & 0xffff);
        tag(hasher.finish())
    }

    fn hold_entry(&mut self, form: u8, head: &[u8], tail: &[u8], base: AttributeId) -> Option<AttributeId> {
        let tag = self.tag(form, head, tail, base);
        let (mark, form, link) = if base == 0 { (0, form, tag) } else { (PAYLOAD, OF_PAYLOAD, base) };
        let is_it = |id| {
            let entry = &self.entries[id];
            (usize::from(entry.head), usize::from(entry.tail), entry.link) == (head.len(), tail.len(), link)
                && self.parts(id) == (form, head, tail)
        };
        if let Some(id) = self.index.find(tag, is_it) {
            self.hold(id);
            return Some(id | mark);
        }
        let (Ok(head_len), Ok(tail_len)) = (u16::try_from(head.len()), u16::try_from(tail.len())) else {
            return None;
        };
        if self.free == 0 && self.end + 1 >= PAYLOAD {
            return None;
        }
        let octets = self.octets.insert(&[&[form], head, tail])?;
        let id = self.entries.claim(&mut self.free, &mut self.end, |free| free.link);
        self.entries[id] = Entry { octets, references: 1, head: head_len, tail: tail_len, link };
        if base != 0 {
            self.hold(base);
        }
        self.index.insert(tag, id);
        self.count += 1;
        Some(id | mark)
    }

    #[inline]
    pub(crate) fn hold(&mut self, id: AttributeId) {
        self.entries[place(id)].references += 1;
    }

    /// One path less has this entry. With the last one it goes, and lets go of its block.
    #[inline]
    pub(crate) fn release(&mut self, id: AttributeId) {
        let entry = &mut self.entries[place(id)];
        entry.references -= 1;
        if entry.references == 0 {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: AttributeId) {
        let at = place(id);
        let entry = self.entries[at];
        let base = if id == at { 0 } else { entry.link };
        // A block's tag stands in its entry: its octets, which are far away, need not be looked at.
        let tag = if base == 0 { entry.link } else { self.tag(0, self.parts(at).1, &[], base) };
        self.index.remove(tag, at);
        self.octets.remove(entry.octets, 1 + usize::from(entry.head) + usize::from(entry.tail));
        self.entries[at] = Entry { link: self.free, ..Entry::default() };
        self.free = at;
        self.count -= 1;
        if base != 0 {
            self.release(base);
        }
    }

    fn parts(&self, id: AttributeId) -> (u8, &[u8], &[u8]) {
        let entry = &self.entries[id];
        let (head, tail) = (usize::from(entry.head), usize::from(entry.tail));
        let octets = self.octets.get(entry.octets, 1 + head + tail);
        (octets[0], &octets[1..1 + head], &octets[1 + head..])
    }

    /// The block of an entry: itself, or the one under it.
    #[inline]
    pub(crate) fn block_of(&self, id: AttributeId) -> AttributeId {
        if id & PAYLOAD == 0 { id } else { self.entries[place(id)].link }
    }

    /// The tag of a block.
    pub(crate) fn tag_of(&self, shared: &Shared<'_>) -> Tag {
        self.tag(form(shared), shared.block, shared.trailing, 0)
    }

    /// Looks at a bucket; see [`Index::touch`].
    #[inline]
    pub(crate) fn touch(&self, tag: Tag) -> u64 {
        self.index.touch(tag)
    }

    /// Looks at the entry of a path, and gives what letting go of it will need.
    #[inline]
    pub(crate) fn touch_entry(&self, id: AttributeId) -> (Tag, Handle) {
        let entry = &self.entries[place(id)];
        (entry.link, entry.octets)
    }

    /// Looks at octets.
    #[inline]
    pub(crate) fn touch_octets(&self, octets: Handle) -> u64 {
        u64::from(self.octets.get(octets, 1)[0])
    }

    /// What a block says.
    pub(crate) fn shared(&self, block: AttributeId) -> Shared<'_> {
        let (form, block, trailing) = self.parts(block);
        Shared { block, trailing, two_octet_as: form & TWO_OCTET_AS != 0 }
    }

    /// Octets of what stood behind the PDU of a block, or of what has taken its place since.
    pub(crate) fn trailing_len(&self, block: AttributeId) -> usize {
        usize::from(self.entries[block].tail)
    }

    /// The payload of an entry; nothing for one that is a block.
    #[inline]
    pub(crate) fn payload(&self, id: AttributeId) -> &[u8] {
        if id & PAYLOAD == 0 { &[] } else { self.parts(place(id)).1 }
    }

    /// As if all ids were given.
    #[cfg(test)]
    pub(crate) fn run_out(&mut self) {
        self.end = PAYLOAD - 1;
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn memory(&self) -> usize {
        self.entries.memory() + self.index.memory() + self.octets.memory()
    }
}
