//! What real collectors wrote, where it is at hand: every record is read, every path announced.

use std::collections::BTreeMap;
use std::path::Path;

use wire::bgp::{Announce, Pdu, Route, Update};
use wire::mrt::{Message, NLRI_LEN, Reader, Record};
use wire::{Family, bgp, nlri};

/// A file, so many records, PDUs, entries and errors of each kind, and how it ends. An independent decoder counted the same, and finds the same records broken.
const FILES: &[(&str, &str)] = &[
    (
        "CAIDA+libbgpstream/test-dumps/routeviews.route-views.jinx.ribs.1401487200.bz2",
        "entries:503590 peers:14 table-dump-v2/peer-index-table:1 \
         table-dump-v2/rib-ipv4-unicast:497323 table-dump-v2/rib-ipv6-unicast:84 end",
    ),
    (
        "hadiasghari+pyasn/data/rib6.20151101.0600_firstMB.bz2",
        "entries:149578 peers:29 table-dump-v2/peer-index-table:1 \
         table-dump-v2/rib-ipv6-unicast:6870 after 12132997 octets: packed stream ends too early",
    ),
    (
        "hadiasghari+pyasn/data/rib.20080501.0644_firstMB.bz2",
        "table-dump/ipv4:139291 after 9876188 octets: packed stream ends too early",
    ),
    ("t2mune+mrtparse/samples/openbgpd_rib_table", "table-dump/ipv4:11 table-dump/ipv6:20 end"),
    (
        "t2mune+mrtparse/samples/bird-mrtdump_rib",
        "entries:18 peers:4 table-dump-v2/peer-index-table:2 table-dump-v2/rib-ipv4-unicast:4 \
         table-dump-v2/rib-ipv4-unicast-add-path:8 end",
    ),
    (
        "t2mune+mrtparse/samples/quagga_rib",
        "entries:9 peers:2 table-dump-v2/peer-index-table:1 table-dump-v2/rib-ipv4-unicast:3 \
         table-dump-v2/rib-ipv6-unicast:3 end",
    ),
    (
        "RIPE-NCC+bgpdump/test_data/bview.ipv4_unicast_add_path.gz",
        "entries:62 peers:3 table-dump-v2/peer-index-table:1 \
         table-dump-v2/rib-ipv4-unicast-add-path:31 end",
    ),
    (
        "faucetsdn+ryu/ryu/tests/packet_data/mrt/rib.20161101.0000_pick.bz2",
        "entries:4 peers:7 table-dump-v2/peer-index-table:1 table-dump-v2/rib-ipv4-unicast:2 end",
    ),
    (
        "DevQps+mrt-rs/res/updates.20190101.0000.gz",
        "bgp4mp/message-as4:54471 bgp4mp/state-change-as4:43 keepalive:364 update:54107 end",
    ),
    (
        "CAIDA+libbgpstream/test-dumps/updates.example.bz2",
        "bgp4mp/message:11305 bgp4mp/message-as4:33757 update:45062 end",
    ),
    (
        "RIPE-NCC+bgpdump/test_data/updates.20160811.1600.gz",
        "bgp4mp/message-as4:17384 bgp4mp/state-change-as4:22 keepalive:168 update:17216 end",
    ),
    (
        "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc00/1999.12/updates.19991214.1621.gz",
        "bgp/1:18054 bgp/3:27 bgp/5:1 bgp/6:1 bgp/7:120 end",
    ),
    (
        "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc15/2010.02/updates.20100227.1600.gz",
        "bgp4mp/message:542 bgp4mp/message-as4:6053 bgp4mp/state-change-as4:20 keepalive:47 \
         notification:1 open:1 update:6546 end",
    ),
    (
        "cawka+bgpparser/sample/updates.20090501.0000.bz2",
        "bgp4mp/message:21353 bgp4mp/message-as4:1154 update:22507 end",
    ),
    ("codebje+hask-mrt/test/data/update.bz2", "bgp4mp/message:165 bgp4mp/message-as4:14879 update:15044 end"),
    ("bgpfix+bgpipe/test/integration/testdata/sample.mrt", "bgp4mp-et/message-as4:500 update:500 end"),
    (
        "RIPE-NCC+bgpdump/test_data/updates.20020722.2238.gz",
        "bgp4mp/message:1028 bgp4mp/state-change:93 keepalive:615 notification:7 open:13 update:393 \
         end",
    ),
    (
        "bgpkit+bgpkit-parser/tests/fixtures/ripe/rrc01/2000.11/updates.20001104.0124.gz",
        "bgp4mp/message:922 bgp4mp/state-change:364 keepalive:618 notification:8 offset 18: address \
         family 4, expected 1..=2:21 offset 18: address family 65535, expected 1..=2:21 offset 20: \
         peer address wants 4 octets, 0 left:21 open:9 update:266 end",
    ),
    (
        "t2mune+mrtparse/samples/quagga_bgp",
        "bgp4mp/message:4 bgp4mp/message-as4:43 bgp4mp/state-change-as4:20 keepalive:10 \
         notification:2 open:4 route-refresh:7 update:24 end",
    ),
    (
        "t2mune+mrtparse/samples/bird_bgp.v-4dcc227",
        "bgp4mp/message:1 bgp4mp/message-as4:43 bgp4mp/state-change-as4:12 keepalive:7 \
         notification:1 open:2 route-refresh:1 update:33 end",
    ),
    (
        "t2mune+mrtparse/samples/bird_bgp",
        "bgp4mp/message:1 bgp4mp/message-as4:16 bgp4mp/state-change-as4:12 keepalive:5 \
         notification:1 open:2 route-refresh:1 update:8 end",
    ),
    (
        "t2mune+mrtparse/samples/bird-mrtdump_bgp",
        "bgp4mp/message:1 bgp4mp/message-as4-add-path:14 bgp4mp/state-change-as4:12 keepalive:5 \
         notification:1 open:2 route-refresh:1 update:6 end",
    ),
    ("bgpkit+bgpkit-parser/examples/local_only/updates.bz2", "bgp4mp-et/message-as4:85 update:85 end"),
    ("t2mune+mrtparse/samples/quagga_bgp_large_communities", "bgp4mp/message-as4:6 update:6 end"),
];

/// Counts of one file, by what was counted.
#[derive(Default)]
struct Counts(BTreeMap<String, usize>);

impl Counts {
    fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn record(&mut self, record: Record<'_>) {
        let (kind, subtype) = (record.kind(), record.subtype());
        let name = subtype.name(kind).map_or(subtype.0.to_string(), Into::into);
        self.add(format!("{}/{name}", kind.name().unwrap_or("?")));
        match record.message() {
            Ok(Message::Rib(rib)) => {
                for entry in rib.entries() {
                    self.add("entries");
                    self.path(entry.path(), &rib.nlri);
                }
            }
            Ok(Message::TableDump(dump)) => self.path(dump.path(), &dump.nlri(&mut [0; NLRI_LEN])),
            Ok(Message::PeerIndexTable(table)) => table.peers().for_each(|_| self.add("peers")),
            Ok(Message::BgpMessage(message)) => match message.pdu() {
                Ok(pdu) => {
                    assert_eq!(pdu.bytes().len(), message.bytes.len());
                    self.add(pdu.kind().name().unwrap_or("?"));
                }
                Err(error) => self.add(format!("PDU: {error}")),
            },
            Ok(_) => {}
            Err(error) => self.add(error.to_string()),
        }
    }

    /// A path that can be announced with its route, and is then the same.
    fn path(&mut self, path: Result<wire::mrt::Path<'_>, wire::Error>, route: &nlri::Entry<'_>) {
        let path = match path {
            Ok(path) => path,
            Err(error) => return self.add(error.to_string()),
        };
        let (mut scratch, mut buffer) = ([0xa5; 8192], [0xa5; 8192]);
        let block = path.block(&mut scratch).expect("it fits");
        let (key, payload) = (route.key(), route.payload());
        let mut announce = Announce::open(&mut buffer, path.family, block).expect("it fits");
        announce.push(&Route { path_id: None, key: &key, payload: &payload }).expect("it fits");
        let len = announce.close();
        let (pdu, _) = Pdu::split_whole(&buffer[..len]).expect("ours");
        let update = Update::parse(pdu).expect("ours");
        let part = update.parts().next().expect("a route");
        let mut routes = part.routes(&bgp::Dialect::default(), bgp::View::AdjRibInPre).expect("ours");
        assert!(routes.next().is_some_and(|entry| *entry.key() == *key) && routes.next().is_none());
        match update.mp_next_hop() {
            Some(hop) if hop.0.is_empty() => self.add("no next hop"),
            None if path.family != Family::IPV4_UNICAST => self.add("no MP_REACH"),
            hop => assert_eq!(hop, path.mp_next_hop()),
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
    for (name, expected) in FILES {
        let path = open.join(name);
        let Ok(file) = std::fs::File::open(&path) else {
            println!("skipped: no {name}");
            continue;
        };
        let mut reader = Reader::open(file).expect("octets");
        let mut counts = Counts::default();
        let end = loop {
            match reader.next() {
                Ok(Some(record)) => counts.record(record),
                Ok(None) => break "end".into(),
                Err(error) => break error.to_string(),
            }
        };
        let counts: Vec<String> = counts.0.iter().map(|(what, count)| format!("{what}:{count}")).collect();
        assert_eq!(format!("{} {end}", counts.join(" ")), *expected, "{name}");
    }
}
