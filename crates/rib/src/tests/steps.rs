//! What happens to the RIB of [`twin`](super::twin): steps at random, and settings that make all forms and
//! limits common.

use std::ops::Range;

use proptest::prelude::*;
use wire::Family;

use super::{EVPN, FLOW, IPV6, VPN};
use crate::{ROOM_MIN, Settings, WALKS_MAX};

pub(super) const COLUMNS: [(Family, bool); 8] = [
    (Family::IPV4_UNICAST, false),
    (Family::IPV4_UNICAST, true),
    (Family::IPV4_UNICAST, false),
    (IPV6, false),
    (VPN, false),
    (VPN, true),
    (EVPN, false),
    (FLOW, false),
];

/// More than can sort at the same time.
pub(super) const SERVERS: usize = WALKS_MAX + 3;

/// Attributes by kind: 0..16 from a small pool, and fresh ones above.
pub(super) type Look = u8;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Announce {
        column: usize,
        routes: Range<u16>,
        stride: u16,
        path: u32,
        look: Look,
        payload: u8,
    },
    Withdraw {
        column: usize,
        routes: Range<u16>,
        stride: u16,
        path: u32,
    },
    /// All of a column, so that a flat one becomes sparse.
    Drain {
        column: usize,
    },
    Tick {
        micros: u64,
    },
    Sweep {
        work: usize,
    },
    /// Closed and opened again; whether the servers in it rest first.
    Reopen {
        column: usize,
        rest: bool,
    },
    /// All stamps but a few are used up, or half of them.
    Age {
        half: bool,
    },
    Serve {
        server: usize,
        calls: usize,
        work: usize,
        room: usize,
    },
    Rest {
        server: usize,
    },
    /// Gone, with all it knew.
    Leave {
        server: usize,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let column = || 0..COLUMNS.len();
    let few = || (0..90_u16, 1..40_u16).prop_map(|(first, count)| first..first + count);
    let many = (0..900_u16, 1..700_u16).prop_map(|(first, count)| first..first + count);
    let routes = prop_oneof![12 => few(), 1 => many];
    let path = 0..3_u32;
    let work = prop::sample::select(vec![0, 1, 5, 30, 200, 5000, usize::MAX]);
    let room = prop::sample::select(vec![0, 4200, 4400, 6000, 70_000, ROOM_MIN, ROOM_MIN]);
    prop_oneof![
        12 => (column(), routes, 1..4_u16, path.clone(), any::<(Look, u8)>()).prop_map(
            |(column, routes, stride, path, (look, payload))| {
                Step::Announce { column, routes, stride, path, look: look % 24, payload: payload % 3 }
            }
        ),
        8 => (column(), few(), 1..4_u16, path)
            .prop_map(|(column, routes, stride, path)| Step::Withdraw { column, routes, stride, path }),
        1 => column().prop_map(|column| Step::Drain { column }),
        4 => (0..3_000_000_u64).prop_map(|micros| Step::Tick { micros }),
        4 => prop::sample::select(vec![0, 1, 3, 10, 300, 1 << 20]).prop_map(|work| Step::Sweep { work }),
        1 => (column(), any::<bool>()).prop_map(|(column, rest)| Step::Reopen { column, rest }),
        1 => any::<bool>().prop_map(|half| Step::Age { half }),
        24 => (0..SERVERS, 1..12_usize, work, room)
            .prop_map(|(server, calls, work, room)| Step::Serve { server, calls, work, room }),
        2 => (0..SERVERS).prop_map(|server| Step::Rest { server }),
        1 => (0..SERVERS).prop_map(|server| Step::Leave { server }),
    ]
}

pub(super) fn settings() -> impl Strategy<Value = Settings> {
    let tombstones_max = prop::sample::select(vec![5, 60, 1 << 24, 1 << 24]);
    let paths_max = prop::sample::select(vec![150, 1 << 30, 1 << 30, 1 << 30]);
    (4..16_usize, 2..8_usize, any::<bool>(), tombstones_max, paths_max, any::<u64>()).prop_map(
        |(flat_min, sorted_max, sort_more, tombstones_max, paths_max, seed)| Settings {
            flat_min,
            sorted_max: if sort_more { sorted_max * 100 } else { sorted_max },
            tombstones_max,
            paths_max,
            seed,
        },
    )
}
