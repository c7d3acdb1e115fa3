//! Whatever comes in whatever order, the answers are those of a map to which the deltas were applied in their order.

use super::*;
use menshen_core::status::{Entry, StatusSource};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

/// So few holders that deltas often speak of the same ones.
const HOLDERS: u64 = 40;
/// The number of the list that everything begins with.
const FIRST: u64 = 100;

type Model = BTreeMap<u64, Status>;

fn any_status() -> impl Strategy<Value = Status> {
    select(Status::ALL.to_vec())
}

fn any_model() -> impl Strategy<Value = Model> {
    btree_map(0..HOLDERS, any_status(), 0..30)
}

/// Deltas 101, 102 … of one issuer.
fn any_deltas() -> impl Strategy<Value = Vec<BTreeMap<u64, Change>>> {
    vec(btree_map(0..HOLDERS, option::of(any_status()), 0..12), 1..8)
}

fn entries(model: &Model) -> Vec<(Tag, Status)> {
    model.iter().map(|(number, status)| (tag(*number), *status)).collect()
}

fn built(deltas: &[BTreeMap<u64, Change>]) -> Vec<Delta> {
    let numbered = (FIRST + 1..).zip(deltas);
    numbered.map(|(seq, delta)| super::delta(seq, &delta.iter().map(|(n, c)| (*n, *c)).collect::<Vec<_>>())).collect()
}

/// The map after some deltas in the order of their numbers.
fn after<'a>(model: &Model, deltas: impl IntoIterator<Item = &'a BTreeMap<u64, Change>>) -> Model {
    let mut model = model.clone();
    for (number, change) in deltas.into_iter().flatten() {
        match change {
            Some(status) => model.insert(*number, *status),
            None => model.remove(number),
        };
    }
    model
}

#[track_caller]
fn agrees(status: &IssuerStatus, model: &Model) -> Result<(), TestCaseError> {
    for number in 0..HOLDERS {
        let found = status.look_up(tag(number)).expect("a good disk").map(|entry| entry.status);
        prop_assert_eq!(found, model.get(&number).copied(), "holder {}", number);
    }
    Ok(())
}

fn with(status: IssuerStatus, deltas: impl IntoIterator<Item = Delta>) -> IssuerStatus {
    deltas.into_iter().fold(status, |status, delta| status.with_delta(&delta).expect("a delta of this issuer"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn deltas_in_any_order_and_again_answer_as_in_their_order(
        model in any_model(),
        (deltas, order) in any_deltas().prop_flat_map(|deltas| {
            let all: Vec<usize> = (0..deltas.len()).collect();
            let again = vec(0..deltas.len(), 0..6);
            (Just(deltas), (Just(all).prop_shuffle(), again).prop_map(|(all, again)| [all, again].concat()))
        }),
    ) {
        let made = built(&deltas);
        let begun = IssuerStatus::new(list(about(FIRST), &entries(&model)));
        let status = with(begun, order.iter().map(|at| made[*at].clone()));
        agrees(&status, &after(&model, &deltas))?;
        prop_assert_eq!(status.complete(), about(FIRST + deltas.len() as u64));
        prop_assert_eq!(status.deltas(), deltas.len());
    }

    #[test]
    fn some_deltas_now_and_the_rest_later_answer_as_all_at_once(
        model in any_model(),
        (deltas, first) in any_deltas().prop_flat_map(|deltas| {
            let bits = vec(any::<bool>(), deltas.len());
            (Just(deltas), bits)
        }),
    ) {
        let made = built(&deltas);
        let some: Vec<usize> = (0..made.len()).filter(|at| first[*at]).collect();
        let begun = IssuerStatus::new(list(about(FIRST), &entries(&model)));
        let half = with(begun, some.iter().map(|at| made[*at].clone()));
        agrees(&half, &after(&model, some.iter().map(|at| &deltas[*at])))?;
        let through = first.iter().take_while(|there| **there).count() as u64;
        prop_assert_eq!(half.complete(), about(FIRST + through), "a gap keeps the moment back");
        agrees(&with(half, made), &after(&model, &deltas))?;
    }

    #[test]
    fn a_new_list_of_list_and_deltas_answers_as_they_do(model in any_model(), deltas in any_deltas()) {
        let status = with(IssuerStatus::new(list(about(FIRST), &entries(&model))), built(&deltas));
        let mut bytes = Vec::new();
        prop_assert_eq!(status.fold(&mut bytes).expect("no gap"), status.complete());
        let folded = after(&model, &deltas);
        prop_assert_eq!(&bytes, &list_bytes(status.complete(), &entries(&folded)), "one encoding, however it came about");
        agrees(&IssuerStatus::new(open(&bytes).expect("a list")), &folded)?;
    }

    #[test]
    fn a_new_list_amid_the_deltas_answers_as_all_of_them(
        model in any_model(),
        (deltas, at, order) in any_deltas().prop_flat_map(|deltas| {
            let all: Vec<usize> = (0..deltas.len()).collect();
            let at = 0..=deltas.len();
            (Just(deltas), at, Just(all).prop_shuffle())
        }),
    ) {
        let made = built(&deltas);
        let amid = list(about(FIRST + at as u64), &entries(&after(&model, &deltas[..at])));
        let status = with(IssuerStatus::new(amid), order.iter().map(|at| made[*at].clone()));
        agrees(&status, &after(&model, &deltas))?;
        prop_assert_eq!(status.complete(), about(FIRST + deltas.len() as u64));
        prop_assert_eq!(status.deltas(), deltas.len() - at, "what the list holds is not held twice");
    }
}

#[test]
fn a_list_of_many_answers_for_each_of_them_and_for_no_other() {
    for count in [0, 1, 127, 128, 5000, 70_000] {
        let model: Model = (0..count).map(|n| (n, Status::ALL[n as usize % 4])).collect();
        let list = list(about(FIRST), &entries(&model));
        assert_eq!(u64::from(list.count()), count);
        for number in 0..count * 2 + 1000 {
            assert_eq!(list.look_up(tag(number)).expect("a good disk"), model.get(&number).copied());
        }
        let read: Vec<_> = list.entries().collect::<Result<_, _>>().expect("a good disk");
        assert!(read.is_sorted_by_key(|(tag, _)| *tag));
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), entries(&model).into_iter().collect());
    }
}

#[test]
fn an_entry_says_until_when_its_issuer_has_said_so() {
    let status = IssuerStatus::new(list(about(FIRST), &[(tag(1), RED)]));
    let status = with(status, [delta(FIRST + 1, &[(2, Some(RED))]), delta(FIRST + 3, &[(3, Some(RED))])]);
    let found = |number| status.look_up(tag(number)).expect("a good disk");
    let entry = |seq| Some(Entry { status: RED, as_of: as_of(seq) });
    assert_eq!((found(1), found(2)), (entry(FIRST + 1), entry(FIRST + 1)), "the whole through the gap");
    assert_eq!(found(3), entry(FIRST + 3), "a delta after the gap vouches for its own");
}

#[test]
fn a_book_answers_for_each_issuer_by_its_own_list() {
    let mut book = StatusBook::new();
    book.put(IssuerStatus::new(list(about(FIRST), &[(tag(1), RED)])));
    book.put_unreadable(id(410_000));
    assert_eq!(book.look_up(id(ZHEJIANG), tag(1)).map(|entry| entry.map(|e| e.status)), Ok(Some(RED)));
    assert_eq!(book.look_up(id(310_000), tag(1)), Ok(None));
    assert!(book.look_up(id(410_000), tag(1)).is_err());
    assert_eq!([ZHEJIANG, 310_000, 410_000].map(|i| book.as_of(id(i))), [Some(as_of(FIRST)), None, None]);
}

#[test]
fn what_contradicts_or_goes_back_is_refused_by_name() {
    let status = IssuerStatus::new(list(about(FIRST), &[]));
    let held = with(status.clone(), [delta(FIRST + 2, &[(1, Some(RED))])]);
    let other = delta(FIRST + 2, &[(1, Some(GREEN))]);
    assert!(matches!(held.with_delta(&other), Err(StatusError::Conflict { seq: 102, .. })));
    assert!(matches!(held.fold(std::io::sink()), Err(StatusError::Gap { missing: 101, .. })));
    let strange = About { issuer: id(410_000), ..about(FIRST + 1) };
    let delta = Delta::new(strange, []).expect("empty");
    assert!(matches!(status.with_delta(&delta), Err(StatusError::OtherIssuer { .. })));
    let twice = [(tag(1), RED), (tag(1), GREEN)];
    assert!(matches!(write_list(std::io::sink(), about(1), twice), Err(StatusError::Contradiction { .. })));
    assert!(matches!(Delta::new(about(1), twice.map(|(t, s)| (t, Some(s)))), Err(StatusError::Contradiction { .. })));
    let alike = (0..1000).map(|low| (Tag::from_number(low), RED));
    assert!(matches!(write_list(std::io::sink(), about(1), alike), Err(StatusError::Crowded)));
}

#[test]
fn what_the_list_holds_already_changes_nothing() {
    let status = IssuerStatus::new(list(about(FIRST), &[(tag(1), RED)]));
    let status = with(status, [delta(FIRST, &[(1, None)]), delta(FIRST - 1, &[(1, Some(GREEN))])]);
    assert_eq!(status.look_up(tag(1)).map(|entry| entry.map(|e| e.status)), Ok(Some(RED)));
    assert_eq!((status.deltas(), status.changed()), (0, 0));
}

#[test]
fn an_entry_costs_nine_bytes_of_file_at_most() {
    for count in [1000, 10_000, 100_000] {
        let entries: Vec<_> = (0..count).map(|n| (tag(n), RED)).collect();
        let bytes = list_bytes(about(FIRST), &entries).len() as f64 / count as f64;
        assert!(bytes <= 9.0, "{bytes} bytes an entry of {count}");
    }
}
