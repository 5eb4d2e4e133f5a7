//! What an operator sees: a picture redrawn each second on a terminal, one line a second elsewhere.
//!
//! ```text
//!  12.0s  1000 connections, 3 ended  92.51 MB/s  607.20 k messages/s  8241016 messages  4127300 paths …
//!      no   port  router                       octets/s   messages/s        paths violations
//!       7   5001  seed-1                        1.25 MB       8.21 k       104512          0
//! ```

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write};

use crate::server::{Doing, Picture, Row, count_f64};

/// Connections that are shown: the busiest, all others are in the sums.
pub const ROWS_MAX: usize = 16;
/// Characters shown of the name of a router.
const NAME_MAX: usize = 24;

/// Draws pictures, and knows the one before, for rates.
#[derive(Default)]
pub struct Screen {
    before: Picture,
    /// Lines drawn, which the next drawing takes the place of.
    drawn: usize,
}

/// A number of something a second, with three digits or more, a prefix and what it is.
struct Rate(f64, &'static str);

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(value, unit) = *self;
        let rows = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
        let text = match rows.iter().find(|(least, _)| value >= *least) {
            Some((least, prefix)) => format!("{:.2} {prefix}{unit}", value / least),
            None if unit.starts_with(' ') => format!("{value:.0}{unit}"),
            None => format!("{value:.0} {unit}"),
        };
        f.pad(text.trim_end())
    }
}

impl Screen {
    /// One line, without its end.
    #[must_use]
    pub fn line(&mut self, now: Picture) -> String {
        let line = self.summary(&now);
        self.before = now;
        line
    }

    /// Everything, for a terminal: it takes the place of what was drawn before.
    #[must_use]
    pub fn drawing(&mut self, now: Picture) -> String {
        let mut out = String::new();
        if self.drawn > 0 {
            let _ = write!(out, "\x1b[{}A", self.drawn);
        }
        let mut lines = vec![self.summary(&now)];
        lines.push(format!(
            "{:>6} {:>6}  {:<NAME_MAX$} {:>12} {:>12} {:>12} {:>10}",
            "no", "port", "router", "octets/s", "messages/s", "paths", "violations"
        ));
        let before: HashMap<u64, &Row> = self.before.rows.iter().map(|row| (row.number, row)).collect();
        let moved = |row: &Row| row.octets - before.get(&row.number).map_or(0, |before| before.octets);
        let mut rows: Vec<&Row> = now.rows.iter().collect();
        rows.sort_by_key(|row| (std::cmp::Reverse((row.violations > 0, moved(row))), row.number));
        lines.extend(rows.iter().take(ROWS_MAX).map(|row| {
            let messages = row.messages - before.get(&row.number).map_or(0, |before| before.messages);
            self.row(&now, row, moved(row), messages)
        }));
        if let Some(more @ 1..) = rows.len().checked_sub(ROWS_MAX) {
            lines.push(format!("{:>6} more", more));
        }
        for line in &lines {
            let _ = writeln!(out, "\r{line}\x1b[K");
        }
        // What is left of a longer drawing.
        out.push_str("\x1b[J");
        self.drawn = lines.len();
        self.before = now;
        out
    }

    fn summary(&self, now: &Picture) -> String {
        let octets = self.rate(now, now.octets.saturating_sub(self.before.octets), "B/s");
        let messages = self.rate(now, now.messages.saturating_sub(self.before.messages), " messages/s");
        format!(
            "{:.1}s  {} connections, {} ended  {octets}  {messages}  {} messages  {} paths  {} sets  {} violations",
            now.elapsed.as_secs_f64(),
            now.open,
            now.ended,
            now.messages,
            now.paths,
            now.sets,
            now.violations
        )
    }

    fn row(&self, now: &Picture, row: &Row, octets: u64, messages: u64) -> String {
        let router: String = row.router.as_deref().unwrap_or("?").escape_debug().take(NAME_MAX).collect();
        let stalled = if row.doing == Doing::Stalled { "  stalled" } else { "" };
        format!(
            "{:>6} {:>6}  {router:<NAME_MAX$} {:>12} {:>12} {:>12} {:>10}{stalled}",
            row.number,
            row.to.port(),
            self.rate(now, octets, "B"),
            self.rate(now, messages, " "),
            row.paths,
            row.violations
        )
    }

    fn rate(&self, now: &Picture, count: u64, unit: &'static str) -> Rate {
        let seconds = now.elapsed.saturating_sub(self.before.elapsed).as_secs_f64();
        Rate(if seconds > 0.0 { count_f64(count) / seconds } else { 0.0 }, unit)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn picture(seconds: u64, octets: u64) -> Picture {
        let row = |number| Row {
            number,
            to: ([127, 0, 0, 1], 5001).into(),
            router: Some("r\u{1b}[2J".to_owned()),
            octets: octets * number,
            messages: octets,
            paths: 12,
            violations: 0,
            doing: if number == 2 { Doing::Stalled } else { Doing::Reading },
        };
        let rows: Vec<_> = (1..=20).map(row).collect();
        Picture {
            elapsed: Duration::from_secs(seconds),
            open: rows.len(),
            octets,
            messages: octets / 100,
            rows,
            ..Picture::default()
        }
    }

    #[test]
    fn rates_are_differences() {
        let mut screen = Screen::default();
        assert_eq!(
            screen.line(picture(1, 1000)),
            "1.0s  20 connections, 0 ended  1.00 kB/s  10 messages/s  10 messages  0 paths  0 sets  0 violations"
        );
        let second = screen.line(picture(3, 5_001_000));
        assert!(second.contains("  2.50 MB/s  25.00 k messages/s  "), "{second}");
    }

    #[test]
    fn a_drawing_takes_the_place_of_the_one_before() {
        let mut screen = Screen::default();
        let first = screen.drawing(picture(1, 1000));
        let lines = first.lines().count() - 1;
        assert_eq!(lines, 2 + ROWS_MAX + 1);
        assert!(!first.contains("\x1b[2J"), "names do not reach the terminal as they are");
        let busiest = first.lines().nth(2).expect("a row");
        assert!(busiest.trim_start_matches('\r').trim_start().starts_with("20 "), "{busiest}");
        assert!(screen.drawing(picture(2, 1000)).starts_with(&format!("\x1b[{lines}A")));
    }
}
