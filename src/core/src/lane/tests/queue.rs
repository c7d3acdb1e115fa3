//! A queue: the next person is looked at while the last one's verdict is shown, and each turns the turnstile once.

use super::gate::Gate;
use crate::lane::{Event, MIN_SHOW_MS};
use crate::pass::{Claims, Kind};
use crate::testworld::*;
use std::string::String;
use std::vec::Vec;

fn pass_of(n: u8) -> String {
    issued(&Claims { pass_id: [n; 8], holder: [n; 16], ..claims(ZHEJIANG, Kind::Paper) }).as_str().into()
}

/// A person every `every_ms`: the wall, then a face, then the phone.
fn queue(every_ms: u64, people: u8) -> Gate {
    let mut gate = Gate::new();
    for n in 0..people {
        let begun_ms = u64::from(n) * every_ms;
        gate.wait_until(begun_ms);
        gate.wall();
        for _ in 0..5 {
            gate.wait_until(gate.now_ms + 71);
            gate.step(Event::Reading(GOOD_READING));
        }
        gate.see(&[&pass_of(n)]);
        gate.tick_to((begun_ms + every_ms).max(gate.now_ms));
    }
    gate.wait_until(gate.now_ms + 20_000);
    gate
}

#[test]
fn people_who_come_faster_than_a_pulse_lasts_have_a_pulse_each() {
    let mut gate = queue(900, 20);
    let did = gate.did();
    let of = |end: &str| did.iter().filter(|act| act.ends_with(end)).count();
    assert_eq!((gate.decisions.len(), of("record admit")), (20, 20));
    assert_eq!((of("relay closed"), of("relay open")), (20, 20));
    // Open between two pulses for the hold-off, to the millisecond.
    let at = |act: &String| act.split(' ').next().and_then(|ms| ms.parse::<u64>().ok()).expect("a time");
    let relay: Vec<&String> = did.iter().filter(|act| act.contains("relay")).collect();
    for pair in relay.windows(2).filter(|pair| pair[0].ends_with("open")) {
        assert!(at(pair[1]) - at(pair[0]) >= u64::from(gate.world.policy.relay_hold_off_ms), "{pair:?}");
    }
}

#[test]
fn a_verdict_is_on_the_screen_long_enough_however_fast_the_next_one_is() {
    let mut gate = queue(450, 12);
    let shown: Vec<u64> = gate
        .did()
        .iter()
        .filter(|act| act.contains(" show "))
        .map(|act| act.split(' ').next().and_then(|ms| ms.parse().ok()).expect("a time"))
        .collect();
    assert!(shown.len() >= 6, "{shown:?}");
    assert!(shown.windows(2).all(|pair| pair[1] - pair[0] >= MIN_SHOW_MS), "{shown:?}");
}

#[test]
fn a_pulse_that_nobody_follows_lasts_its_whole_length() {
    let mut gate = Gate::new();
    gate.measure(GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.tick_to(5000);
    let relay: Vec<String> = gate.did().into_iter().filter(|act| act.contains("relay")).collect();
    assert_eq!(relay, ["0 relay closed", "1000 relay open"]);
}

#[test]
fn the_same_pass_twice_within_three_seconds_is_one_showing() {
    let mut gate = Gate::new();
    gate.measure(GOOD_READING);
    gate.see(&[&pass_of(1)]);
    gate.wait_until(2900);
    gate.see(&[&pass_of(1)]);
    gate.wait_until(10_000);
    assert_eq!(gate.decisions.len(), 1);
}
