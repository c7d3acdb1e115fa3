//! Who comes to the demonstration, and what must become of each.

use crate::authority::Authority;
use crate::outcome::{Failure, Result};
use crate::request::Request;
use crate::scene::Carrier;
use ed25519_dalek::SigningKey;
use menshen_core::base45;
use menshen_core::decide::Verdict;
use menshen_core::pass::{self, PREFIX};
use menshen_core::reason::Reason;

/// A healthy forehead under a gate's thermometer.
const WELL_CENTI_C: i16 = 3640;
/// What a thermometer shows of a forehead that came in from the cold.
const COLD_CENTI_C: i16 = 2810;
const DAY_S: u64 = 86_400;

/// One person.
#[derive(Clone, Debug)]
pub struct Person {
    /// A stable name for `--json`.
    pub name: &'static str,
    /// What the code says.
    pub payload: String,
    /// What it is shown on.
    pub carrier: Carrier,
    /// What the thermometer sees, in hundredths of a degree Celsius.
    pub temp_centi_c: i16,
    /// What it sees after the gate asked to measure again.
    pub again_centi_c: i16,
    /// What must come of it.
    pub verdict: Verdict,
    /// The gravest reason that must be given.
    pub reason: Option<Reason>,
}

/// Everybody, in order; passes are issued at `now`.
pub fn everybody(profile: &Authority, now: u64) -> Result<Vec<Person>> {
    let issuers = Issuers { profile, now };
    let green = || issuers.pass(330_000, "green", "phone", "张*三", "1234");
    let mut people = vec![
        admitted("green_phone", green()?, Carrier::Phone),
        admitted("green_paper", issuers.pass(330_000, "green", "paper", "李*英", "0423")?, Carrier::Paper),
        refused("yellow", issuers.until(330_100, "yellow", 7)?, Verdict::Refer, Reason::Yellow),
        refused("red", issuers.until(330_000, "red", 14)?, Verdict::Refuse, Reason::Red),
        refused("expired", issuers.expired()?, Verdict::Refuse, Reason::Expired),
        refused("forged_signature", issuers.forged()?, Verdict::Refuse, Reason::BadSignature),
        refused("unknown_issuer", issuers.unknown()?, Verdict::Refuse, Reason::UnknownIssuer),
        admitted("recognised_province", issuers.pass(410_000, "green", "phone", "王*", "771X")?, Carrier::Phone),
        refused(
            "not_recognised",
            issuers.pass(420_000, "green", "phone", "刘*", "9008")?,
            Verdict::Refuse,
            Reason::NotRecognised,
        ),
        refused("high_temperature", green()?, Verdict::Refuse, Reason::TempHigh),
        admitted("cold_then_measured_again", green()?, Carrier::Phone),
        refused("cold_three_times", green()?, Verdict::Refer, Reason::TempImplausible),
        refused("damaged", damaged(&green()?)?, Verdict::Refuse, Reason::Damaged),
        refused("not_a_pass", "https://example.org/menu".into(), Verdict::Refuse, Reason::NotAPass),
    ];
    for person in &mut people {
        match person.name {
            "high_temperature" => person.temp_centi_c = 3790,
            "cold_then_measured_again" => person.temp_centi_c = COLD_CENTI_C,
            "cold_three_times" => (person.temp_centi_c, person.again_centi_c) = (COLD_CENTI_C, COLD_CENTI_C),
            _ => {}
        }
    }
    Ok(people)
}

fn admitted(name: &'static str, payload: String, carrier: Carrier) -> Person {
    let (temp_centi_c, again_centi_c) = (WELL_CENTI_C, WELL_CENTI_C);
    Person { name, payload, carrier, temp_centi_c, again_centi_c, verdict: Verdict::Admit, reason: None }
}

fn refused(name: &'static str, payload: String, verdict: Verdict, reason: Reason) -> Person {
    Person { verdict, reason: Some(reason), ..admitted(name, payload, Carrier::Phone) }
}

struct Issuers<'a> {
    profile: &'a Authority,
    now: u64,
}

impl Issuers<'_> {
    fn pass(&self, issuer: u32, colour: &str, kind: &str, name: &str, tail: &str) -> Result<String> {
        self.sign(&request(issuer, colour, kind, name, tail), self.now)
    }

    fn until(&self, issuer: u32, colour: &str, days: u64) -> Result<String> {
        let until = Some((self.now + days * DAY_S).to_string());
        self.sign(&Request { until, ..request(issuer, colour, "phone", "陈*", "5566") }, self.now)
    }

    fn expired(&self) -> Result<String> {
        self.sign(&request(330_000, "green", "phone", "赵*明", "3321"), self.now.saturating_sub(2 * 3600))
    }

    fn sign(&self, request: &Request, at: u64) -> Result<String> {
        let claims = request.claims(at)?;
        let key = self.profile.issuer_key(claims.issuer)?;
        Ok(pass::issue(&claims, &key)?.as_str().into())
    }

    /// A pass that names a true issuer and its true key, signed by somebody else.
    fn forged(&self) -> Result<String> {
        let claims = request(330_000, "green", "phone", "孙*", "8812").claims(self.now)?;
        let genuine = unwrapped(&pass::issue(&claims, &self.profile.issuer_key(claims.issuer)?)?)?;
        let mut forged = unwrapped(&pass::issue(&claims, &SigningKey::from_bytes(&[0x66; 32]))?)?;
        // The key id is in both at the same place: tag, array, string head, then {1: -8, 4: kid}.
        forged[8..16].copy_from_slice(&genuine[8..16]);
        Ok(wrapped(&forged))
    }

    /// A pass that is signed well, by an issuer that no trust list names.
    fn unknown(&self) -> Result<String> {
        let claims = request(990_000, "green", "phone", "周*", "4410").claims(self.now)?;
        Ok(pass::issue(&claims, &SigningKey::from_bytes(&[0x77; 32]))?.as_str().into())
    }
}

fn request(issuer: u32, colour: &str, kind: &str, name: &str, tail: &str) -> Request {
    Request {
        issuer,
        colour: colour.into(),
        kind: kind.into(),
        name: Some(name.into()),
        id_tail: Some(tail.into()),
        ..Request::default()
    }
}

/// A pass of which a byte in the middle is another one.
fn damaged(payload: &str) -> Result<String> {
    let mut bytes = unwrapped(payload)?;
    bytes[0] ^= 1;
    Ok(wrapped(&bytes))
}

fn unwrapped(payload: &str) -> Result<Vec<u8>> {
    let text = payload.as_bytes().strip_prefix(PREFIX).unwrap_or_default();
    let mut bytes = vec![0; text.len()];
    let size = base45::decode(text, &mut bytes).map_err(|error| Failure::new(error.to_string()))?;
    bytes.truncate(size);
    Ok(bytes)
}

fn wrapped(bytes: &[u8]) -> String {
    let mut text = PREFIX.to_vec();
    base45::encode(bytes, |character| text.push(character));
    text.into_iter().map(char::from).collect()
}
