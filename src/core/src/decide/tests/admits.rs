//! Nothing admits but a good pass, a good reading and good knowledge of both; and that always does.

use crate::decide::*;
use crate::pass::{self, Claims, Test};
use crate::policy::Policy;
use crate::recognition::Kinds;
use crate::status::{Status, StatusSource, Tag};
use crate::testworld::*;
use crate::thermo::Reading;
use crate::time::{Confidence, SKEW_S};
use crate::trust::{Lagging, TrustContent};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::boxed::Box;
use std::vec;

const DAY_S: u64 = 86_400;

/// Any visit, drawn so that most of what matters is near its limits.
#[derive(Clone, Debug)]
struct Visit {
    claims: Claims,
    signer: u32,
    now: Time,
    measured: Measured,
    policy: Policy,
    content: Option<Box<TrustContent>>,
    said: Option<Said>,
    home: u32,
}

/// One entry of a status list, of the issuer of the pass or its province.
#[derive(Clone, Copy, Debug)]
struct Said {
    by_province: bool,
    of_holder: bool,
    status: Status,
    as_of: u64,
}

/// Mostly `usual`, and else near or far from the moment at which it matters.
fn time_around(centre: u64, usual: u64) -> impl Strategy<Value = u64> {
    let near = centre - 2 * SKEW_S..=centre + 2 * SKEW_S;
    prop_oneof![6 => Just(usual), 1 => near, 1 => select(vec![centre - 20 * DAY_S, centre + 20 * DAY_S])]
}

prop_compose! {
    fn any_claims()(
        code in select(vec![ZHEJIANG, HANGZHOU, HENAN, NATIONAL, SHANGHAI, ZHEJIANG, HANGZHOU, HENAN, HUBEI, 510_000]),
        kind in select(Kind::ALL.to_vec()),
        level in prop_oneof![8 => 1u8..=1, 1 => 1u8..=15],
        not_before in option::of(time_around(NOW_S, NOW_S - DAY_S)),
        expires_at in time_around(NOW_S, NOW_S + DAY_S),
        sampled_at in option::weighted(0.9, time_around(NOW_S - 2 * DAY_S, NOW_S - DAY_S)),
        result in select(vec![TestResult::Negative, TestResult::Negative, TestResult::Positive, TestResult::Pending]),
    ) -> Claims {
        let test = sampled_at.map(|sampled_at| Test { sampled_at, result });
        // Issued early enough that every combination above is a pass that can be issued, or nearly.
        let issued_at = NOW_S - 30 * DAY_S;
        of_level(level, Claims { not_before, expires_at, issued_at, test, ..claims(code, kind) })
    }
}

prop_compose! {
    fn any_policy()(
        off in prop::bool::weighted(0.2),
        kinds in select(vec![Kinds::all(), Kinds::all(), Kinds::of(&[Kind::Phone, Kind::Paper])]),
        yellow in select(vec![Verdict::Refer, Verdict::Refuse]),
        test_max_age_s in option::weighted(0.3, Just(2 * DAY_S)),
    ) -> Policy {
        let thermometry = if off { Thermometry::Off } else { Thermometry::Required };
        Policy { thermometry, kinds, yellow, test_max_age_s, ..Policy::default() }
    }
}

prop_compose! {
    fn any_content()(
        as_of in prop_oneof![time_around(NOW_S, NOW_S - DAY_S), time_around(NOW_S - 14 * DAY_S, NOW_S - DAY_S)],
        key_end in time_around(NOW_S, NOW_S + DAY_S),
        key_ends in prop::bool::weighted(0.2),
        rule_end in time_around(NOW_S, NOW_S + DAY_S),
        rule_ends in prop::bool::weighted(0.2),
        treat in select(vec![[Colour::Green, Colour::Yellow, Colour::Red], [Colour::Yellow, Colour::Green, Colour::Green]]),
        lists_status in prop::bool::weighted(0.2),
        lags in option::weighted(0.2, (select(vec![ZHEJIANG, HANGZHOU, HENAN]), time_around(NOW_S - 14 * DAY_S, NOW_S))),
    ) -> Box<TrustContent> {
        // Boxed at once: the strategies around it hand it on by value, many times.
        let mut content = Box::new(content());
        content.as_of = as_of;
        content.lagging = lags.map(|(code, as_of)| Lagging { scope: id(code), as_of }).into_iter().collect();
        content.keys.iter_mut().filter(|_| key_ends).for_each(|key| key.valid_until = key_end);
        content.rules.iter_mut().filter(|_| rule_ends).for_each(|rule| rule.valid_until = rule_end);
        content.rules.iter_mut().for_each(|rule| rule.treat = treat);
        content.issuers.iter_mut().for_each(|issuer| issuer.lists_status = lists_status);
        content
    }
}

fn any_measured() -> impl Strategy<Value = Measured> {
    let reading =
        (prop_oneof![8 => 3400..3730_i16, 1 => any::<i16>()], prop_oneof![8 => 1600..=3500_i16, 1 => any::<i16>()])
            .prop_map(|(temp_centi_c, ambient_centi_c)| Measured::Reading(Reading::of(temp_centi_c, ambient_centi_c)));
    prop_oneof![9 => reading, 1 => Just(Measured::Nothing)]
}

prop_compose! {
    fn any_said()(
        by_province in any::<bool>(),
        of_holder in any::<bool>(),
        status in select(Status::ALL.to_vec()),
        as_of in prop_oneof![4 => time_around(NOW_S - 14 * DAY_S, NOW_S - DAY_S), 1 => Just(NOW_S - 40 * DAY_S)],
    ) -> Said {
        Said { by_province, of_holder, status, as_of }
    }
}

prop_compose! {
    fn any_visit()(
        claims in any_claims(),
        forger in option::weighted(0.1, select(vec![ZHEJIANG, HUBEI, 520_000])),
        unix_s in time_around(NOW_S, NOW_S),
        confidence in prop_oneof![9 => Just(Confidence::Trusted), 1 => Just(Confidence::Floor)],
        measured in any_measured(),
        policy in any_policy(),
        content in option::weighted(0.95, any_content()),
        said in option::weighted(0.4, any_said()),
        home in select(vec![HANGZHOU, ZHEJIANG, HANGZHOU, ZHEJIANG, HENAN]),
    ) -> Visit {
        let signer = forger.unwrap_or(claims.issuer.code());
        Visit { claims, signer, now: Time { unix_s, confidence, error_s: 0 }, measured, policy, content, said, home }
    }
}

impl Visit {
    /// The decision; `None` for a pass that no issuer could make.
    fn decide(&self) -> Option<Decision> {
        let trust = self.content.as_deref().map(trust_list);
        let text = pass::issue(&self.claims, &key_of(self.signer)).ok()?;
        let lists = self.lists();
        let status: Option<&dyn StatusSource> = Some(&lists);
        let context =
            Context { trust: trust.as_ref(), status, history: None, policy: &self.policy, home: id(self.home) };
        Some(decide(&Shown::of(text.as_bytes(), trust.as_ref()), self.measured, self.now, context))
    }

    fn lists(&self) -> Lists {
        let mut lists = Lists::default();
        if let Some(Said { by_province, of_holder, status, as_of }) = self.said {
            let claims = &self.claims;
            let tag = match of_holder {
                true => Tag::of_holder(claims.issuer, &claims.holder),
                false => Tag::of_pass(claims.issuer, &claims.pass_id),
            };
            let publisher = if by_province { claims.issuer.province() } else { claims.issuer };
            lists.put(publisher.code(), tag, status, as_of);
        }
        lists
    }

    /// What became of the pass since.
    fn status(&self) -> Option<Status> {
        let said = self.said.filter(|said| !said.of_holder || said.as_of >= self.claims.issued_at);
        said.map(|said| said.status)
    }

    /// Whether too much may have been missed of the pass, of an issuer that publishes a list as every one does or none.
    fn unwatched(&self, content: &TrustContent) -> bool {
        let own_list = |said: &Said| !said.by_province || self.claims.issuer == self.claims.issuer.province();
        let as_of = self.said.filter(own_list).map_or(0, |said| said.as_of);
        let since = as_of.max(self.claims.issued_at);
        content.issuers[0].lists_status && self.now.unix_s >= since + self.policy.status_stale_after_s
    }

    /// Whether this person may pass, said again from the ground up and in other words.
    fn may_pass(&self) -> bool {
        let Some(content) = &self.content else { return false };
        let clock = self.now.unix_s;
        let sure = self.now.confidence == Confidence::Trusted && clock + SKEW_S >= content.as_of;
        let issuer = self.claims.issuer.code();
        let key_until = content.keys.iter().find(|key| key.issuer.code() == issuer).map_or(0, |key| key.valid_until);
        let signed = self.signer == issuer && self.claims.issued_at < key_until + SKEW_S && clock < key_until + SKEW_S;
        let in_date = clock + SKEW_S >= self.claims.valid_from() && clock < self.claims.expires_at + SKEW_S;
        let lags = content.lagging.iter().find(|lags| lags.scope == id(issuer) || lags.scope == id(issuer).province());
        let believed_as_of = lags.map_or(content.as_of, |lags| lags.as_of.min(content.as_of));
        let fresh = clock.saturating_sub(believed_as_of) < self.policy.trust_stale_after_s;
        let known = fresh && !self.unwatched(content);
        sure && signed && in_date && known && self.green_here(content) && self.kind_and_test_do() && self.reading_does()
    }

    fn green_here(&self, content: &TrustContent) -> bool {
        let issuer = self.claims.issuer.code();
        let level = match (self.status(), self.claims.level.number()) {
            (Some(Status::Revoked), _) => return false,
            (Some(Status::Overridden(colour)), _) => colour as u8,
            (None, HENAN_LEVEL) if issuer == HENAN => 2,
            (None, number) => number,
        };
        if issuer / 10_000 == self.home / 10_000 {
            return level == 1;
        }
        let rule = content.rules.iter().find(|rule| rule.issuer.code() == issuer);
        rule.is_some_and(|rule| {
            let at_host = self.home / 10_000 == rule.host.code() / 10_000;
            let green = (1..=3).contains(&level) && rule.treat[usize::from(level) - 1] == Colour::Green;
            at_host && green && rule.kinds.has(self.claims.kind) && self.now.unix_s < rule.valid_until + SKEW_S
        })
    }

    fn kind_and_test_do(&self) -> bool {
        let negative = self.claims.test.filter(|test| test.result == TestResult::Negative);
        let tested = self.policy.test_max_age_s.is_none_or(|max_age_s| {
            negative.is_some_and(|test| {
                let clock = self.now.unix_s;
                test.sampled_at <= clock + SKEW_S && clock < test.sampled_at + max_age_s + SKEW_S
            })
        });
        self.policy.kinds.has(self.claims.kind) && tested
    }

    fn reading_does(&self) -> bool {
        match self.measured {
            _ if self.policy.thermometry == Thermometry::Off => true,
            Measured::Nothing => false,
            Measured::Reading(reading) => {
                (3400..3730).contains(&reading.temp_centi_c) && (1600..=3500).contains(&reading.ambient_centi_c)
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn exactly_those_who_may_pass_are_admitted(visit in any_visit()) {
        if let Some(decision) = visit.decide() {
            prop_assert_eq!(decision.verdict == Verdict::Admit, visit.may_pass(), "{:?}", decision.reasons);
        }
    }

    #[test]
    fn reasons_are_distinct_and_the_gravest_first(visit in any_visit()) {
        if let Some(decision) = visit.decide() {
            let ranks: std::vec::Vec<_> = decision.reasons.iter().map(|reason| reason.rank()).collect();
            prop_assert!(ranks.is_sorted_by(|a, b| a < b), "{:?}", decision.reasons);
        }
    }
}

#[test]
fn a_clock_that_is_wrong_never_makes_certain_what_is_not() {
    let world = World::new();
    let as_of = world.trust.content().as_of;
    let good = claims(ZHEJIANG, Kind::Paper);
    let over = Claims { issued_at: NOW_S - 3 * DAY_S, expires_at: NOW_S - 3600, ..good.clone() };
    let ended = Claims { issued_at: NOW_S - 3 * DAY_S, expires_at: as_of - 3600, ..good.clone() };
    for (clock, now) in [
        ("never set, and says so", Time::floor(0)),
        ("never set, and believed", Time::trusted(0)),
        ("back by a year", Time::trusted(NOW_S - 365 * DAY_S)),
        ("back by little more than the list's age", Time::trusted(as_of - SKEW_S - 1)),
        ("a floor at the list's age", Time::floor(as_of)),
        ("a floor at the true time", Time::floor(NOW_S)),
    ] {
        let verdict = |claims: &Claims| {
            let shown = Shown::Verified(world.verified(claims));
            decide(&shown, Measured::Reading(GOOD_READING), now, world.context()).verdict
        };
        assert_eq!(verdict(&good), Verdict::Refer, "{clock}: a good pass is neither refused nor admitted");
        assert_ne!(verdict(&over), Verdict::Admit, "{clock}: an expired pass is not admitted");
        assert_eq!(verdict(&ended), Verdict::Refuse, "{clock}: what ended before the list was made is over");
    }
}

#[test]
fn a_trusted_clock_within_its_skew_decides_for_the_holder() {
    let world = World::new();
    let pass = claims(ZHEJIANG, Kind::Phone);
    for (unix_s, expected) in [
        (pass.issued_at - SKEW_S - 1, Verdict::Refuse),
        (pass.issued_at - SKEW_S, Verdict::Admit),
        (pass.expires_at + SKEW_S - 1, Verdict::Admit),
        (pass.expires_at + SKEW_S, Verdict::Refuse),
    ] {
        let shown = Shown::Verified(world.verified(&pass));
        let decision = decide(&shown, Measured::Reading(GOOD_READING), Time::trusted(unix_s), world.context());
        assert_eq!(decision.verdict, expected, "at {unix_s}");
    }
}

#[test]
fn a_pass_that_was_signed_just_now_has_begun_whatever_a_clock_says_that_is_unsure_by_minutes() {
    let world = World::new();
    let signed = |age_s| Claims { issued_at: NOW_S - age_s, expires_at: NOW_S + 3600, ..claims(ZHEJIANG, Kind::Phone) };
    let dated = Claims { not_before: Some(NOW_S + 60), ..signed(30) };
    let over = Claims { issued_at: NOW_S - 3600, expires_at: NOW_S - 100, ..signed(0) };
    for (case, claims, expected) in [
        ("signed half a minute ago", signed(30), Verdict::Admit),
        ("signed ten minutes ago", signed(600), Verdict::Admit),
        ("signed for later", dated, Verdict::Refer),
        ("over for a minute and a half", over, Verdict::Refer),
    ] {
        for off_s in [-750_i64, 0, 750] {
            let now = Time::trusted_within(NOW_S.saturating_add_signed(off_s), 900);
            let shown = Shown::Verified(world.verified(&claims));
            let decision = decide(&shown, Measured::Reading(GOOD_READING), now, world.context());
            assert_eq!(decision.verdict, expected, "{case}, clock {off_s} s off: {:?}", decision.reasons);
        }
    }
}

#[test]
fn a_pass_that_is_certainly_in_date_and_a_key_that_may_have_ended_are_for_a_person() {
    let mut content = content();
    content.keys.iter_mut().for_each(|key| key.valid_until = NOW_S + 300);
    let (trust, policy) = (trust_list(&content), Policy::default());
    let claims = Claims { issued_at: NOW_S - 3 * 3600, ..claims(ZHEJIANG, Kind::Paper) };
    let text = issued(&claims);
    for (error_s, expected) in [(60, Verdict::Admit), (900, Verdict::Refer)] {
        let context = Context { trust: Some(&trust), status: None, history: None, policy: &policy, home: id(HANGZHOU) };
        let now = Time::trusted_within(NOW_S, error_s);
        let shown = Shown::of(text.as_bytes(), Some(&trust));
        let decision = decide(&shown, Measured::Reading(GOOD_READING), now, context);
        assert_eq!(decision.verdict, expected, "± {error_s} s: {:?}", decision.reasons);
    }
}
