//! What has to be asked of the kernel without a net: entries of a bare ring, and a counter of system calls.
#![expect(unsafe_code, reason = "neither is to be had without")]

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::squeue::Entry;
use io_uring::{IoUring, opcode, types};

/// Sends these octets.
pub(crate) fn send(target: Target, octets: &[u8], flags: i32, name: u64) -> Entry {
    let len = u32::try_from(octets.len()).expect("less than 4 GiB");
    let entry = match target {
        Target::Fixed(at) => opcode::Send::new(types::Fixed(at), octets.as_ptr(), len).flags(flags).build(),
        Target::Plain(fd) => opcode::Send::new(types::Fd(fd), octets.as_ptr(), len).flags(flags).build(),
    };
    entry.user_data(name)
}

/// How a ring knows a socket.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    Fixed(u32),
    Plain(i32),
}

/// Gives an entry to the ring, which has room for it.
///
/// The octets it points to must stay as they are until it has completed. All that is sent here lies in
/// chunks, or in memory that is never freed, which `bare` keeps until nothing is in flight.
pub(crate) fn push(ring: &mut IoUring, entry: &Entry) {
    // SAFETY: see above: `bare::ring` ends only when nothing is in flight, and `Source` keeps what it
    // showed until it was told that it has been taken.
    unsafe { ring.submission().push(entry) }.expect("there is an entry for each socket");
}

/// Counts the system calls of the thread that made it. They get slower by that, so no time is taken then.
pub(crate) struct Calls(OwnedFd);

impl Calls {
    /// Nothing, where the kernel does not let us.
    pub(crate) fn start() -> Option<Self> {
        const TRACEPOINT: u32 = 2;
        const ATTR_LEN: usize = 112;
        let id = fs::read_to_string("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id").ok()?;
        let id: u64 = id.trim().parse().ok()?;
        let mut attr = [0_u64; ATTR_LEN / 8];
        // `perf_event_attr` begins with type, size and config; zeros are good for all that follows.
        let mut head = [0; 8];
        head[..4].copy_from_slice(&TRACEPOINT.to_ne_bytes());
        head[4..].copy_from_slice(&u32::try_from(ATTR_LEN).expect("small").to_ne_bytes());
        attr[0] = u64::from_ne_bytes(head);
        attr[1] = id;
        // SAFETY: the attribute is as long as it says, and only read; this thread, any core, no group.
        let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), 0, -1, -1, 8) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: it is new, and nobody else's.
        Some(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// How many, with this one.
    pub(crate) fn read(&self) -> u64 {
        let mut count = [0; 8];
        rustix::io::read(&self.0, &mut count).expect("a counter");
        u64::from_ne_bytes(count)
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Calls({})", self.0.as_raw_fd())
    }
}

/// Completes once when there is something to read.
pub(crate) fn readable(fd: i32, name: u64) -> Entry {
    let mask = u32::from(libc::POLLIN.unsigned_abs());
    opcode::PollAdd::new(types::Fd(fd), mask).build().user_data(name)
}
