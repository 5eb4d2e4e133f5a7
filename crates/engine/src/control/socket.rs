//! The socket where shells come in.
//!
//! * **one engine**  a socket that somebody listens at is not taken from him; one that nobody does is left over
//!   from an engine that was killed, and replaced.
//! * **never open**  it has its mode and group before it has its name.
//! * **ours**        at the end it is unlinked if it is still the one that we made.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::keep;

/// Who may come in: we, and our group.
const MODE: u32 = 0o660;

/// Octets of a socket's path, at most: what the kernel has room for, a zero at the end, and `.new`.
const PATH_MAX: usize = 107 - 4;

/// A socket that listens; unlinked when it goes.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    /// What tells it from another of the same name.
    identity: (u64, u64),
}

/// Listens. Its group is that of its directory, if we may give it that.
///
/// # Errors
/// Somebody else listens there, or it cannot be: a sentence.
pub(crate) fn listen(path: &Path) -> Result<(UnixListener, Socket), String> {
    let shown = path.display();
    if path.as_os_str().len() > PATH_MAX {
        return Err(format!("The path of the control socket {shown} is longer than {PATH_MAX} octets."));
    }
    let failed = |error: io::Error| format!("The control socket {shown} cannot be made: {error}.");
    let directory = keep::directory(path);
    if !directory.is_dir() {
        return Err(format!(
            "The control socket {shown} cannot be made: there is no folder {}. Make it, or name another path with \
             --socket.",
            directory.display()
        ));
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(format!(
                "{shown} is not a socket. Move it away, or name another path with --socket."
            ));
        }
        Ok(_) => match UnixStream::connect(path) {
            // Nobody is there any more; or he has gone since.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {}
            Err(error) => return Err(failed(error)),
            Ok(_) => {
                return Err(format!(
                    "Another engine is running with the control socket {shown}. Stop it, or name another path with \
                     --socket."
                ));
            }
        },
    }
    let beside = keep::with(path, ".new");
    let made = (|| {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&beside)?;
        listener.set_nonblocking(true)?;
        let group = fs::metadata(keep::directory(path))?.gid();
        if fs::metadata(&beside)?.gid() != group {
            // Who is not in that group cannot, and his own group has to do.
            let _ = chown(&beside, None, Some(group));
        }
        fs::set_permissions(&beside, Permissions::from_mode(MODE))?;
        let identity = identity(&beside)?;
        fs::rename(&beside, path)?;
        Ok((listener, Socket { path: path.to_owned(), identity }))
    })();
    made.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Drop for Socket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn it_comes_and_goes() {
        let scratch = Scratch::new();
        let path = scratch.path("run/control");
        let absent = listen(&path).map(|_| ()).unwrap_err();
        assert!(absent.contains("there is no folder"), "{absent}");
        assert!(!keep::directory(&path).exists(), "a slip of the pen leaves nothing behind");
        fs::create_dir(keep::directory(&path)).unwrap();
        let (listener, socket) = listen(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
        let group = fs::metadata(keep::directory(&path)).unwrap().gid();
        assert_eq!(fs::metadata(&path).unwrap().gid(), group);
        UnixStream::connect(&path).unwrap();

        let refused = listen(&path).map(|_| ()).unwrap_err();
        assert!(refused.contains("Another engine is running"), "{refused}");
        UnixStream::connect(&path).expect("whoever was there still is");
        drop((listener, socket));
        assert!(!path.exists());
        assert_eq!(fs::read_dir(keep::directory(&path)).unwrap().count(), 0, "something is left");
    }

    #[test]
    fn what_is_left_of_a_dead_engine_is_replaced() {
        let scratch = Scratch::new();
        let path = scratch.path("control");
        // Dropping a listener leaves its file.
        drop(UnixListener::bind(&path).unwrap());
        drop(UnixListener::bind(keep::with(&path, ".new")).unwrap());
        let (_listener, _socket) = listen(&path).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn what_is_not_ours_stays() {
        let scratch = Scratch::new();
        let path = scratch.path("control");
        fs::write(&path, "mine").unwrap();
        let refused = listen(&path).map(|_| ()).unwrap_err();
        assert!(refused.contains("is not a socket"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_file(&path).unwrap();

        let (_listener, socket) = listen(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let _other = UnixListener::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists(), "another one has the name now");

        let long = listen(&scratch.path("x".repeat(120))).map(|_| ()).unwrap_err();
        assert!(long.contains("longer than 103 octets"), "{long}");
    }
}
