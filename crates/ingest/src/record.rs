//! What goes through a lane.

use std::sync::Arc;

use bytes::Bytes;
use queue::ring::Cost;

/// What a source pushes into its lane. The first one says whose lane it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// What follows is of this router, by this connection of it: the highest is the one that counts.
    Of {
        /// Its name.
        router: Arc<str>,
        /// Counted up by whoever accepts connections.
        connection: u64,
    },
    /// What follows came then, in microseconds since 1970: for who measures how long things take.
    Came(u64),
    /// Whole messages, in order.
    Messages(Bytes),
}

impl Cost for Record {
    fn cost(&self) -> usize {
        match self {
            Self::Of { .. } | Self::Came(_) => 1,
            Self::Messages(octets) => octets.len(),
        }
    }
}
