//! What is typed, and what comes of it: `golden/*.vrp` with the answers in `*.ok` beside them; files with faults
//! in `golden/*.conf`; and the manual.
//!
//! `HELIOGRAPH_BLESS=1 cargo test -p heliograph-config --test golden` writes the answers and the manual anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use config::load::{FileError, Loaded, load};
use config::meaning::mean;
use config::secret::Vault;
use config::shell::{Around, Ask, Outcome, Shell};
use config::store::Store;
use config::table::{TABLE, View};
use config::{Tree, manual, parse, render};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Types lines into a shell, on a machine that does at once what it is asked. Below each line stands how it was
/// understood, in full, and what came of it.
struct Typist {
    store: Store,
    shell: Shell,
    vault: Vault,
    nonce: u8,
    /// The views below the system view, and what they add to the prompt.
    within: Vec<(View, String)>,
    ok: String,
}

impl Typist {
    fn new() -> Self {
        Self {
            store: Store::new(Tree::default()),
            shell: Shell::new("operator", 1),
            vault: Vault::new([7; 32]),
            nonce: 0,
            within: Vec::new(),
            ok: String::new(),
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Shell, &mut Around<'_>) -> T) -> T {
        let nonce = &mut self.nonce;
        let mut random = |octets: &mut [u8]| {
            *nonce = nonce.wrapping_add(1);
            octets.fill(*nonce);
        };
        let mut around = Around {
            store: &self.store,
            vault: &self.vault,
            random: &mut random,
            host: "HUAWEI",
            now: Timestamp::UNIX_EPOCH,
            zone: &TimeZone::UTC,
        };
        act(&mut self.shell, &mut around)
    }

    fn prompt(&mut self) -> String {
        self.with(|shell, around| shell.prompt(around))
    }

    fn line(&mut self, line: &str) {
        let prompt = self.prompt();
        let understood = self.understood(&prompt, line);
        let outcome = self.with(|shell, around| shell.line(around, line));
        let _ = writeln!(self.ok, "{prompt}{line}");
        if let Some(understood) = understood {
            let _ = writeln!(self.ok, "  = {understood}");
        }
        match outcome {
            Outcome::Done => {}
            Outcome::Show(text) | Outcome::Refused(text) => self.ok.push_str(&shown(&text)),
            Outcome::Leave => self.ok.push_str("(left)\n"),
            Outcome::Ask(ask) => self.does(*ask),
        }
    }

    /// How a line is understood in the view that the shell is in, in full; nothing if it is not.
    fn understood(&mut self, prompt: &str, line: &str) -> Option<String> {
        // Views that were left are seen by the prompt.
        let behind =
            |within: &[(View, String)]| -> String { within.iter().map(|(_, piece)| &**piece).collect() };
        while !self.within.is_empty() && !prompt.ends_with(&(behind(&self.within) + "]")) {
            self.within.pop();
        }
        let views: Vec<View> = match prompt.chars().next() {
            Some('<') => vec![View::User],
            Some('[') => {
                std::iter::once(View::System).chain(self.within.iter().map(|(view, _)| *view)).collect()
            }
            _ => return None, // a question
        };
        let mut parsed = parse::parse(&views, line).ok()??;
        self.within.truncate(self.within.len() - parsed.out);
        let enters = TABLE[parsed.statement.row].set().and_then(|set| set.enters).filter(|_| !parsed.undo);
        self.within.extend(enters.map(|(view, _)| (view, parsed.statement.prompt())));
        let sealed = parsed.statement.seal(&self.vault, &mut |octets| octets.fill(0));
        let not = if parsed.undo { "undo " } else { "" };
        let pipe = parsed.pipe.map(|pipe| format!(" | {pipe:?}")).unwrap_or_default();
        sealed.ok().map(|()| format!("{not}{}{pipe}", shown(&parsed.statement.to_string())))
    }

    fn does(&mut self, ask: Ask) {
        let Ask::Commit(proposal) = ask else {
            let _ = writeln!(self.ok, "({ask:?})");
            return;
        };
        match mean(&proposal.tree, &self.vault) {
            Err(problems) => {
                for problem in problems {
                    let _ = writeln!(self.ok, "Error: {}", problem.text);
                }
            }
            Ok((_, warnings)) => {
                for warning in warnings {
                    let _ = writeln!(self.ok, "Warning: {}", warning.text);
                }
                match self.store.commit(&proposal, "operator", Timestamp::UNIX_EPOCH) {
                    Ok(id) => {
                        let _ = writeln!(self.ok, "(committed: {id})");
                        self.shell.committed();
                    }
                    Err(why) => {
                        let _ = writeln!(self.ok, "Error: {why}");
                    }
                }
            }
        }
    }
}

/// A text without what seals make of secrets, which is not for people to read.
fn shown(text: &str) -> String {
    let pieces = text.split("%^%#").enumerate();
    pieces.map(|(index, piece)| if index % 2 == 0 { piece } else { "%^%#…%^%#" }).collect()
}

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// What is said is what the file says; or the file is written anew.
fn agree(file: &Path, said: &str) {
    if std::env::var_os("HELIOGRAPH_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("in a folder")).expect("a folder to write to");
        std::fs::write(file, said).expect("a file to write to");
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    let differs = said.lines().zip(expected.lines()).position(|(said, expected)| said != expected);
    let at = differs.unwrap_or_else(|| said.lines().count().min(expected.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(nothing)").to_owned();
    let hint = "HELIOGRAPH_BLESS=1 writes it anew";
    assert!(
        said == expected,
        "{} line {}: {hint}\n    is: {}\nwanted: {}",
        file.display(),
        at + 1,
        line(said),
        line(&expected)
    );
}

/// The input files of one kind, in order.
fn inputs(extension: &str) -> Vec<(PathBuf, String)> {
    let files =
        std::fs::read_dir(beside("")).expect("golden files").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|is| is == extension)).collect();
    files.sort();
    assert!(!files.is_empty(), "no {extension} files");
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("readable");
            (file, text)
        })
        .collect()
}

#[test]
fn typed() {
    for (file, text) in inputs("vrp") {
        let mut typist = Typist::new();
        text.lines().for_each(|line| typist.line(line));
        agree(&file.with_extension("ok"), &typist.ok);
    }
}

fn loaded(text: &str) -> Result<Loaded, Vec<FileError>> {
    load(text, &Vault::new([7; 32]), &mut |octets| octets.fill(1))
}

#[test]
fn files() {
    for (file, text) in inputs("conf") {
        let said = match loaded(&text) {
            Ok(loaded) => shown(&render::text(&loaded.tree, false)),
            Err(errors) => errors
                .iter()
                .map(|error| format!("{}:{}\n{}\n", error.line, error.column, shown(&error.to_string())))
                .collect(),
        };
        agree(&file.with_extension("ok"), &said);
    }
}

/// A file that was printed is printed alike when it has been read.
#[test]
fn example() {
    let (_, text) =
        inputs("conf").into_iter().find(|(file, _)| file.ends_with("example.conf")).expect("there");
    let once = render::text(&loaded(&text).expect("it is right").tree, false);
    let twice = render::text(&loaded(&once).expect("what is printed is right").tree, false);
    assert_eq!(once, twice);
    assert_eq!(shown(&once).replace("%^%#…%^%#", "secret"), text, "and the example is as it is printed");
    let another = load(&once, &Vault::new([8; 32]), &mut |octets| octets.fill(1));
    let errors = another.expect_err("sealed with another key");
    assert_eq!(errors.len(), 1, "{errors:?}");
    let line = once.lines().position(|line| line.contains("md5")).expect("a secret") + 1;
    assert_eq!((errors[0].line, errors[0].column), (line, 3), "{}", errors[0]);
    assert!(!errors[0].to_string().contains("%^%#"), "{}", errors[0]);
}

/// A problem with what a configuration means is shown at the line that is at fault.
#[test]
fn problems_have_lines() {
    let text = "bmp\n bmp-session 10.1.1.1\n  tcp connect port 5000 password md5 secret\n";
    let loaded = loaded(text).expect("it is right");
    let (bmp, node) = loaded.tree.nodes().next().expect("bmp");
    let (session, node) = node.inner.nodes().next().expect("a session");
    let (connect, _) = node.inner.nodes().next().expect("tcp connect");
    let path = [bmp.clone(), session.clone(), connect.clone()];
    let rows = [
        (&path[..], "3:3\n  tcp connect port 5000 password md5 ******\n  ^\nError: That."),
        (&path[..2], "2:2\n bmp-session 10.1.1.1\n ^\nError: That."),
        (&path[..1], "1:1\nbmp\n^\nError: That."),
        (&[path[0].clone(), connect.clone()], "1:1\nbmp\n^\nError: That."),
        (&[], "1:1\nbmp\n^\nError: That."),
    ];
    for (path, answer) in rows {
        let problem = config::meaning::Problem { path: path.to_vec(), text: "That.".into() };
        let error = loaded.error(text, &problem);
        assert_eq!(format!("{}:{}\n{error}", error.line, error.column), answer);
    }
}

/// What the table says is the default means what nothing means.
#[test]
fn defaults() {
    let bmp = loaded("bmp\n").expect("it is right").tree;
    let text = render::text(&bmp, true);
    assert!(text.lines().count() > 8, "{text}");
    let said = loaded(&text).expect("defaults are commands").tree;
    assert_ne!(said, bmp);
    let vault = Vault::new([7; 32]);
    assert_eq!(mean(&said, &vault), mean(&bmp, &vault), "{text}");
}

/// There is room for so many sessions in an instance, and those of other instances do not count.
#[test]
fn room() {
    use config::table::SESSIONS_PER_INSTANCE_MAX as MAX;
    let session = |n: usize| format!(" bmp-session 10.1.{}.{}\n", n >> 8, n & 255);
    let full: String = (0..MAX).map(session).collect();
    let text = format!("bmp\n{full} bmp-session vpn-instance v 10.1.1.1\n{}", session(7));
    assert!(loaded(&text).is_ok());
    let errors = loaded(&(text + &session(MAX))).expect_err("one too many");
    let sentence = "Error: A maximum of 1000 BMP sessions is allowed in a VPN instance.";
    assert_eq!((errors.len(), errors[0].line, &*errors[0].sentence), (1, MAX + 4, sentence));
}

/// The two ways to a section agree.
#[test]
fn sections() {
    let (_, text) =
        inputs("conf").into_iter().find(|(file, _)| file.ends_with("example.conf")).expect("there");
    let tree = loaded(&text).expect("it is right").tree;
    let rows = [
        ("bmp", None, 13),
        ("BMP-Session", None, 9),
        ("bmp-session", Some("127.0.0.1"), 7),
        ("bmp-session", Some("::1"), 3),
        ("bmp-session", Some("b"), 5),
        ("route-mode", None, 4),
        ("sysname", None, 1),
        ("sysname", Some("other"), 0),
        ("keychain", None, 0),
    ];
    for (kind, instance, lines) in rows {
        let section = render::section(&tree, kind, instance, false);
        assert_eq!(render::text(&render::selected(&tree, kind, instance), false), section);
        let frame = section.lines().filter(|line| matches!(*line, "#" | "return")).count();
        assert_eq!(section.lines().count() - frame, lines, "{kind} {instance:?}\n{section}");
    }
}

#[test]
fn the_manual() {
    agree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md"), &manual::page());
}
