//! What becomes of a store that does not open: a gate must scan.
//!
//! Apart from the journal itself because it decides about files that nobody can read any more. Invariant: nothing is
//! deleted; what is damaged is kept aside, and nothing moves where there is no room to begin again.

use super::JournalError;
use super::tables::{FOLDER, SLED_FILE};
use std::fs;
use std::io;
use std::path::Path;

/// Whether an error means that what is on the disk is no journal, so that trying again is of no use.
pub(super) fn is_damage(error: &JournalError) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        JournalError::Store { source: sled::Error::Io(source) } | JournalError::Folder { source, .. } => {
            matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof)
        }
        JournalError::Store { .. } => true,
        _ => false,
    }
}

/// Keeps a damaged store for an expert and puts a copy of its log in its place. sled's other files (settings, which
/// are its defaults, and a snapshot to start faster) it makes anew. Where there is no room for the copy nothing moves.
pub(super) fn set_aside(state: &Path) -> io::Result<()> {
    let (folder, fresh) = (state.join(FOLDER), state.join(FOLDER).with_extension("new"));
    let aside = (1..).map(|n| state.join(format!("{FOLDER}.damaged-{n}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| state.join(format!("{FOLDER}.damaged")));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir(&fresh)?;
    if folder.join(SLED_FILE).exists() {
        fs::copy(folder.join(SLED_FILE), fresh.join(SLED_FILE))?;
    }
    tracing::error!(kept = %aside.display(), "the journal is damaged; it is kept aside, and its log is read anew");
    fs::rename(&folder, &aside)?;
    fs::rename(&fresh, &folder)
}
