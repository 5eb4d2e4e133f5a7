//! BMP messages by hand, for what the reference messages lack: all flags and peer types, all reasons,
//! all statistics, and what routers do that no standard says.

use wire::bgp::{Dialect, View};
use wire::bmp::{Kind, Message, PeerFlags, PeerHeader, PeerKind};

use crate::facts::{frame, rows, written};
use crate::hand::{ATTRIBUTES, bmp, hex, open, pdu, peer, update};

/// Kind and flags of a peer: view, address family, width of AS numbers.
#[test]
fn peer_flags() {
    const ROWS: [(u8, u8, &str); 22] = [
        (0, 0x00, "adj-rib-in-pre v4 as4"),
        (0, 0x80, "adj-rib-in-pre v6 as4"),
        (0, 0x40, "adj-rib-in-post v4 as4"),
        (0, 0xc0, "adj-rib-in-post v6 as4"),
        (0, 0x20, "adj-rib-in-pre v4 as2"),
        (0, 0xa0, "adj-rib-in-pre v6 as2"),
        (0, 0x60, "adj-rib-in-post v4 as2"),
        (0, 0x10, "adj-rib-out-pre v4 as4"),
        (0, 0x50, "adj-rib-out-post v4 as4"),
        (0, 0xd0, "adj-rib-out-post v6 as4"),
        (0, 0xf0, "adj-rib-out-post v6 as2"),
        (0, 0x0f, "adj-rib-in-pre v4 as4"),
        (1, 0x00, "adj-rib-in-pre v4 as4"),
        (1, 0x90, "adj-rib-out-pre v6 as4"),
        (2, 0x40, "adj-rib-in-post v4 as4"),
        (2, 0x30, "adj-rib-out-pre v4 as2"),
        (3, 0x00, "loc-rib v4 as4"),
        (3, 0x80, "loc-rib v4 as4"), // F, not V
        (3, 0xff, "loc-rib v4 as4"),
        (200, 0x00, "- v4 as4"),
        (200, 0x40, "- v4 as4"),
        (200, 0xa0, "- v6 as2"),
    ];
    let said = |kind, flags| {
        let header = PeerHeader { kind: PeerKind(kind), flags: PeerFlags(flags), ..PeerHeader::default() };
        let (ipv6, as4) = (header.is_ipv6(), header.four_octet_as());
        assert_eq!(header.ip().is_ipv6(), ipv6);
        let view = header.view().map_or("-", View::name);
        format!("{view} v{} as{}", if ipv6 { 6 } else { 4 }, if as4 { 4 } else { 2 })
    };
    for (kind, flags, want) in ROWS {
        assert_eq!(said(kind, flags), want, "kind {kind} flags {flags:#04x}");
    }
    // And all of them, by counting.
    for (kind, flags) in (0..=255).flat_map(|kind| (0..=255).map(move |flags| (kind, flags))) {
        let view = match (kind, flags >> 4 & 1, flags >> 6 & 1) {
            (3, ..) => "loc-rib",
            (4.., ..) => "-",
            (_, 0, 0) => "adj-rib-in-pre",
            (_, 0, _) => "adj-rib-in-post",
            (_, _, 0) => "adj-rib-out-pre",
            _ => "adj-rib-out-post",
        };
        let v = if kind != 3 && flags >= 128 { 6 } else { 4 };
        let a = if kind != 3 && flags >> 5 & 1 == 1 { 2 } else { 4 };
        assert_eq!(said(kind, flags), format!("{view} v{v} as{a}"), "kind {kind} flags {flags:#04x}");
    }
}

#[test]
fn peer_downs() {
    let down = |reason: u8, data: &str| bmp(2, &[&peer(0, 0), &[reason], &hex(data)]);
    let cease = |data: &str| {
        let notification = pdu(3, &hex(data));
        notification.iter().map(|octet| format!("{octet:02x}")).collect::<String>()
    };
    rows([
        ("reserved 0", down(0, "0102"), "peer-down | reason 0 0102"),
        (
            "1, with a word",
            down(1, &cease("06 02 05 6d61696e74")),
            "peer-down | local-notification cease/administrative-shutdown 056d61696e74 says \"maint\"",
        ),
        (
            "1, empty",
            down(1, ""),
            "peer-down | local-notification offset 49: BGP header wants 19 octets, 0 left",
        ),
        ("2", down(2, "000a"), "peer-down | local-no-notification event 10"),
        ("2, cut: no event", down(2, "00"), "peer-down | local-no-notification 00"),
        ("3, no word", down(3, &cease("04 00")), "peer-down | remote-notification hold-timer-expired/-"),
        (
            "3, not a NOTIFICATION",
            down(3, &cease("").replace("001303", "001304")),
            "peer-down | remote-notification offset 67: BGP type 4, expected 3",
        ),
        ("4", down(4, ""), "peer-down | remote-no-data"),
        ("5", down(5, ""), "peer-down | deconfigured"),
        ("6", down(6, "0003 0006 676c6f62616c"), "peer-down | loc-rib-ended [3=\"global\"]"),
        (
            "6, a TLV that lies",
            down(6, "0003 0007 676c6f62616c"),
            "peer-down | loc-rib-ended offset 53: TLV value wants 7 octets, 6 left",
        ),
        ("250", down(250, "dead"), "peer-down | reason 250 dead"),
    ]);
}

/// Types, lengths, names. Values are 1, and 2 in the family's place.
#[test]
fn statistics() {
    const FOUR: [u16; 10] = [0, 1, 2, 3, 4, 5, 6, 11, 12, 13];
    const EIGHT: [u16; 10] = [7, 8, 14, 15, 18, 20, 29, 31, 33, 39];
    const ELEVEN: [u16; 22] =
        [9, 10, 16, 17, 19, 21, 22, 23, 26, 27, 28, 30, 32, 34, 35, 36, 37, 38, 40, 41, 42, 43];
    for kind in (0..=50_u16).chain([65530, 65531, 65534, 65535]) {
        for len in 0..=16_u16 {
            let value =
                [vec![0; usize::from(len).saturating_sub(1)], vec![1; usize::from(len.min(1))]].concat();
            let stat = [&kind.to_be_bytes()[..], &len.to_be_bytes(), &value].concat();
            let octets = bmp(1, &[&peer(0, 0), &[0, 0, 0, 1], &stat]);
            let Ok(Message::Statistics(statistics)) = frame(&octets).message() else {
                panic!("{kind} {len}")
            };
            let stat = statistics.iter().next().expect("one");
            let want = match len {
                4 if FOUR.contains(&kind) => "Counter(1)".to_string(),
                8 if EIGHT.contains(&kind) => "Gauge(1)".to_string(),
                11 if ELEVEN.contains(&kind) => "FamilyGauge(afi-0-safi-0, 1)".to_string(),
                _ => format!("Other({value:?})"),
            };
            assert_eq!(format!("{:?}", stat.value()), want, "type {kind} length {len}");
            assert_eq!(stat.kind.name().is_some(), kind <= 43 && !matches!(kind, 24 | 25), "{kind}");
        }
    }
    let report = |count: &str, stats: &str| bmp(1, &[&peer(0, 0), &hex(count), &hex(stats)]);
    rows([
        ("none", report("00000000", ""), "statistics | 0:"),
        (
            "each shape",
            report(
                "00000004",
                "0002 0004 00000007  0007 0008 00000001 00000002  0009 000b 0002 80 00000000 00000003  fffb 0004 00000009",
            ),
            "statistics \
             | 4: duplicate-withdrawals 7, adj-rib-in =4294967298, adj-rib-in ipv6-vpn =3, 65531? 00000009",
        ),
        (
            "a type twice",
            report("00000002", "000a 000b 000101 0000000000000001  000a 000b 000201 0000000000000002"),
            "statistics | 2: loc-rib ipv4-unicast =1, loc-rib ipv6-unicast =2",
        ),
        ("wrong length", report("00000001", "0007 0004 00000001"), "statistics | 1: adj-rib-in? 00000001"),
        (
            "counts one more",
            report("00000002", "0000 0004 00000001"),
            "statistics | offset 48: statistics count 2, expected 1",
        ),
        (
            "counts one less",
            report("00000000", "0000 0004 00000001"),
            "statistics | offset 48: statistics count 0, expected 1",
        ),
        (
            "a value that runs over",
            report("00000001", "0000 0005 00000001"),
            "statistics | offset 56: TLV value wants 5 octets, 4 left",
        ),
    ]);
}

#[test]
fn mirrored() {
    let mirror = |tlvs: &str| bmp(6, &[&peer(0, 0), &hex(tlvs)]);
    let keepalive = "0000 0013 ffffffffffffffffffffffffffffffff 0013 04";
    rows([
        ("nothing", mirror(""), "route-mirroring"),
        ("a message", mirror(keepalive), "route-mirroring | message keepalive"),
        (
            "errored, then the message",
            mirror(&format!("0001 0002 0000 {keepalive}")),
            "route-mirroring | errored, message keepalive",
        ),
        (
            "the message first, then codes",
            mirror(&format!("{keepalive} 0001 0002 0001 0001 0002 0000")),
            "route-mirroring | message keepalive , lost, errored",
        ),
        (
            "two messages",
            mirror(&format!("{keepalive} {keepalive}")),
            "route-mirroring | message keepalive , message keepalive",
        ),
        ("a code unknown", mirror("0001 0002 0007"), "route-mirroring | other 1=0007"),
        ("a code of three octets", mirror("0001 0003 000001"), "route-mirroring | other 1=000001"),
        (
            "a TLV unknown between",
            mirror(&format!("0001 0002 0001 fffb 0003 010203 {keepalive}")),
            "route-mirroring | lost, other 65531=010203, message keepalive",
        ),
        ("no message in the message", mirror("0000 0000"), "route-mirroring | bytes  not whole"),
        ("half a message", mirror("0000 0004 ffffffff"), "route-mirroring | bytes ffffffff not whole"),
        (
            "no marker",
            mirror("0000 0004 ff00ffff"),
            "route-mirroring | bytes ff00ffff offset 1: BGP marker octet 0, expected 255",
        ),
        (
            "a TLV that runs over",
            mirror("0001 0003 0000"),
            "route-mirroring | offset 52: TLV value wants 3 octets, 2 left",
        ),
        (
            "a Loc-RIB",
            bmp(6, &[&peer(3, 0x80), &hex("0001 0002 0001")]),
            "route-mirroring of a loc-rib | lost",
        ),
    ]);
}

/// What carries no peer: unknown types keep their octets.
#[test]
fn without_a_peer() {
    rows([
        ("type 100, short", bmp(100, &[&hex("0102")]), "type 100 | 0102"),
        ("type 100, as long as a header", bmp(100, &[&[7; 50]]), &format!("type 100 | {}", "07".repeat(50))),
        ("type 255, empty", bmp(255, &[]), "type 255"),
        ("type 7", bmp(7, &[&hex("ff")]), "type 7 | ff"),
        ("an empty Initiation", bmp(4, &[]), "initiation | []"),
        (
            "any TLV",
            bmp(4, &[&hex("0000 0000  0002 0002 6869  fffe 0002 ff00")]),
            "initiation | [0= 2=\"hi\" 65534=ff00]",
        ),
        (
            "Termination without a reason",
            bmp(5, &[&hex("0000 0002 6869")]),
            "termination | no reason | [0=\"hi\"]",
        ),
        ("a reason of one octet", bmp(5, &[&hex("0001 0001 00")]), "termination | no reason | [1=00]"),
        ("a reason unknown", bmp(5, &[&hex("0001 0002 0009")]), "termination | no reason | [1=0009]"),
        ("closed for good", bmp(5, &[&hex("0001 0002 0004")]), "termination | permanently-closed | [1=0004]"),
    ]);
    for kind in 0..=255 {
        assert_eq!(Kind(kind).has_peer(), [0, 1, 2, 3, 6].contains(&kind), "{kind}");
        assert_eq!(Kind(kind).name().is_some(), kind < 7, "{kind}");
    }
}

/// Octets behind the PDU are no routes.
#[test]
fn behind_the_pdu() {
    let update = update(&[], &hex(ATTRIBUTES), &hex("18 cb0071"));
    let with = |trailing: &str| bmp(0, &[&peer(3, 0x80), &update, &hex(trailing)]);
    rows([
        (
            "a TLV",
            with("ea61 0004 0000000a"),
            "route-monitoring of a loc-rib \
             | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201 \
             | behind [60001=0000000a]",
        ),
        (
            "two",
            with("ea61 0006 00000004 000e  0001 0000"),
            "route-monitoring of a loc-rib \
             | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201 \
             | behind [60001=00000004000e 1=]",
        ),
        (
            "something else",
            with("18 cb0072"),
            "route-monitoring of a loc-rib \
             | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201 \
             | behind offset 103: TLV value wants 114 octets, 0 left",
        ),
        (
            "half a TLV",
            with("ea61 0004 00"),
            "route-monitoring of a loc-rib \
             | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201 \
             | behind offset 103: TLV value wants 4 octets, 1 left",
        ),
    ]);
    let octets = with("ea61 0004 0000000a");
    assert_eq!(written(&octets), octets);
}

const DUMMY: &str = "ffffffffffffffffffffffffffffffff 0013 01";

#[test]
fn peer_ups() {
    let up = |kind, flags, sent: &[u8], received: &[u8], tlvs: &str| {
        let fixed = hex("00000000 00000000 00000000 c00002fe 00b3 9c41");
        bmp(3, &[&peer(kind, flags), &fixed, sent, received, &hex(tlvs)])
    };
    let (dummy, plain) = (hex(DUMMY), open("00"));
    rows([
        (
            "dummies",
            up(0, 0, &dummy, &dummy, ""),
            "peer-up | 192.0.2.254 179>40001 | sent offset 19: OPEN version wants 1 octets, 0 left \
             | received offset 19: OPEN version wants 1 octets, 0 left | []",
        ),
        (
            "one dummy",
            up(0, 0, &plain, &dummy, "0000 0002 6869"),
            "peer-up | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received offset 19: OPEN version wants 1 octets, 0 left | [0=\"hi\"]",
        ),
        (
            "IPv6",
            up(0, 0x80, &plain, &plain, ""),
            "peer-up global adj-rib-in-pre 2001:db8::1 as 65001 id c6336401 at 1700000000.250000 \
             | ::c000:2fe 179>40001 | sent open [] ipv4-unicast | received open [] ipv4-unicast | []",
        ),
        (
            "a table",
            up(3, 0x80, &plain, &plain, "0003 0006 676c6f62616c"),
            "peer-up of a loc-rib | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received open [] ipv4-unicast | [3=\"global\"] | table \"global\"",
        ),
        (
            "a table in a string",
            up(3, 0, &plain, &plain, "0000 0006 696e65742e30"),
            "peer-up of a loc-rib | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received open [] ipv4-unicast | [0=\"inet.0\"] | table \"inet.0\"",
        ),
        (
            "a string that is none",
            up(0, 0, &plain, &plain, "0000 0006 696e65742e30"),
            "peer-up | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received open [] ipv4-unicast | [0=\"inet.0\"]",
        ),
        (
            "the table before the string",
            up(3, 0, &plain, &plain, "0000 0001 61 0003 0001 62"),
            "peer-up of a loc-rib | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received open [] ipv4-unicast | [0=\"a\" 3=\"b\"] | table \"b\"",
        ),
        (
            "TLVs that lie",
            up(3, 0, &plain, &plain, "0003 0007 676c6f62616c"),
            "peer-up of a loc-rib | 192.0.2.254 179>40001 | sent open [] ipv4-unicast \
             | received open [] ipv4-unicast | offset 130: TLV value wants 7 octets, 6 left",
        ),
        (
            "a KEEPALIVE for an OPEN",
            up(0, 0, &plain, &pdu(4, &[]), ""),
            "peer-up | 192.0.2.254 179>40001 | sent open [] ipv4-unicast | received keepalive  | []",
        ),
        (
            "one OPEN only",
            up(0, 0, &plain, &[], ""),
            "peer-up | offset 97: BGP header wants 19 octets, 0 left",
        ),
        ("no OPEN", up(0, 0, &[], &[], ""), "peer-up | offset 68: BGP header wants 19 octets, 0 left"),
        (
            "half the addresses",
            bmp(3, &[&peer(0, 0), &[0; 19]]),
            "peer-up | offset 48: Peer Up addresses wants 20 octets, 19 left",
        ),
    ]);
    let dialect = |octets: &[u8]| match frame(octets).message() {
        Ok(Message::PeerUp(up)) => up.dialect(),
        _ => panic!("no Peer Up"),
    };
    let none = Dialect { four_octet_as: true, ..Dialect::default() };
    assert_eq!(dialect(&up(0, 0, &dummy, &dummy, "")), none);
    assert_eq!(dialect(&up(0, 0, &plain, &dummy, "")), none);
    assert_eq!(dialect(&up(0, 0, &plain, &plain, "")), Dialect::default());
}
