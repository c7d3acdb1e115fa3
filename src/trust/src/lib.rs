//! What a gate believes, and how it gets there by any road.
//!
//! The core decides from values; this crate brings those values in from files that somebody else made. It is
//! separate from the core because it has files and an allocator, and from the lane because the desk publishes and
//! shows the same repository that a gate imports.
#![forbid(unsafe_code)]

pub mod durable;
pub mod names;
pub mod policies;
pub mod publish;
pub mod status;
pub mod tuf;
pub mod vault;
