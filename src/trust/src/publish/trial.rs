//! A publication is tried by a gate's own client before a gate can see it.
//!
//! What is published can not be taken back: a root that gates refuse keeps them from every later one. So the publication as
//! it would be is laid out in a folder of its own, verified from the first root as a gate of the first hour would, and
//! written where gates look only if that believes it.

use super::sign::file_bytes;
use super::{Keyring, PublishError, ROOT, Repository, SNAPSHOT, TIMESTAMP};
use crate::tuf::{Folder, TufError};
use crate::vault::{self, Believed};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Roles that are ready, and what gates hold back of what was published before.
type Tried = (Vec<String>, Vec<(String, TufError)>);

/// A folder that is removed at the end.
struct Trial(PathBuf);

impl Drop for Trial {
    fn drop(&mut self) {
        // What can not be removed is left to whoever clears the system's temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Repository {
    /// Pins the roles that are ready; one that gates would refuse for its own sake waits instead.
    pub(super) fn pin_what_gates_believe(
        &mut self,
        mut ready: Vec<String>,
        waiting: &mut BTreeMap<String, PublishError>,
        keyring: &Keyring,
        now_unix_s: u64,
    ) -> Result<Tried, PublishError> {
        loop {
            self.pin(&ready, keyring, now_unix_s)?;
            let believed = self.try_out(&ready)?;
            let mut held_back = BTreeMap::new();
            for role in &believed.roles {
                let name = role.scope.to_string();
                let is_known = self.documents.get(&name).is_some_and(|document| !document.is_unborn());
                if let Some(why) = role.held_back.clone().filter(|_| is_known) {
                    held_back.insert(name, why);
                }
            }
            let by_itself = |name: &&String| {
                let superior = self.superior(name).map(str::to_owned);
                held_back.contains_key(*name) && superior.is_none_or(|superior| !held_back.contains_key(&superior))
            };
            let Some(refused) = ready.iter().find(by_itself).cloned() else {
                return Ok((ready, held_back.into_iter().collect()));
            };
            let why = held_back.remove(&refused).unwrap_or_else(|| unreachable!("it was found there"));
            waiting.insert(refused.clone(), PublishError::Refused { what: refused.clone(), why });
            ready = self.still_ready(ready, waiting)?;
        }
    }

    /// What a gate that has only the first root makes of the publication as it would be.
    fn try_out(&self, ready: &[String]) -> Result<Believed, PublishError> {
        let trial = self.lay_out(ready)?;
        let first = trial.0.join(Folder::METADATA).join("1.root.json");
        let root = fs::read(&first).map_err(|source| PublishError::Io { path: first, source })?;
        vault::look(&root, &trial.0).map_err(|why| PublishError::Refused { what: "this publication".into(), why })
    }

    fn lay_out(&self, ready: &[String]) -> Result<Trial, PublishError> {
        let dir = new_folder()?;
        let trial = Trial(dir.clone());
        let failed = |source: io::Error| PublishError::Io { path: dir.clone(), source };
        let metadata = dir.join(Folder::METADATA);
        fs::create_dir(&metadata).map_err(failed)?;
        let targets = self.dir.join(Folder::TARGETS);
        if targets.exists() {
            let targets = fs::canonicalize(&targets).map_err(failed)?;
            symlink(targets, dir.join(Folder::TARGETS)).map_err(failed)?;
        }
        let own = self.dir.join(Folder::METADATA);
        for version in 1.. {
            let name = format!("{version}.{ROOT}.json");
            if !own.join(&name).exists() {
                break;
            }
            fs::copy(own.join(&name), metadata.join(&name)).map_err(failed)?;
        }
        for role in self.roles() {
            let Some(document) = self.documents.get(role) else { continue };
            if !ready.iter().any(|name| name == role) {
                let name = format!("{}.{role}.json", document.published_version());
                copy_if_there(&own.join(&name), &metadata.join(&name)).map_err(failed)?;
            }
        }
        let written = ready.iter().map(String::as_str).chain([SNAPSHOT]);
        for role in written {
            let Some(document) = self.documents.get(role) else { continue };
            let name = format!("{}.{role}.json", document.version());
            fs::write(metadata.join(name), file_bytes(document.whole())?).map_err(failed)?;
        }
        if let Some(timestamp) = self.documents.get(TIMESTAMP) {
            fs::write(metadata.join("timestamp.json"), file_bytes(timestamp.whole())?).map_err(failed)?;
        }
        Ok(trial)
    }
}

/// A folder of one's own among the system's temporary files: one that is there already is somebody else's.
fn new_folder() -> Result<PathBuf, PublishError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("menshen-trial-{}-{number}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(PublishError::Io { path: dir, source }),
        }
    }
}

/// A role whose file is gone is held back, which the trial is to find.
fn copy_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::copy(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
