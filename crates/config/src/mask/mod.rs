//! A line as it may be seen: without the secret that stands in it, right or wrong.
//!
//! ```text
//!   tcp connect port 5000 password md5 hunter2 x        what leads to a secret stays,
//!   tcp connect port 5000 password md5 ******           all behind it is one mask of always the same width
//! ```
//!
//! It goes by the words, and not by the parser: the line that has to be quoted is often one that nobody
//! understands. So it errs to one side: in a line that might have a secret, what cannot be told from one is
//! covered. A line whose first word is clearly that of another command is left alone.

use crate::table::{Act, TABLE};

/// What stands for a secret.
pub const MASK: &str = "******";

/// What stands in front of secrets.
const LEADS: [&str; 5] = ["password", "md5", "key-string", "cipher", "plain"];

/// What may stand behind one of those, and still is no secret.
const KINDS: [&str; 3] = ["md5", "cipher", "plain"];

/// The commands that have secrets.
const TCP: &str = "tcp";
const KEY_STRING: &str = "key-string";

/// Letters that make an abbreviation one that is meant.
const CLEAR: usize = 3;

/// A line that may be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masked {
    /// It.
    pub text: String,
    /// Where the mask begins, in characters.
    mask: Option<usize>,
}

impl Masked {
    /// Where in the masked line a caret stands that stood under this column of the line; both from 0, in
    /// characters. Under a secret it stands where the mask begins, and behind that where the mask ends: where
    /// exactly would tell how long the secret is.
    #[must_use]
    pub fn column(&self, column: usize) -> usize {
        match self.mask {
            Some(mask) if column > mask => mask + MASK.len(),
            _ => column,
        }
    }
}

/// Covers the secret of a line.
#[must_use]
pub fn masked(line: &str) -> Masked {
    match secret_at(line) {
        None => Masked { text: line.to_owned(), mask: None },
        Some(at) => Masked { text: format!("{}{MASK}", &line[..at]), mask: Some(line[..at].chars().count()) },
    }
}

/// Where the secret of a line begins, in octets; it goes to the end of the line.
#[must_use]
pub fn secret_at(line: &str) -> Option<usize> {
    let words = words(line);
    let before = words.iter().take_while(|word| is_prefix_word(word)).count();
    let words = &words[before..];
    let first = words.first()?;
    let found = if is_other_command(first) {
        (!is_free(first)).then(|| spelt_out(words)).flatten()
    } else {
        let by_place = if is_tcp(first) {
            behind_tcp(words)
        } else {
            is_key_string(first, words.get(1)).then(|| behind(words, 0))
        };
        [by_place, by_name(words), by_pair(words)].into_iter().flatten().min()
    };
    found.filter(|&at| !line[at..].trim().is_empty())
}

/// A run without blanks. Quotes are no part of it, and are remembered.
struct Word<'a> {
    text: String,
    quoted: bool,
    /// Where it begins and ends, in octets.
    at: usize,
    end: usize,
    line: &'a str,
}

impl Word<'_> {
    /// Whether it is short for a keyword, or is it.
    fn begins(&self, keyword: &str) -> bool {
        !self.quoted && !self.text.is_empty() && keyword.starts_with(&self.text)
    }

    /// Whether it is that, or looks much like it.
    fn is_like(&self, keyword: &str) -> bool {
        self.begins(keyword) || looks_like(&self.text, keyword)
    }

    fn is_last(&self) -> bool {
        self.end == self.line.len()
    }
}

/// Taken apart more coarsely than the parser does, so that no quote without end hides what stands behind it.
fn words(line: &str) -> Vec<Word<'_>> {
    let parts = line.split(|c: char| c.is_whitespace() || c.is_control());
    let words = parts.filter(|part| !part.is_empty()).map(|part| {
        let at = part.as_ptr().addr() - line.as_ptr().addr();
        // A prompt may have been copied with the line.
        let prompt =
            if part.starts_with(['<', '[']) { part.rfind(['>', ']']).map_or(0, |at| at + 1) } else { 0 };
        let (at, part) = (at + prompt, &part[prompt..]);
        let text = part.trim_matches(['"', '#', '!']).to_ascii_lowercase();
        Word { text, quoted: part.contains('"'), at, end: at + part.len(), line }
    });
    words.collect()
}

/// `undo` and `run`, which stand in front of commands, and the mark of a comment.
fn is_prefix_word(word: &Word<'_>) -> bool {
    word.text.is_empty() || word.begins("undo") || (word.text.len() > 1 && word.begins("run"))
}

/// Whether a command begins so that has no secret, and none of those begins so that have one.
fn is_other_command(word: &Word<'_>) -> bool {
    let secret = [TCP, "connect", "listen", "port"].iter().chain(&LEADS);
    let known = TABLE.iter().filter_map(|row| row.syntax.split_whitespace().next());
    let known: Vec<&str> = known.collect();
    if known.contains(&word.text.as_str()) && ![TCP, KEY_STRING].contains(&word.text.as_str()) {
        return true;
    }
    word.text.len() >= CLEAR
        && !secret.into_iter().any(|keyword| word.begins(keyword))
        && known.iter().any(|keyword| word.begins(keyword))
}

/// Whether what follows is for people, or only asks: there `password md5` may be a matter to talk of.
fn is_free(word: &Word<'_>) -> bool {
    let shows = TABLE.iter().filter(|row| matches!(row.act, Act::Show)).map(|row| row.syntax);
    shows
        .chain(["description"])
        .any(|syntax| syntax.split_whitespace().next().is_some_and(|first| word.begins(first)))
}

fn is_tcp(first: &Word<'_>) -> bool {
    first.is_like(TCP)
}

/// `key` may be short for `key-id` too: then a small number follows.
fn is_key_string(first: &Word<'_>, second: Option<&Word<'_>>) -> bool {
    let small = second.is_some_and(|word| word.text.len() <= 2 && is_number(word));
    first.is_like(KEY_STRING) && !(small && first.text.len() <= "key-".len())
        || first.text.starts_with("key") && !first.begins("keychain") && !first.begins("key-id")
}

fn is_number(word: &Word<'_>) -> bool {
    !word.text.is_empty() && word.text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Where the secret begins behind a word that leads to it: behind one more, if that belongs there.
fn behind(words: &[Word<'_>], lead: usize) -> usize {
    let shorts: &[&str] = match &words[lead] {
        lead if KINDS.contains(&lead.text.as_str()) => &[],
        lead if lead.is_like("password") => &["md5"],
        lead if KINDS.iter().any(|kind| lead.is_like(kind)) => &[],
        _ => &["cipher", "plain"],
    };
    let leads = |word: &Word<'_>| {
        // The last word is rather the secret than one that leads to it.
        let kind = KINDS.contains(&word.text.as_str()) && !shorts.is_empty() && !word.quoted;
        !word.is_last() && (kind || shorts.iter().any(|short| word.begins(short)))
    };
    let next = lead + 1 + usize::from(words.get(lead + 1).is_some_and(leads));
    words.get(next).map_or(words[lead].line.len(), |word| word.at)
}

/// By the first word that must be one that leads to a secret.
fn by_name(words: &[Word<'_>]) -> Option<usize> {
    words.iter().enumerate().find_map(|(index, word)| {
        let text = &word.text;
        // `passwordhunter2`, `password=hunter2`
        let glued = LEADS.iter().find(|lead| text.len() > lead.len() && text.starts_with(**lead));
        if let Some(lead) = glued {
            let quote = word.line[word.at..].len() - word.line[word.at..].trim_start_matches('"').len();
            return Some(word.at + quote + lead.len());
        }
        let named = LEADS.iter().any(|lead| {
            let short = if *lead == KEY_STRING { "key-s".len() } else { CLEAR };
            (text.len() >= short && lead.starts_with(text.as_str())) || looks_like(text, lead)
        });
        named.then(|| behind(words, index))
    })
}

/// `p m`, where all is abbreviated.
fn by_pair(words: &[Word<'_>]) -> Option<usize> {
    let pair = |two: &[Word<'_>]| two[0].begins("password") && two[1].begins("md5");
    words.windows(2).position(pair).map(|index| behind(words, index))
}

/// `password md5` in full, where no secret belongs.
fn spelt_out(words: &[Word<'_>]) -> Option<usize> {
    let pair = |two: &[Word<'_>]| two[0].text == "password" && KINDS.contains(&two[1].text.as_str());
    words.windows(2).position(pair).map(|index| behind(words, index))
}

/// By what may stand behind `tcp`: the first word that is none of that is a secret.
fn behind_tcp(words: &[Word<'_>]) -> Option<usize> {
    let mut port = false;
    let mut index = 1;
    while let Some(word) = words.get(index) {
        let others = ["dscp", "mss", "send-buffer", "ao"];
        if index == 1 && !word.begins("password") && others.iter().any(|other| word.begins(other)) {
            return None;
        }
        if word.begins("keychain") {
            return None;
        }
        let next = words.get(index + 1);
        // `p` may be short for both.
        let is_port = !port && word.begins("port") && next.is_some_and(is_number);
        if !is_port && (word.is_like("password") || word.begins("md5")) {
            return Some(behind(words, index));
        }
        let before_port = index == 1 && next.is_some_and(|next| next.is_like("port"));
        let side = index == 1 && (word.is_like("connect") || word.is_like("listen"));
        if word.is_like("port") && !port && !word.quoted {
            port = true;
            // What stands behind it was to be a number, unless that has been left out.
            let number = next.is_some_and(|next| !next.is_like("password") && !next.begins("md5"));
            index += usize::from(number);
        } else if is_number(word) && !port {
            port = true;
        } else if !(side || before_port) {
            return Some(word.at);
        }
        index += 1;
    }
    None
}

/// Whether a word is a keyword but for a slip or two of the finger; a short one can have only one.
fn looks_like(word: &str, keyword: &str) -> bool {
    let slips = if keyword.len() < 8 { 1 } else { 2 };
    word.len() > 1 && word.len().abs_diff(keyword.len()) <= slips && distance(word, keyword) <= slips
}

/// Letters put in, left out, replaced, or two swapped.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests;
