//! Route keys: what of an entry identifies it, what is mere payload, and the way back.
//!
//! ```text
//!  family        entry on the wire                    key                       payload
//!  prefix        bits prefix                          bits prefix               –
//!  labelled      bits labels prefix                   bits' prefix              labels
//!  vpn           bits labels RD prefix                bits' RD prefix           labels
//!  evpn 1        1 25 RD ESI tag label                1 0 RD ESI tag            label
//!  evpn 2        2 n RD ESI tag mac ip labels         2 0 RD tag mac ip         ESI labels
//!  evpn 5        5 n RD ESI tag prefix gw label       5 0 RD tag prefix         ESI gw label
//!  vpls 17       0 17 RD ve offset size base          0 17 RD ve offset         size base
//!  mup 3         arch 0 3 n RD bits prefix rest       arch 0 3 0 RD bits prefix rest
//!  mup 1, 4      arch 0 t n RD bits prefix            the same, masked          –
//!  flowspec      length value                         value                     –
//!  all others    as it stands, bits past a length in bits masked                –
//! ```
//!
//! * **unambiguous** a made key of EVPN or MUP has 0 where the wire has the length of the value, and
//!   octets behind it, which no entry taken whole has.

use std::fmt;
use std::ops::Deref;

use super::{Entry, Shape, head_len, octets};
use crate::cursor::{Out, fit_u8, fit_u16};
use crate::{Error, Family, Framing, Overflow};

/// The longest key or payload that is made and not borrowed: EVPN type 2 with an IPv6 address has
/// 38 octets. Everything longer is a run of the wire's own octets.
const MADE: usize = 39;

/// Octets of a key or a payload: borrowed from the wire where they stand there in one run.
#[derive(Clone, Copy)]
pub struct Piece<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Wire(&'a [u8]),
    Made { len: u8, bytes: [u8; MADE] },
}

impl<'a> Piece<'a> {
    #[inline]
    fn wire(bytes: &'a [u8]) -> Self {
        Self(Form::Wire(bytes))
    }

    /// The parts one after another; `MADE` is large enough for every use in this file, and the
    /// tests run each at its longest.
    fn made(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; MADE];
        let mut len = 0;
        for part in parts {
            bytes[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most MADE")]
        Self(Form::Made { len: len as u8, bytes })
    }

    /// `bytes`, with the bits that its last octet has beyond `bits` set to zero.
    #[inline]
    fn masked(bytes: &'a [u8], bits: usize) -> Self {
        let mask = mask(bits);
        match bytes.split_last() {
            Some((last, head)) if last & !mask != 0 => Self::made(&[head, &[last & mask]]),
            _ => Self::wire(bytes),
        }
    }

    /// The octets where they stand on the wire, if this is a run of those.
    #[must_use]
    pub fn as_wire(&self) -> Option<&'a [u8]> {
        match self.0 {
            Form::Wire(bytes) => Some(bytes),
            Form::Made { .. } => None,
        }
    }
}

impl Deref for Piece<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Wire(bytes) => bytes,
            Form::Made { len, bytes } => &bytes[..usize::from(*len)],
        }
    }
}

impl PartialEq for Piece<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Piece<'_> {}

impl fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// The bits that count in the last octet of a value of `bits` bits.
#[inline]
fn mask(bits: usize) -> u8 {
    match bits % 8 {
        0 => 0xff,
        used => 0xff << (8 - used),
    }
}

impl<'a> Entry<'a> {
    /// What identifies the route beside peer, view, family and path id.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Piece<'a> {
        match self.shape.framing {
            Framing::Prefix => Piece::masked(self.bytes, usize::from(self.bytes[0])),
            _ => self.shape.split(self.bytes).0,
        }
    }

    /// What is neither key nor length: what an update of the same route may change.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> Piece<'a> {
        match self.shape.framing {
            Framing::Prefix => Piece::wire(&[]),
            _ => self.shape.split(self.bytes).1,
        }
    }
}

impl Shape {
    /// Key and payload of a checked entry.
    fn split(self, entry: &[u8]) -> (Piece<'_>, Piece<'_>) {
        let none = Piece::wire(&[]);
        match self.framing {
            Framing::Prefix | Framing::Bits { .. } => (Piece::masked(entry, usize::from(entry[0])), none),
            Framing::Labelled | Framing::Vpn => {
                let labels = self.labels_len(&entry[1..]).unwrap_or_default();
                let (labels, rest) = entry[1..].split_at(labels);
                #[expect(clippy::cast_possible_truncation, reason = "checked: labels fit the bits")]
                let bits = entry[0] - (labels.len() * 8) as u8;
                (prefix_key(bits, rest), Piece::wire(labels))
            }
            Framing::Evpn => evpn(entry).unwrap_or((Piece::wire(entry), none)),
            Framing::Vpls if entry.len() == 19 => (Piece::wire(&entry[..14]), Piece::wire(&entry[14..])),
            Framing::Mup => mup(entry).unwrap_or((Piece::wire(entry), none)),
            Framing::Flow => (Piece::wire(&entry[head_len(self.framing, entry)..]), none),
            Framing::Vpls | Framing::TypeLength | Framing::LinkState => (Piece::wire(entry), none),
        }
    }
}

/// A length in bits and the masked octets it counts.
fn prefix_key(bits: u8, value: &[u8]) -> Piece<'static> {
    let mut key = Piece::made(&[&[bits], value]);
    if let Form::Made { len, bytes } = &mut key.0 {
        bytes[usize::from(*len) - 1] &= if value.is_empty() { 0xff } else { mask(bits.into()) };
    }
    key
}

/// The EVPN routes whose key is not the whole value; `None` for the others, and for a value that
/// does not have its type's layout (such an entry is one with itself only).
fn evpn(entry: &[u8]) -> Option<(Piece<'_>, Piece<'_>)> {
    let (&[kind, _], value) = entry.split_first_chunk()?;
    let head = &[kind, 0];
    match (kind, value.len()) {
        (1, 25) => Some((Piece::made(&[head, &value[..22]]), Piece::wire(&value[22..]))),
        (2, 33..) => {
            let (rd, rest) = value.split_at(8);
            let (esi, rest) = rest.split_at(10);
            let ip_len = match rest[11] {
                0 => 0,
                32 => 4,
                128 => 16,
                _ => return None,
            };
            // tag 4, MAC length 1, MAC 6, IP length 1, IP; then one label or two
            let (key, labels) = rest.split_at_checked(12 + ip_len)?;
            (rest[4] == 48 && matches!(labels.len(), 3 | 6))
                .then(|| (Piece::made(&[head, rd, key]), Piece::made(&[esi, labels])))
        }
        (5, 34 | 58) => {
            let address = if value.len() == 34 { 4 } else { 16 };
            let (rd, rest) = value.split_at(8);
            let (esi, rest) = rest.split_at(10);
            let (tag, rest) = rest.split_at(4);
            let (&bits, rest) = rest.split_first()?;
            let (prefix, rest) = rest.split_at(address);
            (usize::from(bits) <= address * 8).then(|| {
                let mut masked = [0; 16];
                masked[..octets(bits)].copy_from_slice(&prefix[..octets(bits)]);
                if bits > 0 {
                    masked[octets(bits) - 1] &= mask(bits.into());
                }
                (Piece::made(&[head, rd, tag, &[bits], &masked[..address]]), Piece::made(&[esi, rest]))
            })
        }
        _ => None,
    }
}

/// MUP routes of architecture 1 that have a length in bits. Of type 3, a session, tunnel and endpoint
/// are no key; 1 ends with a prefix, and 4 with an endpoint and so many bits of its tunnel's id.
fn mup(entry: &[u8]) -> Option<(Piece<'_>, Piece<'_>)> {
    let (&[1, 0, kind @ (1 | 3 | 4), _], value) = entry.split_first_chunk()? else {
        return None;
    };
    let (rd, rest) = value.split_at_checked(8)?;
    let (&bits, rest) = rest.split_first()?;
    let (prefix, rest) = rest.split_at_checked(octets(bits))?;
    match kind {
        3 if bits <= 128 => {
            let prefix = prefix_key(bits, prefix);
            Some((Piece::made(&[&[1, 0, 3, 0], rd, &prefix]), Piece::wire(rest)))
        }
        1 | 4 if bits <= 128 + 32 && rest.is_empty() => {
            Some((Piece::masked(entry, bits.into()), Piece::wire(&[])))
        }
        _ => None,
    }
}

/// Writes the entry that has this key and payload, and says how long it is.
///
/// Keys and payloads are those of [`Entry::key`] and [`Entry::payload`] for the same family.
///
/// # Errors
/// The buffer is too small, or the parts make an entry longer than its family can say.
///
/// # Panics
/// If the key is not one of this family: a bug in the caller.
pub fn write(out: &mut [u8], family: Family, key: &[u8], payload: &[u8]) -> Result<usize, Overflow> {
    let mut out = Out::new(out);
    put(&mut out, family, key, payload)?;
    Ok(out.len())
}

/// Writes the entry that withdraws the route with this key, and says how long it is.
///
/// What the payload was does not matter: a withdrawal has the label RFC 8277 asks for, and zeros
/// for all else that is not key.
///
/// # Errors
/// The buffer is too small.
///
/// # Panics
/// If the key is not one of this family: a bug in the caller.
pub fn write_withdrawal(out: &mut [u8], family: Family, key: &[u8]) -> Result<usize, Overflow> {
    write(out, family, key, withdrawal_payload(family, key))
}

/// The payload that stands for none in a withdrawal.
pub(crate) fn withdrawal_payload(family: Family, key: &[u8]) -> &'static [u8] {
    const ZEROS: &[u8] = &[0; 29];
    /// The label field of a withdrawal, RFC 8277 §2.4.
    const COMPATIBILITY: &[u8] = &[0x80, 0, 0];
    /// TEID, QFI, then a zero endpoint of each family and no source address.
    const TUNNEL_IPV4: &[u8] = &[0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0];
    const TUNNEL_IPV6: &[u8] = &[0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    match (family.framing(), key) {
        (Some(Framing::Labelled | Framing::Vpn), _) => COMPATIBILITY,
        (Some(Framing::Evpn), [1, 0, _, ..]) => &ZEROS[..3],
        (Some(Framing::Evpn), [2, 0, _, ..]) => &ZEROS[..10 + 3],
        (Some(Framing::Evpn), [5, 0, _, ..]) if key.len() == 2 + 8 + 4 + 1 + 4 => &ZEROS[..10 + 4 + 3],
        (Some(Framing::Evpn), [5, 0, _, ..]) => &ZEROS[..10 + 16 + 3],
        (Some(Framing::Vpls), [0, 17, ..]) => &ZEROS[..5],
        (Some(Framing::Mup), [1, 0, 3, 0, _, ..]) if family.afi == 1 => TUNNEL_IPV4,
        (Some(Framing::Mup), [1, 0, 3, 0, _, ..]) => TUNNEL_IPV6,
        _ => &[],
    }
}

/// What [`write`] does, into a buffer that goes on.
pub(crate) fn put(out: &mut Out<'_>, family: Family, key: &[u8], payload: &[u8]) -> Result<(), Overflow> {
    match (family.framing(), key) {
        (Some(Framing::Labelled | Framing::Vpn), [bits, prefix @ ..]) => {
            out.u8(fit_u8("NLRI bits", usize::from(*bits) + payload.len() * 8)?)?;
            out.put(payload)?;
            out.put(prefix)
        }
        (Some(Framing::Evpn), [kind, 0, key @ ..]) if !key.is_empty() => {
            out.put(&[*kind, fit_u8("EVPN length", key.len() + payload.len())?])?;
            let esi = if *kind == 1 { 0 } else { 10 };
            out.put(&key[..8])?;
            out.put(&payload[..esi])?;
            out.put(&key[8..])?;
            out.put(&payload[esi..])
        }
        (Some(Framing::Mup), [1, 0, 3, 0, key @ ..]) if !key.is_empty() => {
            out.put(&[1, 0, 3, fit_u8("MUP length", key.len() + payload.len())?])?;
            out.put(key)?;
            out.put(payload)
        }
        (Some(Framing::Flow), _) => {
            match key.len() {
                len @ 0..240 => out.u8(fit_u8("flowspec length", len)?)?,
                len @ 240..=0xfff => out.u16(0xf000 | fit_u16("flowspec length", len)?)?,
                got => return Err(Overflow::Field { what: "flowspec length", got, most: 0xfff }),
            }
            out.put(key)
        }
        _ => {
            out.put(key)?;
            out.put(payload)
        }
    }
}

/// The check that [`Entry::key`] relies on, for one entry alone: used where a key comes from a
/// place that has one entry and not a field of them.
pub(crate) fn check_one(
    family: Family,
    reading: super::Reading,
    bytes: &[u8],
) -> Result<(Entry<'_>, &[u8]), Error> {
    let Some(framing) = family.framing() else {
        return Err(Error { offset: 0, fault: crate::Fault::Unframed { family } });
    };
    let shape = Shape { family, framing, labels: reading.labels };
    let (path_id, rest) = match bytes.split_first_chunk() {
        Some((id, rest)) if reading.add_path => (Some(super::PathId(u32::from_be_bytes(*id))), rest),
        None if reading.add_path => return Err(Error::cut(0, "path id", 4, bytes.len())),
        _ => (None, bytes),
    };
    let len = shape.check(rest).map_err(|error| error.within(bytes.len() - rest.len()))?;
    let (entry, rest) = rest.split_at(len);
    Ok((Entry { path_id, bytes: entry, shape }, rest))
}
