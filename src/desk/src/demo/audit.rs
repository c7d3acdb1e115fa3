//! Whether the hub holds exactly what the journal holds.

use crate::outcome::{Failure, Result};
use menshen_core::ids::{GateId, Hex};
use menshen_lane::journal::Inspection;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

/// The most records a hub gives at once.
const PAGE: usize = 500;

/// The result, as `--json` prints it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Records in the journal.
    pub journal_records: u64,
    /// Records at the hub.
    pub hub_records: u64,
    /// In the journal and not at the hub.
    pub lost: u64,
    /// At the hub twice, or at the hub and not in the journal.
    pub doubled: u64,
}

type Key = (u32, u64, String);

/// Compares every record by epoch, number and hash.
pub fn audit(state: &Path, gate: GateId, hub: SocketAddr) -> Result<Audit> {
    let journal = journal_keys(state)?;
    let hub = hub_keys(gate, hub)?;
    let distinct: BTreeSet<&Key> = hub.iter().collect();
    let foreign = distinct.iter().filter(|key| !journal.contains(**key)).count();
    Ok(Audit {
        journal_records: journal.len() as u64,
        hub_records: hub.len() as u64,
        lost: journal.iter().filter(|key| !distinct.contains(key)).count() as u64,
        doubled: (hub.len() - distinct.len() + foreign) as u64,
    })
}

fn journal_keys(state: &Path) -> Result<BTreeSet<Key>> {
    let mut keys = BTreeSet::new();
    Inspection::open(state)?.for_each(|epoch, seq, bytes| {
        let hash = menshen_core::record::hash(bytes);
        keys.insert((epoch.0, seq.0, Hex(&hash).to_string()));
        true
    })?;
    Ok(keys)
}

fn hub_keys(gate: GateId, hub: SocketAddr) -> Result<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::new();
    let mut after = BTreeMap::from([(1u32, 0u64)]);
    // Epochs are numbered from 1; the first one without records ends the list.
    while let Some((epoch, from)) = after.pop_first() {
        let url = format!("http://{hub}/v1/gates/{gate}/records?epoch={epoch}&after={from}&limit={PAGE}");
        let page = records(&url)?;
        match page.last() {
            Some((_, last, _)) => after.insert(epoch, *last),
            None if from > 0 => after.insert(epoch + 1, 0),
            None => None,
        };
        keys.extend(page);
    }
    Ok(keys)
}

fn records(url: &str) -> Result<Vec<Key>> {
    let reply: serde_json::Value = ureq::get(url).call()?.body_mut().read_json()?;
    let list = reply.as_array().or_else(|| reply.get("records")?.as_array());
    let list = list.ok_or_else(|| Failure::new(format!("{url} is no list of records: is it a Menshen hub?")))?;
    let key = |record: &serde_json::Value| {
        let epoch = u32::try_from(record.get("epoch")?.as_u64()?).ok()?;
        Some((epoch, record.get("seq")?.as_u64()?, record.get("hash")?.as_str()?.to_owned()))
    };
    list.iter()
        .map(|record| key(record).ok_or_else(|| Failure::new(format!("{url} gives a record without a number"))))
        .collect()
}
