//! `menshen pass inspect`: what every field of a pass says and means, in both languages.
//!
//! Explains well-formed passes whether they are believed or not, and says which; it decides nothing.

use super::super::{TrustArg, complain, say, say_json};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::Args;
use menshen_core::decide::Shown;
use menshen_core::ids::{Hex, KeyId};
use menshen_core::pass::{self, Claims, Colour};
use menshen_core::trust::TrustList;
use menshen_lane::optics::{Frame, Reader};
use menshen_lane::view::rfc3339;
use menshen_lane::words::{Field, Lang, Words};
use serde_json::json;
use std::path::Path;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Inspect {
    #[command(flatten)]
    trust: TrustArg,
    /// The text of a pass (MS1:…), or a photo of one.
    #[arg(value_name = "PASS")]
    pass: String,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Result {
        let payload = self.payload()?;
        let parsed = pass::parse(&payload)?;
        let claims = parsed.claims_unverified().clone();
        let kid = parsed.kid();
        let trust = menshen_lane::trust::load(&self.trust.dir, None).map_err(|error| complain(&error.to_string())).ok();
        let proof = proof(&payload, trust.as_ref().map(|trust| trust.list.as_ref()));
        let chars = payload.len();
        let version = crate::qr::qr(&payload).map(|code| code.version()).ok();
        if self.json {
            say_json(&json!({
                "signature": proof.name(), "kid": kid.to_string(), "characters": chars, "qr_version": version,
                "claims": claims_json(&claims),
            }))?;
        } else {
            for lang in Lang::USUAL {
                explain(lang, &claims, kid, trust.as_ref().map(|trust| trust.list.as_ref()))?;
            }
            say(format!(
                "{} · QR {}-M · {} chars",
                proof.words(),
                version.map_or("-".into(), |v| v.to_string()),
                chars
            ))?;
        }
        Ok(if matches!(proof, Proof::Refused(_)) { Outcome::No } else { Outcome::Done })
    }

    fn payload(&self) -> Result<Vec<u8>> {
        // A text that was copied brings blanks along.
        let text = self.pass.trim().as_bytes();
        if text.starts_with(pass::PREFIX) {
            return Ok(text.to_vec());
        }
        let frame = Frame::from_picture(Path::new(&self.pass))?;
        let sight = Reader::new().read(&frame);
        let found = sight.payloads.iter().map(|payload| payload.as_bytes()).max_by_key(|p| p.starts_with(pass::PREFIX));
        found
            .map(<[u8]>::to_vec)
            .ok_or_else(|| Failure::new(format!("{}: no code could be read; take a sharper, closer photo", self.pass)))
    }
}

enum Proof {
    Genuine,
    Refused(String),
    NoTrust,
}

fn proof(payload: &[u8], trust: Option<&TrustList>) -> Proof {
    match Shown::of(payload, trust) {
        Shown::Verified(_) => Proof::Genuine,
        Shown::Unverified(error) => Proof::Refused(error.to_string()),
        _ => Proof::NoTrust,
    }
}

impl Proof {
    fn name(&self) -> &'static str {
        match self {
            Proof::Genuine => "genuine",
            Proof::Refused(_) => "refused",
            Proof::NoTrust => "unchecked",
        }
    }

    fn words(&self) -> String {
        match self {
            Proof::Genuine => "✓ 签名正确 / signature genuine".into(),
            Proof::Refused(why) => format!("✗ 签名不可信 / not believed: {why}"),
            Proof::NoTrust => "? 未核对签名 / signature not checked: no trust list".into(),
        }
    }
}

fn explain(lang: Lang, claims: &Claims, kid: KeyId, trust: Option<&TrustList>) -> Result<()> {
    let words = Words::of(lang);
    say(format!("── {} ──", words.name))?;
    for field in Field::ALL {
        if let Some(value) = value(field, lang, claims, kid, trust) {
            let field = words.field(field);
            say(format!("{}: {value}\n    {}", field.name, field.explain))?;
        }
    }
    Ok(())
}

/// What a field says, as a person reads it; `None` where the pass leaves it out.
fn value(field: Field, lang: Lang, claims: &Claims, kid: KeyId, trust: Option<&TrustList>) -> Option<String> {
    let words = Words::of(lang);
    Some(match field {
        Field::Issuer => match trust.and_then(|trust| trust.issuer(claims.issuer)) {
            Some(issuer) => {
                format!("{} {}", issuer.id, if lang.is_chinese() { &issuer.name_zh } else { &*issuer.name_en })
            }
            None => claims.issuer.to_string(),
        },
        Field::Key => kid.to_string(),
        Field::Level => match level(claims, trust) {
            Some(colour) => format!("{} {}", claims.level.number(), words.colour(colour)),
            None => claims.level.number().to_string(),
        },
        Field::Kind => words.kind(claims.kind).into(),
        Field::IssuedAt => moment::show(claims.issued_at),
        Field::NotBefore => moment::show(claims.not_before?),
        Field::ExpiresAt => moment::show(claims.expires_at),
        Field::Display => claims.display.as_ref().map(|display| format!("{} {}", display.name, display.id_tail))?,
        Field::ColourReason => claims.colour_reason?.to_string(),
        Field::Until => moment::show(claims.until?),
        Field::Test => {
            let test = claims.test?;
            format!("{} {}", moment::show(test.sampled_at), words.test_result(test.result))
        }
        Field::PassId => Hex(&claims.pass_id).to_string(),
        Field::Holder => Hex(&claims.holder).to_string(),
        Field::Household => Hex(&claims.household?).to_string(),
    })
}

fn level(claims: &Claims, trust: Option<&TrustList>) -> Option<Colour> {
    match trust.and_then(|trust| trust.issuer(claims.issuer)) {
        Some(issuer) => issuer.colour(claims.level),
        None => Colour::from_number(claims.level.number()),
    }
}

fn claims_json(claims: &Claims) -> serde_json::Value {
    json!({
        "issuer": claims.issuer.code(),
        "issued_at": rfc3339(claims.issued_at),
        "not_before": claims.not_before.map(rfc3339),
        "expires_at": rfc3339(claims.expires_at),
        "pass_id": Hex(&claims.pass_id).to_string(),
        "level": claims.level.number(),
        "holder": Hex(&claims.holder).to_string(),
        "kind": claims.kind.name(),
        "display": claims.display.as_ref().map(|d| json!({"name": d.name.as_str(), "id_tail": d.id_tail.as_str()})),
        "colour_reason": claims.colour_reason,
        "until": claims.until.map(rfc3339),
        "test": claims.test.map(|t| json!({"sampled_at": rfc3339(t.sampled_at), "result": t.result.name()})),
        "household": claims.household.map(|household| Hex(&household).to_string()),
    })
}
