//! What stands in place of a `<parameter>`.
//!
//! One table, `KINDS`: the name that syntaxes use, what `?` shows, and what is taken.
//!
//! * **one way to write it**  a value prints in one way, however it was typed, and that reads back as itself: names
//!   that are folded are kept folded, addresses and dates print as VRP prints them.

mod kinds;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::secret::{Clear, Sealed};

pub(crate) use kinds::KINDS;

/// A parameter's value. Ordered as people would: addresses and numbers by size, names by letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// A number.
    Number(u64),
    /// An address.
    V4(Ipv4Addr),
    /// An address.
    V6(Ipv6Addr),
    /// An address and a length.
    Prefix(IpAddr, u8),
    /// Hour and minute.
    Time(u8, u8),
    /// Year, month, day.
    Date(u16, u8, u8),
    /// Anything else. Prints in quotes if it has blanks.
    Text(Arc<str>),
    /// The rest of a line, blanks included. Prints as it is.
    Rest(Arc<str>),
    /// A secret as it was typed: to be sealed before it is kept ([`crate::tree::Statement::seal`]).
    Clear(Clear),
    /// A secret as it is kept.
    Sealed(Sealed),
}

/// A kind of parameter.
pub(crate) struct Kind {
    /// What stands between `<` and `>` in a syntax.
    pub(crate) name: &'static str,
    /// What `?` and refusals show: `INTEGER<1-65535>`; with `|` between them if there is more than one form.
    pub(crate) shown: &'static str,
    /// One line of help.
    pub(crate) help: &'static str,
    /// Whether it takes the rest of the line.
    pub(crate) rest: bool,
    /// The value of a word that is one. The second argument is whether it was quoted.
    pub(crate) read: fn(&str, bool) -> Option<Value>,
}

impl Kind {
    /// What a syntax means by `<name>`.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// What `?` shows, a form each.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &'static str> {
        self.shown.split('|')
    }
}

impl Value {
    /// The value of a word, or of the rest of a line, as a parameter of the table; `None` if it is none, or if
    /// there is no such parameter. `quoted` is whether the word stood in quotes, which `text` is without.
    #[must_use]
    pub fn read(parameter: &str, text: &str, quoted: bool) -> Option<Self> {
        (Kind::named(parameter)?.read)(text, quoted)
    }
}

impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl fmt::Display for Value {
    /// As it would be typed; a secret in clear is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(address) => write!(f, "{}", upper(*address)),
            Self::Prefix(IpAddr::V4(address), length) => write!(f, "{address}/{length}"),
            Self::Prefix(IpAddr::V6(address), length) => write!(f, "{}/{length}", upper(*address)),
            Self::Time(hour, minute) => write!(f, "{hour:02}:{minute:02}"),
            Self::Date(year, month, day) => write!(f, "{year:04}-{month:02}-{day:02}"),
            Self::Text(text) if text.contains(' ') => write!(f, "\"{text}\""),
            Self::Text(text) | Self::Rest(text) => f.write_str(text),
            Self::Clear(_) => f.write_str("******"),
            Self::Sealed(sealed) => write!(f, "{sealed}"),
        }
    }
}

/// As RFC 5952 has it, but for the letters, which VRP prints large.
fn upper(address: Ipv6Addr) -> String {
    address.to_string().to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
