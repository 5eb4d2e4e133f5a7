//! One connection's socket, which goes when nobody needs it any more.
//!
//! * **counted**  whoever works with a descriptor holds the [`Line`] it belongs to: the connection, its reader,
//!   and the ring while a send is in flight. So its number is not given to another socket meanwhile.
//! * **reset**    the last to let go ends it, and unless both sides have finished that is a reset: the other
//!   side must not take what it got for all there was. The read that the kernel still has would keep the
//!   socket open; it is ended by a shutdown of our receiving half, of which the other side sees nothing.

use std::cell::Cell;
use std::fmt;
use std::net::TcpStream as StdStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use rustix::net::Shutdown;
use tokio_uring::net::TcpStream;

use super::zero::Gauge;
use crate::fault::Fault;
use crate::socket;

/// A connected socket. tokio-uring's stream owns the one descriptor there is.
pub(super) struct Line {
    stream: TcpStream,
    /// The descriptor's number, so that a send need not go and find it.
    pub(super) number: RawFd,
    /// The place in the ring's table of what is being sent.
    pub(super) sending: Cell<Option<u32>>,
    /// What is known about sending without a copy, and whether it is worth a look.
    pub(super) gauge: Rc<Gauge>,
    pub(super) may_spare_copy: bool,
}

impl Line {
    pub(super) fn new(socket: OwnedFd, gauge: Gauge) -> Result<Self, Fault> {
        // A ring waits in the kernel. Of a non-blocking descriptor older ones say EAGAIN instead (6.18 does not).
        socket::set_blocking(socket.as_fd(), true)?;
        Ok(Self::from_stream(TcpStream::from_std(StdStream::from(socket)), gauge))
    }

    /// Takes what tokio-uring accepted, which blocks.
    pub(super) fn from_stream(stream: TcpStream, gauge: Gauge) -> Self {
        let (number, may_spare_copy) = (stream.as_raw_fd(), !gauge.is_off());
        Self { stream, number, sending: Cell::new(None), gauge: Rc::new(gauge), may_spare_copy }
    }

    /// For reading.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: *counted*: the stream owns the descriptor and is in `self`, which the answer borrows.
        unsafe { BorrowedFd::borrow_raw(self.number) }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.stream.as_raw_fd())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        socket::reset_on_close(self.as_fd());
        // It fails if there is no connection any more, and then no read either.
        let _ = rustix::net::shutdown(self.as_fd(), Shutdown::Read);
    }
}
