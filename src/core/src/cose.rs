//! COSE_Sign1 (RFC 9052 section 4.2) as Menshen uses it: tagged, EdDSA, a key id, nothing else.
//!
//! Passes, batches and acks are all signed this way. Each kind of message has its own
//! `external_aad` ([`Purpose`]), so a signature made for one is worthless for another even where one
//! key signs both. The protected header is one fixed shape, `{1: -8, 4: kid}`; anything else is
//! refused, so there is no algorithm to negotiate and no header to be confused by.

use crate::cbor::CborError;
use crate::ids::KeyId;
use core::fmt;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use minicbor::data::Tag;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

const TAG_SIGN1: Tag = Tag::new(18);
const PROTECTED_SIZE: usize = 13;
/// `{1: -8, 4: h'........'}` up to the key id: algorithm EdDSA, an 8-byte kid.
const PROTECTED_PREFIX: [u8; 5] = [0xa2, 0x01, 0x27, 0x04, 0x48];

/// What a signature is for; the bytes are the `external_aad` of RFC 9052 section 4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An MS1 pass: empty, as in EU DCC, so that any COSE tool can check one.
    Pass,
    /// A batch of records, signed by a gate.
    Batch,
    /// An ack of a batch, signed by the hub.
    Ack,
    /// A gate's request to be accepted by a hub, signed by the gate.
    Enrol,
    /// What time it is, signed by the hub for whoever asked just now.
    Time,
}

impl Purpose {
    fn external_aad(self) -> &'static [u8] {
        match self {
            Purpose::Pass => b"",
            Purpose::Batch => b"menshen/batch/1",
            Purpose::Ack => b"menshen/ack/1",
            Purpose::Enrol => b"menshen/enrol/1",
            Purpose::Time => b"menshen/time/1",
        }
    }
}

/// Why a signed message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoseError {
    /// Not a tagged COSE_Sign1 of the one shape allowed here.
    Cbor(CborError),
    /// The public key is no valid, strong Ed25519 key.
    WeakKey,
    /// The signature is not of this key over this message for this purpose.
    Signature,
}

impl fmt::Display for CoseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoseError::Cbor(error) => write!(f, "not a signed message: {error}"),
            CoseError::WeakKey => f.write_str("the public key is not a valid Ed25519 key"),
            CoseError::Signature => f.write_str("the signature does not match"),
        }
    }
}

impl core::error::Error for CoseError {}

impl From<CborError> for CoseError {
    fn from(error: CborError) -> CoseError {
        CoseError::Cbor(error)
    }
}

/// A parsed message whose signature has not been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign1<'a> {
    /// Which key claims to have signed.
    pub kid: KeyId,
    /// The signed payload, still to be parsed.
    pub payload: &'a [u8],
    signature: [u8; 64],
}

impl<'a> Sign1<'a> {
    /// Parses the one allowed shape; trailing bytes and any other encoding of it are refused.
    pub fn parse(bytes: &'a [u8]) -> Result<Sign1<'a>, CborError> {
        let mut d = Decoder::new(bytes);
        if d.tag()? != TAG_SIGN1 || d.array()? != Some(4) {
            return Err(CborError::Shape);
        }
        let kid = parse_protected(d.bytes()?)?;
        if d.map()? != Some(0) {
            return Err(CborError::Shape);
        }
        let payload = d.bytes()?;
        let signature = d.bytes()?.try_into().map_err(|_| CborError::Shape)?;
        let sign1 = Sign1 { kid, payload, signature };
        // Heads of strings have longer, non-canonical spellings; the length alone tells them apart.
        if d.position() != bytes.len() || sign1.encoded_len() != bytes.len() {
            return Err(CborError::NotCanonical);
        }
        Ok(sign1)
    }

    /// Checks the signature strictly: no small-order keys, no malleable signatures (`verify_strict`).
    ///
    /// `scratch` receives the bytes that were signed; it must be empty.
    pub fn verify<S>(&self, public_key: &[u8; 32], purpose: Purpose, scratch: &mut S) -> Result<(), CoseError>
    where
        S: Write + AsRef<[u8]>,
    {
        write_to_be_signed(scratch, self.kid, purpose, self.payload).map_err(|_| CoseError::Cbor(CborError::Bounds))?;
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| CoseError::WeakKey)?;
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(scratch.as_ref(), &signature).map_err(|_| CoseError::Signature)
    }

    fn encoded_len(&self) -> usize {
        // tag, array head, protected string, empty map, payload string, signature string
        1 + 1 + (1 + PROTECTED_SIZE) + 1 + (head_len(self.payload.len()) + self.payload.len()) + (2 + 64)
    }
}

/// Signs `payload` and writes the whole message to `out`; `scratch` must be empty.
pub fn sign1<W, S>(out: W, key: &SigningKey, purpose: Purpose, payload: &[u8], scratch: &mut S) -> Result<(), CborError>
where
    W: Write,
    S: Write + AsRef<[u8]>,
{
    let kid = KeyId::of(key.verifying_key().as_bytes());
    write_to_be_signed(scratch, kid, purpose, payload).map_err(|_| CborError::Bounds)?;
    let signature = key.sign(scratch.as_ref()).to_bytes();
    let mut e = Encoder::new(out);
    write_message(&mut e, kid, payload, &signature).map_err(|_| CborError::Bounds)
}

fn write_message<W: Write>(
    e: &mut Encoder<W>,
    kid: KeyId,
    payload: &[u8],
    signature: &[u8; 64],
) -> Result<(), encode::Error<W::Error>> {
    e.tag(TAG_SIGN1)?.array(4)?.bytes(&protected(kid))?.map(0)?;
    e.bytes(payload)?.bytes(signature)?;
    Ok(())
}

/// `Sig_structure` of RFC 9052 section 4.4.
fn write_to_be_signed<W: Write>(
    out: &mut W,
    kid: KeyId,
    purpose: Purpose,
    payload: &[u8],
) -> Result<(), encode::Error<W::Error>> {
    let mut e = Encoder::new(out);
    e.array(4)?.str("Signature1")?.bytes(&protected(kid))?;
    e.bytes(purpose.external_aad())?.bytes(payload)?;
    Ok(())
}

fn protected(kid: KeyId) -> [u8; PROTECTED_SIZE] {
    let mut bytes = [0; PROTECTED_SIZE];
    bytes[..5].copy_from_slice(&PROTECTED_PREFIX);
    bytes[5..].copy_from_slice(&kid.0);
    bytes
}

fn parse_protected(bytes: &[u8]) -> Result<KeyId, CborError> {
    let kid = bytes.strip_prefix(&PROTECTED_PREFIX).ok_or(CborError::Shape)?;
    Ok(KeyId(kid.try_into().map_err(|_| CborError::Shape)?))
}

fn head_len(length: usize) -> usize {
    match length {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    fn signed(purpose: Purpose, payload: &[u8]) -> Vec<u8> {
        let mut out = crate::cbor::Buf::<512>::new();
        let mut scratch = crate::cbor::Buf::<512>::new();
        sign1(&mut out, &key(), purpose, payload, &mut scratch).expect("fits");
        out.as_bytes().to_vec()
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    fn verify(bytes: &[u8], purpose: Purpose) -> Result<(), CoseError> {
        let public_key = key().verifying_key().to_bytes();
        let mut scratch = crate::cbor::Buf::<512>::new();
        Sign1::parse(bytes)?.verify(&public_key, purpose, &mut scratch)
    }

    #[test]
    fn a_signature_for_one_purpose_is_worthless_for_another() {
        let batch = signed(Purpose::Batch, b"payload");
        assert_eq!(verify(&batch, Purpose::Batch), Ok(()));
        assert_eq!(verify(&batch, Purpose::Ack), Err(CoseError::Signature));
    }

    #[test]
    fn a_longer_spelling_of_a_length_is_refused() {
        let message = signed(Purpose::Batch, b"payload");
        let at = message.windows(8).position(|w| w == b"\x47payload").expect("the payload string");
        let mut longer = message[..at].to_vec();
        longer.extend_from_slice(&[0x58, 7]);
        longer.extend_from_slice(&message[at + 1..]);
        assert_eq!(Sign1::parse(&longer), Err(CborError::NotCanonical));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut message = signed(Purpose::Batch, b"payload");
        message.push(0);
        assert_eq!(Sign1::parse(&message), Err(CborError::NotCanonical));
    }

    #[test]
    fn the_identity_point_is_no_key() {
        let message = signed(Purpose::Batch, b"payload");
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut scratch = crate::cbor::Buf::<512>::new();
        let parsed = Sign1::parse(&message).expect("well formed");
        assert!(parsed.verify(&identity, Purpose::Batch, &mut scratch).is_err());
    }

    #[test]
    fn a_payload_of_any_length_reads_back() {
        for size in [0, 23, 24, 255, 256, 300] {
            let payload = vec![9; size];
            assert_eq!(Sign1::parse(&signed(Purpose::Pass, &payload)).expect("own message").payload, payload);
        }
    }
}
