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
//! roles/330000.key      keys that sign metadata: root-1, targets, snapshot, timestamp, one a province or city, 100000 for the nation's list
//! issuers/330000.key    keys that sign passes
//! hub.key/.pub          of a development profile: its hub, which signs acks
//! ```

mod catalogue;
mod content;
mod roots;

pub use catalogue::kind;
pub use content::{Content, forget_policy, role_of, save_policy};

use crate::outcome::{Failure, Result, at};
use catalogue::Catalogue;
use ed25519_dalek::{SigningKey, VerifyingKey};
use menshen_core::ids::{Hex, IssuerId, KeyId, unhex};
use menshen_core::recognition::Rule;
use menshen_core::trust::IssuerKey;
use menshen_lane::durable;
use menshen_lane::trust::{REPOSITORY, ROOT_FILE};
use menshen_trust::names;
use menshen_trust::publish::{KEY_EXTENSION, Keyring, Repository, Signers, TopSigners, read_key};
use menshen_trust::tuf::Folder;
pub use roots::Roots;
use roots::{Made, ROOT_KEY_FILE};
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

impl Authority {
    /// Makes a development profile: every key of a country, every issuer of `keys/issuers.toml`, published as of `now`.
    pub fn init(dir: &Path, now: u64) -> Result<Authority> {
        let mut made = Made::begin(dir)?;
        let authority = Authority { dir: dir.into() };
        authority.fill(now)?;
        made.keep();
        Ok(authority)
    }

    fn fill(&self, now: u64) -> Result<()> {
        self.make_folders()?;
        self.write(UNSAFE_FILE, WARNING.as_bytes(), 0o644)?;
        let hub = self.make_key("hub")?;
        self.write("hub.pub", line_of(hub.verifying_key().as_bytes()).as_bytes(), 0o644)?;
        let roots = [1, 2, 3].map(|number| self.make_key(&format!("{ROLES}/root-{number}")));
        let roots = roots.into_iter().collect::<Result<Vec<_>>>()?;
        let mut repository = self.found(&roots, 2)?;
        let catalogue = Catalogue::read()?;
        let ids = catalogue.ids()?;
        for id in &ids {
            let key = self.make_key(&format!("{ROLES}/{id}"))?;
            let signers = Signers::one(key.verifying_key().to_bytes());
            repository.delegate(&superior_role(*id, &ids), &id.to_string(), &signers, &names::own_paths(*id))?;
        }
        for scope in ids.iter().filter(|scope| **scope == scope.province()) {
            self.found_province(&mut repository, &catalogue, *scope, now)?;
        }
        recognise(&mut repository, &catalogue, now)?;
        self.establish(repository, &self.keyring(&[])?, now)
    }

    /// Content is large, so it is on the stack of a function of its own.
    #[inline(never)]
    fn found_province(
        &self,
        repository: &mut Repository,
        catalogue: &Catalogue,
        scope: IssuerId,
        now: u64,
    ) -> Result<()> {
        let mut content = Content::default();
        for issuer in catalogue.spoken_for_by(scope)? {
            let key = self.make_key(&format!("{ISSUERS}/{}", issuer.id))?;
            content.add_key(IssuerKey {
                issuer: issuer.id,
                public_key: key.verifying_key().to_bytes(),
                valid_from: now.saturating_sub(KEY_LEAD_S),
                valid_until: now + KEY_LIFE_S,
            })?;
            content.add_issuer(issuer)?;
        }
        content.save_issuers(repository, scope)
    }

    /// Makes an authority whose root keys lie elsewhere, with nothing but the national platform to begin with, whose
    /// key for passes is `pass_key` or made here. Gives the files of the keys that it made, with their public halves.
    /// Everything is looked at before anything is made, and what was made is removed where it fails.
    pub fn init_real(
        dir: &Path,
        roots: &Roots,
        pass_key: Option<[u8; 32]>,
        now: u64,
    ) -> Result<Vec<(PathBuf, [u8; 32])>> {
        roots.check(dir)?;
        let mut made = Made::begin(dir)?;
        let authority = Authority { dir: dir.into() };
        let keys = authority.fill_real(roots, pass_key, now, &mut made)?;
        made.keep();
        Ok(keys)
    }

    fn fill_real(
        &self,
        roots: &Roots,
        pass_key: Option<[u8; 32]>,
        now: u64,
        made: &mut Made,
    ) -> Result<Vec<(PathBuf, [u8; 32])>> {
        let public = |key: &SigningKey| key.verifying_key().to_bytes();
        let (mut keys, mut told, mut keyring) = (Vec::new(), Vec::new(), Keyring::new());
        for folder in &roots.folders {
            let (key, path) = (new_key()?, folder.join(ROOT_KEY_FILE));
            made.files.push(path.clone());
            write_key(&path, &key)?;
            keyring.add(key.clone())?;
            told.push((path, public(&key)));
            keys.push(key);
        }
        self.make_folders()?;
        let mut repository = self.found(&keys, roots.threshold)?;
        let national = Catalogue::read()?.issuer(IssuerId::NATIONAL)?;
        let name = format!("{ISSUERS}/{}", national.id);
        let public_key = pass_key.map_or_else(|| Ok::<_, Failure>(public(&self.make_key(&name)?)), Ok)?;
        let mut content = Content::default();
        content.add_key(IssuerKey {
            issuer: national.id,
            public_key,
            valid_from: now,
            valid_until: now + KEY_LIFE_S,
        })?;
        content.add_issuer(national)?;
        content.save_issuers(&mut repository, IssuerId::NATIONAL)?;
        Content::default().save_rules(&mut repository, IssuerId::NATIONAL)?;
        // Its list is said every day, by a key that need not be able to say anything else.
        let list = IssuerId::NATIONAL.to_string();
        let signers = Signers::one(public(&self.make_key(&format!("{ROLES}/{list}"))?));
        repository.delegate("targets", &list, &signers, &names::own_paths(IssuerId::NATIONAL))?;
        keyring.add_folder(&self.dir.join(ROLES))?;
        self.establish(repository, &keyring, now)?;
        let made_here = ["targets", "snapshot", "timestamp", list.as_str()].map(|role| format!("{ROLES}/{role}"));
        for name in made_here.into_iter().chain(pass_key.is_none().then_some(name)) {
            told.push((self.key_path(&name), public(&self.read_key(&name)?)));
        }
        Ok(told)
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

    /// Makes a key in the folder; one that is there under this name is kept beside it, under a name with its own key id.
    pub fn replace_key(&self, name: &str) -> Result<SigningKey> {
        let path = self.key_path(name);
        if path.exists() {
            let old = read_key(&path)?;
            let kept = self.key_path(&format!("{name}-{}", KeyId::of(old.verifying_key().as_bytes())));
            if kept.exists() && read_key(&kept)? != old {
                let kept = kept.display();
                return Err(Failure::new(format!("{kept} holds another key than its name says: move it away first")));
            }
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

    fn make_folders(&self) -> Result<()> {
        for folder in [ROLES, ISSUERS] {
            let path = self.dir.join(folder);
            fs::create_dir_all(&path).map_err(at(&path, "choose a folder that you may write"))?;
        }
        Ok(())
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
    fn establish(&self, mut repository: Repository, keyring: &Keyring, now: u64) -> Result<()> {
        repository.publish(keyring, now)?;
        let path = repository.dir().join(Folder::METADATA).join("1.root.json");
        let root = fs::read(&path).map_err(at(&path, "run the command again in an empty folder"))?;
        self.write(ROOT_FILE, &root, 0o644)
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

/// Reads a public key as people give it: 64 hexadecimal digits, or a file that holds them.
pub fn public_key(text: &str) -> Result<[u8; 32]> {
    let wrong = |why: &str| {
        let how = "give 64 hexadecimal digits, or a file that holds them, as `menshen trust key` prints them";
        Failure::new(format!("{text:?} {why}: {how}"))
    };
    let path = Path::new(text);
    if path.extension().is_some_and(|extension| extension == KEY_EXTENSION) {
        return Err(wrong("is the file of a private key"));
    }
    let mut key = [0; 32];
    if unhex(text.trim(), &mut key).is_none() {
        let content = fs::read_to_string(path).map_err(|_| wrong("is not a public key"))?;
        unhex(content.trim(), &mut key).ok_or_else(|| wrong("is not a public key"))?;
    }
    match VerifyingKey::from_bytes(&key) {
        Ok(point) if !point.is_weak() => Ok(key),
        _ => Err(wrong("is not a public key")),
    }
}

fn line_of(bytes: &[u8; 32]) -> String {
    format!("{}\n", Hex(bytes))
}

/// The agreements of a development profile.
#[inline(never)]
fn recognise(repository: &mut Repository, catalogue: &Catalogue, now: u64) -> Result<()> {
    let rules: Vec<Rule> = catalogue.rules(now.saturating_sub(KEY_LEAD_S), now + KEY_LIFE_S)?;
    Content::default().with_rules(rules)?.save_rules(repository, IssuerId::NATIONAL)
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
        assert_eq!(believed.roles.len(), 40);
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
        folders.iter().try_for_each(fs::create_dir)?;
        let roots = Roots { folders: folders.clone(), threshold: 2, same_disk: true };
        let keys = Authority::init_real(&home, &roots, None, 1_700_000_000)?;
        assert_eq!(keys.len(), 8);
        assert!(!Authority::open(&home)?.is_unsafe() && !home.join("hub.key").exists());
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
