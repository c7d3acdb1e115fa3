//! The rules of a class of site, left as a draft of whoever says them.
//!
//! They come as a file and not as words of the command: whoever answers for them signs what another reads, and the file
//! can be shown around before. Its keys are those of a site file's `[policy]`.

use super::edit::{NEXT, roles};
use super::{TrustArg, division, repository, say, warn_of};
use crate::authority::{Authority, forget_policy, role_of, save_policy};
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use menshen_core::ids::IssuerId;
use menshen_core::policy::{PolicyPart, SiteClass};
use menshen_core::trust::ClassPolicy;
use menshen_lane::policy_file::PolicyFile;
use menshen_trust::names::Target;
use menshen_trust::publish::Repository;
use std::fs;
use std::path::{Path, PathBuf};

/// Says the rules of a class of site.
#[derive(Args, Debug)]
pub(crate) struct SetPolicy {
    #[command(flatten)]
    trust: TrustArg,
    /// Which class of site.
    #[arg(long, value_parser = class())]
    class: SiteClass,
    /// Whose gates: the code of the division that says it; by default the nation, for every gate of the country.
    #[arg(long, value_name = "CODE")]
    division: Option<u32>,
    /// The rules, in the keys of a site file's section "policy"; what it leaves out stays as superiors say.
    #[arg(long, value_name = "FILE", required_unless_present = "forget", conflicts_with = "forget")]
    file: Option<PathBuf>,
    /// Take out what was said.
    #[arg(long)]
    forget: bool,
}

fn class() -> impl TypedValueParser<Value = SiteClass> {
    let names = PossibleValuesParser::new(SiteClass::ALL.map(SiteClass::name));
    names.try_map(|name| SiteClass::parse(&name).ok_or("it is no class of site"))
}

impl SetPolicy {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let mut repository = repository(&authority)?;
        let scope = self.division.map_or(Ok(IssuerId::NATIONAL), division)?;
        let (class, role) = (self.class, role_of(scope));
        if scope != IssuerId::NATIONAL && !roles(&repository).contains(&scope) {
            return Err(Failure::new(format!("there is no role {scope}: the roles are shown by `menshen trust show`")));
        }
        let whose = match scope {
            IssuerId::NATIONAL => format!("{} at every gate of the country", class.name()),
            scope => format!("{} at gates of {scope}", class.name()),
        };
        let what = match &self.file {
            Some(path) => {
                may_sign(&repository, scope, class)?;
                let part = read(path)?;
                save_policy(&mut repository, ClassPolicy { scope, class, part })?;
                PolicyFile::of(&part).to_string()
            }
            None if forget_policy(&mut repository, scope, class)? => "no rules of its own any more".to_owned(),
            None => {
                return Err(Failure::new(format!(
                    "{role} says no rules of {}: see `menshen trust show`",
                    class.name()
                )));
            }
        };
        repository.save()?;
        say(format!("{whose}: {what}: said by {role}; {NEXT}"))?;
        Ok(Outcome::Done)
    }
}

/// Whoever was delegated to by a program that knew no policies may not sign one yet, and gates would hold it back.
fn may_sign(repository: &Repository, scope: IssuerId, class: SiteClass) -> Result<()> {
    let role = role_of(scope);
    if repository.may_sign(&role, &Target::Policy(scope, class).path()) {
        return Ok(());
    }
    let superior = repository.superior(&role).unwrap_or("targets");
    Err(Failure::new(format!(
        "{role} may not say rules yet: let {superior} sign once with this program (`menshen trust publish`, or \
         `menshen trust sign {superior}` at its own desk), import that, and run the command again"
    )))
}

/// The rules of a file.
fn read(path: &Path) -> Result<PolicyPart> {
    let text = fs::read_to_string(path).map_err(at(path, "name a file with rules"))?;
    let file = PolicyFile::parse(&text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(begin).filter(|byte| *byte == b'\n').count();
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Failure::new(format!("{} line {line}: {message}; correct that line", path.display()))
    })?;
    let part = file.part().map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    if part == PolicyPart::default() {
        return Err(Failure::new(format!(
            "{} has no rule: write one, or take out what was said with --forget",
            path.display()
        )));
    }
    Ok(part)
}
