//! The parts of which a trust list is made, as they are published: issuers with their keys, and recognition rules.
//!
//! Each part is one file that one signer vouches for: `issuers` and `recognition` by the national platform, and
//! `issuers/330000` and `recognition/330000` by whoever speaks for Zhejiang. The files are deterministic CBOR (RFC 8949
//! section 4.2) of one shape each; a part that is read is encoded again and compared, so that there is one spelling.
//! They are apart from the list because the list is what a gate asks and a part is what travels.

use super::{Issuer, IssuerKey, MAX_ISSUERS, MAX_KEYS, MAX_RULES, TrustError};
use crate::cbor::{CborError, Expect, definite};
use crate::ids::{IssuerId, KeyId};
use crate::pass::{Colour, Level};
use crate::recognition::{Kinds, Path, Rule};
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The version of both encodings.
pub const FORMAT: u8 = 1;
/// The most bytes of a part.
pub const MAX_PART_BYTES: usize = 256 * 1024;

/// Issuers and their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    /// The health authority's X25519 key; in the national part only.
    pub authority_key: Option<[u8; 32]>,
    /// The issuers, by ascending id.
    pub issuers: heapless::Vec<Issuer, MAX_ISSUERS>,
    /// Their keys, by ascending key id.
    pub keys: heapless::Vec<IssuerKey, MAX_KEYS>,
}

/// Recognition rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules, in the order in which they were made.
    pub rules: heapless::Vec<Rule, MAX_RULES>,
}

impl Issuers {
    /// Puts issuers and keys into the order that the encoding wants.
    pub fn sort(&mut self) {
        sort(&mut self.issuers, &mut self.keys);
    }

    /// Writes the one encoding of this part.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(4)?.u8(FORMAT)?;
        match &self.authority_key {
            Some(key) => e.bytes(key)?,
            None => e.null()?,
        };
        e.array(self.issuers.len() as u64)?;
        self.issuers.iter().try_for_each(|issuer| encode_issuer(&mut e, issuer))?;
        e.array(self.keys.len() as u64)?;
        self.keys.iter().try_for_each(|key| encode_key(&mut e, key))
    }

    /// Reads a part whose signer was verified.
    ///
    /// # Errors
    /// [`TrustError`] where it is anything but the one encoding of a part that is consistent in itself.
    pub fn decode(bytes: &[u8]) -> Result<Issuers, TrustError> {
        let mut d = begin(bytes, 4)?;
        let part = Issuers {
            authority_key: decode_optional_key(&mut d)?,
            issuers: decode_list(&mut d, decode_issuer)?,
            keys: decode_list(&mut d, decode_key)?,
        };
        let mut expect = Expect::new(bytes);
        part.encode(&mut expect).map_err(|_| CborError::NotCanonical)?;
        expect.end()?;
        check(&part.issuers, &part.keys, |key| KeyId::of(&key.public_key))?;
        Ok(part)
    }
}

impl Rules {
    /// Writes the one encoding of this part.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.array(2)?.u8(FORMAT)?;
        e.array(self.rules.len() as u64)?;
        self.rules.iter().try_for_each(|rule| encode_rule(&mut e, rule))
    }

    /// Reads a part whose signer was verified.
    ///
    /// # Errors
    /// [`TrustError`] where it is anything but the one encoding of rules.
    pub fn decode(bytes: &[u8]) -> Result<Rules, TrustError> {
        let mut d = begin(bytes, 2)?;
        let part = Rules { rules: decode_list(&mut d, decode_rule)? };
        let mut expect = Expect::new(bytes);
        part.encode(&mut expect).map_err(|_| CborError::NotCanonical)?;
        expect.end()?;
        Ok(part)
    }
}

/// Puts issuers and keys into their order.
pub(super) fn sort(issuers: &mut [Issuer], keys: &mut [IssuerKey]) {
    issuers.sort_unstable_by_key(|issuer| issuer.id);
    keys.sort_unstable_by_key(by_issuer_too);
}

/// The order of the keys of several parts, which may list the same one.
pub(super) fn by_issuer_too(key: &IssuerKey) -> (KeyId, IssuerId) {
    (KeyId::of(&key.public_key), key.issuer)
}

/// Whether issuers and keys are in order, keys by `order`, and every key is of one of the issuers.
pub(super) fn check<K: Ord>(
    issuers: &[Issuer],
    keys: &[IssuerKey],
    order: impl Fn(&IssuerKey) -> K,
) -> Result<(), TrustError> {
    let issuers_rise = issuers.is_sorted_by(|a, b| a.id < b.id);
    let keys_rise = keys.is_sorted_by(|a, b| order(a) < order(b));
    let levels_rise = issuers.iter().all(Issuer::only_adds_levels);
    let has = |id| issuers.binary_search_by_key(&id, |issuer| issuer.id).is_ok();
    let known = keys.iter().all(|key| has(key.issuer));
    if issuers_rise && keys_rise && levels_rise && known { Ok(()) } else { Err(TrustError::Dangling) }
}

fn begin(bytes: &[u8], size: u64) -> Result<Decoder<'_>, TrustError> {
    if bytes.len() > MAX_PART_BYTES {
        return Err(TrustError::TooLong);
    }
    let mut d = Decoder::new(bytes);
    tuple(&mut d, size)?;
    match d.u8().map_err(CborError::from)? {
        FORMAT => Ok(d),
        other => Err(TrustError::Format(other)),
    }
}

fn encode_issuer<W: Write>(e: &mut Encoder<W>, issuer: &Issuer) -> Result<(), encode::Error<W::Error>> {
    e.array(6)?.u32(issuer.id.code())?.str(&issuer.name_zh)?.str(&issuer.name_en)?.str(&issuer.hotline)?;
    e.array(issuer.levels.len() as u64)?;
    for (level, colour) in &issuer.levels {
        e.array(2)?.u8(level.number())?.u8(*colour as u8)?;
    }
    e.bool(issuer.lists_status)?;
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
    tuple(d, 6)?;
    Ok(Issuer {
        id: decode_id(d)?,
        name_zh: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        name_en: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        hotline: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        levels: decode_list(d, decode_level)?,
        lists_status: d.bool()?,
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
