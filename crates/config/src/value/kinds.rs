//! The kinds of parameters, and what each of them takes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Kind, Value};
use crate::secret::{Clear, Sealed};

/// All of them.
pub(crate) static KINDS: &[Kind] = &[
    // names
    word("sysname", "STRING<1-246>", "Name of a router", |t, _| name(t, 246)),
    word("vrf", "STRING<1-31>", "Name of a VPN instance", |t, _| name(t, 31).filter(|_| t != "_public_")),
    word("alias", "STRING<1-31>", "Alias of a BMP session", |t, _| name(t, 31)),
    word("kcname", "STRING<1-47>", "Name of a keychain", |t, _| name(&t.to_ascii_lowercase(), 47)),
    word("policy", "STRING<1-23>", "Name of a policy", |t, _| unbroken(&t.to_ascii_lowercase(), 23)),
    word("label", "STRING<1-256>", "Label of a commit", |t, _| label(t)),
    word("rd", "STRING<3-21>", "Route distinguisher", |t, _| {
        unbroken(t, 21).filter(|_| t.chars().count() >= 3)
    }),
    word("router", "STRING<1-255>", "Name of a monitored router", |t, _| name(t, 255)),
    word("word", "STRING<1-80>", "A word", |t, _| name(t, 80)),
    // what the machine knows by name
    word("ifname", "STRING<1-63>", "Name of an interface", |t, _| interface(t, "-_./@")),
    word("iftype", "STRING<1-63>", "Type of an interface", |t, _| interface(t, "-")),
    word("ifnum", "STRING<1-63>", "Number of an interface", ifnum),
    word("device", "STRING<1-15>", "Name of a Linux device", |t, _| device(t)),
    word("path", "STRING<1-255>", "Name or path of a network namespace", |t, _| name(t, 255)),
    word("file", "STRING<1-255>", "Path of a file", |t, _| name(t, 255)),
    // addresses
    word("ip", "X.X.X.X|X:X::X:X", "IP address", |t, quoted| ipv4(t, quoted).or_else(|| ipv6(t, quoted))),
    word("ipv4", "X.X.X.X", "IPv4 address", ipv4),
    word("ipv6", "X:X::X:X", "IPv6 address", ipv6),
    word("prefix", "X.X.X.X/M|X:X::X:X/M", "Addresses that begin alike", prefix),
    // numbers
    word("port", "INTEGER<1-65535>", "Number of a TCP port", |t, quoted| number(t, quoted, 1, 65535)),
    word("routers", "INTEGER<1-4096>", "Routers at most", |t, quoted| number(t, quoted, 1, 4096)),
    word("peers", "INTEGER<1-1048576>", "Peers of a router at most", |t, quoted| {
        number(t, quoted, 1, 1 << 20)
    }),
    word("paths", "INTEGER<1-2147483647>", "Paths at most", |t, quoted| number(t, quoted, 1, (1 << 31) - 1)),
    // A BMP message that carries an UPDATE of 4096 octets has to fit; more than the mebibyte is not read.
    word("bytes", "INTEGER<8192-1048576>", "Octets of a message at most", |t, quoted| {
        number(t, quoted, 8192, 1 << 20)
    }),
    word("retry", "INTEGER<1-65535>", "Time in seconds", |t, quoted| number(t, quoted, 1, 65535)),
    word("megabytes", "INTEGER<1-65535>", "Size in megabytes", |t, quoted| number(t, quoted, 1, 65535)),
    word("stall", "INTEGER<5-65535>", "Time in seconds", |t, quoted| number(t, quoted, 5, 65535)),
    word("statistics", "INTEGER<15-65535>", "Time in seconds", |t, quoted| number(t, quoted, 15, 65535)),
    word("dscp", "INTEGER<0-63>", "Differentiated services code point", |t, quoted| number(t, quoted, 0, 63)),
    word("mss", "INTEGER<88-32767>", "Octets of a TCP segment at most", |t, quoted| {
        number(t, quoted, 88, 32767)
    }),
    word("kilobytes", "INTEGER<1-1048576>", "Size in kilobytes", |t, quoted| number(t, quoted, 1, 1 << 20)),
    word("masklen", "INTEGER<0-32>", "Length of a mask", |t, quoted| number(t, quoted, 0, 32)),
    word("keyid", "INTEGER<0-63>", "Identifier of a key", |t, quoted| number(t, quoted, 0, 63)),
    word("ao-id", "INTEGER<0-255>", "Identifier of a key in TCP-AO", |t, quoted| number(t, quoted, 0, 255)),
    word("kind", "INTEGER<28-255>", "Kind of the TCP option", |t, quoted| number(t, quoted, 28, 255)),
    word("algid", "INTEGER<1-63>", "Identifier of an algorithm", |t, quoted| number(t, quoted, 1, 63)),
    word("tolerance", "INTEGER<1-14400>", "Time in minutes", |t, quoted| number(t, quoted, 1, 14400)),
    word("duration", "INTEGER<1-26280000>", "Time in minutes", |t, quoted| number(t, quoted, 1, 26_280_000)),
    word("day-of-month", "INTEGER<1-31>", "Day of the month", |t, quoted| number(t, quoted, 1, 31)),
    word("trial", "INTEGER<60-65535>", "Time in seconds", |t, quoted| number(t, quoted, 60, 65535)),
    word("commit-id", "INTEGER<1-4294967295>", "Number of a commit", |t, quoted| {
        number(t, quoted, 1, (1 << 32) - 1)
    }),
    word("last", "INTEGER<1-80>", "Number of commits", |t, quoted| number(t, quoted, 1, 80)),
    // times
    word("time", "HH:MM", "Time of day", time),
    word("date", "YYYY-MM-DD", "Day, from 1970-01-01 to 2050-12-31", date),
    // secrets
    word("pwd", "STRING<1-255>/<20-432>", "Password, in clear or as it is displayed", |t, _| password(t)),
    // what is not taken apart
    line("text60", "TEXT<1-60>", "Text, to the end of the line", |t, _| text(t, 60)),
    line("text80", "TEXT<1-80>", "Text, to the end of the line", |t, _| text(t, 80)),
    line("command", "TEXT", "A command of the user view", |t, _| Some(Value::Rest(t.into()))),
    line("regex", "TEXT", "A regular expression, to the end of the line", |t, _| Some(Value::Rest(t.into()))),
];

type Read = fn(&str, bool) -> Option<Value>;

/// One that is a word.
const fn word(name: &'static str, shown: &'static str, help: &'static str, read: Read) -> Kind {
    Kind { name, shown, help, rest: false, read }
}

/// One that is the rest of the line.
const fn line(name: &'static str, shown: &'static str, help: &'static str, read: Read) -> Kind {
    Kind { name, shown, help, rest: true, read }
}

/// So many decimal digits, and no more than that, in between these two.
fn number(text: &str, quoted: bool, least: u64, most: u64) -> Option<Value> {
    let value = digits(text, 10).filter(|_| !quoted)?;
    (least..=most).contains(&value).then_some(Value::Number(value))
}

/// Decimal digits alone: no sign, which `parse` would take.
fn digits(text: &str, most: usize) -> Option<u64> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

/// A name of up to so many characters. What asks for help, ends a quote or a line is part of no name.
fn name(text: &str, most: usize) -> Option<Value> {
    let fits = (1..=most).contains(&text.chars().count());
    let clean = !text.chars().any(|c| matches!(c, '?' | '"') || c.is_control());
    (fits && clean).then(|| Value::Text(text.into()))
}

/// A name without blanks, not even in quotes.
fn unbroken(text: &str, most: usize) -> Option<Value> {
    name(text, most).filter(|_| !text.contains(' '))
}

fn label(text: &str) -> Option<Value> {
    name(text, 256).filter(|_| !text.starts_with(|c: char| c.is_ascii_digit()) && text != "-")
}

/// A letter, then letters, digits and these.
fn interface(text: &str, marks: &str) -> Option<Value> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    name(text, 63).filter(|_| fits)
}

/// `0`, `0/0/1.100`, `1/0/0:1`; not `10.1.1.999` nor `1::2`, which are addresses that went wrong.
fn ifnum(text: &str, quoted: bool) -> Option<Value> {
    let fits = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "/.:".contains(c))
        && text.matches('.').count() < 2
        && !text.contains("::")
        && ipv6(text, false).is_none();
    name(text, 63).filter(|_| fits && !quoted)
}

/// What the kernel takes for one.
fn device(text: &str) -> Option<Value> {
    let fits = text.len() <= 15 && !text.contains(['/', ':']) && !matches!(text, "." | "..");
    unbroken(text, 15).filter(|_| fits)
}

/// Four decimals: the standard library refuses leading zeros, as we want it.
fn ipv4(text: &str, quoted: bool) -> Option<Value> {
    let address: Ipv4Addr = text.parse().ok()?;
    (!quoted).then_some(Value::V4(address))
}

/// RFC 4291 §2.2, but no IPv4 in disguise: VRP knows each server by one address.
fn ipv6(text: &str, quoted: bool) -> Option<Value> {
    let address: Ipv6Addr = text.parse().ok()?;
    (!quoted && address.to_ipv4_mapped().is_none()).then_some(Value::V6(address))
}

/// What is behind the length does not count, so it is not kept.
fn prefix(text: &str, quoted: bool) -> Option<Value> {
    let (address, length) = text.split_once('/')?;
    let length = u8::try_from(digits(length, 3)?).ok()?;
    match ipv4(address, quoted).or_else(|| ipv6(address, quoted))? {
        Value::V4(address) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Some(Value::Prefix(IpAddr::from(Ipv4Addr::from(u32::from(address) & mask)), length))
        }
        Value::V6(address) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            let kept = Ipv6Addr::from(u128::from(address) & mask);
            // With fewer bits an IPv4 in disguise may come out, which would not be read again.
            kept.to_ipv4_mapped().is_none().then_some(Value::Prefix(IpAddr::from(kept), length))
        }
        _ => None,
    }
}

/// Leading zeros may be left out, as in dates.
fn time(text: &str, quoted: bool) -> Option<Value> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    let fits = !quoted && hour < 24 && minute < 60;
    fits.then_some(Value::Time(u8::try_from(hour).ok()?, u8::try_from(minute).ok()?))
}

fn date(text: &str, quoted: bool) -> Option<Value> {
    let mut fields = text.split('-');
    let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
    let year = u16::try_from(digits(year, 4)?).ok()?;
    let (month, day) = (u8::try_from(digits(month, 2)?).ok()?, u8::try_from(digits(day, 2)?).ok()?);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        // From 1970 to 2050 every fourth year is a leap year.
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => 31,
    };
    let fits = fields.next().is_none()
        && !quoted
        && (1970..=2050).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days).contains(&day);
    fits.then_some(Value::Date(year, month, day))
}

/// What looks sealed and is not what we seal is no password: it was cut or comes from another system.
fn password(text: &str) -> Option<Value> {
    if text.len() >= 8 && text.starts_with("%^%#") && text.ends_with("%^%#") {
        return Sealed::parse(text).map(Value::Sealed);
    }
    let clean = !text.chars().any(|c| c == '?' || c.is_control());
    // In octets, as the seal counts.
    ((1..=255).contains(&text.len()) && clean).then(|| Value::Clear(Clear::new(text)))
}

fn text(text: &str, most: usize) -> Option<Value> {
    let fits = (1..=most).contains(&text.chars().count());
    let clean = !text.chars().any(|c| c == '?' || c.is_control());
    (fits && clean).then(|| Value::Rest(text.into()))
}
