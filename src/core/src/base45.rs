//! Base45 (RFC 9285) without an allocator.
//!
//! A pass travels in a QR code's alphanumeric mode, whose 45 characters this encoding uses: 3
//! characters carry 2 bytes. Only the canonical text of some bytes is accepted, so that a pass has
//! one spelling.

use core::fmt;

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Why some text is not Base45.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base45Error {
    /// A character outside the alphabet of RFC 9285 section 4.2.
    Character,
    /// A length that no bytes encode to (1 more than a multiple of 3), as after a truncation.
    Length,
    /// A group whose value does not fit its bytes.
    Overflow,
    /// More bytes than the caller has room for.
    TooLong,
}

impl fmt::Display for Base45Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Base45Error::Character => "a character is outside the Base45 alphabet",
            Base45Error::Length => "the Base45 text was cut off",
            Base45Error::Overflow => "a Base45 group is too large for its bytes",
            Base45Error::TooLong => "the Base45 text is longer than a pass may be",
        })
    }
}

impl core::error::Error for Base45Error {}

/// Decodes `text` into `out`, returning how many bytes were written.
pub fn decode(text: &[u8], out: &mut [u8]) -> Result<usize, Base45Error> {
    if text.len() % 3 == 1 {
        return Err(Base45Error::Length);
    }
    let mut written = 0;
    for group in text.chunks(3) {
        let value = group.iter().rev().try_fold(0u32, |sum, &c| Some(sum * 45 + value_of(c)?));
        let value = value.ok_or(Base45Error::Character)?;
        let size = group.len() - 1;
        if value >> (8 * size) != 0 {
            return Err(Base45Error::Overflow);
        }
        let bytes = &value.to_be_bytes()[4 - size..];
        let room = out.get_mut(written..written + size).ok_or(Base45Error::TooLong)?;
        room.copy_from_slice(bytes);
        written += size;
    }
    Ok(written)
}

/// Encodes `bytes`, handing each character to `put`.
pub fn encode(bytes: &[u8], mut put: impl FnMut(u8)) {
    for group in bytes.chunks(2) {
        let mut value = group.iter().fold(0u32, |sum, &b| sum << 8 | u32::from(b));
        for _ in 0..=group.len() {
            put(ALPHABET[(value % 45) as usize]);
            value /= 45;
        }
    }
}

fn value_of(character: u8) -> Option<u32> {
    ALPHABET.iter().position(|&c| c == character).map(|i| i as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    fn text_of(bytes: &[u8]) -> Vec<u8> {
        let mut text = vec![];
        encode(bytes, |c| text.push(c));
        text
    }

    #[test]
    fn the_examples_of_rfc_9285_hold() {
        for (bytes, text) in [
            (&b"AB"[..], &b"BB8"[..]),
            (b"Hello!!", b"%69 VD92EX0"),
            (b"base-45", b"UJCLQE7W581"),
            (b"ietf!", b"QED8WEX0"),
        ] {
            assert_eq!(text_of(bytes), text);
            let mut out = [0; 16];
            let size = decode(text, &mut out).expect("an example of the RFC");
            assert_eq!(&out[..size], bytes);
        }
    }

    #[test]
    fn a_group_above_its_bytes_is_refused() {
        assert_eq!(decode(b":::", &mut [0; 4]), Err(Base45Error::Overflow));
        assert_eq!(decode(b"::", &mut [0; 4]), Err(Base45Error::Overflow));
    }

    #[test]
    fn a_cut_group_is_refused() {
        assert_eq!(decode(b"BB8B", &mut [0; 4]), Err(Base45Error::Length));
    }

    #[test]
    fn lower_case_is_refused() {
        assert_eq!(decode(b"bb8", &mut [0; 4]), Err(Base45Error::Character));
    }

    #[test]
    fn more_than_the_room_is_refused() {
        assert_eq!(decode(b"BB8BB8", &mut [0; 3]), Err(Base45Error::TooLong));
    }

    proptest! {
        #[test]
        fn whatever_decodes_is_the_one_text_of_its_bytes(text in proptest::collection::vec(0x20u8..0x5b, 0..60)) {
            let mut out = [0; 64];
            if let Ok(size) = decode(&text, &mut out) {
                prop_assert_eq!(text_of(&out[..size]), text);
            }
        }
    }
}
