//! What the page is told: one screen and one bar, as JSON.
//!
//! Separate from [`crate::view`], whose names scripts rely on: these names are between the gate and its
//! own page, which is served by the same program and reloads itself when that changes.

use super::issuers::ListsView;
use super::sound::Heard;
use crate::trust::{Import, RoadState};
use crate::view::{DecisionView, rfc3339};
use menshen_core::clock::{Doubt, View};
use menshen_core::lane::Screen;
use menshen_core::trust::{Freshness, TrustList};
use menshen_trust::tuf::Refusal;
use serde::Serialize;
use std::time::{Duration, Instant};

/// What the screen shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScreenView {
    /// Waiting for the next person.
    Idle,
    /// A code is in view and can not be read.
    Hint {
        /// What would help: the stable name of the core's hint.
        hint: &'static str,
    },
    /// The code was read; the temperature is wanted.
    AskReading,
    /// Measure again.
    MeasureAgain {
        /// Which attempt this is, from 2.
        attempt: u8,
        /// How many there are.
        of: u8,
    },
    /// The verdict.
    Verdict {
        /// What the gate decided.
        decision: Box<DecisionView>,
    },
    /// The fire alarm holds the way open.
    Alarm,
}

impl ScreenView {
    /// A screen of the lane; the trust list gives the issuer's name and hotline.
    pub fn of(screen: &Screen, trust: Option<&TrustList>) -> ScreenView {
        match screen {
            Screen::Idle => ScreenView::Idle,
            Screen::Hint(hint) => ScreenView::Hint { hint: hint.name() },
            Screen::AskReading => ScreenView::AskReading,
            Screen::MeasureAgain { attempt, of } => ScreenView::MeasureAgain { attempt: *attempt, of: *of },
            Screen::Alarm => ScreenView::Alarm,
            Screen::Verdict(decision) => ScreenView::Verdict { decision: Box::new(DecisionView::of(decision, trust)) },
        }
    }
}

/// A screen that is being shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    view: ScreenView,
    number: u64,
    /// The number of the screen by which whoever is at the gate was shown first.
    person: u64,
    /// Whether that was a code that can not be read: until another screen nothing is known of whose it is.
    is_unread: bool,
    /// Whether that was a verdict.
    is_decided: bool,
    since: Instant,
    started: Instant,
}

impl Shown {
    /// The idle screen of a panel that starts now.
    pub(super) fn first() -> Shown {
        let now = Instant::now();
        Shown {
            view: ScreenView::Idle,
            number: 0,
            person: 0,
            is_unread: false,
            is_decided: false,
            since: now,
            started: now,
        }
    }

    /// Shows another screen; `false` if that changes nothing.
    pub(super) fn replace(&mut self, view: ScreenView) -> bool {
        let new = view != self.view || matches!(view, ScreenView::Verdict { .. });
        if new {
            let number = self.number + 1;
            if !self.is_still(&view) {
                self.person = number;
                self.is_unread = matches!(view, ScreenView::Hint { .. });
                self.is_decided = matches!(view, ScreenView::Verdict { .. });
            }
            (self.view, self.number, self.since) = (view, number, Instant::now());
        }
        new
    }

    /// Whether the next screen is about whom this one is about. A verdict counts as somebody else's, for what was meant
    /// before it was there was meant without it; so does a code that was not there before.
    fn is_still(&self, next: &ScreenView) -> bool {
        match next {
            ScreenView::Verdict { .. } | ScreenView::Alarm => false,
            ScreenView::AskReading => {
                matches!(self.view, ScreenView::AskReading | ScreenView::MeasureAgain { .. })
            }
            // Whose code can not be read takes the phone away and holds it there again.
            ScreenView::Hint { .. } => self.is_unread,
            ScreenView::MeasureAgain { .. } | ScreenView::Idle => true,
        }
    }

    /// Whether who saw a screen still means whoever is at the gate: nobody else has been shown since, and if it was a verdict
    /// that they saw, the lane still `remembers` it.
    pub(super) fn is_about(&self, screen: u64, remembers: bool) -> bool {
        let is_verdict = self.is_decided && screen == self.person;
        (self.person..=self.number).contains(&screen) && (remembers || !is_verdict)
    }

    /// A volunteer is done with whoever was shown: whoever comes is somebody else, from the resting screen on.
    pub(super) fn is_done_with(&mut self) {
        self.person = if matches!(self.view, ScreenView::Idle) { self.number } else { self.number + 1 };
        (self.is_unread, self.is_decided) = (false, false);
    }

    /// As it goes to a page just now.
    pub(super) fn deliver(&self) -> Delivered<'_> {
        Delivered {
            view: &self.view,
            heard: Heard::at(&self.view),
            number: self.number,
            person: self.person,
            shown_at_ms: milliseconds(self.since - self.started),
            age_ms: milliseconds(self.since.elapsed()),
        }
    }
}

/// A screen on its way to a page.
#[derive(Serialize)]
pub(super) struct Delivered<'a> {
    #[serde(flatten)]
    view: &'a ScreenView,
    /// What is heard with it.
    #[serde(flatten)]
    heard: Heard,
    /// Counts the screens, so that a page knows the second of two equal verdicts from the first.
    number: u64,
    /// The number of the first screen about whoever is at the gate, so that a page knows when that is somebody else.
    person: u64,
    /// When it was shown, in milliseconds since the panel started: no clock is needed.
    shown_at_ms: u64,
    /// How long ago that is, for a page that joins late.
    age_ms: u64,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The state of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// What is known of the time.
    pub clock: ClockView,
    /// What the gate believes; `None` while it has no trust list.
    pub trust: Option<TrustView>,
    /// Why the newest that was to be believed is not, as one sentence for the technician.
    pub trust_fault: Option<String>,
    /// The issuers' status lists.
    pub lists: ListsView,
    /// An import that somebody may want to know of: that of a stick while it is in.
    pub import: Option<ImportView>,
    /// What came of the last stick, for a while after it was pulled out.
    pub last_stick: Option<ImportView>,
    /// Whether the gate can believe anything newer, by whatever road: else no stick is read.
    pub takes_new: bool,
    /// How many records the hub has not acknowledged.
    pub backlog: u64,
    /// The camera.
    pub camera: PartView,
    /// The thermometer; `None` where the lane has none.
    pub thermometer: Option<PartView>,
    /// Parts that are told of only while something is wrong with them.
    pub others: Vec<OtherView>,
    /// Whom a volunteer may let in by hand: `never`, `referred` or `all_but_red`.
    pub manual: &'static str,
    /// The journal.
    pub journal: PartView,
    /// The hub; `None` where the gate is told of none.
    pub hub: Option<HubView>,
}

/// A part that is told of only while something is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherView {
    /// `inputs`, `neighbours`, `rules`, `speaker` or `display`.
    pub name: &'static str,
    /// One sentence with its remedy.
    pub message: String,
}

/// What is known of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClockView {
    /// `trusted` or `floor`.
    pub confidence: &'static str,
    /// The time, or the least it can be, in RFC 3339.
    pub time: String,
    /// How far a trusted time may be off, in seconds.
    pub error_s: u32,
    /// What is wrong with the device's own clock: the stable name of the core's doubt.
    pub doubt: Option<&'static str>,
    /// Whether the device's own clock contradicts what is known; then both times are shown.
    pub disagrees: bool,
    /// What the device's own clock says, in RFC 3339.
    pub device_time: Option<String>,
    /// The newest moment that is known to have passed, in RFC 3339.
    pub passed_time: String,
    /// What the network says and nobody has signed, in RFC 3339; shown and never used.
    pub network_time: Option<String>,
    /// What is wrong with the clock's device, as one sentence with its remedy, for the technician.
    pub fault: Option<String>,
}

impl ClockView {
    /// Of what the core knows, and what its device lacks.
    pub fn of(view: &View, fault: Option<&str>) -> ClockView {
        ClockView {
            confidence: view.time.confidence.name(),
            time: rfc3339(view.time.unix_s),
            error_s: view.time.error_s,
            doubt: view.doubt.map(Doubt::name),
            disagrees: view.disagrees(),
            device_time: view.device_s.map(rfc3339),
            passed_time: rfc3339(view.passed_s),
            network_time: view.hint_s.map(rfc3339),
            fault: fault.map(str::to_owned),
        }
    }
}

/// What the gate believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustView {
    /// `fresh`, `ageing`, `stale` or `unknown`.
    pub freshness: &'static str,
    /// When it was published, in RFC 3339.
    pub as_of: String,
    /// Its version.
    pub version: u64,
}

impl TrustView {
    /// Of a trust list and how old it is by the site's policy.
    pub fn of(trust: &TrustList, freshness: Freshness) -> TrustView {
        let content = trust.content();
        TrustView { freshness: freshness.name(), as_of: rfc3339(content.as_of), version: content.version }
    }
}

/// How an import stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportView {
    /// By which road it came: `stick`, `folder` or `hub`.
    pub road: &'static str,
    /// `importing`, `imported`, `unchanged` or `refused`.
    pub state: &'static str,
    /// Which kind of refusal; `None` for one that is refused where the gate itself could not take it.
    pub refusal: Option<&'static str>,
    /// Why it is refused, as one sentence for the technician.
    pub why: Option<String>,
}

impl ImportView {
    /// Of an import.
    pub fn of(import: &Import) -> ImportView {
        ImportView::by(import.road.name(), &import.state)
    }

    /// Of a stick that was pulled out.
    pub fn of_stick(state: &RoadState) -> ImportView {
        ImportView::by("stick", state)
    }

    fn by(road: &'static str, state: &RoadState) -> ImportView {
        let (refusal, why) = match state {
            RoadState::Refused { refusal, why } => (refusal.map(Refusal::name), Some(why.clone())),
            RoadState::Importing | RoadState::Imported | RoadState::Unchanged => (None, None),
        };
        ImportView { road, state: state.name(), refusal, why }
    }
}

/// Whether a part of the device works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartView {
    /// Whether it works.
    pub ok: bool,
    /// If not, one sentence that names it and the remedy, for the technician.
    pub message: Option<String>,
}

impl PartView {
    /// A part that works.
    pub const FINE: PartView = PartView { ok: true, message: None };

    /// A part that does not, and what to do.
    pub fn ailing(message: impl ToString) -> PartView {
        PartView { ok: false, message: Some(message.to_string()) }
    }
}

/// Whether records reach the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HubView {
    /// Whether the last attempt was acknowledged.
    pub ok: bool,
    /// If not, one sentence that names what is wrong and the remedy.
    pub message: Option<String>,
    /// When the hub last acknowledged something, in RFC 3339.
    pub last_ack: Option<String>,
}
