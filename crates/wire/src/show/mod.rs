//! One line for every message: what displays, logs and failing tests print.
//!
//! ```text
//!  route-monitoring global 192.0.2.1 AS65001 adj-rib-in-pre 1699999999.250000 update announce …
//!  └ kind           └ peer                   └ view, flags  └ seconds.micros  └ what it says
//! ```
//!
//! Words in kebab-case and values, each word in front of its values, one space in between; one
//! token a route. Octets that nobody here can read are `12 octets 0a0b…`, text is `"quoted"`, and
//! `… 42 more` stands for what was left out.
//!
//! * **one line**  no control character gets out: text from outside passes through [`Text`] only.
//! * **bounded**   [`LINE_MAX`] octets whatever comes in; the other limits below keep nearly every
//!   line far from it, so that what is cut is the tail of a list and not the end of the line.
//! * **total**     any bytes give a line: a body that makes no sense is `malformed: offset …` behind
//!   its kind and its peer.
//! * **as told**   the bytes of NLRI and AS paths do not say how to read them. `show` takes the
//!   [`Dialect`] that does; `Display` alone assumes [`plain`] and prints octets, not a guess, where
//!   that reading fails.
//! * **no copies** everything is written straight into the formatter.

mod attribute;
mod bgp;
mod bmp;
mod mrt;
mod nlri;
mod open;
mod peer;
mod tlv;

pub use nlri::RouteDistinguisher;

use std::fmt::{self, Display, Formatter, Write};

use crate::bgp::Dialect;

/// The most octets that a line has.
const LINE_MAX: usize = 4096;
/// Octets shown of what cannot be read.
const HEX_MAX: usize = 32;
/// Characters shown of one text, before escapes.
const TEXT_MAX: usize = 128;
/// Routes shown of one field of an UPDATE.
const ROUTES_MAX: usize = 8;
/// Labels shown of one route.
const LABELS_MAX: usize = 4;
/// Attributes shown of one UPDATE.
const ATTRIBUTES_MAX: usize = 24;
/// Elements shown of one attribute: AS numbers, communities, clusters.
const ELEMENTS_MAX: usize = 16;
/// Capabilities shown of one OPEN.
const CAPABILITIES_MAX: usize = 24;
/// Families shown of one capability.
const FAMILIES_MAX: usize = 12;
/// TLVs shown of one message.
const TLVS_MAX: usize = 12;
/// Statistics shown of one report: the longest one seen in the field has 28.
const STATISTICS_MAX: usize = 48;

/// Paths shown of one route of a dump: each has attributes of its own.
const PATHS_MAX: usize = 4;
/// Peers shown of one dump.
const PEERS_MAX: usize = 24;

/// What stands for all that was left out.
const ELLIPSIS: &str = "…";

/// The dialect of a session of which nothing is known: no path ids, one label, and AS numbers of
/// four octets, for there is hardly a router left that has others (RFC 6793).
fn plain() -> Dialect {
    Dialect { four_octet_as: true, ..Dialect::default() }
}

/// The one door through which lines leave: *bounded* holds here, however wrong a limit is elsewhere.
struct Line<'f, 'g> {
    out: &'f mut Formatter<'g>,
    /// Octets that may still be written, the ellipsis apart.
    left: usize,
    cut: bool,
}

impl Write for Line<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        debug_assert!(!text.contains(char::is_control), "one line: {text:?}");
        let end = text.floor_char_boundary(self.left);
        self.left -= end;
        self.out.write_str(&text[..end])?;
        if end < text.len() {
            // An error stops whoever is writing, at once: nothing walks a megabyte to no avail.
            self.cut = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Writes `text` as a line.
fn line(out: &mut Formatter<'_>, text: impl Display) -> fmt::Result {
    let mut line = Line { out, left: LINE_MAX - ELLIPSIS.len(), cut: false };
    match write!(line, "{text}") {
        Err(_) if line.cut => out.write_str(ELLIPSIS),
        result => result,
    }
}

/// The first `most` items with spaces between them, `lead` in front, and how many there are more.
fn list(
    f: &mut Formatter<'_>,
    lead: &str,
    mut items: impl Iterator<Item = impl Display>,
    most: usize,
) -> fmt::Result {
    let mut between = lead;
    for item in items.by_ref().take(most) {
        write!(f, "{between}{item}")?;
        between = " ";
    }
    more(f, items.count())
}

/// How many there are that were not written.
fn more(f: &mut Formatter<'_>, left: usize) -> fmt::Result {
    if left == 0 { Ok(()) } else { write!(f, " {ELLIPSIS} {left} more") }
}

/// The octets as hexadecimal digits, [`HEX_MAX`] of them.
pub(crate) fn hex(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let shown = &bytes[..bytes.len().min(HEX_MAX)];
    shown.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
    if shown.len() < bytes.len() { f.write_str(ELLIPSIS) } else { Ok(()) }
}

/// Octets that nobody here can read: how many, and the first of them.
struct Octets<'a>(&'a [u8]);

impl Display for Octets<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())?;
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(" ")?;
        hex(f, self.0)
    }
}

/// `name` and octets, and nothing at all if there are none.
fn leftover(f: &mut Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    if bytes.is_empty() { Ok(()) } else { write!(f, " {name} {}", Octets(bytes)) }
}

/// Text from outside: quoted, UTF-8 where it is valid, everything else escaped.
struct Text<'a>(&'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut left = TEXT_MAX;
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                if left == 0 {
                    return write!(f, "\"{ELLIPSIS}");
                }
                left -= 1;
                // `escape_debug` also takes care of line separators and of marks that turn the
                // direction of writing; an apostrophe needs no care.
                if char == '\'' { f.write_str("'")? } else { write!(f, "{}", char.escape_debug())? }
            }
            for octet in chunk.invalid() {
                if left == 0 {
                    return write!(f, "\"{ELLIPSIS}");
                }
                left -= 1;
                write!(f, "\\x{octet:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

/// A name, or what stands for a number that has none: `unknown-100`.
fn named(f: &mut Formatter<'_>, name: Option<&str>, class: &str, number: impl Display) -> fmt::Result {
    match name {
        Some(name) => f.write_str(name),
        None => write!(f, "{class}-{number}"),
    }
}

/// The octets of a big-endian number, at most eight.
fn number(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

/// `Debug` says the same as `Display`, so that a failing `assert_eq!` can be read.
macro_rules! debug_is_display {
    ($($kind:ty),* $(,)?) => {
        $(impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })*
    };
}
use debug_is_display;
