//! A server of the model: what it wants, how it is, and what it has heard.

use std::net::IpAddr;
use std::sync::Arc;

use mirror::{Instance, Row, SessionId, Want};
use tests::station::{Family, PeerKey, Station, View};
use wire::bgp;
use writer::driver::Token;
use writer::plan::Plan;
use writer::twin::{Manner, Twin};

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

/// A server, and what it has heard on which connection.
pub(crate) struct Server {
    pub(crate) session: SessionId,
    /// By number.
    pub(crate) router: usize,
    pub(crate) wish: usize,
    pub(crate) station: Station,
    /// Whether it is to have a connection.
    pub(crate) wanted: bool,
    /// Steps for which it does not read.
    pub(crate) stalled: usize,
    /// How it is when it does.
    pub(crate) manner: Manner,
    /// The connection that the station hears, and how many octets came by it.
    hears: Token,
    got: usize,
    pub(crate) farewells: usize,
    trace: Trace,
}

impl Server {
    pub(crate) fn new(session: SessionId, router: usize, wish: usize, manner: Manner) -> Self {
        Self {
            session,
            router,
            wish,
            station: Station::new(),
            wanted: false,
            stalled: 0,
            manner,
            hears: Token { session: writer::fleet::SessionId(session.0), life: 0 },
            got: 0,
            farewells: 0,
            trace: Trace::new(format!("        server {}", session.0)),
        }
    }

    pub(crate) fn address(&self) -> IpAddr {
        IpAddr::from([192, 0, 2, u8::try_from(self.session.0).expect("a few servers")])
    }

    pub(crate) fn plan(&self) -> Box<Plan> {
        Box::new(Plan::new(&format!("server {}", self.session.0), (self.address(), 5000).into()))
    }

    /// How it is now.
    pub(crate) fn behave(&self, twin: &mut Twin) {
        let bite = if self.stalled > 0 { 0 } else { self.manner.bite };
        twin.set_manner(self.address(), Manner { bite, ..self.manner.clone() });
    }

    /// Reads what came, one connection after the other, and says what broke a rule. Whether there was anything.
    pub(crate) fn hear(&mut self, twin: &mut Twin) -> Result<bool, String> {
        let mut any = false;
        loop {
            let octets = twin.take(self.hears);
            self.trace.octets(&octets);
            self.station.take(&octets)?;
            self.got += octets.len();
            any |= !octets.is_empty();
            let next = Token { life: self.hears.life + 1, ..self.hears };
            if twin.life(next).is_none() {
                return Ok(any);
            }
            // The connection is over. Who has been told the end has been told farewell, if anything.
            if twin.life(self.hears).is_some_and(|life| life.whole) && self.got > 0 {
                if self.station.terminated() != Some(0) {
                    return Err("left without a word".to_owned());
                }
                self.farewells += 1;
            }
            self.station.reconnect();
            self.trace.note("has another connection");
            (self.hears, self.got) = (next, 0);
        }
    }
}

/// The wish of a server, for sharing.
pub(crate) fn shared(wish: &Wish) -> Arc<Want> {
    Arc::new(wish.want.clone())
}
