//! A line on the terminal that shows how far we are, and Ctrl-C.
//!
//! A thread of its own draws it; what it shows are a few numbers that the replay stores now and then.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use engine::thread::Handle;

use crate::servers::{look, runtime};

/// Between two drawings.
const REDRAW: Duration = Duration::from_millis(250);
/// Letters of the bar.
const BAR_LEN: usize = 24;
/// What a second Ctrl-C ends with, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// What is shown, and what is asked for.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Ctrl-C was pressed.
    pub(crate) stop: AtomicBool,
    /// Everything has been said: nothing more is drawn.
    pub(crate) over: AtomicBool,
    pub(crate) records: AtomicU64,
    /// Octets of the files that are behind us, and of all; 0 for not known.
    pub(crate) position: AtomicU64,
    pub(crate) len: AtomicU64,
}

impl Shared {
    pub(crate) const fn new() -> Self {
        Self {
            stop: AtomicBool::new(false),
            over: AtomicBool::new(false),
            records: AtomicU64::new(0),
            position: AtomicU64::new(0),
            len: AtomicU64::new(0),
        }
    }
}

/// Starts the thread.
pub(crate) fn start(shared: &'static Shared, handle: Handle, name: String) -> Result<(), String> {
    let runtime = runtime()?;
    let draws = std::io::stderr().is_terminal();
    let body = move || {
        runtime.block_on(async {
            let mut ticks = tokio::time::interval(REDRAW);
            // Since the first record.
            let mut begun = Instant::now();
            let mut last = (begun, 0);
            loop {
                tokio::select! {
                    pressed = tokio::signal::ctrl_c() => {
                        if pressed.is_err() || shared.stop.swap(true, Ordering::Relaxed) {
                            std::process::exit(i32::from(INTERRUPTED));
                        }
                    }
                    _ = ticks.tick() => {}
                }
                if !draws || shared.over.load(Ordering::Relaxed) {
                    continue;
                }
                let servers = look(&handle.picture().await, &name, 0);
                let records = shared.records.load(Ordering::Relaxed);
                if records == 0 {
                    (begun, last.0) = (Instant::now(), Instant::now());
                }
                let seconds = last.0.elapsed().as_secs_f64();
                let rate = per_second(records - last.1, seconds);
                if seconds > 1.0 {
                    last = (Instant::now(), records);
                }
                let shown = Shown {
                    records,
                    rate,
                    position: shared.position.load(Ordering::Relaxed),
                    len: shared.len.load(Ordering::Relaxed),
                    elapsed: begun.elapsed(),
                    up: servers.iter().filter(|server| server.up).count(),
                    servers: servers.len(),
                    lag: servers.iter().map(|server| server.lag_octets).max().unwrap_or(0),
                };
                // Whoever looks may have gone; the replay has not.
                if !shared.over.load(Ordering::Relaxed) {
                    let _ = write!(std::io::stderr(), "\r{}\x1b[K", shown.line());
                }
            }
        });
    };
    thread::Builder::new().name(String::from("progress")).spawn(body).map_err(|error| error.to_string())?;
    Ok(())
}

/// Nothing is drawn any more, and what was is gone.
pub(crate) fn clear(shared: &Shared) {
    shared.over.store(true, Ordering::Relaxed);
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

/// One drawing.
struct Shown {
    records: u64,
    rate: u64,
    position: u64,
    len: u64,
    elapsed: Duration,
    up: usize,
    servers: usize,
    lag: u64,
}

impl Shown {
    fn line(&self) -> String {
        let servers = format!("{}/{} servers, {} behind", self.up, self.servers, octets(self.lag));
        let rate = format!("{} records  {}/s", grouped(self.records), grouped(self.rate));
        if self.len == 0 {
            return format!("{rate}  {servers}");
        }
        let (done, len) = (u128::from(self.position.min(self.len)), u128::from(self.len));
        let full = usize::try_from(done * BAR_LEN as u128 / len).unwrap_or(BAR_LEN);
        let bar = format!("{}{}", "#".repeat(full), "-".repeat(BAR_LEN - full));
        let left = match self.elapsed.as_millis() * (len - done) / done.max(1) {
            _ if done == 0 => String::from("?"),
            millis => duration(u64::try_from(millis / 1000).unwrap_or(u64::MAX)),
        };
        format!("[{bar}] {:3} %  {rate}  {left} left  {servers}", done * 100 / len)
    }
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Octets, with the unit that fits.
pub(crate) fn octets(number: u64) -> String {
    match number {
        0..10_240 => format!("{number} B"),
        10_240..10_485_760 => format!("{} KiB", number >> 10),
        _ => format!("{} MiB", number >> 20),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rate to be looked at, and never below 0"
)]
pub(crate) fn per_second(number: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (number as f64 / seconds) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let shown = |position, len, elapsed, records, lag| Shown {
            records,
            rate: 512_345,
            position,
            len,
            elapsed: Duration::from_secs(elapsed),
            up: 2,
            servers: 3,
            lag,
        };
        let rows = [
            (shown(0, 0, 9, 7, 0), "7 records  512,345/s  2/3 servers, 0 B behind"),
            (
                shown(0, 100, 9, 1234, 20_000),
                "[------------------------]   0 %  1,234 records  512,345/s  ? left  2/3 servers, 19 KiB behind",
            ),
            (
                shown(25, 100, 10, 1_234_567, 50 << 20),
                "[######------------------]  25 %  1,234,567 records  512,345/s  30 s left  2/3 servers, 50 MiB behind",
            ),
            (
                shown(1, 100, 600, 0, 0),
                "[------------------------]   1 %  0 records  512,345/s  16 h left  2/3 servers, 0 B behind",
            ),
            (
                shown(120, 100, 10, 0, 0),
                "[########################] 100 %  0 records  512,345/s  0 s left  2/3 servers, 0 B behind",
            ),
        ];
        for (shown, expected) in rows {
            assert_eq!(shown.line(), expected);
        }
    }
}
