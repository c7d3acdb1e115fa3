//! The status files of a gate in one folder, so that a power cut leaves each one whole or absent.
//!
//! ```text
//! 330000-00000000000000000041.list     330000-00000000000000000042.delta     … .new (half written, swept at the start)
//! ```
//!
//! A file is written beside its place, synced, renamed, and its folder synced, before anybody looks anything up in it;
//! what a newer list makes needless is removed after that. So at every moment the folder holds a state that was true,
//! and [`StatusFolder::load`] finds it. One process writes at a time; readers hold a [`StatusBook`] and are not disturbed.

use super::header::About;
use super::{Delta, IssuerStatus, StatusBook, StatusError, StatusList};
use menshen_core::ids::IssuerId;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A folder of status files.
#[derive(Clone, Debug)]
pub struct StatusFolder {
    path: PathBuf,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Loaded {
    /// What issuers say; one whose list does not open is in it as unreadable.
    pub book: StatusBook,
    /// The files that do not open, and why.
    pub faults: Vec<(PathBuf, StatusError)>,
}

/// The files of one issuer by their number.
#[derive(Default)]
struct Files {
    lists: BTreeMap<u64, PathBuf>,
    deltas: BTreeMap<u64, PathBuf>,
}

#[derive(Clone, Copy)]
enum Kind {
    List,
    Delta,
}

impl Kind {
    const fn ending(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::Delta => "delta",
        }
    }
}

const HALF_WRITTEN: &str = "new";
/// How much of a file is written at a time.
const PIECE_BYTES: usize = 1024 * 1024;

impl StatusFolder {
    /// Opens a folder, which is made if it is not there, and sweeps out what was being written when the power went.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(path: impl Into<PathBuf>) -> Result<StatusFolder, StatusError> {
        let folder = StatusFolder { path: path.into() };
        fs::create_dir_all(&folder.path).map_err(at(&folder.path))?;
        for path in folder.files()? {
            if path.extension().is_some_and(|ending| ending == HALF_WRITTEN) {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        Ok(folder)
    }

    /// Reads everything in the folder. A file that does not open is a fault and stops no other.
    ///
    /// # Errors
    /// What the disk says of the folder itself.
    pub fn load(&self) -> Result<Loaded, StatusError> {
        let mut loaded = Loaded { book: StatusBook::new(), faults: Vec::new() };
        for (issuer, files) in self.by_issuer()? {
            loaded.load(issuer, files);
        }
        Ok(loaded)
    }

    /// Makes a delta durable, then gives the book that knows it. One that changes nothing is not written.
    ///
    /// # Errors
    /// [`StatusError`]: no delta, of an issuer without a list, contradicting one that is held, or what the disk says.
    pub fn put_delta(&self, book: &StatusBook, bytes: &[u8]) -> Result<StatusBook, StatusError> {
        let delta = Delta::parse(bytes)?;
        let about = delta.about();
        let before = book.get(about.issuer).ok_or(StatusError::NoList { issuer: about.issuer })?;
        let after = before.with_delta(&delta)?;
        if after.deltas() > before.deltas() {
            let beside = self.write(&mut &bytes[..])?;
            self.settle(&beside, about, Kind::Delta)?;
        }
        let mut book = book.clone();
        book.put(after);
        Ok(book)
    }

    /// Makes a list durable, then gives the book that knows it, and removes the files that it makes needless.
    ///
    /// # Errors
    /// [`StatusError`]: no list, older than the one in use, or what the disk says.
    pub fn put_list(&self, book: &StatusBook, bytes: &mut dyn Read) -> Result<StatusBook, StatusError> {
        let beside = self.write(bytes)?;
        // The file stays open under its new name.
        let list = StatusList::open(&beside)?;
        let about = list.about();
        let after = match book.get(about.issuer) {
            Some(before) => Some(before.with_list(list)?),
            None => None,
        };
        self.settle(&beside, about, Kind::List)?;
        let files = self.by_issuer()?.remove(&about.issuer).unwrap_or_default();
        let older = files.lists.range(..about.seq).chain(files.deltas.range(..=about.seq));
        older.map(|(_, path)| path).for_each(|path| remove(path));
        let mut book = book.clone();
        match after {
            Some(after) => book.put(after),
            // Nothing of this issuer could be read so far: deltas that came while it could are in the folder.
            None => {
                let mut loaded = Loaded { book, faults: Vec::new() };
                loaded.load(about.issuer, self.by_issuer()?.remove(&about.issuer).unwrap_or_default());
                loaded.faults.iter().for_each(|(path, error)| tracing::warn!("{}: {error}", path.display()));
                book = loaded.book;
            }
        }
        Ok(book)
    }

    /// Writes some bytes beside their place and syncs them.
    fn write(&self, bytes: &mut dyn Read) -> Result<PathBuf, StatusError> {
        let beside = self.path.join("arriving").with_extension(HALF_WRITTEN);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside).map_err(at(&beside))?;
        copy(bytes, &mut file).and_then(|()| file.sync_all()).map_err(at(&beside))?;
        Ok(beside)
    }

    /// Moves a file that is synced to its place, durably.
    fn settle(&self, beside: &Path, about: About, kind: Kind) -> Result<(), StatusError> {
        let place = self.path.join(format!("{}-{:020}.{}", about.issuer, about.seq, kind.ending()));
        fs::rename(beside, &place).map_err(at(&place))?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(at(&self.path))
    }

    fn files(&self) -> Result<Vec<PathBuf>, StatusError> {
        let entries = fs::read_dir(&self.path).map_err(at(&self.path))?;
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(at(&self.path))
    }

    fn by_issuer(&self) -> Result<BTreeMap<IssuerId, Files>, StatusError> {
        let mut issuers: BTreeMap<IssuerId, Files> = BTreeMap::new();
        for path in self.files()? {
            // What is not named like one of these files is not ours.
            let Some((issuer, seq, kind)) = meaning_of(&path) else { continue };
            let files = issuers.entry(issuer).or_default();
            match kind {
                Kind::List => files.lists.insert(seq, path),
                Kind::Delta => files.deltas.insert(seq, path),
            };
        }
        Ok(issuers)
    }
}

impl Loaded {
    fn load(&mut self, issuer: IssuerId, files: Files) {
        let Some((_, newest)) = files.lists.last_key_value() else {
            self.faults.extend(files.deltas.into_values().map(|path| (path, StatusError::NoList { issuer })));
            return;
        };
        let mut status = match StatusList::open(newest).and_then(|list| of_issuer(list, issuer)) {
            Ok(list) => IssuerStatus::new(list),
            Err(error) => {
                self.faults.push((newest.clone(), error));
                self.book.put_unreadable(issuer);
                return;
            }
        };
        for path in files.deltas.into_values() {
            let bytes = fs::read(&path).map_err(at(&path));
            match bytes.and_then(|bytes| Delta::parse(&bytes)).and_then(|delta| status.with_delta(&delta)) {
                Ok(after) => status = after,
                Err(error) => self.faults.push((path, error)),
            }
        }
        self.book.put(status);
    }
}

/// A list that is of the issuer that its name says.
fn of_issuer(list: StatusList, issuer: IssuerId) -> Result<StatusList, StatusError> {
    let found = list.about().issuer;
    if found == issuer { Ok(list) } else { Err(StatusError::OtherIssuer { expected: issuer, found }) }
}

/// What the name of a file says it is.
fn meaning_of(path: &Path) -> Option<(IssuerId, u64, Kind)> {
    let (issuer, seq) = path.file_stem()?.to_str()?.split_once('-')?;
    let ending = path.extension()?;
    let kind = [Kind::List, Kind::Delta].into_iter().find(|kind| ending == kind.ending())?;
    Some((IssuerId::new(issuer.parse().ok()?)?, seq.parse().ok()?, kind))
}

/// Copies in large pieces, which the system keeps together: reading them a few bytes at a time is faster afterwards.
fn copy(from: &mut dyn Read, to: &mut File) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let mut filled = 0;
        while filled < PIECE_BYTES {
            match from.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        to.write_all(&piece[..filled])?;
    }
}

/// Removes what is needless; if it stays, the next list tries again.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("{} stays for now: {error}", path.display());
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StatusError + '_ {
    |source| StatusError::Disk { path: path.into(), source }
}
