//! The running configuration, what it was before, and a trial that may end.
//!
//! ```text
//!   before ─► commit ─► commit ─► … ─► commit            what is running is what the last one made it
//!   (what was before                   └ on trial: taken back when its time is up, unless confirmed
//!    the oldest that is kept)
//! ```
//!
//! * **one id, one configuration**  an id is given once and, while the engine runs, never again, so whoever remembers the id of what was
//!   running knows by it whether that is still so. Where a trial is taken back its commits go, and the id is
//!   that of the commit before it.
//! * **whose trial**  while a trial runs, only the shell that began it commits anything else, and a commit of its own
//!   that is no trial itself confirms it; another trial begins its time anew and goes back just as far. Anybody
//!   may confirm what is running as it is, or take it back.
//! * **bounded**  [`COMMITS_MAX`] commits are kept, and the configuration before them.

mod list;
mod text;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::shell::Proposal;
use crate::tree::Tree;

/// Commits that are kept.
pub const COMMITS_MAX: usize = 10;

/// The id before the first: VRP counts from 1000000001.
const ID_BEFORE: u32 = 1_000_000_000;

/// Who commits what a file says.
const FILE_USER: &str = "heliograph";

/// The running configuration and what it was before.
#[derive(Debug)]
pub struct Store {
    running: Arc<Tree>,
    /// The oldest comes first.
    commits: VecDeque<Commit>,
    /// What the configuration was before the oldest commit that is kept, and its id.
    before: (u32, Arc<Tree>),
    next_id: u32,
    trial: Option<Trial>,
    /// What its file holds.
    saved: Arc<Tree>,
}

/// A commit: what the configuration was from then on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Counted up, from 1000000001 as VRP does.
    pub id: u32,
    /// What it was called.
    pub label: Option<Arc<str>>,
    /// Who did it.
    pub user: Arc<str>,
    /// By which line: `shell`, `file`, `rollback`.
    pub line: Arc<str>,
    /// When.
    pub time: Timestamp,
    /// What it was said to be.
    pub description: Option<Arc<str>>,
    /// What the configuration was from then on.
    pub tree: Arc<Tree>,
}

/// A commit that will be taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trial {
    /// When.
    pub until: Timestamp,
    /// To what.
    pub back: Arc<Tree>,
    /// Whose it is.
    pub user: Arc<str>,
    /// In which shell it began.
    pub shell: u64,
    /// The id of what it goes back to: younger commits go with it.
    back_id: u32,
}

/// To which configuration of before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rollback<'a> {
    /// What the commit of this id made.
    Id(u32),
    /// What was before the last so many commits.
    Last(usize),
    /// What the commit of this label made.
    Label(&'a str),
}

impl Store {
    /// It begins with what was loaded, and no commit.
    #[must_use]
    pub fn new(running: Tree) -> Self {
        let running = Arc::new(running);
        Self {
            saved: Arc::clone(&running),
            before: (ID_BEFORE, Arc::clone(&running)),
            running,
            commits: VecDeque::new(),
            next_id: ID_BEFORE + 1,
            trial: None,
        }
    }

    /// The running configuration.
    #[must_use]
    pub fn running(&self) -> &Arc<Tree> {
        &self.running
    }

    /// The id of the running configuration: the last commit's.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.commits.back().map_or(self.before.0, |commit| commit.id)
    }

    /// The commits that are kept; the youngest comes first.
    pub fn commits(&self) -> impl Iterator<Item = &Commit> {
        self.commits.iter().rev()
    }

    /// Whether a commit would be taken: to be asked before anything is made of it.
    ///
    /// # Errors
    /// A sentence, without `Error:`: its label is another's, or somebody else's trial is running.
    pub fn check(&self, proposal: &Proposal) -> Result<(), String> {
        if let Some(label) = &proposal.label
            && let Some(other) = self.commits.iter().find(|commit| commit.label.as_ref() == Some(label))
        {
            return Err(format!("The label {label} is that of commit {}. Choose another one.", other.id));
        }
        if let Some(trial) = &self.trial
            && trial.shell != proposal.shell
            && !self.confirms(proposal)
        {
            return Err(format!(
                "A trial of {} is running, begun in another shell. Wait for its end, or run abort trial, or commit \
                 without changes to confirm it.",
                trial.user
            ));
        }
        Ok(())
    }

    /// Takes a commit: it is the running configuration from now on. Gives its id; that of the last commit, if it
    /// only confirms a trial.
    ///
    /// # Errors
    /// See [`Store::check`].
    pub fn commit(&mut self, proposal: &Proposal, user: &str, now: Timestamp) -> Result<u32, String> {
        self.check(proposal)?;
        if self.confirms(proposal) {
            self.trial = None;
            if let Some(last) = self.commits.back_mut() {
                last.label = proposal.label.clone().or(last.label.take());
                last.description = proposal.description.clone().or(last.description.take());
            }
            return Ok(self.id());
        }
        let user: Arc<str> = user.into();
        self.trial = proposal.trial_s.map(|seconds| {
            let (back, back_id) = self.trial.as_ref().map_or_else(
                || (Arc::clone(&self.running), self.id()),
                |trial| (Arc::clone(&trial.back), trial.back_id),
            );
            Trial {
                until: now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(now),
                back,
                user: Arc::clone(&user),
                shell: proposal.shell,
                back_id,
            }
        });
        self.push(Commit {
            id: self.next_id,
            label: proposal.label.clone(),
            user,
            line: proposal.line.into(),
            time: now,
            description: proposal.description.clone(),
            tree: Arc::clone(&proposal.tree),
        });
        Ok(self.id())
    }

    /// The trial that is running.
    #[must_use]
    pub fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// When [`Store::expire`] has something to do.
    #[must_use]
    pub fn trial_due(&self) -> Option<Timestamp> {
        self.trial.as_ref().map(|trial| trial.until)
    }

    /// Takes back a trial whose time is up. Gives what is running again.
    pub fn expire(&mut self, now: Timestamp) -> Option<Arc<Tree>> {
        if self.trial_due()? > now {
            return None;
        }
        self.abort()
    }

    /// Takes back the trial, whoever's it is. Gives what is running again; `None` if there is no trial.
    pub fn abort(&mut self) -> Option<Arc<Tree>> {
        let trial = self.trial.take()?;
        self.commits.retain(|commit| commit.id <= trial.back_id);
        if self.commits.is_empty() {
            self.before = (trial.back_id, Arc::clone(&trial.back));
        }
        self.running = trial.back;
        Some(Arc::clone(&self.running))
    }

    /// What was running, by the words of `rollback configuration`.
    ///
    /// # Errors
    /// A sentence, without `Error:`: it is not kept.
    pub fn rollback(&self, to: Rollback<'_>) -> Result<Arc<Tree>, String> {
        let list = "See display configuration commit list";
        let found = match to {
            Rollback::Id(id) => self.commits.iter().find(|commit| commit.id == id),
            Rollback::Label(label) => {
                self.commits.iter().find(|commit| commit.label.as_deref() == Some(label))
            }
            Rollback::Last(count) => {
                return match self.commits.len().checked_sub(count) {
                    None => Err(format!(
                        "There are {} commits to go back by, not {count}. {list}.",
                        self.commits.len()
                    )),
                    Some(0) => Ok(Arc::clone(&self.before.1)),
                    Some(left) => Ok(Arc::clone(&self.commits[left - 1].tree)),
                };
            }
        };
        found.map(|commit| Arc::clone(&commit.tree)).ok_or_else(|| match to {
            Rollback::Label(label) => format!("There is no commit with the label {label}. {list}."),
            Rollback::Id(id) => format!("There is no commit {id}; the last {COMMITS_MAX} are kept. {list}."),
            Rollback::Last(_) => String::new(),
        })
    }

    /// Whether the file holds what is running.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.saved == self.running
    }

    /// The file holds what is running now.
    pub fn mark_saved(&mut self) {
        self.saved = Arc::clone(&self.running);
    }

    /// Whether a commit only says that the trial stays.
    fn confirms(&self, proposal: &Proposal) -> bool {
        self.trial.is_some() && proposal.trial_s.is_none() && proposal.tree == self.running
    }

    fn push(&mut self, commit: Commit) {
        self.next_id = commit.id.saturating_add(1);
        self.running = Arc::clone(&commit.tree);
        self.commits.push_back(commit);
        while self.commits.len() > COMMITS_MAX {
            if let Some(oldest) = self.commits.pop_front() {
                self.before = (oldest.id, oldest.tree);
            }
        }
    }
}

#[cfg(test)]
mod tests;
