//! The fan-out bench still runs, and every octet comes to every server: all cases, tiny.

use std::process::Command;

#[test]
fn everything_runs_and_all_octets_come() {
    let run = Command::new(env!("CARGO_BIN_EXE_fanout")).args(["--small", "--json"]).output();
    let run = run.expect("the program");
    let (said, complained) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}\n{said}\n{complained}", run.status);
    for case in ["fan-out", "messages", "messages-woken", "latency", "stalled"] {
        let line = said.lines().find(|line| line.contains(&format!("\"case\":\"{case}\"")));
        let line = line.unwrap_or_else(|| panic!("no {case} in\n{said}"));
        // Where there is no io_uring, epoll is left.
        assert!(line.contains("ratio_to_epoll\":") || line.contains("ratio_to_even\":"), "{line}");
    }
}
