//! Pins that write down what they would do.
//!
//! Every change of level is one JSON object a line, flushed at once, so that a test or a person sees
//! every edge of the relay with its time: `{"t_ms":1234,"pin":"relay","level":"high"}`. `t_ms` is the
//! gate's monotonic clock. A pin starts at its "off" level without a line; setting the level that it
//! has writes nothing.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use embedded_hal::digital::{Error, ErrorKind, ErrorType, OutputPin};
use menshen_lane::ports::{Clock, PortError};
use serde::Serialize;

use super::Line;
use crate::board::Function;

/// The file that all pins of a board write to.
#[derive(Clone)]
pub struct TraceFile {
    file: Arc<Mutex<File>>,
    clock: Arc<dyn Clock>,
}

impl TraceFile {
    /// Opens the file to append to it.
    ///
    /// # Errors
    /// [`PortError::Absent`], which names the file.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<TraceFile, PortError> {
        let file = File::options().create(true).append(true).open(path).map_err(|error| {
            let path = path.display();
            PortError::Absent(format!(
                "cannot write the trace {path}: {error}; correct `outputs.trace` in the board file"
            ))
        })?;
        Ok(TraceFile { file: Arc::new(Mutex::new(file)), clock })
    }

    /// A pin that is at its `active_low` or active-high "off" level.
    pub fn pin(&self, function: Function, active_low: bool) -> TracePin {
        TracePin { trace: self.clone(), pin: function.name(), high: active_low }
    }

    fn write(&self, pin: &'static str, high: bool) -> Result<(), TraceError> {
        let level = if high { "high" } else { "low" };
        let edge = Edge { t_ms: self.clock.mono_ms(), pin, level };
        let mut line = serde_json::to_vec(&edge).map_err(std::io::Error::from)?;
        line.push(b'\n');
        // One write a line: a reader never sees half of one, and a file keeps no buffer to flush.
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)?;
        Ok(())
    }
}

/// One line a function of a board.
pub(super) fn lines(file: &TraceFile, active_low: &[Function]) -> Vec<Line<TracePin>> {
    let line = |function| {
        let active_low = active_low.contains(&function);
        Line::new(function, file.pin(function, active_low), active_low)
    };
    Function::ALL.map(line).into()
}

#[derive(Serialize)]
struct Edge {
    t_ms: u64,
    pin: &'static str,
    level: &'static str,
}

/// A pin whose edges are lines of a file.
pub struct TracePin {
    trace: TraceFile,
    pin: &'static str,
    high: bool,
}

impl TracePin {
    fn set(&mut self, high: bool) -> Result<(), TraceError> {
        if self.high != high {
            self.trace.write(self.pin, high)?;
            self.high = high;
        }
        Ok(())
    }
}

/// An edge that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the trace file cannot be written: {0}")]
pub struct TraceError(#[from] std::io::Error);

impl Error for TraceError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for TracePin {
    type Error = TraceError;
}

impl OutputPin for TracePin {
    fn set_low(&mut self) -> Result<(), TraceError> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), TraceError> {
        self.set(true)
    }
}
