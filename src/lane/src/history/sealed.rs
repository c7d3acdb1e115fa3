//! Datagrams between the gates of a site: sealed by its secret, so that nobody else can read, change or make one.
//!
//! AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D): a site's gates send a few a second, so the 2^32 that one
//! key may seal last for decades. A datagram that is recorded and sent again is genuine: what it says must do no harm
//! when it is said twice.

use super::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

/// The most bytes of a datagram: it passes every LAN in one piece.
pub(super) const MAX_DATAGRAM_BYTES: usize = 1200;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// The most bytes that one can carry.
pub(super) const MAX_TEXT_BYTES: usize = MAX_DATAGRAM_BYTES - NONCE_BYTES - TAG_BYTES;
const CONTEXT: &[u8] = b"menshen/neighbours/1";

/// Seals and opens.
pub(super) struct Sealer(RandomizedNonceKey);

impl Sealer {
    pub(super) fn new(secret: &Secret) -> Sealer {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &secret.key("menshen/neighbours"));
        Sealer(key.expect("the key has the 32 bytes that AES-256 takes"))
    }

    /// A datagram of a text; `None` where it is too long, or the system has no randomness.
    pub(super) fn seal(&self, text: &[u8]) -> Option<Vec<u8>> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let mut sealed = text.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(CONTEXT), &mut sealed).ok()?;
        Some([&nonce.as_ref()[..], &sealed].concat())
    }

    /// The text of a datagram that a gate of this site sealed.
    pub(super) fn open(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = datagram.split_first_chunk::<NONCE_BYTES>()?;
        let mut sealed = sealed.to_vec();
        let text = self.0.open_in_place(Nonce::from(nonce), Aad::from(CONTEXT), &mut sealed).ok()?;
        Some(text.to_vec())
    }
}
