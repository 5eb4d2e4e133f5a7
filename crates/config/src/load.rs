//! A file of commands, read as a whole.
//!
//! * **all that is wrong**  every line that is wrong is reported, but for those that stand below one that is:
//!   they are about a view that was not entered.
//! * **no secret gets out**  a line that is quoted is masked first.

use std::collections::HashMap;
use std::fmt;

use crate::mask::masked;
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
    /// The line as it stands, but for a secret.
    pub text: String,
    /// Where in that the caret stands: at the column, unless that is behind a secret. From 1, in characters.
    pub caret: usize,
    /// What is wrong: a sentence, with `Error:`.
    pub sentence: String,
    /// What could have stood there; nothing if that is no help.
    pub expected: Vec<String>,
}

impl FileError {
    fn new((line, column): (usize, usize), text: &str, sentence: String) -> Self {
        let masked = masked(text);
        let caret = masked.column(column - 1) + 1;
        Self { line, column, text: masked.text, caret, sentence, expected: Vec::new() }
    }
}

impl fmt::Display for FileError {
    /// The line, a caret below, the sentence, what was expected; without the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A tab is as wide below as above.
        let above = self.text.chars().chain(std::iter::repeat(' ')).take(self.caret - 1);
        let blanks: String = above.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
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
        FileError::new((line, column), text, format!("Error: {}", problem.text))
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
                let at = (self.at.0, refusal.column + 1);
                return Err(FileError {
                    expected: hint,
                    ..FileError::new(at, line, refusal.fault.to_string())
                });
            }
        };
        let fault = |sentence: String| format!("Error: {sentence}");
        self.path.truncate(self.path.len() - parsed.out);
        self.take(parsed).map_err(|sentence| FileError::new(self.at, line, fault(sentence)))
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
}
