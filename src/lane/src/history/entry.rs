//! A visit as it is kept beside its record and sent to other gates: a fixed number of bytes.

use menshen_core::history::Day;

/// How many bytes an entry has.
pub const ENTRY_BYTES: usize = 28;
/// The day of an entry without an outing.
const NO_DAY: u32 = u32::MAX;

/// A pass or a household, as nobody but the site's gates can compute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; 8]);

/// The gate that saw a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub [u8; 8]);

/// A visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in seconds since 1970, as well as the gate knew.
    pub unix_s: u64,
    /// Which pass.
    pub pass: Tag,
    /// Which household went out, and on which day.
    pub outing: Option<(Tag, Day)>,
}

impl Entry {
    /// The bytes: when, pass, household, day; the journal reads the first eight of what it keeps as the time.
    pub fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let (household, day) = self.outing.unwrap_or((Tag([0; 8]), Day(NO_DAY)));
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.unix_s.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.pass.0);
        bytes[16..24].copy_from_slice(&household.0);
        bytes[24..].copy_from_slice(&day.0.to_be_bytes());
        bytes
    }

    /// Reads them; `None` for another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Entry> {
        let (unix_s, rest) = bytes.split_first_chunk::<8>()?;
        let (pass, rest) = rest.split_first_chunk::<8>()?;
        let (household, day) = rest.split_first_chunk::<8>()?;
        let day = Day(u32::from_be_bytes(day.try_into().ok()?));
        let outing = (day != Day(NO_DAY)).then_some((Tag(*household), day));
        Some(Entry { unix_s: u64::from_be_bytes(*unix_s), pass: Tag(*pass), outing })
    }
}
