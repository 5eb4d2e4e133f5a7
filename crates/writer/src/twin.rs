//! A driver without a kernel: servers in memory that do, from a seed or as they are told, what servers do.
//!
//! ```text
//!   Fleet ── send ──► in flight ──► kernel's window ──► server's octets      Life: who got what, and when
//!     ▲               1..=n of it   1..=window of it    1..=bite at a time
//!     ╰─ next_event ◄── held back, by delay_max ◄── Sent, Connected, Ended, Broke …
//!     ╰┈ step says "wake" ┈┈ late, by late_max: a turn must not count on being called for each event
//! ```
//!
//! * **no clock**  time comes in with [`Twin::step`] and only goes forward; what lies between two steps
//!   happens in its order. [`Twin::next`] says when the next thing does.
//! * **one seed**  the same seed and the same calls give the same events.
//! * **in order**  what a connection tells comes in the order in which it happened, never within the call
//!   or the turn that brought it about, but in a later step.
//! * **a prefix**  what a server has is the beginning of what the kernel took, and that of what was sent. A
//!   reset, by whichever side, loses what is in the window and in flight.
//! * **strict**    a fleet that breaks a rule of [`driver`](crate::driver) is stopped by a panic: see each call.
//!
//! ```
//! use std::time::Duration;
//!
//! use writer::driver::{Driver, Event};
//! use writer::fleet::SessionId;
//! use writer::{driver::Token, plan::Plan, twin::{self, Twin}};
//!
//! let mut twin = Twin::new(7, twin::Temper::default());
//! let token = Token { session: SessionId(0), life: 0 };
//! twin.dial(token, &Plan::new("s0", "192.0.2.7:5000".parse().unwrap()), Duration::from_secs(9));
//! twin.step(Duration::from_secs(1));
//! assert!(matches!(twin.next_event(), Some(Event::Connected(_, ends)) if ends.remote.port() == 5000));
//! assert_eq!(twin.life(token).unwrap().octets, b"");
//! ```

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use queue::log::Chunk;

use crate::dice::Dice;
use crate::driver::{Driver, Ends, Event, Token};
use crate::fault::{Fault, Step};
use crate::fleet::{ListenerId, SessionId};
use crate::plan::{Auth, Listen, Plan, Way};

/// How the machine and the network are.
#[derive(Clone, Debug, Default)]
pub struct Temper {
    /// Each event is held back for so long at most.
    pub delay_max: Duration,
    /// How many of a thousand events wake nobody when they come.
    pub lost: u32,
    /// But only so much later, at most, if nothing else does.
    pub late_max: Duration,
    /// After a close the kernel has what was in flight for so long at most.
    pub hold_max: Duration,
    /// How many of a thousand events that stand when their connection is closed come all the same.
    pub stale: u32,
    /// How many of a thousand calls that can be refused at once are.
    pub refused: u32,
}

/// How a server is. It may change at any time, for what stands and what comes.
#[derive(Clone, Debug)]
pub struct Manner {
    /// What it says to who dials.
    pub answer: Answer,
    /// Octets that the kernel takes for it before it has read them.
    pub window: usize,
    /// Octets that it reads at once, at most. 0: it stalls.
    pub bite: usize,
    /// Between two bites, at most.
    pub pause: Duration,
    /// Whether it closes when we have.
    pub ends_back: bool,
    /// It resets each connection that has brought it so many octets.
    pub reset_after: Option<usize>,
    /// Of a thousand moments of a connection, a pause each: in how many it resets it.
    pub resets: u32,
    /// In how many it ends it.
    pub ends: u32,
    /// In how many it talks.
    pub talks: u32,
}

/// What a server says to who dials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Yes.
    Accept,
    /// No.
    Refuse,
    /// Nothing; it is asked again every second.
    Silence,
}

impl Default for Manner {
    /// Takes all, at once.
    fn default() -> Self {
        Self {
            answer: Answer::Accept,
            window: 64 << 10,
            bite: 64 << 10,
            pause: Duration::from_millis(1),
            ends_back: true,
            reset_after: None,
            resets: 0,
            ends: 0,
            talks: 0,
        }
    }
}

/// What became of a connection. Times are the steps' at which the fleet did or was told something.
#[derive(Clone, Debug)]
pub struct Life {
    /// None: it came to a listener, and nobody has taken it.
    pub token: Option<Token>,
    /// Who is at its other end.
    pub server: IpAddr,
    /// What the server has got.
    pub octets: Vec<u8>,
    /// How many the kernel has taken.
    pub taken: usize,
    /// How many of these the fleet was told of before it closed.
    pub told: u64,
    /// Whether we dialled; else it came.
    pub dialled: bool,
    /// When it was dialled, or came.
    pub begun_at: Duration,
    /// When the fleet was told of it, or took it.
    pub connected_at: Option<Duration>,
    /// When the fleet last sent, or was told that some of it was taken.
    pub moved_at: Duration,
    /// When the server last read something.
    pub read_at: Duration,
    /// When the fleet last sent while nothing was left for the server to read.
    pub owed_at: Duration,
    /// When the fleet had nothing more to send.
    pub finished_at: Option<Duration>,
    /// Whether the server got all that was sent, and then that this is the end.
    pub whole: bool,
    /// Whether the server said that it sends no more.
    pub ended: bool,
    /// Whether the server reset it, or the kernel gave up.
    pub reset: bool,
    /// When the fleet closed it, or was told that there is none.
    pub closed_at: Option<Duration>,
    /// How many octets the server sent.
    pub said: u64,
    /// How often its keys changed.
    pub rekeys: u32,
}

/// See the top of the file.
pub struct Twin {
    now: Duration,
    dice: Dice,
    temper: Temper,
    manners: BTreeMap<IpAddr, Manner>,
    links: Vec<Link>,
    /// Of `links`, those that are not over.
    alive: Vec<usize>,
    by_token: HashMap<Token, usize>,
    lives: HashMap<SessionId, u32>,
    listeners: BTreeMap<ListenerId, SocketAddr>,
    keys: BTreeMap<(ListenerId, IpAddr), Auth>,
    /// By when they come.
    held: VecDeque<Held>,
    /// What the kernel still has of connections that are closed.
    kernel: Vec<(Duration, Chunk)>,
    ports: u16,
    trace: bool,
}

/// An event, when it comes and when somebody is woken for it.
struct Held {
    due: Duration,
    wake: Duration,
    link: usize,
    event: Event<Incoming>,
}

/// One connection.
struct Link {
    phase: Phase,
    life: Life,
    ends: Ends,
    window: VecDeque<u8>,
    flying: Option<Chunk>,
    /// Until when the kernel has patience with a server that takes nothing, from when it last took.
    stall: Duration,
    /// When it does its next thing, if there is one.
    next: Option<Duration>,
    /// When its last event comes: the next one does not before.
    last_due: Duration,
    /// Whether the fleet was told of the end, by `Broke` or `Failed`.
    broken: bool,
    /// While nobody has taken it: whether it was dropped.
    dropped: Rc<Cell<bool>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Dialing,
    /// Accepted by the kernel.
    Offered,
    Standing,
    /// Reset by the server, or timed out; not yet closed by the fleet.
    Broken,
    Over,
}

/// A connection that came to a listener.
#[derive(Debug)]
pub struct Incoming {
    link: usize,
    dropped: Rc<Cell<bool>>,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

impl Link {
    /// When the kernel gives up. A while after we would: it counts from what was sent last.
    fn patience(&self) -> Duration {
        self.life.read_at.max(self.life.owed_at).saturating_add(self.stall)
    }
}

/// What tests do.
impl Twin {
    /// Nobody is connected; all servers have the default manner.
    #[must_use]
    pub fn new(seed: u64, temper: Temper) -> Self {
        Self {
            now: Duration::ZERO,
            dice: Dice(seed),
            temper,
            manners: BTreeMap::new(),
            links: Vec::new(),
            alive: Vec::new(),
            by_token: HashMap::new(),
            lives: HashMap::new(),
            listeners: BTreeMap::new(),
            keys: BTreeMap::new(),
            held: VecDeque::new(),
            kernel: Vec::new(),
            ports: 1024,
            trace: false,
        }
    }

    /// Lets all happen until `now`: a flush and a wait. Whether the fleet is woken.
    ///
    /// # Panics
    /// If time goes backwards.
    pub fn step(&mut self, now: Duration) -> bool {
        assert!(now >= self.now, "{now:?} after {:?}", self.now);
        loop {
            self.drop_incoming();
            let next = self.alive.iter().filter_map(|&at| Some((self.links[at].next?, at))).min();
            let Some((time, at)) = next.filter(|(time, _)| *time <= now) else { break };
            self.now = self.now.max(time);
            self.links[at].next = None;
            self.moment(at);
        }
        self.now = now;
        self.kernel.retain(|(until, _)| *until > now);
        self.held.iter().any(|held| held.wake <= now)
    }

    /// When a step has something to do, or somebody to wake, if nothing else happens.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        let links = self.alive.iter().filter_map(|&at| self.links[at].next);
        let events = self.held.iter().map(|held| if held.due > self.now { held.due } else { held.wake });
        links.chain(events).chain(self.kernel.iter().map(|(until, _)| *until)).min()
    }

    /// How the machine is from now on.
    pub fn set_temper(&mut self, temper: Temper) {
        self.temper = temper;
    }

    /// How a server is from now on.
    pub fn set_manner(&mut self, server: IpAddr, manner: Manner) {
        self.manners.insert(server, manner);
        for at in self.alive_of(server) {
            self.wind(at);
        }
    }

    /// How a server is.
    #[must_use]
    pub fn manner(&self, server: IpAddr) -> Manner {
        self.manners.get(&server).cloned().unwrap_or_default()
    }

    /// A server resets all its connections.
    pub fn reset(&mut self, server: IpAddr) {
        for at in self.alive_of(server) {
            self.break_off(at, libc::ECONNRESET);
        }
    }

    /// A server sends no more on any of its connections; it reads on.
    pub fn end(&mut self, server: IpAddr) {
        for at in self.alive_of(server) {
            self.end_link(at);
        }
    }

    /// A server sends octets on all its connections.
    pub fn say(&mut self, server: IpAddr, octets: usize) {
        for at in self.alive_of(server) {
            self.say_link(at, octets);
        }
    }

    /// A server connects to a listener; whether anybody listens.
    pub fn knock(&mut self, server: IpAddr, listener: ListenerId) -> bool {
        let Some(local) = self.listeners.get(&listener).copied() else { return false };
        let at = self.link(None, server, 0, Duration::MAX);
        let link = &mut self.links[at];
        (link.phase, link.ends.local) = (Phase::Offered, local);
        let (remote, dropped) = (link.ends.remote, link.dropped.clone());
        self.emit(at, Event::Accepted(listener, remote, Incoming { link: at, dropped }));
        self.wind(at);
        true
    }

    /// All connections there ever were, in the order in which they began.
    pub fn lives(&self) -> impl Iterator<Item = &Life> {
        self.links.iter().map(|link| &link.life)
    }

    /// One of them.
    #[must_use]
    pub fn life(&self, token: Token) -> Option<&Life> {
        Some(&self.links[*self.by_token.get(&token)?].life)
    }

    /// What the server of a connection has got since this was last asked, for whoever reads all of it.
    pub fn take(&mut self, token: Token) -> Vec<u8> {
        let link = self.by_token.get(&token).map(|&at| &mut self.links[at]);
        link.map_or_else(Vec::new, |link| mem::take(&mut link.life.octets))
    }

    /// Connections that the fleet holds: dialled or taken, and not closed.
    pub fn held(&self) -> impl Iterator<Item = Token> {
        let held = self.alive.iter().map(|&at| &self.links[at]);
        held.filter(|link| link.phase != Phase::Over).filter_map(|link| link.life.token)
    }

    /// Sends whose octets the kernel still has.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.kernel.len() + self.alive.iter().filter(|&&at| self.links[at].flying.is_some()).count()
    }

    /// Where a listener listens.
    #[must_use]
    pub fn listening(&self, listener: ListenerId) -> Option<SocketAddr> {
        self.listeners.get(&listener).copied()
    }

    /// How listeners want connections to be signed, where they do.
    #[must_use]
    pub fn keys(&self) -> &BTreeMap<(ListenerId, IpAddr), Auth> {
        &self.keys
    }

    /// Says on standard error what is called and what happens, from now on.
    pub fn trace(&mut self) {
        self.trace = true;
    }
}

/// What happens.
impl Twin {
    /// A connection does its next thing.
    fn moment(&mut self, at: usize) {
        let manner = self.manner(self.links[at].life.server);
        match self.links[at].phase {
            Phase::Dialing => self.answer(at, &manner),
            Phase::Standing | Phase::Offered => self.flow(at, &manner),
            Phase::Broken | Phase::Over => return,
        }
        self.wind(at);
    }

    fn answer(&mut self, at: usize, manner: &Manner) {
        let Some(token) = self.links[at].life.token else { return };
        match manner.answer {
            Answer::Accept => {
                let link = &mut self.links[at];
                (link.phase, link.life.read_at) = (Phase::Standing, self.now);
                let ends = link.ends;
                self.emit(at, Event::Connected(token, ends));
            }
            Answer::Refuse => self.break_off(at, libc::ECONNREFUSED),
            Answer::Silence => {}
        }
    }

    fn flow(&mut self, at: usize, manner: &Manner) {
        let now = self.now;
        // The kernel gives up.
        let link = &mut self.links[at];
        if !link.window.is_empty() && now >= link.patience() {
            return self.break_off(at, libc::ETIMEDOUT);
        }
        // It takes what there is room for,
        let room = manner.window.max(1).saturating_sub(link.window.len());
        if room > 0
            && let Some(chunk) = link.flying.take()
        {
            let taken = 1 + self.dice.below(chunk.len().min(room));
            link.window.extend(&chunk[..taken]);
            link.life.taken += taken;
            let token = link.life.token.expect("who sends has one");
            self.emit(at, Event::Sent(token, chunk, taken));
        }
        // the server reads it,
        let link = &mut self.links[at];
        let most = link.window.len().min(manner.bite);
        if most > 0 {
            let mut bite = 1 + self.dice.below(most);
            let got = link.life.octets.len();
            if let Some(limit) = manner.reset_after.filter(|limit| got + bite >= *limit) {
                bite = limit.saturating_sub(got).min(bite);
                link.life.octets.extend(link.window.drain(..bite));
                return self.break_off(at, libc::ECONNRESET);
            }
            link.life.octets.extend(link.window.drain(..bite));
            link.life.read_at = now;
        }
        // hears that this is all,
        if link.life.finished_at.is_some() && link.window.is_empty() && !link.life.whole {
            link.life.whole = true;
            if manner.ends_back {
                self.end_link(at);
            }
        }
        // and does what it likes.
        if self.dice.hits(manner.resets) {
            self.break_off(at, libc::ECONNRESET);
        } else if self.dice.hits(manner.ends) {
            self.end_link(at);
        } else if self.dice.hits(manner.talks) {
            let octets = 1 + self.dice.below(1000);
            self.say_link(at, octets);
        }
    }

    /// Says when the connection does its next thing.
    fn wind(&mut self, at: usize) {
        let link = &self.links[at];
        let manner = self.manner(link.life.server);
        let room = link.window.len() < manner.window.max(1);
        let restless = manner.resets + manner.ends + manner.talks > 0;
        let moves = link.flying.is_some() && room
            || !link.window.is_empty() && manner.bite > 0
            || link.life.finished_at.is_some() && link.window.is_empty() && !link.life.whole
            || restless;
        // Time goes on even where there is no pause, and a server's whims are counted by the millisecond.
        let least = if restless { Duration::from_millis(1) } else { Duration::from_micros(1) };
        let soon = self.now + least.max(self.dice.time(manner.pause));
        let link = &mut self.links[at];
        link.next = match link.phase {
            Phase::Dialing if manner.answer == Answer::Silence => Some(self.now + Duration::from_secs(1)),
            Phase::Dialing => Some(soon),
            Phase::Standing | Phase::Offered if moves => Some(soon),
            Phase::Standing if !link.window.is_empty() => Some(link.patience().max(self.now)),
            _ => None,
        };
    }

    fn end_link(&mut self, at: usize) {
        let link = &mut self.links[at];
        if !link.life.ended && matches!(link.phase, Phase::Standing | Phase::Offered) {
            link.life.ended = true;
            if let Some(token) = link.life.token {
                self.emit(at, Event::Ended(token));
            }
        }
    }

    fn say_link(&mut self, at: usize, octets: usize) {
        let link = &mut self.links[at];
        if octets > 0 && !link.life.ended && matches!(link.phase, Phase::Standing | Phase::Offered) {
            link.life.said += octets as u64;
            if let Some(token) = link.life.token {
                self.emit(at, Event::Heard(token, octets));
            }
        }
    }

    /// A connection, or the attempt at one, breaks.
    fn break_off(&mut self, at: usize, errno: i32) {
        let link = &mut self.links[at];
        let before = mem::replace(&mut link.phase, Phase::Broken);
        link.life.reset |= matches!(before, Phase::Standing | Phase::Offered);
        link.window.clear();
        link.next = None;
        let token = link.life.token;
        match (before, token) {
            (Phase::Dialing, Some(token)) => {
                self.emit(at, Event::Failed(token, Fault { step: Step::Connect, errno }));
            }
            (Phase::Standing, Some(token)) => {
                let step = if self.links[at].flying.is_some() { Step::Send } else { Step::Receive };
                self.emit(at, Event::Broke(token, Fault { step, errno }));
                self.keep_flying(at);
            }
            // Whoever takes it will hear of it.
            (Phase::Offered, _) => {}
            (before, _) => self.links[at].phase = before,
        }
    }

    /// The kernel has what was in flight for a while yet.
    fn keep_flying(&mut self, at: usize) {
        if let Some(chunk) = self.links[at].flying.take() {
            let until = self.now + self.dice.time(self.temper.hold_max);
            self.kernel.push((until, chunk));
        }
    }

    /// *in order*: holds an event back.
    fn emit(&mut self, at: usize, event: Event<Incoming>) {
        let link = &mut self.links[at];
        let due =
            link.last_due.max(self.now + Duration::from_nanos(1) + self.dice.time(self.temper.delay_max));
        link.last_due = due;
        let lost = self.dice.hits(self.temper.lost);
        let wake = if lost { due + self.dice.time(self.temper.late_max) } else { due };
        // Not before what has been handed out in this instant: `next_event` wants a later step.
        let place = self.held.partition_point(|held| held.due <= due);
        self.held.insert(place, Held { due, wake, link: at, event });
    }

    fn drop_incoming(&mut self) {
        let Self { links, now, .. } = self;
        self.alive.retain(|&at| {
            let link = &mut links[at];
            if link.life.token.is_none() && link.dropped.get() {
                link.phase = Phase::Over;
                link.life.closed_at.get_or_insert(*now);
            }
            link.phase != Phase::Over
        });
    }

    fn alive_of(&self, server: IpAddr) -> Vec<usize> {
        self.alive.iter().copied().filter(|&at| self.links[at].life.server == server).collect()
    }

    fn link(&mut self, token: Option<Token>, server: IpAddr, port: u16, stall: Duration) -> usize {
        let at = self.links.len();
        let stall = stall.saturating_add(self.dice.time(stall.min(Duration::from_secs(3600))));
        self.ports = self.ports.checked_add(1).unwrap_or(1024);
        let ours = SocketAddr::new(Ipv4Addr::new(198, 51, 100, 1).into(), self.ports);
        let remote = SocketAddr::new(server, if port == 0 { self.ports } else { port });
        let life = Life {
            token,
            server,
            octets: Vec::new(),
            taken: 0,
            told: 0,
            dialled: token.is_some(),
            begun_at: self.now,
            connected_at: None,
            moved_at: self.now,
            read_at: self.now,
            owed_at: self.now,
            finished_at: None,
            whole: false,
            ended: false,
            reset: false,
            closed_at: None,
            said: 0,
            rekeys: 0,
        };
        self.links.push(Link {
            phase: Phase::Dialing,
            life,
            ends: Ends { local: ours, remote },
            window: VecDeque::new(),
            flying: None,
            stall,
            next: None,
            last_due: self.now,
            broken: false,
            dropped: Rc::default(),
        });
        self.alive.push(at);
        at
    }

    /// *named*: no connection had this name before, nor a later one of the session.
    fn name(&mut self, token: Token, at: usize) {
        let last = self.lives.insert(token.session, token.life);
        assert!(last.is_none_or(|last| last < token.life), "{token:?} after life {last:?}");
        self.by_token.insert(token, at);
    }

    /// A connection that the fleet holds.
    fn of(&self, token: Token, call: &str) -> usize {
        let at = self.by_token.get(&token).copied();
        let at = at.unwrap_or_else(|| panic!("{call}: {token:?} was never dialled nor taken"));
        let link = &self.links[at];
        assert!(link.phase != Phase::Over, "{call}: {token:?} is over since {:?}", link.life.closed_at);
        at
    }

    /// The same, and the fleet knows that it stands.
    fn standing(&self, token: Token, call: &str) -> usize {
        let at = self.of(token, call);
        assert!(self.links[at].life.connected_at.is_some(), "{call}: {token:?} is not connected");
        assert!(!self.links[at].broken, "{call}: {token:?} is broken");
        at
    }

    fn refuses(&mut self, step: Step) -> Result<(), Fault> {
        let refused = self.dice.hits(self.temper.refused);
        if refused { Err(Fault { step, errno: libc::EPERM }) } else { Ok(()) }
    }

    fn note(&self, what: fmt::Arguments<'_>) {
        if self.trace {
            eprintln!("{:>12.6} twin: {what}", self.now.as_secs_f64());
        }
    }
}

/// Each call panics where the fleet breaks the rule that its first line says.
impl Driver for Twin {
    type Incoming = Incoming;

    /// A life is used once, and they grow.
    fn dial(&mut self, token: Token, plan: &Plan, stall: Duration) {
        self.note(format_args!("dial {token:?} {}", plan.server));
        let Way::Active(port) = plan.way else { panic!("{token:?} is dialled, and is passive") };
        let at = self.link(Some(token), plan.server, port, stall);
        self.name(token, at);
        self.wind(at);
    }

    /// As with a dial. What is wrong with the connection is told later.
    fn adopt(
        &mut self,
        token: Token,
        incoming: Incoming,
        plan: &Plan,
        stall: Duration,
    ) -> Result<Ends, Fault> {
        let at = incoming.link;
        self.note(format_args!("adopt {token:?} {}", plan.server));
        assert_eq!(self.links[at].life.server, plan.server, "{token:?} takes what is another's");
        assert!(matches!(plan.way, Way::Passive(_)), "{token:?} takes a connection, and is active");
        self.name(token, at);
        let refused = self.refuses(Step::Socket);
        let now = self.now;
        let link = &mut self.links[at];
        link.life.token = Some(token);
        if let Err(fault) = refused {
            (link.phase, link.life.closed_at) = (Phase::Over, Some(now));
            return Err(fault);
        }
        (link.stall, link.life.connected_at, link.life.moved_at) = (stall + stall / 2, Some(now), now);
        let (ends, said, ended) = (link.ends, link.life.said, mem::take(&mut link.life.ended));
        let broken = mem::replace(&mut link.phase, Phase::Standing) == Phase::Broken;
        if said > 0 {
            self.emit(at, Event::Heard(token, usize::try_from(said).expect("a few")));
        }
        if ended {
            self.end_link(at);
        }
        if broken {
            self.break_off(at, libc::ECONNRESET);
        }
        self.wind(at);
        Ok(ends)
    }

    /// One socket for a listener.
    fn listen(&mut self, id: ListenerId, listen: &Listen) -> Result<SocketAddr, Fault> {
        self.note(format_args!("listen {id:?} {}", listen.address));
        assert!(!self.listeners.contains_key(&id), "{id:?} listens");
        self.refuses(Step::Socket)?;
        let mut address = listen.address;
        if address.port() == 0 {
            address.set_port(40_000);
        }
        self.listeners.insert(id, address);
        Ok(address)
    }

    /// It listened.
    fn unlisten(&mut self, id: ListenerId) {
        self.note(format_args!("unlisten {id:?}"));
        assert!(self.listeners.remove(&id).is_some(), "{id:?} does not listen");
        self.keys.retain(|(of, _), _| *of != id);
        let (stale, dice) = (self.temper.stale, &mut self.dice);
        self.held.retain(|held| match held.event {
            Event::Accepted(of, ..) => of != id || dice.hits(stale),
            _ => true,
        });
    }

    /// It listens.
    fn key(&mut self, id: ListenerId, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
        self.note(format_args!("key {id:?} {server}"));
        assert!(self.listeners.contains_key(&id), "{id:?} does not listen, and is given a key");
        self.refuses(Step::Socket)?;
        match auth {
            Auth::None => self.keys.remove(&(id, server)),
            auth => self.keys.insert((id, server), auth.clone()),
        };
        Ok(())
    }

    /// The connection stands.
    fn rekey(&mut self, token: Token, plan: &Plan) -> Result<(), Fault> {
        self.note(format_args!("rekey {token:?}"));
        let at = self.standing(token, "rekey");
        assert_eq!(self.links[at].life.server, plan.server, "rekey: {token:?} has another server");
        self.refuses(Step::Socket)?;
        self.links[at].life.rekeys += 1;
        Ok(())
    }

    /// The connection stands, is not finished, has no send in flight, and there is something to send.
    fn send(&mut self, token: Token, chunk: Chunk) {
        self.note(format_args!("send {token:?} {chunk:?}"));
        let at = self.standing(token, "send");
        let sent = self.held.iter().any(|held| matches!(held.event, Event::Sent(of, ..) if of == token));
        let link = &mut self.links[at];
        assert!(link.life.finished_at.is_none(), "send: {token:?} is finished");
        assert!(link.flying.is_none() && !sent, "send: {token:?} has a send in flight");
        assert!(!chunk.is_empty(), "send: {token:?} sends nothing");
        link.life.moved_at = self.now;
        if link.window.is_empty() {
            link.life.owed_at = self.now;
        }
        link.flying = Some(chunk);
        match self.links[at].phase {
            // The fleet has not heard of it yet.
            Phase::Broken => self.keep_flying(at),
            _ => self.wind(at),
        }
    }

    /// The connection stands, has no send in flight, and is finished once.
    fn finish(&mut self, token: Token) {
        self.note(format_args!("finish {token:?}"));
        let at = self.standing(token, "finish");
        let sent = self.held.iter().any(|held| matches!(held.event, Event::Sent(of, ..) if of == token));
        let link = &mut self.links[at];
        assert!(link.flying.is_none() && !sent, "finish: {token:?} has a send in flight");
        let before = link.life.finished_at.replace(self.now);
        assert_eq!(before, None, "finish: {token:?} is finished");
        self.wind(at);
    }

    /// The connection was not closed before, nor was the fleet told that there is none.
    fn close(&mut self, token: Token) {
        self.note(format_args!("close {token:?}"));
        let at = self.of(token, "close");
        self.keep_flying(at);
        let link = &mut self.links[at];
        // Ended by both sides, it stays with the kernel until the server has all of it.
        if link.life.finished_at.is_some() && link.life.ended && link.phase == Phase::Standing {
            link.life.octets.extend(link.window.drain(..));
            link.life.whole = true;
        }
        link.window.clear();
        (link.phase, link.life.closed_at, link.next) = (Phase::Over, Some(self.now), None);
        let (stale, dice, kernel, now) = (self.temper.stale, &mut self.dice, &mut self.kernel, self.now);
        let (mut kept, hold) = (VecDeque::new(), self.temper.hold_max);
        for held in self.held.drain(..) {
            if held.link != at || dice.hits(stale) {
                kept.push_back(held);
            } else if let Event::Sent(_, chunk, _) = held.event {
                kernel.push((now + dice.time(hold), chunk));
            }
        }
        self.held = kept;
    }

    /// The connection stands.
    fn unacked(&mut self, token: Token) -> u64 {
        let at = self.standing(token, "unacked");
        self.links[at].window.len() as u64
    }

    fn next_event(&mut self) -> Option<Event<Incoming>> {
        let held = self.held.pop_front_if(|held| held.due <= self.now)?;
        self.note(format_args!("    ► {:?}", held.event));
        let now = self.now;
        let link = &mut self.links[held.link];
        if link.phase != Phase::Over {
            match held.event {
                Event::Connected(..) => (link.life.connected_at, link.life.moved_at) = (Some(now), now),
                Event::Sent(_, _, octets) => {
                    (link.life.moved_at, link.life.told) = (now, link.life.told + octets as u64);
                }
                Event::Broke(..) => link.broken = true,
                // There is none, so there is nothing to close.
                Event::Failed(..) => (link.phase, link.life.closed_at) = (Phase::Over, Some(now)),
                _ => {}
            }
        }
        Some(held.event)
    }
}
