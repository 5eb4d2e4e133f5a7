//! What a refusal looks like.
//!
//! A prompt and a line stand above it, without a blank between them, so the caret is as far to the right as the
//! prompt is wide and the word is into the line.

use super::Outcome;
use crate::parse::Refusal;

/// A caret below the word that is at fault, the sentence, and what could have stood there. `before` is how wide
/// the prompt is.
pub(super) fn refused(before: usize, line: &str, refusal: &Refusal) -> String {
    format!("{}{refusal}\n", caret(before, line, refusal.column))
}

/// A line with a caret below a column of another one. Tabs are as wide as they were above.
pub(super) fn caret(before: usize, line: &str, column: usize) -> String {
    let mut text = " ".repeat(before);
    let typed = line.chars().chain(std::iter::repeat(' ')).take(column);
    text.extend(typed.map(|c| if c == '\t' { '\t' } else { ' ' }));
    text.push_str("^\n");
    text
}

/// A sentence that refuses.
pub(super) fn error(sentence: &str) -> Outcome {
    Outcome::Refused(format!("Error: {sentence}\n"))
}
