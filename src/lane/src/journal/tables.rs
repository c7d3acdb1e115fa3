//! The tables of a journal in sled: records by (epoch, number), acks by epoch.
//!
//! Apart from [`super::SledJournal`], which writes, because [`super::Inspection`] reads the same tables without
//! ever writing.

use super::{ChainFault, JournalError};
use menshen_core::record::{Epoch, Link, Record, Seq};
use sled::{Db, Tree};
use std::path::Path;

/// The folder of sled's files within the state folder.
pub(super) const FOLDER: &str = "journal";
/// The file that holds sled's whole log.
pub(super) const SLED_FILE: &str = "db";
/// The page cache of sled: small, because a gate reads what it has just written.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// An open store.
pub(super) struct Tables {
    pub(super) db: Db,
    /// (epoch, seq) big-endian → record.
    pub(super) records: Tree,
    /// epoch big-endian → the last number acknowledged.
    pub(super) acks: Tree,
    /// (epoch, seq) big-endian → what is kept beside the record.
    pub(super) kept: Tree,
}

impl Tables {
    pub(super) fn open(path: &Path) -> Result<Tables, JournalError> {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = config.open().map_err(|error| match error {
            sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
                JournalError::InUse { path: path.into() }
            }
            sled::Error::Io(source) => JournalError::Folder { path: path.into(), source },
            source => JournalError::Store { source },
        })?;
        let (records, acks, kept) = (db.open_tree("records")?, db.open_tree("acks")?, db.open_tree("kept")?);
        Ok(Tables { db, records, acks, kept })
    }

    pub(super) fn newest(&self) -> Result<Option<(Epoch, Seq)>, JournalError> {
        Ok(self.records.last()?.map(|(newest, _)| split_key(&newest)))
    }

    pub(super) fn acked(&self, epoch: Epoch) -> Result<Option<Seq>, JournalError> {
        let bytes = self.acks.get(epoch.0.to_be_bytes())?;
        Ok(bytes.and_then(|bytes| bytes.as_ref().try_into().ok()).map(|bytes| Seq(u64::from_be_bytes(bytes))))
    }
}

pub(super) fn check(link: Link, seq: Seq, bytes: &[u8]) -> Result<Link, ChainFault> {
    let record = Record::from_bytes(bytes).map_err(|_| ChainFault::Damaged(seq))?;
    link.check(&record, bytes).map_err(ChainFault::Chain)
}

pub(super) fn key(epoch: Epoch, seq: Seq) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&epoch.0.to_be_bytes());
    key[4..].copy_from_slice(&seq.0.to_be_bytes());
    key
}

pub(super) fn split_key(key: &[u8]) -> (Epoch, Seq) {
    let part = |range: std::ops::Range<usize>| key.get(range).unwrap_or_default();
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    (Epoch(number(part(0..4)) as u32), Seq(number(part(4..12))))
}
