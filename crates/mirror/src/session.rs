//! A connection to one server, and what mode it is in.
//!
//! ```text
//!              Connected              CaughtUp
//!     ┌─ Away ───────────► Catching ◄─────────► Live ─┐
//!     │    ▲                  │  │      Fell      │   │ Close
//!     │    └──── Lost ────────┴──│────────────────┘   │
//!     │                          └─────────► Leaving ◄┘
//!     └── Close: Leaving is where nothing is to be said ──► Lost: Away
//! ```

use crate::catch_up::CatchUp;
use crate::{FeedId, RouterId};

/// What a session is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// There is no connection.
    Away,
    /// It is told what it does not know yet.
    Catching,
    /// It reads its feed's log.
    Live,
    /// It is told that we leave, and then nothing.
    Leaving,
}

/// What happens to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A connection: the server knows nothing.
    Connected,
    /// The server knows all, and its feed's log has the rest.
    CaughtUp,
    /// It was too slow for the log.
    Fell,
    /// The connection is gone.
    Lost,
    /// We leave.
    Close,
}

impl Mode {
    /// What comes after an event; `None` is a bug in the caller.
    pub(crate) const fn next(self, event: Event) -> Option<Self> {
        use Event::{CaughtUp, Close, Connected, Fell, Lost};
        use Mode::{Away, Catching, Leaving, Live};
        Some(match (self, event) {
            (Away, Connected) | (Live, Fell) => Catching,
            (Catching, CaughtUp) => Live,
            (Catching | Live, Close) => Leaving,
            (Catching | Live | Leaving, Lost) => Away,
            _ => return None,
        })
    }
}

pub(crate) struct Session {
    pub(crate) router: RouterId,
    pub(crate) feed: FeedId,
    pub(crate) mode: Mode,
    /// While it is caught up.
    pub(crate) catch_up: Option<Box<CatchUp>>,
}

impl Session {
    /// Steps through the table.
    pub(crate) fn on(&mut self, event: Event) {
        let next = self.mode.next(event);
        let Some(next) = next else { panic!("a session that is {:?} cannot be {event:?}", self.mode) };
        self.mode = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: a changed arrow is a changed line.
    #[test]
    fn arrows() {
        use Event::{CaughtUp, Close, Connected, Fell, Lost};
        let mut table = String::new();
        for mode in [Mode::Away, Mode::Catching, Mode::Live, Mode::Leaving] {
            for event in [Connected, CaughtUp, Fell, Lost, Close] {
                if let Some(next) = mode.next(event) {
                    table += &format!("{mode:?} {event:?} {next:?}\n");
                }
            }
        }
        let want = "\
            Away Connected Catching\n\
            Catching CaughtUp Live\n\
            Catching Lost Away\n\
            Catching Close Leaving\n\
            Live Fell Catching\n\
            Live Lost Away\n\
            Live Close Leaving\n\
            Leaving Lost Away\n";
        assert_eq!(table, want);
    }
}
