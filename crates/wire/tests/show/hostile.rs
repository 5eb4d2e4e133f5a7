//! Bytes that mean harm: one line each, never a long one, never a panic.

use wire::bgp::{self, Dialect, Pdu, PduKind, View};
use wire::bmp::{self, Frame, HEADER_LEN, Kind, Tlv};
use wire::{Family, FamilySet};

use crate::{LINE_MAX, frame, golden, line, line_and_debug, made, pdu, peer, update};

/// Every family with path ids and stacks of labels.
fn richest() -> Dialect {
    let all: FamilySet = Family::known().collect();
    Dialect {
        add_path_in: all,
        add_path_out: all,
        add_path_local: all,
        label_stack: all,
        four_octet_as: true,
        extended_message: true,
    }
}

/// Shows a frame in every way there is.
fn shown(bytes: &[u8]) -> Option<String> {
    let (frame, _) = Frame::split(bytes).ok()??;
    for dialect in [richest(), Dialect::default()] {
        line(&frame.show(&dialect));
        if let Ok(message) = frame.message() {
            line(&message.show(&dialect));
        }
    }
    Some(line_and_debug(&frame))
}

/// Sets the length of a BMP message to what it has.
fn with_length(mut bytes: Vec<u8>) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    bytes[1..5].copy_from_slice(&len.to_be_bytes());
    bytes
}

#[test]
fn cut_at_every_octet() {
    for (name, bytes, whole) in golden() {
        for cut in HEADER_LEN..bytes.len() {
            let short = with_length(bytes[..cut].to_vec());
            let Some(line) = shown(&short) else {
                assert!(cut < HEADER_LEN + bmp::PEER_HEADER_LEN + 4, "{name}: a frame at {cut}");
                continue;
            };
            assert_eq!(line.split(' ').next(), whole.split(' ').next(), "{name} cut at {cut}");
            assert_ne!(line, whole, "{name} cut at {cut}");
        }
    }
}

#[test]
fn cut_with_the_length_of_the_pdu_set() {
    for (name, bytes, _) in golden().filter(|(_, bytes, _)| bytes[5] == Kind::ROUTE_MONITORING.0) {
        let at = HEADER_LEN + bmp::PEER_HEADER_LEN;
        for cut in at + bgp::HEADER_LEN..bytes.len() {
            let mut short = with_length(bytes[..cut].to_vec());
            let len = u16::try_from(cut - at).unwrap();
            short[at + 16..at + 18].copy_from_slice(&len.to_be_bytes());
            let line = shown(&short).unwrap();
            assert!(line.contains(" update "), "{name} cut at {cut}: {line}");
        }
    }
}

#[test]
fn every_octet_changed() {
    for (_, bytes, _) in golden() {
        for at in 0..bytes.len() {
            for change in [0x00, 0x01, 0x0a, 0x1b, 0x7f, 0x80, 0xfe, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = change;
                shown(&changed);
            }
        }
    }
}

/// A generator without ambition: all that matters is that a seed names a run.
fn xorshift(mut state: u64) -> impl FnMut() -> u8 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    }
}

#[test]
fn noise() {
    for seed in 1..=1000 {
        let mut octet = xorshift(seed * 0x9e37_79b9);
        // small octets make lengths that fit
        let len = 60 + usize::from(octet());
        let small = octet() < 128;
        let mut noise: Vec<u8> = (0..len).map(|_| if small { octet() % 24 } else { octet() }).collect();
        noise[0] = 3;
        noise[5] = octet() % 8;
        if matches!(noise[5], 0 | 3 | 6) {
            let at = if noise[5] == 3 { 68 } else { 48 };
            let inner = u16::try_from(noise.len().saturating_sub(at)).unwrap();
            noise.resize(noise.len().max(at + 19), 0);
            noise[at..at + 16].fill(0xff);
            noise[at + 16..at + 18].copy_from_slice(&inner.to_be_bytes());
            noise[at + 18] %= 6;
        }
        shown(&with_length(noise));
        let noise: Vec<u8> = (0..40).map(|_| octet() % 32).collect();
        for family in Family::known() {
            for add_path in [false, true] {
                let reading = wire::nlri::Reading { add_path, labels: wire::nlri::Labels::Stack };
                for from in 0..20 {
                    if let Ok(routes) = wire::nlri::Routes::check(family, reading, &noise[from..]) {
                        routes.for_each(|route| assert!(line(&route).len() < 400, "seed {seed}"));
                    }
                }
            }
        }
        if let Ok(attributes) = bgp::attributes(&noise[..usize::from(noise[0])]) {
            line(&attributes);
        }
    }
}

#[test]
fn text() {
    let rows: &[(&[u8], &str)] = &[
        (b"", r#""""#),
        (b"it's \"quoted\" \\", r#""it's \"quoted\" \\""#),
        (b"a\nb\r\tc\x1b[31m\0\x7f", r#""a\nb\r\tc\u{1b}[31m\0\u{7f}""#),
        (b"\xff\xfeab\xc3", r#""\xff\xfeab\xc3""#),
        ("Zürich 東京".as_bytes(), r#""Zürich 東京""#),
        // C1 controls, line separators, marks that turn the direction of writing
        (
            "\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{feff}".as_bytes(),
            r#""\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{feff}""#,
        ),
    ];
    for (value, expected) in rows {
        let bytes = made(|buffer| bmp::initiation(buffer, &[Tlv { kind: 0, value }]));
        assert_eq!(line_and_debug(&frame(&bytes)), format!("initiation {expected}"));
    }
    let long = "x".repeat(129);
    let bytes = made(|buffer| bmp::initiation(buffer, &[Tlv { kind: 0, value: long.as_bytes() }]));
    assert_eq!(line_and_debug(&frame(&bytes)), format!("initiation \"{}\"…", &long[..128]));
}

/// Messages as long as they get, of whatever makes the longest lines.
#[test]
fn bounded() {
    let attribute = |kind: u8, value: &[u8]| {
        let len = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[0xd0, kind], &len[..], value].concat()
    };
    let monitoring = |pdu: Vec<u8>| made(|buffer| bmp::route_monitoring(buffer, &peer(), &pdu, &[]));
    let ff = vec![0xff; 65000];
    let value = vec![0xff; 60 * 48];
    let every: Vec<u8> = (3..=40)
        .chain([128])
        .filter(|kind| !matches!(kind, 14 | 15))
        .flat_map(|kind| attribute(kind, &value[..48]))
        .collect();
    let mut path = Vec::new();
    (0..60).for_each(|_| path.extend([&[1, 255][..], &ff[..1020]].concat()));
    let capabilities =
        [[69, 252].iter().chain(&ff[..252]).copied().collect::<Vec<u8>>(), vec![73, 5, 2, 10, 10, 1, 10]]
            .concat();
    let open = |count: usize| {
        let parameters: Vec<u8> = [
            &[2][..],
            &u16::try_from(capabilities.len() * count).unwrap().to_be_bytes(),
            &capabilities.repeat(count),
        ]
        .concat();
        let len = u16::try_from(parameters.len()).unwrap().to_be_bytes();
        pdu(
            PduKind::OPEN,
            &[&[4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255][..], &len, &parameters].concat(),
        )
    };
    let (sent, received) = (open(14), open(15));
    let texts = vec![Tlv { kind: 0, value: &[2; 200] }; 15];
    let stats = vec![Tlv { kind: 38, value: &ff[..11] }; 5000];
    let unknown = vec![Tlv { kind: 65535, value: &ff[..100] }; 5000];
    let mirrored = update(&[], &every, &[32, 255, 255, 255, 255].repeat(200));
    let rows: Vec<(&str, Vec<u8>, bool)> = vec![
        ("routes", monitoring(update(&[], &[], &[32, 255, 255, 255, 255].repeat(12000))), false),
        ("default routes", monitoring(update(&[0; 60000], &[], &[])), false),
        ("communities", monitoring(update(&[], &attribute(32, &ff[..64800]), &[])), false),
        ("path", monitoring(update(&[], &attribute(2, &path), &[])), false),
        ("empty segments", monitoring(update(&[], &attribute(2, &[1, 0].repeat(32000)), &[])), false),
        ("empty attributes", monitoring(update(&[], &[0, 99, 0].repeat(21000), &[])), false),
        ("attributes", monitoring(update(&[], &every, &[])), false),
        ("raw attributes", monitoring(update(&[], &attribute(99, &value).repeat(20), &[])), false),
        (
            "opens",
            made(|buffer| {
                let opens = [&sent, &received].map(|open| Pdu::split_whole(open).unwrap().0);
                bmp::peer_up(buffer, &peer(), &[1; 16], (65535, 65535), opens.into(), &[])
            }),
            true,
        ),
        ("texts", made(|buffer| bmp::initiation(buffer, &texts)), true),
        ("statistics", made(|buffer| bmp::statistics(buffer, &peer(), &stats)), false),
        ("tlvs", made(|buffer| bmp::initiation(buffer, &unknown)), false),
        (
            "mirrored",
            {
                let tlv =
                    [&[0, 0][..], &u16::try_from(mirrored.len()).unwrap().to_be_bytes(), &mirrored].concat();
                let head = made(|buffer| bmp::route_mirroring(buffer, &peer(), &[], None));
                with_length([head, tlv.repeat(100)].concat())
            },
            true,
        ),
        ("codes", made(|buffer| bmp::route_mirroring(buffer, &peer(), &[65535; 60000], None)), false),
        ("unknown", with_length([&[3, 0, 0, 0, 0, 255][..], &[0x0a; bmp::MESSAGE_MAX - 6]].concat()), false),
    ];
    for (name, bytes, cut) in rows {
        let line = shown(&bytes).unwrap_or_else(|| panic!("{name}: a frame"));
        assert!(line.contains('…'), "{name}: {line}");
        assert_eq!(
            cut,
            line.len() > LINE_MAX - 4 && line.ends_with('…'),
            "{name}: {} octets: {line}",
            line.len()
        );
    }
    let (pdu, _) = Pdu::split_whole(&sent).unwrap();
    assert!(line(&pdu.show(&richest(), View::LocRib)).len() > 3000, "long, and still one line");
}
