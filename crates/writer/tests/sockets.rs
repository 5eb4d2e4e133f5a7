//! What can be known of a socket before there is one: refusals by name, and what the kernel can do.
//!
//! Real sockets are tested where they are made, in `src/socket/tests.rs`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use writer::Secret;
use writer::fleet::ListenerId;
use writer::plan::{
    AoAlgorithm, AoKey, AoKeys, Auth, Instance, Keepalive, Listen, Options, Plan, Source, Way,
};

type Change = fn(&mut Plan);

const GOOD: &[(&str, Change)] = &[
    ("as it is", |_| {}),
    ("IPv6", |plan| plan.server = ip("2001:db8::1")),
    ("loopback", |plan| plan.server = ip("127.0.0.1")),
    ("the highest dscp", |plan| plan.options.dscp = Some(63)),
    ("the longest segment", |plan| plan.options.mss = Some(32767)),
    ("the longest key", |plan| plan.auth = Auth::Md5(Secret::new(&[1; 80]))),
    ("passive, and no port", |plan| plan.way = Way::Passive(ListenerId(0))),
    ("a long interface", |plan| plan.source.interface = Some(Arc::from("exactly-fifteen"))),
    ("a namespace of any name", |plan| {
        plan.instance = Instance::Namespace(PathBuf::from("/run/netns/a name that no interface can have"));
    }),
    ("two keys", |plan| plan.auth = ao(&[(1, 1), (2, 2)], 1, 2)),
];

const BAD: &[(Change, &str)] = &[
    (|plan| plan.server = ip("fe80::1"), "server fe80::1 is link-local: give an address that can be routed"),
    (|plan| plan.server = ip("febf::1"), "server febf::1 is link-local: give an address that can be routed"),
    (
        |plan| plan.server = ip("169.254.0.9"),
        "server 169.254.0.9 is link-local: give an address that can be routed",
    ),
    (
        |plan| plan.server = ip("0.0.0.0"),
        "server 0.0.0.0 is no single machine: give the server's own address",
    ),
    (|plan| plan.server = ip("::"), "server :: is no single machine: give the server's own address"),
    (
        |plan| plan.server = ip("224.0.0.5"),
        "server 224.0.0.5 is no single machine: give the server's own address",
    ),
    (
        |plan| plan.server = ip("ff02::1"),
        "server ff02::1 is no single machine: give the server's own address",
    ),
    (
        |plan| plan.server = ip("255.255.255.255"),
        "server 255.255.255.255 is no single machine: give the server's own address",
    ),
    (
        |plan| plan.server = ip("::ffff:192.0.2.9"),
        "address ::ffff:192.0.2.9 is IPv4 written as IPv6: write 192.0.2.9",
    ),
    (|plan| plan.way = Way::Active(0), "port 0, expected 1 to 65535"),
    (
        |plan| plan.source.address = Some(ip("2001:db8::2")),
        "source 2001:db8::2 and server 192.0.2.9: both have to be IPv4, or both IPv6",
    ),
    (|plan| plan.source.address = Some(ip("0.0.0.0")), "source 0.0.0.0: give an address that can be routed"),
    (
        |plan| plan.source.address = Some(ip("169.254.0.1")),
        "source 169.254.0.1: give an address that can be routed",
    ),
    (
        |plan| plan.source.address = Some(ip("::ffff:192.0.2.1")),
        "address ::ffff:192.0.2.1 is IPv4 written as IPv6: write 192.0.2.1",
    ),
    (
        |plan| plan.source.interface = Some(Arc::from("sixteen-octets-x")),
        "name sixteen-octets-x.. has 16 octets, an interface's has 1 to 15",
    ),
    (|plan| plan.source.interface = Some(Arc::from("")), "name .. has 0 octets, an interface's has 1 to 15"),
    (
        |plan| plan.instance = Instance::Device(Arc::from("a-vpn-instance-of-VRP")),
        "name a-vpn-instance-o.. has 21 octets, an interface's has 1 to 15",
    ),
    (|plan| plan.options.dscp = Some(64), "dscp 64, expected 0 to 63"),
    (|plan| plan.options.mss = Some(87), "mss 87, expected 88 to 32767"),
    (|plan| plan.options.send_buffer = Some(0), "octets of the send buffer 0, expected 1 to 1073741824"),
    (|plan| plan.options.unsent_max = 0, "limit of unsent octets 0, expected 1 to 1073741824"),
    (
        |plan| plan.options.keepalive.idle = Duration::from_millis(900),
        "seconds before a keepalive 0, expected 1 to 32767",
    ),
    (
        |plan| plan.options.keepalive.interval = Duration::from_secs(40_000),
        "seconds between keepalives 40000, expected 1 to 32767",
    ),
    (|plan| plan.options.keepalive.probes = 128, "keepalives 128, expected 1 to 127"),
    (
        |plan| {
            plan.way = Way::Passive(ListenerId(0));
            plan.options.mss = Some(1000);
        },
        "mss of a passive session is the server's to decide: set it there, or leave it",
    ),
    (|plan| plan.auth = Auth::Md5(Secret::new(&[1; 81])), "octets of an MD5 key 81, expected 1 to 80"),
    (|plan| plan.auth = Auth::Md5(Secret::new(&[])), "octets of an MD5 key 0, expected 1 to 80"),
    (|plan| plan.auth = ao(&[], 1, 1), "no key is good now: see the keychain's times"),
    (|plan| plan.auth = ao(&[(1, 1), (1, 2)], 1, 1), "two keys have send id 1: give each its own"),
    (|plan| plan.auth = ao(&[(1, 2), (2, 2)], 1, 2), "two keys have receive id 2: give each its own"),
    (|plan| plan.auth = ao(&[(1, 2)], 2, 2), "active send id 2 is no key's that is good now"),
    (|plan| plan.auth = ao(&[(1, 2)], 1, 1), "next receive id 1 is no key's that is good now"),
    (
        |plan| {
            plan.auth = ao(&[(1, 1)], 1, 1);
            if let Auth::Ao(keys) = &mut plan.auth {
                keys.keys[0].secret = Secret::new(&[1; 81]);
            }
        },
        "octets of a TCP-AO key 81, expected 1 to 80",
    ),
];

#[test]
fn what_no_socket_can_be_is_refused_by_name() {
    for &(name, change) in GOOD {
        let mut plan = plan();
        change(&mut plan);
        assert_eq!(plan.check(), Ok(()), "{name}");
    }
    for &(change, text) in BAD {
        let mut plan = plan();
        change(&mut plan);
        let fault = plan.check().expect_err(text);
        assert_eq!((fault.to_string().as_str(), fault.errno), (text, 0));
    }
}

#[test]
fn a_listener_is_checked_too() {
    for (instance, text) in [
        (Instance::Public, "ok"),
        (Instance::Device(Arc::from("red")), "ok"),
        (
            Instance::Device(Arc::from("a-vpn-instance-of-VRP")),
            "name a-vpn-instance-o.. has 21 octets, an interface's has 1 to 15",
        ),
    ] {
        let listen = Listen { name: Arc::from("l"), address: "[::]:0".parse().unwrap(), instance };
        let got = listen.check().map_or_else(|fault| fault.to_string(), |()| String::from("ok"));
        assert_eq!(got, text);
    }
}

#[test]
fn a_commit_can_learn_what_the_kernel_cannot_sign() {
    assert_eq!(Auth::None.supported(), Ok(()));
    assert_eq!(Auth::Md5(Secret::new(b"secret")).supported(), Ok(()), "every machine of ours has TCP-MD5");
    assert!(Auth::Md5(Secret::new(&[])).supported().is_err());
    match ao(&[(1, 1)], 1, 1).supported() {
        Ok(()) => println!("this kernel has TCP-AO"),
        Err(fault) => assert_eq!(
            fault.to_string(),
            "keychain (TCP_AO_ADD_KEY): Protocol not available (os error 92): this kernel has no TCP-AO (Linux 6.7 \
             with CONFIG_TCP_AO): use a kernel that has, or one key with md5"
        ),
    }
}

#[test]
fn no_secret_is_printed() {
    let mut plan = plan();
    plan.auth = Auth::Md5(Secret::new(b"hunter2"));
    assert!(!format!("{plan:?}").contains("hunter2"));
    plan.auth = Auth::Md5(Secret::new(&[b'x'; 81]));
    assert!(!format!("{:?}", plan.check()).contains("xx"));
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ao(ids: &[(u8, u8)], current: u8, next: u8) -> Auth {
    let key = |&(send_id, receive_id)| AoKey {
        send_id,
        receive_id,
        algorithm: AoAlgorithm::HmacSha1,
        secret: Secret::new(b"secret"),
    };
    Auth::Ao(AoKeys { keys: ids.iter().map(key).collect(), current, next })
}

fn plan() -> Plan {
    let keepalive = Keepalive { idle: Duration::from_secs(1), interval: Duration::from_secs(1), probes: 1 };
    Plan {
        name: Arc::from("s1"),
        server: ip("192.0.2.9"),
        way: Way::Active(1790),
        source: Source::default(),
        instance: Instance::Public,
        auth: Auth::None,
        options: Options { keepalive, ..Options::default() },
    }
}
