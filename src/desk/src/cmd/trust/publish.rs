//! From drafts to what gates believe, and from a stick into a trust folder.

use super::show::has_not_published;
use super::{TrustArg, complain, repository, say, tell_of_stale, time, time_that_has_come, warn_of};
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::Args;
use menshen_core::ids::IssuerId;
use menshen_core::time::SKEW_S;
use menshen_lane::trust::{REPOSITORY, ROOT_FILE, STICK_FOLDER, read_root};
use menshen_lane::view::rfc3339;
use menshen_trust::publish::{Bundle, PublishError, Published, Repository};
use menshen_trust::status::IssuerStatus;
use menshen_trust::tuf::{Folder, Source};
use menshen_trust::vault::{self, Believed, Import as Imported, Now, Steps, Vault, VaultError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Nobody publishes less often.
const LEAP_S: u64 = 366 * 86_400;

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
    /// Publish as of a time that this computer's clock has not come to: gates that import it believe from then on that it
    /// is at least that late.
    #[arg(long, requires = "at")]
    ahead: bool,
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
        let stick = self.stick.as_deref().map(folder_of).transpose()?;
        let mut repository = repository(&authority)?;
        let as_of = self.as_of(&repository)?;
        let published = repository.publish(&authority.keyring(&self.keys)?, as_of).map_err(explained)?;
        tell(&published)?;
        if let Some(folder) = stick {
            repository.copy_to(&folder)?;
            let root = read_root(&self.trust.dir, None)?;
            let source = vault::look(&root, repository.dir())
                .map_err(|error| Failure::new(format!("{}: {error}", repository.dir().display())))?;
            verify_copy(&root, &folder, &source)?;
            say(format!("{}: version {}, ready to be carried", folder.display(), published.version))?;
        }
        Ok(if published.waiting.is_empty() { Outcome::Done } else { Outcome::No })
    }
}

impl Publish {
    /// The moment of the publication. It raises the floor of the time of every gate that imports it, for good: a clock
    /// that is ahead must not become theirs unnoticed.
    fn as_of(&self, repository: &Repository) -> Result<u64> {
        let as_of = time_that_has_come(self.at.as_deref(), self.ahead)?;
        let Some(last) = repository.as_of() else { return Ok(as_of) };
        if self.at.is_none() && as_of > last + LEAP_S {
            return Err(Failure::new(format!(
                "by this computer's clock it is {}, more than a year after the last publication ({}): set the clock, or \
                 say --at {} if it is right",
                moment::show(as_of),
                moment::show(last),
                rfc3339(as_of)
            )));
        }
        if as_of + SKEW_S < last {
            complain(&format!(
                "{} is before the last publication ({}): one of the two clocks was wrong, look at this computer's",
                moment::show(as_of),
                moment::show(last)
            ));
        }
        Ok(as_of)
    }
}

/// What lacks a signature may be nothing that this desk ever signs.
fn explained(error: PublishError) -> Failure {
    let why = match &error {
        PublishError::Besides { why, .. } => why,
        other => other,
    };
    match why {
        PublishError::Unsigned { role, .. } if ["snapshot", "timestamp"].contains(&role.as_str()) => {
            Failure::new(format!("{error}; a province, city or office signs what is its own with `menshen trust sign`"))
        }
        _ => error.into(),
    }
}

/// What was published, what waits, and what gates do not believe.
fn tell(published: &Published) -> Result<()> {
    for waiting in &published.waiting {
        complain(&waiting.to_string());
    }
    for (role, why) in &published.held_back {
        complain(&format!("gates do not believe what {role} said last: {why}"));
    }
    let roles = match &published.roles[..] {
        [] => "nothing new, but said again".to_owned(),
        roles => format!("new from {}", roles.join(", ")),
    };
    say(format!("version {}: {roles}", published.version))?;
    match &published.unborn[..] {
        [] => Ok(()),
        [role] => say(format!("{role} waits for its first publication")),
        roles => say(format!("{} wait for their first publication", roles.join(", "))),
    }
}

/// The folder of a stick that gates look into.
fn folder_of(stick: &Path) -> Result<PathBuf> {
    let folder = stick.join(STICK_FOLDER);
    if folder.is_symlink() {
        let why = "is a link, and whoever made it may have meant another folder: remove it, or take another stick";
        return Err(Failure::new(format!("{} {why}", folder.display())));
    }
    Ok(folder)
}

const REMEDY: &str = "the copy is not to be used: free or change that disk, or restore the folder that was copied";

/// What was copied must be believed by a gate that is made with this anchor, and all of it that is believed of the source.
fn verify_copy(root: &[u8], folder: &Path, source: &Believed) -> Result<()> {
    let copy =
        vault::look(root, folder).map_err(|error| Failure::new(format!("{}: {error}; {REMEDY}", folder.display())))?;
    match &lost(source, &copy)[..] {
        [] => Ok(()),
        lost => {
            Err(Failure::new(format!("{}: gates would not believe {}; {REMEDY}", folder.display(), lost.join(", "))))
        }
    }
}

/// What is believed of a source and not of its copy. What is held back of the source itself is no fault of the copy.
fn lost(source: &Believed, copy: &Believed) -> Vec<String> {
    let mut lost = Vec::new();
    for role in source.roles.iter().filter(|role| role.held_back.is_none()) {
        let same = copy.roles.iter().find(|same| same.scope == role.scope);
        match same.map(|same| (same.version == role.version, &same.held_back)) {
            Some((true, None)) => {}
            Some((_, Some(why))) => lost.push(format!("what {} says ({why})", role.scope)),
            _ => lost.push(format!("what {} says", role.scope)),
        }
    }
    let held_back = source.roles.iter().filter(|role| role.held_back.is_some()).map(|role| role.scope);
    for (issuer, status) in source.status.iter() {
        // The nation's own list is in other hands than those of the provinces.
        let is_of = |scope: IssuerId| scope == issuer || scope != IssuerId::NATIONAL && scope.covers(issuer);
        let number = |of: &IssuerStatus| (of.complete().seq, of.complete().as_of);
        let there = copy.status.get(issuer).map(|status| number(status));
        if status.is_some_and(|status| there != Some(number(status))) && !held_back.clone().any(is_of) {
            lost.push(format!("the status list of {issuer}"));
        }
    }
    lost
}

impl Import {
    pub(super) fn run(self) -> Result {
        let root = self.root()?;
        let from = match folder_of(&self.from)? {
            stick if stick.join(Folder::METADATA).is_dir() => stick,
            _ => self.from.clone(),
        };
        let place = self.trust.dir.join(REPOSITORY);
        let bundle = Arc::new(Bundle::new(&from).under(&root));
        let now = Now::about(time(self.at.as_deref())?);
        // A vault for the moment of the import knows what is believed now, and so what would be a step back.
        let dir = tempfile::tempdir()?;
        let vault = Vault::open(dir.path(), &root)?;
        let unsound = believe_what_is_there(&vault, &place)?;
        let imported = vault.import(bundle.clone(), now, &Steps::none())?;
        if let Some(why) = unsound {
            complain(&format!(
                "what {} held does not verify ({why}): it is replaced by {}, which {ROOT_FILE} vouches for; whether that \
                 is older could not be told",
                place.display(),
                from.display()
            ));
        }
        if let Imported::New(believed) = &imported {
            tell_of_held_back(believed);
        }
        let missing = bundle.copy_to(&place)?;
        let source = match &imported {
            Imported::New(believed) => Some((**believed).clone()),
            Imported::Unchanged => vault.current()?,
        };
        tell_of_missing(&missing, source.as_ref(), &place)?;
        if let Some(source) = &source {
            verify_copy(&root, &place, source)?;
        }
        if place.join("draft").is_dir() {
            let repository = Repository::open(&place)?;
            tell_of_stale(&repository);
            repository.save()?;
        }
        match imported {
            Imported::Unchanged => say(format!("{}: nothing new", from.display()))?,
            Imported::New(believed) => {
                let content = believed.list.content();
                let as_of = moment::show(content.as_of);
                say(format!("{}: version {}, as of {as_of}", place.display(), content.version))?;
            }
        }
        Ok(Outcome::Done)
    }

    /// The anchor, which no stick can bring: it is how a stick is judged.
    fn root(&self) -> Result<Vec<u8>> {
        let path = self.trust.dir.join(ROOT_FILE);
        if !path.exists() {
            return Err(Failure::new(format!(
                "{} is not there: copy the authority's {ROOT_FILE} there first, from the authority itself and not from \
                 this stick, since every stick is judged by it",
                path.display()
            )));
        }
        Ok(read_root(&self.trust.dir, None)?)
    }
}

fn tell_of_held_back(believed: &Believed) {
    for role in &believed.roles {
        if let Some(error) = role.held_back.as_ref().filter(|_| !has_not_published(role)) {
            complain(&format!("what {} says is not believed: {error}", role.scope));
        }
    }
}

/// What a stick lacks is to be known, though the rest of it is good where only what is held back lacks it.
fn tell_of_missing(missing: &[String], source: Option<&Believed>, place: &Path) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!("{}: {} could not be copied", place.display(), missing.join(", "));
    if !source.is_some_and(|source| source.roles.iter().any(|role| role.held_back.is_some())) {
        return Err(Failure::new(format!("{what}; {REMEDY}")));
    }
    complain(&format!("{what}: publish onto the stick again, or bring another one"));
    Ok(())
}

/// Lets a vault believe what a folder holds; gives why it can not.
fn believe_what_is_there(vault: &Vault, place: &Path) -> Result<Option<VaultError>> {
    if !place.join(Folder::METADATA).is_dir() {
        return Ok(None);
    }
    let source: Arc<dyn Source> = Arc::new(Bundle::new(place));
    match vault.import_as_of_itself(source, &Steps::none()) {
        Err(error @ VaultError::Io { .. }) => Err(error.into()),
        Err(error) => Ok(Some(error)),
        Ok(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_trust::names::Target;
    use menshen_trust::status::{About, write_list};
    use std::fs;

    fn file(dir: &Path, end: &str) -> PathBuf {
        let entries = fs::read_dir(dir).expect("reads").flatten().map(|entry| entry.path());
        let found = entries.filter(|path| path.to_string_lossy().ends_with(end)).max();
        found.unwrap_or_else(|| panic!("{end} is not in {}", dir.display()))
    }

    #[test]
    fn a_copy_that_lost_what_one_province_says_is_no_good_copy() {
        let dir = tempfile::tempdir().expect("a folder");
        let (now, issuer) = (1_580_000_000, IssuerId::new(330_000).expect("six digits"));
        let authority = Authority::init(&dir.path().join("dev"), now).expect("a profile");
        let mut repository = authority.repository().expect("opens");
        let mut list = Vec::new();
        write_list(&mut list, About { issuer, seq: 1, as_of: now }, []).expect("a vector grows");
        repository.put("330000", &Target::Snapshot(issuer, 1).path(), &list).expect("lists");
        repository.publish(&authority.keyring(&[]).expect("has keys"), now).expect("publishes");
        let root = read_root(authority.dir(), None).expect("has an anchor");
        let source = vault::look(&root, repository.dir()).expect("is good");
        for (part, end, lost) in [
            ("metadata", ".330000.json", "what 330000 says"),
            ("targets/issuers", ".330000", "what 330000 says"),
            ("targets/status/330000", "", "what 330000 says"),
        ] {
            let copy = dir.path().join("copy");
            repository.copy_to(&copy).expect("copies");
            verify_copy(&root, &copy, &source).expect("is the same");
            let spoiled = file(&copy.join(part), end);
            fs::write(&spoiled, "{}").expect("writes");
            let failed = verify_copy(&root, &copy, &source).expect_err("is spoiled").to_string();
            assert!(failed.contains(lost) && failed.contains("not to be used"), "{failed}");
        }
        // What the source itself does not say the copy need not.
        let spoiled = vault::look(&root, &dir.path().join("copy")).expect("the nation is good");
        verify_copy(&root, &dir.path().join("copy"), &spoiled).expect("is as bad as its source");
    }
}
