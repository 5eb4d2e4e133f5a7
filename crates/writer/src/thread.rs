//! The thread on which a fleet runs, and how another one reaches it.
//!
//! ```text
//!   Handle ── orders ═════════► Post ─► Fleet ─► Driver ─► kernel
//!     ▲  ╲─── bell ┈┈ eventfd ┈► (only if it sleeps)
//!     ╰────── reports ◄════════ Post
//! ```
//!
//! * **bounded**  [`ORDERS_MAX`] orders and [`REPORTS_MAX`] reports are under way at most. Orders that find no
//!   room stay with the handle, which whoever gives them bounds (a few for each session); reports stay with
//!   the fleet, which begins no connection while too many do. Either side wakes the other when it has made
//!   room where there was none.
//! * **once**     the thread is woken if it sleeps, by one write; when it is busy nobody makes a call.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use queue::bell::Bell;
use rustix::event::{EventfdFlags, eventfd};

use crate::check::{self, Problem};
use crate::driver::Driver;
use crate::fleet::{Fleet, Order, Report, Settings};
use crate::{epoll, uring};

/// Orders that the thread has not taken yet, at most.
pub const ORDERS_MAX: usize = 4096;

/// Reports that nobody has taken yet, at most.
pub const REPORTS_MAX: usize = 4096;

/// Orders taken between two turns of the fleet, at most.
const ORDERS_TURN: usize = 256;

/// What moves the octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Io {
    /// io_uring.
    Uring,
    /// epoll, where there is no io_uring.
    Epoll,
}

/// Why a writer could not start.
#[derive(Debug)]
pub enum StartError {
    /// The machine is not as it must be.
    Machine(Problem),
    /// There was no thread or no descriptor to be had.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(problem) => problem.fmt(f),
            Self::System(error) => write!(f, "the writer's thread: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// What both sides hold.
struct Shared {
    orders: ArrayQueue<Order>,
    reports: ArrayQueue<Report>,
    stop: AtomicBool,
    bell: Bell<Box<dyn Fn() + Send + Sync>>,
    eventfd: Arc<OwnedFd>,
}

/// Starts a writer's thread. `wake` is called on it when there are reports, or room for more orders: then look
/// for reports. What `seed` is decides how back-offs are spread.
///
/// # Errors
/// The machine does not give us what the thread needs.
pub fn start(
    io: Io,
    settings: Settings,
    seed: u64,
    wake: impl Fn() + Send + Sync + 'static,
) -> Result<Handle, StartError> {
    if io == Io::Uring {
        check::io_uring().map_err(StartError::Machine)?;
    }
    let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    let eventfd = Arc::new(eventfd.map_err(|errno| StartError::System(errno.into()))?);
    let ringer = eventfd.clone();
    let shared = Arc::new(Shared {
        orders: ArrayQueue::new(ORDERS_MAX),
        reports: ArrayQueue::new(REPORTS_MAX),
        stop: AtomicBool::new(false),
        // It cannot fail but by overflow, and then the sleeper is awake.
        bell: Bell::new(Box::new(move || {
            let _ = rustix::io::write(&ringer, &1_u64.to_ne_bytes());
        })),
        eventfd,
    });
    let post = Post { shared: shared.clone(), wake: Box::new(wake) };
    let thread = Builder::new().name(String::from("writer"));
    let thread = thread
        .spawn(move || match io {
            Io::Uring => uring::run(post, settings, seed),
            Io::Epoll => epoll::run(post, settings, seed),
        })
        .map_err(StartError::System)?;
    Ok(Handle { shared, waiting: VecDeque::new(), thread: Some(thread) })
}

/// A writer's thread, for the one who gives orders and takes reports. Dropping it stops the thread and waits
/// for it; connections that still stand are reset.
pub struct Handle {
    shared: Arc<Shared>,
    waiting: VecDeque<Order>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Handle {
    /// Gives an order. All are taken in the order in which they were given.
    pub fn order(&mut self, order: Order) {
        self.waiting.push_back(order);
        self.hand_over();
    }

    /// Logs have grown: wakes the thread if it sleeps. Costs a fence and a load if it does not.
    pub fn news(&mut self) {
        if !self.waiting.is_empty() {
            self.hand_over();
        }
        self.shared.bell.ring();
    }

    /// The next report.
    pub fn next_report(&mut self) -> Option<Report> {
        if !self.waiting.is_empty() {
            self.hand_over();
        }
        let was_full = self.shared.reports.is_full();
        let report = self.shared.reports.pop();
        if was_full {
            // There may be more, which found no room.
            self.shared.bell.ring();
        }
        report
    }

    /// Why the thread has ended, if it has, and not by our command.
    pub fn ended(&mut self) -> Option<io::Error> {
        if !self.thread.as_ref()?.is_finished() {
            return None;
        }
        let broken = || io::Error::other("the writer's thread panicked");
        Some(match self.thread.take()?.join() {
            Ok(Ok(())) => io::Error::other("the writer's thread was told to stop"),
            Ok(Err(error)) => error,
            Err(_) => broken(),
        })
    }

    fn hand_over(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            if let Err(order) = self.shared.orders.push(order) {
                self.waiting.push_front(order);
                break;
            }
        }
        self.shared.bell.ring();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.bell.ring();
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

/// The thread's side, for the loop around a fleet.
pub(crate) struct Post {
    shared: Arc<Shared>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Post {
    /// Brings orders to the fleet and takes its reports; whether there was anything.
    pub(crate) fn carry<D: Driver>(&mut self, now: Duration, fleet: &mut Fleet<D>) -> bool {
        let mut moved = false;
        if self.shared.stop.load(Ordering::Relaxed) {
            fleet.order(now, Order::Stop);
            moved = true;
        }
        // Whoever gives them may have more, which found no room: it is woken like for a report.
        let mut told = self.shared.orders.is_full();
        for _ in 0..ORDERS_TURN {
            let Some(order) = self.shared.orders.pop() else { break };
            fleet.order(now, order);
            moved = true;
        }
        while !self.shared.reports.is_full()
            && let Some(report) = fleet.next_report()
        {
            // There is room, and nobody else puts anything in.
            drop(self.shared.reports.push(report));
            told = true;
        }
        if told {
            (self.wake)();
        }
        moved || told
    }

    /// Declares that the thread is about to sleep; `false` if there is work, and then it is awake.
    #[must_use]
    pub(crate) fn lie_down<D: Driver>(&self, fleet: &Fleet<D>) -> bool {
        self.shared.bell.lie_down();
        let work =
            !self.shared.orders.is_empty() || self.shared.stop.load(Ordering::Relaxed) || fleet.has_news();
        if work {
            self.shared.bell.get_up();
        }
        !work
    }

    /// The thread is awake: what rang is silenced.
    pub(crate) fn get_up(&self) {
        self.shared.bell.get_up();
    }

    /// Becomes readable when somebody wakes the thread; eight octets are read from it to silence it.
    pub(crate) fn eventfd(&self) -> BorrowedFd<'_> {
        self.shared.eventfd.as_fd()
    }
}
