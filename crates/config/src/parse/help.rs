//! `?` and Tab: the same reading, up to the word that is not complete yet.

use std::collections::BTreeMap;

use crate::syntax::Atom;
use crate::table::View;
use crate::tree::Part;
use crate::value::{Kind, Value};
use crate::words::{self, Word};

use super::END;
use super::grammar::{Grammar, Next, Reading};
use super::keywords;

impl Grammar {
    /// What may stand at the end of a line, each with its help: all if it begins a word, else what its last word
    /// may become.
    pub(super) fn explain(&self, views: &[View], line: &str) -> Vec<(String, String)> {
        let Some(open) = self.open(views, line) else { return Vec::new() };
        if let Some(command) = open.command() {
            return self.explain(&[View::User], &command);
        }
        let mut words: BTreeMap<&'static str, Vec<Next<'_, '_>>> = BTreeMap::new();
        let mut parameters: BTreeMap<&'static str, &'static Kind> = BTreeMap::new();
        for next in open.reading.nexts() {
            match next.atom() {
                Atom::Keyword(keyword) if open.begins(keyword) => {
                    words.entry(keyword).or_default().push(next);
                }
                Atom::Keyword(_) => {}
                Atom::Parameter(kind) => parameters.extend(kind.forms().map(|form| (form, kind))),
            }
        }
        // `al` may be the beginning of much: what it cannot be is only shown if there is nothing better.
        if !words.is_empty() {
            parameters.retain(|_, kind| open.may_be(kind));
        }
        let mut lines: Vec<(String, String)> = words
            .iter()
            .map(|(keyword, nexts)| ((*keyword).to_owned(), self.keyword_help(keyword, nexts).to_owned()))
            .collect();
        lines.extend(parameters.iter().map(|(form, kind)| ((*form).to_owned(), kind.help.to_owned())));
        lines.sort();
        if open.word.is_none() && open.reading.may_end() {
            lines.push((END.to_owned(), keywords::END_HELP.to_owned()));
        }
        lines
    }

    /// The keywords that the last word of a line may become; all that may come if it ends with a blank.
    pub(super) fn complete(&self, views: &[View], line: &str) -> Vec<String> {
        let Some(open) = self.open(views, line) else { return Vec::new() };
        if let Some(command) = open.command() {
            return self.complete(&[View::User], &command);
        }
        let keywords = open.reading.nexts().filter_map(|next| match next.atom() {
            Atom::Keyword(keyword) if open.begins(keyword) => Some(keyword.to_owned()),
            _ => None,
        });
        let mut words: Vec<String> = keywords.collect();
        words.sort();
        words.dedup();
        words
    }

    /// Reads all but the last word, in the innermost view that knows what comes before it.
    fn open<'l>(&self, views: &[View], line: &'l str) -> Option<Open<'_, 'l>> {
        if words::silent(line) && !words::trim(line).is_empty() {
            return None;
        }
        views.iter().rev().find_map(|&view| self.open_in(view, line))
    }

    fn open_in<'l>(&self, view: View, line: &'l str) -> Option<Open<'_, 'l>> {
        let mut reading = self.begin(view);
        loop {
            match words::next(line, reading.at) {
                None => return Some(Open { reading, word: None, line }),
                // What is in a quote without an end may become whatever it likes.
                Some(Err(bad)) => {
                    let word = Word { text: &line[bad.at..], quoted: true, at: bad.at, end: line.len() };
                    return Some(Open { reading, word: Some(word), line });
                }
                Some(Ok(word)) if word.end == line.len() && !words::at_word(line) => {
                    return Some(Open { reading, word: Some(word), line });
                }
                Some(Ok(_)) => reading.word(line).ok()?,
            };
        }
    }

    /// What a keyword does: what its row does if it is the first word of that row alone, else what it stands for.
    fn keyword_help(&self, keyword: &str, nexts: &[Next<'_, '_>]) -> &'static str {
        let first = |next: &Next<'_, '_>| match next.trail().parts.first() {
            None => keyword != "undo",
            Some(part) => next.trail().parts.len() == 1 && *part == Part::Keyword("undo"),
        };
        let mut rows = nexts.iter().filter(|next| first(next)).map(|next| next.trail().row().0);
        let row = rows.next().filter(|row| rows.all(|other| other == *row));
        match row {
            Some(_) => self.help(nexts[0].trail()),
            None => keywords::help(keyword),
        }
    }
}

/// A line up to its last word.
struct Open<'g, 'l> {
    reading: Reading<'g>,
    /// The last word, if it is not complete.
    word: Option<Word<'l>>,
    line: &'l str,
}

impl Open<'_, '_> {
    /// Whether the last word may become this keyword.
    fn begins(&self, keyword: &str) -> bool {
        let Some(word) = self.word else { return true };
        let head = keyword.get(..word.text.len());
        !word.quoted && head.is_some_and(|head| head.eq_ignore_ascii_case(word.text))
    }

    /// Whether the last word is one of these, as far as it goes.
    fn may_be(&self, kind: &Kind) -> bool {
        self.word.is_none_or(|word| kind.rest || (kind.read)(word.text, word.quoted).is_some())
    }

    /// A command within the command: what `run` is to do, as far as it goes.
    fn command(&self) -> Option<String> {
        if self.reading.whole {
            let value = self.reading.trails.first()?.parts.last()?;
            let Part::Value("command", Value::Rest(command)) = value else { return None };
            let blank = if words::at_word(self.line) { " " } else { "" };
            return Some(format!("{command}{blank}"));
        }
        let expected =
            |next: Next<'_, '_>| matches!(next.atom(), Atom::Parameter(kind) if kind.name == "command");
        let at = self.word.map_or(self.line.len(), |word| word.at);
        self.reading.nexts().any(expected).then(|| self.line[at..].to_owned())
    }
}
