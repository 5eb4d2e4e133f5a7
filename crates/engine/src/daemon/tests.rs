use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::scratch::Scratch;
use crate::twin::Twin;

fn options(scratch: &Scratch) -> Options {
    Options {
        file: scratch.path("file"),
        socket: scratch.path("socket"),
        key: None,
        io: Io::Epoll,
        form: Form::Text,
    }
}

#[test]
fn what_is_bad_is_said_before_anything_is_done() {
    let rows = [
        (
            "bmp\n statistics-timer 7\n",
            "file:2:19: Error: Wrong parameter found at '^' position.\n statistics-timer 7\n",
        ),
        ("bmp\nnonsense\n stall-timer x\n", "file:2:1: Error: Unrecognized command"),
        (
            "bmp\n bmp-session 192.0.2.1\n  tcp connect port 5\n bmp-session 192.0.2.1 alias b\n  tcp connect port 5\n",
            "file:5:3: Error: Two BMP sessions",
        ),
        (
            "bmp\n bmp-session 192.0.2.1\n  tcp connect port 5 password md5 %^%#QUJD%^%#\n",
            "file.key does not exist",
        ),
        ("\u{0}", "file:1:1: Error: "),
    ];
    for (text, wanted) in rows {
        let scratch = Scratch::new();
        let options = options(&scratch);
        fs::write(&options.file, text).unwrap();
        let report = run(options.clone()).unwrap_err();
        assert!(report.contains(wanted), "{text:?}: {report}");
        assert!(!options.socket.exists(), "{text:?}: the socket was made");
        assert_eq!(fs::read_to_string(&options.file).unwrap(), text);
    }
}

#[test]
fn a_key_that_is_another_is_said_to_be() {
    let scratch = Scratch::new();
    let options = options(&scratch);
    let other = Vault::generate(&mut keep::random);
    let sealed = other.seal(&config::secret::Clear::new("secret"), &mut keep::random);
    let text = format!("bmp\n bmp-session 192.0.2.1\n  tcp connect port 5 password md5 {sealed}\n");
    fs::write(&options.file, &text).unwrap();
    let key = key_path(&options.file);
    fs::write(&key, &*Vault::generate(&mut keep::random).to_text()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let report = run(options.clone()).unwrap_err();
    assert!(report.contains("file:3:") && report.contains("key"), "{report}");

    fs::write(&key, &*other.to_text()).unwrap();
    assert!(read(&options, &Journal::new(Form::Text)).is_ok(), "that was the right one");
    fs::write(&key, "not a key\n").unwrap();
    let report = run(options).unwrap_err();
    assert!(report.contains("file.key: The key file does not begin with"), "{report}");
}

#[test]
fn it_begins_with_what_there_is() {
    let scratch = Scratch::new();
    let options = options(&scratch);
    let journal = Journal::new(Form::Text);
    let begin = read(&options, &journal).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(**begin.store.running(), Tree::default(), "there is no file yet");
    assert!(!options.file.exists() && key_path(&options.file).exists());

    // A list of commits that cannot be read is none.
    fs::write(&options.file, "bmp\n").unwrap();
    for text in ["", "{", "{}\n", "\u{fe}\n"] {
        fs::write(commits_path(&options.file), text).unwrap();
        let begin = read(&options, &journal).unwrap_or_else(|report| panic!("{text:?}: {report}"));
        assert_eq!(begin.store.commits().count(), 0, "{text:?}");
    }
}

#[tokio::test]
async fn who_does_not_turn_is_noticed() {
    let (twin, journal, notify) = (Twin::new(), Journal::new(Form::Text), Notify::new());
    let mut pulse = Box::pin(pulse(&twin, &journal, &notify));
    assert!(timeout(PULSE * 2, &mut pulse).await.is_err(), "it turns");
    // Stuck is not ended.
    twin.turns.set(None);
    assert!(timeout(TURN_TIME + PULSE * 2, &mut pulse).await.is_err(), "it may turn again");
    twin.turns.set(Some(false));
    let why = timeout(TURN_TIME + PULSE * 2, pulse).await.expect("it has ended");
    assert_eq!(why, "The thread that mirrors has ended.");
}
