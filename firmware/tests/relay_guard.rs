//! What the relay does when somebody is stopped, killed or caught in a loop: the gate, its guard, or both in turn.
//!
//! The pins are the lines of a trace, which the guard of the real program writes from its own process; times are the
//! trace's. Only the promise is judged, with room for a busy machine: no opening is longer than the maximum.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use menshen_gate::board::{Board, Fail, Function, Switch, SwitchAt, Wiegand, WiegandFrame, Wiring};
use menshen_gate::clock::Teller;
use menshen_gate::gate::GatePorts;
use menshen_gate::outputs::GuardAs;
use menshen_lane::ports::GateOutput;
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_menshen-gate");
const PATIENCE: Duration = Duration::from_secs(20);
const MAX_MS: u32 = 1000;
/// What a busy machine may take on top.
const ROOM_MS: u64 = 1500;
/// Tells `gate_for_the_others` that it is one, and where its state is.
const STATE: &str = "MENSHEN_TEST_GATE_STATE";
/// What that gate does once it has opened the way: `sleep`, `spin` or `flood`.
const THEN: &str = "MENSHEN_TEST_GATE_THEN";
const FAIL: &str = "MENSHEN_TEST_GATE_FAIL";

fn board(fail: Fail) -> Board {
    let mut board = Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap();
    board.outputs.relay.max_ms = MAX_MS;
    board.outputs.relay.fail = fail;
    let at = SwitchAt::File { control: "inputs.txt".into() };
    board.inputs.fire_alarm = Some(Switch { at, active_low: false, debounce_ms: 50 });
    board
}

fn guarded(board: &Board, state: &Path) -> Box<dyn GateOutput> {
    GatePorts::guarded(board, state, Teller::Technician, &GuardAs::Process(PROGRAM.into()))
        .unwrap()
        .lanes
        .remove(0)
        .outputs
}

/// The relay's edges: when, and whether the level is high.
fn edges(state: &Path) -> Vec<(u64, bool)> {
    let text = std::fs::read_to_string(state.join("gpio.jsonl")).unwrap_or_default();
    let edges = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let relay = edges.filter(|edge| edge["pin"] == "relay");
    relay.map(|edge| (edge["t_ms"].as_u64().unwrap(), edge["level"] == "high")).collect()
}

fn levels(state: &Path) -> Vec<bool> {
    edges(state).into_iter().map(|(_, high)| high).collect()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// No time at a high level is longer than the maximum, and the last level is low.
#[track_caller]
fn never_longer_than_the_maximum(state: &Path) {
    let edges = edges(state);
    assert_eq!(edges.last().map(|(_, high)| *high), Some(false), "{edges:?}");
    for pair in edges.windows(2) {
        let [(from_ms, high), (to_ms, next)] = pair else { unreachable!("two at a time") };
        assert_ne!(high, next, "every line is an edge: {edges:?}");
        assert!(!high || to_ms - from_ms <= u64::from(MAX_MS) + ROOM_MS, "{edges:?}");
    }
}

/// The guard in charge; one that is just being started has an empty file for a moment.
fn guard_pid(state: &Path) -> Pid {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(state.join("relay-guard.pid")).unwrap_or_default();
        match text.parse().ok().and_then(Pid::from_raw) {
            Some(pid) => return pid,
            None => assert!(Instant::now() < deadline, "no guard is in charge"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).unwrap();
}

/// Another process that is a gate: it opens the way and then forgets to shut it.
struct Gate(Child);

impl Gate {
    fn start(state: &Path, then: &str, fail: &str) -> Gate {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["gate_for_the_others", "--exact", "--nocapture"]).stdout(Stdio::null());
        Gate(command.env(STATE, state).env(THEN, then).env(FAIL, fail).spawn().unwrap())
    }

    fn signal(&self, number: Signal) {
        signal(Pid::from_child(&self.0), number);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn gate_for_the_others() {
    let Some(state) = std::env::var_os(STATE).map(PathBuf::from) else { return };
    let fail = if std::env::var(FAIL).unwrap() == "safe" { Fail::Safe } else { Fail::Secure };
    let mut outputs = guarded(&board(fail), &state);
    outputs.relay(true).unwrap();
    match std::env::var(THEN).unwrap().as_str() {
        "flood" => loop {
            let _ = outputs.relay(true);
        },
        "spin" => loop {
            std::hint::spin_loop();
        },
        _ => std::thread::sleep(Duration::from_secs(600)),
    }
}

#[test]
fn a_relay_obeys_its_gate_by_way_of_the_guard_and_almost_as_fast() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    assert!(levels(state.path()).is_empty(), "at rest is where it starts");
    let mut took = Vec::new();
    for closed in [true, false].repeat(100) {
        let begun = Instant::now();
        outputs.relay(closed).unwrap();
        took.push(begun.elapsed());
    }
    took.sort();
    println!("an order takes {:?} at the median, {:?} at most", took[took.len() / 2], took[took.len() - 1]);
    assert_eq!(levels(state.path()), [true, false].repeat(100), "done when it is answered");
    drop(outputs);
    assert_eq!(levels(state.path()).len(), 200);
}

#[test]
fn a_gate_that_ends_opens_its_relay_before_it_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    outputs.relay(true).unwrap();
    drop(outputs);
    assert_eq!(levels(state.path()), [true, false]);
}

#[test]
fn a_gate_that_is_stopped_killed_or_loops_holds_the_way_no_longer_than_the_maximum() {
    for (then, stop) in [("sleep", Some(Signal::STOP)), ("sleep", Some(Signal::KILL)), ("spin", None)] {
        let state = tempfile::tempdir().unwrap();
        let gate = Gate::start(state.path(), then, "secure");
        until("an open way", || levels(state.path()) == [true]);
        stop.inspect(|stop| gate.signal(*stop));
        until("a shut way", || levels(state.path()) == [true, false]);
        never_longer_than_the_maximum(state.path());
        drop(gate);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(levels(state.path()), [true, false], "{then} {stop:?}");
    }
}

#[test]
fn a_gate_that_asks_and_asks_and_never_shuts_gains_nothing() {
    let state = tempfile::tempdir().unwrap();
    let gate = Gate::start(state.path(), "flood", "secure");
    until("three openings", || levels(state.path()).len() >= 6);
    gate.signal(Signal::STOP);
    until("a shut way", || levels(state.path()).last() == Some(&false));
    drop(gate);
    until("a shut way", || levels(state.path()).last() == Some(&false));
    never_longer_than_the_maximum(state.path());
}

#[test]
fn a_guard_that_is_killed_or_stopped_is_replaced_and_the_way_is_shut() {
    for stop in [Signal::KILL, Signal::STOP] {
        let state = tempfile::tempdir().unwrap();
        let mut outputs = guarded(&board(Fail::Secure), state.path());
        outputs.relay(true).unwrap();
        let first = guard_pid(state.path());
        signal(first, stop);
        until("the rest of the pulse", || levels(state.path()) == [true, false, true]);
        assert_ne!(guard_pid(state.path()), first);
        let [(begun_ms, _), _, _] = edges(state.path())[..] else { panic!("three edges") };
        until("a shut way", || levels(state.path()) == [true, false, true, false]);
        let ended_ms = edges(state.path()).last().unwrap().0;
        assert!(ended_ms - begun_ms <= u64::from(MAX_MS) + ROOM_MS, "{stop:?}: the rest, and no more");
        never_longer_than_the_maximum(state.path());
        outputs.relay(true).unwrap();
        outputs.relay(false).unwrap();
        assert_eq!(levels(state.path()), [true, false, true, false, true, false], "{stop:?}");
    }
}

#[test]
fn an_order_to_a_frozen_guard_is_done_by_the_next_one() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    signal(guard_pid(state.path()), Signal::STOP);
    outputs.relay(true).unwrap();
    assert_eq!(levels(state.path()), [true]);
    signal(guard_pid(state.path()), Signal::STOP);
    outputs.relay(false).unwrap();
    assert_eq!(levels(state.path()), [true, false]);
}

#[test]
fn a_gate_that_can_start_no_guard_puts_the_relay_to_rest_says_so_and_keeps_nobody_waiting() {
    let state = tempfile::tempdir().unwrap();
    let program = state.path().join("gate");
    std::os::unix::fs::symlink(PROGRAM, &program).unwrap();
    let guard_as = GuardAs::Process(program.clone());
    let ports = GatePorts::guarded(&board(Fail::Secure), state.path(), Teller::Technician, &guard_as);
    let mut lane = ports.unwrap().lanes.remove(0);
    let guarded = lane.guarded.unwrap();
    lane.outputs.relay(true).unwrap();
    assert_eq!(lane.outputs.relay_fault(), None);
    std::fs::remove_file(&program).unwrap();
    signal(guard_pid(state.path()), Signal::KILL);
    until("a shut way", || levels(state.path()) == [true, false]);
    until("a standing fault", || lane.outputs.relay_fault().is_some_and(|said| said.contains("`relay` has no guard")));
    assert!(!guarded.load(Ordering::SeqCst), "the service manager hears no sign of life");
    let begun = Instant::now();
    lane.outputs.relay(true).unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    std::fs::write(state.path().join("inputs.txt"), "fire").unwrap();
    until("a way that the alarm opens", || levels(state.path()) == [true, false, true]);
    std::fs::write(state.path().join("inputs.txt"), "").unwrap();
    lane.outputs.relay(false).unwrap_err();
    std::os::unix::fs::symlink(PROGRAM, &program).unwrap();
    until("no fault any more", || lane.outputs.relay_fault().is_none() && guarded.load(Ordering::SeqCst));
    until("a shut way", || levels(state.path()) == [true, false, true, false]);
    lane.outputs.relay(true).unwrap();
}

#[test]
fn a_guard_that_the_alarm_keeps_takes_no_dead_one_for_its_successor_nor_needs_its_file() {
    for unwritable in [false, true] {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("relay-guard.pid");
        if unwritable {
            std::fs::create_dir(&file).unwrap();
        }
        std::fs::write(state.path().join("inputs.txt"), "fire").unwrap();
        let gate = Gate::start(state.path(), "sleep", "secure");
        until("an open way", || levels(state.path()) == [true]);
        if !unwritable {
            guard_pid(state.path());
            let mut dead = Command::new("true").spawn().unwrap();
            dead.wait().unwrap();
            std::fs::write(&file, dead.id().to_string()).unwrap();
        }
        drop(gate);
        std::thread::sleep(Duration::from_millis(100));
        std::fs::write(state.path().join("inputs.txt"), "").unwrap();
        until("a shut way", || levels(state.path()) == [true, false]);
    }
}

#[test]
fn an_access_controller_does_not_wait_for_a_frozen_guard() {
    let state = tempfile::tempdir().unwrap();
    let mut board = board(Fail::Secure);
    let frame = WiegandFrame::W26 { facility: 101, card: 4095 };
    board.outputs.wiegand = Some(Wiegand { frame, d0: 0, d1: 0, inverted: true, pulse_us: 100, gap_us: 2000 });
    let mut outputs = guarded(&board, state.path());
    signal(guard_pid(state.path()), Signal::STOP);
    outputs.relay(true).unwrap();
    let text = std::fs::read_to_string(state.path().join("gpio.jsonl")).unwrap();
    let first = |pin: &str| text.lines().position(|line| line.contains(pin)).unwrap();
    assert!(first("wiegand_d") < first("relay"), "{text}");
}

#[test]
fn a_gate_that_ends_with_a_frozen_guard_shuts_the_way_all_the_same() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    outputs.relay(true).unwrap();
    signal(guard_pid(state.path()), Signal::STOP);
    drop(outputs);
    assert_eq!(levels(state.path()), [true, false]);
}

#[test]
fn a_guard_that_is_told_to_end_by_others_than_its_gate_does_not() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    outputs.relay(true).unwrap();
    let pid = guard_pid(state.path());
    for number in [Signal::TERM, Signal::INT, Signal::HUP] {
        signal(pid, number);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(levels(state.path()), [true]);
    outputs.relay(false).unwrap();
    assert_eq!(guard_pid(state.path()), pid);
}

#[test]
fn a_lock_that_must_be_open_without_power_is_shut_by_power_and_open_when_the_gate_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let gate = Gate::start(state.path(), "sleep", "safe");
    // Power at rest, none while somebody passes, power again at the maximum although nobody asked for it.
    until("a shut way", || levels(state.path()) == [true, false, true]);
    let [_, (opened_ms, _), (shut_ms, _)] = edges(state.path())[..] else { panic!("three edges") };
    assert!(shut_ms - opened_ms <= u64::from(MAX_MS) + ROOM_MS);
    gate.signal(Signal::KILL);
    until("an open way", || levels(state.path()) == [true, false, true, false]);
}

#[test]
fn the_fire_alarm_holds_the_way_open_beyond_the_maximum_and_shuts_it_when_it_ends() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    std::fs::write(state.path().join("inputs.txt"), "fire").unwrap();
    until("an open way", || levels(state.path()) == [true]);
    outputs.relay(true).unwrap();
    outputs.relay(false).unwrap();
    // A frozen guard does not end it either.
    signal(guard_pid(state.path()), Signal::STOP);
    outputs.relay(true).unwrap();
    std::thread::sleep(Duration::from_millis(2 * u64::from(MAX_MS)));
    assert_eq!(levels(state.path()), [true]);
    std::fs::write(state.path().join("inputs.txt"), "").unwrap();
    until("a shut way", || levels(state.path()) == [true, false]);
}

#[test]
fn a_gate_that_is_killed_during_the_alarm_leaves_the_way_open_until_it_ends() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join("inputs.txt"), "fire").unwrap();
    let gate = Gate::start(state.path(), "sleep", "secure");
    until("an open way", || levels(state.path()) == [true]);
    drop(gate);
    std::thread::sleep(Duration::from_millis(2 * u64::from(MAX_MS)));
    assert_eq!(levels(state.path()), [true], "its guard stays");
    let first = guard_pid(state.path());
    let outputs = guarded(&board(Fail::Secure), state.path());
    until("the first guard is gone", || kill_process(first, Signal::CONT).is_err() || is_in_state(first, 'Z'));
    assert_eq!(levels(state.path()), [true], "and leaves the pin to that of the next gate");
    std::fs::write(state.path().join("inputs.txt"), "").unwrap();
    until("a shut way", || levels(state.path()) == [true, false]);
    drop(outputs);
    assert_eq!(levels(state.path()), [true, false]);
}

/// Whether a process is stopped (`T`), or has ended and nobody has asked for it (`Z`).
fn is_in_state(pid: Pid, state: char) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(state))
}

#[test]
fn a_guard_that_is_stopped_when_its_gate_is_killed_is_woken_by_the_system_and_shuts_the_way() {
    let state = tempfile::tempdir().unwrap();
    let gate = Gate::start(state.path(), "sleep", "secure");
    until("an open way", || levels(state.path()) == [true]);
    let guard = guard_pid(state.path());
    signal(guard, Signal::STOP);
    // The signal is on its way at first, and who is not stopped yet is not woken either.
    until("a stopped guard", || is_in_state(guard, 'T'));
    drop(gate);
    until("a shut way", || levels(state.path()) == [true, false]);
    never_longer_than_the_maximum(state.path());
}

#[test]
fn what_was_killed_together_with_its_guard_is_put_to_rest_by_a_command() {
    let state = tempfile::tempdir().unwrap();
    let gate = Gate::start(state.path(), "sleep", "secure");
    until("an open way", || levels(state.path()) == [true]);
    // Stopped first, so that it does not see its guard's end.
    gate.signal(Signal::STOP);
    signal(guard_pid(state.path()), Signal::KILL);
    drop(gate);
    std::thread::sleep(Duration::from_millis(2 * u64::from(MAX_MS)));
    assert_eq!(levels(state.path()), [true], "nobody is left");
    let lit =
        "{\"t_ms\":7,\"pin\":\"lamp_admit\",\"level\":\"high\"}\n{\"t_ms\":7,\"pin\":\"buzzer\",\"level\":\"high\"}\n";
    let trace = state.path().join("gpio.jsonl");
    std::fs::write(&trace, std::fs::read_to_string(&trace).unwrap() + lit).unwrap();
    let sim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    let rest = ["relay-rest", "--board", sim.to_str().unwrap(), "--state", state.path().to_str().unwrap()];
    assert!(Command::new(PROGRAM).args(rest).status().unwrap().success());
    assert_eq!(levels(state.path()), [true, false]);
    let text = std::fs::read_to_string(&trace).unwrap();
    for pin in ["lamp_admit", "buzzer"] {
        assert!(text.lines().rfind(|line| line.contains(pin)).unwrap().contains("low"), "{text}");
    }
}

#[test]
fn an_active_low_relay_is_guarded_by_its_level() {
    let state = tempfile::tempdir().unwrap();
    let mut board = board(Fail::Secure);
    board.outputs.wiring = Wiring::Trace { path: "gpio.jsonl".into(), active_low: vec![Function::Relay] };
    let mut outputs = guarded(&board, state.path());
    outputs.relay(true).unwrap();
    assert_eq!(levels(state.path()), [false]);
    until("a shut way", || levels(state.path()) == [false, true]);
}

#[test]
fn a_thread_keeps_the_maximum_where_there_is_no_program_to_do_it() {
    let state = tempfile::tempdir().unwrap();
    let mut outputs =
        GatePorts::of(&board(Fail::Secure), state.path(), Teller::Technician).unwrap().lanes.remove(0).outputs;
    outputs.relay(true).unwrap();
    until("a shut way", || levels(state.path()) == [true, false]);
    never_longer_than_the_maximum(state.path());
    outputs.relay(true).unwrap();
    until("an open way, once the lock had its moment", || levels(state.path()) == [true, false, true]);
    drop(outputs);
    assert_eq!(levels(state.path()), [true, false, true, false]);
}

#[test]
fn whatever_comes_in_whatever_order_no_opening_is_longer_than_the_maximum() {
    let seed = std::env::var("MENSHEN_SEED").map_or(0x6d65_6e73, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut random: u64 = seed;
    let mut below = |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let state = tempfile::tempdir().unwrap();
    let mut outputs = guarded(&board(Fail::Secure), state.path());
    for _ in 0..40 {
        match below(6) {
            0 | 1 => outputs.relay(true).unwrap(),
            2 => outputs.relay(false).unwrap(),
            // The one in charge may be gone already and the next not be there yet.
            3 => drop(kill_process(guard_pid(state.path()), Signal::KILL)),
            4 => drop(kill_process(guard_pid(state.path()), Signal::STOP)),
            _ => std::thread::sleep(Duration::from_millis(below(u64::from(MAX_MS) * 3 / 2))),
        }
        std::thread::sleep(Duration::from_millis(below(200)));
    }
    drop(outputs);
    never_longer_than_the_maximum(state.path());
}

#[test]
fn what_starts_no_gate_is_told_in_one_sentence() {
    let told = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = told(&["relay-guard", "{}"]);
    assert!(said.contains("started by the gate itself") && said.trim_end().lines().count() == 1, "{said}");
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(!help.contains("relay-guard") && help.contains("relay-rest"), "{help}");
}
