//! What a volunteer orders at the panel, on its way from the page to the lane: a decision by hand, or that they are done
//! with whoever is on the screen.
//!
//! Who may is `session`'s matter. Invariants: what is taken is one of the causes of the core; whether the site's rules
//! allow it the lane decides. A volunteer decides about whom they saw: an order names its screen, and where somebody
//! else's verdict has come since, it is not taken.

use super::serve::Shared;
use crate::run::Order;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use menshen_core::manual::Cause;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::mpsc::TrySendError;

/// How many orders may wait for the lane: a person touches faster than that only by mistake.
pub(super) const MOST_WAITING: usize = 2;

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
        Some(cause) => order(&shared, Order::ByHand(cause), screen),
        None => (StatusCode::BAD_REQUEST, "this gate knows no such cause: reload the page\n").into_response(),
    }
}

pub(super) async fn next(State(shared): State<Arc<Shared>>, body: Result<Json<Done>, JsonRejection>) -> Response {
    match body {
        Ok(Json(Done { screen })) => order(&shared, Order::Next, screen),
        Err(_) => {
            (StatusCode::BAD_REQUEST, "this is JSON with the number of a screen: reload the page\n").into_response()
        }
    }
}

fn order(shared: &Shared, order: Order, screen: u64) -> Response {
    if !shared.screens.borrow().is_about(screen) {
        let why = "somebody else is at the gate by now: look at the screen and decide again\n";
        return (StatusCode::CONFLICT, why).into_response();
    }
    match shared.orders.try_send(order) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(TrySendError::Full(_)) => {
            (StatusCode::TOO_MANY_REQUESTS, "the last order is still being carried out: wait a moment\n")
                .into_response()
        }
        Err(TrySendError::Disconnected(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "this gate takes no orders from its panel: restart it\n").into_response()
        }
    }
}
