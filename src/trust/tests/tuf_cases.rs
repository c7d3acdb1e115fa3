//! Cases beyond the public conformance suite in which other TUF clients fail, each with metadata written by hand.

use ed25519_dalek::{Signer, SigningKey};
use menshen_core::ids::{Hex, sha256};
use menshen_trust::tuf::{Client, Folder, Refusal, Store, TufError, canonical};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const NOW: u64 = 1_767_225_600;
const LATER: &str = "2027-01-01T00:00:00Z";
const BEFORE: &str = "2025-12-31T00:00:00Z";
const BYTES: &[u8] = b"what was wanted";

/// A repository whose metadata are whatever a test says, all signed by one key whose id is `key_id`.
struct Repository {
    key_id: String,
    /// The delegations of the top-level role, in order.
    delegations: Vec<Value>,
    /// The delegated roles.
    roles: BTreeMap<String, Value>,
    /// Roles that the snapshot does not have.
    unpinned: Vec<String>,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key_object() -> Value {
    let public = Hex(key().verifying_key().as_bytes()).to_string();
    json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } })
}

fn listed(path: &str) -> Value {
    json!({ path: { "length": BYTES.len(), "hashes": { "sha256": Hex(&sha256(BYTES)).to_string() } } })
}

fn targets(listed: Value, expires: &str) -> Value {
    json!({ "_type": "targets", "spec_version": "1.0.31", "version": 1, "expires": expires, "targets": listed })
}

impl Repository {
    fn new() -> Repository {
        let (delegations, roles) = (Vec::new(), BTreeMap::new());
        Repository { key_id: "key".into(), delegations, roles, unpinned: Vec::new() }
    }

    fn delegate(&mut self, name: &str, pattern: &str, role: Value) -> &mut Value {
        self.roles.insert(name.into(), role);
        let entry = json!({
            "name": name, "keyids": [self.key_id], "threshold": 1, "terminating": false, "paths": [pattern],
        });
        self.delegations.push(entry);
        self.delegations.last_mut().expect("just pushed")
    }

    fn signed(&self, signed: &Value) -> Vec<u8> {
        let bytes = canonical(signed).expect("whole numbers");
        let signature = Hex(&key().sign(&bytes).to_bytes()).to_string();
        json!({ "signed": signed, "signatures": [{ "keyid": self.key_id, "sig": signature }] }).to_string().into_bytes()
    }

    /// Writes it, and asks a client for a path.
    fn ask(&self, path: &str) -> Result<Option<Vec<u8>>, TufError> {
        let dir = tempfile::tempdir().expect("a folder");
        let root = self.write(&dir, path);
        let source = Arc::new(Folder::new(dir.path()));
        let mut client = Client::new(&root, source, Arc::new(Memory::default()))?;
        client.refresh(NOW)?;
        let Some(found) = client.find(path, NOW)? else { return Ok(None) };
        let mut bytes = Vec::new();
        client.fetch(&found, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn write(&self, dir: &TempDir, path: &str) -> Vec<u8> {
        let file = |part: &str, name: &str, bytes: &[u8]| {
            let place = dir.path().join(part).join(name);
            fs::create_dir_all(place.parent().expect("a folder")).expect("makes folders");
            fs::write(place, bytes).expect("writes");
        };
        let role = json!({ "keyids": [self.key_id], "threshold": 1 });
        let root = self.signed(&json!({
            "_type": "root", "spec_version": "1.0.31", "version": 1, "expires": LATER, "consistent_snapshot": false,
            "keys": { &self.key_id: key_object() },
            "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        }));
        let mut top = targets(json!({}), LATER);
        top["delegations"] = json!({ "keys": { &self.key_id: key_object() }, "roles": self.delegations });
        file("metadata", "targets.json", &self.signed(&top));
        let mut pins = json!({ "targets.json": { "version": 1 } });
        for (name, role) in &self.roles {
            file("metadata", &format!("{name}.json"), &self.signed(role));
            if !self.unpinned.contains(name) {
                pins[format!("{name}.json")] = json!({ "version": 1 });
            }
        }
        let meta = |kind: &str, meta: Value| {
            self.signed(
                &json!({ "_type": kind, "spec_version": "1.0.31", "version": 1, "expires": LATER, "meta": meta }),
            )
        };
        file("metadata", "snapshot.json", &meta("snapshot", pins));
        file("metadata", "timestamp.json", &meta("timestamp", json!({ "snapshot.json": { "version": 1 } })));
        file("targets", path, BYTES);
        root
    }
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Store for Memory {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("nobody panics with it").get(name).cloned()
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        self.0.lock().expect("nobody panics with it").insert(name.into(), bytes.into());
        Ok(())
    }
}

#[track_caller]
fn gives(repository: &Repository, path: &str) {
    assert_eq!(repository.ask(path), Ok(Some(BYTES.to_vec())));
}

#[test]
fn an_unknown_field_in_a_delegation_is_signed_and_harmless() {
    let mut repository = Repository::new();
    let entry = repository.delegate("a", "a/*", targets(listed("a/x"), LATER));
    entry["x-from-the-future"] = json!({ "b": [1, 2], "a": null });
    gives(&repository, "a/x");
}

#[test]
fn an_unknown_field_in_a_delegated_role_is_signed_and_harmless() {
    let mut repository = Repository::new();
    let mut role = targets(listed("a/x"), LATER);
    role["x-from-the-future"] = json!("é\n\"\\");
    repository.delegate("a", "a/*", role);
    gives(&repository, "a/x");
}

#[test]
fn an_empty_custom_object_is_one_as_well_as_none() {
    let mut repository = Repository::new();
    let mut target = listed("a/x");
    target["a/x"]["custom"] = json!({});
    repository.delegate("a", "a/*", targets(target, LATER));
    gives(&repository, "a/x");
}

#[test]
fn a_first_role_that_the_snapshot_lacks_does_not_hide_a_good_one_after_it() {
    let mut repository = Repository::new();
    repository.delegate("a", "*/*", targets(listed("a/x"), LATER));
    repository.delegate("b", "*/*", targets(listed("a/x"), LATER));
    repository.unpinned.push("a".into());
    gives(&repository, "a/x");
}

#[test]
fn a_role_that_has_expired_stops_nobody_who_does_not_ask_it() {
    let mut repository = Repository::new();
    repository.delegate("a", "a/*", targets(listed("a/x"), BEFORE));
    repository.delegate("b", "b/*", targets(listed("b/x"), LATER));
    gives(&repository, "b/x");
    assert_eq!(repository.ask("a/x").map_err(|error| error.refusal), Err(Refusal::Expired));
}

#[test]
fn a_key_id_is_any_text() {
    let mut repository = Repository { key_id: "浙江 / key #1 é".into(), ..Repository::new() };
    repository.delegate("a", "a/*", targets(listed("a/x"), LATER));
    gives(&repository, "a/x");
}

#[test]
fn the_last_of_three_hundred_delegated_roles_is_found() {
    let mut repository = Repository::new();
    for number in 0..300 {
        let path = if number == 299 { "all/x".to_owned() } else { format!("all/{number}") };
        repository.delegate(&format!("role-{number}"), "all/*", targets(listed(&path), LATER));
    }
    gives(&repository, "all/x");
}

#[test]
fn a_star_stops_at_a_slash() {
    let mut repository = Repository::new();
    repository.delegate("a", "*.md", targets(listed("a/b.md"), LATER));
    assert_eq!(repository.ask("a/b.md"), Ok(None));
    let mut repository = Repository::new();
    repository.delegate("a", "*.md", targets(listed("b.md"), LATER));
    gives(&repository, "b.md");
}
