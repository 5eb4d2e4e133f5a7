use super::*;

/// What is kept of a word, as it prints; `-` if it is refused. `'…'` stands for a quoted word.
fn read(kind: &str, typed: &str) -> String {
    let bare = typed.strip_prefix('\'').and_then(|typed| typed.strip_suffix('\''));
    match Value::read(kind, bare.unwrap_or(typed), bare.is_some()) {
        Some(Value::Clear(clear)) => format!("clear {}", clear.reveal()),
        Some(value) => value.to_string(),
        None => "-".to_owned(),
    }
}

#[test]
fn readers() {
    let long = "a".repeat(31);
    let longer = "a".repeat(32);
    let rows = [
        ("port", "1", "1"),
        ("port", "65535", "65535"),
        ("port", "0", "-"),
        ("port", "65536", "-"),
        ("port", "70000", "-"),
        ("port", "+5", "-"),
        ("port", "-5", "-"),
        ("port", "5e1", "-"),
        ("port", "", "-"),
        ("port", "'5'", "-"),
        ("port", "99999999999999999999999", "-"),
        ("statistics", "14", "-"),
        ("statistics", "15", "15"),
        ("dscp", "0", "0"),
        ("dscp", "64", "-"),
        ("vrf", "red", "red"),
        ("vrf", "'my vpn'", "\"my vpn\""),
        ("vrf", "'red'", "red"),
        ("vrf", "_public_", "-"),
        ("vrf", "'_public_'", "-"),
        ("vrf", "_Public_", "_Public_"),
        ("vrf", "what?", "-"),
        ("vrf", "a\"b", "-"),
        ("vrf", "''", "-"),
        ("vrf", "'a\tb'", "-"),
        ("vrf", &long, &long),
        ("vrf", &longer, "-"),
        ("vrf", "ééééééééééééééééééééééééééééééé", "ééééééééééééééééééééééééééééééé"),
        ("kcname", "KC1", "kc1"),
        ("kcname", "'Key Chain'", "\"key chain\""),
        ("policy", "'a b'", "-"),
        ("label", "1st", "-"),
        ("label", "-", "-"),
        ("label", "first", "first"),
        ("rd", "1:", "-"),
        ("rd", "1:1", "1:1"),
        ("ip", "10.1.1.1", "10.1.1.1"),
        ("ip", "010.1.1.1", "-"),
        ("ip", "10.1.1.999", "-"),
        ("ip", "10.1.1", "-"),
        ("ip", "10.1.1.1.1", "-"),
        ("ip", "0x0a.1.1.1", "-"),
        ("ip", "'10.1.1.1'", "-"),
        ("ip", "2001:db8:1::1", "2001:DB8:1::1"),
        ("ip", "2001:0DB8:0:0:1:0:0:1", "2001:DB8::1:0:0:1"),
        ("ip", "::", "::"),
        ("ip", "::1", "::1"),
        ("ip", "fe80::1", "FE80::1"),
        ("ip", "fe80::1%eth0", "-"),
        ("ip", "::ffff:10.1.1.1", "-"),
        ("ip", "::ffff:a01:101", "-"),
        ("ip", "64:ff9b::10.1.1.1", "64:FF9B::A01:101"),
        ("ip", "1::2::3", "-"),
        ("ip", "'::1'", "-"),
        ("ipv4", "::1", "-"),
        ("ipv6", "10.1.1.1", "-"),
        ("prefix", "10.1.2.3/8", "10.0.0.0/8"),
        ("prefix", "0.0.0.0/0", "0.0.0.0/0"),
        ("prefix", "10.1.2.3/32", "10.1.2.3/32"),
        ("prefix", "10.1.2.3/33", "-"),
        ("prefix", "10.1.2.3", "-"),
        ("prefix", "2001:db8::1/32", "2001:DB8::/32"),
        ("prefix", "::/0", "::/0"),
        ("prefix", "::1/128", "::1/128"),
        ("prefix", "::1/129", "-"),
        ("prefix", "'10.0.0.0/8'", "-"),
        ("ifname", "eth0", "eth0"),
        ("ifname", "lo", "lo"),
        ("ifname", "GigabitEthernet0/0/1.5", "GigabitEthernet0/0/1.5"),
        ("ifname", "eth0@if3", "eth0@if3"),
        ("ifname", "0eth", "-"),
        ("ifname", "10.1.1.1", "-"),
        ("ifname", "fe80::1", "-"),
        ("iftype", "LoopBack", "LoopBack"),
        ("iftype", "eth0/1", "-"),
        ("ifnum", "0", "0"),
        ("ifnum", "0/0/1.100", "0/0/1.100"),
        ("ifnum", "1/0/0:1", "1/0/0:1"),
        ("ifnum", "10.1.1.1", "-"),
        ("ifnum", "10.1.1.999", "-"),
        ("ifnum", "1::2", "-"),
        ("ifnum", "1:2:3:4:5:6:7:8", "-"),
        ("ifnum", "a1", "-"),
        ("ifnum", "'0'", "-"),
        ("device", "vrf-red", "vrf-red"),
        ("device", "..", "-"),
        ("device", "a/b", "-"),
        ("device", "aaaaaaaaaaaaaaaa", "-"),
        ("time", "08:05", "08:05"),
        ("time", "8:5", "08:05"),
        ("time", "24:00", "-"),
        ("time", "23:60", "-"),
        ("time", "2359", "-"),
        ("date", "2018-10-1", "2018-10-01"),
        ("date", "2018-10-01", "2018-10-01"),
        ("date", "2018-02-29", "-"),
        ("date", "2020-02-29", "2020-02-29"),
        ("date", "2000-02-29", "2000-02-29"),
        ("date", "1969-12-31", "-"),
        ("date", "2051-01-01", "-"),
        ("date", "2018-13-01", "-"),
        ("date", "2018-04-31", "-"),
        ("date", "2018-10-1-1", "-"),
        ("pwd", "secret", "clear secret"),
        ("pwd", "'two words'", "clear two words"),
        ("pwd", "a\"b", "clear a\"b"),
        ("pwd", "what?", "-"),
        ("pwd", "''", "-"),
        ("pwd", "%^%#", "clear %^%#"),
        ("pwd", "%^%#notours%^%#", "-"),
        ("text80", "to the end", "to the end"),
        ("text80", "\"as it is\"", "\"as it is\""),
        ("text80", "", "-"),
        ("no-such-kind", "x", "-"),
    ];
    for (kind, typed, answer) in rows {
        assert_eq!(read(kind, typed), answer, "{kind} {typed:?}");
    }
    assert!(Value::read("pwd", &"a".repeat(255), false).is_some());
    assert!(Value::read("pwd", &"a".repeat(256), false).is_none());
    assert!(Value::read("text60", &"é".repeat(60), false).is_some());
    assert!(Value::read("text60", &"é".repeat(61), false).is_none());
}

#[test]
fn secrets_in_clear_are_not_shown() {
    let value = Value::read("pwd", "hunter2", false).expect("a password");
    assert!(!format!("{value} {value:?}").contains("hunter2"));
}

#[test]
fn kinds_are_told_apart_by_their_names() {
    for (n, kind) in KINDS.iter().enumerate() {
        assert!(KINDS[..n].iter().all(|other| other.name != kind.name), "{} stands there twice", kind.name);
        assert!(!kind.shown.is_empty() && !kind.help.is_empty(), "{}", kind.name);
    }
}

/// What a range says is what is taken: its ends are, what lies beyond is not.
#[test]
fn ranges_are_as_shown() {
    for kind in KINDS {
        let Some(range) = kind.shown.strip_prefix("INTEGER<").and_then(|range| range.strip_suffix('>'))
        else {
            continue;
        };
        let (least, most) = range.split_once('-').expect("two ends");
        let (least, most): (u64, u64) = (least.parse().expect("a number"), most.parse().expect("a number"));
        let taken = |number: u64| (kind.read)(&number.to_string(), false).is_some();
        assert!(taken(least) && taken(most), "{}", kind.name);
        assert!(!taken(most + 1) && (least == 0 || !taken(least - 1)), "{}", kind.name);
    }
}
