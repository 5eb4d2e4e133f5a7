//! What can stand behind `heliograph-station`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use station::pace::{Close, Habits, Stall};
use station::{LISTENERS_MAX, Mode, Rule};

/// Paths that are held if nobody says otherwise: about ten gigabytes of them.
const PATHS_MAX: usize = 100_000_000;
/// Threads, if nobody says otherwise, as far as there are cores.
const THREADS_MAX: usize = 8;

/// Written apart from its argument: brackets in a doc comment would be a link.
const LISTEN: &str =
    "Where to listen: 127.0.0.1:5001, [::1]:6000, or ports in a row as in 127.0.0.1:5001-5008; port 0 is any";

/// A BMP monitoring server for tests and capacity checks: counts, rebuilds tables, verifies, and is slow on request
///
/// Exits with 1 if a connection broke a rule that is not tolerated, and with 2 if it cannot do what it is asked to.
#[derive(Parser)]
#[command(name = "heliograph-station", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[arg(required = true, value_name = "ADDRESS", value_parser = parse_addresses, help = LISTEN)]
    listen: Vec<Addresses>,

    /// Threads that read [default: as many as there are cores, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Count messages, and do not read them
    #[arg(long, conflicts_with = "discard")]
    count: bool,
    /// Count octets, and do not even copy them
    #[arg(long)]
    discard: bool,
    /// Paths that all connections may hold together; those beyond it are left out, which is a violation
    #[arg(long, value_name = "N", value_parser = parse_count, default_value_t = PATHS_MAX as u64)]
    paths_max: u64,

    /// Rules that may be broken
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_names())]
    tolerate: Vec<String>,
    /// Timestamps of Route Monitoring may not fall within a peer and view
    #[arg(long)]
    check_times: bool,
    /// Versions of a path may not fall: the large community 4294901760:high:low of the project's own tests
    #[arg(long)]
    check_versions: bool,

    /// Read so many octets a second of each connection; k, M and G are 10^3, 10^6 and 10^9
    #[arg(long, value_name = "OCTETS", value_parser = parse_count)]
    rate: Option<u64>,
    /// Stop reading once, behind so many octets, for so many seconds; 0 seconds are for ever
    #[arg(long, value_name = "OCTETS:SECONDS", value_parser = parse_stall)]
    stall: Option<Stall>,
    /// Close each connection behind so many octets
    #[arg(long, value_name = "OCTETS", value_parser = parse_count)]
    close_after: Option<u64>,
    /// Close by a reset, and not in order
    #[arg(long, requires = "close_after")]
    reset: bool,
    /// Wait so many seconds on each port before each connection is accepted
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    accept_delay: Option<Duration>,
    /// Only the first so many connections of each port suffer from --rate, --stall and --close-after
    #[arg(long, value_name = "N")]
    only: Option<u64>,
    /// Octets that the kernel may buffer of each connection: small ones let a slow reader be felt soon
    #[arg(long, value_name = "OCTETS", value_parser = parse_count)]
    receive_buffer: Option<u64>,

    /// End after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) seconds: Option<Duration>,
    /// End when so many connections have ended
    #[arg(long, value_name = "N")]
    pub(crate) until_closed: Option<u64>,
    /// Write the tables of each connection as text, when it ends
    #[arg(long, value_name = "FILE")]
    pub(crate) dump: Option<PathBuf>,
    /// Write one JSON object to standard output at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Show nothing until the end but where it listens
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// One address and some ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses(Vec<SocketAddr>);

impl Arguments {
    /// What the station is asked to do, the dump apart.
    pub(crate) fn settings(&self) -> station::Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let rules = Rule::ALL.iter().copied();
        let close = self.close_after.map(|after| Close { after, by_reset: self.reset });
        station::Settings {
            listen: self.listen.iter().flat_map(|addresses| addresses.0.iter().copied()).collect(),
            threads: self.threads.map_or(cores.min(THREADS_MAX), usize::from),
            mode: match (self.count, self.discard) {
                (_, true) => Mode::Discard,
                (true, false) => Mode::Count,
                (false, false) => Mode::Tables,
            },
            demands: station::Demands {
                tolerated: rules
                    .filter(|rule| self.tolerate.iter().any(|name| name == rule.name()))
                    .collect(),
                times: self.check_times,
                versions: self.check_versions,
            },
            paths_max: usize::try_from(self.paths_max).unwrap_or(usize::MAX),
            habits: Habits { rate: self.rate, stall: self.stall, close },
            only: self.only,
            accept_delay: self.accept_delay.unwrap_or_default(),
            receive_buffer: self.receive_buffer.map(|octets| usize::try_from(octets).unwrap_or(usize::MAX)),
            dump: None,
        }
    }
}

fn rule_names() -> PossibleValuesParser {
    let rules = Rule::ALL.iter();
    PossibleValuesParser::new(
        rules.map(|rule| clap::builder::PossibleValue::new(rule.name()).help(rule.text())),
    )
}

fn parse_addresses(text: &str) -> Result<Addresses, String> {
    let wrong = || format!("{text}, expected ADDRESS:PORT or ADDRESS:FIRST-LAST, IPv6 in brackets");
    let (address, ports) = text.rsplit_once(':').ok_or_else(wrong)?;
    let ip: IpAddr = match address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => IpAddr::V6(v6.parse().map_err(|_| wrong())?),
        None => IpAddr::V4(address.parse().map_err(|_| wrong())?),
    };
    let port = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    let (first, last) = match ports.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(ports)?, port(ports)?),
    };
    if first > last || (first == 0 && last > 0) || usize::from(last - first) >= LISTENERS_MAX {
        return Err(format!("ports {first} to {last}, expected at most {LISTENERS_MAX} that grow from 1"));
    }
    Ok(Addresses((first..=last).map(|port| SocketAddr::new(ip, port)).collect()))
}

/// A number that may end with k, M or G.
fn parse_count(text: &str) -> Result<u64, String> {
    let units = [("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let unit = units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, *unit)));
    let (digits, unit) = unit.unwrap_or((text, 1));
    let count = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    count.ok_or_else(|| format!("{text}, expected a number such as 500, 64k or 10M"))
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| format!("{text}, expected seconds such as 2 or 0.5"))
}

fn parse_stall(text: &str) -> Result<Stall, String> {
    let (after, period) =
        text.split_once(':').ok_or_else(|| format!("{text}, expected OCTETS:SECONDS such as 1M:10"))?;
    let period = Some(parse_seconds(period)?).filter(|period| !period.is_zero());
    Ok(Stall { after: parse_count(after)?, period })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_table_of_arguments_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn addresses() {
        let rows = [
            ("127.0.0.1:5001", "127.0.0.1:5001"),
            ("127.0.0.1:5001-5003", "127.0.0.1:5001 127.0.0.1:5002 127.0.0.1:5003"),
            ("[::1]:6000", "[::1]:6000"),
            ("[::]:65535-65535", "[::]:65535"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("127.0.0.1:9-8", "no"),
            ("127.0.0.1:0-8", "no"),
            ("127.0.0.1:1-9999", "no"),
            ("::1:6000", "no"),
            ("[127.0.0.1]:6000", "no"),
            ("localhost:5001", "no"),
            ("127.0.0.1", "no"),
            ("127.0.0.1:", "no"),
            ("127.0.0.1:65536", "no"),
        ];
        for (text, expected) in rows {
            let parsed = parse_addresses(text).map_or_else(
                |_| "no".to_owned(),
                |Addresses(all)| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            );
            assert_eq!(parsed, expected, "{text}");
        }
    }

    #[test]
    fn numbers() {
        let stall =
            |after, seconds: Option<f64>| Some(Stall { after, period: seconds.map(Duration::from_secs_f64) });
        for (text, expected) in [
            ("0", Some(0)),
            ("64k", Some(64_000)),
            ("2G", Some(2_000_000_000)),
            ("k", None),
            ("-1", None),
            ("20000000000G", None),
        ] {
            assert_eq!(parse_count(text).ok(), expected, "{text}");
        }
        for (text, expected) in
            [("1M:2.5", stall(1_000_000, Some(2.5))), ("0:0", stall(0, None)), ("5", None), ("5:-1", None)]
        {
            assert_eq!(parse_stall(text).ok(), expected, "{text}");
        }
    }
}
