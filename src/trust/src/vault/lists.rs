//! The status lists of a generation, opened.
//!
//! A list is opened once and shared by every import that still has it, so that an import costs what is new in it and
//! not what is there. What a file says of itself must be what its signed path says: whose list, and which number.

use super::generation::FileRef;
use crate::names::Target;
use crate::status::{About, Delta, IssuerStatus, StatusError, StatusList};
use crate::tuf::{Refusal, TufError};
use menshen_core::ids::IssuerId;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A publisher's clock may be ahead of the one that signed the timestamp by this much.
const AHEAD_S: u64 = 86_400;

/// A file of a list, as it was verified.
pub(super) struct Verified {
    pub(super) target: Target,
    pub(super) file: FileRef,
    pub(super) place: PathBuf,
}

/// Lists that are open, by the SHA-256 of their snapshot, with those of the deltas in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists(Arc<Mutex<BTreeMap<String, Opened>>>);

#[derive(Clone, Debug)]
struct Opened {
    deltas: Vec<String>,
    status: IssuerStatus,
}

impl Lists {
    /// Opens a snapshot with its deltas; nothing in them may be of after `published_unix_s`.
    pub(super) fn open(
        &self,
        issuer: IssuerId,
        snapshot: &Verified,
        deltas: &[Verified],
        published_unix_s: u64,
    ) -> Result<IssuerStatus, TufError> {
        let wanted: Vec<String> = deltas.iter().map(|delta| delta.file.sha256.clone()).collect();
        let known = self.map().get(&snapshot.file.sha256).cloned();
        let known = known.filter(|known| known.deltas.iter().all(|delta| wanted.contains(delta)));
        let mut status = match &known {
            Some(known) => known.status.clone(),
            None => {
                let list = StatusList::open(&snapshot.place).map_err(|error| refused(snapshot, &error))?;
                fits(list.about(), snapshot, issuer, published_unix_s)?;
                IssuerStatus::new(list)
            }
        };
        for delta in deltas {
            if known.as_ref().is_some_and(|known| known.deltas.contains(&delta.file.sha256)) {
                continue;
            }
            let bytes = fs::read(&delta.place)
                .map_err(|error| TufError::new(Refusal::Unreachable, format!("{} ({error})", delta.target.path())))?;
            let parsed = Delta::parse(&bytes).map_err(|error| refused(delta, &error))?;
            fits(parsed.about(), delta, issuer, published_unix_s)?;
            status = status.with_delta(&parsed).map_err(|error| refused(delta, &error))?;
        }
        let opened = Opened { deltas: wanted, status: status.clone() };
        self.map().insert(snapshot.file.sha256.clone(), opened);
        Ok(status)
    }

    /// Closes the lists that are not among these snapshots.
    pub(super) fn keep(&self, snapshots: &[&str]) {
        self.map().retain(|hash, _| snapshots.contains(&hash.as_str()));
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Opened>> {
        // Every write is one insertion or removal of a whole value.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(file: &Verified, error: &StatusError) -> TufError {
    let refusal = match error {
        // The gate's own trouble and not the publisher's.
        StatusError::Disk { .. } | StatusError::Io(_) => Refusal::Unreachable,
        _ => Refusal::Malformed,
    };
    TufError::new(refusal, format!("{} ({error})", file.target.path()))
}

fn fits(about: About, file: &Verified, issuer: IssuerId, published_unix_s: u64) -> Result<(), TufError> {
    let named = match file.target {
        Target::Snapshot(owner, seq) | Target::Delta(owner, seq) => (owner, seq),
        Target::Issuers(owner) | Target::Recognition(owner) | Target::Policy(owner, _) => (owner, 0),
    };
    if (about.issuer, about.seq) != named || about.issuer != issuer {
        let found = format!("{} (it is number {} of {})", file.target.path(), about.seq, about.issuer);
        return Err(TufError::new(Refusal::ForeignPath, found));
    }
    if about.as_of > published_unix_s.saturating_add(AHEAD_S) {
        let found = format!("{} (as of {}, a moment after it was published)", file.target.path(), about.as_of);
        return Err(TufError::new(Refusal::Malformed, found));
    }
    Ok(())
}
