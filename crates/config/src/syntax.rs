//! A row's syntax, made ready for matching.
//!
//! ```text
//!   bmp-session [ vpn-instance <vrf> ] <ip> [ alias <alias> ]
//!   0             1            2       3      4     5
//!
//!   first {0}   follow 0:{1 3} 1:{2} 2:{3} 3:{4} 4:{5}   last {3 5}
//! ```
//!
//! Every word of the syntax gets a place; which places may come first, which after which, and behind which a line
//! may end is all there is to it (Glushkov's construction: no state is left without reading a word). What may
//! stand up to seven times in a row has seven places.

use crate::value::Kind;

/// A word of a syntax.
#[derive(Clone, Copy)]
pub(crate) enum Atom {
    /// To be typed as it is, or the beginning of it.
    Keyword(&'static str),
    /// Something else stands in its place.
    Parameter(&'static Kind),
}

/// A syntax, ready.
pub(crate) struct Syntax {
    /// By place.
    pub(crate) atoms: Vec<Atom>,
    /// Where a line may begin.
    pub(crate) first: Vec<usize>,
    /// By place: where it may go on.
    pub(crate) follow: Vec<Vec<usize>>,
    /// By place: whether a line may end behind it.
    pub(crate) last: Vec<bool>,
}

/// How often something may stand in a row, at most.
const TIMES_MAX: usize = 31;

impl Syntax {
    /// What is written like this, behind a keyword if there is one, and with this behind it.
    ///
    /// # Errors
    /// It is not well-formed, or would match an empty line: a sentence for whoever wrote the row.
    pub(crate) fn new(
        before: Option<&'static str>,
        text: &'static str,
        behind: Option<Node>,
    ) -> Result<Self, String> {
        let mut reader = Reader { text, words: text.split_whitespace().collect(), next: 0 };
        let mut nodes: Vec<Node> =
            before.map(|keyword| Node::Atom(Atom::Keyword(keyword))).into_iter().collect();
        nodes.push(reader.alternatives()?);
        if let Some(word) = reader.words.get(reader.next) {
            return Err(format!("{text}: a {word} too many"));
        }
        nodes.extend(behind);
        let mut syntax = Self { atoms: Vec::new(), first: Vec::new(), follow: Vec::new(), last: Vec::new() };
        let whole = syntax.build(&Node::All(nodes));
        if whole.empty {
            return Err(format!("{text}: may be empty"));
        }
        syntax.first = whole.first;
        syntax.last = vec![false; syntax.atoms.len()];
        for place in whole.last {
            syntax.last[place] = true;
        }
        Ok(syntax)
    }

    /// Gives places to everything in a node.
    fn build(&mut self, node: &Node) -> Piece {
        match node {
            Node::Atom(atom) => {
                let place = self.atoms.len();
                self.atoms.push(*atom);
                self.follow.push(Vec::new());
                Piece { empty: false, first: vec![place], last: vec![place] }
            }
            Node::All(nodes) => {
                let mut whole = Piece { empty: true, first: Vec::new(), last: Vec::new() };
                for node in nodes {
                    let piece = self.build(node);
                    self.chain(&whole.last, &piece.first);
                    if whole.empty {
                        whole.first.extend(&piece.first);
                    }
                    if !piece.empty {
                        whole.last.clear();
                    }
                    whole.last.extend(piece.last);
                    whole.empty &= piece.empty;
                }
                whole
            }
            Node::One(nodes) => {
                let mut whole = Piece { empty: false, first: Vec::new(), last: Vec::new() };
                for node in nodes {
                    let piece = self.build(node);
                    whole.first.extend(piece.first);
                    whole.last.extend(piece.last);
                    whole.empty |= piece.empty;
                }
                whole
            }
            Node::Maybe(node) => Piece { empty: true, ..self.build(node) },
            Node::Times(node, times) => {
                let mut whole = self.build(node);
                let mut end = whole.last.clone();
                for _ in 1..*times {
                    let piece = self.build(node);
                    self.chain(&end, &piece.first);
                    whole.last.extend(&piece.last);
                    end = piece.last;
                }
                whole
            }
        }
    }

    /// Lets each of some places be followed by each of others.
    fn chain(&mut self, ends: &[usize], starts: &[usize]) {
        for &end in ends {
            self.follow[end].extend(starts);
        }
    }
}

/// A syntax as it is written.
pub(crate) enum Node {
    /// `word` or `<parameter>`.
    Atom(Atom),
    /// One after the other.
    All(Vec<Self>),
    /// `{ this | that }`
    One(Vec<Self>),
    /// `[ maybe ]`
    Maybe(Box<Self>),
    /// `<parameter>&7`, `{ this | that }&7`
    Times(Box<Self>, usize),
}

/// What of a node others are chained to.
struct Piece {
    /// Whether there may be nothing of it.
    empty: bool,
    first: Vec<usize>,
    last: Vec<usize>,
}

/// Goes through the words of a syntax.
struct Reader {
    text: &'static str,
    words: Vec<&'static str>,
    next: usize,
}

impl Reader {
    /// What stands between `|`, up to a bracket that ends it, or the end.
    fn alternatives(&mut self) -> Result<Node, String> {
        let mut nodes = vec![self.sequence()?];
        while self.words.get(self.next) == Some(&"|") {
            self.next += 1;
            nodes.push(self.sequence()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::One(nodes) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while let Some(&word) = self.words.get(self.next) {
            if matches!(word, "|" | "]") || word.starts_with('}') {
                break;
            }
            self.next += 1;
            let (node, end) = match word {
                "[" => (Node::Maybe(Box::new(self.alternatives()?)), self.close("]")?),
                "{" => (self.alternatives()?, self.close("}")?),
                _ => {
                    let (word, times) = word.split_at(word.find('&').unwrap_or(word.len()));
                    (Node::Atom(self.atom(word)?), times)
                }
            };
            nodes.push(if end.is_empty() { node } else { Node::Times(Box::new(node), self.times(end)?) });
        }
        if nodes.is_empty() {
            Err(format!("{}: nothing where something is expected", self.text))
        } else {
            Ok(Node::All(nodes))
        }
    }

    /// The bracket that ends what another one began; gives what is written behind it.
    fn close(&mut self, bracket: &str) -> Result<&'static str, String> {
        let word = self.words.get(self.next).copied().unwrap_or("");
        self.next += 1;
        word.strip_prefix(bracket).ok_or_else(|| format!("{}: `{word}`, expected `{bracket}`", self.text))
    }

    fn atom(&self, word: &'static str) -> Result<Atom, String> {
        if let Some(name) = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
            let kind = Kind::named(name).ok_or_else(|| format!("{}: <{name}> is no parameter", self.text))?;
            return Ok(Atom::Parameter(kind));
        }
        let fits = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits { Ok(Atom::Keyword(word)) } else { Err(format!("{}: `{word}` is no keyword", self.text)) }
    }

    /// The number behind `&`.
    fn times(&self, word: &str) -> Result<usize, String> {
        let times = word.strip_prefix('&').and_then(|times| times.parse().ok());
        times
            .filter(|times| (2..=TIMES_MAX).contains(times))
            .ok_or_else(|| format!("{}: `{word}`, expected &2 to &{TIMES_MAX}", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(atom: Atom) -> String {
        match atom {
            Atom::Keyword(keyword) => keyword.to_owned(),
            Atom::Parameter(kind) => format!("<{}>", kind.name),
        }
    }

    /// All lines that a syntax describes, as their words; those that still go on after `most` words are left out.
    fn lines(text: &'static str, most: usize) -> String {
        let syntax = match Syntax::new(None, text, None) {
            Ok(syntax) => syntax,
            Err(fault) => return fault,
        };
        let mut lines = Vec::new();
        let mut open: Vec<Vec<usize>> = syntax.first.iter().map(|&place| vec![place]).collect();
        while let Some(line) = open.pop() {
            let end = *line.last().expect("not empty");
            if syntax.last[end] {
                lines.push(line.iter().map(|&place| show(syntax.atoms[place])).collect::<Vec<_>>().join(" "));
            }
            if line.len() < most {
                open.extend(syntax.follow[end].iter().map(|&next| [&line[..], &[next]].concat()));
            }
        }
        lines.sort();
        lines.join("; ")
    }

    #[test]
    fn syntaxes() {
        let rows = [
            ("bmp", "bmp"),
            ("a b", "a b"),
            ("a [ b ]", "a; a b"),
            ("a [ b ] c", "a b c; a c"),
            ("a [ b ] [ c ]", "a; a b; a b c; a c"),
            ("[ a ] b", "a b; b"),
            ("a { b | c } d", "a b d; a c d"),
            ("a { b | c d }", "a b; a c d"),
            ("a [ b | c ]", "a; a b; a c"),
            ("a [ b [ c ] ]", "a; a b; a b c"),
            ("a { b | [ c ] }", "a; a b; a c"),
            ("a <port>&3", "a <port>; a <port> <port>; a <port> <port> <port>"),
            ("a { b | c }&2", "a b; a b b; a b c; a c; a c b; a c c"),
            ("a [ b c ]&2 d", "a [ b c ]&2 d: `]` is no keyword"),
            ("{ a | b } { c | d }", "a c; a d; b c; b d"),
            ("a | b", "a; b"),
            ("[ a ]", "[ a ]: may be empty"),
            ("", ": nothing where something is expected"),
            ("a { b", "a { b: ``, expected `}`"),
            ("a { b ]", "a { b ]: `]`, expected `}`"),
            ("a ]", "a ]: a ] too many"),
            ("a { | b }", "a { | b }: nothing where something is expected"),
            ("a <nothing>", "a <nothing>: <nothing> is no parameter"),
            ("a B", "a B: `B` is no keyword"),
            ("a <port>&1", "a <port>&1: `&1`, expected &2 to &31"),
            ("a <port>&x", "a <port>&x: `&x`, expected &2 to &31"),
        ];
        for (text, answer) in rows {
            assert_eq!(lines(text, 6), answer, "{text}");
        }
    }
}
