//! What a run amounts to: one object of JSON.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use wire::bmp::Kind;

use crate::digest::Digest;
use crate::hearing::{Counts, Hearing, Mode, all_of};
use crate::rules::{Rule, Violation};

/// Tables of one connection that are told one by one.
pub const TABLES_MAX: usize = 4096;

/// Everything.
#[derive(Serialize)]
pub struct Report {
    /// `tables`, `count` or `discard`.
    pub mode: &'static str,
    /// Since the station began to listen.
    pub seconds: f64,
    /// From the first octet to the last.
    pub busy_seconds: f64,
    /// Octets in each of those.
    pub octets_per_second: f64,
    /// Messages in each of those.
    pub messages_per_second: f64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Those of them that were open when the station ended.
    pub open: u64,
    /// Those of them that `per_connection` had no room for.
    pub connections_left_out: u64,
    /// What all connections amount to.
    #[serde(flatten)]
    pub totals: Totals,
    /// Attempts to accept a connection that failed.
    pub accept_errors: u64,
    /// Each connection, in the order in which they were accepted.
    pub per_connection: Vec<ConnectionReport>,
}

/// Sums.
#[derive(Clone, Default, Serialize)]
pub struct Totals {
    /// Octets.
    pub octets: u64,
    /// Messages.
    pub messages: u64,
    /// Messages by type.
    pub messages_by_type: BTreeMap<String, u64>,
    /// Routes announced.
    pub announced: u64,
    /// Routes withdrawn.
    pub withdrawn: u64,
    /// Those of them that were not there.
    pub withdrawn_absent: u64,
    /// End-of-RIBs.
    pub end_of_ribs: u64,
    /// UPDATEs of which some route could not be told.
    pub untold: u64,
    /// Messages that said that messages were lost.
    pub messages_lost: u64,
    /// Paths held at the end.
    pub paths: u64,
    /// Announcements that there was no room for.
    pub paths_left_out: u64,
    /// Rules broken.
    pub violations: u64,
    /// The same by rule.
    pub violations_by_rule: BTreeMap<Rule, u64>,
    /// Rules broken that are tolerated.
    pub tolerated: BTreeMap<Rule, u64>,
}

/// One connection.
#[derive(Clone, Serialize)]
pub struct ConnectionReport {
    /// 1 for the first that was accepted.
    pub number: u64,
    /// The address that it came to.
    pub to: SocketAddr,
    /// Its port.
    pub port: u16,
    /// Where it came from.
    pub from: SocketAddr,
    /// The sysName of its Initiation.
    pub router: Option<String>,
    /// How it ended.
    pub ended: Ended,
    /// The reason of the Termination that came.
    pub termination: Option<u16>,
    /// A message had begun and not ended.
    pub mid_message: bool,
    /// From the first octet to the last.
    pub busy_seconds: f64,
    /// Counts.
    #[serde(flatten)]
    pub totals: Totals,
    /// Peers that were up at the end.
    pub peers_up: usize,
    /// Peers that were ever up or spoke.
    pub peers_known: usize,
    /// The digest of all its tables; none if there are no tables, or if paths were left out.
    pub digest: Option<String>,
    /// Its tables.
    pub tables: Vec<TableReport>,
    /// Tables that there was no room for.
    pub tables_left_out: usize,
    /// The first rules that were broken.
    pub first_violations: Vec<Violation>,
}

/// How a connection ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It has not: the station ended first.
    Open,
    /// The router closed it.
    Closed,
    /// It was reset, or failed otherwise.
    Reset,
    /// The station closed it: what came was no BMP.
    NotBmp,
    /// The station closed it, as it was asked to.
    ClosedByUs,
    /// The station reset it, as it was asked to.
    ResetByUs,
}

/// One table.
#[derive(Clone, Serialize)]
pub struct TableReport {
    /// Whose.
    pub peer: String,
    /// `adj-rib-in-pre` and so on.
    pub view: &'static str,
    /// `ipv4-unicast` and so on.
    pub family: String,
    /// Paths in it.
    pub paths: usize,
    /// Whether its End-of-RIB has come.
    pub complete: bool,
    /// Its digest.
    pub digest: String,
}

impl Totals {
    /// Those of one connection.
    #[must_use]
    pub fn of(hearing: &Hearing) -> Self {
        let Counts {
            octets,
            messages,
            kinds,
            announced,
            withdrawn,
            withdrawn_absent,
            end_of_ribs,
            untold,
            messages_lost,
            paths,
            paths_left_out,
        } = *hearing.counts();
        let name = |kind: u8| Kind(kind).name().map_or_else(|| "other".to_owned(), str::to_owned);
        let violations = hearing.violations();
        Self {
            octets,
            messages,
            messages_by_type: (0..).map(name).zip(kinds).filter(|(_, count)| *count > 0).collect(),
            announced,
            withdrawn,
            withdrawn_absent,
            end_of_ribs,
            untold,
            messages_lost,
            paths,
            paths_left_out,
            violations: violations.total(),
            violations_by_rule: violations.counts().clone(),
            tolerated: violations.tolerated().clone(),
        }
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        fn add_all<K: Clone + Ord>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            from.iter().for_each(|(key, count)| *to.entry(key.clone()).or_default() += count);
        }
        self.octets += other.octets;
        self.messages += other.messages;
        add_all(&mut self.messages_by_type, &other.messages_by_type);
        self.announced += other.announced;
        self.withdrawn += other.withdrawn;
        self.withdrawn_absent += other.withdrawn_absent;
        self.end_of_ribs += other.end_of_ribs;
        self.untold += other.untold;
        self.messages_lost += other.messages_lost;
        self.paths += other.paths;
        self.paths_left_out += other.paths_left_out;
        self.violations += other.violations;
        add_all(&mut self.violations_by_rule, &other.violations_by_rule);
        add_all(&mut self.tolerated, &other.tolerated);
    }
}

/// Where a connection stood in the world.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) to: SocketAddr,
    pub(crate) from: SocketAddr,
}

impl ConnectionReport {
    pub(crate) fn of(place: Place, hearing: &Hearing, mode: Mode, ended: Ended, busy: Duration) -> Self {
        let rows: Vec<_> = hearing
            .tables()
            .into_iter()
            .map(|(peer, view, family, table)| (peer, view, family, table, table.digest()))
            .collect();
        let all: Digest = all_of(
            rows.iter().map(|(peer, view, family, _, digest)| (peer.identity(), *view, *family, *digest)),
        );
        let is_whole = mode == Mode::Tables && hearing.counts().paths_left_out == 0;
        let tables = rows.iter().take(TABLES_MAX).map(|(peer, view, family, table, digest)| TableReport {
            peer: peer.to_string(),
            view: view.name(),
            family: family.to_string(),
            paths: table.len(),
            complete: table.is_complete(),
            digest: digest.to_string(),
        });
        Self {
            number: place.number,
            to: place.to,
            port: place.to.port(),
            from: place.from,
            router: hearing.router().map(str::to_owned),
            ended,
            termination: hearing.terminated(),
            mid_message: hearing.is_mid_message(),
            busy_seconds: busy.as_secs_f64(),
            totals: Totals::of(hearing),
            peers_up: hearing.peers_up(),
            peers_known: hearing.peers_known(),
            digest: is_whole.then(|| all.to_string()),
            tables: tables.collect(),
            tables_left_out: rows.len().saturating_sub(TABLES_MAX),
            first_violations: hearing.violations().list().to_vec(),
        }
    }

    /// Its violations, one line each.
    pub fn complaints(&self) -> impl Iterator<Item = impl Display> {
        let router = self.router.as_deref().unwrap_or("?");
        self.first_violations.iter().map(move |violation| {
            format!("connection {} port {} router {router:?}: {violation}", self.number, self.port)
        })
    }
}
