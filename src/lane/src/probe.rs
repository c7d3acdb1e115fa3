//! Where a test may watch, or end, a running gate.
//!
//! The promise "nothing lost, nothing doubled, durable before the relay" is about every moment between
//! two steps. The runtime names those moments; a product gate has nobody listening, and a fault test
//! kills the whole process at one of them.

use std::sync::Arc;

/// A moment between two effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A decision was made; nothing is written yet.
    Decided,
    /// The record is durable; nothing has moved yet.
    Recorded,
    /// The relay has closed; the screen does not show it yet.
    RelayClosed,
    /// The screen shows the verdict.
    Shown,
    /// Records were taken for a batch; nothing is sent yet.
    BatchTaken,
    /// The hub has answered; the answer is not read yet.
    BatchSent,
    /// The ack is genuine; it is not stored yet.
    AckReceived,
    /// The ack is stored.
    AckStored,
}

/// Told of every moment; does nothing by default.
#[derive(Clone, Default)]
pub struct Probe(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Probe {
    /// A probe that calls `watch`.
    pub fn new(watch: impl Fn(Step) + Send + Sync + 'static) -> Probe {
        Probe(Some(Arc::new(watch)))
    }

    /// This moment has come.
    pub fn at(&self, step: Step) {
        if let Some(watch) = &self.0 {
            watch(step);
        }
    }
}
