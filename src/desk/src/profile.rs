//! The development profile: an authority in a folder, with every key that a real one keeps apart.
//!
//! `menshen trust init` makes it, works at once, and says on every occasion that it is unsafe: the anchor's
//! private key lies beside the issuers'. The files a gate or a hub needs have the names that a real
//! installation uses, so that the same programs read both.
//!
//! ```text
//! UNSAFE                what this folder is
//! anchor.key/.pub       the trust anchor, which signs the trust list
//! issuers/330000.key    one key an issuer, which signs its passes
//! hub.key/.pub          the hub, which signs acks
//! trust-list.cose       what gates believe
//! ```

use crate::outcome::{Failure, Result, at};
use ed25519_dalek::SigningKey;
use menshen_core::cose::{self, Purpose};
use menshen_core::ids::{Hex, IssuerId, unhex};
use menshen_core::pass::Colour;
use menshen_core::recognition::{Kinds, Path as RecognitionPath, Rule};
use menshen_core::trust::{Issuer, IssuerKey, TrustContent};
use menshen_lane::durable;
use menshen_lane::trust::{ANCHOR_FILE, LIST_FILE};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a profile is kept if nothing else is said.
pub const DEFAULT_DIR: &str = "keys/dev";
/// How long the keys of a profile are valid: two years.
const KEY_LIFE_S: u64 = 2 * 365 * 86_400;
/// Keys are valid from a while before they are made, so that passes of the past can be issued for a trial.
const KEY_LEAD_S: u64 = 400 * 86_400;

const ISSUERS: &str = include_str!("../../../keys/issuers.toml");
const WARNING: &str = "UNSAFE: a generated development profile. The private keys of the trust anchor, of every issuer\n\
and of the hub lie in this folder. Never let a real gate trust it.\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    issuer: Vec<IssuerEntry>,
    agreement: Vec<Agreement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    code: u32,
    name_zh: String,
    name_en: String,
    hotline: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreement {
    #[expect(dead_code, reason = "the name is for those who read the catalogue")]
    name: String,
    members: Vec<u32>,
}

/// A profile in a folder.
#[derive(Clone, Debug)]
pub struct Profile {
    dir: PathBuf,
}

impl Profile {
    /// Makes a profile: keys for every issuer of `keys/issuers.toml` and a signed trust list as of `now`.
    pub fn init(dir: &Path, now: u64) -> Result<Profile> {
        if [LIST_FILE, "anchor.key", "hub.key", "issuers"].iter().any(|name| dir.join(name).exists()) {
            return Err(Failure::new(format!(
                "{} already holds a profile: name another folder, or remove this one first",
                dir.display()
            )));
        }
        let profile = Profile { dir: dir.into() };
        fs::create_dir_all(profile.issuers()).map_err(at(dir, "choose a folder that you may write"))?;
        profile.write("UNSAFE", WARNING.as_bytes(), 0o644)?;
        let anchor = profile.make_key("anchor")?;
        profile.make_key("hub")?;
        let mut content = content(now)?;
        for issuer in &content.issuers {
            let key = profile.make_key(&format!("issuers/{}", issuer.id))?;
            let key = IssuerKey {
                issuer: issuer.id,
                public_key: key.verifying_key().to_bytes(),
                valid_from: now.saturating_sub(KEY_LEAD_S),
                valid_until: now + KEY_LIFE_S,
            };
            content.keys.push(key).map_err(|_| too_many("keys"))?;
        }
        profile.publish(content, &anchor)?;
        Ok(profile)
    }

    /// The profile of a folder that has one.
    pub fn open(dir: &Path) -> Result<Profile> {
        if !dir.join(LIST_FILE).exists() {
            return Err(Failure::new(format!(
                "{} holds no trust profile: make one with `menshen trust init {0}`",
                dir.display()
            )));
        }
        Ok(Profile { dir: dir.into() })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The signing key of an issuer.
    pub fn issuer_key(&self, issuer: IssuerId) -> Result<SigningKey> {
        self.read_key(&format!("issuers/{issuer}")).map_err(|_| {
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

    fn publish(&self, mut content: TrustContent, anchor: &SigningKey) -> Result<()> {
        content.sort();
        let mut payload = Vec::new();
        let Ok(()) = content.encode(&mut payload) else { return Err(too_many("entries")) };
        let mut signed = Vec::new();
        cose::sign1(&mut signed, anchor, Purpose::TrustList, &payload, &mut Vec::new())?;
        self.write(LIST_FILE, &signed, 0o644)
    }

    fn issuers(&self) -> PathBuf {
        self.dir.join("issuers")
    }

    fn make_key(&self, name: &str) -> Result<SigningKey> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| Failure::new("the system has no random numbers: check /dev/urandom"))?;
        let key = SigningKey::from_bytes(&seed);
        self.write(&format!("{name}.key"), line_of(&seed).as_bytes(), 0o600)?;
        if !name.contains('/') {
            self.write(&format!("{name}.pub"), line_of(key.verifying_key().as_bytes()).as_bytes(), 0o644)?;
        }
        Ok(key)
    }

    fn read_key(&self, name: &str) -> Result<SigningKey> {
        let path = self.dir.join(format!("{name}.key"));
        let text = fs::read_to_string(&path).map_err(at(&path, "make the profile anew with `menshen trust init`"))?;
        let mut seed = [0; 32];
        unhex(text.trim(), &mut seed).ok_or_else(|| {
            Failure::new(format!("{} is not a key: it must hold 64 hexadecimal digits", path.display()))
        })?;
        Ok(SigningKey::from_bytes(&seed))
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let path = self.dir.join(name);
        durable::replace(&path, bytes, mode).map_err(at(&path, "choose a folder that you may write"))
    }
}

const _: () = assert!(ANCHOR_FILE.len() == "anchor.pub".len(), "`make_key` writes the anchor under the lane's name");

/// Issuers and recognition of the catalogue, without keys.
fn content(now: u64) -> Result<TrustContent> {
    let catalogue: Catalogue = toml::from_str(ISSUERS)?;
    let mut content = TrustContent {
        version: 1,
        as_of: now,
        authority_key: None,
        issuers: Default::default(),
        keys: Default::default(),
        rules: Default::default(),
    };
    for entry in &catalogue.issuer {
        content.issuers.push(issuer(entry)?).map_err(|_| too_many("issuers"))?;
    }
    let provinces: Vec<IssuerId> = content.issuers.iter().map(|issuer| issuer.id).filter(is_province).collect();
    for rule in rules(&catalogue.agreement, &provinces, now)? {
        content.rules.push(rule).map_err(|_| too_many("rules"))?;
    }
    Ok(content)
}

fn issuer(entry: &IssuerEntry) -> Result<Issuer> {
    let long = |_| Failure::new(format!("keys/issuers.toml: a name of issuer {} is too long: shorten it", entry.code));
    Ok(Issuer {
        id: id(entry.code)?,
        name_zh: entry.name_zh.parse().map_err(long)?,
        name_en: entry.name_en.parse().map_err(long)?,
        hotline: entry.hotline.parse().map_err(long)?,
        levels: Default::default(),
    })
}

fn rules(agreements: &[Agreement], provinces: &[IssuerId], now: u64) -> Result<Vec<Rule>> {
    let rule = |host, issuer, path| Rule {
        host,
        issuer,
        path,
        valid_from: now.saturating_sub(KEY_LEAD_S),
        valid_until: now + KEY_LIFE_S,
        kinds: Kinds::all(),
        treat: [Colour::Green, Colour::Yellow, Colour::Red],
    };
    let mut rules: Vec<Rule> =
        provinces.iter().map(|host| rule(*host, IssuerId::NATIONAL, RecognitionPath::National)).collect();
    for agreement in agreements {
        let members = agreement.members.iter().map(|code| id(*code)).collect::<Result<Vec<_>>>()?;
        for (host, issuer) in members.iter().flat_map(|host| members.iter().map(move |issuer| (*host, *issuer))) {
            if host != issuer {
                rules.push(rule(host, issuer, RecognitionPath::Agreement));
            }
        }
    }
    Ok(rules)
}

fn is_province(id: &IssuerId) -> bool {
    *id == id.province() && *id != IssuerId::NATIONAL
}

fn id(code: u32) -> Result<IssuerId> {
    IssuerId::new(code)
        .ok_or_else(|| Failure::new(format!("keys/issuers.toml: {code} is not a six-digit division code")))
}

fn too_many(what: &str) -> Failure {
    Failure::new(format!("keys/issuers.toml has more {what} than a trust list may have: take some out"))
}

fn line_of(bytes: &[u8; 32]) -> String {
    format!("{}\n", Hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_profile_is_believed_by_a_gate_and_marked_unsafe() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let profile = Profile::init(dir.path(), 1_700_000_000)?;
        let trust = menshen_lane::trust::load(dir.path(), None)?;
        assert_eq!((trust.content().issuers.len(), trust.content().keys.len()), (40, 40));
        assert!(fs::read_to_string(dir.path().join("UNSAFE"))?.contains("Never"));
        let zhejiang = profile.issuer_key(id(330_000)?)?;
        let kid = menshen_core::ids::KeyId::of(zhejiang.verifying_key().as_bytes());
        assert_eq!(trust.key(kid).map(|key| key.issuer.code()), Some(330_000));
        Ok(())
    }

    #[test]
    fn a_profile_is_never_overwritten() -> Result<()> {
        let dir = tempfile::tempdir()?;
        Profile::init(dir.path(), 1_700_000_000)?;
        assert!(Profile::init(dir.path(), 1_700_000_000).is_err());
        Ok(())
    }
}
