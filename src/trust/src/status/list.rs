//! A status list: an immutable file, two bytes of each entry in memory, the rest read where those two match.
//!
//! ```text
//! tag  ├─ bucket (b bits) ─┼─ near: 16 bits ─┼─ far: 48 − b bits ─┤ + 2 bits of state
//!        in the index         in memory         on disk, 4 to 6 bytes an entry
//! ```
//!
//! An absent tag meets its 16 bits by chance once in 1,000 to 2,000 times; all others are answered without touching the
//! disk. A listed tag costs one read of a few bytes. The file is held open, so a newer one that takes its name does not
//! disturb readers; a card that fails answers with an error and not with a signal, as a mapped file would.
//!
//! Invariant: within a bucket the near bits rise, or `open` refuses the file.

use super::buckets::{Buckets, bits_for};
use super::header::{About, File as Kind, HEADER_BYTES, Header};
use super::{StatusError, number_of, status_of};
use menshen_core::status::{Status, Tag};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How many bits of each entry are in memory.
const NEAR_BITS: u8 = 16;
/// No bucket of hashes has more; a file with one would make look-ups slow.
pub(super) const MAX_BUCKET: u32 = 256;
/// How much is read at a time when a whole column is read.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many bytes of each entry are on disk.
pub(super) const fn far_bytes(bits: u8) -> usize {
    (64 - NEAR_BITS - bits + 2).div_ceil(8) as usize
}

/// How long the file of a list is.
pub(super) fn file_bytes(bits: u8, count: u32) -> u64 {
    let (near, far) = (u64::from(NEAR_BITS / 8), far_bytes(bits) as u64);
    HEADER_BYTES as u64 + 4 * ((1 << bits) + 1) + u64::from(count) * (near + far)
}

/// The bits of a tag that are in memory.
pub(super) const fn near_of(tag: u64, bits: u8) -> u16 {
    (tag << bits >> (64 - NEAR_BITS)) as u16
}

/// What is on disk of an entry, in its last [`far_bytes`] bytes.
pub(super) const fn far_of(tag: u64, status: Status, bits: u8) -> u64 {
    (tag & u64::MAX >> (bits + NEAR_BITS)) << 2 | (number_of(status) - 1) as u64
}

/// A status list, open.
pub struct StatusList {
    header: Header,
    file: File,
    far_at: u64,
    buckets: Buckets,
    near: Box<[u16]>,
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusList").field("header", &self.header).finish_non_exhaustive()
    }
}

impl StatusList {
    /// Opens a list and reads what of it is kept in memory, about 2.1 bytes an entry.
    ///
    /// # Errors
    /// [`StatusError`], where the file is no list, is of another length than it says, or contradicts itself.
    pub fn open(path: &Path) -> Result<StatusList, StatusError> {
        let file = File::open(path).map_err(|source| StatusError::Disk { path: path.into(), source })?;
        StatusList::of(file)
    }

    /// The same of a file that is open already.
    ///
    /// # Errors
    /// As [`StatusList::open`].
    pub fn of(mut file: File) -> Result<StatusList, StatusError> {
        let length = file.metadata()?.len();
        let mut bytes = [0; HEADER_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Kind::List.damaged("it is cut off"));
            }
            other => other?,
        }
        let header = Header::decode(Kind::List, &bytes)?;
        let Header { count, bits, .. } = header;
        if bits != bits_for(count) {
            return Err(Kind::List.damaged("its index is not of its size"));
        }
        // From here on nothing is allocated that the length of the file does not vouch for.
        if length != file_bytes(bits, count) {
            return Err(Kind::List.damaged("its length is not that of its entries"));
        }
        file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
        let starts = column(&mut file, (1 << bits) + 1, u32::from_be_bytes)?;
        let buckets = Buckets::checked(bits, starts, count, MAX_BUCKET);
        let buckets = buckets.ok_or(Kind::List.damaged("its index does not rise"))?;
        let near = column(&mut file, count as usize, u16::from_be_bytes)?;
        if !(0..1 << bits).all(|bucket| near[buckets.range(bucket)].is_sorted()) {
            return Err(Kind::List.damaged("its entries are not sorted"));
        }
        let far_at = length - u64::from(count) * far_bytes(bits) as u64;
        Ok(StatusList { header, file, far_at, buckets, near })
    }

    /// Which list it is.
    pub fn about(&self) -> About {
        self.header.about
    }

    /// How many entries it has.
    pub fn count(&self) -> u32 {
        self.header.count
    }

    /// What it says of a tag.
    ///
    /// # Errors
    /// What the disk says, where the rest of an entry has to be read.
    pub fn look_up(&self, tag: Tag) -> io::Result<Option<Status>> {
        let tag = tag.number();
        for at in self.matches(tag) {
            let far = self.far(at)?;
            if far >> 2 == tag & u64::MAX >> (self.header.bits + NEAR_BITS) {
                return Ok(state_of(far));
            }
        }
        Ok(None)
    }

    /// The entries whose near bits are those of a tag: mostly none.
    fn matches(&self, tag: u64) -> Range<usize> {
        let wanted = near_of(tag, self.header.bits);
        let range = self.buckets.of_tag(tag);
        let near = &self.near[range.clone()];
        // Counting, unlike searching, has no branch that the processor can guess wrong.
        let first = range.start + near.iter().filter(|found| **found < wanted).count();
        let matching = self.near[first..range.end].iter().take_while(|found| **found == wanted).count();
        first..first + matching
    }

    fn far(&self, at: usize) -> io::Result<u64> {
        let size = far_bytes(self.header.bits);
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes[8 - size..], self.far_at + at as u64 * size as u64)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Every entry, by ascending tag, for whoever makes a new list of it.
    pub fn entries(&self) -> Entries<'_> {
        Entries { list: self, bucket: 0, at: 0, chunk: Vec::new(), taken: 0 }
    }
}

/// The entries of a list in order; a read that fails ends them with its error.
#[derive(Debug)]
pub struct Entries<'a> {
    list: &'a StatusList,
    bucket: usize,
    at: usize,
    chunk: Vec<u8>,
    taken: usize,
}

impl Entries<'_> {
    fn far(&mut self) -> io::Result<u64> {
        let size = far_bytes(self.list.header.bits);
        if self.taken == self.chunk.len() {
            let left = (self.list.near.len() - self.at) * size;
            self.chunk.resize(left.min(CHUNK_BYTES / size * size), 0);
            self.taken = 0;
            self.list.file.read_exact_at(&mut self.chunk, self.list.far_at + self.at as u64 * size as u64)?;
        }
        let mut bytes = [0; 8];
        bytes[8 - size..].copy_from_slice(&self.chunk[self.taken..self.taken + size]);
        self.taken += size;
        Ok(u64::from_be_bytes(bytes))
    }
}

impl Iterator for Entries<'_> {
    type Item = io::Result<(Tag, Status)>;

    fn next(&mut self) -> Option<io::Result<(Tag, Status)>> {
        let bits = self.list.header.bits;
        let near = u64::from(*self.list.near.get(self.at)?);
        while self.at >= self.list.buckets.range(self.bucket).end {
            self.bucket += 1;
        }
        let entry = self.far().and_then(|far| {
            let tag = (self.bucket as u64) << (64 - bits) | near << (64 - bits - NEAR_BITS) | far >> 2;
            let status = state_of(far).ok_or(io::ErrorKind::InvalidData)?;
            Ok((Tag::from_number(tag), status))
        });
        self.at = if entry.is_ok() { self.at + 1 } else { self.list.near.len() };
        Some(entry)
    }
}

fn state_of(far: u64) -> Option<Status> {
    status_of((far & 3) as u8 + 1)
}

/// Reads so many numbers, a chunk at a time, so that no second copy of a column is held.
fn column<T, const N: usize>(file: &mut File, count: usize, number: fn([u8; N]) -> T) -> io::Result<Box<[T]>> {
    let mut numbers = Vec::with_capacity(count);
    let mut chunk = vec![0; CHUNK_BYTES];
    while numbers.len() < count {
        let size = ((count - numbers.len()) * N).min(CHUNK_BYTES);
        file.read_exact(&mut chunk[..size])?;
        let (whole, _) = chunk[..size].as_chunks::<N>();
        numbers.extend(whole.iter().map(|bytes| number(*bytes)));
    }
    Ok(numbers.into())
}
