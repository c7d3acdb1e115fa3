//! What a page needs to be heard: the rhythms, the clips, and how loud it is now.
//!
//! `GET /sound.json` is the table of rhythms with how loud it is now; `GET /speech/LANG/KEY?v=VERSION` a clip, which a
//! browser may keep, because another clip is another version; the event `sound` says when something of it changed. A page
//! computes no hour: what is quiet time is the gate's to judge, by the site's clock.

use super::screen::ScreenView;
use super::serve::Shared;
use crate::sound::{Cue, Percent, Rhythms, SoundRules, SpeechKey, clips};
use crate::words::Lang;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use menshen_core::decide::Verdict;
use menshen_core::reason::Reason;
use menshen_core::time::Time;
use serde::Serialize;
use std::sync::Arc;

/// A year: a clip of a version never changes.
const KEPT: &str = "public, max-age=31536000, immutable";

/// How loud a page is now, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoundView {
    /// How loud, in hundredths; 0 is silent.
    pub volume_percent: u8,
    /// Whether anything is spoken.
    pub speech: bool,
    /// Whether those who are let in are spoken to.
    pub say_admit: bool,
    /// The languages of the site, one after the other where it names more than one.
    pub langs: Vec<&'static str>,
    /// The languages that speak.
    pub speaks: Vec<&'static str>,
    /// Whether the device's own loudspeaker is heard, so that a page on the device itself keeps silent.
    pub loudspeaker: bool,
    /// The version of the clips.
    pub version: &'static str,
}

impl SoundView {
    /// By the rules of a gate at a time; `loudspeaker` is whether the device's own is heard.
    pub fn of(rules: &SoundRules, time: Time, loudspeaker: bool) -> SoundView {
        SoundView::at(rules, rules.volume_at(time), loudspeaker)
    }

    /// Before anything is known of the time: as by day.
    pub(super) fn first(rules: &SoundRules) -> SoundView {
        SoundView::at(rules, rules.volume, false)
    }

    fn at(rules: &SoundRules, volume: Percent, loudspeaker: bool) -> SoundView {
        SoundView {
            volume_percent: volume.get(),
            speech: rules.speech,
            say_admit: rules.say_admit,
            langs: rules.speech_langs.iter().map(|lang| lang.name()).collect(),
            speaks: clips::languages().map(Lang::name).collect(),
            loudspeaker,
            version: clips::version(),
        }
    }
}

/// What is heard at a screen: the names of its rhythm and of its sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Heard {
    cue: Option<&'static str>,
    speech: Option<&'static str>,
}

impl Heard {
    /// By the stable names and numbers of what the page shows.
    pub(super) fn at(screen: &ScreenView) -> Heard {
        let heard = |cue: Cue, key: SpeechKey| Heard { cue: Some(cue.name()), speech: Some(key.name()) };
        match screen {
            ScreenView::Idle | ScreenView::Alarm => Heard::default(),
            ScreenView::Hint { hint } => Heard { cue: None, speech: SpeechKey::parse(hint).map(SpeechKey::name) },
            ScreenView::AskReading => heard(Cue::AskReading, SpeechKey::AskReading),
            ScreenView::MeasureAgain { .. } => heard(Cue::MeasureAgain, SpeechKey::MeasureAgain),
            ScreenView::Verdict { decision } => {
                let verdicts = [Verdict::Admit, Verdict::Refer, Verdict::Refuse];
                let verdict = verdicts.into_iter().find(|verdict| verdict.name() == decision.verdict);
                let reasons = decision.reasons.iter().filter_map(|reason| Reason::from_code(reason.code));
                verdict.map_or(Heard::default(), |verdict| {
                    heard(Cue::of_verdict(verdict), SpeechKey::of_verdict(verdict, reasons))
                })
            }
        }
    }
}

#[derive(Serialize)]
struct Whole {
    rhythms: Rhythms,
    #[serde(flatten)]
    now: SoundView,
}

pub(super) async fn sound(State(shared): State<Arc<Shared>>) -> Response {
    let now = shared.sounds.borrow().clone();
    Json(Whole { rhythms: Rhythms, now }).into_response()
}

pub(super) async fn clip(Path((lang, key)): Path<(String, String)>) -> Response {
    let found = Lang::parse(&lang).zip(SpeechKey::parse(&key)).and_then(|(lang, key)| clips::of(lang, key));
    match found {
        Some(wav) => ([(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, KEPT)], wav).into_response(),
        None => {
            let known = clips::languages().map(Lang::name).collect::<Vec<_>>().join(", ");
            let why =
                format!("the gate says nothing of that kind: ask for one of {known} and a sentence of [speech]\n");
            (StatusCode::NOT_FOUND, why).into_response()
        }
    }
}
