//! The gate in motion: threads around the lane's state machine.
//!
//! ```text
//! eyes thread:  camera → optics ─┐
//! touch thread: thermometer ─────┼→ one queue → this thread: lane.step → journal → outputs → watchers
//! clock ─────────────────────────┘                                         └→ sync thread → hub
//! ```
//!
//! Everything that decides, records or moves happens in one thread, in the order of one queue, so that
//! the order "durable, then relay, then screen" can be read off `Runtime::act`. A port that vanishes is
//! told on the health board and opened again; nothing else stops for it.

mod eyes;
mod stick;
mod touch;

pub use eyes::LOOK_BUDGET;

use crate::health::{Faults, Health, Part};
use crate::hint;
use crate::journal::{self, Journal};
use crate::optics::{Frame, Payload, Sight};
use crate::ports::{Camera, Clock, GateOutput, Open, PortError, Thermometer};
use crate::probe::{Probe, Step};
use crate::sync;
use crate::threads::Stop;
use crate::trust::{Feed, Import, Keeper, RoadState, Standings, Trust};
use menshen_core::clock::View;
use menshen_core::decide::Context;
use menshen_core::ids::IssuerId;
use menshen_core::lane::{Action, Actions, Event, Lane, Now, Screen};
use menshen_core::policy::Policy;
use menshen_core::record::{Body, Scan};
use menshen_core::status::StatusSource;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::{Freshness, TrustList};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use stick::LastStick;

/// How often the lane looks at the time when nothing else happens.
const TICK: Duration = Duration::from_millis(20);
/// How many inputs may wait; a camera that is faster than the gate waits, its adapter drops frames.
const QUEUE: usize = 4;
/// How often watchers are told how the device is.
const DEVICE_EVERY_MS: u64 = 500;
/// How often it is looked at how old each issuer's list is.
const STANDINGS_EVERY_MS: u64 = 5_000;
/// How often old records are forgotten, a few at a time.
const PURGE_EVERY_MS: u64 = 60_000;
/// A reading that is older when its turn comes does not count.
const READING_LIFE: Duration = Duration::from_millis(300);
/// How long a gate that is told to stop waits for its threads.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything a gate is made of.
pub struct Parts {
    /// Where frames come from.
    pub camera: Open<dyn Camera>,
    /// Where readings come from, on a lane with a thermometer.
    pub thermometer: Option<Open<dyn Thermometer>>,
    /// What moves, lights and sounds.
    pub outputs: Box<dyn GateOutput>,
    /// What is known of the time.
    pub clock: Arc<dyn Clock>,
    /// Where decisions are remembered.
    pub journal: Arc<dyn Journal>,
    /// What the gate believes.
    pub trust: Feed,
    /// Who keeps that new; or why nobody does, as one sentence with its remedy.
    pub keeper: Result<Keeper, String>,
    /// The rules of the site.
    pub policy: Policy,
    /// The province or city of the gate.
    pub home: IssuerId,
    /// The number of the lane at its checkpoint.
    pub lane: u8,
    /// Who carries records to the hub, on a gate that has one.
    pub sync: Option<sync::Agent>,
    /// Who looks on: the panel, a demo, a test.
    pub watchers: Vec<Box<dyn Watcher>>,
    /// The moments between steps.
    pub probe: Probe,
}

/// Somebody who looks on and never holds the gate up.
pub trait Watcher: Send {
    /// The screen changed.
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, timing: Timing);
    /// How the device is; told twice a second.
    fn device(&mut self, device: &Device);
    /// Its eyes, where it wants to look through the camera too; asked once, before the gate runs.
    fn spectator(&mut self) -> Option<Box<dyn Spectator>> {
        None
    }
}

/// Somebody who looks through the camera, in the thread that reads codes: for whoever aims it. It holds that thread up
/// for as long as it takes, so it must want little, and nothing while nobody looks at what it makes of a frame.
pub trait Spectator: Send {
    /// Whether it wants the frame that was just read.
    fn is_watched(&mut self) -> bool;
    /// A frame that it wanted, and what was seen in it.
    fn frame(&mut self, frame: &Frame, sight: &Sight);
}

/// Where the time of the newest decision went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Reading the code out of the newest frame that had one.
    pub decode: Duration,
    /// Verifying and deciding, without the wait for a reading.
    pub decide: Duration,
    /// Making the record durable.
    pub record: Duration,
}

/// How the device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What is known of the time.
    pub time: Time,
    /// What the device's own clock says, and what is wrong with it.
    pub clock: View,
    /// How old the trust is.
    pub freshness: Freshness,
    /// The version and date of the trust list; `None` without one.
    pub trust: Option<(u64, u64)>,
    /// The newest import that somebody may want to know of.
    pub import: Option<Import>,
    /// What came of the last stick, for a minute after it was pulled out.
    pub last_stick: Option<RoadState>,
    /// Whether anything newer can be believed, by whatever road.
    pub takes_new: bool,
    /// How each issuer stands; the same value until something about it changes.
    pub standings: Arc<Standings>,
    /// How much the journal holds.
    pub journal: journal::Status,
    /// Whether this lane has a thermometer at all.
    pub has_thermometer: bool,
    /// Whether this gate has a hub at all.
    pub has_hub: bool,
    /// What is wrong.
    pub faults: Faults,
}

/// What the threads at the ports say.
enum Input {
    Sight(Sight),
    /// With the moment when it was measured.
    Reading(Reading, Instant),
    Thermometer {
        present: bool,
    },
}

/// Runs a gate until `stop` is set.
pub fn run(mut parts: Parts, stop: &Stop) {
    let (sender, inputs) = sync_channel(QUEUE);
    let health = Arc::new(Health::default());
    let spectators = parts.watchers.iter_mut().filter_map(|watcher| watcher.spectator()).collect();
    let mut threads = vec![eyes::spawn(parts.camera, sender.clone(), health.clone(), spectators, stop.clone())];
    let has_thermometer = parts.thermometer.is_some();
    if let Some(thermometer) = parts.thermometer {
        threads.push(touch::spawn(thermometer, sender, health.clone(), stop.clone()));
    }
    let takes_new = parts.keeper.is_ok();
    match parts.keeper {
        Ok(keeper) => threads.push(keeper.spawn(health.clone(), stop.clone())),
        Err(why) => health.set(Part::Trust, Some(why)),
    }
    let has_hub = parts.sync.is_some();
    if let Some(agent) = parts.sync {
        threads.push(sync::spawn(agent, health.clone(), stop.clone()));
    }
    let mut runtime = Runtime {
        lane: Lane::new(),
        outputs: parts.outputs,
        clock: parts.clock,
        journal: parts.journal,
        believed_at: parts.trust.changes(),
        trust: parts.trust.trust(),
        feed: parts.trust,
        policy: parts.policy,
        home: parts.home,
        number: parts.lane,
        watchers: parts.watchers,
        probe: parts.probe,
        health,
        has_thermometer,
        has_hub,
        takes_new,
        last_stick: LastStick::default(),
        told_at_ms: None,
        standings: Arc::default(),
        stood_at: None,
        timing: Timing::default(),
        verified_in: None,
        relay_to_open: false,
        purged_at_ms: 0,
    };
    runtime.serve(&inputs, stop);
    drop(inputs);
    let begun = Instant::now();
    for thread in threads {
        end(thread, PATIENCE.saturating_sub(begun.elapsed()));
    }
}

/// Waits for a thread to end, but not for a hub that does not answer: what it was sent is sent again next time.
fn end(thread: JoinHandle<()>, patience: Duration) {
    let begun = Instant::now();
    while !thread.is_finished() && begun.elapsed() < patience {
        thread::sleep(TICK);
    }
    if thread.is_finished() && thread.join().is_err() {
        tracing::error!("a thread of the gate ended in a panic; it is a bug, please report it with this log");
    }
}

struct Runtime {
    lane: Lane,
    outputs: Box<dyn GateOutput>,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    feed: Feed,
    /// The change of the feed that `trust` is.
    believed_at: u64,
    trust: Option<Trust>,
    policy: Policy,
    home: IssuerId,
    number: u8,
    watchers: Vec<Box<dyn Watcher>>,
    probe: Probe,
    health: Arc<Health>,
    has_thermometer: bool,
    has_hub: bool,
    takes_new: bool,
    last_stick: LastStick,
    told_at_ms: Option<u64>,
    standings: Arc<Standings>,
    /// At which change of the trust they were looked at last, and when.
    stood_at: Option<(u64, u64)>,
    timing: Timing,
    /// How long the pass took that is being measured for.
    verified_in: Option<Duration>,
    relay_to_open: bool,
    purged_at_ms: u64,
}

impl Runtime {
    fn serve(&mut self, inputs: &Receiver<Input>, stop: &Stop) {
        self.rest();
        if !self.has_thermometer {
            self.step(Event::Thermometer { present: false });
        }
        self.show(&Screen::Idle);
        while !stop.is_set() {
            match inputs.recv_timeout(TICK) {
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => self.step(Event::Tick),
                // Both ports have ended for good; what is on the screen still has its time.
                Err(RecvTimeoutError::Disconnected) => {
                    self.step(Event::Tick);
                    stop.sleep(TICK);
                }
            }
            self.believe_what_is_new();
            self.open_relay_at_last();
            self.forget_old_records();
            self.tell_device();
        }
        self.rest();
    }

    /// Between two inputs, so that a step stands on one trust from its beginning to its end.
    fn believe_what_is_new(&mut self) {
        if self.feed.changes() != self.believed_at {
            self.believed_at = self.feed.renew(&mut self.trust);
        }
    }

    fn list(&self) -> Option<&TrustList> {
        self.trust.as_ref().map(|trust| trust.list.as_ref())
    }

    fn take(&mut self, input: Input) {
        match input {
            // One that waited in the queue may be of somebody who has gone.
            Input::Reading(_, at) if at.elapsed() > READING_LIFE => {}
            Input::Reading(reading, _) => self.step(Event::Reading(reading)),
            Input::Thermometer { present } => self.step(Event::Thermometer { present }),
            Input::Sight(sight) => {
                let payloads: Vec<&[u8]> = sight.payloads.iter().map(Payload::as_bytes).collect();
                if !payloads.is_empty() {
                    self.timing.decode = Duration::from_micros(sight.decode_us);
                }
                self.step(Event::Sight { payloads: &payloads, unread: hint::of(sight.diagnosis) });
            }
        }
    }

    fn step(&mut self, event: Event<'_>) {
        let begun = Instant::now();
        let mut waiting: VecDeque<Action> = self.advance(event).into_iter().collect();
        self.time_decision(&waiting, begun.elapsed());
        while let Some(action) = waiting.pop_front() {
            if let Some(answer) = self.act(action) {
                waiting.extend(self.advance(answer));
            }
        }
    }

    /// A pass is verified when it is seen and decided about when it was measured: both steps count.
    fn time_decision(&mut self, actions: &VecDeque<Action>, took: Duration) {
        let has = |wanted: fn(&Action) -> bool| actions.iter().any(wanted);
        if has(|action| matches!(action, Action::Show(Screen::AskReading))) && self.verified_in.is_none() {
            self.verified_in = Some(took);
        }
        if has(|action| matches!(action, Action::Record(_))) {
            self.timing.decide = took + self.verified_in.take().unwrap_or_default();
        }
    }

    fn advance(&mut self, event: Event<'_>) -> Actions {
        let now = Now { mono_ms: self.clock.mono_ms(), time: self.clock.time() };
        let trust = self.trust.as_ref().map(|trust| trust.list.as_ref());
        let status = self.trust.as_ref().map(|trust| &trust.status as &dyn StatusSource);
        let context = Context { trust, status, history: None, policy: &self.policy, home: self.home };
        self.lane.step(event, now, context)
    }

    /// Does one action; a record answers with an event of its own.
    fn act(&mut self, action: Action) -> Option<Event<'static>> {
        match action {
            Action::Record(decision) => {
                self.probe.at(Step::Decided);
                let body = Body::Scan(Scan::of(&decision, None));
                let begun = Instant::now();
                let appended = self.journal.append(decision.evidence.time, self.number, body);
                self.timing.record = begun.elapsed();
                self.health.set(Part::Journal, appended.as_ref().err().map(ToString::to_string));
                return Some(match appended {
                    Ok(_) => {
                        self.probe.at(Step::Recorded);
                        Event::Recorded
                    }
                    Err(_) => Event::RecordFailed,
                });
            }
            Action::Relay(closed) => {
                self.relay(closed);
                if closed {
                    self.probe.at(Step::RelayClosed);
                }
            }
            Action::Lamp(lit) => {
                self.output(Part::Lamps, |outputs| outputs.lamp(lit));
            }
            Action::Tone(verdict) => {
                self.output(Part::Buzzer, |outputs| outputs.tone(verdict));
            }
            Action::Show(screen) => {
                self.show(&screen);
                if matches!(screen, Screen::Verdict(_)) {
                    self.probe.at(Step::Shown);
                }
            }
        }
        None
    }

    fn show(&mut self, screen: &Screen) {
        let trust = self.trust.as_ref().map(|trust| trust.list.as_ref());
        let timing = self.timing;
        self.watchers.iter_mut().for_each(|watcher| watcher.screen(screen, trust, timing));
    }

    /// Moves something; gives whether it moved.
    fn output(&mut self, part: Part, act: impl FnOnce(&mut dyn GateOutput) -> Result<(), PortError>) -> bool {
        let fault = act(self.outputs.as_mut()).err().map(|error| error.to_string());
        let moved = fault.is_none();
        self.health.set(part, fault);
        moved
    }

    fn relay(&mut self, closed: bool) {
        let moved = self.output(Part::Relay, |outputs| outputs.relay(closed));
        self.relay_to_open = !closed && !moved;
    }

    /// A relay that did not open is told to until it does; one that did not close is not: the person has gone.
    fn open_relay_at_last(&mut self) {
        if self.relay_to_open {
            self.relay(false);
        }
    }

    /// Relay open, lamps dark: how a gate starts and ends.
    fn rest(&mut self) {
        self.relay(false);
        self.output(Part::Lamps, |outputs| outputs.lamp(None));
    }

    fn forget_old_records(&mut self) {
        let now_ms = self.clock.mono_ms();
        if now_ms < self.purged_at_ms + PURGE_EVERY_MS {
            return;
        }
        self.purged_at_ms = now_ms;
        if let Err(error) = self.journal.purge(self.clock.time(), !self.has_hub) {
            tracing::warn!("old records stay for now: {error}");
        }
    }

    /// Judges every issuer's list now and then; whoever watches sees by the value itself that it is another one.
    fn look_at_issuers(&mut self, now_ms: u64, time: Time) {
        let is_recent = |(change, at_ms)| change == self.believed_at && now_ms < at_ms + STANDINGS_EVERY_MS;
        if self.stood_at.is_some_and(is_recent) {
            return;
        }
        self.stood_at = Some((self.believed_at, now_ms));
        let trust = self.trust.as_ref();
        let new = trust.map(|trust| Standings::of(trust, &self.policy, time)).unwrap_or_default();
        if new != *self.standings {
            self.standings = Arc::new(new);
        }
    }

    fn tell_device(&mut self) {
        let now_ms = self.clock.mono_ms();
        if self.told_at_ms.is_some_and(|told_at_ms| now_ms < told_at_ms + DEVICE_EVERY_MS) {
            return;
        }
        let clock = self.clock.view();
        let time = clock.time;
        self.health.set(Part::Clock, self.clock.fault());
        // In this order, so that what is told to have been imported is believed already.
        let import = self.feed.import();
        self.believe_what_is_new();
        self.look_at_issuers(now_ms, time);
        let Policy { trust_ageing_after_s, trust_stale_after_s, .. } = self.policy;
        let trust = self.list();
        let freshness = trust.map(|trust| {
            menshen_core::status::freshness(time, trust.content().as_of, trust_ageing_after_s, trust_stale_after_s)
        });
        let device = Device {
            time,
            clock,
            freshness: freshness.unwrap_or(Freshness::Unknown),
            trust: trust.map(|trust| (trust.content().version, trust.content().as_of)),
            journal: self.journal.status(),
            has_thermometer: self.has_thermometer,
            has_hub: self.has_hub,
            last_stick: self.last_stick.look(import.as_ref(), now_ms),
            import,
            takes_new: self.takes_new,
            standings: self.standings.clone(),
            faults: self.health.faults(),
        };
        self.watchers.iter_mut().for_each(|watcher| watcher.device(&device));
        self.told_at_ms = Some(now_ms);
    }
}

/// Waits between two tries to open a port.
fn pause_before_reopening(stop: &Stop) {
    stop.sleep(Duration::from_secs(1));
}

#[cfg(test)]
mod tests;
