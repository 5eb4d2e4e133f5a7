//! A RIB, a naive twin, and servers that rebuild their tables from what walks tell them.
//!
//! ```text
//!  random steps ─► rib   ─walk─► messages ─wire─► the table of each server ─┐
//!             └──► twin (a BTreeMap) ───────────────────────────────────────┴─► equal, once all is quiet
//! ```
//!
//! * **round** a server walks all columns, and is then owed what changed after the epoch that the tick
//!   gave when the round began.
//! * **floor** what no server may still be owed is swept away at once, so that one owed it would fail.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wire::bgp::MESSAGE_MAX;

use super::steps::{COLUMNS, Look, SERVERS, Step, settings, step};
use super::{Key, Table, Value, block, field, header, read, route, said};
use crate::{ColumnId, Count, Cursor, Epoch, ROOM_MIN, Rib, Settings, Shared, Time, Walked};

/// What a server knows of a column, and where its walk stands.
#[derive(Clone, Default)]
struct Part {
    table: Table,
    since: Epoch,
    cursor: Cursor,
    done: bool,
}

#[derive(Default)]
struct Server {
    parts: Vec<Part>,
    /// The epoch at which its round began, and how many routes it was told in it.
    round: Option<(Epoch, usize)>,
    /// The last buffer was too small for any message.
    cramped: bool,
}

struct World {
    rib: Rib,
    settings: Settings,
    ids: Vec<ColumnId>,
    twin: Vec<Table>,
    /// When the paths of the twin changed, gone ones included.
    times: BTreeMap<(usize, Key), u64>,
    servers: Vec<Server>,
    now: u64,
    aged: bool,
    fresh: u32,
    buffer: Vec<u8>,
}

impl World {
    fn new(settings: Settings) -> Self {
        let mut rib = Rib::new(settings);
        let ids = COLUMNS.map(|(family, add_path)| rib.open(family, add_path).expect("a known family"));
        let server = || Server { parts: vec![Part::default(); COLUMNS.len()], ..Server::default() };
        Self {
            rib,
            settings,
            ids: ids.to_vec(),
            twin: vec![Table::new(); COLUMNS.len()],
            times: BTreeMap::new(),
            servers: (0..SERVERS).map(|_| server()).collect(),
            now: 0,
            aged: false,
            fresh: 1000,
            buffer: vec![0xa5; ROOM_MIN],
        }
    }

    fn step(&mut self, step: &Step) {
        match step.clone() {
            Step::Announce { column, routes, stride, path, look, payload } => {
                self.announce(column, routes.map(|n| n * stride), path, look, payload);
            }
            Step::Withdraw { column, routes, stride, path } => {
                let family = COLUMNS[column].0;
                let keys: Vec<_> = routes.map(|n| (route(family, n * stride, 0).0, path)).collect();
                self.withdraw(column, &keys);
            }
            Step::Drain { column } => {
                let keys: Vec<_> = self.twin[column].keys().cloned().collect();
                self.withdraw(column, &keys);
            }
            Step::Tick { micros } => {
                self.now += micros;
                self.rib.tick(Time(self.now));
            }
            Step::Sweep { work } => {
                self.rib.sweep(self.floor(), work);
            }
            Step::Reopen { column, rest } => self.reopen(column, rest),
            Step::Age { half } => {
                let left = u64::from(u32::MAX - 1 - self.rib.epochs.next_stamp());
                self.rib.age(if half { left / 2 } else { left });
                self.aged = true;
            }
            Step::Serve { server, calls, work, room } => {
                for _ in 0..calls {
                    self.serve(server, work, room);
                }
            }
            Step::Rest { server } => self.rest(server),
            Step::Leave { server } => {
                self.rest(server);
                self.servers[server] =
                    Server { parts: vec![Part::default(); COLUMNS.len()], ..Server::default() };
            }
        }
        self.check_counts();
    }

    fn announce(
        &mut self,
        column: usize,
        routes: impl Iterator<Item = u16>,
        path: u32,
        look: Look,
        payload: u8,
    ) {
        let (family, add_path) = COLUMNS[column];
        let path = if add_path { path } else { 0 };
        let id = if look < 16 { u32::from(look) } else { self.fresh };
        self.fresh += u32::from(look >= 16);
        let more = [0, 0, 40, 300, 5000, 0, 1200, 0][usize::from(look) % 8];
        let trailing = [0, 0, 7, 0, 0, 60_000, 0, 0, 0, 300][usize::from(look) % 10];
        let value = |payload: Vec<u8>| Value {
            payload,
            block: block(family, id, more),
            trailing: vec![look; trailing],
            two_octet_as: look % 5 == 1,
        };
        let routes: Vec<_> = routes.map(|n| route(family, n, payload)).collect();
        // Where some may be refused, one at a time says which.
        let together = if self.settings.paths_max < 1000 { 1 } else { 40 };
        for routes in routes.chunks(together) {
            let said: Vec<_> =
                routes.iter().map(|(key, payload)| ((key.clone(), path), Some(payload.clone()))).collect();
            let field = field(family, &said, add_path);
            let Value { block, trailing, two_octet_as, .. } = value(vec![]);
            let shared = Shared { block: &block, trailing: &trailing, two_octet_as };
            let applied = self.rib.announce(self.ids[column], read(family, &field, add_path), &shared);
            if applied.refused > 0 {
                assert!(self.rib.entries >= self.settings.paths_max, "refused without need");
                assert_eq!(applied.refused, routes.len());
                let known = |key: &Vec<u8>| self.twin[column].contains_key(&(key.clone(), path));
                assert!(!routes.iter().any(|(key, _)| known(key)), "what is there has its room");
                continue;
            }
            let mut changed = 0;
            for (key, payload) in routes {
                let key = (key.clone(), path);
                let value = value(payload.clone());
                if self.twin[column].get(&key) != Some(&value) {
                    changed += 1;
                    self.times.insert((column, key.clone()), self.now);
                    self.twin[column].insert(key, value);
                }
            }
            assert_eq!((applied.changed, applied.same), (changed, routes.len() - changed));
        }
    }

    fn withdraw(&mut self, column: usize, keys: &[Key]) {
        let (family, add_path) = COLUMNS[column];
        for keys in keys.chunks(40) {
            let said: Vec<_> = keys.iter().map(|key| (key.clone(), None)).collect();
            let field = field(family, &said, add_path);
            let applied = self.rib.withdraw(self.ids[column], read(family, &field, add_path));
            let mut changed = 0;
            for (key, path) in keys {
                let key = (key.clone(), if add_path { *path } else { 0 });
                if self.twin[column].remove(&key).is_some() {
                    changed += 1;
                    self.times.insert((column, key), self.now);
                }
            }
            assert_eq!((applied.changed, applied.same, applied.refused), (changed, keys.len() - changed, 0));
        }
    }

    fn reopen(&mut self, column: usize, rest: bool) {
        for server in &mut self.servers {
            if rest {
                self.rib.rest(&mut server.parts[column].cursor);
            }
            server.parts[column] = Part::default();
        }
        self.rib.close(self.ids[column]);
        self.twin[column].clear();
        let (family, add_path) = COLUMNS[column];
        self.ids[column] = self.rib.open(family, add_path).expect("a known family");
    }

    fn rest(&mut self, server: usize) {
        for part in &mut self.servers[server].parts {
            self.rib.rest(&mut part.cursor);
        }
    }

    /// The least epoch that anybody may still have to be told from.
    fn floor(&self) -> Epoch {
        let mut floor = Epoch(u64::MAX);
        for server in &self.servers {
            for part in &server.parts {
                let stands = match (server.round, part.done) {
                    (Some((began, _)), false) if part.since == Epoch::NOTHING => began,
                    (None, _) if part.since == Epoch::NOTHING => continue,
                    _ => part.since,
                };
                floor = floor.min(stands);
            }
        }
        floor
    }

    /// One call for a server; `Some` with what it was told if its round ended.
    fn serve(&mut self, at: usize, mut work: usize, room: usize) -> Option<usize> {
        let server = &mut self.servers[at];
        let (began, mut told_routes) = match server.round {
            Some(round) => round,
            None => {
                server.parts.iter_mut().for_each(|part| part.done = false);
                (self.rib.tick(Time(self.now)), 0)
            }
        };
        server.round = Some((began, told_routes));
        assert_ne!(began, Epoch::NOTHING);
        let Some(column) = server.parts.iter().position(|part| !part.done) else {
            server.round = None;
            return Some(told_routes);
        };
        let part = &mut server.parts[column];
        if !self.rib.can_tell(self.ids[column], part.since) {
            assert!(self.settings.tombstones_max < 1000, "nothing is lost without need");
            self.rib.rest(&mut part.cursor);
            *part = Part::default();
        }
        let buffer = &mut self.buffer[..if server.cramped { ROOM_MIN } else { room }];
        buffer.fill(0xa5);
        let changed = self.rib.changed(self.ids[column], part.since);
        let before = work;
        let told =
            self.rib.walk(self.ids[column], part.since, &mut part.cursor, &header(), buffer, &mut work);
        assert!(before - work >= told.routes, "telling is work");
        assert_eq!(told.unsendable, 0);
        assert!(changed || (told.messages, told.walked) == (0, Walked::All), "nothing changed, nothing told");
        let (family, add_path) = COLUMNS[column];
        let messages = said(&buffer[..told.len], family, add_path);
        let routes: usize = messages.iter().map(|message| message.routes.len()).sum();
        assert_eq!((told.messages, told.routes), (messages.len(), routes));
        server.cramped = told.walked == Walked::Full && told.len == 0;
        assert!(!server.cramped || buffer.len() < ROOM_MIN, "whoever offers that much gets on");
        for message in messages {
            let mut newest = 0;
            for (key, value) in &message.routes {
                assert_eq!(self.twin[column].get(key), value.as_ref(), "what is told is the state of now");
                newest = newest.max(self.times[&(column, key.clone())]);
                if let Some(value) = value {
                    let least = 23 + value.block.len() + key.0.len() + value.payload.len() + 8;
                    assert!(message.pdu_len <= MESSAGE_MAX || least > MESSAGE_MAX, "longer than it must be");
                    part.table.insert(key.clone(), value.clone());
                } else {
                    assert_ne!(part.since, Epoch::NOTHING, "nothing is withdrawn from who knows nothing");
                    part.table.remove(key);
                }
            }
            assert!(message.time <= newest && (self.aged || message.time == newest), "the time it changed");
        }
        told_routes += routes;
        server.round = Some((began, told_routes));
        if told.walked == Walked::All {
            part.done = true;
            part.since = began;
        }
        None
    }

    /// Nothing changes any more: rounds, until each server has had one that told it nothing.
    fn settle(&mut self) {
        self.check_columns();
        let mut quiet = [0; SERVERS];
        for turn in 0.. {
            for (at, quiet) in quiet.iter_mut().enumerate() {
                let room = [5000, 20_000, ROOM_MIN][turn % 3];
                match self.serve(at, 3000, room) {
                    // One may have begun before all was quiet.
                    Some(0) => *quiet += 1,
                    Some(_) => *quiet = 0,
                    None => {}
                }
            }
            if quiet.iter().all(|rounds| *rounds >= 2) {
                break;
            }
            assert!(turn < 100_000, "a server starves: {quiet:?}");
        }
        for (at, server) in self.servers.iter().enumerate() {
            for (column, part) in server.parts.iter().enumerate() {
                assert_eq!(part.table, self.twin[column], "server {at}, column {column}");
            }
        }
    }

    fn check_counts(&self) {
        let count = self.rib.count();
        for (id, table) in self.ids.iter().zip(&self.twin) {
            assert_eq!(self.rib.paths(*id), table.len());
        }
        assert_eq!(count.paths, self.twin.iter().map(Table::len).sum());
        assert_eq!(count.columns, COLUMNS.len());
        assert!(self.rib.entries >= count.paths + count.tombstones);
        assert!(self.rib.entries <= self.settings.paths_max);
    }

    fn check_columns(&self) {
        self.rib.columns.iter().flatten().for_each(|open| open.column.check());
    }

    /// What there is once all has been told and swept: what the twin has, each thing once.
    fn check_swept(&mut self) {
        let epoch = self.rib.tick(Time(self.now));
        self.rib.sweep_all(epoch);
        self.check_columns();
        let (mut prefixes, mut attributes) = (BTreeSet::new(), BTreeSet::new());
        for ((family, _), table) in COLUMNS.iter().zip(&self.twin) {
            for ((key, _), value) in table {
                prefixes.insert((*family, key));
                let block = (&value.block, &value.trailing, value.two_octet_as);
                attributes.insert((block, vec![]));
                attributes.insert((block, value.payload.clone()));
            }
        }
        let paths = self.twin.iter().map(Table::len).sum();
        let count = Count {
            paths,
            tombstones: 0,
            prefixes: prefixes.len(),
            attributes: attributes.len(),
            columns: COLUMNS.len(),
        };
        assert_eq!(self.rib.count(), count);
        assert_eq!(self.rib.entries, paths);
    }

    fn end(&mut self) {
        for id in std::mem::take(&mut self.ids) {
            self.rib.close(id);
        }
        self.rib.sweep_all(Epoch(u64::MAX));
        assert_eq!((self.rib.count(), self.rib.entries), (Count::default(), 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        // 42, or as many as the environment says for a long run.
        cases: ProptestConfig::default().cases / 6,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn servers_end_with_the_table_of_the_twin(
        settings in settings(),
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut world = World::new(settings);
        for (at, step) in steps.iter().enumerate() {
            world.step(step);
            if at % 70 == 69 {
                world.settle();
            }
        }
        world.settle();
        world.check_swept();
        world.settle();
        world.end();
    }
}

/// A life after another in the same RIB: all that was given back is used again.
#[test]
fn ten_lives_take_the_memory_of_one() {
    let mut rib = Rib::new(Settings { flat_min: 64, ..Settings::default() });
    let mut memory = Vec::new();
    for life in 0..10 {
        let ids = COLUMNS.map(|(family, add_path)| rib.open(family, add_path).expect("a known family"));
        for (id, (family, add_path)) in ids.iter().zip(COLUMNS) {
            for n in 0..3000 {
                let (key, payload) = route(family, n, (n % 250) as u8);
                let field = field(family, &[((key, u32::from(n % 2)), Some(payload))], add_path);
                let block = block(family, u32::from(n % 700), 20);
                let shared = Shared { block: &block, trailing: &[], two_octet_as: life % 2 == 0 };
                assert_eq!(rib.announce(*id, read(family, &field, add_path), &shared).changed, 1);
            }
        }
        rib.tick(Time(life));
        ids.into_iter().for_each(|id| rib.close(id));
        rib.sweep_all(Epoch(u64::MAX));
        assert_eq!((rib.count(), rib.entries), (Count::default(), 0));
        memory.push(rib.memory());
    }
    // Not to the octet: which shard of an index has grown how far depends on ids.
    let grown = |life: usize, first: usize| life > first + first / 100;
    for life in &memory[1..] {
        let [life, first] = [life, &memory[0]].map(|life| [life.prefixes, life.attributes, life.columns]);
        assert!(!life.into_iter().zip(first).any(|(life, first)| grown(life, first)), "{memory:?}");
    }
}
