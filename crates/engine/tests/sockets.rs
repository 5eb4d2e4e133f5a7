//! A router, the engine, the writer's thread and servers on loopback: octets go through the kernel.
//!
//! ```text
//!  tests::router ─► lane ─► engine::core ─► exchange ─► writer's thread ═ TCP ═► tests::station
//! ```
//!
//! What the model proves for every order of things, this sees happen once for each driver, with real time:
//! servers that read slowly, come late, or hang up and are connected again, while logs are so short that who
//! is slow falls off. In the end each station has the router's table.

use std::io::{ErrorKind, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::core::{Core, Output, Record, Settings};
use engine::exchange::{Exchange, Word};
use mirror::{SessionId, Want};
use queue::ring::{Full, Inlet};
use rib::Time;
use tests::Rng;
use tests::router::{Router, Shape};
use tests::station::{Station, difference};
use wire::bmp::TerminationReason;
use writer::fleet::{self, Order, Report, State, Survey, Then};
use writer::plan::{Options, Plan};
use writer::{Handle, Io};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Octets that the router says.
const OCTETS: usize = 4_000_000;

/// How servers behave.
#[derive(Clone, Copy)]
enum Manner {
    /// It reads as it can.
    Good,
    /// It reads so many octets, and rests.
    Slow(usize),
    /// It listens only after a while.
    Late(Duration),
    /// It hangs up after so many octets, so often.
    Flapping(usize, usize),
}

const MANNERS: [Manner; 8] = [
    Manner::Good,
    Manner::Good,
    Manner::Slow(40_000),
    Manner::Slow(400_000),
    Manner::Late(Duration::from_millis(700)),
    Manner::Flapping(100_000, 3),
    Manner::Flapping(1, 5),
    Manner::Good,
];

/// A server on a thread: gives its station when the connection has ended after a Termination.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<Result<Station, String>>,
}

impl Server {
    fn new(manner: Manner, provisional: &[tests::station::PeerKey], hurry: Arc<AtomicBool>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut station = Station::new();
        provisional.iter().for_each(|peer| station.tolerate(*peer));
        let thread = thread::spawn(move || serve(&listener, manner, station, &hurry));
        Self { address, thread }
    }
}

fn serve(
    listener: &TcpListener,
    manner: Manner,
    mut station: Station,
    hurry: &AtomicBool,
) -> Result<Station, String> {
    if let Manner::Late(time) = manner {
        thread::sleep(time);
    }
    let mut hang_ups = 0;
    loop {
        let (stream, _) = listener.accept().map_err(|error| error.to_string())?;
        station.reconnect();
        let limit = match manner {
            Manner::Flapping(octets, times) if hang_ups < times => octets,
            _ => usize::MAX,
        };
        hang_ups += 1;
        receive(stream, limit, manner, &mut station, hurry)?;
        if station.terminated().is_some() {
            return Ok(station);
        }
    }
}

fn receive(
    mut stream: TcpStream,
    limit: usize,
    manner: Manner,
    station: &mut Station,
    hurry: &AtomicBool,
) -> Result<(), String> {
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let mut room = vec![0; 64 << 10];
    let (mut octets, mut rest) = (0, 0);
    while octets < limit {
        match stream.read(&mut room) {
            Ok(0) => break,
            Ok(len) => {
                station.take(&room[..len])?;
                (octets, rest) = (octets + len, rest + len);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error.to_string()),
        }
        if let Manner::Slow(pace) = manner
            && rest > pace
            && !hurry.load(Ordering::Relaxed)
        {
            rest = 0;
            thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

struct Engine {
    core: Core,
    exchange: Exchange,
    writer: Handle,
    began: Instant,
    /// Falls, downs and ends, as the writer told them.
    downs: usize,
    forgotten: usize,
}

impl Engine {
    fn turn(&mut self) -> bool {
        let now =
            Time(1_750_000_000_000_000 + u64::try_from(self.began.elapsed().as_micros()).expect("soon"));
        let Self { core, exchange, writer, downs, forgotten, .. } = self;
        let step = exchange.turn(core, writer, now, |word| match word {
            Word::Writer(Report::Down(..)) => *downs += 1,
            Word::Writer(Report::Forgotten(_)) => *forgotten += 1,
            // Untold are messages of families that cannot be taken apart.
            Word::Writer(_) | Word::Core(Output::Untold(..) | Output::Came(_) | Output::Went(_)) => {}
            Word::Core(output) => panic!("{output:?}"),
        });
        step.more || step.messages > 0
    }

    fn survey(&mut self) -> Survey {
        let (tell, told) = mpsc::channel();
        self.writer.order(Order::Survey(Box::new(move |survey| tell.send(survey.clone()).expect("heard"))));
        told.recv_timeout(PATIENCE).expect("the writer's thread lives")
    }

    /// Turns until it is so, or nobody has patience any more.
    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let began = Instant::now();
        loop {
            let busy = self.turn();
            if !busy && is_so(self) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {:#?}", self.survey());
            if !busy {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn push(inlet: &mut Inlet<Record>, mut record: Record, engine: &mut Engine) {
    while let Err(Full(back)) = inlet.push(record) {
        record = back;
        engine.turn();
    }
}

fn run(io: Io) {
    let mut dice = Rng::new(4, 4);
    let mut router = Router::new(4, Shape { peers: 6, prefixes: 3000, restless: 3, ..Shape::default() });
    let settings = Settings { segment_len: 64 << 10, retention: 128 << 10, ..Settings::default() };
    let (gate, core) = Core::new(settings, || {});
    let times = fleet::Settings {
        retry_min: Duration::from_millis(20),
        retry_max: Duration::from_millis(100),
        ..fleet::Settings::default()
    };
    let writer = writer::start(io, times, 4, || {}).expect("a writer");
    let began = Instant::now();
    let mut engine = Engine { core, exchange: Exchange::default(), writer, began, downs: 0, forgotten: 0 };

    let hurry = Arc::new(AtomicBool::new(false));
    let want = Arc::new(Want::everything());
    let servers: Vec<_> = MANNERS
        .iter()
        .map(|manner| {
            let server = Server::new(*manner, &router.provisional(), hurry.clone());
            let id = engine.core.attach("rr", &want);
            // So that who is slow is slow here, and not in the kernel.
            let options = Options { send_buffer: Some(64 << 10), ..Options::default() };
            let plan = Plan { options, ..Plan::new(&format!("server {}", id.0), server.address) };
            engine.writer.order(Order::Open(fleet::SessionId(id.0), Box::new(plan)));
            server
        })
        .collect();

    let mut inlet = gate.open(64).expect("a lane");
    push(&mut inlet, Record::Of { router: Arc::from("rr"), connection: 1 }, &mut engine);
    let mut octets = 0;
    let mut emissions = router.connect();
    // What the router has said is what its tables are: nothing that it says is left out.
    loop {
        for emission in emissions {
            octets += emission.bytes.len();
            push(&mut inlet, Record::Messages(Bytes::from(emission.bytes)), &mut engine);
        }
        if dice.percent(2) {
            engine.turn();
        }
        if octets >= OCTETS {
            break;
        }
        emissions = router.step();
    }
    hurry.store(true, Ordering::Relaxed);
    engine.until("all live, and nothing left to send", |engine| {
        let sessions = engine.survey().sessions;
        sessions.iter().all(|session| session.state == State::Live && session.lag == 0)
    });
    let survey = engine.survey();
    let falls: u64 = survey.sessions.iter().map(|session| session.falls).sum();
    let again: u64 = survey.sessions.iter().map(|session| session.connections - 1).sum();
    println!("{io:?}: {octets} octets in {:?}, {falls} falls, {again} connections again", began.elapsed());
    // What did not happen has not been tested.
    assert!(falls > 0, "nobody fell off");
    assert!(again >= 8, "servers were connected to again {again} times");
    assert!(engine.downs >= 8, "{} connections went down", engine.downs);

    for index in 0..MANNERS.len() {
        let id = SessionId(u32::try_from(index).expect("few"));
        let reason = TerminationReason::ADMINISTRATIVELY_CLOSED;
        let order = engine.exchange.leave(&mut engine.core, id, reason, Then::Forget);
        engine.writer.order(order);
    }
    engine.until("all forgotten", |engine| engine.forgotten == MANNERS.len());
    for (number, server) in servers.into_iter().enumerate() {
        let station = server.thread.join().expect("a server's thread");
        let station = station.unwrap_or_else(|broken| panic!("server {number}: {broken}"));
        if let Some(difference) = difference(station.tables(), &router.tables()) {
            panic!("server {number}: held against wanted:\n{difference}");
        }
    }
}

#[test]
fn through_epoll() {
    run(Io::Epoll);
}

#[test]
fn through_io_uring() {
    match writer::check::io_uring() {
        Ok(()) => run(Io::Uring),
        Err(problem) => println!("skipped: {problem}"),
    }
}
