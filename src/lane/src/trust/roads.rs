//! Where something newer may be found, and whether it is worth a look.
//!
//! A road is looked down often and walked seldom: what it shows is recognised by its timestamp metadata, which is the
//! one file that changes with every publication and is copied last.

use super::feed::Road;
use crate::hub_link::HubLink;
use menshen_core::ids::sha256;
use menshen_trust::tuf::{Folder, Http, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

/// The folder of a repository on a stick.
pub const STICK_FOLDER: &str = "menshen";
/// No timestamp is longer.
const MAX_TIMESTAMP_BYTES: u64 = 16_384;

/// The hub as a road.
#[derive(Clone, Debug)]
pub struct HubRoad {
    /// The way to it.
    pub link: HubLink,
}

impl HubRoad {
    pub(super) fn source(&self) -> Arc<dyn Source> {
        let part = |name: &str| format!("{}/v1/trust/{name}", self.link.url());
        Arc::new(Http::with_agent(self.link.agent().clone(), &part(Folder::METADATA), &part(Folder::TARGETS)))
    }
}

/// Tells one publication from another.
pub(super) type Mark = [u8; 32];

/// The mark of what a source shows now; `None` where it shows nothing. One that can not be read is walked like any
/// other, so that it is refused for its own reason.
pub(super) fn mark(source: &dyn Source) -> Option<Mark> {
    match source.metadata("timestamp.json", MAX_TIMESTAMP_BYTES) {
        Ok(timestamp) => timestamp.map(|bytes| sha256(&bytes)),
        Err(error) => Some(sha256(error.to_string().as_bytes())),
    }
}

/// The mark of a stick's repository: that it has no timestamp is told, too.
pub(super) fn mark_of_stick(source: &dyn Source) -> Mark {
    mark(source).unwrap_or_default()
}

/// The sticks that are in: every folder below `mounts`, one or two levels deep (`/media/stick`, `/run/media/me/stick`),
/// that has a repository.
pub(super) fn sticks(mounts: &[PathBuf]) -> Vec<(Road, PathBuf)> {
    let mut found = Vec::new();
    for folder in mounts.iter().flat_map(|mount| folders(mount)) {
        let deeper = folders(&folder);
        for place in std::iter::once(folder).chain(deeper) {
            let repository = place.join(STICK_FOLDER);
            if repository.join(Folder::METADATA).is_dir() {
                found.push((Road::Stick(place), repository));
            }
        }
    }
    found
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let read = |dir: &Path| -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    };
    // A stick that is pulled out in this moment is not in.
    read(dir).unwrap_or_default()
}
