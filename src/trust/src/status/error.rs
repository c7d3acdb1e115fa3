//! Why a status list or a delta is refused: each case is one fact with one remedy.

use menshen_core::ids::IssuerId;
use std::io;
use std::path::PathBuf;

/// Why a status file is refused, not made, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The disk says no.
    #[error("{}: {source}: check the card and its free room", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// The list could not be read or written.
    #[error("a status list can not be read or written: {0}: check the card and its free room")]
    Io(#[from] io::Error),
    /// The bytes begin as something else.
    #[error("this is no {expected}: import the file again")]
    Magic {
        /// What was looked for.
        expected: &'static str,
    },
    /// A format that this program does not know.
    #[error("the {what} has format {found}, this program knows format 1: update the program")]
    Format {
        /// A list or a delta.
        what: &'static str,
        /// Its format.
        found: u8,
    },
    /// The header, the columns or the entries contradict each other.
    #[error("the {what} is damaged: {fault}: import it again")]
    Damaged {
        /// A list or a delta.
        what: &'static str,
        /// What does not fit.
        fault: &'static str,
    },
    /// One tag with two states.
    #[error("tag {tag:016x} is given two different states: give each holder and pass one")]
    Contradiction {
        /// The tag.
        tag: u64,
    },
    /// More tags begin alike than hashes do.
    #[error("too many tags begin alike: a tag is a hash, make them with menshen_core::status::Tag")]
    Crowded,
    /// More entries than a file can count.
    #[error("a status file has at most 4294967295 entries: divide the issuer")]
    TooMany,
    /// A file of another issuer.
    #[error("this status file is of issuer {found}, not of {expected}: an issuer speaks in its own list only")]
    OtherIssuer {
        /// Whose list it was offered to.
        expected: IssuerId,
        /// Whose it is.
        found: IssuerId,
    },
    /// Two deltas under one number.
    #[error("issuer {issuer} gave two different deltas the number {seq}: publish a new list above it")]
    Conflict {
        /// Whose.
        issuer: IssuerId,
        /// The number.
        seq: u64,
    },
    /// A delta that is needed is not there.
    #[error("delta {missing} of issuer {issuer} is missing: get it before a new list is made")]
    Gap {
        /// Whose.
        issuer: IssuerId,
        /// The number of the first that is missing.
        missing: u64,
    },
    /// More deltas than one list carries.
    #[error("issuer {issuer} has more than 65536 deltas since its last list: publish a new list")]
    TooManyDeltas {
        /// Whose.
        issuer: IssuerId,
    },
}
