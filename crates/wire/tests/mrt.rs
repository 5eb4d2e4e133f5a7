//! Files of MRT records: packed in every way, cut, broken, and read an octet at a time.

use std::io::{self, ErrorKind, Read, Write};

use wire::mrt::{BUFFER_LEN, Compression, RECORD_MAX, Reader};

/// A record of a kind nobody knows.
fn record(body: &[u8]) -> Vec<u8> {
    let mut record = vec![0x5f, 0x5e, 0x10, 0, 0, 99, 0, 1];
    record.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
    record.extend(body);
    record
}

/// So many records of octets that do not pack well, some larger than the one before.
fn records(count: usize) -> Vec<Vec<u8>> {
    let mut state = 1_u32;
    let mut octet = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|at| record(&(0..at * 7 % 300).map(|_| octet()).collect::<Vec<_>>())).collect()
}

/// What a reader hands out until it says that there is no more, and how it ended.
fn read(source: impl Read) -> (Vec<Vec<u8>>, String) {
    let mut records = Vec::new();
    let mut reader = match Reader::open(source) {
        Ok(reader) => reader,
        Err(error) => return (records, error.to_string()),
    };
    let mut position = 0;
    let end = loop {
        match reader.next() {
            Ok(Some(record)) => {
                position += record.bytes().len() as u64;
                records.push(record.bytes().to_vec());
            }
            Ok(None) => break "end".into(),
            Err(error) => break error.to_string(),
        }
        assert_eq!(reader.position(), position);
    };
    for _ in 0..3 {
        assert!(matches!(reader.next(), Ok(None)), "after the end there is nothing");
    }
    (records, end)
}

fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).expect("a Vec");
            packer.finish().expect("a Vec")
        }
        Compression::Bzip2 => {
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            packer.write_all(bytes).expect("a Vec");
            packer.finish().expect("a Vec")
        }
        Compression::Xz => stored_xz(bytes),
        Compression::Zstd => zstd::stream::encode_all(bytes, 1).expect("a Vec"),
    }
}

/// An xz stream of one block, in chunks that are stored as they are: there is a decoder here, but no
/// encoder.
fn stored_xz(bytes: &[u8]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let varint = |mut n: usize| {
        let mut octets = Vec::new();
        while n > 0x7f {
            octets.push(n.to_le_bytes()[0] | 0x80);
            n >>= 7;
        }
        octets.push(n.to_le_bytes()[0]);
        octets
    };
    const FLAGS: [u8; 2] = [0, 0]; // no check
    let mut xz = [&b"\xfd7zXZ\0"[..], &FLAGS, &crc(&FLAGS)].concat();
    // one filter, LZMA2, one octet of properties: a dictionary of 64 KiB; then padding
    let header = [2, 0, 0x21, 1, 8, 0, 0, 0];
    let mut block = [&header[..], &crc(&header)].concat();
    for (at, chunk) in bytes.chunks(1 << 16).enumerate() {
        let len = u16::try_from(chunk.len() - 1).expect("64 KiB").to_be_bytes();
        block.extend([if at == 0 { 1 } else { 2 }, len[0], len[1]]);
        block.extend(chunk);
    }
    block.push(0);
    let mut index = [vec![0, 1], varint(block.len()), varint(bytes.len())].concat();
    index.resize(index.len().next_multiple_of(4), 0);
    block.resize(block.len().next_multiple_of(4), 0);
    index.extend(crc(&index));
    xz.extend(block);
    let words = u32::try_from(index.len() / 4 - 1).expect("short").to_le_bytes();
    let footer = [words, [FLAGS[0], FLAGS[1], b'Y', b'Z']].concat();
    xz.extend(index);
    xz.extend(crc(&footer[..6]));
    xz.extend(footer);
    xz
}

/// What the xz program makes of three records of no, one and two octets.
const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x1c\x00\x00\x00\x10\xcf\
    \x58\xcc\xe0\x00\x26\x00\x16\x5d\x00\x2f\x97\x7d\xff\x8c\x20\x38\xeb\x22\xf4\x59\xbb\x3b\xb3\xed\x7f\x56\
    \x07\xda\x30\x00\x00\x00\x00\x00\xf9\xfa\xe0\x8a\x00\x01\x2e\x27\x6c\x09\x8b\x8e\x90\x42\x99\x0d\x01\x00\
    \x00\x00\x00\x01\x59\x5a";

const ALL: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

/// Gives at most `most` octets at a time, is interrupted in between, and fails in the end if told so.
struct Source<'a> {
    rest: &'a [u8],
    most: usize,
    interrupted: bool,
    failure: Option<ErrorKind>,
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        match self.failure {
            Some(kind) if self.rest.is_empty() => Err(kind.into()),
            _ => {
                let most = self.most.min(out.len());
                self.rest.read(&mut out[..most])
            }
        }
    }
}

#[test]
fn every_compression() {
    let all = records(2000);
    let stream = all.concat();
    assert!(stream.len() > BUFFER_LEN, "the buffer is filled more than once");
    for compression in ALL {
        let packed = pack(compression, &stream);
        assert_eq!(Reader::open(&packed[..]).expect("octets").compression(), compression);
        let (first, second) = stream.split_at(stream.len() / 3);
        let members = [pack(compression, first), pack(compression, &[]), pack(compression, second)].concat();
        for packed in [&packed, &members] {
            for most in [1, 7, usize::MAX] {
                let source = Source { rest: packed, most, interrupted: false, failure: None };
                let (records, end) = read(source);
                assert_eq!(end, "end", "{compression:?} by {most}");
                assert!(records == all, "{compression:?} by {most}");
            }
        }
    }
    let lens: Vec<usize> = read(XZ).0.iter().map(Vec::len).collect();
    assert_eq!(lens, [12, 13, 14]);
}

#[test]
fn marks() {
    let rows: &[(&[u8], Compression)] = &[
        (b"", Compression::None),
        (b"\x1f\x8b", Compression::Gzip),
        (b"\x1f", Compression::None),
        (b"BZh91AY&SY", Compression::Bzip2),
        (b"BZh9\x17\x72\x45\x38\x50\x90", Compression::Bzip2),
        (b"BZh9\0\x0d\0\x02", Compression::None), // the 11th of April 2005, 12:06:17
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"\x28\xb5\x2f\xfd", Compression::Zstd),
        (b"\x5f\x5e\x10\0\0\x0d", Compression::None),
    ];
    for (start, expected) in rows {
        assert_eq!(Compression::of(start), *expected, "{start:?}");
    }
}

/// Cut anywhere, whole records come first and then what is wrong, whatever the compression.
#[test]
fn cut_anywhere() {
    let all = records(12);
    let stream = all.concat();
    let starts: Vec<usize> = all
        .iter()
        .scan(0, |at, record| Some(std::mem::replace(at, *at + record.len())))
        .chain([stream.len()])
        .collect();
    for len in 0..=stream.len() {
        let whole = starts.iter().filter(|start| **start <= len).count() - 1;
        let left = len - starts[whole];
        let want = if left < 12 { 12 } else { all[whole].len() };
        let expected = match left {
            0 => "end".into(),
            _ => format!("MRT record at {} wants {want} octets, {left} left", starts[whole]),
        };
        for compression in ALL {
            let (records, end) = read(&pack(compression, &stream[..len])[..]);
            assert_eq!((records.len(), &end), (whole, &expected), "{compression:?} cut at {len}");
            assert!(records == all[..whole]);
        }
        // The source fails, rather than ends.
        for most in [1, usize::MAX] {
            let failure = Some(ErrorKind::ConnectionReset);
            let source = Source { rest: &stream[..len], most, interrupted: false, failure };
            let (records, end) = read(source);
            let after = if len < 6 { 0 } else { len };
            assert_eq!((records.len(), end), (whole, format!("after {after} octets: connection reset")));
        }
    }
}

/// The packed octets are cut or broken: what could be unpacked before is not lost.
#[test]
fn broken_packing() {
    let all = records(4000);
    let stream = all.concat();
    for compression in &ALL[1..] {
        let packed = pack(*compression, &stream);
        let mut before = 0;
        for tenth in 1..10 {
            let at = packed.len() * tenth / 10;
            let (records, end) = read(&packed[..at]);
            assert!(end.contains(" end"), "{compression:?}: {end}");
            assert!(records == all[..records.len()]);
            // bzip2 unpacks by blocks of 100 000 octets, zstd of 128 KiB, xz here by 64 KiB.
            let least = (stream.len() * tenth / 10).saturating_sub(150_000);
            assert!(records.concat().len() >= least, "{compression:?} at {at}: {}", records.len());
            assert!(records.len() >= before);
            before = records.len();

            let failure = Some(ErrorKind::TimedOut);
            let source = Source { rest: &packed[..at], most: 1000, interrupted: false, failure };
            let (again, end) = read(source);
            assert!(again == records && end.ends_with("octets: timed out"), "{compression:?}: {end}");

            let broken = [&packed[..at], &[0xff; 64], &packed[at..]].concat();
            let (records, end) = read(&broken[..]);
            assert_ne!(end, "end", "{compression:?}");
            let good = records.iter().zip(&all).take_while(|(got, sent)| got == sent).count();
            assert!(all[..good].concat().len() >= least, "{compression:?} at {at}: {good} {end}");
        }
        for trailer in [&b"garbage that is no member"[..], &[0; 512]] {
            let (records, _) = read(&[&packed[..], trailer].concat()[..]);
            assert!(records.len() >= all.len() && records[..all.len()] == all[..], "{compression:?}");
        }
    }
}

#[test]
fn lying_lengths() {
    let small = record(&[1, 2, 3]);
    let large = record(&vec![7; 3 * BUFFER_LEN + 1]);
    let largest = record(&vec![8; RECORD_MAX]);
    let mut beyond = record(&[]);
    beyond[8..12].copy_from_slice(&0x0100_0001_u32.to_be_bytes());
    let mut no_micros = record(&[1, 2, 3]);
    no_micros[5] = 17;
    let rows: &[(&[&[u8]], usize, &str)] = &[
        (&[&small, &large, &small, &largest, &small], 5, "end"),
        (&[&small, &large[..BUFFER_LEN]], 1, "MRT record at 15 wants 786445 octets, 262144 left"),
        (
            &[&small, &beyond, &small],
            1,
            "MRT record at 15: offset 8: MRT length 16777217, expected 0..=16777216",
        ),
        (&[&small, &no_micros], 1, "MRT record at 15: offset 8: MRT length 3, expected 4..=16777216"),
    ];
    for (parts, count, expected) in rows {
        let (records, end) = read(&parts.concat()[..]);
        assert_eq!((records.len(), end.as_str()), (*count, *expected));
        assert!(records.iter().zip(*parts).all(|(got, sent)| got == sent));
    }
}

/// What an xz stream may ask for has a limit: this one wants a dictionary of 1 GiB.
#[test]
fn greedy_xz() {
    let mut xz = stored_xz(&record(&[1, 2, 3]));
    xz[16] = 36;
    let mut crc = flate2::Crc::new();
    crc.update(&xz[12..20]);
    xz[20..24].copy_from_slice(&crc.sum().to_le_bytes());
    let (records, end) = read(&xz[..]);
    assert!(records.is_empty() && end.contains("memory"), "{end}");
}
