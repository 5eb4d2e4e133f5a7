//! The model of the fleet: an engine as simple as can be, a fleet, and the servers of a twin, in one thread,
//! from a seed.
//!
//! ```text
//!   engine ── orders ──► Fleet<Twin> ── sends ──► servers
//!     ▲  ╰ feeds, pieces      │                      │ octets
//!     ╰────── reports ────────╯                      ▼
//!     what was handed over, by connection ══════ the same, as far as it came
//! ```
//!
//! The fleet is called when an order, an event that wakes, news of a log or its own deadline says so, and never
//! because it might be good. Servers stall, reset, end, talk, refuse, keep silent and connect by themselves.
//!
//! * **in order**   what a server has is a prefix of what was handed over for its connection, every octet once.
//! * **whole**      a reader falls off, and takes leave, between messages; the farewell is the last.
//! * **up and down** Up, then Down, then Up; Failed only where there was no Up; lives only grow.
//! * **in time**    back-offs, and the limits for answers, stalls and drains: neither early nor late.
//! * **gets there** when servers are well and nobody meddles, everyone who should be connected is and has all.
//! * **bounded**    no connection begins while [`REPORTS_HELD`](writer::fleet::REPORTS_HELD) reports wait.
//! * **clean**      when all have gone, nobody holds a segment, a connection or a key.
//!
//! `SIM_SEEDS=7..8 cargo test -p heliograph-writer --test model` runs seed 7; with `SIM_TRACE=1` it prints what
//! is ordered, called, told and reported.

mod engine;
mod sim;

use std::ops::Range;

use engine::Seen;
use sim::Sim;

/// The seeds that everybody runs.
const SEEDS: Range<u64> = 0..300;

#[test]
fn model() {
    let (seen, enough) = tests::seeds::run(SEEDS, |seed| Sim::new(seed).run(), Seen::add);
    println!("{seen:?}");
    // What no seed brings about is not tested.
    if enough {
        seen.check();
    }
}
