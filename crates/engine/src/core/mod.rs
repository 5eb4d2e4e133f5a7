//! One step of everything.
//!
//! ```text
//!  sources ─► Gate, Inlet ═► Intake ─drain─► Mirror ─► logs of feeds ═══► Reader ─► a writer's sends
//!   Record: octets of one lane                 │                          ▲
//!                                              └─ fill ─► pieces ─► Reader┘  one after the other: each
//!  connected, lost, took, fell ◄──────────────────────────────────────────── is read to its end, the
//!                                                                            last one is the log
//! ```
//!
//! A session's server is sent what its readers give, in the order in which it got them: the pieces of a
//! catch-up first, each of which ends ([`queue::log::Read::Closed`]), then the log of its feed, which does
//! not. Who writes needs to know no more than that, and says four things: that there is a connection, that
//! there is none, that a piece has been read, that a reader fell off.
//!
//! * **no waiting**   a step takes in at most [`Settings::intake`] octets, and does so much work for those
//!   who catch up as [`Settings::slice`] says, however many there are, and what the intake made them owe.
//! * **in turns**     one session after the other is caught up. One whose server does not read has no
//!   turn: at most [`PIECES_AHEAD`] pieces wait for it.
//! * **gets there**   what changes while a session waits for its turn is added to the work that it may do
//!   then, so that a busy router cannot keep a server from its log for ever.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use engine::core::{Core, Output, Record, Settings};
//! use mirror::Want;
//! use queue::log::Read;
//! use rib::Time;
//!
//! // A source and a server; `wake` would wake the thread that steps.
//! let (gate, mut core) = Core::new(Settings::default(), || {});
//! let session = core.attach("rr1", &Arc::new(Want::everything()));
//! let mut inlet = gate.open(64)?;
//! # let initiation = Bytes::from_static(&[3, 0, 0, 0, 13, 4, 0, 2, 0, 3, b'r', b'r', b'1']);
//! inlet.push(Record::Of { router: Arc::from("rr1"), connection: 1 })?;
//! inlet.push(Record::Messages(initiation))?;
//!
//! // The server has connected: it is told what there is, and then reads the log of its feed.
//! let connection = core.connected(session);
//! let (mut readers, mut sent) = (Vec::new(), Vec::new());
//! core.step(Time(1_750_000_000_000_000), |output| {
//!     if let Output::Read(_, reader) | Output::Follow(_, _, reader) = output {
//!         readers.push(reader);
//!     }
//! });
//! for mut reader in readers {
//!     while let Read::Data(chunk) = reader.read(64 << 10) {
//!         sent.extend_from_slice(&chunk); // a writer gives it to the kernel
//!         reader.advance(chunk.len());
//!     }
//!     if matches!(reader.read(0), Read::Closed) {
//!         core.took(connection);
//!     }
//! }
//! let (frame, _) = wire::bmp::Frame::split(&sent)?.expect("the greeting");
//! assert_eq!(frame.to_string(), "initiation sys-name \"rr1\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod logs;
mod marks;

pub use ingest::Record;
pub use logs::LogLook;
pub use marks::{Counts, Published};

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use mirror::{FeedId, Filled, Lane, Mirror, Mode, Progress, RouterId, Seen, SessionId, Taken, Want};
use queue::log::{Log, Pool, Reader, SEGMENT_LEN, Usage};
use queue::ring::{self, Drained, Event, Gate, Intake};
use rib::Time;
use wire::bmp::TerminationReason;

use logs::Logs;

/// What a core is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the mirror.
    pub mirror: mirror::Settings,
    /// Of the lanes: how many, and the octets of a turn.
    pub lanes: ring::Settings,
    /// Octets taken in by one step.
    pub intake: usize,
    /// Work of one step for those who catch up: about a route each.
    pub slice: usize,
    /// Octets of a log's segment.
    pub segment_len: usize,
    /// Octets that each feed's log keeps.
    pub retention: usize,
    /// Octets of a piece of a catch-up; at least [`mirror::PIECE_MIN`], or messages may be too long for it.
    pub piece_len: usize,
    /// Segments, and pieces, that wait for their next use.
    pub pooled_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mirror: mirror::Settings::default(),
            lanes: ring::Settings { lanes_max: 16 << 10, quantum: 64 << 10 },
            intake: 256 << 10,
            slice: 16 << 10,
            segment_len: SEGMENT_LEN,
            retention: 64 << 20,
            piece_len: SEGMENT_LEN,
            pooled_max: queue::log::POOLED_MAX,
        }
    }
}

const _: () = assert!(SEGMENT_LEN >= mirror::PIECE_MIN);

/// Pieces of one session that have been made and not read.
pub const PIECES_AHEAD: usize = 2;

/// What a session that catches up may do beyond the slice for each route that has changed while it waited
/// for its turn: look at its block, and tell it.
const CHASE: usize = 8;

/// After so many octets of intake an epoch ends: who falls off is told again what came within one.
const EPOCH_OCTETS: usize = 64 << 10;
/// And after so long at the latest, in microseconds: this is how exact the times of a catch-up are.
const EPOCH_MICROS: u64 = 100_000;
/// What is let go of with each epoch, in work of the RIB.
const SWEEP_WORK: usize = 4 << 10;

/// One connection of a session, as its writer names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Connection {
    /// Whose.
    pub session: SessionId,
    /// How many it had before.
    pub number: u32,
}

/// What a step wants from outside.
#[derive(Debug)]
pub enum Output {
    /// When all that came before has been read, read this piece to its end.
    Read(Connection, Reader),
    /// And then this, the log of a feed, which does not end.
    Follow(Connection, FeedId, Reader),
    /// When what is being sent has ended with a message, send this, and close; if nothing has been sent
    /// yet, only close. All else is for nobody.
    Finish(Connection, Reader),
    /// A router has its first lane, after it had none.
    Came(RouterId),
    /// It has lost its last one.
    Went(RouterId),
    /// A lane brought what is no BMP. Its peers are down, and what else it brings is dropped.
    Broken(RouterId, wire::Error),
    /// A router has had more peers than it may: what those say is dropped.
    Beyond(RouterId),
    /// A session was caught up as far as it can be: of so many peers something cannot be told.
    Untold(SessionId, usize),
}

/// How a step went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Whether there is more to do now.
    pub more: bool,
    /// Whether logs have grown: wake who sleeps.
    pub news: bool,
    /// When to step again at the latest, if nothing comes before.
    pub at: Option<Time>,
    /// Messages taken in.
    pub messages: usize,
}

/// What is known of a lane.
#[derive(Clone, Copy)]
struct Known {
    router: RouterId,
    lane: Lane,
    broken: bool,
}

/// What is known of a router's lanes.
#[derive(Clone, Copy, Default, Debug)]
pub struct Presence {
    /// How many there are.
    pub lanes: usize,
    /// Since when there are some, or none.
    pub since: Time,
    /// What the last one brought that was no BMP.
    pub error: Option<wire::Error>,
    /// Whether it has had more peers than it may.
    pub beyond: bool,
}

/// What a session's present connection has been told, and how often that took more than its log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Told {
    /// Messages, over this connection.
    pub counts: Counts,
    /// Times that it was caught up, over all connections.
    pub catch_ups: u64,
    /// Among them from nothing.
    pub full_dumps: u64,
}

/// What is known of a session's connection.
#[derive(Clone, Copy, Default)]
struct Outlet {
    number: u32,
    /// Pieces that have been made and not read.
    pieces: usize,
    /// What those have, the older one first.
    made: [Counts; PIECES_AHEAD],
    /// What was read.
    told: Told,
    /// What had gone through the log when it began to read it, if it does.
    base: Option<Counts>,
    /// How many routes had changed when it began to wait for its turn.
    chased: u64,
    /// Whether it stands in the queue for turns.
    queued: bool,
}

/// All that thinks.
pub struct Core {
    settings: Settings,
    mirror: Mirror,
    intake: Intake<Record>,
    /// By the index of a lane.
    lanes: Vec<Option<Known>>,
    /// How many lanes there have been: no two have the same number.
    lanes_seen: u64,
    logs: Logs,
    pieces: Pool,
    outlets: Vec<Outlet>,
    turns: VecDeque<SessionId>,
    /// Routes that have changed.
    changed: u64,
    /// Octets taken in since the epoch began, and when that was.
    epoch: (usize, Time),
    /// Whether more can be let go of.
    sweeping: bool,
    /// By the number of a router.
    presence: Vec<Presence>,
    /// When what was taken in came, of as much as is measured.
    came: Vec<Time>,
}

/// Times of one step that are kept to be measured.
const CAME_MAX: usize = 64;

impl Core {
    /// A core, and the gate by which sources come in. `wake` is called when something comes in while it
    /// sleeps ([`Core::prepare_sleep`]).
    pub fn new(settings: Settings, wake: impl Fn() + Send + Sync + 'static) -> (Gate<Record>, Self) {
        let (gate, intake) = ring::intake(settings.lanes, wake);
        let core = Self {
            mirror: Mirror::new(settings.mirror.clone()),
            intake,
            lanes: Vec::new(),
            lanes_seen: 0,
            logs: Logs::new(Pool::new(settings.segment_len, settings.pooled_max), settings.retention),
            pieces: Pool::new(settings.piece_len, settings.pooled_max),
            outlets: Vec::new(),
            turns: VecDeque::new(),
            changed: 0,
            epoch: (0, Time(0)),
            sweeping: false,
            presence: Vec::new(),
            came: Vec::with_capacity(CAME_MAX),
            settings,
        };
        (gate, core)
    }

    /// A session about a router, which need not be there yet.
    pub fn attach(&mut self, router: &str, want: &Arc<Want>) -> SessionId {
        let router = self.mirror.router(router);
        let id = self.mirror.attach(router, want, &mut self.logs);
        let index = id.0 as usize;
        if self.outlets.len() <= index {
            self.outlets.resize(index + 1, Outlet::default());
        }
        id
    }

    /// The session is not wanted any more, and has no connection.
    pub fn detach(&mut self, id: SessionId) {
        self.mirror.detach(id, &mut self.logs);
        // What its connections still say is about nobody, and nobody has its turn.
        self.turns.retain(|turn| *turn != id);
        let outlet = self.outlet(id);
        *outlet = Outlet { number: outlet.number.wrapping_add(1), ..Outlet::default() };
    }

    /// The session has a connection: its server knows nothing. Gives its name.
    pub fn connected(&mut self, id: SessionId) -> Connection {
        self.mirror.connected(id);
        let outlet = self.outlet(id);
        (outlet.number, outlet.pieces) = (outlet.number.wrapping_add(1), 0);
        (outlet.base, outlet.told.counts) = (None, Counts::default());
        (outlet.told.catch_ups, outlet.told.full_dumps) =
            (outlet.told.catch_ups + 1, outlet.told.full_dumps + 1);
        let number = outlet.number;
        self.queue_turn(id);
        Connection { session: id, number }
    }

    /// The connection is gone, and with it the readers it had.
    pub fn lost(&mut self, connection: Connection) {
        if self.is_current(connection) && self.mirror.mode(connection.session) != Mode::Away {
            self.mirror.lost(connection.session);
            self.outlet(connection.session).pieces = 0;
        }
    }

    /// The connection has read a piece to its end.
    pub fn took(&mut self, connection: Connection) {
        if self.is_current(connection) {
            let outlet = self.outlet(connection.session);
            let [first, second] = outlet.made;
            if outlet.pieces > 0 {
                outlet.told.counts.add(&first);
                outlet.made = [second, Counts::default()];
                outlet.pieces -= 1;
            }
            self.queue_turn(connection.session);
        }
    }

    /// The connection's reader of the log has fallen off: here it is.
    ///
    /// # Panics
    /// If it was no reader of a log.
    pub fn fell(&mut self, connection: Connection, reader: &Reader) {
        if self.is_current(connection) && self.mirror.mode(connection.session) == Mode::Live {
            let note = reader.note().cloned().and_then(|note| note.downcast::<Seen>().ok());
            let feed = self.mirror.feed(connection.session);
            let read = self.logs.counts(feed, reader.position());
            self.mirror.fell(connection.session, &note.expect("every segment of a feed's log has one"));
            let outlet = self.outlet(connection.session);
            outlet.told.catch_ups += 1;
            if let Some(base) = outlet.base.take() {
                outlet.told.counts.add(&read.since(&base));
            }
            self.queue_turn(connection.session);
        }
    }

    /// We leave the server: it gets the rest of the message that is being sent, and a Termination.
    pub fn leave(&mut self, id: SessionId, reason: TerminationReason, output: &mut impl FnMut(Output)) {
        if !matches!(self.mirror.mode(id), Mode::Catching | Mode::Live) {
            return;
        }
        let mirror = &mut self.mirror;
        let (reader, _) = piece(&self.pieces, FAREWELL, |room| (mirror.leave(id, reason, room), ()));
        let outlet = self.outlet(id);
        outlet.told.counts.count(&[3, 0, 0, 0, 0, wire::bmp::Kind::TERMINATION.0]);
        let connection = Connection { session: id, number: outlet.number };
        output(Output::Finish(connection, reader));
    }

    /// Takes in, applies, appends, and brings those nearer who catch up.
    pub fn step(&mut self, now: Time, mut output: impl FnMut(Output)) -> Step {
        if self.epoch.0 == 0 {
            // An epoch in which nothing has happened begins now, or what comes would be as old as it is.
            self.mirror.tick(now, 0, &mut self.logs);
        }
        let drained = self.take_in(now, &mut output);
        let messages = drained.1;
        self.turns(now, &mut output);
        self.epoch.0 += drained.0.cost;
        let (octets, began) = self.epoch;
        if octets >= EPOCH_OCTETS || self.sweeping || octets > 0 && now.0 >= began.0 + EPOCH_MICROS {
            self.sweeping = self.mirror.tick(now, SWEEP_WORK, &mut self.logs);
            self.epoch = (0, now);
        }
        let at = (self.epoch.0 > 0).then_some(Time(self.epoch.1.0 + EPOCH_MICROS));
        let news = self.logs.publish(now);
        Step { more: drained.0.more || !self.turns.is_empty() || self.sweeping, news, at, messages }
    }

    /// Declares that nobody will step until something comes in; see [`Intake::prepare_sleep`].
    #[must_use = "there may be work"]
    pub fn prepare_sleep(&mut self) -> bool {
        self.intake.prepare_sleep()
    }

    fn take_in(&mut self, now: Time, output: &mut impl FnMut(Output)) -> (Drained, usize) {
        let Self { settings, mirror, intake, lanes, lanes_seen, logs, changed, presence, came, .. } = self;
        let mut messages = 0;
        came.clear();
        let mut presence = Lanes { presence, now, output };
        let drained = intake.drain(settings.intake, |lane, event| {
            if lanes.len() <= lane.index() {
                lanes.resize(lane.index() + 1, None);
            }
            let known = &mut lanes[lane.index()];
            match event {
                Event::Opened => *known = None,
                Event::Value(Record::Of { router, connection }) => {
                    if let Some(known) = known.take() {
                        mirror.ended(now, known.router, known.lane, logs);
                        presence.went(known.router);
                    }
                    *lanes_seen += 1;
                    let lane = Lane { connection, queue: *lanes_seen };
                    let router = mirror.router(&router);
                    *known = Some(Known { router, lane, broken: false });
                    presence.came(router);
                }
                Event::Value(Record::Came(micros)) => {
                    if came.len() < CAME_MAX {
                        came.push(Time(micros));
                    }
                }
                Event::Value(Record::Messages(octets)) => {
                    let Some(known) = known.as_mut().filter(|known| !known.broken) else { return };
                    match mirror.take(now, known.router, known.lane, &octets, logs) {
                        Ok(Taken { messages: more, changed: routes }) => {
                            messages += more;
                            *changed += routes as u64;
                            if mirror.tally(known.router).beyond > 0 {
                                presence.beyond(known.router);
                            }
                        }
                        Err(error) => {
                            known.broken = true;
                            mirror.ended(now, known.router, known.lane, logs);
                            presence.broke(known.router, error);
                        }
                    }
                }
                Event::Ended => {
                    if let Some(known) = known.take() {
                        mirror.ended(now, known.router, known.lane, logs);
                        presence.went(known.router);
                    }
                }
            }
        });
        (drained, messages)
    }

    /// Lets those have their turns who catch up and whose servers read.
    fn turns(&mut self, now: Time, output: &mut impl FnMut(Output)) {
        let mut slice = self.settings.slice;
        for _ in 0..self.turns.len() {
            if slice == 0 {
                return;
            }
            let Some(id) = self.turns.pop_front() else { return };
            let changed = self.changed;
            let outlet = self.outlet(id);
            outlet.queued = false;
            let chased = changed - outlet.chased;
            let chase = usize::try_from(chased).unwrap_or(usize::MAX).saturating_mul(CHASE);
            let mut work = slice.saturating_add(chase);
            let all = work;
            while self.may_go_on(id) && work > 0 {
                if self.go_on(id, now, &mut work, output) == Progress::Waiting {
                    self.let_others_sort();
                    break;
                }
            }
            slice = slice.saturating_sub(all - work);
            self.queue_turn(id);
        }
    }

    fn may_go_on(&mut self, id: SessionId) -> bool {
        self.mirror.mode(id) == Mode::Catching && self.outlet(id).pieces < PIECES_AHEAD
    }

    /// Makes a piece for a session.
    fn go_on(
        &mut self,
        id: SessionId,
        now: Time,
        work: &mut usize,
        output: &mut impl FnMut(Output),
    ) -> Progress {
        let Self { mirror, pieces, settings, .. } = self;
        let mut counts = Counts::default();
        let fill = |room: &mut [u8]| {
            let filled = mirror.fill(id, now, room, work);
            counts.count_all(&room[..filled.len]);
            (filled.len, filled)
        };
        let (reader, filled): (Reader, Filled) = piece(pieces, settings.piece_len, fill);
        assert!(
            filled.len > 0 || filled.progress != Progress::Full,
            "a piece of {} octets has no room for a message",
            settings.piece_len
        );
        let connection = Connection { session: id, number: self.outlet(id).number };
        if filled.len > 0 {
            let outlet = self.outlet(id);
            outlet.made[outlet.pieces.min(PIECES_AHEAD - 1)] = counts;
            outlet.pieces += 1;
            output(Output::Read(connection, reader));
        }
        if filled.untold > 0 {
            output(Output::Untold(id, filled.untold));
        }
        if filled.progress == Progress::CaughtUp {
            // Nothing has been appended since: the log goes on exactly where the piece ends.
            let feed = self.mirror.feed(id);
            self.outlet(id).base = Some(self.logs.counts_now(feed));
            output(Output::Follow(connection, feed, self.logs.subscribe(feed)));
        }
        filled.progress
    }

    /// Sessions whose servers do not read let go of what they have sorted.
    fn let_others_sort(&mut self) {
        let idle = self.outlets.iter().zip(0..).filter(|(outlet, _)| outlet.pieces >= PIECES_AHEAD);
        idle.for_each(|(_, index)| self.mirror.rest(SessionId(index)));
    }

    /// From here on a session waits for its turn: what changed before is the walk's business, not the
    /// chase's.
    fn queue_turn(&mut self, id: SessionId) {
        if self.may_go_on(id) && !self.outlet(id).queued {
            let changed = self.changed;
            let outlet = self.outlet(id);
            (outlet.queued, outlet.chased) = (true, changed);
            self.turns.push_back(id);
        }
    }

    fn outlet(&mut self, id: SessionId) -> &mut Outlet {
        &mut self.outlets[id.0 as usize]
    }

    fn is_current(&self, connection: Connection) -> bool {
        self.outlets
            .get(connection.session.0 as usize)
            .is_some_and(|outlet| outlet.number == connection.number)
    }

    /// The mirror, to be looked at.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// What has been told over a session's present connection, or its last one, which stands at a place of its
    /// feed's log if it reads that.
    #[must_use]
    pub fn told(&self, id: SessionId, position: Option<u64>) -> Told {
        let Some(outlet) = self.outlets.get(id.0 as usize) else { return Told::default() };
        let mut told = outlet.told;
        if let (Some(base), Some(position)) = (outlet.base, position) {
            told.counts.add(&self.logs.counts(self.mirror.feed(id), position).since(&base));
        }
        told
    }

    /// When what stands behind a place of a session's log was published.
    #[must_use]
    pub fn published(&self, id: SessionId, position: u64) -> Option<Time> {
        self.logs.published(self.mirror.feed(id), position)
    }

    /// When what the last step took in came, of as much as is measured.
    #[must_use]
    pub fn came(&self) -> &[Time] {
        &self.came
    }

    /// The lanes of a router.
    #[must_use]
    pub fn presence(&self, router: RouterId) -> Presence {
        self.presence.get(router.0 as usize).copied().unwrap_or_default()
    }

    /// Records that wait in the lanes of a router.
    #[must_use]
    pub fn waiting(&self, router: RouterId) -> usize {
        let lanes = self.lanes.iter().enumerate();
        let of_router = lanes.filter(|(_, known)| known.is_some_and(|known| known.router == router));
        of_router.map(|(index, _)| self.intake.waiting(index)).sum()
    }

    /// Feeds that were opened, ever.
    #[must_use]
    pub fn feeds_opened(&self) -> usize {
        self.logs.opened()
    }

    /// A feed's log.
    #[must_use]
    pub fn log(&self, feed: FeedId) -> Option<LogLook> {
        self.logs.look(feed)
    }

    /// When logs were published, for other threads, by the number of a feed. Those that are opened later are not
    /// among them.
    #[must_use]
    pub fn published_by_feed(&self) -> Vec<Option<Arc<Published>>> {
        self.logs.shared()
    }

    /// Octets that each feed's log keeps from now on.
    pub fn set_retention(&mut self, retention: usize) {
        self.settings.retention = retention;
        self.logs.set_retention(retention);
    }

    /// How many peers a router may have up, and how many paths there may be, from now on.
    pub fn set_limits(&mut self, peers_max: usize, paths_max: usize) {
        self.mirror.set_limits(peers_max, paths_max);
    }

    /// Reports how many routes there are, for peers whose routers do not ([`Mirror::report`]).
    pub fn report(&mut self, now: Time, router: RouterId) -> usize {
        self.mirror.report(now, router, &mut self.logs)
    }

    /// Forgets a router without lanes of which no session is; whether it was one.
    pub fn forget_router(&mut self, router: RouterId) -> bool {
        let forgotten = self.presence(router).lanes == 0 && self.mirror.forget_router(router);
        if forgotten && let Some(presence) = self.presence.get_mut(router.0 as usize) {
            *presence = Presence::default();
        }
        forgotten
    }

    /// Octets of logs and of pieces.
    #[must_use]
    pub fn usage(&self) -> (Usage, Usage) {
        (self.logs.usage(), self.pieces.usage())
    }

    /// Octets that one session takes: a reader, its place here and in the mirror, and while it is caught
    /// up a few for each peer. The segment or the pieces it stands in are the pools'.
    #[must_use]
    pub fn session_memory(&self, id: SessionId) -> usize {
        size_of::<Reader>() + size_of::<Outlet>() + self.mirror.session_memory(id)
    }
}

/// The lanes of routers, while they come and go.
struct Lanes<'a, F> {
    presence: &'a mut Vec<Presence>,
    now: Time,
    output: &'a mut F,
}

impl<F: FnMut(Output)> Lanes<'_, F> {
    fn came(&mut self, router: RouterId) {
        let index = router.0 as usize;
        if self.presence.len() <= index {
            self.presence.resize(index + 1, Presence::default());
        }
        let presence = &mut self.presence[index];
        presence.lanes += 1;
        if presence.lanes == 1 {
            presence.since = self.now;
            (self.output)(Output::Came(router));
        }
    }

    fn went(&mut self, router: RouterId) {
        let presence = &mut self.presence[router.0 as usize];
        presence.lanes -= 1;
        if presence.lanes == 0 {
            presence.since = self.now;
            (self.output)(Output::Went(router));
        }
    }

    /// Said once, by whichever lane is the first to find out.
    fn beyond(&mut self, router: RouterId) {
        let said = std::mem::replace(&mut self.presence[router.0 as usize].beyond, true);
        if !said {
            (self.output)(Output::Beyond(router));
        }
    }

    fn broke(&mut self, router: RouterId, error: wire::Error) {
        self.presence[router.0 as usize].error = Some(error);
        (self.output)(Output::Broken(router, error));
    }
}

/// Octets of the last piece of a session.
const FAREWELL: usize = 256;

/// A piece, which `fill` fills, and the reader that has it.
fn piece<T>(pool: &Pool, len: usize, fill: impl FnOnce(&mut [u8]) -> (usize, T)) -> (Reader, T) {
    let mut log = Log::new(pool, 0);
    let reader = log.subscribe();
    let room = log.reserve(len).expect("a piece is as long as its segment");
    let (len, value) = fill(&mut room[..len]);
    log.commit(len);
    (reader, value)
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("changed", &self.changed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
