//! A kept generation as a source, so that reading it again is verified by the same steps as an import.

use super::generation::Generation;
use crate::tuf::{Source, SourceError};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

/// The files of a generation under the names that a repository has for them.
pub(super) struct Kept {
    metadata: BTreeMap<String, String>,
    parts: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, PathBuf>,
}

impl Kept {
    /// A source that has nothing.
    pub(super) fn nothing() -> Kept {
        Kept { metadata: BTreeMap::new(), parts: BTreeMap::new(), files: BTreeMap::new() }
    }

    /// What a generation holds, with its files in `dir`.
    pub(super) fn of(generation: &Generation, dir: &Path) -> Kept {
        let parts = generation.parts.keys().filter_map(|path| Some((path.clone(), generation.part(path)?)));
        let files = generation.files.iter().map(|(path, file)| (path.clone(), dir.join(&file.sha256)));
        Kept { metadata: generation.metadata.clone(), parts: parts.collect(), files: files.collect() }
    }
}

impl Source for Kept {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let unversioned = name.split_once('.').map_or(name, |(_, rest)| rest);
        let text = match unversioned {
            "root.json" => self.metadata.get(&format!("root_history/{name}")),
            _ => self.metadata.get(name).or_else(|| self.metadata.get(unversioned)),
        };
        if text.is_some_and(|text| text.len() as u64 > max_bytes) {
            return Err(SourceError::TooLong { name: name.into(), max_bytes });
        }
        Ok(text.map(|text| text.as_bytes().to_vec()))
    }

    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let plain = match path.rsplit_once('/') {
            Some((folder, name)) => name.split_once('.').map(|(_, name)| format!("{folder}/{name}")),
            None => path.split_once('.').map(|(_, name)| name.to_owned()),
        };
        let plain = plain.unwrap_or_else(|| path.to_owned());
        if let Some(bytes) = self.parts.get(&plain) {
            return Ok(Some(Box::new(Cursor::new(bytes.clone()))));
        }
        let Some(place) = self.files.get(&plain) else { return Ok(None) };
        match File::open(place) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SourceError::Io { name: place.display().to_string(), source }),
        }
    }
}
