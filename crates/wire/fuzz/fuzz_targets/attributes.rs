#![no_main]

#[path = "../doors.rs"]
#[allow(dead_code, reason = "each target opens one door")]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::attributes(data));
