//! Lines from a pipe.

use crate::fake::Fake;
use crate::{run, shell, told};

#[test]
fn the_transcript_is_what_a_terminal_would_show() {
    let rows = [
        ("", 0, "", ""),
        ("display this\n", 0, "<m1>display this\nshown: display this\n", ""),
        ("display this", 0, "<m1>display this\nshown: display this\n", ""),
        ("display this\r\n\r\n", 0, "<m1>display this\nshown: display this\n<m1>\n", ""),
        ("bmp?\n", 0, "<m1>bmp?\n  alias  Behind \"bmp\"\n  <cr>\n", ""),
        ("quit\ndisplay this\n", 0, "<m1>quit\n", ""),
        ("bmp\nquit\nquit\nn\n", 0, "<m1>bmp\n[*m1-bmp]quit\n[*m1]quit\nCommit them first? [Y/N/C]:n\n", ""),
        (
            "system-view\nsysname x\nstall 70000\ndisplay this\n",
            1,
            "<m1>system-view\n\
             Enter system view, return user view with return command.\n\
             [~m1]sysname x\n\
             [~m1]stall 70000\n\
             \x20          ^\n\
             Error: Wrong parameter found at '^' position.\n\
             Expected: INTEGER<1-65535>\n",
            "heliograph: line 3 was refused, and none of those after it was run.\n",
        ),
        (
            "bmp\n",
            1,
            "<m1>bmp\n",
            "heliograph: Warning: there were changes that nobody committed, and they are gone.\n",
        ),
        ("tcp connect port 1 password md5 hunter2\n", 0, "<m1>tcp connect port 1 password md5 ******\n", ""),
        (
            "vanish\n",
            1,
            "<m1>vanish\n",
            "heliograph: the engine has gone away. What was not committed is lost.\n",
        ),
    ];
    for (input, code, out, err) in rows {
        let fake = Fake::start();
        let got = told(&run(shell(&fake.socket(), &[]), input));
        assert_eq!(got, (code, out.to_owned(), err.to_owned()), "{input:?}");
    }
}

#[test]
fn what_is_no_text_is_not_run_as_something_else() {
    let fake = Fake::start();
    let mut command = shell(&fake.socket(), &[]);
    let folder = crate::fake::Folder::new();
    let file = folder.path("input");
    std::fs::write(&file, b"display \xff\n").expect("a file");
    command.stdin(std::fs::File::open(&file).expect("a file"));
    let output = command.output().expect("heliograph starts");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fake.lines(), ["display \u{fffd}"]);
}

#[test]
fn a_line_without_end_is_not_sent_whole() {
    let fake = Fake::start();
    let input = format!("display {}\n", "x".repeat(1 << 20));
    run(shell(&fake.socket(), &[]), &input);
    let lengths: Vec<usize> = fake.lines().iter().map(String::len).collect();
    assert_eq!(lengths, [config::LINE_MAX + 1]);
}
