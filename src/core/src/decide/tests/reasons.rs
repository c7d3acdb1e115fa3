//! Each cause gives its own reason; several causes give all of them.

use crate::decide::*;
use crate::pass::{self, Claims, Test};
use crate::policy::Policy;
use crate::reason::Reason::{self, *};
use crate::recognition::Kinds;
use crate::status::{Status, StatusSource, Tag};
use crate::testworld::*;
use crate::thermo::Reading;
use crate::time::SKEW_S;
use crate::trust::{Lagging, TrustContent};
use std::collections::BTreeSet;

const GOOD: Measured = Measured::Reading(GOOD_READING);
const DAY_S: u64 = 86_400;

/// One visit at the gate: all is well until one thing is changed.
struct Visit {
    /// The pass, by its claims; `None` where `shown` is something else.
    claims: Claims,
    shown: Option<Shown>,
    measured: Measured,
    now: Time,
    policy: Policy,
    content: Option<TrustContent>,
    lists: Lists,
}

impl Visit {
    fn good() -> Visit {
        let claims = claims(ZHEJIANG, Kind::Phone);
        let lists = Lists::default();
        let (policy, content) = (Policy::default(), Some(content()));
        Visit { claims, shown: None, measured: GOOD, now: NOW, policy, content, lists }
    }

    fn of(change: fn(&mut Visit)) -> Decision {
        let mut visit = Visit::good();
        change(&mut visit);
        visit.decide()
    }

    fn decide(self) -> Decision {
        let trust = self.content.as_ref().map(trust_list);
        let status: Option<&dyn StatusSource> = Some(&self.lists);
        let context =
            Context { trust: trust.as_ref(), status, history: None, policy: &self.policy, home: id(HANGZHOU) };
        let shown = self.shown.unwrap_or_else(|| Shown::of(issued(&self.claims).as_bytes(), trust.as_ref()));
        decide(&shown, self.measured, self.now, context)
    }

    fn content(&mut self) -> &mut TrustContent {
        self.content.as_mut().expect("this visit has a trust list")
    }

    /// Has the issuer say something of this holder since.
    fn since(&mut self, status: Status) {
        let tag = Tag::of_holder(self.claims.issuer, &self.claims.holder);
        self.lists.put(self.claims.issuer.code(), tag, status, NOW_S);
    }

    /// A paper pass of so many days, of an issuer that publishes a status list.
    fn paper_of(&mut self, days: u64) {
        self.claims = Claims { issued_at: NOW_S - days * DAY_S, ..claims(ZHEJIANG, Kind::Paper) };
        self.content().issuers.iter_mut().for_each(|issuer| issuer.lists_status = true);
    }

    /// What is believed of a division is so many days old.
    fn lags(&mut self, scope: u32, days: u64) {
        let lagging = Lagging { scope: id(scope), as_of: NOW_S - days * DAY_S };
        self.content().lagging.push(lagging).expect("room");
    }

    /// Asks for a negative test of the last two days.
    fn test(&mut self, days_ago: u64, result: TestResult) {
        self.policy.test_max_age_s = Some(2 * DAY_S);
        self.claims.test = Some(Test { sampled_at: NOW_S - days_ago * DAY_S, result });
    }
}

fn reading(reading: Reading) -> Measured {
    Measured::Reading(reading)
}

fn payload(text: &[u8]) -> Option<Shown> {
    Some(Shown::of(text, None))
}

fn forged(claims: &Claims) -> Option<Shown> {
    let text = pass::issue(claims, &key_of(HUBEI)).expect("good claims");
    Some(Shown::of(text.as_bytes(), Some(&World::new().trust)))
}

type Cause = (&'static str, fn(&mut Visit), Reason, Verdict);

const CAUSES: &[Cause] = &[
    ("no code", |v| v.shown = Some(Shown::Nothing), NoCode, Verdict::Refer),
    ("a blurred code", |v| v.shown = Some(Shown::Unreadable), Unreadable, Verdict::Refer),
    ("a poster", |v| v.shown = payload(b"https://example.org"), NotAPass, Verdict::Refuse),
    ("a broken pass", |v| v.shown = payload(b"MS1:6BF"), Damaged, Verdict::Refuse),
    ("an issuer that is not listed", |v| v.claims.issuer = id(510_000), UnknownIssuer, Verdict::Refuse),
    (
        "a key that is not listed",
        |v| v.content().keys.retain(|k| k.issuer != id(ZHEJIANG)),
        UnknownIssuer,
        Verdict::Refuse,
    ),
    ("another issuer's key", |v| v.shown = forged(&v.claims), BadSignature, Verdict::Refuse),
    (
        "a key from after the issue",
        |v| v.content().keys.iter_mut().for_each(|k| k.valid_from = NOW_S),
        KeyExpired,
        Verdict::Refuse,
    ),
    (
        "a key that ended since",
        |v| v.content().keys.iter_mut().for_each(|k| k.valid_until = NOW_S - SKEW_S),
        KeyExpired,
        Verdict::Refuse,
    ),
    ("no agreement", |v| v.claims.issuer = id(HUBEI), NotRecognised, Verdict::Refuse),
    ("an agreement for another kind", |v| v.claims = claims(SHANGHAI, Kind::Paper), NotRecognised, Verdict::Refuse),
    (
        "an agreement that ended",
        |v| {
            v.claims.issuer = id(HENAN);
            v.content().rules[2].valid_until = NOW_S - SKEW_S
        },
        NotRecognised,
        Verdict::Refuse,
    ),
    ("an expired pass", |v| v.claims.expires_at = NOW_S - SKEW_S, Expired, Verdict::Refuse),
    ("a pass for later", |v| v.claims.not_before = Some(NOW_S + SKEW_S + 1), NotYetValid, Verdict::Refuse),
    ("a yellow pass", |v| v.claims = of_level(2, v.claims.clone()), Yellow, Verdict::Refer),
    (
        "a level that counts as yellow",
        |v| v.claims = of_level(HENAN_LEVEL, claims(HENAN, Kind::Phone)),
        Yellow,
        Verdict::Refer,
    ),
    (
        "a green that counts as red here",
        |v| {
            v.claims.issuer = id(HENAN);
            v.content().rules[2].treat = [Colour::Red; 3]
        },
        Red,
        Verdict::Refuse,
    ),
    ("a red pass", |v| v.claims = of_level(3, v.claims.clone()), Red, Verdict::Refuse),
    ("a level without a meaning", |v| v.claims = of_level(9, v.claims.clone()), UnknownLevel, Verdict::Refer),
    ("a kind the site does not take", |v| v.policy.kinds = Kinds::of(&[Kind::Paper]), KindNotAccepted, Verdict::Refuse),
    ("no test", |v| v.policy.test_max_age_s = Some(DAY_S), TestTooOld, Verdict::Refer),
    ("an old test", |v| v.test(3, TestResult::Negative), TestTooOld, Verdict::Refer),
    ("a positive test", |v| v.test(1, TestResult::Positive), TestTooOld, Verdict::Refer),
    ("a test without a result", |v| v.test(1, TestResult::Pending), TestTooOld, Verdict::Refer),
    ("a high temperature", |v| v.measured = reading(HIGH_READING), TempHigh, Verdict::Refuse),
    ("a sleeve", |v| v.measured = reading(COLD_READING), TempImplausible, Verdict::Refer),
    ("a frosty gate", |v| v.measured = reading(FROSTY_READING), ThermometerAmbient, Verdict::Refer),
    ("no reading", |v| v.measured = Measured::Nothing, NoReading, Verdict::Refer),
    ("a clock that is a floor", |v| v.now = Time::floor(NOW_S), ClockUntrusted, Verdict::Refer),
    ("a pass taken back", |v| v.since(Status::Revoked), Revoked, Verdict::Refuse),
    (
        "a red pass that is green again",
        |v| {
            v.claims = of_level(3, v.claims.clone());
            v.since(Status::Overridden(Colour::Green))
        },
        Overridden,
        Verdict::Admit,
    ),
    ("a list on a broken card", |v| v.lists.broken = true, StatusUnreadable, Verdict::Refer),
    ("a paper pass of three days and no list", |v| v.paper_of(3), StatusAgeing, Verdict::Admit),
    ("a paper pass of fifteen days and no list", |v| v.paper_of(15), StatusStale, Verdict::Refer),
    ("an ageing list", |v| v.content().as_of = NOW_S - 3 * DAY_S, TrustAgeing, Verdict::Admit),
    ("an old list", |v| v.content().as_of = NOW_S - 15 * DAY_S, TrustStale, Verdict::Refer),
    ("an issuer that lags", |v| v.lags(ZHEJIANG, 3), TrustAgeing, Verdict::Admit),
    ("an issuer that lags for long", |v| v.lags(ZHEJIANG, 15), TrustStale, Verdict::Refer),
    ("no list", |v| v.content = None, TrustMissing, Verdict::Refer),
    (
        "a list lost since",
        |v| {
            v.shown = Some(Shown::Verified(World::new().verified(&v.claims)));
            v.content = None
        },
        TrustMissing,
        Verdict::Refer,
    ),
];

/// The reasons that come from elsewhere than `decide`: the journal, and rooms that are yet to be built.
const ELSEWHERE: [Reason; 4] = [JournalFailing, ManualOverride, ShownAgain, HouseholdQuota];

#[test]
fn the_visit_that_the_causes_change_is_admitted() {
    let decision = Visit::of(|_| {});
    assert_eq!((decision.verdict, decision.reasons.as_slice()), (Verdict::Admit, &[][..]));
}

#[test]
fn each_cause_gives_its_own_reason_alone() {
    for (cause, change, reason, verdict) in CAUSES {
        let decision = Visit::of(*change);
        assert_eq!((decision.reasons.as_slice(), decision.verdict), (&[*reason][..], *verdict), "{cause}");
    }
}

#[test]
fn every_reason_of_a_decision_has_a_cause_above() {
    let caused: BTreeSet<u8> = CAUSES.iter().map(|cause| cause.2).chain(ELSEWHERE).map(Reason::code).collect();
    let all: BTreeSet<u8> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(caused, all);
}

#[test]
fn several_causes_give_all_their_reasons_the_gravest_first() {
    let decision = Visit::of(|v| {
        v.claims = of_level(3, claims(HUBEI, Kind::Paper));
        v.claims.expires_at = NOW_S - SKEW_S;
        v.measured = reading(HIGH_READING);
        v.policy.kinds = Kinds::of(&[Kind::Phone]);
        v.policy.test_max_age_s = Some(DAY_S);
        v.content().as_of = NOW_S - 15 * DAY_S;
    });
    let expected = [Red, NotRecognised, Expired, TempHigh, KindNotAccepted, TestTooOld, TrustStale];
    assert_eq!(decision.reasons.as_slice(), expected);
    assert_eq!(decision.verdict, Verdict::Refuse);
}

#[test]
fn a_level_without_a_meaning_does_not_hide_that_the_issuer_is_not_recognised() {
    let decision = Visit::of(|v| v.claims = of_level(9, claims(HUBEI, Kind::Phone)));
    assert_eq!(decision.reasons.as_slice(), [NotRecognised, UnknownLevel]);
    assert_eq!(decision.evidence.colour, None);
}

#[test]
fn a_stranger_with_a_high_temperature_hears_of_both() {
    let decision = Visit::of(|v| {
        v.shown = Some(Shown::Nothing);
        v.measured = reading(HIGH_READING);
    });
    assert_eq!(decision.reasons.as_slice(), [TempHigh, NoCode]);
}

#[test]
fn a_site_without_thermometry_judges_no_reading() {
    let shown: [fn(&mut Visit); 2] = [|_| {}, |v| v.shown = Some(Shown::Nothing)];
    for (shown, expected) in shown.into_iter().zip([&[][..], &[NoCode]]) {
        let mut visit = Visit::good();
        visit.policy.thermometry = Thermometry::Off;
        visit.measured = reading(HIGH_READING);
        shown(&mut visit);
        assert_eq!(visit.decide().reasons.as_slice(), expected);
    }
}

#[test]
fn yellow_is_the_policys_and_red_is_not() {
    for verdict in [Verdict::Admit, Verdict::Refer, Verdict::Refuse] {
        for (level, expected) in [(2, verdict), (3, Verdict::Refuse)] {
            let mut visit = Visit::good();
            visit.policy.yellow = verdict;
            visit.claims = of_level(level, visit.claims);
            assert_eq!(visit.decide().verdict, expected);
        }
    }
}

#[test]
fn a_failing_journal_takes_an_admission_back() {
    let decision = Visit::of(|_| {}).with(JournalFailing);
    assert_eq!((decision.verdict, decision.reasons.as_slice()), (Verdict::Refer, &[JournalFailing][..]));
    let decision = Visit::of(|v| v.measured = reading(HIGH_READING)).with(JournalFailing).with(JournalFailing);
    assert_eq!((decision.verdict, decision.reasons.as_slice()), (Verdict::Refuse, &[TempHigh, JournalFailing][..]));
}

#[test]
fn a_decision_carries_what_it_rests_on() {
    let evidence = Visit::of(|v| v.claims = full_claims(HENAN, Kind::Paper)).evidence;
    assert_eq!(evidence.issuer, Some(id(HENAN)));
    assert_eq!(evidence.colour, Some(Colour::Green));
    assert_eq!(evidence.recognition, Some(Recognition::By(recognition::Path::Agreement)));
    assert_eq!((evidence.trust_version, evidence.trust_as_of), (Some(1), Some(NOW_S - DAY_S)));
    assert_eq!((evidence.freshness, evidence.time), (Freshness::Fresh, NOW));
    assert_eq!(evidence.reading, Some(GOOD_READING));
}

#[test]
fn a_pass_that_is_not_believed_leaves_no_evidence_of_a_person() {
    let evidence = Visit::of(|v| v.shown = forged(&full_claims(ZHEJIANG, Kind::Paper))).evidence;
    let of_pass = (evidence.issuer, evidence.colour, evidence.holder, evidence.display, evidence.expires_at);
    assert_eq!(of_pass, (None, None, None, None, None));
}

#[test]
fn who_lags_ages_alone_and_the_evidence_says_since_when() {
    let decision = Visit::of(|v| v.lags(HENAN, 15));
    assert_eq!((decision.verdict, decision.reasons.as_slice()), (Verdict::Admit, &[][..]));
    assert_eq!(decision.evidence.trust_as_of, Some(NOW_S - DAY_S));
    let decision = Visit::of(|v| v.lags(ZHEJIANG, 15));
    assert_eq!(decision.evidence.trust_as_of, Some(NOW_S - 15 * DAY_S));
    assert_eq!(decision.evidence.freshness, Freshness::Stale);
}
