//! A configuration as text: whole, a section, one view, and what differs between two; and as JSON.
//!
//! ```text
//!   #                                   a section
//!   bmp                                 a statement
//!    bmp-session 10.1.1.1               one blank a level
//!     tcp connect port 5000
//!   #
//!   return
//! ```

use serde_json::{Map, Value as Json, json};

use crate::table::{TABLE, View};
use crate::tree::{Node, Part, Place, Statement, Tree};
use crate::value::Value;

/// The whole text: sections begin with `#`, one blank a level, `return` at the end.
#[must_use]
pub fn text(tree: &Tree, include_default: bool) -> String {
    let mut lines = Vec::new();
    inside(tree, View::System, 0, include_default, &mut lines);
    sections(&lines)
}

/// What stands in one view, as `display this` shows it: the statement that enters it and all below.
#[must_use]
pub fn this(tree: &Tree, path: &[Place], include_default: bool) -> String {
    if path.is_empty() {
        return text(tree, include_default);
    }
    let mut lines = Vec::new();
    if let Some(node) = tree.node(path) {
        whole(node, path.len() - 1, include_default, &mut lines);
    }
    sections(&lines)
}

/// The statements of one kind, by their first word, and what stands in them, as
/// `display current-configuration configuration TYPE INSTANCE` shows it: of one name, if there is one.
#[must_use]
pub fn section(tree: &Tree, kind: &str, instance: Option<&str>, include_default: bool) -> String {
    let mut lines = Vec::new();
    select(tree, kind, instance, 0, include_default, &mut lines);
    sections(&lines)
}

/// What [`section`] shows, as a tree.
#[must_use]
pub fn selected(tree: &Tree, kind: &str, instance: Option<&str>) -> Tree {
    tree.filtered(&|statement| is_of(statement, kind, instance))
}

/// What differs: lines with `-` and `+`, each under the views it stands in; nothing if nothing does.
#[must_use]
pub fn changes(old: &Tree, new: &Tree) -> String {
    let mut lines = Vec::new();
    compare(old, new, 0, &mut lines);
    lines.concat()
}

/// A configuration as JSON: `{ "commands": [ { "line", "parameters", "commands" } ] }`.
#[must_use]
pub fn json(tree: &Tree) -> Json {
    let commands = tree.nodes().map(|(_, node)| {
        let mut command = Map::new();
        command.insert("line".into(), node.statement.to_string().into());
        command.insert("parameters".into(), parameters(&node.statement));
        if !node.inner.is_empty() {
            command.insert("commands".into(), json(&node.inner)["commands"].take());
        }
        Json::Object(command)
    });
    json!({ "commands": commands.collect::<Vec<_>>() })
}

/// The values of a statement by name; an array where a name stands several times.
fn parameters(statement: &Statement) -> Json {
    let mut all = Map::new();
    for part in &statement.parts {
        let Part::Value(name, value) = part else { continue };
        let value = match value {
            Value::Number(number) => Json::from(*number),
            Value::Text(text) | Value::Rest(text) => Json::from(&**text),
            other => Json::from(other.to_string()),
        };
        match all.get_mut(*name) {
            Some(Json::Array(several)) => several.push(value),
            Some(one) => *one = json!([one.take(), value]),
            None => {
                all.insert((*name).into(), value);
            }
        }
    }
    Json::Object(all)
}

/// A line of a configuration, and how deep it stands.
struct Line {
    level: usize,
    text: String,
    /// Whether it may stand in a section with the one before: neither enters a view, and they are of one row.
    joins: bool,
}

/// Lines as text. A section is a statement of the outermost level with all below, or several short ones.
fn sections(lines: &[Line]) -> String {
    let outermost = lines.iter().map(|line| line.level).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        if line.level == outermost && !line.joins {
            text.push_str("#\n");
        }
        text.extend(std::iter::repeat_n(' ', line.level));
        text.push_str(&line.text);
        text.push('\n');
    }
    text.push_str("#\nreturn\n");
    text
}

/// What stands in a view, and what holds there because nothing else is configured.
fn inside(tree: &Tree, view: View, level: usize, include_default: bool, lines: &mut Vec<Line>) {
    let mut before = None;
    let mut nodes = tree.nodes().peekable();
    for (index, row) in TABLE.iter().enumerate() {
        let Some(set) = row.set() else { break }; // what is configured comes first
        let mut absent = true;
        while let Some((_, node)) = nodes.next_if(|(place, _)| place.row == index) {
            absent = false;
            let first = lines.len();
            whole(node, level, include_default, lines);
            lines[first].joins = before == Some(index) && set.enters.is_none();
            before = Some(index);
        }
        if let Some(line) = set.default.filter(|_| include_default && absent && row.views.contains(&view)) {
            lines.push(Line { level, text: line.into(), joins: false });
        }
    }
}

/// A statement and all that stands in its view.
fn whole(node: &Node, level: usize, include_default: bool, lines: &mut Vec<Line>) {
    lines.push(Line { level, text: node.statement.to_string(), joins: false });
    if let Some((view, _)) = node.statement.of().set().and_then(|set| set.enters) {
        inside(&node.inner, view, level + 1, include_default, lines);
    }
}

/// The statements of one kind, under the views that they stand in.
fn select(
    tree: &Tree,
    kind: &str,
    instance: Option<&str>,
    level: usize,
    include_default: bool,
    lines: &mut Vec<Line>,
) {
    for (_, node) in tree.nodes() {
        if is_of(&node.statement, kind, instance) {
            whole(node, level, include_default, lines);
            continue;
        }
        lines.push(Line { level, text: node.statement.to_string(), joins: false });
        let length = lines.len();
        select(&node.inner, kind, instance, level + 1, include_default, lines);
        if lines.len() == length {
            lines.pop();
        }
    }
}

/// Whether a statement begins with this word, and has this for one of its values.
fn is_of(statement: &Statement, kind: &str, instance: Option<&str>) -> bool {
    // Some names are kept in lower case and some are not: letters of another size never hide a statement.
    let is = |value: &Value, name: &str| match value {
        Value::Text(text) => text.eq_ignore_ascii_case(name),
        other => other.to_string().eq_ignore_ascii_case(name),
    };
    let named = |name: &str| {
        let mut parts = statement.parts.iter();
        parts.any(|part| matches!(part, Part::Value(_, value) if is(value, name)))
    };
    let begins =
        matches!(statement.parts.first(), Some(Part::Keyword(word)) if word.eq_ignore_ascii_case(kind));
    begins && instance.is_none_or(named)
}

/// Both in order, as one walks down two lists that are sorted alike.
fn compare(old: &Tree, new: &Tree, level: usize, lines: &mut Vec<String>) {
    let (mut left, mut right) = (old.nodes().peekable(), new.nodes().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return,
        };
        let gone = if order.is_le() { left.next() } else { None };
        let come = if order.is_ge() { right.next() } else { None };
        match (gone, come) {
            (Some((_, gone)), Some((_, come))) => both(gone, come, level, lines),
            (Some((_, gone)), None) => signed('-', gone, level, lines),
            (None, Some((_, come))) => signed('+', come, level, lines),
            (None, None) => {}
        }
    }
}

/// A statement that is in both, perhaps in other words.
fn both(old: &Node, new: &Node, level: usize, lines: &mut Vec<String>) {
    let line = |sign: char, node: &Node| format!("{sign}{}{}\n", " ".repeat(level), node.statement);
    let length = lines.len();
    if old.statement == new.statement {
        lines.push(line(' ', new));
        compare(&old.inner, &new.inner, level + 1, lines);
        if lines.len() == length + 1 {
            lines.pop();
        }
        return;
    }
    lines.extend([line('-', old), line('+', new)]);
    compare(&old.inner, &new.inner, level + 1, lines);
}

/// A statement that is in one of them, with all below.
fn signed(sign: char, node: &Node, level: usize, lines: &mut Vec<String>) {
    let mut all = Vec::new();
    whole(node, level, false, &mut all);
    lines.extend(all.iter().map(|line| format!("{sign}{}{}\n", " ".repeat(line.level), line.text)));
}
