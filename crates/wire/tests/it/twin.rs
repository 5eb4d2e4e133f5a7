//! The naive twin of `wire::nlri`: index arithmetic straight from the RFCs' drawings. Slow, plain, and of another hand.

use crate::hand::be8;

/// What the twin makes of an entry.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Twin {
    pub(crate) path_id: Option<u32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    /// No bit is set behind the last that counts.
    pub(crate) clean: bool,
}

/// Reads a field, whole or not at all.
pub(crate) fn read(family: (u16, u8), add_path: bool, stack: bool, field: &[u8]) -> Option<Vec<Twin>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < field.len() {
        let mut path_id = None;
        if add_path {
            if field.len() - at < 4 {
                return None;
            }
            path_id = Some(u32::from_be_bytes([field[at], field[at + 1], field[at + 2], field[at + 3]]));
            at += 4;
        }
        let len = length(family, &field[at..])?;
        if at + len > field.len() {
            return None;
        }
        let bytes = field[at..at + len].to_vec();
        let (key, payload, clean) = split(family, stack, &bytes)?;
        entries.push(Twin { path_id, bytes, key, payload, clean });
        at += len;
    }
    Some(entries)
}

fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |n, octet| n * 256 + *octet as usize)
}

/// How long the entry at the front says it is.
fn length((_, safi): (u16, u8), at: &[u8]) -> Option<usize> {
    let has = |n: usize| (at.len() >= n).then_some(());
    Some(match safi {
        1 | 2 | 4 | 66 | 73 | 76 | 128 | 129 | 132 => {
            has(1)?;
            1 + (at[0] as usize).div_ceil(8)
        }
        5 | 70 => {
            has(2)?;
            2 + at[1] as usize
        }
        65 => {
            has(2)?;
            2 + number(&at[0..2])
        }
        71 | 72 => {
            has(4)?;
            4 + number(&at[2..4])
        }
        85 => {
            has(4)?;
            4 + at[3] as usize
        }
        133 | 134 => {
            has(1)?;
            if at[0] < 240 {
                1 + at[0] as usize
            } else {
                has(2)?;
                2 + number(&at[0..2]) - 0xf000
            }
        }
        _ => return None,
    })
}

/// `octets` of which the first `bits` count, and whether the others were zero already.
fn masked(octets: &[u8], bits: usize) -> (Vec<u8>, bool) {
    let mut masked = octets.to_vec();
    for bit in bits..octets.len() * 8 {
        masked[bit / 8] &= !(0x80 >> (bit % 8));
    }
    let clean = masked == octets;
    (masked, clean)
}

/// Key, payload, and whether no bit is set that does not count.
fn split((afi, safi): (u16, u8), stack: bool, e: &[u8]) -> Option<(Vec<u8>, Vec<u8>, bool)> {
    let address = if afi == 1 { 32 } else { 128 };
    let whole = || (e.to_vec(), vec![], true);
    let part = |key: &[&[u8]], payload: &[&[u8]]| (key.concat(), payload.concat(), true);
    let bits = e[0] as usize;
    Some(match safi {
        1 | 2 | 66 | 73 | 129 | 132 => {
            let allowed = match safi {
                66 => bits == 128,
                73 => bits == address + 64,
                129 => bits >= 64,
                132 => bits == 0 || (32..=96).contains(&bits),
                _ => bits <= address,
            };
            if !allowed {
                return None;
            }
            let (prefix, clean) = masked(&e[1..], bits);
            ([vec![e[0]], prefix].concat(), vec![], clean)
        }
        4 | 76 | 128 => {
            let rd = if safi == 4 { 0 } else { 64 };
            let mut labels = 3;
            while stack && labels < e.len() && e[labels] & 1 == 0 {
                labels += 3;
            }
            if labels >= e.len() || bits < labels * 8 + rd || bits > labels * 8 + rd + address {
                return None;
            }
            let bits = bits - labels * 8;
            let (prefix, clean) = masked(&e[1 + labels..], bits);
            ([vec![be8(bits)], prefix].concat(), e[1..1 + labels].to_vec(), clean)
        }
        65 if e.len() == 2 + 17 => part(&[&e[..14]], &[&e[14..]]),
        70 if e[0] == 1 && e.len() == 2 + 25 => part(&[&[1, 0], &e[2..24]], &[&e[24..]]),
        70 if e[0] == 2 && e.len() > 2 + 8 + 10 + 4 + 7 => {
            let (esi, tag, ip_bits) = (2 + 8, 2 + 18, e[31] as usize);
            let labels = 32 + ip_bits / 8;
            let shaped = [0, 32, 128].contains(&ip_bits) && e[24] == 48;
            if shaped && (e.len() == labels + 3 || e.len() == labels + 6) {
                part(&[&[2, 0], &e[2..esi], &e[tag..labels]], &[&e[esi..tag], &e[labels..]])
            } else {
                whole()
            }
        }
        70 if e[0] == 5 && (e.len() == 2 + 34 || e.len() == 2 + 58) => {
            let width = if e.len() == 2 + 34 { 4 } else { 16 };
            if e[24] as usize > width * 8 {
                return Some(whole());
            }
            let (prefix, _) = masked(&e[25..25 + width], e[24] as usize);
            part(&[&[5, 0], &e[2..10], &e[20..25], &prefix], &[&e[10..20], &e[25 + width..]])
        }
        85 if e[..3] == [1, 0, 3] && e.len() > 12 && e[12] <= 128 => {
            let end = 13 + (e[12] as usize).div_ceil(8);
            if end > e.len() {
                return Some(whole());
            }
            let (prefix, _) = masked(&e[13..end], e[12] as usize);
            part(&[&[1, 0, 3, 0], &e[4..13], &prefix], &[&e[end..]])
        }
        // 1 ends with a prefix, 4 with an endpoint and some bits of TEID.
        85 if (e[..3] == [1, 0, 1] || e[..3] == [1, 0, 4]) && e.len() > 12 && e[12] <= 160 => {
            let (prefix, _) = masked(&e[13..], e[12] as usize);
            let ends = e.len() == 13 + (e[12] as usize).div_ceil(8);
            if ends { part(&[&e[..13], &prefix], &[]) } else { whole() }
        }
        133 | 134 => {
            let value = if e[0] < 240 { &e[1..] } else { &e[2..] };
            if safi == 134 && value.len() < 8 {
                return None;
            }
            part(&[value], &[])
        }
        72 if e.len() < 4 + 8 => return None,
        _ => whole(),
    })
}
