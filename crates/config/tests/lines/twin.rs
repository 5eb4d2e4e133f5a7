//! The parser as one would write it to be sure of it, and not to use it: a syntax is a tree, and what may come next
//! is found by walking it each time.

use std::collections::HashMap;

use config::parse::Fault;
use config::table::{Act, TABLE, View};
use config::tree::Part;
use config::{LINE_MAX, Value};

/// A syntax.
#[derive(Debug)]
pub(crate) enum Node {
    Keyword(&'static str),
    Parameter(&'static str),
    All(Vec<Node>),
    One(Vec<Node>),
    Maybe(Box<Node>),
    Times(Box<Node>, usize),
}

/// What is still to come of a syntax: nodes one after the other, and how often the first may stand at most.
type Tail<'t> = Vec<(&'t Node, usize)>;

/// One way to read a line, or the beginning of one.
#[derive(Clone, Debug)]
pub(crate) struct Way<'t> {
    pub(crate) row: usize,
    pub(crate) undo: bool,
    pub(crate) parts: Vec<Part>,
    tail: Tail<'t>,
    doubts: usize,
}

/// What comes of a line.
#[derive(Debug)]
pub(crate) enum Answer {
    Nothing,
    /// How far out, and in which ways.
    Understood(usize, Vec<Way<'static>>),
    Refused(Fault, usize),
}

pub(crate) struct Twin {
    /// By view: what may come first.
    firsts: HashMap<View, Vec<Next<'static>>>,
}

/// What may come next: a keyword or a parameter, and the way it is on.
pub(crate) type Next<'t> = (&'t Node, Way<'t>);

const TAKES_REST: &[&str] = &["text60", "text80", "command", "regex"];
const PIPE: &str = "[ | { json | begin <regex> | include <regex> | exclude <regex> } ]";

impl Twin {
    pub(crate) fn new() -> Self {
        let mut begun: HashMap<View, Vec<_>> = HashMap::new();
        for (n, row) in TABLE.iter().enumerate() {
            let mut add = |undo: bool, node: Node| {
                let node: &'static Node = Box::leak(Box::new(node));
                let way = Way { row: n, undo, parts: Vec::new(), tail: vec![(node, 1)], doubts: 0 };
                for view in row.views {
                    begun.entry(*view).or_default().extend(nexts(&way));
                }
            };
            match &row.act {
                Act::Show => add(false, Node::All(vec![read(row.syntax), read_pipe()])),
                Act::Do => add(false, read(row.syntax)),
                Act::Set(set) => {
                    add(false, read(row.syntax));
                    for undo in set.undo {
                        add(true, Node::All(vec![Node::Keyword("undo"), read(undo)]));
                    }
                }
            }
        }
        Self { firsts: begun }
    }

    /// What may come first in a view.
    pub(crate) fn begin(&self, view: View) -> &[Next<'static>] {
        &self.firsts[&view]
    }

    pub(crate) fn parse(&self, views: &[View], line: &str) -> Answer {
        let bare = line.trim_matches([' ', '\t']);
        if bare.is_empty() || bare.starts_with('#') || bare.starts_with('!') {
            return Answer::Nothing;
        }
        if line.chars().count() > LINE_MAX {
            return Answer::Refused(Fault::TooMany, LINE_MAX);
        }
        let answers = || views.iter().rev().map(|view| self.parse_in(*view, line)).enumerate();
        // The first that knows what the line is about, or the innermost if none does.
        let knows = answers().find(|(_, answer)| !matches!(answer, Err((_, _, false))));
        let Some((out, answer)) = knows.or_else(|| answers().next()) else { return Answer::Nothing };
        let (fault, column) = match answer {
            Ok(ways) => return Answer::Understood(out, ways),
            Err((fault, column, true)) => (fault, column),
            Err((fault, column, false)) => return Answer::Refused(fault, column),
        };
        // One further out may know all of it, if it is not an abbreviation there.
        let typed = bare.split([' ', '\t']).next().unwrap_or("");
        for (out, answer) in answers().skip(out) {
            let in_full =
                |way: &Way<'_>| !way.undo && matches!(way.parts[0], Part::Keyword(word) if word == typed);
            if let Ok(ways) = answer
                && ways.iter().any(in_full)
            {
                return Answer::Understood(out, ways);
            }
        }
        Answer::Refused(fault, column)
    }

    /// All best ways to read a line in a view; or the fault, its column, and whether the first word was known.
    fn parse_in(&self, view: View, line: &str) -> Result<Vec<Way<'static>>, (Fault, usize, bool)> {
        let mut ways: Vec<Way<'static>> = Vec::new();
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        loop {
            while at < chars.len() && blank(chars[at]) {
                at += 1;
            }
            if at == chars.len() {
                break;
            }
            let undo = ways.iter().any(|way| way.parts.first() == Some(&Part::Keyword("undo")));
            let known = ways.first().is_some_and(|way| way.parts.len() > usize::from(undo));
            let later: Vec<Next<'_>> = ways.iter().flat_map(nexts).collect();
            match step(if ways.is_empty() { self.begin(view) } else { &later }, &chars, at) {
                Ok((next, end)) => (ways, at) = (next, end),
                Err(fault) => return Err((fault, at, known || fault != Fault::Unrecognized)),
            }
        }
        let mut ends: Vec<Way<'_>> = ways.into_iter().filter(|way| may_end(&way.tail)).collect();
        let Some(least) = ends.iter().map(|way| way.doubts).min() else {
            let length = chars.iter().rposition(|c| !blank(*c)).map_or(0, |at| at + 1);
            return Err((Fault::Incomplete, length + 1, true));
        };
        ends.retain(|way| way.doubts == least);
        for way in ends.iter_mut().filter(|way| way.undo) {
            way.parts.remove(0);
        }
        Ok(ends)
    }
}

/// Reads the word at a character: the ways on, and where the word ends.
fn step<'t>(nexts: &[Next<'t>], chars: &[char], at: usize) -> Result<(Vec<Way<'t>>, usize), Fault> {
    if nexts.is_empty() {
        return Err(Fault::TooMany);
    }
    let typed: String = chars[at..].iter().collect();
    let rest = typed.trim_end_matches([' ', '\t']);
    let whole: Vec<Way<'t>> = nexts.iter().filter_map(|next| rest_of_line(next, rest)).collect();
    if !whole.is_empty() {
        return Ok((whole, chars.len()));
    }
    let parameters = nexts.iter().any(|(node, _)| matches!(node, Node::Parameter(_)));
    let (quoted, end) = match chars[at] {
        '"' => match (at + 1..chars.len()).find(|n| chars[*n] == '"') {
            Some(close) if chars.get(close + 1).is_none_or(|c| blank(*c)) => (true, close + 1),
            _ => return Err(Fault::Wrong),
        },
        _ => (false, (at..chars.len()).find(|n| blank(chars[*n])).unwrap_or(chars.len())),
    };
    let inner = if quoted { at + 1..end - 1 } else { at..end };
    let word: String = chars[inner].iter().collect();
    let lower = word.to_ascii_lowercase();
    let named = |it: &dyn Fn(&str) -> bool| -> Vec<Next<'t>> {
        let nexts =
            nexts.iter().filter(|(node, _)| matches!(node, Node::Keyword(keyword) if !quoted && it(keyword)));
        nexts.cloned().collect()
    };
    let exact = named(&|keyword| keyword == lower);
    if !exact.is_empty() {
        return Ok((exact.into_iter().map(|next| keyword(next, 0)).collect(), end));
    }
    let begun = named(&|keyword| keyword.starts_with(&lower));
    let alone = begun.iter().all(|(node, _)| word_of(node) == word_of(begun[0].0));
    let mut on: Vec<Way<'t>> = nexts.iter().filter_map(|next| parameter(next, &word, quoted)).collect();
    let doubt = usize::from(!on.is_empty());
    if alone {
        on.extend(begun.into_iter().map(|next| keyword(next, doubt)));
    } else if on.is_empty() {
        return Err(Fault::Ambiguous);
    }
    if !on.is_empty() {
        return Ok((on, end));
    }
    let bar = nexts.iter().all(|(node, _)| word_of(node) == "|");
    Err(if parameters {
        Fault::Wrong
    } else if bar {
        Fault::TooMany
    } else {
        Fault::Unrecognized
    })
}

/// What may come next on a way.
pub(crate) fn nexts<'t>(way: &Way<'t>) -> Vec<Next<'t>> {
    if matches!(way.parts.last(), Some(Part::Value(_, Value::Rest(_)))) {
        return Vec::new();
    }
    firsts(&way.tail).into_iter().map(|(node, tail)| (node, Way { tail, ..way.clone() })).collect()
}

/// Whether a line may end on a way.
pub(crate) fn ends(way: &Way<'_>) -> bool {
    may_end(&way.tail)
}

fn firsts<'t>(tail: &[(&'t Node, usize)]) -> Vec<(&'t Node, Tail<'t>)> {
    let Some(((node, times), rest)) = tail.split_first() else { return Vec::new() };
    let then = |nodes: &[(&'t Node, usize)]| firsts(&[nodes, rest].concat());
    match node {
        Node::Keyword(_) | Node::Parameter(_) => vec![(*node, rest.to_vec())],
        Node::All(nodes) => then(&nodes.iter().map(|node| (node, 1)).collect::<Vec<_>>()),
        Node::One(nodes) => nodes.iter().flat_map(|node| then(&[(node, 1)])).collect(),
        Node::Maybe(node) => [then(&[(node, 1)]), then(&[])].concat(),
        // With `times` of 1 it is untouched yet, else so many were taken, and it may stop.
        Node::Times(inner, most) if *times <= *most => {
            let mut all = then(&[(inner, 1), (node, times + 1)]);
            if *times > 1 {
                all.extend(then(&[]));
            }
            all
        }
        Node::Times(..) => then(&[]),
    }
}

fn may_end(tail: &[(&Node, usize)]) -> bool {
    tail.iter().all(|(node, times)| match node {
        Node::Keyword(_) | Node::Parameter(_) => false,
        Node::All(nodes) => nodes.iter().all(|node| may_end(&[(node, 1)])),
        Node::One(nodes) => nodes.iter().any(|node| may_end(&[(node, 1)])),
        Node::Maybe(_) => true,
        Node::Times(..) => *times > 1,
    })
}

fn keyword<'t>((node, mut way): Next<'t>, doubt: usize) -> Way<'t> {
    way.parts.push(Part::Keyword(word_of(node)));
    way.doubts += doubt;
    way
}

fn parameter<'t>((node, way): &Next<'t>, word: &str, quoted: bool) -> Option<Way<'t>> {
    let Node::Parameter(name) = node else { return None };
    let value = Value::read(name, word, quoted).filter(|_| !TAKES_REST.contains(name))?;
    let mut way = way.clone();
    way.parts.push(Part::Value(name, value));
    Some(way)
}

fn rest_of_line<'t>((node, way): &Next<'t>, rest: &str) -> Option<Way<'t>> {
    let Node::Parameter(name) = node else { return None };
    let value = Value::read(name, rest, false).filter(|_| TAKES_REST.contains(name))?;
    let mut way = way.clone();
    way.parts.push(Part::Value(name, value));
    Some(way)
}

fn word_of(node: &Node) -> &'static str {
    match node {
        Node::Keyword(word) => word,
        _ => "",
    }
}

fn blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn read(text: &'static str) -> Node {
    let words: Vec<&'static str> = text.split_whitespace().collect();
    let (node, end) = one(&words, 0);
    assert_eq!(end, words.len(), "{text}");
    node
}

/// The bar is a word of it, where in a syntax it stands between words.
fn read_pipe() -> Node {
    let Node::All(mut nodes) = read(&PIPE[4..PIPE.len() - 1]) else { panic!("{PIPE}") };
    nodes.insert(0, Node::Keyword("|"));
    Node::Maybe(Box::new(Node::All(nodes)))
}

fn one(words: &[&'static str], mut at: usize) -> (Node, usize) {
    let mut nodes = Vec::new();
    loop {
        let (node, end) = all(words, at);
        nodes.push(node);
        if words.get(end) != Some(&"|") {
            return (if nodes.len() == 1 { nodes.remove(0) } else { Node::One(nodes) }, end);
        }
        at = end + 1;
    }
}

fn all(words: &[&'static str], mut at: usize) -> (Node, usize) {
    let mut nodes = Vec::new();
    while let Some(word) = words.get(at) {
        let (node, word) = match *word {
            "|" | "]" => break,
            word if word.starts_with('}') => break,
            "[" => {
                let (node, end) = one(words, at + 1);
                at = end;
                (Node::Maybe(Box::new(node)), "")
            }
            "{" => {
                let (node, end) = one(words, at + 1);
                at = end;
                (node, words[at])
            }
            word => {
                let bare = word.split('&').next().unwrap_or(word);
                let name = bare.strip_prefix('<').and_then(|bare| bare.strip_suffix('>'));
                (name.map_or(Node::Keyword(bare), Node::Parameter), word)
            }
        };
        let times = word.split_once('&').map(|(_, times)| times.parse().expect("a number"));
        nodes.push(match times {
            Some(times) => Node::Times(Box::new(node), times),
            None => node,
        });
        at += 1;
    }
    (Node::All(nodes), at)
}
