//! The client workflow of the TUF specification (section 5) over any [`Source`], with what is believed in a [`Store`].
//!
//! `sigstore-tuf` is asynchronous because its own transport is; ours are not, so its futures are ready when they are
//! first asked. Targets are read by this module and not by the crate, because status lists are too large to be
//! held in memory: they are hashed on their way to wherever the caller wants them.

use super::error::{Refusal, TufError};
use super::source::{Source, SourceError};
use sha2::{Digest, Sha256, Sha512};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Delegations, Metadata, MetadataStore, Repository, TargetFile, Targets, Updater, UpdaterConfig};
use std::future::Future;
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Every division of China down to the city has room, and the offices of some of them.
const MAX_ROLES: u32 = 1024;
/// How many roots a gate from a shelf may be behind: one every month for twenty years.
const MAX_ROOT_ROTATIONS: u32 = 240;
/// The most bytes of the metadata of one role: some 8,000 files.
pub(crate) const MAX_METADATA_BYTES: u64 = 2_000_000;
/// The most bytes of one target: a status list of 11 million entries.
const MAX_TARGET_BYTES: u64 = 80_000_000;

/// Where verified metadata are kept: `root.json`, `root_history/2.root.json`, `timestamp.json`, `330000.json`, …
///
/// What it gives is verified again from the pinned root, so it need not be believed either.
pub trait Store: Send + Sync {
    /// The bytes kept under a name.
    fn load(&self, name: &str) -> Option<Vec<u8>>;
    /// Keeps verified bytes under a name.
    ///
    /// # Errors
    /// What the system says; the client goes on, what was not kept is fetched again.
    fn keep(&self, name: &str, bytes: &[u8]) -> std::io::Result<()>;
}

/// A TUF client.
pub struct Client {
    updater: Updater,
    source: Arc<dyn Source>,
}

/// A target that the repository vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    file: TargetFile,
    path: String,
}

impl Client {
    /// A client that believes `root`, the bytes of a root.json, and whatever the store has that follows from it.
    ///
    /// # Errors
    /// [`TufError`] where `root` is not a root signed by itself.
    pub fn new(root: &[u8], source: Arc<dyn Source>, store: Arc<dyn Store>) -> Result<Client, TufError> {
        let mut config = UpdaterConfig::default();
        config.max_delegations = MAX_ROLES;
        config.max_root_rotations = MAX_ROOT_ROTATIONS;
        config.targets_max_length = MAX_METADATA_BYTES;
        config.target_max_length = MAX_TARGET_BYTES;
        let updater = Updater::new(Road(source.clone()), root)?.with_config(config).with_store(Keeper(store));
        Ok(Client { updater, source })
    }

    /// Brings root, timestamp, snapshot and top-level targets up to date, as of `now_unix_s`.
    ///
    /// # Errors
    /// [`TufError`]; what was believed before still is.
    pub fn refresh(&mut self, now_unix_s: u64) -> Result<(), TufError> {
        let now = moment(now_unix_s)?;
        at_once(self.updater.refresh(now))
    }

    /// Looks for the role that may sign `path` and lists it: pre-order over the delegations, as the specification says
    /// in section 5.6.7. Needs a refresh before it.
    ///
    /// # Errors
    /// [`TufError`] of the role that could not be verified on the way.
    pub fn find(&mut self, path: &str, now_unix_s: u64) -> Result<Option<Found>, TufError> {
        let now = moment(now_unix_s)?;
        let file = at_once(self.updater.get_target_info(path, now))?;
        Ok(file.map(|file| Found { file, path: path.into() }))
    }

    /// Reads a target into `out`; gives its SHA-256. What was written must be thrown away where this fails.
    ///
    /// # Errors
    /// [`TufError`], also where the bytes are not those that the repository vouches for.
    pub fn fetch(&self, found: &Found, out: &mut dyn Write) -> Result<[u8; 32], TufError> {
        let name = found.name(self.updater.trusted().root().consistent_snapshot)?;
        let Some(reader) = self.source.target(&name)? else {
            return Err(TufError::new(Refusal::Missing, found.path.clone()));
        };
        found.copy(reader, out)
    }

    /// The verified metadata of a targets role: `targets`, or a delegated one that [`Client::find`] came through.
    pub fn role(&self, name: &str) -> Option<&Targets> {
        self.updater.trusted().targets_role(name)
    }

    /// The versions of the trusted snapshot and timestamp, and a field of the latter.
    pub fn published(&self, field: &str) -> Option<(u64, u64, &serde_json::Value)> {
        let (snapshot, timestamp) = (self.updater.trusted().snapshot()?, self.updater.trusted().timestamp()?);
        Some((snapshot.version, timestamp.version, timestamp.extra.get(field)?))
    }

    /// Whether the trusted snapshot has anything of a role.
    pub fn has_published(&self, role: &str) -> bool {
        self.updater.trusted().snapshot().is_some_and(|snapshot| snapshot.meta.contains_key(&format!("{role}.json")))
    }

    /// A field of the timestamp that a source has, before anybody has verified it.
    pub fn claimed(source: &dyn Source, field: &str) -> Option<serde_json::Value> {
        let limit = UpdaterConfig::default().timestamp_max_length;
        let bytes = source.metadata("timestamp.json", limit).ok()??;
        let mut whole: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        whole.get_mut("signed")?.get_mut(field).map(serde_json::Value::take)
    }

    /// The version of the trusted root.
    pub fn root_version(&self) -> u64 {
        self.updater.trusted().root().version
    }
}

impl Found {
    /// The target at `path` as a verified role lists it.
    pub fn listed(role: &Targets, path: &str) -> Option<Found> {
        role.target(path).map(|file| Found { file: file.clone(), path: path.into() })
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.file.length
    }

    /// Its SHA-256, where the metadata have it.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        let text = self.file.hashes.get("sha256")?;
        let mut hash = [0; 32];
        menshen_core::ids::unhex(text, &mut hash)?;
        Some(hash)
    }

    /// Whether these bytes, read to their end, are the target.
    pub fn is(&self, reader: impl Read) -> bool {
        self.copy(reader, &mut std::io::sink()).is_ok()
    }

    /// The name of its file in a repository whose files have their hashes before their names.
    ///
    /// # Errors
    /// [`TufError`] where the metadata have no hash of a known kind.
    pub fn file_name(&self) -> Result<String, TufError> {
        self.name(true)
    }

    /// The name of its file in a repository.
    fn name(&self, consistent: bool) -> Result<String, TufError> {
        if !consistent {
            return Ok(self.path.clone());
        }
        let hashes = &self.file.hashes;
        let hash = hashes.get("sha256").or_else(|| hashes.get("sha512")).ok_or_else(|| self.unhashed())?;
        Ok(match self.path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/{hash}.{name}"),
            None => format!("{hash}.{}", self.path),
        })
    }

    fn unhashed(&self) -> TufError {
        TufError::new(Refusal::Malformed, format!("{} (no hash of a known kind)", self.path))
    }

    fn copy(&self, mut reader: impl Read, out: &mut dyn Write) -> Result<[u8; 32], TufError> {
        let TargetFile { length, hashes, .. } = &self.file;
        if *length > MAX_TARGET_BYTES {
            return Err(TufError::new(Refusal::TooLong, format!("{} ({length} bytes)", self.path)));
        }
        let io = |source| TufError::from(SourceError::Io { name: self.path.clone(), source });
        let (mut sha256, mut sha512) = (Sha256::new(), hashes.contains_key("sha512").then(Sha512::new));
        let (mut buffer, mut left) = (vec![0; 64 * 1024], *length);
        loop {
            let count = reader.read(&mut buffer).map_err(io)?;
            let chunk = &buffer[..count];
            match left.checked_sub(count as u64) {
                Some(rest) => left = rest,
                None => return Err(TufError::new(Refusal::TooLong, format!("{} ({length} bytes)", self.path))),
            }
            if chunk.is_empty() {
                break;
            }
            sha256.update(chunk);
            if let Some(sha512) = &mut sha512 {
                sha512.update(chunk);
            }
            out.write_all(chunk).map_err(io)?;
        }
        if left > 0 {
            return Err(TufError::new(Refusal::CutOff, format!("{} ({left} of {length} bytes)", self.path)));
        }
        let found: [u8; 32] = sha256.finalize().into();
        let sha512 = sha512.map(|sha512| menshen_core::ids::Hex(&sha512.finalize()).to_string());
        let right = [("sha256", Some(menshen_core::ids::Hex(&found).to_string())), ("sha512", sha512)]
            .iter()
            .filter_map(|(kind, found)| Some((hashes.get(*kind)?, found.as_ref()?)))
            .map(|(wanted, found)| wanted.eq_ignore_ascii_case(found))
            .reduce(|all, one| all && one);
        match right {
            Some(true) => Ok(found),
            Some(false) => Err(TufError::new(Refusal::Altered, self.path.clone())),
            None => Err(self.unhashed()),
        }
    }
}

/// Reads the metadata of a delegated role that was verified once, by the keys that its delegator gives it now; its
/// version and its expiry are not asked.
///
/// # Errors
/// [`TufError`] where those keys did not sign it.
pub fn signed_for(bytes: &[u8], delegations: &Delegations, name: &str) -> Result<Targets, TufError> {
    let role = delegations.roles.iter().find(|role| role.name == name);
    let role = role.ok_or_else(|| TufError::new(Refusal::Missing, format!("the delegation of {name}")))?;
    let metadata = Metadata::<Targets>::from_slice(bytes)?;
    metadata.verify_threshold(&delegations.keys, &role.role_keys(), name)?;
    Ok(metadata.into_signed())
}

fn moment(unix_s: u64) -> Result<jiff::Timestamp, TufError> {
    let second = i64::try_from(unix_s).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    second.ok_or_else(|| TufError::new(Refusal::Malformed, format!("(a time of {unix_s} s)")))
}

/// The value of a future that waits for nothing.
fn at_once<T>(future: impl Future<Output = sigstore_tuf::Result<T>>) -> Result<T, TufError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map_err(TufError::from),
        Poll::Pending => Err(TufError::new(Refusal::Unreachable, "(the client waits for something that is not there)")),
    }
}

/// A [`Source`] as the crate wants it.
struct Road(Arc<dyn Source>);

impl Road {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let bytes = self.0.metadata(name, max_bytes)?;
        if let Some(bytes) = &bytes
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        {
            let name = name.to_owned();
            return Err(if error.is_eof() {
                SourceError::CutOff { name }
            } else {
                SourceError::SomethingElse { name }
            });
        }
        Ok(bytes)
    }
}

impl Repository for Road {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let result = self.metadata(name, max_length);
        Box::pin(async move { result.map_err(|error| sigstore_tuf::Error::transport_with_source(name, error)) })
    }

    /// Never asked: [`Client::fetch`] reads targets.
    fn fetch_target<'a>(&'a self, _path: &'a str, _max_length: u64) -> FetchFuture<'a> {
        Box::pin(async { Ok(None) })
    }
}

/// A [`Store`] as the crate wants it.
struct Keeper(Arc<dyn Store>);

impl MetadataStore for Keeper {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        Ok(self.0.load(name))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        self.0.keep(name, bytes).map_err(|error| sigstore_tuf::Error::io(name, error))
    }
}
