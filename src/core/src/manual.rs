//! The manual way: a volunteer lets somebody in, or keeps somebody out, and says why.
//!
//! A gate that leaves no way but its own is gone around, and then nobody knows. So what a person decides beside it goes
//! through it: with a cause out of a closed list, recorded as any other decision, under the reason *manual override*.
//! Invariants: a red code is never let in this way; what the gate itself found stays among the reasons.

use crate::decide::Decision;
use crate::reason::Reason;
use crate::verdict::Verdict;

macro_rules! causes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal $text:literal $verdict:ident;)*) => {
        /// Why a volunteer decided. The numbers are in records: never reused, never reordered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Cause {
            /// Every cause, in the order in which they are offered.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)*];

            /// The stable name used by the panel, `--json` and text files.
            pub const fn name(self) -> &'static str {
                match self { $(Cause::$name => $text,)* }
            }

            /// The verdict that it explains.
            pub const fn verdict(self) -> Verdict {
                match self { $(Cause::$name => Verdict::$verdict,)* }
            }
        }
    };
}

causes! {
    /// A paper, a document or another app was looked at.
    PaperSeen = 1 "paper_seen" Admit;
    /// A hand thermometer gave a reading in range.
    HandThermometer = 2 "hand_thermometer" Admit;
    /// The person has no phone and no code, and was looked up or is known.
    NoPhone = 3 "no_phone" Admit;
    /// A doctor, medicine, or another need that can not wait.
    Urgent = 4 "urgent" Admit;
    /// Someone who accompanies or cares for a person that may enter.
    Carer = 5 "carer" Admit;
    /// The button beside the volunteer was pressed: no cause was asked.
    Button = 6 "button" Admit;
    /// Anything else that speaks for it.
    OtherAdmit = 19 "other_admit" Admit;
    /// The person says that they are unwell, or looks so.
    Unwell = 20 "unwell" Refuse;
    /// The document is another person's.
    NotTheHolder = 21 "not_the_holder" Refuse;
    /// The person does not want to be measured or to wear a mask.
    Declines = 22 "declines" Refuse;
    /// Anything else that speaks against it.
    OtherRefuse = 39 "other_refuse" Refuse;
}

impl Cause {
    /// The cause of a stored number.
    pub fn from_number(number: u8) -> Option<Cause> {
        Cause::ALL.iter().copied().find(|cause| *cause as u8 == number)
    }

    /// Reads what [`Cause::name`] gives.
    pub fn parse(name: &str) -> Option<Cause> {
        Cause::ALL.iter().copied().find(|cause| cause.name() == name)
    }
}

/// Whom a volunteer may let in by hand. The numbers are on the wire; a higher one lets in more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ManualWay {
    /// Nobody.
    Never = 0,
    /// Whom the gate referred, and who has no code.
    Referred = 1,
    /// Also whom it refused, but for a red code.
    AllButRed = 2,
}

impl ManualWay {
    /// Every way, the strictest first.
    pub const ALL: [ManualWay; 3] = [ManualWay::Never, ManualWay::Referred, ManualWay::AllButRed];

    /// The way of a stored number.
    pub fn from_number(number: u8) -> Option<ManualWay> {
        ManualWay::ALL.into_iter().find(|way| *way as u8 == number)
    }

    /// Its name in site files and policies.
    pub const fn name(self) -> &'static str {
        match self {
            ManualWay::Never => "never",
            ManualWay::Referred => "referred",
            ManualWay::AllButRed => "all_but_red",
        }
    }

    /// Reads what [`ManualWay::name`] gives.
    pub fn parse(name: &str) -> Option<ManualWay> {
        ManualWay::ALL.into_iter().find(|way| way.name() == name)
    }

    /// Whether a volunteer may go beyond a decision for a cause. To keep somebody out is always theirs.
    pub fn allows(self, cause: Cause, decision: &Decision) -> bool {
        match cause.verdict() {
            Verdict::Admit => match decision.verdict {
                Verdict::Admit => false,
                Verdict::Refer => self >= ManualWay::Referred,
                Verdict::Refuse => self >= ManualWay::AllButRed && !decision.reasons.contains(&Reason::Red),
            },
            Verdict::Refer | Verdict::Refuse => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[test]
    fn the_numbers_are_those_that_are_in_journals() {
        let numbers: BTreeMap<u8, &str> = Cause::ALL.iter().map(|cause| (*cause as u8, cause.name())).collect();
        let expected = [
            (1, "paper_seen"),
            (2, "hand_thermometer"),
            (3, "no_phone"),
            (4, "urgent"),
            (5, "carer"),
            (6, "button"),
            (19, "other_admit"),
            (20, "unwell"),
            (21, "not_the_holder"),
            (22, "declines"),
            (39, "other_refuse"),
        ];
        assert_eq!(numbers.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nobody_is_let_in_and_kept_out_for_one_cause_and_no_cause_refers() {
        assert!(Cause::ALL.iter().all(|cause| cause.verdict() != Verdict::Refer));
    }
}
