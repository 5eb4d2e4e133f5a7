//! The limits as a table, lines as they are written, and a journal with threads.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::limits::{LINES_ALL_MAX, LINES_PERIOD, LINES_ROUTINE_MAX, LINES_SUBJECT_MAX, LeftOut, Limits};
use super::line::{Line, Look};
use super::{Form, Journal, Level, is_stream};

/// So many lines at a second: what was left out before, and how many were written.
fn flood(limits: &mut Limits, at: u64, level: Level, subject: &str, lines: u32) -> (Vec<String>, u32) {
    let now = Duration::from_secs(at);
    let told = limits.settle(now).into_iter();
    let told =
        told.map(|LeftOut { subject, lines }| format!("{} {lines}", subject.as_deref().unwrap_or("*")));
    let told = told.collect();
    let written = (0..lines).filter(|_| limits.admit(now, level, subject)).count();
    (told, u32::try_from(written).unwrap())
}

#[test]
fn limits() {
    let one = LINES_SUBJECT_MAX;
    let period = LINES_PERIOD.as_secs();
    // At which second, about what, how many; what is said to be left out before, and how many are written.
    let rows: &[(u64, &str, u32, &[&str], u32)] = &[
        (100, "a", one, &[], one),
        (100, "a", 1, &[], 0),
        (101, "b", 3, &[], 3),
        (100 + period - 1, "a", 6, &[], 0),
        // The period began with its first line.
        (100 + period, "b", 1, &["a 7"], 1),
        (100 + period, "a", one + 2, &[], one),
        (100 + 2 * period, "c", 1, &["a 2"], 1),
        // Nothing was left out.
        (100 + 9 * period, "c", 1, &[], 1),
    ];
    let mut limits = Limits::default();
    for (at, subject, lines, told, written) in rows {
        let got = flood(&mut limits, *at, Level::Info, subject, *lines);
        let want = (told.iter().map(|&told| told.to_owned()).collect::<Vec<_>>(), *written);
        assert_eq!(got, want, "{lines} lines of {subject} at {at} s");
    }
}

#[test]
fn limits_of_all() {
    let mut limits = Limits::default();
    let mut written = 0;
    for subject in 0..10 * LINES_ALL_MAX {
        written += flood(&mut limits, 1, Level::Notice, &subject.to_string(), 1).1;
    }
    assert_eq!(written, LINES_ROUTINE_MAX, "routine lines");
    for subject in 0..10 * LINES_ALL_MAX {
        written += flood(&mut limits, 1, Level::Error, &format!("error {subject}"), 1).1;
    }
    assert_eq!(written, LINES_ALL_MAX, "errors have room of their own");
    assert_eq!(limits.subjects(), usize::try_from(LINES_ALL_MAX).unwrap(), "no more than were written");
    let told = flood(&mut limits, 1 + LINES_PERIOD.as_secs(), Level::Info, "a", 1);
    assert_eq!(told, (vec![format!("* {}", 19 * LINES_ALL_MAX)], 1));
    assert_eq!(limits.subjects(), 1, "forgotten");
}

#[test]
fn lines() {
    let rows: &[(Look, Level, &str, &str, &str)] = &[
        (
            Look::Time,
            Level::Error,
            "session 192.0.2.1 alias a",
            "the server closed the connection",
            "1970-01-01T00:00:01.500000Z error session 192.0.2.1 alias a: the server closed the connection\n",
        ),
        (Look::Priority, Level::Warning, "router rr1", "gone", "<4>router rr1: gone\n"),
        (Look::Priority, Level::Info, "a\n<3>b", "\u{1b}[31mred\r\n", "<6>a\\n<3>b: \\u{1b}[31mred\\r\\n\n"),
        (Look::Priority, Level::Notice, "q", "it's \"so\" \\ ü", "<5>q: it's \"so\" \\\\ ü\n"),
        (Look::Time, Level::Notice, "", "\u{202e}", "1970-01-01T00:00:01.500000Z notice : \\u{202e}\n"),
        (
            Look::Json,
            Level::Info,
            "router \"x\"",
            "a\nb\u{7f}\u{9b}\u{2028}\u{202e}\u{1b}ü",
            "{\"time\":\"1970-01-01T00:00:01.500000Z\",\"level\":\"info\",\"subject\":\"router \\\"x\\\"\",\
             \"text\":\"a\\nb\\u007f\\u009b\\u2028\\u202e\\u001bü\"}\n",
        ),
    ];
    let time = Timestamp::from_microsecond(1_500_000).unwrap();
    for (look, level, subject, text, want) in rows {
        let got = Line { time, level: *level, subject, text }.look(*look);
        assert_eq!(got, *want, "{look:?} {subject:?} {text:?}");
        if *look == Look::Json {
            let object: serde_json::Value = serde_json::from_str(&got).unwrap();
            assert_eq!((&object["subject"], &object["text"]), (&(*subject).into(), &(*text).into()));
        }
    }
}

#[test]
fn long_lines_are_cut() {
    let time = Timestamp::UNIX_EPOCH;
    let long = "ü".repeat(1 << 20);
    for look in [Look::Time, Look::Priority, Look::Json] {
        let line = Line { time, level: Level::Info, subject: &long, text: &long }.look(look);
        assert!(line.len() < 8 << 10, "{look:?}: {} octets", line.len());
        assert_eq!(line.matches('…').count(), 2, "{look:?}");
        assert_eq!(line.find('\n'), Some(line.len() - 1), "{look:?}");
    }
}

#[test]
fn streams() {
    let rows = [
        ("8:123", true),
        ("8:124", false),
        ("9:123", false),
        ("8", false),
        ("", false),
        ("8:", false),
        (":", false),
        ("8:123:1", false),
    ];
    for (stream, want) in rows {
        assert_eq!(is_stream(stream, 8, 123), want, "{stream:?}");
    }
}

/// Keeps each write.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<String>>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn threads_write_whole_lines_and_the_last_says_what_was_left_out() {
    let writes = Writes::default();
    let journal = Journal::with(Look::Priority, Box::new(writes.clone()));
    let threads = 4;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let journal = journal.clone();
            scope.spawn(move || {
                for _ in 0..LINES_SUBJECT_MAX {
                    journal.say(Level::Info, "one", &"said");
                }
            });
        }
    });
    let before = writes.0.lock().unwrap().len();
    assert_eq!(before, usize::try_from(LINES_SUBJECT_MAX).unwrap(), "a write each");
    journal.settle();
    assert_eq!(writes.0.lock().unwrap().len(), before, "the period is not over");
    drop(journal);
    let writes = writes.0.lock().unwrap();
    assert_eq!(writes[..before], vec!["<6>one: said\n"; before]);
    let left_out = (threads - 1) * LINES_SUBJECT_MAX;
    assert_eq!(writes[before..], [format!("<4>one: {left_out} more lines were left out\n")]);
}

#[test]
fn forms() {
    // The environment is the test runner's; JSON is JSON wherever it goes.
    assert_eq!(Journal::new(Form::Json).inner.look, Look::Json);
    assert_ne!(Journal::new(Form::Text).inner.look, Look::Json);
}
