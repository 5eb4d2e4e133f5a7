//! Measuring side by side on machines that are never quiet.
//!
//! ```text
//!  round 1   A B C      each does the whole work, in turn: once to warm up, then for TURN
//!  round 2   A B C      so that what else the machine does hits all of them alike
//!  …
//!            medians, least and most; the ratio of A to each, from the rounds' own ratios
//! ```
//!
//! * **own caches**    nobody pays for what the one before left in them: the first pass of a turn is not
//!   timed. Without that the first in a round was up to twice as slow as the second, doing the same.
//! * **answers count** every contender says what it found; another answer than the first one's fails.
//! * **no winner**     is named where the intervals overlap.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The allocator of our binaries, so that everybody here has a good one.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often each contender does the work. Odd, so that a median is one of the rounds.
const ROUNDS: usize = 11;
/// How long a turn takes at least: a hundred times what the clock and a loop cost.
const TURN: Duration = Duration::from_millis(40);

/// One way to do the work: its name, and a function that gives the answer.
pub type Contender<'a> = (&'a str, &'a dyn Fn() -> usize);

/// Whether cargo asked for figures, and not only whether everything still runs.
#[must_use]
pub fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Lets all contenders do the same work in turn and prints how they did. `work` is how many of
/// `unit` one turn has.
///
/// # Panics
/// If a contender's answer is not `answer`.
pub fn versus(title: &str, (work, unit): (f64, &str), answer: usize, contenders: &[Contender<'_>]) {
    let check = |(name, run): &Contender<'_>| {
        let got = black_box(run());
        assert_eq!(got, answer, "{title}: {name} found something else");
    };
    let turn = |contender: &Contender<'_>| {
        check(contender);
        let (start, mut passes) = (Instant::now(), 0.0);
        while start.elapsed() < TURN {
            check(contender);
            passes += 1.0;
        }
        start.elapsed().as_secs_f64() / passes
    };
    if !measuring() {
        contenders.iter().for_each(check);
        return;
    }
    // The first round warms allocators and the clock of the core, and is not counted.
    let rounds: Vec<Vec<f64>> = (0..=ROUNDS).map(|_| contenders.iter().map(turn).collect()).skip(1).collect();
    println!("\n{title}: median [least..most] of {ROUNDS} rounds, all contenders in each");
    for (at, (name, _)) in contenders.iter().enumerate() {
        let rate = Spread::of(rounds.iter().map(|round| work / round[at]));
        print!("  {name:<14} {:>9.2} [{:.2}..{:.2}] {unit}/s", rate.median, rate.least, rate.most);
        if at > 0 {
            let ratio = Spread::of(rounds.iter().map(|round| round[at] / round[0]));
            let verdict = if ratio.least > 1.0 || ratio.most < 1.0 { "" } else { ", no winner" };
            print!(
                "   {} is {:.2} [{:.2}..{:.2}] times as fast{verdict}",
                contenders[0].0, ratio.median, ratio.least, ratio.most
            );
        }
        println!();
    }
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { least: values[0], median: values[values.len() / 2], most: values[values.len() - 1] }
    }
}
