//! What a peer says about its routes.

use std::collections::BTreeMap;

use super::World;
use super::attributes::Set;
use super::nlri::{Nlri, Style, nth};
use super::peer::{A, L, O, Peer, State};
use super::update::Update;
use crate::station::{Family, Route, RouteKey, View};

/// A route that was announced.
pub(super) struct Held {
    pub(super) route: Route,
    nlri: Nlri,
    how: How,
}

/// What routes must share to be announced by one UPDATE.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct How {
    /// Without A.
    flags: u8,
    family: Family,
    /// `None` in the NLRI field.
    next_hop: Option<Vec<u8>>,
    set: Set,
    trailing: Vec<u8>,
}

pub(super) const IPV4: Family = (1, 1);

impl Peer {
    /// Anything that a peer says that does not go down or come up.
    pub(super) fn speak(&mut self, world: &mut World) -> Vec<u8> {
        let dice = world.rng.below(100);
        let bytes = match (&self.state, dice) {
            (State::Down, _) => return Vec::new(),
            (_, 45..52) => self.announce_again(world),
            (_, 52..70) => self.withdraw(world),
            (_, 70..72) => self.unknown_family(world),
            (_, 72) => self.withdraw_all(world),
            (_, 0..45) | (State::Provisional, _) => self.announce(world),
            (State::Up(_), 73..85) => self.mixed(world),
            (State::Up(_), 85..91) => self.end_of_rib(world),
            (State::Up(_), 91..97) => self.statistics_report(world),
            (State::Up(_), _) => self.route_mirroring(world),
        };
        self.known |= !bytes.is_empty();
        bytes
    }

    /// All routes with new versions, and that this is all.
    pub(super) fn dump(&mut self, world: &mut World) -> Vec<Vec<u8>> {
        let mut groups: BTreeMap<How, Vec<Nlri>> = BTreeMap::new();
        for (_, Held { nlri, how, .. }) in std::mem::take(&mut self.table) {
            groups.entry(how).or_default().push(nlri);
        }
        let mut dump = Vec::new();
        for (how, routes) in groups {
            let set = how.set.renewed(world);
            dump.push(self.announce_like(world, How { set, ..how }, routes));
        }
        self.known |= !dump.is_empty();
        if matches!(self.state, State::Up(_)) {
            for view in self.kind.views {
                dump.extend(self.families().into_iter().map(|family| self.end_of(world, *view, family)));
            }
        }
        dump
    }

    /// One of its views and one of its families.
    pub(super) fn place(&self, world: &mut World) -> Option<(u8, Family)> {
        let families = self.families();
        (!families.is_empty()).then(|| (world.rng.pick(self.kind.views), world.rng.pick(&families)))
    }

    pub(super) fn view(&self, flags: u8) -> View {
        View::of(self.key.kind, flags)
    }

    /// Some routes out of the pool of a family.
    fn draw(
        &self,
        world: &mut World,
        (flags, family): (u8, Family),
        most: usize,
        withdrawn: bool,
    ) -> Vec<Nlri> {
        let path_ids = self.has_path_ids(self.view(flags), family);
        let style = Style { withdrawn, tidy: self.kind.provisional };
        let count = 1 + world.rng.below(most);
        let each = (0..count).map(|_| {
            let n = world.rng.below(world.shape.prefixes);
            let path_id = path_ids.then(|| world.rng.pick(&[0, 1, 2, u32::MAX]));
            nth(&mut world.rng, family, n, path_id, style)
        });
        each.collect()
    }

    /// The same routes as they are withdrawn.
    fn withdrawal_of(&self, world: &mut World, family: Family, routes: &[Nlri]) -> Vec<Nlri> {
        let style = Style { withdrawn: true, tidy: self.kind.provisional };
        routes.iter().map(|nlri| nth(&mut world.rng, family, nlri.n, nlri.path_id, style)).collect()
    }

    fn how(&self, world: &mut World, (flags, family): (u8, Family)) -> How {
        // Room for the other attributes and a long NLRI is left.
        let most = if self.longest() > 4096 { 2500 } else { 850 };
        let two_octets = self.kind.legacy && world.rng.percent(70);
        let plain = family == IPV4 && world.rng.percent(70);
        How {
            flags: self.kind.flags | flags,
            family,
            next_hop: (!plain).then(|| next_hop(world, family)),
            set: Set::draw(world, most, two_octets),
            trailing: self.trailing(world, flags),
        }
    }

    /// Status and perhaps reason of a route, as one vendor puts them behind the PDU.
    fn trailing(&self, world: &mut World, flags: u8) -> Vec<u8> {
        if self.kind.trailing != Some(flags) || world.rng.percent(30) {
            return Vec::new();
        }
        world
            .rng
            .pick(&[
                &[0xea, 0x62, 0, 4, 0, 0, 0, 10][..],
                &[0xea, 0x62, 0, 4, 0, 0, 0, 4],
                &[0xea, 0x62, 0, 6, 0, 0, 0, 4, 0, 14],
            ])
            .to_vec()
    }

    fn announce(&mut self, world: &mut World) -> Vec<u8> {
        let Some(place) = self.place(world) else { return Vec::new() };
        let routes = self.draw(world, place, 12, false);
        let how = self.how(world, place);
        self.announce_like(world, how, routes)
    }

    fn announce_like(&mut self, world: &mut World, how: How, routes: Vec<Nlri>) -> Vec<u8> {
        let How { flags, family, next_hop, set, trailing } = how;
        let mut update = Update { flags, set: Some(set), trailing, ..Update::default() };
        update.reach_first = world.rng.percent(50);
        match next_hop {
            None => update.nlri = routes,
            Some(next_hop) => update.reach = Some((family, next_hop, routes)),
        }
        self.send(world, update)
    }

    /// Routes that stand already, once more and no different.
    fn announce_again(&mut self, world: &mut World) -> Vec<u8> {
        let Some(how) = self.any(world).map(|held| held.how.clone()) else { return Vec::new() };
        let same = self.table.values().filter(|held| held.how == how);
        let routes = same.map(|held| held.nlri.clone()).take(12).collect();
        self.announce_like(world, how, routes)
    }

    fn any(&self, world: &mut World) -> Option<&Held> {
        let at = world.rng.below(self.table.len().max(1));
        self.table.values().nth(at)
    }

    fn withdraw(&mut self, world: &mut World) -> Vec<u8> {
        let (flags, family, routes) = match self.any(world).map(|held| held.how.clone()) {
            Some(How { flags, family, .. }) if world.rng.percent(85) => {
                let of_family =
                    self.table.values().filter(|held| (held.how.flags, held.how.family) == (flags, family));
                let percent = world.rng.pick(&[10, 30, 60]);
                let mut routes: Vec<_> = of_family.map(|held| held.nlri.clone()).collect();
                routes.retain(|_| world.rng.percent(percent));
                (flags, family, self.withdrawal_of(world, family, &routes))
            }
            // Routes of which most are not there.
            _ => {
                let Some((flags, family)) = self.place(world) else { return Vec::new() };
                (self.kind.flags | flags, family, self.draw(world, (flags, family), 4, true))
            }
        };
        if routes.is_empty() {
            return Vec::new();
        }
        let trailing = self.trailing(world, flags & (L | O));
        let mut update = Update { flags, trailing, ..Update::default() };
        if family == IPV4 && world.rng.percent(70) {
            update.withdrawn = routes;
        } else {
            update.unreach = Some((family, routes));
        }
        self.send(world, update)
    }

    fn withdraw_all(&mut self, world: &mut World) -> Vec<u8> {
        let mut groups: BTreeMap<(u8, Family), Vec<Nlri>> = BTreeMap::new();
        for Held { nlri, how, .. } in self.table.values() {
            groups.entry((how.flags, how.family)).or_default().push(nlri.clone());
        }
        let mut bytes = Vec::new();
        for ((flags, family), routes) in groups {
            let routes = self.withdrawal_of(world, family, &routes);
            let unreach = Some((family, routes));
            bytes.extend(self.send(world, Update { flags, unreach, ..Update::default() }));
        }
        bytes
    }

    /// IPv4 withdrawn and announced, some of it the same, and two other families in the same UPDATE.
    fn mixed(&mut self, world: &mut World) -> Vec<u8> {
        let Some((flags, reach)) = self.place(world) else { return Vec::new() };
        let families = self.families();
        if !families.contains(&IPV4) || reach == IPV4 {
            return self.announce(world);
        }
        let unreach = world.rng.pick(&families);
        let mut how = self.how(world, (flags, reach));
        let nlri = self.draw(world, (flags, IPV4), 4, false);
        let mut withdrawn = self.draw(world, (flags, IPV4), 3, true);
        if world.rng.percent(40) {
            withdrawn.extend(self.withdrawal_of(world, IPV4, &nlri[..1]));
        }
        let announced = self.draw(world, (flags, reach), 4, false);
        let mut gone = self.draw(world, (flags, unreach), 4, true);
        if unreach == reach && world.rng.percent(40) {
            gone.extend(self.withdrawal_of(world, reach, &announced[..1]));
        }
        let next_hop = how.next_hop.take().unwrap_or_default();
        let update = Update {
            flags: how.flags,
            withdrawn,
            unreach: Some((unreach, gone)),
            reach: Some((reach, next_hop, announced)),
            nlri,
            set: Some(how.set),
            reach_first: world.rng.percent(50),
            trailing: how.trailing,
        };
        self.send(world, update)
    }

    /// Says it in as many UPDATEs as it takes, and notes what it amounts to.
    fn send(&mut self, world: &mut World, update: Update) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (part, pdu) in update.fitting(self.longest()) {
            let flags = part.flags | if part.set.as_ref().is_some_and(|set| set.two_octets) { A } else { 0 };
            bytes.extend(self.message(world, 0, flags, |out| {
                out.extend(pdu);
                out.extend(&part.trailing);
            }));
            self.note(flags, part);
        }
        bytes
    }

    /// Withdrawals first: what is in both is announced.
    fn note(&mut self, flags: u8, update: Update) {
        let attributes = update.attributes();
        let peer = self.key;
        let view = self.view(flags);
        let key = |family, nlri: &Nlri| RouteKey {
            peer,
            view,
            family,
            key: nlri.key.clone(),
            path_id: nlri.path_id,
        };
        let (family, gone) = update.unreach.unwrap_or((IPV4, Vec::new()));
        let gone = gone.iter().map(|nlri| key(family, nlri));
        for key in update.withdrawn.iter().map(|nlri| key(IPV4, nlri)).chain(gone) {
            self.table.remove(&key);
        }
        let Some(set) = update.set else { return };
        let (asn, bgp_id) = self.speaker();
        let (family, next_hop, reached) = update.reach.unwrap_or((IPV4, Vec::new(), Vec::new()));
        let reached = reached.into_iter().map(|nlri| (family, Some(next_hop.clone()), nlri));
        for (family, next_hop, nlri) in reached.chain(update.nlri.into_iter().map(|nlri| (IPV4, None, nlri)))
        {
            let key = key(family, &nlri);
            let route = Route {
                header: (flags, asn, bgp_id),
                next_hop: next_hop.clone().unwrap_or_default(),
                attributes: attributes.clone(),
                payload: nlri.payload.clone(),
                trailing: update.trailing.clone(),
            };
            let trailing = update.trailing.clone();
            let how = How { flags: update.flags, family, next_hop, set: set.clone(), trailing };
            self.table.insert(key, Held { route, nlri, how });
        }
    }
}

/// One of few, of each length that a family may have.
fn next_hop(world: &mut World, family: Family) -> Vec<u8> {
    let last = world.rng.within(1, 3);
    let v4 = vec![198, 51, 100, last];
    let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[last]].concat();
    let link_local = [&[0xfe, 0x80][..], &[0; 13], &[last]].concat();
    let short = world.rng.percent(70);
    match (family, short) {
        ((1, 133), _) => Vec::new(),
        ((1, 2), _) | ((1, 1 | 4) | (25, 70), true) => v4,
        ((1, 128), true) => [vec![0; 8], v4].concat(),
        ((1 | 2, 128), _) => [vec![0; 8], v6].concat(),
        ((2, 1), false) => [v6, link_local].concat(),
        _ => v6,
    }
}
