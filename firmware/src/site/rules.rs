//! The `[policy]` section: what a site does otherwise than the default policy.
//!
//! Every key is optional and bounded. The bounds keep a slip of the finger (a threshold of 373, a relay
//! that stays closed for an hour) from becoming a rule.

use std::fmt::Display;
use std::ops::RangeInclusive;

use menshen_core::decide::Verdict;
use menshen_core::pass::Kind;
use menshen_core::policy::{MAX_THRESHOLD_CENTI_C, MIN_THRESHOLD_CENTI_C, Policy, Thermometry};
use menshen_core::recognition::Kinds;
use serde::Deserialize;

use super::Refused;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PolicySection {
    threshold_c: Option<f64>,
    yellow: Option<Treatment>,
    thermometry: Option<ThermometryWord>,
    reading_window_ms: Option<u32>,
    measure_attempts: Option<u8>,
    relay_pulse_ms: Option<u32>,
    hold_admit_ms: Option<u32>,
    hold_other_ms: Option<u32>,
    trust_ageing_after_h: Option<u64>,
    trust_stale_after_h: Option<u64>,
    status_ageing_after_h: Option<u64>,
    status_stale_after_h: Option<u64>,
    kinds: Option<Vec<String>>,
    test_max_age_h: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Treatment {
    Admit,
    Refer,
    Refuse,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ThermometryWord {
    Required,
    Off,
}

impl PolicySection {
    /// `base` with what this section says.
    pub(super) fn over(self, base: Policy) -> Result<Policy, Refused> {
        let policy = Policy {
            threshold_centi_c: threshold(self.threshold_c)?.unwrap_or(base.threshold_centi_c),
            yellow: self.yellow.map_or(base.yellow, Treatment::verdict),
            thermometry: self.thermometry.map_or(base.thermometry, ThermometryWord::thermometry),
            kinds: kinds(self.kinds)?.unwrap_or(base.kinds),
            reading_window_ms: within("policy.reading_window_ms", self.reading_window_ms, 500..=60_000)?
                .unwrap_or(base.reading_window_ms),
            measure_attempts: within("policy.measure_attempts", self.measure_attempts, 1..=9)?
                .unwrap_or(base.measure_attempts),
            relay_pulse_ms: within("policy.relay_pulse_ms", self.relay_pulse_ms, 100..=30_000)?
                .unwrap_or(base.relay_pulse_ms),
            hold_admit_ms: within("policy.hold_admit_ms", self.hold_admit_ms, 700..=60_000)?
                .unwrap_or(base.hold_admit_ms),
            hold_other_ms: within("policy.hold_other_ms", self.hold_other_ms, 700..=60_000)?
                .unwrap_or(base.hold_other_ms),
            trust_ageing_after_s: hours("policy.trust_ageing_after_h", self.trust_ageing_after_h)?
                .unwrap_or(base.trust_ageing_after_s),
            trust_stale_after_s: hours("policy.trust_stale_after_h", self.trust_stale_after_h)?
                .unwrap_or(base.trust_stale_after_s),
            status_ageing_after_s: hours("policy.status_ageing_after_h", self.status_ageing_after_h)?
                .unwrap_or(base.status_ageing_after_s),
            status_stale_after_s: hours("policy.status_stale_after_h", self.status_stale_after_h)?
                .unwrap_or(base.status_stale_after_s),
            test_max_age_s: hours("policy.test_max_age_h", self.test_max_age_h)?.or(base.test_max_age_s),
            ..base
        };
        if policy.trust_stale_after_s <= policy.trust_ageing_after_s {
            let allowed = "it must be more than `policy.trust_ageing_after_h`";
            return Err(Refused::new("policy.trust_stale_after_h", policy.trust_stale_after_s / 3600, allowed));
        }
        if policy.status_stale_after_s <= policy.status_ageing_after_s {
            let allowed = "it must be more than `policy.status_ageing_after_h`";
            return Err(Refused::new("policy.status_stale_after_h", policy.status_stale_after_s / 3600, allowed));
        }
        Ok(policy)
    }
}

impl Treatment {
    fn verdict(self) -> Verdict {
        match self {
            Treatment::Admit => Verdict::Admit,
            Treatment::Refer => Verdict::Refer,
            Treatment::Refuse => Verdict::Refuse,
        }
    }
}

impl ThermometryWord {
    fn thermometry(self) -> Thermometry {
        match self {
            ThermometryWord::Required => Thermometry::Required,
            ThermometryWord::Off => Thermometry::Off,
        }
    }
}

fn threshold(threshold_c: Option<f64>) -> Result<Option<i16>, Refused> {
    let Some(threshold_c) = threshold_c else { return Ok(None) };
    // Whole hundredths; far outside i16 this saturates, and what is no number becomes 0.
    let centi_c = (threshold_c * 100.0).round() as i16;
    if (MIN_THRESHOLD_CENTI_C..=MAX_THRESHOLD_CENTI_C).contains(&centi_c) {
        return Ok(Some(centi_c));
    }
    Err(Refused::new("policy.threshold_c", threshold_c, "it may be 36.0 to 40.0 degrees Celsius, such as 37.3"))
}

fn kinds(names: Option<Vec<String>>) -> Result<Option<Kinds>, Refused> {
    let Some(names) = names else { return Ok(None) };
    let kind_of = |name: &String| {
        let known = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Refused::new("policy.kinds", format!("{name:?}"), kinds_allowed()))
    };
    let kinds = names.iter().map(kind_of).collect::<Result<Vec<_>, _>>()?;
    if kinds.is_empty() {
        return Err(Refused::new("policy.kinds", "[]", kinds_allowed()));
    }
    Ok(Some(Kinds::of(&kinds)))
}

fn kinds_allowed() -> String {
    format!("it may hold one or more of {:?}", Kind::ALL.map(Kind::name))
}

fn hours(key: &'static str, hours: Option<u64>) -> Result<Option<u64>, Refused> {
    Ok(within(key, hours, 1..=8760)?.map(|hours| hours * 3600))
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
