//! Who is mirrored to whom: a link for each session of the configuration and each router that it wants.
//!
//! ```text
//!   configuration: sessions ──┐
//!                             ├─► links: a session of the core and of the writer each, by one number
//!   core: routers come, go ───┘      ▲
//!                                    └── reports: up, down, failed
//! ```
//!
//! * **only what changed**  a step of a difference touches the links of its session and no other.
//! * **one each**           BMP knows a router by its connection, so each router has one to each server. Until
//!   the first router has come there is one about ourselves, which says by its Initiation that we are there.
//! * **gone for good**      a link that is dropped takes leave of its server, and is only forgotten when the
//!   writer says that it has: its number is not used again before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use config::difference::{Change, Step};
use config::meaning::{Auth, Meaning, Network, Session, SessionKey, Way};
use config::shell::Target;
use jiff::Timestamp;
use mirror::{RouterId, SessionId};
use rib::Time;
use wire::bmp::TerminationReason;
use writer::Fault;
use writer::fleet::{self, ListenerId, Order, Reason, Report, Then};
use writer::plan::{Listen, Plan};

use crate::core::Core;
use crate::exchange::Exchange;
use crate::journal::{Journal, Level};
use crate::slots::Slots;
use crate::translate::{Keys, instance, want};

/// What the roster acts on.
pub(crate) struct World<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) exchange: &'a mut Exchange,
    pub(crate) order: &'a mut dyn FnMut(Order),
    pub(crate) now: Time,
}

/// Sessions, routers, and what joins them.
pub(crate) struct Roster {
    keys: Keys,
    journal: Journal,
    /// What this machine is called, where the configuration does not say.
    host: Arc<str>,
    sysname: Arc<str>,
    entries: BTreeMap<SessionKey, Entry>,
    /// Routers that have come, by name.
    routers: BTreeMap<Arc<str>, RouterId>,
    /// Beyond so many, those that are gone are forgotten, the first ones first.
    routers_max: usize,
    /// Why the last connection of a router ended, of those.
    errors: HashMap<Arc<str>, String>,
    /// Whose a number is; those who take leave are nobody's.
    by_id: HashMap<SessionId, (SessionKey, Arc<str>)>,
    /// Those who take leave, and of which router.
    leaving: BTreeMap<SessionId, Arc<str>>,
    /// By the number of a listener: port, network, whether IPv4.
    listeners: Slots<(u16, Network, bool)>,
    /// When keys may change next.
    rekey_at: Option<Timestamp>,
}

/// A session of the configuration.
pub(crate) struct Entry {
    pub(crate) session: Arc<Session>,
    /// By the name of a router.
    pub(crate) links: BTreeMap<Arc<str>, Link>,
    /// Whether all links are up, and since when that is so.
    pub(crate) up: bool,
    pub(crate) since: Time,
    /// Why the last one went down.
    pub(crate) reason: Option<String>,
    /// Whether what connections are like waits for a reset.
    pub(crate) changed: bool,
}

/// A session's connection about one router, or the wish to have one.
pub(crate) struct Link {
    pub(crate) id: SessionId,
    pub(crate) up: bool,
    /// Whether the writer knows of it.
    told: bool,
    /// How its next connection comes about; `None` while no key is good.
    plan: Option<Plan>,
}

impl Roster {
    pub(crate) fn new(keys: Keys, journal: Journal, host: Arc<str>) -> Self {
        Self {
            keys,
            journal,
            sysname: host.clone(),
            host,
            entries: BTreeMap::new(),
            routers: BTreeMap::new(),
            routers_max: usize::MAX,
            errors: HashMap::new(),
            by_id: HashMap::new(),
            leaving: BTreeMap::new(),
            listeners: Slots::default(),
            rekey_at: None,
        }
    }

    pub(crate) fn sysname(&self) -> &Arc<str> {
        &self.sysname
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Does what a difference says.
    pub(crate) fn apply(&mut self, world: &mut World<'_>, meaning: &Meaning, steps: Vec<Step>) {
        self.routers_max = meaning.routers.routers_max;
        // What sessions listen on is there before they are.
        self.listen(world, meaning);
        for step in steps {
            match step {
                Step::Sysname(name) => self.rename(world, name),
                Step::Remove(key) => {
                    if let Some(entry) = self.entries.remove(&key) {
                        self.drop_links(world, entry.links, TerminationReason::PERMANENTLY_CLOSED);
                    }
                }
                Step::Add(session) => {
                    let entry = Entry {
                        session: session.clone(),
                        links: BTreeMap::new(),
                        up: false,
                        since: world.now,
                        reason: None,
                        changed: false,
                    };
                    self.entries.insert(session.key.clone(), entry);
                }
                Step::Change(session, change) => self.change(world, &session, change),
                // Not the business of sessions.
                Step::Telemetry(_) | Step::Settings | Step::Routers => {}
            }
        }
        self.reconcile(world);
        self.rekey(world);
    }

    fn change(&mut self, world: &mut World<'_>, session: &Arc<Session>, change: Change) {
        let Some(entry) = self.entries.get_mut(&session.key) else { return };
        entry.session = session.clone();
        match change {
            Change::Quiet | Change::Start => {}
            // What is wanted after that is made anew with everything else.
            Change::Stop | Change::Reconnect => self.stop(world, &session.key),
            Change::AtReset if session.way.is_none() => self.stop(world, &session.key),
            Change::AtReset => {
                entry.changed = entry.links.values().any(|link| link.up);
                let links: Vec<_> = entry.links.iter().map(|(name, link)| (name.clone(), link.id)).collect();
                for (router, id) in links {
                    self.open(world, session, &router, id);
                }
            }
        }
    }

    /// A session has no connection any more.
    fn stop(&mut self, world: &mut World<'_>, key: &SessionKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let links = std::mem::take(&mut entry.links);
        entry.changed = false;
        self.drop_links(world, links, CLOSED);
    }

    fn rename(&mut self, world: &mut World<'_>, name: Option<Arc<str>>) {
        let before = std::mem::replace(&mut self.sysname, name.unwrap_or_else(|| self.host.clone()));
        if before != self.sysname && !self.routers.contains_key(&before) {
            let keys: Vec<_> = self.entries.keys().cloned().collect();
            for key in keys {
                let link = self.entries.get_mut(&key).and_then(|entry| entry.links.remove(&before));
                self.drop_links(world, link.map(|link| (before.clone(), link)), CLOSED);
            }
        }
    }

    /// A router has its first lane.
    pub(crate) fn came(&mut self, world: &mut World<'_>, router: RouterId) {
        let name: Arc<str> = Arc::from(world.core.mirror().name(router));
        self.journal.say(Level::Notice, &format!("router {name}"), &"up");
        if self.routers.insert(name.clone(), router).is_some() {
            return;
        }
        let forgotten = self.forget_beyond(world);
        if forgotten.is_empty() && self.routers.len() > 1 {
            // The links of others stay as they are, and need not be looked at.
            for key in self.entries.keys().cloned().collect::<Vec<_>>() {
                self.link(world, &key, &name);
                self.judge(world.now, &key);
            }
        } else {
            self.reconcile(world);
            forgotten.iter().for_each(|name| self.let_go(world, name));
        }
    }

    /// Names come from outside: there is no end of them.
    fn forget_beyond(&mut self, world: &World<'_>) -> Vec<Arc<str>> {
        let mut forgotten = Vec::new();
        while self.routers.len() > self.routers_max {
            let away = self.routers.iter().map(|(name, id)| (world.core.presence(*id), name));
            let away = away.filter(|(presence, _)| presence.lanes == 0);
            let Some((_, oldest)) = away.min_by_key(|(presence, _)| presence.since) else { break };
            let oldest = oldest.clone();
            self.journal.say(
                Level::Notice,
                &format!("router {oldest}"),
                &"forgotten: others have come since",
            );
            self.routers.remove(&oldest);
            self.errors.remove(&oldest);
            forgotten.push(oldest);
        }
        forgotten
    }

    /// A connection of a router has ended, and why.
    pub(crate) fn ended(&mut self, router: &Arc<str>, reason: String) {
        if self.routers.contains_key(router) {
            self.errors.insert(router.clone(), reason);
        }
    }

    /// Why the last connection of a router ended.
    pub(crate) fn router_error(&self, router: &str) -> Option<String> {
        self.errors.get(router).cloned()
    }

    /// A router has lost its last one. Its servers keep their connections, and know its peers are down.
    pub(crate) fn went(&mut self, world: &World<'_>, router: RouterId) {
        let name = world.core.mirror().name(router);
        self.journal.say(Level::Notice, &format!("router {name}"), &"down");
    }

    /// Forgets a router that has no lane; whether there was one.
    pub(crate) fn forget_router(&mut self, world: &mut World<'_>, name: &str) -> bool {
        let Some(&router) = self.routers.get(name) else { return false };
        if world.core.presence(router).lanes > 0 {
            return false;
        }
        self.routers.remove(name);
        self.errors.remove(name);
        self.reconcile(world);
        self.let_go(world, name);
        true
    }

    /// Whose a number is.
    pub(crate) fn whose(&self, id: SessionId) -> Option<&SessionKey> {
        self.by_id.get(&id).map(|(key, _)| key)
    }

    /// Routers that have come.
    pub(crate) fn routers(&self) -> &BTreeMap<Arc<str>, RouterId> {
        &self.routers
    }

    /// Makes the links that are wanted, and drops those that are not.
    fn reconcile(&mut self, world: &mut World<'_>) {
        let ourselves = BTreeSet::from([self.sysname.clone()]);
        let known: BTreeSet<_> = self.routers.keys().cloned().collect();
        let routers = if known.is_empty() { &ourselves } else { &known };
        let nobody = BTreeSet::new();
        let keys: Vec<_> = self.entries.keys().cloned().collect();
        for key in keys {
            let entry = self.entries.get_mut(&key).expect("it was there");
            let session = entry.session.clone();
            let wanted = if session.way.is_some() && !session.shutdown { routers } else { &nobody };
            let (keep, go) = std::mem::take(&mut entry.links)
                .into_iter()
                .partition::<BTreeMap<_, _>, _>(|(router, _)| wanted.contains(router));
            entry.links = keep;
            self.drop_links(world, go, CLOSED);
            wanted.iter().for_each(|router| self.link(world, &key, router));
            self.judge(world.now, &key);
        }
    }

    /// Makes the link of a session and a router, if it is wanted and not there. What a session carries changes by
    /// links that are made anew: one that is there has it.
    fn link(&mut self, world: &mut World<'_>, key: &SessionKey, router: &Arc<str>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let session = entry.session.clone();
        if session.way.is_none() || session.shutdown || entry.links.contains_key(router) {
            return;
        }
        let Some(want) = want(&session, router) else { return };
        let id = world.core.attach(router, &Arc::new(want));
        entry.links.insert(router.clone(), Link { id, up: false, told: false, plan: None });
        self.by_id.insert(id, (key.clone(), router.clone()));
        self.open(world, &session, router, id);
    }

    fn drop_links(
        &mut self,
        world: &mut World<'_>,
        links: impl IntoIterator<Item = (Arc<str>, Link)>,
        reason: TerminationReason,
    ) {
        for (router, link) in links {
            self.by_id.remove(&link.id);
            if !link.told {
                world.core.detach(link.id);
                continue;
            }
            self.leaving.insert(link.id, router);
            let order = world.exchange.leave(world.core, link.id, reason, Then::Forget);
            (world.order)(order);
        }
    }

    /// Tells the writer how a link's next connection comes about.
    fn open(&mut self, world: &mut World<'_>, session: &Session, router: &Arc<str>, id: SessionId) {
        let plan = self.plan(session, router, world.now);
        let key = &session.key;
        let link = self.entries.get_mut(key).and_then(|entry| entry.links.get_mut(router));
        let Some(link) = link else { return };
        match plan {
            Ok(plan) => {
                (link.told, link.plan) = (true, Some(plan.clone()));
                (world.order)(Order::Open(fleet::SessionId(id.0), Box::new(plan)));
            }
            Err(text) => self.unkeyed(world, key, router, text),
        }
    }

    /// No key is good: what stands stays as it is, and nobody connects.
    fn unkeyed(&mut self, world: &mut World<'_>, key: &SessionKey, router: &Arc<str>, text: String) {
        self.journal.say(Level::Error, &subject(key), &text);
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.reason = Some(text);
        let Some(link) = entry.links.get_mut(router) else { return };
        link.plan = None;
        if link.told && !link.up {
            let order = world.exchange.leave(world.core, link.id, CLOSED, Then::Rest);
            (world.order)(order);
        }
    }

    fn plan(&self, session: &Session, router: &str, now: Time) -> Result<Plan, String> {
        let way = session.way.ok_or_else(|| String::from("the session has no port"))?;
        let listener = match way {
            Way::Passive(port) => self.listeners.find(&wanted_listener(session, port)).map(ListenerId),
            Way::Active(_) => None,
        };
        let plan = self.keys.plan(session, way, router, listener, timestamp(now));
        plan.map_err(|unkeyed| unkeyed.to_string())
    }

    /// Listens where passive sessions come in, and nowhere else.
    fn listen(&mut self, world: &mut World<'_>, meaning: &Meaning) {
        let sessions = meaning.sessions.values().filter(|session| !session.shutdown);
        let wanted = sessions.filter_map(|session| match session.way {
            Some(Way::Passive(port)) => Some(wanted_listener(session, port)),
            _ => None,
        });
        let turnover = self.listeners.want(wanted.collect());
        for number in turnover.gone {
            (world.order)(Order::Unlisten(ListenerId(number)));
        }
        for number in turnover.new {
            let (port, network, v4) = self.listeners.get(number).expect("it is new");
            let any = if *v4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
            let listen = Listen {
                name: Arc::from(format!("tcp listen port {port}")),
                address: (any, *port).into(),
                instance: instance(network),
            };
            (world.order)(Order::Listen(ListenerId(number), Box::new(listen)));
        }
    }

    /// Gives sessions with keychains the keys that are good now, if others were before.
    pub(crate) fn rekey(&mut self, world: &mut World<'_>) {
        let now = timestamp(world.now);
        self.rekey_at = None;
        let keyed = self.entries.values().filter_map(|entry| match &entry.session.auth {
            Auth::Keychain(keychain) => Some((entry.session.clone(), keychain.clone())),
            Auth::None | Auth::Md5(_) => None,
        });
        for (session, keychain) in keyed.collect::<Vec<_>>() {
            let until = keychain.at(now, &self.keys.zone).until;
            self.rekey_at = [self.rekey_at, until].into_iter().flatten().min();
            let entry = self.entries.get(&session.key).expect("it is there");
            // Until it is reset it has the keychain it had.
            if entry.changed {
                continue;
            }
            let links: Vec<_> = entry.links.iter().map(|(name, link)| (name.clone(), link.id)).collect();
            for (router, id) in links {
                let plan = self.plan(&session, &router, world.now);
                let entry = self.entries.get_mut(&session.key).expect("it is there");
                let link = entry.links.get_mut(&router).expect("it is there");
                match plan {
                    Ok(plan) if link.plan.as_ref() == Some(&plan) => {}
                    Ok(plan) if link.plan.is_some() => {
                        link.plan = Some(plan.clone());
                        (world.order)(Order::Rekey(fleet::SessionId(id.0), Box::new(plan)));
                    }
                    Ok(_) => self.open(world, &session, &router, id),
                    Err(_) if link.plan.is_none() => {}
                    Err(text) => self.unkeyed(world, &session.key, &router, text),
                }
            }
        }
    }

    /// When keys may change next.
    pub(crate) fn rekey_at(&self) -> Option<Time> {
        let at = self.rekey_at?.as_microsecond();
        u64::try_from(at).ok().map(Time)
    }

    /// Resets sessions; how many there were.
    pub(crate) fn reset(&mut self, world: &mut World<'_>, target: &Target) -> usize {
        let meant = |key: &SessionKey| match target {
            Target::All => true,
            Target::Instance(name) => key.instance.as_ref() == Some(name),
            Target::One(one) => key == one,
        };
        let keys: Vec<_> = self.entries.keys().filter(|key| meant(key)).cloned().collect();
        for key in &keys {
            let entry = self.entries.get_mut(key).expect("it was there");
            entry.changed = false;
            let mut ids = Vec::new();
            for link in entry.links.values_mut().filter(|link| link.plan.is_some()) {
                // It takes leave from now on, and is up again when there is another connection.
                link.up = false;
                ids.push(link.id);
            }
            entry.reason = Some(String::from("Reset"));
            self.judge(world.now, key);
            for id in ids {
                let order = world.exchange.leave(world.core, id, CLOSED, Then::Again);
                (world.order)(order);
            }
        }
        keys.len()
    }

    /// All sessions take leave of their servers.
    pub(crate) fn leave(&mut self, world: &mut World<'_>) {
        for (_, entry) in std::mem::take(&mut self.entries) {
            self.drop_links(world, entry.links, CLOSED);
        }
    }

    /// Whether nobody takes leave any more.
    pub(crate) fn has_left(&self) -> bool {
        self.leaving.is_empty()
    }

    /// Takes in what the writer told.
    pub(crate) fn report(&mut self, world: &mut World<'_>, report: &Report) {
        match report {
            Report::Up(token, ends) => {
                let text = format!("up, {} to {}", ends.local, ends.remote);
                self.linked(world, token.session, true, Level::Notice, None, &text);
            }
            Report::Down(token, reason) => {
                let level = if *reason == Reason::Command { Level::Notice } else { Level::Warning };
                let told = format!("down: {reason}");
                self.linked(world, token.session, false, level, Some(reason.to_string()), &told);
            }
            Report::Failed(token, reason, after) => {
                let told = format!("{reason}; again in {:.0} s", after.as_secs_f64().ceil());
                self.linked(world, token.session, false, Level::Warning, Some(reason.to_string()), &told);
            }
            Report::Forgotten(id) => {
                if let Some(router) = self.leaving.remove(&SessionId(id.0)) {
                    world.core.detach(SessionId(id.0));
                    self.let_go(world, &router);
                }
            }
            Report::Listening(id, result) => self.listening(*id, result),
            Report::Stranger(_, remote) => {
                let text = format!("{remote} connected, which is no session's server: sent away");
                self.journal.say(Level::Warning, "listener", &text);
            }
            Report::Unkeyed(id, fault) => {
                let text = format!("new keys were refused: {fault}");
                let whose = self.by_id.get(&SessionId(id.0));
                let subject = whose.map_or_else(|| String::from("session"), |(key, _)| subject(key));
                self.journal.say(Level::Error, &subject, &text);
            }
            // The core's business.
            Report::Took(_) | Report::Fell(..) => {}
        }
    }

    fn listening(&self, id: ListenerId, result: &Result<SocketAddr, Fault>) {
        let Some((port, ..)) = self.listeners.get(id.0) else { return };
        let subject = format!("listener {port}");
        match result {
            Ok(address) => self.journal.say(Level::Info, &subject, &format!("listens on {address}")),
            Err(fault) => self.journal.say(Level::Error, &subject, fault),
        }
    }

    /// A link went up or down.
    fn linked(
        &mut self,
        world: &World<'_>,
        id: fleet::SessionId,
        up: bool,
        level: Level,
        reason: Option<String>,
        text: &str,
    ) {
        let Some((key, router)) = self.by_id.get(&SessionId(id.0)).cloned() else { return };
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if let Some(link) = entry.links.get_mut(&router) {
            link.up = up;
        }
        if reason.is_some() {
            entry.reason = reason;
        }
        if !entry.links.values().any(|link| link.up) {
            // The next connections are as the configuration says.
            entry.changed = false;
        }
        let about = format!("{}, router {router}", subject(&key));
        self.journal.say(level, &about, &text);
        self.judge(world.now, &key);
    }

    /// Whether a session is up, and since when.
    fn judge(&mut self, now: Time, key: &SessionKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let up = !entry.links.is_empty() && entry.links.values().all(|link| link.up);
        if up != entry.up {
            (entry.up, entry.since) = (up, now);
        }
    }

    /// The core forgets a router that we do not know any more, once no session is about it.
    fn let_go(&self, world: &mut World<'_>, name: &str) {
        if !self.routers.contains_key(name) {
            let known = world.core.mirror().routers().find(|(_, known)| *known == name).map(|(id, _)| id);
            if let Some(id) = known {
                world.core.forget_router(id);
            }
        }
    }
}

/// The reason of most Terminations: a person wanted it, and we may be back.
const CLOSED: TerminationReason = TerminationReason::ADMINISTRATIVELY_CLOSED;

fn wanted_listener(session: &Session, port: u16) -> (u16, Network, bool) {
    (port, session.network.clone(), session.key.address.is_ipv4())
}

/// What lines of the journal about a session begin with.
pub(crate) fn subject(key: &SessionKey) -> String {
    format!("session {key}")
}

pub(crate) fn timestamp(now: Time) -> Timestamp {
    let micros = i64::try_from(now.0).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
