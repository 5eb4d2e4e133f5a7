//! Messages read by `wire` and by decoders that share no line with it: the same answer, or a
//! disagreement that the RFC has settled and that is written down with its clause.
//!
//! ```text
//!  octets ─┬─► wire ───────────► lines ─┐
//!          │                            ├─ equal, or settled and counted: a settled disagreement
//!          └─► NetGauze, … ─► lines ─┘  that has stopped occurring fails as well
//! ```
//!
//! Streams from seeds always; real captures and dumps where they lie beside the project.

mod bgpkit;
mod canon;
mod captures;
mod netgauze;
mod ours;
mod routecore;

use std::fmt::Write as _;

use canon::{Answer, Disagreement, difference, is_route};
use tests::stream;
use wire::bgp::Dialect;
use wire::bmp::Frame;
use wire::mrt;

/// A disagreement that the RFC has settled.
#[derive(Clone, Copy)]
struct Settled {
    /// What differs.
    what: &'static str,
    /// Who is wrong, by which clause.
    why: &'static str,
    /// Whether this is it: the octets of the message, and where the answers part.
    matches: fn(&[u8], &Disagreement) -> bool,
}

const CONFEDERATION: Settled = Settled {
    what: "AS_PATH with segments of a confederation",
    why: "NetGauze refuses types 3 and 4, which RFC 5065 §3 defines (and its own message names)",
    matches: |_, d| {
        d.they_refuse("unknown AS_PATH segment type 3 ") || d.they_refuse("unknown AS_PATH segment type 4 ")
    },
};

const MULTICAST: Settled = Settled {
    what: "SAFI 2 with a prefix that is no multicast group",
    why: "NetGauze wants groups; RFC 4760 §6 has routes *for* multicast forwarding, to sources",
    matches: |_, d| {
        d.they_refuse("is not a valid IPv4 multicast network")
            || d.they_refuse("is not a valid IPv6 multicast network")
    },
};

const FAMILIES: Settled = Settled {
    what: "families that one side has not heard of",
    why: "NetGauze refuses SAFI 76 and 85, and with them the message; RFC 4760 §7 has the family ignored",
    matches: |_, d| {
        d.they_refuse("unknown subsequent address family 76 ")
            || d.they_refuse("unknown subsequent address family 85 ")
    },
};

const REFRESH: Settled = Settled {
    what: "ROUTE-REFRESH of an unknown subtype",
    why: "NetGauze refuses it; RFC 7313 §5 has it ignored, and a mirror carries it",
    matches: |_, d| d.they_refuse("unknown route refresh operation"),
};

const DEFAULT_ROUTE: Settled = Settled {
    what: "a default route, and path ids that are none",
    why: "bgpkit takes NLRI with an entry of length 0 for path ids; RFC 4271 §4.3 has length 0 match all, \
          and RFC 7911 §3 has path ids only where they were negotiated (none of these peers did)",
    matches: |_, d| {
        d.lines().is_some_and(|(ours, theirs)| {
            ours.iter().any(|line| line.ends_with(" 0.0.0.0/0") || line.ends_with(" ::/0"))
                || theirs.iter().any(|line| is_route(line) && line.contains(" path "))
        })
    },
};

/// No AS4 message of RFC 6396 has path ids: RFC 8050 has subtypes of its own for those.
const UNDECLARED_PATH_IDS: Settled = Settled {
    what: "path ids in MRT records of a subtype without",
    why: "some writers put them there against RFC 8050 §3, and bgpkit guesses; we read what the record \
          says it is (nlri::trial is there for those who want to guess)",
    matches: |record, d| {
        let subtype = record[7];
        let path_ids = |line: &String| is_route(line) && line.contains(" path ");
        matches!(subtype, 1 | 4)
            && d.theirs.iter().flatten().any(path_ids)
            && match &d.ours {
                Ok(ours) => ours.iter().any(|line| line.ends_with(" 0.0.0.0/0")),
                Err(error) => error.contains("prefix length "),
            }
    },
};

const ZEBRA: Settled = Settled {
    what: "BGP4MP records with addresses of no family, or with none",
    why: "Zebra wrote AFI 4 and 65535 and left out addresses in 2000, bgpkit supplies 0.0.0.0; RFC 6396 \
          §4.4.1 and §4.4.2 know AFI 1 and 2, each with its addresses",
    matches: |_, d| {
        d.theirs.is_ok()
            && d.ours.as_ref().is_err_and(|error| {
                error.contains("address family 4, expected 1..=2")
                    || error.contains("address family 65535, expected 1..=2")
                    || error.contains("peer address wants 4 octets, 0 left")
            })
    },
};

const RESTART_FLAGS: Settled = Settled {
    what: "the N bit of the Graceful Restart capability",
    why: "bgpkit forgets it; it is the second of the four flags since RFC 8538 §2",
    matches: |_, d| {
        d.lines().is_some_and(|(ours, theirs)| {
            let without =
                |line: &String| line.replace("(64, \"c", "(64, \"8").replace("(64, \"4", "(64, \"0");
            ours.iter().map(without).eq(theirs.iter().cloned())
        })
    },
};

const BROKEN_PDU: Settled = Settled {
    what: "a mirrored message that is in error",
    why: "bgpkit makes something of a prefix of 192 or 255 bits and of an OPEN that is cut off; RFC 4271 \
          §6.2 and §6.3 call both errors",
    matches: |bytes, d| {
        bytes[5] == 6
            && d.theirs.is_ok()
            && d.ours.as_ref().is_err_and(|error| {
                error.contains("prefix length 192, expected 0..=32")
                    || error.contains("prefix length 255, expected 0..=32")
                    || error.contains("OPEN parameters wants")
            })
    },
};

const MIRRORED_ORIGIN: Settled = Settled {
    what: "ORIGIN 9 in a mirrored message that says of itself to be in error",
    why: "bgpkit names no value and NetGauze refuses the message; RFC 7854 §6 mirrors errors as they came",
    matches: |bytes, d| {
        bytes[5] == 6
            && (d.they_refuse("unknown ORIGIN value 9 ")
                || d.lines().is_some_and(|lines| {
                    lines == (&["attribute 1 9".to_owned()], &["attribute 1 \"there\"".to_owned()])
                }))
    },
};

/// What a comparison has seen.
#[derive(Default)]
struct Tally {
    messages: usize,
    routes: usize,
    refused: usize,
    beyond: usize,
    settled: Vec<usize>,
    open: Vec<String>,
}

impl Tally {
    fn compare(&mut self, settled: &[Settled], name: &str, bytes: &[u8], ours: &Answer, theirs: &Answer) {
        self.messages += 1;
        self.routes += ours.iter().flatten().filter(|line| is_route(line)).count();
        self.settled.resize(settled.len(), 0);
        let Some(disagreement) = difference(ours, theirs) else { return };
        if ours.is_err() && theirs.is_err() {
            self.refused += 1;
            return;
        }
        match settled.iter().position(|settled| (settled.matches)(bytes, &disagreement)) {
            Some(at) => self.settled[at] += 1,
            None => self.open.push(format!("{name}: {}\n{disagreement:#?}", canon::hex(bytes))),
        }
    }

    /// Everything agrees or is settled, and everything settled has been seen.
    fn finish(self, who: &str, settled: &[Settled]) {
        let Self { messages, routes, refused, beyond, .. } = self;
        if messages == 0 {
            return;
        }
        let mut report = format!(
            "{who}: {messages} messages, {routes} routes; {refused} refused by both, {beyond} not asked"
        );
        for (settled, count) in settled.iter().zip(&self.settled) {
            let _ = write!(report, "\n  {count} × {}\n      {}", settled.what, settled.why);
        }
        println!("{report}");
        let open = self.open.len();
        let shown = self.open[..open.min(SHOWN)].join("\n");
        assert!(self.open.is_empty(), "{open} disagreements are open, the first:\n{shown}");
        for (settled, count) in settled.iter().zip(&self.settled) {
            assert!(*count > 0, "this has stopped occurring, strike it out: {}", settled.what);
        }
    }
}

/// How many open disagreements are shown.
const SHOWN: usize = 4;

/// Every whole message of a stream, and the error that ends it too early, if one does.
fn frames(mut stream: &[u8], mut each: impl FnMut(Frame<'_>)) -> Option<wire::Error> {
    loop {
        match Frame::split(stream) {
            Ok(Some((frame, rest))) => {
                each(frame);
                stream = rest;
            }
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

fn against_netgauze(
    tally: &mut Tally,
    settled: &[Settled],
    name: &str,
    stream: &[u8],
) -> Option<wire::Error> {
    let mut ours = ours::Ours::default();
    let mut theirs = netgauze::NetGauze::default();
    frames(stream, |frame| {
        let (ours, theirs) = (ours.read(frame, netgauze::knows), theirs.read(frame.bytes()));
        tally.compare(settled, name, frame.bytes(), &ours, &theirs);
    })
}

fn against_bgpkit(tally: &mut Tally, settled: &[Settled], name: &str, stream: &[u8]) -> Option<wire::Error> {
    let mut ours = ours::Ours::default();
    frames(stream, |frame| {
        let answer = ours.read(frame, bgpkit::knows);
        if ours.is_plain(frame, bgpkit::knows) {
            tally.compare(settled, name, frame.bytes(), &answer, &bgpkit::bmp(frame.bytes()));
        } else {
            tally.beyond += 1;
        }
    })
}

type Against = fn(&mut Tally, &[Settled], &str, &[u8]) -> Option<wire::Error>;

/// Four streams from seeds, to their end.
fn seeds(who: &str, against: Against, settled: &[Settled], stream: fn(u64) -> (Vec<u8>, stream::Answer)) {
    let mut tally = Tally::default();
    let mut messages = 0;
    let mut routes = 0;
    for seed in 0..4 {
        let (bytes, answer) = stream(seed);
        messages += answer.messages;
        routes += answer.announced + answer.withdrawn;
        assert_eq!(against(&mut tally, settled, &format!("seed {seed}"), &bytes), None);
    }
    assert_eq!(tally.messages + tally.beyond, messages, "{who}: the generator knows how many");
    // A family that the other reader does not take apart is one line and not as many as it has routes.
    if !who.ends_with("families") {
        assert_eq!(tally.routes, routes, "{who}: the generator knows how many");
    }
    tally.finish(who, settled);
}

#[test]
fn netgauze_unicast() {
    seeds("NetGauze on unicast", against_netgauze, &[], |seed| stream::bmp(seed, 5000));
}

#[test]
fn netgauze_families() {
    let settled = [CONFEDERATION, MULTICAST, FAMILIES];
    seeds("NetGauze on families", against_netgauze, &settled, |seed| stream::every_family(seed, 5000));
}

#[test]
fn netgauze_control() {
    seeds("NetGauze on control", against_netgauze, &[], |seed| stream::control(seed, 3000));
}

#[test]
fn bgpkit_unicast() {
    seeds("bgpkit on unicast", against_bgpkit, &[], |seed| stream::bmp_plain(seed, 5000));
}

#[test]
fn bgpkit_families() {
    seeds("bgpkit on families", against_bgpkit, &[DEFAULT_ROUTE], |seed| stream::every_family(seed, 5000));
}

#[test]
fn bgpkit_control() {
    seeds("bgpkit on control", against_bgpkit, &[], |seed| stream::control(seed, 3000));
}

const DISCOVERY: Settled = Settled {
    what: "VPLS entries of BGP auto-discovery",
    why: "routecore reads 17 octets whatever the length says; RFC 6074 §3.2.2.1 has 12: RD and address",
    matches: |entry, d| entry[..2] == [0, 12] && d.ours.is_ok(),
};

/// Flow specifications and VPLS, entry by entry: where one ends, and its key.
#[test]
fn routecore_families() {
    let mut tally = Tally::default();
    for seed in 0..4 {
        let (stream, _) = stream::every_family(seed, 5000);
        let end = frames(&stream, |frame| {
            let Ok(Some(monitoring)) = frame.route_monitoring() else { return };
            let update = monitoring.update().expect("a valid stream");
            for part in update.parts().filter(|part| routecore::knows(part.family)) {
                let mut field = part.nlri;
                let view = monitoring.peer.view().expect("a known kind of peer");
                for entry in part.routes(&Dialect::default(), view).expect("a valid stream") {
                    let ours = Ok(ours::entry(&entry));
                    let theirs = routecore::entry(part.family, field);
                    tally.compare(&[DISCOVERY], &format!("seed {seed}"), field, &ours, &theirs);
                    field = &field[entry.bytes().len()..];
                }
                assert!(field.is_empty());
            }
        });
        assert_eq!(end, None);
    }
    tally.finish("routecore on families", &[DISCOVERY]);
}

/// Captures that do not end well.
const ENDS: [(&str, &str); 1] =
    [("NetGauze-ipv4-unicast-all__s00.bmp", "offset 0: BMP version 4, expected 3")];

fn captures(who: &str, against: Against, settled: &[Settled]) {
    let mut tally = Tally::default();
    for (name, stream) in captures::bmp() {
        let end = against(&mut tally, settled, &name, &stream).map(|error| error.to_string());
        let expected =
            ENDS.iter().find(|(capture, _)| *capture == name).map(|(_, error)| (*error).to_owned());
        assert_eq!(end, expected, "{name}");
    }
    tally.finish(who, settled);
}

#[test]
fn netgauze_captures() {
    captures("NetGauze on captures", against_netgauze, &[MULTICAST, REFRESH, MIRRORED_ORIGIN]);
}

#[test]
fn bgpkit_captures() {
    captures("bgpkit on captures", against_bgpkit, &[RESTART_FLAGS, BROKEN_PDU, MIRRORED_ORIGIN]);
}

fn against_bgpkit_mrt(tally: &mut Tally, settled: &[Settled], name: &str, record: mrt::Record<'_>) {
    match ours::mrt(record, bgpkit::knows) {
        Some(ours) => tally.compare(settled, name, record.bytes(), &ours, &bgpkit::mrt(record.bytes())),
        None => tally.beyond += 1,
    }
}

#[test]
fn bgpkit_mrt() {
    let mut tally = Tally::default();
    for seed in 0..4 {
        for (bytes, answer) in [stream::mrt_rib(seed, 2000, 12), stream::mrt_updates(seed, 5000)] {
            let (messages, routes) = (tally.messages, tally.routes);
            let mut reader = mrt::Reader::open(&bytes[..]).expect("a file of MRT");
            while let Some(record) = reader.next().expect("a file of MRT") {
                against_bgpkit_mrt(&mut tally, &[], &format!("seed {seed}"), record);
            }
            assert_eq!(tally.messages - messages, answer.messages);
            assert_eq!(tally.routes - routes, answer.announced + answer.withdrawn);
        }
    }
    tally.finish("bgpkit on MRT", &[]);
}

/// A dump of half a million records says nothing new after so many.
const RECORDS_MAX: usize = 20_000;

#[test]
fn bgpkit_mrt_captures() {
    let settled = [UNDECLARED_PATH_IDS, RESTART_FLAGS, ZEBRA];
    let mut tally = Tally::default();
    for (name, file) in captures::mrt() {
        let mut reader = mrt::Reader::open(file).expect("a file of MRT");
        for _ in 0..RECORDS_MAX {
            match reader.next() {
                Ok(Some(record)) => against_bgpkit_mrt(&mut tally, &settled, name, record),
                Ok(None) => break,
                Err(error) => {
                    assert!(name.contains("firstMB"), "{name}: {error}"); // cut by those who keep it
                    break;
                }
            }
        }
    }
    tally.finish("bgpkit on MRT files", &settled);
}
