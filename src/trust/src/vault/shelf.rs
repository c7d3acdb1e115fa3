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
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What a file is called before it is whole.
const UNFINISHED: &str = "part";

/// The folder of files.
pub(super) struct Shelf<'a> {
    dir: &'a Path,
    steps: &'a Steps<'a>,
    mode: Mode,
    lists: &'a Lists,
    fetched: Cell<bool>,
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
        Shelf { dir, steps, mode, lists, fetched: Cell::new(false) }
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
            Failed::Io(error) => TufError::new(Refusal::Unreachable, format!("{} ({error})", place.display())),
        })?;
        Ok((file, place))
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
        let mut out = File::create(&beside)?;
        client.fetch(found, &mut out).inspect_err(|_| {
            // What is left of it is swept after the next import.
            let _ = fs::remove_file(&beside);
        })?;
        self.steps.at(Step::FileWritten)?;
        out.sync_all()?;
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
