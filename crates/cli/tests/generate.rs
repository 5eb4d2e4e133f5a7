//! Manual pages and completions.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use config::table::TABLE;

fn heliograph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heliograph")).args(arguments).output().expect("heliograph starts")
}

#[test]
fn every_command_has_a_page() {
    let folder = std::env::temp_dir().join(format!("heliograph-man-{}", std::process::id()));
    let output = heliograph(&["man", folder.to_str().expect("UTF-8")]);
    let names: BTreeSet<String> = fs::read_dir(&folder)
        .expect("the pages")
        .map(|entry| entry.expect("a page").file_name().into_string().expect("UTF-8"))
        .collect();
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect(name);
    let commands = page("heliograph-commands.7");
    let program = page("heliograph.1");
    fs::remove_dir_all(&folder).expect("a folder of our own");

    assert_eq!(output.status.code(), Some(0));
    let wanted = [
        "heliograph-check.1",
        "heliograph-commands.7",
        "heliograph-completions.1",
        "heliograph-man.1",
        "heliograph-run.1",
        "heliograph-shell.1",
        "heliograph.1",
    ];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
    assert_eq!(String::from_utf8_lossy(&heliograph(&["man"]).stdout), program);
    // What has a meaning to `man` is written otherwise.
    let plain = commands.replace("\\-", "-").replace("\\*(Aq", "'");
    for row in TABLE {
        assert!(plain.contains(row.help), "nothing about {}", row.syntax);
    }
}

#[test]
fn every_shell_completes() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = heliograph(&["completions", shell]);
        let script = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for word in ["run", "check", "shell", "socket"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn nobody_has_to_read_it_all() {
    for arguments in [&["man"][..], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
        let output = command.args(arguments).stdout(writer).stderr(std::process::Stdio::piped()).spawn();
        let output = output.and_then(std::process::Child::wait_with_output).expect("heliograph ends");
        let told = (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
        assert_eq!(told, (Some(1), String::new()), "{arguments:?}");
    }
}
