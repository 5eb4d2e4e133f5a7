//! What is understood, in short.

use super::*;
use crate::keychain::Window;
use crate::table::{Act, TABLE, View};

/// A session, in words: what it has, and nothing about what it has not.
fn show(session: &Session) -> String {
    let mut words = vec![session.key.to_string()];
    words.push(match session.way {
        None => "nowhere".into(),
        Some(Way::Active(port)) => format!("to {port}"),
        Some(Way::Passive(port)) => format!("at {port}"),
    });
    match &session.network {
        Network::Public => {}
        Network::Device(name) => words.push(format!("in {name}")),
        Network::Namespace(file) => words.push(format!("in {file}")),
    }
    words.extend(session.source.map(|source| format!("from {source}")));
    words.extend(session.interface.as_ref().map(|interface| format!("through {interface}")));
    match &session.auth {
        Auth::None => {}
        Auth::Md5(sealed) => words.push(format!("md5 {}", vault().open(sealed).expect("our key").reveal())),
        Auth::Keychain(chain) => words.push(format!("keychain {}", chain.name)),
    }
    words.extend(session.dscp.map(|dscp| format!("dscp {dscp}")));
    words.extend(session.mss.map(|mss| format!("mss {mss}")));
    words.extend(session.send_buffer.map(|octets| format!("buffer {octets}")));
    words.extend(session.monitors.iter().map(|monitor| {
        let tables = monitor.tables.iter();
        let tables = tables.map(|table| format!(" {:?}/{}/{}", table.rib, table.family.0, table.family.1));
        format!("[{:?}{}]", monitor.scope, tables.collect::<String>())
    }));
    words.extend(session.description.as_ref().map(|text| format!("({text})")));
    words.extend(session.shutdown.then(|| "shut".into()));
    words.join(" ")
}

#[test]
fn sessions() {
    let names = "vpn-instance red device vrf-red : vpn-instance blue netns blue : vpn-instance green netns /run/g : \
                 interface-alias LoopBack0 device lo : interface-alias GigabitEthernet0/0/1 device eth0";
    let public = "monitor public";
    for (lines, expected) in [
        ("bmp-session 10.1.1.1 : tcp connect port 5000", "10.1.1.1 to 5000 from 10.9.9.9"),
        ("bmp-session 10.1.1.1 alias b", "10.1.1.1 alias b nowhere from 10.9.9.9"),
        ("bmp-session 2001:db8::1 : tcp connect port 1", "2001:DB8::1 to 1"),
        ("bmp-session 10.1.1.1 : tcp listen port 1", "10.1.1.1 at 1 from 10.9.9.9"),
        (
            "bmp-session vpn-instance red 2001:db8::1 : tcp connect port 1",
            "vpn-instance red 2001:DB8::1 to 1 in vrf-red",
        ),
        ("bmp-session vpn-instance blue ::1", "vpn-instance blue ::1 nowhere in /run/netns/blue"),
        ("bmp-session vpn-instance green ::1", "vpn-instance green ::1 nowhere in /run/g"),
        ("bmp-session ::1 alias \"two words\"", "::1 alias \"two words\" nowhere"),
        // where from
        ("bmp-session 10.1.1.1 : connect-interface 10.1.1.2", "10.1.1.1 nowhere from 10.1.1.2"),
        ("bmp-session 10.1.1.1 : connect-interface eth1", "10.1.1.1 nowhere through eth1"),
        ("bmp-session 10.1.1.1 : connect-interface LOOPBACK0", "10.1.1.1 nowhere through lo"),
        ("bmp-session 10.1.1.1 : connect-interface LoopBack 0", "10.1.1.1 nowhere through lo"),
        (
            "bmp-session 10.1.1.1 : connect-interface LoopBack 0 10.1.1.2",
            "10.1.1.1 nowhere from 10.1.1.2 through lo",
        ),
        (
            "bmp-session 2001:db8::1 : connect-interface gigabitethernet0/0/1 2001:db8::2",
            "2001:DB8::1 nowhere from 2001:db8::2 through eth0",
        ),
        ("bmp-session ::1 : connect-interface dummy 7", "::1 nowhere through dummy7"),
        // tcp
        ("bmp-session ::1 : tcp connect port 1 password md5 secret", "::1 to 1 md5 secret"),
        ("bmp-session ::1 : tcp listen port 1 password md5 \"two words\"", "::1 at 1 md5 two words"),
        (
            "bmp-session ::1 : tcp dscp 48 : tcp mss 1400 : tcp send-buffer 512",
            "::1 nowhere dscp 48 mss 1400 buffer 524288",
        ),
        ("bmp-session ::1 : description two words : shutdown", "::1 nowhere (two words) shut"),
        // what it carries
        (&format!("bmp-session ::1 : {public}"), "::1 nowhere [Public]"),
        (
            &format!(
                "bmp-session ::1 : {public} : route-mode ipv4-family unicast adj-rib-in pre-policy : \
                      route-mode ipv6-family unicast adj-rib-in post-policy"
            ),
            "::1 nowhere [Public InPre/1/1 InPost/2/1]",
        ),
        (
            &format!(
                "bmp-session ::1 : {public} : route-mode ipv4-family labeled-unicast adj-rib-out pre-policy : \
                      route-mode ipv4-family vpnv4 adj-rib-out post-policy : \
                      route-mode ipv6-family vpnv6 local-rib : route-mode ipv4-family flow local-rib"
            ),
            "::1 nowhere [Public OutPre/1/4 OutPost/1/128 Local/1/133 Local/2/128]",
        ),
        (
            "bmp-session ::1 : monitor router r1 : quit : monitor all-vpn-instance : quit : monitor peer 10.2.2.2 : \
             quit : monitor vpn-instance v : quit : monitor vpn-instance v peer ::2",
            "::1 nowhere [AllVpn] [Peer(10.2.2.2)] [Vpn(\"v\")] [VpnPeer(\"v\", ::2)] [Router(\"r1\")]",
        ),
    ] {
        let text = format!("{names} : bmp : connect-interface 10.9.9.9 : {lines}").replace(" : ", "\n");
        let shown: Vec<_> = meaning(&text).sessions.values().map(|session| show(session)).collect();
        assert_eq!(shown, [expected], "{lines}");
    }
}

#[test]
fn the_rest() {
    let shown = |text: &str| {
        let m = meaning(&text.replace(" : ", "\n"));
        format!(
            "{:?} {:?} {} {} {:?} {} {} {:?}",
            m.sysname, m.telemetry, m.enabled, m.statistics_s, m.retry_s, m.stall_s, m.retention, m.routers
        )
    };
    let none = "None None false 3600 (30, 720) 300 67108864";
    let routers = |listen: &str, permit: &str, limits: [usize; 4]| {
        let [routers, peers, paths, message] = limits;
        format!(
            "Routers {{ listen: [{listen}], permit: [{permit}], routers_max: {routers}, peers_max: {peers}, \
             paths_max: {paths}, message_max: {message} }}"
        )
    };
    let limits = [1000, 4096, 1 << 30, 1 << 20];
    for (text, expected) in [
        ("", format!("{none} {}", routers("", "", limits))),
        ("bmp", format!("None None true 3600 (30, 720) 300 67108864 {}", routers("", "", limits))),
        (
            "sysname m : telemetry listen port 1",
            format!(
                "Some(\"m\") Some(127.0.0.1:1) false 3600 (30, 720) 300 67108864 {}",
                routers("", "", limits)
            ),
        ),
        (
            "telemetry listen port 1 address ::",
            format!("None Some([::]:1) false 3600 (30, 720) 300 67108864 {}", routers("", "", limits)),
        ),
        (
            "bmp : statistics-timer 60 : connect-retry-timer 1 30 : stall-timer 5 : log-retention 1",
            format!("None None true 60 (1, 30) 5 1048576 {}", routers("", "", limits)),
        ),
        (
            "bmp : connect-retry-timer 10",
            format!("None None true 3600 (10, 720) 300 67108864 {}", routers("", "", limits)),
        ),
        (
            "bmp : connect-retry-timer 1000",
            format!("None None true 3600 (1000, 1000) 300 67108864 {}", routers("", "", limits)),
        ),
        (
            "vpn-instance r device v : bmp : monitored-router listen port 1 : \
             monitored-router listen port 2 address 127.0.0.1 vpn-instance r : \
             monitored-router permit 10.0.0.0/8 : monitored-router permit 2001:db8::/32",
            format!(
                "None None true 3600 (30, 720) 300 67108864 {}",
                routers(
                    "([::]:1, Public), (127.0.0.1:2, Device(\"v\"))",
                    "(10.0.0.0, 8), (2001:db8::, 32)",
                    limits
                )
            ),
        ),
        (
            "bmp : monitored-router limit routers 2 : monitored-router limit peers 3 : \
             monitored-router limit paths 4 : monitored-router limit message-size 65536",
            format!("None None true 3600 (30, 720) 300 67108864 {}", routers("", "", [2, 3, 4, 65536])),
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

/// What `include-default` shows is what holds.
#[test]
fn the_table_has_the_same_defaults() {
    let bmp = TABLE.iter().filter(|row| row.views == [View::Bmp]);
    let defaults = bmp.filter_map(|row| match row.act {
        Act::Set(set) => set.default,
        Act::Do | Act::Show => None,
    });
    let defaults: Vec<_> = defaults.collect();
    assert!(defaults.len() >= 8, "{defaults:?}");
    for line in defaults {
        assert_eq!(meaning(&format!("bmp\n{line}")), meaning("bmp"), "{line}");
    }
}

fn chain(lines: &str) -> Arc<Keychain> {
    let text =
        format!("{lines} : bmp : bmp-session ::1 : tcp connect port 1 keychain k").replace(" : ", "\n");
    let meaning = meaning(&text);
    let session = meaning.sessions.values().next().expect("one session");
    let Auth::Keychain(chain) = &session.auth else { panic!("{session:?}") };
    Arc::clone(chain)
}

#[test]
fn keychains() {
    let key = "key-string s : algorithm hmac-sha1-12";
    for (lines, expected) in [
        ("default send-key-id", "k lmt Some(0) Some(5) | 5 5 5"),
        (
            "default send-key-id : quit : time mode utc : receive-tolerance 10",
            "k utc Some(10) Some(5) | 5 5 5",
        ),
        ("default send-key-id : quit : receive-tolerance infinite", "k lmt None Some(5) | 5 5 5"),
        (
            "default send-key-id : quit : quit : tcp ao a : binding keychain k : key-id 5 : send-id 200 receive-id 201",
            "k lmt Some(0) Some(5) | 5 200 201",
        ),
        (
            "default send-key-id : quit : quit : tcp ao a : key-id 5 : send-id 200 receive-id 201",
            "k lmt Some(0) Some(5) | 5 5 5",
        ),
    ] {
        let chain = chain(&format!("keychain K mode absolute : key-id 5 : {key} : {lines}"));
        let keys: Vec<_> =
            chain.keys.iter().map(|key| format!("{} {} {}", key.id, key.send_id, key.receive_id)).collect();
        let mode = if chain.utc { "utc" } else { "lmt" };
        let (name, tolerance) = (&chain.name, chain.tolerance_minutes);
        let shown = format!("{name} {mode} {tolerance:?} {:?} | {}", chain.default_send, keys.join(", "));
        assert_eq!(shown, expected, "{lines}");
    }
}

#[test]
fn windows() {
    let absolute = |from: &str, to: Option<&str>| {
        let civil = |text: &str| text.parse().expect("a civil time");
        Window::Absolute(civil(from), to.map(civil))
    };
    let (once, later) = ("2026-01-01T08:30", "2026-01-02T00:00");
    for (mode, form, expected) in [
        ("absolute", "08:30 2026-01-01 duration infinite", absolute(once, None)),
        ("absolute", "8:30 2026-1-1 duration 930", absolute(once, Some(later))),
        ("absolute", "08:30 2026-01-01 to 00:00 2026-01-02", absolute(once, Some(later))),
        (
            "absolute",
            "00:00 2028-02-29 to 08:30 2028-02-29",
            absolute("2028-02-29T00:00", Some("2028-02-29T08:30")),
        ),
        ("periodic daily", "daily 08:30 to 23:59", Window::Daily(510, 1439)),
        ("periodic weekly", "day mon", Window::Weekly(0b000_0001)),
        ("periodic weekly", "day mon wed sun", Window::Weekly(0b100_0101)),
        ("periodic weekly", "day tue to fri", Window::Weekly(0b001_1110)),
        ("periodic monthly", "date 1", Window::Monthly(1 << 1)),
        ("periodic monthly", "date 1 15 31", Window::Monthly(1 << 1 | 1 << 15 | 1 << 31)),
        ("periodic monthly", "date 29 to 31", Window::Monthly(1 << 29 | 1 << 30 | 1 << 31)),
        ("periodic yearly", "month jan", Window::Yearly(1 << 1)),
        ("periodic yearly", "month jan dec", Window::Yearly(1 << 1 | 1 << 12)),
        ("periodic yearly", "month oct to dec", Window::Yearly(1 << 10 | 1 << 11 | 1 << 12)),
    ] {
        let lines = format!(
            "keychain k mode {mode} : key-id 1 : key-string s : algorithm hmac-sha1-12 : send-time {form} : \
             receive-time {form}"
        );
        let chain = chain(&lines);
        let [key] = &chain.keys[..] else { panic!("{chain:?}") };
        assert_eq!((key.send.as_ref(), key.receive.as_ref()), (Some(&expected), Some(&expected)), "{form}");
    }
}
