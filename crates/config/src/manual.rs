//! The manual: a page of every command, made from the table.

use std::fmt::Write as _;

use crate::table::{Act, Row, TABLE, View};
use crate::value::Kind;

/// Columns of a block of syntax, at most.
const WIDTH: usize = 96;

/// The page, in Markdown: by view, each command with its forms, what it does, and what stands for its parameters.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(TOP);
    let configuring = |row: &&Row| row.views.len() == View::ALL.len() - 1;
    section(&mut page, "In all views", TABLE.iter().filter(|row| row.views == View::ALL));
    section(&mut page, "In all views but the user view", TABLE.iter().filter(configuring));
    for &view in View::ALL {
        let here = |row: &&Row| row.views.contains(&view) && row.views.len() < View::ALL.len() - 1;
        let name = format!("In the {}", view.name());
        section(&mut page, &name, TABLE.iter().filter(here));
    }
    page
}

const TOP: &str = "\
# Commands

All that can be typed into `heliograph shell`, and, of the commands that configure, into a configuration file.
Words may be shortened as long as they stay unique in their view; `?` lists what may come next, and Tab completes.
`undo` takes back a command. A name with blanks stands in double quotes.

`{ a | b }` is one of them, `[ a ]` may be left out, `<name>&7` is up to seven of them in a row. Every command that
begins with `display` may be followed by `| json`, `| begin REGEX`, `| include REGEX` or `| exclude REGEX`.

This page is made from the command table itself.
";

fn section<'a>(page: &mut String, title: &str, rows: impl Iterator<Item = &'a Row>) {
    let _ = write!(page, "\n## {title}\n");
    for row in rows {
        command(page, row);
    }
}

fn command(page: &mut String, row: &Row) {
    let _ = write!(page, "\n### {}\n\n{}.\n\n```text\n", title(row.syntax), row.help);
    wrap(page, row.syntax);
    if let Act::Set(set) = &row.act {
        for undo in set.undo {
            wrap(page, &format!("undo {undo}"));
        }
    }
    page.push_str("```\n");
    let parameters = parameters(row);
    if !parameters.is_empty() {
        page.push_str("\n| Parameter | Value | |\n| --- | --- | --- |\n");
    }
    for kind in parameters {
        let forms: Vec<String> = kind.forms().map(|form| format!("`{form}`")).collect();
        let _ = writeln!(page, "| `<{}>` | {} | {} |", kind.name, forms.join(" or "), kind.help);
    }
    let Act::Set(set) = &row.act else { return };
    if let Some(default) = set.default {
        let _ = write!(page, "\nDefault: `{default}`.\n");
    }
    if let Some((view, _)) = set.enters {
        let _ = write!(page, "\nEnters the {}.\n", view.name());
    }
}

/// The words that a command begins with.
fn title(syntax: &str) -> String {
    let fixed = |word: &&str| !word.starts_with(['<', '[', '{']);
    syntax.split_whitespace().take_while(fixed).collect::<Vec<_>>().join(" ")
}

/// The kinds of a row's parameters, each once, in order.
fn parameters(row: &Row) -> Vec<&'static Kind> {
    let names = row.syntax.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    let mut kinds: Vec<&Kind> = Vec::new();
    for kind in names.filter_map(Kind::named) {
        if kinds.iter().all(|other| other.name != kind.name) {
            kinds.push(kind);
        }
    }
    kinds
}

/// A syntax in lines that are not too long, the second and further ones indented; if it does not fit into one,
/// each of the ways that it first offers begins a line.
fn wrap(page: &mut String, syntax: &str) {
    let (mut length, mut depth) = (0, 0);
    for word in syntax.split_whitespace() {
        depth += usize::from(word.starts_with(['{', '[']));
        let way = syntax.len() > WIDTH && depth == 1 && matches!(word, "{" | "|");
        if length > 0 && (way || length + 1 + word.len() > WIDTH) {
            page.push_str("\n   ");
            length = 3;
        }
        if length > 0 {
            page.push(' ');
        }
        page.push_str(word);
        length += 1 + word.len();
        depth -= usize::from(word.starts_with(['}', ']']));
    }
    page.push('\n');
}
