//! One block of whole messages: how far it is published, and what comes after it.
//!
//! ```text
//!  0        cut                cut        published          len
//!  │ message │ message, message │ message, … │ not yet, or old │      cut: where a commit ends
//!  │ frozen, anybody's to read               │ the writer's    │
//! ```
//!
//! One word says how far a segment is published and whether it is sealed, so that a reader asks once.

use std::sync::Arc as Shared;

use crossbeam_utils::CachePadded;

use super::Note;
use super::pool::{Block, Shelf};
use super::shim::{Arc, OnceLock, Weak};
use crate::sync::{AtomicUsize, Ordering};

/// Beside a segment's published length: no more comes here.
const SEALED: usize = 1 << (usize::BITS - 1);

pub(super) struct Segment {
    /// The only word that changes while many look: away from what does not, and from the counts that
    /// readers change.
    published: CachePadded<AtomicUsize>,
    /// Set before the segment is sealed.
    end: OnceLock<End>,
    /// Where the segment begins in its log.
    pub(super) base: u64,
    block: Block,
    /// Strong, and so never gone before its blocks: std's, as no model asks how a pool dies.
    shelf: Shared<Shelf>,
}

/// What a segment ends with.
struct End {
    /// None if the log ended here.
    next: Option<Weak<Segment>>,
    note: Option<Note>,
}

/// What a reader finds in a segment.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// Octets there are to read.
    pub(super) published: usize,
    /// Whether that is all there will ever be.
    pub(super) sealed: bool,
}

impl Segment {
    /// An empty segment of `len` octets which begins at `base`.
    pub(super) fn new(shelf: &Shared<Shelf>, len: usize, base: u64) -> Arc<Self> {
        Arc::new(Self {
            published: CachePadded::new(AtomicUsize::new(0)),
            end: OnceLock::new(),
            base,
            block: shelf.take(len),
            shelf: shelf.clone(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.block.len()
    }

    /// *published*: all octets below the answer, and the marks of their grains, were written before.
    #[inline]
    pub(super) fn state(&self) -> State {
        let word = self.published.load(Ordering::Acquire);
        State { published: word & !SEALED, sealed: word & SEALED != 0 }
    }

    /// What a sealed segment is followed by, if that lives; `None` if the log ended here. For whoever
    /// has seen the seal (*sealed last*).
    pub(super) fn next(&self) -> Option<&Weak<Self>> {
        self.end.get()?.next.as_ref()
    }

    /// The note the segment ended with, if there was one. For whoever has seen the seal.
    pub(super) fn note(&self) -> Option<&Note> {
        self.end.get()?.note.as_ref()
    }

    /// The published octets from `start` to `end`, as long as the segment lives.
    #[inline]
    pub(super) fn slice(&self, start: usize, end: usize) -> &[u8] {
        debug_assert!(start <= end && end <= self.len());
        self.block.track.reads(start..end);
        // SAFETY: in the block and initialised (*zeroed once*). `end` came out of `state` (*published*:
        // all that was written there has happened before), and there nobody writes (*frozen*) until
        // the segment, which the result borrows, is gone.
        unsafe { std::slice::from_raw_parts(self.block.octets().add(start), end - start) }
    }

    /// A known cut behind `from`: the last one that is at most `cap` octets away, or the first if all
    /// are farther. `from < published`, and `published` is a cut.
    #[inline]
    pub(super) fn cut(&self, from: usize, cap: usize, published: usize) -> usize {
        let limit = from.saturating_add(cap);
        if limit >= published {
            return published;
        }
        self.cut_inside(from, limit, published)
    }

    fn cut_inside(&self, from: usize, limit: usize, published: usize) -> usize {
        let grain = |octet: usize| octet >> self.block.grain_log2;
        // The grains up to the one of `limit` begin below `published`, so their marks are good.
        let mark = |at: usize| self.block.marks[at].load(Ordering::Relaxed) as usize;
        let last = (grain(from)..=grain(limit)).rev().map(mark).find(|&cut| cut <= limit);
        if let Some(cut) = last.filter(|&cut| cut > from) {
            return cut;
        }
        // The mark of the next grain lies behind the grain's beginning, which lies behind `from`.
        match mark(grain(from)) {
            cut if cut > from => cut,
            _ if (grain(from) + 1) << self.block.grain_log2 < published => mark(grain(from) + 1),
            _ => published,
        }
    }
}

/// The writer's half: called by the one [`Log`](super::Log) that made the segment.
impl Segment {
    /// The first octet that is not committed, with the room there is from it.
    #[inline]
    pub(super) fn room(&self, filled: usize) -> (*mut u8, usize) {
        let len = self.block.len() - filled;
        self.block.track.writes(filled..filled + len);
        (self.block.octets().wrapping_add(filled), len)
    }

    /// The octets from `start` to `end` are one commit.
    #[inline]
    pub(super) fn mark(&self, start: usize, end: usize) {
        let grain_log2 = self.block.grain_log2;
        let mut at = ((start + (1 << grain_log2)) - 1) >> grain_log2;
        while at << grain_log2 < end {
            #[expect(clippy::cast_possible_truncation, reason = "a segment has less than 4 GiB")]
            self.block.marks[at].store(end as u32, Ordering::Relaxed);
            at += 1;
        }
    }

    /// Shows the first `filled` octets to everybody.
    #[inline]
    pub(super) fn publish(&self, filled: usize) {
        self.published.store(filled, Ordering::Release);
    }

    /// Shows the first `filled` octets, and that no more come: they do in `next`, if there is one.
    pub(super) fn seal(&self, filled: usize, next: Option<&Arc<Self>>, note: Option<Note>) {
        let first = self.end.set(End { next: next.map(Arc::downgrade), note }).is_ok();
        assert!(first, "a segment is sealed once");
        self.published.store(filled | SEALED, Ordering::Release);
    }
}

impl Drop for Segment {
    /// The last one who held the segment gives back its memory, after everybody's last look at it:
    /// letting go is a release, being the last an acquire. The link is weak, so however long a chain
    /// was, this is the drop of one.
    fn drop(&mut self) {
        self.shelf.give(std::mem::replace(&mut self.block, Block::none()));
    }
}
