//! Where a connection comes from.
//!
//! | plan says           | address bound to            | device bound to                    |
//! |---------------------|-----------------------------|------------------------------------|
//! | nothing             | none: as the way leads out  | the instance's, if it is a device  |
//! | address             | it                          | likewise                           |
//! | interface           | its first global one        | it; likewise if it leads nowhere   |
//! | interface + address | it, which must be on there  | as before                          |
//!
//! * **leads nowhere**  nothing ever leaves through an interface that is a loopback or has no neighbours
//!   (dummy): as on a router with its `LoopBack0`, only its address is meant.
//! * **bound once**     to one device at most: a second time the kernel wants `CAP_NET_RAW`. An interface of a
//!   VRF device is in its network.

use std::net::IpAddr;
use std::path::Path;

use super::instance::{LINKS, owns};
use super::raw::{self, Interface};
use crate::fault::{Fault, Name, Step, Why, at};
use crate::plan::{Instance, Plan, is_link_local, is_nobody};

/// What a socket is bound to.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Bound<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) device: Option<(&'a str, Step)>,
}

/// Looks the plan's source up in the calling thread's network.
pub(super) fn bound(plan: &Plan) -> Result<Bound<'_>, Fault> {
    let instance = match &plan.instance {
        Instance::Device(name) => Some((&**name, Step::Instance(Name::new(name)))),
        Instance::Public | Instance::Namespace(_) => None,
    };
    let Some(name) = plan.source.interface.as_deref() else {
        return Ok(Bound { address: plan.source.address, device: instance });
    };
    let interfaces = raw::interfaces().map_err(at(Step::Interfaces))?;
    let (address, leads) =
        choose(&interfaces, name, plan.source.address, plan.server).map_err(Fault::ours)?;
    if let Some((device, _)) = instance {
        owns(Path::new(LINKS), device, name)?;
    }
    let device = if leads { Some((name, Step::Interface(Name::new(name)))) } else { instance };
    Ok(Bound { address: Some(address), device })
}

/// The address to come from, and whether the interface leads anywhere.
fn choose(
    interfaces: &[Interface],
    name: &str,
    asked: Option<IpAddr>,
    server: IpAddr,
) -> Result<(IpAddr, bool), Why> {
    let mut ours = interfaces.iter().filter(|interface| interface.name == name).peekable();
    let first = ours.peek().ok_or(Why::NoInterface(Name::new(name)))?;
    let leads = first.flags & (libc::IFF_LOOPBACK | libc::IFF_NOARP) as u32 == 0;
    let mut addresses = ours.filter_map(|interface| interface.address);
    let address = match asked {
        Some(asked) if addresses.any(|address| address == asked) => asked,
        Some(asked) => return Err(Why::NotOnInterface(Name::new(name), asked)),
        None => addresses
            .find(|&address| address.is_ipv4() == server.is_ipv4() && is_global(address))
            .ok_or(Why::NoAddress(Name::new(name), server))?,
    };
    Ok((address, leads))
}

/// Of use beyond one machine and one link, though perhaps not beyond one company.
fn is_global(address: IpAddr) -> bool {
    !address.is_loopback() && !is_link_local(address) && !is_nobody(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: u32 = libc::IFF_UP as u32;
    const LOOP: u32 = (libc::IFF_UP | libc::IFF_LOOPBACK) as u32;
    const DUMMY: u32 = (libc::IFF_UP | libc::IFF_NOARP) as u32;

    #[test]
    fn a_source_is_chosen_as_a_router_would() {
        let interfaces = [
            ("lo", LOOP, None),
            ("eth0", UP, None),
            ("lo", LOOP, Some("127.0.0.1")),
            ("lo", LOOP, Some("10.255.0.1")),
            ("eth0", UP, Some("169.254.7.7")),
            ("eth0", UP, Some("192.0.2.7")),
            ("eth0", UP, Some("192.0.2.8")),
            ("eth0", UP, Some("fe80::7")),
            ("eth0", UP, Some("2001:db8::7")),
            ("dummy0", DUMMY, Some("10.255.0.2")),
            ("eth1", UP, None),
        ]
        .map(|(name, flags, address)| Interface {
            name: name.to_owned(),
            flags,
            address: address.map(|address| address.parse().unwrap()),
        });
        for (name, asked, server, answer) in [
            ("eth0", None, "198.51.100.1", "192.0.2.7, through it"),
            ("eth0", None, "2001:db8:1::1", "2001:db8::7, through it"),
            ("eth0", Some("192.0.2.8"), "198.51.100.1", "192.0.2.8, through it"),
            ("lo", None, "198.51.100.1", "10.255.0.1"),
            ("lo", Some("127.0.0.1"), "127.0.0.1", "127.0.0.1"),
            ("dummy0", None, "198.51.100.1", "10.255.0.2"),
            (
                "eth9",
                None,
                "198.51.100.1",
                "there is no interface eth9 here: see `ip link`, in the session's vpn-instance",
            ),
            (
                "eth1",
                None,
                "198.51.100.1",
                "interface eth1 has no global IPv4 address: give it one, or another source",
            ),
            (
                "lo",
                None,
                "2001:db8:1::1",
                "interface lo has no global IPv6 address: give it one, or another source",
            ),
            (
                "eth0",
                Some("10.255.0.1"),
                "198.51.100.1",
                "interface eth0 has no address 10.255.0.1: add it, or another source",
            ),
        ] {
            let asked = asked.map(|asked| asked.parse().unwrap());
            let got = match choose(&interfaces, name, asked, server.parse().unwrap()) {
                Ok((address, true)) => format!("{address}, through it"),
                Ok((address, false)) => address.to_string(),
                Err(why) => why.to_string(),
            };
            assert_eq!(got, answer, "{name} {asked:?} {server}");
        }
    }
}
