//! Choices for a property: words that proptest makes up, and shrinks towards none at all.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Words that turn into choices. Where they end there are zeros: the first choice, the least number.
pub(crate) struct Entropy<'a>(&'a [u64]);

impl Entropy<'_> {
    fn word(&mut self) -> u64 {
        let Some((word, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *word
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.word() % n as u64).expect("below n")
    }

    /// Once in `n` times.
    pub(crate) fn rarely(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(crate) fn octet(&mut self) -> u8 {
        self.word().to_le_bytes()[0]
    }

    /// As many octets as wanted from one word: all zero if it is.
    pub(crate) fn octets(&mut self, n: usize) -> Vec<u8> {
        let mut state = self.word();
        let mut next = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(u64::from(state != 0));
            (state >> 56) as u8
        };
        (0..n).map(|_| next()).collect()
    }
}

/// Holds a property against as many cases; each has at most `words` choices.
pub(crate) fn prove(cases: u32, words: usize, property: impl Fn(&mut Entropy<'_>)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, seed).run(&vec(any::<u64>(), 1..words), |words| {
        property(&mut Entropy(&words));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
