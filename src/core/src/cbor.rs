//! The little that this crate adds to `minicbor`: a bounded buffer to write into, and one error.
//!
//! Canonical form (RFC 8949 section 4.2) is checked the one way that can not miss a case: what was
//! decoded is encoded again and compared byte by byte. Every decoder here relies on that, so the
//! encoders are the single definition of each format.

use core::fmt;
use minicbor::decode;
use minicbor::encode::Write;

/// A buffer of at most `N` bytes that CBOR can be written into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buf<const N: usize>(heapless::Vec<u8, N>);

impl<const N: usize> Buf<N> {
    /// An empty buffer.
    pub const fn new() -> Self {
        Buf(heapless::Vec::new())
    }

    /// The bytes written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> AsRef<[u8]> for Buf<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The buffer has no room for what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the encoded value is longer than its format allows")
    }
}

impl core::error::Error for Full {}

impl<const N: usize> Write for Buf<N> {
    type Error = Full;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.0.extend_from_slice(bytes).map_err(|_| Full)
    }
}

/// Compares with the bytes it expects instead of storing what is written: a fresh encoding is checked
/// against its original without room to hold it.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    rest: &'a [u8],
}

impl<'a> Expect<'a> {
    /// Expects exactly these bytes to be written.
    pub const fn new(original: &'a [u8]) -> Expect<'a> {
        Expect { rest: original }
    }

    /// Refuses unless all of the bytes were written.
    pub fn end(self) -> Result<(), CborError> {
        same_bytes(self.rest, &[])
    }
}

impl Write for Expect<'_> {
    type Error = CborError;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), CborError> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(CborError::NotCanonical)?;
        Ok(())
    }
}

/// What went wrong in reading CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CborError {
    /// The bytes end in the middle of an item.
    Truncated,
    /// An item of another type, or a length, than the format has at that place.
    Shape,
    /// A value outside its bounds.
    Bounds,
    /// Well-formed, but not the one canonical encoding of its value, or followed by more bytes.
    NotCanonical,
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CborError::Truncated => "the data were cut off",
            CborError::Shape => "the data do not have the shape of their format",
            CborError::Bounds => "a value is outside its bounds",
            CborError::NotCanonical => "the data are not in canonical form",
        })
    }
}

impl core::error::Error for CborError {}

impl From<decode::Error> for CborError {
    fn from(error: decode::Error) -> CborError {
        if error.is_end_of_input() { CborError::Truncated } else { CborError::Shape }
    }
}

/// Refuses unless `canonical`, the fresh encoding of what was decoded, equals the bytes it came from.
pub fn same_bytes(canonical: &[u8], original: &[u8]) -> Result<(), CborError> {
    if canonical == original { Ok(()) } else { Err(CborError::NotCanonical) }
}

/// Reads the length of a definite map or array.
pub fn definite(length: Option<u64>) -> Result<u64, CborError> {
    length.ok_or(CborError::Shape)
}
