//! The switches of a board, behind [`menshen_lane::ports::GateInput`]: button, presence sensor, and what the relay's guard
//! says of the fire alarm.
//!
//! Pins are `embedded-hal` pins, so the same code reads the header, a file and a script. They are looked at a hundred times
//! a second by whoever waits; no thread runs for them. The pin of the fire alarm is not read here: it belongs to the
//! relay's guard, which acts on it whatever this program does.

mod debounce;
mod pi;

use crate::board::{self, Input, Switch, SwitchAt};
use crate::sim::SimSwitch;
pub use debounce::Debounced;
use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin};
use menshen_lane::ports::{GateInput, Open, PortError, Sensed};
pub(crate) use pi::header_pin;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the pins are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Opens the switches of a board, `None` where it has none; relative paths are within `state_dir`. `alarm` is what the
/// relay's guard says of the fire alarm.
pub fn opener(board: &board::Inputs, state_dir: &Path, alarm: Option<Arc<AtomicBool>>) -> Option<Open<dyn GateInput>> {
    let alarm = alarm.filter(|_| board.fire_alarm.is_some());
    if board.button.is_none() && board.presence.is_none() && alarm.is_none() {
        return None;
    }
    let (board, state_dir) = (board.clone(), state_dir.to_owned());
    let told_alarm = Arc::new(AtomicBool::new(false));
    Some(Box::new(move || {
        let open = |switch: &Option<Switch>, input: Input| {
            switch.as_ref().map(|switch| open_switch(switch, input, &state_dir)).transpose()
        };
        let (button, presence) = (open(&board.button, Input::Button)?, open(&board.presence, Input::Presence)?);
        let inputs = Inputs::new(button, presence, alarm.clone());
        Ok(Box::new(Inputs { told_alarm: told_alarm.clone(), ..inputs }))
    }))
}

fn open_switch(switch: &Switch, input: Input, state_dir: &Path) -> Result<Debounced<AnyPin>, PortError> {
    let pin = match &switch.at {
        SwitchAt::Header { bcm, pull } => AnyPin::new(header_pin(*bcm, *pull).map_err(PortError::Absent)?),
        SwitchAt::File { control } => AnyPin::new(SimSwitch::new(state_dir.join(control), input.name())),
    };
    Ok(debounced(pin, switch))
}

/// A pin as its board says it is wired.
pub(crate) fn debounced(pin: AnyPin, switch: &Switch) -> Debounced<AnyPin> {
    Debounced::new(pin, switch.active_low, Duration::from_millis(switch.debounce_ms.into()))
}

/// What a gate feels, on any pins.
pub struct Inputs<P> {
    button: Option<Debounced<P>>,
    presence: Option<Debounced<P>>,
    alarm: Option<Arc<AtomicBool>>,
    /// Whether the button has been seen up: one that is held when the gate starts was pressed for somebody else.
    armed: bool,
    /// What was said last of the alarm, also before the switches were opened again: an alarm that ended meanwhile is told.
    told_alarm: Arc<AtomicBool>,
}

impl<P: InputPin> Inputs<P> {
    /// The switches that there are.
    pub fn new(
        button: Option<Debounced<P>>,
        presence: Option<Debounced<P>>,
        alarm: Option<Arc<AtomicBool>>,
    ) -> Inputs<P> {
        Inputs { button, presence, alarm, armed: false, told_alarm: Arc::default() }
    }

    /// Looks at everything once.
    ///
    /// # Errors
    /// [`PortError::Failed`], which names the switch.
    pub fn look(&mut self, now: Instant) -> Result<Option<Sensed>, PortError> {
        if let Some(alarm) = &self.alarm {
            let lasts = alarm.load(Ordering::SeqCst);
            if lasts != self.told_alarm.swap(lasts, Ordering::SeqCst) {
                return Ok(Some(Sensed::FireAlarm(lasts)));
            }
        }
        if let Some(button) = &mut self.button
            && let Some(down) = button.look(now).map_err(|error| failed(Input::Button, &error))?
        {
            let pressed = down && self.armed;
            self.armed = true;
            if pressed {
                return Ok(Some(Sensed::Button));
            }
        }
        let Some(presence) = &mut self.presence else { return Ok(None) };
        let changed = presence.look(now).map_err(|error| failed(Input::Presence, &error))?;
        Ok(changed.map(Sensed::Presence))
    }
}

impl<P: InputPin + Send> GateInput for Inputs<P> {
    fn sensed(&mut self, timeout: Duration) -> Result<Option<Sensed>, PortError> {
        let until = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            let sensed = self.look(now)?;
            if sensed.is_some() || now >= until {
                return Ok(sensed);
            }
            std::thread::sleep(LOOK_EVERY.min(until - now));
        }
    }
}

fn failed(input: Input, error: &impl Error) -> PortError {
    let name = input.name();
    PortError::Failed(format!("cannot read the input `{name}` ({error:?}): check `inputs` in the board file"))
}

/// An input pin of any kind.
pub(crate) struct AnyPin(Box<dyn InputPin<Error = ErrorKind> + Send>);

impl AnyPin {
    pub(crate) fn new<P: InputPin + Send + 'static>(pin: P) -> AnyPin {
        AnyPin(Box::new(Plain(pin)))
    }
}

impl ErrorType for AnyPin {
    type Error = ErrorKind;
}

impl InputPin for AnyPin {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        self.0.is_high()
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        self.0.is_low()
    }
}

/// A pin whose error is the kind of its error.
struct Plain<P>(P);

impl<P: InputPin> ErrorType for Plain<P> {
    type Error = ErrorKind;
}

impl<P: InputPin> InputPin for Plain<P> {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        self.0.is_high().map_err(|error| error.kind())
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        self.0.is_low().map_err(|error| error.kind())
    }
}
