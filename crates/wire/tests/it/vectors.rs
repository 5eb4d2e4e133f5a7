//! Messages and what they say: first the 25 reference messages, which are read, written again and
//! found the same, then messages by hand for what those lack.

use wire::bgp::{Dialect, NextHop, Notification, Open, Pdu, Update, View, write_open};
use wire::bmp::{self, Frame, Kind, Message, PeerFlags, PeerHeader, PeerKind};
use wire::{Family, FamilySet};

use crate::facts::{
    facts, facts_in, frame, into_a5, opened_again, packed_again, pdu_said, update_said, written,
};
use crate::hand::{
    ATTRIBUTES, attribute, bmp, hex, mp_reach, mp_unreach, open, pdu, peer, route_monitoring, update,
};

/// The reference messages of our wire notes: name, octets, what they say.
pub(crate) const VECTORS: [(&str, &str, &str); 25] = [
    (
        "01-initiation",
        "03 00000037 04 \
         0001000e48656c696f677261706820302e310002000768656c696f2d3100000010696e7374616e63653d6465 \
         6661756c74",
        "initiation | [1=\"Heliograph 0.1\" 2=\"helio-1\" 0=\"instance=default\"]",
    ),
    (
        "02-peer-up-ipv4-global",
        "03 000000b6 03 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         000000000000000000000000c00002fe00b39c41 \
         ffffffffffffffffffffffffffffffff 0033 01 \
         045ba000b4cb00710916021401040001000101040002000102004104fa56ea01 \
         ffffffffffffffffffffffffffffffff 0033 01 \
         04fde9005ac6336401160214010400010001010400020001020041040000fde90000000875706c696e6b2041",
        "peer-up | 192.0.2.254 179>40001 \
         | sent open 4 as 4200000001(23456) hold 180 id 203.0.113.9 [1=00010001 1=00020001 2= 65=fa56ea01] ipv4-unicast ipv6-unicast \
         | received open 4 as 65001(65001) hold 90 id 198.51.100.1 [1=00010001 1=00020001 2= 65=0000fde9] ipv4-unicast ipv6-unicast \
         | [0=\"uplink A\"]",
    ),
    (
        "03-rm-ipv4-announce-prepolicy",
        "03 00000066 00 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0036 02 \
         000000184001010040020a02020000fde9fa56ea00400304c000020118cb00710fc612",
        "route-monitoring | +ipv4-unicast 18cb0071 0fc612, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "04-rm-ipv4-announce-postpolicy-L",
        "03 00000063 00 0040 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0033 02 \
         000000184001010040020a02020000fde9fa56ea00400304c000020118cb0071",
        "route-monitoring global adj-rib-in-post 192.0.2.1 as 65001 id c6336401 at 1700000000.250000 \
         | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "05-rm-ipv4-withdraw",
        "03 0000004b 00 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 001b 02 \
         000418cb00710000",
        "route-monitoring | -ipv4-unicast 18cb0071",
    ),
    (
        "06-rm-2octet-aspath-A",
        "03 0000005f 00 0020 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 002f 02 \
         00000014400101004002060202fde95ba0400304c000020118cb0071",
        "route-monitoring | +ipv4-unicast 18cb0071, path 2[65001, 23456], via c0000201",
    ),
    (
        "07-rm-ipv6-announce-V",
        "03 00000075 00 0080 0000000000000000 \
         20010db8000000000000000000000001 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0045 02 \
         0000002e800e1a0002011020010db8000000000000000000000001002020010db84001010040020a02020000 \
         fde9fa56ea00",
        "route-monitoring global adj-rib-in-pre 2001:db8::1 as 65001 id c6336401 at 1700000000.250000 \
         | +mp:ipv6-unicast 2020010db8, path 2[65001, 4200000000], via 2001:db8::1",
    ),
    (
        "08-rm-eor-ipv4-unicast",
        "03 00000047 00 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0017 02 \
         00000000",
        "route-monitoring | end-of-rib ipv4-unicast",
    ),
    (
        "09-rm-eor-ipv6-unicast",
        "03 0000004d 00 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 001d 02 \
         00000006800f03000201",
        "route-monitoring | end-of-rib ipv6-unicast, -mp:ipv6-unicast",
    ),
    (
        "10-rm-eor-ipv6-unicast-extlen",
        "03 0000004e 00 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 001e 02 \
         00000007900f0003000201",
        "route-monitoring | end-of-rib ipv6-unicast, -mp:ipv6-unicast",
    ),
    (
        "11-rm-adj-rib-out-postpolicy-LO",
        "03 00000063 00 0050 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0033 02 \
         000000184001010040020a02020000fde9fa56ea00400304c000020118cb0071",
        "route-monitoring global adj-rib-out-post 192.0.2.1 as 65001 id c6336401 at 1700000000.250000 \
         | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "12-peer-up-loc-rib",
        "03 000000a4 03 0300 0000000000000000 \
         00000000000000000000000000000000 fa56ea01 cb007109 00000000 00000000 \
         0000000000000000000000000000000000000000 \
         ffffffffffffffffffffffffffffffff 002b 01 \
         045ba000b4cb0071090e020c4104fa56ea01010400010001 \
         ffffffffffffffffffffffffffffffff 002b 01 \
         045ba000b4cb0071090e020c4104fa56ea0101040001000100030006676c6f62616c",
        "peer-up loc-rib loc-rib 0.0.0.0 as 4200000001 id cb007109 at 0.000000 | 0.0.0.0 0>0 \
         | sent open 4 as 4200000001(23456) hold 180 id 203.0.113.9 [65=fa56ea01 1=00010001] ipv4-unicast \
         | received open 4 as 4200000001(23456) hold 180 id 203.0.113.9 [65=fa56ea01 1=00010001] ipv4-unicast \
         | [3=\"global\"] | table \"global\"",
    ),
    (
        "13-rm-loc-rib",
        "03 00000063 00 0300 0000000000000000 \
         00000000000000000000000000000000 fa56ea01 cb007109 6553f100 0003d090 \
         ffffffffffffffffffffffffffffffff 0033 02 \
         000000184001010040020a02020000fde9fa56ea00400304c000020118cb0071",
        "route-monitoring loc-rib loc-rib 0.0.0.0 as 4200000001 id cb007109 at 1700000000.250000 \
         | +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "14-peer-down-reason1-local-notification",
        "03 0000004c 02 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         01 \
         ffffffffffffffffffffffffffffffff 001b 03 \
         0602056d61696e74",
        "peer-down | local-notification cease/administrative-shutdown 056d61696e74 says \"maint\"",
    ),
    (
        "15-peer-down-reason2-fsm-event",
        "03 00000033 02 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         02000a",
        "peer-down | local-no-notification event 10",
    ),
    (
        "16-peer-down-reason3-remote-notification",
        "03 0000004c 02 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         03 \
         ffffffffffffffffffffffffffffffff 001b 03 \
         0602056d61696e74",
        "peer-down | remote-notification cease/administrative-shutdown 056d61696e74 says \"maint\"",
    ),
    (
        "17-peer-down-reason4-no-data",
        "03 00000031 02 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         04",
        "peer-down | remote-no-data",
    ),
    (
        "18-peer-down-reason5-deconfigured",
        "03 00000031 02 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         05",
        "peer-down | deconfigured",
    ),
    (
        "19-peer-down-reason6-loc-rib-tlv",
        "03 0000003b 02 0300 0000000000000000 \
         00000000000000000000000000000000 fa56ea01 cb007109 00000000 00000000 \
         0600030006676c6f62616c",
        "peer-down loc-rib loc-rib 0.0.0.0 as 4200000001 id cb007109 at 0.000000 \
         | loc-rib-ended [3=\"global\"]",
    ),
    (
        "20-stats-report",
        "03 00000066 01 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         0000000400000004000000070007000800000000000f42400009000b00010100000000000f3e580009000b00 \
         020100000000000003e8",
        "statistics \
         | 4: rejected-prefixes 7, adj-rib-in =1000000, adj-rib-in ipv4-unicast =999000, adj-rib-in ipv6-unicast =1000",
    ),
    (
        "21-mirror-bgp-message",
        "03 00000067 06 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         00000033 \
         ffffffffffffffffffffffffffffffff 0033 02 \
         000000184001010040020a02020000fde9fa56ea00400304c000020118cb0071",
        "route-mirroring | message +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "22-mirror-errored-pdu",
        "03 0000006d 06 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         00010002000000000033 \
         ffffffffffffffffffffffffffffffff 0033 02 \
         000000184001010940020a02020000fde9fa56ea00400304c000020118cb0071",
        "route-mirroring \
         | errored, message +ipv4-unicast 18cb0071, path 2[65001, 4200000000], via c0000201",
    ),
    (
        "23-mirror-messages-lost",
        "03 00000036 06 0000 0000000000000000 \
         000000000000000000000000c0000201 0000fde9 c6336401 6553f100 0003d090 \
         000100020001",
        "route-mirroring | lost",
    ),
    (
        "24-termination-admin-closed",
        "03 00000021 05 \
         00010002000000000011726573657420626d702073657373696f6e",
        "termination | administratively-closed | [1=0000 0=\"reset bmp session\"]",
    ),
    (
        "25-rd-instance-peer-up",
        "03 000000aa 03 0100 0000fbf30000000b \
         0000000000000000000000000a000002 0000fde9 c6336401 6553f100 0003d090 \
         0000000000000000000000000a00000100b39c42 \
         ffffffffffffffffffffffffffffffff 0033 01 \
         045ba000b4cb00710916021401040001000101040002000102004104fa56ea01 \
         ffffffffffffffffffffffffffffffff 0033 01 \
         04fde9005ac6336401160214010400010001010400020001020041040000fde9",
        "peer-up rd adj-rib-in-pre 0000fbf30000000b:10.0.0.2 as 65001 id c6336401 at 1700000000.250000 \
         | 10.0.0.1 179>40002 \
         | sent open 4 as 4200000001(23456) hold 180 id 203.0.113.9 [1=00010001 1=00020001 2= 65=fa56ea01] ipv4-unicast ipv6-unicast \
         | received open 4 as 65001(65001) hold 90 id 198.51.100.1 [1=00010001 1=00020001 2= 65=0000fde9] ipv4-unicast ipv6-unicast \
         | []",
    ),
];

#[test]
fn reference_messages_say_what_they_should() {
    rows(VECTORS.map(|(name, octets, said)| (name, hex(octets), said)));
}

#[test]
fn reference_messages_are_written_again() {
    for (name, octets, _) in VECTORS {
        let octets = hex(octets);
        assert_eq!(written(&octets), octets, "{name}");
    }
}

/// UPDATEs made anew say the same; these are the very same octets, the rest has short lengths where
/// ours are extended, or the other way.
#[test]
fn updates_are_packed_again() {
    let mut same = Vec::new();
    for (name, octets, _) in VECTORS {
        let octets = hex(octets);
        let Some(monitoring) = frame(&octets).route_monitoring().expect("a body") else { continue };
        let update = monitoring.update().expect("an UPDATE");
        let again = packed_again(&update, &Dialect::default(), View::AdjRibInPre);
        let whole = into_a5(|out| {
            bmp::route_monitoring_with(out, monitoring.peer, |out| {
                out[..again.len()].copy_from_slice(&again);
                Ok(again.len())
            })
        });
        assert_eq!(facts(&whole), facts(&octets), "{name}");
        if whole == octets {
            same.push(&name[..2]);
        }
    }
    assert_eq!(same.join(" "), "03 04 05 06 08 09 11 13");
}

#[test]
fn rows_are_the_files_of_the_data() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/vectors");
    if !std::path::Path::new(folder).exists() {
        println!("no {folder}: nothing to compare the reference messages with");
        return;
    }
    for (name, octets, _) in VECTORS {
        let file = std::fs::read(format!("{folder}/{name}.bin")).expect(name);
        assert_eq!(hex(octets), file, "{name}");
    }
}

/// What nearly every row would say: left out of the answers.
const PEER: &str = " global adj-rib-in-pre 192.0.2.1 as 65001 id c6336401 at 1700000000.250000";
const LOC_RIB: &str = " loc-rib loc-rib 0.0.0.0 as 65001 id c6336401 at 1700000000.250000";
const OPEN: &str = "open 4 as 65001(65001) hold 180 id 198.51.100.1";

fn rows<const N: usize>(rows: [(&str, Vec<u8>, &str); N]) {
    compare(rows.map(|(name, octets, said)| (name, facts(&octets), said)));
}

fn compare<const N: usize>(rows: [(&str, String, &str); N]) {
    let mut wrong = 0;
    for (name, got, said) in rows {
        let got = got.replace(OPEN, "open").replace(LOC_RIB, " of a loc-rib").replace(PEER, "");
        if got.trim_end() != said {
            println!("{name}\n  want {said}\n  got  {got}");
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0, "rows that differ");
}

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

/// Types, lengths, names: WIRE 1.8. Values are 1, and 2 in the family's place.
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

/// OPENs: parameters by hand, and what they say.
#[test]
fn opens() {
    const ROWS: [(&str, &str, &str); 15] = [
        ("no parameter", "00", "open [] ipv4-unicast"),
        ("one capability", "08 02 06 01 04 0001 00 01", "open [1=00010001] ipv4-unicast"),
        ("an empty parameter", "02 02 00", "open [] ipv4-unicast"),
        (
            "several in one",
            "10 02 0e 01 04 0002 00 80 02 00 41 04 0000fde9",
            "open [1=00020080 2= 65=0000fde9] ipv6-vpn",
        ),
        (
            "several parameters",
            "12 02 06 01 04 0001 00 01  02 02 02 00  02 04 80 00 46 00",
            "open [1=00010001 2= 128= 70=] ipv4-unicast",
        ),
        ("another parameter among them", "0b 01 02 aabb  02 02 02 00  01 01 cc", "open [2=] ipv4-unicast"),
        ("ADD-PATH of no length", "04 02 02 45 00", "open [69=] ipv4-unicast"),
        ("ADD-PATH and a bit", "0b 02 09 45 07 0001 01 03 0002 01", "open [69=00010103000201] ipv4-unicast"),
        ("AS number of a wrong length", "07 02 05 41 03 000001", "open [65=000001] ipv4-unicast"),
        ("family of a wrong length", "07 02 05 01 03 000101", "open [1=000101] ipv4-unicast"),
        ("a capability unknown", "06 02 04 f0 02 1234", "open [240=1234] ipv4-unicast"),
        ("extended", "ff ff 0009 02 0006 01 04 0002 00 01", "open [1=00020001] ipv6-unicast"),
        (
            "extended, and the length says less",
            "01 ff 0009 02 0006 01 04 0002 00 01",
            "open [1=00020001] ipv6-unicast",
        ),
        (
            "extended, two parameters",
            "ff ff 000e 02 0006 01 04 0002 00 01  01 0002 abcd",
            "open [1=00020001] ipv6-unicast",
        ),
        ("extended, none", "ff ff 0000", "open [] ipv4-unicast"),
    ];
    compare(ROWS.map(|(name, parameters, said)| {
        let octets = open(parameters);
        let (pdu, rest) = Pdu::split_whole(&octets).expect("an OPEN");
        assert_eq!(rest.len(), 0);
        // What we write is the same OPEN: all in one parameter.
        let again = opened_again(pdu);
        let (again, _) = Pdu::split_whole(&again).expect("an OPEN");
        assert_eq!(pdu_said(again), pdu_said(pdu), "{name}");
        (name, pdu_said(pdu), said)
    }));
}

/// Around 253 octets of capabilities the extended form begins.
#[test]
fn opens_of_every_length() {
    for total in 0..1200_usize {
        let values: Vec<Vec<u8>> = match total {
            0 => vec![],
            1 => continue,
            _ => {
                let sizes = std::iter::repeat_n(257, total / 257).chain(Some(total % 257).filter(|n| *n > 1));
                sizes.map(|size| vec![7; size - 2]).collect()
            }
        };
        let capability = |value| wire::bgp::Capability { kind: wire::bgp::CapabilityKind(73), value };
        let capabilities: Vec<_> = values.iter().map(|value| capability(&value[..])).collect();
        let octets = into_a5(|out| write_open(out, 4_200_000_001, 90, [1, 2, 3, 4], &capabilities));
        let open = Open::parse(Pdu::split_whole(&octets).expect("ours").0).expect("ours");
        assert_eq!(open.capabilities().collect::<Vec<_>>(), capabilities, "{total}");
        assert_eq!((open.my_as, open.parameters().count()), (23456, usize::from(total > 1)), "{total}");
        let len: usize = values.iter().map(|value| value.len() + 2).sum();
        let head = if len == 0 {
            0
        } else if len <= 253 {
            2
        } else {
            6
        };
        assert_eq!(octets.len(), 29 + head + len, "{total}");
    }
}

/// Path ids in and out, from what both sides offer (RFC 7911 §4), and the rest of a dialect.
#[test]
fn dialects() {
    const UNICAST: Family = Family::IPV4_UNICAST;
    let negotiated = |sent: &str, received: &str| {
        let (sent, received) = (open(sent), open(received));
        let [sent, received] = [&sent, &received].map(|octets| Pdu::split_whole(octets).expect("a PDU").0);
        Dialect::negotiated(&Open::parse(sent).expect("an OPEN"), &Open::parse(received).expect("an OPEN"))
    };
    let add_path = |mode: i32| format!("08 02 06 45 04 0001 01 {mode:02x}");
    let mut matrix = Vec::new();
    for (sent, received) in (0..=4).flat_map(|sent| (0..=4).map(move |received| (sent, received))) {
        let dialect = negotiated(&add_path(sent), &add_path(received));
        let has = |view| if dialect.add_path(view, UNICAST) { "x" } else { "." };
        assert_eq!(has(View::AdjRibInPre), has(View::AdjRibInPost));
        assert_eq!(has(View::AdjRibOutPre), has(View::AdjRibOutPost));
        assert!(View::ALL.iter().all(|view| !dialect.add_path(*view, Family::IPV6_UNICAST)));
        matrix.push([View::AdjRibInPre, View::AdjRibOutPre, View::LocRib].map(has).concat());
    }
    // A row for each mode that the router sent, a column for each it received: in, out, local.
    const MATRIX: &str = "..x ..x ..x ..x ..x \
                          ..x ..x x.x x.x ..x \
                          ..x .xx ..x .xx ..x \
                          ..x .xx x.x xxx ..x \
                          ..x ..x ..x ..x ..x";
    assert_eq!(matrix.join(" "), MATRIX);
    // The same and more on both sides: labels by count, AS numbers, long messages.
    let none = Dialect::default();
    let labels = [Family::new(1, 4)].into_iter().collect();
    let rows = [
        ("00", "00", none),
        ("08 02 06 41 04 0000fde9", "08 02 06 41 04 0000fde9", Dialect { four_octet_as: true, ..none }),
        ("08 02 06 41 04 0000fde9", "00", none),
        ("04 02 02 06 00", "04 02 02 06 00", Dialect { extended_message: true, ..none }),
        ("00", "04 02 02 06 00", none),
        ("08 02 06 08 04 0001 04 02", "08 02 06 08 04 0001 04 03", Dialect { label_stack: labels, ..none }),
        ("08 02 06 08 04 0001 04 01", "08 02 06 08 04 0001 04 03", none),
        ("08 02 06 08 04 0001 04 02", "08 02 06 08 04 0001 04 00", none),
    ];
    for (sent, received, want) in rows {
        assert_eq!(negotiated(sent, received), want, "{sent} / {received}");
    }
    // A Peer Up for each family: the sum knows them all.
    let of = |family| Dialect { add_path_local: [family].into_iter().collect(), ..Dialect::default() };
    let merged = of(UNICAST).merged(of(Family::new(1, 128)));
    let both: FamilySet = [UNICAST, Family::new(1, 128)].into_iter().collect();
    assert_eq!(merged, Dialect { add_path_local: both, ..Dialect::default() });
}

#[test]
fn small_messages() {
    let rows = [
        ("a request", pdu(5, &hex("0001 00 01")), "refresh ipv4-unicast 0"),
        ("its beginning", pdu(5, &hex("0002 01 80")), "refresh ipv6-vpn 1"),
        ("its end", pdu(5, &hex("0019 02 46")), "refresh l2vpn-evpn 2"),
        ("filters of routes", pdu(5, &hex("0001 00 01 01 40 0001 00")), "refresh ipv4-unicast 0 0140000100"),
        ("a subtype unknown", pdu(5, &hex("0001 ff 01")), "refresh ipv4-unicast 255"),
        ("too short", pdu(5, &hex("0001 00")), "offset 19: ROUTE-REFRESH family wants 4 octets, 3 left"),
        ("KEEPALIVE", pdu(4, &[]), "keepalive"),
        ("type 9", pdu(9, &hex("abcd")), "unknown abcd"),
        ("cease", pdu(3, &hex("06 04")), "cease/administrative-reset"),
        (
            "a word",
            pdu(3, &hex("06 02 05 6d61696e74")),
            "cease/administrative-shutdown 056d61696e74 says \"maint\"",
        ),
        (
            "a word of another reset",
            pdu(3, &hex("06 04 05 6d61696e74 ff")),
            "cease/administrative-reset 056d61696e74ff says \"maint\"",
        ),
        ("no word", pdu(3, &hex("06 02 00")), "cease/administrative-shutdown 00"),
        (
            "a word that lies",
            pdu(3, &hex("06 02 06 6d61696e74")),
            "cease/administrative-shutdown 066d61696e74",
        ),
        (
            "a word where none may be",
            pdu(3, &hex("06 03 05 6d61696e74")),
            "cease/peer-deconfigured 056d61696e74",
        ),
        ("codes unknown", pdu(3, &hex("ff fe 01")), "unknown/- 01"),
        ("half", pdu(3, &hex("06")), "offset 19: NOTIFICATION code and subcode wants 2 octets, 1 left"),
    ];
    let said = |octets: &[u8]| pdu_said(Pdu::split_whole(octets).expect("a PDU").0);
    compare(rows.map(|(name, octets, want)| (name, said(&octets), want)));
    assert_eq!(into_a5(wire::bgp::keepalive), pdu(4, &[]));
    let refresh = into_a5(|out| wire::bgp::route_refresh(out, Family::new(25, 70), 2, &[1, 2]));
    assert_eq!(refresh, pdu(5, &hex("0019 02 46 0102")));
    // Every code has a name or none; nothing is out of range.
    for (code, subcode) in (0..=255).flat_map(|code| (0..=255).map(move |subcode| (code, subcode))) {
        let (name, _) = Notification { code, subcode, data: &[] }.names();
        assert_eq!(name == "unknown", code == 0 || code > 7, "{code}/{subcode}");
    }
}

#[test]
fn ends_of_rib() {
    const MED: &str = "80 04 04 00000001";
    let rows = [
        ("23 octets", update(&[], &[], &[]), Some((1, 1))),
        ("29 octets", update(&[], &mp_unreach(0x80, (2, 1), &[]), &[]), Some((2, 1))),
        ("30 octets", update(&[], &mp_unreach(0x90, (2, 128), &[]), &[]), Some((2, 128))),
        ("IPv4 unicast the other way", update(&[], &mp_unreach(0x80, (1, 1), &[]), &[]), Some((1, 1))),
        ("a family unknown", update(&[], &mp_unreach(0x80, (9, 9), &[]), &[]), Some((9, 9))),
        ("an attribute besides", update(&[], &[mp_unreach(0x80, (2, 1), &[]), hex(MED)].concat(), &[]), None),
        ("an attribute before", update(&[], &[hex(MED), mp_unreach(0x80, (2, 1), &[])].concat(), &[]), None),
        ("an attribute alone", update(&[], &hex(MED), &[]), None),
        ("a withdrawal", update(&[], &mp_unreach(0x80, (2, 1), &[0]), &[]), None),
        ("a plain withdrawal", update(&[0], &[], &[]), None),
        ("both", update(&[0], &mp_unreach(0x80, (2, 1), &[]), &[]), None),
        ("NLRI", update(&[], &mp_unreach(0x80, (2, 1), &[]), &[0]), None),
        ("MP_REACH of nothing", update(&[], &mp_reach(0x80, (2, 1), &[0; 16], &[]), &[]), None),
    ];
    for (name, octets, want) in rows {
        let update = Update::parse(Pdu::split_whole(&octets).expect("a PDU").0).expect(name);
        assert_eq!(update.end_of_rib(), want.map(|(afi, safi)| Family::new(afi, safi)), "{name}");
    }
    for family in Family::known().chain([Family::new(9, 9)]) {
        let octets = into_a5(|out| wire::bgp::end_of_rib(out, family));
        let plain = family == Family::IPV4_UNICAST;
        let want = if plain { vec![] } else { mp_unreach(0x80, (family.afi, family.safi), &[]) };
        assert_eq!(octets, update(&[], &want, &[]), "{family}");
    }
}

/// UPDATEs with all that may stand in them at once.
#[test]
fn updates() {
    let attributes = hex(ATTRIBUTES);
    let both =
        [mp_reach(0x90, (2, 1), &[1; 16], &hex("00")), mp_unreach(0x80, (2, 1), &hex("08 20"))].concat();
    rows([
        (
            "long lengths of little",
            route_monitoring(&update(&[], &hex("5001 0001 00"), &hex("08 0a"))),
            "route-monitoring | +ipv4-unicast 080a",
        ),
        (
            "four parts in the order in which they act",
            route_monitoring(&update(&hex("08 0b"), &[&attributes[..], &both].concat(), &hex("08 0a"))),
            "route-monitoring \
             | -ipv4-unicast 080b, -mp:ipv6-unicast 0820, +mp:ipv6-unicast 00, +ipv4-unicast 080a, path 2[65001, 4200000000], via c0000201, via 101:101:101:101:101:101:101:101",
        ),
        (
            "MP_REACH twice",
            route_monitoring(&update(&[], &[&both[..], &both].concat(), &[])),
            "route-monitoring | offset 109: MP_REACH a second time, expected once",
        ),
        (
            "MP_UNREACH twice",
            route_monitoring(&update(&[], &[&both[26..], &both[26..]].concat(), &[])),
            "route-monitoring | offset 82: MP_UNREACH a second time, expected once",
        ),
        (
            "an attribute twice is the router's business",
            route_monitoring(&update(&[], &[&attributes[..], &attributes].concat(), &[])),
            "route-monitoring \
             | path 2[65001, 4200000000], via c0000201, path 2[65001, 4200000000], via c0000201",
        ),
        (
            "a family unknown",
            route_monitoring(&update(&[], &mp_reach(0x80, (31, 9), &[], &hex("0102")), &[])),
            "route-monitoring \
             | +mp:afi-31-safi-9 offset 31: NLRI of afi-31-safi-9 cannot be told apart, via none",
        ),
        ("no UPDATE", route_monitoring(&pdu(4, &[])), "route-monitoring | offset 66: BGP type 4, expected 2"),
        (
            "AS numbers of two octets",
            bmp(0, &[&peer(0, 0x20), &update(&[], &hex("40020a 0202 0001 0002 0101 0003"), &hex("00"))]),
            "route-monitoring | +ipv4-unicast 00, path 2[1, 2] 1[3]",
        ),
        (
            "a path that is none",
            route_monitoring(&update(&[], &hex("400203 0201 00"), &hex("00"))),
            "route-monitoring | +ipv4-unicast 00, path offset 2: AS_PATH segment wants 4 octets, 1 left",
        ),
    ]);
    let labels = hex("0001 04 04 c0000201 00");
    let stack = [&labels[..], &hex("38 000010 000021 0a  38 000010 000021 0b")].concat();
    let octets = route_monitoring(&update(&[], &attribute(0x80, 14, &stack), &[]));
    let with = |dialect: Dialect| facts_in(&octets, &dialect).split(" | ").nth(1).map(str::to_string);
    let family: FamilySet = [Family::new(1, 4)].into_iter().collect();
    assert_eq!(
        with(Dialect::default()).as_deref(),
        Some("+mp:ipv4-labelled 200000210a:000010 200000210b:000010, via 192.0.2.1")
    );
    assert_eq!(
        with(Dialect { label_stack: family, ..Dialect::default() }).as_deref(),
        Some("+mp:ipv4-labelled 080a:000010000021 080b:000010000021, via 192.0.2.1")
    );
}

#[test]
fn next_hops() {
    const ROWS: [(&str, &str); 10] = [
        ("", "none"),
        ("c0000201", "192.0.2.1"),
        ("20010db8 00000000 00000000 00000001", "2001:db8::1"),
        ("20010db8 00000000 00000000 00000001 fe800000 00000000 00000000 00000002", "2001:db8::1/fe80::2"),
        ("00000000 00000000 c0000201", "192.0.2.1"),
        ("00000000 00000000 20010db8 00000000 00000000 00000001", "2001:db8::1"),
        (
            "00000000 00000000 20010db8 00000000 00000000 00000001 00000000 00000000 fe800000 00000000 00000000 00000002",
            "2001:db8::1/fe80::2",
        ),
        ("c00002", "c00002"),
        ("c000020100", "c000020100"),
        ("0000000000000000", "0000000000000000"),
    ];
    for (octets, want) in ROWS {
        assert_eq!(NextHop(&hex(octets)).to_string(), want);
    }
    for len in 0..=255_u8 {
        let octets = update(&[], &mp_reach(0x90, (1, 128), &vec![1; len.into()], &[]), &[]);
        let update = Update::parse(Pdu::split_whole(&octets).expect("a PDU").0).expect("an UPDATE");
        assert_eq!(update.mp_next_hop(), Some(NextHop(&vec![1; len.into()])), "{len}");
        assert!(!update_said(&update, true, &Dialect::default(), View::LocRib).is_empty());
    }
}

/// A stream in pieces of every size gives the same messages.
#[test]
fn pieces() {
    let stream: Vec<u8> = VECTORS.iter().flat_map(|(_, octets, _)| hex(octets)).collect();
    for piece in 1..300 {
        let (mut seen, mut have, mut count) = (Vec::new(), 0, 0);
        while have < stream.len() {
            have = (have + piece).min(stream.len());
            while let Some((frame, _)) = Frame::split(&stream[seen.len()..have]).expect("ours") {
                seen.extend_from_slice(frame.bytes());
                count += 1;
            }
        }
        assert_eq!((count, &seen), (25, &stream), "pieces of {piece}");
    }
}
