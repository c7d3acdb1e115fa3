//! What a volunteer orders at the panel, on its way from the page to the lane: a decision by hand, or that they are done
//! with whoever is on the screen.
//!
//! Who may is `session`'s matter. Invariants: what is taken is one of the causes of the core; whether the site's rules
//! allow it the lane decides. A volunteer decides about whom they saw: an order names its screen, and the lane's own thread
//! looks whether somebody else is at the gate when its turn comes (`crate::run::Order`). The page is told what came of it.

use super::screen::Shown;
use super::serve::Shared;
use crate::run::{Deed, ORDER_LIFE, Order, Outcome};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use menshen_core::manual::Cause;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::mpsc::TrySendError;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many orders may wait for the lane: a person touches faster than that only by mistake.
pub(super) const MOST_WAITING: usize = 2;
/// How long a page waits for the answer: an order that was taken up at the last moment is still recorded.
const PATIENCE: Duration = ORDER_LIFE.saturating_add(Duration::from_secs(2));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    cause: String,
    /// The number of the screen that the volunteer saw.
    screen: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    /// The number of the screen that the volunteer saw.
    screen: u64,
}

pub(super) async fn by_hand(State(shared): State<Arc<Shared>>, body: Result<Json<ByHand>, JsonRejection>) -> Response {
    let Ok(Json(ByHand { cause, screen })) = body else {
        return (StatusCode::BAD_REQUEST, "a decision by hand is JSON with its cause: reload the page\n")
            .into_response();
    };
    match Cause::parse(&cause) {
        Some(cause) => order(&shared, Deed::ByHand(cause), screen).await,
        None => (StatusCode::BAD_REQUEST, "this gate knows no such cause: reload the page\n").into_response(),
    }
}

pub(super) async fn next(State(shared): State<Arc<Shared>>, body: Result<Json<Done>, JsonRejection>) -> Response {
    match body {
        Ok(Json(Done { screen })) => order(&shared, Deed::Next, screen).await,
        Err(_) => {
            (StatusCode::BAD_REQUEST, "this is JSON with the number of a screen: reload the page\n").into_response()
        }
    }
}

async fn order(shared: &Arc<Shared>, deed: Deed, screen: u64) -> Response {
    let (told, outcome) = oneshot::channel();
    let at_the_gate = Arc::clone(shared);
    let is_meant = move |remembers| at_the_gate.screens.borrow().is_about(screen, remembers);
    let after = Arc::clone(shared);
    let order = Order::new(deed, is_meant, move |outcome| {
        if (deed, outcome) == (Deed::Next, Outcome::Done) {
            after.screens.send_modify(Shown::is_done_with);
        }
        // A page that has gone is told nothing.
        let _ = told.send(outcome);
    });
    match shared.orders.try_send(order) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            let why = "the last order is still being carried out: wait a moment\n";
            return (StatusCode::TOO_MANY_REQUESTS, why).into_response();
        }
        Err(TrySendError::Disconnected(_)) => {
            let why = "this gate takes no orders from its panel: restart it\n";
            return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        }
    }
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Ok(Outcome::Done)) => StatusCode::NO_CONTENT.into_response(),
        Ok(Ok(Outcome::NotAllowed)) => {
            let why = "the rules of this place do not let that be done about this person\n";
            (StatusCode::UNPROCESSABLE_ENTITY, why).into_response()
        }
        Ok(Ok(Outcome::Changed)) => {
            let why = "somebody else is at the gate by now: look at the screen and decide again\n";
            (StatusCode::CONFLICT, why).into_response()
        }
        Ok(Ok(Outcome::Late) | Err(_)) | Err(_) => {
            let why = "the gate is busy: look at the screen, it shows whether this was done\n";
            (StatusCode::GATEWAY_TIMEOUT, why).into_response()
        }
    }
}
