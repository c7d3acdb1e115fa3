//! Asking the hub what time it is.
//!
//! The question is a random nonce and the answer is signed for it, so an answer that somebody recorded, or holds back,
//! is worth nothing: the error of the time is how long the question took, and one that took too long does not count.
//! Separate from the exchange of records, because a gate asks also when nothing is pending, and a hub that refuses
//! records may still know the time.

use super::Agent;
use crate::sync::backoff::Backoff;
use crate::sync::uplink::UplinkError;
use menshen_core::clock::Implausible;
use menshen_core::cose::Sign1;
use menshen_core::wire::{HubTime, Message, Nonce};
use std::time::{Duration, Instant};

/// Where a hub tells the time.
const PATH: &str = "/v1/time";
/// How often a gate that has its answer asks again.
const EVERY: Duration = Duration::from_secs(3600);
/// A gate that has no answer asks no sooner than this, and the more seldom the longer there is none.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// An answer that took longer says too little.
const LONGEST_TRIP: Duration = Duration::from_secs(10);
/// The hub tells whole seconds.
const WHOLE_SECOND_S: u32 = 1;

/// Why the hub's answer does not count.
#[derive(Debug, thiserror::Error)]
pub enum TimeError {
    /// There is none.
    #[error(transparent)]
    Uplink(#[from] UplinkError),
    /// The hub does not know the question.
    #[error("{url} does not tell the time ({status}): check `hub.url`, or bring the hub up to date")]
    Refused {
        /// The hub's address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// It is not signed by the hub of this gate, or for another question.
    #[error("the answer of {url} is not a time signed for this gate's question: check `hub.url` and `hub.key`")]
    NotSigned {
        /// The hub's address.
        url: String,
    },
    /// It came too late.
    #[error("{url} took {took_s} s to tell the time: its answer counts when the line is faster")]
    TooSlow {
        /// The hub's address.
        url: String,
        /// How long it took, in seconds.
        took_s: u64,
    },
    /// It can not be so.
    #[error("the time of {url} ({unix_s} s) does not count: {why}")]
    Implausible {
        /// The hub's address.
        url: String,
        /// What it said, seconds since 1970.
        unix_s: u64,
        /// Why it can not be so.
        why: Implausible,
    },
    /// The system gave no randomness.
    #[error("the system has no random numbers to ask the hub for the time with: check /dev/urandom")]
    Random,
}

/// When to ask next.
#[derive(Debug)]
pub(super) struct Asking {
    due: Option<Instant>,
    answered: bool,
    backoff: Backoff,
}

impl Asking {
    pub(super) fn new(seed: u64) -> Asking {
        Asking { due: None, answered: false, backoff: Backoff::new(seed, LONGEST_PAUSE) }
    }

    /// The hub has answered something else: whoever does not have its time yet asks at once.
    pub(super) fn hub_is_there(&mut self) {
        if !self.answered {
            self.due = None;
        }
    }
}

impl Agent {
    /// Asks the hub what time it is where that is due, and tells the clock; `None` where it is not due.
    pub fn ask_time_when_due(&mut self) -> Option<Result<(), TimeError>> {
        if self.asking.due.is_some_and(|due| Instant::now() < due) {
            return None;
        }
        let asked = self.ask_time();
        let wait = match &asked {
            Ok(()) => {
                self.asking.answered = true;
                self.asking.backoff.reset();
                EVERY
            }
            Err(_) => PAUSE + self.asking.backoff.fail(),
        };
        self.asking.due = Some(Instant::now() + wait);
        Some(asked)
    }

    fn ask_time(&mut self) -> Result<(), TimeError> {
        let mut nonce: Nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| TimeError::Random)?;
        let url = || self.hub.url.clone();
        // The clock that also counts while the device sleeps: an answer must not age unseen.
        let asked_ms = self.clock.mono_ms();
        let reply = self.uplink.post(PATH, &nonce)?;
        let took = Duration::from_millis(self.clock.mono_ms().saturating_sub(asked_ms));
        if reply.status != 200 {
            return Err(TimeError::Refused { url: url(), status: reply.status });
        }
        let told = open(&reply.body, &self.hub.key).filter(|told| told.nonce == nonce);
        let Some(HubTime { unix_s, .. }) = told else { return Err(TimeError::NotSigned { url: url() }) };
        if took > LONGEST_TRIP {
            return Err(TimeError::TooSlow { url: url(), took_s: took.as_secs() });
        }
        let trip_s = u32::try_from(took.as_millis().div_ceil(1000)).expect("a trip that counts is short");
        let heard = self.clock.signed_now(unix_s, trip_s + WHOLE_SECOND_S);
        heard.map_err(|why| TimeError::Implausible { url: url(), unix_s, why })
    }
}

fn open(body: &[u8], hub_key: &[u8; 32]) -> Option<HubTime> {
    let sign1 = Sign1::parse(body).ok()?;
    sign1.verify(hub_key, HubTime::PURPOSE, &mut Vec::new()).ok()?;
    HubTime::decode(sign1.payload).ok()
}
