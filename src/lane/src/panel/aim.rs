//! The eyes of the page that helps to mount a camera.
//!
//! It sits in the thread that reads codes, so it does what must be done there (measure, make the picture small) a few
//! times a second and only while a page watches, and leaves the rest (encode, send) to the panel's thread.
//! Invariant: the newest picture replaces the one before it; it is in memory only, and gone when nobody watches.

use super::serve::Shared;
use crate::aim::{AimMeter, AimView};
use crate::optics::{Frame, Sight, Snapshot};
use crate::run::Spectator;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A hand on a lens follows four numbers a second.
const EVERY: Duration = Duration::from_millis(250);
/// What is older is not shown to a page that opens.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// What was measured last.
#[derive(Debug)]
pub(super) struct Aimed {
    pub(super) view: AimView,
    pub(super) picture: Snapshot,
    /// Counts the pictures, so that a page asks for each once.
    pub(super) number: u64,
    at: Instant,
}

impl Aimed {
    /// Whether it may still be shown.
    pub(super) fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH_FOR
    }
}

/// Measures for the pages that watch.
#[derive(Debug)]
pub(super) struct PanelSpectator {
    shared: Arc<Shared>,
    meter: AimMeter,
    watched: bool,
    number: u64,
    last: Option<Instant>,
}

impl PanelSpectator {
    pub(super) fn new(shared: Arc<Shared>) -> PanelSpectator {
        PanelSpectator { shared, meter: AimMeter::default(), watched: false, number: 0, last: None }
    }
}

impl Spectator for PanelSpectator {
    fn is_watched(&mut self) -> bool {
        let watched = self.shared.aims.receiver_count() > 0;
        if self.watched && !watched {
            // Whoever comes next begins with another lens, or another day.
            self.meter.forget();
            self.shared.aims.send_replace(None);
        }
        self.watched = watched;
        watched && self.last.is_none_or(|last| last.elapsed() >= EVERY)
    }

    fn frame(&mut self, frame: &Frame, sight: &Sight) {
        let now = Instant::now();
        self.last = Some(now);
        self.number += 1;
        let view = self.meter.measure(frame, sight);
        let picture = Snapshot::of(frame, &sight.seen);
        self.shared.aims.send_replace(Some(Arc::new(Aimed { view, picture, number: self.number, at: now })));
    }
}
