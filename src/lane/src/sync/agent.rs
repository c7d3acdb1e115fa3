//! One exchange with the hub: take what is pending, send it, believe only a signed ack.
//!
//! A state machine without a thread: [`Agent::round`] does at most one exchange and says what to do next,
//! so tests drive it with a hub of their own and no clock.

use super::backoff::Backoff;
use super::batch;
use super::uplink::{Reply, Uplink};
use crate::durable;
use crate::journal::{Journal, Pending};
use crate::ports::Clock;
use crate::probe::{Probe, Step};
use ed25519_dalek::SigningKey;
use menshen_core::cose::Sign1;
use menshen_core::ids::GateId;
use menshen_core::record::{Epoch, Seq};
use menshen_core::wire::{Ack, Enrol, MAX_BATCH_RECORDS, Message};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A refused batch is not tried more often than this.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// A gate may have been off, and without a clock, for this long; a hub further ahead is wrong itself: 400 days.
const LONGEST_LEAP_S: u64 = 400 * 86_400;
/// No more of a hub's own words is shown, in characters.
const MAX_SAID_CHARS: usize = 200;
/// No hub may silence a gate for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The hub that a gate belongs to.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Its address.
    pub url: String,
    /// The Ed25519 public key that signs its acks.
    pub key: [u8; 32],
    /// The site's enrolment token, until the gate is enrolled.
    pub enrol_token: Option<String>,
    /// What people call this gate.
    pub label: String,
    /// No wait between two tries is longer, unless the hub asks for it.
    pub longest_wait: Duration,
}

/// What came of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is pending.
    Idle,
    /// The hub has more than before.
    Acked {
        /// The hub's clock, seconds since 1970.
        hub_unix_s: u64,
    },
    /// The hub has accepted this gate; try again at once.
    Enrolled,
    /// It did not work; nothing is lost.
    Retry {
        /// How long to wait.
        after: Duration,
        /// One sentence for the panel and the log.
        why: String,
    },
}

/// The gate's side of the exchange.
pub struct Agent {
    hub: HubConfig,
    uplink: Box<dyn Uplink>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    key: SigningKey,
    gate: GateId,
    backoff: Backoff,
    quarantine: PathBuf,
    /// Where the hub asked to begin, because it lacks earlier records than the oldest pending one.
    resend_from: Option<(Epoch, Seq)>,
    asking: time::Asking,
    probe: Probe,
}

impl Agent {
    /// An agent for one gate. Refused batches are kept in `quarantine`.
    pub fn new(
        hub: HubConfig,
        uplink: Box<dyn Uplink>,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        key: SigningKey,
        quarantine: PathBuf,
        probe: Probe,
    ) -> Agent {
        let gate = GateId::of(key.verifying_key().as_bytes());
        // Gates differ in their ids, so they differ in their waits.
        let seed = u64::from_be_bytes(gate.0);
        let backoff = Backoff::new(seed, hub.longest_wait);
        let asking = time::Asking::new(seed);
        Agent { hub, uplink, journal, clock, key, gate, backoff, quarantine, resend_from: None, asking, probe }
    }

    /// Puts a probe between its steps.
    pub fn probe(&mut self, probe: Probe) {
        self.probe = probe;
    }

    /// At most one exchange.
    pub fn round(&mut self) -> Outcome {
        let pending = match self.next_batch() {
            Ok(Some(pending)) => pending,
            Ok(None) => return Outcome::Idle,
            Err(error) => return self.retry(error.to_string()),
        };
        self.probe.at(Step::BatchTaken);
        let message = match batch::build(&pending, &self.key) {
            Ok(message) => message,
            Err(error) => return self.retry(error.to_string()),
        };
        let path = format!("/v1/gates/{}/batches", self.gate);
        match self.uplink.post(&path, &message) {
            Err(error) => self.retry(error.to_string()),
            Ok(reply) => {
                self.probe.at(Step::BatchSent);
                self.answer(&reply, &pending, &message)
            }
        }
    }

    fn next_batch(&self) -> Result<Option<Pending>, crate::journal::JournalError> {
        let max = MAX_BATCH_RECORDS as usize;
        match self.resend_from {
            Some((epoch, from)) => self.journal.read(epoch, from, max),
            None => self.journal.pending(max),
        }
    }

    fn answer(&mut self, reply: &Reply, pending: &Pending, message: &[u8]) -> Outcome {
        match reply.status {
            200 => self.take_ack(&reply.body, pending),
            403 if error_code(&reply.body) == Some("not_enrolled") => self.enrol(),
            409 if error_code(&reply.body) == Some("gap") => self.go_back(&reply.body, pending),
            409 if error_code(&reply.body) == Some("conflict") => self.renumber(&reply.body, pending),
            408 | 429 | 500.. => self.pause(reply),
            status => self.set_aside(status, reply, pending, message),
        }
    }

    fn take_ack(&mut self, body: &[u8], pending: &Pending) -> Outcome {
        let Some(ack) = open_ack(body, &self.hub.key) else {
            return self.retry(format!(
                "the answer of {} is not an ack signed by the hub this gate belongs to: check `hub.url` and `hub.key`",
                self.hub.url
            ));
        };
        let last = Seq(pending.first.0 + pending.records.len() as u64 - 1);
        if ack.gate != self.gate || ack.epoch != pending.epoch || ack.through < last {
            return self.retry(format!("{} acknowledged something else than this gate sent", self.hub.url));
        }
        self.probe.at(Step::AckReceived);
        // No further than what was sent: an ack of the future must not cover records yet to be written.
        if let Err(error) = self.journal.ack(ack.epoch, last) {
            return self.retry(error.to_string());
        }
        // A hub whose clock is years wrong must not age a whole fleet until it is set right.
        if ack.hub_unix_s <= self.clock.time().unix_s.saturating_add(LONGEST_LEAP_S) {
            self.clock.heard_not_before(ack.hub_unix_s);
        } else {
            tracing::warn!("the hub's clock ({} s) is far ahead; it does not count as the time", ack.hub_unix_s);
        }
        self.probe.at(Step::AckStored);
        self.asking.hub_is_there();
        self.resend_from = None;
        self.backoff.reset();
        Outcome::Acked { hub_unix_s: ack.hub_unix_s }
    }

    fn enrol(&mut self) -> Outcome {
        let Some(token) = self.hub.enrol_token.clone() else {
            return self.retry(format!(
                "{} does not know this gate ({}): enrol it, or set `hub.enrol_token` in the site file",
                self.hub.url, self.gate
            ));
        };
        let public_key = self.key.verifying_key().to_bytes();
        let request = Enrol { public_key, label: &self.hub.label, token: &token };
        let message = match batch::sign(&request, &self.key) {
            Ok(message) => message,
            Err(error) => return self.retry(error.to_string()),
        };
        match self.uplink.post(&format!("/v1/gates/{}/enrol", self.gate), &message) {
            Ok(reply) if reply.status == 200 => Outcome::Enrolled,
            Ok(reply) => {
                let why = message_of(&reply.body);
                self.retry(format!("{} did not enrol this gate ({}): {why}", self.hub.url, reply.status))
            }
            Err(error) => self.retry(error.to_string()),
        }
    }

    /// The hub lacks earlier records (its store was restored from a backup): send those that are still here.
    fn go_back(&mut self, body: &[u8], pending: &Pending) -> Outcome {
        let expected = json(body).and_then(|json| json.get("expected").and_then(serde_json::Value::as_u64));
        let here = expected
            .filter(|expected| *expected < pending.first.0 && *expected > 0)
            .and_then(|expected| self.journal.read(pending.epoch, Seq(expected), 1).ok().flatten())
            .filter(|found| Some(found.first.0) == expected);
        match here {
            Some(found) => {
                self.resend_from = Some((found.epoch, found.first));
                Outcome::Retry { after: Duration::ZERO, why: "the hub asked for earlier records again".into() }
            }
            None => self.retry(format!(
                "{} lacks records before {} that this gate no longer has: tell the hub's operator",
                self.hub.url, pending.first.0
            )),
        }
    }

    /// The hub holds other records of this gate under these numbers: what is here is delivered under new ones.
    fn renumber(&mut self, body: &[u8], pending: &Pending) -> Outcome {
        let seq = json(body).and_then(|json| json.get("seq").and_then(serde_json::Value::as_u64));
        let last = pending.first.0 + pending.records.len() as u64 - 1;
        let from = Seq(seq.unwrap_or(pending.first.0).clamp(pending.first.0, last));
        self.resend_from = None;
        match self.journal.renumber(pending.epoch, from) {
            Ok(()) => Outcome::Retry {
                after: self.backoff.fail(),
                why: format!(
                    "{} holds other records under the numbers of this gate's: they are sent under new ones; was this card copied?",
                    self.hub.url
                ),
            },
            Err(error) => self.retry(error.to_string()),
        }
    }

    fn pause(&mut self, reply: &Reply) -> Outcome {
        let why = format!("{} is busy or failing ({}): {}", self.hub.url, reply.status, message_of(&reply.body));
        let backoff = self.backoff.fail();
        let asked = reply.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        Outcome::Retry { after: backoff.max(asked), why }
    }

    /// A refusal that sending again will not change: keep the very bytes for the operator, tell, go on trying.
    fn set_aside(&mut self, status: u16, reply: &Reply, pending: &Pending, message: &[u8]) -> Outcome {
        let file = self.quarantine.join(format!("{}-{}.cose", pending.epoch.0, pending.first.0));
        let kept = std::fs::create_dir_all(&self.quarantine).and_then(|()| durable::replace(&file, message, 0o600));
        if let Err(error) = kept {
            tracing::error!(%error, "the refused batch could not be kept aside; its records are still in the journal");
        }
        self.resend_from = None;
        let why = format!(
            "{} refused records {} to {} ({status}): {}; they are kept, tell the hub's operator",
            self.hub.url,
            pending.first.0,
            pending.first.0 + pending.records.len() as u64 - 1,
            message_of(&reply.body)
        );
        Outcome::Retry { after: self.backoff.fail().max(REFUSED_PAUSE), why }
    }

    fn retry(&mut self, why: String) -> Outcome {
        Outcome::Retry { after: self.backoff.fail(), why }
    }
}

fn open_ack(body: &[u8], hub_key: &[u8; 32]) -> Option<Ack> {
    let sign1 = Sign1::parse(body).ok()?;
    sign1.verify(hub_key, Ack::PURPOSE, &mut Vec::new()).ok()?;
    Ack::decode(sign1.payload).ok()
}

fn json(body: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(body).ok()
}

fn error_code(body: &[u8]) -> Option<&'static str> {
    let json = json(body)?;
    match json.get("error")?.as_str()? {
        "not_enrolled" => Some("not_enrolled"),
        "gap" => Some("gap"),
        "conflict" => Some("conflict"),
        _ => None,
    }
}

/// What the hub said, if it speaks as a hub does; never a page of HTML.
fn message_of(body: &[u8]) -> String {
    let said = json(body).and_then(|json| Some(json.get("message")?.as_str()?.chars().take(MAX_SAID_CHARS).collect()));
    said.unwrap_or_else(|| "the answer is not a hub's; check `hub.url`".into())
}

mod time;

pub use time::TimeError;

#[cfg(test)]
mod tests;
