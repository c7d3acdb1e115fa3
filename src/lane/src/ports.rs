//! What a gate needs of its hardware, as traits that live with their user.
//!
//! A port may vanish and come back at any time. So nothing is opened once for ever: the runtime holds an
//! [`Open`] for each port, opens it, uses it until it fails, says so on the panel, and opens it again
//! after a while. An adapter therefore never retries, never sleeps beyond its timeout, and never hides
//! a failure.

use crate::display::Canvas;
use crate::optics::Frame;
use crate::sound::{Cue, Sounded, Volume};
use menshen_core::clock::{Implausible, Published, View};
use menshen_core::decide::Verdict;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use std::time::Duration;

/// Opens a port, again and again if need be.
pub type Open<P> = Box<dyn FnMut() -> Result<Box<P>, PortError> + Send>;

/// Why a port does not work just now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// It is not there, or can not be opened. One sentence that names it and the remedy.
    #[error("{0}")]
    Absent(String),
    /// It was there and failed. One sentence that names it and the remedy.
    #[error("{0}")]
    Failed(String),
    /// It has given all it had (a file, a pipe whose writer left) and is not opened again.
    #[error("{0}")]
    Ended(String),
}

/// What the newest frame says of the exposure, to a camera that can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Nothing is wrong with it, or nobody is there to tell by.
    Fine,
    /// A code is there and drowns in light: over-exposed, or glare on it.
    TooBright,
    /// A code is there and drowns in darkness.
    TooDark,
}

/// Where frames come from.
pub trait Camera: Send {
    /// Waits at most `timeout` for the newest frame; `None` if none came.
    fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError>;
    /// Told after each frame what it says of the exposure. A camera that can not change it does nothing. Returns
    /// at once: what takes time is done elsewhere.
    fn hint(&mut self, _light: Light) {}
    /// Takes back a frame that has been looked at, so that its memory serves the next one.
    fn recycle(&mut self, _frame: Frame) {}
    /// Whether frames are expected all the time, so that silence is a fault; a folder of pictures is not.
    fn is_live(&self) -> bool {
        true
    }
}

/// Where readings come from.
pub trait Thermometer: Send {
    /// Waits at most `timeout` for the next reading; `None` if none came.
    fn reading(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError>;
}

impl<T: Thermometer + ?Sized> Thermometer for Box<T> {
    fn reading(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        (**self).reading(timeout)
    }
}

/// What a gate moves, lights and sounds.
pub trait GateOutput: Send {
    /// Closes (`true`) or opens the relay.
    fn relay(&mut self, closed: bool) -> Result<(), PortError>;
    /// Lights the lamp of a verdict and darkens the others; `None` darkens all.
    fn lamp(&mut self, lit: Option<Verdict>) -> Result<(), PortError>;
    /// Starts the rhythm of a cue, as loud as that, and returns at once.
    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError>;
    /// What is wrong with the relay as long as it lasts, also when nothing is asked of it, as one sentence with its remedy.
    fn relay_fault(&self) -> Option<String> {
        None
    }
    /// What is wrong between the gate and the access controller that it reports to, as one sentence with its remedy.
    fn controller_fault(&self) -> Option<String> {
        None
    }
}

/// A loudspeaker of the device.
pub trait Speaker: Send {
    /// Ends what is playing, starts this and returns at once.
    fn play(&mut self, sound: &Sounded) -> Result<(), PortError>;
    /// Ends what is playing.
    fn hush(&mut self);
    /// Begins to find out, unheard and where nothing plays, whether it could play; [`Speaker::is_playing`] tells what
    /// comes of it.
    fn check(&mut self) -> Result<(), PortError> {
        Ok(())
    }
    /// Whether something is still playing; tells what failed since it was started.
    fn is_playing(&mut self) -> Result<bool, PortError>;
}

/// What a gate feels beside codes and temperatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensed {
    /// Somebody stands at the gate, or nobody does; told when it changes and when it is first known.
    Presence(bool),
    /// The volunteer pressed the button that lets the person at the gate in.
    Button,
    /// The building's fire alarm began or ended; the way is held open as long as it lasts, without being asked.
    FireAlarm(bool),
}

/// Where buttons, the presence sensor and the fire alarm are heard.
pub trait GateInput: Send {
    /// Waits at most `timeout` for the next change; `None` if none came.
    fn sensed(&mut self, timeout: Duration) -> Result<Option<Sensed>, PortError>;
}

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// How far its left edge is from the picture's.
    pub x: u32,
    /// How far its upper edge is from the picture's.
    pub y: u32,
    /// How wide it is.
    pub width: u32,
    /// How high it is.
    pub height: u32,
}

/// A whole picture for a display.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    width: u32,
    pixels: &'a [u32],
}

impl<'a> Picture<'a> {
    /// What a canvas has.
    pub fn of(canvas: &'a Canvas) -> Picture<'a> {
        Picture { width: canvas.width(), pixels: canvas.pixels() }
    }

    /// The pixels of a row, each `0x00RRGGBB`; none where there is no such row.
    pub fn row(&self, y: u32) -> &'a [u32] {
        let width = self.width as usize;
        let from = y as usize * width;
        self.pixels.get(from..from + width).unwrap_or_default()
    }
}

/// A screen that the gate paints itself.
pub trait Display: Send {
    /// How wide and how high it is as it is looked at.
    fn size(&self) -> (u32, u32);
    /// Shows a picture of this size, of which only these areas have changed since the last one.
    fn show(&mut self, picture: Picture<'_>, changed: &[Area]) -> Result<(), PortError>;
    /// Whether it is still there and the same, where nothing changes.
    fn check(&mut self) -> Result<(), PortError> {
        Ok(())
    }
    /// Whether it keeps what it is shown, as a file does: then nothing that is about one person is shown to it.
    fn keeps(&self) -> bool {
        false
    }
}

/// What is known of the time. Nothing here waits for a device or a disk.
pub trait Clock: Send + Sync {
    /// Milliseconds since some moment; never goes back.
    fn mono_ms(&self) -> u64;
    /// The time of day, with its confidence and its error.
    fn time(&self) -> Time;
    /// A publication is believed, so it is at least as late as the moment that it names. This floor falls by nothing but
    /// a newer publication, also across restarts.
    fn published(&self, publication: Published);
    /// The hub's signed ack says that it is at least this late, in seconds since 1970. It may be an old ack, and the
    /// hub's clock may have been wrong: this floor holds until the next [`Clock::signed_now`].
    fn heard_not_before(&self, unix_s: u64);
    /// Somebody who may say so has just signed what time it is: within `error_s` seconds of `unix_s`.
    ///
    /// # Errors
    /// Why it can not be so; then nothing changes.
    fn signed_now(&self, unix_s: u64, error_s: u32) -> Result<(), Implausible>;
    /// The time as it is known without what publications say of it, in seconds since 1970, to judge the next one by.
    fn without_publications(&self) -> u64 {
        self.time().unix_s
    }
    /// The latest that it can be now, in seconds since 1970, where that rests on somebody's signature.
    fn signed_latest(&self) -> Option<u64> {
        None
    }
    /// What a screen shows of the clock.
    fn view(&self) -> View {
        View::of(self.time())
    }
    /// What is wrong with the clock's device, as one sentence with its remedy.
    fn fault(&self) -> Option<String> {
        None
    }
}
