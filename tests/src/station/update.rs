//! An UPDATE in its four fields of routes and one of attributes, RFC 4271 §4.3, RFC 4760.

use super::octets::Octets;
use super::tables::Family;

pub(super) struct Update<'a> {
    pub(super) withdrawn: Octets<'a>,
    pub(super) unreach: Option<(Family, Octets<'a>)>,
    pub(super) reach: Option<(Family, &'a [u8], Octets<'a>)>,
    pub(super) nlri: Octets<'a>,
    /// All attributes but those of `reach` and `unreach`.
    pub(super) attributes: Vec<u8>,
    pub(super) version: Option<u64>,
    /// What stands behind the BGP message.
    pub(super) trailing: &'a [u8],
}

impl<'a> Update<'a> {
    /// Of a Route Monitoring message behind its per-peer header.
    pub(super) fn read(mut body: Octets<'a>, longest: usize) -> Result<Self, String> {
        let start = body;
        let mut pdu = body.pdu(2, "UPDATE")?;
        let octets = 19 + pdu.rest().len();
        if octets > longest {
            return Err(start.wrong(format_args!("an UPDATE of {octets} octets, expected 23..={longest}")));
        }
        let mut update = Self {
            withdrawn: pdu.counted("withdrawn routes")?,
            unreach: None,
            reach: None,
            attributes: Vec::new(),
            version: None,
            trailing: body.rest(),
            nlri: pdu, // for now: what is left behind the attributes
        };
        let mut attributes = pdu.counted("attributes")?;
        update.nlri = pdu;
        let mut seen = [false; 256];
        while !attributes.is_empty() {
            let start = attributes;
            let flags = attributes.u8("flags of an attribute")?;
            let kind = attributes.u8("type of an attribute")?;
            let value = if flags & 0x10 != 0 {
                attributes.counted("attribute")?
            } else {
                let len = attributes.u8("length of an attribute")?;
                attributes.field(usize::from(len), "attribute")?
            };
            if std::mem::replace(&mut seen[usize::from(kind)], true) {
                return Err(start.wrong(format_args!("attribute {kind} twice")));
            }
            let whole = &start.rest()[..start.rest().len() - attributes.rest().len()];
            update.attribute(kind, value, whole)?;
        }
        Ok(update)
    }

    fn attribute(&mut self, kind: u8, mut value: Octets<'a>, whole: &[u8]) -> Result<(), String> {
        match kind {
            14 => {
                let family = (value.u16("AFI")?, value.u8("SAFI")?);
                let len = value.u8("length of a next hop")?;
                let next_hop = value.take(usize::from(len), "next hop")?;
                value.u8("reserved octet of MP_REACH_NLRI")?;
                self.reach = Some((family, next_hop, value));
            }
            15 => self.unreach = Some(((value.u16("AFI")?, value.u8("SAFI")?), value)),
            32 => {
                while !value.is_empty() {
                    let [mark, high, low] = [
                        value.u32("large community")?,
                        value.u32("large community")?,
                        value.u32("large community")?,
                    ];
                    if mark == 0xffff_0000 {
                        self.version = Some(u64::from(high) << 32 | u64::from(low));
                    }
                }
                self.attributes.extend(whole);
            }
            _ => self.attributes.extend(whole),
        }
        Ok(())
    }

    /// The family whose dump has come to its end, RFC 4724 §2.
    pub(super) fn end_of_rib(&self) -> Option<Family> {
        let nothing = self.withdrawn.is_empty() && self.nlri.is_empty() && self.attributes.is_empty();
        match (&self.reach, &self.unreach) {
            (None, None) if nothing => Some((1, 1)),
            (None, Some((family, field))) if nothing && field.is_empty() => Some(*family),
            _ => None,
        }
    }
}
