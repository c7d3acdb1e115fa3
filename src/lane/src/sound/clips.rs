//! What is spoken, as it was recorded: one small WAV file for each sentence and language, part of the program.
//!
//! A gate makes no speech itself: a synthesiser is large, slow on a small board and may fail; a clip was listened to
//! once. `src/lane/sounds/` has the clips, how they are made and what they may be used for. Invariants, proven by the
//! tests over every clip: each sentence of a language that speaks has one; it is of the text that the language file has
//! now; it is not silent, not clipped and short enough for a queue.

use super::SpeechKey;
use crate::words::Lang;
use menshen_core::ids::{Hex, first_8, sha256};
use std::sync::LazyLock;

struct Clip {
    lang: &'static str,
    key: SpeechKey,
    wav: &'static [u8],
}

macro_rules! clips {
    ($($lang:literal: $($key:ident $file:literal),*;)*) => {
        &[$($(Clip {
            lang: $lang,
            key: SpeechKey::$key,
            wav: include_bytes!(concat!("../../sounds/", $lang, "/", $file, ".wav")),
        },)*)*]
    };
}

/// A language speaks once it has a line here; a sentence without its clip does not build.
static CLIPS: &[Clip] = clips! {
    "zh": Admit "admit", AskReading "ask_reading", MeasureAgain "measure_again", WaitForHelp "wait_for_help",
        RenewCode "renew_code", ShowCode "show_code", OtherCode "other_code",
        RestAndMeasureAgain "rest_and_measure_again", HoldStill "hold_still", ComeCloser "come_closer",
        MoreLight "more_light", Dim "dim", Tilt "tilt", ShowWhole "show_whole";
    "en": Admit "admit", AskReading "ask_reading", MeasureAgain "measure_again", WaitForHelp "wait_for_help",
        RenewCode "renew_code", ShowCode "show_code", OtherCode "other_code",
        RestAndMeasureAgain "rest_and_measure_again", HoldStill "hold_still", ComeCloser "come_closer",
        MoreLight "more_light", Dim "dim", Tilt "tilt", ShowWhole "show_whole";
};

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: Vec<u8> = CLIPS.iter().flat_map(|clip| clip.wav).copied().collect();
    Hex(&first_8(&sha256(&all))).to_string()
});

/// The clip of a sentence; `None` in a language that does not speak.
pub fn of(lang: Lang, key: SpeechKey) -> Option<&'static [u8]> {
    CLIPS.iter().find(|clip| clip.lang == lang.name() && clip.key == key).map(|clip| clip.wav)
}

/// The languages that speak, in the order of [`Lang::ALL`].
pub fn languages() -> impl Iterator<Item = Lang> {
    Lang::ALL.into_iter().filter(|lang| CLIPS.iter().any(|clip| clip.lang == lang.name()))
}

/// Which clips these are: another version is another sound.
pub fn version() -> &'static str {
    &VERSION
}

#[cfg(test)]
mod tests;
