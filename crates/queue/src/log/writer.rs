//! The one who appends.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc as Shared;
use std::sync::atomic::{AtomicU64, Ordering};

use super::segment::Segment;
use super::shim::Arc;
use super::{MESSAGE_MAX, Note, Pool, Reader};

/// The writing end of a feed log.
///
/// Dropping it publishes what was committed and closes the log: readers that stand in its last segment
/// get the rest and then [`Read::Closed`](super::Read::Closed), the others fall off.
pub struct Log {
    /// The segment being written, and how many of its octets are committed.
    tail: Arc<Segment>,
    filled: usize,
    /// The segments before it that the budget allows, the oldest first.
    older: VecDeque<Arc<Segment>>,
    /// Octets of `tail` and `older`.
    retained: usize,
    budget: usize,
    /// For the segments that end from now on.
    note: Option<Note>,
    /// Where the log ended when `publish` last looked.
    announced: u64,
    /// The same for readers, who only measure with it.
    end: Shared<AtomicU64>,
    pool: Pool,
}

impl Log {
    /// An empty log which keeps what it wrote last, up to `budget` octets of segments, and never less
    /// than the segment being written.
    #[must_use]
    pub fn new(pool: &Pool, budget: usize) -> Self {
        let tail = Segment::new(&pool.0, pool.segment_len(), 0);
        let retained = tail.len();
        pool.0.retain(0, retained);
        Self {
            tail,
            filled: 0,
            older: VecDeque::new(),
            retained,
            budget,
            note: None,
            announced: 0,
            end: Shared::default(),
            pool: pool.clone(),
        }
    }

    /// Room for at least `len` octets, behind all that was committed. What it holds before it is
    /// written means nothing. Ask for what the message needs, not for what one might need: where a
    /// segment has less room than that it ends, and more than a segment is an allocation.
    ///
    /// # Errors
    /// `len` is more than a log takes, [`MESSAGE_MAX`] or a segment if that is longer.
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<&mut [u8], TooLong> {
        if self.tail.len() - self.filled < len {
            self.roll(len)?;
        }
        let (start, len) = self.tail.room(self.filled);
        // SAFETY: in the block, as `filled` is at most its length (`commit`), and initialised (*zeroed
        // once*). Readers and kernels look only below
        // what is published, which is at most `filled`, and nobody else writes (*one writer*); the
        // borrow of `self` keeps the next call, and every publication, away until it ends.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }

    /// The first `len` octets of the room that was reserved are one or several whole messages.
    /// Sessions change logs, and catch-ups hand over, only where commits end.
    ///
    /// # Panics
    /// If there is not that much room.
    #[inline]
    pub fn commit(&mut self, len: usize) {
        let room = self.tail.len() - self.filled;
        assert!(len <= room, "{len} octets committed, there is room for {room}");
        self.tail.mark(self.filled, self.filled + len);
        self.filled += len;
    }

    /// Reserves, copies and commits.
    ///
    /// # Errors
    /// As [`Log::reserve`].
    #[inline]
    pub fn append(&mut self, message: &[u8]) -> Result<(), TooLong> {
        self.reserve(message.len())?[..message.len()].copy_from_slice(message);
        self.commit(message.len());
        Ok(())
    }

    /// Shows readers all that was committed, with one store however much it is. Whether there is
    /// anything they were not told of by the call before: if so, see who sleeps.
    #[inline]
    pub fn publish(&mut self) -> bool {
        let end = self.end();
        if end == self.announced {
            return false;
        }
        self.tail.publish(self.filled);
        self.end.store(end, Ordering::Relaxed);
        self.announced = end;
        true
    }

    /// A reader of all that is committed from now on, and of nothing before, published or not.
    #[must_use]
    pub fn subscribe(&self) -> Reader {
        Reader::new(self.tail.clone(), self.filled, self.end.clone())
    }

    /// Where the next message will begin: octets committed since the log began.
    #[must_use]
    #[inline]
    pub fn end(&self) -> u64 {
        self.tail.base + self.filled as u64
    }

    /// Where the segment begins that is being written.
    #[must_use]
    #[inline]
    pub fn segment_begin(&self) -> u64 {
        self.tail.base
    }

    /// Octets of the segments that the log keeps.
    #[must_use]
    pub fn retained(&self) -> usize {
        self.retained
    }

    /// Keeps as much as `budget` allows from now on.
    pub fn set_budget(&mut self, budget: usize) {
        self.budget = budget;
        self.make_room(0);
    }

    /// Each segment that ends from now on does so with this note, until the next one is set. Where a
    /// message ends a segment (by its `reserve`), the note is what was set before: so set what is true
    /// before a message, then reserve. Who falls off there, or finds the log closed, has it from
    /// [`Reader::note`]. Setting it stores a field and lets go of the one before, no more.
    #[inline]
    pub fn set_note(&mut self, note: Note) {
        self.note = Some(note);
    }

    /// Goes on in a new segment with room for `wanted` octets.
    #[cold]
    fn roll(&mut self, wanted: usize) -> Result<(), TooLong> {
        let usual = self.pool.segment_len();
        let most = usual.max(MESSAGE_MAX);
        if wanted > most {
            return Err(TooLong { wanted, most });
        }
        let len = wanted.max(usual);
        // First, so that the pool has what the log lets go of.
        self.make_room(len);
        let next = Segment::new(&self.pool.0, len, self.end());
        self.tail.seal(self.filled, Some(&next), self.note.clone());
        self.filled = 0;
        let last = std::mem::replace(&mut self.tail, next);
        let before = self.retained;
        if before + len <= self.budget {
            self.retained += len;
            self.older.push_back(last);
        } else {
            // `make_room` has let go of all but this one, and the new one has the budget for itself.
            self.retained = len;
        }
        self.pool.0.retain(before, self.retained);
        Ok(())
    }

    /// Lets go of the oldest segments until `len` more octets fit the budget, or only the tail is left.
    fn make_room(&mut self, len: usize) {
        let before = self.retained;
        while self.retained + len > self.budget
            && let Some(oldest) = self.older.pop_front()
        {
            self.retained -= oldest.len();
        }
        self.pool.0.retain(before, self.retained);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end.store(self.end(), Ordering::Relaxed);
        self.tail.seal(self.filled, None, self.note.take());
        self.pool.0.retain(self.retained, 0);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("end", &self.end())
            .field("retained", &self.retained)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// A message that no segment can have: the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Octets asked for.
    pub wanted: usize,
    /// Octets a message may have.
    pub most: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of {} octets, the log takes at most {}", self.wanted, self.most)
    }
}

impl std::error::Error for TooLong {}
