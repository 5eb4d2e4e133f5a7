//! How fast bytes are read and written, beside independent crates on the same bytes.
//!
//! `cargo bench -p benches --bench wire` measures; `cargo test --benches -p benches` runs everything
//! once, small, and checks the answers.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use tests::stream;
use wire::bgp::{self, Announce, Dialect, Route, Withdraw};
use wire::bmp::{self, PeerHeader, PeerIdentity};
use wire::nlri::Entry;
use wire::{Error, mrt};

/// Messages of the stream: a megabyte and a half, about what a reader's buffer holds, near the core.
fn messages() -> usize {
    if benches::measuring() { 10_000 } else { 500 }
}

/// Messages of the long stream: thirty megabytes, for which memory counts as much as the core.
fn many_messages() -> usize {
    if benches::measuring() { 200_000 } else { 500 }
}

/// Prefixes of the RIB dump, from up to twelve peers each: about a hundred megabytes.
fn prefixes() -> usize {
    if benches::measuring() { 150_000 } else { 300 }
}

/// Frames, classifies and walks the NLRI of a stream, and counts the routes: what every message
/// costs before anything is done with it. `look` is what is done with a route.
fn routes<'a, 'd>(
    stream: &'a [u8],
    dialect: impl Fn(&PeerHeader) -> &'d Dialect,
    look: impl Fn(Entry<'a>) -> usize,
) -> Result<usize, Error> {
    let (mut routes, mut seen) = (0, 0);
    let mut rest = stream;
    while let Some((frame, tail)) = bmp::Frame::split(rest)? {
        rest = tail;
        let Some(monitoring) = frame.route_monitoring()? else { continue };
        let Some(view) = monitoring.peer.view() else { continue };
        let dialect = dialect(monitoring.peer);
        for part in monitoring.update()?.parts() {
            for entry in part.routes(dialect, view)? {
                seen += look(entry);
                routes += 1;
            }
        }
    }
    black_box(seen);
    Ok(routes)
}

/// NLRI walked.
fn walk(stream: &[u8]) -> Result<usize, Error> {
    let dialect = Dialect::default();
    routes(stream, |_| &dialect, |entry| entry.bytes().len())
}

/// The same with the key of every route: what a RIB asks for.
fn keys(stream: &[u8]) -> Result<usize, Error> {
    let dialect = Dialect::default();
    routes(stream, |_| &dialect, key_sum)
}

/// Looks at the ends of a key, so that it has to be there.
fn key_sum(entry: Entry<'_>) -> usize {
    let key = entry.key();
    key.len() + usize::from(key[key.len() - 1])
}

/// What the OPENs of every peer of a stream agree on.
fn dialects(stream: &[u8]) -> HashMap<PeerIdentity, Dialect> {
    let mut dialects = HashMap::new();
    let mut rest = stream;
    while let Some((frame, tail)) = bmp::Frame::split(rest).expect("a valid stream") {
        rest = tail;
        if let bmp::Message::PeerUp(up) = frame.message().expect("a valid message") {
            dialects.insert(up.peer.identity(), up.dialect());
        }
    }
    dialects
}

/// Frames only: what a relay costs that looks at nothing.
fn frames(stream: &[u8]) -> Result<usize, Error> {
    let mut frames = 0;
    let mut rest = stream;
    while let Some((frame, tail)) = bmp::Frame::split(rest)? {
        black_box(frame.kind());
        rest = tail;
        frames += 1;
    }
    Ok(frames)
}

fn netgauze(stream: &[u8]) -> usize {
    use netgauze_bgp_pkt::BgpMessage;
    use netgauze_bgp_pkt::path_attribute::{MpReach, MpUnreach, PathAttributeValue};
    use netgauze_bmp_pkt::wire::deserializer::BmpParsingContext;
    use netgauze_bmp_pkt::{BmpMessage, v3::BmpMessageValue};
    use netgauze_parse_utils::reader::SliceReader;
    use netgauze_parse_utils::traits::ParseFromWithOneInput;

    let mut context = BmpParsingContext::default();
    let mut reader = SliceReader::new(stream);
    let mut routes = 0;
    while !reader.is_empty() {
        let message = BmpMessage::parse(&mut reader, &mut context).expect("a valid stream");
        let BmpMessage::V3(BmpMessageValue::RouteMonitoring(monitoring)) = &message else {
            continue;
        };
        let BgpMessage::Update(update) = monitoring.update_message() else { continue };
        routes += update.withdraw_routes().len() + update.nlri().len();
        for attribute in update.path_attributes() {
            routes += match attribute.value() {
                PathAttributeValue::MpReach(MpReach::Ipv6Unicast { nlri, .. })
                | PathAttributeValue::MpUnreach(MpUnreach::Ipv6Unicast { nlri }) => nlri.len(),
                _ => 0,
            };
        }
    }
    routes
}

fn bgpkit(stream: &[u8]) -> usize {
    use bgpkit_parser::bmp::messages::BmpMessageBody;
    use bgpkit_parser::models::BgpMessage;

    let mut rest = bytes::Bytes::copy_from_slice(stream);
    let mut routes = 0;
    while !rest.is_empty() {
        let message = bgpkit_parser::parse_bmp_msg(&mut rest).expect("a valid stream");
        let BmpMessageBody::RouteMonitoring(monitoring) = message.message_body else { continue };
        let BgpMessage::Update(update) = monitoring.bgp_message else { continue };
        let mp = [update.attributes.get_reachable_nlri(), update.attributes.get_unreachable_nlri()];
        routes += update.withdrawn_prefixes.len() + update.announced_prefixes.len();
        routes += mp.into_iter().flatten().map(|nlri| nlri.prefixes.len()).sum::<usize>();
    }
    routes
}

/// Records and every entry of a dump; `attributes` walks those too.
fn mrt_entries(file: &[u8], attributes: bool) -> usize {
    let mut reader = mrt::Reader::open(file).expect("a slice");
    let mut entries = 0;
    while let Some(record) = reader.next().expect("a valid file") {
        let mrt::Message::Rib(rib) = record.message().expect("a valid record") else { continue };
        for entry in rib.entries() {
            if attributes {
                black_box(bgp::attributes(entry.attributes).expect("valid attributes").count());
            }
            black_box(entry.attributes);
            entries += 1;
        }
    }
    entries
}

fn mrt_bgpkit(file: &[u8]) -> usize {
    use bgpkit_parser::models::{MrtMessage, TableDumpV2Message};

    let mut entries = 0;
    for record in bgpkit_parser::BgpkitParser::from_reader(file).into_record_iter() {
        if let MrtMessage::TableDumpV2Message(TableDumpV2Message::RibAfi(rib)) = record.message {
            entries += rib.rib_entries.len();
        }
    }
    entries
}

/// Announces and withdraws so many /24 in full messages: what a catch-up costs a route.
fn pack(buffer: &mut [u8], prefixes: u32) -> usize {
    const BLOCK: &[u8] = &[
        0x40, 1, 1, 0, 0x40, 2, 14, 2, 3, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea, 0, 0, 0xfd, 0xeb, 0x40, 3, 4,
        192, 0, 2, 1,
    ];
    let family = wire::Family::IPV4_UNICAST;
    let key = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        [24, a, b, c]
    };
    let mut written = 0;
    let (mut announced, mut withdrawn) = (0, 0);
    while announced < prefixes {
        let mut update = Announce::open(buffer, family, BLOCK).expect("room for the block");
        while announced < prefixes {
            let route = Route { path_id: None, key: &key(announced), payload: &[] };
            if update.push(&route).is_err() {
                break;
            }
            announced += 1;
        }
        written += update.routes();
        black_box(update.close());
    }
    while withdrawn < prefixes {
        let mut update = Withdraw::open(buffer, family).expect("room for an empty one");
        while withdrawn < prefixes && update.push(None, &key(withdrawn)).is_ok() {
            withdrawn += 1;
        }
        written += update.routes();
        black_box(update.close());
    }
    written
}

fn main() {
    let (bmp_stream, bmp) = stream::bmp_plain(1, messages());
    let (rib_file, rib) = stream::mrt_rib(2, prefixes(), 12);
    let (families_stream, families) = stream::every_family(3, messages());
    let bmp_routes = bmp.announced + bmp.withdrawn;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("bmp");
    group.throughput(Throughput::Elements(bmp.messages as u64));
    group.bench_function("frames", |b| b.iter(|| assert_eq!(frames(&bmp_stream), Ok(bmp.messages))));
    group.bench_function("walk", |b| b.iter(|| assert_eq!(walk(&bmp_stream), Ok(bmp_routes))));
    group.bench_function("keys", |b| b.iter(|| assert_eq!(keys(&bmp_stream), Ok(bmp_routes))));
    group.throughput(Throughput::Elements(families.messages as u64));
    group.bench_function("keys, every family", |b| {
        let dialects = dialects(&families_stream);
        let dialect = |peer: &PeerHeader| &dialects[&peer.identity()];
        let answer = families.announced + families.withdrawn;
        b.iter(|| {
            let got = routes(&families_stream, dialect, key_sum);
            assert_eq!(got, Ok(answer));
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("pack");
    let prefixes = 100_000;
    group.throughput(Throughput::Elements(u64::from(prefixes) * 2));
    for limit in [bgp::MESSAGE_MAX, bgp::EXTENDED_MESSAGE_MAX] {
        group.bench_with_input(BenchmarkId::new("ipv4-unicast", limit), &limit, |b, limit| {
            let mut buffer = vec![0; *limit];
            b.iter(|| assert_eq!(pack(&mut buffer, prefixes), prefixes as usize * 2));
        });
    }
    group.finish();
    criterion.final_summary();

    let (long_stream, long) = stream::bmp_plain(4, many_messages());
    for (title, stream, answer) in [
        ("BMP, framed, classified, NLRI walked, 1.5 MB", &bmp_stream, bmp),
        ("BMP, framed, classified, NLRI walked, 30 MB", &long_stream, long),
    ] {
        let megamessages = (answer.messages as f64 / 1e6, "million messages");
        benches::versus(
            title,
            megamessages,
            answer.announced + answer.withdrawn,
            &[
                ("heliograph", &|| walk(stream).expect("a valid stream")),
                ("with keys", &|| keys(stream).expect("a valid stream")),
                ("netgauze", &|| netgauze(stream)),
                ("bgpkit", &|| bgpkit(stream)),
            ],
        );
    }
    let gigabytes = (rib_file.len() as f64 / 1e9, "GB");
    benches::versus(
        "MRT, TABLE_DUMP_V2, every entry",
        gigabytes,
        rib.announced,
        &[
            ("heliograph", &|| mrt_entries(&rib_file, false)),
            ("with attributes", &|| mrt_entries(&rib_file, true)),
            ("bgpkit", &|| mrt_bgpkit(&rib_file)),
        ],
    );
}
