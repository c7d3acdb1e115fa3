//! From the text of a QR code to a pass that is well formed and still believed in nothing.

use super::{Claims, MAX_BYTES, MAX_TEXT, PREFIX};
use crate::base45::{self, Base45Error};
use crate::cbor::{Buf, CborError};
use crate::cose::Sign1;
use crate::ids::KeyId;
use core::fmt;

/// Why a payload is not a well-formed pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassError {
    /// Some other code: it does not begin as a pass does.
    NotAPass,
    /// Longer than a pass may be.
    TooLong,
    /// The text after the prefix is not Base45.
    Text(Base45Error),
    /// The bytes are not one COSE_Sign1.
    Envelope(CborError),
    /// The claims are not those of a pass.
    Claims(CborError),
}

impl fmt::Display for PassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PassError::NotAPass => f.write_str("this code is not a health pass"),
            PassError::TooLong => f.write_str("the pass is longer than a pass may be"),
            PassError::Text(error) => write!(f, "the text of the pass is damaged: {error}"),
            PassError::Envelope(error) => write!(f, "the envelope of the pass is damaged: {error}"),
            PassError::Claims(error) => write!(f, "the claims of the pass are damaged: {error}"),
        }
    }
}

impl core::error::Error for PassError {}

/// A well-formed pass. Who signed it, and whether, is not known yet, so its claims can not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedPass {
    bytes: Buf<MAX_BYTES>,
    pub(super) claims: Claims,
    kid: KeyId,
}

impl UnverifiedPass {
    /// Which key claims to have signed.
    pub fn kid(&self) -> KeyId {
        self.kid
    }

    /// Which issuer the pass claims to be of: for a message to the volunteer, never for a decision.
    pub fn claimed_issuer(&self) -> crate::ids::IssuerId {
        self.claims.issuer
    }

    /// The claims before any check: for tools that explain a pass, never for a gate.
    pub fn claims_unverified(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn sign1(&self) -> Result<Sign1<'_>, CborError> {
        Sign1::parse(self.bytes.as_bytes())
    }
}

/// Parses the payload of a QR code.
///
/// [`PassError::NotAPass`] means "some other code"; every other error means that it begins as a pass
/// and is damaged.
pub fn parse(payload: &[u8]) -> Result<UnverifiedPass, PassError> {
    let text = payload.strip_prefix(PREFIX).ok_or(PassError::NotAPass)?;
    if payload.len() > MAX_TEXT {
        return Err(PassError::TooLong);
    }
    let mut decoded = [0; MAX_BYTES];
    let size = base45::decode(text, &mut decoded).map_err(PassError::Text)?;
    let (kid, claims) = {
        let sign1 = Sign1::parse(&decoded[..size]).map_err(PassError::Envelope)?;
        (sign1.kid, Claims::decode(sign1.payload).map_err(PassError::Claims)?)
    };
    let mut bytes = Buf::new();
    minicbor::encode::Write::write_all(&mut bytes, &decoded[..size]).map_err(|_| PassError::TooLong)?;
    Ok(UnverifiedPass { bytes, claims, kid })
}
