//! The newest trust, between the thread that imports it and the loop that decides by it.
//!
//! One value that is replaced whole. The loop looks whether it changed once a round, which costs one atomic read. What
//! it believed before it gives back: to free tens of megabytes takes time that a person at the gate would wait, and
//! the thread that imports has that time.
//!
//! Invariant: under the lock values are moved and nothing is freed, so that whoever decides never waits for it.

use menshen_core::trust::TrustList;
use menshen_trust::status::StatusBook;
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::{Believed, RoleReport};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a gate believes, ready to decide by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Issuers, keys and recognition.
    pub list: Arc<TrustList>,
    /// What issuers have changed since their passes were made.
    pub status: StatusBook,
    /// How each delegated role came off.
    pub roles: Arc<[RoleReport]>,
}

impl Trust {
    /// Opens what was verified.
    pub fn of(believed: &Believed) -> Trust {
        Trust { list: believed.list.clone(), status: believed.status.clone(), roles: believed.roles.clone().into() }
    }
}

/// By which road something came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Road {
    /// The trust folder of the site.
    Folder,
    /// A stick, by the folder where it is mounted.
    Stick(PathBuf),
    /// The hub.
    Hub,
}

impl Road {
    /// A stable name for the panel.
    pub const fn name(&self) -> &'static str {
        match self {
            Road::Folder => "folder",
            Road::Stick(_) => "stick",
            Road::Hub => "hub",
        }
    }
}

/// How an import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoadState {
    /// It is being read and verified.
    Importing,
    /// It is believed now.
    Imported,
    /// The gate believed it already.
    Unchanged,
    /// It is refused.
    Refused {
        /// Which kind, where the repository itself is to blame.
        refusal: Option<Refusal>,
        /// One sentence for the technician.
        why: String,
    },
}

impl RoadState {
    /// A stable name for the panel.
    pub const fn name(&self) -> &'static str {
        match self {
            RoadState::Importing => "importing",
            RoadState::Imported => "imported",
            RoadState::Unchanged => "unchanged",
            RoadState::Refused { .. } => "refused",
        }
    }
}

/// The newest import that somebody may want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// By which road.
    pub road: Road,
    /// How it stands.
    pub state: RoadState,
}

/// The newest trust, and how imports stand. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    changes: AtomicU64,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    trust: Option<Trust>,
    import: Option<Import>,
    /// What the loop believed before, to be freed by the thread that imports.
    spent: Vec<Trust>,
}

impl Feed {
    /// A feed that always gives the same, for gates without a keeper.
    pub fn fixed(trust: Option<Trust>) -> Feed {
        let feed = Feed::default();
        feed.now().trust = trust;
        feed
    }

    /// Counts the changes of the trust.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// What is believed.
    pub fn trust(&self) -> Option<Trust> {
        self.now().trust.clone()
    }

    /// Puts what is believed now in the place of what was, and gives the number of the change that it is. What was is
    /// freed by the thread that imports.
    pub fn renew(&self, held: &mut Option<Trust>) -> u64 {
        let mut now = self.now();
        // Under the lock: a change that comes after it has another number.
        let changes = self.changes();
        let old = std::mem::replace(held, now.trust.clone());
        now.spent.extend(old);
        changes
    }

    /// The newest import: a stick's while it is in, else the last that did not work.
    pub fn import(&self) -> Option<Import> {
        self.now().import.clone()
    }

    pub(super) fn believe(&self, trust: Trust) {
        let mut now = self.now();
        let old = now.trust.replace(trust);
        self.0.changes.fetch_add(1, Ordering::Release);
        drop(now);
        drop(old);
    }

    pub(super) fn tell(&self, import: Option<Import>) {
        let old = std::mem::replace(&mut self.now().import, import);
        drop(old);
    }

    /// Frees what the loop believed before.
    pub(super) fn free_spent(&self) {
        let spent = std::mem::take(&mut self.now().spent);
        drop(spent);
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Every value is replaced whole, so they are whole after any panic.
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::trust::TrustContent;

    fn trust() -> Trust {
        let list = TrustList::new(TrustContent::default()).expect("an empty list is well formed");
        Trust { list: Arc::new(list), status: StatusBook::new(), roles: Arc::new([]) }
    }

    #[test]
    fn what_was_believed_is_freed_by_the_one_who_imports_and_not_by_the_one_who_decides() {
        let (feed, first, second) = (Feed::default(), trust(), trust());
        let old = Arc::downgrade(&first.list);
        feed.believe(first);
        let mut held = feed.trust();
        feed.believe(second.clone());
        assert_eq!(feed.renew(&mut held), 2);
        assert!(held.is_some_and(|held| Arc::ptr_eq(&held.list, &second.list)));
        assert!(old.upgrade().is_some(), "nobody has freed it yet");
        feed.free_spent();
        assert!(old.upgrade().is_none());
    }
}
