//! Streams by hand, in words, and what a station says of each.
//!
//! ```text
//!  init  up  down  term       the messages; `up2` is of another session, `upX` of the same one, with
//!                             ADD-PATH besides
//!  +5  +  -                   announce version 5, announce without a version, withdraw
//!  |                          the connection is lost
//!  ~                          the peer is tolerated
//! ```

use tests::station::{PeerKey, Station};

const PEER: PeerKey =
    PeerKey { kind: 0, distinguisher: [0; 8], address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1] };

const PREFIX: &[u8] = &[24, 203, 0, 113];

/// A number of two octets.
fn two(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("below 65536").to_be_bytes()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[3, 0, 0][..], &two(6 + body.len()), &[kind], body].concat()
}

fn of_peer(kind: u8, time: u8, body: &[u8]) -> Vec<u8> {
    let flags = [0, 0];
    let speaker = [0, 0, 0xfd, 0xe9, 198, 51, 100, 1];
    let header = [&flags[..], &PEER.distinguisher, &PEER.address, &speaker, &[0, 0, 0, time, 0, 0, 0, 0]];
    message(kind, &[&header.concat(), body].concat())
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff; 16][..], &two(19 + body.len()), &[kind], body].concat()
}

fn up(time: u8, port: u8, capabilities: &[u8]) -> Vec<u8> {
    let len = u8::try_from(capabilities.len()).expect("few");
    let parameters = [&[len + 2, 2, len], capabilities].concat();
    let open = pdu(1, &[&[4, 0xfd, 0xe9, 0, 180, 198, 51, 100, 1], &parameters[..]].concat());
    of_peer(3, time, &[&[0; 16], &[0, 179, 200, port][..], &open, &open].concat())
}

fn monitoring(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let body = [&two(withdrawn.len()), withdrawn, &two(attributes.len()), attributes, nlri].concat();
    of_peer(0, 9, &pdu(2, &body))
}

/// The large community of a version.
fn version(version: u64) -> Vec<u8> {
    [&[0xc0, 32, 12, 0xff, 0xff, 0, 0][..], &version.to_be_bytes()].concat()
}

fn word(word: &str) -> Vec<u8> {
    let add_path = [69, 4, 0, 1, 1, 3];
    let ipv4 = [1, 4, 0, 1, 0, 1];
    let origin = [0x40, 1, 1, 0];
    match word {
        "init" => message(4, &[0, 1, 0, 1, b'r', 0, 2, 0, 1, b'r']),
        "init-cut" => message(4, &[0, 1, 0, 9, b'r']),
        "up" => up(1, 1, &ipv4),
        "up2" => up(2, 1, &ipv4),
        "up-port" => up(1, 2, &ipv4),
        "upX" => up(1, 1, &[&ipv4[..], &add_path].concat()),
        "up-cut" => of_peer(3, 1, &[&[0; 20][..], &pdu(1, &[4, 0, 1, 0, 180, 1, 1, 1, 1, 4])].concat()),
        "up-kind" => of_peer(3, 1, &[&[0; 20][..], &pdu(4, &[])].concat()),
        "down" => of_peer(2, 1, &[4]),
        "down-0" => of_peer(2, 1, &[0]),
        "down-more" => of_peer(2, 1, &[5, 0]),
        "down-cut" => of_peer(2, 1, &[2, 0]),
        "term" => message(5, &[0, 1, 0, 2, 0, 3]),
        "term-bare" => message(5, &[]),
        "stats" => of_peer(1, 1, &[0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
        "stats-count" => of_peer(1, 1, &[0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1]),
        "stats-more" => of_peer(1, 1, &[0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1]),
        "lost" => of_peer(6, 1, &[0, 1, 0, 2, 0, 1]),
        "type7" => message(7, &[]),
        "type100" => message(100, &[1, 2, 3]),
        "short" => vec![3, 0, 0, 0, 47, 0],
        "vast" => vec![3, 1, 0, 0, 0, 0],
        "v4" => vec![4],
        "half" => self::word("+5")[..60].to_vec(),
        "junk" => vec![0xaa; 50],
        "eor" => monitoring(&[], &[], &[]),
        "eor-2/1" => monitoring(&[], &[0x90, 15, 0, 3, 0, 2, 1], &[]),
        "+" => monitoring(&[], &origin, PREFIX),
        "-" => monitoring(PREFIX, &[], &[]),
        "-+9" => monitoring(PREFIX, &version(9), PREFIX),
        "+id" => monitoring(&[], &origin, &[&[0, 0, 0, 7], PREFIX].concat()),
        "nlri-33" => monitoring(&[], &origin, &[33, 1, 2, 3, 4, 5]),
        "nlri-cut" => monitoring(&[], &origin, &[24, 203, 0]),
        "gone-cut" => monitoring(&[24, 203, 0], &[], &[]),
        "label-cut" => monitoring(&[], &[0x80, 14, 11, 0, 1, 4, 4, 1, 2, 3, 4, 0, 23, 1], &[]),
        "evpn-33" => monitoring(&[], &[0x80, 15, 5, 0, 25, 70, 5, 33], &[]),
        "untold" => monitoring(&[], &[0x80, 15, 4, 0x40, 0xd, 99, 1], &[]),
        "attribute-cut" => monitoring(&[], &[0x40, 1, 2, 0], PREFIX),
        "attribute-twice" => monitoring(&[], &[origin, origin].concat(), PREFIX),
        "long" => monitoring(&[], &[&[0xd0, 8, 16, 0][..], &[0; 4096]].concat(), PREFIX),
        "keepalive" => of_peer(0, 1, &pdu(4, &[])),
        "marker" => of_peer(0, 1, &[&[0; 16][..], &[0, 23, 2, 0, 0, 0, 0]].concat()),
        "pdu-short" => of_peer(0, 1, &[&[0xff; 16][..], &[0, 22, 2, 0, 0, 0, 0]].concat()),
        "pdu-long" => of_peer(0, 1, &[&[0xff; 16][..], &[0, 24, 2, 0, 0, 0, 0]].concat()),
        _ => {
            let number = word.strip_prefix('+').and_then(|number| number.parse().ok());
            monitoring(&[], &version(number.expect("a word")), PREFIX)
        }
    }
}

fn told(words: &str) -> (Station, Result<(), String>) {
    let mut station = Station::new();
    let mut done = Ok(());
    for each in words.split(' ') {
        match each {
            "|" => station.reconnect(),
            "~" => station.tolerate(PEER),
            each => done = station.take(&word(each)),
        }
        // All words but the last are in order.
        if done.is_err() {
            let last = words.split(' ').next_back();
            assert_eq!(Some(each), last, "{words}: {done:?}");
        }
    }
    (station, done)
}

#[test]
fn each_rule_is_held() {
    let rows = [
        // greeted
        ("up", "message 1 at octet 0: Peer Up before an Initiation"),
        ("type100", "message 1 at octet 0: type 100 before an Initiation"),
        ("init | up", "message 1 at octet 0: Peer Up before an Initiation"),
        ("init term init", "message 3 at octet 28: octets behind a Termination"),
        ("init term v4", "message 3 at octet 28: octets behind a Termination"),
        // in order
        ("init +5", "message 2 at octet 16: Route Monitoring of 192.0.2.1: no Peer Up before it"),
        ("init stats", "message 2 at octet 16: Statistics Report of 192.0.2.1: no Peer Up before it"),
        ("init lost", "message 2 at octet 16: Route Mirroring of 192.0.2.1: no Peer Up before it"),
        ("init down", "message 2 at octet 16: Peer Down of 192.0.2.1: it was never up"),
        ("init up down down", "Peer Down of 192.0.2.1: it is down already"),
        ("init up down +5", "Route Monitoring of 192.0.2.1: a Peer Down and no Peer Up before it"),
        ("init up down eor", "Route Monitoring of 192.0.2.1: a Peer Down and no Peer Up before it"),
        ("init up down stats", "Statistics Report of 192.0.2.1: a Peer Down and no Peer Up before it"),
        ("init up | init +5", "Route Monitoring of 192.0.2.1: no Peer Up before it"),
        // one life
        ("init up up2", "Peer Up of 192.0.2.1: it is up, with another timestamp"),
        ("init up up-port", "Peer Up of 192.0.2.1: it is up, with another ports"),
        // exact
        ("init v4", "message 2 at octet 16: version 4, expected 3"),
        ("init short", "message 2 at octet 16: length 47 of type 0, expected 48..=1048576"),
        ("init vast", "message 2 at octet 16: length 16777216 of type 0, expected 48..=1048576"),
        ("init type7", "message 2 at octet 16: type 7, expected 0..=6 or 100"),
        ("init-cut", "message 1 at octet 0: Initiation: octet 10: TLV: 9 octets, 1 left"),
        ("init term-bare", "Termination: no reason of two octets"),
        ("init up half junk", "octet 48: UPDATE: no marker of a BGP message"),
        ("init up-cut", "octet 97: parameters: 4 octets, 0 left"),
        ("init up-kind", "octet 68: sent OPEN: BGP type 4, expected 1"),
        ("init up down-0", "reason 0, expected 1..=6"),
        ("init up down-more", "octet 49: 1 octets behind a Peer Down"),
        ("init up down-cut", "octet 49: FSM event: 2 octets, 1 left"),
        ("init up stats-count", "octet 60: type of a TLV: 2 octets, 0 left"),
        ("init up stats-more", "octet 52: 8 octets behind the statistics that were counted"),
        ("init up nlri-33", "octet 75: a prefix of 33 bits, expected 0..=32"),
        ("init up nlri-cut", "octet 76: prefix: 3 octets, 2 left"),
        ("init up gone-cut", "octet 70: prefix: 3 octets, 2 left"),
        ("init up label-cut", "octet 83: a prefix of 23 bits, expected 24..=56"),
        ("init up evpn-33", "octet 79: EVPN route: 33 octets, 0 left"),
        ("init up attribute-cut", "octet 74: attribute: 2 octets, 1 left"),
        ("init up attribute-twice", "octet 75: attribute 1 twice"),
        ("init up long", "octet 48: an UPDATE of 4127 octets, expected 23..=4096"),
        ("init up keepalive", "octet 48: UPDATE: BGP type 4, expected 2"),
        ("init up marker", "octet 48: UPDATE: no marker of a BGP message"),
        ("init up pdu-short", "octet 69: attributes"),
        ("init up pdu-long", "octet 67: UPDATE: 5 octets, 4 left"),
        ("init upX +", "octet 79: length of a prefix: 1 octets, 0 left"),
        ("init up +id", "octet 80: a prefix of 203 bits, expected 0..=32"),
        // forward
        ("init up +5 +4", "Route Monitoring of 192.0.2.1: version 4 behind 5: 192.0.2.1 PreIn 1/1 18cb0071"),
        ("init up +5 - +5", "Route Monitoring of 192.0.2.1: version 5 again, which was withdrawn"),
        ("init up +5 - +4", "version 4 behind 5"),
        ("init up +5 - + +5", "version 5 again, which was withdrawn"),
        ("init up +10 -+9", "version 9 behind 10"),
        ("init up +9 -+9", "version 9 again, which was withdrawn"),
        ("init up +5 down up2 +5", "version 5 again, which was withdrawn"),
        (
            "init up +5 | init up +4",
            "message 3 at octet 158: Route Monitoring of 192.0.2.1: version 4 behind 5",
        ),
        ("init up +5 - | init up +4", "version 4 behind 5"),
        ("init ~ +5 up +5", "version 5 again, which was withdrawn"),
    ];
    let wrong = rows.map(|(words, text)| {
        let (_, done) = told(words);
        let said = done.err().unwrap_or_default();
        let right = !said.is_empty() && !text.is_empty() && said.contains(text);
        if right { String::new() } else { format!("{words}\n  said   {said}\n  wanted {text}\n") }
    });
    assert!(wrong.concat().is_empty(), "{}", wrong.concat());
}

#[test]
fn what_is_lawful_is_taken() {
    let rows = [
        ("init", "[] announced 0 withdrawn 0 absent 0"),
        ("init init type100 term", "[] announced 0 withdrawn 0 absent 0, terminated 3"),
        ("init up +5", "[18cb0071] announced 1 withdrawn 0 absent 0"),
        ("init up +5 half", "[18cb0071] announced 1 withdrawn 0 absent 0, inside a message"),
        ("init up +5 +5 +6 - +7 + +7", "[18cb0071] announced 6 withdrawn 1 absent 0"),
        ("init up +5 - -", "[] announced 1 withdrawn 2 absent 1"),
        ("init up -+9", "[18cb0071] announced 1 withdrawn 1 absent 1"),
        ("init up + up", "[18cb0071] announced 1 withdrawn 0 absent 0"),
        ("init up + upX +id up", "[18cb0071 18cb0071 path id 7] announced 2 withdrawn 0 absent 0"),
        ("init up + eor eor-2/1", "[18cb0071] announced 1 withdrawn 0 absent 0, (1, 1) (2, 1) ended"),
        ("init up + eor down up2", "[] announced 1 withdrawn 0 absent 0"),
        ("init up +5 down up2 +6", "[18cb0071] announced 2 withdrawn 0 absent 0"),
        ("init up +5 | init up +5", "[18cb0071] announced 2 withdrawn 0 absent 0"),
        ("init up +5 - | init up +5", "[18cb0071] announced 2 withdrawn 1 absent 0"),
        ("init up half | init up +5", "[18cb0071] announced 1 withdrawn 0 absent 0"),
        ("init up term | init", "[] announced 0 withdrawn 0 absent 0"),
        ("init ~ +5 +6", "[18cb0071] announced 2 withdrawn 0 absent 0"),
        ("init ~ +5 up", "[] announced 1 withdrawn 0 absent 0"),
        ("init ~ down", "[] announced 0 withdrawn 0 absent 0"),
        ("init ~ +5 down +6", "[18cb0071] announced 2 withdrawn 0 absent 0"),
        ("init ~ +5 down up +6", "[18cb0071] announced 2 withdrawn 0 absent 0"),
        ("init up stats lost untold", "[] announced 0 withdrawn 0 absent 0, 1 reports, 1 lost, 1 untold"),
        ("init up stats down", "[] announced 0 withdrawn 0 absent 0"),
    ];
    for (words, wanted) in rows {
        let (station, done) = told(words);
        assert_eq!(done, Ok(()), "{words}");
        let of_peer = format!("{PEER} PreIn 1/1 ");
        let routes: Vec<_> =
            station.tables().keys().map(|key| key.to_string().replace(&of_peer, "")).collect();
        let tally = station.tally();
        let [announced, withdrawn, absent] = [tally.announced, tally.withdrawn, tally.withdrawn_absent];
        let mut said =
            format!("[{}] announced {announced} withdrawn {withdrawn} absent {absent}", routes.join(" "));
        let ended: Vec<_> = station.end_of_ribs().iter().map(|(.., family)| format!("{family:?}")).collect();
        let notes = [
            (station.mid_message(), ", inside a message".to_owned()),
            (station.terminated().is_some(), format!(", terminated {}", station.terminated().unwrap_or(0))),
            (!ended.is_empty(), format!(", {} ended", ended.join(" "))),
            (!station.statistics().is_empty(), format!(", {} reports", station.statistics().len())),
            (station.messages_lost() > 0, format!(", {} lost", station.messages_lost())),
            (tally.untold > 0, format!(", {} untold", tally.untold)),
        ];
        said.extend(notes.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note));
        assert_eq!(said, wanted, "{words}");
    }
}

/// Where a stream is cut changes nothing, and an error stays.
#[test]
fn cut_anywhere() {
    let whole: Vec<u8> = "init up +5 eor - +6 down up2 stats +5".split(' ').flat_map(word).collect();
    let error = Station::new().take(&whole).expect_err("version 5 behind 6");
    assert!(
        error.starts_with("message 10 at octet 735: Route Monitoring of 192.0.2.1: version 5 behind 6"),
        "{error}"
    );
    for cut in 0..=whole.len() {
        let mut station = Station::new();
        let (head, tail) = whole.split_at(cut);
        let done = station.take(head).and_then(|()| station.take(tail));
        assert_eq!(done.as_ref(), Err(&error), "cut at {cut}");
        assert_eq!(station.take(&word("up")), Err(error.clone()), "cut at {cut}");
    }
}

/// The same octets as those that measure readers, with the answers given there.
#[test]
fn counts_as_others_do() {
    for seed in 0..8 {
        let (stream, answer) = tests::stream::bmp(seed, 2000);
        let mut station = Station::new();
        station.take(&stream).unwrap_or_else(|text| panic!("seed {seed}: {text}"));
        let tally = station.tally();
        assert_eq!((tally.announced, tally.withdrawn), (answer.announced, answer.withdrawn), "seed {seed}");
        assert_eq!(tally.messages.values().sum::<usize>(), answer.messages, "seed {seed}");
        let (stream, answer) = tests::stream::every_family(seed, 2000);
        let mut station = Station::new();
        station.take(&stream).unwrap_or_else(|text| panic!("seed {seed}: {text}"));
        assert_eq!(station.tally().updates, answer.route_monitoring, "seed {seed}");
    }
}
