//! TCP-AO (RFC 5925), Linux 6.7 and later.
//!
//! A socket holds keys by server and by two numbers, and says which one it signs with (`current`) and which one
//! it asks the other side to sign with (`next`). To change them is:
//!
//! ```text
//!   add what is new ─► choose current and next ─► delete what is old
//!   ╰─── undone if anything is refused ──────╯    ╰ stays good if refused
//! ```
//!
//! * **no gap**     a connection has a key that both sides have, from the first step to the last, if the other
//!   side does the same within the time that both keys are good.
//! * **one number** a number of a connection means one key for its life (RFC 5925 §3.1); a listener's may be
//!   given to another, for it signs with none.
//!
//! To delete a key of a connection waits for a grace period of the kernel, some milliseconds.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use libc::{ENOENT, ENOPROTOOPT, IPPROTO_TCP};

use super::is_ipv6;
use super::raw::{self, Address, AoKnown, bit32};
use crate::fault::{Fault, Step, Why, at};
use crate::plan::{AoAlgorithm, AoKey, AoKeys, MD5_MAX};

/// Gives all keys to a socket that will connect to `server`.
pub(super) fn put(socket: BorrowedFd<'_>, server: IpAddr, keys: &AoKeys) -> Result<(), Fault> {
    keys.keys.iter().try_for_each(|key| {
        let mut flags = 0;
        if key.send_id == keys.current {
            flags |= SET_CURRENT;
        }
        if key.receive_id == keys.next {
            flags |= SET_NEXT;
        }
        add(socket, server, key, flags)
    })
}

/// What a listener has for `server` becomes `keys`; none if there are none.
pub(super) fn listen(socket: BorrowedFd<'_>, server: IpAddr, keys: Option<&AoKeys>) -> Result<(), Fault> {
    let wanted = keys.map_or(&[][..], |keys| &keys.keys);
    let known = known(socket)?;
    let known: Vec<_> = known.iter().filter(|known| known.address.ip() == Some(server)).collect();
    for known in &known {
        if !wanted.iter().any(|key| is_same(known, key)) {
            delete(socket, known, DELETE_LATER)?;
        }
    }
    let is_new = |key: &&AoKey| !known.iter().any(|known| is_same(known, key));
    wanted.iter().filter(is_new).try_for_each(|key| add(socket, server, key, 0))
}

/// A connection that is signed goes on with `keys`; one that is not is refused.
pub(super) fn change(socket: BorrowedFd<'_>, server: IpAddr, keys: &AoKeys) -> Result<(), Fault> {
    let was = info(socket)?.ok_or(Fault::ours(Why::Unsigned))?;
    let known = known(socket)?;
    let (new, old) = difference(&known, keys)?;
    let mut added = 0;
    let add_and_choose = || -> Result<(), Fault> {
        for key in &new {
            add(socket, server, key, 0)?;
            added += 1;
        }
        let stays = was.flags & (AO_REQUIRED | ACCEPT_ICMPS);
        let flags = stays | SET_CURRENT | SET_NEXT;
        let chosen = raw::AoInfo { flags, current: keys.current, next: keys.next, ..Default::default() };
        raw::set(socket, IPPROTO_TCP, raw::TCP_AO_INFO, &chosen).map_err(at(Step::AoChoose))
    };
    if let Err(fault) = { add_and_choose }() {
        // Nothing was chosen, so none of them is in use, unless the other side has asked for it by now: then it
        // may as well stay.
        for key in &new[..added] {
            let _ = remove(socket, server, key.send_id, key.receive_id, 0);
        }
        return Err(fault);
    }
    old.into_iter().try_for_each(|known| delete(socket, known, 0))
}

/// Whether a connection is signed.
pub(super) fn is_signed(socket: BorrowedFd<'_>) -> Result<bool, Fault> {
    match info(socket) {
        Ok(info) => Ok(info.is_some()),
        Err(Fault { errno: ENOPROTOOPT, .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

type Difference<'a, 'b> = (Vec<&'b AoKey>, Vec<&'a AoKnown>);

/// What a connection lacks, and what it has too many.
fn difference<'a, 'b>(known: &'a [AoKnown], wanted: &'b AoKeys) -> Result<Difference<'a, 'b>, Fault> {
    let collides =
        |known: &AoKnown, key: &AoKey| known.send_id == key.send_id || known.receive_id == key.receive_id;
    for key in &wanted.keys {
        if known.iter().any(|known| collides(known, key) && !is_same(known, key)) {
            return Err(Fault::ours(Why::KeyChanged(key.send_id)));
        }
    }
    let new = wanted.keys.iter().filter(|key| !known.iter().any(|known| is_same(known, key)));
    let old = known.iter().filter(|known| !wanted.keys.iter().any(|key| is_same(known, key)));
    Ok((new.collect(), old.collect()))
}

/// Whether the kernel's key is ours.
fn is_same(known: &AoKnown, key: &AoKey) -> bool {
    let numbers = known.send_id == key.send_id && known.receive_id == key.receive_id;
    let (name, mac_len) = algorithm(key.algorithm);
    let known_name = known.algorithm.split(|&octet| octet == 0).next().unwrap_or_default();
    let secret = key.secret.octets();
    let material = match key.algorithm {
        // It is `cmac(aes)` by the time the kernel tells, and the key one derived from ours if ours has not 16
        // octets (RFC 5926 §3.1.1.2): what cannot be told apart is the same.
        AoAlgorithm::Aes128Cmac => {
            [name, b"cmac(aes)"].contains(&known_name) && (secret.len() != 16 || known.key[..16] == *secret)
        }
        AoAlgorithm::HmacSha1 | AoAlgorithm::HmacSha1Long | AoAlgorithm::HmacSha256 => {
            known_name == name
                && usize::from(known.key_len) == secret.len()
                && known.key[..secret.len()] == *secret
        }
    };
    numbers && known.mac_len == mac_len && material
}

/// The kernel's name, and the octets of a signature.
fn algorithm(algorithm: AoAlgorithm) -> (&'static [u8], u8) {
    match algorithm {
        AoAlgorithm::HmacSha1 => (b"hmac(sha1)", 12),
        AoAlgorithm::HmacSha1Long => (b"hmac(sha1)", 16),
        AoAlgorithm::HmacSha256 => (b"hmac(sha256)", 16),
        AoAlgorithm::Aes128Cmac => (b"cmac(aes128)", 12),
    }
}

fn add(socket: BorrowedFd<'_>, server: IpAddr, key: &AoKey, flags: u32) -> Result<(), Fault> {
    let asked = is_ipv6(socket).map(|is_ipv6| asked(is_ipv6, server, key, flags));
    let set = |asked: Box<raw::AoAdd>| raw::set(socket, IPPROTO_TCP, raw::TCP_AO_ADD_KEY, &*asked);
    asked.and_then(set).map_err(at(Step::AoAdd))
}

fn asked(is_ipv6: bool, server: IpAddr, key: &AoKey, flags: u32) -> Box<raw::AoAdd> {
    let (name, mac_len) = algorithm(key.algorithm);
    let secret = key.secret.octets();
    // *wiped*: filled where it stays. Its length was checked with the plan.
    let mut asked = Box::new(raw::AoAdd {
        address: Address::new(is_ipv6, server),
        algorithm: [0; 64],
        ifindex: 0,
        flags,
        reserved: 0,
        prefix: raw::prefix(server),
        send_id: key.send_id,
        receive_id: key.receive_id,
        mac_len,
        key_flags: 0,
        key_len: secret.len() as u8,
        key: [0; MD5_MAX],
    });
    asked.algorithm[..name.len()].copy_from_slice(name);
    asked.key[..secret.len()].copy_from_slice(secret);
    asked
}

fn delete(socket: BorrowedFd<'_>, known: &AoKnown, flags: u32) -> Result<(), Fault> {
    let server = known.address.ip().ok_or(Fault { step: Step::AoDelete, errno: libc::EAFNOSUPPORT })?;
    remove(socket, server, known.send_id, known.receive_id, flags)
}

fn remove(
    socket: BorrowedFd<'_>,
    server: IpAddr,
    send_id: u8,
    receive_id: u8,
    flags: u32,
) -> Result<(), Fault> {
    let asked = |is_ipv6| raw::AoDelete {
        address: Address::new(is_ipv6, server),
        ifindex: 0,
        flags,
        reserved: 0,
        prefix: raw::prefix(server),
        send_id,
        receive_id,
        current: 0,
        next: 0,
        key_flags: 0,
    };
    let set = |is_ipv6| raw::set(socket, IPPROTO_TCP, raw::TCP_AO_DEL_KEY, &asked(is_ipv6));
    is_ipv6(socket).and_then(set).map_err(at(Step::AoDelete))
}

/// What a socket signs with; `None` if it does not.
fn info(socket: BorrowedFd<'_>) -> Result<Option<raw::AoInfo>, Fault> {
    let mut info = raw::AoInfo::default();
    none_if_missing(raw::get(socket, IPPROTO_TCP, raw::TCP_AO_INFO, &mut info).map(|()| info))
}

fn known(socket: BorrowedFd<'_>) -> Result<Vec<AoKnown>, Fault> {
    Ok(none_if_missing(raw::ao_keys(socket))?.unwrap_or_default())
}

fn none_if_missing<T>(result: io::Result<T>) -> Result<Option<T>, Fault> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.raw_os_error() == Some(ENOENT) => Ok(None),
        Err(error) => Err(Fault::new(Step::AoRead, &error)),
    }
}

// Of `tcp_ao_add`, `tcp_ao_del` and `tcp_ao_info_opt` alike,
const SET_CURRENT: u32 = bit32(0);
const SET_NEXT: u32 = bit32(1);
// of the second,
const DELETE_LATER: u32 = bit32(2);
// and of the third.
const AO_REQUIRED: u32 = bit32(2);
const ACCEPT_ICMPS: u32 = bit32(4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn key(send_id: u8, receive_id: u8, algorithm: AoAlgorithm, secret: &[u8]) -> AoKey {
        AoKey { send_id, receive_id, algorithm, secret: Secret::new(secret) }
    }

    /// Runs of octets that are not zero, and where they are.
    fn runs(octets: &[u8]) -> String {
        let mut text = String::new();
        let mut before = 0;
        for (at, &octet) in octets.iter().enumerate() {
            if octet != 0 {
                if before == 0 {
                    text += &format!(" {at}:");
                }
                text += &format!("{octet:02x}");
            }
            before = octet;
        }
        text
    }

    /// The offsets are those of include/uapi/linux/tcp.h, laid out by hand: addr 0, alg_name 128, ifindex 192,
    /// flags 196, reserved2 200, prefix 202, sndid 203, rcvid 204, maclen 205, keyflags 206, keylen 207, key 208.
    #[test]
    #[cfg(target_endian = "little")]
    fn structures_are_the_kernels() {
        let aes = key(0x51, 0x52, AoAlgorithm::Aes128Cmac, b"\xaa\xbb\xcc");
        let server = "192.0.2.9".parse().unwrap();
        let name = hex(b"cmac(aes128)");
        for (is_ipv6, flags, expected) in [
            (false, 0, format!(" 0:02 4:c0 6:0209 128:{name} 202:2051520c 207:03aabbcc")),
            (
                true,
                SET_CURRENT | SET_NEXT,
                format!(" 0:0a 18:ffffc0 22:0209 128:{name} 196:03 202:2051520c 207:03aabbcc"),
            ),
        ] {
            assert_eq!(runs(raw::octets_of(&*asked(is_ipv6, server, &aes, flags))), expected);
        }
        let server = "2001:db8::9".parse().unwrap();
        let sha = key(1, 2, AoAlgorithm::HmacSha256, &[0xee; 80]);
        let got = runs(raw::octets_of(&*asked(true, server, &sha, SET_NEXT)));
        let secret = "ee".repeat(80);
        assert_eq!(
            got,
            format!(" 0:0a 8:20010db8 23:09 128:{} 196:02 202:80010210 207:50{secret}", hex(b"hmac(sha256)"))
        );
        let delete = raw::AoDelete {
            address: Address::new(false, "192.0.2.9".parse().unwrap()),
            ifindex: 0,
            flags: DELETE_LATER,
            reserved: 0,
            prefix: 0x11,
            send_id: 0x12,
            receive_id: 0x13,
            current: 0x14,
            next: 0x15,
            key_flags: 0x16,
        };
        assert_eq!(runs(raw::octets_of(&delete)), " 0:02 4:c0 6:0209 132:04 138:111213141516");
        let info = raw::AoInfo {
            flags: SET_CURRENT | ACCEPT_ICMPS,
            current: 0x21,
            next: 0x22,
            packets: [1, 2, 3, 4, 5],
            ..Default::default()
        };
        assert_eq!(runs(raw::octets_of(&info)), " 0:11 6:212201 16:02 24:03 32:04 40:05");
        let known = AoKnown {
            key: [1; MD5_MAX],
            nkeys: 0x0403_0201,
            flags: 0x0605,
            send_id: 7,
            receive_id: 8,
            prefix: 9,
            mac_len: 10,
            key_flags: 11,
            key_len: 12,
            ifindex: 13,
            packets: [14, 15],
            ..Default::default()
        };
        let ones = "01".repeat(80);
        assert_eq!(
            runs(raw::octets_of(&known)),
            format!(" 192:{ones}0102030405060708090a0b0c0d 288:0e 296:0f")
        );
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn an_address_is_read_as_it_was_written() {
        for (is_ipv6, address) in [(false, "192.0.2.1"), (true, "192.0.2.1"), (true, "2001:db8::1")] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Address::new(is_ipv6, address).ip(), Some(address));
        }
        assert_eq!(AoKnown::default().address.ip(), None);
    }

    /// As the kernel would tell it.
    fn told(key: &AoKey) -> AoKnown {
        let asked = asked(false, "192.0.2.9".parse().unwrap(), key, 0);
        let mut known = AoKnown {
            address: asked.address,
            algorithm: asked.algorithm,
            key: asked.key,
            send_id: asked.send_id,
            receive_id: asked.receive_id,
            prefix: asked.prefix,
            mac_len: asked.mac_len,
            key_len: asked.key_len,
            ..Default::default()
        };
        if key.algorithm == AoAlgorithm::Aes128Cmac {
            known.algorithm = [0; 64];
            known.algorithm[..9].copy_from_slice(b"cmac(aes)");
            if key.secret.octets().len() != 16 {
                known.key = [0xdd; MD5_MAX];
                known.key_len = 16;
            }
        }
        known
    }

    #[test]
    fn a_rotation_adds_what_is_new_and_deletes_what_is_old() {
        use AoAlgorithm::{Aes128Cmac, HmacSha1, HmacSha1Long, HmacSha256};
        let sets: [(&str, Vec<AoKey>); 9] = [
            ("a", vec![key(1, 1, HmacSha1, b"one")]),
            ("ab", vec![key(1, 1, HmacSha1, b"one"), key(2, 2, HmacSha256, b"two")]),
            ("b", vec![key(2, 2, HmacSha256, b"two")]),
            ("a, another secret", vec![key(1, 1, HmacSha1, b"eno")]),
            ("a, a longer secret", vec![key(1, 1, HmacSha1, b"one\0")]),
            ("a, a longer signature", vec![key(1, 1, HmacSha1Long, b"one")]),
            ("a's send id, b's receive id", vec![key(1, 2, HmacSha1, b"one")]),
            ("c", vec![key(3, 4, Aes128Cmac, b"three")]),
            ("c, another secret of 16", vec![key(3, 4, Aes128Cmac, b"0123456789abcdef")]),
        ];
        let mut table = String::new();
        for (was_name, was) in &sets {
            let known: Vec<_> = was.iter().map(told).collect();
            for (name, keys) in &sets {
                let wanted = AoKeys { keys: keys.clone(), current: 0, next: 0 };
                let answer = match difference(&known, &wanted) {
                    Ok((new, old)) => {
                        let new: Vec<_> = new.iter().map(|key| key.send_id).collect();
                        let old: Vec<_> = old.iter().map(|known| known.send_id).collect();
                        format!("add {new:?} delete {old:?}")
                    }
                    Err(fault) => fault.to_string().split(':').next().unwrap().to_owned(),
                };
                if was_name.len() <= 2 && !(was_name == &"c" && name.starts_with(['a', 'b'])) {
                    table += &format!("{was_name} -> {name}: {answer}\n");
                }
            }
        }
        let changed = |id| format!("key {id} of a connection that stands was changed");
        let (one, three) = (changed(1), changed(3));
        let expected = format!(
            "\
a -> a: add [] delete []
a -> ab: add [2] delete []
a -> b: add [2] delete [1]
a -> a, another secret: {one}
a -> a, a longer secret: {one}
a -> a, a longer signature: {one}
a -> a's send id, b's receive id: {one}
a -> c: add [3] delete [1]
a -> c, another secret of 16: add [3] delete [1]
ab -> a: add [] delete [2]
ab -> ab: add [] delete []
ab -> b: add [] delete [1]
ab -> a, another secret: {one}
ab -> a, a longer secret: {one}
ab -> a, a longer signature: {one}
ab -> a's send id, b's receive id: {one}
ab -> c: add [3] delete [1, 2]
ab -> c, another secret of 16: add [3] delete [1, 2]
b -> a: add [1] delete [2]
b -> ab: add [1] delete []
b -> b: add [] delete []
b -> a, another secret: add [1] delete [2]
b -> a, a longer secret: add [1] delete [2]
b -> a, a longer signature: add [1] delete [2]
b -> a's send id, b's receive id: {one}
b -> c: add [3] delete [2]
b -> c, another secret of 16: add [3] delete [2]
c -> c: add [] delete []
c -> c, another secret of 16: {three}
"
        );
        assert_eq!(table, expected);
    }
}
