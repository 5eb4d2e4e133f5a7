//! BMP messages: kind, peer, flags, time, and then what each of them says.
//!
//! ```text
//!  route-monitoring global 192.0.2.1 AS65001 adj-rib-in-pre 1699999999.250000 update …
//!  peer-up rd 64499:11 10.0.0.2 AS65001 id 198.51.100.1 local 10.0.0.1:179 remote-port 40002
//!          sent open … received open … "uplink A"
//!  peer-down loc-rib AS4200000001 loc-rib-ended table-name "global"
//! ```

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use super::bgp::{Context, write_notification, write_pdu};
use super::peer::head;
use super::tlv::{initiation_tlv, table_tlv, termination_tlv, unknown_tlv, write_tlvs, write_trailing};
use super::{Octets, STATISTICS_MAX, TLVS_MAX, leftover, line, list, more, named, plain};
use crate::Error;
use crate::bgp::{Dialect, Pdu, View};
use crate::bmp::{
    DownReason, Frame, HEADER_LEN, Kind, Message, Mirrored, PEER_HEADER_LEN, PeerDown, PeerUp,
    RouteMirroring, RouteMonitoring, Stat, StatValue, Statistics, Tlv,
};

/// Where the body of a message about a peer begins.
const BODY_AT: usize = HEADER_LEN + PEER_HEADER_LEN;
/// Octets of addresses and ports in a Peer Up.
const PEER_UP_FIXED_LEN: usize = 20;

/// Shows with and without a dialect, in one line.
macro_rules! show_with_dialect {
    ($($kind:ident $write:ident,)*) => {
        $(impl<'a> $kind<'a> {
            /// Displays it in one line, as peers that speak this dialect mean it.
            #[must_use]
            pub fn show(&self, dialect: &Dialect) -> impl Display + use<'a> {
                let (message, dialect) = (*self, *dialect);
                fmt::from_fn(move |f| line(f, fmt::from_fn(|f| $write(f, &message, &dialect))))
            }
        }

        impl Display for $kind<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                line(f, fmt::from_fn(|f| $write(f, self, &plain())))
            }
        }

        super::debug_is_display!($kind<'_>);)*
    };
}

/// Shows what no dialect says more about, in one line.
macro_rules! show {
    ($($kind:ident $write:ident,)*) => {
        $(impl Display for $kind<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                line(f, fmt::from_fn(|f| $write(f, self)))
            }
        }

        super::debug_is_display!($kind<'_>);)*
    };
}

show_with_dialect! {
    Frame write_frame,
    Message write_message,
    RouteMonitoring write_route_monitoring,
    RouteMirroring write_route_mirroring,
}

show! {
    PeerUp write_peer_up,
    PeerDown write_peer_down,
    Statistics write_statistics,
}

fn write_frame(f: &mut Formatter<'_>, frame: &Frame<'_>, dialect: &Dialect) -> fmt::Result {
    match frame.message() {
        Ok(message) => write_message(f, &message, dialect),
        Err(error) => {
            head(f, frame.kind(), frame.peer())?;
            write!(f, " malformed: {error}")
        }
    }
}

fn write_message(f: &mut Formatter<'_>, message: &Message<'_>, dialect: &Dialect) -> fmt::Result {
    match message {
        Message::RouteMonitoring(monitoring) => write_route_monitoring(f, monitoring, dialect),
        Message::Statistics(statistics) => write_statistics(f, statistics),
        Message::PeerDown(down) => write_peer_down(f, down),
        Message::PeerUp(up) => write_peer_up(f, up),
        Message::Initiation(tlvs) => {
            head(f, Kind::INITIATION, None)?;
            write_tlvs(f, *tlvs, initiation_tlv)
        }
        Message::Termination(tlvs) => {
            head(f, Kind::TERMINATION, None)?;
            write_tlvs(f, *tlvs, termination_tlv)
        }
        Message::RouteMirroring(mirroring) => write_route_mirroring(f, mirroring, dialect),
        Message::Unknown(frame) => {
            head(f, frame.kind(), frame.peer())?;
            write!(f, " {}", Octets(frame.body()))
        }
    }
}

fn write_route_monitoring(
    f: &mut Formatter<'_>,
    monitoring: &RouteMonitoring<'_>,
    dialect: &Dialect,
) -> fmt::Result {
    let peer = monitoring.peer;
    head(f, Kind::ROUTE_MONITORING, Some(peer))?;
    // Flags that nobody can read name no view, and then the dialect says nothing either.
    let (dialect, view) = peer.view().map_or((plain(), View::AdjRibInPre), |view| (*dialect, view));
    let dialect = Dialect { four_octet_as: peer.four_octet_as(), ..dialect };
    f.write_str(" ")?;
    write_pdu(f, monitoring.pdu, &Context { dialect, view, offset: BODY_AT })?;
    write_trailing(f, monitoring.trailing, monitoring.trailing_tlvs(), unknown_tlv)
}

fn write_peer_up(f: &mut Formatter<'_>, up: &PeerUp<'_>) -> fmt::Result {
    head(f, Kind::PEER_UP, Some(up.peer))?;
    write!(f, " id {}", std::net::Ipv4Addr::from(up.peer.bgp_id))?;
    if (up.local_port(), up.remote_port(), *up.local_address()) != (0, 0, [0; 16]) {
        let local = SocketAddr::new(up.local_ip(), up.local_port());
        write!(f, " local {local} remote-port {}", up.remote_port())?;
    }
    f.write_str(" sent ")?;
    let sent_at = BODY_AT + PEER_UP_FIXED_LEN;
    write_known_pdu(f, up.sent_open, sent_at)?;
    f.write_str(" received ")?;
    if up.sent_open == up.received_open {
        // RFC 9069 §5.3 has it so for every Loc-RIB.
        f.write_str("the-same")?;
    } else {
        write_known_pdu(f, up.received_open, sent_at + up.sent_open.bytes().len())?;
    }
    write_trailing(f, up.trailing, up.tlvs(), table_tlv)
}

/// A PDU that no dialect says anything about.
fn write_known_pdu(f: &mut Formatter<'_>, pdu: Pdu<'_>, offset: usize) -> fmt::Result {
    write_pdu(f, pdu, &Context { dialect: plain(), view: View::AdjRibInPre, offset })
}

fn write_peer_down(f: &mut Formatter<'_>, down: &PeerDown<'_>) -> fmt::Result {
    head(f, Kind::PEER_DOWN, Some(down.peer))?;
    f.write_str(" ")?;
    write!(f, "{}", down.reason)?;
    match down.reason {
        DownReason::LOCAL_NOTIFICATION | DownReason::REMOTE_NOTIFICATION => match down.notification() {
            Ok(Some(notification)) => {
                f.write_str(" ")?;
                write_notification(f, &notification)?;
                let pdu = Pdu::split_whole(down.data).map_or(0, |(pdu, _)| pdu.bytes().len());
                leftover(f, "trailing", &down.data[pdu..])
            }
            Ok(None) => Ok(()),
            Err(error) => write!(f, " malformed: {error}"),
        },
        DownReason::LOCAL_NO_NOTIFICATION => match (down.fsm_event(), down.data) {
            (Some(event), [_, _, rest @ ..]) => {
                f.write_str(" ")?;
                named(f, FSM_EVENTS.get(usize::from(event)).copied(), "fsm-event", event)?;
                leftover(f, "trailing", rest)
            }
            _ => {
                let error = Error::cut(BODY_AT + 1, "FSM event", 2, down.data.len());
                write!(f, " malformed: {error}")
            }
        },
        DownReason::LOCAL_TLVS => match down.tlvs() {
            Ok(tlvs) => write_tlvs(f, tlvs.unwrap_or_default(), table_tlv),
            Err(error) => write!(f, " malformed: {error}"),
        },
        _ => leftover(f, "data", down.data),
    }
}

/// What RFC 4271 §8.1 calls its events, in the order of their numbers.
const FSM_EVENTS: [&str; 29] = [
    "no-event",
    "manual-start",
    "manual-stop",
    "automatic-start",
    "manual-start-passive",
    "automatic-start-passive",
    "automatic-start-damped",
    "automatic-start-damped-passive",
    "automatic-stop",
    "connect-retry-timer-expires",
    "hold-timer-expires",
    "keepalive-timer-expires",
    "delay-open-timer-expires",
    "idle-hold-timer-expires",
    "tcp-connection-valid",
    "tcp-connection-request-invalid",
    "tcp-connection-request-acked",
    "tcp-connection-confirmed",
    "tcp-connection-fails",
    "open-received",
    "open-received-delayed",
    "header-error",
    "open-error",
    "open-collision-dump",
    "notification-version-error",
    "notification-received",
    "keepalive-received",
    "update-received",
    "update-error",
];

fn write_statistics(f: &mut Formatter<'_>, statistics: &Statistics<'_>) -> fmt::Result {
    head(f, Kind::STATISTICS, Some(statistics.peer))?;
    let shown = statistics.iter().map(|stat| fmt::from_fn(move |f| write_stat(f, stat)));
    list(f, " ", shown, STATISTICS_MAX)
}

fn write_stat(f: &mut Formatter<'_>, stat: Stat<'_>) -> fmt::Result {
    named(f, stat.kind.name(), "statistic", stat.kind.0)?;
    match stat.value() {
        StatValue::Counter(counter) => write!(f, " {counter}"),
        StatValue::Gauge(gauge) => write!(f, " {gauge}"),
        StatValue::FamilyGauge(family, gauge) => write!(f, " {family} {gauge}"),
        StatValue::Other(octets) => write!(f, " {}", Octets(octets)),
    }
}

fn write_route_mirroring(
    f: &mut Formatter<'_>,
    mirroring: &RouteMirroring<'_>,
    dialect: &Dialect,
) -> fmt::Result {
    head(f, Kind::ROUTE_MIRRORING, Some(mirroring.peer))?;
    // What is mirrored was received, so the dialect of that direction is its own.
    let view = View::AdjRibInPre;
    let mut tlvs = mirroring.tlvs;
    let end = BODY_AT + tlvs.bytes().len();
    for said in mirroring.iter().take(TLVS_MAX) {
        tlvs.next();
        match said {
            Mirrored::Message(bytes) => {
                let offset = end - tlvs.bytes().len() - bytes.len();
                f.write_str(" ")?;
                match Pdu::split_whole(bytes) {
                    Ok((pdu, rest)) => {
                        write_pdu(f, pdu, &Context { dialect: *dialect, view, offset })?;
                        leftover(f, "trailing", rest)?;
                    }
                    Err(error) => write!(f, "message {} ({})", Octets(bytes), error.within(offset))?,
                }
            }
            Mirrored::ErroredPdu => f.write_str(" errored-pdu")?,
            Mirrored::MessagesLost => f.write_str(" messages-lost")?,
            Mirrored::Other(Tlv { kind: RouteMirroring::INFORMATION, value: &[a, b] }) => {
                write!(f, " information-{}", u16::from_be_bytes([a, b]))?;
            }
            Mirrored::Other(tlv) => {
                f.write_str(" ")?;
                unknown_tlv(f, tlv)?;
            }
        }
    }
    more(f, tlvs.count())
}
