//! What can stand behind `heliograph-replay`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use ingest::mrt::{Filter, Stamp, Who};
use wire::Family;

use crate::pace::Speed;

/// Replay MRT files as BMP, to one server or many
///
/// The files are merged by time and become one router with all their peers: tables are dumped, updates follow as
/// they were received. Files may be packed with gzip, bzip2, xz or zstd. Ends with 0 if every server has got
/// everything and every file was read to its end.
#[derive(Parser, Clone, Debug)]
#[command(name = "heliograph-replay", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// MRT files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The servers
    #[arg(long, value_name = "ADDR:PORT", required = true, num_args = 1.., value_delimiter = ',')]
    pub(crate) to: Vec<SocketAddr>,
    /// How fast, by the times of the records: `max`, `1x`, `10x`, `0.5x`
    #[arg(long, default_value = "max", value_parser = speed)]
    pub(crate) speed: Speed,
    /// At most so many records a second
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Replay so many times; in between all peers go down
    #[arg(long = "loop", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) passes: u64,
    /// Leave out what is older: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Stamp>,
    /// Leave out what is newer
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Stamp>,
    /// Only peers with this address or AS; may be given several times
    #[arg(long, value_name = "ADDR|AS", value_parser = who)]
    pub(crate) peer: Vec<Who>,
    /// Only routes inside of this prefix; may be given several times. An update passes whole if one of its routes
    /// is wanted
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    pub(crate) prefix: Vec<(IpAddr, u8)>,
    /// Only this family, `ipv4-unicast` or `1/1`; may be given several times
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub(crate) family: Vec<Family>,
    /// What the router is called
    #[arg(long, value_name = "SYSNAME", default_value = "heliograph-replay")]
    pub(crate) name: String,
    /// What moves the octets
    #[arg(long, value_enum, default_value_t = Io::Uring)]
    pub(crate) io: Io,
    /// Begin when all servers are up, not when each has been tried
    #[arg(long)]
    pub(crate) wait: bool,
    /// Stay for so many seconds when everything has been sent
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) linger: u64,
    /// Sum up in one line of JSON, on a terminal as well
    #[arg(long)]
    pub(crate) json: bool,
}

/// What moves the octets.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Io {
    /// The fastest
    Uring,
    /// Where there is no io_uring
    Epoll,
}

impl Arguments {
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            from: self.from,
            to: self.until,
            peers: self.peer.clone(),
            prefixes: self.prefix.clone(),
            families: self.family.clone(),
        }
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.strip_suffix('x').and_then(|times| times.parse().ok());
    let times = times.filter(|times: &f64| times.is_finite() && *times > 0.0);
    times.map(Speed::Times).ok_or_else(|| String::from("expected `max`, or a number and x: `1x`, `0.5x`"))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| String::from("expected records a second, more than 0"))
}

fn time(text: &str) -> Result<Stamp, String> {
    let wrong = || String::from("expected a time like 2026-01-31T12:00:00Z, or seconds since 1970");
    let micros = match text.parse::<f64>() {
        Ok(seconds) => jiff::SignedDuration::try_from_secs_f64(seconds).map_err(|_| wrong())?.as_micros(),
        Err(_) => i128::from(text.parse::<jiff::Timestamp>().map_err(|_| wrong())?.as_microsecond()),
    };
    let part = |value: i128| u32::try_from(value).map_err(|_| wrong());
    Ok(Stamp { seconds: part(micros.div_euclid(1_000_000))?, micros: part(micros.rem_euclid(1_000_000))? })
}

fn who(text: &str) -> Result<Who, String> {
    if let Ok(address) = text.parse() {
        return Ok(Who::Address(address));
    }
    let number = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    number.parse().map(Who::As).map_err(|_| String::from("expected an address, or an AS like 64500"))
}

fn prefix(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = || String::from("expected a prefix like 192.0.2.0/24");
    let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?;
    Ok((address, bits))
}

fn family(text: &str) -> Result<Family, String> {
    if let Some(known) = Family::known().find(|known| known.name() == Some(text)) {
        return Ok(known);
    }
    let numbers = text.split_once('/').and_then(|(afi, safi)| Some((afi.parse().ok()?, safi.parse().ok()?)));
    let known: Vec<&str> = Family::known().filter_map(Family::name).collect();
    numbers
        .map(|(afi, safi)| Family::new(afi, safi))
        .ok_or_else(|| format!("expected AFI/SAFI, or one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read() {
        let told = |line: &str| {
            let line = format!("heliograph-replay a.mrt --to 127.0.0.1:1 {line}");
            match Arguments::try_parse_from(line.split_whitespace()) {
                Ok(arguments) => format!(
                    "{:?} {:?} {} {:?}",
                    arguments.speed,
                    arguments.rate,
                    arguments.to.len(),
                    arguments.filter()
                ),
                Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
            }
        };
        let plain = "Filter { from: None, to: None, peers: [], prefixes: [], families: [] }";
        let rows = [
            ("", format!("Max None 1 {plain}")),
            ("--speed 10x --rate 2.5", format!("Times(10.0) Some(2.5) 1 {plain}")),
            ("--speed 0.5x --to 127.0.0.1:2,[::1]:3", format!("Times(0.5) None 3 {plain}")),
            (
                "--peer AS64500 --peer 2001:db8::1 --prefix 10.0.0.0/8 --family ipv6-unicast --family 25/70",
                String::from(
                    "Max None 1 Filter { from: None, to: None, peers: [As(64500), Address(2001:db8::1)], \
                     prefixes: [(10.0.0.0, 8)], families: [ipv6-unicast, l2vpn-evpn] }",
                ),
            ),
            (
                "--from 2020-09-13T12:26:40.25Z --until 1600000001",
                String::from(
                    "Max None 1 Filter { from: Some(Stamp { seconds: 1600000000, micros: 250000 }), \
                     to: Some(Stamp { seconds: 1600000001, micros: 0 }), peers: [], prefixes: [], families: [] }",
                ),
            ),
            (
                "--speed 0x",
                String::from(
                    "error: invalid value '0x' for '--speed <SPEED>': expected `max`, or a number and x: `1x`, `0.5x`",
                ),
            ),
            (
                "--prefix 10.0.0.0/33",
                String::from(
                    "error: invalid value '10.0.0.0/33' for '--prefix <PREFIX>': expected a prefix like 192.0.2.0/24",
                ),
            ),
        ];
        for (line, expected) in rows {
            assert_eq!(told(line), expected, "{line}");
        }
    }
}
