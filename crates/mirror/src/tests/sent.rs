//! What a router sends, in few words: peers, Peer Ups, routes, and all else.

use wire::Family;
use wire::bgp::{self, Capability, CapabilityKind, Pdu};
use wire::bmp::{self, DownReason, InformationKind, PeerFlags, PeerHeader, PeerKind, Tlv};

use super::{V4, V6};

/// A message, and what it is called here.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
}

/// Writes a message into a buffer that is large enough for all.
pub(super) fn written(
    name: impl Into<String>,
    write: impl FnOnce(&mut [u8]) -> Result<usize, wire::Overflow>,
) -> Sent {
    let mut octets = vec![0xa5; 130 << 10];
    let len = write(&mut octets).expect("room for two of the longest fields");
    octets.truncate(len);
    Sent { name: name.into(), octets }
}

/// The nth peer of the global instance.
pub(super) fn p(n: u8) -> PeerHeader {
    let mut header =
        PeerHeader { asn: (65000 + u32::from(n)).into(), bgp_id: [n; 4], ..PeerHeader::default() };
    header.address[12..].copy_from_slice(&[192, 0, 2, n]);
    header.seconds = 7.into();
    header
}

/// The nth peer of a VPN.
pub(super) fn v(n: u8) -> PeerHeader {
    PeerHeader { kind: PeerKind::RD, distinguisher: [0, 0, 0xfb, 0xf4, 0, 0, 0, n], ..p(n) }
}

/// The table of the router itself.
pub(super) fn loc() -> PeerHeader {
    PeerHeader { kind: PeerKind::LOC_RIB, address: [0; 16], ..p(9) }
}

/// The same peer, in another view.
pub(super) fn view(header: PeerHeader, flags: u8) -> PeerHeader {
    PeerHeader { flags: PeerFlags(flags), ..header }
}

pub(super) fn called(header: &PeerHeader) -> String {
    let flags = if header.flags.0 == 0 { String::new() } else { format!("/{:x}", header.flags.0) };
    match header.kind {
        PeerKind::GLOBAL => format!("p{}{flags}", header.address[15]),
        PeerKind::RD => format!("v{}{flags}", header.address[15]),
        PeerKind::LOC_RIB => format!("loc{flags}"),
        PeerKind(kind) => format!("kind {kind}{flags}"),
    }
}

/// An OPEN with these capabilities behind the usual one.
pub(super) fn open(asn: u32, capabilities: &[(CapabilityKind, &[u8])]) -> Vec<u8> {
    let four = asn.to_be_bytes();
    let all: Vec<_> = [(CapabilityKind::FOUR_OCTET_AS, &four[..])]
        .iter()
        .chain(capabilities)
        .map(|(kind, value)| Capability { kind: *kind, value })
        .collect();
    let mut octets = vec![0; 4096];
    let len = bgp::write_open(&mut octets, asn, 90, [1; 4], &all).expect("a short one");
    octets.truncate(len);
    octets
}

/// ADD-PATH, both ways, of IPv4 or IPv6 unicast.
pub(super) const PATHS_V4: (CapabilityKind, &[u8]) = (CapabilityKind::ADD_PATH, &[0, 1, 1, 3]);
pub(super) const PATHS_V6: (CapabilityKind, &[u8]) = (CapabilityKind::ADD_PATH, &[0, 2, 1, 3]);

/// A Peer Up: from this port, with these capabilities, under this table name, with so much free text.
pub(super) fn up_with(
    header: PeerHeader,
    port: u16,
    capabilities: &[(CapabilityKind, &[u8])],
    table: &str,
    text: usize,
) -> Sent {
    let [sent, received] = [65500, header.asn.get()].map(|asn| open(asn, capabilities));
    let pdus = [&sent, &received].map(|open| Pdu::split_whole(open).expect("an OPEN").0);
    let text = "x".repeat(text);
    let tlvs: Vec<_> = [(InformationKind::TABLE_NAME, table), (InformationKind::STRING, &*text)]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(kind, value)| Tlv { kind: kind.0, value: value.as_bytes() })
        .collect();
    let paths = capabilities.iter().map(|(_, value)| format!(" paths {value:?}")).collect::<String>();
    let name = format!("{} up {port}{paths} {table}", called(&header));
    let opens = (pdus[0], pdus[1]);
    written(name.trim(), |to| bmp::peer_up(to, &header, &[5; 16], (port, 179), opens, &tlvs))
}

pub(super) fn up(header: PeerHeader) -> Sent {
    up_with(header, 1, &[], "", 0)
}

pub(super) fn down(header: PeerHeader, reason: DownReason) -> Sent {
    let name = format!("{} down {}", called(&header), reason.0);
    written(name, |to| bmp::peer_down(to, &header, reason, &[]))
}

/// An UPDATE of these fields; the attributes of RFC 4271 come in front of those given.
pub(super) fn update(
    name: &str,
    header: PeerHeader,
    [withdrawn, more, nlri]: [&[u8]; 3],
    trailing: &[u8],
) -> Sent {
    let length = |len: usize| u16::try_from(len).expect("a short field").to_be_bytes();
    let len = 23 + withdrawn.len() + more.len() + nlri.len();
    let pdu = [
        &[0xff; 16],
        &length(len)[..],
        &[2],
        &length(withdrawn.len()),
        withdrawn,
        &length(more.len()),
        more,
        nlri,
    ]
    .concat();
    let name = format!("{} {name}", called(&header));
    written(name, |to| bmp::route_monitoring(to, &header, &pdu, trailing))
}

/// ORIGIN and a MED, by which one announcement is told from another.
pub(super) fn attributes(med: u8) -> Vec<u8> {
    [[0x40, 1, 1, 0].as_slice(), &[0x80, 4, 4, 0, 0, 0, med]].concat()
}

pub(super) fn mp(kind: u8, family: Family, nlri: &[u8]) -> Vec<u8> {
    let [a, b] = family.afi.to_be_bytes();
    let next_hop: &[u8] = if kind == 14 { &[4, 192, 0, 2, 99, 0] } else { &[] };
    let value = [&[a, b, family.safi], next_hop, nlri].concat();
    [&[0x80, kind, u8::try_from(value.len()).expect("short")], &*value].concat()
}

/// The nth prefix: 10.n.0.0/16 or 2001:n00::/24.
pub(super) fn prefix(family: Family, n: u8) -> Vec<u8> {
    if family == V4 { vec![16, 10, n] } else { vec![24, 0x20, 1, n] }
}

pub(super) fn add(header: PeerHeader, n: u8, med: u8) -> Sent {
    update(&format!("+{n} med {med}"), header, [&[], &attributes(med), &prefix(V4, n)], &[])
}

pub(super) fn add6(header: PeerHeader, n: u8, med: u8) -> Sent {
    let more = [mp(14, V6, &prefix(V6, n)), attributes(med)].concat();
    update(&format!("+v6 {n} med {med}"), header, [&[], &more, &[]], &[])
}

pub(super) fn del(header: PeerHeader, n: u8) -> Sent {
    update(&format!("-{n}"), header, [&prefix(V4, n), &[], &[]], &[])
}

pub(super) fn end(header: PeerHeader, family: Family) -> Sent {
    let name = format!("{} end {family}", called(&header));
    written(name, |to| bmp::route_monitoring_with(to, &header, |pdu| bgp::end_of_rib(pdu, family)))
}

pub(super) fn stat(header: PeerHeader, value: u8) -> Sent {
    let stats = [Tlv { kind: 0, value: &[0, 0, 0, value] }];
    written(format!("{} stat {value}", called(&header)), |to| bmp::statistics(to, &header, &stats))
}

pub(super) fn mirrored(header: PeerHeader, code: u16) -> Sent {
    let name = format!("{} mirrored {code}", called(&header));
    written(name, |to| bmp::route_mirroring(to, &header, &[code], None))
}

pub(super) fn init(text: &str) -> Sent {
    let tlv = Tlv { kind: InformationKind::SYS_NAME.0, value: text.as_bytes() };
    written(format!("init {}", &text[..text.len().min(9)]), |to| bmp::initiation(to, &[tlv]))
}

/// A message of any type, whatever is in it.
pub(super) fn raw(name: &str, kind: u8, header: Option<PeerHeader>, body: &[u8]) -> Sent {
    let mut octets = vec![3, 0, 0, 0, 0, kind];
    if let Some(header) = header {
        // An End-of-RIB with this header, of which the header is taken.
        octets.extend(&end(header, V4).octets[6..48]);
    }
    octets.extend(body);
    let len = u32::try_from(octets.len()).expect("short").to_be_bytes();
    octets[1..5].copy_from_slice(&len);
    Sent { name: name.to_owned(), octets }
}
