//! All sessions of one writer, and what they do next: no socket, no thread, no clock.
//!
//! ```text
//!            orders               events
//!              ▼                    ▼               a turn: events in, timers, news of logs; each leads to a
//!   ┌───────────────────── Fleet ──────────┐        send, a connection, or an end, which the driver does later
//!   │ session: State, Line(sources, send)  │
//!   │ listeners    alarms    who waits     │
//!   └──────┬───────────────────┬───────────┘
//!          ▼                   ▼
//!       reports           Driver: dial, send, close
//! ```
//!
//! * **as it comes**  a connection's sources are read one after the other, as they were handed over, whatever
//!   the size of what the kernel takes. A send takes all there is, up to a cap; the rest waits in the log, so
//!   batches grow by themselves when there is much, and when there is little a message leaves at once.
//! * **one send**     of a connection is in flight, and its completion leads to the next.
//! * **whole**        who takes leave gets the rest of the message that was begun, its farewell, and the end.
//! * **up and down**  each [`Report::Up`] is followed by one [`Report::Down`]; in between there is no other.
//! * **bounded**      while [`REPORTS_HELD`] reports wait for somebody to take them no connection begins, so
//!   there are never more than those and a few for each session.
//! * **slow is seen** a server that takes nothing for the stall time is let go. What it took is what it
//!   acknowledged, not what the kernel put aside for it.

mod event;
mod obey;
mod order;
mod retry;
mod session;
mod state;
mod terms;
mod time;
mod waiting;

pub use order::{Order, Reason, Report, Source, Then};
pub use session::SOURCES_MAX;
pub use state::{Happening, State};
pub use terms::{Settings, Status, Survey, Turn};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::dice::Dice;
use crate::driver::{Driver, Token};
use crate::plan::Listen;
use session::Session;
use waiting::Waiting;

/// One session, as whoever gives orders numbers it: from 0, without gaps worth mentioning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u32);

/// One listener, likewise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ListenerId(pub u32);

/// Reports that wait to be taken while connections still begin.
pub const REPORTS_HELD: usize = 1024;

/// How soon a session looks again whether connections may begin.
const HELD_PAUSE: Duration = Duration::from_millis(100);

/// Into how many looks the stall time is divided: so much of it later than it could be a stall is found.
const STALL_LOOKS: u32 = 4;

/// Who sees what each completed send carried: whose, where in a feed's log it began if it came from there, and
/// the octets.
pub type Witness = Box<dyn FnMut(Token, Option<Spot>, &[u8]) + Send>;

/// A place in a feed's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The number of the feed.
    pub feed: u32,
    /// Octets of its log before it.
    pub position: u64,
}

/// All sessions of one writer.
pub struct Fleet<D: Driver> {
    driver: D,
    settings: Settings,
    /// Spreads back-offs.
    dice: Dice,
    /// By the number of a session.
    slots: Vec<Slot>,
    listeners: BTreeMap<ListenerId, Listener>,
    waiting: Waiting,
    alarms: BTreeSet<(Duration, Alarm)>,
    reports: VecDeque<Report>,
    witness: Option<Witness>,
    stopped: bool,
}

/// A place for a session.
#[derive(Default)]
#[repr(C)]
struct Slot {
    /// Connections that were tried from here: a token is good for one of them.
    life: u32,
    session: Option<Session>,
    alarm: Option<Duration>,
}

struct Listener {
    listen: Box<Listen>,
    listens: bool,
}

/// Who is to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Session(SessionId),
    Listener(ListenerId),
}

impl<D: Driver> Fleet<D> {
    /// Nobody yet. What `seed` is decides how back-offs are spread.
    pub fn new(driver: D, settings: Settings, seed: u64) -> Self {
        Self {
            driver,
            settings,
            dice: Dice(seed),
            slots: Vec::new(),
            listeners: BTreeMap::new(),
            waiting: Waiting::default(),
            alarms: BTreeSet::new(),
            reports: VecDeque::new(),
            witness: None,
            stopped: false,
        }
    }

    /// The driver, to be flushed and waited for.
    pub fn driver(&mut self) -> &mut D {
        &mut self.driver
    }

    /// Takes in what has happened, sees to timers, and gives the driver what can be sent.
    pub fn turn(&mut self, now: Duration) -> Turn {
        let mut busy = false;
        while let Some(event) = self.driver.next_event() {
            busy = true;
            self.event(now, event);
        }
        while let Some(&(at, alarm)) = self.alarms.first()
            && at <= now
        {
            busy = true;
            self.alarms.pop_first();
            match alarm {
                Alarm::Session(id) => {
                    self.slots[id.0 as usize].alarm = None;
                    self.alarm(now, id);
                }
                Alarm::Listener(id) => self.listen(now, id),
            }
        }
        for feed in 0..self.waiting.len() {
            while let Some(id) = self.waiting.take(feed, |first| finds_news(&self.slots, first)) {
                busy = true;
                let session = self.session(id).expect("who waits is there");
                session.line.awaits = None;
                self.go_on(now, id);
            }
        }
        let until = self.alarms.first().map(|(at, _)| *at);
        Turn { busy, until, stopped: self.stopped }
    }

    /// Whether a log that sessions wait for has grown: looked at again before falling asleep.
    pub fn has_news(&self) -> bool {
        self.waiting.first().any(|id| finds_news(&self.slots, id))
    }

    /// The next report, if whoever gets them has room for one.
    pub fn next_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// Whether there is one.
    pub fn has_reports(&self) -> bool {
        !self.reports.is_empty()
    }

    /// Where a session stands.
    pub fn status(&self, id: SessionId) -> Option<Status> {
        let session = self.slots.get(id.0 as usize)?.session.as_ref()?;
        Some(Status {
            id,
            name: session.plan.name.clone(),
            state: session.state,
            since: session.since,
            ends: session.line.ends,
            reason: session.reason,
            retry_at: session.retry_at,
            connections: session.connections,
            falls: session.falls,
            octets: session.octets,
            sends: session.sends,
            lag: session.lag(),
            spot: session.line.spot(),
        })
    }

    /// What is to be seen.
    pub fn survey(&self, now: Duration) -> Survey {
        let sessions = self.ids().filter_map(|id| self.status(id)).collect();
        Survey { now, sessions, calls: self.driver.calls() }
    }
}

impl<D: Driver> Fleet<D> {
    fn ids(&self) -> impl Iterator<Item = SessionId> + use<D> {
        let most = u32::try_from(self.slots.len()).expect("sessions are numbered by 32 bits");
        (0..most).map(SessionId)
    }

    fn session(&mut self, id: SessionId) -> Option<&mut Session> {
        self.slots.get_mut(id.0 as usize)?.session.as_mut()
    }

    fn state(&self, id: SessionId) -> State {
        let session = self.slots.get(id.0 as usize).and_then(|slot| slot.session.as_ref());
        session.map_or(State::Idle, |session| session.state)
    }

    /// What the present connection of a session is called, or the last one.
    fn token(&self, id: SessionId) -> Option<Token> {
        let slot = self.slots.get(id.0 as usize)?;
        slot.session.as_ref().map(|_| Token { session: id, life: slot.life })
    }

    fn next_life(&mut self, id: SessionId) -> Token {
        let slot = &mut self.slots[id.0 as usize];
        slot.life = slot.life.wrapping_add(1);
        Token { session: id, life: slot.life }
    }

    /// The session of a token that is not an old one.
    fn current(&mut self, token: Token) -> Option<&mut Session> {
        (self.token(token.session) == Some(token)).then(|| self.session(token.session)).flatten()
    }

    /// The same, if it has a connection.
    fn connected_one(&mut self, token: Token) -> Option<&mut Session> {
        self.current(token).filter(|session| session.state.is_connected())
    }

    fn set_alarm(&mut self, id: SessionId, at: Duration) {
        self.clear_alarm(id);
        self.slots[id.0 as usize].alarm = Some(at);
        self.alarms.insert((at, Alarm::Session(id)));
    }

    fn clear_alarm(&mut self, id: SessionId) {
        if let Some(at) = self.slots[id.0 as usize].alarm.take() {
            self.alarms.remove(&(at, Alarm::Session(id)));
        }
    }
}

/// Whether there is something in the log that a session waits for.
fn finds_news(slots: &[Slot], id: SessionId) -> bool {
    slots[id.0 as usize].session.as_ref().is_some_and(|session| session.line.has_news())
}

/// Whether a session has a connection that it means to keep.
fn stands(state: State) -> bool {
    state.is_connected() && state != State::Closing
}

impl<D: Driver> fmt::Debug for Fleet<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("sessions", &self.slots.len()).finish_non_exhaustive()
    }
}
