//! Two namespaces with two wires between them.
//!
//! ```text
//!   near: lo     10.71.255.1  fd71:255::1                      far: lo    10.71.9.9
//!         near1  10.71.1.1, 10.71.1.2  fd71:1::1  ─────────  far1  10.71.1.9  fd71:1::9
//!         near2  10.71.2.1                        ─────────  far2  10.71.2.9
//!         quiet  10.71.254.1   without neighbours, as dummy interfaces are
//!
//!   near to 10.71.9.9: through near1 by a gateway that is not there, at a higher price through near2
//! ```

use std::path::PathBuf;
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};

/// Gone when it is dropped, also by a panic.
pub(super) struct Net {
    near: String,
    far: String,
}

impl Net {
    /// `None`, with the reason printed, where this cannot be made.
    pub(super) fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root makes network namespaces");
            return None;
        }
        if Command::new("ip").arg("-V").output().is_err() {
            println!("skipped: there is no `ip` here (iproute2)");
            return None;
        }
        let name = format!("hg-{}-{}", id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let net = Self { near: format!("{name}-near"), far: format!("{name}-far") };
        let (near, far) = (&net.near, &net.far);
        if let Err(error) = ip(&format!("netns add {near}")) {
            println!("skipped: no network namespace can be made here: {error}");
            return None;
        }
        for line in [
            format!("netns add {far}"),
            format!("-n {near} link add near1 type veth peer name far1 netns {far}"),
            format!("-n {near} link add near2 type veth peer name far2 netns {far}"),
            format!("-n {near} link add quiet type veth peer name quiet1"),
            format!("-n {near} addr add 10.71.255.1/32 dev lo"),
            format!("-n {near} addr add fd71:255::1/128 dev lo nodad"),
            format!("-n {near} addr add 10.71.1.1/24 dev near1"),
            format!("-n {near} addr add 10.71.1.2/24 dev near1 label near1:2"),
            format!("-n {near} addr add fd71:1::1/64 dev near1 nodad"),
            format!("-n {near} addr add 10.71.2.1/24 dev near2"),
            format!("-n {near} addr add 10.71.254.1/32 dev quiet"),
            format!("-n {near} link set quiet arp off"),
            format!("-n {far} addr add 10.71.9.9/32 dev lo"),
            format!("-n {far} addr add 10.71.1.9/24 dev far1"),
            format!("-n {far} addr add fd71:1::9/64 dev far1 nodad"),
            format!("-n {far} addr add 10.71.2.9/24 dev far2"),
            format!("-n {near} link set lo up"),
            format!("-n {near} link set near1 up"),
            format!("-n {near} link set near2 up"),
            format!("-n {near} link set quiet up"),
            format!("-n {far} link set lo up"),
            format!("-n {far} link set far1 up"),
            format!("-n {far} link set far2 up"),
            format!("-n {near} route add 10.71.9.9 via 10.71.1.8 dev near1 metric 10"),
            format!("-n {near} route add 10.71.9.9 via 10.71.2.9 dev near2 metric 20"),
            format!("-n {far} route add 10.71.255.1 via 10.71.1.1"),
            format!("-n {far} route add 10.71.254.1 via 10.71.1.1"),
            format!("-n {far} route add fd71:255::1 via fd71:1::1"),
        ] {
            ip(&line).unwrap_or_else(|error| panic!("ip {line}: {error}"));
        }
        Some(net)
    }

    pub(super) fn near(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.near)
    }

    pub(super) fn far(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.far)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // The wires go with them.
        for name in [&self.near, &self.far] {
            drop(ip(&format!("netns del {name}")));
        }
    }
}

fn ip(line: &str) -> Result<(), String> {
    let output = Command::new("ip").args(line.split(' ')).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
