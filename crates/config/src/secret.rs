//! Passwords and keys: sealed where they are kept, wiped where they were.
//!
//! ```text
//!   typed ─Clear─► Vault::seal ─Sealed─► tree, file, display: %^%#…%^%#
//!                                  └───► Vault::open ─Clear─► the kernel, for as long as that takes
//! ```
//!
//! Between the marks stands, in base64 without padding: a nonce of 24 octets, the ciphertext, a tag of 16. The
//! cipher is XChaCha20-Poly1305, whose nonce is long enough to be drawn at random for each secret. The tag also
//! covers a word for the version of this format, so that a later one is never taken for this one.
//!
//! * **not in clear**   nothing here prints a secret or a key, `Debug` included.
//! * **wiped**          what held a clear secret or a key is overwritten before it is given back.
//! * **one way to write it**  what [`Sealed::parse`] takes prints as it was typed; equal text is an equal secret,
//!   though equal secrets are sealed to different text.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize as _, Zeroizing};

/// Characters of a clear secret, at most.
pub const CLEAR_MAX: usize = 255;

/// What stands in front of a sealed secret, and behind it.
const MARK: &str = "%^%#";
/// What the tag covers besides the secret.
const SEALED_VERSION: &[u8] = b"heliograph sealed secret 1";
/// The first word of a key file.
const KEY_VERSION: &str = "heliograph-key-1";
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
/// Octets of what is between the marks: the longest secret may have four for each character.
const INNER_MAX: usize = NONCE_LEN + 4 * CLEAR_MAX + TAG_LEN;

/// A secret in clear. Never printed; wiped when it goes.
#[derive(Clone)]
pub struct Clear(Zeroizing<Box<str>>);

/// A secret as it is kept and printed: `%^%#…%^%#`. Of a secret of up to 255 octets these are up to 402 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sealed(Arc<str>);

/// What seals and opens.
pub struct Vault(Zeroizing<[u8; 32]>);

/// The text was sealed with another key, or has been changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongKey;

/// What is wrong with a key file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyFault {
    /// There is nothing in it.
    Empty,
    /// It begins with another word.
    Version,
    /// Its second word is not the base64 of a key.
    Base64,
    /// Its second word is of so many octets.
    Length(usize),
    /// Something follows the key.
    Trailing,
}

impl Clear {
    /// Keeps a copy. What it was copied from is the caller's to wipe.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// For whoever needs the octets themselves.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

// Ordered and compared like the text: statements are.
impl PartialEq for Clear {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Clear {}
impl PartialOrd for Clear {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Clear {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_ref().cmp(other.0.as_ref())
    }
}
impl std::hash::Hash for Clear {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_ref().hash(state);
    }
}
impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

impl Sealed {
    /// What was typed or read, if it has the form of a sealed secret. Whether it can be opened is for
    /// [`Vault::open`] to say.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let inner = Self::inner(text)?;
        let octets = BASE64.decode(inner).ok()?;
        let fits = (NONCE_LEN + TAG_LEN + 1..=INNER_MAX).contains(&octets.len());
        fits.then(|| Self(text.into()))
    }

    /// What stands between the marks.
    fn inner(text: &str) -> Option<&str> {
        text.strip_prefix(MARK)?.strip_suffix(MARK)
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Vault {
    /// With this key.
    #[must_use]
    pub fn new(key: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// With a new key. `random` fills it.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        random(&mut *key);
        Self(key)
    }

    /// With the key of a key file: a word for the version, and base64.
    ///
    /// # Errors
    /// That is not what it has.
    pub fn from_text(text: &str) -> Result<Self, KeyFault> {
        let mut words = text.split_ascii_whitespace();
        let version = words.next().ok_or(KeyFault::Empty)?;
        if version != KEY_VERSION {
            return Err(KeyFault::Version);
        }
        let octets = Zeroizing::new(BASE64.decode(words.next().unwrap_or("")).map_err(|_| KeyFault::Base64)?);
        if words.next().is_some() {
            return Err(KeyFault::Trailing);
        }
        let mut key = Zeroizing::new([0; KEY_LEN]);
        if octets.len() != KEY_LEN {
            return Err(KeyFault::Length(octets.len()));
        }
        key.copy_from_slice(&octets);
        Ok(Self(key))
    }

    /// The one line of a key file, with its end.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Room for all of it at once: a string that grows leaves what it held behind.
        let mut text = Zeroizing::new(String::with_capacity(KEY_VERSION.len() + 2 + KEY_LEN.div_ceil(3) * 4));
        text.push_str(KEY_VERSION);
        text.push(' ');
        BASE64.encode_string(self.0.as_slice(), &mut text);
        text.push('\n');
        text
    }

    /// Seals a secret. `random` fills the nonce, and never twice alike.
    ///
    /// # Panics
    /// Never: the cipher refuses nothing of fewer than 256 GiB.
    pub fn seal(&self, clear: &Clear, random: &mut dyn FnMut(&mut [u8])) -> Sealed {
        let mut nonce = XNonce::default();
        random(&mut nonce);
        // With room for the tag, so that the clear text is overwritten where it stands and nowhere left behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(clear.reveal().len() + TAG_LEN));
        octets.extend_from_slice(clear.reveal().as_bytes());
        self.cipher()
            .encrypt_in_place(&nonce, SEALED_VERSION, &mut *octets)
            .expect("a secret is shorter than 256 GiB");
        let inner = BASE64.encode([nonce.as_slice(), octets.as_slice()].concat());
        Sealed(format!("{MARK}{inner}{MARK}").into())
    }

    /// The secret. The cipher compares tags in constant time, and says nothing about what does not match.
    ///
    /// # Errors
    /// It was sealed with another key, or has been changed.
    pub fn open(&self, sealed: &Sealed) -> Result<Clear, WrongKey> {
        let inner = Sealed::inner(&sealed.0).ok_or(WrongKey)?;
        let octets = BASE64.decode(inner).map_err(|_| WrongKey)?;
        let (nonce, rest) = octets.split_first_chunk::<NONCE_LEN>().ok_or(WrongKey)?;
        let mut clear = Zeroizing::new(rest.to_vec());
        self.cipher()
            .decrypt_in_place(&XNonce::from(*nonce), SEALED_VERSION, &mut *clear)
            .map_err(|_| WrongKey)?;
        std::str::from_utf8(&clear).map(Clear::new).map_err(|_| WrongKey)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = (*self.0).into();
        let cipher = XChaCha20Poly1305::new(&key);
        key.as_mut_slice().zeroize();
        cipher
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(******)")
    }
}

impl fmt::Display for WrongKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "The secret cannot be opened: the key file is not the one that this configuration was saved with, or \
             the secret was changed. Restore that key file, or enter the secret again in clear.",
        )
    }
}

impl std::error::Error for WrongKey {}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The key file is empty")?,
            Self::Version => write!(f, "The key file does not begin with {KEY_VERSION}")?,
            Self::Base64 => f.write_str("The key in the key file is not in base64")?,
            Self::Length(got) => write!(f, "The key in the key file has {got} octets, expected {KEY_LEN}")?,
            Self::Trailing => f.write_str("The key file has more than one key")?,
        }
        f.write_str(". Restore the key file that the configuration was saved with.")
    }
}

impl std::error::Error for KeyFault {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up: enough to tell nonces apart.
    fn counter() -> impl FnMut(&mut [u8]) {
        let mut next = 0u8;
        move |octets| {
            for octet in octets {
                *octet = next;
                next = next.wrapping_add(1);
            }
        }
    }

    fn vault(first: u8) -> Vault {
        Vault::new([first; KEY_LEN])
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_alone() {
        let random = &mut counter();
        for text in ["x", "Huawei-123", "two words", "пароль 密码 🔑", &"a".repeat(255), &"🔑".repeat(255)]
        {
            let sealed = vault(1).seal(&Clear::new(text), random);
            assert_eq!(
                vault(1).open(&sealed).map(|clear| clear.reveal().to_owned()),
                Ok(text.into()),
                "{text}"
            );
            assert_eq!(vault(2).open(&sealed), Err(WrongKey), "{text}");
            assert_eq!(Sealed::parse(&sealed.to_string()), Some(sealed.clone()), "{text}");
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let random = &mut counter();
        let clear = Clear::new("secret");
        assert_ne!(vault(1).seal(&clear, random), vault(1).seal(&clear, random));
    }

    #[test]
    fn a_sealed_secret_is_as_long_as_a_ciphertext_may_be() {
        for (len, expected) in [(1, 63), (80, 168), (CLEAR_MAX, 402)] {
            let sealed = vault(1).seal(&Clear::new(&"a".repeat(len)), &mut counter());
            assert_eq!(sealed.to_string().len(), expected, "of {len}");
            assert!((20..=432).contains(&expected), "of {len}");
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let sealed = vault(1).seal(&Clear::new("secret"), &mut counter()).to_string();
        for at in MARK.len()..sealed.len() - MARK.len() {
            let mut text = sealed.clone();
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            text.replace_range(at..=at, other);
            // The last character has bits to spare, and base64 itself insists that they are zero.
            let opened = Sealed::parse(&text).map(|changed| vault(1).open(&changed));
            assert!(matches!(opened, None | Some(Err(WrongKey))), "{text}");
        }
    }

    #[test]
    fn the_version_is_sealed_too() {
        let nonce = XNonce::default();
        let mut octets = b"secret".to_vec();
        vault(1).cipher().encrypt_in_place(&nonce, b"another version", &mut octets).expect("short");
        let text = format!("{MARK}{}{MARK}", BASE64.encode([nonce.as_slice(), &octets].concat()));
        let sealed = Sealed::parse(&text).expect("its form is right");
        assert_eq!(vault(1).open(&sealed), Err(WrongKey));
    }

    #[test]
    fn form() {
        let good = vault(1).seal(&Clear::new("x"), &mut counter()).to_string();
        let inner = &good[4..good.len() - 4];
        for (text, expected) in [
            (good.clone(), true),
            (inner.to_owned(), false),
            (format!("{MARK}{inner}"), false),
            (format!("{inner}{MARK}"), false),
            (format!("{MARK}{inner}={MARK}"), false),
            (format!("{MARK}{}{MARK}", &inner[4..]), false), // no ciphertext left
            (format!("{MARK}{}{MARK}", inner.replace('A', "?")), false),
            (format!("{MARK}{}{MARK}", "A".repeat(INNER_MAX * 4 / 3 + 4)), false),
            (format!("{MARK}{MARK}"), false),
            (MARK.to_owned(), false),
            (String::new(), false),
            ("é".repeat(30), false),
        ] {
            assert_eq!(Sealed::parse(&text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn nothing_prints_a_secret() {
        let key = [b'k'; KEY_LEN];
        let shown = format!("{:?} {:?}", Clear::new("hunter2"), Vault::new(key));
        assert_eq!(shown, "****** Vault(******)");
    }

    #[test]
    fn key_files() {
        let key = BASE64.encode([7; KEY_LEN]);
        for (text, expected) in [
            (format!("heliograph-key-1 {key}\n"), "good"),
            (format!("heliograph-key-1 {key}"), "good"),
            (format!("  heliograph-key-1\t{key}\r\n\n"), "good"),
            (String::new(), "The key file is empty"),
            ("\n".into(), "The key file is empty"),
            (format!("heliograph-key-2 {key}"), "The key file does not begin with heliograph-key-1"),
            (key.clone(), "The key file does not begin with heliograph-key-1"),
            ("heliograph-key-1".into(), "The key in the key file has 0 octets, expected 32"),
            ("heliograph-key-1 AAAA".into(), "The key in the key file has 3 octets, expected 32"),
            ("heliograph-key-1 !".into(), "The key in the key file is not in base64"),
            (format!("heliograph-key-1 {key}="), "The key in the key file is not in base64"),
            (format!("heliograph-key-1 {key} {key}"), "The key file has more than one key"),
        ] {
            let came = match Vault::from_text(&text) {
                Ok(vault) if *vault.0 == [7; KEY_LEN] => "good".into(),
                Ok(_) => "another key".into(),
                Err(fault) => fault.to_string(),
            };
            assert!(came.starts_with(expected), "{text:?}: {came}");
        }
    }

    #[test]
    fn a_key_file_reads_back() {
        let vault = Vault::generate(&mut counter());
        let text = vault.to_text();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(Vault::from_text(&text).map(|again| *again.0), Ok(*vault.0));
    }
}
