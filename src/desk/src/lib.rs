//! The one tool for people at a desk: issuers, auditors, field techs, and whoever wants to see a gate work.
//!
//! Each subcommand is one file in [`cmd`]; what several of them need is beside it. The library exists so that
//! tests and benchmarks make passes and frames with the very code that the commands use.
#![forbid(unsafe_code)]

pub mod authority;
pub mod cmd;
pub mod demo;
pub use menshen_lane::moment;
pub mod outcome;
pub mod qr;
pub mod request;
pub mod scene;
pub mod sheet;
