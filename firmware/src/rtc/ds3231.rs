//! A DS3231 on any I²C bus, by the driver `ds323x`.
//!
//! The chip keeps a calendar from 2000 to 2099 and a flag that its oscillator stood still since the flag was last
//! cleared: that is how an empty battery is told. A calendar that can not be (a chip fresh from the factory) is
//! as good as a standstill.
//!
//! I²C has no checksum, and a bit that flips on a long wire makes another day that looks as good. So nothing is given on
//! that was not read twice in the same words.

use super::Rtc;
use ds323x::{DateTimeAccess, Ds323x, Error, NaiveDate, NaiveDateTime, NaiveTime, ic, interface::I2cInterface};
use embedded_hal::i2c::I2c;
use menshen_core::clock::Look;
use menshen_lane::ports::PortError;
use std::fmt::Debug;

const DAY_S: u64 = 86_400;
/// How often the chip is read until two readings in a row agree.
const READINGS: usize = 4;
/// Days from the first of the year 1 to 1970-01-01.
const DAYS_TO_1970: i32 = 719_163;

/// A DS3231.
pub struct Ds3231<I2C> {
    chip: Ds323x<I2cInterface<I2C>, ic::DS3231>,
    name: String,
}

impl<I2C: I2c> Ds3231<I2C> {
    /// The chip on a bus; `name` is how a person finds it.
    pub fn new(bus: I2C, name: String) -> Ds3231<I2C> {
        Ds3231 { chip: Ds323x::new_ds3231(bus), name }
    }

    /// Gives the bus back.
    pub fn release(self) -> I2C {
        self.chip.destroy_ds3231()
    }

    fn read_once(&mut self) -> Result<Look, PortError> {
        let stood_still = self.chip.has_been_stopped().map_err(|error| self.failed(&error))?;
        if stood_still {
            return Ok(Look::LostPower);
        }
        match self.chip.datetime() {
            Ok(datetime) => Ok(unix_s(datetime).map_or(Look::LostPower, Look::At)),
            Err(Error::InvalidDeviceState) => Ok(Look::LostPower),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed<E: Debug>(&self, error: &Error<E>) -> PortError {
        let name = &self.name;
        PortError::Failed(match error {
            Error::Comm(error) => format!(
                "{name} does not answer ({error:?}): check its wires and its address 0x68, and take dtoverlay=i2c-rtc out \
                 of config.txt"
            ),
            Error::InvalidInputData | Error::InvalidDeviceState => {
                format!("{name} can not be set to that: it tells the years 2000 to 2099")
            }
        })
    }
}

impl<I2C> Rtc for Ds3231<I2C>
where
    I2C: I2c + Send,
{
    fn read(&mut self) -> Result<Look, PortError> {
        let mut before = self.read_once()?;
        for _ in 1..READINGS {
            let look = self.read_once()?;
            if agree(before, look) {
                return Ok(look);
            }
            before = look;
        }
        Err(PortError::Failed(format!(
            "{} says something else at every reading: make its wires shorter, and keep them away from the relay's",
            self.name
        )))
    }

    fn set(&mut self, unix_s: u64) -> Result<(), PortError> {
        let datetime =
            calendar(unix_s).ok_or(Error::InvalidInputData).map_err(|error: Error<I2C::Error>| self.failed(&error))?;
        // The oscillator may be switched off for times without power. The flag goes last, so that a power cut between
        // leaves a chip that is not believed.
        let set = self.chip.set_datetime(&datetime).and_then(|()| self.chip.enable());
        set.and_then(|()| self.chip.clear_has_been_stopped_flag()).map_err(|error| self.failed(&error))
    }
}

/// Whether a reading says the same as the one just before it; a second may have passed.
fn agree(before: Look, after: Look) -> bool {
    match (before, after) {
        (Look::At(before_s), Look::At(after_s)) => (before_s..=before_s.saturating_add(1)).contains(&after_s),
        _ => before == after,
    }
}

fn unix_s(datetime: NaiveDateTime) -> Option<u64> {
    u64::try_from(datetime.and_utc().timestamp()).ok()
}

fn calendar(unix_s: u64) -> Option<NaiveDateTime> {
    let days = i32::try_from(unix_s / DAY_S).ok()?.checked_add(DAYS_TO_1970)?;
    let second = u32::try_from(unix_s % DAY_S).ok()?;
    Some(NaiveDateTime::new(
        NaiveDate::from_num_days_from_ce_opt(days)?,
        NaiveTime::from_num_seconds_from_midnight_opt(second, 0)?,
    ))
}
