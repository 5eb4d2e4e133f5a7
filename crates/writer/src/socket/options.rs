//! What a socket is told besides where and with whom.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use libc::c_int;
use socket2::{SockRef, TcpKeepalive};

use super::raw;
use crate::fault::{Fault, Step, Why, at};
use crate::plan::Options;

/// Tells a socket all options. `is_ipv4`: what its packets are, whatever the socket itself is.
pub(super) fn apply(
    socket: BorrowedFd<'_>,
    is_ipv4: bool,
    options: &Options,
    stall: Duration,
) -> Result<(), Fault> {
    let told = SockRef::from(&socket);
    told.set_tcp_nodelay(true).map_err(at(Step::NoDelay))?;
    let Options { dscp, mss, send_buffer, unsent_max, keepalive } = *options;
    if let Some(dscp) = dscp {
        // The two bits below are ECN's, and stay the kernel's.
        let octet = u32::from(dscp) << 2;
        if is_ipv4 { told.set_tos_v4(octet) } else { told.set_tclass_v6(octet) }.map_err(at(Step::Dscp))?;
    }
    if let Some(mss) = mss {
        told.set_tcp_mss(mss.into()).map_err(at(Step::Mss))?;
    }
    let probes = TcpKeepalive::new()
        .with_time(keepalive.idle)
        .with_interval(keepalive.interval)
        .with_retries(keepalive.probes);
    told.set_tcp_keepalive(&probes).map_err(at(Step::Keepalive))?;
    let unsent_max = u32::try_from(unsent_max).unwrap_or(u32::MAX);
    told.set_tcp_notsent_lowat(unsent_max).map_err(at(Step::Unsent))?;
    // In milliseconds, of which 0 would mean the kernel's own idea.
    let stall = stall.max(Duration::from_millis(1));
    told.set_tcp_user_timeout(Some(stall)).map_err(at(Step::Stall))?;
    send_buffer.map_or(Ok(()), |octets| set_send_buffer(socket, octets))
}

/// The kernel gives less than it was asked for without a word, unless one insists.
fn set_send_buffer(socket: BorrowedFd<'_>, octets: usize) -> Result<(), Fault> {
    let told = SockRef::from(&socket);
    // It counts what it needs for itself too, and reckons with as much again (socket(7)).
    let given = || told.send_buffer_size().map(|octets| octets / 2).map_err(at(Step::SendBuffer));
    told.set_send_buffer_size(octets).map_err(at(Step::SendBuffer))?;
    if given()? < octets {
        let asked = c_int::try_from(octets).unwrap_or(c_int::MAX);
        // Without CAP_NET_ADMIN it refuses, and what it gave stays.
        drop(raw::set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &asked));
    }
    let given = given()?;
    if given < octets {
        return Err(Fault::ours(Why::SendBuffer(given as u64, octets as u64)));
    }
    Ok(())
}
