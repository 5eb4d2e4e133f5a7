//! What crosses threads.

pub mod log;
pub mod ring;
mod sync;
