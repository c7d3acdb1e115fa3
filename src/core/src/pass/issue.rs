//! Making a pass: the issuer's side of the format.

use super::{Claims, MAX_BYTES, MAX_QR_TEXT, PREFIX};
use crate::base45;
use crate::cbor::{Buf, CborError};
use crate::cose::{self, Purpose};
use core::fmt;
use ed25519_dalek::SigningKey;

/// The text of a pass, ready for a QR code in alphanumeric mode.
pub type Payload = heapless::String<MAX_QR_TEXT>;

/// Why a pass can not be made of some claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// A field is outside its bounds: an expiry not after the issue, a lifetime over 400 days, a
    /// control character in the name, a document tail of other than 0-9 and X.
    Claims(CborError),
    /// The signed pass would be longer than [`MAX_QR_TEXT`].
    TooLong,
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IssueError::Claims(_) => f.write_str(
                "a field of the pass is outside its bounds: expiry must follow issue by at most 400 days, \
                 the document tail is up to four of 0-9 and X, the name has no control characters",
            ),
            IssueError::TooLong => {
                f.write_str("the pass would not fit a QR code of version 10-M: shorten the name or leave fields out")
            }
        }
    }
}

impl core::error::Error for IssueError {}

/// Signs claims and writes them as a pass.
pub fn issue(claims: &Claims, key: &SigningKey) -> Result<Payload, IssueError> {
    claims.check().map_err(IssueError::Claims)?;
    let mut payload = Buf::<MAX_BYTES>::new();
    claims.encode(&mut payload).map_err(|_| IssueError::TooLong)?;
    let mut message = Buf::<MAX_BYTES>::new();
    let mut scratch = Buf::<{ MAX_BYTES + 64 }>::new();
    cose::sign1(&mut message, key, Purpose::Pass, payload.as_bytes(), &mut scratch).map_err(|_| IssueError::TooLong)?;
    let mut text = Payload::new();
    let mut fits = true;
    PREFIX.iter().for_each(|&c| fits &= text.push(char::from(c)).is_ok());
    base45::encode(message.as_bytes(), |c| fits &= text.push(char::from(c)).is_ok());
    if fits { Ok(text) } else { Err(IssueError::TooLong) }
}
