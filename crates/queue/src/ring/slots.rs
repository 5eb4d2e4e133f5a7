//! What the two sides of a ring share: slots and two words. The invariants are those of `spsc`.

use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use super::ready::Link;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};

/// What both sides share.
pub(super) struct Ring<T> {
    pub(super) slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// What hangs the ring on a ready-list; unused if it stands alone.
    pub(super) link: Link<T>,
    pub(super) tail: CachePadded<AtomicUsize>,
    pub(super) head: CachePadded<AtomicUsize>,
}

// SAFETY: *owned* and *one hand each*: a slot is touched by one side at a time, which hands it over
// with release and acquire. Values cross threads, references to them do not: hence `Send` suffices.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize, tail: usize) -> Self {
        assert!(capacity.is_power_of_two() && capacity <= CAPACITY_MAX, "a capacity of {capacity}");
        Self {
            slots: (0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(),
            link: Link::new(),
            tail: CachePadded::new(AtomicUsize::new(tail)),
            head: CachePadded::new(AtomicUsize::new(tail & !FLAGS)),
        }
    }

    /// A ring with `L` set: its maker hangs it on the list.
    pub(super) fn listed(capacity: usize) -> Self {
        Self::new(capacity, LISTED)
    }

    #[inline]
    pub(super) fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.slots[(position / STEP) & (self.slots.len() - 1)]
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let tail = self.tail.load(Ordering::Relaxed) & !FLAGS;
        let mut head = self.head.load(Ordering::Relaxed) & !FLAGS;
        while head != tail {
            // SAFETY: *owned* and *lag*: both sides published before they left, so exactly the slots
            // in `head..tail` are initialised, and each is visited once.
            self.slot(head).with_mut(|slot| unsafe { (*slot).assume_init_drop() });
            head = head.wrapping_add(STEP);
        }
    }
}

#[inline]
pub(super) const fn distance(from: usize, to: usize) -> usize {
    to.wrapping_sub(from) / STEP
}

/// In either word: its owner has gone, and this is its last position.
pub(super) const GONE: usize = 1;
/// In `tail`: on the ready-list, or in the consumer's round.
pub(super) const LISTED: usize = 2;
pub(super) const FLAGS: usize = GONE | LISTED;
/// One slot further. The positions wrap at a multiple of every capacity.
pub(super) const STEP: usize = 4;
/// So that full and empty stay apart, with room to spare.
const CAPACITY_MAX: usize = 1 << (usize::BITS - 4);
