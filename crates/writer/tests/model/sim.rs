//! One run of the model.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use queue::log::Pool;
use tests::Rng;
use writer::Secret;
use writer::driver::Token;
use writer::fleet::{Fleet, ListenerId, Order, REPORTS_HELD, Report, SessionId, Settings, State, Then};
use writer::plan::{Auth, Instance, Listen, Plan, Way};
use writer::twin::{Answer, Manner, Temper, Twin};

use crate::engine::{Engine, Feed, LATE, Seen, Session};

const MILLI: Duration = Duration::from_millis(1);

/// Listeners of a run, at most.
const LISTENERS: u32 = 2;

/// After so long of peace all is as it should be: the longest back-off, and what it takes to be told all.
const PEACE: Duration = Duration::from_secs(600);

pub(crate) struct Sim {
    seed: u64,
    dice: Rng,
    now: Duration,
    settings: Settings,
    temper: Temper,
    engine: Engine,
    fleet: Fleet<Twin>,
    /// When the fleet wants to be called.
    until: Option<Duration>,
    /// It has been given an order since it was last called.
    ordered: bool,
    /// Feeds that have been appended to and not published.
    unpublished: bool,
    /// For so many steps nobody takes reports.
    deaf: usize,
    /// Whether connections ever had to wait for reports to be taken.
    held: bool,
    trace: bool,
}

impl Sim {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Rng::new(seed, 78);
        let trace = std::env::var_os("SIM_TRACE").is_some();
        let settings = Settings {
            cap: dice.pick(&[1, 50, 300, 4096]),
            retry_min: dice.pick(&[200, 1000]) * MILLI,
            retry_max: dice.pick(&[1000, 5000]) * MILLI,
            connect_limit: dice.pick(&[300, 2000]) * MILLI,
            stall_limit: dice.pick(&[1000, 4000]) * MILLI,
            drain_limit: dice.pick(&[200, 1000]) * MILLI,
            chatter_max: dice.pick(&[100, 3000]),
        };
        let temper = Temper {
            delay_max: dice.pick(&[0, 5, 50]) * MILLI,
            lost: dice.pick(&[0, 200, 900]),
            late_max: dice.pick(&[10, 500]) * MILLI,
            hold_max: dice.pick(&[0, 1000]) * MILLI,
            stale: dice.pick(&[0, 500]),
            refused: dice.pick(&[0, 0, 100]),
        };
        let segment_len = dice.pick(&[64, 256, 1024]);
        let (logs, pieces) = (Pool::new(segment_len, 4), Pool::new(512, 4));
        let feeds = (0..1 + dice.below(3)).map(|_| Feed::new(&logs, segment_len * dice.pick(&[0, 1, 4, 16])));
        let feeds: Vec<_> = feeds.collect();
        let sessions = (0..1 + dice.below(5)).map(|at| {
            // Two sessions may have one server.
            let net = if at == 1 && dice.percent(30) { 0 } else { at };
            let server = |host| IpAddr::V4(Ipv4Addr::new(192, 0, u8::try_from(net).expect("few"), host));
            let mut plan = Plan::new(&format!("s{at}"), (server(1), 5000).into());
            plan.way = way(&mut dice);
            let id = u32::try_from(at).expect("few");
            Session::new(id, [server(1), server(2)], plan, dice.below(feeds.len()))
        });
        let sessions = sessions.collect();
        let (lines, seen) = (HashMap::new(), Seen { runs: 1, ..Seen::default() });
        let engine = Engine { sessions, feeds, lines, pieces, logs, seen };
        let mut twin = Twin::new(seed, temper.clone());
        if trace {
            twin.trace();
        }
        let fleet = Fleet::new(twin, settings.clone(), seed);
        Self {
            seed,
            dice,
            now: Duration::ZERO,
            settings,
            temper,
            engine,
            fleet,
            until: None,
            ordered: false,
            unpublished: false,
            deaf: 0,
            held: false,
            trace,
        }
    }

    pub(crate) fn run(mut self) -> Seen {
        for listener in 0..LISTENERS {
            self.listen(ListenerId(listener));
        }
        for _ in 0..100 + self.dice.below(600) {
            self.meddle();
            self.step();
        }
        if self.seed % 10 == 3 {
            self.storm();
        }
        self.calm();
        self.peace("after the storm");
        self.compare();
        for _ in 0..20 {
            let feed = self.dice.below(self.engine.feeds.len());
            self.engine.feeds[feed].append(&mut self.dice);
        }
        // Enough that every feed with a reader has news, and whoever waits would be woken for it.
        for feed in &mut self.engine.feeds {
            feed.append(&mut self.dice);
        }
        self.publish();
        let reads = self.engine.sessions.iter().any(|session| !session.rests);
        assert_eq!(self.fleet.has_news(), reads, "seed {}: news", self.seed);
        self.peace("after the last messages");
        self.compare();
        if self.dice.percent(50) {
            self.leave_all();
        } else {
            self.order(Order::Stop);
            let turn = self.fleet.turn(self.now);
            assert!(turn.stopped && turn.until.is_none(), "{turn:?}");
        }
        self.end();
        self.engine.seen
    }

    fn twin(&mut self) -> &mut Twin {
        self.fleet.driver()
    }

    fn order(&mut self, order: Order) {
        if self.trace {
            eprintln!("{:>12.6} order {order:?}", self.now.as_secs_f64());
        }
        self.fleet.order(self.now, order);
        self.ordered = true;
        self.look();
    }

    /// Time passes, and whoever is to be called is.
    fn step(&mut self) {
        let next = self.fleet.driver().next().into_iter().chain(self.until).min();
        let hop = self.dice.pick(&[1, 100, 1000, 5000, 20_000, 100_000]) * MILLI / 1000;
        let mut now = match next {
            // Orders are carried to the fleet and it is called, before anything else.
            _ if self.ordered => self.now + self.dice.pick(&[0, 1]) * MILLI,
            // Nothing happens before.
            Some(next) if self.dice.percent(40) => next.max(self.now),
            _ => self.now + hop,
        };
        // The fleet's deadlines are met, or missed by little.
        if let Some(until) = self.until.filter(|until| *until < now) {
            now = until.max(self.now) + self.dice.pick(&[0, 0, 20]) * LATE / 20;
        }
        self.step_to(now);
    }

    fn step_to(&mut self, now: Duration) {
        assert!(now < Duration::from_secs(3600), "it never ends");
        self.now = now;
        let woken = self.twin().step(now);
        if woken || self.ordered || self.until.is_some_and(|until| until <= now) || self.fleet.has_news() {
            self.ordered = false;
            let turn = self.fleet.turn(now);
            assert!(turn.until.is_none_or(|until| until > now), "{:?} is over at {now:?}", turn.until);
            self.until = turn.until;
            self.look();
        }
        if self.deaf > 0 {
            self.deaf -= 1;
        } else {
            self.take_reports();
        }
    }

    /// Looks at everybody: statuses say what is, and who reads its log.
    fn look(&mut self) {
        let held: HashMap<_, _> = self.fleet.driver().held().map(|token| (token.session, token)).collect();
        for status in self.fleet.survey(self.now).sessions {
            let token = held.get(&status.id).copied();
            let life = token.and_then(|token| self.fleet.driver().life(token));
            let connected = life.is_some_and(|life| life.connected_at.is_some());
            let what = || format!("{status:?} with {life:?}");
            assert_eq!(status.state.is_connected(), connected, "{}", what());
            assert_eq!(status.state == State::Connecting, life.is_some() && !connected, "{}", what());
            assert_eq!(status.ends.is_some(), connected, "{}", what());
            assert!(status.retry_at.is_none() || status.state == State::Waiting, "{}", what());
            assert!(status.since <= self.now, "{}", what());
            let first = self.engine.sessions[status.id.0 as usize].first_life;
            let live = token.filter(|_| status.state == State::Live);
            if let Some(line) = live.and_then(|token| self.engine.lines.get_mut(&token)) {
                line.live_at.get_or_insert(self.now);
            }
            let lives = self.fleet.driver().lives();
            let told = lives.filter(|life| {
                life.token.is_some_and(|token| token.session == status.id && token.life >= first)
            });
            assert_eq!(status.octets, told.map(|life| life.told).sum::<u64>(), "{status:?}");
        }
    }

    fn take_reports(&mut self) {
        let mut count = 0;
        while let Some(report) = self.fleet.next_report() {
            if self.trace {
                eprintln!("{:>12.6} report {report:?}", self.now.as_secs_f64());
            }
            count += 1;
            if let Report::Up(token, ends) = report {
                let life = self.fleet.driver().life(token).expect("it was made");
                assert_eq!(ends.remote.ip(), life.server);
            }
            self.engine.report(report, &self.settings, &mut self.dice);
        }
        let few = self.engine.sessions.len() * 8 + LISTENERS as usize * 8;
        assert!(count <= REPORTS_HELD + few, "{count} reports");
    }

    /// Somebody does something.
    fn meddle(&mut self) {
        if self.dice.percent(5) {
            self.deaf = self.dice.below(20);
        }
        for at in 0..self.engine.sessions.len() {
            if self.dice.percent(60)
                && let Some(order) = self.engine.hand(at, &mut self.dice)
            {
                self.order(order);
            }
        }
        let session = self.dice.below(self.engine.sessions.len());
        match self.dice.below(100) {
            0..40 => {
                let feed = self.dice.below(self.engine.feeds.len());
                for _ in 0..1 + self.dice.below(8) {
                    self.engine.feeds[feed].append(&mut self.dice);
                }
                self.unpublished = true;
            }
            40..52 => {
                let manner = self.manner();
                let server = self.server(session);
                self.note(format_args!("{server} {manner:?}"));
                self.twin().set_manner(server, manner);
            }
            52..54 => {
                let server = self.server(session);
                self.twin().reset(server);
            }
            54..56 => {
                let server = self.server(session);
                self.twin().end(server);
            }
            56..59 => {
                let (server, octets) = (self.server(session), self.dice.below(200));
                self.twin().say(server, octets);
            }
            59..66 => {
                let server = if self.dice.percent(80) { self.server(session) } else { stranger() };
                let listener = ListenerId(u32::try_from(self.dice.below(LISTENERS as usize)).expect("few"));
                self.twin().knock(server, listener);
            }
            66..78 => self.open(session),
            78..84 => self.leave(session),
            84..87 => self.rekey(session),
            87..89 => {
                self.settings.cap = self.dice.pick(&[1, 50, 300, 4096]);
                self.order(Order::Settings(Box::new(self.settings.clone())));
            }
            89..91 => {
                let listener = ListenerId(u32::try_from(self.dice.below(LISTENERS as usize)).expect("few"));
                if self.dice.percent(50) {
                    self.listen(listener)
                } else {
                    self.order(Order::Unlisten(listener))
                }
            }
            91..93 => self.survey(),
            _ => {}
        }
        if self.unpublished && self.dice.percent(70) {
            self.publish();
        }
    }

    fn note(&self, what: std::fmt::Arguments<'_>) {
        if self.trace {
            eprintln!("{:>12.6} {what}", self.now.as_secs_f64());
        }
    }

    fn publish(&mut self) {
        self.unpublished = false;
        for feed in &mut self.engine.feeds {
            feed.log.publish();
        }
    }

    fn server(&mut self, session: usize) -> IpAddr {
        self.dice.pick(&self.engine.sessions[session].servers)
    }

    fn manner(&mut self) -> Manner {
        let dice = &mut self.dice;
        let rare = |dice: &mut Rng| dice.pick(&[0, 0, 0, 0, 0, 0, 2, 20]);
        Manner {
            answer: dice.pick(&[
                Answer::Accept,
                Answer::Accept,
                Answer::Accept,
                Answer::Accept,
                Answer::Refuse,
                Answer::Silence,
            ]),
            window: dice.pick(&[1, 10, 200, 5000]),
            bite: dice.pick(&[0, 0, 1, 30, 500, 5000]),
            pause: dice.pick(&[0, 1, 10, 50]) * MILLI,
            ends_back: dice.percent(80),
            reset_after: if dice.percent(15) { Some(dice.below(800)) } else { None },
            resets: rare(dice),
            ends: rare(dice),
            talks: rare(dice),
        }
    }

    fn open(&mut self, at: usize) {
        let now = self.now;
        if self.engine.sessions[at].forgetting {
            // Its number is not free yet.
            return;
        }
        if self.dice.percent(30) {
            let server = self.server(at);
            let same = self.dice.percent(50);
            let way = way(&mut self.dice);
            let plan = &mut self.engine.sessions[at].plan;
            plan.server = server;
            plan.way = if same { plan.way } else { way };
        }
        self.sign(at);
        let session = &mut self.engine.sessions[at];
        session.orders.push((now, Some(session.plan.server)));
        let order = Order::Open(session.id, Box::new(session.plan.clone()));
        self.order(order);
    }

    /// What a passive session signs with: its server decides, so that all sessions of one say the same.
    fn sign(&mut self, at: usize) {
        let plan = &mut self.engine.sessions[at].plan;
        let IpAddr::V4(server) = plan.server else { unreachable!("ours are of IPv4") };
        let signs = matches!(plan.way, Way::Passive(_)) && server.octets()[2] % 2 == 0;
        plan.auth = if signs { Auth::Md5(Secret::new(&server.octets())) } else { Auth::None };
    }

    fn leave(&mut self, at: usize) {
        let then = self.dice.pick(&[Then::Again, Then::Rest, Then::Forget]);
        let (now, session) = (self.now, &self.engine.sessions[at]);
        let id = session.id;
        if session.forgetting || self.fleet.status(id).is_none() {
            return;
        }
        let mut token = session.up.unwrap_or(Token { session: id, life: session.life.unwrap_or(0) });
        if self.dice.percent(10) {
            // One that is long gone.
            token.life = token.life.saturating_sub(1);
        }
        self.engine.sessions[at].orders.push((now, None));
        self.engine.sessions[at].forgetting = then == Then::Forget;
        let (octets, reader) = self.engine.farewell(&mut self.dice);
        let farewell = self.dice.percent(80).then_some(reader);
        let state = self.fleet.status(id).map(|status| status.state);
        let stands = matches!(state, Some(State::Greeting | State::CatchingUp | State::Live));
        let theirs = self.fleet.driver().held().any(|held| held == token);
        if let Some(line) = self.engine.lines.get_mut(&token)
            && stands
            && theirs
        {
            line.left_at = Some(now);
            line.farewell = farewell.is_some().then_some(octets);
        }
        self.order(Order::Leave { token, farewell, then });
    }

    fn rekey(&mut self, at: usize) {
        let session = &self.engine.sessions[at];
        // The engine gives new keys to what it opened, and nothing else that is new.
        let held = self.fleet.driver().held().find(|token| token.session == session.id);
        let other = held.and_then(|token| self.fleet.driver().life(token));
        if other.is_some_and(|life| life.server != self.engine.sessions[at].plan.server) {
            return;
        }
        let session = &self.engine.sessions[at];
        let order = Order::Rekey(session.id, Box::new(session.plan.clone()));
        self.engine.seen.rekeys += 1;
        self.order(order);
    }

    fn listen(&mut self, id: ListenerId) {
        let address = (Ipv4Addr::UNSPECIFIED, 0).into();
        let listen = Listen { name: Arc::from("l"), address, instance: Instance::Public };
        self.order(Order::Listen(id, Box::new(listen)));
    }

    fn survey(&mut self) {
        let seen = Arc::new(Mutex::new(None));
        let place = seen.clone();
        self.order(Order::Survey(Box::new(move |survey| {
            *place.lock().expect("alone") = Some(survey.sessions.iter().map(|status| status.id).collect());
        })));
        let seen: Vec<SessionId> = seen.lock().expect("alone").take().expect("it was called");
        assert!(seen.is_sorted());
    }

    /// *bounded*: so many strangers come that reports wait, and then nothing begins until they are taken.
    fn storm(&mut self) {
        self.take_reports();
        self.deaf = usize::MAX;
        let manner = Manner { answer: Answer::Accept, ..Manner::default() };
        for listener in 0..LISTENERS {
            self.listen(ListenerId(listener));
        }
        let Some(listener) = (0..LISTENERS).map(ListenerId).find(|id| self.twin().listening(*id).is_some())
        else {
            self.deaf = 0;
            return;
        };
        for _ in 0..REPORTS_HELD + 500 {
            self.twin().knock(stranger(), listener);
        }
        let all_told = self.now + self.temper.delay_max + self.temper.late_max + MILLI;
        while self.now < all_told {
            self.step();
        }
        // Whoever is somewhere in between now is there by then.
        let settled = |twin: &Twin| twin.lives().filter(|life| life.token.is_some()).count();
        let before = settled(self.twin());
        let servers: Vec<_> = self.engine.sessions.iter().flat_map(|session| session.servers).collect();
        for server in servers {
            self.twin().set_manner(server, manner.clone());
            self.twin().reset(server);
            self.twin().knock(server, listener);
        }
        for at in 0..self.engine.sessions.len() {
            self.open(at);
        }
        let end = self.now + Duration::from_secs(3);
        while self.now < end {
            self.step();
        }
        assert_eq!(settled(self.twin()), before, "connections began while reports waited");
        (self.deaf, self.held) = (0, true);
        self.engine.seen.held += 1;
        self.take_reports();
        self.ordered = true;
    }

    /// Servers are well, and everyone is told what to be.
    fn calm(&mut self) {
        self.deaf = 0;
        // Some begin to read what was not published yet, and wait beside others who are behind them.
        for feed in 0..self.engine.feeds.len() {
            self.engine.feeds[feed].append(&mut self.dice);
        }
        for _ in 0..30 {
            for at in 0..self.engine.sessions.len() {
                if let Some(order) = self.engine.hand(at, &mut self.dice) {
                    self.order(order);
                }
            }
            self.step();
        }
        self.publish();
        let temper = Temper { refused: 0, ..self.temper.clone() };
        self.twin().set_temper(temper);
        for session in 0..self.engine.sessions.len() {
            for server in self.engine.sessions[session].servers {
                self.twin().set_manner(server, Manner::default());
            }
        }
        for listener in 0..LISTENERS {
            self.listen(ListenerId(listener));
        }
        for at in 0..self.engine.sessions.len() {
            self.engine.sessions[at].rests = self.dice.percent(20);
            self.open(at);
            let Session { id, life, rests, .. } = self.engine.sessions[at];
            if rests && self.fleet.status(id).is_some() {
                // Not by the name of what it has, which it has to lose all the same.
                let token = Token { session: id, life: life.unwrap_or(0).saturating_sub(1) };
                self.engine.sessions[at].orders.push((self.now, None));
                self.order(Order::Leave { token, farewell: None, then: Then::Rest });
            }
        }
    }

    /// Nothing happens but what must, until all is as it should be.
    fn peace(&mut self, when: &str) {
        let end = self.now + PEACE;
        let mut knock_at = self.now;
        loop {
            self.take_reports();
            let mut any = true;
            while any {
                any = false;
                for at in 0..self.engine.sessions.len() {
                    if let Some(order) = self.engine.hand(at, &mut self.dice) {
                        any = true;
                        self.order(order);
                    }
                }
            }
            if self.now >= knock_at {
                knock_at = self.now + Duration::from_secs(1);
                self.knock_all();
            }
            for at in 0..self.engine.sessions.len() {
                let session = &self.engine.sessions[at];
                if self.fleet.status(session.id).is_none() && !session.rests {
                    self.open(at);
                }
            }
            let Some(missing) = self.missing() else { return };
            assert!(self.now < end, "seed {}, {when}: {missing}", self.seed);
            let next = self.fleet.driver().next().into_iter().chain(self.until).chain([knock_at]).min();
            let now = next.expect("there is a next knock").max(self.now);
            self.step_to(now);
        }
    }

    /// Servers of passive sessions that have no connection connect.
    fn knock_all(&mut self) {
        let mut wanted: BTreeMap<(IpAddr, ListenerId), usize> = BTreeMap::new();
        for session in &self.engine.sessions {
            if let Way::Passive(listener) = session.plan.way
                && !session.rests
                && self.fleet.status(session.id).is_some_and(|status| !status.state.is_connected())
            {
                *wanted.entry((session.plan.server, listener)).or_default() += 1;
            }
        }
        for ((server, listener), count) in wanted {
            for _ in 0..count {
                self.twin().knock(server, listener);
            }
        }
    }

    /// Somebody who is not as it should be.
    fn missing(&mut self) -> Option<String> {
        for at in 0..self.engine.sessions.len() {
            let session = &self.engine.sessions[at];
            let status = self.fleet.status(session.id);
            if session.rests {
                match status {
                    Some(status) if status.state != State::Idle => return Some(format!("{status:?} rests")),
                    _ => continue,
                }
            }
            let Some(token) = session.up.filter(|_| session.handed()) else {
                return Some(format!("{:?} has no connection: {status:?}", session.id));
            };
            let (life, handed) = (self.fleet.driver().life(token), self.engine.handed(token).len());
            let got = life.map_or(0, |life| life.octets.len());
            let lag = status.as_ref().is_some_and(|status| status.lag > 0);
            if got < handed || lag || status.as_ref().is_none_or(|status| status.state != State::Live) {
                return Some(format!("{token:?} got {got} of {handed} octets: {status:?}, {life:?}"));
            }
        }
        None
    }

    /// Everyone has all, and everything that was told is so.
    fn compare(&mut self) {
        let lives: Vec<_> = self.fleet.driver().lives().cloned().collect();
        for life in &lives {
            self.engine.check_octets(life);
            self.engine.check_times(life, &self.settings);
            let Some(token) = life.token else { continue };
            let session = &self.engine.sessions[token.session.0 as usize];
            // Whoever is connected is so by the last plan there was.
            let (Some(connected_at), begun_at) = (life.connected_at, life.begun_at) else { continue };
            let mut plans =
                session.orders.iter().filter_map(|(time, server)| server.map(|server| (*time, server)));
            let unsure = plans.clone().any(|(time, _)| time == connected_at || time == begun_at);
            let last = plans.rfind(|(time, _)| *time < connected_at);
            if let Some((time, server)) = last.filter(|_| !unsure) {
                assert_eq!(life.server, server, "{token:?}: the plan since {time:?}: {life:?}");
            }
        }
        for at in 0..self.engine.sessions.len() {
            let twin = self.fleet.driver();
            self.engine.check_back_off(at, twin, &self.settings, self.held);
            let session = &self.engine.sessions[at];
            if session.rests {
                continue;
            }
            let status = self.fleet.status(session.id).expect("it was opened");
            let token = session.up.expect("it is up");
            let life = self.fleet.driver().life(token).expect("it was made");
            assert_eq!(life.octets, self.engine.handed(token), "{token:?}");
            assert_eq!(
                (status.connections, status.falls, status.lag, status.retry_at),
                (self.engine.sessions[at].ups, self.engine.sessions[at].falls, 0, None),
                "{status:?}"
            );
        }
        if self.temper.refused == 0 {
            let known = |session: &&Session| self.fleet.status(session.id).is_some();
            let sessions = self.engine.sessions.iter().filter(known).map(|session| &session.plan);
            let wanted: BTreeMap<_, _> = sessions
                .filter_map(|plan| match plan.way {
                    Way::Passive(listener) if plan.auth != Auth::None => {
                        Some(((listener, plan.server), plan.auth.clone()))
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(*self.fleet.driver().keys(), wanted, "seed {}: keys of listeners", self.seed);
        }
    }

    /// All take leave, and are told so.
    fn leave_all(&mut self) {
        let drain_limit = Duration::from_secs(5);
        self.settings.drain_limit = drain_limit;
        self.order(Order::Settings(Box::new(self.settings.clone())));
        let mut left = Vec::new();
        for at in 0..self.engine.sessions.len() {
            let Session { id, up, rests, .. } = self.engine.sessions[at];
            let token = up.unwrap_or(Token { session: id, life: 0 });
            if rests {
                self.engine.sessions[at].forgetting = self.fleet.status(id).is_some();
                self.order(Order::Leave { token, farewell: None, then: Then::Forget });
                continue;
            }
            let (octets, reader) = self.engine.farewell(&mut self.dice);
            let line = self.engine.lines.get_mut(&token).expect("it is up");
            (line.left_at, line.farewell) = (Some(self.now), Some(octets));
            self.engine.sessions[at].forgetting = true;
            left.push(token);
            self.order(Order::Leave { token, farewell: Some(reader), then: Then::Forget });
        }
        let end = self.now + drain_limit;
        while self.fleet.survey(self.now).sessions.iter().any(|_| true) {
            assert!(
                self.now < end,
                "seed {}: who was to be forgotten is there: {:?}",
                self.seed,
                self.fleet.survey(self.now)
            );
            let next = self.fleet.driver().next().into_iter().chain(self.until).min();
            self.step_to(next.expect("something goes on").max(self.now));
        }
        self.take_reports();
        for token in left {
            let life = self.fleet.driver().life(token).expect("it was made").clone();
            let mut wanted = self.engine.handed(token);
            if !wanted.is_empty() {
                wanted.extend(self.engine.lines[&token].farewell.as_deref().expect("it has one"));
            }
            assert_eq!(life.octets, wanted, "{token:?}");
            assert!(life.whole, "{token:?} was not told that this is all: {life:?}");
            self.engine.check_octets(&life);
            assert_eq!(self.engine.sessions[token.session.0 as usize].up, None, "{token:?}: no Down");
        }
    }

    /// *clean*.
    fn end(&mut self) {
        self.step_to(self.now + Duration::from_secs(10));
        let held: Vec<_> = self.fleet.driver().held().collect();
        assert!(held.is_empty(), "seed {}: never closed: {held:?}", self.seed);
        assert_eq!(self.fleet.driver().in_flight(), 0);
        let keys = self.fleet.driver().keys();
        assert!(keys.is_empty() || self.temper.refused > 0, "seed {}: {keys:?}", self.seed);
        for (name, pool) in [("logs", &self.engine.logs), ("pieces", &self.engine.pieces)] {
            assert_eq!(pool.usage().stragglers, 0, "seed {}: {name}: {:?}", self.seed, pool.usage());
        }
    }
}

fn way(dice: &mut Rng) -> Way {
    if dice.percent(65) {
        Way::Active(5000)
    } else {
        Way::Passive(ListenerId(u32::try_from(dice.below(LISTENERS as usize)).expect("few")))
    }
}

fn stranger() -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9))
}
