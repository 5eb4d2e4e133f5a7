//! What is said to whoever reads the log: lines on standard error.
//!
//! ```text
//!   say ─► Limits: is there room in this period? ─► Line: one form of three ─► one write
//! ```
//!
//! * **a line is a line**   what comes from outside is escaped, and cut where it has no end.
//! * **a flood is counted** beyond so many lines of a subject, and so many in all, they are only counted, and
//!   what was counted is said when the period is over. Warnings and errors have room of their own, and so has what people did.
//! * **whole**              a line is one write, so lines of threads do not mix.
//! * **nobody waits**       a thread of its own writes; where its reader is so slow that lines wait for it, what
//!   comes then is counted as well.

mod limits;
mod line;
mod outlet;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use limits::Limits;
pub use limits::{LINES_ALL_MAX, LINES_PEOPLE_MAX, LINES_PERIOD, LINES_ROUTINE_MAX, LINES_SUBJECT_MAX};
use line::{Line, Look};
pub use outlet::LINES_WAITING_MAX;
use outlet::Outlet;

/// What lines about the journal itself are about.
const OWN_SUBJECT: &str = "journal";

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people; with the priorities that journald reads if it is there.
    Text,
    /// An object a line.
    Json,
}

/// How much it matters: the numbers of syslog.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Something does not work.
    Error = 3,
    /// Something may not.
    Warning = 4,
    /// Worth knowing, and rare.
    Notice = 5,
    /// Worth knowing.
    Info = 6,
}

/// Where lines go: standard error. Cloned for each thread.
#[derive(Clone, Debug)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    look: Look,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    limits: Limits,
    out: Box<dyn Write + Send>,
}

impl Journal {
    /// Lines of this form.
    #[must_use]
    pub fn new(form: Form) -> Self {
        let look = match form {
            Form::Json => Look::Json,
            Form::Text if is_read_by_journald() => Look::Priority,
            Form::Text => Look::Time,
        };
        Self::with(look, Box::new(Outlet::open(io::stderr())))
    }

    fn with(look: Look, out: Box<dyn Write + Send>) -> Self {
        let state = State { limits: Limits::default(), out };
        Self { inner: Arc::new(Inner { look, start: Instant::now(), state: Mutex::new(state) }) }
    }

    /// A line: what it is about (`session 192.0.2.1 alias a`), and what is to be said. In [`LINES_PERIOD`] at
    /// most [`LINES_SUBJECT_MAX`] are written of one subject, and [`LINES_ALL_MAX`] of all; then lines that say
    /// how many were not.
    pub fn say(&self, level: Level, subject: &str, text: &dyn fmt::Display) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.start.elapsed();
        self.inner.tell_left_out(&mut state, |limits| limits.settle(now));
        if state.limits.admit(now, level, subject) {
            self.inner.write(&mut state, level, subject, text);
        }
    }

    /// Says what was left out, if a period is over: [`say`](Self::say) does so too, but after a flood there may
    /// be silence. To be called about once in [`LINES_PERIOD`].
    pub fn settle(&self) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.start.elapsed();
        self.inner.tell_left_out(&mut state, |limits| limits.settle(now));
    }
}

impl Inner {
    fn tell_left_out(&self, state: &mut State, end: impl FnOnce(&mut Limits) -> Vec<limits::LeftOut>) {
        for limits::LeftOut { subject, lines } in end(&mut state.limits) {
            let text = match &subject {
                Some(_) => format!("{lines} more lines were left out"),
                None => format!("{lines} more lines about various subjects were left out"),
            };
            self.write(state, Level::Warning, subject.as_deref().unwrap_or(OWN_SUBJECT), &text);
        }
    }

    fn write(&self, state: &mut State, level: Level, subject: &str, text: &dyn fmt::Display) {
        let line = Line { time: Timestamp::now(), level, subject, text };
        if state.out.write_all(line.look(self.look).as_bytes()).is_err() {
            state.limits.lost();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let out: Box<dyn Write + Send> = Box::new(io::sink());
        let last = State { limits: Limits::default(), out };
        let mut state = std::mem::replace(self.state.get_mut().unwrap_or_else(PoisonError::into_inner), last);
        self.tell_left_out(&mut state, Limits::finish);
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("look", &self.look).finish_non_exhaustive()
    }
}

/// Whether journald reads our standard error: it says which file that is, and a child whose output goes elsewhere
/// may have inherited that.
fn is_read_by_journald() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let file = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let Ok(metadata) = file.and_then(|file| file.metadata()) else { return false };
    is_stream(&stream, metadata.dev(), metadata.ino())
}

/// Whether `DEVICE:INODE` is this file.
fn is_stream(stream: &str, device: u64, inode: u64) -> bool {
    let parsed = stream.split_once(':').map(|(device, inode)| (device.parse(), inode.parse()));
    parsed == Some((Ok(device), Ok(inode)))
}
