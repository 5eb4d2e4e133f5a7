//! What real routers and collectors have said, where it lies beside the project.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The folder of captures and dumps; says so where there is none, and the test passes.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/open");
    let there = folder.is_dir();
    if !there {
        println!("no captures beside the project: nothing compared");
    }
    there.then_some(folder)
}

/// Every BMP stream among them, by name, in the order of names.
pub(crate) fn bmp() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = ["_derived", "_lab"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let streams = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let bytes = fs::read(path).expect("a file that can be read");
        if name.ends_with(".bmp") {
            return Some((name.to_owned(), bytes));
        }
        let name = name.strip_suffix(".bmp.xz")?;
        let mut stream = Vec::new();
        lzma_rust2::XzReader::new(&bytes[..], true).read_to_end(&mut stream).expect("a file of xz");
        Some((name.to_owned(), stream))
    });
    streams.chain([("vectors".to_owned(), vectors(&folder))]).collect()
}

/// Messages that were put together to be looked at, one a file, as one stream.
fn vectors(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder.join("../vectors")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bin"));
    paths.sort();
    paths.iter().flat_map(|path| fs::read(path).expect("a file that can be read")).collect()
}

/// Every file of MRT that RFC 6396 knows, by its path under the folder.
const MRT: [&str; 24] = [
    "CAIDA+libbgpstream/test-dumps/routeviews.route-views.jinx.ribs.1401487200.bz2",
    "hadiasghari+pyasn/data/rib6.20151101.0600_firstMB.bz2",
    "hadiasghari+pyasn/data/rib.20080501.0644_firstMB.bz2",
    "t2mune+mrtparse/samples/openbgpd_rib_table",
    "t2mune+mrtparse/samples/bird-mrtdump_rib",
    "t2mune+mrtparse/samples/quagga_rib",
    "RIPE-NCC+bgpdump/test_data/bview.ipv4_unicast_add_path.gz",
    "faucetsdn+ryu/ryu/tests/packet_data/mrt/rib.20161101.0000_pick.bz2",
    "DevQps+mrt-rs/res/updates.20190101.0000.gz",
    "CAIDA+libbgpstream/test-dumps/updates.example.bz2",
    "RIPE-NCC+bgpdump/test_data/updates.20160811.1600.gz",
    "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc00/1999.12/updates.19991214.1621.gz",
    "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc15/2010.02/updates.20100227.1600.gz",
    "cawka+bgpparser/sample/updates.20090501.0000.bz2",
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
];

/// The files of MRT that are there.
pub(crate) fn mrt() -> Vec<(&'static str, fs::File)> {
    let Some(folder) = folder() else { return Vec::new() };
    MRT.iter().filter_map(|path| Some((*path, fs::File::open(folder.join(path)).ok()?))).collect()
}
