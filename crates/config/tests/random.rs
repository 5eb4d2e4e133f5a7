//! Configurations that nobody would type, made by walking the table's syntaxes: what is printed reads back as
//! itself, `undo` takes out one statement and nothing else, and what differs is seen.
//!
//! `SIM_SEEDS=7..8 cargo test -p heliograph-config --test random` runs one seed.

use std::collections::BTreeSet;

use config::load::load;
use config::parse::parse;
use config::secret::Vault;
use config::table::{TABLE, View};
use config::tree::{Node, Part, Statement};
use config::{Parsed, Place, Tree, Value, render};
use tests::Rng;

/// A syntax, taken apart in another way than the parser's.
enum Syntax {
    Word(&'static str),
    All(Vec<Self>),
    One(Vec<Self>),
    Maybe(Box<Self>),
    Times(Box<Self>, usize),
}

impl Syntax {
    fn new(text: &'static str) -> Self {
        let mut words: Vec<&'static str> = text.split_whitespace().rev().collect();
        let all = Self::alternatives(&mut words);
        assert!(words.is_empty(), "{text}");
        all
    }

    fn alternatives(words: &mut Vec<&'static str>) -> Self {
        let mut some = vec![Vec::new()];
        while let Some(word) = words.pop() {
            let (piece, times) = match word {
                "|" => {
                    some.push(Vec::new());
                    continue;
                }
                "[" => {
                    let inner = Self::alternatives(words);
                    (Self::Maybe(Box::new(inner)), words.pop().expect("]").trim_start_matches(']'))
                }
                "{" => (Self::alternatives(words), words.pop().expect("}").trim_start_matches('}')),
                word if word.starts_with([']', '}']) => {
                    words.push(word);
                    break;
                }
                word => {
                    let (word, times) = word.split_at(word.find('&').unwrap_or(word.len()));
                    (Self::Word(word), times)
                }
            };
            some.last_mut().expect("one at least").push(match times.strip_prefix('&') {
                Some(times) => Self::Times(Box::new(piece), times.parse().expect("a number")),
                None => piece,
            });
        }
        Self::One(some.into_iter().map(Self::All).collect())
    }

    /// Says it in one of the ways there are. `word` has what is said for a keyword or a `<parameter>`; `None`:
    /// nothing can, so it has to be another way.
    fn say(&self, dice: &mut Rng, word: &mut dyn FnMut(&mut Rng, &str) -> Option<String>) -> Option<String> {
        Some(match self {
            Self::Word(said) => word(dice, said)?,
            Self::All(pieces) => {
                let said: Option<Vec<String>> = pieces.iter().map(|piece| piece.say(dice, word)).collect();
                said?.join(" ")
            }
            Self::One(ways) => {
                let first = dice.below(ways.len());
                (0..ways.len()).find_map(|n| ways[(first + n) % ways.len()].say(dice, word))?
            }
            Self::Maybe(piece) if dice.below(2) == 0 => piece.say(dice, word)?,
            Self::Maybe(_) => String::new(),
            Self::Times(piece, most) => {
                let said: Option<Vec<String>> =
                    (0..1 + dice.below(*most)).map(|_| piece.say(dice, word)).collect();
                said?.join(" ")
            }
        })
    }
}

/// A keyword as it is; for a parameter, something that can stand for it.
fn anything(dice: &mut Rng, word: &str) -> String {
    let Some(name) = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) else {
        return word.to_owned();
    };
    let names = &["a", "A", "b", "\"a b\"", "alias", "x|y", "undo", "Zürich", "7", "\"\u{1f52d} x\""];
    let range = match name {
        "port" | "retry" | "megabytes" => (1, 65_535),
        "routers" | "peers" | "paths" | "kilobytes" => (1, 5),
        "bytes" => (8192, 1 << 20),
        "stall" => (5, 65_535),
        "statistics" => (15, 65_535),
        "dscp" | "keyid" => (0, 3),
        "mss" => (88, 32_767),
        "masklen" => (0, 32),
        "ao-id" => (0, 255),
        "kind" => (28, 255),
        "algid" => (1, 63),
        "tolerance" => (1, 14_400),
        "duration" => (1, 26_280_000),
        "day-of-month" => (1, 31),
        _ => (0, 0),
    };
    if range != (0, 0) {
        return (range.0 + dice.next() % (range.1 - range.0 + 1)).to_string();
    }
    let few: &[&str] = match name {
        "sysname" | "vrf" | "alias" | "kcname" | "router" | "word" => names,
        "policy" => &["p", "P1", "policy"],
        "ip" => &["10.1.1.1", "10.1.1.2", "2001:db8::1", "::1", "255.0.0.1", "fe80::1"],
        "ipv4" => &["10.1.1.1", "10.1.1.2", "0.0.0.0"],
        "prefix" => &["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"],
        "ifname" => &["LoopBack0", "eth0.1", "GigabitEthernet0/0/1"],
        "iftype" => &["LoopBack", "Eth-Trunk"],
        "ifnum" => &["0", "0/1/2", "1.2"],
        "device" => &["lo", "vrf-a", "eth0.1"],
        "path" => &["blue", "/run/netns/a", "\"/a b\""],
        "text80" => &["a", "two  blanks", "\"quoted\" and | more", "# 1", "undo"],
        "pwd" => &["secret", "\"a secret\"", "12345678901234567890", "\"cipher\""],
        "time" => &["0:00", "8:05", "23:59"],
        "date" => &["2018-10-1", "2024-02-29", "2050-12-31"],
        "rd" => &["100:1", "10.1.1.1:7"],
        other => panic!("no values for <{other}>"),
    };
    dice.pick(few).to_owned()
}

/// What was made: rows that stand in a configuration, and statements that a check refused.
#[derive(Default, Debug)]
struct Seen {
    rows: BTreeSet<usize>,
    undone: BTreeSet<usize>,
    refused: usize,
    kept: usize,
}

fn vault() -> Vault {
    Vault::new([7; 32])
}

/// A line of a syntax.
fn another(syntax: &'static str, dice: &mut Rng) -> String {
    Syntax::new(syntax)
        .say(dice, &mut |dice, word| Some(anything(dice, word)))
        .expect("there is always something")
}

/// Puts random statements into a view, and into the views that they enter.
fn fill(tree: &mut Tree, path: &mut Vec<Place>, views: &mut Vec<View>, dice: &mut Rng, seen: &mut Seen) {
    let view = *views.last().expect("one");
    let rows: Vec<_> = TABLE
        .iter()
        .enumerate()
        .filter(|(_, row)| row.set().is_some() && row.views.contains(&view))
        .collect();
    for _ in 0..2 + dice.below(3 * rows.len()) {
        let (index, row) = rows[dice.below(rows.len())];
        let line = another(row.syntax, dice);
        let parsed = parse(views, &line);
        let Ok(Some(Parsed { out: 0, undo: false, mut statement, pipe: None })) = parsed else {
            panic!("{line}: {parsed:?}")
        };
        assert_eq!(statement.row, index, "{line}");
        let said = statement.to_string();
        let mut nonces = Rng::new(dice.next(), 1);
        statement.seal(&vault(), &mut |octets| octets.fill_with(|| nonces.u8())).expect("our own");
        // A statement says of itself what was typed, in full and in one way.
        let again =
            parse(views, &statement.to_string()).expect("what is printed is understood").expect("a line");
        assert_eq!(again.statement, statement, "{line}: {said}");
        let before = tree.clone();
        let Ok(place) = tree.set(path, statement) else {
            assert!(*tree == before, "refused, and yet: {line}");
            seen.refused += 1;
            continue;
        };
        seen.rows.insert(index);
        if let Some(view) = place.enters() {
            path.push(place);
            views.push(view);
            fill(tree, path, views, dice, seen);
            views.pop();
            path.pop();
        }
    }
}

/// The paths to all statements.
fn paths(tree: &Tree, path: &[Place], all: &mut Vec<Vec<Place>>) {
    for (place, node) in tree.nodes() {
        let here = [path, std::slice::from_ref(place)].concat();
        paths(&node.inner, &here, all);
        all.push(here);
    }
}

/// The same, but for one statement and what stands in it: set anew, one by one.
fn without(tree: &Tree, gone: &[Place]) -> Tree {
    fn copy(from: &Tree, path: &[Place], gone: &[Place], to: &mut Tree) {
        for (place, Node { statement, inner }) in from.nodes() {
            let here = [path, std::slice::from_ref(place)].concat();
            if here != gone {
                to.set(path, statement.clone()).expect("it was set before");
                copy(inner, &here, gone, to);
            }
        }
    }
    let mut copied = Tree::default();
    copy(tree, &[], gone, &mut copied);
    copied
}

/// One way to undo a statement, if the dice find it: every word is one of its own.
fn undoing(statement: &Statement, views: &[View], dice: &mut Rng) -> Option<Statement> {
    let undo = statement.of().set().expect("configured").undo;
    let syntax = Syntax::new(undo[dice.below(undo.len())]);
    let own = |dice: &mut Rng, word: &str| {
        let Some(name) = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) else {
            return statement.has(word).then(|| word.to_owned());
        };
        let own: Vec<&Value> = statement.values(name).collect();
        (!own.is_empty()).then(|| dice.pick(&own).to_string())
    };
    let line = format!("undo {}", syntax.say(dice, &mut { own })?);
    let parsed = parse(views, &line).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}")).expect("a line");
    assert!(parsed.undo && parsed.out == 0 && parsed.statement.row == statement.row, "{line}: {parsed:?}");
    let own = |part: &Part| statement.parts.contains(part);
    parsed.statement.parts.iter().all(own).then_some(parsed.statement)
}

fn one(seed: u64) -> Seen {
    let (mut dice, mut seen) = (Rng::new(seed, 0), Seen::default());
    let mut trees = [Tree::default(), Tree::default()];
    for tree in &mut trees {
        fill(tree, &mut Vec::new(), &mut vec![View::System], &mut dice, &mut seen);
    }
    let [tree, other] = trees;
    let differs = |a: &Tree, b: &Tree| {
        let changes = render::changes(a, b);
        assert!(changes.is_empty() == (a == b), "{changes}");
    };
    differs(&tree, &tree);
    differs(&tree, &other);
    differs(&Tree::default(), &tree);

    let never = &mut |_: &mut [u8]| panic!("nothing is in clear any more");
    for include_default in [false, true] {
        let text = render::text(&tree, include_default);
        let twice = text.replace("\nreturn\n", "\n") + &text;
        for text in [&text, &twice] {
            let loaded =
                load(text, &vault(), never).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0])).tree;
            assert!(include_default || loaded == tree, "{}", render::changes(&tree, &loaded));
            assert_eq!(render::text(&loaded, true), render::text(&tree, true));
        }
    }

    let mut all = Vec::new();
    paths(&tree, &[], &mut all);
    for _ in 0..40.min(all.len()) {
        let path = &all[dice.below(all.len())];
        let (last, outer) = path.split_last().expect("a statement");
        let statement = &tree.node(path).expect("it is there").statement;
        let views: Vec<View> =
            std::iter::once(View::System).chain(outer.iter().filter_map(Place::enters)).collect();
        let ways: BTreeSet<Statement> = (0..8)
            .filter_map(|_| undoing(statement, &views, &mut dice))
            .filter(|named| named.place() == *last) // and not one that is like it, but for an alias
            .collect();
        let expected = without(&tree, path);
        let mut undone = false;
        for named in ways {
            let mut after = tree.clone();
            match after.undo(outer, &named) {
                Ok(()) => {
                    assert!(after == expected, "undo {named}\n{}", render::changes(&expected, &after));
                    differs(&tree, &after);
                    seen.undone.insert(statement.row);
                    undone = true;
                }
                Err(_) => assert!(after == tree, "refused, and yet: undo {named}"),
            }
        }
        // Another statement of the row: it takes the place of this one, or stands beside it.
        let line = another(statement.of().syntax, &mut dice);
        let mut other = parse(&views, &line).expect("understood").expect("a line").statement;
        other.seal(&vault(), &mut |octets| octets.fill(3)).expect("our own");
        let (mut after, said) = (tree.clone(), other.to_string());
        if let Ok(place) = after.set(outer, other) {
            let here = [outer, &[place]].concat();
            let stands = after.node(&here).expect("it was set");
            assert!(stands.statement.to_string().starts_with(&said), "{said}");
            assert!(
                here != *path || tree.node(path).is_some_and(|node| node.inner == stands.inner),
                "{said}"
            );
            differs(&tree, &after);
        }
        let kept = (statement.of().set().expect("configured").keep)(&tree, outer, statement).is_err();
        // What the dice did not find here they find elsewhere: see `configurations`.
        assert!(!(undone && kept), "{statement}");
        seen.kept += usize::from(kept);
    }
    seen
}

#[test]
fn configurations() {
    let (seen, enough) = tests::seeds::run(0..40, one, |sum, one| {
        sum.rows.extend(&one.rows);
        sum.undone.extend(&one.undone);
        sum.refused += one.refused;
        sum.kept += one.kept;
    });
    if !enough {
        return;
    }
    for (index, row) in TABLE.iter().enumerate().filter(|(_, row)| row.set().is_some()) {
        assert!(seen.rows.contains(&index), "never set: {}", row.syntax);
        assert!(seen.undone.contains(&index), "never undone: {}", row.syntax);
    }
    assert!(seen.refused > 0 && seen.kept > 0, "{} refused, {} kept", seen.refused, seen.kept);
}
