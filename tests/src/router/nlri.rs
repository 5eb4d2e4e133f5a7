//! The pools that routes are drawn from: the n-th NLRI of each family, and what identifies it.

use crate::Rng;
use crate::station::Family;
use crate::stream::bytes::sized;

/// The families of which a router may have routes.
pub(super) const FAMILIES: [Family; 8] =
    [(1, 1), (2, 1), (1, 2), (1, 4), (1, 128), (2, 128), (25, 70), (1, 133)];

/// One NLRI as it is sent, and what a server makes of it.
#[derive(Clone)]
pub(super) struct Nlri {
    /// Its number in the pool.
    pub(super) n: usize,
    /// Path id included.
    pub(super) wire: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) path_id: Option<u32>,
    pub(super) payload: Vec<u8>,
}

/// How an NLRI is written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Labels say nothing in a withdrawal.
    pub(super) withdrawn: bool,
    /// Bits behind a prefix are zero. Without a Peer Up a reader has to guess whether there are path
    /// ids, and these bits are part of its guess.
    pub(super) tidy: bool,
}

/// The n-th NLRI of a family.
pub(super) fn nth(rng: &mut Rng, family: Family, n: usize, path_id: Option<u32>, style: Style) -> Nlri {
    let mut wire = path_id.map_or(Vec::new(), |path_id| path_id.to_be_bytes().to_vec());
    let (key, payload) = match family {
        (25, 70) => evpn(&mut wire, rng, n),
        (1, 133) => flow(&mut wire, n),
        (afi, safi) => {
            let label = match (safi, style.withdrawn) {
                (1 | 2, _) => Vec::new(),
                (_, true) => rng.pick(&[[0x80, 0, 0], [0, 0, 0], [0, 1, 1]]).to_vec(),
                (_, false) => label(rng).to_vec(),
            };
            let rd = if safi == 128 { rd(n).to_vec() } else { Vec::new() };
            let (bits, prefix) = if afi == 1 { v4(n) } else { v6(n) };
            let front = (label.len() + rd.len()) * 8;
            wire.push(octet(front + bits));
            wire.extend(&label);
            wire.extend(&rd);
            wire.extend(&prefix);
            if !style.tidy && !bits.is_multiple_of(8) && rng.percent(10) {
                *wire.last_mut().expect("a prefix") |= rng.u8() & (0xff >> (bits % 8));
            }
            ([&[octet(rd.len() * 8 + bits)], &rd[..], &prefix[..]].concat(), label)
        }
    };
    Nlri { n, wire, key, path_id, payload }
}

fn octet(n: usize) -> u8 {
    u8::try_from(n).expect("at most 216 bits")
}

/// An octet that looks drawn, and is the same for the same number.
fn fixed(n: usize, part: u64) -> [u8; 8] {
    Rng::new(n as u64, part).octets()
}

/// The n-th prefix: the default route, then pairs of a short and a long one, half of the pairs at the
/// same address. No two are equal below a million, and
/// what is made of them is not below 65 536.
fn v4(n: usize) -> (usize, Vec<u8>) {
    let [a, b, low @ .., _, _, _, _] = fixed(n / 4, 1);
    let low = u32::from(u16::from_be_bytes(low) & 0xfff);
    // 16.0.0.0 and up
    let base = (u32::try_from(n / 2).unwrap_or(u32::MAX / 2) + 0x1_0000) << 12;
    let bits = match n {
        0 => 0,
        _ if n.is_multiple_of(2) => 20 + usize::from(a % 5),
        _ => 25 + usize::from(b % 8),
    };
    let address = if (n / 2).is_multiple_of(2) { base | low } else { base };
    (bits, cut(&address.to_be_bytes(), bits))
}

/// The same where addresses are longer.
fn v6(n: usize) -> (usize, Vec<u8>) {
    let (short, _) = v4(n);
    let bits = if n == 0 { 0 } else { 32 + short };
    let mut address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let base = (u32::try_from(n / 2).unwrap_or(u32::MAX / 2) + 0x1_0000) << 12;
    address[4..8].copy_from_slice(&base.to_be_bytes());
    if n % 10 == 9 {
        address[15] = octet(n % 256);
        return (128, address.to_vec());
    }
    (bits, cut(&address, bits))
}

/// The octets of a prefix, with zeros behind it.
fn cut(address: &[u8], bits: usize) -> Vec<u8> {
    let mut prefix = address[..bits.div_ceil(8)].to_vec();
    if !bits.is_multiple_of(8)
        && let Some(last) = prefix.last_mut()
    {
        *last &= 0xff << (8 - bits % 8);
    }
    prefix
}

/// At the bottom of its stack.
fn label(rng: &mut Rng) -> [u8; 3] {
    let [a, b, c] = rng.octets();
    [a, b, c & 0xf0 | 1]
}

fn rd(n: usize) -> [u8; 8] {
    [[0, 0, 0xfd, 0xe9, 0, 0, 0, 1], [0, 0, 0xfd, 0xe9, 0, 0, 0, 2], [0, 1, 192, 0, 2, 1, 0, 7]][n % 3]
}

/// RFC 7432 §7, RFC 9136 §3.1: routes of the types 2, 3 and 5.
fn evpn(wire: &mut Vec<u8>, rng: &mut Rng, n: usize) -> (Vec<u8>, Vec<u8>) {
    let kind = [2, 3, 5][n % 3];
    let rd = rd(n / 3);
    let tag = [0, 0, 0, octet(n / 3 % 5)];
    let segment: [u8; 10] = if rng.percent(70) { [0; 10] } else { rng.octets() };
    let (key, value, payload) = match kind {
        2 => {
            let mac = [&[48], &fixed(n, 2)[..4], &(n as u64).to_be_bytes()[6..]].concat();
            let address = match n / 3 % 3 {
                0 => vec![0],
                1 => [&[32, 10, 0][..], &(n as u64).to_be_bytes()[6..]].concat(),
                _ => [&[128, 0x20, 1, 0xd, 0xb8][..], &[0; 4], &(n as u64).to_be_bytes()].concat(),
            };
            let labels = match rng.percent(30) {
                true => [label(rng), label(rng)].concat(),
                false => label(rng).to_vec(),
            };
            let key = [&rd[..], &tag, &mac, &address].concat();
            let value = [&rd[..], &segment, &tag, &mac, &address, &labels].concat();
            (key, value, [&segment[..], &labels].concat())
        }
        3 => {
            let key = [&rd[..], &tag, &[32, 10, 1], &(n as u64).to_be_bytes()[6..]].concat();
            (key.clone(), key, Vec::new())
        }
        _ => {
            let octets = if n.is_multiple_of(2) { 4 } else { 16 };
            let (bits, mut prefix) = if octets == 4 { v4(n) } else { v6(n) };
            prefix.resize(octets, 0);
            let gateway = [vec![0; octets - 1], vec![rng.pick(&[0, 1])]].concat();
            let label = label(rng);
            let key = [&rd[..], &tag, &[octet(bits)], &prefix].concat();
            let value = [&rd[..], &segment, &tag, &[octet(bits)], &prefix, &gateway, &label].concat();
            (key, value, [&segment[..], &gateway, &label].concat())
        }
    };
    wire.push(kind);
    sized::<1>(wire, |wire| wire.extend(value));
    ([vec![kind], key].concat(), payload)
}

/// RFC 8955 §4: a destination, a protocol and ports; one in ten so long that its length has two octets.
fn flow(wire: &mut Vec<u8>, n: usize) -> (Vec<u8>, Vec<u8>) {
    let (bits, prefix) = v4(n);
    let mut value = [&[1, octet(bits)], &prefix[..], &[3, 0x81, 6, 5]].concat();
    let ports = if n % 10 == 7 { 100 } else { 1 + n % 3 };
    for port in 1..=ports {
        value.push(if port == ports { 0x91 } else { 0x11 });
        value.extend(&(port as u64).to_be_bytes()[6..]);
    }
    match value.len() {
        short @ ..240 => wire.push(octet(short)),
        long => wire.extend((0xf000 | u16::try_from(long).expect("below 4096")).to_be_bytes()),
    }
    wire.extend(&value);
    (value, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_are_equal() {
        let mut rng = Rng::new(1, 0);
        for family in FAMILIES {
            let style = Style { withdrawn: false, tidy: false };
            let keys: BTreeSet<_> = (0..3000).map(|n| nth(&mut rng, family, n, None, style).key).collect();
            assert_eq!(keys.len(), 3000, "{family:?}");
        }
    }
}
