//! What a proof proves, and that each way of being broken shows, each by its own name.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::codes::{Keys, World};
use super::prover::{code_checks, walk_in};
use super::*;
use crate::words::{Lang, Words};
use menshen_core::decide::{Context, Measured, Shown, decide};
use menshen_core::ids::IssuerId;
use menshen_core::policy::Policy;
use menshen_core::reason::Reason;
use menshen_core::trust::TrustContent;
use menshen_core::trust::TrustList;
use std::collections::BTreeSet;

mod broken;

const NOW_S: u64 = 1_600_000_000;

fn states(checks: &[Check]) -> Vec<(&'static str, State)> {
    checks.iter().map(|check| (check.name.name(), check.state)).collect()
}

#[test]
fn the_codes_are_answered_as_they_must_be_by_way_of_pictures_a_real_journal_and_the_relay() {
    let state = tempfile::tempdir().unwrap();
    let (cases, walked) = walk_in(&state.path().join("work"), NOW_S, &Keys::fresh().unwrap()).unwrap();
    let checks = code_checks(Some((&cases, &walked)));
    assert!(checks.iter().all(|check| check.state == State::Ok), "{checks:?} {walked:?}");
    assert_eq!(checks.len(), 8);
    assert_eq!(walked.recorded.len(), 7, "each is a record on the disk");
}

#[test]
fn a_gate_that_verifies_by_the_wrong_key_fails_its_proof() {
    let state = tempfile::tempdir().unwrap();
    let (cases, walked) = walk_in(&state.path().join("work"), NOW_S, &Keys::mismatched()).unwrap();
    let checks = code_checks(Some((&cases, &walked)));
    let states = states(&checks);
    assert_eq!(states[0], ("code_good", State::Failed));
    assert_eq!(states[7], ("order", State::Failed), "nothing was let in, so nothing moved");
    assert!(!Proof::is_ready(&checks));
}

#[test]
fn a_walk_that_answers_otherwise_than_it_must_is_told_code_by_code() {
    let state = tempfile::tempdir().unwrap();
    let (cases, mut walked) = walk_in(&state.path().join("work"), NOW_S, &Keys::fresh().unwrap()).unwrap();
    // A forged code that is let in, on the screen and in the record.
    (walked.shown[4], walked.recorded[4]) = (walked.shown[0].clone(), walked.recorded[0].clone());
    let failed = |walked: &walk::Walked| {
        let checks = code_checks(Some((&cases, walked)));
        checks.into_iter().filter(|check| check.state == State::Failed).map(|check| check.name).collect::<Vec<_>>()
    };
    assert_eq!(failed(&walked), [Item::CodeForged]);
    // What the disk says is not what the screen said.
    walked.recorded.pop();
    assert_eq!(failed(&walked), [Item::CodeForged, Item::CodeUnknown, Item::Order]);
}

#[test]
fn no_gate_believes_the_codes_of_a_proof() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::make(folder.path(), NOW_S, &Keys::fresh().unwrap()).unwrap();
    let another = World::make(folder.path(), NOW_S, &Keys::fresh().unwrap()).unwrap();
    let real = TrustList::new(TrustContent { as_of: NOW_S, ..TrustContent::default() }).unwrap();
    for trust in [&real, another.trust.list.as_ref()] {
        for case in &world.cases {
            let context = Context {
                trust: Some(trust),
                status: None,
                history: None,
                policy: &Policy::default(),
                home: IssuerId::new(330_100).unwrap(),
            };
            let shown = Shown::of(case.text.as_bytes(), context.trust);
            let decision =
                decide(&shown, Measured::Reading(case.reading), menshen_core::time::Time::trusted(NOW_S), context);
            assert!(decision.reasons.contains(&Reason::UnknownIssuer), "{}: {decision:?}", case.item.name());
            assert_eq!(decision.verdict, menshen_core::verdict::Verdict::Refuse);
        }
    }
}

#[test]
fn whatever_is_found_has_its_sentence_in_every_language_and_its_remedy_where_something_is_to_be_done() {
    for lang in Lang::ALL {
        for finding in Finding::ALL {
            let check = Check::of(*finding);
            let said = said(Words::of(lang), &check);
            let at = format!("{} {} {}", lang.name(), check.name.name(), check.code);
            assert!(said.name != check.name.name() && said.say != check.code, "{at}");
            let wants_remedy = matches!(check.state, State::Failed | State::WantsAttention);
            assert_eq!(said.remedy.is_some(), wants_remedy, "{at}");
        }
    }
}

#[test]
fn no_sentence_is_left_of_a_check_that_nobody_makes() {
    let known: BTreeSet<String> = Finding::ALL
        .iter()
        .flat_map(|finding| {
            let (item, code) = (finding.item().name(), finding.code());
            [format!("{item}.name"), format!("{item}.{code}"), format!("{item}.{code}_remedy")]
        })
        .collect();
    for lang in Lang::ALL {
        let words = serde_json::to_value(Words::of(lang)).unwrap();
        for (item, table) in words["proof_check"].as_object().unwrap() {
            for key in table.as_object().unwrap().keys() {
                assert!(known.contains(&format!("{item}.{key}")), "{} {item}.{key}", lang.name());
            }
        }
    }
}
