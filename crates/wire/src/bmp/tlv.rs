//! Type, length, value: information of Initiation, Termination and Peer Up, what Route Mirroring
//! holds, and what stands behind the PDU of some Route Monitoring messages.

use std::fmt;

use crate::Error;
use crate::cursor::Cursor;

/// One TLV. What its type means depends on the message it stands in (RFC 9736).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tlv<'a> {
    /// Its type.
    pub kind: u16,
    /// What it says.
    pub value: &'a [u8],
}

/// TLVs that have been walked to their end: iterating cannot fail.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tlvs<'a> {
    bytes: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// Walks TLVs to their end.
    ///
    /// # Errors
    /// A TLV that runs past the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            cursor.u16("TLV type")?;
            let len = cursor.u16("TLV length")?;
            cursor.take(usize::from(len), "TLV value")?;
        }
        Ok(Self { bytes })
    }

    /// Those not iterated over, as they stand.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value of the first TLV of a type.
    #[must_use]
    pub fn find_kind(mut self, kind: impl Into<u16>) -> Option<&'a [u8]> {
        let kind = kind.into();
        self.find(|tlv| tlv.kind == kind).map(|tlv| tlv.value)
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[a, b, c, d], rest) = self.bytes.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        self.bytes = rest;
        Some(Tlv { kind: u16::from_be_bytes([a, b]), value })
    }
}

impl fmt::Debug for Tlvs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// The types of information TLVs. Three number spaces since RFC 9736; the names say which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InformationKind(pub u16);

impl InformationKind {
    /// Free text, in all of them.
    pub const STRING: Self = Self(0);
    /// Initiation: what the router is.
    pub const SYS_DESCR: Self = Self(1);
    /// Initiation: what the router is called.
    pub const SYS_NAME: Self = Self(2);
    /// Termination: why.
    pub const REASON: Self = Self(1);
    /// Peer Up and Peer Down with reason 6: which table, RFC 9069.
    pub const TABLE_NAME: Self = Self(3);
    /// Peer Up: what the operator calls it, RFC 8671.
    pub const ADMIN_LABEL: Self = Self(4);
}

impl From<InformationKind> for u16 {
    fn from(kind: InformationKind) -> Self {
        kind.0
    }
}
