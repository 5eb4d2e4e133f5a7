//! The driver for machines without io_uring, and the loop around it: the plain way, done with care.
//!
//! ```text
//!            ┌──────────────────────────────── busy ────────────────────────────────┐
//!            ▼                                                                      │
//!   orders, reports ─► turn of the fleet ─► flush: accept, recv, send ─► epoll_wait ┘
//!                                           one call a connection        0 if busy, now and then
//! ```
//!
//! * **edges**   a descriptor is registered once, for everything, and for edges. Who may be read or written
//!   is remembered until the kernel says EAGAIN, or takes less than it was given, which is the same.
//! * **one call** a flush makes at most one send and one receive for each connection, and a few accepts for
//!   each listener: so nobody who sends or takes without end keeps the others waiting.
//! * **reset**   a socket is told at its birth that to drop it is to reset it. The kernel does that only to
//!   what both sides have not finished, so whatever way a connection goes, dropping it is right.
//! * **last word** a connection is forgotten when it is closed, or when the event is taken after which there
//!   is none. Events of what is forgotten are not handed out.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use queue::log::Chunk;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags};
use rustix::time::Timespec;
use socket2::SockRef;

use crate::driver::{Driver, Ends, Event, Token};
use crate::fault::{Fault, Step};
use crate::fleet::{Fleet, ListenerId, SessionId, Settings};
use crate::plan::{Auth, Listen, Plan};
use crate::socket;
use crate::thread::Post;

/// How often the kernel is asked for news while there is something to send: often enough for a server
/// that makes room, and far less often than a send is made.
const ASK_EVERY: Duration = Duration::from_micros(100);

/// Edges taken at once, at most.
const EDGES: usize = 512;

/// Connections that a listener accepts in a flush, at most.
const ACCEPTS: usize = 32;

/// How long a listener is left alone that failed to accept: there is no descriptor or memory to be had,
/// and asking again at once would be all we do.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Octets thrown away in a receive, at most.
const HEARD: usize = 64 << 10;

/// Runs a fleet until it is told to stop.
pub(crate) fn run(mut post: Post, settings: Settings, seed: u64) -> io::Result<()> {
    let driver = Epoll::new()?;
    driver.register(post.eventfd(), What::Bell)?;
    let mut fleet = Fleet::new(driver, settings, seed);
    let clock = Instant::now();
    let mut ask_at = Duration::ZERO;
    loop {
        let now = clock.elapsed();
        let moved = post.carry(now, &mut fleet);
        let turn = fleet.turn(now);
        if turn.stopped {
            return Ok(());
        }
        let busy = fleet.driver().flush(now) || moved || turn.busy;
        if busy && now < ask_at {
            continue;
        }
        ask_at = now + ASK_EVERY;
        if !busy && post.lie_down(&fleet) {
            let until = [turn.until, fleet.driver().until()].into_iter().flatten().min();
            let waited = fleet.driver().wait(until.map(|until| until.saturating_sub(clock.elapsed())));
            post.get_up();
            waited?;
        } else {
            fleet.driver().wait(Some(Duration::ZERO))?;
        }
    }
}

/// See the top of the file.
struct Epoll {
    epoll: OwnedFd,
    edges: Vec<epoll::Event>,
    connections: HashMap<Token, Connection>,
    listeners: HashMap<ListenerId, Listener>,
    /// Who has something to send, and room for it.
    outbox: Vec<Token>,
    /// Whose server may have said something, and who was asked in this flush.
    inbox: Vec<Token>,
    asked: Vec<Token>,
    events: VecDeque<Event<OwnedFd>>,
    /// Where what servers say would go. With MSG_TRUNC TCP throws it away and writes nothing; where that is
    /// not so (gVisor), it is written here, and nobody looks.
    heard: Box<[u8]>,
    calls: u64,
}

struct Connection {
    socket: OwnedFd,
    phase: Phase,
    /// What is being sent.
    chunk: Option<Chunk>,
    /// Whether the kernel has room, as far as we know.
    writable: bool,
    /// Whether it is in the inbox.
    readable: bool,
    /// Nothing more is sent after the chunk.
    finishes: bool,
    /// Nothing more is heard.
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Connecting,
    Up,
    /// It failed or broke; the event that says so has not been taken yet.
    Over,
}

struct Listener {
    socket: OwnedFd,
    /// Whether somebody may be waiting.
    ready: bool,
    /// When it may be asked again.
    ask_at: Duration,
}

/// Whom an edge is about, in the 64 bits that the kernel keeps for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Bell,
    Listener(ListenerId),
    Connection(Token),
}

impl What {
    const LISTENER: u64 = 1 << 63;

    fn pack(self) -> EventData {
        EventData::new_u64(match self {
            Self::Bell => u64::MAX,
            Self::Listener(id) => Self::LISTENER | u64::from(id.0),
            // Nobody has two thousand million connections in one life of a program.
            Self::Connection(Token { session, life }) => {
                debug_assert!(life < 1 << 31, "life {life}");
                u64::from(life) << 32 | u64::from(session.0)
            }
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "they are the halves of a word")]
    fn unpack(data: EventData) -> Self {
        let (high, low) = ((data.u64() >> 32) as u32, data.u64() as u32);
        match data.u64() {
            u64::MAX => Self::Bell,
            word if word & Self::LISTENER != 0 => Self::Listener(ListenerId(low)),
            _ => Self::Connection(Token { session: SessionId(low), life: high }),
        }
    }
}

impl Driver for Epoll {
    type Incoming = OwnedFd;

    fn dial(&mut self, token: Token, plan: &Plan, stall: Duration) {
        if let Err(fault) = self.connect(token, plan, stall) {
            self.events.push_back(Event::Failed(token, fault));
        }
    }

    fn adopt(
        &mut self,
        token: Token,
        incoming: OwnedFd,
        plan: &Plan,
        stall: Duration,
    ) -> Result<Ends, Fault> {
        let ends = socket::adopt(incoming.as_fd(), plan, stall)?;
        self.insert(token, incoming, Phase::Up).map_err(|error| Fault::new(Step::Socket, &error))?;
        Ok(ends)
    }

    fn listen(&mut self, id: ListenerId, listen: &Listen) -> Result<SocketAddr, Fault> {
        let fault = |error: io::Error| Fault::new(Step::Socket, &error);
        let socket = socket::listen(listen)?;
        let address = SockRef::from(&socket).local_addr().map_err(fault)?;
        let address = address.as_socket().unwrap_or(listen.address);
        self.register(socket.as_fd(), What::Listener(id)).map_err(fault)?;
        self.listeners.insert(id, Listener { socket, ready: false, ask_at: Duration::ZERO });
        Ok(address)
    }

    fn unlisten(&mut self, id: ListenerId) {
        self.listeners.remove(&id);
    }

    fn key(&mut self, id: ListenerId, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
        match self.listeners.get(&id) {
            Some(listener) => socket::key(listener.socket.as_fd(), server, auth),
            None => Ok(()),
        }
    }

    fn rekey(&mut self, token: Token, plan: &Plan) -> Result<(), Fault> {
        match self.connections.get(&token) {
            Some(connection) => socket::rekey(connection.socket.as_fd(), plan),
            None => Ok(()),
        }
    }

    fn send(&mut self, token: Token, chunk: Chunk) {
        let Some(connection) = self.standing(token) else { return };
        debug_assert!(connection.chunk.is_none(), "*one send*: {token:?}");
        connection.chunk = Some(chunk);
        if connection.writable {
            self.outbox.push(token);
        }
    }

    fn finish(&mut self, token: Token) {
        let Some(connection) = self.standing(token) else { return };
        connection.finishes = true;
        if connection.chunk.is_none() {
            connection.shut();
        }
    }

    fn close(&mut self, token: Token) {
        self.connections.remove(&token);
    }

    fn unacked(&mut self, token: Token) -> u64 {
        self.connections.get(&token).map_or(0, |connection| socket::unacked(connection.socket.as_fd()))
    }

    fn calls(&self) -> u64 {
        self.calls
    }

    fn next_event(&mut self) -> Option<Event<OwnedFd>> {
        loop {
            let event = self.events.pop_front()?;
            let known = match &event {
                Event::Accepted(id, ..) => self.listeners.contains_key(id),
                // It may never have had a socket.
                Event::Failed(token, _) => {
                    self.connections.remove(token);
                    true
                }
                Event::Broke(token, _) => self.connections.remove(token).is_some(),
                Event::Connected(token, _)
                | Event::Sent(token, ..)
                | Event::Heard(token, _)
                | Event::Ended(token) => self.connections.contains_key(token),
            };
            if known {
                return Some(event);
            }
        }
    }
}

impl Epoll {
    fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            edges: Vec::with_capacity(EDGES),
            connections: HashMap::new(),
            listeners: HashMap::new(),
            outbox: Vec::new(),
            inbox: Vec::new(),
            asked: Vec::new(),
            events: VecDeque::new(),
            heard: vec![0; HEARD].into(),
            calls: 0,
        })
    }

    fn register(&self, fd: BorrowedFd<'_>, what: What) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::ET;
        let flags = match what {
            What::Bell | What::Listener(_) => flags,
            What::Connection(_) => flags | EventFlags::OUT | EventFlags::RDHUP,
        };
        Ok(epoll::add(&self.epoll, fd, what.pack(), flags)?)
    }

    fn connect(&mut self, token: Token, plan: &Plan, stall: Duration) -> Result<(), Fault> {
        let (socket, remote) = socket::open(plan, stall)?;
        let fault = |error: io::Error| Fault::new(Step::Connect, &error);
        match rustix::net::connect(&socket, &remote) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(fault(errno.into())),
        }
        socket::reset_on_close(socket.as_fd());
        self.insert(token, socket, Phase::Connecting).map_err(fault)
    }

    fn insert(&mut self, token: Token, socket: OwnedFd, phase: Phase) -> io::Result<()> {
        // Registered after connect: before it, a socket counts as one that hung up.
        self.register(socket.as_fd(), What::Connection(token))?;
        let connection = Connection {
            socket,
            phase,
            chunk: None,
            writable: phase == Phase::Up,
            readable: false,
            finishes: false,
            ended: false,
        };
        self.connections.insert(token, connection);
        Ok(())
    }

    fn standing(&mut self, token: Token) -> Option<&mut Connection> {
        self.connections.get_mut(&token).filter(|connection| connection.phase == Phase::Up)
    }

    /// Makes the calls that are due (*one call*); whether there is more to do than to wait.
    fn flush(&mut self, now: Duration) -> bool {
        self.accept(now);
        self.receive();
        self.transmit();
        let waiting = |listener: &Listener| listener.ready && listener.ask_at <= now;
        !self.events.is_empty() || !self.inbox.is_empty() || self.listeners.values().any(waiting)
    }

    /// When a flush is due though nothing happens.
    fn until(&self) -> Option<Duration> {
        self.listeners.values().filter(|listener| listener.ready).map(|listener| listener.ask_at).min()
    }

    fn accept(&mut self, now: Duration) {
        for (&id, listener) in &mut self.listeners {
            if !listener.ready || now < listener.ask_at {
                continue;
            }
            for _ in 0..ACCEPTS {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                match rustix::net::acceptfrom_with(&listener.socket, flags) {
                    Ok((socket, address)) => {
                        socket::reset_on_close(socket.as_fd());
                        let Some(address) = address.and_then(|address| address.try_into().ok()) else {
                            continue;
                        };
                        self.events.push_back(Event::Accepted(id, socket::plain(address), socket));
                    }
                    Err(Errno::AGAIN) => {
                        listener.ready = false;
                        break;
                    }
                    // Most of them are one connection's trouble, but none of them may make us spin.
                    Err(_) => {
                        listener.ask_at = now + ACCEPT_PAUSE;
                        break;
                    }
                }
            }
        }
    }

    fn receive(&mut self) {
        std::mem::swap(&mut self.inbox, &mut self.asked);
        for token in self.asked.drain(..) {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            if connection.phase != Phase::Up {
                continue;
            }
            connection.readable = false;
            let broke = |connection: &mut Connection, error: &io::Error| {
                connection.phase = Phase::Over;
                connection.chunk = None;
                Event::Broke(token, Fault::new(Step::Receive, error))
            };
            if connection.ended {
                // Nothing is heard any more, not even that it broke.
                if let Ok(Some(error)) = SockRef::from(&connection.socket).take_error() {
                    self.events.push_back(broke(connection, &error));
                }
                continue;
            }
            self.events.push_back(
                match rustix::net::recv(&connection.socket, &mut *self.heard, RecvFlags::TRUNC) {
                    Ok((_, 0)) => {
                        connection.ended = true;
                        Event::Ended(token)
                    }
                    Ok((_, len)) => {
                        connection.readable = true;
                        self.inbox.push(token);
                        Event::Heard(token, len)
                    }
                    Err(Errno::AGAIN) => continue,
                    Err(errno) => broke(connection, &errno.into()),
                },
            );
        }
    }

    fn transmit(&mut self) {
        for token in self.outbox.drain(..) {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            let Some(chunk) = connection.chunk.take() else { continue };
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            self.calls += 1;
            match rustix::net::send(&connection.socket, &chunk, flags) {
                Ok(len) => {
                    connection.writable = len == chunk.len();
                    if connection.finishes {
                        connection.shut();
                    }
                    self.events.push_back(Event::Sent(token, chunk, len));
                }
                Err(Errno::AGAIN) => {
                    connection.writable = false;
                    connection.chunk = Some(chunk);
                }
                Err(errno) => {
                    connection.phase = Phase::Over;
                    self.events.push_back(Event::Broke(token, Fault::new(Step::Send, &errno.into())));
                }
            }
        }
    }

    /// Waits for the kernel's news, and takes note of them.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.calls += 1;
        // What a `Timespec` cannot hold is for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match epoll::wait(&self.epoll, spare_capacity(&mut self.edges), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut edges = std::mem::take(&mut self.edges);
        for edge in edges.drain(..) {
            match What::unpack(edge.data) {
                // To wake is all it is for, and the next ring is an edge whether this one is read or not.
                What::Bell => {}
                What::Listener(id) => {
                    if let Some(listener) = self.listeners.get_mut(&id) {
                        listener.ready = true;
                    }
                }
                What::Connection(token) => self.edge(token, edge.flags),
            }
        }
        self.edges = edges;
        Ok(())
    }

    fn edge(&mut self, token: Token, flags: EventFlags) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        if connection.phase == Phase::Connecting {
            match socket::connected(connection.socket.as_fd()) {
                None => return,
                Some(Ok(ends)) => {
                    connection.phase = Phase::Up;
                    self.events.push_back(Event::Connected(token, ends));
                }
                Some(Err(error)) => {
                    connection.phase = Phase::Over;
                    self.events.push_back(Event::Failed(token, Fault::new(Step::Connect, &error)));
                    return;
                }
            }
        }
        if flags.contains(EventFlags::OUT) && !connection.writable {
            connection.writable = true;
            if connection.chunk.is_some() {
                self.outbox.push(token);
            }
        }
        // All but room: octets, an end, an error.
        if !(flags - EventFlags::OUT).is_empty() && !connection.readable {
            connection.readable = true;
            self.inbox.push(token);
        }
    }
}

impl Connection {
    /// The server is told that no more comes. If the kernel refuses, it has told it worse.
    fn shut(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
    }
}

#[cfg(test)]
mod tests;
