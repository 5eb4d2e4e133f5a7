//! Streams that real routers sent, read to their end and counted: messages by type, routes by family.
//!
//! The numbers are those of the index that came with the data, which other decoders made. The files
//! are not ours and not part of this project: without `../shared/data` these tests say so and pass.

use std::collections::BTreeMap;
use std::io::Read as _;

use lzma_rust2::XzReader;
use wire::Family;
use wire::bgp::{Action, Dialect, Open, Pdu, PduKind, Update, View};
use wire::bmp::{Frame, Message, Mirrored, PeerIdentity, PeerKind};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/open");

/// File, messages, routes announced and withdrawn.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str)] = &[
    ("_derived/hdb3-m320-junos15.1-first35000.bmp.xz", "route-monitoring 34997, statistics 1, peer-up 1, initiation 1", "ipv4-unicast +324289 -0"),
    ("_derived/network--bmp-multi-sources__s15_huawei_daisy-54.bmp", "route-monitoring 924, statistics 418, peer-up 32, initiation 1", "ipv4-unicast +155 -0, ipv6-unicast +62 -0, ipv4-labelled +170 -0, ipv4-vpn +328 -0, ipv6-vpn +316 -0"),
    ("_derived/network--bmp-multi-sources__s21_iosxr25.1.1.102S_daisy-91.bmp", "route-monitoring 406, statistics 7, peer-up 10, initiation 1", "ipv4-unicast +82 -0, ipv6-unicast +63 -0, ipv4-labelled +140 -0, ipv4-vpn +207 -0, ipv6-vpn +169 -0"),
    ("_derived/network--bmp-multi-sources__s13_huawei_daisy-24.bmp", "route-monitoring 111, statistics 152, peer-up 8, initiation 1", "ipv4-unicast +77 -0, ipv6-unicast +62 -0"),
    ("_derived/network--bmp-multi-sources__s06_iosxr7.10.2_daisy-44.bmp", "route-monitoring 348, statistics 68, peer-up 17, initiation 1", "ipv4-unicast +1 -0, ipv4-labelled +26 -0, ipv4-vpn +223 -0, ipv6-vpn +225 -0"),
    ("_derived/network--bmp-multi-sources__s19_iosxr24.1.2_daisy-53.bmp", "route-monitoring 315, statistics 6, peer-up 6, initiation 1", "ipv4-unicast +41 -0, ipv6-unicast +32 -0, ipv4-labelled +92 -0, ipv4-vpn +192 -0, ipv6-vpn +154 -0"),
    ("_derived/network--bmp-multi-source__s01_iosxr7.10.1.30I_daisy-90.bmp", "route-monitoring 301, statistics 28, peer-down 3, peer-up 10, initiation 1", "ipv4-unicast +31 -15, ipv6-unicast +18 -8, ipv4-labelled +140 -0, ipv4-vpn +134 -30, ipv6-vpn +79 -16"),
    ("_derived/network--201-BMP-CISCO-rd-instance-00__s00_iosxr7.4.1_daisy-55.bmp", "route-monitoring 251, statistics 42, peer-up 42, initiation 1", "ipv4-unicast +133 -0, ipv6-unicast +102 -0"),
    ("_derived/network--bmp-multi-source__s00_iosxr7.10.1.30I_daisy-91.bmp", "route-monitoring 205, statistics 28, peer-up 7, initiation 1", "ipv4-unicast +20 -0, ipv6-unicast +14 -0, ipv4-labelled +140 -0, ipv4-vpn +75 -4, ipv6-vpn +52 -4"),
    ("_derived/network--bmp-multi-sources__s20_iosxr7.10.1.30I_daisy-73.bmp", "route-monitoring 203, statistics 7, peer-up 7, initiation 1", "ipv4-unicast +40 -0, ipv6-unicast +2 -0, ipv4-labelled +140 -0, ipv4-vpn +191 -0, ipv6-vpn +1 -0"),
    ("_derived/NetGauze-example__s00_iosxr7.10.2_daisy-44.bmp", "route-monitoring 173, peer-up 18, initiation 1", "ipv4-unicast +1 -0, ipv4-labelled +14 -0, ipv4-vpn +125 -0, ipv6-vpn +96 -0"),
    ("_derived/network--400-IPFIXv10-BMP-CISCO-SRv6-multiple-sources-00__s00_iosxr7.10.1.30I_daisy-90.bmp", "route-monitoring 156, statistics 14, peer-up 7, initiation 1", "ipv4-unicast +14 -0, ipv6-unicast +10 -0, ipv4-labelled +140 -0, ipv4-vpn +52 -0, ipv6-vpn +36 -0"),
    ("_derived/network--400-IPFIXv10-BMP-CISCO-SRv6-multiple-sources-01__s00_iosxr7.10.1.30I_daisy-91.bmp", "route-monitoring 156, statistics 14, peer-up 7, initiation 1", "ipv4-unicast +14 -0, ipv6-unicast +10 -0, ipv4-labelled +140 -0, ipv4-vpn +52 -0, ipv6-vpn +36 -0"),
    ("_derived/pmacct-401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources-00__s00_iosxr7.10.1.30I_daisy-90.bmp", "route-monitoring 161, statistics 7, peer-up 7, initiation 1", "ipv4-unicast +16 -0, ipv6-unicast +10 -0, ipv4-labelled +140 -0, ipv4-vpn +59 -0, ipv6-vpn +36 -0"),
    ("_derived/pmacct-401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources-01__s00_iosxr7.10.1.30I_daisy-91.bmp", "route-monitoring 161, peer-up 7, initiation 1", "ipv4-unicast +16 -0, ipv6-unicast +10 -0, ipv4-labelled +140 -0, ipv4-vpn +59 -0, ipv6-vpn +36 -0"),
    ("_derived/NetGauze-evpn__s01.bmp", "route-monitoring 137, peer-down 1, peer-up 2", "ipv4-vpn +85 -0, ipv6-vpn +53 -0, l2vpn-evpn +1 -0"),
    ("_derived/NetGauze-202-BMP-CISCO-HUAWEI-multiple-sources-01__s00_iosxr7.4.1_daisy-55.bmp", "route-monitoring 44, peer-up 42, initiation 1", "ipv4-unicast +15 -0, ipv6-unicast +22 -0"),
    ("_derived/network--bmp-multi-sources__s00.bmp", "statistics 22", ""),
    ("_derived/network--bmp-multi-sources__s07_huawei_daisy-21.bmp", "statistics 38, peer-up 2, initiation 1", ""),
    ("_derived/network--bmp-multi-sources__s01.bmp", "statistics 28", ""),
    ("_derived/network--bmp-multi-sources__s04.bmp", "statistics 8", ""),
    ("_derived/NetGauze-upa__s01_frr10.8.0-_r1.bmp", "route-monitoring 16, peer-up 3, initiation 1", "ipv4-unicast +10 -0"),
    ("_derived/NetGauze-evpn__s00.bmp", "route-monitoring 6, statistics 7, peer-down 1, peer-up 2", "ipv4-vpn +1 -0, ipv6-vpn +2 -1, l2vpn-evpn +1 -0"),
    ("_derived/network--bmp-multi-sources__s17.bmp", "statistics 21", ""),
    ("_derived/network--bmp-multi-sources__s03.bmp", "statistics 18", ""),
    ("_derived/NetGauze-upa__s02_frr10.8.0-_r2.bmp", "route-monitoring 12, peer-up 2, initiation 1", "ipv4-unicast +6 -3"),
    ("_derived/NetGauze-upa__s00_frr10.8.0-_r3.bmp", "route-monitoring 6, peer-up 2, initiation 1", "ipv4-unicast +3 -0"),
    ("_derived/network--bmp-multi-sources__s09_huawei_daisy-22.bmp", "initiation 1", ""),
    ("_lab/frr844-mirror-bad-open.bmp.xz", "route-monitoring 992, statistics 24, peer-down 42, peer-up 40, initiation 1, route-mirroring 348", "ipv4-unicast +1689 -371, ipv6-unicast +45 -2"),
    ("_lab/frr844-mirror-full-open.bmp.xz", "route-monitoring 29204, statistics 11, peer-down 4, peer-up 2, initiation 1, route-mirroring 13871", "ipv4-unicast +46325 -15813, ipv6-unicast +3033 -346"),
    ("_lab/frr844-mirror-lost-open.bmp.xz", "route-monitoring 560, statistics 14, peer-down 4, peer-up 2, initiation 1, route-mirroring 307", "ipv4-unicast +913 -362, ipv4-multicast +1 -1"),
];

/// The bytes of a file, or nothing and a line that says so.
fn bytes(file: &str) -> Option<Vec<u8>> {
    let Ok(bytes) = std::fs::read(format!("{FOLDER}/{file}")) else {
        println!("no {FOLDER}/{file}: not counted");
        return None;
    };
    if !file.ends_with(".xz") {
        return Some(bytes);
    }
    let mut plain = Vec::new();
    XzReader::new(&bytes[..], false).read_to_end(&mut plain).expect(file);
    Some(plain)
}

/// What a station would know of the peers of one stream.
#[derive(Default)]
struct Peers(BTreeMap<PeerIdentity, (Vec<u8>, Dialect)>);

impl Peers {
    /// A Peer Up for the same session adds to what is known, any other replaces it.
    fn up(&mut self, up: &wire::bmp::PeerUp<'_>) {
        let peer = up.peer;
        let session = [
            &peer.asn.to_bytes()[..],
            &peer.bgp_id,
            &peer.seconds.to_bytes(),
            &peer.micros.to_bytes(),
            up.local_address(),
            &up.local_port().to_be_bytes(),
            &up.remote_port().to_be_bytes(),
        ]
        .concat();
        let known = self.0.get(&peer.identity()).filter(|(known, _)| *known == session);
        let dialect = known.map_or(up.dialect(), |(_, dialect)| dialect.merged(up.dialect()));
        self.0.insert(peer.identity(), (session, dialect));
    }

    /// A Loc-RIB without a Peer Up borrows that of the peer 0.0.0.0 (one router's way).
    fn dialect(&self, identity: PeerIdentity) -> Dialect {
        let global = PeerIdentity { kind: PeerKind::GLOBAL, ..identity };
        let borrowed = || self.0.get(&global).filter(|_| identity.kind == PeerKind::LOC_RIB);
        self.0.get(&identity).or_else(borrowed).map_or(Dialect::default(), |(_, dialect)| *dialect)
    }
}

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<u8, usize>,
    routes: BTreeMap<Family, (usize, usize)>,
    /// Messages that could not be read, in words.
    refused: Vec<String>,
}

impl Counts {
    fn update(&mut self, pdu: Pdu<'_>, dialect: &Dialect, view: View) {
        let update = match Update::parse(pdu) {
            Ok(update) => update,
            Err(error) => return self.refused.push(error.to_string()),
        };
        let mut refused = None;
        for part in update.parts() {
            match part.routes(dialect, view) {
                Ok(routes) => {
                    let counts = self.routes.entry(part.family).or_default();
                    let count = if part.action == Action::Announce { &mut counts.0 } else { &mut counts.1 };
                    *count += routes.len();
                    // Whatever real routers send has keys that can be said again.
                    for entry in routes {
                        let mut again = [0; 5000];
                        let len = wire::nlri::write(&mut again, part.family, &entry.key(), &entry.payload());
                        assert_eq!(len.map(|len| len <= entry.bytes().len()), Ok(true));
                    }
                }
                Err(error) => refused = Some(format!("{} {error}", part.family)),
            }
        }
        self.refused.extend(refused);
    }

    fn of(stream: &[u8]) -> (Self, String) {
        let (mut counts, mut peers) = (Self::default(), Peers::default());
        let mut rest = stream;
        let end = loop {
            let (frame, tail) = match Frame::split(rest) {
                Ok(Some(split)) => split,
                Ok(None) if rest.is_empty() => break String::new(),
                Ok(None) => break format!("{} octets of a message", rest.len()),
                Err(error) => break error.to_string(),
            };
            rest = tail;
            *counts.kinds.entry(frame.kind().0).or_default() += 1;
            match frame.message() {
                Ok(Message::PeerUp(up)) => peers.up(&up),
                Ok(Message::PeerDown(down)) => drop(peers.0.remove(&down.peer.identity())),
                Ok(Message::RouteMonitoring(monitoring)) => {
                    let view = monitoring.peer.view().expect("a view");
                    counts.update(monitoring.pdu, &peers.dialect(monitoring.peer.identity()), view);
                }
                Ok(Message::RouteMirroring(mirroring)) => {
                    let dialect = peers.dialect(mirroring.peer.identity());
                    for mirrored in mirroring.iter() {
                        let Mirrored::Message(message) = mirrored else { continue };
                        match Pdu::split_whole(message) {
                            Ok((pdu, _)) if pdu.kind() == PduKind::UPDATE => {
                                counts.update(pdu, &dialect, View::AdjRibInPre);
                            }
                            Ok((pdu, _)) if pdu.kind() == PduKind::OPEN => {
                                counts.refused.extend(Open::parse(pdu).err().map(|error| error.to_string()));
                            }
                            Ok(_) => {}
                            Err(error) => counts.refused.push(error.to_string()),
                        }
                    }
                }
                Ok(_) => {}
                Err(error) => counts.refused.push(error.to_string()),
            }
        };
        (counts, end)
    }

    /// In the words of the rows above.
    fn said(&self) -> (String, String) {
        let name = |kind: u8| wire::bmp::Kind(kind).name().unwrap_or("unknown");
        let kinds: Vec<_> = self.kinds.iter().map(|(kind, n)| format!("{} {n}", name(*kind))).collect();
        let mut routes: Vec<_> = self
            .routes
            .iter()
            .filter(|(_, counts)| **counts != (0, 0))
            .map(|(family, counts)| (*family, *counts))
            .collect();
        routes.sort_by_key(|(family, _)| (family.afi == 25, family.safi, family.afi));
        let routes: Vec<_> =
            routes.iter().map(|(family, (plus, minus))| format!("{family} +{plus} -{minus}")).collect();
        (kinds.join(", "), routes.join(", "))
    }
}

/// One file has what broken peers sent, mirrored: withdrawn routes that run over 4 times, attributes
/// 11, prefix lengths of 255 in 4 messages and of 192 in one, OPENs that are cut 2 times.
const BROKEN: (&str, usize) = ("_lab/frr844-mirror-bad-open.bmp.xz", 4 + 11 + 4 + 1 + 2);

#[test]
fn captures_are_counted_as_others_count_them() {
    if !std::path::Path::new(FOLDER).exists() {
        println!("no {FOLDER}: no capture is counted");
        return;
    }
    let (mut wrong, mut messages) = (0, 0);
    for (file, kinds, routes) in ROWS {
        let Some(stream) = bytes(file) else { continue };
        let (counts, end) = Counts::of(&stream);
        let refused = if *file == BROKEN.0 { BROKEN.1 } else { 0 };
        let want = (kinds.to_string(), routes.to_string(), String::new(), refused);
        let (got_kinds, got_routes) = counts.said();
        let got = (got_kinds, got_routes, end, counts.refused.len());
        if got != want {
            println!("{file}\n  want {want:?}\n  got  {got:?}\n  {:?}", counts.refused);
            wrong += 1;
        }
        messages += counts.kinds.values().sum::<usize>();
    }
    println!("{messages} messages of {} files", ROWS.len());
    assert_eq!(wrong, 0, "files that are counted differently");
}

/// Version 4 is refused at its first octet, by number.
#[test]
fn version_four_is_refused() {
    let Some(stream) = bytes("_derived/NetGauze-ipv4-unicast-all__s00.bmp") else { return };
    let Err(error) = Frame::split(&stream) else { panic!("version 4 was taken") };
    assert_eq!(error.to_string(), "offset 0: BMP version 4, expected 3");
}
