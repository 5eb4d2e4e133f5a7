//! Texts of configurations, and what they mean.

mod refused;
mod understood;

use super::*;
use crate::load::{Loaded, load};

fn vault() -> Vault {
    Vault::new([7; 32])
}

fn loaded(text: &str) -> Loaded {
    let errors = |errors: Vec<crate::load::FileError>| -> Loaded {
        let shown: Vec<_> = errors.iter().map(|error| format!("line {}: {error}", error.line)).collect();
        panic!("{text}\n{}", shown.join("\n"))
    };
    load(text, &vault(), &mut |octets| octets.fill(9)).unwrap_or_else(errors)
}

/// What is wrong and what is odd, each with its line: `E3 …`, `W2 …`. Lines are counted from 1.
fn said(text: &str) -> Vec<String> {
    let loaded = loaded(text);
    let (problems, letter) = match mean(&loaded.tree, &vault()) {
        Ok((_, warnings)) => (warnings, 'W'),
        Err(problems) => (problems, 'E'),
    };
    assert!(letter == 'W' || !problems.is_empty(), "refused, and nobody knows why: {text}");
    let line = |problem: &Problem| loaded.lines.get(&problem.path).map_or(0, |(line, _)| *line);
    problems.iter().map(|problem| format!("{letter}{} {}", line(problem), problem.text)).collect()
}

/// The meaning of what is understood without a word.
fn meaning(text: &str) -> Meaning {
    match mean(&loaded(text).tree, &vault()) {
        Ok((meaning, _)) => meaning,
        Err(problems) => panic!("{text}\n{problems:?}"),
    }
}
