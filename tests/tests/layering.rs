//! Who may use whom: the directions in which the crates of this workspace lean, held by reading
//! every `Cargo.toml` under `crates` and the sources of those that must stay pure.
//!
//! ```text
//!            config ◄───────────────────────────┐
//!  wire ◄── rib ◄── mirror ◄────────────────── engine ◄── cli
//!    ▲                                          │
//!    └───── ingest ──► queue ◄── writer ◄───────┘
//! ```
//!
//! * **closed**  a crate that is not in the table fails: give it a row, and with it a reason.
//! * **pure**    no clock, no socket, no thread: time and octets come in as arguments.
//! * **unsafe**  in `queue` and `writer`, nowhere else.
//!
//! What a crate uses to test itself (`dev-dependencies`) is its own affair.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// One crate of ours.
struct Crate {
    folder: &'static str,
    /// The crates of ours that it may use.
    uses: &'static [&'static str],
    nature: Nature,
    /// Whether it may have `unsafe`.
    may_unsafe: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// No clock, no socket, no thread.
    Pure,
    /// It stands at one of the ends, or holds them together.
    Worldly,
}

const fn pure(folder: &'static str, uses: &'static [&'static str]) -> Crate {
    Crate { folder, uses, nature: Nature::Pure, may_unsafe: false }
}

const fn worldly(folder: &'static str, uses: &'static [&'static str], may_unsafe: bool) -> Crate {
    Crate { folder, uses, nature: Nature::Worldly, may_unsafe }
}

const LIBRARIES: &[&str] = &["wire", "queue", "ingest", "rib", "mirror", "writer", "config"];

const CRATES: [Crate; 9] = [
    pure("wire", &[]),
    worldly("queue", &[], true),
    worldly("ingest", &["wire", "queue"], false),
    pure("rib", &["wire"]),
    pure("mirror", &["wire", "rib"]),
    worldly("writer", &["queue"], true),
    pure("config", &[]),
    worldly("engine", LIBRARIES, false),
    worldly("cli", &["engine", "config"], false),
];

/// What the top of the repository shows, dot-files apart.
const TOP: [&str; 11] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "benches",
    "crates",
    "docs",
    "target",
    "tests",
    "tools",
];

/// What the source of a pure crate does not say.
const WORLDLY: [&str; 9] = [
    "Instant::now",
    "SystemTime::now",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "std::thread",
    "thread::spawn",
    "thread::sleep",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders under a folder, by name.
fn folders(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// The packages that a manifest has under `dependencies` and `build-dependencies`, those of a target
/// included, by their own names and not by those that the workspace gives them.
fn dependencies(manifest: &Table, workspace: &Table) -> Vec<String> {
    let mut tables = vec![manifest];
    let targets = manifest.get("target").and_then(Value::as_table).into_iter();
    tables.extend(targets.flat_map(Table::values).filter_map(Value::as_table));
    let package = |table: &Table, name: &str| {
        Some(table.get(name)?.get("package").and_then(Value::as_str).unwrap_or(name).to_owned())
    };
    let shared = workspace["workspace"]["dependencies"].as_table().expect("a table of dependencies");
    let sections = tables.iter().flat_map(|table| {
        ["dependencies", "build-dependencies"].into_iter().filter_map(|kind| table.get(kind)?.as_table())
    });
    sections
        .flat_map(|section| {
            section.keys().map(move |name| {
                let inherited = section[name].get("workspace").is_some();
                let found = if inherited { package(shared, name) } else { package(section, name) };
                found.unwrap_or_else(|| panic!("{name} is not a dependency of the workspace"))
            })
        })
        .collect()
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let workspace = manifest(&root());
    for folder in folders(&root().join("crates")) {
        let Some(row) = CRATES.iter().find(|row| row.folder == folder) else {
            panic!("crates/{folder} is not in the table of who may use whom");
        };
        let manifest = manifest(&root().join("crates").join(&folder));
        let name = manifest["package"]["name"].as_str();
        assert_eq!(name, Some(&*format!("heliograph-{folder}")), "the name of crates/{folder}");
        for package in dependencies(&manifest, &workspace) {
            let Some(used) = package.strip_prefix("heliograph-") else { continue };
            assert!(row.uses.contains(&used), "{folder} uses {used}, and may use {:?}", row.uses);
        }
    }
}

#[test]
fn the_table_has_no_circle() {
    for (at, row) in CRATES.iter().enumerate() {
        for used in row.uses {
            let place = CRATES.iter().position(|other| other.folder == *used);
            // `engine` holds all together and comes behind them; all others lean on earlier rows.
            assert!(place.is_some_and(|place| place < at), "{} leans on {used}", row.folder);
        }
    }
}

#[test]
fn unsafe_is_where_it_may_be() {
    let workspace = manifest(&root());
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for row in CRATES.iter().filter(|row| !row.may_unsafe) {
        let folder = root().join("crates").join(row.folder);
        if folder.is_dir() {
            let inherits = manifest(&folder).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
            assert_eq!(inherits, Some(true), "{} does not take the lints of the workspace", row.folder);
        }
    }
}

/// Calls `each` with every line of Rust under a folder that is no comment.
fn lines(folder: &Path, each: &mut impl FnMut(&Path, usize, &str)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            lines(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file of Rust");
            for (at, line) in
                text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                each(&path, at + 1, line);
            }
        }
    }
}

#[test]
fn pure_crates_are_pure() {
    let mut found = Vec::new();
    for row in CRATES.iter().filter(|row| row.nature == Nature::Pure) {
        lines(&root().join("crates").join(row.folder).join("src"), &mut |path, at, line| {
            found.extend(
                WORLDLY
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{at} says {word}", path.display())),
            );
        });
    }
    assert!(found.is_empty(), "time and octets come in as arguments:\n{}", found.join("\n"));
}

#[test]
fn the_top_shows_what_it_should() {
    for entry in fs::read_dir(root()).expect("the workspace").flatten() {
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        assert!(name.starts_with('.') || TOP.contains(&&*name), "{name} has no home at the top");
    }
}

#[test]
fn what_stands_around_is_not_published() {
    for folder in ["benches", "tests", "tools"].map(|name| root().join(name)) {
        // `tools` may be one package or a folder of them.
        let packages = folders(&folder).into_iter().map(|name| folder.join(name)).chain([folder.clone()]);
        for package in packages.filter(|package| package.join("Cargo.toml").is_file()) {
            let publish = manifest(&package)["package"].get("publish").and_then(Value::as_bool);
            assert_eq!(publish, Some(false), "publish = false in {}", package.display());
        }
    }
}

/// A path of the machine on which something was written says nothing to anybody else.
#[test]
fn no_file_names_a_machine() {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let Some(list) = list.ok().filter(|list| list.status.success()) else {
        println!("not a git repository: no file looked at");
        return;
    };
    // Written apart, or this file would name them.
    let machines =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let files = list.stdout.split(|octet| *octet == 0).filter_map(|path| str::from_utf8(path).ok());
    for path in files.filter(|path| !path.is_empty()) {
        // What is listed may have been deleted since.
        let Ok(content) = fs::read(root().join(path)) else { continue };
        let content = String::from_utf8_lossy(&content);
        for machine in &machines {
            assert!(!content.contains(machine.as_str()), "{path} names {machine}");
        }
    }
}
