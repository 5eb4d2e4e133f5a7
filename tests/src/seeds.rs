//! Runs a model for many seeds, on all cores, and says with which one it failed.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What `SIM_SEEDS=from..to` says, or the seeds that everybody runs.
fn asked(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else { return usual };
    let parse = |text: &str| text.parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(from, to)| Some(parse(from)?..parse(to)?));
    range.unwrap_or_else(|| panic!("SIM_SEEDS={text}, expected from..to"))
}

/// Runs the usual seeds, or those that were asked for, and adds up what they have seen. Whether those were
/// enough to expect everything to have been seen that there is.
///
/// # Panics
/// With the panic of the first run that fails.
pub fn run<S: Default + Send>(
    usual: Range<u64>,
    run: impl Fn(u64) -> S + Sync,
    add: impl Fn(&mut S, &S) + Sync,
) -> (S, bool) {
    let seeds = asked(usual.clone());
    let next = AtomicU64::new(seeds.start);
    let seen = Mutex::new(S::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| run(seed))) {
                Ok(one) => add(&mut seen.lock().expect("no panic holds it"), &one),
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
    (seen.into_inner().expect("no panic holds it"), seeds.end - seeds.start >= usual.end - usual.start)
}
