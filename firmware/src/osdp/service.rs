//! The thread that listens on the line and answers.
//!
//! A panel gives a reader a fifth of a second, so nothing else is done here: no file, no lock that somebody holds for long.
//! The lane only leaves word of an admission and goes on. A port that vanishes is opened again when it is back;
//! whatever is wrong is kept for whoever asks.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serialport::{ClearBuffer, SerialPort};

use super::health::Health;
use super::inbox::Inbox;
use super::peripheral::Peripheral;

/// The longest single wait on the line: how late an admission may be forgotten, and a stop heard.
const STEP: Duration = Duration::from_millis(20);
/// How often a port that is not there is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Silence between a panel's packet and the answer, in characters, so that its driver has let go of the wires.
const TURNAROUND_CHARACTERS: u32 = 2;
const BITS_A_CHARACTER: u32 = 10;

/// What the thread works with.
pub(super) struct Service {
    pub(super) port: PathBuf,
    pub(super) baud: u32,
    pub(super) peripheral: Peripheral,
    /// When each admission was.
    pub(super) admissions: Receiver<Instant>,
    /// How it stands, for whoever asks.
    pub(super) health: Arc<Mutex<Health>>,
}

impl Service {
    /// Answers until nobody can leave word of an admission any more.
    pub(super) fn run(mut self) {
        while self.take_admissions() {
            match open(&self.port, self.baud) {
                Ok(line) => {
                    self.peripheral.line_opened(Instant::now());
                    match self.serve(line) {
                        Some(why) => self.peripheral.lose(why),
                        None => return,
                    }
                }
                Err(why) => self.peripheral.lose(why),
            }
            self.wait();
        }
    }

    /// Answers on an open line; gives why it is gone, or nothing where this is the end.
    fn serve(&mut self, mut line: Box<dyn SerialPort>) -> Option<String> {
        let mut inbox = Inbox::default();
        let mut buffer = [0; 256];
        while self.take_admissions() {
            let count = match line.read(&mut buffer) {
                Ok(0) => return Some(self.gone(&"the line was hung up")),
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => 0,
                Err(error) => return Some(self.gone(&error)),
            };
            inbox.push(buffer.get(..count).unwrap_or_default());
            while let Some(packet) = inbox.next(self.peripheral.address()) {
                // An admission of just now goes with this very answer.
                self.take_admissions();
                let Some(answer) = self.peripheral.hear(&packet, Instant::now()) else { continue };
                std::thread::sleep(turnaround(self.baud));
                if let Err(error) = line.write_all(&answer) {
                    return Some(self.gone(&error));
                }
            }
        }
        None
    }

    /// Takes what was left for this thread; whether somebody may still leave something.
    fn take_admissions(&mut self) -> bool {
        let more = loop {
            match self.admissions.try_recv() {
                Ok(at) => self.peripheral.admitted(at),
                Err(TryRecvError::Empty) => break true,
                Err(TryRecvError::Disconnected) => break false,
            }
        };
        self.peripheral.pass_time(Instant::now());
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone_from(self.peripheral.health());
        more
    }

    /// Waits until the port is looked for again; admissions grow old meanwhile.
    fn wait(&mut self) {
        let until = Instant::now() + LOOK_EVERY;
        while self.take_admissions() && Instant::now() < until {
            std::thread::sleep(STEP);
        }
    }

    fn gone(&self, error: &dyn std::fmt::Display) -> String {
        let port = self.port.display();
        format!("the line {port} to the access controller has failed ({error}): check its adapter and plug it in again")
    }
}

fn open(path: &Path, baud: u32) -> Result<Box<dyn SerialPort>, String> {
    let shown = path.display();
    if !path.exists() {
        return Err(format!(
            "the line {shown} to the access controller is not there: plug its adapter in or correct `outputs.osdp.port` in \
             the board file"
        ));
    }
    // Eight bits, no parity, one stop bit, as the library has it of itself and the standard wants it.
    let opened = serialport::new(path.to_string_lossy(), baud).timeout(STEP).open();
    let cleared = opened.and_then(|line| line.clear(ClearBuffer::Input).map(|()| line));
    cleared.map_err(|error| {
        let hint = "close what else uses it, or let this user into the group dialout";
        format!("cannot open the line {shown} to the access controller: {error}; {hint}")
    })
}

fn turnaround(baud: u32) -> Duration {
    Duration::from_secs(1) * TURNAROUND_CHARACTERS * BITS_A_CHARACTER / baud.max(1)
}
