//! What the thread tells.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use queue::ring::OpenError;

use super::{ListenerId, STRANGERS_MAX};
use crate::frames::Broken;

/// Refusals told in a second, at most; the others are counted.
pub const REFUSED_A_SECOND: u32 = 10;

/// What the thread tells.
#[derive(Clone, Debug)]
pub enum Report {
    /// Whether a listener listens, and where; or why not, and what to do about it.
    Listening(ListenerId, Result<SocketAddr, String>),
    /// A router is connected.
    Up {
        /// What it is called.
        router: Arc<str>,
        /// Its end.
        remote: SocketAddr,
        /// The number of the connection: higher than those before.
        connection: u64,
    },
    /// A router's connection is gone, after [`Report::Up`].
    Down {
        /// What it is called.
        router: Arc<str>,
        /// Its end.
        remote: SocketAddr,
        /// The number of the connection.
        connection: u64,
        /// Why.
        reason: Reason,
    },
    /// Somebody was sent away, or went, before there was a router.
    Refused {
        /// Who.
        remote: SocketAddr,
        /// Why.
        reason: Reason,
        /// Refusals that were not told since the last one that was.
        untold: u64,
    },
}

/// Why there is no connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The router closed it, so many octets into a message.
    Closed {
        /// Octets of a message that is not whole.
        begun: usize,
    },
    /// The kernel says so: the number of the error.
    Receive(i32),
    /// What came is no BMP.
    Broken(Broken),
    /// The router sent a Termination: its reason, and what else it says.
    Terminated {
        /// The number of the reason, if it gave one.
        reason: Option<u16>,
        /// Its text.
        text: String,
    },
    /// The router connected anew, from there.
    Replaced(SocketAddr),
    /// By command.
    Command,
    /// Its address is not permitted, or no more.
    NotPermitted,
    /// No whole message came in so much time.
    Mute(Duration),
    /// So many routers are connected, and no more may be.
    Routers(usize),
    /// So many are connected that have not said who they are.
    Strangers,
    /// Reports find no reader.
    Unheard,
    /// There is no lane for it.
    Lanes(OpenError),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { begun: 0 } => f.write_str("the router closed the connection"),
            Self::Closed { begun } => {
                write!(f, "the router closed the connection {begun} octets into a message")
            }
            Self::Receive(libc::ETIMEDOUT) => f.write_str("the router does not answer: see the way to it"),
            Self::Receive(errno) => write!(f, "receive: {}", io::Error::from_raw_os_error(*errno)),
            Self::Broken(broken) => broken.fmt(f),
            Self::Terminated { reason, text } => {
                f.write_str("the router ended it with a Termination")?;
                if let Some(reason) = reason {
                    write!(f, ", reason {reason}")?;
                }
                if text.is_empty() { Ok(()) } else { write!(f, ": {text}") }
            }
            Self::Replaced(remote) => write!(f, "the router connected anew, from {remote}"),
            Self::Command => f.write_str("by command"),
            Self::NotPermitted => f.write_str("its address is not permitted: permit its prefix"),
            Self::Mute(limit) => write!(f, "no whole message in {} s", limit.as_secs_f64()),
            Self::Routers(max) => {
                write!(f, "{max} routers are connected, and no more may be: raise the limit")
            }
            Self::Strangers => {
                write!(f, "{STRANGERS_MAX} others are connected that have not said who they are")
            }
            Self::Unheard => f.write_str("nobody takes reports"),
            Self::Lanes(OpenError::Closed) => f.write_str("the mirror has ended"),
            Self::Lanes(OpenError::Lanes(max)) => {
                write!(f, "all {max} lanes of the mirror are taken: monitor fewer peers")
            }
        }
    }
}
