//! A unit of any kind behind a pseudo-terminal: its real bytes at its real rate.
//!
//! One that streams does so 14 times a second from power-up; a GY-MCU90614 obeys the commands for streaming and for one
//! reading, a Modbus head answers when it is asked. It can fall silent, be unplugged and come back. Its path is a symbolic link that stays the same when
//! it comes back, as `/dev/serial/by-id` does for a USB unit. What a slow reader leaves in the line is
//! lost, as on a real one. The line's speed is not simulated: bytes arrive at once.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use menshen_core::thermo::gy_mcu90614::{COMMAND_ONCE, COMMAND_STREAM};
use menshen_core::thermo::modbus_head::{self, REQUEST_BYTES};
use menshen_core::thermo::{Parser, Protocol, Reading, cjmcu_90614, gy_mcu90614, rqvk002};
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The time between two frames: about 14 a second.
const FRAME_EVERY: Duration = Duration::from_millis(71);
/// What a unit reads until told otherwise: a healthy person in a warm room.
const AT_REST: Reading = Reading::of(3640, 2250);

/// A simulated unit; it is unplugged and its link removed when this is dropped.
pub struct ThermometerUnit {
    path: PathBuf,
    shared: Arc<Shared>,
    speaker: Option<JoinHandle<()>>,
}

impl ThermometerUnit {
    /// Plugs a unit in that speaks `protocol`; `path` becomes a symbolic link to its terminal.
    ///
    /// # Errors
    /// What the system says where there is no pseudo-terminal or the link can not be made.
    pub fn start(path: impl AsRef<Path>, protocol: Protocol) -> io::Result<ThermometerUnit> {
        let path = path.as_ref().to_owned();
        let state = State { line: Some(Line::plug(&path, protocol)?), ..State::of(protocol) };
        let shared = Arc::new(Shared { state: Mutex::new(state), stopped: Condvar::new() });
        let speaking = Arc::clone(&shared);
        let speaker = std::thread::Builder::new().name("sim-thermometer".to_owned()).spawn(move || speaking.speak())?;
        Ok(ThermometerUnit { path, shared, speaker: Some(speaker) })
    }

    /// The serial port to open.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the unit sees, in hundredths of a degree Celsius; `None`: it says nothing.
    pub fn set_object(&self, temp_centi_c: Option<i16>) {
        self.shared.state().object = temp_centi_c;
    }

    /// The unit's surroundings, in hundredths of a degree Celsius.
    pub fn set_ambient(&self, ambient_centi_c: i16) {
        self.shared.state().ambient_centi_c = ambient_centi_c;
    }

    /// Sends these bytes before the next frame, as a bad cable would.
    pub fn inject_noise(&self, bytes: &[u8]) {
        self.shared.state().noise.extend(bytes);
    }

    /// Pulls the plug: whoever reads gets a hang-up, and the port is gone.
    pub fn unplug(&self) {
        // What can not be removed is a dangling link, and that is as absent as none.
        let _ = std::fs::remove_file(&self.path);
        self.shared.state().line = None;
    }

    /// Plugs it in again, at the same path; it streams as after power-up.
    ///
    /// # Errors
    /// As [`ThermometerUnit::start`].
    pub fn replug(&self) -> io::Result<()> {
        let mut state = self.shared.state();
        state.line = Some(Line::plug(&self.path, state.protocol)?);
        Ok(())
    }
}

impl Drop for ThermometerUnit {
    fn drop(&mut self) {
        self.unplug();
        self.shared.state().stop = true;
        self.shared.stopped.notify_all();
        if let Some(speaker) = self.speaker.take() {
            // A unit that panicked is as gone as one that stopped.
            let _ = speaker.join();
        }
    }
}

struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
}

struct State {
    protocol: Protocol,
    line: Option<Line>,
    object: Option<i16>,
    ambient_centi_c: i16,
    noise: Vec<u8>,
    stop: bool,
}

impl State {
    fn of(protocol: Protocol) -> State {
        let Reading { temp_centi_c, ambient_centi_c, .. } = AT_REST;
        State { protocol, line: None, object: Some(temp_centi_c), ambient_centi_c, noise: Vec::new(), stop: false }
    }
}

impl Shared {
    fn speak(&self) {
        let mut state = self.state();
        while !state.stop {
            state.tick();
            let waited = self.stopped.wait_timeout_while(state, FRAME_EVERY, |state| !state.stop);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tick(&mut self) {
        let noise = std::mem::take(&mut self.noise);
        let Some(line) = &mut self.line else { return };
        let asked_once = line.obey();
        line.send(&noise);
        if let Some(temp_centi_c) = self.object
            && (line.streaming || asked_once)
        {
            line.send(&frame(self.protocol, Reading::of(temp_centi_c, self.ambient_centi_c)));
        }
    }
}

/// The unit's end of the line, while it is plugged in.
struct Line {
    unit: OwnedFd,
    /// Keeps the line up while nobody has it open.
    _host: OwnedFd,
    heard: VecDeque<u8>,
    streaming: bool,
    /// What a head is asked with; empty of a unit that streams.
    request: Vec<u8>,
}

/// What a unit sends for a reading.
fn frame(protocol: Protocol, reading: Reading) -> Vec<u8> {
    match protocol {
        Protocol::GyMcu90614 => gy_mcu90614::frame(reading).to_vec(),
        Protocol::Cjmcu90614 => cjmcu_90614::frame(reading).to_vec(),
        Protocol::Rqvk002 => rqvk002::frame(reading).to_vec(),
        Protocol::ModbusRtu(map) => modbus_head::answer(map, reading).to_vec(),
    }
}

impl Line {
    fn plug(path: &Path, protocol: Protocol) -> io::Result<Line> {
        let parser = Parser::new(protocol).map_err(io::Error::other)?;
        let request = parser.request().unwrap_or_default().to_vec();
        let unit = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&unit)?;
        unlockpt(&unit)?;
        let name = ptsname(&unit, Vec::new())?;
        let host = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // Raw from the start: a terminal would echo the unit's own frames back to it.
        let mut settings = tcgetattr(&host)?;
        settings.make_raw();
        tcsetattr(&host, OptionalActions::Now, &settings)?;
        fcntl_setfl(&unit, OFlags::NONBLOCK)?;
        if path.symlink_metadata().is_ok() {
            std::fs::remove_file(path)?;
        }
        let target = name.to_string_lossy();
        std::os::unix::fs::symlink(target.as_ref(), path)?;
        Ok(Line { unit, _host: host, heard: VecDeque::new(), streaming: request.is_empty(), request })
    }

    /// Takes the commands that have arrived; whether one reading was asked for.
    fn obey(&mut self) -> bool {
        let mut buffer = [0; 64];
        // Nothing to read and nobody there are the same to a unit.
        while let Ok(count @ 1..) = rustix::io::read(&self.unit, &mut buffer) {
            self.heard.extend(buffer.iter().take(count));
        }
        if !self.request.is_empty() {
            return self.was_asked();
        }
        let mut asked_once = false;
        while self.heard.len() >= COMMAND_ONCE.len() {
            let command = [self.heard[0], self.heard[1], self.heard[2]];
            let known = match command {
                COMMAND_STREAM => Some(true),
                COMMAND_ONCE => Some(false),
                _ => None,
            };
            asked_once |= known == Some(false);
            self.streaming = known.unwrap_or(self.streaming);
            self.heard.drain(..if known.is_some() { command.len() } else { 1 });
        }
        asked_once
    }

    /// Whether a head has been asked for its registers.
    fn was_asked(&mut self) -> bool {
        let newest = self.heard.make_contiguous();
        let asked = newest.windows(REQUEST_BYTES).any(|bytes| bytes == self.request);
        let kept = if asked { 0 } else { self.heard.len().min(REQUEST_BYTES - 1) };
        self.heard.drain(..self.heard.len() - kept);
        asked
    }

    fn send(&self, bytes: &[u8]) {
        // A full line loses what comes next, as a serial line does when nobody reads it.
        let _ = rustix::io::write(&self.unit, bytes);
    }
}
