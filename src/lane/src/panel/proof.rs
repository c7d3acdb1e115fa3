//! The proof before the shift, on its way between the page and the gate.
//!
//! `GET /proof.json` is how it stands, `GET /proofs.json` the cards that are kept, the newest first. `POST /proof/start` starts
//! one, `POST /proof/output` with `{"which"}` tries an output out, `POST /proof/answer` with `{"which","yes"}` notes what a person
//! saw of it. Who may is `session`'s matter. Invariants: whoever tries the relay out opens the
//! way, so the lane records that first; the panel's own thread never waits for a lane or a disk.

use super::serve::Shared;
use crate::proof::{Item, NotStarted, Proofs, TryError};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;

const NO_PROOF: &str = "this gate can not prove itself: it runs without its own program\n";

/// Why something is not done, in a sentence.
type Refused = (StatusCode, String);

/// What pages ask of the proof.
pub(super) fn looks() -> Router<Arc<Shared>> {
    Router::new().route("/proof.json", get(progress)).route("/proofs.json", get(earlier))
}

/// What whoever may act has it do.
pub(super) fn acts() -> Router<Arc<Shared>> {
    Router::new()
        .route("/proof/start", post(start))
        .route("/proof/output", post(output))
        .route("/proof/answer", post(answer))
}

fn proofs_of(shared: &Shared) -> Result<Proofs, Refused> {
    shared.proofs.get().cloned().ok_or_else(|| (StatusCode::NOT_FOUND, NO_PROOF.to_owned()))
}

async fn progress(State(shared): State<Arc<Shared>>) -> Result<Response, Refused> {
    Ok(Json(proofs_of(&shared)?.progress()).into_response())
}

async fn earlier(State(shared): State<Arc<Shared>>) -> Result<Response, Refused> {
    let proofs = proofs_of(&shared)?;
    let cards = tokio::task::spawn_blocking(move || proofs.earlier()).await;
    Ok(Json(cards.unwrap_or_default()).into_response())
}

/// JSON all the same, which a page of somebody else's can not send without asking.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {}

async fn start(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Start>, JsonRejection>,
) -> Result<Response, Refused> {
    let proofs = proofs_of(&shared)?;
    let Json(Start {}) = body.map_err(not_json)?;
    Ok(match proofs.start() {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(error) => {
            let status = match error {
                NotStarted::Running => StatusCode::CONFLICT,
                NotStarted::NoThread => StatusCode::SERVICE_UNAVAILABLE,
            };
            (status, format!("{error}\n")).into_response()
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    which: String,
}

async fn output(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Output>, JsonRejection>,
) -> Result<Response, Refused> {
    let proofs = proofs_of(&shared)?;
    let Json(Output { which }) = body.map_err(not_json)?;
    let item = Item::parse(&which).ok_or(TryError::NoOutput).map_err(refused)?;
    done(tokio::task::spawn_blocking(move || proofs.try_output(item)).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    which: String,
    yes: bool,
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Response, Refused> {
    let proofs = proofs_of(&shared)?;
    let Json(Answer { which, yes }) = body.map_err(not_json)?;
    let item = Item::parse(&which).ok_or(TryError::NoOutput).map_err(refused)?;
    done(tokio::task::spawn_blocking(move || proofs.answer(item, yes)).await)
}

fn done(result: Result<Result<(), TryError>, tokio::task::JoinError>) -> Result<Response, Refused> {
    result.unwrap_or(Err(TryError::Silent)).map_err(refused)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

fn not_json(_: JsonRejection) -> Refused {
    (StatusCode::BAD_REQUEST, "a proof is asked for in JSON: reload the page\n".to_owned())
}

fn refused(error: TryError) -> Refused {
    let status = match error {
        TryError::NoOutput => StatusCode::BAD_REQUEST,
        TryError::NotAllowed => StatusCode::FORBIDDEN,
        TryError::NoCard | TryError::NotTried | TryError::Busy | TryError::Late => StatusCode::CONFLICT,
        TryError::Silent | TryError::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{error}\n"))
}
