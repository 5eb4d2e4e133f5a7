//! What `|` makes of a text.

use regex_lite::Regex;

use crate::parse::Pipe;

/// What a text looks like behind a `|`. JSON is made by whoever has the text's facts: the text stays as it is.
///
/// # Errors
/// The regular expression is none: a sentence, without `Error:`.
pub fn filter(text: &str, pipe: &Pipe) -> Result<String, String> {
    let lines = text.split_inclusive('\n');
    Ok(match pipe {
        Pipe::Json => text.to_owned(),
        Pipe::Begin(pattern) => {
            let regex = regex(pattern)?;
            lines.skip_while(|line| !regex.is_match(line.trim_end_matches('\n'))).collect()
        }
        Pipe::Include(pattern) => {
            let regex = regex(pattern)?;
            lines.filter(|line| regex.is_match(line.trim_end_matches('\n'))).collect()
        }
        Pipe::Exclude(pattern) => {
            let regex = regex(pattern)?;
            lines.filter(|line| !regex.is_match(line.trim_end_matches('\n'))).collect()
        }
    })
}

/// The pattern of a filter, if it has one that is no regular expression, and why.
pub(super) fn bad_pattern(pipe: &Pipe) -> Option<(&str, String)> {
    let (Pipe::Begin(pattern) | Pipe::Include(pattern) | Pipe::Exclude(pattern)) = pipe else { return None };
    regex(pattern).err().map(|why| (pattern.as_str(), why))
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("The regular expression cannot be read: {error}."))
}
