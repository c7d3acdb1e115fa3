//! What is missing, wrong or in use when a gate starts or stops: it does its job as well as it can, and says what is
//! wrong in one sentence; it does not start only where it could not be a gate.

use menshen_lane::run::Device;
use menshen_tests::faults::ledger::relay_edges;
use menshen_tests::faults::process::{Ended, Program, get};
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, Pass, World};
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_state_folder_that_is_a_file_ends_the_start_with_one_sentence() {
    let world = World::new();
    fs::remove_dir_all(world.state()).expect("the folder is ours");
    world.write("state", "not a folder");
    refused(&world, &["state"]);
}

#[test]
fn a_state_folder_that_can_not_be_written_ends_the_start_with_one_sentence() {
    let world = World::new();
    // Nobody, not even root, can make a folder there.
    let files = [world.board_file(), world.site_file()];
    let output = Command::new(env!("CARGO_BIN_EXE_fault-gate"))
        .args(["--board".as_ref(), files[0].as_os_str(), "--site".as_ref(), files[1].as_os_str()])
        .args(["--state", "/proc/menshen"])
        .output()
        .expect("cargo has built it");
    assert_eq!(output.status.code(), Some(2));
    one_sentence(&String::from_utf8_lossy(&output.stderr), &["/proc/menshen"]);
}

#[test]
fn a_missing_site_file_ends_the_start_with_its_name() {
    let world = World::new();
    fs::remove_file(world.site_file()).expect("the folder is ours");
    refused(&world, &["site.toml"]);
}

#[test]
fn a_typo_in_the_board_file_ends_the_start_with_file_line_and_key() {
    let world = World::new();
    world.board("[outputs]\nrelays = 17\n");
    let lines = fs::read_to_string(world.board_file()).expect("it was just written");
    let line = lines.lines().position(|line| line.starts_with("relays")).expect("it was just written") + 1;
    refused(&world, &["fault.toml", "relays", &line.to_string()]);
}

#[test]
fn a_gate_without_a_trust_list_runs_refers_and_says_so_on_the_panel() {
    let mut world = World::new();
    fs::rename(world.path("trust"), world.path("elsewhere")).expect("the folder is ours");
    let gate = Watched::start(&world).expect("a gate runs without trust");
    fs::rename(world.path("elsewhere"), world.path("trust")).expect("the folder is ours");
    world.show(GREEN);
    assert_eq!(refers(&gate), "trust_missing");
    let state = get(gate.panel().expect("its board has a panel"), "/state");
    assert!(state["bar"]["trust"].is_null(), "{state}");
    assert_eq!(state["screen"]["decision"]["reasons"][0]["name"], "trust_missing");
    assert!(!relay_edges(&world).contains(&true));
    let told = state["bar"]["trust_fault"].as_str().expect("it says why");
    assert!(told.contains("root.json") && told.contains("start the gate again"), "{told}");
    assert_eq!(state["bar"]["takes_new"], false);
}

#[test]
fn a_gate_with_another_anchor_than_its_site_names_says_so_and_that_no_stick_helps() {
    let mut world = World::new();
    let site = fs::read_to_string(world.site_file()).expect("it was written");
    let anchor = format!("lane = 1\nanchor = \"{}\"", "0".repeat(64));
    fs::write(world.site_file(), site.replace("lane = 1", &anchor)).expect("the folder is ours");
    let gate = Watched::start(&world).expect("a gate runs without trust");
    world.show(GREEN);
    assert_eq!(refers(&gate), "trust_missing");
    let bar = &get(gate.panel().expect("its board has a panel"), "/state")["bar"];
    let told = bar["trust_fault"].as_str().expect("it says why");
    for part in ["root.json", "not the trust anchor", "`anchor` in the site file", "start the gate again", "no stick"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!((&bar["trust"], &bar["takes_new"]), (&serde_json::Value::Null, &false.into()));
}

#[test]
fn a_gate_whose_thermometer_is_not_there_refers_without_a_reading_and_names_the_port() {
    let mut world = World::new();
    world.site("reading_window_ms = 500\n");
    world.board("[thermometer]\nkind = \"serial\"\nport = \"/dev/no-such-thermometer\"\n");
    let gate = Watched::start(&world).expect("a gate runs without a thermometer");
    world.show(GREEN);
    assert_eq!(refers(&gate), "no_reading");
    let told = gate.device("the thermometer's fault", |device: &Device| device.faults.thermometer.clone());
    assert!(told.contains("/dev/no-such-thermometer"), "{told}");
    let state = get(gate.panel().expect("its board has a panel"), "/state");
    assert_eq!(state["bar"]["thermometer"]["ok"], false);
}

#[test]
fn a_camera_folder_that_appears_later_is_used_without_a_restart() {
    let mut world = World::new();
    fs::remove_dir_all(world.camera()).expect("the folder is ours");
    let gate = Watched::start(&world).expect("a gate runs without a camera");
    let told = gate.device("the camera's fault", |device: &Device| device.faults.camera.clone());
    assert!(told.contains("camera"), "{told}");
    fs::create_dir(world.camera()).expect("the folder is ours");
    world.show(GREEN);
    assert_eq!(gate.verdict(1).verdict, "admit");
    gate.device("no fault of the camera", |device: &Device| device.faults.camera.is_none().then_some(()));
}

#[test]
fn a_gate_whose_panel_address_is_taken_runs_on_and_names_the_address() {
    let mut world = World::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("the machine has a free port");
    let addr = taken.local_addr().expect("a bound socket has an address");
    world.board(&format!("[panel]\nlisten = \"{addr}\"\n"));
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("a gate runs without a panel");
    assert_eq!(gate.addr(), None);
    world.show(GREEN);
    until("an open gate", PATIENCE, || relay_edges(&world).contains(&true).then_some(()));
    let log = gate.log();
    assert!(log.contains(&addr.to_string()) && !log.contains("panicked"), "{log}");
    assert!(gate.terminate().success());
}

#[test]
fn a_clock_that_fell_back_refers_whom_it_can_not_date_and_refuses_what_expired_in_any_case() {
    let mut world = World::new();
    // The gate has lived through a moment two hours from now, so the system's clock is wrong.
    world.write("state/time-floor", format!("{}\n", menshen::moment::now() + 2 * 3600));
    let gate = Watched::start(&world).expect("a gate runs with a wrong clock");
    world.show(Pass { valid: "30d", ..GREEN });
    assert_eq!(refers(&gate), "clock_untrusted");
    world.show(Pass { valid: "1h", ..GREEN });
    let expired = gate.verdict(2);
    assert_eq!((expired.verdict, expired.reasons[0].name), ("refuse", "expired"));
    let state = get(gate.panel().expect("its board has a panel"), "/state");
    assert_eq!(state["bar"]["clock"]["confidence"], "floor");
    assert!(!relay_edges(&world).contains(&true));
}

#[test]
fn a_gate_that_is_stopped_while_the_relay_is_closed_opens_it() {
    let mut world = World::new();
    world.board("[outputs]\nrelay_max_ms = 30000\n");
    world.site("relay_pulse_ms = 29750\nthermometry = \"off\"\n");
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts");
    world.show(GREEN);
    until("a closed relay", PATIENCE, || relay_edges(&world).contains(&true).then_some(()));
    assert_eq!(relay_edges(&world), [true]);
    assert!(gate.terminate().success());
    assert_eq!(relay_edges(&world), [true, false]);
}

/// The first reason of the first verdict, which must be a referral.
fn refers(gate: &Watched) -> &'static str {
    let verdict = gate.verdict(1);
    assert_eq!(verdict.verdict, "refer", "{verdict:?}");
    verdict.reasons[0].name
}

/// The program must not start, and must name all of this in one sentence.
fn refused(world: &World, named: &[&str]) {
    match Program::gate(env!("CARGO_BIN_EXE_fault-gate"), world) {
        Ok(_) => panic!("it started"),
        Err(Ended { status, log }) => {
            assert_eq!(status.code(), Some(2), "{log}");
            one_sentence(&log, named);
        }
    }
}

fn one_sentence(log: &str, named: &[&str]) {
    println!("{log}");
    assert!(!log.contains("panicked") && log.contains("menshen-gate: "), "{log}");
    assert!(log.trim_end().lines().count() == 1, "{log}");
    named.iter().for_each(|name| assert!(log.contains(name), "{name} in {log}"));
}
