//! `-c`.

use engine::protocol::Request;

use crate::fake::Fake;
use crate::{run, shell, told};

/// Arguments, how it ends, what it prints, what it says on standard error.
type Row = (&'static [&'static str], i32, &'static str, &'static str);

const DIRTY: &str = "heliograph: Warning: there were changes that nobody committed, and they are gone.\n";

#[test]
fn only_what_is_shown_is_printed() {
    let rows: [Row; 10] = [
        (&["-c", "display this"], 0, "shown: display this\n", ""),
        (&["-c", "display a", "-c", "display b"], 0, "shown: display a\nshown: display b\n", ""),
        (&["-c", "display a\ndisplay b"], 0, "shown: display a\nshown: display b\n", ""),
        (&["-c", "display this", "--json"], 0, "{\"shown\":true}\n", ""),
        (&["-c", "quit", "-c", "display a"], 0, "", ""),
        (&["-c", "bmp ?"], 0, "  alias  Behind \"bmp \"\n  <cr>\n", ""),
        (
            &["-c", "system-view", "-c", "bmp", "-c", "bmp-session 10.1.1.999", "-c", "display a"],
            1,
            "Enter system view, return user view with return command.\n",
            "[*m1-bmp]bmp-session 10.1.1.999\n\
             \x20                    ^\n\
             Error: Wrong parameter found at '^' position.\n\
             Expected: INTEGER<1-65535>\n\
             heliograph: line 3 of 4 was refused.\n",
        ),
        (&["-c", "bmp"], 1, "", DIRTY),
        (&["-c", "bmp", "-c", "commit"], 0, "", ""),
        (&["-c", "display router"], 0, "a \u{fffd}[2Jrouter\n", ""),
    ];
    for (arguments, code, out, err) in rows {
        let fake = Fake::start();
        let got = told(&run(shell(&fake.socket(), arguments), ""));
        assert_eq!(got, (code, out.to_owned(), err.to_owned()), "{arguments:?}");
    }
}

#[test]
fn it_says_who_is_there() {
    for (arguments, json) in [(&["-c", "quit"][..], false), (&["-c", "quit", "--json"], true)] {
        let fake = Fake::start();
        run(shell(&fake.socket(), arguments), "");
        let wanted = [Request::Hello { user: "ann".into(), json }, Request::Line("quit".into())];
        assert_eq!(fake.asked(), wanted, "{arguments:?}");
    }
}

#[test]
fn a_secret_is_not_echoed() {
    let fake = Fake::start();
    let line = "wrong password md5 hunter2";
    let (code, out, err) = told(&run(shell(&fake.socket(), &["-c", line]), ""));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(!err.contains("hunter2"), "{err}");
    assert!(err.starts_with("<m1>wrong password md5 ******\n          ^\n"), "{err}");
    assert_eq!(fake.lines(), [line]);
}
