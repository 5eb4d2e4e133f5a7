//! Text from outside, made harmless: no control characters, and not too much of it.

use std::fmt::{self, Display, Write};

/// Stands where more was.
const ELLIPSIS: char = '…';

/// A writer that escapes what could move a cursor or turn the direction of writing, and that ends after a
/// number of characters. Two texts that differ and are not cut differ here as well.
#[derive(Debug)]
pub(crate) struct Clean {
    text: String,
    left: usize,
    cut: bool,
}

impl Clean {
    /// At most so many characters, before escapes.
    pub(crate) fn new(max: usize) -> Self {
        Self { text: String::new(), left: max, cut: false }
    }

    /// What was written.
    pub(crate) fn finish(mut self) -> String {
        if self.cut {
            self.text.push(ELLIPSIS);
        }
        self.text
    }
}

impl Write for Clean {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if self.left == 0 {
                self.cut = true;
                return Ok(());
            }
            self.left -= 1;
            match char {
                '\'' | '"' => self.text.push(char),
                // Takes care of line separators and of marks as well, and of what begins an escape.
                _ => self.text.extend(char.escape_debug()),
            }
        }
        Ok(())
    }
}

/// A text of at most `max` characters, made harmless.
pub(crate) fn clean(max: usize, text: &dyn Display) -> String {
    let mut clean = Clean::new(max);
    // It does not fail; a `Display` that does has said what it could.
    let _ = write!(clean, "{text}");
    clean.finish()
}
