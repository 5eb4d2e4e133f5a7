//! The commits that are kept, as `display configuration commit list` shows them.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Commit, Store};

/// How a time is shown.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// The widths of the columns of a row, the last one open.
const WIDTHS: [usize; 6] = [12, 18, 16, 11, 10, 21];

impl Store {
    /// `display configuration commit list`: a row a commit, the youngest first; `verbose`: a block a commit.
    #[must_use]
    pub fn list(&self, verbose: bool, zone: &TimeZone) -> String {
        if verbose { self.blocks(zone) } else { self.rows(zone) }
    }

    /// The same as JSON.
    #[must_use]
    pub fn list_json(&self, zone: &TimeZone) -> Value {
        let rows = self.commits().map(|commit| {
            json!({
                "commit-id": commit.id,
                "label": commit.label.as_deref(),
                "user": &*commit.user,
                "user-intf": interface(commit),
                "type": self.kind(commit),
                "timestamp": shown(commit, zone),
                "description": commit.description.as_deref(),
            })
        });
        json!({ "commits": rows.collect::<Vec<_>>() })
    }

    fn rows(&self, zone: &TimeZone) -> String {
        let titles = ["CommitId", "Label", "User", "User-Intf", "Type", "TimeStamp", "Description"];
        let mut text = row(&titles.map(String::from));
        text.push_str(&"-".repeat(WIDTHS.iter().sum::<usize>() + titles[6].len()));
        text.push('\n');
        for commit in self.commits() {
            text.push_str(&row(&self.cells(commit, zone)));
        }
        text
    }

    fn blocks(&self, zone: &TimeZone) -> String {
        let mut text = String::new();
        for commit in self.commits() {
            let [id, label, user, interface, kind, time, description] = self.cells(commit, zone);
            let _ = write!(
                text,
                "CommitId: {id}\n  Label: {label}\n  User: {user}\n  User-Intf: {interface}\n  Type: {kind}\n  \
                 TimeStamp: {time}\n  Description: {description}\n"
            );
        }
        text
    }

    fn cells(&self, commit: &Commit, zone: &TimeZone) -> [String; 7] {
        let or_dash = |text: &Option<_>| text.as_deref().unwrap_or("-").to_owned();
        [
            commit.id.to_string(),
            or_dash(&commit.label),
            commit.user.to_string(),
            interface(commit).to_owned(),
            self.kind(commit).to_owned(),
            shown(commit, zone),
            or_dash(&commit.description),
        ]
    }

    /// What kind of commit it is: on trial only while it is.
    fn kind(&self, commit: &Commit) -> &'static str {
        match &self.trial {
            Some(trial) if commit.id > trial.back_id => "Trial",
            _ if &*commit.line == "rollback" => "Rollback",
            _ => "Commit",
        }
    }
}

/// Where it came from.
fn interface(commit: &Commit) -> &'static str {
    if &*commit.line == "file" { "file" } else { "shell" }
}

fn shown(commit: &Commit, zone: &TimeZone) -> String {
    commit.time.to_zoned(zone.clone()).strftime(TIME).to_string()
}

/// The cells of a row in their columns; what is too long pushes the rest on.
fn row(cells: &[String; 7]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(WIDTHS) {
        let _ = write!(text, "{cell:<width$}");
        if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    text.push_str(&cells[6]);
    text.push('\n');
    text
}
