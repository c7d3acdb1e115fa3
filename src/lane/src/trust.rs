//! The trust directory of a gate: the signed list and the anchor it is checked against.
//!
//! A gate works offline from its first minute, so what it believes is in a folder on its own disk:
//! `trust-list.cose` (see [`menshen_core::trust`]) and `anchor.pub`, the trust anchor's Ed25519 public
//! key as 64 hexadecimal digits. The anchor may also be pinned elsewhere (a site file); then the folder's
//! own is not asked.

use crate::durable;
use menshen_core::ids::{KeyId, unhex};
use menshen_core::trust::{MAX_TRUST_BYTES, TrustError, TrustList};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The file of the signed list.
pub const LIST_FILE: &str = "trust-list.cose";
/// The file of the anchor's public key.
pub const ANCHOR_FILE: &str = "anchor.pub";

/// Within the state folder: the anchor's key id and the highest version believed under it.
const VERSION_FILE: &str = "trust-version";

/// Why a gate has no trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustLoadError {
    /// A file is missing or unreadable.
    #[error(
        "{path} can not be read ({source}): bring the trust list again, or correct the trust folder; for a trial make one with `menshen trust init`"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The anchor's file is not a key.
    #[error("{path} is not a public key: it must hold 64 hexadecimal digits")]
    Anchor {
        /// Which file.
        path: PathBuf,
    },
    /// The list is older than one that this gate has believed.
    #[error("{path} has version {version}, this gate has already believed version {known}: bring it the newest list")]
    Older {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u64,
        /// The version that was believed before.
        known: u64,
    },
    /// The list is refused.
    #[error("{path} is refused: {source}; fetch the trust list again")]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: TrustError,
    },
}

/// Reads and verifies the trust of a folder, against `anchor` or, without one, the folder's own.
pub fn load(dir: &Path, anchor: Option<[u8; 32]>) -> Result<TrustList, TrustLoadError> {
    let anchor = match anchor {
        Some(anchor) => anchor,
        None => read_key(&dir.join(ANCHOR_FILE))?,
    };
    let path = dir.join(LIST_FILE);
    let signed = read_bounded(&path).map_err(|source| TrustLoadError::Read { path: path.clone(), source })?;
    TrustList::open(&signed, &anchor, &mut Vec::new()).map_err(|source| TrustLoadError::Refused { path, source })
}

/// The same for a gate, which never goes back: the highest version that it has believed under this anchor is kept in
/// its state folder, and a list with a lower one is refused.
pub fn load_forward(dir: &Path, anchor: Option<[u8; 32]>, state: &Path) -> Result<TrustList, TrustLoadError> {
    let anchor = match anchor {
        Some(anchor) => anchor,
        None => read_key(&dir.join(ANCHOR_FILE))?,
    };
    let trust = load(dir, Some(anchor))?;
    let (file, version) = (state.join(VERSION_FILE), trust.content().version);
    let anchor = KeyId::of(&anchor).to_string();
    let known = fs::read_to_string(&file).ok().and_then(|text| known_version(&text, &anchor));
    if let Some(known) = known.filter(|known| *known > version) {
        return Err(TrustLoadError::Older { path: dir.join(LIST_FILE), version, known });
    }
    if known != Some(version)
        && let Err(error) = durable::replace(&file, format!("{anchor} {version}\n").as_bytes(), 0o600)
    {
        tracing::warn!("{} can not be written ({error}): an older trust list would not be noticed", file.display());
    }
    Ok(trust)
}

fn known_version(text: &str, anchor: &str) -> Option<u64> {
    let (of, version) = text.trim().split_once(' ')?;
    if of == anchor { version.parse().ok() } else { None }
}

/// Reads a 32-byte key written as 64 hexadecimal digits.
pub fn read_key(path: &Path) -> Result<[u8; 32], TrustLoadError> {
    let text = fs::read_to_string(path).map_err(|source| TrustLoadError::Read { path: path.into(), source })?;
    let mut key = [0; 32];
    unhex(text.trim(), &mut key).ok_or_else(|| TrustLoadError::Anchor { path: path.into() })?;
    Ok(key)
}

/// One byte more than a list may have is enough to refuse it.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_TRUST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
