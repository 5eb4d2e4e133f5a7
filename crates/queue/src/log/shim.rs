//! What loom has no twin for, so that it sees the edges that the real things promise.
//!
//! * `Arc` and `Weak` are std's. In a model, the strong count is loom's and is used with the orderings
//!   that std documents, and the value dies with it; how the header dies is left to std.
//! * `ArrayQueue` is crossbeam's. In a model it is a lock around a vector: what a push did is seen by
//!   the pop that finds it, which is what crossbeam promises too.
//! * `OnceLock` is std's. In a model it is a cell that loom watches, and so stricter: the log looks only
//!   where it knows that the value is set.
//! * `Track` is nothing. In a model it has a cell for each octet of a block, and whoever reads or
//!   writes octets says so; loom fails where one has not happened before the other.
//!
//! So the models prove the log, given that std and crossbeam keep their word, and not those two.

#[cfg(not(loom))]
pub(super) use self::real::{Arc, ArrayQueue, AtomicU32, OnceLock, Track, Weak};

#[cfg(loom)]
pub(super) use self::model::{Arc, ArrayQueue, AtomicU32, OnceLock, Track, Weak};

#[cfg(not(loom))]
mod real {
    pub(crate) use crossbeam_queue::ArrayQueue;
    pub(crate) use std::sync::atomic::AtomicU32;
    pub(crate) use std::sync::{Arc, OnceLock, Weak};

    use std::ops::Range;

    pub(crate) struct Track;

    impl Track {
        pub(crate) fn new(_: usize) -> Self {
            Self
        }

        #[inline(always)]
        pub(crate) fn reads(&self, _: Range<usize>) {}

        #[inline(always)]
        pub(crate) fn writes(&self, _: Range<usize>) {}
    }
}

#[cfg(loom)]
mod model {
    pub(crate) use loom::sync::atomic::AtomicU32;

    use std::cell::UnsafeCell;
    use std::ops::{Deref, Range};
    use std::sync;

    use loom::sync::Mutex;
    use loom::sync::atomic::{AtomicUsize, Ordering, fence};

    pub(crate) struct Track(Vec<loom::cell::UnsafeCell<()>>);

    impl Track {
        pub(crate) fn new(len: usize) -> Self {
            Self((0..len).map(|_| loom::cell::UnsafeCell::new(())).collect())
        }

        pub(crate) fn reads(&self, range: Range<usize>) {
            self.0[range].iter().for_each(|cell| cell.with(|_| ()));
        }

        pub(crate) fn writes(&self, range: Range<usize>) {
            self.0[range].iter().for_each(|cell| cell.with_mut(|_| ()));
        }
    }

    pub(crate) struct ArrayQueue<T>(Mutex<Vec<T>>, usize);

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            Self(Mutex::new(Vec::new()), capacity)
        }

        pub(crate) fn push(&self, value: T) -> Result<(), T> {
            let mut values = self.0.lock().expect("no panic inside");
            if values.len() == self.1 {
                return Err(value);
            }
            values.push(value);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.0.lock().expect("no panic inside").pop()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.lock().expect("no panic inside").len()
        }
    }

    pub(crate) struct OnceLock<T>(loom::cell::UnsafeCell<Option<T>>);

    // SAFETY: loom fails where `set` has not happened before `get`.
    unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self(loom::cell::UnsafeCell::new(None))
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            // SAFETY: as above.
            self.0.with_mut(|slot| unsafe { (*slot).replace(value) }).map_or(Ok(()), Err)
        }

        pub(crate) fn get(&self) -> Option<&T> {
            // SAFETY: as above, and it is set once.
            self.0.with(|slot| unsafe { (*slot).as_ref() })
        }
    }

    struct Inner<T> {
        strong: AtomicUsize,
        value: UnsafeCell<Option<T>>,
    }

    // SAFETY: the value is shared while `strong` counts owners, and taken by the last of them alone.
    unsafe impl<T: Send + Sync> Sync for Inner<T> {}

    pub(crate) struct Arc<T>(sync::Arc<Inner<T>>);

    pub(crate) struct Weak<T>(sync::Weak<Inner<T>>);

    impl<T> Arc<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Arc::new(Inner { strong: AtomicUsize::new(1), value: UnsafeCell::new(Some(value)) }))
        }

        pub(crate) fn downgrade(this: &Self) -> Weak<T> {
            Weak(sync::Arc::downgrade(&this.0))
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            self.0.strong.fetch_add(1, Ordering::Relaxed);
            Self(self.0.clone())
        }
    }

    impl<T> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: as long as an owner lives, nobody takes the value.
            unsafe { (*self.0.value.get()).as_ref().expect("an owner lives") }
        }
    }

    impl<T> Drop for Arc<T> {
        fn drop(&mut self) {
            if self.0.strong.fetch_sub(1, Ordering::Release) == 1 {
                fence(Ordering::Acquire);
                // SAFETY: the last owner; `upgrade` makes no more of them from a count of zero.
                drop(unsafe { (*self.0.value.get()).take() });
            }
        }
    }

    impl<T> Weak<T> {
        pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
            let inner = self.0.upgrade()?;
            let mut count = inner.strong.load(Ordering::Relaxed);
            while count > 0 {
                let more = inner.strong.compare_exchange_weak(
                    count,
                    count + 1,
                    Ordering::Acquire,
                    Ordering::Relaxed,
                );
                match more {
                    Ok(_) => return Some(Arc(inner)),
                    Err(now) => count = now,
                }
            }
            None
        }

        pub(crate) fn strong_count(&self) -> usize {
            self.0.upgrade().map_or(0, |inner| inner.strong.load(Ordering::Relaxed))
        }
    }
}
