//! One metadata document as it is edited: JSON that is signed by its canonical form.
//!
//! Documents stay JSON values, so that a field which this program does not know survives an edit by it.

use super::keyring::{key_id, key_object};
use super::{PublishError, Signers, bundle};
use crate::names;
use crate::tuf::Folder;
use menshen_core::ids::{Hex, unhex};
use serde_json::{Value, json};
use std::collections::BTreeMap;
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

/// What a draft's file has beside what is signed: on which version it was made.
const BASE: &str = "base";
/// The same: the highest version that was signed here and given away to be published elsewhere.
const GIVEN: &str = "given";

/// A document, and whether it differs from what is published.
#[derive(Clone, Debug)]
pub(super) struct Document {
    whole: Value,
    draft: bool,
    /// The version that is published.
    published: u64,
    /// The highest version that was given away signed; what is signed later must have a higher one.
    given: u64,
    /// What is published is not here, or not as it was: only another version can take its place.
    lost: bool,
}

impl Document {
    pub(super) fn published(whole: Value) -> Document {
        let published = whole["signed"]["version"].as_u64().unwrap_or(0);
        Document { whole, draft: false, published, given: 0, lost: false }
    }

    pub(super) fn draft(signed: Value) -> Document {
        Document { draft: true, ..Document::published(json!({ "signed": signed, "signatures": [] })) }
    }

    /// A role that was delegated and has never published.
    pub(super) fn unborn() -> Document {
        Document { draft: false, ..Document::draft(empty_targets()) }
    }

    /// A role of which a version is published that is not here.
    pub(super) fn lost(version: u64) -> Document {
        let mut signed = empty_targets();
        signed["version"] = json!(version);
        Document { draft: false, published: version, lost: true, ..Document::draft(signed) }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn is_unborn(&self) -> bool {
        !self.draft && self.version() == 0
    }

    /// The same document with a draft that was kept; `Err` with the document itself where another version than the
    /// one that the draft was made on is published by now. One that this very folder gave away stands in no draft's way.
    pub(super) fn with_draft(self, mut kept: Value) -> Result<Document, Document> {
        let number = |kept: &Value, name: &str| kept[name].as_u64().unwrap_or(0);
        let (base, given) = (number(&kept, BASE), number(&kept, GIVEN));
        if base != self.published && given < self.published {
            return Err(self);
        }
        if let Some(kept) = kept.as_object_mut() {
            kept.retain(|name, _| ![BASE, GIVEN].contains(&name.as_str()));
        }
        // What was given away is published: nothing of it waits.
        if base != self.published && kept["signed"] == self.whole["signed"] {
            return Ok(self);
        }
        Ok(Document { whole: kept, draft: true, published: self.published, given, lost: self.lost })
    }

    /// The file of a draft.
    pub(super) fn draft_file(&self) -> Value {
        let mut whole = self.whole.clone();
        (whole[BASE], whole[GIVEN]) = (json!(self.published), json!(self.given));
        whole
    }

    /// A draft that somebody else signed, in the place of what was here.
    pub(super) fn taken(&self, whole: Value) -> Document {
        Document { whole, draft: true, published: self.published, given: 0, lost: self.lost }
    }

    /// It has every signature and leaves this folder.
    pub(super) fn give(&mut self) {
        self.given = self.version();
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

    /// Gives a draft its number and its expiry, once, or again where it has ended before enough people signed it: what
    /// they signed was another document.
    pub(super) fn number(&mut self, role: &str, now_unix_s: u64) {
        let ends = self.expires().parse::<jiff::Timestamp>().map_or(i64::MIN, jiff::Timestamp::as_second);
        if self.version() > self.published && ends > now_unix_s as i64 {
            return;
        }
        let expires = i64::try_from(now_unix_s + Lifetime::of(role)).ok();
        let expires = expires.and_then(|second| jiff::Timestamp::from_second(second).ok()).unwrap_or_default();
        self.whole["signed"]["version"] = json!(self.published.max(self.given) + 1);
        self.whole["signed"]["expires"] = json!(expires.to_string());
        self.whole["signatures"] = json!([]);
    }

    pub(super) fn signed_by(&self) -> Vec<&str> {
        let signatures = self.whole["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
        signatures.iter().filter_map(|signature| signature["keyid"].as_str()).collect()
    }

    /// Drops what is no signature of this content by the key that it names, whoever left it there.
    pub(super) fn keep_signatures(&mut self, is_good: impl Fn(&str, &str) -> bool) {
        if let Some(signatures) = self.whole["signatures"].as_array_mut() {
            let text = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
            signatures.retain(|own| is_good(&text(own, "keyid"), &text(own, "sig")));
        }
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
        self.given = 0;
        self.lost = false;
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

/// The targets that a role lists: file name in the repository, length and SHA-256.
pub(super) fn targets(signed: &Value) -> BTreeMap<String, (u64, String)> {
    let listed = signed["targets"].as_object().into_iter().flatten();
    listed.filter_map(|(path, target)| bundle::target_of(path, target)).collect()
}

/// Their files, by their paths in the repository.
pub(super) fn target_files(signed: &Value) -> Vec<PathBuf> {
    targets(signed).into_keys().map(|name| Path::new(Folder::TARGETS).join(name)).collect()
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

/// Lets the divisions to which a targets role delegated before there were policies sign theirs, by the same keys; gives
/// whether there were any. What was delegated in other words stays as it is.
pub(super) fn bring_up_to_date(signed: &mut Value) -> bool {
    let roles = signed.get_mut("delegations").and_then(|delegations| delegations["roles"].as_array_mut());
    let mut changed = false;
    for entry in roles.into_iter().flatten() {
        let Some(owner) = entry["name"].as_str().and_then(names::issuer) else { continue };
        let wanted = json!(names::own_paths(owner));
        if entry["paths"] == json!(names::paths_before_policies(owner)) && entry["paths"] != wanted {
            entry["paths"] = wanted;
            changed = true;
        }
    }
    changed
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
    let Signers { keys: signers, threshold } = signers;
    if *threshold == 0 || *threshold > signers.len() {
        return Err(PublishError::Threshold { threshold: *threshold, keys: signers.len() });
    }
    let mut ids = Vec::new();
    for key in signers {
        let id = key_id(key)?;
        if ids.contains(&id) {
            return Err(PublishError::SameKey(Hex(key).to_string()));
        }
        keys[&id] = key_object(key);
        ids.push(id);
    }
    Ok(ids)
}

/// The keys that a root or a delegating role names, by their ids.
pub(super) fn keys(signed: &Value) -> BTreeMap<String, Value> {
    let known = signed.get("keys").or_else(|| signed["delegations"].get("keys")).and_then(Value::as_object);
    known.into_iter().flatten().map(|(id, key)| (id.clone(), key.clone())).collect()
}

/// The key ids of a role's entry.
pub(super) fn key_ids(entry: &Value) -> Vec<String> {
    let ids = entry["keyids"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for id in ids.iter().filter_map(Value::as_str) {
        // A key that is named twice signs once.
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

/// Whether two entries say that the same keys sign a role, whatever they let it sign.
pub(super) fn same_signers(a: Option<&Value>, b: Option<&Value>) -> bool {
    let who = |entry: &Value| (key_ids(entry), entry["threshold"].as_u64());
    a.map(who) == b.map(who)
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
