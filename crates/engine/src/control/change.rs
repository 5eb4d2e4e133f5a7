//! How the running configuration becomes another one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::difference::{Change, Step, difference};
use config::load::{FileError, load};
use config::meaning::{Meaning, Problem, SessionKey, mean};
use config::shell::{Proposal, Shell};
use config::{Tree, render};
use jiff::Timestamp;
use tokio::time::sleep;

use super::{Control, Mirroring, file};
use crate::journal::Level;
use crate::keep;

/// The subject of what is said in the journal about configurations.
const SUBJECT: &str = "configuration";

/// Who does what a signal asks for: only he may send it.
const ROOT: &str = "root";

/// What a trial's end waits at most before it looks at the clock again: that may have been put forward.
const CLOCK_TIME: Duration = Duration::from_secs(30);

/// What may be said of a configuration: the statement it is about, and a sentence.
type Problems = Vec<Problem>;

/// What was prepared, and what cannot be refused any more.
struct Prepared {
    meaning: Arc<Meaning>,
    steps: Vec<Step>,
    /// Of what its owner should be warned.
    warnings: Problems,
}

impl<M: Mirroring + 'static> Control<M> {
    /// Tells the mirror what is configured to begin with.
    pub(crate) async fn begin(&self, meaning: Meaning) {
        let _turn = self.turnstile.lock().await;
        self.insist(meaning).await;
    }

    /// Carries out what nobody can refuse: what we begin with, or go back to. What the machine cannot do now it
    /// may be able to do later, and must not keep all else from working: that is said in the journal, and no
    /// more. What is to be said to an operator.
    async fn insist(&self, meaning: Meaning) -> String {
        for problem in self.mirroring.check(&meaning, &self.place.vault).err().unwrap_or_default() {
            self.journal().say(Level::Error, SUBJECT, &sentence(&problem));
        }
        if let Err(error) = self.telemetry.listen(meaning.telemetry).await {
            self.journal().say(Level::Error, SUBJECT, &unheard(&meaning, &error));
        }
        let steps = difference(&self.meaning.borrow(), &meaning);
        let said = waiting(&steps);
        self.carry_out(Arc::new(meaning), steps).await;
        said
    }

    /// A commit. `seen` is the id of what was running when it was asked for. What is to be said of it, a line
    /// feed behind each line.
    ///
    /// # Errors
    /// It was refused, and all is as it was: what is to be said of that.
    pub(super) async fn commit(&self, proposal: &Proposal, user: &str, seen: u32) -> Result<String, String> {
        let _turn = self.turnstile.lock().await;
        self.commit_in_turn(proposal, user, Some(seen)).await.map_err(|problems| {
            self.journal().say(
                Level::Notice,
                SUBJECT,
                &format_args!("a commit of {user} was refused: {}", problems.first().map_or("", |p| &p.text)),
            );
            lines("Error", &problems)
        })
    }

    async fn commit_in_turn(
        &self,
        proposal: &Proposal,
        user: &str,
        seen: Option<u32>,
    ) -> Result<String, Problems> {
        if seen.is_some_and(|seen| seen != self.store.borrow().id()) {
            return Err(alone(String::from(
                "The configuration was changed by another user. Run refresh configuration candidate.",
            )));
        }
        self.store.borrow().check(proposal).map_err(alone)?;
        let trial = self.store.borrow().trial().is_some();
        let prepared = self.prepare(&proposal.tree).await?;
        let mut said = lines("Warning", &prepared.warnings);
        said.push_str(&waiting(&prepared.steps));
        let summary = summary(&self.store.borrow().running().clone(), &proposal.tree);
        self.carry_out(prepared.meaning, prepared.steps).await;

        let committed = self.store.borrow_mut().commit(proposal, user, Timestamp::now());
        // It was asked before, and nobody else had his turn since.
        let id = committed.map_err(alone)?;
        self.trial.notify_waiters();
        let trial = match proposal.trial_s {
            Some(time) => format!(" on trial for {time} seconds"),
            None if trial => String::from(", which confirms the trial,"),
            None => String::new(),
        };
        let text = format!("{user} committed {id}{trial} by {}: {summary}", proposal.line);
        self.journal().say(Level::Notice, SUBJECT, &text);
        said.push_str(&self.keep_commits().await);
        Ok(said)
    }

    /// What is running becomes what the file says: one commit of root's.
    pub(crate) async fn reload(&self) {
        let _turn = self.turnstile.lock().await;
        let path = &self.place.file;
        let refused = |text: String| {
            // First, for the journal may cut what is long.
            let verdict =
                "the file is not taken, and all stays as it is; heliograph check tells all that is wrong";
            self.journal().say(Level::Error, SUBJECT, &verdict);
            for line in text.lines() {
                self.journal().say(Level::Error, SUBJECT, &line);
            }
        };
        let text = match keep::read(path) {
            Ok(Some(text)) => text,
            Ok(None) => return refused(format!("{} does not exist", path.display())),
            Err(text) => return refused(text),
        };
        let loaded = match file::load(path, &text, &self.place.vault) {
            Ok(loaded) => loaded,
            Err(text) => return refused(text),
        };
        if loaded.tree == **self.store.borrow().running() {
            self.store.borrow_mut().mark_saved();
            self.journal().say(Level::Notice, SUBJECT, &"the file says what is running already");
            return;
        }
        let proposal = Proposal::new(Arc::new(loaded.tree.clone()), "file");
        match self.commit_in_turn(&proposal, ROOT, None).await {
            Err(problems) => refused(file::blocks(path, &text, &loaded, "Error", &problems)),
            Ok(said) => {
                self.store.borrow_mut().mark_saved();
                for line in said.lines() {
                    self.journal().say(Level::Warning, SUBJECT, &line);
                }
            }
        }
    }

    /// What is running becomes what some file says, which is where the configuration is: a commit of the line
    /// `rollback`. Who may use a shell need not be allowed to read all that we may: if it is no configuration,
    /// he is told where and not what.
    pub(super) async fn roll_back_to(&self, name: &str, shell: &Shell, seen: u32) -> Result<String, String> {
        let error = |text: String| format!("Error: {text}\n");
        let directory = keep::directory(&self.place.file);
        if Path::new(name).file_name() != Some(name.as_ref()) {
            let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
            return Err(error(format!(
                "Only files beside the configuration can be gone back to: name one in \"{}\", without a path.",
                directory.display()
            )));
        }
        let text = keep::read(&directory.join(name)).map_err(error)?;
        let text =
            text.ok_or_else(|| error(format!("There is no file {name} in {}.", directory.display())))?;
        let loaded = load(&text, &self.place.vault, &mut keep::random).map_err(|errors| {
            errors.iter().fold(String::new(), |mut text, FileError { line, column, sentence, .. }| {
                let _ = writeln!(text, "{name}:{line}:{column}: {sentence}");
                text
            })
        })?;
        let proposal = Proposal { shell: shell.number(), ..Proposal::new(Arc::new(loaded.tree), "rollback") };
        self.commit(&proposal, shell.user(), seen).await
    }

    /// Takes back the trial.
    pub(super) async fn abort_trial(&self, user: &str) -> Result<String, String> {
        let _turn = self.turnstile.lock().await;
        if self.store.borrow().trial().is_none() {
            return Err(String::from("Error: There is no trial to abort.\n"));
        }
        Ok(self.take_back(&format!("{user} aborted the trial")).await)
    }

    /// Takes trials back when their time is up, for ever.
    pub(crate) async fn end_trials(&self) {
        loop {
            let changed = self.trial.notified();
            let due = self.store.borrow().trial_due();
            let Some(due) = due else {
                changed.await;
                continue;
            };
            let left = Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default();
            if !left.is_zero() {
                tokio::select! {
                    () = changed => {}
                    () = sleep(left.min(CLOCK_TIME)) => {}
                }
                continue;
            }
            let _turn = self.turnstile.lock().await;
            // It may have been confirmed, or made longer, while we waited for our turn.
            let due = self.store.borrow().trial_due();
            if due.is_some_and(|due| due <= Timestamp::now()) {
                self.take_back("the trial was not confirmed in time").await;
            }
        }
    }

    /// What was before the trial is running again. Whoever calls has his turn. What is to be said of it.
    async fn take_back(&self, why: &str) -> String {
        let back = self.store.borrow().trial().map(|trial| trial.back.clone());
        let Some(Ok((meaning, _))) = back.map(|back| mean(&back, &self.place.vault)) else {
            // There is none, or it means nothing: but it was running.
            return String::new();
        };
        let mut said = self.insist(meaning).await;
        self.store.borrow_mut().abort();
        self.trial.notify_waiters();
        let text = format!("{why}: {} is running again", self.store.borrow().id());
        self.journal().say(Level::Notice, SUBJECT, &text);
        said.push_str(&self.keep_commits().await);
        said
    }

    /// Asks all who may refuse a configuration.
    async fn prepare(&self, tree: &Tree) -> Result<Prepared, Problems> {
        let (meaning, warnings) = mean(tree, &self.place.vault)?;
        let unable = |problems: Vec<_>| problems.iter().map(sentence).flat_map(alone).collect::<Problems>();
        self.mirroring.check(&meaning, &self.place.vault).map_err(unable)?;
        writer::check::descriptors(meaning.sessions.len()).map_err(|problem| alone(format!("{problem}.")))?;
        // The last to be asked: from now on somebody may be told something.
        self.telemetry.listen(meaning.telemetry).await.map_err(|error| alone(unheard(&meaning, &error)))?;
        let steps = difference(&self.meaning.borrow(), &meaning);
        Ok(Prepared { meaning: Arc::new(meaning), steps, warnings })
    }

    async fn carry_out(&self, meaning: Arc<Meaning>, steps: Vec<Step>) {
        self.mirroring.apply(meaning.clone(), steps).await;
        *self.meaning.borrow_mut() = meaning;
    }

    /// Writes the running configuration to its file.
    pub(super) async fn save(&self, user: &str) -> Result<String, String> {
        let _turn = self.turnstile.lock().await;
        let path = self.place.file.clone();
        if self.store.borrow().trial().is_some() {
            return Err(String::from(
                "Error: A trial is running, and what is on trial is not saved. Run commit to keep it, or abort trial.\n",
            ));
        }
        let text = render::text(self.store.borrow().running(), false);
        match keep_in_turn(path.clone(), text).await {
            Ok(()) => {
                self.store.borrow_mut().mark_saved();
                let text = format!("{user} saved {} to {}", self.store.borrow().id(), path.display());
                self.journal().say(Level::Notice, SUBJECT, &text);
                Ok(format!("Info: The configuration was saved to {}.\n", path.display()))
            }
            Err(text) => {
                self.journal().say(Level::Error, SUBJECT, &text);
                Err(format!("Error: {text} The file is as it was.\n"))
            }
        }
    }

    /// Writes down the commits, for the engine's next life. They are not worth refusing anything for.
    async fn keep_commits(&self) -> String {
        let text = self.store.borrow().to_text();
        let Err(text) = keep_in_turn(commits_path(&self.place.file), text).await else {
            return String::new();
        };
        self.journal().say(Level::Warning, SUBJECT, &text);
        format!("Warning: {text} After a restart the list of commits ends before this one.\n")
    }
}

/// Where the commits of a configuration are kept.
pub(crate) fn commits_path(file: &Path) -> PathBuf {
    keep::with(file, ".commits")
}

/// A disk may take its time, and others shall not wait for that.
async fn keep_in_turn(path: PathBuf, text: String) -> Result<(), String> {
    let shown = path.display().to_string();
    let saved = tokio::task::spawn_blocking(move || keep::save(&path, text.as_bytes())).await;
    saved
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| format!("{shown} cannot be written: {error}."))
}

/// What changed, without what it was changed to.
fn summary(old: &Tree, new: &Tree) -> String {
    let changes = render::changes(old, new);
    let count = |sign| changes.lines().filter(|line| line.trim_start().starts_with(sign)).count();
    format!("lines added {}, removed {}", count('+'), count('-'))
}

/// A warning for each session that waits for its reset.
fn waiting(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        if let Step::Change(session, Change::AtReset) = step {
            let _ = writeln!(
                text,
                "Warning: BMP session {}: Run reset bmp session for the change to take effect.",
                session.key
            );
        }
    }
    text
}

fn unheard(meaning: &Meaning, error: &std::io::Error) -> String {
    let at = meaning.telemetry.map_or_else(String::new, |at| at.to_string());
    format!("Telemetry cannot listen at {at}: {error}. Choose another port or address.")
}

/// What the machine cannot do, and for whom.
fn sentence((session, text): &(Option<SessionKey>, String)) -> String {
    match session {
        Some(key) => format!("BMP session {key}: {text}"),
        None => text.clone(),
    }
}

fn alone(text: String) -> Problems {
    vec![Problem { path: Vec::new(), text }]
}

fn lines(kind: &str, problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        let _ = writeln!(text, "{kind}: {}", problem.text);
        text
    })
}
