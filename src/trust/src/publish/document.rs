//! One metadata document as it is edited: JSON that is signed by its canonical form.
//!
//! Documents stay JSON values, so that a field which this program does not know survives an edit by it.

use super::keyring::{key_id, key_object};
use super::{PublishError, Signers, bundle};
use crate::tuf::Folder;
use menshen_core::ids::unhex;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The version of the TUF specification.
pub(super) const SPEC: &str = "1.0.31";
const DAY_S: u64 = 86_400;

/// How long each kind of metadata counts. A stick may be on its way for weeks, so even the timestamp has a month; how
/// old a gate's trust may be is for its policy to say, by the moment in the timestamp.
pub(super) struct Lifetime;

impl Lifetime {
    pub(super) fn of(role: &str) -> u64 {
        match role {
            super::SNAPSHOT | super::TIMESTAMP => 30 * DAY_S,
            super::ROOT => 2 * 365 * DAY_S,
            _ => 365 * DAY_S,
        }
    }

    /// Whether it is time to sign again: a third of the life is left.
    pub(super) fn is_short(role: &str, expires: &str, now_unix_s: u64) -> bool {
        let left = expires.parse::<jiff::Timestamp>().map(|at| at.as_second() - now_unix_s as i64).unwrap_or(0);
        left < (Lifetime::of(role) / 3) as i64
    }
}

/// A document, and whether it differs from what is published.
#[derive(Clone, Debug)]
pub(super) struct Document {
    whole: Value,
    draft: bool,
    /// The version that is published.
    published: u64,
}

impl Document {
    pub(super) fn published(whole: Value) -> Document {
        let published = whole["signed"]["version"].as_u64().unwrap_or(0);
        Document { whole, draft: false, published }
    }

    pub(super) fn draft(signed: Value) -> Document {
        Document { whole: json!({ "signed": signed, "signatures": [] }), draft: true, published: 0 }
    }

    /// The same document with a draft that was kept.
    pub(super) fn with_draft(self, whole: Value) -> Document {
        Document { whole, draft: true, published: self.published }
    }

    pub(super) fn whole(&self) -> &Value {
        &self.whole
    }

    pub(super) fn signed(&self) -> &Value {
        &self.whole["signed"]
    }

    pub(super) fn is_draft(&self) -> bool {
        self.draft
    }

    pub(super) fn version(&self) -> u64 {
        self.signed()["version"].as_u64().unwrap_or(0)
    }

    pub(super) fn published_version(&self) -> u64 {
        self.published
    }

    pub(super) fn expires(&self) -> &str {
        self.signed()["expires"].as_str().unwrap_or_default()
    }

    /// The content, to be changed: all signatures are void.
    pub(super) fn edit(&mut self) -> &mut Value {
        self.draft = true;
        self.whole["signatures"] = json!([]);
        self.whole["signed"]["version"] = json!(self.published);
        &mut self.whole["signed"]
    }

    /// Gives a draft its number and its expiry, once.
    pub(super) fn number(&mut self, role: &str, now_unix_s: u64) {
        if self.version() != self.published + 1 {
            let expires = i64::try_from(now_unix_s + Lifetime::of(role)).ok();
            let expires = expires.and_then(|second| jiff::Timestamp::from_second(second).ok()).unwrap_or_default();
            self.whole["signed"]["version"] = json!(self.published + 1);
            self.whole["signed"]["expires"] = json!(expires.to_string());
        }
    }

    pub(super) fn signed_by(&self) -> Vec<&str> {
        let signatures = self.whole["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
        signatures.iter().filter_map(|signature| signature["keyid"].as_str()).collect()
    }

    pub(super) fn add_signature(&mut self, key_id: &str, signature: &str) {
        if let Some(signatures) = self.whole["signatures"].as_array_mut() {
            signatures.push(json!({ "keyid": key_id, "sig": signature }));
        }
    }

    /// It is published as it is.
    pub(super) fn settle(&mut self) {
        self.draft = false;
        self.published = self.version();
    }
}

pub(super) fn empty_targets() -> Value {
    json!({ "_type": super::TARGETS, "spec_version": SPEC, "version": 0, "expires": "", "targets": {} })
}

/// The version that a timestamp or snapshot names for a file.
pub(super) fn pinned(whole: &Value, file: &str) -> u64 {
    whole["signed"]["meta"][file]["version"].as_u64().unwrap_or(0)
}

pub(super) fn target_hash<'a>(signed: &'a Value, path: &str) -> Option<&'a str> {
    signed.get("targets")?.get(path)?.get("hashes")?.get("sha256")?.as_str()
}

/// The files of the targets that a role lists, by their paths in the repository.
pub(super) fn target_files(signed: &Value) -> Vec<PathBuf> {
    let listed = signed["targets"].as_object().into_iter().flatten();
    let named = listed.filter_map(|(path, target)| bundle::target_of(path, target));
    named.map(|(name, _)| Path::new(Folder::TARGETS).join(name)).collect()
}

/// Gives a role of the root its signers.
pub(super) fn set_keys(root: &mut Value, role: &str, signers: &Signers) -> Result<(), PublishError> {
    let ids = add_keys(&mut root["keys"], signers)?;
    root["roles"][role] = json!({ "keyids": ids, "threshold": signers.threshold });
    let used: Vec<String> =
        root["roles"].as_object().into_iter().flat_map(|roles| roles.values()).flat_map(key_ids).collect();
    if let Some(keys) = root["keys"].as_object_mut() {
        keys.retain(|id, _| used.contains(id));
    }
    Ok(())
}

/// Lets a targets role delegate.
pub(super) fn delegate(
    signed: &mut Value,
    role: &str,
    signers: &Signers,
    paths: &[String],
) -> Result<(), PublishError> {
    if signed.get("delegations").is_none() {
        signed["delegations"] = json!({ "keys": {}, "roles": [] });
    }
    let delegations = &mut signed["delegations"];
    let ids = add_keys(&mut delegations["keys"], signers)?;
    let entry = json!({
        "name": role, "keyids": ids, "threshold": signers.threshold, "terminating": false, "paths": paths,
    });
    if let Some(roles) = delegations["roles"].as_array_mut() {
        match roles.iter_mut().find(|known| known["name"] == role) {
            Some(known) => *known = entry,
            None => roles.push(entry),
        }
    }
    let used: Vec<String> = delegations["roles"].as_array().into_iter().flatten().flat_map(key_ids).collect();
    if let Some(keys) = delegations["keys"].as_object_mut() {
        keys.retain(|id, _| used.contains(id));
    }
    Ok(())
}

pub(super) fn has_delegation(signed: &Value, role: &str) -> bool {
    let roles = signed["delegations"]["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    roles.iter().any(|known| known["name"] == role)
}

/// The roles to which a targets role delegates, in order.
pub(super) fn delegated(signed: &Value) -> Vec<String> {
    let roles = signed["delegations"]["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    roles.iter().filter_map(|role| role["name"].as_str().map(str::to_owned)).collect()
}

fn add_keys(keys: &mut Value, signers: &Signers) -> Result<Vec<String>, PublishError> {
    let mut ids = Vec::new();
    for key in &signers.keys {
        let id = key_id(key)?;
        keys[&id] = key_object(key);
        ids.push(id);
    }
    Ok(ids)
}

/// The key ids of a role's entry.
pub(super) fn key_ids(entry: &Value) -> Vec<String> {
    let ids = entry["keyids"].as_array().map(Vec::as_slice).unwrap_or_default();
    ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// The entry that says who signs a role: in a root, or in the delegations of a targets role.
pub(super) fn entry<'a>(signed: &'a Value, role: &str) -> Option<&'a Value> {
    signed["roles"].get(role).or_else(|| signed["delegations"]["roles"].as_array()?.iter().find(|e| e["name"] == role))
}

/// The signers that an entry names, by their keys.
pub(super) fn signers(signed: &Value, role: &str) -> Option<Signers> {
    let entry = entry(signed, role)?;
    let known = signed.get("keys").or_else(|| signed["delegations"].get("keys"))?;
    let key = |id: &String| {
        let mut key = [0; 32];
        unhex(known[id]["keyval"]["public"].as_str()?, &mut key)?;
        Some(key)
    };
    let keys = key_ids(entry).iter().map(key).collect::<Option<Vec<_>>>()?;
    Some(Signers { keys, threshold: entry["threshold"].as_u64()? as usize })
}
