//! Who is there, who was, and what they amount to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{Meters, REPORTS_MAX};
use crate::hearing::Hearing;
use crate::report::{ConnectionReport, Ended, Place, Totals};

/// What can be seen of a connection while it is open: its task writes, the display reads.
pub(super) struct Meter {
    pub(super) place: Place,
    router: OnceLock<String>,
    octets: AtomicU64,
    messages: AtomicU64,
    paths: AtomicU64,
    violations: AtomicU64,
    is_stalled: AtomicBool,
    /// Microseconds from the station's beginning to the first octet and to the last.
    first: AtomicU64,
    last: AtomicU64,
}

impl Meter {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            router: OnceLock::new(),
            octets: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            paths: AtomicU64::new(0),
            violations: AtomicU64::new(0),
            is_stalled: AtomicBool::new(false),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// Something was read.
    pub(super) fn show(&self, hearing: &Hearing, now: Duration) {
        let counts = hearing.counts();
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        if self.octets.load(Ordering::Relaxed) == 0 {
            self.first.store(now, Ordering::Relaxed);
        }
        self.last.store(now, Ordering::Relaxed);
        self.octets.store(counts.octets, Ordering::Relaxed);
        self.messages.store(counts.messages, Ordering::Relaxed);
        self.paths.store(counts.paths, Ordering::Relaxed);
        self.violations.store(hearing.violations().total(), Ordering::Relaxed);
        if let Some(router) = hearing.router() {
            self.router.get_or_init(|| router.to_owned());
        }
    }

    pub(super) fn stall(&self, is_stalled: bool) {
        self.is_stalled.store(is_stalled, Ordering::Relaxed);
    }

    /// When the first octet came and when the last, if any came.
    fn span(&self) -> Option<(u64, u64)> {
        let [first, last] = [&self.first, &self.last].map(|time| time.load(Ordering::Relaxed));
        (self.octets.load(Ordering::Relaxed) > 0).then_some((first, last))
    }

    pub(super) fn busy(&self) -> Duration {
        self.span().map_or(Duration::ZERO, |(first, last)| Duration::from_micros(last - first))
    }
}

/// Connections, open and ended.
#[derive(Default)]
pub(super) struct Register {
    open: Meters,
    past: Past,
    span: Option<(u64, u64)>,
}

/// Those that have ended.
#[derive(Default)]
pub(super) struct Past {
    pub(super) ended: u64,
    pub(super) open: u64,
    pub(super) left_out: u64,
    pub(super) totals: Totals,
    pub(super) reports: Vec<ConnectionReport>,
}

impl Register {
    pub(super) fn open(&mut self, meter: &Arc<Meter>) {
        self.open.insert(meter.place.number, Arc::clone(meter));
    }

    pub(super) fn close(&mut self, meter: &Meter, report: ConnectionReport) {
        self.open.remove(&meter.place.number);
        if let Some((first, last)) = meter.span() {
            let (from, to) = self.span.unwrap_or((first, last));
            self.span = Some((from.min(first), to.max(last)));
        }
        let past = &mut self.past;
        past.totals.add(&report.totals);
        match report.ended {
            Ended::Open => past.open += 1,
            _ => past.ended += 1,
        }
        if past.reports.len() < REPORTS_MAX {
            past.reports.push(report);
        } else {
            past.left_out += 1;
        }
    }

    pub(super) fn ended(&self) -> u64 {
        self.past.ended
    }

    pub(super) fn finish(self) -> (Past, f64) {
        let busy = self.span.map_or(0, |(first, last)| last - first);
        (self.past, Duration::from_micros(busy).as_secs_f64())
    }

    pub(super) fn picture(&self) -> Picture {
        let rows: Vec<_> = self.open.values().map(|meter| Row::of(meter)).collect();
        let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
        let past = &self.past.totals;
        Picture {
            elapsed: Duration::ZERO,
            open: rows.len(),
            ended: self.past.ended,
            octets: past.octets + sum(|row| row.octets),
            messages: past.messages + sum(|row| row.messages),
            violations: past.violations + sum(|row| row.violations),
            paths: sum(|row| row.paths),
            sets: 0,
            rows,
        }
    }
}

/// A station at one moment.
#[derive(Clone, Default)]
pub struct Picture {
    /// Since it began.
    pub elapsed: Duration,
    /// Connections that are open.
    pub open: usize,
    /// Connections that have ended.
    pub ended: u64,
    /// Octets of all of them.
    pub octets: u64,
    /// Messages of all of them.
    pub messages: u64,
    /// Rules broken by all of them.
    pub violations: u64,
    /// Paths of those that are open.
    pub paths: u64,
    /// Attribute sets that are held.
    pub sets: usize,
    /// Those that are open.
    pub rows: Vec<Row>,
}

/// A connection at one moment.
#[derive(Clone)]
pub struct Row {
    /// Its number.
    pub number: u64,
    /// Where it came to.
    pub to: SocketAddr,
    /// Its router.
    pub router: Option<String>,
    /// Octets.
    pub octets: u64,
    /// Messages.
    pub messages: u64,
    /// Paths it holds.
    pub paths: u64,
    /// Rules it has broken.
    pub violations: u64,
    /// What it is doing.
    pub doing: Doing,
}

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// It is read.
    Reading,
    /// It is not read, on purpose.
    Stalled,
}

impl Row {
    fn of(meter: &Meter) -> Self {
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Self {
            number: meter.place.number,
            to: meter.place.to,
            router: meter.router.get().cloned(),
            octets: number(&meter.octets),
            messages: number(&meter.messages),
            paths: number(&meter.paths),
            violations: number(&meter.violations),
            doing: if meter.is_stalled.load(Ordering::Relaxed) { Doing::Stalled } else { Doing::Reading },
        }
    }
}
