//! The GPIO header and the PWM channels of a Raspberry Pi.
//!
//! rppal is built with its `embedded-hal` 1.0 traits only: in its traits for 0.2, `is_low()` answers
//! the opposite. A pin goes back to what it was when it is dropped, but for the relay's.
//!
//! Two processes use the header, the gate and the relay's guard. Levels are set by registers that touch one pin at a time;
//! what a pin is (its mode) shares a register with nine others on the models before the Pi 5, so the guard is started
//! before the gate takes its own pins.

use embedded_hal::pwm::{self, SetDutyCycle};
use rppal::gpio::{Error, Gpio, OutputPin};
use rppal::pwm::{Channel, Polarity, Pwm};
use rppal::system::{DeviceInfo, SoC};

use super::Line;
use crate::board::{BoardError, Pin};

/// The duty cycle of all the time.
const MAX_DUTY: u16 = 1000;

/// The line of a pin, already at its "off" level when it becomes an output.
pub(super) fn line(pin: Pin) -> Result<Line<OutputPin>, BoardError> {
    Ok(Line::new(pin.function, output(pin.bcm, pin.active_low, pin.function.name())?, pin.active_low))
}

/// A pin that has this level when it becomes an output; `name` is what it is for.
pub(super) fn output(bcm: u8, high: bool, name: &str) -> Result<OutputPin, BoardError> {
    let open = || -> Result<OutputPin, Error> {
        let free = Gpio::new()?.get(bcm)?;
        Ok(if high { free.into_output_high() } else { free.into_output_low() })
    };
    open().map_err(|error| {
        let remedy = gpio_remedy(&error, "outputs");
        BoardError::Outputs(format!("cannot use GPIO {bcm} for `{name}`: {error}; {remedy}"))
    })
}

/// The relay's pin, which stays an output at its last level when its program is gone: a pin that floats may let an input
/// of a relay module that a low level switches on drift.
pub(super) fn held_pin(bcm: u8, high: bool) -> Result<OutputPin, BoardError> {
    let mut pin = output(bcm, high, "relay")?;
    pin.set_reset_on_drop(false);
    Ok(pin)
}

/// What to do about a pin that can not be had; `table` of the board file names it.
pub(crate) fn gpio_remedy(error: &Error, table: &str) -> String {
    match error {
        Error::UnknownModel => "this is no known Raspberry Pi; use boards/sim.toml on other machines".to_owned(),
        Error::PermissionDenied(_) => "let this user into the group gpio".to_owned(),
        Error::PinUsed(_) | Error::PinNotAvailable(_) => format!("correct `{table}` in the board file"),
        _ => "check that the kernel offers /dev/gpiomem or /dev/gpiochip0".to_owned(),
    }
}

/// A pin that a thread moves to and fro: good enough for a tone, and there on every pin.
pub(super) struct SoftPwm {
    pin: OutputPin,
    hz: u16,
    active_low: bool,
}

impl SoftPwm {
    pub(super) fn open(pin: Pin, hz: u16) -> Result<SoftPwm, BoardError> {
        let output = output(pin.bcm, pin.active_low, pin.function.name())?;
        Ok(SoftPwm { pin: output, hz, active_low: pin.active_low })
    }
}

impl pwm::ErrorType for SoftPwm {
    type Error = PwmError;
}

impl SetDutyCycle for SoftPwm {
    fn max_duty_cycle(&self) -> u16 {
        MAX_DUTY
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), PwmError> {
        if duty == 0 {
            self.pin.clear_pwm()?;
            // The thread ends at a low level, which is not everybody's silence.
            if self.active_low {
                self.pin.set_high();
            } else {
                self.pin.set_low();
            }
            return Ok(());
        }
        let powered = f64::from(duty.min(MAX_DUTY)) / f64::from(MAX_DUTY);
        let high = if self.active_low { 1.0 - powered } else { powered };
        Ok(self.pin.set_pwm_frequency(self.hz.into(), high)?)
    }
}

/// A PWM channel of the chip.
pub(super) struct HardPwm(Pwm);

impl HardPwm {
    pub(super) fn open(pin: Pin, hz: u16) -> Result<HardPwm, BoardError> {
        let polarity = if pin.active_low { Polarity::Inverse } else { Polarity::Normal };
        let open = || Pwm::with_frequency(channel(pin.bcm)?, hz.into(), 0.0, polarity, true);
        open().map(HardPwm).map_err(|error| {
            let bcm = pin.bcm;
            BoardError::Outputs(format!(
                "cannot use the PWM channel of GPIO {bcm} for `buzzer`: {error}; give it to the pin in config.txt \
                 (docs/outputs.md), or write buzzer_pwm = \"software\""
            ))
        })
    }
}

/// Two pins share a channel, but for those of a Pi 5.
fn channel(bcm: u8) -> Result<Channel, rppal::pwm::Error> {
    let has_four = DeviceInfo::new().map_err(|_| rppal::pwm::Error::UnknownModel)?.soc() == SoC::Bcm2712;
    Ok(match (bcm, has_four) {
        (12, _) | (18, false) => Channel::Pwm0,
        (13, _) | (19, false) => Channel::Pwm1,
        (18, true) => Channel::Pwm2,
        (19, true) => Channel::Pwm3,
        _ => return Err(rppal::pwm::Error::InvalidChannel),
    })
}

impl pwm::ErrorType for HardPwm {
    type Error = PwmError;
}

impl SetDutyCycle for HardPwm {
    fn max_duty_cycle(&self) -> u16 {
        MAX_DUTY
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), PwmError> {
        Ok(self.0.set_duty_cycle(f64::from(duty.min(MAX_DUTY)) / f64::from(MAX_DUTY))?)
    }
}

/// A tone that can not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct PwmError(String);

impl From<Error> for PwmError {
    fn from(error: Error) -> PwmError {
        PwmError(error.to_string())
    }
}

impl From<rppal::pwm::Error> for PwmError {
    fn from(error: rppal::pwm::Error) -> PwmError {
        PwmError(error.to_string())
    }
}

impl pwm::Error for PwmError {
    fn kind(&self) -> pwm::ErrorKind {
        pwm::ErrorKind::Other
    }
}
