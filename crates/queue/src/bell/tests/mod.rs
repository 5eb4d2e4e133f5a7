//! Bells by hand, across threads, and every schedule of small ones.

#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod threads;
