//! What crosses threads, and nothing that knows what it carries.
//!
//! * [`ring`] brings values of many peers to one thread: bounded, lock-free, fair, without polling.
//! * [`log`]  brings what one thread writes to many: once in memory, bounded by construction.
//! * [`bell`] wakes a thread that looks after many of these, if it sleeps.
//!
//! One of the two crates with `unsafe`: each block says which named invariant it leans on, and loom
//! tries the orders in which threads can meet (`RUSTFLAGS="--cfg loom" cargo test -p heliograph-queue
//! --release --lib loom`).

pub mod bell;
pub mod log;
pub mod ring;
mod sync;
