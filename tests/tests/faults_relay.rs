//! A gate that is stopped or killed in the middle of an admission lets nobody through for longer than its board says.

use menshen_tests::faults::ledger::{relay_edges, relay_openings_ms};
use menshen_tests::faults::process::Program;
use menshen_tests::faults::random::Random;
use menshen_tests::faults::until;
use menshen_tests::faults::world::{GREEN, World};
use rustix::process::Signal;
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const SEED: u64 = 0x6d65_6e73;
const MAX_MS: u64 = 1200;
/// What a busy machine may take on top.
const ROOM_MS: u64 = 1500;

#[test]
fn a_gate_that_is_stopped_or_killed_with_its_relay_closed_opens_it_by_the_maximum() {
    let mut random = Random::new(SEED);
    for signal in [Signal::STOP, Signal::KILL, Signal::STOP] {
        let mut world = World::new();
        world.board(&format!("[outputs]\nrelay_max_ms = {MAX_MS}\n"));
        world.site("relay_pulse_ms = 900\nthermometry = \"off\"\n");
        let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts");
        world.show(GREEN);
        until("a closed relay", PATIENCE, || relay_edges(&world).contains(&true).then_some(()));
        let after_ms = random.within(0..600);
        println!("seed {SEED:#x}: {signal:?} after {after_ms} ms");
        thread::sleep(Duration::from_millis(after_ms));
        gate.signal(signal);
        until("an open relay", PATIENCE, || (relay_edges(&world).last() == Some(&false)).then_some(()));
        drop(gate);
        let openings_ms = relay_openings_ms(&world);
        assert!(openings_ms.iter().all(|opening_ms| *opening_ms <= MAX_MS + ROOM_MS), "{openings_ms:?}");
        assert_eq!(openings_ms.len(), 1);
    }
}

#[test]
fn a_site_whose_pulse_is_longer_than_the_boards_maximum_is_refused_by_both_names() {
    let world = World::new();
    world.board("[outputs]\nrelay_max_ms = 2000\n");
    world.site("relay_pulse_ms = 1751\nthermometry = \"off\"\n");
    let Err(ended) = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world) else { panic!("it started") };
    assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
    assert_eq!(ended.log.trim_end().lines().count(), 1, "{}", ended.log);
    for name in ["relay_pulse_ms", "1751", "relay_max_ms", "2000"] {
        assert!(ended.log.contains(name), "{name} in {}", ended.log);
    }
}
