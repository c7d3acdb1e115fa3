//! What is said at each screen: which of a few short sentences.
//!
//! A sentence says what to do and never why: whoever stands near hears it too. So a colour has no sentence of its own:
//! red and yellow get the one that everybody gets whom a person is to look at. Every reason maps to one sentence by a
//! match without a rest, so that a new reason does not build until somebody has decided what is said.

use menshen_core::decide::{Decision, Verdict};
use menshen_core::hint::Hint;
use menshen_core::lane::Screen;
use menshen_core::reason::Reason;

/// A sentence that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpeechKey {
    /// Walk on.
    Admit,
    /// Face the thermometer.
    AskReading,
    /// Measure again.
    MeasureAgain,
    /// Wait, somebody comes to help.
    WaitForHelp,
    /// Refresh the code, or get a new one.
    RenewCode,
    /// Show a health code: what was shown is none.
    ShowCode,
    /// Show another code: this one does not count here.
    OtherCode,
    /// Rest, then measure again.
    RestAndMeasureAgain,
    /// Hold it still.
    HoldStill,
    /// Bring it nearer.
    ComeCloser,
    /// Make it brighter.
    MoreLight,
    /// Make it darker.
    Dim,
    /// Tilt it.
    Tilt,
    /// Show all of it.
    ShowWhole,
}

impl SpeechKey {
    /// Every sentence.
    pub const ALL: [SpeechKey; 14] = [
        SpeechKey::Admit,
        SpeechKey::AskReading,
        SpeechKey::MeasureAgain,
        SpeechKey::WaitForHelp,
        SpeechKey::RenewCode,
        SpeechKey::ShowCode,
        SpeechKey::OtherCode,
        SpeechKey::RestAndMeasureAgain,
        SpeechKey::HoldStill,
        SpeechKey::ComeCloser,
        SpeechKey::MoreLight,
        SpeechKey::Dim,
        SpeechKey::Tilt,
        SpeechKey::ShowWhole,
    ];

    /// The stable name used by the language files, the clips and the page.
    pub const fn name(self) -> &'static str {
        match self {
            SpeechKey::Admit => "admit",
            SpeechKey::AskReading => "ask_reading",
            SpeechKey::MeasureAgain => "measure_again",
            SpeechKey::WaitForHelp => "wait_for_help",
            SpeechKey::RenewCode => "renew_code",
            SpeechKey::ShowCode => "show_code",
            SpeechKey::OtherCode => "other_code",
            SpeechKey::RestAndMeasureAgain => "rest_and_measure_again",
            SpeechKey::HoldStill => "hold_still",
            SpeechKey::ComeCloser => "come_closer",
            SpeechKey::MoreLight => "more_light",
            SpeechKey::Dim => "dim",
            SpeechKey::Tilt => "tilt",
            SpeechKey::ShowWhole => "show_whole",
        }
    }

    /// Reads what [`SpeechKey::name`] gives; `None` for any other text.
    pub fn parse(name: &str) -> Option<SpeechKey> {
        SpeechKey::ALL.into_iter().find(|key| key.name() == name)
    }

    /// What is said where this reason is the gravest one.
    pub const fn of_reason(reason: Reason) -> SpeechKey {
        match reason {
            Reason::Revoked
            | Reason::BadSignature
            | Reason::Damaged
            | Reason::KeyExpired
            | Reason::Expired
            | Reason::NotYetValid => SpeechKey::RenewCode,
            Reason::UnknownIssuer | Reason::NotRecognised | Reason::KindNotAccepted => SpeechKey::OtherCode,
            Reason::TempHigh => SpeechKey::RestAndMeasureAgain,
            Reason::NotAPass | Reason::NoCode => SpeechKey::ShowCode,
            Reason::Red
            | Reason::Yellow
            | Reason::UnknownLevel
            | Reason::HouseholdQuota
            | Reason::ShownAgain
            | Reason::TestTooOld
            | Reason::TempImplausible
            | Reason::ThermometerAmbient
            | Reason::NoReading
            | Reason::ClockUntrusted
            | Reason::TrustStale
            | Reason::TrustMissing
            | Reason::StatusStale
            | Reason::StatusUnreadable
            | Reason::JournalFailing
            | Reason::Unreadable
            // Where a volunteer keeps somebody out, the volunteer speaks.
            | Reason::ManualOverride => SpeechKey::WaitForHelp,
            // What these only explain or announce is no reason to stop anybody.
            Reason::Overridden | Reason::TrustAgeing | Reason::StatusAgeing => SpeechKey::Admit,
        }
    }

    /// What is said of a verdict with these reasons, the gravest first.
    pub fn of_verdict(verdict: Verdict, reasons: impl IntoIterator<Item = Reason>) -> SpeechKey {
        if verdict == Verdict::Admit {
            return SpeechKey::Admit;
        }
        let said = reasons.into_iter().map(SpeechKey::of_reason).find(|key| *key != SpeechKey::Admit);
        // "Walk on" is never said to somebody who is not let in.
        said.unwrap_or(SpeechKey::WaitForHelp)
    }

    fn of_decision(decision: &Decision) -> SpeechKey {
        SpeechKey::of_verdict(decision.verdict, decision.reasons.iter().copied())
    }

    /// What is said of a hint.
    pub const fn of_hint(hint: Hint) -> SpeechKey {
        match hint {
            Hint::HoldStill => SpeechKey::HoldStill,
            Hint::ComeCloser => SpeechKey::ComeCloser,
            Hint::MoreLight => SpeechKey::MoreLight,
            Hint::Dim => SpeechKey::Dim,
            Hint::Tilt => SpeechKey::Tilt,
            Hint::ShowWhole => SpeechKey::ShowWhole,
        }
    }

    /// What is said at a screen; `None` at one where nobody is spoken to.
    pub fn of_screen(screen: &Screen) -> Option<SpeechKey> {
        match screen {
            Screen::Verdict(decision) => Some(SpeechKey::of_decision(decision)),
            Screen::Hint(hint) => Some(SpeechKey::of_hint(*hint)),
            Screen::AskReading => Some(SpeechKey::AskReading),
            Screen::MeasureAgain { .. } => Some(SpeechKey::MeasureAgain),
            // The building's alarm speaks for itself, and nothing may be spoken into it.
            Screen::Idle | Screen::Alarm => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn said(reason: Reason) -> SpeechKey {
        SpeechKey::of_verdict(reason.calls_for(), [reason])
    }

    #[test]
    fn nobody_can_hear_a_colour() {
        for verdict in [Verdict::Refer, Verdict::Refuse] {
            for colour in [Reason::Red, Reason::Yellow, Reason::UnknownLevel] {
                let heard = SpeechKey::of_verdict(verdict, [colour]);
                let others: Vec<Reason> = Reason::ALL.iter().copied().filter(|other| said(*other) == heard).collect();
                let colours = [Reason::Red, Reason::Yellow, Reason::UnknownLevel, Reason::Overridden];
                assert!(others.iter().filter(|other| !colours.contains(other)).count() >= 5, "{colour:?}: {others:?}");
            }
        }
    }

    #[test]
    fn only_who_is_let_in_is_told_to_walk_on() {
        for reason in Reason::ALL.iter().copied() {
            assert_eq!(SpeechKey::of_verdict(Verdict::Admit, [reason]), SpeechKey::Admit, "{reason:?}");
            for verdict in [Verdict::Refer, Verdict::Refuse] {
                assert_ne!(SpeechKey::of_verdict(verdict, [reason]), SpeechKey::Admit, "{reason:?}");
            }
        }
        assert_eq!(SpeechKey::of_verdict(Verdict::Refuse, []), SpeechKey::WaitForHelp);
    }

    #[test]
    fn a_graver_reason_is_spoken_of_before_a_lighter_one() {
        let reasons = [Reason::Overridden, Reason::Expired, Reason::TempHigh];
        assert_eq!(SpeechKey::of_verdict(Verdict::Refuse, reasons), SpeechKey::RenewCode);
    }

    #[test]
    fn every_sentence_is_said_somewhere_and_reads_back_its_name() {
        let mut said: BTreeSet<&str> = Reason::ALL.iter().map(|reason| SpeechKey::of_reason(*reason).name()).collect();
        said.extend(Hint::ALL.map(|hint| SpeechKey::of_hint(hint).name()));
        said.extend([SpeechKey::AskReading.name(), SpeechKey::MeasureAgain.name()]);
        assert_eq!(said, SpeechKey::ALL.map(SpeechKey::name).into());
        assert!(SpeechKey::ALL.iter().all(|key| SpeechKey::parse(key.name()) == Some(*key)));
        assert_eq!(SpeechKey::parse("red"), None);
    }
}
