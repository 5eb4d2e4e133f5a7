//! BGP-4: messages, the attributes of an UPDATE, and what two OPENs make of its bytes.
//!
//! ```text
//!  bytes ──Pdu::split──► Pdu ──Update::parse──► Update ──parts──► Part ──routes──► nlri::Routes
//!                         │                                                  ▲
//!                         └──Open::parse──► Open ×2 ──► Dialect ─────────────┘
//! ```
//!
//! * **checked once** `parse` walks all lengths; what it returns is read without errors.
//! * **carried**      unknown message types, attributes and capabilities keep their bytes.
//! * **no policy**    RFC 7606 is the router's business: nothing here treats anything as withdrawn.

mod attribute;
mod dialect;
mod notification;
mod open;
mod pack;
mod update;

pub use attribute::{
    AsPath, AsSegment, Attribute, AttributeKind, Attributes, MpReach, MpUnreach, NextHop, attributes,
};
pub use dialect::{Dialect, View};
pub use notification::{Notification, RouteRefresh};
pub use open::{Capability, CapabilityKind, Open, write_open};
pub use pack::{Announce, Route, Withdraw, end_of_rib, keepalive, route_refresh};
pub use update::{Action, Part, Parts, Update};
pub(crate) use update::{put_mp_reach_stub, put_others};

use crate::code::codes;
use crate::cursor::Out;
use crate::{Error, Overflow};

/// Octets of marker, length and type.
pub const HEADER_LEN: usize = 19;
/// The longest message before RFC 8654.
pub const MESSAGE_MAX: usize = 4096;
/// The longest UPDATE, NOTIFICATION or ROUTE-REFRESH of peers with the extended message capability.
pub const EXTENDED_MESSAGE_MAX: usize = 65535;

codes! {
    /// What kind of message.
    PduKind(u8) else "bgp" {
        OPEN = 1 "open" "OPEN",
        UPDATE = 2 "update" "UPDATE",
        NOTIFICATION = 3 "notification" "NOTIFICATION",
        KEEPALIVE = 4 "keepalive" "KEEPALIVE",
        ROUTE_REFRESH = 5 "route-refresh" "ROUTE-REFRESH, RFC 2918",
    }
}

/// One whole BGP message, marker and length checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pdu<'a> {
    /// At least `HEADER_LEN` octets, exactly as many as their length field says.
    bytes: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// Splits the first message off `input`; `Ok(None)` asks for more bytes.
    ///
    /// Lengths up to [`EXTENDED_MESSAGE_MAX`] pass whatever the peers have agreed on: what a router
    /// took, we carry.
    ///
    /// # Errors
    /// A marker that is not all ones, or a length below 19.
    #[inline]
    pub fn split(input: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Error> {
        let Some(header) = input.first_chunk::<HEADER_LEN>() else {
            return check_marker(input).map(|()| None);
        };
        check_marker(header)?;
        let len = usize::from(u16::from_be_bytes([header[16], header[17]]));
        if len < HEADER_LEN {
            return Err(Error::value(16, "BGP length", len, HEADER_LEN, EXTENDED_MESSAGE_MAX));
        }
        Ok(input.split_at_checked(len).map(|(bytes, rest)| (Self { bytes }, rest)))
    }

    /// Splits the first message off bytes that must hold it whole.
    ///
    /// # Errors
    /// Those of [`Pdu::split`], and a message that is cut off.
    #[inline]
    pub fn split_whole(input: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        if let Some(split) = Self::split(input)? {
            return Ok(split);
        }
        Err(match input.get(16..18) {
            Some(len) => {
                let want = usize::from(u16::from_be_bytes([len[0], len[1]]));
                Error::cut(0, "BGP message", want.max(HEADER_LEN), input.len())
            }
            None => Error::cut(0, "BGP header", HEADER_LEN, input.len()),
        })
    }

    /// What kind of message it is.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> PduKind {
        PduKind(self.bytes[18])
    }

    /// All of it.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the header.
    #[inline]
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// An error unless the message is of `kind`, named `what`.
    pub(crate) fn expect(&self, kind: PduKind, what: &'static str) -> Result<(), Error> {
        if self.kind() == kind {
            return Ok(());
        }
        Err(Error::value(18, what, self.kind().0.into(), kind.0.into(), kind.0.into()))
    }
}

#[inline]
fn check_marker(input: &[u8]) -> Result<(), Error> {
    let marker = &input[..input.len().min(16)];
    if let Ok(whole) = <[u8; 16]>::try_from(marker)
        && u128::from_ne_bytes(whole) == u128::MAX
    {
        return Ok(());
    }
    match marker.iter().position(|octet| *octet != 0xff) {
        Some(at) => Err(Error::value(at, "BGP marker octet", marker[at].into(), 255, 255)),
        None => Ok(()),
    }
}

/// Writes a header with a length to be set by [`close`].
fn open_pdu(out: &mut Out<'_>, kind: PduKind) -> Result<(), Overflow> {
    out.put(&[0xff; 16])?;
    out.u16(0)?;
    out.u8(kind.0)
}

/// Sets the length of the message that is all of `out`.
fn close_pdu(out: &mut Out<'_>) -> Result<usize, Overflow> {
    let len = crate::cursor::fit_u16("BGP length", out.len())?;
    out.patch(16, &len.to_be_bytes());
    Ok(usize::from(len))
}
