//! Routes, and what stands in front of them.

use wire::nlri::{Labels, Reading, Routes};
use wire::{Family, RouteDistinguisher};

use crate::{line, line_and_debug, octets};

#[test]
fn routes() {
    const ONE: Reading = Reading { add_path: false, labels: Labels::One };
    const STACK: Reading = Reading { add_path: false, labels: Labels::Stack };
    const PATHS: Reading = Reading { add_path: true, labels: Labels::One };
    let rows: &[(u16, u8, Reading, &str, &str)] = &[
        (1, 1, ONE, "18cb0071 0fc612 00 20c0000201", "203.0.113.0/24 198.18.0.0/15 0.0.0.0/0 192.0.2.1/32"),
        (1, 1, ONE, "0fc613", "198.18.0.0/15"), // host bits do not show
        (1, 1, PATHS, "0000000718cb0071 ffffffff00", "203.0.113.0/24#7 0.0.0.0/0#4294967295"),
        (2, 1, ONE, "2020010db8 00", "2001:db8::/32 ::/0"),
        (2, 2, PATHS, "00000001 08ff", "ff00::/8#1"),
        (1, 4, ONE, "20 000641 0a", "10.0.0.0/8|100"),
        (1, 4, STACK, "38 000640 000c81 0a", "10.0.0.0/8|100,200"),
        (1, 4, ONE, "20 800000 0a", "10.0.0.0/8"), // the label of a withdrawal
        (1, 4, ONE, "20 000000 0a", "10.0.0.0/8|0"),
        (1, 4, STACK, "98 000010 000020 000030 000040 000051 0a000000", "10.0.0.0/32|1,2,3,4,…"),
        (1, 128, ONE, "60 000641 0000fde900000064 0a", "65001:100:10.0.0.0/8|100"),
        (2, 128, PATHS, "00000007 78 000641 0001c00002010005 20010db8", "192.0.2.1:5:2001:db8::/32|100#7"),
        (1, 76, ONE, "60 000641 0002fa56ea010007 0a", "4200000001:7:10.0.0.0/8|100"),
        (
            25,
            70,
            ONE,
            "01 19 0000fde900000064 00112233445566778899 00000005 000641",
            "ethernet-ad[65001:100,tag=5,esi=00:11:22:33:44:55:66:77:88:99]|100",
        ),
        (
            25,
            70,
            ONE,
            "02 21 0000fde900000064 00000000000000000000 00000000 30 020000000001 00 000641",
            "mac-ip[65001:100,tag=0,02:00:00:00:00:01]|100",
        ),
        (
            25,
            70,
            PATHS,
            "00000009 02 28 0000fde900000064 00112233445566778899 00000000 30 020000000001 20c0000201 000641 000c81",
            "mac-ip[65001:100,tag=0,02:00:00:00:00:01,192.0.2.1,esi=00:11:22:33:44:55:66:77:88:99]|100,200#9",
        ),
        (
            25,
            70,
            ONE,
            "03 11 0000fde900000064 00000000 20 c0000201",
            "inclusive-multicast[65001:100,tag=0,192.0.2.1]",
        ),
        (
            25,
            70,
            ONE,
            "04 17 0000fde900000064 00112233445566778899 20 c0000201",
            "ethernet-segment[65001:100,esi=00:11:22:33:44:55:66:77:88:99,192.0.2.1]",
        ),
        (
            25,
            70,
            ONE,
            "05 22 0000fde900000064 00000000000000000000 00000000 08 0a000000 00000000 000641",
            "ip-prefix[65001:100,tag=0,10.0.0.0/8]|100",
        ),
        (
            25,
            70,
            ONE,
            "05 3a 0000fde900000064 00000000000000000000 00000000 20 20010db8000000000000000000000000 20010db8000000000000000000000001 000641",
            "ip-prefix[65001:100,tag=0,2001:db8::/32,gateway=2001:db8::1]|100",
        ),
        (25, 70, ONE, "02 03 0a0b0c 63 01 ff 03 00", "mac-ip[0a0b0c] evpn-99[ff] inclusive-multicast[]"),
        (1, 5, ONE, "05 02 0a0b 09 00", "source-active[0a0b] mvpn-9[]"),
        (1, 66, ONE, "80 0000fde900000064 c0000201 e8000001", "mdt[65001:100,192.0.2.1,232.0.0.1]"),
        (1, 73, ONE, "60 00000001 00000064 c0000201", "sr-policy[1,color=100,192.0.2.1]"),
        (
            2,
            73,
            ONE,
            "c0 00000001 00000064 20010db8000000000000000000000001",
            "sr-policy[1,color=100,2001:db8::1]",
        ),
        (1, 85, ONE, "01 0003 02 0a0b 02 0009 00", "type-1-session[0a0b] mup-2-9[]"),
        (1, 129, ONE, "48 0000fde900000064 0a", "vpn-multicast[0000fde9000000640a]"),
        (
            1,
            132,
            ONE,
            "00 60 0000fde9 0002fde900000064 30 0000fde9 0002",
            "route-target[default] route-target[AS65001,rt:65001:100] route-target[AS65001,0002/48]",
        ),
        (1, 133, ONE, "05 0118cb0071", "flowspec[0118cb0071]"),
        (2, 134, ONE, "0a 0000fde900000064 0102", "flowspec[65001:100,0102]"),
        (
            25,
            65,
            ONE,
            "0011 0000fde900000064 0001 0002 0003 000641 000c 0000fde900000064 c0000201",
            "vpls[65001:100,ve=1,offset=2,size=3]|100 vpls[65001:100,192.0.2.1]",
        ),
        (16388, 71, ONE, "0001 0002 0a0b 0009 0000", "node[0a0b] link-state-9[]"),
        (
            16388,
            72,
            ONE,
            "0002 000a 0000fde900000064 0a0b 0001 0008 0000fde900000064",
            "link[65001:100,0a0b] node[65001:100]",
        ),
    ];
    for (afi, safi, reading, hex, expected) in rows {
        let bytes = octets(hex);
        let routes = Routes::check(Family::new(*afi, *safi), *reading, &bytes)
            .unwrap_or_else(|error| panic!("{expected}: {error}"));
        let tokens: Vec<_> = routes.map(|route| line(&route)).collect();
        assert!(tokens.iter().all(|token| !token.contains(' ')), "one token a route: {tokens:?}");
        assert_eq!(tokens.join(" "), *expected);
    }
    let shown = |safi| rows.iter().any(|row| row.1 == safi);
    // multicast is as unicast, 2 and 134 of other AFIs as those here
    assert!(Family::known().all(|family| shown(family.safi)), "a row for every kind of family");
}

#[test]
fn route_distinguishers() {
    let rows: &[([u8; 8], &str)] = &[
        ([0, 0, 0xfd, 0xe9, 0, 0, 0, 100], "65001:100"),
        ([0, 1, 192, 0, 2, 1, 0, 5], "192.0.2.1:5"),
        ([0, 2, 0xfa, 0x56, 0xea, 1, 0, 7], "4200000001:7"),
        ([0, 3, 0, 0, 0, 0, 0, 7], "0003000000000007"),
        ([0xff; 8], "ffffffffffffffff"),
    ];
    for (rd, expected) in rows {
        assert_eq!(line_and_debug(&RouteDistinguisher(*rd)), *expected);
    }
}
