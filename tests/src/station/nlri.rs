//! NLRI of the families that a station understands: where one ends, and what of it identifies.
//!
//! ```text
//!  unicast, multicast   bits                │ prefix                     key = bits, prefix
//!  labelled             bits + 24           │ label │ prefix             key = bits, prefix
//!  VPN                  bits + 64 + 24      │ label │ RD │ prefix        key = bits + 64, RD, prefix
//!  EVPN                 type │ length │ value                            key by type
//!  flowspec             length │ value                                   key = value
//! ```

use super::octets::Octets;
use super::tables::Family;

/// One NLRI, taken apart.
pub(super) struct Nlri {
    pub(super) key: Vec<u8>,
    pub(super) path_id: Option<u32>,
    pub(super) payload: Vec<u8>,
}

pub(super) fn is_known(family: Family) -> bool {
    matches!(family, (1 | 2, 1 | 128) | (1, 2 | 4 | 133) | (25, 70))
}

/// All NLRI of a field, which they must fill.
pub(super) fn split(family: Family, path_ids: bool, mut field: Octets<'_>) -> Result<Vec<Nlri>, String> {
    let mut all = Vec::new();
    while !field.is_empty() {
        let path_id = if path_ids { Some(field.u32("path id")?) } else { None };
        let (key, payload) = match family {
            (25, 70) => evpn(&mut field)?,
            (_, 133) => (flow(&mut field)?, Vec::new()),
            (afi, safi) => prefix(&mut field, if afi == 1 { 32 } else { 128 }, safi)?,
        };
        all.push(Nlri { key, path_id, payload });
    }
    Ok(all)
}

/// A prefix of at most `most` bits behind what its SAFI puts in front.
fn prefix(field: &mut Octets<'_>, most: usize, safi: u8) -> Result<(Vec<u8>, Vec<u8>), String> {
    let start = *field;
    let [label, rd] = match safi {
        4 => [3, 0],
        128 => [3, 8],
        _ => [0, 0],
    };
    let all = usize::from(field.u8("length of a prefix")?);
    let Some(bits) = all.checked_sub((label + rd) * 8).filter(|bits| *bits <= most) else {
        let low = (label + rd) * 8;
        return Err(start.wrong(format_args!("a prefix of {all} bits, expected {low}..={}", low + most)));
    };
    let label = field.take(label, "label")?;
    let rd = field.take(rd, "route distinguisher")?;
    let mut prefix = field.take(bits.div_ceil(8), "prefix")?.to_vec();
    mask(&mut prefix, bits);
    let length = u8::try_from(rd.len() * 8 + bits).unwrap_or(u8::MAX);
    Ok(([&[length], rd, &prefix[..]].concat(), label.to_vec()))
}

/// Bits behind the first `bits` become zero.
fn mask(prefix: &mut [u8], bits: usize) {
    for (at, octet) in prefix.iter_mut().enumerate() {
        *octet &= match bits.saturating_sub(at * 8) {
            0 => 0,
            used @ 1..8 => 0xff << (8 - used),
            _ => 0xff,
        };
    }
}

/// RFC 7432 §7, RFC 9136 §3.1.
fn evpn(field: &mut Octets<'_>) -> Result<(Vec<u8>, Vec<u8>), String> {
    let kind = field.u8("type of an EVPN route")?;
    let len = usize::from(field.u8("length of an EVPN route")?);
    let mut value = field.field(len, "EVPN route")?;
    Ok(match kind {
        2 => {
            let rd = value.take(8, "route distinguisher")?;
            let segment = value.take(10, "ESI")?;
            let tag_and_mac = value.take(4 + 1 + 6, "tag and MAC address")?;
            if tag_and_mac[4] != 48 {
                return Err(value.wrong(format_args!("a MAC address of {} bits", tag_and_mac[4])));
            }
            let bits = address_bits(&mut value, true)?;
            let address = value.take(usize::from(bits / 8), "IP address")?;
            if !matches!(value.rest().len(), 3 | 6) {
                let len = value.rest().len();
                return Err(value.wrong(format_args!("{len} octets of labels, expected 3 or 6")));
            }
            let key = [&[kind], rd, tag_and_mac, &[bits], address].concat();
            (key, [segment, value.rest()].concat())
        }
        3 => {
            let head = value.take(8 + 4, "route distinguisher and tag")?;
            let bits = address_bits(&mut value, false)?;
            let address = value.take(usize::from(bits / 8), "IP address")?;
            value.end("an EVPN route of type 3")?;
            ([&[kind], head, &[bits], address].concat(), Vec::new())
        }
        5 => {
            let octets = match len {
                34 => 4,
                58 => 16,
                _ => return Err(value.wrong(format_args!("an EVPN prefix of {len} octets, expected 34, 58"))),
            };
            let rd = value.take(8, "route distinguisher")?;
            let segment = value.take(10, "ESI")?;
            let tag = value.take(4, "tag")?;
            let bits = value.u8("length of a prefix")?;
            if usize::from(bits) > octets * 8 {
                return Err(value.wrong(format_args!("a prefix of {bits} bits in {octets} octets")));
            }
            let mut prefix = value.take(octets, "prefix")?.to_vec();
            mask(&mut prefix, usize::from(bits));
            ([&[kind], rd, tag, &[bits], &prefix].concat(), [segment, value.rest()].concat())
        }
        _ => ([&[kind], value.rest()].concat(), Vec::new()),
    })
}

/// The bits of an IP address, which may have none.
fn address_bits(value: &mut Octets<'_>, or_none: bool) -> Result<u8, String> {
    match value.u8("length of an IP address")? {
        bits @ (32 | 128) => Ok(bits),
        0 if or_none => Ok(0),
        bits => Err(value.wrong(format_args!("an IP address of {bits} bits"))),
    }
}

/// RFC 8955 §4.1: a length of one octet below 240, else of two.
fn flow(field: &mut Octets<'_>) -> Result<Vec<u8>, String> {
    let len = match field.u8("length of a flow specification")? {
        short @ 0..240 => usize::from(short),
        high => usize::from(high & 0xf) << 8 | usize::from(field.u8("length of a flow specification")?),
    };
    Ok(field.take(len, "flow specification")?.to_vec())
}
