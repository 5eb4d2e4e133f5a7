//! TCP-MD5 (RFC 2385).
//!
//! The kernel has no way to ask a socket for its key. But a connection that was accepted has one of its own if
//! and only if the last segment of its handshake was signed with it, and to remove a key says whether it was
//! there. So that no segment goes unsigned meanwhile, another key covers the server, by a prefix one bit
//! shorter, which counts only while there is no better one:
//!
//! ```text
//!   was   /32 old
//!   put   /32 old  /31 new
//!   take           /31 new    ENOENT here: it never was signed
//!   put   /32 new  /31 new
//!   take  /32 new
//! ```
//!
//! * **covered**  from the first to the last step the socket has a key for its server.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use libc::{EINVAL, ENOENT, ENOPROTOOPT, IPPROTO_TCP, TCP_MD5SIG, TCP_MD5SIG_EXT};

use super::{is_ipv6, raw};
use crate::fault::{Fault, Step, Why, at};

/// Segments from and to `server` are signed with `key`, also in place of another one.
pub(super) fn put(socket: BorrowedFd<'_>, server: IpAddr, key: &[u8]) -> Result<(), Fault> {
    if key.is_empty() || key.len() > raw::Md5Key::MAX {
        // To the kernel, a key without octets means none.
        return Err(Fault { step: Step::Md5, errno: EINVAL });
    }
    tell(socket, server, raw::prefix(server), key).map_err(at(Step::Md5))
}

/// No longer; whether they were.
pub(super) fn take(socket: BorrowedFd<'_>, server: IpAddr) -> Result<bool, Fault> {
    there(tell(socket, server, raw::prefix(server), &[]))
}

/// A connection that is signed goes on with `key`; one that is not is refused, and left alone.
pub(super) fn change(socket: BorrowedFd<'_>, server: IpAddr, key: &[u8]) -> Result<(), Fault> {
    let cover = raw::prefix(server) - 1;
    tell(socket, server, cover, key).map_err(at(Step::Md5))?;
    let signed = take(socket, server);
    if signed == Ok(true) {
        put(socket, server, key)?;
    }
    there(tell(socket, server, cover, &[]))?;
    if signed? { Ok(()) } else { Err(Fault::ours(Why::Unsigned)) }
}

fn there(result: io::Result<()>) -> Result<bool, Fault> {
    match result {
        Ok(()) => Ok(true),
        // What a kernel cannot do, nobody has made it do.
        Err(error) if matches!(error.raw_os_error(), Some(ENOENT | ENOPROTOOPT)) => Ok(false),
        Err(error) => Err(Fault::new(Step::Md5, &error)),
    }
}

fn tell(socket: BorrowedFd<'_>, server: IpAddr, prefix: u8, key: &[u8]) -> io::Result<()> {
    let whole = prefix == raw::prefix(server);
    // *wiped*: filled where it stays.
    let mut told = Box::new(raw::Md5Key {
        address: raw::Address::new(is_ipv6(socket)?, server),
        flags: if whole { 0 } else { raw::Md5Key::PREFIX },
        prefix: if whole { 0 } else { prefix },
        key_len: key.len() as u16,
        ifindex: 0,
        key: [0; raw::Md5Key::MAX],
    });
    told.key[..key.len()].copy_from_slice(key);
    raw::set(socket, IPPROTO_TCP, if whole { TCP_MD5SIG } else { TCP_MD5SIG_EXT }, &*told)
}
