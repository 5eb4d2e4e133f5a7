//! Whole conversations: what was typed behind which prompt, and what came of it.
//!
//! A transcript is what operators see. Each line that one of them types begins with their name and a bar; what
//! they typed is what stands behind the prompt; what they were told is indented by as much, so that a caret is
//! where it should be. `+N` lets N seconds pass. An engine that does at once whatever it is asked for says so in
//! round brackets.

mod answers;
mod commits;
mod secrets;
mod views;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::secret::Vault;

/// A store, an engine that does all it is asked, and some operators.
struct Room {
    store: Store,
    vault: Vault,
    nonce: u8,
    now: Timestamp,
    shells: Vec<(char, Shell)>,
    /// Whether the engine refuses what is to be committed.
    refuses: bool,
    zone: TimeZone,
}

impl Room {
    fn new() -> Self {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        Self {
            store: Store::new(Tree::default()),
            vault: Vault::new([7; 32]),
            nonce: 0,
            now,
            shells: Vec::new(),
            refuses: false,
            zone: TimeZone::UTC,
        }
    }

    /// Does something with the shell of an operator.
    fn with<T>(&mut self, who: char, act: impl FnOnce(&mut Shell, &mut Around<'_>) -> T) -> T {
        if self.shells.iter().all(|(name, _)| *name != who) {
            self.shells.push((who, Shell::new(&who.to_string(), u64::from(u32::from(who)))));
        }
        let Self { store, vault, nonce, now, shells, zone, .. } = self;
        let mut random = |octets: &mut [u8]| {
            *nonce = nonce.wrapping_add(1);
            octets.fill(*nonce);
        };
        let mut around = Around { store, vault, random: &mut random, host: "H", now: *now, zone };
        let (_, shell) = shells.iter_mut().find(|(name, _)| *name == who).expect("made above");
        act(shell, &mut around)
    }

    fn prompt(&mut self, who: char) -> String {
        self.with(who, |shell, around| shell.prompt(around))
    }

    /// What an operator sees of a line.
    fn types(&mut self, who: char, line: &str) -> String {
        match self.with(who, |shell, around| shell.line(around, line)) {
            Outcome::Done => String::new(),
            Outcome::Show(text) | Outcome::Refused(text) => text,
            Outcome::Leave => "(left)\n".into(),
            Outcome::Ask(ask) => self.does(who, *ask),
        }
    }

    fn does(&mut self, who: char, ask: Ask) -> String {
        match ask {
            Ask::Commit(_) if self.refuses => "Error: The engine is against it.\n".into(),
            Ask::RollbackFile(file) => {
                self.with(who, |shell, _| shell.committed());
                format!("(went back to {file})\n")
            }
            Ask::Commit(proposal) => match self.store.commit(&proposal, &who.to_string(), self.now) {
                Ok(id) => {
                    self.with(who, |shell, _| shell.committed());
                    format!("({} {id})\n", proposal.line)
                }
                Err(why) => format!("Error: {why}\n"),
            },
            Ask::AbortTrial => format!("(taken back: {})\n", self.store.abort().is_some()),
            Ask::Save => {
                self.store.mark_saved();
                "(saved)\n".into()
            }
            other => format!("({other:?})\n"),
        }
    }

    /// Plays a transcript; gives it as it comes out.
    fn play(&mut self, transcript: &str) -> String {
        let mut seen = String::new();
        for line in transcript.lines() {
            if let Some(seconds) = line.strip_prefix('+') {
                self.now = self
                    .now
                    .saturating_add(jiff::SignedDuration::from_secs(seconds.parse().expect("N")))
                    .expect("soon");
                seen.push_str(line);
                seen.push_str(if self.store.expire(self.now).is_some() { " (taken back)\n" } else { "\n" });
            } else if let Some((who, typed)) = line.split_once('|').filter(|(who, _)| who.len() == 1) {
                let end = typed.find(['>', ']']).map_or(0, |at| at + 1);
                let typed = typed[end..].trim_start_matches(':');
                let who = who.chars().next().expect("one letter");
                seen.push_str(&format!("{who}|{}{typed}\n", self.prompt(who)));
                for said in self.types(who, typed).lines() {
                    seen.push_str(&format!("  {said}\n"));
                }
            }
        }
        seen
    }
}

/// Plays it, and sees that it comes out as it stands.
#[track_caller]
fn conversation(transcript: &str) -> Room {
    let mut room = Room::new();
    proceeds(&mut room, transcript);
    room
}

#[track_caller]
fn proceeds(room: &mut Room, transcript: &str) {
    let transcript = transcript.strip_prefix('\n').unwrap_or(transcript);
    // The answers to `+N` are the harness's: they are no part of what is typed.
    let script: String = transcript
        .lines()
        .map(|line| format!("{}\n", line.strip_suffix(" (taken back)").unwrap_or(line)))
        .collect();
    let seen = room.play(&script);
    assert!(seen == transcript, "expected:\n{transcript}\ncame out:\n{seen}");
}
