//! The fuzzers' doors, opened to their seeds: what once broke, and what is worth mutating.
//!
//! `cargo fuzz run <door> crates/wire/fuzz/corpus/<door> crates/wire/fuzz/seeds/<door>` makes up
//! more; here each seed goes in as it is, cut short, and with an octet changed.

#[path = "../fuzz/doors.rs"]
mod doors;

use std::fs;
use std::path::Path;

/// Ways in which each seed is spoiled, beside not at all.
const SPOILED: usize = 24;

fn replay(name: &str, door: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut seeds = 0;
    for seed in fs::read_dir(folder).expect("a folder of seeds") {
        let path = seed.expect("a seed").path();
        let seed = fs::read(&path).expect("a seed");
        seeds += 1;
        // A panic says nothing of the seed: this does, and is shown with it.
        println!("{}", path.display());
        door(&seed);
        for n in 0..SPOILED.min(seed.len()) {
            let at = n * seed.len() / SPOILED.min(seed.len());
            door(&seed[..at]);
            let mut spoiled = seed.clone();
            spoiled[at] ^= 1 << (n % 8);
            door(&spoiled);
            spoiled[at] = 0xff;
            door(&spoiled);
        }
    }
    assert!(seeds > 0, "no seeds for {name}");
}

#[test]
fn bmp() {
    replay("bmp", doors::bmp);
}

#[test]
fn bgp() {
    replay("bgp", doors::bgp);
}

#[test]
fn nlri() {
    replay("nlri", doors::nlri);
}

#[test]
fn attributes() {
    replay("attributes", doors::attributes);
}

#[test]
fn mrt() {
    replay("mrt", doors::mrt);
}

#[test]
fn reader() {
    replay("reader", doors::reader);
}
