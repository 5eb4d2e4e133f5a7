//! The ready-list: which rings have work, and whether the consumer sleeps, in one word.
//!
//! ```text
//!                 ┌──────── list ────────► newest ──next──► … ──next──► oldest ──► null
//!  word:  null ───┤                           │
//!    ▲  (busy)    └─ sleep ─► SLEEPING ─ list ┘ and that one producer wakes
//!    └──────────── take: everything at once, or nothing; sleep is over ──┘
//!                                             CLOSED: no consumer any more
//! ```
//!
//! * **one word**   "there is work" and "I sleep" cannot both be true, and to go from one to the other
//!   is one atomic change of one word. Hence no fence, no second look, no lost wake-up; and only the
//!   producer that replaced `SLEEPING` wakes, so once per sleep and never when the consumer is busy.
//! * **once**       a ring is on the list at most once: who sets `L` of its `tail` puts it there, and
//!   `L` is cleared by the consumer alone, which has taken it off by then. So the list is bounded by
//!   the number of rings and its links live in them.
//! * **counted**    each pointer on the list owns a count of its ring's `Arc`.
//! * **taken whole** nobody takes a single ring off the list, so there is no ABA.
//!
//! Of crossbeam, `SegQueue` would allocate a block for every 31 tokens, and `ArrayQueue` wants its
//! size up front for each ready-list and moves a stamp per slot for every token. With either, the
//! sleep would be a second word, and with that a store, a fence and a load on both sides.

use std::marker::PhantomData;
use std::ptr;

use crossbeam_utils::CachePadded;

use super::slots::Ring;
use crate::sync::{Arc, AtomicPtr, AtomicUsize, Ordering};

/// The part of a ring by which it hangs on the list.
pub(super) struct Link<T> {
    /// The ring that was listed before. Belongs to whoever set `L`, later to the consumer.
    next: AtomicPtr<Ring<T>>,
    /// Which slot of the consumer's is this ring's: the consumer's, nobody else looks.
    index: AtomicUsize,
}

impl<T> Link<T> {
    pub(super) fn new() -> Self {
        Self { next: AtomicPtr::new(ptr::null_mut()), index: AtomicUsize::new(NEW) }
    }

    pub(super) fn index(&self) -> Option<usize> {
        Some(self.index.load(Ordering::Relaxed)).filter(|index| *index != NEW)
    }

    pub(super) fn set_index(&self, index: usize) {
        self.index.store(index, Ordering::Relaxed);
    }
}

/// See the top of the file.
pub(super) struct ReadyList<T> {
    word: CachePadded<AtomicPtr<Ring<T>>>,
    /// *counted*: it owns rings, and may go where they may go.
    owns: PhantomData<Arc<Ring<T>>>,
}

/// How the consumer was when a ring came onto its list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Busy, or about to be woken by another producer.
    Awake,
    /// Asleep: wake it.
    Asleep,
    /// Gone: nothing was listed.
    Closed,
}

impl<T> ReadyList<T> {
    pub(super) fn new() -> Self {
        Self { word: CachePadded::new(AtomicPtr::new(ptr::null_mut())), owns: PhantomData }
    }

    /// Puts a ring on the list whose `L` the caller has set.
    pub(super) fn list(&self, ring: Arc<Ring<T>>) -> Found {
        let ring = Arc::into_raw(ring).cast_mut();
        // SAFETY: *counted*: we hold the count that `into_raw` left us.
        let link = unsafe { &(*ring).link };
        let mut before = self.word.load(Ordering::Relaxed);
        loop {
            if before == closed() {
                // SAFETY: *counted*: it did not come onto the list, so the count is still ours.
                drop(unsafe { Arc::from_raw(ring) });
                return Found::Closed;
            }
            let next = if before == sleeping() { ptr::null_mut() } else { before };
            link.next.store(next, Ordering::Relaxed);
            // Release for the link; acquire, so that who wakes has seen all that came before the sleep.
            match self.word.compare_exchange_weak(before, ring, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if before == sleeping() => return Found::Asleep,
                Ok(_) => return Found::Awake,
                Err(now) => before = now,
            }
        }
    }

    /// Takes everything, the oldest first, and ends the sleep. Costs a look at a line that nobody
    /// writes when there is nothing.
    #[inline]
    pub(super) fn take(&self) -> Taken<T> {
        if self.word.load(Ordering::Relaxed).is_null() {
            return Taken { next: ptr::null_mut() };
        }
        self.take_and_leave(ptr::null_mut())
    }

    /// The same, and nothing is listed any more.
    pub(super) fn close(&self) -> Taken<T> {
        self.take_and_leave(closed())
    }

    /// Declares that the consumer sleeps; `false` if there is work instead.
    pub(super) fn sleep(&self) -> bool {
        match self.word.compare_exchange(ptr::null_mut(), sleeping(), Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => true,
            // It slept and took nothing since.
            Err(now) => now == sleeping(),
        }
    }

    fn take_and_leave(&self, word: *mut Ring<T>) -> Taken<T> {
        let mut newest = self.word.swap(word, Ordering::AcqRel);
        if newest == sleeping() || newest == closed() {
            newest = ptr::null_mut();
        }
        let mut oldest = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: *counted* and *taken whole*: the count came to us with the swap.
            let link = unsafe { &(*newest).link };
            let older = link.next.load(Ordering::Relaxed);
            link.next.store(oldest, Ordering::Relaxed);
            oldest = newest;
            newest = older;
        }
        Taken { next: oldest }
    }
}

/// What was on the list.
pub(super) struct Taken<T> {
    next: *mut Ring<T>,
}

impl<T> Iterator for Taken<T> {
    type Item = Arc<Ring<T>>;

    #[inline]
    fn next(&mut self) -> Option<Arc<Ring<T>>> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: *counted*: this pointer was on the list, and the iterator passes it once.
        let ring = unsafe { Arc::from_raw(self.next.cast_const()) };
        self.next = ring.link.next.load(Ordering::Relaxed);
        Some(ring)
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// Not rings: no allocation is at these addresses.
const fn sleeping<T>() -> *mut Ring<T> {
    ptr::without_provenance_mut(1)
}

const fn closed<T>() -> *mut Ring<T> {
    ptr::without_provenance_mut(2)
}

/// The consumer has not met this ring.
const NEW: usize = usize::MAX;
