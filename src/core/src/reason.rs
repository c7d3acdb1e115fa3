//! Why: the closed list of reasons a decision can carry.
//!
//! A reason is a fact that somebody at the gate can act on, so facts with different remedies are
//! different reasons. Each has a fixed number, which is in journals and on hubs for years: numbers
//! are never reused and never reordered, and a new reason takes a free one. The text is chosen at
//! the edge, by language; the verdict a reason calls for is fixed here, but for yellow, which is
//! the policy's.

use crate::verdict::Verdict;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal $text:literal $verdict:ident;)*) => {
        /// Why a decision is what it is. Listed from the gravest to the lightest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Reason {
            /// Every reason, the gravest first.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The stable name used by `--json`, logs and text files.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$name => $text,)* }
            }

            /// The verdict that this reason alone leads to, before policy.
            pub const fn calls_for(self) -> Verdict {
                match self { $(Reason::$name => Verdict::$verdict,)* }
            }
        }
    };
}

reasons! {
    /// The colour, as treated here, is red.
    Red = 51 "red" Refuse;
    /// The issuer took this pass back after it was issued.
    Revoked = 41 "revoked" Refuse;
    /// The signature is not the issuer's.
    BadSignature = 22 "bad_signature" Refuse;
    /// It begins as a pass and its content is broken.
    Damaged = 13 "damaged" Refuse;
    /// The issuer, or its key, is not in the trust list.
    UnknownIssuer = 20 "unknown_issuer" Refuse;
    /// The signing key was not valid when the pass was issued, or has ended since.
    KeyExpired = 23 "key_expired" Refuse;
    /// No agreement makes this issuer's passes count here.
    NotRecognised = 21 "not_recognised" Refuse;
    /// The pass has expired.
    Expired = 31 "expired" Refuse;
    /// The pass is not valid yet.
    NotYetValid = 30 "not_yet_valid" Refuse;
    /// The reading is at or above the screening threshold.
    TempHigh = 60 "temp_high" Refuse;
    /// This kind of pass is not accepted at this site.
    KindNotAccepted = 53 "kind_not_accepted" Refuse;
    /// The household has used up its outings.
    HouseholdQuota = 71 "household_quota" Refuse;
    /// The code was read and is no health pass.
    NotAPass = 11 "not_a_pass" Refuse;
    /// The same pass again too soon.
    ShownAgain = 70 "shown_again" Refer;
    /// The colour, as treated here, is yellow.
    Yellow = 50 "yellow" Refer;
    /// The issuer uses a level whose meaning the trust list does not have.
    UnknownLevel = 54 "unknown_level" Refer;
    /// The test is missing, positive, pending or older than the site allows.
    TestTooOld = 52 "test_too_old" Refer;
    /// The reading can not be a living person's, also after measuring again.
    TempImplausible = 61 "temp_implausible" Refer;
    /// The thermometer is outside the ambient temperature in which it can judge.
    ThermometerAmbient = 63 "thermometer_ambient" Refer;
    /// No reading came.
    NoReading = 62 "no_reading" Refer;
    /// The clock can not tell whether something has expired.
    ClockUntrusted = 80 "clock_untrusted" Refer;
    /// What the gate believes is too old.
    TrustStale = 81 "trust_stale" Refer;
    /// A status list that may speak of this pass can not be read.
    StatusUnreadable = 87 "status_unreadable" Refer;
    /// The gate may have missed for too long what became of this pass.
    StatusStale = 85 "status_stale" Refer;
    /// The gate has no trust list.
    TrustMissing = 82 "trust_missing" Refer;
    /// The record could not be made durable.
    JournalFailing = 83 "journal_failing" Refer;
    /// A code was seen and could not be read.
    Unreadable = 12 "unreadable" Refer;
    /// No code was seen.
    NoCode = 10 "no_code" Refer;
    /// The issuer changed the colour after the pass was issued: explains the colour, which decides.
    Overridden = 40 "overridden" Admit;
    /// A volunteer decided by hand.
    ManualOverride = 90 "manual_override" Admit;
    /// What the gate believes is ageing.
    TrustAgeing = 84 "trust_ageing" Admit;
    /// The gate may have missed for a while what became of this pass.
    StatusAgeing = 86 "status_ageing" Admit;
}

impl Reason {
    /// The fixed number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason of a stored number.
    pub fn from_code(code: u8) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.code() == code)
    }

    /// 0 for the gravest.
    pub fn rank(self) -> usize {
        Reason::ALL.iter().position(|reason| *reason == self).unwrap_or(Reason::ALL.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[test]
    fn the_numbers_are_those_that_are_in_journals() {
        let numbers: BTreeMap<u8, &str> = Reason::ALL.iter().map(|r| (r.code(), r.name())).collect();
        let expected: Vec<(u8, &str)> = [
            (10, "no_code"),
            (11, "not_a_pass"),
            (12, "unreadable"),
            (13, "damaged"),
            (20, "unknown_issuer"),
            (21, "not_recognised"),
            (22, "bad_signature"),
            (23, "key_expired"),
            (30, "not_yet_valid"),
            (31, "expired"),
            (40, "overridden"),
            (41, "revoked"),
            (50, "yellow"),
            (51, "red"),
            (52, "test_too_old"),
            (53, "kind_not_accepted"),
            (54, "unknown_level"),
            (60, "temp_high"),
            (61, "temp_implausible"),
            (62, "no_reading"),
            (63, "thermometer_ambient"),
            (70, "shown_again"),
            (71, "household_quota"),
            (80, "clock_untrusted"),
            (81, "trust_stale"),
            (82, "trust_missing"),
            (83, "journal_failing"),
            (84, "trust_ageing"),
            (85, "status_stale"),
            (86, "status_ageing"),
            (87, "status_unreadable"),
            (90, "manual_override"),
        ]
        .to_vec();
        assert_eq!(numbers.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_refuses_is_graver_than_what_refers() {
        let gravities: Vec<_> = Reason::ALL.iter().map(|r| r.calls_for()).collect();
        assert!(gravities.is_sorted_by(|a, b| a >= b), "{gravities:?}");
    }
}
