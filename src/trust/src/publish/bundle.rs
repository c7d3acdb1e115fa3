//! A publication as the files that its metadata name, to be verified and then copied: onto a stick, into the folder of a
//! hub.
//!
//! Whoever prepared the folder that is read may be hostile: it may hold links to private files, pipes that never end,
//! files that change while they are read. So what is copied follows from the metadata alone, each file once read is
//! kept, links are not followed and only ordinary files are opened, and no byte arrives that is not hashed by metadata. A
//! [`Bundle`] is also a [`Source`], so that the very bytes that a client has verified are those that are copied.
//!
//! The folder that is written may have been prepared too: a link in it is replaced and never written through.

use super::sign::file_bytes;
use super::{DRAFT, PublishError, TARGETS, document, prune};
use crate::tuf::{Folder, MAX_METADATA_BYTES, Source, SourceError};
use menshen_core::ids::{Hex, sha256};
use rustix::fs::OFlags;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const TIMESTAMP_FILE: &str = "timestamp.json";
/// More roots than any authority will ever have had.
const MAX_ROOTS: u64 = 1024;

/// A publication in a folder.
pub struct Bundle {
    dir: PathBuf,
    read: Mutex<BTreeMap<String, Vec<u8>>>,
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
    /// Roots that nobody has verified: no reader of today needs them, and they replace nothing.
    unread_roots: BTreeSet<String>,
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
        Bundle { dir: dir.into(), read: Mutex::default() }
    }

    /// The same, whose roots follow from the anchor `root`.
    #[must_use]
    pub fn under(self, root: &[u8]) -> Bundle {
        let version = serde_json::from_slice::<Value>(root).ok().and_then(|whole| whole["signed"]["version"].as_u64());
        if let Some(version) = version {
            self.files().insert(format!("{version}.root.json"), root.into());
        }
        self
    }

    /// The publication of a repository of one's own: all its roots count.
    pub(super) fn own(dir: &Path) -> Bundle {
        let bundle = Bundle::new(dir);
        let is_there =
            |version: &u64| matches!(bundle.metadata(&format!("{version}.root.json"), MAX_METADATA_BYTES), Ok(Some(_)));
        let _ = (1..MAX_ROOTS).take_while(is_there).count();
        bundle
    }

    /// Copies it to another folder, the timestamp last, and all of it on stable storage when this returns. Files that
    /// neither it nor the publication before it names are removed there: a reader may still be in the middle of that.
    /// Gives what the metadata name and the folder does not have; the rest is copied.
    ///
    /// # Errors
    /// [`PublishError`] where there is no publication, or the folder can not be written.
    pub fn copy_to(&self, to: &Path) -> Result<Vec<String>, PublishError> {
        let mut named = self.named().map_err(|error| PublishError::Tuf(error.into()))?;
        let mut keep = Bundle::new(to).named().map(|before| before.files()).unwrap_or_default();
        for part in [Folder::METADATA, Folder::TARGETS] {
            make_folder(to, Path::new(part))?;
        }
        named.missing.extend(self.copy_targets(&named.targets, to)?);
        for (name, bytes) in &named.metadata {
            let there = open_ordinary(&to.join(Folder::METADATA).join(name), name);
            if !named.unread_roots.contains(name) || !matches!(there, Ok(Some(_))) {
                put_metadata(to, name, bytes)?;
            }
        }
        sync_folders(to, &named.files())?;
        put_metadata(to, TIMESTAMP_FILE, &self.bytes(TIMESTAMP_FILE).unwrap_or_default())?;
        sync_folders(to, &named.files())?;
        keep.extend(named.files());
        keep.extend(drafted(to));
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

    /// Walks the metadata, each checked against what the one before says of it.
    fn named(&self) -> Result<Named, SourceError> {
        let read: BTreeSet<String> = self.files().keys().cloned().collect();
        let mut named = Named::default();
        let timestamp = self.json(TIMESTAMP_FILE, None)?.ok_or_else(|| something_else(TIMESTAMP_FILE))?;
        let pin = &timestamp["signed"]["meta"]["snapshot.json"];
        let snapshot_file = format!("{}.snapshot.json", pin["version"].as_u64().unwrap_or(0));
        let snapshot = self.json(&snapshot_file, Some(pin))?.ok_or_else(|| something_else(&snapshot_file))?;
        named.metadata.insert(snapshot_file.clone(), self.bytes(&snapshot_file).unwrap_or_default());
        let mut ahead = vec![TARGETS.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(role) = ahead.pop() {
            let pin = &snapshot["signed"]["meta"][format!("{role}.json")];
            let Some(version) = pin["version"].as_u64().filter(|_| seen.insert(role.clone())) else { continue };
            let file = format!("{version}.{role}.json");
            let Ok(Some(whole)) = self.json(&file, Some(pin)) else {
                named.missing.push(file);
                continue;
            };
            named.metadata.insert(file.clone(), self.bytes(&file).unwrap_or_default());
            named.targets.extend(document::targets(&whole["signed"]));
            ahead.extend(document::delegated(&whole["signed"]));
        }
        for version in 1..MAX_ROOTS {
            let file = format!("{version}.root.json");
            match self.metadata(&file, MAX_METADATA_BYTES) {
                Ok(Some(bytes)) => {
                    if !read.contains(&file) {
                        named.unread_roots.insert(file.clone());
                    }
                    named.metadata.insert(file, bytes);
                }
                // An anchor may be a later root than the first.
                Ok(None) | Err(_) if version == 1 => {}
                Ok(None) | Err(_) => break,
            }
        }
        Ok(named)
    }

    /// A metadata file, if it is what its superior says of it.
    fn json(&self, name: &str, pin: Option<&Value>) -> Result<Option<Value>, SourceError> {
        let Some(bytes) = self.metadata(name, MAX_METADATA_BYTES)? else { return Ok(None) };
        let hash = pin.and_then(|pin| pin["hashes"]["sha256"].as_str());
        if hash.is_some_and(|hash| !hash.eq_ignore_ascii_case(&Hex(&sha256(&bytes)).to_string())) {
            return Err(something_else(name));
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| something_else(name))
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
        open_ordinary(&self.dir.join(part).join(name), name)
    }

    /// Copies a target whose bytes are as they must be; gives whether they are there now.
    fn copy_target(&self, to: &Path, name: &str, length: u64, hash: &str) -> Result<bool, PublishError> {
        let relative = Path::new(Folder::TARGETS).join(name);
        let place = to.join(&relative);
        // A file of the right length may still be another: a stick wears out.
        if let Ok(Some(file)) = open_ordinary(&place, name)
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
        let too_long = || SourceError::TooLong { name: name.into(), max_bytes };
        if let Some(bytes) = self.bytes(name) {
            return if bytes.len() as u64 > max_bytes { Err(too_long()) } else { Ok(Some(bytes)) };
        }
        let Some(file) = self.open(Folder::METADATA, name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| SourceError::Io { name: name.into(), source })?;
        if bytes.len() as u64 > max_bytes {
            return Err(too_long());
        }
        self.files().insert(name.into(), bytes.clone());
        Ok(Some(bytes))
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

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|component| matches!(component, Component::Normal(_)))
}

/// Opens an ordinary file and nothing else; a pipe is not waited for, a link not followed.
fn open_ordinary(path: &Path, name: &str) -> Result<Option<File>, SourceError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if path.is_symlink() => return Err(something_else(name)),
        Err(source) => return Err(SourceError::Io { name: path.display().to_string(), source }),
    };
    match file.metadata() {
        Ok(about) if about.is_file() => Ok(Some(file)),
        _ => Err(something_else(name)),
    }
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

/// The targets that drafts in a folder name: they were written before they are published.
fn drafted(dir: &Path) -> Vec<PathBuf> {
    let drafts = fs::read_dir(dir.join(DRAFT)).into_iter().flatten().flatten();
    let whole = drafts.filter_map(|entry| serde_json::from_slice::<Value>(&fs::read(entry.path()).ok()?).ok());
    whole.flat_map(|whole| document::target_files(&whole["signed"])).collect()
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
    let is_there = open_ordinary(&place, name).ok().flatten().is_some_and(|file| {
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
