//! Whole displays, against a golden file that `HELIOGRAPH_BLESS=1` rewrites; and their parts, as tables.

mod keychain;
pub(crate) mod sample;

use std::net::IpAddr;

use config::meaning::SessionKey;
use config::shell::Display;
use serde_json::{Value, json};

use super::clean;
use super::layout::{age, octets, quotient, socket, span};
use crate::picture::Picture;

const GOLDEN: &str = include_str!("displays.golden");
/// What stands in front of a display's name.
const HEAD: &str = "==== ";

fn key(instance: Option<&str>, address: &str, alias: Option<&str>) -> SessionKey {
    SessionKey {
        instance: instance.map(Into::into),
        address: address.parse().unwrap(),
        alias: alias.map(Into::into),
    }
}

fn peer(address: &str) -> Option<IpAddr> {
    Some(address.parse().unwrap())
}

/// Displays, by what an operator types.
fn displays() -> Vec<(&'static str, Display)> {
    let session = |instance, address, alias| Display::Session(key(instance, address, alias));
    let monitors =
        |family, instance: Option<&str>, peer| Display::Monitors(family, instance.map(Into::into), peer);
    vec![
        ("display bmp session", Display::Sessions(None)),
        ("display bmp session vpn-instance red", Display::Sessions(Some("red".into()))),
        ("display bmp session vpn-instance blue", Display::Sessions(Some("blue".into()))),
        ("display bmp session 192.0.2.10 verbose", session(None, "192.0.2.10", None)),
        ("display bmp session 192.0.2.10 alias b verbose", session(None, "192.0.2.10", Some("b"))),
        (
            "display bmp session vpn-instance red 2001:DB8:1:2:3:4:5:6 verbose",
            session(Some("red"), "2001:db8:1:2:3:4:5:6", None),
        ),
        ("display bgp bmp-monitor all", monitors(None, None, None)),
        ("display bgp bmp-monitor ipv4 203.0.113.1", monitors(Some((1, 1)), None, peer("203.0.113.1"))),
        ("display bgp bmp-monitor ipv4 203.0.113.9", monitors(Some((1, 1)), None, peer("203.0.113.9"))),
        ("display bgp bmp-monitor ipv4 0.0.0.0", monitors(Some((1, 1)), None, peer("0.0.0.0"))),
        ("display bgp bmp-monitor vpnv4 203.0.113.1", monitors(Some((1, 128)), None, peer("203.0.113.1"))),
        (
            "display bgp bmp-monitor vpnv6 vpn-instance red 2001:DB8::7",
            monitors(Some((2, 128)), Some("red"), peer("2001:db8::7")),
        ),
        ("display bmp monitored-router", Display::Routers(None, false)),
        ("display bmp monitored-router rr1", Display::Routers(Some("rr1".into()), false)),
        ("display bmp monitored-router verbose", Display::Routers(None, true)),
        ("display bmp peer", Display::Peers(None)),
        ("display bmp feed", Display::Feeds),
        ("display bmp memory", Display::Memory),
        ("display bmp latency", Display::Latency),
    ]
}

/// What is not there.
fn missing() -> Vec<(Display, &'static str)> {
    let router =
        "The monitored router rr\\u{7} is not known. Run display bmp monitored-router for those that are.";
    let session = "The BMP session does not exist.";
    vec![
        (Display::Session(key(None, "192.0.2.11", None)), session),
        (Display::Session(key(None, "192.0.2.10", Some("B"))), session),
        (Display::Session(key(Some("red"), "192.0.2.10", None)), session),
        (Display::Routers(Some("rr\u{7}".into()), true), router),
        (Display::Peers(Some("rr\u{7}".into())), router),
        (Display::Keychain("kc1".into(), None), "The keychain kc1 does not exist."),
    ]
}

#[test]
fn every_display() {
    let picture = sample::picture();
    let mut now = String::new();
    for (typed, display) in displays() {
        now += &format!("{HEAD}{typed}\n{}", super::text(&picture, &display).unwrap());
    }
    if std::env::var_os("HELIOGRAPH_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/show/tests/displays.golden");
        return std::fs::write(path, now).unwrap();
    }
    for (then, now) in GOLDEN.split(HEAD).zip(now.split(HEAD)) {
        assert_eq!(then, now, "\n{now}");
    }
    assert_eq!(GOLDEN.len(), now.len(), "more or fewer displays");
}

#[test]
fn no_display_has_what_a_terminal_obeys_nor_long_lines() {
    for picture in [sample::picture(), Picture::default()] {
        for (typed, display) in displays() {
            let Ok(text) = super::text(&picture, &display) else { continue };
            assert!(text.ends_with('\n'), "{typed}");
            for line in text.lines() {
                assert!(
                    !line.chars().any(|char| char.is_control() || char == '\u{202e}'),
                    "{typed}: {line:?}"
                );
                assert_eq!(line.trim_end(), line, "{typed}: {line:?}");
                // Only the last column, which may be a list, may run over.
                let before_last = line.rsplit_once(' ').map_or("", |(before, _)| before);
                assert!(before_last.chars().count() <= 120, "{typed}: {line}");
            }
        }
    }
}

#[test]
fn every_display_is_an_object_too() {
    let picture = sample::picture();
    for (typed, display) in displays() {
        let value = super::json(&picture, &display).unwrap();
        assert!(value.is_object(), "{typed}");
        let read: Value = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(read, value, "{typed}");
    }
}

#[test]
fn objects_are_exact() {
    // Of which display, where, and what is there.
    let session = Display::Session(key(None, "192.0.2.10", Some("b")));
    let monitors = Display::Monitors(Some((1, 128)), None, peer("203.0.113.1"));
    let rows: &[(Display, &str, Value)] = &[
        (Display::Sessions(None), "/total", json!(3)),
        (Display::Sessions(None), "/up", json!(1)),
        (Display::Sessions(Some("red".into())), "/total", json!(1)),
        (Display::Sessions(Some("red".into())), "/sessions/0/address", json!("2001:db8:1:2:3:4:5:6")),
        (session.clone(), "/connections/1/router", json!(sample::HOSTILE)),
        (session.clone(), "/connections/1/lag_us", json!(1_234_567)),
        (session.clone(), "/connections/0/octets", json!(1_288_490_188)),
        (session, "/connections/0/sent/statistics_report", json!(53)),
        (monitors.clone(), "/monitors/0/family", json!("ipv4-vpn")),
        (monitors.clone(), "/monitors/0/table", json!("in pre-policy")),
        (monitors.clone(), "/monitors/1/scope", json!("everything")),
        (monitors.clone(), "/monitors/1/family", Value::Null),
        (monitors, "/monitors/1/alias", json!("b")),
        (Display::Routers(Some("rr1".into()), false), "/total", json!(1)),
        (Display::Routers(None, false), "/up", json!(1)),
        (Display::Routers(None, false), "/routers/1/name", json!(sample::HOSTILE)),
        (Display::Routers(None, false), "/routers/0/peers/0/tables/1/paths", json!(942_000)),
        (Display::Peers(None), "/total", json!(3)),
        (Display::Peers(None), "/rows/0/view", json!("adj-rib-in-pre")),
        (Display::Peers(None), "/rows/0/paths", json!(1_122_138)),
        (Display::Peers(None), "/rows/1/view", json!("adj-rib-in-post")),
        (Display::Peers(None), "/rows/2/view", Value::Null),
        (Display::Peers(None), "/rows/3/instance", json!("global\r")),
        (Display::Feeds, "/feeds/1/number", json!(1)),
        (Display::Memory, "/octets_a_path", json!(15.26)),
        (Display::Memory, "/connections_octets", json!(55_296)),
        (Display::Latency, "/queue_to_log/p999_us", json!(24_000)),
        (Display::Latency, "/queue_to_log/buckets/1", json!([1000, 980_000])),
    ];
    let picture = sample::picture();
    for (display, pointer, want) in rows {
        let value = super::json(&picture, display).unwrap();
        assert_eq!(value.pointer(pointer), Some(want), "{display:?} {pointer}");
    }
}

#[test]
fn what_is_not_there() {
    let picture = sample::picture();
    for (display, want) in missing() {
        assert_eq!(super::text(&picture, &display), Err(want.to_owned()), "{display:?}");
        assert_eq!(super::json(&picture, &display), Err(want.to_owned()), "{display:?}");
    }
}

#[test]
fn times() {
    let second = 1_000_000;
    // Microseconds, as an age, as a short time.
    let rows: &[(u64, &str, &str)] = &[
        (0, "00s", "0s"),
        (1, "00s", "1us"),
        (999, "00s", "999us"),
        (1000, "00s", "1.00ms"),
        (12_345, "00s", "12.3ms"),
        (999_999, "00s", "999ms"),
        (second, "01s", "1.00s"),
        (4_519_999, "04s", "4.51s"),
        (57 * second, "57s", "57.0s"),
        (60 * second - 1, "59s", "59.9s"),
        (60 * second, "01m00s", "01m00s"),
        (3599 * second, "59m59s", "59m59s"),
        (3600 * second, "01h00m00s", "01h00m00s"),
        (16_794 * second, "04h39m54s", "04h39m54s"),
        (44_312 * second, "12h18m32s", "12h18m32s"),
        (86_399 * second, "23h59m59s", "23h59m59s"),
        (86_400 * second, "1d00h", "1d00h"),
        (26 * 3600 * second, "1d02h", "1d02h"),
        (1000 * 86_400 * second, "1000d00h", "1000d00h"),
        (u64::MAX, "213503982d08h", "213503982d08h"),
    ];
    for &(micros, want_age, want_span) in rows {
        assert_eq!((age(micros).as_str(), span(micros).as_str()), (want_age, want_span), "{micros}");
    }
}

#[test]
fn sizes() {
    let rows: &[(u64, &str)] = &[
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1535, "1.49 KiB"),
        (10_240, "10.0 KiB"),
        (102_400, "100 KiB"),
        (1_048_575, "1023 KiB"),
        (1_048_576, "1.00 MiB"),
        (64 << 20, "64.0 MiB"),
        (3 << 30, "3.00 GiB"),
        (5 << 40, "5.00 TiB"),
        (7 << 50, "7.00 PiB"),
        (u64::MAX, "15.9 EiB"),
    ];
    for &(count, want) in rows {
        assert_eq!(octets(count), want, "{count}");
    }
    for (count, parts, want) in
        [(0, 0, "-"), (5, 0, "-"), (0, 5, "0.00"), (22, 7, "3.14"), (u64::MAX, 1, "18446744073709551615.00")]
    {
        assert_eq!(quotient(count, parts), want, "{count} / {parts}");
    }
}

#[test]
fn sockets() {
    for (text, want) in
        [("192.0.2.1:5000", "192.0.2.1:5000"), ("[2001:db8:0:0:1::a]:179", "[2001:DB8::1:0:0:A]:179")]
    {
        assert_eq!(socket(text.parse().ok()), want);
    }
    assert_eq!(socket(None), "-");
}

#[test]
fn texts_from_outside() {
    let rows: &[(usize, &str, &str)] = &[
        (9, "", ""),
        (9, "rr1 ü 路由", "rr1 ü 路由"),
        (9, "it's \"x\"", "it's \"x\""),
        (9, "a\\n", "a\\\\n"),
        (9, "a\n\t\r\0", "a\\n\\t\\r\\0"),
        (9, "\u{1b}[2J\u{9b}", "\\u{1b}[2J\\u{9b}"),
        (9, "\u{202e}\u{2028}\u{feff}", "\\u{202e}\\u{2028}\\u{feff}"),
        (3, "abc", "abc"),
        (3, "abcd", "abc…"),
        (1, "\n\n", "\\n…"),
        (0, "x", "…"),
    ];
    for (max, text, want) in rows {
        assert_eq!(clean(*max, text), *want, "{max} {text:?}");
    }
}

#[test]
fn who_monitors_a_peer() {
    use crate::picture::{Monitor, Session};

    type Row = (&'static str, Option<&'static str>, Option<&'static str>, [bool; 4]);
    // A scope with its peer and VPN instance; whether it lets these through: 203.0.113.1 outside of VPNs, which
    // rr1 has; 203.0.113.9 likewise, which nobody has; 2001:db8::7 of VPN red; and of VPN blue.
    let rows: &[Row] = &[
        ("everything", None, None, [true, true, true, true]),
        ("public", None, None, [true, true, false, false]),
        ("all-vpn-instance", None, None, [false, false, true, true]),
        ("peer 203.0.113.1", Some("203.0.113.1"), None, [true, false, false, false]),
        ("vpn-instance red", None, Some("red"), [false, false, true, false]),
        ("vpn-instance red peer 2001:DB8::7", Some("2001:db8::7"), Some("red"), [false, false, true, false]),
        ("vpn-instance red peer 2001:DB8::8", Some("2001:db8::8"), Some("red"), [false, false, false, false]),
        ("router rr1", None, None, [true, false, true, true]),
        ("router rr2", None, None, [false, false, false, false]),
    ];
    let asked = [
        Display::Monitors(Some((1, 1)), None, peer("203.0.113.1")),
        Display::Monitors(Some((1, 1)), None, peer("203.0.113.9")),
        Display::Monitors(Some((2, 128)), Some("red".into()), peer("2001:db8::7")),
        Display::Monitors(Some((2, 128)), Some("blue".into()), peer("2001:db8::7")),
    ];
    for (scope, of, instance, want) in rows {
        let monitor = Monitor {
            scope: (*scope).to_owned(),
            peer: of.map(|of| of.parse().unwrap()),
            vpn_instance: instance.map(str::to_owned),
            tables: Vec::new(),
        };
        let session = Session { monitors: vec![monitor], ..Session::default() };
        let picture = Picture { sessions: vec![session], ..sample::picture() };
        let got = asked.each_ref().map(|display| {
            super::json(&picture, display).unwrap()["monitors"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty())
        });
        assert_eq!(got, *want, "{scope}");
    }
}
