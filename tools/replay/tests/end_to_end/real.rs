//! What real collectors wrote, where it is at hand: a server gets all of it.

use std::fs::File;

use wire::mrt::Reader;

use super::*;

/// Octets of records of a file that are worth the time.
const WORTH: usize = 8 << 20;

/// All files that are MRT, of those that there are.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
            continue;
        }
        let name = path.to_string_lossy().to_lowercase();
        let is_mrt = ["/rib", "/bview", "/update", "ribs.", "_rib", "_bgp", ".mrt"]
            .iter()
            .any(|part| name.contains(part));
        let is_other = ["expect", ".pcap", ".json", ".txt", "bmp", ".md", ".py", ".bgp.gz"];
        if is_mrt && is_other.iter().all(|part| !name.contains(part)) {
            found.push(path);
        }
    }
}

#[test]
fn what_collectors_wrote() {
    let open = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/open"));
    if !open.is_dir() {
        println!("skipped: no dumps of real collectors in ../shared/data");
        return;
    }
    let mut found = Vec::new();
    files(open, &mut found);
    for path in found {
        let name = path.strip_prefix(open).expect("it is in there").display().to_string();
        let Ok(mut reader) = Reader::open(File::open(&path).expect("a file")) else { continue };
        let mut octets = Vec::new();
        while let Ok(Some(record)) = reader.next() {
            octets.extend_from_slice(record.bytes());
        }
        if octets.is_empty() || octets.len() > WORTH {
            println!("{name}: {} octets of records, not replayed", octets.len());
            continue;
        }
        let wanted = surveyed(&octets);
        let (port, thread) = server(Duration::ZERO, Duration::ZERO);
        let (_, summary) = ended(replay(&[&path], &[port], &["--io", "epoll"]));
        assert_eq!(summary["servers"][0]["complete"].as_bool(), Some(true), "{name}: {summary}");
        let skipped = summary["skipped"].as_object().expect("reasons");
        let refused: u64 = skipped.values().filter_map(Value::as_u64).sum();
        assert_eq!(
            summary["records"].as_u64(),
            summary["mirrored"].as_u64().map(|mirrored| mirrored + refused),
            "each record is mirrored, or refused with a reason: {name}: {summary}"
        );
        println!(
            "{name}: {} records, {} mirrored, {:?}, {} messages, end {}",
            summary["records"],
            summary["mirrored"],
            skipped,
            summary["messages"],
            summary["files"][0]["error"]
        );
        same(&thread.join().expect("a server"), &wanted, &name);
    }
}

/// What a server has to hold of a file that was seen in advance.
fn surveyed(octets: &[u8]) -> Tables {
    let mut router = Router::new(Filter::default());
    let mut out = Vec::new();
    router.initiation("rr1", "what is wanted", &mut out).expect("a short name");
    let each = |take: &mut dyn FnMut(&Record<'_>)| {
        let mut rest = octets;
        while let Ok(Some((record, tail))) = Record::split(rest) {
            take(&record);
            rest = tail;
        }
    };
    each(&mut |record| router.expect(Input(0), record));
    router.expected_all();
    each(&mut |record| router.take(Input(0), record, &mut out));
    router.ended(Input(0), &mut out);
    let mut station = Station::new();
    station.take(&out).expect("a stream that keeps the rules");
    station.tables().clone()
}
