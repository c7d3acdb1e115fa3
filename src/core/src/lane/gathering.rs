//! Between the code and the decision: waiting for a reading, and measuring again.
//!
//! One attempt is one window of [`crate::policy::Policy::reading_window_ms`]. The median of a burst of readings counts,
//! so that one stray value neither admits nor refuses. A median that can not be a person's ends nothing: the window
//! goes on, then the person is asked to measure again, and after the last attempt a person decides. Which readings may
//! count at all is [`super::face`]'s.

use super::face::Face;
use super::{Now, Screen};
use crate::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use crate::policy::Thermometry;
use crate::thermo::{self, Judgement};

/// A person who is gone for this long, by the presence sensor, is not waited for.
const LEFT_AFTER_MS: u64 = 1000;

#[derive(Clone, Debug)]
pub(super) struct Gathering {
    shown: Shown,
    attempt: u8,
    attempt_until_ms: u64,
    last: Measured,
    /// From when a face that was not seen to change counts as this person's.
    alone_from_ms: u64,
    /// Whether the person has been told what is wanted.
    pub(super) has_asked: bool,
}

#[expect(clippy::large_enum_variant, reason = "there is no allocator, and one step is taken at a time")]
pub(super) enum Step {
    Wait,
    Again,
    Decided(Decision),
}

impl Gathering {
    /// A code was seen, and its holder is asked for the temperature at `ask_at_ms`.
    pub(super) fn new(
        shown: Shown,
        ask_at_ms: u64,
        alone_from_ms: u64,
        face: &mut Face,
        now: Now,
        context: Context<'_>,
    ) -> Gathering {
        let holder = match &shown {
            Shown::Verified(pass) => Some((pass.claims().issuer, pass.claims().holder)),
            _ => None,
        };
        let before = face.meets_code(holder, now.mono_ms, context.policy);
        Gathering {
            shown,
            attempt: 1,
            attempt_until_ms: ask_at_ms + u64::from(context.policy.reading_window_ms),
            last: before.map_or(Measured::Nothing, Measured::Reading),
            alone_from_ms,
            has_asked: false,
        }
    }

    /// The decision, where no reading could change it to an admission or none can come.
    pub(super) fn at_once(&self, now: Now, context: Context<'_>, thermometer_present: bool) -> Option<Decision> {
        let can_measure = context.policy.thermometry == Thermometry::Required && thermometer_present;
        let verified = matches!(self.shown, Shown::Verified(_));
        let decision = self.decide(now, context);
        let refused = decision.verdict == Verdict::Refuse;
        if refused || !can_measure || !verified || self.was_measured(context) {
            Some(self.without_missing_reading(decision, now, context))
        } else {
            None
        }
    }

    /// Whether a reading from before the code settles it.
    fn was_measured(&self, context: Context<'_>) -> bool {
        match self.last {
            Measured::Nothing => false,
            Measured::Reading(reading) => {
                matches!(thermo::judge(reading, context.policy), Judgement::InRange | Judgement::High)
            }
        }
    }

    pub(super) fn advance(
        &mut self,
        face: &mut Face,
        now: Now,
        context: Context<'_>,
        thermometer_present: bool,
    ) -> Step {
        if now.mono_ms >= self.alone_from_ms {
            face.has_changed();
        }
        if !face.is_new() {
            // Nobody is asked to measure again because the one before is still in the way.
            self.attempt_until_ms =
                self.attempt_until_ms.max(now.mono_ms + u64::from(context.policy.reading_window_ms));
        }
        if let Some(burst) = face.measured(context.policy) {
            // A reading that still rises to a fever has not been in range: it counts once it stands still.
            if burst.judgement != Judgement::InRange || burst.is_steady {
                self.last = Measured::Reading(burst.reading);
            }
            if burst.is_settled() {
                return Step::Decided(self.decide(now, context));
            }
        }
        if !thermometer_present || face.gone_for_ms(now.mono_ms) >= LEFT_AFTER_MS {
            return Step::Decided(self.decide(now, context));
        }
        if now.mono_ms < self.attempt_until_ms { Step::Wait } else { self.next_attempt(face, now, context) }
    }

    fn next_attempt(&mut self, face: &mut Face, now: Now, context: Context<'_>) -> Step {
        if self.attempt >= context.policy.measure_attempts {
            return Step::Decided(self.decide(now, context));
        }
        self.attempt += 1;
        self.attempt_until_ms = now.mono_ms + u64::from(context.policy.reading_window_ms);
        face.restart();
        Step::Again
    }

    /// What the person is asked for.
    pub(super) fn screen(&self, context: Context<'_>) -> Screen {
        match self.last {
            Measured::Reading(_) if self.attempt > 1 => {
                Screen::MeasureAgain { attempt: self.attempt, of: context.policy.measure_attempts }
            }
            Measured::Reading(_) | Measured::Nothing => Screen::AskReading,
        }
    }

    /// The decision on what is known now.
    pub(super) fn decide(&self, now: Now, context: Context<'_>) -> Decision {
        decide(&self.shown, self.last, now.time, context)
    }

    /// A refusal made before measuring does not blame the missing reading.
    fn without_missing_reading(&self, decision: Decision, now: Now, context: Context<'_>) -> Decision {
        if decision.verdict != Verdict::Refuse || self.last != Measured::Nothing {
            return decision;
        }
        let policy = crate::policy::Policy { thermometry: Thermometry::Off, ..context.policy.clone() };
        decide(&self.shown, self.last, now.time, Context { policy: &policy, ..context })
    }
}
