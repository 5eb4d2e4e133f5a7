//! Files in, a stream out; and a station that trusts nobody, which has to hold what the files say.

mod real;
mod rows;
mod twin;

use tests::station::Station;
use wire::mrt::Record;

use super::{Counts, Filter, Input, Router};

/// The records of files one after the other, `ahead` of them shown in advance: the stream, and what was counted.
fn stream(files: &[&[u8]], ahead: usize, filter: Filter) -> (Vec<u8>, Counts) {
    let mut router = Router::new(filter);
    let mut out = Vec::new();
    router.initiation("rr1", "a test", &mut out).expect("a short name");
    let each = |file: usize, take: &mut dyn FnMut(Input, &Record<'_>)| {
        let mut rest = files[file];
        while let Ok(Some((record, tail))) = Record::split(rest) {
            take(Input(file), &record);
            rest = tail;
        }
        assert!(rest.is_empty(), "{} octets behind the last record", rest.len());
    };
    let mut left = ahead;
    for file in 0..files.len() {
        each(file, &mut |input, record| {
            if left > 0 {
                left -= 1;
                router.expect(input, record);
            }
        });
    }
    if left > 0 {
        router.expected_all();
    }
    for file in 0..files.len() {
        each(file, &mut |input, record| router.take(input, record, &mut out));
        router.ended(Input(file), &mut out);
    }
    let counts = router.counts().clone();
    let skipped: u64 = counts.skipped.values().sum();
    assert_eq!(counts.records, counts.mirrored + skipped, "each record is counted once: {counts:?}");
    assert_eq!(counts.octets, out.len() as u64, "{counts:?}");
    (out, counts)
}

/// A station that has it all.
fn station(stream: &[u8]) -> Station {
    let mut station = Station::new();
    station.take(stream).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(!station.mid_message());
    station
}
