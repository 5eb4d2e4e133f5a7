//! What is kept in files: the configuration, the key of its secrets, the commits that were.
//!
//! ```text
//!   FILE           what `display current-configuration` prints         0640, or as it was
//!   FILE.key       what seals the secrets of FILE                      0600, made once
//!   FILE.commits   an object a line                                    like FILE
//!   FILE.new ..    a file that is being written, or was when somebody pulled the plug: of no account
//! ```
//!
//! * **old or new**  whoever kills us at whatever moment finds a file as it was or as it was to be: it is written
//!   beside, brought to the disk, and only then takes the name.
//! * **no rush**     a file is read up to a limit, and only if it is a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use config::secret::Vault;
use zeroize::Zeroizing;

/// Octets of a file that we read, at most.
pub const FILE_MAX: u64 = 16 << 20;

/// What a new file may be done with: the group may read it.
const MODE: u32 = 0o640;

/// Octets of a key file that we read, at most.
const KEY_FILE_MAX: u64 = 4096;

/// What systemd calls our key, if it gives us one (`LoadCredential=heliograph.key:…`).
const CREDENTIAL: &str = "heliograph.key";

/// How far a file has come. For tests, which stop there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// There is an empty file beside it.
    Created,
    /// That has everything in it.
    Written,
    /// It is on the disk, with its mode and owner.
    Synced,
    /// It has taken the name.
    Renamed,
    /// And the disk knows.
    Settled,
}

/// Writes a file so that it is either what it was or what it is to be. Its mode and its owner stay; a new one
/// is 0640. A link stays a link. One at a time: whoever calls sees to that.
///
/// # Errors
/// It is what it was.
pub fn save(path: &Path, octets: &[u8]) -> io::Result<()> {
    save_by(path, octets, &mut |_| {})
}

fn save_by(path: &Path, octets: &[u8], passed: &mut dyn FnMut(Stage)) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    let before = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        found => Some(found?),
    };
    let (beside, mut file) = beside(&path)?;
    passed(Stage::Created);
    let written = (|| {
        file.write_all(octets)?;
        passed(Stage::Written);
        let mut mode = MODE;
        if let Some(before) = before {
            mode = before.mode() & 0o777;
            let (user, group) = (before.uid(), before.gid());
            // Who is not root can give a file to a group of his, at most. If that is not its group, those who
            // are in ours shall not read what they could not read before.
            let given = fchown(&file, Some(user), Some(group)).or_else(|_| fchown(&file, None, Some(group)));
            if given.is_err() {
                mode &= 0o707;
            }
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        passed(Stage::Synced);
        fs::rename(&beside, &path)
    })();
    if let Err(error) = written {
        // What is left of it is of no account.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    passed(Stage::Renamed);
    settle(&path)?;
    passed(Stage::Settled);
    Ok(())
}

/// A new file in the same directory, for us alone, in place of what a killed one left.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let beside = with(path, ".new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    Ok((beside, file))
}

/// Brings a directory to the disk: who is called what.
fn settle(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// Where a file is.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path with something behind it.
#[must_use]
pub fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The text of a file; `None` if there is no such file.
///
/// # Errors
/// It cannot be read, or is not what a configuration could be: a sentence.
pub fn read(path: &Path) -> Result<Option<String>, String> {
    let shown = path.display();
    let Some(octets) = octets(path, FILE_MAX).map_err(|error| format!("{shown}: {error}"))? else {
        return Ok(None);
    };
    String::from_utf8(octets).map(Some).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&octet| octet == b'\n').count() + 1;
        format!("{shown}: line {line} is not UTF-8")
    })
}

fn octets(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    // A pipe would have us wait for who writes into it.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Err(io::Error::other("this is not a file")),
        Ok(_) => {}
    }
    let mut octets = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > limit {
        return Err(io::Error::other(format!("it is longer than {limit} octets")));
    }
    Ok(Some(octets))
}

/// Where the key of a configuration's secrets is: where systemd put it, or beside the configuration.
#[must_use]
pub fn key_beside(file: &Path) -> PathBuf {
    key_path(file, None, credentials().as_deref()).0
}

/// Sees that no other engine has this configuration: two would connect to all servers twice, and save over each
/// other. Holds for as long as the file is held.
///
/// # Errors
/// Another one has it, or the file that says so cannot be written: a text for people.
pub fn claim(file: &Path) -> Result<File, String> {
    let lock = with(file, ".lock");
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock);
    let held = open.map_err(|error| format!("{}: {error}.", lock.display()))?;
    match rustix::fs::flock(&held, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(held),
        Err(_) => Err(format!(
            "Another engine runs with {}: stop that one, or give this one a configuration of its own.",
            file.display()
        )),
    }
}

/// Where systemd puts what the unit asks it for.
fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

/// The same, or where we are told. The flag is whether others must not be able to read it: systemd sees to that itself.
fn key_path(file: &Path, told: Option<&Path>, credentials: Option<&Path>) -> (PathBuf, bool) {
    if let Some(told) = told {
        return (told.to_owned(), true);
    }
    match credentials.map(|directory| directory.join(CREDENTIAL)).filter(|path| path.exists()) {
        Some(path) => (path, false),
        None => (with(file, ".key"), true),
    }
}

/// What opens the secrets of a configuration. `text` is the configuration, if there is one: a key is made if
/// there is none, but not for secrets that were sealed with another one.
///
/// # Errors
/// There is none and none can be made, or it is no key, or others can read it: a sentence with the remedy.
pub fn vault(file: &Path, told: Option<&Path>, text: Option<&str>) -> Result<Vault, String> {
    let (path, private) = key_path(file, told, credentials().as_deref());
    if let Some(vault) = opened(&path, private)? {
        return Ok(vault);
    }
    let shown = path.display();
    if told.is_some() {
        return Err(format!("The key file {shown} does not exist. Put it there, or name another one."));
    }
    if text.is_some_and(|text| text.contains(SEALED)) {
        return Err(format!(
            "The secrets in {} are sealed, and the key file {shown} does not exist. Put it back, or type the secrets \
             in anew.",
            file.display()
        ));
    }
    make(&path).map_err(|error| format!("The key file {shown} cannot be made: {error}."))?;
    opened(&path, private)?.ok_or_else(|| format!("The key file {shown} has gone again."))
}

/// What a sealed secret begins with.
const SEALED: &str = "%^%#";

/// The key of a file, ready for use; `None` if there is no such file.
fn opened(path: &Path, private: bool) -> Result<Option<Vault>, String> {
    let shown = path.display();
    let text = match octets(path, KEY_FILE_MAX) {
        Ok(None) => return Ok(None),
        Ok(Some(text)) => Zeroizing::new(text),
        Err(error) => return Err(format!("The key file {shown} cannot be read: {error}.")),
    };
    let mode = fs::metadata(path).map_or(0, |found| found.mode() & 0o777);
    if private && mode & 0o077 != 0 {
        return Err(format!(
            "The key file {shown} can be read by others (its mode is {mode:04o}). Make it private with `chmod 600`, \
             and change the secrets if others may have read it."
        ));
    }
    let text = std::str::from_utf8(&text).unwrap_or("-");
    Vault::from_text(text).map(Some).map_err(|fault| format!("{shown}: {fault}"))
}

/// Makes a key file, if there is none: complete from the moment on that it has its name.
fn make(path: &Path) -> io::Result<()> {
    let text = Vault::generate(&mut random).to_text();
    let (beside, mut file) = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link does not take the place of another file, as a new name would.
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => settle(path),
    }
}

/// Randomness, for keys and nonces.
///
/// # Panics
/// The kernel has none, without which no secret is one.
pub fn random(octets: &mut [u8]) {
    getrandom::fill(octets).expect("the kernel has randomness");
}

#[cfg(test)]
mod tests;
