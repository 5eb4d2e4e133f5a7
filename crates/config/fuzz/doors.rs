//! The door through which lines from operators and files come in, opened to any line at all.
//!
//! libFuzzer calls it with what it makes up; `cargo test` calls it with the seeds beside this file. Beyond "no
//! panic" it holds what the parser promises: a caret inside the line or just behind it, in front of which nothing
//! is wrong; words that Tab offers and the parser takes; statements that print as what they were read from.

use config::parse::{Fault, complete, help, parse};
use config::table::{Act, TABLE, View};
use config::tree::Part;
use config::{Parsed, Value};

/// The first octet says in which views, the others are the line.
pub(crate) fn line(data: &[u8]) {
    let Some((first, line)) = data.split_first() else { return };
    let line = String::from_utf8_lossy(line);
    let views = VIEWS[usize::from(*first) % VIEWS.len()];
    match parse(views, &line) {
        Ok(None) => {}
        Ok(Some(parsed)) => prints(views[views.len() - 1 - parsed.out], &parsed),
        Err(refusal) => {
            let length = line.chars().count();
            let most = if refusal.fault == Fault::Incomplete { length + 1 } else { length - 1 };
            assert!(refusal.column <= most, "{line:?}: {refusal:?}");
            let before: String = line.chars().take(refusal.column).collect();
            let fine =
                parse(views, &before).map_or_else(|before| before.fault == Fault::Incomplete, |_| true);
            // A line that is too long is so whatever is in it.
            assert!(
                fine || refusal.fault == Fault::Incomplete || length > config::LINE_MAX,
                "{line:?}: {refusal:?}"
            );
        }
    }
    let shown = help(views, &line);
    for word in complete(views, &line) {
        assert!(shown.iter().any(|(other, _)| *other == word), "{line:?}: `?` does not show {word}");
    }
}

/// What is part of a configuration, and has no secret in clear, is read as what it was.
fn prints(view: View, parsed: &Parsed) {
    let statement = &parsed.statement;
    let clear = statement.parts.iter().any(|part| matches!(part, Part::Value(_, Value::Clear(_))));
    if clear || !matches!(TABLE[statement.row].act, Act::Set(_)) {
        return;
    }
    let printed = format!("{}{statement}", if parsed.undo { "undo " } else { "" });
    let again = parse(&[view], &printed).ok().flatten();
    assert_eq!(again, Some(Parsed { out: 0, ..parsed.clone() }), "{printed:?}");
}

/// By the first octet of a seed: from `0` on, where an editor shows them.
const VIEWS: [&[View]; 16] = [
    &[View::User],
    &[View::System],
    &[View::System, View::Bmp],
    &[View::System, View::Bmp, View::Session],
    &[View::System, View::Bmp, View::Session, View::Monitor],
    &[View::System, View::Bmp, View::Session, View::TraceUnicast],
    &[View::System, View::Bmp, View::Session, View::TraceVpn],
    &[View::System, View::Keychain],
    &[View::System, View::Keychain, View::KeyId],
    &[View::System, View::TcpAo],
    &[View::System, View::TcpAo, View::TcpAoKey],
    &[View::Bmp],
    &[View::Session],
    &[View::Monitor],
    &[View::KeyId],
    &[],
];
