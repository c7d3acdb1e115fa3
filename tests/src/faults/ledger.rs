//! What is left after a fault: the journal's records, the hub's, and the edges of the relay.

use super::process::get;
use super::world::World;
use menshen_core::decide::Verdict;
use menshen_core::record::{Body, Record, Scan};
use menshen_lane::journal::{Inspection, SledJournal};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// A record by what identifies it: epoch, number, hash of its bytes.
pub type Key = (u64, u64, String);

/// The whole journal of a gate that does not run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Every record, oldest first.
    pub keys: Vec<Key>,
    /// The verdict of each; `None` is a loss record.
    pub verdicts: Vec<Option<Verdict>>,
    /// Every decision.
    pub scans: Vec<Scan>,
}

impl Ledger {
    /// Reads a copy of the journal, so that the next start finds what the fault left and not what this repaired.
    ///
    /// # Panics
    /// Where the journal does not verify.
    pub fn of(world: &World) -> Ledger {
        Ledger::at(&world.state())
    }

    /// The same by the gate's state folder.
    ///
    /// # Panics
    /// Where the journal does not verify.
    pub fn at(state: &Path) -> Ledger {
        let copy = tempfile::tempdir().expect("a temporary folder can be made");
        copy_journal(state, copy.path());
        Ledger::read(copy.path())
    }

    fn read(state: &Path) -> Ledger {
        drop(SledJournal::open(state).expect("a journal opens after any fault"));
        let journal = Inspection::open(state).expect("what was opened can be looked at");
        let verification = journal.verify().expect("it reads");
        assert_eq!(verification.faults, [], "the journal does not verify");
        let mut ledger = Ledger::default();
        let each = |epoch: menshen_core::record::Epoch, seq: menshen_core::record::Seq, bytes: &[u8]| {
            let hash = menshen_core::record::hash(bytes);
            ledger.keys.push((epoch.0.into(), seq.0, hash.iter().map(|byte| format!("{byte:02x}")).collect()));
            ledger.verdicts.push(match Record::from_bytes(bytes).expect("it verified").body {
                Body::Scan(scan) => {
                    let verdict = scan.verdict;
                    ledger.scans.push(scan);
                    Some(verdict)
                }
                Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => None,
            });
            true
        };
        journal.for_each(each).expect("it reads");
        ledger
    }

    /// How many records are admissions.
    pub fn admits(&self) -> usize {
        self.verdicts.iter().filter(|verdict| **verdict == Some(Verdict::Admit)).count()
    }
}

/// Every record that the hub holds of a gate, in its order, as it gives them.
pub fn hub_keys(hub: SocketAddr, world: &World) -> Vec<Key> {
    let path = format!("/v1/gates/{}/records", world.gate());
    let mut keys: Vec<Key> = Vec::new();
    for epoch in 1.. {
        let before = keys.len();
        let mut after = 0;
        loop {
            let page = get(hub, &format!("{path}?epoch={epoch}&after={after}&limit=1000"));
            let records = page["records"].as_array().expect("a list of records");
            let key = |record: &serde_json::Value| {
                let number = |name: &str| record[name].as_u64().expect("a number");
                (number("epoch"), number("seq"), record["hash"].as_str().expect("a hash").to_owned())
            };
            keys.extend(records.iter().map(key));
            match records.last() {
                Some(_) => after = keys.last().expect("it was just added").1,
                None => break,
            }
        }
        if keys.len() == before {
            break;
        }
    }
    keys
}

/// The levels of the relay's pin in the trace, in order; `true` is closed.
pub fn relay_edges(world: &World) -> Vec<bool> {
    relay_trace(world).into_iter().map(|(_, closed)| closed).collect()
}

/// How long the relay was closed each time that it opened again, in milliseconds.
pub fn relay_openings_ms(world: &World) -> Vec<u64> {
    let trace = relay_trace(world);
    let pairs = trace.windows(2).filter(|pair| pair[0].1);
    pairs.map(|pair| pair[1].0.saturating_sub(pair[0].0)).collect()
}

/// The edges of the relay's pin: when, by the gate's counter in milliseconds, and whether it closed.
fn relay_trace(world: &World) -> Vec<(u64, bool)> {
    let trace = fs::read_to_string(world.state().join("gpio.jsonl")).unwrap_or_default();
    // A program that is killed may leave no newline, never half a line before another.
    let edges = trace.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"));
    let relay = edges.filter(|edge| edge["pin"] == "relay");
    relay.map(|edge| (edge["t_ms"].as_u64().expect("a time"), edge["level"] == "high")).collect()
}

/// Copies a gate's journal and what belongs to it.
pub fn copy_journal(state: &Path, to: &Path) {
    copy_files(state, to);
    copy_files(&state.join("journal"), &to.join("journal"));
    copy_files(&state.join("journal/blobs"), &to.join("journal/blobs"));
}

/// Copies the files of a folder, without its folders and whatever else is in it.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the folder is ours").map(|entry| entry.expect("the folder is ours")) {
        if entry.file_type().expect("the folder is ours").is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("the folder is ours");
        }
    }
}
