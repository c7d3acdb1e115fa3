//! The rules of a place as people write them: the keys of a policy file, and of the `[policy]` section of a site file.
//!
//! Two readers would come to differ, so there is one: whoever signs a policy and whoever sets up a site use the same
//! words, units and bounds. A site's section has keys of its own besides; [`Section`] reads both out of one table in one
//! pass, so that a key which nobody knows is refused in the line in which it stands. Values are read wide (any whole
//! number, any word) and judged by [`PolicyFile::part`], so that every refusal is one sentence that names the key, what
//! it is and what it may be.

use menshen_core::manual::ManualWay;
use menshen_core::pass::Kind;
use menshen_core::policy::{Key, Policy, PolicyError, PolicyPart, Quota, Thermometry};
use menshen_core::recognition::Kinds;
use menshen_core::verdict::Verdict;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The longest time that a file may name, in hours: a year.
const MAX_AGE_H: i64 = 8760;
const HOUR_S: u32 = 3600;
const THERMOMETRY: [Thermometry; 2] = [Thermometry::Required, Thermometry::Off];
const VERDICTS: [Verdict; 3] = [Verdict::Admit, Verdict::Refer, Verdict::Refuse];

/// Rules as they are written; what is left out is not said. The keys are those of [`Key::name`], by the same names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// "required" or "off".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thermometry: Option<String>,
    /// Degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_c: Option<f64>,
    /// The name of a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yellow: Option<String>,
    /// Names of kinds of pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Hours; 0 asks for no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_max_age_h: Option<i64>,
    /// Hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_ageing_after_h: Option<i64>,
    /// Hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_stale_after_h: Option<i64>,
    /// Hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_ageing_after_h: Option<i64>,
    /// Hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_stale_after_h: Option<i64>,
    /// Seconds; 0 asks about no pass again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_after_s: Option<i64>,
    /// "never", "referred" or "all_but_red".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<String>,
    /// How often a household may go out. The last one, because it may be written as a table of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaFile>,
}

/// A quota as it is written: `{ outings = 1, days = 2 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaFile {
    /// How many admissions of a household.
    pub outings: i64,
    /// In how many calendar days.
    pub days: i64,
}

/// A rule that can not be, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is {found}: {allowed}", key.name())]
pub struct PolicyFileError {
    /// Which rule.
    pub key: Key,
    /// What is written there.
    pub found: String,
    /// What it may be, as "it may be …".
    pub allowed: &'static str,
}

impl PolicyFile {
    /// The rules of a file that has nothing else.
    ///
    /// # Errors
    /// What the file's line has that is no rule, or no value of its kind.
    pub fn parse(text: &str) -> Result<PolicyFile, toml::de::Error> {
        toml::from_str(text)
    }

    /// The rules, each within its bounds.
    ///
    /// # Errors
    /// [`PolicyFileError`] of the first that is not.
    pub fn part(&self) -> Result<PolicyPart, PolicyFileError> {
        let age = |key, age_h: Option<i64>| match age_h {
            Some(age_h) => seconds(key, age_h, 1).map(Some),
            None => Ok(None),
        };
        let part = PolicyPart {
            thermometry: self
                .thermometry
                .as_deref()
                .map(|word| named(Key::Thermometry, word, THERMOMETRY.map(|own| (thermometry_name(own), own))))
                .transpose()?,
            threshold_centi_c: self.threshold_c.map(centi),
            yellow: self.yellow.as_deref().map(verdict).transpose()?,
            kinds: self.kinds.as_deref().map(kinds).transpose()?,
            test_max_age_s: self.test_max_age_h.map(|age_h| seconds(Key::TestMaxAge, age_h, 0)).transpose()?,
            trust_ageing_after_s: age(Key::TrustAgeingAfter, self.trust_ageing_after_h)?,
            trust_stale_after_s: age(Key::TrustStaleAfter, self.trust_stale_after_h)?,
            status_ageing_after_s: age(Key::StatusAgeingAfter, self.status_ageing_after_h)?,
            status_stale_after_s: age(Key::StatusStaleAfter, self.status_stale_after_h)?,
            quota: self.quota.map(quota).transpose()?,
            again_after_s: self.again_after_s.map(|s| number(Key::AgainAfter, s)).transpose()?,
            manual: self
                .manual
                .as_deref()
                .map(|word| named(Key::Manual, word, ManualWay::ALL.map(|way| (way.name(), way))))
                .transpose()?,
        };
        part.check().map_err(|error| match error {
            PolicyError::Bounds(key) | PolicyError::Order(key) => self.refused(key),
            PolicyError::Content(_) | PolicyError::Format(_) => unreachable!("no bytes were read"),
        })?;
        Ok(part)
    }

    /// How rules are written. A time that is no whole number of hours, which no file makes, is rounded down.
    pub fn of(part: &PolicyPart) -> PolicyFile {
        let word = |name: &str| Some(name.to_owned());
        let age = |age_s: Option<u32>| age_s.map(|age_s| i64::from(age_s / HOUR_S));
        let kinds =
            |kinds: Kinds| Kind::ALL.into_iter().filter(move |kind| kinds.has(*kind)).map(|kind| kind.name().into());
        PolicyFile {
            thermometry: part.thermometry.and_then(|own| word(thermometry_name(own))),
            threshold_c: part.threshold_centi_c.map(|centi_c| f64::from(centi_c) / 100.0),
            yellow: part.yellow.and_then(|own| word(own.name())),
            kinds: part.kinds.map(|own| kinds(own).collect()),
            test_max_age_h: age(part.test_max_age_s),
            trust_ageing_after_h: age(part.trust_ageing_after_s),
            trust_stale_after_h: age(part.trust_stale_after_s),
            status_ageing_after_h: age(part.status_ageing_after_s),
            status_stale_after_h: age(part.status_stale_after_s),
            again_after_s: part.again_after_s.map(i64::from),
            manual: part.manual.and_then(|own| word(own.name())),
            quota: part.quota.map(|own| QuotaFile { outings: own.outings.into(), days: own.days.into() }),
        }
    }

    /// How all that is in force is written, of what a file can say.
    pub fn of_all(policy: &Policy) -> PolicyFile {
        let age = |age_s: u64| Some(u32::try_from(age_s).unwrap_or(u32::MAX));
        PolicyFile::of(&PolicyPart {
            thermometry: Some(policy.thermometry),
            threshold_centi_c: Some(policy.threshold_centi_c),
            yellow: Some(policy.yellow),
            kinds: Some(policy.kinds),
            test_max_age_s: age(policy.test_max_age_s.unwrap_or(0)),
            trust_ageing_after_s: age(policy.trust_ageing_after_s),
            trust_stale_after_s: age(policy.trust_stale_after_s),
            status_ageing_after_s: age(policy.status_ageing_after_s),
            status_stale_after_s: age(policy.status_stale_after_s),
            quota: Some(policy.quota.unwrap_or(Quota { outings: 0, days: 0 })),
            again_after_s: Some(policy.again_after_s),
            manual: Some(policy.manual),
        })
    }

    /// What is written for a rule, as a person wrote it; "not said" where nothing is.
    pub fn found(&self, key: Key) -> String {
        self.said(key).unwrap_or_else(|| "not said".into())
    }

    /// The same; `None` where nothing is.
    fn said(&self, key: Key) -> Option<String> {
        let text = |word: &Option<String>| word.as_ref().map(|word| format!("{word:?}"));
        let whole = |value: Option<i64>| value.map(|value| value.to_string());
        match key {
            Key::Thermometry => text(&self.thermometry),
            Key::Threshold => self.threshold_c.map(|value| value.to_string()),
            Key::Yellow => text(&self.yellow),
            Key::Kinds => self.kinds.as_ref().map(|names| format!("{names:?}")),
            Key::TestMaxAge => whole(self.test_max_age_h),
            Key::TrustAgeingAfter => whole(self.trust_ageing_after_h),
            Key::TrustStaleAfter => whole(self.trust_stale_after_h),
            Key::StatusAgeingAfter => whole(self.status_ageing_after_h),
            Key::StatusStaleAfter => whole(self.status_stale_after_h),
            Key::Quota => self.quota.map(|own| own.to_string()),
            Key::AgainAfter => whole(self.again_after_s),
            Key::Manual => text(&self.manual),
        }
    }

    fn refused(&self, key: Key) -> PolicyFileError {
        refused(key, self.found(key))
    }

    /// Takes the value of a rule out of a table.
    fn take<'de, M: MapAccess<'de>>(&mut self, key: Key, map: &mut M) -> Result<(), M::Error> {
        match key {
            Key::Thermometry => self.thermometry = Some(map.next_value()?),
            Key::Threshold => self.threshold_c = Some(map.next_value()?),
            Key::Yellow => self.yellow = Some(map.next_value()?),
            Key::Kinds => self.kinds = Some(map.next_value()?),
            Key::TestMaxAge => self.test_max_age_h = Some(map.next_value()?),
            Key::TrustAgeingAfter => self.trust_ageing_after_h = Some(map.next_value()?),
            Key::TrustStaleAfter => self.trust_stale_after_h = Some(map.next_value()?),
            Key::StatusAgeingAfter => self.status_ageing_after_h = Some(map.next_value()?),
            Key::StatusStaleAfter => self.status_stale_after_h = Some(map.next_value()?),
            Key::Quota => self.quota = Some(map.next_value()?),
            Key::AgainAfter => self.again_after_s = Some(map.next_value()?),
            Key::Manual => self.manual = Some(map.next_value()?),
        }
        Ok(())
    }
}

/// All of it in one line, as it is written but for the line ends.
impl fmt::Display for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = Key::ALL.into_iter().filter_map(|key| Some(format!("{} = {}", key.name(), self.said(key)?)));
        f.write_str(&rules.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for QuotaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{ outings = {}, days = {} }}", self.outings, self.days)
    }
}

fn refused(key: Key, found: String) -> PolicyFileError {
    PolicyFileError { key, found, allowed: key.allowed() }
}

fn named<T: Copy, const N: usize>(key: Key, word: &str, known: [(&str, T); N]) -> Result<T, PolicyFileError> {
    let found = known.into_iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| value).ok_or_else(|| refused(key, format!("{word:?}")))
}

const fn thermometry_name(thermometry: Thermometry) -> &'static str {
    match thermometry {
        Thermometry::Required => "required",
        Thermometry::Off => "off",
    }
}

fn verdict(word: &str) -> Result<Verdict, PolicyFileError> {
    named(Key::Yellow, word, VERDICTS.map(|verdict| (verdict.name(), verdict)))
}

/// Whole hundredths; far outside `i16` this saturates, and what is no number becomes 0: both are out of bounds.
fn centi(threshold_c: f64) -> i16 {
    (threshold_c * 100.0).round() as i16
}

fn kinds(names: &[String]) -> Result<Kinds, PolicyFileError> {
    let known = Kind::ALL.map(|kind| (kind.name(), kind));
    let kinds = names.iter().map(|name| named(Key::Kinds, name, known)).collect::<Result<Vec<_>, _>>()?;
    Ok(Kinds::of(&kinds))
}

fn seconds(key: Key, age_h: i64, least_h: i64) -> Result<u32, PolicyFileError> {
    let age_h = Some(age_h).filter(|age_h| (least_h..=MAX_AGE_H).contains(age_h)).ok_or(age_h);
    let age_h = age_h.map_err(|found| refused(key, found.to_string()))?;
    number(key, age_h).map(|age_h| age_h * HOUR_S)
}

fn number(key: Key, value: i64) -> Result<u32, PolicyFileError> {
    u32::try_from(value).map_err(|_| refused(key, value.to_string()))
}

fn quota(own: QuotaFile) -> Result<Quota, PolicyFileError> {
    let small = |value: i64| u8::try_from(value).map_err(|_| refused(Key::Quota, own.to_string()));
    Ok(Quota { outings: small(own.outings)?, days: small(own.days)? })
}

/// One table with rules and with keys of its own: `T` is a struct that denies unknown fields and knows none of the rules.
///
/// Serde's own `flatten` can not deny unknown fields, and forgets in which line a value stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section<T> {
    /// The rules.
    pub rules: PolicyFile,
    /// Everything else.
    pub own: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Section<T>, D::Error> {
        deserializer.deserialize_map(SectionVisitor(PhantomData))
    }
}

struct SectionVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SectionVisitor<T> {
    type Value = Section<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of rules")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Section<T>, A::Error> {
        let mut rules = PolicyFile::default();
        let own = T::deserialize(MapAccessDeserializer::new(WithoutRules { map, rules: &mut rules }))?;
        Ok(Section { rules, own })
    }
}

/// A table of which the rules are taken out while somebody else reads it.
struct WithoutRules<'a, A> {
    map: A,
    rules: &'a mut PolicyFile,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutRules<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, mut seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.map.next_key_seed(OwnOr(seed))? {
                None => return Ok(None),
                Some(Found::Own(value)) => return Ok(Some(value)),
                Some(Found::Rule(key, unused)) => {
                    self.rules.take(key, &mut self.map)?;
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads a key that is a rule, or else as the other reader wants it.
struct OwnOr<K>(K);

enum Found<K, V> {
    Rule(Key, K),
    Own(V),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for OwnOr<K> {
    type Value = Found<K, K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        if let Some(key) = Key::ALL.into_iter().find(|key| key.name() == name) {
            return Ok(Found::Rule(key, self.0));
        }
        let own: StringDeserializer<D::Error> = name.into_deserializer();
        let own = self.0.deserialize(own).map_err(|error| {
            let rules: Vec<String> = Key::ALL.iter().map(|key| format!("`{}`", key.name())).collect();
            D::Error::custom(format!("{error}, or a rule: {}", rules.join(", ")))
        })?;
        Ok(Found::Own(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::policy::SiteClass;

    const ALL: &str = "\
        thermometry = \"required\"\n\
        threshold_c = 37.3\n\
        yellow = \"refuse\"\n\
        kinds = [\"phone\", \"paper\"]\n\
        test_max_age_h = 48\n\
        trust_ageing_after_h = 48\n\
        trust_stale_after_h = 96\n\
        status_ageing_after_h = 1\n\
        status_stale_after_h = 8760\n\
        quota = { outings = 1, days = 2 }\n\
        again_after_s = 60\n\
        manual = \"referred\"\n";

    fn part(text: &str) -> Result<PolicyPart, PolicyFileError> {
        PolicyFile::parse(text).expect("its keys are known").part()
    }

    #[test]
    fn every_rule_has_a_key_of_its_name() {
        let part = part(ALL).expect("within its bounds");
        assert_eq!(part.keys().count(), Key::ALL.len());
        assert_eq!((part.threshold_centi_c, part.quota), (Some(3730), Some(Quota { outings: 1, days: 2 })));
        assert_eq!(part.status_stale_after_s, Some(8760 * 3600));
    }

    #[test]
    fn what_is_printed_is_read_again_as_the_same_rules() {
        let all = part(ALL).expect("within its bounds");
        let mut parts = vec![PolicyPart::default(), all];
        parts.extend(THERMOMETRY.map(|own| PolicyPart { thermometry: Some(own), ..all }));
        parts.extend(VERDICTS.map(|own| PolicyPart { yellow: Some(own), ..all }));
        parts.extend(ManualWay::ALL.map(|own| PolicyPart { manual: Some(own), ..all }));
        parts.extend((3600..=4000).map(|own| PolicyPart { threshold_centi_c: Some(own), ..all }));
        parts.push(PolicyPart { quota: Some(Quota { outings: 0, days: 0 }), test_max_age_s: Some(0), ..all });
        for said in parts {
            let text = toml::to_string(&PolicyFile::of(&said)).expect("plain values");
            assert_eq!(part(&text), Ok(said), "{text}");
        }
        assert_eq!(VERDICTS.len(), (0..=u8::MAX).filter(|number| Verdict::from_number(*number).is_some()).count());
    }

    #[test]
    fn all_that_is_in_force_can_be_written() {
        for class in SiteClass::ALL {
            let file = PolicyFile::of_all(&Policy::of(class));
            let part = file.part().expect("what is baked in is within its bounds");
            assert_eq!(
                (part.keys().count(), part.over(&Policy::default()).map(|own| own.yellow)),
                (Key::ALL.len(), Ok(Policy::of(class).yellow))
            );
            let lines = file.to_string().replace(", t", "\nt");
            assert!(lines.contains("\nthreshold_c = 37.3"), "{lines}");
        }
        let two = PolicyFile {
            manual: Some("never".into()),
            quota: Some(QuotaFile { outings: 1, days: 2 }),
            ..PolicyFile::default()
        };
        assert_eq!(two.to_string(), "quota = { outings = 1, days = 2 }, manual = \"never\"");
    }

    #[test]
    fn a_refusal_names_the_key_what_it_is_and_what_it_may_be() {
        for (line, found) in [
            ("thermometry = \"on\"", "`thermometry` is \"on\": it may be \"required\" or \"off\""),
            ("threshold_c = 373", "`threshold_c` is 373: it may be 36.0 to 40.0"),
            ("threshold_c = nan", "`threshold_c` is NaN: it may be"),
            ("yellow = \"green\"", "`yellow` is \"green\": it may be \"admit\""),
            ("kinds = []", "`kinds` is []: it may hold one or more"),
            ("kinds = [\"phone\", \"card\"]", "`kinds` is \"card\": it may hold"),
            ("test_max_age_h = -1", "`test_max_age_h` is -1: it may be 0"),
            ("trust_ageing_after_h = 0", "`trust_ageing_after_h` is 0: it may be 1 to 8760 hours"),
            ("trust_stale_after_h = 8761", "`trust_stale_after_h` is 8761: it may be 1"),
            ("status_stale_after_h = 9000000000000", "`status_stale_after_h` is 9000000000000: it may be 1"),
            ("quota = { outings = 0, days = 1 }", "`quota` is { outings = 0, days = 1 }: it may be"),
            ("quota = { outings = 1, days = 300 }", "`quota` is { outings = 1, days = 300 }: it may be"),
            ("again_after_s = 86401", "`again_after_s` is 86401: it may be 0 to 86400 seconds"),
            ("manual = \"all\"", "`manual` is \"all\": it may be \"never\""),
        ] {
            let error = part(line).expect_err(line).to_string();
            assert!(error.starts_with(found), "{line}: {error}");
        }
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Own {
        relay_pulse_ms: Option<u32>,
        measure_attempts: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    struct Site {
        #[serde(default)]
        policy: Section<Own>,
    }

    #[test]
    fn a_section_has_rules_and_keys_of_its_own() {
        let text = format!("[policy]\nrelay_pulse_ms = 700\n{ALL}measure_attempts = 2\n");
        let site: Site = toml::from_str(&text).expect("all of it is known");
        assert_eq!(site.policy.own, Own { relay_pulse_ms: Some(700), measure_attempts: Some(2) });
        assert_eq!(site.policy.rules, PolicyFile::parse(ALL).expect("known"));
        let none: Site = toml::from_str("").expect("all of it may be left out");
        assert_eq!(none.policy, Section::default());
    }

    #[test]
    fn what_nobody_knows_is_refused_in_its_line() {
        for (line, words) in [
            ("treshold_c = 37.0", "unknown field `treshold_c`"),
            ("threshold_c = \"warm\"", "invalid type"),
            ("relay_pulse_ms = \"long\"", "invalid type"),
            ("quota = { outings = 1, weeks = 1 }", "unknown field `weeks`"),
        ] {
            let text = format!("[policy]\nyellow = \"refer\"\n{line}\n");
            let error = toml::from_str::<Site>(&text).expect_err(line).to_string();
            assert!(error.contains("line 3") && error.contains(words), "{line}: {error}");
        }
        let error = toml::from_str::<Site>("[policy]\nx = 1\n").expect_err("unknown").to_string();
        assert!(error.contains("`relay_pulse_ms`") && error.contains("`threshold_c`"), "{error}");
        let error = PolicyFile::parse("\nrelay_pulse_ms = 700\n").expect_err("no rule").to_string();
        assert!(error.contains("line 2") && error.contains("relay_pulse_ms"), "{error}");
    }
}
