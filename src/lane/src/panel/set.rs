//! The settings and the PIN, as the panel's page sees and changes them.
//!
//! What can be set is `crate::settings`; who may is `session`'s matter.

use super::pin::{PinError, PinFile};
use super::serve::Shared;
use super::session::{Tried, Who, try_pin};
use crate::settings::{Set, SettingsError};
use crate::sound::SoundRules;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize)]
struct Shown {
    set: Set,
    /// What counts now: the site's own with what is set over it.
    hold_admit_ms: u32,
    hold_other_ms: u32,
    other_stays: bool,
    lock_after_min: u64,
    volume_percent: u8,
    speech: bool,
    has_pin: bool,
}

/// `GET /settings.json`.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    let set = shared.settings.get();
    // How loud it is may have been set at another lane.
    let (policy, sound) = (set.over(shared.holds.clone()), shared.sound.get());
    Json(Shown {
        set,
        hold_admit_ms: policy.hold_admit_ms,
        hold_other_ms: policy.hold_other_ms,
        other_stays: policy.other_stays,
        lock_after_min: set.own_lock().as_secs() / 60,
        volume_percent: sound.volume.get(),
        speech: sound.speech,
        has_pin: shared.pin.as_ref().is_some_and(PinFile::is_set),
    })
    .into_response()
}

/// `POST /settings`: all of them; what is left out goes by the site.
pub(super) async fn put(State(shared): State<Arc<Shared>>, body: Result<Json<Set>, JsonRejection>) -> Response {
    let Ok(Json(set)) = body else {
        return (StatusCode::BAD_REQUEST, "settings are JSON with known names: reload the page\n").into_response();
    };
    // A memory card takes its time; what is kept counts, also where the page has gone meanwhile.
    let Ok(put) = tokio::task::spawn_blocking(move || put_all(&shared, set)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match put {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error @ SettingsError::Range { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response()
        }
        Err(error @ SettingsError::File { .. }) => {
            tracing::error!("{error}");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}

fn put_all(shared: &Shared, set: Set) -> Result<(), SettingsError> {
    let before = shared.settings.get();
    shared.settings.put(set)?;
    let (now, site) = (shared.sound.get(), &shared.sound_of_site);
    // What this lane sets no more goes by the site; what it never set may be another lane's.
    let base = SoundRules {
        volume: if before.volume_percent.is_some() { site.volume } else { now.volume },
        speech: if before.speech.is_some() { site.speech } else { now.speech },
        ..now
    };
    shared.sound.set(set.over_sound(base));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPin {
    /// The one that there is; none where there is none.
    old: Option<String>,
    pin: String,
}

/// `POST /pin`: another PIN, of whoever knows the one that there is: a screen that somebody left unlocked is not enough.
pub(super) async fn pin(
    State(shared): State<Arc<Shared>>,
    who: Who,
    body: Result<Json<NewPin>, JsonRejection>,
) -> Response {
    let Ok(Json(NewPin { old, pin })) = body else {
        return (StatusCode::BAD_REQUEST, "a PIN comes as JSON: reload the page\n").into_response();
    };
    let Some(file) = shared.pin.clone() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "this panel has no place for a PIN\n").into_response();
    };
    let because =
        |why: &str| (StatusCode::UNPROCESSABLE_ENTITY, Json(serde_json::json!({ "why": why }))).into_response();
    if file.is_set() {
        match try_pin(&shared, &who, file.clone(), old.unwrap_or_default()).await {
            Tried::Right(_) => {}
            Tried::Wrong => return because("wrong"),
            Tried::TooSoon => return StatusCode::TOO_MANY_REQUESTS.into_response(),
            Tried::Failed(error) => return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        }
    }
    match tokio::task::spawn_blocking(move || file.set(&pin)).await {
        Ok(Ok(())) => {
            tracing::info!("another PIN was set at the panel");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Err(PinError::Digits)) => because("digits"),
        Ok(Err(PinError::Guessed)) => because("guessed"),
        Ok(Err(error)) => {
            tracing::error!("{error}");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
