//! The life of one connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::RecvFlags;
use socket2::SockRef;
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::{Shared, dump, register::Meter};
use crate::hearing::{Hearing, Mode};
use crate::pace::{Pace, Turn};
use crate::report::{ConnectionReport, Ended};

/// Octets read at once. It stays in the cache of a core: four times as much was no faster.
const READ_MAX: usize = 256 << 10;
/// Octets of one connection after which others have their turn.
const TURN_MAX: usize = 1 << 20;
/// Octets discarded at once; the kernel does not touch them, so neither do we.
const DISCARD_MAX: usize = 4 << 20;
/// How long a router has to close a connection that was closed on this side.
const CLOSE_PERIOD: Duration = Duration::from_secs(5);

thread_local! {
    /// What a worker reads into: nothing stays in it from one read to the next.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connection that was accepted.
pub(super) struct Arrival {
    pub(super) stream: std::net::TcpStream,
    pub(super) pace: Pace,
    pub(super) meter: Arc<Meter>,
    pub(super) hearing: Hearing,
}

/// From the first octet to the report.
pub(super) async fn live(shared: Arc<Shared>, arrival: Arrival) {
    let Arrival { stream, mut pace, meter, mut hearing } = arrival;
    let ended = match TcpStream::from_std(stream) {
        Ok(stream) => converse(&shared, stream, &mut pace, &meter, &mut hearing).await,
        Err(_) => Ended::Reset,
    };
    // A reset may have swallowed the rest of a message, so that its absence says nothing.
    if ended == Ended::Closed {
        hearing.end();
    }
    dump(&shared, meter.place, &hearing);
    let mode = shared.settings.mode;
    let report = ConnectionReport::of(meter.place, &hearing, mode, ended, meter.busy());
    drop(hearing);
    shared.register().close(&meter, report);
}

/// Reads until there is a reason not to.
async fn converse(
    shared: &Shared,
    mut stream: TcpStream,
    pace: &mut Pace,
    meter: &Meter,
    hearing: &mut Hearing,
) -> Ended {
    let mut stop = shared.stop.clone();
    let discards = shared.settings.mode == Mode::Discard;
    let most = if discards { DISCARD_MAX } else { READ_MAX };
    let mut turn = 0;
    loop {
        let nap = match pace.turn(shared.now(), most) {
            Turn::Read(most) => {
                let read = async {
                    if discards {
                        discard(&stream, hearing, most).await
                    } else {
                        read(&mut stream, hearing, most).await
                    }
                };
                let read = tokio::select! {
                    biased;
                    _ = stop.wait_for(|stop| *stop) => return Ended::Open,
                    read = read => read,
                };
                match read {
                    Ok(0) => return Ended::Closed,
                    Ok(octets) => {
                        pace.read(octets);
                        turn += octets;
                    }
                    Err(_) => return Ended::Reset,
                }
                meter.show(hearing, shared.now());
                if hearing.is_broken() {
                    return Ended::NotBmp;
                }
                if turn >= TURN_MAX {
                    turn = 0;
                    yield_now().await;
                }
                continue;
            }
            Turn::Close { by_reset } => {
                close(stream, by_reset).await;
                return if by_reset { Ended::ResetByUs } else { Ended::ClosedByUs };
            }
            Turn::Wait(period) => Some(period),
            Turn::Stall(period) => {
                meter.stall(true);
                period
            }
        };
        let nap = async {
            match nap {
                Some(period) => sleep(period).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ended::Open,
            () = nap => meter.stall(false),
        }
    }
}

/// Reads once, and takes in what came.
async fn read(stream: &mut TcpStream, hearing: &mut Hearing, most: usize) -> io::Result<usize> {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(READ_MAX, 0);
            poll_read(stream, context, hearing, &mut buffer[..most])
        })
    })
    .await
}

fn poll_read(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    hearing: &mut Hearing,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
    hearing.take(buffer.filled());
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Lets the kernel throw away what came.
async fn discard(stream: &TcpStream, hearing: &mut Hearing, most: usize) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        let thrown = BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(DISCARD_MAX, 0);
            // With this flag, TCP counts what it would have copied, tcp(7).
            let flags = RecvFlags::TRUNC | RecvFlags::DONTWAIT;
            stream.try_io(Interest::READABLE, || {
                rustix::net::recv(stream, &mut buffer[..most], flags).map(|(_, len)| len).map_err(Into::into)
            })
        });
        match thrown {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
            Ok(octets) => {
                hearing.pass(octets);
                return Ok(octets);
            }
        }
    }
}

/// Closes: at once and with a reset, or in order, which gives the router some time to see it.
async fn close(stream: TcpStream, by_reset: bool) {
    let socket = SockRef::from(&stream);
    if by_reset {
        // What cannot be had here only makes the end more orderly.
        let _ = socket.set_linger(Some(Duration::ZERO));
        return;
    }
    if socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let drain = async {
        let mut buffer = [0; 4096];
        loop {
            if stream.readable().await.is_err() {
                return;
            }
            match stream.try_read(&mut buffer) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return,
            }
        }
    };
    // Whoever is still there then hears a reset.
    let _ = timeout(CLOSE_PERIOD, drain).await;
}
