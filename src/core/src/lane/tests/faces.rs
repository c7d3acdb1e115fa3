//! Whose reading counts for whose code.

use super::gate::Gate;
use crate::decide::Verdict;
use crate::lane::{Event, MIN_SHOW_MS};
use crate::pass::{Claims, Kind};
use crate::testworld::*;
use crate::thermo::Reading;
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;

fn pass_of(n: u8) -> String {
    issued(&Claims { pass_id: [n; 8], holder: [n; 16], ..claims(ZHEJIANG, Kind::Paper) }).as_str().into()
}

/// A healthy face that differs from others'.
fn face_of(n: u8) -> Reading {
    Reading::of(3550 + i16::from(n), 2200)
}

fn readings_until(gate: &mut Gate, ms: u64, reading: Reading) {
    while gate.now_ms < ms {
        gate.step(Event::Reading(reading));
        gate.wait_until(ms.min(gate.now_ms + 71));
    }
}

#[test]
fn a_face_that_is_still_there_when_the_code_is_seen_was_measured_in_time() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.did()[..2], ["600 record admit", "600 relay closed"]);
}

#[test]
fn a_high_reading_of_a_face_that_is_still_there_counts_too() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, HIGH_READING);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.last(), "refuse temp_high");
}

#[test]
fn a_face_that_had_gone_when_the_code_came_is_nobodys() {
    for (gone, gap_ms) in [(Some(WALL_READING), 71), (None, 600)] {
        let mut gate = Gate::new();
        readings_until(&mut gate, 600, GOOD_READING);
        gone.into_iter().for_each(|reading| gate.step(Event::Reading(reading)));
        gate.wait_until(600 + gap_ms);
        gate.see(&[&pass_of(1)]);
        gate.did();
        (0..4).for_each(|_| gate.step(Event::Reading(GOOD_READING)));
        assert_eq!(gate.decisions.len(), 0, "{gone:?}");
        gate.step(Event::Reading(GOOD_READING));
        assert_eq!(gate.last(), "admit");
    }
}

#[test]
fn a_face_that_was_decided_about_is_not_the_next_ones_until_it_went() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.did();
    // The next one's phone is there already, and the last one's face still.
    readings_until(&mut gate, 900, GOOD_READING);
    gate.see(&[&pass_of(2)]);
    readings_until(&mut gate, 2000, GOOD_READING);
    assert_eq!(gate.decisions.len(), 1);
    gate.wall();
    readings_until(&mut gate, 2600, HIGH_READING);
    assert_eq!(gate.last(), "refuse temp_high");
}

#[test]
fn a_face_that_never_went_counts_once_the_last_verdict_has_had_its_time() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.see(&[&pass_of(2)]);
    let over_ms = 600 + u64::from(gate.world.policy.hold_admit_ms);
    readings_until(&mut gate, over_ms - 10, GOOD_READING);
    assert_eq!(gate.decisions.len(), 1);
    readings_until(&mut gate, over_ms + 600, GOOD_READING);
    assert_eq!(gate.decisions.len(), 2);
}

#[test]
fn whoever_refreshes_their_code_on_the_spot_is_measured_without_stepping_back() {
    let mut gate = Gate::new();
    let old = Claims { expires_at: NOW_S - 100, issued_at: NOW_S - 700, ..claims(ZHEJIANG, Kind::Phone) };
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&issued(&old)]);
    assert_eq!(gate.last(), "refuse expired");
    readings_until(&mut gate, 2000, GOOD_READING);
    gate.see(&[&issued(&Claims { pass_id: [9; 8], ..claims(ZHEJIANG, Kind::Phone) })]);
    readings_until(&mut gate, 2600, GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn nobody_is_told_to_measure_again_because_of_the_one_before() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, HIGH_READING);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.last(), "refuse temp_high");
    gate.wait_until(1500);
    gate.see(&[&pass_of(2)]);
    gate.did();
    // That one does not go before the verdict's time is over.
    let over_ms = 600 + u64::from(gate.world.policy.hold_other_ms);
    readings_until(&mut gate, over_ms - 50, HIGH_READING);
    assert_eq!(gate.did(), [""; 0]);
    gate.wall();
    readings_until(&mut gate, over_ms + 600, GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn with_a_presence_sensor_a_reading_waits_for_the_code_of_whoever_is_there() {
    let mut gate = Gate::new();
    gate.world.policy.reading_before_ms = 5000;
    gate.step(Event::Presence(Some(true)));
    readings_until(&mut gate, 600, GOOD_READING);
    gate.wall();
    // Time to find the phone.
    gate.wait_until(4000);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.did()[..2], ["4000 record admit", "4000 relay closed"]);
}

#[test]
fn a_reading_does_not_wait_for_ever_nor_for_another_person() {
    for (after_ms, somebody_else) in [(6000, false), (2000, true)] {
        let mut gate = Gate::new();
        gate.world.policy.reading_before_ms = 5000;
        gate.step(Event::Presence(Some(true)));
        readings_until(&mut gate, 600, GOOD_READING);
        gate.wait_until(600 + after_ms - 1000);
        if somebody_else {
            gate.step(Event::Presence(Some(false)));
            gate.wait_until(gate.now_ms + 300);
            gate.step(Event::Presence(Some(true)));
        }
        gate.wait_until(600 + after_ms);
        gate.see(&[&pass_of(1)]);
        assert_eq!(gate.decisions.len(), 0, "{after_ms} {somebody_else}");
    }
}

#[test]
fn where_nobody_is_the_wall_is_not_measured() {
    let mut gate = Gate::new();
    gate.step(Event::Presence(Some(false)));
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.decisions.len(), 0);
}

#[test]
fn whoever_walks_away_is_not_waited_for() {
    let mut gate = Gate::new();
    gate.step(Event::Presence(Some(true)));
    gate.see(&[&pass_of(1)]);
    gate.wait_until(500);
    gate.step(Event::Presence(Some(false)));
    gate.wait_until(1450);
    assert_eq!(gate.decisions.len(), 0);
    gate.wait_until(1550);
    assert_eq!(gate.last(), "refer no_reading");
}

#[test]
fn whoever_shows_a_code_from_farther_off_is_given_the_time_to_come() {
    let mut gate = Gate::new();
    gate.step(Event::Presence(Some(false)));
    gate.wait_until(5000);
    gate.see(&[&pass_of(1)]);
    gate.wait_until(7000);
    assert_eq!(gate.decisions.len(), 0);
    gate.step(Event::Presence(Some(true)));
    readings_until(&mut gate, 7600, GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn a_presence_sensor_that_vanishes_proves_nothing() {
    let mut gate = Gate::new();
    gate.step(Event::Presence(Some(true)));
    readings_until(&mut gate, 600, GOOD_READING);
    gate.step(Event::Presence(None));
    gate.wait_until(700);
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.decisions.len(), 0);
    gate.measure(HIGH_READING);
    assert_eq!(gate.last(), "refuse temp_high");
}

#[test]
fn in_winter_a_cold_forehead_is_measured_again_and_admitted_once_it_is_warm() {
    let mut gate = Gate::new();
    gate.see(&[&pass_of(1)]);
    let window_ms = u64::from(gate.world.policy.reading_window_ms);
    readings_until(&mut gate, window_ms + 50, COLD_READING);
    readings_until(&mut gate, 2 * window_ms + 50, COLD_READING);
    let did = gate.did();
    assert!(did[0].ends_with("ask") && did[1].ends_with("again 2/3") && did[2].ends_with("again 3/3"), "{did:?}");
    readings_until(&mut gate, 2 * window_ms + 600, GOOD_READING);
    assert_eq!(gate.last(), "admit");
}

#[test]
fn a_forehead_that_stays_cold_three_times_is_referred_and_never_admitted() {
    let mut gate = Gate::new();
    gate.see(&[&pass_of(1)]);
    readings_until(&mut gate, 30_000, COLD_READING);
    assert_eq!(gate.last(), "refer temp_implausible");
    assert!(gate.decisions.iter().all(|decision| decision.verdict != Verdict::Admit));
}

/// One person after another, each with a face of their own; phone before face or after it, and the next one's phone may
/// be there before the last one's face has gone. Between two faces the thermometer sees the wall once at least.
#[derive(Clone, Copy, Debug)]
struct Person {
    /// How long the last one's face lingers.
    lingers_ms: u64,
    /// When the own face comes, after that one has gone.
    comes_ms: u64,
    stays_ms: u64,
    /// When the phone is there, counted from the moment the last one was decided about.
    phone_ms: u64,
}

fn person() -> impl Strategy<Value = Person> {
    (0..700u64, 80..900u64, 400..2500u64, 0..3000u64).prop_map(|(lingers_ms, comes_ms, stays_ms, phone_ms)| Person {
        lingers_ms,
        comes_ms,
        stays_ms,
        phone_ms,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobody_is_admitted_by_another_persons_temperature(people in prop::collection::vec(person(), 1..12)) {
        let mut gate = Gate::new();
        let mut codes: Vec<String> = Vec::new();
        for (n, person) in (0u8..).zip(people) {
            codes.push(pass_of(n));
            let begun_ms = gate.now_ms;
            let decided = gate.decisions.len();
            let face_from_ms = person.lingers_ms + person.comes_ms;
            let face_until_ms = face_from_ms + person.stays_ms;
            // Until this one is decided about; whoever waits for a temperature that never comes is referred.
            while gate.decisions.len() == decided && gate.now_ms < begun_ms + 40_000 {
                let at_ms = gate.now_ms - begun_ms;
                gate.step(Event::Reading(match at_ms {
                    at_ms if at_ms < person.lingers_ms && n > 0 => face_of(n - 1),
                    at_ms if (face_from_ms..face_until_ms).contains(&at_ms) => face_of(n),
                    _ => WALL_READING,
                }));
                if at_ms >= person.phone_ms {
                    gate.see(&[&codes[usize::from(n)]]);
                }
                gate.wait_until(gate.now_ms + 71);
            }
            prop_assert_eq!(gate.decisions.len(), decided + 1);
        }
        for (n, decision) in (0u8..).zip(&gate.decisions) {
            let own = decision.evidence.reading.is_none_or(|reading| reading == face_of(n) || reading == WALL_READING);
            prop_assert!(own, "{n}: {:?}", decision.evidence.reading);
            if decision.verdict == Verdict::Admit {
                prop_assert_eq!(decision.evidence.reading, Some(face_of(n)));
                prop_assert_eq!(decision.evidence.pass.map(|pass| pass.pass_id), Some([n; 8]));
            }
        }
    }
}

#[test]
fn the_question_waits_until_the_last_verdict_could_be_read() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.did();
    gate.see(&[&pass_of(2)]);
    gate.wait_until(600 + MIN_SHOW_MS - 50);
    assert_eq!(gate.did(), [""; 0]);
    gate.wait_until(600 + MIN_SHOW_MS);
    assert_eq!(gate.did(), ["1300 lamp dark", "1300 ask"]);
}

#[test]
fn whoever_steps_up_with_another_code_is_not_let_in_by_the_one_before() {
    let mut gate = Gate::new();
    gate.see(&[&pass_of(1)]);
    gate.wait_until(500);
    let red: String = issued(&of_level(3, Claims { holder: [2; 16], ..claims(ZHEJIANG, Kind::Paper) })).as_str().into();
    // The first one stepped aside; the second one's code and face are there.
    while gate.now_ms < 1500 {
        gate.see(&[&red]);
        gate.step(Event::Reading(GOOD_READING));
        gate.wait_until(gate.now_ms + 71);
    }
    let verdicts: Vec<Verdict> = gate.decisions.iter().map(|decision| decision.verdict).collect();
    assert_eq!(verdicts[0], Verdict::Refer);
    gate.wait_until(3000);
    assert_eq!(gate.last(), "refuse red");
}

#[test]
fn one_stray_value_of_no_person_is_not_the_wall() {
    let mut gate = Gate::new();
    readings_until(&mut gate, 600, GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.step(Event::Reading(WALL_READING));
    gate.see(&[&pass_of(2)]);
    readings_until(&mut gate, 1500, GOOD_READING);
    assert_eq!(gate.decisions.len(), 1, "the last one's face is still there");
}

#[test]
fn with_a_presence_sensor_a_face_that_is_measured_anew_is_another_ones() {
    let mut gate = Gate::new();
    gate.world.policy.reading_before_ms = 5000;
    gate.step(Event::Presence(Some(true)));
    readings_until(&mut gate, 600, GOOD_READING);
    gate.wall();
    gate.wait_until(1500);
    gate.step(Event::Reading(HIGH_READING));
    gate.see(&[&pass_of(1)]);
    assert_eq!(gate.decisions.len(), 0);
    gate.measure(HIGH_READING);
    assert_eq!(gate.last(), "refuse temp_high");
}

#[test]
fn a_phone_that_makes_its_next_code_meanwhile_shows_the_same_person() {
    let mut gate = Gate::new();
    gate.see(&[&issued(&claims(ZHEJIANG, Kind::Phone))]);
    gate.wait_until(300);
    let next: String = issued(&Claims { pass_id: [9; 8], ..claims(ZHEJIANG, Kind::Phone) }).as_str().into();
    while gate.now_ms < 1500 {
        gate.see(&[&next]);
        gate.step(Event::Reading(GOOD_READING));
        gate.wait_until(gate.now_ms + 71);
    }
    assert_eq!((gate.decisions.len(), gate.last().as_str()), (1, "admit"));
    assert_eq!(gate.decisions[0].evidence.pass.map(|pass| pass.pass_id), Some([9; 8]));
}
