//! Routes of every family, drawn from their RFCs' layouts.
//!
//! ```text
//!  VPN          bits    │ Labels, Key(RD), Prefix
//!  EVPN type 5  5 octets │ Key(RD), Payload(ESI), Key(tag), Fixed(bits), Prefix, Payload(gateway), Payload(label)
//! ```
//!
//! An entry is a head and fields, each with its role. What a role says is what the laws of keys are
//! tested with: `repaint` changes all that is no key, `nudge` changes one bit that is.

use crate::entropy::Entropy;
use crate::hand::be8;

/// The families, by their numbers.
pub(crate) const FAMILIES: [(u16, u8); 30] = [
    (1, 1),
    (2, 1),
    (1, 2),
    (2, 2),
    (1, 4),
    (2, 4),
    (1, 5),
    (2, 5),
    (1, 66),
    (1, 73),
    (2, 73),
    (1, 76),
    (2, 76),
    (1, 85),
    (2, 85),
    (1, 128),
    (2, 128),
    (1, 129),
    (2, 129),
    (1, 132),
    (1, 133),
    (2, 133),
    (1, 134),
    (2, 134),
    (25, 65),
    (25, 70),
    (25, 133),
    (25, 134),
    (16388, 71),
    (16388, 72),
];

#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// Names the route, and shapes the entry: never changed.
    Fixed(Vec<u8>),
    /// Names the route.
    Key(Vec<u8>),
    /// Names the route with so many bits, whatever the octets say after them.
    Prefix(usize, Vec<u8>),
    /// One label field, or a stack of them.
    Labels(Vec<[u8; 3]>),
    /// Says something of the route.
    Payload(Vec<u8>),
}

use Field::{Fixed, Key, Labels, Payload, Prefix};

/// What stands in front of the fields.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Head {
    /// Their length in bits.
    Bits,
    /// A type and their length: so many octets of either.
    Typed(usize, usize, usize),
    /// Flowspec's own length.
    Flow,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    head: Head,
    pub(crate) fields: Vec<Field>,
}

impl Entry {
    /// As it stands in a field of NLRI.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut value = Vec::new();
        let mut bits = 0;
        for field in &self.fields {
            let octets = match field {
                Fixed(octets) | Key(octets) | Payload(octets) | Prefix(_, octets) => octets.clone(),
                Labels(labels) => labels.concat(),
            };
            bits += if let Prefix(bits, _) = field { *bits } else { octets.len() * 8 };
            value.extend(octets);
        }
        let number = |n: usize, octets: usize| n.to_be_bytes()[8 - octets..].to_vec();
        let len = value.len();
        let head = match self.head {
            Head::Bits => number(bits, 1),
            Head::Typed(kind, kind_octets, len_octets) => {
                [number(kind, kind_octets), number(len, len_octets)].concat()
            }
            Head::Flow if len < 240 => number(len, 1),
            Head::Flow => number(0xf000 + len, 2),
        };
        [head, value].concat()
    }

    /// What names the route: equal for two entries if and only if they name the same.
    pub(crate) fn identity(&self) -> String {
        let head = if let Head::Typed(kind, ..) = self.head { kind } else { 0 };
        let fields = self.fields.iter().filter_map(|field| match field {
            Fixed(octets) | Key(octets) => Some(format!("{octets:?}")),
            Prefix(bits, octets) => {
                let bit = |at: usize| octets[at / 8] >> (7 - at % 8) & 1;
                Some(format!("{:?}", (0..*bits).map(bit).collect::<Vec<_>>()))
            }
            Labels(_) | Payload(_) => None,
        });
        format!("{head}{}", fields.collect::<String>())
    }

    /// The same route said differently.
    pub(crate) fn repaint(&self, entropy: &mut Entropy<'_>, stack: bool) -> Self {
        let fields = self.fields.iter().map(|field| match field {
            Prefix(bits, octets) => Prefix(*bits, garbage_after(*bits, octets, entropy)),
            Labels(_) => labels(entropy, stack),
            Payload(octets) => Payload(entropy.octets(octets.len())),
            field => field.clone(),
        });
        Self { head: self.head, fields: fields.collect() }
    }

    /// Another route: one bit of its name is another. Nothing, if its name has no bits.
    pub(crate) fn nudge(&self, entropy: &mut Entropy<'_>) -> Option<Self> {
        let bits = |field: &Field| match field {
            Key(octets) => octets.len() * 8,
            Prefix(bits, _) => *bits,
            _ => 0,
        };
        let all: usize = self.fields.iter().map(bits).sum();
        let mut at = entropy.below(all.max(1));
        let mut other = self.clone();
        for field in &mut other.fields {
            let here = bits(field);
            match field {
                Key(octets) | Prefix(_, octets) if at < here => {
                    octets[at / 8] ^= 0x80 >> (at % 8);
                    return Some(other);
                }
                _ => at -= here,
            }
        }
        None
    }
}

/// `octets` with anything in the bits after the first `bits`.
fn garbage_after(bits: usize, octets: &[u8], entropy: &mut Entropy<'_>) -> Vec<u8> {
    let garbage = entropy.octets(octets.len());
    let mix = |at: usize, own: u8, other: u8| match bits.saturating_sub(at * 8) {
        8.. => own,
        used => {
            let mask = !(0xff >> used);
            own & mask | other & !mask
        }
    };
    octets.iter().zip(garbage).enumerate().map(|(at, (own, other))| mix(at, *own, other)).collect()
}

/// One label, or up to three of which the last has the bottom bit.
fn labels(entropy: &mut Entropy<'_>, stack: bool) -> Field {
    let mut label = || <[u8; 3]>::try_from(entropy.octets(3)).expect("three");
    if !stack {
        return Labels(vec![label()]);
    }
    let mut labels = vec![label(), label(), label()];
    labels.truncate(1 + entropy.below(3));
    let bottom = labels.len() - 1;
    labels.iter_mut().enumerate().for_each(|(at, label)| label[2] = label[2] & !1 | u8::from(at == bottom));
    Labels(labels)
}

/// A prefix of up to `most` bits, in as few octets as hold it.
fn prefix(entropy: &mut Entropy<'_>, most: usize) -> Field {
    let bits = entropy.below(most + 1);
    Prefix(bits, entropy.octets(bits.div_ceil(8)))
}

fn key(entropy: &mut Entropy<'_>, octets: usize) -> Field {
    Key(entropy.octets(octets))
}

/// A route of a family, with one label or with a stack of them.
pub(crate) fn entry((afi, safi): (u16, u8), entropy: &mut Entropy<'_>, stack: bool) -> Entry {
    let address = if afi == 1 { 4 } else { 16 };
    let (head, fields) = match (afi, safi) {
        (1 | 2, 1 | 2) => (Head::Bits, vec![prefix(entropy, address * 8)]),
        (1 | 2, 4) => (Head::Bits, vec![labels(entropy, stack), prefix(entropy, address * 8)]),
        (1 | 2, 76 | 128) => {
            // Three labels, a route distinguisher and 128 bits are more than a length of one octet.
            let labels = labels(entropy, stack);
            let Labels(stack) = &labels else { unreachable!() };
            let most = (255 - 64 - stack.len() * 24).min(address * 8);
            (Head::Bits, vec![labels, key(entropy, 8), prefix(entropy, most)])
        }
        (1 | 2, 129) => (Head::Bits, vec![key(entropy, 8), prefix(entropy, address * 8)]),
        (1 | 2, 5) => mvpn(entropy, address),
        (1, 66) => (Head::Bits, vec![key(entropy, 8), key(entropy, 4), key(entropy, 4)]),
        (1 | 2, 73) => (Head::Bits, vec![key(entropy, 4), key(entropy, 4), key(entropy, address)]),
        (1 | 2, 85) => mup(entropy, address),
        (1, 132) => {
            let bits = if entropy.rarely(8) { 0 } else { 32 + entropy.below(65) };
            (Head::Bits, vec![Prefix(bits, entropy.octets(bits.div_ceil(8)))])
        }
        (1 | 2 | 25, 133 | 134) => {
            let rd = if safi == 134 { 8 } else { 0 };
            let short = entropy.below(60);
            let len = rd + entropy.pick(&[short, short, short, 0, 231, 232, 239, 240, 241, 4087]);
            (Head::Flow, vec![key(entropy, rd), key(entropy, len - rd)])
        }
        (25, 65) if entropy.rarely(4) => (Head::Typed(0, 0, 2), vec![key(entropy, 8), key(entropy, 4)]),
        (25, 65) => {
            let fields = vec![key(entropy, 8), key(entropy, 2), key(entropy, 2), Payload(entropy.octets(5))];
            (Head::Typed(0, 0, 2), fields)
        }
        (25, 70) => evpn(entropy),
        (16388, 71 | 72) => {
            let kind = entropy.pick(&[1, 2, 3, 4, 6, 9, 0xff00]);
            let rd = if safi == 72 { 8 } else { 0 };
            let short = entropy.below(90);
            let len = entropy.pick(&[short, short, short, 0, 300, 1500]);
            (Head::Typed(kind, 2, 2), vec![key(entropy, rd), key(entropy, len)])
        }
        _ => panic!("no layout for {afi}/{safi}"),
    };
    Entry { head, fields }
}

/// RFC 6514 §4: RD, what else, and a source and a group behind lengths in bits.
fn mvpn(entropy: &mut Entropy<'_>, address: usize) -> (Head, Vec<Field>) {
    let bits = Fixed(vec![be8(address * 8)]);
    let kind = 1 + entropy.below(9);
    let mut fields = vec![key(entropy, 8)];
    match kind {
        1 => fields.push(key(entropy, address)),
        2 => fields.push(key(entropy, 4)),
        4 => fields.extend([key(entropy, 30), key(entropy, address)]),
        3 | 5 => fields.extend([bits.clone(), key(entropy, address), bits, key(entropy, address)]),
        6 | 7 => {
            fields.extend([
                key(entropy, 4),
                bits.clone(),
                key(entropy, address),
                bits,
                key(entropy, address),
            ]);
        }
        _ => fields = vec![Key(some(entropy))],
    }
    (Head::Typed(kind, 1, 1), fields)
}

/// A value of any length that one octet can say.
fn some(entropy: &mut Entropy<'_>) -> Vec<u8> {
    let short = entropy.below(30);
    let len = entropy.pick(&[short, short, 0, 255]);
    entropy.octets(len)
}

/// draft-ietf-bess-mup-safi, architecture 1.
fn mup(entropy: &mut Entropy<'_>, address: usize) -> (Head, Vec<Field>) {
    let kind = 1 + entropy.below(5);
    let rd = key(entropy, 8);
    let behind_bits = |prefix: Field| {
        let Prefix(bits, _) = &prefix else { unreachable!() };
        [Fixed(vec![be8(*bits)]), prefix]
    };
    let fields = match kind {
        1 => [vec![rd], behind_bits(prefix(entropy, address * 8)).to_vec()].concat(),
        2 => vec![rd, key(entropy, address)],
        3 => {
            // TEID, QFI, endpoint, source
            let rest = entropy.pick(&[
                4 + 1 + 1 + 4 + 1,
                4 + 1 + 1 + 16 + 1,
                4 + 1 + 1 + 4 + 1 + 4,
                4 + 1 + 1 + 4,
                0,
            ]);
            let payload = Payload(entropy.octets(rest));
            [vec![rd], behind_bits(prefix(entropy, address * 8)).to_vec(), vec![payload]].concat()
        }
        4 => {
            // An endpoint, and as many bits of TEID as are wanted behind it.
            let bits = (address * 8) + entropy.below(33);
            let endpoint = Prefix(bits, entropy.octets(bits.div_ceil(8)));
            [vec![rd], behind_bits(endpoint).to_vec()].concat()
        }
        _ => vec![Key(some(entropy))],
    };
    // Another architecture now and then: nothing is known of its types.
    if entropy.rarely(10) {
        return (Head::Typed(0x02_0003, 3, 1), vec![Key(some(entropy))]);
    }
    (Head::Typed(0x01_0000 + kind, 3, 1), fields)
}

/// RFC 7432 §7, RFC 9136 §3, RFC 9251 §9, RFC 9572 §3.
fn evpn(entropy: &mut Entropy<'_>) -> (Head, Vec<Field>) {
    let kind = 1 + entropy.below(13);
    let ip = entropy.pick(&[4, 16]);
    let bits = Fixed(vec![ip * 8]);
    let ip = usize::from(ip);
    let rd = key(entropy, 8);
    let tag = key(entropy, 4);
    let fields = match kind {
        1 => vec![rd, key(entropy, 10), tag, Payload(entropy.octets(3))],
        2 => {
            let (bits, ip) = if entropy.rarely(3) { (Fixed(vec![0]), 0) } else { (bits, ip) };
            let esi = Payload(entropy.octets(10));
            let labels = entropy.pick(&[3, 6]);
            let labels = Payload(entropy.octets(labels));
            vec![rd, esi, tag, Fixed(vec![48]), key(entropy, 6), bits, key(entropy, ip), labels]
        }
        3 => vec![rd, tag, bits, key(entropy, ip)],
        4 => vec![rd, key(entropy, 10), bits, key(entropy, ip)],
        5 => {
            let len = entropy.below(ip * 8 + 1);
            let (esi, gateway) = (Payload(entropy.octets(10)), Payload(entropy.octets(ip)));
            let prefix = Prefix(len, entropy.octets(ip));
            vec![rd, esi, tag, Fixed(vec![be8(len)]), prefix, gateway, Payload(entropy.octets(3))]
        }
        6 => vec![
            rd,
            tag,
            bits.clone(),
            key(entropy, ip),
            bits.clone(),
            key(entropy, ip),
            bits,
            key(entropy, ip + 1),
        ],
        7 | 8 => {
            let group =
                [bits.clone(), key(entropy, ip), bits.clone(), key(entropy, ip), bits, key(entropy, ip)];
            [vec![rd, key(entropy, 10), tag], group.to_vec(), vec![key(entropy, 10)]].concat()
        }
        9 => vec![rd, tag, key(entropy, 8)],
        10 => vec![
            rd,
            tag,
            bits.clone(),
            key(entropy, ip),
            bits.clone(),
            key(entropy, ip),
            bits,
            key(entropy, ip),
        ],
        11 => vec![key(entropy, 20), bits, key(entropy, ip)],
        // Types 1, 2 and 5 in a layout that is not theirs, and types nobody knows.
        12 => return (Head::Typed(entropy.pick(&[1, 2, 5]), 1, 1), vec![Key(some(entropy))]),
        _ => vec![Key(some(entropy))],
    };
    (Head::Typed(kind, 1, 1), fields)
}
