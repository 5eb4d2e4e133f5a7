//! One run of the model.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use engine::core::{Core, Output, PIECES_AHEAD, Record, Settings};
use queue::ring::{self, Full, Gate, Inlet};
use rib::Time;
use tests::Rng;
use tests::router::{Emission, Router, Shape};
use tests::station::difference;
use wire::bmp::TerminationReason;

use crate::server::{Server, Wish, shared, wishes};
use crate::trace::Trace;

/// The longest message of a router, more or less: a segment of its own, if it is longer than others.
const MESSAGE_MAX: usize = 66 << 10;

/// Peers of a router.
const PEERS_MAX: usize = 8;

/// A router, its connection and the lanes of that.
struct Source {
    router: Router,
    connection: u64,
    /// By peer, the router's own last; none while there is no connection.
    lanes: Vec<Option<Inlet<Record>>>,
    /// What has not found room in its lane yet.
    waiting: Vec<VecDeque<Record>>,
    trace: Trace,
}

impl Source {
    /// Whether everything has found room. A lane that was never opened waits for its second record.
    fn has_pushed(&self) -> bool {
        let mut lanes = self.lanes.iter().zip(&self.waiting);
        lanes.all(|(lane, waiting)| waiting.len() <= usize::from(lane.is_none()))
    }
}

/// What the seeds have brought about, to be sure that they do.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    runs: usize,
    quiet_points: usize,
    falls: usize,
    connections: usize,
    losses: usize,
    messages_lost: usize,
    untold: usize,
    farewells: usize,
    refusals: usize,
    octets: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.quiet_points += other.quiet_points;
        self.falls += other.falls;
        self.connections += other.connections;
        self.losses += other.losses;
        self.messages_lost += other.messages_lost;
        self.untold += other.untold;
        self.farewells += other.farewells;
        self.refusals += other.refusals;
        self.octets += other.octets;
    }

    pub(crate) fn check(&self) {
        assert!(self.falls > 2 * self.runs, "{self:?}");
        assert!(self.connections > 4 * self.runs, "{self:?}");
        assert!(self.losses > self.runs / 4, "{self:?}");
        let some = [self.messages_lost, self.untold, self.farewells, self.refusals];
        assert!(some.iter().all(|some| *some > 0), "{self:?}");
    }
}

pub(crate) struct Sim {
    seed: u64,
    dice: Rng,
    now: Time,
    settings: Settings,
    gate: Gate<Record>,
    core: Core,
    sources: Vec<Source>,
    servers: Vec<Server>,
    wishes: Vec<Wish>,
    feeds: usize,
    seen: Seen,
}

impl Sim {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Rng::new(seed, 77);
        let rib = rib::Settings {
            seed,
            flat_min: dice.pick(&[4, 16, 1024]),
            sorted_max: dice.pick(&[2, 8, 64 << 10]),
            tombstones_max: dice.pick(&[8, 100, 1 << 24, 1 << 24]),
            ..rib::Settings::default()
        };
        let segment_len = dice.pick(&[1 << 10, 4 << 10, 16 << 10]);
        let settings = Settings {
            mirror: mirror::Settings { rib, ..mirror::Settings::default() },
            lanes: ring::Settings { lanes_max: 4096, quantum: dice.pick(&[1, 500, 64 << 10]) },
            intake: dice.pick(&[100, 2000, 64 << 10]),
            slice: dice.pick(&[1, 5, 60, 16 << 10]),
            segment_len,
            retention: segment_len * dice.pick(&[0, 1, 2, 8]),
            piece_len: dice.pick(&[68 << 10, 132 << 10]),
            pooled_max: 4,
        };
        let (gate, mut core) = Core::new(settings.clone(), || {});
        let sources = (0..dice.pick(&[1, 1, 2])).map(|at| {
            let shape = Shape {
                peers: 1 + dice.below(PEERS_MAX),
                prefixes: if is_long(seed) { 50_000 } else { dice.pick(&[6, 40, 200]) },
                restless: dice.pick(&[2, 8, 25]),
                ..Shape::default()
            };
            let router = Router::new(seed * 7 + at, shape);
            let trace = Trace::new(format!("router {at}"));
            Source { router, connection: 0, lanes: Vec::new(), waiting: Vec::new(), trace }
        });
        let sources: Vec<_> = sources.collect();
        let wishes = wishes();
        let mut feeds = Vec::new();
        let servers = (0..1 + dice.below(6)).map(|_| {
            let router = dice.below(sources.len());
            let wish = if dice.percent(60) { 0 } else { dice.below(wishes.len()) };
            if !feeds.contains(&(router, wish)) {
                feeds.push((router, wish));
            }
            let session = core.attach(&name(router), &shared(&wishes[wish]));
            let mut server = Server::new(session, router, wish);
            sources[router].router.provisional().into_iter().for_each(|peer| server.station.tolerate(peer));
            if rib.tombstones_max < 1 << 20 {
                server.station.tell_again();
            }
            server.speed = dice.pick(&[10, 300, 5000, 100_000]);
            server
        });
        let servers = servers.collect();
        let (now, feeds) = (Time(1_750_000_000_000_000), feeds.len());
        Self { seed, dice, now, settings, gate, core, sources, servers, wishes, feeds, seen: Seen::default() }
    }

    /// The whole life: some stretches of noise, each with a quiet point behind it, and the end of all.
    pub(crate) fn run(mut self) -> Seen {
        for _ in 0..1 + self.dice.below(4) {
            for _ in 0..self.dice.below(if is_long(self.seed) { 6000 } else { 150 }) {
                self.disturb();
                for _ in 0..self.dice.below(4) {
                    self.step();
                }
            }
            self.calm();
            self.compare();
        }
        self.end();
        self.seen.runs = 1;
        self.seen.falls = self.servers.iter().map(|server| server.falls).sum();
        self.seen.messages_lost = self.servers.iter().map(|server| server.station.messages_lost()).sum();
        self.seen
    }

    /// Something happens outside.
    fn disturb(&mut self) {
        let router = self.dice.below(self.sources.len());
        let server = self.dice.below(self.servers.len());
        let connected = !self.sources[router].lanes.is_empty();
        match self.dice.below(100) {
            0..=1 if connected => self.hang_up(router),
            _ if !connected && self.dice.percent(40) => self.call(router),
            2..=9 => {
                let Self { servers, core, seen, .. } = self;
                match servers[server].connection {
                    None => {
                        servers[server].connect(core);
                        seen.connections += 1;
                    }
                    Some(_) if self.dice.percent(20) => servers[server].disconnect(core),
                    Some(_) if self.dice.percent(5) => self.leave(server),
                    Some(_) => servers[server].stalled = self.dice.pick(&[3, 30, 300]),
                }
            }
            _ => {
                for _ in 0..self.dice.below(6) {
                    let emissions = self.sources[router].router.step();
                    self.send(router, emissions);
                }
            }
        }
    }

    fn call(&mut self, router: usize) {
        let source = &mut self.sources[router];
        source.connection += 1;
        let first = Record::Of { router: Arc::from(name(router)), connection: source.connection };
        source.lanes = (0..=PEERS_MAX).map(|_| None).collect();
        source.waiting = (0..=PEERS_MAX).map(|_| VecDeque::from([first.clone()])).collect();
        let emissions = source.router.connect();
        self.send(router, emissions);
    }

    fn hang_up(&mut self, router: usize) {
        let source = &mut self.sources[router];
        source.router.disconnect();
        // What found room is still taken in; the rest was never read from the socket.
        (source.lanes, source.waiting) = (Vec::new(), Vec::new());
        source.trace.note("hangs up");
        self.seen.losses += 1;
    }

    fn send(&mut self, router: usize, emissions: Vec<Emission>) {
        let source = &mut self.sources[router];
        if source.lanes.is_empty() {
            return;
        }
        for Emission { peer, bytes, .. } in emissions {
            let lane = peer.unwrap_or(source.lanes.len() - 1);
            source.trace.octets(&bytes);
            source.waiting[lane].push_back(Record::Messages(Bytes::from(bytes)));
        }
    }

    /// Sources push what there is room for.
    fn push(&mut self) {
        let Self { sources, gate, dice, seen, .. } = self;
        for source in sources {
            for (lane, waiting) in source.lanes.iter_mut().zip(&mut source.waiting) {
                if waiting.len() <= 1 && lane.is_none() {
                    continue;
                }
                let inlet =
                    lane.get_or_insert_with(|| gate.open(dice.pick(&[2, 8, 64])).expect("lanes enough"));
                while let Some(record) = waiting.pop_front() {
                    if let Err(Full(back)) = inlet.push(record) {
                        waiting.push_front(back);
                        seen.refusals += 1;
                        break;
                    }
                }
            }
        }
    }

    fn leave(&mut self, server: usize) {
        let server = &mut self.servers[server];
        let mut last = None;
        self.core.leave(server.session, TerminationReason::ADMINISTRATIVELY_CLOSED, &mut |output| {
            if let Output::Finish(_, reader) = output {
                last = Some(reader);
            }
        });
        let seed = self.seed;
        let told = server.finish(last.expect("a farewell"));
        let told = told.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        assert_eq!(server.station.terminated(), told.then_some(0), "seed {seed}");
        server.disconnect(&mut self.core);
        self.seen.farewells += usize::from(told);
    }

    /// Everybody does something. Whether there was anything to do.
    fn step(&mut self) -> bool {
        self.push();
        self.now.0 += self.dice.pick(&[1, 100, 5000, 200_000, 3_000_000]);
        let Self { core, servers, seen, seed, .. } = self;
        let step = core.step(self.now, |output| match output {
            Output::Read(connection, reader) => {
                let server = servers.iter_mut().find(|server| server.session == connection.session);
                server.expect("a session of ours").give(connection, reader);
            }
            Output::Untold(_, peers) => seen.untold += peers,
            Output::Finish(..) => unreachable!("nobody left"),
            Output::Broken(_, error) => panic!("seed {seed}: a router's octets: {error}"),
        });
        let mut any = step.more || step.messages > 0 || step.at.is_some();
        for (number, server) in servers.iter_mut().enumerate() {
            let read = server.read(core, &mut self.dice);
            any |= read.unwrap_or_else(|broken| panic!("seed {seed}, server {number}: {broken}"));
        }
        self.bound();
        any
    }

    /// What memory there is has an owner.
    fn bound(&self) {
        let Settings { segment_len, retention, piece_len, pooled_max, .. } = self.settings;
        let (logs, pieces) = self.core.usage();
        let segment = segment_len.max(MESSAGE_MAX);
        let servers = self.servers.len();
        let bounds = [
            (logs.retained, self.feeds * retention.max(segment)),
            (logs.stragglers, servers * 2 * segment),
            (logs.pooled, pooled_max * segment_len),
            (pieces.stragglers, servers * (PIECES_AHEAD + 1) * piece_len),
            (pieces.pooled, pooled_max * piece_len),
        ];
        for (used, bound) in bounds {
            assert!(used <= bound, "seed {}: {used} octets, at most {bound}: {logs:?} {pieces:?}", self.seed);
        }
    }

    /// Sources fall quiet, servers read on, until nothing happens any more.
    fn calm(&mut self) {
        for server in &mut self.servers {
            server.stalled = 0;
            server.speed = server.speed.max(5000);
        }
        let mut quiet = 0;
        for _ in 0..400_000 {
            quiet = if self.step() { 0 } else { quiet + 1 };
            if quiet > 3 && self.sources.iter().all(Source::has_pushed) {
                return;
            }
        }
        panic!("seed {}: it never falls quiet", self.seed);
    }

    fn compare(&mut self) {
        self.seen.quiet_points += 1;
        let seed = self.seed;
        for (number, server) in
            self.servers.iter().enumerate().filter(|(_, server)| server.connection.is_some())
        {
            let wants = self.wishes[server.wish].wants;
            let router = &self.sources[server.router].router;
            let mut wanted = router.tables();
            wanted.retain(|key, _| wants(&key.peer, key.view, Some(key.family)));
            if let Some(difference) = difference(server.station.tables(), &wanted) {
                panic!("seed {seed}, server {number}: held against wanted:\n{difference}");
            }
            let mut statistics = router.statistics();
            statistics
                .retain(|(peer, flags), _| wants(peer, tests::station::View::of(peer.kind, *flags), None));
            assert_eq!(*server.station.statistics(), statistics, "seed {seed}, server {number}");
            let ends = router.end_of_ribs();
            let heard = server.station.end_of_ribs();
            for end in ends.iter().filter(|(peer, view, family)| wants(peer, *view, Some(*family))) {
                assert!(heard.contains(end), "seed {seed}, server {number}: no end of RIB: {end:?}");
            }
            assert!(!server.station.mid_message(), "seed {seed}, server {number}: half a message");
            self.seen.octets += server.station.tally().messages.values().sum::<usize>() as u64;
        }
        let paths: usize = self.sources.iter().map(|source| source.router.tables().len()).sum();
        assert_eq!(self.core.mirror().rib().count().paths, paths, "seed {seed}: paths of the RIB");
    }

    /// All go, and nothing is left.
    fn end(&mut self) {
        for router in 0..self.sources.len() {
            if !self.sources[router].lanes.is_empty() {
                self.hang_up(router);
            }
        }
        self.calm();
        self.compare();
        for server in &mut self.servers {
            server.disconnect(&mut self.core);
            self.core.detach(server.session);
        }
        for _ in 0..1000 {
            self.now.0 += 1_000_000;
            self.core.step(self.now, |_| {});
        }
        let count = self.core.mirror().rib().count();
        assert_eq!(count, rib::Count::default(), "seed {}: what is left of routes", self.seed);
    }
}

/// One life in fifty is long, with tables that fill more than one piece of everything.
fn is_long(seed: u64) -> bool {
    seed % 50 == 49
}

fn name(router: usize) -> String {
    format!("router-{router}")
}
