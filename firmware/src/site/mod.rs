//! Where a gate stands and by which rules, as a typed site file.
//!
//! The board says what a gate is wired to; the site says whose gate it is: its names, its lane, its
//! home division, the trust it believes, the hub it reports to and the rules that differ from the
//! default policy. Unknown keys are refused by file and line, every value is checked when it is read,
//! and nobody reads the file again.

mod neighbours;
mod rules;
mod sound;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use menshen_core::ids::{IssuerId, unhex};
use menshen_core::policy::{Key, SiteClass};
use menshen_core::wire::MAX_TEXT_BYTES;
use menshen_lane::hub_link::Pin;
use menshen_lane::policy_file::Section;
use menshen_lane::rules::Rules;
use menshen_lane::sound::SoundRules;
use menshen_lane::sync::backoff;
use menshen_lane::words::Lang;
use serde::Deserialize;

use crate::file;
pub use crate::file::FileError;
pub use neighbours::SiteNeighbours;

/// The site of one gate.
#[derive(Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Which lane of the checkpoint this gate drives, from 0.
    pub lane: u8,
    /// The province or city it stands in.
    pub home: IssuerId,
    /// The trust folder (`root.json`, `repository/`).
    pub trust: PathBuf,
    /// The SHA-256 of the trust anchor, `root.json`; `None`: the one in the trust folder counts.
    pub anchor: Option<[u8; 32]>,
    /// The hub; `None` where the gate stands alone.
    pub hub: Option<Hub>,
    /// The other gates of the site; `None` where this one counts alone.
    pub neighbours: Option<SiteNeighbours>,
    /// The languages of its panel, the first one first.
    pub langs: Vec<Lang>,
    /// The lanes by which people leave, so that an admission there is an outing.
    pub leads_out: Vec<u8>,
    /// How loud its gates are, and what they say.
    pub sound: SoundRules,
    rules: Rules,
}

/// The hub of a gate.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// Its address, `http://…` or `https://…`, without a `/` at the end.
    pub url: String,
    /// The certificate that it shows; there is one exactly where its address begins with `https://`.
    pub certificate: Option<Pin>,
    /// The public key that signs its acks.
    pub key: [u8; 32],
    /// The one-time secret by which it accepts this gate; `None` once it has.
    pub enrol_token: Option<String>,
    /// How the fleet page calls this gate.
    pub label: String,
    /// No wait between two tries to reach it is longer.
    pub longest_wait: Duration,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the hub: its enrol token is a secret and must not reach a log.
        f.debug_struct("Site").field("name_en", &self.name_en).field("lane", &self.lane).finish_non_exhaustive()
    }
}

/// Why a site is refused.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The file is not there, is not TOML, or has an unknown, missing or mistyped key.
    #[error(transparent)]
    File(#[from] FileError),
    /// A value that can not be.
    #[error("{}: `{key}` is {found}; {allowed}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: Cow<'static, str>,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: String,
    },
}

impl Site {
    /// Reads a site file; relative paths in it are relative to it.
    ///
    /// # Errors
    /// [`SiteError`], which names the file and the key.
    pub fn load(path: impl AsRef<Path>) -> Result<Site, SiteError> {
        let path = path.as_ref();
        let file: SiteFile = file::parse(path, &file::read(path)?)?;
        file.check(path.parent().unwrap_or(Path::new(""))).map_err(|Refused { key, found, allowed }| SiteError::Value {
            path: path.to_owned(),
            key,
            found,
            allowed,
        })
    }

    /// What the site says of its rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

/// A value that can not be, before the file's name is put to it.
struct Refused {
    key: Cow<'static, str>,
    found: String,
    allowed: String,
}

impl Refused {
    fn new(key: &'static str, found: impl ToString, allowed: impl Into<String>) -> Refused {
        Refused { key: key.into(), found: found.to_string(), allowed: allowed.into() }
    }

    fn of_rule(key: Key, found: String, allowed: &str) -> Refused {
        Refused { key: format!("policy.{}", key.name()).into(), found, allowed: allowed.to_owned() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteFile {
    name_zh: String,
    name_en: String,
    lane: u8,
    home: u32,
    trust: PathBuf,
    anchor: Option<String>,
    #[serde(default = "community")]
    class: String,
    #[serde(default)]
    leads_out: Vec<u8>,
    languages: Option<Vec<String>>,
    hub: Option<HubSection>,
    neighbours: Option<neighbours::NeighboursSection>,
    #[serde(default)]
    sound: sound::SoundSection,
    #[serde(default)]
    policy: Section<rules::LaneSection>,
}

/// Each language once, at least one.
fn langs(names: Option<Vec<String>>) -> Result<Vec<Lang>, Refused> {
    let Some(names) = names else { return Ok(Lang::USUAL.into()) };
    let langs: Option<Vec<Lang>> = names.iter().map(|name| Lang::parse(name)).collect();
    let is_good =
        |langs: &Vec<Lang>| !langs.is_empty() && langs.iter().enumerate().all(|(at, lang)| !langs[..at].contains(lang));
    let known = Lang::ALL.map(Lang::name).join(", ");
    langs.filter(is_good).ok_or_else(|| {
        Refused::new("languages", format!("{names:?}"), format!("it may be a list of {known}, each once"))
    })
}

fn community() -> String {
    SiteClass::Community.name().to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubSection {
    url: String,
    certificate: Option<PathBuf>,
    key: String,
    enrol_token: Option<String>,
    label: Option<String>,
    longest_wait_s: Option<u32>,
}

impl SiteFile {
    fn check(self, folder: &Path) -> Result<Site, Refused> {
        let home = IssuerId::new(self.home).ok_or_else(|| {
            Refused::new("home", self.home, "it must be a division code of six digits, such as 330100")
        })?;
        let label = format!("{} / {}", self.name_en, self.lane);
        Ok(Site {
            home,
            lane: self.lane,
            trust: folder.join(self.trust),
            anchor: self.anchor.map(|text| key("anchor", &text)).transpose()?,
            hub: self.hub.map(|hub| hub.check(folder, label)).transpose()?,
            rules: rules::rules(&self.class, &self.policy)?,
            neighbours: self.neighbours.map(|section| section.check(folder)).transpose()?,
            leads_out: self.leads_out,
            langs: langs(self.languages)?,
            sound: self.sound.check()?,
            name_zh: self.name_zh,
            name_en: self.name_en,
        })
    }
}

impl HubSection {
    fn check(self, folder: &Path, label: String) -> Result<Hub, Refused> {
        let certificate = self.pin(folder)?;
        let label = self.label.unwrap_or(label);
        let token = self.enrol_token.as_deref().unwrap_or_default();
        for (key, text) in [("hub.label", label.as_str()), ("hub.enrol_token", token)] {
            if text.len() > MAX_TEXT_BYTES {
                return Err(Refused::new(key, format!("{} bytes long", text.len()), "it may have 64 bytes"));
            }
        }
        let longest_wait_s = rules::within("hub.longest_wait_s", self.longest_wait_s, 1..=3600)?;
        Ok(Hub {
            url: self.url.trim_end_matches('/').to_owned(),
            certificate,
            key: key("hub.key", &self.key)?,
            enrol_token: self.enrol_token,
            label,
            longest_wait: longest_wait_s.map_or(backoff::CAP, |s| Duration::from_secs(s.into())),
        })
    }

    /// The certificate that goes with the address.
    fn pin(&self, folder: &Path) -> Result<Option<Pin>, Refused> {
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        let host = rest.trim_matches('/');
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "@/?#".contains(c)) {
            return Err(Refused::new(
                "hub.url",
                "no address of a hub",
                "it must be http:// or https:// with a host and a port",
            ));
        }
        match (scheme, &self.certificate) {
            ("http", None) => Ok(None),
            ("https", Some(file)) => Pin::read(&folder.join(file)).map(Some).map_err(|error| {
                Refused::new("hub.certificate", error, "it must be hub.crt of the hub's --trust folder, in PEM")
            }),
            ("https", None) => {
                let allowed =
                    "for https:// it must be the file of the hub's certificate, hub.crt of its --trust folder";
                Err(Refused::new("hub.certificate", "missing", allowed))
            }
            ("http", Some(_)) => {
                let allowed =
                    "with a `hub.certificate` it must be https://; for plain http:// take the certificate out";
                Err(Refused::new("hub.url", "an http:// address", allowed))
            }
            (scheme, _) => Err(Refused::new(
                "hub.url",
                format!("an address of {scheme:?}"),
                "it must begin with http:// or https://",
            )),
        }
    }
}

fn key(name: &'static str, text: &str) -> Result<[u8; 32], Refused> {
    let mut key = [0; 32];
    let allowed = "it must be 64 hexadecimal digits";
    unhex(text.trim(), &mut key).ok_or_else(|| Refused::new(name, format!("{text:?}"), allowed))?;
    Ok(key)
}
