//! Passwords: in nothing that is shown, and in no history.

use super::*;
use crate::secret::Sealed;

#[test]
fn a_secret_is_in_nothing_that_can_be_shown() {
    const SECRET: &str = "Sesame-Open-42";
    let mut room = Room::new();
    let mut all = String::new();
    let lines = [
        "system-view",
        "keychain k mode absolute",
        "key-id 1",
        "key-string SECRET",
        "key-string cipher SECRET",
        "key-string plain SECRET",
        "key-string plain \"SECRET SECRET\"",
        "undo key-string SECRET",
        "bmp",
        "bmp-session 10.0.0.1",
        "tcp connect port 5000 password md5 SECRET",
        "tcp connect port 5000 password md5 \"SECRET x\"",
        "tcp listen port 5001 password md5 SECRET",
        "undo tcp connect port 5001 password md5 SECRET",
        "tcp connect port 5000 password md5 SECRET SECRET",
        "tcp connect port 70000 password md5 SECRET",
        "tcp connect port 5000 passwort md5 SECRET",
        "tcp connect port 5000 password SECRET",
        "run tcp connect port 5000 password md5 SECRET",
        "display this",
        "display configuration candidate",
        "display configuration candidate merge",
        "display configuration candidate changes",
        "display configuration candidate | json",
        "commit label l",
        "tcp connect port 5002 password md5 SECRET",
        "display configuration candidate changes",
        "refresh configuration candidate",
        "commit trial",
        "display this | json",
        "display current-configuration",
        "display current-configuration include-default",
        "display current-configuration configuration keychain k",
        "display configuration commit list verbose",
        "abort trial",
        "clear configuration candidate",
        "return",
        "system-view immediately",
        "bmp",
        "bmp-session 10.0.0.2",
        "tcp connect port 5000 password md5 SECRET",
        "display this",
    ];
    let mut sealed = 0;
    for line in lines {
        let said = room.types('a', &line.replace("SECRET", SECRET));
        sealed += said.matches("%^%#").count();
        all.push_str(&said);
        all.push_str(&room.prompt('a'));
        all.push_str(&room.with('a', |shell, around| {
            format!("{shell:?}{:?}{:?}{:?}", around.store, shell.help(line), shell.complete(line))
        }));
        all.push_str(&room.store.to_text());
        assert!(!all.contains(SECRET), "after {line}");
    }
    assert!(sealed > 10, "secrets were shown sealed: {all}");
    // What was shown can be typed again, here.
    let shown = last_password(room.store.running()).expect("10.0.0.2 has one");
    assert_eq!(room.vault.open(&shown).expect("ours").reveal(), SECRET);
}

/// The last password of a configuration's text.
fn last_password(tree: &Tree) -> Option<Sealed> {
    let text = crate::render::text(tree, false);
    text.split_whitespace().filter_map(Sealed::parse).next_back()
}

#[test]
fn a_history_keeps_no_secret() {
    let rows = [
        ("tcp connect port 5 password md5 x", true),
        ("tcp c p 5 p m x", true),
        ("TCP LISTEN PORT 5 PASSWORD MD5 \"a b\"", true),
        ("tcp connect port 5 pasword md5 x", true),
        ("tcp connect port 5 password x", true),
        ("tcp connect port 5 pasword x", true),
        ("key-string x", true),
        ("key-string", false),
        ("key-s plain x", true),
        ("keystring x", true),
        ("k x", true),
        ("run key-string cipher x", true),
        ("tcp connect port 5", false),
        ("tcp connect port 5 keychain kc1", false),
        ("tcp connect port 5 password md5", true),
        ("keychain kc1 mode absolute", false),
        ("key-id 1", false),
        ("display bmp session", false),
        ("commit label l", false),
        ("monitor public", false),
        ("", false),
    ];
    for (line, expected) in rows {
        assert_eq!(has_secret(line), expected, "{line}");
    }
}
