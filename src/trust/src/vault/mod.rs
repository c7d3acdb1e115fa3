//! What a gate believes, on its disk: imported from any source, whole or not at all, never back.
//!
//! ```text
//! <dir>/generation            the newest import that was wholly verified
//! <dir>/generation.previous   the one before it, should a card forget
//! <dir>/files/<sha256>        status lists of both
//! ```
//!
//! An import verifies everything from the pinned root before it writes one line that counts, then replaces the
//! generation by a rename. Reading a generation verifies it again from the pinned root, as of the time at which it was
//! imported: a gate that was off for a month still believes what it believed, and how old that is, is for the policy to
//! judge, not for an expiry to make a cliff of.

mod generation;
mod lists;
mod shelf;
mod source;
mod walk;

use crate::durable;
use crate::names;
use crate::status::StatusBook;
use crate::tuf::{Client, Folder, Refusal, Source, Store, TufError};
use generation::Generation;
use lists::Lists;
use menshen_core::ids::IssuerId;
use menshen_core::time::SKEW_S;
use menshen_core::trust::{Lagging, MAX_ISSUERS, TrustContent, TrustList};
use shelf::{Mode, Shelf};
use source::Kept;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};
use walk::Walk;

const CURRENT: &str = "generation";
const PREVIOUS: &str = "generation.previous";
const FILES: &str = "files";
/// The year 2100: no publication of this program's time is later.
const LATEST_UNIX_S: u64 = 4_102_444_800;

/// What is believed after an import or at a start.
#[derive(Clone, Debug)]
pub struct Believed {
    /// Issuers, keys, recognition and the rules of classes of site.
    pub list: Arc<TrustList>,
    /// What issuers have changed since their passes were made.
    pub status: StatusBook,
    /// Every delegated role, as it was met.
    pub roles: Vec<RoleReport>,
    /// The version of the root that is trusted.
    pub root_version: u64,
    /// The version of the timestamp: it rises from one publication to the next.
    pub timestamp_version: u64,
    /// The time against which expiry was judged, seconds since 1970.
    pub verified_at: u64,
}

/// How a delegated role came off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleReport {
    /// The division that it speaks for.
    pub scope: IssuerId,
    /// The version that is believed; `None` where nothing of it is.
    pub version: Option<u64>,
    /// Why its newest publication is not believed; `None` without a version of one that has never published.
    pub held_back: Option<TufError>,
    /// Until when what is believed of it is known to have been its newest, seconds since 1970.
    pub as_of: u64,
}

/// What came of an import.
#[derive(Clone, Debug)]
pub enum Import {
    /// There was nothing new.
    Unchanged,
    /// This is believed from now on.
    New(Box<Believed>),
}

/// Why an import or a start failed. What was believed before still is.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The repository, or a kept generation, is refused.
    #[error(transparent)]
    Refused(#[from] TufError),
    /// The disk.
    #[error("{path} can not be read or written ({source}): free or repair that disk")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was kept has been damaged.
    #[error("{path} is damaged ({why}): the generation before it is used, or the one that the gate came with")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl VaultError {
    /// Whether the disk has no more room.
    fn is_of_a_full_disk(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, VaultError::Io { source, .. } if [FileTooLarge, QuotaExceeded, StorageFull].contains(&source.kind()))
    }
}

/// What is known of the time at which something is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time against which expiry is judged, seconds since 1970.
    pub unix_s: u64,
    /// The latest that it can be, where that is certain, seconds since 1970. Nothing that was published after it is
    /// believed: a publisher whose clock is ahead would raise the floor of every gate's time, for good.
    pub latest_s: Option<u64>,
}

impl Now {
    /// About this late, by a clock that may be slow.
    pub const fn about(unix_s: u64) -> Now {
        Now { unix_s, latest_s: None }
    }

    /// What was published at a moment, seconds since 1970, must not be later than now.
    fn allows(self, published_unix_s: u64) -> Result<(), TufError> {
        match self.latest_s {
            Some(latest_s) if published_unix_s > latest_s.saturating_add(SKEW_S) => {
                let ahead_s = published_unix_s - latest_s;
                Err(TufError::new(Refusal::Ahead, format!("timestamp.json ({ahead_s} s from now)")))
            }
            _ => Ok(()),
        }
    }
}

/// A moment within an import, for those who test what a power cut does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A status file is about to be written.
    FileBegun,
    /// Its bytes were handed to the system.
    FileWritten,
    /// They are on stable storage.
    FileDurable,
    /// It has its name.
    FileNamed,
    /// Everything was verified, and nothing that counts was written.
    Verified,
    /// The generation before was set aside.
    SetAside,
    /// The new generation counts.
    Replaced,
    /// What nobody names any more was removed.
    Swept,
}

/// Looks on at every step; an error ends the import there, as a power cut would.
pub struct Steps<'a>(Box<dyn Fn(Step) -> io::Result<()> + 'a>);

impl<'a> Steps<'a> {
    /// Calls `look` at every step.
    pub fn new(look: impl Fn(Step) -> io::Result<()> + 'a) -> Steps<'a> {
        Steps(Box::new(look))
    }

    /// Nobody looks on.
    pub fn none() -> Steps<'static> {
        Steps(Box::new(|_| Ok(())))
    }

    fn at(&self, step: Step) -> io::Result<()> {
        (self.0)(step)
    }
}

/// A folder of generations under one pinned root.
#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
    root: Vec<u8>,
    lists: Lists,
}

impl Vault {
    /// The vault in `dir`, which is made if need be, under the root.json `root`.
    ///
    /// # Errors
    /// [`VaultError`] where `dir` can not be made, or `root` is not a root signed by itself.
    pub fn open(dir: &Path, root: &[u8]) -> Result<Vault, VaultError> {
        let files = dir.join(FILES);
        fs::create_dir_all(&files).map_err(|source| VaultError::Io { path: files, source })?;
        let vault = Vault { dir: dir.into(), root: root.into(), lists: Lists::default() };
        Client::new(root, Arc::new(Kept::nothing()), Arc::new(Staged::default()))?;
        Ok(vault)
    }

    /// What is believed, verified again from the pinned root: the newest generation, or else the one before it.
    /// `None` where there has been no import.
    ///
    /// # Errors
    /// [`VaultError`] of the newest generation where none can be believed.
    pub fn current(&self) -> Result<Option<Believed>, VaultError> {
        let newest = match self.read(CURRENT).and_then(|kept| kept.map(|kept| self.again(kept)).transpose()) {
            Ok(Some(believed)) => return Ok(Some(believed)),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        let previous = self.read(PREVIOUS).and_then(|kept| kept.map(|kept| self.again(kept)).transpose());
        match (previous, newest) {
            (Ok(Some(believed)), error) => {
                if let Some(error) = error {
                    tracing::error!("{error}");
                }
                Ok(Some(believed))
            }
            (_, Some(error)) => Err(error),
            (Ok(None), None) => Ok(None),
            (Err(error), None) => Err(error),
        }
    }

    /// Imports what a source has, as of `now`.
    ///
    /// # Errors
    /// [`VaultError`]; what was believed before still is.
    pub fn import(&self, source: Arc<dyn Source>, now: Now, steps: &Steps<'_>) -> Result<Import, VaultError> {
        // A generation that can not be read protects from nothing; the next one will.
        let old = self.read(CURRENT).ok().flatten().or_else(|| self.read(PREVIOUS).ok().flatten());
        self.import_over(old.as_ref(), source, now, steps).inspect_err(|error| {
            self.keep_open(old.iter());
            if error.is_of_a_full_disk() {
                // The journal is on the same disk, and what was half imported is of use to nobody there.
                self.sweep(old.iter().chain(self.read(PREVIOUS).ok().flatten().iter()), &Steps::none());
            }
        })
    }

    fn import_over(
        &self,
        old: Option<&Generation>,
        source: Arc<dyn Source>,
        now: Now,
        steps: &Steps<'_>,
    ) -> Result<Import, VaultError> {
        let files = self.dir.join(FILES);
        let shelf = Shelf::new(&files, steps, Mode::Import, &self.lists);
        let (generation, believed) = self.verify(source, now, old, &shelf)?;
        // The parts differ where an older program kept these metadata, and no parts that it did not know.
        let same = |old: &Generation| {
            (&old.metadata, &old.held_back, &old.parts)
                == (&generation.metadata, &generation.held_back, &generation.parts)
        };
        // What is the same and had to be fetched again had been damaged.
        if old.is_some_and(same) && !shelf.has_fetched() {
            return Ok(Import::Unchanged);
        }
        self.keep(&generation, old, steps)?;
        Ok(Import::New(Box::new(believed)))
    }

    /// Imports what the gate came with. Nothing can be fresher than the day it was made, so expiry is judged by the
    /// moment that the repository itself names: a gate from a shelf works at once, and says how old its trust is.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn import_as_of_itself(&self, source: Arc<dyn Source>, steps: &Steps<'_>) -> Result<Import, VaultError> {
        let as_of = as_of_claimed(source.as_ref())?;
        self.import(source, Now::about(as_of), steps)
    }

    fn again(&self, kept: Generation) -> Result<Believed, VaultError> {
        let files = self.dir.join(FILES);
        let source = Arc::new(Kept::of(&kept, &files));
        let steps = Steps::none();
        let shelf = Shelf::new(&files, &steps, Mode::Again, &self.lists);
        let (_, believed) = self.verify(source, Now::about(kept.verified_at), Some(&kept), &shelf)?;
        Ok(believed)
    }

    fn verify(
        &self,
        source: Arc<dyn Source>,
        now: Now,
        old: Option<&Generation>,
        shelf: &Shelf<'_>,
    ) -> Result<(Generation, Believed), VaultError> {
        let at = |source| VaultError::Io { path: self.dir.clone(), source };
        let verified = verify(&self.root, source, now, old, shelf);
        if let Some((path, source)) = shelf.take_failure() {
            return Err(VaultError::Io { path, source });
        }
        let verified = verified?;
        shelf.step(Step::Verified).map_err(at)?;
        Ok(verified)
    }

    fn keep(&self, generation: &Generation, old: Option<&Generation>, steps: &Steps<'_>) -> Result<(), VaultError> {
        let (current, previous) = (self.dir.join(CURRENT), self.dir.join(PREVIOUS));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| VaultError::Io { path, source }
        };
        let bytes = |generation: &Generation| generation.to_bytes().map_err(io::Error::from).map_err(failed(&current));
        if let Some(old) = old {
            durable::replace(&previous, &bytes(old)?, 0o600).map_err(failed(&previous))?;
        }
        self.step(steps, Step::SetAside)?;
        durable::replace(&current, &bytes(generation)?, 0o600).map_err(failed(&current))?;
        self.step(steps, Step::Replaced)?;
        self.keep_open([generation].into_iter());
        self.sweep(old.into_iter().chain([generation]), steps);
        self.step(steps, Step::Swept)
    }

    /// Closes the lists that none of these generations names.
    fn keep_open<'a>(&self, kept: impl Iterator<Item = &'a Generation>) {
        let open = kept.flat_map(|kept| kept.files.values()).map(|file| file.sha256.as_str());
        self.lists.keep(&open.collect::<Vec<_>>());
    }

    /// Removes the files that none of these generations names.
    fn sweep<'a>(&self, kept: impl Iterator<Item = &'a Generation>, steps: &Steps<'_>) {
        let named = kept.flat_map(|kept| kept.files.values()).map(|file| file.sha256.as_str()).collect();
        Shelf::new(&self.dir.join(FILES), steps, Mode::Import, &self.lists).sweep(&named);
    }

    fn step(&self, steps: &Steps<'_>, step: Step) -> Result<(), VaultError> {
        steps.at(step).map_err(|source| VaultError::Io { path: self.dir.clone(), source })
    }

    fn read(&self, name: &str) -> Result<Option<Generation>, VaultError> {
        let path = self.dir.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(VaultError::Io { path, source }),
        };
        Generation::from_bytes(&bytes).map(Some).map_err(|why| VaultError::Damaged { path, why })
    }
}

/// What a repository in a folder says, as of the moment that it names itself; its files are used where they lie.
///
/// # Errors
/// [`TufError`].
pub fn look(root: &[u8], dir: &Path) -> Result<Believed, TufError> {
    let source: Arc<dyn Source> = Arc::new(Folder::new(dir));
    let as_of = as_of_claimed(source.as_ref())?;
    let (targets, steps) = (dir.join(Folder::TARGETS), Steps::none());
    let lists = Lists::default();
    let shelf = Shelf::new(&targets, &steps, Mode::InPlace, &lists);
    Ok(verify(root, source, Now::about(as_of), None, &shelf)?.1)
}

/// The whole way from a source to what is believed; writes nothing but status files.
fn verify(
    root: &[u8],
    source: Arc<dyn Source>,
    now: Now,
    old: Option<&Generation>,
    shelf: &Shelf<'_>,
) -> Result<(Generation, Believed), TufError> {
    let now_unix_s = now.unix_s;
    let staged = Arc::new(Staged::over(old));
    let mut client = Client::new(root, source, staged.clone())?;
    client.refresh(now_unix_s)?;
    let Published { version, timestamp_version, as_of } = published(&client)?;
    now.allows(as_of)?;
    let mut walk = Walk::new(&mut client, (now_unix_s, as_of), shelf, old);
    walk.all()?;
    let Walk { new: mut generation, mut content, status, roles, .. } = walk;
    (content.version, content.as_of) = (version, as_of);
    content.lagging = lagging(&roles);
    staged.finish(&mut generation, &roles);
    let (list, root_version) = (list_of(content)?, client.root_version());
    let believed = Believed { list, status, roles, root_version, timestamp_version, verified_at: now_unix_s };
    Ok((generation, believed))
}

/// Apart from the walk, which is deep, because a list is large and is moved here.
#[inline(never)]
fn list_of(content: Box<TrustContent>) -> Result<Arc<TrustList>, TufError> {
    let list = TrustList::new(*content).map_err(|error| TufError::new(Refusal::Malformed, format!("({error})")))?;
    Ok(Arc::new(list))
}

/// The divisions of which something older is believed than they have published. That the nation's own list lags is told
/// by that list alone. Of more than a list has room for, each province lags as a whole.
fn lagging(roles: &[RoleReport]) -> heapless::Vec<Lagging, MAX_ISSUERS> {
    let lags = |role: &&RoleReport| role.held_back.is_some() && role.version.is_some();
    let of_divisions = roles.iter().filter(lags).filter(|role| role.scope != IssuerId::NATIONAL);
    let mut lagging: BTreeMap<IssuerId, u64> = of_divisions.map(|role| (role.scope, role.as_of)).collect();
    if lagging.len() > MAX_ISSUERS {
        let mut provinces = BTreeMap::new();
        for (scope, as_of) in lagging {
            provinces
                .entry(scope.province())
                .and_modify(|oldest: &mut u64| *oldest = as_of.min(*oldest))
                .or_insert(as_of);
        }
        lagging = provinces;
    }
    // Codes of provinces have two digits, so there are fewer of them than there is room.
    lagging.into_iter().map(|(scope, as_of)| Lagging { scope, as_of }).take(MAX_ISSUERS).collect()
}

/// The moment that a source names, before anybody has verified it.
fn as_of_claimed(source: &dyn Source) -> Result<u64, TufError> {
    let claimed = Client::claimed(source, names::AS_OF).and_then(|as_of| as_of.as_u64());
    claimed.ok_or_else(|| TufError::new(Refusal::Missing, format!("timestamp.json with {}", names::AS_OF)))
}

/// What a verified timestamp says.
struct Published {
    /// The version of the snapshot.
    version: u64,
    timestamp_version: u64,
    /// Since when its publisher says that this is what holds, seconds since 1970.
    as_of: u64,
}

fn published(client: &Client) -> Result<Published, TufError> {
    let found = client.published(names::AS_OF).and_then(|(version, timestamp_version, as_of)| {
        Some(Published { version, timestamp_version, as_of: as_of.as_u64()? })
    });
    let found = found.filter(|found| found.as_of < LATEST_UNIX_S);
    found.ok_or_else(|| TufError::new(Refusal::Malformed, format!("timestamp.json (no good {})", names::AS_OF)))
}

/// The metadata of an import: what is kept already, and what was verified since.
#[derive(Default)]
struct Staged(Mutex<BTreeMap<String, Vec<u8>>>);

impl Staged {
    fn over(old: Option<&Generation>) -> Staged {
        let kept = old.into_iter().flat_map(|old| &old.metadata);
        Staged(Mutex::new(kept.map(|(name, text)| (name.clone(), text.as_bytes().to_vec())).collect()))
    }

    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A map is whole after any panic of another holder.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Gives a generation the metadata that it needs to be verified again.
    fn finish(&self, generation: &mut Generation, roles: &[RoleReport]) {
        let believed: Vec<String> = roles
            .iter()
            .filter(|role| role.version.is_some())
            .map(|role| format!("{}.json", role.scope))
            .chain(["timestamp.json", "snapshot.json", "targets.json"].map(str::to_owned))
            .collect();
        for (name, bytes) in self.map().iter() {
            let wanted = believed.contains(name) || name.starts_with("root_history/");
            if wanted
                && !generation.metadata.contains_key(name)
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                generation.metadata.insert(name.clone(), text.to_owned());
            }
        }
    }
}

impl Store for Staged {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.map().get(name).cloned()
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.map().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}
