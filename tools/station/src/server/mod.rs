//! Sockets, threads and clocks: everything that a hearing must not know.
//!
//! ```text
//!  listeners ──accept──► dealt out in turn ──► worker ──► one task a connection: Pace, read, Hearing
//!                                              worker ──► …                           │
//!                                                                                     ▼
//!                                     register: meters of those that are open, reports of those that ended
//! ```
//!
//! * **one buffer a worker** what is read is taken in before anything else is read, so a thousand connections
//!   need no thousand buffers.
//! * **bounded**  [`REPORTS_MAX`] reports of connections that ended; from then on only sums.

mod connection;
mod register;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::hearing::{Hearing, Mode};
use crate::pace::{Habits, Pace};
use crate::pool::Pool;
use crate::report::{Place, Report};
use crate::rules::Demands;

use connection::Arrival;
pub use register::{Doing, Picture, Row};
use register::{Meter, Register};

/// Addresses and ports that are listened to.
pub const LISTENERS_MAX: usize = 4096;
/// Connections that wait to be accepted, by the kernel's leave.
const BACKLOG: i32 = 4096;
/// Connections that were accepted and wait for their worker.
const ARRIVALS_MAX: usize = 256;
/// How long a listener waits that could not accept, say for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Reports of connections that are kept.
pub const REPORTS_MAX: usize = 1 << 16;

/// What a station is asked to do.
pub struct Settings {
    /// Where it listens. Port 0 is any.
    pub listen: Vec<SocketAddr>,
    /// Workers.
    pub threads: usize,
    /// What is done with what comes.
    pub mode: Mode,
    /// What is asked of what comes.
    pub demands: Demands,
    /// Paths that all connections may hold together.
    pub paths_max: usize,
    /// What befalls connections.
    pub habits: Habits,
    /// Only the first so many of each port; the others are well.
    pub only: Option<u64>,
    /// How long each listener waits before each connection it accepts.
    pub accept_delay: Duration,
    /// Octets that the kernel buffers for each connection.
    pub receive_buffer: Option<usize>,
    /// Where tables are written as text, of each connection when it ends.
    pub dump: Option<File>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            threads: 1,
            mode: Mode::Tables,
            demands: Demands::default(),
            paths_max: usize::MAX,
            habits: Habits::default(),
            only: None,
            accept_delay: Duration::ZERO,
            receive_buffer: None,
            dump: None,
        }
    }
}

/// A station that listens.
pub struct Server {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// What all tasks have.
struct Shared {
    settings: Settings,
    began: Instant,
    pool: Pool,
    connections: AtomicU64,
    accept_errors: AtomicU64,
    register: Mutex<Register>,
    dump: Mutex<Dump>,
    stop: watch::Receiver<bool>,
}

#[derive(Default)]
struct Dump {
    out: Option<BufWriter<File>>,
    error: Option<io::Error>,
}

impl Shared {
    /// Since the station began.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn register(&self) -> std::sync::MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Listens, and starts the workers.
    ///
    /// # Errors
    /// An address that cannot be had, or no thread.
    pub fn bind(mut settings: Settings) -> io::Result<Self> {
        if settings.listen.len() > LISTENERS_MAX {
            let len = settings.listen.len();
            return Err(io::Error::other(format!(
                "{len} addresses and ports, expected at most {LISTENERS_MAX}"
            )));
        }
        let listen = |address: &SocketAddr| {
            bind(*address, settings.receive_buffer)
                .map_err(|error| io::Error::new(error.kind(), format!("listen on {address}: {error}")))
        };
        let listeners = settings.listen.iter().map(listen).collect::<io::Result<Vec<_>>>()?;
        let addresses = listeners.iter().map(std::net::TcpListener::local_addr).collect::<io::Result<_>>()?;
        let (stop, stopped) = watch::channel(false);
        let dump = Dump { out: settings.dump.take().map(BufWriter::new), error: None };
        let shared = Arc::new(Shared {
            began: Instant::now(),
            pool: Pool::new(settings.paths_max),
            connections: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            register: Mutex::default(),
            dump: Mutex::new(dump),
            stop: stopped,
            settings,
        });
        let workers = shared.settings.threads.max(1);
        let mut shares: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
        for (at, listener) in listeners.into_iter().enumerate() {
            shares[at % workers].push(listener);
        }
        let (doors, inboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel(ARRIVALS_MAX)).unzip();
        let mut threads = Vec::new();
        for (at, (listeners, inbox)) in shares.into_iter().zip(inboxes).enumerate() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (shared, doors) = (Arc::clone(&shared), doors.clone());
            let work = move || runtime.block_on(worker(shared, listeners, doors, inbox));
            threads.push(thread::Builder::new().name(format!("station-{at}")).spawn(work)?);
        }
        Ok(Self { addresses, shared, stop, threads })
    }

    /// Where it listens, in the order of [`Settings::listen`].
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How it is now.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let mut picture = self.shared.register().picture();
        picture.elapsed = self.shared.now();
        picture.sets = self.shared.pool.sets();
        picture
    }

    /// How many connections have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.shared.register().ended()
    }

    /// Ends. What the kernel has and nobody has read is not read any more.
    ///
    /// # Errors
    /// A dump that could not be written.
    ///
    /// # Panics
    /// If a worker has.
    pub fn finish(self) -> io::Result<Report> {
        let Self { shared, stop, threads, .. } = self;
        // Nobody listens any more if all workers have gone, and then there is nobody to tell.
        let _ = stop.send(true);
        let panics = threads.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(panics, 0, "workers that panicked");
        let seconds = shared.now().as_secs_f64();
        let mut dump = shared.dump.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = dump.error.take() {
            return Err(error);
        }
        if let Some(out) = &mut dump.out {
            out.flush()?;
        }
        let (ended, busy_seconds) = std::mem::take(&mut *shared.register()).finish();
        let per_second = |count: u64| if busy_seconds > 0.0 { count_f64(count) / busy_seconds } else { 0.0 };
        let mut per_connection = ended.reports;
        per_connection.sort_by_key(|report| report.number);
        Ok(Report {
            mode: shared.settings.mode.name(),
            seconds,
            busy_seconds,
            octets_per_second: per_second(ended.totals.octets),
            messages_per_second: per_second(ended.totals.messages),
            connections: shared.connections.load(Ordering::Relaxed),
            open: ended.open,
            connections_left_out: ended.left_out,
            totals: ended.totals,
            accept_errors: shared.accept_errors.load(Ordering::Relaxed),
            per_connection,
        })
    }
}

/// A count as a number that can be divided; what is lost above 2^53 nobody sees.
#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(crate) fn count_f64(count: u64) -> f64 {
    count as f64
}

fn bind(address: SocketAddr, receive_buffer: Option<usize>) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // What is accepted inherits it, and only what has it before the handshake scales its window by it.
    if let Some(octets) = receive_buffer {
        socket.set_recv_buffer_size(octets)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

async fn worker(
    shared: Arc<Shared>,
    listeners: Vec<std::net::TcpListener>,
    doors: Vec<mpsc::Sender<Arrival>>,
    mut inbox: mpsc::Receiver<Arrival>,
) {
    let mut stop = shared.stop.clone();
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(accept(Arc::clone(&shared), listener, doors.clone()));
    }
    drop(doors);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(arrival) = inbox.recv() => {
                tasks.spawn(connection::live(Arc::clone(&shared), arrival));
            }
            Some(done) = tasks.join_next() => done.expect("a task that does not panic"),
        }
    }
    inbox.close();
    while let Some(arrival) = inbox.recv().await {
        tasks.spawn(connection::live(Arc::clone(&shared), arrival));
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task that does not panic");
    }
}

/// Accepts connections and deals them out.
async fn accept(shared: Arc<Shared>, listener: std::net::TcpListener, doors: Vec<mpsc::Sender<Arrival>>) {
    let mut stop = shared.stop.clone();
    let Ok(listener) = TcpListener::from_std(listener) else {
        shared.accept_errors.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let accepting = async {
        let mut of_port = 0;
        loop {
            if !shared.settings.accept_delay.is_zero() {
                tokio::time::sleep(shared.settings.accept_delay).await;
            }
            let accepted = listener.accept().await.and_then(|(stream, from)| {
                let to = stream.local_addr()?;
                Ok((stream.into_std()?, from, to))
            });
            let Ok((stream, from, to)) = accepted else {
                shared.accept_errors.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            of_port += 1;
            let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
            let is_affected = shared.settings.only.is_none_or(|only| of_port <= only);
            let habits = if is_affected { shared.settings.habits.clone() } else { Habits::default() };
            let meter = Arc::new(Meter::new(Place { number, to, from }));
            shared.register().open(&meter);
            let hearing =
                Hearing::new(shared.settings.mode, shared.settings.demands.clone(), shared.pool.clone());
            let arrival = Arrival { stream, pace: Pace::new(habits, shared.now()), meter, hearing };
            let door = usize::try_from(number).unwrap_or_default() % doors.len();
            if doors[door].send(arrival).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = accepting => {}
    }
}

/// Writes the tables of a connection, and remembers the first error.
fn dump(shared: &Shared, place: Place, hearing: &Hearing) {
    let mut dump = shared.dump.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(out) = &mut dump.out else { return };
    if let Err(error) = write_tables(out, place, hearing) {
        dump.error.get_or_insert(error);
        dump.out = None;
    }
}

fn write_tables(out: &mut impl Write, place: Place, hearing: &Hearing) -> io::Result<()> {
    let router = hearing.router().unwrap_or("?");
    let Place { number, to, .. } = place;
    writeln!(out, "# connection {number} port {} router {router:?} digest {}", to.port(), hearing.digest())?;
    for (peer, view, family, table) in hearing.tables() {
        // Sorted within each table, and tables stand in order: no more text at once than one table has.
        let mut lines: Vec<_> =
            table.paths().map(|path| path.line(*peer, view, family).to_string()).collect();
        lines.sort_unstable();
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

/// Open connections by number.
type Meters = BTreeMap<u64, Arc<Meter>>;
