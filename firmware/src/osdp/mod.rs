//! A gate as a reader of an access controller, over OSDP on an RS-485 line.
//!
//! Many doors have a controller of their own that decides who passes and drives the lock. To it a gate is one more
//! card reader: at every admission it shows one fixed card, the gate's own, and the controller opens. Nothing of a person
//! leaves the gate this way. The controller asks (*polls*) many times a second and the reader answers, in a channel that is
//! encrypted and authenticated by a key that both have.
//!
//! Separate from [`outputs`](crate::outputs) because a line that is asked by somebody else is no pin: it has a thread of its own,
//! comes and goes, and may be silent. [`Beside`] puts it beside the pins, so the lane does not know of it.
//!
//! Invariants: the lane never waits for a controller; an admission is told within two seconds or not at all, and at most
//! once; nothing is told outside the secure channel unless the board says `secure = false`; the default key is never used.
//! docs/osdp.md has the wiring and the keys.

mod about;
mod card;
mod channel;
mod health;
mod inbox;
mod key;
mod peripheral;
mod service;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use menshen_core::decide::Verdict;
use menshen_lane::ports::{GateOutput, PortError};
use menshen_lane::sound::{Cue, Volume};

pub use card::{Card, Format};
pub use key::Key;

use health::Health;
use peripheral::{Identity, Peripheral};
use service::Service;

/// A reader on a line.
pub struct Settings {
    /// The serial port, such as `/dev/ttyUSB0`.
    pub port: PathBuf,
    /// Its speed, in bits a second.
    pub baud: u32,
    /// The reader's address on the line, 0 to 126.
    pub address: u8,
    /// The key of the secure channel; `None` for a line on which everything is said in the open.
    pub key: Option<Key>,
    /// What is shown at an admission.
    pub card: Card,
}

/// A gate's end of the line to an access controller; it falls silent when this is dropped.
pub struct OsdpReader {
    shown: String,
    address: u8,
    admissions: Option<Sender<Instant>>,
    health: Arc<Mutex<Health>>,
    thread: Option<JoinHandle<()>>,
}

impl OsdpReader {
    /// Begins to answer. A port that is not there is a fault and no error: it may come.
    ///
    /// # Errors
    /// What the system said where there can be no thread.
    pub fn start(settings: Settings) -> std::io::Result<OsdpReader> {
        let Settings { port, baud, address, key, card } = settings;
        let shown = port.display().to_string();
        if key.is_none() {
            tracing::warn!("the line {shown} to the access controller is plain: whoever gets at its wires can open");
        }
        let (admissions, orders) = channel();
        let identity = Identity { address, baud, card, key };
        let peripheral = Peripheral::new(identity, Box::new(random), Instant::now());
        let health = Arc::new(Mutex::new(peripheral.health().clone()));
        let service = Service { port, baud, peripheral, admissions: orders, health: Arc::clone(&health) };
        let thread = std::thread::Builder::new().name("osdp".to_owned()).spawn(move || service.run())?;
        Ok(OsdpReader { shown, address, admissions: Some(admissions), health, thread: Some(thread) })
    }

    /// Somebody is admitted now: the card is shown at the next poll, or never if that does not come within two seconds.
    /// Returns at once.
    pub fn admitted(&self) {
        // Where the thread is gone, `fault` says so.
        let _ = self.admissions.as_ref().is_some_and(|admissions| admissions.send(Instant::now()).is_ok());
    }

    /// What is wrong, as one sentence with its remedy.
    pub fn fault(&self) -> Option<String> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Some(
                "the access controller's line has stopped: start the gate again and report the log".to_owned(),
            );
        }
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.fault(Instant::now(), &self.shown, self.address)
    }
}

impl Drop for OsdpReader {
    fn drop(&mut self) {
        self.admissions = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has stopped too.
            let _ = thread.join();
        }
    }
}

/// Outputs with a reader beside them.
pub struct Beside {
    outputs: Box<dyn GateOutput>,
    reader: OsdpReader,
}

impl Beside {
    /// Tells `reader` whenever the relay of `outputs` closes.
    pub fn new(outputs: Box<dyn GateOutput>, reader: OsdpReader) -> Beside {
        Beside { outputs, reader }
    }
}

impl GateOutput for Beside {
    fn relay(&mut self, closed: bool) -> Result<(), PortError> {
        // First, because it never waits; and also where the relay fails, because the controller has a lock of its own.
        if closed {
            self.reader.admitted();
        }
        self.outputs.relay(closed)
    }

    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError> {
        self.outputs.lamp(lit)
    }

    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        self.outputs.tone(cue, volume)
    }

    fn relay_fault(&self) -> Option<String> {
        self.outputs.relay_fault()
    }

    fn controller_fault(&self) -> Option<String> {
        self.reader.fault().or_else(|| self.outputs.controller_fault())
    }
}

fn random() -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Puts the reader of a board, if it has one, beside its outputs; relative paths are within `state_dir`.
///
/// # Errors
/// One sentence where the key can not be read or the reader not be started.
pub(crate) fn beside(
    outputs: Box<dyn GateOutput>,
    reader: Option<&crate::board::Osdp>,
    state_dir: &Path,
) -> Result<Box<dyn GateOutput>, String> {
    let Some(board) = reader else { return Ok(outputs) };
    let key = board.key.as_ref().map(|path| Key::read(&state_dir.join(path))).transpose()?;
    let settings =
        Settings { port: state_dir.join(&board.port), baud: board.baud, address: board.address, key, card: board.card };
    let started = OsdpReader::start(settings);
    let reader =
        started.map_err(|error| format!("cannot start the access controller's thread: {error}; start again"))?;
    Ok(Box::new(Beside::new(outputs, reader)))
}
