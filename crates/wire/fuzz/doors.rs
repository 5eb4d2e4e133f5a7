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
pub fn bmp(data: &[u8]) {
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
                    up.table_name();
                    dialect = dialect.merged(up.dialect());
                }
                bmp::Message::PeerDown(down) => {
                    ok(down.notification(), frame.bytes().len());
                    ok(down.tlvs(), frame.bytes().len());
                    down.fsm_event();
                }
                bmp::Message::Statistics(statistics) => {
                    assert_eq!(statistics.iter().map(|stat| stat.value()).count(), statistics.len());
                }
                bmp::Message::RouteMirroring(mirroring) => {
                    for mirrored in mirroring.iter() {
                        if let bmp::Mirrored::Message(message) = mirrored {
                            bgp(message);
                        }
                    }
                }
                bmp::Message::Termination(tlvs) => {
                    bmp::TerminationReason::of(tlvs);
                }
                bmp::Message::Initiation(_) | bmp::Message::Unknown(_) => {}
            }
        }
        rest = tail;
    }
}

/// BGP messages one after another.
pub fn bgp(data: &[u8]) {
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
                Dialect::negotiated(&open, &open);
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
    let mut scratch = vec![0xa5; 65535];
    let mut buffer = vec![0xa5; 65535];
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
            withdraw.close();
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
            let count = again.parts().map(|part| part.routes(dialect, view).expect("ours").len()).sum::<usize>();
            assert_eq!(count, pushed);
        }
    }
    update.end_of_rib();
    attributes_of(update.attributes());
}

/// A field of NLRI: the first octet chooses the family, the second how to read it.
pub fn nlri(data: &[u8]) {
    let [which, how, field @ ..] = data else { return };
    let families = Family::known().count();
    let family = Family::known().nth(usize::from(*which) % families).expect("a known family");
    let labels = if how & 2 == 0 { Labels::One } else { Labels::Stack };
    let reading = Reading { add_path: how & 1 == 1, labels };
    nlri::trial(family, reading, field);
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
        let (key, payload) = (entry.key(), entry.payload());
        assert!(key.len() + payload.len() <= entry.bytes().len() + 2, "{key:?} {payload:?}");
    }
    assert_eq!((octets, seen), (field.len(), count));
}

/// A block of attributes, as RIB dumps have them: the first octet chooses the family.
pub fn attributes(data: &[u8]) {
    let [which, block @ ..] = data else { return };
    if let Some(attributes) = ok(bgp::attributes(block), block.len()) {
        attributes_of(attributes);
    }
    let families = Family::known().count();
    let family = Family::known().nth(usize::from(*which) % families).expect("a known family");
    let mut scratch = [0; 70000];
    if let Ok(block) = mrt::block(family, block, &mut scratch) {
        let mut buffer = [0; 65535];
        if let Ok(announce) = Announce::open(&mut buffer, family, block) {
            let len = announce.close();
            let (pdu, _) = Pdu::split_whole(&buffer[..len]).expect("ours");
            Update::parse(pdu).expect("ours");
        }
    }
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
pub fn mrt(data: &[u8]) {
    let mut rest = data;
    while let Some((record, tail)) = ok(mrt::Record::split(rest), rest.len()).flatten() {
        assert_eq!(record.bytes().len() + tail.len(), rest.len());
        self::record(record);
        rest = tail;
    }
}

/// A file, compressed or not.
pub fn reader(data: &[u8]) {
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
    one_line(&record);
    if let Some(mrt::Message::Bgp4mp(message)) = ok(record.message(), record.bytes().len()) {
        bgp(message.bytes);
    }
}

/// The value, if there is one; an error must lie inside the input.
fn ok<T>(result: Result<T, Error>, len: usize) -> Option<T> {
    result.inspect_err(|error| assert!(error.offset <= len, "{error} in {len} octets")).ok()
}

/// Displays are one line, of printable characters, of bounded length.
fn one_line(shown: &dyn Display) {
    const LINE_MAX: usize = 16384;
    let mut line = String::new();
    write!(line, "{shown}").expect("a String");
    assert!(line.len() <= LINE_MAX, "{} octets", line.len());
    assert!(!line.chars().any(char::is_control), "{line:?}");
}
