//! What a router's messages cost from octets to log, and what catching up costs beside them.
//!
//! ```text
//!  load        a table of a million, one UPDATE for seven prefixes      octets ─► RIB ─► one feed's log
//!  churn       over that table, one route a message, a fresh set each
//!  catch-up    that table to a server that knows nothing, in pieces
//!  unchanged   thirty such tables to a server that knows all but a little
//!  live        the step of an engine with so many servers catching up beside the churn
//! ```
//!
//! `cargo bench -p benches --bench mirror` measures; `cargo test --benches -p benches` runs everything
//! once, small, and compares what servers know with what there is. One word of the name of a stage runs
//! that stage alone: `cargo bench -p benches --bench mirror -- churn`.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use benches::table::{self, Dump, Order, Shuffle};
use benches::{Figure, Watch, measuring, versus_prepared};
use bytes::Bytes;
use engine::core::{self, Connection, Core, Output, Record};
use mirror::{FeedId, Instance, Lane, Logs, Mirror, Mode, Progress, RouterId, Row, Seen, SessionId, Want};
use queue::log::{Log, POOLED_MAX, Pool, Read, Reader, SEGMENT_LEN};
use rib::Time;
use tests::stream::Rng;
use wire::bgp::{Action, Dialect};
use wire::bmp;

/// Prefixes of the table.
fn prefixes() -> usize {
    if measuring() { 1_000_000 } else { 3_000 }
}

/// Messages of a round of churn.
fn churned() -> usize {
    if measuring() { 300_000 } else { 2_000 }
}

/// Columns of the table that hardly changes, and how many changes "hardly" is.
const COLUMNS: u16 = 30;
const FEW: usize = 1_000;

/// What the engine's core lets go of with each epoch, which is each [`table::RUN`] here and there.
const SWEEP_WORK: usize = 16 << 10;

/// What a feed's log keeps.
const RETENTION: usize = 64 << 20;

const LANE: Lane = Lane { connection: 1, queue: 1 };

/// A clock that goes on by a millisecond each time it is looked at.
#[derive(Default)]
struct Clock(u64);

impl Clock {
    fn now(&mut self) -> Time {
        self.0 += 1;
        Time(1_750_000_000_000_000 + self.0 * 1_000)
    }
}

/// The log of the only feed, or of none: then messages go nowhere.
struct Feed {
    log: Option<Log>,
    seen: Option<Arc<Seen>>,
}

impl Feed {
    fn logged() -> Self {
        Self { log: Some(Log::new(&Pool::new(SEGMENT_LEN, POOLED_MAX), RETENTION)), seen: None }
    }

    fn nowhere() -> Self {
        Self { log: None, seen: None }
    }
}

impl Logs for Feed {
    fn open(&mut self, _: FeedId) {}

    fn close(&mut self, _: FeedId) {}

    #[inline]
    fn append(&mut self, _: FeedId, message: &[u8]) {
        if let Some(log) = &mut self.log {
            log.append(message).expect("short");
        }
    }

    fn seen(&mut self, _: FeedId, seen: &Arc<Seen>) {
        if let Some(log) = &mut self.log {
            log.set_note(seen.clone());
        }
        self.seen = Some(seen.clone());
    }
}

/// A mirror with one router, and where its messages go.
struct Mirrored {
    mirror: Mirror,
    router: RouterId,
    feed: Feed,
    clock: Clock,
}

impl Mirrored {
    /// A session that wants everything reads the feed, if it has a log.
    fn new(feed: Feed) -> Self {
        let mut mirror = Mirror::new(mirror::Settings::default());
        let router = mirror.router("router");
        let mut mirrored = Self { mirror, router, feed, clock: Clock::default() };
        if mirrored.feed.log.is_some() {
            mirrored.attach(&Want::everything());
        }
        mirrored
    }

    fn attach(&mut self, want: &Want) -> SessionId {
        self.mirror.attach(self.router, &Arc::new(want.clone()), &mut self.feed)
    }

    /// Takes a run as the engine's core does; gives the messages.
    fn take(&mut self, run: &[u8]) -> usize {
        let now = self.clock.now();
        let taken = self.mirror.take(now, self.router, LANE, run, &mut self.feed).expect("valid messages");
        self.mirror.tick(now, SWEEP_WORK, &mut self.feed);
        if let Some(log) = &mut self.feed.log {
            log.publish();
        }
        taken.messages
    }

    /// Fills pieces until the session is live; gives the routes. `look` gets each piece.
    fn catch_up(&mut self, session: SessionId, piece: &mut [u8], mut look: impl FnMut(&[u8])) -> usize {
        let (mut routes, mut work) = (0, usize::MAX);
        loop {
            let filled = self.mirror.fill(session, self.clock.now(), piece, &mut work);
            look(black_box(&piece[..filled.len]));
            routes += filled.routes;
            if filled.progress == Progress::CaughtUp {
                return routes;
            }
        }
    }
}

/// The whole thing done in one go, and how long it took.
fn timed(work: impl FnOnce() -> usize) -> (usize, Duration) {
    let watch = Watch::start();
    let answer = work();
    (answer, watch.worked())
}

#[expect(clippy::cast_precision_loss, reason = "a figure")]
fn millions(count: usize) -> f64 {
    count as f64 / 1e6
}

/// Frames, walks the NLRI, and forgets it: what nothing that reads the stream can do without.
fn read(run: &[u8]) -> usize {
    let (mut messages, mut rest, dialect) = (0, run, Dialect::default());
    while let Some((frame, tail)) = bmp::Frame::split(rest).expect("valid frames") {
        (rest, messages) = (tail, messages + 1);
        let Some(monitoring) = frame.route_monitoring().expect("valid headers") else { continue };
        let view = monitoring.peer.view().expect("a known kind of peer");
        for part in monitoring.update().expect("a valid UPDATE").parts() {
            let routes = part.routes(&dialect, view).expect("valid routes");
            black_box(routes.map(|entry| entry.bytes().len()).sum::<usize>());
        }
    }
    messages
}

fn load() {
    let (runs, messages) = Dump::new(1, 1, prefixes(), prefixes(), Order::Counted).runs();
    let octets: usize = runs.iter().map(Vec::len).sum();
    let into = |feed: Feed| {
        let mut mirrored = Mirrored::new(feed);
        let timed = timed(|| runs.iter().map(|run| mirrored.take(run)).sum());
        assert_eq!(mirrored.mirror.rib().count().paths, prefixes());
        timed
    };
    versus_prepared(
        &format!("load, {} prefixes, {} octets a message", prefixes(), octets / messages),
        &[
            Figure::Rate(millions(messages), "million messages"),
            Figure::Rate(millions(prefixes()), "million routes"),
        ],
        messages,
        &[
            ("to the log", &|| into(Feed::logged())),
            ("without log", &|| into(Feed::nowhere())),
            ("only read", &|| timed(|| runs.iter().map(|run| read(run)).sum())),
        ],
    );
}

/// Changes to a table, and what it has after them.
struct Churn {
    rng: Rng,
    peer: u16,
    there: Vec<bool>,
}

impl Churn {
    fn new(peer: u16) -> Self {
        Self { rng: Rng::new(7, u64::from(peer)), peer, there: vec![true; prefixes()] }
    }

    /// So many messages, in runs.
    fn runs(&mut self, messages: usize) -> Vec<Vec<u8>> {
        let mut runs = vec![Vec::with_capacity(table::RUN)];
        for _ in 0..messages {
            if runs[runs.len() - 1].len() > table::RUN - 400 {
                runs.push(Vec::with_capacity(table::RUN));
            }
            let last = runs.len() - 1;
            self.message(&mut runs[last]);
        }
        runs
    }

    fn message(&mut self, out: &mut Vec<u8>) {
        let (prefix, gone) = (self.rng.below(self.there.len()), self.rng.percent(10));
        self.there[prefix] = !gone;
        table::change(out, &mut self.rng, self.peer, prefix, gone);
    }

    fn paths(&self) -> usize {
        self.there.iter().filter(|there| **there).count()
    }
}

fn churn() {
    let (runs, _) = Dump::new(1, 1, prefixes(), prefixes(), Order::Counted).runs();
    let loaded = |feed: Feed| {
        let mut mirrored = Mirrored::new(feed);
        runs.iter().for_each(|run| _ = mirrored.take(run));
        RefCell::new((mirrored, Churn::new(1)))
    };
    let (logged, bare) = (loaded(Feed::logged()), loaded(Feed::nowhere()));
    // Each round has its own messages, or the second one would change nothing.
    let round = |state: &RefCell<(Mirrored, Churn)>| {
        let (mirrored, churn) = &mut *state.borrow_mut();
        let runs = churn.runs(churned());
        let timed = timed(|| runs.iter().map(|run| mirrored.take(run)).sum());
        assert_eq!(mirrored.mirror.rib().count().paths, churn.paths());
        timed
    };
    let only = RefCell::new(Churn::new(1));
    let only_read = || {
        let runs = only.borrow_mut().runs(churned());
        timed(|| runs.iter().map(|run| read(run)).sum())
    };
    let octets: usize = Churn::new(1).runs(churned()).iter().map(Vec::len).sum();
    versus_prepared(
        &format!("churn, over {} prefixes, {} octets a message", prefixes(), octets / churned()),
        &[Figure::Rate(millions(churned()), "million messages")],
        churned(),
        &[("to the log", &|| round(&logged)), ("without log", &|| round(&bare)), ("only read", &only_read)],
    );
    if measuring() {
        println!("  {:?}", logged.borrow().0.mirror.rib().count());
    }
}

/// What a server knows that has read these messages.
#[derive(Default)]
struct Known {
    prefixes: HashSet<Vec<u8>>,
    route_monitoring: usize,
}

impl Known {
    fn read(&mut self, mut octets: &[u8]) {
        let dialect = Dialect::default();
        while let Some((frame, tail)) = bmp::Frame::split(octets).expect("whole messages") {
            octets = tail;
            let Some(monitoring) = frame.route_monitoring().expect("valid messages") else { continue };
            self.route_monitoring += 1;
            let view = monitoring.peer.view().expect("a known kind of peer");
            for part in monitoring.update().expect("a valid UPDATE").parts() {
                for entry in part.routes(&dialect, view).expect("valid routes") {
                    match part.action {
                        Action::Announce => self.prefixes.insert(entry.key().to_vec()),
                        Action::Withdraw => self.prefixes.remove(&*entry.key()),
                    };
                }
            }
        }
    }
}

fn peer_only(peer: u16) -> Want {
    let address = Some(table::address(peer).into());
    Want { rows: vec![Row { instance: Instance::Any, address, tables: Vec::new() }], mirroring: false }
}

fn catch_up() {
    let mut mirrored = Mirrored::new(Feed::nowhere());
    let mut sent = Vec::new();
    for (peer, order) in [(1, Order::Counted), (2, Order::Shuffled)] {
        let (runs, messages) = Dump::new(1, peer, prefixes(), prefixes(), order).runs();
        runs.iter().for_each(|run| _ = mirrored.take(run));
        // One of them is the Peer Up.
        sent.push(messages - 1);
    }
    let sessions = [1, 2].map(|peer| mirrored.attach(&peer_only(peer)));
    let mut piece = vec![0; SEGMENT_LEN];
    let mut told = Vec::new();
    for session in sessions {
        let mut known = Known::default();
        mirrored.mirror.connected(session);
        mirrored.catch_up(session, &mut piece, |piece| known.read(piece));
        mirrored.mirror.lost(session);
        assert_eq!(known.prefixes.len(), prefixes());
        told.push(known.route_monitoring);
    }
    let state = RefCell::new((mirrored, piece));
    let again = |session: SessionId| {
        let (mirrored, piece) = &mut *state.borrow_mut();
        mirrored.mirror.connected(session);
        let timed = timed(|| mirrored.catch_up(session, piece, |_| {}));
        mirrored.mirror.lost(session);
        timed
    };
    versus_prepared(
        &format!("catch-up, {} prefixes, pieces of {SEGMENT_LEN} octets", prefixes()),
        &[Figure::Time(1e3, "ms"), Figure::Rate(millions(prefixes()), "million routes")],
        prefixes(),
        &[("as they came", &|| again(sessions[0])), ("shuffled", &|| again(sessions[1]))],
    );
    if measuring() {
        for (name, (sent, told)) in ["as they came", "shuffled"].iter().zip(sent.iter().zip(told)) {
            println!("  {name}: {told} messages of {sent}, {:.3}", millions(told) / millions(*sent));
        }
    }
}

fn unchanged() {
    let mut mirrored = Mirrored::new(Feed::nowhere());
    let mut run = Vec::new();
    for peer in 0..COLUMNS {
        let mut dump = Dump::new(3, peer, prefixes(), prefixes(), Order::Shuffled);
        while dump.run(&mut run) {
            mirrored.take(&run);
            run.clear();
        }
    }
    assert_eq!(mirrored.mirror.rib().count().paths, usize::from(COLUMNS) * prefixes());
    let session = mirrored.attach(&Want::everything());
    let mut piece = vec![0; SEGMENT_LEN];
    mirrored.mirror.connected(session);
    mirrored.catch_up(session, &mut piece, |_| {});
    // Each round changes other prefixes, so that every change is one.
    let shuffle = Shuffle::new(3, prefixes());
    let state = RefCell::new((mirrored, piece, 0, Rng::new(3, 3)));
    let after = |changes: usize| {
        let (mirrored, piece, next, rng) = &mut *state.borrow_mut();
        let seen = mirrored.feed.seen.clone().expect("said when the feed began");
        let mut run = Vec::new();
        for _ in 0..changes {
            let peer = u16::try_from(rng.below(usize::from(COLUMNS))).expect("30");
            table::change(&mut run, rng, peer, shuffle.nth(*next % prefixes()), false);
            *next += 1;
        }
        if changes > 0 {
            mirrored.take(&run);
        }
        mirrored.mirror.fell(session, &seen);
        let (routes, took) = timed(|| mirrored.catch_up(session, piece, |_| {}));
        assert_eq!(routes, changes);
        (0, took)
    };
    versus_prepared(
        &format!("unchanged, {COLUMNS} columns of {} prefixes", prefixes()),
        &[Figure::Time(1e3, "ms")],
        0,
        &[("no change", &|| after(0)), ("1000 changes", &|| after(FEW))],
    );
}

/// A server that reads all there is at once.
struct Server {
    session: SessionId,
    connection: Connection,
    readers: VecDeque<Reader>,
    known: Known,
}

impl Server {
    /// Reads all there is; how many pieces it has come to the end of.
    fn read(&mut self) -> usize {
        let mut pieces = 0;
        while let Some(reader) = self.readers.front_mut() {
            match reader.read(usize::MAX) {
                Read::Data(chunk) => {
                    if !measuring() {
                        self.known.read(&chunk);
                    }
                    reader.advance(chunk.len());
                }
                Read::Closed => {
                    self.readers.pop_front();
                    pieces += 1;
                }
                Read::Idle => break,
                Read::Fell => unreachable!("who reads after each step does not fall off"),
            }
        }
        pieces
    }
}

/// An engine's core, its only source, and its servers, in one thread.
struct Engine {
    core: Core,
    inlet: queue::ring::Inlet<Record>,
    servers: Vec<Server>,
    clock: Clock,
}

impl Engine {
    fn new() -> Self {
        let (gate, core) = Core::new(core::Settings::default(), || {});
        let mut inlet = gate.open(64).expect("the first");
        inlet.push(Record::Of { router: Arc::from("router"), connection: 1 }).expect("room");
        Self { core, inlet, servers: Vec::new(), clock: Clock::default() }
    }

    fn server(&mut self) {
        let session = self.core.attach("router", &Arc::new(Want::everything()));
        let connection = self.core.connected(session);
        self.servers.push(Server { session, connection, readers: VecDeque::new(), known: Known::default() });
    }

    /// One step with these messages; how long it took. The servers read off the clock.
    fn step(&mut self, messages: Vec<u8>) -> Duration {
        self.inlet.push(Record::Messages(Bytes::from(messages))).expect("room");
        let now = self.clock.now();
        let mut outputs = Vec::with_capacity(64);
        let watch = Watch::start();
        self.core.step(now, |output| outputs.push(output));
        let took = watch.worked();
        for output in outputs.into_iter().filter(|output| !matches!(output, Output::Came(_))) {
            let (Output::Read(connection, reader) | Output::Follow(connection, _, reader)) = output else {
                unreachable!("nobody leaves")
            };
            let server = self.servers.iter_mut().find(|server| server.connection == connection);
            server.expect("one of them").readers.push_back(reader);
        }
        for server in &mut self.servers {
            for _ in 0..server.read() {
                self.core.took(server.connection);
            }
        }
        took
    }

    fn all_live(&self) -> bool {
        self.servers.iter().all(|server| self.core.mirror().mode(server.session) == Mode::Live)
    }
}

fn live() {
    /// Messages of a step: a quarter of a million a second, if there are 2500 steps in one.
    const STEP: usize = 100;
    let steps_min = if measuring() { 2_000 } else { 20 };
    let (runs, _) = Dump::new(1, 1, prefixes(), prefixes(), Order::Counted).runs();
    let mut engine = Engine::new();
    engine.server();
    runs.into_iter().for_each(|run| _ = engine.step(run));
    while !engine.all_live() {
        engine.step(Vec::new());
    }
    let mut churn = Churn::new(1);
    if measuring() {
        println!("\nlive, one step of {STEP} messages over {} prefixes, while so many catch up", prefixes());
    }
    for joining in [0, 1, 10] {
        (0..joining).for_each(|_| engine.server());
        let mut took = Vec::new();
        while took.len() < steps_min && joining == 0 || !engine.all_live() {
            let mut messages = Vec::new();
            (0..STEP).for_each(|_| churn.message(&mut messages));
            took.push(engine.step(messages));
        }
        let whole: Duration = took.iter().sum();
        took.sort();
        let micros = |part: usize| took[(took.len() - 1) * part / 1000].as_secs_f64() * 1e6;
        if measuring() {
            println!(
                "  {joining:>2} joining   median {:>8.0} us   99 % {:>8.0} us   99.9 % {:>8.0} us   longest {:>8.0} us   \
                 {} steps, {:.0} ms in all",
                micros(500),
                micros(990),
                micros(999),
                micros(1000),
                took.len(),
                whole.as_secs_f64() * 1e3,
            );
        }
    }
    engine.step(Vec::new());
    for server in engine.servers.iter().filter(|_| !measuring()) {
        assert_eq!(server.known.prefixes.len(), churn.paths(), "a server knows what there is");
    }
}

fn main() {
    let stages: [(&str, fn()); 5] =
        [("load", load), ("churn", churn), ("catch-up", catch_up), ("unchanged", unchanged), ("live", live)];
    let chosen: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, stage) in stages {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            stage();
        }
    }
}
