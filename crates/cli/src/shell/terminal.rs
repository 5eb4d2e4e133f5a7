//! Somebody types.
//!
//! ```text
//!   Enter    the line is run; what was pasted is run line by line
//!   Tab      completes the last word, or shows what it may become
//!   ?        shows what can stand here, and gives the line back. It is never a part of the line
//!   Ctrl+Z   `return`: back to the user view
//!   Ctrl+C   forgets the line
//!   Ctrl+D   `quit`: leaves the view, and in the end the shell
//! ```
//!
//! The engine says what stands in front of each line, and what Tab and `?` show: nothing is known here of commands.

use std::borrow::Cow;
use std::cell::RefCell;
use std::iter;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use config::mask::{masked, secret_at};
use config::shell::has_secret;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, GraphemeClusterMode, Helper, KeyEvent, RepeatCount,
};

use super::{below, question, show, table};
use crate::Failure;
use crate::client::Client;

/// Lines that are remembered.
const HISTORY_MAX: usize = 1000;
/// As many words as Tab shows without asking: more than there are commands.
const WORDS_MAX: usize = 1000;

pub(super) fn run(client: Client, prompt: String) -> Result<(), Failure> {
    let client = Rc::new(RefCell::new(client));
    let pressed = Pressed::default();
    let mut editor = editor(&client, &pressed).map_err(|error| terminal(&error))?;
    let mut terminal = Terminal { client, prompt, left: false };
    let mut given_back = (String::new(), String::new());
    loop {
        let read =
            editor.readline_with_initial(&terminal.prompt, (given_back.0.as_str(), given_back.1.as_str()));
        given_back = (String::new(), String::new());
        match (read, pressed.take()) {
            (Ok(line), Some(Key::Help(at))) => {
                let (before, after) = line.split_at_checked(at).unwrap_or((&line, ""));
                terminal.help(before)?;
                given_back = (before.to_owned(), after.to_owned());
            }
            // There is nowhere to return to from the user view.
            (Ok(_), Some(Key::Return)) if terminal.prompt.starts_with('<') => {}
            (Ok(_), Some(Key::Return)) => terminal.line("return")?,
            (Ok(typed), None) => {
                let is_command = terminal.prompt.ends_with(['>', ']']); // and no answer to a question
                for line in typed.split(['\n', '\r']) {
                    if is_command && !line.trim().is_empty() && !has_secret(line) {
                        editor.add_history_entry(line).map_err(|error| self::terminal(&error))?;
                    }
                }
                terminal.typed(&typed)?;
            }
            (Err(ReadlineError::Interrupted), _) => {}
            (Ok(_), Some(Key::Leave)) | (Err(ReadlineError::Eof), _) => terminal.end()?,
            (Err(error), _) => return Err(self::terminal(&error)),
        }
        if terminal.left {
            return Ok(());
        }
    }
}

fn terminal(error: &ReadlineError) -> Failure {
    Failure(format!("the terminal cannot be used: {error}"))
}

/// What there is besides the line.
struct Terminal {
    client: Rc<RefCell<Client>>,
    prompt: String,
    left: bool,
}

impl Terminal {
    /// Runs what was typed, or pasted: then each line is seen with the prompt it was run at.
    fn typed(&mut self, text: &str) -> Result<(), Failure> {
        let mut lines: Vec<&str> = text.split(['\n', '\r']).collect();
        let pasted = lines.len() > 1;
        if pasted {
            lines.retain(|line| !line.trim().is_empty());
        }
        for line in lines {
            if pasted {
                show(&format!("{}{}\n", self.prompt, masked(line).text))?;
            }
            match question(line) {
                Some(before) => self.help(before)?,
                None => self.run(line, pasted)?,
            }
            if self.left {
                break;
            }
        }
        Ok(())
    }

    /// Runs a line that stands on the screen as it was typed.
    fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.run(line, false)
    }

    fn run(&mut self, line: &str, masked: bool) -> Result<(), Failure> {
        let said = self.client.borrow_mut().line(line)?;
        show(&if masked { below(&self.prompt, line, &said.text) } else { said.text })?;
        self.prompt = said.prompt;
        self.left = said.leave;
        // An engine that hangs up says why, and that is no way to leave.
        if said.leave && said.refused { Err(Failure::told()) } else { Ok(()) }
    }

    /// `?`. Of what was pasted, the last line is meant.
    fn help(&mut self, before: &str) -> Result<(), Failure> {
        let line = before.rsplit('\n').next().unwrap_or(before);
        let words = self.client.borrow_mut().help(line)?;
        show(&table(&words))
    }

    /// Ctrl+D, or the terminal has gone. Where `quit` leads nowhere, as when there is a question to be answered,
    /// a terminal that has gone must not ask for ever.
    fn end(&mut self) -> Result<(), Failure> {
        let before = self.prompt.clone();
        self.line("quit")?;
        self.left |= self.prompt == before;
        Ok(())
    }
}

/// A key that ends the line, though it is not Enter.
#[derive(Clone, Copy)]
enum Key {
    /// `?`, so many octets into the line.
    Help(usize),
    /// Ctrl+Z.
    Return,
    /// Ctrl+D.
    Leave,
}

/// The key that has just ended the line.
#[derive(Clone, Default)]
struct Pressed(Arc<Mutex<Option<Key>>>);

impl Pressed {
    fn put(&self, key: Key) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    fn take(&self) -> Option<Key> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Remembers which key it was, and ends the line; unless the key means something else there.
struct Ends(Pressed, fn(&EventContext<'_>) -> Option<Key>);

impl ConditionalEventHandler for Ends {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.0.put((self.1)(context)?);
        Some(Cmd::AcceptLine)
    }
}

fn editor(
    client: &Rc<RefCell<Client>>,
    pressed: &Pressed,
) -> Result<Editor<Completing, MemHistory>, ReadlineError> {
    let config = Config::builder()
        .max_history_size(HISTORY_MAX)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(WORDS_MAX)
        .bracketed_paste(true)
        .color_mode(ColorMode::Forced) // what covers secrets counts as color
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    editor.set_helper(Some(Completing(Rc::clone(client))));
    let ends = |key| EventHandler::Conditional(Box::new(Ends(pressed.clone(), key)));
    editor.bind_sequence(KeyEvent::from('?'), ends(|context| Some(Key::Help(context.pos()))));
    editor.bind_sequence(KeyEvent::ctrl('Z'), ends(|_| Some(Key::Return)));
    // An end of input would take what has come behind it with it. In a line, Ctrl+D deletes.
    editor
        .bind_sequence(KeyEvent::ctrl('D'), ends(|context| context.line().is_empty().then_some(Key::Leave)));
    Ok(editor)
}

/// Tab: the engine knows.
struct Completing(Rc<RefCell<Client>>);

impl Completer for Completing {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>), ReadlineError> {
        let before = &line[..at];
        let before = before.rsplit('\n').next().unwrap_or(before);
        // An engine that has gone is told of when the line is run.
        let words = self.0.borrow_mut().complete(before).unwrap_or_default();
        let pair = |word: String| Pair { replacement: format!("{word} "), display: word };
        Ok((at - before.len() + last_word(before), words.into_iter().map(pair).collect()))
    }
}

/// Where the last word of a line begins, in octets; blanks between quotes do not end one.
fn last_word(line: &str) -> usize {
    let mut quoted = false;
    let mut begins = 0;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => begins = at + 1,
            _ => {}
        }
    }
    begins
}

impl Helper for Completing {}

impl Highlighter for Completing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if has_secrets(line) { Cow::Owned(starred(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        has_secrets(line)
    }
}

/// Whether one of the lines, which were pasted together, has a secret.
fn has_secrets(text: &str) -> bool {
    text.split('\n').any(|line| secret_at(line).is_some())
}

/// With stars for secrets, as wide as what they cover: the cursor has to find its place.
fn starred(text: &str) -> String {
    let widths = GraphemeClusterMode::from_env();
    let mut starred = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (shown, secret) = line.split_at(secret_at(line).unwrap_or(line.len()));
        starred.push_str(shown);
        for part in secret.split_inclusive(['\t', '\n']) {
            let stars = part.trim_end_matches(['\t', '\n']);
            starred.extend(iter::repeat_n('*', widths.width(stars).into()));
            starred.push_str(&part[stars.len()..]);
        }
    }
    starred
}

impl Validator for Completing {}
impl Hinter for Completing {
    type Hint = String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (text, expected) in [
            ("display bmp", "display bmp"),
            ("key-string plain \"a b\"", "key-string plain *****"),
            ("key-string 秘密x", "key-string *****"),
            ("bmp\n key-string x\ty\nquit", "bmp\n key-string *\t*\nquit"),
        ] {
            assert_eq!(starred(text), expected, "{text:?}");
        }
    }

    #[test]
    fn last_words() {
        for (line, expected) in [
            ("", 0),
            ("dis", 0),
            ("display ", 8),
            ("display bm", 8),
            ("\tdisplay\tbm", 9),
            ("é b", 3),
            ("alias \"a b", 6),
            ("alias \"a b\" c", 12),
        ] {
            assert_eq!(last_word(line), expected, "{line:?}");
        }
    }
}
