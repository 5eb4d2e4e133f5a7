//! Routes of every family that can be taken apart, laid out by hand from their RFCs.

use super::bytes::{Rng, sized};
use super::update::attribute;
use super::{Answer, Peer, Time, V, initiation, peer, peer_up, route_monitoring, v4, v6};

/// How one NLRI of a family is written: announced or withdrawn.
type Nlri = fn(&mut Vec<u8>, &mut Rng, Action);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Announce,
    Withdraw,
}

/// Families, octets of next hop, NLRI.
const TABLE: [((u16, u8), &[usize], Nlri); 30] = [
    ((1, 1), &[4, 16, 32], |out, rng, _| prefix(out, rng, 4, &[])),
    ((2, 1), &[16, 32], |out, rng, _| prefix(out, rng, 16, &[])),
    ((1, 2), &[4], |out, rng, _| multicast(out, rng, 4)),
    ((2, 2), &[16], |out, rng, _| multicast(out, rng, 16)),
    ((1, 4), &[4, 16], |out, rng, action| {
        let head = label(action, rng);
        prefix(out, rng, 4, &head);
    }),
    ((2, 4), &[4, 16, 32], |out, rng, action| {
        let head = label(action, rng);
        prefix(out, rng, 16, &head);
    }),
    ((1, 5), &[4], |out, rng, _| mvpn(out, rng, 4)),
    ((2, 5), &[4, 16], |out, rng, _| mvpn(out, rng, 16)),
    ((1, 66), &[4], |out, rng, _| {
        out.push(128);
        out.extend(rd(rng));
        out.extend(address(rng, 4));
        out.extend(group(rng, 4));
    }),
    ((1, 73), &[4, 16], |out, rng, _| sr_policy(out, rng, 4)),
    ((2, 73), &[16], |out, rng, _| sr_policy(out, rng, 16)),
    ((1, 76), &[4, 16], vpn4),
    ((2, 76), &[16], vpn6),
    ((1, 85), &[4, 16], |out, rng, _| mup(out, rng, 4)),
    ((2, 85), &[16], |out, rng, _| mup(out, rng, 16)),
    ((1, 128), &[12, 24], vpn4),
    ((2, 128), &[12, 24], vpn6),
    ((1, 129), &[12], |out, rng, _| {
        let head = rd(rng);
        prefix(out, rng, 4, &head);
    }),
    ((2, 129), &[24], |out, rng, _| {
        let head = rd(rng);
        prefix(out, rng, 16, &head);
    }),
    ((1, 132), &[4, 16], |out, rng, _| {
        let target = [&super::update::asn(rng).to_be_bytes()[..], &route_target(rng)].concat();
        let octets = rng.pick(&[0_u8, 4, 6, 8, 12, 12, 12]);
        out.push(octets * 8);
        out.extend(&target[..usize::from(octets)]);
    }),
    ((1, 133), &[0], |out, rng, _| flow(out, rng, &[], 4)),
    ((2, 133), &[0], |out, rng, _| flow(out, rng, &[], 16)),
    ((1, 134), &[0], |out, rng, _| {
        let head = rd(rng);
        flow(out, rng, &head, 4);
    }),
    ((2, 134), &[0], |out, rng, _| {
        let head = rd(rng);
        flow(out, rng, &head, 16);
    }),
    ((25, 65), &[4], |out, rng, _| {
        if rng.percent(80) {
            // RFC 4761 §3.2.2
            sized::<2>(out, |out| {
                out.extend(rd(rng));
                out.extend([0, rng.u8(), 0, rng.u8(), 0, 8]);
                out.extend(label(Action::Announce, rng));
            });
        } else {
            // RFC 6074 §3.2.2.1
            sized::<2>(out, |out| {
                out.extend(rd(rng));
                out.extend(address(rng, 4));
            });
        }
    }),
    ((25, 70), &[4, 16], |out, rng, _| evpn(out, rng)),
    ((25, 133), &[0], |out, rng, _| flow_l2(out, rng, &[])),
    ((25, 134), &[0], |out, rng, _| {
        let head = rd(rng);
        flow_l2(out, rng, &head);
    }),
    ((16388, 71), &[4, 16], |out, rng, _| link_state(out, rng, &[])),
    ((16388, 72), &[12, 24], |out, rng, _| {
        let head = rd(rng);
        link_state(out, rng, &head);
    }),
];

/// The families of [`every_family`].
pub const FAMILIES: [(u16, u8); TABLE.len()] = {
    let mut families = [(0, 0); TABLE.len()];
    let mut at = 0;
    while at < families.len() {
        families[at] = TABLE[at].0;
        at += 1;
    }
    families
};

/// What the OPENs name. Not all of them: there are readers that lose a peer over a capability with
/// a family they have not heard of, and reading the others needs no capability.
const NEGOTIATED: &[(u16, u8)] = &[
    (1, 1),
    (2, 1),
    (1, 2),
    (2, 2),
    (1, 4),
    (2, 4),
    (1, 128),
    (2, 128),
    (1, 132),
    (25, 70),
    (16388, 71),
    (16388, 72),
];

/// A BMP stream with routes of every family in turn, by a peer with path ids and by one without,
/// announced and withdrawn, and now and then an End-of-RIB.
#[must_use]
pub fn every_family(seed: u64, messages: usize) -> (Vec<u8>, Answer) {
    let mut rng = Rng::new(seed, 3);
    let mut out = Vec::new();
    let mut answer = Answer::default();
    let peers = [peer(0, 0, v4(1), 65001, &[]), peer(0, V, v6(2), 65002, NEGOTIATED)];
    initiation(&mut out, &mut answer);
    for peer in &peers {
        peer_up(&mut out, &mut answer, peer, NEGOTIATED, peer.add_path);
    }
    for n in 0..messages {
        let row = TABLE[n % TABLE.len()];
        let peer = rng.pick(&peers);
        route_monitoring(&mut out, &mut answer, &peer, Time::nth(n), |out, answer| {
            if rng.percent(5) {
                end_of_rib(out, row.0, rng.percent(50));
            } else {
                update(out, &mut rng, answer, &peer, row);
            }
        });
    }
    (out, answer)
}

/// RFC 4724 §2; the extended length of some routers is legal.
fn end_of_rib(out: &mut Vec<u8>, family: (u16, u8), extended: bool) {
    let [a, b] = family.0.to_be_bytes();
    super::pdu(out, 2, |out| match (family, extended) {
        ((1, 1), _) => out.extend([0, 0, 0, 0]),
        (_, false) => out.extend([0, 0, 0, 6, 0x80, 15, 3, a, b, family.1]),
        (_, true) => out.extend([0, 0, 0, 7, 0x90, 15, 0, 3, a, b, family.1]),
    });
}

fn update(
    out: &mut Vec<u8>,
    rng: &mut Rng,
    answer: &mut Answer,
    peer: &Peer,
    (family, next_hops, write): ((u16, u8), &[usize], Nlri),
) {
    let path_ids = peer.add_path.contains(&family);
    let routes = 1 + rng.below(5);
    let action = if rng.percent(75) { Action::Announce } else { Action::Withdraw };
    match action {
        Action::Announce => answer.announced += routes,
        Action::Withdraw => answer.withdrawn += routes,
    }
    answer.with_path_id += if path_ids { routes } else { 0 };
    let mut nlri = Vec::new();
    for _ in 0..routes {
        if path_ids {
            nlri.extend(rng.octets::<4>());
        }
        write(&mut nlri, rng, action);
    }
    // IPv4 unicast in MP_REACH is RFC 8950's way to have an IPv6 next hop.
    let plain = family == (1, 1) && rng.percent(60);
    let [a, b] = family.0.to_be_bytes();
    super::pdu(out, 2, |out| {
        sized::<2>(out, |out| {
            if plain && action == Action::Withdraw {
                out.extend(&nlri);
            }
        });
        sized::<2>(out, |out| match action {
            Action::Withdraw if plain => {}
            Action::Withdraw => attribute(out, 0x80, 15, |out| {
                out.extend([a, b, family.1]);
                out.extend(&nlri);
            }),
            Action::Announce => {
                if !plain {
                    attribute(out, 0x80, 14, |out| {
                        out.extend([a, b, family.1]);
                        let len = rng.pick(next_hops);
                        sized::<1>(out, |out| next_hop(out, rng, len));
                        out.push(0);
                        out.extend(&nlri);
                    });
                }
                attributes(out, rng, plain);
            }
        });
        if plain && action == Action::Announce {
            out.extend(&nlri);
        }
    });
}

/// One of each attribute that is common beside these families.
fn attributes(out: &mut Vec<u8>, rng: &mut Rng, plain: bool) {
    attribute(out, 0x40, 1, |out| out.push(rng.within(0, 2)));
    attribute(out, 0x40, 2, |out| {
        // Nothing at all for a route of the own AS; a set behind a sequence for an aggregate.
        let kinds: [&[u8]; 10] = [&[], &[], &[2], &[2], &[2], &[2], &[2, 1], &[2, 1], &[3, 2], &[4, 2]];
        for kind in rng.pick(&kinds) {
            out.push(*kind);
            let count = rng.within(1, 4);
            out.push(count);
            (0..count).for_each(|_| out.extend(super::update::asn(rng).to_be_bytes()));
        }
    });
    if plain {
        attribute(out, 0x40, 3, |out| out.extend(address(rng, 4)));
    }
    if rng.percent(50) {
        attribute(out, 0x80, 4, |out| out.extend(rng.octets::<4>()));
    }
    attribute(out, 0x40, 5, |out| out.extend(rng.octets::<4>()));
    if rng.percent(20) {
        attribute(out, 0x40, 6, |_| {});
        attribute(out, 0xc0, 7, |out| {
            out.extend(super::update::asn(rng).to_be_bytes());
            out.extend(address(rng, 4));
        });
    }
    if rng.percent(50) {
        // Seventy have more than 255 octets: the length needs two.
        let communities = if rng.percent(10) { 70 } else { rng.within(1, 4) };
        attribute(out, 0xc0, 8, |out| (0..communities).for_each(|_| out.extend(rng.octets::<4>())));
    }
    if rng.percent(30) {
        attribute(out, 0x80, 9, |out| out.extend(address(rng, 4)));
        attribute(out, 0x80, 10, |out| (0..3).for_each(|_| out.extend(address(rng, 4))));
    }
    if rng.percent(60) {
        attribute(out, 0xc0, 16, |out| (0..2).for_each(|_| out.extend(route_target(rng))));
    }
    if rng.percent(20) {
        attribute(out, 0xc0, 32, |out| out.extend(rng.octets::<24>()));
    }
    if rng.percent(10) {
        attribute(out, 0xc0, 35, |out| out.extend(super::update::asn(rng).to_be_bytes()));
    }
    if rng.percent(10) {
        // Nobody knows it; partial, as it passed others who did not.
        attribute(out, 0xe0, 213, |out| out.extend(rng.octets::<5>()));
    }
}

fn next_hop(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    match len {
        0 => {}
        // A route distinguisher of zero in front (RFC 4364 §4.3.2, RFC 4659 §3.2.1).
        12 | 24 => {
            out.extend([0; 8]);
            out.extend(address(rng, len - 8));
        }
        32 => {
            out.extend(address(rng, 16));
            out.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
            out.extend(rng.octets::<8>());
        }
        _ => out.extend(address(rng, len)),
    }
}

/// A unicast address of 4 or 16 octets.
fn address(rng: &mut Rng, octets: usize) -> Vec<u8> {
    let mut address = rng.octets::<16>()[..octets].to_vec();
    address[0] = if octets == 4 { rng.within(1, 223) } else { rng.within(0x20, 0x3f) };
    address
}

fn group(rng: &mut Rng, octets: usize) -> Vec<u8> {
    let mut group = address(rng, octets);
    group[0] = if octets == 4 { rng.within(232, 239) } else { 0xff };
    group
}

/// A prefix of any length behind `head`, which the length counts. Bits past the length mean nothing
/// (RFC 4271 §4.3), so one time in ten they are not zero.
fn prefix(out: &mut Vec<u8>, rng: &mut Rng, octets: usize, head: &[u8]) {
    let bits = rng.below(octets * 8 + 1);
    let mut address = address(rng, octets);
    address.truncate(bits.div_ceil(8));
    if !rng.percent(10)
        && !bits.is_multiple_of(8)
        && let Some(last) = address.last_mut()
    {
        *last &= 0xff << (8 - bits % 8);
    }
    out.push(u8::try_from(head.len() * 8 + bits).expect("216 bits at most"));
    out.extend(head);
    out.extend(address);
}

/// RFC 4760 §6: routes for multicast forwarding, hence to sources; some speakers send groups.
fn multicast(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    if rng.percent(30) {
        return prefix(out, rng, octets, &[]);
    }
    out.push(if octets == 4 { 32 } else { 128 });
    out.extend(group(rng, octets));
}

/// One label: at the bottom of the stack, or what stands for none (RFC 8277 §2.4).
fn label(action: Action, rng: &mut Rng) -> [u8; 3] {
    match action {
        Action::Announce => {
            let [a, b, c] = rng.octets();
            [a, b, (c & 0xf0) | 1]
        }
        Action::Withdraw => [0x80, 0, 0],
    }
}

/// A route distinguisher of one of the three types (RFC 4364 §4.2).
fn rd(rng: &mut Rng) -> [u8; 8] {
    let mut rd = rng.octets::<8>();
    rd[..2].copy_from_slice(&[0, rng.within(0, 2)]);
    rd
}

fn route_target(rng: &mut Rng) -> [u8; 8] {
    let mut target = rng.octets::<8>();
    target[..2].copy_from_slice(&[rng.within(0, 2), 2]);
    target
}

fn vpn4(out: &mut Vec<u8>, rng: &mut Rng, action: Action) {
    let head = [&label(action, rng)[..], &rd(rng)].concat();
    prefix(out, rng, 4, &head);
}

fn vpn6(out: &mut Vec<u8>, rng: &mut Rng, action: Action) {
    let head = [&label(action, rng)[..], &rd(rng)].concat();
    prefix(out, rng, 16, &head);
}

/// An address behind its length in bits.
fn counted_address(out: &mut Vec<u8>, address: &[u8]) {
    out.push(if address.len() == 4 { 32 } else { 128 });
    out.extend(address);
}

/// RFC 6514 §4: intra-AS I-PMSI, source active, source tree join.
fn mvpn(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    let kind = rng.pick(&[1, 5, 7]);
    out.push(kind);
    sized::<1>(out, |out| {
        out.extend(rd(rng));
        match kind {
            1 => out.extend(address(rng, octets)),
            _ => {
                if kind == 7 {
                    out.extend(super::update::asn(rng).to_be_bytes());
                }
                counted_address(out, &address(rng, octets));
                counted_address(out, &group(rng, octets));
            }
        }
    });
}

/// RFC 9830 §2.1.
fn sr_policy(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    out.push(if octets == 4 { 96 } else { 192 });
    out.extend(rng.octets::<8>());
    out.extend(address(rng, octets));
}

/// draft-ietf-bess-mup-safi §3.1, architecture 1.
fn mup(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    let kind = rng.within(1, 4);
    out.extend([1, 0, kind]);
    sized::<1>(out, |out| {
        out.extend(rd(rng));
        match kind {
            1 => prefix(out, rng, octets, &[]),
            2 => out.extend(address(rng, octets)),
            3 => {
                counted_address(out, &address(rng, octets));
                out.extend(rng.octets::<5>()); // TEID, QFI
                counted_address(out, &address(rng, octets));
                out.push(0); // no source address
            }
            _ => {
                out.push(if octets == 4 { 64 } else { 160 });
                out.extend(address(rng, octets));
                out.extend(rng.octets::<4>());
            }
        }
    });
}

/// RFC 7432 §7, RFC 9136 §3.1, and a type that not everybody reads.
fn evpn(out: &mut Vec<u8>, rng: &mut Rng) {
    let kind = rng.within(1, 6);
    out.push(kind);
    sized::<1>(out, |out| {
        out.extend(rd(rng));
        if matches!(kind, 1 | 2 | 4 | 5) {
            out.extend(rng.octets::<10>()); // ESI
        }
        if kind != 4 {
            out.extend(rng.octets::<4>()); // tag
        }
        let octets = rng.pick(&[4, 16]);
        match kind {
            1 => out.extend(label(Action::Announce, rng)),
            2 => {
                out.push(48);
                out.extend(rng.octets::<6>());
                match rng.percent(30) {
                    true => out.push(0),
                    false => counted_address(out, &address(rng, octets)),
                }
                (0..rng.within(1, 2)).for_each(|_| out.extend(label(Action::Announce, rng)));
            }
            3 | 4 => counted_address(out, &address(rng, octets)),
            5 => {
                let bits = rng.below(octets * 8 + 1);
                let mut address_ = address(rng, octets);
                for (at, octet) in address_.iter_mut().enumerate() {
                    let used = bits.saturating_sub(at * 8).min(8);
                    *octet &= !0xff_u8.checked_shr(u32::try_from(used).unwrap_or(0)).unwrap_or(0);
                }
                out.push(u8::try_from(bits).unwrap_or(0));
                out.extend(address_);
                out.extend(address(rng, octets)); // gateway
                out.extend(label(Action::Announce, rng));
            }
            // RFC 9251 §9.1: source, group, originator, flags
            _ => {
                counted_address(out, &address(rng, octets));
                counted_address(out, &group(rng, octets));
                counted_address(out, &address(rng, octets));
                out.push(rng.pick(&[1, 2, 4]));
            }
        }
    });
}

/// RFC 8955 §4, RFC 8956 §3: a destination, a protocol and ports; now and then so many that the
/// length needs two octets.
fn flow(out: &mut Vec<u8>, rng: &mut Rng, head: &[u8], octets: usize) {
    let mut value = head.to_vec();
    value.push(1);
    if octets == 16 {
        let bits = rng.pick(&[32, 48, 64, 128]);
        value.extend([bits, 0]);
        value.extend(&address(rng, 16)[..usize::from(bits / 8)]);
    } else {
        let bits = rng.pick(&[8, 16, 24, 32]);
        value.push(bits);
        value.extend(&address(rng, 4)[..usize::from(bits / 8)]);
    }
    value.extend([3, 0x81, rng.pick(&[6, 17])]);
    value.push(5);
    let ports = if rng.percent(10) { 100 } else { rng.within(1, 5) };
    for port in 1..=ports {
        value.push(if port == ports { 0x91 } else { 0x11 });
        value.extend(rng.octets::<2>());
    }
    put_flow(out, &value);
}

/// draft-ietf-idr-flowspec-l2vpn §3: an Ethernet type.
fn flow_l2(out: &mut Vec<u8>, rng: &mut Rng, head: &[u8]) {
    let value = [head, &[14, 0x91], &rng.octets::<2>()].concat();
    put_flow(out, &value);
}

fn put_flow(out: &mut Vec<u8>, value: &[u8]) {
    match u8::try_from(value.len()) {
        Ok(len @ 0..240) => out.push(len),
        _ => out.extend((0xf000 | u16::try_from(value.len()).unwrap_or(0)).to_be_bytes()),
    }
    out.extend(value);
}

/// RFC 9552 §5.2: nodes, links and prefixes of IS-IS.
fn link_state(out: &mut Vec<u8>, rng: &mut Rng, head: &[u8]) {
    let kind = rng.within(1, 4);
    out.extend([0, kind]);
    sized::<2>(out, |out| {
        out.extend(head);
        out.push(2); // IS-IS level 2
        out.extend(rng.octets::<8>());
        node(out, rng, 256);
        match kind {
            1 => {}
            2 => {
                node(out, rng, 257);
                super::tlv(out, 259, &address(rng, 4));
                super::tlv(out, 260, &address(rng, 4));
            }
            _ => {
                let octets = if kind == 3 { 4 } else { 16 };
                let bits = rng.pick(&[16, 24, 32]);
                let reachability = [&[bits][..], &address(rng, octets)[..usize::from(bits / 8)]].concat();
                super::tlv(out, 265, &reachability);
            }
        }
    });
}

fn node(out: &mut Vec<u8>, rng: &mut Rng, kind: u16) {
    let mut value = Vec::new();
    super::tlv(&mut value, 512, &super::update::asn(rng).to_be_bytes());
    super::tlv(&mut value, 513, &[0; 4]);
    super::tlv(&mut value, 515, &rng.octets::<6>());
    super::tlv(out, kind, &value);
}
