//! Where gates sync: takes their records in, keeps them, acknowledges them, shows the fleet.
//!
//! A gate forgets a record once a hub has acknowledged it, so everything here serves one promise: **an
//! ack is signed only after the store has committed durably**, and it names only records of which none
//! before them is missing. The way in is one way and each stage hands on what only it can make:
//!
//! ```text
//! HTTP body → signature of an enrolled gate → run::Run (canonical, consecutive, chained) → Store → ack
//! ```
//!
//! Invariants:
//! - Of one gate and epoch the store holds records 1 to `through` without a gap, in one hash chain.
//! - A record once stored never changes; the same bytes again are welcome, other bytes are refused.
//! - What a gate did wrong is answered 4xx, what the hub can not do is answered 5xx, never the other way
//!   round: gates set a batch aside on 4xx and send again on 5xx.
//! - The hub can not read who passed: the holder is in a record only sealed to the health authority.
//!
//! The pages and the JSON lists are open to whoever reaches the address, and hold no personal data;
//! enrolling takes a token and a batch takes a gate's signature.
#![forbid(unsafe_code)]

mod api;
mod ingest;
mod keys;
mod lines;
mod page;
mod refusal;
mod run;
mod server;
mod store;
mod tls;

pub use keys::{HubKey, KeyError};
pub use refusal::Refusal;
pub use run::{Entry, HistoryError, Run};
pub use server::{Config, Hub, HubError};
pub use store::sqlite::SqliteStore;
pub use store::{AppendError, Gate, Held, Page, Store, StoreError, StoreUrl, UnknownStore};
pub use tls::{Tls, TlsError, TlsFiles};
