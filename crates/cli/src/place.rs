//! Where the engine's socket is, unless one is named: the engine and the shell ask here.
//!
//! ```text
//!   /run/heliograph/heliograph.sock        the service's
//!   $XDG_RUNTIME_DIR/heliograph.sock       an operator's own
//!   ./heliograph.sock                      where there is nothing else
//! ```
//!
//! The engine takes the first that it can make, the shell the first that is there.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

/// The folder that systemd makes for the service.
const SERVICE: &str = "/run/heliograph";
const NAME: &str = "heliograph.sock";
/// Of the folder: its group may come in.
const FOLDER_MODE: u32 = 0o750;

/// Where the engine makes it. The folder is made if it is not there, as only those that are ours by default are:
/// where an operator names a path, he has spelt it right if its folder is there.
pub(crate) fn socket() -> PathBuf {
    with_folder(makeable(&candidates()))
}

fn with_folder(path: PathBuf) -> PathBuf {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        // Where it cannot be made, the engine says so when it makes the socket.
        let _ = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    }
    path
}

/// Where the shell looks for it.
pub(crate) fn running() -> PathBuf {
    there(&candidates())
}

/// In the order in which they are tried.
fn candidates() -> Vec<PathBuf> {
    let own = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
    [Some(SERVICE.into()), own, Some(".".into())]
        .into_iter()
        .flatten()
        .map(|folder: PathBuf| folder.join(NAME))
        .collect()
}

fn makeable(candidates: &[PathBuf]) -> PathBuf {
    let found = candidates.iter().find(|path| path.parent().is_some_and(writable));
    found.cloned().unwrap_or_else(|| NAME.into())
}

/// One that is there; else one that may be where we may not look, so that we are told why not; else where one
/// would be made.
fn there(candidates: &[PathBuf]) -> PathBuf {
    let is_there = |path: &&PathBuf| fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    let is_hidden =
        |path: &&PathBuf| fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    let found = candidates.iter().find(is_there).or_else(|| candidates.iter().find(is_hidden));
    found.cloned().unwrap_or_else(|| makeable(candidates))
}

/// Whether a file can be made there. The folder is made where that may be, so for one that is not there
/// its parent is asked.
fn writable(folder: &Path) -> bool {
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => folder.is_dir(),
        Err(Errno::NOENT) => {
            folder.parent().is_some_and(|parent| parent != Path::new("") && writable(parent))
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_first_that_can_be_made_or_is_there() {
        let base = env::temp_dir().join(format!("heliograph-place-{}", std::process::id()));
        for folder in ["one", "two"] {
            fs::create_dir_all(base.join(folder)).expect("a folder of our own");
        }
        fs::write(base.join("file"), "").expect("a file");
        fs::write(base.join("one").join(NAME), "").expect("a file");
        let listener = UnixListener::bind(base.join("two").join(NAME)).expect("a socket");
        // Folders that are tried, where it is made, where it is looked for.
        let rows: [(&[&str], &str, &str); 5] = [
            (&["one", "two"], "one", "two"), // what is no socket is none
            (&["two", "one"], "two", "two"),
            (&["file", "one"], "one", "one"), // a file is no folder
            (&["new", "one"], "new", "new"),  // folders are made
            (&["file/under", "one", "two"], "one", "two"),
        ];
        let answers = rows.map(|(folders, made, looked)| {
            let candidates: Vec<PathBuf> =
                folders.iter().map(|folder| base.join(folder).join(NAME)).collect();
            let wanted = (base.join(made).join(NAME), base.join(looked).join(NAME));
            (folders, (makeable(&candidates), there(&candidates)), wanted)
        });
        let made = with_folder(base.join("new").join(NAME));
        let mode = fs::metadata(base.join("new")).map(|folder| (folder.is_dir(), folder.mode() & 0o777));
        drop(listener);
        fs::remove_dir_all(&base).expect("a folder of our own");
        assert_eq!(made, base.join("new").join(NAME));
        assert_eq!(mode.expect("it was made"), (true, FOLDER_MODE));
        for (folders, got, wanted) in answers {
            assert_eq!(got, wanted, "{folders:?}");
        }
    }
}
