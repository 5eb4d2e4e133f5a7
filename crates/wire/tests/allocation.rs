//! Reading allocates nothing: a million messages, from the stream to the key of each route.
//!
//! A test binary of its own, for the allocator that counts is the whole program's. It counts by
//! thread, so the harness beside us does not matter.

use std::hint::black_box;

use allocation_counter::measure;
use wire::bgp::{Action, Dialect, View};
use wire::bgp::{Announce, Route, Withdraw};
use wire::bmp::{Frame, Message, PeerHeader, PeerKind, Tlv, route_monitoring_with};
use wire::{Error, Family, bmp};

const MESSAGES: usize = 1_000_000;
/// Messages of the block that is read again and again.
const BLOCK: usize = 4000;

/// Numbers that look drawn, and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// An hour of a busy router in small: IPv4 and IPv6, announced and withdrawn, VPN routes, EVPN routes
/// that move, and now and then statistics.
fn block() -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut stream = Vec::new();
    let mut buffer = [0; 4096];
    let header = |kind| PeerHeader { kind: PeerKind(kind), ..PeerHeader::default() };
    // ORIGIN, AS_PATH, NEXT_HOP, MED, COMMUNITIES
    let common =
        b"\x40\x01\x01\0\x40\x02\x0e\x02\x03\0\0\xfd\xe9\0\0\xfd\xea\0\0\xfd\xeb\x40\x03\x04\xc0\0\x02\x01\
                   \x80\x04\x04\0\0\0\x64\xc0\x08\x08\xfd\xe9\0\x01\xfd\xe9\0\x02";
    for at in 0..BLOCK {
        if at % 500 == 499 {
            let stats = [Tlv { kind: 7, value: &[0; 8] }, Tlv { kind: 9, value: &[0; 11] }];
            let len = bmp::statistics(&mut buffer, &header(0), &stats).expect("room");
            stream.extend_from_slice(&buffer[..len]);
            continue;
        }
        let family = match numbers.below(10) {
            0..=5 => Family::IPV4_UNICAST,
            6 | 7 => Family::IPV6_UNICAST,
            8 => Family::new(1, 128),
            _ => Family::new(25, 70),
        };
        let address = if family.afi == 1 { 4 } else { 16 };
        let reach: Vec<u8> = if family == Family::IPV4_UNICAST {
            vec![]
        } else {
            let [high, low] = family.afi.to_be_bytes();
            let len = u8::try_from(5 + address).expect("short");
            [&[0x90, 14, 0, len, high, low, family.safi, len - 5][..], &vec![1; address], &[0]].concat()
        };
        let attributes = [&reach[..], common].concat();
        let routes = 1 + numbers.below(10);
        let withdraws = numbers.below(5) == 0;
        let peer = header(if at % 7 == 0 { 3 } else { 0 });
        let len = route_monitoring_with(&mut buffer, &peer, |out| {
            let key = |numbers: &mut Numbers| -> (Vec<u8>, &[u8]) {
                let octets: Vec<u8> =
                    (0..40).map(|_| u8::try_from(numbers.below(256)).expect("an octet")).collect();
                match family.safi {
                    1 => ([&[24][..], &octets[..3]].concat(), &[]),
                    128 => ([&[88][..], &octets[..11]].concat(), &[0, 0, 0x11]),
                    _ => ([&[2, 0][..], &octets[..12], &[48], &octets[..6], &[0]].concat(), &[7; 13]),
                }
            };
            if withdraws {
                let mut withdraw = Withdraw::open(out, family)?;
                for _ in 0..routes {
                    withdraw.push(None, &key(&mut numbers).0)?;
                }
                return Ok(withdraw.close());
            }
            let mut announce = Announce::open(out, family, &attributes)?;
            for _ in 0..routes {
                let (key, payload) = key(&mut numbers);
                announce.push(&Route { path_id: None, key: &key, payload })?;
            }
            Ok(announce.close())
        });
        stream.extend_from_slice(&buffer[..len.expect("room")]);
    }
    stream
}

#[derive(Default)]
struct Read {
    messages: usize,
    routes: usize,
    octets: usize,
}

/// The way of every message: frame, update, parts, routes, keys, payloads, attributes.
fn read(stream: &[u8], messages: usize) -> Result<Read, Error> {
    let dialect = Dialect::default();
    let mut scratch = [0; 4096];
    let mut read = Read::default();
    while read.messages < messages {
        let mut rest = stream;
        while let Some((frame, tail)) = Frame::split(rest)? {
            rest = tail;
            read.messages += 1;
            read.octets += frame.bytes().len();
            let Message::RouteMonitoring(monitoring) = frame.message()? else { continue };
            let view = monitoring.peer.view().unwrap_or(View::AdjRibInPre);
            let update = monitoring.update()?;
            for part in update.parts() {
                if part.action == Action::Announce {
                    black_box(update.block(&part, &mut scratch).expect("room"));
                }
                for route in part.routes(&dialect, view)? {
                    black_box((route.path_id(), &*route.key(), &*route.payload()));
                    read.routes += 1;
                }
            }
            black_box(update.attributes().map(|attribute| attribute.value.len()).sum::<usize>());
        }
    }
    Ok(read)
}

#[test]
fn reading_allocates_nothing() {
    let stream = block();
    read(&stream, 1).expect("a first time, which may warm up what it likes");
    let mut done = Read::default();
    let counted = measure(|| done = read(&stream, MESSAGES).expect("our own messages"));
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "allocations, octets");
    assert!(done.messages >= MESSAGES && done.routes > 4 * MESSAGES, "{} routes", done.routes);
    let mean = done.octets / done.messages;
    assert!((120..=240).contains(&mean), "{mean} octets a message");
    println!("{} messages of {mean} octets, {} routes, no allocation", done.messages, done.routes);
}

/// Errors neither: what is refused is not even a string until somebody asks.
#[test]
fn refusing_allocates_nothing() {
    let stream = block();
    let counted = measure(|| {
        for at in 0..2000 {
            black_box(read(&stream[at..], 1).is_err());
        }
    });
    assert_eq!(counted.count_total, 0);
}

/// The measure measures.
#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(black_box(vec![1_u8; 100])));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100));
}
