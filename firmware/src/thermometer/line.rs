//! A serial port, as bytes with a time limit: what a thermometer's protocol and its detection have in common.

use menshen_lane::ports::PortError;
use serialport::{ClearBuffer, SerialPort};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open port.
pub(super) struct Line {
    path: PathBuf,
    port: Box<dyn SerialPort>,
}

impl Line {
    /// Opens a port; what it held from before is thrown away.
    pub(super) fn open(path: &Path, baud: u32) -> Result<Line, PortError> {
        if !path.exists() {
            return Err(PortError::Absent(format!(
                "the thermometer {} is not there: plug it in or correct `thermometer.port` in the board file",
                path.display()
            )));
        }
        let port = serialport::new(path.to_string_lossy(), baud).open().map_err(|error| {
            let hint = "close what else uses it, or let this user into the group dialout";
            PortError::Absent(format!("cannot open the thermometer {}: {error}; {hint}", path.display()))
        })?;
        let line = Line { path: path.to_owned(), port };
        line.port.clear(ClearBuffer::Input).map_err(|error| line.failed(&error))?;
        Ok(line)
    }

    /// Its name, for a person.
    pub(super) fn name(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// Sends some bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.port.write_all(bytes).map_err(|error| self.failed(&error))
    }

    /// Some bytes, or none within `timeout`.
    pub(super) fn read(&mut self, timeout: Duration) -> Result<Vec<u8>, PortError> {
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
}
