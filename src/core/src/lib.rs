//! What a gate believes and how it decides: bytes in, values out.
//!
//! This crate is the part of Menshen that must be right on every device and in every replay, so it
//! has no clock, no files, no threads, no allocator and no unsafe code. Whatever it needs to know
//! about the outside (time, trust, policy, what the camera and the thermometer said) is a parameter.
//!
//! The flow is one way and each stage hands on a value that only it can make:
//!
//! ```text
//! payload bytes → pass::UnverifiedPass → pass::VerifiedPass ─┐
//! thermometer bytes → thermo::Reading ───────────────────────┼→ decide → Decision → record
//! time::Time, trust::TrustList, status lists, policy::Policy ─┘
//! ```
//!
//! [`lane::Lane`] strings these together as a pure state machine.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod base45;
pub mod cbor;
pub mod clock;
pub mod cose;
pub mod decide;
pub mod hint;
pub mod history;
pub mod ids;
pub mod lane;
pub mod manual;
pub mod pass;
pub mod policy;
pub mod reason;
pub mod recognition;
pub mod record;
pub mod status;
pub mod thermo;
pub mod time;
pub mod trust;
pub mod verdict;
pub mod wire;

#[cfg(test)]
mod testworld;
