//! Sockets, made as a plan says, or not at all.
//!
//! ```text
//!   open    plan ─► check ─► instance ─► socket ─► device ─► key ─► options ─► source      then connect
//!   listen  listen ─► instance ─► socket ─► device ─► address                              then key, accept
//!   adopt   plan ─► check ─► is it the server, is it signed ─► key ─► options
//! ```
//!
//! * **signed**    a plan with a key gets a connection that is signed with it, or none. A listener's keys are
//!   inherited by what it accepts; what was accepted before it had the key is found out and refused.
//! * **plain**     an IPv4 server is told as IPv4 also where a socket of IPv6 took its connection.
//! * **one mode**  all that we make is non-blocking; [`set_blocking`] is for who waits inside the kernel.
//!
//! | file       | what it holds                                            |
//! |------------|----------------------------------------------------------|
//! | `source`   | which address and which device a plan's source amounts to |
//! | `instance` | VRF devices and network namespaces                       |
//! | `md5`, `ao`| signing                                                  |
//! | `options`  | all else                                                 |
//! | `raw`      | the door to the kernel's structures, all `unsafe`        |

mod ao;
mod instance;
mod md5;
mod options;
mod raw;
mod source;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::driver::Ends;
use crate::fault::{Fault, Name, Step, Why, at};
use crate::plan::{Auth, Instance, Listen, Plan, Way};

/// Connections that the kernel keeps for us until we take them. As many servers may come back at once as there
/// are passive sessions; who finds no room tries again a second later.
const BACKLOG: i32 = 512;

/// A socket with all a plan says, bound but not connected, in non-blocking mode; and where to connect it.
pub(crate) fn open(plan: &Plan, stall: Duration) -> Result<(OwnedFd, SocketAddr), Fault> {
    let Way::Active(port) = plan.way else { unreachable!("only active sessions connect") };
    plan.check()?;
    let remote = SocketAddr::new(plan.server, port);
    let socket = instance::within(&plan.instance, || {
        let bound = source::bound(plan)?;
        let socket = make(remote)?;
        if let Some((device, step)) = bound.device {
            socket.bind_device(Some(device.as_bytes())).map_err(at(step))?;
        }
        sign(socket.as_fd(), plan.server, &plan.auth)?;
        options::apply(socket.as_fd(), plan.server.is_ipv4(), &plan.options, stall)?;
        if let Some(address) = bound.address {
            // The port is chosen when it connects, so that many sessions to as many servers share one.
            let step = Step::Source(address);
            raw::set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, &1)
                .map_err(at(step))?;
            socket.bind(&SocketAddr::new(address, 0).into()).map_err(at(step))?;
        }
        Ok(socket)
    })?;
    Ok((socket.into(), remote))
}

/// Tells an accepted socket what its plan says. If it cannot be told, it is of no use.
pub(crate) fn adopt(socket: BorrowedFd<'_>, plan: &Plan, stall: Duration) -> Result<Ends, Fault> {
    plan.check()?;
    let ends = ends(socket).map_err(at(Step::Ends))?;
    let server = ends.remote.ip();
    if server != plan.server {
        return Err(Fault::ours(Why::NotTheServer(server)));
    }
    let local = ends.local.ip();
    if plan.source.address.is_some_and(|source| source != local) {
        return Err(Fault::ours(Why::NotOurEnd(local)));
    }
    match &plan.auth {
        Auth::None if md5::take(socket, server)? || ao::is_signed(socket)? => {
            return Err(Fault::ours(Why::Signed));
        }
        Auth::None => {}
        auth => change_keys(socket, server, auth)?,
    }
    options::apply(socket, server.is_ipv4(), &plan.options, stall)?;
    Ok(ends)
}

/// A socket that listens, in non-blocking mode.
pub(crate) fn listen(listen: &Listen) -> Result<OwnedFd, Fault> {
    listen.check()?;
    let address = listen.address;
    let socket = instance::within(&listen.instance, || {
        let socket = make(address)?;
        if let Instance::Device(device) = &listen.instance {
            let step = Step::Instance(Name::new(device));
            socket.bind_device(Some(device.as_bytes())).map_err(at(step))?;
        }
        if address.is_ipv6() {
            // `::` means everybody.
            let only = !address.ip().is_unspecified();
            socket.set_only_v6(only).map_err(at(Step::Bind(address)))?;
        }
        // Else connections that have just ended keep the port for a minute.
        socket.set_reuse_address(true).map_err(at(Step::Bind(address)))?;
        socket.bind(&address.into()).map_err(at(Step::Bind(address)))?;
        socket.listen(BACKLOG).map_err(at(Step::Listen))?;
        Ok(socket)
    })?;
    Ok(socket.into())
}

/// What connections from `server` must be signed with.
pub(crate) fn key(listener: BorrowedFd<'_>, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
    if server.is_ipv6() && !is_ipv6(listener).map_err(at(Step::Ends))? {
        // It cannot come here, so nothing is to be done.
        return Ok(());
    }
    // What cannot be is refused while the old keys still stand.
    auth.supported()?;
    // One server has one kind of keys: the other kind goes first. Who connects meanwhile is found out by `adopt`.
    match auth {
        Auth::None => {
            md5::take(listener, server)?;
            forget_ao(listener, server)
        }
        Auth::Md5(secret) => {
            forget_ao(listener, server)?;
            md5::put(listener, server, secret.octets())
        }
        Auth::Ao(keys) => {
            md5::take(listener, server)?;
            ao::listen(listener, server, Some(keys))
        }
    }
}

/// New keys for a connection that stands. A plan without a key has none to give.
pub(crate) fn rekey(socket: BorrowedFd<'_>, plan: &Plan) -> Result<(), Fault> {
    plan.check()?;
    change_keys(socket, plan.server, &plan.auth)
}

/// The two ends of a connected socket, in *plain* addresses.
pub(crate) fn ends(socket: BorrowedFd<'_>) -> io::Result<Ends> {
    let socket = SockRef::from(&socket);
    let address = |address: socket2::SockAddr| {
        address.as_socket().map(plain).ok_or_else(|| io::Error::other("an address that is none of IP"))
    };
    Ok(Ends { local: address(socket.local_addr()?)?, remote: address(socket.peer_addr()?)? })
}

/// IPv4 that came in IPv6's clothes, without them.
pub(crate) fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// Octets that the kernel has and the other side has not acknowledged.
pub(crate) fn unacked(socket: BorrowedFd<'_>) -> u64 {
    raw::unacked(socket).ok().and_then(|octets| octets.try_into().ok()).unwrap_or(0)
}

/// When the last descriptor of the socket goes, the other side gets a reset and the kernel keeps nothing.
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) {
    drop(SockRef::from(&socket).set_linger(Some(Duration::ZERO)));
}

/// Whether a non-blocking connect has come to something: `None` if it has not.
pub(crate) fn connected(socket: impl AsFd) -> Option<io::Result<Ends>> {
    match SockRef::from(&socket.as_fd()).take_error() {
        Err(error) | Ok(Some(error)) => return Some(Err(error)),
        Ok(None) => {}
    }
    match ends(socket.as_fd()) {
        Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => None,
        result => Some(result),
    }
}

/// Whether calls wait: true for io_uring, whose kernel side does the waiting, false for epoll.
pub(crate) fn set_blocking(socket: BorrowedFd<'_>, blocking: bool) -> Result<(), Fault> {
    SockRef::from(&socket).set_nonblocking(!blocking).map_err(at(Step::Blocking))
}

/// Asks a socket that goes nowhere to sign so.
pub(crate) fn probe(auth: &Auth) -> Result<(), Fault> {
    if *auth == Auth::None {
        return Ok(());
    }
    let nowhere = IpAddr::from(Ipv4Addr::LOCALHOST);
    sign(make(SocketAddr::new(nowhere, 0))?.as_fd(), nowhere, auth)
}

fn make(like: SocketAddr) -> Result<Socket, Fault> {
    Socket::new(Domain::for_address(like), Type::STREAM.nonblocking(), Some(Protocol::TCP))
        .map_err(at(Step::Socket))
}

/// Keys for a socket that has none.
fn sign(socket: BorrowedFd<'_>, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
    match auth {
        Auth::None => Ok(()),
        Auth::Md5(secret) => md5::put(socket, server, secret.octets()),
        Auth::Ao(keys) => ao::put(socket, server, keys),
    }
}

/// Keys for a connection that has some, and must have.
fn change_keys(socket: BorrowedFd<'_>, server: IpAddr, auth: &Auth) -> Result<(), Fault> {
    match auth {
        Auth::None => Ok(()),
        Auth::Md5(secret) => md5::change(socket, server, secret.octets()),
        Auth::Ao(keys) => ao::change(socket, server, keys),
    }
}

fn forget_ao(listener: BorrowedFd<'_>, server: IpAddr) -> Result<(), Fault> {
    match ao::listen(listener, server, None) {
        // What a kernel cannot do, nobody has made it do.
        Err(Fault { errno: libc::ENOPROTOOPT, .. }) => Ok(()),
        result => result,
    }
}

/// Whether a socket is one of IPv6, which may carry IPv4 too.
fn is_ipv6(socket: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(SockRef::from(&socket).domain()? == Domain::IPV6)
}
