//! Which lines a history should not keep.

use crate::table::{Row, TABLE};

/// What a secret is called in a syntax.
const SECRET: &str = "<pwd>";

/// Letters at the beginning by which a mistyped keyword is still known.
const ALIKE: usize = 3;

/// Whether a line may hold a secret in clear, so that it should not be kept in a history: rather once too often
/// than once too rarely. It does not have to be a line that is understood: `pasword` is followed by one too.
#[must_use]
pub fn has_secret(line: &str) -> bool {
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    // What follows a telltale word is a secret, or the rest of one.
    let before_last = words.split_last().map_or(&[][..], |(_, before)| before);
    before_last.iter().any(|word| TABLE.iter().any(|row| tells(row, word)))
}

/// Whether a word is one of the keywords in front of a row's secret, or short for it, or much like it.
fn tells(row: &Row, word: &str) -> bool {
    telltales(row.syntax).any(|keyword| {
        let alike = keyword.chars().zip(word.chars()).take_while(|(one, other)| one == other).count();
        keyword.starts_with(word) || (alike >= ALIKE && !is_keyword(word))
    })
}

/// From the secret of a syntax back to where its group opens: of `[ password md5 <pwd>` both keywords, of
/// `key-string [ cipher | plain ] <pwd>` all three.
fn telltales(syntax: &str) -> impl Iterator<Item = &str> {
    let before = syntax.split_once(SECRET).map_or("", |(before, _)| before);
    let mut closed = 0;
    let inside = before.split_whitespace().rev().take_while(move |word| {
        match *word {
            "]" | "}" => closed += 1,
            "[" | "{" => closed -= 1,
            _ => {}
        }
        closed >= 0
    });
    inside.filter(|word| starts_keyword(word))
}

/// Whether some command has this word, in full or in short.
fn is_keyword(word: &str) -> bool {
    TABLE.iter().any(|row| keywords(row.syntax).any(|keyword| keyword.starts_with(word)))
}

fn keywords(syntax: &str) -> impl Iterator<Item = &str> {
    syntax.split_whitespace().filter(|word| starts_keyword(word))
}

fn starts_keyword(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
}
