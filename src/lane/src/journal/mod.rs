//! The journal: every decision on stable storage before the gate acts on it.
//!
//! Invariants:
//! - [`Journal::append`] returns only when the record survives a power cut.
//! - Numbers run without gaps within an epoch and each record carries the hash of the one before it.
//! - [`Journal::pending`] gives only durable records, so that no number that the hub has seen can ever be
//!   used again for another record.
//! - A record leaves only after the hub acknowledged it and its retention is over.
//! - What can not be trusted after a crash is set aside and told; it never keeps a gate from scanning.

mod damage;
#[cfg(test)]
pub(crate) mod fake;
mod inspect;
mod mark;
mod sled_journal;
mod tables;

pub use inspect::{Inspection, Verification};
pub use sled_journal::SledJournal;

use menshen_core::record::{Body, ChainError, Epoch, Seq};
use menshen_core::time::Time;
use std::path::{Path, PathBuf};

/// How long an acknowledged record stays on the device, in seconds: 14 days.
pub const RETENTION_S: u64 = 14 * 86_400;
/// How long what is kept beside a record stays, in seconds: 15 days.
pub const KEPT_S: u64 = 15 * 86_400;
/// A purge forgets no more at once, so that appends do not wait for it.
pub const PURGED_AT_ONCE: usize = 256;
/// The free space below which a journal is full, in bytes: sled must never meet the end of the disk.
pub const MIN_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Whether a gate has ever kept its records in this state folder.
pub fn is_kept_in(state: &Path) -> bool {
    state.join(tables::FOLDER).is_dir()
}

/// Why the journal does not take or give records.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder can not be made or written.
    #[error("the journal {path} can not be written ({source}): give the gate a state folder that it may write")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk has no room.
    #[error("the disk of the journal has only {free_bytes} bytes free: make room or replace the card")]
    Full {
        /// What is left.
        free_bytes: u64,
    },
    /// The storage engine failed.
    #[error("the journal failed ({source}): check the card")]
    Store {
        /// What it said.
        source: sled::Error,
    },
    /// Another program has the journal open.
    #[error("the journal {path} is in use by another program: stop the other gate, or name another state folder")]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A record can not be read back.
    #[error("record {} of epoch {} is damaged", seq.0, epoch.0)]
    Damaged {
        /// Which epoch.
        epoch: Epoch,
        /// Which record.
        seq: Seq,
    },
}

impl From<sled::Error> for JournalError {
    fn from(source: sled::Error) -> JournalError {
        JournalError::Store { source }
    }
}

/// A record that is on stable storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which life of the device.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
}

impl Stored {
    /// A number that rises from record to record, also from one epoch to the next.
    pub const fn number(self) -> u64 {
        // An epoch has fewer than 2^40 records: a thousand a second for 34 years.
        (self.epoch.0 as u64) << 40 | (self.seq.0 & ((1 << 40) - 1))
    }
}

/// Consecutive durable records of one epoch that the hub has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which life of the device.
    pub epoch: Epoch,
    /// The number of the first.
    pub first: Seq,
    /// The bytes of each.
    pub records: Vec<Vec<u8>>,
}

/// How much a journal holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The current epoch.
    pub epoch: u32,
    /// The number of the next record in it.
    pub next_seq: u64,
    /// Records that the hub has not acknowledged.
    pub backlog: u64,
}

/// Where a gate remembers.
pub trait Journal: Send + Sync {
    /// Makes one record durable. On an error nothing was promised: the gate must not act on the decision,
    /// and whether the record is found later is open.
    fn append(&self, time: Time, lane: u8, body: Body) -> Result<Stored, JournalError> {
        self.append_with(time, lane, body, None)
    }
    /// The same, with a few bytes that stay on this gate and become durable with the record. The first eight are when, in
    /// seconds since 1970; after [`KEPT_S`] they are forgotten.
    fn append_with(&self, time: Time, lane: u8, body: Body, kept: Option<&[u8]>) -> Result<Stored, JournalError>;
    /// What was kept beside records, the oldest first, each with a number that rises.
    fn kept(&self) -> Result<Vec<(u64, Vec<u8>)>, JournalError>;
    /// The oldest records without an ack, at most `max`, of one epoch.
    fn pending(&self, max: usize) -> Result<Option<Pending>, JournalError>;
    /// The records of an epoch from a number on, acknowledged or not, at most `max`.
    fn read(&self, epoch: Epoch, from: Seq, max: usize) -> Result<Option<Pending>, JournalError>;
    /// The hub has everything of this epoch through this number. Late and repeated acks do nothing.
    fn ack(&self, epoch: Epoch, through: Seq) -> Result<(), JournalError>;
    /// The hub holds other records under these numbers (this card was restored from a copy, say): gives the records
    /// of this epoch from there on new numbers in a new epoch, so that they can be delivered.
    fn renumber(&self, epoch: Epoch, from: Seq) -> Result<(), JournalError>;
    /// Forgets records older than [`RETENTION_S`], at most [`PURGED_AT_ONCE`] of them; gives how many. Where nobody
    /// will ever acknowledge (`without_acks`), they go all the same.
    fn purge(&self, now: Time, without_acks: bool) -> Result<u64, JournalError>;
    /// Whether it would take a record now; one that is closed is opened again.
    ///
    /// # Errors
    /// Why it would not.
    fn takes_records(&self) -> Result<(), JournalError>;
    /// How much there is.
    fn status(&self) -> Status;
}

/// Why a stored record does not belong where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// It does not continue the chain.
    #[error("{0}")]
    Chain(ChainError),
    /// It is no record.
    #[error("record {} is damaged", .0.0)]
    Damaged(Seq),
    /// Records that were there are not.
    #[error("records {} to {} are missing", from.0, through.0)]
    Missing {
        /// The first one.
        from: Seq,
        /// The last one.
        through: Seq,
    },
}
