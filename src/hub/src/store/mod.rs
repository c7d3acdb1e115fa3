//! What keeps the records, as the hub needs it, whichever engine does it.
//!
//! The trait is the whole contract: an engine that keeps it can stand behind the hub. All calls block
//! and may come from many threads at once. Time is a parameter, so that a store can be tested and
//! replayed without a clock.

pub(crate) mod sqlite;

use crate::run::{HistoryError, Run};
use menshen_core::ids::GateId;
use menshen_core::record::{Epoch, Seq};
use std::path::PathBuf;
use std::str::FromStr;

/// Keeps gates and their records.
///
/// Of each gate and epoch it holds records 1 to some `through` without a gap.
pub trait Store: Send + Sync {
    /// Accepts a gate, or gives a gate that is known its new label. Durable on return.
    fn enrol(&self, public_key: &[u8; 32], label: &str, unix_s: u64) -> Result<(), StoreError>;

    /// Stores what is new in a run, all of it or nothing, and gives the last record held of its epoch.
    ///
    /// On return the records are on stable storage: an ack is signed on the strength of this. A run that
    /// is held already is no error; one that differs changes nothing.
    fn append(&self, run: &Run, unix_s: u64) -> Result<Seq, AppendError>;

    /// One gate.
    fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError>;

    /// All gates, by label.
    fn gates(&self) -> Result<Vec<Gate>, StoreError>;

    /// A gate's records, oldest first.
    fn records(&self, gate: GateId, page: Page) -> Result<Vec<Held>, StoreError>;

    /// A gate's last records, newest first.
    fn latest(&self, gate: GateId, limit: u32) -> Result<Vec<Held>, StoreError>;
}

/// A gate as the hub knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its id.
    pub id: GateId,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// What people call it. Whatever the gate said: escape it before showing it.
    pub label: String,
    /// When it was first accepted, seconds since 1970.
    pub enrolled_at: u64,
    /// When it last enrolled or delivered, seconds since 1970.
    pub last_seen: u64,
    /// How many records of it are held.
    pub records: u64,
    /// The last record of its last epoch.
    pub last: Option<Held>,
}

/// A record that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which life of the gate.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// The canonical bytes, as the gate made them.
    pub bytes: Vec<u8>,
}

/// Which records to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only this epoch, or all.
    pub epoch: Option<Epoch>,
    /// Only records after this one: epoch, number.
    pub after: (Epoch, Seq),
    /// At most so many.
    pub limit: u32,
}

/// Why a run was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It does not fit on to what is held: the gate's matter.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The store fails: the hub's matter.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can not be opened for writing.
    #[error("the store {path} can not be opened ({reason}); name a file in a folder that this user can write to")]
    Unopened {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not a hub's.
    #[error("{path} belongs to another program; name another file as the store")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error("the store {path} has format {found}, which is newer than this program; run the newer menshen-hub")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// The file system can not keep a write-ahead log.
    #[error("the file system of {path} can not keep a write-ahead log; put the store on a local disk")]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
    },
    /// It stopped working.
    #[error("the store fails ({reason}); look at the space and the health of its disk")]
    Failing {
        /// What the engine said.
        reason: String,
    },
}

/// Where the records are kept, as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `sqlite:PATH` or `PATH`: one file on this machine.
    Sqlite(PathBuf),
}

/// The text names no store that this hub has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store {0:?} is of no kind that this hub has; write sqlite:PATH")]
pub struct UnknownStore(String);

impl FromStr for StoreUrl {
    type Err = UnknownStore;

    fn from_str(text: &str) -> Result<StoreUrl, UnknownStore> {
        let path = match text.strip_prefix("sqlite:") {
            Some(path) => path.strip_prefix("//").unwrap_or(path),
            None if text.contains("://") => return Err(UnknownStore(text.to_owned())),
            None => text,
        };
        if path.is_empty() {
            return Err(UnknownStore(text.to_owned()));
        }
        Ok(StoreUrl::Sqlite(PathBuf::from(path)))
    }
}
