//! What a relay guard is to guard: the pins and the limits, as one JSON text on its command line.
//!
//! A guard reads no board file: it must start within milliseconds when the one before it was killed, and do exactly what
//! the gate that starts it believes, also when somebody has changed the file meanwhile.

use super::super::trace::TraceFile;
use super::super::{Line, pi};
use super::watch::{Alarm, Relay, Rules};
use crate::board::{Fail, Function, RelayRules, Switch, SwitchAt};
use crate::inputs;
use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What to guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Where the relay is.
    pub relay: RelayAt,
    /// Whether a low level gives the relay power.
    pub active_low: bool,
    /// Its limits.
    pub rules: RelayRules,
    /// The fire alarm, with an absolute path where it is a file.
    pub alarm: Option<Switch>,
    /// Says which guard is in charge, for one that outlives its gate while the alarm lasts; `None` for a guard that does
    /// not.
    pub in_charge: Option<PathBuf>,
    /// Whether it outlives its gate while the alarm lasts.
    pub outlives: bool,
}

/// Where the relay is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelayAt {
    /// A pin of the header.
    Header {
        /// Its BCM number, 0..=27.
        bcm: u8,
    },
    /// A trace.
    Trace {
        /// The file.
        path: PathBuf,
        /// When its time began, by the counter that runs since boot, in milliseconds.
        t0_ms: u64,
    },
}

impl Order {
    /// Opens the pins.
    pub(super) fn open(&self) -> Result<(Relay<AnyPin>, Option<Alarm>, Rules), String> {
        let energised_at_rest = self.rules.fail == Fail::Safe;
        // The alarm first: what it says decides where the relay goes when it becomes an output.
        let alarm = self.alarm.as_ref().map(Alarm::open).transpose()?;
        let begins_open = alarm.as_ref().is_some_and(Alarm::lasts);
        let pin = match &self.relay {
            RelayAt::Header { bcm } => {
                let energised = energised_at_rest != begins_open;
                AnyPin::new(pi::held_pin(*bcm, energised != self.active_low).map_err(|error| error.to_string())?)
            }
            RelayAt::Trace { path, t0_ms } => {
                let file = TraceFile::open(path, *t0_ms).map_err(|error| error.to_string())?;
                AnyPin::new(file.pin(Function::Relay.name(), self.active_low))
            }
        };
        let relay = Relay::new(Line::new(Function::Relay, pin, self.active_low), self.rules.fail);
        let max = Duration::from_millis(self.rules.max_ms.into());
        let rules = Rules { max, in_charge: self.in_charge.clone(), outlives: self.outlives };
        Ok((relay, alarm, rules))
    }
}

impl Alarm {
    fn open(switch: &Switch) -> Result<Alarm, String> {
        let pin = match &switch.at {
            SwitchAt::Header { bcm, pull } => inputs::AnyPin::new(inputs::header_pin(*bcm, *pull)?),
            SwitchAt::File { control } => inputs::AnyPin::new(crate::sim::SimSwitch::new(control.clone(), "fire")),
        };
        Ok(Alarm::new(inputs::debounced(pin, switch)))
    }
}

/// An output pin of any kind.
pub(super) struct AnyPin(Box<dyn OutputPin<Error = ErrorKind> + Send>);

impl AnyPin {
    fn new<P: OutputPin + Send + 'static>(pin: P) -> AnyPin {
        AnyPin(Box::new(Plain(pin)))
    }
}

impl ErrorType for AnyPin {
    type Error = ErrorKind;
}

impl OutputPin for AnyPin {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.0.set_low()
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.0.set_high()
    }
}

/// A pin whose error is the kind of its error.
struct Plain<P>(P);

impl<P: OutputPin> ErrorType for Plain<P> {
    type Error = ErrorKind;
}

impl<P: OutputPin> OutputPin for Plain<P> {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.0.set_low().map_err(|error| embedded_hal::digital::Error::kind(&error))
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.0.set_high().map_err(|error| embedded_hal::digital::Error::kind(&error))
    }
}
