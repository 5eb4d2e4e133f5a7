//! What `wire` says of a message, in lines.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::bgp::{
    Action, AsPath, AttributeKind, Dialect, Notification, Open, Pdu, RouteRefresh, Update, View,
};
use wire::bgp::{MpReach, MpUnreach};
use wire::bmp::{Frame, Message, Mirrored, PeerHeader, PeerIdentity, PeerKind, Tlvs};
use wire::nlri::Entry;
use wire::{Error, Family, FamilySet, Framing, mrt};

use crate::canon::{self, Answer, Sign, hex};

/// Reads a stream, keeping of each peer what its OPENs agreed on.
#[derive(Default)]
pub(crate) struct Ours {
    dialects: HashMap<PeerIdentity, Dialect>,
}

/// The families that the reader on the other side takes apart.
pub(crate) type Knows = fn(Family) -> bool;

impl Ours {
    pub(crate) fn read(&mut self, frame: Frame<'_>, knows: Knows) -> Answer {
        self.lines(frame, knows).map_err(|error| error.to_string())
    }

    /// Whether a Route Monitoring message can be read without any state of its peer, by one who knows
    /// these families only. All other messages can.
    pub(crate) fn is_plain(&self, frame: Frame<'_>, knows: Knows) -> bool {
        let Ok(Some(monitoring)) = frame.route_monitoring() else { return true };
        let Some(view) = monitoring.peer.view() else { return false };
        let dialect = self.dialects.get(&monitoring.peer.identity()).copied().unwrap_or_default();
        monitoring.update().is_ok_and(|update| {
            update.parts().all(|part| knows(part.family) && !dialect.add_path(view, part.family))
        })
    }

    fn lines(&mut self, frame: Frame<'_>, knows: Knows) -> Result<Vec<String>, Error> {
        let mut lines = vec![format!("message {}", frame.kind().0)];
        if let Some(header) = frame.peer() {
            lines.push(peer(header));
        }
        match frame.message()? {
            Message::RouteMonitoring(monitoring) => {
                let view = monitoring.peer.view().expect("a known kind of peer");
                let dialect = self.dialects.get(&monitoring.peer.identity()).copied().unwrap_or_default();
                let context =
                    Context { dialect, view, four_octet_as: monitoring.peer.four_octet_as(), knows };
                if !monitoring.trailing.is_empty() {
                    lines.push(format!("trailing {}", hex(monitoring.trailing)));
                }
                update(&mut lines, &monitoring.update()?, &context)?;
            }
            Message::Statistics(statistics) => {
                lines.extend(
                    statistics.iter().map(|stat| format!("stat {} {}", stat.kind.0, hex(stat.bytes))),
                );
            }
            Message::PeerDown(down) => {
                lines.push(format!("reason {}", down.reason.0));
                if let Some(notification) = down.notification()? {
                    lines.push(notify(&notification));
                }
                lines.extend(down.fsm_event().map(|event| format!("event {event}")));
                lines.extend(down.tlvs()?.into_iter().flat_map(tlvs));
            }
            Message::PeerUp(up) => {
                let dialect = self.dialects.entry(up.peer.identity()).or_default();
                // One Loc-RIB may come with a Peer Up for each family (RFC 9069 §6.1.1).
                *dialect = match up.peer.kind {
                    PeerKind::LOC_RIB => dialect.merged(up.dialect()),
                    _ => up.dialect(),
                };
                lines.push(format!(
                    "local {:?} ports {} {}",
                    canon::address(up.local_ip()),
                    up.local_port(),
                    up.remote_port()
                ));
                lines.push(open(up.sent_open)?);
                lines.push(open(up.received_open)?);
                lines.extend(tlvs(up.tlvs()?));
            }
            Message::Initiation(information) | Message::Termination(information) => {
                lines.extend(tlvs(information));
            }
            Message::RouteMirroring(mirroring) => {
                let dialect = self.dialects.get(&mirroring.peer.identity()).copied().unwrap_or_default();
                let four_octet_as = dialect.four_octet_as;
                let context = Context { dialect, view: View::AdjRibInPre, four_octet_as, knows };
                for mirrored in mirroring.iter() {
                    match mirrored {
                        Mirrored::Message(bytes) => mirrored_pdu(&mut lines, bytes, &context)?,
                        Mirrored::ErroredPdu => lines.push("mirror code 0".to_owned()),
                        Mirrored::MessagesLost => lines.push("mirror code 1".to_owned()),
                        Mirrored::Other(tlv) => lines.push(format!("mirror {} {}", tlv.kind, hex(tlv.value))),
                    }
                }
            }
            Message::Unknown(_) => {}
        }
        Ok(lines)
    }
}

/// What must be known to read an UPDATE.
pub(crate) struct Context {
    pub(crate) dialect: Dialect,
    pub(crate) view: View,
    pub(crate) four_octet_as: bool,
    pub(crate) knows: Knows,
}

fn peer(header: &PeerHeader) -> String {
    canon::peer(&canon::Peer {
        kind: header.kind.0,
        flags: header.flags.0 & if header.kind == PeerKind::LOC_RIB { 0x80 } else { 0xf0 },
        distinguisher: hex(&header.distinguisher),
        address: canon::address(header.ip()),
        asn: header.asn.get(),
        bgp_id: header.bgp_id.into(),
        micros: u64::from(header.seconds.get()) * 1_000_000 + u64::from(header.micros.get()),
    })
}

fn tlvs(tlvs: Tlvs<'_>) -> impl Iterator<Item = String> {
    tlvs.map(|tlv| format!("tlv {} {}", tlv.kind, hex(tlv.value)))
}

fn notify(notification: &Notification<'_>) -> String {
    format!("notification {} {} {}", notification.code, notification.subcode, hex(notification.data))
}

fn open(pdu: Pdu<'_>) -> Result<String, Error> {
    let open = Open::parse(pdu)?;
    let open = canon::Open {
        version: open.version,
        my_as: open.my_as,
        asn: open.asn(),
        hold_time: open.hold_time,
        bgp_id: open.bgp_id(),
        capabilities: open.capabilities().map(|cap| (cap.kind.0, hex(cap.value))).collect(),
    };
    Ok(format!("{open:?}"))
}

fn mirrored_pdu(lines: &mut Vec<String>, bytes: &[u8], context: &Context) -> Result<(), Error> {
    let (pdu, rest) = Pdu::split_whole(bytes)?;
    lines.push(format!("mirrored {} rest {}", pdu.kind().0, rest.len()));
    pdu_lines(lines, pdu, context)
}

fn pdu_lines(lines: &mut Vec<String>, pdu: Pdu<'_>, context: &Context) -> Result<(), Error> {
    match pdu.kind().0 {
        1 => lines.push(open(pdu)?),
        2 => update(lines, &Update::parse(pdu)?, context)?,
        3 => lines.push(notify(&Notification::parse(pdu)?)),
        5 => {
            let RouteRefresh { family, subtype, .. } = RouteRefresh::parse(pdu)?;
            lines.push(format!("refresh {}/{} {subtype}", family.afi, family.safi));
        }
        _ => {}
    }
    Ok(())
}

fn update(lines: &mut Vec<String>, update: &Update<'_>, context: &Context) -> Result<(), Error> {
    for attribute in update.attributes() {
        attribute_line(lines, attribute.kind, attribute.value, context)?;
    }
    for part in update.parts().filter(|part| (context.knows)(part.family)) {
        let sign = match part.action {
            Action::Announce => Sign::Announce,
            Action::Withdraw => Sign::Withdraw,
        };
        for entry in part.routes(&context.dialect, context.view)? {
            let path_id = entry.path_id().map(|id| id.0);
            lines.push(canon::route(sign, (part.family.afi, part.family.safi), path_id, route(&entry)));
        }
    }
    if let Some(family) = update.end_of_rib().filter(|family| (context.knows)(*family)) {
        lines.push(canon::end_of_rib((family.afi, family.safi)));
    }
    Ok(())
}

fn attribute_line(
    lines: &mut Vec<String>,
    kind: AttributeKind,
    value: &[u8],
    context: &Context,
) -> Result<(), Error> {
    let numbers =
        || -> Vec<u32> { value.as_chunks().0.iter().map(|four| u32::from_be_bytes(*four)).collect() };
    let path = |four_octets| -> Result<Vec<(u8, Vec<u32>)>, Error> {
        Ok(AsPath::parse(value, four_octets)?.map(|s| (s.kind, s.numbers().collect())).collect())
    };
    let ips = || value.as_chunks().0.iter().map(|ip: &[u8; 4]| Ipv4Addr::from(*ip)).collect::<Vec<_>>();
    let code = kind.0;
    let line = match kind {
        AttributeKind::ORIGIN => canon::attribute(code, value[0]),
        AttributeKind::AS_PATH => canon::attribute(code, path(context.four_octet_as)?),
        AttributeKind::AS4_PATH => canon::attribute(code, path(true)?),
        AttributeKind::MED | AttributeKind::LOCAL_PREF | AttributeKind::ONLY_TO_CUSTOMER => {
            canon::attribute(code, numbers()[0])
        }
        AttributeKind::NEXT_HOP | AttributeKind::ORIGINATOR_ID => canon::attribute(code, ips()[0]),
        AttributeKind::CLUSTER_LIST => canon::attribute(code, ips()),
        AttributeKind::AGGREGATOR | AttributeKind::AS4_AGGREGATOR => {
            let (asn, ip) = value.split_at(value.len() - 4);
            let asn = asn.iter().fold(0, |asn, octet| asn << 8 | u32::from(*octet));
            canon::attribute(code, (asn, IpAddr::from(<[u8; 4]>::try_from(ip).expect("four octets"))))
        }
        AttributeKind::COMMUNITIES => canon::attribute(code, numbers()),
        AttributeKind::LARGE_COMMUNITIES => {
            canon::attribute(code, numbers().as_chunks::<3>().0.iter().collect::<Vec<_>>())
        }
        AttributeKind::EXTENDED_COMMUNITIES => canon::attribute(code, hex(value)),
        AttributeKind::MP_REACH => {
            let reach = MpReach::parse(value)?;
            let family = (reach.family.afi, reach.family.safi);
            match (context.knows)(reach.family) {
                true => canon::attribute(code, (family, reach.next_hop.to_string())),
                false => canon::whole(Sign::Announce, family, &value[3..]),
            }
        }
        AttributeKind::MP_UNREACH => {
            let unreach = MpUnreach::parse(value)?;
            let family = (unreach.family.afi, unreach.family.safi);
            match (context.knows)(unreach.family) {
                true => canon::attribute(code, family),
                false => canon::whole(Sign::Withdraw, family, &value[3..]),
            }
        }
        _ => canon::attribute(code, "there"),
    };
    lines.push(line);
    Ok(())
}

/// A route by its key and its payload, so that taking an entry apart is compared too. Families that
/// have no text of their own are put together again from both and shown as octets.
fn route(entry: &Entry<'_>) -> String {
    let (key, payload) = (entry.key(), entry.payload());
    let ipv6 = entry.family().afi == 2;
    match (entry.family().framing(), &*key) {
        (Some(Framing::Prefix), [bits, prefix @ ..]) => canon::prefix(*bits, prefix, ipv6),
        (Some(Framing::Labelled), [bits, prefix @ ..]) => {
            format!("labels {} {}", hex(&payload), canon::prefix(*bits, prefix, ipv6))
        }
        (Some(Framing::Vpn), [bits, rest @ ..]) => {
            let (rd, prefix) = rest.split_at(8);
            format!("rd {} labels {} {}", hex(rd), hex(&payload), canon::prefix(*bits - 64, prefix, ipv6))
        }
        (Some(Framing::Evpn), [kind, rest @ ..]) => evpn(*kind, rest, &payload),
        _ => {
            let mut whole = vec![0xa5; key.len() + payload.len() + 8];
            let len =
                wire::nlri::write(&mut whole, entry.family(), &key, &payload).expect("it was one entry");
            hex(&whole[..len])
        }
    }
}

/// An entry of a flow specification or of VPLS as routecore would put it.
pub(crate) fn entry(entry: &Entry<'_>) -> Vec<String> {
    let (key, payload) = (entry.key(), entry.payload());
    let text = match (entry.family().framing(), &*key, &*payload) {
        (Some(Framing::Vpls), [0, 17, vpls @ ..], [a, b, label @ ..]) => {
            let two = |octets: &[u8]| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet));
            let rd: Vec<u8> = vpls[..8].to_vec();
            format!(
                "VplsNlri {{ rd: RouteDistinguisher {{ bytes: {rd:?} }}, ve_id: {}, ve_block_offset: {}, \
                 ve_block_size: {}, raw_label_base: {} }}",
                two(&vpls[8..10]),
                two(&vpls[10..]),
                two(&[*a, *b]),
                two(label)
            )
        }
        _ => hex(&key),
    };
    vec![format!("{} octets", entry.bytes().len()), text]
}

/// `rest` is what follows the type in the key: 0 or the wire's own length, and the value.
fn evpn(kind: u8, rest: &[u8], payload: &[u8]) -> String {
    let value = &rest[1..];
    match kind {
        1 => format!(
            "evpn 1 rd {} esi {} tag {} label {}",
            hex(&value[..8]),
            hex(&value[8..18]),
            hex(&value[18..]),
            hex(payload)
        ),
        2 => {
            let (esi, labels) = payload.split_at(10);
            let ip = &value[20..];
            format!(
                "evpn 2 rd {} esi {} tag {} mac {} ip {:?} labels {}",
                hex(&value[..8]),
                hex(esi),
                hex(&value[8..12]),
                hex(&value[13..19]),
                self::ip(ip),
                hex(labels)
            )
        }
        3 => format!("evpn 3 rd {} tag {} ip {:?}", hex(&value[..8]), hex(&value[8..12]), ip(&value[13..])),
        4 => format!("evpn 4 rd {} esi {} ip {:?}", hex(&value[..8]), hex(&value[8..18]), ip(&value[19..])),
        5 => {
            let (esi, rest) = payload.split_at(10);
            let (gateway, label) = rest.split_at(rest.len() - 3);
            format!(
                "evpn 5 rd {} esi {} tag {} {} gateway {:?} label {}",
                hex(&value[..8]),
                hex(esi),
                hex(&value[8..12]),
                canon::prefix(value[12], &value[13..], gateway.len() == 16),
                ip(gateway),
                hex(label)
            )
        }
        _ => format!("evpn {kind} value {}", hex(value)),
    }
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(|ip| Ipv4Addr::from(ip).into()),
        16 => <[u8; 16]>::try_from(octets).ok().map(|ip| Ipv6Addr::from(ip).into()),
        _ => None,
    }
}

/// A record of MRT; `None` if it is of a type that is only carried, or has an UPDATE of a family that
/// the reader on the other side does not take apart.
pub(crate) fn mrt(record: mrt::Record<'_>, knows: Knows) -> Option<Answer> {
    match record.message() {
        Ok(mrt::Message::Unknown(_)) => return None,
        Ok(mrt::Message::BgpMessage(message)) => {
            if let Ok(update) = message.pdu().and_then(Update::parse)
                && !update.parts().all(|part| knows(part.family))
            {
                return None;
            }
        }
        _ => {}
    }
    Some(mrt_lines(record, knows).map_err(|error| error.to_string()))
}

fn mrt_lines(record: mrt::Record<'_>, knows: Knows) -> Result<Vec<String>, Error> {
    let mut lines = vec![format!(
        "record {} {} at {} {}",
        record.kind().0,
        record.subtype().0,
        record.seconds(),
        record.micros()
    )];
    match record.message()? {
        mrt::Message::TableDump(dump) => {
            lines.push(format!("view {} sequence {}", dump.view, dump.sequence));
            lines.push(format!("peer {} as {}", dump.peer_ip, dump.peer_as));
            let mut scratch = [0xa5; mrt::NLRI_LEN];
            let family = (dump.family.afi, dump.family.safi);
            lines.push(canon::route(Sign::Announce, family, None, route(&dump.nlri(&mut scratch))));
            mrt_entry(&mut lines, 0, dump.originated, &dump.path()?, knows)?;
        }
        mrt::Message::PeerIndexTable(table) => {
            let collector = Ipv4Addr::from(table.collector_id);
            lines.push(format!("collector {collector} view {}", hex(table.view_name)));
            lines.extend(table.peers().enumerate().map(|(index, peer)| {
                format!("{index} {} {} as {}", Ipv4Addr::from(peer.bgp_id), peer.ip, peer.asn)
            }));
        }
        mrt::Message::Rib(rib) => {
            lines.push(format!("sequence {}", rib.sequence));
            for (at, entry) in rib.entries().enumerate() {
                let route = format_args!("{} of {} entry {at}", route(&rib.nlri), entry.peer.0);
                let family = (rib.family.afi, rib.family.safi);
                lines.push(canon::route(Sign::Announce, family, entry.path_id.map(|id| id.0), route));
                mrt_entry(&mut lines, at, entry.originated, &entry.path()?, knows)?;
            }
        }
        mrt::Message::BgpMessage(message) => {
            lines.push(session(&message.session));
            let pdu = message.pdu()?;
            lines.push(format!("pdu {}", pdu.kind().0));
            // The record does not say which families have path ids; the reader beside us takes all.
            let add_path: FamilySet = Family::known().filter(|_| message.add_path).collect();
            let dialect = Dialect { add_path_in: add_path, ..Dialect::default() };
            let four_octet_as = message.four_octet_as;
            pdu_lines(&mut lines, pdu, &Context { dialect, view: View::AdjRibInPre, four_octet_as, knows })?;
        }
        mrt::Message::StateChange(change) => {
            lines.push(session(&change.session));
            lines.push(format!("state {} to {}", change.old.0, change.new.0));
        }
        other => lines.push(format!("{other:?}")),
    }
    Ok(lines)
}

fn session(session: &mrt::Session) -> String {
    format!(
        "peer {} as {} local {} as {} interface {}",
        session.peer_ip, session.peer_as, session.local_ip, session.local_as, session.ifindex
    )
}

fn mrt_entry(
    lines: &mut Vec<String>,
    at: usize,
    originated: u32,
    path: &mrt::Path<'_>,
    knows: Knows,
) -> Result<(), Error> {
    lines.push(format!("entry {at} originated {originated}"));
    let (view, four_octet_as) = (View::AdjRibInPre, path.four_octet_as);
    let context = Context { dialect: Dialect::default(), view, four_octet_as, knows };
    for attribute in path.attributes() {
        let mut line = Vec::new();
        match (attribute.kind, path.mp_next_hop()) {
            // Whatever form the file has it in.
            (AttributeKind::MP_REACH, Some(next_hop)) => {
                let family = (path.family.afi, path.family.safi);
                line.push(canon::attribute(14, (family, next_hop.to_string())));
            }
            _ => attribute_line(&mut line, attribute.kind, attribute.value, &context)?,
        }
        lines.extend(line.iter().map(|line| format!("entry {at} {line}")));
    }
    Ok(())
}
