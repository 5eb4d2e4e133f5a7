//! The ring of sends: a table of what the kernel has, and the queue that leads there.
//!
//! ```text
//!   send ──► slot ──► submission queue ══ one enter ══► kernel ──► completion queue ──► slot ──► Done
//!            Sending: chunk, line                                                       free, or
//!                                                                                       Noticing: chunk
//! ```
//!
//! * **held**      while the kernel has a send its slot holds the chunk and the line. A slot is free again with
//!   the send's last completion and not before, also when nobody asks for it any more; so its index, which
//!   is the `user_data`, needs no generation.
//! * **let go**    who waits only for the notification of a send without a copy holds the chunk and no
//!   longer the line: it may come no sooner than the socket is closed.
//! * **no loss**   what does not fit into the submission queue waits beside it; completions that do not fit
//!   into theirs the kernel keeps (NODROP), so that is slow and not wrong.
//! * **awake**     whoever sleeps elsewhere is woken by an eventfd that the ring signals. (Its own descriptor
//!   does not do: with DEFER_TASKRUN it is silent when a send that waited can go on, tried on 6.18.) It is
//!   silenced while we are awake, and then raising it takes a fence before the last look at the ring, as on
//!   the other side the kernel's atomic mark of deferred work comes before its look at the flag.
//! * **stuck**     the kernel marks work after it has queued it, so an enter on another core may do the work
//!   before it is marked. The mark then stays until there is other work, whatever we enter (seen on 6.18, once
//!   in some thousand wake-ups that meet an enter), and who goes by it does not sleep any more.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::{Ordering, fence};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use queue::log::Chunk;
use rustix::event::{EventfdFlags, eventfd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::line::Line;
use super::zero::Gauge;
use crate::driver::Token;

/// Connections of a writer for which the completion queue is large enough.
pub(super) const SESSIONS_MAX: u32 = 4096;

/// Sends submitted by one enter, at most. The queue's memory is gone round and round; 16 KiB stay in cache,
/// and an enter less for 256 sends is nothing.
const SUBMIT_MAX: u32 = 256;

/// Octets submitted by one enter, but for a send that is longer. Nobody else runs on our core while we are in
/// the kernel: 512 sends of 256 KiB at once are 128 MiB that have left all caches when the servers come to
/// read them, and cost two to three times as much as these.
const SUBMIT_OCTETS: usize = 1 << 20;

/// Completions: for each connection that of a send and a notification or a cancellation.
const COMPLETE_MAX: u32 = 2 * SESSIONS_MAX;

/// How long the end waits for the kernel to let go of the chunks. Longer, and they are given up for lost.
const END_LIMIT: Duration = Duration::from_secs(2);

/// What is no send.
const BELL: u64 = u64::MAX;
const CANCEL: u64 = u64::MAX - 1;

/// In a notification's result: the kernel copied.
const COPIED: i32 = i32::MIN;

/// For a send without a copy: say whether it was.
const REPORT_USAGE: u16 = 1 << 3;

/// How the kernel's side of a completion reaches us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Setup {
    /// When we enter (Linux 6.1).
    Defer,
    /// When we enter the kernel for whatever reason (5.19).
    Coop,
    /// By interrupting us.
    Plain,
}

/// What came of a send.
pub(super) struct Done {
    pub(super) token: Token,
    pub(super) chunk: Chunk,
    /// Octets the kernel took, or its reason not to.
    pub(super) result: io::Result<usize>,
}

/// See the top of the file.
pub(super) struct Hot {
    ring: IoUring,
    /// What the ring signals.
    signal: AsyncFd<OwnedFd>,
    /// Whether the signal can be silenced: where completions are deferred.
    silent: bool,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// What is not in the submission queue yet, and the octets it has the kernel send.
    backlog: VecDeque<(squeue::Entry, usize)>,
    /// Octets that what is in the queue has the kernel send.
    queued: usize,
    /// Completions that nobody has looked at yet, copied out at once.
    reaped: VecDeque<(u64, i32, u32)>,
    /// The bell, for who sleeps in the runtime.
    bell: AsyncFd<OwnedFd>,
    calls: u64,
    #[cfg(test)]
    noticed: u64,
}

enum Slot {
    Free,
    Sending {
        /// `None`: nobody asks for it any more.
        token: Option<Token>,
        chunk: Chunk,
        line: Rc<Line>,
        zero_copy: bool,
    },
    Noticing {
        #[expect(dead_code, reason = "*held*: the kernel reads it")]
        chunk: Chunk,
        gauge: Rc<Gauge>,
    },
}

impl Hot {
    /// A ring, set up in the best way there is. `bell` ends each wait when it becomes readable.
    pub(super) fn new(bell: BorrowedFd<'_>) -> io::Result<Self> {
        Self::with(Setup::Defer, bell)
            .or_else(|_| Self::with(Setup::Coop, bell))
            .or_else(|_| Self::with(Setup::Plain, bell))
    }

    pub(super) fn with(setup: Setup, bell: BorrowedFd<'_>) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_cqsize(COMPLETE_MAX);
        match setup {
            Setup::Defer => builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag(),
            Setup::Coop => builder.setup_coop_taskrun().setup_taskrun_flag(),
            Setup::Plain => &mut builder,
        };
        let ring = builder.build(SUBMIT_MAX)?;
        let known = ring.params();
        if !(known.is_feature_nodrop() && known.is_feature_ext_arg() && known.is_feature_fast_poll()) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "an io_uring older than Linux 5.11"));
        }
        let signal = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        ring.submitter().register_eventfd(signal.as_raw_fd())?;
        let mut hot = Self {
            ring,
            signal: watch(signal)?,
            silent: setup == Setup::Defer,
            slots: Vec::new(),
            free: Vec::new(),
            backlog: VecDeque::new(),
            queued: 0,
            reaped: VecDeque::new(),
            bell: watch(bell.try_clone_to_owned()?)?,
            calls: 0,
            #[cfg(test)]
            noticed: 0,
        };
        hot.listen();
        Ok(hot)
    }

    /// Sends that the kernel has, or will with the next flush.
    #[cfg(test)]
    pub(super) fn sending(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Sending { .. })).count()
    }

    /// System calls made.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// Sends without a copy that the kernel is done with.
    #[cfg(test)]
    pub(super) fn noticed(&self) -> u64 {
        self.noticed
    }

    /// The ring's descriptor.
    #[cfg(test)]
    pub(super) fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.ring.as_raw_fd()
    }

    /// Sends with the next flush.
    pub(super) fn send(&mut self, token: Token, line: Rc<Line>, chunk: Chunk) {
        debug_assert!(line.sending.get().is_none(), "{token:?} has a send in flight");
        let zero_copy = line.may_spare_copy && line.gauge.take(chunk.len());
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            u32::try_from(self.slots.len() - 1).expect("fewer sends than octets of memory")
        });
        line.sending.set(Some(index));
        let (fd, len) = (Fd(line.number), u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        let flags = libc::MSG_NOSIGNAL;
        let entry = if zero_copy {
            opcode::SendZc::new(fd, chunk.as_ptr(), len).flags(flags).zc_flags(REPORT_USAGE).build()
        } else {
            opcode::Send::new(fd, chunk.as_ptr(), len).flags(flags).build()
        };
        let octets = chunk.len();
        self.slots[index as usize] = Slot::Sending { token: Some(token), chunk, line, zero_copy };
        self.push(entry.user_data(u64::from(index)), octets);
    }

    /// Nobody asks for the send in this slot any more.
    pub(super) fn cancel(&mut self, index: u32) {
        if let Some(Slot::Sending { token, .. }) = self.slots.get_mut(index as usize) {
            *token = None;
            self.push_cancel(index);
        }
    }

    /// Submits what was queued, and takes over what has come since.
    ///
    /// # Errors
    /// The ring is of no use any more.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        loop {
            self.fill();
            let asked = self.is_asked();
            if asked || !self.ring.submission().is_empty() {
                self.calls += 1;
                hushed(self.ring.submit())?;
            }
            let completions = self.ring.completion();
            let came = !completions.is_empty();
            self.reaped.extend(completions.map(|entry| (entry.user_data(), entry.result(), entry.flags())));
            if asked && !came && self.is_asked() {
                // *stuck*, or new. The bell is work whose mark is there before the next enter, which wipes it.
                self.calls += 1;
                rustix::io::write(self.bell.get_ref(), &1_u64.to_ne_bytes())?;
            }
            // What the kernel did not take now it may take when there is more memory: see `unsubmitted`.
            if self.backlog.is_empty() || !self.ring.submission().is_empty() {
                return Ok(());
            }
        }
    }

    /// What has come of a send, of those that the last flushes took over.
    #[inline]
    pub(super) fn next_done(&mut self) -> Option<Done> {
        while let Some((of, result, flags)) = self.reaped.pop_front() {
            match of {
                CANCEL => {}
                BELL if cqueue::more(flags) => {}
                BELL => self.listen(),
                index => {
                    if let Some(done) = self.complete(index, result, flags) {
                        return Some(done);
                    }
                }
            }
        }
        None
    }

    /// Whether there may be one.
    pub(super) fn has_done(&self) -> bool {
        !self.reaped.is_empty()
    }

    /// Whether the kernel refused for now to take what was queued.
    pub(super) fn unsubmitted(&mut self) -> bool {
        !self.backlog.is_empty() || !self.ring.submission().is_empty()
    }

    /// Waits in the kernel until there is something to reap, and no longer than that.
    fn wait(&mut self, limit: Duration) -> io::Result<()> {
        let limit = Timespec::from(limit);
        self.calls += 1;
        hushed(self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&limit)))
    }

    /// Whether there is something to reap, or the bell rang; if not, who asks is woken when that is so.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(mut guard) = self.bell.poll_read_ready(context)? {
            guard.clear_ready();
            return Poll::Ready(Ok(()));
        }
        self.ring.completion().enable_eventfd();
        fence(Ordering::SeqCst);
        loop {
            if self.is_asked() || !self.ring.completion().is_empty() {
                return Poll::Ready(Ok(()));
            }
            // An edge may be older than what was reaped last. It needs no reading: each signal is another.
            match self.signal.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
            }
        }
    }

    /// Nobody sleeps: see [`poll`](Self::poll).
    pub(super) fn silence(&mut self) {
        if self.silent {
            self.ring.completion().disable_eventfd();
        }
    }

    /// Makes the runtime's next park a short one, and waits for that.
    ///
    /// tokio-uring submits what its tasks ask for when the runtime parks, and the runtime does not while a
    /// task has yielded or woken itself. So the wake-up has to come from the kernel.
    pub(super) async fn park(&self) -> io::Result<()> {
        let mut nudged = false;
        poll_fn(|context| {
            while let Poll::Ready(mut guard) = self.signal.poll_read_ready(context)? {
                if nudged {
                    return Poll::Ready(Ok(()));
                }
                guard.clear_ready();
            }
            nudged = true;
            rustix::io::write(self.signal.get_ref(), &1_u64.to_ne_bytes())?;
            Poll::Pending
        })
        .await
    }

    /// Whether the kernel has completions that we get by entering.
    fn is_asked(&mut self) -> bool {
        let queue = self.ring.submission();
        queue.taskrun() || queue.cq_overflow()
    }

    /// Makes each ring of the bell deferred work of the ring, from the next flush on: see *stuck*. To wake who
    /// sleeps the runtime watches the bell itself, for a ring does not signal an eventfd from within the write to
    /// another but later, or never (tried on 6.18).
    fn listen(&mut self) {
        let fd = Fd(self.bell.as_raw_fd());
        let events = u32::from(libc::POLLIN.unsigned_abs());
        self.push(opcode::PollAdd::new(fd, events).multi(true).build().user_data(BELL), 0);
    }

    fn push_cancel(&mut self, index: u32) {
        self.push(opcode::AsyncCancel::new(u64::from(index)).build().user_data(CANCEL), 0);
    }

    fn push(&mut self, entry: squeue::Entry, octets: usize) {
        self.backlog.push_back((entry, octets));
        self.fill();
    }

    /// Moves what waits into the submission queue, as much as one enter may submit.
    fn fill(&mut self) {
        let mut queue = self.ring.submission();
        if queue.is_empty() {
            self.queued = 0;
        }
        while let Some((entry, octets)) = self.backlog.front() {
            if self.queued > 0 && self.queued + octets > SUBMIT_OCTETS {
                break;
            }
            // SAFETY: *held*: of a send, the slot holds chunk and line until the last completion, and `drop`
            // waits for that or leaks them; the bell is ours as long as the ring; a cancellation has no memory.
            if unsafe { queue.push(entry) }.is_err() {
                break;
            }
            self.queued += octets;
            self.backlog.pop_front();
        }
    }

    fn complete(&mut self, of: u64, result: i32, flags: u32) -> Option<Done> {
        let Some((index, slot)) =
            u32::try_from(of).ok().and_then(|index| Some((index, self.slots.get_mut(index as usize)?)))
        else {
            debug_assert!(false, "a completion of slot {of}, which there is not");
            return None;
        };
        match mem::replace(slot, Slot::Free) {
            Slot::Free => {
                debug_assert!(false, "a completion of slot {of}, which is free");
                None
            }
            Slot::Noticing { gauge, .. } => {
                self.free.push(index);
                #[cfg(test)]
                {
                    self.noticed += 1;
                }
                gauge.noticed(result & COPIED != 0);
                None
            }
            Slot::Sending { token, chunk, line, zero_copy } => {
                line.sending.set(None);
                if cqueue::more(flags) {
                    line.gauge.promised();
                    *slot = Slot::Noticing { chunk: chunk.clone(), gauge: line.gauge.clone() };
                } else {
                    self.free.push(index);
                }
                let token = token?;
                let errno = if result < 0 { result.wrapping_neg() } else { 0 };
                match errno {
                    // Nothing was sent, and it may be if asked otherwise: pages that cannot be pinned.
                    libc::EINVAL | libc::EOPNOTSUPP | libc::ENOBUFS | libc::ENOMEM if zero_copy => {
                        line.gauge.refused();
                        self.send(token, line, chunk);
                        None
                    }
                    libc::EINTR => {
                        self.send(token, line, chunk);
                        None
                    }
                    errno @ 1.. => {
                        Some(Done { token, chunk, result: Err(io::Error::from_raw_os_error(errno)) })
                    }
                    _ => Some(Done { token, chunk, result: Ok(result.unsigned_abs() as usize) }),
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Free))
    }
}

impl Drop for Hot {
    fn drop(&mut self) {
        for index in 0..self.slots.len() {
            // It fits, or the slot could not have been made.
            self.cancel(u32::try_from(index).unwrap_or(u32::MAX));
        }
        let end = Instant::now() + END_LIMIT;
        while !self.is_done() && Instant::now() < end {
            if self.flush().is_err() || self.wait(Duration::from_millis(10)).is_err() {
                break;
            }
            while self.next_done().is_some() {}
        }
        if !self.is_done() {
            // *held*: better lost than freed under the kernel's hands.
            mem::forget(mem::take(&mut self.slots));
        }
    }
}

/// Watches an eventfd. Each write to it is an edge, so nobody has to read it.
fn watch(eventfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is one descriptor as long as there is it.
    Ok(unsafe { AsyncFd::register_with_interest(eventfd, Interest::READABLE)? })
}

/// What an enter says that may be tried again, or was to be expected, is no error.
fn hushed(entered: io::Result<usize>) -> io::Result<()> {
    match entered {
        Err(error) => match error.raw_os_error() {
            Some(libc::EINTR | libc::ETIME | libc::EBUSY | libc::EAGAIN | libc::ENOMEM) => Ok(()),
            _ => Err(error),
        },
        Ok(_) => Ok(()),
    }
}
