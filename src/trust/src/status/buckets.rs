//! Sorted tags, divided by their leading bits, so that one step leads to the few that may match.
//!
//! Tags are hashes and spread evenly: a table of where each bucket begins is an index that never has to be balanced.
//! Lists keep it in their file; the overlay of deltas makes one for itself.

use std::ops::Range;

/// A bucket has this many entries or fewer on average, and more than half of it.
const PER_BUCKET: u64 = 64;
/// A list is divided into four buckets at least, so that what remains of a tag fits its columns.
const MIN_BITS: u8 = 2;

/// Where the entries of each bucket begin; one number more than there are buckets.
#[derive(Clone)]
pub(super) struct Buckets {
    bits: u8,
    starts: Box<[u32]>,
}

/// How many leading bits choose the bucket in a list of so many entries.
pub(super) fn bits_for(count: u32) -> u8 {
    (MIN_BITS..32).find(|bits| u64::from(count) >> bits < PER_BUCKET).unwrap_or(32)
}

impl Buckets {
    /// Divides sorted tags.
    pub(super) fn of(tags: impl ExactSizeIterator<Item = u64>) -> Buckets {
        // A file counts its entries in 32 bits, so no more than that are ever divided.
        let count = u32::try_from(tags.len()).unwrap_or(u32::MAX);
        let bits = bits_for(count);
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for tag in tags {
            starts[bucket_of(tag, bits) + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Buckets { bits, starts: starts.into() }
    }

    /// Takes starts from a file; `None` where they do not rise from 0 to `count`, or a bucket has more than `most`.
    pub(super) fn checked(bits: u8, starts: Box<[u32]>, count: u32, most: u32) -> Option<Buckets> {
        let ends = starts.first() == Some(&0) && starts.last() == Some(&count) && starts.len() == (1 << bits) + 1;
        let rise = starts.windows(2).all(|pair| pair[1].checked_sub(pair[0]).is_some_and(|size| size <= most));
        (ends && rise).then_some(Buckets { bits, starts })
    }

    pub(super) const fn bits(&self) -> u8 {
        self.bits
    }

    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Where the entries of the bucket of a tag are.
    pub(super) fn of_tag(&self, tag: u64) -> Range<usize> {
        self.range(bucket_of(tag, self.bits))
    }

    /// Where the entries of a bucket are.
    pub(super) fn range(&self, bucket: usize) -> Range<usize> {
        self.starts[bucket] as usize..self.starts[bucket + 1] as usize
    }
}

fn bucket_of(tag: u64, bits: u8) -> usize {
    // Bits are 2 to 32: the shift leaves something, and what it leaves indexes 2^bits buckets.
    (tag >> (64 - bits)) as usize
}
