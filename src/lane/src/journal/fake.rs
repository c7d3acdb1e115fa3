//! A journal for tests that need a little of one: whatever they do not say answers as that of an empty journal.
//!
//! Apart, because the loop of a lane and its numbers are each tested over a journal of which one or two answers matter.

use super::{Journal, JournalError, Pending, Status, Stored};
use menshen_core::record::{Body, Epoch, Seq};
use menshen_core::time::Time;

/// The answers that a test may give.
pub(crate) trait Answers: Send + Sync {
    fn append(&self) -> Result<Stored, JournalError> {
        Ok(Stored { epoch: Epoch(1), seq: Seq(1) })
    }
    fn read(&self, _: Epoch, _: Seq, _: usize) -> Result<Option<Pending>, JournalError> {
        Ok(None)
    }
    fn takes_records(&self) -> Result<(), JournalError> {
        Ok(())
    }
}

/// A journal of such answers.
pub(crate) struct Fake<T>(pub(crate) T);

impl<T: Answers> Journal for Fake<T> {
    fn append_with(&self, _: Time, _: u8, _: Body, _: Option<&[u8]>) -> Result<Stored, JournalError> {
        self.0.append()
    }
    fn kept(&self) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
        Ok(Vec::new())
    }
    fn pending(&self, _: usize) -> Result<Option<Pending>, JournalError> {
        Ok(None)
    }
    fn read(&self, epoch: Epoch, from: Seq, max: usize) -> Result<Option<Pending>, JournalError> {
        self.0.read(epoch, from, max)
    }
    fn ack(&self, _: Epoch, _: Seq) -> Result<(), JournalError> {
        Ok(())
    }
    fn renumber(&self, _: Epoch, _: Seq) -> Result<(), JournalError> {
        Ok(())
    }
    fn purge(&self, _: Time, _: bool) -> Result<u64, JournalError> {
        Ok(0)
    }
    fn takes_records(&self) -> Result<(), JournalError> {
        self.0.takes_records()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}
