//! Small text files with a sum in their last line, so that a card that rots is found out.
//!
//! ```text
//! …
//! sum 5f0c3a9be1d24477       the first 8 bytes of SHA-256 of all before it
//! ```

use menshen_core::ids::{Hex, first_8, sha256};

/// The text with its sum; it ends with a line's end.
pub(crate) fn seal(text: &str) -> String {
    format!("{text}sum {}\n", Hex(&first_8(&sha256(text.as_bytes()))))
}

/// The text before a sum that is right.
pub(crate) fn open(sealed: &str) -> Option<&str> {
    let (text, _) = sealed.split_at(sealed.rfind("sum ")?);
    (seal(text) == sealed).then_some(text)
}
