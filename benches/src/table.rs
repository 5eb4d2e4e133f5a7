//! Tables as peers have them, from a seed, as BMP octets.
//!
//! ```text
//!  dump    Peer Up │ UPDATE: a set of attributes, 1 to 30 prefixes │ UPDATE …     each prefix once
//!  change  UPDATE: a fresh set and one prefix, or one prefix that is gone
//!
//!  in order   prefixes 0 1 2 │ 3 4 5 6 7 │ 8 …    groups lie together
//!  shuffled   prefixes 7 2 9 │ 4 …                groups are random, and others at every peer
//! ```
//!
//! * **independent** the octets are put down by hand, as in `tests/src/stream`.
//! * **streaming**   a dump is made run by run, so that it need not be in memory as a whole.
//! * **realistic**   six prefixes in ten are /24, all others /22 to /16; sets have 60 to 80 octets in the
//!   mean, seven prefixes share one, and none is drawn twice.

use ::tests::stream::Rng;

/// Octets that are taken in at once.
pub const RUN: usize = 64 << 10;

/// The most prefixes of an UPDATE, and their mean as dice give it.
const GROUP_MAX: usize = 30;
const GROUP_MEAN: usize = 7;

/// Lengths of twenty prefixes in a row.
const BITS: [u8; 20] = [24, 24, 24, 22, 24, 24, 24, 20, 24, 22, 24, 24, 18, 24, 21, 24, 24, 22, 19, 16];

/// What all messages of one peer begin with.
fn header(peer: u16) -> [u8; 42] {
    let mut header = [0; 42];
    header[22..26].copy_from_slice(&address(peer));
    header[26..30].copy_from_slice(&asn(peer).to_be_bytes());
    header[30..34].copy_from_slice(&address(peer));
    header[34..38].copy_from_slice(&1_750_000_000_u32.to_be_bytes());
    header
}

/// The address of a peer.
#[must_use]
pub fn address(peer: u16) -> [u8; 4] {
    let [high, low] = peer.to_be_bytes();
    [10, 1, high, low]
}

fn asn(peer: u16) -> u32 {
    4_200_000_000 + u32::from(peer)
}

/// A BMP message about a peer.
fn message(out: &mut Vec<u8>, kind: u8, peer: u16, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([3, 0, 0, 0, 0, kind]);
    out.extend(header(peer));
    body(out);
    let len = u32::try_from(out.len() - at).expect("short");
    out[at + 1..at + 5].copy_from_slice(&len.to_be_bytes());
}

/// What `body` writes, behind its length, of which `extra` octets stand in front.
fn sized(out: &mut Vec<u8>, extra: usize, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0; 2]);
    body(out);
    let len = u16::try_from(out.len() - at - 2 + extra).expect("short");
    out[at..at + 2].copy_from_slice(&len.to_be_bytes());
}

fn pdu(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend([0xff; 16]);
    sized(out, 18, |out| {
        out.push(kind);
        body(out);
    });
}

/// The peer is up, and speaks of AS numbers of four octets.
pub fn peer_up(out: &mut Vec<u8>, peer: u16) {
    let open = |out: &mut Vec<u8>, asn: u32, id: [u8; 4]| {
        pdu(out, 1, |out| {
            out.extend([4, 0x5b, 0xa0, 0, 180]);
            out.extend(id);
            out.extend([8, 2, 6, 65, 4]);
            out.extend(asn.to_be_bytes());
        });
    };
    message(out, 3, peer, |out| {
        out.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 254]);
        out.extend([0, 179, 0xc3, 0x50]);
        open(out, 4_199_999_999, [192, 0, 2, 254]);
        open(out, asn(peer), address(peer));
    });
}

/// The n-th prefix: no two are equal below a million and more.
fn put_prefix(out: &mut Vec<u8>, n: usize) {
    let bits = BITS[n % BITS.len()];
    let each = BITS.iter().filter(|other| **other == bits).count();
    let before = BITS[..n % BITS.len()].iter().filter(|other| **other == bits).count();
    let rank = (n / BITS.len() * each + before) as u64;
    // 1.0.0.0 to 223.255.255.255; the factor is prime, so that the walk leaves none out.
    let span = 223 << (bits - 8);
    assert!(rank < span, "more than {n} prefixes of {bits} bits");
    let value = ((1 << (bits - 8)) + rank * 7_368_787 % span) << (32 - bits);
    let [.., a, b, c, _] = value.to_be_bytes();
    out.extend(&[bits, a, b, c][..1 + usize::from(bits.div_ceil(8))]);
}

/// A set of attributes that nobody else has.
fn put_attributes(out: &mut Vec<u8>, rng: &mut Rng, peer: u16) {
    out.extend([0x40, 1, 1, rng.pick(&[0, 0, 0, 0, 2])]);
    let hops = rng.within(3, 6);
    out.extend([0x40, 2, 2 + hops * 4, 2, hops]);
    out.extend(asn(peer).to_be_bytes());
    for _ in 1..hops {
        out.extend((1 + rng.u32() % 400_000).to_be_bytes());
    }
    out.extend([0x40, 3, 4]);
    out.extend(address(peer));
    if rng.percent(50) {
        out.extend([0x80, 4, 4, 0, 0, 0, rng.u8()]);
    }
    let communities = rng.within(0, 6);
    if communities > 0 {
        out.extend([0xc0, 8, communities * 4]);
        (0..communities).for_each(|_| out.extend(rng.octets::<4>()));
    }
    if rng.percent(30) {
        let large = rng.within(1, 3);
        out.extend([0xc0, 32, large * 12]);
        (0..large).for_each(|_| out.extend(rng.octets::<12>()));
    }
}

/// An UPDATE about one prefix, which is gone or has a fresh set of attributes.
pub fn change(out: &mut Vec<u8>, rng: &mut Rng, peer: u16, prefix: usize, gone: bool) {
    message(out, 0, peer, |out| {
        pdu(out, 2, |out| {
            if gone {
                sized(out, 0, |out| put_prefix(out, prefix));
                out.extend([0, 0]);
            } else {
                out.extend([0, 0]);
                sized(out, 0, |out| put_attributes(out, rng, peer));
                put_prefix(out, prefix);
            }
        });
    });
}

/// In what order a dump has its prefixes.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// As they are counted.
    Counted,
    /// At random.
    Shuffled,
}

/// The table of one peer, being told.
#[derive(Debug)]
pub struct Dump {
    peer: u16,
    rng: Rng,
    shuffle: Option<Shuffle>,
    next: usize,
    routes: usize,
    messages: usize,
}

impl Dump {
    /// The first `routes` of `prefixes` prefixes, in that order.
    #[must_use]
    pub fn new(seed: u64, peer: u16, prefixes: usize, routes: usize, order: Order) -> Self {
        let rng = Rng::new(seed, u64::from(peer));
        let shuffle = match order {
            Order::Counted => None,
            Order::Shuffled => Some(Shuffle::new(seed ^ u64::from(peer) << 32, prefixes)),
        };
        Self { peer, rng, shuffle, next: 0, routes, messages: 0 }
    }

    /// Appends about [`RUN`] octets of whole messages; whether there were any left.
    pub fn run(&mut self, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        if self.next == 0 {
            peer_up(out, self.peer);
            self.messages += 1;
        }
        while self.next < self.routes && out.len() - begin < RUN - 400 {
            self.update(out);
        }
        out.len() > begin
    }

    fn update(&mut self, out: &mut Vec<u8>) {
        let Self { peer, rng, shuffle, next, routes, messages } = self;
        let mut group = 1;
        while group < GROUP_MAX && rng.below(GROUP_MEAN) > 0 {
            group += 1;
        }
        let end = (*next + group).min(*routes);
        message(out, 0, *peer, |out| {
            pdu(out, 2, |out| {
                out.extend([0, 0]);
                sized(out, 0, |out| put_attributes(out, rng, *peer));
                for n in *next..end {
                    put_prefix(out, shuffle.as_ref().map_or(n, |shuffle| shuffle.nth(n)));
                }
            });
        });
        (*next, *messages) = (end, *messages + 1);
    }

    /// All of it, run by run.
    #[must_use]
    pub fn runs(mut self) -> (Vec<Vec<u8>>, usize) {
        let mut runs = Vec::new();
        loop {
            let mut run = Vec::with_capacity(RUN);
            if !self.run(&mut run) {
                return (runs, self.messages);
            }
            runs.push(run);
        }
    }

    /// How many messages it had so far.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages
    }
}

/// A permutation that takes no memory: a Feistel network over a power of four, walked until it comes
/// back into the range.
#[derive(Clone, Debug)]
pub struct Shuffle {
    keys: [u64; 4],
    half: u32,
    count: usize,
}

impl Shuffle {
    /// One of `0..count`.
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Self {
        let mut rng = Rng::new(seed, 0x5487);
        let half = count.next_power_of_two().trailing_zeros().div_ceil(2).max(1);
        Self { keys: [rng.next(), rng.next(), rng.next(), rng.next()], half, count }
    }

    /// Where `n` goes.
    #[must_use]
    pub fn nth(&self, n: usize) -> usize {
        let mask = (1_u64 << self.half) - 1;
        let mut at = n as u64;
        loop {
            let (mut left, mut right) = (at >> self.half, at & mask);
            for key in self.keys {
                let mixed = (right ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (left, right) = (right, left ^ (mixed >> 32 & mask));
            }
            at = left << self.half | right;
            if at < self.count as u64 {
                #[expect(clippy::cast_possible_truncation, reason = "below count")]
                return at as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_prefix_twice() {
        let mut seen = HashSet::new();
        for n in 0..1_100_000 {
            let mut prefix = Vec::new();
            put_prefix(&mut prefix, n);
            assert!(seen.insert(prefix), "prefix {n} is there already");
        }
    }

    #[test]
    fn shuffled_and_none_left_out() {
        for count in [1, 2, 3, 1000, 4096, 4097] {
            let shuffle = Shuffle::new(count as u64, count);
            let seen: HashSet<usize> = (0..count).map(|n| shuffle.nth(n)).collect();
            assert_eq!(seen.len(), count);
        }
    }

    #[test]
    fn as_tables_are() {
        let mut rng = Rng::new(1, 1);
        let mut sets = Vec::new();
        (0..10_000).for_each(|_| put_attributes(&mut sets, &mut rng, 1));
        let mean = sets.len() / 10_000;
        assert!((60..=80).contains(&mean), "{mean} octets a set");
        let (_, messages) = Dump::new(1, 1, 100_000, 100_000, Order::Shuffled).runs();
        let mean = 1_000_000 / messages;
        assert!((65..=75).contains(&mean), "{mean} routes in ten updates");
    }
}
