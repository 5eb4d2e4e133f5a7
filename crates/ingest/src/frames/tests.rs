use std::collections::BTreeMap;

use ::tests::Rng;
use ::tests::stream::{bmp, control, every_family};

use super::*;

/// What a stream amounts to, found without haste: messages by whose they are, and all whole octets in order.
#[derive(Default, PartialEq, Eq)]
struct Twin {
    by_peer: BTreeMap<Option<PeerIdentity>, Vec<u8>>,
    whole: Vec<u8>,
    messages: usize,
}

impl Twin {
    fn of(stream: &[u8]) -> Self {
        let mut twin = Self::default();
        let mut at = 0;
        while let Some(&[version, a, b, c, d, kind]) = stream[at..].first_chunk() {
            let len = u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(message) = stream.get(at..at + len) else { break };
            assert_eq!(version, 3, "at {at}");
            let peer = matches!(kind, 0..=3 | 6).then(|| PeerIdentity {
                kind: wire::bmp::PeerKind(message[6]),
                distinguisher: message[8..16].try_into().unwrap(),
                address: message[16..32].try_into().unwrap(),
            });
            twin.take(peer, message, 1);
            at += len;
        }
        twin
    }

    fn take(&mut self, peer: Option<PeerIdentity>, octets: &[u8], messages: usize) {
        self.by_peer.entry(peer).or_default().extend_from_slice(octets);
        self.whole.extend_from_slice(octets);
        self.messages += messages;
    }
}

/// Feeds a stream in pieces and takes what comes; what comes of a lasting fault is the second.
fn feed(
    frames: &mut Frames,
    stream: &[u8],
    mut piece: impl FnMut() -> usize,
    mut each: impl FnMut(Run),
) -> Result<(), Broken> {
    let mut rest = stream;
    loop {
        while let Some(run) = frames.next_run()? {
            each(run);
        }
        if rest.is_empty() {
            return Ok(());
        }
        let mut buffer = frames.lend().expect("no run is held for long");
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0);
        let (now, later) = rest.split_at(piece().clamp(1, room.min(rest.len())));
        buffer.extend_from_slice(now);
        frames.give(buffer);
        rest = later;
    }
}

fn streams(seed: u64) -> [(&'static str, Vec<u8>); 3] {
    let messages = if seed == 0 { 12_000 } else { 300 };
    [
        ("bmp", bmp(seed, messages).0),
        ("every_family", every_family(seed, messages).0),
        ("control", control(seed, messages).0),
    ]
}

#[test]
fn what_comes_in_goes_out_however_it_is_cut() {
    for seed in 0..20 {
        for (name, stream) in streams(seed) {
            let expected = Twin::of(&stream);
            assert_eq!(expected.whole.len(), stream.len(), "{name} {seed}");
            let mut rng = Rng::new(seed, 77);
            for longest in [1, 60, 5_000, 1 << 20] {
                if longest == 1 && stream.len() > 100_000 {
                    continue;
                }
                let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
                let mut got = Twin::default();
                let each = |run: Run| {
                    let alone = run.messages == 1;
                    assert!(alone || run.octets.len() <= RUN_MAX, "a run of {}", run.octets.len());
                    got.take(run.peer, &run.octets, run.messages);
                };
                feed(&mut frames, &stream, || 1 + rng.below(longest), each).unwrap();
                assert!(got == expected, "{name}, seed {seed}, cuts of {longest}");
                assert_eq!(frames.begun(), 0);
            }
        }
    }
}

#[test]
fn lanes_get_what_is_theirs_gathered_or_not() {
    let (mut gathered, mut in_place) = (0, 0);
    for seed in 0..20 {
        for (name, stream) in streams(seed) {
            let mut rng = Rng::new(seed, 78);
            for (lanes, longest) in [(1, 60), (1, 1 << 20), (3, 5_000), (50, 300), (50, 1 << 20)] {
                let place_of = |peer: Option<PeerIdentity>| {
                    peer.map_or(0, |peer| 1 + usize::from(peer.address[15]) % lanes)
                };
                let mut expected = BTreeMap::<usize, Vec<u8>>::new();
                for (peer, octets) in by_message(&stream) {
                    expected.entry(place_of(peer)).or_default().extend_from_slice(octets);
                }
                let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
                let (mut got, mut messages) = (BTreeMap::<usize, Vec<u8>>::new(), 0);
                let (mut rest, mut batch) = (&stream[..], Vec::new());
                while !rest.is_empty() {
                    let mut buffer = frames.lend().unwrap();
                    let room = buffer.capacity() - buffer.len();
                    let (now, later) = rest.split_at((1 + rng.below(longest)).min(room).min(rest.len()));
                    buffer.extend_from_slice(now);
                    let from = buffer.as_ptr() as usize;
                    let inside = from..from + buffer.len();
                    frames.give(buffer);
                    rest = later;
                    loop {
                        let ends = frames.next_batch(place_of, &mut batch).unwrap();
                        if batch.is_empty() {
                            assert_eq!(ends, None);
                            break;
                        }
                        if let Some(octets) = ends {
                            let last = batch.iter().rfind(|placed| placed.place == 0).unwrap();
                            assert!(last.octets.ends_with(&octets));
                        }
                        for placed in batch.drain(..) {
                            let here = inside.contains(&(placed.octets.as_ptr() as usize));
                            *(if here { &mut in_place } else { &mut gathered }) += 1;
                            assert!(placed.messages == 1 || placed.octets.len() <= RUN_MAX);
                            messages += placed.messages;
                            got.entry(placed.place).or_default().extend_from_slice(&placed.octets);
                        }
                    }
                }
                assert!(got == expected, "{name}, seed {seed}, {lanes} lanes, cuts of {longest}");
                assert_eq!(messages, by_message(&stream).len(), "{name}, seed {seed}");
            }
        }
    }
    assert!(gathered > 100 && in_place > 100, "{gathered} records gathered, {in_place} in place");
}

#[test]
fn what_has_been_gathered_holds_no_more_than_its_own_buffers() {
    let pool = Pool::default();
    let mut frames = Frames::new(MESSAGE_MAX, &pool);
    let stream: Vec<u8> = (0..2_000_u32).flat_map(|n| of_peer((n % 2) as u8, 0, 40)).collect();
    let (mut held, mut batch, mut fed) = (Vec::new(), Vec::new(), 0);
    while let Some(mut buffer) = frames.lend() {
        buffer.extend_from_slice(&stream);
        frames.give(buffer);
        frames.next_batch(|peer| usize::from(peer.unwrap().address[15]), &mut batch).unwrap();
        held.append(&mut batch);
        fed += stream.len();
        assert!(fed < 2 * BUFFERS_MAX * BUFFER_LEN);
    }
    assert!(fed > BUFFERS_MAX * BUFFER_LEN / 2, "{fed}");
    assert_eq!(held.iter().map(|placed| placed.octets.len()).sum::<usize>(), fed);
    held.clear();
    for _ in 0..1000 {
        let mut buffer = frames.lend().unwrap();
        buffer.extend_from_slice(&stream);
        frames.give(buffer);
        frames.next_batch(|peer| usize::from(peer.unwrap().address[15]), &mut batch).unwrap();
        batch.clear();
    }
    drop(frames);
    assert!((BUFFERS_MAX..=BUFFERS_MAX + 3).contains(&pool.waiting()), "{}", pool.waiting());
}

/// The messages of a stream, and whose they are.
fn by_message(stream: &[u8]) -> Vec<(Option<PeerIdentity>, &[u8])> {
    let mut messages = Vec::new();
    let mut rest = stream;
    while let Some(&[_, a, b, c, d]) = rest.first_chunk() {
        let (message, tail) = rest.split_at(u32::from_be_bytes([a, b, c, d]) as usize);
        messages.push((Twin::of(message).by_peer.into_keys().next().unwrap(), message));
        rest = tail;
    }
    messages
}

#[test]
fn a_stream_may_be_cut_at_each_octet() {
    for (name, stream) in [("bmp", bmp(3, 4).0), ("control", control(3, 8).0)] {
        let expected = Twin::of(&stream);
        for cut in 0..stream.len() {
            let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
            let mut got = Twin::default();
            let mut pieces = [cut.max(1), stream.len()].into_iter();
            let each = |run: Run| got.take(run.peer, &run.octets, run.messages);
            feed(&mut frames, &stream, || pieces.next().unwrap_or(1), each).unwrap();
            assert!(got == expected, "{name} cut at {cut}");
            // And what is cut off at the end is neither given out nor a fault.
            let (mut frames, mut got) = (Frames::new(MESSAGE_MAX, &Pool::default()), Twin::default());
            let each = |run: Run| got.take(run.peer, &run.octets, run.messages);
            feed(&mut frames, &stream[..cut], || usize::MAX, each).unwrap();
            assert!(got == Twin::of(&stream[..cut]), "{name} ends at {cut}");
            assert_eq!(got.whole.len() + frames.begun(), cut);
        }
    }
}

/// A message with a per-peer header of peer `n`.
fn of_peer(n: u8, kind: u8, body: usize) -> Vec<u8> {
    let mut message = vec![0; 48 + body];
    message[0] = 3;
    message[1..5].copy_from_slice(&u32::try_from(48 + body).unwrap().to_be_bytes());
    message[5] = kind;
    message[31] = n;
    message
}

/// One without.
fn own(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(6 + body.len()).unwrap().to_be_bytes();
    [&[3], &len[..], &[kind], body].concat()
}

#[test]
fn runs_are_of_one_peer_and_of_a_bounded_length() {
    let big = RUN_MAX - 48;
    let rows: [(&str, Vec<Vec<u8>>, &str); 8] = [
        ("one peer", vec![of_peer(1, 0, 9), of_peer(1, 1, 9), of_peer(1, 2, 1)], "1:3"),
        ("in turns", vec![of_peer(1, 0, 9), of_peer(2, 0, 9), of_peer(1, 0, 9)], "1:1 2:1 1:1"),
        ("its own", vec![own(4, b""), own(100, b"x"), of_peer(7, 3, 9), own(4, b"")], "-:2 7:1 -:1"),
        ("the end", vec![own(4, b""), own(5, b""), own(4, b"")], "-:2! -:1"),
        ("full", vec![of_peer(1, 0, big), of_peer(1, 0, 1)], "1:1 1:1"),
        ("just full", vec![of_peer(1, 0, big - 49), of_peer(1, 0, 1), of_peer(1, 0, 1)], "1:2 1:1"),
        ("longest", vec![of_peer(1, 0, MESSAGE_MAX - 48), of_peer(1, 0, 1)], "1:1 1:1"),
        ("unknown type with octets like a peer's", vec![of_peer(1, 0, 1), of_peer(1, 99, 1)], "1:1 -:1"),
    ];
    for (name, messages, expected) in rows {
        let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
        let mut got = Vec::new();
        let each = |run: Run| {
            let peer = run.peer.map_or_else(|| String::from("-"), |peer| peer.address[15].to_string());
            got.push(format!("{peer}:{}{}", run.messages, if run.ends { "!" } else { "" }));
        };
        feed(&mut frames, &messages.concat(), || usize::MAX, each).unwrap();
        assert_eq!(got.join(" "), expected, "{name}");
    }
}

#[test]
fn a_fault_says_where_it_is_and_what_stands_there() {
    let good = [own(4, b"\x00\x02\x00\x01r"), of_peer(1, 0, 9)].concat();
    let after = good.len();
    let rows: [(&[u8], usize, String); 12] = [
        (
            &[1, 0, 0, 0, 60, 0, 7],
            1000,
            format!(
                "offset {after}: BMP version 1, a draft from before RFC 7854: set the router to version 3, or give \
                 it software that has it [01 00 00 00 3c 00 07]"
            ),
        ),
        (
            &[2],
            1000,
            format!(
                "offset {after}: BMP version 2, a draft from before RFC 7854: set the router to version 3, or give \
                 it software that has it [02]"
            ),
        ),
        (
            &[4, 0, 0, 0, 60, 0],
            1000,
            format!("offset {after}: BMP version 4, expected 3 [04 00 00 00 3c 00]"),
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x",
            1000,
            format!(
                "offset {after}: BMP version 71, expected 3 [47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a]"
            ),
        ),
        (
            &[3, 0, 0, 0, 5, 4],
            1000,
            format!("offset {}: BMP length 5, expected 6..=1048576 [03 00 00 00 05 04]", after + 1),
        ),
        (
            &[3, 0, 0, 0, 47, 0],
            1000,
            format!("offset {}: BMP length 47, expected 48..=1048576 [03 00 00 00 2f 00]", after + 1),
        ),
        (
            &[3, 0, 16, 0, 1, 0],
            1 << 20,
            format!("offset {}: BMP length 1048577, expected 48..=1048576 [03 00 10 00 01 00]", after + 1),
        ),
        (
            &[3, 0, 0, 3, 233, 0],
            1000,
            format!("offset {}: BMP length 1001, expected 6..=1000 [03 00 00 03 e9 00]", after + 1),
        ),
        (&[3, 0, 0, 3, 233], 1000, String::from("more")),
        (&[3, 0, 0, 3, 232, 0], 1000, String::from("more")),
        (&[3, 255, 255, 255], 1000, String::from("more")),
        (&[], 1000, String::from("more")),
    ];
    for (bad, message_max, expected) in rows {
        let stream = [&good[..], bad].concat();
        for piece in [1, 7, 1 << 20] {
            let mut frames = Frames::new(message_max, &Pool::default());
            let mut got = Twin::default();
            let each = |run: Run| got.take(run.peer, &run.octets, run.messages);
            let result = feed(&mut frames, &stream, || piece, each);
            assert_eq!(got.whole.len(), after, "what stands in front goes out");
            let Err(broken) = result else {
                assert_eq!(expected, "more", "{bad:?} by {piece}");
                continue;
            };
            // Octet by octet less of the message has come when the fault is found.
            let text = broken.to_string();
            let head = expected.split(" [").next().unwrap();
            assert_eq!(text.split(" [").next().unwrap(), head, "{bad:?} by {piece}");
            assert!(bad.starts_with(broken.octets()), "{bad:?} by {piece}: {text}");
            assert!(piece == 1 || piece == 7 || text == expected, "{text}, not {expected}");
            assert_eq!(frames.next_run(), Err(broken), "it stays");
        }
    }
}

#[test]
fn a_fault_far_down_the_stream_has_its_exact_place() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed, 5);
        let (mut stream, _) = bmp(seed, 200);
        let mut starts = vec![0];
        while let Some(&[_, a, b, c, d]) = stream[*starts.last().unwrap()..].first_chunk() {
            starts.push(starts.last().unwrap() + u32::from_be_bytes([a, b, c, d]) as usize);
        }
        let start = starts[rng.below(starts.len() - 1)];
        let version = rng.percent(50);
        if version {
            stream[start] = 9;
        } else {
            stream[start + 1] = 0xff;
        }
        let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
        let mut got = Vec::new();
        let each = |run: Run| got.extend_from_slice(&run.octets);
        let broken = feed(&mut frames, &stream, || 1 + rng.below(999), each).unwrap_err();
        assert_eq!(broken.offset, (start + usize::from(!version)) as u64, "seed {seed}");
        assert!(stream[start..].starts_with(broken.octets()), "seed {seed}");
        assert_eq!(got, stream[..start], "seed {seed}");
    }
}

#[test]
fn hostile_octets_are_a_fault_or_wait_for_more() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed, 6);
        let (mut stream, _) = control(seed, 6);
        for _ in 0..=rng.below(6) {
            let at = rng.below(stream.len());
            match rng.below(3) {
                0 => stream[at] = rng.u8(),
                1 => drop(stream.drain(at..at + rng.below(9).min(stream.len() - at))),
                _ => stream.splice(at..at, rng.octets::<5>()).for_each(drop),
            }
        }
        let mut frames = Frames::new(1 + rng.below(3000), &Pool::default());
        let mut got = Vec::new();
        let each = |run: Run| got.extend_from_slice(&run.octets);
        let result = feed(&mut frames, &stream, || 1 + rng.below(400), each);
        assert!(stream.starts_with(&got), "seed {seed}");
        if let Err(broken) = result {
            let offset = usize::try_from(broken.offset).unwrap();
            assert!(offset == got.len() || offset == got.len() + 1, "seed {seed}: {broken}");
        } else {
            assert_eq!(got.len() + frames.begun(), stream.len(), "seed {seed}");
        }
    }
}

#[test]
fn runs_are_slices_of_what_was_read() {
    let (stream, _) = bmp(1, 500);
    let mut frames = Frames::new(MESSAGE_MAX, &Pool::default());
    let mut buffer = frames.lend().unwrap();
    buffer.extend_from_slice(&stream);
    let from = buffer.as_ptr() as usize;
    frames.give(buffer);
    let mut at = from;
    while let Some(run) = frames.next_run().unwrap() {
        assert_eq!(run.octets.as_ptr() as usize, at);
        at += run.octets.len();
    }
    assert_eq!(at, from + stream.len());
}

#[test]
fn buffers_are_used_again_and_bounded() {
    let pool = Pool::default();
    let mut frames = Frames::new(MESSAGE_MAX, &pool);
    let message = of_peer(1, 0, 60_000);
    let mut held = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    // Nobody lets go: there is an end to it.
    let mut fill = |frames: &mut Frames, held: &mut Vec<Bytes>| -> Option<()> {
        let mut buffer = frames.lend()?;
        while buffer.capacity() - buffer.len() >= message.len() {
            buffer.extend_from_slice(&message);
        }
        seen.insert(buffer.as_ptr() as usize & !0xffff);
        frames.give(buffer);
        while let Some(run) = frames.next_run().unwrap() {
            held.push(run.octets);
        }
        Some(())
    };
    let fills = (0..1000).take_while(|_| fill(&mut frames, &mut held).is_some()).count();
    assert_eq!(fills, BUFFERS_MAX + 1);
    let held_octets: usize = held.iter().map(Bytes::len).sum();
    assert!(held_octets <= (BUFFERS_MAX + 1) * BUFFER_LEN);
    // One is let go, and there is room for one.
    held.drain(..BUFFER_LEN / message.len()).for_each(drop);
    assert!(fill(&mut frames, &mut held).is_some());
    assert!(fill(&mut frames, &mut held).is_none());
    // From here on everybody lets go, and no new memory is asked for.
    held.clear();
    for _ in 0..1000 {
        fill(&mut frames, &mut held).unwrap();
        held.clear();
    }
    assert!(held.iter().all(|run| run[..] == message[..]));
    assert!(pool.waiting() >= BUFFERS_MAX - 1);
    drop(frames);
    assert!(pool.waiting() <= BUFFERS_MAX + 1);
}

#[test]
fn a_long_message_gets_a_buffer_of_its_own() {
    let pool = Pool::default();
    let mut frames = Frames::new(MESSAGE_MAX, &pool);
    let stream = [of_peer(1, 0, 100), of_peer(1, 0, MESSAGE_MAX - 48), of_peer(1, 0, 100)].concat();
    for _ in 0..3 {
        let mut got = Vec::new();
        feed(&mut frames, &stream, || 70_000, |run| got.extend_from_slice(&run.octets)).unwrap();
        assert!(got == stream);
    }
    drop(frames);
    assert!(pool.waiting() > 0, "and the others are kept");
}
