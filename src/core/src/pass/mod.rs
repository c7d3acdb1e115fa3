//! The pass: what a holder shows, from the text in the QR code to a value that has been verified.
//!
//! Format MS1: `MS1:` + Base45 (RFC 9285) of a tagged COSE_Sign1 (RFC 9052) whose payload is a map of
//! CWT claims (RFC 8392) in deterministic CBOR (RFC 8949 section 4.2), at most [`MAX_BYTES`] bytes.
//! `docs/pass.cddl` is the same in CDDL.
//!
//! Three types, each made only by the check before it:
//!
//! - [`UnverifiedPass`]: well formed, canonical, every field in bounds. Says who *claims* to have
//!   signed and nothing else: its claims can not be read.
//! - [`VerifiedPass`]: the key is in the trust list, belongs to the issuer that the pass names, was
//!   valid when the pass was issued, and its signature is strictly right. Has no other constructor.
//! - [`crate::decide::Decision`] takes only a `VerifiedPass`.
//!
//! [`issue`] is the other direction, for those who hold an issuer's key.

mod claims;
mod issue;
mod unverified;
mod verified;

pub use claims::{
    Claims, Colour, Display, Kind, Level, MAX_ID_TAIL_CHARS, MAX_LIFETIME_S, MAX_NAME_BYTES, Test, TestResult,
};
pub use issue::{IssueError, Payload, issue};
pub use unverified::{PassError, UnverifiedPass, parse};
pub use verified::{VerifiedPass, VerifyError};

/// The text every pass begins with.
pub const PREFIX: &[u8] = b"MS1:";

/// The most bytes a pass may have before Base45.
pub const MAX_BYTES: usize = 512;

/// The most characters of a pass that is issued: what a QR code of version 10-M holds in alphanumeric
/// mode (ISO/IEC 18004 table 7), so that every pass can be shown and printed.
pub const MAX_QR_TEXT: usize = 311;

/// The most characters a pass may have: the prefix and 3 for every 2 bytes.
pub const MAX_TEXT: usize = PREFIX.len() + MAX_BYTES / 2 * 3;

#[cfg(test)]
mod tests;
