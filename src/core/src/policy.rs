//! The rules of the place: what a site does with a yellow code, a temperature, an old trust list, a household.
//!
//! Numbers and choices only, so that every rule can come as data. What a gate works with is built up in layers: what
//! is baked in for its class of site ([`Policy::of`]), what the signed policies of the nation and of its division
//! say ([`PolicyPart`]), and what its own site file says.

mod class;
mod part;

pub use class::SiteClass;
pub use part::{FORMAT, Key, MAX_PART_BYTES, PolicyError, PolicyPart};

use crate::manual::ManualWay;
use crate::recognition::Kinds;
use crate::verdict::Verdict;

/// The lowest screening threshold a site may set, in hundredths of a degree Celsius.
pub const MIN_THRESHOLD_CENTI_C: i16 = 3600;
/// The highest.
pub const MAX_THRESHOLD_CENTI_C: i16 = 4000;

/// The rules of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What kind of place it is; it chooses the baked rules, the signed policy and some of the words.
    pub class: SiteClass,
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
    /// How often a household may go out; `None` where nobody counts.
    pub quota: Option<Quota>,
    /// Whether people leave by this lane, so that its admissions are outings.
    pub leads_out: bool,
    /// For so long after a pass was let in, the same pass is asked about, in seconds; 0 asks about none.
    pub again_after_s: u32,
    /// Whom a volunteer may let in by hand.
    pub manual: ManualWay,
    /// How long a reading is waited for after the code was read.
    pub reading_window_ms: u32,
    /// How long before the code a reading may have been taken, where a presence sensor proves that it is the same
    /// person's; 0 where the sensor does not see one person's place and no other.
    pub reading_before_ms: u32,
    /// How many times in all a temperature is measured before a person decides.
    pub measure_attempts: u8,
    /// How long the relay stays closed on an admission.
    pub relay_pulse_ms: u32,
    /// How long it stays open at least between two admissions, so that each is a pulse of its own.
    pub relay_hold_off_ms: u32,
    /// How long an admission stays on the screen.
    pub hold_admit_ms: u32,
    /// How long a referral or refusal stays on the screen unless another person comes.
    pub hold_other_ms: u32,
    /// Whether it stays after that too, until somebody acts: the next person comes, a volunteer is done with it, or a
    /// presence sensor says that nobody is there.
    pub other_stays: bool,
}

/// Whether the temperature is part of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thermometry {
    /// No admission without a plausible reading below the threshold.
    Required,
    /// This lane has no thermometer.
    Off,
}

/// How often the people of a household may go out: `outings` times in `days` calendar days, today among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many admissions of one household on lanes that lead out; at least 1.
    pub outings: u8,
    /// In how many calendar days of the site; at least 1.
    pub days: u8,
}

impl Policy {
    /// What is baked in for a class of site: a working default until somebody signs other rules.
    pub fn of(class: SiteClass) -> Policy {
        Policy {
            class,
            thermometry: Thermometry::Required,
            threshold_centi_c: 3730,
            implausible_below_centi_c: 3400,
            ambient_min_centi_c: 1600,
            ambient_max_centi_c: 3500,
            yellow: class.yellow(),
            kinds: class.kinds(),
            test_max_age_s: class.test_max_age_h().map(|hours| u64::from(hours) * 3600),
            trust_ageing_after_s: 2 * 86_400,
            trust_stale_after_s: 14 * 86_400,
            status_ageing_after_s: 2 * 86_400,
            status_stale_after_s: 14 * 86_400,
            quota: None,
            leads_out: false,
            again_after_s: class.again_after_s(),
            manual: ManualWay::AllButRed,
            reading_window_ms: 3000,
            reading_before_ms: 0,
            measure_attempts: 3,
            relay_pulse_ms: 1000,
            relay_hold_off_ms: 50,
            hold_admit_ms: 2000,
            hold_other_ms: 8000,
            other_stays: true,
        }
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::of(SiteClass::Community)
    }
}
