//! Changes of what is believed, left as drafts: issuers, keys, recognition.

use super::{TrustArg, division, repository, say, time, warn_of};
use crate::authority::{self, Authority, Content, KEY_LIFE_S, public_key, role_of, superior_role};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::{Args, ValueEnum};
use menshen_core::ids::{IssuerId, KeyId};
use menshen_core::pass::{Colour, Kind, Level};
use menshen_core::recognition::{Kinds, Path, Rule};
use menshen_core::trust::{Issuer, IssuerKey};
use menshen_trust::names;
use menshen_trust::publish::{Repository, Signers};

pub(super) const NEXT: &str = "it is a draft: `menshen trust publish` gives it to gates";

/// Adds an issuer.
#[derive(Args, Debug)]
pub(crate) struct AddIssuer {
    #[command(flatten)]
    trust: TrustArg,
    /// Its division code (GB/T 2260), such as 330106.
    code: u32,
    /// The local name of its code in Chinese, such as 西湖码; a new issuer needs one.
    #[arg(long, value_name = "NAME")]
    name_zh: Option<String>,
    /// The same in English.
    #[arg(long, value_name = "NAME")]
    name_en: Option<String>,
    /// Whom a holder calls about a colour; of a new issuer 12345 if nothing is said.
    #[arg(long, value_name = "NUMBER")]
    hotline: Option<String>,
    /// It publishes a status list, which gates miss from now on where it does not come.
    #[arg(long)]
    lists: bool,
    /// What a level of its own means, such as 4=red; levels 1 to 3 are green, yellow and red everywhere. Of a known issuer,
    /// these take the place of those that it had.
    #[arg(long = "level", value_name = "N=COLOUR")]
    levels: Vec<String>,
    /// The public key for passes of a new issuer that keeps the private one itself: 64 digits, or a file that holds them.
    /// Otherwise one is made here.
    #[arg(long, value_name = "KEY")]
    pass_key: Option<String>,
    /// The same for what it says itself: its list, its cities.
    #[arg(long, value_name = "KEY")]
    role_key: Option<String>,
    /// From when its key counts; by default now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Gives somebody a new key.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    trust: TrustArg,
    /// The division code of the issuer or role; or root, targets, snapshot or timestamp.
    who: String,
    /// Rotate the key that signs its metadata instead of the one that signs its passes.
    #[arg(long)]
    role: bool,
    /// How long the old pass key counts beside the new one; by default 30d.
    #[arg(long, value_name = "SPAN", conflicts_with = "stolen")]
    overlap: Option<String>,
    /// The old pass key was stolen: nothing that it signed counts any more.
    #[arg(long)]
    stolen: bool,
    /// The new public key, where the private one is kept elsewhere: 64 digits, or a file that holds them. For several
    /// signers of a role, once for each.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// How many of several signers of a role must sign.
    #[arg(long, value_name = "M", requires = "keys")]
    threshold: Option<usize>,
    /// When; by default now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Changes recognition.
#[derive(Args, Debug)]
pub(crate) struct Recognise {
    #[command(flatten)]
    trust: TrustArg,
    /// Whose gates: the division code of a province, or 100000 for every gate of the country.
    host: u32,
    /// Whose passes: a province stands for its cities too.
    issuer: u32,
    /// By which of the three official ways.
    #[arg(long, value_enum, default_value = "agreement")]
    path: PathWord,
    /// From when; by default now.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when; by default a year from its beginning.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Which kinds of pass, by commas; by default all.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// What the issuer's green, yellow and red count as here, by commas.
    #[arg(long, value_name = "COLOURS", value_delimiter = ',', default_value = "green,yellow,red")]
    treat: Vec<String>,
    /// Both ways: the other province honours this one's passes too.
    #[arg(long)]
    both: bool,
    /// End what there is between the two by this path.
    #[arg(long)]
    end: bool,
    /// Say it as the host province itself and not as the nation.
    #[arg(long)]
    by_host: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PathWord {
    /// An agreement between two regions.
    Agreement,
    /// Conversion through the national platform.
    Relay,
    /// The national code used directly.
    National,
}

impl PathWord {
    fn path(self) -> Path {
        match self {
            PathWord::Agreement => Path::Agreement,
            PathWord::Relay => Path::Relay,
            PathWord::National => Path::National,
        }
    }
}

/// Public keys of an issuer that keeps the private ones itself.
struct Given {
    role_key: Option<[u8; 32]>,
    pass_key: Option<[u8; 32]>,
}

impl AddIssuer {
    pub(super) fn run(self) -> Result {
        let (authority, at) = (Authority::open(&self.trust.dir)?, time(self.at.as_deref())?);
        warn_of(&authority);
        let (mut repository, id) = (repository(&authority)?, division(self.code)?);
        let roles = roles(&repository);
        let superior = superior_role(id, &roles);
        let scope = said_by(&repository, id)?;
        let issuer = match scope {
            None => self.new_issuer(id)?,
            Some(scope) => self.changed(&Content::of(&repository, scope)?, id)?,
        };
        let Given { role_key, pass_key } = self.keys(id, scope.is_some(), roles.contains(&id))?;
        // The nation speaks by the targets role; a role of its own is for its list alone, and made where it is asked for.
        if !roles.contains(&id) && (id != IssuerId::NATIONAL || role_key.is_some()) {
            let signer = match role_key {
                Some(key) => key,
                None => authority.make_key(&format!("{}/{id}", authority::ROLES))?.verifying_key().to_bytes(),
            };
            repository.delegate(&superior, &id.to_string(), &Signers::one(signer), &names::own_paths(id))?;
        }
        let says = scope.unwrap_or_else(|| names::issuer(&superior).unwrap_or(IssuerId::NATIONAL));
        let mut content = Content::of(&repository, says)?;
        let named = format!("{id} {} / {}", issuer.name_zh, issuer.name_en);
        content.add_issuer(issuer)?;
        if scope.is_none() {
            let public_key = match pass_key {
                Some(key) => key,
                None => authority.make_key(&format!("{}/{id}", authority::ISSUERS))?.verifying_key().to_bytes(),
            };
            content.add_key(IssuerKey { issuer: id, public_key, valid_from: at, valid_until: at + KEY_LIFE_S })?;
        }
        content.save_issuers(&mut repository, says)?;
        repository.save()?;
        say(format!("{named}: said by {}; {NEXT}", role_of(says)))?;
        Ok(Outcome::Done)
    }

    fn new_issuer(&self, id: IssuerId) -> Result<Issuer> {
        let (Some(name_zh), Some(name_en)) = (&self.name_zh, &self.name_en) else {
            return Err(Failure::new(format!("there is no issuer {id} yet: give --name-zh and --name-en")));
        };
        Ok(Issuer {
            id,
            name_zh: name_zh.parse().map_err(too_long)?,
            name_en: name_en.parse().map_err(too_long)?,
            hotline: self.hotline.as_deref().unwrap_or("12345").parse().map_err(too_long)?,
            levels: levels(&self.levels)?.into_iter().collect(),
            lists_status: self.lists,
        })
    }

    /// What is known of an issuer, but for what is given.
    fn changed(&self, content: &Content, id: IssuerId) -> Result<Issuer> {
        let known = content.issuers().iter().find(|known| known.id == id).cloned();
        let mut issuer = known.ok_or_else(|| Failure::new("the repository has changed meanwhile: run it again"))?;
        if let Some(name) = &self.name_zh {
            issuer.name_zh = name.parse().map_err(too_long)?;
        }
        if let Some(name) = &self.name_en {
            issuer.name_en = name.parse().map_err(too_long)?;
        }
        if let Some(number) = &self.hotline {
            issuer.hotline = number.parse().map_err(too_long)?;
        }
        if !self.levels.is_empty() {
            issuer.levels = levels(&self.levels)?.into_iter().collect();
        }
        issuer.lists_status |= self.lists;
        Ok(issuer)
    }

    /// The public keys that are given, for the role and for passes.
    fn keys(&self, id: IssuerId, is_known: bool, has_role: bool) -> Result<Given> {
        if is_known && self.pass_key.is_some() {
            return Err(Failure::new(format!(
                "{id} has a key for passes already: give it another with `menshen trust rotate {id} --key KEY`"
            )));
        }
        if self.role_key.is_some() && has_role {
            return Err(Failure::new(format!(
                "{id} has a role's key already: give it another with `menshen trust rotate {id} --role --key KEY`"
            )));
        }
        let role_key = self.role_key.as_deref().map(public_key).transpose()?;
        let pass_key = self.pass_key.as_deref().map(public_key).transpose()?;
        if role_key.is_some() && role_key == pass_key {
            return Err(Failure::new("one key has one purpose: give another --pass-key than --role-key"));
        }
        Ok(Given { role_key, pass_key })
    }
}

impl Rotate {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let at = time(self.at.as_deref())?;
        match names::issuer(&self.who) {
            Some(issuer) if !self.role => self.rotate_pass_key(&authority, issuer, at),
            _ => self.rotate_role(&authority),
        }
    }

    fn rotate_pass_key(&self, authority: &Authority, issuer: IssuerId, at: u64) -> Result {
        if self.keys.len() > 1 || self.threshold.is_some() {
            return Err(Failure::new("passes are signed by one key: give one --key and no --threshold"));
        }
        let mut repository = repository(authority)?;
        let scope = said_by(&repository, issuer)?.ok_or_else(|| {
            Failure::new(format!("there is no issuer {issuer}: add it with `menshen trust add-issuer {issuer}`"))
        })?;
        let overlap_s = if self.stolen { 0 } else { moment::parse_span(self.overlap.as_deref().unwrap_or("30d"))? };
        let mut content = Content::of(&repository, scope)?;
        let given = self.keys.first().map(|key| public_key(key)).transpose()?;
        if let Some(known) = content.keys().iter().find(|known| Some(known.public_key) == given) {
            let whose = known.issuer;
            return Err(Failure::new(format!("that key is one of {whose} already: make a new one")));
        }
        let mut old = Vec::new();
        for key in content.keys_mut().iter_mut().filter(|key| key.issuer == issuer && key.valid_until > at) {
            key.valid_until = key.valid_until.min(at + overlap_s);
            old.push(KeyId::of(&key.public_key));
        }
        content.drop_keys(|key| key.issuer == issuer && (self.stolen || key.valid_until <= at));
        let public_key = match given {
            Some(key) => key,
            None => authority.replace_key(&format!("{}/{issuer}", authority::ISSUERS))?.verifying_key().to_bytes(),
        };
        content.add_key(IssuerKey { issuer, public_key, valid_from: at, valid_until: at + KEY_LIFE_S })?;
        content.save_issuers(&mut repository, scope)?;
        repository.save()?;
        let until = match self.stolen {
            true => "counts no more".to_owned(),
            false => format!("counts until {}", moment::show(at + overlap_s)),
        };
        let old: Vec<String> = old.iter().map(KeyId::to_string).collect();
        say(format!("{issuer}: key {} from now on, {} {until}; {NEXT}", KeyId::of(&public_key), old.join(" ")))?;
        Ok(Outcome::Done)
    }

    fn rotate_role(&self, authority: &Authority) -> Result {
        if self.stolen || self.overlap.is_some() {
            return Err(Failure::new(
                "the old keys of a role count for nothing from the next publication on, stolen or not: leave out --stolen \
                 and --overlap",
            ));
        }
        let mut repository = repository(authority)?;
        let role = &self.who;
        let now = repository.signers(role).ok_or_else(|| {
            Failure::new(format!("there is no role {role}: the roles are shown by `menshen trust show`"))
        })?;
        let keys = match self.keys.is_empty() {
            false => self.keys.iter().map(|key| public_key(key)).collect::<Result<Vec<_>>>()?,
            true if now.keys.len() > 1 => {
                return Err(Failure::new(format!(
                    "{role} has {} signers: name the new ones, each with --key; make a key with `menshen trust key`",
                    now.keys.len()
                )));
            }
            true => vec![authority.replace_key(&format!("{}/{role}", authority::ROLES))?.verifying_key().to_bytes()],
        };
        let threshold = self.threshold.unwrap_or_else(|| now.threshold.min(keys.len()));
        let signers = Signers { keys, threshold };
        match (repository.superior(role).map(str::to_owned), names::issuer(role)) {
            (Some(superior), Some(id)) => repository.delegate(&superior, role, &signers, &names::own_paths(id))?,
            _ => repository.set_signers(role, &signers)?,
        }
        repository.save()?;
        say(format!("{role}: {threshold} of {} new keys must sign; {NEXT}", signers.keys.len()))?;
        if repository.superior(role).is_some() && !authority.keyring(&[])?.can_sign(&signers) {
            say(format!(
                "{role} signs again with it, `menshen trust sign {role}`: until that is taken and published, gates do not \
                 believe what it said"
            ))?;
        }
        Ok(Outcome::Done)
    }
}

impl Recognise {
    pub(super) fn run(self) -> Result {
        let authority = Authority::open(&self.trust.dir)?;
        warn_of(&authority);
        let mut repository = repository(&authority)?;
        let (host, issuer) = (division(self.host)?, division(self.issuer)?);
        if host != host.province() || host.province() == issuer.province() {
            return Err(Failure::new(
                "the host must be a province (or 100000: every gate of the country), and the issuer of another: its own it \
                 honours anyway",
            ));
        }
        if self.both && (self.by_host || issuer != issuer.province()) {
            return Err(Failure::new(
                "both ways is for the nation to say, between two provinces: run the command twice",
            ));
        }
        let rule = self.rule(host, issuer)?;
        let mut rules = vec![rule];
        if self.both {
            rules.push(Rule { host: issuer, issuer: host, ..rule });
        }
        let scope = if self.by_host { host } else { IssuerId::NATIONAL };
        let mut content = Content::of(&repository, scope)?;
        let same = |a: &Rule, b: &Rule| (a.host, a.issuer, a.path) == (b.host, b.issuer, b.path);
        let before = content.rules_mut().len();
        content.rules_mut().retain(|known| !rules.iter().any(|rule| same(known, rule)));
        let ended = before - content.rules_mut().len();
        if self.end && ended == 0 {
            return Err(Failure::new(format!("there is no such rule of {}: see `menshen trust show`", role_of(scope))));
        }
        if !self.end {
            content = content.with_rules(rules)?;
        }
        content.save_rules(&mut repository, scope)?;
        repository.save()?;
        let what = if self.end { "no longer honours" } else { "honours" };
        let all = |of: IssuerId| if of == IssuerId::NATIONAL { " (every gate of the country)" } else { "" };
        let both = if self.both { format!(", and {issuer}{} the other way", all(issuer)) } else { String::new() };
        let host = format!("{host}{}", all(host));
        say(format!("{host} {what} {issuer} ({}){both}: said by {}; {NEXT}", rule.path.name(), role_of(scope)))?;
        Ok(Outcome::Done)
    }

    fn rule(&self, host: IssuerId, issuer: IssuerId) -> Result<Rule> {
        let valid_from = time(self.from.as_deref())?;
        let until = self.until.as_deref().map(moment::parse).transpose()?;
        let valid_until = until.unwrap_or(valid_from + 365 * 86_400);
        if valid_until <= valid_from {
            return Err(Failure::new("it would end before it begins: name a later --until"));
        }
        let kinds = self.kinds.iter().map(|name| authority::kind(name)).collect::<Result<Vec<Kind>>>()?;
        let treat: Vec<Colour> = self.treat.iter().map(|name| colour(name)).collect::<Result<_>>()?;
        let treat = treat.try_into().map_err(|_| {
            Failure::new("--treat wants three colours: what green, yellow and red count as, such as green,red,red")
        })?;
        let kinds = if kinds.is_empty() { Kinds::all() } else { Kinds::of(&kinds) };
        Ok(Rule { host, issuer, path: self.path.path(), valid_from, valid_until, kinds, treat })
    }
}

/// The divisions that have a role.
pub(super) fn roles(repository: &Repository) -> Vec<IssuerId> {
    repository.roles().into_iter().filter_map(names::issuer).collect()
}

/// The scope that lists an issuer, if any does.
fn said_by(repository: &Repository, issuer: IssuerId) -> Result<Option<IssuerId>> {
    for scope in [IssuerId::NATIONAL, issuer.province(), issuer.city()] {
        if Content::of(repository, scope)?.issuers().iter().any(|known| known.id == issuer) {
            return Ok(Some(scope));
        }
    }
    Ok(None)
}

fn too_long<E>(_: E) -> Failure {
    Failure::new("a name or the hotline is too long: shorten it")
}

fn levels(texts: &[String]) -> Result<Vec<(Level, Colour)>> {
    let one = |text: &String| {
        let (number, name) = text.split_once('=')?;
        let level = number.parse().ok().and_then(Level::new).filter(|level| level.number() > 3)?;
        Some((level, colour(name).ok()?))
    };
    let wrong = |text: &String| Failure::new(format!("{text:?} is no level: write 4=red, with a number from 4 to 15"));
    let mut levels: Vec<_> = texts.iter().map(|text| one(text).ok_or_else(|| wrong(text))).collect::<Result<_>>()?;
    levels.sort_by_key(|(level, _)| level.number());
    Ok(levels)
}

fn colour(name: &str) -> Result<Colour> {
    [Colour::Green, Colour::Yellow, Colour::Red]
        .into_iter()
        .find(|colour| colour.name() == name)
        .ok_or_else(|| Failure::new(format!("{name:?} is no colour: it may be green, yellow or red")))
}
