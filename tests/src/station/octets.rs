//! A field of a message that knows where in the message it stands.

/// What is left to read of a field.
#[derive(Clone, Copy)]
pub(super) struct Octets<'a> {
    rest: &'a [u8],
    /// Octets of the message in front of `rest`.
    at: usize,
}

impl<'a> Octets<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, at: 0 }
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(self) -> bool {
        self.rest.is_empty()
    }

    /// A complaint about what comes next.
    pub(super) fn wrong(self, text: impl std::fmt::Display) -> String {
        format!("octet {}: {text}", self.at)
    }

    /// The next `len` octets, as a field of their own.
    pub(super) fn field(&mut self, len: usize, what: &str) -> Result<Self, String> {
        let Some((field, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.wrong(format_args!("{what}: {len} octets, {} left", self.rest.len())));
        };
        let field = Self { rest: field, at: self.at };
        *self = Self { rest, at: self.at + len };
        Ok(field)
    }

    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], String> {
        Ok(self.field(len, what)?.rest)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, String> {
        Ok(u8::from_be_bytes(self.array(what)?))
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16, String> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, String> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// A field behind its length in two octets.
    pub(super) fn counted(&mut self, what: &str) -> Result<Self, String> {
        let len = self.u16(what)?;
        self.field(usize::from(len), what)
    }

    /// A TLV with two octets each of type and length.
    pub(super) fn tlv(&mut self) -> Result<(u16, Self), String> {
        Ok((self.u16("type of a TLV")?, self.counted("TLV")?))
    }

    /// TLVs to the end.
    pub(super) fn tlvs(mut self) -> Result<Vec<(u16, &'a [u8])>, String> {
        let mut tlvs = Vec::new();
        while !self.is_empty() {
            let (kind, value) = self.tlv()?;
            tlvs.push((kind, value.rest));
        }
        Ok(tlvs)
    }

    /// The body of a BGP message of type `kind`.
    pub(super) fn pdu(&mut self, kind: u8, what: &str) -> Result<Self, String> {
        let start = *self;
        if self.array("marker")? != [0xff_u8; 16] {
            return Err(start.wrong(format_args!("{what}: no marker of a BGP message")));
        }
        let len = usize::from(self.u16("BGP length")?);
        let got = self.u8("BGP type")?;
        if got != kind {
            return Err(start.wrong(format_args!("{what}: BGP type {got}, expected {kind}")));
        }
        let Some(body) = len.checked_sub(19) else {
            return Err(start.wrong(format_args!("{what}: BGP length {len}, expected 19 or more")));
        };
        self.field(body, what)
    }

    /// An error unless all has been read.
    pub(super) fn end(self, what: &str) -> Result<(), String> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(self.wrong(format_args!("{left} octets behind {what}"))),
        }
    }
}
