//! Real sockets, over loopback and between namespaces that a test makes and takes away.
//!
//! * **at home**  nothing leaves the machine: addresses are loopback's, or those of a namespace of the test's.
//! * **alone**    ports are the kernel's to choose and namespaces are named by process and number, so that
//!   tests run side by side.

mod net;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libc::c_int;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{SockRef, Socket};

use self::net::Net;
use super::*;
use crate::Secret;
use crate::fleet::ListenerId;
use crate::plan::{AoAlgorithm, AoKey, AoKeys, Keepalive, Options, Source};

const STALL: Duration = Duration::from_secs(20);
/// How long nothing has to happen, to say that it does not. The first SYN is repeated after a second.
const LONG: Duration = Duration::from_millis(1100);

// SAFETY: *plain*: octets.
unsafe impl raw::Plain for [u8; 128] {}

#[test]
fn signed_connections_come_about_with_the_key_and_only_so() {
    let [ipv4, ipv6] = [("127.0.0.1", "127.0.0.77"), ("::1", "::2")];
    let rows = [("127.0.0.1", ipv4), ("::1", ipv6), ("::", ipv4), ("::", ipv6)];
    // Side by side, for it is waiting.
    thread::scope(|scope| {
        for (listen_on, (server, other)) in rows {
            for (listener_key, dialler_key, key_for, answer) in [
                ("", "", server, "unsigned"),
                ("secret", "secret", server, "signed"),
                ("secret", "", server, "silence"),
                ("secret", "wrong", server, "silence"),
                ("", "secret", server, "silence"),
                // Another server's key is not this one's business.
                ("secret", "", other, "unsigned"),
            ] {
                scope.spawn(move || {
                    let got = meet(listen_on, server, listener_key, dialler_key, key_for);
                    assert_eq!(
                        got, answer,
                        "{listen_on} {server}: {listener_key:?} {dialler_key:?} for {key_for}"
                    );
                });
            }
        }
    });
}

fn meet(listen_on: &str, server: &str, given: &str, taken: &str, key_for: &str) -> &'static str {
    let listener = listener(listen_on);
    key(listener.as_fd(), ip(key_for), &md5(given)).unwrap();
    let near = dial(&Plan { auth: md5(taken), ..plan(server, port(&listener)) });
    let (near, far) = match (near, take(&listener)) {
        (Ok(near), Some(far)) => (near, far),
        (Err(_), None) => return "silence",
        (near, far) => panic!("{near:?} {far:?}"),
    };
    let auth = if key_for == server { md5(given) } else { Auth::None };
    let adopted = adopt(far.as_fd(), &Plan { auth, way: PASSIVE, ..plan(server, 0) }, STALL).unwrap();
    assert_eq!(adopted.remote, ends(near.as_fd()).unwrap().local, "{listen_on}");
    talk(&near, &far);
    if syn(&far).signed { "signed" } else { "unsigned" }
}

#[test]
fn a_listeners_key_can_be_changed_and_taken_away() {
    let listener = listener("127.0.0.1");
    let dialler = |secret| Plan { auth: md5(secret), ..plan("127.0.0.1", port(&listener)) };
    for (given, unkeyed, keyed) in [("one", "two", "one"), ("two", "one", "two"), ("", "two", "")] {
        key(listener.as_fd(), ip("127.0.0.1"), &md5(given)).unwrap();
        assert!(dial(&dialler(unkeyed)).is_err(), "{unkeyed} though {given}");
        assert!(dial(&dialler(keyed)).is_ok(), "{keyed} though {given}");
    }
    // To take away what is not there is no error; nor is IPv6 to a listener that has none.
    key(listener.as_fd(), ip("127.0.0.1"), &Auth::None).unwrap();
    key(listener.as_fd(), ip("2001:db8::1"), &md5("secret")).unwrap();
}

#[test]
fn what_was_accepted_before_the_key_is_refused_after_it() {
    for address in ["127.0.0.1", "::1"] {
        let listener = listener(address);
        let near = dial(&plan(address, port(&listener))).unwrap();
        // The handshake is over, and the connection waits to be taken: the key comes too late for it.
        key(listener.as_fd(), ip(address), &md5("secret")).unwrap();
        let far = take(&listener).unwrap();
        let passive = Plan { auth: md5("secret"), way: PASSIVE, ..plan(address, 0) };
        let fault = adopt(far.as_fd(), &passive, STALL).unwrap_err();
        assert_eq!(fault, Fault::ours(Why::Unsigned));
        // And it was left as it was.
        talk(&near, &far);
    }
}

#[test]
fn a_signed_connection_that_nobody_asked_for_is_refused() {
    let listener = listener("127.0.0.1");
    key(listener.as_fd(), ip("127.0.0.1"), &md5("secret")).unwrap();
    let _near = dial(&Plan { auth: md5("secret"), ..plan("127.0.0.1", port(&listener)) }).unwrap();
    let far = take(&listener).unwrap();
    let passive = Plan { way: PASSIVE, ..plan("127.0.0.1", 0) };
    assert_eq!(adopt(far.as_fd(), &passive, STALL), Err(Fault::ours(Why::Signed)));
}

#[test]
fn keys_change_under_a_connection() {
    for address in ["127.0.0.1", "::1"] {
        let listener = listener(address);
        key(listener.as_fd(), ip(address), &md5("one")).unwrap();
        let one = Plan { auth: md5("one"), ..plan(address, port(&listener)) };
        let near = dial(&one).unwrap();
        let far = take(&listener).unwrap();
        let ends = adopt(far.as_fd(), &Plan { way: PASSIVE, ..one.clone() }, STALL).unwrap();
        // A long one, and binary.
        let two = Plan { auth: Auth::Md5(Secret::new(&[0xff; 80])), ..one.clone() };
        rekey(near.as_fd(), &two).unwrap();
        // The listener's side knows its peer by another port, but by the same address.
        rekey(far.as_fd(), &two).unwrap();
        talk(&near, &far);
        // One side alone: nothing passes.
        rekey(near.as_fd(), &one).unwrap();
        rustix::io::write(&near, b"unheard").unwrap();
        assert!(!readable(&far, Duration::from_millis(400)));
        assert_eq!(unacked(near.as_fd()), 7);
        rekey(far.as_fd(), &one).unwrap();
        assert!(readable(&far, Duration::from_secs(5)));
        rustix::io::read(&far, &mut [0; 7]).unwrap();
        // The cover is gone: without the address's own key nothing is signed, and the other side's is not read.
        assert_eq!(md5::take(near.as_fd(), ip(address)), Ok(true));
        rustix::io::write(&far, b"unheard").unwrap();
        assert!(!readable(&near, Duration::from_millis(400)), "{address}: a cover was left");
        assert_eq!(md5::take(far.as_fd(), ends.remote.ip()), Ok(true));
        assert!(readable(&near, Duration::from_secs(5)), "{address}: a cover was left");
    }
}

#[test]
fn an_unsigned_connection_gets_no_key() {
    let (near, far, plan) = pair("127.0.0.1");
    let keyed = Plan { auth: md5("secret"), ..plan };
    assert_eq!(rekey(near.as_fd(), &keyed), Err(Fault::ours(Why::Unsigned)));
    talk(&near, &far);
}

#[test]
fn a_kernel_without_tcp_ao_says_so_and_nothing_is_left_unsigned() {
    let keys = AoKeys {
        keys: vec![AoKey {
            send_id: 1,
            receive_id: 1,
            algorithm: AoAlgorithm::HmacSha1,
            secret: Secret::new(b"k"),
        }],
        current: 1,
        next: 1,
    };
    let auth = Auth::Ao(keys);
    // Asked apart from what is tested.
    let socket = make(SocketAddr::new(ip("127.0.0.1"), 0)).unwrap();
    let asked = raw::get(socket.as_fd(), libc::IPPROTO_TCP, raw::TCP_AO_INFO, &mut raw::AoInfo::default());
    if asked.unwrap_err().raw_os_error() != Some(libc::ENOPROTOOPT) {
        println!("skipped: this kernel has TCP-AO");
        return;
    }
    let text = "keychain (TCP_AO_ADD_KEY): Protocol not available (os error 92): this kernel has no TCP-AO (Linux \
                6.7 with CONFIG_TCP_AO): use a kernel that has, or one key with md5";
    assert_eq!(auth.supported().unwrap_err().to_string(), text);
    let listener = listener("127.0.0.1");
    let signed = Plan { auth: auth.clone(), ..plan("127.0.0.1", port(&listener)) };
    assert_eq!(open(&signed, STALL).unwrap_err().to_string(), text);
    // The listener keeps the key it had.
    key(listener.as_fd(), ip("127.0.0.1"), &md5("secret")).unwrap();
    assert_eq!(key(listener.as_fd(), ip("127.0.0.1"), &auth).unwrap_err().to_string(), text);
    assert!(dial(&plan("127.0.0.1", port(&listener))).is_err());
    key(listener.as_fd(), ip("127.0.0.1"), &Auth::None).unwrap();
    // What somebody else let in unsigned is not adopted, nor signed later.
    let near = dial(&plan("127.0.0.1", port(&listener))).unwrap();
    let far = take(&listener).unwrap();
    let passive = Plan { way: PASSIVE, ..signed.clone() };
    let text = text.replace("keychain (TCP_AO_ADD_KEY)", "keychain of a connection (TCP_AO_GET_KEYS)");
    assert_eq!(adopt(far.as_fd(), &passive, STALL).unwrap_err().to_string(), text);
    assert_eq!(rekey(near.as_fd(), &signed).unwrap_err().to_string(), text);
}

#[test]
fn a_socket_is_told_all_options() {
    let keepalive = Keepalive { idle: Duration::from_secs(41), interval: Duration::from_secs(7), probes: 5 };
    let options = Options {
        dscp: Some(46),
        mss: Some(1000),
        send_buffer: Some(100_000),
        unsent_max: 54_321,
        keepalive,
    };
    for address in ["127.0.0.1", "::1"] {
        let listener = listener(address);
        raw::set(listener.as_fd(), libc::IPPROTO_TCP, TCP_SAVE_SYN, &1).unwrap();
        let plan = Plan { options, ..plan(address, port(&listener)) };
        let near = dial(&plan).unwrap();
        let far = take(&listener).unwrap();
        let passive = Plan { way: PASSIVE, options: Options { mss: None, ..options }, ..plan };
        adopt(far.as_fd(), &passive, STALL).unwrap();
        let syn = syn(&far);
        assert_eq!((syn.dscp, syn.mss), (46, 1000), "{address}: as the peer sees it");
        for socket in [&near, &far] {
            let told = SockRef::from(socket);
            assert!(told.tcp_nodelay().unwrap());
            assert!(told.keepalive().unwrap());
            assert_eq!(told.tcp_keepalive_time().unwrap(), keepalive.idle);
            assert_eq!(told.tcp_keepalive_interval().unwrap(), keepalive.interval);
            assert_eq!(told.tcp_keepalive_retries().unwrap(), keepalive.probes);
            assert_eq!(told.tcp_notsent_lowat().unwrap(), 54_321);
            assert_eq!(told.tcp_user_timeout().unwrap(), Some(STALL));
            assert_eq!(told.send_buffer_size().unwrap(), 200_000);
            let tos = if address == "::1" { told.tclass_v6() } else { told.tos_v4() };
            assert_eq!(tos.unwrap(), 46 << 2);
        }
        assert!(SockRef::from(&near).tcp_mss().unwrap() <= 1000);
    }
}

#[test]
fn ipv4_on_a_listener_of_ipv6_stays_ipv4() {
    let listener = listener("::");
    let near = dial(&plan("127.0.0.1", port(&listener))).unwrap();
    let far = take(&listener).unwrap();
    let options = Options { dscp: Some(8), ..Options::default() };
    let passive = Plan { way: PASSIVE, options, ..plan("127.0.0.1", 0) };
    let ends = adopt(far.as_fd(), &passive, STALL).unwrap();
    assert_eq!(ends.remote, super::ends(near.as_fd()).unwrap().local);
    assert_eq!(ends.local.ip(), ip("127.0.0.1"));
    assert_eq!(SockRef::from(&far).tos_v4().unwrap(), 8 << 2);
    assert_eq!(plain("[::ffff:192.0.2.1]:7".parse().unwrap()), "192.0.2.1:7".parse().unwrap());
    assert_eq!(plain("[2001:db8::1]:7".parse().unwrap()), "[2001:db8::1]:7".parse().unwrap());
}

#[test]
fn a_listener_of_one_ipv6_address_takes_no_ipv4() {
    let listener = listener("::1");
    assert!(SockRef::from(&listener).only_v6().unwrap());
    assert_eq!(errno(dial(&plan("127.0.0.1", port(&listener)))), Some(libc::ECONNREFUSED));
    // So that the IPv4 port is free for another one.
    let address = SocketAddr::new(ip("127.0.0.1"), port(&listener));
    listen(&Listen { name: Arc::from("l"), address, instance: Instance::Public }).unwrap();
}

#[test]
fn a_stranger_is_not_adopted() {
    let (_near, far, plan) = pair("127.0.0.1");
    let plan = Plan { way: PASSIVE, ..plan };
    for (plan, text) in [
        (
            Plan { server: ip("127.0.0.9"), ..plan.clone() },
            "connection from 127.0.0.1, who is not the session's server",
        ),
        (
            Plan { source: from("127.0.0.9"), ..plan.clone() },
            "connection to 127.0.0.1, which is not the session's source",
        ),
    ] {
        assert_eq!(adopt(far.as_fd(), &plan, STALL).unwrap_err().to_string(), text);
    }
    adopt(far.as_fd(), &Plan { source: from("127.0.0.1"), ..plan }, STALL).unwrap();
}

#[test]
fn a_connect_that_fails_says_why() {
    let closed = listener("127.0.0.1");
    let port = port(&closed);
    drop(closed);
    assert_eq!(errno(dial(&plan("127.0.0.1", port))), Some(libc::ECONNREFUSED));
}

#[test]
fn a_source_that_is_not_ours_is_refused() {
    for (source, server) in [("192.0.2.1", "127.0.0.1"), ("2001:db8::1", "::1")] {
        let plan = Plan { source: from(source), ..plan(server, 1) };
        let fault = open(&plan, STALL).unwrap_err();
        assert_eq!(fault, Fault { step: Step::Source(ip(source)), errno: libc::EADDRNOTAVAIL });
    }
}

#[test]
fn a_source_address_is_what_the_server_sees() {
    for (source, server) in [("127.0.0.42", "127.0.0.1"), ("::1", "::1")] {
        let listener = listener(server);
        let plan = Plan { source: from(source), ..plan(server, port(&listener)) };
        let (socket, _) = open(&plan, STALL).unwrap();
        // No port is taken before it is known for whom.
        let bound = SockRef::from(&socket).local_addr().unwrap().as_socket().unwrap();
        assert_eq!(bound, SocketAddr::new(ip(source), 0));
        let _near = dial(&plan).unwrap();
        assert_eq!(ends(take(&listener).unwrap().as_fd()).unwrap().remote.ip(), ip(source));
    }
}

#[test]
fn octets_on_the_way_are_counted() {
    let (near, far, _) = pair("127.0.0.1");
    assert_eq!(unacked(near.as_fd()), 0);
    let block = [7; 1 << 16];
    let mut sent = 0;
    while let Ok(len) = rustix::io::write(&near, &block) {
        sent += len as u64;
    }
    // Nobody reads, so that some of them wait; whatever was acknowledged lies in the reader's buffer.
    let waiting = unacked(near.as_fd());
    assert!(waiting > 0 && waiting <= sent, "{waiting} of {sent}");
    let mut octets = vec![0; 1 << 16];
    let mut read = 0;
    while read < sent && readable(&far, Duration::from_secs(5)) {
        read += rustix::io::read(&far, &mut octets).unwrap() as u64;
    }
    let until = Instant::now() + Duration::from_secs(5);
    while unacked(near.as_fd()) != 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((read, unacked(near.as_fd())), (sent, 0));
}

#[test]
fn what_is_closed_by_reset_is_reset() {
    let (near, far, _) = pair("127.0.0.1");
    reset_on_close(near.as_fd());
    drop(near);
    assert!(readable(&far, Duration::from_secs(5)));
    assert_eq!(rustix::io::read(&far, &mut [0; 1]), Err(rustix::io::Errno::CONNRESET));
}

#[test]
fn sockets_wait_or_do_not() {
    let (near, _far, _) = pair("127.0.0.1");
    for blocking in [true, false, true] {
        set_blocking(near.as_fd(), blocking).unwrap();
        assert_eq!(SockRef::from(&near).nonblocking().unwrap(), !blocking);
    }
}

#[test]
fn an_instance_that_is_not_there_is_refused() {
    let (_, _, active) = pair("127.0.0.1");
    for (instance, text) in [
        (
            Instance::Namespace(PathBuf::from("/run/netns/hg-none")),
            "network namespace of the vpn-instance: No such file or directory (os error 2): there is no such file: \
             `ip netns add`, or map the vpn-instance to another",
        ),
        (
            Instance::Namespace(PathBuf::from("/proc/version")),
            "network namespace of the vpn-instance: Invalid argument (os error 22): the file is no network \
             namespace: `ip netns add` makes one",
        ),
        (
            Instance::Device(Arc::from("hg-none")),
            "vpn-instance by VRF device hg-none (SO_BINDTODEVICE): No such device (os error 19): there is no such \
             VRF device: `ip link add NAME type vrf table N`",
        ),
    ] {
        let plan = Plan { instance: instance.clone(), ..active.clone() };
        assert_eq!(open(&plan, STALL).unwrap_err().to_string(), text);
        let address = SocketAddr::new(ip("127.0.0.1"), 0);
        let fault = listen(&Listen { name: Arc::from("l"), address, instance }).unwrap_err();
        assert_eq!(fault.to_string(), text);
    }
}

#[test]
fn an_instances_interfaces_are_known() {
    let links = std::env::temp_dir().join(format!("hg-links-{}", std::process::id()));
    std::fs::create_dir_all(links.join("eth0")).unwrap();
    std::fs::create_dir_all(links.join("eth1")).unwrap();
    std::os::unix::fs::symlink("../red", links.join("eth0/master")).unwrap();
    for (device, interface, text) in [
        ("red", "eth0", "ok"),
        ("red", "red", "ok"),
        ("blue", "eth0", "interface eth0 is not in blue: `ip link set eth0 master blue`"),
        ("red", "eth1", "interface eth1 is not in red: `ip link set eth1 master red`"),
    ] {
        let got = instance::owns(&links, device, interface);
        assert_eq!(got.map_or_else(|fault| fault.to_string(), |()| String::from("ok")), text);
    }
    std::fs::remove_dir_all(links).unwrap();
}

#[test]
fn an_interface_is_a_source_and_a_way_out() {
    let Some(net) = Net::new() else { return };
    let via = |interface: &str, address: Option<&str>| Source {
        address: address.map(ip),
        interface: Some(Arc::from(interface)),
    };
    let near_by = Instance::Namespace(net.near());
    for (server, source, seen, device) in [
        ("10.71.1.9", Source::default(), "10.71.1.1", None),
        ("10.71.1.9", from("10.71.1.2"), "10.71.1.2", None),
        ("10.71.1.9", via("near1", None), "10.71.1.1", Some("near1")),
        ("10.71.1.9", via("near1", Some("10.71.1.2")), "10.71.1.2", Some("near1")),
        // The way out to this one is through near1, and dead: only who is bound to near2 gets there.
        ("10.71.9.9", via("near2", None), "10.71.2.1", Some("near2")),
        ("10.71.9.9", from("10.71.2.1"), "nobody", None),
        // Interfaces that lead nowhere lend their address.
        ("10.71.1.9", via("lo", None), "10.71.255.1", None),
        ("10.71.1.9", via("quiet", None), "10.71.254.1", None),
        ("fd71:1::9", via("near1", None), "fd71:1::1", Some("near1")),
        ("fd71:1::9", via("lo", None), "fd71:255::1", None),
        ("fd71:1::9", from("fd71:1::1"), "fd71:1::1", None),
    ] {
        let listener = listener_in(server, Instance::Namespace(net.far()));
        let plan =
            Plan { source: source.clone(), instance: near_by.clone(), ..plan(server, port(&listener)) };
        let (socket, _) = open(&plan, STALL).unwrap();
        assert_eq!(
            SockRef::from(&socket).device().unwrap().as_deref(),
            device.map(str::as_bytes),
            "{source:?}"
        );
        let near = dial(&plan);
        let got = take(&listener).map(|far| ends(far.as_fd()).unwrap().remote.ip().to_string());
        assert_eq!(got.as_deref().unwrap_or("nobody"), seen, "{server} {source:?}: {near:?}");
    }
    for (server, source, text) in [
        (
            "10.71.1.9",
            via("near9", None),
            "there is no interface near9 here: see `ip link`, in the session's vpn-instance",
        ),
        (
            "10.71.1.9",
            via("near2", Some("10.71.1.1")),
            "interface near2 has no address 10.71.1.1: add it, or another source",
        ),
        (
            "fd71:1::9",
            via("quiet", None),
            "interface quiet has no global IPv6 address: give it one, or another source",
        ),
        (
            "10.71.1.9",
            from("10.71.7.7"),
            "source address 10.71.7.7 (bind): Cannot assign requested address (os error 99): it is on no interface \
             of the session's vpn-instance: add it, or another",
        ),
    ] {
        let plan = Plan { source, instance: near_by.clone(), ..plan(server, 7) };
        assert_eq!(open(&plan, STALL).unwrap_err().to_string(), text);
    }
    let unreachable = Plan { instance: near_by, ..plan("10.99.0.1", 7) };
    assert_eq!(errno(dial(&unreachable)), Some(libc::ENETUNREACH));
}

#[test]
fn a_namespace_is_reached_only_as_a_vpn_instance() {
    let Some(net) = Net::new() else { return };
    let home = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    for (address, auth) in [("127.0.0.1", Auth::None), ("::1", Auth::None), ("127.0.0.1", md5("secret"))] {
        let listener = listener_in(address, Instance::Namespace(net.far()));
        key(listener.as_fd(), ip(address), &auth).unwrap();
        let plan = Plan { auth, ..plan(address, port(&listener)) };
        let there = |path| Plan { instance: Instance::Namespace(path), ..plan.clone() };
        // Who has a key hears no refusal, for that is not signed.
        assert!(dial(&plan).is_err(), "{address} at home");
        assert!(dial(&there(net.near())).is_err(), "{address} elsewhere");
        let near = dial(&there(net.far())).unwrap();
        let far = take(&listener).unwrap();
        adopt(far.as_fd(), &Plan { way: PASSIVE, ..plan }, STALL).unwrap();
        talk(&near, &far);
    }
    assert_eq!(std::fs::read_link("/proc/thread-self/ns/net").unwrap(), home, "this thread went elsewhere");
}

const PASSIVE: Way = Way::Passive(ListenerId(0));
const TCP_SAVE_SYN: c_int = 27;
const TCP_SAVED_SYN: c_int = 28;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn md5(secret: &str) -> Auth {
    if secret.is_empty() { Auth::None } else { Auth::Md5(Secret::new(secret.as_bytes())) }
}

fn from(address: &str) -> Source {
    Source { address: Some(ip(address)), interface: None }
}

fn plan(server: &str, port: u16) -> Plan {
    Plan {
        name: Arc::from("s1"),
        server: ip(server),
        way: Way::Active(port),
        source: Source::default(),
        instance: Instance::Public,
        auth: Auth::None,
        options: Options::default(),
    }
}

fn listener(address: &str) -> OwnedFd {
    let listener = listener_in(address, Instance::Public);
    raw::set(listener.as_fd(), libc::IPPROTO_TCP, TCP_SAVE_SYN, &1).unwrap();
    listener
}

fn listener_in(address: &str, instance: Instance) -> OwnedFd {
    let address = SocketAddr::new(ip(address), 0);
    listen(&Listen { name: Arc::from("l"), address, instance }).unwrap()
}

fn port(listener: &OwnedFd) -> u16 {
    SockRef::from(listener).local_addr().unwrap().as_socket().unwrap().port()
}

/// Two ends of one connection, and the plan of the first.
fn pair(address: &str) -> (OwnedFd, OwnedFd, Plan) {
    let listener = listener(address);
    let plan = plan(address, port(&listener));
    let near = dial(&plan).unwrap();
    (near, take(&listener).unwrap(), plan)
}

/// Connects as a plan says, as a driver over epoll does.
fn dial(plan: &Plan) -> io::Result<OwnedFd> {
    let (socket, remote) = open(plan, STALL).unwrap();
    assert!(SockRef::from(&socket).nonblocking().unwrap());
    match SockRef::from(&socket).connect(&remote.into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        result => result?,
    }
    wait(&socket, PollFlags::OUT, LONG);
    match connected(&socket) {
        None => Err(io::ErrorKind::TimedOut.into()),
        Some(Err(error)) => Err(error),
        Some(Ok(ends)) => {
            assert_eq!(ends.remote, remote);
            Ok(socket)
        }
    }
}

/// What has been accepted.
fn take(listener: &OwnedFd) -> Option<OwnedFd> {
    let (socket, _): (Socket, _) = SockRef::from(listener).accept().ok()?;
    socket.set_nonblocking(true).unwrap();
    Some(socket.into())
}

fn errno(result: io::Result<OwnedFd>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

fn wait(socket: &OwnedFd, flags: PollFlags, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).unwrap();
    poll(&mut [PollFd::new(socket, flags)], Some(&limit)).unwrap() > 0
}

fn readable(socket: &OwnedFd, limit: Duration) -> bool {
    wait(socket, PollFlags::IN, limit)
}

/// Octets pass both ways.
fn talk(near: &OwnedFd, far: &OwnedFd) {
    for (source, target) in [(near, far), (far, near)] {
        rustix::io::write(source, b"octets").unwrap();
        assert!(readable(target, Duration::from_secs(5)), "{} hears nothing", target.as_raw_fd());
        let mut octets = [0; 6];
        rustix::io::read(target, &mut octets).unwrap();
        assert_eq!(&octets, b"octets");
    }
}

/// The segment with which the other side began.
struct Syn {
    dscp: u8,
    mss: u16,
    signed: bool,
}

fn syn(far: &OwnedFd) -> Syn {
    let mut octets = [0_u8; 128];
    raw::get(far.as_fd(), libc::IPPROTO_TCP, TCP_SAVED_SYN, &mut octets).unwrap();
    let (tos, ip_len) = match octets[0] >> 4 {
        4 => (octets[1], 20),
        6 => (octets[0] << 4 | octets[1] >> 4, 40),
        _ => panic!("no SYN was saved: {octets:?}"),
    };
    let tcp = &octets[ip_len..];
    let mut syn = Syn { dscp: tos >> 2, mss: 0, signed: false };
    let mut options = &tcp[20..usize::from(tcp[12] >> 4) * 4];
    while let [kind, rest @ ..] = options {
        options = match kind {
            0 => break,
            1 => rest,
            _ => {
                if *kind == 2 {
                    syn.mss = u16::from_be_bytes([options[2], options[3]]);
                }
                syn.signed |= *kind == 19;
                &options[usize::from(options[1])..]
            }
        };
    }
    syn
}
