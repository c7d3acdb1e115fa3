//! People at the gate, one scenario each.

use super::gate::{Gate, Journal};
use crate::hint::Hint;
use crate::lane::{AWAY_MS, Event, MIN_SHOW_MS, NOT_A_PASS_AFTER_MS, UNREADABLE_AFTER_MS};
use crate::pass::Kind;
use crate::policy::Thermometry;
use crate::testworld::*;
use crate::thermo::Reading;
use std::string::String;
use std::vec;
use std::vec::Vec;

const POSTER: &str = "https://example.org/poster";

fn green() -> String {
    issued(&claims(ZHEJIANG, Kind::Phone)).as_str().into()
}

/// Another person's.
fn green_2() -> String {
    issued(&crate::pass::Claims { pass_id: [2; 8], holder: [2; 16], ..claims(HANGZHOU, Kind::Paper) }).as_str().into()
}

fn red() -> String {
    issued(&of_level(3, claims(ZHEJIANG, Kind::Phone))).as_str().into()
}

#[test]
fn an_admission_is_asked_for_measured_recorded_and_only_then_opens_the_gate_for_one_pulse() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.wait_until(1000);
    gate.measure(GOOD_READING);
    assert_eq!(
        gate.did(),
        ["0 ask", "1000 record admit", "1000 relay closed", "1000 lamp admit", "1000 tone admit", "1000 show admit"]
    );
    gate.wait_until(10_000);
    assert_eq!(gate.did(), ["2000 relay open", "3000 lamp dark", "3000 idle"]);
}

#[test]
fn nothing_is_shown_and_the_gate_stays_closed_until_the_record_is_durable() {
    let mut gate = Gate::new();
    gate.journal = Journal::Waits;
    gate.see(&[&green()]);
    gate.measure(GOOD_READING);
    gate.wait_until(30_000);
    assert_eq!(gate.did(), ["0 ask", "0 record admit"]);
    gate.step(Event::Recorded);
    assert_eq!(gate.did()[0], "30000 relay closed");
}

#[test]
fn a_record_that_fails_refers_and_the_gate_stays_closed() {
    let mut gate = Gate::new();
    gate.journal = Journal::Fails;
    gate.see(&[&green()]);
    gate.measure(GOOD_READING);
    gate.wait_until(20_000);
    let did = gate.did();
    assert_eq!(did[2..5], ["0 lamp refer", "0 tone refer", "0 show refer journal_failing"]);
    assert!(!did.iter().any(|act| act.contains("relay")), "{did:?}");
}

#[test]
fn an_answer_of_the_journal_that_nothing_waits_for_changes_nothing() {
    let mut gate = Gate::new();
    gate.step(Event::Recorded);
    gate.see(&[&green()]);
    gate.step(Event::Recorded);
    gate.step(Event::RecordFailed);
    assert_eq!(gate.did(), ["0 ask"]);
    gate.measure(GOOD_READING);
    gate.step(Event::Recorded);
    gate.step(Event::RecordFailed);
    assert_eq!(gate.did().len(), 5, "one admission");
    gate.wait_until(5000);
    assert_eq!(gate.did(), ["1000 relay open", "2000 lamp dark", "2000 idle"]);
}

#[test]
fn one_stray_reading_neither_admits_nor_refuses() {
    for (stray, others, expected) in
        [(GOOD_READING, HIGH_READING, "refuse temp_high"), (HIGH_READING, GOOD_READING, "admit")]
    {
        let mut gate = Gate::new();
        gate.see(&[&green()]);
        [others, stray].into_iter().for_each(|reading| gate.step(Event::Reading(reading)));
        gate.measure(others);
        assert_eq!(gate.last(), expected);
    }
}

#[test]
fn a_reading_that_still_rises_to_a_fever_has_not_been_in_range() {
    for rising in [vec![3300, 3560, 3700, 3790, 3850], vec![2500, 3010, 3450, 3500, 3600, 3690, 3780, 3850]] {
        let mut gate = Gate::new();
        gate.see(&[&green()]);
        for temp_centi_c in rising {
            gate.step(Event::Reading(Reading { temp_centi_c, ..GOOD_READING }));
        }
        gate.measure(Reading { temp_centi_c: 3850, ..GOOD_READING });
        assert_eq!(gate.last(), "refuse temp_high");
    }
}

#[test]
fn a_reading_that_never_stands_still_does_not_admit() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    for n in 0..400 {
        gate.step(Event::Reading(Reading { temp_centi_c: 3500 + n % 2 * 100, ..GOOD_READING }));
        gate.wait_until(gate.now_ms + 50);
    }
    assert_eq!(gate.last(), "refer no_reading");
}

#[test]
fn a_sleeve_is_measured_again_and_then_the_forehead_admits() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.wait_until(500);
    gate.measure(COLD_READING);
    gate.wait_until(4000);
    gate.measure(GOOD_READING);
    assert_eq!(gate.did()[..3], ["0 ask", "3000 again 2/3", "4000 record admit"]);
}

#[test]
fn a_sleeve_at_every_attempt_is_referred() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    while gate.decisions.is_empty() {
        gate.step(Event::Reading(COLD_READING));
        gate.wait_until(gate.now_ms + 100);
    }
    assert_eq!(gate.last(), "refer temp_implausible");
    assert_eq!(gate.did()[..4], ["0 ask", "3000 again 2/3", "6000 again 3/3", "9000 record refer"]);
}

#[test]
fn an_attempt_begins_without_the_readings_of_the_one_before() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.step(Event::Reading(GOOD_READING));
    gate.step(Event::Reading(GOOD_READING));
    gate.wait_until(3000);
    gate.step(Event::Reading(GOOD_READING));
    assert_eq!(gate.did(), ["0 ask", "3000 ask"]);
}

#[test]
fn no_reading_at_any_attempt_is_referred() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.wait_until(10_000);
    assert_eq!(gate.did()[..4], ["0 ask", "3000 ask", "6000 ask", "9000 record refer"]);
    assert_eq!(gate.last(), "refer no_reading");
}

#[test]
fn without_a_thermometer_everybody_is_referred_at_once() {
    let mut gate = Gate::new();
    gate.step(Event::Thermometer { present: false });
    gate.see(&[&green()]);
    assert_eq!(gate.did()[0], "0 record refer");
    assert_eq!(gate.last(), "refer no_reading");
}

#[test]
fn a_thermometer_that_vanishes_while_waited_for_refers_and_one_that_returns_measures() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.wait_until(500);
    gate.step(Event::Thermometer { present: false });
    assert_eq!(gate.did()[1], "500 record refer");
    gate.step(Event::Thermometer { present: true });
    gate.wait_until(2000);
    gate.wall();
    gate.see(&[&green_2()]);
    gate.measure(GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn a_lane_without_thermometry_admits_on_the_code_alone() {
    let mut gate = Gate::new();
    gate.world.policy.thermometry = Thermometry::Off;
    gate.see(&[&green()]);
    assert_eq!(gate.did()[..2], ["0 record admit", "0 relay closed"]);
}

#[test]
fn a_pass_that_is_refused_anyway_needs_no_temperature() {
    let mut gate = Gate::new();
    gate.see(&[&red()]);
    assert_eq!(gate.did()[0], "0 record refuse");
    assert_eq!(gate.last(), "refuse red");
}

#[test]
fn a_yellow_pass_is_measured_before_a_person_decides() {
    let mut gate = Gate::new();
    gate.see(&[&issued(&of_level(2, claims(ZHEJIANG, Kind::Phone)))]);
    gate.measure(HIGH_READING);
    assert_eq!(gate.did()[0], "0 ask");
    assert_eq!(gate.last(), "refuse temp_high yellow");
}

#[test]
fn a_code_that_stays_in_view_is_decided_once() {
    let mut gate = Gate::new();
    gate.see_until(60_000, &[&red()]);
    assert_eq!(gate.decisions.len(), 1);
}

#[test]
fn a_code_that_was_away_is_decided_again() {
    let mut gate = Gate::new();
    gate.see(&[&red()]);
    gate.wait_until(AWAY_MS - 1);
    gate.see(&[&red()]);
    assert_eq!(gate.decisions.len(), 1, "away too short");
    gate.wait_until(2 * AWAY_MS - 1);
    gate.see(&[&red()]);
    assert_eq!(gate.decisions.len(), 2);
}

#[test]
fn another_code_waits_until_the_one_before_is_decided_and_could_be_read() {
    let mut gate = Gate::new();
    gate.see_until(1000, &[&green(), &red()]);
    assert_eq!(gate.did(), ["0 ask"]);
    gate.measure(GOOD_READING);
    gate.see_until(1000 + MIN_SHOW_MS - 50, &[&red()]);
    assert_eq!(gate.decisions.len(), 1, "the verdict is still on the screen");
    gate.wait_until(1000 + MIN_SHOW_MS);
    assert_eq!(gate.last(), "refuse red");
}

#[test]
fn the_next_person_does_not_stand_under_the_last_ones_green_lamp() {
    let mut gate = Gate::new();
    gate.see(&[&green()]);
    gate.measure(GOOD_READING);
    gate.wait_until(MIN_SHOW_MS);
    gate.did();
    gate.see(&[&green_2()]);
    assert_eq!(gate.did(), ["700 lamp dark", "700 ask"]);
}

#[test]
fn a_code_that_is_no_pass_is_answered_once_and_not_at_first_sight() {
    let mut gate = Gate::new();
    gate.see_until(NOT_A_PASS_AFTER_MS, &[POSTER]);
    assert_eq!(gate.decisions.len(), 0);
    gate.see_until(60_000, &[POSTER]);
    assert_eq!((gate.decisions.len(), gate.last().as_str()), (1, "refuse not_a_pass"));
}

#[test]
fn a_pass_beside_a_poster_is_the_one_that_counts_in_either_order() {
    for poster_first in [false, true] {
        let mut gate = Gate::new();
        let pass = green();
        gate.see_until(300, &[POSTER]);
        let seen = if poster_first { [POSTER, &pass] } else { [&pass, POSTER] };
        gate.see(&seen);
        gate.measure(GOOD_READING);
        assert_eq!(gate.last(), "admit");
    }
}

#[test]
fn a_pass_is_found_among_a_wall_of_posters() {
    let mut gate = Gate::new();
    let posters: Vec<String> = (0..12).map(|n| std::format!("{POSTER}/{n}")).collect();
    let mut wall: Vec<&str> = posters.iter().map(String::as_str).collect();
    gate.see(&wall);
    gate.wait_until(NOT_A_PASS_AFTER_MS);
    let pass = green();
    wall.push(&pass);
    gate.see(&wall);
    assert_eq!(gate.did(), ["400 ask"]);
}

#[test]
fn an_advertisement_beside_a_pass_never_turns_green_into_red() {
    let mut gate = Gate::new();
    let pass = green();
    gate.see_until(1000, &[&pass, POSTER]);
    gate.measure(GOOD_READING);
    gate.see_until(30_000, &[&pass, POSTER]);
    assert_eq!((gate.decisions.len(), gate.last().as_str()), (1, "admit"));
}

#[test]
fn a_verified_pass_wins_over_broken_and_forged_ones_in_view() {
    let good = red();
    let broken = &good[..good.len() - 3];
    let forged = crate::pass::issue(&claims(ZHEJIANG, Kind::Phone), &key_of(HUBEI)).expect("good claims");
    for order in [[&good, broken, &forged], [broken, &forged, &good], [&forged, &good, broken]] {
        let mut gate = Gate::new();
        gate.see(&order);
        assert_eq!(gate.last(), "refuse red");
    }
}

#[test]
fn a_code_that_can_not_be_read_gets_one_hint_then_a_person() {
    for hint in Hint::ALL {
        let mut gate = Gate::new();
        gate.hints_until(UNREADABLE_AFTER_MS + 100, &[Some(hint)]);
        assert_eq!(gate.did()[..2], [std::format!("800 hint {}", hint.name()), "4000 record refer".into()]);
        gate.hints_until(60_000, &[Some(hint)]);
        assert_eq!((gate.decisions.len(), gate.last().as_str()), (1, "refer unreadable"));
    }
}

#[test]
fn another_hint_takes_the_screen_when_it_has_prevailed_and_the_first_was_read() {
    let mut gate = Gate::new();
    gate.hints_until(1000, &[Some(Hint::ComeCloser)]);
    gate.hints_until(3900, &[Some(Hint::Tilt)]);
    let did = gate.did();
    assert_eq!(did, ["800 hint come_closer", "2000 hint tilt"]);
}

#[test]
fn frames_that_disagree_do_not_make_the_screen_flicker() {
    let (blurred, small, dark) = (Some(Hint::HoldStill), Some(Hint::ComeCloser), Some(Hint::MoreLight));
    for frames in [
        [blurred, small, blurred, small, blurred, small],
        [blurred, blurred, small, small, small, blurred],
        [small, blurred, dark, small, blurred, dark],
        [small, None, blurred, None, None, small],
    ] {
        let mut gate = Gate::new();
        gate.hints_until(3900, &frames);
        assert_eq!(gate.did().len(), 1, "{frames:?}");
    }
}

#[test]
fn what_most_frames_say_is_shown_whichever_said_it_last() {
    let mut gate = Gate::new();
    let (mostly, seldom) = (Some(Hint::Dim), Some(Hint::HoldStill));
    gate.hints_until(3900, &[mostly, mostly, mostly, seldom]);
    assert_eq!(gate.did(), ["800 hint dim"]);
}

#[test]
fn a_hint_that_came_late_does_not_give_way_to_one_that_nobody_could_read() {
    let mut gate = Gate::new();
    gate.hints_until(2500, &[Some(Hint::ComeCloser)]);
    gate.hints_until(4100, &[Some(Hint::Tilt)]);
    assert_eq!(gate.did()[..2], ["800 hint come_closer", "4000 record refer"]);
}

#[test]
fn who_could_not_be_read_during_the_last_verdict_gets_a_hint_before_a_person() {
    let mut gate = Gate::new();
    gate.see(&[&red()]);
    gate.blur_until(12_000);
    let did = gate.did();
    let shown: Vec<&str> = did.iter().skip(4).map(String::as_str).collect();
    assert_eq!(
        shown[..4],
        ["8000 lamp dark", "8000 hint hold_still", "9200 record refer", "9200 lamp refer"],
        "{did:?}"
    );
}

#[test]
fn the_hint_goes_when_the_code_is_read_or_has_gone_and_the_hint_could_be_read() {
    type Ending = fn(&mut Gate);
    let endings: [(Ending, &str); 4] = [
        (|gate| gate.see(&[POSTER]), "1000 idle"),
        (|gate| gate.see(&[&green()]), "1000 ask"),
        (|gate| gate.see_until(4000, &[]), "2000 idle"),
        // The camera itself falls silent.
        (|gate| gate.wait_until(4000), "2000 idle"),
    ];
    for (ending, last) in endings {
        let mut gate = Gate::new();
        gate.blur_until(1000);
        ending(&mut gate);
        assert_eq!(gate.did(), ["800 hint hold_still", last]);
    }
}

#[test]
fn a_code_that_is_found_in_every_third_frame_gets_its_hint_and_its_person() {
    let mut gate = Gate::new();
    gate.hints_until(UNREADABLE_AFTER_MS + 300, &[Some(Hint::ComeCloser), None, None]);
    assert_eq!(gate.did()[..2], ["900 hint come_closer", "4200 record refer"]);
}

#[test]
fn one_showing_of_an_unreadable_code_is_one_decision_though_it_is_missed_for_a_moment() {
    let mut gate = Gate::new();
    gate.blur_until(5000);
    gate.see_until(6500, &[]);
    gate.blur_until(20_000);
    assert_eq!(gate.decisions.len(), 1);
    gate.wait_until(20_000 + AWAY_MS);
    gate.blur_until(40_000);
    assert_eq!(gate.decisions.len(), 2);
}

#[test]
fn a_silent_camera_does_not_count_as_an_unreadable_code() {
    let mut gate = Gate::new();
    gate.blur_until(100);
    gate.wait_until(10_000);
    gate.blur_until(10_100);
    assert_eq!(gate.did(), [""; 0]);
}

#[test]
fn without_a_trust_list_everybody_is_referred() {
    let mut gate = Gate::new();
    let pass = green();
    let payloads = [pass.as_bytes()];
    let now = crate::lane::Now { mono_ms: 0, time: NOW };
    let context = crate::decide::Context { trust: None, ..gate.world.context() };
    let actions = gate.lane.step(Event::Sight { payloads: &payloads, unread: None }, now, context);
    let [crate::lane::Action::Record(decision)] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(decision.reasons.as_slice(), [crate::reason::Reason::TrustMissing]);
}

#[test]
fn readings_at_the_very_ends_of_their_range_are_taken() {
    for temp_centi_c in [i16::MIN, i16::MAX] {
        let mut gate = Gate::new();
        gate.see(&[&green()]);
        gate.measure(Reading::of(temp_centi_c, temp_centi_c));
        gate.wait_until(20_000);
        assert_eq!(gate.last(), "refer thermometer_ambient");
    }
}
