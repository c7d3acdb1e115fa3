//! What a gate believes: issuers, their keys, and whose codes count where.
//!
//! A [`TrustList`] is made only by [`TrustList::open`] from bytes that the pinned trust anchor signed.
//! Keys are looked up by id, never tried in turn. The list has bounds, so that a gate's memory does
//! not depend on what it is sent, and it has a version, so that it never goes back.
//!
//! Encoding: COSE_Sign1 (purpose `TrustList`) over the deterministic CBOR that [`TrustContent::encode`]
//! writes.

use crate::cbor::{CborError, Expect, definite};
use crate::cose::{CoseError, Purpose, Sign1};
use crate::ids::{IssuerId, KeyId};
use crate::pass::{Colour, Level};
use crate::recognition::{Kinds, Path, Rule};
use crate::time::Time;
use core::fmt;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The most issuers in a list: the 31 provinces, the national platform, and 96 cities and offices.
pub const MAX_ISSUERS: usize = 128;
/// The most keys in a list.
pub const MAX_KEYS: usize = 384;
/// The most recognition rules in a list.
pub const MAX_RULES: usize = 512;
/// The most bytes of a signed list.
pub const MAX_TRUST_BYTES: usize = 128 * 1024;
/// The version of the encoding.
pub const FORMAT: u8 = 1;

/// Why a trust list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// Longer than [`MAX_TRUST_BYTES`].
    TooLong,
    /// Not signed by the pinned anchor.
    Signature(CoseError),
    /// Signed, but its content is not a trust list.
    Content(CborError),
    /// Of a format that this program does not know.
    Format(u8),
    /// A key or rule names an issuer that the list does not have, an id or level occurs twice or out of
    /// order, or a level redefines green, yellow or red.
    Dangling,
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustError::TooLong => write!(f, "the trust list is longer than {MAX_TRUST_BYTES} bytes"),
            TrustError::Signature(error) => write!(f, "the trust anchor did not sign this trust list: {error}"),
            TrustError::Content(error) => write!(f, "the content of the trust list is damaged: {error}"),
            TrustError::Format(found) => {
                write!(f, "the trust list has format {found}, this program knows format {FORMAT}: update it")
            }
            TrustError::Dangling => {
                f.write_str("the trust list contradicts itself: a duplicate, or a key or rule of an issuer it lacks: publish it anew")
            }
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

/// What the trust anchor says a gate may believe, with the moment it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustList {
    content: TrustContent,
    /// The id of every key in `content.keys`, in the same order, sorted.
    kids: heapless::Vec<KeyId, MAX_KEYS>,
}

/// The content of a trust list, before anyone has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustContent {
    /// Rises with every publication.
    pub version: u64,
    /// When it was published, seconds since 1970.
    pub as_of: u64,
    /// The health authority's X25519 key, to which holder references are sealed.
    pub authority_key: Option<[u8; 32]>,
    /// The issuers, by ascending id.
    pub issuers: heapless::Vec<Issuer, MAX_ISSUERS>,
    /// Their keys, by ascending key id.
    pub keys: heapless::Vec<IssuerKey, MAX_KEYS>,
    /// Whose codes count where.
    pub rules: heapless::Vec<Rule, MAX_RULES>,
}

impl TrustList {
    /// Verifies and reads a signed list. `scratch` must be empty and take [`MAX_TRUST_BYTES`].
    pub fn open<S>(signed: &[u8], anchor: &[u8; 32], scratch: &mut S) -> Result<TrustList, TrustError>
    where
        S: Write + AsRef<[u8]>,
    {
        if signed.len() > MAX_TRUST_BYTES {
            return Err(TrustError::TooLong);
        }
        let sign1 = Sign1::parse(signed).map_err(|error| TrustError::Signature(error.into()))?;
        if sign1.kid != KeyId::of(anchor) {
            return Err(TrustError::Signature(CoseError::Signature));
        }
        sign1.verify(anchor, Purpose::TrustList, scratch).map_err(TrustError::Signature)?;
        let content = TrustContent::decode(sign1.payload)?;
        let kids = content.keys.iter().map(|key| KeyId::of(&key.public_key)).collect();
        Ok(TrustList { content, kids })
    }

    /// The issuer of an id.
    pub fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        let at = self.content.issuers.binary_search_by_key(&id, |issuer| issuer.id).ok()?;
        self.content.issuers.get(at)
    }

    /// The key of an id.
    pub fn key(&self, kid: KeyId) -> Option<&IssuerKey> {
        let at = self.kids.binary_search(&kid).ok()?;
        self.content.keys.get(at)
    }

    /// Everything in the list, for those who show it.
    pub fn content(&self) -> &TrustContent {
        &self.content
    }

    /// How old the list is, judged by a policy's two ages in seconds.
    pub fn freshness(&self, now: Time, ageing_after_s: u64, stale_after_s: u64) -> Freshness {
        use crate::time::Confidence;
        let age_s = now.since(self.content.as_of);
        match now.confidence {
            _ if age_s >= stale_after_s => Freshness::Stale,
            Confidence::Floor => Freshness::Unknown,
            Confidence::Trusted if age_s >= ageing_after_s => Freshness::Ageing,
            Confidence::Trusted => Freshness::Fresh,
        }
    }
}

impl TrustContent {
    /// Puts issuers and keys into the order that the encoding wants.
    pub fn sort(&mut self) {
        self.issuers.sort_unstable_by_key(|issuer| issuer.id);
        self.keys.sort_unstable_by_key(|key| KeyId::of(&key.public_key));
    }

    /// Writes the one encoding of this content.
    pub fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(7)?.u8(FORMAT)?.u64(self.version)?.u64(self.as_of)?;
        match &self.authority_key {
            Some(key) => e.bytes(key)?,
            None => e.null()?,
        };
        e.array(self.issuers.len() as u64)?;
        self.issuers.iter().try_for_each(|issuer| encode_issuer(&mut e, issuer))?;
        e.array(self.keys.len() as u64)?;
        self.keys.iter().try_for_each(|key| encode_key(&mut e, key))?;
        e.array(self.rules.len() as u64)?;
        self.rules.iter().try_for_each(|rule| encode_rule(&mut e, rule))
    }

    fn decode(bytes: &[u8]) -> Result<TrustContent, TrustError> {
        let mut d = Decoder::new(bytes);
        if definite(d.array().map_err(CborError::from)?)? != 7 {
            return Err(CborError::Shape.into());
        }
        match d.u8().map_err(CborError::from)? {
            FORMAT => {}
            other => return Err(TrustError::Format(other)),
        }
        let content = decode_body(&mut d)?;
        let mut expect = Expect::new(bytes);
        content.encode(&mut expect).map_err(|_| CborError::NotCanonical)?;
        expect.end()?;
        content.check()?;
        Ok(content)
    }

    fn check(&self) -> Result<(), TrustError> {
        let issuers_rise = self.issuers.is_sorted_by(|a, b| a.id < b.id);
        let keys_rise = self.keys.is_sorted_by(|a, b| KeyId::of(&a.public_key) < KeyId::of(&b.public_key));
        let levels_rise = self.issuers.iter().all(Issuer::only_adds_levels);
        let has = |id| self.issuers.binary_search_by_key(&id, |issuer| issuer.id).is_ok();
        let known = self.keys.iter().all(|key| has(key.issuer)) && self.rules.iter().all(|rule| has(rule.issuer));
        if issuers_rise && keys_rise && levels_rise && known { Ok(()) } else { Err(TrustError::Dangling) }
    }
}

fn encode_issuer<W: Write>(e: &mut Encoder<W>, issuer: &Issuer) -> Result<(), encode::Error<W::Error>> {
    e.array(5)?.u32(issuer.id.code())?.str(&issuer.name_zh)?.str(&issuer.name_en)?.str(&issuer.hotline)?;
    e.array(issuer.levels.len() as u64)?;
    for (level, colour) in &issuer.levels {
        e.array(2)?.u8(level.number())?.u8(*colour as u8)?;
    }
    Ok(())
}

fn encode_key<W: Write>(e: &mut Encoder<W>, key: &IssuerKey) -> Result<(), encode::Error<W::Error>> {
    e.array(4)?.u32(key.issuer.code())?.bytes(&key.public_key)?.u64(key.valid_from)?.u64(key.valid_until)?;
    Ok(())
}

fn encode_rule<W: Write>(e: &mut Encoder<W>, rule: &Rule) -> Result<(), encode::Error<W::Error>> {
    e.array(7)?.u32(rule.host.code())?.u32(rule.issuer.code())?.u8(rule.path as u8)?;
    e.u64(rule.valid_from)?.u64(rule.valid_until)?.u16(rule.kinds.bits())?;
    e.array(3)?;
    for colour in rule.treat {
        e.u8(colour as u8)?;
    }
    Ok(())
}

fn decode_body(d: &mut Decoder<'_>) -> Result<TrustContent, CborError> {
    Ok(TrustContent {
        version: d.u64()?,
        as_of: d.u64()?,
        authority_key: decode_optional_key(d)?,
        issuers: decode_list(d, decode_issuer)?,
        keys: decode_list(d, decode_key)?,
        rules: decode_list(d, decode_rule)?,
    })
}

fn decode_list<T, const N: usize>(
    d: &mut Decoder<'_>,
    one: impl Fn(&mut Decoder<'_>) -> Result<T, CborError>,
) -> Result<heapless::Vec<T, N>, CborError> {
    let mut list = heapless::Vec::new();
    for _ in 0..definite(d.array()?)? {
        list.push(one(d)?).map_err(|_| CborError::Bounds)?;
    }
    Ok(list)
}

fn decode_optional_key(d: &mut Decoder<'_>) -> Result<Option<[u8; 32]>, CborError> {
    if d.datatype()? == minicbor::data::Type::Null {
        d.null()?;
        return Ok(None);
    }
    Ok(Some(d.bytes()?.try_into().map_err(|_| CborError::Bounds)?))
}

fn decode_issuer(d: &mut Decoder<'_>) -> Result<Issuer, CborError> {
    tuple(d, 5)?;
    Ok(Issuer {
        id: decode_id(d)?,
        name_zh: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        name_en: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        hotline: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        levels: decode_list(d, decode_level)?,
    })
}

fn decode_level(d: &mut Decoder<'_>) -> Result<(Level, Colour), CborError> {
    tuple(d, 2)?;
    Ok((Level::new(d.u8()?).ok_or(CborError::Bounds)?, decode_colour(d)?))
}

fn decode_key(d: &mut Decoder<'_>) -> Result<IssuerKey, CborError> {
    tuple(d, 4)?;
    Ok(IssuerKey {
        issuer: decode_id(d)?,
        public_key: d.bytes()?.try_into().map_err(|_| CborError::Bounds)?,
        valid_from: d.u64()?,
        valid_until: d.u64()?,
    })
}

fn decode_rule(d: &mut Decoder<'_>) -> Result<Rule, CborError> {
    tuple(d, 7)?;
    Ok(Rule {
        host: decode_id(d)?,
        issuer: decode_id(d)?,
        path: Path::from_number(d.u8()?).ok_or(CborError::Bounds)?,
        valid_from: d.u64()?,
        valid_until: d.u64()?,
        kinds: Kinds::from_bits(d.u16()?).ok_or(CborError::Bounds)?,
        treat: {
            tuple(d, 3)?;
            [decode_colour(d)?, decode_colour(d)?, decode_colour(d)?]
        },
    })
}

fn decode_id(d: &mut Decoder<'_>) -> Result<IssuerId, CborError> {
    IssuerId::new(d.u32()?).ok_or(CborError::Bounds)
}

fn decode_colour(d: &mut Decoder<'_>) -> Result<Colour, CborError> {
    Colour::from_number(d.u8()?).ok_or(CborError::Bounds)
}

fn tuple(d: &mut Decoder<'_>, size: u64) -> Result<(), CborError> {
    if definite(d.array()?)? == size { Ok(()) } else { Err(CborError::Shape) }
}

#[cfg(test)]
mod tests;
