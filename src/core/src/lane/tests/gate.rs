//! A gate around a lane: a clock, a journal that answers, and a log of what was done.

use crate::decide::{Decision, Verdict};
use crate::hint::Hint;
use crate::lane::{Action, Event, Lane, Now, Screen};
use crate::testworld::*;
use crate::thermo::Reading;
use crate::time::Time;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// What the journal answers to a record.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Journal {
    Works,
    Fails,
    /// Does not answer before it is told to.
    Waits,
}

pub(super) struct Gate {
    pub(super) world: World,
    pub(super) lane: Lane,
    pub(super) journal: Journal,
    pub(super) now_ms: u64,
    pub(super) decisions: Vec<Decision>,
    pub(super) lamp: Option<Verdict>,
    pub(super) screen: Screen,
    pub(super) relay: bool,
    /// How often it was to be recorded that the relay is tried.
    pub(super) trials: usize,
    log: Vec<String>,
}

impl Gate {
    pub(super) fn new() -> Gate {
        Gate {
            world: World::new(),
            lane: Lane::new(),
            journal: Journal::Works,
            now_ms: 0,
            decisions: Vec::new(),
            lamp: None,
            screen: Screen::Idle,
            relay: false,
            trials: 0,
            log: Vec::new(),
        }
    }

    /// One step at the present moment, and the journal's answer to it.
    pub(super) fn step(&mut self, event: Event<'_>) {
        let now = Now { mono_ms: self.now_ms, time: Time::trusted(NOW_S + self.now_ms / 1000) };
        let before = self.decisions.len() + self.trials;
        for action in self.lane.step(event, now, self.world.context()) {
            self.note(action);
        }
        if self.decisions.len() + self.trials > before {
            match self.journal {
                Journal::Works => self.step(Event::Recorded),
                Journal::Fails => self.step(Event::RecordFailed),
                Journal::Waits => {}
            }
        }
    }

    fn note(&mut self, action: Action) {
        let did = match action {
            Action::Record(decision) => {
                let did = format!("record {}", decision.verdict.name());
                self.decisions.push(decision);
                did
            }
            Action::RecordAlarm(began) => format!("record alarm {}", if began { "began" } else { "ended" }),
            Action::RecordTrial => {
                self.trials += 1;
                "record trial".to_string()
            }
            Action::Relay(closed) => {
                self.relay = closed;
                format!("relay {}", if closed { "closed" } else { "open" })
            }
            Action::Lamp(lamp) => {
                self.lamp = lamp;
                format!("lamp {}", lamp.map_or("dark", Verdict::name))
            }
            Action::Tone(verdict) => format!("tone {}", verdict.name()),
            Action::Show(screen) => {
                let did = match &screen {
                    Screen::Idle => "idle".to_string(),
                    Screen::Hint(hint) => format!("hint {}", hint.name()),
                    Screen::AskReading => "ask".to_string(),
                    Screen::MeasureAgain { attempt, of } => format!("again {attempt}/{of}"),
                    Screen::Alarm => "alarm".to_string(),
                    Screen::Verdict(decision) => format!("show {}", reasons_of(decision)),
                };
                self.screen = screen;
                did
            }
        };
        self.log.push(format!("{} {did}", self.now_ms));
    }

    /// Lets time pass, with a tick every 50 ms.
    pub(super) fn wait_until(&mut self, ms: u64) {
        while self.now_ms < ms {
            self.now_ms = ms.min(self.now_ms + 50);
            self.step(Event::Tick);
        }
    }

    /// Lets time pass as a gate does: a tick every 20 ms, and one whenever the lane has asked for it.
    pub(super) fn tick_to(&mut self, ms: u64) {
        while self.now_ms < ms {
            let due_ms = self.lane.due_ms().unwrap_or(u64::MAX).max(self.now_ms + 1);
            self.now_ms = ms.min(self.now_ms + 20).min(due_ms);
            self.step(Event::Tick);
        }
    }

    /// The camera sees these codes, and only these, at once.
    pub(super) fn see(&mut self, payloads: &[&str]) {
        let payloads: Vec<&[u8]> = payloads.iter().map(|text| text.as_bytes()).collect();
        self.step(Event::Sight { payloads: &payloads, unread: None });
    }

    /// The camera sees these codes in a frame every 100 ms until then.
    pub(super) fn see_until(&mut self, ms: u64, payloads: &[&str]) {
        while self.now_ms < ms {
            self.see(payloads);
            self.wait_until(ms.min(self.now_ms + 100));
        }
    }

    /// A blurred code is in view, in a frame every 100 ms until then.
    pub(super) fn blur_until(&mut self, ms: u64) {
        self.hints_until(ms, &[Some(Hint::HoldStill)]);
    }

    /// Frames say this of a code that can not be read, one after another and again, every 100 ms until then; `None`
    /// is a frame that shows nothing.
    pub(super) fn hints_until(&mut self, ms: u64, frames: &[Option<Hint>]) {
        for unread in frames.iter().cycle() {
            if self.now_ms >= ms {
                break;
            }
            self.step(Event::Sight { payloads: &[], unread: *unread });
            self.wait_until(ms.min(self.now_ms + 100));
        }
    }

    /// The thermometer sees the wall between two people.
    pub(super) fn wall(&mut self) {
        (0..2).for_each(|_| self.step(Event::Reading(WALL_READING)));
    }

    /// As many equal readings at once as one measurement has.
    pub(super) fn measure(&mut self, reading: Reading) {
        (0..crate::lane::face::BURST).for_each(|_| self.step(Event::Reading(reading)));
    }

    /// What was done since this was last asked: the time in ms and the act.
    pub(super) fn did(&mut self) -> Vec<String> {
        core::mem::take(&mut self.log)
    }

    /// The reasons of the last decision that was recorded.
    pub(super) fn last(&self) -> String {
        self.decisions.last().map_or("nothing".into(), reasons_of)
    }
}

fn reasons_of(decision: &Decision) -> String {
    let names: Vec<&str> = decision.reasons.iter().map(|reason| reason.name()).collect();
    [decision.verdict.name()].into_iter().chain(names).collect::<Vec<_>>().join(" ")
}
