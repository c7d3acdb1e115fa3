//! What the tests of the whole house share.
//!
//! The tests themselves are under `tests/`: one file a question, each driving the programs that people and gates
//! run. This library holds what more than one of them needs and nothing a program links; it depends on every crate
//! of the workspace, and no crate depends on it.
#![forbid(unsafe_code)]

#[cfg(feature = "e2e")]
pub mod browser;
pub mod cli;
pub mod faults;
pub mod gate_camera;
pub mod screens;
