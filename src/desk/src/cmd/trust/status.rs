//! What an issuer has changed since its passes were made: one delta a command, and now and then a new whole list.

use super::{TrustArg, complain, division, repository, say, time_that_has_come, warn_of};
use crate::authority::{Authority, Content, role_of};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at};
use clap::{Args, ValueEnum};
use menshen_core::ids::{Hex, IssuerId, unhex};
use menshen_core::pass::{self, Claims, Colour};
use menshen_core::status::{Status as Said, Tag};
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Keyring, Repository};
use menshen_trust::status::{About, Change, Delta, IssuerStatus, StatusList, write_list};
use serde::Deserialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// With more deltas than this behind a list, a new one is made by itself.
const MAX_DELTAS: usize = 100;

/// Changes a status list.
#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    trust: TrustArg,
    /// Whose list: the division code of the issuer. Without a change it is said again that nothing has changed.
    issuer: u32,
    /// A pass that is meant: its text, or a file that holds it. A colour counts for every pass of its holder that was
    /// issued before; revoked and clear are of this pass alone, also where a colour of its holder is said.
    #[arg(long, value_name = "PASS", requires = "set")]
    pass: Vec<String>,
    /// A holder who is meant: the pseudonym, 32 hexadecimal digits.
    #[arg(long, value_name = "HEX", requires = "set")]
    holder: Vec<String>,
    /// What is said of them from now on; clear takes back what was said before of that pass, or of that holder.
    #[arg(long, value_enum)]
    set: Option<Word>,
    /// A file of changes: columns holder or pass_id (hexadecimal digits), and set.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Make a new whole list, as once a day. It alone may be of an earlier time than the list before it, which a clock that
    /// was ahead had dated.
    #[arg(long)]
    whole: bool,
    /// Say it as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Say it as of a time that this computer's clock has not come to: nothing can be added to the list
    /// as of an earlier one then.
    #[arg(long, requires = "at")]
    ahead: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// The code is green now.
    Green,
    /// The code is yellow now.
    Yellow,
    /// The code is red now.
    Red,
    /// The pass counts no more.
    Revoked,
    /// Nothing is said any more: the pass says what it says.
    Clear,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    holder: String,
    #[serde(default)]
    pass_id: String,
    set: Word,
}

impl Word {
    fn change(self) -> Change {
        match self {
            Word::Green => Some(Said::Overridden(Colour::Green)),
            Word::Yellow => Some(Said::Overridden(Colour::Yellow)),
            Word::Red => Some(Said::Overridden(Colour::Red)),
            Word::Revoked => Some(Said::Revoked),
            Word::Clear => None,
        }
    }
}

impl Status {
    pub(super) fn run(self) -> Result {
        let (authority, issuer) = (Authority::open(&self.trust.dir)?, division(self.issuer)?);
        warn_of(&authority);
        let as_of = time_that_has_come(self.at.as_deref(), self.ahead)?;
        let mut repository = repository(&authority)?;
        let role = publisher(&repository, issuer)?;
        let changes = self.changes(issuer)?;
        let count = changes.len();
        let seq = match (held(&repository, &role, issuer)?, held_by_superior(&repository, &role, issuer)?) {
            (Some(held), _) => {
                self.tell_of_holders(issuer, &held)?;
                self.next(&mut repository, &role, &held, changes, as_of)?
            }
            // Whoever gets a role of its own goes on where its superior stopped: what was said must not be forgotten.
            (None, Some(held)) => {
                self.tell_of_holders(issuer, &held)?;
                let (delta, held) = self.following(&held, changes, as_of)?;
                put_whole(&mut repository, &role, &held, as_of)?;
                delta.about().seq
            }
            (None, None) => first(&mut repository, &role, issuer, changes, as_of)?,
        };
        let keyring = authority.keyring(&[])?;
        says_that_it_lists(&mut repository, issuer, &role, &keyring)?;
        repository.save()?;
        let what = if count == 0 { "nothing changed".to_owned() } else { format!("{count} changed") };
        let until = moment::show(as_of);
        let publishes = repository.signers("snapshot").is_some_and(|signers| keyring.can_sign(&signers));
        let next = match publishes {
            true => "`menshen trust publish` gives it to gates".to_owned(),
            false => format!("`menshen trust sign {role}` signs it for whoever publishes"),
        };
        say(format!("{issuer}: number {seq}, {what}, complete until {until}: said by {role}; it is a draft: {next}"))?;
        Ok(Outcome::Done)
    }

    /// The next delta of a list, and the list with it.
    fn following(&self, held: &IssuerStatus, changes: Vec<(Tag, Change)>, as_of: u64) -> Result<(Delta, IssuerStatus)> {
        let About { issuer, seq, as_of: before } = held.complete();
        if as_of < before && !self.whole {
            return Err(Failure::new(format!(
                "the list of {issuer} is complete until {} already, and what is added to it can not be of an earlier time: \
                 where the clock was ahead then, add --whole for a new list of {}",
                moment::show(before),
                moment::show(as_of)
            )));
        }
        let delta = Delta::new(About { issuer, seq: seq + 1, as_of }, changes)?;
        let held = held.with_delta(&delta)?;
        Ok((delta, held))
    }

    fn next(
        &self,
        repository: &mut Repository,
        role: &str,
        held: &IssuerStatus,
        changes: Vec<(Tag, Change)>,
        as_of: u64,
    ) -> Result<u64> {
        let (delta, held) = self.following(held, changes, as_of)?;
        let About { issuer, seq, .. } = delta.about();
        repository.put(role, &Target::Delta(issuer, seq).path(), &delta.to_bytes())?;
        if self.whole || held.deltas() > MAX_DELTAS {
            put_whole(repository, role, &held, as_of)?;
            for path in repository.paths(role) {
                let old = match Target::parse(&path) {
                    Some(Target::Snapshot(owner, number)) => owner == issuer && number < seq,
                    Some(Target::Delta(owner, number)) => owner == issuer && number <= seq,
                    Some(Target::Issuers(_) | Target::Recognition(_) | Target::Policy(..)) | None => false,
                };
                if old {
                    repository.remove(role, &path)?;
                }
            }
        }
        Ok(seq)
    }

    /// A pass that is cleared is not green again while a colour of its holder is said.
    fn tell_of_holders(&self, issuer: IssuerId, held: &IssuerStatus) -> Result<()> {
        for text in self.pass.iter().filter(|_| self.set == Some(Word::Clear)) {
            let holder = Hex(&claims_of(text, issuer)?.holder).to_string();
            let is_said =
                held.look_up(Tag::of_holder(issuer, &hex(&holder, "a holder")?)).is_ok_and(|said| said.is_some());
            if is_said && !self.holder.contains(&holder) {
                complain(&format!(
                    "something is said of the holder of that pass too, and stays: `--holder {holder} --set clear` takes \
                     it back"
                ));
            }
        }
        Ok(())
    }

    fn changes(&self, issuer: IssuerId) -> Result<Vec<(Tag, Change)>> {
        let mut changes = Vec::new();
        if let Some(set) = self.set {
            for text in &self.pass {
                changes.push(of_pass(text, issuer, set)?);
            }
            for holder in &self.holder {
                changes.push((Tag::of_holder(issuer, &hex(holder, "a holder")?), set.change()));
            }
        }
        if let Some(csv) = &self.csv {
            changes.extend(of_rows(csv, issuer)?);
        }
        if self.set.is_some() && changes.is_empty() {
            return Err(Failure::new("of whom? name a pass with --pass, a holder with --holder, or many with --csv"));
        }
        Ok(changes)
    }
}

/// Lets a role say a list and its deltas as one, as of a moment.
fn put_whole(repository: &mut Repository, role: &str, held: &IssuerStatus, as_of: u64) -> Result<()> {
    let mut bytes = Vec::new();
    let about = held.fold(&mut bytes)?;
    let About { issuer, seq, .. } = about;
    if about.as_of != as_of {
        // Deltas never take a list's moment back, so the list is written again with its own.
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        let entries = StatusList::of(file)?.entries().collect::<std::io::Result<Vec<_>>>()?;
        bytes.clear();
        write_list(&mut bytes, About { as_of, ..about }, entries)?;
    }
    Ok(repository.put(role, &Target::Snapshot(issuer, seq).path(), &bytes)?)
}

/// The first list of an issuer: it is whole.
fn first(
    repository: &mut Repository,
    role: &str,
    issuer: IssuerId,
    changes: Vec<(Tag, Change)>,
    as_of: u64,
) -> Result<u64> {
    let mut bytes = Vec::new();
    let entries = changes.into_iter().filter_map(|(tag, change)| Some((tag, change?)));
    write_list(&mut bytes, About { issuer, seq: 1, as_of }, entries)?;
    repository.put(role, &Target::Snapshot(issuer, 1).path(), &bytes)?;
    Ok(1)
}

/// What a role says of an issuer now, drafts included.
fn held(repository: &Repository, role: &str, issuer: IssuerId) -> Result<Option<IssuerStatus>> {
    let of_issuer = |path: &String| Target::parse(path).filter(|target| target.owner() == issuer);
    let targets: Vec<Target> = repository.paths(role).iter().filter_map(of_issuer).collect();
    let newest = targets.iter().filter_map(|target| match target {
        Target::Snapshot(_, seq) => Some(*seq),
        Target::Delta(..) | Target::Issuers(_) | Target::Recognition(_) | Target::Policy(..) => None,
    });
    let Some(newest) = newest.max() else { return Ok(None) };
    let place = repository.file(role, &Target::Snapshot(issuer, newest).path());
    let place = place.ok_or_else(|| Failure::new("the repository has changed meanwhile: run the command again"))?;
    let mut held = IssuerStatus::new(StatusList::open(&place)?);
    for target in targets {
        if let Target::Delta(..) = target
            && let Some(bytes) = repository.get(role, &target.path())?
        {
            held = held.with_delta(&Delta::parse(&bytes)?)?;
        }
    }
    Ok(Some(held))
}

/// The roles that may list an issuer's status: its own first, then its superiors.
fn speakers(issuer: IssuerId) -> [String; 4] {
    [issuer.to_string(), issuer.city().to_string(), issuer.province().to_string(), role_of(IssuerId::NATIONAL)]
}

/// The list that a superior said before an issuer had a role of its own.
fn held_by_superior(repository: &Repository, role: &str, issuer: IssuerId) -> Result<Option<IssuerStatus>> {
    for superior in speakers(issuer).iter().skip_while(|own| *own != role).filter(|superior| *superior != role) {
        if let Some(found) = held(repository, superior, issuer)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The role that publishes an issuer's list: its own, or its superior's. The nation's has a role of its own, or is in the
/// top-level role where that was made before there was such a one.
fn publisher(repository: &Repository, issuer: IssuerId) -> Result<String> {
    let roles = repository.roles();
    let may = |role: &String| issuer == IssuerId::NATIONAL || *role != role_of(IssuerId::NATIONAL);
    let found = speakers(issuer).into_iter().filter(may).find(|role| roles.contains(&role.as_str()));
    found.ok_or_else(|| {
        Failure::new(format!("nobody speaks for {issuer}: add it with `menshen trust add-issuer {issuer}`"))
    })
}

/// Lets whoever vouches for the issuer say that it has a list: gates then know that they miss it where it does not come.
/// Where that is somebody else, whose key is not here, it is left to them: a draft of theirs would wait here for ever.
fn says_that_it_lists(repository: &mut Repository, issuer: IssuerId, role: &str, keyring: &Keyring) -> Result<()> {
    let scopes = [IssuerId::NATIONAL].into_iter().chain(repository.roles().into_iter().filter_map(names::issuer));
    let scopes: Vec<IssuerId> = scopes.filter(|scope| scope.covers(issuer)).collect();
    for scope in scopes {
        let mut content = Content::of(repository, scope)?;
        let Some(known) = content.issuers().iter().find(|known| known.id == issuer) else { continue };
        let says = role_of(scope);
        let is_here = says == role || repository.signers(&says).is_some_and(|signers| keyring.can_sign(&signers));
        if known.lists_status {
            return Ok(());
        }
        if is_here {
            let mut known = known.clone();
            known.lists_status = true;
            content.add_issuer(known)?;
            return content.save_issuers(repository, scope);
        }
        complain(&format!(
            "gates do not miss the list of {issuer} yet where it does not come: ask whoever has the key of {says} to run \
             `menshen trust add-issuer {issuer} --lists` once"
        ));
        return Ok(());
    }
    Ok(())
}

/// What a pass says of itself; nobody has verified it.
fn claims_of(text: &str, issuer: IssuerId) -> Result<Claims> {
    let payload = if text.starts_with("MS1:") {
        text.to_owned()
    } else {
        let path = Path::new(text);
        std::fs::read_to_string(path).map_err(at(path, "give the text of a pass, or a file that holds it"))?
    };
    let parsed = pass::parse(payload.trim().as_bytes())?;
    let claims = parsed.claims_unverified();
    if claims.issuer != issuer {
        return Err(Failure::new(format!("that pass is of {}, not of {issuer}: name its own issuer", claims.issuer)));
    }
    Ok(claims.clone())
}

/// What is said of a pass, given by its text or by a file that holds it.
fn of_pass(text: &str, issuer: IssuerId, set: Word) -> Result<(Tag, Change)> {
    let claims = claims_of(text, issuer)?;
    let tag = match set {
        Word::Revoked | Word::Clear => Tag::of_pass(issuer, &claims.pass_id),
        Word::Green | Word::Yellow | Word::Red => Tag::of_holder(issuer, &claims.holder),
    };
    Ok((tag, set.change()))
}

fn of_rows(csv: &Path, issuer: IssuerId) -> Result<Vec<(Tag, Change)>> {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(csv);
    let mut reader = reader.map_err(at(csv, "give a CSV file with a header line"))?;
    let mut changes = Vec::new();
    for (number, row) in reader.deserialize::<Row>().enumerate() {
        let row = row.map_err(at(csv, "mend that row: its columns are holder or pass_id, and set"))?;
        let tag = match (row.holder.as_str(), row.pass_id.as_str()) {
            (holder, "") => Tag::of_holder(issuer, &hex(holder, "a holder")?),
            ("", pass_id) => Tag::of_pass(issuer, &hex(pass_id, "a pass_id")?),
            _ => {
                let line = number + 2;
                return Err(Failure::new(format!(
                    "{} line {line}: give a holder or a pass_id, not both",
                    csv.display()
                )));
            }
        };
        changes.push((tag, row.set.change()));
    }
    Ok(changes)
}

fn hex<const N: usize>(text: &str, what: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    unhex(text.trim(), &mut bytes)
        .ok_or_else(|| Failure::new(format!("{text:?} is not {what}: it must be {} hexadecimal digits", 2 * N)))?;
    Ok(bytes)
}
