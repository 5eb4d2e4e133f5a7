//! The life of a session, drawn as the matrix it is: a changed arrow is a changed line of `life.golden`.
//!
//! `HELIOGRAPH_BLESS=1 cargo test -p heliograph-writer --test life` writes it anew.

use std::fmt::Write as _;

use writer::fleet::Happening::{self, CaughtUp, Connected, Dial, Fell, Greeted, Leave, Lost, Stop};
use writer::fleet::State::{self, Idle};

const GOLDEN: &str = include_str!("life.golden");

const HAPPENINGS: [Happening; 8] = [Dial, Connected, Greeted, CaughtUp, Fell, Leave, Lost, Stop];

/// A line for each state, a column for what happens to it; `-` is what cannot.
fn matrix() -> String {
    let mut text = String::new();
    let mut line = |cells: Vec<String>| {
        let cells = cells.iter().map(|cell| format!("{cell:<11}")).collect::<Vec<_>>();
        writeln!(text, "{}", cells.join(" ").trim_end()).expect("a string takes all");
    };
    let head = HAPPENINGS.map(|happening| format!("{happening:?}"));
    line([String::new()].into_iter().chain(head).collect());
    for state in State::ALL {
        let cells = HAPPENINGS.map(|happening| {
            state.after(happening).map_or_else(|| String::from("-"), |after| format!("{after:?}"))
        });
        line([format!("{state:?}")].into_iter().chain(cells).collect());
    }
    text
}

#[test]
fn every_arrow() {
    let now = matrix();
    if std::env::var_os("HELIOGRAPH_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/life.golden");
        return std::fs::write(path, now).expect("the golden file can be written");
    }
    for (line, (then, now)) in GOLDEN.lines().zip(now.lines()).enumerate() {
        assert_eq!(then, now, "line {}", line + 1);
    }
    assert_eq!(GOLDEN, now);
}

#[test]
fn every_state_can_be_reached_and_left() {
    for state in State::ALL {
        let arrows = |from: State| HAPPENINGS.iter().filter_map(move |happening| from.after(*happening));
        let others = || State::ALL.into_iter().filter(|other| *other != state);
        assert!(others().flat_map(arrows).any(|after| after == state), "nothing leads to {state:?}");
        assert!(arrows(state).any(|after| after != state), "nothing leads from {state:?}");
        assert_eq!(state.after(Stop), Some(Idle), "{state:?} can be stopped");
        // What needs a connection happens to who has one, and who has one can lose it.
        for happening in [Greeted, CaughtUp, Fell, Leave] {
            assert!(state.is_connected() || state.after(happening).is_none(), "{happening:?}, {state:?}");
        }
        assert!(!state.is_connected() || state.after(Lost).is_some(), "{state:?} cannot be lost");
    }
}
