//! The gate's own signing key, made on the device and never leaving it.
//!
//! It signs batches, and its public half is the gate's name ([`GateId`]).

use crate::durable;
use ed25519_dalek::SigningKey;
use menshen_core::ids::{GateId, Hex, unhex};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file of the key within the state folder: 64 hexadecimal digits, mode 0600.
pub const KEY_FILE: &str = "device.key";

/// Why a gate has no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can neither be read nor made.
    #[error(
        "the device key {path} can not be read or written ({source}): give the gate a state folder that it may write"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a key.
    #[error("the device key {path} is damaged: restore it, or remove it to enrol this gate anew")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The system gave no randomness.
    #[error("the system has no random numbers to make a device key of: check /dev/urandom")]
    Random,
}

/// The key of a state folder, made at first use.
pub fn load_or_make(state: &Path) -> Result<SigningKey, KeyError> {
    let path = state.join(KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mut seed = [0; 32];
            unhex(text.trim(), &mut seed).ok_or(KeyError::Damaged { path })?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(source) => Err(KeyError::Io { path, source }),
    }
}

/// The name of the gate that has this key.
pub fn gate_id(key: &SigningKey) -> GateId {
    GateId::of(key.verifying_key().as_bytes())
}

fn make(path: PathBuf) -> Result<SigningKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| KeyError::Random)?;
    durable::replace(&path, format!("{}\n", Hex(&seed)).as_bytes(), 0o600)
        .map_err(|source| KeyError::Io { path, source })?;
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_stays_and_only_its_owner_may_read_it() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let first = load_or_make(dir.path())?;
        assert_eq!(load_or_make(dir.path())?.to_bytes(), first.to_bytes());
        assert_eq!(fs::metadata(dir.path().join(KEY_FILE))?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn a_damaged_key_is_told_and_not_replaced() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join(KEY_FILE), "not a key")?;
        assert!(matches!(load_or_make(dir.path()), Err(KeyError::Damaged { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(KEY_FILE))?, "not a key");
        Ok(())
    }
}
