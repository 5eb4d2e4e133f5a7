//! What the fleet is told, and what it tells.

use std::fmt;
use std::time::Duration;

use queue::log::Reader;

use super::{ListenerId, SessionId, Settings, Survey, Witness};
use crate::driver::{Ends, Token};
use crate::fault::Fault;
use crate::plan::{Listen, Plan};

/// What the fleet is told.
pub enum Order {
    /// This is how the session's next connection is made, and it should have one: at once if it has none,
    /// else when what it has is gone.
    Open(SessionId, Box<Plan>),
    /// New keys for the connection that stands and those that come, without a reset.
    Rekey(SessionId, Box<Plan>),
    /// When all that came before has been read, read this.
    Read(Token, Source),
    /// The connection ends: with the message in flight and then the farewell, if anything has been sent.
    /// `then` holds for the session even if the connection is another one by now.
    Leave {
        /// Which.
        token: Token,
        /// The last that is sent.
        farewell: Option<Reader>,
        /// What becomes of the session.
        then: Then,
    },
    /// Listen, or change where.
    Listen(ListenerId, Box<Listen>),
    /// Listen no more.
    Unlisten(ListenerId),
    /// Times and limits from now on.
    Settings(Box<Settings>),
    /// Be looked at: called on the writer's thread.
    Survey(Box<dyn FnOnce(&Survey) + Send>),
    /// Who is shown what each send that is completed carried, on the writer's thread.
    Witness(Option<Witness>),
    /// End: connections that are left are reset.
    Stop,
}

/// Where octets come from.
#[derive(Debug)]
pub enum Source {
    /// A piece of a catch-up: it ends.
    Piece(Reader),
    /// A feed's log: it does not. The number is that of the feed.
    Log(u32, Reader),
}

/// What becomes of a session that loses its connection by command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// It connects again at once.
    Again,
    /// It stays without.
    Rest,
    /// It is forgotten; [`Report::Forgotten`] follows.
    Forget,
}

/// What the fleet tells.
#[derive(Debug)]
pub enum Report {
    /// There is a connection, and its server knows nothing.
    Up(Token, Ends),
    /// A piece has been read to its end.
    Took(Token),
    /// What comes next in the log is gone: here is where it stands.
    Fell(Token, Reader),
    /// The connection is gone, after [`Report::Up`].
    Down(Token, Reason),
    /// There was no connection to be had; the next attempt comes after so long.
    Failed(Token, Reason, Duration),
    /// The session is no more, and its number free.
    Forgotten(SessionId),
    /// Whether a listener listens, and where.
    Listening(ListenerId, Result<std::net::SocketAddr, Fault>),
    /// Somebody who is no session's server was sent away.
    Stranger(ListenerId, std::net::SocketAddr),
    /// New keys were refused.
    Unkeyed(SessionId, Fault),
}

/// Why a session has no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The kernel or the server refused.
    Fault(Fault),
    /// Nobody answered in time.
    Unanswered,
    /// The server ended it.
    Ended,
    /// The server took nothing for the stall time.
    Stalled,
    /// The server sent more than anybody needs to.
    Chatty,
    /// The server connected anew.
    Replaced,
    /// By command.
    Command,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Unanswered => f.write_str("no answer in time"),
            Self::Ended => f.write_str("the server closed the connection"),
            Self::Stalled => f.write_str("the server took nothing for the stall time"),
            Self::Chatty => f.write_str("the server sent more than a monitoring server has to say"),
            Self::Replaced => f.write_str("the server connected anew"),
            Self::Command => f.write_str("by command"),
        }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(id, plan) => write!(f, "Open({id:?}, {})", plan.name),
            Self::Rekey(id, _) => write!(f, "Rekey({id:?})"),
            Self::Read(token, source) => write!(f, "Read({token:?}, {source:?})"),
            Self::Leave { token, then, .. } => write!(f, "Leave({token:?}, {then:?})"),
            Self::Listen(id, listen) => write!(f, "Listen({id:?}, {})", listen.address),
            Self::Unlisten(id) => write!(f, "Unlisten({id:?})"),
            Self::Settings(_) => f.write_str("Settings"),
            Self::Survey(_) => f.write_str("Survey"),
            Self::Witness(_) => f.write_str("Witness"),
            Self::Stop => f.write_str("Stop"),
        }
    }
}
