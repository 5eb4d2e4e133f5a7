//! What real collectors wrote, where it is at hand: each record is accounted for, and a station takes all of it.

use std::fmt::Write as _;
use std::path::Path;

use wire::mrt::Reader;

use super::*;

/// Folders of origins, and files in them.
const FILES: &[&str] = &[
    "hadiasghari+pyasn/data/rib6.20151101.0600_firstMB.bz2",
    "hadiasghari+pyasn/data/rib.20080501.0644_firstMB.bz2",
    "t2mune+mrtparse/samples/openbgpd_rib_table",
    "t2mune+mrtparse/samples/bird-mrtdump_rib",
    "t2mune+mrtparse/samples/quagga_rib",
    "RIPE-NCC+bgpdump/test_data/bview.ipv4_unicast_add_path.gz",
    "faucetsdn+ryu/ryu/tests/packet_data/mrt/rib.20161101.0000_pick.bz2",
    "RIPE-NCC+bgpdump/test_data/updates.20160811.1600.gz",
    "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc00/1999.12/updates.19991214.1621.gz",
    "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc15/2010.02/updates.20100227.1600.gz",
    "codebje+hask-mrt/test/data/update.bz2",
    "bgpfix+bgpipe/test/integration/testdata/sample.mrt",
    "RIPE-NCC+bgpdump/test_data/updates.20020722.2238.gz",
    "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc01/2000.11/updates.20001104.0124.gz",
    "t2mune+mrtparse/samples/quagga_bgp",
    "t2mune+mrtparse/samples/bird_bgp.v-4dcc227",
    "t2mune+mrtparse/samples/bird_bgp",
    "t2mune+mrtparse/samples/bird-mrtdump_bgp",
    "bgpkit+bgpkit-parser/examples/local_only/updates.bz2",
    "t2mune+mrtparse/samples/quagga_bgp_large_communities",
    "CAIDA+libbgpstream/test-dumps/updates.example.bz2",
    "cawka+bgpparser/sample/updates.20090501.0000.bz2",
    "DevQps+mrt-rs/res/updates.20190101.0000.gz",
];

#[test]
fn what_collectors_wrote() {
    let open = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/open"));
    if !open.is_dir() {
        println!("skipped: no dumps of real collectors in ../shared/data");
        return;
    }
    let mut faults = String::new();
    for name in FILES {
        let Ok(file) = std::fs::File::open(open.join(name)) else {
            println!("skipped: no {name}");
            continue;
        };
        let mut reader = Reader::open(file).expect("octets");
        let mut records = Vec::new();
        while let Ok(Some(record)) = reader.next() {
            records.extend_from_slice(record.bytes());
        }
        // Without any knowledge, too, where that does not take long.
        let small = records.len() < 1 << 20;
        for ahead in [usize::MAX, 0].into_iter().filter(|ahead| small || *ahead > 0) {
            let (stream, counts) = stream(&[&records], ahead, Filter::default());
            let mut station = Station::new();
            let taken = station.take(&stream);
            let skipped: Vec<String> = counts.skipped.iter().map(|(why, n)| format!("{why} {n}")).collect();
            let entries: Vec<String> =
                counts.entries_skipped.iter().map(|(why, n)| format!("{why} {n}")).collect();
            println!(
                "{name}: {} records, {} mirrored, skipped [{}], entries [{}], {} messages, +{} -{}, \
                 {} peer ups, {} downs, {} restarts, {} path ids made",
                counts.records,
                counts.mirrored,
                skipped.join(", "),
                entries.join(", "),
                counts.messages,
                counts.announced,
                counts.withdrawn,
                counts.peer_ups,
                counts.peer_downs,
                counts.restarts,
                counts.path_ids_made,
            );
            if let Err(broken) = taken {
                writeln!(faults, "{name} with {ahead} ahead: {broken}").expect("a String");
                continue;
            }
            let tally = station.tally();
            if (tally.announced as u64, tally.withdrawn as u64) != (counts.announced, counts.withdrawn)
                && tally.untold == 0
            {
                writeln!(faults, "{name} with {ahead} ahead: the station counts otherwise: {tally:?}")
                    .expect("a String");
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
