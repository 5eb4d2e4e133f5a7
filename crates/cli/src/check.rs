//! `heliograph check`: reads a configuration as the engine would, and says all that is wrong with it.
//!
//! ```text
//!   text ─load─► statements, or what cannot be read ─mean─► what it is about, or what cannot be meant
//!                      └── FILE:LINE:COLUMN ◄── where they stood ──┘
//! ```
//!
//! Whether this machine has the addresses and keys that the file asks for is not asked: the file may be meant for
//! another. Secrets that were sealed elsewhere can only be opened with the key, so without one they are taken for
//! good.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use config::load::{FileError, Loaded, load};
use config::mask::masked;
use config::meaning::{Meaning, Problem, mean};
use config::secret::{Clear, Sealed, Vault};
use engine::daemon::key_path;
use engine::keep::{self, FILE_MAX};

use crate::Failure;
use crate::arguments::Check;

/// What stands around a sealed secret.
const MARK: &str = "%^%#";

/// Judges a file.
///
/// # Errors
/// It is not to be run, or cannot be read.
pub(crate) fn run(check: &Check) -> Result<(), Failure> {
    let name = name(&check.file);
    let text = read(&check.file).map_err(|why| Failure(format!("{name} cannot be read: {why}")))?;
    let (report, good) = judge(&name, &text, key(check)?.as_ref());
    io::stdout().write_all(report.as_bytes()).map_err(|error| Failure::output(&error))?;
    if good { Ok(()) } else { Err(Failure::told()) }
}

fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// A pipe is as good as a file here.
fn read(file: &Path) -> Result<String, String> {
    let mut octets = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(FILE_MAX + 1).read_to_end(&mut octets)
    } else {
        fs::File::open(file).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut octets))
    };
    if read.map_err(|error| error.to_string())? as u64 > FILE_MAX {
        return Err(format!("it is longer than {FILE_MAX} octets"));
    }
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&octet| octet == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

/// The key, if one is named or stands where the engine would look for it.
fn key(check: &Check) -> Result<Option<Vault>, Failure> {
    let told = check.key.as_deref();
    if told.is_none() && !key_path(&check.file).exists() {
        return Ok(None); // where the engine would make one
    }
    match keep::vault(&check.file, told, None) {
        Ok(vault) => Ok(Some(vault)),
        Err(why) if told.is_some() => Err(Failure(why)),
        // Those who may not read the key may still check the rest.
        Err(why) => {
            let _ = writeln!(io::stderr(), "heliograph: Warning: {why}");
            Ok(None)
        }
    }
}

/// What is to be said of a file, and whether it is to be run.
fn judge(name: &str, text: &str, key: Option<&Vault>) -> (String, bool) {
    // What is sealed here is thrown away: it need not be secret, only sealed.
    let scratch = Vault::new([0; 32]);
    let stood_in;
    let (vault, text, unopened) = match key {
        Some(vault) => (vault, text, 0),
        None => {
            let unopened;
            (stood_in, unopened) = stand_in(text, &scratch);
            (&scratch, stood_in.as_str(), unopened)
        }
    };
    let mut report = String::new();
    let good = match load(text, vault, &mut zeros) {
        Err(errors) => {
            for error in &errors {
                unreadable(&mut report, name, error);
            }
            false
        }
        Ok(loaded) => match mean(&loaded.tree, vault) {
            Err(problems) => {
                unmeant(&mut report, name, text, &loaded, "Error", &problems);
                false
            }
            Ok((meaning, warnings)) => {
                unmeant(&mut report, name, text, &loaded, "Warning", &warnings);
                let _ = writeln!(report, "{name}: {}", summary(&meaning));
                true
            }
        },
    };
    if unopened > 0 {
        let _ = writeln!(
            report,
            "{name}: there is no key here to open {unopened} sealed secret{} with: not checked.",
            if unopened == 1 { "" } else { "s" }
        );
    }
    (report, good)
}

fn zeros(octets: &mut [u8]) {
    octets.fill(0);
}

/// Puts secrets of our own, and of the same width, in place of sealed ones; how many there were.
fn stand_in(text: &str, scratch: &Vault) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut replaced = 0;
    while let Some(begin) = rest.find(MARK) {
        let (before, from) = rest.split_at(begin);
        let end = from[MARK.len()..].find(MARK).map(|at| at + 2 * MARK.len());
        let sealed = end.map(|end| &from[..end]).filter(|token| Sealed::parse(token).is_some());
        out.push_str(before);
        let taken = match sealed {
            Some(sealed) => {
                out.push_str(&stand_in_for(sealed, scratch));
                replaced += 1;
                sealed.len()
            }
            None => {
                out.push_str(MARK);
                MARK.len()
            }
        };
        rest = &from[taken..];
    }
    out.push_str(rest);
    (out, replaced)
}

/// A secret that is as wide as another when it is sealed.
fn stand_in_for(sealed: &str, scratch: &Vault) -> String {
    let overhead = scratch.seal(&Clear::new("x"), &mut zeros).to_string().len();
    // Four characters of base64 for three octets, so the width grows with each octet.
    let guess = 1 + (sealed.len().saturating_sub(overhead)) * 3 / 4;
    (guess.saturating_sub(1)..=guess + 1)
        .map(|len| scratch.seal(&Clear::new(&"x".repeat(len)), &mut zeros).to_string())
        .find(|other| other.len() == sealed.len())
        .unwrap_or_else(|| sealed.to_owned())
}

/// A line that cannot be read.
fn unreadable(report: &mut String, name: &str, error: &FileError) {
    let _ = writeln!(report, "{name}:{}:{}: {}", error.line, error.column, error.sentence);
    below(report, &error.text, error.caret);
    if !error.expected.is_empty() {
        let _ = writeln!(report, "Expected: {}", error.expected.join(", "));
    }
}

/// Statements that can be read, but not meant, or not without a warning.
fn unmeant(report: &mut String, name: &str, text: &str, loaded: &Loaded, kind: &str, problems: &[Problem]) {
    // Where the statement itself has no line, the view it stands in has.
    let place = |problem: &Problem| {
        (1..=problem.path.len()).rev().find_map(|depth| loaded.lines.get(&problem.path[..depth])).copied()
    };
    let mut placed: Vec<_> = problems.iter().map(|problem| (place(problem), problem)).collect();
    placed.sort_by_key(|&(place, _)| place);
    for (place, problem) in placed {
        let sentence = format!("{kind}: {}", problem.text);
        match place {
            Some(place) => {
                let stands = text.lines().nth(place.0.saturating_sub(1)).unwrap_or("");
                let masked = masked(stands);
                let _ = writeln!(report, "{name}:{}:{}: {sentence}", place.0, place.1);
                below(report, &masked.text, masked.column(place.1.saturating_sub(1)) + 1);
            }
            None => {
                let _ = writeln!(report, "{name}: {sentence}");
            }
        }
    }
}

/// A line, with a caret under the column.
fn below(report: &mut String, text: &str, column: usize) {
    // A tab is as wide below as above.
    let above = text.chars().map(|c| if c == '\t' { c } else { ' ' });
    let indent: String = above.chain(std::iter::repeat(' ')).take(column.saturating_sub(1)).collect();
    let _ = writeln!(report, "{text}\n{indent}^");
}

fn summary(meaning: &Meaning) -> String {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    if !meaning.enabled {
        return "good; there is no `bmp` in it, so nothing is mirrored.".to_owned();
    }
    format!(
        "good: {}, {} for routers.",
        count(meaning.sessions.len(), "BMP session"),
        count(meaning.routers.listen.len(), "listener")
    )
}
