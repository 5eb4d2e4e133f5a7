//! What bgpkit says of a BMP message or an MRT record, in lines. It keeps no state of a peer, so it
//! is asked only for what needs none.

use std::net::IpAddr;

use bgpkit_parser::models::{
    AsPath, AsPathSegment, Asn, AsnLength, Attribute, AttributeValue, Attributes, Bgp4MpEnum, BgpMessage,
    BgpOpenMessage, BgpUpdateMessage, Community, MrtMessage, NetworkPrefix, NextHopAddress, Nlri,
    TableDumpV2Message, TableDumpV2Type,
};
use bgpkit_parser::parser::bmp::messages::{
    BmpMessageBody, BmpPerPeerHeader, PeerDownReason, PerPeerFlags, RouteMirroringValue, StatsData,
    TerminationTlvValue,
};
use bytes::Bytes;
use wire::Family;

use crate::canon::{self, Answer, Sign, hex};

/// The families it takes apart: others it reads as prefixes, whatever they are.
pub(crate) fn knows(family: Family) -> bool {
    matches!((family.afi, family.safi), (1 | 2, 1 | 2))
}

pub(crate) fn bmp(bytes: &[u8]) -> Answer {
    let mut bytes = Bytes::copy_from_slice(bytes);
    let message =
        bgpkit_parser::parser::bmp::parse_bmp_msg(&mut bytes).map_err(|error| format!("{error:?}"))?;
    let mut lines = vec![format!("message {}", u8::from(message.common_header.msg_type))];
    lines.extend(message.per_peer_header.iter().map(peer));
    match &message.message_body {
        BmpMessageBody::RouteMonitoring(monitoring) => {
            if let BgpMessage::Update(message) = &monitoring.bgp_message {
                update(&mut lines, message);
            }
        }
        BmpMessageBody::StatsReport(report) => {
            for counter in &report.counters {
                let value = match &counter.stat_data {
                    StatsData::Counter(value) => value.to_be_bytes().to_vec(),
                    StatsData::Gauge(value) => value.to_be_bytes().to_vec(),
                    StatsData::AfiSafiGauge(afi, safi, value) => {
                        [&afi.to_be_bytes()[..], &[*safi], &value.to_be_bytes()].concat()
                    }
                    StatsData::Unknown(value) => value.clone(),
                };
                lines.push(format!("stat {} {}", u16::from(counter.stat_type), hex(&value)));
            }
        }
        BmpMessageBody::PeerDownNotification(down) => {
            lines.push(format!("reason {}", u8::from(down.reason)));
            let data = down.data.as_deref().unwrap_or_default();
            match down.reason {
                PeerDownReason::LocalSystemClosedNotificationPduFollows
                | PeerDownReason::RemoteSystemClosedNotificationPduFollows => {
                    lines.push(format!("notification {} {} {}", data[19], data[20], hex(&data[21..])));
                }
                PeerDownReason::LocalSystemClosedFsmEvenFollows => {
                    lines.push(format!("event {}", u16::from_be_bytes([data[0], data[1]])));
                }
                PeerDownReason::LocalSystemClosedTlvDataFollows => {
                    let kind = u16::from_be_bytes([data[0], data[1]]);
                    lines.push(format!("tlv {kind} {}", hex(&data[4..])));
                }
                _ => {}
            }
        }
        BmpMessageBody::PeerUpNotification(up) => {
            let local = canon::address(up.local_addr);
            lines.push(format!("local {local:?} ports {} {}", up.local_port, up.remote_port));
            for message in [&up.sent_open, &up.received_open] {
                lines.push(match message {
                    BgpMessage::Open(message) => open(message),
                    other => format!("no OPEN but {other:?}"),
                });
            }
            lines.extend(up.tlvs.iter().map(|tlv| text_tlv(tlv.info_type.into(), &tlv.info_value)));
        }
        BmpMessageBody::InitiationMessage(message) => {
            lines.extend(message.tlvs.iter().map(|tlv| text_tlv(tlv.info_type.into(), &tlv.info)));
        }
        BmpMessageBody::TerminationMessage(message) => {
            lines.extend(message.tlvs.iter().map(|tlv| match &tlv.info_value {
                TerminationTlvValue::String(text) => text_tlv(0, text),
                TerminationTlvValue::Reason(reason) => {
                    format!("tlv 1 {}", hex(&u16::from(*reason).to_be_bytes()))
                }
            }));
        }
        BmpMessageBody::RouteMirroring(mirroring) => {
            for tlv in &mirroring.tlvs {
                match &tlv.value {
                    RouteMirroringValue::BgpMessage(message) => {
                        lines.push(format!("mirrored {} rest 0", message.msg_type() as u8));
                        pdu(&mut lines, message);
                    }
                    RouteMirroringValue::Information(code) => {
                        lines.push(format!("mirror code {}", u16::from(*code)));
                    }
                }
            }
        }
    }
    Ok(lines)
}

/// It makes one character of each octet.
fn text_tlv(kind: u16, text: &str) -> String {
    let octets: Vec<u8> = text.chars().map(|octet| u8::try_from(octet).expect("an octet")).collect();
    format!("tlv {kind} {}", hex(&octets))
}

fn peer(header: &BmpPerPeerHeader) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
    let micros = (header.timestamp * 1_000_000.0).round() as u64;
    canon::peer(&canon::Peer {
        kind: header.peer_type.into(),
        flags: match header.peer_flags {
            PerPeerFlags::PeerFlags(flags) => flags.bits() & 0xf0,
            PerPeerFlags::LocalRibPeerFlags(flags) => flags.bits() & 0x80,
        },
        distinguisher: hex(&header.peer_distinguisher.to_be_bytes()),
        address: canon::address(header.peer_ip),
        asn: header.peer_asn.into(),
        bgp_id: header.peer_bgp_id,
        micros,
    })
}

/// Its OPEN as it writes it again; the walk over capabilities is short enough to be had twice.
fn open(open: &BgpOpenMessage) -> String {
    let bytes = open.encode().expect("it was read");
    let mut capabilities = Vec::new();
    let mut asn = u32::from(open.asn);
    let mut parameters = &bytes[10..];
    while let [kind, len, rest @ ..] = parameters {
        let (mut parameter, rest) = rest.split_at(usize::from(*len));
        parameters = rest;
        while let (2, [code, len, rest @ ..]) = (*kind, parameter) {
            let (value, rest) = rest.split_at(usize::from(*len));
            parameter = rest;
            if let (65, &[a, b, c, d]) = (*code, value) {
                asn = u32::from_be_bytes([a, b, c, d]);
            }
            capabilities.push((*code, hex(value)));
        }
    }
    let my_as = u16::from_be_bytes([bytes[1], bytes[2]]);
    let open = canon::Open {
        version: open.version,
        my_as,
        asn,
        hold_time: open.hold_time,
        bgp_id: open.bgp_identifier,
        capabilities,
    };
    format!("{open:?}")
}

fn pdu(lines: &mut Vec<String>, message: &BgpMessage) {
    match message {
        BgpMessage::Open(message) => lines.push(open(message)),
        BgpMessage::Update(message) => update(lines, message),
        BgpMessage::Notification(message) => {
            let bytes = message.encode();
            lines.push(format!("notification {} {} {}", bytes[0], bytes[1], hex(&bytes[2..])));
        }
        BgpMessage::RouteRefresh(refresh) => {
            let bytes = refresh.encode();
            let afi = u16::from_be_bytes([bytes[0], bytes[1]]);
            lines.push(format!("refresh {afi}/{} {}", bytes[3], bytes[2]));
        }
        BgpMessage::KeepAlive => {}
    }
}

fn update(lines: &mut Vec<String>, update: &BgpUpdateMessage) {
    attributes(lines, "", &update.attributes);
    for (sign, routes) in
        [(Sign::Withdraw, &update.withdrawn_prefixes), (Sign::Announce, &update.announced_prefixes)]
    {
        lines.extend(routes.iter().map(|route| prefix(sign, (1, 1), route)));
    }
    for value in &update.attributes {
        let (sign, nlri) = match value {
            AttributeValue::MpReachNlri(nlri) => (Sign::Announce, nlri),
            AttributeValue::MpUnreachNlri(nlri) => (Sign::Withdraw, nlri),
            _ => continue,
        };
        lines.extend(nlri.prefixes.iter().map(|route| prefix(sign, family(nlri), route)));
    }
    if update.is_end_of_rib() {
        let family = update.attributes.get_unreachable_nlri().map_or((1, 1), family);
        lines.push(canon::end_of_rib(family));
    }
}

fn family(nlri: &Nlri) -> (u16, u8) {
    (nlri.afi as u16, nlri.safi as u8)
}

fn prefix(sign: Sign, family: (u16, u8), route: &NetworkPrefix) -> String {
    canon::route(sign, family, route.path_id, route.prefix.trunc())
}

fn next_hop(next_hop: Option<NextHopAddress>) -> String {
    match next_hop {
        Some(NextHopAddress::Ipv4(address)) => address.to_string(),
        Some(NextHopAddress::Ipv6(address) | NextHopAddress::VpnIpv6(_, address)) => address.to_string(),
        Some(NextHopAddress::Ipv6LinkLocal(a, b) | NextHopAddress::VpnIpv6LinkLocal(_, a, _, b)) => {
            format!("{a}/{b}")
        }
        None => "none".to_owned(),
    }
}

fn path(path: &AsPath) -> Vec<(u8, Vec<u32>)> {
    let segment = |segment: &AsPathSegment| {
        let (kind, numbers) = match segment {
            AsPathSegment::AsSet(numbers) => (1, numbers),
            AsPathSegment::AsSequence(numbers) => (2, numbers),
            AsPathSegment::ConfedSequence(numbers) => (3, numbers),
            AsPathSegment::ConfedSet(numbers) => (4, numbers),
        };
        (kind, numbers.iter().map(|asn| u32::from(*asn)).collect())
    };
    path.segments.iter().map(segment).collect()
}

fn community(community: &Community) -> u32 {
    match community {
        Community::NoExport => 0xffff_ff01,
        Community::NoAdvertise => 0xffff_ff02,
        Community::NoExportSubConfed => 0xffff_ff03,
        Community::Custom(asn, value) => u32::from(*asn) << 16 | u32::from(*value),
    }
}

/// The attributes, each line behind `head`.
fn attributes(lines: &mut Vec<String>, head: &str, attributes: &Attributes) {
    for value in attributes {
        let code = u8::from(value.attr_type());
        let aggregator = |asn: &Asn, id: &std::net::Ipv4Addr| (u32::from(*asn), IpAddr::from(*id));
        let line = match value {
            AttributeValue::Origin(origin) => canon::attribute(code, u8::from(*origin)),
            AttributeValue::AsPath(all) | AttributeValue::As4Path(all) => canon::attribute(code, path(all)),
            AttributeValue::NextHop(next_hop) => canon::attribute(code, next_hop),
            AttributeValue::MultiExitDiscriminator(number) | AttributeValue::LocalPreference(number) => {
                canon::attribute(code, number)
            }
            AttributeValue::OnlyToCustomer(asn) => canon::attribute(code, u32::from(*asn)),
            AttributeValue::Aggregator { asn, id } | AttributeValue::As4Aggregator { asn, id } => {
                canon::attribute(code, aggregator(asn, id))
            }
            AttributeValue::Communities(all) => {
                canon::attribute(code, all.iter().map(community).collect::<Vec<_>>())
            }
            AttributeValue::LargeCommunities(all) => canon::attribute(
                code,
                all.iter()
                    .map(|one| [one.global_admin, one.local_data[0], one.local_data[1]])
                    .collect::<Vec<_>>(),
            ),
            AttributeValue::ExtendedCommunities(_) => {
                let attribute =
                    Attribute::from(value.clone()).encode(AsnLength::Bits32).expect("it was read");
                let head = if attribute[0] & 0x10 == 0 { 3 } else { 4 };
                canon::attribute(code, hex(&attribute[head..]))
            }
            AttributeValue::OriginatorId(id) => canon::attribute(code, id),
            AttributeValue::Clusters(all) => {
                canon::attribute(code, all.iter().map(|id| std::net::Ipv4Addr::from(*id)).collect::<Vec<_>>())
            }
            AttributeValue::MpReachNlri(nlri) => {
                canon::attribute(code, (family(nlri), next_hop(nlri.next_hop)))
            }
            AttributeValue::MpUnreachNlri(nlri) => canon::attribute(code, family(nlri)),
            _ => canon::attribute(code, "there"),
        };
        lines.push(format!("{head}{line}"));
    }
}

/// A record of MRT.
pub(crate) fn mrt(bytes: &[u8]) -> Answer {
    let mut rest = bytes;
    let record = bgpkit_parser::mrt::mrt_record::parse_mrt_record(&mut rest)
        .map_err(|error| format!("{:?}", error.error))?;
    let header = &record.common_header;
    let mut lines = vec![format!(
        "record {} {} at {} {}",
        header.entry_type as u16,
        header.entry_subtype,
        header.timestamp,
        header.microsecond_timestamp.unwrap_or(0)
    )];
    let entry = |lines: &mut Vec<String>, at: usize, originated: u64, path: &Attributes| {
        lines.push(format!("entry {at} originated {originated}"));
        attributes(lines, &format!("entry {at} "), path);
    };
    match &record.message {
        MrtMessage::TableDumpMessage(dump) => {
            lines.push(format!("view {} sequence {}", dump.view_number, dump.sequence_number));
            lines.push(format!("peer {} as {}", dump.peer_ip, u32::from(dump.peer_asn)));
            lines.push(prefix(Sign::Announce, (record.common_header.entry_subtype, 1), &dump.prefix));
            entry(&mut lines, 0, dump.originated_time, &dump.attributes);
        }
        MrtMessage::TableDumpV2Message(TableDumpV2Message::PeerIndexTable(table)) => {
            let octets: Vec<u8> =
                table.view_name.chars().map(|octet| u8::try_from(octet).unwrap_or(0)).collect();
            lines.push(format!("collector {} view {}", table.collector_bgp_id, hex(&octets)));
            let mut peers: Vec<_> = table.id_peer_map.iter().collect();
            peers.sort_by_key(|(index, _)| **index);
            lines.extend(peers.iter().map(|(index, peer)| {
                format!("{index} {} {} as {}", peer.peer_bgp_id, peer.peer_ip, u32::from(peer.peer_asn))
            }));
        }
        MrtMessage::TableDumpV2Message(TableDumpV2Message::RibAfi(rib)) => {
            lines.push(format!("sequence {}", rib.sequence_number));
            let family = match rib.rib_type {
                TableDumpV2Type::RibIpv4Multicast | TableDumpV2Type::RibIpv4MulticastAddPath => (1, 2),
                TableDumpV2Type::RibIpv6Unicast | TableDumpV2Type::RibIpv6UnicastAddPath => (2, 1),
                TableDumpV2Type::RibIpv6Multicast | TableDumpV2Type::RibIpv6MulticastAddPath => (2, 2),
                _ => (1, 1),
            };
            for (at, path) in rib.rib_entries.iter().enumerate() {
                let route = format_args!("{} of {} entry {at}", rib.prefix.prefix.trunc(), path.peer_index);
                lines.push(canon::route(Sign::Announce, family, path.path_id, route));
                entry(&mut lines, at, path.originated_time.into(), &path.attributes);
            }
        }
        MrtMessage::Bgp4Mp(Bgp4MpEnum::Message(message)) => {
            lines.push(format!(
                "peer {} as {} local {} as {} interface {}",
                message.peer_ip,
                u32::from(message.peer_asn),
                message.local_ip,
                u32::from(message.local_asn),
                message.interface_index
            ));
            lines.push(format!("pdu {}", message.bgp_message.msg_type() as u8));
            pdu(&mut lines, &message.bgp_message);
        }
        MrtMessage::Bgp4Mp(Bgp4MpEnum::StateChange(change)) => {
            lines.push(format!(
                "peer {} as {} local {} as {} interface {}",
                change.peer_ip,
                u32::from(change.peer_asn),
                change.local_addr,
                u32::from(change.local_asn),
                change.interface_index
            ));
            lines.push(format!("state {} to {}", change.old_state as u16, change.new_state as u16));
        }
        other => lines.push(format!("{other}")),
    }
    Ok(lines)
}
