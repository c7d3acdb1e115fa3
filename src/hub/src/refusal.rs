//! Every way in which the hub says no, with its status, its stable code and one sentence.
//!
//! Gates act on the status and the code, people read the sentence. The one rule that must hold is in
//! one place here: a failing store is 503, because a gate sets a batch aside on 4xx and would stop
//! sending what it should send again.

use crate::run::HistoryError;
use crate::store::{AppendError, StoreError};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use menshen_core::cbor::CborError;
use menshen_core::record::ChainError;
use menshen_core::wire::{MAX_BATCH_BYTES, MAX_MESSAGE_BYTES};
use serde::Serialize;

/// How long a gate should wait after a 503, in seconds.
const RETRY_AFTER_S: &str = "5";

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not what the address takes.
    #[error("the request is not a well-formed {0}; send what the address takes")]
    Malformed(&'static str),
    /// No such address.
    #[error("there is nothing at this address; look at the list of gates at /v1/gates")]
    NotFound,
    /// The address takes another method.
    #[error("this address does not take this method; GET reads and POST sends")]
    Method,
    /// The signature is not the gate's.
    #[error("the signature is not of this gate's key; sign with the key that the gate was enrolled with")]
    Signature,
    /// The gate is not enrolled here.
    #[error("this gate is not enrolled at this hub; enrol it with the site's token")]
    NotEnrolled,
    /// The message names another gate than the address does.
    #[error("the message is of another gate than the address names; send it to its own gate's address")]
    WrongGate,
    /// Enrolment without, or with another, token.
    #[error("the enrolment token is not this hub's; ask the hub's keeper for it")]
    WrongToken,
    /// The hub takes no gates.
    #[error("this hub enrols no gates; start it with --enrol-token")]
    EnrolmentClosed,
    /// The body is longer than any message.
    #[error("the message is longer than {MAX_MESSAGE_BYTES} bytes; send fewer records in a batch")]
    TooLarge,
    /// The records do not decompress within bounds.
    #[error("the records do not decompress to at most {MAX_BATCH_BYTES} bytes; compress them again with zstd")]
    Compression,
    /// A record is not canonical.
    #[error("a record can not be read ({0}); keep the batch and call the hub's keeper")]
    Record(CborError),
    /// More or fewer records than the batch says.
    #[error("the batch does not hold as many records as it says; make it again from the journal")]
    Count,
    /// The records are not one chain.
    #[error("the records are not one chain ({0}); make the batch again from the journal")]
    Chain(ChainError),
    /// The records do not fit on to those stored.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The store fails; the reason is in the hub's log.
    #[error("the hub can not store at present; keep the records and send them again")]
    Store,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::Signature => StatusCode::UNAUTHORIZED,
            Refusal::NotEnrolled | Refusal::WrongGate | Refusal::WrongToken | Refusal::EnrolmentClosed => {
                StatusCode::FORBIDDEN
            }
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::History(_) => StatusCode::CONFLICT,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Compression | Refusal::Record(_) | Refusal::Count | Refusal::Chain(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refusal::Store => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable code that programs act on.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Malformed(_) => "malformed",
            Refusal::NotFound => "not_found",
            Refusal::Method => "method",
            Refusal::Signature => "signature",
            Refusal::NotEnrolled => "not_enrolled",
            Refusal::WrongGate => "wrong_gate",
            Refusal::WrongToken => "wrong_token",
            Refusal::EnrolmentClosed => "enrolment_closed",
            Refusal::TooLarge => "too_large",
            Refusal::Compression => "compression",
            Refusal::Record(_) => "record",
            Refusal::Count => "count",
            Refusal::Chain(_) => "chain",
            Refusal::History(HistoryError::Gap { .. }) => "gap",
            Refusal::History(HistoryError::Conflict { .. }) => "conflict",
            Refusal::Store => "store",
        }
    }

    fn body(&self) -> Body {
        let (expected, seq) = match self {
            Refusal::History(HistoryError::Gap { expected }) => (Some(expected.0), None),
            Refusal::History(HistoryError::Conflict { seq }) => (None, Some(seq.0)),
            _ => (None, None),
        };
        Body { error: self.code(), message: self.to_string(), expected, seq }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if self == Refusal::Store {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        tracing::error!("{error}");
        Refusal::Store
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Refusal {
        match error {
            AppendError::History(error) => Refusal::History(error),
            AppendError::Store(error) => error.into(),
        }
    }
}
