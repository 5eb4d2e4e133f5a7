//! A stream a row, and what is wrong with it.

use station::{Demands, Hearing, Mode, Pool, Rule};

use super::expect_none;

/// The reference messages that rows are made of.
const INITIATION: &str = "0300000037040001000e48656c696f677261706820302e310002000768656c696f2d3100000010696e7374616e63653d64656661756c74";
const PEER_UP: &str = "03000000b60300000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d090000000000000000000000000c00002fe00b39c41ffffffffffffffffffffffffffffffff003301045ba000b4cb00710916021401040001000101040002000102004104fa56ea01ffffffffffffffffffffffffffffffff00330104fde9005ac6336401160214010400010001010400020001020041040000fde90000000875706c696e6b2041";
const ANNOUNCE: &str = "03000000660000000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d090ffffffffffffffffffffffffffffffff003602000000184001010040020a02020000fde9fa56ea00400304c000020118cb00710fc612";
const WITHDRAW: &str = "030000004b0000000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d090ffffffffffffffffffffffffffffffff001b02000418cb00710000";
const END_OF_RIB: &str = "03000000470000000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d090ffffffffffffffffffffffffffffffff00170200000000";
const PEER_DOWN: &str =
    "03000000310200000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d09004";
const STATISTICS: &str = "03000000660100000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d0900000000400000004000000070007000800000000000f42400009000b00010100000000000f3e580009000b00020100000000000003e8";
const MIRROR: &str = "03000000670600000000000000000000000000000000000000000000c00002010000fde9c63364016553f1000003d09000000033ffffffffffffffffffffffffffffffff003302000000184001010040020a02020000fde9fa56ea00400304c000020118cb0071";
const TERMINATION: &str = "03000000210500010002000000000011726573657420626d702073657373696f6e";

fn octets(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).expect("a digit")).expect("small");
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect()
}

/// Changes octets of a message, and with it the length it says if octets go or come.
fn changed(hex: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = octets(hex);
    change(&mut bytes);
    let len = u32::try_from(bytes.len()).expect("short");
    bytes[1..5].copy_from_slice(&len.to_be_bytes());
    bytes
}

/// An UPDATE of more than 4096 octets: an attribute that nobody knows.
fn long() -> Vec<u8> {
    changed(END_OF_RIB, |bytes| {
        bytes.truncate(48 + 19);
        bytes.extend([0, 0, 0x10, 4, 0xd0, 200, 0x10, 0]);
        bytes.extend([7; 4096]);
        bytes.extend([8, 10]);
        let len = u16::try_from(bytes.len() - 48).expect("short");
        bytes[48 + 16..48 + 18].copy_from_slice(&len.to_be_bytes());
    })
}

fn message(letter: char) -> Vec<u8> {
    match letter {
        'I' => octets(INITIATION),
        'U' => octets(PEER_UP),
        'A' => octets(ANNOUNCE),
        'W' => octets(WITHDRAW),
        'E' => octets(END_OF_RIB),
        'D' => octets(PEER_DOWN),
        'S' => octets(STATISTICS),
        'M' => octets(MIRROR),
        'T' => octets(TERMINATION),
        // another session of the same peer: another port
        'u' => changed(PEER_UP, |bytes| bytes[66] ^= 1),
        // no OPEN, as some routers write
        'o' => changed(PEER_UP, |bytes| bytes[48 + 20 + 18] = 4),
        // seconds earlier
        'a' => changed(ANNOUNCE, |bytes| bytes[42] -= 1),
        // no time at all
        'n' => changed(ANNOUNCE, |bytes| bytes[40..48].fill(0)),
        // an attribute length that runs past its container
        'x' => changed(ANNOUNCE, |bytes| bytes[48 + 22] = 0xff),
        // NEXT_HOP twice, with the type of ORIGIN
        't' => changed(ANNOUNCE, |bytes| bytes[48 + 24] = 3),
        // a prefix of 33 bits
        'p' => changed(ANNOUNCE, |bytes| {
            let at = bytes.len() - 3;
            bytes[at] = 33;
        }),
        // an octet behind the reason
        'd' => changed(PEER_DOWN, |bytes| bytes.push(0)),
        'l' => long(),
        // a type that nobody knows
        'z' => vec![3, 0, 0, 0, 8, 100, 1, 2],
        // what is no BMP
        'v' => vec![4, 0, 0, 0, 6, 4],
        's' => vec![3, 0, 0, 0, 5, 4],
        // a message that has begun
        'h' => octets(ANNOUNCE)[..50].to_vec(),
        other => panic!("no message {other}"),
    }
}

/// The rules that were broken, each with the number of the message.
fn broken(letters: &str, demands: Demands) -> (String, Hearing) {
    let mut hearing = Hearing::new(Mode::Tables, demands, Pool::new(100));
    letters.chars().for_each(|letter| hearing.take(&message(letter)));
    hearing.end();
    let list = hearing.violations().list().iter();
    let list: Vec<_> = list.map(|violation| format!("{}@{}", violation.rule, violation.message)).collect();
    (list.join(" "), hearing)
}

#[test]
fn the_rules() {
    let rows = [
        ("IUAWESMAD", "", 0),
        ("IUAEDUA", "", 2),
        ("IUAT", "", 2),
        ("IIUA", "", 2),
        ("IUAUA", "", 2),
        ("IUzAI", "", 2),
        ("UA", "initiation-first@1", 2),
        ("zIUA", "initiation-first@1", 2),
        ("IA", "peer-up-first@2", 2),
        ("IAAA", "peer-up-first@2", 2),
        ("IS", "peer-up-first@2", 0),
        ("IM", "peer-up-first@2", 0),
        ("ID", "peer-up-first@2", 0),
        ("IAU", "peer-up-first@2", 0),
        ("IUDA", "after-peer-down@4", 2),
        ("IUDE", "after-peer-down@4", 0),
        ("IUDD", "after-peer-down@4", 0),
        ("IUAD", "", 0),
        ("IUAu", "one-session@4", 0),
        ("IUAuAD", "one-session@4", 0),
        ("IoA", "opens@2", 2),
        ("IUxA", "malformed@3", 2),
        ("IUtA", "malformed@3", 2),
        ("IUpA", "malformed@3", 2),
        ("IUAd", "malformed@4", 0),
        ("IUl", "update-length@3", 1),
        ("IUAh", "whole-messages@4", 2),
        ("IUAvUA", "framing@4", 2),
        ("IUAsUA", "framing@4", 2),
        ("IUTAz", "after-termination@4 after-termination@5", 2),
    ];
    for (letters, expected, paths) in rows {
        let (got, hearing) = broken(letters, Demands::default());
        assert_eq!((&*got, hearing.counts().paths), (expected, paths), "{letters}");
        assert_eq!(hearing.is_broken(), letters.contains(['v', 's']), "{letters}");
    }
}

#[test]
fn times_if_asked() {
    let times = || Demands { times: true, ..Demands::default() };
    for (letters, expected) in
        [("IUAa", "backwards@4"), ("IUaA", ""), ("IUAn", ""), ("IUADUa", ""), ("IUAnaA", "backwards@5")]
    {
        assert_eq!(broken(letters, times()).0, expected, "{letters}");
        assert_eq!(broken(letters, Demands::default()).0, "", "{letters}, and nobody asks");
    }
}

/// An announcement with a version.
fn versioned(version: u32) -> Vec<u8> {
    changed(ANNOUNCE, |bytes| {
        let at = bytes.len() - 7;
        let mut large = vec![0xc0, 32, 12, 0xff, 0xff, 0, 0, 0, 0, 0, 1];
        large.extend(version.to_be_bytes());
        bytes.splice(at..at, large);
        bytes[48 + 17] += 15;
        bytes[48 + 22] += 15;
    })
}

#[test]
fn versions_if_asked() {
    for (versions, expected) in [(&[1, 2, 2, 3][..], 0), (&[2, 1], 1), (&[2, 1, 2, 1, 3], 2)] {
        for asked in [true, false] {
            let mut hearing =
                Hearing::new(Mode::Tables, Demands { versions: asked, ..Demands::default() }, Pool::new(100));
            "IU".chars().for_each(|letter| hearing.take(&message(letter)));
            versions.iter().for_each(|version| hearing.take(&versioned(*version)));
            let count = hearing.violations().counts().get(&Rule::Backwards).copied().unwrap_or_default();
            assert_eq!(count, if asked { expected } else { 0 }, "{versions:?}, asked {asked}");
        }
    }
}

#[test]
fn what_is_tolerated_is_counted() {
    let demands = Demands { tolerated: vec![Rule::PeerUpFirst, Rule::Malformed], ..Demands::default() };
    let (got, hearing) = broken("IAxDAD", demands);
    assert_eq!(got, "after-peer-down@5");
    let tolerated: Vec<_> =
        hearing.violations().tolerated().iter().map(|(rule, n)| (rule.name(), *n)).collect();
    assert_eq!(tolerated, [("malformed", 1), ("peer-up-first", 1)]);
}

#[test]
fn violations_and_paths_are_bounded() {
    let (_, hearing) = broken(&format!("IU{}", "x".repeat(100)), Demands::default());
    let violations = hearing.violations();
    assert_eq!((violations.list().len(), violations.total()), (station::VIOLATIONS_MAX, 100));

    let pool = Pool::new(1);
    let hear = |letters: &str| {
        let mut hearing = Hearing::new(Mode::Tables, Demands::default(), pool.clone());
        letters.chars().for_each(|letter| hearing.take(&message(letter)));
        hearing
    };
    // The limit is looked at before each UPDATE: one may pass it.
    let first = hear("IUA");
    expect_none(&first, "an UPDATE that passes the limit");
    let second = hear("IUA");
    assert_eq!(second.violations().counts().get(&Rule::PathsMax), Some(&1));
    assert_eq!((second.counts().paths, second.counts().paths_left_out, pool.paths()), (0, 2, 2));
    drop((first, second));
    assert_eq!(pool.paths(), 0, "what nobody holds is given back");
    assert_eq!(hear("IUAD").counts().paths, 0);
    assert_eq!(hear("IUA").counts().paths, 2);
    assert_eq!(pool.paths(), 0);
}
