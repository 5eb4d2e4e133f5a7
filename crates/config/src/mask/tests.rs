use proptest::prelude::*;

use super::*;

#[test]
fn the_secret_is_covered_and_nothing_else() {
    // `§` is where the mask begins.
    let rows = [
        "",
        "bmp-session 10.1.1.1",
        "tcp connect port 70000",
        "  tcp connect port 5 password md5 §secret",
        "tcp connect port 5 password md5 §p",
        "tcp connect port 5 password md5 §p x",
        "tcp connect port 5 password md5 §\"a b\" x",
        "tcp connect port 5 password md5 §\"a b",
        "tcp connect port 5 password §\"md5 x\"",
        "tcp connect port 5 password §md5",
        "tcp connect port 5 password md5 ",
        "t c p 5 p m §secret",
        "tcp connect port 5 md5 §secret",
        "tcp connect port 5 §secret",
        "tcp connect port password md5 §secret",
        "tcp connect port abc password md5 §secret",
        "tcp conect port 5000 password md5 §secret",
        "tcp both port 5000 password md5 §secret",
        "tcp connect prot 5000 p m §secret",
        "tcp listen port 5 PASSWORD MD5 §secret more",
        "tcp listen port 5 pasword md5 §x",
        "tcp listen port 5 §passwordmd5 x",
        "xyz listen port 5 password§md5 x",
        "tcp listen port 5 password§=x",
        "xyz password§=x",
        "#k §x",
        "tcp connect port 5 keychain k x",
        "tcp mss 100",
        "tcp ao key",
        "tcp-kind 254",
        "xtcp connect port 5 password md5 §secret",
        "connect port 5 password md5 §secret",
        "undo tcp c p 5 p m §secret",
        "run tcp c p 5 p m §secret",
        "# tcp connect port 5 password md5 §secret",
        "\"tcp connect port 5 password md5 §secret",
        "[~m1-bmp]tcp connect port 5 password md5 §secret",
        "key-string cipher §secret",
        "key-string plain §secret x",
        "key-string §secret",
        "undo key-string §secret",
        "key-s §p",
        "keystring §secret",
        "kye-string §secret",
        "k §x",
        "key-id 64",
        "keychain k",
        "keychain password",
        "key 64",
        "key §secret",
        "display bmp session 127.0.0.1 alias md verbose",
        "display current-configuration | include password md5 x",
        "dis bmp session alias password",
        "undo bmp-session 127.0.0.1 alias md5",
        "reset bmp session md5",
        "description password md5 of the router",
        "monitor public",
        "commit label plain description cipher x",
        "bmp-session 10.1.1.1 password md5 §secret",
        "diplay bmp session",
        "pasword md5 §é",
    ];
    for row in rows {
        let wanted = row.split_once('§').map_or(row.to_owned(), |(shown, _)| format!("{shown}{MASK}"));
        assert_eq!(masked(&row.replace('§', "")).text, wanted, "{row}");
    }
}

#[test]
fn carets_follow() {
    let rows = [
        ("tcp connect port 70000 password md5 hunter2", 17, 17),
        ("tcp connect port 5 password md5 hunter2", 32, 32),
        ("tcp connect port 5 password md5 hunter2 x", 40, 38),
        ("é p m é", 6, 6),
        ("é p m é ü", 8, 12),
        ("display bmp session x", 20, 20),
        ("display bmp session", 30, 30),
    ];
    for (line, column, wanted) in rows {
        assert_eq!(masked(line).column(column), wanted, "{line} {column}");
    }
}

/// How a word may be typed.
#[derive(Clone, Debug)]
enum Typed {
    Whole,
    Short(usize),
    Upper,
    /// Without this letter.
    Less(usize),
    Twice(usize),
    Swapped(usize),
    Other(usize, char),
}

impl Typed {
    fn of(&self, word: &str) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let len = letters.len();
        match *self {
            Self::Whole => {}
            Self::Short(at) => letters.truncate(1 + at % len),
            Self::Upper => letters.iter_mut().for_each(char::make_ascii_uppercase),
            Self::Less(at) => drop(letters.remove(at % len)),
            Self::Twice(at) => letters.insert(at % len, letters[at % len]),
            Self::Swapped(at) => letters.swap(at % (len - 1), at % (len - 1) + 1),
            Self::Other(at, letter) => letters[at % len] = letter,
        }
        letters.into_iter().collect()
    }
}

fn slip() -> impl Strategy<Value = Typed> {
    prop_oneof![
        (0..9usize).prop_map(Typed::Less),
        (0..9usize).prop_map(Typed::Twice),
        (0..9usize).prop_map(Typed::Swapped),
        (0..9usize, prop::char::range('a', 'z')).prop_map(|(at, letter)| Typed::Other(at, letter)),
    ]
}

fn right() -> impl Strategy<Value = Typed> {
    prop_oneof![2 => Just(Typed::Whole), 1 => Just(Typed::Upper), 2 => (0..9usize).prop_map(Typed::Short)]
}

/// Commands with a secret, up to that.
const COMMANDS: [&[&str]; 5] = [
    &["tcp", "connect", "port", "5000", "password", "md5"],
    &["tcp", "listen", "port", "70000", "password", "md5"],
    &["key-string", "plain"],
    &["key-string", "cipher"],
    &["key-string"],
];

/// What nothing but a secret looks like.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[A-Za-z0-9%^#+/=,:-]{0,12}S3CR3T[A-Za-z0-9%^#+/=,:-]{0,12}",
        1 => "\"[a-z ]{0,12}S3CR3T[a-z ]{0,12}\"?",
        1 => "S3CR3T \\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_shows(
        command in prop::sample::select(&COMMANDS[..]),
        before in prop::sample::select(&["", " ", "\t", "undo ", "und ", "run ", "# ", "!", "<m1>"][..]),
        typed in prop::collection::vec(right(), 6),
        slips in prop::collection::vec((0..6usize, slip()), 0..2),
        lost in prop::option::of(0..6usize),
        blanks in prop::sample::select(&[" ", "  ", "\t", "\u{a0}"][..]),
        secret in secret(),
        after in prop::sample::select(&["", " ", " x", " password md5", "  keychain k"][..]),
    ) {
        let mut typed = typed;
        for (at, slip) in slips {
            typed[at] = slip;
        }
        let words: Vec<String> = command
            .iter()
            .zip(&typed)
            .enumerate()
            .filter(|(at, _)| lost != Some(*at) || *at == 0)
            .map(|(_, (word, typed))| match word.parse::<u32>() {
                Ok(_) => (*word).to_owned(),
                Err(_) => typed.of(word),
            })
            .collect();
        let line = format!("{before}{}{blanks}{secret}{after}", words.join(blanks));
        let masked = masked(&line);
        prop_assert!(!masked.text.contains("S3CR3T"), "{line:?}: {:?}", masked.text);
        prop_assert!(masked.text.ends_with(MASK), "{line:?}");
        // Neither its length nor what stands behind it.
        let longer = super::masked(&format!("{line}longer"));
        prop_assert_eq!(masked.text, longer.text);
    }
}
