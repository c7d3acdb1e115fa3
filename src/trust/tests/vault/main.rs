//! What a gate believes after an import, from a good repository and from every bad one.

mod attackers;
mod country;
mod policies;
mod power_cut;

use country::*;
use menshen_core::ids::KeyId;
use menshen_core::status::{StatusSource, Tag};
use menshen_core::time::SKEW_S;
use menshen_trust::names::{self, Target};
use menshen_trust::publish::{Keyring, PublishError, Signers};
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::{self, Import, Now, Step, Steps, VaultError};
use std::fs;

fn codes(believed: &menshen_trust::vault::Believed) -> Vec<u32> {
    believed.list.content().issuers.iter().map(|issuer| issuer.id.code()).collect()
}

#[test]
fn the_nation_its_provinces_and_their_cities_are_believed_each_for_itself() {
    let (country, gate) = with_gate();
    let believed = gate.believes(&country.stick(), NOW);
    assert_eq!(codes(&believed), [100_000, ZHEJIANG, HANGZHOU, HENAN]);
    assert_eq!(believed.list.content().as_of, NOW);
    assert_eq!(believed.list.content().version, 1);
    let hangzhou = KeyId::of(&public("pass 330100"));
    assert_eq!(believed.list.keys(hangzhou).first().map(|key| key.issuer), Some(id(HANGZHOU)));
    for code in [ZHEJIANG, HANGZHOU, HENAN] {
        assert_eq!(held_back(&believed, code), None, "{code}");
        assert_eq!(list_of(&believed, code), Some(1));
    }
}

fn with_gate() -> (Country, Gate) {
    let country = Country::new();
    let gate = Gate::new(&country);
    (country, gate)
}

#[test]
fn the_same_again_changes_nothing() {
    let (country, gate) = with_gate();
    let stick = country.stick();
    gate.believes(&stick, NOW);
    assert!(matches!(gate.import(&stick, NOW + DAY), Ok(Import::Unchanged)));
}

#[test]
fn a_gate_that_starts_years_later_believes_what_it_believed() {
    let (country, gate) = with_gate();
    let before = gate.believes(&country.stick(), NOW);
    let after = gate.restarted();
    assert_eq!(after.list, before.list);
    assert_eq!(list_of(&after, HENAN), list_of(&before, HENAN));
    assert_eq!(after.roles, before.roles);
    assert_eq!(after.verified_at, NOW);
}

#[test]
fn a_gate_without_an_import_believes_nothing() {
    let (_, gate) = with_gate();
    assert!(gate.vault().current().expect("reads").is_none());
}

#[test]
fn an_older_repository_is_refused_as_older() {
    let (country, gate) = with_gate();
    let old = country.stick();
    country.publish(NOW + DAY, |repository| put_issuers(repository, "330000", id(ZHEJIANG), &[])).expect("publishes");
    let new = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(gate.refuses(&old, NOW + DAY), Refusal::Older);
    assert_eq!(gate.restarted().list, new.list);
}

#[test]
fn a_repository_that_has_expired_is_refused_as_expired() {
    let (country, gate) = with_gate();
    assert_eq!(gate.refuses(&country.stick(), NOW + 31 * DAY), Refusal::Expired);
}

#[test]
fn a_repository_of_a_moment_that_has_not_come_waits_for_it_where_the_time_is_certain() {
    let (country, gate) = with_gate();
    let year = 365 * DAY;
    country.publish(NOW + year, |_| {}).expect("publishes");
    let (stick, vault) = (country.stick(), gate.vault());
    let sure = |latest_s| Now { unix_s: NOW, latest_s: Some(latest_s) };
    for latest_s in [NOW, NOW + year - SKEW_S - 1] {
        match vault.import(stick.source(), sure(latest_s), &Steps::none()) {
            Err(VaultError::Refused(error)) => assert_eq!(error.refusal, Refusal::Ahead, "{error}"),
            other => panic!("this must be refused: {other:?}"),
        }
        assert!(vault.current().expect("reads").is_none());
    }
    assert!(matches!(vault.import(stick.source(), sure(NOW + year - SKEW_S), &Steps::none()), Ok(Import::New(_))));
    let unsure = Gate::new(&country);
    assert_eq!(unsure.believes(&stick, NOW).list.content().as_of, NOW + year, "who knows no better believes it");
}

#[test]
fn a_repository_that_others_signed_is_refused_for_its_signatures() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let stranger = Country::of("another ");
    stranger.publish(NOW + DAY, |_| {}).expect("publishes");
    assert_eq!(gate.refuses(&stranger.stick(), NOW + DAY), Refusal::Signature);
}

#[test]
fn metadata_that_end_too_early_are_refused_as_cut_off() {
    let (country, gate) = with_gate();
    for file in ["timestamp.json", "1.snapshot.json", "1.targets.json"] {
        let stick = country.stick();
        stick.change(file, |bytes| bytes.truncate(bytes.len() - 7));
        assert_eq!(gate.refuses(&stick, NOW), Refusal::CutOff, "{file}");
    }
}

#[test]
fn metadata_and_targets_that_are_too_long_are_refused_as_such() {
    let (country, gate) = with_gate();
    for (file, size) in [("timestamp.json", 20_000), ("1.snapshot.json", 2_100_000), (".issuers", 300_000)] {
        let stick = country.stick();
        stick.change(file, |bytes| bytes.resize(size, b' '));
        assert_eq!(gate.refuses(&stick, NOW), Refusal::TooLong, "{file}");
    }
}

#[test]
fn metadata_and_targets_that_were_changed_are_refused_as_altered() {
    let (country, gate) = with_gate();
    for file in ["1.snapshot.json", "1.targets.json", ".issuers"] {
        let stick = country.stick();
        stick.change(file, |bytes| {
            let at = bytes.iter().rposition(|byte| byte.is_ascii_digit()).unwrap_or(9);
            bytes[at] ^= 1;
        });
        assert_eq!(gate.refuses(&stick, NOW), Refusal::Altered, "{file}");
    }
}

#[test]
fn a_stick_without_a_file_is_refused_as_missing_it() {
    let (country, gate) = with_gate();
    for file in ["timestamp.json", "1.snapshot.json", "1.targets.json", ".issuers"] {
        let stick = country.stick();
        fs::remove_file(stick.file(file)).expect("removes");
        assert_eq!(gate.refuses(&stick, NOW), Refusal::Missing, "{file}");
    }
}

/// What happens to one province's files stops that province and nobody else, and its last good word stays.
#[test]
fn a_province_whose_files_are_bad_is_held_back_alone_and_keeps_its_last_good_word() {
    type Spoil = fn(&Stick);
    let vectors: [(&str, Refusal, Spoil); 6] = [
        ("its metadata cut off", Refusal::CutOff, |s| s.change("2.410000.json", |b| b.truncate(b.len() / 2))),
        ("its metadata missing", Refusal::Missing, |s| fs::remove_file(s.file("2.410000.json")).expect("removes")),
        ("its metadata changed", Refusal::Altered, |s| s.change("2.410000.json", |b| b.push(b'\n'))),
        ("its list cut off", Refusal::CutOff, |s| s.change("snapshot-2", |b| b.truncate(3))),
        ("its list changed", Refusal::Altered, |s| s.change("snapshot-2", |b| b[0] ^= 1)),
        ("its list too long", Refusal::TooLong, |s| s.change("snapshot-2", |b| b.push(0))),
    ];
    for (defect, refusal, spoil) in vectors {
        let (country, gate) = with_gate();
        gate.believes(&country.stick(), NOW);
        let publish = |repository: &mut menshen_trust::publish::Repository| {
            for code in [HENAN, ZHEJIANG] {
                put_list(repository, code, 2);
            }
        };
        country.publish(NOW + DAY, publish).expect("publishes");
        let stick = country.stick();
        assert!(stick.file("snapshot-2").to_string_lossy().contains("410000"), "the last in order is Henan's");
        spoil(&stick);
        let believed = gate.believes(&stick, NOW + DAY);
        for believed in [believed, gate.restarted()] {
            assert_eq!(held_back(&believed, HENAN), Some(refusal), "{defect}");
            assert_eq!(list_of(&believed, HENAN), Some(1), "{defect}");
            assert_eq!(held_back(&believed, ZHEJIANG), None, "{defect}");
            assert_eq!(list_of(&believed, ZHEJIANG), Some(2), "{defect}");
            assert_eq!(codes(&believed), [100_000, ZHEJIANG, HANGZHOU, HENAN], "{defect}");
        }
        // The whole stick, and it is as if nothing had been.
        let believed = gate.believes(&country.stick(), NOW + DAY);
        assert_eq!(held_back(&believed, HENAN), None, "{defect}");
        assert_eq!(list_of(&believed, HENAN), Some(2), "{defect}");
    }
}

#[test]
fn a_province_that_signs_another_ones_path_is_held_back() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let foreign = Target::Delta(id(HENAN), 2).path();
    country
        .publish(NOW + DAY, |repository| repository.put("330000", &foreign, b"all red").expect("lists"))
        .expect("signs");
    let believed = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(held_back(&believed, ZHEJIANG), Some(Refusal::ForeignPath));
    assert_eq!(list_of(&believed, HENAN), Some(1));
    assert_eq!(believed.status.get(id(HENAN)).map(|status| status.deltas()), Some(0));
}

#[test]
fn a_province_that_speaks_for_another_ones_issuer_is_held_back() {
    let (country, gate) = with_gate();
    let edit = |repository: &mut _| put_issuers(repository, "330000", id(ZHEJIANG), &[HANGZHOU, 420_100]);
    country.publish(NOW + DAY, edit).expect("signs");
    let believed = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(held_back(&believed, ZHEJIANG), Some(Refusal::ForeignPath));
    assert_eq!(codes(&believed), [100_000, ZHEJIANG, HENAN]);
}

#[test]
fn a_city_that_lists_what_is_its_provinces_is_held_back() {
    let (country, gate) = with_gate();
    let foreign = Target::Recognition(id(ZHEJIANG)).path();
    country
        .publish(NOW + DAY, |repository| repository.put("330100", &foreign, b"\x82\x01\x80").expect("lists"))
        .expect("signs");
    let believed = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(held_back(&believed, HANGZHOU), Some(Refusal::ForeignPath));
    assert_eq!(held_back(&believed, ZHEJIANG), None);
}

#[test]
fn a_province_whose_key_was_taken_away_is_believed_no_longer() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let stolen = fs::read(country.stick().file("1.410000.json")).expect("reads");
    let edit = |repository: &mut menshen_trust::publish::Repository| {
        let paths = names::own_paths(id(HENAN));
        // Whoever has Hangzhou's key of this test stands for Henan's new key.
        repository.delegate("targets", "410000", &Signers::one(public("330100")), &paths).expect("delegates");
    };
    country.publish(NOW + DAY, edit).expect("signs");
    let stick = country.stick();
    fs::write(stick.file("2.410000.json"), stolen).expect("the thief puts back what the old key signed");
    for believed in [gate.believes(&stick, NOW + DAY), gate.restarted()] {
        assert!(held_back(&believed, HENAN).is_some());
        assert_eq!(list_of(&believed, HENAN), None);
    }
    let believed = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(list_of(&believed, HENAN), Some(1), "signed by the new key");
}

/// The keys of these names.
fn with(names: &[&str]) -> Keyring {
    let mut keyring = Keyring::new();
    names.iter().for_each(|name| keyring.add(key(name)).expect("a key"));
    keyring
}

#[test]
fn a_province_that_does_not_sign_again_expires_alone_and_keeps_its_last_good_word() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let others = with(&["root-1", "root-2", "targets", "snapshot", "timestamp", "330000", "330100"]);
    let later = NOW + 366 * DAY;
    let published = country.repository().publish(&others, later).expect("the others sign");
    assert!(published.waiting.is_empty() && !published.roles.contains(&"410000".to_owned()), "{published:?}");
    let believed = gate.believes(&country.stick(), later);
    assert_eq!(held_back(&believed, HENAN), Some(Refusal::Expired));
    assert_eq!(list_of(&believed, HENAN), Some(1));
    assert_eq!(held_back(&believed, ZHEJIANG), None);
}

#[test]
fn a_draft_that_lacks_a_signature_waits_and_the_others_do_not_wait_for_it() {
    let (country, gate) = with_gate();
    let mut repository = country.repository();
    for code in [HENAN, ZHEJIANG] {
        put_list(&mut repository, code, 2);
    }
    let published =
        repository.publish(&with(&["snapshot", "timestamp", "330000"]), NOW + DAY).expect("Zhejiang signed");
    assert_eq!(published.roles, ["330000"]);
    assert!(matches!(&published.waiting[..], [PublishError::Unsigned { role, .. }] if role == "410000"));
    let believed = gate.believes(&country.stick(), NOW + DAY);
    assert_eq!(list_of(&believed, ZHEJIANG), Some(2));
    assert_eq!(list_of(&believed, HENAN), Some(1));
    let published = country.repository().publish(&country.keyring(), NOW + DAY).expect("Henan signs at last");
    assert_eq!(published.roles, ["410000"]);
    assert_eq!(list_of(&gate.believes(&country.stick(), NOW + DAY), HENAN), Some(2));
}

#[test]
fn what_new_keys_sign_waits_until_their_superior_has_named_them() {
    let (country, gate) = with_gate();
    let mut repository = country.repository();
    let paths = names::own_paths(id(HENAN));
    repository.delegate("targets", "410000", &Signers::one(public("new")), &paths).expect("delegates");
    let published = repository.publish(&with(&["snapshot", "timestamp", "new"]), NOW + DAY).expect("nothing is ready");
    assert!(published.roles.is_empty(), "{published:?}");
    assert_eq!(published.waiting.len(), 2, "{published:?}");
    assert_eq!(held_back(&gate.believes(&country.stick(), NOW + DAY), HENAN), None, "as it was");
    let published =
        country.repository().publish(&with(&["snapshot", "timestamp", "targets"]), NOW + DAY).expect("named");
    assert_eq!(published.roles, ["targets", "410000"], "its signature was kept with its draft");
    assert_eq!(held_back(&gate.believes(&country.stick(), NOW + DAY), HENAN), None);
}

#[test]
fn a_new_root_needs_old_and_new_keys_and_every_gate_follows_it() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let mut repository = country.repository();
    let roots = Signers { keys: vec![public("root-2"), public("root-3"), public("root-4")], threshold: 2 };
    repository.set_signers("root", &roots).expect("a draft");
    // One person after another: the draft waits for the second signature of the old and of the new root.
    for keys in [["root-4", "snapshot", "timestamp"], ["root-2", "snapshot", "timestamp"]] {
        let published =
            repository.publish(&with(&keys), NOW + DAY).expect("the day's publication does not wait for it");
        let [PublishError::Unsigned { role, found: 1, threshold: 2, .. }] = &published.waiting[..] else {
            panic!("the root has too few signatures: {published:?}");
        };
        assert_eq!(role, "root");
        assert_eq!(gate.believes(&country.stick(), NOW + DAY).root_version, 1);
        repository = country.repository();
    }
    country.repository().publish(&with(&["root-1", "snapshot", "timestamp"]), NOW + DAY).expect("all are there");
    assert_eq!(gate.believes(&country.stick(), NOW + DAY).root_version, 2);
    assert_eq!(gate.restarted().root_version, 2);
    assert_eq!(Gate::new(&country).believes(&country.stick(), NOW + DAY).root_version, 2, "a gate made with the first");
}

#[test]
fn a_card_that_forgets_costs_the_newest_generation_and_no_more() {
    let (country, gate) = with_gate();
    let before = gate.believes(&country.stick(), NOW);
    country.publish(NOW + DAY, |repository| put_issuers(repository, "330000", id(ZHEJIANG), &[])).expect("publishes");
    gate.believes(&country.stick(), NOW + DAY);
    let path = gate.dir().join("generation");
    let mut bytes = fs::read(&path).expect("reads");
    bytes[100] ^= 1;
    fs::write(&path, bytes).expect("writes");
    assert_eq!(gate.restarted().list, before.list);
    fs::remove_file(gate.dir().join("generation.previous")).expect("removes");
    assert!(matches!(gate.vault().current(), Err(VaultError::Damaged { .. })));
    gate.believes(&country.stick(), NOW + DAY);
}

#[test]
fn a_status_list_that_rots_on_the_disk_costs_that_list_until_it_is_imported_again() {
    let (country, gate) = with_gate();
    let stick = country.stick();
    gate.believes(&stick, NOW);
    for entry in fs::read_dir(gate.dir().join("files")).expect("reads").flatten() {
        let mut bytes = fs::read(entry.path()).expect("reads");
        bytes[30] ^= 1;
        fs::write(entry.path(), bytes).expect("writes");
    }
    let believed = gate.restarted();
    assert_eq!(codes(&believed), [100_000, ZHEJIANG, HANGZHOU, HENAN], "what else they say still counts");
    assert_eq!(held_back(&believed, HENAN), None);
    let tag = Tag::from_number(u64::from(HENAN));
    assert!(believed.status.look_up(id(HENAN), tag).is_err(), "a list that can not be read is no list without entries");
    let believed = gate.believes(&stick, NOW);
    assert!(matches!(believed.status.look_up(id(HENAN), tag), Ok(Some(_))));
    assert_eq!(list_of(&gate.restarted(), HENAN), Some(1));
}

#[test]
fn what_a_gate_came_with_counts_however_old_it_is_and_is_replaced_by_what_is_newer() {
    let (country, gate) = with_gate();
    let made_with = country.stick();
    let import = gate.vault().import_as_of_itself(made_with.source(), &Steps::none());
    assert!(matches!(import, Ok(Import::New(_))), "{import:?}");
    assert_eq!(gate.restarted().list.content().as_of, NOW);
    country.publish(NOW + 90 * DAY, |_| {}).expect("publishes");
    gate.believes(&country.stick(), NOW + 90 * DAY);
    let again = gate.vault().import_as_of_itself(made_with.source(), &Steps::none());
    assert!(matches!(&again, Err(VaultError::Refused(error)) if error.refusal == Refusal::Older), "{again:?}");
}

#[test]
fn a_list_that_is_not_what_its_path_says_is_refused() {
    type Publish = fn(&mut menshen_trust::publish::Repository);
    let vectors: [(&str, Refusal, Publish); 4] = [
        ("of another number", Refusal::ForeignPath, |r| {
            put_delta(r, HENAN, 3, NOW);
            let bytes = r.get("410000", "status/410000/delta-3").expect("reads").expect("is there");
            r.put("410000", "status/410000/delta-2", &bytes).expect("lists");
        }),
        ("of another issuer", Refusal::ForeignPath, |r| {
            put_delta(r, ZHEJIANG, 2, NOW);
            let bytes = r.get("330000", "status/330000/delta-2").expect("reads").expect("is there");
            r.put("410000", "status/410000/delta-2", &bytes).expect("lists");
        }),
        ("no list at all", Refusal::Malformed, |r| r.put("410000", "status/410000/delta-2", b"red").expect("lists")),
        ("of next month", Refusal::Malformed, |r| put_delta(r, HENAN, 2, NOW + 30 * DAY)),
    ];
    for (defect, refusal, publish) in vectors {
        let (country, gate) = with_gate();
        gate.believes(&country.stick(), NOW);
        country.publish(NOW + DAY, publish).expect("publishes");
        let believed = gate.believes(&country.stick(), NOW + DAY);
        assert_eq!(held_back(&believed, HENAN), Some(refusal), "{defect}");
        assert_eq!(list_of(&believed, HENAN), Some(1), "{defect}");
    }
}

#[test]
fn deltas_come_to_the_same_however_they_came() {
    let country = Country::new();
    let (all_at_once, one_by_one, gaps) = (Gate::new(&country), Gate::new(&country), Gate::new(&country));
    one_by_one.believes(&country.stick(), NOW);
    for seq in [2, 3] {
        country
            .publish(NOW + DAY * seq, |repository| put_delta(repository, HENAN, seq, NOW + DAY * seq))
            .expect("signs");
        one_by_one.believes(&country.stick(), NOW + DAY * seq);
    }
    country.publish(NOW + DAY * 4, |repository| put_delta(repository, HENAN, 5, NOW + DAY * 4)).expect("signs");
    let with_a_gap = gaps.believes(&country.stick(), NOW + DAY * 4);
    assert_eq!(list_of(&with_a_gap, HENAN), Some(3), "number 4 is missing");
    country.publish(NOW + DAY * 5, |repository| put_delta(repository, HENAN, 4, NOW + DAY * 4)).expect("signs");
    let stick = country.stick();
    for gate in [&all_at_once, &one_by_one, &gaps] {
        assert_eq!(list_of(&gate.believes(&stick, NOW + DAY * 5), HENAN), Some(5));
        assert_eq!(list_of(&gate.restarted(), HENAN), Some(5));
    }
    country.publish(NOW + DAY * 6, |repository| put_list(repository, HENAN, 5)).expect("signs");
    for gate in [&all_at_once, &one_by_one, &gaps] {
        let believed = gate.believes(&country.stick(), NOW + DAY * 6);
        assert_eq!(believed.status.get(id(HENAN)).map(|status| (status.deltas(), status.complete().seq)), Some((0, 5)));
    }
}

#[test]
fn a_repository_can_be_looked_at_where_it_lies() {
    let (country, gate) = with_gate();
    let stick = country.stick();
    let looked = vault::look(&country.root(), stick.path()).expect("a good one");
    assert_eq!(looked.list, gate.believes(&stick, NOW).list);
    assert_eq!(list_of(&looked, HENAN), Some(1));
    stick.change("snapshot-1", |bytes| bytes[0] ^= 1);
    let looked = vault::look(&country.root(), stick.path()).expect("the rest is good");
    assert_eq!(held_back(&looked, HENAN), Some(Refusal::Altered));
}

#[test]
fn a_full_disk_refuses_the_import_as_a_whole_and_what_was_written_of_it_makes_room_again() {
    let (country, gate) = with_gate();
    gate.believes(&country.stick(), NOW);
    let files = || fs::read_dir(gate.dir().join("files")).expect("reads").count();
    let before = files();
    country
        .publish(NOW + DAY, |repository| [ZHEJIANG, HENAN].iter().for_each(|code| put_list(repository, *code, 2)))
        .expect("publishes");
    let stick = country.stick();
    for step in [Step::FileBegun, Step::FileWritten] {
        // Of the two new files the second finds no room.
        let seen = std::cell::Cell::new(0);
        let steps = Steps::new(|at| {
            seen.set(seen.get() + usize::from(at == step));
            if seen.get() < 2 { Ok(()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
        });
        let import = gate.vault().import(stick.source(), Now::about(NOW + DAY), &steps);
        assert!(matches!(&import, Err(VaultError::Io { .. })), "{step:?}: {import:?}");
        assert_eq!(files(), before, "{step:?}");
        assert_eq!(list_of(&gate.restarted(), HENAN), Some(1), "{step:?}");
    }
    assert_eq!(list_of(&gate.believes(&stick, NOW + DAY), HENAN), Some(2));
}

#[test]
fn the_national_part_is_needed() {
    let (country, gate) = with_gate();
    country
        .publish(NOW + DAY, |repository| assert!(repository.remove("targets", "issuers").expect("edits")))
        .expect("signs");
    assert_eq!(gate.refuses(&country.stick(), NOW + DAY), Refusal::Missing);
}
