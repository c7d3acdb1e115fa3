//! Looking at a journal without touching it.
//!
//! A gate mends its journal when it starts; an auditor must not. So everything here works on a copy, made in the
//! system's temporary folder and removed afterwards: the evidence stays as it was, and the journal of a running
//! gate can be looked at too. What sled would forget in silence (it goes on from before damage in its log) shows
//! against the mark that the gate keeps beside it.

use super::mark::Mark;
use super::tables::{FOLDER, SLED_FILE, Tables, check, split_key};
use super::{ChainFault, JournalError};
use menshen_core::record::{Epoch, Link, Seq};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What a check of a whole journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many records were read.
    pub records: u64,
    /// Everything that is wrong, oldest first.
    pub faults: Vec<(Epoch, ChainFault)>,
}

/// A copy of a journal, to be read.
pub struct Inspection {
    tables: Tables,
    mark: Option<(Epoch, Seq)>,
    /// Removed when this is dropped, after the tables are closed.
    _copy: TempDir,
}

impl Inspection {
    /// Copies the journal of a state folder and opens the copy.
    pub fn open(state: &Path) -> Result<Inspection, JournalError> {
        let folder = |source| JournalError::Folder { path: state.join(FOLDER), source };
        let copy = tempfile::tempdir().map_err(folder)?;
        // Settings and snapshots are sled's caches; the log alone is the journal.
        fs::copy(state.join(FOLDER).join(SLED_FILE), copy.path().join(SLED_FILE)).map_err(folder)?;
        let mark = Mark::look(state).map_err(folder)?;
        Ok(Inspection { tables: Tables::open(copy.path())?, mark, _copy: copy })
    }

    /// Calls `each` with every record, oldest first, until it gives `false`.
    pub fn for_each(&self, mut each: impl FnMut(Epoch, Seq, &[u8]) -> bool) -> Result<(), JournalError> {
        for entry in &self.tables.records {
            let (key, bytes) = entry?;
            let (epoch, seq) = split_key(&key);
            if !each(epoch, seq, &bytes) {
                break;
            }
        }
        Ok(())
    }

    /// Checks every number and every link, and that nothing is missing at either end.
    pub fn verify(&self) -> Result<Verification, JournalError> {
        let mut found = Verification::default();
        let mut link: Option<Link> = None;
        for entry in &self.tables.records {
            let (at, bytes) = entry?;
            let (epoch, seq) = split_key(&at);
            found.records += 1;
            let here = match link {
                Some(link) if link.epoch == epoch => link,
                _ => self.beginning(epoch, seq, &mut found)?,
            };
            link = Some(match check(here, seq, &bytes) {
                Ok(next) => next,
                Err(fault) => {
                    found.faults.push((epoch, fault));
                    Link { epoch, next: seq.next(), previous: None }
                }
            });
        }
        let newest = self.tables.newest()?;
        if let Some((epoch, through)) = self.mark.filter(|mark| newest < Some(*mark)) {
            let from = newest.filter(|(of, _)| *of == epoch).map_or(Seq(1), |(_, last)| last.next());
            found.faults.push((epoch, ChainFault::Missing { from, through }));
        }
        Ok(found)
    }

    /// Where an epoch may begin: at its first record, or later where all before it were acknowledged and purged.
    fn beginning(&self, epoch: Epoch, seq: Seq, found: &mut Verification) -> Result<Link, JournalError> {
        if seq.0 == 1 {
            return Ok(Link::genesis(epoch));
        }
        let purged = self.tables.acked(epoch)?.unwrap_or(Seq(0));
        if purged.next() < seq {
            let through = Seq(seq.0 - 1);
            found.faults.push((epoch, ChainFault::Missing { from: purged.next(), through }));
        }
        Ok(Link { epoch, next: seq, previous: None })
    }
}
