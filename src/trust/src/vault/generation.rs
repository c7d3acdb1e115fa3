//! A generation: everything that one import verified, in one file that is there whole or not at all.
//!
//! Metadata and small targets are in the file itself, so that an import costs one write that must last and a power cut
//! leaves the old generation or the new one. Status lists are large and do not change, so they lie beside it under
//! their SHA-256, written before the generation that names them. The last line is a SHA-256 of all before it, so that a
//! card that forgets bits is found out.

use crate::tuf::{Refusal, TufError};
use menshen_core::ids::{Hex, sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the file's format.
const FORMAT: u32 = 2;

/// What one import verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generation {
    format: u32,
    /// The time against which expiry was judged, seconds since 1970.
    pub(super) verified_at: u64,
    /// When its publisher said that this is what holds, seconds since 1970.
    pub(super) as_of: u64,
    /// TUF metadata by name: `root_history/2.root.json`, `timestamp.json`, `330000.json`, …
    pub(super) metadata: BTreeMap<String, String>,
    /// Small targets by path, in hexadecimal digits.
    pub(super) parts: BTreeMap<String, String>,
    /// The files of status lists by path.
    pub(super) files: BTreeMap<String, FileRef>,
    /// Roles whose newest publication was refused, so that their last good one stays.
    pub(super) held_back: BTreeMap<String, HeldBack>,
}

/// A file beside the generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRef {
    /// Its SHA-256 in hexadecimal digits, and its name.
    pub(super) sha256: String,
    /// Its length in bytes.
    pub(super) length: u64,
}

/// Why a role's newest publication was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldBack {
    refusal: String,
    detail: String,
    /// Until when what is believed in its place was its newest, seconds since 1970.
    pub(super) as_of: u64,
}

impl HeldBack {
    pub(super) fn of(error: &TufError, as_of: u64) -> HeldBack {
        HeldBack { refusal: error.refusal.name().to_owned(), detail: error.detail.clone(), as_of }
    }

    pub(super) fn error(&self) -> TufError {
        let known = Refusal::ALL.into_iter().find(|refusal| refusal.name() == self.refusal);
        TufError::new(known.unwrap_or(Refusal::Malformed), self.detail.clone())
    }
}

impl Generation {
    pub(super) fn new(verified_at: u64, as_of: u64) -> Generation {
        Generation { format: FORMAT, verified_at, as_of, ..Generation::default() }
    }

    /// The file's bytes.
    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        let sum = format!("\n{}\n", Hex(&sha256(&bytes)));
        bytes.extend_from_slice(sum.as_bytes());
        Ok(bytes)
    }

    /// Reads what [`Generation::to_bytes`] wrote; says in words why it can not.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Generation, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let (json, sum) = text.trim_end().rsplit_once('\n').ok_or("it ends too early")?;
        if sum != Hex(&sha256(json.as_bytes())).to_string() {
            return Err("its bytes have changed since they were written".into());
        }
        let generation: Generation = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if generation.format == FORMAT { Ok(generation) } else { Err(format!("it has format {}", generation.format)) }
    }

    /// The bytes of a small target.
    pub(super) fn part(&self, path: &str) -> Option<Vec<u8>> {
        let text = self.parts.get(path)?;
        let mut bytes = vec![0; text.len() / 2];
        menshen_core::ids::unhex(text, &mut bytes)?;
        Some(bytes)
    }

    pub(super) fn put_part(&mut self, path: &str, bytes: &[u8]) {
        self.parts.insert(path.to_owned(), Hex(bytes).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation() -> Generation {
        let mut generation = Generation::new(7, 6);
        generation.metadata.insert("timestamp.json".into(), "{\"a\":\"\\n\"}\n".into());
        generation.put_part("issuers", &[0, 255]);
        generation.files.insert("status/330000/delta-1".into(), FileRef { sha256: "00".into(), length: 9 });
        generation.held_back.insert("330000".into(), HeldBack::of(&TufError::new(Refusal::Expired, "330000"), 5));
        generation
    }

    #[test]
    fn a_generation_reads_back_as_it_was_written() {
        let generation = generation();
        let read = Generation::from_bytes(&generation.to_bytes().expect("plain")).expect("reads");
        assert_eq!(read, generation);
        assert_eq!(read.part("issuers"), Some(vec![0, 255]));
        assert_eq!(read.held_back["330000"].error().refusal, Refusal::Expired);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_found_out() {
        let bytes = generation().to_bytes().expect("plain");
        for size in 0..bytes.len() - 1 {
            assert!(Generation::from_bytes(&bytes[..size]).is_err(), "{size} bytes");
        }
        for at in 0..bytes.len() - 1 {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Generation::from_bytes(&changed).is_err(), "byte {at}");
        }
    }
}
