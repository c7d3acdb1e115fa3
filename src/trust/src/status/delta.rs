//! A delta: what an issuer changed since its last list, small enough to be sent many times a day.

use super::header::{About, File, HEADER_BYTES, Header};
use super::write::sorted;
use super::{StatusError, number_of, status_of};
use menshen_core::ids::{first_8, sha256};
use menshen_core::status::{Status, Tag};

/// 8 bytes of tag and one of state.
const ENTRY_BYTES: usize = 9;
const CLEARED: u8 = 0;

/// What became of a tag: it says something now, or nothing any more (`None`).
pub type Change = Option<Status>;

/// A delta, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    about: About,
    /// Strictly rising.
    entries: Vec<(u64, Change)>,
}

impl Delta {
    /// A delta of some changes in any order; one that is given twice is taken once.
    ///
    /// # Errors
    /// [`StatusError::Contradiction`] for a tag with two changes.
    pub fn new(about: About, changes: impl IntoIterator<Item = (Tag, Change)>) -> Result<Delta, StatusError> {
        let entries = sorted(changes.into_iter().map(|(tag, change)| (tag.number(), change)))?;
        u32::try_from(entries.len()).map_err(|_| StatusError::TooMany)?;
        Ok(Delta { about, entries })
    }

    /// Reads a delta.
    ///
    /// # Errors
    /// [`StatusError`], where it is no delta, is cut off or goes on, or its tags do not rise.
    pub fn parse(bytes: &[u8]) -> Result<Delta, StatusError> {
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(File::Delta.damaged("it is cut off"))?;
        let Header { about, count, bits } = Header::decode(File::Delta, header)?;
        if bits != 0 {
            return Err(File::Delta.damaged("reserved bytes are not zero"));
        }
        if body.len() as u64 != u64::from(count) * ENTRY_BYTES as u64 {
            return Err(File::Delta.damaged("its length is not that of its entries"));
        }
        let (whole, _) = body.as_chunks::<ENTRY_BYTES>();
        let entries = whole.iter().map(entry_of).collect::<Option<Vec<_>>>();
        let entries = entries.ok_or(File::Delta.damaged("a state has no meaning"))?;
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(File::Delta.damaged("its tags do not rise"));
        }
        Ok(Delta { about, entries })
    }

    /// The one encoding of this delta.
    pub fn to_bytes(&self) -> Vec<u8> {
        // `new` and `parse` have both counted in 32 bits.
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let header = Header { about: self.about, count, bits: 0 };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.entries.len() * ENTRY_BYTES);
        bytes.extend(header.encode(File::Delta));
        for (tag, change) in &self.entries {
            bytes.extend(tag.to_be_bytes());
            bytes.push(change.map_or(CLEARED, number_of));
        }
        bytes
    }

    /// Which delta it is.
    pub fn about(&self) -> About {
        self.about
    }

    /// The changes, by ascending tag.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (Tag, Change)> + '_ {
        self.entries.iter().map(|(tag, change)| (Tag::from_number(*tag), *change))
    }

    pub(super) fn entries(&self) -> &[(u64, Change)] {
        &self.entries
    }

    /// Tells two deltas of one number apart.
    pub(super) fn fingerprint(&self) -> [u8; 8] {
        first_8(&sha256(&self.to_bytes()))
    }
}

fn entry_of(bytes: &[u8; ENTRY_BYTES]) -> Option<(u64, Change)> {
    let [a, b, c, d, e, f, g, h, state] = *bytes;
    let change = match state {
        CLEARED => None,
        number => Some(status_of(number)?),
    };
    Some((u64::from_be_bytes([a, b, c, d, e, f, g, h]), change))
}
