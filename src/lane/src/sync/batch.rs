//! A batch as bytes: records concatenated (a CBOR sequence, RFC 8742), zstd, signed by the gate.

use crate::journal::Pending;
use ed25519_dalek::SigningKey;
use menshen_core::cbor::CborError;
use menshen_core::cose;
use menshen_core::ids::GateId;
use menshen_core::wire::{Batch, Message};

/// zstd's own default: a batch of 512 records takes about a millisecond on a Pi.
const ZSTD_LEVEL: i32 = 3;

/// Why a message can not be made. Neither happens with records from a journal.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The compressor failed.
    #[error("records can not be compressed: {0}")]
    Compress(#[from] std::io::Error),
    /// The message would be longer than its format allows.
    #[error("the message is too long: {0}")]
    Encode(#[from] CborError),
}

/// The signed bytes of a batch.
pub fn build(pending: &Pending, key: &SigningKey) -> Result<Vec<u8>, BatchError> {
    let compressed = zstd::bulk::compress(&pending.records.concat(), ZSTD_LEVEL)?;
    let batch = Batch {
        gate: GateId::of(key.verifying_key().as_bytes()),
        epoch: pending.epoch,
        first: pending.first,
        count: pending.records.len() as u32,
        records: &compressed,
    };
    sign(&batch, key)
}

/// Signs any message.
pub fn sign<'a, M: Message<'a>>(message: &M, key: &SigningKey) -> Result<Vec<u8>, BatchError> {
    let mut payload = Vec::new();
    let Ok(()) = message.encode(&mut payload).map_err(|_| BatchError::Encode(CborError::Bounds)) else {
        return Err(BatchError::Encode(CborError::Bounds));
    };
    let mut signed = Vec::with_capacity(payload.len() + 128);
    cose::sign1(&mut signed, key, M::PURPOSE, &payload, &mut Vec::new())?;
    Ok(signed)
}
