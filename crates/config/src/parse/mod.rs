//! A line in a view: understood, or refused with a caret; `?` and Tab.
//!
//! ```text
//!   [H-bmp-session-10.1.1.1]tcp connect port 70000      what is wrong, and where: the first word that no row
//!                                            ^          of the view has there
//!   Error: Wrong parameter found at '^' position.
//!   Expected: INTEGER<1-65535>
//! ```
//!
//! * **a configuration can be pasted**  a line whose first word means nothing in the innermost view is tried in
//!   the view around it, and so on up to the system view. A line that the innermost view refuses later on is
//!   still taken if a view further out takes it as a whole, its first word in full: `bmp` is no abbreviation of
//!   `bmp-session`. This is not so for `undo`, which is never pasted.

mod grammar;
mod help;
mod keywords;

use std::fmt;

use crate::syntax::Atom;
use crate::table::View;
use crate::tree::{Part, Statement};
use crate::value::Value;
use crate::words::{self, LINE_MAX};

use grammar::{Grammar, Reading, Stumble};

/// A line that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// How many views have to be left for it: a line that means nothing where it was typed may mean something
    /// further out, as in a configuration that is pasted.
    pub out: usize,
    /// Whether `undo` stands in front of it.
    pub undo: bool,
    /// It.
    pub statement: Statement,
    /// What follows `|`.
    pub pipe: Option<Pipe>,
}

/// What is to be done with what is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pipe {
    /// As JSON.
    Json,
    /// From the first line on that matches.
    Begin(String),
    /// Lines that match.
    Include(String),
    /// Lines that do not.
    Exclude(String),
}

/// Why a line was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What is wrong.
    pub fault: Fault,
    /// Where, in characters from the beginning of the line.
    pub column: usize,
    /// What could have stood there: `INTEGER<1-65535>`, keywords, `<cr>`.
    pub expected: Vec<String>,
}

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A keyword was expected, and this is none.
    Unrecognized,
    /// A parameter was expected, and this is none.
    Wrong,
    /// The line ends too early.
    Incomplete,
    /// More than one keyword begins like this.
    Ambiguous,
    /// The command was complete before.
    TooMany,
}

/// What `?` calls the end of a line.
const END: &str = "<cr>";

/// Reads a line; `None` if there is nothing in it, or a comment. The innermost view comes last.
///
/// # Errors
/// It is not understood.
pub fn parse(views: &[View], line: &str) -> Result<Option<Parsed>, Refusal> {
    Grammar::of_table().parse(views, line)
}

/// What `?` shows at the end of a line: words and their help.
#[must_use]
pub fn help(views: &[View], line: &str) -> Vec<(String, String)> {
    Grammar::of_table().explain(views, line)
}

/// What the last word of a line may become: whole words.
#[must_use]
pub fn complete(views: &[View], line: &str) -> Vec<String> {
    Grammar::of_table().complete(views, line)
}

/// A line that one view did not understand.
struct Refused<'g> {
    /// As far as it was read.
    reading: Reading<'g>,
    /// Why not further; `None`: it ended.
    stumble: Option<Stumble>,
}

impl Grammar {
    fn parse(&self, views: &[View], line: &str) -> Result<Option<Parsed>, Refusal> {
        if words::silent(line) {
            return Ok(None);
        }
        if line.chars().count() > LINE_MAX {
            return Err(Refusal { fault: Fault::TooMany, column: LINE_MAX, expected: vec![END.to_owned()] });
        }
        let mut refused = None;
        for (out, &view) in views.iter().rev().enumerate() {
            match self.parse_in(view, line) {
                Ok(parsed) => return Ok(Some(Parsed { out, ..parsed })),
                Err(here) if here.knows_nothing() => {
                    refused.get_or_insert(here);
                }
                Err(here) => {
                    let pasted = self.parse_pasted(views, out + 1, line);
                    return pasted.map(Some).ok_or_else(|| here.refusal(line));
                }
            }
        }
        refused.map_or(Ok(None), |refused| Err(refused.refusal(line)))
    }

    /// Reads a line that is refused further in, in the views from `out` on: as it would be printed.
    fn parse_pasted(&self, views: &[View], out: usize, line: &str) -> Option<Parsed> {
        let first = words::next(line, 0)?.ok()?;
        views.iter().rev().enumerate().skip(out).find_map(|(out, &view)| {
            let parsed = self.parse_in(view, line).ok()?;
            // `undo` is no part of a statement.
            let in_full =
                matches!(parsed.statement.parts.first()?, Part::Keyword(word) if *word == first.text);
            in_full.then_some(Parsed { out, ..parsed })
        })
    }

    fn parse_in(&self, view: View, line: &str) -> Result<Parsed, Refused<'_>> {
        let mut reading = self.begin(view);
        if let Err(stumble) = reading.read(line) {
            return Err(Refused { reading, stumble: Some(stumble) });
        }
        let Some(trail) = reading.end() else { return Err(Refused { reading, stumble: None }) };
        let (row, undo) = trail.row();
        let mut parts = trail.parts.clone();
        if undo {
            parts.remove(0);
        }
        let pipe = parts
            .iter()
            .position(|part| *part == Part::Keyword("|"))
            .map(|at| Pipe::new(&parts.split_off(at)));
        Ok(Parsed { out: 0, undo, statement: Statement { row, parts }, pipe })
    }
}

impl Refused<'_> {
    /// Whether the view did not even recognize what is to be done, or undone.
    fn knows_nothing(&self) -> bool {
        let undo =
            self.reading.trails.iter().any(|trail| trail.parts.first() == Some(&Part::Keyword("undo")));
        let first = self.reading.words == usize::from(undo);
        first && self.stumble.is_some_and(|stumble| stumble.fault == Fault::Unrecognized)
    }

    fn refusal(&self, line: &str) -> Refusal {
        let Some(Stumble { fault, at }) = self.stumble else {
            let column = words::column(line, words::trim_end(line).len()) + 1;
            return Refusal { fault: Fault::Incomplete, column, expected: expected(&self.reading, None) };
        };
        let word = words::next(line, at).and_then(Result::ok).filter(|_| fault == Fault::Ambiguous);
        let begun = word.map(|word| self.reading.begun(word));
        Refusal {
            fault,
            column: words::column(line, at),
            expected: expected(&self.reading, begun.as_deref()),
        }
    }
}

impl Pipe {
    /// What these parts, the bar and what follows it, ask for.
    fn new(parts: &[Part]) -> Self {
        let regex = match parts.get(2) {
            Some(Part::Value(_, Value::Rest(regex))) => regex.to_string(),
            _ => String::new(),
        };
        match parts.get(1) {
            Some(Part::Keyword("begin")) => Self::Begin(regex),
            Some(Part::Keyword("include")) => Self::Include(regex),
            Some(Part::Keyword("exclude")) => Self::Exclude(regex),
            _ => Self::Json,
        }
    }
}

impl Refusal {
    /// What could have stood there, if that is few enough to be of help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = format!("Expected: {}", self.expected.join(", "));
        (!self.expected.is_empty() && hint.len() <= HINT_MAX).then_some(hint)
    }
}

/// Characters of a hint, at most: as many as fit on a line.
const HINT_MAX: usize = 100;

/// What may come next, each once, in order; of keywords only some, if so wished.
fn expected(reading: &Reading<'_>, only: Option<&[&str]>) -> Vec<String> {
    let mut words = Vec::new();
    for next in reading.nexts() {
        match next.atom() {
            Atom::Keyword(keyword) => words.push(keyword),
            Atom::Parameter(kind) => words.extend(kind.forms()),
        }
    }
    words.retain(|word| only.is_none_or(|only| only.contains(word)));
    words.sort_unstable();
    words.dedup();
    if only.is_none() && reading.may_end() {
        words.push(END);
    }
    words.into_iter().map(str::to_owned).collect()
}

impl fmt::Display for Refusal {
    /// The sentence that VRP has for it, and a hint in a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        self.hint().map_or(Ok(()), |hint| write!(f, "\n{hint}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unrecognized => "Error: Unrecognized command found at '^' position.",
            Self::Wrong => "Error: Wrong parameter found at '^' position.",
            Self::Incomplete => "Error: Incomplete command found at '^' position.",
            Self::Ambiguous => "Error: Ambiguous command found at '^' position.",
            Self::TooMany => "Error: Too many parameters found at '^' position.",
        })
    }
}

#[cfg(test)]
mod tests;
