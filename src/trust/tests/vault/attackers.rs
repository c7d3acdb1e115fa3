//! What one division, or whoever has its key or its sticks, can do to the others: nothing.

use super::country::*;
use menshen_core::status::{StatusSource, Tag};
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Repository, Signers};
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::Believed;
use std::fs;

/// A gate that believes what a new country published first.
fn believing() -> (Country, Gate) {
    let country = Country::new();
    let gate = Gate::new(&country);
    gate.believes(&country.stick(), NOW);
    (country, gate)
}

/// What a gate believes of the first publication with these changes, at once and after a restart.
fn after(edit: impl FnOnce(&mut Repository)) -> [Believed; 2] {
    let (country, gate) = believing();
    country.publish(NOW + DAY, edit).expect("publishes");
    [gate.believes(&country.stick(), NOW + DAY), gate.restarted()]
}

#[test]
fn a_province_signed_by_another_ones_key_is_refused_for_its_signature_though_snapshot_and_timestamp_vouch_for_it() {
    let country = Country::new();
    let stick = country.stick();
    for signer in ["410000", "330000"] {
        sign(stick.path(), "1.410000.json", signer, |_| {});
        pin(stick.path(), "1.410000.json", "1.snapshot.json", "snapshot");
        pin(stick.path(), "1.snapshot.json", "timestamp.json", "timestamp");
        let believed = Gate::new(&country).believes(&stick, NOW);
        let (expected, list) = if signer == "410000" { (None, Some(1)) } else { (Some(Refusal::Signature), None) };
        assert_eq!(held_back(&believed, HENAN), expected, "signed by {signer}");
        assert_eq!(list_of(&believed, HENAN), list, "signed by {signer}");
        assert_eq!(held_back(&believed, ZHEJIANG), None);
    }
}

#[test]
fn a_timestamp_signed_by_a_province_is_refused_as_a_whole() {
    let (country, gate) = believing();
    country.publish(NOW + DAY, |_| {}).expect("publishes");
    let stick = country.stick();
    sign(stick.path(), "timestamp.json", "330000", |_| {});
    assert_eq!(gate.refuses(&stick, NOW + DAY), Refusal::Signature);
}

#[test]
fn a_province_that_delegates_to_another_ones_city_is_held_back_and_the_city_goes_on() {
    for believed in after(|repository| {
        let paths = names::own_paths(id(HANGZHOU));
        // Henan's role is walked before Zhejiang's children are.
        repository.delegate("410000", "330100", &Signers::one(public("410000")), &paths).expect("delegates");
        put_list(repository, HANGZHOU, 2);
    }) {
        assert_eq!(held_back(&believed, HENAN), Some(Refusal::ForeignPath));
        assert_eq!(held_back(&believed, HANGZHOU), None);
        assert_eq!(list_of(&believed, HANGZHOU), Some(2));
    }
}

#[test]
fn whose_news_is_kept_from_a_gate_ages_and_nobody_else_does() {
    let (country, gate) = believing();
    for day in 1..=3 {
        country.publish(NOW + day * DAY, |repository| put_list(repository, HENAN, 1 + day)).expect("publishes");
        let stick = country.stick();
        stick.change(&format!("{}.410000.json", 1 + day), |bytes| bytes[100] ^= 1);
        for believed in [gate.believes(&stick, NOW + day * DAY), gate.restarted()] {
            assert_eq!(held_back(&believed, HENAN), Some(Refusal::Altered));
            assert_eq!(believed.list.as_of(id(HENAN)), NOW, "day {day}");
            assert_eq!(believed.list.as_of(id(ZHEJIANG)), NOW + day * DAY);
        }
    }
    let believed = gate.believes(&country.stick(), NOW + 3 * DAY);
    assert_eq!(believed.list.as_of(id(HENAN)), NOW + 3 * DAY, "what it said is here at last");
}

#[test]
fn a_province_that_lists_more_than_it_needs_is_held_back_and_takes_no_room() {
    type Publish = fn(&mut Repository);
    let vectors: [(&str, Publish); 4] = [
        ("lists", |r| (0..66).for_each(|n| put_list_of(r, "410000", HENAN + n, 1))),
        ("deltas", |r| (2..=514).for_each(|seq| put_delta(r, HENAN, seq, NOW))),
        ("roles", |r| {
            for code in (1..=129).map(|n| HENAN + n) {
                let paths = names::own_paths(id(code));
                r.delegate("410000", &code.to_string(), &Signers::one([9; 32]), &paths).expect("delegates");
            }
        }),
        ("issuers", |r| {
            put_issuers(r, "410000", id(HENAN), &(1..=65).map(|n| HENAN + n).collect::<Vec<_>>());
        }),
    ];
    for (what, publish) in vectors {
        for believed in after(|repository| {
            publish(repository);
            put_list(repository, ZHEJIANG, 2);
        }) {
            assert_eq!(held_back(&believed, HENAN), Some(Refusal::TooLong), "{what}");
            assert_eq!(list_of(&believed, HENAN), Some(1), "{what}");
            assert_eq!(list_of(&believed, ZHEJIANG), Some(2), "{what}");
            assert_eq!(believed.status.iter().count(), 3, "{what}");
        }
    }
}

#[test]
fn of_a_list_that_a_province_and_its_city_publish_whoever_spoke_last_counts() {
    let (country, gate) = believing();
    country.publish(NOW + DAY, |repository| put_list_of(repository, "330000", HANGZHOU, 1)).expect("publishes");
    assert_eq!(list_of(&gate.believes(&country.stick(), NOW + DAY), HANGZHOU), Some(1));
    country.publish(NOW + DAY, |repository| put_delta(repository, HANGZHOU, 2, NOW + DAY)).expect("publishes");
    assert_eq!(list_of(&gate.believes(&country.stick(), NOW + DAY), HANGZHOU), Some(2), "the city's is newer");
}

#[test]
fn the_nation_may_give_its_status_list_into_other_hands_and_nothing_more() {
    let nation = id(100_000);
    let delegate = |repository: &mut Repository| {
        let status = names::own_paths(nation).pop().expect("the list is the last");
        repository.delegate("targets", "100000", &Signers::one(public("330100")), &[status]).expect("delegates");
    };
    for believed in after(|repository| {
        delegate(repository);
        put_list(repository, 100_000, 1);
    }) {
        assert_eq!((held_back(&believed, 100_000), list_of(&believed, 100_000)), (None, Some(1)));
    }
    for believed in after(|repository| {
        delegate(repository);
        repository.put("100000", &Target::Issuers(nation).path(), b"mine").expect("lists");
    }) {
        assert_eq!(held_back(&believed, 100_000), Some(Refusal::ForeignPath));
        assert_eq!(believed.list.as_of(id(HENAN)), NOW + DAY, "nobody else lags");
    }
}

#[test]
fn who_was_delegated_to_and_has_never_published_is_no_fault() {
    for believed in after(|repository| {
        let paths = names::own_paths(id(420_000));
        let stranger = Signers::one([9; 32]);
        repository.delegate("targets", "420000", &stranger, &paths).expect("delegates");
    }) {
        assert_eq!(held_back(&believed, 420_000), None);
        assert_eq!(believed.roles.iter().find(|role| role.scope == id(420_000)).and_then(|role| role.version), None);
    }
}

#[test]
fn a_generation_that_was_taken_away_does_not_let_an_older_publication_in() {
    let (country, gate) = believing();
    let old = country.stick();
    for day in [1, 2] {
        country.publish(NOW + day * DAY, |_| {}).expect("publishes");
        gate.believes(&country.stick(), NOW + day * DAY);
    }
    fs::remove_file(gate.dir().join("generation")).expect("removes");
    assert_eq!(gate.refuses(&old, NOW + 2 * DAY), Refusal::Older);
}

#[test]
fn a_list_that_rotted_costs_a_province_that_is_held_back_that_list_alone() {
    let (country, gate) = believing();
    for entry in fs::read_dir(gate.dir().join("files")).expect("reads").flatten() {
        let mut bytes = fs::read(entry.path()).expect("reads");
        bytes[30] ^= 1;
        fs::write(entry.path(), bytes).expect("writes");
    }
    country.publish(NOW + DAY, |repository| put_issuers(repository, "330000", id(ZHEJIANG), &[])).expect("publishes");
    let stick = country.stick();
    stick.change("2.330000.json", |bytes| bytes[100] ^= 1);
    let believed = gate.believes(&stick, NOW + DAY);
    assert_eq!(held_back(&believed, ZHEJIANG), Some(Refusal::Altered));
    assert!(believed.list.issuer(id(HANGZHOU)).is_some(), "what else it said still counts");
    assert!(believed.status.look_up(id(ZHEJIANG), Tag::from_number(u64::from(ZHEJIANG))).is_err());
}
