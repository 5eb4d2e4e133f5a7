//! Whether the machine is as it must be, and what to do if it is not.
//!
//! ```text
//!   io_uring cannot be used: operation not permitted, and kernel.io_uring_disabled is 0, so ..
//!   ╰ what                   ╰ found, and wanted
//!     : allow io_uring_setup, .. in the container's seccomp profile, or start with --io epoll
//!       ╰ remedy
//! ```
//!
//! * **really**  nothing is guessed from a version that can be tried: a ring is set up and asked what it can.

use std::fmt;
use std::fs;
use std::io;

use io_uring::{IoUring, Probe, opcode};
use libc::{EAGAIN, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is wrong with the machine, and the remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

impl std::error::Error for Problem {}

/// Whether there is an io_uring that can do what we need.
///
/// # Errors
/// There is none.
pub fn io_uring() -> Result<(), Problem> {
    // Its completions come when the thread asks for them, and no sooner: Linux 5.19, as is to cancel by
    // descriptor, which cannot be probed for.
    let refused = |error| no_ring(&error, &Machine::read());
    let ring: IoUring = IoUring::builder().setup_coop_taskrun().build(RING).map_err(refused)?;
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe).map_err(refused)?;
    let missing: Vec<_> =
        OPERATIONS.into_iter().filter(|&(code, _)| !probe.is_supported(code)).map(|(_, name)| name).collect();
    lacking(&missing, &release())
}

/// Whether so many sessions can have their sockets. Raises the soft limit itself if that is enough.
///
/// # Errors
/// They cannot.
pub fn descriptors(sessions: usize) -> Result<(), Problem> {
    let wanted = (sessions as u64).saturating_mul(SESSION_DESCRIPTORS).saturating_add(OWN_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    // `None` is no limit.
    if limit.current.is_none_or(|soft| soft >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_none_or(|hard| hard >= wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return Ok(());
        }
    }
    let number =
        |limit: Option<u64>| limit.map_or_else(|| String::from("unlimited"), |limit| limit.to_string());
    Err(Problem {
        what: format!(
            "{sessions} sessions may need {wanted} open files ({SESSION_DESCRIPTORS} a session and \
             {OWN_DESCRIPTORS} more), and the limit is {}, at most {}",
            number(limit.current),
            number(limit.maximum)
        ),
        remedy: format!("LimitNOFILE={wanted} in the unit, or `ulimit -Hn {wanted}` before the start"),
    })
}

/// Whether the kernel is one we know to work.
///
/// # Errors
/// It is older.
pub fn kernel() -> Result<(), Problem> {
    known(&release())
}

/// Entries of the ring that is set up to see whether it can be.
const RING: u32 = 8;

/// What a driver over io_uring does. SendZc is not among them: where it is missing, Send does.
const OPERATIONS: [(u8, &str); 6] = [
    (opcode::Send::CODE, "Send"),
    (opcode::Read::CODE, "Read"),
    (opcode::AsyncCancel::CODE, "AsyncCancel"),
    (opcode::Connect::CODE, "Connect"),
    (opcode::Accept::CODE, "Accept"),
    (opcode::PollAdd::CODE, "PollAdd"),
];

/// A connection, and the one before it until the kernel is done with its last send.
const SESSION_DESCRIPTORS: u64 = 2;

/// Rings, wake-ups, listeners, what was accepted and not yet looked at, logs, the control plane.
const OWN_DESCRIPTORS: u64 = 256;

/// TCP_MD5SIG_EXT came with 4.13, and 4.14 is the first to live long after it.
const KERNEL_MIN: (u32, u32) = (4, 14);

const RING_MIN: &str = "5.19";
const EPOLL: &str = "start with --io epoll";

/// What a refusal can be understood by.
struct Machine {
    release: String,
    /// `kernel.io_uring_disabled`: 0 nobody, 1 all but a group, 2 all. Not there before 6.6.
    disabled: Option<i64>,
    /// `kernel.io_uring_group`.
    group: Option<i64>,
    memlock: Option<u64>,
    files: Option<u64>,
}

impl Machine {
    fn read() -> Self {
        let sysctl = |name| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().parse().ok();
        Self {
            release: release(),
            disabled: sysctl("io_uring_disabled"),
            group: sysctl("io_uring_group"),
            memlock: getrlimit(Resource::Memlock).current,
            files: getrlimit(Resource::Nofile).current,
        }
    }
}

/// Why there is no ring.
fn no_ring(error: &io::Error, machine: &Machine) -> Problem {
    let number =
        |limit: Option<u64>| limit.map_or_else(|| String::from("unlimited"), |limit| limit.to_string());
    let Machine { release, disabled, group, memlock, files } = machine;
    let (found, remedy) = match (error.raw_os_error().unwrap_or(0), disabled) {
        (ENOSYS, _) => (
            format!(
                "the kernel ({release}) has none, wanted Linux {RING_MIN} with CONFIG_IO_URING, or a sandbox hides it"
            ),
            String::from("use such a kernel"),
        ),
        (EINVAL, _) => (
            format!("the kernel's ({release}) is too old, wanted Linux {RING_MIN}"),
            String::from("use such a kernel"),
        ),
        (EPERM, Some(2)) => (
            String::from("kernel.io_uring_disabled is 2, which forbids it to everybody, wanted 0"),
            String::from("`sysctl kernel.io_uring_disabled=0`"),
        ),
        (EPERM, Some(1)) => {
            let group = group.filter(|&group| group >= 0);
            let who = group.map_or_else(|| String::from("no group"), |group| format!("group {group}"));
            (
                format!(
                    "kernel.io_uring_disabled is 1, which allows it to {who} and to CAP_SYS_ADMIN, wanted 0"
                ),
                match group {
                    Some(group) => format!("run in group {group}, or `sysctl kernel.io_uring_disabled=0`"),
                    None => String::from("`sysctl kernel.io_uring_disabled=0`"),
                },
            )
        }
        (EPERM, disabled) => (
            format!(
                "operation not permitted, and kernel.io_uring_disabled is {}, so that a seccomp filter must forbid \
                 it, as Docker's and containerd's own profiles do",
                disabled.map_or_else(|| String::from("not there"), |value| value.to_string())
            ),
            String::from(
                "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp profile",
            ),
        ),
        (ENOMEM | EAGAIN, _) => (
            format!(
                "no memory for the ring, which before Linux 5.12 counts as locked: the limit is {} octets, \
                     wanted 8388608, and this is Linux {release}",
                number(*memlock)
            ),
            String::from("LimitMEMLOCK=8M in the unit (`ulimit -l 8192`)"),
        ),
        (EMFILE, _) => (
            format!("the limit of open files is reached, {}", number(*files)),
            String::from("raise it (LimitNOFILE= in the unit, `ulimit -n`)"),
        ),
        (ENFILE, _) => {
            (String::from("the machine's limit of open files is reached"), String::from("raise fs.file-max"))
        }
        _ => (format!("{error}, on Linux {release}"), String::from("tell its developers")),
    };
    Problem { what: format!("io_uring cannot be used: {found}"), remedy: format!("{remedy}, or {EPOLL}") }
}

fn lacking(missing: &[&str], release: &str) -> Result<(), Problem> {
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem {
        what: format!(
            "io_uring cannot be used: the kernel's ({release}) has no {}, wanted Linux {RING_MIN}",
            missing.join(", ")
        ),
        remedy: format!("use such a kernel, or {EPOLL}"),
    })
}

fn known(release: &str) -> Result<(), Problem> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= KERNEL_MIN {
        return Ok(());
    }
    let (major, minor) = KERNEL_MIN;
    Err(Problem {
        what: format!(
            "the kernel is Linux {release}, wanted {major}.{minor}, which changes MD5 keys without a gap"
        ),
        remedy: String::from("use such a kernel"),
    })
}

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn this_machine_will_do() {
        kernel().unwrap();
        match io_uring() {
            Ok(()) => {}
            // CI may run in a container that forbids it: then the text has to say so.
            Err(problem) => assert!(problem.to_string().contains("--io epoll"), "{problem}"),
        }
    }

    #[test]
    fn every_refusal_of_a_ring_has_its_text() {
        let machine = |disabled, group| Machine {
            release: String::from("6.1.0"),
            disabled,
            group,
            memlock: Some(65536),
            files: Some(1024),
        };
        for (errno, disabled, group, text) in [
            (
                ENOSYS,
                None,
                None,
                "the kernel (6.1.0) has none, wanted Linux 5.19 with CONFIG_IO_URING, or a sandbox hides it: use such \
                 a kernel",
            ),
            (EINVAL, None, None, "the kernel's (6.1.0) is too old, wanted Linux 5.19: use such a kernel"),
            (
                EPERM,
                Some(2),
                Some(-1),
                "kernel.io_uring_disabled is 2, which forbids it to everybody, wanted 0: `sysctl \
                 kernel.io_uring_disabled=0`",
            ),
            (
                EPERM,
                Some(1),
                Some(-1),
                "kernel.io_uring_disabled is 1, which allows it to no group and to CAP_SYS_ADMIN, wanted 0: `sysctl \
                 kernel.io_uring_disabled=0`",
            ),
            (
                EPERM,
                Some(1),
                Some(977),
                "kernel.io_uring_disabled is 1, which allows it to group 977 and to CAP_SYS_ADMIN, wanted 0: run in \
                 group 977, or `sysctl kernel.io_uring_disabled=0`",
            ),
            (
                EPERM,
                Some(0),
                Some(-1),
                "operation not permitted, and kernel.io_uring_disabled is 0, so that a seccomp filter must forbid it, \
                 as Docker's and containerd's own profiles do: allow io_uring_setup, io_uring_enter and \
                 io_uring_register in the container's seccomp profile",
            ),
            (
                ENOMEM,
                None,
                None,
                "no memory for the ring, which before Linux 5.12 counts as locked: the limit is 65536 octets, wanted \
                 8388608, and this is Linux 6.1.0: LimitMEMLOCK=8M in the unit (`ulimit -l 8192`)",
            ),
            (
                EMFILE,
                None,
                None,
                "the limit of open files is reached, 1024: raise it (LimitNOFILE= in the unit, `ulimit -n`)",
            ),
        ] {
            let problem = no_ring(&io::Error::from_raw_os_error(errno), &machine(disabled, group));
            let whole = format!("io_uring cannot be used: {text}, or start with --io epoll");
            assert_eq!(problem.to_string(), whole);
        }
        assert_eq!(
            lacking(&["Send", "Connect"], "5.4.0").unwrap_err().to_string(),
            "io_uring cannot be used: the kernel's (5.4.0) has no Send, Connect, wanted Linux 5.19: use such a kernel, \
             or start with --io epoll"
        );
    }

    #[test]
    fn kernels_are_told_apart_by_number() {
        for (release, text) in [
            ("6.18.44-fc-v669", "ok"),
            ("4.14.0", "ok"),
            ("10.0", "ok"),
            (
                "4.9.337-amd64",
                "the kernel is Linux 4.9.337-amd64, wanted 4.14, which changes MD5 keys without a gap: use such a \
                 kernel",
            ),
            (
                "?",
                "the kernel is Linux ?, wanted 4.14, which changes MD5 keys without a gap: use such a kernel",
            ),
        ] {
            let got = known(release).map_or_else(|problem| problem.to_string(), |()| String::from("ok"));
            assert_eq!(got, text);
        }
    }

    /// A real filter, on one thread that ends: a container's, in short.
    #[test]
    fn a_seccomp_filter_is_recognised() {
        let sysctl = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
        if !matches!(sysctl.trim(), "" | "0") {
            println!("skipped: kernel.io_uring_disabled is {}", sysctl.trim());
            return;
        }
        let problem = thread::spawn(|| {
            forbid(libc::SYS_io_uring_setup, EPERM);
            io_uring().unwrap_err().to_string()
        });
        let problem = problem.join().unwrap();
        for word in ["seccomp filter", "operation not permitted", "container's seccomp profile", "--io epoll"]
        {
            assert!(problem.contains(word), "{word:?} is not in {problem:?}");
        }
        let problem = thread::spawn(|| {
            forbid(libc::SYS_io_uring_setup, ENOSYS);
            io_uring().unwrap_err().to_string()
        });
        let problem = problem.join().unwrap();
        assert!(problem.contains("CONFIG_IO_URING, or a sandbox hides it"), "{problem}");
    }

    /// This thread's calls of `call` fail from now on.
    fn forbid(call: i64, errno: i32) {
        const NUMBER: u32 = 0; // of `struct seccomp_data`, its first field
        let line = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let mut lines = [
            line((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0, NUMBER),
            line((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, u32::try_from(call).unwrap()),
            line((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
            line((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: lines.len() as u16, filter: lines.as_mut_ptr() };
        // SAFETY: the program and its lines live through both calls, which copy them.
        let codes = unsafe {
            [
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program),
            ]
        };
        assert_eq!(codes, [0, 0], "{}", io::Error::last_os_error());
    }

    /// In a child process each: the limit is the whole process's.
    #[test]
    fn too_few_descriptors_are_told_or_raised() {
        for (soft, hard, sessions, answer) in [
            (1024, 1024, 100, "ok, the limit is 1024"),
            (300, 5000, 100, "ok, the limit is 456"),
            (300, 456, 100, "ok, the limit is 456"),
            (
                300,
                455,
                100,
                "100 sessions may need 456 open files (2 a session and 256 more), and the limit is 300, at most 455: \
                 LimitNOFILE=456 in the unit, or `ulimit -Hn 456` before the start",
            ),
        ] {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "check::tests::as_a_child_with_few_descriptors", "--nocapture"]);
            child.env(CHILD, sessions.to_string());
            // SAFETY: one system call, between fork and exec.
            unsafe {
                child.pre_exec(move || {
                    let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
                    setrlimit(Resource::Nofile, limit).map_err(Into::into)
                });
            }
            let output = child.output().unwrap();
            let output = String::from_utf8_lossy(&output.stdout);
            assert!(output.contains(&format!("<{answer}>")), "{soft} {hard} {sessions}: {output}");
        }
    }

    const CHILD: &str = "HELIOGRAPH_TEST_SESSIONS";

    #[test]
    fn as_a_child_with_few_descriptors() {
        let Ok(sessions) = std::env::var(CHILD) else { return };
        let answer = descriptors(sessions.parse().unwrap()).map_or_else(
            |problem| problem.to_string(),
            |()| format!("ok, the limit is {}", getrlimit(Resource::Nofile).current.unwrap()),
        );
        println!("<{answer}>");
    }
}
