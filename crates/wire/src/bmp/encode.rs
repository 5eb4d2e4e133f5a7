//! Every message, written into the caller's buffer.
//!
//! One function a message; each gives the length written, or says what did not fit and leaves the
//! buffer's content unspecified.

use zerocopy::IntoBytes;

use super::{DownReason, HEADER_LEN, InformationKind, Kind, MESSAGE_MAX, PEER_HEADER_LEN, PeerHeader};
use super::{RouteMirroring, TerminationReason, Tlv, VERSION};
use crate::Overflow;
use crate::bgp::Pdu;
use crate::cursor::Out;

/// Writes what stands in front of the body; [`end`] sets the length.
fn begin<'a>(buffer: &'a mut [u8], kind: Kind, peer: Option<&PeerHeader>) -> Result<Out<'a>, Overflow> {
    let mut out = Out::new(buffer);
    out.put(&[VERSION, 0, 0, 0, 0, kind.0])?;
    if let Some(peer) = peer {
        out.put(peer.as_bytes())?;
    }
    Ok(out)
}

fn end(mut out: Out<'_>) -> Result<usize, Overflow> {
    let len = out.len();
    out.patch(1, &length(len)?);
    Ok(len)
}

/// The length field of a message.
fn length(len: usize) -> Result<[u8; 4], Overflow> {
    match u32::try_from(len) {
        Ok(field) if len <= MESSAGE_MAX => Ok(field.to_be_bytes()),
        _ => Err(Overflow::Field { what: "BMP length", got: len, most: MESSAGE_MAX }),
    }
}

fn put_tlv(out: &mut Out<'_>, kind: u16, value: &[u8]) -> Result<(), Overflow> {
    out.u16(kind)?;
    out.counted("TLV length", value)
}

fn put_tlvs(out: &mut Out<'_>, tlvs: &[Tlv<'_>]) -> Result<(), Overflow> {
    tlvs.iter().try_for_each(|tlv| put_tlv(out, tlv.kind, tlv.value))
}

/// Writes a Route Monitoring message around a PDU. `trailing` is what some routers put behind it,
/// and empty in everything made here.
///
/// # Errors
/// The buffer is too small.
pub fn route_monitoring(
    buffer: &mut [u8],
    peer: &PeerHeader,
    pdu: &[u8],
    trailing: &[u8],
) -> Result<usize, Overflow> {
    route_monitoring_with(buffer, peer, |body| {
        let mut out = Out::new(body);
        out.put(pdu)?;
        out.put(trailing)?;
        Ok(out.len())
    })
}

/// Writes a Route Monitoring message around a PDU that `write` puts where it belongs: no copy for
/// an UPDATE that is being built. `write` gets the rest of the buffer and gives the PDU's length.
///
/// # Errors
/// The buffer is too small, or what `write` says.
///
/// # Panics
/// If `write` claims more octets than it was given.
pub fn route_monitoring_with(
    buffer: &mut [u8],
    peer: &PeerHeader,
    write: impl FnOnce(&mut [u8]) -> Result<usize, Overflow>,
) -> Result<usize, Overflow> {
    const HEAD: usize = HEADER_LEN + PEER_HEADER_LEN;
    let left = buffer.len();
    let Some((head, body)) = buffer.split_at_mut_checked(HEAD) else {
        return Err(Overflow::Buffer { want: HEAD, left });
    };
    let pdu = write(body)?;
    assert!(pdu <= body.len(), "a PDU inside the buffer it was given");
    begin(head, Kind::ROUTE_MONITORING, Some(peer))?;
    head[1..5].copy_from_slice(&length(HEAD + pdu)?);
    Ok(HEAD + pdu)
}

/// Writes a Statistics Report.
///
/// # Errors
/// The buffer is too small, or a value has more than 65535 octets.
pub fn statistics(buffer: &mut [u8], peer: &PeerHeader, stats: &[Tlv<'_>]) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::STATISTICS, Some(peer))?;
    let most = u32::MAX as usize;
    let count = u32::try_from(stats.len());
    out.u32(count.map_err(|_| Overflow::Field { what: "statistics count", got: stats.len(), most })?)?;
    put_tlvs(&mut out, stats)?;
    end(out)
}

/// Writes a Peer Down; `data` is what the reason says goes behind it.
///
/// # Errors
/// The buffer is too small.
pub fn peer_down(
    buffer: &mut [u8],
    peer: &PeerHeader,
    reason: DownReason,
    data: &[u8],
) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::PEER_DOWN, Some(peer))?;
    out.u8(reason.0)?;
    out.put(data)?;
    end(out)
}

/// Writes a Peer Up: the router's address, its port and the peer's, and both OPENs as exchanged.
///
/// # Errors
/// The buffer is too small, or a value has more than 65535 octets.
pub fn peer_up(
    buffer: &mut [u8],
    peer: &PeerHeader,
    local_address: &[u8; 16],
    (local_port, remote_port): (u16, u16),
    (sent_open, received_open): (Pdu<'_>, Pdu<'_>),
    tlvs: &[Tlv<'_>],
) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::PEER_UP, Some(peer))?;
    out.put(local_address)?;
    out.u16(local_port)?;
    out.u16(remote_port)?;
    out.put(sent_open.bytes())?;
    out.put(received_open.bytes())?;
    put_tlvs(&mut out, tlvs)?;
    end(out)
}

/// Writes an Initiation. RFC 7854 §4.3 wants sysDescr and sysName among the TLVs.
///
/// # Errors
/// The buffer is too small, or a value has more than 65535 octets.
pub fn initiation(buffer: &mut [u8], tlvs: &[Tlv<'_>]) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::INITIATION, None)?;
    put_tlvs(&mut out, tlvs)?;
    end(out)
}

/// Writes a Termination: the reason, and then `tlvs`.
///
/// # Errors
/// The buffer is too small, or a value has more than 65535 octets.
pub fn termination(
    buffer: &mut [u8],
    reason: TerminationReason,
    tlvs: &[Tlv<'_>],
) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::TERMINATION, None)?;
    put_tlv(&mut out, InformationKind::REASON.0, &reason.0.to_be_bytes())?;
    put_tlvs(&mut out, tlvs)?;
    end(out)
}

/// Writes a Route Mirroring message: codes first, then the PDU they are about, if there is one.
///
/// # Errors
/// The buffer is too small, or the PDU has more than 65535 octets.
pub fn route_mirroring(
    buffer: &mut [u8],
    peer: &PeerHeader,
    codes: &[u16],
    pdu: Option<&[u8]>,
) -> Result<usize, Overflow> {
    let mut out = begin(buffer, Kind::ROUTE_MIRRORING, Some(peer))?;
    for code in codes {
        put_tlv(&mut out, RouteMirroring::INFORMATION, &code.to_be_bytes())?;
    }
    if let Some(pdu) = pdu {
        put_tlv(&mut out, RouteMirroring::MESSAGE, pdu)?;
    }
    end(out)
}
