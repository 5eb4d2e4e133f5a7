//! What all displays are made of: tables, ages, sizes, addresses.

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::clean;

/// Characters shown of a name. JSON has all of it.
const NAME_MAX: usize = 64;
/// Characters shown of a reason, an error, a description.
const TEXT_MAX: usize = 200;

/// What stands where there is nothing.
pub(super) const NOTHING: &str = "-";

/// A name from outside.
pub(super) fn name(text: &str) -> String {
    clean(NAME_MAX, &text)
}

/// A longer text from outside.
pub(super) fn sentence(text: &str) -> String {
    clean(TEXT_MAX, &text)
}

/// An age as VRP writes it: `57s`, `39m54s`, `04h39m54s`, `1d02h`.
pub(super) fn age(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds:02}s"),
        (0, 0, _) => format!("{minutes:02}m{:02}s", seconds % 60),
        (0, ..) => format!("{hours:02}h{:02}m{:02}s", minutes % 60, seconds % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// A short time, to three digits; from a minute on an [`age`].
pub(super) fn span(micros: u64) -> String {
    match micros {
        0 => "0s".to_owned(),
        1..1000 => format!("{micros}us"),
        1000..1_000_000 => format!("{}ms", digits(micros, 1000)),
        1_000_000..60_000_000 => format!("{}s", digits(micros, 1_000_000)),
        _ => age(micros),
    }
}

/// A size, to three digits and by powers of 1024: `312 B`, `1.50 KiB`, `64.0 MiB`.
pub(super) fn octets(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut unit, mut names) = (1024_u64, UNITS.iter());
    let mut name = names.next();
    while let Some(greater) = unit.checked_mul(1024)
        && count >= greater
    {
        (unit, name) = (greater, names.next());
    }
    format!("{} {}", digits(count, unit), name.unwrap_or(&"B"))
}

/// So many of a unit: `1.23`, `12.3`, `123`. Never rounded up: what is below a limit is not shown as at it.
fn digits(count: u64, unit: u64) -> String {
    let hundredths = u128::from(count) * 100 / u128::from(unit);
    match hundredths {
        0..1000 => format!("{}.{:02}", hundredths / 100, hundredths % 100),
        1000..10_000 => format!("{}.{}", hundredths / 100, hundredths / 10 % 10),
        _ => format!("{}", hundredths / 100),
    }
}

/// A quotient to two places, or that there is none.
pub(super) fn quotient(count: u64, parts: u64) -> String {
    if parts == 0 {
        return NOTHING.to_owned();
    }
    let hundredths = u128::from(count) * 100 / u128::from(parts);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// An address as VRP writes it: RFC 5952 in upper case.
pub(super) fn address(address: IpAddr) -> String {
    address.to_string().to_uppercase()
}

/// An address and a port: `192.0.2.1:5000`, `[2001:DB8::1]:5000`.
pub(super) fn socket(socket: Option<SocketAddr>) -> String {
    socket.map_or_else(|| NOTHING.to_owned(), |socket| socket.to_string().to_uppercase())
}

/// Lines, one after another.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// A line that far in.
    pub(super) fn line(&mut self, indent: usize, line: fmt::Arguments<'_>) {
        // To a `String` it does not fail.
        let _ = write!(self.0, "{:indent$}{line}", "");
        self.0.truncate(self.0.trim_end_matches(' ').len());
        self.0.push('\n');
    }

    /// A table.
    pub(super) fn table(&mut self, table: &Table) {
        table.print(self);
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// On which side of its column a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Columns of at least a width, the blank behind them included. A longer value widens its column.
pub(super) struct Table {
    indent: usize,
    columns: Vec<(&'static str, usize, Side)>,
    /// Each with the line below it, if there is one.
    rows: Vec<(Vec<String>, Option<String>)>,
}

impl Table {
    pub(super) fn new(indent: usize, columns: &[(&'static str, usize, Side)]) -> Self {
        Self { indent, columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A row, as many values as there are columns.
    pub(super) fn row(&mut self, values: impl IntoIterator<Item = String>) {
        self.rows.push((values.into_iter().collect(), None));
    }

    /// A line below the row that was just added.
    pub(super) fn below(&mut self, line: String) {
        if let Some((_, below)) = self.rows.last_mut() {
            *below = Some(line);
        }
    }

    fn print(&self, page: &mut Page) {
        let widths: Vec<usize> = (self.columns.iter().enumerate())
            .map(|(place, &(name, least, _))| {
                let longest = self.rows.iter().filter_map(|(row, _)| row.get(place));
                let longest = longest.map(|value| value.chars().count()).max().unwrap_or(0);
                longest.max(name.len()).max(least.saturating_sub(1))
            })
            .collect();
        let line = |values: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for ((value, width), (_, _, side)) in values.zip(&widths).zip(&self.columns) {
                let _ = match side {
                    Side::Left => write!(line, "{value:<width$} "),
                    Side::Right => write!(line, "{value:>width$} "),
                };
            }
            line
        };
        page.line(self.indent, format_args!("{}", line(&mut self.columns.iter().map(|column| column.0))));
        for (row, below) in &self.rows {
            page.line(self.indent, format_args!("{}", line(&mut row.iter().map(String::as_str))));
            if let Some(below) = below {
                page.line(self.indent + 2, format_args!("{below}"));
            }
        }
    }
}
