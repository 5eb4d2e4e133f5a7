//! What an operator has typed and not yet committed.
//!
//! * **a base**   a candidate knows what was running when it began, so that nobody undoes in silence what somebody
//!   else has committed meanwhile.
//! * **bounded**  it has [`EDITS_MAX`] changes at most.
//! * **sealed**   secrets were sealed before they came here.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::store::Store;
use crate::table::View;
use crate::tree::{Place, Statement, Tree};

/// Changes of a candidate, at most.
pub const EDITS_MAX: usize = 65_536;

/// Changes that a refresh kept out and names, at most.
const REPORTED_MAX: usize = 20;

/// A view below the system view that is entered.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Entered {
    pub(super) view: View,
    /// The statement whose view it is.
    pub(super) place: Place,
    /// That statement as it would be typed.
    pub(super) line: String,
    /// What the prompt says of all the views so far.
    pub(super) prompt: String,
}

/// A configuration that grows.
#[derive(Debug)]
pub(super) struct Candidate {
    base_id: u32,
    pub(super) base: Arc<Tree>,
    pub(super) tree: Tree,
    edits: Vec<Edit>,
}

/// A line that changes a configuration.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) within: Vec<Arc<Entered>>,
    pub(super) undo: bool,
    pub(super) statement: Statement,
}

impl Candidate {
    /// What is running, and nothing else yet.
    pub(super) fn new(store: &Store) -> Self {
        let base = Arc::clone(store.running());
        Self { base_id: store.id(), tree: (*base).clone(), base, edits: Vec::new() }
    }

    /// Takes an edit in; gives the place of what was set.
    pub(super) fn edit(&mut self, edit: Edit) -> Result<Option<Place>, String> {
        if self.edits.len() >= EDITS_MAX {
            return Err(format!(
                "The candidate has {EDITS_MAX} changes, and takes no more. Commit it or clear it before you go on."
            ));
        }
        let (place, changed) = edit.apply(&mut self.tree)?;
        if changed {
            self.edits.push(edit);
        }
        Ok(place)
    }

    /// Whether nothing would change by it.
    pub(super) fn is_idle(&self) -> bool {
        self.tree == *self.base
    }

    /// Whether something else is running than when it began.
    pub(super) fn clashes(&self, store: &Store) -> bool {
        self.base_id != store.id() && self.base != *store.running()
    }

    /// The same changes to what is running now, and a line for each that cannot be made any more.
    pub(super) fn refreshed(self, store: &Store) -> (Self, String) {
        let mut fresh = Self::new(store);
        let mut text = String::new();
        let mut lost = 0_usize;
        for edit in self.edits {
            let line = edit.line();
            if let Err(why) = fresh.edit(edit) {
                lost += 1;
                if lost <= REPORTED_MAX {
                    let _ = writeln!(text, "Error: Kept out: {line}: {why}");
                }
            }
        }
        if lost > REPORTED_MAX {
            let _ = writeln!(text, "Error: Kept out: {} more.", lost - REPORTED_MAX);
        }
        (fresh, text)
    }

    /// The changes, in the order and in the views in which they were typed.
    pub(super) fn typed(&self) -> String {
        let mut text = String::new();
        // The views that the line before stands in, and its own.
        let mut shown: Vec<String> = Vec::new();
        for edit in &self.edits {
            let mut views: Vec<String> = edit.within.iter().map(|entered| entered.line.clone()).collect();
            let same = shown.iter().zip(&views).take_while(|(old, new)| old == new).count();
            if same == 0 {
                text.push_str("#\n");
            }
            views.push(edit.itself());
            for (depth, line) in views.iter().enumerate().skip(same) {
                let _ = writeln!(text, "{:depth$}{line}", "");
            }
            shown = views;
        }
        text
    }
}

impl Edit {
    /// Makes the change. Gives the place of what was set, and whether anything is different.
    pub(super) fn apply(&self, tree: &mut Tree) -> Result<(Option<Place>, bool), String> {
        let mut path: Vec<Place> = self.within.iter().map(|entered| entered.place.clone()).collect();
        let siblings = |tree: &Tree, path: &[Place]| tree.at(path).map(|view| view.nodes().count());
        let Some(count) = siblings(tree, &path) else {
            return Err(
                "The view is not part of the configuration any more. Run return and enter it anew.".into()
            );
        };
        if self.undo {
            tree.undo(&path, &self.statement)?;
            return Ok((None, siblings(tree, &path) != Some(count)));
        }
        path.push(self.statement.place());
        let statement = |tree: &Tree, path: &[Place]| tree.node(path).map(|node| node.statement.clone());
        let old = statement(tree, &path);
        let place = tree.set(&path[..path.len() - 1], self.statement.clone())?;
        Ok((Some(place), statement(tree, &path) != old))
    }

    /// The view that it enters, where it has been set at a place of a tree.
    pub(super) fn enters(&self, tree: &Tree, place: Option<Place>) -> Option<Arc<Entered>> {
        let place = place?;
        let view = place.enters()?;
        let mut path: Vec<Place> = self.within.iter().map(|entered| entered.place.clone()).collect();
        path.push(place.clone());
        let line = tree.node(&path)?.statement.to_string();
        Some(Arc::new(Entered { view, place, line, prompt: tree.prompt(&path) }))
    }

    fn itself(&self) -> String {
        format!("{}{}", if self.undo { "undo " } else { "" }, self.statement)
    }

    /// As it was typed, and where.
    fn line(&self) -> String {
        let views: Vec<&str> = self.within.iter().map(|entered| entered.line.as_str()).collect();
        let place = if views.is_empty() { String::new() } else { format!(" (in {})", views.join(", ")) };
        format!("{}{place}", self.itself())
    }
}
