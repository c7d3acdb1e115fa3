//! An authority in a folder: the repository that it publishes, and the keys that it has.
//!
//! `menshen trust init` makes one that works at once and says on every occasion that it is unsafe: every key of a
//! country lies in it. A real authority has the same folder with fewer keys: its root keys are on sticks in different
//! hands, and a province's keys are with the province. The files a gate or a hub needs have the same names in both.
//!
//! ```text
//! UNSAFE                what a development profile is
//! root.json             the trust anchor: the first root, which gates are made with
//! repository/           what is published: metadata/ and targets/; drafts that wait for a signature in draft/
//! roles/330000.key      keys that sign metadata: root-1, targets, snapshot, timestamp, one a province or city
//! issuers/330000.key    keys that sign passes
//! hub.key/.pub          the hub, which signs acks
//! ```

mod catalogue;
mod content;

pub use catalogue::kind;
pub use content::{Content, role_of};

use crate::outcome::{Failure, Result, at};
use catalogue::Catalogue;
use ed25519_dalek::SigningKey;
use menshen_core::ids::{Hex, IssuerId, unhex};
use menshen_core::recognition::Rule;
use menshen_core::trust::IssuerKey;
use menshen_lane::durable;
use menshen_lane::trust::{REPOSITORY, ROOT_FILE};
use menshen_trust::names;
use menshen_trust::publish::{KEY_EXTENSION, Keyring, Published, Repository, Signers, TopSigners, read_key};
use menshen_trust::tuf::Folder;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a profile is kept if nothing else is said.
pub const DEFAULT_DIR: &str = "keys/dev";
/// How long the pass keys of a profile are valid: two years.
pub const KEY_LIFE_S: u64 = 2 * 365 * 86_400;
/// Keys of a profile are valid from a while before they are made, so that passes of the past can be issued for a trial.
const KEY_LEAD_S: u64 = 400 * 86_400;
const UNSAFE_FILE: &str = "UNSAFE";
/// The folder of keys that sign metadata.
pub const ROLES: &str = "roles";
/// The folder of keys that sign passes.
pub const ISSUERS: &str = "issuers";

const WARNING: &str = "UNSAFE: a generated development profile. The private keys of the trust anchor, of every issuer\n\
and of the hub lie in this folder. Never let a real gate trust it.\n";

/// An authority in a folder.
#[derive(Clone, Debug)]
pub struct Authority {
    dir: PathBuf,
}

/// Who holds the root of a new authority.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The folders that get a root key each; on sticks, for a real one.
    pub folders: Vec<PathBuf>,
    /// How many of them must sign.
    pub threshold: usize,
}

impl Authority {
    /// Makes a development profile: every key of a country, every issuer of `keys/issuers.toml`, published as of `now`.
    pub fn init(dir: &Path, now: u64) -> Result<Authority> {
        let authority = Authority::begin(dir)?;
        authority.write(UNSAFE_FILE, WARNING.as_bytes(), 0o644)?;
        let roots = [1, 2, 3].map(|number| authority.make_key(&format!("{ROLES}/root-{number}")));
        let roots = roots.into_iter().collect::<Result<Vec<_>>>()?;
        let mut repository = authority.found(&roots, 2)?;
        let catalogue = Catalogue::read()?;
        let ids = catalogue.ids()?;
        for id in ids.iter().filter(|id| **id != IssuerId::NATIONAL) {
            let key = authority.make_key(&format!("{ROLES}/{id}"))?;
            let signers = Signers::one(key.verifying_key().to_bytes());
            repository.delegate(&superior_role(*id, &ids), &id.to_string(), &signers, &names::own_paths(*id))?;
        }
        for scope in ids.iter().filter(|scope| **scope == scope.province()) {
            let mut content = Content::default();
            for issuer in catalogue.spoken_for_by(*scope)? {
                let key = authority.make_key(&format!("{ISSUERS}/{}", issuer.id))?;
                content.add_key(IssuerKey {
                    issuer: issuer.id,
                    public_key: key.verifying_key().to_bytes(),
                    valid_from: now.saturating_sub(KEY_LEAD_S),
                    valid_until: now + KEY_LIFE_S,
                })?;
                content.add_issuer(issuer)?;
            }
            content.save_issuers(&mut repository, *scope)?;
        }
        let rules: Vec<Rule> = catalogue.rules(now.saturating_sub(KEY_LEAD_S), now + KEY_LIFE_S)?;
        Content::default().with_rules(rules)?.save_rules(&mut repository, IssuerId::NATIONAL)?;
        authority.establish(repository, &authority.keyring(&[])?, now)?;
        Ok(authority)
    }

    /// Makes an authority whose root keys lie elsewhere, with nothing but the national platform to begin with.
    pub fn init_real(dir: &Path, roots: &Roots, now: u64) -> Result<Authority> {
        if roots.threshold == 0 || roots.threshold > roots.folders.len() {
            return Err(Failure::new(format!(
                "{} of {} root keys can not sign: name a threshold from 1 to the number of folders",
                roots.threshold,
                roots.folders.len()
            )));
        }
        let authority = Authority::begin(dir)?;
        let mut keys = Vec::new();
        let mut keyring = Keyring::new();
        for folder in &roots.folders {
            let key = new_key()?;
            write_key(&folder.join("root.key"), &key)?;
            keyring.add(key.clone())?;
            keys.push(key);
        }
        let mut repository = authority.found(&keys, roots.threshold)?;
        let national = Catalogue::read()?.issuer(IssuerId::NATIONAL)?;
        let key = authority.make_key(&format!("{ISSUERS}/{}", national.id))?;
        let mut content = Content::default();
        content.add_key(IssuerKey {
            issuer: national.id,
            public_key: key.verifying_key().to_bytes(),
            valid_from: now,
            valid_until: now + KEY_LIFE_S,
        })?;
        content.add_issuer(national)?;
        content.save_issuers(&mut repository, IssuerId::NATIONAL)?;
        Content::default().save_rules(&mut repository, IssuerId::NATIONAL)?;
        keyring.add_folder(&authority.dir.join(ROLES))?;
        authority.establish(repository, &keyring, now)?;
        Ok(authority)
    }

    /// The authority of a folder that has one.
    pub fn open(dir: &Path) -> Result<Authority> {
        if !dir.join(ROOT_FILE).exists() {
            return Err(Failure::new(format!(
                "{} holds no trust profile: make one with `menshen trust init {0}`",
                dir.display()
            )));
        }
        Ok(Authority { dir: dir.into() })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether every key of a country lies in it.
    pub fn is_unsafe(&self) -> bool {
        self.dir.join(UNSAFE_FILE).exists()
    }

    /// Its repository.
    pub fn repository(&self) -> Result<Repository> {
        Ok(Repository::open(&self.dir.join(REPOSITORY))?)
    }

    /// The keys that sign metadata: its own, and those in other folders, such as sticks.
    pub fn keyring(&self, folders: &[PathBuf]) -> Result<Keyring> {
        let mut keyring = Keyring::new();
        let own = self.dir.join(ROLES);
        for folder in std::iter::once(&own).filter(|own| own.exists()).chain(folders) {
            keyring.add_folder(folder)?;
        }
        Ok(keyring)
    }

    /// The key with which an issuer signs passes.
    pub fn issuer_key(&self, issuer: IssuerId) -> Result<SigningKey> {
        self.read_key(&format!("{ISSUERS}/{issuer}")).map_err(|_| {
            Failure::new(format!(
                "{} holds no key of issuer {issuer}: the issuers are listed by `menshen trust show`",
                self.dir.display()
            ))
        })
    }

    /// The hub's signing key.
    pub fn hub_key(&self) -> Result<SigningKey> {
        self.read_key("hub")
    }

    /// Makes a key in the folder; one that is there under this name is kept beside it under `kept_as`.
    pub fn replace_key(&self, name: &str, kept_as: &str) -> Result<SigningKey> {
        let (path, kept) = (self.key_path(name), self.key_path(kept_as));
        if path.exists() {
            fs::rename(&path, &kept).map_err(at(&kept, "choose a folder that you may write"))?;
        }
        self.make_key(name)
    }

    /// Makes a key in the folder.
    pub fn make_key(&self, name: &str) -> Result<SigningKey> {
        let key = new_key()?;
        write_key(&self.key_path(name), &key)?;
        Ok(key)
    }

    fn begin(dir: &Path) -> Result<Authority> {
        if [ROOT_FILE, REPOSITORY, ROLES, ISSUERS, "hub.key"].iter().any(|name| dir.join(name).exists()) {
            return Err(Failure::new(format!(
                "{} already holds a profile: name another folder, or remove this one first",
                dir.display()
            )));
        }
        let authority = Authority { dir: dir.into() };
        for folder in [ROLES, ISSUERS] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).map_err(at(&path, "choose a folder that you may write"))?;
        }
        let hub = authority.make_key("hub")?;
        authority.write("hub.pub", line_of(hub.verifying_key().as_bytes()).as_bytes(), 0o644)?;
        Ok(authority)
    }

    /// A repository under these roots, with new keys for the other top-level roles.
    fn found(&self, roots: &[SigningKey], threshold: usize) -> Result<Repository> {
        let public = |key: &SigningKey| key.verifying_key().to_bytes();
        let online = |name: &str| Ok::<_, Failure>(Signers::one(public(&self.make_key(&format!("{ROLES}/{name}"))?)));
        let signers = TopSigners {
            root: Signers { keys: roots.iter().map(public).collect(), threshold },
            targets: online("targets")?,
            snapshot: online("snapshot")?,
            timestamp: online("timestamp")?,
        };
        Ok(Repository::create(&self.dir.join(REPOSITORY), &signers)?)
    }

    /// Publishes for the first time; the first root becomes the trust anchor.
    fn establish(&self, mut repository: Repository, keyring: &Keyring, now: u64) -> Result<Published> {
        let published = repository.publish(keyring, now)?;
        let path = repository.dir().join(Folder::METADATA).join("1.root.json");
        let root = fs::read(&path).map_err(at(&path, "run the command again in an empty folder"))?;
        self.write(ROOT_FILE, &root, 0o644)?;
        Ok(published)
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.{KEY_EXTENSION}"))
    }

    fn read_key(&self, name: &str) -> Result<SigningKey> {
        Ok(read_key(&self.key_path(name))?)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let path = self.dir.join(name);
        durable::replace(&path, bytes, mode).map_err(at(&path, "choose a folder that you may write"))
    }
}

/// The role that delegates to a division: its province's where that has one, else the nation's.
pub fn superior_role(id: IssuerId, known: &[IssuerId]) -> String {
    let above = [id.city(), id.province()].into_iter().find(|above| *above != id && known.contains(above));
    above.map_or_else(|| "targets".to_owned(), |above| above.to_string())
}

/// A new private key.
pub fn new_key() -> Result<SigningKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Failure::new("the system has no random numbers: check /dev/urandom"))?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Writes a private key that is not there yet, for its owner alone.
pub fn write_key(path: &Path, key: &SigningKey) -> Result<()> {
    if path.exists() {
        return Err(Failure::new(format!("{} is a key already: name another file", path.display())));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder, "choose a folder that you may write"))?;
    }
    durable::replace(path, line_of(&key.to_bytes()).as_bytes(), 0o600)
        .map_err(at(path, "choose a folder that you may write"))
}

/// Reads a public key as people give it: 64 hexadecimal digits.
pub fn public_key(text: &str) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    unhex(text.trim(), &mut key)
        .ok_or_else(|| Failure::new(format!("{text:?} is not a public key: it must be 64 hexadecimal digits")))?;
    Ok(key)
}

fn line_of(bytes: &[u8; 32]) -> String {
    format!("{}\n", Hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::ids::KeyId;

    #[test]
    fn a_new_profile_is_believed_by_a_gate_and_marked_unsafe() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let profile = Authority::init(dir.path(), 1_700_000_000)?;
        let believed = menshen_lane::trust::load(dir.path(), None)?;
        let content = believed.list.content();
        assert_eq!((content.issuers.len(), content.keys.len()), (40, 40));
        assert_eq!(believed.roles.len(), 39);
        assert!(believed.roles.iter().all(|role| role.held_back.is_none()), "{:?}", believed.roles);
        assert!(fs::read_to_string(dir.path().join("UNSAFE"))?.contains("Never"));
        let zhejiang = profile.issuer_key(IssuerId::new(330_000).ok_or_else(|| Failure::new("six digits"))?)?;
        let kid = KeyId::of(zhejiang.verifying_key().as_bytes());
        assert_eq!(believed.list.keys(kid).first().map(|key| key.issuer.code()), Some(330_000));
        Ok(())
    }

    #[test]
    fn a_profile_is_never_overwritten() -> Result<()> {
        let dir = tempfile::tempdir()?;
        Authority::init(dir.path(), 1_700_000_000)?;
        assert!(Authority::init(dir.path(), 1_700_000_000).is_err());
        Ok(())
    }

    #[test]
    fn a_real_authority_keeps_its_root_keys_elsewhere() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let folders: Vec<PathBuf> = ["a", "b", "c"].iter().map(|name| dir.path().join(name)).collect();
        let home = dir.path().join("authority");
        let authority = Authority::init_real(&home, &Roots { folders: folders.clone(), threshold: 2 }, 1_700_000_000)?;
        assert!(!authority.is_unsafe());
        assert!(folders.iter().all(|folder| folder.join("root.key").exists()));
        assert!(
            fs::read_dir(home.join(ROLES))?
                .flatten()
                .all(|entry| !entry.file_name().to_string_lossy().contains("root"))
        );
        assert_eq!(menshen_lane::trust::load(&home, None)?.list.content().issuers.len(), 1);
        Ok(())
    }
}
