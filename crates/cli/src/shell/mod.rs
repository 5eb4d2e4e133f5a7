//! An operator's shell. The engine does the thinking: here lines go in and answers come out, in three ways.
//!
//! ```text
//!   [`terminal`]  somebody types: history, Tab, `?`
//!   [`script`]    lines from a pipe: the transcript is what a terminal would show
//!   [`lines`]     `-c`: what is shown is all that is printed
//! ```
//!
//! * **the first refusal ends it**  where nobody is there to see it, and the end is 1. So do lost changes.
//! * **no secret stays**            a line that has one in clear enters no history and is not echoed.

mod lines;
mod script;
mod terminal;

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::iter;

use config::mask::masked;

use crate::client::{Client, ClientError};
use crate::{Failure, arguments, place};

/// Characters of an operator's name, at most.
const USER_MAX: usize = 64;

/// Talks to an engine until the operator leaves, or there is nothing more to be said.
///
/// # Errors
/// A line was refused, or there is no engine.
pub(crate) fn run(arguments: &arguments::Shell) -> Result<(), Failure> {
    let path = arguments.socket.clone().unwrap_or_else(place::running);
    let (client, said) = Client::connect(&path, user(), arguments.json)?;
    if said.refused {
        return Err(Failure(said.text.trim_end().to_owned()));
    }
    if !arguments.lines.is_empty() {
        return lines::run(client, said.prompt, &arguments.lines);
    }
    show(&said.text)?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        terminal::run(client, said.prompt)
    } else {
        script::run(client, said.prompt)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self(error.to_string())
    }
}

/// What the operator is called: with `sudo` it is still who sits there.
fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|name| !name.is_empty())
        .map_or_else(|| "operator".to_owned(), |name| name.chars().take(USER_MAX).collect())
}

/// Puts text where the operator sees it. Names come from routers, and a terminal obeys what it is shown: control
/// characters do not get that far.
fn show(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(harmless(text).as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))
}

fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// What came of a line, below that line as it was echoed: where a secret was covered, the caret moves.
fn below(prompt: &str, line: &str, text: &str) -> String {
    let before = prompt.chars().count();
    let caret = text.split_once('^').filter(|(blanks, rest)| {
        rest.starts_with('\n') && blanks.len() >= before && blanks.bytes().all(|c| c == b' ' || c == b'\t')
    });
    let Some((blanks, rest)) = caret else {
        return text.to_owned();
    };
    let column = masked(line).column(blanks.len() - before);
    let blanks = blanks.chars().chain(iter::repeat(' ')).take(before + column);
    format!("{}^{rest}", blanks.collect::<String>())
}

/// What stands before `?`, if a line ends with one.
fn question(line: &str) -> Option<&str> {
    line.trim_end().strip_suffix('?')
}

/// The words that can stand somewhere, and their help, as `?` shows them.
fn table(words: &[(String, String)]) -> String {
    if words.is_empty() {
        return "  Nothing can stand here.\n".to_owned();
    }
    let width = words.iter().map(|(word, _)| word.chars().count()).max().unwrap_or(0);
    words.iter().fold(String::new(), |text, (word, help)| {
        let line = format!("  {word:width$}  {help}");
        text + line.trim_end() + "\n"
    })
}

/// Whether a prompt says that there are changes which nobody has committed.
fn is_dirty(prompt: &str) -> bool {
    prompt.starts_with("[*")
}

/// The end of a script. Its changes are lost if it forgot to commit them, and that is no success.
fn ended(prompt: &str) -> Result<(), Failure> {
    if is_dirty(prompt) {
        return Err(Failure(
            "Warning: there were changes that nobody committed, and they are gone.".to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stays_below_its_word() {
        let line = "tcp connect port 5 password md5 hunter2hunter2 x";
        for (line, text, expected) in [
            (line, format!("{:36}^\nError", ""), format!("{:36}^\nError", "")),
            (line, format!("{:51}^\nError", ""), format!("{:42}^\nError", "")),
            (line, format!("{:20}^\nError", ""), format!("{:20}^\nError", "")),
            (line, "Error: 2^3".to_owned(), "Error: 2^3".to_owned()),
            ("display x", format!("{:12}^\nError", ""), format!("{:12}^\nError", "")),
        ] {
            assert_eq!(below("<m1>", line, &text), expected, "{line} {text}");
        }
    }

    #[test]
    fn what_a_terminal_must_not_obey() {
        for (text, expected) in [
            ("a\tb\nc é", "a\tb\nc é"),
            ("\u{1b}[2Jrouter\r\u{7}", "\u{fffd}[2Jrouter\u{fffd}\u{fffd}"),
            ("\u{9b}1m", "\u{fffd}1m"),
        ] {
            assert_eq!(harmless(text), expected, "{text:?}");
        }
    }

    #[test]
    fn tables() {
        let words = |words: &[(&str, &str)]| -> Vec<_> {
            words.iter().map(|(word, help)| ((*word).to_owned(), (*help).to_owned())).collect()
        };
        for (words, expected) in [
            (words(&[("alias", "Its alias"), ("<cr>", "")]), "  alias  Its alias\n  <cr>\n"),
            (words(&[]), "  Nothing can stand here.\n"),
        ] {
            assert_eq!(table(&words), expected);
        }
    }
}
