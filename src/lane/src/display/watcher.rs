//! From what the gate tells its watchers to what a display shows, in a thread of its own.
//!
//! The lane leaves the newest in a slot and goes on; the painter takes it from there, lays it out, and paints and sends
//! only what changed. It looks by itself twice a second at most: the clock moves, and a gate that says nothing must not
//! be taken for one that admits.
//!
//! Invariants: nothing here waits for a display but the painter; what is wrong with the display, or with the painter
//! itself, is told as long as it lasts; after the end the display is dark.

use super::canvas::Canvas;
use super::layout::lay_out;
use super::scene::Scene;
use super::told::{Shown, State};
use crate::health::Part;
use crate::panel::{Bar, ImportView, PanelInfo, ScreenView};
use crate::ports::{Display, Open, Picture, PortError};
use crate::run::{Device, Timing, Watcher};
use crate::threads;
use crate::words::Lang;
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked at what only time changes.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A display that failed is tried again after so long.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// A gate that says nothing for so long is lost: three beats of the panel's page.
const SILENCE: Duration = Duration::from_secs(6);
/// Longer than any gate may show an admission, which is a minute by site file and by panel.
const STALE_ADMISSION: Duration = Duration::from_secs(65);
/// For so long what is about one person is on the screen, however long their verdict stays.
pub(super) const PERSON: Duration = Duration::from_secs(60);
/// For how long the card of a stick takes the screen when nothing about it changes.
const CARD: Duration = Duration::from_secs(120);
/// After so long everything is sent again: something else may have written on the display. At first it comes soon, because
/// a text console that takes a display over clears it a moment later; then less and less often.
const FIRST_AFRESH: Duration = Duration::from_millis(400);
const AFRESH: Duration = Duration::from_secs(60);
/// A display that takes longer over one picture is told.
const HANGS_AFTER: Duration = Duration::from_secs(5);
/// How long the end of the gate waits for the display to be dark.
const PATIENCE: Duration = Duration::from_millis(1500);
/// What is told of a display whose driver does not answer.
const HANGS: &str = "the screen does not answer: check its cable and its driver; the gate works without it";
/// What is told where the painter has ended.
const ENDED: &str =
    "the program of the screen has stopped: start the gate again and report the log; the gate works without it";

/// What the lane said last.
#[derive(Debug)]
struct Newest {
    shown: Option<Shown>,
    shown_at: Instant,
    bar: Option<Bar>,
    told_at: Instant,
    changed: bool,
    ended: bool,
    /// What is wrong with the display.
    fault: Option<String>,
    /// Since when the display has been at work on something.
    busy_since: Option<Instant>,
}

#[derive(Debug)]
struct Slot {
    newest: Mutex<Newest>,
    news: Condvar,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Newest> {
        // Each change is whole after one assignment, so what a panicking thread leaves behind is whole.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Newest)) {
        let mut newest = self.lock();
        change(&mut newest);
        newest.changed = true;
        drop(newest);
        self.news.notify_one();
    }

    /// Waits for news, so long at most; gives whether the gate has ended.
    fn wait(&self, timeout: Duration) -> bool {
        let waiting = |newest: &mut Newest| !newest.changed && !newest.ended;
        let waited = self.news.wait_timeout_while(self.lock(), timeout, waiting);
        let (mut newest, _) = waited.unwrap_or_else(PoisonError::into_inner);
        newest.changed = false;
        newest.ended
    }

    /// Makes a call to the display under the watch.
    fn watched<T>(&self, call: impl FnOnce() -> T) -> T {
        self.lock().busy_since = Some(Instant::now());
        let came_back = call();
        self.lock().busy_since = None;
        came_back
    }
}

/// Puts a gate on a display.
#[derive(Debug)]
pub struct DisplayWatcher {
    slot: Arc<Slot>,
    painter: Option<JoinHandle<()>>,
}

impl DisplayWatcher {
    /// Opens the display again and again until it is there, and begins to paint. `lang` is the language that is large.
    pub fn start(open: Open<dyn Display>, info: PanelInfo, lang: Lang) -> DisplayWatcher {
        let now = Instant::now();
        let newest = Newest {
            shown: None,
            shown_at: now,
            bar: None,
            told_at: now,
            changed: false,
            ended: false,
            fault: None,
            busy_since: None,
        };
        let slot = Arc::new(Slot { newest: Mutex::new(newest), news: Condvar::new() });
        let painter = Painter { slot: Arc::clone(&slot), info, lang, stick: None, stick_since: now };
        DisplayWatcher { slot, painter: Some(threads::spawn("display", move || painter.run(open))) }
    }
}

impl Watcher for DisplayWatcher {
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, _: Timing) {
        let shown = Shown::of(screen, trust);
        self.slot.change(|newest| {
            let now = Instant::now();
            (newest.shown, newest.shown_at, newest.told_at) = (Some(shown), now, now);
        });
    }

    fn device(&mut self, device: &Device) {
        let bar = to_the_minute(Bar::of(device));
        let mut newest = self.slot.lock();
        newest.told_at = Instant::now();
        if newest.bar.as_ref() != Some(&bar) {
            drop(newest);
            self.slot.change(|newest| newest.bar = Some(bar));
        }
    }

    fn fault(&self) -> Option<(Part, String)> {
        if self.painter.as_ref().is_none_or(JoinHandle::is_finished) {
            return Some((Part::Display, ENDED.to_owned()));
        }
        let newest = self.slot.lock();
        let hangs = newest.busy_since.is_some_and(|since| since.elapsed() >= HANGS_AFTER);
        let fault = if hangs { Some(HANGS.to_owned()) } else { newest.fault.clone() };
        fault.map(|fault| (Part::Display, fault))
    }
}

impl Drop for DisplayWatcher {
    fn drop(&mut self) {
        self.slot.change(|newest| newest.ended = true);
        let Some(painter) = self.painter.take() else { return };
        let begun = Instant::now();
        while !painter.is_finished() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        // One that hangs in its driver ends with the program.
        if painter.is_finished() && painter.join().is_err() {
            tracing::error!("the program of the screen ended in a panic; it is a bug, please report it with this log");
        }
    }
}

/// No screen shows seconds, so a bar that differs in them alone is the same.
fn to_the_minute(mut bar: Bar) -> Bar {
    let clock = &mut bar.clock;
    let times =
        [Some(&mut clock.time), Some(&mut clock.passed_time), clock.device_time.as_mut(), clock.network_time.as_mut()];
    for time in times.into_iter().flatten() {
        // 2020-08-03T02:05:07Z
        if let (Some(minute), true) = (time.get(..16), time.ends_with('Z')) {
            *time = format!("{minute}:00Z");
        }
    }
    bar
}

/// What a scene is made of, beside what never changes.
#[derive(Clone, Debug, PartialEq)]
struct Inputs {
    shown: Option<Shown>,
    bar: Option<Bar>,
    lost: bool,
    is_long_ago: bool,
    card_is_over: bool,
}

struct Painter {
    slot: Arc<Slot>,
    info: PanelInfo,
    lang: Lang,
    /// The stick that is in, and since when it is as it is.
    stick: Option<ImportView>,
    stick_since: Instant,
}

impl Painter {
    fn run(mut self, mut open: Open<dyn Display>) {
        threads::yield_to_others();
        loop {
            let slot = Arc::clone(&self.slot);
            let ended = threads::guarded("screen", || {
                let mut display = slot.watched(&mut open)?;
                self.paint(display.as_mut())
            });
            let Err(error) = ended else { return };
            let mut newest = self.slot.lock();
            newest.busy_since = None;
            newest.fault = Some(error.to_string());
            drop(newest);
            let since = Instant::now();
            while since.elapsed() < REOPEN_AFTER {
                if self.slot.wait(REOPEN_AFTER.saturating_sub(since.elapsed())) {
                    return;
                }
            }
        }
    }

    /// Paints until the gate ends or the display fails.
    fn paint(&mut self, display: &mut dyn Display) -> Result<(), PortError> {
        let size = display.size();
        let mut canvas = Canvas::new(size.0, size.1);
        let mut sent = canvas.clone();
        let mut last: Option<(Inputs, Scene)> = None;
        let (mut afresh, mut every) = (None, FIRST_AFRESH);
        loop {
            let inputs = self.inputs();
            let is_new = last.as_ref().is_none_or(|(last, _)| *last != inputs);
            if is_new {
                let scene = self.scene(&inputs, size, display.keeps());
                scene.paint(&mut canvas, last.as_ref().map(|(_, scene)| scene));
                last = Some((inputs, scene));
            }
            let due = afresh.is_none_or(|at: Instant| at.elapsed() >= every);
            let dirty = match (due, is_new) {
                (true, _) => vec![canvas.area()],
                (false, true) => canvas.changes(&sent),
                (false, false) => Vec::new(),
            };
            self.slot.watched(|| {
                if dirty.is_empty() { display.check() } else { display.show(Picture::of(&canvas), &dirty) }
            })?;
            dirty.iter().for_each(|area| sent.copy_from(&canvas, *area));
            if due {
                every = if afresh.is_some() { AFRESH.min(every * 2) } else { every };
                afresh = Some(Instant::now());
            }
            self.slot.lock().fault = None;
            if self.slot.wait(LOOK_EVERY) {
                let dark = Canvas::new(size.0, size.1);
                return self.slot.watched(|| display.show(Picture::of(&dark), &[dark.area()]));
            }
        }
    }

    /// What there is to say now.
    fn inputs(&mut self) -> Inputs {
        let newest = self.slot.lock();
        let (shown, bar) = (newest.shown.clone(), newest.bar.clone());
        let admits_for_long = shown.as_ref().is_some_and(Shown::admits) && newest.shown_at.elapsed() > STALE_ADMISSION;
        let is_verdict = matches!(shown.as_ref().map(Shown::view), Some(ScreenView::Verdict { .. }));
        let is_long_ago = is_verdict && newest.shown_at.elapsed() >= PERSON;
        let lost = admits_for_long || (shown.is_some() && newest.told_at.elapsed() > SILENCE);
        drop(newest);
        let stick = bar.as_ref().and_then(|bar| bar.import.clone()).filter(|import| import.road == "stick");
        if stick != self.stick {
            (self.stick, self.stick_since) = (stick, Instant::now());
        }
        Inputs { shown, bar, lost, is_long_ago, card_is_over: self.stick_since.elapsed() > CARD }
    }

    fn scene(&self, inputs: &Inputs, (width, height): (u32, u32), keeps: bool) -> Scene {
        let Inputs { shown, bar, lost, is_long_ago, card_is_over } = inputs;
        let state = State {
            shown: shown.as_ref(),
            bar: bar.as_ref(),
            info: &self.info,
            lang: self.lang,
            lost: *lost,
            card_is_over: *card_is_over,
            hides_person: keeps || *is_long_ago,
        };
        lay_out(&state, width, height)
    }
}

#[cfg(test)]
mod tests;
