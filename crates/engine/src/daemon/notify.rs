//! What the service manager is told, if there is one: `sd_notify` by hand, a datagram a state.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Where it listens; nobody, if we were not started by one.
pub(super) struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// To whom the environment says.
    pub(super) fn new() -> Self {
        Self::to(env::var_os("NOTIFY_SOCKET").as_deref())
    }

    fn to(name: Option<&OsStr>) -> Self {
        let open = |name: &OsStr| Ok::<_, io::Error>((UnixDatagram::unbound()?, address(name)?));
        Self { to: name.and_then(|name| open(name).ok()) }
    }

    /// Says something. If it is not heard, there is nothing to be done about that.
    pub(super) fn say(&self, state: &str) {
        if let Some((socket, address)) = &self.to {
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }

    /// We are reading the configuration anew; `READY=1` ends that.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let us = now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={us}"));
    }
}

/// `@name` is an abstract one.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

/// How often the manager wants to hear that we live; `None` if it does not care.
pub(super) fn watchdog() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    // Meant for another process, if that is named.
    if number("WATCHDOG_PID").is_some_and(|process| process != u64::from(std::process::id())) {
        return None;
    }
    number("WATCHDOG_USEC").filter(|&us| us > 0).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn states_are_heard() {
        let scratch = Scratch::new();
        let path = scratch.path("notify");
        let name = format!("heliograph-test-{}", std::process::id());
        let rows = [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
                format!("@{name}").into(),
            ),
        ];
        for (heard, name) in rows {
            heard.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let notify = Notify::to(Some(&name));
            let mut room = [0; 256];
            notify.say("READY=1");
            let len = heard.recv(&mut room).unwrap();
            assert_eq!(&room[..len], b"READY=1", "{name:?}");
            notify.reloading();
            let len = heard.recv(&mut room).unwrap();
            let text = std::str::from_utf8(&room[..len]).unwrap();
            let us = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{text}"));
            assert!(us.parse::<u64>().is_ok_and(|us| us > 0), "{text}");
        }
        // Nobody is there: nothing happens.
        Notify::to(None).say("READY=1");
        Notify::to(Some(OsStr::new("/nowhere/at/all"))).say("READY=1");
    }
}
