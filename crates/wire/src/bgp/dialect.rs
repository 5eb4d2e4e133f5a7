//! What two OPENs make of the bytes that follow: path ids, labels, the width of AS numbers.

use super::{Action, CapabilityKind, Open};
use crate::nlri::{Labels, Reading};
use crate::{Family, FamilySet};

/// One table of a peer, as RFC 7854, RFC 8671 and RFC 9069 tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// What the peer sent.
    AdjRibInPre,
    /// What inbound policy left of it.
    AdjRibInPost,
    /// What is meant for the peer, before outbound policy.
    AdjRibOutPre,
    /// What was sent to the peer.
    AdjRibOutPost,
    /// The router's own table.
    LocRib,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AdjRibInPre, Self::AdjRibInPost, Self::AdjRibOutPre, Self::AdjRibOutPost, Self::LocRib];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdjRibInPre => "adj-rib-in-pre",
            Self::AdjRibInPost => "adj-rib-in-post",
            Self::AdjRibOutPre => "adj-rib-out-pre",
            Self::AdjRibOutPost => "adj-rib-out-post",
            Self::LocRib => "loc-rib",
        }
    }
}

/// How one BGP session writes what its bytes alone do not tell.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Dialect {
    /// Families with path ids in what the router received.
    pub add_path_in: FamilySet,
    /// Families with path ids in what the router sent.
    pub add_path_out: FamilySet,
    /// Families with path ids in the router's own table.
    pub add_path_local: FamilySet,
    /// Families whose announcements may have a stack of labels.
    pub label_stack: FamilySet,
    /// AS numbers of four octets in mirrored messages. Route Monitoring has the A flag instead.
    pub four_octet_as: bool,
    /// Messages of more than 4096 octets.
    pub extended_message: bool,
}

impl Dialect {
    /// What the OPENs of a session agree on; `sent` is the router's own.
    #[must_use]
    pub fn negotiated(sent: &Open<'_>, received: &Open<'_>) -> Self {
        let (sent, received) = (Offer::of(sent), Offer::of(received));
        Self {
            add_path_in: sent.add_path_receive.intersection(received.add_path_send),
            add_path_out: sent.add_path_send.intersection(received.add_path_receive),
            add_path_local: sent.add_path,
            label_stack: sent.label_stack.intersection(received.label_stack),
            four_octet_as: sent.four_octet_as && received.four_octet_as,
            extended_message: sent.extended_message && received.extended_message,
        }
    }

    /// What both know, for a Peer Up that repeats one for the same session: one router sends a Peer
    /// Up for each family, each OPEN naming that family only.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            add_path_in: self.add_path_in.union(other.add_path_in),
            add_path_out: self.add_path_out.union(other.add_path_out),
            add_path_local: self.add_path_local.union(other.add_path_local),
            label_stack: self.label_stack.union(other.label_stack),
            four_octet_as: self.four_octet_as || other.four_octet_as,
            extended_message: self.extended_message || other.extended_message,
        }
    }

    /// Whether NLRI of a family have path ids in a view (RFC 7911 §4, RFC 8671 §4.2, RFC 9069 §5.2).
    #[inline]
    #[must_use]
    pub const fn add_path(&self, view: View, family: Family) -> bool {
        match view {
            View::AdjRibInPre | View::AdjRibInPost => self.add_path_in.contains(family),
            View::AdjRibOutPre | View::AdjRibOutPost => self.add_path_out.contains(family),
            View::LocRib => self.add_path_local.contains(family),
        }
    }

    /// How to read the NLRI of a family in a view.
    #[inline]
    #[must_use]
    pub const fn reading(&self, view: View, family: Family, action: Action) -> Reading {
        let labels = match action {
            Action::Announce if self.label_stack.contains(family) => Labels::Stack,
            Action::Announce | Action::Withdraw => Labels::One,
        };
        Reading { add_path: self.add_path(view, family), labels }
    }
}

/// What one OPEN says of all this.
#[derive(Default)]
struct Offer {
    add_path: FamilySet,
    add_path_receive: FamilySet,
    add_path_send: FamilySet,
    label_stack: FamilySet,
    four_octet_as: bool,
    extended_message: bool,
}

impl Offer {
    fn of(open: &Open<'_>) -> Self {
        let mut offer = Self::default();
        for capability in open.capabilities() {
            match capability.kind {
                CapabilityKind::FOUR_OCTET_AS => offer.four_octet_as = true,
                CapabilityKind::EXTENDED_MESSAGE => offer.extended_message = true,
                CapabilityKind::ADD_PATH => {
                    for (family, mode) in capability.tuples() {
                        offer.add_path.insert(family);
                        if matches!(mode, 1 | 3) {
                            offer.add_path_receive.insert(family);
                        }
                        if matches!(mode, 2 | 3) {
                            offer.add_path_send.insert(family);
                        }
                    }
                }
                CapabilityKind::MULTIPLE_LABELS => {
                    // A count of 1 is what everybody does, 0 is to be ignored (RFC 8277 §2.1).
                    let many = capability.tuples().filter(|(_, count)| *count > 1);
                    offer.label_stack = offer.label_stack.union(many.map(|(family, _)| family).collect());
                }
                _ => {}
            }
        }
        offer
    }
}
