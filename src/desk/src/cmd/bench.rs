//! `menshen bench`: what this machine does, one JSON object a measurement.

mod check;

use crate::outcome::Result;
use clap::Subcommand;
use std::time::Duration;

/// Measure this machine.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Frame to decision, and decision to durable record.
    Check(check::Check),
}

impl Bench {
    pub(super) fn run(self) -> Result {
        match self {
            Bench::Check(check) => check.run(),
        }
    }
}

/// The value below which `percent` of the measurements lie, in milliseconds.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}
