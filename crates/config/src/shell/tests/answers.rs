//! What is shown, what is asked of the engine, and what refusals look like.

use super::*;

#[test]
fn what_is_refused_has_its_caret() {
    conversation(
        r"
a|<H>system-vie immediatelyy
                ^
  Error: Unrecognized command found at '^' position.
  Expected: immediately, <cr>
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]bmp-session 10.1.1.999
                      ^
  Error: Wrong parameter found at '^' position.
  Expected: X.X.X.X, X:X::X:X, vpn-instance
a|[*H-bmp]bmp-session fe80::1
  Error: A link-local address cannot be used as a BMP session address.
a|[*H-bmp]run reset bmp session all alias aa
                                    ^
  Error: Too many parameters found at '^' position.
  Expected: <cr>
a|[*H-bmp]run display bmp session 10.1.1.1 verbose
  Error: The BMP session does not exist. Run display bmp session to see those that do: an alias is part of what a session is known by.
a|[*H-bmp]run quit
  Error: This command goes to another view. Type it without run, in its own view.
a|[*H-bmp]display current-configuration | include (
                                                  ^
  Error: The regular expression cannot be read: found open group without closing ')'.
a|[*H-bmp]bmp-session 10.1.1.1
a|[*H-bmp-session-10.1.1.1]tcp connect port 5 password md5 %^%#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%^%#
  Error: The ciphertext was made with another key. Type the password in clear; it is sealed before it is kept.
",
    );
}

#[test]
fn displays_and_resets_are_asked_of_the_engine() {
    let mut room = Room::new();
    for line in ["system-view", "bmp", "bmp-session 10.0.0.1 alias a", "commit", "return"] {
        let _ = room.types('a', line);
    }
    let rows = [
        ("reset bmp session all", "ResetSession(All)"),
        ("reset bmp session vpn-instance v all", r#"ResetSession(Instance("v"))"#),
        (
            "reset bmp session 10.0.0.1 alias a",
            r#"ResetSession(One(SessionKey { instance: None, address: 10.0.0.1, alias: Some("a") }))"#,
        ),
        ("reset bmp monitored-router all", "ResetRouter(None)"),
        ("reset bmp monitored-router r", r#"ResetRouter(Some("r"))"#),
        ("display bmp session", "Display(Sessions(None), None)"),
        ("display bmp session | json", "Display(Sessions(None), Some(Json))"),
        ("display bmp session vpn-instance v", r#"Display(Sessions(Some("v")), None)"#),
        (
            "display bmp session 10.0.0.1 alias a verbose | include ^ x",
            r#"Display(Session(SessionKey { instance: None, address: 10.0.0.1, alias: Some("a") }), Some(Include("^ x")))"#,
        ),
        ("display bgp bmp-monitor all", "Display(Monitors(None, None, None), None)"),
        (
            "display bgp bmp-monitor ipv4 10.0.0.9",
            "Display(Monitors(Some((1, 1)), None, Some(10.0.0.9)), None)",
        ),
        (
            "display bgp bmp-monitor vpnv6 vpn-instance v 2001:db8::1",
            r#"Display(Monitors(Some((2, 128)), Some("v"), Some(2001:db8::1)), None)"#,
        ),
        ("display bmp monitored-router", "Display(Routers(None, false), None)"),
        ("display bmp monitored-router r verbose", r#"Display(Routers(Some("r"), true), None)"#),
        ("display bmp peer", "Display(Peers(None), None)"),
        ("display bmp peer router r", r#"Display(Peers(Some("r")), None)"#),
        ("display bmp feed", "Display(Feeds, None)"),
        ("display bmp memory", "Display(Memory, None)"),
        ("display bmp latency", "Display(Latency, None)"),
    ];
    for (line, expected) in rows {
        assert_eq!(room.types('a', line), format!("({expected})\n"), "{line}");
    }
    let absent = room.types('a', "reset bmp session 10.0.0.1");
    assert!(absent.starts_with("Error: The BMP session does not exist."), "{absent}");
    let absent = room.types('a', "display keychain k");
    assert!(absent.starts_with("Error: The keychain does not exist."), "{absent}");
}

#[test]
fn json_is_asked_for_by_the_line_or_by_the_shell() {
    let mut room = conversation(
        r##"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]statistics-timer 60
a|[*H-bmp]display configuration candidate changes | json
  {
    "lines": [
      "+bmp",
      "+ statistics-timer 60"
    ]
  }
a|[*H-bmp]commit description d
  (shell 1000000001)
a|[~H-bmp]display this | json
  {
    "commands": [
      {
        "line": "statistics-timer 60",
        "parameters": {
          "statistics": 60
        }
      }
    ]
  }
a|[~H-bmp]display configuration commit list | json
  {
    "commits": [
      {
        "commit-id": 1000000001,
        "description": "d",
        "label": null,
        "timestamp": "2026-03-01 12:00:00",
        "type": "Commit",
        "user": "a",
        "user-intf": "shell"
      }
    ]
  }
a|[~H-bmp]display default-parameter bmp | begin stall
  stall-timer : 300
a|[~H-bmp]display debugging bmp
  Info: No debugging of BMP is on.
"##,
    );
    room.with('a', |shell, _| shell.set_json(true));
    proceeds(
        &mut room,
        r##"
a|[~H-bmp]display debugging bmp
  {
    "debugging": false
  }
a|[~H-bmp]display bmp memory | include x
  (Display(Memory, Some(Json)))
"##,
    );
    let said = room.types('a', "display default-parameter bmp");
    let defaults: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(defaults["statistics-timer"], "3600");
    assert_eq!(defaults["connect-retry-timer"], "30 720");
    assert_eq!(defaults["route-mode"], "post-policy");
}

#[test]
fn tab_knows_names_that_exist() {
    let mut room = Room::new();
    for line in [
        "system-view",
        "keychain kc1 mode absolute",
        "vpn-instance red device vrf0",
        "bmp",
        "bmp-session 10.0.0.1 alias a",
        "bmp-session 10.0.0.1 alias b",
        "bmp-session 2001:db8::1",
    ] {
        assert_eq!(room.types('a', line).replace(ENTER, ""), "", "{line}");
    }
    let rows: [(&str, &[&str]); 7] = [
        ("undo bmp-session ", &["10.0.0.1", "2001:DB8::1"]),
        ("run reset bmp session 2001:d", &["2001:DB8::1"]),
        ("bmp-session 10.0.0.1 alias ", &["a", "b"]),
        ("tcp connect port 5 keychain k", &["kc1"]),
        ("bmp-session vpn-ins ", &["red"]),
        ("sysname ", &[]),
        ("", &[]),
    ];
    for (line, expected) in rows {
        let names = room.with('a', |shell, around| shell.names(around.store, line));
        assert_eq!(names, expected, "{line}");
    }
    let complete = room.with('a', |shell, _| shell.complete("run res"));
    assert_eq!(complete, ["reset"]);
    let help = room.with('a', |shell, _| shell.help("run reset bmp "));
    assert_eq!(
        help.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>(),
        ["monitored-router", "session"]
    );
}

#[test]
fn filters_pick_lines() {
    let text = "one\ntwo\nthree\n";
    let rows = [
        (Pipe::Begin("w".into()), "two\nthree\n"),
        (Pipe::Include("^t".into()), "two\nthree\n"),
        (Pipe::Include("o$".into()), "two\n"),
        (Pipe::Exclude("o".into()), "three\n"),
        (Pipe::Begin("x".into()), ""),
        (Pipe::Json, text),
    ];
    for (pipe, expected) in rows {
        assert_eq!(filter(text, &pipe).as_deref(), Ok(expected), "{pipe:?}");
    }
    let refusal = filter(text, &Pipe::Include("[".into())).expect_err("no regular expression");
    assert!(refusal.starts_with("The regular expression cannot be read: "), "{refusal}");
}

#[test]
fn a_caret_stands_below_tabs_too() {
    for (before, line, column, expected) in
        [(3, "abc", 1, "    ^\n"), (0, "a\tb", 2, " \t^\n"), (2, "ab", 3, "     ^\n"), (0, "", 0, "^\n")]
    {
        assert_eq!(caret(before, line, column), expected, "{line:?} {column}");
    }
}
