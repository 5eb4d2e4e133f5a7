//! Each sentence, and the line it is about.

use super::*;

/// Lines of a configuration; `:` separates them.
fn rows(rows: &[(&str, &[&str])]) {
    for (lines, expected) in rows {
        let text = lines.replace(" : ", "\n");
        let came = said(&text);
        let matches = came.len() == expected.len()
            && came.iter().zip(*expected).all(|(came, expected)| came.starts_with(expected));
        assert!(matches, "{text}\n  came     {came:#?}\n  expected {expected:#?}");
        for sentence in came {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }
}

#[test]
fn sessions() {
    rows(&[
        ("bmp : bmp-session 10.1.1.1 : tcp connect port 1", &[]),
        (
            "bmp : bmp-session 10.1.1.1 alias a",
            &[
                "W2 The session is down until tcp connect port is configured. It is bmp-session 10.1.1.1 alias a.",
            ],
        ),
        ("bmp : bmp-session 10.1.1.1 : shutdown", &[]),
        (
            "bmp : bmp-session 169.254.1.1 : tcp connect port 1",
            &[
                "E2 A link-local address cannot be used as a BMP session address. Undo bmp-session 169.254.1.1, and",
            ],
        ),
        (
            "bmp : bmp-session vpn-instance red 10.1.1.1 : tcp connect port 1",
            &[
                "E2 The VPN instance red does not exist. Say what it is on this machine: vpn-instance red device",
            ],
        ),
        ("vpn-instance red device v : bmp : bmp-session vpn-instance red 10.1.1.1 : tcp connect port 1", &[]),
        (
            "vpn-instance Red device v : bmp : bmp-session vpn-instance red 10.1.1.1 : tcp connect port 1",
            &["E3 The VPN instance red does not exist."],
        ),
        (
            "bmp : monitored-router listen port 1 vpn-instance red",
            &["E2 The VPN instance red does not exist."],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : bmp-session 10.1.1.1 alias b : tcp connect port 1",
            &[
                "E5 Two BMP sessions use the same destination address, port and VPN instance. Change the port 1 of \
               bmp-session 10.1.1.1 or of bmp-session 10.1.1.1 alias b.",
            ],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : bmp-session 10.1.1.1 alias b : tcp connect port 2",
            &[],
        ),
        (
            "vpn-instance red device v : bmp : bmp-session 10.1.1.1 : tcp connect port 1 \
             : bmp-session vpn-instance red 10.1.1.1 : tcp connect port 1",
            &[],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp listen port 1 : bmp-session 10.1.1.1 alias b : tcp listen port 1",
            &["E5 Two BMP sessions listen for the same server at the same port and VPN instance."],
        ),
        ("bmp : bmp-session 10.1.1.1 : tcp listen port 1 : bmp-session 10.1.1.2 : tcp listen port 1", &[]),
        (
            "bmp : bmp-session 10.1.1.1 : tcp listen port 1 : bmp-session 10.1.1.1 alias b : tcp connect port 1",
            &[],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : tcp listen port 2",
            &["E4 bmp-session 10.1.1.1 has both tcp connect and tcp listen. Undo one of them."],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp listen port 2 : tcp mss 1000",
            &["E4 tcp mss cannot be set for connections that servers make. Undo it in bmp-session 10.1.1.1"],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : ssl-policy name p",
            &["E4 TLS is not available on this system. Undo ssl-policy in bmp-session 10.1.1.1."],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : ipv4 unicast : trace-prefix all : quit : ipv4 vpn",
            &[
                "E4 Tracing routes is not supported by this system, which has none of its own. Undo ipv4 unicast in",
                "E7 Tracing routes is not supported by this system, which has none of its own. Undo ipv4 vpn in",
            ],
        ),
    ]);
}

#[test]
fn where_connections_come_from() {
    rows(&[
        (
            "bmp : connect-interface 0.0.0.0",
            &["E2 The source address 0.0.0.0 cannot be used. Use a global address of this machine."],
        ),
        ("bmp : connect-interface 169.254.1.1", &["E2 The source address 169.254.1.1 cannot be used."]),
        (
            "bmp : bmp-session 2001:db8::1 : tcp connect port 1 : connect-interface fe80::1",
            &["E4 The source address FE80::1 cannot be used."],
        ),
        (
            "bmp : bmp-session 10.1.1.1 : tcp connect port 1 : connect-interface GigabitEthernet 0/0/1",
            &["E4 The interface GigabitEthernet0/0/1 does not exist: names on this machine have at most 15 \
               characters. Say which one it is: interface-alias GigabitEthernet0/0/1 device."],
        ),
        (
            "interface-alias LoopBack0 device lo : interface-alias loopback0 device eth0",
            &[
                "E2 The interface aliases LoopBack0 and loopback0 are the same name for two devices, lo and eth0.",
            ],
        ),
        ("interface-alias LoopBack0 device lo : interface-alias loopback0 device lo", &[]),
    ]);
}

#[test]
fn ports() {
    rows(&[
        (
            "telemetry listen port 1 : bmp : monitored-router listen port 1",
            &["E3 Both telemetry and monitored-router listen port 1 listen at port 1. Change one of them."],
        ),
        ("telemetry listen port 1 : bmp : monitored-router listen port 1 address 127.0.0.2", &[]),
        (
            "bmp : monitored-router listen port 1 address ::1 : monitored-router listen port 1 address 127.0.0.1",
            &[],
        ),
        (
            "bmp : monitored-router listen port 1 : monitored-router listen port 1 address 127.0.0.1",
            &[
                "E3 Both monitored-router listen port 1 and monitored-router listen port 1 address 127.0.0.1 listen",
            ],
        ),
        (
            "bmp : monitored-router listen port 1 : bmp-session 10.1.1.1 : tcp listen port 1",
            &["E4 Both monitored-router listen port 1 and bmp-session 10.1.1.1 listen at port 1."],
        ),
        (
            "vpn-instance r device v : bmp : monitored-router listen port 1 : \
             bmp-session vpn-instance r 10.1.1.1 : tcp listen port 1",
            &[],
        ),
    ]);
}

#[test]
fn passwords() {
    let session =
        |password: &str| format!("bmp : bmp-session 10.1.1.1 : tcp connect port 1 password md5 {password}");
    let sentence = "E3 The MD5 password is longer than 80 characters. Enter a shorter one. It is that of bmp-session 10.1.1.1.";
    rows(&[
        (&session("Huawei-123"), &[]),
        (&session(&"a".repeat(80)), &[]),
        (&session(&"a".repeat(81)), &[sentence]),
        (&session(&"я".repeat(41)), &[sentence]),
    ]);
}

#[test]
fn a_secret_of_another_key_file() {
    let text = "keychain k mode absolute\nkey-id 1\nkey-string s\nalgorithm hmac-sha1-12\ndefault send-key-id\nquit\nquit\n\
                bmp\nbmp-session 10.1.1.1\ntcp connect port 1 password md5 secret";
    let problems = mean(&loaded(text).tree, &Vault::new([8; 32])).expect_err("another key");
    let texts: Vec<_> = problems.iter().map(|problem| problem.text.as_str()).collect();
    let [key, password] = texts[..] else { panic!("{texts:?}") };
    let sentence =
        "The secret cannot be opened: the key file is not the one that this configuration was saved with";
    assert!(key.starts_with(&format!("The key-string of key-id 1 of keychain k: {sentence}")), "{key}");
    assert!(password.starts_with(&format!("The MD5 password: {sentence}")), "{password}");
    assert!(password.ends_with("It is that of bmp-session 10.1.1.1."), "{password}");
}

#[test]
fn keychains() {
    let chain = |mode: &str, lines: &str| format!("keychain k mode {mode} : {lines}");
    let key = "key-string s : algorithm hmac-sha1-12";
    let incomplete = "E2 Key-id 1 of keychain k has no key-string, algorithm or active time. Configure: ";
    let ever =
        "send-time 00:00 2026-01-01 duration infinite : receive-time 00:00 2026-01-01 duration infinite";
    let md5 = "E1 Algorithm md5 of keychain k is not supported by this system, but for a single key that is always \
               active.";
    rows(&[
        (&chain("absolute", &format!("key-id 1 : {key} : {ever}")), &[]),
        (&chain("absolute", &format!("key-id 1 : {key} : default send-key-id")), &[]),
        (
            &chain("absolute", "key-id 1"),
            &[&format!("{incomplete}key-string; algorithm; send-time, receive-time or")],
        ),
        (
            &chain("absolute", "key-id 1 : algorithm hmac-sha1-12 : default send-key-id"),
            &[&format!("{incomplete}key-string.")],
        ),
        (
            &chain("absolute", "key-id 1 : key-string s : default send-key-id"),
            &[&format!("{incomplete}algorithm.")],
        ),
        (
            &chain("absolute", &format!("key-id 1 : {key}")),
            &[&format!("{incomplete}send-time, receive-time or")],
        ),
        (
            &chain("absolute", &format!("key-id 1 : {key} : {ever} : quit : key-id 2 : {key} : {ever}")),
            &["E11 In keychain k send times of key-ids 1 and 2 overlap."],
        ),
        (
            &chain(
                "periodic weekly",
                &format!(
                    "key-id 1 : {key} : send-time day mon to wed : quit : key-id 2 : {key} : send-time day wed sun"
                ),
            ),
            &["E10 In keychain k send times of key-ids 1 and 2 overlap."],
        ),
        (
            &chain(
                "periodic weekly",
                &format!(
                    "key-id 1 : {key} : send-time day mon to wed : quit : key-id 2 : {key} : send-time day thu sun"
                ),
            ),
            &[],
        ),
        (
            &chain(
                "absolute",
                &format!(
                    "key-id 1 : {key} : default send-key-id : quit : key-id 2 : {key} : default send-key-id"
                ),
            ),
            &["E10 Keychain k has two default send keys, key-ids 1 and 2. Undo one of them."],
        ),
        (
            &chain(
                "absolute",
                &format!("key-id 1 : key-string {} : algorithm hmac-sha1-12 : {ever}", "a".repeat(81)),
            ),
            &["E3 The key-string of key-id 1 of keychain k is longer than 80 characters."],
        ),
        // md5
        (&chain("absolute", &format!("key-id 1 : key-string s : algorithm md5 : {ever}")), &[]),
        (
            &chain(
                "absolute",
                "key-id 1 : key-string s : algorithm md5 : send-time 0:0 2026-01-01 duration 60 : \
                    receive-time 00:00 2026-01-01 duration infinite",
            ),
            &[md5],
        ),
        (&chain("absolute", "key-id 1 : key-string s : algorithm md5 : default send-key-id"), &[md5]),
        (
            &chain(
                "absolute",
                &format!(
                    "key-id 1 : key-string s : algorithm md5 : {ever} : quit : key-id 2 : {key} : \
                    receive-time 00:00 2026-01-01 duration infinite"
                ),
            ),
            &[md5],
        ),
        // words without effect
        (
            &chain("absolute", "tcp-kind 253 : tcp-algorithm-id md5 4"),
            &["W2 tcp-kind and tcp-algorithm-id of keychain k"],
        ),
    ]);
}

#[test]
fn algorithms() {
    let fine = "";
    for (algorithm, length, expected) in [
        ("hmac-sha1-12", "", fine),
        ("aes-128-cmac", "", fine),
        ("hmac-sha1-20", "16", fine),
        ("hmac-sha-256", "16", fine),
        ("hmac-sha1-20", "", "configure digest-length hmac-sha1-20 16, or use hmac-sha1-12."),
        ("hmac-sha1-20", "20", "configure digest-length hmac-sha1-20 16, or use hmac-sha1-12."),
        ("hmac-sha-256", "", "configure digest-length hmac-sha-256 16, or use hmac-sha1-12."),
        ("hmac-sha-256", "32", "configure digest-length hmac-sha-256 16, or use hmac-sha1-12."),
        ("sha-256", "16", "Use hmac-sha1-12 or aes-128-cmac."),
        ("sha-1", "", "Use hmac-sha1-12 or aes-128-cmac."),
        ("hmac-md5", "", "Use hmac-sha1-12 or aes-128-cmac."),
        ("sm3", "", "Use hmac-sha1-12 or aes-128-cmac."),
        ("hmac-sha-384", "", "Use hmac-sha1-12 or aes-128-cmac."),
        ("hmac-sha-512", "", "Use hmac-sha1-12 or aes-128-cmac."),
    ] {
        let digest =
            if length.is_empty() { String::new() } else { format!("digest-length {algorithm} {length}\n") };
        let text = format!(
            "keychain k mode absolute\n{digest}key-id 1\nkey-string s\ndefault send-key-id\nalgorithm {algorithm}"
        );
        let came = said(&text);
        let sentence = format!("Algorithm {algorithm} of keychain k is not supported by this system. ");
        match &came[..] {
            [] => assert_eq!(expected, fine, "{algorithm} {length}"),
            [one] => {
                assert!(one.contains(&sentence) && one.ends_with(expected), "{algorithm} {length}: {one}");
            }
            _ => panic!("{algorithm} {length}: {came:?}"),
        }
        assert_eq!(came.is_empty(), expected == fine, "{algorithm} {length}");
    }
}

#[test]
fn who_uses_keychains() {
    let chain = "keychain k mode absolute : key-id 1 : key-string s : algorithm hmac-sha1-12 : \
                 default send-key-id : quit : key-id 2 : key-string s : algorithm hmac-sha1-12 : \
                 receive-time 0:0 2026-1-1 duration infinite : quit : quit";
    let session = "bmp : bmp-session 10.1.1.1 : tcp connect port 1 keychain K";
    let ao = |lines: &str| format!("{chain} : tcp ao a : {lines}");
    rows(&[
        (
            session,
            &[
                "E3 The keychain k does not exist. Create it with its mode: keychain k mode absolute. bmp-session \
               10.1.1.1 uses it.",
            ],
        ),
        (&format!("{chain} : {session}"), &[]),
        (
            &format!("keychain k mode absolute : quit : {session}"),
            &["E5 Keychain k has no key to sign with, and bmp-session 10.1.1.1 uses it."],
        ),
        // What follows from a problem is none of its own.
        (
            &format!(
                "keychain k mode absolute : key-id 1 : quit : quit : tcp ao a : binding keychain k : key-id 1 : \
                      quit : quit : {session}"
            ),
            &["E2 Key-id 1 of keychain k has no key-string, algorithm or active time."],
        ),
        (&ao("binding keychain k : key-id 1 : send-id 7 receive-id 8"), &[]),
        (&ao("key-id 1"), &["W13 tcp ao a has no effect until binding keychain is configured in it."]),
        (&ao("binding keychain l"), &["E14 The keychain l does not exist."]),
        (
            &ao("binding keychain k : quit : tcp ao b : binding keychain k"),
            &["E17 Both tcp ao a and tcp ao b are"],
        ),
        (&ao("binding keychain k : key-id 3"), &["E15 Key-id 3 of tcp ao a is none of keychain k."]),
        (
            &ao("binding keychain k : key-id 1 : send-id 2 receive-id 9"),
            &[
                "E13 By tcp ao a, key-ids 1 and 2 of keychain k have the same send-id 2. Give one of them another.",
            ],
        ),
        (
            &ao("binding keychain k : key-id 1 : send-id 9 receive-id 2"),
            &["E13 By tcp ao a, key-ids 1 and 2 of keychain k have the same receive-id 2."],
        ),
        (
            &ao("binding keychain k : accept-mismatch enable"),
            &["W15 accept-mismatch of tcp ao a has no effect"],
        ),
        (
            &ao("binding keychain k : option-authentication disable"),
            &["E15 option-authentication disable of tcp ao a is not supported by this system"],
        ),
    ]);
}

#[test]
fn what_has_no_effect() {
    let monitor = |lines: &str| format!("bmp : bmp-session 10.1.1.1 : tcp connect port 1 : {lines}");
    let unused = "add-path, all, path-marking and report route-identifier of route-mode change nothing here";
    rows(&[
        ("ssl policy p", &["W1 The SSL policy has no effect: TLS is not available on this system."]),
        ("whitelist session-car bmp disable", &["W1 whitelist session-car has no effect"]),
        (&monitor("monitor public : route-mode ipv4-family unicast local-rib"), &[]),
        (
            &monitor(
                "monitor public : route-mode ipv4-family unicast local-rib add-path : \
                      route-mode ipv6-family flow local-rib report route-identifier",
            ),
            &[&format!("W5 {unused}")],
        ),
        (
            &monitor("monitor public : route-mode ipv4-family unicast local-rib path-marking"),
            &[&format!("W5 {unused}")],
        ),
        (
            &monitor("monitor all-vpn-instance : route-mode ipv4-family unicast local-rib"),
            &["W5 Not every release of VRP knows local-rib of all-vpn-instance; here it counts."],
        ),
    ]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = "bmp : bmp-session vpn-instance red 10.1.1.1 : tcp connect port 1 keychain k : ssl-policy name p : \
                bmp-session 10.1.1.2 : tcp connect port 1 : ipv4 vpn";
    rows(&[(
        text,
        &[
            "E7 Tracing routes",
            "E2 The VPN instance red",
            "E3 The keychain k does not exist",
            "E4 TLS is not available",
        ],
    )]);
}
