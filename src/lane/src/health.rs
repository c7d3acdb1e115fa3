//! How the gate itself is: one board that every thread writes its own line of and the panel reads.
//!
//! A port that vanished, a journal that fails, a hub out of reach: each is one sentence with its remedy,
//! shown until it is over. Nothing here is waited for.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A part of the gate, with what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The camera.
    Camera,
    /// The thermometer.
    Thermometer,
    /// The relay.
    Relay,
    /// The lamps.
    Lamps,
    /// The buzzer.
    Buzzer,
    /// The loudspeaker.
    Speaker,
    /// The access controller that admissions are reported to.
    Controller,
    /// The journal.
    Journal,
    /// What the gate believes.
    Trust,
    /// The device's own clock.
    Clock,
    /// Buttons, presence sensor and fire alarm.
    Inputs,
    /// The rules of the site.
    Rules,
    /// The other gates of the site.
    Neighbours,
    /// The screen that the gate paints itself.
    Display,
}

/// How the sync stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubHealth {
    /// What is wrong; `None` if the last exchange worked, or none was needed yet.
    pub fault: Option<String>,
    /// When the hub last acknowledged, by its own clock, seconds since 1970.
    pub last_ack_unix_s: Option<u64>,
}

/// What is wrong with each part; `None` is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The camera's.
    pub camera: Option<String>,
    /// The thermometer's.
    pub thermometer: Option<String>,
    /// The relay's.
    pub relay: Option<String>,
    /// The lamps'.
    pub lamps: Option<String>,
    /// The buzzer's.
    pub buzzer: Option<String>,
    /// The loudspeaker's.
    pub speaker: Option<String>,
    /// The access controller's.
    pub controller: Option<String>,
    /// The journal's.
    pub journal: Option<String>,
    /// Why the newest that was to be believed is not.
    pub trust: Option<String>,
    /// The device's own clock's.
    pub clock: Option<String>,
    /// Those of buttons, presence sensor and fire alarm.
    pub inputs: Option<String>,
    /// What of the site's own rules does not count.
    pub rules: Option<String>,
    /// Which other gates of the site are not heard.
    pub neighbours: Option<String>,
    /// The screen's that the gate paints itself.
    pub display: Option<String>,
    /// The hub's.
    pub hub: HubHealth,
}

/// The board.
#[derive(Debug, Default)]
pub struct Health {
    faults: Mutex<Faults>,
}

impl Health {
    /// Sets or clears what is wrong with a part; a change is logged.
    pub fn set(&self, part: Part, fault: Option<String>) {
        let mut faults = self.lock();
        let line = match part {
            Part::Camera => &mut faults.camera,
            Part::Thermometer => &mut faults.thermometer,
            Part::Relay => &mut faults.relay,
            Part::Lamps => &mut faults.lamps,
            Part::Buzzer => &mut faults.buzzer,
            Part::Speaker => &mut faults.speaker,
            Part::Controller => &mut faults.controller,
            Part::Journal => &mut faults.journal,
            Part::Trust => &mut faults.trust,
            Part::Clock => &mut faults.clock,
            Part::Inputs => &mut faults.inputs,
            Part::Rules => &mut faults.rules,
            Part::Neighbours => &mut faults.neighbours,
            Part::Display => &mut faults.display,
        };
        match (&fault, &line) {
            (Some(new), old) if old.as_ref() != Some(new) => tracing::warn!(?part, "{new}"),
            (None, Some(_)) => tracing::info!(?part, "works again"),
            _ => {}
        }
        *line = fault;
    }

    /// Replaces the hub's line.
    pub fn set_hub(&self, hub: HubHealth) {
        self.lock().hub = hub;
    }

    /// Changes the hub's line.
    pub fn update_hub(&self, change: impl FnOnce(&mut HubHealth)) {
        change(&mut self.lock().hub);
    }

    /// The board as it is now.
    pub fn faults(&self) -> Faults {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Faults> {
        // Every write is one assignment, so a panic elsewhere leaves no half-written line.
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
