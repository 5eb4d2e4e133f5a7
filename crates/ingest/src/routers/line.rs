//! What differs between io_uring and epoll: the runtime, and how a socket is read.
//!
//! * **same rest**  accepting, timers and orders are plain tokio on both.
//! * **shut first** a read that the kernel still has would keep its socket open: dropping a line shuts it, which
//!   ends the read.
//! * **in turns**   over io_uring a read always waits for the runtime to park, which submits those of all
//!   connections at once. Over epoll a socket may be ready for ever, so who has read stands back once. That would
//!   be wrong over io_uring: the runtime parks only when nobody is left to run.

use std::future::Future;
use std::io;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::task::{LocalSet, yield_now};
use tokio_uring::buf::BoundedBuf;

use super::{Io, ROUTERS_MAX, STRANGERS_MAX};

/// Reads that the ring takes before it has to enter.
const SUBMIT_MAX: u32 = 256;

/// Its completions: for each connection, and for each that is being closed.
const COMPLETE_MAX: u32 = 16 << 10;

const _: () = assert!(2 * (ROUTERS_MAX + STRANGERS_MAX) <= COMPLETE_MAX as usize);

/// One thread's.
pub(super) enum Runtime {
    Uring(tokio_uring::Runtime),
    Epoll(tokio::runtime::Runtime),
}

impl Runtime {
    pub(super) fn new(io: Io) -> io::Result<Self> {
        let uring = |polite: bool| {
            let mut ring = tokio_uring::uring_builder();
            ring.setup_cqsize(COMPLETE_MAX);
            if polite {
                // Not DEFER_TASKRUN: tokio-uring enters without asking for events, and would get none.
                ring.setup_single_issuer().setup_coop_taskrun();
            }
            tokio_uring::Runtime::new(tokio_uring::builder().entries(SUBMIT_MAX).uring_builder(&ring))
        };
        Ok(match io {
            Io::Uring => Self::Uring(uring(true).or_else(|_| uring(false))?),
            Io::Epoll => Self::Epoll(tokio::runtime::Builder::new_current_thread().enable_all().build()?),
        })
    }

    pub(super) fn run(self, task: impl Future<Output = ()>) {
        match self {
            Self::Uring(runtime) => runtime.block_on(task),
            Self::Epoll(runtime) => runtime.block_on(LocalSet::new().run_until(task)),
        }
    }
}

/// A connected socket, to be read.
pub(super) enum Line {
    Uring(tokio_uring::net::TcpStream),
    Epoll(TcpStream),
}

impl Line {
    pub(super) fn new(io: Io, socket: TcpStream) -> io::Result<Self> {
        Ok(match io {
            Io::Epoll => Self::Epoll(socket),
            Io::Uring => {
                let socket = socket.into_std()?;
                // A ring waits in the kernel. Of a non-blocking descriptor older ones say EAGAIN instead.
                socket.set_nonblocking(false)?;
                Self::Uring(tokio_uring::net::TcpStream::from_std(socket))
            }
        })
    }

    /// Reads into what the buffer has left, behind what is in it.
    pub(super) async fn read(&self, mut buffer: BytesMut) -> (io::Result<usize>, BytesMut) {
        match self {
            Self::Uring(socket) => {
                let begun = buffer.len();
                let (result, slice) = socket.read(buffer.slice(begun..)).await;
                (result, slice.into_inner())
            }
            Self::Epoll(socket) => loop {
                if let Err(error) = socket.readable().await {
                    return (Err(error), buffer);
                }
                match socket.try_read_buf(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => {
                        yield_now().await;
                        return (result, buffer);
                    }
                }
            },
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Self::Uring(socket) = self {
            // It fails if the other side has gone, and then no read is left either.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }
}
