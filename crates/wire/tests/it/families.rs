//! NLRI of every family: what is drawn is read, the twin agrees, keys are keys.

use wire::nlri::{self, Labels, Reading, Routes, Trial, trial};
use wire::{Error, Family};

use crate::entries::{Entry, FAMILIES, entry};
use crate::entropy::{Entropy, prove};
use crate::hand::{hex, unhex};
use crate::twin::{self, Twin};

/// Cases a family.
const CASES: u32 = 256;
const WORDS: usize = 160;

fn reading(add_path: bool, stack: bool) -> Reading {
    Reading { add_path, labels: if stack { Labels::Stack } else { Labels::One } }
}

/// The same as [`twin::read`], by the crate.
fn read(family: (u16, u8), add_path: bool, stack: bool, field: &[u8]) -> Result<Vec<Twin>, Error> {
    let known = Family::new(family.0, family.1);
    let routes = Routes::check(known, reading(add_path, stack), field)?;
    assert_eq!((routes.family(), routes.is_empty()), (known, field.is_empty()));
    let count = routes.len();
    let entries: Vec<_> = routes
        .map(|entry| {
            assert_eq!(entry.family(), known);
            Twin {
                path_id: entry.path_id().map(|id| id.0),
                bytes: entry.bytes().to_vec(),
                key: entry.key().to_vec(),
                payload: entry.payload().to_vec(),
                clean: true,
            }
        })
        .collect();
    assert_eq!(entries.len(), count);
    Ok(entries)
}

/// Both readers say the same of a field; gives what they say.
fn agreed(family: (u16, u8), add_path: bool, stack: bool, field: &[u8]) -> Option<Vec<Twin>> {
    let ours = read(family, add_path, stack, field);
    let mut twins = twin::read(family, add_path, stack, field);
    for twin in twins.iter_mut().flatten() {
        twin.clean = true;
    }
    if let Err(error) = ours {
        assert!(error.offset <= field.len(), "{error}");
    }
    let what = (family, add_path, stack, unhex(field));
    assert_eq!(ours.as_ref().ok(), twins.as_ref(), "{what:?} {:?}", ours.as_ref().err());
    twins
}

/// What the safety net should say, by the twin.
fn trial_agrees(family: (u16, u8), stack: bool, field: &[u8]) -> Trial {
    let holds = |add_path| {
        twin::read(family, add_path, stack, field).is_some_and(|twins| twins.iter().all(|twin| twin.clean))
    };
    let want = match (holds(false), holds(true)) {
        (true, false) => Trial::Without,
        (false, true) => Trial::With,
        (true, true) => Trial::Either,
        (false, false) => Trial::Neither,
    };
    let known = Family::new(family.0, family.1);
    assert_eq!(trial(known, reading(false, stack), field), want, "{family:?} {}", unhex(field));
    assert_eq!(trial(known, reading(true, stack), field), want);
    want
}

/// Entries of one field: as they were drawn, and the field.
fn field(
    family: (u16, u8),
    entropy: &mut Entropy<'_>,
    add_path: bool,
    stack: bool,
) -> (Vec<(Option<u32>, Entry)>, Vec<u8>) {
    let count = entropy.below(7);
    let mut entries = Vec::new();
    let mut field = Vec::new();
    for _ in 0..count {
        let id = add_path.then(|| u32::from_le_bytes(entropy.octets(4).try_into().expect("four")));
        let entry = entry(family, entropy, stack);
        field.extend(id.iter().flat_map(|id| id.to_be_bytes()));
        field.extend(entry.wire());
        entries.push((id, entry));
    }
    (entries, field)
}

#[test]
fn the_table_is_complete() {
    assert_eq!(Family::known().collect::<Vec<_>>(), FAMILIES.map(|(afi, safi)| Family::new(afi, safi)));
}

#[test]
fn drawn_fields_are_read() {
    for family in FAMILIES {
        prove(CASES, WORDS, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let (entries, field) = field(family, entropy, add_path, stack);
            let got = agreed(family, add_path, stack, &field).expect("a field that was drawn");
            let got: Vec<_> = got.into_iter().map(|twin| (twin.path_id, twin.bytes)).collect();
            let want: Vec<_> = entries.iter().map(|(id, entry)| (*id, entry.wire())).collect();
            assert_eq!(got, want, "{family:?}");
            let trial = trial_agrees(family, stack, &field);
            let twins = twin::read(family, add_path, stack, &field).expect("agreed");
            if twins.iter().all(|twin| twin.clean) {
                let right = if add_path { Trial::With } else { Trial::Without };
                assert!(
                    trial == right || trial == Trial::Either,
                    "{trial:?} of {family:?} {}",
                    unhex(&field)
                );
            }
        });
    }
}

#[test]
fn mutated_fields_are_read_as_the_twin_does() {
    for family in FAMILIES {
        prove(CASES, WORDS, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let (_, mut field) = field(family, entropy, add_path, stack);
            for _ in 0..1 + entropy.below(4) {
                let at = entropy.below(field.len().max(1)).min(field.len());
                match entropy.below(5) {
                    0 if at < field.len() => field[at] ^= 1 << entropy.below(8),
                    1 if at < field.len() => field[at] = entropy.octet(),
                    2 if at < field.len() => drop(field.remove(at)),
                    3 => field.insert(at, entropy.octet()),
                    _ => field.truncate(at),
                }
                agreed(family, add_path, stack, &field);
                trial_agrees(family, stack, &field);
            }
        });
    }
}

#[test]
fn any_octets_are_read_as_the_twin_does() {
    for family in FAMILIES {
        prove(2 * CASES, 80, |entropy| {
            let (add_path, stack) = (entropy.rarely(2), entropy.rarely(2));
            let len = entropy.below(60);
            // Small numbers are lengths that fit.
            let small = |octet: u8| if octet & 3 == 0 { octet } else { octet >> 3 };
            let field: Vec<u8> = entropy.octets(len).into_iter().map(small).collect();
            agreed(family, add_path, stack, &field);
            trial_agrees(family, stack, &field);
        });
    }
}

/// Writes, and reads again what was written: key and payload.
fn again(
    family: (u16, u8),
    stack: bool,
    write: impl FnOnce(Family, &mut [u8]) -> usize,
) -> (Vec<u8>, Vec<u8>) {
    let mut buffer = vec![0xa5; 5000];
    let len = write(Family::new(family.0, family.1), &mut buffer);
    assert!(buffer[len..].iter().all(|octet| *octet == 0xa5), "octets behind the entry");
    let entries = agreed(family, false, stack, &buffer[..len]).expect("ours");
    let [entry] = &entries[..] else { panic!("{} entries", entries.len()) };
    (entry.key.clone(), entry.payload.clone())
}

#[test]
fn keys_are_keys() {
    for family in FAMILIES {
        prove(CASES, WORDS, |entropy| {
            let stack = entropy.rarely(2);
            let split = |entry: &Entry| {
                let entries = agreed(family, false, stack, &entry.wire()).expect("a field that was drawn");
                (entries[0].key.clone(), entries[0].payload.clone())
            };
            let entry = entry(family, entropy, stack);
            let (key, payload) = split(&entry);

            // Two ways.
            let written =
                again(family, stack, |family, out| nlri::write(out, family, &key, &payload).expect("room"));
            assert_eq!(written, (key.clone(), payload), "{family:?} {entry:?}");
            let withdrawn =
                again(family, false, |family, out| nlri::write_withdrawal(out, family, &key).expect("room"));
            assert_eq!(withdrawn.0, key, "{family:?} {entry:?}");

            // What is no key may change, what is key may not.
            let same = entry.repaint(entropy, stack);
            assert_eq!(same.identity(), entry.identity());
            assert_eq!(split(&same).0, key, "{family:?} {entry:?} {same:?}");
            if let Some(other) = entry.nudge(entropy) {
                assert_ne!(other.identity(), entry.identity());
                assert_ne!(split(&other).0, key, "{family:?} {entry:?} {other:?}");
            }
            // And another route altogether.
            let other = self::entry(family, entropy, stack);
            assert_eq!(
                other.identity() == entry.identity(),
                split(&other).0 == key,
                "{family:?} {entry:?} {other:?}"
            );
        });
    }
}

/// A buffer that is too small by any number of octets is refused, never overrun.
#[test]
fn small_buffers() {
    for family in FAMILIES {
        prove(16, WORDS, |entropy| {
            let entry = entry(family, entropy, false).wire();
            let twins = agreed(family, false, false, &entry).expect("a field that was drawn");
            let known = Family::new(family.0, family.1);
            for room in (0..entry.len()).rev().take(50) {
                let mut buffer = vec![0xa5; entry.len()];
                let (key, payload) = (&twins[0].key, &twins[0].payload);
                assert!(nlri::write(&mut buffer[..room], known, key, payload).is_err(), "{family:?} {room}");
                assert!(buffer[room..].iter().all(|octet| *octet == 0xa5));
            }
        });
    }
}

#[test]
fn every_other_family_is_refused_by_name() {
    let mut known = 0;
    for (afi, safi) in (0..=u16::MAX).flat_map(|afi| (0..=u8::MAX).map(move |safi| (afi, safi))) {
        match Routes::check(Family::new(afi, safi), Reading::default(), &[]) {
            Ok(routes) => {
                assert_eq!((routes.len(), FAMILIES.contains(&(afi, safi))), (0, true), "{afi}/{safi}");
                known += 1;
            }
            // Their names are looked at below: sixteen million are too many to print.
            Err(error) => assert_eq!(error.fault, wire::Fault::Unframed { family: Family::new(afi, safi) }),
        }
    }
    assert_eq!(known, FAMILIES.len());
    let error = Routes::check(Family::new(31, 9), Reading::default(), &[1]).expect_err("unknown");
    assert_eq!(error.to_string(), "offset 0: NLRI of afi-31-safi-9 cannot be told apart");
    assert_eq!(trial(Family::new(31, 9), Reading::default(), &[1]), Trial::Neither);
}

/// Fields whose answer can be worked out on paper: family, field, what the safety net says.
#[test]
fn trials() {
    let rows = [
        ((1, 1), "18 cb0071", Trial::Without),
        ((1, 1), "18 cb0072 10 0a0b", Trial::Either),
        ((1, 1), "00000001 18 cb0071", Trial::With), // 0/0 three times, then 1/… with a host bit
        ((1, 1), "00000000 00", Trial::Either),
        ((1, 1), "", Trial::Either),
        ((1, 1), "17 cb0071", Trial::Neither), // a host bit
        ((1, 1), "21 cb00710000", Trial::Neither),
        ((1, 128), "70 000011 0000fbf30000000b cb0071", Trial::Without),
        ((1, 128), "00000007 70 000011 0000fbf30000000b cb0071", Trial::With),
        ((1, 128), "6f 000011 0000fbf30000000b cb0071", Trial::Neither), // a host bit
        ((1, 132), "00", Trial::Without),
        ((9, 9), "00", Trial::Neither),
    ];
    for ((afi, safi), field, want) in rows {
        assert_eq!(
            trial(Family::new(afi, safi), Reading::default(), &hex(field)),
            want,
            "{afi}/{safi} {field}"
        );
    }
}

/// Keys and payloads on paper: family, entry, key, payload.
#[test]
fn keys_on_paper() {
    const RD: &str = "0001c00002010007";
    const ESI: &str = "00112233445566778899";
    let rows = [
        ((1, 1), "17 cb0071".to_string(), "17 cb0070".to_string(), String::new()),
        ((1, 1), "00".into(), "00".into(), String::new()),
        ((2, 1), "2d 20010db8ffff".into(), "2d 20010db8fff8".into(), String::new()),
        ((1, 4), "2f 0003e9 0a0bff".into(), "17 0a0bfe".into(), "0003e9".into()),
        ((1, 128), format!("6c 800000 {RD} 0a0bff"), format!("54 {RD} 0a0bf0"), "800000".into()),
        ((1, 132), "00".into(), "00".into(), String::new()),
        ((1, 132), "21 0000fde9 ff".into(), "21 0000fde9 80".into(), String::new()),
        (
            (25, 65),
            format!("0011 {RD} 0001 0002 0003 000041"),
            format!("0011 {RD} 0001 0002"),
            "0003 000041".into(),
        ),
        ((25, 65), format!("000c {RD} c0000201"), format!("000c {RD} c0000201"), String::new()),
        (
            (25, 70),
            format!("01 19 {RD}{ESI} 00000005 000041"),
            format!("0100 {RD}{ESI} 00000005"),
            "000041".into(),
        ),
        (
            (25, 70),
            format!("02 21 {RD}{ESI} 00000005 30 0a0b0c0d0e0f 00 000041"),
            format!("0200 {RD} 00000005 30 0a0b0c0d0e0f 00"),
            format!("{ESI} 000041"),
        ),
        (
            (25, 70),
            format!("02 28 {RD}{ESI} 00000005 30 0a0b0c0d0e0f 20 c0000201 000041 000051"),
            format!("0200 {RD} 00000005 30 0a0b0c0d0e0f 20 c0000201"),
            format!("{ESI} 000041 000051"),
        ),
        (
            (25, 70),
            format!("05 22 {RD}{ESI} 00000005 17 cb0071ff c0000201 000041"),
            format!("0500 {RD} 00000005 17 cb007000"),
            format!("{ESI} c0000201 000041"),
        ),
        ((1, 85), format!("01 0001 0c {RD} 17 cb0071"), format!("01 0001 0c {RD} 17 cb0070"), String::new()),
        (
            (1, 85),
            format!("01 0003 17 {RD} 17 cb0071 00000001 09 20 c0000201 00"),
            format!("01 0003 00 {RD} 17 cb0070"),
            "00000001 09 20 c0000201 00".into(),
        ),
        (
            (1, 85),
            format!("01 0004 0f {RD} 2c c0000201 12ff"),
            format!("01 0004 0f {RD} 2c c0000201 12f0"),
            String::new(),
        ),
        ((1, 133), "03 010a0b".into(), "010a0b".into(), String::new()),
        ((1, 133), "f003 010a0b".into(), "010a0b".into(), String::new()), // longer than need be
    ];
    for ((afi, safi), entry, key, payload) in rows {
        let got = read((afi, safi), false, false, &hex(&entry)).expect("an entry");
        assert_eq!(
            (unhex(&got[0].key), unhex(&got[0].payload)),
            (unhex(&hex(&key)), unhex(&hex(&payload))),
            "{entry}"
        );
    }
}
