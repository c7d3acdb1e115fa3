//! A referral or refusal stays until somebody acts on it, and holds nobody up.

use super::gate::Gate;
use crate::hint::Hint;
use crate::lane::{Event, MIN_SHOW_MS, Screen};
use crate::pass::Kind;
use crate::testworld::*;
use crate::verdict::Verdict;
use std::string::String;
use std::vec::Vec;

fn code_of(level: u8) -> String {
    issued(&of_level(level, claims(HANGZHOU, Kind::Phone))).as_str().into()
}

/// A gate that has refused somebody long ago.
fn refused() -> Gate {
    let mut gate = Gate::new();
    gate.see(&[&code_of(3)]);
    gate.wait_until(100_000);
    gate.did();
    gate
}

/// What was done, without the times.
fn acts(gate: &mut Gate) -> Vec<String> {
    gate.did().iter().filter_map(|act| act.split_once(' ').map(|(_, act)| act.into())).collect()
}

#[test]
fn a_refusal_is_still_on_the_screen_after_its_time_with_its_lamp() {
    let gate = refused();
    assert!(matches!(&gate.screen, Screen::Verdict(decision) if decision.verdict == Verdict::Refuse));
    assert_eq!(gate.lamp, Some(Verdict::Refuse));
}

#[test]
fn a_touch_ends_it() {
    let mut gate = refused();
    gate.step(Event::Next);
    assert_eq!(acts(&mut gate), ["lamp dark", "idle"]);
}

#[test]
fn a_touch_that_comes_early_waits_until_the_verdict_could_be_read() {
    let mut gate = Gate::new();
    gate.see(&[&code_of(3)]);
    gate.step(Event::Next);
    assert!(matches!(gate.screen, Screen::Verdict(_)));
    gate.wait_until(MIN_SHOW_MS);
    assert_eq!(gate.screen, Screen::Idle);
}

#[test]
fn a_presence_sensor_that_sees_nobody_ends_it() {
    let mut gate = refused();
    gate.step(Event::Presence(Some(true)));
    assert_eq!(acts(&mut gate), Vec::<String>::new());
    gate.step(Event::Presence(Some(false)));
    assert_eq!(acts(&mut gate), ["lamp dark", "idle"]);
}

#[test]
fn whoever_left_before_its_time_is_over_leaves_nothing_on_the_screen() {
    let mut gate = Gate::new();
    gate.step(Event::Presence(Some(true)));
    gate.see(&[&code_of(3)]);
    gate.step(Event::Presence(Some(false)));
    gate.wait_until(100_000);
    assert_eq!((gate.screen, gate.lamp), (Screen::Idle, None));
}

#[test]
fn the_next_person_takes_its_place_at_once() {
    let mut gate = refused();
    gate.see(&[&code_of(1)]);
    assert_eq!(acts(&mut gate), ["lamp dark", "ask"]);
    gate.measure(GOOD_READING);
    assert!(gate.relay);
}

#[test]
fn a_code_that_can_not_be_read_gets_its_hint_in_its_place() {
    let mut gate = refused();
    gate.hints_until(101_000, &[Some(Hint::Tilt)]);
    assert_eq!(acts(&mut gate), ["lamp dark", "hint tilt"]);
}

#[test]
fn the_same_code_that_stays_in_view_is_not_asked_again() {
    let mut gate = Gate::new();
    gate.see_until(60_000, &[&code_of(3)]);
    assert_eq!(gate.decisions.len(), 1);
}

#[test]
fn where_the_rules_say_so_it_goes_after_its_time() {
    let mut gate = Gate::new();
    gate.world.policy.other_stays = false;
    gate.see(&[&code_of(3)]);
    gate.wait_until(u64::from(gate.world.policy.hold_other_ms));
    assert_eq!((gate.screen, gate.lamp), (Screen::Idle, None));
}

#[test]
fn an_admission_never_stays() {
    let mut gate = Gate::new();
    gate.see(&[&code_of(1)]);
    gate.measure(GOOD_READING);
    gate.wait_until(u64::from(gate.world.policy.hold_admit_ms) + MIN_SHOW_MS);
    assert_eq!((gate.screen, gate.lamp), (Screen::Idle, None));
}
