//! The TLVs of BMP messages. Free text stands by itself, in quotes.

use std::fmt::{self, Formatter};

use super::{Octets, TLVS_MAX, Text, list};
use crate::Error;
use crate::bmp::{InformationKind, TerminationReason, Tlv, Tlvs};

/// How one TLV is written; the same number means something else in every message.
pub(super) type WriteTlv = fn(&mut Formatter<'_>, Tlv<'_>) -> fmt::Result;

pub(super) fn write_tlvs(f: &mut Formatter<'_>, tlvs: Tlvs<'_>, write: WriteTlv) -> fmt::Result {
    list(f, " ", tlvs.map(|tlv| fmt::from_fn(move |f| write(f, tlv))), TLVS_MAX)
}

/// TLVs behind a PDU, or the octets that are none.
pub(super) fn write_trailing(
    f: &mut Formatter<'_>,
    bytes: &[u8],
    tlvs: Result<Tlvs<'_>, Error>,
    write: WriteTlv,
) -> fmt::Result {
    match tlvs {
        Ok(tlvs) => write_tlvs(f, tlvs, write),
        Err(error) => write!(f, " trailing {} ({error})", Octets(bytes)),
    }
}

pub(super) fn initiation_tlv(f: &mut Formatter<'_>, tlv: Tlv<'_>) -> fmt::Result {
    match InformationKind(tlv.kind) {
        InformationKind::STRING => write!(f, "{}", Text(tlv.value)),
        InformationKind::SYS_DESCR => write!(f, "sys-descr {}", Text(tlv.value)),
        InformationKind::SYS_NAME => write!(f, "sys-name {}", Text(tlv.value)),
        _ => unknown_tlv(f, tlv),
    }
}

pub(super) fn termination_tlv(f: &mut Formatter<'_>, tlv: Tlv<'_>) -> fmt::Result {
    match (InformationKind(tlv.kind), tlv.value) {
        (InformationKind::STRING, text) => write!(f, "{}", Text(text)),
        (InformationKind::REASON, &[a, b]) => {
            let reason = TerminationReason(u16::from_be_bytes([a, b]));
            write!(f, "{reason}")
        }
        (InformationKind::REASON, other) => write!(f, "reason {}", Octets(other)),
        _ => unknown_tlv(f, tlv),
    }
}

pub(super) fn table_tlv(f: &mut Formatter<'_>, tlv: Tlv<'_>) -> fmt::Result {
    match InformationKind(tlv.kind) {
        InformationKind::STRING => write!(f, "{}", Text(tlv.value)),
        InformationKind::TABLE_NAME => write!(f, "table-name {}", Text(tlv.value)),
        InformationKind::ADMIN_LABEL => write!(f, "admin-label {}", Text(tlv.value)),
        _ => unknown_tlv(f, tlv),
    }
}

pub(super) fn unknown_tlv(f: &mut Formatter<'_>, tlv: Tlv<'_>) -> fmt::Result {
    write!(f, "tlv-{} {}", tlv.kind, Octets(tlv.value))
}
