//! What is installed beside the program: the unit, and the example.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use config::load::load;
use config::meaning::mean;
use config::render;
use config::secret::Vault;
use config::table::{Act, TABLE, What};
use config::tree::Tree;

const UNIT: &str = include_str!("../dist/heliograph.service");
const SYSUSERS: &str = include_str!("../dist/heliograph.sysusers");
const TMPFILES: &str = include_str!("../dist/heliograph.tmpfiles");
const EXAMPLE: &str = include_str!("../dist/heliograph.conf");

/// What is refused by commit, or is only kept.
const NOT_SHOWN: [What; 10] = [
    What::TcpKind,
    What::TcpAlgorithmId,
    What::AcceptMismatch,
    What::OptionAuthentication,
    What::SslPolicyObject,
    What::SslPolicy,
    What::Whitelist,
    What::TraceUnicast,
    What::TraceVpn,
    What::TracePrefix,
];

/// Sections and keys of a unit, with all values of each.
fn unit() -> BTreeMap<(String, String), Vec<String>> {
    let mut section = String::new();
    let mut settings: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for line in UNIT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line:?} sets nothing"));
        settings.entry((section.clone(), key.to_owned())).or_default().push(value.to_owned());
    }
    settings
}

#[test]
fn the_unit_says_what_it_has_to() {
    let unit = unit();
    let rows = [
        ("Service", "Type", "notify"),
        ("Service", "NotifyAccess", "main"),
        ("Service", "WatchdogSec", "30s"),
        ("Service", "Restart", "on-failure"),
        ("Service", "User", "heliograph"),
        ("Service", "Group", "heliograph"),
        ("Service", "RuntimeDirectory", "heliograph"),
        ("Service", "RuntimeDirectoryMode", "0750"),
        ("Service", "ReadWritePaths", "/etc/heliograph"),
        ("Service", "LoadCredential", "heliograph.key"),
        ("Service", "LimitNOFILE", "65536"),
        ("Service", "CapabilityBoundingSet", "CAP_NET_BIND_SERVICE CAP_NET_RAW"),
        ("Service", "AmbientCapabilities", "CAP_NET_BIND_SERVICE CAP_NET_RAW"),
        ("Service", "NoNewPrivileges", "yes"),
        ("Service", "ProtectSystem", "strict"),
        ("Service", "ProtectHome", "yes"),
        ("Service", "PrivateTmp", "yes"),
        ("Service", "PrivateDevices", "yes"),
        ("Service", "ProtectKernelTunables", "yes"),
        ("Service", "ProtectKernelModules", "yes"),
        ("Service", "ProtectControlGroups", "yes"),
        ("Service", "MemoryDenyWriteExecute", "yes"),
        ("Service", "RestrictNamespaces", "yes"),
        ("Service", "RestrictSUIDSGID", "yes"),
        ("Service", "LockPersonality", "yes"),
        ("Service", "SystemCallArchitectures", "native"),
        ("Service", "RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"),
        ("Install", "WantedBy", "multi-user.target"),
    ];
    for (section, key, wanted) in rows {
        let got = unit.get(&(section.to_owned(), key.to_owned()));
        assert_eq!(got.map(Vec::as_slice), Some(&[wanted.to_owned()][..]), "{section} {key}");
    }
    let calls = unit[&("Service".to_owned(), "SystemCallFilter".to_owned())].join(" ");
    for call in ["@system-service", "io_uring_setup", "io_uring_enter", "io_uring_register"] {
        assert!(calls.split(' ').any(|one| one == call), "{call} is not in {calls:?}");
    }
}

/// What it starts is what the program takes, and where it looks by itself.
#[test]
fn the_unit_starts_the_program() {
    let unit = unit();
    let line = &unit[&("Service".to_owned(), "ExecStart".to_owned())][0];
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..2], ["/usr/bin/heliograph", "run"]);
    let help = Command::new(env!("CARGO_BIN_EXE_heliograph")).args(["run", "--help"]).output().expect("help");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    for pair in words[2..].chunks(2) {
        assert!(help.contains(&format!("{} <", pair[0])), "{} is not in {help}", pair[0]);
        assert!(help.contains(pair[1]), "{} is not the default: {help}", pair[1]);
    }
}

#[test]
fn the_user_and_his_folder_are_the_units() {
    let rows = [
        (SYSUSERS, "u heliograph - \"Heliograph\" /etc/heliograph"),
        (TMPFILES, "d /etc/heliograph 0750 heliograph heliograph"),
    ];
    for (text, wanted) in rows {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, [wanted]);
    }
}

fn example() -> Tree {
    let vault = Vault::new([1; 32]);
    match load(EXAMPLE, &vault, &mut |nonce| nonce.fill(1)) {
        Ok(loaded) => loaded.tree,
        Err(errors) => panic!("{errors:#?}"),
    }
}

#[test]
fn the_example_means_something_and_warns_of_nothing() {
    match mean(&example(), &Vault::new([1; 32])) {
        Ok((meaning, warnings)) => {
            assert_eq!(warnings, [], "warnings");
            assert_eq!(meaning.sessions.len(), 7);
            assert_eq!(meaning.routers.listen.len(), 3);
        }
        Err(problems) => panic!("{problems:#?}"),
    }
}

#[test]
fn the_example_prints_back_to_itself() {
    let printed = render::text(&example(), false);
    let typed = EXAMPLE.lines().filter(|line| !line.trim_start().starts_with('!'));
    for (number, (typed, printed)) in typed.clone().zip(printed.lines()).enumerate() {
        assert_eq!(covered(typed), covered(printed), "line {} without comments", number + 1);
    }
    assert_eq!(typed.count(), printed.lines().count());
}

/// Secrets are typed in clear, `plain`, and printed sealed, `cipher`.
fn covered(line: &str) -> &str {
    let secret = ["key-string", "password md5"].iter().find_map(|words| line.find(words));
    &line[..secret.unwrap_or(line.len())]
}

#[test]
fn the_example_has_every_command() {
    let mut seen = vec![false; TABLE.len()];
    rows(&example(), &mut seen);
    for (row, seen) in TABLE.iter().zip(seen) {
        let shown = !matches!(row.act, Act::Set(_)) || NOT_SHOWN.contains(&row.what);
        assert!(seen || shown, "no example of {:?}: {}", row.what, row.syntax);
    }
}

fn rows(tree: &Tree, seen: &mut [bool]) {
    for (_, node) in tree.nodes() {
        seen[node.statement.row] = true;
        rows(&node.inner, seen);
    }
}

/// All forms that a session can have, beginnings of lines.
#[test]
fn the_example_has_every_form_of_a_session() {
    let forms = [
        " bmp-session 198.51.100.10\n",
        " bmp-session 198.51.100.10 alias ",
        " bmp-session 2001:DB8::10\n",
        " bmp-session 2001:DB8::11 alias \"",
        " bmp-session vpn-instance blue 10.0.0.10\n",
        " bmp-session vpn-instance red 10.0.0.10 alias ",
        "  tcp connect port 5000\n",
        "  tcp connect port 5001 password md5 ",
        "  tcp connect port 5000 keychain ",
        "  tcp listen port 5002 keychain ",
        "  connect-interface eth1\n",
        "  connect-interface 2001:DB8::7\n",
        "  connect-interface GigabitEthernet 0/0/1\n",
        "  connect-interface LoopBack0 198.51.100.7\n",
        "  connect-interface GigabitEthernet 0/0/2 10.0.0.8\n",
    ];
    for form in forms {
        assert!(EXAMPLE.contains(&format!("\n{form}")), "{form:?}");
    }
}

#[test]
fn the_example_is_checked() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/heliograph.conf");
    let output =
        Command::new(env!("CARGO_BIN_EXE_heliograph")).arg("check").arg(&file).output().expect("check");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let wanted = format!("{}: good: 7 BMP sessions, 3 listeners for routers.\n", file.display());
    assert_eq!((output.status.code(), out), (Some(0), wanted));
}
