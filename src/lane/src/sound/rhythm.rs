//! Which beats a cue has: one table for the buzzer, the loudspeaker and the page.
//!
//! Somebody who hears badly hears that there is a sound before hearing how high it is, and a plain buzzer has one pitch.
//! So cues differ by how many beats they have and how long these are; the pitch comes on top where there is one, and
//! stays below 1 kHz, where hearing lasts longest. A cue is a unit: nothing is added to it, and it is over before the
//! next person is there. The building's fire alarm has a sound of its own; none of these is one.

use menshen_core::decide::Verdict;
use menshen_core::lane::Screen;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// What is to be heard at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cue {
    /// Walk on: one beat.
    Admit,
    /// Somebody comes to help: three short ones.
    Refer,
    /// Not now, look at the screen: two long ones.
    Refuse,
    /// The thermometer is waiting: two ticks.
    AskReading,
    /// It wants another try: two ticks, twice.
    MeasureAgain,
}

/// One beat and the silence after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Beat {
    /// How long it sounds, in milliseconds.
    pub on_ms: u16,
    /// How long it is silent after that, in milliseconds.
    pub off_ms: u16,
    /// How high it is where there is a pitch, in hertz.
    pub hz: u16,
}

const fn beat(on_ms: u16, off_ms: u16, hz: u16) -> Beat {
    Beat { on_ms, off_ms, hz }
}

/// A beat of a shortened rhythm is so much shorter, …
const SHORTER: u16 = 3;
/// … but long enough to be heard at all, in milliseconds.
const LEAST_ON_MS: u16 = 20;

impl Cue {
    /// Every cue.
    pub const ALL: [Cue; 5] = [Cue::Admit, Cue::Refer, Cue::Refuse, Cue::AskReading, Cue::MeasureAgain];

    /// The stable name used by the page and by what is recorded.
    pub const fn name(self) -> &'static str {
        match self {
            Cue::Admit => "admit",
            Cue::Refer => "refer",
            Cue::Refuse => "refuse",
            Cue::AskReading => "ask_reading",
            Cue::MeasureAgain => "measure_again",
        }
    }

    /// A verdict's.
    pub const fn of_verdict(verdict: Verdict) -> Cue {
        match verdict {
            Verdict::Admit => Cue::Admit,
            Verdict::Refer => Cue::Refer,
            Verdict::Refuse => Cue::Refuse,
        }
    }

    /// A screen's; `None` for one that comes without.
    pub const fn of_screen(screen: &Screen) -> Option<Cue> {
        match screen {
            Screen::Verdict(decision) => Some(Cue::of_verdict(decision.verdict)),
            Screen::AskReading => Some(Cue::AskReading),
            Screen::MeasureAgain { .. } => Some(Cue::MeasureAgain),
            // A hint changes with every movement of a hand, and the building has its own alarm.
            Screen::Idle | Screen::Hint(_) | Screen::Alarm => None,
        }
    }

    /// Its beats.
    pub const fn beats(self) -> &'static [Beat] {
        match self {
            Cue::Admit => const { &[beat(260, 0, 880)] },
            Cue::Refer => const { &[beat(110, 110, 740), beat(110, 110, 740), beat(110, 0, 740)] },
            Cue::Refuse => const { &[beat(450, 180, 392), beat(450, 0, 311)] },
            Cue::AskReading => const { &[beat(60, 90, 587), beat(60, 0, 587)] },
            Cue::MeasureAgain => {
                const { &[beat(60, 90, 587), beat(60, 240, 587), beat(60, 90, 587), beat(60, 0, 587)] }
            }
        }
    }

    /// Its beats for a buzzer that can not be softer: the same number, as far apart from each other, and shorter.
    pub fn shortened(self) -> impl Iterator<Item = Beat> {
        self.beats().iter().map(|beat| Beat { on_ms: (beat.on_ms / SHORTER).max(LEAST_ON_MS), ..*beat })
    }

    /// How long it lasts, in milliseconds.
    pub fn length_ms(self) -> u32 {
        self.beats().iter().map(|beat| u32::from(beat.on_ms) + u32::from(beat.off_ms)).sum()
    }
}

/// The whole table, as a page reads it: from the name of each cue to its beats.
#[derive(Clone, Copy, Debug)]
pub struct Rhythms;

impl Serialize for Rhythms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Cue::ALL.len()))?;
        for cue in Cue::ALL {
            map.serialize_entry(cue.name(), cue.beats())?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a cue without its pitch: sound or silence in each step of 20 ms.
    fn on_and_off(beats: impl Iterator<Item = Beat>) -> Vec<bool> {
        let steps = |length_ms: u16| usize::from(length_ms / 20);
        beats.flat_map(|beat| [vec![true; steps(beat.on_ms)], vec![false; steps(beat.off_ms)]].concat()).collect()
    }

    /// How long each beat is, in milliseconds, as somebody who hears only sound and silence counts them.
    fn runs(steps: &[bool]) -> Vec<usize> {
        let parts = steps.split(|on| !on).filter(|run| !run.is_empty());
        parts.map(|run| run.len() * 20).collect()
    }

    fn are_told_apart(one: &[bool], other: &[bool]) -> bool {
        let (one, other) = (runs(one), runs(other));
        let longest = |runs: &[usize]| runs.iter().copied().max().unwrap_or_default();
        let (a, b) = (longest(&one), longest(&other));
        one.len() != other.len() || a.max(b) >= 3 * a.min(b)
    }

    #[test]
    fn cues_are_told_apart_without_any_pitch() {
        type Variant = fn(Cue) -> Vec<bool>;
        let whole: Variant = |cue| on_and_off(cue.beats().iter().copied());
        let shortened: Variant = |cue| on_and_off(cue.shortened());
        for variant in [whole, shortened] {
            for one in Cue::ALL {
                let others = Cue::ALL.into_iter().filter(|other| *other != one);
                others.for_each(|other| assert!(are_told_apart(&variant(one), &variant(other)), "{one:?} {other:?}"));
                // Two beats that run into each other are one.
                assert_eq!(runs(&variant(one)).len(), one.beats().len(), "{one:?}");
            }
        }
    }

    #[test]
    fn the_test_of_rhythms_takes_two_that_differ_in_pitch_only_for_one() {
        let low = Cue::Refer.beats().iter().map(|beat| Beat { hz: 200, ..*beat });
        assert!(!are_told_apart(&on_and_off(low), &on_and_off(Cue::Refer.beats().iter().copied())));
    }

    #[test]
    fn a_cue_is_over_before_the_next_person_may_be_answered() {
        for cue in Cue::ALL {
            assert!(cue.length_ms() <= 1200, "{cue:?}");
        }
        assert!(u64::from(Cue::Admit.length_ms()) < menshen_core::lane::MIN_SHOW_MS);
    }

    #[test]
    fn the_pitch_stays_where_hearing_lasts_longest() {
        assert!(Cue::ALL.iter().flat_map(|cue| cue.beats()).all(|beat| (250..=1000).contains(&beat.hz)));
    }
}
