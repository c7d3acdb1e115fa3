//! A request for a pass, as a person or a CSV row makes it, and the claims that come of it.

use crate::moment;
use crate::outcome::{Failure, Result};
use clap::Args;
use menshen_core::ids::{IssuerId, sha256};
use menshen_core::pass::{Claims, Display, Kind, Level, Test, TestResult};
use serde::Deserialize;

/// What is asked for: the same words on the command line and as CSV columns.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Who issues: a division code.
    #[arg(long, value_name = "CODE", default_value = "330000")]
    pub issuer: u32,
    /// green, yellow, red, or the issuer's own level from 1 to 15.
    #[arg(long, value_name = "COLOUR", default_value = "green")]
    pub colour: String,
    /// phone, paper, dependent, visitor or community.
    #[arg(long, value_name = "KIND", default_value = "phone")]
    pub kind: String,
    /// A masked name such as 张*三.
    #[arg(long)]
    pub name: Option<String>,
    /// The last characters of the document number, of 0-9 and X.
    #[arg(long, value_name = "TAIL", requires = "name")]
    pub id_tail: Option<String>,
    /// How long it is valid: 15m, 12h, 14d. By default 15m on a phone, 1d for a visitor, else 30d.
    #[arg(long, value_name = "SPAN")]
    pub valid: Option<String>,
    /// From when it is valid, where that is not at once.
    #[arg(long, value_name = "TIME")]
    pub not_before: Option<String>,
    /// Why the colour is what it is, in the issuer's numbering.
    #[arg(long, value_name = "NUMBER")]
    pub colour_reason: Option<u16>,
    /// When quarantine or observation ends.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// When the newest test was sampled.
    #[arg(long, value_name = "TIME")]
    pub test_at: Option<String>,
    /// negative, positive or pending.
    #[arg(long, value_name = "RESULT", requires = "test_at")]
    pub test_result: Option<String>,
    /// A text that is the same for all of a household; only its hash enters the pass.
    #[arg(long, value_name = "TEXT")]
    pub household: Option<String>,
    /// A text that is the same for all passes of a holder; only its hash enters the pass. By default random.
    #[arg(long, value_name = "TEXT")]
    pub holder: Option<String>,
}

impl Default for Request {
    /// What the command line issues when nothing is said.
    fn default() -> Request {
        Request {
            issuer: 330_000,
            colour: "green".into(),
            kind: "phone".into(),
            name: None,
            id_tail: None,
            valid: None,
            not_before: None,
            colour_reason: None,
            until: None,
            test_at: None,
            test_result: None,
            household: None,
            holder: None,
        }
    }
}

impl Request {
    /// The claims of this request, issued at `now` (seconds since 1970).
    pub fn claims(&self, now: u64) -> Result<Claims> {
        let issuer = IssuerId::new(self.issuer)
            .ok_or_else(|| Failure::new(format!("issuer {} is not a six-digit division code", self.issuer)))?;
        let kind = self.kind()?;
        let span_s = match &self.valid {
            Some(text) => moment::parse_span(text)?,
            None => usual_span_s(kind),
        };
        if span_s == 0 {
            return Err(Failure::new("a pass that is valid for no time is none: give --valid, such as 15m or 14d"));
        }
        let not_before = self.not_before.as_deref().map(moment::parse).transpose()?.filter(|from| *from != now);
        Ok(Claims {
            issuer,
            issued_at: now,
            not_before,
            expires_at: not_before.unwrap_or(now) + span_s,
            pass_id: random()?,
            level: self.level()?,
            holder: self.pseudonym(issuer)?,
            kind,
            display: self.display()?,
            colour_reason: self.colour_reason,
            until: self.until.as_deref().map(moment::parse).transpose()?,
            test: self.test()?,
            household: self.household.as_ref().map(|text| shortened(&salted(issuer, "household", text))),
        })
    }

    fn kind(&self) -> Result<Kind> {
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == self.kind);
        found.ok_or_else(|| {
            Failure::new(format!(
                "{:?} is not a kind of pass: phone, paper, dependent, visitor or community",
                self.kind
            ))
        })
    }

    fn level(&self) -> Result<Level> {
        let number = match self.colour.as_str() {
            "green" => Some(1),
            "yellow" => Some(2),
            "red" => Some(3),
            other => other.parse().ok(),
        };
        number.and_then(Level::new).ok_or_else(|| {
            Failure::new(format!("{:?} is not a colour: green, yellow, red, or a level 1 to 15", self.colour))
        })
    }

    fn display(&self) -> Result<Option<Display>> {
        let Some(name) = &self.name else {
            return match &self.id_tail {
                Some(_) => Err(Failure::new("the tail of a document number says nothing without a name: give both")),
                None => Ok(None),
            };
        };
        if name.trim().is_empty() {
            return Err(Failure::new("the name is empty: give a masked one such as 张*三, or leave it out"));
        }
        let tail = self.id_tail.as_deref().unwrap_or_default();
        Ok(Some(Display {
            name: name.parse().map_err(|_| {
                Failure::new(format!("the name {name:?} is too long: at most 24 bytes, 8 Chinese characters; mask it"))
            })?,
            id_tail: tail
                .parse()
                .map_err(|_| Failure::new(format!("{tail:?} is too long: only the last four characters")))?,
        }))
    }

    fn test(&self) -> Result<Option<Test>> {
        let Some(sampled_at) = self.test_at.as_deref().map(moment::parse).transpose()? else { return Ok(None) };
        let text = self.test_result.as_deref().unwrap_or("negative");
        let result =
            [TestResult::Negative, TestResult::Positive, TestResult::Pending].into_iter().find(|r| r.name() == text);
        let result =
            result.ok_or_else(|| Failure::new(format!("{text:?} is no test result: negative, positive or pending")))?;
        Ok(Some(Test { sampled_at, result }))
    }

    fn pseudonym(&self, issuer: IssuerId) -> Result<[u8; 16]> {
        match &self.holder {
            Some(text) => Ok(shortened(&salted(issuer, "holder", text))),
            None => random(),
        }
    }
}

/// A phone's pass lives for minutes, paper for weeks.
fn usual_span_s(kind: Kind) -> u64 {
    match kind {
        Kind::Phone => 15 * 60,
        Kind::Visitor => 86_400,
        Kind::Paper | Kind::Dependent | Kind::Community => 30 * 86_400,
    }
}

/// A pseudonym means something to one issuer only.
fn salted(issuer: IssuerId, what: &str, text: &str) -> [u8; 32] {
    sha256(format!("menshen/{what}/{issuer}/{text}").as_bytes())
}

fn shortened<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| digest[at])
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Failure::new("the system has no random numbers: check /dev/urandom"))?;
    Ok(bytes)
}
