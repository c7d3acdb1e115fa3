//! `menshen journal`: read and verify the journal of a gate that is not running.

use super::{say, say_json};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::{Args, Subcommand};
use menshen_core::ids::Hex;
use menshen_core::record::{Body, Record, hash};
use menshen_lane::journal::Inspection;
use menshen_lane::view::rfc3339;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Read and verify the journal of a gate that is not running.
#[derive(Debug, Subcommand)]
pub(super) enum Journal {
    /// Print its records, oldest first. They hold no names.
    Show(Show),
    /// Check every number and every link of the chain. Exit code 1 where something is wrong.
    Verify(Verify),
}

#[derive(Args, Debug)]
pub(super) struct Show {
    /// The state folder of the gate.
    #[arg(value_name = "STATE")]
    state: PathBuf,
    /// One JSON object a record.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The state folder of the gate.
    #[arg(value_name = "STATE")]
    state: PathBuf,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Journal {
    pub(super) fn run(self) -> Result {
        match self {
            Journal::Show(show) => show.run(),
            Journal::Verify(verify) => verify.run(),
        }
    }
}

fn open(state: &Path) -> Result<Inspection> {
    if !state.join("journal").is_dir() {
        return Err(Failure::new(format!("{} holds no journal: name the state folder of a gate", state.display())));
    }
    Ok(Inspection::open(state)?)
}

impl Show {
    fn run(self) -> Result {
        let journal = open(&self.state)?;
        let mut result = Ok(());
        journal.for_each(|epoch, seq, bytes| {
            result = match Record::from_bytes(bytes) {
                Ok(record) if self.json => say_json(&json_of(&record, bytes)),
                Ok(record) => say(text_of(&record)),
                Err(error) => say(format!("{} {} damaged: {error}", epoch.0, seq.0)),
            };
            result.is_ok()
        })?;
        result.map(|()| Outcome::Done)
    }
}

impl Verify {
    fn run(self) -> Result {
        let found = open(&self.state)?.verify()?;
        if self.json {
            let faults: Vec<Value> = found
                .faults
                .iter()
                .map(|(epoch, fault)| json!({"epoch": epoch.0, "fault": fault.to_string()}))
                .collect();
            say_json(&json!({"records": found.records, "whole": faults.is_empty(), "faults": faults}))?;
        } else {
            found.faults.iter().try_for_each(|(epoch, fault)| say(format!("epoch {}: {fault}", epoch.0)))?;
            let word = if found.faults.is_empty() { "the chain is whole" } else { "the chain is broken" };
            say(format!("{} records, {word}", found.records))?;
        }
        Ok(if found.faults.is_empty() { Outcome::Done } else { Outcome::No })
    }
}

/// A record as JSON; `hash` is what the next record carries.
fn json_of(record: &Record, bytes: &[u8]) -> Value {
    let mut line = json!({
        "epoch": record.epoch.0,
        "seq": record.seq.0,
        "time": rfc3339(record.time.unix_s),
        "clock": record.time.confidence.name(),
        "lane": record.lane,
        "hash": Hex(&hash(bytes)).to_string(),
    });
    let body = match &record.body {
        Body::Loss { epoch, from, through } => {
            json!({"loss": {"epoch": epoch.0, "from": from.0, "through": through.0}})
        }
        Body::Alarm(began) => json!({"alarm": began}),
        Body::Tried(what) => json!({"tried": what.name()}),
        Body::Scan(scan) => json!({
            "verdict": scan.verdict.name(),
            "reasons": scan.reasons.iter().map(|r| json!({"code": r.code(), "name": r.name()})).collect::<Vec<_>>(),
            "issuer": scan.issuer.map(|id| id.code()),
            "colour": scan.colour.map(|colour| colour.name()),
            "temp_c": scan.reading.map(|reading| f64::from(reading.temp_centi_c) / 100.0),
            "ambient_c": scan.reading.map(|reading| f64::from(reading.ambient_centi_c) / 100.0),
            "raw_c": scan.reading.map(|reading| f64::from(reading.raw_centi_c) / 100.0),
            "cause": scan.cause.map(|cause| cause.name()),
            "trust_version": scan.trust_version,
        }),
    };
    if let (Value::Object(line), Value::Object(body)) = (&mut line, body) {
        line.extend(body);
    }
    line
}

fn text_of(record: &Record) -> String {
    let head = format!("{} {} {}", record.epoch.0, record.seq.0, moment::show(record.time.unix_s));
    match &record.body {
        Body::Loss { epoch, from, through } => {
            format!("{head} loss of records {} to {} of epoch {}", from.0, through.0, epoch.0)
        }
        Body::Alarm(began) => format!("{head} fire alarm {}", if *began { "began" } else { "ended" }),
        Body::Tried(what) => format!("{head} tried out: {}", what.name()),
        Body::Scan(scan) => {
            let reasons: Vec<&str> = scan.reasons.iter().map(|reason| reason.name()).collect();
            let issuer = scan.issuer.map_or("-".into(), |id| id.to_string());
            let colour = scan.colour.map_or("-", |colour| colour.name());
            let temp = scan.reading.map_or("-".into(), |r| format!("{:.2}", f64::from(r.temp_centi_c) / 100.0));
            let cause = scan.cause.map_or(String::new(), |cause| format!(" by hand: {}", cause.name()));
            format!("{head} {} {issuer} {colour} {temp} {}{cause}", scan.verdict.name(), reasons.join(","))
        }
    }
}
