//! Blocks of memory that go from segment to segment, and who holds how much of it.

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::shim::{ArrayQueue, AtomicU32, Track};
use super::{POOLED_MAX, SEGMENT_LEN};

/// Grains of a block at most; see the story of the log.
const GRAINS: usize = 512;

/// Where the segments of any number of logs come from and go back to. Clones are the same pool.
///
/// A segment comes back from whichever thread lets go of it last, and is taken by whichever mirror
/// needs one: crossbeam's `ArrayQueue` is that, bounded, without locks or allocation, and hands back
/// what it has no place for, which is then freed. What the pool holds is freed with the last of its
/// handles, logs and segments.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Shelf>);

pub(super) struct Shelf {
    segment_len: usize,
    blocks: ArrayQueue<Block>,
    /// Octets of all blocks there are. This and the next are figures, not signals: relaxed.
    allocated: AtomicUsize,
    /// Octets of the blocks that logs keep.
    retained: AtomicUsize,
}

/// Who holds a pool's memory, in octets. A figure for people: its parts are not of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Kept by the logs, within their budgets.
    pub retained: usize,
    /// Out of retention, and kept by readers that stand there and by chunks in flight.
    pub stragglers: usize,
    /// Waiting for the next use.
    pub pooled: usize,
}

impl Pool {
    /// Segments of `segment_len` octets, of which at most `pooled_max` wait for their next use.
    ///
    /// # Panics
    /// If either is zero or a segment has 4 GiB or more.
    #[must_use]
    pub fn new(segment_len: usize, pooled_max: usize) -> Self {
        assert!(segment_len > 0 && u32::try_from(segment_len).is_ok(), "segments of {segment_len} octets");
        let blocks = ArrayQueue::new(pooled_max);
        let (allocated, retained) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Shelf { segment_len, blocks, allocated, retained }))
    }

    /// Octets of a segment.
    #[must_use]
    pub fn segment_len(&self) -> usize {
        self.0.segment_len
    }

    /// Who holds how much.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let pooled = self.0.blocks.len() * self.0.segment_len;
        let retained = self.0.retained.load(Ordering::Relaxed);
        let allocated = self.0.allocated.load(Ordering::Relaxed);
        Usage { retained, stragglers: allocated.saturating_sub(retained + pooled), pooled }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(SEGMENT_LEN, POOLED_MAX)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.usage()).finish()
    }
}

impl Shelf {
    /// A block of `len` octets: a used one if it has the usual length.
    pub(super) fn take(&self, len: usize) -> Block {
        let used = if len == self.segment_len { self.blocks.pop() } else { None };
        used.unwrap_or_else(|| {
            self.allocated.fetch_add(len, Ordering::Relaxed);
            Block::new(len)
        })
    }

    /// Takes back a block that nobody looks at any more.
    pub(super) fn give(&self, block: Block) {
        let len = block.len();
        if len != self.segment_len || self.blocks.push(block).is_err() {
            self.allocated.fetch_sub(len, Ordering::Relaxed);
        }
    }

    /// A log keeps `now` octets and no longer `before`.
    pub(super) fn retain(&self, before: usize, now: usize) {
        self.retained.fetch_add(now, Ordering::Relaxed);
        self.retained.fetch_sub(before, Ordering::Relaxed);
    }
}

/// Memory for octets, and for where commits end in it.
pub(super) struct Block {
    octets: NonNull<[u8]>,
    /// For each grain, where the commit ends that has the grain's first octet. A mark is good if that
    /// octet has been published; what lies beyond is of an earlier use.
    pub(super) marks: Box<[AtomicU32]>,
    /// Octets of a grain, as a power of two.
    pub(super) grain_log2: u32,
    pub(super) track: Track,
}

// SAFETY: a block owns its octets as a `Box<[u8]>` does. It gives out only raw pointers; that they are
// used without conflict is promised where they are (*one writer*, *frozen*, *published*).
unsafe impl Send for Block {}
// SAFETY: as above; `marks` are atomics, and `track` does nothing outside of models.
unsafe impl Sync for Block {}

impl Block {
    fn new(len: usize) -> Self {
        let grain = len.div_ceil(GRAINS).next_power_of_two();
        let octets = Box::into_raw(vec![0; len].into_boxed_slice());
        Self {
            octets: NonNull::new(octets).expect("a box is somewhere"),
            marks: (0..len.div_ceil(grain)).map(|_| AtomicU32::new(0)).collect(),
            grain_log2: grain.trailing_zeros(),
            track: Track::new(len),
        }
    }

    /// No memory, to stand in for a block that went away.
    pub(super) fn none() -> Self {
        let octets = NonNull::slice_from_raw_parts(NonNull::dangling(), 0);
        Self { octets, marks: Box::new([]), grain_log2: 0, track: Track::new(0) }
    }

    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    /// The first of `len()` octets, all initialised (*zeroed once*), at the same place for as long as
    /// the block is.
    pub(super) fn octets(&self) -> *mut u8 {
        self.octets.as_ptr().cast()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: `new` got it from a box of this length, or it is the dangling pointer to no octets
        // that an empty box is; and this is the only drop.
        drop(unsafe { Box::from_raw(self.octets.as_ptr()) });
    }
}
