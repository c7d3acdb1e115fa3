//! The rules that are in force at a gate: what is baked in, what is signed, and what its own site file says.
//!
//! While nobody has signed rules for a class of site, the site's own say what they like over what is baked in. Once
//! somebody has, the site may ask for more than they do and never for less: what it says less of is left out and told.
//! Apart from the loop, because the rules change with what the gate believes, while people pass.

use menshen_core::ids::IssuerId;
use menshen_core::policy::{Key, Policy, PolicyError, PolicyPart};
use menshen_core::trust::TrustList;

/// What a site says of its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What is baked in for its class, with what is the lane's own matter: windows, pulses, the way it leads.
    pub base: Policy,
    /// What its file says of everything that can be signed.
    pub own: PolicyPart,
}

/// The rules that count now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The rules.
    pub policy: Policy,
    /// Whether somebody signed them; else they are baked in, with what the site says.
    pub is_signed: bool,
    /// What of the site's own does not count, as one sentence with its remedy.
    pub fault: Option<String>,
}

impl Rules {
    /// The rules of a site that says nothing but these.
    pub fn of(policy: Policy) -> Rules {
        Rules { base: policy, own: PolicyPart::default() }
    }

    /// What counts at a gate of `home` that believes this.
    pub fn in_force(&self, trust: Option<&TrustList>, home: IssuerId) -> InForce {
        let signed = trust.map(|trust| trust.policy(&self.base, home)).transpose();
        let (signed, contradiction) = match signed {
            Ok(signed) => (signed.flatten(), None),
            Err(error) => {
                (None, Some(format!("the signed rules contradict themselves ({error}): tell who signed them")))
            }
        };
        let Some(signed) = signed else {
            let policy = self.own.over(&self.base).unwrap_or_else(|_| self.base.clone());
            return InForce { policy, is_signed: false, fault: contradiction };
        };
        let (kept, left_out) = self.own.not_looser_than(&signed);
        let names: Vec<&str> = left_out.iter().map(|key| key.name()).collect();
        let less = (!names.is_empty()).then(|| less_than_signed(&names));
        match over_without(kept, &signed) {
            (policy, None) => InForce { policy, is_signed: true, fault: less },
            (policy, Some(key)) => {
                let fault = less.unwrap_or_else(|| does_not_go_with_signed(key.name()));
                InForce { policy, is_signed: true, fault: Some(fault) }
            }
        }
    }
}

/// What a site says over what is signed, without the one rule that does not go with it, where there is one.
fn over_without(own: PolicyPart, signed: &Policy) -> (Policy, Option<Key>) {
    match own.over(signed) {
        Ok(policy) => (policy, None),
        Err(PolicyError::Order(key) | PolicyError::Bounds(key)) => {
            let without = own.without(key);
            (without.over(signed).unwrap_or_else(|_| signed.clone()), Some(key))
        }
        Err(PolicyError::Content(_) | PolicyError::Format(_)) => (signed.clone(), None),
    }
}

fn does_not_go_with_signed(name: &str) -> String {
    format!(
        "the site file's `{name}` does not go with the rules that are signed for it: correct it, or take it out of [policy]"
    )
}

fn less_than_signed(names: &[&str]) -> String {
    let names = names.join("`, `");
    format!("the site file asks for less than the rules that are signed for it in `{names}`: take that out of [policy]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::policy::SiteClass;
    use menshen_core::trust::TrustContent;
    use menshen_core::verdict::Verdict;

    fn id(code: u32) -> IssuerId {
        IssuerId::new(code).expect("six digits")
    }

    fn trust(said: &[(u32, SiteClass, PolicyPart)]) -> TrustList {
        let mut content = TrustContent::default();
        for (scope, class, part) in said {
            content.join_policy(id(*scope), *class, *part).expect("there is room");
        }
        TrustList::new(content).expect("it contradicts nothing")
    }

    fn yellow(verdict: Verdict) -> PolicyPart {
        PolicyPart { yellow: Some(verdict), ..PolicyPart::default() }
    }

    #[test]
    fn the_nearer_division_says_more_and_other_classes_and_places_say_nothing() {
        let threshold = PolicyPart { threshold_centi_c: Some(3700), ..PolicyPart::default() };
        let trust = trust(&[
            (330_100, SiteClass::Metro, yellow(Verdict::Admit)),
            (100_000, SiteClass::Metro, PolicyPart { yellow: Some(Verdict::Refer), ..threshold }),
            (330_000, SiteClass::School, yellow(Verdict::Admit)),
            (410_000, SiteClass::Metro, PolicyPart { threshold_centi_c: Some(3900), ..PolicyPart::default() }),
        ]);
        let of = |class, home| Rules::of(Policy::of(class)).in_force(Some(&trust), id(home));
        let hangzhou = of(SiteClass::Metro, 330_106);
        assert_eq!((hangzhou.policy.yellow, hangzhou.policy.threshold_centi_c), (Verdict::Admit, 3700));
        assert!(hangzhou.is_signed && hangzhou.fault.is_none());
        let ningbo = of(SiteClass::Metro, 330_200);
        assert_eq!((ningbo.policy.yellow, ningbo.policy.threshold_centi_c), (Verdict::Refer, 3700));
        let office = of(SiteClass::Office, 330_100);
        assert_eq!((office.policy, office.is_signed), (Policy::of(SiteClass::Office), false));
    }

    #[test]
    fn a_site_may_ask_for_more_than_is_signed_and_what_it_asks_less_of_is_told() {
        let trust = trust(&[(100_000, SiteClass::Community, yellow(Verdict::Refer))]);
        for (own, expected, told) in
            [(yellow(Verdict::Refuse), Verdict::Refuse, false), (yellow(Verdict::Admit), Verdict::Refer, true)]
        {
            let rules = Rules { base: Policy::default(), own };
            let in_force = rules.in_force(Some(&trust), id(330_100));
            assert_eq!(in_force.policy.yellow, expected);
            assert_eq!(in_force.fault.is_some_and(|fault| fault.contains("`yellow`")), told);
            assert_eq!(rules.in_force(None, id(330_100)).policy.yellow, own.yellow.expect("it is said"));
        }
    }

    #[test]
    fn a_rule_that_does_not_go_with_what_is_signed_costs_no_other() {
        let ageing = PolicyPart { status_ageing_after_s: Some(100 * 3600), ..PolicyPart::default() };
        let trust = trust(&[(100_000, SiteClass::Community, ageing)]);
        let own = PolicyPart { status_stale_after_s: Some(72 * 3600), ..yellow(Verdict::Refuse) };
        let in_force = Rules { base: Policy::default(), own }.in_force(Some(&trust), id(330_100));
        assert_eq!(in_force.policy.yellow, Verdict::Refuse);
        assert!(
            in_force.fault.is_some_and(|fault| fault.contains("status_stale_after_h") && !fault.contains("yellow"))
        );
    }

    #[test]
    fn what_is_the_lanes_own_matter_nobody_signs() {
        let trust = trust(&[(100_000, SiteClass::Community, yellow(Verdict::Refuse))]);
        let base = Policy { relay_pulse_ms: 700, leads_out: true, ..Policy::default() };
        let policy = Rules::of(base).in_force(Some(&trust), id(330_100)).policy;
        assert_eq!((policy.relay_pulse_ms, policy.leads_out, policy.yellow), (700, true, Verdict::Refuse));
    }
}
