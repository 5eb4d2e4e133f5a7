//! Rings and lanes beside naive twins, across threads, and every schedule of small ones.

#[cfg(not(loom))]
mod fair;
#[cfg(not(loom))]
mod lanes;
#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod oracle;
#[cfg(not(loom))]
mod threads;

use super::Cost;

/// A value that counts its drops where all can see it.
struct Token {
    name: usize,
    cost: usize,
    drops: std::sync::Arc<Drops>,
}

impl Cost for Token {
    fn cost(&self) -> usize {
        self.cost
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.drops.0[self.name].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// How often each token was dropped. Not loom's atomics: it is not these that are in question.
#[derive(Default)]
struct Drops(Vec<std::sync::atomic::AtomicUsize>);

impl Drops {
    fn new(tokens: usize) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self((0..tokens).map(|_| 0.into()).collect()))
    }

    fn token(self: &std::sync::Arc<Self>, name: usize) -> Token {
        Token { name, cost: 1, drops: self.clone() }
    }

    /// Every one of the first `made` was dropped once, and no other was.
    fn assert_once(&self, made: usize) {
        for (name, drops) in self.0.iter().enumerate() {
            let drops = drops.load(std::sync::atomic::Ordering::Relaxed);
            assert_eq!(drops, usize::from(name < made), "drops of token {name}, of {made}");
        }
    }
}
