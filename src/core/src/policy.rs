//! The rules of the place: what a site does with a yellow code, a temperature, an old trust list.
//!
//! Numbers and choices only, so that every rule can come as data. [`Policy::default`] is what a gate
//! works with until its site says otherwise.

use crate::recognition::Kinds;
use crate::verdict::Verdict;

/// The lowest screening threshold a site may set, in hundredths of a degree Celsius.
pub const MIN_THRESHOLD_CENTI_C: i16 = 3600;
/// The highest.
pub const MAX_THRESHOLD_CENTI_C: i16 = 4000;

/// The rules of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a reading is part of the verdict.
    pub thermometry: Thermometry,
    /// At or above this a reading is high.
    pub threshold_centi_c: i16,
    /// Below this a reading is no living person's.
    pub implausible_below_centi_c: i16,
    /// Below this ambient temperature the unit can not judge.
    pub ambient_min_centi_c: i16,
    /// Above this ambient temperature the unit can not judge.
    pub ambient_max_centi_c: i16,
    /// What a yellow code leads to. Red always refuses.
    pub yellow: Verdict,
    /// Which kinds of pass are accepted.
    pub kinds: Kinds,
    /// How old a negative test may be, in seconds; `None` where no test is asked for.
    pub test_max_age_s: Option<u64>,
    /// From this age the trust list is ageing: a banner.
    pub trust_ageing_after_s: u64,
    /// From this age it is stale: nobody is admitted without a person.
    pub trust_stale_after_s: u64,
    /// From this time in which a gate may have missed what became of a pass: a note.
    pub status_ageing_after_s: u64,
    /// From this time such a pass is not admitted without a person.
    pub status_stale_after_s: u64,
    /// How long a reading is waited for after the code was read.
    pub reading_window_ms: u32,
    /// How many times in all a temperature is measured before a person decides.
    pub measure_attempts: u8,
    /// How long the relay stays closed on an admission.
    pub relay_pulse_ms: u32,
    /// How long an admission stays on the screen.
    pub hold_admit_ms: u32,
    /// How long a referral or refusal stays on the screen unless another person comes.
    pub hold_other_ms: u32,
}

/// Whether the temperature is part of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thermometry {
    /// No admission without a plausible reading below the threshold.
    Required,
    /// This lane has no thermometer.
    Off,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            thermometry: Thermometry::Required,
            threshold_centi_c: 3730,
            implausible_below_centi_c: 3400,
            ambient_min_centi_c: 1600,
            ambient_max_centi_c: 3500,
            yellow: Verdict::Refer,
            kinds: Kinds::all(),
            test_max_age_s: None,
            trust_ageing_after_s: 2 * 86_400,
            trust_stale_after_s: 14 * 86_400,
            status_ageing_after_s: 2 * 86_400,
            status_stale_after_s: 14 * 86_400,
            reading_window_ms: 3000,
            measure_attempts: 3,
            relay_pulse_ms: 1000,
            hold_admit_ms: 2000,
            hold_other_ms: 8000,
        }
    }
}
