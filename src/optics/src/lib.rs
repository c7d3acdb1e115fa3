//! From a frame to the payloads of the QR codes in it, without hardware.
//!
//! Whatever delivers pictures (a folder, a Y4M pipe, a device adapter of the
//! gate program) hands over a [`Frame`]; [`Reader`] turns it into a [`Sight`].
//! The lane sees nothing but these two types, so every camera is equal to it
//! and a picture of yesterday is read exactly as a live one.
//!
//! Invariants: a frame's luma always matches its size, and no side is longer
//! than [`frame::MAX_SIDE_PX`], so memory and time are bounded for whatever
//! reads it; input of any shape gives a typed error or an empty sight, never a
//! panic; a payload is bytes as printed, and nobody here judges what they mean.
#![forbid(unsafe_code)]

pub mod diagnosis;
pub mod focus;
pub mod folder;
pub mod frame;
pub mod framing;
pub mod read;
pub mod snapshot;
pub mod y4m;
pub mod y4m_write;

mod detector;
mod engine;
mod passes;
mod region;
mod schedule;
mod sheet;

pub use diagnosis::Diagnosis;
pub use focus::{Focus, FocusMeter, Light, LightWord};
pub use frame::{Frame, FrameError};
pub use framing::{Framing, Seen};
pub use read::{Payload, Reader, Sight};
pub use snapshot::Snapshot;
pub use y4m::{Y4mError, Y4mReader};
pub use y4m_write::Y4mWriter;
