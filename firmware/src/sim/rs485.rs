//! Two wires between a gate and an access controller, as two pseudo-terminals and whoever carries between them.
//!
//! What one end says the other hears, and what [`Rs485Line::noise`] says the gate hears too, between two packets, as a lift's
//! motor would have it. The gate's end can be pulled out and put back, at the same path. The line's speed is not
//! simulated, and neither is that both talk at once.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// How often the wires are looked at.
const CARRY_EVERY: Duration = Duration::from_millis(1);

/// A line with both its ends; both are gone when this is dropped.
pub struct Rs485Line {
    gate: PathBuf,
    controller: PathBuf,
    wires: Arc<Mutex<Wires>>,
    carrier: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Wires {
    gate: Option<End>,
    controller: Option<End>,
    carried_bytes: [usize; 2],
    stop: bool,
}

/// The far side of one end.
struct End {
    far: OwnedFd,
    /// Keeps the end up while nobody has it open.
    _near: OwnedFd,
}

impl Rs485Line {
    /// Lays a line; `gate` and `controller` become symbolic links to its ends.
    ///
    /// # Errors
    /// What the system says where there is no pseudo-terminal or a link can not be made.
    pub fn lay(gate: impl AsRef<Path>, controller: impl AsRef<Path>) -> io::Result<Rs485Line> {
        let (gate, controller) = (gate.as_ref().to_owned(), controller.as_ref().to_owned());
        let ends = (Some(End::new(&gate)?), Some(End::new(&controller)?));
        let wires = Arc::new(Mutex::new(Wires { gate: ends.0, controller: ends.1, ..Wires::default() }));
        let carried = Arc::clone(&wires);
        let carrier = std::thread::Builder::new().name("sim-rs485".to_owned()).spawn(move || carry(&carried))?;
        Ok(Rs485Line { gate, controller, wires, carrier: Some(carrier) })
    }

    /// The gate's serial port.
    pub fn gate(&self) -> &Path {
        &self.gate
    }

    /// The controller's serial port.
    pub fn controller(&self) -> &Path {
        &self.controller
    }

    /// Bytes that the gate hears and nobody said.
    pub fn noise(&self, bytes: &[u8]) {
        let mut wires = lock(&self.wires);
        if let Some(gate) = &mut wires.gate {
            gate.say(bytes);
        }
    }

    /// How many bytes went to the gate and came from it.
    pub fn carried_bytes(&self) -> [usize; 2] {
        lock(&self.wires).carried_bytes
    }

    /// Pulls the gate's adapter out: its port is gone, and whoever reads it gets a hang-up.
    pub fn unplug(&self) {
        // What can not be removed is a dangling link, and that is as absent as none.
        let _ = std::fs::remove_file(&self.gate);
        lock(&self.wires).gate = None;
    }

    /// Plugs it in again, at the same path.
    ///
    /// # Errors
    /// As [`Rs485Line::lay`].
    pub fn replug(&self) -> io::Result<()> {
        let end = End::new(&self.gate)?;
        lock(&self.wires).gate = Some(end);
        Ok(())
    }
}

impl Drop for Rs485Line {
    fn drop(&mut self) {
        self.unplug();
        // As above.
        let _ = std::fs::remove_file(&self.controller);
        lock(&self.wires).stop = true;
        if let Some(carrier) = self.carrier.take() {
            // One that panicked has stopped too.
            let _ = carrier.join();
        }
    }
}

fn lock(wires: &Mutex<Wires>) -> MutexGuard<'_, Wires> {
    wires.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry(wires: &Mutex<Wires>) {
    loop {
        {
            let mut wires = lock(wires);
            if wires.stop {
                return;
            }
            let Wires { gate, controller, carried_bytes: [to_gate, from_gate], .. } = &mut *wires;
            let said_by = |end: &mut Option<End>| end.as_mut().map(End::hear).unwrap_or_default();
            let (by_controller, by_gate) = (said_by(controller), said_by(gate));
            *to_gate += by_controller.len();
            *from_gate += by_gate.len();
            for (end, said) in [(gate, by_controller), (controller, by_gate)] {
                if let Some(end) = end {
                    end.say(&said);
                }
            }
        }
        std::thread::sleep(CARRY_EVERY);
    }
}

impl End {
    fn new(path: &Path) -> io::Result<End> {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&far)?;
        unlockpt(&far)?;
        let name = ptsname(&far, Vec::new())?;
        let near = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // Raw from the start: a terminal would echo what it is told.
        let mut settings = tcgetattr(&near)?;
        settings.make_raw();
        tcsetattr(&near, OptionalActions::Now, &settings)?;
        fcntl_setfl(&far, OFlags::NONBLOCK)?;
        if path.symlink_metadata().is_ok() {
            std::fs::remove_file(path)?;
        }
        std::os::unix::fs::symlink(name.to_string_lossy().as_ref(), path)?;
        Ok(End { far, _near: near })
    }

    fn hear(&mut self) -> Vec<u8> {
        let (mut heard, mut buffer) = (Vec::new(), [0; 256]);
        // Nothing to read and nobody there are the same to a wire.
        while let Ok(count @ 1..) = rustix::io::read(&self.far, &mut buffer) {
            heard.extend(buffer.iter().take(count));
        }
        heard
    }

    fn say(&mut self, bytes: &[u8]) {
        // A full line loses what comes next, as a serial line does when nobody reads it.
        let _ = rustix::io::write(&self.far, bytes);
    }
}
