//! The I²C bus of a Raspberry Pi.

use menshen_lane::ports::PortError;
use rppal::i2c::I2c;

/// Opens a bus by its number.
pub(super) fn bus(bus: u8) -> Result<I2c, PortError> {
    I2c::with_bus(bus).map_err(|error| {
        PortError::Absent(format!(
            "cannot open I2C bus {bus} of the clock chip ({error}): write dtparam=i2c_arm=on in config.txt, and let this \
             user into the group i2c"
        ))
    })
}
