//! The service: a thread that listens for routers and passes on what they send.
//!
//! ```text
//!   Handle ── orders ══► House: listeners, connections, names, limits ── reports ══► Handle, and `wake`
//!                          │ spawns
//!               accepting ─┴─► talk, one a connection:  greet ─► name ─► read, frames, lanes, again
//! ```
//!
//! * **one thread**  all of it are tasks of one runtime; only the reading of a socket differs between io_uring and
//!   epoll (`line`), and the logic does not know which it is.
//! * **in turns**    a connection reads once, passes on what came, and lets the others have their turn.
//! * **asleep**      whoever waits, waits for the kernel; only a connection whose lane is full looks again after a
//!   while ([`AGAIN_MIN`] to [`AGAIN_MAX`]). Where nothing happens nothing runs.
//! * **one of a name** who says the name of a router that is connected takes its place: the old connection is
//!   closed, its lanes end, and the new one has a higher number.
//! * **bounded**     [`ORDERS_MAX`] orders and [`REPORTS_MAX`] reports are under way at most. Orders that find no
//!   room stay with the handle; while reports find none, nobody is let in.

mod house;
mod line;
mod permit;
mod report;
mod socket;
mod talk;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use queue::ring::Gate;
use tokio::sync::mpsc;
use wire::bmp::MESSAGE_MAX;

pub use house::STRANGERS_MAX;
pub use report::{REFUSED_A_SECOND, Reason, Report};
pub use talk::{AGAIN_MAX, AGAIN_MIN, CAME_EVERY};

use crate::Record;

/// Orders that the thread has not taken yet, at most.
pub const ORDERS_MAX: usize = 256;

/// Reports that nobody has taken yet, at most.
pub const REPORTS_MAX: usize = 4096;

/// Connections that the limits may allow, at most: what io_uring's completions are reckoned with.
pub const ROUTERS_MAX: usize = 4096;

/// What moves the octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Io {
    /// io_uring.
    Uring,
    /// epoll, where there is no io_uring.
    Epoll,
}

/// Which listener. Chosen by who orders it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ListenerId(pub u32);

/// A network of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Instance {
    /// The one we are in.
    #[default]
    Public,
    /// A VRF device.
    Device(Arc<str>),
    /// A network namespace, by the file that stands for it.
    Namespace(PathBuf),
}

/// What may come, and when it is too long in coming. Of a connection that stands, what was in force when it came
/// holds for the length of messages and for silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Routers that are connected at once, at most [`ROUTERS_MAX`]. Who is connected stays.
    pub routers_max: usize,
    /// Octets of a message, at most [`MESSAGE_MAX`].
    pub message_max: usize,
    /// How long a machine may not answer that is asked whether it is there (TCP keepalive): a router that has
    /// nothing to say is not silent.
    pub silence: Duration,
    /// How long who connects has for the first whole message.
    pub first: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            routers_max: 1024,
            message_max: MESSAGE_MAX,
            silence: Duration::from_secs(90),
            first: Duration::from_secs(30),
        }
    }
}

/// What the thread is told.
pub enum Order {
    /// Listen, or change where. The port may be 0 for any; `::` takes connections of both families.
    Listen(ListenerId, SocketAddr, Instance),
    /// Listen no more. Who is connected stays.
    Unlisten(ListenerId),
    /// Who may connect: an address and the length of its prefix. None at all: this machine only. Who is connected
    /// and may no more is closed.
    Permit(Vec<(IpAddr, u8)>),
    /// Limits from now on.
    Limits(Limits),
    /// Close the connection of a router, or all.
    Reset(Option<Arc<str>>),
    /// Be looked at: called on the thread.
    Survey(Box<dyn FnOnce(Vec<Sight>) + Send>),
    /// Close everything and end.
    Stop,
}

/// A connection, as it is to be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sight {
    /// The router's name, and the number of the connection; not before its first message.
    pub router: Option<(Arc<str>, u64)>,
    /// Its end.
    pub remote: SocketAddr,
    /// Which listener it came to.
    pub listener: ListenerId,
    /// When it came, in microseconds since 1970.
    pub since: u64,
    /// Octets that came.
    pub octets: u64,
    /// Messages passed on.
    pub messages: u64,
    /// Its lanes.
    pub lanes: usize,
    /// Records that wait because a lane is full. While there are any, its socket is not read.
    pub waiting: usize,
    /// How often it has had to wait.
    pub waits: u64,
    /// What is wrong with it, though it stands.
    pub error: Option<String>,
}

/// Starts the thread, with nothing to listen to. Records go through `gate`; `now` says what time it is, in
/// microseconds since 1970; `wake` is called on the thread when there are reports, or room for more orders.
///
/// # Errors
/// No thread or no runtime is to be had: where io_uring is forbidden, try [`Io::Epoll`].
pub fn start(
    io: Io,
    gate: Arc<Gate<Record>>,
    now: impl Fn() -> u64 + Send + 'static,
    wake: impl Fn() + Send + 'static,
) -> io::Result<Handle> {
    let (orders, orders_in) = mpsc::channel(ORDERS_MAX);
    let (reports_out, reports) = mpsc::channel(REPORTS_MAX);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let outside = house::Outside { io, gate, now: Box::new(now), wake: Box::new(wake), reports: reports_out };
    let body = move || {
        let runtime = match line::Runtime::new(io) {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        drop(tell.send(Ok(())));
        runtime.run(house::keep(outside, orders_in));
    };
    let thread = Builder::new().name(String::from("routers")).spawn(body)?;
    told.recv().map_err(|_| io::Error::other("the thread of the routers ended as it began"))??;
    Ok(Handle { orders, reports, waiting: VecDeque::new(), thread: Some(thread) })
}

/// The thread, for the one who gives orders and takes reports. Dropping it stops the thread and waits for it.
pub struct Handle {
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
    waiting: VecDeque<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Gives an order. All are taken in the order in which they were given.
    pub fn order(&mut self, order: Order) {
        self.waiting.push_back(order);
        self.hand_over();
    }

    /// The next report.
    pub fn next_report(&mut self) -> Option<Report> {
        self.hand_over();
        self.reports.try_recv().ok()
    }

    /// Whether the thread has ended, and not by our command.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn hand_over(&mut self) {
        while !self.waiting.is_empty() {
            let Ok(place) = self.orders.try_reserve() else { return };
            place.send(self.waiting.pop_front().expect("it is not empty"));
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // No more orders: that is the order to stop. What waits to be reported is not.
        self.reports.close();
        self.orders = mpsc::channel(1).0;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(id, address, instance) => write!(f, "Listen({id:?}, {address}, {instance:?})"),
            Self::Unlisten(id) => write!(f, "Unlisten({id:?})"),
            Self::Permit(prefixes) => write!(f, "Permit({prefixes:?})"),
            Self::Limits(limits) => limits.fmt(f),
            Self::Reset(name) => write!(f, "Reset({name:?})"),
            Self::Survey(_) => f.write_str("Survey"),
            Self::Stop => f.write_str("Stop"),
        }
    }
}

/// A task of this thread's runtime, whichever it is.
fn spawn(task: impl Future<Output = ()> + 'static) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_local(task)
}
