//! What is not a send: connecting, accepting and reading, as tasks of tokio-uring's runtime.
//!
//! ```text
//!   dial ──► connecting ─┐
//!   listen ► accepting ──┼─► Desk: what has happened ─► driver ─► fleet
//!   Line ──► reading ────┘     ╰ wakes the loop if it sleeps
//! ```
//!
//! * **ends**   a task ends by [`Task`]'s drop, whatever it waits for. A read or an accept that the kernel still
//!   has ends by the shutdown that goes with the last of a [`Line`] or an [`Ear`].
//! * **paced**  a connection has one read with the kernel, and the next is submitted when the runtime parks: a
//!   server that talks without end takes one small buffer between two turns of the fleet.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::net::Shutdown;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio_uring::Runtime;
use tokio_uring::net::TcpListener;

use super::hot::SESSIONS_MAX;
use super::line::Line;
use super::zero::{Gauge, ZeroCopy};
use crate::driver::{Ends, Event, Token};
use crate::fault::{Fault, Step};
use crate::fleet::ListenerId;
use crate::socket;

/// Octets of a read. What servers say counts, nobody looks at it, and they have little to say.
const READ_LEN: usize = 512;

/// Operations that tokio-uring's ring takes before it has to enter.
const SUBMIT_MAX: u32 = 256;

/// Its completions: for each connection the end of two reads.
const COMPLETE_MAX: u32 = 2 * SESSIONS_MAX;

/// How long a listener pauses that cannot accept: for want of descriptors or memory, mostly.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A runtime for the thread.
pub(super) fn runtime() -> io::Result<Runtime> {
    let with = |polite: bool| {
        let mut ring = tokio_uring::uring_builder();
        ring.setup_cqsize(COMPLETE_MAX);
        if polite {
            // Not DEFER_TASKRUN: tokio-uring enters without asking for events, and would get none.
            ring.setup_single_issuer().setup_coop_taskrun();
        }
        Runtime::new(tokio_uring::builder().entries(SUBMIT_MAX).uring_builder(&ring))
    };
    with(true).or_else(|_| with(false))
}

/// What has happened and nobody has heard yet.
pub(super) enum News {
    /// This goes to the fleet as it is.
    Event(Event<Line>),
    /// A connection stands.
    Connected(Token, Ends, Line),
}

/// Where news is left.
#[derive(Default)]
pub(super) struct Desk {
    news: RefCell<VecDeque<News>>,
    sleeper: Cell<Option<Waker>>,
}

impl Desk {
    pub(super) fn push(&self, news: News) {
        self.news.borrow_mut().push_back(news);
        if let Some(sleeper) = self.sleeper.take() {
            sleeper.wake();
        }
    }

    pub(super) fn pop(&self) -> Option<News> {
        self.news.borrow_mut().pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.news.borrow().is_empty()
    }

    /// Whether there is news; if not, who asks is woken when there is.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if !self.is_empty() {
            return Poll::Ready(());
        }
        self.sleeper.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

/// A task that ends when nobody wants it any more.
pub(super) struct Task(tokio::task::JoinHandle<()>);

impl Task {
    fn spawn(task: impl Future<Output = ()> + 'static) -> Self {
        Self(tokio_uring::spawn(task))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sees through a connect that was begun on a non-blocking socket. Who gives up drops the task, and with it
/// the socket.
pub(super) fn connecting(desk: Rc<Desk>, token: Token, socket: OwnedFd, zero_copy: ZeroCopy) -> Task {
    Task::spawn(async move {
        desk.push(match connected(socket, zero_copy).await {
            Ok((ends, line)) => News::Connected(token, ends, line),
            Err(fault) => News::Event(Event::Failed(token, fault)),
        });
    })
}

async fn connected(socket: OwnedFd, zero_copy: ZeroCopy) -> Result<(Ends, Line), Fault> {
    let fault = |error: io::Error| Fault::new(Step::Connect, &error);
    // SAFETY: an `OwnedFd` is one descriptor as long as there is it.
    let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::WRITABLE) };
    let socket = socket.map_err(|error| fault(error.into()))?;
    let ends = loop {
        let mut guard = socket.writable().await.map_err(fault)?;
        if let Some(ends) = socket::connected(&socket) {
            break ends.map_err(fault)?;
        }
        guard.clear_ready();
    };
    Ok((ends, Line::new(socket.into_inner(), Gauge::new(zero_copy, ends.remote.ip()))?))
}

/// Reads what the server says, until it says no more.
pub(super) fn reading(desk: Rc<Desk>, token: Token, line: Rc<Line>) -> Task {
    Task::spawn(async move {
        let mut buffer = Vec::with_capacity(READ_LEN);
        loop {
            let (result, back) = line.stream().read(buffer).await;
            buffer = back;
            let event = match result {
                Ok(0) => Event::Ended(token),
                Ok(len) => Event::Heard(token, len),
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => continue,
                Err(error) => Event::Broke(token, Fault::new(Step::Receive, &error)),
            };
            let last = !matches!(event, Event::Heard(..));
            desk.push(News::Event(event));
            if last {
                break;
            }
        }
    })
}

/// A socket that listens, and the task that accepts from it.
pub(super) struct Ear {
    listener: Rc<TcpListener>,
    _task: Task,
}

impl Ear {
    /// Listens from now on.
    pub(super) fn new(
        desk: Rc<Desk>,
        id: ListenerId,
        socket: OwnedFd,
        zero_copy: ZeroCopy,
    ) -> Result<(Self, SocketAddr), Fault> {
        // As for a line: the ring waits in the kernel.
        socket::set_blocking(socket.as_fd(), true)?;
        let socket = StdListener::from(socket);
        let address = socket.local_addr().map_err(|error| Fault::new(Step::Socket, &error))?;
        let listener = Rc::new(TcpListener::from_std(socket));
        let task = Task::spawn(accepting(desk, id, listener.clone(), zero_copy));
        Ok((Self { listener, _task: task }, address))
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: *counted* (as in `line`): the listener owns the descriptor and is in `self`.
        unsafe { BorrowedFd::borrow_raw(self.listener.as_raw_fd()) }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // The accept that the kernel has ends, and with it the last to hold the descriptor.
        let _ = rustix::net::shutdown(self.as_fd(), Shutdown::Read);
    }
}

async fn accepting(desk: Rc<Desk>, id: ListenerId, listener: Rc<TcpListener>, zero_copy: ZeroCopy) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // A listener for both families says ::ffff:192.0.2.1 of who is 192.0.2.1 in each plan.
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                let line = Line::from_stream(stream, Gauge::new(zero_copy, remote.ip()));
                desk.push(News::Event(Event::Accepted(id, remote, line)));
            }
            // Who connected has gone again.
            Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
