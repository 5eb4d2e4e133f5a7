//! What a shell shows without the engine: configurations, commits, defaults.

use serde_json::{Value, json};

use super::filter::filter;
use super::refuse::error;
use super::{Around, Outcome, Shell};
use crate::parse::Pipe;
use crate::render;
use crate::table::{TABLE, What};
use crate::tree::{Statement, Tree};

/// What an operator of VRP expects first of `display default-parameter bmp`. The rest follows the table.
const DOCUMENTED: [(&str, &str); 2] = [("statistics-timer", "3600"), ("route-mode", "post-policy")];

const NO_SECTION: &str = "Info: There is no such section in the configuration.\n";
const NO_DEBUGGING: &str = "Info: No debugging of BMP is on.\n";

impl Shell {
    /// Answers a `display`, through what follows its `|`.
    pub(super) fn shown(&self, around: &Around<'_>, statement: &Statement, pipe: Option<&Pipe>) -> Outcome {
        if pipe == Some(&Pipe::Json) {
            return Outcome::Show(format!("{:#}\n", self.json(around, statement)));
        }
        let text = self.text(around, statement);
        match pipe.map_or(Ok(text.clone()), |pipe| filter(&text, pipe)) {
            Ok(text) => Outcome::Show(text),
            Err(why) => error(&why),
        }
    }

    fn text(&self, around: &Around<'_>, statement: &Statement) -> String {
        let running = around.store.running();
        let include_default = statement.has("include-default");
        match statement.what() {
            What::DisplayThis => {
                let path = self.path();
                running.at(&path).map_or_else(String::new, |_| render::this(running, &path, include_default))
            }
            What::DisplayCurrent => match section(statement) {
                None => render::text(running, include_default),
                Some((kind, name)) if render::selected(running, kind, name).is_empty() => NO_SECTION.into(),
                Some((kind, name)) => render::section(running, kind, name, include_default),
            },
            What::DisplayCandidate if statement.has("merge") => render::text(self.tree(around.store), false),
            What::DisplayCandidate => self.typed(statement),
            What::DisplayCommits => around.store.list(statement.has("verbose"), around.zone),
            What::DisplayDefaults => {
                defaults().iter().map(|(name, value)| format!("{name} : {value}\n")).collect()
            }
            _ => NO_DEBUGGING.into(),
        }
    }

    fn json(&self, around: &Around<'_>, statement: &Statement) -> Value {
        let running = around.store.running();
        match statement.what() {
            What::DisplayThis => render::json(running.at(&self.path()).unwrap_or(&Tree::default())),
            What::DisplayCurrent => match section(statement) {
                None => render::json(running),
                Some((kind, name)) => render::json(&render::selected(running, kind, name)),
            },
            What::DisplayCandidate if statement.has("merge") => render::json(self.tree(around.store)),
            What::DisplayCandidate => json!({ "lines": self.typed(statement).lines().collect::<Vec<_>>() }),
            What::DisplayCommits => around.store.list_json(around.zone),
            What::DisplayDefaults => {
                defaults().into_iter().map(|(name, value)| (name, Value::from(value))).collect()
            }
            _ => json!({ "debugging": false }),
        }
    }

    /// What was typed since the candidate began, as lines or as what they change.
    fn typed(&self, statement: &Statement) -> String {
        match &self.candidate {
            None => String::new(),
            Some(candidate) if statement.has("changes") => render::changes(&candidate.base, &candidate.tree),
            Some(candidate) => candidate.typed(),
        }
    }
}

/// The kind and the name that `configuration TYPE INSTANCE` asks for.
fn section(statement: &Statement) -> Option<(&str, Option<&str>)> {
    let mut words = statement.values("word").filter_map(|value| match value {
        crate::Value::Text(word) => Some(&**word),
        _ => None,
    });
    Some((words.next()?, words.next()))
}

/// What holds where nothing is configured, by the first words of a command.
fn defaults() -> Vec<(String, String)> {
    let mut list = DOCUMENTED.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let rows = TABLE.iter().filter(|row| row.views.contains(&crate::View::Bmp));
    for line in rows.filter_map(|row| row.set()?.default) {
        // The numbers at the end are the value, the words before them what has it.
        let at = line.find(|c: char| c.is_ascii_digit()).unwrap_or(line.len());
        let (name, value) = (line[..at].trim_end(), &line[at..]);
        if list.iter().all(|(known, _)| known != name) {
            list.push((name.to_owned(), value.to_owned()));
        }
    }
    list
}
