//! Prints every message of a file, one line each: `show FILE`, or `show -` for standard input.
//!
//! The file is a BMP stream as it came over TCP, or MRT as it is or packed with gzip, bzip2, xz or
//! zstd; the first octets tell.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;

use wire::bgp::Dialect;
use wire::{bmp, mrt};

/// Octets read at a time, and more than the longest BMP message twice.
const BUFFER_LEN: usize = 4 << 20;

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = run(&mut out);
    // What came before an error is worth seeing.
    match shown.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our lines has seen enough: `show FILE | head`.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = out.flush();
            eprintln!("show: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        return Err("expected one argument: a file of BMP or MRT, or - for standard input".into());
    };
    let mut source: Box<dyn Read> = if path == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?)
    };
    let mut first = [0];
    let len = source.read(&mut first)?;
    let source = first[..len].chain(source);
    // As an MRT record it would be of 1970 to 1972: this is a version of BMP, right or wrong.
    if matches!(first[..len], [0..=4]) { show_bmp(source, out) } else { show_mrt(source, out) }
}

fn show_mrt(source: impl Read, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut reader = mrt::Reader::open(source)?;
    while let Some(record) = reader.next()? {
        writeln!(out, "{record}")?;
    }
    Ok(())
}

fn show_bmp(mut source: impl Read, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut dialects: HashMap<bmp::PeerIdentity, Dialect> = HashMap::new();
    let mut buffer = vec![0; BUFFER_LEN];
    let (mut tail, mut position) = (0, 0_u64);
    loop {
        let read = source.read(&mut buffer[tail..])?;
        tail += read;
        let mut rest = &buffer[..tail];
        while let Some((frame, after)) =
            bmp::Frame::split(rest).map_err(|error| format!("message at {position}: {error}"))?
        {
            if let Ok(bmp::Message::PeerUp(up)) = frame.message() {
                let known = dialects.entry(up.peer.identity()).or_default();
                *known = known.merged(up.dialect());
            }
            match frame.peer().and_then(|peer| dialects.get(&peer.identity())) {
                Some(dialect) => writeln!(out, "{}", frame.show(dialect))?,
                None => writeln!(out, "{frame}")?,
            }
            position += frame.bytes().len() as u64;
            rest = after;
        }
        let left = rest.len();
        if read == 0 {
            return match left {
                0 => Ok(()),
                _ => Err(format!("message at {position}: cut off after {left} octets").into()),
            };
        }
        buffer.copy_within(tail - left..tail, 0);
        tail = left;
    }
}
