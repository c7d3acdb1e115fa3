//! What a proof sees of the running lane: how the device says it is, what its camera sees, what its thermometer says.
//!
//! It looks on like the panel does and measures frames only while a proof asks for it. Invariant: the lane never waits for
//! a proof; what is kept here is the newest value only.

use crate::aim::AimMeter;
use crate::optics::{Frame, Sight};
use crate::run::{Device, Spectator, Timing, Watcher};
use menshen_core::lane::Screen;
use menshen_core::thermo::Reading;
use menshen_core::trust::TrustList;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the eyes saw since a proof began to look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Eyes {
    pub(super) frames: u32,
    /// From the first frame to the last.
    pub(super) span: Duration,
    /// The sharpest frame, 0 to 100; `None` where none had edges to tell by.
    pub(super) focus: Option<u8>,
    /// The light of the last one: `fine`, `too_dark` or `too_bright`.
    pub(super) light: Option<&'static str>,
    /// Whether a code was seen in any.
    pub(super) saw_code: bool,
    /// Whether one was read.
    pub(super) read_code: bool,
    /// No frame is expected unless somebody gives one.
    pub(super) is_still: bool,
}

#[derive(Default)]
struct Seen {
    device: Option<Arc<Device>>,
    /// Counts what the device said.
    told: u64,
    eyes: Eyes,
    first_frame: Option<Instant>,
    reading: Option<Reading>,
}

/// What was seen; clones share it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    measures: AtomicBool,
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Watch {
    /// Begins to look anew.
    pub(super) fn begin(&self) {
        let mut seen = self.lock();
        (seen.eyes, seen.first_frame, seen.reading) = (Eyes::default(), None, None);
        self.0.measures.store(true, Ordering::Release);
    }

    /// Looks no more, and gives what was seen.
    pub(super) fn end(&self) -> (Eyes, Option<Reading>) {
        self.0.measures.store(false, Ordering::Release);
        let seen = self.lock();
        (seen.eyes.clone(), seen.reading)
    }

    /// How the device said it was last.
    pub(super) fn device(&self) -> Option<Arc<Device>> {
        self.lock().device.clone()
    }

    /// Waits until the device has said so often again how it is; `None` where it does not.
    pub(super) fn device_after(&self, times: u64, patience: Duration) -> Option<Arc<Device>> {
        let wanted = self.lock().told + times;
        self.wait(patience, |seen| seen.told >= wanted).then(|| self.device()).flatten()
    }

    /// Waits until the camera has shown pictures for so long, or is known to show none, and the thermometer has spoken
    /// where `wants_reading`.
    pub(super) fn until_seen(&self, span: Duration, wants_reading: bool, patience: Duration) {
        let has_failed = |seen: &Seen| seen.device.as_ref().is_some_and(|device| device.faults.camera.is_some());
        self.wait(patience, |seen| {
            let eyes = seen.eyes.span >= span || seen.eyes.is_still || has_failed(seen);
            eyes && (!wants_reading || seen.reading.is_some())
        });
    }

    fn wait(&self, patience: Duration, enough: impl Fn(&Seen) -> bool) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.lock(), patience, |seen| !enough(seen));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.0.changed.notify_all();
    }

    fn measures(&self) -> bool {
        self.0.measures.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Values are replaced whole.
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Watch {
    fn screen(&mut self, _: &Screen, _: Option<&TrustList>, _: Timing) {}

    fn device(&mut self, device: &Device) {
        let device = Arc::new(device.clone());
        self.change(|seen| {
            seen.device = Some(device);
            seen.told += 1;
        });
    }

    fn reading(&mut self, reading: Reading) {
        if self.measures() {
            self.change(|seen| seen.reading = Some(reading));
        }
    }

    fn spectator(&mut self) -> Option<Box<dyn Spectator>> {
        Some(Box::new(Meter { watch: self.clone(), meter: AimMeter::default(), was_watched: false }))
    }
}

/// Measures the frames of the running camera while a proof wants it.
struct Meter {
    watch: Watch,
    meter: AimMeter,
    was_watched: bool,
}

impl Spectator for Meter {
    fn is_watched(&mut self) -> bool {
        let is_watched = self.watch.measures();
        if is_watched && !self.was_watched {
            self.meter.forget();
        }
        self.was_watched = is_watched;
        is_watched
    }

    fn frame(&mut self, frame: &Frame, sight: &Sight) {
        let view = self.meter.measure(frame, sight);
        let now = Instant::now();
        self.watch.change(|seen| {
            let first = *seen.first_frame.get_or_insert(now);
            let eyes = &mut seen.eyes;
            eyes.frames += 1;
            eyes.span = now.saturating_duration_since(first);
            eyes.focus = eyes.focus.max(view.focus);
            eyes.light = Some(view.light);
            eyes.saw_code |= view.code.is_some();
            eyes.read_code |= !sight.payloads.is_empty();
        });
    }

    fn nothing(&mut self, is_live: bool) {
        if !is_live && self.watch.measures() {
            self.watch.change(|seen| seen.eyes.is_still = true);
        }
    }
}
