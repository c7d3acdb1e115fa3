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

/// What can be tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What the lane's state machine moves, lights and sounds.
    Output(Trial),
    /// The loudspeaker, which looks on at the lane.
    Loudspeaker,
}

/// An output that is to be tried out.
#[derive(Debug)]
pub struct Order {
    what: Wanted,
    given: Instant,
    answer: SyncSender<Result<(), Refusal>>,
}

impl Order {
    /// An order, and where its answer comes.
    pub fn new(what: Wanted) -> (Order, Receiver<Result<(), Refusal>>) {
        Order::given_at(what, Instant::now())
    }

    /// The same, given at a moment.
    pub(crate) fn given_at(what: Wanted, given: Instant) -> (Order, Receiver<Result<(), Refusal>>) {
        let (answer, answered) = sync_channel(1);
        (Order { what, given, answer }, answered)
    }

    /// Whether it has waited for so long that it counts no more.
    pub fn is_late(&self) -> bool {
        self.given.elapsed() > ORDER_LIFE
    }

    /// What to try.
    pub const fn what(&self) -> Wanted {
        self.what
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
    /// The verdicts that have a lamp.
    pub lamps: Vec<Verdict>,
    /// A buzzer.
    pub buzzer: bool,
    /// A loudspeaker.
    pub loudspeaker: bool,
}

impl Fitted {
    /// Whether anything opens the way.
    pub const fn opens(&self) -> bool {
        self.relay || self.controller
    }

    /// Whether there is a lamp or a buzzer.
    pub const fn signals(&self) -> bool {
        !self.lamps.is_empty() || self.buzzer
    }

    /// The outputs of these that can be tried out, in the order of the card.
    pub(super) fn outputs(&self) -> impl Iterator<Item = (Item, Wanted)> {
        OUTPUTS.into_iter().filter(|(_, tried)| match tried {
            Wanted::Output(Trial::Lamp(verdict)) => self.lamps.contains(verdict),
            Wanted::Output(Trial::Tone(_)) => self.buzzer,
            Wanted::Output(Trial::Relay) => self.opens(),
            Wanted::Loudspeaker => self.loudspeaker,
        })
    }
}

const OUTPUTS: [(Item, Wanted); 8] = [
    (Item::LampAdmit, Wanted::Output(Trial::Lamp(Verdict::Admit))),
    (Item::LampRefer, Wanted::Output(Trial::Lamp(Verdict::Refer))),
    (Item::LampRefuse, Wanted::Output(Trial::Lamp(Verdict::Refuse))),
    (Item::ToneAdmit, Wanted::Output(Trial::Tone(Verdict::Admit))),
    (Item::ToneRefer, Wanted::Output(Trial::Tone(Verdict::Refer))),
    (Item::ToneRefuse, Wanted::Output(Trial::Tone(Verdict::Refuse))),
    (Item::Voice, Wanted::Loudspeaker),
    (Item::Way, Wanted::Output(Trial::Relay)),
];
