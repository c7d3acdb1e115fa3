//! The messages between a gate and its hub.
//!
//! Each is a COSE_Sign1 for its own purpose; here are the payloads, with a version in front, in
//! deterministic CBOR. A batch is the same bytes by HTTPS and by USB stick. This file is one crate's
//! worth of agreement between device, hub and simulator: the expected bytes of every version are under
//! test, and a version once published never changes.

use crate::cbor::{CborError, Expect, definite};
use crate::cose::Purpose;
use crate::ids::GateId;
use crate::record::{Epoch, Seq};
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The version that this program writes.
pub const CURRENT: u8 = 1;
/// The oldest version that this program reads.
pub const MIN: u8 = 1;

/// The most records in a batch.
pub const MAX_BATCH_RECORDS: u32 = 512;
/// The most bytes of a batch's records before compression.
pub const MAX_BATCH_BYTES: usize = MAX_BATCH_RECORDS as usize * crate::record::MAX_RECORD_BYTES;
/// The most bytes of a signed message on the wire.
pub const MAX_MESSAGE_BYTES: usize = MAX_BATCH_BYTES + 1024;

/// Records of one epoch, consecutive from `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Whose records.
    pub gate: GateId,
    /// Which life of the gate.
    pub epoch: Epoch,
    /// The number of the first record.
    pub first: Seq,
    /// How many records; 1 to [`MAX_BATCH_RECORDS`].
    pub count: u32,
    /// A CBOR sequence (RFC 8742) of the records, compressed with zstd (RFC 8878).
    pub records: &'a [u8],
}

/// The hub has the gate's records through `through` on stable storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Whose records.
    pub gate: GateId,
    /// Which life of the gate.
    pub epoch: Epoch,
    /// The last record that is safe, and all before it.
    pub through: Seq,
    /// The hub's clock, seconds since 1970.
    pub hub_unix_s: u64,
}

/// A gate asks to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrol<'a> {
    /// The gate's Ed25519 public key, which also signs this message.
    pub public_key: [u8; 32],
    /// What people call the gate; at most 64 bytes.
    pub label: &'a str,
    /// The site's enrolment token; at most 64 bytes.
    pub token: &'a str,
}

/// The hub says what time it is, for the one who sent this nonce and nobody else: an answer that was recorded
/// is worth nothing to another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubTime {
    /// What the gate sent: random, new for each question.
    pub nonce: Nonce,
    /// The hub's clock when it answered, seconds since 1970.
    pub unix_s: u64,
}

/// What makes a question for the time another one than any before.
pub type Nonce = [u8; 16];

/// The most bytes of a label or token.
pub const MAX_TEXT_BYTES: usize = 64;

/// A message that can be signed.
pub trait Message<'a>: Sized {
    /// What its signature is for.
    const PURPOSE: Purpose;
    /// Writes the one encoding of the payload.
    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>>;
    /// Reads a payload; anything but its one encoding within bounds is refused.
    fn decode(payload: &'a [u8]) -> Result<Self, CborError>;
}

impl<'a> Message<'a> for Batch<'a> {
    const PURPOSE: Purpose = Purpose::Batch;

    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(6)?.u8(CURRENT)?.bytes(&self.gate.0)?.u32(self.epoch.0)?.u64(self.first.0)?.u32(self.count)?;
        e.bytes(self.records)?;
        Ok(())
    }

    fn decode(payload: &'a [u8]) -> Result<Batch<'a>, CborError> {
        let mut d = open(payload, 6)?;
        let batch = Batch {
            gate: gate(&mut d)?,
            epoch: Epoch(d.u32()?),
            first: Seq(d.u64()?),
            count: d.u32()?,
            records: d.bytes()?,
        };
        let ends = batch.first.0.checked_add(u64::from(batch.count)).is_some();
        if batch.count == 0 || batch.count > MAX_BATCH_RECORDS || batch.first.0 == 0 || !ends {
            return Err(CborError::Bounds);
        }
        close(&batch, payload)
    }
}

impl<'a> Message<'a> for Ack {
    const PURPOSE: Purpose = Purpose::Ack;

    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(5)?.u8(CURRENT)?.bytes(&self.gate.0)?.u32(self.epoch.0)?.u64(self.through.0)?;
        e.u64(self.hub_unix_s)?;
        Ok(())
    }

    fn decode(payload: &'a [u8]) -> Result<Ack, CborError> {
        let mut d = open(payload, 5)?;
        let ack = Ack { gate: gate(&mut d)?, epoch: Epoch(d.u32()?), through: Seq(d.u64()?), hub_unix_s: d.u64()? };
        close(&ack, payload)
    }
}

impl<'a> Message<'a> for Enrol<'a> {
    const PURPOSE: Purpose = Purpose::Enrol;

    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(4)?.u8(CURRENT)?.bytes(&self.public_key)?.str(self.label)?.str(self.token)?;
        Ok(())
    }

    fn decode(payload: &'a [u8]) -> Result<Enrol<'a>, CborError> {
        let mut d = open(payload, 4)?;
        let enrol = Enrol {
            public_key: d.bytes()?.try_into().map_err(|_| CborError::Bounds)?,
            label: d.str()?,
            token: d.str()?,
        };
        if enrol.label.len() > MAX_TEXT_BYTES || enrol.token.len() > MAX_TEXT_BYTES {
            return Err(CborError::Bounds);
        }
        close(&enrol, payload)
    }
}

impl<'a> Message<'a> for HubTime {
    const PURPOSE: Purpose = Purpose::Time;

    fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        Encoder::new(out).array(3)?.u8(CURRENT)?.bytes(&self.nonce)?.u64(self.unix_s)?;
        Ok(())
    }

    fn decode(payload: &'a [u8]) -> Result<HubTime, CborError> {
        let mut d = open(payload, 3)?;
        let nonce = d.bytes()?.try_into().map_err(|_| CborError::Bounds)?;
        close(&HubTime { nonce, unix_s: d.u64()? }, payload)
    }
}

fn open(payload: &[u8], size: u64) -> Result<Decoder<'_>, CborError> {
    let mut d = Decoder::new(payload);
    if definite(d.array()?)? != size {
        return Err(CborError::Shape);
    }
    let version = d.u8()?;
    if (MIN..=CURRENT).contains(&version) { Ok(d) } else { Err(CborError::Bounds) }
}

fn close<'a, M: Message<'a> + Copy>(message: &M, payload: &[u8]) -> Result<M, CborError> {
    let mut expect = Expect::new(payload);
    message.encode(&mut expect).map_err(|_| CborError::NotCanonical)?;
    expect.end()?;
    Ok(*message)
}

fn gate(d: &mut Decoder<'_>) -> Result<GateId, CborError> {
    Ok(GateId(d.bytes()?.try_into().map_err(|_| CborError::Bounds)?))
}

#[cfg(test)]
mod tests;
