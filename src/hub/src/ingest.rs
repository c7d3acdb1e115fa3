//! What a gate may ask of a hub: to be enrolled, to be acknowledged, and what time it is.
//!
//! Plain blocking functions from bytes to bytes, without HTTP and without a clock. The order of the
//! checks is the security of it: the cheap and the authenticating ones come first, the store commits,
//! and only then is an ack signed.

use crate::refusal::Refusal;
use crate::run::Run;
use crate::store::Store;
use ed25519_dalek::SigningKey;
use menshen_core::cose::{Sign1, sign1};
use menshen_core::ids::{GateId, sha256};
use menshen_core::wire::{Ack, Enrol, HubTime, Message};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that answering a gate needs.
pub(crate) struct Office {
    /// Where the records are kept.
    pub(crate) store: Arc<dyn Store>,
    /// What gates may believe, for them to fetch.
    pub(crate) repository: PathBuf,
    /// Signs the acks and the time.
    pub(crate) key: SigningKey,
    /// What a gate must know to be enrolled; `None` enrols nobody.
    pub(crate) token: Option<String>,
}

impl Office {
    /// The hub's public key.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Accepts a gate that signs with its own key and knows the token; gives its label.
    pub(crate) fn enrol(&self, gate: GateId, message: &[u8], unix_s: u64) -> Result<String, Refusal> {
        let token = self.token.as_deref().ok_or(Refusal::EnrolmentClosed)?;
        let sign1 = Sign1::parse(message).map_err(|_| Refusal::Malformed("signed enrolment"))?;
        let enrol = Enrol::decode(sign1.payload).map_err(|_| Refusal::Malformed("enrolment"))?;
        sign1.verify(&enrol.public_key, Enrol::PURPOSE, &mut Vec::new()).map_err(|_| Refusal::Signature)?;
        if GateId::of(&enrol.public_key) != gate {
            return Err(Refusal::WrongGate);
        }
        if !same_secret(token, enrol.token) {
            return Err(Refusal::WrongToken);
        }
        self.store.enrol(&enrol.public_key, enrol.label, unix_s)?;
        Ok(enrol.label.to_owned())
    }

    /// Stores a batch and gives the signed ack.
    pub(crate) fn accept(&self, gate: GateId, message: &[u8], unix_s: u64) -> Result<Vec<u8>, Refusal> {
        let known = self.store.gate(gate)?.ok_or(Refusal::NotEnrolled)?;
        let run = Run::open(message, gate, &known.public_key)?;
        let through = self.store.append(&run, unix_s)?;
        Ok(self.sign(&Ack { gate, epoch: run.epoch(), through, hub_unix_s: unix_s }))
    }

    /// Says what time it is, signed for the nonce of whoever asks. Anybody may ask: it is no secret, and the answer
    /// is worth nothing to another question.
    pub(crate) fn tell_time(&self, nonce: &[u8], unix_s: u64) -> Result<Vec<u8>, Refusal> {
        let nonce = nonce.try_into().map_err(|_| Refusal::Malformed("nonce of 16 bytes"))?;
        Ok(self.sign(&HubTime { nonce, unix_s }))
    }

    fn sign<'a, M: Message<'a>>(&self, said: &M) -> Vec<u8> {
        let mut payload = Vec::new();
        let mut message = Vec::new();
        said.encode(&mut payload).expect("writing to a Vec can not fail");
        sign1(&mut message, &self.key, M::PURPOSE, &payload, &mut Vec::new()).expect("writing to a Vec can not fail");
        message
    }
}

/// Compares digests and all of their bytes: the time taken tells neither length nor prefix.
fn same_secret(ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (sha256(ours.as_bytes()), sha256(theirs.as_bytes()));
    ours.iter().zip(theirs).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
