//! What one document says of the rules of a class of site; what it does not say stays as it was.
//!
//! The nation signs one for a class, a division may sign another for its own gates, and a site file says the rest: all
//! three are this type, so a rule has one name, one bound and one meaning wherever it is written. What travels is
//! deterministic CBOR (RFC 8949 section 4.2): a map by ascending numbers, encoded again and compared, so that there is
//! one spelling. A key that this program does not know is refused: a rule that is not understood is not kept. So rules of a
//! later program need a path of their own; under this one they would hold back whoever signs them at every older gate.

use super::{MAX_THRESHOLD_CENTI_C, MIN_THRESHOLD_CENTI_C, Policy, Quota, Thermometry};
use crate::cbor::{CborError, Expect, definite};
use crate::manual::ManualWay;
use crate::recognition::Kinds;
use crate::verdict::Verdict;
use core::fmt;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The version of the encoding.
pub const FORMAT: u8 = 1;
/// The most bytes of a part.
pub const MAX_PART_BYTES: usize = 1024;
/// The longest time that a rule may name, in seconds: a year.
const MAX_AGE_S: u32 = 366 * 86_400;
/// The longest time in which a pass is asked about again, in seconds: a day.
const MAX_AGAIN_S: u32 = 86_400;
/// The most days over which outings are counted: no longer is remembered who went out.
pub(crate) const MAX_QUOTA_DAYS: u8 = 14;

/// What a document says; `None` says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyPart {
    /// Whether a reading is part of the verdict.
    pub thermometry: Option<Thermometry>,
    /// The screening threshold, in hundredths of a degree Celsius.
    pub threshold_centi_c: Option<i16>,
    /// What a yellow code leads to.
    pub yellow: Option<Verdict>,
    /// Which kinds of pass are accepted.
    pub kinds: Option<Kinds>,
    /// How old a negative test may be, in seconds; 0 asks for none.
    pub test_max_age_s: Option<u32>,
    /// From this age the trust list is ageing, in seconds.
    pub trust_ageing_after_s: Option<u32>,
    /// From this age it is stale.
    pub trust_stale_after_s: Option<u32>,
    /// From this time in which news of a pass may have been missed: a note.
    pub status_ageing_after_s: Option<u32>,
    /// From this time it is not admitted without a person.
    pub status_stale_after_s: Option<u32>,
    /// How often a household may go out; 0 outings in 0 days: nobody counts.
    pub quota: Option<Quota>,
    /// For so long the same pass is asked about, in seconds; 0 asks about none.
    pub again_after_s: Option<u32>,
    /// Whom a volunteer may let in by hand.
    pub manual: Option<ManualWay>,
}

/// A rule by its name. The numbers are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of the same name")]
pub enum Key {
    Thermometry = 1,
    Threshold = 2,
    Yellow = 3,
    Kinds = 4,
    TestMaxAge = 5,
    TrustAgeingAfter = 6,
    TrustStaleAfter = 7,
    StatusAgeingAfter = 8,
    StatusStaleAfter = 9,
    Quota = 10,
    AgainAfter = 11,
    Manual = 12,
}

impl Key {
    /// Every rule.
    pub const ALL: [Key; 12] = [
        Key::Thermometry,
        Key::Threshold,
        Key::Yellow,
        Key::Kinds,
        Key::TestMaxAge,
        Key::TrustAgeingAfter,
        Key::TrustStaleAfter,
        Key::StatusAgeingAfter,
        Key::StatusStaleAfter,
        Key::Quota,
        Key::AgainAfter,
        Key::Manual,
    ];

    /// Its name in site and policy files.
    pub const fn name(self) -> &'static str {
        match self {
            Key::Thermometry => "thermometry",
            Key::Threshold => "threshold_c",
            Key::Yellow => "yellow",
            Key::Kinds => "kinds",
            Key::TestMaxAge => "test_max_age_h",
            Key::TrustAgeingAfter => "trust_ageing_after_h",
            Key::TrustStaleAfter => "trust_stale_after_h",
            Key::StatusAgeingAfter => "status_ageing_after_h",
            Key::StatusStaleAfter => "status_stale_after_h",
            Key::Quota => "quota",
            Key::AgainAfter => "again_after_s",
            Key::Manual => "manual",
        }
    }
}

/// Why a document is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Not the one encoding of a policy.
    Content(CborError),
    /// Of a format that this program does not know.
    Format(u8),
    /// A rule is out of its bounds.
    Bounds(Key),
    /// What is stale must be older than what is ageing.
    Order(Key),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::Content(error) => write!(f, "its content is damaged: {error}"),
            PolicyError::Format(found) => {
                write!(f, "it has format {found}, this program knows format {FORMAT}: update it")
            }
            PolicyError::Bounds(key) => write!(f, "`{}` is out of its bounds: {}", key.name(), key.allowed()),
            PolicyError::Order(key) => {
                write!(f, "`{}` must be more than the age from which it is ageing: raise it", key.name())
            }
        }
    }
}

impl core::error::Error for PolicyError {}

impl From<CborError> for PolicyError {
    fn from(error: CborError) -> PolicyError {
        PolicyError::Content(error)
    }
}

impl Key {
    /// What it may be, for whoever writes it.
    pub const fn allowed(self) -> &'static str {
        match self {
            Key::Thermometry => "it may be \"required\" or \"off\"",
            Key::Threshold => "it may be 36.0 to 40.0 degrees Celsius, such as 37.3",
            Key::Yellow => "it may be \"admit\", \"refer\" or \"refuse\"",
            Key::Kinds => "it may hold one or more of \"phone\", \"paper\", \"dependent\", \"visitor\", \"community\"",
            Key::TestMaxAge => "it may be 0 (no test is asked for) to 8760 hours, such as 48",
            Key::TrustAgeingAfter | Key::TrustStaleAfter | Key::StatusAgeingAfter | Key::StatusStaleAfter => {
                "it may be 1 to 8760 hours"
            }
            Key::Quota => "it may be 1 to 255 outings in 1 to 14 days, or 0 in 0 where nobody counts",
            Key::AgainAfter => "it may be 0 to 86400 seconds",
            Key::Manual => "it may be \"never\", \"referred\" or \"all_but_red\"",
        }
    }
}

impl PolicyPart {
    /// Whether every rule is within its bounds.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self) -> Result<(), PolicyError> {
        let within = |key, is_good| if is_good { Ok(()) } else { Err(PolicyError::Bounds(key)) };
        let age = |value: Option<u32>| value.is_none_or(|age_s| (3600..=MAX_AGE_S).contains(&age_s));
        let threshold = MIN_THRESHOLD_CENTI_C..=MAX_THRESHOLD_CENTI_C;
        within(Key::Threshold, self.threshold_centi_c.is_none_or(|centi_c| threshold.contains(&centi_c)))?;
        within(Key::Kinds, self.kinds.is_none_or(|kinds| kinds.bits() != 0))?;
        within(Key::TestMaxAge, self.test_max_age_s.is_none_or(|age_s| age_s == 0 || age(Some(age_s))))?;
        within(Key::TrustAgeingAfter, age(self.trust_ageing_after_s))?;
        within(Key::TrustStaleAfter, age(self.trust_stale_after_s))?;
        within(Key::StatusAgeingAfter, age(self.status_ageing_after_s))?;
        within(Key::StatusStaleAfter, age(self.status_stale_after_s))?;
        within(Key::Quota, self.quota.is_none_or(Quota::is_sensible))?;
        within(Key::AgainAfter, self.again_after_s.is_none_or(|again_s| again_s <= MAX_AGAIN_S))
    }

    /// `base` with what this document says.
    ///
    /// # Errors
    /// [`PolicyError`] where a rule is out of bounds, or contradicts what `base` says of another.
    pub fn over(&self, base: &Policy) -> Result<Policy, PolicyError> {
        self.check()?;
        let age = |age_s: Option<u32>, base_s: u64| age_s.map_or(base_s, u64::from);
        let policy = Policy {
            thermometry: self.thermometry.unwrap_or(base.thermometry),
            threshold_centi_c: self.threshold_centi_c.unwrap_or(base.threshold_centi_c),
            yellow: self.yellow.unwrap_or(base.yellow),
            kinds: self.kinds.unwrap_or(base.kinds),
            test_max_age_s: match self.test_max_age_s {
                None => base.test_max_age_s,
                Some(0) => None,
                Some(age_s) => Some(u64::from(age_s)),
            },
            trust_ageing_after_s: age(self.trust_ageing_after_s, base.trust_ageing_after_s),
            trust_stale_after_s: age(self.trust_stale_after_s, base.trust_stale_after_s),
            status_ageing_after_s: age(self.status_ageing_after_s, base.status_ageing_after_s),
            status_stale_after_s: age(self.status_stale_after_s, base.status_stale_after_s),
            quota: match self.quota {
                None => base.quota,
                Some(quota) if quota.outings == 0 => None,
                quota => quota,
            },
            again_after_s: self.again_after_s.unwrap_or(base.again_after_s),
            manual: self.manual.unwrap_or(base.manual),
            ..base.clone()
        };
        if policy.trust_stale_after_s <= policy.trust_ageing_after_s {
            return Err(PolicyError::Order(Key::TrustStaleAfter));
        }
        if policy.status_stale_after_s <= policy.status_ageing_after_s {
            return Err(PolicyError::Order(Key::StatusStaleAfter));
        }
        Ok(policy)
    }

    /// Of what this document says, what is not looser than `base`: a site may ask for more than is signed for it, never
    /// for less. Gives the rest by name.
    pub fn not_looser_than(&self, base: &Policy) -> (PolicyPart, heapless::Vec<Key, 12>) {
        let mut kept = *self;
        let mut left_out = heapless::Vec::new();
        for key in Key::ALL {
            if self.loosens(key, base) {
                kept.forget(key);
                // There is room for every key.
                left_out.push(key).unwrap_or_default();
            }
        }
        (kept, left_out)
    }

    fn loosens(&self, key: Key, base: &Policy) -> bool {
        let later = |age_s: Option<u32>, base_s: u64| age_s.is_some_and(|age_s| u64::from(age_s) > base_s);
        match key {
            Key::Thermometry => self.thermometry == Some(Thermometry::Off) && base.thermometry == Thermometry::Required,
            Key::Threshold => self.threshold_centi_c.is_some_and(|centi_c| centi_c > base.threshold_centi_c),
            Key::Yellow => self.yellow.is_some_and(|yellow| yellow < base.yellow),
            Key::Kinds => self.kinds.is_some_and(|kinds| kinds.bits() & !base.kinds.bits() != 0),
            Key::TestMaxAge => match (self.test_max_age_s, base.test_max_age_s) {
                (None, _) | (Some(_), None) => false,
                (Some(0), Some(_)) => true,
                (Some(age_s), Some(base_s)) => u64::from(age_s) > base_s,
            },
            Key::TrustAgeingAfter => later(self.trust_ageing_after_s, base.trust_ageing_after_s),
            Key::TrustStaleAfter => later(self.trust_stale_after_s, base.trust_stale_after_s),
            Key::StatusAgeingAfter => later(self.status_ageing_after_s, base.status_ageing_after_s),
            Key::StatusStaleAfter => later(self.status_stale_after_s, base.status_stale_after_s),
            Key::Quota => match (self.quota, base.quota) {
                (None, _) | (Some(_), None) => false,
                (Some(own), Some(base)) => own.outings == 0 || own.outings > base.outings || own.days < base.days,
            },
            Key::AgainAfter => self.again_after_s.is_some_and(|again_s| again_s < base.again_after_s),
            Key::Manual => self.manual.is_some_and(|manual| manual > base.manual),
        }
    }

    /// The same document, which says nothing of one rule.
    pub fn without(mut self, key: Key) -> PolicyPart {
        self.forget(key);
        self
    }

    fn forget(&mut self, key: Key) {
        match key {
            Key::Thermometry => self.thermometry = None,
            Key::Threshold => self.threshold_centi_c = None,
            Key::Yellow => self.yellow = None,
            Key::Kinds => self.kinds = None,
            Key::TestMaxAge => self.test_max_age_s = None,
            Key::TrustAgeingAfter => self.trust_ageing_after_s = None,
            Key::TrustStaleAfter => self.trust_stale_after_s = None,
            Key::StatusAgeingAfter => self.status_ageing_after_s = None,
            Key::StatusStaleAfter => self.status_stale_after_s = None,
            Key::Quota => self.quota = None,
            Key::AgainAfter => self.again_after_s = None,
            Key::Manual => self.manual = None,
        }
    }

    /// The rules that this document names.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        Key::ALL.into_iter().filter(|key| self.without(*key) != *self)
    }

    /// Writes the one encoding of this document.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.map(1 + self.keys().count() as u64)?.u8(0)?.u8(FORMAT)?;
        for key in self.keys() {
            self.encode_rule(&mut e, key)?;
        }
        Ok(())
    }

    fn encode_rule<W: Write>(&self, e: &mut Encoder<W>, key: Key) -> Result<(), encode::Error<W::Error>> {
        let number = match key {
            Key::Thermometry => self.thermometry.map(|thermometry| u32::from(thermometry == Thermometry::Required)),
            Key::Threshold => self.threshold_centi_c.map(|centi_c| u32::from(centi_c.unsigned_abs())),
            Key::Yellow => self.yellow.map(|yellow| u32::from(yellow as u8)),
            Key::Kinds => self.kinds.map(|kinds| u32::from(kinds.bits())),
            Key::TestMaxAge => self.test_max_age_s,
            Key::TrustAgeingAfter => self.trust_ageing_after_s,
            Key::TrustStaleAfter => self.trust_stale_after_s,
            Key::StatusAgeingAfter => self.status_ageing_after_s,
            Key::StatusStaleAfter => self.status_stale_after_s,
            Key::Quota => self.quota.map(|quota| u32::from(quota.outings) << 8 | u32::from(quota.days)),
            Key::AgainAfter => self.again_after_s,
            Key::Manual => self.manual.map(|manual| u32::from(manual as u8)),
        };
        if let Some(number) = number {
            e.u8(key as u8)?.u32(number)?;
        }
        Ok(())
    }

    /// Reads a document whose signer was verified.
    ///
    /// # Errors
    /// [`PolicyError`] where it is anything but the one encoding of rules within their bounds.
    pub fn decode(bytes: &[u8]) -> Result<PolicyPart, PolicyError> {
        if bytes.len() > MAX_PART_BYTES {
            return Err(PolicyError::Content(CborError::Bounds));
        }
        let mut d = Decoder::new(bytes);
        let entries = definite(d.map().map_err(CborError::from)?)?;
        let mut part = PolicyPart::default();
        for at in 0..entries {
            let (key, number) = (d.u8().map_err(CborError::from)?, d.u32().map_err(CborError::from)?);
            match (at, key) {
                (0, 0) if number == u32::from(FORMAT) => {}
                (0, 0) => return Err(PolicyError::Format(u8::try_from(number).unwrap_or(u8::MAX))),
                (0, _) => return Err(PolicyError::Content(CborError::Shape)),
                _ => part.take(key, number)?,
            }
        }
        let mut expect = Expect::new(bytes);
        part.encode(&mut expect).map_err(|_| CborError::NotCanonical)?;
        expect.end()?;
        part.check()?;
        Ok(part)
    }

    fn take(&mut self, key: u8, number: u32) -> Result<(), PolicyError> {
        let key = Key::ALL.into_iter().find(|known| *known as u8 == key);
        let key = key.ok_or(PolicyError::Content(CborError::Shape))?;
        let bounds = PolicyError::Bounds(key);
        let small = u8::try_from(number).map_err(|_| bounds);
        match key {
            Key::Thermometry => {
                self.thermometry = Some(match number {
                    0 => Thermometry::Off,
                    1 => Thermometry::Required,
                    _ => return Err(bounds),
                });
            }
            Key::Threshold => self.threshold_centi_c = Some(i16::try_from(number).map_err(|_| bounds)?),
            Key::Yellow => self.yellow = Some(Verdict::from_number(small?).ok_or(bounds)?),
            Key::Kinds => {
                let bits = u16::try_from(number).map_err(|_| bounds)?;
                self.kinds = Some(Kinds::from_bits(bits).ok_or(bounds)?);
            }
            Key::TestMaxAge => self.test_max_age_s = Some(number),
            Key::TrustAgeingAfter => self.trust_ageing_after_s = Some(number),
            Key::TrustStaleAfter => self.trust_stale_after_s = Some(number),
            Key::StatusAgeingAfter => self.status_ageing_after_s = Some(number),
            Key::StatusStaleAfter => self.status_stale_after_s = Some(number),
            Key::Quota => {
                let outings = u8::try_from(number >> 8).map_err(|_| bounds)?;
                self.quota = Some(Quota { outings, days: (number & 0xff) as u8 });
            }
            Key::AgainAfter => self.again_after_s = Some(number),
            Key::Manual => self.manual = Some(ManualWay::from_number(small?).ok_or(bounds)?),
        }
        Ok(())
    }
}

impl Quota {
    fn is_sensible(self) -> bool {
        let counted = self.outings >= 1 && (1..=MAX_QUOTA_DAYS).contains(&self.days);
        counted || self == Quota { outings: 0, days: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::Buf;
    use crate::policy::SiteClass;
    use std::vec::Vec;

    fn everything() -> PolicyPart {
        PolicyPart {
            thermometry: Some(Thermometry::Off),
            threshold_centi_c: Some(3750),
            yellow: Some(Verdict::Refuse),
            kinds: Some(Kinds::of(&[crate::pass::Kind::Paper])),
            test_max_age_s: Some(0),
            trust_ageing_after_s: Some(3600),
            trust_stale_after_s: Some(7200),
            status_ageing_after_s: Some(3600),
            status_stale_after_s: Some(7200),
            quota: Some(Quota { outings: 1, days: 2 }),
            again_after_s: Some(30),
            manual: Some(ManualWay::Never),
        }
    }

    fn bytes(part: &PolicyPart) -> Vec<u8> {
        let mut out = Buf::<MAX_PART_BYTES>::new();
        part.encode(&mut out).expect("fits");
        out.as_bytes().to_vec()
    }

    #[test]
    fn a_document_reads_back_as_it_was_written() {
        for part in
            [PolicyPart::default(), everything(), PolicyPart { yellow: Some(Verdict::Admit), ..PolicyPart::default() }]
        {
            assert_eq!(PolicyPart::decode(&bytes(&part)), Ok(part));
        }
        assert_eq!(everything().keys().count(), Key::ALL.len());
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        for class in SiteClass::ALL {
            assert_eq!(PolicyPart::default().over(&Policy::of(class)), Ok(Policy::of(class)));
        }
    }

    #[test]
    fn no_changed_byte_and_no_shorter_document_is_another_rule_unless_it_is_in_bounds() {
        let good = bytes(&everything());
        for cut in 0..good.len() {
            assert!(PolicyPart::decode(&good[..cut]).is_err(), "{cut}");
        }
        for at in 0..good.len() {
            for value in 0..=u8::MAX {
                let mut changed = good.clone();
                changed[at] = value;
                if let Ok(part) = PolicyPart::decode(&changed) {
                    assert_eq!((bytes(&part), part.check()), (changed, Ok(())));
                }
            }
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        for (part, key) in [
            (PolicyPart { threshold_centi_c: Some(3599), ..PolicyPart::default() }, Key::Threshold),
            (PolicyPart { threshold_centi_c: Some(4001), ..PolicyPart::default() }, Key::Threshold),
            (PolicyPart { kinds: Some(Kinds::of(&[])), ..PolicyPart::default() }, Key::Kinds),
            (PolicyPart { test_max_age_s: Some(60), ..PolicyPart::default() }, Key::TestMaxAge),
            (PolicyPart { trust_stale_after_s: Some(0), ..PolicyPart::default() }, Key::TrustStaleAfter),
            (PolicyPart { quota: Some(Quota { outings: 1, days: 0 }), ..PolicyPart::default() }, Key::Quota),
            (PolicyPart { quota: Some(Quota { outings: 1, days: 15 }), ..PolicyPart::default() }, Key::Quota),
            (PolicyPart { again_after_s: Some(86_401), ..PolicyPart::default() }, Key::AgainAfter),
        ] {
            assert_eq!(part.check(), Err(PolicyError::Bounds(key)));
            assert_eq!(PolicyPart::decode(&bytes(&part)), Err(PolicyError::Bounds(key)));
        }
        let stale = PolicyPart { trust_stale_after_s: Some(86_400), ..PolicyPart::default() };
        assert_eq!(stale.over(&Policy::default()), Err(PolicyError::Order(Key::TrustStaleAfter)));
    }

    #[test]
    fn a_site_asks_for_more_than_is_signed_and_never_for_less() {
        let signed = Policy {
            quota: Some(Quota { outings: 2, days: 2 }),
            manual: ManualWay::Referred,
            test_max_age_s: Some(48 * 3600),
            ..Policy::default()
        };
        let looser = PolicyPart {
            thermometry: Some(Thermometry::Off),
            threshold_centi_c: Some(3800),
            yellow: Some(Verdict::Admit),
            kinds: Some(Kinds::all()),
            test_max_age_s: Some(0),
            trust_ageing_after_s: Some(30 * 86_400),
            trust_stale_after_s: Some(60 * 86_400),
            status_ageing_after_s: Some(30 * 86_400),
            status_stale_after_s: Some(60 * 86_400),
            quota: Some(Quota { outings: 3, days: 2 }),
            again_after_s: Some(0),
            manual: Some(ManualWay::AllButRed),
        };
        let narrow = Policy { kinds: Kinds::of(&[crate::pass::Kind::Phone]), ..signed.clone() };
        let (kept, left_out) = looser.not_looser_than(&narrow);
        assert_eq!((kept, left_out.len()), (PolicyPart::default(), Key::ALL.len()));
        let stricter = PolicyPart {
            thermometry: Some(Thermometry::Required),
            threshold_centi_c: Some(3700),
            yellow: Some(Verdict::Refuse),
            kinds: Some(Kinds::of(&[crate::pass::Kind::Phone])),
            test_max_age_s: Some(24 * 3600),
            trust_ageing_after_s: Some(3600),
            trust_stale_after_s: Some(7200),
            status_ageing_after_s: Some(3600),
            status_stale_after_s: Some(7200),
            quota: Some(Quota { outings: 1, days: 2 }),
            again_after_s: Some(3600),
            manual: Some(ManualWay::Never),
        };
        let (kept, left_out) = stricter.not_looser_than(&signed);
        assert_eq!((kept, left_out.len()), (stricter, 0));
    }
}
