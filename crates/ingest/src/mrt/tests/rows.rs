//! Records by hand, and the messages that come of them.

use std::fmt::Write as _;
use std::net::IpAddr;

use wire::Family;
use wire::bgp::{Capability, CapabilityKind, Open, Update, end_of_rib, keepalive, write_open};
use wire::bmp::{Frame, Message, PeerFlags};
use wire::mrt::Record;

use super::super::{Stamp, Who};
use super::*;

/// 192.0.2.0/24, without a path id and with one.
const PLAIN: &[u8] = &[24, 192, 0, 2];
const WITH_ID: &[u8] = &[0, 0, 0, 1, 24, 192, 0, 2];

fn sized(len: usize, body: &[u8]) -> Vec<u8> {
    let octets = body.len().to_be_bytes();
    [&octets[octets.len() - len..], body].concat()
}

fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    [&1_600_000_000_u32.to_be_bytes()[..], &kind.to_be_bytes(), &subtype.to_be_bytes(), &sized(4, body)]
        .concat()
}

/// Peer AS 64500 at 198.51.100.1, collector AS 64501 at 198.51.100.2; AS numbers of four octets in subtypes that
/// have them.
fn session(subtype: u16) -> Vec<u8> {
    let asn = |asn: u32| match subtype {
        4 | 5 | 7 | 9 | 11 => asn.to_be_bytes().to_vec(),
        _ => asn.to_be_bytes()[2..].to_vec(),
    };
    [&asn(64_500)[..], &asn(64_501), &[0, 0, 0, 1], &[198, 51, 100, 1], &[198, 51, 100, 2]].concat()
}

fn said(subtype: u16, pdu: &[u8]) -> Vec<u8> {
    record(16, subtype, &[&session(subtype)[..], pdu].concat())
}

fn state(old: u8, new: u8) -> Vec<u8> {
    record(16, 5, &[&session(5)[..], &[0, old, 0, new]].concat())
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(19 + body.len()).expect("short");
    [&[0xff; 16][..], &len.to_be_bytes(), &[kind], body].concat()
}

const ATTRIBUTES: &[u8] = &[0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 198, 51, 100, 1];

fn update(routes: &[u8]) -> Vec<u8> {
    pdu(2, &[&[0, 0][..], &sized(2, ATTRIBUTES), routes].concat())
}

fn open(asn: u32, add_path: Option<u8>) -> Vec<u8> {
    let wide = asn.to_be_bytes();
    let tuple = add_path.map(|mode| [0, 1, 1, mode]);
    let mut capabilities = vec![Capability { kind: CapabilityKind::FOUR_OCTET_AS, value: &wide }];
    capabilities.extend(tuple.as_ref().map(|value| Capability { kind: CapabilityKind::ADD_PATH, value }));
    let mut buffer = [0; 128];
    let len = write_open(&mut buffer, asn, 90, [1, 1, 1, 1], &capabilities).expect("room");
    buffer[..len].to_vec()
}

fn alive() -> Vec<u8> {
    let mut buffer = [0; 19];
    keepalive(&mut buffer).expect("room");
    buffer.to_vec()
}

/// A table of these peers, BGP identifiers 9.9.9.1 and on.
fn index(view: &str, peers: &[([u8; 4], u16)]) -> Vec<u8> {
    let mut body = [&[7, 7, 7, 7][..], &sized(2, view.as_bytes())].concat();
    body.extend(u16::try_from(peers.len()).expect("few").to_be_bytes());
    for (n, (ip, asn)) in (1..).zip(peers) {
        body.extend([0, 9, 9, 9, n]);
        body.extend(ip);
        body.extend(asn.to_be_bytes());
    }
    record(13, 1, &body)
}

/// Entries of 192.0.2.0/24: whose, and their path ids.
fn rib(entries: &[(u8, Option<u8>)]) -> Vec<u8> {
    let with = entries.iter().any(|(_, id)| id.is_some());
    let mut body = [&[0, 0, 0, 0][..], PLAIN].concat();
    body.extend([0, u8::try_from(entries.len()).expect("few")]);
    for (peer, id) in entries {
        body.extend([0, *peer, 0, 0, 0, 9]);
        body.extend(id.map(|id| [0, 0, 0, id]).into_iter().flatten());
        body.extend(sized(2, ATTRIBUTES));
    }
    record(13, if with { 8 } else { 2 }, &body)
}

/// The stream behind the Initiation, a few words a message.
fn words(stream: &[u8]) -> String {
    let mut words = String::new();
    let mut rest = stream;
    let mut dialects = std::collections::HashMap::new();
    while let Some((frame, tail)) = Frame::split(rest).expect("BMP") {
        rest = tail;
        let peer = frame.peer().map(|peer| peer.ip().to_string().split('.').next_back().map(str::to_owned));
        let peer = peer.flatten().unwrap_or_default();
        match frame.message().expect("a message that can be read") {
            Message::Initiation(_) => continue,
            Message::PeerUp(up) => {
                let [sent, received] =
                    [up.sent_open, up.received_open].map(|open| Open::parse(open).expect("an OPEN"));
                let families: Vec<String> = received.families().map(|f| f.to_string()).collect();
                write!(words, "up {peer} {}", families.join("+")).expect("a String");
                let dialect = up.dialect();
                if !dialect.add_path_in.is_empty() {
                    write!(words, " ids {:?}", dialect.add_path_in).expect("a String");
                }
                let holds = (sent.hold_time, received.hold_time);
                if holds != (180, 180) {
                    write!(words, " hold {} {}", holds.0, holds.1).expect("a String");
                }
                if !dialect.four_octet_as {
                    words.push_str(" as2");
                }
                dialects.insert(up.peer.identity(), dialect);
            }
            Message::PeerDown(down) => write!(words, "down {peer} {}", down.reason.0).expect("a String"),
            Message::RouteMonitoring(monitoring) => {
                let update: Update<'_> = monitoring.update().expect("an UPDATE");
                let header = frame.peer().expect("it has one");
                let flags = header.flags;
                let table = if flags.has(PeerFlags::ADJ_RIB_OUT) { "out" } else { "in" };
                write!(words, "{table} {peer}").expect("a String");
                if flags.has(PeerFlags::TWO_OCTET_AS) {
                    words.push_str(" a");
                }
                if let Some(family) = update.end_of_rib() {
                    write!(words, " end {family}").expect("a String");
                }
                for part in update.parts() {
                    let view = header.view().expect("a view");
                    let routes = part.routes(&dialects[&header.identity()], view).expect("routes");
                    for route in routes {
                        let id = route.path_id().map_or(String::new(), |id| format!("#{}", id.0));
                        write!(words, " {:?}{id}", part.action).expect("a String");
                    }
                }
            }
            other => panic!("{other:?}"),
        }
        words.push_str(", ");
    }
    words.trim_end_matches(", ").to_owned()
}

/// Records, how many are shown in advance, the messages, and what was skipped.
type Row = (Vec<Vec<u8>>, usize, &'static str, &'static str);

#[test]
fn told() {
    const ALL: usize = usize::MAX;
    const V: &str = "ipv4-unicast+ipv6-unicast";
    let one = ([198, 51, 100, 1], 64_500);
    let two = ([198, 51, 100, 3], 64_502);
    let mut end = [0; 64];
    let len = end_of_rib(&mut end, Family::IPV6_UNICAST).expect("room");
    let end = end[..len].to_vec();
    let rows: Vec<Row> = vec![
        // Sessions
        (vec![said(4, &update(PLAIN))], ALL, "up 1 ipv4-unicast, in 1 Announce", ""),
        (vec![said(4, &update(PLAIN))], 0, "up 1 V, in 1 Announce", ""),
        (vec![said(1, &update(PLAIN))], ALL, "up 1 ipv4-unicast as2, in 1 a Announce", ""),
        (vec![said(7, &update(PLAIN))], ALL, "up 1 ipv4-unicast, out 1 Announce", ""),
        (vec![said(4, &end)], ALL, "up 1 ipv6-unicast, in 1 end ipv6-unicast", ""),
        (vec![said(4, &alive()), said(4, &pdu(5, &[0, 1, 0, 1]))], ALL, "", "keepalive 1, route-refresh 1"),
        (vec![said(4, &pdu(9, &[])), said(4, &[1, 2])], ALL, "", "other-message 1, broken-message 1"),
        (vec![said(4, &pdu(2, &[0, 9]))], ALL, "", "broken-update 1"),
        (vec![said(4, &update(&[33, 1]))], ALL, "up 1 ipv4-unicast", "broken-routes 1"),
        // States
        (vec![state(5, 6), state(6, 1)], ALL, "up 1 ipv4-unicast, down 1 4", ""),
        (vec![state(1, 2), state(6, 6), state(6, 1)], ALL, "", "state-change 3"),
        (
            vec![said(4, &update(PLAIN)), state(5, 6)],
            ALL,
            "up 1 ipv4-unicast, in 1 Announce, down 1 2, up 1 ipv4-unicast",
            "",
        ),
        (
            vec![said(4, &update(PLAIN)), said(4, &pdu(3, &[6, 2])), state(6, 1)],
            ALL,
            "up 1 ipv4-unicast, in 1 Announce, down 1 3",
            "state-change 1",
        ),
        (vec![said(7, &pdu(3, &[6, 2]))], ALL, "", "notification 1"),
        // Path ids: from the routes, from the subtype, from the OPENs
        (vec![said(4, &update(WITH_ID))], ALL, "up 1 ipv4-unicast ids {ipv4-unicast}, in 1 Announce#1", ""),
        (vec![said(9, &update(WITH_ID))], ALL, "up 1 ipv4-unicast ids {ipv4-unicast}, in 1 Announce#1", ""),
        (vec![said(9, &update(PLAIN))], ALL, "up 1 ipv4-unicast, in 1 Announce", ""),
        (
            vec![said(4, &open(64_500, Some(2))), said(7, &open(64_501, Some(1))), said(4, &update(WITH_ID))],
            0,
            "up 1 ipv4-unicast ids {ipv4-unicast} hold 90 90, in 1 Announce#1",
            "open 2",
        ),
        // One that says otherwise than the routes is not taken.
        (
            vec![said(4, &open(64_500, None)), said(4, &update(WITH_ID))],
            ALL,
            "up 1 ipv4-unicast ids {ipv4-unicast}, in 1 Announce#1",
            "open 1",
        ),
        (
            vec![said(4, &open(64_500, None)), said(4, &update(PLAIN))],
            ALL,
            "up 1 ipv4-unicast hold 180 90, in 1 Announce",
            "open 1",
        ),
        (
            vec![said(4, &update(PLAIN)), said(4, &open(64_500, None)), said(4, &update(PLAIN))],
            ALL,
            "up 1 ipv4-unicast, in 1 Announce, down 1 4, up 1 ipv4-unicast hold 180 90, in 1 Announce",
            "open 1",
        ),
        // A family that was not expected.
        (vec![said(4, &update(PLAIN)), said(4, &end)], 1, "up 1 V, in 1 Announce, in 1 end ipv6-unicast", ""),
        // Tables
        (
            vec![index("", &[one, two]), rib(&[(0, None), (1, None)])],
            ALL,
            "up 1 ipv4-unicast, up 3 ipv4-unicast, in 1 Announce, in 3 Announce, in 1 end ipv4-unicast, \
             in 3 end ipv4-unicast",
            "",
        ),
        (
            vec![index("", &[one]), rib(&[(0, Some(4)), (0, Some(5))]), rib(&[(0, None)])],
            ALL,
            "up 1 ipv4-unicast ids {ipv4-unicast}, in 1 Announce#4 Announce#5 Announce#0, in 1 end ipv4-unicast",
            "",
        ),
        // Path ids that were not expected.
        (
            vec![index("", &[one]), rib(&[(0, None)]), rib(&[(0, Some(4))])],
            2,
            "up 1 V, in 1 Announce, down 1 2, up 1 V ids {ipv4-unicast}, in 1 Announce#4, in 1 end ipv4-unicast",
            "",
        ),
        // The same route twice: each has its message.
        (
            vec![index("", &[one]), rib(&[(0, None), (0, None)])],
            ALL,
            "up 1 ipv4-unicast, in 1 Announce, in 1 Announce, in 1 end ipv4-unicast",
            "",
        ),
        // What the peer says later comes later.
        (
            vec![index("", &[one]), rib(&[(0, None)]), said(4, &update(PLAIN))],
            ALL,
            "up 1 ipv4-unicast, in 1 Announce, in 1 end ipv4-unicast, in 1 Announce",
            "",
        ),
        (
            vec![index("", &[one]), index("b", &[one]), index("b", &[one])],
            ALL,
            "up 1 ipv4-unicast, down 1 2, up 1 ipv4-unicast",
            "",
        ),
        (
            vec![index("", &[one]), rib(&[(7, None)])],
            ALL,
            "up 1 ipv4-unicast, in 1 end ipv4-unicast",
            "no-entry 1",
        ),
        (vec![rib(&[(0, None)])], ALL, "", "no-entry 1"),
        // And what nobody reads
        (
            vec![record(11, 0, &[]), record(5, 1, &[1]), record(16, 3, &[0, 0, b'f', 0]), record(13, 2, &[])],
            ALL,
            "",
            "not-read-bgp-1 1, not-read-ospf-v2-0 1, malformed 1, snapshot 1",
        ),
    ];
    for (records, ahead, expected, skipped) in rows {
        let (stream, counts) = stream(&[&records.concat()], ahead, Filter::default());
        let line = words(&stream);
        let mut why: Vec<String> = counts.skipped.iter().map(|(why, n)| format!("{why} {n}")).collect();
        let mut wanted: Vec<&str> = skipped.split(", ").filter(|one| !one.is_empty()).collect();
        why.sort();
        wanted.sort_unstable();
        assert_eq!((line, why.join(", ")), (expected.replace('V', V), wanted.join(", ")), "{records:02x?}");
        station(&stream);
    }
}

#[test]
fn wanted() {
    let one = ([198, 51, 100, 1], 64_500);
    let two = ([198, 51, 100, 3], 64_502);
    let records = [index("", &[one, two]), rib(&[(0, None), (1, None)]), said(4, &update(PLAIN))].concat();
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let second = Stamp { seconds: 1_600_000_000, micros: 0 };
    let rows = [
        (Filter::default(), (3, 3)),
        (Filter { peers: vec![Who::As(64_502)], ..Filter::default() }, (2, 1)),
        (Filter { peers: vec![Who::Address(ip("198.51.100.1"))], ..Filter::default() }, (3, 2)),
        (Filter { prefixes: vec![(ip("192.0.0.0"), 16)], ..Filter::default() }, (3, 3)),
        (Filter { prefixes: vec![(ip("192.0.2.0"), 25)], ..Filter::default() }, (1, 0)),
        (Filter { families: vec![Family::IPV6_UNICAST], ..Filter::default() }, (1, 0)),
        (Filter { from: Some(second), to: Some(second), ..Filter::default() }, (3, 3)),
        (Filter { from: Some(Stamp { micros: 1, ..second }), ..Filter::default() }, (1, 0)),
        (Filter { to: Some(Stamp { seconds: 1_599_999_999, micros: 0 }), ..Filter::default() }, (1, 0)),
    ];
    for (filter, expected) in rows {
        let (stream, counts) = stream(&[&records], usize::MAX, filter.clone());
        assert_eq!((counts.mirrored, counts.announced), expected, "{filter:?}");
        assert_eq!(station(&stream).tally().announced as u64, counts.announced, "{filter:?}");
    }
}

/// Attributes of more than a message of old, and routes that fill several.
#[test]
fn long() {
    let mut attributes = ATTRIBUTES.to_vec();
    attributes.extend([0xd0, 8]);
    attributes.extend(sized(2, &[7; 4200]));
    let mut records = index("", &[([198, 51, 100, 1], 64_500)]);
    for (n, attributes) in
        (0..3000_u16).zip(std::iter::once(&attributes[..]).chain(std::iter::repeat(ATTRIBUTES)))
    {
        let [high, low] = n.to_be_bytes();
        let body = [&[0, 0, 0, 0, 24, 10, high, low, 0, 1, 0, 0, 0, 0, 0, 9][..], &sized(2, attributes)];
        records.extend(record(13, 2, &body.concat()));
    }
    let (stream, counts) = stream(&[&records], 0, Filter::default());
    let station = station(&stream);
    assert_eq!((station.tables().len(), counts.announced), (3000, 3000));
    assert_eq!(counts.peer_ups, 2, "the second says that messages may be long");
    // 23 octets, attributes, and routes of four octets each.
    let each = (4096 - 23 - ATTRIBUTES.len()) / 4;
    assert_eq!(counts.messages, 1 + 2 + 1 + 2999_usize.div_ceil(each) as u64 + 1);
}

/// A table of one file and a session of another: what waits to be packed leaves before what is said later of its
/// peer, and of nobody else.
#[test]
fn two_files() {
    let gone = pdu(2, &[&sized(2, PLAIN)[..], &[0, 0]].concat());
    let other = ([198, 51, 100, 3], 64_502);
    for (peer, expected) in [
        (([198, 51, 100, 1], 64_500), "up 1 V, in 1 Announce, in 1 Withdraw, in 1 end ipv4-unicast"),
        (other, "up 3 V, up 1 V, in 1 Withdraw, in 3 Announce, in 3 end ipv4-unicast"),
    ] {
        let mut router = Router::new(Filter::default());
        let mut out = Vec::new();
        for (input, bytes) in [(0, index("", &[peer])), (0, rib(&[(0, None)])), (1, said(4, &gone))] {
            let (record, _) = Record::split(&bytes).expect("MRT").expect("a whole one");
            router.take(Input(input), &record, &mut out);
        }
        router.ended(Input(0), &mut out);
        assert_eq!(words(&out), expected.replace('V', "ipv4-unicast+ipv6-unicast"));
    }
}

/// What is pushed twice is one stream after the other.
#[test]
fn again() {
    let mut router = Router::new(Filter::default());
    let mut out = Vec::new();
    router.initiation("rr1", "a test", &mut out).expect("short");
    for _ in 0..2 {
        for bytes in [index("", &[([198, 51, 100, 1], 64_500)]), rib(&[(0, None)])] {
            let (record, _) = Record::split(&bytes).expect("MRT").expect("a whole one");
            router.take(Input(0), &record, &mut out);
        }
        router.ended(Input(0), &mut out);
        assert_eq!(router.peers_up(), 1);
        router.leave(&mut out);
    }
    let one =
        "up 1 V, in 1 Announce, in 1 end ipv4-unicast, down 1 5".replace('V', "ipv4-unicast+ipv6-unicast");
    assert_eq!(words(&out), format!("{one}, {one}"));
    station(&out);
}
