//! What signed rules come to together, and which of them can not be together.
//!
//! A policy is good or bad only over what others say: what is baked in for its class of site, and over that the nation,
//! the province, the city. A gate must never meet a contradiction there, so whoever signs and whoever imports ask here,
//! in the same words. Apart from the vault, because the desk asks of drafts.

use menshen_core::ids::IssuerId;
use menshen_core::policy::{Policy, PolicyError, SiteClass};
use menshen_core::trust::{ClassPolicy, layered};

/// The rules of a class of site at a gate of `home`: what is baked in, and over it what the nation, its province and
/// its city say.
///
/// # Errors
/// [`PolicyError`] of the first that can not be over what was said before it.
pub fn in_force(policies: &[ClassPolicy], class: SiteClass, home: IssuerId) -> Result<Policy, PolicyError> {
    let base = Policy::of(class);
    Ok(layered(policies, &base, home)?.unwrap_or(base))
}

/// The division, `scope` or one within it, whose gates of a class would meet a contradiction, and which: a gate's rules
/// are those of the nearest division that has any, so asking for each of these asks for every gate.
pub fn contradiction(policies: &[ClassPolicy], class: SiteClass, scope: IssuerId) -> Option<(IssuerId, PolicyError)> {
    let concerned = policies.iter().filter(|said| said.class == class && scope.covers(said.scope));
    concerned.map(|said| said.scope).find_map(|home| Some((home, in_force(policies, class, home).err()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::policy::{Key, PolicyPart};

    fn id(code: u32) -> IssuerId {
        IssuerId::new(code).expect("six digits")
    }

    fn said(code: u32, part: PolicyPart) -> ClassPolicy {
        ClassPolicy { scope: id(code), class: SiteClass::Metro, part }
    }

    #[test]
    fn the_nearest_says_last_in_whatever_order_they_came() {
        let degrees = |centi_c| PolicyPart { threshold_centi_c: Some(centi_c), ..PolicyPart::default() };
        let policies = [said(330_106, degrees(3690)), said(330_000, degrees(3720)), said(100_000, degrees(3750))];
        for (home, threshold) in [(330_106, 3690), (330_100, 3720), (330_000, 3720), (410_100, 3750)] {
            let policy = in_force(&policies, SiteClass::Metro, id(home)).expect("they agree");
            assert_eq!(policy.threshold_centi_c, threshold, "{home}");
        }
        assert_eq!(in_force(&policies, SiteClass::School, id(330_106)), Ok(Policy::of(SiteClass::School)));
    }

    #[test]
    fn what_contradicts_is_found_from_above_and_from_below() {
        let stale = PolicyPart { trust_stale_after_s: Some(3 * 86_400), ..PolicyPart::default() };
        let ageing = PolicyPart { trust_ageing_after_s: Some(4 * 86_400), ..PolicyPart::default() };
        let policies = [said(330_000, stale), said(100_000, ageing)];
        let found = Some((id(330_000), PolicyError::Order(Key::TrustStaleAfter)));
        assert_eq!(contradiction(&policies, SiteClass::Metro, id(330_000)), found);
        assert_eq!(contradiction(&policies, SiteClass::Metro, IssuerId::NATIONAL), found);
        assert_eq!(contradiction(&policies, SiteClass::Metro, id(410_000)), None);
        assert_eq!(contradiction(&policies, SiteClass::School, IssuerId::NATIONAL), None);
        assert_eq!(contradiction(&policies[1..], SiteClass::Metro, IssuerId::NATIONAL), None);
    }
}
