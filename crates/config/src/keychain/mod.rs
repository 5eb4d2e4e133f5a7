//! Which keys of a keychain are good when.
//!
//! ```text
//!   key 1   send ├────────────┤                      receive ├──────────────┤
//!   key 2                     ├────────────┤               ├──────────────────┤
//!                ▲ at(now): send 1, next 2, receive 1,     until the next edge ▲ of any of them
//! ```
//!
//! Times are civil ones, in the time zone that the caller hands in, or UTC; what a change of clocks does to them
//! stands in `span`. The minute at which a window ends is not part of it, so one may begin where another ends.
//!
//! * **one signs**       send windows do not overlap ([`Window::overlaps`], refused before); between them signs
//!   the default, if there is one.
//! * **nothing between** from `now` to [`Good::until`] nothing changes.

mod span;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::secret::Sealed;
use span::Spans;

const DAY_MINUTES: u16 = 24 * 60;
const WEEK: u8 = 0x7f;
const MONTH: u32 = !1;
const YEAR: u16 = 0x1ffe;

/// A keychain, complete: what a session that names it is keyed by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keychain {
    /// Its name, in lower case.
    pub name: Arc<str>,
    /// When a day begins: UTC, or here.
    pub utc: bool,
    /// By how much receive windows are longer at both ends, in minutes; `None` is for ever.
    pub tolerance_minutes: Option<u32>,
    /// By id, those that are complete.
    pub keys: Vec<Key>,
    /// The key that is sent with when no send window is open.
    pub default_send: Option<u8>,
}

/// A key of a keychain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// 0 to 63.
    pub id: u8,
    /// What tells it in a segment that we send, and in one that we get: `id`, unless a `tcp ao` says otherwise.
    pub send_id: u8,
    /// See `send_id`.
    pub receive_id: u8,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What it signs with.
    pub secret: Sealed,
    /// When we sign with it; `None`: never.
    pub send: Option<Window>,
    /// When we take what is signed with it; `None`: never.
    pub receive: Option<Window>,
}

/// How a key signs. What no kernel has is refused before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// TCP-MD5, which knows one key, always.
    Md5,
    /// TCP-AO, HMAC-SHA-1, 12 octets.
    HmacSha1,
    /// 16 octets.
    HmacSha1Long,
    /// TCP-AO, HMAC-SHA-256, 16 octets.
    HmacSha256,
    /// TCP-AO, AES-128-CMAC, 12 octets.
    Aes128Cmac,
}

/// When a key is good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Window {
    /// From then on, until then if there is an end.
    Absolute(jiff::civil::DateTime, Option<jiff::civil::DateTime>),
    /// Each day, from and to a minute of it: to the same is round the clock, to an earlier one over midnight.
    Daily(u16, u16),
    /// On these days of the week: bit 0 is Monday.
    Weekly(u8),
    /// On these days of the month: bit 1 is the first.
    Monthly(u32),
    /// In these months: bit 1 is January.
    Yearly(u16),
}

/// What is good at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Good {
    /// The key to sign with, by its place in [`Keychain::keys`].
    pub send: Option<usize>,
    /// The key whose send window opens next.
    pub next: Option<usize>,
    /// The keys whose signatures are taken.
    pub receive: Vec<usize>,
    /// When this may change; `None`: never.
    pub until: Option<Timestamp>,
}

impl Keychain {
    /// What is good at a moment, where `zone` is the machine's.
    #[must_use]
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Good {
        let zone = if self.utc { &TimeZone::UTC } else { zone };
        let mut good = Good::default();
        let mut opens: Option<Timestamp> = None;
        let mut changes = |at: Option<Timestamp>| good.until = [good.until, at].into_iter().flatten().min();
        for (index, key) in self.keys.iter().enumerate() {
            if let Some(window) = &key.send {
                let spans = Spans::around(now, window, zone, SignedDuration::ZERO);
                if spans.open(now) {
                    good.send.get_or_insert(index);
                }
                if let Some(at) = spans.opens(now)
                    && opens.is_none_or(|first| at < first)
                {
                    opens = Some(at);
                    good.next = Some(index);
                }
                changes(spans.changes(now));
            }
            match (&key.receive, self.tolerance_minutes) {
                (None, _) => {}
                (Some(_), None) => good.receive.push(index),
                (Some(window), Some(minutes)) => {
                    let spans = Spans::around(now, window, zone, SignedDuration::from_mins(minutes.into()));
                    if spans.open(now) {
                        good.receive.push(index);
                    }
                    changes(spans.changes(now));
                }
            }
        }
        good.send = good.send.or_else(|| self.keys.iter().position(|key| Some(key.id) == self.default_send));
        good
    }
}

impl Window {
    /// Whether both are open at some time. Windows of different forms are taken to be: a keychain has one form.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absolute(a, a_end), Self::Absolute(b, b_end)) => {
                b_end.is_none_or(|end| *a < end) && a_end.is_none_or(|end| *b < end)
            }
            // One of them begins while the other is open: counted from the other's beginning, around midnight.
            (Self::Daily(a, a_end), Self::Daily(b, b_end)) => {
                let after = |from: u16, to: u16| (to + DAY_MINUTES - from) % DAY_MINUTES;
                let length = |from, to| if from == to { DAY_MINUTES } else { after(from, to) };
                after(*a, *b) < length(*a, *a_end) || after(*b, *a) < length(*b, *b_end)
            }
            (Self::Weekly(a), Self::Weekly(b)) => a & b != 0,
            (Self::Monthly(a), Self::Monthly(b)) => a & b != 0,
            (Self::Yearly(a), Self::Yearly(b)) => a & b != 0,
            _ => true,
        }
    }

    /// Whether it never closes again, once it has opened.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        match *self {
            Self::Absolute(_, end) => end.is_none(),
            Self::Daily(from, to) => from == to,
            Self::Weekly(set) => set & WEEK == WEEK,
            Self::Monthly(set) => set & MONTH == MONTH,
            Self::Yearly(set) => set & YEAR == YEAR,
        }
    }
}

#[cfg(test)]
mod tests;
