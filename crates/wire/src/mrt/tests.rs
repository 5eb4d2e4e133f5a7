//! Records by hand: one of every kind, what each says, and every way of cutting it short.

mod rows;

use std::fmt::Write;

use self::rows::{ROWS, WRONG};
use super::*;
use crate::bgp::{Announce, Route, Update};
use crate::{Family, nlri};

/// The octets of digits; spaces are for the reader.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let digit =
        |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok()).expect("a digit");
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String");
        text
    })
}

/// A record with this body, written at 0x5f5e1000; `_ET` bodies begin with their microseconds.
fn record(kind: u16, subtype: u16, body: &str) -> Vec<u8> {
    let body = hex(body);
    let len = u32::try_from(body.len()).expect("short");
    let mut record = hex("5f5e1000");
    record.extend(kind.to_be_bytes());
    record.extend(subtype.to_be_bytes());
    record.extend(len.to_be_bytes());
    record.extend(body);
    record
}

/// Everything that the API says of the first record: one line, or the error.
fn told(bytes: &[u8]) -> String {
    let record = match Record::split(bytes) {
        Ok(Some((record, _))) => record,
        Ok(None) => return "more".into(),
        Err(error) => return error.to_string(),
    };
    match record.message() {
        Ok(Message::TableDump(dump)) => {
            let mut scratch = [0; NLRI_LEN];
            let nlri = dump.nlri(&mut scratch);
            let TableDump { view, sequence, prefix, bits, status, originated, peer_ip, peer_as, .. } = dump;
            format!(
                "view {view} sequence {sequence} {prefix}/{bits} status {status} at {originated} \
                 peer {peer_ip} AS{peer_as} key {:?} {}",
                nlri.key(),
                path(dump.path(), &nlri, None)
            )
        }
        Ok(Message::PeerIndexTable(table) | Message::GeoPeerTable(table)) => {
            let place = |location: Option<Location>| match location {
                Some(Location { latitude, longitude }) => format!(" at {latitude},{longitude}"),
                None => String::new(),
            };
            let mut line = format!(
                "collector {} view {:?}{} {} peers",
                digits(&table.collector_id),
                String::from_utf8_lossy(table.view_name),
                place(table.location),
                table.peers().len()
            );
            for (index, peer) in table.peers().enumerate() {
                let by_index = table.peer(PeerIndex(u16::try_from(index).expect("a count of two octets")));
                assert_eq!(by_index.map(|peer| peer.ip), Some(peer.ip));
                let Peer { kind, bgp_id, ip, asn, location } = peer;
                let id = digits(&bgp_id);
                write!(line, ", type {} {id} {ip} AS{asn}{}", kind.0, place(location)).expect("a String");
            }
            line
        }
        Ok(Message::Rib(rib)) => {
            let Rib { sequence, family, nlri, .. } = rib;
            let mut line = format!(
                "sequence {sequence} {family} key {:?} payload {:?} {} entries",
                nlri.key(),
                nlri.payload(),
                rib.entries().len()
            );
            for entry in rib.entries() {
                let RibEntry { peer: PeerIndex(peer), originated, path_id, .. } = entry;
                let id = path_id.map_or(String::new(), |id| format!(" id {}", id.0));
                let path = path(entry.path(), &nlri, path_id);
                write!(line, ", peer {peer} at {originated}{id} {path}").expect("a String");
            }
            line
        }
        Ok(Message::StateChange(change)) => {
            let StateChange { session, old, new, four_octet_as } = change;
            let (old, new) = (old.name().unwrap_or("?"), new.name().unwrap_or("?"));
            format!("{} as4 {four_octet_as} {old} to {new}", ends(session))
        }
        Ok(Message::BgpMessage(message)) => {
            let BgpMessage { session, four_octet_as, local, add_path, bytes, .. } = message;
            assert_eq!(record.bytes().get(message.bytes_offset()..), Some(bytes));
            let pdu = match message.pdu() {
                Ok(pdu) => format!("{} of {} octets", pdu.kind().name().unwrap_or("?"), pdu.bytes().len()),
                Err(error) => error.to_string(),
            };
            format!("{} as4 {four_octet_as} local {local} add-path {add_path} {pdu}", ends(session))
        }
        Ok(Message::BgpEntry(entry)) => {
            let BgpEntry { session, view, status, changed, family, next_hop, nlri, .. } = entry;
            format!(
                "{} view {view} status {status} at {changed} {family} next hop {next_hop} key {:?} {}",
                ends(session),
                nlri.key(),
                path(entry.path(), &nlri, None)
            )
        }
        Ok(Message::BgpSnapshot(BgpSnapshot { view, file_name })) => {
            format!("view {view} file {:?}", String::from_utf8_lossy(file_name))
        }
        Ok(Message::Unknown(same)) => {
            assert_eq!(same, record);
            format!("unknown {} {} body {}", record.kind().0, record.subtype().0, digits(record.body()))
        }
        Err(error) => {
            assert!(error.offset <= record.bytes().len(), "{error}");
            error.to_string()
        }
    }
}

fn ends(session: Session) -> String {
    let Session { peer_as, local_as, ifindex, peer_ip, local_ip } = session;
    format!("{peer_ip} AS{peer_as} to {local_ip} AS{local_as} if {ifindex}")
}

/// The block of a path, which has been through [`Announce`] and back.
fn path(path: Result<Path<'_>, Error>, nlri: &nlri::Entry<'_>, path_id: Option<nlri::PathId>) -> String {
    let path = match path {
        Ok(path) => path,
        Err(error) => return error.to_string(),
    };
    let len = path.attributes().rest().len() + PATH_GROWTH;
    let mut scratch = vec![0xa5; len];
    let block = path.block(&mut scratch).expect("always enough");
    let mut buffer = [0xa5; 4096];
    let (key, payload) = (nlri.key(), nlri.payload());
    let mut announce = Announce::open(&mut buffer, path.family, block).expect("it fits");
    announce.push(&Route { path_id, key: &key, payload: &payload }).expect("it fits");
    let len = announce.close();
    let (pdu, _) = crate::bgp::Pdu::split_whole(&buffer[..len]).expect("ours");
    let update = Update::parse(pdu).expect("ours");
    assert_eq!(update.mp_next_hop().map(|hop| hop.0.to_vec()), hop_of(&path));
    let part = update.parts().next().expect("a route");
    assert_eq!(part.family, path.family);
    let (entry, rest) = rib::one_route(path.family, path_id.is_some(), part.nlri).expect("the route");
    assert_eq!((&*entry.key(), entry.path_id(), rest.len()), (&*key, path_id, 0));
    let mut scratch = [0xa5; 4096];
    assert_eq!(digits(update.block(&part, &mut scratch).expect("it fits")), digits(block));
    format!("as4 {} block {}", path.four_octet_as, digits(block))
}

/// The next hop that the MP_REACH of a path's block must have.
fn hop_of(path: &Path<'_>) -> Option<Vec<u8>> {
    let none = (path.family != Family::IPV4_UNICAST).then(Vec::new);
    path.mp_next_hop().map(|hop| hop.0.to_vec()).or(none)
}

#[test]
fn every_kind() {
    for (kind, subtype, body, expected) in ROWS.iter().chain(WRONG) {
        let bytes = record(*kind, *subtype, &body.concat());
        // Blocks may be spaced for the reader, lines must agree apart from that.
        let bare = |line: &str| line.replace(' ', "");
        let line = told(&bytes);
        assert_eq!(bare(&line), bare(expected), "{kind} {subtype} {body:?}\n{line}");
    }
}

#[test]
fn header() {
    let rows: &[(&str, &str)] = &[
        ("5f5e1000 0010 0001 00000002 abcd ef", "bgp4mp message 1600000000.0 at 12 [abcd] rest 1"),
        ("5f5e1000 0011 0001 00000005 000f423f ab", "bgp4mp-et message 1600000000.999999 at 16 [ab] rest 0"),
        ("5f5e1000 0031 0001 00000004 ffffffff", "ospf-v3-et ? 1600000000.4294967295 at 16 [] rest 0"),
        ("00000000 0063 0007 00000000", "? ? 0.0 at 12 [] rest 0"),
        ("5f5e1000 0011 0001 00000003 000f42", "offset 8: MRT length 3, expected 4..=16777216"),
        ("5f5e1000 000d 0002 01000001", "offset 8: MRT length 16777217, expected 0..=16777216"),
        ("5f5e1000 000d 0002 01000000", "more"),
        ("5f5e1000 000d 0002 000000", "more"),
        ("", "more"),
    ];
    for (bytes, expected) in rows {
        let bytes = hex(bytes);
        let line = match Record::split(&bytes) {
            Ok(Some((record, rest))) => format!(
                "{} {} {}.{} at {} [{}] rest {}",
                record.kind().name().unwrap_or("?"),
                record.subtype().name(record.kind()).unwrap_or("?"),
                record.seconds(),
                record.micros(),
                record.body_offset(),
                digits(record.body()),
                rest.len()
            ),
            Ok(None) => "more".into(),
            Err(error) => error.to_string(),
        };
        assert_eq!(line, *expected);
    }
}

/// Every record cut at every octet asks for more; with a header that agrees to the cut it is an
/// error, unless what was cut is carried unread.
#[test]
fn cut_everywhere() {
    for (kind, subtype, body, _) in ROWS {
        let bytes = record(*kind, *subtype, &body.concat());
        for len in 0..bytes.len() {
            assert_eq!(told(&bytes[..len]), "more", "{kind} {subtype} at {len}");
        }
        for len in HEADER_LEN..bytes.len() {
            let mut bytes = bytes[..len].to_vec();
            let body_len = u32::try_from(len - HEADER_LEN).expect("short");
            bytes[8..12].copy_from_slice(&body_len.to_be_bytes());
            let line = told(&bytes);
            let unread = line.starts_with("unknown") || line.contains("add-path");
            assert!(line.starts_with("offset") || unread, "{kind} {subtype} at {len}: {line}");
        }
    }
}

/// Any octet may be any other: something is said, and nothing panics.
#[test]
fn any_octet_wrong() {
    for (kind, subtype, body, _) in ROWS.iter().chain(WRONG) {
        let bytes = record(*kind, *subtype, &body.concat());
        for at in 0..bytes.len() {
            for wrong in [0, 1, 0x21, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at].wrapping_add(8)] {
                let mut bytes = bytes.clone();
                bytes[at] = wrong;
                told(&bytes);
            }
        }
    }
}

#[test]
fn paths() {
    const V4: Family = Family::IPV4_UNICAST;
    const V6: Family = Family::IPV6_UNICAST;
    const LS: Family = Family::new(16388, 71);
    const FLOW: Family = Family::new(1, 133);
    const STUB: &str = "900e0009 0002 01 04 c0000201 00";
    let rows: &[(Family, &str, &str)] = &[
        // IPv4 unicast: as it stands, unless there is something to mend
        (V4, "", "= "),
        (V4, "40010100 400304c0000201", "= 40010100 400304c0000201"),
        (V4, "40010100 800f03 000201 400304c0000201", "40010100 400304c0000201"),
        (V4, "40010100 800e05 04c0000201", "900e0009 0001 01 04 c0000201 00 40010100"),
        (V4, "40010100 800e01 00", "900e0005 0001 01 00 00 40010100"),
        // the forms of MP_REACH
        (V6, "40010100 800e05 04c0000201", "900e0009 0002 01 04 c0000201 00 40010100"),
        (V6, "40010100 800e09 0002 01 04 c0000201 00", "900e0009 0002 01 04 c0000201 00 40010100"),
        (V6, "800e08 0002 01 04 c0000201", STUB),
        (V6, "800e0b 0002 01 04 c0000201 00 0820", STUB),
        (V6, "900e000b 0002 01 04 c0000201 00 0820", STUB),
        (V6, "800e09 0002 01 04 c0000201 00", STUB),
        (V6, "900e0009 0002 01 04 c0000201 00", "= 900e0009 0002 01 04 c0000201 00"),
        (
            V6,
            "900e0009 0002 01 04 c0000201 00 c00804 00010002",
            "= 900e0009 0002 01 04 c0000201 00 c00804 00010002",
        ),
        (V6, "900e0009 0002 01 04 c0000201 01", STUB),
        (V6, "d00e0009 0002 01 04 c0000201 00", STUB),
        (V6, "900e0009 0002 02 04 c0000201 00", STUB), // the record says which family
        (V6, "900e0009 0001 01 04 c0000201 00", STUB),
        (V6, "900e0009 0002 01 04 c0000201 00 800f03 000201", STUB),
        (V6, "", "900e0005 0002 01 00 00"),
        (V6, "40010100 400304c0000201", "900e0005 0002 01 00 00 40010100 400304c0000201"),
        (LS, "800e05 04c0000201", "900e0009 4004 47 04 c0000201 00"),
        (LS, "800e09 4004 47 04 c0000201 00", "900e0009 4004 47 04 c0000201 00"),
        (FLOW, "800e01 00", "900e0005 0001 85 00 00"),
        (FLOW, "800e05 0001 85 00 00", "900e0005 0001 85 00 00"),
        // what no form is
        (V6, "40010100 800e00", "offset 7: MP_REACH next hop length wants 1 octets, 0 left"),
        (V6, "40010100 800e02 04c0", "offset 8: MP_REACH next hop wants 4 octets, 1 left"),
        (V6, "800e02 0002", "offset 3: MP_REACH family and next hop length wants 4 octets, 2 left"),
        (V6, "800e05 0002 01 04 c0", "offset 7: MP_REACH next hop wants 4 octets, 1 left"),
        (V6, "800e01 00 800e01 00", "offset 7: MP_REACH a second time, expected once"),
        (V4, "40010100 4002", "offset 4: attribute header wants 3 octets, 2 left"),
    ];
    for (family, attributes, expected) in rows {
        let bytes = hex(attributes);
        let mut scratch = vec![0xa5; bytes.len() + PATH_GROWTH];
        let line = match Path::parse(*family, true, &bytes) {
            Ok(path) => {
                let block = path.block(&mut scratch).expect("always enough");
                let own = if std::ptr::eq(block.as_ptr(), bytes.as_ptr()) { "= " } else { "" };
                format!("{own}{}", digits(block))
            }
            Err(error) => error.to_string(),
        };
        let bare = |line: &str| line.replace(' ', "");
        assert_eq!(bare(&line), bare(expected), "{family} {attributes}");
        // One octet less is too little, wherever something has to be put together.
        if !line.starts_with(['=', 'o']) {
            let path = Path::parse(*family, true, &bytes).expect("it was one");
            for room in 0..line.len() / 2 {
                assert!(path.block(&mut scratch[..room]).is_err(), "{family} {attributes} in {room}");
            }
        }
    }
}
