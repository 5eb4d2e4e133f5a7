//! The two hands that touch bytes: [`Cursor`] takes them off a slice, [`Out`] puts them into one.
//!
//! Every fallible read of this crate goes through `Cursor`, so that an error always knows its
//! offset, the field, what it wanted and what was left.

use crate::{Error, Overflow};

/// Takes fields off the front of a slice.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Octets taken so far.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// What has not been taken.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let Some((head, tail)) = self.rest.split_at_checked(n) else {
            return Err(Error::cut(self.offset, what, n, self.rest.len()));
        };
        self.rest = tail;
        self.offset += n;
        Ok(head)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'a [u8; N], Error> {
        let Some((head, tail)) = self.rest.split_first_chunk::<N>() else {
            return Err(Error::cut(self.offset, what, N, self.rest.len()));
        };
        self.rest = tail;
        self.offset += N;
        Ok(head)
    }

    #[inline]
    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Error> {
        self.array::<1>(what).map(|b| b[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Error> {
        self.array(what).map(|b| u16::from_be_bytes(*b))
    }

    #[inline]
    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(|b| u32::from_be_bytes(*b))
    }

    /// The cursor is done: nothing may be left.
    #[inline]
    pub(crate) fn end(&self, what: &'static str) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::excess(self.offset, what, self.rest.len())) }
    }
}

/// Puts fields into the caller's buffer.
///
/// * **whole or nothing** a field that does not fit leaves `len` as it was.
/// * **kept room**        the last `kept` octets are for what is written after [`Out::release`].
pub(crate) struct Out<'a> {
    buffer: &'a mut [u8],
    len: usize,
    kept: usize,
}

impl<'a> Out<'a> {
    #[inline]
    pub(crate) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0, kept: 0 }
    }

    /// Octets written so far.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn room(&self) -> usize {
        self.buffer.len() - self.kept - self.len
    }

    #[inline]
    fn fit(&self, want: usize) -> Result<(), Overflow> {
        let left = self.room();
        if want > left { Err(Overflow::Buffer { want, left }) } else { Ok(()) }
    }

    /// Keeps room for `n` octets that will be written last.
    pub(crate) fn keep(&mut self, n: usize) -> Result<(), Overflow> {
        self.fit(n)?;
        self.kept += n;
        Ok(())
    }

    /// Gives back all the room that was kept.
    pub(crate) fn release(&mut self) {
        self.kept = 0;
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        self.fit(bytes.len())?;
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    #[inline]
    pub(crate) fn u8(&mut self, value: u8) -> Result<(), Overflow> {
        self.put(&[value])
    }

    #[inline]
    pub(crate) fn u16(&mut self, value: u16) -> Result<(), Overflow> {
        self.put(&value.to_be_bytes())
    }

    #[inline]
    pub(crate) fn u32(&mut self, value: u32) -> Result<(), Overflow> {
        self.put(&value.to_be_bytes())
    }

    /// A two-octet length and then the bytes it counts.
    pub(crate) fn counted(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), Overflow> {
        self.u16(fit_u16(what, bytes.len())?)?;
        self.put(bytes)
    }

    /// The bytes, and their length into the two octets at `at`, which were written before.
    pub(crate) fn counted_at(&mut self, at: usize, what: &'static str, bytes: &[u8]) -> Result<(), Overflow> {
        let len = fit_u16(what, bytes.len())?;
        self.put(bytes)?;
        self.patch(at, &len.to_be_bytes());
        Ok(())
    }

    /// Overwrites what stands at `at`, which was written before.
    pub(crate) fn patch(&mut self, at: usize, bytes: &[u8]) {
        self.buffer[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Everything written so far.
    pub(crate) fn written(self) -> &'a [u8] {
        &self.buffer[..self.len]
    }

    /// Takes back all that was written after `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// `n` as the two octets of a field.
pub(crate) fn fit_u16(what: &'static str, n: usize) -> Result<u16, Overflow> {
    u16::try_from(n).map_err(|_| Overflow::Field { what, got: n, most: usize::from(u16::MAX) })
}

/// `n` as the one octet of a field.
pub(crate) fn fit_u8(what: &'static str, n: usize) -> Result<u8, Overflow> {
    u8::try_from(n).map_err(|_| Overflow::Field { what, got: n, most: usize::from(u8::MAX) })
}
