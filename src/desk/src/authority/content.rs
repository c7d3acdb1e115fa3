//! What one role says, as it is edited: issuers and keys, recognition rules, or rules of classes of site, read from a
//! repository and put back.

use crate::outcome::{Failure, Result};
use menshen_core::ids::IssuerId;
use menshen_core::policy::{PolicyPart, SiteClass};
use menshen_core::recognition::Rule;
use menshen_core::trust::part::{Issuers, Rules};
use menshen_core::trust::{ClassPolicy, Issuer, IssuerKey};
use menshen_trust::names::Target;
use menshen_trust::publish::Repository;

/// The parts of one role.
#[derive(Clone, Debug, Default)]
pub struct Content {
    issuers: Issuers,
    rules: Rules,
}

impl Content {
    /// What a role says now, drafts included; empty where it says nothing.
    pub fn of(repository: &Repository, scope: IssuerId) -> Result<Content> {
        let role = role_of(scope);
        let issuers = repository.get(&role, &Target::Issuers(scope).path())?;
        let rules = repository.get(&role, &Target::Recognition(scope).path())?;
        Ok(Content {
            issuers: issuers.map(|bytes| Issuers::decode(&bytes)).transpose()?.unwrap_or_default(),
            rules: rules.map(|bytes| Rules::decode(&bytes)).transpose()?.unwrap_or_default(),
        })
    }

    /// The issuers.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers.issuers
    }

    /// Their keys, to be changed; give each another end, never another key.
    pub fn keys_mut(&mut self) -> &mut [IssuerKey] {
        &mut self.issuers.keys
    }

    /// Takes keys out.
    pub fn drop_keys(&mut self, which: impl Fn(&IssuerKey) -> bool) {
        self.issuers.keys.retain(|key| !which(key));
    }

    /// The rules, to be changed.
    pub fn rules_mut(&mut self) -> &mut heapless::Vec<Rule, { menshen_core::trust::MAX_RULES }> {
        &mut self.rules.rules
    }

    /// Adds an issuer, or replaces what was said of it.
    pub fn add_issuer(&mut self, issuer: Issuer) -> Result<()> {
        self.issuers.issuers.retain(|known| known.id != issuer.id);
        self.issuers.issuers.push(issuer).map_err(|_| too_many("issuers"))
    }

    /// The keys.
    pub fn keys(&self) -> &[IssuerKey] {
        &self.issuers.keys
    }

    /// Adds a key.
    pub fn add_key(&mut self, key: IssuerKey) -> Result<()> {
        if let Some(known) = self.issuers.keys.iter().find(|known| known.public_key == key.public_key) {
            let whose = known.issuer;
            return Err(Failure::new(format!("that key is one of {whose} already: make a new one")));
        }
        self.issuers.keys.push(key).map_err(|_| too_many("keys"))
    }

    /// The same with these rules besides.
    pub fn with_rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Result<Content> {
        for rule in rules {
            self.rules.rules.push(rule).map_err(|_| too_many("rules"))?;
        }
        Ok(self)
    }

    /// Lets the role say these issuers and keys.
    pub fn save_issuers(mut self, repository: &mut Repository, scope: IssuerId) -> Result<()> {
        self.issuers.sort();
        let mut bytes = Vec::new();
        let Ok(()) = self.issuers.encode(&mut bytes) else { return Err(too_many("bytes")) };
        Issuers::decode(&bytes)?;
        Ok(repository.put(&role_of(scope), &Target::Issuers(scope).path(), &bytes)?)
    }

    /// Lets the role say these rules.
    pub fn save_rules(self, repository: &mut Repository, scope: IssuerId) -> Result<()> {
        let mut bytes = Vec::new();
        let Ok(()) = self.rules.encode(&mut bytes) else { return Err(too_many("bytes")) };
        Rules::decode(&bytes)?;
        Ok(repository.put(&role_of(scope), &Target::Recognition(scope).path(), &bytes)?)
    }
}

/// Every rule of a class of site that is said now, drafts included. What can not be read is left to whoever publishes,
/// who hears of it from a gate's own client.
fn policies(repository: &Repository) -> Vec<ClassPolicy> {
    let mut found = Vec::new();
    for role in repository.roles() {
        for path in repository.paths(role) {
            let Some(Target::Policy(scope, class)) = Target::parse(&path) else { continue };
            let bytes = repository.get(role, &path).ok().flatten().filter(|_| role_of(scope) == role);
            let part = bytes.and_then(|bytes| PolicyPart::decode(&bytes).ok());
            found.extend(part.map(|part| ClassPolicy { scope, class, part }));
        }
    }
    found
}

/// Lets the role of a scope say these rules of a class of site, unless a gate could not follow them beside those of
/// others.
pub fn save_policy(repository: &mut Repository, said: ClassPolicy) -> Result<()> {
    let ClassPolicy { scope, class, part } = said;
    let mut policies = policies(repository);
    policies.retain(|other| (other.scope, other.class) != (scope, class));
    policies.push(said);
    fits(&policies, class, scope)?;
    let mut bytes = Vec::new();
    let Ok(()) = part.encode(&mut bytes) else { return Err(too_many("bytes")) };
    Ok(repository.put(&role_of(scope), &Target::Policy(scope, class).path(), &bytes)?)
}

/// Takes the rules of a class of site out of the role of a scope, unless those of others lean on them; gives whether
/// there were any.
pub fn forget_policy(repository: &mut Repository, scope: IssuerId, class: SiteClass) -> Result<bool> {
    let mut policies = policies(repository);
    policies.retain(|other| (other.scope, other.class) != (scope, class));
    fits(&policies, class, scope)?;
    Ok(repository.remove(&role_of(scope), &Target::Policy(scope, class).path())?)
}

fn fits(policies: &[ClassPolicy], class: SiteClass, scope: IssuerId) -> Result<()> {
    match menshen_trust::policies::contradiction(policies, class, scope) {
        None => Ok(()),
        Some((home, error)) => {
            let remedy = match home == scope {
                true => "say other ages, see `menshen trust show`".to_owned(),
                false => format!("say other ages, or let {home} sign other rules first"),
            };
            Err(Failure::new(format!(
                "{} gates of {home} could not follow it beside what others say of them ({error}): {remedy}",
                class.name()
            )))
        }
    }
}

/// The role that speaks for a scope.
pub fn role_of(scope: IssuerId) -> String {
    if scope == IssuerId::NATIONAL { "targets".to_owned() } else { scope.to_string() }
}

fn too_many(what: &str) -> Failure {
    Failure::new(format!("there are more {what} than a trust list may have: take some out"))
}
