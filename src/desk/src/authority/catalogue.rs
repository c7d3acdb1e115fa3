//! The catalogue `keys/issuers.toml`: the codes of 2020 and who honoured whom.

use crate::outcome::{Failure, Result};
use menshen_core::ids::IssuerId;
use menshen_core::pass::{Colour, Kind, Level};
use menshen_core::recognition::{Kinds, Path, Rule};
use menshen_core::trust::Issuer;
use serde::Deserialize;
use std::collections::BTreeMap;

const ISSUERS: &str = include_str!("../../../../keys/issuers.toml");

/// The catalogue as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    issuer: Vec<Entry>,
    agreement: Vec<Agreement>,
    relay: Vec<Relay>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: u32,
    name_zh: String,
    name_en: String,
    hotline: String,
    /// What levels of its own mean; TOML writes the numbers as text.
    #[serde(default)]
    levels: BTreeMap<String, ColourWord>,
}

/// Path 1: every member honours every other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreement {
    #[expect(dead_code, reason = "the name is for those who read the catalogue")]
    name: String,
    members: Vec<u32>,
}

/// Path 2: what the national platform passes on to hosts, and as what it counts there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Relay {
    #[expect(dead_code, reason = "the name is for those who read the catalogue")]
    name: String,
    hosts: Vec<u32>,
    issuers: Vec<u32>,
    kinds: Vec<String>,
    green: ColourWord,
    yellow: ColourWord,
    red: ColourWord,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ColourWord {
    Green,
    Yellow,
    Red,
}

impl ColourWord {
    fn colour(self) -> Colour {
        match self {
            ColourWord::Green => Colour::Green,
            ColourWord::Yellow => Colour::Yellow,
            ColourWord::Red => Colour::Red,
        }
    }
}

impl Catalogue {
    pub(super) fn read() -> Result<Catalogue> {
        Ok(toml::from_str(ISSUERS)?)
    }

    /// Every division in it.
    pub(super) fn ids(&self) -> Result<Vec<IssuerId>> {
        self.issuer.iter().map(|entry| id(entry.code)).collect()
    }

    /// One of its issuers.
    pub(super) fn issuer(&self, wanted: IssuerId) -> Result<Issuer> {
        let entry = self.issuer.iter().find(|entry| entry.code == wanted.code());
        entry.map(issuer).unwrap_or_else(|| Err(Failure::new(format!("keys/issuers.toml has no issuer {wanted}"))))
    }

    /// The issuers for whom a scope vouches: the nation for itself and the provinces, a province for its cities.
    pub(super) fn spoken_for_by(&self, scope: IssuerId) -> Result<Vec<Issuer>> {
        let mut found = Vec::new();
        for entry in &self.issuer {
            let own = id(entry.code)?;
            let vouched_by = if own == own.province() { IssuerId::NATIONAL } else { own.province() };
            if vouched_by == scope {
                found.push(issuer(entry)?);
            }
        }
        Ok(found)
    }

    /// The rules of all three paths.
    pub(super) fn rules(&self, valid_from: u64, valid_until: u64) -> Result<Vec<Rule>> {
        let as_is = [Colour::Green, Colour::Yellow, Colour::Red];
        let rule =
            |host, issuer, path, kinds, treat| Rule { host, issuer, path, valid_from, valid_until, kinds, treat };
        let provinces = self.ids()?.into_iter().filter(|id| *id == id.province() && *id != IssuerId::NATIONAL);
        let mut rules: Vec<Rule> =
            provinces.map(|host| rule(host, IssuerId::NATIONAL, Path::National, Kinds::all(), as_is)).collect();
        for agreement in &self.agreement {
            let members = ids(&agreement.members)?;
            for (host, issuer) in members.iter().flat_map(|host| members.iter().map(move |issuer| (*host, *issuer))) {
                if host != issuer {
                    rules.push(rule(host, issuer, Path::Agreement, Kinds::all(), as_is));
                }
            }
        }
        for relay in &self.relay {
            let kinds = relay.kinds.iter().map(|name| kind(name)).collect::<Result<Vec<_>>>()?;
            let treat = [relay.green, relay.yellow, relay.red].map(ColourWord::colour);
            for host in ids(&relay.hosts)? {
                for issuer in ids(&relay.issuers)?.into_iter().filter(|issuer| *issuer != host) {
                    rules.push(rule(host, issuer, Path::Relay, Kinds::of(&kinds), treat));
                }
            }
        }
        Ok(rules)
    }
}

fn issuer(entry: &Entry) -> Result<Issuer> {
    let long = |_| Failure::new(format!("keys/issuers.toml: a name of issuer {} is too long: shorten it", entry.code));
    let mut levels = Vec::new();
    for (number, colour) in &entry.levels {
        let level = number.parse().ok().and_then(Level::new).ok_or_else(|| {
            Failure::new(format!("keys/issuers.toml: issuer {} has a level {number}: it may be 4 to 15", entry.code))
        })?;
        levels.push((level, colour.colour()));
    }
    levels.sort_by_key(|(level, _)| level.number());
    Ok(Issuer {
        id: id(entry.code)?,
        name_zh: entry.name_zh.parse().map_err(long)?,
        name_en: entry.name_en.parse().map_err(long)?,
        hotline: entry.hotline.parse().map_err(long)?,
        levels: levels.into_iter().collect(),
        lists_status: false,
    })
}

/// A kind of pass by its name.
pub fn kind(name: &str) -> Result<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        Failure::new(format!("{name:?} is no kind of pass: it may be one of {}", Kind::ALL.map(Kind::name).join(", ")))
    })
}

fn ids(codes: &[u32]) -> Result<Vec<IssuerId>> {
    codes.iter().map(|code| id(*code)).collect()
}

fn id(code: u32) -> Result<IssuerId> {
    IssuerId::new(code)
        .ok_or_else(|| Failure::new(format!("keys/issuers.toml: {code} is not a six-digit division code")))
}
