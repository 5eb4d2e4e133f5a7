//! NOTIFICATION and ROUTE-REFRESH: the two small ones.

use super::{Pdu, PduKind};
use crate::cursor::Cursor;
use crate::{Error, Family};

/// Why a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notification<'a> {
    /// The error code.
    pub code: u8,
    /// The subcode.
    pub subcode: u8,
    /// What the code says goes here.
    pub data: &'a [u8],
}

impl<'a> Notification<'a> {
    /// Reads a NOTIFICATION.
    ///
    /// # Errors
    /// Another kind of message, or one that ends before its subcode.
    pub fn parse(pdu: Pdu<'a>) -> Result<Self, Error> {
        pdu.expect(PduKind::NOTIFICATION, "BGP type")?;
        let mut cursor = Cursor::new(pdu.body());
        let &[code, subcode] =
            cursor.array("NOTIFICATION code and subcode").map_err(|e| e.within(super::HEADER_LEN))?;
        Ok(Self { code, subcode, data: cursor.rest() })
    }

    /// What its code and subcode mean, as far as they are known.
    #[must_use]
    pub const fn names(&self) -> (&'static str, Option<&'static str>) {
        let code = match self.code {
            1 => "message-header-error",
            2 => "open-error",
            3 => "update-error",
            4 => "hold-timer-expired",
            5 => "fsm-error",
            6 => "cease",
            7 => "route-refresh-error",
            _ => "unknown",
        };
        let subcode = match (self.code, self.subcode) {
            (1, 1) => "connection-not-synchronised",
            (1, 2) => "bad-length",
            (1, 3) => "bad-type",
            (2, 1) => "unsupported-version",
            (2, 2) => "bad-peer-as",
            (2, 3) => "bad-bgp-identifier",
            (2, 4) => "unsupported-parameter",
            (2, 6) => "unacceptable-hold-time",
            (2, 7) => "unsupported-capability",
            (3, 1) => "malformed-attribute-list",
            (3, 2) => "unrecognised-well-known-attribute",
            (3, 3) => "missing-well-known-attribute",
            (3, 4) => "attribute-flags-error",
            (3, 5) => "attribute-length-error",
            (3, 6) => "invalid-origin",
            (3, 8) => "invalid-next-hop",
            (3, 9) => "optional-attribute-error",
            (3, 10) => "invalid-network-field",
            (3, 11) => "malformed-as-path",
            (6, 1) => "maximum-prefixes-reached",
            (6, 2) => "administrative-shutdown",
            (6, 3) => "peer-deconfigured",
            (6, 4) => "administrative-reset",
            (6, 5) => "connection-rejected",
            (6, 6) => "other-configuration-change",
            (6, 7) => "connection-collision",
            (6, 8) => "out-of-resources",
            (6, 9) => "hard-reset",
            (6, 10) => "bfd-down",
            _ => return (code, None),
        };
        (code, Some(subcode))
    }

    /// What the operator on the other side wrote, RFC 9003: octets, for nobody promises UTF-8.
    #[must_use]
    pub fn shutdown_communication(&self) -> Option<&'a [u8]> {
        match (self.code, self.subcode, self.data) {
            (6, 2 | 4, [len, text @ ..]) if *len > 0 => text.get(..usize::from(*len)),
            _ => None,
        }
    }
}

/// A request for all routes again, or a mark around them: RFC 2918 and RFC 7313.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteRefresh<'a> {
    /// Of which family.
    pub family: Family,
    /// 0 request, 1 beginning, 2 end; others survive.
    pub subtype: u8,
    /// Outbound route filters (RFC 5291), or nothing.
    pub filters: &'a [u8],
}

impl<'a> RouteRefresh<'a> {
    /// Reads a ROUTE-REFRESH.
    ///
    /// # Errors
    /// Another kind of message, or one that is too short.
    pub fn parse(pdu: Pdu<'a>) -> Result<Self, Error> {
        pdu.expect(PduKind::ROUTE_REFRESH, "BGP type")?;
        let mut cursor = Cursor::new(pdu.body());
        let &[a, b, subtype, safi] =
            cursor.array("ROUTE-REFRESH family").map_err(|e| e.within(super::HEADER_LEN))?;
        let family = Family::new(u16::from_be_bytes([a, b]), safi);
        Ok(Self { family, subtype, filters: cursor.rest() })
    }
}
