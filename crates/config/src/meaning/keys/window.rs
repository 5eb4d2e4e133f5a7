//! `send-time` and `receive-time`, as windows.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

use super::keywords;
use crate::keychain::Window;
use crate::tree::Statement;
use crate::value::Value;

/// Days from bit 0 on, months from bit 1 on.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The window; `None` if it has a date that no calendar has.
pub(super) fn window(statement: &Statement) -> Option<Window> {
    let named = |names: &[&str]| -> Vec<usize> {
        keywords(statement).filter_map(|word| names.iter().position(|name| *name == word)).collect()
    };
    let range = statement.has("to");
    Some(match () {
        () if statement.has("daily") => {
            let mut minutes = statement.values("time").filter_map(minute_of_day);
            Window::Daily(minutes.next()?, minutes.next()?)
        }
        () if statement.has("day") => Window::Weekly(u8::try_from(set(&named(&DAYS), range)).ok()?),
        () if statement.has("date") => {
            let days = statement.values("day-of-month").filter_map(|value| match value {
                Value::Number(day) => usize::try_from(*day).ok(),
                _ => None,
            });
            Window::Monthly(set(&days.collect::<Vec<_>>(), range))
        }
        () if statement.has("month") => Window::Yearly(u16::try_from(set(&named(&MONTHS), range) << 1).ok()?),
        () => absolute(statement)?,
    })
}

/// The numbers as bits; of a range, those between them too.
fn set(numbers: &[usize], range: bool) -> u32 {
    match *numbers {
        [first, last] if range => (first..=last).fold(0, |set, bit| set | 1 << bit),
        _ => numbers.iter().fold(0, |set, bit| set | 1 << bit),
    }
}

fn absolute(statement: &Statement) -> Option<Window> {
    let times = statement.values("time").filter_map(minute_of_day);
    let dates = statement.values("date").map(date);
    let mut moments = dates.zip(times).map(|(date, minute)| Some(moment(date?, minute)));
    let start = moments.next()??;
    if let Some(minutes) = statement.number("duration") {
        let minutes = i64::try_from(minutes).ok()?;
        return Some(Window::Absolute(start, Some(start.saturating_add(minutes.minutes()))));
    }
    let end = if statement.has("infinite") { None } else { Some(moments.next()??) };
    Some(Window::Absolute(start, end))
}

fn moment(date: Date, minute: u16) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight()).saturating_add(i64::from(minute).minutes())
}

fn minute_of_day(value: &Value) -> Option<u16> {
    match value {
        Value::Time(hour, minute) => Some(u16::from(*hour) * 60 + u16::from(*minute)),
        _ => None,
    }
}

fn date(value: &Value) -> Option<Date> {
    match value {
        Value::Date(year, month, day) => {
            Date::new(i16::try_from(*year).ok()?, i8::try_from(*month).ok()?, i8::try_from(*day).ok()?).ok()
        }
        _ => None,
    }
}
