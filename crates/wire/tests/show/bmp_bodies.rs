//! BMP messages that the golden file has not: every reason, every flag, every oddity seen.

use wire::bgp::PduKind;
use wire::bmp::{self, DownReason, Kind, PeerFlags, PeerHeader, PeerKind, TerminationReason, Tlv};

use crate::{frame, line_and_debug, made, octets, pdu, peer, tail, update};

const WHO: &str = "global 192.0.2.1 AS65001";

#[test]
fn peers() {
    let ipv6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let rows: &[(PeerHeader, &str)] = &[
        (peer(), WHO),
        (PeerHeader { flags: PeerFlags(0x80), address: ipv6, ..peer() }, "global 2001:db8::1 AS65001"),
        (PeerHeader { seconds: 1.into(), ..peer() }, "global 192.0.2.1 AS65001 1.000000"),
        (PeerHeader { micros: 250.into(), ..peer() }, "global 192.0.2.1 AS65001 0.000250"),
        (
            PeerHeader { flags: PeerFlags(0x7f), ..peer() },
            "global 192.0.2.1 AS65001 post-policy two-octet-as adj-rib-out flags 0f",
        ),
        (
            PeerHeader { kind: PeerKind::RD, distinguisher: [0, 0, 0xfb, 0xf3, 0, 0, 0, 11], ..peer() },
            "rd 64499:11 192.0.2.1 AS65001",
        ),
        (
            PeerHeader { kind: PeerKind::LOCAL, distinguisher: [0, 0, 0, 0, 0, 0, 0, 5], ..peer() },
            "local 0:5 192.0.2.1 AS65001",
        ),
        (
            PeerHeader { kind: PeerKind::LOC_RIB, flags: PeerFlags(0xc0), ..peer() },
            "loc-rib AS65001 filtered flags 40",
        ),
        (
            PeerHeader { kind: PeerKind(9), flags: PeerFlags(0x40), ..peer() },
            "peer-type-9 192.0.2.1 AS65001 flags 40",
        ),
    ];
    for (peer, expected) in rows {
        let bytes = made(|buffer| bmp::peer_down(buffer, peer, DownReason::DECONFIGURED, &[]));
        let line = line_and_debug(&frame(&bytes));
        assert_eq!(
            line.strip_prefix("peer-down ").unwrap().strip_suffix(" deconfigured").unwrap(),
            *expected
        );
        assert!(expected.starts_with(&peer.to_string()));
    }
}

#[test]
fn views() {
    let rows = [
        (PeerKind::GLOBAL, 0x00, "adj-rib-in-pre"),
        (PeerKind::GLOBAL, 0x40, "adj-rib-in-post"),
        (PeerKind::GLOBAL, 0x10, "adj-rib-out-pre"),
        (PeerKind::GLOBAL, 0x50, "adj-rib-out-post"),
        (PeerKind::GLOBAL, 0x21, "adj-rib-in-pre two-octet-as flags 01"),
        (PeerKind(9), 0x10, "flags 10"),
        (PeerKind::LOC_RIB, 0x80, "filtered"),
    ];
    let pdu = update(&[], &[], &[]);
    for (kind, flags, expected) in rows {
        let peer = PeerHeader { kind, flags: PeerFlags(flags), ..peer() };
        let bytes = made(|buffer| bmp::route_monitoring(buffer, &peer, &pdu, &[]));
        let line = line_and_debug(&frame(&bytes));
        let expected = format!("route-monitoring {peer} {expected} update end-of-rib ipv4-unicast");
        assert_eq!(line, expected);
    }
}

#[test]
fn route_monitoring() {
    let eor = update(&[], &[], &[]);
    let rows = [
        (eor.clone(), "", "update end-of-rib ipv4-unicast"),
        (eor.clone(), "ea62 0004 0000000a", "update end-of-rib ipv4-unicast tlv-60002 4 octets 0000000a"),
        (
            eor.clone(),
            "ea62 00",
            "update end-of-rib ipv4-unicast trailing 3 octets ea6200 (offset 73: TLV length wants 2 octets, 1 left)",
        ),
        (pdu(PduKind::KEEPALIVE, &[]), "", "keepalive"),
        (
            pdu(PduKind::UPDATE, &[0, 0, 0]),
            "",
            "update malformed: offset 69: path attributes wants 2 octets, 1 left",
        ),
        (octets("ffff00"), "", "malformed: offset 50: BGP marker octet 0, expected 255"),
        (eor[..20].to_vec(), "", "malformed: offset 48: BGP message wants 23 octets, 20 left"),
    ];
    for (pdu, trailing, expected) in rows {
        let bytes = made(|buffer| bmp::route_monitoring(buffer, &peer(), &pdu, &octets(trailing)));
        let line = line_and_debug(&frame(&bytes));
        assert_eq!(tail(&line, &format!("route-monitoring {WHO} adj-rib-in-pre ")), expected);
    }
}

#[test]
fn peer_down() {
    let cease = pdu(PduKind::NOTIFICATION, &[6, 9]);
    let rows = [
        (0, octets(""), "reason-0"),
        (1, cease.clone(), "local-notification cease hard-reset"),
        (1, [&cease[..], &[10]].concat(), "local-notification cease hard-reset trailing 1 octets 0a"),
        (1, octets(""), "local-notification malformed: offset 49: BGP header wants 19 octets, 0 left"),
        (3, pdu(PduKind::KEEPALIVE, &[]), "remote-notification malformed: offset 67: BGP type 4, expected 3"),
        (2, octets("0000"), "local-no-notification no-event"),
        (2, octets("001c"), "local-no-notification update-error"),
        (2, octets("001d"), "local-no-notification fsm-event-29"),
        (2, octets("00120a"), "local-no-notification tcp-connection-fails trailing 1 octets 0a"),
        (2, octets("00"), "local-no-notification malformed: offset 49: FSM event wants 2 octets, 1 left"),
        (4, octets("0a"), "remote-no-data data 1 octets 0a"),
        (6, octets("0003000176 0009 0000"), r#"loc-rib-ended table-name "v" tlv-9 0 octets"#),
        (6, octets("0003"), "loc-rib-ended malformed: offset 51: TLV length wants 2 octets, 0 left"),
        (200, octets("0a0b"), "reason-200 data 2 octets 0a0b"),
    ];
    for (reason, data, expected) in rows {
        let bytes = made(|buffer| bmp::peer_down(buffer, &peer(), DownReason(reason), &data));
        assert_eq!(tail(&line_and_debug(&frame(&bytes)), &format!("peer-down {WHO} ")), expected);
    }
}

#[test]
fn peer_up() {
    // a router that has no OPEN to show writes a header, or whatever
    let dummy = pdu(PduKind::OPEN, &[]);
    let keepalive = pdu(PduKind::KEEPALIVE, &[]);
    let malformed = "open malformed: offset 87: OPEN version wants 1 octets, 0 left";
    let rows = [
        (&dummy, &dummy, "", format!("sent {malformed} received the-same")),
        (&dummy, &keepalive, "", format!("sent {malformed} received keepalive")),
        (
            &keepalive,
            &dummy,
            "0000 0001 61 0004 0001 62 0063 0001 63",
            "sent keepalive received open malformed: offset 106: OPEN version wants 1 octets, 0 left \
             \"a\" admin-label \"b\" tlv-99 1 octets 63"
                .to_string(),
        ),
        (
            &dummy,
            &dummy,
            "00",
            format!(
                "sent {malformed} received the-same trailing 1 octets 00 (offset 106: TLV type wants 2 octets, 1 left)"
            ),
        ),
    ];
    for (sent, received, trailing, expected) in rows {
        let mut bytes = made(|buffer| {
            let opens = [sent, received].map(|open| wire::bgp::Pdu::split_whole(open).unwrap().0);
            bmp::peer_up(buffer, &peer(), &peer().address, (179, 40001), opens.into(), &[])
        });
        bytes.extend(octets(trailing));
        let len = u32::try_from(bytes.len()).unwrap();
        bytes[1..5].copy_from_slice(&len.to_be_bytes());
        let head = format!("peer-up {WHO} id 198.51.100.1 local 192.0.2.1:179 remote-port 40001 ");
        assert_eq!(tail(&line_and_debug(&frame(&bytes)), &head), expected);
    }
}

#[test]
fn statistics() {
    let rows: &[(&[(u16, &str)], &str)] = &[
        (&[], ""),
        (&[(0, "00000005"), (8, "0000000000000007")], " rejected-prefixes 5 loc-rib 7"),
        (&[(10, "000201 0000000000000007")], " loc-rib ipv6-unicast 7"),
        (&[(16, "000946 0000000000000007")], " adj-rib-out-pre afi-9-safi-70 7"),
        (
            &[(0, "05"), (65531, "00000005")],
            " rejected-prefixes 1 octets 05 statistic-65531 4 octets 00000005",
        ),
    ];
    for (stats, expected) in rows {
        let values: Vec<_> = stats.iter().map(|(kind, hex)| (*kind, octets(hex))).collect();
        let tlvs: Vec<_> = values.iter().map(|(kind, value)| Tlv { kind: *kind, value }).collect();
        let bytes = made(|buffer| bmp::statistics(buffer, &peer(), &tlvs));
        assert_eq!(tail(&line_and_debug(&frame(&bytes)), &format!("statistics {WHO}")), *expected);
    }
}

#[test]
fn route_mirroring() {
    let path = octets("40020a 0202 0000fde9 fa56ea00");
    let mirrored = update(&[], &path, &octets("08 0a"));
    let mut rows = vec![
        (vec![], None, "".to_string()),
        (vec![0, 1, 9], None, " errored-pdu messages-lost information-9".to_string()),
        (
            vec![1],
            Some(mirrored.clone()),
            " messages-lost update announce ipv4-unicast 10.0.0.0/8 as-path 65001 4200000000".to_string(),
        ),
        (
            vec![0],
            Some(mirrored[..20].to_vec()),
            " errored-pdu message 20 octets ffffffffffffffffffffffffffffffff00260200 \
             (offset 58: BGP message wants 38 octets, 20 left)"
                .to_string(),
        ),
    ];
    rows.push((
        vec![],
        Some([&pdu(PduKind::KEEPALIVE, &[])[..], &[1]].concat()),
        " keepalive trailing 1 octets 01".to_string(),
    ));
    for (codes, message, expected) in rows {
        let bytes = made(|buffer| bmp::route_mirroring(buffer, &peer(), &codes, message.as_deref()));
        assert_eq!(tail(&line_and_debug(&frame(&bytes)), &format!("route-mirroring {WHO}")), expected);
    }
    // AS numbers of two octets are a matter of the OPENs, whatever the header says
    let two = update(&[], &octets("400206 0202 fde9 0001"), &octets("08 0a"));
    let bytes = made(|buffer| bmp::route_mirroring(buffer, &peer(), &[], Some(&two)));
    let shown = frame(&bytes).show(&wire::bgp::Dialect::default()).to_string();
    assert_eq!(
        tail(&shown, &format!("route-mirroring {WHO} update ")),
        "announce ipv4-unicast 10.0.0.0/8 as-path 65001 1"
    );
}

#[test]
fn initiation_and_termination() {
    let text = |kind, value: &'static [u8]| Tlv { kind, value };
    let bytes = made(|buffer| {
        bmp::initiation(buffer, &[text(2, b"r1"), text(1, b""), text(0, b"x"), text(9, b"\n")])
    });
    assert_eq!(
        line_and_debug(&frame(&bytes)),
        r#"initiation sys-name "r1" sys-descr "" "x" tlv-9 1 octets 0a"#
    );
    let bytes =
        made(|buffer| bmp::termination(buffer, TerminationReason(9), &[text(1, b"\0"), text(0, b"bye")]));
    assert_eq!(line_and_debug(&frame(&bytes)), r#"termination reason-9 reason 1 octets 00 "bye""#);
    for (kind, expected) in [(4, "initiation"), (5, "termination"), (100, "unknown-100 0 octets")] {
        assert_eq!(line_and_debug(&frame(&[3, 0, 0, 0, 6, kind])), expected);
    }
    let cut = [3, 0, 0, 0, 8, Kind::INITIATION.0, 0, 0];
    assert_eq!(
        line_and_debug(&frame(&cut)),
        "initiation malformed: offset 8: TLV length wants 2 octets, 0 left"
    );
    let unknown = [3, 0, 0, 0, 8, 100, 10, 11];
    assert_eq!(line_and_debug(&frame(&unknown)), "unknown-100 2 octets 0a0b");
}
