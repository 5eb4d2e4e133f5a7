//! Which lines a history should not keep.

use crate::mask;

/// Whether a line may hold a secret in clear, so that it should not be kept in a history: rather once too often
/// than once too rarely. It does not have to be a line that is understood: `pasword` is followed by one too.
#[must_use]
pub fn has_secret(line: &str) -> bool {
    mask::secret_at(line).is_some()
}
