//! Between the code and the decision: waiting for a reading, and measuring again.
//!
//! One attempt is one window of [`crate::policy::Policy::reading_window_ms`]. The median of
//! [`BURST`] consecutive readings counts, so that one stray value neither admits nor refuses. A median
//! that can not be a person's ends nothing: the window goes on, then the person is asked to measure
//! again, and after the last attempt a person decides.

use super::{Now, Screen};
use crate::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use crate::policy::Thermometry;
use crate::thermo::{self, Judgement, Reading};

/// How many consecutive readings are one measurement.
pub(super) const BURST: usize = 5;
/// How far the readings of a steady burst lie apart at most: the allowed error of a screening unit.
const STEADY_CENTI_C: i32 = 30;

#[derive(Clone, Debug)]
pub(super) struct Gathering {
    shown: Shown,
    attempt: u8,
    attempt_until_ms: u64,
    burst: heapless::Vec<Reading, BURST>,
    last: Measured,
}

pub(super) enum Step {
    Wait,
    Again(Screen),
    Decided(Decision),
}

impl Gathering {
    pub(super) fn new(shown: Shown, now: Now, context: Context<'_>) -> Gathering {
        Gathering {
            shown,
            attempt: 1,
            attempt_until_ms: now.mono_ms + u64::from(context.policy.reading_window_ms),
            burst: heapless::Vec::new(),
            last: Measured::Nothing,
        }
    }

    /// The decision, where no reading could change it to an admission or none can come.
    pub(super) fn at_once(&self, now: Now, context: Context<'_>, thermometer_present: bool) -> Option<Decision> {
        let can_measure = context.policy.thermometry == Thermometry::Required && thermometer_present;
        let verified = matches!(self.shown, Shown::Verified(_));
        let decision = self.decide(now, context);
        let refused = decision.verdict == Verdict::Refuse;
        if refused || !can_measure || !verified {
            Some(self.without_missing_reading(decision, now, context))
        } else {
            None
        }
    }

    pub(super) fn advance(
        &mut self,
        reading: Option<Reading>,
        now: Now,
        context: Context<'_>,
        thermometer_present: bool,
    ) -> Step {
        if let Some(reading) = reading {
            self.take(reading);
        }
        if let Some(median) = self.median() {
            let judgement = thermo::judge(median, context.policy);
            // A reading that still rises to a fever has not been in range: it counts once it stands still.
            if judgement != Judgement::InRange || self.is_steady() {
                self.last = Measured::Reading(median);
            }
            let settled = judgement == Judgement::InRange && self.is_steady();
            if settled || judgement == Judgement::High {
                return Step::Decided(self.decide(now, context));
            }
        }
        if !thermometer_present {
            return Step::Decided(self.decide(now, context));
        }
        if now.mono_ms < self.attempt_until_ms { Step::Wait } else { self.next_attempt(now, context) }
    }

    fn next_attempt(&mut self, now: Now, context: Context<'_>) -> Step {
        let of = context.policy.measure_attempts;
        if self.attempt >= of {
            return Step::Decided(self.decide(now, context));
        }
        self.attempt += 1;
        self.attempt_until_ms = now.mono_ms + u64::from(context.policy.reading_window_ms);
        self.burst.clear();
        Step::Again(match self.last {
            Measured::Nothing => Screen::AskReading,
            Measured::Reading(_) => Screen::MeasureAgain { attempt: self.attempt, of },
        })
    }

    fn take(&mut self, reading: Reading) {
        if self.burst.is_full() {
            self.burst.remove(0);
        }
        let pushed = self.burst.push(reading);
        debug_assert!(pushed.is_ok(), "a full burst has just lost its oldest");
    }

    fn median(&self) -> Option<Reading> {
        let mut burst = self.burst.clone();
        burst.sort_unstable_by_key(|reading| reading.temp_centi_c);
        if burst.is_full() { burst.get(BURST / 2).copied() } else { None }
    }

    fn is_steady(&self) -> bool {
        let temps = || self.burst.iter().map(|reading| i32::from(reading.temp_centi_c));
        temps().max().zip(temps().min()).is_some_and(|(max, min)| max - min <= STEADY_CENTI_C)
    }

    fn decide(&self, now: Now, context: Context<'_>) -> Decision {
        decide(&self.shown, self.last, now.time, context)
    }

    /// A refusal made before measuring does not blame the missing reading.
    fn without_missing_reading(&self, decision: Decision, now: Now, context: Context<'_>) -> Decision {
        if decision.verdict != Verdict::Refuse {
            return decision;
        }
        let policy = crate::policy::Policy { thermometry: Thermometry::Off, ..context.policy.clone() };
        decide(&self.shown, self.last, now.time, Context { policy: &policy, ..context })
    }
}
