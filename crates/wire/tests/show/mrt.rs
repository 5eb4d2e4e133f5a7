//! MRT records, one of every kind.

use wire::Family;
use wire::bgp::{Dialect, PduKind};
use wire::mrt::Record;

use crate::{line, octets, pdu, update};

/// A record with this body, written at 1700000000.
fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut record = 1_700_000_000_u32.to_be_bytes().to_vec();
    record.extend(kind.to_be_bytes());
    record.extend(subtype.to_be_bytes());
    record.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    record.extend(body);
    record
}

fn split(bytes: &[u8]) -> Record<'_> {
    let (record, rest) = Record::split(bytes).unwrap().unwrap();
    assert!(rest.is_empty(), "one record");
    record
}

const PATH: &str = "40010100 400206 0201 0000fde9 400304 c0000201";
const PATH2: &str = "40010100 400204 0201 fde9 400304 c0000201";
const ENDS: &str = "fde9 fdea 0000 0001 c0000201 c0000202";
const ENDS4: &str = "0000fde9 fa56ea01 0003 0001 c0000201 c0000202";
const SESSION: &str = "peer 192.0.2.1 AS65001 local 192.0.2.2 AS65002";
const SESSION4: &str = "peer 192.0.2.1 AS65001 local 192.0.2.2 AS4200000001 interface 3";

/// Kind, subtype, body and line of a record of every kind.
fn rows() -> Vec<(u16, u16, Vec<u8>, String)> {
    let eor = update(&[], &[], &[]);
    let message = |ends: &str, pdu: &[u8]| [&octets(ends), pdu].concat();
    let announce = |path: &str, nlri: &str| update(&[], &octets(path), &octets(nlri));
    let hex = |text: &str| octets(text);
    vec![
        (12, 1, hex(&format!("0000 0001 cb007100 18 01 65530000 c0000201 fde9 0012 {PATH2}")),
            "table-dump ipv4 1700000000 view 0 sequence 1 ipv4-unicast 203.0.113.0/24 peer 192.0.2.1 AS65001 originated 1699938304 next-hop 192.0.2.1 as-path 65001 origin igp".into()),
        (12, 1, hex("0000 0001 cb007100 18 09 00000000 c0000201 fde9 0002 4001"),
            "table-dump ipv4 1700000000 view 0 sequence 1 ipv4-unicast 203.0.113.0/24 peer 192.0.2.1 AS65001 status 9 originated 0 attributes 2 octets 4001 (offset 34: attribute header wants 3 octets, 2 left)".into()),
        (13, 1, hex("c6336401 0004 74657374 0002 02 c0000209 c0000201 0000fde9 01 c0000209 20010db8000000000000000000000001 fdea"),
            r#"table-dump-v2 peer-index-table 1700000000 collector 198.51.100.1 view "test" peers 2 192.0.2.1[AS65001,id=192.0.2.9] 2001:db8::1[AS65002,id=192.0.2.9]"#.into()),
        (13, 7, hex("c6336401 0000 42520000 41580000 0001 00 c0000209 c0000201 fde9 7fc00000 7fc00000"),
            "table-dump-v2 geo-peer-table 1700000000 collector 198.51.100.1 at 52.5000/13.5000 peers 1 192.0.2.1[AS65001,id=192.0.2.9,at=NaN/NaN]".into()),
        (13, 2, hex(&format!("00000007 18cb0071 0002 0000 65530000 0014 {PATH} 0003 65530001 0003 400101")),
            "table-dump-v2 rib-ipv4-unicast 1700000000 sequence 7 ipv4-unicast 203.0.113.0/24 paths 2 peer 0 originated 1699938304 next-hop 192.0.2.1 as-path 65001 origin igp peer 3 originated 1699938305 attributes 3 octets 400101 (offset 61: attribute value wants 1 octets, 0 left)".into()),
        (13, 10, hex("00000007 2020010db8 0001 0000 65530000 00000009 0018 40010100 800e11 10 20010db8000000000000000000000001"),
            "table-dump-v2 rib-ipv6-unicast-add-path 1700000000 sequence 7 ipv6-unicast 2001:db8::/32 paths 1 peer 0 path-id 9 originated 1699938304 next-hop 2001:db8::1 origin igp".into()),
        (13, 12, hex("00000007 0001 01 00000009 18cb0071 0001 0000 65530000 0000"),
            "table-dump-v2 rib-generic-add-path 1700000000 sequence 7 ipv4-unicast 203.0.113.0/24#9 paths 1 peer 0 originated 1699938304".into()),
        (13, 2, [hex("00000007 00 0007"), hex("0000 00000000 0000").repeat(7)].concat(),
            "table-dump-v2 rib-ipv4-unicast 1700000000 sequence 7 ipv4-unicast 0.0.0.0/0 paths 7 peer 0 originated 0 peer 0 originated 0 peer 0 originated 0 peer 0 originated 0 … 3 more".into()),
        (13, 9999, hex("0a"), "table-dump-v2 subtype-9999 1700000000 1 octets 0a".into()),
        (16, 0, hex(&format!("{ENDS} 0006 0001")), format!("bgp4mp state-change 1700000000 {SESSION} from established to idle")),
        (17, 5, hex(&format!("0003d090 {ENDS4} 0001 0009")), format!("bgp4mp-et state-change-as4 1700000000.250000 {SESSION4} from idle to state-9")),
        (16, 4, message(ENDS4, &eor), format!("bgp4mp message-as4 1700000000 {SESSION4} update end-of-rib ipv4-unicast")),
        (16, 1, message(ENDS, &announce(PATH2, "18cb0071")),
            format!("bgp4mp message 1700000000 {SESSION} update announce ipv4-unicast 203.0.113.0/24 next-hop 192.0.2.1 as-path 65001 origin igp")),
        (16, 9, message(ENDS4, &announce(PATH, "00000007 18cb0071")),
            format!("bgp4mp message-as4-add-path 1700000000 {SESSION4} update announce ipv4-unicast 203.0.113.0/24#7 next-hop 192.0.2.1 as-path 65001 origin igp")),
        (16, 11, message(ENDS4, &announce("", "00000007 18cb0071")),
            format!("bgp4mp message-as4-local-add-path 1700000000 {SESSION4} update announce ipv4-unicast 203.0.113.0/24#7")),
        (16, 6, message(ENDS, &[&pdu(PduKind::KEEPALIVE, &[])[..], &[1]].concat()), format!("bgp4mp message-local 1700000000 {SESSION} keepalive trailing 1 octets 01")),
        (16, 4, message(ENDS4, &[0xff, 0]), format!("bgp4mp message-as4 1700000000 {SESSION4} message 2 octets ff00 (offset 33: BGP marker octet 0, expected 255)")),
        (16, 4, message(ENDS4, &announce(PATH, "21")),
            format!("bgp4mp message-as4 1700000000 {SESSION4} update announce ipv4-unicast nlri 1 octets 21 (offset 75: prefix length 33, expected 0..=32) next-hop 192.0.2.1 as-path 65001 origin igp")),
        (16, 2, hex(&format!("{ENDS} 0000 0001 65530000 0001 01 04 c0000201 18cb0071 0004 40010100")),
            format!("bgp4mp entry 1700000000 {SESSION} view 0 ipv4-unicast 203.0.113.0/24 changed 1699938304 via 192.0.2.1 origin igp")),
        (16, 2, hex(&format!("{ENDS} 0000 0002 65530000 0002 01 04 c0000201 00 0004 40010100")),
            format!("bgp4mp entry 1700000000 {SESSION} view 0 ipv6-unicast ::/0 status 2 changed 1699938304 next-hop 192.0.2.1 origin igp")),
        (16, 3, hex("0000 610a00"), r#"bgp4mp snapshot 1700000000 view 0 file "a\n""#.into()),
        (16, 0, hex("fde9"), "bgp4mp state-change 1700000000 malformed: offset 14: local AS wants 2 octets, 0 left".into()),
        (48, 3, hex("0a0b"), "ospf-v3 subtype-3 1700000000 2 octets 0a0b".into()),
        (999, 3, hex(""), "mrt-999 subtype-3 1700000000 0 octets".into()),
    ]
}

#[test]
fn every_record() {
    for (kind, subtype, body, expected) in rows() {
        let bytes = record(kind, subtype, &body);
        assert_eq!(line(&split(&bytes)), expected);
    }
    let mut bytes = record(999, 0, &[]);
    bytes[..4].fill(0);
    assert_eq!(line(&split(&bytes)), "mrt-999 subtype-0 0 octets");
}

#[test]
fn path_ids_where_record_and_dialect_say_so() {
    let body = [octets(ENDS4), update(&octets("00000007 18cb0071"), &[], &[])].concat();
    let knows = Dialect { add_path_in: [Family::IPV4_UNICAST].into_iter().collect(), ..Dialect::default() };
    let plain = "nlri 8 octets 0000000718cb0071 (offset 58: prefix length 203, expected 0..=32)";
    let rows = [(9, &knows, "203.0.113.0/24#7"), (9, &Dialect::default(), plain), (4, &knows, plain)];
    for (subtype, dialect, expected) in rows {
        let bytes = record(16, subtype, &body);
        let line = line(&split(&bytes).show(dialect));
        assert_eq!(line.split_once("update withdraw ipv4-unicast ").unwrap().1, expected);
    }
}

#[test]
fn cut_and_changed_at_every_octet() {
    for (kind, subtype, body, expected) in rows() {
        for cut in 0..body.len() {
            if let Ok(Some((short, _))) = Record::split(&record(kind, subtype, &body[..cut])) {
                assert_eq!(line(&short).split(' ').next(), expected.split(' ').next());
            }
        }
        let whole = record(kind, subtype, &body);
        for at in 0..whole.len() {
            for change in [0x00, 0x01, 0x0a, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[at] = change;
                if let Ok(Some((record, _))) = Record::split(&changed) {
                    line(&record);
                    line(&record.show(&Dialect::default()));
                }
            }
        }
    }
}

#[test]
fn bounded() {
    let head = [&octets("c6336401 00c8")[..], &[0x1b; 200], &[0xff, 0xff]].concat();
    let peer = [&[3, 9, 9, 9, 9][..], &[0xfe; 16], &[0xff; 4]].concat();
    let peers = [head, peer.repeat(0xffff)].concat();
    let attributes = [&[0xd0, 99, 0, 200][..], &[0xff; 200]].concat().repeat(100);
    let len = u16::try_from(attributes.len()).unwrap().to_be_bytes();
    let path = [&[0xff; 6][..], &len, &attributes].concat();
    let rib = [&octets("00000007 00 0064")[..], &path.repeat(100)].concat();
    for (subtype, body) in [(1, peers), (2, rib)] {
        let line = line(&split(&record(13, subtype, &body)));
        assert!(line.contains('…') && !line.contains("malformed"), "{line}");
    }
}
