//! Whether a connection is worth sending to without a copy.
//!
//! ```text
//!            a large send              nothing was copied
//!   Untried ──────────────► Asked ──────────────────────────► Pays
//!                             │  copied after all, or refused   │
//!                             ╰───────────────► Off ◄───────────╯
//! ```
//!
//! The kernel says with the notification whether it copied: it does on loopback, and on devices that cannot
//! gather, and then the page accounting is all loss (60 % more CPU, measured). So one send asks, and the
//! answer holds for the connection.

use std::cell::Cell;
use std::net::IpAddr;

/// Octets from which a send may go without a copy: below, pinning pages costs more than copying.
pub(super) const ZERO_COPY_MIN: usize = 16 << 10;

/// Notifications a connection may wait for, each of which holds a segment; beyond it sends are plain.
pub(super) const NOTICES_MAX: u32 = 8;

/// When to send without a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ZeroCopy {
    /// Where it pays: what everybody gets.
    Auto,
    /// Always, whatever the size and whatever the kernel says of it: for tests.
    #[cfg(test)]
    Forced,
}

/// What is known about one connection.
pub(super) struct Gauge {
    state: Cell<State>,
    waiting: Cell<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Off,
    Untried,
    Asked,
    Pays,
    #[cfg(test)]
    Forced,
}

impl Gauge {
    /// Of a connection to this server.
    pub(super) fn new(zero_copy: ZeroCopy, server: IpAddr) -> Self {
        let state = match zero_copy {
            #[cfg(test)]
            ZeroCopy::Forced => State::Forced,
            ZeroCopy::Auto if server.to_canonical().is_loopback() => State::Off,
            ZeroCopy::Auto => State::Untried,
        };
        Self { state: Cell::new(state), waiting: Cell::new(0) }
    }

    /// Whether no send will ever go without a copy.
    pub(super) fn is_off(&self) -> bool {
        self.state.get() == State::Off
    }

    /// Whether the next send of so many octets goes without a copy.
    pub(super) fn take(&self, len: usize) -> bool {
        let room = self.waiting.get() < NOTICES_MAX;
        match self.state.get() {
            State::Off | State::Asked => false,
            #[cfg(test)]
            State::Forced => room,
            State::Untried if len >= ZERO_COPY_MIN && room => {
                self.state.set(State::Asked);
                true
            }
            state => state == State::Pays && len >= ZERO_COPY_MIN && room,
        }
    }

    /// The kernel will say when it is done with the octets.
    pub(super) fn promised(&self) {
        self.waiting.set(self.waiting.get() + 1);
    }

    /// It is done, and says whether it copied them.
    pub(super) fn noticed(&self, copied: bool) {
        self.waiting.set(self.waiting.get() - 1);
        match (self.state.get(), copied) {
            (State::Asked | State::Pays, true) => self.state.set(State::Off),
            (State::Asked, false) => self.state.set(State::Pays),
            _ => {}
        }
    }

    /// It cannot do that, for now or for ever.
    pub(super) fn refused(&self) {
        self.state.set(State::Off);
    }
}

#[cfg(test)]
mod tests {
    use super::{Gauge, NOTICES_MAX, ZERO_COPY_MIN, ZeroCopy};

    #[test]
    fn one_send_asks_and_the_answer_holds() {
        let gauge = Gauge::new(ZeroCopy::Auto, [192, 0, 2, 1].into());
        assert!(!gauge.take(ZERO_COPY_MIN - 1));
        assert!(gauge.take(ZERO_COPY_MIN));
        assert!(!gauge.take(ZERO_COPY_MIN), "it has not answered yet");
        gauge.promised();
        gauge.noticed(false);
        for _ in 0..NOTICES_MAX {
            assert!(gauge.take(ZERO_COPY_MIN));
            gauge.promised();
        }
        assert!(!gauge.take(ZERO_COPY_MIN), "too many wait");
        gauge.noticed(false);
        assert!(gauge.take(ZERO_COPY_MIN));
        gauge.noticed(true);
        assert!(!gauge.take(ZERO_COPY_MIN), "it copies");
    }

    #[test]
    fn nobody_asks_on_loopback() {
        for server in ["127.0.0.9", "::1", "::ffff:127.0.0.1"] {
            assert!(!Gauge::new(ZeroCopy::Auto, server.parse().unwrap()).take(1 << 20), "{server}");
        }
    }

    #[test]
    fn a_refusal_holds() {
        let gauge = Gauge::new(ZeroCopy::Auto, [192, 0, 2, 1].into());
        assert!(gauge.take(ZERO_COPY_MIN));
        gauge.refused();
        assert!(!gauge.take(ZERO_COPY_MIN));
    }
}
