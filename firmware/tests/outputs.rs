//! What reaches the pins of a gate: levels, one lamp at a time, tones, a trace of every edge.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use menshen_core::decide::Verdict;
use menshen_gate::board::{Board, BuzzerDrive, Function, Wiegand, WiegandFrame, Wiring};
use menshen_gate::clock::Teller;
use menshen_gate::gate::GatePorts;
use menshen_gate::outputs::{HalOutput, Line};
use menshen_lane::ports::PortError;
use menshen_lane::sound::{BuzzerAtNight, Cue, Percent, Volume};

const PATIENCE: Duration = Duration::from_secs(20);
const VERDICTS: [Verdict; 3] = [Verdict::Admit, Verdict::Refer, Verdict::Refuse];

/// Every level that any pin was set to, in order.
type Levels = Arc<Mutex<Vec<(Function, bool)>>>;

struct Pin(Function, Levels);

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.1.lock().unwrap().push((self.0, false));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.1.lock().unwrap().push((self.0, true));
        Ok(())
    }
}

fn outputs(active_low: bool) -> (HalOutput<Pin>, Levels) {
    let levels = Levels::default();
    let line = |function| Line::new(function, Pin(function, Arc::clone(&levels)), active_low);
    (HalOutput::new(Function::ALL.map(line).into()).unwrap(), levels)
}

fn level(levels: &Levels, function: Function) -> bool {
    levels.lock().unwrap().iter().rfind(|(of, _)| *of == function).unwrap().1
}

fn beeps(levels: &Levels) -> usize {
    levels.lock().unwrap().iter().filter(|(function, high)| *function == Function::Buzzer && *high).count()
}

#[test]
fn on_is_the_level_that_the_wiring_says() {
    for active_low in [false, true] {
        let (mut outputs, levels) = outputs(active_low);
        let lit = || level(&levels, Function::LampAdmit) != active_low;
        assert!(!lit(), "off from the start");
        outputs.lamp(Some(Verdict::Admit)).unwrap();
        assert!(lit());
        outputs.lamp(None).unwrap();
        assert!(!lit());
    }
}

#[test]
fn one_lamp_is_lit_at_a_time() {
    let (mut outputs, levels) = outputs(false);
    let lamps = [Function::LampAdmit, Function::LampRefer, Function::LampRefuse];
    for (verdict, lit) in VERDICTS.into_iter().zip(lamps) {
        outputs.lamp(Some(verdict)).unwrap();
        assert_eq!(lamps.map(|lamp| level(&levels, lamp)), lamps.map(|lamp| lamp == lit));
    }
    outputs.lamp(None).unwrap();
    assert_eq!(lamps.map(|lamp| level(&levels, lamp)), [false; 3]);
}

#[test]
fn everything_is_off_when_the_gate_ends() {
    let (mut outputs, levels) = outputs(false);
    outputs.lamp(Some(Verdict::Admit)).unwrap();
    outputs.tone(Cue::Refuse, Volume::FULL).unwrap();
    drop(outputs);
    assert_eq!(Function::ALL.map(|function| level(&levels, function)), [false; 5]);
}

#[test]
fn each_cue_sounds_in_its_rhythm_and_the_lane_does_not_wait_for_it() {
    for cue in Cue::ALL {
        let (mut outputs, levels) = outputs(false);
        let expected = cue.beats().len();
        outputs.tone(cue, Volume::FULL).unwrap();
        assert!(beeps(&levels) < expected || expected == 1, "it came back before the tone was over");
        let deadline = Instant::now() + PATIENCE;
        while beeps(&levels) < expected {
            assert!(Instant::now() < deadline, "{cue:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(beeps(&levels), expected, "{cue:?}");
    }
}

#[test]
fn a_buzzer_that_is_to_be_silent_is() {
    let percent = Percent::new(30).unwrap();
    for silent in
        [Volume { percent, plain: BuzzerAtNight::Off }, Volume { percent: Percent::NONE, plain: BuzzerAtNight::Same }]
    {
        let (mut outputs, levels) = outputs(false);
        outputs.tone(Cue::Refuse, silent).unwrap();
        outputs.tone(Cue::Admit, Volume::FULL).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while beeps(&levels) < 1 {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(outputs);
        assert_eq!(beeps(&levels), 1, "only the admission was heard");
    }
}

#[test]
fn a_newer_tone_cuts_an_older_one_short() {
    let (mut outputs, levels) = outputs(false);
    outputs.tone(Cue::Refuse, Volume::FULL).unwrap();
    outputs.tone(Cue::Admit, Volume::FULL).unwrap();
    let whole: u32 = Cue::ALL.into_iter().map(Cue::length_ms).sum();
    std::thread::sleep(Duration::from_millis(whole.into()));
    assert_eq!(beeps(&levels), 2, "the first of the refusal and the only one of the admission");
}

#[test]
fn a_board_without_a_buzzer_or_a_lamp_is_quiet_and_dark() {
    let levels = Levels::default();
    let lamp = Line::new(Function::LampAdmit, Pin(Function::LampAdmit, Arc::clone(&levels)), false);
    let mut outputs = HalOutput::new(vec![lamp]).unwrap();
    outputs.tone(Cue::Refuse, Volume::FULL).unwrap();
    outputs.lamp(Some(Verdict::Refuse)).unwrap();
    assert_eq!(*levels.lock().unwrap(), [(Function::LampAdmit, false); 2]);
}

struct Stuck;

impl ErrorType for Stuck {
    type Error = ErrorKind;
}

impl OutputPin for Stuck {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        Err(ErrorKind::Other)
    }
}

#[test]
fn a_pin_that_can_not_be_switched_is_named() {
    let lines = Function::ALL.map(|function| Line::new(function, Stuck, false));
    let mut outputs = HalOutput::new(lines.into()).unwrap();
    let PortError::Failed(said) = outputs.lamp(Some(Verdict::Refer)).unwrap_err() else { panic!("not a failure") };
    assert!(said.contains("`lamp_refer`"), "{said}");
    let deadline = Instant::now() + PATIENCE;
    while outputs.tone(Cue::Admit, Volume::FULL).is_ok() {
        assert!(Instant::now() < deadline, "a buzzer that fails is never told");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn sim() -> Board {
    Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap()
}

fn trace(state: &Path) -> Vec<(u64, String, String)> {
    let text = std::fs::read_to_string(state.join("gpio.jsonl")).unwrap();
    let edge = |line: &str| {
        let edge: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| edge[key].as_str().unwrap().to_owned();
        (edge["t_ms"].as_u64().unwrap(), word("pin"), word("level"))
    };
    text.lines().map(edge).collect()
}

#[test]
fn a_trace_holds_every_edge_and_nothing_else_at_once() {
    let state = tempfile::tempdir().unwrap();
    let mut ports = GatePorts::of(&sim(), state.path(), Teller::Technician).unwrap();
    let mut outputs = ports.lanes.remove(0).outputs;
    assert_eq!(trace(state.path()), [], "off is where a pin starts");
    let before = ports.clock.mono_ms();
    for closed in [true, true, false, false, true] {
        outputs.relay(closed).unwrap();
    }
    let edges = trace(state.path());
    let levels: Vec<_> = edges.iter().map(|(_, pin, level)| (pin.as_str(), level.as_str())).collect();
    assert_eq!(levels, [("relay", "high"), ("relay", "low"), ("relay", "high")]);
    assert!(edges.iter().all(|(t_ms, ..)| (before..=ports.clock.mono_ms()).contains(t_ms)));
}

#[test]
fn an_active_low_pin_is_traced_by_its_level() {
    let state = tempfile::tempdir().unwrap();
    let mut board = sim();
    board.outputs.wiring = Wiring::Trace { path: "gpio.jsonl".into(), active_low: vec![Function::Relay] };
    let mut outputs = GatePorts::of(&board, state.path(), Teller::Technician).unwrap().lanes.remove(0).outputs;
    outputs.relay(true).unwrap();
    assert_eq!(trace(state.path())[0].2, "low");
}

#[test]
fn a_pin_keeps_the_level_that_a_killed_gate_left_until_the_next_one_puts_it_to_rest() {
    let state = tempfile::tempdir().unwrap();
    let left =
        "{\"t_ms\":7,\"pin\":\"relay\",\"level\":\"high\"}\n{\"t_ms\":8,\"pin\":\"lamp_admit\",\"level\":\"high\"}\n";
    std::fs::write(state.path().join("gpio.jsonl"), left).unwrap();
    let ports = GatePorts::of(&sim(), state.path(), Teller::Technician).unwrap();
    let edges = trace(state.path());
    let levels: Vec<_> = edges[2..].iter().map(|(_, pin, level)| (pin.as_str(), level.as_str())).collect();
    assert_eq!(levels, [("relay", "low"), ("lamp_admit", "low")]);
    drop(ports);
}

#[test]
fn a_passive_buzzer_keeps_the_rhythm_of_a_verdict() {
    let state = tempfile::tempdir().unwrap();
    let mut board = sim();
    board.outputs.buzzer = BuzzerDrive::Passive { hz: 2700, duty_percent: 50, hardware: false };
    let mut outputs = GatePorts::of(&board, state.path(), Teller::Technician).unwrap().lanes.remove(0).outputs;
    outputs.tone(Cue::Refer, Volume::FULL).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while trace(state.path()).len() < 6 {
        assert!(Instant::now() < deadline, "{:?}", trace(state.path()));
        std::thread::sleep(Duration::from_millis(10));
    }
    let edges = trace(state.path());
    let levels: Vec<_> = edges.iter().map(|(_, pin, level)| (pin.as_str(), level.as_str())).collect();
    assert_eq!(levels, [("buzzer", "high"), ("buzzer", "low")].repeat(3));
}

#[test]
fn an_admission_is_one_frame_of_wiegand_and_an_end_of_a_pulse_is_none() {
    let state = tempfile::tempdir().unwrap();
    let mut board = sim();
    let frame = WiegandFrame::W26 { facility: 101, card: 4095 };
    board.outputs.wiegand = Some(Wiegand { frame, d0: 0, d1: 0, inverted: true, pulse_us: 100, gap_us: 2000 });
    let mut outputs = GatePorts::of(&board, state.path(), Teller::Technician).unwrap().lanes.remove(0).outputs;
    let begun = Instant::now();
    outputs.relay(true).unwrap();
    outputs.relay(false).unwrap();
    let waited = begun.elapsed();
    drop(outputs);
    let edges = trace(state.path());
    let bits: String = edges
        .iter()
        .filter(|(_, _, level)| level == "high")
        .filter_map(|(_, pin, _)| pin.strip_prefix("wiegand_d"))
        .collect();
    assert_eq!(bits, "00110010100001111111111111", "a high pin pulls the line low");
    let frame_ms = u128::from(edges.last().unwrap().0 - edges[0].0);
    assert!(waited.as_millis() < frame_ms, "the lane waited {waited:?} of {frame_ms} ms");
}

#[test]
fn a_state_directory_that_is_a_file_is_told() {
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state");
    std::fs::write(&state, "").unwrap();
    let Err(error) = GatePorts::of(&sim(), &state, Teller::Technician).map(drop) else { panic!("taken") };
    assert!(error.to_string().contains("state"), "{error}");
}

#[test]
fn a_trace_that_can_not_be_written_is_told() {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir(state.path().join("gpio.jsonl")).unwrap();
    let Err(error) = GatePorts::of(&sim(), state.path(), Teller::Technician).map(drop) else { panic!("taken") };
    assert!(error.to_string().contains("gpio.jsonl") && error.to_string().contains("outputs.trace"), "{error}");
}
