//! Writers and servers, over real sockets: each scenario with each driver.
//!
//! ```text
//!   engine ─ orders ─► writer ═══ TCP ═══► host: reads, drips, stalls, talks, dies, comes back
//!     ▲                  │                   │
//!     └──── reports ─────┘                   └─► checker: nothing lost, doubled, reordered or torn
//! ```
//!
//! Deadlines are generous, for machines that are busy with something else; what is waited for is seen, not
//! slept for. `cargo test -- --ignored` runs the long versions.

#[path = "servers/engine.rs"]
mod engine;
#[path = "servers/host.rs"]
mod host;
#[path = "servers/place.rs"]
mod place;
#[path = "servers/stream.rs"]
mod stream;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use engine::{Engine, SOON, active, listen, passive, quick};
use host::{End, Host, Reads};
use place::{Cpu, alone, descriptors, in_networks, resident};
use writer::Io;
use writer::fleet::{ListenerId, Order, Reason, Settings, State, Then};

/// Each of these for both drivers.
macro_rules! scenarios {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        mod uring { $(#[test] $(#[$meta])* fn $name() { super::with(super::Io::Uring, super::$name); })* }
        mod epoll { $(#[test] $(#[$meta])* fn $name() { super::with(super::Io::Epoll, super::$name); })* }
    };
}

scenarios! {
    greetings_and_then_the_log,
    messages_of_all_sizes,
    a_thousand_sessions,
    ipv6,
    a_server_that_dies_and_comes_back,
    a_server_that_resets,
    a_server_that_flaps,
    a_port_where_nobody_listens,
    a_server_that_never_answers,
    a_server_that_vanishes,
    a_window_that_closes_for_a_while,
    #[ignore = "takes over a minute"]
    a_window_that_closes_for_a_minute,
    a_server_that_drips,
    a_server_that_never_reads,
    a_server_that_falls_off,
    a_log_that_goes_before_it_is_reached,
    a_server_that_talks,
    servers_that_connect,
    a_server_that_connects_anew,
    no_descriptors_left,
    leaving_is_graceful,
    leaving_one_who_does_not_read,
    a_number_is_used_again,
    stopped_with_everything_in_flight,
    reports_that_nobody_takes,
    idle_costs_nothing,
    a_thousand_connections_leave_nothing,
    #[ignore = "takes long"]
    ten_thousand_connections_leave_nothing,
}

/// Runs a scenario, unless the machine has no such driver.
fn with(io: Io, scenario: impl Fn(Io) + Send + 'static) {
    if io == Io::Uring
        && let Err(problem) = writer::check::io_uring()
    {
        println!("skipped, there is no io_uring here: {problem}");
        return;
    }
    scenario(io);
}

/// Whether each of these sessions has a connection, and all that was said has come to the host.
fn told(engine: &Engine, host: &Host, ids: Range<u32>) -> bool {
    ids.into_iter()
        .all(|id| engine.session(id).ends.is_some_and(|ends| host.has_told(ends.local, engine.next())))
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// One session, live at a host of its own.
fn live(io: Io, settings: Settings) -> (Engine, Host) {
    let host = Host::new(local(0));
    let mut engine = Engine::new(io, settings);
    engine.open(0, active(host.address));
    engine.say(100);
    engine.until("live", |engine| told(engine, &host, 0..1));
    (engine, host)
}

fn last_down(engine: &Engine, id: u32) -> Option<Reason> {
    engine.session(id).downs.last().map(|down| down.1)
}

fn greetings_and_then_the_log(io: Io) {
    let host = Host::new(local(0));
    let mut engine = Engine::new(io, quick());
    engine.greetings = (20, 50_000);
    (0..10).for_each(|id| engine.open(id, active(host.address)));
    // The log grows before, while and after they are greeted.
    for at in 0..2000 {
        engine.say(100 + at % 7 * 1000);
        engine.answer();
    }
    engine.until("ten live", |engine| told(engine, &host, 0..10));
    for _ in 0..2000 {
        engine.say(150);
    }
    engine.until("told", |engine| told(engine, &host, 0..10));
    host.verify();
    assert!(host.look(|books| books.iter().all(|book| book.checker.greetings == 20)));
    let survey = engine.survey();
    assert!(survey.iter().all(|status| status.state == State::Live && status.lag == 0), "{survey:?}");
    for status in &survey {
        let octets = host.look(|books| {
            let book = books.iter().find(|book| Some(book.peer) == status.ends.map(|ends| ends.local));
            book.expect("its server knows it").checker.octets
        });
        assert_eq!(status.octets, octets, "{status:?}");
    }
}

fn messages_of_all_sizes(io: Io) {
    let (mut engine, host) = live(io, Settings { cap: 10_000, ..quick() });
    for len in [24, 25, 9_999, 10_000, 10_001, 65_535, 1 << 18, (1 << 18) + 1, 1 << 20, 24, 1 << 20, 1 << 20]
    {
        engine.say(len);
    }
    engine.until("told", |engine| told(engine, &host, 0..1));
    host.verify();
}

fn a_thousand_sessions(io: Io) {
    place::raise_limit();
    let host = Host::new(local(0));
    let mut engine = Engine::new(io, quick());
    engine.pushes = true;
    (0..1000).for_each(|id| engine.open(id, active(host.address)));
    engine.say(100);
    engine.until_in(3 * SOON, "a thousand live", |engine| told(engine, &host, 0..1000));
    for _ in 0..200 {
        engine.say(150);
        engine.answer();
    }
    engine.until_in(3 * SOON, "told", |engine| told(engine, &host, 0..1000));
    host.verify();
    assert!(engine.sessions.values().all(|session| session.ups == 1 && session.downs.is_empty()));
}

fn ipv6(io: Io) {
    let host = Host::new((Ipv6Addr::LOCALHOST, 0));
    let mut engine = Engine::new(io, quick());
    engine.open(0, active(host.address));
    (0..100).for_each(|_| engine.say(1000));
    engine.until("live", |engine| told(engine, &host, 0..1));
    let ends = engine.session(0).ends.expect("connected");
    assert_eq!((ends.remote, ends.local), (host.address, host.books()[0].peer));
    // One that listens for both is connected to by both; each is known by its own address.
    engine.order(Order::Listen(ListenerId(0), listen((Ipv6Addr::UNSPECIFIED, 0))));
    engine.open(1, passive(Ipv4Addr::new(127, 0, 0, 5).into(), 0));
    engine.open(2, passive(Ipv6Addr::LOCALHOST.into(), 0));
    let port = listening(&mut engine).port();
    let four = host.connect((Ipv4Addr::new(127, 0, 0, 5), 0).into(), local(port));
    let six = host.connect((Ipv6Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, port).into());
    engine.until("three live", |engine| told(engine, &host, 0..3));
    for (id, remote, from) in [(1, four, local(port)), (2, six, (Ipv6Addr::LOCALHOST, port).into())] {
        let ends = engine.session(id).ends.expect("connected");
        assert_eq!((ends.remote, ends.local), (remote, from));
    }
    host.verify();
}

fn a_server_that_dies_and_comes_back(io: Io) {
    let (mut engine, host) = live(io, quick());
    for life in 1..4 {
        host.listens(false);
        host.close_all();
        engine.until("refused", |engine| !engine.session(0).failed.is_empty());
        // What is said meanwhile is not for the connection that was.
        (0..100).for_each(|_| engine.say(10_000));
        host.listens(true);
        engine.until("back", |engine| told(engine, &host, 0..1));
        let session = engine.sessions.get_mut(&writer::fleet::SessionId(0)).expect("opened");
        assert_eq!((session.ups, session.downs.len()), (life + 1, life as usize));
        assert!(matches!(session.downs.last().expect("one").1, Reason::Ended | Reason::Fault(_)));
        session.failed.clear();
    }
    host.verify();
    assert!(host.look(|books| books.iter().all(|book| book.checker.greetings == 1)), "all begins anew");
}

fn a_server_that_resets(io: Io) {
    let (mut engine, host) = live(io, quick());
    for sends in [false, true] {
        if sends {
            host.reads(Reads::Nothing);
            (0..50).for_each(|_| engine.say(1 << 18));
            engine.until("full", |engine| engine.survey()[0].lag > 0);
        }
        let downs = engine.session(0).downs.len();
        host.reset_all();
        host.reads(Reads::All);
        engine.until("down", |engine| engine.session(0).downs.len() > downs);
        let reason = last_down(&engine, 0);
        assert!(
            matches!(reason, Some(Reason::Fault(fault)) if [libc::ECONNRESET, libc::EPIPE].contains(&fault.errno)),
            "{reason:?}"
        );
        engine.until("back", |engine| told(engine, &host, 0..1));
    }
    host.verify();
}

fn a_server_that_flaps(io: Io) {
    let host = Host::new(local(0));
    host.reset_new(true);
    let mut engine = Engine::new(io, quick());
    let begin = Instant::now();
    engine.open(0, active(host.address));
    engine.pass(Duration::from_secs(1));
    // It may be live for a moment each time, so the least time is the only bound.
    let most = 2 + begin.elapsed().as_millis() / quick().retry_min.as_millis();
    let seen = host.books().len();
    assert!((3..=most as usize).contains(&seen), "{seen} connections, at most {most}");
    host.reset_new(false);
    engine.until("live", |engine| told(engine, &host, 0..1));
    host.verify();
}

fn a_port_where_nobody_listens(io: Io) {
    let address = Host::new(local(0)).address;
    let settings = quick();
    let mut engine = Engine::new(io, settings.clone());
    let begin = Instant::now();
    engine.open(0, active(address));
    engine.until("refused often", |engine| engine.session(0).failed.len() >= 6);
    let mut due = begin;
    for (at, (when, reason, delay)) in engine.session(0).failed.iter().enumerate() {
        assert!(
            matches!(reason, Reason::Fault(fault) if fault.errno == libc::ECONNREFUSED),
            "attempt {at}: {reason:?}"
        );
        // We may hear of it late, and never early.
        assert!(*when >= due, "attempt {at} came {:?} early", due - *when);
        let step = (settings.retry_min * (1 << at)).min(settings.retry_max);
        assert!(
            (step..=(step + step / 4).min(settings.retry_max)).contains(delay),
            "attempt {at}: {delay:?}, {step:?} is due"
        );
        due += *delay;
    }
    let host = Host::new(address);
    engine.until("live", |engine| told(engine, &host, 0..1));
}

fn a_server_that_never_answers(io: Io) {
    // Whoever comes when nobody is let in any more is not answered.
    let (full, _waiting) = place::full_house();
    let limit = Duration::from_millis(300);
    let mut engine = Engine::new(io, Settings { connect_limit: limit, ..quick() });
    let begin = Instant::now();
    engine.open(0, active(full));
    engine.until("given up", |engine| !engine.session(0).failed.is_empty());
    assert!(begin.elapsed() >= limit);
    assert_eq!(engine.session(0).failed[0].1, Reason::Unanswered);
    engine.until("given up again", |engine| engine.session(0).failed.len() > 1);
}

fn a_server_that_vanishes(io: Io) {
    in_networks(move |network| {
        let (us, server) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let host = network.host((server, 0).into());
        let stall_limit = Duration::from_secs(1);
        let mut engine = Engine::new(io, Settings { stall_limit, ..quick() });
        let keepalive = writer::plan::Keepalive {
            idle: Duration::from_secs(1),
            interval: Duration::from_secs(1),
            probes: 1,
        };
        let mut plan = active(host.address);
        plan.options.keepalive = keepalive;
        engine.open(0, plan);
        engine.say(100);
        engine.until("live", |engine| told(engine, &host, 0..1));
        assert_eq!(engine.session(0).ends.map(|ends| ends.local.ip()), Some(us.into()));
        for sends in [true, false] {
            let downs = engine.session(0).downs.len();
            let begin = Instant::now();
            network.cut();
            if sends {
                engine.say(100);
            }
            engine.until("down", |engine| engine.session(0).downs.len() > downs);
            assert!(begin.elapsed() < SOON / 2, "{:?}", begin.elapsed());
            let reason = last_down(&engine, 0);
            let timed_out = |errno| [libc::ETIMEDOUT, libc::EHOSTUNREACH, libc::ENETUNREACH].contains(&errno);
            assert!(
                matches!(reason, Some(Reason::Stalled))
                    || matches!(reason, Some(Reason::Fault(fault)) if timed_out(fault.errno)),
                "{reason:?}"
            );
            network.mend();
            // The server still holds the old one; it is told nothing of its end.
            engine.until("back", |engine| {
                host.look(|books| books.last().is_some_and(|book| book.checker.next == Some(engine.next())))
                    && engine.session(0).token.is_some()
            });
        }
        host.verify();
    });
}

fn a_window_that_closes_for_a_while(io: Io) {
    closed_window(io, Duration::from_secs(2));
}

fn a_window_that_closes_for_a_minute(io: Io) {
    closed_window(io, Duration::from_secs(65));
}

fn closed_window(io: Io, time: Duration) {
    let host = Host::with_buffer(local(0), Some(4096));
    let other = Host::new(local(0));
    let mut engine = Engine::new(io, Settings { stall_limit: 2 * time + SOON, ..quick() });
    engine.open(0, active(host.address));
    engine.open(1, active(other.address));
    engine.say(100);
    engine.until("live", |engine| told(engine, &host, 0..1) && told(engine, &other, 1..2));
    host.reads(Reads::Nothing);
    let end = Instant::now() + time;
    while Instant::now() < end {
        // Less than the log keeps, so nobody falls off.
        if engine.next() < 100 {
            engine.say(200_000);
        }
        engine.until("told the other", |engine| told(engine, &other, 1..2));
        engine.pass(Duration::from_millis(10));
    }
    assert!(!told(&engine, &host, 0..1));
    host.reads(Reads::All);
    engine.until("told", |engine| told(engine, &host, 0..1));
    assert_eq!((engine.session(0).ups, engine.session(0).falls), (1, 0));
    host.verify();
    other.verify();
}

fn a_server_that_drips(io: Io) {
    let slow = Host::with_buffer(local(0), Some(4096));
    let other = Host::new(local(0));
    let mut engine = Engine::with_log(io, quick(), 1 << 20);
    engine.open(0, active(slow.address));
    engine.open(1, active(other.address));
    engine.until("live", |engine| told(engine, &slow, 0..1) && told(engine, &other, 1..2));
    slow.reads(Reads::Drip(1, Duration::from_secs(1)));
    let mut longest = Duration::ZERO;
    for _ in 0..300 {
        let begin = Instant::now();
        engine.say(20_000);
        engine.until("told the other", |engine| told(engine, &other, 1..2));
        longest = longest.max(begin.elapsed());
    }
    // It takes octets, if few, so it is not let go of.
    assert!(longest < SOON / 10, "the other one waited for {longest:?}");
    assert_eq!((engine.session(0).ups, engine.session(1).falls), (1, 0));
    slow.reads(Reads::All);
    engine.until("told", |engine| told(engine, &slow, 0..1));
    slow.verify();
    other.verify();
}

fn a_server_that_never_reads(io: Io) {
    let bad = Host::with_buffer(local(0), Some(4096));
    let good = Host::new(local(0));
    bad.reads(Reads::Nothing);
    let stall_limit = Duration::from_secs(1);
    let budget = 1 << 20;
    let mut engine = Engine::with_log(io, Settings { stall_limit, ..quick() }, budget);
    (0..4).for_each(|id| engine.open(id, active(bad.address)));
    (4..8).for_each(|id| engine.open(id, active(good.address)));
    engine.until("up", |engine| engine.sessions.values().all(|session| session.ups > 0));
    let begin = Instant::now();
    while (0..4).any(|id| engine.session(id).downs.is_empty()) {
        engine.say(100_000);
        engine.until("told the others", |engine| told(engine, &good, 4..8));
        // What the log keeps, its tail, and a segment for each that stands still.
        let usage = engine.pool.usage();
        assert!(usage.retained <= budget, "{usage:?}");
        assert!(usage.stragglers <= 24 * engine.pool.segment_len(), "{usage:?}");
        assert!(begin.elapsed() < SOON, "nobody was let go of");
    }
    assert!(begin.elapsed() >= stall_limit);
    for id in 0..4 {
        let reason = last_down(&engine, id);
        let timed_out = |fault: writer::Fault| fault.errno == libc::ETIMEDOUT;
        assert!(
            matches!(reason, Some(Reason::Stalled))
                || matches!(reason, Some(Reason::Fault(fault)) if timed_out(fault)),
            "{reason:?}"
        );
    }
    assert!((4..8).all(|id| engine.session(id).downs.is_empty() && engine.session(id).falls == 0));
    bad.reads(Reads::All);
    engine.until("back", |engine| told(engine, &bad, 0..4));
    good.verify();
    bad.verify();
}

fn a_server_that_falls_off(io: Io) {
    let host = Host::with_buffer(local(0), Some(4096));
    let mut engine = Engine::with_log(io, quick(), 512 << 10);
    engine.open(0, active(host.address));
    engine.say(100);
    engine.until("live", |engine| told(engine, &host, 0..1));
    for round in 1..=3 {
        host.reads(Reads::Nothing);
        for _ in 0..160 {
            engine.say(100_000);
            engine.answer();
        }
        host.reads(Reads::All);
        engine.until("told", |engine| told(engine, &host, 0..1));
        let session = engine.session(0);
        assert!(session.falls >= round && session.ups == 1, "falls {}", session.falls);
    }
    host.verify();
    assert!(host.books()[0].checker.resumes > 3);
}

/// The log's reader waits behind greetings, at the end of a segment, until what follows has gone.
fn a_log_that_goes_before_it_is_reached(io: Io) {
    let host = Host::with_buffer(local(0), Some(4096));
    host.reads(Reads::Nothing);
    let mut engine = Engine::with_log(io, quick(), 0);
    // More than the kernel takes.
    (engine.greetings, engine.ahead) = ((6, (1 << 20) - stream::HEADER_LEN), true);
    let segment_len = engine.pool.segment_len();
    engine.say(segment_len);
    engine.open(0, active(host.address));
    engine.until("up", |engine| engine.session(0).ups == 1);
    for _ in 0..20 {
        engine.say(segment_len);
        engine.answer();
    }
    assert!(engine.session(0).took < 6, "the kernel took it all");
    host.reads(Reads::All);
    engine.until("told", |engine| told(engine, &host, 0..1));
    assert!(engine.session(0).falls > 0);
    host.verify();
}

fn a_server_that_talks(io: Io) {
    let (mut engine, host) = live(io, Settings { chatter_max: 5000, ..quick() });
    host.say(5000);
    engine.say(100);
    engine.pass(Duration::from_millis(100));
    assert_eq!(engine.session(0).downs.len(), 0, "so much it may say");
    host.say(1);
    engine.until("down", |engine| !engine.session(0).downs.is_empty());
    assert_eq!(last_down(&engine, 0), Some(Reason::Chatty));
    engine.until("back", |engine| told(engine, &host, 0..1));
    // A flood, while there is much to be told.
    for _ in 0..20 {
        host.say(1 << 20);
        engine.say(1 << 18);
        engine.answer();
    }
    engine.until("down again", |engine| engine.session(0).downs.len() > 1);
    assert_eq!(last_down(&engine, 0), Some(Reason::Chatty));
    engine.until("back", |engine| told(engine, &host, 0..1));
    host.verify();
}

/// Where the first listener listens, when it does.
fn listening(engine: &mut Engine) -> SocketAddr {
    engine.until("listening", |engine| engine.listening.contains_key(&ListenerId(0)));
    engine.listening[&ListenerId(0)].expect("an address of ours")
}

fn servers_that_connect(io: Io) {
    let host = Host::new(local(0));
    let mut engine = Engine::new(io, quick());
    engine.order(Order::Listen(ListenerId(0), listen(local(0))));
    let address = |id: u8| Ipv4Addr::new(127, 0, 1, id);
    (0..50).for_each(|id| engine.open(u32::from(id), passive(address(id).into(), 0)));
    let at = listening(&mut engine);
    (0..50).for_each(|id| {
        host.connect((address(id), 0).into(), at);
    });
    engine.say(100);
    engine.until("all live", |engine| told(engine, &host, 0..50));
    for (id, session) in &engine.sessions {
        let remote = session.ends.expect("connected").remote.ip();
        assert_eq!(remote, IpAddr::V4(address(u8::try_from(id.0).expect("few"))));
    }

    let mut stranger = TcpStream::connect(at).expect("somebody listens");
    let error = stranger.read(&mut [0]).expect_err("a stranger is reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    engine.until("a stranger", |engine| !engine.strangers.is_empty());
    assert_eq!(engine.strangers, [stranger.local_addr().expect("bound")]);

    // Who goes away may come again, and until then nobody looks for it.
    host.close_all();
    engine.until("all down", |engine| engine.sessions.values().all(|session| session.downs.len() == 1));
    host.connect((address(7), 0).into(), at);
    engine.say(100);
    engine.until("one back", |engine| told(engine, &host, 7..8));

    engine.order(Order::Unlisten(ListenerId(0)));
    engine.until("no more", |_| TcpStream::connect(at).is_err());
    engine.say(100);
    engine.until("still there", |engine| told(engine, &host, 7..8));
    host.verify();
}

fn a_server_that_connects_anew(io: Io) {
    let host = Host::new(local(0));
    let mut engine = Engine::new(io, quick());
    engine.order(Order::Listen(ListenerId(0), listen(local(0))));
    engine.open(0, passive(Ipv4Addr::LOCALHOST.into(), 0));
    let at = listening(&mut engine);
    for time in 1..=20 {
        host.connect(local(0), at);
        (0..20).for_each(|_| engine.say(50_000));
        engine.until("live", |engine| told(engine, &host, 0..1));
        assert_eq!(engine.session(0).ups, time);
    }
    let reasons: Vec<_> = engine.session(0).downs.iter().map(|down| down.1).collect();
    assert_eq!(reasons, [Reason::Replaced; 19]);
    host.verify();
    let resets = host.look(|books| books.iter().filter(|book| book.end == Some(End::Reset)).count());
    assert_eq!(resets, 19);
}

fn no_descriptors_left(io: Io) {
    alone(io, "no_descriptors_left", move || {
        place::lower_limit();
        let mut engine = Engine::new(io, quick());
        engine.order(Order::Listen(ListenerId(0), listen(local(0))));
        engine.open(0, passive(Ipv4Addr::LOCALHOST.into(), 0));
        let at = listening(&mut engine);
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        // All that comes with listening has been done: keys need descriptors too.
        engine.survey();
        let cpu = Cpu::of_writer();
        let greedy = place::take_all_descriptors();
        let before = cpu.time();
        let begin = Instant::now();
        socket.connect(&at.into()).expect("the backlog has room");
        engine.pass(Duration::from_secs(1));
        let (used, time) = (cpu.time() - before, begin.elapsed());
        assert!(used < time / 10, "{used:?} of {time:?} spent on nothing");
        assert_eq!(engine.session(0).ups, 0);
        drop(greedy);
        engine.until("up after all", |engine| engine.session(0).ups == 1);
    });
}

fn leaving_is_graceful(io: Io) {
    let hosts: Vec<_> = (0..8).map(|_| Host::with_buffer(local(0), Some(16_384))).collect();
    let mut engine = Engine::new(io, Settings { cap: 30_000, ..quick() });
    hosts.iter().zip(0..).for_each(|(host, id)| engine.open(id, active(host.address)));
    engine.say(100);
    engine.until("live", |engine| (0..8).all(|id| told(engine, &hosts[id as usize], id..id + 1)));
    for round in 1..=5 {
        // Half of them in the middle of a long message, as nobody reads until all have been told to leave.
        hosts[..4].iter().for_each(|host| host.reads(Reads::Nothing));
        for at in 0..10 {
            engine.say(if at % 2 == 0 { 1 << 20 } else { 777 });
            engine.answer();
        }
        (0..8).for_each(|id| engine.leave(id, Then::Again));
        // The writer has heard of it.
        engine.survey();
        hosts.iter().for_each(|host| host.reads(Reads::All));
        engine.until("back", |engine| {
            (0..8).all(|id| engine.session(id).ups > round && told(engine, &hosts[id as usize], id..id + 1))
        });
    }
    (0..8).for_each(|id| engine.leave(id, Then::Rest));
    engine.until("at rest", |engine| hosts.iter().all(|host| host.standing() == 0) && down(engine, 8, 6));
    for host in &hosts {
        host.verify();
        let books = host.books();
        assert_eq!(books.len(), 6);
        for book in books {
            assert_eq!((book.end, book.checker.farewell), (Some(End::Eof), true), "{book:?}");
        }
    }
    for session in engine.sessions.values() {
        assert!(session.downs.iter().all(|down| down.1 == Reason::Command), "{:?}", session.downs);
    }
    assert!(engine.survey().iter().all(|status| status.state == State::Idle));
    // Who rests stays at rest until it is opened.
    engine.open(0, active(hosts[0].address));
    engine.until("live", |engine| told(engine, &hosts[0], 0..1));
}

fn down(engine: &Engine, sessions: u32, times: usize) -> bool {
    (0..sessions).all(|id| engine.session(id).downs.len() >= times)
}

fn leaving_one_who_does_not_read(io: Io) {
    let limit = Duration::from_millis(500);
    let host = Host::with_buffer(local(0), Some(4096));
    let mut engine = Engine::new(io, Settings { drain_limit: limit, ..quick() });
    engine.open(0, active(host.address));
    engine.say(100);
    engine.until("live", |engine| told(engine, &host, 0..1));
    host.reads(Reads::Nothing);
    (0..20).for_each(|_| engine.say(1 << 20));
    engine.until("full", |engine| engine.survey()[0].lag > 0);
    let begin = Instant::now();
    engine.leave(0, Then::Rest);
    engine.until("down", |engine| !engine.session(0).downs.is_empty());
    let time = begin.elapsed();
    assert!((limit - Duration::from_millis(100)..limit + SOON / 3).contains(&time), "{time:?}");
    assert_eq!(last_down(&engine, 0), Some(Reason::Command));
    assert_eq!(engine.survey()[0].state, State::Idle);
    engine.until("reset", |_| host.books()[0].end == Some(End::Reset));
    host.verify();
}

fn a_number_is_used_again(io: Io) {
    let mut engine = Engine::new(io, quick());
    let mut lives = Vec::new();
    for _ in 0..20 {
        let host = Host::new(local(0));
        engine.open(3, active(host.address));
        engine.say(100);
        engine.until("live", |engine| told(engine, &host, 3..4));
        lives.push(engine.session(3).token.expect("connected").life);
        engine.leave(3, Then::Forget);
        engine.until("forgotten", |engine| engine.session(3).forgotten);
        assert_eq!(engine.session(3).token, None, "down comes before");
        engine.until("told", |_| host.standing() == 0);
        assert!(host.books()[0].checker.farewell);
        host.verify();
        assert!(engine.survey().is_empty());
    }
    assert!(lives.windows(2).all(|pair| pair[0] < pair[1]), "{lives:?}");
}

fn stopped_with_everything_in_flight(io: Io) {
    let host = Host::new(local(0));
    let slow = Host::with_buffer(local(0), Some(4096));
    let (full, _waiting) = place::full_house();
    let mut engine = Engine::new(io, quick());
    engine.order(Order::Listen(ListenerId(0), listen(local(0))));
    (0..20).for_each(|id| engine.open(id, active(host.address)));
    (20..40).for_each(|id| engine.open(id, active(slow.address)));
    (40..45).for_each(|id| engine.open(id, active(full)));
    engine.until("up", |engine| (0..40).all(|id| engine.session(id).ups == 1));
    slow.reads(Reads::Nothing);
    for _ in 0..30 {
        engine.say(1 << 18);
        engine.answer();
    }
    (20..25).for_each(|id| engine.leave(id, Then::Rest));
    engine.answer();
    let begin = Instant::now();
    engine.stop();
    assert!(begin.elapsed() < SOON / 3, "{:?}", begin.elapsed());
    slow.reads(Reads::All);
    while host.standing() + slow.standing() > 0 {
        assert!(begin.elapsed() < SOON, "connections that nobody has any more");
        std::thread::sleep(Duration::from_millis(1));
    }
    host.verify();
    slow.verify();
}

fn reports_that_nobody_takes(io: Io) {
    let (mut engine, host) = live(io, quick());
    (engine.deaf, engine.pushes) = (true, true);
    // More than there is room for.
    for at in 0..(writer::REPORTS_MAX as u32 + 1000) {
        let address = SocketAddr::from((Ipv4Addr::new(203, 0, 113, 1), 1));
        engine.order(Order::Listen(ListenerId(at), listen(address)));
        engine.order(Order::Unlisten(ListenerId(at)));
    }
    engine.say(100);
    // What stands goes on.
    engine.until("told", |engine| told(engine, &host, 0..1));
    engine.pass(Duration::from_millis(200));
    engine.deaf = false;
    let count = writer::REPORTS_MAX + 1000;
    engine.until("all told", |engine| engine.listening.len() == count);
    host.verify();
}

fn idle_costs_nothing(io: Io) {
    alone(io, "idle_costs_nothing", move || {
        let host = Host::new(local(0));
        let mut engine = Engine::new(io, quick());
        (0..100).for_each(|id| engine.open(id, active(host.address)));
        engine.say(100);
        engine.until("live", |engine| told(engine, &host, 0..100));
        let cpu = Cpu::of_writer();
        // Nobody rings while we sleep.
        let idle = |time| {
            let (before, begin) = (cpu.time(), Instant::now());
            std::thread::sleep(time);
            (cpu.time() - before, begin.elapsed())
        };
        engine.until("quiet", |_| idle(Duration::from_millis(100)).0 < Duration::from_micros(200));
        let (used, time) = idle(Duration::from_secs(2));
        println!("{io:?}: {used:?} in {time:?}");
        assert!(used < time / 1000, "{used:?} in {time:?}");
        engine.say(100);
        engine.until("told", |engine| told(engine, &host, 0..100));
    });
}

fn a_thousand_connections_leave_nothing(io: Io) {
    alone(io, "a_thousand_connections_leave_nothing", move || connections_leave_nothing(io, 1000));
}

fn ten_thousand_connections_leave_nothing(io: Io) {
    alone(io, "ten_thousand_connections_leave_nothing", move || connections_leave_nothing(io, 10_000));
}

fn connections_leave_nothing(io: Io, connections: u32) {
    const SESSIONS: u32 = 20;
    let host = Host::new(local(0));
    let pause = Duration::from_millis(1);
    let mut engine = Engine::new(io, Settings { retry_min: pause, retry_max: pause, ..quick() });
    let mut warm = None;
    for round in 1..=connections / SESSIONS {
        let downs =
            |engine: &Engine| -> Vec<_> { (0..SESSIONS).map(|id| engine.session(id).downs.len()).collect() };
        (0..SESSIONS).for_each(|id| engine.open(id, active(host.address)));
        engine.say(1000);
        engine.until("live", |engine| told(engine, &host, 0..SESSIONS));
        let before = downs(&engine);
        match round % 3 {
            0 => (0..SESSIONS).for_each(|id| engine.leave(id, Then::Rest)),
            1 => host.reset_all(),
            _ => host.close_all(),
        }
        engine.until("down", |engine| downs(engine).iter().zip(&before).all(|(now, before)| now > before));
        if round == 10 {
            (0..SESSIONS).for_each(|id| engine.leave(id, Then::Rest));
            let at_rest = |engine: &mut Engine| {
                let survey = engine.survey();
                survey.iter().all(|status| status.state == State::Idle) && host.standing() == 0
            };
            engine.until("at rest", at_rest);
            warm = Some((descriptors(), resident()));
        }
    }
    (0..SESSIONS).for_each(|id| engine.leave(id, Then::Forget));
    engine.until("forgotten", |engine| engine.sessions.values().all(|session| session.forgotten));
    engine.until("gone", |_| host.standing() == 0);
    host.verify();
    let (fds, memory) = warm.expect("it was warm");
    engine.until("descriptors as before", |_| descriptors() <= fds);
    let grown = resident().saturating_sub(memory);
    let books = host.books().len();
    println!("{io:?}: {books} connections, {grown} octets more");
    // The books of the host are some of it.
    assert!(grown < (4 << 20) + books * 1024, "{grown} octets after {books} connections");
}
