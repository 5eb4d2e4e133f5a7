//! Lines from a pipe or a file. What goes to standard output reads as if somebody had sat there.

use std::io::{self, BufRead as _};

use config::mask::masked;

use super::{below, ended, question, show, table};
use crate::Failure;
use crate::client::Client;

pub(super) fn run(mut client: Client, mut prompt: String) -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut octets = Vec::new();
    for number in 1u64.. {
        octets.clear();
        let got = input
            .read_until(b'\n', &mut octets)
            .map_err(|error| Failure(format!("standard input cannot be read: {error}")))?;
        if got == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&octets);
        let line = line.trim_end_matches(['\n', '\r']);
        show(&format!("{prompt}{}\n", masked(line).text))?;
        if let Some(before) = question(line) {
            show(&table(&client.help(before)?))?;
            continue;
        }
        let said = client.line(line)?;
        show(&below(&prompt, line, &said.text))?;
        if said.refused {
            return Err(Failure(format!("line {number} was refused, and none of those after it was run.")));
        }
        prompt = said.prompt;
        if said.leave {
            return Ok(());
        }
    }
    ended(&prompt)
}
