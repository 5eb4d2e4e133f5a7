//! The table, ready for matching, and the matching: all rows of a view at once, word by word.
//!
//! ```text
//!   word          bmp-session       vpn-instance      red           10.1.1.1
//!   trails   all ────────────► 1 ────────────────► 1 ───────► 1 ──────────────► 1, and the line may end here
//! ```
//!
//! * **a word is taken as §8.1 of the grammar says**  as the keyword it is; else as all parameters that take it,
//!   and as the one keyword that it begins. Keywords are told apart by how they are written, not by row.
//! * **to the letter wins**  if a line can be read in two ways, words are not taken for abbreviations: a router
//!   may be called `al`, and `reset bmp monitored-router al` does not mean all of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::syntax::{Atom, Node, Syntax};
use crate::table::{Act, Row, TABLE, View};
use crate::tree::Part;
use crate::value::{Kind, Value};
use crate::words::{self, BadQuote, Word};

use super::Fault;

/// The rows of a table, each syntax made ready.
pub(crate) struct Grammar {
    rows: &'static [Row],
    forms: Vec<Form>,
    /// By view: which of them can be typed there.
    views: BTreeMap<View, Vec<usize>>,
}

/// One syntax of a row.
struct Form {
    row: usize,
    undo: bool,
    syntax: Syntax,
}

/// One way to read what of a line has been read.
#[derive(Clone)]
pub(super) struct Trail<'g> {
    form: &'g Form,
    /// The place of the last word; `None` before the first.
    at: Option<usize>,
    pub(super) parts: Vec<Part>,
    /// How many words were taken for abbreviations although they may be something else.
    doubts: u32,
}

/// What may come next.
#[derive(Clone, Copy)]
pub(super) struct Next<'t, 'g> {
    trail: &'t Trail<'g>,
    place: usize,
}

/// Where reading stands.
pub(super) struct Reading<'g> {
    pub(super) trails: Vec<Trail<'g>>,
    /// In octets: what is behind it has not been read.
    pub(super) at: usize,
    /// Words that were read.
    pub(super) words: usize,
    /// Whether the last word took the rest of the line.
    pub(super) whole: bool,
}

/// Why a word was not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stumble {
    pub(super) fault: Fault,
    /// In octets.
    pub(super) at: usize,
}

impl Grammar {
    /// Of the table.
    pub(super) fn of_table() -> &'static Self {
        static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
        GRAMMAR.get_or_init(|| Self::new(TABLE))
    }

    /// Of these rows. A syntax that is not well-formed is a mistake of ours, which a test finds.
    pub(super) fn new(rows: &'static [Row]) -> Self {
        let ready =
            |syntax: Result<Syntax, String>| syntax.unwrap_or_else(|fault| panic!("the table: {fault}"));
        let mut forms = Vec::new();
        for (row, it) in rows.iter().enumerate() {
            let behind = matches!(it.act, Act::Show).then(pipe);
            forms.push(Form { row, undo: false, syntax: ready(Syntax::new(None, it.syntax, behind)) });
            if let Act::Set(set) = &it.act {
                for undo in set.undo {
                    forms.push(Form {
                        row,
                        undo: true,
                        syntax: ready(Syntax::new(Some("undo"), undo, None)),
                    });
                }
            }
        }
        let mut views: BTreeMap<View, Vec<usize>> = BTreeMap::new();
        for (n, form) in forms.iter().enumerate() {
            for &view in rows[form.row].views {
                views.entry(view).or_default().push(n);
            }
        }
        Self { rows, forms, views }
    }

    /// Before the first word of a line in a view.
    pub(super) fn begin(&self, view: View) -> Reading<'_> {
        let forms = self.views.get(&view).into_iter().flatten().map(|&n| &self.forms[n]);
        let trails = forms.map(|form| Trail { form, at: None, parts: Vec::new(), doubts: 0 }).collect();
        Reading { trails, at: 0, words: 0, whole: false }
    }

    /// The help of the row that a trail is of.
    pub(super) fn help(&self, trail: &Trail<'_>) -> &'static str {
        self.rows[trail.form.row].help
    }
}

/// `[ | { json | begin <regex> | include <regex> | exclude <regex> } ]`
fn pipe() -> Node {
    let keyword = |keyword| Node::Atom(Atom::Keyword(keyword));
    let regex = Kind::named("regex").expect("it is in the table of kinds");
    let filter = |name| Node::All(vec![keyword(name), Node::Atom(Atom::Parameter(regex))]);
    let ways = vec![keyword("json"), filter("begin"), filter("include"), filter("exclude")];
    Node::Maybe(Box::new(Node::All(vec![keyword("|"), Node::One(ways)])))
}

impl<'g> Reading<'g> {
    /// Reads up to the end of a line. Where it stops short of that, the trails are those before the word.
    pub(super) fn read(&mut self, line: &str) -> Result<(), Stumble> {
        while self.word(line)? {}
        Ok(())
    }

    /// Reads one word; `false` if there is none.
    pub(super) fn word(&mut self, line: &str) -> Result<bool, Stumble> {
        let Some(word) = words::next(line, self.at) else { return Ok(false) };
        let at = word.map_or_else(|bad| bad.at, |word| word.at);
        let rest = words::trim_end(&line[at..]);
        let (trails, whole) = self.take(word, rest).map_err(|fault| Stumble { fault, at })?;
        self.trails = trails;
        self.whole = whole;
        self.at = if whole { line.len() } else { word.map_or(line.len(), |word| word.end) };
        self.words += 1;
        Ok(true)
    }

    /// The trails that go on with a word, or with all that is left of the line.
    fn take(&self, word: Result<Word<'_>, BadQuote>, rest: &str) -> Result<(Vec<Trail<'g>>, bool), Fault> {
        let nexts: Vec<Next<'_, 'g>> = self.nexts().collect();
        if nexts.is_empty() {
            return Err(Fault::TooMany);
        }
        if let Ok(word) = word {
            let exact: Vec<_> = nexts.iter().filter_map(|next| next.keyword_if(|it| is(it, word))).collect();
            if !exact.is_empty() {
                return Ok((exact, false));
            }
        }
        let whole: Vec<_> = nexts.iter().filter_map(|next| next.rest(rest)).collect();
        if !whole.is_empty() {
            return Ok((whole, true));
        }
        if let Ok(word) = word {
            let mut taken: Vec<_> = nexts.iter().filter_map(|next| next.parameter(word)).collect();
            let begun = begun(&nexts, word);
            if begun.len() == 1 {
                let doubt = u32::from(!taken.is_empty());
                let keywords = nexts.iter().filter_map(|next| next.keyword_if(|it| begun.contains(&it)));
                taken.extend(keywords.map(|trail| Trail { doubts: trail.doubts + doubt, ..trail }));
            }
            if !taken.is_empty() {
                return Ok((taken, false));
            }
            if !begun.is_empty() {
                return Err(Fault::Ambiguous);
            }
        }
        let parameter = nexts.iter().any(|next| matches!(next.atom(), Atom::Parameter(_)));
        // A bar may follow whatever shows something: that does not make the command incomplete.
        let complete = nexts.iter().all(|next| matches!(next.atom(), Atom::Keyword("|")));
        Err(if parameter || word.is_err() {
            Fault::Wrong
        } else if complete {
            Fault::TooMany
        } else {
            Fault::Unrecognized
        })
    }

    /// All that may come next.
    pub(super) fn nexts(&self) -> impl Iterator<Item = Next<'_, 'g>> {
        // Behind the rest of a line there is nothing, whatever the syntax goes on with.
        let trails = if self.whole { &[] } else { &self.trails[..] };
        trails.iter().flat_map(|trail| trail.nexts().iter().map(move |&place| Next { trail, place }))
    }

    /// The keywords that a word begins: each text once.
    pub(super) fn begun(&self, word: Word<'_>) -> Vec<&'static str> {
        begun(&self.nexts().collect::<Vec<_>>(), word)
    }

    /// Whether the line may end here.
    pub(super) fn may_end(&self) -> bool {
        self.trails.iter().any(Trail::may_end)
    }

    /// What the line is if it ends here, and it may.
    pub(super) fn end(&self) -> Option<&Trail<'g>> {
        let ends = self.trails.iter().filter(|trail| trail.may_end());
        // Of equals it is the first, and the trails are in the order of the table.
        ends.min_by_key(|trail| trail.doubts)
    }
}

impl<'g> Trail<'g> {
    fn nexts(&self) -> &'g [usize] {
        self.at.map_or(&self.form.syntax.first, |at| &self.form.syntax.follow[at])
    }

    fn may_end(&self) -> bool {
        self.at.is_some_and(|at| self.form.syntax.last[at])
    }

    /// The row, by its place in the table, and whether it is to be undone.
    pub(super) fn row(&self) -> (usize, bool) {
        (self.form.row, self.form.undo)
    }

    fn with(&self, place: usize, part: Part) -> Self {
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        parts.extend_from_slice(&self.parts);
        parts.push(part);
        Trail { form: self.form, at: Some(place), parts, doubts: self.doubts }
    }
}

impl<'t, 'g> Next<'t, 'g> {
    pub(super) fn atom(self) -> Atom {
        self.trail.form.syntax.atoms[self.place]
    }

    pub(super) fn trail(self) -> &'t Trail<'g> {
        self.trail
    }

    /// Goes on with the keyword that is expected, if it is one of those.
    fn keyword_if(self, it: impl Fn(&'static str) -> bool) -> Option<Trail<'g>> {
        match self.atom() {
            Atom::Keyword(keyword) if it(keyword) => {
                Some(self.trail.with(self.place, Part::Keyword(keyword)))
            }
            _ => None,
        }
    }

    /// Goes on with the parameter that is expected, if it takes the word.
    fn parameter(self, word: Word<'_>) -> Option<Trail<'g>> {
        match self.atom() {
            Atom::Parameter(kind) if !kind.rest => self.value(kind, (kind.read)(word.text, word.quoted)),
            _ => None,
        }
    }

    /// Goes on with the parameter that is expected, if it takes the rest of the line.
    fn rest(self, rest: &str) -> Option<Trail<'g>> {
        match self.atom() {
            Atom::Parameter(kind) if kind.rest => self.value(kind, (kind.read)(rest, false)),
            _ => None,
        }
    }

    fn value(self, kind: &'static Kind, value: Option<Value>) -> Option<Trail<'g>> {
        value.map(|value| self.trail.with(self.place, Part::Value(kind.name, value)))
    }
}

/// Whether a word is this keyword, in whatever letters.
fn is(keyword: &str, word: Word<'_>) -> bool {
    !word.quoted && keyword.eq_ignore_ascii_case(word.text)
}

/// Whether a word begins this keyword.
fn begins(keyword: &str, word: Word<'_>) -> bool {
    !word.quoted && keyword.get(..word.text.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.text))
}

fn begun(nexts: &[Next<'_, '_>], word: Word<'_>) -> Vec<&'static str> {
    let mut keywords = Vec::new();
    for next in nexts {
        match next.atom() {
            Atom::Keyword(keyword) if begins(keyword, word) && !keywords.contains(&keyword) => {
                keywords.push(keyword);
            }
            _ => {}
        }
    }
    keywords
}

#[cfg(test)]
impl Grammar {
    /// All keywords but those that are the first word of a row and, in its views, of no other one.
    pub(super) fn keywords(&self) -> Vec<&'static str> {
        let mut all = vec!["undo"];
        for form in &self.forms {
            let shared = |keyword: &str| {
                let views = self.rows[form.row].views;
                let beside =
                    |other: &&Form| self.rows[other.row].views.iter().any(|view| views.contains(view));
                let others = self.forms.iter().filter(|other| other.row != form.row).filter(beside);
                others
                    .filter(|other| !other.undo)
                    .any(|other| matches!(other.syntax.atoms[0], Atom::Keyword(it) if it == keyword))
            };
            let first = usize::from(form.undo);
            for (place, atom) in form.syntax.atoms.iter().enumerate() {
                match atom {
                    Atom::Keyword(keyword) if place > first || place == first && shared(keyword) => {
                        all.push(keyword);
                    }
                    _ => {}
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}
