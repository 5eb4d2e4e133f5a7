//! `-c`: only what is shown goes to standard output. A refusal goes to standard error, with its line, so that the
//! caret stands under what it means.

use std::io::{self, Write as _};

use config::mask::masked;

use super::{below, ended, harmless, question, show, table};
use crate::Failure;
use crate::client::Client;

pub(super) fn run(mut client: Client, mut prompt: String, lines: &[String]) -> Result<(), Failure> {
    // An argument may be several lines, as when a file's text is given.
    let lines: Vec<&str> = lines.iter().flat_map(|line| line.split('\n')).collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some(before) = question(line) {
            show(&table(&client.help(before)?))?;
            continue;
        }
        let said = client.line(line)?;
        if said.refused {
            let text = below(&prompt, line, &said.text);
            let _ = write!(io::stderr(), "{prompt}{}\n{}", masked(line).text, harmless(&text));
            return Err(Failure(format!("line {} of {} was refused.", at + 1, lines.len())));
        }
        show(&said.text)?;
        prompt = said.prompt;
        if said.leave {
            return Ok(());
        }
    }
    ended(&prompt)
}
