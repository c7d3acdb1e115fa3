//! `menshen trust`: make and show what gates believe.

use super::{TrustArg, complain, say, say_json};
use crate::moment;
use crate::outcome::{Outcome, Result};
use crate::profile::{DEFAULT_DIR, Profile};
use clap::{Args, Subcommand};
use menshen_core::recognition::Rule;
use menshen_core::trust::{Issuer, TrustContent, TrustList};
use menshen_lane::view::rfc3339;
use serde::Serialize;
use std::path::PathBuf;

/// Make and show what gates believe.
#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Make a development profile: an anchor, a hub, every issuer of 2020. Unsafe, and works at once.
    Init(Init),
    /// Show issuers, keys and recognition of a trust folder.
    Show(Show),
}

#[derive(Args, Debug)]
pub(super) struct Init {
    /// Where to make it.
    #[arg(value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,
    /// Make it as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    trust: TrustArg,
    /// One JSON object an issuer.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct IssuerLine<'a> {
    issuer: u32,
    name_zh: &'a str,
    name_en: &'a str,
    hotline: &'a str,
    keys: Vec<KeyLine>,
    honours: Vec<u32>,
    honoured_by: Vec<u32>,
}

#[derive(Serialize)]
struct KeyLine {
    kid: String,
    valid_from: String,
    valid_until: String,
}

impl Trust {
    pub(super) fn run(self) -> Result {
        match self {
            Trust::Init(init) => init.run(),
            Trust::Show(show) => show.run(),
        }
    }
}

impl Init {
    fn run(self) -> Result {
        let at = self.at.as_deref().map(moment::parse).transpose()?.unwrap_or_else(moment::now);
        let profile = Profile::init(&self.dir, at)?;
        complain(&format!(
            "{} is an UNSAFE development profile: its private keys lie beside its public ones, never let a real gate trust it",
            profile.dir().display()
        ));
        let trust = menshen_lane::trust::load(profile.dir(), None)?;
        let content = trust.content();
        say(format!(
            "{}: {} issuers, {} keys, {} recognition rules",
            profile.dir().display(),
            content.issuers.len(),
            content.keys.len(),
            content.rules.len()
        ))?;
        Ok(Outcome::Done)
    }
}

impl Show {
    fn run(self) -> Result {
        let trust = menshen_lane::trust::load(&self.trust.dir, None)?;
        if self.trust.dir.join("UNSAFE").exists() {
            complain(&format!("{} is an UNSAFE development profile", self.trust.dir.display()));
        }
        let content = trust.content();
        if !self.json {
            say(format!("version {}, as of {}", content.version, moment::show(content.as_of)))?;
        }
        for issuer in &content.issuers {
            let line = line_of(issuer, &trust);
            if self.json { say_json(&line)? } else { show(&line)? }
        }
        Ok(Outcome::Done)
    }
}

fn line_of<'a>(issuer: &'a Issuer, trust: &'a TrustList) -> IssuerLine<'a> {
    let content: &TrustContent = trust.content();
    let keys = content.keys.iter().filter(|key| key.issuer == issuer.id).map(|key| KeyLine {
        kid: menshen_core::ids::KeyId::of(&key.public_key).to_string(),
        valid_from: rfc3339(key.valid_from),
        valid_until: rfc3339(key.valid_until),
    });
    let codes = |pick: fn(&Rule) -> (u32, u32)| {
        let mut codes: Vec<u32> =
            content.rules.iter().map(pick).filter(|(of, _)| *of == issuer.id.code()).map(|(_, other)| other).collect();
        codes.sort_unstable();
        codes
    };
    IssuerLine {
        issuer: issuer.id.code(),
        name_zh: &issuer.name_zh,
        name_en: &issuer.name_en,
        hotline: &issuer.hotline,
        keys: keys.collect(),
        honours: codes(|rule| (rule.host.code(), rule.issuer.code())),
        honoured_by: codes(|rule| (rule.issuer.code(), rule.host.code())),
    }
}

fn show(line: &IssuerLine<'_>) -> Result<()> {
    say(format!("{} {} / {}", line.issuer, line.name_zh, line.name_en))?;
    for key in &line.keys {
        say(format!("    key {} {} – {}", key.kid, key.valid_from, key.valid_until))?;
    }
    let list = |codes: &[u32]| codes.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    if !line.honours.is_empty() {
        say(format!("    honours {}", list(&line.honours)))?;
    }
    Ok(())
}
