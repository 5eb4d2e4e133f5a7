//! Each refusal and each limit by itself.

use std::collections::BTreeSet;

use super::{Bench, EVPN, FLOW, block, header, said};
use crate::attributes::FIELD_MAX;
use crate::column::{Before, Column};
use crate::{
    Applied, Count, Cursor, Epoch, ROOM_MIN, Rib, Settings, Shared, Time, Unframed, WALKS_MAX, Walked,
};
use wire::bgp::MESSAGE_MAX;
use wire::{Family, nlri};

const PLAIN: Family = Family::IPV4_UNICAST;
const ALL: usize = usize::MAX;

fn shared(block: &[u8]) -> Shared<'_> {
    Shared { block, trailing: &[], two_octet_as: false }
}

#[test]
fn a_family_without_framing_has_no_column() {
    let family = Family::new(9, 9);
    let refused = Rib::new(Settings::default()).open(family, false);
    assert_eq!(refused, Err(Unframed(family)));
    assert_eq!(
        Unframed(family).to_string(),
        "routes of afi-9-safi-9 cannot be told apart, so there is no table of them"
    );
}

#[test]
fn paths_and_tombstones_have_their_number() {
    let mut bench = Bench::new(Settings { paths_max: 10, ..Settings::default() });
    let id = bench.rib.open(PLAIN, false).expect("known");
    let block = block(PLAIN, 1, 0);
    // changed, same, refused
    assert_eq!(bench.announce(id, 0..12, &shared(&block)), [10, 0, 2]);
    assert_eq!(
        bench.rib.count(),
        Count { paths: 10, tombstones: 0, prefixes: 10, attributes: 1, columns: 1 }
    );
    let other = super::block(PLAIN, 2, 0);
    assert_eq!(bench.announce(id, 0..12, &shared(&other)), [10, 0, 2], "what is there may change");
    assert_eq!(bench.withdraw(id, 0..3), [3, 0, 0]);
    assert_eq!(bench.announce(id, 9..12, &shared(&other)), [0, 1, 2], "a tombstone has its place");
    assert_eq!(bench.announce(id, 0..1, &shared(&other)), [1, 0, 0], "and gives it to its own path");
    bench.rib.sweep_all(Epoch(u64::MAX));
    assert_eq!(bench.announce(id, 10..13, &shared(&other)), [2, 0, 1]);
    bench.rib.close(id);
    let id = bench.rib.open(PLAIN, false).expect("known");
    assert_eq!(bench.announce(id, 0..1, &shared(&other)), [0, 0, 1], "closed, not cleared");
    bench.rib.sweep_all(Epoch(u64::MAX));
    assert_eq!(bench.announce(id, 0..1, &shared(&other)), [1, 0, 0]);
    assert_eq!(bench.rib.count(), Count { paths: 1, tombstones: 0, prefixes: 1, attributes: 1, columns: 1 });
}

#[test]
fn fields_have_their_length() {
    let rows = [
        (FIELD_MAX, FIELD_MAX, [1, 0, 0]),
        (FIELD_MAX + 1, 0, [0, 0, 1]),
        (10, FIELD_MAX, [1, 0, 0]),
        (10, FIELD_MAX + 1, [0, 0, 1]),
    ];
    for (head, tail, want) in rows {
        let mut bench = Bench::new(Settings::default());
        let id = bench.rib.open(PLAIN, false).expect("known");
        let shared = Shared { block: &vec![0; head], trailing: &vec![0; tail], two_octet_as: false };
        assert_eq!(bench.announce(id, 0..1, &shared), want, "{head} and {tail} octets");
        let count = want[0];
        let Count { paths, prefixes, attributes, .. } = bench.rib.count();
        assert_eq!([paths, prefixes, attributes], [count; 3], "{head} and {tail} octets");
    }
}

/// Ids that have run out refuse what is new, keep what is there and lose no memory over it.
#[test]
fn ids_run_out() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.rib.open(FLOW, false).expect("known");
    let [one, two] = [1, 2].map(|id| block(FLOW, id, 0));
    assert_eq!(bench.announce(id, 0..3, &shared(&one)), [3, 0, 0]);
    bench.rib.attributes.run_out();
    crate::table(&mut bench.rib.prefixes, FLOW).run_out();
    let memory = bench.rib.memory();
    for _ in 0..2000 {
        assert_eq!(bench.announce(id, 0..4, &shared(&one)), [0, 3, 1]);
        assert_eq!(bench.announce(id, 0..1, &shared(&block(FLOW, 3, 2000))), [0, 0, 1]);
    }
    assert_eq!(bench.rib.memory(), memory);
    assert_eq!(bench.withdraw(id, 0..3), [3, 0, 0]);
    bench.rib.sweep_all(Epoch(u64::MAX));
    assert_eq!(bench.announce(id, 4..8, &shared(&two)), [3, 0, 1], "ids that were given back");
}

#[test]
#[should_panic(expected = "routes of the column's family")]
fn routes_of_another_family_are_a_bug() {
    let mut rib = Rib::new(Settings::default());
    let id = rib.open(EVPN, false).expect("known");
    let routes = nlri::Routes::check(PLAIN, nlri::Reading::default(), &[0]).expect("a route");
    rib.announce(id, routes, &shared(&[]));
}

#[test]
#[should_panic(expected = "path ids as the column has them")]
fn path_ids_of_a_column_without_are_a_bug() {
    let mut rib = Rib::new(Settings::default());
    let id = rib.open(PLAIN, false).expect("known");
    let reading = nlri::Reading { add_path: true, ..nlri::Reading::default() };
    let routes = nlri::Routes::check(PLAIN, reading, &[0, 0, 0, 1, 0]).expect("a route");
    rib.announce(id, routes, &shared(&[]));
}

/// Too many tombstones: those still owed go as well, and who was owed them hears so.
#[test]
fn lost_words_are_owned_up_to() {
    let mut bench = Bench::new(Settings { tombstones_max: 3, ..Settings::default() });
    let id = bench.rib.open(PLAIN, false).expect("known");
    let quiet = bench.rib.open(PLAIN, false).expect("known");
    let block = block(PLAIN, 1, 0);
    bench.announce(id, 0..20, &shared(&block));
    let old = bench.rib.tick(Time(1));
    bench.withdraw(id, 0..3);
    let stands = bench.rib.tick(Time(2));
    bench.rib.sweep_all(old);
    assert_eq!(bench.rib.count().tombstones, 3, "as many as there may be");
    assert!(bench.rib.can_tell(id, old));
    bench.withdraw(id, 3..6);
    let now = bench.rib.tick(Time(3));
    bench.rib.sweep_all(old);
    assert_eq!(
        bench.rib.count(),
        Count { paths: 14, tombstones: 3, prefixes: 17, attributes: 1, columns: 2 },
        "the oldest are gone, and no more than that"
    );
    for (since, tells) in [(Epoch::NOTHING, true), (old, false), (stands, true), (now, true)] {
        assert_eq!(bench.rib.can_tell(id, since), tells, "{since:?}");
        assert!(bench.rib.can_tell(quiet, since), "another column has lost nothing");
    }
}

/// A block that leaves no room for a route in a common message, and one that leaves none in any.
#[test]
fn long_blocks_take_long_messages_and_longer_ones_none() {
    let rows = [
        // octets of the block, routes, (messages, routes told, unsendable), the longest PDU
        (3000, 20, (1, 20, 0), 3000..MESSAGE_MAX + 1),
        (4096 - 23 - 4, 5, (5, 5, 0), MESSAGE_MAX..MESSAGE_MAX + 1),
        (4096 - 23 - 3, 5, (1, 5, 0), MESSAGE_MAX + 1..MESSAGE_MAX + 100),
        (5000, 20, (1, 20, 0), 5000..6000),
        (65_535 - 23 - 4, 3, (3, 3, 0), 65_535..65_536),
        (65_535 - 23 - 3, 3, (0, 0, 3), 0..1),
        (65_535, 3, (0, 0, 3), 0..1),
    ];
    for (len, routes, want, pdu_len) in rows {
        let mut bench = Bench::new(Settings::default());
        let id = bench.rib.open(PLAIN, false).expect("known");
        let spare = block(PLAIN, 1, 1).len() - 1;
        let block = block(PLAIN, 1, len - spare);
        assert_eq!(block.len(), len);
        let small = super::block(PLAIN, 2, 0);
        bench.announce(id, 0..routes, &shared(&block));
        bench.announce(id, 100..110, &shared(&small));
        let (mut cursor, mut sum, mut longest) = (Cursor::default(), (0, 0, 0), 0);
        let mut work = 1000;
        loop {
            let told =
                bench.rib.walk(id, Epoch::NOTHING, &mut cursor, &header(), &mut bench.buffer, &mut work);
            sum = (sum.0 + told.messages, sum.1 + told.routes, sum.2 + told.unsendable);
            for message in said(&bench.buffer[..told.len], PLAIN, false) {
                longest = longest.max(if message.routes[0].1.as_ref().is_some_and(|v| v.block == block) {
                    message.pdu_len
                } else {
                    0
                });
            }
            match told.walked {
                Walked::All => break,
                walked => assert_eq!((walked, told.len > 0), (Walked::Full, true)),
            }
        }
        assert_eq!(sum, (want.0 + 1, want.1 + 10, want.2), "{len}: and the others are told all the same");
        assert!(pdu_len.contains(&longest), "{len}: {longest}");
        let keys = usize::from(routes) + 10;
        let found_and_sorted = 4 + keys / 16 + keys / 4;
        assert_eq!(1000 - work, keys + found_and_sorted, "{len}: what cannot be sent is work as well");
    }
}

/// An unsendable route among keys that do not stand any more is counted once.
#[test]
fn unsendable_routes_are_counted_once() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.rib.open(PLAIN, false).expect("known");
    let block = block(PLAIN, 1, 65_500);
    bench.announce(id, 0..8, &shared(&block));
    let mut cursor = Cursor::default();
    assert_eq!(bench.walk(id, Epoch::NOTHING, &mut cursor, 1).0.walked, Walked::Spent);
    bench.withdraw(id, 0..5);
    let (told, _) = bench.walk(id, Epoch::NOTHING, &mut cursor, ALL);
    assert_eq!((told.messages, told.unsendable, told.walked), (0, 3, Walked::All));
}

#[test]
fn only_so_many_sort_at_once() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.rib.open(PLAIN, false).expect("known");
    bench.announce(id, 0..20, &shared(&block(PLAIN, 1, 0)));
    let mut cursors = [Cursor::default(); WALKS_MAX + 1];
    for (at, cursor) in cursors.iter_mut().enumerate() {
        let want = if at < WALKS_MAX { Walked::Spent } else { Walked::Waiting };
        // Five to find them, five to sort them, one to tell one.
        assert_eq!(bench.walk(id, Epoch::NOTHING, cursor, 11).0.walked, want);
    }
    let [first, .., last] = &mut cursors;
    let mut copy = *first;
    bench.rib.rest(first);
    assert_eq!(bench.walk(id, Epoch::NOTHING, last, 5).0.walked, Walked::Spent);
    assert_eq!(
        bench.walk(id, Epoch::NOTHING, &mut copy, 5).0.walked,
        Walked::Waiting,
        "a lease that has ended"
    );
    bench.rib.rest(&mut copy);
    assert_eq!(bench.walk(id, Epoch::NOTHING, first, 5).0.walked, Walked::Waiting, "and gives back nothing");
    assert_eq!(bench.walk(id, Epoch::NOTHING, last, ALL).0.walked, Walked::All);
    let (told, _) = bench.walk(id, Epoch::NOTHING, first, ALL);
    assert_eq!((told.routes, told.walked), (19, Walked::All), "one was told in the beginning");
    // All others are in the midst of it: the column goes, and what they had is free.
    bench.rib.close(id);
    let id = bench.rib.open(PLAIN, false).expect("known");
    bench.announce(id, 0..20, &shared(&block(PLAIN, 1, 0)));
    for cursor in &mut [Cursor::default(); WALKS_MAX] {
        assert_eq!(bench.walk(id, Epoch::NOTHING, cursor, 5).0.walked, Walked::Spent);
    }
}

#[test]
fn no_work_and_no_room() {
    let mut bench = Bench::new(Settings { sorted_max: 0, ..Settings::default() });
    let id = bench.rib.open(PLAIN, false).expect("known");
    let mut cursor = Cursor::default();
    assert_eq!(bench.walk(id, Epoch::NOTHING, &mut cursor, 0).0.walked, Walked::All, "nothing to be told");
    bench.announce(id, 0..20, &shared(&block(PLAIN, 1, 0)));
    assert_eq!(bench.walk(id, Epoch::NOTHING, &mut cursor, 0).0.walked, Walked::Spent);
    let mut work = ALL;
    for room in [0, 1, 100, 48 + MESSAGE_MAX - 1] {
        let buffer = &mut bench.buffer[..room];
        let told = bench.rib.walk(id, Epoch::NOTHING, &mut cursor, &header(), buffer, &mut work);
        assert_eq!((told.len, told.walked), (0, Walked::Full), "{room} octets");
    }
    assert_eq!(bench.buffer.len(), ROOM_MIN);
    let (told, _) = bench.walk(id, Epoch::NOTHING, &mut cursor, ALL);
    assert_eq!((told.routes, told.walked), (20, Walked::All), "one at a time");
    assert_eq!(cursor, Cursor::default(), "and it can begin another");
}

/// The first round begins before there is anything: it ends at an epoch that is not nothing, so that what
/// it told and is gone by now is withdrawn.
#[test]
fn who_was_told_before_the_first_change_is_told_the_next() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.rib.open(PLAIN, false).expect("known");
    let began = bench.rib.tick(Time(1));
    bench.announce(id, 0..1, &shared(&block(PLAIN, 1, 0)));
    let (_, messages) = bench.walk(id, Epoch::NOTHING, &mut Cursor::default(), ALL);
    assert!(messages[0].routes[0].1.is_some());
    bench.withdraw(id, 0..1);
    let (_, messages) = bench.walk(id, began, &mut Cursor::default(), ALL);
    assert!(messages[0].routes[0].1.is_none(), "the withdrawal");
}

/// A flat column that begins behind the first of its pieces.
#[test]
fn a_flat_column_may_lack_its_first_piece() {
    let mut bench = Bench::new(Settings { flat_min: 4, ..Settings::default() });
    let [low, high] = [(); 2].map(|()| bench.rib.open(PLAIN, false).expect("known"));
    let block = block(PLAIN, 1, 0);
    bench.announce(low, 0..5000, &shared(&block));
    bench.announce(high, 5000..12_000, &shared(&block));
    assert_eq!(bench.withdraw(high, 10..20), [0, 10, 0], "where there is no piece");
    let (mut cursor, mut routes) = (Cursor::default(), 0);
    loop {
        let (told, messages) = bench.walk(high, Epoch::NOTHING, &mut cursor, ALL);
        routes += messages.iter().map(|message| message.routes.len()).sum::<usize>();
        if told.walked == Walked::All {
            break;
        }
    }
    assert_eq!(routes, 7000);
    assert_eq!(bench.announce(high, 10..20, &shared(&block)), [10, 0, 0], "and where there is one now");
    assert_eq!(bench.rib.paths(high), 7010);
}

/// Among so many paths some have one hash in all of its 32 bits, and are told apart all the same.
#[test]
fn paths_whose_hashes_clash_are_two() {
    let mut column = Column::new();
    let paths = || (0..200_000_u32).map(|n| (1 + n % 977, n.wrapping_mul(n | 1).rotate_left(7) ^ n));
    let all: BTreeSet<_> = paths().collect();
    for &path in &all {
        assert!(matches!(column.set(7, path, path.0, 1), Before::Nothing), "{path:?} is new");
    }
    assert_eq!(column.live, all.len());
    for &(prefix, path) in &all {
        let slot = column.find(7, prefix, path).expect("what was set");
        assert_eq!((column.get(slot).prefix, column.get(slot).path), (prefix, path));
    }
}

/// The flag of a message is that of its attributes, whatever the header that was given has.
#[test]
fn as_numbers_are_as_wide_as_the_flag_says() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.rib.open(PLAIN, false).expect("known");
    let block = block(PLAIN, 1, 0);
    for (n, two_octet_as) in [(0, false), (1, true)] {
        bench.announce(id, n..n + 1, &Shared { block: &block, trailing: &[], two_octet_as });
    }
    assert_eq!(bench.rib.count().attributes, 2, "not the same, though octet for octet");
    for given in [0, wire::bmp::PeerFlags::TWO_OCTET_AS] {
        let mut header = header();
        header.flags.0 |= given;
        let mut work = ALL;
        let mut cursor = Cursor::default();
        let told = bench.rib.walk(id, Epoch::NOTHING, &mut cursor, &header, &mut bench.buffer, &mut work);
        let said = said(&bench.buffer[..told.len], PLAIN, false);
        for (n, two_octet_as) in [(0, false), (1, true)] {
            let key = (super::route(PLAIN, n, 0).0, 0);
            let route = said.iter().flat_map(|message| &message.routes).find(|route| route.0 == key);
            let value = route.and_then(|route| route.1.as_ref()).expect("told");
            assert_eq!(value.two_octet_as, two_octet_as);
        }
    }
}

#[test]
fn nothing_applied_is_nothing() {
    let mut rib = Rib::new(Settings::default());
    let id = rib.open(PLAIN, false).expect("known");
    let none = || nlri::Routes::check(PLAIN, nlri::Reading::default(), &[]).expect("no routes");
    assert_eq!(rib.announce(id, none(), &shared(&block(PLAIN, 1, 0))), Applied::default());
    assert_eq!(rib.withdraw(id, none()), Applied::default());
    assert_eq!(rib.count(), Count { columns: 1, ..Count::default() });
}

/// What is expected and does not come, comes otherwise, or has no column any more: nothing changes.
#[test]
fn expecting_changes_nothing() {
    let mut bench = Bench::new(Settings { flat_min: 4, ..Settings::default() });
    for (family, add_path) in [(PLAIN, false), (PLAIN, true), (FLOW, false), (EVPN, false)] {
        let id = bench.rib.open(family, add_path).expect("known");
        let (ours, other) = (block(family, 1, 0), block(family, 2, 0));
        bench.announce(id, 0..40, &shared(&ours));
        bench.withdraw(id, 30..40);
        let before = bench.rib.count();
        let fields: Vec<_> = (0..60)
            .map(|n| {
                let (key, payload) = super::route(family, n, 1);
                super::field(family, &[((key, 7), Some(payload))], add_path)
            })
            .collect();
        let mut room = true;
        for field in fields.iter().cycle().take(1000) {
            let more = bench.rib.expect(id, super::read(family, field, add_path), Some(&shared(&other)));
            assert!(room || !more, "there is no room again before it was looked at");
            room = more;
        }
        assert!(!room, "1000 are too many");
        bench.rib.look_ahead();
        assert_eq!(bench.rib.count(), before);
        assert_eq!(bench.announce(id, 0..10, &shared(&ours)), [0, 10, 0], "not as expected");
        // Half of it expected, and then the column is another one.
        bench.rib.expect(id, super::read(family, &fields[0], add_path), None);
        bench.rib.close(id);
        let again = bench.rib.open(EVPN, false).expect("known");
        assert_eq!(again, id, "used again");
        bench.rib.look_ahead();
        bench.rib.close(id);
        bench.rib.sweep_all(Epoch(u64::MAX));
        assert_eq!(bench.rib.count(), Count::default());
    }
}
