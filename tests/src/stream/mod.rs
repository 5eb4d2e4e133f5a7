//! Streams from a seed, with the answers that a reader must give.
//!
//! ```text
//!  bmp, bmp_plain   Initiation │ Peer Up × 7 │ Route Monitoring, some Statistics …
//!  every_family     Initiation │ Peer Up │ Route Monitoring of every family …
//!  control          every kind of message but Route Monitoring, every reason, every counter
//!  mrt_rib          PEER_INDEX_TABLE │ RIB_IPV4_UNICAST, RIB_IPV6_UNICAST …
//!  mrt_updates      BGP4MP_ET MESSAGE_AS4 …
//! ```
//!
//! * **deterministic** the same seed gives the same octets on every machine.
//! * **independent**   the octets are put down here by hand, from the RFCs: no encoder of ours is
//!   trusted to test the decoder beside it.
//! * **valid**         strict readers accept all of it. Broken bytes are the fuzzers' business.
//! * **realistic**     about 150 octets a Route Monitoring message, 1 to 10 routes each, four of five
//!   of them IPv4; prefixes and attributes come from pools, so that both repeat as in a real table.

pub(crate) mod bytes;
mod control;
mod families;
mod mrt;
pub(crate) mod update;

pub use bytes::Rng;
pub use control::control;
pub use families::{FAMILIES, every_family};
pub use mrt::{mrt_rib, mrt_updates};

use bytes::{sized, sized_with, tlv};
use update::Draw;

/// What a reader must find in a stream: a fast wrong answer fails.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Answer {
    /// BMP messages or MRT records.
    pub messages: usize,
    /// UPDATEs among them; of a RIB dump, the RIB records.
    pub route_monitoring: usize,
    /// Routes announced; of a RIB dump, its entries.
    pub announced: usize,
    /// Routes withdrawn.
    pub withdrawn: usize,
    /// Routes of either kind that have a path id.
    pub with_path_id: usize,
}

/// A BMP stream: a greeting, then `messages` messages of seven peers, some with ADD-PATH.
#[must_use]
pub fn bmp(seed: u64, messages: usize) -> (Vec<u8>, Answer) {
    routes(seed, messages, true)
}

/// The same without path ids, for readers that keep no state of a peer.
#[must_use]
pub fn bmp_plain(seed: u64, messages: usize) -> (Vec<u8>, Answer) {
    routes(seed, messages, false)
}

fn routes(seed: u64, messages: usize, add_path: bool) -> (Vec<u8>, Answer) {
    let mut rng = Rng::new(seed, 0);
    let draw = Draw::new(seed, messages * 2);
    let mut out = Vec::with_capacity(messages * 160 + 4096);
    let mut answer = Answer::default();
    initiation(&mut out, &mut answer);
    for peer in &PEERS {
        let add_path = if add_path { peer.add_path } else { &[] };
        peer_up(&mut out, &mut answer, peer, &[(1, 1), (2, 1)], add_path);
    }
    for n in 0..messages {
        let peer = rng.pick(&PEERS);
        let time = Time::nth(n);
        if rng.percent(1) {
            statistics(&mut out, &mut rng, &mut answer, &peer, time);
            continue;
        }
        route_monitoring(&mut out, &mut answer, &peer, time, |out, answer| {
            draw.update(out, &mut rng, answer, |family| add_path && peer.add_path.contains(&family));
        });
    }
    (out, answer)
}

/// One monitored table.
#[derive(Clone, Copy)]
struct Peer {
    kind: u8,
    flags: u8,
    distinguisher: [u8; 8],
    address: [u8; 16],
    asn: u32,
    bgp_id: [u8; 4],
    /// Families with path ids, mode 3 in both OPENs: the only way that every reader takes alike.
    add_path: &'static [(u16, u8)],
}

const V: u8 = 0x80;
const L: u8 = 0x40;
const A: u8 = 0x20;
const O: u8 = 0x10;

const BOTH: &[(u16, u8)] = &[(1, 1), (2, 1)];
const ROUTER_AS: u32 = 4_200_000_001;
const ROUTER_ID: [u8; 4] = [203, 0, 113, 9];

const fn v4(last: u8) -> [u8; 16] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, last]
}

const fn v6(last: u8) -> [u8; 16] {
    [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

const fn peer(kind: u8, flags: u8, address: [u8; 16], asn: u32, add_path: &'static [(u16, u8)]) -> Peer {
    let distinguisher = if kind == 1 { [0, 0, 0xfd, 0xe9, 0, 0, 0, 7] } else { [0; 8] };
    let bgp_id = if kind == 3 { ROUTER_ID } else { [198, 51, 100, address[15]] };
    Peer { kind, flags, distinguisher, address, asn, bgp_id, add_path }
}

/// Each peer type, each view, both address families, with path ids and without.
const PEERS: [Peer; 7] = [
    peer(0, 0, v4(1), 65001, BOTH),
    peer(0, V, v6(2), 4_200_000_002, &[]),
    peer(0, L, v4(3), 65003, &[(1, 1)]),
    peer(1, 0, v4(4), 65004, &[]),
    peer(1, V | L, v6(5), 65005, BOTH),
    peer(0, O | L, v4(6), 4_200_000_006, BOTH),
    peer(3, 0, [0; 16], ROUTER_AS, BOTH),
];

/// Seconds and microseconds.
#[derive(Clone, Copy)]
struct Time(u32, u32);

impl Time {
    /// 40 000 messages a second, more or less.
    fn nth(n: usize) -> Self {
        let [seconds, micros] = [n / 40_000, n % 40_000 * 25 + 3].map(|n| u32::try_from(n).unwrap_or(0));
        Self(1_750_000_000 + seconds, micros)
    }
}

/// A BMP message with a per-peer header, RFC 7854 §4.1 and §4.2.
fn message(
    out: &mut Vec<u8>,
    answer: &mut Answer,
    kind: u8,
    peer: &Peer,
    time: Time,
    body: impl FnOnce(&mut Vec<u8>, &mut Answer),
) {
    answer.messages += 1;
    out.push(3);
    sized_with::<4>(out, 5, |out| {
        out.extend([kind, peer.kind, peer.flags]);
        out.extend(peer.distinguisher);
        out.extend(peer.address);
        out.extend(peer.asn.to_be_bytes());
        out.extend(peer.bgp_id);
        out.extend(time.0.to_be_bytes());
        out.extend(time.1.to_be_bytes());
        body(out, answer);
    });
}

fn route_monitoring(
    out: &mut Vec<u8>,
    answer: &mut Answer,
    peer: &Peer,
    time: Time,
    pdu: impl FnOnce(&mut Vec<u8>, &mut Answer),
) {
    answer.route_monitoring += 1;
    message(out, answer, 0, peer, time, pdu);
}

/// Initiation and Termination: TLVs alone.
fn tlvs(out: &mut Vec<u8>, answer: &mut Answer, kind: u8, tlvs: &[(u16, &[u8])]) {
    answer.messages += 1;
    out.push(3);
    sized_with::<4>(out, 5, |out| {
        out.push(kind);
        for (kind, value) in tlvs {
            tlv(out, *kind, value);
        }
    });
}

fn initiation(out: &mut Vec<u8>, answer: &mut Answer) {
    tlvs(out, answer, 4, &[(1, b"a router from a seed"), (2, b"seed-1"), (0, b"made by heliograph")]);
}

/// A BGP message: marker, length, type.
pub(crate) fn pdu(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend([0xff; 16]);
    sized_with::<2>(out, 18, |out| {
        out.push(kind);
        body(out);
    });
}

/// An OPEN with its capabilities in one parameter.
fn open(
    out: &mut Vec<u8>,
    asn: u32,
    bgp_id: [u8; 4],
    families: &[(u16, u8)],
    add_path: &[(u16, u8)],
    four_octet_as: bool,
) {
    pdu(out, 1, |out| {
        out.push(4);
        out.extend(u16::try_from(asn).unwrap_or(23456).to_be_bytes());
        out.extend(180_u16.to_be_bytes());
        out.extend(bgp_id);
        sized::<1>(out, |out| {
            out.push(2);
            sized::<1>(out, |out| {
                for (afi, safi) in families {
                    let [a, b] = afi.to_be_bytes();
                    out.extend([1, 4, a, b, 0, *safi]);
                }
                out.extend([2, 0]);
                out.extend([64, 2, 0, 120]);
                if four_octet_as {
                    out.extend([65, 4]);
                    out.extend(asn.to_be_bytes());
                }
                if !add_path.is_empty() {
                    out.push(69);
                    sized::<1>(out, |out| {
                        for (afi, safi) in add_path {
                            let [a, b] = afi.to_be_bytes();
                            out.extend([a, b, *safi, 3]);
                        }
                    });
                }
            });
        });
    });
}

fn peer_up(
    out: &mut Vec<u8>,
    answer: &mut Answer,
    peer: &Peer,
    families: &[(u16, u8)],
    add_path: &[(u16, u8)],
) {
    let loc_rib = peer.kind == 3;
    // A Loc-RIB has neither address nor ports, and one OPEN twice (RFC 9069 §5.3).
    let (local, ports) = match (loc_rib, peer.flags & V != 0) {
        (true, _) => ([0; 16], [0, 0]),
        (false, true) => (v6(254), [179, 50_000 + u16::from(peer.address[15])]),
        (false, false) => (v4(254), [50_000 + u16::from(peer.address[15]), 179]),
    };
    let four_octet_as = peer.flags & A == 0;
    message(out, answer, 3, peer, Time(1_749_999_000, 0), |out, _| {
        out.extend(local);
        out.extend(ports.iter().flat_map(|port: &u16| port.to_be_bytes()));
        open(out, ROUTER_AS, ROUTER_ID, families, add_path, four_octet_as);
        open(out, peer.asn, peer.bgp_id, families, add_path, four_octet_as);
        if loc_rib {
            tlv(out, 3, b"global");
        }
    });
}

/// What routers send every minute.
fn statistics(out: &mut Vec<u8>, rng: &mut Rng, answer: &mut Answer, peer: &Peer, time: Time) {
    let peer = Peer { flags: peer.flags & !O, ..*peer };
    message(out, answer, 1, &peer, time, |out, _| {
        out.extend(5_u32.to_be_bytes());
        tlv(out, 0, &rng.octets::<4>());
        tlv(out, 1, &rng.octets::<4>());
        tlv(out, 7, &u64::from(rng.u32()).to_be_bytes());
        for afi in [1, 2] {
            tlv(out, 9, &[&[0, afi, 1][..], &u64::from(rng.u32()).to_be_bytes()].concat());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
            (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3)
        })
    }

    /// A changed number here is a changed stream: measurements before and after cannot be compared.
    #[test]
    fn the_same_for_ever() {
        let rows = [
            ("bmp", bmp(1, 2000)),
            ("bmp_plain", bmp_plain(1, 2000)),
            ("every_family", every_family(1, 2000)),
            ("control", control(1, 2000)),
            ("mrt_rib", mrt_rib(1, 500, 8)),
            ("mrt_updates", mrt_updates(1, 500)),
        ]
        .map(|(name, (bytes, answer))| {
            let Answer { messages, route_monitoring, announced, withdrawn, with_path_id } = answer;
            format!(
                "{name} {:x} octets {} messages {messages} updates {route_monitoring} \
                 +{announced} -{withdrawn} path ids {with_path_id}",
                hash(&bytes),
                bytes.len()
            )
        });
        assert_eq!(
            rows.join("\n"),
            "bmp 119f688ec3c48578 octets 307604 messages 2008 updates 1983 +10024 -883 path ids 7416\n\
             bmp_plain 50b138de8da9c360 octets 275799 messages 2008 updates 1980 +9856 -861 path ids 0\n\
             every_family 84d8b7b82cf74302 octets 426460 messages 2003 updates 2000 +4263 -1416 path ids 1148\n\
             control 52b587c624a849fa octets 327680 messages 2000 updates 159 +159 -57 path ids 0\n\
             mrt_rib eadabbc0b3f6e85e octets 132830 messages 501 updates 500 +2264 -0 path ids 0\n\
             mrt_updates bcf387b7b8c3d1b6 octets 68138 messages 500 updates 500 +2602 -185 path ids 0"
        );
    }

    #[test]
    fn about_150_octets() {
        for seed in 0..4 {
            let (bytes, answer) = bmp(seed, 10_000);
            let average = bytes.len() / answer.messages;
            assert!((140..160).contains(&average), "seed {seed}: {average} octets a message");
            let each = (answer.announced + answer.withdrawn) * 10 / answer.route_monitoring;
            assert!((53..=57).contains(&each), "seed {seed}: {each} routes in ten updates");
        }
    }
}
