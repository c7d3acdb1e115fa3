//! What is heard at a gate: tones, speech, how loud and when.
//!
//! A person in a queue looks at their phone, not at the screen; one who sees badly hears, one who hears badly feels a
//! rhythm. What each screen sounds like is decided here once: its [`Cue`], the sentence that is spoken
//! ([`SpeechKey`]), and how loud it is by the time of day ([`SoundRules`]). Buzzer, loudspeaker and page only play it.
//!
//! Invariants: the newest screen is the one that is heard; what is spoken names neither colours nor people; the fire
//! alarm silences the gate; where the time is not sure it counts as day, because better loud than unheard.

pub mod clips;
pub mod pcm;
mod rhythm;
mod rules;
mod speaker;
mod speech;

pub use rhythm::{Beat, Cue, Rhythms};
pub use rules::{BuzzerAtNight, Percent, Quiet, QuietError, SoundRules, SoundSettings, Volume};
pub use speaker::SpeakerWatcher;
pub use speech::SpeechKey;

use crate::words::Lang;
use menshen_core::lane::Screen;
use std::time::Duration;

/// Something to be heard, and everything that is needed to play it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sounded {
    /// The rhythm at its beginning.
    pub cue: Option<Cue>,
    /// What is said after that; `None` for nothing.
    pub speech: Option<SpeechKey>,
    /// In which languages, one after the other.
    pub langs: Vec<Lang>,
    /// How loud, in hundredths.
    pub volume: Percent,
    /// How long it lasts.
    pub length: Duration,
    /// The sound itself: a WAV file of 16-bit samples, one channel, [`pcm::RATE_HZ`].
    pub wav: Vec<u8>,
}

impl Sounded {
    /// What a screen sounds like by these rules at a volume; `None` for one that is silent. `has_tones` is `false` where a
    /// buzzer beside sounds the rhythm: then the speech waits until that is over.
    pub fn of(screen: &Screen, rules: &SoundRules, volume: Percent, has_tones: bool) -> Option<Sounded> {
        if volume == Percent::NONE {
            return None;
        }
        let rhythm = Cue::of_screen(screen);
        let cue = rhythm.filter(|_| has_tones);
        let speech = rules.spoken(screen);
        if cue.is_none() && speech.is_none() {
            return None;
        }
        let langs = speech.map(|_| rules.speech_langs.clone()).unwrap_or_default();
        Some(Sounded::rendered(rhythm, cue.is_some(), speech, langs, volume))
    }

    /// What a loudspeaker plays that a person tries out: what it can, also where it would be silent now.
    pub fn trial(rules: &SoundRules, volume: Volume) -> Sounded {
        let speech = rules.speech.then_some(SpeechKey::Admit);
        let langs = speech.map(|_| rules.speech_langs.clone()).unwrap_or_default();
        Sounded::rendered(Some(Cue::Admit), true, speech, langs, volume.audible().percent)
    }

    fn rendered(
        rhythm: Option<Cue>,
        sounds: bool,
        speech: Option<SpeechKey>,
        langs: Vec<Lang>,
        volume: Percent,
    ) -> Sounded {
        let clip = |lang: &Lang| clips::of(*lang, speech?).and_then(pcm::samples);
        let clips: Vec<Vec<i16>> = langs.iter().filter_map(clip).collect();
        let samples = pcm::render(rhythm, sounds, &clips, volume);
        let cue = rhythm.filter(|_| sounds);
        Sounded { cue, speech, langs, volume, length: pcm::length(&samples), wav: pcm::wav(&samples) }
    }
}
