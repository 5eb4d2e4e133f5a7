//! The per-peer queues: from many sources to one mirror thread, bounded, lock-free and fair.
//!
//! ```text
//!  source threads                                                         mirror thread
//!  Gate::open ──► Inlet ─push─► [ ring ] ─┐                      ┌─► Event::Opened
//!                 Inlet ─push─► [ ring ] ─┼─ ready-list ─► round ┼─► Event::Value, by quanta
//!                 Inlet ─push─► [ ring ] ─┘     (idle lanes      └─► Event::Ended
//!                   ▲      │                    are nowhere)   ▲
//!                   └ Full(value)               wake ──────────┘ once per sleep
//! ```
//!
//! A *lane* is one peer's way in: a ring, its [`Inlet`], and its place in the [`Intake`]. The parts,
//! each with its invariants at the top of its file:
//!
//! * `spsc`  the ring, with `slots`: *bounded*, *owned*, *one hand each*, *lag*, *last word*;
//! * `ready` the list of lanes with work: *one word*, *once*, *counted*, *taken whole*;
//! * `lanes` what opens lanes and pushes;
//! * `drain` the round: *fair*, *exact*, *told*.
//!
//! What a push costs: the write of a slot and one locked instruction, the swap of `tail`, which tells
//! at the same time whether the consumer rests; a batch costs one of them too. What an idle lane
//! costs: memory ([`lane_memory`]) and no time at all.
//!
//! Why not `crossbeam_queue::ArrayQueue` for the ring: many may push and pop there, which takes a
//! compare-and-swap and a stamp in the slot for each value on each side, it has no batches, and
//! neither side learns that the other has gone. `benches/queue.rs` has the figures.
//!
//! ```
//! use queue::ring::{Cost, Event, Full, Settings, intake};
//!
//! struct Record(Vec<u8>);
//! impl Cost for Record {
//!     fn cost(&self) -> usize {
//!         self.0.len()
//!     }
//! }
//!
//! let mirror = std::thread::current();
//! let settings = Settings { lanes_max: 100, quantum: 4096 };
//! let (gate, mut intake) = intake::<Record>(settings, move || mirror.unpark());
//!
//! let source = std::thread::spawn(move || {
//!     let mut inlet = gate.open(8).expect("one of a hundred");
//!     for n in 0..100 {
//!         let mut record = Record(vec![n; 10]);
//!         while let Err(Full(back)) = inlet.push(record) {
//!             record = back; // a source would stop reading its socket instead
//!             std::thread::yield_now();
//!         }
//!     }
//! });
//!
//! let mut seen = Vec::new();
//! let mut ended = false;
//! while !ended {
//!     let drained = intake.drain(64 << 10, |_lane, event| match event {
//!         Event::Opened => {}
//!         Event::Value(record) => seen.push(record.0[0]),
//!         Event::Ended => ended = true,
//!     });
//!     if !drained.more && !ended && intake.prepare_sleep() {
//!         std::thread::park();
//!     }
//! }
//! assert_eq!(seen, (0..100).collect::<Vec<_>>());
//! # source.join().unwrap();
//! ```

mod drain;
mod lanes;
mod ready;
mod slots;
pub mod spsc;

pub use drain::{Drained, Event, Intake};
pub use lanes::{Gate, Inlet, OpenError, Settings, intake, lane_memory};

use std::fmt;

/// What a value costs the consumer, in octets: the measure of a fair share.
pub trait Cost {
    /// Asked before the value passes, and again in each visit that does not cover it; none counts as
    /// less than one.
    fn cost(&self) -> usize;
}

/// Which lane. An index is used again after [`Event::Ended`], with another generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    index: usize,
    generation: u32,
}

impl Lane {
    /// Dense, below the `lanes_max` of the [`Settings`]: for tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index
    }

    /// How many lanes had this index before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

/// No room: here is the value back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// Does without `T: Debug`: refusals are counted, not printed.
impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring is full")
    }
}

impl<T> std::error::Error for Full<T> {}

#[cfg(test)]
mod tests;
