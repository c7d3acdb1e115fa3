//! Relay, lamps, buzzer and Wiegand of a board, behind [`menshen_lane::ports::GateOutput`].
//!
//! Everything is written against `embedded-hal` pins, so the same code drives the header of a Raspberry Pi and the trace
//! file that stands in for it. Which level means "on" is the wiring's affair and ends at [`Line`]: nobody above it speaks
//! of high and low. The relay is not driven here: its [guard] owns the pin.
//!
//! Invariants: everything is off when it is made and off again when it is dropped; at most one lamp is
//! lit; a function without a pin is quietly absent.

mod buzzer;
pub mod guard;
mod pi;
mod trace;
mod wiegand;
mod wiegand_frame;

use embedded_hal::digital::OutputPin;
use menshen_core::decide::Verdict;
use menshen_lane::ports::{self, GateOutput, PortError};
use menshen_lane::sound::{Cue, Volume};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use guard::GuardAs;
pub(crate) use pi::gpio_remedy;
pub use wiegand::{Lines, Timing};
pub use wiegand_frame::Frame;

use crate::board::{self, Board, BoardError, BuzzerDrive, Function, Pin, SwitchAt, Wiring};
use buzzer::{Buzzer, Passive};
use guard::{Guard, Order, RelayAt};
use trace::{TraceFile, TracePin, TracePwm};
use wiegand::{Sender, Wait};

/// Which guard is in charge of the relay, within the state directory.
const IN_CHARGE: &str = "relay-guard.pid";

/// The outputs of a board.
pub struct Outputs {
    relay: Option<Guard>,
    wiegand: Option<Sender>,
    signals: Box<dyn Signals>,
}

/// Opens the outputs of a board; relative paths are within `state_dir`, and `clock` stamps a trace.
///
/// # Errors
/// [`BoardError::Outputs`] where the header or the trace file can not be used.
pub fn open(
    board: &Board,
    state_dir: &Path,
    clock: &dyn ports::Clock,
    guard_as: &GuardAs,
) -> Result<Outputs, BoardError> {
    let unusable = |error: PortError| BoardError::Outputs(error.to_string());
    let outputs = &board.outputs;
    let t0_ms = trace::t0_ms(clock);
    // The guard first: it must not change what a pin is while this process does.
    let order = relay_order(board, state_dir, t0_ms, guard_as);
    let relay = order.map(|order| Guard::start(order, guard_as.clone())).transpose()?;
    let wiegand = match (&outputs.wiegand, &outputs.wiring) {
        (None, _) => None,
        (Some(wiegand), Wiring::Header(_)) => Some(header_wiegand(wiegand)?),
        (Some(wiegand), Wiring::Trace { path, .. }) => {
            let file = TraceFile::open(&state_dir.join(path), t0_ms).map_err(unusable)?;
            Some(trace_wiegand(&file, wiegand)?)
        }
    };
    let signals = open_signals(board, state_dir, t0_ms)?;
    Ok(Outputs { relay, wiegand, signals })
}

/// Takes the relay's power away, darkens the lamps and silences the buzzer of one lane, for a gate that was killed
/// together with its guard.
///
/// # Errors
/// [`BoardError::Outputs`] where a pin can not be used; the relay is seen to first.
pub fn rest(board: &Board, state_dir: &Path) -> Result<(), BoardError> {
    let order = relay_order(board, state_dir, 0, &GuardAs::Thread);
    order.map_or(Ok(()), |order| Guard::start(order, GuardAs::Thread).map(drop))?;
    // What opens them switches them off.
    open_signals(board, state_dir, 0).map(drop)
}

fn open_signals(board: &Board, state_dir: &Path, t0_ms: u64) -> Result<Box<dyn Signals>, BoardError> {
    let outputs = &board.outputs;
    Ok(match &outputs.wiring {
        Wiring::Header(pins) => Box::new(header_signals(pins, outputs.buzzer)?),
        Wiring::Trace { path, active_low } => {
            let unusable = |error: PortError| BoardError::Outputs(error.to_string());
            let file = TraceFile::open(&state_dir.join(path), t0_ms).map_err(unusable)?;
            Box::new(trace_signals(&file, active_low, outputs.buzzer).map_err(unusable)?)
        }
    })
}

/// What the guard of a board's relay is to do; `None` where there is no relay.
fn relay_order(board: &Board, state_dir: &Path, t0_ms: u64, guard_as: &GuardAs) -> Option<Order> {
    let (relay, active_low) = match &board.outputs.wiring {
        Wiring::Header(pins) => {
            let pin = pins.iter().find(|pin| pin.function == Function::Relay)?;
            (RelayAt::Header { bcm: pin.bcm }, pin.active_low)
        }
        Wiring::Trace { path, active_low } => {
            (RelayAt::Trace { path: state_dir.join(path), t0_ms }, active_low.contains(&Function::Relay))
        }
    };
    let mut alarm = board.inputs.fire_alarm.clone();
    if let Some(SwitchAt::File { control }) = alarm.as_mut().map(|alarm| &mut alarm.at) {
        *control = state_dir.join(&control);
    }
    let outlives = matches!(guard_as, GuardAs::Process(_));
    let in_charge = outlives.then(|| state_dir.join(IN_CHARGE));
    Some(Order { relay, active_low, rules: board.outputs.relay, alarm, in_charge, outlives })
}

fn header_signals(pins: &[Pin], drive: BuzzerDrive) -> Result<HalOutput<rppal::gpio::OutputPin>, BoardError> {
    let unusable = |error: PortError| BoardError::Outputs(error.to_string());
    let mut lines = Vec::new();
    let mut passive = None;
    for pin in pins.iter().filter(|pin| pin.function != Function::Relay) {
        match (pin.function, drive) {
            (Function::Buzzer, BuzzerDrive::Passive { hz, duty_percent, hardware: true }) => {
                let pwm = pi::HardPwm::open(*pin, hz)?;
                passive = Some(Buzzer::start(Passive::new(pwm, duty_percent)).map_err(unusable)?);
            }
            (Function::Buzzer, BuzzerDrive::Passive { hz, duty_percent, hardware: false }) => {
                let pwm = pi::SoftPwm::open(*pin, hz)?;
                passive = Some(Buzzer::start(Passive::new(pwm, duty_percent)).map_err(unusable)?);
            }
            _ => lines.push(pi::line(*pin)?),
        }
    }
    let mut signals = HalOutput::new(lines).map_err(unusable)?;
    signals.buzzer = passive.or(signals.buzzer.take());
    Ok(signals)
}

fn trace_signals(
    file: &TraceFile,
    active_low: &[Function],
    drive: BuzzerDrive,
) -> Result<HalOutput<TracePin>, PortError> {
    let mut lines = trace::lines(file, active_low);
    let BuzzerDrive::Passive { duty_percent, .. } = drive else { return HalOutput::new(lines) };
    lines.retain(|line| line.function != Function::Buzzer);
    let mut signals = HalOutput::new(lines)?;
    let pwm = TracePwm(file.pin(Function::Buzzer.name(), false));
    signals.buzzer = Some(Buzzer::start(Passive::new(pwm, duty_percent))?);
    Ok(signals)
}

fn header_wiegand(wiegand: &board::Wiegand) -> Result<Sender, BoardError> {
    let pin = |bcm, name| pi::output(bcm, !wiegand.inverted, name);
    start_sender(wiegand, pin(wiegand.d0, "wiegand.d0")?, pin(wiegand.d1, "wiegand.d1")?)
}

fn trace_wiegand(file: &TraceFile, wiegand: &board::Wiegand) -> Result<Sender, BoardError> {
    let pin = |name| file.pin(name, !wiegand.inverted);
    start_sender(wiegand, pin("wiegand_d0"), pin("wiegand_d1"))
}

fn start_sender<P: OutputPin + Send + 'static>(wiegand: &board::Wiegand, d0: P, d1: P) -> Result<Sender, BoardError> {
    let lines = Lines::new(d0, d1, wiegand.inverted, Wait).map_err(|error| {
        BoardError::Outputs(format!("cannot put the lines of Wiegand at rest ({error:?}): check `outputs.wiegand`"))
    })?;
    let timing = Timing { pulse_us: wiegand.pulse_us, gap_us: wiegand.gap_us };
    Sender::start(lines, Frame::of(wiegand.frame), timing).map_err(|error| BoardError::Outputs(error.to_string()))
}

impl Outputs {
    /// Whether the fire alarm lasts, by the relay's guard; `None` without a relay.
    pub fn alarm(&self) -> Option<Arc<AtomicBool>> {
        self.relay.as_ref().map(Guard::alarm)
    }

    /// Whether the relay has a guard; `None` without a relay.
    pub fn guarded(&self) -> Option<Arc<AtomicBool>> {
        self.relay.as_ref().map(Guard::guarded)
    }
}

impl GateOutput for Outputs {
    fn relay(&mut self, closed: bool) -> Result<(), PortError> {
        // First, because it never waits; and also where the relay fails, because the controller has a lock of its own.
        let told = self.wiegand.as_ref().filter(|_| closed).map_or(Ok(()), Sender::admit);
        self.relay.as_ref().map_or(Ok(()), |relay| relay.pass(closed)).and(told)
    }

    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError> {
        self.signals.lamp(lit)
    }

    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        self.signals.tone(cue, volume)
    }

    fn relay_fault(&self) -> Option<String> {
        self.relay.as_ref().and_then(Guard::fault)
    }

    fn controller_fault(&self) -> Option<String> {
        self.wiegand.as_ref().and_then(Sender::fault)
    }
}

/// What tells people the verdict.
trait Signals: Send {
    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError>;
    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError>;
}

/// A pin and the level that switches it on.
pub struct Line<P> {
    function: Function,
    pin: P,
    active_low: bool,
}

impl<P: OutputPin> Line<P> {
    /// A function on a pin that a high level switches on, or a low one if `active_low`.
    pub fn new(function: Function, pin: P, active_low: bool) -> Line<P> {
        Line { function, pin, active_low }
    }

    fn set(&mut self, on: bool) -> Result<(), PortError> {
        let set = if on == self.active_low { self.pin.set_low() } else { self.pin.set_high() };
        set.map_err(|error| {
            let name = self.function.name();
            PortError::Failed(format!(
                "cannot switch the output `{name}` ({error:?}): check `outputs` in the board file"
            ))
        })
    }
}

/// Lamps and buzzer of a gate on any pins.
pub struct HalOutput<P: OutputPin> {
    lamps: Vec<(Verdict, Line<P>)>,
    buzzer: Option<Buzzer>,
}

impl<P: OutputPin + Send + 'static> HalOutput<P> {
    /// Takes the lines, one a function at most, and switches all of them off. A relay among them is left off: whoever
    /// holds it open is its guard.
    ///
    /// # Errors
    /// [`PortError::Failed`] where a pin can not be set, or the buzzer's thread not be started.
    pub fn new(lines: Vec<Line<P>>) -> Result<HalOutput<P>, PortError> {
        let mut outputs = HalOutput { lamps: Vec::new(), buzzer: None };
        for mut line in lines {
            line.set(false)?;
            match line.function {
                Function::Relay => {}
                Function::LampAdmit => outputs.lamps.push((Verdict::Admit, line)),
                Function::LampRefer => outputs.lamps.push((Verdict::Refer, line)),
                Function::LampRefuse => outputs.lamps.push((Verdict::Refuse, line)),
                Function::Buzzer => outputs.buzzer = Some(Buzzer::start(line)?),
            }
        }
        Ok(outputs)
    }
}

impl<P: OutputPin + Send> HalOutput<P> {
    /// Lights the lamp of a verdict and darkens the others; `None` darkens all.
    ///
    /// # Errors
    /// [`PortError::Failed`], which names the lamp; the others are set all the same.
    pub fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError> {
        light(&mut self.lamps, lit)
    }

    /// Starts the rhythm of a cue and returns at once.
    ///
    /// # Errors
    /// [`PortError::Failed`] where the pin failed since the last tone.
    pub fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        self.buzzer.as_ref().map_or(Ok(()), |buzzer| buzzer.play(cue, volume))
    }
}

impl<P: OutputPin + Send> Signals for HalOutput<P> {
    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError> {
        HalOutput::lamp(self, lit)
    }

    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        HalOutput::tone(self, cue, volume)
    }
}

impl<P: OutputPin> Drop for HalOutput<P> {
    fn drop(&mut self) {
        // Nobody is left to be told of a pin that fails now.
        let _ = light(&mut self.lamps, None);
    }
}

/// Darkens all lamps but one, then lights that one; a lamp that fails does not keep the others.
fn light<P: OutputPin>(lamps: &mut [(Verdict, Line<P>)], lit: Option<Verdict>) -> Result<(), PortError> {
    let mut result = Ok(());
    for (verdict, lamp) in lamps.iter_mut() {
        if Some(*verdict) != lit {
            result = result.and(lamp.set(false));
        }
    }
    for (verdict, lamp) in lamps {
        if Some(*verdict) == lit {
            result = result.and(lamp.set(true));
        }
    }
    result
}
