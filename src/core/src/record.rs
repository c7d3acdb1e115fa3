//! The record: what a gate remembers of a decision, in a chain.
//!
//! Encoded as deterministic CBOR. Holds no payload, no name and no readable pseudonym: the holder is
//! there only sealed to the health authority's key, which no gate and no hub has. Each record carries
//! the SHA-256 of the one before it, so that nothing can be changed, taken out or slipped in unnoticed.
//! Numbers run without gaps within an epoch; a wiped device begins a new epoch.

use crate::cbor::{Buf, CborError, definite, same_bytes};
use crate::decide::{Decision, Reasons, Verdict};
use crate::ids::{IssuerId, sha256};
use crate::manual::Cause;
use crate::pass::Colour;
use crate::reason::Reason;
use crate::thermo::Reading;
use crate::time::{Confidence, Time};
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The most bytes of an encoded record.
pub const MAX_RECORD_BYTES: usize = 384;
/// The most bytes of a sealed holder reference: HPKE's 32 of encapsulated key, 16 of tag, and room.
pub const MAX_SEALED_BYTES: usize = 128;
/// The version of the encoding.
pub const FORMAT: u8 = 1;

/// The SHA-256 of an encoded record.
pub type Hash = [u8; 32];
/// What the first record of an epoch carries as the hash of the one before it.
pub const GENESIS: Hash = [0; 32];

/// Which life of a device: rises by one when its journal is begun anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

/// The number of a record within its epoch, from 1 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one; the last number there is has none and stays, since it may come from
    /// hostile bytes.
    pub const fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

/// One entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which life of the device.
    pub epoch: Epoch,
    /// Its number in that life.
    pub seq: Seq,
    /// When, and how surely.
    pub time: Time,
    /// The lane at its checkpoint.
    pub lane: u8,
    /// What happened.
    pub body: Body,
    /// The hash of the record before it.
    pub previous: Hash,
}

/// What a record tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A decision about a person.
    Scan(Scan),
    /// The building's fire alarm began (`true`) to hold the way open, or ended.
    Alarm(bool),
    /// A person tried out something that opens the way; nobody was decided about.
    Tried(Tried),
    /// Records that are gone, said instead of kept silent.
    Loss {
        /// The epoch they were of.
        epoch: Epoch,
        /// The first one lost.
        from: Seq,
        /// The last one lost.
        through: Seq,
    },
}

/// What was tried out. The numbers are in records: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The relay, for one pulse.
    Relay = 1,
}

impl Tried {
    /// What a stored number says.
    pub const fn from_number(number: u8) -> Option<Tried> {
        match number {
            1 => Some(Tried::Relay),
            _ => None,
        }
    }

    /// The stable name used by `--json` and the hub.
    pub const fn name(self) -> &'static str {
        match self {
            Tried::Relay => "relay",
        }
    }
}

/// A decision as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// What happened at the gate.
    pub verdict: Verdict,
    /// Why, the gravest first.
    pub reasons: Reasons,
    /// The issuer, where its signature was right.
    pub issuer: Option<IssuerId>,
    /// The colour as treated at the gate.
    pub colour: Option<Colour>,
    /// The reading.
    pub reading: Option<Reading>,
    /// Why a volunteer decided otherwise, where one did.
    pub cause: Option<Cause>,
    /// Which trust list was used.
    pub trust_version: Option<u64>,
    /// The holder's pseudonym, sealed to the health authority.
    pub sealed_holder: Option<heapless::Vec<u8, MAX_SEALED_BYTES>>,
}

impl Scan {
    /// What is remembered of a decision.
    pub fn of(decision: &Decision, sealed_holder: Option<heapless::Vec<u8, MAX_SEALED_BYTES>>) -> Scan {
        Scan {
            verdict: decision.verdict,
            reasons: decision.reasons.clone(),
            issuer: decision.evidence.issuer,
            colour: decision.evidence.colour,
            reading: decision.evidence.reading,
            cause: decision.cause,
            trust_version: decision.evidence.trust_version,
            sealed_holder,
        }
    }
}

mod key {
    pub(super) const FORMAT: u8 = 0;
    pub(super) const EPOCH: u8 = 1;
    pub(super) const SEQ: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const LANE: u8 = 4;
    pub(super) const PREVIOUS: u8 = 5;
    pub(super) const VERDICT: u8 = 6;
    pub(super) const REASONS: u8 = 7;
    pub(super) const ISSUER: u8 = 8;
    pub(super) const COLOUR: u8 = 9;
    pub(super) const READING: u8 = 10;
    pub(super) const TRUST_VERSION: u8 = 11;
    pub(super) const SEALED_HOLDER: u8 = 12;
    pub(super) const LOSS: u8 = 13;
    pub(super) const CAUSE: u8 = 14;
    pub(super) const ALARM: u8 = 15;
    pub(super) const TRIED: u8 = 16;
}

impl Record {
    /// The bytes of this record, as they are stored, sent and hashed.
    ///
    /// Every part is bounded so that the sum stays below [`MAX_RECORD_BYTES`]; see the test of the
    /// largest record.
    pub fn to_bytes(&self) -> Buf<MAX_RECORD_BYTES> {
        let mut out = Buf::new();
        let written = self.encode(&mut out);
        debug_assert!(written.is_ok(), "the largest record fits, as its test shows");
        out
    }

    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.map(6 + self.body.entries())?;
        e.u8(key::FORMAT)?.u8(FORMAT)?;
        e.u8(key::EPOCH)?.u32(self.epoch.0)?;
        e.u8(key::SEQ)?.u64(self.seq.0)?;
        let time = self.time.recorded();
        e.u8(key::TIME)?.array(2)?.u64(time.unix_s)?.u8(time.confidence as u8)?;
        e.u8(key::LANE)?.u8(self.lane)?;
        e.u8(key::PREVIOUS)?.bytes(&self.previous)?;
        match &self.body {
            Body::Scan(scan) => scan.encode(&mut e),
            Body::Alarm(began) => {
                e.u8(key::ALARM)?.bool(*began)?;
                Ok(())
            }
            Body::Tried(what) => {
                e.u8(key::TRIED)?.u8(*what as u8)?;
                Ok(())
            }
            Body::Loss { epoch, from, through } => {
                e.u8(key::LOSS)?.array(3)?.u32(epoch.0)?.u64(from.0)?.u64(through.0)?;
                Ok(())
            }
        }
    }

    /// Reads one record; anything but its one encoding is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Record, CborError> {
        let record = decode(&mut Decoder::new(bytes))?;
        same_bytes(record.to_bytes().as_bytes(), bytes)?;
        Ok(record)
    }

    /// Splits the first record off a sequence of records (RFC 8742), with its bytes and the rest.
    pub fn split_first(bytes: &[u8]) -> Result<(Record, &[u8], &[u8]), CborError> {
        let mut d = Decoder::new(bytes);
        d.skip()?;
        let (one, rest) = bytes.split_at_checked(d.position()).ok_or(CborError::Truncated)?;
        Ok((Record::from_bytes(one)?, one, rest))
    }
}

/// The hash that the next record carries.
pub fn hash(record_bytes: &[u8]) -> Hash {
    sha256(record_bytes)
}

/// Why a record does not continue a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// Its epoch or number is not the next one.
    Gap {
        /// Where the chain expected to go on.
        expected: Seq,
        /// What came.
        found: Seq,
    },
    /// It does not carry the hash of the record before it.
    Broken {
        /// The record whose link is wrong.
        at: Seq,
    },
}

impl core::fmt::Display for ChainError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ChainError::Gap { expected, found } => {
                write!(f, "record {} was expected, record {} came", expected.0, found.0)
            }
            ChainError::Broken { at } => write!(f, "record {} does not continue the chain", at.0),
        }
    }
}

impl core::error::Error for ChainError {}

/// A place in a chain: what the next record must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The epoch of the chain.
    pub epoch: Epoch,
    /// The number of the next record.
    pub next: Seq,
    /// The hash that the next record carries; `None` where the one before it is not at hand.
    pub previous: Option<Hash>,
}

impl Link {
    /// The beginning of an epoch.
    pub const fn genesis(epoch: Epoch) -> Link {
        Link { epoch, next: Seq(1), previous: Some(GENESIS) }
    }

    /// Checks that a record (with its bytes) goes on here, and gives the place after it.
    pub fn check(self, record: &Record, bytes: &[u8]) -> Result<Link, ChainError> {
        if (record.epoch, record.seq) != (self.epoch, self.next) {
            return Err(ChainError::Gap { expected: self.next, found: record.seq });
        }
        if self.previous.is_some_and(|hash| hash != record.previous) {
            return Err(ChainError::Broken { at: record.seq });
        }
        Ok(Link { epoch: self.epoch, next: self.next.next(), previous: Some(hash(bytes)) })
    }
}

impl Body {
    fn entries(&self) -> u64 {
        match self {
            Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => 1,
            Body::Scan(scan) => {
                let optional = [
                    scan.issuer.is_some(),
                    scan.colour.is_some(),
                    scan.reading.is_some(),
                    scan.trust_version.is_some(),
                    scan.sealed_holder.is_some(),
                    scan.cause.is_some(),
                ];
                2 + optional.into_iter().filter(|&given| given).count() as u64
            }
        }
    }
}

impl Scan {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        e.u8(key::VERDICT)?.u8(self.verdict as u8)?;
        e.u8(key::REASONS)?.array(self.reasons.len() as u64)?;
        for reason in &self.reasons {
            e.u8(reason.code())?;
        }
        if let Some(issuer) = self.issuer {
            e.u8(key::ISSUER)?.u32(issuer.code())?;
        }
        if let Some(colour) = self.colour {
            e.u8(key::COLOUR)?.u8(colour as u8)?;
        }
        if let Some(reading) = self.reading {
            // The third where a correction changed what the sensor said.
            let corrected = reading.raw_centi_c != reading.temp_centi_c;
            e.u8(key::READING)?.array(2 + u64::from(corrected))?;
            e.i16(reading.temp_centi_c)?.i16(reading.ambient_centi_c)?;
            if corrected {
                e.i16(reading.raw_centi_c)?;
            }
        }
        if let Some(version) = self.trust_version {
            e.u8(key::TRUST_VERSION)?.u64(version)?;
        }
        if let Some(sealed) = &self.sealed_holder {
            e.u8(key::SEALED_HOLDER)?.bytes(sealed)?;
        }
        if let Some(cause) = self.cause {
            e.u8(key::CAUSE)?.u8(cause as u8)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Fields {
    format: Option<u8>,
    epoch: Option<u32>,
    seq: Option<u64>,
    time: Option<Time>,
    lane: Option<u8>,
    previous: Option<Hash>,
    verdict: Option<Verdict>,
    reasons: Option<Reasons>,
    issuer: Option<IssuerId>,
    colour: Option<Colour>,
    reading: Option<Reading>,
    trust_version: Option<u64>,
    sealed_holder: Option<heapless::Vec<u8, MAX_SEALED_BYTES>>,
    loss: Option<(Epoch, Seq, Seq)>,
    cause: Option<Cause>,
    alarm: Option<bool>,
    tried: Option<Tried>,
}

fn decode(d: &mut Decoder<'_>) -> Result<Record, CborError> {
    let entries = definite(d.map()?)?;
    if entries > 16 {
        return Err(CborError::Shape);
    }
    let mut fields = Fields::default();
    for _ in 0..entries {
        decode_field(d, &mut fields)?;
    }
    if fields.format != Some(FORMAT) {
        return Err(CborError::Bounds);
    }
    Ok(Record {
        epoch: Epoch(fields.epoch.ok_or(CborError::Shape)?),
        seq: fields.seq.filter(|seq| *seq != 0).map(Seq).ok_or(CborError::Bounds)?,
        time: fields.time.ok_or(CborError::Shape)?,
        lane: fields.lane.ok_or(CborError::Shape)?,
        previous: fields.previous.ok_or(CborError::Shape)?,
        body: decode_body(fields)?,
    })
}

fn decode_body(fields: Fields) -> Result<Body, CborError> {
    if let Some((epoch, from, through)) = fields.loss {
        if from.0 == 0 || from > through {
            return Err(CborError::Bounds);
        }
        return Ok(Body::Loss { epoch, from, through });
    }
    if let Some(began) = fields.alarm {
        return Ok(Body::Alarm(began));
    }
    if let Some(what) = fields.tried {
        return Ok(Body::Tried(what));
    }
    Ok(Body::Scan(Scan {
        verdict: fields.verdict.ok_or(CborError::Shape)?,
        reasons: fields.reasons.ok_or(CborError::Shape)?,
        issuer: fields.issuer,
        colour: fields.colour,
        reading: fields.reading,
        cause: fields.cause,
        trust_version: fields.trust_version,
        sealed_holder: fields.sealed_holder,
    }))
}

fn decode_field(d: &mut Decoder<'_>, fields: &mut Fields) -> Result<(), CborError> {
    match d.u8()? {
        key::FORMAT => fields.format = Some(d.u8()?),
        key::EPOCH => fields.epoch = Some(d.u32()?),
        key::SEQ => fields.seq = Some(d.u64()?),
        key::TIME => fields.time = Some(decode_time(d)?),
        key::LANE => fields.lane = Some(d.u8()?),
        key::PREVIOUS => fields.previous = Some(d.bytes()?.try_into().map_err(|_| CborError::Bounds)?),
        key::VERDICT => fields.verdict = Some(Verdict::from_number(d.u8()?).ok_or(CborError::Bounds)?),
        key::REASONS => fields.reasons = Some(decode_reasons(d)?),
        key::ISSUER => fields.issuer = Some(IssuerId::new(d.u32()?).ok_or(CborError::Bounds)?),
        key::COLOUR => fields.colour = Some(Colour::from_number(d.u8()?).ok_or(CborError::Bounds)?),
        key::READING => fields.reading = Some(decode_reading(d)?),
        key::TRUST_VERSION => fields.trust_version = Some(d.u64()?),
        key::SEALED_HOLDER => {
            fields.sealed_holder = Some(heapless::Vec::from_slice(d.bytes()?).map_err(|_| CborError::Bounds)?);
        }
        key::CAUSE => fields.cause = Some(Cause::from_number(d.u8()?).ok_or(CborError::Bounds)?),
        key::ALARM => fields.alarm = Some(d.bool()?),
        key::TRIED => fields.tried = Some(Tried::from_number(d.u8()?).ok_or(CborError::Bounds)?),
        key::LOSS => {
            tuple(d, 3)?;
            fields.loss = Some((Epoch(d.u32()?), Seq(d.u64()?), Seq(d.u64()?)));
        }
        _ => return Err(CborError::Shape),
    }
    Ok(())
}

fn decode_time(d: &mut Decoder<'_>) -> Result<Time, CborError> {
    tuple(d, 2)?;
    let unix_s = d.u64()?;
    let confidence = Confidence::from_number(d.u8()?).ok_or(CborError::Bounds)?;
    Ok(Time { unix_s, confidence, error_s: 0 })
}

fn decode_reading(d: &mut Decoder<'_>) -> Result<Reading, CborError> {
    let size = definite(d.array()?)?;
    let reading = Reading::of(d.i16()?, d.i16()?);
    match size {
        2 => Ok(reading),
        3 => Ok(Reading { raw_centi_c: d.i16()?, ..reading }),
        _ => Err(CborError::Shape),
    }
}

fn decode_reasons(d: &mut Decoder<'_>) -> Result<Reasons, CborError> {
    let mut reasons = Reasons::new();
    for _ in 0..definite(d.array()?)? {
        let reason = Reason::from_code(d.u8()?).ok_or(CborError::Bounds)?;
        // None twice. Their order is not checked: what is gravest may change while old records remain.
        if reasons.contains(&reason) {
            return Err(CborError::Bounds);
        }
        reasons.push(reason).map_err(|_| CborError::Bounds)?;
    }
    Ok(reasons)
}

fn tuple(d: &mut Decoder<'_>, size: u64) -> Result<(), CborError> {
    if definite(d.array()?)? == size { Ok(()) } else { Err(CborError::Shape) }
}

#[cfg(test)]
mod tests;
