//! Relay, lamps and buzzer of a board, behind [`menshen_lane::ports::GateOutput`].
//!
//! [`HalOutput`] is written against `embedded-hal` pins, so the same code drives the header of a
//! Raspberry Pi and the trace file that stands in for it. Which level means "on" is the wiring's
//! affair and ends at [`Line`]: nobody above it speaks of high and low.
//!
//! Invariants: everything is off when it is made and off again when it is dropped; at most one lamp is
//! lit; a function without a pin is quietly absent.

mod buzzer;
mod pi;
mod trace;

use embedded_hal::digital::OutputPin;
use menshen_core::decide::Verdict;
use menshen_lane::ports::{self, GateOutput, PortError};
use std::path::Path;
use std::sync::Arc;

pub use buzzer::rhythm;
pub use trace::{TraceFile, TracePin};

use crate::board::{self, BoardError, Function};
use buzzer::Buzzer;

/// Opens the outputs of a board; relative paths are within `state_dir`, and `clock` stamps a trace.
///
/// # Errors
/// [`BoardError::Outputs`] where the header or the trace file can not be used.
pub fn open(
    outputs: &board::Outputs,
    state_dir: &Path,
    clock: Arc<dyn ports::Clock>,
) -> Result<Box<dyn GateOutput>, BoardError> {
    let unusable = |error: PortError| BoardError::Outputs(error.to_string());
    match outputs {
        board::Outputs::Rppal(pins) => Ok(Box::new(HalOutput::new(pi::lines(pins)?).map_err(unusable)?)),
        board::Outputs::Trace { path, active_low } => {
            let file = TraceFile::open(&state_dir.join(path), clock).map_err(unusable)?;
            Ok(Box::new(HalOutput::new(trace::lines(&file, active_low)).map_err(unusable)?))
        }
    }
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

/// The outputs of a gate on any pins.
pub struct HalOutput<P: OutputPin> {
    relay: Option<Line<P>>,
    lamps: Vec<(Verdict, Line<P>)>,
    buzzer: Option<Buzzer>,
}

impl<P: OutputPin + Send + 'static> HalOutput<P> {
    /// Takes the lines, one a function at most, and switches all of them off.
    ///
    /// # Errors
    /// [`PortError::Failed`] where a pin can not be set, or the buzzer's thread not be started.
    pub fn new(lines: Vec<Line<P>>) -> Result<HalOutput<P>, PortError> {
        let mut outputs = HalOutput { relay: None, lamps: Vec::new(), buzzer: None };
        for mut line in lines {
            line.set(false)?;
            match line.function {
                Function::Relay => outputs.relay = Some(line),
                Function::LampAdmit => outputs.lamps.push((Verdict::Admit, line)),
                Function::LampRefer => outputs.lamps.push((Verdict::Refer, line)),
                Function::LampRefuse => outputs.lamps.push((Verdict::Refuse, line)),
                Function::Buzzer => outputs.buzzer = Some(Buzzer::start(line)?),
            }
        }
        Ok(outputs)
    }
}

impl<P: OutputPin + Send> GateOutput for HalOutput<P> {
    fn relay(&mut self, closed: bool) -> Result<(), PortError> {
        self.relay.as_mut().map_or(Ok(()), |relay| relay.set(closed))
    }

    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError> {
        light(&mut self.lamps, lit)
    }

    fn tone(&mut self, verdict: Verdict) -> Result<(), PortError> {
        self.buzzer.as_ref().map_or(Ok(()), |buzzer| buzzer.play(verdict))
    }
}

impl<P: OutputPin> Drop for HalOutput<P> {
    fn drop(&mut self) {
        // Nobody is left to be told of a pin that fails now.
        let _ = self.relay.as_mut().map(|relay| relay.set(false));
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
