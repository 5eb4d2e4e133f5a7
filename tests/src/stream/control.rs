//! Every kind of message, reason, counter and capability, and few routes.

use super::bytes::{Rng, sized, tlv};
use super::update::Draw;
use super::{A, Answer, L, O, PEERS, Peer, ROUTER_AS, ROUTER_ID, Time, V, initiation, message, pdu, peer};
use super::{route_monitoring, tlvs, v4, v6};

/// Peers whose OPENs have no four-octet AS numbers: their AS paths have two octets a hop.
const LEGACY: [Peer; 2] = [peer(2, A, v4(20), 65020, &[]), peer(0, V | L | A, v6(21), 65021, &[])];

/// A BMP stream of `messages` messages: Peer Ups with all capabilities, Peer Downs with all reasons,
/// all statistics, Route Mirroring, Terminations (and then another Initiation), and UPDATEs with AS
/// numbers of two octets.
#[must_use]
pub fn control(seed: u64, messages: usize) -> (Vec<u8>, Answer) {
    let mut rng = Rng::new(seed, 4);
    let draw = Draw::new(seed, messages);
    let mut out = Vec::new();
    let mut answer = Answer::default();
    initiation(&mut out, &mut answer);
    while answer.messages < messages {
        let time = Time::nth(answer.messages);
        let legacy = rng.percent(20);
        let peer = if legacy { rng.pick(&LEGACY) } else { rng.pick(&PEERS) };
        // O means nothing here (RFC 8671 §5).
        let plain = Peer { flags: peer.flags & !O, ..peer };
        match rng.below(12) {
            0..=2 => peer_up(&mut out, &mut rng, &mut answer, &peer, time),
            3..=5 => peer_down(&mut out, &mut rng, &mut answer, &plain, time),
            6..=7 => statistics(&mut out, &mut rng, &mut answer, &plain, time),
            8..=9 => mirroring(&mut out, &mut rng, &mut answer, &plain, time),
            10 => route_monitoring(&mut out, &mut answer, &rng.pick(&LEGACY), time, |out, answer| {
                two_octets(out, &mut rng, &draw);
                answer.announced += 1;
            }),
            _ if rng.percent(20) => {
                let reason = [0, rng.within(0, 4)];
                tlvs(&mut out, &mut answer, 5, &[(1, &reason), (0, "until soon — bis bald".as_bytes())]);
                initiation(&mut out, &mut answer);
            }
            _ => initiation(&mut out, &mut answer),
        }
    }
    (out, answer)
}

fn capability(out: &mut Vec<u8>, code: u8, value: &[u8]) {
    out.push(code);
    sized::<1>(out, |out| out.extend(value));
}

fn open(out: &mut Vec<u8>, rng: &mut Rng, asn: u32, bgp_id: [u8; 4], four_octet_as: bool) {
    pdu(out, 1, |out| {
        out.push(4);
        out.extend(u16::try_from(asn).unwrap_or(23456).to_be_bytes());
        out.extend(rng.pick(&[0_u16, 3, 90, 180, 65535]).to_be_bytes());
        out.extend(bgp_id);
        let all: [(u8, &[u8]); 14] = [
            (1, &[0, 1, 0, 1]),
            (1, &[0, 2, 0, 1]),
            (1, &[0, 25, 0, 70]),
            (2, &[]),
            (5, &[0, 1, 0, 1, 0, 2]),
            (6, &[]),
            (9, &[3]),
            (64, &[0x80, 120, 0, 1, 1, 0x80, 0, 2, 1, 0]),
            (67, &[1, 2]),
            (70, &[]),
            (71, &[0, 1, 1, 0x80, 0, 0x0e, 0x10]),
            (73, b"\x03rr1\x07example"),
            (128, &[]),
            (241, &[1, 2, 3]),
        ];
        let mut parameters: Vec<Vec<u8>> = vec![Vec::new()];
        for (code, value) in rng.some(&all, 40) {
            // One capability a parameter and all in one: both are common.
            if rng.percent(30) {
                parameters.push(Vec::new());
            }
            capability(parameters.last_mut().expect("never empty"), code, value);
        }
        if four_octet_as {
            capability(&mut parameters[0], 65, &asn.to_be_bytes());
        }
        sized::<1>(out, |out| {
            for parameter in parameters.iter().filter(|parameter| !parameter.is_empty()) {
                out.push(2);
                sized::<1>(out, |out| out.extend(parameter));
            }
        });
    });
}

fn peer_up(out: &mut Vec<u8>, rng: &mut Rng, answer: &mut Answer, peer: &Peer, time: Time) {
    message(out, answer, 3, peer, time, |out, _| {
        match (peer.kind == 3, peer.flags & V != 0) {
            (true, _) => out.extend([0; 16]),
            (false, true) => out.extend(v6(254)),
            (false, false) => out.extend(v4(254)),
        }
        let ports = if peer.kind == 3 { [0; 4] } else { rng.octets() };
        out.extend(ports);
        let four_octet_as = peer.flags & A == 0;
        let asn = if four_octet_as { ROUTER_AS } else { 64_999 };
        let from = out.len();
        open(out, rng, asn, ROUTER_ID, four_octet_as);
        if peer.kind == 3 {
            out.extend_from_within(from..);
            tlv(out, 3, b"global");
        } else {
            open(out, rng, peer.asn, peer.bgp_id, four_octet_as);
        }
        if rng.percent(30) {
            tlv(out, 0, "a note, ÄÖÜ".as_bytes());
            tlv(out, 4, b"transit");
            tlv(out, 4, b"");
        }
    });
}

/// NOTIFICATION codes with all their subcodes, RFC 4271 §4.5, RFC 4486, RFC 8538, RFC 9384.
const SUBCODES: [(u8, &[u8]); 7] = [
    (1, &[1, 2, 3]),
    (2, &[1, 2, 3, 4, 6, 7]),
    (3, &[1, 2, 3, 4, 5, 6, 8, 9, 10, 11]),
    (4, &[0]),
    (5, &[0, 1, 2, 3]),
    (6, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (7, &[1]),
];

fn notification(out: &mut Vec<u8>, rng: &mut Rng) {
    pdu(out, 3, |out| {
        let (code, subcodes) = rng.pick(&SUBCODES);
        let subcode = rng.pick(subcodes);
        out.extend([code, subcode]);
        match (code, subcode) {
            (6, 2 | 4) => sized::<1>(out, |out| out.extend(b"maintenance")),
            _ if rng.percent(50) => out.extend(rng.octets::<6>()),
            _ => {}
        }
    });
}

fn peer_down(out: &mut Vec<u8>, rng: &mut Rng, answer: &mut Answer, peer: &Peer, time: Time) {
    message(out, answer, 2, peer, time, |out, _| {
        let reason = if peer.kind == 3 { 6 } else { rng.within(1, 5) };
        out.push(reason);
        match reason {
            1 | 3 => notification(out, rng),
            2 => out.extend([0, rng.within(0, 28)]),
            6 => tlv(out, 3, b"global"),
            _ => {}
        }
    });
}

/// Every type that RFC 7854, RFC 8671 and RFC 9972 name, and two that nobody does.
fn statistics(out: &mut Vec<u8>, rng: &mut Rng, answer: &mut Answer, peer: &Peer, time: Time) {
    message(out, answer, 1, peer, time, |out, _| {
        let types: Vec<u16> = (0..=43).chain([65_531, 999]).collect();
        let types = rng.some(&types, 60);
        out.extend(u32::try_from(types.len()).unwrap_or(0).to_be_bytes());
        for kind in types {
            let gauge = rng.octets::<8>();
            match kind {
                0..=6 | 11..=13 | 65_531 => tlv(out, kind, &gauge[..4]),
                7 | 8 | 14 | 15 | 18 | 20 | 29 | 31 | 33 | 39 => tlv(out, kind, &gauge),
                24 | 25 | 999 => tlv(out, kind, &gauge[..5]),
                _ => {
                    let family = rng.pick(&[[0, 1, 1], [0, 2, 1], [0, 1, 128], [0, 25, 70]]);
                    tlv(out, kind, &[&family[..], &gauge].concat());
                }
            }
        }
    });
}

fn mirroring(out: &mut Vec<u8>, rng: &mut Rng, answer: &mut Answer, peer: &Peer, time: Time) {
    message(out, answer, 6, peer, time, |out, answer| {
        if rng.percent(30) {
            tlv(out, 1, &[0, 1]);
            if rng.percent(50) {
                return;
            }
        }
        let mut mirrored = Vec::new();
        match rng.below(5) {
            0 => open(&mut mirrored, rng, peer.asn, peer.bgp_id, peer.flags & A == 0),
            1 => notification(&mut mirrored, rng),
            2 => pdu(&mut mirrored, 4, |_| {}),
            3 => pdu(&mut mirrored, 5, |out| out.extend([0, 2, rng.within(0, 2), 1])),
            _ => {
                answer.withdrawn += 1;
                pdu(&mut mirrored, 2, |out| {
                    out.extend([0, 4, 24]);
                    out.extend([rng.within(1, 223), rng.u8(), rng.u8()]);
                    out.extend([0, 0]);
                });
            }
        }
        tlv(out, 0, &mirrored);
    });
}

/// An UPDATE of a speaker that knows only AS numbers of two octets, RFC 6793 §4.2.2.
fn two_octets(out: &mut Vec<u8>, rng: &mut Rng, draw: &Draw) {
    use super::update::{asn, attribute, put_prefix};
    pdu(out, 2, |out| {
        out.extend([0, 0]);
        sized::<2>(out, |out| {
            let path = [asn(rng), asn(rng), asn(rng)];
            attribute(out, 0x40, 1, |out| out.push(0));
            attribute(out, 0x40, 2, |out| {
                out.extend([2, 3]);
                path.iter().for_each(|asn| out.extend(u16::try_from(*asn).unwrap_or(23456).to_be_bytes()));
            });
            attribute(out, 0x40, 3, |out| out.extend([198, 51, 100, 1]));
            attribute(out, 0xc0, 7, |out| out.extend([0xfd, 0xe8, 198, 51, 100, 1]));
            if path.iter().any(|asn| *asn > 65535) {
                attribute(out, 0xc0, 17, |out| {
                    out.extend([2, 3]);
                    path.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
                });
            }
        });
        put_prefix(out, rng.below(draw.prefixes()), false);
    });
}
