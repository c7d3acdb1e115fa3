//! A small country for the tests of this crate: six issuers with their keys, a trust list, a site.
//!
//! Everything follows from fixed seeds, so that a failing case reads the same on every machine. It is
//! separate so that each test states only what is particular to it.

use crate::cbor::Buf;
use crate::cose::{self, Purpose};
use crate::decide::Context;
use crate::ids::{IssuerId, sha256};
use crate::pass::{self, Claims, Colour, Display, Kind, Level, Payload, Test, TestResult, VerifiedPass};
use crate::policy::Policy;
use crate::recognition::{Kinds, Path, Rule};
use crate::status::{Entry, Status, StatusSource, Tag, Unreadable};
use crate::thermo::Reading;
use crate::time::Time;
use crate::trust::{Issuer, IssuerKey, TrustContent, TrustList};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

/// 2020-09-13 12:26:40 UTC.
pub(crate) const NOW_S: u64 = 1_600_000_000;
pub(crate) const NOW: Time = Time::trusted(NOW_S);
const DAY_S: u64 = 86_400;

pub(crate) const NATIONAL: u32 = 100_000;
/// Recognised at gates of Zhejiang by relay, phones only.
pub(crate) const SHANGHAI: u32 = 310_000;
/// The province of the gate.
pub(crate) const ZHEJIANG: u32 = 330_000;
pub(crate) const HANGZHOU: u32 = 330_100;
/// Recognised at gates of Zhejiang under an agreement.
pub(crate) const HENAN: u32 = 410_000;
/// In the list, and not recognised at gates of Zhejiang.
pub(crate) const HUBEI: u32 = 420_000;

pub(crate) const GOOD_READING: Reading = Reading::of(3640, 2200);
pub(crate) const HIGH_READING: Reading = Reading::of(3850, 2200);
pub(crate) const COLD_READING: Reading = Reading::of(2800, 2200);
/// What a thermometer sees between two people.
pub(crate) const WALL_READING: Reading = Reading::of(1950, 2200);
pub(crate) const FROSTY_READING: Reading = Reading::of(3640, 500);

/// A level that only Henan's issuer has, meaning yellow.
pub(crate) const HENAN_LEVEL: u8 = 7;

pub(crate) fn id(code: u32) -> IssuerId {
    IssuerId::new(code).expect("six digits")
}

pub(crate) fn key_of(code: u32) -> SigningKey {
    SigningKey::from_bytes(&sha256(&code.to_be_bytes()))
}

/// The trust list and the site that most tests stand on.
pub(crate) struct World {
    pub(crate) trust: TrustList,
    pub(crate) policy: Policy,
}

impl World {
    pub(crate) fn new() -> World {
        World { trust: trust_list(&content()), policy: Policy::default() }
    }

    /// A gate in Hangzhou.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { trust: Some(&self.trust), status: None, history: None, policy: &self.policy, home: id(HANGZHOU) }
    }

    pub(crate) fn verified(&self, claims: &Claims) -> VerifiedPass {
        let text = issued(claims);
        pass::parse(text.as_bytes()).expect("a fresh pass").verify(&self.trust).expect("signed by its issuer")
    }
}

/// Status lists in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    entries: BTreeMap<(IssuerId, Tag), Entry>,
    as_of: BTreeMap<IssuerId, u64>,
    /// Whether nothing of them can be read.
    pub(crate) broken: bool,
}

impl Lists {
    /// An entry, as of a moment.
    pub(crate) fn put(&mut self, publisher: u32, tag: Tag, status: Status, as_of: u64) {
        self.entries.insert((id(publisher), tag), Entry { status, as_of });
        self.complete(publisher, as_of);
    }

    /// Says that a list is complete until a moment.
    pub(crate) fn complete(&mut self, publisher: u32, as_of: u64) {
        self.as_of.insert(id(publisher), as_of);
    }
}

impl StatusSource for Lists {
    fn look_up(&self, publisher: IssuerId, tag: Tag) -> Result<Option<Entry>, Unreadable> {
        if self.broken { Err(Unreadable) } else { Ok(self.entries.get(&(publisher, tag)).copied()) }
    }

    fn as_of(&self, publisher: IssuerId) -> Option<u64> {
        self.as_of.get(&publisher).copied()
    }
}

/// What is believed; `trust_list` makes a list of it.
pub(crate) fn content() -> TrustContent {
    let codes = [NATIONAL, SHANGHAI, ZHEJIANG, HANGZHOU, HENAN, HUBEI];
    let rules = [
        rule(NATIONAL, Path::National, Kinds::all()),
        rule(SHANGHAI, Path::Relay, Kinds::of(&[Kind::Phone])),
        rule(HENAN, Path::Agreement, Kinds::all()),
    ];
    let mut content = TrustContent {
        version: 1,
        as_of: NOW_S - DAY_S,
        authority_key: Some([9; 32]),
        issuers: codes.into_iter().map(issuer).collect(),
        keys: codes.into_iter().map(issuer_key).collect(),
        rules: rules.into_iter().collect(),
        policies: heapless::Vec::new(),
        lagging: heapless::Vec::new(),
    };
    content.sort();
    content
}

fn issuer(code: u32) -> Issuer {
    let own = (Level::new(HENAN_LEVEL).expect("a level"), Colour::Yellow);
    Issuer {
        id: id(code),
        name_zh: "健康码".parse().expect("short"),
        name_en: "Health code".parse().expect("short"),
        hotline: "12345".parse().expect("short"),
        levels: (code == HENAN).then_some(own).into_iter().collect(),
        lists_status: false,
    }
}

fn issuer_key(code: u32) -> IssuerKey {
    IssuerKey {
        issuer: id(code),
        public_key: key_of(code).verifying_key().to_bytes(),
        valid_from: NOW_S - 200 * DAY_S,
        valid_until: NOW_S + 500 * DAY_S,
    }
}

fn rule(issuer: u32, path: Path, kinds: Kinds) -> Rule {
    Rule {
        host: id(ZHEJIANG),
        issuer: id(issuer),
        path,
        valid_from: NOW_S - 100 * DAY_S,
        valid_until: NOW_S + 100 * DAY_S,
        kinds,
        treat: [Colour::Green, Colour::Yellow, Colour::Red],
    }
}

pub(crate) fn trust_list(content: &TrustContent) -> TrustList {
    TrustList::new(content.clone()).expect("a list of this world")
}

/// Signs any payload, also one that is no good.
pub(crate) fn signed_bytes(payload: &[u8], key: &SigningKey, purpose: Purpose) -> Vec<u8> {
    let (mut out, mut scratch) = (Buf::<4096>::new(), Buf::<4096>::new());
    cose::sign1(&mut out, key, purpose, payload, &mut scratch).expect("fits");
    out.as_bytes().to_vec()
}

/// A green pass of an issuer and a kind with no optional field, valid at [`NOW`].
pub(crate) fn claims(code: u32, kind: Kind) -> Claims {
    let lifetime_s = if kind == Kind::Phone { 600 } else { 30 * DAY_S };
    Claims {
        issuer: id(code),
        issued_at: NOW_S - 300,
        not_before: None,
        expires_at: NOW_S - 300 + lifetime_s,
        pass_id: [0xc1; 8],
        level: Level::new(1).expect("green"),
        holder: [0x5b; 16],
        kind,
        display: None,
        colour_reason: None,
        until: None,
        test: None,
        household: None,
    }
}

/// The same with every optional field at an everyday size.
pub(crate) fn full_claims(code: u32, kind: Kind) -> Claims {
    Claims {
        not_before: Some(NOW_S - 240),
        display: Some(Display { name: "张*三".parse().expect("short"), id_tail: "041X".parse().expect("short") }),
        colour_reason: Some(301),
        until: Some(NOW_S + 7 * DAY_S),
        test: Some(Test { sampled_at: NOW_S - DAY_S, result: TestResult::Negative }),
        household: Some([0x40; 8]),
        ..claims(code, kind)
    }
}

pub(crate) fn of_level(level: u8, claims: Claims) -> Claims {
    Claims { level: Level::new(level).expect("1 to 15"), ..claims }
}

/// The pass, signed by the key of the issuer that it names.
pub(crate) fn issued(claims: &Claims) -> Payload {
    pass::issue(claims, &key_of(claims.issuer.code())).expect("claims within bounds")
}

/// The text of a pass of any bytes.
pub(crate) fn text_of(message: &[u8]) -> String {
    let mut text = String::from("MS1:");
    crate::base45::encode(message, |c| text.push(char::from(c)));
    text
}
