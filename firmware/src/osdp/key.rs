//! The key of the secure channel, from a file of its own.
//!
//! It is not in the board file because board files are copied, printed and sent around. The default key, which every
//! installer has, is refused: a channel under it keeps nobody out.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use osdp::secure::SCBK_D;

/// Bits of a file's mode that let others than its owner in.
const OTHERS: u32 = 0o077;

/// A secure channel base key; it is shown nowhere.
#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    /// Takes 16 bytes.
    ///
    /// # Errors
    /// Why it can not be a key, as a clause.
    pub fn new(bytes: [u8; 16]) -> Result<Key, &'static str> {
        match bytes {
            SCBK_D => Err("it is the default key, which everybody has"),
            [first, ..] if bytes.iter().all(|byte| *byte == first) => Err("it is one byte again and again"),
            _ => Ok(Key(bytes)),
        }
    }

    /// Reads a file with 32 hexadecimal digits.
    ///
    /// # Errors
    /// One sentence that names the file and the remedy.
    pub fn read(path: &Path) -> Result<Key, String> {
        let remedy = "write 32 random hexadecimal digits into it, and the same key into the access controller";
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the key {shown} of `outputs.osdp.key`: {error}; {remedy}"))?;
        let bytes = digits(text.trim()).ok_or("it is not 32 hexadecimal digits");
        let key = bytes.and_then(Key::new).map_err(|why| format!("cannot use the key {shown}: {why}; {remedy}"))?;
        let others = std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & OTHERS != 0);
        if others {
            tracing::warn!("others than its owner may read the key {shown}: chmod 600 it");
        }
        Ok(key)
    }

    pub(super) fn scbk(&self) -> [u8; 16] {
        self.0
    }
}

fn digits(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(text, 16).ok()?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_digits_and_not_one_that_everybody_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("osdp.key");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Key::read(&path).map(|key| key.scbk())
        };
        let good = "000102030405060708090a0B0c0D0e0f\n";
        assert_eq!(read(good).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        for (bad, why) in [
            ("", "not 32"),
            ("000102030405060708090a0b0c0d0e", "not 32"),
            ("+00102030405060708090a0b0c0d0e0f", "not 32"),
            ("000102030405060708090a0b0c0d0e0g", "not 32"),
            ("303132333435363738393a3b3c3d3e3f", "default key"),
            ("ffffffffffffffffffffffffffffffff", "again and again"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(why) && error.contains("osdp.key"), "{error}");
        }
        assert!(Key::read(&folder.path().join("none")).err().unwrap().contains("cannot read the key"));
    }
}
