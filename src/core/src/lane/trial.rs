//! Trying an output out: a lamp, a tone or the relay, for a person who looks whether it works.
//!
//! It goes through the lane like everything that moves, so that it can never meet a person: only a lane at rest tries,
//! and whoever comes ends it. Invariant: the relay is closed only once it is recorded that it was tried, for one pulse.

use super::{Action, Actions, Context, Lane, Now, Work, lengths, push};
use crate::verdict::Verdict;

/// So long a lamp is lit that is tried out.
pub const TRIAL_MS: u64 = 3000;

/// What is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The lamp of a verdict, for [`TRIAL_MS`].
    Lamp(Verdict),
    /// The tone of a verdict.
    Tone(Verdict),
    /// The relay, for one pulse.
    Relay,
}

impl Lane {
    /// Whether something can be tried out: nobody is at the gate who could take it for an answer.
    pub fn may_try(&self) -> bool {
        self.is_at_rest() && !self.stays && !self.blur.is_shown() && self.presence != Some(true)
    }

    /// Tries something out, if nobody would take it for an answer.
    pub(super) fn try_out(&mut self, trial: Trial, now_ms: u64, actions: &mut Actions) {
        if !self.may_try() {
            return;
        }
        match trial {
            Trial::Lamp(verdict) => {
                self.lamp_tried_until_ms = Some(now_ms + TRIAL_MS);
                push(actions, Action::Lamp(Some(verdict)));
            }
            Trial::Tone(verdict) => push(actions, Action::Tone(verdict)),
            Trial::Relay => {
                self.work = Work::Trying;
                push(actions, Action::RecordTrial);
            }
        }
    }

    /// It is recorded that the relay is tried, or could not be.
    pub(super) fn tried(&mut self, durable: bool, now: Now, context: Context<'_>, actions: &mut Actions) {
        self.work = Work::Idle;
        if durable {
            let moved = self.pulse.admit(now.mono_ms, lengths(context));
            moved.into_iter().for_each(|closed| push(actions, Action::Relay(closed)));
        }
    }

    /// Darkens a lamp that is lit for nobody.
    pub(super) fn end_trial(&mut self, actions: &mut Actions) {
        if self.lamp_tried_until_ms.take().is_some() {
            push(actions, Action::Lamp(None));
        }
    }
}
