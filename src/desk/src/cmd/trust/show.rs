//! What a trust folder says, for people, for scripts and as a page.

use super::{TrustArg, complain, matrix, say, time};
use crate::cmd::say_json;
use crate::moment;
use crate::outcome::{Outcome, Result, write_output};
use clap::Args;
use menshen_core::ids::{Hex, IssuerId, KeyId, sha256};
use menshen_core::recognition::Rule;
use menshen_core::trust::{ClassPolicy, Issuer, TrustList};
use menshen_lane::policy_file::PolicyFile;
use menshen_lane::trust::{load, read_root};
use menshen_lane::view::rfc3339;
use menshen_trust::policies::in_force;
use menshen_trust::tuf::{Refusal, TufError};
use menshen_trust::vault::{Believed, RoleReport};
use serde::Serialize;
use std::path::PathBuf;

/// Shows a trust folder.
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    trust: TrustArg,
    /// One JSON object an issuer, then one for each class of site and division with rules of its own.
    #[arg(long)]
    json: bool,
    /// Show who honours whom as a table.
    #[arg(long, conflicts_with = "json")]
    matrix: bool,
    /// Show who honours whom at this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Write who honours whom as a page for a browser or a printer.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
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
    role_version: Option<u64>,
    held_back: Option<String>,
    #[serde(skip)]
    waits: bool,
    status_number: Option<u64>,
    status_as_of: Option<String>,
}

/// What a division says of the rules of a class of site, and what holds at its gates.
#[derive(Serialize)]
struct PolicyLine {
    class: &'static str,
    division: u32,
    says: PolicyFile,
    in_force: PolicyFile,
}

#[derive(Serialize)]
struct KeyLine {
    kid: String,
    valid_from: String,
    valid_until: String,
}

impl Show {
    pub(super) fn run(self) -> Result {
        let (believed, at) = (load(&self.trust.dir, None)?, time(self.at.as_deref())?);
        if self.trust.dir.join("UNSAFE").exists() {
            complain(&format!("{} is an UNSAFE development profile", self.trust.dir.display()));
        }
        if let Some(path) = &self.html {
            write_output(path, matrix::page(&believed.list, at).as_bytes())?;
            say(path.display())?;
            return Ok(Outcome::Done);
        }
        if !self.json {
            let content = believed.list.content();
            say(format!("version {}, as of {}", content.version, moment::show(content.as_of)))?;
            let anchor = sha256(&read_root(&self.trust.dir, None)?);
            say(format!("root {}, anchor {}", believed.root_version, Hex(&anchor)))?;
        }
        if self.matrix {
            matrix::lines(&believed.list, at).into_iter().try_for_each(say)?;
            return Ok(Outcome::Done);
        }
        for issuer in &believed.list.content().issuers {
            let line = line_of(issuer, &believed);
            if self.json { say_json(&line)? } else { show(&line)? }
        }
        for line in policies(&believed.list)? {
            if self.json { say_json(&line)? } else { show_policy(&line)? }
        }
        Ok(Outcome::Done)
    }
}

fn line_of<'a>(issuer: &'a Issuer, believed: &'a Believed) -> IssuerLine<'a> {
    let list: &TrustList = &believed.list;
    let content = list.content();
    let keys = content.keys.iter().filter(|key| key.issuer == issuer.id).map(|key| KeyLine {
        kid: KeyId::of(&key.public_key).to_string(),
        valid_from: rfc3339(key.valid_from),
        valid_until: rfc3339(key.valid_until),
    });
    let codes = |pick: fn(&Rule) -> (IssuerId, IssuerId), is_own: fn(IssuerId, IssuerId) -> bool| {
        let others = content
            .rules
            .iter()
            .map(pick)
            .filter(|(of, other)| is_own(*of, issuer.id) && other.province() != issuer.id.province());
        let mut codes: Vec<u32> = others.map(|(_, other)| other.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    };
    let status = believed.status.get(issuer.id).map(|status| status.complete());
    let role: Option<&RoleReport> = believed.roles.iter().find(|role| role.scope == issuer.id);
    let waits = role.is_some_and(has_not_published);
    IssuerLine {
        issuer: issuer.id.code(),
        name_zh: &issuer.name_zh,
        name_en: &issuer.name_en,
        hotline: &issuer.hotline,
        keys: keys.collect(),
        honours: codes(|rule| (rule.host, rule.issuer), IssuerId::covers),
        honoured_by: codes(|rule| (rule.issuer, rule.host), |of, own| of == own),
        role_version: role.and_then(|role| role.version),
        held_back: role.filter(|_| !waits).and_then(|role| role.held_back.as_ref()).map(ToString::to_string),
        waits,
        status_number: status.map(|about| about.seq),
        status_as_of: status.map(|about| rfc3339(about.as_of)),
    }
}

/// By class, and of each the nation first.
fn policies(list: &TrustList) -> Result<Vec<PolicyLine>> {
    let said = &list.content().policies;
    let mut ordered: Vec<&ClassPolicy> = said.iter().collect();
    ordered.sort_by_key(|said| (said.class, said.scope != IssuerId::NATIONAL, said.scope));
    let line = |said_here: &&ClassPolicy| {
        let ClassPolicy { scope, class, part } = **said_here;
        let in_force = PolicyFile::of_all(&in_force(said, class, scope)?);
        Ok(PolicyLine { class: class.name(), division: scope.code(), says: PolicyFile::of(&part), in_force })
    };
    ordered.iter().map(line).collect()
}

fn show_policy(line: &PolicyLine) -> Result<()> {
    let PolicyLine { class, division, says, in_force } = line;
    let all = if *division == IssuerId::NATIONAL.code() { " (every gate of the country)" } else { "" };
    say(format!("{class} at gates of {division}{all}"))?;
    say(format!("    says {says}"))?;
    say(format!("    in force {in_force}"))
}

/// Whether a role was delegated and has said nothing yet: that is no fault of anybody.
pub(super) fn has_not_published(role: &RoleReport) -> bool {
    let file = format!("{}.json", role.scope);
    let is_not_listed = |error: &TufError| error.refusal == Refusal::Missing && error.detail == file;
    role.version.is_none() && role.held_back.as_ref().is_none_or(is_not_listed)
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
    if let (Some(number), Some(as_of)) = (line.status_number, &line.status_as_of) {
        say(format!("    status list {number}, complete until {as_of}"))?;
    }
    if line.waits {
        say("    has not published yet")?;
    }
    if let Some(why) = &line.held_back {
        say(format!("    what it says is not believed: {why}"))?;
    }
    Ok(())
}
