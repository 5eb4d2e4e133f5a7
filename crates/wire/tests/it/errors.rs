//! Bytes that are refused, and the very words: where, what was found, what was expected.

use wire::bgp::{
    self, AsPath, Dialect, MpReach, MpUnreach, Notification, Open, Pdu, RouteRefresh, Update, View,
};
use wire::bmp::{self, Frame, Tlv};
use wire::nlri::{self, Labels, Reading, Routes};
use wire::{Error, Family, Overflow};

use crate::hand::{ATTRIBUTES, bmp, hex, mp_reach, open, pdu, peer, route_monitoring, update};
use crate::vectors::VECTORS;

/// The words of a refusal, for rows of input and words.
fn refused<const N: usize>(rows: [(Vec<u8>, &str); N], door: impl Fn(&[u8]) -> Option<Error>) {
    for (octets, words) in rows {
        let got = door(&octets).map_or("accepted".to_string(), |error| error.to_string());
        assert_eq!(got, words, "{octets:02x?}");
    }
}

#[test]
fn frames() {
    let rows = [
        (hex("04 00000006 04"), "offset 0: BMP version 4, expected 3"),
        (hex("04"), "offset 0: BMP version 4, expected 3"),
        (hex("00"), "offset 0: BMP version 0, expected 3"),
        (hex("03 00000005 04"), "offset 1: BMP length 5, expected 6..=1048576"),
        (hex("03 00000000 64"), "offset 1: BMP length 0, expected 6..=1048576"),
        (hex("03 00100001 04"), "offset 1: BMP length 1048577, expected 6..=1048576"),
        (hex("03 ffffffff 00"), "offset 1: BMP length 4294967295, expected 48..=1048576"),
        (hex("03 0000002f 00"), "offset 1: BMP length 47, expected 48..=1048576"),
        (hex("03 0000002f 06"), "offset 1: BMP length 47, expected 48..=1048576"),
        (hex("03 00000033 01"), "offset 1: BMP length 51, expected 52..=1048576"),
        (hex("03 00000030 02"), "offset 1: BMP length 48, expected 49..=1048576"),
        (hex("03 0000002f 03"), "offset 1: BMP length 47, expected 48..=1048576"),
        (hex("03 00100000 04"), "accepted"),
        (hex("03 00000006 ff"), "accepted"),
        (hex(""), "accepted"),
    ];
    refused(rows, |octets| Frame::split(octets).err());
}

#[test]
fn messages() {
    let rows = [
        (bmp(4, &[&hex("0001")]), "offset 8: TLV length wants 2 octets, 0 left"),
        (bmp(4, &[&hex("00")]), "offset 6: TLV type wants 2 octets, 1 left"),
        (bmp(5, &[&hex("0001 0002 00")]), "offset 10: TLV value wants 2 octets, 1 left"),
        (
            bmp(1, &[&peer(0, 0), &hex("00000002 0000 0004 00000001")]),
            "offset 48: statistics count 2, expected 1",
        ),
        (
            bmp(1, &[&peer(0, 0), &hex("00000001 0000 0004 000000")]),
            "offset 56: TLV value wants 4 octets, 3 left",
        ),
        (bmp(3, &[&peer(0, 0), &[0; 19]]), "offset 48: Peer Up addresses wants 20 octets, 19 left"),
        (bmp(3, &[&peer(0, 0), &[0; 20]]), "offset 68: BGP header wants 19 octets, 0 left"),
        (bmp(3, &[&peer(0, 0), &[0; 20], &[0xff; 18]]), "offset 68: BGP message wants 65535 octets, 18 left"),
        (
            bmp(3, &[&peer(0, 0), &[0; 20], &open("00"), &open("00")[..28]]),
            "offset 97: BGP message wants 29 octets, 28 left",
        ),
        (bmp(0, &[&peer(0, 0)]), "offset 48: BGP header wants 19 octets, 0 left"),
        (route_monitoring(&[0xfe]), "offset 48: BGP marker octet 254, expected 255"),
        (route_monitoring(&pdu(2, &[0; 4])[..22]), "offset 48: BGP message wants 23 octets, 22 left"),
        (bmp(6, &[&peer(0, 0), &hex("0000 0001")]), "offset 52: TLV value wants 1 octets, 0 left"),
        (bmp(2, &[&peer(0, 0), &[1]]), "accepted"), // what is only information is looked at later
        (bmp(99, &[&[1]]), "accepted"),
    ];
    refused(rows, |octets| Frame::split(octets).expect("a frame").expect("a whole frame").0.message().err());
}

#[test]
fn pdus() {
    let mut marker = pdu(4, &[]);
    marker[15] = 0;
    let rows = [
        (marker, "offset 15: BGP marker octet 0, expected 255"),
        (hex("ffff00"), "offset 2: BGP marker octet 0, expected 255"),
        (hex("ffffffffffffffffffffffffffffffff 0012 04"), "offset 16: BGP length 18, expected 19..=65535"),
        (hex("ffffffffffffffffffffffffffffffff 0000 04"), "offset 16: BGP length 0, expected 19..=65535"),
        (hex("ffffffffffffffffffffffffffffffff ffff 04"), "accepted"),
        (hex("ffffffffffffffffffffffffffffffff 0012"), "accepted"), // more, and then no
        (hex(""), "accepted"),
    ];
    refused(rows, |octets| Pdu::split(octets).err());
}

fn whole(octets: &[u8]) -> Pdu<'_> {
    Pdu::split_whole(octets).expect("a PDU").0
}

#[test]
fn updates() {
    let attributes = |octets: &str| update(&[], &hex(octets), &[]);
    let twice = [mp_reach(0x80, (2, 1), &[], &[]), mp_reach(0x80, (2, 1), &[], &[])].concat();
    let rows = [
        (pdu(4, &[]), "offset 18: BGP type 4, expected 2"),
        (pdu(2, &[]), "offset 19: withdrawn routes wants 2 octets, 0 left"),
        (pdu(2, &hex("00")), "offset 19: withdrawn routes wants 2 octets, 1 left"),
        (pdu(2, &hex("0001")), "offset 21: withdrawn routes wants 1 octets, 0 left"),
        (pdu(2, &hex("0000")), "offset 21: path attributes wants 2 octets, 0 left"),
        (pdu(2, &hex("0001 00 00")), "offset 22: path attributes wants 2 octets, 1 left"),
        (pdu(2, &hex("0000 0001")), "offset 23: path attributes wants 1 octets, 0 left"),
        (attributes("40"), "offset 23: attribute header wants 3 octets, 1 left"),
        (attributes("400101 00 5001 00"), "offset 27: attribute header wants 4 octets, 3 left"),
        (attributes("400101"), "offset 26: attribute value wants 1 octets, 0 left"),
        (attributes("400101 00 400304 c00002"), "offset 30: attribute value wants 4 octets, 3 left"),
        (attributes("5001 0100 00"), "offset 27: attribute value wants 256 octets, 1 left"),
        (attributes("800e00"), "offset 26: MP_REACH family and next hop length wants 4 octets, 0 left"),
        (attributes("800e04 0002 01 10"), "offset 30: MP_REACH next hop wants 16 octets, 0 left"),
        (attributes("800e04 0002 01 00"), "offset 30: MP_REACH reserved octet wants 1 octets, 0 left"),
        (attributes("400101 00 900f 0002 0002"), "offset 31: MP_UNREACH family wants 3 octets, 2 left"),
        (update(&[], &twice, &[]), "offset 34: MP_REACH a second time, expected once"),
        (attributes("800f03 000201 900f 0003 000201"), "offset 33: MP_UNREACH a second time, expected once"),
        (attributes(ATTRIBUTES), "accepted"),
    ];
    refused(rows, |octets| Update::parse(whole(octets)).err());
    // The same from the start of a frame.
    let rows =
        [(route_monitoring(&pdu(2, &hex("0001"))), "offset 69: withdrawn routes wants 1 octets, 0 left")];
    refused(rows, |octets| {
        let (frame, _) = Frame::split(octets).expect("a frame").expect("a whole frame");
        frame.route_monitoring().expect("a body").expect("Route Monitoring").update().err()
    });
}

/// Fields of an UPDATE: offsets count from the start of the message.
#[test]
fn parts() {
    let rows = [
        (update(&hex("18 cb0071 21"), &[], &[]), "offset 25: prefix length 33, expected 0..=32"),
        (update(&[], &[], &hex("20 cb0071")), "offset 23: NLRI entry wants 5 octets, 4 left"),
        (update(&[], &hex("400101 00"), &hex("00 ff")), "offset 28: prefix length 255, expected 0..=32"),
        (
            update(&[], &mp_reach(0x80, (2, 1), &[1; 16], &hex("00 81")), &[]),
            "offset 48: prefix length 129, expected 0..=128",
        ),
        (
            update(&[], &mp_reach(0x90, (16388, 99), &[], &[]), &[]),
            "offset 32: NLRI of afi-16388-safi-99 cannot be told apart",
        ),
        (update(&[], &hex("800f04 0001 80 00"), &[]), "offset 30: label stack wants 3 octets, 0 left"),
    ];
    refused(rows, |octets| {
        let update = Update::parse(whole(octets)).expect("an UPDATE");
        update.parts().find_map(|part| part.routes(&Dialect::default(), View::AdjRibInPre).err())
    });
}

#[test]
fn fields() {
    const ONE: Reading = Reading { add_path: false, labels: Labels::One };
    const STACK: Reading = Reading { add_path: false, labels: Labels::Stack };
    const PATHS: Reading = Reading { add_path: true, labels: Labels::One };
    let rows: [((u16, u8), Reading, &str, &str); 35] = [
        ((1, 1), ONE, "21", "offset 0: prefix length 33, expected 0..=32"),
        ((2, 1), ONE, "08 20 81", "offset 2: prefix length 129, expected 0..=128"),
        ((1, 2), ONE, "18 cb00", "offset 0: NLRI entry wants 4 octets, 3 left"),
        ((1, 1), PATHS, "000000", "offset 0: path id wants 4 octets, 3 left"),
        ((1, 1), PATHS, "00000001", "offset 4: prefix length wants 1 octets, 0 left"),
        ((1, 1), PATHS, "00000001 00 00000002 21", "offset 9: prefix length 33, expected 0..=32"),
        ((1, 1), PATHS, "00000001 08", "offset 4: NLRI entry wants 2 octets, 1 left"),
        ((1, 4), ONE, "00", "offset 1: label stack wants 3 octets, 0 left"),
        ((1, 4), ONE, "10 0000", "offset 1: label stack wants 3 octets, 2 left"),
        ((1, 4), ONE, "17 000011", "offset 0: NLRI bits 23, expected 24..=56"),
        ((1, 4), ONE, "39 000011 0a0b0c0d0e", "offset 0: NLRI bits 57, expected 24..=56"),
        ((1, 4), ONE, "20 000011", "offset 0: NLRI entry wants 5 octets, 4 left"),
        ((1, 4), STACK, "18 000010", "offset 1: label stack wants 6 octets, 3 left"),
        ((1, 4), STACK, "20 000010 0a", "offset 1: label stack wants 6 octets, 4 left"),
        ((1, 4), STACK, "2f 000010 000021", "offset 0: NLRI bits 47, expected 48..=80"),
        ((1, 128), ONE, "57 000011 0000000000000000", "offset 0: NLRI bits 87, expected 88..=120"),
        (
            (1, 128),
            ONE,
            "79 000011 0000000000000000 0a0b0c0d0e",
            "offset 0: NLRI bits 121, expected 88..=120",
        ),
        ((2, 128), PATHS, "00000001 18 000011", "offset 4: NLRI bits 24, expected 88..=216"),
        ((1, 129), ONE, "3f 0000000000000000", "offset 0: NLRI bits 63, expected 64..=255"),
        ((1, 66), ONE, "00", "offset 0: NLRI bits 0, expected 128"),
        ((1, 73), ONE, "00", "offset 0: NLRI bits 0, expected 96"),
        ((2, 73), ONE, "60 000000000000000000000000", "offset 0: NLRI bits 96, expected 192"),
        ((1, 132), ONE, "1f 00000000", "offset 0: NLRI bits 31, expected 32..=96"),
        ((1, 132), ONE, "61 00000000000000000000000000", "offset 0: NLRI bits 97, expected 32..=96"),
        ((1, 5), ONE, "01", "offset 0: NLRI length wants 2 octets, 1 left"),
        ((25, 70), ONE, "02 05 01", "offset 0: NLRI entry wants 7 octets, 3 left"),
        ((25, 65), ONE, "00", "offset 0: NLRI length wants 2 octets, 1 left"),
        ((16388, 71), ONE, "0001 00", "offset 0: NLRI length wants 4 octets, 3 left"),
        ((16388, 72), ONE, "0001 0007 01020304050607", "offset 0: NLRI length 7, expected 8..=65535"),
        ((1, 85), ONE, "010001", "offset 0: NLRI length wants 4 octets, 3 left"),
        ((1, 133), ONE, "f0", "offset 0: NLRI length wants 2 octets, 1 left"),
        ((1, 133), ONE, "f0ff 00", "offset 0: NLRI entry wants 257 octets, 3 left"),
        ((1, 133), ONE, "05 01", "offset 0: NLRI entry wants 6 octets, 2 left"),
        ((1, 134), ONE, "01 00", "offset 0: NLRI length 1, expected 8..=4095"),
        ((31, 9), ONE, "", "offset 0: NLRI of afi-31-safi-9 cannot be told apart"),
    ];
    for ((afi, safi), reading, field, words) in rows {
        let error = Routes::check(Family::new(afi, safi), reading, &hex(field)).expect_err(words);
        assert_eq!(error.to_string(), words, "{afi}/{safi} {field}");
    }
}

#[test]
fn opens_and_the_small_ones() {
    let rows = [
        (pdu(2, &[]), "offset 18: BGP type 2, expected 1"),
        (pdu(1, &[]), "offset 19: OPEN version wants 1 octets, 0 left"),
        (pdu(1, &hex("04")), "offset 20: OPEN AS number wants 2 octets, 0 left"),
        (pdu(1, &hex("04 fde9 00")), "offset 22: OPEN hold time wants 2 octets, 1 left"),
        (pdu(1, &hex("04 fde9 00b4 c633")), "offset 24: OPEN BGP identifier wants 4 octets, 2 left"),
        (open(""), "offset 28: OPEN parameters length wants 1 octets, 0 left"),
        (open("01"), "offset 29: OPEN parameters wants 1 octets, 0 left"),
        (open("00 00"), "offset 29: 1 octets after OPEN parameters, expected none"),
        (open("01 02"), "offset 30: OPEN parameter length wants 1 octets, 0 left"),
        (open("02 02 01"), "offset 31: OPEN parameter wants 1 octets, 0 left"),
        (open("03 02 01 41"), "offset 31: capability header wants 2 octets, 1 left"),
        (open("08 02 06 41 05 0000fde9"), "offset 33: capability wants 5 octets, 4 left"),
        (open("ff ff 00"), "offset 30: OPEN extended parameters length wants 2 octets, 1 left"),
        (open("ff ff 0001"), "offset 32: OPEN parameters wants 1 octets, 0 left"),
        (open("ff ff 0002 02 00"), "offset 33: OPEN parameter length wants 2 octets, 1 left"),
        (open("ff ff 0003 02 0001"), "offset 35: OPEN parameter wants 1 octets, 0 left"),
    ];
    refused(rows, |octets| Open::parse(whole(octets)).err());
    let rows = [
        (pdu(4, &[]), "offset 18: BGP type 4, expected 3"),
        (pdu(3, &[6]), "offset 19: NOTIFICATION code and subcode wants 2 octets, 1 left"),
    ];
    refused(rows, |octets| Notification::parse(whole(octets)).err());
    let rows = [
        (pdu(4, &[]), "offset 18: BGP type 4, expected 5"),
        (pdu(5, &[0, 1, 0]), "offset 19: ROUTE-REFRESH family wants 4 octets, 3 left"),
    ];
    refused(rows, |octets| RouteRefresh::parse(whole(octets)).err());
    let rows = [
        (hex("02"), "offset 0: AS_PATH segment header wants 2 octets, 1 left"),
        (hex("0201 0000fde9 0202 0000fde9"), "offset 8: AS_PATH segment wants 8 octets, 4 left"),
    ];
    refused(rows, |value| AsPath::parse(value, true).err());
    refused([(hex("4001"), "offset 0: attribute header wants 3 octets, 2 left")], |block| {
        bgp::attributes(block).err()
    });
    refused([(hex("0001"), "offset 0: MP_UNREACH family wants 3 octets, 2 left")], |value| {
        MpUnreach::parse(value).err()
    });
    refused([(hex("0001 01 01"), "offset 4: MP_REACH next hop wants 1 octets, 0 left")], |value| {
        MpReach::parse(value).err()
    });
}

/// Our own faults: what does not fit where we write it.
#[test]
fn overflows() {
    let long = vec![0; 65536];
    let header = bmp::PeerHeader::default();
    let mut buffer = vec![0xa5; 3 << 20];
    let tlv = |value| Tlv { kind: 0, value };
    let capability = |value| bgp::Capability { kind: bgp::CapabilityKind(73), value };
    let most = vec![tlv(&long[..65535]); 16];
    let mut rows = vec![
        (bmp::initiation(&mut buffer[..5], &[]), "6 octets to write, room for 5"),
        (bmp::initiation(&mut buffer, &[tlv(&long)]), "TLV length 65536, at most 65535 can be written"),
        (bmp::initiation(&mut buffer, &most), "BMP length 1048630, at most 1048576 can be written"),
        (
            bmp::route_mirroring(&mut buffer, &header, &[], Some(&long)),
            "TLV length 65536, at most 65535 can be written",
        ),
        (
            bmp::route_monitoring(&mut buffer, &header, &vec![0; 1 << 20], &[]),
            "BMP length 1048624, at most 1048576 can be written",
        ),
        (
            bmp::route_monitoring_with(&mut buffer, &header, |_| Ok(1 << 20)),
            "BMP length 1048624, at most 1048576 can be written",
        ),
        (
            bmp::route_monitoring_with(&mut buffer[..47], &header, |_| Ok(0)),
            "48 octets to write, room for 47",
        ),
        (
            bgp::write_open(&mut buffer, 1, 2, [0; 4], &[capability(&long[..256])]),
            "capability length 256, at most 255 can be written",
        ),
        (
            bgp::write_open(&mut buffer, 1, 2, [0; 4], &[capability(&long[..255]); 16]),
            "OPEN length 4147, at most 4096 can be written",
        ),
        (bgp::keepalive(&mut buffer[..18]), "1 octets to write, room for 0"),
        (
            bgp::route_refresh(&mut buffer, Family::IPV4_UNICAST, 0, &long),
            "BGP length 65559, at most 65535 can be written",
        ),
        (
            nlri::write(&mut buffer, Family::new(1, 133), &long[..4096], &[]),
            "flowspec length 4096, at most 4095 can be written",
        ),
        (
            nlri::write(&mut buffer[..3], Family::IPV4_UNICAST, &[24, 1, 2, 3], &[]),
            "4 octets to write, room for 3",
        ),
    ];
    for (at, (got, words)) in rows.drain(..).enumerate() {
        assert_eq!(
            got.map_err(|overflow: Overflow| overflow.to_string()),
            Err(words.to_string()),
            "row {at}"
        );
    }
}

/// A stream that goes wrong gives everything before that first.
#[test]
fn nothing_before_an_error_is_lost() {
    let good: Vec<Vec<u8>> = VECTORS.iter().map(|(_, octets, _)| hex(octets)).collect();
    for bad in ["04 00000006 04", "03 00000005 04", "03 00200000 00", "00", "03 0000002f 00"] {
        let stream = [good.concat(), hex(bad)].concat();
        let (mut rest, mut seen) = (&stream[..], Vec::new());
        let error = loop {
            match Frame::split(rest) {
                Ok(Some((frame, tail))) => {
                    seen.push(frame.bytes().to_vec());
                    rest = tail;
                }
                Ok(None) => panic!("asked for more of {bad}"),
                Err(error) => break error,
            }
        };
        assert_eq!((seen, rest), (good.clone(), &hex(bad)[..]), "{error}");
    }
    // And a body that makes no sense is a frame all the same: the next one is found.
    let stream = [bmp(4, &[&[1]]), bmp(0, &[&peer(0, 0)]), good[0].clone()].concat();
    let (first, rest) = Frame::split(&stream).expect("a frame").expect("whole");
    let (second, rest) = Frame::split(rest).expect("a frame").expect("whole");
    assert!(first.message().is_err() && second.message().is_err());
    assert_eq!(rest, good[0]);
}
