use super::*;
use crate::table::TABLE;

const USER: &[View] = &[View::User];
const SYSTEM: &[View] = &[View::System];
const BMP: &[View] = &[View::System, View::Bmp];
const SESSION: &[View] = &[View::System, View::Bmp, View::Session];
const MONITOR: &[View] = &[View::System, View::Bmp, View::Session, View::Monitor];
const KEYCHAIN: &[View] = &[View::System, View::Keychain];
const KEY_ID: &[View] = &[View::System, View::Keychain, View::KeyId];
const TCP_AO: &[View] = &[View::System, View::TcpAo];
const TCP_AO_KEY: &[View] = &[View::System, View::TcpAo, View::TcpAoKey];

/// What a line is understood as: its words in full, with values as `name=value`, or the fault and its column.
fn answer(views: &[View], line: &str) -> String {
    let parsed = match parse(views, line) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return "nothing".to_owned(),
        Err(refusal) => return format!("{:?} {}", refusal.fault, refusal.column),
    };
    let mut words: Vec<String> = Vec::new();
    words.extend((parsed.out > 0).then(|| format!("{} out:", parsed.out)));
    words.extend(parsed.undo.then(|| "undo".to_owned()));
    words.extend(parsed.statement.parts.iter().map(|part| match part {
        Part::Keyword(keyword) => (*keyword).to_owned(),
        Part::Value(name, Value::Clear(clear)) => format!("{name}=clear:{}", clear.reveal()),
        Part::Value(name, value) => format!("{name}={value}"),
    }));
    words.extend(parsed.pipe.map(|pipe| format!("| {pipe:?}")));
    words.join(" ")
}

fn hold(rows: &[(&[View], &str, &str)]) {
    for (views, line, wanted) in rows {
        assert_eq!(answer(views, line), *wanted, "{views:?} {line:?}");
    }
}

#[test]
fn the_examples_of_the_manual_pages() {
    hold(&[
        (USER, "system-view", "system-view"),
        (SYSTEM, "bmp", "bmp"),
        (BMP, "bmp-session 10.1.1.1", "bmp-session ip=10.1.1.1"),
        (BMP, "undo bmp-session 10.1.1.1", "undo bmp-session ip=10.1.1.1"),
        (BMP, "bmp-session vpn-instance v 2001:db8:1::1", "bmp-session vpn-instance vrf=v ip=2001:DB8:1::1"),
        (BMP, "bmp-session 10.1.1.1 alias aa", "bmp-session ip=10.1.1.1 alias alias=aa"),
        (SESSION, "tcp connect port 5364", "tcp connect port port=5364"),
        (SESSION, "tcp connect port 1 password md5 s", "tcp connect port port=1 password md5 pwd=clear:s"),
        (SESSION, "tcp connect port 1 keychain K", "tcp connect port port=1 keychain kcname=k"),
        (SESSION, "undo tcp connect port", "undo tcp connect port"),
        (SESSION, "undo tcp connect port 5364", "undo tcp connect port port=5364"),
        (SESSION, "connect-interface 10.1.1.1", "connect-interface ip=10.1.1.1"),
        (SESSION, "undo connect-interface", "undo connect-interface"),
        (USER, "reset bmp session 10.1.1.1", "reset bmp session ip=10.1.1.1"),
        (USER, "reset bmp session all", "reset bmp session all"),
        (USER, "reset bmp session 2001:DB8:1::1", "reset bmp session ip=2001:DB8:1::1"),
        (USER, "reset bmp session 10.1.1.1 alias aa", "reset bmp session ip=10.1.1.1 alias alias=aa"),
        (USER, "reset bmp session vpn-instance v all", "reset bmp session vpn-instance vrf=v all"),
        (SYSTEM, "keychain K mode periodic daily", "keychain kcname=k mode periodic daily"),
        (
            KEY_ID,
            "send-time 08:00 2018-10-1 duration infinite",
            "send-time time=08:00 date=2018-10-01 duration infinite",
        ),
        (
            MONITOR,
            "route-mode ipv4-family unicast local-rib all path-marking",
            "route-mode ipv4-family unicast local-rib all path-marking",
        ),
    ]);
}

#[test]
fn refusals_as_documented() {
    let rows: [(&[View], &str, usize); 6] = [
        (BMP, "[*HUAWEI-bmp]|bmp-session 10.1.1.999|Wrong parameter", 25),
        (SESSION, "[*HUAWEI-bmp-session-10.1.1.1]|tcp connect port 70000|Wrong parameter", 47),
        (SESSION, "[*HUAWEI-bmp-session-10.1.1.1]|tcp connect port 5364 md5 secret|Unrecognized command", 52),
        (SESSION, "[*HUAWEI-bmp-session-10.1.1.1]|tcp connect port 5364 password|Incomplete command", 61),
        (
            MONITOR,
            "[*HUAWEI-bmp-session-10.1.1.1-public]|route-mode ipv4-family unicast adj pre-policy|Ambiguous command",
            68,
        ),
        (USER, "<HUAWEI>|reset bmp session all alias aa|Too many parameters", 30),
    ];
    for (views, row, caret) in rows {
        let fields: Vec<&str> = row.split('|').collect();
        let refusal = parse(views, fields[1]).expect_err(row);
        assert_eq!(fields[0].len() + refusal.column, caret, "{row}");
        let sentence = format!("Error: {} found at '^' position.", fields[2]);
        assert_eq!(refusal.to_string().lines().next(), Some(&sentence[..]), "{row}");
    }
}

#[test]
fn abbreviations() {
    hold(&[
        (USER, "sys", "system-view"),
        (USER, "SYSTEM-VIEW", "system-view"),
        (USER, "sY iM", "system-view immediately"),
        (USER, "s", "Ambiguous 0"),
        (USER, "reset b s all", "reset bmp session all"),
        (SYSTEM, "BMP", "bmp"),
        (SYSTEM, "un bm", "undo bmp"),
        (SESSION, "tcp c p 5", "tcp connect port port=5"),
        (SESSION, "tcp c p 5 p m x", "tcp connect port port=5 password md5 pwd=clear:x"),
        (SESSION, "mon p", "Ambiguous 4"),
        (SESSION, "mon pu", "monitor public"),
        (SESSION, "mon pe ::1", "monitor peer ip=::1"),
        (SESSION, "undo mon pu", "undo monitor public"),
        (SESSION, "u mon p", "Ambiguous 6"),
        // `ipv4-family` of two rows is one keyword
        (MONITOR, "route ipv4 u l", "route-mode ipv4-family unicast local-rib"),
        (MONITOR, "route ipv u l", "Ambiguous 6"),
        (MONITOR, "route ipv4 f l r r", "route-mode ipv4-family flow local-rib report route-identifier"),
        // what is exact begins nothing else
        (SESSION, "ipv4 unicast", "ipv4 unicast"),
        (KEY_ID, "send-time day t", "Ambiguous 14"),
        (KEY_ID, "send-time day tu to th", "send-time day tue to thu"),
        (KEY_ID, "algorithm hmac-sha1", "Ambiguous 10"),
        (KEY_ID, "algorithm hmac-sha1-1", "algorithm hmac-sha1-12"),
    ]);
}

/// A word that may be two things is what it is to the letter.
#[test]
fn names_and_abbreviations() {
    hold(&[
        (USER, "reset bmp monitored-router all", "reset bmp monitored-router all"),
        (USER, "reset bmp monitored-router al", "reset bmp monitored-router router=al"),
        (USER, "reset bmp monitored-router \"all\"", "reset bmp monitored-router router=all"),
        (USER, "display bmp monitored-router verbose", "display bmp monitored-router verbose"),
        (USER, "display bmp monitored-router verbose verbose", "TooMany 37"),
        (USER, "display bmp monitored-router v v", "display bmp monitored-router router=v verbose"),
        (USER, "disp bmp mon", "display bmp monitored-router"),
        (KEY_ID, "key-string cipher", "Incomplete 18"),
        (KEY_ID, "key-string ciph", "key-string pwd=clear:ciph"),
        (KEY_ID, "key-string ciph x", "key-string cipher pwd=clear:x"),
        (KEY_ID, "key-string \"cipher\"", "key-string pwd=clear:cipher"),
        (KEY_ID, "key-string plain cipher", "key-string plain pwd=clear:cipher"),
        (SYSTEM, "keychain mode mode absolute", "keychain kcname=mode mode absolute"),
        (
            BMP,
            "bmp-session vpn-instance vpn-instance 1.1.1.1",
            "bmp-session vpn-instance vrf=vpn-instance ip=1.1.1.1",
        ),
    ]);
}

#[test]
fn quotes() {
    hold(&[
        (
            BMP,
            "bmp-session vpn-instance \"my vpn\" 1.1.1.1",
            "bmp-session vpn-instance vrf=\"my vpn\" ip=1.1.1.1",
        ),
        (BMP, "bmp-session 1.1.1.1 alias \"a b\"", "bmp-session ip=1.1.1.1 alias alias=\"a b\""),
        (BMP, "bmp-session \"1.1.1.1\"", "Wrong 12"),
        (BMP, "\"bmp-session\" 1.1.1.1", "Unrecognized 0"),
        (BMP, "bmp-session 1.1.1.1 \"alias\" a", "Unrecognized 20"),
        (BMP, "statistics-timer \"60\"", "Wrong 17"),
        (BMP, "bmp-session 1.1.1.1 alias \"a b", "Wrong 26"),
        (BMP, "bmp-session 1.1.1.1 alias \"a\"b", "Wrong 26"),
        (BMP, "bmp-session 1.1.1.1 alias \"\"", "Wrong 26"),
        (BMP, "bmp-session 1.1.1.1 \"al", "Wrong 20"),
        (BMP, "bmp-session vpn-instance \"_public_\" 1.1.1.1", "Wrong 25"),
        (
            SESSION,
            "tcp connect port 1 password md5 \"a b\"",
            "tcp connect port port=1 password md5 pwd=clear:a b",
        ),
        (SESSION, "monitor public \"", "TooMany 15"),
    ]);
}

/// Columns are characters, whatever they take in octets.
#[test]
fn columns() {
    hold(&[
        (BMP, "bmp-session vpn-instance wäärld 1.1.1.999", "Wrong 32"),
        (BMP, "bmp-session vpn-instance \"日 本\" 1.1.1.1 x", "Unrecognized 39"),
        (BMP, "  \tbmp-session\t\t1.1.1.999  ", "Wrong 16"),
        (BMP, "bmp-session", "Incomplete 12"),
        (BMP, "bmp-session   ", "Incomplete 12"),
        (BMP, "bmp-session vpn-instance é", "Incomplete 27"),
        (BMP, "é", "Unrecognized 0"),
        (BMP, "undo é", "Unrecognized 5"),
        (BMP, "undo", "Incomplete 5"),
        (USER, "undo", "Unrecognized 0"),
    ]);
    let long = format!("description {}", "é".repeat(LINE_MAX));
    assert_eq!(answer(SESSION, &long), format!("TooMany {LINE_MAX}"));
    let full = format!("description{}é", " ".repeat(LINE_MAX - 12));
    assert_eq!(answer(SESSION, &full), "description text80=é");
}

#[test]
fn sources() {
    hold(&[
        (SESSION, "connect-interface ::1", "connect-interface ip=::1"),
        (SESSION, "connect-interface eth0", "connect-interface ifname=eth0"),
        (SESSION, "connect-interface lo", "connect-interface ifname=lo"),
        (SESSION, "connect-interface LoopBack 0", "connect-interface iftype=LoopBack ifnum=0"),
        (SESSION, "connect-interface LoopBack0 1.1.1.1", "connect-interface ifname=LoopBack0 ip=1.1.1.1"),
        (SESSION, "connect-interface LoopBack 0 ::1", "connect-interface iftype=LoopBack ifnum=0 ip=::1"),
        (
            SESSION,
            "connect-interface GE 0/0/1.5 1.1.1.1",
            "connect-interface iftype=GE ifnum=0/0/1.5 ip=1.1.1.1",
        ),
        (SESSION, "connect-interface eth0 1.1.1.999", "Wrong 23"),
        (SESSION, "connect-interface 1.1.1.999", "Wrong 18"),
        (SESSION, "connect-interface 1.1.1.1 eth0", "TooMany 26"),
        (SESSION, "connect-interface GE0/0/1 5", "Wrong 26"),
        (SESSION, "connect-interface", "Incomplete 18"),
        (SESSION, "undo connect-interface LoopBack 0", "undo connect-interface iftype=LoopBack ifnum=0"),
        (BMP, "connect-interface eth0", "Wrong 18"),
        (BMP, "connect-interface ::1", "Wrong 18"),
        (BMP, "undo connect-interface", "undo connect-interface"),
    ]);
}

#[test]
fn rests_of_lines() {
    hold(&[
        (SESSION, "description  to the \"end  # of it ", "description text80=to the \"end  # of it"),
        (SESSION, "description", "Incomplete 12"),
        (SESSION, "desc what?", "Wrong 5"),
        (SYSTEM, "run display bmp session | include Up", "run command=display bmp session | include Up"),
        (SYSTEM, "commit", "commit"),
        (SYSTEM, "commit trial", "commit trial"),
        (SYSTEM, "commit trial 59", "Wrong 13"),
        (SYSTEM, "commit trial label l", "commit trial label label=l"),
        (SYSTEM, "commit label 1st", "Wrong 13"),
        (
            SYSTEM,
            "commit trial 600 label l description all of it",
            "commit trial trial=600 label label=l description text60=all of it",
        ),
    ]);
}

#[test]
fn pipes() {
    hold(&[
        (USER, "display bmp session | json", "display bmp session | Json"),
        (USER, "display bmp session | j", "display bmp session | Json"),
        (
            USER,
            "display bmp session 1.1.1.1 verbose | include  a  b ",
            "display bmp session ip=1.1.1.1 verbose | Include(\"a  b\")",
        ),
        (SESSION, "display this | begin ^ tcp", "display this | Begin(\"^ tcp\")"),
        (SESSION, "display this | exclude \"", "display this | Exclude(\"\\\"\")"),
        (USER, "display bmp session |", "Incomplete 22"),
        (USER, "display bmp session | include", "Incomplete 30"),
        (USER, "display bmp session | json x", "TooMany 27"),
        (USER, "display bmp session | what", "Unrecognized 22"),
        (USER, "display bmp session 1.1.1.1 | json", "Unrecognized 28"),
        (USER, "save | json", "TooMany 5"),
    ]);
}

#[test]
fn views_further_out() {
    hold(&[
        (MONITOR, "bmp-session 1.1.1.1", "2 out: bmp-session ip=1.1.1.1"),
        (MONITOR, "undo bmp-session 1.1.1.1", "2 out: undo bmp-session ip=1.1.1.1"),
        (MONITOR, "sysname x", "3 out: sysname sysname=x"),
        (MONITOR, "statistics-timer 5", "Wrong 17"),
        (MONITOR, "undo nothing", "Unrecognized 5"),
        (MONITOR, "nothing", "Unrecognized 0"),
        (SYSTEM, "reset bmp session all", "Unrecognized 0"),
        // not an abbreviation of something of the view
        (BMP, "bmp", "1 out: bmp"),
        (BMP, "bm", "Incomplete 3"),
        (BMP, "undo bmp", "Incomplete 9"),
        (SESSION, "tcp ao K", "2 out: tcp ao kcname=k"),
        (SESSION, "undo tcp ao K", "Unrecognized 9"),
        (KEYCHAIN, "tcp ao K", "1 out: tcp ao kcname=k"),
        (KEYCHAIN, "tcp", "Ambiguous 0"),
        (KEY_ID, "key-id 2", "1 out: key-id keyid=2"),
        (TCP_AO_KEY, "key-id 2", "1 out: key-id keyid=2"),
        (TCP_AO, "keychain K", "1 out: keychain kcname=k"),
        (TCP_AO_KEY, "bmp", "2 out: bmp"),
        // the same in all views: the innermost
        (MONITOR, "display this", "display this"),
        (MONITOR, "quit", "quit"),
    ]);
}

#[test]
fn nothing_to_read() {
    hold(&[
        (USER, "", "nothing"),
        (USER, "  ", "nothing"),
        (USER, " # bmp", "nothing"),
        (USER, "! \"", "nothing"),
    ]);
    assert_eq!(answer(&[], "bmp"), "nothing", "no view, no command");
}

#[test]
fn hints() {
    let rows: [(&[View], &str, &str); 8] = [
        (SESSION, "tcp connect port 70000", "Expected: INTEGER<1-65535>"),
        (SESSION, "tcp connect port 5 md5", "Expected: keychain, password, <cr>"),
        (SESSION, "tcp connect port 5 password", "Expected: md5"),
        (BMP, "bmp-session 1.1.1.999", "Expected: X.X.X.X, X:X::X:X, vpn-instance"),
        (MONITOR, "route-mode ipv4-family unicast adj pre-policy", "Expected: adj-rib-in, adj-rib-out"),
        (USER, "reset bmp session all alias aa", "Expected: <cr>"),
        (SESSION, "monitor x", "Expected: all-vpn-instance, peer, public, router, vpn-instance"),
        (SYSTEM, "x", ""),
    ];
    for (views, line, hint) in rows {
        let refusal = parse(views, line).expect_err(line);
        assert_eq!(refusal.hint().unwrap_or_default(), hint, "{line}");
        assert_eq!(refusal.to_string().lines().nth(1).unwrap_or_default(), hint, "{line}");
    }
}

#[test]
fn question_marks() {
    let rows: [(&[View], &str, &str); 14] = [
        (SESSION, "tcp ", "connect dscp listen mss send-buffer"),
        (SESSION, "tcp connect port ", "INTEGER<1-65535>"),
        (SESSION, "tcp connect port 5", "INTEGER<1-65535>"),
        (SESSION, "tcp connect port 5 ", "keychain password <cr>"),
        (SESSION, "tcp connect port 5 p", "password"),
        (SESSION, "tcp connect port 5 x", ""),
        (SESSION, "tcp connect port x ", ""),
        (BMP, "bmp-session ", "X.X.X.X X:X::X:X vpn-instance"),
        (BMP, "bmp-session v", "vpn-instance"),
        (BMP, "bmp-session 10.", "X.X.X.X X:X::X:X"),
        (BMP, "bmp-session \"", "X.X.X.X X:X::X:X"),
        (SYSTEM, "run reset bmp ", "monitored-router session"),
        (SYSTEM, "run reset b", "bmp"),
        (USER, "# ", ""),
    ];
    for (views, line, wanted) in rows {
        let words: Vec<String> = help(views, line).into_iter().map(|(word, _)| word).collect();
        assert_eq!(words.join(" "), wanted, "{line:?}");
    }
    // further out, where nothing of the view is meant
    assert_eq!(help(MONITOR, "bmp-session "), help(BMP, "bmp-session "));
    // in all views, whatever is typed there
    for &view in View::ALL {
        let lines = help(&[view], "");
        assert!(lines.len() > 3, "{view:?}");
        assert!(lines.iter().all(|(_, help)| !help.is_empty()), "{view:?} {lines:?}");
    }
}

#[test]
fn tabs() {
    let rows: [(&[View], &str, &str); 8] = [
        (SESSION, "tcp ", "connect dscp listen mss send-buffer"),
        (SESSION, "T", "tcp"),
        (SESSION, "tcp c", "connect"),
        (SESSION, "tcp connect port ", ""),
        (SESSION, "tcp x y", ""),
        (SYSTEM, "bmp", "bmp"),
        (SYSTEM, "run sys", "system-view"),
        (SYSTEM, "run ", "display quit reset rollback save system-view"),
    ];
    for (views, line, wanted) in rows {
        assert_eq!(complete(views, line).join(" "), wanted, "{line:?}");
    }
}

/// `?` has something to say of every keyword, and says nothing of what is no keyword.
#[test]
fn keywords_have_help() {
    let all = Grammar::of_table().keywords();
    let missing: Vec<_> = all.iter().filter(|keyword| keywords::help(keyword).is_empty()).collect();
    assert!(missing.is_empty(), "no help: {missing:?}");
    let table = keywords::HELP;
    for (n, (keyword, help)) in table.iter().enumerate() {
        assert!(all.contains(keyword), "{keyword} is nowhere");
        assert!(!help.is_empty(), "{keyword}");
        assert!(n == 0 || table[n - 1].0 < *keyword, "{keyword} is out of order");
    }
}

/// Each row is read by the view it is for, and one keyword is not hidden by another.
#[test]
fn the_table_is_well_formed() {
    for (n, row) in TABLE.iter().enumerate() {
        assert!(!row.views.is_empty(), "row {n}");
        assert!(!row.help.is_empty(), "row {n}");
    }
}
