//! The mark: how far the journal had come, in a small file outside of the storage engine.
//!
//! An engine that meets damage in its log goes on from before the damage and says nothing. Numbers would be used
//! again that the hub has seen for other records, and records would vanish in silence. So the number of the newest
//! record is written here after each append, and is on stable storage before any record is handed on. A journal
//! that ends before its mark has lost records: it says so, and begins a new epoch.
//!
//! Invariants: the mark is never ahead of a durable record, and never behind one that was handed on. It is one
//! short line, overwritten in place, with a check of its own; a line that does not check counts as none.

use menshen_core::ids::{first_8, sha256};
use menshen_core::record::{Epoch, Seq};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The file within the state folder: `EPOCH SEQ CHECK`, each of fixed width.
const FILE: &str = "journal-mark";

/// The mark of one journal.
pub(super) struct Mark {
    file: File,
    at: Option<(Epoch, Seq)>,
    synced: bool,
}

impl Mark {
    /// The mark of a state folder; there is none before the first record.
    pub(super) fn open(state: &Path) -> io::Result<Mark> {
        let path = state.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let mut line = Vec::new();
        (&file).read_to_end(&mut line)?;
        let at = str::from_utf8(&line).ok().and_then(parse);
        if at.is_none() && !line.is_empty() {
            tracing::warn!("{} is damaged; whether records of the journal are missing can not be told", path.display());
        }
        Ok(Mark { file, at, synced: at.is_some() })
    }

    /// What the mark of a state folder says, without touching it.
    pub(super) fn look(state: &Path) -> io::Result<Option<(Epoch, Seq)>> {
        match std::fs::read(state.join(FILE)) {
            Ok(line) => Ok(str::from_utf8(&line).ok().and_then(parse)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest record that the journal had.
    pub(super) fn at(&self) -> Option<(Epoch, Seq)> {
        self.at
    }

    /// A record is durable.
    pub(super) fn set(&mut self, epoch: Epoch, seq: Seq) -> io::Result<()> {
        self.file.write_all_at(line(epoch, seq).as_bytes(), 0)?;
        (self.at, self.synced) = (Some((epoch, seq)), false);
        Ok(())
    }

    /// Puts the mark on stable storage; nothing to do where it is.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if !self.synced {
            self.file.sync_data()?;
            self.synced = true;
        }
        Ok(())
    }
}

fn line(epoch: Epoch, seq: Seq) -> String {
    let numbers = format!("{:010} {:020}", epoch.0, seq.0);
    let check = u64::from_be_bytes(first_8(&sha256(numbers.as_bytes())));
    format!("{numbers} {check:016x}\n")
}

fn parse(text: &str) -> Option<(Epoch, Seq)> {
    let mut words = text.split_whitespace();
    let (epoch, seq) = (Epoch(words.next()?.parse().ok()?), Seq(words.next()?.parse().ok()?));
    (text == line(epoch, seq)).then_some((epoch, seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_a_changed_one_counts_as_none() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let mut mark = Mark::open(dir.path())?;
        assert_eq!(mark.at(), None);
        mark.set(Epoch(3), Seq(4711))?;
        mark.set(Epoch(3), Seq(4712))?;
        assert_eq!(Mark::open(dir.path())?.at(), Some((Epoch(3), Seq(4712))));
        mark.file.write_all_at(b"9", 0)?;
        assert_eq!(Mark::open(dir.path())?.at(), None);
        Ok(())
    }
}
