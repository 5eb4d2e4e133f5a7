//! Manual pages and completions: both from what the arguments and the command table say already.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::Failure;
use crate::arguments::Arguments;

/// The page of everything that can be typed.
const COMMANDS: &str = "heliograph-commands";

/// Writes the pages into a folder; without one, the program's own page to standard output.
///
/// # Errors
/// They cannot be written.
pub(crate) fn man(folder: Option<&Path>) -> Result<(), Failure> {
    // Else there would be pages about `help`, which is a page itself.
    let program = Arguments::command().disable_help_subcommand(true);
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(program).render(&mut page).map_err(|error| Failure::output(&error))?;
        return print(&page);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(program, folder))
        .and_then(|()| fs::write(folder.join(format!("{COMMANDS}.7")), commands(&config::manual::page())))
        .map_err(|error| Failure(format!("{} cannot be written: {error}", folder.display())))
}

/// Writes what a shell needs to complete our arguments.
///
/// # Errors
/// Standard output is not to be written to.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut program = Arguments::command();
    let name = program.get_name().to_owned();
    // Not straight to standard output: the generator panics where that cannot be written.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    print(&script)
}

fn print(octets: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(octets).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// The manual of the commands as a page for `man`: of Markdown it knows what that page has, and no more.
fn commands(markdown: &str) -> String {
    let source = concat!("heliograph ", env!("CARGO_PKG_VERSION"));
    let mut page = Roff::new();
    // Without a date: the same sources make the same page.
    page.control("TH", [COMMANDS, "7", " ", source, "Heliograph"]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{COMMANDS} - what can be configured, and what can be typed in the shell"))]);
    page.control("SH", ["DESCRIPTION"]);
    let mut is_code = false;
    let mut is_blank = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            if is_code {
                page.control("PP", []).control("RS", ["4"]).control("nf", []);
            } else {
                page.control("fi", []).control("RE", []);
            }
        } else if is_code {
            page.text([bold(line)]);
        } else if let Some(title) = line.strip_prefix("### ") {
            page.control("SS", [title]);
        } else if let Some(title) = line.strip_prefix("## ") {
            page.control("SH", [title.to_uppercase().as_str()]);
        } else if let Some(row) = line.strip_prefix('|') {
            parameter(&mut page, row);
        } else if !line.is_empty() && !line.starts_with("# ") {
            if is_blank {
                page.control("PP", []);
            }
            page.text(inline(line));
        }
        is_blank = line.is_empty();
    }
    page.render()
}

/// A row of a table of parameters: name, values, help. The head of the table says nothing that a page needs.
fn parameter(page: &mut Roff, row: &str) {
    // A `|` between backticks is no border.
    let mut is_code = false;
    let cells: Vec<&str> = row
        .split(|c| {
            is_code ^= c == '`';
            c == '|' && !is_code
        })
        .map(str::trim)
        .collect();
    if let [name, values, help, ..] = cells[..]
        && name.starts_with('`')
    {
        page.control("TP", []);
        page.text([italic(name.trim_matches('`'))]);
        let mut text = inline(values);
        if !help.is_empty() {
            text.push(roman(format!(": {help}")));
        }
        page.text(text);
    }
}

/// What stands between backticks is bold.
fn inline(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_a_page() {
        let markdown = "# Commands\n\nOne `a | b` and\ntwo.\n\nNew.\n\n## In the user view\n\n### save\n\n\
                        ```text\nsave [ it ]\n.not a request\n```\n\n| Parameter | Value | |\n| --- | --- | --- |\n\
                        | `<a>` | `X | Y` or `Z` | An a |\n";
        let page = commands(markdown);
        let body = page.split_once(".SH DESCRIPTION\n").expect("a description").1;
        let wanted = ".PP\nOne \\fBa | b\\fR and\ntwo.\n.PP\nNew.\n.SH \"IN THE USER VIEW\"\n.SS save\n.PP\n.RS 4\n.nf\n\
                      \\fBsave [ it ]\\fR\n\\fB.not a request\\fR\n.fi\n.RE\n.TP\n\\fI<a>\\fR\n\
                      \\fBX | Y\\fR or \\fBZ\\fR: An a\n";
        assert_eq!(body, wanted);
    }
}
