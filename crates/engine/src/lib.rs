//! What holds the stages together.
//!
//! [`core`] is all that thinks: one [`step`](core::Core::step) takes in what routers sent, applies it,
//! appends it to the logs, and brings servers nearer to where they can read those. It has no thread, no
//! clock and no socket, so a whole engine with its servers runs in a test, step by step, from a seed.
//! [`exchange`] carries between it and the writer, whose fleet is as pure: so the test has both.

pub mod clock;
mod control;
pub mod core;
pub mod daemon;
pub mod exchange;
pub mod journal;
pub mod keep;
mod latency;
pub mod metrics;
pub mod picture;
pub mod protocol;
mod roster;
#[cfg(test)]
mod scratch;
pub mod show;
mod sight;
mod slots;
mod telemetry;
pub mod thread;
mod translate;
#[cfg(test)]
mod twin;
mod works;
