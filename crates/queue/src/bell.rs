//! A bell: who looks after much sleeps until somebody rings.
//!
//! ```text
//!   sleeper: lie_down: asleep = true; fence;  is there work? then get_up, else wait for the wake-up
//!   others:  work is there;           fence;  asleep? then, whoever finds it first, wake
//! ```
//!
//! * **not lost**  each side stores, fences and loads: of the sleeper's look at the work and the others' look
//!   at the sleeper at least one sees what the other side has done.
//! * **once**      one ring of those that find the sleeper asleep wakes it, so a busy one costs them a fence and
//!   a load of a line that nobody writes.
//!
//! What is slept on is the sleeper's affair (an eventfd, a parked thread): the bell only calls `wake`. That
//! may happen late, when the sleeper is up again or in its next sleep; so it looks for work after each
//! wake-up and takes none as a promise.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
//! use std::thread;
//!
//! use queue::bell::Bell;
//!
//! let (work, sleeper) = (Arc::new(AtomicUsize::new(0)), thread::current());
//! let bell = Arc::new(Bell::new(move || sleeper.unpark()));
//! let (theirs, rope) = (work.clone(), bell.clone());
//! thread::spawn(move || {
//!     theirs.store(7, Relaxed); // first the work,
//!     rope.ring(); //              then the bell
//! });
//! while work.load(Relaxed) == 0 {
//!     bell.lie_down();
//!     if work.load(Relaxed) == 0 {
//!         thread::park(); // or something with a time-out
//!     }
//!     bell.get_up();
//! }
//! ```

use crate::sync::{AtomicBool, Ordering, fence};

/// See the top of the file.
pub struct Bell<W> {
    asleep: AtomicBool,
    wake: W,
}

impl<W: Fn()> Bell<W> {
    /// A bell that wakes by a call of `wake`, on whichever thread rings.
    pub fn new(wake: W) -> Self {
        Self { asleep: AtomicBool::new(false), wake }
    }

    /// There is work, visible by what was stored before: wakes who sleeps.
    #[inline]
    pub fn ring(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            (self.wake)();
        }
    }

    /// The sleeper is about to sleep. It has to look for work once more, and sleeps if there is none.
    pub fn lie_down(&self) {
        // A store would do: a ring's swap stands right behind what it found, and so before this. Loom does
        // not see that of a store, and of one more swap for each sleep nobody sees anything.
        self.asleep.swap(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// The sleeper does not sleep: it was woken, or found work, or time has passed. A wake-up may be on
    /// its way all the same.
    pub fn get_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// What wakes.
    pub fn wake(&self) -> &W {
        &self.wake
    }
}

#[cfg(test)]
mod tests;
