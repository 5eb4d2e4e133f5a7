//! In which network a socket is made.
//!
//! * **stays**  the calling thread never changes its namespace: a thread of its own goes there, makes what is
//!   to be made, hands it back and ends. A descriptor keeps the network it was made in.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, Builder};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::fault::{Fault, Name, Step, Why, at};
use crate::plan::Instance;

/// Makes something in the instance's network. What is looked up there is found there too.
pub(super) fn within<T: Send>(
    instance: &Instance,
    make: impl FnOnce() -> Result<T, Fault> + Send,
) -> Result<T, Fault> {
    let Instance::Namespace(path) = instance else { return make() };
    let namespace = File::open(path).map_err(at(Step::Namespace))?;
    thread::scope(|scope| {
        let there = move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(|errno| Fault { step: Step::Namespace, errno: errno.raw_os_error() })?;
            make()
        };
        let thread = Builder::new().name(String::from("namespace")).spawn_scoped(scope, there);
        thread.map_err(at(Step::Namespace))?.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Refuses an interface that is not in the device's network: bound to it, a socket would be elsewhere.
/// `links` is where the kernel tells of interfaces.
pub(super) fn owns(links: &Path, device: &str, interface: &str) -> Result<(), Fault> {
    let master = fs::read_link(links.join(interface).join("master")).ok();
    if interface == device || master.as_ref().and_then(|path| path.file_name()) == Some(device.as_ref()) {
        return Ok(());
    }
    Err(Fault::ours(Why::NotInInstance(Name::new(interface), Name::new(device))))
}

/// Where the kernel tells of the interfaces of our own network.
pub(super) const LINKS: &str = "/sys/class/net";
