//! The hub's signing key: 64 hexadecimal digits in `hub.key`, readable by its owner alone.
//!
//! Gates learn the public key when they enrol and believe no ack of another key, so the file must
//! outlive the program: it is made once, whole or not at all, and a file that can not be read is an
//! error and never a reason to make another.

use ed25519_dalek::SigningKey;
use menshen_core::ids::unhex;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The name of the key file.
const FILE: &str = "hub.key";

/// A hub's key and where it came from.
#[derive(Debug)]
pub struct HubKey {
    /// The key.
    pub key: SigningKey,
    /// Its file.
    pub path: PathBuf,
    /// Whether the file was made just now.
    pub made: bool,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file does not hold a key.
    #[error(
        "{0} does not hold 64 hexadecimal digits; restore it from its backup, or remove it and enrol all gates again"
    )]
    Malformed(PathBuf),
    /// Others can read the file.
    #[error("{0} can be read by others; run `chmod 600` on it")]
    Exposed(PathBuf),
    /// The file can not be read or made.
    #[error("{path} can not be read or made ({source}); name a folder that this user can write to with --trust")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers ({0}); start again when it does")]
    Random(getrandom::Error),
}

impl HubKey {
    /// Reads the key in the folder `trust`, or makes one where there is none.
    pub fn load_or_make(trust: &Path) -> Result<HubKey, KeyError> {
        let path = trust.join(FILE);
        match File::open(&path) {
            Ok(file) => Ok(HubKey { key: read(&file, &path)?, path, made: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = make(&path)?;
                Ok(HubKey { key, path, made: true })
            }
            Err(source) => Err(KeyError::Io { path, source }),
        }
    }
}

fn read(file: &File, path: &Path) -> Result<SigningKey, KeyError> {
    let io = |source| KeyError::Io { path: path.into(), source };
    if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed(path.into()));
    }
    let text = io::read_to_string(file).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => KeyError::Malformed(path.into()),
        _ => io(error),
    })?;
    let mut seed = [0; 32];
    unhex(text.trim(), &mut seed).ok_or_else(|| KeyError::Malformed(path.into()))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn make(path: &Path) -> Result<SigningKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyError::Random)?;
    let text = format!("{}\n", crate::lines::hex(&seed));
    write_once(path, 0o600, &text).map_err(|source| KeyError::Io { path: path.into(), source })?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Writes beside and renames, so that a power cut leaves the whole file or none. The file has just this mode, whatever
/// the program's umask takes away from what it makes.
pub(crate) fn write_once(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    fs::remove_file(&beside).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let trust = folder.path().join("trust");
        let made = HubKey::load_or_make(&trust).expect("makes one");
        let read = HubKey::load_or_make(&trust).expect("reads it");
        assert!(made.made && !read.made);
        assert_eq!(made.key.to_bytes(), read.key.to_bytes());
        let mode = fs::metadata(&made.path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_holds_no_key_is_an_error_and_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        for text in ["", "00", "zz".repeat(32).as_str()] {
            fs::write(&path, text).expect("writes");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
            assert!(matches!(HubKey::load_or_make(folder.path()), Err(KeyError::Malformed(_))), "{text:?}");
            assert_eq!(fs::read_to_string(&path).expect("still there"), text);
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = HubKey::load_or_make(folder.path()).expect("makes one");
        fs::set_permissions(&made.path, fs::Permissions::from_mode(0o644)).expect("own file");
        assert!(matches!(HubKey::load_or_make(folder.path()), Err(KeyError::Exposed(_))));
    }
}
