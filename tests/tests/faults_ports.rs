//! Ports that vanish and return in any order, a thousand steps from a seed: the gate never admits on evidence that it did
//! not have, never locks up, says what is missing, and works again by itself.
//!
//! The gate is the real one with its real adapters; what is at their far ends is pulled and put back, and people come
//! meanwhile. It is judged by what it leaves: its journal, the edges of its relay, what it shows.

use menshen_core::decide::{Decision, Verdict};
use menshen_core::lane::Screen;
use menshen_core::manual::Cause;
use menshen_core::pass::Colour;
use menshen_core::reason::Reason;
use menshen_core::record::Scan;
use menshen_lane::health::Faults;
use menshen_lane::probe::{Probe, Step};
use menshen_tests::faults::ledger::{Ledger, relay_edges};
use menshen_tests::faults::lens::Cable;
use menshen_tests::faults::ports::{Ports, Presence, Unit};
use menshen_tests::faults::random::Random;
use menshen_tests::faults::watched::{Seen, Watched};
use menshen_tests::faults::world::{GREEN, Pass, RED, World};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const STEPS: u32 = 1000;
/// How long a gate may take for what it does by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// Readings so long before a code was shown may still be of who shows it.
const BEFORE: Duration = Duration::from_secs(1);
/// A pass that a clock which nobody confirmed is sure of.
const GOOD: Pass = Pass { valid: "3h", ago_s: 3600, ..GREEN };
const EXPIRED: Pass = Pass { valid: "1h", ago_s: 3 * 3600, ..GREEN };
const SITE: &str = "again_after_s = 0\nreading_window_ms = 800\nreading_before_ms = 0\nmeasure_attempts = 1\n\
                    relay_pulse_ms = 100\nhold_admit_ms = 700\nhold_other_ms = 700\n";
/// Temperatures in range, in hundredths of a degree; each person has another.
const IN_RANGE_CENTI_C: std::ops::Range<i16> = 3450..3720;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guest {
    /// A good pass and a temperature in range.
    Good,
    CodeOnly,
    FaceOnly,
    Red,
    Expired,
    Feverish,
}

/// What may happen, and in how many of a thousand steps it does.
const LIKELY: [(u64, Happening); 15] = [
    (344, Happening::Nothing),
    (70, Happening::Camera),
    (120, Happening::Thermometer),
    (120, Happening::Noise),
    (100, Happening::Presence),
    (40, Happening::Button),
    (80, Happening::Chip),
    (40, Happening::Trust),
    (40, Happening::Comes(Guest::Good)),
    (6, Happening::Comes(Guest::CodeOnly)),
    (6, Happening::Comes(Guest::FaceOnly)),
    (6, Happening::Comes(Guest::Red)),
    (6, Happening::Comes(Guest::Expired)),
    (6, Happening::Comes(Guest::Feverish)),
    (16, Happening::Reckoning),
];

#[derive(Clone, Copy, Debug)]
enum Happening {
    Nothing,
    Camera,
    Thermometer,
    Noise,
    Presence,
    Button,
    Chip,
    Trust,
    Comes(Guest),
    /// What is away is told; or all is put back, and a good person is let in.
    Reckoning,
}

/// Somebody who showed a code.
struct Person {
    guest: Guest,
    face_centi_c: i16,
    shown_at: Instant,
}

/// A gate through all that happens to it. The world goes last: the others are in it.
struct Days {
    random: Random,
    gate: Watched,
    ports: Ports,
    world: World,
    people: HashMap<[u8; 16], Person>,
    came: i16,
    /// How many good people had to show their code again when all was back.
    again: u32,
}

#[test]
fn ports_that_come_and_go_for_a_thousand_steps_never_open_a_gate_that_has_not_seen_enough() {
    Days::live(0x706f_7274);
}

#[test]
fn another_thousand_steps_of_another_seed_end_no_worse() {
    Days::live(0x7374_6570);
}

impl Days {
    fn live(seed: u64) {
        let begun = Instant::now();
        println!("seed {seed:#x}");
        let world = World::new();
        world.site(SITE);
        let ports = Ports::fit(&world);
        let gate = Watched::start_with(&world, closings_follow_records(world.state())).expect("it starts");
        let (people, random) = (HashMap::new(), Random::new(seed));
        let mut days = Days { random, gate, ports, world, people, came: 0, again: 0 };
        for step in 0..STEPS {
            let what = days.draw();
            println!("{step} at {:?}: {what:?}", begun.elapsed());
            days.happen(what);
        }
        days.all_return();
        days.is_let_in();
        for nth in 2..=3 {
            let decision = days.answered(Guest::Good);
            assert_eq!((decision.verdict, decision.cause), (Verdict::Admit, None), "person {nth}: {decision:?}");
        }
        days.end();
        println!("seed {seed:#x}: {:.0} s", begun.elapsed().as_secs_f32());
    }

    fn draw(&mut self) -> Happening {
        let mut at = self.random.within(0..LIKELY.iter().map(|(weight, _)| weight).sum());
        let found = LIKELY.iter().find(|(weight, _)| {
            let is_here = at < *weight;
            at = at.saturating_sub(*weight);
            is_here
        });
        found.expect("the number is below the sum").1
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Nothing => {}
            Happening::Camera => {
                let cable = self.pick(&[Cable::In, Cable::In, Cable::In, Cable::Silent, Cable::Out, Cable::Gone]);
                self.ports.camera(cable);
            }
            Happening::Thermometer => {
                let unit = self.pick(&[Unit::Well, Unit::Well, Unit::Silent, Unit::Unplugged]);
                self.ports.thermometer(unit);
            }
            Happening::Noise => {
                let count = self.random.within(1..64);
                let bytes: Vec<u8> = (0..count).map(|_| self.random.within(0..256) as u8).collect();
                self.ports.noise(&bytes);
            }
            Happening::Presence => {
                let presence = self.pick(&[Presence::Well, Presence::Well, Presence::Torn, Presence::Stuck]);
                self.ports.presence(presence);
            }
            Happening::Button => {
                self.ports.button(true);
                self.pass(60..90);
                self.ports.button(false);
            }
            Happening::Chip => {
                let is_in = self.pick(&[true, false]);
                self.ports.chip(is_in);
            }
            Happening::Trust => {
                let is_there = self.pick(&[true, false]);
                self.trust(is_there);
            }
            Happening::Comes(guest) => {
                self.comes(guest);
                self.pass(20..700);
                self.ports.leaves();
            }
            Happening::Reckoning if self.pick(&[true, false]) => self.what_is_away_is_told(),
            Happening::Reckoning => {
                self.all_return();
                self.is_let_in();
            }
        }
        self.pass(2..20);
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.within(0..of.len() as u64) as usize]
    }

    /// Time goes by, which is what a step is made of.
    fn pass(&mut self, ms: std::ops::Range<u64>) {
        thread::sleep(Duration::from_millis(self.random.within(ms)));
    }

    fn trust(&self, is_there: bool) {
        let places = [self.world.path("trust/repository.away"), self.world.path("trust/repository")];
        let (from, to) = (&places[usize::from(!is_there)], &places[usize::from(is_there)]);
        if from.exists() {
            fs::rename(from, to).expect("the folder is ours");
        }
    }

    /// Somebody steps up when it is their turn; gives their pseudonym.
    fn comes(&mut self, guest: Guest) -> [u8; 16] {
        self.gate.when("a gate that has time for the next", |seen| {
            let (_, screen) = seen.screens.last()?;
            matches!(screen, Screen::Idle | Screen::Hint(_) | Screen::Verdict(_)).then_some(())
        });
        let pass = match guest {
            Guest::Red => Pass { colour: RED.colour, ..GOOD },
            Guest::Expired => EXPIRED,
            _ => GOOD,
        };
        let visitor = self.world.visitor(pass);
        self.came += 1;
        let fever_centi_c = if guest == Guest::Feverish { 380 } else { 0 };
        let span = IN_RANGE_CENTI_C.len() as i16;
        let face_centi_c = IN_RANGE_CENTI_C.start + self.came * 7 % span + fever_centi_c;
        let shown_at = Instant::now();
        self.people.insert(visitor.holder, Person { guest, face_centi_c, shown_at });
        let frame = Arc::new(visitor.frame);
        let shows = (guest != Guest::FaceOnly).then_some(&frame);
        self.ports.comes((guest != Guest::CodeOnly).then_some(face_centi_c), shows);
        visitor.holder
    }

    /// Somebody comes and stays until they have an answer.
    fn answered(&mut self, guest: Guest) -> Decision {
        let holder = self.comes(guest);
        let decision = self.gate.when("an answer", |seen| {
            let mut newest = seen.screens.iter().rev().filter_map(|(_, screen)| verdict(screen));
            newest.find(|decision| decision.evidence.holder == Some(holder)).cloned()
        });
        self.ports.leaves();
        decision
    }

    fn what_is_away_is_told(&mut self) {
        let (camera, thermometer, chip) = (self.ports.camera, self.ports.thermometer, self.ports.chip);
        self.gate.device(&format!("the faults of {camera:?}, {thermometer:?}, {chip:?}"), |device| {
            let Faults { camera: seeing, thermometer: feeling, clock, .. } = &device.faults;
            let told = |is_away: bool, fault: &Option<String>| !is_away || fault.is_some();
            let all =
                told(camera != Cable::In, seeing) && told(thermometer != Unit::Well, feeling) && told(!chip, clock);
            all.then_some(())
        });
    }

    fn all_return(&mut self) {
        self.ports.all_return();
        self.trust(true);
        // What is told now may have been looked at before.
        let newer = self.gate.seen().told + 2;
        self.gate.when("a gate with no fault left", |seen| {
            let device = seen.device.as_ref().filter(|_| seen.told >= newer)?;
            let Faults { camera, thermometer, relay, lamps, buzzer, journal, trust, clock, inputs, .. } =
                &device.faults;
            let faults = [camera, thermometer, relay, lamps, buzzer, journal, trust, clock, inputs];
            faults.iter().all(|fault| fault.is_none()).then_some(())
        });
    }

    /// All ports are there: a good person is let in, at worst when they show their code again.
    fn is_let_in(&mut self) {
        let begun = Instant::now();
        loop {
            let decision = self.answered(Guest::Good);
            if decision.verdict == Verdict::Admit {
                return;
            }
            self.again += 1;
            println!("not yet: {:?} {:?}", decision.reasons, decision.evidence.reading);
            assert!(begun.elapsed() < PATIENCE, "all is back, and a good person is not let in: {decision:?}");
        }
    }

    /// Stops the gate and looks at what it leaves.
    fn end(self) {
        let seen = self.gate.seen();
        let took = self.gate.stop();
        assert!(took < PATIENCE, "it took {took:?} to stop");
        let decisions: Vec<_> = decisions(&seen).collect();
        let ledger = Ledger::of(&self.world);
        let shown: Vec<_> = decisions.iter().map(|(_, decision)| Scan::of(decision, None)).collect();
        assert_eq!(ledger.scans, shown, "the journal has what was shown, and nothing else");
        let closings = relay_edges(&self.world).into_iter().filter(|closed| *closed).count();
        assert_eq!(closings, ledger.admits(), "one closing an admission");
        let (mut alone, mut by_hand, mut by_itself) = (0, 0, 0);
        for (at, decision) in decisions.into_iter().filter(|(_, decision)| decision.verdict == Verdict::Admit) {
            if decision.cause.is_some() {
                by_hand += 1;
                assert_eq!(decision.cause, Some(Cause::Button));
                assert!(!decision.reasons.contains(&Reason::Red), "{decision:?}");
            } else {
                by_itself += 1;
                alone += usize::from(is_founded(decision, at, &self.people, &self.ports));
            }
        }
        println!(
            "{} decisions, {by_itself} admitted, of whom {alone} were alone for long, {by_hand} by hand, {} came again",
            ledger.scans.len(),
            self.again
        );
        assert!(by_hand >= 5 && alone >= 5, "too few people to prove anything");
    }
}

/// An admission that nobody made by hand stands on a green pass and a reading that the thermometer gave while that person
/// was there. Gives whether nobody else's can be meant.
fn is_founded(decision: &Decision, at: Instant, people: &HashMap<[u8; 16], Person>, ports: &Ports) -> bool {
    let evidence = &decision.evidence;
    assert_eq!(evidence.colour, Some(Colour::Green), "{decision:?}");
    assert!(evidence.issuer.is_some(), "{decision:?}");
    let holder = evidence.holder.expect("a pass that counted has a holder");
    let person = people.get(&holder).expect("whoever is admitted has come");
    assert!(!matches!(person.guest, Guest::Red | Guest::Expired), "{:?}: {decision:?}", person.guest);
    let reading = evidence.reading.expect("an admission has a reading").temp_centi_c;
    assert!(IN_RANGE_CENTI_C.contains(&reading), "{decision:?}");
    let from = person.shown_at.checked_sub(BEFORE).expect("the machine runs for longer");
    let said = ports.said(from, at);
    assert!(said.contains(&reading), "{reading} was not said while {:?} was there: {said:?}", person.guest);
    let is_alone = said.len() == 1;
    assert!(!is_alone || reading == person.face_centi_c, "{reading} is not the temperature of {:?}", person.guest);
    is_alone
}

/// Looks into the journal as it lies on the disk whenever the relay closes: the record of the admission is there.
fn closings_follow_records(state: impl AsRef<Path> + Send + Sync + 'static) -> Probe {
    let closings = AtomicUsize::new(0);
    Probe::new(move |step| {
        if step == Step::RelayClosed {
            let closed = closings.fetch_add(1, Ordering::SeqCst) + 1;
            let admitted = Ledger::at(state.as_ref()).admits();
            assert!(closed <= admitted, "closing {closed} of the relay, and {admitted} admissions on the disk");
        }
    })
}

fn decisions(seen: &Seen) -> impl Iterator<Item = (Instant, &Decision)> {
    seen.screens.iter().filter_map(|(at, screen)| verdict(screen).map(|decision| (*at, decision)))
}

fn verdict(screen: &Screen) -> Option<&Decision> {
    if let Screen::Verdict(decision) = screen { Some(decision) } else { None }
}
