//! Files of a repository that no publication of late names are removed.

use super::PublishError;
use super::document::{self, Document};
use crate::tuf::Folder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How many publications back a reader may still be in the middle of.
const KEEP: u64 = 3;

/// Removes metadata and targets that only older publications name. Roots stay for ever: a gate that was off for years
/// walks them one by one.
pub(super) fn sweep(dir: &Path, documents: &BTreeMap<String, Document>) -> Result<(), PublishError> {
    let mut keep = BTreeSet::new();
    for path in files_of(dir, Folder::METADATA)? {
        let Some((version, role)) = versioned(&path) else {
            if path.extension().is_some_and(|extension| extension == "json") {
                keep.insert(path);
            }
            continue;
        };
        let newest = documents.get(&role).map_or(0, Document::version);
        if role != super::ROOT && version + KEEP <= newest {
            continue;
        }
        let whole = fs::read(&path).map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap_or_default());
        keep.extend(
            document::target_files(&whole.unwrap_or_default()["signed"]).into_iter().map(|file| dir.join(file)),
        );
        keep.insert(path);
    }
    // What drafts name has been written already.
    let drafted = documents.values().flat_map(|document| document::target_files(document.signed()));
    keep.extend(drafted.map(|file| dir.join(file)));
    let keep = keep.iter().filter_map(|path| path.strip_prefix(dir).ok().map(Path::to_owned)).collect();
    keep_only(dir, &keep)
}

/// Removes every file of a repository that is not among these, by their paths in it; folders that are empty then go too.
pub(super) fn keep_only(dir: &Path, keep: &BTreeSet<PathBuf>) -> Result<(), PublishError> {
    for part in [Folder::METADATA, Folder::TARGETS] {
        for path in files_of(dir, part)? {
            if path.strip_prefix(dir).is_ok_and(|name| !keep.contains(name)) {
                fs::remove_file(&path).map_err(|source| PublishError::Io { path: path.clone(), source })?;
                let above = path.ancestors().skip(1).take_while(|above| *above != dir.join(part));
                // One that is not empty stays, and all above it.
                let _ = above.map(fs::remove_dir).take_while(Result::is_ok).count();
            }
        }
    }
    Ok(())
}

fn versioned(path: &Path) -> Option<(u64, String)> {
    let (version, role) = path.file_name()?.to_str()?.strip_suffix(".json")?.split_once('.')?;
    Some((version.parse().ok()?, role.to_owned()))
}

/// The files of a part of a repository, which must not lie behind a link: those there are somebody else's.
fn files_of(dir: &Path, part: &str) -> Result<Vec<PathBuf>, PublishError> {
    let path = dir.join(part);
    if path.is_symlink() {
        let source = io::Error::new(io::ErrorKind::NotADirectory, "it is a link and no folder");
        return Err(PublishError::Io { path, source });
    }
    files(&path)
}

/// Every file below a folder, links among them and not followed; none where it is not there.
fn files(dir: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let failed = |source| PublishError::Io { path: dir.into(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        match entry.file_type().map_err(failed)?.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_a_link_is_not_swept() {
        let dir = tempfile::tempdir().expect("a folder");
        let (home, stick) = (dir.path().join("home"), dir.path().join("stick"));
        fs::create_dir_all(&home).expect("makes a folder");
        fs::create_dir_all(stick.join(Folder::METADATA)).expect("makes a folder");
        fs::write(home.join("letter"), "dear").expect("writes");
        std::os::unix::fs::symlink(&home, stick.join(Folder::TARGETS)).expect("links");
        assert!(matches!(keep_only(&stick, &BTreeSet::new()), Err(PublishError::Io { .. })));
        assert!(home.join("letter").exists());
    }
}
