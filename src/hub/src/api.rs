//! The hub's addresses: where bytes come in by HTTP and go out as CBOR, JSON or pages.
//!
//! Only translation happens here: an address and a body to a call, its result to an answer. Calls block
//! (signatures, decompression, the store), so each runs on a thread made for that.
//!
//! ```text
//! POST /v1/gates/{id}/enrol     signed Enrol → {"gate","label","hub_key"}
//! POST /v1/gates/{id}/batches   signed Batch → signed Ack (application/cose)
//! POST /v1/time                 16 random bytes → signed HubTime for them (application/cose)
//! GET  /v1/gates                {"gates":[…]}
//! GET  /v1/gates/{id}/records   ?epoch=&after=&limit= → {"gate","records":[…]}, oldest first
//! GET  /v1/trust/metadata/{file}   /v1/trust/targets/{path}   the TUF repository, as it lies in its folder
//! GET  /  /gates/{id}           pages, ?lang=zh|en
//! GET  /healthz                 "ok" while the store answers, else 503
//! ```

use crate::ingest::Office;
use crate::lines::{GateLine, RecordLine, hex};
use crate::page;
use crate::refusal::Refusal;
use crate::store::Page;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use menshen_core::ids::GateId;
use menshen_core::record::{Epoch, Seq};
use menshen_core::wire::MAX_MESSAGE_BYTES;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::SystemTime;
use tower_http::services::ServeDir;

/// How many records a list gives when not asked for another number, and at most.
const LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

pub(crate) type Shared = State<Arc<Office>>;

/// Everything that the hub answers to.
pub(crate) fn router(office: Arc<Office>) -> Router {
    let repository = |part: &str| ServeDir::new(office.repository.join(part)).append_index_html_on_directories(false);
    Router::new()
        .nest_service("/v1/trust/metadata", repository("metadata"))
        .nest_service("/v1/trust/targets", repository("targets"))
        .route("/v1/gates/{id}/enrol", post(enrol))
        .route("/v1/gates/{id}/batches", post(batches))
        .route("/v1/time", post(time))
        .route("/v1/gates", get(gates))
        .route("/v1/gates/{id}/records", get(records))
        .route("/healthz", get(health))
        .merge(page::router())
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(DefaultBodyLimit::max(MAX_MESSAGE_BYTES))
        .with_state(office)
}

/// Seconds since 1970 by the hub's clock; 0 before that.
pub(crate) fn unix_s() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

/// Runs a call that blocks where blocking is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    office: Arc<Office>,
    call: impl FnOnce(&Office) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(move || call(&office)).await.unwrap_or_else(|error| {
        tracing::error!("a request panicked ({error}); please report this with the log");
        Err(Refusal::Store)
    })
}

/// The gate that an address names.
pub(crate) fn gate_id(text: &str) -> Result<GateId, Refusal> {
    GateId::from_hex(text).ok_or(Refusal::Malformed("gate id of 16 hexadecimal digits"))
}

#[derive(Serialize)]
struct Enrolled {
    gate: String,
    label: String,
    hub_key: String,
}

async fn enrol(
    State(office): Shared,
    Path(id): Path<String>,
    message: Result<Bytes, BytesRejection>,
) -> Result<Json<Enrolled>, Refusal> {
    let (gate, message) = (gate_id(&id)?, body(message)?);
    let hub_key = hex(&office.public_key());
    let label = blocking(office, move |office| office.enrol(gate, &message, unix_s())).await?;
    Ok(Json(Enrolled { gate: gate.to_string(), label, hub_key }))
}

async fn batches(
    State(office): Shared,
    Path(id): Path<String>,
    message: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let (gate, message) = (gate_id(&id)?, body(message)?);
    let ack = blocking(office, move |office| office.accept(gate, &message, unix_s())).await?;
    Ok(cose(ack))
}

/// Without the store and its threads: an answer that waits is a time that is late.
async fn time(State(office): Shared, nonce: Result<Bytes, BytesRejection>) -> Result<Response, Refusal> {
    Ok(cose(office.tell_time(&body(nonce)?, unix_s())?))
}

fn cose(message: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/cose")], message).into_response()
}

fn body(message: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    message.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Malformed("body"),
    })
}

#[derive(Serialize)]
struct Gates {
    gates: Vec<GateLine>,
}

async fn gates(State(office): Shared) -> Result<Json<Gates>, Refusal> {
    let gates = blocking(office, |office| Ok(office.store.gates()?)).await?;
    Ok(Json(Gates { gates: gates.iter().map(GateLine::of).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    epoch: Option<u32>,
    after: Option<u64>,
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Records {
    gate: String,
    records: Vec<RecordLine>,
}

async fn records(
    State(office): Shared,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Records>, Refusal> {
    let gate = gate_id(&id)?;
    let Query(wanted) = wanted.map_err(|_| Refusal::Malformed("query of epoch, after and limit"))?;
    if wanted.after.is_some() && wanted.epoch.is_none() {
        return Err(Refusal::Malformed("query: after is a number within an epoch"));
    }
    let page = Page {
        epoch: wanted.epoch.map(Epoch),
        after: (Epoch(wanted.epoch.unwrap_or(0)), Seq(wanted.after.unwrap_or(0))),
        limit: wanted.limit.unwrap_or(LIMIT).min(MAX_LIMIT),
    };
    let records = blocking(office, move |office| {
        office.store.gate(gate)?.ok_or(Refusal::NotFound)?;
        Ok(office.store.records(gate, page)?)
    })
    .await?;
    Ok(Json(Records { gate: gate.to_string(), records: records.iter().map(RecordLine::of).collect() }))
}

async fn health(State(office): Shared) -> Result<&'static str, Refusal> {
    blocking(office, |office| Ok(office.store.gate(GateId([0; 8]))?)).await?;
    Ok("ok")
}
