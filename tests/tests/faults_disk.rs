//! A disk that is full or that rots: the gate admits nobody whom it can not record, never stays down, and says so.

use menshen_tests::faults::ledger::{Ledger, copy_journal, hub_keys, relay_edges};
use menshen_tests::faults::process::{Program, get};
use menshen_tests::faults::random::Random;
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, World};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const SEED: u64 = 0x726f_7474;
/// Gates side by side, and how many rotten journals each gets.
const GATES: u64 = 3;
const ROTTEN: u64 = 8;
/// How many times the disk is full.
const FULL: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_journal_with_garbage_in_it_never_keeps_a_gate_from_scanning_and_syncing() {
    let begun = Instant::now();
    let seeds = |gate| SEED + gate * ROTTEN..SEED + (gate + 1) * ROTTEN;
    let gates: Vec<_> = (0..GATES).map(|gate| thread::spawn(move || rot_and_start(seeds(gate)))).collect();
    gates.into_iter().for_each(|gate| gate.join().expect("the thread's own message is above"));
    println!("{} rotten journals, {:.0} s", GATES * ROTTEN, begun.elapsed().as_secs_f32());
}

fn rot_and_start(seeds: Range<u64>) {
    let mut world = World::new();
    let kept = tempfile::tempdir().expect("a temporary folder can be made");
    let before = synced_and_more(&mut world, kept.path());
    for seed in seeds {
        fs::remove_dir_all(world.state().join("journal")).expect("the folder is ours");
        copy_journal(kept.path(), &world.state());
        fs::copy(kept.path().join("hub.sqlite"), world.path("hub.sqlite")).expect("the folder is ours");
        let what = rot(&world.state().join("journal"), &mut Random::new(seed));
        let hub = world.start_hub();
        let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts");
        let panel = gate.addr().expect("its board has a panel");
        let state = until(&format!("a drained gate; seed {seed:#x}, {what}\n{}", gate.log()), PATIENCE, || {
            let state = get(panel, "/state");
            let drained = state["bar"]["backlog"] == 0 && state["bar"]["hub"]["ok"] == true;
            // The bar is told anew twice a second: a backlog of nothing must be newer than the verdict.
            let decided = state["screen"]["kind"] == "verdict" && state["screen"]["age_ms"].as_u64() > Some(1000);
            (drained && decided).then_some(state)
        });
        assert_eq!(state["screen"]["decision"]["verdict"], "admit", "seed {seed:#x}: {what}");
        assert!(gate.terminate().success());
        let now = Ledger::of(&world);
        let (journal, held): (BTreeSet<_>, BTreeSet<_>) =
            (now.keys.iter().collect(), hub_keys(world.hub_addr(), &world).into_iter().collect());
        assert!(journal.iter().all(|key| held.contains(*key)), "seed {seed:#x}: {what}: all that is left has arrived");
        let lost = before.keys.iter().filter(|key| !journal.contains(key)).count();
        let told = now.verdicts.contains(&None);
        assert!(lost == 0 || told, "seed {seed:#x}: {what}: {lost} records are missing and no loss record says so");
        let epochs: BTreeSet<_> = now.keys.iter().map(|(epoch, ..)| epoch).collect();
        println!("seed {seed:#x}: {what}: {lost} of {} records lost, epochs {epochs:?}", before.keys.len());
        drop(hub);
    }
}

/// A gate whose hub has some of its records and not yet the newest; gives what its journal holds.
fn synced_and_more(world: &mut World, kept: &Path) -> Ledger {
    world.fill_journal(400);
    {
        let _hub = world.start_hub();
        let gate = Watched::start(world).expect("it starts");
        gate.device("an empty backlog", |device| (device.journal.backlog == 0).then_some(()));
        gate.stop();
    }
    world.fill_journal(100);
    world.show(GREEN);
    copy_journal(&world.state(), kept);
    fs::copy(world.path("hub.sqlite"), kept.join("hub.sqlite")).expect("the folder is ours");
    Ledger::of(world)
}

/// Does some harm to the files of a journal, and says which.
fn rot(journal: &Path, random: &mut Random) -> String {
    let file = match random.within(0..8) {
        0 => "conf".to_owned(),
        1 => snapshot(journal).unwrap_or("db".into()),
        _ => "db".to_owned(),
    };
    let path = journal.join(&file);
    let mut bytes = fs::read(&path).expect("the folder is ours");
    // A new log is mostly empty; harm to what is not used yet would prove nothing.
    let size = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last as u64 + 1);
    let what = match random.within(0..5) {
        0 => {
            let length = random.within(0..size);
            bytes.truncate(length as usize);
            format!("cut to {length} of {size} bytes")
        }
        1 => {
            let at = random.within(0..size) as usize;
            bytes[at] ^= 1 << random.within(0..8);
            format!("a bit at {at}")
        }
        kind => {
            let at = random.within(0..size) as usize;
            let end = bytes.len().min(at + random.within(1..8192) as usize);
            bytes[at..end].iter_mut().for_each(|byte| *byte = if kind == 2 { 0 } else { random.within(0..256) as u8 });
            format!("{} at {at}..{end}", if kind == 2 { "zeros" } else { "garbage" })
        }
    };
    fs::write(&path, bytes).expect("the folder is ours");
    format!("{file}: {what}")
}

fn snapshot(journal: &Path) -> Option<String> {
    let names = fs::read_dir(journal).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with("snap.")).max()
}

#[test]
fn a_gate_that_can_not_write_its_journal_refers_everybody_and_its_relay_stays_open() {
    let mut world = World::new();
    world.site("relay_pulse_ms = 300\nthermometry = \"off\"\n");
    let _hub = world.start_hub();
    world.fill_journal(50);
    (0..8).for_each(|_| {
        world.show(GREEN);
    });
    let mut random = Random::new(SEED);
    for _ in 0..FULL {
        let before = Ledger::of(&world);
        let closed_before = closings(&world);
        // The disk is full at once, or after one or two people.
        let limit = used(&world.state().join("journal/db")) + random.within(0..400);
        let gate = Program::victim(env!("CARGO_BIN_EXE_victim"), &world, &["limit", &limit.to_string()]);
        let refusals = journal_failures(gate.addr().expect("its board has a panel"));
        let last = closings(&world);
        let log = gate.log();
        assert!(gate.terminate().success(), "{log}");
        assert!(!log.contains("panicked"), "{log}");
        let now = Ledger::of(&world);
        let (admits, closed) = (now.admits() - before.admits(), closings(&world) - closed_before);
        println!("seed {SEED:#x}, limit {limit}: {admits} admitted, {closed} closings, then referred: {refusals}");
        assert!(closed <= admits, "a relay closed without its record");
        assert_eq!(closings(&world), last, "and it stayed open after the first failure");
        assert!(now.keys.starts_with(&before.keys), "what was in the journal is still there");
    }
    all_arrives(&mut world);
}

/// Waits for three verdicts in a row that say that the journal fails; gives what the panel says of it.
fn journal_failures(panel: SocketAddr) -> String {
    let mut failed = 0;
    let mut seen = 0;
    until("three verdicts without a record", PATIENCE, || {
        let state = get(panel, "/state");
        let screen = &state["screen"];
        if screen["kind"] == "verdict" && screen["number"].as_u64() > Some(seen) {
            seen = screen["number"].as_u64().unwrap_or_default();
            let failing = screen["decision"]["reasons"].to_string().contains("journal_failing");
            assert!(failing || failed == 0, "the disk is still full: {screen}");
            assert_eq!(screen["decision"]["verdict"], if failing { "refer" } else { "admit" }, "{screen}");
            failed += u32::from(failing);
        }
        let told = state["bar"]["journal"]["message"].as_str().map(String::from);
        told.filter(|_| failed >= 3)
    })
}

/// With room again the gate admits again, and the hub gets everything.
fn all_arrives(world: &mut World) {
    let gate = Watched::start(world).expect("it starts");
    assert_eq!(gate.verdict(1).verdict, "admit");
    world.clear_camera();
    gate.device("an empty backlog", |device| (device.journal.backlog == 0).then_some(()));
    gate.stop();
    // A decision that was being made may have come after the last look at the backlog.
    let gate = Watched::start(world).expect("it starts");
    gate.device("an empty backlog", |device| (device.journal.backlog == 0).then_some(()));
    gate.stop();
    let ledger = Ledger::of(world);
    assert_eq!(hub_keys(world.hub_addr(), world), ledger.keys);
}

fn closings(world: &World) -> usize {
    relay_edges(world).into_iter().filter(|closed| *closed).count()
}

/// How much of a file that is mostly empty is used, in bytes.
fn used(file: &Path) -> u64 {
    let bytes = fs::read(file).expect("the folder is ours");
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}
