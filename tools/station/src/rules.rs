//! The rules of a stream, and where one was broken.
//!
//! Some routers in the field break some of them every day. A rule that is tolerated is counted and no more.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// Violations of one connection that are told in full; the others are counted.
pub const VIOLATIONS_MAX: usize = 16;

macro_rules! rules {
    ($($rule:ident $name:literal $text:literal,)*) => {
        /// What a stream must keep to.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $(#[doc = $text] $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// What it asks for.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$rule => $text,)*
                }
            }
        }
    };
}

rules! {
    Framing "framing" "Every message has version 3 and a length that its type can have",
    InitiationFirst "initiation-first" "The first message is an Initiation",
    AfterTermination "after-termination" "Nothing follows a Termination",
    WholeMessages "whole-messages" "A connection does not end inside a message",
    Malformed "malformed" "Lengths fill what holds them, in messages, UPDATEs, attributes and NLRI",
    Opens "opens" "The OPENs of a Peer Up can be read",
    UpdateLength "update-length" "An UPDATE has at most 4096 octets, unless both OPENs allow more",
    PeerUpFirst "peer-up-first" "A peer that has never been up says nothing and does not go down",
    AfterPeerDown "after-peer-down" "A peer that is down says nothing, and goes down only once",
    OneSession "one-session" "A Peer Up of a peer that is up is of the same session",
    Backwards "backwards" "What a peer says in a view is not older than what it has said there",
    PeersMax "peers-max" "A connection has no more peers than a station takes",
    PathsMax "paths-max" "All connections together have no more paths than a station takes",
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What is asked of every connection.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Demands {
    /// Rules that may be broken.
    pub tolerated: Vec<Rule>,
    /// Timestamps of Route Monitoring never fall within a peer and view. Not every stream keeps to that: what
    /// has none has 0, which is passed over, and a clock may be set back.
    pub times: bool,
    /// Versions never fall from a path to what takes its place: the large community `4294901760:high:low`,
    /// which the routers of our tests put into each set of attributes.
    pub versions: bool,
}

/// A rule was broken here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// The number of the message in its connection; the first is 1.
    pub message: u64,
    /// The octet of the connection at which it starts.
    pub octet: u64,
    /// What was wrong.
    pub text: String,
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rule, message, octet, text } = self;
        write!(f, "{rule}: message {message} at octet {octet}: {text}")
    }
}

/// All violations of a connection, the first of them in full.
#[derive(Clone, Default, Debug)]
pub struct Violations {
    list: Vec<Violation>,
    counts: BTreeMap<Rule, u64>,
    tolerated: BTreeMap<Rule, u64>,
}

impl Violations {
    pub(crate) fn note(
        &mut self,
        demands: &Demands,
        rule: Rule,
        (message, octet): (u64, u64),
        text: impl FnOnce() -> String,
    ) {
        if demands.tolerated.contains(&rule) {
            *self.tolerated.entry(rule).or_default() += 1;
            return;
        }
        *self.counts.entry(rule).or_default() += 1;
        if self.list.len() < VIOLATIONS_MAX {
            self.list.push(Violation { rule, message, octet, text: text() });
        }
    }

    /// The first few.
    #[must_use]
    pub fn list(&self) -> &[Violation] {
        &self.list
    }

    /// How many there were of each rule.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<Rule, u64> {
        &self.counts
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How often rules were broken that are tolerated.
    #[must_use]
    pub fn tolerated(&self) -> &BTreeMap<Rule, u64> {
        &self.tolerated
    }
}
