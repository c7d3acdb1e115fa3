//! Where the root keys of a real authority go, and what is left where making one fails: nothing.
//!
//! A folder below `/media` in which no stick is mounted is a folder of the local disk, and a root key in it has left the
//! ceremony without anybody seeing it.

use super::{ISSUERS, ROLES};
use crate::outcome::{Failure, Result, at};
use menshen_lane::trust::{REPOSITORY, ROOT_FILE};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file of a root key on its holder's stick.
pub(super) const ROOT_KEY_FILE: &str = "root.key";
/// What an authority's folder has at its top.
const PARTS: [&str; 7] = [ROOT_FILE, REPOSITORY, ROLES, ISSUERS, "hub.key", "hub.pub", super::UNSAFE_FILE];

/// Who holds the root of a new authority.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The folders that get a root key each; on sticks, for a real one.
    pub folders: Vec<PathBuf>,
    /// How many of them must sign.
    pub threshold: usize,
    /// Let them lie on one disk, for a trial.
    pub same_disk: bool,
}

impl Roots {
    /// Whether an authority in `dir` may have these roots.
    pub(super) fn check(&self, dir: &Path) -> Result<()> {
        let (threshold, count) = (self.threshold, self.folders.len());
        if threshold == 0 || threshold > count {
            return Err(Failure::new(format!(
                "{threshold} of {count} root keys can not sign: name a threshold from 1 to the number of folders"
            )));
        }
        let mut seen: Vec<(PathBuf, u64)> = Vec::new();
        for folder in &self.folders {
            let remedy = "put in the stick of whoever holds this root key, and wait until it is mounted";
            let place = fs::canonicalize(folder).map_err(at(folder, remedy))?;
            let about = fs::metadata(&place).map_err(at(folder, remedy))?;
            if !about.is_dir() {
                return Err(Failure::new(format!("{} is no folder: {remedy}", folder.display())));
            }
            let key = place.join(ROOT_KEY_FILE);
            if key.exists() {
                return Err(Failure::new(format!("{} is a key already: take a new stick", key.display())));
            }
            if seen.iter().any(|(other, _)| *other == place) {
                let folder = folder.display();
                return Err(Failure::new(format!("{folder} is named twice: each root key has a stick of its own")));
            }
            seen.push((place, about.dev()));
        }
        if self.same_disk { Ok(()) } else { apart(&seen, disk_of(dir)?) }
    }
}

/// Whether each folder is on a disk of its own, and none on the authority's.
fn apart(folders: &[(PathBuf, u64)], own: u64) -> Result<()> {
    let trial = "for a trial say --same-disk";
    for (number, (folder, disk)) in folders.iter().enumerate() {
        let folder = folder.display();
        if *disk == own {
            return Err(Failure::new(format!(
                "{folder} is on the disk of the authority itself: mount the stick there first; {trial}"
            )));
        }
        if let Some((other, _)) = folders[..number].iter().find(|(_, other)| other == disk) {
            let other = other.display();
            return Err(Failure::new(format!(
                "{folder} and {other} are on one disk: each root key has a stick of its own; {trial}"
            )));
        }
    }
    Ok(())
}

/// The disk of a folder that need not be there yet.
fn disk_of(dir: &Path) -> Result<u64> {
    let dir = std::path::absolute(dir)?;
    let there = dir.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/"));
    Ok(fs::metadata(there).map_err(at(there, "choose a folder that you may read"))?.dev())
}

/// What is being made, and removed again unless it is kept.
pub(super) struct Made {
    dir: PathBuf,
    was_there: bool,
    /// Files elsewhere.
    pub(super) files: Vec<PathBuf>,
    kept: bool,
}

impl Made {
    /// Begins where there is no authority yet.
    pub(super) fn begin(dir: &Path) -> Result<Made> {
        if PARTS.iter().any(|name| dir.join(name).exists()) {
            return Err(Failure::new(format!(
                "{} already holds a profile: name another folder, or remove this one first",
                dir.display()
            )));
        }
        Ok(Made { dir: dir.into(), was_there: dir.exists(), files: Vec::new(), kept: false })
    }

    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // What can not be removed is told by the next attempt, which finds it.
        self.files.iter().for_each(|file| drop(fs::remove_file(file)));
        for path in PARTS.map(|name| self.dir.join(name)) {
            drop(if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) });
        }
        if !self.was_there {
            drop(fs::remove_dir(&self.dir));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_root_key_has_a_disk_of_its_own() {
        let folders = |disks: &[u64]| disks.iter().map(|disk| (PathBuf::from("/media"), *disk)).collect::<Vec<_>>();
        assert!(apart(&folders(&[2, 3, 4]), 1).is_ok());
        assert!(apart(&folders(&[2, 1, 4]), 1).is_err());
        assert!(apart(&folders(&[2, 3, 2]), 1).is_err());
    }

    #[test]
    fn what_can_not_be_finished_leaves_nothing() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let (home, root) = (dir.path().join("authority"), dir.path().join("root.key"));
        let mut made = Made::begin(&home)?;
        fs::create_dir_all(home.join(ROLES))?;
        fs::write(&root, "secret")?;
        made.files.push(root.clone());
        drop(made);
        assert!(!home.exists() && !root.exists());
        Ok(())
    }
}
