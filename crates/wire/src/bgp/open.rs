//! OPEN and its capabilities.

use std::net::Ipv4Addr;

use super::{MESSAGE_MAX, Pdu, PduKind, close_pdu, open_pdu};
use crate::code::codes;
use crate::cursor::{Cursor, Out, fit_u8, fit_u16};
use crate::{Error, Family, Overflow};

/// The AS number that stands in OPEN for one of four octets, RFC 6793.
pub(crate) const AS_TRANS: u16 = 23456;

/// The optional parameter that holds capabilities, RFC 5492.
const CAPABILITIES: u8 = 2;
/// The parameter type and length that say: an extended length follows (RFC 9072).
const EXTENDED: u8 = 255;

codes! {
    /// A capability's code.
    CapabilityKind(u8) else "capability" {
        MULTIPROTOCOL = 1 "multiprotocol",
        ROUTE_REFRESH = 2 "route-refresh",
        OUTBOUND_ROUTE_FILTERING = 3 "outbound-route-filtering",
        EXTENDED_NEXT_HOP = 5 "extended-next-hop",
        EXTENDED_MESSAGE = 6 "extended-message",
        BGPSEC = 7 "bgpsec",
        MULTIPLE_LABELS = 8 "multiple-labels",
        ROLE = 9 "role",
        GRACEFUL_RESTART = 64 "graceful-restart",
        FOUR_OCTET_AS = 65 "four-octet-as",
        DYNAMIC = 67 "dynamic",
        MULTISESSION = 68 "multisession",
        ADD_PATH = 69 "add-path",
        ENHANCED_ROUTE_REFRESH = 70 "enhanced-route-refresh",
        LONG_LIVED_GRACEFUL_RESTART = 71 "long-lived-graceful-restart",
        ROUTING_POLICY_DISTRIBUTION = 72 "routing-policy-distribution",
        FQDN = 73 "fqdn",
        CISCO_ROUTE_REFRESH = 128 "cisco-route-refresh",
    }
}

/// One capability.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability<'a> {
    /// Its code.
    pub kind: CapabilityKind,
    /// What it says.
    pub value: &'a [u8],
}

impl<'a> Capability<'a> {
    /// The family that a multiprotocol capability names.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        match (self.kind, self.value) {
            (CapabilityKind::MULTIPROTOCOL, &[a, b, _, safi]) => {
                Some(Family::new(u16::from_be_bytes([a, b]), safi))
            }
            _ => None,
        }
    }

    /// The families of an ADD-PATH or Multiple Labels capability, each with its mode or count.
    /// Octets after the last whole tuple are passed over; no tuple at all is seen in the field.
    pub fn tuples(&self) -> impl Iterator<Item = (Family, u8)> + use<'a> {
        let value = match self.kind {
            CapabilityKind::ADD_PATH | CapabilityKind::MULTIPLE_LABELS => self.value,
            _ => &[],
        };
        value
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, safi, mode]| (Family::new(u16::from_be_bytes([a, b]), safi), mode))
    }

    /// The AS number of a four-octet AS capability.
    #[must_use]
    pub fn asn(&self) -> Option<u32> {
        match (self.kind, <[u8; 4]>::try_from(self.value)) {
            (CapabilityKind::FOUR_OCTET_AS, Ok(asn)) => Some(u32::from_be_bytes(asn)),
            _ => None,
        }
    }
}

/// An OPEN whose parameters and capabilities have all been walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open<'a> {
    /// 4.
    pub version: u8,
    /// The AS number, 23456 where it needs four octets.
    pub my_as: u16,
    /// Seconds.
    pub hold_time: u16,
    /// The router's BGP identifier.
    pub bgp_id: [u8; 4],
    /// Optional parameters, without their length.
    parameters: &'a [u8],
    /// Whether each parameter has a length of two octets.
    extended: bool,
}

impl<'a> Open<'a> {
    /// Reads an OPEN.
    ///
    /// # Errors
    /// Another kind of message, or a length that runs past its container. Offsets count from the
    /// start of the message.
    pub fn parse(pdu: Pdu<'a>) -> Result<Self, Error> {
        pdu.expect(PduKind::OPEN, "BGP type")?;
        let mut cursor = Cursor::new(pdu.bytes());
        cursor.take(super::HEADER_LEN, "BGP header")?;
        let version = cursor.u8("OPEN version")?;
        let my_as = cursor.u16("OPEN AS number")?;
        let hold_time = cursor.u16("OPEN hold time")?;
        let bgp_id = *cursor.array("OPEN BGP identifier")?;
        let mut len = usize::from(cursor.u8("OPEN parameters length")?);
        let extended = len != 0 && cursor.rest().first() == Some(&EXTENDED);
        if extended {
            cursor.u8("OPEN extended marker")?;
            len = usize::from(cursor.u16("OPEN extended parameters length")?);
        }
        let at = cursor.offset();
        let parameters = cursor.take(len, "OPEN parameters")?;
        cursor.end("OPEN parameters")?;
        let open = Self { version, my_as, hold_time, bgp_id, parameters, extended };
        open.check().map_err(|error| error.within(at))?;
        Ok(open)
    }

    fn check(&self) -> Result<(), Error> {
        let mut cursor = Cursor::new(self.parameters);
        while !cursor.is_empty() {
            let kind = cursor.u8("OPEN parameter type")?;
            let len = match self.extended {
                true => usize::from(cursor.u16("OPEN parameter length")?),
                false => usize::from(cursor.u8("OPEN parameter length")?),
            };
            let at = cursor.offset();
            let mut value = Cursor::new(cursor.take(len, "OPEN parameter")?);
            while kind == CAPABILITIES && !value.is_empty() {
                let &[_, len] = value.array("capability header").map_err(|e| e.within(at))?;
                value.take(usize::from(len), "capability").map_err(|e| e.within(at))?;
            }
        }
        Ok(())
    }

    /// Its optional parameters, in order: type and value.
    pub fn parameters(&self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let extended = self.extended;
        let mut cursor = Cursor::new(self.parameters);
        std::iter::from_fn(move || {
            let kind = cursor.u8("").ok()?;
            let len = if extended { cursor.u16("").ok()?.into() } else { cursor.u8("").ok()?.into() };
            Some((kind, cursor.take(len, "").ok()?))
        })
    }

    /// Its capabilities in order, of however many parameters.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability<'a>> {
        self.parameters().filter(|(kind, _)| *kind == CAPABILITIES).flat_map(|(_, value)| {
            let mut cursor = Cursor::new(value);
            std::iter::from_fn(move || {
                let &[kind, len] = cursor.array("").ok()?;
                let value = cursor.take(len.into(), "").ok()?;
                Some(Capability { kind: CapabilityKind(kind), value })
            })
        })
    }

    /// The AS number, of four octets where the router says so.
    #[must_use]
    pub fn asn(&self) -> u32 {
        self.capabilities().find_map(|capability| capability.asn()).unwrap_or(self.my_as.into())
    }

    /// The families it names, IPv4 unicast where it names none (RFC 4760 §8).
    pub fn families(&self) -> impl Iterator<Item = Family> {
        let named = self.capabilities().filter_map(|capability| capability.family());
        let none = self.capabilities().all(|capability| capability.family().is_none());
        named.chain(none.then_some(Family::IPV4_UNICAST))
    }

    /// The BGP identifier as it is written.
    #[must_use]
    pub fn bgp_id(&self) -> Ipv4Addr {
        self.bgp_id.into()
    }
}

/// Writes an OPEN and says how long it is: all capabilities in one parameter, in the order given.
///
/// `asn` beyond two octets is written as 23456; its four-octet capability is the caller's to give,
/// as all others are.
///
/// # Errors
/// The buffer is too small, a capability has more than 255 octets, or all of them more than fit.
pub fn write_open(
    out: &mut [u8],
    asn: u32,
    hold_time: u16,
    bgp_id: [u8; 4],
    capabilities: &[Capability<'_>],
) -> Result<usize, Overflow> {
    let mut out = Out::new(out);
    open_pdu(&mut out, PduKind::OPEN)?;
    out.u8(4)?;
    out.u16(u16::try_from(asn).unwrap_or(AS_TRANS))?;
    out.u16(hold_time)?;
    out.put(&bgp_id)?;
    let len = capabilities.iter().map(|capability| 2 + capability.value.len()).sum::<usize>();
    match len {
        0 => out.u8(0)?,
        1..=253 => out.put(&[fit_u8("OPEN", len + 2)?, CAPABILITIES, fit_u8("OPEN", len)?])?,
        _ => {
            // RFC 9072: both lengths of one octet say 255, and all lengths have two octets.
            out.put(&[EXTENDED, EXTENDED])?;
            out.u16(fit_u16("OPEN parameters", len + 3)?)?;
            out.u8(CAPABILITIES)?;
            out.u16(fit_u16("OPEN capabilities", len)?)?;
        }
    }
    for capability in capabilities {
        out.put(&[capability.kind.0, fit_u8("capability length", capability.value.len())?])?;
        out.put(capability.value)?;
    }
    // Extended messages do not reach OPEN (RFC 8654 §4).
    if out.len() > MESSAGE_MAX {
        return Err(Overflow::Field { what: "OPEN length", got: out.len(), most: MESSAGE_MAX });
    }
    close_pdu(&mut out)
}
