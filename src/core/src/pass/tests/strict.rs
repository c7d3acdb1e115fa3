//! Signatures that a lax Ed25519 accepts and a gate must not.
//!
//! RFC 8032 leaves room for several signatures of one message and for keys that sign everything; the
//! cases are those of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020) that bear on one
//! issuer and one pass. Each message here is a real pass, so each signature is made for it.

use crate::cbor::Buf;
use crate::ids::KeyId;
use crate::pass::{Kind, VerifyError, parse};
use crate::testworld::*;
use crate::trust::{IssuerKey, TrustList};
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use minicbor::Encoder;
use sha2::{Digest, Sha512};
use std::vec::Vec;

/// The order of the base point, little-endian (RFC 8032 section 5.1).
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The neutral element and its two non-canonical spellings: the sign bit of a zero x, and y + p.
const IDENTITY: [u8; 32] = identity(0x01, 0x00, 0x00);
const IDENTITY_SIGNED: [u8; 32] = identity(0x01, 0x00, 0x80);
const IDENTITY_ABOVE_P: [u8; 32] = identity(0xee, 0xff, 0x7f);

const fn identity(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// What is signed for a pass of Zhejiang whose header names this key.
struct ToSign {
    protected: Vec<u8>,
    payload: Vec<u8>,
    bytes: Vec<u8>,
}

fn to_sign(public_key: &[u8; 32]) -> ToSign {
    let protected = [&[0xa2, 1, 0x27, 4, 0x48][..], &KeyId::of(public_key).0].concat();
    let mut payload = Buf::<512>::new();
    claims(ZHEJIANG, Kind::Paper).encode(&mut payload).expect("fits");
    let mut bytes = Buf::<512>::new();
    let mut e = Encoder::new(&mut bytes);
    let written =
        e.array(4).and_then(|e| e.str("Signature1")?.bytes(&protected)?.bytes(b"")?.bytes(payload.as_bytes()));
    written.expect("fits");
    ToSign { protected, payload: payload.as_bytes().to_vec(), bytes: bytes.as_bytes().to_vec() }
}

/// The answer of a gate whose trust list has this key for Zhejiang.
fn answer(public_key: &[u8; 32], signature: &[u8; 64]) -> Option<VerifyError> {
    let signed = to_sign(public_key);
    let mut message = Buf::<512>::new();
    let mut e = Encoder::new(&mut message);
    let written = e
        .tag(minicbor::data::Tag::new(18))
        .and_then(|e| e.array(4)?.bytes(&signed.protected)?.map(0)?.bytes(&signed.payload)?.bytes(signature));
    written.expect("fits");
    let text = text_of(message.as_bytes());
    parse(text.as_bytes()).expect("well formed").verify(&trust_with(*public_key)).err()
}

fn trust_with(public_key: [u8; 32]) -> TrustList {
    let mut content = content();
    content.keys.retain(|key| key.issuer != id(ZHEJIANG));
    let key = IssuerKey { issuer: id(ZHEJIANG), public_key, valid_from: 0, valid_until: 2 * NOW_S };
    content.keys.push(key).expect("room");
    content.sort();
    trust_list(&content)
}

fn lax_verify(public_key: &[u8; 32], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_bytes(public_key).expect("a point");
    key.verify(&to_sign(public_key).bytes, &Signature::from_bytes(signature)).is_ok()
}

/// `k` of RFC 8032 section 5.1.7: SHA-512 of R, the key and the message.
fn challenge(r: &[u8; 32], public_key: &[u8; 32]) -> Scalar {
    let digest = Sha512::new().chain_update(r).chain_update(public_key).chain_update(to_sign(public_key).bytes);
    Scalar::from_bytes_mod_order_wide(&digest.finalize().into())
}

fn signature(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r);
    bytes[32..].copy_from_slice(&s);
    bytes
}

/// The issuer's own signature, made by hand with a nonce that a real signer would derive.
fn honest() -> ([u8; 32], [u8; 32], [u8; 32]) {
    let key = key_of(ZHEJIANG);
    let public_key = key.verifying_key().to_bytes();
    let nonce = Scalar::from(0x1234_5678_9abc_def0_u64);
    let r = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
    let s = nonce + challenge(&r, &public_key) * key.to_scalar();
    (public_key, r, s.to_bytes())
}

fn plus_l(s: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    let mut sum = [0; 32];
    for ((out, a), b) in sum.iter_mut().zip(s).zip(L) {
        carry += u16::from(a) + u16::from(b);
        *out = carry as u8;
        carry >>= 8;
    }
    sum
}

#[test]
fn the_signature_that_the_cases_change_is_good() {
    let (public_key, r, s) = honest();
    assert_eq!(answer(&public_key, &signature(r, s)), None);
}

#[test]
fn a_signature_whose_s_is_not_reduced_is_refused() {
    let (public_key, r, s) = honest();
    let mut s = s;
    for times in 1..8 {
        s = plus_l(s);
        assert_eq!(answer(&public_key, &signature(r, s)), Some(VerifyError::BadSignature), "S + {times} L");
    }
}

#[test]
fn a_signature_with_the_sign_of_r_turned_is_refused() {
    let (public_key, mut r, s) = honest();
    r[31] ^= 0x80;
    assert_eq!(answer(&public_key, &signature(r, s)), Some(VerifyError::BadSignature));
}

#[test]
fn a_signature_whose_r_is_the_neutral_element_is_refused_in_every_spelling() {
    let key = key_of(ZHEJIANG);
    let public_key = key.verifying_key().to_bytes();
    for r in [IDENTITY, IDENTITY_SIGNED, IDENTITY_ABOVE_P] {
        let s = challenge(&r, &public_key) * key.to_scalar();
        let forged = signature(r, s.to_bytes());
        assert_eq!(answer(&public_key, &forged), Some(VerifyError::BadSignature), "{r:02x?}");
        assert_eq!(lax_verify(&public_key, &forged), r == IDENTITY, "the case tests strictness");
    }
}

#[test]
fn a_signature_whose_r_is_mixed_with_a_point_of_small_order_is_refused() {
    let key = key_of(ZHEJIANG);
    let public_key = key.verifying_key().to_bytes();
    for torsion in &EIGHT_TORSION[1..] {
        let nonce = Scalar::from(77_u64);
        let r: EdwardsPoint = ED25519_BASEPOINT_POINT * nonce + torsion;
        let r = r.compress().to_bytes();
        let s = nonce + challenge(&r, &public_key) * key.to_scalar();
        // A verifier with the cofactored equation of RFC 8032 accepts this one.
        assert_eq!(answer(&public_key, &signature(r, s.to_bytes())), Some(VerifyError::BadSignature));
    }
}

#[test]
fn a_key_of_small_order_signs_nothing_though_it_is_in_the_trust_list() {
    let canonical = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes());
    let mut lax = 0;
    for public_key in canonical.chain([IDENTITY_SIGNED, IDENTITY_ABOVE_P]) {
        // Whoever holds no secret tries S = 0 and every R of small order.
        for r in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
            let forged = signature(r, [0; 32]);
            assert_eq!(answer(&public_key, &forged), Some(VerifyError::BadSignature), "{public_key:02x?}");
            lax += usize::from(lax_verify(&public_key, &forged));
        }
    }
    assert!(lax > 0, "a lax verifier believes {lax} of these, so the test can fail");
}

#[test]
fn a_key_that_is_no_point_signs_nothing() {
    let (_, r, s) = honest();
    let no_point = [2; 32];
    assert!(VerifyingKey::from_bytes(&no_point).is_err(), "y has no x");
    assert_eq!(answer(&no_point, &signature(r, s)), Some(VerifyError::BadSignature));
}
