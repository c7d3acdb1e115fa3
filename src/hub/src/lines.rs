//! Gates and records as JSON: the names that scripts read, apart from the types inside.
//!
//! Fields may be added and are never renamed; one that a record does not have is null.

use crate::store::{Gate, Held};
use menshen_core::ids::Hex;
use menshen_core::record::{Body, Record, hash};
use serde::Serialize;

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

#[derive(Serialize)]
pub(crate) struct GateLine {
    gate: String,
    label: String,
    public_key: String,
    enrolled_at: u64,
    last_seen: u64,
    records: u64,
    epoch: Option<u32>,
    through: Option<u64>,
    last: Option<RecordLine>,
}

impl GateLine {
    pub(crate) fn of(gate: &Gate) -> GateLine {
        GateLine {
            gate: gate.id.to_string(),
            label: gate.label.clone(),
            public_key: hex(&gate.public_key),
            enrolled_at: gate.enrolled_at,
            last_seen: gate.last_seen,
            records: gate.records,
            epoch: gate.last.as_ref().map(|last| last.epoch.0),
            through: gate.last.as_ref().map(|last| last.seq.0),
            last: gate.last.as_ref().map(RecordLine::of),
        }
    }
}

/// A record as JSON; a field that the record does not have is null.
#[derive(Serialize)]
pub(crate) struct RecordLine {
    epoch: u32,
    seq: u64,
    hash: String,
    kind: &'static str,
    unix_s: Option<u64>,
    confidence: Option<&'static str>,
    lane: Option<u8>,
    verdict: Option<&'static str>,
    reasons: Vec<ReasonLine>,
    issuer: Option<u32>,
    colour: Option<&'static str>,
    temp_centi_c: Option<i16>,
    ambient_centi_c: Option<i16>,
    raw_centi_c: Option<i16>,
    cause: Option<&'static str>,
    alarm: Option<bool>,
    tried: Option<&'static str>,
    trust_version: Option<u64>,
    lost_epoch: Option<u32>,
    lost_from: Option<u64>,
    lost_through: Option<u64>,
}

#[derive(Serialize)]
pub(crate) struct ReasonLine {
    code: u8,
    name: &'static str,
}

impl RecordLine {
    pub(crate) fn of(held: &Held) -> RecordLine {
        let record = Record::from_bytes(&held.bytes).ok();
        let scan = record.as_ref().and_then(|record| match &record.body {
            Body::Scan(scan) => Some(scan),
            Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => None,
        });
        let lost = record.as_ref().and_then(|record| match record.body {
            Body::Loss { epoch, from, through } => Some((epoch, from, through)),
            Body::Scan(_) | Body::Alarm(_) | Body::Tried(_) => None,
        });
        let reasons = scan.map_or(&[][..], |scan| &scan.reasons);
        let reading = scan.and_then(|scan| scan.reading);
        RecordLine {
            epoch: held.epoch.0,
            seq: held.seq.0,
            hash: hex(&hash(&held.bytes)),
            kind: record.as_ref().map_or("scan", |record| kind(&record.body)),
            unix_s: record.as_ref().map(|record| record.time.unix_s),
            confidence: record.as_ref().map(|record| record.time.confidence.name()),
            lane: record.as_ref().map(|record| record.lane),
            verdict: scan.map(|scan| scan.verdict.name()),
            reasons: reasons.iter().map(|reason| ReasonLine { code: reason.code(), name: reason.name() }).collect(),
            issuer: scan.and_then(|scan| scan.issuer).map(|issuer| issuer.code()),
            colour: scan.and_then(|scan| scan.colour).map(|colour| colour.name()),
            temp_centi_c: reading.map(|reading| reading.temp_centi_c),
            ambient_centi_c: reading.map(|reading| reading.ambient_centi_c),
            raw_centi_c: reading.map(|reading| reading.raw_centi_c),
            cause: scan.and_then(|scan| scan.cause).map(|cause| cause.name()),
            alarm: record.as_ref().and_then(|record| match record.body {
                Body::Alarm(began) => Some(began),
                Body::Scan(_) | Body::Loss { .. } | Body::Tried(_) => None,
            }),
            tried: record.as_ref().and_then(|record| match record.body {
                Body::Tried(what) => Some(what.name()),
                Body::Scan(_) | Body::Loss { .. } | Body::Alarm(_) => None,
            }),
            trust_version: scan.and_then(|scan| scan.trust_version),
            lost_epoch: lost.map(|(epoch, _, _)| epoch.0),
            lost_from: lost.map(|(_, from, _)| from.0),
            lost_through: lost.map(|(_, _, through)| through.0),
        }
    }
}

fn kind(body: &Body) -> &'static str {
    match body {
        Body::Scan(_) => "scan",
        Body::Alarm(_) => "alarm",
        Body::Tried(_) => "tried",
        Body::Loss { .. } => "loss",
    }
}
