//! What a gate feels: contacts that bounce, a button that is held, somebody who comes, an alarm.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use embedded_hal::digital::{ErrorKind, ErrorType, InputPin};
use menshen_gate::board::{Board, Input, Switch, SwitchAt};
use menshen_gate::clock::Teller;
use menshen_gate::gate::GatePorts;
use menshen_gate::inputs::{Debounced, Inputs};
use menshen_lane::ports::{GateInput, PortError, Sensed};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A pin whose level somebody else sets.
#[derive(Clone, Default)]
struct Wire(Arc<AtomicBool>);

impl Wire {
    fn set(&self, high: bool) {
        self.0.store(high, Ordering::SeqCst);
    }

    fn debounced(&self, active_low: bool, ms: u64) -> Debounced<Wire> {
        Debounced::new(self.clone(), active_low, Duration::from_millis(ms))
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl InputPin for Wire {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.load(Ordering::SeqCst))
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        self.is_high().map(|high| !high)
    }
}

/// Plays a script of (millisecond, level) on a wire, looking each 5 ms; gives what was told and when.
fn told(script: &[(u64, bool)], mut look: impl FnMut(Instant) -> Option<Sensed>, wire: &Wire) -> Vec<(u64, Sensed)> {
    let begun = Instant::now();
    let end_ms = script.last().unwrap().0 + 500;
    let mut told = Vec::new();
    for at_ms in (0..end_ms).step_by(5) {
        script.iter().filter(|(from_ms, _)| *from_ms <= at_ms).for_each(|(_, high)| wire.set(*high));
        told.extend(look(begun + Duration::from_millis(at_ms)).map(|sensed| (at_ms, sensed)));
    }
    told
}

#[test]
fn a_contact_that_bounces_is_one_press() {
    let wire = Wire::default();
    let mut inputs = Inputs::new(Some(wire.debounced(false, 30)), None, None);
    let bounces =
        [(100, true), (105, false), (110, true), (120, false), (125, true), (300, false), (305, true), (310, false)];
    let told = told(&bounces, |now| inputs.look(now).unwrap(), &wire);
    assert_eq!(told, [(155, Sensed::Button)], "30 ms after the last bounce, and not again when it is let go");
}

#[test]
fn looks_that_are_few_or_far_apart_change_nothing() {
    let begun = Instant::now();
    let (wire, ms) = (Wire::default(), |ms| begun + Duration::from_millis(ms));
    let mut pin = wire.debounced(false, 30);
    let mut look = |at_ms| pin.look(ms(at_ms)).unwrap();
    assert_eq!([0, 15, 30].map(&mut look), [None, None, Some(false)]);
    wire.set(true);
    assert_eq!([100, 130].map(&mut look), [None, None], "two looks");
    assert_eq!([200, 300, 400, 500].map(&mut look), [None; 4], "nobody saw what was between them");
    assert_eq!([520, 530].map(&mut look), [None, Some(true)]);
}

#[test]
fn a_button_that_is_held_when_the_gate_starts_lets_nobody_in_until_it_is_pressed_again() {
    for active_low in [false, true] {
        let wire = Wire::default();
        let mut inputs = Inputs::new(Some(wire.debounced(active_low, 30)), None, None);
        let held = [(0, !active_low), (200, active_low), (400, !active_low)];
        let told = told(&held, |now| inputs.look(now).unwrap(), &wire);
        assert_eq!(told, [(430, Sensed::Button)], "active low: {active_low}");
    }
}

#[test]
fn presence_is_told_when_it_is_first_known_and_when_it_changes() {
    let wire = Wire::default();
    let mut inputs = Inputs::new(None, Some(wire.debounced(false, 100)), None);
    // A shadow of 60 ms is nobody.
    let script = [(0, false), (200, true), (260, false), (500, true), (900, false)];
    let told = told(&script, |now| inputs.look(now).unwrap(), &wire);
    let expected = [(100, Sensed::Presence(false)), (600, Sensed::Presence(true)), (1000, Sensed::Presence(false))];
    assert_eq!(told, expected);
}

#[test]
fn the_alarm_is_told_once_when_it_begins_and_once_when_it_ends() {
    let alarm = Arc::new(AtomicBool::new(false));
    let mut inputs = Inputs::<Wire>::new(None, None, Some(Arc::clone(&alarm)));
    let mut look = || inputs.look(Instant::now()).unwrap();
    assert_eq!(look(), None);
    alarm.store(true, Ordering::SeqCst);
    assert_eq!([look(), look()], [Some(Sensed::FireAlarm(true)), None]);
    alarm.store(false, Ordering::SeqCst);
    assert_eq!([look(), look()], [Some(Sensed::FireAlarm(false)), None]);
}

struct Broken;

impl ErrorType for Broken {
    type Error = ErrorKind;
}

impl InputPin for Broken {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Other)
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Other)
    }
}

#[test]
fn a_pin_that_can_not_be_read_is_named() {
    let presence = Debounced::new(Broken, false, Duration::from_millis(100));
    let mut inputs = Inputs::new(None, Some(presence), None);
    let Err(PortError::Failed(said)) = inputs.sensed(Duration::ZERO) else { panic!("not a failure") };
    assert!(said.contains("`presence`") && said.contains("inputs"), "{said}");
}

fn simulated() -> Board {
    let mut board = Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap();
    let at = SwitchAt::File { control: "inputs.txt".into() };
    let switch = Some(Switch { at, active_low: false, debounce_ms: 20 });
    (board.inputs.button, board.inputs.presence) = (switch.clone(), switch.clone());
    board.inputs.fire_alarm = switch;
    board
}

#[test]
fn simulated_switches_follow_the_words_of_a_file_and_the_alarm_comes_by_way_of_the_guard() {
    assert_eq!(Input::ALL.map(Input::name), ["button", "presence", "fire_alarm"]);
    let state = tempfile::tempdir().unwrap();
    let mut ports = GatePorts::of(&simulated(), state.path(), Teller::Technician).unwrap();
    let lane = ports.lanes.remove(0);
    // With its guard, which reads the alarm.
    let (mut inputs, _outputs) = (lane.inputs.unwrap()().unwrap(), lane.outputs);
    let mut expect = |words: &str, expected: &[Sensed]| {
        std::fs::write(state.path().join("inputs.txt"), words).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let mut left = expected.to_vec();
        while !left.is_empty() {
            assert!(Instant::now() < deadline, "{words:?} lacks {left:?}");
            if let Some(sensed) = inputs.sensed(Duration::from_millis(100)).unwrap() {
                let at = left.iter().position(|other| *other == sensed).expect("it is expected");
                left.remove(at);
            }
        }
        assert_eq!(inputs.sensed(Duration::from_millis(100)).unwrap(), None, "{words:?}");
    };
    expect("", &[Sensed::Presence(false)]);
    expect("presence button", &[Sensed::Presence(true), Sensed::Button]);
    expect("presence fire", &[Sensed::FireAlarm(true)]);
    expect("button", &[Sensed::FireAlarm(false), Sensed::Presence(false), Sensed::Button]);
}

#[test]
fn a_board_without_switches_has_no_such_port() {
    let state = tempfile::tempdir().unwrap();
    let board = Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap();
    assert!(GatePorts::of(&board, state.path(), Teller::Technician).unwrap().lanes.remove(0).inputs.is_none());
}
