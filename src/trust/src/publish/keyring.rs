//! The private keys at hand when something is published.
//!
//! Keys lie in folders, one file each, 64 hexadecimal digits; the folders may be on sticks that are put in for the
//! moment of signing. Which key may sign what is said by the metadata and by nothing else, so a keyring is a heap.

use super::Signers;
use crate::tuf::{TufError, canonical};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use menshen_core::ids::{Hex, sha256, unhex};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How the file of a private key ends.
pub const KEY_EXTENSION: &str = "key";

/// Private keys by the id that TUF gives their public halves.
#[derive(Default)]
pub struct Keyring {
    keys: BTreeMap<String, SigningKey>,
}

/// Why a folder's keys can not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The folder or a file.
    #[error("{path} can not be read ({source}): put in the stick that has it, or name another folder")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a key.
    #[error("{0} is not a key: it must hold 64 hexadecimal digits")]
    Malformed(PathBuf),
}

impl Keyring {
    /// No keys.
    pub fn new() -> Keyring {
        Keyring::default()
    }

    /// Adds one.
    pub fn add(&mut self, key: SigningKey) -> Result<(), TufError> {
        self.keys.insert(key_id(key.verifying_key().as_bytes())?, key);
        Ok(())
    }

    /// Adds every `*.key` file of a folder.
    ///
    /// # Errors
    /// [`KeyringError`] where one can not be read.
    pub fn add_folder(&mut self, dir: &Path) -> Result<(), KeyringError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| KeyringError::Io { path, source }
        };
        for entry in fs::read_dir(dir).map_err(io(dir))? {
            let path = entry.map_err(io(dir))?.path();
            if path.extension().is_some_and(|extension| extension == KEY_EXTENSION) && path.is_file() {
                let key = read_key(&path)?;
                self.add(key).map_err(|_| KeyringError::Malformed(path))?;
            }
        }
        Ok(())
    }

    /// Whether enough of these signers' keys are at hand.
    pub fn can_sign(&self, signers: &Signers) -> bool {
        let ids = signers.keys.iter().filter_map(|key| key_id(key).ok());
        ids.filter(|id| self.keys.contains_key(id)).count() >= signers.threshold
    }

    /// The signature of these bytes by the key of an id, if it is at hand.
    pub(super) fn sign(&self, key_id: &str, bytes: &[u8]) -> Option<String> {
        let key = self.keys.get(key_id)?;
        Some(Hex(&key.sign(bytes).to_bytes()).to_string())
    }
}

/// Reads the private key of a file.
///
/// # Errors
/// [`KeyringError`].
pub fn read_key(path: &Path) -> Result<SigningKey, KeyringError> {
    let text = fs::read_to_string(path).map_err(|source| KeyringError::Io { path: path.into(), source })?;
    let mut seed = [0; 32];
    unhex(text.trim(), &mut seed).ok_or_else(|| KeyringError::Malformed(path.into()))?;
    Ok(SigningKey::from_bytes(&seed))
}

/// A public key as TUF metadata write it.
pub(super) fn key_object(public_key: &[u8; 32]) -> Value {
    json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": Hex(public_key).to_string() } })
}

/// Whether a signature is that of a key object over these bytes; `None` for a kind of key that is not ours.
pub(super) fn is_signed_by(key: &Value, bytes: &[u8], signature: &str) -> Option<bool> {
    let (mut public_key, mut found) = ([0; 32], [0; 64]);
    if key["keytype"] != "ed25519" {
        return None;
    }
    unhex(key["keyval"]["public"].as_str()?, &mut public_key)?;
    let key = VerifyingKey::from_bytes(&public_key).ok()?;
    let is_whole = unhex(signature, &mut found).is_some();
    Some(is_whole && key.verify_strict(bytes, &Signature::from_bytes(&found)).is_ok())
}

/// The id that securesystemslib gives a key: the SHA-256 of its canonical object.
pub(super) fn key_id(public_key: &[u8; 32]) -> Result<String, TufError> {
    Ok(Hex(&sha256(&canonical(&key_object(public_key))?)).to_string())
}
