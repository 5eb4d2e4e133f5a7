//! Who may connect.

use std::net::IpAddr;

/// Prefixes; none is this machine only.
#[derive(Clone, Default, Debug)]
pub(super) struct Permit(Vec<(IpAddr, u8)>);

impl Permit {
    pub(super) fn new(prefixes: Vec<(IpAddr, u8)>) -> Self {
        Self(prefixes)
    }

    /// Whether who has this address may connect; IPv4 in the clothes of IPv6 is IPv4.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.0.is_empty() {
            return address.is_loopback();
        }
        self.0.iter().any(|&(prefix, len)| contains(prefix, len, address))
    }
}

fn contains(prefix: IpAddr, len: u8, address: IpAddr) -> bool {
    match (prefix, address) {
        (IpAddr::V4(prefix), IpAddr::V4(address)) => {
            let different = u32::from(prefix) ^ u32::from(address);
            different.leading_zeros() >= u32::from(len.min(32))
        }
        (IpAddr::V6(prefix), IpAddr::V6(address)) => {
            let different = u128::from(prefix) ^ u128::from(address);
            different.leading_zeros() >= u32::from(len.min(128))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_lets_in_who_is_in_it() {
        for (prefixes, address, allowed) in [
            ("", "127.0.0.1", true),
            ("", "127.9.9.9", true),
            ("", "::1", true),
            ("", "::ffff:127.0.0.1", true),
            ("", "192.0.2.1", false),
            ("", "2001:db8::1", false),
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "::ffff:192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "127.0.0.1", false),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false),
            ("2001:db8:7::/48", "2001:db8:7:ffff::", true),
            ("2001:db8:7::/48", "2001:db8:8::", false),
            ("192.0.2.0/24 2001:db8::/32 127.0.0.0/8", "127.0.0.1", true),
        ] {
            let permit = Permit::new(
                prefixes
                    .split_whitespace()
                    .map(|prefix| {
                        let (address, len) = prefix.split_once('/').unwrap();
                        (address.parse().unwrap(), len.parse().unwrap())
                    })
                    .collect(),
            );
            assert_eq!(permit.allows(address.parse().unwrap()), allowed, "{prefixes:?} {address}");
        }
    }
}
