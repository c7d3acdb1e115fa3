//! What a volunteer decides beside the gate, and the fire alarm.

use super::gate::{Gate, Journal};
use crate::decide::Verdict;
use crate::lane::{Event, MIN_SHOW_MS, Screen};
use crate::manual::{Cause, ManualWay};
use crate::pass::{Claims, Kind};
use crate::testworld::*;
use std::string::String;

fn green() -> String {
    issued(&claims(ZHEJIANG, Kind::Paper)).as_str().into()
}

fn of(level: u8) -> String {
    issued(&of_level(level, claims(ZHEJIANG, Kind::Paper))).as_str().into()
}

/// A gate that shows its verdict of a pass and a reading, with nothing left to tell.
fn decided(code: &str, reading: crate::thermo::Reading) -> Gate {
    let mut gate = Gate::new();
    gate.see(&[code]);
    gate.measure(reading);
    gate.wait_until(MIN_SHOW_MS);
    gate.did();
    gate
}

#[test]
fn whom_the_gate_referred_a_volunteer_lets_in_with_a_cause_and_a_record() {
    let mut gate = decided(&of(2), GOOD_READING);
    gate.step(Event::ByHand(Cause::PaperSeen));
    let did = gate.did();
    assert_eq!(did[..3], ["700 lamp dark", "700 record admit", "700 relay closed"], "{did:?}");
    let decision = gate.decisions.last().expect("one");
    assert_eq!((decision.cause, gate.last().as_str()), (Some(Cause::PaperSeen), "admit manual_override yellow"));
    assert!(decision.evidence.pass.is_some(), "whose pass it was is kept for those who count");
}

#[test]
fn a_red_code_is_let_in_by_nobody_and_another_refusal_as_the_policy_says() {
    for (code, reading, way, expected) in [
        (of(3), GOOD_READING, ManualWay::AllButRed, "refuse red"),
        (green(), HIGH_READING, ManualWay::AllButRed, "admit manual_override temp_high"),
        (green(), HIGH_READING, ManualWay::Referred, "refuse temp_high"),
        (of(2), GOOD_READING, ManualWay::Referred, "admit manual_override yellow"),
        (of(2), GOOD_READING, ManualWay::Never, "refer yellow"),
    ] {
        let mut gate = decided(&code, reading);
        gate.world.policy.manual = way;
        gate.step(Event::ByHand(Cause::Urgent));
        assert_eq!(gate.last(), expected);
    }
}

#[test]
fn whom_the_gate_admitted_a_volunteer_keeps_out_and_the_relay_opens_at_once() {
    let mut gate = decided(&green(), GOOD_READING);
    gate.step(Event::ByHand(Cause::NotTheHolder));
    assert_eq!(gate.did()[..3], ["700 relay open", "700 lamp dark", "700 record refuse"]);
    assert_eq!(gate.last(), "refuse manual_override");
}

#[test]
fn somebody_without_a_code_is_let_in_by_hand() {
    let mut gate = Gate::new();
    gate.step(Event::ByHand(Cause::NoPhone));
    assert_eq!(gate.did()[..2], ["0 record admit", "0 relay closed"]);
    assert_eq!(gate.last(), "admit manual_override no_code");
}

#[test]
fn a_volunteer_may_decide_while_the_temperature_is_waited_for() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.wait_until(500);
    gate.step(Event::ByHand(Cause::HandThermometer));
    assert_eq!(gate.last(), "admit manual_override no_reading");
}

#[test]
fn a_button_that_is_touched_twice_lets_one_person_in() {
    let mut gate = Gate::new();
    gate.step(Event::ByHand(Cause::Button));
    gate.wait_until(300);
    gate.step(Event::ByHand(Cause::Button));
    assert_eq!(gate.decisions.len(), 1);
    gate.wait_until(MIN_SHOW_MS);
    gate.step(Event::ByHand(Cause::Button));
    assert_eq!(gate.decisions.len(), 2);
}

#[test]
fn what_a_volunteer_decides_opens_nothing_before_it_is_durable() {
    let mut gate = Gate::new();
    gate.journal = Journal::Fails;
    gate.step(Event::ByHand(Cause::NoPhone));
    assert!(!gate.relay);
    assert!(matches!(&gate.screen, Screen::Verdict(decision) if decision.verdict == Verdict::Refer));
}

#[test]
fn while_the_alarm_lasts_nobody_is_decided_about_and_after_it_the_gate_is_at_rest() {
    let mut gate = decided(&green(), GOOD_READING);
    gate.step(Event::FireAlarm(true));
    assert_eq!(gate.did(), ["700 record alarm began", "700 relay open", "700 lamp dark", "700 alarm"]);
    let other: String = issued(&Claims { pass_id: [2; 8], ..claims(ZHEJIANG, Kind::Paper) }).as_str().into();
    gate.see_until(5000, &[&other]);
    gate.step(Event::ByHand(Cause::Button));
    gate.step(Event::FireAlarm(true));
    assert_eq!((gate.did().len(), gate.decisions.len()), (0, 1));
    gate.step(Event::FireAlarm(false));
    assert_eq!(gate.did(), ["5000 record alarm ended", "5000 lamp dark", "5000 idle"]);
}

#[test]
fn a_record_that_was_being_written_when_the_alarm_began_moves_nothing() {
    let mut gate = Gate::new();
    gate.journal = Journal::Waits;
    gate.measure(GOOD_READING);
    gate.see(&[&green()]);
    gate.step(Event::FireAlarm(true));
    gate.step(Event::Recorded);
    assert!(!gate.relay && gate.screen == Screen::Alarm);
}
