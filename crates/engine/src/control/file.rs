//! A configuration's file, and where it is bad.

use std::fmt::Write as _;
use std::path::Path;

use config::load::{self, Loaded};
use config::mask;
use config::meaning::Problem;
use config::secret::Vault;

use crate::keep;

/// Reads the text of a file.
///
/// # Errors
/// All that cannot be read, each with `FILE:LINE:COLUMN`, the line, a caret.
pub(crate) fn load(path: &Path, text: &str, vault: &Vault) -> Result<Loaded, String> {
    load::load(text, vault, &mut keep::random).map_err(|errors| {
        let mut report = String::new();
        for error in errors {
            at(&mut report, path, (error.line, error.column), &error.sentence, (&error.text, error.caret));
            if !error.expected.is_empty() {
                let _ = writeln!(report, "Expected: {}", error.expected.join(", "));
            }
        }
        report
    })
}

/// What is wrong with statements that could be read, each with `FILE:LINE:COLUMN` where it has a place.
pub(crate) fn blocks(path: &Path, text: &str, loaded: &Loaded, kind: &str, problems: &[Problem]) -> String {
    let mut report = String::new();
    for problem in problems {
        let sentence = format!("{kind}: {}", problem.text);
        // Where the statement itself has no line, the view it stands in has.
        let lines = (1..=problem.path.len()).rev().find_map(|depth| loaded.lines.get(&problem.path[..depth]));
        match lines {
            Some(&place) => {
                let line = text.lines().nth(place.0.saturating_sub(1)).unwrap_or_default();
                let masked = mask::masked(line);
                let caret = masked.column(place.1.saturating_sub(1)) + 1;
                at(&mut report, path, place, &sentence, (&masked.text, caret));
            }
            None => {
                let _ = writeln!(report, "{}: {sentence}", path.display());
            }
        }
    }
    report
}

/// One of them: where it is, what is wrong, the line without its secrets, and a caret at a column of that.
fn at(
    report: &mut String,
    path: &Path,
    (line, column): (usize, usize),
    sentence: &str,
    (text, caret): (&str, usize),
) {
    let _ = writeln!(report, "{}:{line}:{column}: {sentence}", path.display());
    if !text.is_empty() {
        // A tab is as wide below as above.
        let blanks = text.chars().map(|c| if c == '\t' { c } else { ' ' }).chain(std::iter::repeat(' '));
        let indent: String = blanks.take(caret.saturating_sub(1)).collect();
        let _ = writeln!(report, "{text}\n{indent}^");
    }
}
