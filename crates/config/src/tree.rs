//! What was typed: statements in views, in the order of the table.
//!
//! ```text
//!   Tree ─► Place: row, key ─► Node ─► Statement: row, parts
//!             (sorted)              └► Tree: what stands in its view
//! ```
//!
//! * **no code per command**  what takes the place of what, what `undo` takes out, and what is refused all
//!   follow from the row.
//! * **one place, one statement**  a path of places names a statement; a path to a view is one to the
//!   statement that enters it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::secret::{Vault, WrongKey};
use crate::table::{Key, Row, Set, View, What};
use crate::value::Value;

/// One matched word of a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// A keyword of the syntax, in full.
    Keyword(&'static str),
    /// A parameter, by the name it has in the syntax.
    Value(&'static str, Value),
}

/// A line that was understood.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Statement {
    /// Which row, by its place in the table.
    pub row: usize,
    /// Its words, in full.
    pub parts: Vec<Part>,
}

/// Where a statement stands among its siblings: its row, and what tells it from others of the row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// By its place in the table.
    pub row: usize,
    /// The parts that are its key.
    pub key: Vec<Part>,
}

/// A statement and what stands in its view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The line.
    pub statement: Statement,
    /// What was typed in its view.
    pub inner: Tree,
}

/// What was typed in a view.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tree {
    nodes: BTreeMap<Place, Node>,
}

impl Tree {
    /// Puts a statement into the view at a path, in place of what stood in its place; what stands in its own
    /// view stays. A line that enters a view that is there, and says no more than that, changes nothing. Gives
    /// its place.
    ///
    /// # Errors
    /// The row's check refuses it: a sentence, without `Error:`.
    pub fn set(&mut self, path: &[Place], statement: Statement) -> Result<Place, String> {
        let Some(set) = statement.of().set() else { return Err(NO_SETTING.into()) };
        (set.check)(self, path, &statement)?;
        let place = statement.place();
        let Some(view) = self.at_mut(path) else { return Err(NO_VIEW.into()) };
        match view.nodes.get_mut(&place) {
            Some(node) if set.enters.is_some() && node.statement.parts.starts_with(&statement.parts) => {}
            Some(node) => node.statement = statement,
            None => {
                view.nodes.insert(place.clone(), Node { statement, inner: Self::default() });
            }
        }
        Ok(place)
    }

    /// Takes out what `undo` and these words name.
    ///
    /// # Errors
    /// It is not there, or is something else: a sentence, without `Error:`.
    pub fn undo(&mut self, path: &[Place], named: &Statement) -> Result<(), String> {
        let Some(set) = named.of().set() else { return Err(NO_SETTING.into()) };
        let place = named.place();
        let Some(view) = self.at(path) else { return Err(NO_VIEW.into()) };
        let Some(node) = view.nodes.get(&place) else {
            return set.absent.map_or(Ok(()), |sentence| Err(sentence.into()));
        };
        node.statement.agrees(set, named)?;
        (set.keep)(self, path, &node.statement)?;
        self.at_mut(path).and_then(|view| view.nodes.remove(&place));
        Ok(())
    }

    /// What stands in the view at a path; the tree itself for none.
    #[must_use]
    pub fn at(&self, path: &[Place]) -> Option<&Self> {
        path.iter().try_fold(self, |view, place| Some(&view.nodes.get(place)?.inner))
    }

    fn at_mut(&mut self, path: &[Place]) -> Option<&mut Self> {
        path.iter().try_fold(self, |view, place| Some(&mut view.nodes.get_mut(place)?.inner))
    }

    /// The statement at a path.
    #[must_use]
    pub fn node(&self, path: &[Place]) -> Option<&Node> {
        let (last, outer) = path.split_last()?;
        self.at(outer)?.nodes.get(last)
    }

    /// All statements of this view, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (&Place, &Node)> {
        self.nodes.iter()
    }

    /// Whether nothing is configured here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The statement of this view that is about something, if there is one.
    #[must_use]
    pub fn one(&self, what: What) -> Option<&Node> {
        self.all(what).next()
    }

    /// The statements of this view that are about something.
    pub fn all(&self, what: What) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(move |node| node.statement.what() == what)
    }

    /// The statements that are wanted, with all that stands in them, and the views around them.
    pub(crate) fn filtered(&self, wanted: &dyn Fn(&Statement) -> bool) -> Self {
        let kept = self.nodes.iter().filter_map(|(place, node)| {
            if wanted(&node.statement) {
                return Some((place.clone(), node.clone()));
            }
            let inner = node.inner.filtered(wanted);
            let statement = node.statement.clone();
            (!inner.is_empty()).then(|| (place.clone(), Node { statement, inner }))
        });
        Self { nodes: kept.collect() }
    }

    /// What stands in the prompt of the view at a path, behind the name: `-bmp-session-10.1.1.1`.
    #[must_use]
    pub fn prompt(&self, path: &[Place]) -> String {
        let statements = (1..=path.len()).filter_map(|length| self.node(&path[..length]));
        statements.map(|node| node.statement.prompt()).collect()
    }
}

/// No row that can be typed makes these: they answer a caller who puts a statement where it cannot stand.
const NO_SETTING: &str = "This command is not part of a configuration.";
const NO_VIEW: &str = "The view of this command does not exist any more.";

impl Place {
    /// The view that this place's statement enters.
    #[must_use]
    pub fn enters(&self) -> Option<View> {
        crate::table::TABLE[self.row].set()?.enters.map(|(view, _)| view)
    }
}

impl Part {
    /// What keys of rows call it.
    fn name(&self) -> &'static str {
        match self {
            Self::Keyword(name) | Self::Value(name, _) => name,
        }
    }
}

impl Statement {
    /// Its row.
    #[must_use]
    pub fn of(&self) -> &'static Row {
        &crate::table::TABLE[self.row]
    }

    /// What it is about.
    #[must_use]
    pub fn what(&self) -> What {
        self.of().what
    }

    /// Whether a keyword is among its words.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Keyword(word) if *word == keyword))
    }

    /// The value of a parameter; the first, if there are several.
    #[must_use]
    pub fn value(&self, parameter: &str) -> Option<&Value> {
        self.values(parameter).next()
    }

    /// All values of a parameter.
    pub fn values(&self, parameter: &str) -> impl Iterator<Item = &Value> {
        self.parts.iter().filter_map(move |part| match part {
            Part::Value(name, value) if *name == parameter => Some(value),
            Part::Value(..) | Part::Keyword(_) => None,
        })
    }

    /// The value of a parameter that is a number.
    #[must_use]
    pub fn number(&self, parameter: &str) -> Option<u64> {
        match self.value(parameter)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of a parameter that is an address.
    #[must_use]
    pub fn address(&self, parameter: &str) -> Option<IpAddr> {
        match self.value(parameter)? {
            Value::V4(address) => Some((*address).into()),
            Value::V6(address) => Some((*address).into()),
            _ => None,
        }
    }

    /// The value of a parameter that is a word, or the rest of a line.
    #[must_use]
    pub fn text(&self, parameter: &str) -> Option<&Arc<str>> {
        match self.value(parameter)? {
            Value::Text(text) | Value::Rest(text) => Some(text),
            _ => None,
        }
    }

    /// Where it stands among its siblings.
    #[must_use]
    pub fn place(&self) -> Place {
        let named = |part: &Part, names: &[&str]| names.contains(&part.name());
        let is_key = |part: &&Part| match self.of().set().map(|set| set.key) {
            None | Some(Key::One) => false,
            Some(Key::By(names)) => matches!(part, Part::Value(..)) && named(part, names),
            Some(Key::But(names)) => !named(part, names),
            Some(Key::All) => true,
        };
        Place { row: self.row, key: self.parts.iter().filter(is_key).cloned().collect() }
    }

    /// Whether `undo` and these words can mean it: a value that `undo` names is this one's, or none is named;
    /// and what it says in keywords is said here too.
    fn agrees(&self, set: &Set, named: &Self) -> Result<(), String> {
        let could_name = |name: &str| set.undo.iter().any(|syntax| syntax.contains(&format!("<{name}>")));
        let values = |statement: &Self| -> Vec<Part> {
            let parts = statement.parts.iter().filter(|part| matches!(part, Part::Value(..)));
            parts.filter(|part| could_name(part.name())).cloned().collect()
        };
        let (is, asked) = (values(self), values(named));
        let known = |part: &Part| matches!(part, Part::Value(..)) || self.parts.contains(part);
        // A key has been compared already, so a row that is nothing but its key agrees here.
        if named.parts.iter().all(known) && (asked.is_empty() || asked == is || self.place().key == asked) {
            return Ok(());
        }
        match (set.called, is.first(), asked.first()) {
            (Some(name), Some(is), Some(asked)) => Err(format!("The {name} is {is}, not {asked}.")),
            _ => Err(format!("The command that is configured is: {self}.")),
        }
    }

    /// What it adds to the prompt of its view.
    #[must_use]
    pub fn prompt(&self) -> String {
        let Some((_, pattern)) = self.of().set().and_then(|set| set.enters) else { return String::new() };
        let mut prompt = String::new();
        // Brackets do not nest, so they cut the pattern into pieces, every other one in brackets.
        for (index, piece) in pattern.split(['[', ']']).enumerate() {
            let filled = self.filled(piece);
            debug_assert!(index % 2 == 1 || filled.is_some(), "{pattern} needs what {self} does not have");
            prompt.push_str(&filled.unwrap_or_default());
        }
        prompt
    }

    /// A piece of a prompt with its parameter filled in; `None` if that was not given.
    fn filled(&self, piece: &str) -> Option<String> {
        let Some((before, rest)) = piece.split_once('{') else { return Some(piece.to_owned()) };
        let (parameter, after) = rest.split_once('}')?;
        let value = match self.value(parameter)? {
            Value::Text(text) => text.to_string(), // without quotes
            other => other.to_string(),
        };
        Some(format!("{before}{value}{}", self.filled(after)?))
    }

    /// Seals what it has in clear, and sees that what is sealed can be opened. `random` fills nonces.
    ///
    /// # Errors
    /// What is sealed was sealed elsewhere.
    pub fn seal(&mut self, vault: &Vault, random: &mut dyn FnMut(&mut [u8])) -> Result<(), WrongKey> {
        for part in &mut self.parts {
            match part {
                Part::Value(_, value @ Value::Clear(_)) => {
                    if let Value::Clear(clear) = value {
                        *value = Value::Sealed(vault.seal(clear, random));
                    }
                }
                Part::Value(_, Value::Sealed(sealed)) => {
                    vault.open(sealed)?;
                }
                // What was typed as plain text is so no longer.
                Part::Keyword(word) if *word == "plain" => *word = "cipher",
                Part::Value(..) | Part::Keyword(_) => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword(word) => f.write_str(word),
            Self::Value(_, value) => value.fmt(f),
        }
    }
}

impl fmt::Display for Statement {
    /// As it would be typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{part}")?;
        }
        Ok(())
    }
}
