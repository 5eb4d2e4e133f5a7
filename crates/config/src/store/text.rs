//! The commits as text that outlives the engine: an object of JSON a line, the configuration before them first.
//!
//! What is on trial is left out: after a restart the trial is over. Secrets are sealed in the text as they are in
//! every configuration.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{COMMITS_MAX, Commit, FILE_USER, Store, Trial};
use crate::load::load;
use crate::render;
use crate::secret::Vault;
use crate::tree::Tree;

/// A line of the text.
#[derive(Serialize, Deserialize)]
struct Line {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Arc<str>>,
    user: Arc<str>,
    line: Arc<str>,
    time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Arc<str>>,
    configuration: String,
}

impl Store {
    /// The commits as text, to be kept across a restart.
    #[must_use]
    pub fn to_text(&self) -> String {
        let back_id = self.trial.as_ref().map_or(u32::MAX, |trial: &Trial| trial.back_id);
        // A trial may have pushed out all that was before it: then what it goes back to is all there is to keep.
        let before = match &self.trial {
            Some(trial) if self.before.0 > trial.back_id => (trial.back_id, &trial.back),
            _ => (self.before.0, &self.before.1),
        };
        let before = Commit {
            id: before.0,
            label: None,
            user: FILE_USER.into(),
            line: "file".into(),
            time: Timestamp::UNIX_EPOCH,
            description: None,
            tree: Arc::clone(before.1),
        };
        let kept = self.commits.iter().filter(|commit| commit.id <= back_id);
        std::iter::once(&before).chain(kept).map(line).collect()
    }

    /// What [`Store::to_text`] wrote, and `running` on top: what the file says now. If that is not what the last
    /// commit made, it counts as one more.
    ///
    /// # Errors
    /// A sentence that names the line: it cannot be read.
    pub fn from_text(
        text: &str,
        running: Tree,
        now: Timestamp,
        vault: &Vault,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, String> {
        let mut commits = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |why: String| format!("Line {number} of the list of commits cannot be read: {why}.");
            let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let loaded = load(&line.configuration, vault, random).map_err(|errors| {
                wrong(errors.first().map_or_else(String::new, |error| error.sentence.clone()))
            })?;
            if number > COMMITS_MAX + 1 {
                return Err(wrong(format!("there are more than {COMMITS_MAX} commits")));
            }
            let time = line.time.parse().map_err(|_| wrong(format!("{} is no time", line.time)))?;
            if commits.last().is_some_and(|last: &Commit| last.id >= line.id) {
                return Err(wrong(format!("commit {} is older than the one before it", line.id)));
            }
            commits.push(Commit {
                id: line.id,
                label: line.label,
                user: line.user,
                line: line.line,
                time,
                description: line.description,
                tree: Arc::new(loaded.tree),
            });
        }
        let mut store = Self::new(running);
        let loaded = Arc::clone(&store.running);
        let mut commits = commits.into_iter();
        let Some(before) = commits.next() else { return Ok(store) };
        store.running = Arc::clone(&before.tree);
        store.next_id = before.id.saturating_add(1);
        store.before = (before.id, before.tree);
        for commit in commits {
            store.push(commit);
        }
        if store.running != loaded {
            store.push(Commit {
                id: store.next_id,
                label: None,
                user: FILE_USER.into(),
                line: "file".into(),
                time: now,
                description: None,
                tree: Arc::clone(&loaded),
            });
        }
        // The very tree that was loaded, so that it and the saved one are known to be the same at a glance.
        store.running = loaded;
        Ok(store)
    }
}

fn line(commit: &Commit) -> String {
    let line = Line {
        id: commit.id,
        label: commit.label.clone(),
        user: Arc::clone(&commit.user),
        line: Arc::clone(&commit.line),
        time: commit.time.to_string(),
        description: commit.description.clone(),
        configuration: render::text(&commit.tree, false),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}
