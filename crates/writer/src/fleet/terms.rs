//! Times and limits of a fleet, and what is to be seen of it.

use std::sync::Arc;
use std::time::Duration;

use queue::log::SEGMENT_LEN;

use super::{Reason, SessionId, Spot, State};
use crate::driver::Ends;

/// Times and limits. Times of the fleet count from whenever its caller's clock began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Octets of a send at most, except for a message that is longer.
    pub cap: usize,
    /// How long a session waits after its first attempt that failed (RFC 7854 §3.2).
    pub retry_min: Duration,
    /// How long at most, doubling with each further one.
    pub retry_max: Duration,
    /// How long a server may take to answer.
    pub connect_limit: Duration,
    /// How long a server may take nothing.
    pub stall_limit: Duration,
    /// How long a server may take for the rest when we leave.
    pub drain_limit: Duration,
    /// Octets that a server may send on one connection.
    pub chatter_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cap: SEGMENT_LEN,
            retry_min: Duration::from_secs(30),
            retry_max: Duration::from_secs(720),
            connect_limit: Duration::from_secs(10),
            stall_limit: Duration::from_secs(300),
            drain_limit: Duration::from_secs(3),
            chatter_max: 64 << 10,
        }
    }
}

/// What is to be seen of a writer.
#[derive(Clone, Debug)]
pub struct Survey {
    /// When that was, by the fleet's clock.
    pub now: Duration,
    /// Each session.
    pub sessions: Vec<Status>,
    /// System calls that the driver has made to send and to wait.
    pub calls: u64,
}

/// Where a session stands, for people.
#[derive(Clone, Debug)]
pub struct Status {
    /// Which.
    pub id: SessionId,
    /// What people call it.
    pub name: Arc<str>,
    /// In its life.
    pub state: State,
    /// Since when.
    pub since: Duration,
    /// Its connection's two ends, if it has one.
    pub ends: Option<Ends>,
    /// Why it lost the last connection, or could not have one.
    pub reason: Option<Reason>,
    /// When it tries again, if it waits.
    pub retry_at: Option<Duration>,
    /// Connections it has had.
    pub connections: u64,
    /// Times it fell off its log.
    pub falls: u64,
    /// Octets the kernel took, over all connections.
    pub octets: u64,
    /// Sends that were completed.
    pub sends: u64,
    /// Octets that its readers have and the kernel has not.
    pub lag: u64,
    /// Where it stands in its feed's log, if it reads it.
    pub spot: Option<Spot>,
}

/// What a turn leaves to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Whether anything was done.
    pub busy: bool,
    /// When the next one is due at the latest, if nothing happens before.
    pub until: Option<Duration>,
    /// Whether it was told to stop, and has.
    pub stopped: bool,
}
