//! Every text that people read, in one place, one file a language.
//!
//! The core speaks in fixed numbers and stable names; what a person reads is chosen here, at the edge,
//! by language. So the panel, the command line and a printed sheet say the same thing in the same words,
//! and a language is added by adding its file.
//!
//! Invariants, proven over every reason and every language by the tests: no text is missing or blank;
//! whatever stops a person says what to do next; nobody is blamed; a code that can not be read is never
//! called invalid; a referral never speaks of refusal; a Chinese text has no Latin letters.

use crate::hint;
use crate::optics::Diagnosis;
use menshen_core::decide::{Decision, Verdict};
use menshen_core::hint::Hint;
use menshen_core::pass::{Colour, Kind, TestResult};
use menshen_core::policy::SiteClass;
use menshen_core::reason::Reason;
use menshen_core::recognition::{Path, Recognition};
use menshen_core::time::Confidence;
use menshen_core::trust::Freshness;
use menshen_trust::tuf::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// A language that people at a gate read: one of the files beside this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lang(usize);

impl Lang {
    /// Chinese, the language of a gate until its site or its reader says otherwise.
    pub const ZH: Lang = Lang(0);
    /// English.
    pub const EN: Lang = Lang(1);
    /// Every language, the default first.
    pub const ALL: [Lang; FILES.len()] = {
        let mut all = [Lang(0); FILES.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = Lang(at);
            at += 1;
        }
        all
    };
    /// The two that are spoken where nobody says which: a page changes from one to the other at a touch, a tool at a
    /// desk prints both.
    pub const USUAL: [Lang; 2] = [Lang::ZH, Lang::EN];

    /// Its tag (BCP 47), for options, addresses and files: `zh`, `en`, `zh-Hant`.
    pub const fn name(self) -> &'static str {
        FILES[self.0].0
    }

    /// Reads what [`Lang::name`] gives; `None` for any other text.
    pub fn parse(name: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.name() == name)
    }

    /// Whether it is written in Chinese characters: its full stop brings its own space, and names of places are told in
    /// Chinese.
    pub fn is_chinese(self) -> bool {
        self.name().split('-').next() == Some("zh")
    }

    const fn file(self) -> &'static str {
        FILES[self.0].1
    }
}

/// Texts by the stable name of what they are about.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Table(BTreeMap<String, String>);

impl Table {
    /// The text of a name; the name itself where there is none, so that a page is never blank.
    pub fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// What it has texts of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What a verdict is called.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictWords {
    /// The word that fills the screen.
    pub word: String,
    /// One sentence to the person, where no reason says more.
    pub say: String,
}

/// What a reason is called and what follows from it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonWords {
    /// What it is, in a few words.
    pub title: String,
    /// Said to the person.
    pub holder: String,
    /// What the volunteer should know or do.
    pub volunteer: String,
    /// What to do next.
    pub remedy: String,
    /// Whom to call, with the blank `{hotline}`: for reasons that the issuer answers for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

/// What is told otherwise at a class of site; what is left out is told as everywhere.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteWords {
    /// Said to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What the volunteer should know or do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volunteer: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl ReasonWords {
    fn at(&self, site: Option<&SiteWords>) -> ReasonWords {
        let or = |own: Option<&String>, everywhere: &String| own.unwrap_or(everywhere).clone();
        ReasonWords {
            title: self.title.clone(),
            holder: or(site.and_then(|site| site.holder.as_ref()), &self.holder),
            volunteer: or(site.and_then(|site| site.volunteer.as_ref()), &self.volunteer),
            remedy: or(site.and_then(|site| site.remedy.as_ref()), &self.remedy),
            call: self.call.clone(),
        }
    }

    /// What to do next, with whom to call where the reason has that and the issuer has a hotline.
    pub fn remedy_with(&self, hotline: Option<&str>) -> String {
        match (&self.call, hotline) {
            (Some(call), Some(hotline)) if !hotline.is_empty() => {
                // A Chinese full stop brings its own space.
                let space = if self.remedy.ends_with('。') { "" } else { " " };
                format!("{}{space}{}", self.remedy, fill(call, &[("hotline", hotline)]))
            }
            _ => self.remedy.clone(),
        }
    }
}

/// What a hint is called and what to do.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HintWords {
    /// The word that fills the screen: what to do.
    pub word: String,
    /// What was seen, in a few words.
    pub title: String,
    /// How to do it.
    pub how: String,
}

/// Why an import is refused and what to do about it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalWords {
    /// What it is, in a few words.
    pub title: String,
    /// The same as a plain sentence.
    pub say: String,
    /// What to do.
    pub remedy: String,
}

/// A part of a pass that a person may ask about: the fields of [`menshen_core::pass::Claims`], and the
/// key that signed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of the same name")]
pub enum Field {
    Issuer,
    Key,
    IssuedAt,
    NotBefore,
    ExpiresAt,
    PassId,
    Level,
    Holder,
    Kind,
    Display,
    ColourReason,
    Until,
    Test,
    Household,
}

impl Field {
    /// Every field, in the order in which a person is told.
    pub const ALL: [Field; 14] = [
        Field::Issuer,
        Field::Key,
        Field::Level,
        Field::Kind,
        Field::IssuedAt,
        Field::NotBefore,
        Field::ExpiresAt,
        Field::Display,
        Field::ColourReason,
        Field::Until,
        Field::Test,
        Field::PassId,
        Field::Holder,
        Field::Household,
    ];

    /// Its stable name: that of the field in [`menshen_core::pass::Claims`].
    pub const fn name(self) -> &'static str {
        match self {
            Field::Issuer => "issuer",
            Field::Key => "key",
            Field::IssuedAt => "issued_at",
            Field::NotBefore => "not_before",
            Field::ExpiresAt => "expires_at",
            Field::PassId => "pass_id",
            Field::Level => "level",
            Field::Holder => "holder",
            Field::Kind => "kind",
            Field::Display => "display",
            Field::ColourReason => "colour_reason",
            Field::Until => "until",
            Field::Test => "test",
            Field::Household => "household",
        }
    }
}

/// What a field of a pass is called and means.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FieldWords {
    /// Its name.
    pub name: String,
    /// What it means.
    pub explain: String,
}

/// All texts of one language.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What the language calls itself.
    pub name: String,
    verdict: BTreeMap<String, VerdictWords>,
    reason: BTreeMap<String, ReasonWords>,
    status: BTreeMap<String, ReasonWords>,
    /// What a yellow code is told as where it does not ask for a person.
    yellow: BTreeMap<String, ReasonWords>,
    /// What a volunteer's decision is told as where it keeps somebody out.
    manual: BTreeMap<String, ReasonWords>,
    /// What differs at a class of site.
    site: BTreeMap<String, BTreeMap<String, SiteWords>>,
    hint: BTreeMap<String, HintWords>,
    claim: BTreeMap<String, FieldWords>,
    refusal: BTreeMap<String, RefusalWords>,
    colour: Table,
    kind: Table,
    /// What a volunteer looks at with some kinds of pass.
    kind_note: Table,
    /// Why a volunteer decided.
    pub cause: Table,
    /// The manual way on the panel.
    pub by_hand: Table,
    recognition: Table,
    freshness: Table,
    clock: Table,
    /// What is wrong with the device's own clock, and the one thing to do.
    pub doubt: Table,
    /// What to do where what the gate believes wants an update.
    pub renew: Table,
    test: Table,
    /// What the panel says when it shows no verdict.
    pub screen: Table,
    /// What is said where a PIN is typed.
    pub pin: Table,
    /// What can be set.
    pub settings: Table,
    /// The numbers of the day.
    pub today: Table,
    /// The last decisions.
    pub history: Table,
    /// What the parts of a decision's evidence are called.
    pub label: Table,
    /// What the device's own state is called.
    pub bar: Table,
    /// What is said while a stick is in.
    pub stick: Table,
    /// How old each issuer's list is.
    pub issuers: Table,
    /// What whoever mounts the camera is told.
    pub install: Table,
    /// The page and the card of the proof before the shift.
    pub proof: Table,
    proof_check: BTreeMap<String, Table>,
    /// How points in time and ages are spoken of.
    pub when: Table,
    /// What is spoken aloud; `src/lane/sounds/` has it as it was recorded.
    pub speech: Table,
}

/// The name of the words for an import that failed in the gate's own storage.
const OWN_REFUSAL: &str = "storage";

static READ: [OnceLock<Words>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

fn parse(lang: Lang) -> Words {
    toml::from_str(lang.file()).expect("the file is part of the program, and a test reads it")
}

impl Words {
    /// The texts of a language, read once.
    pub fn of(lang: Lang) -> &'static Words {
        READ[lang.0].get_or_init(|| parse(lang))
    }

    /// A reason's.
    pub fn reason(&self, reason: Reason) -> &ReasonWords {
        &self.reason[reason.name()]
    }

    /// A reason's at a class of site whose rules treat yellow so.
    pub fn reason_at(&self, reason: Reason, site: SiteClass, yellow: Verdict) -> ReasonWords {
        let treated = self.yellow.get(yellow.name()).filter(|_| reason == Reason::Yellow);
        let own = self.site.get(site.name()).and_then(|site| site.get(reason.name()));
        treated.unwrap_or(self.reason(reason)).at(own)
    }

    /// What a volunteer looks at with a kind of pass; `None` where there is nothing.
    pub fn kind_note(&self, kind: Kind) -> Option<&str> {
        self.kind_note.0.get(kind.name()).map(String::as_str)
    }

    /// What people are told of a decision, the gravest first; what its issuer changed since is told beside the colour,
    /// which it explains, and says which colour it is now.
    pub fn told(&self, decision: &Decision) -> Vec<ReasonWords> {
        let Decision { reasons, evidence, verdict, .. } = decision;
        let others = reasons.iter().filter(|reason| **reason != Reason::Overridden);
        let by_hand = self.manual.get(verdict.name());
        let at_site = |reason: &Reason| match by_hand.filter(|_| *reason == Reason::ManualOverride) {
            Some(words) => words.at(None),
            None => self.reason_at(*reason, evidence.site, evidence.yellow),
        };
        let mut told: Vec<ReasonWords> = others.map(at_site).collect();
        if let Some(at) = reasons.iter().position(|reason| *reason == Reason::Overridden) {
            let which = evidence.status.and_then(|status| self.status.get(status.name()));
            let colour = reasons.iter().position(|reason| matches!(reason, Reason::Red | Reason::Yellow));
            told.insert(
                colour.map_or(at, |colour| colour + 1),
                which.unwrap_or(self.reason(Reason::Overridden)).at(None),
            );
        }
        told
    }

    /// A hint's.
    pub fn hint(&self, hint: Hint) -> &HintWords {
        &self.hint[hint.name()]
    }

    /// What was seen in a frame that gave no payload, and what helps; `None` where one was read.
    pub fn advice(&self, diagnosis: Diagnosis) -> Option<String> {
        let (seen, remedy) = match hint::of(diagnosis) {
            Some(hint) => (&self.hint(hint).title, &self.hint(hint).how),
            None if diagnosis == Diagnosis::Read => return None,
            None => (&self.reason(Reason::NoCode).title, &self.reason(Reason::NoCode).remedy),
        };
        // A Chinese colon brings its own space.
        let colon = if remedy.is_ascii() { ": " } else { "：" };
        Some(format!("{seen}{colon}{remedy}"))
    }

    /// Of an import that is refused; `None` for one that the gate itself could not take.
    pub fn refusal(&self, refusal: Option<Refusal>) -> &RefusalWords {
        &self.refusal[refusal.map_or(OWN_REFUSAL, Refusal::name)]
    }

    /// What is said of a check of the proof before the shift: its `name`, a code, or a code with `_remedy` behind it.
    pub fn proof_check(&self, check: &str, key: &str) -> Option<&str> {
        self.proof_check.get(check)?.0.get(key).map(String::as_str)
    }

    /// A verdict's.
    pub fn verdict(&self, verdict: Verdict) -> &VerdictWords {
        &self.verdict[verdict.name()]
    }

    /// A field's of a pass.
    pub fn field(&self, field: Field) -> &FieldWords {
        &self.claim[field.name()]
    }

    /// A colour's.
    pub fn colour(&self, colour: Colour) -> &str {
        self.colour.get(colour.name())
    }

    /// A kind's.
    pub fn kind(&self, kind: Kind) -> &str {
        self.kind.get(kind.name())
    }

    /// Of how a pass counts at the gate.
    pub fn recognition(&self, recognition: Recognition) -> &str {
        self.recognition.get(recognition_name(recognition))
    }

    /// Of how old the trust list is.
    pub fn freshness(&self, freshness: Freshness) -> &str {
        self.freshness.get(freshness.name())
    }

    /// Of what the clock is worth.
    pub fn confidence(&self, confidence: Confidence) -> &str {
        self.clock.get(confidence.name())
    }

    /// A test result's.
    pub fn test_result(&self, result: TestResult) -> &str {
        self.test.get(result.name())
    }
}

/// The stable name of how a pass counts at a gate, as in `--json` and in the language files.
pub const fn recognition_name(recognition: Recognition) -> &'static str {
    match recognition {
        Recognition::Own => "own",
        Recognition::By(Path::Agreement) => "agreement",
        Recognition::By(Path::Relay) => "relay",
        Recognition::By(Path::National) => "national",
        Recognition::No => "none",
        Recognition::Unknown => "unknown",
    }
}

/// Fills the blanks of a text: `{name}` becomes the value of that name, which is not filled again.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, tail)| {
            let (_, value) = values.iter().find(|(given, _)| *given == name)?;
            Some((*value, tail))
        });
        match value {
            Some((value, tail)) => {
                filled.push_str(value);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests;
