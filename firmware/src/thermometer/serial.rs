//! A thermometer on a serial port.
//!
//! The unit streams about 14 readings a second whether or not somebody stands before it, so silence is
//! a fault: a port that opens is taken for a thermometer only when it speaks, and one that falls silent
//! has failed. What has piled up while nobody read is skipped: a reading must not be older than the
//! person it is taken for, so the newest one wins.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menshen_core::thermo::{Reading, gy_mcu90614};
use menshen_lane::ports::{PortError, Thermometer};
use serialport::{ClearBuffer, SerialPort};

use crate::board::Protocol;

/// How long a port that has just been opened is given to speak.
const FIRST_READING_WITHIN: Duration = Duration::from_millis(600);
/// After this much silence a unit has failed: some 40 readings.
const SILENT_AFTER: Duration = Duration::from_secs(3);
/// The longest single wait on the port.
const STEP: Duration = Duration::from_millis(200);

pub(super) struct SerialThermometer {
    path: PathBuf,
    port: Box<dyn SerialPort>,
    parser: Parser,
    spoke_at: Instant,
}

impl SerialThermometer {
    /// Opens the port, asks the unit to stream and waits for its first reading.
    pub(super) fn open(path: &Path, baud: u32, protocol: Protocol) -> Result<SerialThermometer, PortError> {
        if !path.exists() {
            return Err(PortError::Absent(format!(
                "the thermometer {} is not there: plug it in or correct `thermometer.port` in the board file",
                path.display()
            )));
        }
        let port = serialport::new(path.to_string_lossy(), baud).timeout(STEP).open().map_err(|error| {
            let hint = "close what else uses it, or let this user into the group dialout";
            PortError::Absent(format!("cannot open the thermometer {}: {error}; {hint}", path.display()))
        })?;
        let spoke_at = Instant::now();
        let mut unit = SerialThermometer { path: path.to_owned(), port, parser: Parser::of(protocol), spoke_at };
        unit.port.clear(ClearBuffer::Input).map_err(|error| unit.failed(&error))?;
        unit.port.write_all(unit.parser.stream_command()).map_err(|error| unit.failed(&error))?;
        match unit.reading(FIRST_READING_WITHIN)? {
            Some(_) => Ok(unit),
            None => Err(PortError::Absent(unit.silent())),
        }
    }

    /// Everything that has arrived within `timeout`; the newest reading in it.
    fn newest(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        let mut newest = None;
        let mut wait = timeout;
        loop {
            let bytes = self.read(wait)?;
            if bytes.is_empty() {
                return Ok(newest);
            }
            newest = bytes.iter().filter_map(|byte| self.parser.push(*byte)).last().or(newest);
            wait = Duration::ZERO;
        }
    }

    /// Some bytes, or none within `timeout`.
    fn read(&mut self, timeout: Duration) -> Result<Vec<u8>, PortError> {
        let mut buffer = [0; 256];
        let read =
            self.port.set_timeout(timeout).map_err(std::io::Error::from).and_then(|()| self.port.read(&mut buffer));
        match read {
            Ok(0) => Err(self.failed(&"the line was hung up")),
            Ok(count) => Ok(buffer.iter().copied().take(count).collect()),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => Ok(Vec::new()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> PortError {
        PortError::Failed(format!(
            "the thermometer {} has failed ({error}): check its cable and plug it in again",
            self.path.display()
        ))
    }

    fn silent(&self) -> String {
        format!("the thermometer {} is silent: check its power, its wires and `thermometer.baud`", self.path.display())
    }
}

impl Thermometer for SerialThermometer {
    fn reading(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(reading) = self.newest(left.min(STEP))? {
                self.spoke_at = Instant::now();
                return Ok(Some(reading));
            }
            if self.spoke_at.elapsed() >= SILENT_AFTER {
                return Err(PortError::Failed(self.silent()));
            }
            if left.is_zero() {
                return Ok(None);
            }
        }
    }
}

/// One parser a protocol.
enum Parser {
    GyMcu90614(gy_mcu90614::Parser),
}

impl Parser {
    fn of(protocol: Protocol) -> Parser {
        match protocol {
            Protocol::GyMcu90614 => Parser::GyMcu90614(gy_mcu90614::Parser::new()),
        }
    }

    fn push(&mut self, byte: u8) -> Option<Reading> {
        match self {
            Parser::GyMcu90614(parser) => parser.push(byte),
        }
    }

    fn stream_command(&self) -> &'static [u8] {
        match self {
            Parser::GyMcu90614(_) => &gy_mcu90614::COMMAND_STREAM,
        }
    }
}
