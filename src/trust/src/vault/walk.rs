//! From verified metadata to what is believed, one role after another.
//!
//! The national part must be good, or nothing new is believed. Each delegated role stands for itself: one that is
//! missing, expired, badly signed or speaks for others is held back alone, and its last good publication stays, as
//! long as its superior still gives it the keys that signed it. So one careless city never stops a nation's updates,
//! and a thief whose key was taken away is believed no longer. What goes on so ages from the day on which it was last
//! known to be the newest: whoever keeps a province's news from a gate only makes it refer that province's passes.

use super::RoleReport;
use super::generation::{FileRef, Generation, HeldBack};
use super::lists::Verified;
use super::shelf::Shelf;
use crate::names::{self, Target};
use crate::policies;
use crate::status::{About, IssuerStatus, StatusBook};
use crate::tuf::{Client, DelegatedRole, Delegations, Found, Refusal, Targets, TufError, signed_for};
use menshen_core::ids::{Hex, IssuerId};
use menshen_core::policy::{self, PolicyPart, SiteClass};
use menshen_core::trust::part::{Issuers, MAX_PART_BYTES, Rules};
use menshen_core::trust::{MAX_ISSUERS, MAX_ISSUERS_OF_PROVINCE, TrustContent, TrustError};
use std::collections::{BTreeMap, BTreeSet};

/// The top-level targets role.
const TOP: &str = "targets";
/// The most status lists of one province, its own and its cities' and offices'.
const MAX_LISTS_OF_PROVINCE: usize = MAX_ISSUERS_OF_PROVINCE + 1;
/// The most roles of one province: each costs a file and a signature.
const MAX_ROLES_OF_PROVINCE: usize = 2 * MAX_ISSUERS_OF_PROVINCE;
/// The most deltas behind one list; a publisher makes a new list long before.
const MAX_DELTAS: usize = 512;

/// What the walk has come to.
pub(super) struct Walk<'a> {
    client: &'a mut Client,
    now_unix_s: u64,
    /// When the repository was published.
    published_unix_s: u64,
    shelf: &'a Shelf<'a>,
    old: Option<&'a Generation>,
    /// What will be kept.
    pub(super) new: Generation,
    /// What is believed; boxed, because it is large and the walk is deep.
    pub(super) content: Box<TrustContent>,
    /// The status lists.
    pub(super) status: StatusBook,
    /// How each role came off.
    pub(super) roles: Vec<RoleReport>,
}

/// A role's targets, and where their bytes come from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// The repository that is being imported.
    Newest,
    /// The last good publication.
    Kept(&'a Generation),
}

/// A role that was walked, for those to whom it delegates.
struct Superior {
    name: String,
    scope: IssuerId,
    role: Targets,
    held_back: Option<TufError>,
}

/// Everything of one role, before it is joined to the rest.
#[derive(Default)]
struct Gathered {
    parts: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, FileRef>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        client: &'a mut Client,
        (now_unix_s, published_unix_s): (u64, u64),
        shelf: &'a Shelf<'a>,
        old: Option<&'a Generation>,
    ) -> Walk<'a> {
        Walk {
            client,
            now_unix_s,
            published_unix_s,
            shelf,
            old,
            new: Generation::new(now_unix_s, published_unix_s),
            content: Box::default(),
            status: StatusBook::new(),
            roles: Vec::new(),
        }
    }

    /// Walks the whole tree.
    pub(super) fn all(&mut self) -> Result<(), TufError> {
        let top = self.client.role(TOP).cloned().ok_or_else(|| TufError::new(Refusal::Missing, "targets.json"))?;
        if !top.targets.contains_key(names::ISSUERS) {
            return Err(TufError::new(Refusal::Missing, names::ISSUERS));
        }
        self.take(IssuerId::NATIONAL, &top, Origin::Newest)?;
        let mut ahead = vec![Superior { name: TOP.to_owned(), scope: IssuerId::NATIONAL, role: top, held_back: None }];
        while let Some(superior) = ahead.pop() {
            let Some(delegations) = &superior.role.delegations else { continue };
            // Last in, first out: the first delegation is taken first.
            let children: Vec<_> =
                delegations.roles.iter().filter_map(|child| self.delegated(&superior, child, delegations)).collect();
            ahead.extend(children.into_iter().rev());
        }
        Ok(())
    }

    /// One delegated role; gives it where it may delegate further.
    fn delegated(&mut self, superior: &Superior, child: &DelegatedRole, delegations: &Delegations) -> Option<Superior> {
        // Roles of other things than divisions (images, site classes) are not walked.
        let scope = names::issuer(&child.name)?;
        if self.roles.iter().any(|role| role.scope == scope) {
            return None;
        }
        // What is not within it takes nobody's place: whoever may delegate to that division does so elsewhere.
        let is_own = match scope {
            // The nation may give its status list into other hands than those that sign its issuers.
            IssuerId::NATIONAL => superior.name == TOP,
            _ => is_within(scope, superior.scope),
        };
        if !is_own {
            return None;
        }
        if superior.held_back.is_none() && !self.client.has_published(&child.name) {
            // Whoever has published anything stays in every later snapshot.
            self.roles.push(RoleReport { scope, version: None, held_back: None, as_of: self.published_unix_s });
            return None;
        }
        let newest = match &superior.held_back {
            None => self.newest(scope, child),
            // A publication that was refused vouches for nobody.
            Some(error) => Err(error.clone()),
        };
        let (role, held_back) = match newest {
            Ok(role) => (Some(role), None),
            Err(error) => {
                let kept = self.last_good(scope, child, delegations);
                (kept, Some(self.reason_kept_before(&child.name).unwrap_or(error)))
            }
        };
        let name = format!("{}.json", child.name);
        let as_of = match (&held_back, self.old) {
            (None, _) => self.published_unix_s,
            (Some(_), Some(old)) => old.held_back.get(&child.name).map_or(old.as_of, |held_back| held_back.as_of),
            (Some(_), None) => 0,
        };
        if let Some(error) = &held_back {
            self.new.held_back.insert(child.name.clone(), HeldBack::of(error, as_of));
            let old = self.old.filter(|_| role.is_some()).and_then(|old| old.metadata.get(&name)).cloned();
            old.map(|bytes| self.new.metadata.insert(name.clone(), bytes));
        }
        let version = role.as_ref().map(|role| role.version);
        self.roles.push(RoleReport { scope, version, held_back: held_back.clone(), as_of });
        let role = role.filter(|_| scope != IssuerId::NATIONAL)?;
        Some(Superior { name: child.name.clone(), scope, role, held_back })
    }

    fn newest(&mut self, scope: IssuerId, child: &DelegatedRole) -> Result<Targets, TufError> {
        // Whatever lists this path, looking for it loads the role and verifies it by every delegation on the way.
        let path = match scope {
            // Its list may still be in the superior's hands, but not under this number.
            IssuerId::NATIONAL => Target::Delta(scope, u64::MAX),
            _ => Target::Issuers(scope),
        };
        self.client.find(&path.path(), self.now_unix_s)?;
        let role = self.client.role(&child.name).cloned();
        let role = role.ok_or_else(|| TufError::new(Refusal::Missing, format!("{}.json", child.name)))?;
        for path in role.targets.keys() {
            let own = child.matches_path(path).map_err(TufError::from)?;
            if !own || Target::parse(path).is_some_and(|target| !target.may_be_listed_by(scope)) {
                return Err(TufError::new(Refusal::ForeignPath, format!("{} ({path})", child.name)));
            }
        }
        let delegates = role.delegations.as_ref().map_or(0, |delegations| delegations.roles.len());
        let there = self.roles.iter().filter(|role| role.scope.province() == scope.province()).count();
        if scope != IssuerId::NATIONAL && there + delegates > MAX_ROLES_OF_PROVINCE {
            return Err(TufError::new(Refusal::TooLong, format!("{}.json (it delegates to {delegates})", child.name)));
        }
        let others = role.delegations.iter().flat_map(|delegations| &delegations.roles);
        if let Some(other) =
            others.filter_map(|other| names::issuer(&other.name)).find(|other| !is_within(*other, scope))
        {
            return Err(TufError::new(Refusal::ForeignPath, format!("{} (it delegates to {other})", child.name)));
        }
        self.take(scope, &role, Origin::Newest)?;
        Ok(role)
    }

    /// The role as it was last believed, if its superior's keys of today still vouch for it.
    fn last_good(&mut self, scope: IssuerId, child: &DelegatedRole, delegations: &Delegations) -> Option<Targets> {
        let old = self.old?;
        let bytes = old.metadata.get(&format!("{}.json", child.name))?;
        let kept = signed_for(bytes.as_bytes(), delegations, &child.name)
            .and_then(|role| self.take(scope, &role, Origin::Kept(old)).map(|()| role));
        kept.inspect_err(|error| tracing::warn!("what {scope} said before is believed no longer: {error}")).ok()
    }

    /// Where a kept generation is read again, its roles that were held back are refused again, for the reason of then.
    fn reason_kept_before(&self, name: &str) -> Option<TufError> {
        let old = self.old.filter(|old| old.verified_at == self.now_unix_s && self.shelf.is_rereading())?;
        old.held_back.get(name).map(HeldBack::error)
    }

    /// Takes in everything that a role says, or nothing.
    fn take(&mut self, scope: IssuerId, role: &Targets, origin: Origin<'_>) -> Result<(), TufError> {
        let mut gathered = Gathered::default();
        let policies = SiteClass::ALL.map(|class| Target::Policy(scope, class));
        for part in [Target::Issuers(scope), Target::Recognition(scope)].into_iter().chain(policies) {
            let path = part.path();
            if role.targets.contains_key(&path) && !self.was_unknown(part, &path, origin) {
                let bytes = self.part(role, part, origin)?;
                gathered.parts.insert(path, bytes);
            }
        }
        let content = joined(&self.content, scope, &gathered.parts, origin)?;
        let status = self.status_of(role, origin, &mut gathered)?;
        self.content = content;
        for status in status {
            // Where a superior speaks for the same list, whoever spoke last counts, and of two at once the nearer.
            let About { issuer, as_of, .. } = status.complete();
            if self.status.get(issuer).is_none_or(|held| held.complete().as_of <= as_of) {
                self.status.put(status);
            }
        }
        gathered.parts.iter().for_each(|(path, bytes)| self.new.put_part(path, bytes));
        self.new.files.extend(gathered.files);
        Ok(())
    }

    /// Whether this disk was written by a program that knew no policies: it kept none, and what else it verified still
    /// counts. The next import brings them.
    fn was_unknown(&self, part: Target, path: &str, origin: Origin<'_>) -> bool {
        let is_of_this_disk = self.shelf.is_rereading() || matches!(origin, Origin::Kept(_));
        let is_kept = self.old.is_some_and(|old| old.parts.contains_key(path));
        matches!(part, Target::Policy(..)) && is_of_this_disk && !is_kept
    }

    fn part(&mut self, role: &Targets, part: Target, origin: Origin<'_>) -> Result<Vec<u8>, TufError> {
        let path = &part.path();
        let max_bytes = match part {
            Target::Policy(..) => policy::MAX_PART_BYTES,
            _ => MAX_PART_BYTES,
        };
        let altered = || TufError::new(Refusal::Altered, path);
        match origin {
            Origin::Newest => {
                let found = Found::listed(role, path).ok_or_else(altered)?;
                if found.length() > max_bytes as u64 {
                    return Err(TufError::new(Refusal::TooLong, path));
                }
                let mut bytes = Vec::new();
                self.client.fetch(&found, &mut bytes)?;
                Ok(bytes)
            }
            Origin::Kept(old) => {
                let listed = Found::listed(role, path).ok_or_else(altered)?;
                old.part(path).filter(|bytes| listed.is(&bytes[..])).ok_or_else(altered)
            }
        }
    }

    /// The newest snapshot of each list in the role, and the deltas after it, opened.
    fn status_of(
        &mut self,
        role: &Targets,
        origin: Origin<'_>,
        gathered: &mut Gathered,
    ) -> Result<Vec<IssuerStatus>, TufError> {
        let mut lists: BTreeMap<IssuerId, (u64, Vec<u64>)> = BTreeMap::new();
        for path in role.targets.keys() {
            match Target::parse(path) {
                Some(Target::Snapshot(owner, seq)) => {
                    let list = lists.entry(owner).or_default();
                    list.0 = list.0.max(seq);
                }
                Some(Target::Delta(owner, seq)) => lists.entry(owner).or_default().1.push(seq),
                Some(Target::Issuers(_) | Target::Recognition(_) | Target::Policy(..)) | None => {}
            }
        }
        self.has_room(lists.keys().copied().collect())?;
        let mut found = Vec::new();
        for (issuer, (snapshot, mut deltas)) in lists {
            if snapshot == 0 {
                return Err(TufError::new(Refusal::Missing, format!("the status list of {issuer} before its deltas")));
            }
            deltas.retain(|seq| *seq > snapshot);
            deltas.sort_unstable();
            if deltas.len() > MAX_DELTAS {
                let what = format!("the status list of {issuer} ({} deltas behind it)", deltas.len());
                return Err(TufError::new(Refusal::TooLong, what));
            }
            match self.list(role, (issuer, snapshot, deltas), origin, gathered) {
                Ok(status) => found.push(status),
                // The gate's own disk has forgotten what was good: that costs this list and not what else the role
                // says. Passes that it may speak of are referred until the list is imported again.
                Err(error) if self.shelf.is_rereading() || matches!(origin, Origin::Kept(_)) => {
                    tracing::error!("the status list of {issuer} is damaged on this disk: {error}");
                    self.status.put_unreadable(issuer);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// One list: its snapshot and the deltas after it, opened.
    fn list(
        &mut self,
        role: &Targets,
        (issuer, snapshot, deltas): (IssuerId, u64, Vec<u64>),
        origin: Origin<'_>,
        gathered: &mut Gathered,
    ) -> Result<IssuerStatus, TufError> {
        let snapshot = self.file(role, Target::Snapshot(issuer, snapshot), origin, gathered)?;
        let deltas = deltas.into_iter().map(|seq| self.file(role, Target::Delta(issuer, seq), origin, gathered));
        let deltas = deltas.collect::<Result<Vec<_>, _>>()?;
        self.shelf.lists().open(issuer, &snapshot, &deltas, self.published_unix_s)
    }

    fn file(
        &mut self,
        role: &Targets,
        target: Target,
        origin: Origin<'_>,
        gathered: &mut Gathered,
    ) -> Result<Verified, TufError> {
        let path = target.path();
        let (file, place) = match origin {
            Origin::Newest => {
                let found = Found::listed(role, &path).ok_or_else(|| TufError::new(Refusal::Altered, path.clone()))?;
                self.shelf.obtain(self.client, &found, &path)?
            }
            Origin::Kept(_) => {
                let listed = Found::listed(role, &path).ok_or_else(|| TufError::new(Refusal::Altered, path.clone()))?;
                self.shelf.kept(&listed, &path)?
            }
        };
        gathered.files.insert(path, file.clone());
        Ok(Verified { target, file, place })
    }

    /// Whether there is room for the lists of these issuers: each costs memory and an open file, and none takes what
    /// another province needs.
    fn has_room(&self, issuers: BTreeSet<IssuerId>) -> Result<(), TufError> {
        let all: BTreeSet<IssuerId> = self.status.iter().map(|(issuer, _)| issuer).chain(issuers).collect();
        let mut of_provinces: BTreeMap<IssuerId, usize> = BTreeMap::new();
        all.iter().for_each(|issuer| *of_provinces.entry(issuer.province()).or_default() += 1);
        match of_provinces.into_iter().find(|(_, count)| *count > MAX_LISTS_OF_PROVINCE) {
            None if all.len() <= MAX_ISSUERS => Ok(()),
            None => Err(TufError::new(Refusal::TooLong, format!("(status lists of {} issuers)", all.len()))),
            Some((province, count)) => {
                Err(TufError::new(Refusal::TooLong, format!("(status lists of {count} issuers of {province})")))
            }
        }
    }
}

/// Whether a division is a part of another one.
fn is_within(part: IssuerId, whole: IssuerId) -> bool {
    part != whole && whole.covers(part)
}

/// `content` with a role's parts. What was good once and is no rule beside what superiors say now costs that rule and
/// not what else the role says.
fn joined(
    content: &TrustContent,
    scope: IssuerId,
    parts: &BTreeMap<String, Vec<u8>>,
    origin: Origin<'_>,
) -> Result<Box<TrustContent>, TufError> {
    let mut content = Box::new(content.clone());
    for (path, bytes) in parts {
        let refused = |error: TrustError| {
            let refusal = match error {
                TrustError::Foreign(_) | TrustError::Taken(_) => Refusal::ForeignPath,
                TrustError::TooLong | TrustError::Full => Refusal::TooLong,
                TrustError::Content(_) | TrustError::Format(_) | TrustError::Dangling => Refusal::Malformed,
            };
            TufError::new(refusal, format!("{path} ({error})"))
        };
        match Target::parse(path) {
            Some(Target::Issuers(_)) => join_issuers(&mut content, scope, bytes).map_err(refused)?,
            Some(Target::Policy(_, class)) => match (join_policy(&mut content, scope, class, bytes), origin) {
                (Ok(()), _) => {}
                (Err(why), Origin::Newest) => return Err(why),
                (Err(why), Origin::Kept(_)) => tracing::warn!("a rule that held before holds no longer: {why}"),
            },
            _ => join_rules(&mut content, scope, bytes).map_err(refused)?,
        }
    }
    Ok(content)
}

/// Parts are large, so each is on the stack of a function of its own, and gone before the next.
#[inline(never)]
fn join_issuers(content: &mut TrustContent, scope: IssuerId, bytes: &[u8]) -> Result<(), TrustError> {
    let part = Issuers::decode(bytes)?;
    content.join_issuers(scope, &part)?;
    if scope == IssuerId::NATIONAL {
        content.authority_key = part.authority_key;
    }
    Ok(())
}

#[inline(never)]
fn join_rules(content: &mut TrustContent, scope: IssuerId, bytes: &[u8]) -> Result<(), TrustError> {
    Rules::decode(bytes).and_then(|part| content.join_rules(scope, &part))
}

/// Takes in the rules of a class of site, so that no gate meets a contradiction; all of it or nothing.
fn join_policy(content: &mut TrustContent, scope: IssuerId, class: SiteClass, bytes: &[u8]) -> Result<(), TufError> {
    let path = Target::Policy(scope, class).path();
    let malformed = |what: String| TufError::new(Refusal::Malformed, what);
    let part = PolicyPart::decode(bytes).map_err(|error| malformed(format!("{path} ({error})")))?;
    content
        .join_policy(scope, class, part)
        .map_err(|error| TufError::new(Refusal::TooLong, format!("{path} ({error})")))?;
    match policies::contradiction(&content.policies, class, scope) {
        None => Ok(()),
        Some((home, error)) => {
            content.policies.pop();
            Err(malformed(format!("{path} (at gates of {home}: {error})")))
        }
    }
}

/// The name of a file: its SHA-256.
pub(super) fn file_ref(found: &Found, path: &str) -> Result<FileRef, TufError> {
    let hash = found.sha256().ok_or_else(|| TufError::new(Refusal::Malformed, format!("{path} (no sha256)")))?;
    Ok(FileRef { sha256: Hex(&hash).to_string(), length: found.length() })
}
