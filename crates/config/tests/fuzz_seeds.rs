//! The fuzzer's door, opened to its seeds: what once broke, and what is worth mutating.
//!
//! `cargo fuzz run line crates/config/fuzz/corpus/line crates/config/fuzz/seeds/line` makes up more; here each
//! seed goes in as it is, cut short, and with an octet changed.

#[path = "../fuzz/doors.rs"]
mod doors;

use std::fs;
use std::path::Path;

#[test]
fn line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/line");
    let mut seeds = 0;
    for seed in fs::read_dir(folder).expect("a folder of seeds") {
        let path = seed.expect("a seed").path();
        let seed = fs::read(&path).expect("a seed");
        seeds += 1;
        // A panic says nothing of the seed: this does, and is shown with it.
        println!("{}", path.display());
        doors::line(&seed);
        for at in 0..seed.len() {
            doors::line(&seed[..at]);
            for octet in [seed[at] ^ 1 << (at % 8), b' ', b'"', 0xff] {
                let mut spoiled = seed.clone();
                spoiled[at] = octet;
                doors::line(&spoiled);
            }
        }
    }
    assert!(seeds > 0, "no seeds");
}
