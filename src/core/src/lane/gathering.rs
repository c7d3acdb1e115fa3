//! Between the code and the decision: waiting for a reading, and measuring again.
//!
//! One attempt is one window of [`crate::policy::Policy::reading_window_ms`]. The median of a burst of readings counts,
//! so that one stray value neither admits nor refuses. A median that can not be a person's ends nothing: the window
//! goes on, then the person is asked to measure again, and after the last attempt a person decides. Which readings may
//! count at all is [`super::face`]'s.

use super::face::{Face, Holder};
use super::{Now, Screen, Token};
use crate::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use crate::policy::Thermometry;
use crate::thermo::{self, Judgement};

/// A person who is gone for this long, by the presence sensor, is not waited for.
const LEFT_AFTER_MS: u64 = 1000;
/// A code that has given way to another for this long is out of somebody's hand.
const GIVEN_WAY_AFTER_MS: u64 = 300;

#[derive(Clone, Debug)]
pub(super) struct Gathering {
    shown: Shown,
    /// The code that it is about.
    pub(super) token: Token,
    /// Since when another pass is in view and this one is not.
    given_way_ms: Option<u64>,
    attempt: u8,
    attempt_until_ms: u64,
    last: Measured,
    /// From when a face that was not seen to change counts as this person's.
    alone_from_ms: u64,
    /// Whether the presence sensor has seen this person: who shows a code from farther off has not left.
    was_there: bool,
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
        (token, shown): (Token, Shown),
        ask_at_ms: u64,
        alone_from_ms: u64,
        face: &mut Face,
        now: Now,
        context: Context<'_>,
    ) -> Gathering {
        let before = face.meets_code(holder_of(&shown), now.mono_ms, context.policy);
        Gathering {
            shown,
            token,
            given_way_ms: None,
            attempt: 1,
            attempt_until_ms: ask_at_ms + u64::from(context.policy.reading_window_ms),
            last: before.map_or(Measured::Nothing, Measured::Reading),
            alone_from_ms,
            was_there: face.is_there(),
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

    /// Takes a pass in place of the one that it is about, if it is of the same holder; gives whether it was.
    pub(super) fn is_renewed_by(&mut self, (token, shown): (Token, Shown)) -> bool {
        let is_same = holder_of(&shown).is_some() && holder_of(&shown) == holder_of(&self.shown);
        if is_same {
            (self.token, self.shown) = (token, shown);
        }
        is_same
    }

    /// Notes that a frame showed another pass and not this one, or nothing; gives whether that has lasted. Meanwhile nothing
    /// that is measured counts.
    pub(super) fn has_given_way(&mut self, to_another: bool, to_nothing: bool, face: &mut Face, now: Now) -> bool {
        if !to_another {
            // A frame in which no code was read proves nothing.
            if !to_nothing {
                self.given_way_ms = None;
            }
            return false;
        }
        face.restart();
        let since_ms = *self.given_way_ms.get_or_insert(now.mono_ms);
        now.mono_ms.saturating_sub(since_ms) >= GIVEN_WAY_AFTER_MS
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
        self.was_there |= face.is_there();
        let has_left = self.was_there && face.gone_for_ms(now.mono_ms) >= LEFT_AFTER_MS;
        if !thermometer_present || has_left {
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

/// Whose pass it is, where that is known.
fn holder_of(shown: &Shown) -> Option<Holder> {
    match shown {
        Shown::Verified(pass) => Some((pass.claims().issuer, pass.claims().holder)),
        _ => None,
    }
}
