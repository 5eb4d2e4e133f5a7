//! What a message says, in one line, and the same message written again: the one place where these
//! tests touch the API of `bmp` and `bgp`.

use wire::Error;
use wire::bgp::{self, Action, Announce, AsPath, AttributeKind, Capability, Dialect, Open, Part, Pdu};
use wire::bgp::{Notification, PduKind, Route, RouteRefresh, Update, View, Withdraw, write_open};
use wire::bmp::{self, Frame, Message, Mirrored, PeerHeader, StatValue, TerminationReason, Tlv, Tlvs};

use crate::hand::unhex;

/// The message that is all of `bytes`.
pub(crate) fn frame(bytes: &[u8]) -> Frame<'_> {
    let (frame, rest) = Frame::split(bytes).expect("a frame").expect("a whole frame");
    assert_eq!((frame.bytes().len(), rest.len()), (bytes.len(), 0));
    frame
}

/// All that a message says, or why it says nothing.
pub(crate) fn facts(bytes: &[u8]) -> String {
    facts_in(bytes, &Dialect { four_octet_as: true, ..Dialect::default() })
}

pub(crate) fn facts_in(bytes: &[u8], dialect: &Dialect) -> String {
    let frame = frame(bytes);
    let name = frame.kind().name().map_or_else(|| format!("type {}", frame.kind().0), str::to_string);
    let peer = frame.peer().map(|peer| format!("{name} {}", identity(peer))).unwrap_or(name);
    let said = match frame.message() {
        Err(error) => error.to_string(),
        Ok(message) => said(&message, dialect),
    };
    if said.is_empty() { peer } else { format!("{peer} | {said}") }
}

/// What stands in a per-peer header beside its distinguisher, if that is zero.
fn identity(peer: &PeerHeader) -> String {
    let kind = peer.kind.name().map_or_else(|| format!("kind-{}", peer.kind.0), str::to_string);
    let view = peer.view().map_or("no-view", View::name);
    let rd = if peer.distinguisher == [0; 8] { String::new() } else { unhex(&peer.distinguisher) + ":" };
    let (asn, id, seconds, micros) = (peer.asn, unhex(&peer.bgp_id), peer.seconds, peer.micros);
    format!("{kind} {view} {rd}{} as {asn} id {id} at {seconds}.{micros:06}", peer.ip())
}

fn said(message: &Message<'_>, dialect: &Dialect) -> String {
    match message {
        Message::RouteMonitoring(monitoring) => {
            let view = monitoring.peer.view().unwrap_or(View::AdjRibInPre);
            let pdu = match monitoring.update() {
                Ok(update) => update_said(&update, monitoring.peer.four_octet_as(), dialect, view),
                Err(error) => error.to_string(),
            };
            let trailing = if monitoring.trailing.is_empty() {
                String::new()
            } else {
                format!(" | behind {}", or_error(monitoring.trailing_tlvs().map(tlvs_said)))
            };
            pdu + &trailing
        }
        Message::Statistics(statistics) => {
            assert_eq!(statistics.is_empty(), statistics.iter().next().is_none());
            let each = statistics.iter().map(|stat| match (stat.kind.name(), stat.value()) {
                (Some(name), StatValue::Counter(n)) => format!("{name} {n}"),
                (Some(name), StatValue::Gauge(n)) => format!("{name} ={n}"),
                (Some(name), StatValue::FamilyGauge(family, n)) => format!("{name} {family} ={n}"),
                (name, StatValue::Other(bytes)) => {
                    format!(
                        "{}? {}",
                        name.map_or_else(|| stat.kind.0.to_string(), str::to_string),
                        unhex(bytes)
                    )
                }
                (None, value) => panic!("a value without a name: {value:?}"),
            });
            format!("{}: {}", statistics.len(), each.collect::<Vec<_>>().join(", "))
        }
        Message::PeerDown(down) => {
            let reason =
                down.reason.name().map_or_else(|| format!("reason {}", down.reason.0), str::to_string);
            let more = match (down.notification(), down.fsm_event(), down.tlvs()) {
                (Ok(None), None, Ok(None)) => unhex(down.data),
                (Ok(None), Some(event), Ok(None)) => format!("event {event}"),
                (Ok(Some(notification)), None, Ok(None)) => notification_said(&notification),
                (Ok(None), None, Ok(Some(tlvs))) => tlvs_said(tlvs),
                (Err(error), None, Ok(None)) | (Ok(None), None, Err(error)) => error.to_string(),
                other => panic!("two readings of a Peer Down: {other:?}"),
            };
            format!("{reason} {more}")
        }
        Message::PeerUp(up) => {
            let table = up.table_name().map_or(String::new(), |name| format!(" | table {}", text(name)));
            format!(
                "{} {}>{} | sent {} | received {} | {}{table}",
                up.local_ip(),
                up.local_port(),
                up.remote_port(),
                pdu_said(up.sent_open),
                pdu_said(up.received_open),
                or_error(up.tlvs().map(tlvs_said)),
            )
        }
        Message::Initiation(tlvs) => tlvs_said(*tlvs),
        Message::Termination(tlvs) => {
            let reason = TerminationReason::of(*tlvs);
            let name = reason.and_then(TerminationReason::name).unwrap_or("no reason");
            format!("{name} | {}", tlvs_said(*tlvs))
        }
        Message::RouteMirroring(mirroring) => {
            let each = mirroring.iter().map(|mirrored| match mirrored {
                Mirrored::Message(message) => match Pdu::split(message) {
                    Ok(Some((pdu, []))) => format!("message {}", pdu_said(pdu)),
                    other => {
                        format!("bytes {} {}", unhex(message), or_error(other.map(|_| "not whole".into())))
                    }
                },
                Mirrored::ErroredPdu => "errored".into(),
                Mirrored::MessagesLost => "lost".into(),
                Mirrored::Other(tlv) => format!("other {}={}", tlv.kind, unhex(tlv.value)),
            });
            each.collect::<Vec<_>>().join(", ")
        }
        Message::Unknown(frame) => {
            assert_eq!(frame.peer(), None);
            unhex(frame.body())
        }
    }
}

fn or_error(said: Result<String, Error>) -> String {
    said.unwrap_or_else(|error| error.to_string())
}

fn text(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

fn tlvs_said(tlvs: Tlvs<'_>) -> String {
    let said = tlvs.map(|tlv| match std::str::from_utf8(tlv.value) {
        Ok(text) if !text.is_empty() && !text.contains(char::is_control) => format!("{}={text:?}", tlv.kind),
        _ => format!("{}={}", tlv.kind, unhex(tlv.value)),
    });
    format!("[{}]", said.collect::<Vec<_>>().join(" "))
}

/// What a BGP message of any kind says.
pub(crate) fn pdu_said(pdu: Pdu<'_>) -> String {
    let said = match pdu.kind() {
        PduKind::OPEN => Open::parse(pdu).map(|open| open_said(&open)),
        PduKind::UPDATE => Update::parse(pdu)
            .map(|update| update_said(&update, true, &Dialect::default(), View::AdjRibInPre)),
        PduKind::NOTIFICATION => {
            Notification::parse(pdu).map(|notification| notification_said(&notification))
        }
        PduKind::ROUTE_REFRESH => RouteRefresh::parse(pdu).map(|refresh| {
            format!("refresh {} {} {}", refresh.family, refresh.subtype, unhex(refresh.filters))
        }),
        kind => Ok(format!("{} {}", kind.name().unwrap_or("unknown"), unhex(pdu.body()))),
    };
    or_error(said)
}

fn open_said(open: &Open<'_>) -> String {
    let each = |capability: Capability<'_>| format!("{}={}", capability.kind.0, unhex(capability.value));
    let capabilities = open.capabilities().map(each).collect::<Vec<_>>().join(" ");
    let families = open.families().map(|family| family.to_string()).collect::<Vec<_>>().join(" ");
    let (version, my_as, hold, id) = (open.version, open.my_as, open.hold_time, open.bgp_id());
    format!("open {version} as {}({my_as}) hold {hold} id {id} [{capabilities}] {families}", open.asn())
}

fn notification_said(notification: &Notification<'_>) -> String {
    let (code, subcode) = notification.names();
    let said = notification
        .shutdown_communication()
        .map_or(String::new(), |said| " says ".to_string() + &text(said));
    format!("{code}/{} {}{said}", subcode.unwrap_or("-"), unhex(notification.data))
}

/// Routes, then what AS_PATH and the next hops say.
pub(crate) fn update_said(update: &Update<'_>, four_octets: bool, dialect: &Dialect, view: View) -> String {
    let mut said = Vec::new();
    if let Some(family) = update.end_of_rib() {
        said.push(format!("end-of-rib {family}"));
    }
    for part in update.parts() {
        let sign = if part.action == Action::Announce { '+' } else { '-' };
        let mp = if part.multiprotocol { "mp:" } else { "" };
        said.push(format!(
            "{sign}{mp}{} {}",
            part.family,
            or_error(part.routes(dialect, view).map(|routes| {
                let each = routes.map(|entry| {
                    let id = entry.path_id().map_or(String::new(), |id| format!("#{} ", id.0));
                    let payload = entry.payload();
                    let payload = if payload.is_empty() { String::new() } else { format!(":{payload:?}") };
                    format!("{id}{:?}{payload}", entry.key())
                });
                each.collect::<Vec<_>>().join(" ")
            }))
        ));
    }
    for attribute in update.attributes() {
        match attribute.kind {
            AttributeKind::AS_PATH => {
                let path = AsPath::parse(attribute.value, four_octets).map(|path| {
                    let each = path.map(|segment| {
                        format!("{}{:?}", segment.kind, segment.numbers().collect::<Vec<_>>())
                    });
                    each.collect::<Vec<_>>().join(" ")
                });
                said.push(format!("path {}", or_error(path)));
            }
            AttributeKind::NEXT_HOP => said.push(format!("via {}", unhex(attribute.value))),
            _ => {}
        }
    }
    if let Some(next_hop) = update.mp_next_hop() {
        said.push(format!("via {next_hop}"));
    }
    said.join(", ")
}

/// The same message by our own hand, into a buffer of 0xa5, of which nothing behind it is touched.
/// PDUs of Route Monitoring and Route Mirroring pass as they are; OPENs are made anew.
pub(crate) fn written(bytes: &[u8]) -> Vec<u8> {
    let frame = frame(bytes);
    let collect =
        |tlvs: Tlvs<'_>| -> Vec<(u16, Vec<u8>)> { tlvs.map(|tlv| (tlv.kind, tlv.value.to_vec())).collect() };
    fn lend(owned: &[(u16, Vec<u8>)]) -> Vec<Tlv<'_>> {
        owned.iter().map(|(kind, value)| Tlv { kind: *kind, value }).collect()
    }
    into_a5(|out| match frame.message().expect("a message") {
        Message::RouteMonitoring(m) => bmp::route_monitoring(out, m.peer, m.pdu.bytes(), m.trailing),
        Message::Statistics(m) => {
            let stats: Vec<_> = m.iter().map(|stat| (stat.kind.0, stat.bytes.to_vec())).collect();
            bmp::statistics(out, m.peer, &lend(&stats))
        }
        Message::PeerDown(m) => bmp::peer_down(out, m.peer, m.reason, m.data),
        Message::PeerUp(m) => {
            let (sent, received) = (opened_again(m.sent_open), opened_again(m.received_open));
            let opens = [&sent, &received].map(|open| Pdu::split_whole(open).expect("an OPEN").0);
            let (ports, tlvs) = ((m.local_port(), m.remote_port()), collect(m.tlvs().expect("TLVs")));
            bmp::peer_up(out, m.peer, m.local_address(), ports, opens.into(), &lend(&tlvs))
        }
        Message::Initiation(tlvs) => bmp::initiation(out, &lend(&collect(tlvs))),
        Message::Termination(tlvs) => {
            let reason = TerminationReason::of(tlvs).expect("a reason");
            bmp::termination(out, reason, &lend(&collect(tlvs)[1..]))
        }
        Message::RouteMirroring(m) => {
            let tlvs = collect(m.tlvs);
            let message = tlvs.iter().find(|(kind, _)| *kind == 0).map(|(_, value)| &value[..]);
            let codes: Vec<u16> = tlvs
                .iter()
                .filter(|(kind, _)| *kind == 1)
                .map(|(_, value)| u16::from_be_bytes(value[..].try_into().expect("two octets")))
                .collect();
            bmp::route_mirroring(out, m.peer, &codes, message)
        }
        Message::Unknown(_) => panic!("nobody writes what nobody knows"),
    })
}

/// What `write` writes; it has room to spare and must not touch it.
pub(crate) fn into_a5(write: impl FnOnce(&mut [u8]) -> Result<usize, wire::Overflow>) -> Vec<u8> {
    let mut buffer = vec![0xa5; 70_000];
    let len = write(&mut buffer).expect("room enough");
    assert!(buffer[len..].iter().all(|octet| *octet == 0xa5), "octets behind the message");
    buffer.truncate(len);
    buffer
}

/// An OPEN made anew from what it says.
pub(crate) fn opened_again(pdu: Pdu<'_>) -> Vec<u8> {
    let open = Open::parse(pdu).expect("an OPEN");
    let capabilities: Vec<_> = open.capabilities().collect();
    into_a5(|out| write_open(out, open.asn(), open.hold_time, open.bgp_id, &capabilities))
}

/// An UPDATE of one part made anew from what it says: block and routes, keys, or nothing.
pub(crate) fn packed_again(update: &Update<'_>, dialect: &Dialect, view: View) -> Vec<u8> {
    if let Some(family) = update.end_of_rib() {
        return into_a5(|out| bgp::end_of_rib(out, family));
    }
    let parts: Vec<Part<'_>> = update.parts().collect();
    let [part] = parts[..] else { panic!("{} parts", parts.len()) };
    let routes = part.routes(dialect, view).expect("routes");
    let mut scratch = [0; 4096];
    let block = update.block(&part, &mut scratch).expect("a block");
    into_a5(|out| {
        if part.action == Action::Withdraw {
            let mut withdraw = Withdraw::open(out, part.family)?;
            for entry in routes {
                withdraw.push(entry.path_id(), &entry.key())?;
            }
            return Ok(withdraw.close());
        }
        let mut announce = Announce::open(out, part.family, block)?;
        for entry in routes {
            let (key, payload) = (entry.key(), entry.payload());
            announce.push(&Route { path_id: entry.path_id(), key: &key, payload: &payload })?;
        }
        Ok(announce.close())
    })
}

/// What nearly every row would say: left out of the answers.
const PEER: &str = " global adj-rib-in-pre 192.0.2.1 as 65001 id c6336401 at 1700000000.250000";
const LOC_RIB: &str = " loc-rib loc-rib 0.0.0.0 as 65001 id c6336401 at 1700000000.250000";
const OPEN: &str = "open 4 as 65001(65001) hold 180 id 198.51.100.1";

/// Each row says what it should, but for what nearly every row says.
pub(crate) fn rows<const N: usize>(rows: [(&str, Vec<u8>, &str); N]) {
    compare(rows.map(|(name, octets, said)| (name, facts(&octets), said)));
}

/// Each answer is what its row says.
pub(crate) fn compare<const N: usize>(rows: [(&str, String, &str); N]) {
    let mut wrong = 0;
    for (name, got, said) in rows {
        let got = got.replace(OPEN, "open").replace(LOC_RIB, " of a loc-rib").replace(PEER, "");
        if got.trim_end() != said {
            println!("{name}\n  want {said}\n  got  {got}");
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0, "rows that differ");
}
