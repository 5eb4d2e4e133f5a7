//! What has become of the records: each is counted once.

use std::collections::BTreeMap;
use std::fmt;

use wire::mrt::{Kind, Subtype};

/// Why a record, or an entry of one, has nothing to tell a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Skip {
    /// Another time, peer, prefix or family was asked for.
    Filtered,
    /// A type or subtype that is not read: OSPF, IS-IS, BGP before 2001.
    Unread(Kind, Subtype),
    /// A body that is not what its type says.
    Malformed,
    /// The record only names a file.
    Snapshot,
    /// No entry of the record could be told.
    NoEntry,
    /// An entry of a peer that is not in the index.
    UnknownPeer,
    /// Attributes of an entry that make no sense.
    Attributes,
    /// An entry that fits into no UPDATE.
    TooLong,
    /// The session's Peer Up has it.
    Open,
    /// BMP has no place for it.
    Keepalive,
    /// BMP has no place for it.
    RouteRefresh,
    /// A NOTIFICATION, of a peer that is not up.
    Notification,
    /// A BGP message of a type that nobody knows.
    OtherMessage,
    /// No BGP message, or one that is cut off.
    BrokenMessage,
    /// An UPDATE whose lengths make no sense.
    BrokenUpdate,
    /// Routes of an UPDATE that make no sense.
    BrokenRoutes,
    /// Neither from nor to Established, or of a peer that is as it was.
    StateChange,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filtered => "filtered",
            Self::Unread(kind, subtype) => return write!(f, "not-read-{kind}-{}", subtype.0),
            Self::Malformed => "malformed",
            Self::Snapshot => "snapshot",
            Self::NoEntry => "no-entry",
            Self::UnknownPeer => "unknown-peer",
            Self::Attributes => "broken-attributes",
            Self::TooLong => "too-long",
            Self::Open => "open",
            Self::Keepalive => "keepalive",
            Self::RouteRefresh => "route-refresh",
            Self::Notification => "notification",
            Self::OtherMessage => "other-message",
            Self::BrokenMessage => "broken-message",
            Self::BrokenUpdate => "broken-update",
            Self::BrokenRoutes => "broken-routes",
            Self::StateChange => "state-change",
        })
    }
}

/// What has come in, and what has gone out. `records` is `mirrored` and all of `skipped`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Records taken.
    pub records: u64,
    /// Those that a server hears of.
    pub mirrored: u64,
    /// Those it does not, and why.
    pub skipped: BTreeMap<Skip, u64>,
    /// Entries of mirrored records that it does not hear of, and why.
    pub entries_skipped: BTreeMap<Skip, u64>,
    /// BMP messages made.
    pub messages: u64,
    /// Their octets.
    pub octets: u64,
    /// Routes announced in them.
    pub announced: u64,
    /// Routes withdrawn.
    pub withdrawn: u64,
    /// Peer Ups among the messages.
    pub peer_ups: u64,
    /// Peer Downs.
    pub peer_downs: u64,
    /// Ends of RIB of our own.
    pub end_of_ribs: u64,
    /// Entries without a path id in a table that has some: they have 0.
    pub path_ids_made: u64,
    /// Peers that went down and up because their routes turned out to have path ids, or none.
    pub restarts: u64,
}

impl Counts {
    pub(super) fn skip(&mut self, why: Skip) {
        *self.skipped.entry(why).or_default() += 1;
    }

    pub(super) fn skip_entry(&mut self, why: Skip) {
        *self.entries_skipped.entry(why).or_default() += 1;
    }

    /// One message of this length goes out.
    pub(super) fn message(&mut self, len: usize) {
        self.messages += 1;
        self.octets += len as u64;
    }
}
