//! When a window is open, as instants.
//!
//! ```text
//!   civil    ├──Mon──┤├──Tue──┤      ├──Fri──┤      the days that matter around now
//!   joined   ├────────────────┤      ├───────┤
//!   instants ├───────────────┤       ├───────┤      the night had an hour less
//!   wider  ├───────────────────┤   ├───────────┤    by the tolerance, joined again
//! ```
//!
//! A civil time stands for the first instant at which the clock shows it or a later one. So a clock that is set
//! back stands still until it has caught up, and nothing opens twice; one that is set forward passes at once all
//! that it leaves out: what begins there begins then, and what begins and ends there is left out. Times that
//! follow each other stay in order, hence windows that are apart in civil time are apart in instants.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::Window;

const DAY_S: i64 = 24 * 60 * 60;

/// When a window is open around a moment: in order, apart from each other.
pub(super) struct Spans {
    spans: Vec<(Timestamp, Timestamp)>,
    /// From here on days were left out, and spans are not to be believed.
    limit: Timestamp,
}

impl Spans {
    /// Those of a window around `now`, longer at both ends by a tolerance.
    pub(super) fn around(
        now: Timestamp,
        window: &Window,
        zone: &TimeZone,
        tolerance: SignedDuration,
    ) -> Self {
        let days = tolerance.as_secs() / DAY_S + 2;
        let today = zone.to_datetime(now).date();
        let first = later(today, -days);
        let last = later(today, window.period_days() + 2 * days);
        let civil = joined(window.civil(first, last));
        let instants = civil
            .into_iter()
            .map(|(start, end)| (instant(start, zone), instant(end, zone)))
            .filter(|(start, end)| start < end)
            .map(|(start, end)| (moved(start, -tolerance), moved(end, tolerance)));
        let limit = match window {
            Window::Absolute(..) => Timestamp::MAX,
            _ => moved(instant(last.to_datetime(Time::midnight()), zone), -tolerance),
        };
        Self { spans: joined(instants.collect()), limit }
    }

    /// Whether it is open then.
    pub(super) fn open(&self, now: Timestamp) -> bool {
        self.spans.iter().any(|&(start, end)| (start..end).contains(&now))
    }

    /// When it opens next.
    pub(super) fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let mut starts = self.spans.iter().map(|&(start, _)| start);
        starts.find(|&start| start > now && start < self.limit)
    }

    /// When it opens or closes next.
    pub(super) fn changes(&self, now: Timestamp) -> Option<Timestamp> {
        let mut edges = self.spans.iter().flat_map(|&(start, end)| [start, end]);
        edges.find(|&edge| edge > now && edge < self.limit)
    }
}

impl Window {
    /// Days after which it has opened and closed, if it ever does: with room for a month that has not the day, and
    /// for a day that a country left out.
    const fn period_days(&self) -> i64 {
        match self {
            Self::Absolute(..) => 0,
            Self::Daily(..) => 4,
            Self::Weekly(_) => 2 * 7 + 2,
            Self::Monthly(_) => 4 * 31 + 2,
            Self::Yearly(_) => 366 + 2 * 31,
        }
    }

    /// When it is open in civil time, as far as that begins on one of these days.
    fn civil(&self, first: Date, last: Date) -> Vec<(DateTime, DateTime)> {
        let days = first.series(1.day()).take_while(|&date| date < last);
        let whole = |date: Date| (midnight(date), midnight(later(date, 1)));
        match *self {
            Self::Absolute(from, to) => vec![(from, to.unwrap_or(DateTime::MAX))],
            Self::Daily(from, to) => {
                let end = |date| if to > from { date } else { later(date, 1) };
                days.map(|date| (minute(date, from), minute(end(date), to))).collect()
            }
            Self::Weekly(set) => days
                .filter(|date| set >> date.weekday().to_monday_zero_offset() & 1 == 1)
                .map(whole)
                .collect(),
            Self::Monthly(set) => days.filter(|date| set >> date.day() & 1 == 1).map(whole).collect(),
            Self::Yearly(set) => days.filter(|date| set >> date.month() & 1 == 1).map(whole).collect(),
        }
    }
}

/// Joins what touches. What comes in begins in order.
fn joined<T: Ord + Copy>(spans: Vec<(T, T)>) -> Vec<(T, T)> {
    let mut joined: Vec<(T, T)> = Vec::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// The first instant at which the clock shows this or more.
fn instant(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let found = match ambiguous.offset() {
        // Left out: when the clock jumps. `earlier` would be before that, and `later` after.
        AmbiguousOffset::Gap { after, .. } => after.to_timestamp(civil).ok().and_then(|before| {
            let mut jumps = zone.following(before);
            jumps
                .find(|jump| jump.offset().to_datetime(jump.timestamp()) >= civil)
                .map(|jump| jump.timestamp())
        }),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    };
    // At the ends of time, as far as this library counts.
    found.unwrap_or(if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

fn later(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

fn midnight(date: Date) -> DateTime {
    date.to_datetime(Time::midnight())
}

/// A minute of a day.
fn minute(date: Date, minute: u16) -> DateTime {
    midnight(date).saturating_add(i64::from(minute).minutes())
}
