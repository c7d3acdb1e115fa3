//! How loud the gate is at each time of day, and what of it is spoken.
//!
//! The site file says it first; a volunteer may change it at the gate while it runs. So the rules are a value without
//! impossible states behind a handle that everybody who sounds looks at each time. The hour is the site's, China time;
//! a clock that is not sure of the hour counts as day: somebody who hears nothing waits in the cold.

use super::{SpeechKey, clips};
use crate::words::Lang;
use menshen_core::lane::Screen;
use menshen_core::time::{Confidence, Time};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

const DAY_S: u64 = 86_400;
/// China Standard Time, the time of every site.
const CHINA_S: u64 = 8 * 3600;
/// How loud a night is where nobody says otherwise.
const NIGHT_PERCENT: u8 = 30;

/// A share in hundredths, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// Nothing.
    pub const NONE: Percent = Percent(0);
    /// All of it.
    pub const ALL: Percent = Percent(100);
    /// What whoever listens for it hears at any hour.
    const AUDIBLE: Percent = Percent(50);

    /// A share; `None` above 100.
    pub const fn new(percent: u8) -> Option<Percent> {
        if percent > 100 { None } else { Some(Percent(percent)) }
    }

    /// The number of hundredths.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// What samples are multiplied with: hearing is not linear, so that half of it sounds like half.
    pub fn gain(self) -> f32 {
        let share = f32::from(self.0) / 100.0;
        share * share
    }
}

/// From when to when it is quiet, in minutes of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    from_min: u16,
    until_min: u16,
}

/// Why a text is no quiet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be two different times of day such as \"22:00-06:00\", or \"off\"")]
pub struct QuietError;

impl Quiet {
    /// The night as the law of noise has it: 22:00 to 06:00.
    pub const NIGHT: Quiet = Quiet { from_min: 22 * 60, until_min: 6 * 60 };

    /// For how long it lasts from a moment in it, in seconds; 0 at a moment that is not.
    fn lasts_s(self, unix_s: u64) -> u64 {
        let now_s = unix_s.saturating_add(CHINA_S) % DAY_S;
        let after_s = |from_s: u64, to_min: u16| (u64::from(to_min) * 60 + DAY_S - from_s) % DAY_S;
        let whole_s = after_s(u64::from(self.from_min) * 60, self.until_min);
        let rest_s = after_s(now_s, self.until_min);
        if rest_s <= whole_s { rest_s } else { 0 }
    }
}

impl FromStr for Quiet {
    type Err = QuietError;

    fn from_str(text: &str) -> Result<Quiet, QuietError> {
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if !is_two_digits(hour) || !is_two_digits(minute) {
                return None;
            }
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let (from, until) = text.split_once('-').ok_or(QuietError)?;
        let (from_min, until_min) = (minute(from).ok_or(QuietError)?, minute(until).ok_or(QuietError)?);
        if from_min == until_min {
            return Err(QuietError);
        }
        Ok(Quiet { from_min, until_min })
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quiet { from_min, until_min } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from_min / 60, from_min % 60, until_min / 60, until_min % 60)
    }
}

/// What a buzzer does in quiet time that can only be on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuzzerAtNight {
    /// The same rhythm with shorter beats.
    #[default]
    Short,
    /// Nothing.
    Off,
    /// The same as by day.
    Same,
}

/// How a buzzer sounds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// How loud, where it can be louder and softer.
    pub percent: Percent,
    /// What is done where it can not.
    pub plain: BuzzerAtNight,
}

impl Volume {
    /// As loud as it can be.
    pub const FULL: Volume = Volume { percent: Percent::ALL, plain: BuzzerAtNight::Same };

    /// The same, or louder, so that a person who tries it out hears it though the gate is muted at this hour.
    pub fn audible(self) -> Volume {
        Volume { percent: self.percent.max(Percent::AUDIBLE), plain: BuzzerAtNight::Same }
    }
}

/// How loud the gate is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundRules {
    /// How loud by day; 0 is silent.
    pub volume: Percent,
    /// When it is quiet; `None` for never.
    pub quiet: Option<Quiet>,
    /// How loud then.
    pub quiet_volume: Percent,
    /// What a buzzer that is only on or off does then.
    pub quiet_buzzer: BuzzerAtNight,
    /// Whether anything is spoken.
    pub speech: bool,
    /// Whether those who are let in are spoken to: a tone is enough where the queue is long.
    pub say_admit: bool,
    /// In which languages, one after the other; at least one, each with clips.
    pub speech_langs: Vec<Lang>,
}

impl Default for SoundRules {
    fn default() -> SoundRules {
        SoundRules {
            volume: Percent::ALL,
            quiet: Some(Quiet::NIGHT),
            quiet_volume: Percent(NIGHT_PERCENT),
            quiet_buzzer: BuzzerAtNight::Short,
            speech: true,
            say_admit: true,
            speech_langs: clips::languages().take(1).collect(),
        }
    }
}

impl SoundRules {
    /// Whether it is quiet time. Only where it certainly is.
    pub fn is_quiet(&self, time: Time) -> bool {
        let is_sure = time.confidence == Confidence::Trusted;
        let (earliest_s, latest_s) = (time.earliest(), time.latest());
        // Both ends may be in quiet time, of two nights, with a day between them.
        self.quiet.is_some_and(|quiet| is_sure && latest_s - earliest_s < quiet.lasts_s(earliest_s))
    }

    /// How loud it is now.
    pub fn volume_at(&self, time: Time) -> Percent {
        // A night is never louder than the day, also where somebody turned the day down.
        if self.is_quiet(time) { self.quiet_volume.min(self.volume) } else { self.volume }
    }

    /// How a buzzer sounds now.
    pub fn buzzer_at(&self, time: Time) -> Volume {
        let plain = if self.is_quiet(time) { self.quiet_buzzer } else { BuzzerAtNight::Same };
        Volume { percent: self.volume_at(time), plain }
    }

    /// What is said at a screen; `None` for nothing.
    pub fn spoken(&self, screen: &Screen) -> Option<SpeechKey> {
        SpeechKey::of_screen(screen).filter(|key| self.speech && (self.say_admit || *key != SpeechKey::Admit))
    }
}

/// The rules that hold now: clones share them.
#[derive(Clone, Debug, Default)]
pub struct SoundSettings(Arc<Mutex<SoundRules>>);

impl SoundSettings {
    /// Begins with the rules of the site.
    pub fn new(rules: SoundRules) -> SoundSettings {
        SoundSettings(Arc::new(Mutex::new(rules)))
    }

    /// What holds now.
    pub fn get(&self) -> SoundRules {
        // A value is replaced as a whole, so a panic elsewhere leaves no half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other rules hold from the next sound on.
    pub fn set(&self, rules: SoundRules) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2020-03-01 at this time in China.
    fn at(hour: u64, minute: u64) -> u64 {
        1_582_992_000 + hour * 3600 + minute * 60
    }

    fn rules() -> SoundRules {
        let quiet = Some("21:30-07:00".parse().expect("a quiet time"));
        SoundRules { volume: Percent(80), quiet, quiet_volume: Percent(25), ..SoundRules::default() }
    }

    #[test]
    fn it_is_quiet_by_the_clock_of_the_site() {
        for (hour, minute, expected) in [(21, 29, 80), (21, 30, 25), (0, 0, 25), (6, 59, 25), (7, 0, 80), (13, 0, 80)] {
            let time = Time::trusted(at(hour, minute));
            assert_eq!(rules().volume_at(time).get(), expected, "{hour}:{minute:02}");
        }
        let lunch = SoundRules { quiet: "12:00-14:00".parse().ok(), ..rules() };
        assert!(lunch.is_quiet(Time::trusted(at(12, 30))) && !lunch.is_quiet(Time::trusted(at(23, 0))));
        assert!(!SoundRules { quiet: None, ..rules() }.is_quiet(Time::trusted(at(2, 0))));
    }

    #[test]
    fn a_clock_that_is_not_sure_counts_as_day() {
        assert_eq!(rules().volume_at(Time::floor(at(2, 0))).get(), 80);
        assert_eq!(rules().volume_at(Time::trusted_within(at(21, 40), 900)).get(), 80, "it may be 21:25");
        assert_eq!(rules().volume_at(Time::trusted_within(at(21, 50), 900)).get(), 25);
        // Both ends of these errors are in some night, with a day between them: 04:00 and 02:00, 02:00 and 02:00.
        for error_s in [11 * 3600, 12 * 3600, 86_400, u32::MAX] {
            assert_eq!(rules().volume_at(Time::trusted_within(at(15, 0), error_s)).get(), 80, "{error_s} s");
            assert_eq!(rules().volume_at(Time::trusted_within(at(2, 0), error_s)).get(), 80, "{error_s} s");
        }
        // As sure as it need be: from 21:30 to the last second before 07:00.
        assert_eq!(rules().volume_at(Time::trusted_within(at(2, 15) - 1, 17_099)).get(), 25);
        assert_eq!(rules().volume_at(Time::trusted_within(at(2, 15), 17_100)).get(), 80, "it may be 07:00");
    }

    #[test]
    fn a_night_is_never_louder_than_the_day() {
        let muted = SoundRules { volume: Percent::NONE, ..rules() };
        assert_eq!(muted.volume_at(Time::trusted(at(2, 0))), Percent::NONE);
    }

    #[test]
    fn a_plain_buzzer_does_by_night_what_the_site_says() {
        let rules = SoundRules { quiet_buzzer: BuzzerAtNight::Off, ..rules() };
        assert_eq!(rules.buzzer_at(Time::trusted(at(2, 0))).plain, BuzzerAtNight::Off);
        assert_eq!(rules.buzzer_at(Time::trusted(at(12, 0))).plain, BuzzerAtNight::Same);
        assert_eq!(rules.buzzer_at(Time::floor(at(2, 0))).plain, BuzzerAtNight::Same);
    }

    #[test]
    fn a_quiet_time_reads_back_what_it_writes_and_no_slip_of_the_finger_is_one() {
        for text in ["21:30-07:00", "00:00-23:59", "09:05-09:06"] {
            assert_eq!(text.parse::<Quiet>().map(|quiet| quiet.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "off", "21:30", "24:00-06:00", "21:60-06:00", "9:00-10:00", "+1:00-02:00", "08:00-08:00"] {
            assert_eq!(text.parse::<Quiet>(), Err(QuietError), "{text}");
        }
    }

    #[test]
    fn who_is_let_in_is_not_spoken_to_where_a_tone_is_enough() {
        let rules = SoundRules { say_admit: false, ..rules() };
        assert_eq!(rules.spoken(&Screen::AskReading), Some(SpeechKey::AskReading));
        assert_eq!(SoundRules { speech: false, ..rules }.spoken(&Screen::AskReading), None);
    }

    #[test]
    fn a_change_is_heard_by_everybody_who_has_the_handle() {
        let settings = SoundSettings::new(rules());
        let other = settings.clone();
        other.set(SoundRules { volume: Percent::NONE, ..other.get() });
        assert_eq!(settings.get().volume, Percent::NONE);
    }
}
