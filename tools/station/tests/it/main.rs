//! The station against streams from seeds, against one that was written by another hand, and as a program.
//!
//! * `agree`    tables and counts are those of the naive station of `tests`, at every step of a router's life.
//! * `digests`  equal for equal content however it was told, different when one octet differs.
//! * `rules`    a stream a row, and the rules it breaks.
//! * `program`  the binary over loopback: many connections, misbehaviour, JSON, dumps, signals.

mod agree;
mod digests;
mod program;
mod rules;

use station::{Demands, Hearing, Mode, Pool, Rule};
use tests::Rng;
use tests::router::Emission;

/// What a server hears: a session that has ended without a Peer Down ends with one.
fn heard(emission: Emission) -> Vec<u8> {
    let Emission { bytes, implicit_down, .. } = emission;
    if !implicit_down {
        return bytes;
    }
    let header = &bytes[6..48];
    let reason: &[u8] =
        if header[0] == 3 { &[6, 0, 3, 0, 6, b'g', b'l', b'o', b'b', b'a', b'l'] } else { &[4] };
    let len = u8::try_from(6 + header.len() + reason.len()).expect("a short message");
    [&[3, 0, 0, 0, len, 2], header, reason, &bytes].concat()
}

/// Tells octets in pieces of any length, some of them of none.
fn tell(hearing: &mut Hearing, dice: &mut Rng, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let most = dice.pick(&[1, 10, 1000, 100_000]);
        let (piece, rest) = bytes.split_at(dice.below(most + 1).min(bytes.len()));
        hearing.take(piece);
        bytes = rest;
    }
}

/// A hearing of streams in which some peers never say that they are up.
fn lenient() -> Hearing {
    let tolerated = vec![Rule::PeerUpFirst, Rule::AfterPeerDown];
    Hearing::new(Mode::Tables, Demands { tolerated, versions: true, times: false }, Pool::new(usize::MAX))
}

/// A hearing of all of a stream.
fn hear(bytes: &[u8]) -> Hearing {
    let mut hearing = Hearing::new(Mode::Tables, Demands::default(), Pool::new(usize::MAX));
    hearing.take(bytes);
    hearing
}

/// The first rule that was broken must not exist.
fn expect_none(hearing: &Hearing, what: impl std::fmt::Display) {
    if let Some(violation) = hearing.violations().list().first() {
        panic!("{what}: {violation}");
    }
}
