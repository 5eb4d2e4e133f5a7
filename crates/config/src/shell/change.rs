//! Lines that change the candidate, and what is to become the running configuration.

use std::sync::Arc;

use super::ask::{self, Ask, Proposal};
use super::candidate::{Candidate, Edit};
use super::refuse::error;
use super::{Around, Mode, Outcome, Shell, Then, UNCHANGED};
use crate::parse::Parsed;
use crate::store::{Rollback, Store};
use crate::tree::Statement;

/// Seconds that a trial takes if nobody says how many.
const TRIAL_S: u32 = 600;

const CLASH: &str = "The configuration was changed by another user. Run refresh configuration candidate.";
const SEALED_ELSEWHERE: &str = "The ciphertext was made with another key. Type the password in clear; it is \
     sealed before it is kept.";

impl Shell {
    /// A line that changes a configuration.
    pub(super) fn edit(&mut self, around: &mut Around<'_>, parsed: Parsed) -> Outcome {
        let Parsed { undo, mut statement, .. } = parsed;
        if statement.seal(around.vault, around.random).is_err() {
            return error(SEALED_ELSEWHERE);
        }
        let edit = Edit { within: self.within.clone(), undo, statement };
        let mut candidate = self.candidate.take().unwrap_or_else(|| Candidate::new(around.store));
        let made = candidate.edit(edit.clone());
        let idle = candidate.is_idle();
        let view = match &made {
            Ok(place) => edit.enters(&candidate.tree, place.clone()),
            Err(_) => None,
        };
        match made {
            Err(why) => {
                self.candidate = (!idle).then_some(candidate);
                return error(&why);
            }
            Ok(_) if self.mode == Mode::Immediate && !idle => {
                let proposal = Proposal::new(Arc::new(candidate.tree), "shell");
                return self.propose(around.store, proposal, Then::Enter(view));
            }
            Ok(_) => {}
        }
        self.candidate = (!idle).then_some(candidate);
        self.within.extend(view);
        Outcome::Done
    }

    pub(super) fn commit(&mut self, around: &Around<'_>, statement: &Statement) -> Outcome {
        let trial = statement.has("trial");
        let seconds =
            statement.number("trial").and_then(|seconds| seconds.try_into().ok()).unwrap_or(TRIAL_S);
        let proposal = Proposal {
            label: ask::name(statement, "label"),
            description: ask::name(statement, "text60"),
            trial_s: trial.then_some(seconds),
            ..self.proposal(around.store)
        };
        if self.candidate.is_none() && (trial || around.store.trial().is_none()) {
            return Outcome::Show(UNCHANGED.into());
        }
        self.propose(around.store, proposal, Then::Forget)
    }

    /// What was typed, or what is running if nothing was.
    pub(super) fn proposal(&self, store: &Store) -> Proposal {
        let typed = self.candidate.as_ref().map(|candidate| Arc::new(candidate.tree.clone()));
        Proposal::new(typed.unwrap_or_else(|| Arc::clone(store.running())), "shell")
    }

    /// Asks for a commit, unless it is known already that it would be refused.
    pub(super) fn propose(&mut self, store: &Store, proposal: Proposal, then: Then) -> Outcome {
        let proposal = Proposal { shell: self.number, ..proposal };
        let clashes = |candidate: &Candidate| candidate.clashes(store);
        if !matches!(then, Then::Stay) && self.candidate.as_ref().is_some_and(clashes) {
            return error(CLASH);
        }
        if let Err(why) = store.check(&proposal) {
            return error(&why);
        }
        self.then = then;
        Outcome::Ask(Box::new(Ask::Commit(proposal)))
    }

    pub(super) fn rollback(&mut self, around: &Around<'_>, statement: &Statement) -> Outcome {
        if let Some(file) = ask::name(statement, "file") {
            return Outcome::Ask(Box::new(Ask::RollbackFile(file)));
        }
        let number = |parameter| statement.number(parameter);
        let to = match (number("commit-id"), number("last"), statement.text("label")) {
            (Some(id), ..) => Rollback::Id(id.try_into().unwrap_or(u32::MAX)),
            (_, Some(count), _) => Rollback::Last(count.try_into().unwrap_or(usize::MAX)),
            (.., label) => Rollback::Label(label.map_or("", |label| label)),
        };
        match around.store.rollback(to) {
            Err(why) => error(&why),
            Ok(tree) if tree == *around.store.running() => Outcome::Show(UNCHANGED.into()),
            Ok(tree) => self.propose(around.store, Proposal::new(tree, "rollback"), Then::Stay),
        }
    }

    pub(super) fn refresh(&mut self, around: &Around<'_>) -> Outcome {
        let Some(candidate) = self.candidate.take() else { return Outcome::Done };
        let (fresh, kept_out) = candidate.refreshed(around.store);
        self.candidate = (!fresh.is_idle()).then_some(fresh);
        self.settle(around.store);
        if kept_out.is_empty() { Outcome::Done } else { Outcome::Refused(kept_out) }
    }
}
