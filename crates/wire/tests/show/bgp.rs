//! BGP messages, attributes and capabilities.

use wire::bgp::{self, Attribute, Capability, CapabilityKind, Dialect, Pdu, PduKind, View};
use wire::{Family, bmp};

use crate::{frame, line, line_and_debug, made, octets, pdu, peer, tail, update};

#[test]
fn attributes() {
    let rows = [
        ("400100", "origin malformed flags 40 0 octets"),
        ("40010101 40010102", "origin egp origin incomplete"),
        ("40010109", "origin 9"),
        ("400200", "as-path empty"),
        ("400304c0000201 400206 0201 0000fde9 400101 00", "next-hop 192.0.2.1 as-path 65001 origin igp"),
        // every kind of segment
        (
            "40022c 0201 00000001 0102 00000002 00000003 0302 00000004 00000005 0401 00000006 0901 00000007 0200 0100 0100",
            "as-path 1 {2,3} (4 5) [6] segment-9<7> empty-sequence {} {}",
        ),
        ("400203 020100", "as-path malformed flags 40 3 octets 020100"),
        ("c01106 0201 fa56ea01", "as4-path 4200000001"),
        ("800404 00000064 400504 000000c8 400600", "med 100 local-pref 200 atomic-aggregate"),
        ("800403 010203", "med malformed flags 80 3 octets 010203"),
        (
            "c00706 fde9 c0000201 c00708 fa56ea01 c0000201",
            "aggregator AS65001 192.0.2.1 aggregator AS4200000001 192.0.2.1",
        ),
        ("c01208 fa56ea01 c0000201", "as4-aggregator AS4200000001 192.0.2.1"),
        (
            "c00810 fde90001 ffffff01 ffffff02 ffffff03",
            "communities 65001:1 no-export no-advertise no-export-subconfed",
        ),
        (
            "c00814 ffff029a ffff0000 ffff0006 ffff0007 ffffff04",
            "communities blackhole graceful-shutdown llgr-stale no-llgr no-peer",
        ),
        ("c00803 fde900", "communities malformed flags c0 3 octets fde900"),
        (
            "800904 c0000201 800a08 c0000201 c0000202",
            "originator-id 192.0.2.1 cluster-list 192.0.2.1 192.0.2.2",
        ),
        (
            "c01020 0002fde900000064 0103c00002010005 4202fa56ea010007 030b000000000064",
            "extended-communities rt:65001:100 ro:192.0.2.1:5 rt:4200000001:7 030b000000000064",
        ),
        ("c0200c 000000010000000200000003", "large-communities 1:2:3"),
        ("c02304 0000fde9", "only-to-customer AS65001"),
        ("801a0b 01000b0000000000000064 801a01 02", "aigp 100 aigp malformed flags 80 1 octets 02"),
        ("800e0a 0002 01 04 c0000201 00 00", "mp-reach ipv6-unicast next-hop 192.0.2.1 nlri 1 octets 00"),
        ("800e09 0001 80 04 c0000201 00", "mp-reach ipv4-vpn next-hop 192.0.2.1"),
        ("800e03 000101", "mp-reach malformed flags 80 3 octets 000101"),
        ("800f03 400447", "mp-unreach link-state"),
        ("c08004 0a0b0c0d", "attr-set flags c0 4 octets 0a0b0c0d"),
        (
            "d0630021 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
            "attribute-99 flags d0 33 octets 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f…",
        ),
    ];
    for (hex, expected) in rows {
        let block = octets(hex);
        assert_eq!(line(&bgp::attributes(&block).unwrap()), expected);
        let one = |attribute: Attribute<'_>| expected.contains(&line(&attribute));
        assert!(bgp::attributes(&block).unwrap().all(one), "each by itself: {expected}");
    }
}

#[test]
fn as_numbers_of_two_octets() {
    let block = octets("400208 0202 fde9 0001 0100");
    let attributes = bgp::attributes(&block).unwrap();
    assert_eq!(line(&attributes.show(&Dialect::default())), "as-path 65001 1 {}");
    assert_eq!(line(&attributes), "as-path malformed flags 40 8 octets 0202fde900010100");
}

#[test]
fn opens() {
    let capability = |kind, value| Capability { kind: CapabilityKind(kind), value };
    let rows: &[(&[Capability<'_>], &str)] = &[
        (&[], ""),
        (
            &[
                capability(1, &[0, 1, 0, 1]),
                capability(1, &[0, 2, 0, 1]),
                capability(2, &[]),
                capability(1, &[0, 25, 0, 70]),
            ],
            " multiprotocol ipv4-unicast,ipv6-unicast route-refresh multiprotocol l2vpn-evpn",
        ),
        (&[capability(1, &[0, 1])], " multiprotocol 2 octets 0001"),
        (&[capability(5, &[0, 1, 0, 1, 0, 2])], " extended-next-hop ipv4-unicast:ipv6"),
        (
            &[capability(6, &[]), capability(8, &[0, 1, 4, 3])],
            " extended-message multiple-labels ipv4-labelled:3",
        ),
        (&[capability(9, &[3]), capability(9, &[9])], " role customer role role-9"),
        (
            &[capability(64, &[0xc0, 120, 0, 1, 1, 0x80, 0, 2, 1, 0])],
            " graceful-restart 120 restarting notification ipv4-unicast:forwarding,ipv6-unicast:lost",
        ),
        (&[capability(64, &[0x0f, 0xff])], " graceful-restart 4095"),
        (&[capability(65, &[0, 0])], " four-octet-as 2 octets 0000"),
        (
            &[capability(69, &[0, 1, 1, 3, 0, 2, 1, 1, 0, 1, 128, 2, 0, 1, 4, 9]), capability(69, &[])],
            " add-path ipv4-unicast:both,ipv6-unicast:receive,ipv4-vpn:send,ipv4-labelled:mode-9 add-path",
        ),
        (
            &[capability(71, &[0, 1, 1, 0x80, 0, 14, 16])],
            " long-lived-graceful-restart ipv4-unicast:3600:forwarding",
        ),
        (&[capability(73, b"\x01a\x02b\n")], r#" fqdn "a" "b\n""#),
        (&[capability(239, &[1, 2, 3])], " capability-239 3 octets 010203"),
    ];
    for (capabilities, expected) in rows {
        let bytes = made(|buffer| bgp::write_open(buffer, 65001, 180, [192, 0, 2, 1], capabilities));
        let (pdu, _) = Pdu::split_whole(&bytes).unwrap();
        let line = line_and_debug(&pdu);
        assert_eq!(tail(&line, "open AS65001 hold 180 id 192.0.2.1"), *expected);
        assert_eq!(bgp::Open::parse(pdu).unwrap().to_string(), line);
    }
    let parameter = pdu(PduKind::OPEN, &octets("03 fde9 00b4 c0000201 04 0102 0a0b"));
    assert_eq!(
        line(&Pdu::split_whole(&parameter).unwrap().0),
        "open AS65001 version 3 hold 180 id 192.0.2.1 parameter-1 2 octets 0a0b"
    );
}

#[test]
fn small_pdus() {
    let rows = [
        (4, "", "keepalive"),
        (4, "0a", "keepalive and 1 octets 0a"),
        (1, "04", "open malformed: offset 20: OPEN AS number wants 2 octets, 0 left"),
        (2, "00", "update malformed: offset 19: withdrawn routes wants 2 octets, 1 left"),
        (3, "06", "notification malformed: offset 19: NOTIFICATION code and subcode wants 2 octets, 1 left"),
        (3, "0400", "notification hold-timer-expired"),
        (3, "0607 0a", "notification cease connection-collision data 1 octets 0a"),
        (3, "0699", "notification cease subcode-153"),
        (3, "0905", "notification code-9 subcode-5"),
        (3, "0602 02 6f6b 0a", r#"notification cease administrative-shutdown "ok" and 1 octets 0a"#),
        (5, "0001 00 01", "route-refresh request ipv4-unicast"),
        (5, "0019 01 46", "route-refresh begin l2vpn-evpn"),
        (5, "0009 07 09 0a", "route-refresh subtype-7 afi-9-safi-9 filters 1 octets 0a"),
        (5, "0001", "route-refresh malformed: offset 19: ROUTE-REFRESH family wants 4 octets, 2 left"),
        (9, "0a0b", "bgp-9 2 octets 0a0b"),
    ];
    for (kind, body, expected) in rows {
        let bytes = pdu(PduKind(kind), &octets(body));
        assert_eq!(line_and_debug(&Pdu::split_whole(&bytes).unwrap().0), expected);
    }
}

#[test]
fn updates() {
    let unicast: Dialect = Dialect {
        add_path_in: [Family::IPV4_UNICAST].into_iter().collect(),
        four_octet_as: true,
        ..Dialect::default()
    };
    let plain = Dialect { four_octet_as: true, ..Dialect::default() };
    let many: String = (0..50).map(|n| format!("18c633{n:02x}")).collect();
    let many_shown = (0..8).map(|n| format!("198.51.{n}.0/24 ")).collect::<String>();
    let rows: &[(&Dialect, &str, &str, &str, String)] = &[
        (&plain, "", "", "", "update end-of-rib ipv4-unicast".into()),
        (&plain, "", "800f03 400447", "", "update end-of-rib link-state".into()),
        (&plain, "", "40010100", "", "update origin igp".into()),
        (&plain, "", "800e05 0002 01 00 00", "", "update announce ipv6-unicast no-routes next-hop none".into()),
        (&plain, "", "800f03 000201 40010100", "", "update withdraw ipv6-unicast no-routes origin igp".into()),
        (&plain, &many, "", "", format!("update withdraw ipv4-unicast {many_shown}… 42 more")),
        // all four fields
        (
            &plain, "18cb0071", "800f08 000201 2020010db8 800e0a 0001 80 04 c0000202 00 00 400304 c0000201", "08 0a",
            "update withdraw ipv4-unicast 203.0.113.0/24 withdraw ipv6-unicast 2001:db8::/32 \
             announce ipv4-vpn nlri 1 octets 00 (offset 51: label stack wants 3 octets, 0 left) next-hop 192.0.2.2 \
             announce ipv4-unicast 10.0.0.0/8 next-hop 192.0.2.1".into(),
        ),
        // the same bytes, for those who know and for those who do not
        (&unicast, "00000007 18cb0071", "", "", "update withdraw ipv4-unicast 203.0.113.0/24#7".into()),
        (
            &plain, "00000007 18cb0071", "", "",
            "update withdraw ipv4-unicast nlri 8 octets 0000000718cb0071 (offset 26: prefix length 203, expected 0..=32)".into(),
        ),
        (
            &plain, "00000021 18cb0071", "", "",
            "update withdraw ipv4-unicast nlri 8 octets 0000002118cb0071 (offset 24: prefix length 33, expected 0..=32)".into(),
        ),
        (
            &plain, "", "800e0b 0009 63 04 c0000201 00 0a0b", "",
            "update announce afi-9-safi-99 nlri 2 octets 0a0b (offset 35: NLRI of afi-9-safi-99 cannot be told apart) next-hop 192.0.2.1".into(),
        ),
    ];
    for (dialect, withdrawn, attributes, nlri, expected) in rows {
        let bytes = update(&octets(withdrawn), &octets(attributes), &octets(nlri));
        let (pdu, _) = Pdu::split_whole(&bytes).unwrap();
        let shown = line(&pdu.show(dialect, View::AdjRibInPre));
        assert_eq!(shown, *expected);
        let update = bgp::Update::parse(pdu).unwrap();
        assert_eq!(line(&update.show(dialect, View::AdjRibInPre)), shown);
        // a frame counts from its own start
        let bytes = made(|buffer| bmp::route_monitoring(buffer, &peer(), &bytes, &[]));
        let framed = line(&frame(&bytes).show(dialect));
        let framed = tail(&framed, "route-monitoring global 192.0.2.1 AS65001 adj-rib-in-pre ");
        assert_eq!(framed.split(" (").next(), shown.split(" (").next());
        if let Some((_, error)) = shown.split_once("(offset ") {
            let offset: usize = error.split(':').next().unwrap().parse().unwrap();
            assert!(framed.contains(&format!("(offset {}:", offset + 48)), "{framed}");
        }
    }
}
