//! Pins that write down what they would do.
//!
//! Every change of level is one JSON object a line, written at once, so that a test or a person sees every edge of the
//! relay with its time: `{"t_ms":1234,"pin":"relay","level":"high"}`. `t_ms` is the gate's monotonic clock, also in the
//! lines that the relay's guard writes, which is another process: both count from the same moment since boot. A pin keeps
//! the level that it had last, as a real one does when its program is gone; one that has no line yet is at its "off" level.
//! Setting the level that it has writes nothing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use embedded_hal::digital::{Error, ErrorKind, ErrorType, OutputPin};
use embedded_hal::pwm;
use menshen_lane::ports::{Clock, PortError};
use serde::{Deserialize, Serialize};

use super::Line;
use crate::board::Function;
use crate::clock::by_hand::since_boot_ms;

/// So much of the end of a file is searched for the last level of a pin, in bytes.
const TAIL: u64 = 1 << 16;

/// When the trace of a gate began, by the counter that runs since boot: zero of its clock.
pub(super) fn t0_ms(clock: &dyn Clock) -> u64 {
    loop {
        let mono_ms = clock.mono_ms();
        let t0_ms = since_boot_ms().saturating_sub(mono_ms);
        // Both must be of the same millisecond.
        if clock.mono_ms() == mono_ms {
            return t0_ms;
        }
    }
}

/// The file that all pins of a board write to, from however many processes.
#[derive(Clone)]
pub(super) struct TraceFile {
    file: Arc<File>,
    t0_ms: u64,
}

impl TraceFile {
    /// Opens the file to append to it.
    pub(super) fn open(path: &Path, t0_ms: u64) -> Result<TraceFile, PortError> {
        let file = File::options().create(true).append(true).read(true).open(path).map_err(|error| {
            let path = path.display();
            PortError::Absent(format!(
                "cannot write the trace {path}: {error}; correct `outputs.trace` in the board file"
            ))
        })?;
        Ok(TraceFile { file: Arc::new(file), t0_ms })
    }

    /// A pin at the level that it had last, or at its "off" level.
    pub(super) fn pin(&self, pin: &'static str, active_low: bool) -> TracePin {
        let high = self.last_level(pin).unwrap_or(active_low);
        TracePin { trace: self.clone(), pin, high }
    }

    fn last_level(&self, pin: &str) -> Option<bool> {
        let mut file = self.file.as_ref();
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
        let mut tail = Vec::new();
        file.take(TAIL).read_to_end(&mut tail).ok()?;
        // The first line may be half of one.
        let mut edges =
            tail.split(|byte| *byte == b'\n').rev().filter_map(|line| serde_json::from_slice::<Edge<'_>>(line).ok());
        edges.find(|edge| edge.pin == pin).map(|edge| edge.level == HIGH)
    }

    fn write(&self, pin: &str, high: bool) -> Result<(), TraceError> {
        let t_ms = since_boot_ms().saturating_sub(self.t0_ms);
        let edge = Edge { t_ms, pin, level: if high { HIGH } else { LOW } };
        let mut line = serde_json::to_vec(&edge).map_err(io::Error::from)?;
        line.push(b'\n');
        // One write a line, at the end of the file: a reader never sees half of one, nor two that are mixed.
        self.file.as_ref().write_all(&line)?;
        Ok(())
    }
}

/// One line a function of a board that is not the relay.
pub(super) fn lines(file: &TraceFile, active_low: &[Function]) -> Vec<Line<TracePin>> {
    let others = Function::ALL.into_iter().filter(|function| *function != Function::Relay);
    let line = |function: Function| {
        let active_low = active_low.contains(&function);
        Line::new(function, file.pin(function.name(), active_low), active_low)
    };
    others.map(line).collect()
}

const HIGH: &str = "high";
const LOW: &str = "low";

#[derive(Serialize, Deserialize)]
struct Edge<'a> {
    t_ms: u64,
    pin: &'a str,
    level: &'a str,
}

/// A pin whose edges are lines of a file.
pub(super) struct TracePin {
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
pub(super) struct TraceError(#[from] io::Error);

impl Error for TraceError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl pwm::Error for TraceError {
    fn kind(&self) -> pwm::ErrorKind {
        pwm::ErrorKind::Other
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

/// A passive buzzer in a trace: one edge where a tone begins and one where it ends, not one a period.
pub(super) struct TracePwm(pub(super) TracePin);

impl pwm::ErrorType for TracePwm {
    type Error = TraceError;
}

impl pwm::SetDutyCycle for TracePwm {
    fn max_duty_cycle(&self) -> u16 {
        100
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), TraceError> {
        self.0.set(duty > 0)
    }
}
