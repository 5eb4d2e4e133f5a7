//! The driver over io_uring, and the loop around it: two rings on one thread.
//!
//! ```text
//!           ┌────────────────────────── busy ──────────────────────────┐
//!           ▼                                                          │
//!   orders, reports ─► turn of the fleet ─► flush the hot ring ─► something came?
//!                                           one enter, all sends       │ no
//!           hot ring ┄┄ signal ┄► sleep in the runtime ◄───────────────╯
//!                                  │
//!   tokio-uring's runtime ◄────────╯   connects, accepts, reads, timers: its own ring, its own epoll
//! ```
//!
//! * **hot and cold**  sends go through a bare ring ([`hot`]), all else through tokio-uring's ([`cold`]), whose
//!   tasks run when the loop breathes: every [`BREATH_TURNS`] turns or [`BREATH`], and whenever it sleeps.
//! * **asleep**        who sleeps has lain down and is woken by the bell, which the runtime watches, as it does
//!   what the hot ring signals. So nothing is looked at on a timer, and an idle writer uses no CPU, however
//!   many sends are stalled.
//! * **counted**       a descriptor lives as long as somebody works with it ([`line`]); chunks as long as the
//!   kernel has them ([`hot`], *held*).
//! * **one each**      a session has one connection at a time, so its place is found by its number, without a
//!   search; who connects anew takes the place, and what had it is closed.
//! * **last word**     news of a connection that was closed is dropped here.
//!
//! Two other splits were tried (`fanout`, A B A B, medians): to wait for up to a millisecond in the hot ring while sends
//! come back, instead of in the runtime, and registered files. Neither could be told from this one: with one server
//! at 64 KiB 0.89 and 0.91 of the bare ring with that wait, 0.94 and 0.95 without it; 512 small messages 0.97 and 0.97,
//! 0.95 and 0.94. So there is one place to sleep in.

mod cold;
mod hot;
mod line;
#[cfg(test)]
mod tests;
mod zero;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use queue::log::Chunk;
use rustix::io::Errno;
use rustix::net::Shutdown;

use crate::driver::{Driver, Ends, Event, Token};
use crate::fault::{Fault, Step};
use crate::fleet::{Fleet, ListenerId, Settings};
use crate::plan::{Auth, Listen, Plan};
use crate::socket;
use crate::thread::Post;
use cold::{Desk, Ear, News, Task};
use hot::{Done, Hot};
use line::Line;
use zero::ZeroCopy;

/// Busy turns after which the runtime has its turn.
const BREATH_TURNS: u32 = 32;

/// How long it may be kept waiting.
const BREATH: Duration = Duration::from_millis(1);

/// How soon a submission is tried again that the kernel had no memory for.
const AGAIN: Duration = Duration::from_millis(10);

/// How long the tasks are given at the end.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// Runs a fleet until it is told to stop.
pub(crate) fn run(post: Post, settings: Settings, seed: u64) -> io::Result<()> {
    cold::runtime()?.block_on(serve(post, settings, seed))
}

async fn serve(mut post: Post, settings: Settings, seed: u64) -> io::Result<()> {
    let driver = Uring::new(post.eventfd())?;
    let mut fleet = Fleet::new(driver, settings, seed);
    let clock = Instant::now();
    let (mut turns, mut breath_at) = (0, BREATH);
    loop {
        let now = clock.elapsed();
        let moved = post.carry(now, &mut fleet);
        let turn = fleet.turn(now);
        if turn.stopped {
            break;
        }
        fleet.driver().flush()?;
        turns += 1;
        if turns >= BREATH_TURNS || now >= breath_at {
            fleet.driver().breathe().await?;
            (turns, breath_at) = (0, clock.elapsed() + BREATH);
        }
        if moved || turn.busy || fleet.driver().has_news() || !post.lie_down(&fleet) {
            continue;
        }
        let limit = turn.until.map(|until| until.saturating_sub(clock.elapsed()));
        let slept = fleet.driver().sleep(limit).await;
        post.get_up();
        if slept? {
            (turns, breath_at) = (0, clock.elapsed() + BREATH);
        }
    }
    fleet.driver().end().await;
    Ok(())
}

/// See the top of the file.
struct Uring {
    // Before the ring: what it has to wait for goes with the connections.
    /// By session: see *one each*.
    connections: Vec<Option<(Token, Connection)>>,
    listeners: HashMap<ListenerId, Ear>,
    desk: Rc<Desk>,
    hot: Hot,
    zero_copy: ZeroCopy,
}

enum Connection {
    /// Or it failed, and the news of it is on the desk.
    Dialing(#[expect(dead_code, reason = "it ends when it is dropped")] Option<Task>),
    Up(Rc<Line>, #[expect(dead_code, reason = "it ends when it is dropped")] Task),
}

impl Uring {
    /// A driver for this thread, which must be in tokio-uring's runtime. `bell` ends its sleep.
    fn new(bell: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self::with(Hot::new(bell)?, ZeroCopy::Auto))
    }

    fn with(hot: Hot, zero_copy: ZeroCopy) -> Self {
        Self { connections: Vec::new(), listeners: HashMap::new(), desk: Rc::default(), hot, zero_copy }
    }

    /// Has the kernel send, and takes over what has come of sends.
    fn flush(&mut self) -> io::Result<()> {
        self.hot.flush()
    }

    fn has_news(&self) -> bool {
        self.hot.has_done() || !self.desk.is_empty()
    }

    /// Waits for whatever may happen. Whether the cold tasks ran meanwhile: not if it has happened already.
    async fn sleep(&mut self, limit: Option<Duration>) -> io::Result<bool> {
        let limit =
            if self.hot.unsubmitted() { Some(limit.map_or(AGAIN, |limit| limit.min(AGAIN))) } else { limit };
        let mut timer = pin!(limit.map(tokio::time::sleep));
        let mut ran = false;
        poll_fn(|context| {
            if self.desk.poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if let Poll::Ready(ready) = self.hot.poll(context) {
                return Poll::Ready(ready);
            }
            if let Some(timer) = timer.as_mut().as_pin_mut()
                && timer.poll(context).is_ready()
            {
                return Poll::Ready(Ok(()));
            }
            ran = true;
            Poll::Pending
        })
        .await?;
        self.hot.silence();
        Ok(ran)
    }

    /// Lets the cold tasks run, submits what they ask for, and looks for what has come, without waiting.
    async fn breathe(&mut self) -> io::Result<()> {
        self.hot.park().await
    }

    /// Resets what still stands, and lets the tasks come to their ends.
    async fn end(&mut self) {
        for place in 0..self.connections.len() {
            self.vacate(place);
        }
        self.listeners.clear();
        let end = Instant::now() + LAST_BREATH;
        let mut breaths = 0;
        // Each task holds the desk; and two breaths lead from the last one's end to that of its read.
        while breaths < 3 && Instant::now() < end {
            // It is over in any case, whatever the ring says.
            drop(self.flush());
            while self.hot.next_done().is_some() {}
            tokio::time::sleep(BREATH).await;
            breaths += u32::from(Rc::strong_count(&self.desk) == 1);
        }
    }

    fn begin(&mut self, plan: &Plan, token: Token, stall: Duration) -> Result<Task, Fault> {
        let (socket, remote) = socket::open(plan, stall)?;
        match rustix::net::connect(&socket, &remote) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {
                Ok(cold::connecting(self.desk.clone(), token, socket, self.zero_copy))
            }
            Err(errno) => Err(Fault::new(Step::Connect, &errno.into())),
        }
    }

    /// From here on the connection is read and may be sent to.
    fn stand(&mut self, token: Token, line: Line) {
        let line = Rc::new(line);
        let task = cold::reading(self.desk.clone(), token, line.clone());
        self.put(token, Connection::Up(line, task));
    }

    fn put(&mut self, token: Token, connection: Connection) {
        let place = token.session.0 as usize;
        if place >= self.connections.len() {
            self.connections.resize_with(place + 1, || None);
        }
        self.vacate(place);
        self.connections[place] = Some((token, connection));
    }

    fn vacate(&mut self, place: usize) {
        if let Some((_, Connection::Up(line, _))) = self.connections[place].take()
            && let Some(index) = line.sending.get()
        {
            self.hot.cancel(index);
        }
    }

    fn get(&self, token: Token) -> Option<&Connection> {
        let (of, connection) = self.connections.get(token.session.0 as usize)?.as_ref()?;
        (*of == token).then_some(connection)
    }

    fn line(&self, token: Token) -> Option<&Rc<Line>> {
        match self.get(token)? {
            Connection::Up(line, _) => Some(line),
            Connection::Dialing(_) => None,
        }
    }
}

impl Driver for Uring {
    type Incoming = Line;

    fn dial(&mut self, token: Token, plan: &Plan, stall: Duration) {
        let task = self.begin(plan, token, stall);
        let task = task.map_err(|fault| self.desk.push(News::Event(Event::Failed(token, fault)))).ok();
        self.put(token, Connection::Dialing(task));
    }

    fn adopt(&mut self, token: Token, incoming: Line, plan: &Plan, stall: Duration) -> Result<Ends, Fault> {
        let ends = socket::adopt(incoming.as_fd(), plan, stall)?;
        self.stand(token, incoming);
        Ok(ends)
    }

    fn listen(&mut self, id: ListenerId, listen: &Listen) -> Result<SocketAddr, Fault> {
        // Before another socket takes its address.
        self.listeners.remove(&id);
        let socket = socket::listen(listen)?;
        let (ear, address) = Ear::new(self.desk.clone(), id, socket, self.zero_copy)?;
        self.listeners.insert(id, ear);
        Ok(address)
    }

    fn unlisten(&mut self, id: ListenerId) {
        self.listeners.remove(&id);
    }

    fn key(&mut self, id: ListenerId, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
        match self.listeners.get(&id) {
            Some(ear) => socket::key(ear.as_fd(), server, auth),
            None => Ok(()),
        }
    }

    fn rekey(&mut self, token: Token, plan: &Plan) -> Result<(), Fault> {
        self.line(token).map_or(Ok(()), |line| socket::rekey(line.as_fd(), plan))
    }

    fn send(&mut self, token: Token, chunk: Chunk) {
        if let Some(line) = self.line(token).cloned() {
            self.hot.send(token, line, chunk);
        }
    }

    fn finish(&mut self, token: Token) {
        if let Some(line) = self.line(token) {
            // It fails if the connection is broken, which its reader finds too.
            let _ = rustix::net::shutdown(line.as_fd(), Shutdown::Write);
        }
    }

    fn close(&mut self, token: Token) {
        if self.get(token).is_some() {
            self.vacate(token.session.0 as usize);
        }
    }

    fn unacked(&mut self, token: Token) -> u64 {
        self.line(token).map_or(0, |line| socket::unacked(line.as_fd()))
    }

    fn calls(&self) -> u64 {
        self.hot.calls()
    }

    fn next_event(&mut self) -> Option<Event<Line>> {
        // *last word*: of a connection that was closed the ring hands out nothing.
        if let Some(Done { token, chunk, result }) = self.hot.next_done() {
            let fault = |error| Event::Broke(token, Fault::new(Step::Send, &error));
            return Some(match result {
                Ok(0) => fault(Errno::PIPE.into()),
                Ok(len) => Event::Sent(token, chunk, len),
                Err(error) => fault(error),
            });
        }
        loop {
            let event = match self.desk.pop()? {
                News::Event(event) => event,
                News::Connected(token, ends, line) => {
                    if self.get(token).is_some() {
                        self.stand(token, line);
                        return Some(Event::Connected(token, ends));
                    }
                    continue;
                }
            };
            // *last word*
            let known = match &event {
                Event::Accepted(id, ..) => self.listeners.contains_key(id),
                Event::Failed(token, _) => {
                    let known = self.get(*token).is_some();
                    self.close(*token);
                    known
                }
                Event::Connected(token, _)
                | Event::Sent(token, ..)
                | Event::Heard(token, _)
                | Event::Ended(token)
                | Event::Broke(token, _) => self.get(*token).is_some(),
            };
            if known {
                return Some(event);
            }
        }
    }
}
