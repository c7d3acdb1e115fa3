//! `menshen-gate thermometer`: what the unit says, and its calibration, for whoever mounts or services the gate.
//!
//! Two references of known temperature (a calibrator, or water whose thermometer has a certificate), one some degrees below
//! and one above the threshold, are held where foreheads are held, one after the other; each run with `--is` keeps what
//! the unit said of one. The gate does not run meanwhile: a port has one reader.

use super::calibration::{self, CalibrationError};
use super::uncorrected;
use crate::board::Board;
use menshen_core::thermo::Reading;
use menshen_core::thermo::correct::Point;
use menshen_lane::ports::{PortError, Thermometer};
use std::path::Path;
use std::time::{Duration, Instant};

/// So many readings are one measurement: about two seconds of a unit that streams.
const READINGS: usize = 25;
/// They come within this.
const WITHIN: Duration = Duration::from_secs(10);
/// How far they lie apart at most, in hundredths of a degree: the allowed error of a screening unit.
const STEADY_CENTI_C: u16 = 30;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say what the unit says.
    Read,
    /// What is in front of it has this temperature, in hundredths of a degree.
    Is(i16),
    /// Forget its calibration.
    Forget,
}

/// Why nothing is said or kept.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The board has none.
    #[error("the board {name} has no thermometer: write what it is below [thermometer] in its file")]
    None {
        /// The board's name.
        name: String,
    },
    /// The unit.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The calibration.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// Too few readings came.
    #[error("only {found} of {READINGS} readings came in {} s: check the unit's wires", WITHIN.as_secs())]
    Few {
        /// How many did.
        found: usize,
    },
    /// The readings do not agree.
    #[error(
        "the readings go from {low} to {high}: hold the reference still, wait until the unit has its temperature, and measure again"
    )]
    Unsteady {
        /// The lowest.
        low: String,
        /// The highest.
        high: String,
    },
}

/// Does it; gives what to say.
///
/// # Errors
/// [`CommandError`]; nothing is kept then.
pub fn run(board: &Board, state_dir: &Path, order: Order) -> Result<String, CommandError> {
    if order == Order::Forget {
        calibration::forget(state_dir)?;
        return Ok("the calibration is forgotten: readings are as the unit says them".into());
    }
    let thermometer = board.thermometer.as_ref().ok_or_else(|| CommandError::None { name: board.name.clone() })?;
    let mut unit = uncorrected(thermometer, state_dir)()?;
    let said = measure(unit.as_mut())?;
    let points = match order {
        Order::Is(was_centi_c) => {
            let point = Point { said_centi_c: said.temp_centi_c, was_centi_c };
            calibration::add(state_dir, point)?
        }
        Order::Read | Order::Forget => calibration::points(state_dir)?,
    };
    let mut correction = board.correction.clone();
    correction.calibration = calibration::load(state_dir)?;
    let shown = correction.apply(said);
    let mut text = format!(
        "the unit says {} at {} around it; the gate takes that for {}",
        degrees(said.temp_centi_c),
        degrees(said.ambient_centi_c),
        degrees(shown.temp_centi_c)
    );
    for point in &points {
        let (said, was) = (degrees(point.said_centi_c), degrees(point.was_centi_c));
        text.push_str(&format!("\nreference: it said {said} before something of {was}"));
    }
    text.push_str(match points.len() {
        0 => "\nit is not calibrated: hold a reference in front of it and say --is 36.0 (what that has)",
        1 => "\none reference shifts every reading; with a second one, 2 degrees away or more, the gate makes a line",
        _ => "",
    });
    Ok(text)
}

/// The median of some readings that agree.
fn measure(unit: &mut dyn Thermometer) -> Result<Reading, CommandError> {
    let deadline = Instant::now() + WITHIN;
    let mut readings = Vec::with_capacity(READINGS);
    while readings.len() < READINGS && Instant::now() < deadline {
        readings.extend(unit.reading(Duration::from_millis(500))?);
    }
    if readings.len() < READINGS {
        return Err(CommandError::Few { found: readings.len() });
    }
    readings.sort_unstable_by_key(|reading| reading.temp_centi_c);
    let (low, high) = (readings[0].temp_centi_c, readings[READINGS - 1].temp_centi_c);
    if high.abs_diff(low) > STEADY_CENTI_C {
        return Err(CommandError::Unsteady { low: degrees(low), high: degrees(high) });
    }
    Ok(readings[READINGS / 2])
}

fn degrees(centi_c: i16) -> String {
    let sign = if centi_c < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} °C", centi_c.unsigned_abs() / 100, centi_c.unsigned_abs() % 100)
}
