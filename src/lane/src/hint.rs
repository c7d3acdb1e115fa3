//! From what a frame showed to what the person may do about it.
//!
//! The reader knows pictures and the core knows people; neither knows the other. Here, where both are known, each
//! word of the reader's gets its hint, so that the gate's screen and the desk tool never advise differently.

use crate::optics::Diagnosis;
use menshen_core::hint::Hint;

/// What would help; `None` where there is no code that could not be read.
pub const fn of(diagnosis: Diagnosis) -> Option<Hint> {
    match diagnosis {
        Diagnosis::Read | Diagnosis::NoCode => None,
        Diagnosis::TooSmall => Some(Hint::ComeCloser),
        Diagnosis::TooBlurred | Diagnosis::Unreadable => Some(Hint::HoldStill),
        Diagnosis::TooDark => Some(Hint::MoreLight),
        Diagnosis::OverExposed => Some(Hint::Dim),
        Diagnosis::Glare => Some(Hint::Tilt),
        Diagnosis::CutOff => Some(Hint::ShowWhole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_hint_exactly_where_a_code_was_not_read() {
        for diagnosis in Diagnosis::ALL {
            assert_eq!(of(diagnosis).is_some(), diagnosis.is_unread_code(), "{diagnosis}");
        }
    }

    #[test]
    fn every_hint_is_given_for_something() {
        for hint in Hint::ALL {
            assert!(Diagnosis::ALL.into_iter().any(|diagnosis| of(diagnosis) == Some(hint)), "{}", hint.name());
        }
    }
}
