//! One ring: bounded, one producer, one consumer, no lock, no loop, no allocation after the first.
//!
//! ```text
//!        head            tail            (both only grow; slot = position & mask)
//!          v               v
//!  | free  | full full full | free free |
//!
//!  a word:  position ............ L G    L  tail only: on the ready-list, or in the consumer's round
//!                                        G  the side that owns this word has gone
//! ```
//!
//! * **bounded**       `tail - head <= capacity`, and `capacity` is a power of two.
//! * **owned**         slots in `head..tail` are the consumer's and initialised, the rest are the
//!   producer's and not.
//! * **one hand each** only the producer moves `tail`, only the consumer moves `head`; there is one of
//!   each. The consumer also clears `L`, which moves nothing.
//! * **lag**           each side works on a position of its own and publishes it with release: the word
//!   may lag behind what its owner did, never lead. A batch is published once; what a panic left
//!   unpublished goes out with the next publication, or when that side is dropped.
//! * **last word**     the end of a side is a bit of its last position, so nobody can see the end and
//!   miss a value before it.

use super::Full;
use super::slots::{FLAGS, GONE, LISTED, Ring, STEP, distance};
use crate::sync::{Arc, Ordering};

/// Makes a ring of its own, with neither ready-list nor fairness, for `capacity` values.
///
/// ```
/// let (mut producer, mut consumer) = queue::ring::spsc::ring(4);
/// assert_eq!(producer.push_many(&mut (0..9)), 4); // the rest stay in the iterator
/// assert_eq!(producer.push(9).unwrap_err().0, 9);
/// assert_eq!(consumer.pop(), Some(0));
/// assert_eq!(consumer.pop_many(9).collect::<Vec<_>>(), [1, 2, 3]);
/// drop(producer);
/// assert!(consumer.is_closed());
/// ```
///
/// # Panics
/// If `capacity` is not a power of two.
#[must_use]
pub fn ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    ring_at(capacity, 0)
}

/// A ring whose positions begin at `start`, so that tests need not push for years until they wrap.
pub(super) fn ring_at<T>(capacity: usize, start: usize) -> (Producer<T>, Consumer<T>) {
    let ring = Arc::new(Ring::new(capacity, start.wrapping_mul(STEP)));
    (Producer(Tail::new(ring.clone())), Consumer::new(ring))
}

/// The side that pushes. See [`ring`].
pub struct Producer<T>(Tail<T>);

impl<T> Producer<T> {
    /// Appends one value.
    ///
    /// # Errors
    /// [`Full`] has the value in it.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), Full<T>> {
        self.0.put(value)?;
        self.0.publish();
        Ok(())
    }

    /// Appends from `values` while there is room, publishes once, and says how many. What did not fit
    /// was not taken from the iterator; to keep it in a `VecDeque`, pass
    /// `&mut iter::from_fn(|| backlog.pop_front())`.
    #[inline]
    pub fn push_many(&mut self, values: &mut impl Iterator<Item = T>) -> usize {
        let put = self.0.put_many(values);
        self.0.publish();
        put
    }

    /// Whether the consumer has gone. What is pushed from now on is dropped with the ring.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.0.ring.tail.store(self.0.tail | GONE, Ordering::Release);
    }
}

/// The side that pops. See [`ring`].
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
    /// Ours; the word of the ring lags behind it.
    head: usize,
    /// The last `tail` that was read: as long as it is ahead, the producer's cache line is left alone.
    tail_seen: usize,
}

impl<T> Consumer<T> {
    /// The one consumer of a ring: see *one hand each*.
    pub(super) fn new(ring: Arc<Ring<T>>) -> Self {
        let head = ring.head.load(Ordering::Relaxed) & !FLAGS;
        Self { ring, head, tail_seen: head }
    }

    /// The oldest value, left where it is.
    #[inline]
    pub fn peek(&mut self) -> Option<&T> {
        // SAFETY: *owned*: `waits` found `head` inside `head..tail`, and `&mut self` keeps it there
        // for as long as the reference lives.
        self.waits().then(|| self.ring.slot(self.head).with(|slot| unsafe { (*slot).assume_init_ref() }))
    }

    /// Takes the oldest value.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let value = self.take()?;
        self.publish();
        Some(value)
    }

    /// Takes what is there now, up to `limit`, and gives the room back once, when the iterator is
    /// dropped. What was not iterated over stays in the ring.
    #[inline]
    pub fn pop_many(&mut self, limit: usize) -> Popped<'_, T> {
        self.tail_seen = self.ring.tail.load(Ordering::Acquire) & !FLAGS;
        let left = distance(self.head, self.tail_seen).min(limit);
        Popped { consumer: self, left }
    }

    /// Whether the producer has gone and nothing is left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ring.tail.load(Ordering::Acquire) & !LISTED == self.head | GONE
    }

    /// How many values wait: a figure for people, for more may be on their way.
    #[must_use]
    pub fn waiting(&self) -> usize {
        distance(self.head, self.ring.tail.load(Ordering::Relaxed) & !FLAGS)
    }

    /// Like `pop`, but the room stays ours until it is published.
    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        self.waits().then(|| {
            // SAFETY: *owned*: `head` is inside `head..tail`, so the slot is ours and initialised;
            // moving `head` below takes it out of that range, and *lag*: no one moves it back.
            let value = self.ring.slot(self.head).with(|slot| unsafe { (*slot).assume_init_read() });
            self.head = self.head.wrapping_add(STEP);
            value
        })
    }

    /// Gives away what was taken.
    #[inline]
    pub(super) fn publish(&self) {
        self.ring.head.store(self.head, Ordering::Release);
    }

    /// Leaves the round, if there is nothing to do: one compare-and-swap against the very `tail` at
    /// which the ring is empty, so a value pushed meanwhile is either seen here or found no `L`.
    #[inline]
    pub(super) fn rest(&mut self) -> Rest {
        let empty = self.head | LISTED;
        // Release, for the producer that finds no `L`: it may write the link that we have read.
        match self.ring.tail.compare_exchange(empty, self.head, Ordering::Release, Ordering::Acquire) {
            Ok(_) => Rest::Resting,
            Err(tail) if tail == empty | GONE => Rest::Ended,
            Err(tail) => {
                self.tail_seen = tail & !FLAGS;
                Rest::Awake
            }
        }
    }

    /// Whether `head` is inside `head..tail`.
    #[inline]
    fn waits(&mut self) -> bool {
        if self.head == self.tail_seen {
            self.tail_seen = self.ring.tail.load(Ordering::Acquire) & !FLAGS;
        }
        self.head != self.tail_seen
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.ring.head.store(self.head | GONE, Ordering::Release);
    }
}

/// What a consumer finds when it wants to leave a ring.
pub(super) enum Rest {
    /// Nothing: the next push lists the ring again.
    Resting,
    /// More values.
    Awake,
    /// Nothing, for ever.
    Ended,
}

/// A batch of values. See [`Consumer::pop_many`].
pub struct Popped<'a, T> {
    consumer: &'a mut Consumer<T>,
    left: usize,
}

impl<T> Iterator for Popped<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        self.consumer.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Popped<'_, T> {}

impl<T> Drop for Popped<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.consumer.publish();
    }
}

/// The producer's hand without its farewell, which a ring on a ready-list says differently.
pub(super) struct Tail<T> {
    ring: Arc<Ring<T>>,
    /// Ours; the word of the ring lags behind it.
    tail: usize,
    /// The last `head` that was read: as long as it leaves room, the consumer's line is left alone.
    head_seen: usize,
}

impl<T> Tail<T> {
    /// The one producer of a ring: see *one hand each*.
    pub(super) fn new(ring: Arc<Ring<T>>) -> Self {
        let tail = ring.tail.load(Ordering::Relaxed) & !FLAGS;
        Self { ring, tail, head_seen: tail }
    }

    #[inline]
    pub(super) fn put(&mut self, value: T) -> Result<(), Full<T>> {
        if self.room() == 0 {
            return Err(Full(value));
        }
        self.fill(value);
        Ok(())
    }

    /// Two turns: the room that was known, and what the consumer has given back since. More would
    /// let a quick consumer keep us here.
    #[inline]
    pub(super) fn put_many(&mut self, values: &mut impl Iterator<Item = T>) -> usize {
        let mut put = 0;
        for _ in 0..2 {
            for _ in 0..self.room() {
                // First the room, then the value: what is not taken out needs no way back.
                let Some(value) = values.next() else { return put };
                self.fill(value);
                put += 1;
            }
        }
        put
    }

    #[inline]
    pub(super) fn publish(&self) {
        self.ring.tail.store(self.tail, Ordering::Release);
    }

    /// Publishes to a consumer that may rest, and says whether it does: then the ring has to be
    /// listed, by us and nobody else, for `L` was clear and is now set.
    ///
    /// One swap does what a store, a fence and a look at a flag would do. It does not matter how the
    /// fence is spelled: the swap takes its place in the one order of changes of `tail`, before or
    /// after the compare-and-swap of [`Consumer::rest`], and there is no third case.
    #[inline]
    pub(super) fn publish_listed(&self, flags: usize) -> bool {
        // Release for the values; acquire for the link, which the consumer read before it rested.
        self.ring.tail.swap(self.tail | LISTED | flags, Ordering::AcqRel) & LISTED == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ring.head.load(Ordering::Acquire) & GONE != 0
    }

    pub(super) const fn ring(&self) -> &Arc<Ring<T>> {
        &self.ring
    }

    /// How many slots from `tail` on are ours; asks the consumer only when it knows of none.
    #[inline]
    fn room(&mut self) -> usize {
        let capacity = self.ring.slots.len();
        if distance(self.head_seen, self.tail) == capacity {
            // Acquire: the consumer has read those slots before we write them.
            self.head_seen = self.ring.head.load(Ordering::Acquire) & !FLAGS;
        }
        capacity - distance(self.head_seen, self.tail)
    }

    /// Writes a slot of which `room` has told.
    #[inline]
    fn fill(&mut self, value: T) {
        // SAFETY: *owned*: there is room, so `tail` is outside `head..tail` and the slot is ours; it
        // is not initialised, so nothing is overwritten that would have to be dropped.
        self.ring.slot(self.tail).with_mut(|slot| unsafe { (*slot).write(value) });
        self.tail = self.tail.wrapping_add(STEP);
    }
}
