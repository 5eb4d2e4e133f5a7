//! What the thread that mirrors does.
//!
//! ```text
//!   a turn:  commands ─► answers of surveys ─► reports of routers ─► exchange: reports, a step, orders
//!            └─► what people should know, to the roster and the journal ─► timers ─► sleep, or again
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use config::difference::Step;
use config::meaning::{Meaning, Network};
use ingest::routers;
use rib::Time;
use tokio::sync::{mpsc, oneshot};
use writer::fleet::{self, Order, Survey};

use crate::clock::{Clock, micros};
use crate::core::{Core, Output};
use crate::exchange::{Exchange, Word};
use crate::journal::{Journal, Level};
use crate::latency::Measured;
use crate::picture::Picture;
use crate::roster::{Roster, World, subject};
use crate::sight::Sight;
use crate::slots::Slots;
use crate::thread::Command;
use crate::translate::intake_instance;

/// How long the thread may sleep at a stretch, whatever happens.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// How long all servers together may take when we leave, beyond what each may.
const LEAVE_SLACK: Duration = Duration::from_secs(1);

/// What the thread works with.
pub(crate) struct Machine {
    pub(crate) core: Core,
    pub(crate) writer: writer::Handle,
    pub(crate) intake: routers::Handle,
    pub(crate) clock: Arc<Clock>,
}

/// Everything that the thread has.
pub(crate) struct Works {
    clock: Arc<Clock>,
    core: Core,
    exchange: Exchange,
    writer: writer::Handle,
    intake: routers::Handle,
    /// Where we listen for routers, by the number of a listener.
    listeners: Slots<(SocketAddr, Network)>,
    roster: Roster,
    journal: Journal,
    measured: Measured,
    meaning: Arc<Meaning>,
    taken: mpsc::Receiver<Command>,
    /// What the writer answers to the question that a picture takes, one at a time.
    surveys: (SyncSender<Survey>, Receiver<Survey>),
    /// And what the routers' thread does.
    sights: (SyncSender<Vec<routers::Sight>>, Receiver<Vec<routers::Sight>>),
    /// The answers that there are to the present question.
    surveyed: Option<Survey>,
    sighted: Option<Vec<routers::Sight>>,
    /// Who waits for a picture.
    asked: Vec<oneshot::Sender<Picture>>,
    /// How many feeds there had been when the writer's witness was told of them.
    feeds_seen: usize,
    /// When the core wants its next step at the latest.
    step_at: Option<Time>,
    /// When the next Statistics Reports of our own are due.
    report_at: Option<Time>,
    /// Who is told that we have left, and when we go in any case.
    leaving: Option<(oneshot::Sender<()>, Time)>,
}

impl Works {
    /// Nothing is configured yet.
    pub(crate) fn new(
        machine: Machine,
        roster: Roster,
        journal: Journal,
        taken: mpsc::Receiver<Command>,
    ) -> Self {
        let Machine { core, writer, intake, clock } = machine;
        Self {
            measured: Measured::new(clock.clone()),
            clock,
            core,
            exchange: Exchange::default(),
            writer,
            intake,
            listeners: Slots::default(),
            roster,
            journal,
            meaning: Arc::default(),
            taken,
            surveys: sync_channel(1),
            sights: sync_channel(1),
            surveyed: None,
            sighted: None,
            asked: Vec::new(),
            feeds_seen: 0,
            step_at: None,
            report_at: None,
            leaving: None,
        }
    }

    /// Turns until it has left, or nobody is there any more who could tell it anything.
    pub(crate) fn run(mut self) {
        loop {
            let now = self.clock.now();
            while let Ok(command) = self.taken.try_recv() {
                self.obey(now, command);
            }
            self.show(now);
            while let Some(report) = self.intake.next_report() {
                self.hear_router(report);
            }
            let more = self.turn(now);
            if let Some(error) = self.writer.ended() {
                self.journal.say(Level::Error, "writer", &error);
                return;
            }
            if self.intake.has_ended() {
                self.journal.say(Level::Error, "routers", &"their thread has ended");
                return;
            }
            if self.leaving.is_some() && (self.roster.has_left() || self.leave_is_over(now)) {
                // The writer's thread ends with its handle; only then is everybody gone.
                let Self { writer, leaving, .. } = self;
                drop(writer);
                let _ = leaving.map(|(answer, _)| answer.send(()));
                return;
            }
            if self.taken.is_closed() && self.leaving.is_none() {
                return;
            }
            if !more && self.core.prepare_sleep() {
                thread::park_timeout(self.sleep(now));
            }
        }
    }

    fn leave_is_over(&self, now: Time) -> bool {
        self.leaving.as_ref().is_some_and(|(_, at)| *at <= now)
    }

    /// How long there is nothing to do if nothing comes.
    fn sleep(&self, now: Time) -> Duration {
        let timers = [self.report_at, self.roster.rekey_at(), self.leaving.as_ref().map(|(_, at)| *at)];
        let next = timers.into_iter().flatten().chain(self.step_at).min();
        let next = next.map(|at| Duration::from_micros(at.0.saturating_sub(now.0)));
        next.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }

    /// One turn of everything; whether there is more to do at once.
    fn turn(&mut self, now: Time) -> bool {
        let mut words = Vec::new();
        let step = self.exchange.turn(&mut self.core, &mut self.writer, now, |word| words.push(word));
        self.measured.logged(self.core.came());
        self.step_at = step.at;
        let mut more = step.more;
        for word in words {
            more |= self.hear(now, word);
        }
        if self.report_at.is_some_and(|at| at <= now) {
            self.report(now);
            more = true;
        }
        if self.roster.rekey_at().is_some_and(|at| at <= now) {
            self.world(now, Roster::rekey);
        }
        self.show_feeds();
        more
    }

    /// Does something with the roster.
    fn world<T>(&mut self, now: Time, act: impl FnOnce(&mut Roster, &mut World<'_>) -> T) -> T {
        let Self { core, exchange, writer, roster, .. } = self;
        let mut order = |order| writer.order(order);
        act(roster, &mut World { core, exchange, order: &mut order, now })
    }

    /// Takes in what people should know; whether that leaves something to do.
    fn hear(&mut self, now: Time, word: Word) -> bool {
        match word {
            Word::Writer(report) => self.world(now, |roster, world| roster.report(world, &report)),
            Word::Core(Output::Came(router)) => self.world(now, |roster, world| roster.came(world, router)),
            Word::Core(Output::Went(router)) => self.world(now, |roster, world| roster.went(world, router)),
            Word::Core(Output::Broken(router, error)) => {
                let name = self.core.mirror().name(router);
                self.journal.say(Level::Error, &format!("router {name}"), &format!("sent no BMP: {error}"));
            }
            Word::Core(Output::Beyond(router)) => {
                let name = self.core.mirror().name(router);
                let text = format!(
                    "has more than {} peers; what the others say is dropped: raise monitored-router limit peers",
                    self.meaning.routers.peers_max
                );
                self.journal.say(Level::Error, &format!("router {name}"), &text);
            }
            Word::Core(Output::Untold(id, peers)) => {
                let text = format!(
                    "of {peers} peers there is something that no catch-up can tell, as of families that cannot be taken \
                     apart"
                );
                let who = self.roster.whose(id).map_or_else(|| String::from("session"), subject);
                self.journal.say(Level::Warning, &who, &text);
            }
            // The exchange's.
            Word::Core(Output::Read(..) | Output::Follow(..) | Output::Finish(..)) => return false,
        }
        true
    }

    fn obey(&mut self, now: Time, command: Command) {
        match command {
            Command::Apply(meaning, steps, answer) => {
                self.apply(now, &meaning, steps);
                let _ = answer.send(());
            }
            Command::Picture(answer) => {
                self.asked.push(answer);
                if self.asked.len() == 1 {
                    self.survey();
                }
            }
            Command::ResetSessions(target, answer) => {
                let reset = self.world(now, |roster, world| roster.reset(world, &target));
                let _ = answer.send(reset);
            }
            Command::ResetRouters(name, answer) => {
                let names: Vec<_> = match name {
                    Some(name) => vec![name],
                    None => self.roster.routers().keys().cloned().collect(),
                };
                let reset = names.iter().filter(|name| self.reset_router(now, name)).count();
                let _ = answer.send(reset);
            }
            Command::Turns(answer) => {
                let _ = answer.send(());
            }
            Command::Leave(answer) => {
                self.world(now, Roster::leave);
                let limit = fleet::Settings::default().drain_limit + LEAVE_SLACK;
                self.leaving = Some((answer, Time(now.0 + micros(limit))));
            }
        }
    }

    fn apply(&mut self, now: Time, meaning: &Arc<Meaning>, steps: Vec<Step>) {
        let old = std::mem::replace(&mut self.meaning, meaning.clone());
        if steps.iter().any(|step| matches!(step, Step::Settings | Step::Routers)) {
            let settings = fleet::Settings {
                retry_min: Duration::from_secs(meaning.retry_s.0),
                retry_max: Duration::from_secs(meaning.retry_s.1),
                stall_limit: Duration::from_secs(meaning.stall_s),
                ..fleet::Settings::default()
            };
            self.writer.order(Order::Settings(Box::new(settings)));
            self.core.set_retention(meaning.retention);
            self.core.set_limits(meaning.routers.peers_max, meaning.routers.paths_max);
            self.admit(meaning);
        }
        if self.report_at.is_none() || old.statistics_s != meaning.statistics_s {
            self.report_at = Some(Time(now.0 + meaning.statistics_s * 1_000_000));
        }
        self.world(now, |roster, world| roster.apply(world, meaning, steps));
    }

    /// Statistics Reports of our own, for peers whose routers send none.
    fn report(&mut self, now: Time) {
        for router in self.roster.routers().values().copied().collect::<Vec<_>>() {
            self.core.report(now, router);
        }
        self.report_at = Some(Time(now.0 + self.meaning.statistics_s * 1_000_000));
    }

    /// Asks the writer where everybody stands.
    fn survey(&mut self) {
        let (tell, here) = (self.surveys.0.clone(), thread::current());
        self.writer.order(Order::Survey(Box::new(move |survey| {
            drop(tell.try_send(survey.clone()));
            here.unpark();
        })));
        let (tell, here) = (self.sights.0.clone(), thread::current());
        self.intake.order(routers::Order::Survey(Box::new(move |sights| {
            drop(tell.try_send(sights));
            here.unpark();
        })));
    }

    /// Resets a router: one that is connected is sent away, one that is not is forgotten. Whether there was one.
    fn reset_router(&mut self, now: Time, name: &Arc<str>) -> bool {
        let Some(router) = self.roster.routers().get(name) else { return false };
        if self.core.presence(*router).lanes == 0 {
            return self.world(now, |roster, world| roster.forget_router(world, name));
        }
        self.intake.order(routers::Order::Reset(Some(name.clone())));
        true
    }

    /// Who may send us routes, where they come in, and how much.
    fn admit(&mut self, meaning: &Meaning) {
        let config::meaning::Routers { listen, permit, routers_max, message_max, .. } = &meaning.routers;
        self.intake.order(routers::Order::Limits(routers::Limits {
            routers_max: *routers_max,
            message_max: *message_max,
            ..routers::Limits::default()
        }));
        self.intake.order(routers::Order::Permit(permit.clone()));
        let turnover = self.listeners.want(listen.clone());
        for number in turnover.gone {
            self.intake.order(routers::Order::Unlisten(routers::ListenerId(number)));
        }
        for number in turnover.new {
            let (address, network) = self.listeners.get(number).expect("it is new");
            let order =
                routers::Order::Listen(routers::ListenerId(number), *address, intake_instance(network));
            self.intake.order(order);
        }
    }

    /// What the routers' thread tells.
    fn hear_router(&mut self, report: routers::Report) {
        match report {
            routers::Report::Listening(_, Ok(address)) => {
                self.journal.say(Level::Info, "monitored-router", &format!("listens on {address}"));
            }
            routers::Report::Listening(id, Err(text)) => {
                // Of one that is not wanted any more it is of no interest.
                if self.listeners.get(id.0).is_some() {
                    self.journal.say(Level::Error, "monitored-router", &text);
                }
            }
            routers::Report::Up { router, remote, .. } => {
                self.journal.say(
                    Level::Notice,
                    &format!("router {router}"),
                    &format!("connected from {remote}"),
                );
            }
            routers::Report::Down { router, remote, reason, .. } => {
                let level = if reason == routers::Reason::Command { Level::Notice } else { Level::Warning };
                let text = match reason {
                    routers::Reason::Replaced(other) if other.ip() != remote.ip() => format!(
                        "connection from {remote} ended: {} calls itself the same. If they are two routers, give each a \
                         sysName of its own, or they go on sending each other away",
                        other.ip()
                    ),
                    _ => format!("connection from {remote} ended: {reason}"),
                };
                self.journal.say(level, &format!("router {router}"), &text);
                self.roster.ended(&router, reason.to_string());
            }
            routers::Report::Refused { remote, reason, untold } => {
                let more = if untold > 0 { format!(" (and {untold} more)") } else { String::new() };
                let text = format!("{remote} was sent away: {reason}{more}");
                self.journal.say(Level::Warning, "monitored-router", &text);
            }
        }
    }

    fn show(&mut self, now: Time) {
        self.surveyed = self.surveys.1.try_recv().ok().or_else(|| self.surveyed.take());
        self.sighted = self.sights.1.try_recv().ok().or_else(|| self.sighted.take());
        let (Some(survey), Some(intake)) = (&self.surveyed, &self.sighted) else { return };
        let remainder = self.report_at.map_or(0, |at| at.0.saturating_sub(now.0) / 1_000_000);
        let sight = Sight {
            core: &self.core,
            roster: &self.roster,
            meaning: &self.meaning,
            measured: &self.measured,
            survey,
            intake,
            now,
            uptime_us: micros(self.clock.uptime()),
            statistics_remainder_s: remainder,
        };
        let picture = sight.picture();
        (self.surveyed, self.sighted) = (None, None);
        for answer in self.asked.drain(..) {
            drop(answer.send(picture.clone()));
        }
    }

    /// Tells the writer's witness of feeds that are new.
    fn show_feeds(&mut self) {
        let feeds = self.core.feeds_opened();
        if feeds != self.feeds_seen {
            self.feeds_seen = feeds;
            let witness = self.measured.witness(self.core.published_by_feed());
            self.writer.order(witness);
        }
    }
}
