//! Whatever becomes of the hub or the way to it, no record is lost and nobody waits at the gate.

use menshen_lane::probe::{Probe, Step};
use menshen_lane::run::Device;
use menshen_tests::faults::ledger::{Ledger, hub_keys};
use menshen_tests::faults::nonsense::{Answer, Nonsense};
use menshen_tests::faults::process::Program;
use menshen_tests::faults::random::Random;
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, SHOW_MS, World};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The kills of a hub in the middle of ingest.
const KILLS: u64 = 12;
/// The records that wait for it: more than one batch.
const BACKLOG: u64 = 2600;
const SEED: u64 = 0x6875_6273;

#[test]
fn a_hub_that_is_killed_in_the_middle_of_ingest_holds_every_record_once_in_the_end() {
    let mut world = World::new();
    world.fill_journal(BACKLOG);
    world.show(GREEN);
    let mut random = Random::new(SEED);
    let (took, batches) = channel();
    let took = Mutex::new(took);
    let probe = Probe::new(move |step| {
        // The test may have ended already.
        drop(took.lock().map(|took| took.send(step)));
    });
    let mut hub = Some(start_hub(&world));
    let gate = Watched::start_with(&world, probe).expect("it starts");
    let (mut kills, mut unanswered) = (0, 0);
    while kills < KILLS {
        // While nothing is on its way somebody comes, so that something is.
        match batches.recv_timeout(Duration::from_millis(1500)) {
            Ok(Step::BatchTaken) => {}
            Ok(_) => continue,
            Err(RecvTimeoutError::Timeout) => {
                world.show(GREEN);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the gate ended by itself"),
        }
        let after_us = random.within(0..8_000);
        thread::sleep(Duration::from_micros(after_us));
        hub.take().expect("it runs").kill();
        let answered = batches.try_iter().any(|step| step == Step::BatchSent);
        unanswered += u64::from(!answered);
        println!("seed {SEED:#x} kill {kills}: {after_us} µs after a batch was taken, answered: {answered}");
        kills += 1;
        hub = Some(start_hub(&world));
    }
    gate.device("an empty backlog", |device| (device.journal.backlog == 0).then_some(()));
    gate.stop();
    let ledger = Ledger::of(&world);
    println!("{kills} kills, {unanswered} before the answer, {} records", ledger.keys.len());
    assert!(ledger.keys.len() > BACKLOG as usize, "people came meanwhile");
    assert_eq!(hub_keys(world.hub_addr(), &world), ledger.keys);
}

#[test]
fn nonsense_instead_of_a_hub_is_told_in_a_sentence_loses_nothing_and_holds_nobody_up() {
    let faults = [
        Answer::Html,
        Answer::ServerError,
        Answer::Garbage,
        Answer::NotHttp,
        Answer::Reset,
        Answer::Endless,
        Answer::NotFound,
    ];
    let (mut world, line, _hub) = behind_a_line(Answer::Html);
    let gate = Watched::start(&world).expect("it starts");
    let mut last_told = String::new();
    for (number, fault) in faults.into_iter().enumerate() {
        line.answer(fault);
        let waited = decide_one(&mut world, &gate, number + 1);
        // No two neighbours of the list are told alike.
        let told = gate.device("the fault in words", |device| {
            device.faults.hub.fault.clone().filter(|told| *told != last_told && line.taken() > 0)
        });
        println!("{fault:?}: decided in {} ms; {told}", waited.as_millis());
        assert!(is_a_sentence(&told), "{fault:?}: {told}");
        let backlog = gate.device("its journal", |device| Some(device.journal.backlog));
        assert!(backlog >= number as u64, "{fault:?} is no ack");
        last_told = told;
    }
    // The gate leaves a refused batch alone for a minute; a start asks at once.
    gate.stop();
    line.answer(Answer::Pass);
    all_arrives(&world, faults.len());
}

#[test]
fn a_hub_that_never_answers_holds_up_neither_a_decision_nor_the_stop() {
    let (mut world, line, _hub) = behind_a_line(Answer::Silent);
    let gate = Watched::start(&world).expect("it starts");
    for number in 1..=3 {
        let waited = decide_one(&mut world, &gate, number);
        println!("decided in {} ms", waited.as_millis());
    }
    assert!(
        line.taken() <= 2,
        "the gate still waits for the first answers: that to its records, and that to what is new"
    );
    let took = gate.stop();
    println!("stopped in {} ms", took.as_millis());
    assert!(took < Duration::from_secs(5), "a gate must stop at once, not in {took:?}");
    line.answer(Answer::Pass);
    all_arrives(&world, 3);
}

/// A world in which the gate reaches its hub by a line that answers otherwise.
fn behind_a_line(answer: Answer) -> (World, Nonsense, menshen_hub::Hub) {
    let world = World::new();
    let line = Nonsense::before(world.hub_addr(), answer);
    world.site_with_hub(line.addr(), "thermometry = \"off\"\n");
    let hub = world.start_hub();
    (world, line, hub)
}

/// Somebody comes; gives how long after the picture was there the verdict was on the screen.
fn decide_one(world: &mut World, gate: &Watched, count: usize) -> Duration {
    // The last picture is out of view, and its verdict had its time.
    thread::sleep(Duration::from_millis(u64::from(SHOW_MS) + 50));
    let shown = world.show(GREEN);
    assert_eq!(gate.verdict(count).verdict, "admit");
    let at = gate.seen().verdicts[count - 1].0;
    let waited = at.saturating_duration_since(shown);
    // Each of the faults above would hold a gate that waits for its hub up for at least ten seconds.
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    waited
}

/// Starts the gate again on its way to the true hub, and compares.
fn all_arrives(world: &World, least: usize) {
    world.clear_camera();
    // A thread that was left behind with an unanswered request ends with it.
    let gate = until("the journal to be free", Duration::from_secs(10), || Watched::start(world).ok());
    gate.device("an empty backlog and no fault", |device: &Device| {
        (device.journal.backlog == 0 && device.faults.hub.fault.is_none()).then_some(())
    });
    gate.stop();
    let ledger = Ledger::of(world);
    assert!(ledger.keys.len() >= least);
    assert_eq!(hub_keys(world.hub_addr(), world), ledger.keys);
}

/// One sentence that says what to do, without a page of somebody else's.
fn is_a_sentence(text: &str) -> bool {
    let remedies = ["check", "tell", "kept"];
    text.len() < 300 && !text.contains(['<', '\n']) && remedies.iter().any(|remedy| text.contains(remedy))
}

fn start_hub(world: &World) -> Program {
    let (listen, store) = (world.hub_addr().to_string(), format!("sqlite:{}", world.path("hub.sqlite").display()));
    let trust = world.path("trust").display().to_string();
    let args = ["--listen", &listen, "--store", &store, "--trust", &trust];
    let begun = Instant::now();
    until("the hub's address to be free again", Duration::from_secs(10), || {
        match Program::start(env!("CARGO_BIN_EXE_fault-hub"), &args, &world.path("hub.log")) {
            Ok(hub) => Some(hub),
            Err(ended) => {
                assert!(ended.log.contains("listen"), "after {:?}: {}", begun.elapsed(), ended.log);
                None
            }
        }
    })
}
