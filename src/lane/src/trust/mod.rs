//! What the gate believes, from the folder that it came with and by every road that leads to something newer.
//!
//! ```text
//! trust folder (site file)          state folder
//!   root.json     the trust anchor    trust/    the vault: what was imported last
//!   repository/   what it came with
//! ```
//!
//! A gate works from its first minute with what its trust folder holds. A thread of its own ([`Keeper`]) then looks
//! for something newer in that folder, on sticks and at the hub, verifies it, and puts it into the [`Feed`], from which
//! the loop takes it between two frames: a decision never waits for an import, and stands on the old trust or the new.

mod feed;
mod keeper;
mod leaving;
mod roads;
mod standing;
mod walked;

pub use feed::{Feed, Import, Road, RoadState, Trust};
pub use keeper::{Keeper, KeeperConfig};
pub use roads::{HubRoad, STICK_FOLDER};
pub use standing::{HeldBack, ListState, Standing, Standings};

use crate::ports::Clock;
use menshen_core::clock::Published;
use menshen_core::ids::{Hex, sha256};
use menshen_trust::tuf::TufError;
use menshen_trust::vault::{self, Believed, VaultError};
use std::fs;
use std::path::{Path, PathBuf};

/// The trust anchor in a trust folder: the root.json that everything is verified from.
pub const ROOT_FILE: &str = "root.json";
/// The repository in a trust folder.
pub const REPOSITORY: &str = "repository";

/// Why a gate has no trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustLoadError {
    /// A file is missing or unreadable.
    #[error(
        "{path} can not be read ({source}): bring the trust folder again, or correct its path; for a trial make one with `menshen trust init`"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The trust anchor is not the one that the site names.
    #[error(
        "{path} is not the trust anchor of this site: it is {found}, the site file says {wanted}; bring the trust folder of this site, or correct `anchor` in the site file"
    )]
    Anchor {
        /// Which file.
        path: PathBuf,
        /// The SHA-256 of what is there.
        found: String,
        /// The one wanted.
        wanted: String,
    },
    /// The repository is refused.
    #[error("{path} is refused: {source}")]
    Refused {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: TufError,
    },
    /// What the gate kept can not be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The trust anchor of a trust folder; with `anchor`, the SHA-256 of its bytes that the site names, it must be that one.
///
/// # Errors
/// [`TrustLoadError`].
pub fn read_root(dir: &Path, anchor: Option<[u8; 32]>) -> Result<Vec<u8>, TrustLoadError> {
    let path = dir.join(ROOT_FILE);
    let root = fs::read(&path).map_err(|source| TrustLoadError::Read { path: path.clone(), source })?;
    match anchor {
        Some(wanted) if wanted != sha256(&root) => {
            let (found, wanted) = (Hex(&sha256(&root)).to_string(), Hex(&wanted).to_string());
            Err(TrustLoadError::Anchor { path, found, wanted })
        }
        _ => Ok(root),
    }
}

/// What a gate came with, for one whose vault can not be made: it works, learns nothing newer, and says why.
///
/// # Errors
/// [`TrustLoadError`] where what it came with can not be believed either.
pub fn as_it_came(
    dir: &Path,
    anchor: Option<[u8; 32]>,
    clock: &dyn Clock,
    why: &TrustLoadError,
) -> Result<Feed, TrustLoadError> {
    let believed = load(dir, anchor)?;
    clock.published(published(&believed));
    let feed = Feed::fixed(Some(Trust::of(&believed)));
    let state = RoadState::Refused { refusal: None, why: why.to_string() };
    feed.tell(Some(Import { road: Road::Folder, state }));
    Ok(feed)
}

/// What a publication that is believed says of the time.
fn published(believed: &Believed) -> Published {
    Published { number: (believed.root_version, believed.timestamp_version), at_s: believed.list.content().as_of }
}

/// What a trust folder says, as of the moment that it names itself, for those who show it and check against it; with
/// `anchor`, as of [`read_root`].
///
/// # Errors
/// [`TrustLoadError`].
pub fn load(dir: &Path, anchor: Option<[u8; 32]>) -> Result<Believed, TrustLoadError> {
    let root = read_root(dir, anchor)?;
    let path = dir.join(REPOSITORY);
    vault::look(&root, &path).map_err(|source| TrustLoadError::Refused { path, source })
}
