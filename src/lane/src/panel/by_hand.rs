//! What a volunteer decides by hand, on its way from the page to the lane.
//!
//! It opens the gate, so it is the one thing that the panel takes, and it takes it only from a screen of this very
//! device: the connection must come from the loopback address, and the page that sends it must be the panel's own. A
//! page of somebody else's in the same browser can reach this address too; it can not send JSON without asking first
//! (a preflight request, which is never answered), and by a name that it has pointed here it is told by that name.
//!
//! Invariants: what is taken is one of the causes of the core; whether the site's rules allow it the lane decides. A volunteer
//! decides about whom they saw: a decision names its screen, and where somebody else's verdict has come since, it is not taken.

use super::serve::Shared;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use menshen_core::manual::Cause;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::TrySendError;

/// How many decisions may wait for the lane: a person touches faster than that only by mistake.
pub(super) const MOST_WAITING: usize = 2;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From(pub(super) SocketAddr);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    cause: String,
    /// The number of the screen that the volunteer saw.
    screen: u64,
}

pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(From(from)): ConnectInfo<From>,
    headers: HeaderMap,
    body: Result<Json<ByHand>, JsonRejection>,
) -> Response {
    if !from.ip().to_canonical().is_loopback() || !is_own_page(&headers) {
        let why = "the gate is opened by hand only at a screen of its own: use the one that is wired to it\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let Ok(Json(ByHand { cause, screen })) = body else {
        return (StatusCode::BAD_REQUEST, "a decision by hand is JSON with its cause: reload the page\n")
            .into_response();
    };
    let Some(cause) = Cause::parse(&cause) else {
        return (StatusCode::BAD_REQUEST, "this gate knows no such cause: reload the page\n").into_response();
    };
    if !shared.screens.borrow().is_about(screen) {
        let why = "somebody else is at the gate by now: look at the screen and decide again\n";
        return (StatusCode::CONFLICT, why).into_response();
    }
    match shared.by_hand.try_send(cause) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(TrySendError::Full(_)) => {
            (StatusCode::TOO_MANY_REQUESTS, "the last decision is still being noted: wait a moment\n").into_response()
        }
        Err(TrySendError::Disconnected(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "this gate takes no decision by hand: restart it\n").into_response()
        }
    }
}

/// Whether a request comes from the panel's own page, by what every browser says of it.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str()).unwrap_or_default();
    let by_origin = text(header::ORIGIN.as_str()).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    let by_fetch = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    is_this_device(host) && by_origin && by_fetch
}

/// Whether a `Host` names this device by its loopback address, and by no name that somebody else may have pointed here.
fn is_this_device(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        // The colons of a bare IPv6 address are not a port's.
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_this_device() {
        for host in ["127.0.0.1", "127.0.0.1:8460", "localhost", "localhost:8460", "[::1]:8460", "[::1]"] {
            assert!(is_this_device(host), "{host}");
        }
        for host in
            ["", "gate.example", "gate.example:8460", "192.168.8.1:8460", "127.0.0.1.example", "localhost.example"]
        {
            assert!(!is_this_device(host), "{host}");
        }
    }
}
