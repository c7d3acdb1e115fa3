//! What a volunteer decides beside the gate, and the fire alarm.

use super::gate::{Gate, Journal};
use crate::decide::Verdict;
use crate::lane::{Event, MIN_SHOW_MS, Screen};
use crate::manual::{Cause, ManualWay};
use crate::pass::{Claims, Kind};
use crate::testworld::*;
use crate::time::Time;
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

#[test]
fn whoever_is_on_the_screen_is_meant_also_when_the_next_ones_code_is_there_already() {
    let mut gate = decided(&of(2), GOOD_READING);
    let next: String =
        issued(&Claims { pass_id: [2; 8], holder: [2; 16], ..claims(ZHEJIANG, Kind::Paper) }).as_str().into();
    // The verdict is made anew, so that it is still young when the next one comes.
    gate.wait_until(20_000);
    gate.see(&[&of(2)]);
    gate.measure(GOOD_READING);
    gate.see(&[&next]);
    gate.step(Event::ByHand(Cause::PaperSeen));
    let decision = gate.decisions.last().expect("one");
    assert_eq!(
        (gate.last().as_str(), decision.evidence.pass.map(|pass| pass.pass_id)),
        ("admit manual_override yellow", Some([0xc1; 8]),)
    );
    // And the next one is served.
    gate.wait_until(gate.now_ms + 300);
    gate.see(&[&next]);
    gate.wall();
    gate.wait_until(gate.now_ms + MIN_SHOW_MS);
    gate.measure(GOOD_READING);
    assert_eq!(
        gate.decisions.last().and_then(|decision| decision.evidence.pass).map(|pass| pass.pass_id),
        Some([2; 8])
    );
}

#[test]
fn whoever_was_let_in_while_measured_is_not_asked_again_while_their_code_is_in_view() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.step(Event::ByHand(Cause::HandThermometer));
    gate.see_until(20_000, &[&green()]);
    assert_eq!(gate.decisions.len(), 1);
}

#[test]
fn a_verdict_can_be_gone_beyond_for_a_minute_if_nobody_came_since() {
    for (after_ms, expected) in [(30_000, "admit manual_override yellow"), (70_000, "admit manual_override no_code")] {
        let mut gate = decided(&of(2), GOOD_READING);
        gate.world.policy.other_stays = false;
        gate.wait_until(after_ms);
        gate.step(Event::ByHand(Cause::PaperSeen));
        assert_eq!(gate.last(), expected);
    }
}

#[test]
fn a_verdict_that_is_still_on_the_screen_can_be_gone_beyond_however_long_it_is_there() {
    let mut gate = decided(&of(2), GOOD_READING);
    gate.wait_until(600_000);
    gate.step(Event::ByHand(Cause::PaperSeen));
    assert_eq!(gate.last(), "admit manual_override yellow");
    let decided_at = gate.decisions.last().map(|decision| decision.evidence.time);
    assert_eq!(decided_at, Some(Time::trusted(NOW_S + 600)), "it is decided now");
}

#[test]
fn the_button_means_nobody_whose_verdict_is_older_than_a_minute() {
    for level in [2, 3] {
        let mut gate = decided(&of(level), GOOD_READING);
        gate.wait_until(600_000);
        gate.step(Event::ByHand(Cause::Button));
        assert_eq!(gate.last(), "admit manual_override no_code");
    }
}

#[test]
fn a_lane_remembers_whom_its_verdict_was_about_while_it_stays_and_else_for_a_minute() {
    for (stays, after_ms, is_done, remembered) in [
        (true, 600_000, false, true),
        (true, 20_000, true, false),
        (false, 30_000, false, true),
        (false, 70_000, false, false),
    ] {
        let mut gate = decided(&of(2), GOOD_READING);
        gate.world.policy.other_stays = stays;
        gate.wait_until(after_ms);
        if is_done {
            gate.step(Event::Next);
        }
        assert_eq!(gate.lane.remembers(gate.now_ms), remembered, "{stays} {after_ms} {is_done}");
    }
}

#[test]
fn whose_code_can_not_be_read_is_not_whoever_was_decided_about_before() {
    let mut gate = decided(&of(2), GOOD_READING);
    gate.wait_until(20_000);
    gate.blur_until(21_500);
    assert!(gate.did().iter().any(|did| did.contains("hint")), "it is asked to hold still");
    gate.step(Event::ByHand(Cause::NoPhone));
    assert_eq!(gate.last(), "admit manual_override no_code");
}

#[test]
fn whoever_comes_after_the_volunteer_was_done_is_somebody_else() {
    for (level, wait_ms) in [(2, 300), (3, 300), (2, 20_000), (3, 20_000)] {
        let mut gate = decided(&of(level), GOOD_READING);
        gate.wait_until(gate.now_ms + wait_ms);
        gate.step(Event::Next);
        gate.wait_until(gate.now_ms + 1000);
        gate.step(Event::ByHand(Cause::NoPhone));
        assert_eq!(gate.last(), "admit manual_override no_code", "{level}");
    }
}

#[test]
fn a_mistake_by_hand_can_be_taken_back_at_once() {
    let mut gate = Gate::new();
    gate.step(Event::ByHand(Cause::NoPhone));
    gate.wait_until(300);
    gate.step(Event::ByHand(Cause::NotTheHolder));
    assert!(!gate.relay);
    assert_eq!(gate.decisions.last().map(|decision| decision.verdict), Some(Verdict::Refuse));
}

#[test]
fn keeping_somebody_out_leaves_anothers_pulse_alone() {
    let mut gate = Gate::new();
    gate.measure(GOOD_READING);
    gate.see(&[&green()]);
    gate.wait_until(750);
    gate.see(&[&of(2)]);
    gate.did();
    assert!(gate.relay);
    gate.wait_until(900);
    gate.step(Event::ByHand(Cause::Unwell));
    assert!(gate.relay, "{:?}", gate.did());
}
