//! The files of status lists beside the generations, each under its SHA-256.
//!
//! A file is written under another name, made durable, and then named: whatever has its name is whole. So an import
//! that was cut off goes on where it ended, and a file that two generations share is there once.

use super::generation::FileRef;
use super::lists::Lists;
use super::walk::file_ref;
use super::{Step, Steps};
use crate::durable;
use crate::tuf::{Client, Found, Refusal, TufError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a file is called before it is whole.
const UNFINISHED: &str = "part";
/// What an import leaves free on the disk: the journal is on it too, and a gate that can not record admits nobody.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The folder of files.
pub(super) struct Shelf<'a> {
    dir: &'a Path,
    steps: &'a Steps<'a>,
    mode: Mode,
    lists: &'a Lists,
    fetched: Cell<bool>,
    /// What the disk has refused to take: no fault of the repository, so no reason to hold a role back.
    failed: RefCell<Option<(PathBuf, io::Error)>>,
}

/// What is done with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Fetched where they are not here yet.
    Import,
    /// Those of a kept generation, hashed again.
    Again,
    /// Those of a repository in a folder, where they lie.
    InPlace,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(dir: &'a Path, steps: &'a Steps<'a>, mode: Mode, lists: &'a Lists) -> Shelf<'a> {
        Shelf { dir, steps, mode, lists, fetched: Cell::new(false), failed: RefCell::new(None) }
    }

    /// The lists that are open.
    pub(super) fn lists(&self) -> &Lists {
        self.lists
    }

    pub(super) fn step(&self, step: Step) -> io::Result<()> {
        self.steps.at(step)
    }

    /// Whether a file was fetched that was not here.
    pub(super) fn has_fetched(&self) -> bool {
        self.fetched.get()
    }

    pub(super) fn is_rereading(&self) -> bool {
        self.mode == Mode::Again
    }

    /// The file of a target: the one that is here, or fetched.
    pub(super) fn obtain(&self, client: &Client, found: &Found, path: &str) -> Result<(FileRef, PathBuf), TufError> {
        let file = file_ref(found, path)?;
        let place = match self.mode {
            Mode::Import | Mode::Again => self.dir.join(&file.sha256),
            Mode::InPlace => self.dir.join(found.file_name()?),
        };
        let here = fs::metadata(&place).is_ok_and(|metadata| metadata.len() == file.length);
        let hashed = || File::open(&place).is_ok_and(|file| found.is(file));
        match self.mode {
            Mode::Import if here => return Ok((file, place)),
            Mode::Again | Mode::InPlace if hashed() => return Ok((file, place)),
            Mode::Import => {}
            Mode::Again => {
                // Whatever has this name is whole: what is not has no name, and is fetched by the next import.
                let _ = fs::remove_file(&place);
                return Err(TufError::new(Refusal::Altered, path));
            }
            Mode::InPlace => {
                client.fetch(found, &mut io::sink())?;
                return Err(TufError::new(Refusal::Altered, path));
            }
        }
        self.fetched.set(true);
        self.fetch(client, found, &place).map_err(|error| match error {
            Failed::Tuf(error) => error,
            Failed::Io(error) => {
                let refused = TufError::new(Refusal::Unreachable, format!("{} ({error})", place.display()));
                self.failed.replace(Some((place.clone(), error)));
                refused
            }
        })?;
        Ok((file, place))
    }

    /// What the disk has refused to take since this was asked last.
    pub(super) fn take_failure(&self) -> Option<(PathBuf, io::Error)> {
        self.failed.take()
    }

    /// The file of a target of a generation that is kept.
    pub(super) fn kept(&self, listed: &Found, path: &str) -> Result<(FileRef, PathBuf), TufError> {
        let file = file_ref(listed, path)?;
        let place = self.dir.join(&file.sha256);
        if File::open(&place).is_ok_and(|file| listed.is(file)) {
            return Ok((file, place));
        }
        Err(TufError::new(Refusal::Altered, path))
    }

    fn fetch(&self, client: &Client, found: &Found, place: &Path) -> Result<(), Failed> {
        let beside = place.with_extension(UNFINISHED);
        self.steps.at(Step::FileBegun)?;
        let space = rustix::fs::statvfs(self.dir).map_err(io::Error::from)?;
        if space.f_bavail.saturating_mul(space.f_frsize) < found.length().saturating_add(RESERVE_BYTES) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        let mut out = Out { file: File::create(&beside)?, failed: None };
        let fetched = client.fetch(found, &mut out);
        let Out { file, failed } = out;
        if fetched.is_err() {
            // What is left of it is swept after the next import.
            let _ = fs::remove_file(&beside);
        }
        match failed {
            Some(error) => return Err(error.into()),
            None => fetched?,
        };
        self.steps.at(Step::FileWritten)?;
        file.sync_all()?;
        self.steps.at(Step::FileDurable)?;
        fs::rename(&beside, place)?;
        self.steps.at(Step::FileNamed)?;
        durable::sync_folder_of(place)?;
        Ok(())
    }

    /// Removes what no generation names. What can not be removed stays until the next time.
    pub(super) fn sweep(&self, named: &BTreeSet<&str>) {
        let Ok(entries) = fs::read_dir(self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_str().is_none_or(|name| !named.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// A file that remembers what the disk said, to tell a full disk from a source that fails.
struct Out {
    file: File,
    failed: Option<io::Error>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| {
            let kind = error.kind();
            // One that was only interrupted is tried again by whoever writes.
            self.failed = (kind != io::ErrorKind::Interrupted).then_some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

enum Failed {
    Tuf(TufError),
    Io(io::Error),
}

impl From<TufError> for Failed {
    fn from(error: TufError) -> Failed {
        Failed::Tuf(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Io(error)
    }
}
