//! A cursor of a session, and what it hands to the kernel.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc as Shared;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Note;
use super::segment::{Segment, State};
use super::shim::Arc;

/// One session's place in a log. It holds the segment it stands in, and nothing else.
///
/// [`read`](Self::read) shows octets and does not move; [`advance`](Self::advance) says how many of
/// them the kernel took. So what a send left over goes out with whatever has come since.
pub struct Reader {
    segment: Arc<Segment>,
    offset: usize,
    /// Where the last chunk ended: a place between messages.
    offered: usize,
    /// The last such place that the reader stood at.
    cut: usize,
    end: Shared<AtomicU64>,
}

/// What a reader is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Octets, at least one, which end where a message ends.
    Data(Chunk),
    /// All that was published has been read.
    Idle,
    /// What follows is gone. All that was read until now was whole; this reader gets no more.
    Fell,
    /// All there will ever be has been read: the writer is gone.
    Closed,
}

impl Reader {
    pub(super) fn new(segment: Arc<Segment>, offset: usize, end: Shared<AtomicU64>) -> Self {
        Self { segment, offset, offered: offset, cut: offset, end }
    }

    /// What comes next: at most `cap` octets, but a whole message, or the rest of one, in any case.
    /// It is one piece of memory, ends between messages and does not span segments.
    #[inline]
    pub fn read(&mut self, cap: usize) -> Read {
        loop {
            let State { published, sealed } = self.segment.state();
            // A reader that subscribed before what stands there was published is ahead of it.
            if self.offset < published {
                self.offered = self.segment.cut(self.offset, cap, published);
                let segment = self.segment.clone();
                return Read::Data(Chunk { segment, start: self.offset, end: self.offered });
            }
            if !sealed {
                return Read::Idle;
            }
            // *sealed last*: the link is there, if there is one.
            let Some(next) = self.segment.next() else { return Read::Closed };
            let Some(next) = next.upgrade() else { return Read::Fell };
            (self.segment, self.offset, self.offered, self.cut) = (next, 0, 0, 0);
        }
    }

    /// The next `len` octets have been dealt with.
    ///
    /// # Panics
    /// If the last chunk had less.
    #[inline]
    pub fn advance(&mut self, len: usize) {
        let left = self.offered - self.offset;
        assert!(len <= left, "{len} octets done of {left}");
        self.offset += len;
        if len == left {
            self.cut = self.offset;
        }
    }

    /// Whether the reader stands between messages, where a session may go to another log. Nobody knows
    /// where messages end inside of a chunk, so there it says no. One who wants to leave reads with a
    /// cap of 0, which gives the least that ends between messages.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        self.offset == self.cut
    }

    /// Where the reader stands, in octets since the log began.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.segment.base + self.offset as u64
    }

    /// How many published octets the reader has not dealt with, those that are gone included. A
    /// figure: it may be a moment old.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.end.load(Ordering::Relaxed).saturating_sub(self.position())
    }

    /// Whether [`read`](Self::read) has something to say other than [`Read::Idle`]. It may be wrong in
    /// saying so once for a segment, at its end; it is never wrong in saying no.
    #[must_use]
    #[inline]
    pub fn ready(&self) -> bool {
        let State { published, sealed } = self.segment.state();
        self.offset < published || sealed
    }

    /// Whether what follows the reader's segment is gone: it has fallen off, or will when it comes to
    /// the segment's end. There is no way back from true.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        self.segment.state().sealed && self.segment.next().is_some_and(|next| next.strong_count() == 0)
    }

    /// The note with which the segment ended that the reader stands in: after [`Read::Fell`] it says
    /// what was true where the reader stands. `None` while the segment goes on, and if
    /// [`Log::set_note`](super::Log::set_note) had not been called when it ended.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        // *sealed last*: after the seal the note does not change.
        if self.segment.state().sealed { self.segment.note() } else { None }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("position", &self.position())
            .field("behind", &self.behind())
            .finish_non_exhaustive()
    }
}

/// A run of published octets and a share in the segment that holds them. They stay where they are and
/// as they are for as long as a clone of it lives, whatever becomes of reader, log and pool.
#[derive(Clone)]
pub struct Chunk {
    segment: Arc<Segment>,
    start: usize,
    end: usize,
}

impl Chunk {
    /// Where the chunk begins, in octets since the log began.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.segment.base + self.start as u64
    }
}

impl Deref for Chunk {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.segment.slice(self.start, self.end)
    }
}

impl AsRef<[u8]> for Chunk {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Equal are chunks with equal octets.
impl PartialEq for Chunk {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Chunk {}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} octets at {})", self.len(), self.position())
    }
}
