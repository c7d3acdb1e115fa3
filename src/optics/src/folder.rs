//! The pictures of a folder, in the order in which a gate shows them to itself.
//!
//! Separate because a folder stands in for a camera on the bench and in the
//! demo; it names files only, and [`Frame::from_picture`](super::Frame::from_picture)
//! reads them.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Endings of the files that count as pictures, in lower case.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "webp", "pgm"];

/// The pictures directly in `folder`, sorted by name, byte by byte (so number
/// them with leading zeros).
///
/// # Errors
/// [`FolderError`] when the folder cannot be listed.
pub fn pictures(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, FolderError> {
    let folder = folder.as_ref();
    list(folder).map_err(|source| FolderError { path: folder.to_owned(), source })
}

/// A folder that cannot be listed.
#[derive(Debug, Error)]
#[error("cannot list the folder of pictures {}: {source}; check its path and permissions", path.display())]
pub struct FolderError {
    /// The folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_picture(&path) && path.is_file() {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn is_picture(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_in_name_order_and_nothing_else_comes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a.png", "c.txt", "d", "0.webp"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("e.png")).unwrap();
        let names: Vec<_> =
            pictures(folder.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["0.webp", "a.png", "b.JPG"]);
    }

    #[test]
    fn an_absent_folder_is_named() {
        let error = pictures("no such folder").unwrap_err();
        assert!(error.to_string().contains("no such folder"));
    }
}
