//! Numbers, signatures and files of a publication, in the order in which a reader may meet them half done.

use super::document::{self, Document, Lifetime, key_ids};
use super::{DRAFT, Keyring, PublishError, ROOT, Repository, SNAPSHOT, Signers, TARGETS, TIMESTAMP, keyring};
use crate::durable;
use crate::names::AS_OF;
use crate::tuf::{Folder, canonical};
use menshen_core::ids::{Hex, sha256};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

impl Repository {
    /// The content of a role, to be changed.
    pub(super) fn edit(&mut self, role: &str) -> Result<&mut Value, PublishError> {
        let document = self.documents.get_mut(role).ok_or_else(|| PublishError::NoRole(role.into()))?;
        if document.is_lost() && !document.is_draft() {
            let name = format!("{}.{role}.json", document.published_version());
            return Err(PublishError::Lost { role: role.into(), path: self.dir.join(Folder::METADATA).join(name) });
        }
        Ok(document.edit())
    }

    /// Makes drafts of roles that expire soon, or that delegate as programs did that knew no policies, where the keys to
    /// sign them are at hand: a province that is not here signs when it is.
    pub(super) fn renew(&mut self, keyring: &Keyring, now_unix_s: u64) -> Result<(), PublishError> {
        let names: Vec<String> = self.documents.keys().cloned().collect();
        for name in names.iter().filter(|name| ![SNAPSHOT, TIMESTAMP].contains(&name.as_str())) {
            let Some(document) = self.documents.get(name).cloned() else { continue };
            if document.is_draft() {
                self.bring_up_to_date(name)?;
                continue;
            }
            let is_old = document::bring_up_to_date(&mut document.signed().clone());
            let is_short = Lifetime::is_short(name, document.expires(), now_unix_s);
            if document.is_lost() || !(is_old || is_short) {
                continue;
            }
            self.edit(name)?;
            self.bring_up_to_date(name)?;
            self.number(name, now_unix_s);
            if let Err(PublishError::Unsigned { .. }) = self.sign(name, keyring) {
                self.documents.insert(name.clone(), document);
            }
        }
        Ok(())
    }

    /// Brings the delegations of a draft up to date that nobody has signed yet.
    pub(super) fn bring_up_to_date(&mut self, role: &str) -> Result<(), PublishError> {
        let unsigned =
            self.documents.get(role).filter(|document| document.is_draft() && document.signed_by().is_empty());
        if unsigned.is_some_and(|document| document::bring_up_to_date(&mut document.signed().clone())) {
            document::bring_up_to_date(self.edit(role)?);
        }
        Ok(())
    }

    /// The drafts but for snapshot and timestamp: superiors before those to whom they delegate.
    pub(super) fn drafts_in_order(&self) -> Vec<String> {
        let mut order: Vec<String> = vec![ROOT.to_owned(), TARGETS.to_owned()];
        let mut at = 1;
        while let Some(superior) = order.get(at).cloned() {
            let signed = self.documents.get(&superior).map(Document::signed);
            let children = signed.map(document::delegated).unwrap_or_default();
            let fresh: Vec<String> = children.into_iter().filter(|name| !order.contains(name)).collect();
            order.extend(fresh);
            at += 1;
        }
        order.retain(|name| self.documents.get(name).is_some_and(Document::is_draft));
        order
    }

    /// Whether a role's superior waits with a draft that changes who signs the role.
    pub(super) fn waits_for_superior(
        &self,
        role: &str,
        waiting: &BTreeMap<String, PublishError>,
    ) -> Result<bool, PublishError> {
        if let (TARGETS, Some(in_force)) = (role, &self.root_in_force) {
            let draft = self.documents.get(ROOT).map(Document::signed);
            return Ok(draft.and_then(|draft| document::entry(draft, role)) != document::entry(in_force, role));
        }
        let Some(superior) = self.superior(role).filter(|superior| waiting.contains_key(*superior)) else {
            return Ok(false);
        };
        let draft = self.documents.get(superior).map(Document::signed).cloned().unwrap_or_default();
        let published = self.published_whole(superior)?.unwrap_or_default();
        Ok(!document::same_signers(document::entry(&draft, role), document::entry(&published["signed"], role)))
    }

    /// Those of the roles that wait neither themselves nor for a superior that does.
    pub(super) fn still_ready(
        &self,
        ready: Vec<String>,
        waiting: &mut BTreeMap<String, PublishError>,
    ) -> Result<Vec<String>, PublishError> {
        let mut still = Vec::new();
        for name in ready {
            if waiting.contains_key(&name) {
                continue;
            }
            if !self.waits_for_superior(&name, waiting)? {
                still.push(name);
                continue;
            }
            let superior = self.superior(&name).unwrap_or(ROOT).to_owned();
            waiting.insert(name.clone(), PublishError::Waits { role: name, superior });
        }
        Ok(still)
    }

    /// Whether a draft of the root changes who signs a role; a first root changes nothing.
    pub(super) fn root_changes(&self, role: &str) -> Result<bool, PublishError> {
        let Some(draft) = self.documents.get(ROOT).filter(|root| root.is_draft()) else { return Ok(false) };
        let published = self.published_whole(ROOT)?;
        Ok(published
            .is_some_and(|whole| document::entry(&whole["signed"], role) != document::entry(draft.signed(), role)))
    }

    /// Takes a new root out of what is ready, and what hangs on it, where a top-level role whose signers it changes can
    /// not be signed by these yet. Gates would refuse all of such a publication, today's news of provinces with it.
    pub(super) fn hold_root_without_its_roles(
        &mut self,
        ready: Vec<String>,
        waiting: &mut BTreeMap<String, PublishError>,
        keyring: &Keyring,
    ) -> Result<Vec<String>, PublishError> {
        if !ready.iter().any(|name| name == ROOT) {
            return Ok(ready);
        }
        let mut lacking = Vec::new();
        for role in [TARGETS, SNAPSHOT, TIMESTAMP] {
            if !self.root_changes(role)? {
                continue;
            }
            let wanted = match waiting.get(role) {
                Some(PublishError::Unsigned { wanted, .. }) => Some(wanted.clone()),
                _ if role == TARGETS => None,
                _ => self.who_lacks(role, keyring),
            };
            lacking.extend(wanted.map(|wanted| format!("{role} ({wanted})")));
        }
        if lacking.is_empty() || !self.hold_root()? {
            return Ok(ready);
        }
        waiting.insert(ROOT.to_owned(), PublishError::RootWaits { what: lacking.join(", ") });
        self.still_ready(ready, waiting)
    }

    /// Whose keys are missing to sign a new content of a role; `None` where they are at hand.
    fn who_lacks(&self, role: &str, keyring: &Keyring) -> Option<String> {
        let signers = self.signers(role).filter(|signers| !keyring.can_sign(signers))?;
        let missing = signers.keys.iter().filter(|key| !keyring.can_sign(&Signers::one(**key)));
        let ids: Vec<String> = missing.filter_map(|key| keyring::key_id(key).ok()).map(short).collect();
        Some(ids.join(", "))
    }

    /// A role as it is published; `None` where it never was, or is lost.
    fn published_whole(&self, role: &str) -> Result<Option<Value>, PublishError> {
        match self.documents.get(role).filter(|known| !known.is_lost()).map_or(0, Document::published_version) {
            0 => Ok(None),
            version => self.load(&format!("{version}.{role}.json")).map(Some),
        }
    }

    pub(super) fn number(&mut self, role: &str, now_unix_s: u64) {
        if let Some(document) = self.documents.get_mut(role) {
            document.number(role, now_unix_s);
        }
    }

    /// The documents that say who signs a role: one, or for a new root the old one and itself.
    pub(super) fn authorities(&self, role: &str) -> Option<(&Value, Option<Value>)> {
        let root = self.documents.get(ROOT)?;
        if let Some(in_force) = self.root_in_force.as_ref().filter(|_| [TARGETS, SNAPSHOT, TIMESTAMP].contains(&role)) {
            // Targets whose signers the draft changes go out with it, so they are signed for it; the others today.
            let goes_with_it =
                role == TARGETS && document::entry(in_force, role) != document::entry(root.signed(), role);
            return Some((if goes_with_it { root.signed() } else { in_force }, None));
        }
        if [ROOT, TARGETS, SNAPSHOT, TIMESTAMP].contains(&role) {
            let before = (role == ROOT && root.is_draft()).then(|| self.root_before()).flatten();
            return Some((root.signed(), before));
        }
        let superior = self.superior(role)?;
        Some((self.documents.get(superior)?.signed(), None))
    }

    /// Lets the root that is published count while a draft of another waits; gives whether there is one.
    pub(super) fn hold_root(&mut self) -> Result<bool, PublishError> {
        let published = self.published_whole(ROOT)?;
        self.root_in_force = published.map(|whole| whole["signed"].clone());
        Ok(self.root_in_force.is_some())
    }

    /// The root that is published, while a draft waits.
    fn root_before(&self) -> Option<Value> {
        let whole = self.newest_root().ok()?;
        Some(whole["signed"].clone())
    }

    /// Adds every signature that the keyring can give, and says what is missing.
    pub(super) fn sign(&mut self, role: &str, keyring: &Keyring) -> Result<(), PublishError> {
        let (now, before) = self.authorities(role).ok_or_else(|| PublishError::NoRole(role.into()))?;
        let of: Vec<&Value> = [Some(now), before.as_ref()].into_iter().flatten().collect();
        let entries: Vec<Value> = of.iter().filter_map(|of| document::entry(of, role)).cloned().collect();
        let keys: BTreeMap<String, Value> = of.iter().flat_map(|of| document::keys(of)).collect();
        let Some(document) = self.documents.get_mut(role) else { return Err(PublishError::NoRole(role.into())) };
        let bytes = canonical(document.signed())?;
        document.keep_signatures(|id, signature| {
            keys.get(id).and_then(|key| keyring::is_signed_by(key, &bytes, signature)).unwrap_or(true)
        });
        for id in entries.iter().flat_map(key_ids) {
            if !document.signed_by().contains(&id.as_str())
                && let Some(signature) = keyring.sign(&id, &bytes)
            {
                document.add_signature(&id, &signature);
            }
        }
        for entry in &entries {
            let ids = key_ids(entry);
            let signed_by = document.signed_by();
            let (found, missing): (Vec<_>, Vec<_>) = ids.iter().partition(|id| signed_by.contains(&id.as_str()));
            let threshold = entry["threshold"].as_u64().unwrap_or(1) as usize;
            if found.len() < threshold {
                let wanted: Vec<String> = missing.into_iter().cloned().map(short).collect();
                let wanted = wanted.join(", ");
                return Err(PublishError::Unsigned { role: role.into(), found: found.len(), threshold, wanted });
            }
        }
        Ok(())
    }

    /// A new snapshot of the roles, and a new timestamp of it. Roles that wait stay as they are published.
    pub(super) fn pin(&mut self, ready: &[String], keyring: &Keyring, now: u64) -> Result<(), PublishError> {
        let snapshot = self.documents.get(SNAPSHOT);
        let due = snapshot.is_none_or(|own| own.is_draft() || Lifetime::is_short(SNAPSHOT, own.expires(), now));
        if due || !ready.is_empty() {
            let before = snapshot.map(|own| own.signed()["meta"].clone()).unwrap_or_default();
            let mut pins = Map::new();
            for role in self.roles() {
                let Some(document) = self.documents.get(role) else { continue };
                let file = format!("{role}.json");
                if document.is_lost() && !ready.iter().any(|name| name == role) {
                    // Gates may have it, and a snapshot that no longer named it would be a step back for them.
                    pins.extend(before.get(&file).map(|pin| (file, pin.clone())));
                    continue;
                }
                let whole = match document.is_draft() && !ready.iter().any(|name| name == role) {
                    true => self.published_whole(role)?,
                    false => Some(document.whole().clone()).filter(|_| !document.is_unborn()),
                };
                if let Some(whole) = whole {
                    pins.insert(file, pin_of(&whole)?);
                }
            }
            self.edit(SNAPSHOT)?["meta"] = Value::Object(pins);
            self.number(SNAPSHOT, now);
            self.sign(SNAPSHOT, keyring)?;
        }
        let snapshot = self.documents.get(SNAPSHOT).ok_or_else(|| PublishError::NoRole(SNAPSHOT.into()))?;
        let pin = pin_of(snapshot.whole())?;
        let timestamp = self.edit(TIMESTAMP)?;
        timestamp["meta"] = json!({ "snapshot.json": pin });
        timestamp[AS_OF] = json!(now);
        self.number(TIMESTAMP, now);
        self.sign(TIMESTAMP, keyring)
    }

    pub(super) fn write_all(&mut self, ready: &[String]) -> Result<(), PublishError> {
        for name in ready.iter().map(String::as_str).chain([SNAPSHOT]) {
            if let Some(document) = self.documents.get(name).filter(|document| document.is_draft()) {
                self.write(Folder::METADATA, &format!("{}.{name}.json", document.version()), document.whole())?;
            }
        }
        if let Some(timestamp) = self.documents.get(TIMESTAMP) {
            self.write(Folder::METADATA, "timestamp.json", timestamp.whole())?;
        }
        let settled = ready.iter().map(String::as_str).chain([SNAPSHOT, TIMESTAMP]);
        settled.for_each(|name| self.documents.get_mut(name).into_iter().for_each(Document::settle));
        Ok(())
    }

    pub(super) fn write(&self, folder: &str, name: &str, whole: &Value) -> Result<(), PublishError> {
        let path = self.dir.join(folder).join(name);
        let failed = |source| PublishError::Io { path: path.clone(), source };
        fs::create_dir_all(self.dir.join(folder)).map_err(failed)?;
        durable::replace(&path, &file_bytes(whole)?, 0o644).map_err(failed)
    }

    pub(super) fn load(&self, name: &str) -> Result<Value, PublishError> {
        load(&self.dir.join(Folder::METADATA).join(name))
    }

    /// The metadata file that a snapshot names, if it is there and is what the snapshot says.
    pub(super) fn load_pinned(&self, snapshot: &Value, file: &str) -> Option<Value> {
        let version = document::pinned(snapshot, file);
        let bytes = fs::read(self.dir.join(Folder::METADATA).join(format!("{version}.{file}"))).ok()?;
        let hash = snapshot["signed"]["meta"][file]["hashes"]["sha256"].as_str();
        let is_it = hash.is_none_or(|hash| hash.eq_ignore_ascii_case(&Hex(&sha256(&bytes)).to_string()));
        let whole: Value = serde_json::from_slice(&bytes).ok().filter(|_| is_it)?;
        (whole["signed"]["version"].as_u64() == Some(version)).then_some(whole)
    }

    pub(super) fn newest_root(&self) -> Result<Value, PublishError> {
        let mut newest = self.load("1.root.json")?;
        for version in 2.. {
            let path = self.dir.join(Folder::METADATA).join(format!("{version}.root.json"));
            if !path.exists() {
                break;
            }
            newest = load(&path)?;
        }
        Ok(newest)
    }

    /// Takes in the drafts that were kept. One that was made on an older version than is published now is dropped:
    /// signed and published, it would silently take back what came since.
    pub(super) fn load_drafts(&mut self) -> Result<(), PublishError> {
        self.add_unborn();
        let entries = fs::read_dir(self.dir.join(DRAFT)).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
            let Some(name) = name.filter(|name| is_kept(name)).map(str::to_owned) else { continue };
            let whole = load(&path)?;
            let known = self.documents.remove(&name).unwrap_or_else(Document::unborn);
            let known = known.with_draft(whole).unwrap_or_else(|published| {
                self.stale.push(name.clone());
                published
            });
            self.documents.insert(name, known);
        }
        self.add_unborn();
        Ok(())
    }

    /// Gives every delegated role a document, also one that has never published.
    fn add_unborn(&mut self) {
        let named = self.documents.values().flat_map(|document| document::delegated(document.signed()));
        for name in named.collect::<Vec<_>>() {
            self.documents.entry(name).or_insert_with(Document::unborn);
        }
    }

    /// Keeps the drafts as files, and no others.
    pub(super) fn keep_drafts(&self) -> Result<(), PublishError> {
        let is_draft = |name: &str| is_kept(name) && self.documents.get(name).is_some_and(Document::is_draft);
        for (name, document) in self.documents.iter().filter(|(name, _)| is_draft(name)) {
            self.write(DRAFT, &format!("{name}.json"), &document.draft_file())?;
        }
        for path in fs::read_dir(self.dir.join(DRAFT)).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if !is_draft(name) {
                fs::remove_file(&path).map_err(|source| PublishError::Io { path: path.clone(), source })?;
            }
        }
        Ok(())
    }

    /// Where the bytes of a target lie.
    pub(super) fn target_file(&self, path: &str, hash: &str) -> PathBuf {
        let name = match path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/{hash}.{name}"),
            None => format!("{hash}.{path}"),
        };
        self.dir.join(Folder::TARGETS).join(name)
    }
}

/// Whether drafts of a role are kept: snapshot and timestamp are made anew by every publication, so one that is left over
/// from a publication that was refused says nothing.
fn is_kept(role: &str) -> bool {
    ![SNAPSHOT, TIMESTAMP].contains(&role)
}

/// A key id as people are told of it: its first digits.
fn short(mut id: String) -> String {
    // The id of a stranger may be any text, and is told whole where it can not be cut there.
    if id.is_char_boundary(8) {
        id.truncate(8);
    }
    id
}

/// How a snapshot or timestamp names a document: number, length and hash of its file.
fn pin_of(whole: &Value) -> Result<Value, PublishError> {
    let bytes = file_bytes(whole)?;
    let hash = Hex(&sha256(&bytes)).to_string();
    Ok(json!({ "version": whole["signed"]["version"], "length": bytes.len(), "hashes": { "sha256": hash } }))
}

/// A document as its file: canonical too, so that the same content is the same file.
pub(super) fn file_bytes(whole: &Value) -> Result<Vec<u8>, PublishError> {
    Ok(canonical(whole)?)
}

fn load(path: &Path) -> Result<Value, PublishError> {
    let bytes = fs::read(path).map_err(|source| PublishError::Io { path: path.into(), source })?;
    let malformed = |why: String| PublishError::Malformed { path: path.into(), why };
    let whole: Value = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if whole["signed"].is_object() { Ok(whole) } else { Err(malformed("nothing in it is signed".into())) }
}
