//! From drafts to what gates believe, and from a stick into a trust folder.

use super::{TrustArg, complain, say, time, warn_of};
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Outcome, Result};
use clap::Args;
use menshen_lane::trust::{REPOSITORY, STICK_FOLDER, read_root};
use menshen_trust::publish::copy;
use menshen_trust::tuf::{Folder, Source};
use menshen_trust::vault::{Import as Imported, Now, Steps, Vault};
use std::path::PathBuf;
use std::sync::Arc;

/// Publishes.
#[derive(Args, Debug)]
pub(crate) struct Publish {
    #[command(flatten)]
    trust: TrustArg,
    /// A folder with keys, such as a stick that somebody brought; may be given more than once.
    #[arg(long, value_name = "DIR")]
    keys: Vec<PathBuf>,
    /// Copy what is published onto a stick: into its folder "menshen", which gates look for.
    #[arg(long, value_name = "DIR")]
    stick: Option<PathBuf>,
    /// Publish as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Imports.
#[derive(Args, Debug)]
pub(crate) struct Import {
    #[command(flatten)]
    trust: TrustArg,
    /// The stick, or the folder of a repository.
    from: PathBuf,
    /// Judge expiry as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Publish {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let mut repository = authority.repository()?;
        let published = repository.publish(&authority.keyring(&self.keys)?, time(self.at.as_deref())?)?;
        for waiting in &published.waiting {
            complain(&waiting.to_string());
        }
        let roles = match &published.roles[..] {
            [] => "nothing new, but said again".to_owned(),
            roles => format!("new from {}", roles.join(", ")),
        };
        say(format!("version {}: {roles}", published.version))?;
        if let Some(stick) = &self.stick {
            let folder = stick.join(STICK_FOLDER);
            repository.copy_to(&folder)?;
            say(format!("{}: version {}, ready to be carried", folder.display(), published.version))?;
        }
        Ok(if published.waiting.is_empty() { Outcome::Done } else { Outcome::No })
    }
}

impl Import {
    pub(super) fn run(self) -> Result {
        let root = read_root(&self.trust.dir, None)?;
        let from = match self.from.join(STICK_FOLDER) {
            stick if stick.join(Folder::METADATA).is_dir() => stick,
            _ => self.from.clone(),
        };
        let place = self.trust.dir.join(REPOSITORY);
        // A vault for the moment of the import knows what is believed now, and so what would be a step back.
        let dir = tempfile::tempdir()?;
        let vault = Vault::open(dir.path(), &root)?;
        let now: Arc<dyn Source> = Arc::new(Folder::new(&place));
        if place.join(Folder::METADATA).is_dir() {
            vault.import_as_of_itself(now, &Steps::none())?;
        }
        match vault.import(Arc::new(Folder::new(&from)), Now::about(time(self.at.as_deref())?), &Steps::none())? {
            Imported::Unchanged => say(format!("{}: nothing new", from.display()))?,
            Imported::New(believed) => {
                let content = believed.list.content();
                for role in &believed.roles {
                    if let Some(error) = &role.held_back {
                        complain(&format!("what {} says is not believed: {error}", role.scope));
                    }
                }
                copy(&from, &place)?;
                let as_of = moment::show(content.as_of);
                say(format!("{}: version {}, as of {as_of}", place.display(), content.version))?;
            }
        }
        Ok(Outcome::Done)
    }
}
