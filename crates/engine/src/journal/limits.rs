//! How many lines are written: a period's budget, and what went beyond it.
//!
//! * **bounded**  a subject is remembered while lines of it were written in this period, so there are never
//!   more than [`LINES_ALL_MAX`] of them.
//! * **counted**  each line is written, or part of a number that will be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Level;

/// For how long lines are counted together.
pub const LINES_PERIOD: Duration = Duration::from_secs(10);
/// Lines of one subject in a period: a session that cannot be reached says three in that time.
pub const LINES_SUBJECT_MAX: u32 = 20;
/// Lines of all subjects in a period: a restart with 200 sessions is told in full.
pub const LINES_ALL_MAX: u32 = 1000;
/// Among them those that are neither warnings nor errors: the rest is kept for these.
pub const LINES_ROUTINE_MAX: u32 = 800;

/// What people did, and what came of it: however much routers and servers have to say, this is said.
const PEOPLE: [&str; 3] = ["configuration", "engine", "shells"];
/// Lines of those in a period.
pub const LINES_PEOPLE_MAX: u32 = 500;

/// What was written in this period, and what was not.
#[derive(Default)]
pub(super) struct Limits {
    /// When the period began.
    from: Duration,
    written: u32,
    /// Of what people did.
    people: u32,
    left_out: u64,
    subjects: BTreeMap<Box<str>, Subject>,
}

#[derive(Default)]
struct Subject {
    written: u32,
    left_out: u64,
}

/// Lines that were not written.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct LeftOut {
    /// About what; `None`: about all sorts of subjects.
    pub(super) subject: Option<Box<str>>,
    pub(super) lines: u64,
}

impl Limits {
    /// A line that was to be written was not.
    pub(super) fn lost(&mut self) {
        self.left_out += 1;
    }

    /// Whether a line is to be written.
    pub(super) fn admit(&mut self, now: Duration, level: Level, subject: &str) -> bool {
        if self.written + self.people == 0 {
            // A period begins with its first line: so a flood is cut at its beginning, not at a clock's tick.
            self.from = now;
        }
        if PEOPLE.contains(&subject) && self.people < LINES_PEOPLE_MAX {
            self.people += 1;
            return true;
        }
        if let Some(known) = self.subjects.get_mut(subject)
            && known.written >= LINES_SUBJECT_MAX
        {
            known.left_out += 1;
            return false;
        }
        let max = if level <= Level::Warning { LINES_ALL_MAX } else { LINES_ROUTINE_MAX };
        if self.written >= max {
            self.left_out += 1;
            return false;
        }
        self.written += 1;
        self.subjects.entry(subject.into()).or_default().written += 1;
        true
    }

    /// If the period is over: what was left out in it.
    pub(super) fn settle(&mut self, now: Duration) -> Vec<LeftOut> {
        if self.written + self.people > 0 && now >= self.from + LINES_PERIOD {
            self.finish()
        } else {
            Vec::new()
        }
    }

    /// Ends the period: what was left out in it.
    pub(super) fn finish(&mut self) -> Vec<LeftOut> {
        let Self { left_out, subjects, .. } = std::mem::take(self);
        let of_subjects = subjects
            .into_iter()
            .map(|(subject, known)| LeftOut { subject: Some(subject), lines: known.left_out });
        let of_all = LeftOut { subject: None, lines: left_out };
        of_subjects.chain([of_all]).filter(|left_out| left_out.lines > 0).collect()
    }

    /// Those that are remembered.
    #[cfg(test)]
    pub(super) fn subjects(&self) -> usize {
        self.subjects.len()
    }
}
