//! Envelopes with exactly one defect each, correctly signed by the issuer: a gate refuses them all the same.

use crate::cbor::Buf;
use crate::cbor::CborError::{self, NotCanonical, Shape, Truncated};
use crate::ids::KeyId;
use crate::pass::{Kind, PassError, parse};
use crate::testworld::*;
use ed25519_dalek::Signer;
use minicbor::Encoder;
use std::vec;
use std::vec::Vec;

/// The encoded items of a COSE_Sign1, head by head.
struct Parts {
    tag: Vec<u8>,
    array: Vec<u8>,
    protected_head: Vec<u8>,
    protected: Vec<u8>,
    unprotected: Vec<u8>,
    payload_head: Vec<u8>,
    payload: Vec<u8>,
    signature_head: Vec<u8>,
    signature_size: usize,
    tail: Vec<u8>,
}

fn kid() -> [u8; 8] {
    KeyId::of(&key_of(ZHEJIANG).verifying_key().to_bytes()).0
}

fn good() -> Parts {
    let mut payload = Buf::<512>::new();
    full_claims(ZHEJIANG, Kind::Paper).encode(&mut payload).expect("fits");
    let payload = payload.as_bytes().to_vec();
    Parts {
        tag: vec![0xd2],
        array: vec![0x84],
        protected_head: vec![0x4d],
        protected: [&[0xa2, 1, 0x27, 4, 0x48][..], &kid()].concat(),
        unprotected: vec![0xa0],
        payload_head: vec![0x58, payload.len() as u8],
        payload,
        signature_head: vec![0x58, 64],
        signature_size: 64,
        tail: vec![],
    }
}

impl Parts {
    /// The message, signed over the protected header and payload that it has.
    fn encoded(&self) -> Vec<u8> {
        let mut signed = Buf::<1024>::new();
        let mut e = Encoder::new(&mut signed);
        let written =
            e.array(4).and_then(|e| e.str("Signature1")?.bytes(&self.protected)?.bytes(b"")?.bytes(&self.payload));
        written.expect("fits");
        let mut signature = key_of(ZHEJIANG).sign(signed.as_bytes()).to_bytes().to_vec();
        signature.resize(self.signature_size, 0);
        [
            &self.tag,
            &self.array,
            &self.protected_head,
            &self.protected,
            &self.unprotected,
            &self.payload_head,
            &self.payload,
            &self.signature_head,
            &signature,
            &self.tail,
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect()
    }

    fn with_protected(&mut self, protected: &[&[u8]]) {
        self.protected = protected.concat();
        self.protected_head = vec![0x40 + self.protected.len() as u8];
    }
}

type Vector = (&'static str, fn(&mut Parts), CborError);

const VECTORS: &[Vector] = &[
    ("no tag", |p| p.tag.clear(), Shape),
    ("the tag of COSE_Mac0", |p| p.tag = vec![0xd1], Shape),
    ("the tag of a CWT outside", |p| p.tag = vec![0xd8, 61, 0xd2], Shape),
    ("the tag in 2 bytes", |p| p.tag = vec![0xd8, 18], NotCanonical),
    ("the tag twice", |p| p.tag = vec![0xd2, 0xd2], Shape),
    ("an array of three", |p| p.array = vec![0x83], Shape),
    (
        "an array of five",
        |p| {
            p.array = vec![0x85];
            p.tail = vec![0xa0]
        },
        Shape,
    ),
    ("the length of the array in 2 bytes", |p| p.array = vec![0x98, 4], NotCanonical),
    (
        "an array without a length",
        |p| {
            p.array = vec![0x9f];
            p.tail = vec![0xff]
        },
        Shape,
    ),
    ("algorithm ES256", |p| p.with_protected(&[&[0xa2, 1, 0x26, 4, 0x48], &kid()]), Shape),
    ("algorithm EdDSA in 2 bytes", |p| p.with_protected(&[&[0xa2, 1, 0x38, 7, 4, 0x48], &kid()]), Shape),
    ("no algorithm", |p| p.with_protected(&[&[0xa1, 4, 0x48], &kid()]), Shape),
    ("no key id", |p| p.with_protected(&[&[0xa1, 1, 0x27]]), Shape),
    ("no protected header", |p| p.with_protected(&[]), Shape),
    ("a key id of 7 bytes", |p| p.with_protected(&[&[0xa2, 1, 0x27, 4, 0x47], &kid()[..7]]), Shape),
    ("a key id of 9 bytes", |p| p.with_protected(&[&[0xa2, 1, 0x27, 4, 0x49], &kid(), &[0]]), Shape),
    ("the key id before the algorithm", |p| p.with_protected(&[&[0xa2, 4, 0x48], &kid(), &[1, 0x27]]), Shape),
    ("a content type", |p| p.with_protected(&[&[0xa3, 1, 0x27, 3, 0, 4, 0x48], &kid()]), Shape),
    ("a critical header", |p| p.with_protected(&[&[0xa3, 1, 0x27, 2, 0x81, 1, 4, 0x48], &kid()]), Shape),
    ("the algorithm twice", |p| p.with_protected(&[&[0xa3, 1, 0x27, 1, 0x27, 4, 0x48], &kid()]), Shape),
    ("a byte after the protected header", |p| p.with_protected(&[&[0xa2, 1, 0x27, 4, 0x48], &kid(), &[0]]), Shape),
    ("the length of the protected header in 2 bytes", |p| p.protected_head = vec![0x58, 13], NotCanonical),
    ("an unprotected key id", |p| p.unprotected = [&[0xa1, 4, 0x48][..], &kid()].concat(), Shape),
    ("the length of the empty map in 2 bytes", |p| p.unprotected = vec![0xb8, 0], NotCanonical),
    ("an unprotected map without a length", |p| p.unprotected = vec![0xbf, 0xff], Shape),
    (
        "a detached payload",
        |p| {
            p.payload_head = vec![0xf6];
            p.payload.clear()
        },
        Shape,
    ),
    ("the payload as text", |p| p.payload_head[0] = 0x78, Shape),
    (
        "the length of the payload in 3 bytes",
        |p| {
            p.payload_head.insert(1, 0);
            p.payload_head[0] = 0x59
        },
        NotCanonical,
    ),
    ("a payload that claims 2^64-1 bytes", |p| p.payload_head = [&[0x5b][..], &[0xff; 8]].concat(), Truncated),
    (
        "a signature of 63 bytes",
        |p| {
            p.signature_head[1] = 63;
            p.signature_size = 63
        },
        Shape,
    ),
    (
        "a signature of 65 bytes",
        |p| {
            p.signature_head[1] = 65;
            p.signature_size = 65
        },
        Shape,
    ),
    (
        "no signature",
        |p| {
            p.signature_head = vec![0x40];
            p.signature_size = 0
        },
        Shape,
    ),
    ("the length of the signature in 3 bytes", |p| p.signature_head = vec![0x59, 0, 64], NotCanonical),
    ("a byte after the message", |p| p.tail = vec![0], NotCanonical),
    ("a second message after it", |p| p.tail = good().encoded(), NotCanonical),
];

#[test]
fn the_envelope_that_the_vectors_change_is_the_one_an_issuer_makes() {
    assert_eq!(text_of(&good().encoded()), issued(&full_claims(ZHEJIANG, Kind::Paper)).as_str());
}

#[test]
fn an_envelope_with_one_defect_is_refused_though_signed() {
    for (defect, change, expected) in VECTORS {
        let mut parts = good();
        change(&mut parts);
        let text = text_of(&parts.encoded());
        assert_eq!(parse(text.as_bytes()), Err(PassError::Envelope(*expected)), "{defect}");
    }
}
