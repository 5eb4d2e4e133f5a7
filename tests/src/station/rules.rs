//! What each message does, and which rule it may break.

use super::nlri::{self, Nlri};
use super::octets::Octets;
use super::session::{Header, Session};
use super::update::Update;
use super::{Family, Newest, Peer, PeerKey, Route, RouteKey, Station};

const NAMES: [&str; 7] = [
    "Route Monitoring",
    "Statistics Report",
    "Peer Down",
    "Peer Up",
    "Initiation",
    "Termination",
    "Route Mirroring",
];

/// A type that no registry has and that one vendor sends all the same.
const ROUTE_POLICY_TRACE: u8 = 100;

/// How long an UPDATE may be if no OPEN says more.
const LONGEST_UPDATE: usize = 4096;

impl Station {
    pub(super) fn apply(&mut self, kind: u8, mut body: Octets<'_>) -> Result<(), String> {
        let Some(name) = NAMES.get(usize::from(kind)) else {
            return match kind {
                _ if self.now.messages == 0 => Err(format!("type {kind} before an Initiation")),
                ROUTE_POLICY_TRACE => Ok(()),
                _ => Err(format!("type {kind}, expected 0..=6 or {ROUTE_POLICY_TRACE}")),
            };
        };
        if self.now.messages == 0 && kind != 4 {
            return Err(format!("{name} before an Initiation"));
        }
        match kind {
            4 => return body.tlvs().map(drop).map_err(|text| format!("{name}: {text}")),
            5 => return self.termination(body).map_err(|text| format!("{name}: {text}")),
            _ => {}
        }
        let header = Header::read(&mut body)?;
        let done = match kind {
            0 => self.route_monitoring(&header, body),
            1 => self.statistics_report(&header, body),
            2 => self.peer_down(&header, body),
            3 => self.peer_up(&header, body),
            _ => self.route_mirroring(&header, body),
        };
        done.map_err(|text| format!("{name} of {}: {text}", header.peer))
    }

    fn termination(&mut self, body: Octets<'_>) -> Result<(), String> {
        let tlvs = body.tlvs()?;
        let reason = tlvs.iter().find(|(kind, _)| *kind == 1).map(|(_, value)| *value);
        let Some(&[a, b]) = reason else { return Err("no reason of two octets".to_owned()) };
        self.now.terminated = Some(u16::from_be_bytes([a, b]));
        Ok(())
    }

    fn peer_up(&mut self, header: &Header, body: Octets<'_>) -> Result<(), String> {
        let session = Session::read(header, body)?;
        match self.now.peers.get_mut(&header.peer) {
            Some(Peer::Up(up)) => {
                return up.unite(session).map_err(|what| format!("it is up, with another {what}"));
            }
            // What it said without a Peer Up was of an earlier life.
            Some(Peer::Provisional) => self.forget(header.peer),
            Some(Peer::Down) | None => {}
        }
        self.now.peers.insert(header.peer, Peer::Up(session));
        Ok(())
    }

    fn peer_down(&mut self, header: &Header, mut body: Octets<'_>) -> Result<(), String> {
        match self.now.peers.get(&header.peer) {
            Some(Peer::Up(_) | Peer::Provisional) => {}
            // Nobody knows when it is there, so nobody knows that it was not.
            _ if self.tolerated.contains(&header.peer) => {}
            Some(Peer::Down) => return Err("it is down already".to_owned()),
            None => return Err("it was never up".to_owned()),
        }
        match body.u8("reason")? {
            1 | 3 => drop(body.pdu(3, "NOTIFICATION")?),
            2 => drop(body.u16("FSM event")?),
            4 | 5 => {}
            6 => {
                body.tlvs()?;
                body = Octets::new(&[]);
            }
            reason => return Err(format!("reason {reason}, expected 1..=6")),
        }
        body.end("a Peer Down")?;
        self.forget(header.peer);
        self.now.peers.insert(header.peer, Peer::Down);
        Ok(())
    }

    /// A peer has lost everything.
    fn forget(&mut self, peer: PeerKey) {
        self.now.tables.retain(|key, _| key.peer != peer);
        self.now.end_of_ribs.retain(|(of, ..)| *of != peer);
        self.now.statistics.retain(|(of, _), _| *of != peer);
        let of_peer = self.newest.iter_mut().filter(|(key, _)| key.peer == peer);
        of_peer.for_each(|(_, newest)| newest.gone = !self.told_again);
    }

    /// The peer may speak now.
    fn speaks(&mut self, peer: PeerKey) -> Result<&Peer, String> {
        let tolerated = self.tolerated.contains(&peer);
        let state = match self.now.peers.entry(peer) {
            std::collections::btree_map::Entry::Vacant(_) if !tolerated => {
                return Err("no Peer Up before it".to_owned());
            }
            entry => entry.or_insert(Peer::Provisional),
        };
        match state {
            Peer::Down if tolerated => {
                *state = Peer::Provisional;
                Ok(state)
            }
            Peer::Down => Err("a Peer Down and no Peer Up before it".to_owned()),
            Peer::Up(_) | Peer::Provisional => Ok(state),
        }
    }

    fn statistics_report(&mut self, header: &Header, mut body: Octets<'_>) -> Result<(), String> {
        self.speaks(header.peer)?;
        let whole = body.rest().to_vec();
        for _ in 0..body.u32("count of statistics")? {
            body.tlv()?;
        }
        body.end("the statistics that were counted")?;
        self.now.statistics.insert((header.peer, header.flags), whole);
        Ok(())
    }

    fn route_mirroring(&mut self, header: &Header, body: Octets<'_>) -> Result<(), String> {
        self.speaks(header.peer)?;
        let tlvs = body.tlvs()?;
        self.messages_lost += tlvs.iter().filter(|tlv| **tlv == (1, &[0, 1])).count();
        Ok(())
    }

    fn route_monitoring(&mut self, header: &Header, body: Octets<'_>) -> Result<(), String> {
        let view = header.view();
        let peer = self.speaks(header.peer)?;
        let has_path_ids = |family| match peer {
            Peer::Up(session) => session.has_path_ids(view, family),
            Peer::Provisional | Peer::Down => false,
        };
        let longest = match peer {
            Peer::Up(session) => session.longest_update(),
            Peer::Provisional | Peer::Down => LONGEST_UPDATE,
        };
        let update = Update::read(body, longest)?;
        let mut untold = false;
        let mut split = |family, field| {
            if nlri::is_known(family) {
                return nlri::split(family, has_path_ids(family), field);
            }
            untold = true;
            Ok(Vec::new())
        };
        // Everything is read before anything is done.
        let unreach = update.unreach.map(|(family, field)| Ok::<_, String>((family, split(family, field)?)));
        let reach = update
            .reach
            .map(|(family, next_hop, field)| Ok::<_, String>((family, next_hop, split(family, field)?)));
        let withdrawn = split((1, 1), update.withdrawn)?;
        let nlri = split((1, 1), update.nlri)?;
        let (unreach, reach) = (unreach.transpose()?, reach.transpose()?);

        self.tally.updates += 1;
        if let Some(family) = update.end_of_rib() {
            self.tally.end_of_ribs += 1;
            self.now.end_of_ribs.insert((header.peer, view, family));
            return Ok(());
        }
        self.tally.untold += usize::from(untold);
        // A prefix in both is announced, RFC 4271 §4.3.
        self.withdraw(header, (1, 1), withdrawn);
        if let Some((family, routes)) = unreach {
            self.withdraw(header, family, routes);
        }
        if let Some((family, next_hop, routes)) = reach {
            self.announce(header, family, next_hop, &update, routes)?;
        }
        self.announce(header, (1, 1), &[], &update, nlri)
    }

    fn withdraw(&mut self, header: &Header, family: Family, routes: Vec<Nlri>) {
        self.tally.withdrawn += routes.len();
        for route in routes {
            let (key, _) = keyed(header, family, route);
            if let Some(newest) = self.newest.get_mut(&key) {
                newest.gone = true;
            }
            if self.now.tables.remove(&key).is_none() {
                self.tally.withdrawn_absent += 1;
            }
        }
    }

    fn announce(
        &mut self,
        header: &Header,
        family: Family,
        next_hop: &[u8],
        update: &Update<'_>,
        routes: Vec<Nlri>,
    ) -> Result<(), String> {
        self.tally.announced += routes.len();
        for route in routes {
            let (key, payload) = keyed(header, family, route);
            if let Some(version) = update.version {
                match self.newest.get(&key) {
                    Some(Newest { version: newest, .. }) if version < *newest => {
                        return Err(format!("version {version} behind {newest}: {key}"));
                    }
                    Some(Newest { version: newest, gone: true }) if version == *newest => {
                        return Err(format!("version {version} again, which was withdrawn: {key}"));
                    }
                    _ => self.newest.insert(key.clone(), Newest { version, gone: false }),
                };
            }
            let route = Route {
                header: (header.flags, header.asn, header.bgp_id),
                next_hop: next_hop.to_vec(),
                attributes: update.attributes.clone(),
                payload,
                trailing: update.trailing.to_vec(),
            };
            self.now.tables.insert(key, route);
        }
        Ok(())
    }
}

fn keyed(header: &Header, family: Family, route: Nlri) -> (RouteKey, Vec<u8>) {
    let Nlri { key, path_id, payload } = route;
    (RouteKey { peer: header.peer, view: header.view(), family, key, path_id }, payload)
}
