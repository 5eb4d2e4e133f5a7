//! `display bmp feed`, `memory`, `latency`: how the engine itself fares.

use serde_json::Value;

use super::layout::{NOTHING, Page, Side, Table, age, name, octets, quotient, span};
use super::value;
use crate::picture::{Messages, Percentiles, Picture};

fn total(messages: &Messages) -> u64 {
    messages.route_monitoring
        + messages.statistics_report
        + messages.peer_down
        + messages.peer_up
        + messages.initiation
        + messages.termination
        + messages.route_mirroring
        + messages.other
}

/// A row each.
pub(super) fn feeds(picture: &Picture) -> String {
    let mut page = Page::default();
    page.line(0, format_args!("Total number of feeds : {}", picture.feeds.len()));
    let mut table = Table::new(
        2,
        &[
            ("Feed", 7, Side::Left),
            ("Router", 17, Side::Left),
            ("Sessions", 9, Side::Right),
            ("Held", 10, Side::Right),
            ("Retention", 10, Side::Right),
            ("Oldest", 11, Side::Right),
            ("Octets", 10, Side::Right),
            ("Messages", 13, Side::Right),
            ("Falls", 8, Side::Right),
        ],
    );
    for feed in &picture.feeds {
        table.row([
            feed.number.to_string(),
            name(&feed.router),
            feed.sessions.to_string(),
            octets(feed.octets),
            octets(feed.retention_octets),
            span(feed.oldest_us),
            octets(feed.octets_total),
            total(&feed.messages).to_string(),
            feed.falls.to_string(),
        ]);
    }
    page.table(&table);
    page.finish()
}

pub(super) fn feeds_json(picture: &Picture) -> Result<Value, String> {
    Ok(serde_json::json!({ "total": picture.feeds.len(), "feeds": value(&picture.feeds)? }))
}

/// What all connections to servers take.
fn connections(picture: &Picture) -> (u64, usize) {
    let all = || picture.sessions.iter().flat_map(|session| &session.connections);
    (all().map(|connection| connection.memory_octets).sum(), all().count())
}

/// What the tables take: of paths, of their prefixes, of their attributes.
fn tables(picture: &Picture) -> u64 {
    let memory = &picture.memory;
    memory.columns_octets + memory.prefixes_octets + memory.attributes_octets
}

/// What each part takes, what that makes a path, and how near the limit is.
pub(super) fn memory(picture: &Picture) -> String {
    let memory = &picture.memory;
    let mut page = Page::default();
    let (who, version) = (name(&picture.sysname), picture.version);
    page.line(0, format_args!("Memory of {who}, heliograph {version}, up {}", age(picture.uptime_us)));
    let mut table = Table::new(
        2,
        &[
            ("Part", 25, Side::Left),
            ("Used", 12, Side::Right),
            ("Number", 13, Side::Right),
            ("Octets each", 13, Side::Right),
        ],
    );
    let (connections_octets, connections) = connections(picture);
    let parts = [
        ("Paths", memory.columns_octets, Some(memory.paths)),
        ("Prefixes", memory.prefixes_octets, Some(memory.prefixes)),
        ("Sets of attributes", memory.attributes_octets, Some(memory.attributes)),
        ("Catch-up walks", memory.walks_octets, None),
        ("Catch-up pieces", memory.pieces_octets, None),
        ("Logs of feeds", memory.logs_octets, u64::try_from(picture.feeds.len()).ok()),
        ("Connections", connections_octets, u64::try_from(connections).ok()),
    ];
    let sum: u64 = parts.iter().map(|part| part.1).sum();
    for (part, used, number) in parts {
        let none = || NOTHING.to_owned();
        table.row([
            part.to_owned(),
            octets(used),
            number.map_or_else(none, |number| number.to_string()),
            number.map_or_else(none, |number| quotient(used, number)),
        ]);
    }
    table.row(["Sum".to_owned(), octets(sum), String::new(), String::new()]);
    let resident = octets(memory.resident_octets);
    table.row(["Process, as the kernel counts".to_owned(), resident, String::new(), String::new()]);
    page.table(&table);
    let each = quotient(tables(picture), memory.paths);
    page.line(1, format_args!("Octets a path, prefixes and attributes included : {each}"));
    let of = match memory.paths_max {
        0 => String::new(),
        max => format!(" of {max} ({} %)", quotient(memory.paths.saturating_mul(100), max)),
    };
    page.line(1, format_args!("Paths : {}{of}", memory.paths));
    page.line(1, format_args!("Paths that are gone and remembered : {}", memory.tombstones));
    page.finish()
}

pub(super) fn memory_json(picture: &Picture) -> Result<Value, String> {
    let mut object = value(&picture.memory)?;
    let paths = picture.memory.paths;
    object["connections_octets"] = connections(picture).0.into();
    // For people who look; whoever computes has the exact parts.
    object["octets_a_path"] = quotient(tables(picture), paths).parse::<f64>().ok().into();
    Ok(object)
}

/// A row for each of the two ways.
pub(super) fn latency(picture: &Picture) -> String {
    let mut page = Page::default();
    let mut table = Table::new(
        2,
        &[
            ("Way", 15, Side::Left),
            ("Measured", 13, Side::Right),
            ("Mean", 9, Side::Right),
            ("Least", 9, Side::Right),
            ("50 %", 9, Side::Right),
            ("90 %", 9, Side::Right),
            ("99 %", 9, Side::Right),
            ("99.9 %", 9, Side::Right),
            ("Most", 9, Side::Right),
        ],
    );
    let latency = &picture.latency;
    for (way, times) in [("queue-to-log", &latency.queue_to_log), ("log-to-kernel", &latency.log_to_kernel)] {
        let Percentiles { count, sum_us, min_us, p50_us, p90_us, p99_us, p999_us, max_us, .. } = *times;
        let mut row = vec![way.to_owned(), count.to_string()];
        match sum_us.checked_div(count) {
            Some(mean) => row.extend([mean, min_us, p50_us, p90_us, p99_us, p999_us, max_us].map(span)),
            None => row.extend([NOTHING; 7].map(str::to_owned)),
        }
        table.row(row);
    }
    page.table(&table);
    page.finish()
}
