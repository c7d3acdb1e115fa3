//! The 40 bytes that lists and deltas begin with.
//!
//! One layout for both, so that a tool that lists files need not know which is which. Numbers are big-endian, as
//! everywhere in these files; reserved bytes are zero and refused otherwise, so that a later format can use them.

use super::StatusError;
use menshen_core::ids::IssuerId;

/// How long a header is.
pub(super) const HEADER_BYTES: usize = 40;
const FORMAT: u8 = 1;

/// Which list or delta a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Who publishes it.
    pub issuer: IssuerId,
    /// Its number: a list of number S holds everything through delta S.
    pub seq: u64,
    /// Until when it tells everything, seconds since 1970.
    pub as_of: u64,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    List,
    Delta,
}

impl File {
    const fn magic(self) -> &'static [u8; 7] {
        match self {
            File::List => b"MS-LIST",
            File::Delta => b"MS-DELT",
        }
    }

    /// What a person calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            File::List => "status list",
            File::Delta => "status delta",
        }
    }

    /// The error of a file of this kind that contradicts itself.
    pub(super) const fn damaged(self, fault: &'static str) -> StatusError {
        StatusError::Damaged { what: self.name(), fault }
    }
}

/// A header that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) about: About,
    pub(super) count: u32,
    /// How many leading bits of a tag choose its bucket; 0 in a delta.
    pub(super) bits: u8,
}

impl Header {
    pub(super) fn encode(&self, file: File) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..7].copy_from_slice(file.magic());
        bytes[7] = FORMAT;
        bytes[8..12].copy_from_slice(&self.about.issuer.code().to_be_bytes());
        bytes[12..20].copy_from_slice(&self.about.seq.to_be_bytes());
        bytes[20..28].copy_from_slice(&self.about.as_of.to_be_bytes());
        bytes[28..32].copy_from_slice(&self.count.to_be_bytes());
        bytes[32] = self.bits;
        bytes
    }

    pub(super) fn decode(file: File, bytes: &[u8; HEADER_BYTES]) -> Result<Header, StatusError> {
        if &bytes[..7] != file.magic() {
            return Err(StatusError::Magic { expected: file.name() });
        }
        if bytes[7] != FORMAT {
            return Err(StatusError::Format { what: file.name(), found: bytes[7] });
        }
        let number = |from: usize, to: usize| bytes[from..to].iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        let issuer = IssuerId::new(number(8, 12) as u32).ok_or(file.damaged("its issuer is no division code"))?;
        if bytes[33..].iter().any(|byte| *byte != 0) {
            return Err(file.damaged("reserved bytes are not zero"));
        }
        let about = About { issuer, seq: number(12, 20), as_of: number(20, 28) };
        Ok(Header { about, count: number(28, 32) as u32, bits: bytes[32] })
    }
}
