//! What a difference does to servers: the thread that mirrors, over real sockets.
//!
//! ```text
//!   lane of a router ─► thread::start ─► 200 servers on loopback, each a running hash of what it gets
//!                          ▲
//!                          └── differences: one session changes, again and again
//! ```

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use config::difference::{Change, Step};
use config::meaning::{Meaning, Monitor, Scope, Session, SessionKey, Way};
use config::secret::Vault;
use config::shell::Target;
use engine::core::Record;
use engine::journal::{Form, Journal};
use engine::picture::Picture;
use engine::thread::{Handle, Settings, start};
use jiff::tz::TimeZone;
use tests::station::{Station, difference};
use wire::bmp::{Frame, TerminationReason, termination};
use writer::Io;

const PATIENCE: Duration = Duration::from_secs(60);

/// What one server got, connection by connection.
#[derive(Default)]
struct Got {
    /// Of each connection: octets, and a hash of them.
    connections: Vec<(usize, u64)>,
    station: Station,
}

/// A server of one connection; if it is watched, of all that come until it is told that it is over.
fn server(watch: Option<&Arc<AtomicBool>>) -> (u16, JoinHandle<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let over = watch.cloned();
    let serve = move || {
        let watch = over.is_some();
        let mut got = Got::default();
        // Who is not watched has one connection, and hears nothing more when that is over.
        while watch || got.connections.is_empty() {
            listener.set_nonblocking(watch).expect("a mode");
            let stream = loop {
                match listener.accept() {
                    Ok((stream, _)) => break Some(stream),
                    Err(_) if over.as_ref().is_some_and(|over| over.load(Ordering::Relaxed)) => break None,
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            };
            let Some(mut stream) = stream else { break };
            stream.set_nonblocking(false).expect("a mode");
            stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
            got.station.reconnect();
            let (mut octets, mut hash) = (0, EMPTY);
            let mut room = vec![0; 64 << 10];
            while let Ok(len @ 1..) = stream.read(&mut room) {
                octets += len;
                hash = hashed(hash, &room[..len]);
                if watch {
                    got.station.take(&room[..len]).expect("a stream that keeps the rules");
                }
            }
            got.connections.push((octets, hash));
        }
        got
    };
    (port, thread::Builder::new().stack_size(256 << 10).spawn(serve).expect("a thread"))
}

/// FNV-1a: what comes in is hashed as it comes, however it is cut.
fn hashed(hash: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(hash, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3))
}

const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

fn nothing() -> Meaning {
    Meaning { sysname: Some(Arc::from("mirror1")), enabled: true, retry_s: (1, 2), ..Meaning::default() }
}

fn session(port: u16) -> Session {
    let alias = Some(Arc::from(port.to_string()));
    let key = SessionKey { instance: None, address: IpAddr::V4(Ipv4Addr::LOCALHOST), alias };
    Session { way: Some(Way::Active(port)), ..Session::new(key) }
}

/// The engine's thread, and what is configured.
struct Engine {
    handle: Handle,
    meaning: Meaning,
    runtime: tokio::runtime::Runtime,
}

impl Engine {
    fn start(io: Io) -> Self {
        let settings = Settings {
            io,
            seed: 1,
            zone: TimeZone::UTC,
            host: String::from("mirror1"),
            vault: Arc::new(Vault::new([7; 32])),
            journal: Journal::new(Form::Text),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut engine = Self { handle: start(settings).expect("a thread"), meaning: nothing(), runtime };
        engine.apply(vec![Step::Settings]);
        engine
    }

    fn apply(&mut self, steps: Vec<Step>) {
        for step in &steps {
            match step {
                Step::Add(session) | Step::Change(session, _) => {
                    self.meaning.sessions.insert(session.key.clone(), session.clone());
                }
                Step::Remove(key) => drop(self.meaning.sessions.remove(key)),
                _ => {}
            }
        }
        self.runtime.block_on(self.handle.apply(Arc::new(self.meaning.clone()), steps));
    }

    fn picture(&self) -> Picture {
        self.runtime.block_on(self.handle.picture())
    }

    /// Looks until something is so, in two pictures that follow each other: in one of them the writer's part is
    /// a moment older than the mirror's.
    fn until(&self, what: &str, holds: impl Fn(&Picture) -> bool) -> Picture {
        let begun = Instant::now();
        let mut held = false;
        loop {
            let picture = self.picture();
            let holds = holds(&picture);
            if holds && std::mem::replace(&mut held, holds) {
                return picture;
            }
            held = holds;
            assert!(begun.elapsed() < PATIENCE, "{PATIENCE:?} went by, and not yet: {what}: {picture:#?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn all_up(picture: &Picture) -> bool {
    picture.sessions.iter().all(|session| session.state == "Up")
}

fn all_live(picture: &Picture) -> bool {
    let connections = picture.sessions.iter().flat_map(|session| &session.connections);
    all_up(picture)
        && connections.clone().all(|connection| connection.state == "live" && connection.lag_octets == 0)
}

/// A stream in two: its first message, and the rest.
fn stream(messages: usize) -> (Bytes, Bytes) {
    let (octets, _) = tests::stream::bmp(5, messages);
    let (first, _) = Frame::split(&octets).expect("BMP").expect("a whole message");
    let first = first.bytes().len();
    let octets = Bytes::from(octets);
    (octets.slice(..first), octets.slice(first..))
}

/// Pushes a stream in slices of whole messages, with pauses.
fn feed(inlet: &mut queue::ring::Inlet<Record>, stream: &Bytes, pause: Duration) {
    let mut rest = stream.clone();
    while !rest.is_empty() {
        let mut len = 0;
        while len < 16 << 10
            && let Some((frame, _)) = Frame::split(&rest[len..]).expect("BMP")
        {
            len += frame.bytes().len();
        }
        let mut record = Record::Messages(rest.split_to(len));
        while let Err(back) = inlet.push(record) {
            record = back.0;
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(pause);
    }
}

#[test]
fn one_of_two_hundred() {
    const SERVERS: usize = 200;
    const CHANGED: usize = 100;
    for io in [Io::Uring, Io::Epoll] {
        if io == Io::Uring && writer::check::io_uring().is_err() {
            println!("no io_uring here: epoll alone");
            continue;
        }
        let (first, rest) = stream(30_000);
        let mut engine = Engine::start(io);
        let mut inlet = engine.handle.gate().open(64).expect("a lane");
        inlet.push(Record::Of { router: Arc::from("rr1"), connection: 1 }).expect("room");
        inlet.push(Record::Messages(first.clone())).expect("room");
        engine.until("the router", |picture| picture.routers.iter().any(|router| router.messages > 0));

        let over = Arc::new(AtomicBool::new(false));
        let servers: Vec<_> =
            (0..SERVERS).map(|number| server((number == CHANGED).then_some(&over))).collect();
        let (spare_port, spare) = server(Some(&over));
        let steps = servers.iter().map(|(port, _)| Step::Add(Arc::new(session(*port)))).collect();
        engine.apply(steps);
        engine.until("all up", |picture| picture.sessions.len() == SERVERS && all_up(picture));

        let feeder = thread::spawn({
            let rest = rest.clone();
            move || {
                feed(&mut inlet, &rest, Duration::from_millis(5));
                inlet
            }
        });
        // Meanwhile one session is changed in every way there is.
        let one = session(servers[CHANGED].0);
        let alias = one.key.alias.as_deref().map(str::to_owned);
        let mut changed = one.clone();
        changed.description = Some(Arc::from("analytics"));
        engine.apply(vec![Step::Change(Arc::new(changed.clone()), Change::Quiet)]);
        changed.monitors = vec![Monitor { scope: Scope::Public, tables: Vec::new() }];
        engine.apply(vec![Step::Change(Arc::new(changed.clone()), Change::Reconnect)]);
        engine.until("up again", all_up);
        changed.dscp = Some(10);
        engine.apply(vec![Step::Change(Arc::new(changed.clone()), Change::AtReset)]);
        let waits = |picture: &Picture| picture.sessions.iter().filter(|session| session.changed).count();
        assert_eq!(waits(&engine.picture()), 1, "it waits for its reset");
        let reset = engine.runtime.block_on(engine.handle.reset_sessions(Target::One(one.key.clone())));
        assert_eq!(reset, 1);
        // A session is up until its connection is gone: it is the next one that counts.
        let again = |picture: &Picture| {
            let one = picture.sessions.iter().find(|session| session.alias == alias);
            one.is_some_and(|one| one.connections.iter().all(|connection| connection.connects == 2))
        };
        engine.until("reset", |picture| all_up(picture) && waits(picture) == 0 && again(picture));
        changed.shutdown = true;
        engine.apply(vec![Step::Change(Arc::new(changed.clone()), Change::Stop)]);
        let picture = engine.picture();
        let stopped = picture.sessions.iter().find(|session| session.state == "Down").expect("one is down");
        assert_eq!(stopped.reason.as_deref(), Some("Manual Stop"));
        changed.shutdown = false;
        engine.apply(vec![Step::Change(Arc::new(changed), Change::Start)]);
        engine.until("up once more", all_up);
        engine.apply(vec![Step::Remove(one.key.clone()), Step::Add(Arc::new(session(spare_port)))]);
        engine.apply(vec![Step::Add(Arc::new(one))]);
        let lane = feeder.join().expect("the feeder");
        let picture = engine.until("all told", |picture| {
            picture.sessions.len() == SERVERS + 1
                && all_live(picture)
                && picture.routers[0].messages >= 30_000
        });
        let messages = picture.routers[0].messages;
        engine.runtime.block_on(engine.handle.leave());
        drop(lane);
        over.store(true, Ordering::Relaxed);

        let mut last = [0; 64];
        let len = termination(&mut last, TerminationReason::ADMINISTRATIVELY_CLOSED, &[]).expect("room");
        let whole = [&first[..], &rest[..], &last[..len]].concat();
        let wanted = (whole.len(), hashed(EMPTY, &whole));
        let mut stations = Vec::new();
        for (number, (_, thread)) in servers.into_iter().enumerate() {
            let got = thread.join().expect("a server");
            if number == CHANGED {
                assert_eq!(got.connections.len(), 5, "first, reconnect, reset, start, added again");
                stations.push(got.station);
            } else {
                assert_eq!(got.connections, [wanted], "server {number} of {messages} messages");
            }
        }
        stations.push(spare.join().expect("a server").station);
        let mut reference = Station::new();
        reference.take(&whole).expect("a stream that keeps the rules");
        for (station, who) in stations.iter().zip(["the changed one", "the late one"]) {
            assert_eq!(station.terminated(), Some(0), "{who}");
            if let Some(difference) = difference(station.tables(), reference.tables()) {
                panic!("{who}: held against wanted:\n{difference}");
            }
        }
    }
}

/// What a connection brings until it ends or there is enough of it.
fn read_until(stream: &mut std::net::TcpStream, station: &mut Station, enough: impl Fn(&Station) -> bool) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut room = vec![0; 64 << 10];
    while !enough(station) {
        match stream.read(&mut room) {
            Ok(len @ 1..) => station.take(&room[..len]).expect("a stream that keeps the rules"),
            _ => return,
        }
    }
}

fn initiation(station: &Station) -> bool {
    station.heard().contains_key(&4)
}

/// Until a router comes there is a connection about ourselves; it says that we are there.
#[test]
fn ourselves_until_a_router_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut engine = Engine::start(Io::Epoll);
    let mut one = session(listener.local_addr().expect("an address").port());
    engine.apply(vec![Step::Add(Arc::new(one.clone()))]);
    let (mut first, _) = listener.accept().expect("a connection");
    let mut station = Station::new();
    read_until(&mut first, &mut station, initiation);
    let routers = |picture: &Picture| -> Vec<String> {
        let connections = picture.sessions.iter().flat_map(|session| &session.connections);
        connections.map(|connection| connection.router.clone()).collect()
    };
    assert_eq!(routers(&engine.until("up", all_up)), ["mirror1"]);

    // Another name, another Initiation.
    engine.apply(vec![Step::Sysname(Some(Arc::from("mirror2")))]);
    read_until(&mut first, &mut station, |_| false);
    assert_eq!(station.terminated(), Some(0));
    let (mut second, _) = listener.accept().expect("a connection");
    assert_eq!(routers(&engine.until("up", all_up)), ["mirror2"]);

    let lane = |name: &str| {
        let mut lane = engine.handle.gate().open(4).expect("a lane");
        lane.push(Record::Of { router: Arc::from(name), connection: 1 }).expect("room");
        lane
    };
    let lanes = [lane("rr1"), lane("rr2")];
    station.reconnect();
    read_until(&mut second, &mut station, |_| false);
    assert_eq!(station.terminated(), Some(0), "there is another router to tell of");
    let streams = [listener.accept().expect("a connection"), listener.accept().expect("a connection")];
    assert_eq!(routers(&engine.until("up", all_up)), ["rr1", "rr2"]);

    // One that names a router gets that one alone, and one that nobody is monitored by is down.
    for (name, wanted) in [("rr2", vec!["rr2"]), ("rr3", vec![])] {
        one.monitors = vec![Monitor { scope: Scope::Router(Arc::from(name)), tables: Vec::new() }];
        engine.apply(vec![Step::Change(Arc::new(one.clone()), Change::Reconnect)]);
        let state = if wanted.is_empty() { "Down" } else { "Up" };
        let settled =
            |picture: &Picture| picture.sessions[0].state == state && picture.feeds.len() == wanted.len();
        assert_eq!(routers(&engine.until(name, settled)), wanted);
    }
    // A router that is gone is forgotten by a reset, and not before.
    let reset = |name| engine.runtime.block_on(engine.handle.reset_routers(Some(Arc::from(name))));
    assert_eq!(reset("rr1"), 1);
    assert_eq!(engine.picture().routers.len(), 2, "it is there, and not by a connection of its own");
    drop((lanes, streams));
    engine.until("gone", |picture| picture.routers.iter().all(|router| router.state == "down"));
    assert_eq!(reset("rr1"), 1);
    assert_eq!(engine.picture().routers.len(), 1);
}

/// The server connects to us, and again after a reset; nobody else may.
#[test]
fn passive_sessions() {
    for io in [Io::Uring, Io::Epoll] {
        if io == Io::Uring && writer::check::io_uring().is_err() {
            println!("no io_uring here: epoll alone");
            continue;
        }
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut engine = Engine::start(io);
        let one = Session { way: Some(Way::Passive(port)), ..session(port) };
        engine.apply(vec![Step::Add(Arc::new(one.clone()))]);
        let connect = || {
            let begun = Instant::now();
            loop {
                match std::net::TcpStream::connect(("127.0.0.1", port)) {
                    Ok(stream) => return stream,
                    Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
                }
                thread::sleep(Duration::from_millis(5));
            }
        };
        let waiting = engine.picture();
        assert_eq!(waiting.sessions[0].reason.as_deref(), Some("The server has not connected"));
        let mut station = Station::new();
        let mut stream = connect();
        read_until(&mut stream, &mut station, initiation);
        engine.until("up", all_up);
        assert_eq!(engine.runtime.block_on(engine.handle.reset_sessions(Target::All)), 1);
        read_until(&mut stream, &mut station, |_| false);
        assert_eq!(station.terminated(), Some(0));
        station.reconnect();
        let mut stream = connect();
        read_until(&mut stream, &mut station, initiation);
        engine.until("up again", all_up);
        engine.apply(vec![Step::Remove(one.key.clone())]);
        read_until(&mut stream, &mut station, |_| false);
        assert_eq!(station.terminated(), Some(4), "for good");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "nobody listens any more");
        }
    }
}

/// Peers of whom the router reports nothing are reported, and a picture shows all of it.
#[test]
fn statistics_and_pictures() {
    let over = Arc::new(AtomicBool::new(false));
    let (port, thread) = server(Some(&over));
    let mut engine = Engine::start(Io::Epoll);
    engine.meaning.statistics_s = 1;
    engine.apply(vec![Step::Settings, Step::Add(Arc::new(session(port)))]);
    let mut lane = engine.handle.gate().open(64).expect("a lane");
    lane.push(Record::Of { router: Arc::from("rr1"), connection: 1 }).expect("room");
    // Without the router's own Statistics Reports.
    let (octets, answer) = tests::stream::bmp(9, 2_000);
    let mut rest = &octets[..];
    let mut quiet = Vec::new();
    while let Some((frame, tail)) = Frame::split(rest).expect("BMP") {
        if frame.kind() != wire::bmp::Kind::STATISTICS {
            quiet.extend_from_slice(frame.bytes());
        }
        rest = tail;
    }
    lane.push(Record::Came(1)).expect("room");
    lane.push(Record::Messages(Bytes::from(quiet))).expect("room");
    let picture = engine.until("reported twice", |picture| {
        all_live(picture) && picture.sessions[0].connections[0].sent.statistics_report >= 14
    });
    let [router] = &picture.routers[..] else { panic!("one router: {:?}", picture.routers) };
    assert_eq!(
        (&*router.name, router.state, router.route_monitoring),
        ("rr1", "up", answer.route_monitoring as u64)
    );
    assert_eq!(router.peers.len(), 7);
    let paths: u64 = router.peers.iter().flat_map(|peer| &peer.tables).map(|table| table.paths).sum();
    assert_eq!(paths, picture.memory.paths);
    let updates: u64 = router.peers.iter().map(|peer| peer.updates).sum();
    assert_eq!(updates, answer.route_monitoring as u64);
    let [feed] = &picture.feeds[..] else { panic!("one feed: {:?}", picture.feeds) };
    assert_eq!((&*feed.router, feed.sessions), ("rr1", 1));
    assert!(picture.latency.queue_to_log.count >= 1 && picture.memory.resident_octets > 1 << 20);
    let sent = picture.sessions[0].connections[0].sent;
    // What came before it was connected it was told packed.
    assert!(sent.route_monitoring > 0 && sent.peer_up == 7, "{sent:?}");
    engine.runtime.block_on(engine.handle.leave());
    over.store(true, Ordering::Relaxed);
    let got = thread.join().expect("a server");
    assert_eq!(got.station.tally().messages[&0] as u64, sent.route_monitoring);
    assert!(got.station.statistics().len() >= 7, "a report of each peer");
    assert!(!engine.runtime.block_on(engine.handle.turns()), "it has ended");
}
