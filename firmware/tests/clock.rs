//! What a gate believes of its clock: the chip, the file, the thread. Every case of a wrong clock is a row of the table
//! in the core's `clock/tests.rs`; here is that the real parts tell the same story.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use menshen_core::clock::{Doubt, Implausible, Look, Published, SYSTEM_ERROR_S, Source, UNCONFIRMED_ERROR_S};
use menshen_core::time::{Confidence, Time};
use menshen_gate::board::Board;
use menshen_gate::clock::{BUILD_UNIX_S, ClockParts, GateClock, HAND_ERROR_S, Teller};
use menshen_gate::rtc::{self, Ds3231, Rtc, SetTo};
use menshen_gate::sim::SimRtc;
use menshen_lane::moment;
use menshen_lane::ports::{Clock, PortError};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const DAY_S: u64 = 86_400;
/// A believable now.
const NOW: u64 = BUILD_UNIX_S + 30 * DAY_S;

/// The devices of a gate, and its state folder. The counter counts one second a step.
struct World {
    state: TempDir,
    counted_ms: Arc<AtomicU64>,
    system_s: Arc<AtomicU64>,
    chip: Chip,
}

/// A chip that a test holds in its hand.
#[derive(Clone, Default)]
struct Chip(Arc<Mutex<ChipState>>);

#[derive(Default)]
struct ChipState {
    look: Option<Look>,
    sets: Vec<u64>,
    opened: u32,
    panics: bool,
}

impl Chip {
    fn state(&self) -> MutexGuard<'_, ChipState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rtc for Chip {
    fn read(&mut self) -> Result<Look, PortError> {
        assert!(!self.state().panics, "the driver has a bug");
        self.state().look.ok_or_else(|| PortError::Failed("the chip does not answer: check its wires".to_owned()))
    }

    fn set(&mut self, unix_s: u64) -> Result<(), PortError> {
        self.read()?;
        let mut state = self.state();
        state.sets.push(unix_s);
        state.look = Some(Look::At(unix_s));
        Ok(())
    }
}

impl World {
    fn new() -> World {
        let chip = Chip::default();
        chip.state().look = Some(Look::At(NOW));
        World { state: tempfile::tempdir().unwrap(), counted_ms: Arc::default(), system_s: Arc::new(NOW.into()), chip }
    }

    fn file(&self) -> std::path::PathBuf {
        self.state.path().join("time-floor")
    }

    fn clock(&self, source: Source) -> GateClock {
        GateClock::of(self.state.path(), self.parts(source)).unwrap()
    }

    fn parts(&self, source: Source) -> ClockParts {
        let (counted_ms, system_s, chip) = (self.counted_ms.clone(), self.system_s.clone(), self.chip.clone());
        ClockParts {
            source,
            rtc: Some(Box::new(move || {
                chip.state().opened += 1;
                Ok(Box::new(chip.clone()))
            })),
            system_now: Box::new(move || system_s.load(Ordering::Relaxed)),
            sign: self.state.path().join("synchronised"),
            teller: Teller::Technician,
            counter: Box::new(move || counted_ms.load(Ordering::Relaxed)),
        }
    }

    /// Seconds pass for whatever runs.
    fn pass(&self, seconds: u64) {
        self.counted_ms.fetch_add(seconds * 1000, Ordering::Relaxed);
        self.system_s.fetch_add(seconds, Ordering::Relaxed);
        let mut chip = self.chip.state();
        if let Some(Look::At(unix_s)) = &mut chip.look {
            *unix_s += seconds;
        }
    }
}

fn publication(timestamp: u64, at_s: u64) -> Published {
    Published { number: (1, timestamp), at_s }
}

#[test]
fn the_clock_of_the_machine_that_built_this_is_after_the_build() {
    let state = tempfile::tempdir().unwrap();
    let board = Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap();
    let clock = GateClock::open(state.path(), &board.clock, Teller::Technician).unwrap();
    // However long ago this was built, something was signed lately.
    clock.published(publication(1, moment::now() - DAY_S));
    let time = clock.time();
    assert!(time.confidence == Confidence::Trusted && time.error_s <= SYSTEM_ERROR_S + 1, "{time:?}");
    assert!(time.unix_s.abs_diff(moment::now()) <= 1);
}

#[test]
fn a_system_clock_in_1970_knows_only_that_the_program_was_built() {
    let world = World::new();
    world.system_s.store(12, Ordering::Relaxed);
    let clock = world.clock(Source::System);
    assert_eq!((clock.time(), clock.view().doubt), (Time::floor(BUILD_UNIX_S), Some(Doubt::Behind)));
    world.system_s.store(NOW, Ordering::Relaxed);
    clock.look();
    assert_eq!(clock.time(), Time::trusted_within(NOW, SYSTEM_ERROR_S));
}

#[test]
fn the_time_goes_on_between_two_looks_and_through_a_jump() {
    let world = World::new();
    let clock = world.clock(Source::System);
    world.counted_ms.fetch_add(700_000, Ordering::Relaxed);
    assert_eq!(clock.time().unix_s, NOW + 700, "nobody has looked, and nobody waits for a look");
    world.system_s.store(NOW - DAY_S, Ordering::Relaxed);
    clock.look();
    assert_eq!(clock.time().unix_s, NOW + 700);
    assert!(clock.view().disagrees());
}

#[test]
fn a_chip_that_nobody_has_confirmed_is_believed_to_a_quarter_of_an_hour() {
    let world = World::new();
    let clock = world.clock(Source::Rtc);
    assert_eq!(clock.time(), Time::trusted_within(NOW, UNCONFIRMED_ERROR_S));
    assert_eq!((clock.view().doubt, clock.fault()), (Some(Doubt::Unconfirmed), None));
}

#[test]
fn a_signed_time_is_believed_at_once_sets_the_chip_and_is_remembered() {
    let world = World::new();
    let clock = world.clock(Source::Rtc);
    clock.signed_now(NOW + 100, 2).unwrap();
    assert_eq!(clock.time(), Time::trusted_within(NOW + 100, 2));
    clock.look();
    assert_eq!(world.chip.state().sets, [NOW + 100]);
    assert_eq!(clock.view().doubt, None);
    drop(clock);
    world.pass(7 * DAY_S);
    let time = world.clock(Source::Rtc).time();
    assert_eq!(time.unix_s, NOW + 100 + 7 * DAY_S);
    assert!(time.error_s < 15, "{time:?}");
}

#[test]
fn an_empty_battery_is_a_floor_until_a_signed_time_and_then_the_chip_runs_again() {
    let world = World::new();
    world.chip.state().look = Some(Look::LostPower);
    let clock = world.clock(Source::Rtc);
    assert_eq!((clock.time(), clock.view().doubt), (Time::floor(BUILD_UNIX_S), Some(Doubt::LostPower)));
    clock.signed_now(NOW, 2).unwrap();
    clock.look();
    assert_eq!((clock.time().confidence, clock.view().doubt), (Confidence::Trusted, None));
    assert_eq!(world.chip.state().sets, [NOW]);
}

#[test]
fn a_chip_that_vanishes_is_told_opened_again_and_missed_by_nobody() {
    let world = World::new();
    let clock = world.clock(Source::Rtc);
    world.chip.state().look = None;
    world.pass(5);
    clock.look();
    assert!(clock.fault().unwrap().contains("check its wires"));
    assert_eq!(clock.time(), Time::trusted_within(NOW + 5, UNCONFIRMED_ERROR_S + 1));
    assert_eq!(clock.view().doubt, Some(Doubt::NoClock));
    world.chip.state().look = Some(Look::At(NOW + 6));
    world.pass(1);
    clock.look();
    assert_eq!((clock.fault(), clock.view().doubt), (None, Some(Doubt::Unconfirmed)));
    assert!(world.chip.state().opened >= 2);
}

#[test]
fn a_driver_that_panics_is_told_and_the_clock_goes_on_and_looks_again() {
    let world = World::new();
    let clock = world.clock(Source::Rtc);
    world.chip.state().panics = true;
    let deadline = Instant::now() + Duration::from_secs(20);
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    // Its own thread looks: it must live through this, again and again.
    until("the panic is told", &|| clock.fault().is_some());
    let told = clock.fault().unwrap();
    assert!(told.contains("the clock") && told.contains("report the log"), "{told}");
    world.pass(5);
    assert_eq!(clock.time(), Time::trusted_within(NOW + 5, UNCONFIRMED_ERROR_S + 1));
    assert_eq!(clock.view().doubt, Some(Doubt::NoClock));
    world.chip.state().panics = false;
    until("it works again", &|| clock.fault().is_none() && clock.view().doubt == Some(Doubt::Unconfirmed));
}

#[test]
fn a_driver_that_panics_at_the_first_look_does_not_stop_the_start() {
    let world = World::new();
    world.chip.state().panics = true;
    let clock = world.clock(Source::Rtc);
    assert_eq!((clock.time(), clock.view().doubt), (Time::floor(BUILD_UNIX_S), Some(Doubt::NoClock)));
    assert!(clock.fault().is_some());
}

/// A simulated chip on a wire that turns a bit of the month at the first reading of the calendar.
struct BadWire {
    chip: SimRtc,
    is_bad: bool,
}

impl ErrorType for BadWire {
    type Error = ErrorKind;
}

impl I2c for BadWire {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        self.chip.transaction(address, operations)?;
        for operation in operations {
            if let Operation::Read(registers) = operation
                && registers.len() == 7
                && std::mem::take(&mut self.is_bad)
            {
                // A month ahead: near enough to be believed, were it given on.
                registers[5] = if registers[5] == 0x12 { 0x11 } else { registers[5] + 1 };
            }
        }
        Ok(())
    }
}

#[test]
fn a_garbled_reading_at_the_start_is_neither_believed_nor_kept() {
    let world = World::new();
    let control = world.state.path().join("rtc.txt");
    let open = move || -> Result<Box<dyn Rtc>, PortError> {
        let wire = BadWire { chip: SimRtc::new(&control), is_bad: true };
        Ok(Box::new(Ds3231::new(wire, "the chip".to_owned())))
    };
    let clock = GateClock::of(world.state.path(), ClockParts { rtc: Some(Box::new(open)), ..world.parts(Source::Rtc) });
    let clock = clock.unwrap();
    let off_s = clock.time().unix_s.abs_diff(moment::now());
    assert!(off_s <= 1, "{off_s} s off");
    drop(clock);
    let kept = fs::read_to_string(world.file()).unwrap();
    let seen_s: u64 = kept.lines().find_map(|line| line.strip_prefix("seen ")).unwrap().parse().unwrap();
    assert!(seen_s <= moment::now(), "{kept}");
}

#[test]
fn a_chip_a_year_ahead_is_not_believed_and_poisons_nothing() {
    let world = World::new();
    drop(world.clock(Source::Rtc));
    world.chip.state().look = Some(Look::At(NOW + 365 * DAY_S));
    let clock = world.clock(Source::Rtc);
    assert_eq!(clock.view().doubt, Some(Doubt::Ahead));
    let floor = clock.time();
    assert_eq!(floor, Time::floor(NOW - u64::from(UNCONFIRMED_ERROR_S)));
    drop(clock);
    world.chip.state().look = Some(Look::At(NOW + 60));
    assert_eq!(world.clock(Source::Rtc).time().unix_s, NOW + 60);
}

#[test]
fn a_floor_that_is_signed_for_good_survives_a_restart_and_no_signed_time_goes_behind_it() {
    let world = World::new();
    let clock = world.clock(Source::None);
    clock.published(publication(7, NOW + DAY_S));
    clock.published(publication(6, NOW));
    drop(clock);
    let clock = world.clock(Source::None);
    assert_eq!(clock.time(), Time::floor(NOW + DAY_S));
    assert_eq!(clock.signed_now(NOW, 2), Err(Implausible::BehindProof));
    clock.published(publication(8, NOW));
    assert_eq!(clock.time(), Time::floor(NOW), "the publisher has said otherwise");
}

#[test]
fn what_a_hub_that_was_wrong_has_acknowledged_is_mended_by_its_signed_time() {
    let world = World::new();
    let clock = world.clock(Source::None);
    clock.heard_not_before(NOW + 300 * DAY_S);
    assert_eq!(clock.time(), Time::floor(NOW + 300 * DAY_S));
    clock.signed_now(NOW, 3).unwrap();
    assert_eq!(clock.time(), Time::trusted_within(NOW, 3));
    drop(clock);
    assert_eq!(world.clock(Source::None).time(), Time::floor(NOW - 3));
}

#[test]
fn the_networks_time_is_shown_and_never_believed() {
    let world = World::new();
    let clock = world.clock(Source::None);
    assert_eq!(clock.view().hint_s, None);
    fs::write(world.state.path().join("synchronised"), "").unwrap();
    clock.look();
    assert_eq!((clock.view().hint_s, clock.time()), (Some(NOW), Time::floor(BUILD_UNIX_S)));
}

#[test]
fn what_was_signed_is_on_disk_without_waiting_for_the_end() {
    let world = World::new();
    let clock = world.clock(Source::Rtc);
    clock.published(publication(1, NOW + 60));
    let deadline = Instant::now() + Duration::from_secs(20);
    let on_disk = || fs::read_to_string(world.file()).unwrap_or_default();
    while !on_disk().contains(&format!("published 1 1 {}\n", NOW + 60)) {
        assert!(Instant::now() < deadline, "{}", on_disk());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_number_that_an_older_gate_kept_is_a_floor() {
    let world = World::new();
    fs::write(world.file(), format!("{}\n", NOW + DAY_S)).unwrap();
    let clock = world.clock(Source::System);
    assert_eq!((clock.time(), clock.view().doubt), (Time::floor(NOW + DAY_S), Some(Doubt::Behind)));
}

#[test]
fn a_torn_or_rotten_file_falls_back_to_the_build_and_is_told_until_the_time_is_sure() {
    let world = World::new();
    let clock = world.clock(Source::None);
    clock.published(publication(1, NOW));
    drop(clock);
    let whole = fs::read(world.file()).unwrap();
    let rotten: Vec<u8> = whole.iter().map(|byte| byte ^ 4).collect();
    for (what, bytes) in [
        ("torn", &whole[..whole.len() / 2]),
        ("rotten", &rotten),
        ("zeros", &[0; 64]),
        ("empty", &[]),
        ("not text", &[0xff; 9]),
    ] {
        fs::write(world.file(), bytes).unwrap();
        let clock = world.clock(Source::None);
        assert_eq!(clock.time(), Time::floor(BUILD_UNIX_S), "{what}");
        let told = clock.fault().unwrap();
        assert!(told.contains("time-floor") && told.contains("damaged") && told.contains("set its clock"), "{told}");
        clock.signed_now(NOW, 2).unwrap();
        clock.look();
        assert_eq!(clock.fault(), None, "{what}");
        drop(clock);
        assert_eq!(world.clock(Source::None).time(), Time::floor(NOW - 2), "{what}: it is mended");
    }
}

#[test]
fn what_to_do_about_a_clock_is_what_helps_at_this_gate() {
    let world = World::new();
    fs::write(world.file(), "torn").unwrap();
    let told = |teller| {
        let parts = ClockParts { teller, ..world.parts(Source::None) };
        GateClock::of(world.state.path(), parts).unwrap().fault().unwrap()
    };
    let alone = told(Teller::Technician);
    assert!(alone.contains("technician to set its clock") && !alone.contains("hub"), "{alone}");
    fs::write(world.file(), "torn").unwrap();
    let with_hub = told(Teller::Hub);
    assert!(with_hub.contains("to its hub") && !with_hub.contains("technician"), "{with_hub}");
}

#[test]
fn a_state_that_can_not_be_written_does_not_stop_the_clock() {
    let mut world = World::new();
    world.state = tempfile::tempdir().unwrap();
    fs::remove_dir(world.state.path()).unwrap();
    let clock = world.clock(Source::System);
    clock.published(publication(1, NOW + DAY_S));
    assert_eq!(clock.time(), Time::floor(NOW + DAY_S));
}

#[test]
fn a_clock_that_a_person_sets_is_believed_by_a_gate_that_runs_and_by_one_that_starts() {
    let state = tempfile::tempdir().unwrap();
    let sim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    let sign = state.path().join("synchronised");
    fs::write(&sign, "").unwrap();
    let clock = format!("[clock]\nsource = \"simulated\"\nsign = {sign:?}\n");
    fs::write(state.path().join("mine.toml"), format!("inherits = [{sim:?}]\n{clock}")).unwrap();
    let board = Board::load(state.path().join("mine.toml")).unwrap();
    fs::write(state.path().join("rtc.txt"), "-1000").unwrap();
    let clock = GateClock::open(state.path(), &board.clock, Teller::Technician).unwrap();
    rtc::run(&board, state.path(), Some(SetTo::Now)).unwrap();
    clock.look();
    let time = clock.time();
    assert!(time.unix_s.abs_diff(moment::now()) <= 1 && time.error_s <= HAND_ERROR_S + 1, "{time:?}");
    assert_eq!(clock.view().doubt, None);
    drop(clock);
    let time = GateClock::open(state.path(), &board.clock, Teller::Technician).unwrap().time();
    assert!(time.unix_s.abs_diff(moment::now()) <= 1 && time.error_s <= HAND_ERROR_S + 3, "{time:?}");
}
