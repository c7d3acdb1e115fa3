//! The other side of the repository: whoever publishes what gates believe.
//!
//! A [`Repository`] is a folder with `metadata/` and `targets/` that a hub serves and a stick carries. It is edited in
//! memory, kept as drafts in `draft/`, and published when enough signatures are there, which may take several people
//! who come one after another with a key each. Nothing that is published is ever changed: every publication has new
//! numbers and new names, and the timestamp, which names the rest, is written last.
//!
//! It is in the same crate as the vault, because the two are one format seen from two sides.

mod bundle;
mod document;
mod keyring;
mod offer;
mod prune;
mod sign;
mod trial;

use crate::durable;
use crate::names;
use crate::tuf::{DelegatedRole, Folder, TufError};
pub use bundle::Bundle;
use document::{Document, set_keys};
pub use keyring::{KEY_EXTENSION, Keyring, KeyringError, read_key};
use menshen_core::ids::{Hex, sha256};
pub use offer::Taken;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

const ROOT: &str = "root";
const TARGETS: &str = "targets";
const SNAPSHOT: &str = "snapshot";
const TIMESTAMP: &str = "timestamp";
const DRAFT: &str = "draft";

/// Who may sign, and how many of them it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    /// Ed25519 public keys.
    pub keys: Vec<[u8; 32]>,
    /// How many of them must sign.
    pub threshold: usize,
}

impl Signers {
    /// One key, which signs alone.
    pub fn one(key: [u8; 32]) -> Signers {
        Signers { keys: vec![key], threshold: 1 }
    }
}

/// The signers of the four top-level roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopSigners {
    /// Who may change any of these.
    pub root: Signers,
    /// Who speaks for the nation, and delegates to provinces.
    pub targets: Signers,
    /// Who says what belongs together.
    pub snapshot: Signers,
    /// Who says that it still holds.
    pub timestamp: Signers,
}

/// A repository in a folder.
pub struct Repository {
    dir: PathBuf,
    documents: BTreeMap<String, Document>,
    /// The root that is published, while another waits for signatures.
    root_in_force: Option<Value>,
    /// Roles whose kept drafts were made on an older version than is published.
    stale: Vec<String>,
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The version of the snapshot.
    pub version: u64,
    /// The roles that have a new version.
    pub roles: Vec<String>,
    /// Why drafts wait that were not published.
    pub waiting: Vec<PublishError>,
    /// The roles that were delegated and have published nothing yet.
    pub unborn: Vec<String>,
    /// The roles of which gates do not believe what was published before, and why.
    pub held_back: Vec<(String, TufError)>,
}

/// Why something is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The folder or a file.
    #[error("{path} can not be read or written ({source}): choose a folder that you may write")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has no repository, or a damaged one.
    #[error("{path} is no metadata of a repository ({why}): name the folder of a repository, or restore its backup")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Metadata name what is not there, or not as they say.
    #[error("{dir} lacks {names}, or has it altered: restore that folder from its backup")]
    Missing {
        /// Which folder.
        dir: PathBuf,
        /// What, by commas.
        names: String,
    },
    /// A role of which the published version is not here: its next one would forget what it said.
    #[error(
        "{role} can not be changed here, since {path} is missing or is not what was published: import a good copy of the \
         repository again"
    )]
    Lost {
        /// Which role.
        role: String,
        /// Its file.
        path: PathBuf,
    },
    /// There is one already.
    #[error("{0} holds a repository already: name another folder")]
    Exists(PathBuf),
    /// A role that nobody delegates to.
    #[error("there is no role {0}: roles are shown by `menshen trust show`")]
    NoRole(String),
    /// Too few signatures; the draft waits for more.
    #[error(
        "{role} has {found} of the {threshold} signatures that it needs: run the command again with another key ({wanted})"
    )]
    Unsigned {
        /// Which role.
        role: String,
        /// How many there are.
        found: usize,
        /// How many it takes.
        threshold: usize,
        /// Whose signatures are missing: the first digits of their key ids.
        wanted: String,
    },
    /// A root that has its signatures, but not yet those of whom it names: gates that had it would believe nothing of
    /// that role, and no publication without it.
    #[error(
        "root is signed and waits: whoever it names must sign too, {what}: run the command again with these keys; until \
         then the root in force counts"
    )]
    RootWaits {
        /// Which roles, and the first digits of the key ids that are missing.
        what: String,
    },
    /// Signed, but its superior's draft, which changes who signs it, is not.
    #[error("{role} waits for {superior}, whose draft changes who signs it")]
    Waits {
        /// Which role.
        role: String,
        /// For which.
        superior: String,
    },
    /// The same key twice: it could not sign twice.
    #[error("the key {0} is named twice, and one key signs once: name each signer's own")]
    SameKey(String),
    /// More signatures than there are keys, or none.
    #[error("{threshold} of {keys} keys can not sign: name another threshold")]
    Threshold {
        /// How many must sign.
        threshold: usize,
        /// How many can.
        keys: usize,
    },
    /// A gate would not believe it.
    #[error("gates would refuse {what} ({why}): it is not published, correct it and publish again")]
    Refused {
        /// A role, or all of it.
        what: String,
        /// What the gate's own client says.
        why: TufError,
    },
    /// Nothing is published, and drafts wait besides, which may be why.
    #[error("{why}; besides, {waiting}")]
    Besides {
        /// Why nothing is published.
        why: Box<PublishError>,
        /// Why drafts wait.
        waiting: String,
    },
    /// A number that metadata can not hold.
    #[error(transparent)]
    Tuf(#[from] TufError),
}

impl PublishError {
    /// This, and what waits.
    fn besides(self, waiting: &BTreeMap<String, PublishError>) -> PublishError {
        if waiting.is_empty() {
            return self;
        }
        let waiting: Vec<String> = waiting.values().map(ToString::to_string).collect();
        PublishError::Besides { why: Box::new(self), waiting: waiting.join("; ") }
    }
}

impl Repository {
    /// Begins a repository in `dir`; it is there once it is published.
    ///
    /// # Errors
    /// [`PublishError`] where there is one already.
    pub fn create(dir: &Path, signers: &TopSigners) -> Result<Repository, PublishError> {
        if dir.join(Folder::METADATA).exists() {
            return Err(PublishError::Exists(dir.into()));
        }
        let mut root = json!({
            "_type": ROOT, "spec_version": document::SPEC, "version": 0, "expires": "", "consistent_snapshot": true,
            "keys": {}, "roles": {},
        });
        let TopSigners { root: roots, targets, snapshot, timestamp } = signers;
        for (role, signers) in [(ROOT, roots), (TARGETS, targets), (SNAPSHOT, snapshot), (TIMESTAMP, timestamp)] {
            set_keys(&mut root, role, signers)?;
        }
        let documents = BTreeMap::from([
            (ROOT.to_owned(), Document::draft(root)),
            (TARGETS.to_owned(), Document::draft(document::empty_targets())),
            (
                SNAPSHOT.to_owned(),
                Document::draft(json!({ "_type": SNAPSHOT, "spec_version": document::SPEC, "meta": {} })),
            ),
            (
                TIMESTAMP.to_owned(),
                Document::draft(json!({ "_type": TIMESTAMP, "spec_version": document::SPEC, "meta": {} })),
            ),
        ]);
        Ok(Repository { dir: dir.into(), documents, root_in_force: None, stale: Vec::new() })
    }

    /// The repository of a folder, with the drafts that wait for signatures. A delegated role whose file is not there, or
    /// is not what the snapshot says, can not be edited ([`PublishError::Lost`]); everything else can.
    ///
    /// # Errors
    /// [`PublishError`] where there is none, or it can not be read.
    pub fn open(dir: &Path) -> Result<Repository, PublishError> {
        let mut repository =
            Repository { dir: dir.into(), documents: BTreeMap::new(), root_in_force: None, stale: Vec::new() };
        let timestamp = repository.load("timestamp.json")?;
        let version = document::pinned(&timestamp, "snapshot.json");
        let snapshot = repository.load(&format!("{version}.snapshot.json"))?;
        let pins = snapshot.get("signed").and_then(|signed| signed.get("meta")).and_then(Value::as_object).cloned();
        for file in pins.unwrap_or_default().keys() {
            let (version, role) = (document::pinned(&snapshot, file), file.trim_end_matches(".json"));
            let document = match repository.load_pinned(&snapshot, file) {
                Some(whole) => Document::published(whole),
                None if role == TARGETS => {
                    return Err(PublishError::Missing { dir: dir.into(), names: format!("{version}.{file}") });
                }
                None => Document::lost(version),
            };
            repository.documents.insert(role.to_owned(), document);
        }
        let root = repository.newest_root()?;
        for (name, whole) in [(ROOT, root), (SNAPSHOT, snapshot), (TIMESTAMP, timestamp)] {
            repository.documents.insert(name.to_owned(), Document::published(whole));
        }
        repository.load_drafts()?;
        Ok(repository)
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The roles that have changed since they were published, or were never published.
    pub fn drafts(&self) -> Vec<&str> {
        self.documents.iter().filter(|(_, document)| document.is_draft()).map(|(name, _)| name.as_str()).collect()
    }

    /// The delegated roles, and `targets`.
    pub fn roles(&self) -> Vec<&str> {
        let top = [ROOT, SNAPSHOT, TIMESTAMP];
        self.documents.keys().map(String::as_str).filter(|name| !top.contains(name)).collect()
    }

    /// The paths that a role lists.
    pub fn paths(&self, role: &str) -> Vec<String> {
        let targets = self.documents.get(role).and_then(|document| document.signed().get("targets")?.as_object());
        targets.map(|targets| targets.keys().cloned().collect()).unwrap_or_default()
    }

    /// The bytes of a role's target; `None` where it does not list it.
    ///
    /// # Errors
    /// [`PublishError`] where the file is missing.
    pub fn get(&self, role: &str, path: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let document = self.documents.get(role);
        let Some(hash) = document.and_then(|document| document::target_hash(document.signed(), path)) else {
            return Ok(None);
        };
        let place = self.target_file(path, hash);
        fs::read(&place).map(Some).map_err(|source| PublishError::Io { path: place, source })
    }

    /// Where the bytes of a role's target lie; `None` where it does not list it.
    pub fn file(&self, role: &str, path: &str) -> Option<PathBuf> {
        let document = self.documents.get(role)?;
        document::target_hash(document.signed(), path).map(|hash| self.target_file(path, hash))
    }

    /// Lets a role list a target; its bytes are written at once, under a name that nobody asks for yet.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn put(&mut self, role: &str, path: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let hash = Hex(&sha256(bytes)).to_string();
        let place = self.target_file(path, &hash);
        let failed = |source| PublishError::Io { path: place.clone(), source };
        fs::create_dir_all(place.parent().unwrap_or(&self.dir)).map_err(failed)?;
        durable::replace(&place, bytes, 0o644).map_err(failed)?;
        let listed = json!({ "length": bytes.len(), "hashes": { "sha256": hash } });
        self.edit(role)?["targets"][path] = listed;
        Ok(())
    }

    /// Takes a target out of a role; gives whether it was there.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn remove(&mut self, role: &str, path: &str) -> Result<bool, PublishError> {
        if !self.paths(role).iter().any(|listed| listed == path) {
            return Ok(false);
        }
        let targets = self.edit(role)?["targets"].as_object_mut();
        Ok(targets.and_then(|targets| targets.remove(path)).is_some())
    }

    /// Delegates: `role` may sign `paths` from now on, with these signers; an older delegation of that name is replaced.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn delegate(
        &mut self,
        superior: &str,
        role: &str,
        signers: &Signers,
        paths: &[String],
    ) -> Result<(), PublishError> {
        document::delegate(self.edit(superior)?, role, signers, paths)?;
        // What was signed by others before must be signed by these now.
        match self.documents.get(role) {
            None => drop(self.documents.insert(role.to_owned(), Document::unborn())),
            // Nothing is here that they could sign: they sign what they have.
            Some(known) if known.is_unborn() || known.is_lost() => {}
            Some(_) => drop(self.edit(role)?),
        }
        Ok(())
    }

    /// Gives a top-level role other signers.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn set_signers(&mut self, role: &str, signers: &Signers) -> Result<(), PublishError> {
        if ![ROOT, TARGETS, SNAPSHOT, TIMESTAMP].contains(&role) {
            return Err(PublishError::NoRole(role.into()));
        }
        set_keys(self.edit(ROOT)?, role, signers)?;
        self.edit(role)?;
        Ok(())
    }

    /// Who signs a role now; `None` where there is no such role.
    pub fn signers(&self, role: &str) -> Option<Signers> {
        self.authorities(role).and_then(|(of, _)| document::signers(of, role))
    }

    /// The role that delegates to `role`; `None` for the top-level ones.
    pub fn superior(&self, role: &str) -> Option<&str> {
        let delegates = |document: &Document| document::has_delegation(document.signed(), role);
        self.documents.iter().find(|(_, document)| delegates(document)).map(|(name, _)| name.as_str())
    }

    /// The roles whose drafts were dropped, since they were made on an older version than is published now.
    pub fn stale(&self) -> &[String] {
        &self.stale
    }

    /// When it was published last, seconds since 1970, as its publisher said then. It is read from what is published: the
    /// timestamp in memory may be that of a publication that was refused.
    pub fn as_of(&self) -> Option<u64> {
        self.load("timestamp.json").ok()?["signed"][names::AS_OF].as_u64()
    }

    /// Keeps what was edited, to be published later.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn save(&self) -> Result<(), PublishError> {
        self.keep_drafts()
    }

    /// Whether a role may sign a path, by what its superior says now, drafts included; a top-level role may sign any.
    pub fn may_sign(&self, role: &str, path: &str) -> bool {
        let Some(superior) = self.superior(role) else { return true };
        let entry = self.documents.get(superior).and_then(|document| document::entry(document.signed(), role));
        let entry = entry.and_then(|entry| serde_json::from_value::<DelegatedRole>(entry.clone()).ok());
        entry.is_some_and(|entry| entry.matches_path(path).unwrap_or(false))
    }

    /// Signs whatever changed, or expires soon and can be signed, and publishes what has every signature that it needs
    /// and what a gate's own client believes. A role that lacks one, or that gates would refuse, waits, with those whose
    /// signers its draft changes; the others do not wait for it. A new root waits too while a top-level role is not signed
    /// by those whom it names for that.
    ///
    /// # Errors
    /// [`PublishError`] where the snapshot or the timestamp lacks one, or a first root, or where gates would refuse all
    /// of it: then nothing is published, and the signatures so far are kept with the drafts.
    pub fn publish(&mut self, keyring: &Keyring, now_unix_s: u64) -> Result<Published, PublishError> {
        let (ready, mut waiting) = self.ready(keyring, now_unix_s)?;
        let tried = self
            .hold_root_without_its_roles(ready, &mut waiting, keyring)
            .and_then(|ready| self.pin_what_gates_believe(ready, &mut waiting, keyring, now_unix_s));
        let (ready, held_back) = tried.map_err(|error| {
            // The error to tell is the one that is on its way.
            let _ = self.save();
            error.besides(&waiting)
        })?;
        self.finish(ready, waiting, held_back)
    }

    /// The same without asking a gate's client: for whoever tests what gates do with a publisher that does not.
    ///
    /// # Errors
    /// As of [`Repository::publish`].
    pub fn publish_untried(&mut self, keyring: &Keyring, now_unix_s: u64) -> Result<Published, PublishError> {
        let (ready, waiting) = self.ready(keyring, now_unix_s)?;
        self.pin(&ready, keyring, now_unix_s)?;
        self.finish(ready, waiting, Vec::new())
    }

    /// The drafts that have every signature, in order, and why the others wait.
    fn ready(
        &mut self,
        keyring: &Keyring,
        now_unix_s: u64,
    ) -> Result<(Vec<String>, BTreeMap<String, PublishError>), PublishError> {
        self.root_in_force = None;
        self.renew(keyring, now_unix_s)?;
        if self.root_changes(TARGETS)? && !self.documents.get(TARGETS).is_some_and(Document::is_draft) {
            self.edit(TARGETS)?;
        }
        let mut ready = Vec::new();
        let mut waiting = BTreeMap::new();
        for name in self.drafts_in_order() {
            self.number(&name, now_unix_s);
            match self.sign(&name, keyring) {
                Ok(()) if self.waits_for_superior(&name, &waiting)? => {
                    let superior = self.superior(&name).unwrap_or(ROOT).to_owned();
                    waiting.insert(name.clone(), PublishError::Waits { role: name, superior });
                }
                Ok(()) => ready.push(name),
                Err(error @ PublishError::Unsigned { .. }) if name != ROOT || self.hold_root()? => {
                    waiting.insert(name, error);
                }
                Err(error) => {
                    self.save()?;
                    return Err(error);
                }
            }
        }
        Ok((ready, waiting))
    }

    fn finish(
        &mut self,
        ready: Vec<String>,
        waiting: BTreeMap<String, PublishError>,
        held_back: Vec<(String, TufError)>,
    ) -> Result<Published, PublishError> {
        self.write_all(&ready)?;
        self.save()?;
        // Which files a lost version names is not known: they may be the only copy.
        if !self.documents.values().any(Document::is_lost) {
            prune::sweep(&self.dir, &self.documents)?;
        }
        let unborn = self.documents.iter().filter(|(_, document)| document.is_unborn());
        let unborn = unborn.map(|(name, _)| name.clone()).collect();
        let version = self.documents.get(SNAPSHOT).map_or(0, Document::version);
        Ok(Published { version, roles: ready, waiting: waiting.into_values().collect(), unborn, held_back })
    }

    /// Copies what is published to another folder, such as a stick: see [`Bundle::copy_to`].
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn copy_to(&self, dir: &Path) -> Result<(), PublishError> {
        let missing = Bundle::own(&self.dir).copy_to(dir)?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(PublishError::Missing { dir: self.dir.clone(), names: missing.join(", ") })
    }
}
