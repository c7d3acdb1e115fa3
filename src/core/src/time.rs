//! Time that may be wrong, and says so.
//!
//! A Raspberry Pi has no clock of its own. The gate therefore never asks "what time is it" but "what
//! is certain": a [`Time`] is an interval in which now lies, from [`Time::earliest`] to
//! [`Time::latest`]. Of a trusted time both ends are known; of a floor only the first. Validity has
//! three answers and the third, "can not tell", is never rounded to one of the others.
//!
//! What makes a clock trusted, and how large its error is, is judged in [`crate::clock`].

/// What a holder is given at both ends of a window, in seconds: clocks of issuers differ a little too.
pub const SKEW_S: u64 = 60;

/// What is known of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC: the time itself, or its floor.
    pub unix_s: u64,
    /// What `unix_s` means.
    pub confidence: Confidence,
    /// How far a trusted time may be off in either direction, in seconds; 0 of a floor.
    pub error_s: u32,
}

/// What the number in a [`Time`] is worth. The numbers are stored in records: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Within [`Time::error_s`] of the true time; in a record within [`SKEW_S`].
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
    /// A time from a clock that is right.
    pub const fn trusted(unix_s: u64) -> Time {
        Time::trusted_within(unix_s, 0)
    }

    /// A time from a clock that is off by no more than `error_s` seconds.
    pub const fn trusted_within(unix_s: u64, error_s: u32) -> Time {
        Time { unix_s, confidence: Confidence::Trusted, error_s }
    }

    /// The least the time can be.
    pub const fn floor(unix_s: u64) -> Time {
        Time { unix_s, confidence: Confidence::Floor, error_s: 0 }
    }

    /// Now is not before this, in seconds since 1970.
    pub const fn earliest(self) -> u64 {
        self.unix_s.saturating_sub(self.error_s as u64)
    }

    /// Now is not after this, in seconds since 1970; the largest number there is where that is not known.
    pub const fn latest(self) -> u64 {
        match self.confidence {
            Confidence::Trusted => self.unix_s.saturating_add(self.error_s as u64),
            Confidence::Floor => u64::MAX,
        }
    }

    /// Judges a window `not_before ≤ now < expires` (seconds since 1970).
    ///
    /// Valid where now is certainly inside the window with [`SKEW_S`] added at both ends in favour of the
    /// holder. Otherwise over or not begun only where that is certain without the skew. A floor can
    /// therefore prove that a window is over, and nothing else.
    pub const fn within(self, not_before: u64, expires: u64) -> Validity {
        let (earliest, latest) = (self.earliest(), self.latest());
        let known = matches!(self.confidence, Confidence::Trusted);
        if known && earliest.saturating_add(SKEW_S) >= not_before && latest.saturating_sub(SKEW_S) < expires {
            Validity::Valid
        } else if earliest >= expires {
            Validity::Expired
        } else if latest < not_before {
            Validity::NotYet
        } else {
            Validity::Unknown
        }
    }

    /// The same time, given proof that the true time is not before `proven_s` (something signed then).
    ///
    /// A floor rises to it. A clock that is behind it by more than its error and [`SKEW_S`] was trusted
    /// wrongly, so all that is left of it is the floor.
    pub const fn not_before(self, proven_s: u64) -> Time {
        match self.confidence {
            Confidence::Floor if self.unix_s < proven_s => Time::floor(proven_s),
            Confidence::Trusted if self.latest().saturating_add(SKEW_S) < proven_s => Time::floor(proven_s),
            Confidence::Floor | Confidence::Trusted => self,
        }
    }

    /// The same time, narrowed by something that an honest signer says was signed at `signed_s`: where that is within
    /// the error, what is before it is ruled out. A signer whose clock is elsewhere changes nothing.
    pub const fn narrowed(self, signed_s: u64) -> Time {
        let (earliest, latest) = (self.earliest(), self.latest());
        match self.confidence {
            Confidence::Trusted if earliest < signed_s && signed_s <= latest => {
                // Half of what is left, rounded up, is no more than the error was.
                let error_s = (latest - signed_s).div_ceil(2) as u32;
                Time::trusted_within(latest - error_s as u64, error_s)
            }
            Confidence::Floor | Confidence::Trusted => self,
        }
    }

    /// The same time as far as a record can say it, which knows no error: within [`SKEW_S`], or a floor.
    pub const fn recorded(self) -> Time {
        match self.confidence {
            Confidence::Trusted if self.error_s as u64 > SKEW_S => Time::floor(self.earliest()),
            Confidence::Trusted => Time::trusted(self.unix_s),
            Confidence::Floor => self,
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
    fn an_error_is_certain_on_neither_side_of_an_end() {
        let at = |unix_s| Time::trusted_within(unix_s, 300).within(1000, 2000);
        for (now, answer) in [
            (699, Validity::NotYet),
            (700, Validity::Unknown),
            (1239, Validity::Unknown),
            (1240, Validity::Valid),
            (1759, Validity::Valid),
            (1760, Validity::Unknown),
            (2299, Validity::Unknown),
            (2300, Validity::Expired),
        ] {
            assert_eq!(at(now), answer, "at {now}");
        }
    }

    #[test]
    fn an_answer_is_never_certain_and_wrong_whatever_the_true_time_within_the_error() {
        for error in [0, 1, 29, 30, 31, 60, 90, 400, 900] {
            for now in 0..4000_u64 {
                let answer = Time::trusted_within(now, error).within(1000, 2000);
                let (first, last) = (now.saturating_sub(error.into()), now + u64::from(error));
                match answer {
                    Validity::Valid => assert!(first + SKEW_S >= 1000 && last < 2000 + SKEW_S, "{now} ± {error}"),
                    Validity::Expired => assert!(first >= 2000, "{now} ± {error}"),
                    Validity::NotYet => assert!(last < 1000, "{now} ± {error}"),
                    Validity::Unknown => assert!(error > 30, "{now} ± {error}: the skew covers an error of half of it"),
                }
            }
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
    fn a_clock_is_behind_a_proof_only_by_more_than_its_error() {
        let clock = Time::trusted_within(1000, 900);
        assert_eq!(clock.not_before(1900 + SKEW_S), clock);
        assert_eq!(clock.not_before(1901 + SKEW_S), Time::floor(1901 + SKEW_S));
    }

    #[test]
    fn a_signature_within_the_error_rules_out_what_is_before_it_and_nothing_else() {
        let clock = Time::trusted_within(1000, 900);
        for (signed_s, ends) in [(1000, (1000, 1900)), (1899, (1898, 1900)), (1900, (1900, 1900)), (101, (100, 1900))] {
            let time = clock.narrowed(signed_s);
            assert_eq!((time.earliest(), time.latest()), ends, "signed at {signed_s}");
        }
        for time in [clock, Time::trusted(1000), Time::floor(1000)] {
            for signed_s in [0, 100, 1901, u64::MAX] {
                assert_eq!(time.narrowed(signed_s), time, "signed at {signed_s}");
            }
        }
    }

    #[test]
    fn a_record_says_no_more_than_is_known() {
        assert_eq!(Time::trusted_within(1000, 60).recorded(), Time::trusted(1000));
        assert_eq!(Time::trusted_within(1000, 61).recorded(), Time::floor(939));
        assert_eq!(Time::floor(7).recorded(), Time::floor(7));
    }

    #[test]
    fn the_ends_of_the_number_range_do_not_overflow() {
        assert_eq!(Time::trusted(u64::MAX).within(0, u64::MAX), Validity::Valid);
        assert_eq!(Time::trusted(0).within(0, u64::MAX), Validity::Valid);
    }
}
