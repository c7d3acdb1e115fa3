//! `menshen trust`: make, change, publish, carry and show what gates believe.
//!
//! Whoever edits leaves drafts; `publish` signs them and gives them to gates. A development profile has every key, so
//! there each command is followed by one `publish`; a real authority brings its keys on sticks (see keys/README.md).

mod edit;
mod matrix;
mod publish;
mod show;
mod status;

use super::{TrustArg, complain, say};
use crate::authority::{Authority, DEFAULT_DIR, Roots, new_key, write_key};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::{Args, Subcommand};
use menshen_core::ids::{Hex, IssuerId};
use std::path::PathBuf;

/// Make, change, publish, carry and show what gates believe.
#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Make an authority: by default a development profile with every key of a country, unsafe, which works at once.
    Init(Init),
    /// Make a key for somebody who will sign; prints its public half, which is all that anybody else needs.
    Key(Key),
    /// Add an issuer of passes, or change its names; gives it a key and a role of its own.
    AddIssuer(edit::AddIssuer),
    /// Give an issuer a new key for passes, or a role a new key for metadata.
    Rotate(edit::Rotate),
    /// Let gates of one province honour the passes of another issuer, or end that.
    Recognise(edit::Recognise),
    /// Say what an issuer has changed since its passes were made: codes that turned red or green again, revoked passes.
    Status(status::Status),
    /// Sign the drafts and publish them, to the repository and onto a stick.
    Publish(publish::Publish),
    /// Verify a repository that somebody brought, and put it into a trust folder.
    Import(publish::Import),
    /// Show issuers, keys, roles and recognition of a trust folder.
    Show(show::Show),
}

/// Makes an authority.
#[derive(Args, Debug)]
pub(super) struct Init {
    /// Where to make it.
    #[arg(value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,
    /// Make a real authority: give this folder, such as a stick, a root key. Once for each person who holds one.
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// How many of the root keys must sign; by default more than half.
    #[arg(long, value_name = "M", requires = "root")]
    threshold: Option<usize>,
    /// Make it as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Makes a key.
#[derive(Args, Debug)]
pub(super) struct Key {
    /// The file of the private key; it ends in .key and is nobody else's to read.
    file: PathBuf,
}

impl Trust {
    pub(super) fn run(self) -> Result {
        match self {
            Trust::Init(init) => init.run(),
            Trust::Key(key) => key.run(),
            Trust::AddIssuer(add) => add.run(),
            Trust::Rotate(rotate) => rotate.run(),
            Trust::Recognise(recognise) => recognise.run(),
            Trust::Status(status) => status.run(),
            Trust::Publish(publish) => publish.run(),
            Trust::Import(import) => import.run(),
            Trust::Show(show) => show.run(),
        }
    }
}

impl Init {
    fn run(self) -> Result {
        let at = time(self.at.as_deref())?;
        if self.root.is_empty() {
            let authority = Authority::init(&self.dir, at)?;
            warn_of(&authority);
        } else {
            let threshold = self.threshold.unwrap_or(self.root.len() / 2 + 1);
            Authority::init_real(&self.dir, &Roots { folders: self.root, threshold }, at)?;
        }
        let believed = menshen_lane::trust::load(&self.dir, None)?;
        let content = believed.list.content();
        say(format!(
            "{}: {} issuers, {} keys, {} recognition rules, {} delegated roles",
            self.dir.display(),
            content.issuers.len(),
            content.keys.len(),
            content.rules.len(),
            believed.roles.len()
        ))?;
        Ok(Outcome::Done)
    }
}

impl Key {
    fn run(self) -> Result {
        let key = new_key()?;
        write_key(&self.file, &key)?;
        say(Hex(key.verifying_key().as_bytes()))?;
        Ok(Outcome::Done)
    }
}

fn warn_of(authority: &Authority) {
    if authority.is_unsafe() {
        complain(&format!(
            "{} is an UNSAFE development profile: its private keys lie beside its public ones, never let a real gate trust it",
            authority.dir().display()
        ));
    }
}

fn time(text: Option<&str>) -> Result<u64> {
    Ok(text.map(moment::parse).transpose()?.unwrap_or_else(moment::now))
}

fn division(code: u32) -> Result<IssuerId> {
    IssuerId::new(code)
        .ok_or_else(|| Failure::new(format!("{code} is not a division code: write six digits, such as 330000")))
}
