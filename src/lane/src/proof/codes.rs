//! The codes of a proof, and the little world in which they are judged: one issuer, one key, one list of changes.
//!
//! Invariants: the key is made of random bytes for one proof and never leaves this program's memory, so that there is nothing
//! to steal, and what it signed is from an unknown issuer to every gate; its issuer's number is no division of any country.

use super::{Finding, Item};
use crate::trust::Trust;
use ed25519_dalek::SigningKey;
use menshen_core::base45;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{self, Claims, Colour, Kind, Level};
use menshen_core::policy::{Policy, Thermometry};
use menshen_core::reason::Reason;
use menshen_core::status::{Status, Tag};
use menshen_core::thermo::Reading;
use menshen_core::trust::{Issuer, IssuerKey, TrustContent, TrustList};
use menshen_core::verdict::Verdict;
use menshen_trust::status::{About, IssuerStatus, StatusBook, StatusList, write_list};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// No division of GB/T 2260 begins with 99.
const ISSUER: u32 = 990_000;
/// What a warm forehead and a cool one measure, in hundredths of a degree, in a mild room.
const COOL: Reading = Reading::of(3640, 2200);
const WARM: Reading = Reading::of(3880, 2200);
const HOUR_S: u64 = 3600;
/// The bytes of a signature, which end a pass.
const SIGNATURE_BYTES: usize = 64;
/// The file of the issuer's list within the folder of the proof.
const LIST_FILE: &str = "status";

/// A code, and what a gate must answer.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Which check it is.
    pub(super) item: Item,
    /// What is in the code.
    pub(super) text: String,
    /// What the thermometer says meanwhile.
    pub(super) reading: Reading,
    /// What the gate must do.
    pub(super) verdict: Verdict,
    /// And for which gravest reason; `None` for a plain admission.
    pub(super) reason: Option<Reason>,
}

/// Everything that the codes are judged by.
pub(super) struct World {
    pub(super) trust: Trust,
    pub(super) policy: Policy,
    pub(super) home: IssuerId,
    pub(super) cases: Vec<Case>,
}

/// The keys of one proof.
pub(super) struct Keys {
    signs: SigningKey,
    believed: [u8; 32],
    stranger: SigningKey,
}

impl Keys {
    /// New ones.
    pub(super) fn fresh() -> Result<Keys, String> {
        let signs = random_key()?;
        Ok(Keys { believed: signs.verifying_key().to_bytes(), stranger: random_key()?, signs })
    }

    /// The same, where another key is believed than the one that signs: a gate whose verification is broken.
    #[cfg(test)]
    pub(super) fn mismatched() -> Keys {
        let other = random_key().expect("there are random numbers");
        Keys { believed: other.verifying_key().to_bytes(), ..Keys::fresh().expect("there are random numbers") }
    }
}

fn random_key() -> Result<SigningKey, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| format!("the system has no random numbers ({error}): check /dev/urandom"))?;
    Ok(SigningKey::from_bytes(&seed))
}

impl World {
    /// Makes the codes for a moment; the list of changes is a file in a folder, as a gate's lists are.
    pub(super) fn make(folder: &Path, now_s: u64, keys: &Keys) -> Result<World, String> {
        let home = IssuerId::new(ISSUER).ok_or("the proof's issuer is no issuer: report this")?;
        let cases = cases(home, now_s, keys)?;
        let trust = Trust {
            list: Arc::new(trust_list(home, now_s, keys)?),
            status: status_book(folder, home, now_s)?,
            roles: [].into(),
        };
        let policy = Policy {
            thermometry: Thermometry::Required,
            // A device under load must not fail its proof for slowness; what is slow is told by itself.
            reading_window_ms: 60_000,
            relay_pulse_ms: 300,
            hold_admit_ms: 1000,
            hold_other_ms: 1000,
            other_stays: false,
            ..Policy::default()
        };
        Ok(World { trust, policy, home, cases })
    }
}

fn cases(home: IssuerId, now_s: u64, keys: &Keys) -> Result<Vec<Case>, String> {
    let case = |item, text, reading, verdict, reason| Case { item, text, reading, verdict, reason };
    let good = |number, level| claims(home, now_s, number, level);
    let expired = Claims { issued_at: now_s - 48 * HOUR_S, expires_at: now_s - 24 * HOUR_S, ..good(4, Colour::Green) };
    Ok(vec![
        case(Item::CodeGood, sign(&good(1, Colour::Green), &keys.signs)?, COOL, Verdict::Admit, None),
        case(
            Item::CodeYellow,
            sign(&good(2, Colour::Yellow), &keys.signs)?,
            COOL,
            Verdict::Refer,
            Some(Reason::Yellow),
        ),
        case(
            Item::CodeWarm,
            sign(&good(3, Colour::Green), &keys.signs)?,
            WARM,
            Verdict::Refuse,
            Some(Reason::TempHigh),
        ),
        case(Item::CodeExpired, sign(&expired, &keys.signs)?, COOL, Verdict::Refuse, Some(Reason::Expired)),
        case(Item::CodeForged, forge(home, now_s, keys)?, COOL, Verdict::Refuse, Some(Reason::BadSignature)),
        case(
            Item::CodeRevoked,
            sign(&good(REVOKED, Colour::Green), &keys.signs)?,
            COOL,
            Verdict::Refuse,
            Some(Reason::Revoked),
        ),
        case(
            Item::CodeUnknown,
            sign(&good(7, Colour::Green), &keys.stranger)?,
            COOL,
            Verdict::Refuse,
            Some(Reason::UnknownIssuer),
        ),
    ])
}

/// The number of the pass that is on the list.
const REVOKED: u8 = 6;

fn claims(issuer: IssuerId, now_s: u64, number: u8, colour: Colour) -> Claims {
    Claims {
        issuer,
        issued_at: now_s.saturating_sub(60),
        not_before: None,
        expires_at: now_s + HOUR_S,
        pass_id: [number; 8],
        // The first three levels are the colours.
        level: Level::new(colour as u8).unwrap_or(RED),
        holder: [number; 16],
        kind: Kind::Phone,
        display: None,
        colour_reason: None,
        until: None,
        test: None,
        household: None,
    }
}

const RED: Level = match Level::new(3) {
    Some(level) => level,
    None => panic!("3 is a level"),
};

fn sign(claims: &Claims, key: &SigningKey) -> Result<String, String> {
    let text = pass::issue(claims, key).map_err(|error| format!("a code of the proof can not be made: {error}"))?;
    Ok(text.as_str().to_owned())
}

/// A red code that somebody has made green: the body of a green pass under the signature of the red one.
fn forge(issuer: IssuerId, now_s: u64, keys: &Keys) -> Result<String, String> {
    let message = |colour| bytes_of(&sign(&claims(issuer, now_s, 5, colour), &keys.signs)?);
    let (green, red) = (message(Colour::Green)?, message(Colour::Red)?);
    let (body, signature) = (green.len() - SIGNATURE_BYTES, red.len() - SIGNATURE_BYTES);
    let mut text = String::from_utf8_lossy(pass::PREFIX).into_owned();
    base45::encode(&[&green[..body], &red[signature..]].concat(), |c| text.push(char::from(c)));
    Ok(text)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = [0; pass::MAX_BYTES];
    let encoded = text.as_bytes().get(pass::PREFIX.len()..).unwrap_or_default();
    let length =
        base45::decode(encoded, &mut bytes).map_err(|_| "a code of the proof can not be read back: report this")?;
    Ok(bytes[..length].to_vec())
}

fn trust_list(issuer: IssuerId, now_s: u64, keys: &Keys) -> Result<TrustList, String> {
    let mut content = TrustContent { version: 1, as_of: now_s, ..TrustContent::default() };
    let named = Issuer {
        id: issuer,
        name_zh: "自检".parse().unwrap_or_default(),
        name_en: "Self-proof".parse().unwrap_or_default(),
        hotline: Default::default(),
        levels: Default::default(),
        lists_status: true,
    };
    let key = IssuerKey {
        issuer,
        public_key: keys.believed,
        valid_from: now_s.saturating_sub(72 * HOUR_S),
        valid_until: now_s + 24 * HOUR_S,
    };
    let full = "the trust list of the proof has no room: report this";
    content.issuers.push(named).map_err(|_| full)?;
    content.keys.push(key).map_err(|_| full)?;
    TrustList::new(content)
        .map_err(|error| format!("the trust list of the proof contradicts itself ({error}): report this"))
}

fn status_book(folder: &Path, issuer: IssuerId, now_s: u64) -> Result<StatusBook, String> {
    let path = folder.join(LIST_FILE);
    let failed =
        |error: &dyn std::fmt::Display| format!("the proof's list {} can not be kept: {error}", path.display());
    let file = File::create(&path).map_err(|error| failed(&error))?;
    let about = About { issuer, seq: 1, as_of: now_s };
    write_list(file, about, [(Tag::of_pass(issuer, &[REVOKED; 8]), Status::Revoked)])
        .map_err(|error| failed(&error))?;
    let list = StatusList::open(&path).map_err(|error| failed(&error))?;
    let mut book = StatusBook::new();
    book.put(IssuerStatus::new(list));
    Ok(book)
}

/// What is found of a code that was answered rightly, wrongly, or could not be tried.
pub(super) fn findings(item: Item) -> [Finding; 3] {
    match item {
        Item::CodeYellow => [Finding::YellowOk, Finding::YellowWrong, Finding::YellowUntried],
        Item::CodeWarm => [Finding::WarmOk, Finding::WarmWrong, Finding::WarmUntried],
        Item::CodeExpired => [Finding::ExpiredOk, Finding::ExpiredWrong, Finding::ExpiredUntried],
        Item::CodeForged => [Finding::ForgedOk, Finding::ForgedWrong, Finding::ForgedUntried],
        Item::CodeRevoked => [Finding::RevokedOk, Finding::RevokedWrong, Finding::RevokedUntried],
        Item::CodeUnknown => [Finding::UnknownOk, Finding::UnknownWrong, Finding::UnknownUntried],
        _ => [Finding::GoodOk, Finding::GoodWrong, Finding::GoodUntried],
    }
}
