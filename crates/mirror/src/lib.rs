//! What each server is owed: routers, their peers, feeds, sessions, and catching up.
//!
//! ```text
//!  a router's frames ─take─► peers, rib ──┬─ once for each feed ─► Logs::append ─► every live session
//!                                         │
//!  a session that is new, or fell off ────┴─ fill ─► pieces of what it does not know ─► live again
//! ```
//!
//! A *session* is a connection to one server about one router. Sessions that want the same of the same
//! router share a *feed*: a message goes into its log once, as it came. A session has no queue: it reads
//! the log, or it is being caught up from the RIB.
//!
//! * **one number**  what a server knows is an epoch and the peers it was told of ([`Seen`]). For those who
//!   read the log both are left with the log itself, where they fall off; for those who are caught up they
//!   stand in the catch-up. There is nothing else to remember, however long a server stalls.
//! * **never older** a catch-up tells what is there when it is told; and a round that ends is followed by
//!   another for what changed meanwhile, until one begins and ends without anything in between. There the
//!   log takes over.
//! * **verbatim**    live messages, Peer Ups, Statistics Reports, Initiations and the Peer Downs of peers
//!   that went down are told as they came. Routes that are caught up are packed anew.
//! * **once**        a peer whose router is gone, or whose session was replaced without a Peer Down, goes
//!   down once at every server that was told it is up.
//!
//! Time comes in as an argument; logs are the caller's ([`Logs`]).

mod catch_up;
mod look;
mod peer;
mod report;
mod session;
mod take;
mod update;
mod want;

pub use catch_up::{Filled, PIECE_MIN, Progress};
pub use look::{PeerLook, TableLook};
pub use peer::{Incarnation, Lane};
pub use session::Mode;
pub use take::Taken;
pub use want::{Instance, Row, Want};

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use catch_up::CatchUp;
use peer::{Latest, Peer, Roll};
use rib::{Epoch, Rib, Time};
use session::{Event, Session};
use wire::bmp::{self, InformationKind, PeerIdentity, TerminationReason, Tlv};

/// Which router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RouterId(pub u32);

/// Which feed. Used again after [`Logs::close`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FeedId(pub u32);

/// Which session. Used again after [`Mirror::detach`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u32);

/// What a mirror is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the RIB.
    pub rib: rib::Settings,
    /// Peers that one router may have up at a time.
    pub peers_max: usize,
    /// What we are, for routers that do not say what they are.
    pub description: String,
}

impl Default for Settings {
    fn default() -> Self {
        let description = concat!("Heliograph ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { rib: rib::Settings::default(), peers_max: 4096, description }
    }
}

/// Where the messages of feeds go. The first call for a feed is `open`, the last one `close`.
pub trait Logs {
    /// A feed begins.
    fn open(&mut self, feed: FeedId);
    /// It ends: nobody reads it.
    fn close(&mut self, feed: FeedId);
    /// One message more for all who read it.
    fn append(&mut self, feed: FeedId, message: &[u8]);
    /// What somebody knows who has read all until now, and does not read on. It takes the place of what
    /// was said before, and is kept for as long as somebody may stand there.
    fn seen(&mut self, feed: FeedId, seen: &Arc<Seen>);
}

/// What a server knows: everything up to an epoch, of these peers.
#[derive(Clone, Debug)]
pub struct Seen {
    epoch: Epoch,
    roll: Roll,
}

/// What has come from a router, counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Whole messages.
    pub messages: u64,
    /// Among them Route Monitoring.
    pub route_monitoring: u64,
    /// Routes that changed the RIB, and routes that did not.
    pub changed: u64,
    /// See `changed`.
    pub same: u64,
    /// Routes for which there was no room: catch-ups lack them.
    pub refused: u64,
    /// Messages that could not be read: no table knows of them. They are passed on, but for those that
    /// would make servers know other peers than we do, or leave.
    pub malformed: u64,
    /// Messages of which no table can be made, or that were too long to keep: passed on.
    pub untold: u64,
    /// Messages of a connection that has been replaced: dropped.
    pub stale: u64,
    /// Peer Downs of peers that were not up, Terminations: not passed on.
    pub stray: u64,
    /// Messages of peers beyond [`Settings::peers_max`]: dropped.
    pub beyond: u64,
}

struct Router {
    name: Box<str>,
    /// Whether its number is free.
    forgotten: bool,
    connection: u64,
    initiation: Option<Latest>,
    /// By place.
    peers: Vec<Option<Peer>>,
    places: HashMap<PeerIdentity, usize>,
    /// The place that the last message was about.
    last: usize,
    roll: Roll,
    /// The epoch of what was said last to its logs.
    said: Epoch,
    feeds: Vec<FeedId>,
    tally: Tally,
}

impl Router {
    fn new(name: &str) -> Self {
        Self {
            name: Box::from(name),
            forgotten: false,
            connection: 0,
            initiation: None,
            peers: Vec::new(),
            places: HashMap::new(),
            last: 0,
            roll: Roll::default(),
            said: Epoch::NOTHING,
            feeds: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// The place of a peer that is there.
    #[inline]
    fn find(&mut self, identity: &PeerIdentity) -> Option<usize> {
        let last = self.peers.get(self.last).and_then(Option::as_ref);
        if last.is_none_or(|peer| peer.identity != *identity) {
            self.last = *self.places.get(identity)?;
        }
        Some(self.last)
    }
}

struct Feed {
    want: Arc<Want>,
    sessions: usize,
}

/// All of it.
pub struct Mirror {
    settings: Settings,
    rib: Rib,
    /// The last one that has ended.
    epoch: Epoch,
    routers: Vec<Router>,
    feeds: Vec<Option<Feed>>,
    sessions: Vec<Option<Session>>,
    /// What was said to logs and may still be held by somebody, the oldest first.
    said: VecDeque<(Epoch, Weak<Seen>)>,
    /// So long may it get before those are sorted out that nobody holds.
    said_max: usize,
    /// For messages that are made here.
    scratch: Vec<u8>,
    /// When what is taken in came.
    now: Time,
}

/// Octets of `Mirror::scratch`: an UPDATE made of parts of one, and the block of one.
const SCRATCH_LEN: usize = 256 << 10;

impl Mirror {
    /// An empty one.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut rib = Rib::new(settings.rib);
        Self {
            // From here on no epoch is that of those who know nothing.
            epoch: rib.tick(Time::default()),
            rib,
            settings,
            routers: Vec::new(),
            feeds: Vec::new(),
            sessions: Vec::new(),
            said: VecDeque::new(),
            said_max: 64,
            scratch: vec![0; SCRATCH_LEN],
            now: Time::default(),
        }
    }

    /// A router of this name, which need not be there yet.
    pub fn router(&mut self, name: &str) -> RouterId {
        let routers = &mut self.routers;
        let known = routers.iter().position(|router| !router.forgotten && *router.name == *name);
        let place = known.unwrap_or_else(|| {
            let free = routers.iter().position(|router| router.forgotten).unwrap_or(routers.len());
            if free < routers.len() {
                routers[free] = Router::new(name);
            } else {
                routers.push(Router::new(name));
            }
            free
        });
        #[expect(clippy::cast_possible_truncation, reason = "routers are few")]
        let id = RouterId(place as u32);
        id
    }

    /// What a router is called.
    #[must_use]
    pub fn name(&self, router: RouterId) -> &str {
        &self.routers[router.0 as usize].name
    }

    /// Forgets a router, and uses its number again. It must have no peer, and no session be about it: whether
    /// that is so.
    pub fn forget_router(&mut self, router: RouterId) -> bool {
        let router = &mut self.routers[router.0 as usize];
        let unused = router.places.is_empty() && router.feeds.is_empty();
        if unused {
            *router = Router { forgotten: true, ..Router::new("") };
        }
        unused
    }

    /// How many peers a router may have up, and how many paths there may be, from now on. What there is stays.
    pub fn set_limits(&mut self, peers_max: usize, paths_max: usize) {
        self.settings.peers_max = peers_max;
        self.rib.set_paths_max(paths_max);
    }

    /// A session about a router. It has no connection yet.
    pub fn attach(&mut self, router: RouterId, want: &Arc<Want>, logs: &mut impl Logs) -> SessionId {
        let known = &self.routers[router.0 as usize].feeds;
        let alike = known.iter().copied().find(|id| at(&self.feeds, id.0).want == *want);
        let feed = alike.unwrap_or_else(|| {
            let feed = FeedId(put(&mut self.feeds, Feed { want: want.clone(), sessions: 0 }));
            self.routers[router.0 as usize].feeds.push(feed);
            logs.open(feed);
            self.say(router.0 as usize, logs);
            feed
        });
        at_mut(&mut self.feeds, feed.0).sessions += 1;
        SessionId(put(&mut self.sessions, Session { router, feed, mode: Mode::Away, catch_up: None }))
    }

    /// The session is not wanted any more. It must be [`Mode::Away`].
    ///
    /// # Panics
    /// If it is not.
    pub fn detach(&mut self, id: SessionId, logs: &mut impl Logs) {
        let session = self.sessions[id.0 as usize].take().expect("a session that is there");
        assert_eq!(session.mode, Mode::Away, "a session is lost before it is detached");
        let feed = at_mut(&mut self.feeds, session.feed.0);
        feed.sessions -= 1;
        if feed.sessions == 0 {
            self.feeds[session.feed.0 as usize] = None;
            self.routers[session.router.0 as usize].feeds.retain(|feed| *feed != session.feed);
            logs.close(session.feed);
        }
    }

    /// The session has a connection, and its server knows nothing.
    pub fn connected(&mut self, id: SessionId) {
        let session = at_mut(&mut self.sessions, id.0);
        session.on(Event::Connected);
        session.catch_up = Some(Box::new(CatchUp::first()));
    }

    /// The session has fallen off its feed's log, where this was seen.
    pub fn fell(&mut self, id: SessionId, seen: &Arc<Seen>) {
        let session = at_mut(&mut self.sessions, id.0);
        session.on(Event::Fell);
        let want = &at(&self.feeds, session.feed.0).want;
        session.catch_up = Some(Box::new(CatchUp::after(seen, want)));
    }

    /// The connection is gone, and with it all that the server knew.
    pub fn lost(&mut self, id: SessionId) {
        let session = at_mut(&mut self.sessions, id.0);
        session.on(Event::Lost);
        if let Some(mut catch_up) = session.catch_up.take() {
            catch_up.rest(&mut self.rib);
        }
    }

    /// We leave the server: writes the last message that it gets, and says how long it is.
    ///
    /// # Panics
    /// If the buffer is not large enough for one.
    pub fn leave(&mut self, id: SessionId, reason: TerminationReason, buffer: &mut [u8]) -> usize {
        let session = at_mut(&mut self.sessions, id.0);
        session.on(Event::Close);
        if let Some(mut catch_up) = session.catch_up.take() {
            catch_up.rest(&mut self.rib);
        }
        bmp::termination(buffer, reason, &[]).expect("a buffer of a few dozen octets")
    }

    /// Ends an epoch, lets go of what nobody is owed any more, and tells the logs; for at most `work`.
    /// Whether there is more to let go of.
    pub fn tick(&mut self, now: Time, work: usize, logs: &mut impl Logs) -> bool {
        self.epoch = self.rib.tick(now);
        for at in 0..self.routers.len() {
            if self.routers[at].said != self.epoch {
                self.say(at, logs);
            }
        }
        let floor = self.floor();
        self.rib.sweep(floor, work)
    }

    /// What somebody knows from here on who reads the feeds of a router. It lives as long as logs have it.
    fn say(&mut self, router: usize, logs: &mut impl Logs) {
        let router = &mut self.routers[router];
        if router.feeds.is_empty() {
            return;
        }
        router.said = self.epoch;
        let seen = Arc::new(Seen { epoch: self.epoch, roll: router.roll.clone() });
        for feed in &router.feeds {
            logs.seen(*feed, &seen);
        }
        self.said.push_back((self.epoch, Arc::downgrade(&seen)));
        if self.said.len() > self.said_max {
            self.said.retain(|(_, seen)| seen.strong_count() > 0);
            self.said_max = (self.said.len() * 2).max(64);
        }
    }

    /// The least epoch that anybody stands at, or may find to stand at. Those who know nothing are owed
    /// what changes from the beginning of their round.
    fn floor(&mut self) -> Epoch {
        while self.said.front().is_some_and(|(_, seen)| seen.strong_count() == 0) {
            self.said.pop_front();
        }
        // What was said first has the least epoch.
        let said = self.said.front().map_or(self.epoch, |(epoch, _)| *epoch);
        let caught = self.sessions.iter().flatten().filter_map(|session| session.catch_up.as_ref());
        caught.map(|catch_up| catch_up.owed_from()).fold(said, Epoch::min)
    }

    /// What mode a session is in.
    #[must_use]
    pub fn mode(&self, id: SessionId) -> Mode {
        at(&self.sessions, id.0).mode
    }

    /// The feed of a session.
    #[must_use]
    pub fn feed(&self, id: SessionId) -> FeedId {
        at(&self.sessions, id.0).feed
    }

    /// What has come from a router.
    #[must_use]
    pub fn tally(&self, router: RouterId) -> Tally {
        self.routers[router.0 as usize].tally
    }

    /// How many peers of a router are up.
    #[must_use]
    pub fn peers(&self, router: RouterId) -> usize {
        self.routers[router.0 as usize].places.len()
    }

    /// The RIB, to be looked at.
    #[must_use]
    pub fn rib(&self) -> &Rib {
        &self.rib
    }

    /// Octets that a session takes here, what it sorts in apart: constant while it reads its log, and a
    /// few for each peer while it is caught up.
    #[must_use]
    pub fn session_memory(&self, id: SessionId) -> usize {
        let catch_up = at(&self.sessions, id.0).catch_up.as_ref();
        size_of::<Option<Session>>() + catch_up.map_or(0, |catch_up| catch_up.memory())
    }
}

/// The Initiation of a router that has sent none.
fn initiation(buffer: &mut [u8], name: &str, description: &str) -> usize {
    let tlv = |InformationKind(kind), text: &str| (kind, text.floor_char_boundary(255));
    let (descr, descr_len) = tlv(InformationKind::SYS_DESCR, description);
    let (sys, sys_len) = tlv(InformationKind::SYS_NAME, name);
    let tlvs = [
        Tlv { kind: descr, value: &description.as_bytes()[..descr_len] },
        Tlv { kind: sys, value: &name.as_bytes()[..sys_len] },
    ];
    bmp::initiation(buffer, &tlvs).expect("a buffer of a thousand octets")
}

fn at<T>(slots: &[Option<T>], index: u32) -> &T {
    slots[index as usize].as_ref().expect("an id that is in use")
}

fn at_mut<T>(slots: &mut [Option<T>], index: u32) -> &mut T {
    slots[index as usize].as_mut().expect("an id that is in use")
}

/// Puts a value into the first free slot.
fn put<T>(slots: &mut Vec<Option<T>>, value: T) -> u32 {
    let free = slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    });
    slots[free] = Some(value);
    #[expect(clippy::cast_possible_truncation, reason = "far fewer than that")]
    let index = free as u32;
    index
}

#[cfg(test)]
mod tests;
