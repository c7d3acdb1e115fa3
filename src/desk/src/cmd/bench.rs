//! `menshen bench`: what this machine does, one JSON object a measurement.

mod check;
mod corpus;
mod decode;
mod soak;

use crate::outcome::Result;
use clap::Subcommand;
use std::time::Duration;

/// Measure this machine.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Frame to decision, and decision to durable record.
    Check(check::Check),
    /// How many pictures of a folder are read, and at what cost. Exit code 1 with a misreading, a false code or a panic.
    Decode(decode::Decode),
}

impl Bench {
    pub(super) fn run(self) -> Result {
        match self {
            Bench::Check(check) => check.run(),
            Bench::Decode(decode) => decode.run(),
        }
    }
}

/// The value below which `percent` of the measurements lie, in milliseconds.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}
