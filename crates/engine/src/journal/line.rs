//! What a line looks like.

use std::fmt;

use jiff::Timestamp;

use super::Level;
use crate::show::clean;

/// Characters of a subject.
const SUBJECT_MAX: usize = 256;
/// Characters of what is said.
const TEXT_MAX: usize = 2048;

/// Which of the forms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// `2026-01-01T00:00:00.000000Z warning session 192.0.2.1: it says`.
    Time,
    /// `<4>session 192.0.2.1: it says`: journald takes the number for itself, and knows the time.
    Priority,
    /// `{"time":"2026-01-01T00:00:00.000000Z","level":"warning","subject":"session 192.0.2.1","text":"it says"}`.
    Json,
}

/// What is said, and when.
pub(super) struct Line<'a> {
    pub(super) time: Timestamp,
    pub(super) level: Level,
    pub(super) subject: &'a str,
    pub(super) text: &'a dyn fmt::Display,
}

impl Line<'_> {
    /// A line, with its end.
    pub(super) fn look(&self, look: Look) -> String {
        let time = format!("{:.6}", self.time);
        let level = name(self.level);
        if look == Look::Json {
            return json(&time, level, &cut(SUBJECT_MAX, &self.subject), &cut(TEXT_MAX, self.text));
        }
        let subject = clean(SUBJECT_MAX, &self.subject);
        let text = clean(TEXT_MAX, self.text);
        match look {
            Look::Priority => format!("<{}>{subject}: {text}\n", self.level as u8),
            Look::Time | Look::Json => format!("{time} {level} {subject}: {text}\n"),
        }
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
        Level::Info => "info",
    }
}

/// The text itself, but not all of it.
fn cut(max: usize, text: &dyn fmt::Display) -> String {
    let mut text = text.to_string();
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// JSON allows characters as they are that a terminal would obey: they are escaped as well.
fn json(time: &str, level: &str, subject: &str, text: &str) -> String {
    #[derive(serde::Serialize)]
    struct Object<'a> {
        time: &'a str,
        level: &'a str,
        subject: &'a str,
        text: &'a str,
    }
    // Four texts always serialise.
    let object = serde_json::to_string(&Object { time, level, subject, text }).unwrap_or_default();
    let mut line = String::with_capacity(object.len() + 1);
    for char in object.chars() {
        // Other than ASCII these stand inside of texts only, and below U+10000 there is one escape for each.
        let obeyed = char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if obeyed {
            line.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            line.push(char);
        }
    }
    line.push('\n');
    line
}
