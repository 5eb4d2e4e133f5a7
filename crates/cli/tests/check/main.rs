//! `heliograph check`: each file in `cases` beside what is said of it. `HELIOGRAPH_BLESS=1` writes that anew.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use config::secret::{Clear, Vault};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check/cases");

/// Runs it among the files of a folder, so that they have short names.
fn check(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
    command.arg("check").args(arguments).current_dir(folder).env_remove("CREDENTIALS_DIRECTORY");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("heliograph starts");
    // It may end without having read all.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("heliograph ends")
}

fn told(output: &Output) -> String {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("UTF-8");
    format!("{}{}exit {}\n", text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

#[test]
fn files() {
    let mut names: Vec<String> = fs::read_dir(CASES)
        .expect("cases")
        .filter_map(|entry| entry.expect("a case").file_name().into_string().ok())
        .filter(|name| name.ends_with(".conf"))
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let golden = PathBuf::from(CASES).join(&name).with_extension("out");
        let got = told(&check(Path::new(CASES), &[&name], b""));
        if std::env::var_os("HELIOGRAPH_BLESS").is_some() {
            fs::write(&golden, &got).expect("the golden file");
        } else if fs::read_to_string(&golden).ok().as_ref() != Some(&got) {
            wrong.push(format!("{name}:\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn standard_input() {
    let got = told(&check(Path::new(CASES), &["-"], b"sysname m1\nbmp\n stall-timer 4\n"));
    let wanted = "standard input:3:14: Error: Wrong parameter found at '^' position.\n stall-timer 4\n             ^\n";
    assert!(got.starts_with(wanted) && got.ends_with("exit 1\n"), "{got}");
}

#[test]
fn what_cannot_be_read() {
    let rows: [(&[&str], &[u8], &str); 4] = [
        (&["absent.conf"], b"", "heliograph: absent.conf cannot be read: No such file or directory"),
        (&["."], b"", "heliograph: . cannot be read: Is a directory"),
        (&["-"], b"bmp\n\xff", "heliograph: standard input cannot be read: line 2 is not UTF-8"),
        (&["-", "--key", "absent.key"], b"bmp\n", "heliograph: The key file absent.key does not exist."),
    ];
    for (arguments, input, wanted) in rows {
        let got = told(&check(Path::new(CASES), arguments, input));
        assert!(got.starts_with(wanted) && got.ends_with("exit 1\n"), "{arguments:?}: {got}");
    }
}

/// Keys, and what a file says that was sealed with the first of them.
#[test]
fn sealed_secrets_are_opened_if_the_key_is_there() {
    let folder = std::env::temp_dir().join(format!("heliograph-check-{}", std::process::id()));
    fs::create_dir(&folder).expect("a folder of our own");
    let keys = [Vault::new([1; 32]), Vault::new([2; 32])];
    let sealed = keys[0].seal(&Clear::new("secret"), &mut |nonce| nonce.fill(7));
    let text = format!("bmp\n bmp-session 192.0.2.1\n  tcp connect port 5000 password md5 {sealed}\n");
    fs::write(folder.join("file.conf"), &text).expect("a file");
    fs::write(folder.join("wrong.conf"), format!("{} more\n", text.trim_end())).expect("a file");
    let more = format!(
        "wrong.conf:3:{}: Error: Too many parameters",
        "  tcp connect port 5000 password md5 ".len() + sealed.to_string().len() + 2
    );
    for (name, key) in ["right.key", "other.key"].iter().zip(&keys) {
        write_private(&folder.join(name), key.to_text().as_bytes());
    }
    write_private(&folder.join("broken.key"), b"no key");
    let unopened = "there is no key here to open 1 sealed secret with: not checked.\nexit";
    let rows: [(&[&str], &str); 5] = [
        (&["file.conf"], unopened),
        (&["file.conf", "--key", "right.key"], "good: 1 BMP session, 0 listeners for routers.\nexit 0"),
        (&["file.conf", "--key", "other.key"], "file.conf:3:3: Error: The secret cannot be opened"),
        (&["file.conf", "--key", "broken.key"], "heliograph: broken.key: The key file does not begin with"),
        // The column is that of the file, though nothing could be opened.
        (&["wrong.conf"], &more),
    ];
    let got: Vec<String> = rows.iter().map(|(arguments, _)| told(&check(&folder, arguments, b""))).collect();
    write_private(&folder.join("file.conf.key"), keys[0].to_text().as_bytes());
    let beside = told(&check(&folder, &["file.conf"], b""));
    fs::remove_dir_all(&folder).expect("a folder of our own");
    for ((arguments, wanted), got) in rows.iter().zip(got) {
        assert!(got.contains(wanted), "{arguments:?}: {got}");
        assert!(!got.contains("secret\""), "{arguments:?}: {got}");
    }
    assert_eq!(beside, "file.conf: good: 1 BMP session, 0 listeners for routers.\nexit 0\n");
}

fn write_private(path: &Path, octets: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a file");
    file.write_all(octets).expect("a file");
}
