//! A DS3231 behind an I²C bus that is not there: its registers, which the real driver reads and writes.
//!
//! The chip goes on while the gate is off, as one with a battery does, because what is kept in its file is how far it
//! is from this machine's clock, in seconds: `0`, `-300`, `31536000`. A second word `stopped` is the flag that it stood
//! still; `unplugged` is a bus on which nobody answers. The file is read at every transfer, so whoever writes it
//! steers a gate that runs; the driver setting the time changes it too. Without a file the chip is right.
//!
//! Registers as in the data sheet: 0x00 to 0x06 the calendar in BCD, 0x0e control, 0x0f status with the flag in its
//! highest bit, which can be cleared and not set. The pointer moves on with each byte and wraps after 0x12.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use menshen_lane::moment;
use std::io;
use std::path::{Path, PathBuf};

const ADDRESS: SevenBitAddress = 0x68;
const CALENDAR: usize = 7;
const CONTROL: usize = 0x0e;
const STATUS: usize = 0x0f;
const REGISTERS: usize = 0x13;
/// The flag that the oscillator stood still.
const STOOD_STILL: u8 = 0x80;
/// Control after power-up: no square wave, oscillator on.
const CONTROL_AT_REST: u8 = 0x1c;

/// A simulated clock chip.
#[derive(Debug)]
pub struct SimRtc {
    control: PathBuf,
    pointer: usize,
    registers: [u8; REGISTERS],
}

/// What the file says of the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chip {
    off_s: i64,
    stood_still: bool,
}

impl SimRtc {
    /// The chip of a file.
    pub fn new(control: impl AsRef<Path>) -> SimRtc {
        let mut registers = [0; REGISTERS];
        registers[CONTROL] = CONTROL_AT_REST;
        SimRtc { control: control.as_ref().to_owned(), pointer: 0, registers }
    }

    /// What the file says; `None` where the chip is unplugged.
    fn chip(&self) -> Option<Chip> {
        match std::fs::read_to_string(&self.control) {
            Ok(text) => Chip::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Chip::default()),
            Err(_) => None,
        }
    }

    /// Brings the registers to this moment.
    fn load(&mut self, chip: Chip) {
        let unix_s = moment::now().saturating_add_signed(chip.off_s);
        self.registers[..CALENDAR].copy_from_slice(&calendar(unix_s));
        self.registers[STATUS] =
            (self.registers[STATUS] & !STOOD_STILL) | if chip.stood_still { STOOD_STILL } else { 0 };
    }

    fn write(&mut self, bytes: &[u8], mut chip: Chip) -> Result<(), ErrorKind> {
        let Some((pointer, values)) = bytes.split_first() else { return Ok(()) };
        self.pointer = usize::from(*pointer) % REGISTERS;
        let mut calendar_was_set = false;
        for value in values {
            calendar_was_set |= self.pointer < CALENDAR;
            if self.pointer == STATUS {
                chip.stood_still &= value & STOOD_STILL != 0;
            }
            self.registers[self.pointer] = *value;
            self.pointer = (self.pointer + 1) % REGISTERS;
        }
        if calendar_was_set && let Some(unix_s) = moment_of(&self.registers) {
            chip.off_s = unix_s.saturating_sub_unsigned(moment::now());
        }
        let changed = !values.is_empty() && self.chip() != Some(chip);
        if changed { std::fs::write(&self.control, chip.text()).map_err(|_| ErrorKind::Other) } else { Ok(()) }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.registers[self.pointer];
            self.pointer = (self.pointer + 1) % REGISTERS;
        }
    }
}

impl ErrorType for SimRtc {
    type Error = ErrorKind;
}

impl I2c for SimRtc {
    fn transaction(&mut self, address: SevenBitAddress, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let nobody = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        let chip = self.chip().filter(|_| address == ADDRESS).ok_or(nobody)?;
        self.load(chip);
        for operation in operations {
            match operation {
                Operation::Write(bytes) => self.write(bytes, chip)?,
                Operation::Read(buffer) => self.read(buffer),
            }
        }
        Ok(())
    }
}

impl Chip {
    /// An empty file is one that is just being written: the chip is right. Nonsense is told as an absent chip.
    fn parse(text: &str) -> Option<Chip> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            [] => Some(Chip::default()),
            [off_s] => Some(Chip { off_s: off_s.parse().ok()?, stood_still: false }),
            [off_s, "stopped"] => Some(Chip { off_s: off_s.parse().ok()?, stood_still: true }),
            _ => None,
        }
    }

    fn text(self) -> String {
        format!("{}{}\n", self.off_s, if self.stood_still { " stopped" } else { "" })
    }
}

/// The calendar registers of a moment.
fn calendar(unix_s: u64) -> [u8; CALENDAR] {
    let time = i64::try_from(unix_s).ok().and_then(|second| Timestamp::from_second(second).ok()).unwrap_or_default();
    let date = time.to_zoned(TimeZone::UTC).datetime();
    let weekday = date.weekday().to_sunday_one_offset();
    let year = date.year().rem_euclid(100);
    [date.second(), date.minute(), date.hour(), weekday, date.day(), date.month(), year as i8].map(bcd)
}

/// The moment of the calendar registers, if there is such a day.
fn moment_of(registers: &[u8; REGISTERS]) -> Option<i64> {
    let [second, minute, hour, _, day, month, year] = [0, 1, 2, 3, 4, 5, 6].map(|at: usize| registers[at]);
    // Bit 6 of the hours would be a clock of twelve hours, which nobody here sets; bit 7 of the months is the century.
    let year = 2000 + i16::from(decimal(year)) + if month & 0x80 == 0 { 0 } else { 100 };
    let [month, day, hour, minute, second] = [month & 0x7f, day, hour & 0x3f, minute, second].map(decimal);
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

fn bcd(decimal: i8) -> u8 {
    let decimal = decimal.unsigned_abs();
    decimal / 10 * 16 + decimal % 10
}

fn decimal(bcd: u8) -> i8 {
    // At most 159, of a register that no honest driver writes.
    i8::try_from(bcd / 16 * 10 + bcd % 16).unwrap_or(i8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_reads_back_across_leap_days_and_the_century() {
        for unix_s in [946_684_800, 951_782_400, 1_583_020_807, 1_709_164_799, 4_102_444_799] {
            let mut registers = [0; REGISTERS];
            registers[..CALENDAR].copy_from_slice(&calendar(unix_s));
            assert_eq!(moment_of(&registers), i64::try_from(unix_s).ok(), "{registers:02x?}");
        }
    }

    #[test]
    fn a_file_says_how_far_off_whether_it_stood_still_and_whether_it_is_there() {
        assert_eq!(Chip::parse("-300\n"), Some(Chip { off_s: -300, stood_still: false }));
        assert_eq!(Chip::parse("0 stopped"), Some(Chip { off_s: 0, stood_still: true }));
        assert_eq!(Chip::parse(""), Some(Chip::default()));
        for text in ["unplugged", "1 2", "0 stopped now"] {
            assert_eq!(Chip::parse(text), None, "{text}");
        }
    }
}
