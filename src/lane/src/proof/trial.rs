//! An order to try an output out, on its way to the lane that owns it, and what came of it on its way back.
//!
//! The lane takes it between two inputs, so it never meets a person who is being decided about; whoever ordered it
//! waits for the answer, the lane never does. Invariant: an order that waited for too long is not carried out, because
//! whoever gave it looks elsewhere by then.

use super::Item;
use menshen_core::lane::Trial;
use menshen_core::verdict::Verdict;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// An order counts for so long; shorter than whoever ordered waits for its answer.
const ORDER_LIFE: Duration = Duration::from_secs(2);

/// Why nothing was tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody is at the gate, or the fire alarm lasts.
    Busy,
    /// The lane came to it too late, and did not carry it out.
    Late,
    /// It failed: one sentence with the remedy.
    Failed(String),
}

/// An output that is to be tried out.
#[derive(Debug)]
pub struct Order {
    trial: Trial,
    given: Instant,
    answer: SyncSender<Result<(), Refusal>>,
}

impl Order {
    /// An order, and where its answer comes.
    pub fn new(trial: Trial) -> (Order, Receiver<Result<(), Refusal>>) {
        Order::given_at(trial, Instant::now())
    }

    /// The same, given at a moment.
    pub(crate) fn given_at(trial: Trial, given: Instant) -> (Order, Receiver<Result<(), Refusal>>) {
        let (answer, answered) = sync_channel(1);
        (Order { trial, given, answer }, answered)
    }

    /// Whether it has waited for so long that it counts no more.
    pub fn is_late(&self) -> bool {
        self.given.elapsed() > ORDER_LIFE
    }

    /// What to try.
    pub const fn trial(&self) -> Trial {
        self.trial
    }

    /// Says what came of it. Never waits.
    pub fn answer(self, came_of_it: Result<(), Refusal>) {
        // Whoever ordered it may have lost patience.
        let _ = self.answer.try_send(came_of_it);
    }
}

/// What a lane moves, lights and sounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    /// A relay.
    pub relay: bool,
    /// An access controller that is told whom to let in.
    pub controller: bool,
}

impl Fitted {
    /// Whether anything opens the way.
    pub const fn opens(&self) -> bool {
        self.relay || self.controller
    }
}

/// The outputs that can be tried out, in the order of the card.
pub(super) const OUTPUTS: [(Item, Trial); 7] = [
    (Item::LampAdmit, Trial::Lamp(Verdict::Admit)),
    (Item::LampRefer, Trial::Lamp(Verdict::Refer)),
    (Item::LampRefuse, Trial::Lamp(Verdict::Refuse)),
    (Item::ToneAdmit, Trial::Tone(Verdict::Admit)),
    (Item::ToneRefer, Trial::Tone(Verdict::Refer)),
    (Item::ToneRefuse, Trial::Tone(Verdict::Refuse)),
    (Item::Way, Trial::Relay),
];
