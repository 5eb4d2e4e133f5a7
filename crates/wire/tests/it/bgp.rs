//! BGP messages by hand, for what the reference messages lack: OPENs of every form and what two of
//! them agree on, End-of-RIB and its near misses, all fields of an UPDATE at once, all next hops.

use wire::bgp::{Dialect, NextHop, Notification, Open, Pdu, Update, View, write_open};
use wire::{Family, FamilySet};

use crate::facts::{compare, facts_in, into_a5, opened_again, pdu_said, rows, update_said};
use crate::hand::{
    ATTRIBUTES, attribute, bmp, hex, mp_reach, mp_unreach, open, pdu, peer, route_monitoring, update,
};

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
