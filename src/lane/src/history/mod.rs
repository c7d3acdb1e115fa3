//! Who was let in lately: what the rules that look back ask of a gate.
//!
//! An admission leaves a *visit*: which pass, and which household went out on which day. It is written beside the
//! record, on stable storage before the gate opens, so that a gate that was switched off counts on; gates of one site
//! tell each other theirs ([`neighbours`]), so that a household does not go out by one gate after the other.
//!
//! Invariants: no pseudonym and no pass number is kept or sent, only a tag of 64 bits that nobody can compute without the
//! secret of the site; a visit is counted once, however often and by whatever way it comes; what no rule can ask for any
//! more is forgotten.

mod entry;
pub mod neighbours;
mod sealed;

pub use entry::{ENTRY_BYTES, Entry, Origin, Tag};

use crate::durable;
use crate::journal::{Journal, JournalError};
use crate::ports::Clock;
use menshen_core::history::{Day, History, HouseholdRef, PassRef, Visit};
use menshen_core::ids::{Hex, first_8, sha256, unhex};
use menshen_core::time::Confidence;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long an outing is remembered, in days: the longest quota looks back 14.
pub const KEPT_DAYS: u32 = 15;
/// How long a pass is remembered, in seconds: the longest rule asks about a day.
const PASS_KEPT_S: u64 = 86_400;
/// The secret of a gate that shares with nobody, within its state folder.
const SECRET_FILE: &str = "visits.key";
/// The most visits that are remembered at once; beyond them the oldest are forgotten.
const MAX_ENTRIES: usize = 200_000;

/// What makes the tags of a site: 32 bytes that its gates have and nobody else.
#[derive(Clone, Copy)]
pub struct Secret(pub [u8; 32]);

/// Why a gate has no secret.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret {path} can not be read or made ({source}): give the gate a state folder that it may write, or remove the file"
)]
pub struct SecretError {
    path: PathBuf,
    source: io::Error,
}

impl Secret {
    /// The secret of a state folder, made at first use.
    ///
    /// # Errors
    /// [`SecretError`] where it can neither be read nor made.
    pub fn load_or_make(state: &Path) -> Result<Secret, SecretError> {
        let path = state.join(SECRET_FILE);
        let failed = |source| SecretError { path: path.clone(), source };
        match std::fs::read_to_string(&path) {
            Ok(text) => Secret::parse(&text).ok_or_else(|| failed(io::ErrorKind::InvalidData.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|error| failed(io::Error::other(error)))?;
                durable::replace(&path, format!("{}\n", Hex(&bytes)).as_bytes(), 0o600).map_err(failed)?;
                Ok(Secret(bytes))
            }
            Err(source) => Err(failed(source)),
        }
    }

    /// A secret that is forgotten with the program; the same for all where the system has no randomness.
    pub fn random() -> Secret {
        let mut bytes = [0; 32];
        if let Err(error) = getrandom::fill(&mut bytes) {
            tracing::error!("the system has no random numbers ({error}): check /dev/urandom");
        }
        Secret(bytes)
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Secret> {
        let mut bytes = [0; 32];
        unhex(text.trim(), &mut bytes).map(|()| Secret(bytes))
    }

    /// The name under which the gate that keeps this secret tells others of its visits; it says nothing of the secret.
    pub fn origin(&self) -> Origin {
        Origin(first_8(&self.key("menshen/origin")))
    }

    /// A key for a purpose, so that no two uses of the secret meet.
    fn key(&self, purpose: &str) -> [u8; 32] {
        sha256(&[&self.0, purpose.as_bytes()].concat())
    }

    /// Every part has a fixed length, so no two things have one text.
    fn tag(&self, purpose: &str, issuer: u32, id: &[u8; 8]) -> Tag {
        Tag(first_8(&sha256(&[&self.key(purpose)[..], &issuer.to_be_bytes(), id].concat())))
    }
}

/// What a gate remembers. Lanes of one device share it.
pub struct Memory {
    secret: Secret,
    own: Origin,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    turn: Mutex<()>,
}

/// A moment at which a pass was let in.
#[derive(Clone, Copy)]
struct LetIn {
    /// In seconds since 1970, by the clock of the gate that saw it.
    unix_s: u64,
    /// By this device's monotonic clock, where it was in this run.
    mono_ms: Option<u64>,
}

#[derive(Default)]
struct State {
    /// Up to which number each log was taken, also where its entries are forgotten: what was counted is not counted again.
    seen: BTreeMap<Origin, u64>,
    log: BTreeMap<Origin, BTreeMap<u64, Entry>>,
    count: usize,
    /// When a pass was let in last.
    passes: HashMap<Tag, LetIn>,
    outings: HashMap<Tag, Vec<Day>>,
}

impl Memory {
    /// What is left of earlier days in a journal.
    ///
    /// # Errors
    /// [`JournalError`] where it can not be read; then the gate counts from now.
    pub fn open(
        secret: Secret,
        own: Origin,
        clock: Arc<dyn Clock>,
        journal: &dyn Journal,
    ) -> Result<Memory, JournalError> {
        let memory = Memory::empty(secret, own, clock);
        for (number, bytes) in journal.kept()? {
            match Entry::from_bytes(&bytes) {
                Some(entry) => drop(memory.learn(own, number, entry, None)),
                None => tracing::warn!("what was kept beside record {number} is damaged and counts no more"),
            }
        }
        Ok(memory)
    }

    /// A memory of nothing.
    pub fn empty(secret: Secret, own: Origin, clock: Arc<dyn Clock>) -> Memory {
        Memory { secret, own, clock, state: Mutex::default(), turn: Mutex::default() }
    }

    /// What a visit is kept as, to be written beside its record.
    pub fn entry(&self, visit: &Visit) -> Entry {
        let outing = visit.outing.map(|(HouseholdRef { issuer, household }, day)| {
            (self.secret.tag("menshen/household", issuer.code(), &household), day)
        });
        Entry { unix_s: self.clock.time().unix_s, pass: self.pass_tag(visit.pass), outing }
    }

    /// Held from before a visit is stored until it is noted, so that lanes note theirs in the order of their numbers: others
    /// are told how far the log goes, not what is in it.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A visit of this gate is on stable storage under this number.
    pub fn note(&self, number: u64, entry: Entry) {
        let now_ms = self.clock.mono_ms();
        self.learn(self.own, number, entry, Some(now_ms));
    }

    fn pass_tag(&self, PassRef { issuer, pass_id, outwards }: PassRef) -> Tag {
        let purpose = if outwards { "menshen/pass/out" } else { "menshen/pass/in" };
        self.secret.tag(purpose, issuer.code(), &pass_id)
    }

    /// The last day that it can be, where the clock is sure.
    fn tomorrow(&self) -> Option<Day> {
        let now = self.clock.time();
        (now.confidence == Confidence::Trusted).then(|| Day(Day::of(now.unix_s).0.saturating_add(1)))
    }

    /// Takes in a visit; gives whether it was new. `mono_ms` is when, for one that happened in this run.
    fn learn(&self, origin: Origin, number: u64, entry: Entry, mono_ms: Option<u64>) -> bool {
        let mut state = self.state();
        let seen = state.seen.entry(origin).or_default();
        if number <= *seen {
            return false;
        }
        *seen = number;
        state.log.entry(origin).or_default().insert(number, entry);
        state.count += 1;
        let new = LetIn { unix_s: entry.unix_s, mono_ms };
        let last = state.passes.entry(entry.pass).or_insert(new);
        if (new.mono_ms, new.unix_s) >= (last.mono_ms, last.unix_s) {
            *last = new;
        }
        if let Some((household, day)) = entry.outing {
            state.outings.entry(household).or_default().push(day);
        }
        if state.count > MAX_ENTRIES {
            state.forget_oldest();
        }
        true
    }

    /// Forgets what no rule can ask for any more.
    pub fn forget_old(&self) {
        let now = self.clock.time();
        let mono_ms = self.clock.mono_ms();
        let first = Day(Day::of(now.unix_s).0.saturating_sub(KEPT_DAYS));
        let mut state = self.state();
        state.passes.retain(|_, seen| match seen.mono_ms {
            Some(at_ms) => mono_ms.saturating_sub(at_ms) < PASS_KEPT_S * 1000,
            None => now.unix_s.saturating_sub(seen.unix_s) < PASS_KEPT_S,
        });
        state.outings.retain(|_, days| {
            days.retain(|day| *day >= first);
            !days.is_empty()
        });
        let keeps = |entry: &Entry| match entry.outing {
            Some((_, day)) => day >= first,
            None => now.unix_s.saturating_sub(entry.unix_s) < PASS_KEPT_S,
        };
        for entries in state.log.values_mut() {
            entries.retain(|_, entry| keeps(entry));
        }
        state.log.retain(|_, entries| !entries.is_empty());
        state.count = state.log.values().map(BTreeMap::len).sum();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic between two of its assignments leaves a visit that is logged and not counted, or the other way round:
        // both are better than a gate that stands still.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_oldest(&mut self) {
        let oldest = self.log.iter().filter_map(|(origin, entries)| {
            entries.first_key_value().map(|(number, entry)| (entry.unix_s, *origin, *number))
        });
        let Some((_, origin, number)) = oldest.min() else { return };
        if let Some(entries) = self.log.get_mut(&origin) {
            entries.remove(&number);
            self.count -= 1;
        }
    }
}

impl History for Memory {
    fn admitted_s_ago(&self, pass: PassRef) -> Option<u64> {
        let (now, mono_ms) = (self.clock.time(), self.clock.mono_ms());
        let seen = *self.state().passes.get(&self.pass_tag(pass))?;
        match (seen.mono_ms, now.confidence) {
            (Some(at_ms), _) => Some(mono_ms.saturating_sub(at_ms) / 1000),
            (None, Confidence::Trusted) => Some(now.unix_s.saturating_sub(seen.unix_s)),
            // Of before this start, and nobody can tell how long before.
            (None, Confidence::Floor) => None,
        }
    }

    fn outings_since(&self, HouseholdRef { issuer, household }: HouseholdRef, first: Day) -> u32 {
        let tag = self.secret.tag("menshen/household", issuer.code(), &household);
        let state = self.state();
        let days = state.outings.get(&tag).map_or(&[][..], Vec::as_slice);
        // A day that has not come is of a gate whose clock was ahead.
        let last = self.tomorrow().unwrap_or(Day(u32::MAX));
        u32::try_from(days.iter().filter(|day| (first..=last).contains(*day)).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
