//! What a thread has used.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::kernel::Calls;

/// Where a sender stood at one moment, as it found itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    /// User and system time of the thread that sends.
    pub(crate) cpu: Duration,
    /// Octets that the kernel has taken from it.
    pub(crate) octets: u64,
    /// In so many sends that were completed.
    pub(crate) sends: u64,
    /// System calls it has made, where they are counted.
    pub(crate) calls: u64,
}

impl Mark {
    /// Taken on the thread that sends.
    pub(crate) fn here(octets: u64, sends: u64, calls: Option<&Calls>) -> Self {
        Self { at: Instant::now(), cpu: thread_cpu(), octets, sends, calls: calls.map_or(0, Calls::read) }
    }
}

/// What was done between two marks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) octets: f64,
    pub(crate) sends: f64,
    pub(crate) calls: f64,
}

impl Spell {
    #[expect(clippy::cast_precision_loss, reason = "figures")]
    pub(crate) fn between(from: Mark, to: Mark) -> Self {
        Self {
            wall: (to.at - from.at).as_secs_f64(),
            cpu: (to.cpu - from.cpu).as_secs_f64(),
            octets: (to.octets - from.octets) as f64,
            sends: (to.sends - from.sends) as f64,
            calls: (to.calls - from.calls) as f64,
        }
    }
}

/// User and system time of this thread.
pub(crate) fn thread_cpu() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.cast_unsigned(), u32::try_from(used.tv_nsec).expect("below a second"))
}

/// Time of all threads that a ring has made to do our work: there should be none.
pub(crate) fn helpers_cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let used = tasks.filter_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let spent = fs::read_to_string(task.path().join("schedstat")).ok()?;
        name.starts_with("iou-").then(|| spent.split(' ').next()?.parse::<u64>().ok()).flatten()
    });
    Duration::from_nanos(used.sum())
}

/// Octets of memory that a process has.
pub(crate) fn resident(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// The median of several, the least and the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        // What took no time that could be told has no rate.
        let told = |value: f64| if value.is_finite() { value } else { 0.0 };
        let mut values: Vec<f64> = values.into_iter().map(told).collect();
        values.sort_by(f64::total_cmp);
        let median = values[values.len() / 2];
        Self { median, min: values[0], max: values[values.len() - 1] }
    }

    pub(crate) fn json(&self) -> String {
        let Self { median, min, max } = self;
        format!("{{\"median\":{median:.4},\"min\":{min:.4},\"max\":{max:.4}}}")
    }
}
