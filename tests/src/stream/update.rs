//! UPDATEs of IPv4 and IPv6 unicast, drawn from pools of prefixes and of attributes.

use super::bytes::{Rng, sized};
use super::{Answer, pdu};

/// Lengths of prefixes, sixteenths each: about what the default-free zone has.
const V4_BITS: [u8; 16] = [24, 22, 24, 24, 23, 24, 20, 24, 22, 24, 24, 21, 24, 19, 24, 20];
const V6_BITS: [u8; 16] = [48, 48, 32, 48, 44, 48, 40, 48, 32, 48, 48, 36, 48, 47, 32, 46];

/// The pools of one stream.
pub(super) struct Draw {
    seed: u64,
    prefixes: usize,
}

/// How many routes share one set of attributes, on average.
const ROUTES_A_SET: usize = 8;

impl Draw {
    pub(super) fn new(seed: u64, prefixes: usize) -> Self {
        Self { seed, prefixes: prefixes.max(1000) }
    }

    /// An UPDATE: 80 % announce IPv4, 12 % IPv6, 8 % withdraw either.
    pub(super) fn update(
        &self,
        out: &mut Vec<u8>,
        rng: &mut Rng,
        answer: &mut Answer,
        add_path: impl Fn((u16, u8)) -> bool,
    ) {
        let routes = 1 + rng.below(10);
        let first = rng.below(self.prefixes);
        let kind = rng.below(100);
        let ipv6 = (80..92).contains(&kind) || kind >= 98;
        let withdraw = kind >= 92;
        let path_ids = add_path(if ipv6 { (2, 1) } else { (1, 1) });
        let mut nlri = |out: &mut Vec<u8>| {
            for n in first..first + routes {
                if path_ids {
                    out.extend(u32::from(rng.within(1, 4)).to_be_bytes());
                }
                put_prefix(out, n % self.prefixes, ipv6);
            }
        };
        let attributes = self.set(first / ROUTES_A_SET);
        pdu(out, 2, |out| match (withdraw, ipv6) {
            (false, false) => {
                out.extend([0, 0]);
                sized::<2>(out, |out| attributes.put(out, true));
                nlri(out);
            }
            (false, true) => {
                out.extend([0, 0]);
                sized::<2>(out, |out| {
                    attribute(out, 0x80, 14, |out| {
                        out.extend([0, 2, 1]);
                        sized::<1>(out, |out| attributes.put_next_hop_v6(out));
                        out.push(0);
                        nlri(out);
                    });
                    attributes.put(out, false);
                });
            }
            (true, false) => {
                sized::<2>(out, nlri);
                out.extend([0, 0]);
            }
            (true, true) => {
                out.extend([0, 0]);
                sized::<2>(out, |out| {
                    attribute(out, 0x80, 15, |out| {
                        out.extend([0, 2, 1]);
                        nlri(out);
                    });
                });
            }
        });
        if withdraw {
            answer.withdrawn += routes;
        } else {
            answer.announced += routes;
        }
        if path_ids {
            answer.with_path_id += routes;
        }
    }

    /// How many prefixes there are.
    pub(super) fn prefixes(&self) -> usize {
        self.prefixes
    }

    /// A set of attributes by its number.
    pub(super) fn set(&self, n: usize) -> Attributes {
        Attributes(self.seed, n as u64)
    }
}

/// The n-th prefix: no two are equal below seven millions.
pub(super) fn put_prefix(out: &mut Vec<u8>, n: usize, ipv6: bool) {
    let table = if ipv6 { &V6_BITS } else { &V4_BITS };
    let bits = table[n % 16];
    // The how many of its length this is; then a walk through all values that leaves none out.
    let each = table.iter().filter(|other| **other == bits).count();
    let before = table[..n % 16].iter().filter(|other| **other == bits).count();
    let rank = (n / 16 * each + before) as u128;
    out.push(bits);
    let octets = usize::from(bits.div_ceil(8));
    if ipv6 {
        // 2000::/3
        let value = rank.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ((1 << (bits - 3)) - 1);
        let value = (1 << 125) | (value << (128 - bits));
        out.extend(&value.to_be_bytes()[..octets]);
    } else {
        // 1.0.0.0 to 223.255.255.255, of which there are 223 times a power of two
        let value = (1 << (bits - 8)) + rank * 7_368_787 % (223 << (bits - 8));
        let value = value << (32 - bits);
        out.extend(&value.to_be_bytes()[12..][..octets]);
    }
}

/// A set of attributes: the same for the same numbers.
#[derive(Clone, Copy)]
pub(super) struct Attributes(u64, u64);

impl Attributes {
    fn rng(self, part: u64) -> Rng {
        Rng::new(self.0 ^ 0x5e7, self.1 << 4 | part)
    }

    /// In the order of their types, which is what RFC 4271 §5 asks for.
    pub(super) fn put(self, out: &mut Vec<u8>, next_hop: bool) {
        let mut rng = self.rng(0);
        let origin = rng.pick(&[0, 0, 0, 0, 2]);
        attribute(out, 0x40, 1, |out| out.push(origin));
        attribute(out, 0x40, 2, |out| {
            let hops = rng.within(3, 6);
            out.extend([2, hops]);
            for _ in 0..hops {
                out.extend(asn(&mut rng).to_be_bytes());
            }
        });
        if next_hop {
            attribute(out, 0x40, 3, |out| out.extend([198, 51, 100, rng.within(1, 254)]));
        }
        if rng.percent(25) {
            attribute(out, 0x80, 4, |out| out.extend(u32::from(rng.u8()).to_be_bytes()));
        }
        if rng.percent(25) {
            attribute(out, 0x40, 5, |out| out.extend(rng.pick(&[100_u32, 120, 200]).to_be_bytes()));
        }
        if rng.percent(35) {
            attribute(out, 0xc0, 8, |out| {
                for _ in 0..rng.within(1, 4) {
                    out.extend([rng.within(1, 250), rng.u8(), rng.u8(), rng.u8()]);
                }
            });
        }
        if rng.percent(10) {
            attribute(out, 0xc0, 32, |out| {
                for _ in 0..rng.within(1, 2) {
                    out.extend(asn(&mut rng).to_be_bytes());
                    out.extend(rng.octets::<8>());
                }
            });
        }
    }

    /// A global address, one time in five with a link-local one (RFC 2545 §3).
    pub(super) fn put_next_hop_v6(self, out: &mut Vec<u8>) {
        let mut rng = self.rng(1);
        let last = rng.within(1, 254);
        out.extend(super::v6(last));
        if rng.percent(20) {
            out.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        }
    }
}

/// A public AS number: of two octets twice in three times.
pub(super) fn asn(rng: &mut Rng) -> u32 {
    if rng.percent(67) { 1 + rng.u32() % 23_455 } else { 131_072 + rng.u32() % 300_000 }
}

/// A path attribute; lengths of two octets where one is not enough.
pub(crate) fn attribute(out: &mut Vec<u8>, flags: u8, kind: u8, value: impl FnOnce(&mut Vec<u8>)) {
    let mut long = Vec::new();
    value(&mut long);
    if long.len() > 255 {
        out.extend([flags | 0x10, kind]);
        sized::<2>(out, |out| out.extend(&long));
    } else {
        out.extend([flags, kind]);
        sized::<1>(out, |out| out.extend(&long));
    }
}
