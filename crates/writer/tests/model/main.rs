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
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use engine::Seen;
use sim::Sim;

/// The seeds that everybody runs.
const SEEDS: Range<u64> = 0..300;

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
    // What no seed brings about is not tested.
    if seeds.end - seeds.start >= SEEDS.end - SEEDS.start {
        seen.check();
    }
}
