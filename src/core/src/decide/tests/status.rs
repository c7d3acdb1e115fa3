//! What the lists say changes a decision, and what they may have left unsaid is told.

use crate::decide::*;
use crate::pass::Claims;
use crate::reason::Reason::{self, *};
use crate::status::{Status, StatusSource, Tag};
use crate::testworld::*;
use crate::trust::TrustContent;

const DAY_S: u64 = 86_400;
const GREEN: Status = Status::Overridden(Colour::Green);
const YELLOW: Status = Status::Overridden(Colour::Yellow);
const RED: Status = Status::Overridden(Colour::Red);

/// A decision about a pass with a good reading.
fn decision(claims: &Claims, content: &TrustContent, lists: Option<&Lists>, now: Time) -> Decision {
    let world = World { trust: trust_list(content), ..World::new() };
    let status = lists.map(|lists| lists as &dyn StatusSource);
    let context = Context { status, ..world.context() };
    decide(&Shown::Verified(world.verified(claims)), Measured::Reading(GOOD_READING), now, context)
}

/// The trust list of the tests, in which some issuers publish status lists.
fn publishing(codes: &[u32]) -> TrustContent {
    let mut content = content();
    content.issuers.iter_mut().for_each(|issuer| issuer.lists_status = codes.contains(&issuer.id.code()));
    content
}

/// The list of an issuer that says something of the holder of a pass.
fn said(claims: &Claims, status: Status, as_of: u64) -> Lists {
    let mut lists = Lists::default();
    lists.put(claims.issuer.code(), Tag::of_holder(claims.issuer, &claims.holder), status, as_of);
    lists
}

#[track_caller]
fn expect(decision: &Decision, verdict: Verdict, reasons: &[Reason]) {
    assert_eq!((decision.verdict, decision.reasons.as_slice()), (verdict, reasons));
}

#[test]
fn red_this_morning_is_refused_this_noon_and_a_correction_is_green_again() {
    let paper = Claims { issued_at: NOW_S - 20 * DAY_S, ..claims(ZHEJIANG, Kind::Paper) };
    let content = publishing(&[ZHEJIANG]);
    let morning = decision(&paper, &content, Some(&said(&paper, RED, NOW_S - 6 * 3600)), NOW);
    expect(&morning, Verdict::Refuse, &[Red, Overridden]);
    assert_eq!((morning.evidence.status, morning.evidence.colour), (Some(RED), Some(Colour::Red)));
    let mut cleared = Lists::default();
    cleared.complete(ZHEJIANG, NOW_S - 3600);
    expect(&decision(&paper, &content, Some(&cleared), NOW), Verdict::Admit, &[]);
}

#[test]
fn an_override_counts_in_place_of_what_the_pass_says() {
    for (level, status, verdict, reasons) in [
        (1, GREEN, Verdict::Admit, &[][..]),
        (1, YELLOW, Verdict::Refer, &[Yellow, Overridden]),
        (1, RED, Verdict::Refuse, &[Red, Overridden]),
        (2, GREEN, Verdict::Admit, &[Overridden]),
        (2, YELLOW, Verdict::Refer, &[Yellow]),
        (3, GREEN, Verdict::Admit, &[Overridden]),
        (3, YELLOW, Verdict::Refer, &[Yellow, Overridden]),
        (3, Status::Revoked, Verdict::Refuse, &[Red, Revoked]),
        (9, GREEN, Verdict::Admit, &[Overridden]),
    ] {
        let pass = of_level(level, claims(ZHEJIANG, Kind::Phone));
        let decision = decision(&pass, &content(), Some(&said(&pass, status, NOW_S)), NOW);
        expect(&decision, verdict, reasons);
        assert_eq!(decision.evidence.status, Some(status), "the evidence says which, also where nothing changed");
    }
}

#[test]
fn an_override_is_treated_here_as_the_colour_of_a_pass_would_be() {
    let pass = claims(HENAN, Kind::Phone);
    let mut content = content();
    content.rules[2].treat = [Colour::Green, Colour::Red, Colour::Red];
    let decision = decision(&pass, &content, Some(&said(&pass, YELLOW, NOW_S)), NOW);
    expect(&decision, Verdict::Refuse, &[Red, Overridden]);
    assert_eq!(decision.evidence.status, Some(YELLOW));
}

#[test]
fn a_pass_issued_after_the_list_was_made_is_newer_evidence() {
    let pass = claims(ZHEJIANG, Kind::Phone);
    expect(&decision(&pass, &content(), Some(&said(&pass, RED, pass.issued_at - 1)), NOW), Verdict::Admit, &[]);
}

#[test]
fn a_phone_pass_of_a_minute_ago_needs_no_list_of_today() {
    let pass = claims(ZHEJIANG, Kind::Phone);
    for lists in [None, Some(Lists::default())] {
        let decision = decision(&pass, &publishing(&[ZHEJIANG]), lists.as_ref(), NOW);
        expect(&decision, Verdict::Admit, &[]);
        let Evidence { status, status_as_of, status_freshness, .. } = decision.evidence;
        assert_eq!((status, status_as_of, status_freshness), (None, None, Some(Freshness::Fresh)));
    }
}

#[test]
fn what_a_gate_may_have_missed_of_a_paper_pass_ages_in_stages() {
    let paper = Claims { issued_at: NOW_S - 29 * DAY_S, ..claims(ZHEJIANG, Kind::Paper) };
    for (as_of, verdict, reasons, freshness) in [
        (NOW_S - 2 * DAY_S + 1, Verdict::Admit, &[][..], Freshness::Fresh),
        (NOW_S - 2 * DAY_S, Verdict::Admit, &[StatusAgeing], Freshness::Ageing),
        (NOW_S - 14 * DAY_S + 1, Verdict::Admit, &[StatusAgeing], Freshness::Ageing),
        (NOW_S - 14 * DAY_S, Verdict::Refer, &[StatusStale], Freshness::Stale),
    ] {
        let mut lists = Lists::default();
        lists.complete(ZHEJIANG, as_of);
        let decision = decision(&paper, &publishing(&[ZHEJIANG]), Some(&lists), NOW);
        expect(&decision, verdict, reasons);
        let Evidence { status_as_of, status_freshness, .. } = decision.evidence;
        assert_eq!((status_as_of, status_freshness), (Some(as_of), Some(freshness)));
    }
}

#[test]
fn one_issuers_old_list_ages_no_other_issuers_passes() {
    let issued_at = NOW_S - 29 * DAY_S;
    let mut lists = Lists::default();
    lists.complete(ZHEJIANG, NOW_S);
    lists.complete(HENAN, NOW_S - 20 * DAY_S);
    let content = publishing(&[ZHEJIANG, HENAN]);
    for (code, reasons) in [(ZHEJIANG, &[][..]), (HENAN, &[StatusStale]), (NATIONAL, &[])] {
        let paper = Claims { issued_at, ..claims(code, Kind::Paper) };
        assert_eq!(decision(&paper, &content, Some(&lists), NOW).reasons.as_slice(), reasons, "{code}");
    }
}

#[test]
fn a_city_without_a_list_is_answered_for_by_its_province_and_one_with_a_list_by_itself() {
    let paper = Claims { issued_at: NOW_S - 29 * DAY_S, ..claims(HANGZHOU, Kind::Paper) };
    let mut lists = Lists::default();
    lists.complete(ZHEJIANG, NOW_S - 20 * DAY_S);
    expect(&decision(&paper, &publishing(&[ZHEJIANG]), Some(&lists), NOW), Verdict::Refer, &[StatusStale]);
    lists.complete(HANGZHOU, NOW_S);
    expect(&decision(&paper, &publishing(&[ZHEJIANG, HANGZHOU]), Some(&lists), NOW), Verdict::Admit, &[]);
}

#[test]
fn a_province_may_speak_for_its_city_and_not_for_the_city_of_another() {
    let pass = claims(HANGZHOU, Kind::Phone);
    for (publisher, verdict) in [(ZHEJIANG, Verdict::Refuse), (HENAN, Verdict::Admit)] {
        let mut lists = Lists::default();
        lists.put(publisher, Tag::of_holder(pass.issuer, &pass.holder), RED, NOW_S);
        assert_eq!(decision(&pass, &content(), Some(&lists), NOW).verdict, verdict);
    }
}

#[test]
fn a_clock_that_is_a_floor_adds_staleness_only_where_it_is_certain() {
    let paper = Claims { issued_at: NOW_S - 20 * DAY_S, ..claims(ZHEJIANG, Kind::Paper) };
    let content = publishing(&[ZHEJIANG]);
    let mut lists = Lists::default();
    lists.complete(ZHEJIANG, NOW_S - 3 * DAY_S);
    let unsure = decision(&paper, &content, Some(&lists), Time::floor(NOW_S));
    expect(&unsure, Verdict::Refer, &[ClockUntrusted]);
    assert_eq!(unsure.evidence.status_freshness, Some(Freshness::Unknown));
    expect(&decision(&paper, &content, None, Time::floor(NOW_S)), Verdict::Refer, &[ClockUntrusted, StatusStale]);
}

#[test]
fn a_list_that_can_not_be_read_never_admits() {
    let pass = claims(ZHEJIANG, Kind::Phone);
    let mut lists = said(&pass, RED, NOW_S);
    lists.broken = true;
    let decision = decision(&pass, &content(), Some(&lists), NOW);
    expect(&decision, Verdict::Refer, &[StatusUnreadable]);
}
