//! The clips as they are heard: there, of the right words, loud enough, not clipped, short.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use crate::sound::pcm;
use crate::words::Words;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const MOST: Duration = Duration::from_millis(2500);
const MOST_OF_AN_ADMISSION: Duration = Duration::from_millis(1200);
const MOST_BYTES: usize = 1_500_000;
/// Of the full scale: speech that is to be heard outdoors; a clip that was lost on the way is far below.
const LEAST_RMS: f64 = 0.06;
const MOST_PEAK: f64 = 0.99;

/// What `sounds/make.py` writes beside the clips.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    /// The first 8 bytes of the SHA-256 of the text that is spoken.
    text: String,
    /// The same of the clip.
    clip: String,
    voice: String,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sounds"))
}

fn made() -> BTreeMap<String, BTreeMap<String, Made>> {
    toml::from_str(&std::fs::read_to_string(folder().join("clips.toml")).unwrap()).unwrap()
}

fn print_of(bytes: &[u8]) -> String {
    Hex(&first_8(&sha256(bytes))).to_string()
}

fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| (f64::from(*sample) / 32768.0).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Every clip, with its name and its samples.
fn all() -> Vec<(String, SpeechKey, Vec<i16>)> {
    let samples = |clip: &Clip| {
        let name = format!("{}/{}", clip.lang, clip.key.name());
        let samples = pcm::samples(clip.wav).unwrap_or_else(|| panic!("{name} is no WAV file of this program's kind"));
        (name, clip.key, samples)
    };
    CLIPS.iter().map(samples).collect()
}

#[test]
fn every_sentence_has_a_clip_in_every_language_that_speaks_and_no_clip_lacks_one() {
    let expected: BTreeSet<String> = SpeechKey::ALL.map(|key| format!("{}.wav", key.name())).into();
    for lang in languages() {
        for key in SpeechKey::ALL {
            assert!(of(lang, key).is_some(), "{} {key:?}", lang.name());
        }
        let files = std::fs::read_dir(folder().join(lang.name())).unwrap();
        let files: BTreeSet<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(files, expected, "{}", lang.name());
    }
    assert_eq!(CLIPS.len(), languages().count() * SpeechKey::ALL.len(), "a clip of a language that is not there");
    assert!(["zh", "en"].iter().all(|name| languages().any(|lang| lang.name() == *name)));
}

#[test]
fn every_language_says_each_sentence_and_no_other() {
    let expected: BTreeSet<&str> = SpeechKey::ALL.map(SpeechKey::name).into();
    for lang in Lang::ALL {
        assert_eq!(Words::of(lang).speech.names().collect::<BTreeSet<_>>(), expected, "{}", lang.name());
    }
}

#[test]
fn a_clip_is_of_the_text_that_the_language_file_has_now() {
    let made = made();
    for lang in languages() {
        for key in SpeechKey::ALL {
            let made = &made[lang.name()][key.name()];
            let text = Words::of(lang).speech.get(key.name());
            let which = format!("{} {key:?}: run src/lane/sounds/make.py", lang.name());
            assert_eq!(made.text, print_of(text.as_bytes()), "another text: {which}");
            assert_eq!(made.clip, print_of(of(lang, key).unwrap()), "another clip: {which}");
            assert!(!made.voice.is_empty(), "{which}");
        }
    }
}

#[test]
fn no_clip_is_silent_or_clipped() {
    for (name, _, samples) in all() {
        let third = samples.len() / 3;
        for (part, samples) in [("its middle", &samples[third..2 * third]), ("all of it", &samples[..])] {
            assert!(rms(samples) > LEAST_RMS, "{part} of {name}: {}", rms(samples));
        }
        let peak = samples.iter().map(|sample| f64::from(sample.unsigned_abs()) / 32768.0).fold(0.0, f64::max);
        assert!(peak < MOST_PEAK, "{name}: {peak}");
    }
}

#[test]
fn the_clips_are_as_loud_as_each_other() {
    let loudness: Vec<f64> = all().iter().map(|(_, _, samples)| 20.0 * rms(samples).log10()).collect();
    let (least, most) = loudness.iter().fold((f64::MAX, f64::MIN), |(low, high), db| (low.min(*db), high.max(*db)));
    assert!(most - least < 3.0, "{least:.1} to {most:.1} dB");
}

#[test]
fn a_clip_is_short_enough_for_a_queue_and_begins_and_ends_with_speech() {
    for (name, key, samples) in all() {
        let most = if key == SpeechKey::Admit { MOST_OF_AN_ADMISSION } else { MOST };
        assert!(pcm::length(&samples) <= most, "{name}: {:?}", pcm::length(&samples));
        assert!(pcm::length(&samples) > Duration::from_millis(300), "{name} is cut off");
        // A tenth of a second of silence at an end is a wait.
        let edge = pcm::RATE_HZ as usize / 10;
        for end in [&samples[..edge], &samples[samples.len() - edge..]] {
            assert!(rms(end) > 0.001, "an end of {name} is silent");
        }
    }
}

#[test]
fn the_clips_of_all_languages_fit_a_small_board() {
    let bytes: usize = CLIPS.iter().map(|clip| clip.wav.len()).sum();
    assert!(bytes < MOST_BYTES, "{bytes}");
}
