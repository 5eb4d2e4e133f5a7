//! One run of the model.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::core::{Core, Output, PIECES_AHEAD, Record, Settings};
use engine::exchange::Exchange;
use queue::ring::{self, Full, Gate, Inlet};
use rib::Time;
use tests::Rng;
use tests::router::{Emission, Router, Shape};
use tests::station::difference;
use wire::bmp::TerminationReason;
use writer::fleet::{self, Fleet, Order, Report, State, Then};
use writer::twin::{Answer, Manner, Temper, Twin};

use crate::server::{Server, Wish, shared, wishes};
use crate::trace::Trace;

/// The longest message of a router, more or less: a segment of its own, if it is longer than others.
const MESSAGE_MAX: usize = 66 << 10;

/// When it all begins.
const BEGIN: Time = Time(1_750_000_000_000_000);

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
    failures: usize,
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
        self.failures += other.failures;
        self.refusals += other.refusals;
        self.octets += other.octets;
    }

    pub(crate) fn check(&self) {
        assert!(self.falls > 2 * self.runs, "{self:?}");
        assert!(self.connections > 4 * self.runs, "{self:?}");
        assert!(self.losses > self.runs / 4, "{self:?}");
        let some = [self.messages_lost, self.untold, self.farewells, self.failures, self.refusals];
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
    exchange: Exchange,
    fleet: Fleet<Twin>,
    /// On their way between the two threads.
    orders: VecDeque<Order>,
    reports: VecDeque<Report>,
    /// When the fleet is due, if nothing happens before.
    until: Option<Duration>,
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
            let manner = Manner {
                window: dice.pick(&[1, 1000, 64 << 10, 1 << 20]),
                bite: dice.pick(&[10, 300, 5000, 100_000]),
                pause: Duration::from_millis(dice.pick(&[20, 200, 1000])),
                resets: dice.pick(&[0, 0, 3]),
                ends: dice.pick(&[0, 0, 3]),
                ..Manner::default()
            };
            let mut server = Server::new(session, router, wish, manner);
            sources[router].router.provisional().into_iter().for_each(|peer| server.station.tolerate(peer));
            if rib.tombstones_max < 1 << 20 {
                server.station.tell_again();
            }
            server
        });
        let servers: Vec<Server> = servers.collect();
        let temper = Temper {
            delay_max: Duration::from_micros(dice.pick(&[0, 100, 50_000])),
            lost: dice.pick(&[0, 300]),
            late_max: Duration::from_millis(500),
            hold_max: Duration::from_millis(dice.pick(&[0, 3000])),
            stale: dice.pick(&[0, 500]),
            refused: 0,
        };
        let times = fleet::Settings {
            cap: dice.pick(&[1, 700, 5000, 256 << 10]),
            retry_min: Duration::from_millis(dice.pick(&[1, 100, 3000])),
            retry_max: Duration::from_secs(10),
            connect_limit: Duration::from_secs(3),
            stall_limit: Duration::from_secs(dice.pick(&[20, 100_000])),
            drain_limit: Duration::from_secs(dice.pick(&[1, 60])),
            ..fleet::Settings::default()
        };
        let mut fleet = Fleet::new(Twin::new(seed, temper), times, seed);
        servers.iter().for_each(|server| server.behave(fleet.driver()));
        let (now, feeds) = (BEGIN, feeds.len());
        let (orders, reports) = (VecDeque::new(), VecDeque::new());
        let (exchange, until, seen) = (Exchange::default(), None, Seen::default());
        Self {
            seed,
            dice,
            now,
            settings,
            gate,
            core,
            exchange,
            fleet,
            orders,
            reports,
            until,
            sources,
            servers,
            wishes,
            feeds,
            seen,
        }
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
        self.seen.farewells = self.servers.iter().map(|server| server.farewells).sum();
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
            2..=9 if !self.servers[server].wanted => self.open(server),
            2..=9 => self.trouble(server),
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

    /// The server is to have a connection.
    fn open(&mut self, server: usize) {
        let server = &mut self.servers[server];
        server.wanted = true;
        self.orders.push_back(Order::Open(fleet::SessionId(server.session.0), server.plan()));
    }

    /// Something happens to a server that has a connection, or is about to.
    fn trouble(&mut self, server: usize) {
        let what = self.dice.below(100);
        let Self { servers, core, fleet, exchange, orders, dice, .. } = self;
        let (server, twin) = (&mut servers[server], fleet.driver());
        match what {
            0..=9 => twin.reset(server.address()),
            10..=19 => twin.end(server.address()),
            20..=29 => {
                server.manner.answer = dice.pick(&[Answer::Accept, Answer::Refuse, Answer::Silence]);
            }
            30..=39 => {
                let then = dice.pick(&[Then::Again, Then::Rest]);
                server.wanted = then == Then::Again;
                let reason = TerminationReason::ADMINISTRATIVELY_CLOSED;
                orders.push_back(exchange.leave(core, server.session, reason, then));
            }
            _ => server.stalled = dice.pick(&[3, 30, 300]),
        }
        server.behave(twin);
    }

    /// Everybody does something. Whether there was anything to do.
    fn step(&mut self) -> bool {
        self.push();
        self.now.0 += self.dice.pick(&[1, 100, 5000, 200_000, 3_000_000]);
        // Either thread may be late.
        let mut any = !self.dice.percent(70) || self.step_core();
        any |= !self.dice.percent(70) || self.step_fleet();
        let Self { servers, fleet, seed, .. } = self;
        let twin = fleet.driver();
        for (number, server) in servers.iter_mut().enumerate() {
            if server.stalled > 0 {
                server.stalled -= 1;
                server.behave(twin);
            }
            let heard = server.hear(twin);
            any |= heard.unwrap_or_else(|broken| panic!("seed {seed}, server {number}: {broken}"));
        }
        self.bound();
        any
    }

    /// The mirror's thread: whether it did anything.
    fn step_core(&mut self) -> bool {
        let Self { core, exchange, reports, orders, seen, seed, .. } = self;
        let mut any = !reports.is_empty();
        for report in reports.drain(..) {
            match exchange.report(core, report) {
                Some(Report::Up(..)) => seen.connections += 1,
                Some(Report::Failed(..)) => seen.failures += 1,
                _ => {}
            }
        }
        let step = core.step(self.now, |output| match exchange.output(output) {
            Ok(order) => orders.extend(order),
            Err(Output::Untold(_, peers)) => seen.untold += peers,
            Err(Output::Came(_) | Output::Went(_) | Output::Beyond(_)) => {}
            Err(Output::Broken(_, error)) => panic!("seed {seed}: a router's octets: {error}"),
            Err(output) => unreachable!("{output:?}"),
        });
        any |= step.more || step.messages > 0 || step.at.is_some();
        any
    }

    /// The writer's thread, if somebody wakes it: whether it did anything.
    fn step_fleet(&mut self) -> bool {
        let now = Duration::from_micros(self.now.0 - BEGIN.0);
        let Self { fleet, orders, reports, until, seen, .. } = self;
        let woken = fleet.driver().step(now);
        if !woken && orders.is_empty() && !fleet.has_news() && until.is_none_or(|until| until > now) {
            return false;
        }
        for order in orders.drain(..) {
            fleet.order(now, order);
        }
        let turn = fleet.turn(now);
        *until = turn.until;
        let told = reports.len();
        reports.extend(std::iter::from_fn(|| fleet.next_report()));
        seen.falls += reports.range(told..).filter(|report| matches!(report, Report::Fell(..))).count();
        true
    }

    /// What memory there is has an owner.
    fn bound(&mut self) {
        let Settings { segment_len, retention, piece_len, pooled_max, .. } = self.settings;
        let (logs, pieces) = self.core.usage();
        let segment = segment_len.max(MESSAGE_MAX);
        let servers = self.servers.len();
        // What is on its way between the threads, and what the kernel still has of connections that are gone.
        let moving = self.orders.len() + self.reports.len() + self.fleet.driver().in_flight();
        let bounds = [
            (logs.retained, self.feeds * retention.max(segment)),
            (logs.stragglers, (servers * 2 + moving) * segment),
            (logs.pooled, pooled_max * segment_len),
            (pieces.stragglers, (servers * (PIECES_AHEAD + 1) + moving) * piece_len),
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
            server.manner = Manner { window: 64 << 10, bite: 64 << 10, ..Manner::default() };
            server.behave(self.fleet.driver());
        }
        let mut quiet = 0;
        for _ in 0..400_000 {
            quiet = if self.step() { 0 } else { quiet + 1 };
            if quiet > 3 && self.sources.iter().all(Source::has_pushed) && self.are_all_live() {
                return;
            }
        }
        panic!(
            "seed {}: it never falls quiet: {:#?}",
            self.seed,
            self.fleet.survey(Duration::from_micros(self.now.0 - BEGIN.0))
        );
    }

    /// Whether everybody has the connection that it is to have, and nobody another one.
    fn are_all_live(&self) -> bool {
        self.orders.is_empty()
            && self.reports.is_empty()
            && self.servers.iter().all(|server| {
                let status = self.fleet.status(fleet::SessionId(server.session.0));
                let state = status.as_ref().map_or(State::Idle, |status| status.state);
                let lag = status.map_or(0, |status| status.lag);
                state == if server.wanted { State::Live } else { State::Idle } && lag == 0
            })
    }

    fn compare(&mut self) {
        self.seen.quiet_points += 1;
        let seed = self.seed;
        for (number, server) in self.servers.iter().enumerate().filter(|(_, server)| server.wanted) {
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
            let status = self.fleet.status(fleet::SessionId(server.session.0)).expect("it is live");
            let told = self.core.told(server.session, status.spot.map(|spot| spot.position));
            for (kind, count) in server.station.heard() {
                let told = told.counts.of(wire::bmp::Kind(*kind));
                assert!(
                    *kind > 6 || told == *count,
                    "seed {seed}, server {number}: {told} of type {kind}, heard {count}"
                );
            }
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
            server.wanted = false;
            let reason = TerminationReason::ADMINISTRATIVELY_CLOSED;
            let order = self.exchange.leave(&mut self.core, server.session, reason, Then::Forget);
            self.orders.push_back(order);
        }
        self.calm();
        for server in &self.servers {
            let id = fleet::SessionId(server.session.0);
            assert!(self.fleet.status(id).is_none(), "seed {}: {id:?} is not forgotten", self.seed);
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
