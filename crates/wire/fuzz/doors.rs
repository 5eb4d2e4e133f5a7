//! Every door through which bytes from outside come in, opened to any bytes at all.
//!
//! One function a door. libFuzzer calls them with what it makes up; `cargo test` calls them with the
//! seeds beside this file. Beyond "no panic" each holds what its crate promises of bytes it takes:
//! what was split off is a run of the input, what is keyed can be written and read again, what
//! fails names an offset inside the input.

use std::fmt::{Display, Write as _};

use wire::bgp::{self, Action, Announce, AsPath, Dialect, Pdu, PduKind, Route, Update, View, Withdraw};
use wire::nlri::{self, Labels, Reading, Routes};
use wire::{Error, Family, bmp, mrt};

/// A stream of BMP.
pub(crate) fn bmp(data: &[u8]) {
    let mut rest = data;
    let mut dialect = Dialect::default();
    while let Some((frame, tail)) = ok(bmp::Frame::split(rest), rest.len()).flatten() {
        assert_eq!(frame.bytes().len() + tail.len(), rest.len());
        one_line(&frame);
        if let Some(message) = ok(frame.message(), frame.bytes().len()) {
            match message {
                bmp::Message::RouteMonitoring(monitoring) => {
                    ok(monitoring.trailing_tlvs(), frame.bytes().len());
                    one_line(&frame.show(&dialect));
                    for view in View::ALL {
                        pdu(monitoring.pdu, &dialect, view);
                    }
                }
                bmp::Message::PeerUp(up) => {
                    ok(up.tlvs(), frame.bytes().len());
                    let _ = up.table_name();
                    dialect = dialect.merged(up.dialect());
                }
                bmp::Message::PeerDown(down) => {
                    ok(down.notification(), frame.bytes().len());
                    ok(down.tlvs(), frame.bytes().len());
                    let _ = down.fsm_event();
                }
                bmp::Message::Statistics(statistics) => {
                    let values: Vec<_> = statistics.iter().map(|stat| stat.value()).collect();
                    assert_eq!(values.len(), statistics.len());
                }
                bmp::Message::RouteMirroring(mirroring) => {
                    for mirrored in mirroring.iter() {
                        if let bmp::Mirrored::Message(message) = mirrored {
                            bgp(message);
                        }
                    }
                }
                bmp::Message::Termination(tlvs) => {
                    let _ = bmp::TerminationReason::of(tlvs);
                }
                bmp::Message::Initiation(_) | bmp::Message::Unknown(_) => {}
            }
        }
        rest = tail;
    }
}

/// BGP messages one after another.
pub(crate) fn bgp(data: &[u8]) {
    let mut rest = data;
    while let Some((message, tail)) = ok(Pdu::split(rest), rest.len()).flatten() {
        assert_eq!(message.bytes().len() + tail.len(), rest.len());
        pdu(message, &Dialect::default(), View::AdjRibInPre);
        rest = tail;
    }
}

/// One BGP message, read in one dialect.
fn pdu(pdu: Pdu<'_>, dialect: &Dialect, view: View) {
    let len = pdu.bytes().len();
    one_line(&pdu);
    match pdu.kind() {
        PduKind::OPEN => {
            if let Some(open) = ok(bgp::Open::parse(pdu), len) {
                let _ = (open.asn(), open.families().count());
                let _ = Dialect::negotiated(&open, &open);
            }
        }
        PduKind::NOTIFICATION => {
            if let Some(notification) = ok(bgp::Notification::parse(pdu), len) {
                let _ = (notification.names(), notification.shutdown_communication());
            }
        }
        PduKind::ROUTE_REFRESH => {
            ok(bgp::RouteRefresh::parse(pdu), len);
        }
        PduKind::UPDATE => {
            if let Some(update) = ok(Update::parse(pdu), len) {
                self::update(&update, len, dialect, view);
            }
        }
        _ => {}
    }
}

/// What an UPDATE says, said again by our own hand, is the same.
fn update(update: &Update<'_>, len: usize, dialect: &Dialect, view: View) {
    // Room for what is said again, and for the longer headers that we write.
    let mut scratch = vec![0xa5; len + 64];
    let mut buffer = vec![0xa5; len + 64];
    for part in update.parts() {
        let Some(routes) = ok(part.routes(dialect, view), len) else { continue };
        keys(routes, part.nlri);
        if part.action == Action::Withdraw {
            let mut withdraw = Withdraw::open(&mut buffer, part.family).expect("room for an empty one");
            for entry in routes {
                if withdraw.push(entry.path_id(), &entry.key()).is_err() {
                    break; // a key may be longer than the withdrawal that has room for it
                }
            }
            let _ = withdraw.close();
        } else {
            let block = update.block(&part, &mut scratch).expect("no longer than the message");
            // The stub of MP_REACH may be two octets longer than what came.
            let Ok(mut announce) = Announce::open(&mut buffer, part.family, block) else { continue };
            let mut pushed = 0;
            for entry in routes {
                let (key, payload) = (entry.key(), entry.payload());
                let route = Route { path_id: entry.path_id(), key: &key, payload: &payload };
                if announce.push(&route).is_err() {
                    break;
                }
                pushed += 1;
            }
            let len = announce.close();
            let (again, _) = Pdu::split_whole(&buffer[..len]).expect("ours");
            let again = Update::parse(again).expect("ours");
            let count =
                again.parts().map(|part| part.routes(dialect, view).expect("ours").len()).sum::<usize>();
            assert_eq!(count, pushed);
        }
    }
    let _ = update.end_of_rib();
    attributes_of(update.attributes());
}

/// A field of NLRI: the first octet chooses the family, the second how to read it.
pub(crate) fn nlri(data: &[u8]) {
    let [which, how, field @ ..] = data else { return };
    let families = Family::known().count();
    let family = Family::known().nth(usize::from(*which) % families).expect("a known family");
    let labels = if how & 2 == 0 { Labels::One } else { Labels::Stack };
    let reading = Reading { add_path: how & 1 == 1, labels };
    let _ = nlri::trial(family, reading, field);
    let Some(routes) = ok(Routes::check(family, reading, field), field.len()) else { return };
    keys(routes, field);
    let (mut one, mut again) = ([0; 70000], [0; 70000]);
    for entry in routes {
        one_line(&entry);
        let (key, payload) = (entry.key(), entry.payload());
        let plain = Reading { add_path: false, labels };
        let len = nlri::write(&mut one, family, &key, &payload).expect("no longer than it was");
        let mut written = Routes::check(family, plain, &one[..len]).expect("ours");
        let entry = written.next().expect("one");
        assert_eq!((entry.key(), entry.payload(), written.next().is_none()), (key, payload, true));
        let Ok(len) = nlri::write_withdrawal(&mut again, family, &key) else { continue };
        let mut written = Routes::check(family, Reading::default(), &again[..len]).expect("ours");
        assert_eq!(written.next().expect("one").key(), key);
    }
}

/// The entries are the field: nothing left out, nothing twice.
fn keys(routes: Routes<'_>, field: &[u8]) {
    let count = routes.len();
    let (mut octets, mut seen) = (0, 0);
    for entry in routes {
        octets += entry.bytes().len() + entry.path_id().map_or(0, |_| 4);
        seen += 1;
        keys_of(entry);
    }
    assert_eq!((octets, seen), (field.len(), count));
}

fn keys_of(entry: nlri::Entry<'_>) {
    let (key, payload) = (entry.key(), entry.payload());
    assert!(key.len() + payload.len() <= entry.bytes().len() + 2, "{key:?} {payload:?}");
}

/// A block of attributes, as RIB dumps have them: the first octet chooses the family.
pub(crate) fn attributes(data: &[u8]) {
    let [which, block @ ..] = data else { return };
    if let Some(attributes) = ok(bgp::attributes(block), block.len()) {
        attributes_of(attributes);
    }
    let families = Family::known().count();
    let family = Family::known().nth(usize::from(*which) % families).expect("a known family");
    let Some(path) = ok(mrt::Path::parse(family, true, block), block.len()) else { return };
    self::path(&path);
}

/// The attributes of a dump become a block that an UPDATE can be made of.
fn path(path: &mrt::Path<'_>) {
    let room = path.attributes().rest().len() + mrt::PATH_GROWTH;
    let (mut scratch, mut buffer) = (vec![0xa5; room], vec![0xa5; room + bgp::HEADER_LEN + 4]);
    let block = path.block(&mut scratch).expect("no longer than promised");
    let Ok(announce) = Announce::open(&mut buffer, path.family, block) else { return };
    let len = announce.close();
    let (pdu, _) = Pdu::split_whole(&buffer[..len]).expect("ours");
    let update = Update::parse(pdu).expect("ours");
    assert_eq!(
        update.mp_next_hop().is_some(),
        path.mp_next_hop().is_some() || path.family != Family::IPV4_UNICAST
    );
}

fn attributes_of(attributes: bgp::Attributes<'_>) {
    for attribute in attributes {
        one_line(&attribute);
        for four_octets in [false, true] {
            if let Some(path) = ok(AsPath::parse(attribute.value, four_octets), attribute.value.len()) {
                path.for_each(|segment| segment.numbers().for_each(drop));
            }
        }
    }
}

/// MRT records one after another.
pub(crate) fn mrt(data: &[u8]) {
    let mut rest = data;
    while let Some((record, tail)) = ok(mrt::Record::split(rest), rest.len()).flatten() {
        assert_eq!(record.bytes().len() + tail.len(), rest.len());
        self::record(record);
        rest = tail;
    }
}

/// A file, compressed or not.
pub(crate) fn reader(data: &[u8]) {
    /// Enough for any input worth trying; a few octets can stand for gigabytes of zeros.
    const RECORDS_MAX: usize = 1000;
    let Ok(mut reader) = mrt::Reader::open(data) else { return };
    let mut position = 0;
    for _ in 0..RECORDS_MAX {
        let Ok(Some(record)) = reader.next() else { break };
        self::record(record);
        position += record.bytes().len() as u64;
        assert_eq!(reader.position(), position);
    }
}

fn record(record: mrt::Record<'_>) {
    let len = record.bytes().len();
    one_line(&record);
    match ok(record.message(), len) {
        Some(mrt::Message::Rib(rib)) => {
            keys_of(rib.nlri);
            let entries = rib.entries();
            assert_eq!(entries.len(), rib.entries().count());
            entries.for_each(|entry| ok(entry.path(), len).iter().for_each(path));
        }
        Some(mrt::Message::TableDump(dump)) => {
            keys_of(dump.nlri(&mut [0; mrt::NLRI_LEN]));
            ok(dump.path(), len).iter().for_each(path);
        }
        Some(mrt::Message::BgpEntry(entry)) => ok(entry.path(), len).iter().for_each(path),
        Some(mrt::Message::PeerIndexTable(table) | mrt::Message::GeoPeerTable(table)) => {
            let peers = table.peers();
            assert_eq!(peers.len(), table.peers().count());
        }
        Some(mrt::Message::BgpMessage(message)) => {
            if let Some(message) = ok(message.pdu(), len) {
                pdu(message, &Dialect::default(), View::AdjRibInPre);
            }
        }
        _ => {}
    }
}

/// The value, if there is one; an error must lie inside the input.
fn ok<T>(result: Result<T, Error>, len: usize) -> Option<T> {
    result.inspect_err(|error| assert!(error.offset <= len, "{error} in {len} octets")).ok()
}

/// Displays are one line, of printable characters, of bounded length.
fn one_line(shown: &dyn Display) {
    const LINE_MAX: usize = 4096;
    let mut line = String::new();
    write!(line, "{shown}").expect("a String");
    assert!(line.len() <= LINE_MAX, "{} octets", line.len());
    assert!(!line.chars().any(char::is_control), "{line:?}");
}
