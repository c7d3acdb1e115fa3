//! What a province says, from its own desk to the one that publishes: signed there, taken here.

use super::{TrustArg, complain, repository, say, time, warn_of};
use crate::authority::{Authority, Content, role_of};
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use menshen_core::ids::IssuerId;
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{PublishError, Repository};
use menshen_trust::tuf::Folder;
use std::fs;
use std::path::{Path, PathBuf};

/// How the folder of an offer begins on a stick; the division code follows.
const OFFER: &str = "menshen-";

/// Signs a role.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    trust: TrustArg,
    /// The division code of the province, city or office whose word it is.
    role: u32,
    /// A folder with the role's key, such as a stick; may be given more than once.
    #[arg(long, value_name = "DIR")]
    keys: Vec<PathBuf>,
    /// The stick to put it onto: into a folder "menshen-" with the code.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Sign as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Takes what a role signed.
#[derive(Args, Debug)]
pub(crate) struct Take {
    #[command(flatten)]
    trust: TrustArg,
    /// The stick, or one folder of it.
    from: PathBuf,
    /// Judge expiry as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Sign {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let (mut repository, role) = (repository(&authority)?, super::division(self.role)?.to_string());
        let folder = self.out.join(format!("{OFFER}{role}"));
        let keyring = authority.keyring(&self.keys)?;
        match repository.offer(&role, &keyring, time(self.at.as_deref())?, &folder) {
            Ok(version) => {
                let next = "whoever publishes takes it with `menshen trust take`";
                say(format!("{}: {role} version {version}, ready to be carried; {next}", folder.display()))?;
                Ok(Outcome::Done)
            }
            Err(error @ PublishError::Unsigned { .. }) => {
                complain(&error.to_string());
                Ok(Outcome::No)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Take {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let (mut repository, now) = (repository(&authority)?, time(self.at.as_deref())?);
        let mut outcome = Outcome::Done;
        for folder in offers(&self.from)? {
            match repository.take(&folder, now) {
                Ok(taken) => {
                    let (role, version) = (&taken.role, taken.version);
                    say(format!("{role} version {version}: taken; `menshen trust publish` gives it to gates"))?;
                    tell_of_list(&repository, role)?;
                }
                // The next one may be good.
                Err(error) => {
                    complain(&format!("{} is not taken: {error}", folder.display()));
                    outcome = Outcome::No;
                }
            }
        }
        Ok(outcome)
    }
}

/// The offers on a stick, or the one that is named.
fn offers(from: &Path) -> Result<Vec<PathBuf>> {
    if from.join(Folder::METADATA).is_dir() {
        return Ok(vec![from.to_owned()]);
    }
    let entries = fs::read_dir(from).map_err(at(from, "put in the stick that somebody brought"))?;
    let is_offer = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(OFFER));
        name.and_then(names::issuer).is_some() && !path.is_symlink()
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_offer).collect();
    found.sort();
    if found.is_empty() {
        return Err(Failure::new(format!(
            "{} has nothing that a province signed: that would be a folder {OFFER}330000, as `menshen trust sign` makes it",
            from.display()
        )));
    }
    Ok(found)
}

/// A list that gates do not know to miss protects nobody when it stays away.
fn tell_of_list(repository: &Repository, role: &str) -> Result<()> {
    let Some(issuer) = names::issuer(role) else { return Ok(()) };
    let has_list = repository
        .paths(role)
        .iter()
        .any(|path| matches!(Target::parse(path), Some(Target::Snapshot(owner, _)) if owner == issuer));
    for scope in [IssuerId::NATIONAL, issuer.province(), issuer.city()] {
        if !has_list || !repository.roles().contains(&role_of(scope).as_str()) {
            continue;
        }
        let content = Content::of(repository, scope)?;
        if content.issuers().iter().any(|known| known.id == issuer && !known.lists_status) {
            complain(&format!(
                "{issuer} has a status list, and gates do not miss it where it does not come: say so once with \
                 `menshen trust add-issuer {issuer} --lists`"
            ));
        }
    }
    Ok(())
}
