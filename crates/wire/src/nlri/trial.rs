//! The safety net for a peer whose Peer Up was never seen: do its NLRI have path ids?
//!
//! RFC 7911 puts nothing into the bytes that tells, so both readings are tried. A reading counts
//! only if every entry has a legal length, host bits that are zero and the field ends with the last
//! entry. The caller keeps a clear answer for the peer, view and family, and leaves the bytes raw
//! until there is one.

use super::{Reading, Routes};
use crate::{Family, Framing};

/// Which readings of a field hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// Only the one without path ids.
    Without,
    /// Only the one with path ids.
    With,
    /// Both: nothing can be said.
    Either,
    /// None: broken, or a family that cannot be taken apart.
    Neither,
}

/// Tries a field both ways.
#[must_use]
pub fn trial(family: Family, reading: Reading, bytes: &[u8]) -> Trial {
    let holds = |add_path| {
        Routes::check(family, Reading { add_path, ..reading }, bytes).is_ok_and(|mut routes| {
            routes.all(|entry| match family.framing() {
                // A key that had to be masked is no run of the wire.
                Some(Framing::Prefix | Framing::Bits { .. }) => entry.key().as_wire().is_some(),
                Some(Framing::Labelled | Framing::Vpn) => {
                    entry.key().last() == entry.bytes().last() || entry.key().len() == 1
                }
                _ => true,
            })
        })
    };
    match (holds(false), holds(true)) {
        (true, false) => Trial::Without,
        (false, true) => Trial::With,
        (true, true) => Trial::Either,
        (false, false) => Trial::Neither,
    }
}
