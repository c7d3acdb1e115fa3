//! A role that is signed in one place and published in another: a province signs at home, the nation pins it.
//!
//! Only whoever has the snapshot's and the timestamp's keys can publish, so a province hands over an *offer*: a folder with
//! its role's metadata, signed, and the targets that these name, under the names that they have in a repository. The
//! publisher verifies an offer by the keys that the role's superior gives it, and keeps it as a draft that lacks nothing. Two
//! provinces never meet: each offer is of one role.

use super::{Bundle, Keyring, PublishError, ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP, document};
use crate::names::{self, Target};
use crate::tuf::{Delegations, Folder, Refusal, TufError, signed_for};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// An offer that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whose.
    pub role: String,
    /// Its version.
    pub version: u64,
}

impl Repository {
    /// Signs a delegated role, changed or not, and puts it into the folder `out` for whoever publishes; gives its version.
    ///
    /// # Errors
    /// [`PublishError`]; where signatures are missing, those so far are kept with the draft.
    pub fn offer(&mut self, role: &str, keyring: &Keyring, now: u64, out: &Path) -> Result<u64, PublishError> {
        let known = self.documents.get(role).filter(|_| ![ROOT, TARGETS, SNAPSHOT, TIMESTAMP].contains(&role));
        let known = known.ok_or_else(|| PublishError::NoRole(role.into()))?;
        if !known.is_draft() {
            self.edit(role)?;
        }
        self.bring_up_to_date(role)?;
        self.number(role, now);
        self.sign(role, keyring).inspect_err(|_| {
            // The error to tell is the one that is on its way.
            let _ = self.save();
        })?;
        let Some(document) = self.documents.get_mut(role) else { return Err(PublishError::NoRole(role.into())) };
        document.give();
        let (version, whole) = (document.version(), document.whole().clone());
        let missing = Bundle::own(&self.dir).copy_role(&format!("{version}.{role}.json"), &whole, out)?;
        if !missing.is_empty() {
            return Err(PublishError::Missing { dir: self.dir.clone(), names: missing.join(", ") });
        }
        self.save()?;
        Ok(version)
    }

    /// Takes an offer, as a draft that is published next: signed by those whom its superior names, newer than what is
    /// known of the role, and of its own paths alone.
    ///
    /// # Errors
    /// [`PublishError`]; nothing is taken then.
    pub fn take(&mut self, from: &Path, now: u64) -> Result<Taken, PublishError> {
        let bundle = Bundle::new(from);
        let (file, role) = offered(from)?;
        let refused = |refusal, detail: String| PublishError::Tuf(TufError::new(refusal, detail));
        let bytes = bundle.role(&file)?;
        let superior = self.superior(&role).ok_or_else(|| PublishError::NoRole(role.clone()))?;
        let by = self.documents.get(superior).map(|by| by.signed()["delegations"].clone()).unwrap_or_default();
        let malformed = |why: String| PublishError::Malformed { path: from.join(&file), why };
        let delegations: Delegations = serde_json::from_value(by).map_err(|error| malformed(error.to_string()))?;
        let signed = signed_for(&bytes, &delegations, &role)?;
        let scope = names::issuer(&role);
        for path in signed.targets.keys() {
            let own = delegations.roles.iter().find(|own| own.name == role);
            let own = own.is_some_and(|own| own.matches_path(path).unwrap_or(false));
            let is_theirs = |target: Target| scope.is_some_and(|scope| target.may_be_listed_by(scope));
            let of_scope = Target::parse(path).is_none_or(is_theirs);
            if !own || !of_scope {
                return Err(refused(Refusal::ForeignPath, format!("{role} ({path})")));
            }
        }
        let whole: Value = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        let whole = json!({ "signed": whole["signed"], "signatures": whole["signatures"] });
        let Some(known) = self.documents.get(&role) else { return Err(PublishError::NoRole(role)) };
        // A draft that nobody has signed is no word of the role.
        let is_word = !known.signed_by().is_empty();
        let newest = if is_word { known.version().max(known.published_version()) } else { known.published_version() };
        let version = signed.version;
        let is_same = is_word && known.signed() == &whole["signed"];
        if !is_same && version <= newest {
            return Err(refused(Refusal::Older, format!("{role} (version {version}, known {newest})")));
        }
        let ends = whole["signed"]["expires"].as_str().unwrap_or_default().parse::<jiff::Timestamp>();
        if ends.map_or(i64::MIN, jiff::Timestamp::as_second) <= now as i64 {
            return Err(refused(Refusal::Expired, format!("{role} (valid until {})", whole["signed"]["expires"])));
        }
        let missing = bundle.copy_targets(&document::targets(&whole["signed"]), &self.dir)?;
        if !missing.is_empty() {
            return Err(PublishError::Missing { dir: from.into(), names: missing.join(", ") });
        }
        if !is_same {
            let taken = known.taken(whole);
            self.documents.insert(role.clone(), taken);
        }
        self.save()?;
        Ok(Taken { role, version })
    }
}

/// The newest metadata of a role in the folder of an offer: its file and the role.
fn offered(from: &Path) -> Result<(String, String), PublishError> {
    let dir = from.join(Folder::METADATA);
    let entries = fs::read_dir(&dir).map_err(|source| PublishError::Io { path: dir.clone(), source })?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let role = |name: String| {
        let (version, role) = name.strip_suffix(".json")?.split_once('.')?;
        let (version, role) = (version.parse::<u64>().ok()?, role.to_owned());
        names::issuer(&role).map(|_| (version, (name, role)))
    };
    let newest = names.filter_map(role).max_by_key(|(version, _)| *version);
    let why = "no role of a division in it".to_owned();
    newest.map(|(_, found)| found).ok_or(PublishError::Malformed { path: dir, why })
}
