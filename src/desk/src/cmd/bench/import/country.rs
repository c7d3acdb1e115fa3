//! What is imported in the measurement: a country whose every issuer publishes a status list, and its passes.
//!
//! ```text
//! <dir>/gate/           the trust folder that the gate comes with: the first publication
//! <dir>/delta/menshen/  a stick with a delta of one issuer besides
//! <dir>/lists/menshen/  a stick with a new list of every issuer
//! <dir>/passes          passes of all issuers, one a line
//! ```

use super::super::super::progress;
use super::super::lists::{AS_OF, Lists, Random, SEQ, pseudonym};
use crate::authority::{Content, new_key};
use crate::outcome::{Failure, Result, at};
use ed25519_dalek::SigningKey;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{self, Claims, Colour, Kind, Level};
use menshen_core::recognition::{Kinds, Path as Way, Rule};
use menshen_core::trust::{Issuer, IssuerKey};
use menshen_lane::trust::{REPOSITORY, ROOT_FILE, STICK_FOLDER};
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Keyring, Repository, Signers, TopSigners};
use menshen_trust::tuf::Folder;
use std::fs;
use std::path::Path;

/// Everything is published, and decided about, within hours of this moment.
const NOW: u64 = AS_OF + 3600;
const DAY_S: u64 = 86_400;
/// How many passes there are: enough that none is shown again while it is remembered.
const PASSES: u32 = 4096;
/// One pass in so many is of a holder who is listed.
const LISTED_IN: u32 = 10;

/// Makes everything.
pub(super) fn make(lists: Lists, dir: &Path, delta_entries: u32) -> Result<()> {
    let country = Country::new(lists)?;
    let mut repository = country.found(dir)?;
    country.publish(&mut repository, &dir.join("gate").join(REPOSITORY))?;
    let root = repository.dir().join(Folder::METADATA).join("1.root.json");
    let anchor = dir.join("gate").join(ROOT_FILE);
    fs::copy(&root, &anchor).map_err(at(&anchor, "make room on the disk"))?;

    let first = lists.issuer(0)?;
    let delta = lists.delta(delta_entries)?.to_bytes();
    repository.put(&first.to_string(), &Target::Delta(first, SEQ + 1).path(), &delta)?;
    country.publish(&mut repository, &dir.join("delta").join(STICK_FOLDER))?;

    country.put_lists(&mut repository, SEQ + 2)?;
    country.publish(&mut repository, &dir.join("lists").join(STICK_FOLDER))?;
    country.write_passes(&dir.join("passes"))
}

struct Country {
    lists: Lists,
    keyring: Keyring,
    signers: Signers,
    /// With which each issuer signs its passes.
    pass_keys: Vec<SigningKey>,
}

impl Country {
    fn new(lists: Lists) -> Result<Country> {
        // One key signs for everybody: what a signature costs a gate is the same.
        let key = new_key()?;
        let signers = Signers::one(key.verifying_key().to_bytes());
        let mut keyring = Keyring::new();
        keyring.add(key)?;
        let pass_keys = (0..lists.issuers).map(|_| new_key()).collect::<Result<_>>()?;
        Ok(Country { lists, keyring, signers, pass_keys })
    }

    /// A repository with every issuer, a rule for each, and its first list.
    fn found(&self, dir: &Path) -> Result<Repository> {
        let one = || self.signers.clone();
        let top = TopSigners { root: one(), targets: one(), snapshot: one(), timestamp: one() };
        let mut repository = Repository::create(&dir.join("country"), &top)?;
        let home = self.lists.issuer(0)?;
        let (mut content, mut rules) = (Content::default(), Vec::new());
        for (number, key) in self.pass_keys.iter().enumerate() {
            let id = self.lists.issuer(number as u32)?;
            repository.delegate("targets", &id.to_string(), &self.signers, &names::own_paths(id))?;
            content.add_issuer(issuer(id)?)?;
            let public_key = key.verifying_key().to_bytes();
            content.add_key(IssuerKey { issuer: id, public_key, valid_from: 0, valid_until: NOW + 365 * DAY_S })?;
            let treat = [Colour::Green, Colour::Yellow, Colour::Red];
            let (valid_from, valid_until) = (0, NOW + 365 * DAY_S);
            let honours = Rule {
                host: home,
                issuer: id,
                path: Way::Agreement,
                valid_from,
                valid_until,
                kinds: Kinds::all(),
                treat,
            };
            rules.extend((id != home).then_some(honours));
        }
        content.save_issuers(&mut repository, IssuerId::NATIONAL)?;
        Content::default().with_rules(rules)?.save_rules(&mut repository, IssuerId::NATIONAL)?;
        self.put_lists(&mut repository, SEQ)?;
        Ok(repository)
    }

    /// Lets every issuer publish a list in place of what it published so far.
    fn put_lists(&self, repository: &mut Repository, seq: u64) -> Result<()> {
        let bar = progress(self.lists.issuers.into(), "making lists");
        for number in 0..self.lists.issuers {
            let id = self.lists.issuer(number)?;
            let role = id.to_string();
            for path in repository.paths(&role) {
                repository.remove(&role, &path)?;
            }
            repository.put(&role, &Target::Snapshot(id, seq).path(), &self.lists.list(number, seq)?)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn publish(&self, repository: &mut Repository, copy: &Path) -> Result<()> {
        repository.publish(&self.keyring, NOW)?;
        Ok(repository.copy_to(copy)?)
    }

    fn write_passes(&self, path: &Path) -> Result<()> {
        let mut random = Random::new(2);
        let mut lines = String::new();
        for number in 0..PASSES {
            let issuer = random.below(self.lists.issuers);
            let holder = random.below(self.lists.of(issuer));
            let is_listed = random.below(LISTED_IN) == 0;
            let holder = pseudonym(if is_listed { holder } else { u32::MAX - holder });
            let claims = Claims {
                issuer: self.lists.issuer(issuer)?,
                issued_at: AS_OF - 3600,
                not_before: None,
                expires_at: AS_OF + 30 * DAY_S,
                pass_id: u64::from(number).to_be_bytes(),
                level: Level::new(1).ok_or_else(|| Failure::new("green has no level"))?,
                holder,
                kind: Kind::Paper,
                display: None,
                colour_reason: None,
                until: None,
                test: None,
                household: None,
            };
            lines.push_str(pass::issue(&claims, &self.pass_keys[issuer as usize])?.as_str());
            lines.push('\n');
        }
        fs::write(path, lines).map_err(at(path, "make room on the disk"))
    }
}

fn issuer(id: IssuerId) -> Result<Issuer> {
    let name = |_| Failure::new("the name of a measured issuer is too long");
    Ok(Issuer {
        id,
        name_zh: "健康码".parse().map_err(name)?,
        name_en: "Health code".parse().map_err(name)?,
        hotline: "12345".parse().map_err(|_| Failure::new("the hotline of a measured issuer is too long"))?,
        levels: [].into_iter().collect(),
        lists_status: true,
    })
}
