//! The rules of classes of site: laid one over another, each said by its own division, and none that can not be.

use super::country::*;
use menshen_core::ids::IssuerId;
use menshen_core::policy::{MAX_PART_BYTES, Policy, PolicyPart, SiteClass};
use menshen_core::verdict::Verdict;
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Repository, Signers};
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::{Believed, Import};
use std::fs;

const METRO: SiteClass = SiteClass::Metro;

fn put(repository: &mut Repository, code: u32, class: SiteClass, part: PolicyPart) {
    let (role, owner) = match code {
        100_000 => ("targets".to_owned(), IssuerId::NATIONAL),
        code => (code.to_string(), id(code)),
    };
    let mut bytes = Vec::new();
    let Ok(()) = part.encode(&mut bytes) else { panic!("a vector grows") };
    repository.put(&role, &Target::Policy(owner, class).path(), &bytes).expect("lists");
}

fn degrees(centi_c: i16) -> PolicyPart {
    PolicyPart { threshold_centi_c: Some(centi_c), ..PolicyPart::default() }
}

fn stale_after(days: u32) -> PolicyPart {
    PolicyPart { trust_stale_after_s: Some(days * 86_400), ..PolicyPart::default() }
}

fn at(believed: &Believed, home: u32) -> Option<Policy> {
    believed.list.policy(&Policy::of(METRO), id(home)).expect("a gate never meets a contradiction")
}

fn threshold(believed: &Believed, home: u32) -> Option<i16> {
    at(believed, home).map(|policy| policy.threshold_centi_c)
}

/// What a gate believes of a publication at once, and after it was off: they are to be the same.
fn believes(gate: &Gate, country: &Country, now: u64) -> Believed {
    let believed = gate.believes(&country.stick(), now);
    let again = gate.restarted();
    assert_eq!((&again.list, &again.roles), (&believed.list, &believed.roles));
    believed
}

#[test]
fn what_a_province_says_lies_over_what_the_nation_says() {
    let country = Country::new();
    let gate = Gate::new(&country);
    assert_eq!(at(&believes(&gate, &country, NOW), ZHEJIANG), None, "nobody signed any");
    country
        .publish(NOW + DAY, |repository| {
            put(repository, 100_000, METRO, PolicyPart { yellow: Some(Verdict::Refer), ..degrees(3750) });
            put(repository, ZHEJIANG, METRO, degrees(3720));
            put(repository, HANGZHOU, METRO, PolicyPart { again_after_s: Some(7), ..PolicyPart::default() });
        })
        .expect("signs");
    let believed = believes(&gate, &country, NOW + DAY);
    let nation = Policy { threshold_centi_c: 3750, yellow: Verdict::Refer, ..Policy::of(METRO) };
    let zhejiang = Policy { threshold_centi_c: 3720, ..nation.clone() };
    assert_eq!(at(&believed, HENAN), Some(nation));
    assert_eq!(at(&believed, HANGZHOU), Some(Policy { again_after_s: 7, ..zhejiang.clone() }));
    assert_eq!(at(&believed, ZHEJIANG), Some(zhejiang));
    assert_eq!(believed.list.policy(&Policy::of(SiteClass::School), id(ZHEJIANG)), Ok(None));
    assert!([ZHEJIANG, HANGZHOU, HENAN].iter().all(|code| held_back(&believed, *code).is_none()));
}

#[test]
fn a_policy_that_is_taken_out_holds_no_longer() {
    let country = Country::new();
    let gate = Gate::new(&country);
    let publish = |now, edit: fn(&mut Repository)| country.publish(now, edit).expect("signs");
    publish(NOW + DAY, |repository| {
        put(repository, 100_000, METRO, degrees(3750));
        put(repository, ZHEJIANG, METRO, degrees(3720));
    });
    assert_eq!(threshold(&believes(&gate, &country, NOW + DAY), ZHEJIANG), Some(3720));
    publish(NOW + 2 * DAY, |r| assert!(r.remove("330000", "policy/330000/metro").expect("edits")));
    assert_eq!(threshold(&believes(&gate, &country, NOW + 2 * DAY), ZHEJIANG), Some(3750));
    publish(NOW + 3 * DAY, |r| assert!(r.remove("targets", "policy/metro").expect("edits")));
    assert_eq!(at(&believes(&gate, &country, NOW + 3 * DAY), ZHEJIANG), None);
}

#[test]
fn a_bad_policy_holds_its_division_back_alone_and_the_last_good_one_goes_on() {
    type Publish = fn(&mut Repository);
    let vectors: [(&str, Refusal, Publish); 9] = [
        ("of another province", Refusal::ForeignPath, |r| r.put("410000", "policy/330000/metro", b"").expect("lists")),
        ("of its own city", Refusal::ForeignPath, |r| {
            let mut bytes = Vec::new();
            let Ok(()) = degrees(3700).encode(&mut bytes) else { panic!("a vector grows") };
            r.put("410000", "policy/410100/metro", &bytes).expect("lists");
        }),
        ("no policy", Refusal::Malformed, |r| r.put("410000", "policy/410000/metro", b"red").expect("lists")),
        ("empty", Refusal::Malformed, |r| r.put("410000", "policy/410000/metro", b"").expect("lists")),
        ("of a later format", Refusal::Malformed, |r| {
            r.put("410000", "policy/410000/metro", &[0xa1, 0, 2]).expect("lists");
        }),
        ("out of bounds", Refusal::Malformed, |r| put(r, HENAN, METRO, degrees(4200))),
        ("too long", Refusal::TooLong, |r| {
            r.put("410000", "policy/410000/metro", &[0; MAX_PART_BYTES + 1]).expect("lists");
        }),
        ("stale before it is ageing", Refusal::Malformed, |r| put(r, HENAN, METRO, stale_after(1))),
        ("the same of another class", Refusal::Malformed, |r| put(r, HENAN, SiteClass::School, stale_after(1))),
    ];
    for (defect, refusal, publish) in vectors {
        let country = Country::new();
        let gate = Gate::new(&country);
        country.publish(NOW + DAY, |repository| put(repository, HENAN, METRO, degrees(3700))).expect("signs");
        believes(&gate, &country, NOW + DAY);
        country
            .publish(NOW + 2 * DAY, |repository| {
                put(repository, ZHEJIANG, METRO, degrees(3720));
                put_list(repository, HENAN, 2);
                publish(repository);
            })
            .expect("signs");
        let believed = believes(&gate, &country, NOW + 2 * DAY);
        assert_eq!(held_back(&believed, HENAN), Some(refusal), "{defect}");
        assert_eq!((threshold(&believed, HENAN), list_of(&believed, HENAN)), (Some(3700), Some(1)), "{defect}");
        assert_eq!((held_back(&believed, ZHEJIANG), threshold(&believed, ZHEJIANG)), (None, Some(3720)), "{defect}");
    }
}

#[test]
fn a_contradiction_says_what_and_where() {
    let country = Country::new();
    country.publish(NOW + DAY, |repository| put(repository, HANGZHOU, METRO, stale_after(2))).expect("signs");
    let believed = Gate::new(&country).believes(&country.stick(), NOW + DAY);
    let role = believed.roles.iter().find(|role| role.scope == id(HANGZHOU)).expect("it was met");
    let why = role.held_back.as_ref().expect("it is refused").to_string();
    assert!(["policy/330100/metro", "330100", "trust_stale_after_h"].iter().all(|word| why.contains(word)), "{why}");
}

#[test]
fn what_the_nation_says_anew_costs_a_province_the_rule_that_contradicts_it_and_nothing_else() {
    let country = Country::new();
    let gate = Gate::new(&country);
    country
        .publish(NOW + DAY, |repository| {
            put(repository, ZHEJIANG, METRO, stale_after(4));
            put(repository, ZHEJIANG, SiteClass::School, degrees(3710));
        })
        .expect("signs");
    assert_eq!(at(&believes(&gate, &country, NOW + DAY), ZHEJIANG).map(|own| own.trust_stale_after_s), Some(4 * DAY));
    let ageing = PolicyPart { trust_ageing_after_s: Some(5 * 86_400), ..PolicyPart::default() };
    country.publish(NOW + 2 * DAY, |repository| put(repository, 100_000, METRO, ageing)).expect("signs");
    let believed = believes(&gate, &country, NOW + 2 * DAY);
    assert_eq!(held_back(&believed, ZHEJIANG), Some(Refusal::Malformed));
    assert_eq!(
        at(&believed, ZHEJIANG).map(|own| (own.trust_ageing_after_s, own.trust_stale_after_s)),
        Some((5 * DAY, 14 * DAY))
    );
    let school = believed.list.policy(&Policy::of(SiteClass::School), id(ZHEJIANG)).expect("no contradiction");
    assert_eq!(school.map(|own| own.threshold_centi_c), Some(3710));
    assert!(believed.list.issuer(id(HANGZHOU)).is_some(), "what else it said still counts");
    country.publish(NOW + 3 * DAY, |repository| put(repository, 100_000, METRO, degrees(3750))).expect("signs");
    let believed = believes(&gate, &country, NOW + 3 * DAY);
    assert_eq!(held_back(&believed, ZHEJIANG), None);
    assert_eq!(
        at(&believed, ZHEJIANG).map(|own| (own.threshold_centi_c, own.trust_stale_after_s)),
        Some((3750, 4 * DAY))
    );
}

#[test]
fn a_national_policy_that_can_not_be_is_refused_with_all_of_the_publication() {
    for part in [stale_after(1), degrees(4200)] {
        let country = Country::new();
        let gate = Gate::new(&country);
        believes(&gate, &country, NOW);
        country.publish(NOW + DAY, |repository| put(repository, 100_000, METRO, part)).expect("signs");
        assert_eq!(gate.refuses(&country.stick(), NOW + DAY), Refusal::Malformed);
        assert_eq!(at(&gate.restarted(), ZHEJIANG), None);
    }
}

#[test]
fn a_province_has_room_for_the_policies_of_four_divisions_and_takes_none_from_another() {
    let country = Country::new();
    let cities = [410_100, 410_200, 410_300, 410_400];
    country
        .publish(NOW + DAY, |repository| {
            for code in cities {
                let paths = names::own_paths(id(code));
                repository
                    .delegate("410000", &code.to_string(), &Signers::one(public("410000")), &paths)
                    .expect("delegates");
            }
            for (code, class) in
                [HENAN, ZHEJIANG].iter().chain(&cities).flat_map(|code| SiteClass::ALL.map(|c| (*code, c)))
            {
                put(repository, code, class, degrees(3700));
            }
        })
        .expect("signs");
    let believed = believes(&Gate::new(&country), &country, NOW + DAY);
    let refused: Vec<_> = cities.iter().filter_map(|code| held_back(&believed, *code)).collect();
    assert_eq!(refused, [Refusal::TooLong]);
    assert_eq!((held_back(&believed, HENAN), held_back(&believed, ZHEJIANG)), (None, None));
    assert_eq!(believed.list.content().policies.len(), 25);
}

/// A delegation as programs wrote it before there were policies.
fn delegate_as_before(repository: &mut Repository, superior: &str, code: u32) {
    let paths = names::paths_before_policies(id(code));
    repository
        .delegate(superior, &code.to_string(), &Signers::one(public(&code.to_string())), &paths)
        .expect("delegates");
}

#[test]
fn a_delegation_of_before_is_brought_up_to_date_by_whoever_can_sign_it() {
    let (country, path) = (Country::new(), Target::Policy(id(HENAN), METRO).path());
    let mut repository = country.repository();
    delegate_as_before(&mut repository, "targets", HENAN);
    repository
        .publish_untried(&super::with(&["targets", "410000", "snapshot", "timestamp"]), NOW + DAY)
        .expect("signs");
    assert!(country.repository().may_sign("410000", &path), "a draft of the superior is brought up to date on its way");
    // As the program of before published it.
    let country = Country::new().published_before_policies();
    assert!(!country.repository().may_sign("410000", &path));
    let gate = Gate::new(&country);
    assert_eq!(held_back(&gate.believes(&country.stick(), NOW), HENAN), None, "a role without policies is as it was");
    let daily = super::with(&["snapshot", "timestamp"]);
    let published = country.repository().publish(&daily, NOW + DAY).expect("signs");
    assert!(published.roles.is_empty() && published.waiting.is_empty(), "{published:?}");
    let published = country.repository().publish(&super::with(&["targets", "snapshot", "timestamp"]), NOW + DAY);
    assert_eq!(published.expect("signs").roles, ["targets"], "Henan need not sign again");
    assert!(country.repository().may_sign("410000", &path));
    country.publish(NOW + DAY, |repository| put(repository, HENAN, METRO, degrees(3700))).expect("signs");
    let believed = believes(&gate, &country, NOW + DAY);
    assert_eq!((held_back(&believed, HENAN), threshold(&believed, HENAN)), (None, Some(3700)));
}

#[test]
fn a_policy_under_a_delegation_of_before_is_held_back() {
    let country = Country::new().published_before_policies();
    let mut repository = country.repository();
    put(&mut repository, HENAN, METRO, degrees(3700));
    repository.publish_untried(&super::with(&["410000", "snapshot", "timestamp"]), NOW + DAY).expect("signs");
    let believed = believes(&Gate::new(&country), &country, NOW + DAY);
    assert_eq!((held_back(&believed, HENAN), at(&believed, HENAN)), (Some(Refusal::ForeignPath), None));
}

#[test]
fn what_a_program_kept_that_knew_no_policies_still_counts_and_gets_them_with_the_next_import() {
    let country = Country::new();
    country
        .publish(NOW + DAY, |repository| {
            put(repository, 100_000, METRO, degrees(3750));
            put(repository, ZHEJIANG, METRO, degrees(3720));
        })
        .expect("signs");
    let gate = Gate::new(&country);
    let believed = believes(&gate, &country, NOW + DAY);
    gate.change_generation(|generation| {
        let parts = generation["parts"].as_object_mut().expect("parts by path");
        parts.retain(|path, _| !path.starts_with("policy/"));
    });
    let again = gate.restarted();
    assert_eq!((at(&again, ZHEJIANG), &again.roles), (None, &believed.roles));
    assert_eq!(again.list.content().issuers, believed.list.content().issuers);
    assert!(matches!(gate.import(&country.stick(), NOW + DAY), Ok(Import::New(_))));
    assert_eq!(threshold(&gate.restarted(), ZHEJIANG), Some(3720));
    assert!(matches!(gate.import(&country.stick(), NOW + DAY), Ok(Import::Unchanged)));
    assert!(fs::metadata(gate.dir().join("generation")).is_ok());
}
