//! Somebody types.

use engine::protocol::Request;

use crate::fake::Fake;
use crate::pty::Terminal;
use crate::shell;

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_Z: &str = "\x1a";
const LEFT: &str = "\x1b[D";
const UP: &str = "\x1b[A";

fn start(fake: &Fake) -> Terminal {
    let mut terminal = Terminal::start(shell(&fake.socket(), &[]));
    terminal.until("<m1>");
    terminal
}

/// Leaves from the user view.
fn leave(mut terminal: Terminal) {
    terminal.press("quit\r");
    let (status, rest) = terminal.end();
    assert_eq!(status.code(), Some(0), "{rest}");
}

#[test]
fn lines_run_and_prompts_are_the_engines() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("system-view\r", "Enter system view, return user view with return command.\n[~m1]");
    terminal.type_until("bmp\r", "\n[*m1-bmp]");
    terminal.type_until("display this\r", "\nshown: display this\n[*m1-bmp]");
    terminal.type_until("bad 7\r", "\n             ^");
    terminal.until("Error: Wrong parameter found at '^' position.\nExpected: INTEGER<1-65535>\n[*m1-bmp]");
    terminal.type_until("return\r", "\n<m1>");
    leave(terminal);
    assert_eq!(fake.lines(), ["system-view", "bmp", "display this", "bad 7", "return", "quit"]);
}

#[test]
fn a_question_mark_shows_help_and_gives_the_line_back() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("display al?", "  alias  Behind \"display al\"\n  <cr>\n<m1>display al");
    // It is given back to be gone on with.
    terminal.type_until("ias\r", "shown: display alias\n<m1>");
    // In the middle of a line it asks for what stands before it, and the cursor stays there.
    terminal.press(&format!("display bc{LEFT}{LEFT}"));
    terminal.type_until("?", "Behind \"display \"\n  <cr>\n<m1>display bc");
    terminal.type_until("a\r", "shown: display abc\n<m1>");
    // Between quotes it is no part of the name either.
    terminal.type_until("display \"a b?", "Behind \"display \\\"a b\"\n  <cr>\n<m1>display \"a b");
    terminal.type_until("\"\r", "shown: display \"a b\"\n<m1>");
    // At the very beginning.
    terminal.type_until("?", "Behind \"\"\n  <cr>\n<m1>");
    leave(terminal);
    assert_eq!(fake.lines(), ["display alias", "display abc", "display \"a b\"", "quit"]);
    let helps: Vec<_> = fake.asked().into_iter().filter(|asked| matches!(asked, Request::Help(_))).collect();
    let wanted = ["display al", "display ", "display \"a b", ""].map(|line| Request::Help(line.to_owned()));
    assert_eq!(helps, wanted);
}

#[test]
fn tab_completes_or_shows_what_there_is() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("dis\t", "display ");
    // Both begin with `b`, which is all that can be filled in.
    terminal.press("b\t");
    terminal.until("bgp");
    terminal.until("bmp");
    terminal.until("<m1>display b");
    terminal.type_until("mp\r", "shown: display bmp\n<m1>");
    // Nothing to complete: nothing happens.
    terminal.type_until("display x\tyz\r", "shown: display xyz\n<m1>");
    leave(terminal);
    assert_eq!(fake.lines(), ["display bmp", "display xyz", "quit"]);
}

#[test]
fn history_remembers_lines_but_no_secrets() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("display one\r", "shown: display one\n<m1>");
    terminal.type_until("tcp connect port 1 password md5 hunter2\r", "\n<m1>");
    terminal.type_until(&format!("{UP}\r"), "shown: display one\n<m1>");
    leave(terminal);
    let secret = "tcp connect port 1 password md5 hunter2";
    assert_eq!(fake.lines(), ["display one", secret, "display one", "quit"]);
}

#[test]
fn answers_to_questions_are_not_remembered() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("bmp\r", "[*m1-bmp]");
    terminal.type_until("quit\r", "[*m1]");
    terminal.type_until("quit\r", "Commit them first? [Y/N/C]:");
    terminal.type_until("n\r", "<m1>");
    terminal.press(&format!("{UP}\r"));
    let (status, _) = terminal.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(fake.lines(), ["bmp", "quit", "quit", "n", "quit"]);
}

#[test]
fn control_keys() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    // Ctrl+Z has nowhere to return to from the user view.
    terminal.type_until(CTRL_Z, "\n<m1>");
    terminal.type_until("bmp\r", "[*m1-bmp]");
    // Ctrl+C forgets the line.
    terminal.type_until("quit", "quit");
    terminal.type_until(CTRL_C, "\n[*m1-bmp]");
    // Ctrl+Z returns, whatever has been typed.
    terminal.type_until("display", "display");
    terminal.type_until(CTRL_Z, "\n<m1>");
    terminal.type_until("system-view\r", "[*m1]");
    terminal.type_until("commit\r", "[~m1]");
    // Ctrl+D leaves a view, and in the end the shell.
    terminal.type_until(CTRL_D, "\n<m1>");
    terminal.press(CTRL_D);
    let (status, rest) = terminal.end();
    assert_eq!(status.code(), Some(0), "{rest}");
    assert_eq!(fake.lines(), ["bmp", "return", "system-view", "commit", "quit", "quit"]);
}

#[test]
fn a_question_does_not_hold_ctrl_d_for_ever() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.type_until("bmp\r", "[*m1-bmp]");
    terminal.type_until(CTRL_D, "[*m1]");
    terminal.type_until(CTRL_D, "Commit them first? [Y/N/C]:");
    terminal.press(CTRL_D);
    let (status, rest) = terminal.end();
    assert_eq!(status.code(), Some(0), "{rest}");
}

#[test]
fn what_is_pasted_is_run_line_by_line() {
    let fake = Fake::start();
    let mut terminal = start(&fake);
    terminal.press("\x1b[200~bmp\r\n\tdisplay this\r\n tcp connect port 1 password md5 hunter2\r\n\x1b[201~");
    let typed = terminal.until("*******"); // as it is in the line to be sent off
    assert!(!typed.contains("hunter2"), "{typed:?}");
    let shown = terminal.type_until("\r", "shown: display this\n");
    assert!(shown.contains("<m1>bmp\n[*m1-bmp]\tdisplay this\n"), "{shown:?}");
    terminal.until("[*m1-bmp] tcp connect port 1 password md5 ******\n[*m1-bmp]");
    terminal.type_until("return\r", "<m1>");
    leave(terminal);
    assert_eq!(
        fake.lines(),
        ["bmp", "\tdisplay this", " tcp connect port 1 password md5 hunter2", "return", "quit"]
    );
}

#[test]
fn an_engine_that_goes_is_told() {
    let rows =
        [("vanish\r", "heliograph: the engine has gone away."), ("stop\r", "Error: The engine ends.\n")];
    for (keys, wanted) in rows {
        let fake = Fake::start();
        let mut terminal = start(&fake);
        terminal.press(keys);
        let (status, rest) = terminal.end();
        assert_eq!(status.code(), Some(1), "{keys:?}");
        assert!(rest.contains(wanted), "{keys:?}: {rest:?}");
    }
}

/// As some terminals paste, and as programs type.
#[test]
fn lines_that_come_at_once_all_run() {
    let long: String = (0..60).map(|number| format!("sysname name-of-router-{number}\r")).collect();
    let rows = [
        "system-view\rbmp\rdisplay default-parameter bmp\rreturn\r",
        "#\rsystem-view\rsysname x\rbmp\rtcp mss 1\rtcp dscp 2\rdisplay this\rcommit\rreturn\r",
        "system-view\nbmp\ndisplay this\nreturn\n",
        "\u{23}\r\r# x\rsystem-view\rbmp\rreturn\r",
        &format!("system-view\r{long}return\r"),
    ];
    for keys in rows {
        let fake = Fake::start();
        let mut terminal = start(&fake);
        terminal.press(keys);
        terminal.press("quit\r");
        let (status, rest) = terminal.end();
        assert_eq!(status.code(), Some(0), "{keys:?}: {rest}");
        let wanted: Vec<&str> = keys.split_terminator(['\r', '\n']).chain(["quit"]).collect();
        assert_eq!(fake.lines(), wanted, "{keys:?}: {rest}");
    }
}

#[test]
fn keys_that_come_at_once_all_count() {
    let rows: [(&str, &[&str]); 4] = [
        ("display al?ias\rdisplay b\r", &["display alias", "display b"]),
        ("dis\tb\tmp\rdisplay c\r", &["display bmp", "display c"]),
        (
            "bmp\rdisplay?\u{1a}system-view\rcommit\r\u{4}",
            &["bmp", "return", "system-view", "commit", "quit"],
        ),
        ("bmp\r\u{4}\u{4}n\r", &["bmp", "quit", "quit", "n"]),
    ];
    for (keys, wanted) in rows {
        let fake = Fake::start();
        let mut terminal = start(&fake);
        terminal.press(&format!("{keys}quit\r"));
        let (status, rest) = terminal.end();
        assert_eq!(status.code(), Some(0), "{keys:?}: {rest}");
        let wanted: Vec<&str> = wanted.iter().copied().chain(["quit"]).collect();
        assert_eq!(fake.lines(), wanted, "{keys:?}: {rest}");
    }
}

#[test]
fn a_secret_is_not_seen_while_it_is_typed() {
    let fake = Fake::start();
    for no_color in ["", "1"] {
        let mut command = shell(&fake.socket(), &[]);
        command.env("NO_COLOR", no_color);
        let mut terminal = Terminal::start(command);
        terminal.until("<m1>");
        let mut seen = String::new();
        for c in "tcp connect port 1 password md5 hunter2".chars() {
            terminal.press(&c.to_string());
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
        seen += &terminal.until("<m1>tcp connect port 1 password md5 *******");
        seen += &terminal.type_until("\r", "\n<m1>");
        terminal.press("quit\r");
        let (_, rest) = terminal.end();
        seen += &rest;
        assert!(!seen.contains('h') && !seen.contains('2'), "{seen:?}");
    }
}
