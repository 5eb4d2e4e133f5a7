//! Digests of 128 bits that a sum makes independent of order.
//!
//! ```text
//!  set    = hash(flags, AS, BGP identifier │ attribute block │ what stood behind the PDU)
//!  path   = hash(path id │ route key │ payload │ set)
//!  table  = sum of its paths                                       modulo 2^128
//!  all    = sum of hash(peer identity │ view │ family │ table)     over tables that are not empty
//! ```
//!
//! * **canonical** host bits are masked in keys, the next hop has one form wherever it stood, `MP_REACH_NLRI`
//!   stands first, and how routes were packed into UPDATEs leaves no trace.
//! * **apart**     every part of variable length has its length in front, so that no octet can move from one
//!   part into the next.
//! * **for ever**  the hash is SipHash-2-4 with 128 bits and a key of zeros: the same on every machine.
//!
//! Equal tables have equal digests, and tables that differ by accident have others: nobody is assumed to look
//! for collisions.

use std::fmt::{self, Debug, Display, Formatter};
use std::ops::AddAssign;

/// A digest. It displays as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub u128);

impl Digest {
    /// Of octets: SipHash-2-4 with 128 bits, key 0.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sip(0, 0, bytes))
    }
}

impl AddAssign for Digest {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Debug for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// Puts octets behind their length.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend(len.to_be_bytes());
    out.extend(bytes);
}

/// Four words that are stirred.
struct Sip([u64; 4]);

impl Sip {
    #[inline]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    fn finish(&mut self) -> u64 {
        (0..4).for_each(|_| self.round());
        self.0.iter().fold(0, |all, word| all ^ word)
    }
}

/// The first eight octets of the answer are the low half.
fn sip(key_low: u64, key_high: u64, bytes: &[u8]) -> u128 {
    let mut state = Sip([
        key_low ^ 0x736f_6d65_7073_6575,
        key_high ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        key_low ^ 0x6c79_6765_6e65_7261,
        key_high ^ 0x7465_6462_7974_6573,
    ]);
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| state.word(u64::from_le_bytes(*word)));
    // The last word: what is left, and in its highest octet the length.
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len().to_le_bytes()[0];
    state.word(u64::from_le_bytes(last));
    state.0[2] ^= 0xee;
    let low = state.finish();
    state.0[1] ^= 0xdd;
    let high = state.finish();
    u128::from(high) << 64 | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation: key 00 01 .. 0f, input 00 01 .. of so many octets.
    #[test]
    fn as_the_reference_has_it() {
        let key = 0x0706_0504_0302_0100;
        let input: Vec<u8> = (0..64).collect();
        for (len, expected) in
            [(0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45")]
        {
            let hash = sip(key, key + 0x0808_0808_0808_0808, &input[..len]);
            let shown: String = hash.to_le_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(shown, expected, "{len} octets");
        }
    }

    #[test]
    fn every_octet_and_every_length_counts() {
        let input = [0_u8; 40];
        let mut seen: Vec<_> = (0..=40).map(|len| Digest::of(&input[..len])).collect();
        for at in 0..40 {
            let mut other = input;
            other[at] = 1;
            seen.push(Digest::of(&other));
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
