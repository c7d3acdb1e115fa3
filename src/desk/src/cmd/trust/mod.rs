//! `menshen trust`: make, change, publish, carry and show what gates believe.
//!
//! Whoever edits leaves drafts; `publish` signs them and gives them to gates. A development profile has every key, so
//! there each command is followed by one `publish`; a real authority brings its keys on sticks (see keys/README.md).

mod edit;
mod init;
mod matrix;
mod offer;
mod policy;
mod publish;
mod show;
mod status;

use super::{TrustArg, complain, say};
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Result};
use clap::Subcommand;
use menshen_core::ids::IssuerId;
use menshen_core::time::SKEW_S;
use menshen_trust::publish::Repository;

/// Make, change, publish, carry and show what gates believe.
#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Make an authority: by default a development profile with every key of a country, unsafe, which works at once.
    Init(init::Init),
    /// Make a key for somebody who will sign, or show one; prints its public half, which is all that anybody else needs.
    Key(init::Key),
    /// Add an issuer of passes with a key and a role of its own, or change what is said of one.
    AddIssuer(edit::AddIssuer),
    /// Give an issuer a new key for passes, or a role a new key for metadata.
    Rotate(edit::Rotate),
    /// Let gates of one province honour the passes of another issuer, or end that.
    Recognise(edit::Recognise),
    /// Say the rules of a class of site, such as every metro station: of the nation, or of a division over that.
    Policy(policy::SetPolicy),
    /// Say what an issuer has changed since its passes were made: codes that turned red or green again, revoked passes.
    Status(status::Status),
    /// Sign the drafts and publish them, to the repository and onto a stick.
    Publish(publish::Publish),
    /// Sign what a province, city or office says, at its own desk, for whoever publishes.
    Sign(offer::Sign),
    /// Take what a province, city or office signed, to be published next.
    Take(offer::Take),
    /// Verify a repository that somebody brought, and put it into a trust folder.
    Import(publish::Import),
    /// Show issuers, keys, roles, recognition and rules of a trust folder.
    Show(show::Show),
}

impl Trust {
    pub(super) fn run(self) -> Result {
        match self {
            Trust::Init(init) => init.run(),
            Trust::Key(key) => key.run(),
            Trust::AddIssuer(add) => add.run(),
            Trust::Rotate(rotate) => rotate.run(),
            Trust::Recognise(recognise) => recognise.run(),
            Trust::Policy(policy) => policy.run(),
            Trust::Status(status) => status.run(),
            Trust::Publish(publish) => publish.run(),
            Trust::Sign(sign) => sign.run(),
            Trust::Take(take) => take.run(),
            Trust::Import(import) => import.run(),
            Trust::Show(show) => show.run(),
        }
    }
}

/// The repository of an authority; drafts that it had to drop are told.
fn repository(authority: &Authority) -> Result<Repository> {
    let repository = authority.repository()?;
    tell_of_stale(&repository);
    Ok(repository)
}

fn tell_of_stale(repository: &Repository) {
    for role in repository.stale() {
        complain(&format!(
            "a draft of {role} was made before what is published of it now, and is dropped: make the change again"
        ));
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

/// The moment as of which something is said: gates take it for the time, so one that this computer's clock has not come to
/// needs the word `ahead`.
fn time_that_has_come(text: Option<&str>, ahead: bool) -> Result<u64> {
    let (clock, as_of) = (moment::now(), time(text)?);
    if as_of > clock + SKEW_S && !ahead {
        return Err(Failure::new(format!(
            "{} has not come yet by this computer's clock ({}): set the clock, or say --ahead if you mean it",
            moment::show(as_of),
            moment::show(clock)
        )));
    }
    Ok(as_of)
}

fn division(code: u32) -> Result<IssuerId> {
    IssuerId::new(code)
        .ok_or_else(|| Failure::new(format!("{code} is not a division code: write six digits, such as 330000")))
}
