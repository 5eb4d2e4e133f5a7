//! How fast a file is read, and told, beside somebody else's parser that only reads it.
//!
//! ```text
//! cargo run --release -p heliograph-replay --example rate -- FILE...
//! ```
//!
//! The files are unpacked first, so that it is not the unpacking that is measured; the best of five passes each.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use bgpkit_parser::BgpkitParser;
use ingest::mrt::{Filter, Input, Router};
use wire::mrt::{Reader, Record};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Passes over a file, of which the best counts.
const PASSES: usize = 5;

fn main() -> ExitCode {
    let files: Vec<_> = std::env::args_os().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: rate FILE...");
        return ExitCode::FAILURE;
    }
    for file in files {
        if let Err(error) = measure(Path::new(&file)) {
            eprintln!("{}: {error}", Path::new(&file).display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut reader = Reader::open(File::open(path)?)?;
    let mut octets = Vec::new();
    while let Ok(Some(record)) = reader.next() {
        octets.extend_from_slice(record.bytes());
    }
    let mut told = Counted::default();
    let replay = best(|| {
        let mut router = Router::new(Filter::default());
        let mut out = Vec::with_capacity(16 << 20);
        told = Counted::default();
        each(&octets, |record| router.expect(Input(0), record));
        router.expected_all();
        each(&octets, |record| {
            router.take(Input(0), record, &mut out);
            if out.len() > 64 << 10 {
                out.clear();
            }
        });
        router.ended(Input(0), &mut out);
        let counts = router.counts();
        told = Counted {
            records: counts.records,
            routes: counts.announced + counts.withdrawn,
            messages: counts.messages,
        };
    });
    let mut elements = 0;
    let other = best(|| {
        elements = BgpkitParser::from_reader(Cursor::new(&octets[..])).into_iter().count();
    });
    let mut records = 0;
    let other_records = best(|| {
        records = BgpkitParser::from_reader(Cursor::new(&octets[..])).into_record_iter().count();
    });
    let Counted { records: ours, routes, messages } = told;
    println!(
        "{}: {} MiB, {ours} records, {routes} routes\n  \
         replay to BMP       {:8.1} ms, {messages} messages\n  \
         bgpkit-parser       {:8.1} ms, {elements} elements: {:.1} times as long\n  \
         bgpkit-parser       {:8.1} ms, {records} records: {:.1} times as long",
        path.display(),
        octets.len() >> 20,
        replay * 1e3,
        other * 1e3,
        other / replay,
        other_records * 1e3,
        other_records / replay,
    );
    Ok(())
}

#[derive(Default)]
struct Counted {
    records: u64,
    routes: u64,
    messages: u64,
}

fn each(octets: &[u8], mut take: impl FnMut(&Record<'_>)) {
    let mut rest = octets;
    while let Ok(Some((record, tail))) = Record::split(rest) {
        take(&record);
        rest = tail;
    }
}

/// Seconds of the best pass.
fn best(mut pass: impl FnMut()) -> f64 {
    let passes = (0..PASSES).map(|_| {
        let begun = Instant::now();
        pass();
        begun.elapsed().as_secs_f64()
    });
    passes.fold(f64::INFINITY, f64::min)
}
