//! The `[policy]` section: what a site says of its rules, and what is its lanes' own matter.
//!
//! What can be signed is read by [`menshen_lane::policy_file`], as in every policy file. The rest is here: windows,
//! pulses and holds, which depend on the turnstile and the place and on nobody's signature. Every key is optional and
//! bounded; the bounds keep a slip of the finger (a threshold of 373, a relay that stays closed for an hour) from
//! becoming a rule.

use std::fmt::Display;
use std::ops::RangeInclusive;

use menshen_core::policy::{Policy, PolicyError, SiteClass};
use menshen_lane::policy_file::Section;
use menshen_lane::rules::Rules;
use menshen_lane::settings::LONGEST_HOLD_MS;
use serde::Deserialize;

use super::Refused;

/// The keys that nobody signs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LaneSection {
    reading_window_ms: Option<u32>,
    reading_before_ms: Option<u32>,
    measure_attempts: Option<u8>,
    relay_pulse_ms: Option<u32>,
    relay_hold_off_ms: Option<u32>,
    hold_admit_ms: Option<u32>,
    hold_other_ms: Option<u32>,
    other_stays: Option<bool>,
}

/// The rules of a site of a class.
pub(super) fn rules(class: &str, section: &Section<LaneSection>) -> Result<Rules, Refused> {
    let class = SiteClass::parse(class).ok_or_else(|| {
        let names = SiteClass::ALL.map(SiteClass::name);
        Refused::new("class", format!("{class:?}"), format!("it may be one of {names:?}"))
    })?;
    let base = section.own.over(Policy::of(class))?;
    let own = section.rules.part().map_err(|error| Refused::of_rule(error.key, error.found, error.allowed))?;
    match own.over(&base) {
        Ok(_) => Ok(Rules { base, own }),
        Err(PolicyError::Order(key)) => {
            let allowed = "it must be more than the age from which it is ageing";
            Err(Refused::of_rule(key, section.rules.found(key), allowed))
        }
        Err(PolicyError::Bounds(key)) => Err(Refused::of_rule(key, section.rules.found(key), key.allowed())),
        Err(PolicyError::Content(_) | PolicyError::Format(_)) => unreachable!("no bytes were read"),
    }
}

impl LaneSection {
    /// `base` with what this section says.
    fn over(&self, base: Policy) -> Result<Policy, Refused> {
        Ok(Policy {
            reading_window_ms: within("policy.reading_window_ms", self.reading_window_ms, 500..=60_000)?
                .unwrap_or(base.reading_window_ms),
            reading_before_ms: within("policy.reading_before_ms", self.reading_before_ms, 0..=30_000)?
                .unwrap_or(base.reading_before_ms),
            measure_attempts: within("policy.measure_attempts", self.measure_attempts, 1..=9)?
                .unwrap_or(base.measure_attempts),
            relay_pulse_ms: within("policy.relay_pulse_ms", self.relay_pulse_ms, 100..=30_000)?
                .unwrap_or(base.relay_pulse_ms),
            relay_hold_off_ms: within("policy.relay_hold_off_ms", self.relay_hold_off_ms, 10..=5000)?
                .unwrap_or(base.relay_hold_off_ms),
            hold_admit_ms: within("policy.hold_admit_ms", self.hold_admit_ms, 700..=LONGEST_HOLD_MS)?
                .unwrap_or(base.hold_admit_ms),
            hold_other_ms: within("policy.hold_other_ms", self.hold_other_ms, 700..=LONGEST_HOLD_MS)?
                .unwrap_or(base.hold_other_ms),
            other_stays: self.other_stays.unwrap_or(base.other_stays),
            ..base
        })
    }
}

pub(super) fn within<T>(key: &'static str, value: Option<T>, allowed: RangeInclusive<T>) -> Result<Option<T>, Refused>
where
    T: PartialOrd + Display + Copy,
{
    match value {
        Some(value) if !allowed.contains(&value) => {
            Err(Refused::new(key, value, format!("it may be {} to {}", allowed.start(), allowed.end())))
        }
        value => Ok(value),
    }
}
