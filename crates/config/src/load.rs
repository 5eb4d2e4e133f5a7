//! A file of commands, read as a whole.
//!
//! * **all that is wrong**  every line that is wrong is reported, but for those that stand below one that is:
//!   they are about a view that was not entered.
//! * **no secret gets out**  a line that is quoted is masked first.

use std::collections::HashMap;
use std::fmt;

use crate::meaning::Problem;
use crate::parse::{Parsed, parse};
use crate::secret::Vault;
use crate::table::{Act, View, What};
use crate::tree::{Place, Tree};
use crate::words;

/// A configuration that was read, and where its statements stood.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// It.
    pub tree: Tree,
    /// By path: the line (from 1), and the column (from 1) at which the statement begins.
    pub lines: HashMap<Vec<Place>, (usize, usize)>,
}

/// One thing that is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line as it stands, but for secrets.
    pub text: String,
    /// What is wrong: a sentence, with `Error:`.
    pub sentence: String,
    /// What could have stood there; nothing if that is no help.
    pub expected: Vec<String>,
}

impl fmt::Display for FileError {
    /// The line, a caret below, the sentence, what was expected; without the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands behind a secret is not shown, so the caret may have to stay where the line ends. A tab is
        // as wide below as above.
        let before = self.text.chars().take(self.column - 1);
        let blanks: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let missing = self.column - 1 - blanks.chars().count();
        let blanks = if self.text.ends_with(MASK) { blanks } else { blanks + &" ".repeat(missing) };
        writeln!(f, "{}\n{blanks}^", self.text)?;
        f.write_str(&self.sentence)?;
        if self.expected.is_empty() { Ok(()) } else { write!(f, "\nExpected: {}", self.expected.join(", ")) }
    }
}

/// Reads a file: indentation is for people, views follow from the commands. Secrets are sealed at once.
/// `random` fills nonces.
///
/// # Errors
/// All lines that are wrong.
pub fn load(text: &str, vault: &Vault, random: &mut dyn FnMut(&mut [u8])) -> Result<Loaded, Vec<FileError>> {
    let mut reader = Reader { loaded: Loaded::default(), path: Vec::new(), at: (0, 0), vault, random };
    let mut errors = Vec::new();
    let mut wrong_below = None;
    for (index, line) in text.lines().enumerate() {
        let column = line.chars().take_while(|c| c.is_whitespace()).count();
        if wrong_below.is_some_and(|wrong| column > wrong) && !words::silent(line) {
            continue;
        }
        wrong_below = None;
        reader.at = (index + 1, column + 1);
        match reader.line(line) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                wrong_below = Some(column);
                errors.push(error);
            }
        }
    }
    if errors.is_empty() { Ok(reader.loaded) } else { Err(errors) }
}

impl Loaded {
    /// What is wrong with the meaning of the file that this was read from, `text`, as a fault of one of its
    /// lines: that of the statement, or that of the view which it would have to stand in.
    #[must_use]
    pub fn error(&self, text: &str, problem: &Problem) -> FileError {
        let paths = (1..=problem.path.len()).rev().map(|length| &problem.path[..length]);
        let (line, column) = paths.filter_map(|path| self.lines.get(path)).next().copied().unwrap_or((1, 1));
        let text = text.lines().nth(line - 1).unwrap_or_default();
        FileError {
            line,
            column,
            text: masked(text),
            sentence: format!("Error: {}", problem.text),
            expected: Vec::new(),
        }
    }
}

/// Reads a file line by line.
struct Reader<'a> {
    loaded: Loaded,
    /// The view.
    path: Vec<Place>,
    /// Line and column.
    at: (usize, usize),
    vault: &'a Vault,
    random: &'a mut dyn FnMut(&mut [u8]),
}

impl Reader<'_> {
    /// Takes a line; whether there may be more.
    fn line(&mut self, line: &str) -> Result<bool, FileError> {
        let views: Vec<View> =
            std::iter::once(View::System).chain(self.path.iter().filter_map(Place::enters)).collect();
        let parsed = match parse(&views, line) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => {
                if words::trim(line).starts_with('#') {
                    self.path.clear();
                }
                return Ok(true);
            }
            Err(refusal) => {
                let hint = refusal.hint().map(|_| refusal.expected.clone()).unwrap_or_default();
                return Err(FileError {
                    column: refusal.column + 1,
                    expected: hint,
                    ..self.error(line, &refusal.fault.to_string())
                });
            }
        };
        let fault = |sentence: String| format!("Error: {sentence}");
        self.path.truncate(self.path.len() - parsed.out);
        self.take(parsed).map_err(|sentence| self.error(line, &fault(sentence)))
    }

    /// Takes what was understood; whether there may be more.
    fn take(&mut self, Parsed { undo, mut statement, .. }: Parsed) -> Result<bool, String> {
        if !matches!(statement.of().act, Act::Set(_)) {
            match statement.what() {
                What::Return => return Ok(false),
                What::Quit => self.path.pop(),
                _ => return Err("This command is not part of a configuration.".into()),
            };
            return Ok(true);
        }
        if undo {
            let gone: Vec<Place> = self.path.iter().cloned().chain([statement.place()]).collect();
            self.loaded.tree.undo(&self.path, &statement)?;
            self.loaded.lines.retain(|path, _| !path.starts_with(&gone));
            return Ok(true);
        }
        statement.seal(self.vault, self.random).map_err(|wrong| wrong.to_string())?;
        let place = self.loaded.tree.set(&self.path, statement)?;
        let enters = place.enters().is_some();
        self.path.push(place);
        self.loaded.lines.insert(self.path.clone(), self.at);
        if !enters {
            self.path.pop();
        }
        Ok(true)
    }

    fn error(&self, line: &str, sentence: &str) -> FileError {
        let (at, column) = self.at;
        let (text, sentence) = (masked(line), sentence.to_owned());
        FileError { line: at, column, text, sentence, expected: Vec::new() }
    }
}

/// A line without the secret that may stand in it, and without what follows that. It goes by how lines with
/// secrets begin, since a line that has to be quoted may be one that nobody understands.
#[must_use]
pub fn masked(line: &str) -> String {
    let mut from = 0;
    let mut words = Vec::new();
    // A quote without end takes the rest of the line.
    while let Some(word) = words::next(line, from) {
        let (at, end, text) = match word {
            Ok(word) => (word.at, word.end, word.text),
            Err(bad) => (bad.at, line.len(), &line[bad.at..]),
        };
        words.push((at, text.to_ascii_lowercase()));
        from = end;
    }
    let begins = |word: &str, keyword: &str| !word.is_empty() && keyword.starts_with(word);
    let word = |index: usize| words.get(index).map_or("", |(_, word): &(usize, String)| word);
    let named = |index: usize| word(index).len() > 2 && LEADS.iter().any(|lead| begins(word(index), lead));
    let by_name = (0..words.len()).find(|&index| named(index));
    let by_place = match word(0) {
        // `tcp connect port 5000 password md5 SECRET`, but not `… keychain NAME`
        first if begins(first, "tcp") => (!begins(word(4), "keychain") && words.len() > 4).then_some(3),
        // `key-string cipher SECRET`, but not `keychain` and `key-id`
        first if first.starts_with("key") && !begins(first, "keychain") && !begins(first, "key-id") => {
            Some(0)
        }
        _ => None,
    };
    let Some(mut index) = [by_name, by_place].into_iter().flatten().min().map(|lead| lead + 1) else {
        return line.to_owned();
    };
    // What leads to a secret is none, unless nothing follows.
    for leads in [&LEADS[..1], &LEADS[1..]] {
        let leads = leads.iter().any(|lead| begins(word(index), lead));
        index += usize::from(leads && index + 1 < words.len());
    }
    words.get(index).map_or_else(|| line.to_owned(), |(at, _)| format!("{}{MASK}", &line[..*at]))
}

/// What stands for a secret.
const MASK: &str = "******";

/// What stands before secrets.
const LEADS: [&str; 4] = ["password", "md5", "cipher", "plain"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_quoted() {
        let rows = [
            ("bmp-session 10.1.1.1", "bmp-session 10.1.1.1"),
            ("tcp connect port 70000", "tcp connect port 70000"),
            ("  tcp connect port 5 password md5 secret", "  tcp connect port 5 password md5 ******"),
            ("tcp connect port 5 password md5 p", "tcp connect port 5 password md5 ******"),
            ("tcp connect port 5 password md5 p x", "tcp connect port 5 password md5 ******"),
            ("tcp connect port 5 password md5 \"a b\" x", "tcp connect port 5 password md5 ******"),
            ("tcp connect port 5 password md5 \"a b", "tcp connect port 5 password md5 ******"),
            ("t c p 5 p m secret", "t c p 5 p m ******"),
            ("tcp connect port 5 md5 secret", "tcp connect port 5 md5 ******"),
            ("tcp connect port 5 secret", "tcp connect port 5 ******"),
            ("tcp connect port password md5 secret", "tcp connect port password md5 ******"),
            ("tcp listen port 5 PASSWORD MD5 secret more", "tcp listen port 5 PASSWORD MD5 ******"),
            ("tcp connect port 5 keychain k x", "tcp connect port 5 keychain k x"),
            ("xtcp connect port 5 password md5 secret", "xtcp connect port 5 password md5 ******"),
            ("key-string cipher secret", "key-string cipher ******"),
            ("key-string plain secret x", "key-string plain ******"),
            ("key-string secret", "key-string ******"),
            ("key-s p", "key-s ******"),
            ("keystring secret", "keystring ******"),
            ("key-id 64", "key-id 64"),
            ("keychain k", "keychain k"),
            ("key 64", "key 64"),
        ];
        for (line, answer) in rows {
            assert_eq!(masked(line), answer, "{line}");
        }
    }
}
