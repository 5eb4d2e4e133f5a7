//! Where lines come from: the table, a hand that types badly, and noise.

use config::table::View;
use tests::Rng;

use crate::twin::{self, Node, Twin};

/// By parameter: words that are one, and words that nearly are.
const SAMPLES: &[(&str, &[&str])] = &[
    ("sysname", &["mirror1", "\"my mirror\"", "é", "?"]),
    ("vrf", &["red", "\"my vpn\"", "_public_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "vpn-instance", "all"]),
    ("alias", &["aa", "b", "\"a b\"", "alias", "verbose", "日本"]),
    ("kcname", &["kc1", "KC", "\"K C\"", "mode", "k?"]),
    ("policy", &["p", "POLICY", "\"p q\"", "name"]),
    ("label", &["first", "-", "1st", "description", "\"a b\""]),
    ("rd", &["1:1", "100:200", "1:", "\"1 1\""]),
    ("word", &["r1", "bmp", "\"two words\"", "include"]),
    ("router", &["r1", "al", "all", "verb", "verbose", "\"two words\"", "include", "router"]),
    ("ifname", &["eth0", "lo", "GigabitEthernet0/0/1", "0eth", "\"eth 0\"", "LoopBack"]),
    ("iftype", &["LoopBack", "GigabitEthernet", "Eth-Trunk", "9"]),
    ("ifnum", &["0", "0/0/1.100", "1:1", "10.1.1.999", "x"]),
    ("device", &["vrf-red", "eth0", "a/b", "aaaaaaaaaaaaaaaaaaa"]),
    ("path", &["/run/netns/red", "red", "\"/run/my net\"", "?"]),
    ("file", &["/etc/x.cfg", "\"my file\"", "?"]),
    (
        "ip",
        &["10.1.1.1", "2001:db8::1", "FE80::1", "010.1.1.1", "10.1.1.999", "::ffff:1.2.3.4", "\"::1\"", "::"],
    ),
    ("ipv4", &["10.1.1.1", "0.0.0.0", "1.2.3", "::1"]),
    ("ipv6", &["2001:DB8:1::1", "::1", "10.1.1.1", "1::2::3"]),
    ("prefix", &["10.1.1.1/8", "::/0", "2001:db8::1/32", "1.1.1.1/33", "1.1.1.1"]),
    ("port", &["1", "5364", "65535", "0", "65536", "70000", "p", "\"5\""]),
    ("routers", &["10", "0"]),
    ("peers", &["10", "0"]),
    ("paths", &["10", "99999999999"]),
    ("bytes", &["8192", "1"]),
    ("retry", &["30", "0"]),
    ("megabytes", &["64", "0"]),
    ("stall", &["300", "4"]),
    ("statistics", &["15", "14", "3600"]),
    ("dscp", &["0", "46", "64"]),
    ("mss", &["1460", "87"]),
    ("kilobytes", &["256", "0"]),
    ("masklen", &["24", "33"]),
    ("keyid", &["0", "63", "64"]),
    ("ao-id", &["0", "255", "256"]),
    ("kind", &["254", "27"]),
    ("algid", &["3", "64"]),
    ("tolerance", &["10", "14401"]),
    ("duration", &["60", "0"]),
    ("day-of-month", &["1", "31", "32"]),
    ("trial", &["60", "59"]),
    ("commit-id", &["1000000001", "0"]),
    ("last", &["1", "81"]),
    ("time", &["08:00", "8:5", "24:00"]),
    ("date", &["2018-10-1", "2050-12-31", "2018-02-29"]),
    ("pwd", &["secret", "\"two words\"", "%^%#x%^%#", "what?", "cipher", "plain", "cip"]),
    ("text60", &["all of it", "\"", "what?", "to the end  of"]),
    ("text80", &["all of it", "\"", "what?", "# no comment"]),
    ("command", &["display bmp session", "reset bmp", "\"", "nothing of that"]),
    ("regex", &["^Up", "a  b", "\"", "[0-9]+?"]),
];

/// What hands and files put into lines that do not belong there.
const NOISE: &[&str] = &[
    "\"", "?", "é", "\t", " ", "#", "!", "|", "%^%#", "-", ".", ":", "/", "0", "a", "\u{a0}", "日", "\r",
    "\0", "<", "[", "{",
];

/// A line, and the view it is for.
pub(crate) fn line(twin: &Twin, dice: &mut Rng) -> (View, String) {
    let view = dice.pick(View::ALL);
    if dice.percent(2) {
        return (view, (0..dice.below(40)).map(|_| dice.pick(NOISE)).collect());
    }
    let mut words = grow(twin, view, dice);
    for _ in 0..[0, 0, 0, 1, 1, 2, 3][dice.below(7)] {
        spoil(&mut words, dice);
    }
    let mut line = String::new();
    for (n, word) in words.iter().enumerate() {
        if n > 0 || dice.percent(10) {
            line += if dice.percent(10) { " \t " } else { " " };
        }
        line += word;
    }
    if dice.percent(10) {
        line.push(' ');
    }
    if dice.percent(10) {
        scratch(&mut line, dice);
    }
    if dice.below(500) == 0 {
        line += &"x".repeat(config::LINE_MAX);
    }
    (view, line)
}

/// A line that some row of a view describes, but for samples that are none.
fn grow(twin: &Twin, view: View, dice: &mut Rng) -> Vec<String> {
    let mut nexts = twin.begin(view).to_vec();
    let mut words = Vec::new();
    loop {
        let (node, way) = &nexts[dice.below(nexts.len())];
        words.push(match node {
            Node::Keyword(keyword) => typed(keyword, dice),
            Node::Parameter(name) => sample(name, dice).to_owned(),
            _ => panic!("{node:?} is no word"),
        });
        let on = twin::nexts(way);
        if on.is_empty() || twin::ends(way) && dice.percent(30) {
            return words;
        }
        nexts = on;
    }
}

/// A keyword as hands type it.
fn typed(keyword: &str, dice: &mut Rng) -> String {
    match dice.below(8) {
        0 => keyword.to_ascii_uppercase(),
        3 if dice.percent(20) => format!("\"{keyword}\""),
        1 | 2 => keyword.get(..=dice.below(keyword.len())).unwrap_or(keyword).to_owned(),
        _ => keyword.to_owned(),
    }
}

/// A word for a parameter: the first of them are good.
fn sample(name: &str, dice: &mut Rng) -> &'static str {
    let found = SAMPLES.iter().find(|(kind, _)| *kind == name);
    let samples: &[&str] = found.unwrap_or_else(|| panic!("no samples of <{name}>")).1;
    if dice.percent(20) { dice.pick(samples) } else { samples[dice.below(samples.len().min(2))] }
}

fn spoil(words: &mut Vec<String>, dice: &mut Rng) {
    let at = dice.below(words.len().max(1));
    match dice.below(7) {
        0 | 1 if !words.is_empty() => drop(words.remove(at)),
        2 => words.truncate(at),
        3 if !words.is_empty() => words.insert(at, words[at].clone()),
        4 if words.len() > 1 => words.swap(at, 0),
        5 if !words.is_empty() => scratch(&mut words[at], dice),
        _ => words.insert(at, dice.pick(of_some_parameter(at)).to_string()),
    }
}

/// Words of one parameter or another.
fn of_some_parameter(n: usize) -> &'static [&'static str] {
    SAMPLES[n * 7 % SAMPLES.len()].1
}

/// One character more, less or other.
fn scratch(text: &mut String, dice: &mut Rng) {
    let mut chars: Vec<char> = text.chars().collect();
    let at = dice.below(chars.len() + 1);
    let noise = dice.pick(NOISE).chars();
    match dice.below(3) {
        0 if at < chars.len() => drop(chars.remove(at)),
        1 if at < chars.len() => drop(chars.splice(at..=at, noise)),
        _ => drop(chars.splice(at..at, noise)),
    }
    *text = chars.into_iter().collect();
}
