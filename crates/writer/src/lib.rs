//! Everything that writes: many servers at once, from one thread.

pub mod check;
pub mod driver;
mod epoll;
mod fault;
pub mod fleet;
pub mod plan;
mod secret;
mod socket;
mod thread;
pub mod twin;
mod uring;

pub use fault::{Fault, Name, Step, Why};
pub use secret::Secret;
pub use thread::{Handle, Io, ORDERS_MAX, REPORTS_MAX, StartError, start};
