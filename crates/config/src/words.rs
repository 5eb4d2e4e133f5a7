//! A line, taken apart.
//!
//! ```text
//!   bmp-session vpn-instance "my vpn" 10.1.1.1
//!   ╰─────────╯ ╰──────────╯ ╰──────╯ ╰──────╯      a word is a run without blanks, or what stands in quotes
//! ```
//!
//! Words are taken one at a time, by whoever knows what the next one is to be: there are parameters that take the
//! rest of the line as it stands, quotes and all.

/// Characters of a line, at most.
pub const LINE_MAX: usize = 3100;

/// What stands between words.
const BLANKS: [char; 2] = [' ', '\t'];

/// One word of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word<'a> {
    /// Without its quotes.
    pub(crate) text: &'a str,
    /// A quoted word is never a keyword, an address or a number.
    pub(crate) quoted: bool,
    /// Where it begins (its quote, if it has one), in octets.
    pub(crate) at: usize,
    /// Where it ends, behind its quote, in octets.
    pub(crate) end: usize,
}

/// A quote begins here (in octets) that is not the quote of a word: it has no end, or more follows its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadQuote {
    pub(crate) at: usize,
}

/// The first word that begins at an octet or behind it; `None` at the end of the line.
pub(crate) fn next(line: &str, from: usize) -> Option<Result<Word<'_>, BadQuote>> {
    let at = from + line[from..].find(|c| !BLANKS.contains(&c))?;
    let Some(inner) = line[at..].strip_prefix('"') else {
        let end = line[at..].find(BLANKS).map_or(line.len(), |length| at + length);
        return Some(Ok(Word { text: &line[at..end], quoted: false, at, end }));
    };
    Some(match inner.split_once('"') {
        Some((text, tail)) if tail.is_empty() || tail.starts_with(BLANKS) => {
            Ok(Word { text, quoted: true, at, end: line.len() - tail.len() })
        }
        _ => Err(BadQuote { at }),
    })
}

/// Whether nothing is to be read in a line: it is empty, or a comment.
pub(crate) fn silent(line: &str) -> bool {
    let line = trim(line);
    line.is_empty() || line.starts_with(['#', '!'])
}

/// Without the blanks at both ends.
pub(crate) fn trim(line: &str) -> &str {
    line.trim_matches(BLANKS)
}

/// Without the blanks at its end.
pub(crate) fn trim_end(line: &str) -> &str {
    line.trim_end_matches(BLANKS)
}

/// Whether blanks end it, or it is empty: whatever comes next begins a word.
pub(crate) fn at_word(line: &str) -> bool {
    line.is_empty() || line.ends_with(BLANKS)
}

/// The characters in front of an octet.
pub(crate) fn column(line: &str, at: usize) -> usize {
    line[..at].chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word as `column:text`, quotes as `'`; a bad quote as `column:?`.
    fn taken_apart(line: &str) -> String {
        let mut words = Vec::new();
        let mut from = 0;
        while let Some(word) = next(line, from) {
            match word {
                Ok(word) => {
                    let quote = if word.quoted { "'" } else { "" };
                    words.push(format!("{}:{quote}{}{quote}", column(line, word.at), word.text));
                    from = word.end;
                }
                Err(bad) => {
                    words.push(format!("{}:?", column(line, bad.at)));
                    break;
                }
            }
        }
        words.join(" ")
    }

    #[test]
    fn words() {
        let rows = [
            ("", ""),
            (" \t ", ""),
            ("bmp", "0:bmp"),
            ("  a\t\tb  ", "2:a 5:b"),
            (r#"a "b c" d"#, "0:a 2:'b c' 8:d"),
            (r#"a "" d"#, "0:a 2:'' 5:d"),
            (r#""b c""#, "0:'b c'"),
            (r#"a "b c"#, "0:a 2:?"),
            (r#"a ""#, "0:a 2:?"),
            (r#"a "b"c"#, "0:a 2:?"),
            (r#"a"b c"#, "0:a\"b 4:c"),
            ("é \"ü ö\" ß", "0:é 2:'ü ö' 8:ß"),
            ("a\u{a0}b c", "0:a\u{a0}b 4:c"),
        ];
        for (line, answer) in rows {
            assert_eq!(taken_apart(line), answer, "{line:?}");
        }
    }

    #[test]
    fn silence() {
        for (line, answer) in [
            ("", true),
            ("  \t", true),
            ("#", true),
            (" # bmp", true),
            ("!x", true),
            ("bmp", false),
            ("b # c", false),
        ] {
            assert_eq!(silent(line), answer, "{line:?}");
        }
    }
}
