//! Mirrors a BMP stream from standard input to any number of servers.
//!
//! ```text
//! cargo run --release -p heliograph-engine --example mirror -- [--io epoll] ADDRESS:PORT... < FILE
//! ```
//!
//! One line for each thing that happens to a connection; when the stream has ended and every server that can
//! be reached has it all, a Termination and a line for each server. Three threads: one reads, one thinks, one
//! writes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use engine::core::{Core, Record, Settings};
use engine::exchange::{Exchange, Word};
use mirror::{SessionId, Want};
use queue::ring::Inlet;
use rib::Time;
use wire::bmp::{Frame, TerminationReason};
use writer::fleet::{self, Order, Report, State, Survey, Then};
use writer::plan::Plan;
use writer::{Handle, Io};

const USAGE: &str = "usage: mirror [--io uring|epoll] ADDRESS:PORT... < FILE";

/// How long servers may take to be reached and to take everything, once the stream has ended.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let io = match arguments.next_if(|first| first == "--io").and_then(|_| arguments.next()).as_deref() {
        None | Some("uring") => Io::Uring,
        Some("epoll") => Io::Epoll,
        Some(_) => return fail(USAGE),
    };
    let servers: Result<Vec<SocketAddr>, _> = arguments.map(|address| address.parse()).collect();
    let Ok(servers) = servers else { return fail(USAGE) };
    if servers.is_empty() {
        return fail(USAGE);
    }
    match run(io, &servers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn run(io: Io, servers: &[SocketAddr]) -> Result<(), String> {
    let here = thread::current();
    let (intake_wakes, writer_wakes) = (here.clone(), here);
    let (gate, mut core) = Core::new(Settings::default(), move || intake_wakes.unpark());
    let settings = fleet::Settings { retry_min: Duration::from_secs(1), ..fleet::Settings::default() };
    let mut writer = writer::start(io, settings, 1, move || writer_wakes.unpark())
        .map_err(|error| format!("the writer cannot start: {error}"))?;
    let mut exchange = Exchange::default();
    let want = Arc::new(Want::everything());
    for server in servers {
        let id = core.attach("stdin", &want);
        writer.order(Order::Open(fleet::SessionId(id.0), Box::new(Plan::new(&server.to_string(), *server))));
    }
    let inlet = gate.open(64).map_err(|error| error.to_string())?;
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        let mut inlet = inlet;
        let result = read(&mut inlet);
        // The lane stays open: when it ends, so do the router's peers.
        ended.send((result, inlet))
    });

    let mut read = None;
    let mut ends_at = None;
    loop {
        let step = exchange.turn(&mut core, &mut writer, now(), |word| say(servers, &word));
        if let Some(error) = writer.ended() {
            return Err(error.to_string());
        }
        read = read.or_else(|| end.try_recv().ok());
        if let Some((result, _)) = &read
            && !step.more
            && step.messages == 0
        {
            let deadline = *ends_at.get_or_insert(now().0 + micros(PATIENCE));
            if now().0 > deadline || have_all(&mut writer, servers.len()) {
                result.clone()?;
                break;
            }
            thread::park_timeout(Duration::from_millis(10));
        } else if !step.more && core.prepare_sleep() {
            thread::park_timeout(Duration::from_millis(50));
        }
    }
    farewell(&mut core, &mut exchange, &mut writer, servers)
}

/// Reads messages and hands them on as they come, whole.
fn read(inlet: &mut Inlet<Record>) -> Result<(), String> {
    let mut room = vec![0; 256 << 10];
    let mut octets = BytesMut::new();
    push(inlet, Record::Of { router: Arc::from("stdin"), connection: 1 });
    loop {
        let len = std::io::stdin().read(&mut room).map_err(|error| error.to_string())?;
        if len == 0 {
            let left = octets.len();
            return if left == 0 {
                Ok(())
            } else {
                Err(format!("{left} octets of a message without its end"))
            };
        }
        octets.extend_from_slice(&room[..len]);
        let mut rest = &octets[..];
        while let Some((_, tail)) = Frame::split(rest).map_err(|error| error.to_string())? {
            rest = tail;
        }
        let whole = octets.len() - rest.len();
        if whole > 0 {
            push(inlet, Record::Messages(octets.split_to(whole).freeze()));
        }
    }
}

/// Waits while there is no room: that is what makes a pipe's other end wait.
fn push(inlet: &mut Inlet<Record>, mut record: Record) {
    while let Err(back) = inlet.push(record) {
        record = back.0;
        thread::sleep(Duration::from_millis(1));
    }
}

fn now() -> Time {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(micros(now))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn survey(writer: &mut Handle) -> Option<Survey> {
    let (tell, told) = mpsc::channel();
    writer.order(Order::Survey(Box::new(move |survey| drop(tell.send(survey.clone())))));
    told.recv_timeout(Duration::from_secs(5)).ok()
}

fn have_all(writer: &mut Handle, servers: usize) -> bool {
    let survey = survey(writer).map_or_else(Vec::new, |survey| survey.sessions);
    let done = survey.iter().filter(|session| session.state == State::Live && session.lag == 0);
    done.count() == servers
}

fn say(servers: &[SocketAddr], word: &Word) {
    let name = |id: fleet::SessionId| servers[id.0 as usize];
    match word {
        Word::Writer(Report::Up(token, ends)) => println!("{}: up, from {}", name(token.session), ends.local),
        Word::Writer(Report::Down(token, reason)) => println!("{}: down: {reason}", name(token.session)),
        Word::Writer(Report::Failed(token, reason, retry)) => {
            println!("{}: {reason}; again in {retry:.1?}", name(token.session));
        }
        other => println!("{other:?}"),
    }
}

/// Takes leave of everybody, and says what they got.
fn farewell(
    core: &mut Core,
    exchange: &mut Exchange,
    writer: &mut Handle,
    servers: &[SocketAddr],
) -> Result<(), String> {
    let got: BTreeMap<_, _> = survey(writer)
        .map_or_else(Vec::new, |survey| survey.sessions)
        .into_iter()
        .map(|session| (session.id, session))
        .collect();
    for index in 0..u32::try_from(servers.len()).expect("servers are counted by 32 bits") {
        let order =
            exchange.leave(core, SessionId(index), TerminationReason::ADMINISTRATIVELY_CLOSED, Then::Forget);
        writer.order(order);
    }
    let mut left = servers.len();
    let deadline = now().0 + micros(Duration::from_secs(5));
    while left > 0 && now().0 < deadline {
        exchange.turn(core, writer, now(), |word| match word {
            Word::Writer(Report::Forgotten(_)) => left -= 1,
            other => say(servers, &other),
        });
        thread::park_timeout(Duration::from_millis(10));
    }
    let mut missing = 0;
    for session in got.values() {
        let complete = session.state == State::Live && session.lag == 0;
        missing += usize::from(!complete);
        let verdict = if complete { "complete" } else { "NOT COMPLETE" };
        println!("{}: {} octets in {} sends, {verdict}", session.name, session.octets, session.sends);
    }
    if missing == 0 {
        Ok(())
    } else {
        Err(format!("{missing} of {} servers have not got it all", servers.len()))
    }
}
