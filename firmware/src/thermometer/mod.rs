//! Thermometers of a board, behind [`menshen_lane::ports::Thermometer`].
//!
//! There is one adapter, for serial ports, whatever the unit speaks. A simulated thermometer is a unit that speaks real bytes
//! at the far end of a pseudo-terminal, so it comes through the same adapter.

mod calibration;
mod command;
mod corrected;
mod detect;
mod line;
mod serial;

use std::path::Path;

pub use calibration::CalibrationError;
pub use command::{CommandError, Order, run};
use corrected::Corrected;
use menshen_core::thermo::Protocol;
use menshen_core::thermo::correct::Correction;
use menshen_lane::ports::{self, Open, PortError};

use crate::board::{self, Board};
use crate::sim::{ControlFile, ThermometerUnit};

/// The speed a simulated unit is opened at; a pseudo-terminal has none of its own.
const SIMULATED_BAUD: u32 = 9600;

/// Opens the thermometer of a board, whose readings are corrected by what the board says and by the calibration that is
/// kept in `state_dir`; relative paths are within that.
pub fn opener(board: &Board, state_dir: &Path) -> Option<Open<dyn ports::Thermometer>> {
    let mut open = uncorrected(board.thermometer.as_ref()?, state_dir);
    let (state_dir, correction) = (state_dir.to_owned(), board.correction.clone());
    Some(Box::new(move || {
        // Read anew at each opening: whoever calibrates has the port to himself meanwhile.
        let calibration = calibration::load(&state_dir).map_err(|error| PortError::Absent(error.to_string()))?;
        let correction = Correction { calibration, ..correction.clone() };
        Ok(Box::new(Corrected { unit: open()?, correction }))
    }))
}

/// The same, as the unit says it.
pub(crate) fn uncorrected(thermometer: &board::Thermometer, state_dir: &Path) -> Open<dyn ports::Thermometer> {
    match thermometer {
        board::Thermometer::Serial { port, baud, protocol } => {
            let (port, baud, protocol) = (port.clone(), *baud, *protocol);
            // What was found is tried first when the port comes back.
            let mut found = None;
            Box::new(move || {
                let known = protocol.map(|protocol| (protocol, baud)).or(found.take());
                let (protocol, baud) = match known {
                    Some(known) => known,
                    None => detect::find(&port, baud)?,
                };
                let unit = serial::SerialThermometer::open(&port, baud, protocol)?;
                found = Some((protocol, baud));
                Ok(Box::new(unit))
            })
        }
        board::Thermometer::Simulated { control, protocol } => {
            let (link, control) = (state_dir.join("thermometer.tty"), state_dir.join(control));
            let (mut unit, protocol) = (None, *protocol);
            Box::new(move || {
                if unit.is_none() {
                    unit = Some(start(&link, &control, protocol)?);
                }
                Ok(Box::new(serial::SerialThermometer::open(&link, SIMULATED_BAUD, protocol)?))
            })
        }
    }
}

fn start(link: &Path, control: &Path, protocol: Protocol) -> Result<ControlFile, PortError> {
    let unit = ThermometerUnit::start(link, protocol).map_err(|error| {
        let link = link.display();
        PortError::Absent(format!("cannot start the simulated thermometer at {link}: {error}; check the directory"))
    })?;
    ControlFile::follow(control, unit)
        .map_err(|error| PortError::Absent(format!("cannot start the simulated thermometer's thread: {error}")))
}
