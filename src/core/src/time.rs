//! Time that may be wrong, and says so.
//!
//! A Raspberry Pi has no clock of its own. The gate therefore never asks "what time is it" but "what
//! is certain": a [`Time`] is either trusted to within [`SKEW_S`], or only a floor, of which it is
//! known that the true time is not before it. Validity has three answers and the third, "can not
//! tell", is never rounded to one of the others.

/// How far a trusted clock may be off, in seconds, without a certain answer becoming wrong.
pub const SKEW_S: u64 = 60;

/// What is known of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC: the time itself, or its floor.
    pub unix_s: u64,
    /// What `unix_s` means.
    pub confidence: Confidence,
}

/// What the number in a [`Time`] is worth. The numbers are stored in records: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Within [`SKEW_S`] of the true time.
    Trusted = 1,
    /// The true time is this or later, by an unknown amount.
    Floor = 2,
}

impl Confidence {
    /// The confidence of a stored number.
    pub const fn from_number(number: u8) -> Option<Confidence> {
        match number {
            1 => Some(Confidence::Trusted),
            2 => Some(Confidence::Floor),
            _ => None,
        }
    }

    /// A stable name for logs and `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::Trusted => "trusted",
            Confidence::Floor => "floor",
        }
    }
}

/// Whether now lies within a window of validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Certainly before the window.
    NotYet,
    /// Certainly within it.
    Valid,
    /// Certainly after it.
    Expired,
    /// The clock can not tell.
    Unknown,
}

impl Time {
    /// A time from a clock that is trusted.
    pub const fn trusted(unix_s: u64) -> Time {
        Time { unix_s, confidence: Confidence::Trusted }
    }

    /// The least the time can be.
    pub const fn floor(unix_s: u64) -> Time {
        Time { unix_s, confidence: Confidence::Floor }
    }

    /// Judges a window `not_before ≤ now < expires` (seconds since 1970).
    ///
    /// A trusted clock is given [`SKEW_S`] in favour of the holder at both ends. A floor can prove
    /// that a window is over, and nothing else.
    pub const fn within(self, not_before: u64, expires: u64) -> Validity {
        match self.confidence {
            Confidence::Floor if self.unix_s >= expires => Validity::Expired,
            Confidence::Floor => Validity::Unknown,
            Confidence::Trusted if self.unix_s.saturating_add(SKEW_S) < not_before => Validity::NotYet,
            Confidence::Trusted => match self.unix_s.checked_sub(SKEW_S) {
                Some(earliest) if earliest >= expires => Validity::Expired,
                _ => Validity::Valid,
            },
        }
    }

    /// The same time, given proof that the true time is not before `proven_s` (something signed then).
    ///
    /// A floor rises to it. A clock that is behind it by more than [`SKEW_S`] was trusted in error, so
    /// all that is left of it is the floor.
    pub const fn not_before(self, proven_s: u64) -> Time {
        match self.confidence {
            Confidence::Floor if self.unix_s < proven_s => Time::floor(proven_s),
            Confidence::Trusted if self.unix_s.saturating_add(SKEW_S) < proven_s => Time::floor(proven_s),
            Confidence::Floor | Confidence::Trusted => self,
        }
    }

    /// How long ago `earlier` was at least, in seconds; 0 if it lies ahead.
    pub const fn since(self, earlier: u64) -> u64 {
        self.unix_s.saturating_sub(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_clock_is_certain_beyond_the_skew() {
        for (now, answer) in [
            (1000 - SKEW_S - 1, Validity::NotYet),
            (1000 - SKEW_S, Validity::Valid),
            (2000 + SKEW_S - 1, Validity::Valid),
            (2000 + SKEW_S, Validity::Expired),
        ] {
            assert_eq!(Time::trusted(now).within(1000, 2000), answer, "at {now}");
        }
    }

    #[test]
    fn a_floor_proves_expiry_and_nothing_else() {
        assert_eq!(Time::floor(0).within(1000, 2000), Validity::Unknown);
        assert_eq!(Time::floor(1500).within(1000, 2000), Validity::Unknown);
        assert_eq!(Time::floor(2000).within(1000, 2000), Validity::Expired);
    }

    #[test]
    fn proof_of_a_later_time_takes_the_trust_from_a_clock_that_is_behind() {
        assert_eq!(Time::trusted(1000).not_before(1000 + SKEW_S), Time::trusted(1000));
        assert_eq!(Time::trusted(1000).not_before(1001 + SKEW_S), Time::floor(1001 + SKEW_S));
        assert_eq!(Time::floor(1000).not_before(1001), Time::floor(1001));
        assert_eq!(Time::floor(1000).not_before(999), Time::floor(1000));
    }

    #[test]
    fn the_ends_of_the_number_range_do_not_overflow() {
        assert_eq!(Time::trusted(u64::MAX).within(0, u64::MAX), Validity::Valid);
        assert_eq!(Time::trusted(0).within(0, u64::MAX), Validity::Valid);
    }
}
