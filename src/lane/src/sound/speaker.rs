//! Who plays what a screen sounds like on the device's own loudspeaker.
//!
//! It has a thread of its own: a sound card that hangs or was pulled out never holds the lane up, nor the end of the gate.
//! Only the newest screen is heard: what is still playing of an older one belongs to somebody who has gone. A loudspeaker
//! that fails is told as a fault and opened again.
//!
//! Invariants: one screen waits at most, the newest, and not for long: an answer that comes late is taken for another
//! person's. One at rest is tried now and then, so that what was pulled out is told before somebody should have heard it.

use super::{SoundSettings, Sounded};
use crate::health::Part;
use crate::ports::{Clock, Open, PortError, Speaker};
use crate::run::{Device, Timing, Watcher};
use crate::threads;
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked at whether what plays still does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two tries to open a loudspeaker that failed.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often one at rest is tried.
const TRY_EVERY: Duration = Duration::from_secs(30);
/// A sound that begins later than this is no answer any more; the page has the same.
const LATE: Duration = Duration::from_millis(1500);
/// How long the end of the gate waits for silence.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What is to be heard: what belongs to a screen; `None` where a person tries the loudspeaker out.
type Heard = Option<Box<Screen>>;

/// What the lane said last.
#[derive(Default)]
struct Newest {
    heard: Option<(Heard, Instant)>,
    ended: bool,
}

/// Where it waits for the loudspeaker.
#[derive(Default)]
struct Slot {
    newest: Mutex<Newest>,
    news: Condvar,
}

/// What the player does next.
enum Order {
    Sound(Heard, Instant),
    Look,
    End,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Newest> {
        // Each change is whole after one assignment, so what a panicking thread leaves behind is whole.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Newest)) {
        change(&mut self.lock());
        self.news.notify_one();
    }

    /// Waits so long at most for something to sound.
    fn next(&self, timeout: Duration) -> Order {
        let waiting = |newest: &mut Newest| newest.heard.is_none() && !newest.ended;
        let waited = self.news.wait_timeout_while(self.lock(), timeout, waiting);
        let (mut newest, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match newest.heard.take() {
            _ if newest.ended => Order::End,
            Some((heard, at)) => Order::Sound(heard, at),
            None => Order::Look,
        }
    }
}

/// Plays what screens sound like. Dropping it silences the loudspeaker.
pub struct SpeakerWatcher {
    slot: Arc<Slot>,
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
        SpeakerWatcher::trying(open, settings, clock, has_tones, TRY_EVERY)
    }

    fn trying(
        open: Open<dyn Speaker>,
        settings: SoundSettings,
        clock: Arc<dyn Clock>,
        has_tones: bool,
        try_every: Duration,
    ) -> SpeakerWatcher {
        let (slot, fault) = (Arc::<Slot>::default(), Arc::<Mutex<Option<String>>>::default());
        let (orders, told) = (Arc::clone(&slot), Arc::clone(&fault));
        let player =
            Player { open, port: None, orders, settings, clock, has_tones, try_every, fault: told, is_hushed: false };
        SpeakerWatcher { slot, fault, thread: Some(threads::spawn("speaker", move || player.run())) }
    }
}

impl Watcher for SpeakerWatcher {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, _: Timing) {
        // A screen without a sound lets the last one end by itself.
        if !matches!(screen, Screen::Idle) {
            let newest = Some((Some(Box::new(screen.clone())), Instant::now()));
            self.slot.change(|slot| slot.heard = newest);
        }
    }

    fn try_sound(&mut self) {
        self.slot.change(|slot| slot.heard = Some((None, Instant::now())));
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
        self.slot.change(|newest| newest.ended = true);
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        // One that hangs in its driver ends with the program; one that panicked has stopped too.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

struct Player {
    open: Open<dyn Speaker>,
    port: Option<Box<dyn Speaker>>,
    orders: Arc<Slot>,
    settings: SoundSettings,
    clock: Arc<dyn Clock>,
    has_tones: bool,
    try_every: Duration,
    fault: Arc<Mutex<Option<String>>>,
    /// What played last was ended before its time: that it is silent now proves nothing.
    is_hushed: bool,
}

impl Player {
    fn run(mut self) {
        // At once, so that one that is not there is told before somebody should have heard it.
        let mut is_playing = self.guarded(|player| player.ready()?.is_playing());
        loop {
            let wait = match (&self.port, is_playing) {
                (None, _) => AGAIN_AFTER,
                (Some(_), true) => LOOK_EVERY,
                (Some(_), false) => self.try_every,
            };
            let is_at_rest = self.port.is_some() && !is_playing;
            is_playing = match self.orders.next(wait) {
                Order::Sound(heard, at) => self.guarded(|player| player.sound(&heard, at)),
                Order::Look if is_at_rest => self.guarded(|player| {
                    player.ready()?.check()?;
                    player.is_hushed = false;
                    Ok(true)
                }),
                Order::Look => self.guarded(|player| player.ready()?.is_playing()),
                Order::End => break,
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
                if !self.is_hushed {
                    *fault = None;
                }
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

    fn sound(&mut self, heard: &Heard, at: Instant) -> Result<bool, PortError> {
        let (rules, time) = (self.settings.get(), self.clock.time());
        let sounded = match heard {
            Some(screen) => Sounded::of(screen, &rules, rules.volume_at(time), self.has_tones),
            None => Some(Sounded::trial(&rules, rules.buzzer_at(time))),
        };
        let sounded = sounded.filter(|_| at.elapsed() < LATE);
        match sounded {
            Some(sounded) => {
                self.ready()?.play(&sounded)?;
                self.is_hushed = false;
            }
            // What plays is about an older screen.
            None => {
                self.port.iter_mut().for_each(|port| port.hush());
                self.is_hushed = true;
            }
        }
        // How it went is seen at the next look.
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
