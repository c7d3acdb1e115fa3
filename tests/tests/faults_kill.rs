//! A gate that is killed at any moment loses nothing, doubles nothing, and never opens before its record is durable.

use menshen_lane::probe::Step;
use menshen_tests::faults::ledger::{Ledger, hub_keys, relay_edges};
use menshen_tests::faults::process::{Program, get};
use menshen_tests::faults::random::Random;
use menshen_tests::faults::until;
use menshen_tests::faults::world::{GREEN, RED, World, YELLOW};
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

const STEPS: [Step; 8] = [
    Step::Decided,
    Step::Recorded,
    Step::RelayClosed,
    Step::Shown,
    Step::BatchTaken,
    Step::BatchSent,
    Step::AckReceived,
    Step::AckStored,
];
const SIGKILL: i32 = 9;
const SEED: u64 = 0x6d65_6e73;
/// Gates that live and die side by side; together they are killed 56 times at a step and 16 times at any moment.
const GATES: u64 = 4;
const KILLS_AT_STEPS: u64 = 14;
const KILLS_AT_ANY_TIME: u64 = 4;

#[test]
fn sigkill_between_any_two_steps_loses_and_doubles_nothing_and_no_relay_edge_lacks_its_record() {
    let begun = Instant::now();
    let gates: Vec<_> = (0..GATES).map(|gate| thread::spawn(move || die_and_live(SEED + gate, gate))).collect();
    let records: usize = gates.into_iter().map(|gate| gate.join().expect("the thread's own message is above")).sum();
    let kills = GATES * (KILLS_AT_STEPS + KILLS_AT_ANY_TIME);
    println!("{kills} kills, {records} records, {:.0} s", begun.elapsed().as_secs_f32());
}

/// One gate through all of its deaths; gives how many records it made.
fn die_and_live(seed: u64, gate: u64) -> usize {
    let mut random = Random::new(seed);
    let mut world = World::new();
    // One gate measures, too. The relay opens before the next person comes, so each admission has an edge of its own.
    let thermometry = if gate == 0 { "required" } else { "off" };
    world.site(&format!("relay_pulse_ms = 300\nthermometry = \"{thermometry}\"\n"));
    world.write("state/thermometer.txt", "36.4 22.5\n");
    for pass in [GREEN, RED, GREEN, GREEN, YELLOW, GREEN] {
        world.show(pass);
    }
    let _hub = world.start_hub();
    let mut life = Life { world: &world, before: Ledger::default(), edges_before: 0 };
    for kill in 0..KILLS_AT_STEPS {
        // From gate to gate the steps are in another order, and all of them come.
        let step = STEPS[((kill * 3 + gate * 5) % 8) as usize];
        let nth = random.within(1..4);
        println!("seed {seed:#x} kill {kill}: {step:?} {nth}");
        life.die_at(step, nth);
    }
    for kill in 0..KILLS_AT_ANY_TIME {
        let after_ms = random.within(0..1800);
        println!("seed {seed:#x} kill {kill}: after {after_ms} ms");
        life.die_after(Duration::from_millis(after_ms));
    }
    drain(&world);
    let ledger = Ledger::of(&world);
    assert_eq!(hub_keys(world.hub_addr(), &world), ledger.keys, "seed {seed:#x}: the hub holds what the journal holds");
    ledger.keys.len()
}

struct Life<'a> {
    world: &'a World,
    before: Ledger,
    edges_before: usize,
}

/// What one life left.
struct Left {
    records: usize,
    admits: usize,
    closings: usize,
}

impl Life<'_> {
    fn die_at(&mut self, step: Step, nth: u64) {
        let mut victim = self.start(&["die", &format!("{step:?}"), &nth.to_string()]);
        assert_eq!(victim.end().signal(), Some(SIGKILL), "{}", victim.log());
        let (left, nth) = (self.left(), nth as usize);
        match step {
            Step::Decided => assert_eq!((left.records, left.closings), (nth - 1, left.admits)),
            Step::Recorded => assert_eq!(left.records, nth),
            Step::RelayClosed => assert_eq!((left.closings, left.admits), (nth, nth)),
            Step::Shown => assert_eq!((left.records, left.closings), (nth, left.admits)),
            Step::BatchTaken | Step::BatchSent | Step::AckReceived | Step::AckStored => {}
        }
    }

    fn die_after(&mut self, after: Duration) {
        let victim = self.start(&[]);
        thread::sleep(after);
        assert_eq!(victim.kill().signal(), Some(SIGKILL));
        self.left();
    }

    fn start(&self, more: &[&str]) -> Program {
        Program::victim(env!("CARGO_BIN_EXE_victim"), self.world, more)
    }

    /// The promises that hold after every death.
    fn left(&mut self) -> Left {
        let (now, edges) = (Ledger::of(self.world), relay_edges(self.world));
        assert!(now.keys.starts_with(&self.before.keys), "what was in the journal stays in it, in its place");
        assert!(now.keys.iter().all(|(epoch, ..)| *epoch == 1), "nothing was damaged, so no epoch begins");
        let left = Left {
            records: now.keys.len() - self.before.keys.len(),
            admits: now.admits() - self.before.admits(),
            closings: edges[self.edges_before..].iter().filter(|closed| **closed).count(),
        };
        // One decision at a time: at most the newest admission had not moved the relay yet.
        assert!(
            left.closings == left.admits || left.closings + 1 == left.admits,
            "{} admissions in the journal and {} closings of the relay",
            left.admits,
            left.closings
        );
        (self.before, self.edges_before) = (now, edges.len());
        left
    }
}

/// Runs the very program of a device, with nobody before it, until the hub has everything.
fn drain(world: &World) {
    world.clear_camera();
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), world).expect("it starts");
    let panel = gate.addr().expect("its board has a panel");
    until("an empty backlog", Duration::from_secs(30), || {
        (get(panel, "/state")["bar"]["backlog"].as_u64() == Some(0)).then_some(())
    });
    assert!(gate.terminate().success());
}
