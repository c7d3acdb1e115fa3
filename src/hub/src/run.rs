//! From a gate's signed batch to a [`Run`]: records that are proved to be one gate's own, in canonical
//! form, numbered without a gap and chained.
//!
//! Only [`Run::open`] makes a run and a store takes nothing else, so no check can be skipped. It is
//! separate from HTTP because a batch carried on a USB stick is opened by the same rules, and from the
//! store because what a run must fit on to ([`Run::beyond`]) does not depend on who keeps the records.

use crate::refusal::Refusal;
use menshen_core::cose::Sign1;
use menshen_core::ids::GateId;
use menshen_core::record::{Epoch, Hash, Link, Record, Seq};
use menshen_core::wire::{Batch, MAX_BATCH_BYTES, Message};

/// Consecutive, chained records of one epoch of one gate; at least one.
#[derive(Clone, Debug)]
pub struct Run {
    gate: GateId,
    epoch: Epoch,
    first: Seq,
    entries: Vec<Entry>,
}

/// A record and the bytes that its gate hashed and signed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the bytes say.
    pub record: Record,
    /// The canonical encoding.
    pub bytes: Vec<u8>,
}

/// Why a run does not fit on to the records that are already stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Records before this run have not arrived.
    #[error("records before this batch are missing; send again from record {}", .expected.0)]
    Gap {
        /// The number of the next record that the hub can take.
        expected: Seq,
    },
    /// The hub holds another record under this number, or another one before it.
    #[error("record {} is not the one that the hub holds or does not follow it; keep the batch and call the hub's keeper", .seq.0)]
    Conflict {
        /// The first record that differs.
        seq: Seq,
    },
}

impl Run {
    /// Opens a signed batch of `gate`, whose key is `public_key`.
    ///
    /// The signature comes first: nothing of an unknown sender is decompressed. Decompression is bounded
    /// by [`MAX_BATCH_BYTES`] whatever the data claim (RFC 8878 frames can claim anything).
    pub fn open(message: &[u8], gate: GateId, public_key: &[u8; 32]) -> Result<Run, Refusal> {
        let sign1 = Sign1::parse(message).map_err(|_| Refusal::Malformed("signed batch"))?;
        sign1.verify(public_key, Batch::PURPOSE, &mut Vec::new()).map_err(|_| Refusal::Signature)?;
        let batch = Batch::decode(sign1.payload).map_err(|_| Refusal::Malformed("batch"))?;
        if batch.gate != gate {
            return Err(Refusal::WrongGate);
        }
        let records = zstd::bulk::decompress(batch.records, MAX_BATCH_BYTES).map_err(|_| Refusal::Compression)?;
        let entries = chained(&batch, &records)?;
        Ok(Run { gate, epoch: batch.epoch, first: batch.first, entries })
    }

    /// Whose records.
    pub fn gate(&self) -> GateId {
        self.gate
    }

    /// Which life of the gate.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the first record.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The number of the last record.
    pub fn last(&self) -> Seq {
        Seq(self.first.0 + self.entries.len() as u64 - 1)
    }

    /// What is new in this run, for a store that holds the epoch's records 1 to `head` without a gap.
    ///
    /// `head` is the number and hash of the last record held; `held` are the stored bytes of those
    /// numbers of this run that are held already, in order.
    pub fn beyond(&self, head: Option<(Seq, Hash)>, held: &[Vec<u8>]) -> Result<&[Entry], HistoryError> {
        let expected = head.map_or(Seq(1), |(seq, _)| seq.next());
        if self.first > expected {
            return Err(HistoryError::Gap { expected });
        }
        if let Some((entry, _)) = self.entries.iter().zip(held).find(|(entry, held)| entry.bytes != **held) {
            return Err(HistoryError::Conflict { seq: entry.record.seq });
        }
        let new = self.entries.get(held.len()..).unwrap_or_default();
        match (new.first(), head) {
            (Some(entry), Some((_, hash))) if entry.record.previous != hash => {
                Err(HistoryError::Conflict { seq: entry.record.seq })
            }
            _ => Ok(new),
        }
    }
}

fn chained(batch: &Batch<'_>, records: &[u8]) -> Result<Vec<Entry>, Refusal> {
    let mut link = match batch.first {
        Seq(1) => Link::genesis(batch.epoch),
        first => Link { epoch: batch.epoch, next: first, previous: None },
    };
    let mut entries = Vec::with_capacity(batch.count as usize);
    let mut rest = records;
    while !rest.is_empty() {
        if entries.len() == batch.count as usize {
            return Err(Refusal::Count);
        }
        let (record, bytes, after) = Record::split_first(rest).map_err(Refusal::Record)?;
        link = link.check(&record, bytes).map_err(Refusal::Chain)?;
        entries.push(Entry { record, bytes: bytes.to_vec() });
        rest = after;
    }
    if entries.len() == batch.count as usize { Ok(entries) } else { Err(Refusal::Count) }
}
