//! The engine, and the servers that it serves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use config::difference::Step;
use config::meaning::{Meaning, Routers, Session, SessionKey, Way};
use config::secret::Vault;
use engine::journal::{Form, Journal};
use engine::picture::{Connection, Picture};
use engine::thread::{Handle, Settings, start};
use ingest::Record;
use jiff::tz::TimeZone;
use queue::ring::{Full, Inlet};
use tokio::runtime::Runtime;
use writer::Io;

/// Records that wait in the lane, at most: pieces of the stream, of which each has about 64 KiB.
const LANE_RECORDS: usize = 128;
/// Between two looks at a full lane: the mirror does not empty it in less.
const LANE_LOOK: Duration = Duration::from_micros(300);
/// Between two looks at how servers are.
const LOOK: Duration = Duration::from_millis(5);
/// Seconds between two attempts to connect, first and at most.
const RETRY_S: (u64, u64) = (1, 30);
/// Seconds without progress after which a connection ends.
const STALL_S: u64 = 60;
/// As many peers as an index of MRT can name.
const PEERS_MAX: usize = 1 << 16;
/// How long the end waits for a server that was there, and will be back in a moment if it can.
const BACK: Duration = Duration::from_secs(15);
/// How long the end waits for a server that takes nothing.
const PATIENCE: Duration = Duration::from_secs(90);

/// The engine with one router.
pub(crate) struct Servers {
    pub(crate) handle: Handle,
    runtime: Runtime,
    name: String,
    lane: Inlet<Record>,
}

/// What has become of a server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Where it is.
    pub(crate) address: String,
    /// Octets that the kernel took.
    pub(crate) octets: u64,
    /// Whether it has everything.
    pub(crate) complete: bool,
    /// Whether it is there.
    pub(crate) up: bool,
    /// Whether it ever was.
    pub(crate) known: bool,
    /// Octets that wait for it.
    pub(crate) lag_octets: u64,
    /// Why it is not there.
    pub(crate) reason: Option<String>,
}

impl Servers {
    /// Starts the engine, tells it of the router, and has it connect to all servers.
    pub(crate) fn start(io: Io, name: &str, initiation: Bytes, to: &[SocketAddr]) -> Result<Self, String> {
        let settings = Settings {
            io,
            seed: seed(),
            zone: TimeZone::UTC,
            host: name.to_owned(),
            vault: Arc::new(Vault::new([0; 32])),
            journal: Journal::new(Form::Text),
        };
        let handle = start(settings).map_err(|error| format!("the engine cannot start: {error}"))?;
        let runtime = runtime()?;
        let lane = handle.gate().open(LANE_RECORDS).map_err(|error| error.to_string())?;
        let mut servers = Self { handle, runtime, name: name.to_owned(), lane };
        let stop = AtomicBool::new(false);
        servers.push_record(Record::Of { router: Arc::from(name), connection: 1 }, &stop)?;
        servers.push_record(Record::Messages(initiation), &stop)?;
        // Servers are told of a router that is there, and of nothing else.
        servers.until(&stop, |picture| picture.routers.iter().any(|router| router.messages > 0));
        let mut meaning = Meaning {
            sysname: Some(Arc::from(name)),
            enabled: true,
            retry_s: RETRY_S,
            stall_s: STALL_S,
            routers: Routers { peers_max: PEERS_MAX, ..Routers::default() },
            ..Meaning::default()
        };
        let mut steps = vec![Step::Settings];
        for address in to {
            let session = Arc::new(session(*address));
            meaning.sessions.insert(session.key.clone(), session.clone());
            steps.push(Step::Add(session));
        }
        servers.runtime.block_on(servers.handle.apply(Arc::new(meaning), steps));
        Ok(servers)
    }

    /// Waits until each server has been tried; or, if all have to be there, until they are.
    pub(crate) fn ready(&self, all: bool, stop: &AtomicBool) {
        let tried = |connection: &Connection| {
            is_up(connection) || !all && (connection.reason.is_some() || connection.state == "waiting")
        };
        self.until(stop, |picture| {
            let mut connections = picture.sessions.iter().map(|session| of(session, &self.name));
            connections.all(|connection| connection.is_some_and(tried))
        });
    }

    /// Gives the engine a piece of the stream; waits while it has enough.
    pub(crate) fn push(&mut self, messages: Bytes, stop: &AtomicBool) -> Result<(), String> {
        self.push_record(Record::Messages(messages), stop)
    }

    fn push_record(&mut self, record: Record, stop: &AtomicBool) -> Result<(), String> {
        let mut record = record;
        while let Err(Full(back)) = self.lane.push(record) {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            record = back;
            thread::sleep(LANE_LOOK);
        }
        if self.lane.is_closed() { Err(String::from("the engine has ended")) } else { Ok(()) }
    }

    /// Waits until every server that is there has everything, of so many messages; for those that were there and
    /// are not, a little.
    pub(crate) fn settle(&self, messages: u64, stop: &AtomicBool) -> Vec<Server> {
        let begun = Instant::now();
        let mut moved = (0, begun);
        let mut was_taken = false;
        let mut servers = Vec::new();
        self.until(stop, |picture| {
            servers = look(picture, &self.name, messages);
            // What a picture shows of servers is a little older than what it shows of the mirror: only when the
            // one before had shown that everything is in the logs, this one shows that everything has left them.
            let taken = std::mem::replace(&mut was_taken, is_taken(picture, &self.name, messages));
            let octets = servers.iter().map(|server| server.octets).sum();
            if octets != moved.0 {
                moved = (octets, Instant::now());
            }
            let gone = |server: &Server| !server.up && (!server.known || begun.elapsed() > BACK);
            taken && servers.iter().all(|server| server.complete || gone(server))
                || moved.1.elapsed() > PATIENCE
        });
        servers
    }

    /// How they are.
    pub(crate) fn servers(&self, messages: u64) -> Vec<Server> {
        look(&self.runtime.block_on(self.handle.picture()), &self.name, messages)
    }

    /// Stays for a while.
    pub(crate) fn linger(time: Duration, stop: &AtomicBool) {
        let begun = Instant::now();
        while begun.elapsed() < time && !stop.load(Ordering::Relaxed) {
            thread::sleep(LOOK.min(time));
        }
    }

    /// Takes leave of all servers, with a Termination each.
    pub(crate) fn leave(self) {
        self.runtime.block_on(self.handle.leave());
    }

    fn until(&self, stop: &AtomicBool, mut holds: impl FnMut(&Picture) -> bool) {
        while !stop.load(Ordering::Relaxed) && !holds(&self.runtime.block_on(self.handle.picture())) {
            thread::sleep(LOOK);
        }
    }
}

/// A runtime that only asks.
pub(crate) fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("no runtime: {error}"))
}

/// How all servers are, in the order of the configuration.
pub(crate) fn look(picture: &Picture, name: &str, messages: u64) -> Vec<Server> {
    let taken = is_taken(picture, name, messages);
    let sessions = picture.sessions.iter().map(|session| {
        let address = session.alias.clone().unwrap_or_default();
        let Some(connection) = of(session, name) else {
            return Server {
                address,
                octets: 0,
                complete: false,
                up: false,
                known: false,
                lag_octets: 0,
                reason: session.reason.clone(),
            };
        };
        let up = is_up(connection);
        let reason = if up { None } else { connection.reason.clone().or_else(|| session.reason.clone()) };
        Server {
            address,
            octets: connection.octets,
            complete: taken && connection.state == "live" && connection.lag_octets == 0,
            up,
            known: connection.connects > 0,
            lag_octets: connection.lag_octets,
            reason,
        }
    });
    sessions.collect()
}

/// Whether the mirror has taken so many messages.
fn is_taken(picture: &Picture, name: &str, messages: u64) -> bool {
    picture.routers.iter().any(|router| router.name == name && router.messages >= messages)
}

fn of<'a>(session: &'a engine::picture::Session, name: &str) -> Option<&'a Connection> {
    session.connections.iter().find(|connection| connection.router == name)
}

fn is_up(connection: &Connection) -> bool {
    matches!(connection.state, "greeting" | "catching-up" | "live")
}

fn session(address: SocketAddr) -> Session {
    let alias = Some(Arc::from(address.to_string()));
    let key = SessionKey { instance: None, address: address.ip(), alias };
    Session { way: Some(Way::Active(address.port())), ..Session::new(key) }
}

/// Spreads back-offs, and is no secret.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_secs() << 20 ^ u64::from(now.subsec_nanos()) ^ u64::from(std::process::id()) << 40
}
