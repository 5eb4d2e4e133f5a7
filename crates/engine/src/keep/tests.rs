use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use config::secret::Clear;
use rustix::process::{Signal, getpid, kill_process};

use super::*;
use crate::scratch::Scratch;

const OLD: &[u8] = b"what it was";

/// Names the file that a child writes, and the stage at which it ends itself (or that it goes on and on).
const CHILD: &str = "HELIOGRAPH_TEST_KEEP";

/// Whether a file is one that [`version`] made, and which.
fn whole(octets: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(octets).ok()?;
    let number = text.lines().next()?.parse().ok()?;
    (version(number) == text).then_some(number)
}

fn version(number: u64) -> String {
    let lines = usize::try_from(number * 7919 % 5000).expect("few");
    format!("{number}\n{}end\n", format!("line of {number}\n").repeat(lines))
}

fn child(file: &Path, stage: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "keep::tests::the_child_of_others", "--ignored", "--nocapture"]);
    command.env(CHILD, stage).env("HELIOGRAPH_TEST_FILE", file).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "others start it"]
fn the_child_of_others() {
    let (Ok(wanted), Some(file)) = (std::env::var(CHILD), std::env::var_os("HELIOGRAPH_TEST_FILE")) else {
        return;
    };
    let file = PathBuf::from(file);
    let first = fs::read(&file).ok().and_then(|octets| whole(&octets)).unwrap_or(0);
    for number in first + 1.. {
        let mut passed = |stage| {
            if format!("{stage:?}") == wanted {
                kill_process(getpid(), Signal::KILL).expect("we may kill ourselves");
            }
        };
        save_by(&file, version(number).as_bytes(), &mut passed).expect("it can be written");
        // From now on it is not to be what it was before.
        fs::write(with(&file, ".said"), number.to_string()).expect("it can be written");
    }
}

#[test]
fn killed_at_each_stage_it_is_old_or_new() {
    let scratch = Scratch::new();
    let file = scratch.path("saved");
    let rows = [
        (Stage::Created, 41),
        (Stage::Written, 41),
        (Stage::Synced, 41),
        (Stage::Renamed, 42),
        (Stage::Settled, 42),
    ];
    for (stage, wanted) in rows {
        fs::write(&file, version(41)).unwrap();
        let status = child(&file, &format!("{stage:?}")).status().unwrap();
        assert_eq!(status.signal(), Some(9), "{stage:?}: the child was not killed: {status}");
        let found = fs::read(&file).unwrap();
        assert_eq!(whole(&found), Some(wanted), "{stage:?}: {} octets", found.len());
        // What it left does not stand in the way.
        save(&file, version(43).as_bytes()).unwrap_or_else(|error| panic!("{stage:?}: {error}"));
        assert_eq!(whole(&fs::read(&file).unwrap()), Some(43), "{stage:?}");
        assert!(!with(&file, ".new").exists(), "{stage:?}: something is left");
    }
}

#[test]
fn killed_at_any_time_it_is_old_or_new() {
    let scratch = Scratch::new();
    let file = scratch.path("saved");
    save(&file, version(0).as_bytes()).unwrap();
    let mut dice = ::tests::Rng::new(7, 7);
    let mut seen = 0;
    for round in 0..40 {
        let mut running = child(&file, "never").spawn().unwrap();
        std::thread::sleep(Duration::from_micros(dice.below(60_000) as u64));
        running.kill().unwrap();
        running.wait().unwrap();
        let said: u64 =
            fs::read_to_string(with(&file, ".said")).ok().and_then(|said| said.parse().ok()).unwrap_or(0);
        let octets = fs::read(&file).unwrap();
        let found = whole(&octets)
            .unwrap_or_else(|| panic!("round {round}: {} octets are neither old nor new", octets.len()));
        assert!(found >= said, "round {round}: version {found}, and {said} had been written");
        seen = found;
    }
    // What never got that far has not been tested.
    assert!(seen > 40, "{seen} versions in all");
}

#[test]
fn mode_and_owner_stay() {
    let scratch = Scratch::new();
    let file = scratch.path("saved");
    save(&file, OLD).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640, "a new file");
    for mode in [0o600, 0o640, 0o644, 0o660] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        save(&file, OLD).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, mode, "{mode:o}");
    }
    // Only root can give files away.
    if fchown_works(&file) {
        save(&file, OLD).unwrap();
        let found = fs::metadata(&file).unwrap();
        assert_eq!((found.uid(), found.gid()), (12, 34));
    }
    let link = scratch.path("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    save(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "a link stays a link");
    assert_eq!(fs::read(&file).unwrap(), b"new");
}

fn fchown_works(file: &Path) -> bool {
    fchown(File::open(file).unwrap(), Some(12), Some(34)).is_ok()
}

#[test]
fn what_cannot_be_written_stays() {
    let scratch = Scratch::new();
    let file = scratch.path("saved");
    save(&file, OLD).unwrap();
    fs::create_dir(with(&file, ".new")).unwrap();
    save(&file, b"new").unwrap_err();
    assert_eq!(fs::read(&file).unwrap(), OLD);
    assert!(save(&scratch.path("nowhere/saved"), OLD).is_err());
}

#[test]
fn what_is_no_configuration_is_not_read() {
    let scratch = Scratch::new();
    let file = scratch.path("file");
    assert_eq!(read(&file), Ok(None));
    fs::write(&file, "bmp\n").unwrap();
    assert_eq!(read(&file), Ok(Some(String::from("bmp\n"))));
    let rows: [(&[u8], &str); 2] = [(b"bmp\n\xff", "line 2 is not UTF-8"), (b"\xc3", "line 1 is not UTF-8")];
    for (octets, wanted) in rows {
        fs::write(&file, octets).unwrap();
        let text = read(&file).unwrap_err();
        assert!(text.ends_with(wanted), "{octets:?}: {text}");
    }
    fs::write(&file, vec![b' '; usize::try_from(FILE_MAX).unwrap() + 1]).unwrap();
    assert!(read(&file).unwrap_err().ends_with("longer than 16777216 octets"));
    assert!(read(&scratch.path(".")).unwrap_err().ends_with("not a file"));
    rustix::fs::mkfifoat(rustix::fs::CWD, scratch.path("pipe"), rustix::fs::Mode::RWXU).unwrap();
    assert!(read(&scratch.path("pipe")).unwrap_err().ends_with("not a file"));
}

#[test]
fn a_key_is_made_once_and_kept_private() {
    let scratch = Scratch::new();
    let file = scratch.path("heliograph.vrp");
    let key = scratch.path("heliograph.vrp.key");
    let made = vault(&file, None, Some("bmp\n")).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    let sealed = made.seal(&Clear::new("secret"), &mut random);
    let again = vault(&file, None, None).unwrap();
    assert!(again.open(&sealed).is_ok_and(|clear| clear.reveal() == "secret"), "it is another key now");

    let refused = |wanted: &str| {
        let text = vault(&file, None, None).map(|_| ()).unwrap_err();
        assert!(text.contains(wanted), "{text:?} has no {wanted:?}");
    };
    for mode in [0o644, 0o640, 0o620] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        refused(&format!("can be read by others (its mode is {mode:04o})"));
    }
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    for text in [&b""[..], b"\xff", b"heliograph-key-1", b"heliograph-key-1 AAAA", b"key"] {
        fs::write(&key, text).unwrap();
        refused("key file");
    }

    // Without its key, what is sealed is not to be replaced by what has never been.
    fs::remove_file(&key).unwrap();
    let text = vault(&file, None, Some("password md5 %^%#AA%^%#")).map(|_| ()).unwrap_err();
    assert!(text.contains("Put it back"), "{text}");
    assert!(!key.exists());
    let text = vault(&file, Some(&scratch.path("other")), None).map(|_| ()).unwrap_err();
    assert!(text.contains("does not exist"), "{text}");
}

#[test]
fn the_key_of_systemd_is_taken() {
    let scratch = Scratch::new();
    let file = scratch.path("file");
    let rows = [
        (None, None, "file.key", true),
        (Some("told"), Some("."), "told", true),
        (None, Some("."), "heliograph.key", false),
        (None, Some("nowhere"), "file.key", true),
    ];
    fs::write(scratch.path("heliograph.key"), "").unwrap();
    for (told, credentials, wanted, private) in rows {
        let [told, credentials] = [told, credentials].map(|name| name.map(|name| scratch.path(name)));
        let found = key_path(&file, told.as_deref(), credentials.as_deref());
        let wanted = if private { scratch.path(wanted) } else { scratch.path(".").join(wanted) };
        assert_eq!(found, (wanted, private), "{told:?} {credentials:?}");
    }
}
