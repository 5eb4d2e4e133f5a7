//! The records: kind, subtype, body in pieces, and what must be told of them.

type Row = (u16, u16, &'static [&'static str], &'static str);

/// Two ends of IPv4 with AS numbers of two octets and of four, and the same of IPv6.
const ENDS_2: &str = "fde8 fde9 0007 0001 c0000201 c0000202";
const ENDS_4: &str = "000186a0 0000fde9 0007 0001 c0000201 c0000202";
const ENDS_6: &str = "000186a0 0000fde9 0000 0002
    20010db8000000000000000000000001 20010db8000000000000000000000002";
const KEEPALIVE: &str = "ffffffffffffffffffffffffffffffff 0013 04";

/// One of every kind, and what it says.
pub(super) const ROWS: &[Row] = &[
    // TABLE_DUMP
    (
        12,
        1,
        &["0001 0002 0a010000 10 01 5f5e0fff c0000201 fde8 0007", "400304 c0000201"],
        "view 1 sequence 2 10.1.0.0/16 status 1 at 1599999999 peer 192.0.2.1 AS65000 key 100a01 \
         as4 false block 400304c0000201",
    ),
    (
        12,
        2,
        &[
            "0000 ffff 20010db8000000000000000000000000 20 01 00000000",
            "20010db8000000000000000000000001 fde8 001c 400101 00",
            "800e15 0002 01 10 20010db8000000000000000000000001 00",
        ],
        "view 0 sequence 65535 2001:db8::/32 status 1 at 0 peer 2001:db8::1 AS65000 key 2020010db8 \
         as4 false block 900e001500020110 20010db8000000000000000000000001 00 40010100",
    ),
    // PEER_INDEX_TABLE and GEO_PEER_TABLE
    (13, 1, &["c0000201 0000 0000"], "collector c0000201 view \"\" 0 peers"),
    (
        13,
        1,
        &[
            "c0000201 0004 6d61696e 0004",
            "00 0a000001 c0000202 fde8   01 0a000002 20010db8000000000000000000000001 fde8",
            "02 0a000003 c0000203 000186a0 fb 0a000004 20010db8000000000000000000000001 000186a0",
        ],
        "collector c0000201 view \"main\" 4 peers, type 0 0a000001 192.0.2.2 AS65000, \
         type 1 0a000002 2001:db8::1 AS65000, type 2 0a000003 192.0.2.3 AS100000, \
         type 251 0a000004 2001:db8::1 AS100000",
    ),
    (
        13,
        7,
        &["c0000201 0001 67 42480000 c1200000 0001", "02 0a000001 c0000202 000186a0 7fc00000 7fc00000"],
        "collector c0000201 view \"g\" at 50,-10 1 peers, \
         type 2 0a000001 192.0.2.2 AS100000 at NaN,NaN",
    ),
    // RIB
    (
        13,
        2,
        &["00000001 17 0a0101 0002", "0000 5f5e1000 0007 400304c0000201", "0001 5f5e1001 0000"],
        "sequence 1 ipv4-unicast key 170a0100 payload  2 entries, \
         peer 0 at 1600000000 as4 true block 400304c0000201, peer 1 at 1600000001 as4 true block ",
    ),
    (13, 3, &["00000002 00 0000"], "sequence 2 ipv4-multicast key 00 payload  0 entries"),
    (
        13,
        4,
        &["00000003 20 20010db8 0001 0009 00000000 0014", "800e11 10 20010db8000000000000000000000001"],
        "sequence 3 ipv6-unicast key 2020010db8 payload  1 entries, peer 9 at 0 as4 true \
         block 900e001500020110 20010db8000000000000000000000001 00",
    ),
    (
        13,
        5,
        &["00000003 08 20 0001 0009 00000000 0004 40010100"],
        "sequence 3 ipv6-multicast key 0820 payload  1 entries, peer 9 at 0 as4 true \
         block 900e00050002020000 40010100",
    ),
    (
        13,
        8,
        &["00000004 08 0a 0002", "0000 00000001 00000007 0000", "0000 00000002 00000008 0004 40010100"],
        "sequence 4 ipv4-unicast key 080a payload  2 entries, peer 0 at 1 id 7 as4 true block , \
         peer 0 at 2 id 8 as4 true block 40010100",
    ),
    (13, 9, &["00000004 08 0a 0000"], "sequence 4 ipv4-multicast key 080a payload  0 entries"),
    (
        13,
        10,
        &["00000004 08 20 0001 0000 00000001 ffffffff 0000"],
        "sequence 4 ipv6-unicast key 0820 payload  1 entries, peer 0 at 1 id 4294967295 as4 true \
         block 900e00050002010000",
    ),
    (13, 11, &["00000004 08 20 0000"], "sequence 4 ipv6-multicast key 0820 payload  0 entries"),
    // RIB_GENERIC: a VPN with one label, with two, and with one that is no bottom; path ids; AFI above 255
    (
        13,
        6,
        &[
            "00000005 0001 80 60 000101 0000fde800000001 0a 0001",
            "0000 00000001 0013 900e000f",
            "0c 0000000000000000 c0000201 0000",
        ],
        "sequence 5 ipv4-vpn key 480000fde8000000010a payload 000101 1 entries, peer 0 at 1 as4 true \
         block 900e001100018 00c 0000000000000000 c0000201 00",
    ),
    (
        13,
        6,
        &["00000005 0001 80 78 000100 000201 0000fde800000001 0a 0000"],
        "sequence 5 ipv4-vpn key 480000fde8000000010a payload 000100000201 0 entries",
    ),
    (
        13,
        6,
        &["00000005 0001 80 58 000100 0000fde800000002 0000"],
        "sequence 5 ipv4-vpn key 400000fde800000002 payload 000100 0 entries",
    ),
    (
        13,
        6,
        &["00000005 4004 47 0001 0001 ff 0001", "0000 00000001 000d 800e0a 4004 47 04 c0000201 00 05"],
        "sequence 5 link-state key 00010001ff payload  1 entries, peer 0 at 1 as4 true \
         block 900e00094004 4704 c0000201 00",
    ),
    (
        13,
        12,
        &["00000006 0002 01 0000002a 08 20 0001 0003 00000001 0000"],
        "sequence 6 ipv6-unicast key 0820 payload  1 entries, peer 3 at 1 id 42 as4 true \
         block 900e00050002010000",
    ),
    (13, 13, &["0102"], "unknown 13 13 body 0102"),
    // BGP4MP
    (
        16,
        0,
        &[ENDS_2, "0005 0006"],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false open-confirm to established",
    ),
    (
        17,
        5,
        &["000f4240", ENDS_4, "0007 0009"],
        "192.0.2.1 AS100000 to 192.0.2.2 AS65001 if 7 as4 true clearing to ?",
    ),
    (
        16,
        1,
        &[ENDS_2, KEEPALIVE],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local false add-path false keepalive of 19 octets",
    ),
    (
        16,
        2,
        &[ENDS_2, "0001 0002 5f5e1000 0002 01 04 c0000201 08 20 0004 40010100"],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 view 1 status 2 at 1600000000 ipv6-unicast \
         next hop 192.0.2.1 key 0820 as4 false block 900e000900020104 c0000201 00 40010100",
    ),
    (16, 3, &["0003 72696200"], "view 3 file \"rib\""),
    (
        16,
        4,
        &[ENDS_6, KEEPALIVE],
        "2001:db8::1 AS100000 to 2001:db8::2 AS65001 if 0 as4 true local false add-path false keepalive of 19 octets",
    ),
    (
        17,
        6,
        &["00000001", ENDS_2, KEEPALIVE],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local true add-path false keepalive of 19 octets",
    ),
    (
        16,
        7,
        &[ENDS_4, KEEPALIVE],
        "192.0.2.1 AS100000 to 192.0.2.2 AS65001 if 7 as4 true local true add-path false keepalive of 19 octets",
    ),
    (
        16,
        8,
        &[ENDS_2, KEEPALIVE],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local false add-path true keepalive of 19 octets",
    ),
    (
        16,
        9,
        &[ENDS_4, KEEPALIVE],
        "192.0.2.1 AS100000 to 192.0.2.2 AS65001 if 7 as4 true local false add-path true keepalive of 19 octets",
    ),
    (
        16,
        10,
        &[ENDS_2, KEEPALIVE],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local true add-path true keepalive of 19 octets",
    ),
    (
        17,
        11,
        &["00000001", ENDS_4, KEEPALIVE],
        "192.0.2.1 AS100000 to 192.0.2.2 AS65001 if 7 as4 true local true add-path true keepalive of 19 octets",
    ),
    (16, 12, &["00"], "unknown 16 12 body 00"),
    (33, 0, &["00000001 83"], "unknown 33 0 body 83"),
    (65535, 65535, &[], "unknown 65535 65535 body "),
];

/// What is wrong, and where; offsets count from the start of the record.
pub(super) const WRONG: &[Row] = &[
    (
        12,
        1,
        &["0001 0002 0a010000 21 01 5f5e0fff c0000201 fde8 0000"],
        "offset 20: prefix length 33, expected 0..=32",
    ),
    (
        12,
        1,
        &["0001 0002 0a010000 10 01 5f5e0fff c0000201 fde8 0001"],
        "offset 34: attributes wants 1 octets, 0 left",
    ),
    (
        12,
        1,
        &["0001 0002 0a010000 10 01 5f5e0fff c0000201 fde8 0000 00"],
        "offset 34: 1 octets after attributes, expected none",
    ),
    (13, 1, &["c0000201 0005 6d61696e 0000"], "offset 23: peer count wants 2 octets, 1 left"),
    (13, 1, &["c0000201 0000 0002 00 0a000001 c0000202 fde8"], "offset 31: peer type wants 1 octets, 0 left"),
    (13, 1, &["c0000201 0000 0000 00"], "offset 20: 1 octets after peers, expected none"),
    (13, 2, &["00000001 21 0a01010101 0000"], "offset 16: prefix length 33, expected 0..=32"),
    (13, 2, &["00000001 08 0a ffff 0000 5f5e1000 0000"], "offset 28: RIB entry wants 8 octets, 0 left"),
    (13, 8, &["00000001 08 0a 0001 0000 5f5e1000 0000"], "offset 20: RIB entry wants 12 octets, 8 left"),
    (
        13,
        2,
        &["00000001 08 0a 0001 0000 5f5e1000 ffff 40"],
        "offset 28: RIB entry attributes wants 65535 octets, 1 left",
    ),
    (
        13,
        2,
        &["00000001 08 0a 0000 0000 5f5e1000 0000"],
        "offset 20: 8 octets after RIB entries, expected none",
    ),
    (13, 6, &["00000001 0001 63 08 0a 0000"], "offset 19: NLRI of afi-1-safi-99 cannot be told apart"),
    (13, 12, &["00000001 0001 01 0000"], "offset 19: path id wants 4 octets, 2 left"),
    (16, 1, &["fde8 fde9 0007 0003 c0000201 c0000202"], "offset 18: address family 3, expected 1..=2"),
    (
        17,
        5,
        &["00000001 000186a0 0000fde9 0007 ffff c0000201"],
        "offset 26: address family 65535, expected 1..=2",
    ),
    (16, 0, &[ENDS_2, "0005 0006 00"], "offset 32: 1 octets after new state, expected none"),
    (
        16,
        2,
        &[ENDS_2, "0001 0002 5f5e1000 0001 01 04 c0000201 08 0a 0001"],
        "offset 48: attributes wants 1 octets, 0 left",
    ),
    (16, 3, &["0003 726962"], "offset 17: zero after the file name wants 1 octets, 0 left"),
    (16, 3, &["0003 72696200 00"], "offset 18: 1 octets after file name, expected none"),
    // what a message survives: its PDU, and the attributes of its entries
    (
        16,
        1,
        &[ENDS_2, "ff00"],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local false add-path false offset 29: BGP marker octet 0, expected 255",
    ),
    (
        16,
        1,
        &[ENDS_2, "ffffffffffffffffffffffffffffffff 0014 04"],
        "192.0.2.1 AS65000 to 192.0.2.2 AS65001 if 7 as4 false local false add-path false offset 28: BGP message wants 20 octets, 19 left",
    ),
    (
        13,
        2,
        &["00000001 08 0a 0002 0000 00000000 0003 400304 0001 00000000 0000"],
        "sequence 1 ipv4-unicast key 080a payload  2 entries, peer 0 at 0 offset 31: attribute value wants 4 octets, 0 left, peer 1 at 0 as4 true block ",
    ),
];
