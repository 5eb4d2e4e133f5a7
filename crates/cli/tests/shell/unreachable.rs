//! Engines that are not there, or do not want us.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::thread;

use crate::fake::{Fake, Folder, deserted};
use crate::{run, shell, told};

#[test]
fn each_says_what_to_do() {
    let folder = Folder::new();
    deserted(&folder.path("deserted"));
    fs::write(folder.path("file"), "").expect("a file");
    let rows = [
        ("absent", "no engine runs at PATH: there is no such socket. Start one with `heliograph run`"),
        ("deserted", "no engine runs at PATH: the one that made this socket has ended. Start it again."),
        ("file", "no engine runs at PATH: this is no socket."),
    ];
    for (name, wanted) in rows {
        let path = folder.path(name);
        let (code, out, err) = told(&run(shell(&path, &["-c", "quit"]), ""));
        let wanted = format!("heliograph: {}", wanted.replace("PATH", &path.display().to_string()));
        assert_eq!((code, out.as_str()), (1, ""), "{name}");
        assert!(err.starts_with(&wanted), "{name}: {err}");
    }
}

#[test]
fn an_engine_that_wants_nobody_says_so() {
    let fake = Fake::start();
    let mut command = shell(&fake.socket(), &["-c", "display a"]);
    command.env("USER", "nobody");
    let got = told(&run(command, ""));
    assert_eq!(got, (1, String::new(), "heliograph: There are too many shells.\n".to_owned()));
    assert_eq!(fake.lines(), [""; 0]);
}

#[test]
fn what_is_no_engine_is_told() {
    let rows: [(&[u8], &str); 4] = [
        (b"", "the engine has gone away"),
        (b"220 mail.example ESMTP\r\n", "what answers is no engine, or one of another release"),
        (
            b"{\"complete\":[]}\n",
            "what answers is no engine, or one of another release: an answer to something",
        ),
        (b"{\"said\":", "the engine has gone away"),
    ];
    for (answer, wanted) in rows {
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a shell");
            let mut first = [0; 1];
            stream.read_exact(&mut first).expect("a greeting");
            stream.write_all(answer).expect("a shell");
            // The rest has to be read, or the shell is told of a reset and not of an end.
            stream.shutdown(std::net::Shutdown::Write).expect("a shell");
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let (code, _, err) = told(&run(shell(&path, &["-c", "quit"]), ""));
        server.join().expect("no panic");
        assert_eq!(code, 1, "{answer:?}");
        assert!(err.starts_with(&format!("heliograph: {wanted}")), "{answer:?}: {err}");
    }
}
