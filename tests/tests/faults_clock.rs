//! The whole gate on a clock chip that is right, has an empty battery, is a year ahead, fell back, jumps, or is gone:
//! no expired pass is admitted, no good one is refused, and the panel says both times and the one thing to do.
//!
//! The chip is simulated at its registers, under the real driver, in the real program. Every case of a wrong clock, to
//! the second, is in the table of the core's `clock/tests.rs`; here is what a person at the gate meets.

use menshen_core::time::Confidence;
use menshen_lane::run::Device;
use menshen_lane::view::DecisionView;
use menshen_tests::faults::process::{Program, get};
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, Pass, World};
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::Duration;

const YEAR_S: u64 = 365 * 86_400;
/// Two hours are left of it.
const GOOD: Pass = Pass { valid: "3h", ago_s: 3600, ..GREEN };
/// It was over two hours ago.
const EXPIRED: Pass = Pass { valid: "1h", ago_s: 3 * 3600, ..GREEN };
/// Refreshed just now, as phones do.
const FRESH: Pass = Pass { valid: "10m", ago_s: 0, ..GREEN };

/// A gate whose clock chip says what its file says.
fn world_with_chip(says: &str) -> World {
    let world = World::new();
    world.board("[clock]\nsource = \"simulated\"\n");
    chip(&world, says);
    world
}

fn chip(world: &World, says: &str) {
    world.write("state/rtc.txt", says);
}

/// Shows one pass and gives what the gate said.
fn verdict(world: &mut World, gate: &Watched, pass: Pass) -> DecisionView {
    let before = gate.seen().verdicts.len();
    world.show(pass);
    gate.verdict(before + 1)
}

#[track_caller]
fn assert_verdicts(world: &mut World, gate: &Watched, expected: [(Pass, &str, Option<&str>); 2]) {
    for (pass, wanted, reason) in expected {
        let said = verdict(world, gate, pass);
        assert_eq!((said.verdict, said.reasons.first().map(|reason| reason.name)), (wanted, reason), "{said:?}");
    }
}

fn clock_of(gate: &Watched) -> Value {
    get(gate.panel().expect("its board has a panel"), "/state")["bar"]["clock"].clone()
}

fn doubt(gate: &Watched, name: &'static str) -> Value {
    gate.device(name, |device: &Device| device.clock.doubt.filter(|doubt| doubt.name() == name).map(|_| ()));
    until("the panel to say so", Duration::from_secs(10), || {
        Some(clock_of(gate)).filter(|clock| clock["doubt"] == name)
    })
}

fn sure(gate: &Watched) {
    gate.device("a sure clock", |device: &Device| {
        (device.time.confidence == Confidence::Trusted && device.clock.doubt.is_none()).then_some(())
    });
}

const TELLS_APART: [(Pass, &str, Option<&str>); 2] = [(GOOD, "admit", None), (EXPIRED, "refuse", Some("expired"))];
/// What was over before the trust list was signed is over in any case.
const KNOWS_THE_FLOOR: [(Pass, &str, Option<&str>); 2] =
    [(GOOD, "refer", Some("clock_untrusted")), (EXPIRED, "refuse", Some("expired"))];

#[test]
fn a_chip_that_is_right_tells_passes_apart_and_one_that_nobody_confirmed_not_to_the_minute() {
    let mut world = world_with_chip("0");
    let gate = Watched::start(&world).expect("it starts");
    assert_eq!(doubt(&gate, "unconfirmed")["confidence"], "trusted");
    assert_verdicts(&mut world, &gate, TELLS_APART);
    let fresh = verdict(&mut world, &gate, FRESH);
    assert_eq!((fresh.verdict, fresh.reasons[0].name), ("refer", "clock_untrusted"));
}

#[test]
fn a_chip_five_minutes_off_admits_nothing_expired_and_refuses_nothing_good() {
    for off in ["-300", "300"] {
        let mut world = world_with_chip(off);
        let gate = Watched::start(&world).expect("it starts");
        assert_verdicts(&mut world, &gate, TELLS_APART);
        let nearly = verdict(&mut world, &gate, Pass { valid: "1h", ago_s: 3600 - 120, ..GREEN });
        assert_eq!(nearly.verdict, "refer", "{off}: two minutes are left of it");
        let just = verdict(&mut world, &gate, Pass { valid: "1h", ago_s: 3600 + 120, ..GREEN });
        assert_ne!(just.verdict, "admit", "{off}: it was over two minutes ago");
    }
}

#[test]
fn an_empty_battery_refers_until_the_hub_has_signed_the_time_and_the_chip_is_set_by_it() {
    let mut world = world_with_chip("-99999999 stopped");
    let gate = Watched::start(&world).expect("it starts");
    doubt(&gate, "lost_power");
    assert_verdicts(&mut world, &gate, KNOWS_THE_FLOOR);
    let hub = world.start_hub();
    sure(&gate);
    assert_verdicts(&mut world, &gate, TELLS_APART);
    assert_eq!(verdict(&mut world, &gate, FRESH).verdict, "admit");
    assert_eq!(clock_of(&gate)["doubt"], Value::Null);
    gate.stop();
    let off_s = fs::read_to_string(world.path("state/rtc.txt")).expect("the chip was set");
    assert!(off_s.trim().parse::<i64>().is_ok_and(|off_s| off_s.abs() <= 2), "{off_s}");
    // Without the hub the chip is now believed to the minute.
    hub.stop();
    world.clear_camera();
    let gate = Watched::start(&world).expect("it starts again");
    sure(&gate);
    assert_eq!(verdict(&mut world, &gate, FRESH).verdict, "admit");
}

#[test]
fn a_chip_a_year_ahead_is_shown_beside_what_is_known_and_decides_nothing() {
    let mut world = world_with_chip(&YEAR_S.to_string());
    let gate = Watched::start(&world).expect("it starts");
    let clock = doubt(&gate, "ahead");
    assert_both_times(&clock, i64::try_from(YEAR_S).expect("a year"));
    assert_verdicts(&mut world, &gate, KNOWS_THE_FLOOR);
}

#[test]
fn a_chip_behind_the_floor_is_shown_beside_what_is_known_and_decides_nothing() {
    let mut world = world_with_chip("-7200");
    let gate = Watched::start(&world).expect("it starts");
    let clock = doubt(&gate, "behind");
    assert_both_times(&clock, -7200);
    assert_verdicts(&mut world, &gate, KNOWS_THE_FLOOR);
}

/// The device's time and the one that is known, and how far they are apart.
#[track_caller]
fn assert_both_times(clock: &Value, apart_s: i64) {
    let time = |name: &str| {
        let text = clock[name].as_str().unwrap_or_else(|| panic!("no {name} in {clock}"));
        menshen::moment::parse(text).expect("RFC 3339") as i64
    };
    assert_eq!((&clock["disagrees"], &clock["confidence"]), (&Value::from(true), &Value::from("floor")));
    assert!((time("device_time") - time("passed_time") - apart_s).abs() < 60, "{clock}");
}

#[test]
fn a_chip_that_jumps_while_the_gate_runs_changes_no_decision() {
    for off in [YEAR_S.to_string(), "-86400".to_owned()] {
        let mut world = world_with_chip("0");
        let gate = Watched::start(&world).expect("it starts");
        doubt(&gate, "unconfirmed");
        chip(&world, &off);
        gate.device("both times", |device: &Device| device.clock.disagrees().then_some(()));
        assert_verdicts(&mut world, &gate, TELLS_APART);
        chip(&world, "unplugged");
        let told = gate.device("the chip's fault", |device: &Device| device.faults.clock.clone());
        assert!(told.contains("clock chip") && told.contains("check its wires"), "{told}");
        assert_verdicts(&mut world, &gate, TELLS_APART);
        chip(&world, "0");
        gate.device("no fault of the clock", |device: &Device| device.faults.clock.is_none().then_some(()));
    }
}

#[test]
fn a_file_that_a_power_cut_tore_is_told_and_what_was_signed_is_the_floor() {
    for torn in [&b"menshen-time 1\nproven 17"[..], &[0; 40], &[0xff, 0xfe]] {
        let mut world = world_with_chip("0 stopped");
        world.write("state/time-floor", torn);
        let gate = Watched::start(&world).expect("it starts");
        let told = gate.device("what was lost", |device: &Device| device.faults.clock.clone());
        assert!(told.contains("time-floor") && told.contains("damaged"), "{told}");
        assert_verdicts(&mut world, &gate, KNOWS_THE_FLOOR);
    }
}

#[test]
fn a_field_tech_sets_the_chip_of_a_gate_that_runs_and_the_gate_is_sure() {
    let mut world = world_with_chip("31536000 stopped");
    let sign = world.path("synchronised");
    world.board(&format!("[clock]\nsource = \"simulated\"\nsign = {sign:?}\n"));
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts");
    let panel = gate.addr().expect("its board has a panel");
    let try_rtc = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fault-gate"));
        command.arg("rtc").arg("--board").arg(world.board_file()).arg("--state").arg(world.state());
        command.args(more).output().expect("cargo has built it")
    };
    let rtc = |more: &[&str]| {
        let output = try_rtc(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(rtc(&[]).contains("stood still"));
    for (set_to, why) in [("now", "synchronised is not there"), ("2019-01-01", "known to have passed")] {
        let output = try_rtc(&["--set", set_to]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.contains(why)), (Some(2), true), "{said}");
        assert!(rtc(&[]).contains("stood still"), "the chip was left alone");
    }
    fs::write(&sign, "").expect("the folder is ours");
    assert!(rtc(&["--set", "now"]).contains("as the system's clock does"));
    until("a gate that is sure", Duration::from_secs(20), || {
        let clock = &get(panel, "/state")["bar"]["clock"];
        (clock["confidence"] == "trusted" && clock["doubt"] == Value::Null).then_some(())
    });
    world.show(FRESH);
    until("an admission", Duration::from_secs(20), || {
        (get(panel, "/state")["screen"]["decision"]["verdict"] == "admit").then_some(())
    });
    assert!(gate.terminate().success());
}
