//! `menshen bench`: what this machine does, one JSON object a measurement.

mod check;
mod corpus;
mod decode;
mod import;
mod journal;
mod lane;
mod lists;
mod soak;
mod status;

use crate::outcome::{Failure, Result};
use clap::Subcommand;
use std::time::Duration;

/// Measure this machine.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Frame to decision, and decision to durable record.
    Check(check::Check),
    /// How many pictures of a folder are read, and at what cost. Exit code 1 with a misreading, a false code or a panic.
    Decode(decode::Decode),
    /// What a gate believes, imported while it decides: the longest gap between two decisions.
    ///
    /// A gate whose status lists are full gets a stick: with a delta of 100,000 entries, then, from the beginning, with
    /// a new list of every issuer. Its keeper imports in its own thread of low priority while another thread decides
    /// without a pause, as the loop of a gate does; once with nothing but decisions, and once with each recorded in a
    /// journal on the same disk. A frame at 30 a second takes 33 ms, at 15 a second 67 ms.
    Import(import::Import),
    /// A record made durable, beside the same bytes written and synced without a journal.
    ///
    /// The three ways take turns: the gate's journal, a file that grows, and a file that was filled with zeros before, each
    /// with fdatasync. What reaches the device is the kernel's count of it, so let nothing else write there meanwhile.
    Journal(journal::JournalBench),
    /// People a minute through one lane, and where each millisecond goes.
    ///
    /// The whole program of a gate runs, in this process with its relay's guard in another, on ports at their real speed: a
    /// camera of 1280x720 through a pipe, a thermometer of 14 readings a second on a pseudo-terminal, a journal on disk, pins
    /// in a trace. People with passes of their own come one after another: the wall, a face, a code a little before or behind
    /// it. A pulse of the relay is 1 s. Measured is from the moment when the first frame with the code is handed to the pipe
    /// until the relay's edge. It fails unless everybody was let in, by one edge and one record each.
    Lane(lane::Lane),
    /// Status lists: a look-up, the memory they need, and a delta made durable.
    Status(status::Status),
}

impl Bench {
    pub(super) fn run(self) -> Result {
        match self {
            Bench::Check(check) => check.run(),
            Bench::Decode(decode) => decode.run(),
            Bench::Import(import) => import.run(),
            Bench::Journal(journal) => journal.run(),
            Bench::Lane(lane) => lane.run(),
            Bench::Status(status) => status.run(),
        }
    }
}

/// The value below which `percent` of the measurements lie, in milliseconds.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}

/// The processor's name, as the system gives it.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name") || line.starts_with("Model"));
    model.and_then(|line| line.split_once(':')).map_or(std::env::consts::ARCH.into(), |(_, name)| name.trim().into())
}

/// The memory that this process holds, as the system counts it.
fn rss_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
        .ok_or_else(|| Failure::new("the system does not tell the memory of a process: measure on Linux"))
}

fn mib(kib: u64) -> f64 {
    (kib as f64 / 1024.0 * 10.0).round() / 10.0
}
