//! The GPIO header of a Raspberry Pi.
//!
//! rppal is built with its `embedded-hal` 1.0 traits only: in its traits for 0.2, `is_low()` answers
//! the opposite. A pin goes back to what it was when it is dropped.

use rppal::gpio::{Error, Gpio, OutputPin};

use super::Line;
use crate::board::{BoardError, Pin};

/// The lines of these pins, each already at its "off" level when it becomes an output.
pub(super) fn lines(pins: &[Pin]) -> Result<Vec<Line<OutputPin>>, BoardError> {
    let gpio = Gpio::new().map_err(|error| refused(None, &error))?;
    pins.iter().map(|pin| line(&gpio, *pin).map_err(|error| refused(Some(*pin), &error))).collect()
}

fn line(gpio: &Gpio, pin: Pin) -> Result<Line<OutputPin>, Error> {
    let free = gpio.get(pin.bcm)?;
    let output = if pin.active_low { free.into_output_high() } else { free.into_output_low() };
    Ok(Line::new(pin.function, output, pin.active_low))
}

fn refused(pin: Option<Pin>, error: &Error) -> BoardError {
    let what = match pin {
        Some(pin) => format!("GPIO {} for `{}`", pin.bcm, pin.function.name()),
        None => "the GPIO header".to_owned(),
    };
    let remedy = match error {
        Error::UnknownModel => "this is no known Raspberry Pi; use boards/sim.toml on other machines",
        Error::PermissionDenied(_) => "let this user into the group gpio",
        Error::PinUsed(_) | Error::PinNotAvailable(_) => "correct `outputs.pins` in the board file",
        _ => "check that the kernel offers /dev/gpiomem or /dev/gpiochip0",
    };
    BoardError::Outputs(format!("cannot use {what}: {error}; {remedy}"))
}
