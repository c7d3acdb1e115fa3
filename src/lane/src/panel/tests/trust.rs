//! What a page is told of imports, of what is held back, and of the age of each issuer's list.

use super::*;
use crate::health::Faults;
use crate::journal;
use crate::run::{Device, Watcher as _};
use crate::trust::{HeldBack, Import, ListState, Road, RoadState, Standing, Standings};
use menshen_core::trust::Freshness;
use menshen_trust::tuf::{Refusal, TufError};

/// A gate that believes something and is well.
pub(super) fn device() -> Device {
    let time = Time::trusted(1_600_000_000);
    Device {
        time,
        clock: View::of(time),
        freshness: Freshness::Fresh,
        trust: Some((7, 1_599_990_000)),
        import: None,
        last_stick: None,
        takes_new: true,
        standings: Arc::default(),
        journal: journal::Status::default(),
        has_thermometer: false,
        manual: menshen_core::manual::ManualWay::AllButRed,
        has_hub: false,
        summary: Arc::default(),
        faults: Faults::default(),
    }
}

/// What pages are told of a device.
fn bar_of(device: &Device) -> Value {
    let panel = panel();
    let addr = panel.addr();
    let mut watcher = PanelWatcher::new(panel);
    watcher.device(device);
    let mut answer = ureq::get(format!("http://{addr}/state")).call().unwrap();
    let state: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    state["bar"].clone()
}

fn of_stick(state: RoadState) -> Value {
    let import = Some(Import { road: Road::Stick("/media/stick".into()), state });
    bar_of(&Device { import, ..device() })["import"].clone()
}

fn standing(code: u32, list: ListState, refusal: Option<Refusal>) -> Standing {
    Standing {
        issuer: IssuerId::new(code).unwrap(),
        names: Some(("浙江健康码".to_owned(), "Zhejiang health code".to_owned())),
        list,
        as_of: (list == ListState::Stale).then_some(1_598_000_000),
        held_back: refusal
            .map(|kind| HeldBack { error: TufError::new(kind, "330000.json"), older_as_of: Some(1_598_000_000) }),
    }
}

#[test]
fn a_stick_is_told_from_the_moment_it_is_read_until_it_is_known_what_came_of_it() {
    let told = |state: &str| json!({"road": "stick", "state": state, "refusal": null, "why": null});
    assert_eq!(of_stick(RoadState::Importing), told("importing"));
    assert_eq!(of_stick(RoadState::Imported), told("imported"));
    assert_eq!(of_stick(RoadState::Unchanged), told("unchanged"));
}

#[test]
fn a_gate_without_a_stick_tells_of_none() {
    assert_eq!(bar_of(&device())["import"], Value::Null);
}

#[test]
fn every_refusal_of_a_stick_is_told_by_its_kind_with_the_technicians_sentence() {
    for kind in Refusal::ALL {
        let why = TufError::new(kind, "timestamp.json").to_string();
        let told = of_stick(RoadState::Refused { refusal: Some(kind), why: why.clone() });
        assert_eq!(told, json!({"road": "stick", "state": "refused", "refusal": kind.name(), "why": why}));
    }
}

#[test]
fn what_the_gate_itself_could_not_take_is_no_kind_of_refusal() {
    let told = of_stick(RoadState::Refused { refusal: None, why: "the disk is full".to_owned() });
    assert_eq!((&told["state"], &told["refusal"]), (&json!("refused"), &Value::Null));
}

#[test]
fn what_came_of_a_stick_that_was_pulled_out_is_told_apart_from_one_that_is_in() {
    let bar = bar_of(&Device { last_stick: Some(RoadState::Imported), ..device() });
    assert_eq!(bar["import"], Value::Null);
    assert_eq!(bar["last_stick"], json!({"road": "stick", "state": "imported", "refusal": null, "why": null}));
}

#[test]
fn a_gate_that_can_take_nothing_new_says_so_whatever_it_believes() {
    let bar = bar_of(&Device { takes_new: false, ..device() });
    assert_eq!((&bar["takes_new"], &bar["trust"]["version"]), (&json!(false), &json!(7)));
    assert_eq!(bar_of(&device())["takes_new"], json!(true));
}

#[test]
fn why_the_newest_is_not_believed_is_told_even_where_nothing_is() {
    let faults = Faults { trust: Some("snapshot.json has expired".to_owned()), ..Faults::default() };
    let bar = bar_of(&Device { trust: None, faults, ..device() });
    assert_eq!((&bar["trust"], &bar["trust_fault"]), (&Value::Null, &json!("snapshot.json has expired")));
}

#[test]
fn the_bar_counts_what_the_lists_lack() {
    let issuers = vec![
        standing(110_000, ListState::Stale, None),
        standing(120_000, ListState::Stale, Some(Refusal::Signature)),
        standing(130_000, ListState::Ageing, None),
        standing(140_000, ListState::Fresh, None),
        standing(150_000, ListState::Missing, None),
        standing(210_000, ListState::Unreadable, None),
        standing(220_000, ListState::None, None),
    ];
    let bar = bar_of(&Device { standings: Arc::new(Standings { issuers }), ..device() });
    let counts = json!({"of": 6, "unreadable": 1, "stale": 2, "missing": 1, "ageing": 1, "held_back": 1});
    assert_eq!(bar["lists"], counts);
}

#[test]
fn issuers_are_told_by_name_to_whoever_asks_those_that_want_attention_first() {
    let panel = panel();
    let addr = panel.addr();
    let mut watcher = PanelWatcher::new(panel);
    let issuers = vec![
        standing(110_000, ListState::Fresh, None),
        standing(330_000, ListState::Stale, None),
        standing(440_000, ListState::None, Some(Refusal::Expired)),
    ];
    watcher.device(&Device { standings: Arc::new(Standings { issuers }), ..device() });
    let mut answer = ureq::get(format!("http://{addr}/issuers.json")).call().unwrap();
    let told: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let name = json!({"zh": "浙江健康码", "en": "Zhejiang health code"});
    let why = "330000.json has expired; get the newest from its publisher";
    let held_back = json!({"refusal": "expired", "why": why, "older_as_of": "2020-08-21T08:53:20Z"});
    let expected = json!([
        {"issuer": 440_000, "name": name, "list": "none", "as_of": null, "held_back": held_back},
        {"issuer": 330_000, "name": name, "list": "stale", "as_of": "2020-08-21T08:53:20Z", "held_back": null},
        {"issuer": 110_000, "name": name, "list": "fresh", "as_of": null, "held_back": null},
    ]);
    assert_eq!(told, expected);
}

#[test]
fn every_state_of_a_stick_has_a_drawing_of_its_own() {
    let page = include_str!("../assets/index.html");
    let drawing = |name: &str| {
        let (_, rest) = page.split_once(&format!("id=\"sign-stick_{name}\"")).unwrap();
        rest.split_once("</symbol>").unwrap().0.to_owned()
    };
    let refused = RoadState::Refused { refusal: None, why: String::new() };
    let states = [RoadState::Importing, RoadState::Imported, RoadState::Unchanged, refused];
    let drawings: std::collections::BTreeSet<_> = states.iter().map(|state| drawing(state.name())).collect();
    assert_eq!(drawings.len(), states.len());
}
