//! The Update Framework, as a gate, a desk and the conformance suite use it.
//!
//! What a gate believes arrives by roads that nobody guards: a hub's HTTP, a stick in somebody's pocket. TUF
//! (specification 1.0) makes the road not matter: signatures to a threshold, versions that never go back, expiry,
//! and delegations by which a province signs for itself and for nobody else. All of that is `sigstore-tuf`'s work;
//! this module is the only place that names it, because it is young and its releases break.
//!
//! Invariants: nothing is handed out that was not verified from the pinned root; the time is a parameter; a source
//! is asked for no more bytes than the metadata allow; every refusal is a [`TufError`] that says what kind it is.

mod client;
mod error;
mod http;
mod source;

pub(crate) use client::MAX_METADATA_BYTES;
pub use client::{Client, Found, Store, signed_for};
pub use error::{Refusal, TufError};
pub use http::{Http, why};
pub use source::{Folder, Source, SourceError};
pub(crate) use source::{is_inside, open_below};

/// The bytes that signatures of metadata cover: canonical JSON as securesystemslib writes it.
///
/// # Errors
/// [`TufError`] where the value has a number that is not whole.
pub fn canonical(value: &serde_json::Value) -> Result<Vec<u8>, TufError> {
    Ok(sigstore_tuf::canonical_json::to_canonical_bytes(value)?)
}

/// The part of TUF metadata that [`Client`] shows to those who walk delegations.
pub use sigstore_tuf::{DelegatedRole, Delegations, Targets};
