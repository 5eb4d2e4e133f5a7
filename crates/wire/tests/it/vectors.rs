//! The 25 reference messages: read, written again and found the same.

use wire::bgp::{Dialect, View};
use wire::bmp::{self, Frame};

use crate::facts::{facts, frame, into_a5, packed_again, rows, written};
use crate::hand::hex;

/// The reference messages: name, octets, what they say.
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
