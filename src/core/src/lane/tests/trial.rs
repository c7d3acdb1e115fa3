//! Outputs that a person tries out, and people who come meanwhile.

use super::gate::{Gate, Journal};
use crate::decide::Verdict;
use crate::lane::{Event, TRIAL_MS, Trial};
use crate::pass::Kind;
use crate::testworld::*;

#[test]
fn the_relay_is_tried_for_one_pulse_after_its_record_and_without_a_decision() {
    let mut gate = Gate::new();
    gate.step(Event::Try(Trial::Relay));
    let pulse_ms = u64::from(gate.world.policy.relay_pulse_ms);
    gate.tick_to(10_000);
    assert_eq!(gate.did(), ["0 record trial".into(), "0 relay closed".into(), std::format!("{pulse_ms} relay open")]);
    assert!(gate.decisions.is_empty());
}

#[test]
fn a_trial_that_can_not_be_recorded_or_that_a_fire_alarm_overtakes_moves_nothing() {
    let mut gate = Gate::new();
    gate.journal = Journal::Fails;
    gate.step(Event::Try(Trial::Relay));
    assert_eq!(gate.did(), ["0 record trial"]);
    gate.journal = Journal::Waits;
    gate.step(Event::Try(Trial::Relay));
    gate.step(Event::FireAlarm(true));
    gate.step(Event::Recorded);
    assert!(!gate.did().iter().any(|did| did.ends_with("relay closed")));
}

#[test]
fn nothing_is_tried_while_somebody_is_decided_about_or_an_alarm_lasts() {
    let trials = [Trial::Relay, Trial::Lamp(Verdict::Admit), Trial::Tone(Verdict::Refuse)];
    let mut gate = Gate::new();
    gate.see(&[issued(&claims(ZHEJIANG, Kind::Paper)).as_str()]);
    gate.did();
    trials.into_iter().for_each(|trial| gate.step(Event::Try(trial)));
    assert!(gate.did().is_empty(), "somebody is being measured");
    gate.step(Event::FireAlarm(true));
    gate.did();
    trials.into_iter().for_each(|trial| gate.step(Event::Try(trial)));
    assert!(gate.did().is_empty(), "the way is held open");
}

#[test]
fn a_lamp_that_is_tried_goes_dark_by_itself_and_at_once_where_somebody_comes() {
    let mut gate = Gate::new();
    gate.step(Event::Try(Trial::Lamp(Verdict::Refer)));
    gate.tick_to(TRIAL_MS);
    assert_eq!(gate.did(), ["0 lamp refer".into(), std::format!("{TRIAL_MS} lamp dark")]);
    gate.step(Event::Try(Trial::Lamp(Verdict::Admit)));
    gate.see(&[issued(&claims(ZHEJIANG, Kind::Paper)).as_str()]);
    assert_eq!(gate.lamp, None, "nobody takes it for an answer");
    gate.measure(GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn nothing_is_tried_while_a_refused_person_is_on_the_screen_or_a_sensor_sees_somebody() {
    let trials = [Trial::Relay, Trial::Lamp(Verdict::Admit), Trial::Tone(Verdict::Refuse)];
    let mut gate = Gate::new();
    let red = issued(&of_level(3, claims(HANGZHOU, Kind::Phone)));
    gate.see(&[red.as_str()]);
    gate.wait_until(100_000);
    gate.did();
    trials.into_iter().for_each(|trial| gate.step(Event::Try(trial)));
    assert!(gate.did().is_empty(), "their refusal stays");
    gate.step(Event::Next);
    gate.step(Event::Presence(Some(true)));
    gate.did();
    trials.into_iter().for_each(|trial| gate.step(Event::Try(trial)));
    assert!(gate.did().is_empty(), "somebody stands there");
}
