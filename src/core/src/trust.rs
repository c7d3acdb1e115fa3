//! What a gate believes: issuers, their keys, and whose codes count where.
//!
//! What is believed comes in parts ([`part`]), each from whoever may speak for a part of the country, and is joined to
//! one [`TrustContent`]; a [`TrustList`] is that content, checked and ready to be asked. This crate has no files and no
//! repository, so it takes parts as they are: whoever makes a list must have verified who signed each part (the crate
//! `menshen-trust` does, by TUF). Keys are looked up by id and issuer, never tried in turn, so that nobody gains or loses
//! anything by listing a key that is somebody else's. Everything has bounds, for each province too, so that a gate's
//! memory does not depend on what it is sent, and no province takes the room of another.

use crate::cbor::CborError;
use crate::ids::{IssuerId, KeyId};
use crate::pass::{Colour, Level};
use crate::policy::{Policy, PolicyError, PolicyPart, SiteClass};
use crate::recognition::Rule;
use core::fmt;

pub mod part;

/// The most issuers in a list: the 31 provinces, the national platform, every prefecture-level division (333), and some
/// offices.
pub const MAX_ISSUERS: usize = 416;
/// The most keys in a list: two of each issuer while all rotate, and some.
pub const MAX_KEYS: usize = 960;
/// The most recognition rules in a list: every province's for every other (930), and some.
pub const MAX_RULES: usize = 1024;
/// The most issuers of one province, its own and its cities' and offices'; the most rules for its gates are twice this.
pub const MAX_ISSUERS_OF_PROVINCE: usize = 64;
/// The most keys of the issuers of one province.
pub const MAX_KEYS_OF_PROVINCE: usize = 160;
/// The most policies in a list: every province's and the nation's for every class of site, and some of cities.
pub const MAX_POLICIES: usize = 224;
/// The most policies of the divisions of one province.
pub const MAX_POLICIES_OF_PROVINCE: usize = 20;

/// Why something is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// Longer than [`part::MAX_PART_BYTES`].
    TooLong,
    /// Not a part of a trust list.
    Content(CborError),
    /// Of a format that this program does not know.
    Format(u8),
    /// A key names an issuer that its part does not have, an id or level occurs twice or out of order, or a level
    /// redefines green, yellow or red.
    Dangling,
    /// A part speaks of an issuer, or makes a rule for gates, that is not its signer's.
    Foreign(IssuerId),
    /// A part speaks of an issuer that is spoken for already.
    Taken(IssuerId),
    /// Together with the other parts there is more than a list, or its province in it, has room for.
    Full,
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustError::TooLong => write!(f, "it is longer than {} bytes: take something out", part::MAX_PART_BYTES),
            TrustError::Content(error) => write!(f, "its content is damaged: {error}"),
            TrustError::Format(found) => {
                write!(f, "it has format {found}, this program knows format {}: update it", part::FORMAT)
            }
            TrustError::Dangling => {
                f.write_str("it contradicts itself: a duplicate, or a key of an issuer that it lacks: publish it anew")
            }
            TrustError::Foreign(id) => {
                write!(f, "it speaks for {id}, which is not its signer's: call whoever published it")
            }
            TrustError::Taken(id) => {
                write!(f, "it speaks for {id}, for whom its superior speaks already: take it out of one of the two")
            }
            TrustError::Full => f.write_str(
                "with it there are more issuers, keys or rules than a gate has room for: take out what has ended",
            ),
        }
    }
}

impl core::error::Error for TrustError {}

impl From<CborError> for TrustError {
    fn from(error: CborError) -> TrustError {
        TrustError::Content(error)
    }
}

/// One issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its division code.
    pub id: IssuerId,
    /// The local name of its code in Chinese, such as 随申码.
    pub name_zh: heapless::String<48>,
    /// The same in English.
    pub name_en: heapless::String<64>,
    /// Whom a holder calls about a colour; may be empty.
    pub hotline: heapless::String<24>,
    /// What levels above 3 mean, by ascending level; levels 1 to 3 are green, yellow and red everywhere.
    pub levels: heapless::Vec<(Level, Colour), 12>,
    /// Whether it publishes a status list, so that a gate without a new one may have missed something.
    pub lists_status: bool,
}

impl Issuer {
    /// The colour of a level of this issuer.
    pub fn colour(&self, level: Level) -> Option<Colour> {
        let own = self.levels.iter().find(|(l, _)| *l == level).map(|(_, colour)| *colour);
        own.or_else(|| Colour::from_number(level.number()))
    }

    /// Whether its own levels rise from 4: none given twice, and none of the three that are fixed.
    fn only_adds_levels(&self) -> bool {
        let above_fixed = self.levels.iter().all(|(level, _)| level.number() > Colour::Red as u8);
        above_fixed && self.levels.is_sorted_by(|(a, _), (b, _)| a.number() < b.number())
    }
}

/// One key of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuerKey {
    /// Whose key it is.
    pub issuer: IssuerId,
    /// The Ed25519 public key.
    pub public_key: [u8; 32],
    /// From when it may sign, seconds since 1970.
    pub valid_from: u64,
    /// Until when (exclusive); passes signed with it end then too.
    pub valid_until: u64,
}

/// How old the trust is, staged so that there is no cliff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Young enough to say nothing.
    Fresh,
    /// Old enough to show a banner.
    Ageing,
    /// Too old to admit on.
    Stale,
    /// The clock can not tell.
    Unknown,
}

impl Freshness {
    /// A stable name for `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Freshness::Fresh => "fresh",
            Freshness::Ageing => "ageing",
            Freshness::Stale => "stale",
            Freshness::Unknown => "unknown",
        }
    }
}

/// What a division says of the rules at gates of a class of site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassPolicy {
    /// Whose gates it is for; what is national is for all.
    pub scope: IssuerId,
    /// Which class of site.
    pub class: SiteClass,
    /// What it says.
    pub part: PolicyPart,
}

/// A division whose newest publication a gate does not believe, so that its last good one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagging {
    /// Which division; what lies within it lags too.
    pub scope: IssuerId,
    /// Until when what is believed of it is known to have been its newest, seconds since 1970.
    pub as_of: u64,
}

/// What divisions say of the class of `base` at a gate of `home`, laid over it: what the nation says, and over that what
/// its province says, and over that its city; `None` where nobody says anything.
///
/// # Errors
/// [`PolicyError`] of the first that can not be over what was said before it.
pub fn layered(policies: &[ClassPolicy], base: &Policy, home: IssuerId) -> Result<Option<Policy>, PolicyError> {
    let mut policy = None;
    let mut before = None;
    for scope in [IssuerId::NATIONAL, home.province(), home.city(), home] {
        // A province is its own city, and the nation its own province.
        if before.replace(scope) == Some(scope) {
            continue;
        }
        if let Some(said) = policies.iter().find(|said| (said.scope, said.class) == (scope, base.class)) {
            policy = Some(said.part.over(policy.as_ref().unwrap_or(base))?);
        }
    }
    Ok(policy)
}

/// What a gate believes, checked and ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustList {
    content: TrustContent,
    /// The id of every key in `content.keys`, in the same order, sorted.
    kids: heapless::Vec<KeyId, MAX_KEYS>,
}

/// Everything that is believed, joined from its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustContent {
    /// Rises with every publication.
    pub version: u64,
    /// When its publisher last said that this is what holds, seconds since 1970.
    pub as_of: u64,
    /// The health authority's X25519 key, to which holder references are sealed.
    pub authority_key: Option<[u8; 32]>,
    /// The issuers, by ascending id.
    pub issuers: heapless::Vec<Issuer, MAX_ISSUERS>,
    /// Their keys, by ascending key id.
    pub keys: heapless::Vec<IssuerKey, MAX_KEYS>,
    /// Whose codes count where.
    pub rules: heapless::Vec<Rule, MAX_RULES>,
    /// The signed rules of classes of site.
    pub policies: heapless::Vec<ClassPolicy, MAX_POLICIES>,
    /// What is older than `as_of` says.
    pub lagging: heapless::Vec<Lagging, MAX_ISSUERS>,
}

impl TrustList {
    /// A list of content whose parts were verified.
    ///
    /// # Errors
    /// [`TrustError::Dangling`] where the content contradicts itself.
    pub fn new(content: TrustContent) -> Result<TrustList, TrustError> {
        part::check(&content.issuers, &content.keys, part::by_issuer_too)?;
        let kids = content.keys.iter().map(|key| KeyId::of(&key.public_key)).collect();
        Ok(TrustList { content, kids })
    }

    /// The issuer of an id.
    pub fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        self.content.issuer(id)
    }

    /// Every issuer's key of an id: one, but for a collision or a mistake.
    pub fn keys(&self, kid: KeyId) -> &[IssuerKey] {
        let begin = self.kids.partition_point(|other| *other < kid);
        let count = self.kids[begin..].partition_point(|other| *other == kid);
        &self.content.keys[begin..begin + count]
    }

    /// Everything in the list, for those who show it.
    pub fn content(&self) -> &TrustContent {
        &self.content
    }

    /// The signed rules of the class of `base` at a gate of `home`, laid over `base`; `None` where nobody signed any.
    ///
    /// # Errors
    /// [`PolicyError`] where what they say together can not be.
    pub fn policy(&self, base: &Policy, home: IssuerId) -> Result<Option<Policy>, PolicyError> {
        layered(&self.content.policies, base, home)
    }

    /// Until when what is believed of an issuer is known to hold, seconds since 1970: as long as the list, or less where
    /// a division that speaks for it lags.
    pub fn as_of(&self, issuer: IssuerId) -> u64 {
        let lagging = self.content.lagging.iter().filter(|lagging| lagging.scope.covers(issuer));
        lagging.map(|lagging| lagging.as_of).fold(self.content.as_of, u64::min)
    }
}

impl TrustContent {
    /// Puts issuers and keys into their order.
    pub fn sort(&mut self) {
        part::sort(&mut self.issuers, &mut self.keys);
    }

    /// The issuer of an id, where the content is in order.
    pub fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        let at = self.issuers.binary_search_by_key(&id, |issuer| issuer.id).ok()?;
        self.issuers.get(at)
    }

    /// Takes in a part that was signed by whoever speaks for `scope` and what lies within it; all of it or nothing.
    ///
    /// # Errors
    /// [`TrustError`] where the part speaks for others, or for whom another part has spoken.
    pub fn join_issuers(&mut self, scope: IssuerId, part: &part::Issuers) -> Result<(), TrustError> {
        for issuer in &part.issuers {
            if !scope.covers(issuer.id) {
                return Err(TrustError::Foreign(issuer.id));
            }
            if self.issuer(issuer.id).is_some() {
                return Err(TrustError::Taken(issuer.id));
            }
        }
        let issuers = self.issuers.iter().map(|issuer| issuer.id);
        let keys = self.keys.iter().map(|key| key.issuer);
        let has_room = has_room::<MAX_ISSUERS>(scope, issuers, part.issuers.len(), MAX_ISSUERS_OF_PROVINCE)
            && has_room::<MAX_KEYS>(scope, keys, part.keys.len(), MAX_KEYS_OF_PROVINCE);
        if !has_room {
            return Err(TrustError::Full);
        }
        self.issuers.extend(part.issuers.iter().cloned());
        self.keys.extend(part.keys.iter().copied());
        self.sort();
        Ok(())
    }

    /// Takes in rules for gates in `scope`, signed by whoever speaks for it; all of them or none.
    ///
    /// # Errors
    /// [`TrustError`] where a rule is for gates elsewhere.
    pub fn join_rules(&mut self, scope: IssuerId, part: &part::Rules) -> Result<(), TrustError> {
        if let Some(rule) = part.rules.iter().find(|rule| !scope.covers(rule.host)) {
            return Err(TrustError::Foreign(rule.host));
        }
        let hosts = self.rules.iter().map(|rule| rule.host);
        if !has_room::<MAX_RULES>(scope, hosts, part.rules.len(), 2 * MAX_ISSUERS_OF_PROVINCE) {
            return Err(TrustError::Full);
        }
        self.rules.extend(part.rules.iter().copied());
        Ok(())
    }

    /// Takes in the rules of a class of site for gates of `scope`, signed by whoever speaks for it.
    ///
    /// # Errors
    /// [`TrustError`] where its province has no more room.
    pub fn join_policy(&mut self, scope: IssuerId, class: SiteClass, part: PolicyPart) -> Result<(), TrustError> {
        let scopes = self.policies.iter().map(|policy| policy.scope);
        if !has_room::<MAX_POLICIES>(scope, scopes, 1, MAX_POLICIES_OF_PROVINCE) {
            return Err(TrustError::Full);
        }
        self.policies.push(ClassPolicy { scope, class, part }).map_err(|_| TrustError::Full)
    }
}

/// Whether so many more of a part have room among those that are there, each of a division: in all, and in the
/// province of a part that is not national.
fn has_room<const ALL: usize>(
    scope: IssuerId,
    there: impl ExactSizeIterator<Item = IssuerId>,
    more: usize,
    most_of_province: usize,
) -> bool {
    let all = there.len() + more;
    let of_province = there.filter(|id| id.province() == scope.province()).count() + more;
    all <= ALL && (scope == IssuerId::NATIONAL || of_province <= most_of_province)
}

#[cfg(test)]
mod tests;
