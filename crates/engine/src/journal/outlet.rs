//! What is written to, behind a thread of its own: whoever reads it may be slow, or stop, and nobody who has
//! something to say waits for that.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

/// Lines that wait to be written, at most: what comes when there are so many is left out.
pub const LINES_WAITING_MAX: usize = 1024;

/// How long the last lines may take when all is over.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Takes whole lines.
pub(super) struct Outlet {
    /// There until all is over.
    lines: Option<SyncSender<Vec<u8>>>,
    /// Ends when all is written.
    written: Receiver<()>,
}

impl Outlet {
    /// One that writes to this. Without a thread to be had, nothing is written.
    pub(super) fn open(mut out: impl Write + Send + 'static) -> Self {
        let (lines, waiting) = sync_channel::<Vec<u8>>(LINES_WAITING_MAX);
        let (done, written) = sync_channel(0);
        let write = move || {
            // Where the log cannot be written there is nobody to tell.
            waiting.into_iter().for_each(|line| drop(out.write_all(&line)));
            drop(done);
        };
        let _ = Builder::new().name(String::from("journal")).spawn(write);
        Self { lines: Some(lines), written }
    }
}

impl Write for Outlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let lines = self.lines.as_ref().ok_or(ErrorKind::BrokenPipe)?;
        match lines.try_send(line.to_vec()) {
            Ok(()) => Ok(line.len()),
            Err(TrySendError::Full(_)) => Err(ErrorKind::WouldBlock.into()),
            Err(TrySendError::Disconnected(_)) => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.lines = None;
        let _: Result<(), _> = self.written.recv_timeout(LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Waits before each line until it is let go.
    struct Slow(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.lock().expect("nobody panics").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_who_reads() {
        let (go, gone) = channel();
        let written = Arc::default();
        let mut outlet = Outlet::open(Slow(gone, Arc::clone(&written)));
        let mut taken = 0;
        while outlet.write_all(b"line\n").is_ok() {
            taken += 1;
            assert!(taken <= LINES_WAITING_MAX + 1, "more lines than may wait");
        }
        assert!(taken >= LINES_WAITING_MAX);
        (0..taken).for_each(|_| go.send(()).expect("it is there"));
        drop(outlet);
        assert_eq!(written.lock().expect("nobody panics").len(), 5 * taken, "what was taken is written");
        // One that never reads holds nobody up for longer than that.
        let (_go, gone) = channel();
        let mut stuck = Outlet::open(Slow(gone, Arc::default()));
        stuck.write_all(b"line\n").expect("there is room");
        drop(stuck);
    }
}
