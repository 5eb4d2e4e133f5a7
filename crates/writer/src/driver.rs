//! The door between the fleet, which decides, and what moves octets: a ring, an epoll, or a twin in memory.
//!
//! ```text
//!            dial, adopt, send, finish, close ►
//!   Fleet                                        Driver ──► kernel
//!            ◄ next_event
//! ```
//!
//! * **later**     no call waits, and none answers at once what the network says: that comes as an event.
//!   What is sent moves when whoever runs the driver flushes it, so a turn of the fleet ends.
//! * **one send**  a connection has at most one send in flight. It holds its [`Chunk`] until the kernel is
//!   done with it, and gives it back with [`Event::Sent`]; after a close the driver holds it alone.
//! * **named**     a [`Token`] names one connection for ever. What comes of one that was closed is dropped by
//!   the driver if it can tell, and by the fleet in any case.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use queue::log::Chunk;

use crate::fault::Fault;
use crate::fleet::{ListenerId, SessionId};
use crate::plan::{Auth, Listen, Plan};

/// One connection: whose, and how many it had before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token {
    /// Whose.
    pub session: SessionId,
    /// Counts the session's attempts to connect, and what it accepted.
    pub life: u32,
}

/// The two ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The server's.
    pub remote: SocketAddr,
}

/// What moves octets.
pub trait Driver {
    /// A connection that nobody has taken yet. Dropping it resets it.
    type Incoming;

    /// Makes a socket and begins to connect it: [`Event::Connected`] or [`Event::Failed`] follows, the
    /// latter also for what is wrong with the plan. `stall` is how long the kernel may try in vain.
    fn dial(&mut self, token: Token, plan: &Plan, stall: Duration);

    /// Takes what a listener accepted; from here on it is like one that was dialled and connected.
    ///
    /// # Errors
    /// An option of the plan was refused. The connection is gone.
    fn adopt(
        &mut self,
        token: Token,
        incoming: Self::Incoming,
        plan: &Plan,
        stall: Duration,
    ) -> Result<Ends, Fault>;

    /// Listens; [`Event::Accepted`] may follow any number of times. Gives the address with its port.
    ///
    /// # Errors
    /// There can be no such socket.
    fn listen(&mut self, id: ListenerId, listen: &Listen) -> Result<SocketAddr, Fault>;

    /// Listens no more.
    fn unlisten(&mut self, id: ListenerId);

    /// What connections from `server` to a listener must be signed with from now on.
    ///
    /// # Errors
    /// The kernel cannot do that.
    fn key(&mut self, id: ListenerId, server: IpAddr, auth: &Auth) -> Result<(), Fault>;

    /// Changes the keys of a connection that stands, without a reset.
    ///
    /// # Errors
    /// The kernel cannot do that; the keys are as they were.
    fn rekey(&mut self, token: Token, plan: &Plan) -> Result<(), Fault>;

    /// Sends, from the next flush on; [`Event::Sent`] or [`Event::Broke`] follows.
    fn send(&mut self, token: Token, chunk: Chunk);

    /// Nothing more will be sent: the server is told when it has all that was.
    fn finish(&mut self, token: Token);

    /// The connection is over, by a reset if it has not been finished by both sides. No event follows.
    fn close(&mut self, token: Token);

    /// Octets that the kernel has and the server has not acknowledged.
    fn unacked(&mut self, token: Token) -> u64;

    /// System calls it has made to send and to wait: a figure.
    fn calls(&self) -> u64 {
        0
    }

    /// What has happened, in the order in which it did for each connection.
    fn next_event(&mut self) -> Option<Event<Self::Incoming>>;
}

/// What has happened.
#[derive(Debug)]
pub enum Event<I> {
    /// A connection stands.
    Connected(Token, Ends),
    /// There will be none.
    Failed(Token, Fault),
    /// Somebody connected to a listener.
    Accepted(ListenerId, SocketAddr, I),
    /// The kernel took so many of the chunk's octets, at least one.
    Sent(Token, Chunk, usize),
    /// The server sent so many octets, which are gone.
    Heard(Token, usize),
    /// The server sends no more.
    Ended(Token),
    /// The connection broke.
    Broke(Token, Fault),
}
