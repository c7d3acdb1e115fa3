//! Recognition (互认): whose codes count here, and as what.
//!
//! A person carries one code and meets many gates. Which codes a gate honours is never a guess of the
//! gate: it is a table of rules in the signed trust list, each an agreement with a direction, a window
//! of validity, the kinds of pass it covers, and the local treatment of each colour. No rule, no
//! recognition; an issuer of the gate's own province needs none.

use crate::ids::IssuerId;
use crate::pass::{Colour, Kind};
use crate::time::{Time, Validity};

/// By which of the three official ways a rule came to be. The numbers are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// An agreement between two regions.
    Agreement = 1,
    /// Conversion through the national platform as relay.
    Relay = 2,
    /// The national code used directly.
    National = 3,
}

impl Path {
    /// The path of a stored number.
    pub const fn from_number(number: u8) -> Option<Path> {
        match number {
            1 => Some(Path::Agreement),
            2 => Some(Path::Relay),
            3 => Some(Path::National),
            _ => None,
        }
    }

    /// A stable name for `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Path::Agreement => "agreement",
            Path::Relay => "relay",
            Path::National => "national",
        }
    }
}

/// A set of kinds of pass, one bit a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Every kind there is.
    pub fn all() -> Kinds {
        Kinds::of(&Kind::ALL)
    }

    /// These kinds.
    pub fn of(kinds: &[Kind]) -> Kinds {
        Kinds(kinds.iter().fold(0, |bits, kind| bits | 1 << (*kind as u16)))
    }

    /// Reads the number that [`Kinds::bits`] gives; bits without a kind are refused.
    pub fn from_bits(bits: u16) -> Option<Kinds> {
        (bits & !Kinds::all().0 == 0).then_some(Kinds(bits))
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether a kind is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << (kind as u16) != 0
    }
}

/// One rule: at gates of `host`, passes of `issuer` count as follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The division whose gates honour; what is national counts everywhere.
    pub host: IssuerId,
    /// Whose passes are honoured; a province stands for its cities too.
    pub issuer: IssuerId,
    /// How the rule came to be.
    pub path: Path,
    /// From when, seconds since 1970.
    pub valid_from: u64,
    /// Until when (exclusive).
    pub valid_until: u64,
    /// Which kinds of pass.
    pub kinds: Kinds,
    /// What the issuer's green, yellow and red count as here.
    pub treat: [Colour; 3],
}

/// Whether a pass counts at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// An issuer of the gate's own province.
    Own,
    /// Under a rule.
    By(Path),
    /// No rule covers it.
    No,
    /// A rule covers it if the clock were sure of the date.
    Unknown,
}

/// Looks a pass up in the rules; gives how it counts and its colour here.
///
/// A pass whose colour is not known (`None`) is recognised or not all the same.
pub fn recognise(
    rules: &[Rule],
    home: IssuerId,
    issuer: IssuerId,
    kind: Kind,
    colour: Option<Colour>,
    now: Time,
) -> (Recognition, Option<Colour>) {
    if issuer.province() == home.province() {
        return (Recognition::Own, colour);
    }
    let covers = |rule: &&Rule| {
        rule.host.covers(home) && (rule.issuer == issuer || rule.issuer == issuer.province()) && rule.kinds.has(kind)
    };
    let sure = |rule: &&Rule| now.within(rule.valid_from, rule.valid_until) == Validity::Valid;
    let maybe = |rule: &&Rule| now.within(rule.valid_from, rule.valid_until) == Validity::Unknown;
    let local = |rule: &Rule| colour.map(|colour| rule.treat[colour as usize - 1]);
    // A rule for the very issuer beats one for its province, and of equals the strictest counts.
    let rank = |rule: &&Rule| (rule.issuer == issuer, rule.treat);
    if let Some(rule) = rules.iter().filter(covers).filter(sure).max_by_key(rank) {
        return (Recognition::By(rule.path), local(rule));
    }
    match rules.iter().filter(covers).filter(maybe).max_by_key(rank) {
        Some(rule) => (Recognition::Unknown, local(rule)),
        None => (Recognition::No, colour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AS_IS: [Colour; 3] = [Colour::Green, Colour::Yellow, Colour::Red];

    fn id(code: u32) -> IssuerId {
        IssuerId::new(code).expect("six digits")
    }

    fn rule() -> Rule {
        Rule {
            host: id(330_000),
            issuer: id(410_000),
            path: Path::Agreement,
            valid_from: 1_000_000,
            valid_until: 2_000_000,
            kinds: Kinds::of(&[Kind::Phone]),
            treat: AS_IS,
        }
    }

    fn ask(rule: Rule, home: u32, issuer: u32, kind: Kind, now: Time) -> (Recognition, Option<Colour>) {
        recognise(&[rule], id(home), id(issuer), kind, Some(Colour::Green), now)
    }

    const NOW: Time = Time::trusted(1_500_000);

    #[test]
    fn a_rule_has_a_direction() {
        assert_eq!(ask(rule(), 330_000, 410_000, Kind::Phone, NOW).0, Recognition::By(Path::Agreement));
        assert_eq!(ask(rule(), 410_000, 330_000, Kind::Phone, NOW).0, Recognition::No);
    }

    #[test]
    fn a_province_stands_for_its_cities() {
        assert_eq!(ask(rule(), 330_100, 410_100, Kind::Phone, NOW).0, Recognition::By(Path::Agreement));
    }

    #[test]
    fn a_kind_that_the_rule_leaves_out_is_not_recognised() {
        assert_eq!(ask(rule(), 330_000, 410_000, Kind::Paper, NOW).0, Recognition::No);
    }

    #[test]
    fn an_ended_agreement_does_not_count() {
        assert_eq!(ask(rule(), 330_000, 410_000, Kind::Phone, Time::trusted(3_000_000)).0, Recognition::No);
        assert_eq!(ask(rule(), 330_000, 410_000, Kind::Phone, Time::floor(3_000_000)).0, Recognition::No);
    }

    #[test]
    fn an_unsure_clock_does_not_decide_an_agreement() {
        assert_eq!(ask(rule(), 330_000, 410_000, Kind::Phone, Time::floor(0)).0, Recognition::Unknown);
    }

    #[test]
    fn a_colour_is_treated_as_the_rule_says() {
        let strict = Rule { treat: [Colour::Yellow, Colour::Red, Colour::Red], ..rule() };
        assert_eq!(ask(strict, 330_000, 410_000, Kind::Phone, NOW).1, Some(Colour::Yellow));
    }

    #[test]
    fn a_rule_for_a_city_beats_that_for_its_province_and_the_stricter_of_equals_counts() {
        let strict = [Colour::Yellow, Colour::Red, Colour::Red];
        let city = Rule { issuer: id(410_100), treat: strict, ..rule() };
        let asked =
            |rules: &[Rule], issuer| recognise(rules, id(330_000), id(issuer), Kind::Phone, Some(Colour::Green), NOW).1;
        for rules in [[rule(), city], [city, rule()]] {
            assert_eq!(asked(&rules, 410_100), Some(Colour::Yellow), "the city's own rule");
            assert_eq!(asked(&rules, 410_200), Some(Colour::Green), "another city, the province's rule");
        }
        let stricter = Rule { treat: strict, ..rule() };
        assert_eq!(asked(&[stricter, rule()], 410_000), Some(Colour::Yellow));
    }
}
