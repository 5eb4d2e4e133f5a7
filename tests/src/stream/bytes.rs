//! Dice, and octets behind their own length.

/// SplitMix64: eight lines, no crate, the same numbers everywhere for ever.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Dice of their own for each `stream` of a seed.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    /// The next 64 bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "they never end: as an iterator it would tempt to collect"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `N` octets, for `N` up to 8 independent ones.
    pub fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        for chunk in octets.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
        octets
    }

    /// An octet.
    pub fn u8(&mut self) -> u8 {
        self.octets::<1>()[0]
    }

    /// Four octets as a number.
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.octets())
    }

    /// A number in `0..n`.
    #[expect(clippy::cast_possible_truncation, reason = "below n")]
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// A number in `low..=high`.
    pub fn within(&mut self, low: u8, high: u8) -> u8 {
        low + self.pick_u8(high - low)
    }

    /// A number in `0..=most`.
    #[expect(clippy::cast_possible_truncation, reason = "at most `most`")]
    fn pick_u8(&mut self, most: u8) -> u8 {
        self.below(usize::from(most) + 1) as u8
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// One of them, of which there must be one.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Each of them so many times in a hundred.
    pub fn some<T: Copy>(&mut self, from: &[T], percent: usize) -> Vec<T> {
        from.iter().copied().filter(|_| self.percent(percent)).collect()
    }
}

/// What `body` writes, behind its length in `WIDTH` octets.
pub(crate) fn sized<const WIDTH: usize>(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    sized_with::<WIDTH>(out, 0, body);
}

/// The same where the length counts `extra` octets more.
pub(crate) fn sized_with<const WIDTH: usize>(
    out: &mut Vec<u8>,
    extra: usize,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let at = out.len();
    out.extend([0; WIDTH]);
    body(out);
    let len = (out.len() - at - WIDTH + extra).to_be_bytes();
    let (zeros, len) = len.split_at(len.len() - WIDTH);
    assert!(zeros.iter().all(|octet| *octet == 0), "a length of {WIDTH} octets");
    out[at..at + WIDTH].copy_from_slice(len);
}

/// A TLV with two octets each of type and length.
pub(crate) fn tlv(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend(kind.to_be_bytes());
    sized::<2>(out, |out| out.extend(value));
}
