//! What is said at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ingest::mrt::{Counts, Skip};
use serde_json::{Value, json};

use crate::pace::Late;
use crate::progress::{grouped, octets, per_second};
use crate::servers::Server;

/// All of it.
pub(crate) struct Summary {
    pub(crate) counts: Counts,
    /// For looking at records in advance, which unpacks them.
    pub(crate) seconds_ahead: f64,
    /// From the first record to the last, and until the last server had everything.
    pub(crate) seconds: f64,
    pub(crate) seconds_all: f64,
    /// How late records left; nothing where none had to wait.
    pub(crate) late: Late,
    pub(crate) servers: Vec<Server>,
    /// Files, and what was wrong with them.
    pub(crate) files: Vec<(String, Option<String>)>,
    pub(crate) interrupted: bool,
}

impl Summary {
    /// Whether every server has everything.
    pub(crate) fn is_complete(&self) -> bool {
        !self.interrupted
            && self.servers.iter().all(|server| server.complete)
            && self.files.iter().all(|(_, error)| error.is_none())
    }

    /// One line.
    pub(crate) fn json(&self) -> String {
        let counts = &self.counts;
        let servers: Vec<Value> = self
            .servers
            .iter()
            .map(|server| {
                json!({
                    "server": server.address,
                    "octets": server.octets,
                    "complete": server.complete,
                    "reason": server.reason,
                })
            })
            .collect();
        let files: Vec<Value> =
            self.files.iter().map(|(name, error)| json!({ "file": name, "error": error })).collect();
        json!({
            "complete": self.is_complete(),
            "interrupted": self.interrupted,
            "records": counts.records,
            "mirrored": counts.mirrored,
            "skipped": reasons(&counts.skipped),
            "entries_skipped": reasons(&counts.entries_skipped),
            "messages": counts.messages,
            "announced": counts.announced,
            "withdrawn": counts.withdrawn,
            "peer_ups": counts.peer_ups,
            "peer_downs": counts.peer_downs,
            "path_ids_made": counts.path_ids_made,
            "restarts": counts.restarts,
            "octets": counts.octets,
            "seconds_ahead": self.seconds_ahead,
            "seconds": self.seconds,
            "seconds_all": self.seconds_all,
            "records_per_s": per_second(counts.records, self.seconds),
            "waits": self.late.count,
            "late_max_us": self.late.max_us,
            "late_over_1ms": self.late.over,
            "servers": servers,
            "files": files,
        })
        .to_string()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let counts = &self.counts;
        let mut text = format!(
            "{} records in {:.1} s, {}/s: {} mirrored in {} messages, {}; {} routes announced, {} withdrawn\n",
            grouped(counts.records),
            self.seconds,
            grouped(per_second(counts.records, self.seconds)),
            grouped(counts.mirrored),
            grouped(counts.messages),
            octets(counts.octets),
            grouped(counts.announced),
            grouped(counts.withdrawn),
        );
        let mut line = |what: std::fmt::Arguments<'_>| writeln!(text, "{what}").expect("a String");
        for (of, skipped) in [("records", &counts.skipped), ("entries", &counts.entries_skipped)] {
            for (why, count) in skipped {
                line(format_args!("  {} {of} skipped: {why}", grouped(*count)));
            }
        }
        if self.late.count > 0 {
            let Late { max_us, count, over } = self.late;
            line(format_args!("  {count} waits, at most {max_us} us late, {over} of them more than 1 ms"));
        }
        for (name, error) in &self.files {
            if let Some(error) = error {
                line(format_args!("  {name} was not read to its end: {error}"));
            }
        }
        for server in &self.servers {
            let Server { address, octets: sent, complete, reason, .. } = server;
            let state = if *complete { "has everything" } else { "does not have everything" };
            let reason = reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
            line(format_args!("  {address} {state}, {} sent{reason}", octets(*sent)));
        }
        text
    }
}

fn reasons(skipped: &BTreeMap<Skip, u64>) -> Value {
    skipped
        .iter()
        .map(|(why, count)| (why.to_string(), Value::from(*count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
