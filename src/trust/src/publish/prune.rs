//! Files of a repository as files: copied to a stick, and removed when no publication of late names them.

use super::PublishError;
use super::document::Document;
use crate::durable;
use crate::tuf::Folder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// How many publications back a reader may still be in the middle of.
const KEEP: u64 = 3;

/// Removes metadata and targets that only older publications name. Roots stay for ever: a gate that was off for years
/// walks them one by one.
pub(super) fn sweep(dir: &Path, documents: &BTreeMap<String, Document>) -> Result<(), PublishError> {
    let (metadata, targets) = (dir.join(Folder::METADATA), dir.join(Folder::TARGETS));
    let mut named = BTreeSet::new();
    for path in files(&metadata)? {
        let Some((version, role)) = versioned(&path) else { continue };
        let newest = documents.get(&role).map_or(0, Document::version);
        if role != super::ROOT && version + KEEP <= newest {
            remove(&path)?;
            continue;
        }
        let Ok(whole) = fs::read(&path).map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap_or_default()) else {
            continue;
        };
        let listed = whole["signed"]["targets"].as_object().into_iter().flatten();
        named.extend(listed.filter_map(|(_, target)| target["hashes"]["sha256"].as_str().map(str::to_owned)));
    }
    // What drafts name has been written already.
    for document in documents.values() {
        let listed = document.signed()["targets"].as_object().into_iter().flatten();
        named.extend(listed.filter_map(|(_, target)| target["hashes"]["sha256"].as_str().map(str::to_owned)));
    }
    for path in files(&targets)? {
        let hash = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('.'));
        if hash.is_some_and(|(hash, _)| !named.contains(hash)) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Copies a repository, timestamp last, all of it on stable storage when this returns.
///
/// # Errors
/// [`PublishError`].
pub fn copy(from: &Path, to: &Path) -> Result<(), PublishError> {
    let timestamp = Path::new(Folder::METADATA).join("timestamp.json");
    let parts = [Folder::TARGETS, Folder::METADATA];
    let mut names: Vec<PathBuf> = Vec::new();
    for part in parts {
        let found = files(&from.join(part))?;
        names.extend(found.iter().filter_map(|path| path.strip_prefix(from).ok().map(Path::to_owned)));
    }
    names.retain(|name| *name != timestamp);
    names.push(timestamp);
    for name in names {
        let (source, place) = (from.join(&name), to.join(&name));
        let failed = |source| PublishError::Io { path: place.clone(), source };
        let same = fs::metadata(&place).ok().zip(fs::metadata(&source).ok());
        let is_root_or_target = !name.ends_with("timestamp.json");
        // Names never change their content, except the timestamp's.
        if is_root_or_target && same.is_some_and(|(a, b)| a.len() == b.len()) {
            continue;
        }
        fs::create_dir_all(place.parent().unwrap_or(to)).map_err(failed)?;
        let beside = place.with_extension("part");
        fs::copy(&source, &beside).map_err(failed)?;
        File::open(&beside).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&beside, &place).map_err(failed)?;
        durable::sync_folder_of(&place).map_err(failed)?;
    }
    Ok(())
}

fn versioned(path: &Path) -> Option<(u64, String)> {
    let (version, role) = path.file_name()?.to_str()?.strip_suffix(".json")?.split_once('.')?;
    Some((version.parse().ok()?, role.to_owned()))
}

/// Every file below a folder; none where it is not there.
fn files(dir: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let failed = |source| PublishError::Io { path: dir.into(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn remove(path: &Path) -> Result<(), PublishError> {
    fs::remove_file(path).map_err(|source| PublishError::Io { path: path.into(), source })
}
