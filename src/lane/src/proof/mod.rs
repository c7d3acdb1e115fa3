//! The proof of a gate before the shift: whether it is ready, and if not, why and what helps.
//!
//! A gate that refuses every pass, or can not move, is otherwise found out by the first person in the queue. So it proves
//! itself on request: codes made for the proof alone go the whole real way (picture, reader, signature, decision, record on
//! the same disk, relay), and everything that a shift needs of the running gate is looked at. What comes of it is a card
//! ([`Proof`]) that is shown, printed and kept.
//!
//! ```text
//! codes ─▶ walk (the gate's own loop over ports that are the proof's) ─┐   in a process of its own
//! watch (what the running lane tells) ─▶ live ─────────────────────────┼▶ Proof ─▶ keep, panel, doctor
//! trial (a lamp, a tone, the relay) ─▶ what a person saw ──────────────┘
//! ```
//!
//! Invariants: the proof's codes are signed by a key that is made for one proof and forgotten with it, so no gate ever
//! believes them; the gate's own journal, counts and relay are not touched, but where a person asks to see the relay work,
//! and that is recorded first; a person who comes meanwhile is served as ever; whether a gate is ready follows from its
//! checks alone.

pub mod apart;
pub mod child;

mod codes;
mod finding;
mod keep;
mod live;
mod picture;
mod prover;
mod text;
mod trial;
mod vitals;
mod walk;
mod watch;

pub use apart::WalkAs;
pub use finding::{Finding, Item, State};
pub use keep::{FOLDER, KEPT_CARDS};
pub use prover::{NotStarted, Progress, Proofs, Setup, TryError};
pub use text::{Said, said};
pub use trial::{Fitted, Order, Refusal, Wanted};
pub use vitals::Vitals;

use crate::view::rfc3339;
use menshen_core::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the card's names: add, never rename.
const FORMAT: u8 = 1;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: Item,
    /// What that means for the shift.
    pub state: State,
    /// Which sentence says it.
    pub code: String,
    /// What was measured, for the blanks of that sentence.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// What the part itself says is wrong, for the technician.
    #[serde(default)]
    pub message: Option<String>,
}

impl Check {
    /// What was found.
    pub fn of(finding: Finding) -> Check {
        Check {
            name: finding.item(),
            state: finding.state(),
            code: finding.code().to_owned(),
            values: BTreeMap::new(),
            message: None,
        }
    }

    /// The same with something that was measured.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Check {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    /// The same with what the part says.
    #[must_use]
    pub fn because(mut self, message: impl Into<String>) -> Check {
        self.message = Some(message.into());
        self
    }
}

/// The card: what a gate proved, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The version of these names.
    pub format: u8,
    /// Which card of this gate it is; rises.
    pub number: u64,
    /// Whether the shift may begin.
    pub ready: bool,
    /// When it was made, RFC 3339 in UTC, by the gate's own clock.
    pub at: String,
    /// What that clock is worth: `trusted` or `floor`.
    pub clock: String,
    /// How long it took.
    pub took_ms: u64,
    /// The gate's id, where it has a key.
    pub gate: Option<String>,
    /// The site's name in Chinese.
    pub site_zh: String,
    /// The site's name in English.
    pub site_en: String,
    /// The lane at its checkpoint.
    pub lane: u8,
    /// The version of what the gate believes.
    pub trust_version: Option<u64>,
    /// When that was published.
    pub trust_as_of: Option<String>,
    /// The version of the program.
    pub program: String,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
}

impl Proof {
    /// Whether the shift may begin by these checks.
    fn is_ready(checks: &[Check]) -> bool {
        checks.iter().all(|check| check.state != State::Failed)
    }

    /// Puts a check in the place of the one of its name.
    fn put(&mut self, check: Check) {
        match self.checks.iter_mut().find(|old| old.name == check.name) {
            Some(old) => *old = check,
            None => self.checks.push(check),
        }
        self.ready = Proof::is_ready(&self.checks);
    }

    /// A check of this card.
    pub fn check(&self, name: Item) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}

/// A moment on a card, and what the clock is worth.
fn stamp(time: Time) -> (String, String) {
    (rfc3339(time.unix_s), time.confidence.name().to_owned())
}

#[cfg(test)]
mod tests;
