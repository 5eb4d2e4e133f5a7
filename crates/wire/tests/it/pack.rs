//! Packing: blocks out of UPDATEs, and routes into as few UPDATEs as hold them.
//!
//! ```text
//!  an UPDATE by hand ──block──► block ─┐
//!  routes drawn ───────────────────────┴─ open, push … refused, close ──► UPDATE, UPDATE, …
//! ```
//!
//! * **whole**  every UPDATE is read again: the same block, and in a row the same routes.
//! * **full**   no route that stands first in an UPDATE would have fitted into the one before.

use wire::bgp::{Action, Announce, Dialect, Part, Pdu, Route, Update, View, Withdraw};
use wire::nlri::PathId;
use wire::{Family, bmp};

use crate::entries::{FAMILIES, entry};
use crate::entropy::{Entropy, prove};
use crate::facts::into_a5;
use crate::hand::{attribute, mp_reach, mp_unreach, peer, route_monitoring, unhex, update};
use crate::twin::{self, Twin};

const CASES: u32 = 96;
const WORDS: usize = 300;
const VIEW: View = View::AdjRibInPre;

fn parse(octets: &[u8]) -> Update<'_> {
    let (pdu, rest) = Pdu::split_whole(octets).expect("a PDU");
    assert_eq!(rest.len(), 0);
    Update::parse(pdu).expect("an UPDATE")
}

fn only_part<'a>(update: &Update<'a>) -> Part<'a> {
    let parts: Vec<_> = update.parts().collect();
    let [part] = parts[..] else { panic!("{} parts", parts.len()) };
    part
}

/// Attributes of any kind but the two that carry routes.
fn attributes(entropy: &mut Entropy<'_>) -> Vec<Vec<u8>> {
    let one = |entropy: &mut Entropy<'_>| {
        let kind = entropy.pick(&[1, 2, 3, 4, 5, 8, 16, 32, 40, 99, 254]);
        let flags = entropy.pick(&[0x40, 0x50, 0x80, 0x90, 0xc0, 0xd0, 0xe0, 0x5f]);
        let len = entropy.pick(&[0, 1, 4, 12, 40, 255]);
        attribute(flags, kind, &entropy.octets(len))
    };
    (0..entropy.below(6)).map(|_| one(entropy)).collect()
}

fn next_hop(entropy: &mut Entropy<'_>) -> Vec<u8> {
    let len = entropy.pick(&[4, 0, 12, 16, 24, 32, 48, 5, 255]);
    entropy.octets(len)
}

/// What a block looks like: MP_REACH up to where NLRI begin, then all others as they came.
fn block_by_hand(family: (u16, u8), multiprotocol: bool, next_hop: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let reach = if multiprotocol { mp_reach(0x90, family, next_hop, &[]) } else { vec![] };
    [reach, others.concat()].concat()
}

/// A block drawn: it passes through an UPDATE that has MP_REACH anywhere, perhaps routes of its own,
/// perhaps an MP_UNREACH; [`Update::block`] must find it.
fn block(family: (u16, u8), entropy: &mut Entropy<'_>) -> Vec<u8> {
    let others = attributes(entropy);
    let next_hop = next_hop(entropy);
    let multiprotocol = family != (1, 1) || entropy.rarely(3);
    let mut all = others.clone();
    if multiprotocol {
        let nlri = entropy.pick(&[0, 3, 300]);
        let extended = if nlri + next_hop.len() > 200 { 0x90 } else { entropy.pick(&[0x80, 0x90]) };
        let flags = extended | entropy.pick(&[0, 0x40, 0x20]);
        let reach = mp_reach(flags, family, &next_hop, &entropy.octets(nlri));
        all.insert(entropy.below(all.len() + 1), reach);
    }
    if entropy.rarely(3) {
        let flags = entropy.pick(&[0x80, 0x90]);
        all.insert(entropy.below(all.len() + 1), mp_unreach(flags, (2, 1), &entropy.octets(2)));
    }
    let octets = update(&[], &all.concat(), if multiprotocol { &[] } else { &[0x18, 1, 2, 3] });
    let update = parse(&octets);
    let part = update.parts().find(|part| part.action == Action::Announce).expect("an announcement");
    assert_eq!(part.multiprotocol, multiprotocol);
    let mut scratch = vec![0xa5; octets.len()]; // "always enough"
    let block = update.block(&part, &mut scratch).expect("room");
    let borrowed = octets.as_ptr_range().contains(&block.as_ptr());
    let untouched = all.len() == others.len();
    assert!(borrowed == untouched || block.is_empty(), "borrowed {borrowed}, untouched {untouched}");
    assert_eq!(block, block_by_hand(family, multiprotocol, &next_hop, &others), "{}", unhex(&octets));
    block.to_vec()
}

/// Routes drawn, as the twin keys them.
fn routes(family: (u16, u8), entropy: &mut Entropy<'_>, add_path: bool, stack: bool) -> Vec<Twin> {
    let kinds = 1 + entropy.below(12);
    let drawn: Vec<Vec<u8>> = (0..kinds).map(|_| entry(family, entropy, stack).wire()).collect();
    // A few of them many times over fill an UPDATE as well as many would.
    let count = entropy.pick(&[kinds, kinds, 100, 400]);
    let mut field = Vec::new();
    for at in 0..count {
        if add_path {
            field.extend(u32::try_from(at).expect("few").to_be_bytes());
        }
        field.extend(&drawn[at % kinds]);
    }
    let mut routes = twin::read(family, add_path, stack, &field).expect("a field that was drawn");
    routes.iter_mut().for_each(|route| route.bytes.clear()); // host bits may come back as zeros
    routes
}

/// Limits: the two of BGP, and one that holds hardly anything beside what it must.
fn limit(entropy: &mut Entropy<'_>, fixed: usize, longest: usize) -> usize {
    let least = fixed + longest + 4;
    let small = least + entropy.below(80);
    let limit = entropy.pick(&[4096, small, 65535, small | 1]);
    limit.max(least).min(65535)
}

fn dialect(family: (u16, u8), add_path: bool, stack: bool) -> Dialect {
    let of = |yes: bool| yes.then_some(Family::new(family.0, family.1)).into_iter().collect();
    Dialect { add_path_in: of(add_path), label_stack: of(stack), ..Dialect::default() }
}

/// The routes of a part, and their sizes with path ids.
fn read(family: (u16, u8), part: &Part<'_>, dialect: &Dialect) -> Vec<(Twin, usize)> {
    assert_eq!(part.family, Family::new(family.0, family.1));
    let routes = part.routes(dialect, VIEW).expect("routes");
    let each = routes.map(|entry| {
        let size = entry.bytes().len() + entry.path_id().map_or(0, |_| 4);
        let path_id = entry.path_id().map(|id| id.0);
        let (key, payload) = (entry.key().to_vec(), entry.payload().to_vec());
        (Twin { path_id, bytes: vec![], key, payload, clean: true }, size)
    });
    each.collect()
}

fn same(got: &[(Twin, usize)], want: &[Twin], payloads: bool) {
    assert_eq!(got.len(), want.len());
    for ((got, _), want) in got.iter().zip(want) {
        assert_eq!((got.path_id, &got.key), (want.path_id, &want.key));
        assert!(!payloads || got.payload == want.payload, "{got:?} {want:?}");
    }
}

/// No UPDATE but the last has room for the route that the next one begins with.
fn full(updates: &[Vec<u8>], firsts: &[usize], limit: usize) {
    for (at, update) in updates.iter().enumerate() {
        assert!(update.len() <= limit, "{} octets, at most {limit}", update.len());
        if let Some(first) = firsts.get(at + 1) {
            assert!(update.len() + first > limit, "room for {first} octets in {} of {limit}", update.len());
        }
    }
}

/// UPDATEs of at most `limit` octets with all of these routes: `one` writes as many as fit, and says how
/// many those are and how many octets they take. What it refused goes into the next one.
fn packed(
    limit: usize,
    mut routes: &[Twin],
    one: impl Fn(&mut [u8], &[Twin]) -> (usize, usize),
) -> Vec<Vec<u8>> {
    let mut buffer = vec![0xa5; limit];
    let mut updates = Vec::new();
    while !routes.is_empty() {
        let (took, len) = one(&mut buffer, routes);
        assert!(took > 0, "no room for one route in {limit}");
        updates.push(buffer[..len].to_vec());
        routes = &routes[took..];
    }
    updates
}

/// How many of the routes `push` takes, which is told each of them and how many there are with it.
fn taken(routes: &[Twin], mut push: impl FnMut(&Twin, usize) -> bool) -> usize {
    let mut took = 0;
    while routes.get(took).is_some_and(|route| push(route, took + 1)) {
        took += 1;
    }
    took
}

/// Reads UPDATEs again: they hold these routes, and none of them has room for the first of the next.
fn reread(
    (family, dialect): ((u16, u8), &Dialect),
    (updates, limit): (&[Vec<u8>], usize),
    (routes, payloads): (&[Twin], bool),
    check: impl Fn(&Update<'_>, &Part<'_>, &[u8]),
) {
    let (mut got, mut firsts) = (Vec::new(), Vec::new());
    for octets in updates {
        let update = parse(octets);
        let part = only_part(&update);
        check(&update, &part, octets);
        let routes = read(family, &part, dialect);
        firsts.push(routes[0].1);
        got.extend(routes);
    }
    same(&got, routes, payloads);
    full(updates, &firsts, limit);
}

#[test]
fn announcements() {
    for family in FAMILIES {
        let known = Family::new(family.0, family.1);
        prove(CASES, WORDS, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let block = block(family, entropy);
            let routes = routes(family, entropy, add_path, stack);
            let longest =
                routes.iter().map(|route| route.key.len() + route.payload.len() + 4).max().unwrap_or(0);
            let limit = limit(entropy, 23 + block.len() + 1, longest);
            let updates = packed(limit, &routes, |buffer, routes| {
                let mut announce = Announce::open(buffer, known, &block).expect("room for the block");
                let took = taken(routes, |Twin { path_id, key, payload, .. }, count| {
                    let pushed = announce.push(&Route { path_id: path_id.map(PathId), key, payload }).is_ok();
                    assert!(!pushed || announce.routes() == count);
                    pushed
                });
                (took, announce.close())
            });
            let dialect = dialect(family, add_path, stack);
            reread((family, &dialect), (&updates, limit), (&routes, true), |update, part, octets| {
                assert_eq!(part.action, Action::Announce);
                if part.multiprotocol {
                    assert_eq!(octets[23 + 1], 14, "MP_REACH comes first");
                }
                let mut scratch = vec![0; octets.len()];
                assert_eq!(update.block(part, &mut scratch).expect("room"), block);
            });
        });
    }
}

#[test]
fn withdrawals() {
    for family in FAMILIES {
        let known = Family::new(family.0, family.1);
        prove(CASES, WORDS, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let routes = routes(family, entropy, add_path, stack);
            // ESI, gateway, label, endpoint: zeros for what a payload may have been.
            let longest = routes.iter().map(|route| route.key.len() + 4 + 32).max().unwrap_or(0);
            let limit = limit(entropy, 30, longest);
            let updates = packed(limit, &routes, |buffer, routes| {
                let mut withdraw = Withdraw::open(buffer, known).expect("room for an empty one");
                let took = taken(routes, |Twin { path_id, key, .. }, count| {
                    let pushed = withdraw.push(path_id.map(PathId), key).is_ok();
                    assert!(!pushed || withdraw.routes() == count);
                    pushed
                });
                (took, withdraw.close())
            });
            let dialect = dialect(family, add_path, stack);
            reread((family, &dialect), (&updates, limit), (&routes, false), |update, part, _| {
                assert_eq!((part.action, update.end_of_rib()), (Action::Withdraw, None));
            });
        });
    }
}

/// Nothing withdrawn ends the dump of a family, in the long form or the plain one.
#[test]
fn empty_withdrawals() {
    for family in Family::known().chain([Family::new(9, 9)]) {
        let octets = into_a5(|out| Withdraw::open(out, family).map(Withdraw::close));
        assert_eq!(parse(&octets).end_of_rib(), Some(family));
        assert_eq!(octets.len(), if family == Family::IPV4_UNICAST { 23 } else { 30 });
    }
}

/// A block that has no routes is an UPDATE all the same, and what does not fit is refused at once.
#[test]
fn blocks_alone() {
    for family in FAMILIES {
        let known = Family::new(family.0, family.1);
        prove(32, WORDS, |entropy| {
            let block = block(family, entropy);
            let multiprotocol = block.get(1) == Some(&14);
            let octets = into_a5(|out| Announce::open(out, known, &block).map(Announce::close));
            assert_eq!(octets, update(&[], &block, &[]));
            assert_eq!(parse(&octets).parts().count(), usize::from(multiprotocol));
            for room in 0..octets.len() {
                assert!(
                    Announce::open(&mut vec![0; room], known, &block).is_err(),
                    "{room} of {}",
                    octets.len()
                );
            }
        });
        for room in 0..if family == (1, 1) { 23 } else { 30 } {
            assert!(Withdraw::open(&mut vec![0; room], known).is_err(), "{family:?} {room}");
        }
    }
}

/// A buffer beyond what BGP can say is used as far as it can: 65535 octets.
#[test]
fn no_message_is_longer_than_its_length_can_say() {
    for family in [(1, 1), (2, 1)] {
        let known = Family::new(family.0, family.1);
        let next_hop = if family == (1, 1) { vec![] } else { vec![1; 16] };
        let block = block_by_hand(family, family != (1, 1), &next_hop, &[attribute(0x40, 1, &[0])]);
        let key = [&[32][..], &[7; 4]].concat();
        let mut buffer = vec![0xa5; 100_000];
        let mut announce = Announce::open(&mut buffer, known, &block).expect("room");
        while announce.push(&Route { path_id: None, key: &key, payload: &[] }).is_ok() {}
        let len = announce.close();
        assert!((65531..=65535).contains(&len), "{len}");
        assert_eq!(parse(&buffer[..len]).parts().count(), 1);
        let mut withdraw = Withdraw::open(&mut buffer, known).expect("room");
        while withdraw.push(None, &key).is_ok() {}
        let len = withdraw.close();
        assert!((65531..=65535).contains(&len), "{len}");
        assert_eq!(parse(&buffer[..len]).parts().count(), 1);
    }
}

/// A PDU written where it belongs is the PDU copied there.
#[test]
fn route_monitoring_around_a_pdu() {
    let peers = [peer(0, 0), peer(1, 0xd0), peer(3, 0x80)];
    for (family, peer) in FAMILIES.into_iter().flat_map(|family| peers.iter().map(move |peer| (family, peer)))
    {
        prove(4, WORDS, |entropy| {
            let block = block(family, entropy);
            let known = Family::new(family.0, family.1);
            let pdu = into_a5(|out| Announce::open(out, known, &block).map(Announce::close));
            let by_hand = [&route_monitoring(&pdu)[..6], peer, &pdu].concat();
            let frame = crate::facts::frame(&by_hand);
            let header = frame.peer().expect("a header");
            assert_eq!(into_a5(|out| bmp::route_monitoring(out, header, &pdu, &[])), by_hand);
            let write = |out: &mut [u8]| Announce::open(out, known, &block).map(Announce::close);
            assert_eq!(into_a5(|out| bmp::route_monitoring_with(out, header, write)), by_hand);
            for room in 0..by_hand.len() {
                assert!(bmp::route_monitoring(&mut vec![0; room], header, &pdu, &[]).is_err());
                assert!(bmp::route_monitoring_with(&mut vec![0; room], header, write).is_err());
            }
        });
    }
}
