//! Sets of attributes: some with a version and met once, some from a small pool and met everywhere.

use super::World;
use crate::Rng;
use crate::stream::update::attribute;

/// The same set has the same octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Set {
    look: u64,
    pub(super) version: Option<u64>,
    /// A large set has so many.
    communities: usize,
    /// The AS path of an old speaker, RFC 6793; the A flag of its message.
    pub(super) two_octets: bool,
}

/// Large communities from this one are versions.
const VERSIONS: u32 = 0xffff_0000;

/// Unversioned sets of a router.
pub(super) const POOL: usize = 12;

impl Set {
    /// A new version, or one of the pool.
    pub(super) fn draw(world: &mut World, most_communities: usize, two_octets: bool) -> Self {
        let rng = &mut world.rng;
        let large = rng.percent(world.shape.large) && most_communities > 300;
        let communities = if large { 300 + rng.below(most_communities - 300) } else { 0 };
        if rng.percent(world.shape.versioned) {
            let look = rng.next();
            return Self { look, version: Some(world.next_version()), communities, two_octets };
        }
        Self { look: rng.below(POOL) as u64, version: None, communities: 0, two_octets }
    }

    /// The same set for another connection.
    pub(super) fn renewed(&self, world: &mut World) -> Self {
        let version = self.version.map(|_| world.next_version());
        Self { version, ..self.clone() }
    }

    /// In the order of their types, which is what RFC 4271 §5 asks for; routes in the NLRI field
    /// want a `NEXT_HOP`.
    pub(super) fn octets(&self, next_hop: bool) -> Vec<u8> {
        let mut rng = Rng::new(self.look, 9);
        let mut out = Vec::new();
        let origin = rng.pick(&[0, 0, 0, 2]);
        attribute(&mut out, 0x40, 1, |out| out.push(origin));
        let hops = rng.within(0, 4);
        attribute(&mut out, 0x40, 2, |out| {
            if hops > 0 {
                out.extend([2, hops]);
            }
            for _ in 0..hops {
                let asn = 64_512 + rng.u32() % 1000;
                out.extend(&asn.to_be_bytes()[if self.two_octets { 2 } else { 0 }..]);
            }
        });
        let router = rng.within(1, 9);
        if next_hop {
            attribute(&mut out, 0x40, 3, |out| out.extend([198, 51, 100, router]));
        }
        if rng.percent(50) {
            attribute(&mut out, 0x80, 4, |out| out.extend(u32::from(rng.u8()).to_be_bytes()));
        }
        if rng.percent(50) {
            attribute(&mut out, 0x40, 5, |out| out.extend(100_u32.to_be_bytes()));
        }
        let communities = if self.communities > 0 { self.communities } else { rng.below(4) };
        if communities > 0 {
            attribute(&mut out, 0xc0, 8, |out| (0..communities).for_each(|_| out.extend(rng.octets::<4>())));
        }
        if let Some(version) = self.version {
            attribute(&mut out, 0xc0, 32, |out| {
                if rng.percent(20) {
                    out.extend([0, 0, 0xfd, 0xe9, 0, 0, 0, 1, 0, 0, 0, 2]);
                }
                out.extend(VERSIONS.to_be_bytes());
                out.extend(version.to_be_bytes());
            });
        }
        if rng.percent(10) {
            // RFC 9234 §5
            attribute(&mut out, 0xc0, 35, |out| out.extend(64_999_u32.to_be_bytes()));
        }
        out
    }
}
