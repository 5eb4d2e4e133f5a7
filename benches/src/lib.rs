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

pub mod table;

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

/// One way to do work that has to be prepared first: what is not to be timed it does before it starts
/// its own clock. It gives the answer, and how long that took.
pub type Prepared<'a> = (&'a str, &'a dyn Fn() -> (usize, Duration));

/// What is printed of a turn.
#[derive(Clone, Copy, Debug)]
pub enum Figure<'a> {
    /// So many of a unit are done in it: how many of them a second.
    Rate(f64, &'a str),
    /// How long it takes, in a unit of which a second has so many.
    Time(f64, &'a str),
}

impl Figure<'_> {
    fn of(&self, seconds: f64) -> f64 {
        match self {
            Self::Rate(work, _) => work / seconds,
            Self::Time(scale, _) => seconds * scale,
        }
    }

    fn unit(&self) -> String {
        match self {
            Self::Rate(_, unit) => format!("{unit}/s"),
            Self::Time(_, unit) => (*unit).to_owned(),
        }
    }
}

/// Time that a thread has worked: what went by, less what it waited for a core that others had. With it
/// a single turn, or the longest of many steps, says something on a machine that others use too.
#[derive(Debug)]
pub struct Watch {
    began: Instant,
    waited: Duration,
}

impl Watch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        let waited = waited();
        Self { began: Instant::now(), waited }
    }

    /// What this thread has worked since.
    #[must_use]
    pub fn worked(&self) -> Duration {
        let went_by = self.began.elapsed();
        went_by.saturating_sub(waited().saturating_sub(self.waited))
    }
}

/// How long this thread has been ready to run and did not, as Linux counts it; nothing where it does not.
fn waited() -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = counted.and_then(|counted| counted.split(' ').nth(1)?.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
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
    let names: Vec<&str> = contenders.iter().map(|(name, _)| *name).collect();
    report(title, &[Figure::Rate(work, unit)], &names, |at| turn(&contenders[at]));
}

/// The same for work that has to be prepared, one pass a turn: it should take some milliseconds.
///
/// # Panics
/// If a contender's answer is not `answer`.
pub fn versus_prepared(title: &str, figures: &[Figure<'_>], answer: usize, contenders: &[Prepared<'_>]) {
    let turn = |(name, run): &Prepared<'_>| {
        let (got, took) = black_box(run());
        assert_eq!(got, answer, "{title}: {name} found something else");
        took.as_secs_f64()
    };
    if !measuring() {
        contenders.iter().for_each(|contender| _ = turn(contender));
        return;
    }
    let names: Vec<&str> = contenders.iter().map(|(name, _)| *name).collect();
    report(title, figures, &names, |at| turn(&contenders[at]));
}

/// Goes round so often, and prints what came of it; a turn gives its seconds.
fn report(title: &str, figures: &[Figure<'_>], names: &[&str], turn: impl Fn(usize) -> f64) {
    // The first round warms allocators and the clock of the core, and is not counted.
    let rounds: Vec<Vec<f64>> = (0..=ROUNDS).map(|_| (0..names.len()).map(&turn).collect()).skip(1).collect();
    println!("\n{title}: median [least..most] of {ROUNDS} rounds, all contenders in each");
    for (at, name) in names.iter().enumerate() {
        for (nth, figure) in figures.iter().enumerate() {
            let Spread { least, median, most } = Spread::of(rounds.iter().map(|round| figure.of(round[at])));
            let name = if nth == 0 { name } else { "" };
            print!("  {name:<14} {median:>9.2} [{least:.2}..{most:.2}] {}", figure.unit());
            if at > 0 && nth == 0 {
                let ratio = Spread::of(rounds.iter().map(|round| round[at] / round[0]));
                let verdict = if ratio.least > 1.0 || ratio.most < 1.0 { "" } else { ", no winner" };
                print!(
                    "   {} is {:.2} [{:.2}..{:.2}] times as fast{verdict}",
                    names[0], ratio.median, ratio.least, ratio.most
                );
            }
            println!();
        }
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
