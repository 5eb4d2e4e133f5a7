//! The core by itself: lanes in, readers out, a step at a time.
//!
//! ```text
//!  Bench: Inlet ─► Core::step ─► Output ─► Server: a queue of readers, a Vec of octets ─► lines
//! ```

mod lanes;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use mirror::{SessionId, Want};
use queue::log::{Read, Reader};
use queue::ring::{Gate, Inlet};
use rib::Time;
use wire::bgp::{self, Announce, PduKind, Route};
use wire::bmp::{self, DownReason, Frame, PeerHeader};

use super::{Connection, Core, Output, Record, Settings, Step};

const BEGIN: u64 = 1_000_000_000;

fn p(n: u8) -> PeerHeader {
    let mut header = PeerHeader { asn: (65000 + u32::from(n)).into(), ..PeerHeader::default() };
    header.address[12..].copy_from_slice(&[192, 0, 2, n]);
    header
}

fn written(write: impl FnOnce(&mut [u8]) -> Result<usize, wire::Overflow>) -> Vec<u8> {
    let mut octets = vec![0xa5; 8192];
    let len = write(&mut octets).expect("a short message");
    octets.truncate(len);
    octets
}

fn up(n: u8) -> Vec<u8> {
    let mut open = vec![0; 64];
    let len = bgp::write_open(&mut open, 65000, 90, [1; 4], &[]).expect("a short one");
    let (open, _) = bgp::Pdu::split_whole(&open[..len]).expect("an OPEN");
    assert_eq!(open.kind(), PduKind::OPEN);
    written(|to| bmp::peer_up(to, &p(n), &[5; 16], (1, 179), (open, open), &[]))
}

fn down(n: u8) -> Vec<u8> {
    written(|to| bmp::peer_down(to, &p(n), DownReason::DECONFIGURED, &[]))
}

/// A route of a peer: the nth prefix, and a MED.
fn add(peer: u8, n: u16, med: u32) -> Vec<u8> {
    let [a, b] = n.to_be_bytes();
    let block = [&[0x40, 1, 1, 0, 0x80, 4, 4][..], &med.to_be_bytes()].concat();
    written(|to| {
        bmp::route_monitoring_with(to, &p(peer), |pdu| {
            let mut announce = Announce::open(pdu, wire::Family::IPV4_UNICAST, &block)?;
            announce.push(&Route { path_id: None, key: &[24, 10, a, b], payload: &[] })?;
            Ok(announce.close())
        })
    })
}

/// One server: what it is to read, what it has read, and whether it reads.
#[derive(Default)]
struct Server {
    connection: Option<Connection>,
    readers: VecDeque<Reader>,
    octets: Vec<u8>,
    stalled: bool,
    falls: usize,
}

/// A core, what brings it octets, and its servers.
struct Bench {
    gate: Gate<Record>,
    core: Core,
    now: Time,
    servers: BTreeMap<SessionId, Server>,
    /// All else that came out.
    said: Vec<String>,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let (gate, core) = Core::new(settings, || {});
        Self { gate, core, now: Time(BEGIN), servers: BTreeMap::new(), said: Vec::new() }
    }

    /// A lane of a router.
    fn lane(&self, router: &str, connection: u64) -> Inlet<Record> {
        let mut lane = self.gate.open(64).expect("lanes enough");
        push(&mut lane, Record::Of { router: Arc::from(router), connection });
        lane
    }

    fn attach(&mut self, router: &str) -> SessionId {
        let id = self.core.attach(router, &Arc::new(Want::everything()));
        self.servers.insert(id, Server::default());
        id
    }

    fn connect(&mut self, id: SessionId) -> Connection {
        let connection = self.core.connected(id);
        *self.server(id) = Server { connection: Some(connection), ..Server::default() };
        connection
    }

    fn server(&mut self, id: SessionId) -> &mut Server {
        self.servers.get_mut(&id).expect("a session of ours")
    }

    /// A second goes by, and a step is made.
    fn step(&mut self) -> Step {
        self.now.0 += 1_000_000;
        let Self { core, now, servers, said, .. } = self;
        core.step(*now, |output| match output {
            Output::Read(connection, reader) | Output::Follow(connection, _, reader) => {
                let server = servers.get_mut(&connection.session).expect("a session of ours");
                assert_eq!(server.connection, Some(connection), "a reader for the connection there is");
                server.readers.push_back(reader);
            }
            Output::Finish(..) => unreachable!("not by a step"),
            Output::Came(_) | Output::Went(_) | Output::Beyond(_) => {}
            Output::Broken(router, error) => said.push(format!("router {}: {error}", router.0)),
            Output::Untold(id, peers) => said.push(format!("session {}: {peers} untold", id.0)),
        })
    }

    /// All servers read what there is, but for those that are stalled. Whether there was anything.
    fn read(&mut self) -> bool {
        let mut any = false;
        for server in self.servers.values_mut().filter(|server| !server.stalled) {
            let Some(connection) = server.connection else { continue };
            while let Some(reader) = server.readers.front_mut() {
                match reader.read(usize::MAX) {
                    Read::Data(chunk) => {
                        server.octets.extend(&chunk[..]);
                        reader.advance(chunk.len());
                    }
                    Read::Idle => break,
                    Read::Closed => {
                        server.readers.pop_front();
                        self.core.took(connection);
                    }
                    Read::Fell => {
                        server.falls += 1;
                        let reader = server.readers.pop_front().expect("it is there");
                        self.core.fell(connection, &reader);
                    }
                }
                any = true;
            }
        }
        any
    }

    /// Steps and reads until there is nothing to do.
    fn calm(&mut self) {
        for _ in 0..10_000 {
            let step = self.step();
            if !self.read() && !step.more && step.at.is_none() && !step.news {
                return;
            }
        }
        panic!("it does not fall quiet");
    }

    /// What a server has read since it was last asked, in short.
    fn lines(&mut self, id: SessionId) -> Vec<String> {
        let octets = std::mem::take(&mut self.server(id).octets);
        let (mut rest, mut lines) = (&octets[..], Vec::new());
        while let Some((frame, tail)) = Frame::split(rest).expect("BMP") {
            let mut line = frame.to_string();
            for n in 1..=9 {
                line = line.replace(&format!("global 192.0.2.{n} AS6500{n}"), &format!("p{n}"));
            }
            let line = line.replace("route-monitoring ", "").replace("adj-rib-in-pre ", "");
            // What a Peer Up and an Initiation say is not looked at here.
            let words = if line.starts_with("peer-up") {
                2
            } else if line.starts_with("init") {
                1
            } else {
                99
            };
            lines.push(line.split(' ').take(words).collect::<Vec<_>>().join(" "));
            rest = tail;
        }
        assert!(rest.is_empty(), "whole messages");
        lines
    }
}

fn push(lane: &mut Inlet<Record>, record: Record) {
    assert!(lane.push(record).is_ok(), "room in the lane");
}

fn send(lane: &mut Inlet<Record>, messages: &[Vec<u8>]) {
    push(lane, Record::Messages(Bytes::from(messages.concat())));
}
