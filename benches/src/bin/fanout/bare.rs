//! The bare contenders: nothing but sends and what the kernel says of them.
//!
//! ```text
//!        ready ──► next ──► send ──► (in flight, or waiting for room) ──► took ──► ready
//!          ▲        │ nothing
//!          ╰─ wake ─ idle
//! ```
//!
//! No session, no timer, no state but this: what is left to gain, and what a writer is measured by.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use io_uring::IoUring;
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::{Domain, Socket, Type};

use crate::kernel::{self, Calls, Target};
use crate::meter::Mark;
use crate::source::Source;

/// What a bare loop is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) ring: bool,
    /// TCP_NOTSENT_LOWAT.
    pub(crate) unsent_max: Option<usize>,
    /// Whether the ring knows sockets by numbers of its own.
    pub(crate) registered: bool,
    /// Whether the kernel goes on by itself with a send that was cut short.
    pub(crate) whole: bool,
    /// Octets that the ring is given at once, at most, but for one send.
    pub(crate) burst: usize,
}

/// What the thread is asked for.
#[derive(Debug)]
struct Asked {
    mark: AtomicBool,
    stop: AtomicBool,
    wake: OwnedFd,
}

/// A bare loop on a thread of its own.
#[derive(Debug)]
pub(crate) struct Bare {
    asked: Arc<Asked>,
    marks: Receiver<Mark>,
    thread: Option<JoinHandle<io::Result<u64>>>,
}

impl Bare {
    pub(crate) fn start(
        shape: Shape,
        server: SocketAddr,
        sessions: usize,
        count: bool,
        wake: OwnedFd,
        source: impl Source,
    ) -> Self {
        let sockets = (0..sessions).map(|_| connect(shape, server).expect("a connection")).collect();
        let asked = Arc::new(Asked { mark: AtomicBool::new(false), stop: AtomicBool::new(false), wake });
        let (told, marks) = channel();
        let post =
            Post { asked: asked.clone(), told, count, octets: vec![0; sessions], sends: 0, calls: None };
        let thread = thread::Builder::new().name(String::from("bare")).spawn(move || {
            if shape.ring { ring(shape, post, sockets, source) } else { edge(post, sockets, source) }
        });
        Self { asked, marks, thread: Some(thread.expect("a thread")) }
    }

    /// What the thread sleeps on.
    pub(crate) fn eventfd() -> OwnedFd {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("a descriptor")
    }

    pub(crate) fn wake(&self) {
        rustix::io::write(&self.asked.wake, &1_u64.to_ne_bytes()).expect("room for one");
    }

    pub(crate) fn mark(&mut self) -> Mark {
        self.asked.mark.store(true, Ordering::Release);
        self.wake();
        self.marks.recv().expect("the thread runs")
    }

    /// Ends it; how many octets it has sent.
    pub(crate) fn stop(mut self) -> u64 {
        self.asked.stop.store(true, Ordering::Release);
        self.wake();
        let thread = self.thread.take().expect("it was started");
        thread.join().expect("it does not panic").expect("the kernel does what it is asked")
    }
}

fn connect(shape: Shape, server: SocketAddr) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(unsent_max) = shape.unsent_max {
        socket.set_tcp_notsent_lowat(u32::try_from(unsent_max).expect("small"))?;
    }
    socket.connect(&server.into())?;
    // A ring that finds a socket non-blocking does not wait for room by itself.
    socket.set_nonblocking(!shape.ring)?;
    Ok(socket.into())
}

/// The thread's side.
struct Post {
    asked: Arc<Asked>,
    told: Sender<Mark>,
    count: bool,
    octets: Vec<u64>,
    sends: u64,
    calls: Option<Calls>,
}

impl Post {
    fn begin(&mut self) {
        self.calls = if self.count { Calls::start() } else { None };
    }

    /// Answers what was asked; whether to stop.
    #[inline]
    fn look(&self) -> bool {
        if self.asked.mark.load(Ordering::Relaxed) && self.asked.mark.swap(false, Ordering::Acquire) {
            let mark = Mark::here(self.octets.iter().sum(), self.sends, self.calls.as_ref());
            // Who asked may have gone.
            let _ = self.told.send(mark);
        }
        self.asked.stop.load(Ordering::Relaxed)
    }

    #[inline]
    fn took(&mut self, socket: usize, octets: usize) {
        self.octets[socket] += octets as u64;
        self.sends += 1;
    }

    fn total(&self) -> u64 {
        self.octets.iter().sum()
    }
}

/// Enter once with all that is ready, reap all that has completed.
fn ring(shape: Shape, mut post: Post, sockets: Vec<OwnedFd>, mut source: impl Source) -> io::Result<u64> {
    const WAKE: u64 = u64::MAX;

    post.begin();
    let entries = u32::try_from((sockets.len() + 1).next_power_of_two()).expect("small");
    let mut deferred = IoUring::builder();
    deferred.setup_single_issuer().setup_defer_taskrun();
    let mut cooperative = IoUring::builder();
    cooperative.setup_coop_taskrun();
    let mut ring = deferred.build(entries).or_else(|_| cooperative.build(entries))?;
    let fds: Vec<i32> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    if shape.registered {
        ring.submitter().register_files(&fds)?;
    }
    let flags = libc::MSG_NOSIGNAL | if shape.whole { libc::MSG_WAITALL } else { 0 };
    let wake = post.asked.wake.as_raw_fd();
    let arm = |ring: &mut IoUring| {
        kernel::push(ring, &kernel::readable(wake, WAKE));
    };
    arm(&mut ring);
    let mut ready: VecDeque<usize> = (0..sockets.len()).collect();
    let mut idle = Vec::with_capacity(sockets.len());
    let mut in_flight = 0;
    let mut stopping = false;
    loop {
        if !stopping && post.look() {
            stopping = true;
            ready.extend(idle.drain(..));
        }
        if stopping && !source.ends() {
            ready.clear();
        }
        let mut given = 0;
        while given < shape.burst
            && let Some(socket) = ready.pop_front()
        {
            let Some(octets) = source.next(socket) else {
                idle.push(socket);
                continue;
            };
            given += octets.len();
            let target = if shape.registered {
                Target::Fixed(u32::try_from(socket).expect("small"))
            } else {
                Target::Plain(fds[socket])
            };
            kernel::push(&mut ring, &kernel::send(target, octets, flags, socket as u64));
            in_flight += 1;
        }
        if stopping && in_flight == 0 {
            break;
        }
        if !idle.is_empty() && !stopping && !source.lie_down() {
            ready.extend(idle.drain(..));
            continue;
        }
        match ring.submit_and_wait(usize::from(ready.is_empty())) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(error) => return Err(error),
        }
        source.get_up();
        let mut woken = false;
        for completion in ring.completion() {
            if completion.user_data() == WAKE {
                woken = true;
                continue;
            }
            let socket = usize::try_from(completion.user_data()).expect("an index");
            let octets = usize::try_from(completion.result())
                .map_err(|_| io::Error::from_raw_os_error(-completion.result()))?;
            source.took(socket, octets);
            post.took(socket, octets);
            ready.push_back(socket);
            in_flight -= 1;
        }
        if woken {
            silence(&post.asked.wake);
            arm(&mut ring);
            ready.extend(idle.drain(..));
        }
    }
    sockets.iter().try_for_each(|socket| rustix::net::shutdown(socket, rustix::net::Shutdown::Write))?;
    Ok(post.total())
}

/// Send until a socket has no room, then wait for its edge.
fn edge(mut post: Post, sockets: Vec<OwnedFd>, mut source: impl Source) -> io::Result<u64> {
    const WAKE: u64 = u64::MAX;

    post.begin();
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &post.asked.wake, epoll::EventData::new_u64(WAKE), epoll::EventFlags::IN)?;
    for (at, socket) in sockets.iter().enumerate() {
        let flags = epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&poll, socket, epoll::EventData::new_u64(at as u64), flags)?;
    }
    let mut ready: Vec<usize> = (0..sockets.len()).collect();
    let mut again = Vec::with_capacity(sockets.len());
    let mut idle = Vec::with_capacity(sockets.len());
    let mut full = vec![false; sockets.len()];
    let mut waiting = 0;
    let mut events = Vec::with_capacity(sockets.len() + 1);
    let mut stopping = false;
    loop {
        if !stopping && post.look() {
            stopping = true;
            ready.append(&mut idle);
        }
        if stopping && !source.ends() {
            break;
        }
        for socket in ready.drain(..) {
            let Some(octets) = source.next(socket) else {
                idle.push(socket);
                continue;
            };
            let len = octets.len();
            let taken = match rustix::net::send(&sockets[socket], octets, SendFlags::NOSIGNAL) {
                Ok(taken) => taken,
                Err(Errno::AGAIN) => 0,
                Err(errno) => return Err(errno.into()),
            };
            if taken > 0 {
                source.took(socket, taken);
                post.took(socket, taken);
            }
            if taken == len {
                again.push(socket);
            } else {
                full[socket] = true;
                waiting += 1;
            }
        }
        std::mem::swap(&mut ready, &mut again);
        if stopping && waiting == 0 && ready.is_empty() {
            break;
        }
        if ready.is_empty() && !idle.is_empty() && !stopping && !source.lie_down() {
            ready.append(&mut idle);
            continue;
        }
        if waiting == 0 && !ready.is_empty() {
            // Nobody waits for room: but the one who asks may, once in so many sends.
            continue;
        }
        events.clear();
        let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = (!ready.is_empty()).then_some(&at_once);
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), timeout) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        source.get_up();
        for event in &events {
            match event.data.u64() {
                WAKE => {
                    silence(&post.asked.wake);
                    ready.append(&mut idle);
                }
                at => {
                    let socket = usize::try_from(at).expect("an index");
                    if std::mem::take(&mut full[socket]) {
                        waiting -= 1;
                        ready.push(socket);
                    }
                }
            }
        }
    }
    sockets.iter().try_for_each(|socket| rustix::net::shutdown(socket, rustix::net::Shutdown::Write))?;
    Ok(post.total())
}

fn silence(wake: &impl AsFd) {
    // It may have been silenced already.
    let _ = rustix::io::read(wake, &mut [0; 8]);
}
