//! A small country that publishes: the nation, two provinces, a city, each with keys made from fixed seeds.

use ed25519_dalek::{Signer, SigningKey};
use menshen_core::ids::{Hex, IssuerId, sha256};
use menshen_core::pass::Colour;
use menshen_core::status::{Status, Tag};
use menshen_core::trust::part::Issuers;
use menshen_core::trust::{Issuer, IssuerKey};
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Keyring, PublishError, Published, Repository, Signers, TopSigners};
use menshen_trust::status::{About, Delta, write_list};
use menshen_trust::tuf::{Folder, Refusal, Source, canonical};
use menshen_trust::vault::{Believed, Import, Now, Steps, Vault, VaultError};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// 2026-01-01 00:00:00 UTC.
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const ZHEJIANG: u32 = 330_000;
pub(crate) const HANGZHOU: u32 = 330_100;
pub(crate) const HENAN: u32 = 410_000;

pub(crate) fn id(code: u32) -> IssuerId {
    IssuerId::new(code).expect("six digits")
}

/// The key of a name, the same on every machine.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&sha256(name.as_bytes()))
}

pub(crate) fn public(name: &str) -> [u8; 32] {
    key(name).verifying_key().to_bytes()
}

/// The authority: a folder with the repository, and every key.
pub(crate) struct Country {
    dir: TempDir,
    prefix: &'static str,
}

impl Country {
    /// Published once, at [`NOW`].
    pub(crate) fn new() -> Country {
        Country::of("")
    }

    /// Another one, whose keys are all different.
    pub(crate) fn of(prefix: &'static str) -> Country {
        let country = Country { dir: tempfile::tempdir().expect("a folder"), prefix };
        let own = |name: &str| public(&format!("{prefix}{name}"));
        let signers = TopSigners {
            root: Signers { keys: vec![own("root-1"), own("root-2"), own("root-3")], threshold: 2 },
            targets: Signers::one(own("targets")),
            snapshot: Signers::one(own("snapshot")),
            timestamp: Signers::one(own("timestamp")),
        };
        let mut repository = Repository::create(&country.path(), &signers).expect("a new repository");
        put_issuers(&mut repository, "targets", IssuerId::NATIONAL, &[100_000, ZHEJIANG, HENAN]);
        for (superior, code) in [("targets", ZHEJIANG), ("targets", HENAN), ("330000", HANGZHOU)] {
            let role = code.to_string();
            let paths = names::own_paths(id(code));
            repository.delegate(superior, &role, &Signers::one(own(&role)), &paths).expect("delegates");
        }
        put_issuers(&mut repository, "330000", id(ZHEJIANG), &[HANGZHOU]);
        for code in [ZHEJIANG, HANGZHOU, HENAN] {
            put_list(&mut repository, code, 1);
        }
        repository.publish(&country.keyring(), NOW).expect("every key is at hand");
        country
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("repository")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(&self.path()).expect("a repository")
    }

    pub(crate) fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        for name in ["root-1", "root-2", "root-3", "targets", "snapshot", "timestamp", "330000", "330100", "410000"] {
            keyring.add(key(&format!("{}{name}", self.prefix))).expect("a key");
        }
        keyring
    }

    /// The root that a gate of this country is made with.
    pub(crate) fn root(&self) -> Vec<u8> {
        fs::read(self.path().join("metadata/1.root.json")).expect("the first root")
    }

    /// Edits and publishes, as a publisher that does not ask whether gates will believe it.
    pub(crate) fn publish(&self, now: u64, edit: impl FnOnce(&mut Repository)) -> Result<Published, PublishError> {
        let mut repository = self.repository();
        edit(&mut repository);
        repository.publish_untried(&self.keyring(), now)
    }

    /// The same as a program published it that knew no policies.
    pub(crate) fn published_before_policies(self) -> Country {
        let dir = self.path();
        sign(&dir, "1.targets.json", "targets", |signed| {
            for entry in signed["delegations"]["roles"].as_array_mut().expect("it delegates") {
                let owner = entry["name"].as_str().and_then(names::issuer).expect("to divisions");
                entry["paths"] = json!(names::paths_before_policies(owner));
            }
        });
        pin(&dir, "1.targets.json", "1.snapshot.json", "snapshot");
        pin(&dir, "1.snapshot.json", "timestamp.json", "timestamp");
        self
    }

    /// What is published now, on a stick.
    pub(crate) fn stick(&self) -> Stick {
        let dir = tempfile::tempdir().expect("a folder");
        self.repository().copy_to(dir.path()).expect("copies");
        Stick(dir)
    }
}

pub(crate) fn put_issuers(repository: &mut Repository, role: &str, owner: IssuerId, codes: &[u32]) {
    let mut part = Issuers::default();
    for code in codes {
        let issuer = Issuer {
            id: id(*code),
            name_zh: "健康码".parse().expect("short"),
            name_en: "Health code".parse().expect("short"),
            hotline: "12345".parse().expect("short"),
            levels: Default::default(),
            lists_status: false,
        };
        let public_key = public(&format!("pass {code}"));
        let key = IssuerKey { issuer: id(*code), public_key, valid_from: 0, valid_until: u64::MAX };
        part.issuers.push(issuer).expect("room");
        part.keys.push(key).expect("room");
    }
    part.sort();
    let mut bytes = Vec::new();
    let Ok(()) = part.encode(&mut bytes) else { panic!("a vector grows") };
    repository.put(role, &Target::Issuers(owner).path(), &bytes).expect("lists");
}

/// The file in a folder of a target or of metadata whose name ends so.
fn file(dir: &Path, end: &str) -> PathBuf {
    fn find(dir: &Path, end: &str) -> Option<PathBuf> {
        let mut entries: Vec<PathBuf> = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.into_iter().rev().find_map(|path| match path.is_dir() {
            true => find(&path, end),
            false => path.to_string_lossy().ends_with(end).then_some(path),
        })
    }
    find(dir, end).expect("the file is there")
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("reads")).expect("JSON")
}

/// Signs the file of a role in a repository with a key, under the key id that is in it.
pub(crate) fn sign(dir: &Path, name: &str, signer: &str, edit: impl FnOnce(&mut Value)) {
    let path = file(dir, name);
    let mut metadata = read(&path);
    edit(&mut metadata["signed"]);
    let bytes = canonical(&metadata["signed"]).expect("metadata");
    metadata["signatures"][0]["sig"] = json!(Hex(&key(signer).sign(&bytes).to_bytes()).to_string());
    fs::write(path, metadata.to_string()).expect("writes");
}

/// Pins the file of a role in the metadata above it.
pub(crate) fn pin(dir: &Path, name: &str, above: &str, signer: &str) {
    let bytes = fs::read(file(dir, name)).expect("reads");
    let unversioned = name.split_once('.').map_or(name, |(_, name)| name);
    sign(dir, above, signer, |signed| {
        let pinned = &mut signed["meta"][unversioned];
        pinned["length"] = json!(bytes.len());
        pinned["hashes"] = json!({ "sha256": Hex(&sha256(&bytes)).to_string() });
    });
}

/// A copy of a repository that may be spoiled.
pub(crate) struct Stick(TempDir);

impl Stick {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::new(Folder::new(self.path()))
    }

    /// The file of a target or of metadata whose name ends so.
    pub(crate) fn file(&self, end: &str) -> PathBuf {
        file(self.path(), end)
    }

    pub(crate) fn change(&self, end: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.file(end);
        let mut bytes = fs::read(&path).expect("reads");
        change(&mut bytes);
        fs::write(path, bytes).expect("writes");
    }
}

/// A gate's disk.
pub(crate) struct Gate {
    dir: TempDir,
    root: Vec<u8>,
}

impl Gate {
    pub(crate) fn new(country: &Country) -> Gate {
        Gate { dir: tempfile::tempdir().expect("a folder"), root: country.root() }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::open(self.dir.path(), &self.root).expect("a vault")
    }

    pub(crate) fn import(&self, stick: &Stick, now: u64) -> Result<Import, VaultError> {
        self.vault().import(stick.source(), Now::about(now), &Steps::none())
    }

    /// Imports what must be new and good.
    pub(crate) fn believes(&self, stick: &Stick, now: u64) -> Believed {
        match self.import(stick, now) {
            Ok(Import::New(believed)) => *believed,
            other => panic!("this is new and good: {other:?}"),
        }
    }

    /// Why what is on the stick is refused as a whole.
    pub(crate) fn refuses(&self, stick: &Stick, now: u64) -> Refusal {
        match self.import(stick, now) {
            Err(VaultError::Refused(error)) => error.refusal,
            other => panic!("this must be refused: {other:?}"),
        }
    }

    /// Changes what is kept, as another program would have written it.
    pub(crate) fn change_generation(&self, change: impl FnOnce(&mut Value)) {
        let path = self.dir().join("generation");
        let text = fs::read_to_string(&path).expect("reads");
        let (json, _) = text.trim_end().rsplit_once('\n').expect("it ends with a sum");
        let mut generation: Value = serde_json::from_str(json).expect("JSON");
        change(&mut generation);
        let json = generation.to_string();
        fs::write(path, format!("{json}\n{}\n", Hex(&sha256(json.as_bytes())))).expect("writes");
    }

    /// What a gate believes that starts now.
    pub(crate) fn restarted(&self) -> Believed {
        self.vault().current().expect("reads").expect("there was an import")
    }
}

/// Why the newest publication of a role is not believed.
pub(crate) fn held_back(believed: &Believed, code: u32) -> Option<Refusal> {
    let role = believed.roles.iter().find(|role| role.scope == id(code)).expect("the role was met");
    role.held_back.as_ref().map(|error| error.refusal)
}

/// The number through which a status list is complete.
pub(crate) fn list_of(believed: &Believed, code: u32) -> Option<u64> {
    believed.status.get(id(code)).map(|status| status.complete().seq)
}

/// Lets a division publish a whole status list of a number; its own number is a tag in it.
pub(crate) fn put_list(repository: &mut Repository, code: u32, seq: u64) {
    put_list_of(repository, &code.to_string(), code, seq);
}

/// The same of a role that may be another division's.
pub(crate) fn put_list_of(repository: &mut Repository, role: &str, code: u32, seq: u64) {
    let about = About { issuer: id(code), seq, as_of: NOW };
    let entries = [(Tag::from_number(u64::from(code)), Status::Revoked), (Tag::from_number(seq), Status::Revoked)];
    let mut bytes = Vec::new();
    write_list(&mut bytes, about, entries).expect("a vector grows");
    repository.put(role, &Target::Snapshot(id(code), seq).path(), &bytes).expect("lists");
}

/// Lets a division publish a delta.
pub(crate) fn put_delta(repository: &mut Repository, code: u32, seq: u64, as_of: u64) {
    let about = About { issuer: id(code), seq, as_of };
    let change = (Tag::from_number(u64::from(code)), Some(Status::Overridden(Colour::Red)));
    let delta = Delta::new(about, [change]).expect("one change");
    repository.put(&code.to_string(), &Target::Delta(id(code), seq).path(), &delta.to_bytes()).expect("lists");
}
