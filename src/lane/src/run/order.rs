//! What a volunteer orders at the panel, and what came of it.
//!
//! An order is about the person whom the volunteer saw, and while it is on its way the next one may step up. Only the
//! thread of the lane knows who is at the gate when the order's turn comes, so it is asked there and then whether it
//! still means the same person; one that is old, or means somebody who has gone, is not carried out and whoever gave it is
//! told so.
//!
//! Invariant: an order is answered once, or dropped with the gate.

use menshen_core::manual::Cause;
use std::fmt;
use std::time::{Duration, Instant};

/// A person who touched a button looks at what comes of it; later they have done something else.
pub(crate) const LIFE: Duration = Duration::from_secs(3);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// They decide, and say why.
    ByHand(Cause),
    /// They are done with whoever is on the screen.
    Next,
}

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out; the screen shows it.
    Done,
    /// The site's rules do not let it be done about this person.
    NotAllowed,
    /// Somebody else is at the gate by now.
    Changed,
    /// The lane was busy for too long.
    Late,
}

/// An order on its way from the panel to the lane.
pub struct Order {
    deed: Deed,
    given: Instant,
    is_meant: Box<dyn Fn(bool) -> bool + Send>,
    tell: Box<dyn FnOnce(Outcome) + Send>,
}

impl Order {
    /// One that is given now. `is_meant` says whether whoever is at the gate is still whom the volunteer saw; it is asked in
    /// the thread of the lane, and told whether the lane remembers its last verdict. `tell` is told once what came of it, in
    /// that thread too, and must not wait.
    pub fn new(
        deed: Deed,
        is_meant: impl Fn(bool) -> bool + Send + 'static,
        tell: impl FnOnce(Outcome) + Send + 'static,
    ) -> Order {
        Order { deed, given: Instant::now(), is_meant: Box::new(is_meant), tell: Box::new(tell) }
    }

    /// Has it carried out by `act`, which gives whether the rules allowed it, unless its time or its person has gone.
    /// `remembers`: whether the lane still knows whom its last verdict was about.
    pub fn obey(self, remembers: bool, act: impl FnOnce(Deed) -> bool) {
        let outcome = if self.given.elapsed() > LIFE {
            Outcome::Late
        } else if !(self.is_meant)(remembers) {
            Outcome::Changed
        } else if act(self.deed) {
            Outcome::Done
        } else {
            Outcome::NotAllowed
        };
        (self.tell)(outcome);
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("deed", &self.deed).field("given", &self.given).finish_non_exhaustive()
    }
}
