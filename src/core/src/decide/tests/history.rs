//! The rules that look back: the same pass again, and a household's outings.

use crate::decide::*;
use crate::history::{Day, History, HouseholdRef, PassRef, Visit};
use crate::pass::Claims;
use crate::policy::{Policy, Quota};
use crate::reason::Reason;
use crate::testworld::*;
use std::vec::Vec;

const GOOD: Measured = Measured::Reading(GOOD_READING);

/// What a gate remembers, as it was told.
#[derive(Default)]
struct Told {
    admitted: Vec<(PassRef, u64)>,
    outings: Vec<(HouseholdRef, Day)>,
}

impl History for Told {
    fn admitted_s_ago(&self, pass: PassRef) -> Option<u64> {
        self.admitted.iter().find(|(of, _)| *of == pass).map(|(_, ago_s)| *ago_s)
    }

    fn outings_since(&self, household: HouseholdRef, first: Day) -> u32 {
        self.outings.iter().filter(|(of, day)| *of == household && *day >= first).count() as u32
    }
}

fn decided(claims: &Claims, history: &Told, now: Time, policy: &Policy) -> Decision {
    let world = World::new();
    let context = Context { history: Some(history), policy, ..world.context() };
    decide(&Shown::Verified(world.verified(claims)), GOOD, now, context)
}

fn quota(outings: u8, days: u8) -> Policy {
    Policy { quota: Some(Quota { outings, days }), leads_out: true, ..Policy::default() }
}

fn of_household() -> (Claims, HouseholdRef) {
    let claims = Claims { household: Some([4; 8]), ..claims(ZHEJIANG, Kind::Community) };
    let household = HouseholdRef { issuer: claims.issuer, household: [4; 8] };
    (claims, household)
}

#[test]
fn a_pass_that_was_let_in_a_moment_ago_is_asked_about_and_another_or_an_old_one_is_not() {
    let claims = claims(ZHEJIANG, Kind::Phone);
    let own = PassRef { issuer: claims.issuer, pass_id: claims.pass_id, outwards: false };
    let policy = Policy::default();
    for (pass, ago_s, expected) in [
        (own, 0, Verdict::Refer),
        (own, u64::from(policy.again_after_s) - 1, Verdict::Refer),
        (own, u64::from(policy.again_after_s), Verdict::Admit),
        (PassRef { issuer: id(HENAN), ..own }, 0, Verdict::Admit),
        (PassRef { pass_id: [9; 8], ..own }, 0, Verdict::Admit),
        (PassRef { outwards: true, ..own }, 0, Verdict::Admit),
    ] {
        let decision = decided(&claims, &Told { admitted: [(pass, ago_s)].into(), ..Told::default() }, NOW, &policy);
        assert_eq!(decision.verdict, expected, "{pass:?} {ago_s}");
        assert_eq!(decision.reasons.contains(&Reason::ShownAgain), expected == Verdict::Refer);
    }
    let never = Policy { again_after_s: 0, ..policy };
    let decision = decided(&claims, &Told { admitted: [(own, 0)].into(), ..Told::default() }, NOW, &never);
    assert_eq!(decision.verdict, Verdict::Admit);
}

#[test]
fn a_household_goes_out_once_in_two_days_counted_by_mornings() {
    let (claims, household) = of_household();
    let today = Day::of(NOW_S);
    for (days_ago, expected) in [(0, Verdict::Refuse), (1, Verdict::Refuse), (2, Verdict::Admit)] {
        let told = Told { outings: [(household, Day(today.0 - days_ago))].into(), ..Told::default() };
        let decision = decided(&claims, &told, NOW, &quota(1, 2));
        assert_eq!(decision.verdict, expected, "{days_ago} days ago");
        assert_eq!(decision.reasons.contains(&Reason::HouseholdQuota), expected == Verdict::Refuse);
    }
}

#[test]
fn outings_are_counted_up_to_the_quota_and_only_on_a_lane_that_leads_out() {
    let (claims, household) = of_household();
    let today = Day::of(NOW_S);
    let told = Told { outings: [(household, today), (household, today)].into(), ..Told::default() };
    assert_eq!(decided(&claims, &told, NOW, &quota(2, 1)).verdict, Verdict::Refuse);
    assert_eq!(decided(&claims, &told, NOW, &quota(3, 1)).verdict, Verdict::Admit);
    let leads_in = Policy { leads_out: false, ..quota(2, 1) };
    assert_eq!(decided(&claims, &told, NOW, &leads_in).verdict, Verdict::Admit);
    let nobody_counts = Policy { quota: None, ..quota(2, 1) };
    assert_eq!(decided(&claims, &told, NOW, &nobody_counts).verdict, Verdict::Admit);
}

#[test]
fn where_the_clock_can_not_tell_the_day_a_person_decides() {
    let (claims, household) = of_household();
    let told = Told { outings: [(household, Day::of(NOW_S))].into(), ..Told::default() };
    let decision = decided(&claims, &told, Time::floor(NOW_S), &quota(1, 2));
    assert!(decision.reasons.contains(&Reason::ClockUntrusted));
    assert!(!decision.reasons.contains(&Reason::HouseholdQuota));
}

#[test]
fn an_admission_leaves_a_visit_behind_and_nothing_else_does() {
    let (claims, household) = of_household();
    let policy = quota(1, 2);
    let admitted = decided(&claims, &Told::default(), NOW, &policy);
    let pass = PassRef { issuer: claims.issuer, pass_id: claims.pass_id, outwards: true };
    let expected = Visit { pass, outing: Some((household, Day::of(NOW_S))) };
    assert_eq!(Visit::of(&admitted, &policy), Some(expected));
    assert_eq!(
        Visit::of(&admitted, &Policy { leads_out: false, ..policy.clone() }).and_then(|visit| visit.outing),
        None
    );
    let told = Told { outings: [(household, Day::of(NOW_S))].into(), ..Told::default() };
    let refused = decided(&claims, &told, NOW, &policy);
    assert_eq!(Visit::of(&refused, &policy), None);
    // Whom a volunteer lets in all the same has gone out too.
    assert_eq!(Visit::of(&refused.by_hand(Cause::Urgent), &policy), Some(expected));
}
