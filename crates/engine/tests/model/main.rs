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
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sim::{Seen, Sim};

/// The seeds that everybody runs.
const SEEDS: Range<u64> = 0..500;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else { return SEEDS };
    let parse = |text: &str| text.parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(from, to)| Some(parse(from)?..parse(to)?));
    range.unwrap_or_else(|| panic!("SIM_SEEDS={text}, expected from..to"))
}

#[test]
fn model() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let seen = Mutex::new(Seen::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| Sim::new(seed).run())) {
                Ok(run) => seen.lock().expect("no panic holds it").add(&run),
                Err(panic) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    eprintln!("the model failed: SIM_SEEDS={seed}..{}", seed + 1);
                    resume_unwind(panic);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let seen = seen.into_inner().expect("no panic holds it");
    println!("{seen:?}");
    // What no seed brings about is not tested: a model that never falls off proves nothing.
    if seeds.end - seeds.start >= SEEDS.end - SEEDS.start {
        seen.check();
    }
}
