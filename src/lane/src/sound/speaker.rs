//! Who plays what a screen sounds like on the device's own loudspeaker.
//!
//! It has a thread of its own: a sound card that hangs or was pulled out never holds the lane up. Only the newest screen
//! is heard: what is still playing of an older one belongs to somebody who has gone. A loudspeaker that fails is told as
//! a fault and opened again.

use super::{SoundSettings, Sounded};
use crate::health::Part;
use crate::ports::{Clock, Open, PortError, Speaker};
use crate::run::{Device, Timing, Watcher};
use crate::threads;
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked at whether what plays still does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two tries to open a loudspeaker that failed.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Plays what screens sound like. Dropping it silences the loudspeaker.
pub struct SpeakerWatcher {
    screens: Option<Sender<Screen>>,
    fault: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl SpeakerWatcher {
    /// Begins; `open` opens the loudspeaker now and after each failure. `has_tones` is `false` where a buzzer beside it
    /// sounds the rhythms.
    pub fn new(
        open: Open<dyn Speaker>,
        settings: SoundSettings,
        clock: Arc<dyn Clock>,
        has_tones: bool,
    ) -> SpeakerWatcher {
        let (screens, orders) = channel();
        let fault: Arc<Mutex<Option<String>>> = Arc::default();
        let player = Player { open, port: None, orders, settings, clock, has_tones, fault: Arc::clone(&fault) };
        let thread = threads::spawn("speaker", move || player.run());
        SpeakerWatcher { screens: Some(screens), fault, thread: Some(thread) }
    }
}

impl Watcher for SpeakerWatcher {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, _: Timing) {
        // Where the thread is gone, `fault` says so. A screen without a sound lets the last one end by itself.
        if !matches!(screen, Screen::Idle) {
            let _ = self.screens.as_ref().is_some_and(|screens| screens.send(screen.clone()).is_ok());
        }
    }

    fn device(&mut self, _: &Device) {}

    fn fault(&self) -> Option<(Part, String)> {
        let fault = if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            Some("the loudspeaker's program has stopped: start the gate again and report the log".to_owned())
        } else {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        fault.map(|fault| (Part::Speaker, fault))
    }
}

impl Drop for SpeakerWatcher {
    fn drop(&mut self) {
        self.screens = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has stopped too.
            let _ = thread.join();
        }
    }
}

struct Player {
    open: Open<dyn Speaker>,
    port: Option<Box<dyn Speaker>>,
    orders: Receiver<Screen>,
    settings: SoundSettings,
    clock: Arc<dyn Clock>,
    has_tones: bool,
    fault: Arc<Mutex<Option<String>>>,
}

impl Player {
    fn run(mut self) {
        // At once, so that one that is not there is told before somebody should have heard it.
        let mut is_playing = self.guarded(|player| player.ready()?.is_playing());
        loop {
            let wait = match (&self.port, is_playing) {
                (None, _) => AGAIN_AFTER,
                (Some(_), true) => LOOK_EVERY,
                // Nothing can become of a loudspeaker that is at rest until it is wanted.
                (Some(_), false) => Duration::from_secs(3600),
            };
            is_playing = match self.orders.recv_timeout(wait) {
                Ok(screen) => {
                    let newest = self.orders.try_iter().last().unwrap_or(screen);
                    self.guarded(|player| player.sound(&newest))
                }
                Err(RecvTimeoutError::Timeout) => self.guarded(|player| player.ready()?.is_playing()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
        }
        if let Some(mut port) = self.port.take() {
            port.hush();
        }
    }

    /// Does something with the loudspeaker, gives whether it may still play, and tells what failed. A fault is over only
    /// when something was played to its end: that one begins to play proves nothing.
    fn guarded(&mut self, act: impl FnOnce(&mut Player) -> Result<bool, PortError>) -> bool {
        let result = threads::guarded("loudspeaker", || act(self));
        if result.is_err() {
            self.port = None;
        }
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(true) => true,
            Ok(false) => {
                *fault = None;
                false
            }
            Err(error) => {
                *fault = Some(error.to_string());
                false
            }
        }
    }

    /// The loudspeaker, opened if need be.
    fn ready(&mut self) -> Result<&mut Box<dyn Speaker>, PortError> {
        let port = match self.port.take() {
            Some(port) => port,
            None => (self.open)()?,
        };
        Ok(self.port.insert(port))
    }

    fn sound(&mut self, screen: &Screen) -> Result<bool, PortError> {
        let rules = self.settings.get();
        let sounded = Sounded::of(screen, &rules, rules.volume_at(self.clock.time()), self.has_tones);
        match sounded {
            Some(sounded) => self.ready()?.play(&sounded)?,
            // What plays is about an older screen.
            None => self.port.iter_mut().for_each(|port| port.hush()),
        }
        // How it went is seen at the next look.
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
