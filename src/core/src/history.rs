//! Who was let in lately: the recent past that a decision depends on.
//!
//! Two rules look back. *Shown again*: the same pass, let in a moment ago, is often one phone that is handed over the
//! fence. *Household quota*: a household may go out so often in so many days. This crate stores nothing, so what is
//! remembered is asked for by a trait; where and how long it is kept, and what other gates of the site add to it, is
//! the matter of whoever runs the lane. Days are those of China, where every site is, because the rule that people
//! know counts mornings and not hours.

use crate::decide::Decision;
use crate::ids::IssuerId;
use crate::policy::{Policy, Quota};
use crate::reason::Reason;
use crate::time::{Confidence, Time};

/// China Standard Time is so many seconds ahead of UTC.
const CHINA_OFFSET_S: u64 = 8 * 3600;
const DAY_S: u64 = 86_400;

/// A calendar day of the site, counted from the first of January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// The day of a moment.
    pub fn of(unix_s: u64) -> Day {
        Day(u32::try_from(unix_s.saturating_add(CHINA_OFFSET_S) / DAY_S).unwrap_or(u32::MAX))
    }
}

/// Who was let in lately, as far as a gate knows.
pub trait History {
    /// How long ago, in seconds, this pass was let in here; `None` where it was not, or longer ago than is remembered.
    fn admitted_s_ago(&self, pass: PassRef) -> Option<u64>;
    /// How often this household went out, counted from a day on.
    fn outings_since(&self, household: HouseholdRef, first: Day) -> u32;
}

/// A pass, as it is remembered: never kept or sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassRef {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Its number.
    pub pass_id: [u8; 8],
    /// Whether by a lane that leads out: who goes out and comes back with one pass hands it to nobody.
    pub outwards: bool,
}

/// A household, by the pseudonym that its issuer gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HouseholdRef {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Its pseudonym.
    pub household: [u8; 8],
}

/// What an admission leaves behind, for those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The pass that was let in.
    pub pass: PassRef,
    /// The household that went out by it, and on which day, where outings are counted here.
    pub outing: Option<(HouseholdRef, Day)>,
}

impl Visit {
    /// What a decision leaves behind; `None` for whom it did not let in, or who showed no pass.
    pub fn of(decision: &Decision, policy: &Policy) -> Option<Visit> {
        let evidence = &decision.evidence;
        let pass = evidence.pass.filter(|_| decision.verdict == crate::verdict::Verdict::Admit)?;
        let counted = policy.leads_out && policy.quota.is_some();
        let outing = evidence.household.filter(|_| counted).map(|household| (household, Day::of(evidence.time.unix_s)));
        // What nobody can ask about is not kept.
        (policy.again_after_s > 0 || outing.is_some()).then_some(Visit { pass, outing })
    }
}

/// Whether a pass was let in too short a time ago.
pub(crate) fn judge_again(pass: PassRef, history: &dyn History, policy: &Policy) -> Option<Reason> {
    let within = history.admitted_s_ago(pass).is_some_and(|ago_s| ago_s < u64::from(policy.again_after_s));
    within.then_some(Reason::ShownAgain)
}

/// Whether a household has gone out as often as it may.
pub(crate) fn judge_outings(
    household: HouseholdRef,
    history: &dyn History,
    now: Time,
    policy: &Policy,
) -> Option<Reason> {
    let Quota { outings, days } = policy.quota.filter(|_| policy.leads_out)?;
    let first = Day(Day::of(now.unix_s).0.saturating_sub(u32::from(days).saturating_sub(1)));
    // It is at least so late: what counts from an earlier day on may have lapsed since.
    let used = history.outings_since(household, first) >= u32::from(outings);
    match now.confidence {
        _ if !used => None,
        Confidence::Trusted => Some(Reason::HouseholdQuota),
        Confidence::Floor => Some(Reason::ClockUntrusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        // 2020-09-13 15:59:59 and 16:00:00 UTC.
        assert_eq!(Day::of(1_600_012_799).0 + 1, Day::of(1_600_012_800).0);
        assert_eq!(Day::of(0), Day(0));
        assert_eq!(Day::of(u64::MAX), Day(u32::MAX));
    }
}
