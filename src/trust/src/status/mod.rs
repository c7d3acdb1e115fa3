//! Status lists: what issuers have changed since their passes were made, as files, and how a gate looks them up.
//!
//! Ten million entries must answer within a microsecond on a machine with 512 MB, survive power cuts, and arrive in
//! pieces over a bad line. So an issuer publishes a *list*, which is complete and never changes, and *deltas* of what
//! came after it:
//!
//! ```text
//! StatusList (file, seq S) ─┐
//!                           ├→ IssuerStatus ─┐
//! Delta (seq S+1, S+2, …) ──┘                ├→ StatusBook : core's StatusSource → decide
//! … of another issuer ──────→ IssuerStatus ──┘
//! ```
//!
//! Invariants:
//!
//! - A list of number S says what all deltas through S say together. For each tag the newest delta counts, whatever the
//!   order in which they came, so deltas apply in any order, twice, or in part, to the same result.
//! - A list is complete until the newest delta before which none is missing; entries of later deltas count already.
//! - Nothing is changed in place: a delta gives a new [`IssuerStatus`], and whoever reads the old one goes on reading it.
//! - No bytes make this code panic, or hold more memory than a few times their length.
//!
//! Whether the bytes are an issuer's is not asked here: they come through a verified door (a signed repository). The
//! files are described in `docs/formats.md`; why they have two columns is in decision 11.

mod book;
mod buckets;
mod delta;
mod error;
mod header;
mod issuer;
mod list;
mod overlay;
mod write;

pub use book::StatusBook;
pub use delta::{Change, Delta};
pub use error::StatusError;
pub use header::About;
pub use issuer::IssuerStatus;
pub use list::{Entries, StatusList};
pub use write::write_list;

use menshen_core::pass::Colour;
use menshen_core::status::Status;

/// The number of a status in files: 1 green, 2 yellow, 3 red, 4 revoked.
const fn number_of(status: Status) -> u8 {
    match status {
        Status::Overridden(colour) => colour as u8,
        Status::Revoked => 4,
    }
}

/// The status of a stored number.
const fn status_of(number: u8) -> Option<Status> {
    match number {
        1 => Some(Status::Overridden(Colour::Green)),
        2 => Some(Status::Overridden(Colour::Yellow)),
        3 => Some(Status::Overridden(Colour::Red)),
        4 => Some(Status::Revoked),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
