//! Keychains, and what `tcp ao` objects say about them.
//!
//! | algorithm          | on Linux                                                        |
//! |--------------------|-----------------------------------------------------------------|
//! | hmac-sha1-12       | TCP-AO, 12 octets of HMAC-SHA-1: what everybody has (RFC 5926)  |
//! | aes-128-cmac       | TCP-AO, 12 octets of AES-128-CMAC (RFC 5926)                    |
//! | hmac-sha1-20       | TCP-AO, 16 octets, if `digest-length` says 16                   |
//! | hmac-sha-256       | TCP-AO, 16 octets, if `digest-length` says 16                   |
//! | md5                | TCP-MD5, if it is the only key and always active                |
//! | all others         | refused: no kernel has them                                     |

mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{At, Findings, SECRET_MAX, at, text};
use crate::keychain::{Algorithm, Key, Keychain, Window};
use crate::secret::{Sealed, Vault};
use crate::table::What;
use crate::tree::{Part, Statement, Tree};
use crate::value::Value;

/// Keychains by name; nothing for one that has problems: they are told, and what would follow from them is not.
pub(super) type Keychains<'a> = BTreeMap<&'a str, Option<Arc<Keychain>>>;

/// All keychains.
pub(super) fn keychains<'a>(tree: &'a Tree, vault: &Vault, found: &mut Findings) -> Keychains<'a> {
    let mut chains = BTreeMap::new();
    for at in at(tree, &[], What::Keychain) {
        let problems = found.problems.len();
        let chain = keychain(&at, vault, found);
        chains.insert(text(at.statement(), "kcname"), (problems == found.problems.len()).then_some(chain));
    }
    let mut bound: BTreeMap<&str, &str> = BTreeMap::new();
    for object in at(tree, &[], What::TcpAo) {
        let name = text(object.statement(), "kcname");
        unsupported_options(&object, name, found);
        let Some(binding) = object.one(What::Binding) else {
            let text = format!("tcp ao {name} has no effect until binding keychain is configured in it.");
            found.warn(&object, text);
            continue;
        };
        let chain_name = text(binding.statement(), "kcname");
        if let Some(other) = bound.insert(chain_name, name) {
            let text = format!(
                "Both tcp ao {other} and tcp ao {name} are bound to keychain {chain_name}. Undo one of them."
            );
            found.refuse(&binding, text);
            continue;
        }
        match chains.get_mut(chain_name) {
            None => found.refuse(&binding, absent(chain_name)),
            Some(None) => {}
            Some(Some(chain)) => numbers(&object, name, chain, found),
        }
    }
    chains.into_iter().map(|(name, chain)| (name, chain.map(Arc::new))).collect()
}

/// There is no keychain of this name.
pub(super) fn absent(name: &str) -> String {
    format!("The keychain {name} does not exist. Create it with its mode: keychain {name} mode absolute.")
}

fn unsupported_options(object: &At<'_>, name: &str, found: &mut Findings) {
    if let Some(options) = object.one(What::OptionAuthentication) {
        let text = format!(
            "option-authentication disable of tcp ao {name} is not supported by this system, which always signs TCP \
             options. Undo it here and on the other side."
        );
        found.refuse(&options, text);
    }
    if let Some(mismatch) = object.one(What::AcceptMismatch) {
        let text =
            format!("accept-mismatch of tcp ao {name} has no effect: what is not signed is never taken.");
        found.warn(&mismatch, text);
    }
}

fn keychain(at: &At<'_>, vault: &Vault, found: &mut Findings) -> Keychain {
    let name = text(at.statement(), "kcname");
    if let Some(kind) = at.one(What::TcpKind).or_else(|| at.one(What::TcpAlgorithmId)) {
        let text = format!(
            "tcp-kind and tcp-algorithm-id of keychain {name} have no effect: the TCP option is that of RFC 5925."
        );
        found.warn(&kind, text);
    }
    let tolerance = at.one(What::ReceiveTolerance);
    let endless = tolerance.as_ref().is_some_and(|tolerance| tolerance.statement().has("infinite"));
    let minutes = at.number(What::ReceiveTolerance, "tolerance").unwrap_or(0);
    let mut chain = Keychain {
        name: name.into(),
        utc: at.one(What::TimeMode).is_some_and(|mode| mode.statement().has("utc")),
        tolerance_minutes: (!endless).then_some(minutes),
        keys: Vec::new(),
        default_send: None,
    };
    for key_at in at.all(What::KeyId) {
        let Some(id) = key_at.statement().number("keyid").and_then(|id| u8::try_from(id).ok()) else {
            continue;
        };
        if let Some(default) = key_at.one(What::DefaultSendKeyId) {
            match chain.default_send.replace(id) {
                None => {}
                Some(other) => found.refuse(
                    &default,
                    format!("Keychain {name} has two default send keys, key-ids {other} and {id}. Undo one of them."),
                ),
            }
        }
        let Some(key) = key(&key_at, id, name, at, vault, found) else { continue };
        let send = key.send.as_ref();
        for other in &chain.keys {
            if let (Some(one), Some(two)) = (&other.send, send)
                && one.overlaps(two)
            {
                let text = format!(
                    "In keychain {name} send times of key-ids {} and {id} overlap. Only one key can sign at a time: \
                     end one before the other begins.",
                    other.id
                );
                found.refuse(&key_at.one(What::SendTime).unwrap_or_else(|| key_at.again()), text);
            }
        }
        chain.keys.push(key);
    }
    one_md5_key(at, &chain, found);
    chain
}

/// A key that has all that it needs.
fn key(at: &At<'_>, id: u8, name: &str, chain: &At<'_>, vault: &Vault, found: &mut Findings) -> Option<Key> {
    let of = format!("key-id {id} of keychain {name}");
    let string = at.one(What::KeyString);
    let algorithm_at = at.one(What::Algorithm);
    let [send, receive] = [What::SendTime, What::ReceiveTime].map(|what| at.one(what));
    let timed = send.is_some() || receive.is_some() || at.one(What::DefaultSendKeyId).is_some();
    let missing = [
        ("key-string", string.is_none()),
        ("algorithm", algorithm_at.is_none()),
        ("send-time, receive-time or default send-key-id", !timed),
    ];
    if let (Some(string), Some(algorithm_at), true) = (&string, &algorithm_at, timed) {
        let secret = secret(string, &format!("The key-string of {of}"), vault, found);
        let algorithm = algorithm(algorithm_at, name, chain, found);
        let mut window = |at: Option<At<'_>>| {
            let at = at?;
            let window = window::window(at.statement());
            if window.is_none() {
                found.refuse(&at, format!("A date of {of} does not exist. Enter one of the calendar."));
            }
            window
        };
        let (send, receive) = (window(send), window(receive));
        return Some(Key {
            id,
            send_id: id,
            receive_id: id,
            algorithm: algorithm?,
            secret: secret?,
            send,
            receive,
        });
    }
    let missing: Vec<_> = missing.iter().filter(|(_, missing)| *missing).map(|(what, _)| *what).collect();
    let text = format!(
        "Key-id {id} of keychain {name} has no key-string, algorithm or active time. Configure: {}.",
        missing.join("; ")
    );
    found.refuse(at, text);
    None
}

/// A secret that can be opened, and that the kernel takes.
pub(super) fn secret(at: &At<'_>, what: &str, vault: &Vault, found: &mut Findings) -> Option<Sealed> {
    let Some(Value::Sealed(sealed)) = at.statement().value("pwd") else {
        found.refuse(at, format!("{what} is not sealed. Enter it again."));
        return None;
    };
    match vault.open(sealed) {
        Ok(clear) if clear.reveal().len() <= SECRET_MAX => return Some(sealed.clone()),
        Ok(_) => {
            found.refuse(at, format!("{what} is longer than {SECRET_MAX} characters. Enter a shorter one."));
        }
        Err(wrong) => found.refuse(at, format!("{what}: {wrong}")),
    }
    None
}

fn algorithm(at: &At<'_>, name: &str, chain: &At<'_>, found: &mut Findings) -> Option<Algorithm> {
    let is = |word| at.statement().has(word);
    let short = |word| {
        chain
            .all(What::DigestLength)
            .any(|length| length.statement().has(word) && length.statement().has("16"))
    };
    let (algorithm, remedy) = match () {
        () if is("md5") => (Some(Algorithm::Md5), None),
        () if is("hmac-sha1-12") => (Some(Algorithm::HmacSha1), None),
        () if is("aes-128-cmac") => (Some(Algorithm::Aes128Cmac), None),
        () if is("hmac-sha1-20") => {
            (short("hmac-sha1-20").then_some(Algorithm::HmacSha1Long), Some("digest-length hmac-sha1-20 16"))
        }
        () if is("hmac-sha-256") => {
            (short("hmac-sha-256").then_some(Algorithm::HmacSha256), Some("digest-length hmac-sha-256 16"))
        }
        () => (None, None),
    };
    if algorithm.is_none() {
        let called = at.statement().parts.last().map(Part::to_string).unwrap_or_default();
        let remedy = remedy.map_or("Use hmac-sha1-12 or aes-128-cmac.".to_owned(), |line| {
            format!("TCP has room for signatures of 16 octets: configure {line}, or use hmac-sha1-12.")
        });
        let text = format!("Algorithm {called} of keychain {name} is not supported by this system. {remedy}");
        found.refuse(at, text);
    }
    algorithm
}

/// TCP-MD5 has one key, for ever and both ways.
fn one_md5_key(at: &At<'_>, chain: &Keychain, found: &mut Findings) {
    let Some(md5) = chain.keys.iter().find(|key| key.algorithm == Algorithm::Md5) else { return };
    let signs = chain.default_send == Some(md5.id) || md5.send.as_ref().is_some_and(Window::is_endless);
    let takes = chain.tolerance_minutes.is_none() || md5.receive.as_ref().is_some_and(Window::is_endless);
    if chain.keys.len() > 1 || !signs || !takes || md5.receive.is_none() {
        let text = format!(
            "Algorithm md5 of keychain {} is not supported by this system, but for a single key that is always \
             active. Use hmac-sha1-12, or one key-id whose send-time and receive-time never end.",
            chain.name
        );
        found.refuse(at, text);
    }
}

/// What tells keys apart on the wire, as a `tcp ao` object says.
fn numbers(object: &At<'_>, name: &str, chain: &mut Keychain, found: &mut Findings) {
    for key_at in object.all(What::TcpAoKey) {
        let id = key_at.statement().number("keyid");
        let Some(key) = chain.keys.iter_mut().find(|key| Some(u64::from(key.id)) == id) else {
            let id = id.unwrap_or_default();
            let text = format!(
                "Key-id {id} of tcp ao {name} is none of keychain {}. Undo it, or complete the keychain.",
                chain.name
            );
            found.refuse(&key_at, text);
            continue;
        };
        if let Some(ids) = key_at.one(What::TcpAoIds) {
            let mut values = ids.statement().values("ao-id").filter_map(number);
            (key.send_id, key.receive_id) =
                (values.next().unwrap_or(key.id), values.next().unwrap_or(key.id));
        }
    }
    // RFC 5925 §3.1: neither number may be another key's for the same connection.
    for (index, key) in chain.keys.iter().enumerate() {
        for other in &chain.keys[..index] {
            let same =
                [("send-id", key.send_id, other.send_id), ("receive-id", key.receive_id, other.receive_id)];
            for (which, number, _) in same.into_iter().filter(|(_, one, two)| one == two) {
                let text = format!(
                    "By tcp ao {name}, key-ids {} and {} of keychain {} have the same {which} {number}. Give one of \
                     them another.",
                    other.id, key.id, chain.name
                );
                found.refuse(object, text);
            }
        }
    }
}

fn number(value: &Value) -> Option<u8> {
    match value {
        Value::Number(number) => u8::try_from(*number).ok(),
        _ => None,
    }
}

/// The words of a statement, as far as they are keywords.
fn keywords(statement: &Statement) -> impl Iterator<Item = &'static str> {
    statement.parts.iter().filter_map(|part| match part {
        Part::Keyword(word) => Some(*word),
        Part::Value(..) => None,
    })
}
