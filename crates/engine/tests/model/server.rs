//! A server of the model, and the connection that feeds it: what a writer does, at any speed.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::core::{Connection, Core};
use mirror::{Instance, Row, SessionId, Want};
use queue::log::{Chunk, Read, Reader};
use tests::Rng;
use tests::station::{Family, PeerKey, Station, View};
use wire::bgp;

use crate::trace::Trace;

/// What a server wants, and which routes are that, said twice: once for the mirror, once in plain words.
pub(crate) struct Wish {
    pub(crate) want: Want,
    pub(crate) wants: fn(&PeerKey, View, Option<Family>) -> bool,
}

fn public(peer: &PeerKey) -> bool {
    peer.kind == 0 || peer.kind == 3 && peer.distinguisher == [0; 8]
}

/// All wishes there are.
pub(crate) fn wishes() -> Vec<Wish> {
    let row = |instance, tables: &[(bgp::View, Family)]| {
        let family = |(afi, safi)| wire::Family::new(afi, safi);
        Row {
            instance,
            address: None,
            tables: tables.iter().map(|(view, of)| (*view, family(*of))).collect(),
        }
    };
    let pre = |family| (bgp::View::AdjRibInPre, family);
    let local = |family| (bgp::View::LocRib, family);
    vec![
        Wish { want: Want::everything(), wants: |_, _, _| true },
        Wish { want: Want { mirroring: false, ..Want::everything() }, wants: |_, _, _| true },
        Wish {
            want: Want { rows: vec![row(Instance::Public, &[])], mirroring: true },
            wants: |peer, _, _| public(peer),
        },
        Wish {
            want: Want { rows: vec![row(Instance::Vpn, &[])], mirroring: false },
            wants: |peer, _, _| !public(peer),
        },
        Wish {
            want: Want {
                rows: vec![
                    row(Instance::Any, &[pre((1, 1)), local((1, 1)), local((2, 1))]),
                    row(Instance::Vpn, &[pre((1, 1)), pre((1, 128))]),
                ],
                mirroring: true,
            },
            wants: |peer, view, family| match (view, family) {
                (View::PreIn, Some((1, 1)) | None) | (View::LocRib, Some((1 | 2, 1)) | None) => true,
                (View::PreIn, Some((1, 128))) => !public(peer),
                _ => false,
            },
        },
    ]
}

pub(crate) struct Server {
    pub(crate) session: SessionId,
    /// By number.
    pub(crate) router: usize,
    pub(crate) wish: usize,
    pub(crate) station: Station,
    pub(crate) connection: Option<Connection>,
    /// What it is to read, one after the other.
    pub(crate) readers: VecDeque<Reader>,
    /// What is with the kernel: octets that were read and of which so many have gone out.
    flying: Option<(Chunk, usize)>,
    /// Steps for which it does not read.
    pub(crate) stalled: usize,
    /// Octets of a turn, at most.
    pub(crate) speed: usize,
    pub(crate) falls: usize,
    /// Whether anything was sent on this connection.
    greeted: bool,
    trace: Trace,
}

impl Server {
    pub(crate) fn new(session: SessionId, router: usize, wish: usize) -> Self {
        Self {
            session,
            router,
            wish,
            station: Station::new(),
            connection: None,
            readers: VecDeque::new(),
            flying: None,
            stalled: 0,
            speed: 0,
            falls: 0,
            greeted: false,
            trace: Trace::new(format!("        server {}", session.0)),
        }
    }

    pub(crate) fn connect(&mut self, core: &mut Core) {
        assert!(self.connection.is_none());
        self.station.reconnect();
        self.greeted = false;
        self.trace.note("connects");
        self.connection = Some(core.connected(self.session));
    }

    pub(crate) fn disconnect(&mut self, core: &mut Core) {
        if let Some(connection) = self.connection.take() {
            self.readers.clear();
            self.flying = None;
            core.lost(connection);
        }
    }

    /// Takes what is given for this connection, and nothing for another.
    pub(crate) fn give(&mut self, connection: Connection, reader: Reader) {
        if self.connection == Some(connection) {
            self.readers.push_back(reader);
        }
    }

    /// Reads, and says what broke a rule. Whether there was anything.
    pub(crate) fn read(&mut self, core: &mut Core, dice: &mut Rng) -> Result<bool, String> {
        let Some(connection) = self.connection else { return Ok(false) };
        if self.stalled > 0 {
            self.stalled -= 1;
            return Ok(false);
        }
        let mut left = dice.below(self.speed) + 1;
        let mut any = false;
        while left > 0 {
            if let Some((chunk, gone)) = &mut self.flying {
                let len = (chunk.len() - *gone).min(left);
                self.trace.octets(&chunk[*gone..*gone + len]);
                self.station.take(&chunk[*gone..*gone + len])?;
                self.greeted = true;
                (*gone, left, any) = (*gone + len, left - len, true);
                // A send that was partly done is resumed from where the reader then stands.
                let done = *gone;
                if done == chunk.len() || dice.percent(50) {
                    self.readers.front_mut().expect("it was read from").advance(done);
                    self.flying = None;
                }
                continue;
            }
            let Some(reader) = self.readers.front_mut() else { break };
            match reader.read(dice.below(2 * self.speed)) {
                Read::Data(chunk) => self.flying = Some((chunk, 0)),
                Read::Idle => break,
                Read::Closed => {
                    self.readers.pop_front();
                    core.took(connection);
                    any = true;
                }
                Read::Fell => {
                    self.trace.note("falls off");
                    self.falls += 1;
                    assert_eq!(self.readers.len(), 1, "nothing follows a log");
                    let reader = self.readers.pop_front().expect("it is there");
                    if self.station.mid_message() {
                        return Err("fell off inside of a message".to_owned());
                    }
                    core.fell(connection, &reader);
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }

    /// Reads all that one last reader has, after the message that is being sent; nothing, if nothing was
    /// sent. Whether it was.
    pub(crate) fn finish(&mut self, mut last: Reader) -> Result<bool, String> {
        if !self.greeted {
            return Ok(false);
        }
        if let Some((_, gone)) = self.flying.take() {
            self.readers.front_mut().expect("it was read from").advance(gone);
        }
        let mut rest = self.readers.front_mut().filter(|reader| !reader.at_boundary());
        while let Some(reader) = &mut rest
            && !reader.at_boundary()
        {
            let Read::Data(chunk) = reader.read(0) else { return Err("a message without an end".to_owned()) };
            self.station.take(&chunk)?;
            reader.advance(chunk.len());
        }
        while let Read::Data(chunk) = last.read(usize::MAX) {
            self.station.take(&chunk)?;
            last.advance(chunk.len());
        }
        self.readers.clear();
        Ok(true)
    }
}

/// The wish of a server, for sharing.
pub(crate) fn shared(wish: &Wish) -> Arc<Want> {
    Arc::new(wish.want.clone())
}
