//! A thermometer on a serial port.
//!
//! A unit streams about 14 readings a second, or gives one whenever it is asked, whether or not somebody stands before
//! it, so silence is a fault: a port that opens is taken for a thermometer only when it gives a reading, and one that
//! falls silent has failed. What has piled up while nobody read is skipped: a reading must not be older than the
//! person it is taken for, so the newest one wins.

use super::line::Line;
use menshen_core::thermo::{Parser, Protocol, Reading};
use menshen_lane::ports::{PortError, Thermometer};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a port that has just been opened is given to speak.
const FIRST_READING_WITHIN: Duration = Duration::from_millis(600);
/// After this much silence a unit has failed: some 40 readings.
const SILENT_AFTER: Duration = Duration::from_secs(3);
/// The longest single wait on the port.
const STEP: Duration = Duration::from_millis(200);
/// How often a head that does not stream is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

pub(super) struct SerialThermometer {
    line: Line,
    parser: Parser,
    spoke_at: Instant,
    ask_at: Instant,
    /// Whether anything at all has come since the port was opened.
    has_heard: bool,
}

impl SerialThermometer {
    /// Opens the port, lets the unit stream, and waits for its first reading.
    pub(super) fn open(path: &Path, baud: u32, protocol: Protocol) -> Result<SerialThermometer, PortError> {
        let parser = Parser::new(protocol).map_err(|error| {
            PortError::Absent(format!("the registers of the thermometer {} can not be read: {error}", path.display()))
        })?;
        let mut line = Line::open(path, baud)?;
        line.write(parser.stream_command())?;
        let now = Instant::now();
        let mut unit = SerialThermometer { line, parser, spoke_at: now, ask_at: now, has_heard: false };
        match unit.reading(FIRST_READING_WITHIN)? {
            Some(_) => Ok(unit),
            None if unit.has_heard => Err(PortError::Absent(format!(
                "what comes from the thermometer {} is no reading of a {} at {baud} baud: correct `thermometer.protocol` \
                 and `thermometer.baud`, or let the gate find out with \"auto\"",
                unit.line.name(),
                protocol.name()
            ))),
            None => Err(PortError::Absent(unit.silent())),
        }
    }

    /// Everything that has arrived within `timeout`; the newest reading in it.
    fn newest(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        let mut newest = None;
        let mut wait = timeout;
        loop {
            let bytes = self.line.read(wait)?;
            if bytes.is_empty() {
                return Ok(newest);
            }
            self.has_heard = true;
            newest = bytes.iter().filter_map(|byte| self.parser.push(*byte)).last().or(newest);
            wait = Duration::ZERO;
        }
    }

    /// Asks a head that does not stream, when it is time; gives how long to wait for its answer.
    fn ask(&mut self) -> Result<Duration, PortError> {
        let Some(request) = self.parser.request() else { return Ok(STEP) };
        let now = Instant::now();
        if now >= self.ask_at {
            self.line.write(request)?;
            self.ask_at = now + ASK_EVERY;
        }
        Ok(self.ask_at - now)
    }

    fn silent(&self) -> String {
        format!("the thermometer {} is silent: check its power, its wires and `thermometer.baud`", self.line.name())
    }
}

impl Thermometer for SerialThermometer {
    fn reading(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        let deadline = Instant::now() + timeout;
        loop {
            let step = self.ask()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(reading) = self.newest(left.min(step))? {
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
