//! A publication as the files that its metadata name, to be verified and then copied: onto a stick, into the folder of a
//! hub.
//!
//! Whoever prepared the folder that is read may be hostile: it may hold links to private files, pipes that never end,
//! files that change while they are read. So what is copied follows from the metadata alone, each file once read is
//! kept, no link below the folder is followed and only ordinary files are opened. What arrives is the timestamp that a
//! client has verified, roots that each follow from the one before, and what metadata name with its hash. A [`Bundle`] is
//! also a [`Source`], so that the very bytes that a client has verified are those that are copied.
//!
//! The folder that is written may have been prepared too: a link in it is replaced and never written through, and nothing
//! of what its metadata say is kept in memory but the names of files, and of these no more than a publication has.

use super::sign::file_bytes;
use super::{DRAFT, PublishError, ROOT, TARGETS, document, keyring, prune};
use crate::tuf::{Folder, MAX_METADATA_BYTES, Source, SourceError, canonical, is_inside, open_below};
use menshen_core::ids::{Hex, sha256};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const TIMESTAMP_FILE: &str = "timestamp.json";
/// More roots than any authority will ever have had.
const MAX_ROOTS: u64 = 1024;
/// The most metadata that are read of what a folder held before: ten times what every division of China needs.
const MAX_BYTES_BEFORE: usize = 64_000_000;
/// The most roles that are walked there.
const MAX_ROLES_BEFORE: usize = 1024;

/// A publication in a folder.
pub struct Bundle {
    dir: PathBuf,
    read: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The version of the first root that is copied; without one none is.
    anchor: Option<u64>,
    /// Whether all its roots count, as they are.
    is_own: bool,
}

/// The files of a publication, by their paths in the repository.
#[derive(Default)]
struct Named {
    /// Metadata but for the timestamp, in the order in which they may be written.
    metadata: BTreeMap<String, Vec<u8>>,
    /// Targets with their length and SHA-256.
    targets: BTreeMap<String, (u64, String)>,
    /// What is named and not there, or not as it is named.
    missing: Vec<String>,
}

impl Named {
    fn files(&self) -> BTreeSet<PathBuf> {
        let metadata = self.metadata.keys().map(String::as_str).chain([TIMESTAMP_FILE]);
        let metadata = metadata.map(|name| Path::new(Folder::METADATA).join(name));
        metadata.chain(self.targets.keys().map(|name| Path::new(Folder::TARGETS).join(name))).collect()
    }
}

impl Bundle {
    /// The publication in `dir`; nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Bundle {
        Bundle { dir: dir.into(), read: Mutex::default(), anchor: None, is_own: false }
    }

    /// The same, whose roots follow from the anchor `root`. Those before it, which nothing vouches for, are not copied.
    #[must_use]
    pub fn under(self, root: &[u8]) -> Bundle {
        let anchor = serde_json::from_slice::<Value>(root).ok().and_then(|whole| whole["signed"]["version"].as_u64());
        if let Some(version) = anchor {
            self.files().insert(root_file(version), root.into());
        }
        Bundle { anchor, ..self }
    }

    /// The publication of a repository of one's own: all its roots count.
    pub(super) fn own(dir: &Path) -> Bundle {
        Bundle { anchor: Some(1), is_own: true, ..Bundle::new(dir) }
    }

    /// Copies it to another folder, the timestamp last, and all of it on stable storage when this returns. Files that
    /// neither it nor the publication before it names are removed there: a reader may still be in the middle of that. So are
    /// roots that do not follow from its own: they are another authority's, and no gate of this one gets past them.
    /// Gives what the metadata name and the folder does not have; the rest is copied.
    ///
    /// # Errors
    /// [`PublishError`] where there is no publication, or the folder can not be written.
    pub fn copy_to(&self, to: &Path) -> Result<Vec<String>, PublishError> {
        let mut named = self.named().map_err(|error| PublishError::Tuf(error.into()))?;
        let there = Bundle::new(to);
        let mut keep = there.names(MAX_BYTES_BEFORE);
        keep.extend(self.add_roots(&mut named, &there));
        make_folders(to)?;
        named.missing.extend(self.copy_targets(&named.targets, to)?);
        for (name, bytes) in &named.metadata {
            put_metadata(to, name, bytes)?;
        }
        sync_folders(to, &named.files())?;
        put_metadata(to, TIMESTAMP_FILE, &self.bytes(TIMESTAMP_FILE).unwrap_or_default())?;
        sync_folders(to, &named.files())?;
        keep.extend(named.files());
        keep.extend(there.drafted());
        prune::keep_only(to, &keep)?;
        Ok(named.missing)
    }

    /// The metadata of one role, whatever names them.
    pub(super) fn role(&self, file: &str) -> Result<Vec<u8>, PublishError> {
        let bytes = self.metadata(file, MAX_METADATA_BYTES).map_err(|error| PublishError::Tuf(error.into()))?;
        bytes.ok_or_else(|| PublishError::Missing { dir: self.dir.clone(), names: file.into() })
    }

    /// Copies one role and its targets, and nothing that there was of it before stays; gives what could not be copied.
    pub(super) fn copy_role(&self, file: &str, whole: &Value, to: &Path) -> Result<Vec<String>, PublishError> {
        if to.is_symlink() {
            // Whoever prepared the stick would choose what is removed.
            return Err(io_error(to, io::Error::new(io::ErrorKind::NotADirectory, "it is a link and no folder")));
        }
        make_folders(to)?;
        let targets = document::targets(&whole["signed"]);
        let missing = self.copy_targets(&targets, to)?;
        put_metadata(to, file, &file_bytes(whole)?)?;
        let metadata = BTreeMap::from([(file.to_owned(), Vec::new())]);
        let files = Named { metadata, targets, ..Named::default() }.files();
        sync_folders(to, &files)?;
        prune::keep_only(to, &files)?;
        Ok(missing)
    }

    /// Copies targets; gives those that could not be copied.
    pub(super) fn copy_targets(
        &self,
        targets: &BTreeMap<String, (u64, String)>,
        to: &Path,
    ) -> Result<Vec<String>, PublishError> {
        let mut missing = Vec::new();
        for (name, (length, hash)) in targets {
            if !self.copy_target(to, name, *length, hash)? {
                missing.push(name.clone());
            }
        }
        Ok(missing)
    }

    /// What the metadata name, roots apart.
    fn named(&self) -> Result<Named, SourceError> {
        let mut named = Named::default();
        let read = |name: &str| self.metadata(name, MAX_METADATA_BYTES);
        walk(&read, &mut |file, found| {
            match found {
                Some((bytes, whole)) => {
                    named.targets.extend(document::targets(&whole["signed"]));
                    named.metadata.insert(file, bytes);
                }
                None => named.missing.push(file),
            }
            true
        })?;
        Ok(named)
    }

    /// The files that the metadata name, roots apart, which nobody has verified: as many as fit into these many bytes of
    /// metadata, and those are not kept.
    fn names(&self, mut bytes_left: usize) -> BTreeSet<PathBuf> {
        let mut names = BTreeSet::from([Path::new(Folder::METADATA).join(TIMESTAMP_FILE)]);
        let mut roles_left = MAX_ROLES_BEFORE;
        // What is broken names nothing more.
        let _ = walk(&|name: &str| self.read_once(name), &mut |file, found| {
            let length = found.as_ref().map_or(0, |(bytes, _)| bytes.len());
            let (Some(bytes), Some(roles)) = (bytes_left.checked_sub(length), roles_left.checked_sub(1)) else {
                return false;
            };
            (bytes_left, roles_left) = (bytes, roles);
            names.extend(found.iter().flat_map(|(_, whole)| document::target_files(&whole["signed"])));
            // A role may be called so, but it is no root.
            if !file.ends_with(&format!(".{ROOT}.json")) {
                names.insert(Path::new(Folder::METADATA).join(file));
            }
            true
        });
        names
    }

    /// Adds the roots that follow from the anchor. `there` is the folder that is about to be written: a root that follows
    /// too and that only it has is given by its path, since it stays there, and so do those before the anchor.
    fn add_roots(&self, named: &mut Named, there: &Bundle) -> BTreeSet<PathBuf> {
        let mut stay = BTreeSet::new();
        let Some(anchor) = self.anchor else { return stay };
        let place = |version: u64| Path::new(Folder::METADATA).join(root_file(version));
        let version_of =
            |whole: &Value| whole["signed"]["version"].as_u64().filter(|_| whole["signed"]["_type"] == ROOT);
        for version in 1..anchor.min(MAX_ROOTS) {
            let bytes = there.read_once(&root_file(version)).ok().flatten();
            let whole = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            stay.extend(whole.filter(|whole| version_of(whole) == Some(version)).map(|_| place(version)));
        }
        let mut last = Value::Null;
        for version in anchor..anchor.saturating_add(MAX_ROOTS) {
            let file = root_file(version);
            let is_next = |whole: &Value| version == anchor || follows(&last, whole);
            let parsed = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).ok().map(|whole| (bytes, whole));
            let own = self.metadata(&file, MAX_METADATA_BYTES).ok().flatten().and_then(parsed);
            if let Some((bytes, whole)) = own.filter(|(_, whole)| self.is_own || is_next(whole)) {
                named.metadata.insert(file, bytes);
                last = whole;
                continue;
            }
            let other = there.read_once(&file).ok().flatten().and_then(parsed);
            let Some((_, whole)) = other.filter(|(_, whole)| is_next(whole)) else { break };
            stay.insert(place(version));
            last = whole;
        }
        stay
    }

    /// The targets that drafts in the folder name: they were written before they are published.
    fn drafted(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut bytes_left = MAX_BYTES_BEFORE;
        let drafts = Bundle::new(self.dir.join(DRAFT));
        let names = fs::read_dir(&drafts.dir).into_iter().flatten().flatten();
        for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
            let Ok(Some(bytes)) = drafts.read_file("", &name, MAX_METADATA_BYTES) else { continue };
            let Some(left) = bytes_left.checked_sub(bytes.len()) else { break };
            bytes_left = left;
            let whole = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
            found.extend(document::target_files(&whole["signed"]));
        }
        found
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.files().get(name).cloned()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A map is whole after any panic of another holder.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, part: &str, name: &str) -> Result<Option<File>, SourceError> {
        if !is_inside(name) {
            return Err(SourceError::Name { name: name.into() });
        }
        open_below(&self.dir, &Path::new(part).join(name), name)
    }

    fn read_file(&self, part: &str, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(file) = self.open(part, name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| SourceError::Io { name: name.into(), source })?;
        if bytes.len() as u64 > max_bytes {
            return Err(SourceError::TooLong { name: name.into(), max_bytes });
        }
        Ok(Some(bytes))
    }

    /// A metadata file that is not kept in memory.
    fn read_once(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.read_file(Folder::METADATA, name, MAX_METADATA_BYTES)
    }

    /// Copies a target whose bytes are as they must be; gives whether they are there now.
    fn copy_target(&self, to: &Path, name: &str, length: u64, hash: &str) -> Result<bool, PublishError> {
        let relative = Path::new(Folder::TARGETS).join(name);
        let place = to.join(&relative);
        // A file of the right length may still be another: a stick wears out.
        if let Ok(Some(file)) = open_below(to, &relative, name)
            && copy_hashed(file, &mut io::sink(), length).is_ok_and(|found| found.as_deref() == Some(hash))
        {
            return Ok(true);
        }
        let Ok(Some(source)) = self.open(Folder::TARGETS, name) else { return Ok(false) };
        make_folder(to, relative.parent().unwrap_or(&relative))?;
        let beside = place.with_extension("part");
        let mut file = create(&beside)?;
        match copy_hashed(source, &mut file, length) {
            Ok(Some(found)) if found == hash => name_durably(file, &beside, &place).map(|()| true),
            Ok(_) => fs::remove_file(&beside).map(|()| false).map_err(|source| io_error(&beside, source)),
            Err(source) => Err(io_error(&place, source)),
        }
    }
}

impl Source for Bundle {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if let Some(bytes) = self.bytes(name) {
            let too_long = bytes.len() as u64 > max_bytes;
            return if too_long { Err(SourceError::TooLong { name: name.into(), max_bytes }) } else { Ok(Some(bytes)) };
        }
        let bytes = self.read_file(Folder::METADATA, name, max_bytes)?;
        if let Some(bytes) = &bytes {
            self.files().insert(name.into(), bytes.clone());
        }
        Ok(bytes)
    }

    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        Ok(self.open(Folder::TARGETS, path)?.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }
}

fn something_else(name: &str) -> SourceError {
    SourceError::SomethingElse { name: name.into() }
}

fn io_error(path: &Path, source: io::Error) -> PublishError {
    PublishError::Io { path: path.into(), source }
}

fn root_file(version: u64) -> String {
    format!("{version}.{ROOT}.json")
}

/// Reads a metadata file by its name.
type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Option<Vec<u8>>, SourceError>;
/// Told of each file, with its bytes and what they say where it is as it is named; gives whether to go on.
type Visit<'a> = &'a mut dyn FnMut(String, Option<(Vec<u8>, &Value)>) -> bool;

/// Walks the metadata below the timestamp, each checked against what the one before says of it.
fn walk(read: ReadFile<'_>, visit: Visit<'_>) -> Result<(), SourceError> {
    let (_, timestamp) = read_json(read, TIMESTAMP_FILE, None)?.ok_or_else(|| something_else(TIMESTAMP_FILE))?;
    let pin = &timestamp["signed"]["meta"]["snapshot.json"];
    let file = format!("{}.snapshot.json", pin["version"].as_u64().unwrap_or(0));
    let (bytes, snapshot) = read_json(read, &file, Some(pin))?.ok_or_else(|| something_else(&file))?;
    if !visit(file, Some((bytes, &snapshot))) {
        return Ok(());
    }
    let mut ahead = vec![TARGETS.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(role) = ahead.pop() {
        let pin = &snapshot["signed"]["meta"][format!("{role}.json")];
        let Some(version) = pin["version"].as_u64().filter(|_| seen.insert(role.clone())) else { continue };
        let file = format!("{version}.{role}.json");
        let found = read_json(read, &file, Some(pin)).ok().flatten();
        ahead.extend(found.iter().flat_map(|(_, whole)| document::delegated(&whole["signed"])));
        let goes_on = match found {
            Some((bytes, whole)) => visit(file, Some((bytes, &whole))),
            None => visit(file, None),
        };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// A metadata file, if it is what its superior says of it.
fn read_json(read: ReadFile<'_>, name: &str, pin: Option<&Value>) -> Result<Option<(Vec<u8>, Value)>, SourceError> {
    let Some(bytes) = read(name)? else { return Ok(None) };
    let hash = pin.and_then(|pin| pin["hashes"]["sha256"].as_str());
    if hash.is_some_and(|hash| !hash.eq_ignore_ascii_case(&Hex(&sha256(&bytes)).to_string())) {
        return Err(something_else(name));
    }
    let whole = serde_json::from_slice(&bytes).map_err(|_| something_else(name))?;
    Ok(Some((bytes, whole)))
}

/// Whether a root is the next of another: signed by those whom each of the two names.
fn follows(before: &Value, next: &Value) -> bool {
    let version = |whole: &Value| whole["signed"]["version"].as_u64();
    let is_next =
        version(before).and_then(|before| before.checked_add(1)).is_some_and(|due| version(next) == Some(due));
    let Ok(bytes) = canonical(&next["signed"]) else { return false };
    let is_signed = |id: &String, keys: &BTreeMap<String, Value>| {
        let mut signatures = next["signatures"].as_array().into_iter().flatten().filter(|own| own["keyid"] == **id);
        signatures.any(|own| {
            let signature = own["sig"].as_str().unwrap_or_default();
            keys.get(id).and_then(|key| keyring::is_signed_by(key, &bytes, signature)) == Some(true)
        })
    };
    is_next
        && [before, next].iter().all(|by| {
            let (keys, entry) = (document::keys(&by["signed"]), &by["signed"]["roles"][ROOT]);
            let found = document::key_ids(entry).iter().filter(|id| is_signed(id, &keys)).count() as u64;
            entry["threshold"].as_u64().is_some_and(|threshold| threshold > 0 && found >= threshold)
        })
}

/// The file name, length and SHA-256 of a target as a role lists it; `None` for what can not be a file of a repository.
pub(super) fn target_of(path: &str, target: &Value) -> Option<(String, (u64, String))> {
    let hash = target["hashes"]["sha256"].as_str()?.to_ascii_lowercase();
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{hash}.{name}"),
        None => format!("{hash}.{path}"),
    };
    (is_hash && is_inside(&name)).then_some((name, (target["length"].as_u64()?, hash)))
}

/// Copies `length` bytes and no more; gives their SHA-256, or `None` where there are more or fewer.
fn copy_hashed(mut from: impl Read, to: &mut dyn Write, length: u64) -> io::Result<Option<String>> {
    let (mut hasher, mut buffer, mut left) = (Sha256::new(), vec![0; 64 * 1024], length);
    loop {
        // What can not be read is not there; what can not be written is a fault of the copy.
        let Ok(count) = from.read(&mut buffer) else { return Ok(None) };
        if count == 0 {
            break;
        }
        let Some(rest) = left.checked_sub(count as u64) else { return Ok(None) };
        left = rest;
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
    Ok((left == 0).then(|| Hex(&hasher.finalize()).to_string()))
}

/// Makes the folders of a repository.
fn make_folders(to: &Path) -> Result<(), PublishError> {
    [Folder::METADATA, Folder::TARGETS].iter().try_for_each(|part| make_folder(to, Path::new(part)))
}

/// Makes the folders of `relative` below `to`; what lies in their way and is no folder is removed.
fn make_folder(to: &Path, relative: &Path) -> Result<(), PublishError> {
    fs::create_dir_all(to).map_err(|source| io_error(to, source))?;
    let mut path = to.to_owned();
    for component in relative.components() {
        path.push(component);
        let failed = |source| io_error(&path, source);
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => continue,
            Ok(_) => fs::remove_file(&path).map_err(failed)?,
            Err(_) => {}
        }
        fs::create_dir(&path).map_err(failed)?;
    }
    Ok(())
}

/// A new file: what lies in its place is removed and not written through.
fn create(path: &Path) -> Result<File, PublishError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(path, error)),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).map_err(|source| io_error(path, source))
}

fn name_durably(file: File, beside: &Path, place: &Path) -> Result<(), PublishError> {
    let failed = |source| io_error(place, source);
    file.sync_all().map_err(failed)?;
    // Whoever verifies the copy is to read the stick and not this computer's memory; a system that can not forget it
    // has made the copy all the same.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    fs::rename(beside, place).map_err(failed)
}

/// Makes the names of these files durable.
fn sync_folders(to: &Path, files: &BTreeSet<PathBuf>) -> Result<(), PublishError> {
    let folders: BTreeSet<PathBuf> = files.iter().filter_map(|file| Some(to.join(file).parent()?.into())).collect();
    folders.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| {
        let synced = File::open(folder).and_then(|opened| opened.sync_all());
        synced.map_err(|source| io_error(folder, source))
    })
}

fn put_metadata(to: &Path, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
    let relative = Path::new(Folder::METADATA).join(name);
    let place = to.join(&relative);
    let is_there = open_below(to, &relative, name).ok().flatten().is_some_and(|file| {
        let mut there = Vec::new();
        file.take(MAX_METADATA_BYTES).read_to_end(&mut there).is_ok() && there == bytes
    });
    if is_there {
        return Ok(());
    }
    make_folder(to, relative.parent().unwrap_or(&relative))?;
    let beside = place.with_extension("part");
    let mut file = create(&beside)?;
    file.write_all(bytes).map_err(|source| io_error(&beside, source))?;
    name_durably(file, &beside, &place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A folder whose metadata nobody has signed: the top role delegates to as many others.
    fn prepared(roles: usize) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join(Folder::METADATA)).expect("makes a folder");
        let write = |name: &str, signed: Value| {
            let whole = json!({ "signed": signed, "signatures": [] });
            fs::write(dir.path().join(Folder::METADATA).join(name), whole.to_string()).expect("writes");
        };
        let names: Vec<String> = (0..roles).map(|number| format!("role{number}")).chain([ROOT.to_owned()]).collect();
        let mut meta = json!({ "targets.json": { "version": 1 } });
        for name in &names {
            meta[format!("{name}.json")] = json!({ "version": 1 });
            write(&format!("1.{name}.json"), json!({ "targets": {} }));
        }
        let delegated: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        write("1.targets.json", json!({ "delegations": { "roles": delegated } }));
        write("1.snapshot.json", json!({ "meta": meta }));
        write("timestamp.json", json!({ "meta": { "snapshot.json": { "version": 1 } } }));
        dir
    }

    #[test]
    fn what_a_folder_claims_fills_no_memory() {
        let dir = prepared(MAX_ROLES_BEFORE + 9);
        let there = Bundle::new(dir.path());
        let names = there.names(MAX_BYTES_BEFORE);
        assert!(names.len() <= MAX_ROLES_BEFORE + 1, "{}", names.len());
        assert!(there.files().is_empty());
        let few = prepared(9);
        let names = |bytes| Bundle::new(few.path()).names(bytes).len();
        // The timestamp, the snapshot, the top role and those below it.
        assert_eq!(names(MAX_BYTES_BEFORE), 12);
        assert!(names(500) < 12 && names(0) == 1);
    }

    #[test]
    fn a_role_that_is_called_root_keeps_no_root() {
        let names = Bundle::new(prepared(1).path()).names(MAX_BYTES_BEFORE);
        assert!(!names.contains(Path::new("metadata/1.root.json")) && names.len() == 4, "{names:?}");
    }
}
