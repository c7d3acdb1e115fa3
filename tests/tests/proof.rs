//! A whole gate that proves itself before the shift: on its panel, beside people who come, and with one thing broken.

use menshen_core::record::{Body, Record, Tried};
use menshen_gate::sim::Rs485Line;
use menshen_lane::journal::Inspection;
use menshen_tests::faults::ledger::relay_edges;
use menshen_tests::faults::process::{Program, get};
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, World};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// The status of an answer to something that is sent as the gate's own page sends it.
fn post(panel: SocketAddr, path: &str, body: &Value) -> u16 {
    let mut stream = TcpStream::connect(panel).expect("the panel listens");
    let act = get(panel, "/session")["act"].as_str().expect("it has no PIN").to_owned();
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {panel}\r\nOrigin: http://{panel}\r\nX-Menshen-Act: {act}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("the panel reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the panel answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it speaks HTTP")
}

/// The card that a proof ends with.
fn card_of(panel: SocketAddr, number: u64) -> Value {
    until("the proof is over", PATIENCE, || {
        let progress = get(panel, "/proof.json");
        let card = progress["proof"].clone();
        (progress["running"] == false && card["number"] == number).then_some(card)
    })
}

/// Starts the gate of a world, lets it prove itself and stops it.
fn proved(world: &World) -> Value {
    let gate = Watched::start(world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    let card = card_of(panel, 1);
    gate.stop();
    card
}

/// What keeps the shift from beginning, as `name code`.
fn failed(card: &Value) -> Vec<String> {
    let checks = card["checks"].as_array().expect("there are some").iter();
    let failed: Vec<String> = checks
        .filter(|check| check["state"] == "failed")
        .map(|check| format!("{} {}", check["name"].as_str().unwrap_or(""), check["code"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(card["ready"], failed.is_empty(), "{card:#}");
    failed
}

fn code_of<'a>(card: &'a Value, name: &str) -> &'a str {
    let mut checks = card["checks"].as_array().expect("there are some").iter();
    checks.find(|check| check["name"] == name).and_then(|check| check["code"].as_str()).expect("it was looked at")
}

fn bodies(world: &World) -> Vec<Body> {
    let mut found = Vec::new();
    let journal = Inspection::open(&world.state()).expect("the gate has stopped");
    let each = |_, _, bytes: &[u8]| {
        found.push(Record::from_bytes(bytes).expect("it verifies").body);
        true
    };
    journal.for_each(each).expect("it reads");
    found
}

#[test]
fn a_gate_that_is_well_proves_it_and_leaves_its_journal_and_its_relay_as_they_were() {
    let world = World::new();
    let card = proved(&world);
    assert!(failed(&card).is_empty(), "{card:#}");
    let codes =
        ["code_good", "code_yellow", "code_warm", "code_expired", "code_forged", "code_revoked", "code_unknown"];
    assert!(codes.iter().all(|code| code_of(&card, code) == "ok"), "{card:#}");
    assert_eq!([code_of(&card, "order"), code_of(&card, "camera"), code_of(&card, "key")], ["ok", "still", "ok"]);
    assert!(bodies(&world).is_empty() && relay_edges(&world).is_empty(), "nobody came");
    assert!(!world.state().join("proof-work").exists(), "what it worked in is gone");
    let kept = fs::read_to_string(world.state().join("proofs/000001.json")).expect("the card is kept");
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON"), card);
}

#[test]
fn whoever_comes_during_a_proof_is_served_as_ever() {
    let mut world = World::new();
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    world.show(GREEN);
    assert_eq!(gate.verdict(1).verdict, "admit");
    assert!(failed(&card_of(panel, 1)).is_empty());
    gate.stop();
    assert!(matches!(bodies(&world).as_slice(), [Body::Scan(_)]), "one person came");
    assert_eq!(relay_edges(&world), [true, false]);
}

#[test]
fn an_output_moves_on_request_the_relay_with_a_record_and_what_was_seen_of_it_is_on_the_card() {
    let world = World::new();
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    let output = |which: &str| post(panel, "/proof/output", &json!({ "which": which }));
    let answer = |which: &str, yes: bool| post(panel, "/proof/answer", &json!({ "which": which, "yes": yes }));
    assert_eq!(output("way"), 409, "there is no card to note it on");
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    let card = card_of(panel, 1);
    assert_eq!([code_of(&card, "lamp_admit"), code_of(&card, "way")], ["untried"; 2]);
    let looked_at = card["checks"].as_array().expect("there are some").iter().filter(|check| check["state"] != "asked");
    assert_eq!(get(panel, "/proof.json")["of"], looked_at.count(), "as many as the page says that there will be");
    assert_eq!([output("lamp_admit"), answer("lamp_admit", true), output("way"), answer("way", false)], [202; 4]);
    let card = get(panel, "/proof.json")["proof"].clone();
    assert_eq!((code_of(&card, "lamp_admit"), failed(&card)), ("ok", vec!["way no".to_owned()]));
    assert_eq!(get(panel, "/proofs.json")[0], card, "it is kept so");
    until("the pulse is over", PATIENCE, || (relay_edges(&world) == [true, false]).then_some(()));
    gate.stop();
    assert_eq!(bodies(&world), [Body::Tried(Tried::Relay)]);
    let trace = fs::read_to_string(world.state().join("gpio.jsonl")).expect("something moved");
    assert!(trace.contains("lamp_admit"), "{trace}");
}

#[test]
fn a_loudspeaker_that_fails_when_it_is_tried_is_on_the_card_though_nobody_says_so() {
    let world = World::new();
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    assert_eq!(code_of(&card_of(panel, 1), "voice"), "untried");
    let voice = || post(panel, "/proof/output", &json!({ "which": "voice" }));
    assert_eq!(voice(), 202);
    assert_eq!(code_of(&get(panel, "/proof.json")["proof"], "voice"), "waits");
    fs::remove_dir_all(world.state().join("sound")).expect("the folder is ours");
    assert_eq!(voice(), 503);
    assert_eq!(failed(&get(panel, "/proof.json")["proof"]), ["voice no"]);
    gate.stop();
}

#[test]
fn where_nobody_is_let_in_by_hand_nobody_opens_the_way_by_a_trial() {
    let world = World::new();
    world.site("thermometry = \"off\"\nmanual = \"never\"\n");
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    assert_eq!(code_of(&card_of(panel, 1), "way"), "barred");
    assert_eq!(post(panel, "/proof/output", &json!({ "which": "way" })), 403);
    assert_eq!(post(panel, "/proof/answer", &json!({ "which": "way", "yes": true })), 409, "nobody has seen it");
    gate.stop();
    assert!(relay_edges(&world).is_empty() && bodies(&world).is_empty());
}

#[test]
fn a_camera_that_is_gone_is_why_the_gate_is_not_ready() {
    let world = World::new();
    fs::remove_dir_all(world.camera()).expect("the folder is ours");
    assert_eq!(failed(&proved(&world)), ["camera failed"]);
}

#[test]
fn a_screen_of_its_own_that_stays_dark_is_why_and_a_loudspeaker_that_is_mute_wants_attention() {
    let world = World::new();
    world.board("[display]\nkind = \"framebuffer\"\ndevice = \"no-such-screen\"\n[sound]\nkind = \"recorded\"\nfolder = \"in-the-way/sounds\"\n");
    fs::write(world.state().join("in-the-way"), "").expect("the folder is ours");
    let card = proved(&world);
    assert_eq!(failed(&card), ["display failed"]);
    assert_eq!(code_of(&card, "speaker"), "failed");
}

#[test]
fn a_controller_that_never_asks_is_told_also_by_a_gate_that_has_just_started() {
    let world = World::new();
    let line = Rs485Line::lay(world.path("line"), world.path("far")).expect("there are terminals");
    let line = line.gate().display();
    world.board(&format!("[outputs.osdp]\nport = \"{line}\"\nsecure = false\nformat = 26\nfacility = 1\ncard = 1\n"));
    let card = proved(&world);
    assert_eq!(code_of(&card, "controller"), "failed");
    assert!(failed(&card).is_empty(), "the relay opens the way as well: {card:#}");
}

#[test]
fn a_thermometer_that_is_silent_is_why_where_temperatures_are_taken() {
    let world = World::new();
    world.site("");
    fs::write(world.state().join("thermometer.txt"), "none").expect("the folder is ours");
    assert_eq!(failed(&proved(&world)), ["thermometer silent"]);
    let world = World::new();
    world.site("");
    fs::write(world.state().join("thermometer.txt"), "36.4").expect("the folder is ours");
    assert!(failed(&proved(&world)).is_empty());
}

#[test]
fn a_clock_that_nobody_vouches_for_is_why() {
    let world = World::new();
    world.board("[clock]\nsource = \"synchronised\"\n");
    assert_eq!(failed(&proved(&world)), ["clock unsure"]);
}

#[test]
fn a_gate_that_believes_nothing_says_so() {
    let world = World::new();
    fs::remove_dir_all(world.path("trust")).expect("the folder is ours");
    assert_eq!(failed(&proved(&world)), ["trust missing", "key none"]);
}

/// A small disk for a gate's state. Mounting needs root, and a system that lets it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn at(folder: &Path) -> Option<SmallDisk> {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=96m,mode=0700", "tmpfs"]).arg(folder).status();
        mounted.is_ok_and(|status| status.success()).then(|| SmallDisk(folder.to_owned()))
    }

    /// Fills it up to so many bytes.
    fn fill(&self, left_bytes: u64) {
        let stat = statvfs(&self.0).expect("it is mounted");
        let file = File::create(self.0.join("filler")).expect("there is room");
        let filler = fallocate(&file, FallocateFlags::empty(), 0, stat.f_bavail * stat.f_frsize - left_bytes);
        filler.expect("there is so much room");
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("filler")).expect("it is ours");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still open there goes when it is closed.
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_is_why_whether_or_not_the_card_of_it_still_fits_and_the_next_proof_says_so_at_once() {
    let world = World::new();
    let Some(disk) = SmallDisk::at(&world.state()) else {
        println!("SKIPPED: nothing can be mounted here, so no disk was full");
        return;
    };
    fs::create_dir_all(world.camera()).expect("the disk is ours");
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = gate.panel().expect("it has one");
    for (number, left_bytes, is_kept) in [(1, 1 << 20, true), (2, 0, false), (3, 0, false)] {
        disk.fill(left_bytes);
        assert_eq!(post(panel, "/proof/start", &json!({})), 202);
        let card = card_of(panel, number);
        assert_eq!(failed(&card), ["disk full"], "{card:#}");
        assert_eq!(code_of(&card, "code_good"), "untried");
        assert_eq!(get(panel, "/proof.json")["not_kept"].is_null(), is_kept, "{number}");
        disk.empty();
    }
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    assert!(failed(&card_of(panel, 4)).is_empty(), "as soon as there is room");
    gate.stop();
}

#[test]
fn a_guard_that_is_killed_during_a_proof_is_replaced_and_neither_the_proof_nor_the_relay_stays_behind() {
    let world = World::new();
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts");
    let panel = gate.addr().expect("its board has a panel");
    let guard = || fs::read_to_string(world.state().join("relay-guard.pid")).ok()?.trim().parse::<i32>().ok();
    let first = until("a guard", PATIENCE, guard);
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    kill_process(Pid::from_raw(first).expect("it is a number"), Signal::KILL).expect("it is the gate's");
    let told = failed(&card_of(panel, 1));
    assert!(told.is_empty() || told == ["relay failed"], "{told:?}");
    until("another guard", PATIENCE, || guard().filter(|another| *another != first));
    assert_eq!(post(panel, "/proof/start", &json!({})), 202);
    assert!(failed(&card_of(panel, 2)).is_empty());
    assert!(gate.terminate().success());
    assert!(!relay_edges(&world).contains(&true), "nothing opened the way");
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_the_codes_were_not_tried() {
    let world = World::new();
    // What stands where the proof works keeps even root from making its folder.
    fs::write(world.state().join("proof-work"), "in the way").expect("the folder is ours");
    let card = proved(&world);
    assert_eq!(failed(&card), ["disk unwritable"]);
    assert_eq!([code_of(&card, "code_good"), code_of(&card, "order")], ["untried"; 2]);
}
