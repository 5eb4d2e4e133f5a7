//! The model: routers, an engine, a writer and servers in one thread, from a seed.
//!
//! ```text
//!  tests::router ──► lanes ──► engine::core ──► exchange ──► writer's fleet ──► twin ──► tests::station
//!   naive tables                                                               rebuilt tables
//!        └─────────────────────────── equal at every quiet point ──────────────────┘
//! ```
//!
//! Routers live, lose their connection and come back. Servers refuse, are silent, stall, read at any speed and
//! cut at any octet, reset, go away and return; they want all or a part; logs are so short that falling off
//! is common. What the mirror's and the writer's threads tell each other comes late, and so do wake-ups.
//!
//! * **exact**    at a quiet point each server holds its router's table, every octet of it, and has heard of
//!   every end of RIB and the latest statistics. The RIB has as many paths as the routers have.
//! * **lawful**   at every octet: the station's rules, among them that no route goes back to what it was.
//! * **bounded**  at every step the logs hold no more than their budgets and what readers stand in.
//! * **clean**    when all have gone, nothing is left of any route.
//!
//! `SIM_SEEDS=7..8 cargo test --release --workspace model` runs seed 7; with `SIM_TRACE=1` it prints what
//! went over the wire.

mod server;
mod sim;
mod trace;

use std::ops::Range;

use sim::{Seen, Sim};

/// The seeds that everybody runs.
const SEEDS: Range<u64> = 0..500;

#[test]
fn model() {
    let (seen, enough) = tests::seeds::run(SEEDS, |seed| Sim::new(seed).run(), Seen::add);
    println!("{seen:?}");
    // What no seed brings about is not tested: a model that never falls off proves nothing.
    if enough {
        seen.check();
    }
}
