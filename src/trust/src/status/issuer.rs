//! What one issuer says now: its list and the deltas since.

use super::StatusError;
use super::delta::{Change, Delta};
use super::header::About;
use super::list::StatusList;
use super::overlay::Overlay;
use super::write::write_list;
use menshen_core::status::{Entry, Status, Tag, Unreadable};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// A list and the deltas since. A value: a delta makes another one, which costs what the deltas hold and not what the
/// list does.
#[derive(Clone)]
pub struct IssuerStatus {
    list: Arc<StatusList>,
    /// The deltas that are held, in the order in which they came.
    held: Vec<Held>,
    overlay: Arc<Overlay>,
    complete: About,
}

/// What is kept of a delta once its entries are in the overlay.
#[derive(Clone, Copy, Debug)]
struct Held {
    seq: u64,
    as_of: u64,
    fingerprint: [u8; 8],
}

impl fmt::Debug for IssuerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, deltas) = (self.list.about(), self.held.len());
        f.debug_struct("IssuerStatus").field("list", &list).field("deltas", &deltas).finish_non_exhaustive()
    }
}

impl IssuerStatus {
    /// A list without deltas.
    pub fn new(list: StatusList) -> IssuerStatus {
        let complete = list.about();
        IssuerStatus { list: Arc::new(list), held: Vec::new(), overlay: Arc::new(Overlay::empty()), complete }
    }

    /// The list.
    pub fn list(&self) -> &StatusList {
        &self.list
    }

    /// Through which delta, and until when, nothing is missing.
    pub fn complete(&self) -> About {
        self.complete
    }

    /// How many tags the deltas speak of.
    pub fn changed(&self) -> usize {
        self.overlay.len()
    }

    /// How many deltas are held.
    pub fn deltas(&self) -> usize {
        self.held.len()
    }

    /// What is said of a tag.
    ///
    /// # Errors
    /// [`Unreadable`], where the disk does not give what the list says.
    pub fn look_up(&self, tag: Tag) -> Result<Option<Entry>, Unreadable> {
        let complete = self.complete.as_of;
        if let Some((change, by)) = self.overlay.find(tag.number()) {
            // A delta after a gap has told its own entries and vouches for nothing else.
            let as_of = self.held[usize::from(by)].as_of.max(complete);
            return Ok(change.map(|status| Entry { status, as_of }));
        }
        let found = self.list.look_up(tag).map_err(|error| {
            tracing::warn!("status list of issuer {}: {error}", self.complete.issuer);
            Unreadable
        })?;
        Ok(found.map(|status| Entry { status, as_of: complete }))
    }

    /// This and a delta. One that the list holds already, or that came before, changes nothing.
    ///
    /// # Errors
    /// [`StatusError`] for a delta of another issuer, or another one under a number that is held.
    pub fn with_delta(&self, delta: &Delta) -> Result<IssuerStatus, StatusError> {
        let About { issuer, seq, as_of } = delta.about();
        let own = self.complete.issuer;
        if issuer != own {
            return Err(StatusError::OtherIssuer { expected: own, found: issuer });
        }
        if seq <= self.list.about().seq {
            return Ok(self.clone());
        }
        let fingerprint = delta.fingerprint();
        if let Some(same) = self.held.iter().find(|held| held.seq == seq) {
            let is_same = same.fingerprint == fingerprint;
            return if is_same { Ok(self.clone()) } else { Err(StatusError::Conflict { issuer, seq }) };
        }
        let by = u16::try_from(self.held.len()).map_err(|_| StatusError::TooManyDeltas { issuer })?;
        let overlay = self.overlay.with(delta.entries(), by, |other| self.held[usize::from(other)].seq < seq);
        let mut held = self.held.clone();
        held.push(Held { seq, as_of, fingerprint });
        let complete = complete_of(&self.list, &held);
        Ok(IssuerStatus { list: self.list.clone(), held, overlay: Arc::new(overlay), complete })
    }

    /// Writes list and deltas as one new list; gives which it is. For publishers, once a day.
    ///
    /// # Errors
    /// [`StatusError::Gap`] where a delta is missing: what it says could never be told again. What the disk says.
    pub fn fold(&self, out: impl Write) -> Result<About, StatusError> {
        let newest = self.held.iter().map(|held| held.seq).max();
        let About { issuer, seq, .. } = self.complete;
        if newest.is_some_and(|newest| newest > seq) {
            return Err(StatusError::Gap { issuer, missing: seq + 1 });
        }
        write_list(out, self.complete, self.entries()?)?;
        Ok(self.complete)
    }

    /// Everything that list and deltas say together.
    fn entries(&self) -> io::Result<Vec<(Tag, Status)>> {
        let mut entries = Vec::with_capacity(self.list.count() as usize + self.overlay.len());
        for entry in self.list.entries() {
            let (tag, status) = entry?;
            if self.overlay.find(tag.number()).is_none() {
                entries.push((tag, status));
            }
        }
        let changes = self.overlay.entries();
        entries.extend(
            changes.filter_map(|(tag, (change, _)): (u64, (Change, u16))| Some((Tag::from_number(tag), change?))),
        );
        Ok(entries)
    }
}

/// Through which delta nothing is missing: that of the list, and on without a gap. Its time never goes back.
fn complete_of(list: &StatusList, held: &[Held]) -> About {
    let mut rising: Vec<&Held> = held.iter().collect();
    rising.sort_unstable_by_key(|held| held.seq);
    let mut complete = list.about();
    for held in rising {
        if complete.seq.checked_add(1) != Some(held.seq) {
            break;
        }
        complete = About { seq: held.seq, as_of: complete.as_of.max(held.as_of), ..complete };
    }
    complete
}
