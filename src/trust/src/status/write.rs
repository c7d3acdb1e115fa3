//! The one way in which a list is written: the same entries give the same bytes, whoever makes them.

use super::StatusError;
use super::buckets::Buckets;
use super::header::{About, File, Header};
use super::list::{MAX_BUCKET, far_bytes, far_of, near_of};
use menshen_core::status::{Status, Tag};
use std::io::{BufWriter, Write};

/// Writes a list of some entries in any order; one that is given twice is written once.
///
/// Holds 16 bytes an entry while it works.
///
/// # Errors
/// [`StatusError::Contradiction`] for a tag with two states; [`StatusError::Crowded`] for tags that are no hashes;
/// what `out` says.
pub fn write_list(
    out: impl Write,
    about: About,
    entries: impl IntoIterator<Item = (Tag, Status)>,
) -> Result<(), StatusError> {
    let entries = sorted(entries.into_iter().map(|(tag, status)| (tag.number(), status)))?;
    let count = u32::try_from(entries.len()).map_err(|_| StatusError::TooMany)?;
    let buckets = Buckets::of(entries.iter().map(|(tag, _)| *tag));
    let bits = buckets.bits();
    if buckets.starts().windows(2).any(|pair| pair[1] - pair[0] > MAX_BUCKET) {
        return Err(StatusError::Crowded);
    }
    let mut out = BufWriter::new(out);
    out.write_all(&Header { about, count, bits }.encode(File::List))?;
    for start in buckets.starts() {
        out.write_all(&start.to_be_bytes())?;
    }
    for (tag, _) in &entries {
        out.write_all(&near_of(*tag, bits).to_be_bytes())?;
    }
    for (tag, status) in &entries {
        out.write_all(&far_of(*tag, *status, bits).to_be_bytes()[8 - far_bytes(bits)..])?;
    }
    out.flush()?;
    Ok(())
}

/// Sorts entries by their tag and takes doubles out.
pub(super) fn sorted<T: PartialEq>(entries: impl Iterator<Item = (u64, T)>) -> Result<Vec<(u64, T)>, StatusError> {
    let mut entries: Vec<(u64, T)> = entries.collect();
    entries.sort_unstable_by_key(|(tag, _)| *tag);
    entries.dedup_by(|a, b| a == b);
    match entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(StatusError::Contradiction { tag: pair[0].0 }),
        None => Ok(entries),
    }
}
