//! Input pins of a Raspberry Pi's header.

use crate::board::Pull;
use crate::outputs::gpio_remedy;
use rppal::gpio::{Error, Gpio, InputPin};

/// A pin as an input with its resistor; one sentence where it can not be had.
pub(crate) fn header_pin(bcm: u8, pull: Pull) -> Result<InputPin, String> {
    let open = || -> Result<InputPin, Error> {
        let pin = Gpio::new()?.get(bcm)?;
        let mut pin = match pull {
            Pull::Up => pin.into_input_pullup(),
            Pull::Down => pin.into_input_pulldown(),
            Pull::Off => pin.into_input(),
        };
        // Another guard may be reading it: without its resistor an alarm's open loop would float.
        pin.set_reset_on_drop(false);
        Ok(pin)
    };
    open()
        .map_err(|error| format!("cannot use GPIO {bcm} as an input: {error}; {}", gpio_remedy(&error, "inputs.pins")))
}
