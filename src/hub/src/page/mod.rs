//! The fleet page and the page of one gate, for people.
//!
//! Rendered on the hub, without any resource from elsewhere, under a Content-Security-Policy that allows
//! the hub's own style and script and nothing inline. Whatever a gate said of itself is hostile until it
//! is escaped ([`html::Esc`]); the policy is the second wall and not the first.

mod html;
mod render;
mod words;

use crate::api::{Shared, blocking, gate_id, unix_s};
use crate::ingest::Office;
use crate::refusal::Refusal;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;
use words::Lang;

/// How many records the page of a gate shows.
const SHOWN: u32 = 50;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The addresses of the pages.
pub(crate) fn router() -> Router<Arc<Office>> {
    Router::new()
        .route("/", get(fleet))
        .route("/gates/{id}", get(gate))
        .route("/style.css", get(async || asset("text/css; charset=utf-8", include_str!("style.css"))))
        .route("/page.js", get(async || asset("text/javascript; charset=utf-8", include_str!("page.js"))))
}

#[derive(Deserialize)]
struct Wish {
    lang: Option<String>,
}

impl Wish {
    fn lang(&self, headers: &HeaderMap) -> Lang {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Lang::choose(self.lang.as_deref(), accepted)
    }
}

async fn fleet(State(office): Shared, Query(wish): Query<Wish>, headers: HeaderMap) -> Response {
    let lang = wish.lang(&headers);
    let gates = blocking(office, |office| Ok(office.store.gates()?)).await;
    answer(lang, gates.map(|gates| render::fleet(lang, &gates, unix_s())))
}

async fn gate(State(office): Shared, Path(id): Path<String>, Query(wish): Query<Wish>, headers: HeaderMap) -> Response {
    let lang = wish.lang(&headers);
    let found = blocking(office, move |office| {
        let gate = office.store.gate(gate_id(&id)?)?.ok_or(Refusal::NotFound)?;
        let records = office.store.latest(gate.id, SHOWN)?;
        Ok((gate, records))
    });
    answer(lang, found.await.map(|(gate, records)| render::gate(lang, &gate, &records, unix_s())))
}

fn answer(lang: Lang, page: Result<String, Refusal>) -> Response {
    match page {
        Ok(page) => (guards(), Html(page)).into_response(),
        Err(refusal) => (refusal.status(), guards(), Html(render::refused(lang, &refusal))).into_response(),
    }
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    (guards(), [(header::CONTENT_TYPE, content_type)], text).into_response()
}

fn guards() -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}
