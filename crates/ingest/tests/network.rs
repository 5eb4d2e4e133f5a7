//! Listening in another network, and a router whose cable is pulled. Takes two network namespaces, and so root and
//! `ip`: without them it says so and looks at nothing.

mod place;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ingest::routers::{Instance, Io, Limits, ListenerId, Order, Reason, Report};
use place::{LIMIT, Place, initiation};

/// Two networks with a cable between them, gone when it is dropped.
struct Cable {
    near: String,
    far: String,
}

impl Cable {
    fn new(io: Io) -> Option<Self> {
        let name = |end| format!("hg-in-{}-{io:?}-{end}", std::process::id()).to_lowercase();
        let cable = Self { near: name("near"), far: name("far") };
        let Self { near, far } = &cable;
        let lines = [
            format!("netns add {near}"),
            format!("netns add {far}"),
            format!("-n {near} link add near0 type veth peer name far0 netns {far}"),
            format!("-n {near} address add 192.0.2.1/24 dev near0"),
            format!("-n {far} address add 192.0.2.2/24 dev far0"),
            format!("-n {near} link set near0 up"),
            format!("-n {far} link set far0 up"),
        ];
        for line in lines {
            if !ip(&line) {
                println!("skipped: `ip {line}` cannot be done here");
                return None;
            }
        }
        Some(cable)
    }

    /// A router over there, which says its name and then nothing.
    fn router(&self, port: u16, name: &str) -> Child {
        let octets: String = initiation(name).iter().map(|octet| format!("\\x{octet:02x}")).collect();
        let script = format!("exec 3<>/dev/tcp/192.0.2.1/{port}; printf '{octets}' >&3; exec sleep 60");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.far, "bash", "-c", &script]);
        command.stdin(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            ip(&format!("netns del {name}"));
        }
    }
}

fn ip(line: &str) -> bool {
    let status = Command::new("ip").args(line.split_whitespace()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_router_of_another_network_is_heard_and_missed() {
    for io in [Io::Uring, Io::Epoll] {
        let Some(cable) = Cable::new(io) else { return };
        let mut place = Place::new(io);
        place.handle.order(Order::Permit(vec![("192.0.2.0".parse().unwrap(), 24)]));
        let silence = Duration::from_secs(2);
        place.handle.order(Order::Limits(Limits { silence, ..Limits::default() }));
        let there = Instance::Namespace(PathBuf::from("/run/netns").join(&cable.near));
        place.handle.order(Order::Listen(ListenerId(1), "192.0.2.1:0".parse().unwrap(), there));
        let mut port = 0;
        place.wait_for("listening", |report| {
            if let Report::Listening(ListenerId(1), Ok(address)) = report {
                port = address.port();
            }
            port > 0
        });
        let mut router = cable.router(port, "rr1");
        place.wait_for("up", |report| match report {
            Report::Up { router, remote, .. } => &**router == "rr1" && remote.ip().to_string() == "192.0.2.2",
            _ => false,
        });
        // Silent, and there: it stays.
        std::thread::sleep(2 * silence);
        place.turn();
        assert_eq!(place.downs(), 0);
        assert!(ip(&format!("-n {} link set far0 down", cable.far)));
        let pulled = Instant::now();
        place.wait_for("missed", |report| {
            matches!(
                report,
                Report::Down { reason: Reason::Receive(libc::ETIMEDOUT | libc::EHOSTUNREACH), .. }
            )
        });
        println!("{io:?}: missed after {:?}", pulled.elapsed());
        assert!(pulled.elapsed() < LIMIT);
        router.kill().unwrap();
        router.wait().unwrap();
    }
}
