//! A code in view that can not be read: first a hint, then a person decides.
//!
//! Separate from the other codes because it has no content to be told apart by: all that is known is
//! since when something unreadable has been in view.

use super::{AWAY_MS, HINT_AFTER_MS, UNREADABLE_AFTER_MS};

#[derive(Clone, Copy, Debug)]
pub(super) struct Blur {
    since_ms: u64,
    last_ms: u64,
    in_view: bool,
    /// The hint is on the screen.
    hinting: bool,
    /// It was decided about in this showing.
    answered: bool,
}

pub(super) enum Advice {
    Nothing,
    /// Put the hint on the screen.
    Hint,
    /// Let a person decide.
    Refer,
}

impl Blur {
    pub(super) const fn new() -> Blur {
        Blur { since_ms: 0, last_ms: 0, in_view: false, hinting: false, answered: false }
    }

    /// Notes that something unreadable is in view; only a lane at rest is advised.
    pub(super) fn see(&mut self, now_ms: u64, at_rest: bool) -> Advice {
        if !self.in_view {
            self.in_view = true;
            self.since_ms = now_ms;
        }
        self.last_ms = now_ms;
        let for_ms = now_ms.saturating_sub(self.since_ms);
        if !at_rest || self.answered || for_ms < HINT_AFTER_MS {
            return Advice::Nothing;
        }
        if for_ms >= UNREADABLE_AFTER_MS {
            self.answered = true;
            self.hinting = false;
            return Advice::Refer;
        }
        if core::mem::replace(&mut self.hinting, true) { Advice::Nothing } else { Advice::Hint }
    }

    /// Forgets it; gives whether the hint must leave the screen.
    pub(super) fn clear(&mut self) -> bool {
        core::mem::replace(self, Blur::new()).hinting
    }

    /// Forgets it if the camera has been silent about it for long; gives whether the hint must leave the screen.
    pub(super) fn lapse(&mut self, now_ms: u64) -> bool {
        self.in_view && now_ms.saturating_sub(self.last_ms) >= AWAY_MS && self.clear()
    }
}
