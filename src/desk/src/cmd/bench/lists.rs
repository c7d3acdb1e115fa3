//! The lists that are measured: the same of every seed, with the tags that real holders would have.

use super::super::progress;
use crate::outcome::{Failure, Result, at};
use menshen_core::ids::IssuerId;
use menshen_core::status::{Status, StatusSource, Tag};
use menshen_trust::status::{About, Change, Delta, IssuerStatus, StatusBook, StatusList, write_list};
use std::path::{Path, PathBuf};

/// The number of every list; the delta's is the next.
pub(super) const SEQ: u64 = 1;
/// Until when every list tells everything.
pub(super) const AS_OF: u64 = 1_600_000_000;

/// So many entries over so many issuers, numbered from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists {
    pub(super) entries: u32,
    pub(super) issuers: u32,
}

pub(super) fn delta_path(dir: &Path) -> PathBuf {
    dir.join("delta")
}

fn list_path(dir: &Path, issuer: u32) -> PathBuf {
    dir.join(format!("{issuer}.list"))
}

impl Lists {
    /// The code of an issuer.
    pub(super) fn issuer(self, issuer: u32) -> Result<IssuerId> {
        IssuerId::new(110_000 + 10_000 * issuer).ok_or_else(|| Failure::new("an issuer that is measured has no code"))
    }

    /// How many entries an issuer has.
    pub(super) fn of(self, issuer: u32) -> u32 {
        (self.entries / self.issuers + u32::from(issuer < self.entries % self.issuers)).max(1)
    }

    /// The tag of an issuer's holder; those from 0 are listed.
    pub(super) fn tag(self, issuer: u32, holder: u32) -> Tag {
        // The issuers of these lists all have codes: `make` has asked for each.
        self.issuer(issuer).map_or(Tag::from_number(0), |issuer| Tag::of_holder(issuer, &pseudonym(holder)))
    }

    /// The tag of a holder who is in no list.
    pub(super) fn absent(self, issuer: u32, holder: u32) -> Tag {
        self.tag(issuer, u32::MAX - holder)
    }

    /// Makes the lists and the delta.
    pub(super) fn make(self, dir: &Path, delta_entries: u32) -> Result<()> {
        let bar = progress(self.issuers.into(), "making lists");
        for issuer in 0..self.issuers {
            let path = list_path(dir, issuer);
            std::fs::write(&path, self.list(issuer, SEQ)?).map_err(at(&path, "make room on the disk"))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let path = delta_path(dir);
        std::fs::write(&path, self.delta(delta_entries)?.to_bytes()).map_err(at(&path, "make room on the disk"))
    }

    /// Opens the lists.
    pub(super) fn open(self, dir: &Path) -> Result<StatusBook> {
        let mut book = StatusBook::new();
        for issuer in 0..self.issuers {
            book.put(IssuerStatus::new(StatusList::open(&list_path(dir, issuer))?));
        }
        Ok(book)
    }

    /// The list of an issuer under a number.
    pub(super) fn list(self, issuer: u32, seq: u64) -> Result<Vec<u8>> {
        let about = About { issuer: self.issuer(issuer)?, seq, as_of: AS_OF };
        let entries = (0..self.of(issuer)).map(|n| (self.tag(issuer, n), Status::ALL[n as usize % 4]));
        let mut bytes = Vec::new();
        write_list(&mut bytes, about, entries)?;
        Ok(bytes)
    }

    /// What the first issuer changes: half of it new, a quarter cleared, a quarter changed to red.
    pub(super) fn delta(self, entries: u32) -> Result<Delta> {
        let about = About { issuer: self.issuer(0)?, seq: SEQ + 1, as_of: AS_OF + 3600 };
        let changes = (0..entries.min(self.of(0))).map(|n| self.change(n));
        Ok(Delta::new(about, changes)?)
    }

    fn change(self, number: u32) -> (Tag, Change) {
        let red = Some(Status::ALL[2]);
        match number % 4 {
            0 => (self.tag(0, number), None),
            1 => (self.tag(0, number), red),
            // In the upper half of the numbers nobody is listed and nobody is asked for as absent.
            _ => (self.tag(0, (1 << 31) + number), red),
        }
    }

    /// Whether a book says what the lists do, of so many entries of each and of as many absent tags.
    pub(super) fn check(self, book: &StatusBook, entries: u32) -> Result<()> {
        for issuer in 0..self.issuers {
            let publisher = self.issuer(issuer)?;
            let listed = (0..entries.min(self.of(issuer))).all(|n| {
                let status = Status::ALL[n as usize % 4];
                says(book, publisher, self.tag(issuer, n), Some(status))
                    && says(book, publisher, self.absent(issuer, n), None)
            });
            if !listed {
                return Err(Failure::new(format!("the list of issuer {publisher} answers wrongly: please report it")));
            }
        }
        Ok(())
    }

    /// Whether a book says what the delta does.
    pub(super) fn check_delta(self, book: &StatusBook, delta_entries: u32) -> Result<()> {
        let issuer = self.issuer(0)?;
        let right = |number| {
            let (tag, change) = self.change(number);
            says(book, issuer, tag, change)
        };
        let all = (0..delta_entries.min(self.of(0))).all(right);
        if all { Ok(()) } else { Err(Failure::new("the delta is not in what the list says: please report it")) }
    }

    /// How long the files of the lists are together.
    pub(super) fn bytes(self, dir: &Path) -> Result<u64> {
        let lengths = (0..self.issuers).map(|issuer| Ok(std::fs::metadata(list_path(dir, issuer))?.len()));
        lengths.sum()
    }
}

/// What a holder is called in passes.
pub(super) fn pseudonym(holder: u32) -> [u8; 16] {
    let mut value = [0; 16];
    value[..4].copy_from_slice(&holder.to_be_bytes());
    value
}

fn says(book: &StatusBook, publisher: IssuerId, tag: Tag, expected: Change) -> bool {
    book.look_up(publisher, tag).map(|entry| entry.map(|entry| entry.status)) == Ok(expected)
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 32).wrapping_mul(u64::from(limit)).wrapping_shr(32) as u32
    }
}
