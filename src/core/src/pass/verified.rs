//! The proof that an issuer in the trust list signed a pass.

use super::{Claims, Colour, MAX_BYTES, UnverifiedPass};
use crate::cbor::Buf;
use crate::cose::{CoseError, Purpose};
use crate::ids::{IssuerId, KeyId};
use crate::time::Validity;
use crate::trust::{IssuerKey, TrustList};
use core::fmt;

/// Why a well-formed pass is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The pass names an issuer that the trust list does not have.
    UnknownIssuer(IssuerId),
    /// The issuer is known; this key of it is not.
    UnknownKey(KeyId),
    /// The key is another issuer's.
    WrongIssuer {
        /// Whose key it is.
        key_of: IssuerId,
        /// Who the pass says it is of.
        claimed: IssuerId,
    },
    /// The signature is not of that key over these claims.
    BadSignature,
    /// The key was not valid when the pass says it was issued.
    KeyNotValidAtIssue,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyError::UnknownIssuer(id) => write!(f, "issuer {id} is not in the trust list"),
            VerifyError::UnknownKey(kid) => write!(f, "key {kid} is not in the trust list"),
            VerifyError::WrongIssuer { key_of, claimed } => {
                write!(f, "the key belongs to issuer {key_of}, the pass says {claimed}")
            }
            VerifyError::BadSignature => f.write_str("the signature is not the issuer's"),
            VerifyError::KeyNotValidAtIssue => f.write_str("the key was not valid when the pass was issued"),
        }
    }
}

impl core::error::Error for VerifyError {}

/// A pass that an issuer in the trust list has signed. Only [`UnverifiedPass::verify`] makes one.
///
/// Says nothing of expiry, recognition or colour treatment: those depend on time and place and are
/// [`crate::decide`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPass {
    claims: Claims,
    kid: KeyId,
    colour: Option<Colour>,
    key_valid_until: u64,
}

impl VerifiedPass {
    /// What the pass says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Which key signed.
    pub fn kid(&self) -> KeyId {
        self.kid
    }

    /// The issuer's level as a colour; `None` where the trust list has no meaning for it.
    pub fn colour(&self) -> Option<Colour> {
        self.colour
    }

    /// When the signing key ends, seconds since 1970: a pass does not outlive its key.
    pub fn key_valid_until(&self) -> u64 {
        self.key_valid_until
    }
}

impl UnverifiedPass {
    /// Checks issuer, key and signature against the trust list. The key is looked up by its id.
    pub fn verify(self, trust: &TrustList) -> Result<VerifiedPass, VerifyError> {
        let claimed = self.claimed_issuer();
        let issuer = trust.issuer(claimed).ok_or(VerifyError::UnknownIssuer(claimed))?;
        let keys = trust.keys(self.kid());
        let other = keys.first().ok_or(VerifyError::UnknownKey(self.kid()))?.issuer;
        let own = keys.iter().find(|key| key.issuer == claimed);
        let key = own.ok_or(VerifyError::WrongIssuer { key_of: other, claimed })?;
        self.check_signature(key)?;
        // The window of the key is compared with the time of issue, not with now: no clock is needed.
        let issued = crate::time::Time::trusted(self.claims.issued_at);
        if issued.within(key.valid_from, key.valid_until) != Validity::Valid {
            return Err(VerifyError::KeyNotValidAtIssue);
        }
        let colour = issuer.colour(self.claims.level);
        Ok(VerifiedPass { kid: self.kid(), colour, key_valid_until: key.valid_until, claims: self.claims })
    }

    fn check_signature(&self, key: &IssuerKey) -> Result<(), VerifyError> {
        let sign1 = self.sign1().map_err(|_| VerifyError::BadSignature)?;
        let mut scratch = Buf::<{ MAX_BYTES + 64 }>::new();
        sign1.verify(&key.public_key, Purpose::Pass, &mut scratch).map_err(|error| match error {
            CoseError::Cbor(_) | CoseError::WeakKey | CoseError::Signature => VerifyError::BadSignature,
        })
    }
}
