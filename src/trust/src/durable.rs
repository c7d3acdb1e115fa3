//! Small files that survive a power cut: the whole old one or the whole new one, never a part.
//!
//! Write beside, sync, rename, sync the folder. Used for the device key, the epoch, the time floor:
//! whatever is not in the journal and must not be lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Replaces a file durably. `mode` is its permission, for example `0o600` for a key.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder_of(path)
}

/// Makes a file's name durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("epoch");
        replace(&path, b"1", 0o600)?;
        replace(&path, b"2", 0o600)?;
        assert_eq!(fs::read(&path)?, b"2");
        assert_eq!(fs::read_dir(dir.path())?.count(), 1);
        Ok(())
    }
}
