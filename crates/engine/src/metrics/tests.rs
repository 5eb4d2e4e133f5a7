//! The page, checked by a small reader of its own that knows the format and nothing of how it is written.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Kind, Labels, Metric, Page, Value};
use super::text;
use crate::picture::{Percentiles, Picture, Router};
use crate::show::tests::sample::{self, HOSTILE};

/// A page as a reader of Prometheus sees it.
#[derive(Default)]
struct Read {
    /// The type of each family.
    types: BTreeMap<String, String>,
    /// Each series with its value: name, then labels by name.
    series: BTreeMap<(String, Pairs), f64>,
}

fn is_name(name: &str, colon: bool) -> bool {
    let inner = |char: char| char.is_ascii_alphanumeric() || char == '_' || colon && char == ':';
    name.chars().all(inner) && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Labels by name.
type Pairs = Vec<(String, String)>;

/// The labels between braces, and what stands behind them.
fn labels(mut rest: &str) -> Result<(Pairs, &str), String> {
    let mut labels = Vec::new();
    loop {
        let (name, behind) = rest.split_once("=\"").ok_or("no label")?;
        if !is_name(name, false) || name.starts_with("__") {
            return Err(format!("label name {name}"));
        }
        let (mut value, mut chars) = (String::new(), behind.chars());
        loop {
            match chars.next().ok_or("no end of a label")? {
                '"' => break,
                '\\' => value.push(match chars.next() {
                    Some('n') => '\n',
                    Some(char @ ('\\' | '"')) => char,
                    other => return Err(format!("escape {other:?}")),
                }),
                char if char.is_control() => return Err(format!("control character {char:?}")),
                char => value.push(char),
            }
        }
        labels.push((name.to_owned(), value));
        rest = chars.as_str();
        match rest.chars().next() {
            Some(',') => rest = &rest[1..],
            Some('}') => break,
            other => return Err(format!("{other:?} behind a label")),
        }
    }
    let names: BTreeSet<&str> = labels.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() != labels.len() {
        return Err("a label twice".to_owned());
    }
    labels.sort();
    Ok((labels, &rest[1..]))
}

impl Read {
    /// Reads a page and refuses what a reader would, or what is against the conventions.
    fn page(text: &str) -> Result<Self, String> {
        let mut read = Self::default();
        let (mut family, mut helped) = (String::new(), String::new());
        if !text.ends_with('\n') {
            return Err("no end of the last line".to_owned());
        }
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or_else(|| line.to_owned())?;
                if help.is_empty() || help.contains('\\') {
                    return Err(format!("help: {line}"));
                }
                name.clone_into(&mut helped);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or_else(|| line.to_owned())?;
                if name != helped || read.types.insert(name.to_owned(), kind.to_owned()).is_some() {
                    return Err(format!("no help, or a type twice: {line}"));
                }
                name.clone_into(&mut family);
            } else {
                read.sample(&family, line).map_err(|error| format!("{error}: {line}"))?;
            }
        }
        read.conventions()?;
        Ok(read)
    }

    fn sample(&mut self, family: &str, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(end);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let value =
            rest.strip_prefix(' ').ok_or("no blank")?.parse::<f64>().map_err(|error| error.to_string())?;
        let suffix = name.strip_prefix(family).ok_or("a sample of another family")?;
        let suffixes: &[&str] = match self.types.get(family).map(String::as_str) {
            Some("counter" | "gauge") => &[""],
            Some("histogram") => &["_bucket", "_sum", "_count"],
            other => return Err(format!("type {other:?}")),
        };
        if !suffixes.contains(&suffix) || !is_name(name, true) {
            return Err("a name that does not fit its type".to_owned());
        }
        match self.series.insert((name.to_owned(), labels), value) {
            None => Ok(()),
            Some(_) => Err("a series twice".to_owned()),
        }
    }

    fn conventions(&self) -> Result<(), String> {
        for (name, kind) in &self.types {
            let units = ["_us", "_ms", "_octets", "_minutes"].iter().any(|unit| name.contains(unit));
            if units || !name.starts_with("heliograph_") || (kind == "counter") != name.ends_with("_total") {
                return Err(format!("{kind} {name}"));
            }
            if kind == "histogram" {
                self.histogram(name)?;
            }
        }
        Ok(())
    }

    fn histogram(&self, name: &str) -> Result<(), String> {
        let bucket = format!("{name}_bucket");
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for ((_, labels), count) in self.series.iter().filter(|((name, _), _)| *name == bucket) {
            let [(le, up_to)] = labels.as_slice() else { return Err(format!("{name}: {labels:?}")) };
            assert_eq!(le, "le");
            buckets.push((up_to.replace("+Inf", "inf").parse().map_err(|_| up_to.clone())?, *count));
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let grows = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let count = self.series.get(&(format!("{name}_count"), Vec::new()));
        let last = buckets.last().filter(|last| last.0.is_infinite()).map(|last| &last.1);
        let sum = self.series.contains_key(&(format!("{name}_sum"), Vec::new()));
        if grows && sum && count.is_some() && count == last {
            Ok(())
        } else {
            Err(format!("{name}: {buckets:?}"))
        }
    }

    /// The value of the one series of this name that has these labels.
    fn value(&self, name: &str, wanted: &[(&str, &str)]) -> Option<f64> {
        let has = |labels: &[(String, String)], wanted: &(&str, &str)| {
            labels.iter().any(|(name, value)| (name.as_str(), value.as_str()) == *wanted)
        };
        let mut found = (self.series.iter())
            .filter(|((known, labels), _)| known == name && wanted.iter().all(|wanted| has(labels, wanted)));
        let first = found.next().map(|(_, value)| *value);
        if found.next().is_some() { None } else { first }
    }
}

/// A name, some of the labels, and the value.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

#[test]
fn a_page() {
    let text = text(&sample::picture());
    let read = Read::page(&text).unwrap_or_else(|error| panic!("{error}"));
    let shown = "\\u{1b}[31mrr\"2\"\\\\\\n\\u{202e}";
    let session = ("session", "192.0.2.10");
    let rows: &[Row<'_>] = &[
        ("heliograph_info", &[("version", "0.1.0"), ("sysname", "mirror1")], 1.0),
        ("heliograph_process_start_time_seconds", &[], 1_797_321_600.0),
        ("heliograph_process_resident_memory_bytes", &[], 40_000_000.0),
        ("heliograph_session_up", &[session, ("alias", ""), ("vpn_instance", "")], 1.0),
        ("heliograph_session_up", &[session, ("alias", "b")], 0.0),
        ("heliograph_session_reset_needed", &[("alias", "b")], 1.0),
        ("heliograph_session_connections_wanted", &[("alias", "b")], 2.0),
        ("heliograph_session_state_age_seconds", &[("vpn_instance", "red")], 93_600.0),
        ("heliograph_connection_state", &[("alias", "b"), ("router", shown), ("state", "waiting")], 1.0),
        ("heliograph_connection_lag_seconds", &[("alias", "b"), ("router", shown)], 1.234_567),
        ("heliograph_connection_sent_bytes_total", &[("alias", ""), ("router", "rr1")], 1_288_490_188.0),
        (
            "heliograph_connection_sent_messages_total",
            &[("alias", ""), ("router", "rr1"), ("type", "statistics-report")],
            53.0,
        ),
        ("heliograph_router_up", &[("router", shown)], 0.0),
        ("heliograph_router_routes_total", &[("router", shown), ("result", "refused")], 100.0),
        ("heliograph_peer_updates_total", &[("router", "rr1"), ("peer", "203.0.113.1")], 1_048_576.0),
        ("heliograph_peer_provisional", &[("distinguisher", "65000:1"), ("kind", "rd")], 1.0),
        ("heliograph_peer_quiet_seconds", &[("distinguisher", "65000:1")], 5.0),
        (
            "heliograph_peer_paths",
            &[
                ("peer", "203.0.113.1"),
                ("view", "adj-rib-in-pre"),
                ("family", "ipv4-unicast"),
                ("add_path", "true"),
            ],
            942_117.0,
        ),
        ("heliograph_feed_messages_total", &[("feed", "1"), ("type", "route-monitoring")], 2_000_000.0),
        ("heliograph_feed_oldest_seconds", &[("feed", "0")], 812.0),
        ("heliograph_memory_bytes", &[("part", "connections")], 55_296.0),
        ("heliograph_paths_limit", &[], 200_000_000.0),
        ("heliograph_queue_to_log_seconds_bucket", &[("le", "0.0001")], 400_000.0),
        ("heliograph_queue_to_log_seconds_bucket", &[("le", "1")], 999_990.0),
        ("heliograph_queue_to_log_seconds_bucket", &[("le", "+Inf")], 1_000_000.0),
        ("heliograph_queue_to_log_seconds_sum", &[], 150.0),
        ("heliograph_log_to_kernel_seconds_count", &[], 0.0),
    ];
    for (name, labels, want) in rows {
        assert_eq!(read.value(name, labels), Some(*want), "{name} {labels:?}\n{text}");
    }
    // As the heading of this module says: of sessions, of connections, of routers, of peers, of feeds.
    let series = |prefix: &str| read.series.keys().filter(|(name, _)| name.starts_with(prefix)).count();
    assert_eq!(series("heliograph_session_"), 3 * 5);
    assert_eq!(series("heliograph_connection_"), 3 * 20);
    assert_eq!(series("heliograph_router_"), 2 * 15);
    assert_eq!(series("heliograph_peer_"), 3 * 4 + 4);
    assert_eq!(series("heliograph_feed_"), 2 * 14);
}

#[test]
fn an_empty_page() {
    let read = Read::page(&text(&Picture::default())).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.value("heliograph_paths", &[]), Some(0.0));
    assert!(read.types.contains_key("heliograph_session_up"), "a family without samples has its type");
}

#[test]
fn names_never_make_two_series_one_nor_one_two() {
    // Pairs of which one looks like the other, escaped; and one that is there twice.
    let names = [
        HOSTILE, "a\rb", "a\\rb", "a\\\\rb", "a\nb", "a\\nb", "a\"b", "a\\\"b", "a\0", "", " ", "twice",
        "twice",
    ];
    let router = |name: &str| Router { name: name.to_owned(), ..Router::default() };
    let routers = names.map(router).to_vec();
    let text = text(&Picture { routers, ..Picture::default() });
    let read = Read::page(&text).unwrap_or_else(|error| panic!("{error}"));
    let series = read.series.keys().filter(|(name, _)| name == "heliograph_router_up").count();
    assert_eq!(series, names.len() - 1, "{text}");
}

#[test]
fn long_names_stay_different() {
    let name = |end: &str| Router { name: "x".repeat(5000) + end, ..Router::default() };
    let text = text(&Picture { routers: vec![name("a"), name("b")], ..Picture::default() });
    let read = Read::page(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.series.keys().filter(|(name, _)| name == "heliograph_router_up").count(), 2);
}

#[test]
fn histograms_that_are_not_in_order() {
    let buckets = vec![(10, 5), (10, 6), (5, 7), (20, 4), (30, 9)];
    let queue_to_log = Percentiles { count: 8, buckets, ..Percentiles::default() };
    let mut picture = Picture::default();
    picture.latency.queue_to_log = queue_to_log;
    let read = Read::page(&text(&picture)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.value("heliograph_queue_to_log_seconds_count", &[]), Some(9.0));
}

#[test]
fn the_reader_refuses() {
    let head = "# HELP heliograph_a_total A.\n# TYPE heliograph_a_total counter\n";
    let rows = [
        ("heliograph_a_total 1\nheliograph_a_total 2\n", "a series twice"),
        ("heliograph_a_total{x=\"1\",y=\"2\"} 1\nheliograph_a_total{y=\"2\",x=\"1\"} 1\n", "a series twice"),
        ("heliograph_b_total 1\n", "another family"),
        ("heliograph_a_total_sum 1\n", "does not fit its type"),
        ("heliograph_a_total{x=\"\\r\"} 1\n", "escape"),
        ("heliograph_a_total{x=\"\t\"} 1\n", "control character"),
        ("heliograph_a_total{x=\"1\n", "no end of a label"),
        ("heliograph_a_total{1x=\"1\"} 1\n", "label name"),
        ("heliograph_a_total one\n", "invalid float"),
        ("# HELP heliograph_b B.\n# TYPE heliograph_b counter\n", "counter heliograph_b"),
        ("# HELP heliograph_b_us B.\n# TYPE heliograph_b_us gauge\n", "gauge heliograph_b_us"),
        ("# HELP b B.\n# TYPE b gauge\n", "gauge b"),
        ("# TYPE heliograph_b gauge\n", "no help"),
        (
            "# HELP heliograph_h H.\n# TYPE heliograph_h histogram\nheliograph_h_sum 1\nheliograph_h_count 1\n",
            "heliograph_h",
        ),
    ];
    for (body, want) in rows {
        let error = Read::page(&format!("{head}{body}")).err().unwrap_or_default();
        assert!(error.contains(want), "{body}: {error:?}, expected {want:?}");
    }
}

#[test]
fn values() {
    let rows = [
        (Value::Count(u64::MAX), "18446744073709551615"),
        (Value::Micros(0), "0"),
        (Value::Micros(1), "0.000001"),
        (Value::Micros(250), "0.00025"),
        (Value::Micros(1_000_000), "1"),
        (Value::Micros(12_500_000), "12.5"),
    ];
    for (value, want) in rows {
        assert_eq!(value.to_string(), want);
    }
}

#[test]
fn a_family() {
    let mut page = Page::default();
    let metric =
        Metric { name: "m", kind: Kind::Gauge, help: "Help.", value: |count: &u64| Value::Count(*count) };
    let labels = Labels::new(&[("a", "1\\\"\n")]);
    page.each(&metric, [(&Labels::default(), &1), (&labels, &2), (&labels, &3)]);
    assert_eq!(page.finish(), "# HELP m Help.\n# TYPE m gauge\nm 1\nm{a=\"1\\\\\\\\\\\"\\\\n\"} 2\n");
}
