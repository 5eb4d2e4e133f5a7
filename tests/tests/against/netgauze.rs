//! What NetGauze says of a message, in lines. It keeps state of each peer as we do, and is the
//! strictest reader there is.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};

use netgauze_bgp_pkt::BgpMessage;
use netgauze_bgp_pkt::capabilities::BgpCapability;
use netgauze_bgp_pkt::community::Community;
use netgauze_bgp_pkt::nlri::{
    L2EvpnIpPrefixRoute, L2EvpnRoute, LabeledNextHop, MplsLabel, RouteDistinguisher,
};
use netgauze_bgp_pkt::path_attribute::{
    Aggregator, As4PathSegment, AsPath, ClusterId, MpReach, MpUnreach, PathAttribute, PathAttributeValue,
};
use netgauze_bgp_pkt::update::BgpUpdateMessage;
use netgauze_bmp_pkt::v3::{
    BmpMessageValue, InitiationInformation, MirroredBgpMessage, PeerDownNotificationReason,
    RouteMirroringValue,
};
use netgauze_bmp_pkt::wire::deserializer::BmpParsingContext;
use netgauze_bmp_pkt::{BmpMessage, BmpPeerType, PeerHeader};
use netgauze_parse_utils::WritablePdu;
use netgauze_parse_utils::reader::SliceReader;
use netgauze_parse_utils::traits::ParseFromWithOneInput;
use wire::Family;

use crate::canon::{self, Answer, Sign, hex};

/// Reads a stream, keeping of each peer what its OPENs agreed on.
#[derive(Default)]
pub(crate) struct NetGauze {
    context: BmpParsingContext,
}

/// The families it takes apart.
pub(crate) fn knows(family: Family) -> bool {
    matches!((family.afi, family.safi), (1 | 2, 1 | 2 | 4 | 128) | (1, 132) | (25, 70) | (16388, 71 | 72))
}

impl NetGauze {
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Answer {
        let mut reader = SliceReader::new(bytes);
        let message = BmpMessage::parse(&mut reader, &mut self.context).map_err(|error| error.to_string())?;
        self.context.update(&message);
        match message {
            BmpMessage::V3(message) => Ok(lines(&message)),
            BmpMessage::V4(_) => Err("version 4".to_owned()),
        }
    }
}

fn lines(message: &BmpMessageValue) -> Vec<String> {
    let mut lines = vec![format!("message {}", u8::from(message.get_type()))];
    match message {
        BmpMessageValue::RouteMonitoring(monitoring) => {
            lines.push(peer(monitoring.peer_header()));
            if let BgpMessage::Update(message) = monitoring.update_message() {
                update(&mut lines, message);
            }
        }
        BmpMessageValue::StatisticsReport(report) => {
            lines.push(peer(report.peer_header()));
            lines.extend(report.counters().iter().map(|counter| tlv("stat", &written(counter))));
        }
        BmpMessageValue::PeerDownNotification(down) => {
            lines.push(peer(down.peer_header()));
            lines.push(format!("reason {}", u8::from(down.reason().get_type())));
            match down.reason() {
                PeerDownNotificationReason::LocalSystemClosedNotificationPduFollows(message)
                | PeerDownNotificationReason::RemoteSystemClosedNotificationPduFollows(message) => {
                    lines.push(notification(message));
                }
                PeerDownNotificationReason::LocalSystemClosedFsmEventFollows(event) => {
                    lines.push(format!("event {event}"));
                }
                PeerDownNotificationReason::LocalSystemClosedTlvDataFollows(information) => {
                    lines.push(tlv("tlv", &written(information)));
                }
                _ => {}
            }
        }
        BmpMessageValue::PeerUpNotification(up) => {
            lines.push(peer(up.peer_header()));
            lines.push(format!(
                "local {:?} ports {} {}",
                up.local_address(),
                up.local_port().unwrap_or(0),
                up.remote_port().unwrap_or(0)
            ));
            lines.push(open(up.sent_message()));
            lines.push(open(up.received_message()));
            lines.extend(information(up.information()));
        }
        BmpMessageValue::Initiation(message) => lines.extend(information(message.information())),
        BmpMessageValue::Termination(message) => {
            lines.extend(message.information().iter().map(|information| tlv("tlv", &written(information))));
        }
        BmpMessageValue::RouteMirroring(mirroring) => {
            lines.push(peer(mirroring.peer_header()));
            for value in mirroring.mirrored() {
                match value {
                    RouteMirroringValue::BgpMessage(MirroredBgpMessage::Parsed(message)) => {
                        mirrored(&mut lines, message);
                    }
                    RouteMirroringValue::Information(code) => {
                        lines.push(format!("mirror code {}", u16::from(*code)));
                    }
                    other => lines.push(format!("mirror {other:?}")),
                }
            }
        }
        other => lines.push(format!("{other:?}")),
    }
    lines
}

/// What it writes of something it has read.
fn written<E: Debug>(pdu: &impl WritablePdu<E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    pdu.write(&mut bytes).expect("a Vec takes all");
    bytes
}

/// A TLV with two octets each of type and length.
fn tlv(what: &str, bytes: &[u8]) -> String {
    let (head, value) = bytes.split_at(4);
    assert_eq!(usize::from(u16::from_be_bytes([head[2], head[3]])), value.len());
    format!("{what} {} {}", u16::from_be_bytes([head[0], head[1]]), hex(value))
}

fn information(all: &[InitiationInformation]) -> impl Iterator<Item = String> {
    all.iter().map(|information| tlv("tlv", &written(information)))
}

fn peer(header: &PeerHeader) -> String {
    let kind = header.peer_type();
    let flags = match kind {
        BmpPeerType::GlobalInstancePeer { ipv6, post_policy, asn2, adj_rib_out }
        | BmpPeerType::RdInstancePeer { ipv6, post_policy, asn2, adj_rib_out }
        | BmpPeerType::LocalInstancePeer { ipv6, post_policy, asn2, adj_rib_out } => {
            u8::from(ipv6) << 7
                | u8::from(post_policy) << 6
                | u8::from(asn2) << 5
                | u8::from(adj_rib_out) << 4
        }
        BmpPeerType::LocRibInstancePeer { filtered } => u8::from(filtered) << 7,
        _ => 0,
    };
    canon::peer(&canon::Peer {
        kind: kind.get_type().into(),
        flags,
        distinguisher: header.rd().map_or("0".repeat(16), |rd| self::rd(&rd)),
        address: header.address(),
        asn: header.peer_as(),
        bgp_id: header.bgp_id(),
        micros: header.timestamp().map_or(0, |time| u64::try_from(time.timestamp_micros()).unwrap_or(0)),
    })
}

fn open(message: &BgpMessage) -> String {
    let BgpMessage::Open(open) = message else { return format!("no OPEN but {message:?}") };
    let capability = |capability: &&BgpCapability| {
        let bytes = written(*capability);
        (bytes[0], hex(bytes.get(2..).unwrap_or_default()))
    };
    let open = canon::Open {
        version: open.version(),
        my_as: open.my_as(),
        asn: open.my_asn4(),
        hold_time: open.hold_time(),
        bgp_id: open.bgp_id(),
        capabilities: open.capabilities().iter().map(capability).collect(),
    };
    format!("{open:?}")
}

fn notification(message: &BgpMessage) -> String {
    let bytes = written(message);
    format!("notification {} {} {}", bytes[19], bytes[20], hex(&bytes[21..]))
}

fn mirrored(lines: &mut Vec<String>, message: &BgpMessage) {
    lines.push(format!("mirrored {} rest 0", u8::from(message.get_type())));
    match message {
        BgpMessage::Open(_) => lines.push(open(message)),
        BgpMessage::Update(message) => update(lines, message),
        BgpMessage::Notification(_) => lines.push(notification(message)),
        BgpMessage::RouteRefresh(refresh) => {
            let family = refresh.address_type();
            lines.push(format!(
                "refresh {}/{} {}",
                u16::from(family.address_family()),
                u8::from(family.subsequent_address_family()),
                u8::from(refresh.operation_type())
            ));
        }
        BgpMessage::KeepAlive => {}
    }
}

fn update(lines: &mut Vec<String>, update: &BgpUpdateMessage) {
    for attribute in update.path_attributes() {
        attribute_lines(lines, attribute);
    }
    for (sign, routes) in [(Sign::Withdraw, update.withdraw_routes()), (Sign::Announce, update.nlri())] {
        for route in routes {
            let prefix = route.network().address().trunc();
            lines.push(canon::route(sign, (1, 1), route.path_id(), prefix));
        }
    }
    if let Some(family) = update.end_of_rib() {
        let safi = family.subsequent_address_family().into();
        lines.push(canon::end_of_rib((family.address_family().into(), safi)));
    }
}

fn attribute_lines(lines: &mut Vec<String>, attribute: &PathAttribute) {
    let code = attribute.path_attribute_type().map_or_else(|code| code, u8::from);
    let four = |segments: &[As4PathSegment]| {
        segments.iter().map(|s| (s.segment_type() as u8, s.as_numbers().to_vec())).collect::<Vec<_>>()
    };
    let line = match attribute.value() {
        PathAttributeValue::Origin(origin) => canon::attribute(code, *origin as u8),
        PathAttributeValue::AsPath(AsPath::As4PathSegments(path)) => canon::attribute(code, four(path)),
        PathAttributeValue::AsPath(AsPath::As2PathSegments(path)) => canon::attribute(
            code,
            path.iter()
                .map(|segment| {
                    let numbers = segment.as_numbers().iter().map(|asn| u32::from(*asn));
                    (segment.segment_type() as u8, numbers.collect::<Vec<_>>())
                })
                .collect::<Vec<_>>(),
        ),
        PathAttributeValue::As4Path(path) => canon::attribute(code, four(path.segments())),
        PathAttributeValue::NextHop(next_hop) => canon::attribute(code, next_hop.next_hop()),
        PathAttributeValue::MultiExitDiscriminator(med) => canon::attribute(code, med.metric()),
        PathAttributeValue::LocalPreference(preference) => canon::attribute(code, preference.metric()),
        PathAttributeValue::OnlyToCustomer(customer) => canon::attribute(code, customer.asn()),
        PathAttributeValue::Aggregator(Aggregator::As2Aggregator(aggregator)) => {
            canon::attribute(code, (u32::from(*aggregator.asn()), IpAddr::from(aggregator.origin())))
        }
        PathAttributeValue::Aggregator(Aggregator::As4Aggregator(aggregator)) => {
            canon::attribute(code, (*aggregator.asn(), IpAddr::from(aggregator.origin())))
        }
        PathAttributeValue::Communities(all) => {
            canon::attribute(code, all.communities().iter().map(Community::value).collect::<Vec<_>>())
        }
        PathAttributeValue::LargeCommunities(all) => canon::attribute(
            code,
            all.communities()
                .iter()
                .map(|one| [one.global_admin(), one.local_data1(), one.local_data2()])
                .collect::<Vec<_>>(),
        ),
        PathAttributeValue::ExtendedCommunities(all) => {
            canon::attribute(code, all.communities().iter().map(|one| hex(&written(one))).collect::<String>())
        }
        PathAttributeValue::Originator(originator) => canon::attribute(code, originator.id()),
        PathAttributeValue::ClusterList(list) => {
            canon::attribute(code, list.cluster_list().iter().map(ClusterId::id).collect::<Vec<Ipv4Addr>>())
        }
        PathAttributeValue::MpReach(reach) => return mp_reach(lines, code, reach),
        PathAttributeValue::MpUnreach(unreach) => return mp_unreach(lines, code, unreach),
        _ => canon::attribute(code, "there"),
    };
    lines.push(line);
}

/// Next hops as they are written in one line.
fn next_hop(addresses: &[Option<IpAddr>]) -> String {
    addresses.iter().flatten().map(IpAddr::to_string).collect::<Vec<_>>().join("/")
}

fn labelled_next_hop(next_hop: &LabeledNextHop) -> String {
    match next_hop {
        LabeledNextHop::Ipv4(next_hop) => next_hop.next_hop().to_string(),
        LabeledNextHop::Ipv6(both) => {
            self::next_hop(&[Some(both.next_hop().into()), both.next_hop_local().map(IpAddr::from)])
        }
    }
}

fn mp_reach(lines: &mut Vec<String>, code: u8, reach: &MpReach) {
    let family = (u16::from(reach.afi()), u8::from(reach.safi()));
    let (hop, routes) = match reach {
        MpReach::Ipv4Unicast { next_hop: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some(*global), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv4Multicast { next_hop: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some(*global), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv4NlriMplsLabels { next_hop: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some(*global), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv6NlriMplsLabels { next_hop: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some(*global), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv6Unicast { next_hop_global: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some((*global).into()), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv6Multicast { next_hop_global: global, next_hop_local: local, nlri } => {
            (next_hop(&[Some((*global).into()), local.map(IpAddr::from)]), texts(nlri))
        }
        MpReach::Ipv4MplsVpnUnicast { next_hop, nlri } => (labelled_next_hop(next_hop), texts(nlri)),
        MpReach::Ipv6MplsVpnUnicast { next_hop, nlri } => (labelled_next_hop(next_hop), texts(nlri)),
        MpReach::BgpLsVpn { next_hop, nlri } => (labelled_next_hop(next_hop), texts(nlri)),
        MpReach::L2Evpn { next_hop, nlri } => (next_hop.to_string(), texts(nlri)),
        MpReach::RouteTargetMembership { next_hop, nlri } => (next_hop.to_string(), texts(nlri)),
        MpReach::BgpLs { next_hop, nlri } => (next_hop.to_string(), texts(nlri)),
        MpReach::Unknown { value, .. } => return lines.push(canon::whole(Sign::Announce, family, value)),
    };
    lines.push(canon::attribute(code, (family, hop)));
    lines.extend(routes.into_iter().map(|(id, text)| canon::route(Sign::Announce, family, id, text)));
}

fn mp_unreach(lines: &mut Vec<String>, code: u8, unreach: &MpUnreach) {
    let family = (u16::from(unreach.afi()), u8::from(unreach.safi()));
    let routes = match unreach {
        MpUnreach::Ipv4Unicast { nlri } => texts(nlri),
        MpUnreach::Ipv4Multicast { nlri } => texts(nlri),
        MpUnreach::Ipv4NlriMplsLabels { nlri } => texts(nlri),
        MpUnreach::Ipv4MplsVpnUnicast { nlri } => texts(nlri),
        MpUnreach::Ipv6Unicast { nlri } => texts(nlri),
        MpUnreach::Ipv6Multicast { nlri } => texts(nlri),
        MpUnreach::Ipv6NlriMplsLabels { nlri } => texts(nlri),
        MpUnreach::Ipv6MplsVpnUnicast { nlri } => texts(nlri),
        MpUnreach::L2Evpn { nlri } => texts(nlri),
        MpUnreach::RouteTargetMembership { nlri } => texts(nlri),
        MpUnreach::BgpLs { nlri } => texts(nlri),
        MpUnreach::BgpLsVpn { nlri } => texts(nlri),
        MpUnreach::Unknown { nlri, .. } => return lines.push(canon::whole(Sign::Withdraw, family, nlri)),
    };
    lines.push(canon::attribute(code, family));
    lines.extend(routes.into_iter().map(|(id, text)| canon::route(Sign::Withdraw, family, id, text)));
}

/// A route of one of its many types: path id and text.
trait Route {
    fn text(&self) -> (Option<u32>, String);
}

fn texts(routes: &[impl Route]) -> Vec<(Option<u32>, String)> {
    routes.iter().map(Route::text).collect()
}

fn rd(rd: &RouteDistinguisher) -> String {
    hex(&written(rd))
}

fn labels(labels: &[MplsLabel]) -> String {
    labels.iter().map(|label| hex(label.value())).collect()
}

macro_rules! routes {
    ($($kind:ident => |$route:ident| $text:expr;)*) => {
        $(impl Route for netgauze_bgp_pkt::nlri::$kind {
            fn text(&self) -> (Option<u32>, String) {
                let $route = self;
                ($route.path_id(), $text)
            }
        })*
    };
}

routes! {
    Ipv4UnicastAddress => |route| route.network().address().trunc().to_string();
    Ipv6UnicastAddress => |route| route.network().address().trunc().to_string();
    Ipv4MulticastAddress => |route| route.network().address().trunc().to_string();
    Ipv6MulticastAddress => |route| route.network().address().trunc().to_string();
    Ipv4NlriMplsLabelsAddress =>
        |route| format!("labels {} {}", labels(route.labels()), route.prefix().trunc());
    Ipv6NlriMplsLabelsAddress =>
        |route| format!("labels {} {}", labels(route.labels()), route.prefix().trunc());
    Ipv4MplsVpnUnicastAddress => |route| format!(
        "rd {} labels {} {}", rd(&route.rd()), labels(route.label_stack()), route.network().address().trunc()
    );
    Ipv6MplsVpnUnicastAddress => |route| format!(
        "rd {} labels {} {}", rd(&route.rd()), labels(route.label_stack()), route.network().address().trunc()
    );
    L2EvpnAddress => |route| evpn(route.route());
    RouteTargetMembershipAddress => |route| without_path_id(route.path_id(), &written(route));
    BgpLsNlri => |route| without_path_id(route.path_id(), &written(route));
    BgpLsVpnNlri => |route| without_path_id(route.path_id(), &written(route));
}

fn without_path_id(path_id: Option<u32>, bytes: &[u8]) -> String {
    hex(if path_id.is_some() { &bytes[4..] } else { bytes })
}

fn evpn(route: &L2EvpnRoute) -> String {
    let tag = |tag: u32| hex(&tag.to_be_bytes());
    let label = |label: &MplsLabel| hex(label.value());
    match route {
        L2EvpnRoute::EthernetAutoDiscovery(route) => format!(
            "evpn 1 rd {} esi {} tag {} label {}",
            rd(&route.rd()),
            hex(route.segment_id().value()),
            tag(route.tag().value()),
            label(route.mpls_label())
        ),
        L2EvpnRoute::MacIpAdvertisement(route) => format!(
            "evpn 2 rd {} esi {} tag {} mac {} ip {:?} labels {}{}",
            rd(&route.rd()),
            hex(route.segment_id().value()),
            tag(route.tag().value()),
            hex(route.mac().value()),
            route.ip(),
            label(route.mpls_label1()),
            route.mpls_label2().map(label).unwrap_or_default()
        ),
        L2EvpnRoute::InclusiveMulticastEthernetTagRoute(route) => format!(
            "evpn 3 rd {} tag {} ip {:?}",
            rd(&route.rd()),
            tag(route.tag().value()),
            Some(route.ip())
        ),
        L2EvpnRoute::EthernetSegmentRoute(route) => format!(
            "evpn 4 rd {} esi {} ip {:?}",
            rd(&route.rd()),
            hex(route.segment_id().value()),
            Some(route.ip())
        ),
        L2EvpnRoute::IpPrefixRoute(L2EvpnIpPrefixRoute::V4(route)) => format!(
            "evpn 5 rd {} esi {} tag {} {} gateway {:?} label {}",
            rd(&route.rd()),
            hex(route.segment_id().value()),
            tag(route.tag().value()),
            route.prefix().trunc(),
            Some(route.gateway()),
            label(route.label())
        ),
        L2EvpnRoute::IpPrefixRoute(L2EvpnIpPrefixRoute::V6(route)) => format!(
            "evpn 5 rd {} esi {} tag {} {} gateway {:?} label {}",
            rd(&route.rd()),
            hex(route.segment_id().value()),
            tag(route.tag().value()),
            route.prefix().trunc(),
            Some(route.gateway()),
            label(route.label())
        ),
        L2EvpnRoute::Unknown { code, value } => format!("evpn {code} value {}", hex(value)),
    }
}
