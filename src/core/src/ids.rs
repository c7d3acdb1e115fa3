//! The identifiers that travel between rooms: who signs, with which key, at which gate.
//!
//! They are separate so that a key id can not be passed where a gate id belongs, and so that their
//! text forms are the same in every log, page and file name.

use core::fmt;
use sha2::{Digest, Sha256};

/// An issuer: its GB/T 2260 division code, for example 330000 (Zhejiang), 330100 (Hangzhou) or
/// 100000 (the national platform).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(u32);

impl IssuerId {
    /// The national platform.
    pub const NATIONAL: IssuerId = IssuerId(100_000);

    /// Makes an id of a six-digit division code; `None` outside 100000..=999999.
    pub const fn new(code: u32) -> Option<IssuerId> {
        if code >= 100_000 && code <= 999_999 { Some(IssuerId(code)) } else { None }
    }

    /// The six-digit code.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The province a code belongs to: its first two digits, 330100 → 330000.
    pub const fn province(self) -> IssuerId {
        IssuerId(self.0 / 10_000 * 10_000)
    }

    /// The city a code belongs to: its first four digits, 330106 → 330100; a province is its own.
    pub const fn city(self) -> IssuerId {
        IssuerId(self.0 / 100 * 100)
    }

    /// Whether `other` is this division or lies within it; everything lies within the national one.
    pub const fn covers(self, other: IssuerId) -> bool {
        self.0 == other.0 || self.0 == IssuerId::NATIONAL.0 || self.0 == other.province().0 || self.0 == other.city().0
    }
}

impl fmt::Display for IssuerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// Which key signed: the first 8 bytes of SHA-256 of the 32-byte Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// The id of a public key.
    pub fn of(public_key: &[u8; 32]) -> KeyId {
        KeyId(first_8(&sha256(public_key)))
    }
}

/// A gate: the key id of its own signing key, so that the name proves itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateId(pub [u8; 8]);

impl GateId {
    /// The gate that signs with this key.
    pub fn of(public_key: &[u8; 32]) -> GateId {
        GateId(KeyId::of(public_key).0)
    }

    /// Reads the 16 hexadecimal digits that `Display` writes.
    pub fn from_hex(text: &str) -> Option<GateId> {
        let mut id = [0; 8];
        unhex(text, &mut id)?;
        Some(GateId(id))
    }
}

/// Bytes as lower-case hexadecimal digits, the one way in which Menshen writes keys, ids and hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

macro_rules! hex_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Hex(&self.0).fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}
hex_text!(KeyId, GateId);

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first 8 bytes of a digest.
pub fn first_8(digest: &[u8; 32]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    [a, b, c, d, e, f, g, h]
}

/// Fills `out` from exactly twice as many hexadecimal digits; `None` for anything else.
pub fn unhex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    for (pair, byte) in digits.chunks_exact(2).zip(out) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_city_belongs_to_its_province() {
        let hangzhou = IssuerId::new(330_100).expect("six digits");
        assert_eq!(hangzhou.province().code(), 330_000);
    }

    #[test]
    fn a_code_without_six_digits_is_no_issuer() {
        assert_eq!(IssuerId::new(99_999), None);
        assert_eq!(IssuerId::new(1_000_000), None);
    }

    #[test]
    fn a_gate_id_reads_back_what_it_shows() {
        let id = GateId::of(&[7; 32]);
        assert_eq!(GateId::from_hex(&id.to_string()), Some(id));
        assert_eq!(GateId::from_hex("00"), None);
        assert_eq!(GateId::from_hex("zz00000000000000"), None);
    }
}
