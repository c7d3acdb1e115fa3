//! Battery-backed clocks of a board: what one is, and how it is opened again and again.
//!
//! The driver is written against any embedded-hal I²C bus ([`Ds3231`]), so the chip on a Pi's header, the one of
//! the simulation and the mock of the tests go through the same code. What a reading is worth is not judged here
//! but in [`menshen_core::clock`]. A chip may vanish and come back: whoever uses it opens it again.

mod command;
mod ds3231;
mod pi;

pub use command::{CommandError, SetTo, run};
pub use ds3231::Ds3231;

use crate::board::ClockSource;
use crate::sim::SimRtc;
use menshen_core::clock::Look;
use menshen_lane::ports::{Open, PortError};
use std::path::Path;

/// A battery-backed clock.
pub trait Rtc: Send {
    /// Reads it, with the flag that it stood still.
    ///
    /// # Errors
    /// [`PortError`] where it does not answer.
    fn read(&mut self) -> Result<Look, PortError>;

    /// Sets it to a moment, in seconds since 1970, and takes away the flag that it stood still.
    ///
    /// # Errors
    /// [`PortError`] where it does not answer, or can not tell such a moment.
    fn set(&mut self, unix_s: u64) -> Result<(), PortError>;
}

/// How the battery-backed clock of a board is opened; `None` where it has none. Relative paths are within `state_dir`.
pub fn opener(source: &ClockSource, state_dir: &Path) -> Option<Open<dyn Rtc>> {
    match source {
        ClockSource::Rtc { bus } => {
            let bus = *bus;
            Some(Box::new(move || {
                Ok(Box::new(Ds3231::new(pi::bus(bus)?, format!("the clock chip (DS3231) on I2C bus {bus}"))))
            }))
        }
        ClockSource::Simulated { control } => {
            let control = state_dir.join(control);
            Some(Box::new(move || {
                let name = format!("the simulated clock chip of {}", control.display());
                Ok(Box::new(Ds3231::new(SimRtc::new(&control), name)))
            }))
        }
        ClockSource::System | ClockSource::Synchronised => None,
    }
}
