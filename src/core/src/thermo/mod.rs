//! Infrared thermometers: from serial bytes to a reading, and what a reading means.
//!
//! One file a protocol, each a parser that is fed bytes as they come and resynchronises by itself; a
//! line may be noisy, cut, or opened in the middle of a frame. A parser says what the sensor said; what
//! that means for a person is [`judge`]'s, which keeps apart "high", "in range" and "can not be a
//! living person", because the last is measured again and never a pass.

pub mod cjmcu_90614;
pub mod correct;
pub mod gy_mcu90614;
pub mod modbus_head;
mod parser;
pub mod rqvk002;
pub mod summed;
mod window;

pub use parser::{Parser, Protocol};

use crate::policy::Policy;

/// What a sensor measured, in hundredths of a degree Celsius.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The object in front of it, corrected for the unit, its distance and its surroundings.
    pub temp_centi_c: i16,
    /// The sensor's own surroundings.
    pub ambient_centi_c: i16,
    /// The object as the sensor said it, so that a decision can be judged anew under another correction.
    pub raw_centi_c: i16,
}

impl Reading {
    /// What a sensor said, as it said it.
    pub const fn of(temp_centi_c: i16, ambient_centi_c: i16) -> Reading {
        Reading { temp_centi_c, ambient_centi_c, raw_centi_c: temp_centi_c }
    }
}

/// What a reading says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Plausible and below the threshold.
    InRange,
    /// At or above the screening threshold.
    High,
    /// Not a living person's: measure again.
    Implausible,
    /// The unit is outside the surroundings in which it can judge.
    Ambient,
}

/// Above this no person lives: an error of the sensor, not a temperature.
const IMPLAUSIBLE_ABOVE_CENTI_C: i16 = 4500;

/// Judges a reading by a site's policy.
pub fn judge(reading: Reading, policy: &Policy) -> Judgement {
    let ambient = policy.ambient_min_centi_c..=policy.ambient_max_centi_c;
    if !ambient.contains(&reading.ambient_centi_c) {
        Judgement::Ambient
    } else if !(policy.implausible_below_centi_c..IMPLAUSIBLE_ABOVE_CENTI_C).contains(&reading.temp_centi_c) {
        Judgement::Implausible
    } else if reading.temp_centi_c >= policy.threshold_centi_c {
        Judgement::High
    } else {
        Judgement::InRange
    }
}

#[cfg(test)]
mod noise;

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(temp_centi_c: i16, ambient_centi_c: i16) -> Judgement {
        judge(Reading::of(temp_centi_c, ambient_centi_c), &Policy::default())
    }

    #[test]
    fn the_threshold_itself_is_high() {
        assert_eq!(judged(3729, 2200), Judgement::InRange);
        assert_eq!(judged(3730, 2200), Judgement::High);
    }

    #[test]
    fn a_reading_of_no_living_person_is_neither_in_range_nor_high() {
        for temp_centi_c in [i16::MIN, -1, 2850, 3399, 4500, i16::MAX] {
            assert_eq!(judged(temp_centi_c, 2200), Judgement::Implausible, "{temp_centi_c}");
        }
    }

    #[test]
    fn a_unit_that_is_too_cold_can_not_judge() {
        assert_eq!(judged(3650, 1599), Judgement::Ambient);
        assert_eq!(judged(3650, 3501), Judgement::Ambient);
    }
}
