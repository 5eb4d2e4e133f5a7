//! Lines of all sorts through the parser, which must not fall over, and agree with a naive twin: what is
//! understood, what is wrong with what is not, and at which character.
//!
//! Lines are grown from the table's own syntaxes, abbreviated and spoiled; or are noise. What is understood and is
//! part of a configuration prints as a line that is understood as the same.

#[path = "lines/grow.rs"]
mod grow;
#[path = "lines/twin.rs"]
mod twin;

use config::parse::{Fault, Refusal, complete, help, parse};
use config::table::{Act, TABLE, View};
use config::tree::Part;
use config::{LINE_MAX, Value};

use tests::Rng;
use twin::{Answer, Twin};

/// Lines of one seed.
const LINES: usize = 1000;

/// What was seen, to know that everything was.
#[derive(Default, Debug)]
struct Seen {
    lines: usize,
    understood: usize,
    printed: usize,
    further_out: usize,
    faults: [usize; 5],
}

#[test]
fn a_hundred_thousand_lines() {
    let twin = Twin::new();
    let run = |seed| {
        let mut dice = Rng::new(seed, 0);
        let mut seen = Seen::default();
        for _ in 0..LINES {
            let (view, line) = grow::line(&twin, &mut dice);
            seen.lines += 1;
            check(&twin, stack(view), &line, &mut seen);
            // Where it does not belong.
            if dice.percent(20) {
                check(&twin, stack(dice.pick(View::ALL)), &line, &mut seen);
            }
            if dice.percent(5) {
                ask(&twin, stack(view), &line, &mut dice);
            }
        }
        seen
    };
    let (seen, all) = tests::seeds::run(0..100, run, |sum, seen| {
        sum.lines += seen.lines;
        sum.understood += seen.understood;
        sum.printed += seen.printed;
        sum.further_out += seen.further_out;
        sum.faults.iter_mut().zip(seen.faults).for_each(|(sum, seen)| *sum += seen);
    });
    if all {
        println!("{seen:?}");
        assert!(seen.lines >= 100_000);
        assert!(seen.understood > 10_000 && seen.printed > 5_000 && seen.further_out > 500, "{seen:?}");
        assert!(seen.faults.iter().all(|&faults| faults > 1_000), "{seen:?}");
    }
}

/// The views that an operator went through to be in one.
fn stack(view: View) -> &'static [View] {
    match view {
        View::User => &[View::User],
        View::System => &[View::System],
        View::Bmp => &[View::System, View::Bmp],
        View::Session => &[View::System, View::Bmp, View::Session],
        View::Monitor => &[View::System, View::Bmp, View::Session, View::Monitor],
        View::TraceUnicast => &[View::System, View::Bmp, View::Session, View::TraceUnicast],
        View::TraceVpn => &[View::System, View::Bmp, View::Session, View::TraceVpn],
        View::Keychain => &[View::System, View::Keychain],
        View::KeyId => &[View::System, View::Keychain, View::KeyId],
        View::TcpAo => &[View::System, View::TcpAo],
        View::TcpAoKey => &[View::System, View::TcpAo, View::TcpAoKey],
    }
}

/// The parser and its twin are of one mind about a line.
fn check(twin: &Twin, views: &[View], line: &str, seen: &mut Seen) {
    let parsed = parse(views, line);
    let answer = twin.parse(views, line);
    match (&parsed, &answer) {
        (Ok(None), Answer::Nothing) => {}
        (Ok(Some(parsed)), Answer::Understood(out, ways)) => {
            let bar = |part: &Part| *part == Part::Keyword("|");
            let agrees = ways.iter().any(|way| {
                let end = way.parts.iter().position(bar).unwrap_or(way.parts.len());
                (way.row, way.undo, &way.parts[..end])
                    == (parsed.statement.row, parsed.undo, &parsed.statement.parts[..])
                    && parsed.pipe.is_some() == (end < way.parts.len())
            });
            assert!(agrees && parsed.out == *out, "{views:?} {line:?}: {parsed:?}, expected {answer:?}");
            seen.understood += 1;
            seen.further_out += usize::from(*out > 0);
            let view = views[views.len() - 1 - out];
            seen.printed += usize::from(prints(view, parsed));
        }
        (Err(refusal), Answer::Refused(fault, column)) => {
            assert_eq!((refusal.fault, refusal.column), (*fault, *column), "{views:?} {line:?}");
            seen.faults[*fault as usize] += 1;
            caret(views, line, refusal);
        }
        _ => panic!("{views:?} {line:?}: {parsed:?}, expected {answer:?}"),
    }
}

/// Whether a line that is part of a configuration could be printed; if so, it is read as what it was.
fn prints(view: View, parsed: &config::Parsed) -> bool {
    let statement = &parsed.statement;
    let clear = statement.parts.iter().any(|part| matches!(part, Part::Value(_, Value::Clear(_))));
    if clear || !matches!(TABLE[statement.row].act, Act::Set(_)) {
        return false;
    }
    let printed = format!("{}{statement}", if parsed.undo { "undo " } else { "" });
    let again = parse(&[view], &printed);
    assert!(
        matches!(&again, Ok(Some(again)) if again.statement == *statement && again.undo == parsed.undo),
        "{view:?} {printed:?} is {again:?}, expected {parsed:?}"
    );
    true
}

/// What is in front of the caret is not wrong on its own.
fn caret(views: &[View], line: &str, refusal: &Refusal) {
    assert!(refusal.to_string().starts_with("Error: "), "{line:?}");
    if refusal.fault == Fault::Incomplete || refusal.column == LINE_MAX {
        return;
    }
    let before: String = line.chars().take(refusal.column).collect();
    let fine = match parse(views, &before) {
        Ok(_) => true,
        Err(before) => before.fault == Fault::Incomplete,
    };
    assert!(fine, "{views:?} {line:?}: what is in front of {} is wrong itself", refusal.column);
}

/// `?` and Tab at some place of a line: what they offer is not refused there.
fn ask(twin: &Twin, views: &[View], line: &str, dice: &mut Rng) {
    let length = dice.below(line.chars().count() + 1);
    let head: String = line.chars().take(length).collect();
    let shown = help(views, &head);
    let innermost = &views[views.len() - 1..];
    let stem = head.rfind([' ', '\t']).map_or("", |at| &head[..=at]);
    for word in complete(innermost, &head) {
        assert!(
            help(innermost, &head).iter().any(|(other, _)| *other == word),
            "{head:?}: `?` does not show {word}"
        );
        // Within `run` words are those of the user view, which only `run` itself reads.
        let whole = format!("{stem}{word}");
        let fine = match twin.parse(innermost, &whole) {
            Answer::Refused(fault, _) => fault == Fault::Incomplete,
            Answer::Nothing | Answer::Understood(..) => true,
        };
        assert!(fine, "{innermost:?} {whole:?}: offered, and refused");
    }
    if matches!(parse(innermost, &head), Err(refusal) if refusal.fault == Fault::Incomplete) {
        assert!(
            !help(innermost, &format!("{head} ")).is_empty(),
            "{innermost:?} {head:?}: incomplete, and no help"
        );
    }
    assert!(shown.iter().all(|(word, help)| !word.is_empty() && !help.is_empty()), "{head:?} {shown:?}");
}
