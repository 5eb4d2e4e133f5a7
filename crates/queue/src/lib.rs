//! What crosses threads, and nothing that knows what it carries.
//!
//! * [`ring`] brings values of many peers to one thread: bounded, lock-free, fair, without polling.
//! * [`log`]  brings what one thread writes to many: once in memory, bounded by construction.
//!
//! One of the two crates with `unsafe`: each block says which named invariant it leans on, and loom
//! tries the orders in which threads can meet (`RUSTFLAGS="--cfg loom" cargo test -p heliograph-queue
//! --release --lib loom`).

pub mod log;
pub mod ring;
mod sync;
