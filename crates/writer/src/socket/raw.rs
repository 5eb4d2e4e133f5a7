//! The one door to what only the kernel's own structures can say.
//!
//! * **plain**      what goes through is a `#[repr(C)]` of integers without padding, of the size that the
//!   kernel's header gives; any octets are a value of it.
//! * **lent**       a descriptor is borrowed for the call, so it is open, and whose it says; the kernel keeps no
//!   pointer after the call.
//! * **one owner**  the list of interfaces is read in place, by us alone, and freed once, after the last look.
//! * **wiped**      a structure that holds a secret is made where it stays, and wiped when it goes.

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libc::{c_int, c_void, socklen_t};
use zeroize::Zeroize;

use crate::plan::MD5_MAX;

/// Allowed through the door.
///
/// # Safety
/// *plain*.
pub(super) unsafe trait Plain {}

// SAFETY: *plain*: an integer.
unsafe impl Plain for c_int {}
// SAFETY: *plain*: see the sizes asserted below; so are the next four.
unsafe impl Plain for Md5Key {}
// SAFETY: as above.
unsafe impl Plain for AoAdd {}
// SAFETY: as above.
unsafe impl Plain for AoDelete {}
// SAFETY: as above.
unsafe impl Plain for AoInfo {}
// SAFETY: as above.
unsafe impl Plain for AoKnown {}

/// `setsockopt`.
pub(super) fn set<T: Plain>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let value = ptr::from_ref(value).cast::<c_void>();
    // SAFETY: *lent*; *plain*: the kernel reads as many octets as the value has.
    let code = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, len_of::<T>()) };
    answer(code)
}

/// `getsockopt`, of something that is no list. What the kernel leaves is as it was.
pub(super) fn get<T: Plain>(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &mut T,
) -> io::Result<()> {
    let mut len = len_of::<T>();
    let value = ptr::from_mut(value).cast::<c_void>();
    // SAFETY: *lent*; *plain*: the kernel writes at most as many octets as the value has, and any will do.
    let code = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, value, &raw mut len) };
    answer(code)
}

/// All keys of TCP-AO that a socket has.
pub(super) fn ao_keys(socket: BorrowedFd<'_>) -> io::Result<Vec<AoKnown>> {
    let mut room = 4_u32;
    loop {
        // Made anew rather than grown: growing would leave a copy behind.
        let mut keys: Vec<AoKnown> = (0..room).map(|_| AoKnown::default()).collect();
        keys[0].nkeys = room;
        keys[0].flags = bit16(2); // get_all
        let mut len = len_of::<AoKnown>();
        let value = keys.as_mut_ptr().cast::<c_void>();
        // SAFETY: *lent*; *plain*: the length is that of one key, and the kernel writes `nkeys` of them at
        // most, which is how many there are.
        let code = unsafe {
            libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, TCP_AO_GET_KEYS, value, &raw mut len)
        };
        answer(code)?;
        let found = keys[0].nkeys;
        if found <= room {
            keys.truncate(found as usize);
            return Ok(keys);
        }
        room = found;
    }
}

/// Octets written that the other side has not acknowledged (`SIOCOUTQ`, which is `TIOCOUTQ`).
pub(super) fn unacked(socket: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut octets: c_int = 0;
    // SAFETY: *lent*; this call writes one `c_int`.
    let code = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) };
    answer(code).map(|()| octets)
}

/// One address of an interface, or none of IP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) flags: u32,
    pub(super) address: Option<IpAddr>,
}

/// All interfaces of the calling thread's network, by address.
pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut head: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: it writes where the list begins.
    answer(unsafe { libc::getifaddrs(&raw mut head) })?;
    let mut found = Vec::new();
    let mut next = head;
    // SAFETY: *one owner*: `next` is null or a link of the list.
    while let Some(link) = unsafe { next.as_ref() } {
        // SAFETY: *one owner*: each link has a name that ends.
        let name = unsafe { CStr::from_ptr(link.ifa_name) };
        found.push(Interface {
            // An address's label (`eth0:1`) comes in its interface's place.
            name: name.to_string_lossy().split(':').next().unwrap_or_default().to_owned(),
            flags: link.ifa_flags,
            // SAFETY: *one owner*: the address is the link's.
            address: unsafe { address_of(link.ifa_addr) },
        });
        next = link.ifa_next;
    }
    // SAFETY: *one owner*: nothing that was found borrows from the list.
    unsafe { libc::freeifaddrs(head) };
    Ok(found)
}

/// # Safety
/// `address` is null, or a whole address of the family it names.
unsafe fn address_of(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: it is null or an address, says the caller.
    match c_int::from(unsafe { address.as_ref() }?.sa_family) {
        libc::AF_INET => {
            // SAFETY: it is whole and of this family, says the caller.
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: it is whole and of this family, says the caller.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

fn answer(code: c_int) -> io::Result<()> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn len_of<T>() -> socklen_t {
    const { assert!(size_of::<T>() < 1 << 16) };
    size_of::<T>() as socklen_t
}

pub(super) const TCP_AO_ADD_KEY: c_int = 38;
pub(super) const TCP_AO_DEL_KEY: c_int = 39;
pub(super) const TCP_AO_INFO: c_int = 40;
const TCP_AO_GET_KEYS: c_int = 41;

/// Whom a key is for: `struct sockaddr_storage`, and the octets of the address that count.
#[repr(C, align(8))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Address([u8; 128]);

impl Address {
    /// As a socket of IPv6 or IPv4 says it. To one of IPv6, IPv4 is `::ffff:0:0/96`.
    pub(super) fn new(is_ipv6_socket: bool, address: IpAddr) -> Self {
        let mut octets = [0; 128];
        let family = match address {
            IpAddr::V4(address) if !is_ipv6_socket => {
                octets[4..8].copy_from_slice(&address.octets());
                libc::AF_INET
            }
            IpAddr::V4(address) => {
                octets[8..24].copy_from_slice(&address.to_ipv6_mapped().octets());
                libc::AF_INET6
            }
            IpAddr::V6(address) => {
                octets[8..24].copy_from_slice(&address.octets());
                libc::AF_INET6
            }
        };
        octets[..2].copy_from_slice(&(family as libc::sa_family_t).to_ne_bytes());
        Self(octets)
    }

    /// Plain IPv4 or IPv6, if it is one of them.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match c_int::from(libc::sa_family_t::from_ne_bytes([self.0[0], self.0[1]])) {
            libc::AF_INET => Some(IpAddr::from(<[u8; 4]>::try_from(&self.0[4..8]).ok()?)),
            libc::AF_INET6 => Some(IpAddr::from(<[u8; 16]>::try_from(&self.0[8..24]).ok()?).to_canonical()),
            _ => None,
        }
    }
}

/// Bits of an address that count when all do, as the kernel counts them.
pub(super) fn prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `struct tcp_md5sig`.
#[repr(C)]
pub(super) struct Md5Key {
    pub(super) address: Address,
    pub(super) flags: u8,
    pub(super) prefix: u8,
    pub(super) key_len: u16,
    pub(super) ifindex: i32,
    pub(super) key: [u8; MD5_MAX],
}

impl Md5Key {
    pub(super) const MAX: usize = MD5_MAX;
    /// In `flags`: the prefix counts. For `TCP_MD5SIG_EXT`, and only there.
    pub(super) const PREFIX: u8 = 1;
}

/// `struct tcp_ao_add`.
#[repr(C, align(8))]
pub(super) struct AoAdd {
    pub(super) address: Address,
    pub(super) algorithm: [u8; 64],
    pub(super) ifindex: i32,
    pub(super) flags: u32,
    pub(super) reserved: u16,
    pub(super) prefix: u8,
    pub(super) send_id: u8,
    pub(super) receive_id: u8,
    pub(super) mac_len: u8,
    pub(super) key_flags: u8,
    pub(super) key_len: u8,
    pub(super) key: [u8; MD5_MAX],
}

/// `struct tcp_ao_del`.
#[repr(C, align(8))]
pub(super) struct AoDelete {
    pub(super) address: Address,
    pub(super) ifindex: i32,
    pub(super) flags: u32,
    pub(super) reserved: u16,
    pub(super) prefix: u8,
    pub(super) send_id: u8,
    pub(super) receive_id: u8,
    pub(super) current: u8,
    pub(super) next: u8,
    pub(super) key_flags: u8,
}

/// `struct tcp_ao_info_opt`.
#[repr(C, align(8))]
#[derive(Clone, Copy, Default)]
pub(super) struct AoInfo {
    pub(super) flags: u32,
    pub(super) reserved: u16,
    pub(super) current: u8,
    pub(super) next: u8,
    /// Counters: good, bad, without a key, without a signature, ICMP dropped.
    pub(super) packets: [u64; 5],
}

/// `struct tcp_ao_getsockopt`.
#[repr(C, align(8))]
pub(super) struct AoKnown {
    pub(super) address: Address,
    pub(super) algorithm: [u8; 64],
    pub(super) key: [u8; MD5_MAX],
    pub(super) nkeys: u32,
    pub(super) flags: u16,
    pub(super) send_id: u8,
    pub(super) receive_id: u8,
    pub(super) prefix: u8,
    pub(super) mac_len: u8,
    pub(super) key_flags: u8,
    pub(super) key_len: u8,
    pub(super) ifindex: i32,
    pub(super) packets: [u64; 2],
}

// *plain*: the sum of the fields, and what include/uapi/linux/tcp.h comes to.
const _: () = assert!(size_of::<Md5Key>() == 128 + 1 + 1 + 2 + 4 + 80 && size_of::<Md5Key>() == 216);
const _: () = assert!(size_of::<AoAdd>() == 128 + 64 + 4 + 4 + 2 + 6 + 80 && size_of::<AoAdd>() == 288);
const _: () = assert!(size_of::<AoDelete>() == 128 + 4 + 4 + 2 + 6 && size_of::<AoDelete>() == 144);
const _: () = assert!(size_of::<AoInfo>() == 4 + 2 + 2 + 40 && size_of::<AoInfo>() == 48);
const _: () =
    assert!(size_of::<AoKnown>() == 128 + 64 + 80 + 4 + 2 + 6 + 4 + 16 && size_of::<AoKnown>() == 304);

// The header's bit fields: the first is the lowest bit, or the highest on big-endian machines.
pub(super) const fn bit32(at: u32) -> u32 {
    if cfg!(target_endian = "big") { 1 << (31 - at) } else { 1 << at }
}

const fn bit16(at: u16) -> u16 {
    if cfg!(target_endian = "big") { 1 << (15 - at) } else { 1 << at }
}

impl Default for AoKnown {
    fn default() -> Self {
        Self {
            address: Address([0; 128]),
            algorithm: [0; 64],
            key: [0; MD5_MAX],
            nkeys: 0,
            flags: 0,
            send_id: 0,
            receive_id: 0,
            prefix: 0,
            mac_len: 0,
            key_flags: 0,
            key_len: 0,
            ifindex: 0,
            packets: [0; 2],
        }
    }
}

// *wiped*.
impl Drop for Md5Key {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Drop for AoAdd {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Drop for AoKnown {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[cfg(test)]
pub(super) fn octets_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: *plain*: there is no padding to look at, and the borrow is the value's.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(value).cast(), size_of::<T>()) }
}
