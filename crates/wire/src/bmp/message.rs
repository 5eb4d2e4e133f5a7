//! The body of each message.
//!
//! What a mirror cannot do without is checked by `parse`. What is only information (TLVs behind a
//! PDU, the NOTIFICATION of a Peer Down) is looked at when asked for, so that a router which gets
//! it wrong does not lose a peer or a route over it.

use std::net::IpAddr;

use zerocopy::FromBytes;
use zerocopy::big_endian::U16;
use zerocopy::{Immutable, KnownLayout, Unaligned};

use super::peer::ip;
use super::{Frame, InformationKind, Kind, PeerHeader, Tlv, Tlvs, pdu_at};
use crate::bgp::{Dialect, Notification, Open, Pdu, Update, View};
use crate::code::codes;
use crate::cursor::Cursor;
use crate::{Error, Family};

/// A BMP message, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Type 0.
    RouteMonitoring(RouteMonitoring<'a>),
    /// Type 1.
    Statistics(Statistics<'a>),
    /// Type 2.
    PeerDown(PeerDown<'a>),
    /// Type 3.
    PeerUp(PeerUp<'a>),
    /// Type 4: what the router says of itself.
    Initiation(Tlvs<'a>),
    /// Type 5: why the router leaves; see [`TerminationReason::of`].
    Termination(Tlvs<'a>),
    /// Type 6.
    RouteMirroring(RouteMirroring<'a>),
    /// Any other type: carried, not read.
    Unknown(Frame<'a>),
}

impl<'a> Message<'a> {
    #[inline]
    pub(super) fn parse(frame: Frame<'a>) -> Result<Self, Error> {
        if let Some(peer) = frame.peer() {
            return Ok(match frame.kind() {
                Kind::ROUTE_MONITORING => Self::RouteMonitoring(RouteMonitoring::parse(frame, peer)?),
                Kind::STATISTICS => Self::Statistics(Statistics::parse(frame, peer)?),
                Kind::PEER_DOWN => Self::PeerDown(PeerDown::parse(frame, peer)?),
                Kind::PEER_UP => Self::PeerUp(PeerUp::parse(frame, peer)?),
                _ => Self::RouteMirroring(RouteMirroring::parse(frame, peer)?),
            });
        }
        let tlvs = || Tlvs::parse(frame.body()).map_err(|error| error.within(frame.body_offset()));
        Ok(match frame.kind() {
            Kind::INITIATION => Self::Initiation(tlvs()?),
            Kind::TERMINATION => Self::Termination(tlvs()?),
            _ => Self::Unknown(frame),
        })
    }
}

/// An UPDATE as the router saw it, or as it would have sent it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RouteMonitoring<'a> {
    /// Whose, and of which view.
    pub peer: &'a PeerHeader,
    /// The PDU: an UPDATE if the router keeps to the standard.
    pub pdu: Pdu<'a>,
    /// What stands behind the PDU: nothing by the standard, TLVs in the field.
    pub trailing: &'a [u8],
    /// Where the PDU begins, from the start of the frame.
    pdu_offset: usize,
}

impl<'a> RouteMonitoring<'a> {
    #[inline]
    pub(super) fn parse(frame: Frame<'a>, peer: &'a PeerHeader) -> Result<Self, Error> {
        let pdu_offset = frame.body_offset();
        let (pdu, trailing) = pdu_at(frame, pdu_offset)?;
        Ok(Self { peer, pdu, trailing, pdu_offset })
    }

    /// The UPDATE, taken apart.
    ///
    /// # Errors
    /// See [`Update::parse`]; offsets count from the start of the frame.
    #[inline]
    pub fn update(&self) -> Result<Update<'a>, Error> {
        Update::parse(self.pdu).map_err(|error| error.within(self.pdu_offset))
    }

    /// The TLVs behind the PDU.
    ///
    /// # Errors
    /// Trailing bytes that are something else.
    pub fn trailing_tlvs(&self) -> Result<Tlvs<'a>, Error> {
        let at = self.pdu_offset + self.pdu.bytes().len();
        Tlvs::parse(self.trailing).map_err(|error| error.within(at))
    }
}

/// A peer that is there from now on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PeerUp<'a> {
    /// Who.
    pub peer: &'a PeerHeader,
    fixed: &'a PeerUpFixed,
    /// The OPEN that the router sent; some routers write a bare header where they have none.
    pub sent_open: Pdu<'a>,
    /// The OPEN that the router received.
    pub received_open: Pdu<'a>,
    /// Information TLVs.
    pub trailing: &'a [u8],
    trailing_offset: usize,
}

/// What stands between the per-peer header and the OPENs, RFC 7854 §4.10.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned, PartialEq, Eq)]
#[repr(C)]
struct PeerUpFixed {
    local_address: [u8; 16],
    local_port: U16,
    remote_port: U16,
}

const _: () = assert!(size_of::<PeerUpFixed>() == 20);

impl<'a> PeerUp<'a> {
    fn parse(frame: Frame<'a>, peer: &'a PeerHeader) -> Result<Self, Error> {
        let at = frame.body_offset();
        let Ok((fixed, _)) = PeerUpFixed::ref_from_prefix(frame.body()) else {
            return Err(Error::cut(at, "Peer Up addresses", size_of::<PeerUpFixed>(), frame.body().len()));
        };
        let sent_at = at + size_of::<PeerUpFixed>();
        let (sent_open, _) = pdu_at(frame, sent_at)?;
        let received_at = sent_at + sent_open.bytes().len();
        let (received_open, trailing) = pdu_at(frame, received_at)?;
        let trailing_offset = received_at + received_open.bytes().len();
        Ok(Self { peer, fixed, sent_open, received_open, trailing, trailing_offset })
    }

    /// The router's address in the session.
    #[must_use]
    pub fn local_ip(&self) -> IpAddr {
        ip(&self.fixed.local_address, self.peer.is_ipv6())
    }

    /// The same as it stands.
    #[must_use]
    pub fn local_address(&self) -> &'a [u8; 16] {
        &self.fixed.local_address
    }

    /// The router's port.
    #[must_use]
    pub fn local_port(&self) -> u16 {
        self.fixed.local_port.get()
    }

    /// The peer's port.
    #[must_use]
    pub fn remote_port(&self) -> u16 {
        self.fixed.remote_port.get()
    }

    /// The information TLVs.
    ///
    /// # Errors
    /// Bytes behind the OPENs that are something else.
    pub fn tlvs(&self) -> Result<Tlvs<'a>, Error> {
        Tlvs::parse(self.trailing).map_err(|error| error.within(self.trailing_offset))
    }

    /// The name of the table: its TLV, or the string that one vendor sends in its place.
    #[must_use]
    pub fn table_name(&self) -> Option<&'a [u8]> {
        let tlvs = self.tlvs().ok()?;
        tlvs.find_kind(InformationKind::TABLE_NAME).or_else(|| {
            (self.peer.view() == Some(View::LocRib)).then(|| tlvs.find_kind(InformationKind::STRING))?
        })
    }

    /// What the OPENs agree on. An OPEN that cannot be read agrees on nothing but AS numbers of four
    /// octets, which is what routers write that have none to show.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match (Open::parse(self.sent_open), Open::parse(self.received_open)) {
            (Ok(sent), Ok(received)) => Dialect::negotiated(&sent, &received),
            _ => Dialect { four_octet_as: true, ..Dialect::default() },
        }
    }
}

codes! {
    /// Why a peer went down.
    DownReason(u8) else "reason" {
        LOCAL_NOTIFICATION = 1 "local-notification" "The router closed the session with a NOTIFICATION",
        LOCAL_NO_NOTIFICATION = 2 "local-no-notification" "The router closed it without; an FSM event says why",
        REMOTE_NOTIFICATION = 3 "remote-notification" "The peer closed it with a NOTIFICATION",
        REMOTE_NO_DATA = 4 "remote-no-data" "The peer closed it without",
        DECONFIGURED = 5 "deconfigured" "The router does not report this peer any more",
        LOCAL_TLVS = 6 "loc-rib-ended" "A Loc-RIB ended, RFC 9069",
    }
}

/// A peer that is gone, and all its routes with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PeerDown<'a> {
    /// Who.
    pub peer: &'a PeerHeader,
    /// Why.
    pub reason: DownReason,
    /// What the reason says goes here.
    pub data: &'a [u8],
    data_offset: usize,
}

impl<'a> PeerDown<'a> {
    fn parse(frame: Frame<'a>, peer: &'a PeerHeader) -> Result<Self, Error> {
        let at = frame.body_offset();
        let Some((&reason, data)) = frame.body().split_first() else {
            return Err(Error::cut(at, "Peer Down reason", 1, 0));
        };
        Ok(Self { peer, reason: DownReason(reason), data, data_offset: at + 1 })
    }

    /// The NOTIFICATION of reasons 1 and 3.
    ///
    /// # Errors
    /// Data that is no NOTIFICATION where there should be one.
    pub fn notification(&self) -> Result<Option<Notification<'a>>, Error> {
        if !matches!(self.reason, DownReason::LOCAL_NOTIFICATION | DownReason::REMOTE_NOTIFICATION) {
            return Ok(None);
        }
        Pdu::split_whole(self.data)
            .and_then(|(pdu, _)| Notification::parse(pdu))
            .map(Some)
            .map_err(|error| error.within(self.data_offset))
    }

    /// The FSM event of reason 2, RFC 4271 §8.1; 0 says that there is none.
    #[must_use]
    pub fn fsm_event(&self) -> Option<u16> {
        match (self.reason, self.data) {
            (DownReason::LOCAL_NO_NOTIFICATION, &[a, b, ..]) => Some(u16::from_be_bytes([a, b])),
            _ => None,
        }
    }

    /// The TLVs of reason 6.
    ///
    /// # Errors
    /// Data that is something else.
    pub fn tlvs(&self) -> Result<Option<Tlvs<'a>>, Error> {
        if self.reason != DownReason::LOCAL_TLVS {
            return Ok(None);
        }
        Tlvs::parse(self.data).map(Some).map_err(|error| error.within(self.data_offset))
    }
}

/// Counters and gauges of one peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Statistics<'a> {
    /// Whose.
    pub peer: &'a PeerHeader,
    count: usize,
    tlvs: Tlvs<'a>,
}

impl<'a> Statistics<'a> {
    fn parse(frame: Frame<'a>, peer: &'a PeerHeader) -> Result<Self, Error> {
        let at = frame.body_offset();
        let mut cursor = Cursor::new(frame.body());
        let count = cursor.u32("statistics count").map_err(|error| error.within(at))? as usize;
        let tlvs = Tlvs::parse(cursor.rest()).map_err(|error| error.within(at + 4))?;
        let found = tlvs.count();
        if found != count {
            return Err(Error::value(at, "statistics count", count, found, found));
        }
        Ok(Self { peer, count, tlvs })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none, which no router should send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each of them. A type may stand several times, once for each family.
    pub fn iter(&self) -> impl Iterator<Item = Stat<'a>> {
        self.tlvs.map(|Tlv { kind, value }| Stat { kind: StatKind(kind), bytes: value })
    }
}

/// What a statistic counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StatKind(pub u16);

impl StatKind {
    /// What it counts, RFC 7854 §4.8, RFC 8671 §6.2 and RFC 9972.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "rejected-prefixes",
            1 => "duplicate-prefixes",
            2 => "duplicate-withdrawals",
            3 => "cluster-list-loops",
            4 => "as-path-loops",
            5 => "originator-id-loops",
            6 => "as-confed-loops",
            7 | 9 => "adj-rib-in",
            8 | 10 => "loc-rib",
            11 => "updates-treated-as-withdraw",
            12 => "prefixes-treated-as-withdraw",
            13 => "duplicate-updates",
            14 | 16 => "adj-rib-out-pre",
            15 | 17 => "adj-rib-out-post",
            18 | 19 => "adj-rib-in-pre",
            20 | 21 => "adj-rib-in-post",
            22 => "adj-rib-in-pre-rejected",
            23 => "adj-rib-in-post-accepted",
            26 => "damped",
            27 => "stale",
            28 => "long-lived-stale",
            29 | 30 => "left-before-route-limit",
            31 | 32 => "left-before-licence-limit",
            33 | 34 => "adj-rib-in-pre-as-path-too-long",
            35 => "adj-rib-in-post-rpki-invalid",
            36 => "adj-rib-in-post-rpki-valid",
            37 => "adj-rib-in-post-rpki-not-found",
            38 => "adj-rib-out-pre-rejected",
            39 | 40 => "adj-rib-out-as-path-too-long",
            41 => "adj-rib-out-post-rpki-invalid",
            42 => "adj-rib-out-post-rpki-valid",
            43 => "adj-rib-out-post-rpki-not-found",
            _ => return None,
        })
    }

    /// How many octets its value should have.
    const fn value_len(self) -> Option<usize> {
        Some(match self.0 {
            0..=6 | 11..=13 => 4,
            7 | 8 | 14 | 15 | 18 | 20 | 29 | 31 | 33 | 39 => 8,
            9 | 10 | 16 | 17 | 19 | 21..=23 | 26..=28 | 30 | 32 | 34..=38 | 40..=43 => 11,
            _ => return None,
        })
    }
}

/// One statistic as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat<'a> {
    /// What it counts.
    pub kind: StatKind,
    /// Its value.
    pub bytes: &'a [u8],
}

/// The value of a statistic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatValue<'a> {
    /// Grows until the peer goes down.
    Counter(u32),
    /// How many there are now.
    Gauge(u64),
    /// How many of a family there are now.
    FamilyGauge(Family, u64),
    /// A type unknown here, or a length that its type does not have.
    Other(&'a [u8]),
}

impl<'a> Stat<'a> {
    /// Its value, if type and length are known.
    #[must_use]
    pub fn value(&self) -> StatValue<'a> {
        if self.kind.value_len() != Some(self.bytes.len()) {
            return StatValue::Other(self.bytes);
        }
        let number = |octets: &[u8]| octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
        match *self.bytes {
            [a, b, c, d] => StatValue::Counter(u32::from_be_bytes([a, b, c, d])),
            [a, b, safi, ref gauge @ ..] if gauge.len() == 8 => {
                StatValue::FamilyGauge(Family::new(u16::from_be_bytes([a, b]), safi), number(gauge))
            }
            _ => StatValue::Gauge(number(self.bytes)),
        }
    }
}

/// Messages of a peer, word for word, or word that some are missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RouteMirroring<'a> {
    /// Whose. Its L and A flags mean nothing here.
    pub peer: &'a PeerHeader,
    /// What there is, as TLVs.
    pub tlvs: Tlvs<'a>,
}

/// What one TLV of Route Mirroring says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mirrored<'a> {
    /// A BGP message as it came, whole if the peer sent it whole.
    Message(&'a [u8]),
    /// The message in this one was in error.
    ErroredPdu,
    /// Some messages were lost before this one.
    MessagesLost,
    /// A TLV or a code unknown here.
    Other(Tlv<'a>),
}

impl<'a> RouteMirroring<'a> {
    /// TLV type: a BGP message.
    pub const MESSAGE: u16 = 0;
    /// TLV type: a code.
    pub const INFORMATION: u16 = 1;
    /// Code: the message is in error.
    pub const ERRORED_PDU: u16 = 0;
    /// Code: messages were lost.
    pub const MESSAGES_LOST: u16 = 1;

    fn parse(frame: Frame<'a>, peer: &'a PeerHeader) -> Result<Self, Error> {
        let tlvs = Tlvs::parse(frame.body()).map_err(|error| error.within(frame.body_offset()))?;
        Ok(Self { peer, tlvs })
    }

    /// What it says, in order.
    pub fn iter(&self) -> impl Iterator<Item = Mirrored<'a>> {
        self.tlvs.map(|tlv| match (tlv.kind, tlv.value) {
            (Self::MESSAGE, message) => Mirrored::Message(message),
            (Self::INFORMATION, [0, 0]) => Mirrored::ErroredPdu,
            (Self::INFORMATION, [0, 1]) => Mirrored::MessagesLost,
            _ => Mirrored::Other(tlv),
        })
    }
}

codes! {
    /// Why a router leaves.
    TerminationReason(u16) else "reason" {
        ADMINISTRATIVELY_CLOSED = 0 "administratively-closed" "The operator closed the session",
        UNSPECIFIED = 1 "unspecified" "No reason given",
        OUT_OF_RESOURCES = 2 "out-of-resources" "The router ran out of resources",
        REDUNDANT_CONNECTION = 3 "redundant-connection" "There is another connection",
        PERMANENTLY_CLOSED = 4 "permanently-closed" "The operator closed it for good",
    }
}

impl TerminationReason {
    /// The reason among the TLVs of a Termination.
    #[must_use]
    pub fn of(tlvs: Tlvs<'_>) -> Option<Self> {
        match tlvs.find_kind(InformationKind::REASON) {
            Some(&[a, b]) => Some(Self(u16::from_be_bytes([a, b]))),
            _ => None,
        }
    }
}
