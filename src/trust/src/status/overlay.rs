//! What deltas say together, for one look-up instead of one a delta.
//!
//! Of each tag it keeps the newest change and which delta made it, so that a delta that comes late changes only what no
//! newer one has spoken of. 11.3 bytes an entry.

use super::buckets::Buckets;
use super::delta::Change;

/// The changes of several deltas, sorted by tag.
#[derive(Clone)]
pub(super) struct Overlay {
    tags: Box<[u64]>,
    changes: Box<[Change]>,
    /// Which of the deltas that are held said so.
    by: Box<[u16]>,
    buckets: Buckets,
}

/// A change and which delta made it.
pub(super) type Told = (Change, u16);

impl Overlay {
    /// What no delta says.
    pub(super) fn empty() -> Overlay {
        Overlay::of(&[])
    }

    fn of(entries: &[(u64, Told)]) -> Overlay {
        Overlay {
            tags: entries.iter().map(|(tag, _)| *tag).collect(),
            changes: entries.iter().map(|(_, (change, _))| *change).collect(),
            by: entries.iter().map(|(_, (_, by))| *by).collect(),
            buckets: Buckets::of(entries.iter().map(|(tag, _)| *tag)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    /// The newest change of a tag.
    pub(super) fn find(&self, tag: u64) -> Option<Told> {
        if self.tags.is_empty() {
            return None;
        }
        let range = self.buckets.of_tag(tag);
        let at = range.start + self.tags[range].binary_search(&tag).ok()?;
        Some((self.changes[at], self.by[at]))
    }

    /// Every tag with its newest change, ascending.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, Told)> + '_ {
        let told = self.changes.iter().copied().zip(self.by.iter().copied());
        self.tags.iter().copied().zip(told)
    }

    /// This and what delta number `by` says; of a tag that both speak of, what is newer by `is_newer(other)` counts.
    pub(super) fn with(&self, delta: &[(u64, Change)], by: u16, is_newer: impl Fn(u16) -> bool) -> Overlay {
        let mut merged = Vec::with_capacity(self.len() + delta.len());
        let mut held = self.entries().peekable();
        for (tag, change) in delta {
            while let Some(entry) = held.next_if(|(other, _)| other < tag) {
                merged.push(entry);
            }
            match held.next_if(|(other, _)| other == tag) {
                Some((_, told)) if !is_newer(told.1) => merged.push((*tag, told)),
                _ => merged.push((*tag, (*change, by))),
            }
        }
        merged.extend(held);
        Overlay::of(&merged)
    }
}
