//! Sockets that listen, and what those are told that they accept.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::thread::{self, Builder};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpListener;

use super::Instance;

/// Connections that the kernel keeps for us until we take them: all routers of a network may come at once.
const BACKLOG: i32 = 512;

/// How often a router is asked that does not answer.
const PROBES: u32 = 3;

/// Why there is no listener.
#[derive(Debug)]
pub(super) struct Fault {
    step: &'static str,
    address: SocketAddr,
    error: io::Error,
}

/// A socket that listens, in non-blocking mode.
pub(super) fn listen(address: SocketAddr, instance: &Instance) -> Result<TcpListener, Fault> {
    let fault = |step| move |error| Fault { step, address, error };
    let make = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM.nonblocking().cloexec(),
            Some(Protocol::TCP),
        )
        .map_err(fault("socket"))?;
        if let Instance::Device(device) = instance {
            // The kernel cuts a name that is too long without a word, and would take another interface.
            if device.is_empty() || device.len() >= libc::IFNAMSIZ {
                return Err(fault(VRF)(io::Error::from_raw_os_error(libc::ENODEV)));
            }
            socket.bind_device(Some(device.as_bytes())).map_err(fault(VRF))?;
        }
        if address.is_ipv6() {
            // `::` means everybody.
            socket.set_only_v6(!address.ip().is_unspecified()).map_err(fault(BIND))?;
        }
        // Else connections that have just ended keep the port for a minute.
        socket.set_reuse_address(true).map_err(fault(BIND))?;
        socket.bind(&address.into()).map_err(fault(BIND))?;
        socket.listen(BACKLOG).map_err(fault("listen"))?;
        Ok(socket)
    };
    let socket = match instance {
        Instance::Public | Instance::Device(_) => make()?,
        Instance::Namespace(path) => {
            let namespace = File::open(path).map_err(fault(NAMESPACE))?;
            // This thread stays where it is: another one goes there, and a descriptor keeps its network.
            let there = || {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .map_err(|errno| fault(NAMESPACE)(errno.into()))?;
                make()
            };
            thread::scope(|scope| {
                let thread = Builder::new().name(String::from("namespace")).spawn_scoped(scope, there);
                thread.map_err(fault(NAMESPACE))?.join().unwrap_or_else(|panic| resume_unwind(panic))
            })?
        }
    };
    TcpListener::from_std(socket.into()).map_err(fault("socket"))
}

/// Has a router asked whether it is there when it says nothing: after `silence` without an answer it is not.
pub(super) fn keep_alive(socket: impl AsFd, silence: Duration) -> io::Result<()> {
    // Half of it passes before the first question, and the rest between the questions and after the last.
    let seconds = |duration: Duration| Duration::from_secs(duration.as_secs().clamp(1, 32767));
    let asked = TcpKeepalive::new()
        .with_time(seconds(silence / 2))
        .with_interval(seconds(silence / (2 * PROBES)))
        .with_retries(PROBES);
    SockRef::from(&socket).set_tcp_keepalive(&asked)
}

const VRF: &str = "VRF device (SO_BINDTODEVICE)";
const BIND: &str = "bind";
const NAMESPACE: &str = "network namespace";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, address, error } = self;
        write!(f, "listening on {address}: {step}: {error}")?;
        let remedy = match (*step, error.raw_os_error().unwrap_or(0)) {
            (BIND, libc::EADDRINUSE) => "another program has the port: choose another, or end it",
            (BIND, libc::EADDRNOTAVAIL) => {
                "no interface of the vpn-instance has the address: add it, or another"
            }
            (BIND, libc::EACCES) => "give the process CAP_NET_BIND_SERVICE, or listen on a port from 1024",
            (VRF, libc::ENODEV) => "there is no such VRF device: `ip link add NAME type vrf table N`",
            (VRF, libc::EPERM) => "give the process CAP_NET_RAW",
            (NAMESPACE, libc::ENOENT) => {
                "there is no such file: `ip netns add`, or map the vpn-instance to another"
            }
            (NAMESPACE, libc::EINVAL) => "the file is no network namespace: `ip netns add` makes one",
            (NAMESPACE, libc::EPERM | libc::EACCES) => "give the process CAP_SYS_ADMIN",
            (_, libc::EAFNOSUPPORT) => {
                "this kernel or container has no such family: turn IPv6 on, or listen with IPv4"
            }
            (_, libc::EMFILE) => "raise the limit of open files (ulimit -n, LimitNOFILE=)",
            _ => return Ok(()),
        };
        write!(f, ": {remedy}")
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener as StdListener;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn who_does_not_answer_is_found_in_the_time_given() {
        let socket = StdListener::bind("127.0.0.1:0").unwrap();
        for (silence, idle, interval) in [(90, 45, 15), (60, 30, 10), (1, 1, 1), (1_000_000, 32767, 32767)] {
            keep_alive(&socket, Duration::from_secs(silence)).unwrap();
            let told = SockRef::from(&socket);
            assert!(told.keepalive().unwrap());
            let got = [told.tcp_keepalive_time().unwrap(), told.tcp_keepalive_interval().unwrap()];
            assert_eq!(got, [idle, interval].map(Duration::from_secs), "{silence} s");
            assert_eq!(told.tcp_keepalive_retries().unwrap(), PROBES);
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_fault_says_where_why_and_what_to_do() {
        let taken = StdListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap();
        let rows: [(SocketAddr, Instance, String); 5] = [
            (taken, Instance::Public, format!("listening on {taken}: bind: Address already in use")),
            (
                "192.0.2.1:1790".parse().unwrap(),
                Instance::Public,
                String::from("listening on 192.0.2.1:1790: bind: Cannot assign requested address"),
            ),
            (
                "127.0.0.1:0".parse().unwrap(),
                Instance::Device(Arc::from("no-such-vrf")),
                String::from("listening on 127.0.0.1:0: VRF device (SO_BINDTODEVICE): No such device"),
            ),
            (
                "127.0.0.1:0".parse().unwrap(),
                Instance::Device(Arc::from("longer-than-a-name-may-be")),
                String::from("listening on 127.0.0.1:0: VRF device (SO_BINDTODEVICE): No such device"),
            ),
            (
                "127.0.0.1:0".parse().unwrap(),
                Instance::Namespace(PathBuf::from("/no/such/file")),
                String::from("listening on 127.0.0.1:0: network namespace: No such file or directory"),
            ),
        ];
        for (address, instance, text) in rows {
            // Without the privilege a device is refused before it is looked for.
            let fault = listen(address, &instance).unwrap_err().to_string();
            let permitted = fault.contains("CAP_NET_RAW");
            assert!(permitted || fault.starts_with(&text), "{fault}");
            assert!(fault.matches(": ").count() >= 3, "{fault} has no remedy");
        }
    }
}
