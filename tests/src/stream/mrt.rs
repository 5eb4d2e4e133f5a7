//! MRT files, RFC 6396.

use super::bytes::{Rng, sized};
use super::update::{Draw, attribute, put_prefix};
use super::{Answer, ROUTER_AS, Time, v4, v6};

/// A table dump: an index of `peers` peers and a record for each of `prefixes` prefixes, one in
/// eight of them IPv6, with entries of one peer up to all of them.
///
/// # Panics
/// Without a peer, or with more than an index of two octets can name.
#[must_use]
pub fn mrt_rib(seed: u64, prefixes: usize, peers: usize) -> (Vec<u8>, Answer) {
    let peers = u16::try_from(peers).ok().filter(|peers| *peers > 0).expect("1 to 65535 peers");
    let mut rng = Rng::new(seed, 1);
    let draw = Draw::new(seed, prefixes);
    let mut out = Vec::new();
    let mut answer = Answer::default();
    record(&mut out, &mut answer, Time::nth(0).0, (13, 1), |out| {
        out.extend([203, 0, 113, 1]);
        sized::<2>(out, |out| out.extend(b"seed"));
        out.extend(peers.to_be_bytes());
        for peer in 0..peers {
            let [high, low] = peer.to_be_bytes();
            let ipv6 = peer % 4 == 3;
            out.push(if ipv6 { 3 } else { 2 });
            out.extend([10, 0, high, low]);
            match ipv6 {
                true => out.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low]),
                false => out.extend([198, 18, high, low]),
            }
            out.extend((64_512 + u32::from(peer) * 1_000).to_be_bytes());
        }
    });
    let mut places = [0; 2];
    for (n, sequence) in (0..prefixes).zip(0_u32..) {
        let ipv6 = n % 8 == 7;
        let place = &mut places[usize::from(ipv6)];
        let subtype = if ipv6 { 4 } else { 2 };
        answer.route_monitoring += 1;
        let entries = 1 + rng.below(peers.into());
        answer.announced += entries;
        let first = rng.below(peers.into());
        record(&mut out, &mut answer, Time::nth(0).0, (13, subtype), |out| {
            out.extend(sequence.to_be_bytes());
            put_prefix(out, *place, ipv6);
            out.extend(u16::try_from(entries).unwrap_or(0).to_be_bytes());
            for peer in (0..peers).cycle().skip(first).take(entries) {
                out.extend(peer.to_be_bytes());
                out.extend((Time::nth(0).0 - rng.u32() % 1_000_000).to_be_bytes());
                let attributes = draw.set(n / 8 * 1000 + usize::from(peer) % 40);
                sized::<2>(out, |out| {
                    attributes.put(out, !ipv6);
                    if ipv6 {
                        // No family and no routes: both stand in the record (RFC 6396 §4.3.4).
                        attribute(out, 0x80, 14, |out| {
                            sized::<1>(out, |out| attributes.put_next_hop_v6(out));
                        });
                    }
                });
            }
        });
        *place += 1;
    }
    (out, answer)
}

/// `n` UPDATEs as a collector writes them down: BGP4MP_ET, MESSAGE_AS4, of IPv4 and IPv6 peers.
#[must_use]
pub fn mrt_updates(seed: u64, n: usize) -> (Vec<u8>, Answer) {
    let mut rng = Rng::new(seed, 2);
    let draw = Draw::new(seed, n * 2);
    let mut out = Vec::new();
    let mut answer = Answer::default();
    for n in 0..n {
        let Time(seconds, micros) = Time::nth(n);
        let mut counted = Answer::default();
        record(&mut out, &mut answer, seconds, (17, 4), |out| {
            out.extend(micros.to_be_bytes());
            let peer = rng.within(1, 20);
            out.extend((64_512 + u32::from(peer) * 1_000).to_be_bytes());
            out.extend(ROUTER_AS.to_be_bytes());
            out.extend([0, 0]);
            if peer % 4 == 3 {
                out.extend([0, 2]);
                out.extend(v6(peer));
                out.extend(v6(254));
            } else {
                out.extend([0, 1]);
                out.extend(&v4(peer)[12..]);
                out.extend(&v4(254)[12..]);
            }
            draw.update(out, &mut rng, &mut counted, |_| false);
        });
        answer.route_monitoring += 1;
        answer.announced += counted.announced;
        answer.withdrawn += counted.withdrawn;
    }
    (out, answer)
}

fn record(
    out: &mut Vec<u8>,
    answer: &mut Answer,
    seconds: u32,
    (kind, subtype): (u16, u16),
    body: impl FnOnce(&mut Vec<u8>),
) {
    answer.messages += 1;
    out.extend(seconds.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    sized::<4>(out, body);
}
