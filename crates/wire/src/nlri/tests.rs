//! What only the inside sees: one entry alone. All else of NLRI is proved in `tests/it`.

use super::{Labels, Reading, Routes, check_one};
use crate::Family;

/// `check_one` takes what a field of that one entry would be, and leaves the rest.
#[test]
fn one_entry_alone_is_a_field_of_one() {
    let mut state = 1_u64;
    let mut octet = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let octet = (state >> 56) as u8;
        if octet & 3 == 0 { octet } else { octet >> 3 }
    };
    let (mut taken, mut refused) = (0, 0);
    for family in Family::known() {
        for at in 0..2000 {
            let reading = Reading {
                add_path: at % 2 == 0,
                labels: if at % 4 < 2 { Labels::One } else { Labels::Stack },
            };
            let bytes: Vec<u8> = (0..at % 61).map(|_| octet()).collect();
            let field =
                |len: usize| Routes::check(family, reading, &bytes[..len]).ok().filter(|r| r.len() == 1);
            match check_one(family, reading, &bytes) {
                Ok((entry, rest)) => {
                    let alone = field(bytes.len() - rest.len()).expect("a field of one").next().expect("one");
                    let said = (entry.path_id(), entry.bytes(), entry.key(), entry.payload());
                    assert_eq!(
                        said,
                        (alone.path_id(), alone.bytes(), alone.key(), alone.payload()),
                        "{family}"
                    );
                    taken += 1;
                }
                Err(error) => {
                    assert!(error.offset <= bytes.len(), "{error}");
                    assert!(
                        (0..=bytes.len()).all(|len| field(len).is_none()),
                        "{family} {error} {bytes:02x?}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 10_000 && refused > 10_000, "{taken} taken, {refused} refused");
}
