//! The walk of a proof in a process of its own, of the very program that runs the gate.
//!
//! What a walk takes (a second store, a reader, four threads) is given back whole only by a process that ends: the store
//! keeps some memory of each time that it was open, and a gate runs for months. A walk that hangs or dies is so no more than
//! a proof that failed. Invariants: the child is killed where it takes too long; the keys of the proof never leave it.

use super::Check;
use super::child::said_within;
use super::codes::Keys;
use super::prover::{code_checks, walk_in};
use super::walk::NoWalk;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The hidden command of a program whose gate proves itself so.
pub const COMMAND: &str = "proof-walk";
/// Longer than a walk takes before it gives itself up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a proof walks its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkAs {
    /// In this process: for tests, and programs that end soon.
    Thread,
    /// In a process of its own, by this program's command [`COMMAND`].
    Process(PathBuf),
}

/// Where and when a walk is.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    folder: PathBuf,
    now_s: u64,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Walked(Proven),
    Full { free_bytes: u64 },
    Disk { why: String },
    Broken { why: String },
}

/// What a walk proved.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    pub(super) checks: Vec<Check>,
    pub(super) slowest_ms: u64,
}

/// Walks new codes in a folder that is made for it and stays for whoever clears it away.
pub(super) fn prove_codes(folder: &Path, now_s: u64, walk_as: &WalkAs) -> Result<Proven, NoWalk> {
    match walk_as {
        WalkAs::Thread => prove_here(folder, now_s),
        WalkAs::Process(program) => prove_apart(folder, now_s, program),
    }
}

/// Carries out an order as [`COMMAND`] was given it; gives what it prints.
///
/// # Errors
/// One sentence where the order is none.
pub fn run(order: &str) -> Result<String, String> {
    let no_order =
        |error: serde_json::Error| format!("this is no order of a proof ({error}): a gate starts this by itself");
    let Order { folder, now_s } = serde_json::from_str(order).map_err(no_order)?;
    let outcome = match prove_here(&folder, now_s) {
        Ok(proven) => Outcome::Walked(proven),
        Err(NoWalk::Full { free_bytes }) => Outcome::Full { free_bytes },
        Err(NoWalk::Disk(why)) => Outcome::Disk { why },
        Err(NoWalk::Broken(why)) => Outcome::Broken { why },
    };
    serde_json::to_string(&outcome).map_err(|error| format!("what was proved can not be said ({error}): report this"))
}

fn prove_here(folder: &Path, now_s: u64) -> Result<Proven, NoWalk> {
    let keys = Keys::fresh().map_err(NoWalk::Broken)?;
    let (cases, walked) = walk_in(folder, now_s, &keys)?;
    let slowest_ms = u64::try_from(walked.slowest_record.as_millis()).unwrap_or(u64::MAX);
    Ok(Proven { checks: code_checks(Some((&cases, &walked))), slowest_ms })
}

fn prove_apart(folder: &Path, now_s: u64, program: &Path) -> Result<Proven, NoWalk> {
    let broken = |what: &str, why: &dyn std::fmt::Display| NoWalk::Broken(format!("{what}: {why}"));
    let order = Order { folder: folder.to_owned(), now_s };
    let order = serde_json::to_string(&order).map_err(|error| broken("the proof can not be asked for", &error))?;
    let said = said_within(Command::new(program).arg(COMMAND).arg(order), PATIENCE)
        .map_err(|why| broken("the process of the proof", &why))?;
    match serde_json::from_str(&said).map_err(|error| broken("the process of the proof said something else", &error))? {
        Outcome::Walked(proven) => Ok(proven),
        Outcome::Full { free_bytes } => Err(NoWalk::Full { free_bytes }),
        Outcome::Disk { why } => Err(NoWalk::Disk(why)),
        Outcome::Broken { why } => Err(NoWalk::Broken(why)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_or_says_something_else_is_a_proof_that_failed() {
        let state = tempfile::tempdir().unwrap();
        for (program, told) in
            [("/nonexistent", "does not start it"), ("/bin/true", "something else"), ("/bin/false", "ended with")]
        {
            let failed = prove_apart(state.path(), 1_600_000_000, Path::new(program)).unwrap_err();
            assert!(matches!(&failed, NoWalk::Broken(why) if why.contains(told)), "{program}: {failed:?}");
        }
    }

    #[test]
    fn what_is_no_order_is_refused_in_a_sentence() {
        assert!(run("{}").unwrap_err().contains("a gate starts this by itself"));
    }
}
