//! The device program of a gate: a board file becomes adapters, adapters become ports.
//!
//! This is the only crate that names a GPIO library, a serial port or a camera. Everything that it
//! drives is behind the traits of [`menshen_lane::ports`], and everything that differs from one
//! board to another is data ([`board::Board`]), so a new board is a new file. Simulated parts speak
//! the bytes of the real ones through the real adapters ([`sim`]), so what runs on a desk is what runs
//! at a gate.
#![forbid(unsafe_code)]

pub mod board;
pub mod camera;
pub mod clock;
pub mod display;
pub mod gate;
pub mod inputs;
pub mod osdp;
pub mod outputs;
pub mod pin;
pub mod program;
pub mod rtc;
pub mod sim;
pub mod site;
pub mod speaker;
pub mod thermometer;
pub mod vitals;
pub mod watchdog;

mod file;
mod summed;
