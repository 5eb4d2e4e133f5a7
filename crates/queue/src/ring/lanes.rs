//! The producers' side of an intake: a gate that opens lanes, and an inlet to each of them.

use std::fmt;

use super::drain::Intake;
use super::ready::{Found, ReadyList};
use super::slots::{GONE, Ring};
use super::spsc::Tail;
use super::{Cost, Full};
use crate::sync::{Arc, AtomicUsize, Ordering};

/// The sizes of an intake.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Lanes that may be open at once.
    pub lanes_max: usize,
    /// Octets that a lane may pass on in a visit, before it is the next one's turn. More is faster,
    /// less is fairer: who trickles waits for one quantum of everybody else. A value that costs more
    /// passes after as many visits as it has quanta.
    pub quantum: usize,
}

/// Makes an intake without lanes, and the gate that opens them.
///
/// `wake` is called by a producer when the consumer has declared that it sleeps
/// ([`Intake::prepare_sleep`]): at most once per sleep, from any thread. It unparks a thread, or
/// writes to an eventfd.
///
/// # Panics
/// If `quantum` is zero.
pub fn intake<T: Cost + Send>(
    settings: Settings,
    wake: impl Fn() + Send + Sync + 'static,
) -> (Gate<T>, Intake<T>) {
    assert!(settings.quantum > 0, "a quantum of 0");
    let shared = Arc::new(Shared {
        ready: ReadyList::new(),
        open: AtomicUsize::new(0),
        lanes_max: settings.lanes_max,
        wake: Box::new(wake),
    });
    (Gate { shared: shared.clone() }, Intake::new(shared, settings))
}

/// Opens lanes, from any thread.
pub struct Gate<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Gate<T> {
    /// Opens a lane that holds `capacity` values: all the memory it will ever take, see
    /// [`lane_memory`]. The consumer learns of it without being told, and then of every value.
    ///
    /// # Errors
    /// [`OpenError`] if the consumer has gone or has as many lanes as it may.
    ///
    /// # Panics
    /// If `capacity` is not a power of two.
    pub fn open(&self, capacity: usize) -> Result<Inlet<T>, OpenError> {
        let lanes_max = self.shared.lanes_max;
        let more = |open| (open < lanes_max).then_some(open + 1);
        self.shared
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .map_err(|_| OpenError::Lanes(lanes_max))?;
        let ring = Arc::new(Ring::listed(capacity));
        let tail = Tail::new(ring.clone());
        if self.shared.list(ring) == Found::Closed {
            return Err(OpenError::Closed);
        }
        Ok(Inlet { tail, shared: self.shared.clone() })
    }
}

impl<T> Clone for Gate<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// What a lane takes, idle or not, but for what its values own: its ring with all slots, and its
/// share of the intake's tables.
#[must_use]
pub const fn lane_memory<T>(capacity: usize) -> usize {
    let counts = 2 * size_of::<usize>(); // of the `Arc`
    size_of::<Ring<T>>()
        + counts.next_multiple_of(align_of::<Ring<T>>())
        + capacity * size_of::<T>()
        + Intake::<T>::LANE_MEMORY
}

/// Why a lane could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The consumer has gone.
    Closed,
    /// So many lanes are open, and no more may be.
    Lanes(usize),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the consumer has gone"),
            Self::Lanes(max) => write!(f, "all {max} lanes are open"),
        }
    }
}

impl std::error::Error for OpenError {}

/// The producer of one lane. Dropping it ends the lane, once the consumer has had all that is left.
pub struct Inlet<T> {
    tail: Tail<T>,
    shared: Arc<Shared<T>>,
}

impl<T> Inlet<T> {
    /// Appends one value.
    ///
    /// # Errors
    /// [`Full`] has the value in it. The other lanes do not notice.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), Full<T>> {
        self.tail.put(value)?;
        self.publish(0);
        Ok(())
    }

    /// Appends from `values` while there is room, publishes once, and says how many. What did not fit
    /// was not taken from the iterator; to keep it in a `VecDeque`, pass
    /// `&mut iter::from_fn(|| backlog.pop_front())`.
    #[inline]
    pub fn push_many(&mut self, values: &mut impl Iterator<Item = T>) -> usize {
        let put = self.tail.put_many(values);
        if put > 0 {
            self.publish(0);
        }
        put
    }

    /// Whether the consumer has gone. What is pushed from now on is dropped with the lane.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.tail.is_closed()
    }

    #[inline]
    fn publish(&self, flags: usize) {
        if self.tail.publish_listed(flags) {
            self.shared.list(self.tail.ring().clone());
        }
    }
}

impl<T> Drop for Inlet<T> {
    fn drop(&mut self) {
        self.publish(GONE);
    }
}

/// What all producers and the consumer share.
pub(super) struct Shared<T> {
    pub(super) ready: ReadyList<T>,
    /// Lanes that are open, or were and have values left. At most `lanes_max`.
    pub(super) open: AtomicUsize,
    lanes_max: usize,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl<T> Shared<T> {
    /// Lists a ring whose `L` the caller has set, and wakes the consumer if that is what it takes.
    #[cold]
    fn list(&self, ring: Arc<Ring<T>>) -> Found {
        let found = self.ready.list(ring);
        if found == Found::Asleep {
            (self.wake)();
        }
        found
    }
}
