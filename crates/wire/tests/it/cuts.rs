//! Cut and broken messages: asked for more, refused, or read as less. Never as more, never a panic.
//!
//! ```text
//!  cut as a stream cuts            Frame::split, Pdu::split ask for more
//!  cut, and the outer lengths say so   the doors inside see it: refused, or a prefix of the routes
//!  one bit turned, any             whatever it is now: read to the end, or refused
//! ```

use wire::bgp::{Action, AsPath, Dialect, Notification, Open, Pdu, RouteRefresh, Update, View};
use wire::bmp::{Frame, Message, Mirrored, TerminationReason};
use wire::nlri::{Labels, Reading, Routes, trial};
use wire::{Error, Family, FamilySet};

use crate::entries::{FAMILIES, entry};
use crate::entropy::prove;
use crate::hand::{
    ATTRIBUTES, attribute, be16, bmp, hex, mp_reach, mp_unreach, open, pdu, peer, route_monitoring, update,
};
use crate::vectors::VECTORS;

/// Messages of every kind, and UPDATEs of every family.
fn messages() -> Vec<(String, Vec<u8>)> {
    let mut messages: Vec<_> =
        VECTORS.iter().map(|(name, octets, _)| ((*name).to_string(), hex(octets))).collect();
    let mut add = |name: &str, octets| messages.push((name.to_string(), octets));
    let peer = peer(0, 0);
    let extended = open("ff ff 0013 02 0006 01 04 0002 00 01  02 0007 45 04 0001 01 03 06 00");
    let up = [&peer[..], &[0; 20], &extended, &pdu(1, &[])].concat();
    add("peer up", bmp(3, &[&up, &hex("0003 0006 676c6f62616c 0000 0000")]));
    add("mirrored", bmp(6, &[&peer, &hex("0001 0002 0001 0000 0017"), &pdu(5, &hex("0001 00 01"))]));
    add("statistics", bmp(1, &[&peer, &hex("00000002 0009 000b 0001 01 0000000000000001 fffb 0000")]));
    add("behind the PDU", bmp(0, &[&peer, &update(&[], &[], &hex("18 cb0071")), &hex("ea61 0004 0000000a")]));
    add("unknown", bmp(100, &[&[7; 60]]));
    for family in FAMILIES {
        // One of the cases that are drawn for this family, and it has all fields.
        let found = std::cell::RefCell::new(Vec::new());
        prove(3, 200, |entropy| {
            let field: Vec<u8> = (0..4).flat_map(|_| entry(family, entropy, false).wire()).collect();
            found.replace(field);
        });
        let nlri = found.into_inner();
        let reach = mp_reach(0x90, family, &[9; 12], &nlri);
        let unreach = mp_unreach(0x90, family, &nlri);
        let attributes = [unreach, hex(ATTRIBUTES), reach, attribute(0xd0, 32, &[3; 12])].concat();
        let octets = update(&hex("10 0a0b 08 0c"), &attributes, &hex("00 20 01020304"));
        add(&format!("{family:?}"), route_monitoring(&octets));
    }
    messages
}

/// Families, actions and bytes of all routes; what is refused has none.
fn routes(update: &Update<'_>, dialect: &Dialect, view: View) -> Vec<(Action, Family, Vec<u8>)> {
    let mut all = Vec::new();
    for part in update.parts() {
        let Ok(routes) = part.routes(dialect, view) else { continue };
        let each = routes.map(|entry| {
            let id = entry.path_id().map_or(0, |id| id.0);
            (part.action, part.family, [&id.to_be_bytes()[..], entry.bytes()].concat())
        });
        all.extend(each);
    }
    all
}

fn routes_of(octets: &[u8]) -> Result<Vec<(Action, Family, Vec<u8>)>, Error> {
    let Some((frame, _)) = Frame::split(octets)? else { panic!("asked for more than there is") };
    frame.message()?;
    let Some(monitoring) = frame.route_monitoring()? else { return Ok(Vec::new()) };
    Ok(routes(&monitoring.update()?, &Dialect::default(), View::AdjRibInPre))
}

/// Every door there is, opened as far as it goes. Views and dialects are those that read most.
fn open_all(octets: &[u8]) {
    let every: FamilySet = Family::known().collect();
    let most = Dialect { add_path_in: every, label_stack: every, ..Dialect::default() };
    let Ok(Some((frame, _))) = Frame::split(octets) else { return };
    let inside = |error: Error| assert!(error.offset <= octets.len(), "{error}");
    let Some(message) = frame.message().map_err(inside).ok() else { return };
    match message {
        Message::RouteMonitoring(monitoring) => {
            let _ = monitoring.trailing_tlvs().map_err(inside);
            open_pdu(monitoring.pdu, &[Dialect::default(), most]);
        }
        Message::Statistics(statistics) => {
            for stat in statistics.iter() {
                let _ = (stat.kind.name(), stat.value());
            }
            assert_eq!(statistics.iter().count(), statistics.len());
        }
        Message::PeerDown(down) => {
            let _ = (down.notification().map_err(inside), down.fsm_event(), down.tlvs().map_err(inside));
        }
        Message::PeerUp(up) => {
            let _ = (up.local_ip(), up.peer.ip(), up.table_name(), up.tlvs().map_err(inside));
            let dialect = up.dialect();
            assert_eq!(dialect.merged(dialect), dialect);
            open_pdu(up.sent_open, &[]);
            open_pdu(up.received_open, &[]);
        }
        Message::Initiation(tlvs) => drop(tlvs.count()),
        Message::Termination(tlvs) => drop(TerminationReason::of(tlvs).and_then(TerminationReason::name)),
        Message::RouteMirroring(mirroring) => {
            for mirrored in mirroring.iter() {
                if let Mirrored::Message(message) = mirrored
                    && let Ok(Some((pdu, _))) = Pdu::split(message)
                {
                    open_pdu(pdu, &[Dialect::default(), most]);
                }
            }
        }
        Message::Unknown(frame) => assert_eq!(frame.body_offset(), 6),
    }
}

fn open_pdu(pdu: Pdu<'_>, dialects: &[Dialect]) {
    if let Ok(open) = Open::parse(pdu) {
        let tuples = open.capabilities().flat_map(|capability| capability.tuples());
        let _ = (open.asn(), open.families().count(), tuples.count());
    }
    if let Ok(notification) = Notification::parse(pdu) {
        let _ = (notification.names(), notification.shutdown_communication());
    }
    let _ = RouteRefresh::parse(pdu);
    let Ok(update) = Update::parse(pdu) else { return };
    let _ = (update.end_of_rib(), update.mp_next_hop());
    for attribute in update.attributes() {
        for four_octets in [false, true] {
            let _ = AsPath::parse(attribute.value, four_octets)
                .map(|path| path.flat_map(|segment| segment.numbers()).count());
        }
    }
    let mut scratch = vec![0; pdu.bytes().len()];
    for part in update.parts() {
        update.block(&part, &mut scratch).expect("as many octets as the message has");
        let _ = trial(part.family, Reading::default(), part.nlri);
        for dialect in dialects {
            let Ok(routes) = part.routes(dialect, View::AdjRibInPre) else { continue };
            for entry in routes {
                assert!(entry.key().len() + entry.payload().len() <= entry.bytes().len() + 2);
            }
        }
    }
}

#[test]
fn cut_streams_ask_for_more() {
    for (name, octets) in messages() {
        for cut in 0..octets.len() {
            assert!(Frame::split(&octets[..cut]).is_ok_and(|frame| frame.is_none()), "{name} cut at {cut}");
        }
        let (frame, rest) = Frame::split(&octets).expect(&name).expect(&name);
        assert_eq!((frame.bytes(), rest), (&octets[..], &[][..]));
        if let Ok(Some(monitoring)) = frame.route_monitoring() {
            let pdu = monitoring.pdu.bytes();
            for cut in 0..pdu.len() {
                assert!(Pdu::split(&pdu[..cut]).is_ok_and(|pdu| pdu.is_none()), "{name} cut at {cut}");
                assert!(Pdu::split_whole(&pdu[..cut]).is_err(), "{name} cut at {cut}");
            }
        }
    }
}

/// Writes lengths over a cut message: of BMP, and where `bgp` says so of the PDU as well.
fn patched(octets: &[u8], cut: usize, bgp: bool) -> Vec<u8> {
    let mut cut_off = octets[..cut].to_vec();
    cut_off[1..5].copy_from_slice(&u32::try_from(cut).expect("short").to_be_bytes());
    if bgp && cut >= 48 + 18 {
        cut_off[64..66].copy_from_slice(&be16(cut - 48));
    }
    cut_off
}

#[test]
fn cut_messages_say_less_or_nothing() {
    let (mut refused, mut less) = (0, 0);
    for (name, octets) in messages() {
        let whole = routes_of(&octets).expect(&name);
        for (cut, bgp) in (6..octets.len()).flat_map(|cut| [(cut, false), (cut, true)]) {
            let cut_off = patched(&octets, cut, bgp);
            open_all(&cut_off);
            match routes_of(&cut_off) {
                // Withdrawn routes and attributes have their own lengths: what is missing is NLRI.
                Ok(routes) => {
                    assert!(whole.starts_with(&routes), "{name} cut at {cut}: {routes:?}");
                    less += 1;
                    let boundary = octets[5] != 0 || bgp || octets.len() - cut <= 8;
                    assert!(boundary, "{name} cut at {cut}");
                }
                Err(error) => {
                    assert!(error.offset <= cut, "{name} cut at {cut}: {error}");
                    refused += 1;
                }
            }
        }
    }
    println!("{refused} cuts refused, {less} read as less");
}

/// A field of NLRI is read up to a cut if and only if an entry ends there.
#[test]
fn cut_fields_end_where_entries_do() {
    for family in FAMILIES {
        prove(64, 120, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let (mut field, mut ends) = (Vec::new(), vec![0]);
            for _ in 0..1 + entropy.below(4) {
                if add_path {
                    field.extend(entropy.octets(4));
                }
                field.extend(entry(family, entropy, stack).wire());
                ends.push(field.len());
            }
            let labels = if stack { Labels::Stack } else { Labels::One };
            let check =
                |field| Routes::check(Family::new(family.0, family.1), Reading { add_path, labels }, field);
            for cut in (0..=field.len()).filter(|cut| *cut < 600 || field.len() - cut < 600) {
                let count = ends.iter().position(|end| *end == cut);
                let routes = check(&field[..cut]);
                assert_eq!(
                    routes.as_ref().ok().map(ExactSizeIterator::len),
                    count,
                    "{family:?} cut at {cut}"
                );
                match routes {
                    Ok(routes) => {
                        let whole = check(&field).expect("a field that was drawn");
                        assert!(
                            routes
                                .map(|e| e.bytes().to_vec())
                                .eq(whole.take(count.expect("an end")).map(|e| e.bytes().to_vec()))
                        );
                    }
                    Err(error) => assert!(error.offset <= cut, "{error}"),
                }
            }
        });
    }
}

#[test]
fn no_bit_is_worth_a_panic() {
    let mut turned = 0;
    for (_, octets) in messages() {
        open_all(&octets);
        for bit in (0..octets.len() * 8).filter(|bit| *bit < 8 * 1500) {
            let mut octets = octets.clone();
            octets[bit / 8] ^= 0x80 >> (bit % 8);
            open_all(&octets);
            turned += 1;
        }
    }
    println!("{turned} bits turned");
}

/// Several octets at once, anywhere, and lengths that are patched to let them in.
#[test]
fn no_octets_are_worth_a_panic() {
    let messages = messages();
    prove(4000, 40, |entropy| {
        let mut octets = messages[entropy.below(messages.len())].1.clone();
        for _ in 0..1 + entropy.below(6) {
            let at = 5 + entropy.below(octets.len() - 5);
            octets[at] = entropy.octet();
        }
        let cut = 6 + entropy.below(octets.len() - 5);
        open_all(&patched(&octets, cut, entropy.rarely(2)));
    });
}
