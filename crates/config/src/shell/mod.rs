//! One operator's shell: the view, the candidate, and what a line asks for.
//!
//! ```text
//!   line ─parse─► in a configuration view: the candidate changes
//!                 navigation, candidate, `display this`: answered here
//!                 all else: an Ask, for whoever runs the engine
//! ```
//!
//! * **two stages**    a line changes the candidate, and `commit` asks for it to be the running configuration;
//!   after `system-view immediately` each line that changes anything asks so at once.
//! * **nothing lost in silence**  who leaves with a candidate is asked, and the next line is the answer.
//! * **nothing undone in silence**  what somebody else has committed since the candidate began is in the way of
//!   `commit` until the candidate is refreshed.

mod answer;
mod ask;
mod candidate;
mod change;
mod filter;
mod history;
mod names;
mod refuse;

use std::sync::Arc;

use crate::parse::{self, Parsed, Pipe};
use crate::store::Store;
use crate::table::{Act, View, What};
use crate::tree::{Place, Statement, Tree};

pub use ask::{Ask, Display, Proposal, Target};
pub use candidate::EDITS_MAX;
pub use filter::filter;
pub use history::has_secret;

use candidate::{Candidate, Entered};
use refuse::{caret, error, refused};

/// What Ctrl+Z sends: `return`.
const CTRL_Z: &str = "\u{1a}";

const ENTER: &str = "Enter system view, return user view with return command.\n";
const QUESTION: &str = "Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:";
const UNCHANGED: &str = "Info: The configuration has not changed.\n";

/// What came of a line.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is to be said.
    Done,
    /// This is to be shown.
    Show(String),
    /// It was refused. The text is complete, caret line first if there is one.
    Refused(String),
    /// Whoever runs the engine does it, and says what came of it. What was committed is told to
    /// [`Shell::committed`].
    Ask(Box<Ask>),
    /// The operator leaves.
    Leave,
}

/// One operator's shell.
#[derive(Debug)]
pub struct Shell {
    user: Arc<str>,
    number: u64,
    json: bool,
    mode: Mode,
    /// Below the system view, the innermost last.
    within: Vec<Arc<Entered>>,
    candidate: Option<Candidate>,
    /// Whether the next line answers [`QUESTION`].
    asked: bool,
    /// What is done once what was asked for is committed.
    then: Then,
}

/// How what is typed comes to be the running configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Not at all: the user view.
    User,
    /// By `commit`.
    TwoStage,
    /// At once.
    Immediate,
}

/// What is done once something is committed.
#[derive(Default, Debug)]
enum Then {
    /// Nothing: it was not about the candidate.
    #[default]
    Stay,
    /// The candidate is done with.
    Forget,
    /// The candidate is done with, and the operator goes back to the user view.
    Leave,
    /// This view is entered, if the line enters one.
    Enter(Option<Arc<Entered>>),
}

/// What a shell needs from around it while it reads a line.
pub struct Around<'a> {
    /// The running configuration.
    pub store: &'a Store,
    /// Seals what is typed in clear.
    pub vault: &'a crate::secret::Vault,
    /// Fills nonces.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// What the machine is called, where nothing is configured.
    pub host: &'a str,
    /// Now, and where we are.
    pub now: jiff::Timestamp,
    /// The machine's time zone.
    pub zone: &'a jiff::tz::TimeZone,
}

impl Shell {
    /// In the user view. Two shells of one user are told apart by their numbers, of which none is 0.
    #[must_use]
    pub fn new(user: &str, number: u64) -> Self {
        Self {
            user: user.into(),
            number,
            json: false,
            mode: Mode::User,
            within: Vec::new(),
            candidate: None,
            asked: false,
            then: Then::Stay,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Which one it is.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether everything that is shown is to be JSON.
    pub fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// What stands in front of a line. It may be a question that the next line answers.
    #[must_use]
    pub fn prompt(&self, around: &Around<'_>) -> String {
        if self.asked {
            return QUESTION.into();
        }
        let configured = around.store.running().one(What::Sysname);
        let host =
            configured.and_then(|node| node.statement.text("sysname")).map_or(around.host, |name| name);
        let mark = match (self.mode, &self.candidate) {
            (Mode::User, _) => return format!("<{host}>"),
            (Mode::Immediate, _) => "",
            (Mode::TwoStage, None) => "~",
            (Mode::TwoStage, Some(_)) => "*",
        };
        let views = self.within.last().map_or("", |entered| &entered.prompt);
        format!("[{mark}{host}{views}]")
    }

    /// Takes a line.
    pub fn line(&mut self, around: &mut Around<'_>, line: &str) -> Outcome {
        self.then = Then::Stay;
        if self.asked {
            return self.answered(around, line);
        }
        let line = if line.trim() == CTRL_Z { "return" } else { line };
        let before = self.prompt(around).chars().count();
        match parse::parse(&self.views(), line) {
            Ok(None) => Outcome::Done,
            Ok(Some(parsed)) if parsed.statement.what() == What::Run => {
                self.run(around, before, line, &parsed)
            }
            Ok(Some(parsed)) => self.act(around, before, line, parsed),
            Err(refusal) => Outcome::Refused(refused(before, line, &refusal)),
        }
    }

    /// What `?` shows behind this.
    #[must_use]
    pub fn help(&self, line: &str) -> Vec<(String, String)> {
        let (views, line) = self.reader(line);
        if self.asked { Vec::new() } else { parse::help(&views, line) }
    }

    /// What the last word of this may become, as the table has it. What is configured has names as well:
    /// [`Shell::names`].
    #[must_use]
    pub fn complete(&self, line: &str) -> Vec<String> {
        let (views, line) = self.reader(line);
        if self.asked { Vec::new() } else { parse::complete(&views, line) }
    }

    /// What the last word of this may become besides: sessions, keychains and VPN instances that there are.
    #[must_use]
    pub fn names(&self, store: &Store, line: &str) -> Vec<String> {
        names::names(self.tree(store), line)
    }

    /// A proposal of this shell is the running configuration now: what was the candidate is done with.
    pub fn committed(&mut self) {
        match std::mem::take(&mut self.then) {
            Then::Stay => {}
            Then::Forget => self.candidate = None,
            Then::Leave => self.leave(),
            Then::Enter(view) => self.within.extend(view),
        }
    }

    fn views(&self) -> Vec<View> {
        if self.mode == Mode::User {
            return vec![View::User];
        }
        std::iter::once(View::System).chain(self.within.iter().map(|entered| entered.view)).collect()
    }

    /// What is configured once all that was typed is committed.
    fn tree<'a>(&'a self, store: &'a Store) -> &'a Tree {
        self.candidate.as_ref().map_or(&**store.running(), |candidate| &candidate.tree)
    }

    fn path(&self) -> Vec<Place> {
        self.within.iter().map(|entered| entered.place.clone()).collect()
    }

    /// The views in which a line is read that is still being typed, and what of it is read there: behind `run`
    /// the user view.
    fn reader<'l>(&self, line: &'l str) -> (Vec<View>, &'l str) {
        let begun = line.trim_start();
        if self.mode != Mode::User
            && let Some((first, rest)) = begun.split_once([' ', '\t'])
            && first.len() > 1
            && "run".starts_with(&first.to_lowercase())
        {
            return (vec![View::User], rest);
        }
        (self.views(), line)
    }

    /// `run COMMAND`: as in the user view, and nobody goes anywhere.
    fn run(&mut self, around: &mut Around<'_>, before: usize, line: &str, parsed: &Parsed) -> Outcome {
        let rest = parsed.statement.text("command").map_or("", |command| command.trim());
        let at = line.rfind(rest).unwrap_or(0);
        let before = before + line[..at].chars().count();
        match parse::parse(&[View::User], rest) {
            Ok(None) => Outcome::Done,
            Ok(Some(parsed)) if matches!(parsed.statement.what(), What::SystemView | What::Quit) => {
                error("This command goes to another view. Type it without run, in its own view.")
            }
            Ok(Some(parsed)) => self.act(around, before, rest, parsed),
            Err(refusal) => Outcome::Refused(refused(before, rest, &refusal)),
        }
    }

    fn act(&mut self, around: &mut Around<'_>, before: usize, line: &str, parsed: Parsed) -> Outcome {
        // What is typed of a view further out leaves those inside, whatever comes of it: or else the lines that
        // follow in what was pasted would go to a view that they are not meant for.
        self.within.truncate(self.within.len().saturating_sub(parsed.out));
        match parsed.statement.of().act {
            Act::Set(_) => self.edit(around, parsed),
            Act::Do => self.does(around, &parsed.statement),
            Act::Show => self.show(around, before, line, &parsed),
        }
    }

    fn does(&mut self, around: &Around<'_>, statement: &Statement) -> Outcome {
        match statement.what() {
            What::SystemView => {
                self.mode = if statement.has("immediately") { Mode::Immediate } else { Mode::TwoStage };
                Outcome::Show(ENTER.into())
            }
            What::Quit if self.mode == Mode::User => Outcome::Leave,
            What::Quit if self.within.pop().is_some() => Outcome::Done,
            What::Quit | What::Return => {
                self.asked = self.candidate.is_some();
                if !self.asked {
                    self.leave();
                }
                Outcome::Done
            }
            What::Commit => self.commit(around, statement),
            What::ClearCandidate => {
                self.candidate = None;
                self.settle(around.store);
                Outcome::Done
            }
            What::RefreshCandidate => self.refresh(around),
            What::AbortTrial if around.store.trial().is_none() => error("No trial is running."),
            What::AbortTrial => ask(Ask::AbortTrial),
            What::Rollback => self.rollback(around, statement),
            What::Save => match around.store.trial() {
                Some(trial) => error(&format!(
                    "A trial of {} is running. Commit to confirm it, or run abort trial, before you save.",
                    trial.user
                )),
                None => ask(Ask::Save),
            },
            What::ResetSession => match ask::target(statement, around.store.running()) {
                Ok(target) => ask(Ask::ResetSession(target)),
                Err(why) => error(why),
            },
            What::ResetRouter => ask(Ask::ResetRouter(ask::name(statement, "router"))),
            _ => error("This command is not for a shell."),
        }
    }

    /// The answer to [`QUESTION`].
    fn answered(&mut self, around: &Around<'_>, line: &str) -> Outcome {
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => {
                self.asked = false;
                self.propose(around.store, self.proposal(around.store), Then::Leave)
            }
            "n" | "no" => {
                self.leave();
                Outcome::Done
            }
            "c" | "cancel" => {
                self.asked = false;
                Outcome::Done
            }
            _ => Outcome::Refused("Error: Please answer Y to commit, N to discard, or C to stay.\n".into()),
        }
    }

    fn show(&self, around: &Around<'_>, before: usize, line: &str, parsed: &Parsed) -> Outcome {
        let json = self.json.then_some(Pipe::Json);
        let pipe = json.or_else(|| parsed.pipe.clone());
        if let Some((pattern, why)) = pipe.as_ref().and_then(filter::bad_pattern) {
            let column = line.rfind(pattern).map_or(0, |at| line[..at].chars().count());
            return Outcome::Refused(format!("{}Error: {why}\n", caret(before, line, column)));
        }
        match ask::display(&parsed.statement, around.store.running()) {
            Err(why) => error(why),
            Ok(Some(display)) => ask(Ask::Display(display, pipe)),
            Ok(None) => self.shown(around, &parsed.statement, pipe.as_ref()),
        }
    }

    /// Back to the user view, without a candidate.
    fn leave(&mut self) {
        self.mode = Mode::User;
        self.within.clear();
        self.candidate = None;
        self.asked = false;
    }

    /// Leaves views that do not exist any more.
    fn settle(&mut self, store: &Store) {
        let tree = self.tree(store);
        let path = self.path();
        let there = (0..=path.len()).rev().find(|&length| tree.at(&path[..length]).is_some());
        self.within.truncate(there.unwrap_or(0));
    }
}

fn ask(ask: Ask) -> Outcome {
    Outcome::Ask(Box::new(ask))
}

#[cfg(test)]
mod tests;
