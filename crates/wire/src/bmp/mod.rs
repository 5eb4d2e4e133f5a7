//! BMP version 3: framing, every message, and the way back.
//!
//! ```text
//!  bytes ──Frame::split──► Frame ──message──► Message
//!                           │ kind, peer        RouteMonitoring ─► bgp::Pdu, trailing bytes
//!                           │ bytes             PeerUp ─► two OPENs, TLVs
//!                           ▼                   Statistics, PeerDown, Initiation, …
//!                     carried verbatim
//! ```
//!
//! * **framed first** [`Frame::split`] trusts nothing but version, length and type; a body that makes
//!   no sense is still a whole frame, to be carried or counted.
//! * **survives**     unknown message types, peer types, flags, TLVs, reasons and counters keep their
//!   numbers and bytes: codes are newtypes, not enums.
//! * **the field**    bytes behind the PDU of a Route Monitoring message are kept apart from NLRI;
//!   a Peer Up whose OPENs are dummies is still a Peer Up.

mod encode;
mod message;
mod peer;
mod tlv;

pub use encode::{
    initiation, peer_down, peer_up, route_mirroring, route_monitoring, route_monitoring_with, statistics,
    termination,
};
pub use message::{
    DownReason, Message, Mirrored, PeerDown, PeerUp, RouteMirroring, RouteMonitoring, Stat, StatKind,
    StatValue, Statistics, TerminationReason,
};
pub use peer::{PeerFlags, PeerHeader, PeerIdentity, PeerKind};
pub use tlv::{InformationKind, Tlv, Tlvs};

use zerocopy::FromBytes;

use crate::code::codes;
use crate::{Error, bgp};

/// The version that RFC 7854 describes, and the only one taken here.
pub const VERSION: u8 = 3;
/// Octets of version, length and type.
pub const HEADER_LEN: usize = 6;
/// Octets of the header in front of the body of most messages.
pub const PEER_HEADER_LEN: usize = size_of::<PeerHeader>();
/// The longest message taken: generous, for the longest Route Monitoring has 65 583 octets, and
/// a length beyond it is a sign that the stream is no BMP.
pub const MESSAGE_MAX: usize = 1 << 20;

codes! {
    /// What kind of message.
    Kind(u8) else "unknown" {
        ROUTE_MONITORING = 0 "route-monitoring" "Route Monitoring",
        STATISTICS = 1 "statistics" "Statistics Report",
        PEER_DOWN = 2 "peer-down" "Peer Down Notification",
        PEER_UP = 3 "peer-up" "Peer Up Notification",
        INITIATION = 4 "initiation" "Initiation",
        TERMINATION = 5 "termination" "Termination",
        ROUTE_MIRRORING = 6 "route-mirroring" "Route Mirroring",
    }
}

impl Kind {
    /// Whether a per-peer header follows. Of types unknown here nobody can say.
    #[inline]
    #[must_use]
    pub const fn has_peer(self) -> bool {
        matches!(self.0, 0..=3 | 6)
    }
}

/// One whole BMP message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// As many octets as its length field says, per-peer header included where its type has one.
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits the first message off `input`; `Ok(None)` asks for more bytes.
    ///
    /// # Errors
    /// Another version than 3, or a length that its type cannot have. There is no way to find the
    /// next message after that: close the connection.
    #[inline]
    pub fn split(input: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Error> {
        match input.first_chunk::<HEADER_LEN>() {
            Some(&[VERSION, a, b, c, d, kind]) => {
                let len = u32::from_be_bytes([a, b, c, d]) as usize;
                let least = least_len(Kind(kind));
                if len < least || len > MESSAGE_MAX {
                    return Err(Error::value(1, "BMP length", len, least, MESSAGE_MAX));
                }
                Ok(input.split_at_checked(len).map(|(bytes, rest)| (Self { bytes }, rest)))
            }
            _ => Self::split_short(input),
        }
    }

    /// Less than a header, or not one of ours: what is there can still be wrong.
    #[cold]
    fn split_short(input: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Error> {
        if let Some(&version) = input.first()
            && version != VERSION
        {
            return Err(Error::value(0, "BMP version", version.into(), VERSION.into(), VERSION.into()));
        }
        Ok(None)
    }

    /// What kind of message it is.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind(self.bytes[5])
    }

    /// All of it.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The per-peer header, where the type has one.
    #[inline]
    #[must_use]
    pub fn peer(&self) -> Option<&'a PeerHeader> {
        if !self.kind().has_peer() {
            return None;
        }
        PeerHeader::ref_from_prefix(&self.bytes[HEADER_LEN..]).ok().map(|(peer, _)| peer)
    }

    /// What follows the headers.
    #[inline]
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[self.body_offset()..]
    }

    /// Where [`Frame::body`] begins.
    #[inline]
    #[must_use]
    pub fn body_offset(&self) -> usize {
        if self.kind().has_peer() { HEADER_LEN + PEER_HEADER_LEN } else { HEADER_LEN }
    }

    /// The message, taken apart and checked. Routes are left to [`bgp::Update`].
    ///
    /// # Errors
    /// A body that is not what its type says; offsets count from the start of the frame.
    #[inline]
    pub fn message(&self) -> Result<Message<'a>, Error> {
        Message::parse(*self)
    }

    /// The message of a Route Monitoring frame, and nothing for every other frame: the short way
    /// for the many.
    ///
    /// # Errors
    /// See [`Frame::message`].
    #[inline]
    pub fn route_monitoring(&self) -> Result<Option<RouteMonitoring<'a>>, Error> {
        match (self.kind(), self.peer()) {
            (Kind::ROUTE_MONITORING, Some(peer)) => RouteMonitoring::parse(*self, peer).map(Some),
            _ => Ok(None),
        }
    }
}

/// The least that a message of this type has.
#[inline]
const fn least_len(kind: Kind) -> usize {
    let body = match kind {
        Kind::STATISTICS => 4,
        Kind::PEER_DOWN => 1,
        _ => 0,
    };
    if kind.has_peer() { HEADER_LEN + PEER_HEADER_LEN + body } else { HEADER_LEN }
}

/// A PDU at the front of the body of a frame; offsets count from the start of the frame.
#[inline]
fn pdu_at(frame: Frame<'_>, offset: usize) -> Result<(bgp::Pdu<'_>, &[u8]), Error> {
    bgp::Pdu::split_whole(&frame.bytes[offset..]).map_err(|error| error.within(offset))
}
