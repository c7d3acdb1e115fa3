//! The newest trust, between the thread that imports it and the loop that decides by it.
//!
//! One value that is replaced whole. The loop looks whether it changed once a round, which costs one atomic read.

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
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// The newest import: a stick's while it is in, else the last that did not work.
    pub fn import(&self) -> Option<Import> {
        self.now().import.clone()
    }

    pub(super) fn believe(&self, trust: Trust) {
        self.now().trust = Some(trust);
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    pub(super) fn tell(&self, import: Option<Import>) {
        self.now().import = import;
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Both values are replaced whole, so they are whole after any panic.
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
