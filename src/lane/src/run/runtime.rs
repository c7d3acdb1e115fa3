//! One lane as it runs: its state machine, and everything that the machine asks for, done in order.

use super::stick::LastStick;
use super::{Deed, Device, Input, Order, Shared, TICK, Timing, Watcher};
use crate::health::{Faults, Health, Part};
use crate::hint;
use crate::journal::JournalError;
use crate::optics::Payload;
use crate::ports::{GateOutput, PortError};
use crate::probe::Step;
use crate::proof::{self, Refusal, Wanted};
use crate::rules::InForce;
use crate::settings::Settings;
use crate::sound::Cue;
use crate::tally::{Entry, Summary, Tally};
use crate::threads::Stop;
use crate::trust::{Standings, Trust};
use menshen_core::decide::{Context, Decision};
use menshen_core::history::{History, Visit};
use menshen_core::lane::{Action, Actions, Event, Lane, Now, Screen, Trial};
use menshen_core::manual::Cause;
use menshen_core::policy::Policy;
use menshen_core::record::{Body, Scan, Tried};
use menshen_core::status::StatusSource;
use menshen_core::time::Time;
use menshen_core::trust::{Freshness, TrustList};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often watchers are told how the device is.
const DEVICE_EVERY_MS: u64 = 500;
/// How often it is looked at how old each issuer's list is.
const STANDINGS_EVERY_MS: u64 = 5_000;
/// How often old records are forgotten, a few at a time.
const PURGE_EVERY_MS: u64 = 60_000;
/// A reading that is older when its turn comes does not count.
const READING_LIFE: Duration = Duration::from_millis(300);

/// What is told where outings are to be counted and none can be.
const COUNTS_NOTHING: &str = "outings are limited here and no lane leads out, so none is counted: name the lanes by which people leave in `leads_out` of the site file";

/// What is a lane's own.
pub(super) struct Own {
    pub(super) number: u8,
    pub(super) leads_out: bool,
    pub(super) outputs: Box<dyn GateOutput>,
    pub(super) watchers: Vec<Box<dyn Watcher>>,
    pub(super) orders: Option<Receiver<Order>>,
    pub(super) trials: Option<Receiver<proof::Order>>,
    pub(super) settings: Arc<Settings>,
    pub(super) tally: Arc<Tally>,
    pub(super) health: Arc<Health>,
    pub(super) has_thermometer: bool,
    pub(super) keeps_house: bool,
}

pub(super) struct Runtime {
    lane: Lane,
    own: Own,
    shared: Shared,
    /// The change of the feed that `trust` is.
    believed_at: u64,
    trust: Option<Trust>,
    policy: Policy,
    last_stick: LastStick,
    told_at_ms: Option<u64>,
    standings: Arc<Standings>,
    /// At which change of the settings the policy was made.
    set_at: u64,
    summary: Arc<Summary>,
    /// At which change of the tally, and in which hour, the summary was made.
    summed_at: Option<(u64, u64)>,
    /// At which change of the trust they were looked at last, and when.
    stood_at: Option<(u64, u64)>,
    timing: Timing,
    /// How long the pass took that is being measured for.
    verified_in: Option<Duration>,
    relay_to_open: bool,
    /// A person tries something out and listens.
    is_trying: bool,
    /// Why the last order to the relay failed.
    relay_order_fault: Option<String>,
    purged_at_ms: u64,
    /// The last append found no room.
    journal_is_full: bool,
}

impl Runtime {
    pub(super) fn new(own: Own, shared: Shared) -> Runtime {
        let believed_at = shared.feed.changes();
        let trust = shared.feed.trust();
        let mut runtime = Runtime {
            lane: Lane::new(),
            policy: shared.rules.base.clone(),
            own,
            shared,
            believed_at,
            trust,
            last_stick: LastStick::default(),
            told_at_ms: None,
            standings: Arc::default(),
            set_at: 0,
            summary: Arc::default(),
            summed_at: None,
            stood_at: None,
            timing: Timing::default(),
            verified_in: None,
            relay_to_open: false,
            is_trying: false,
            relay_order_fault: None,
            purged_at_ms: 0,
            journal_is_full: false,
        };
        runtime.put_rules_in_force();
        runtime
    }

    /// What is believed has changed: so may the rules have.
    fn put_rules_in_force(&mut self) {
        let InForce { policy, is_signed, fault } = self.shared.rules.in_force(self.list(), self.shared.home);
        self.set_at = self.own.settings.changes();
        let policy = self.own.settings.get().over(Policy { leads_out: self.own.leads_out, ..policy });
        // Where there is no panel nobody can touch *Next person*, and somebody's verdict would stay after they left.
        let policy = Policy { other_stays: policy.other_stays && self.own.orders.is_some(), ..policy };
        if policy != self.policy {
            tracing::info!(class = policy.class.name(), signed = is_signed, "other rules are in force");
        }
        let counts_nothing = policy.quota.is_some() && !self.shared.may_lead_out;
        self.policy = policy;
        self.own.health.set(Part::Rules, fault.or_else(|| counts_nothing.then(|| COUNTS_NOTHING.into())));
    }

    pub(super) fn serve(&mut self, inputs: &Receiver<Input>, stop: &Stop) {
        self.rest();
        if !self.own.has_thermometer {
            self.step(Event::Thermometer { present: false });
        }
        self.show(&Screen::Idle);
        while !stop.is_set() {
            match inputs.recv_timeout(self.until_due()) {
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => self.step(Event::Tick),
                // Both ports have ended for good; what is on the screen still has its time.
                Err(RecvTimeoutError::Disconnected) => {
                    self.step(Event::Tick);
                    stop.sleep(TICK);
                }
            }
            self.obey_volunteer();
            self.try_outputs();
            self.believe_what_is_new();
            self.open_relay_at_last();
            self.forget_old_records();
            self.tell_device();
        }
        self.rest();
    }

    /// How long the lane may sleep without missing a moment that it has promised.
    fn until_due(&self) -> Duration {
        let now_ms = self.shared.clock.mono_ms();
        let due = self.lane.due_ms().map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms)));
        due.map_or(TICK, |due| due.min(TICK))
    }

    /// Between two inputs: what was seen until now is on the screen, and nobody else has come since.
    fn obey_volunteer(&mut self) {
        while let Some(order) = self.own.orders.as_ref().and_then(|orders| orders.try_recv().ok()) {
            let remembers = self.lane.remembers(self.shared.clock.mono_ms());
            order.obey(remembers, |deed| match deed {
                Deed::ByHand(cause) => self.carry_through(Event::ByHand(cause)),
                Deed::Next => {
                    self.step(Event::Next);
                    true
                }
            });
        }
    }

    /// Between two inputs, so that nobody is at the gate who could take it for an answer.
    fn try_outputs(&mut self) {
        while let Some(order) = self.own.trials.as_ref().and_then(|trials| trials.try_recv().ok()) {
            let came_of_it = if order.is_late() { Err(Refusal::Late) } else { self.try_output(order.what()) };
            order.answer(came_of_it);
        }
    }

    fn try_output(&mut self, what: Wanted) -> Result<(), Refusal> {
        if !self.lane.may_try() {
            return Err(Refusal::Busy);
        }
        self.is_trying = true;
        match what {
            Wanted::Output(trial) => self.step(Event::Try(trial)),
            Wanted::Loudspeaker => self.own.watchers.iter_mut().for_each(|watcher| watcher.try_sound()),
        }
        self.is_trying = false;
        let Faults { relay, lamps, buzzer, speaker, journal, .. } = self.own.health.faults();
        let failed = match what {
            Wanted::Output(Trial::Lamp(_)) => lamps,
            Wanted::Output(Trial::Tone(_)) => buzzer,
            // Where it could not be recorded it did not move.
            Wanted::Output(Trial::Relay) => relay.or(journal),
            Wanted::Loudspeaker => speaker,
        };
        failed.map_or(Ok(()), |why| Err(Refusal::Failed(why)))
    }

    /// Between two inputs, so that a step stands on one trust from its beginning to its end.
    fn believe_what_is_new(&mut self) {
        if self.shared.feed.changes() != self.believed_at {
            self.believed_at = self.shared.feed.renew(&mut self.trust);
            self.put_rules_in_force();
        } else if self.own.settings.changes() != self.set_at {
            self.put_rules_in_force();
        }
    }

    fn list(&self) -> Option<&TrustList> {
        self.trust.as_ref().map(|trust| trust.list.as_ref())
    }

    fn take(&mut self, input: Input) {
        match input {
            // One that waited in the queue may be of somebody who has gone.
            Input::Reading(_, at) if at.elapsed() > READING_LIFE => {}
            Input::Reading(reading, _) => {
                self.own.watchers.iter_mut().for_each(|watcher| watcher.reading(reading));
                self.step(Event::Reading(reading));
            }
            Input::Thermometer { present } => self.step(Event::Thermometer { present }),
            Input::Presence(presence) => self.step(Event::Presence(presence)),
            Input::Button => self.step(Event::ByHand(Cause::Button)),
            Input::FireAlarm(lasts) => self.step(Event::FireAlarm(lasts)),
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
        self.carry_through(event);
    }

    /// Does all that an event asks for; gives whether a volunteer has decided by it.
    fn carry_through(&mut self, event: Event<'_>) -> bool {
        let begun = Instant::now();
        let mut waiting: VecDeque<Action> = self.advance(event).into_iter().collect();
        let decides = waiting.iter().any(|action| matches!(action, Action::Record(made) if made.cause.is_some()));
        self.time_decision(&waiting, begun.elapsed());
        while let Some(action) = waiting.pop_front() {
            if let Some(answer) = self.act(action) {
                waiting.extend(self.advance(answer));
            }
        }
        decides
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
        let now = Now { mono_ms: self.shared.clock.mono_ms(), time: self.shared.clock.time() };
        let trust = self.trust.as_ref().map(|trust| trust.list.as_ref());
        let status = self.trust.as_ref().map(|trust| &trust.status as &dyn StatusSource);
        let history = Some(self.shared.memory.as_ref() as &dyn History);
        let context = Context { trust, status, history, policy: &self.policy, home: self.shared.home };
        self.lane.step(event, now, context)
    }

    /// Does one action; a record answers with an event of its own.
    fn act(&mut self, action: Action) -> Option<Event<'static>> {
        match action {
            Action::Record(decision) => return Some(self.record(&decision)),
            Action::RecordTrial => {
                let time = self.shared.clock.time();
                let noted = self.shared.journal.append(time, self.own.number, Body::Tried(Tried::Relay));
                let durable = noted.is_ok();
                self.tell_journal(noted.err().as_ref());
                return Some(if durable { Event::Recorded } else { Event::RecordFailed });
            }
            Action::RecordAlarm(began) => {
                let time = self.shared.clock.time();
                let noted = self.shared.journal.append(time, self.own.number, Body::Alarm(began));
                self.tell_journal(noted.err().as_ref());
            }
            Action::Relay(closed) => {
                self.relay(closed);
                if closed {
                    self.shared.probe.at(Step::RelayClosed);
                }
            }
            Action::Lamp(lit) => {
                self.output(Part::Lamps, |outputs| outputs.lamp(lit));
            }
            Action::Tone(verdict) => self.tone(Cue::of_verdict(verdict)),
            Action::Show(screen) => {
                // Who is waited for hears it; a verdict's comes with an action of its own.
                if let Some(cue) = Cue::of_screen(&screen).filter(|_| !matches!(screen, Screen::Verdict(_))) {
                    self.tone(cue);
                }
                self.show(&screen);
                if matches!(screen, Screen::Verdict(_)) {
                    self.shared.probe.at(Step::Shown);
                }
            }
        }
        None
    }

    /// Makes a decision durable, with what it leaves behind for those after it.
    fn record(&mut self, decision: &Decision) -> Event<'static> {
        self.shared.probe.at(Step::Decided);
        let memory = Arc::clone(&self.shared.memory);
        let visit = Visit::of(decision, &self.policy).map(|visit| memory.entry(&visit));
        let kept = visit.map(|entry| entry.to_bytes());
        let scan = Scan::of(decision, None);
        let body = Body::Scan(scan.clone());
        let begun = Instant::now();
        let turn = visit.map(|_| memory.turn());
        let (time, number) = (decision.evidence.time, self.own.number);
        let stored = self.shared.journal.append_with(time, number, body, kept.as_ref().map(|bytes| &bytes[..]));
        self.timing.record = begun.elapsed();
        self.tell_journal(stored.as_ref().err());
        match stored {
            Ok(stored) => {
                visit.into_iter().for_each(|entry| memory.note(stored.number(), entry));
                self.own.tally.note(Entry::new(stored.number(), time, &scan));
                drop(turn);
                self.shared.probe.at(Step::Recorded);
                Event::Recorded
            }
            Err(_) => Event::RecordFailed,
        }
    }

    fn show(&mut self, screen: &Screen) {
        let trust = self.trust.as_ref().map(|trust| trust.list.as_ref());
        let timing = self.timing;
        self.own.watchers.iter_mut().for_each(|watcher| watcher.screen(screen, trust, timing));
    }

    fn tone(&mut self, cue: Cue) {
        let by_hour = self.shared.sound.get().buzzer_at(self.shared.clock.time());
        let volume = if self.is_trying { by_hour.audible() } else { by_hour };
        self.output(Part::Buzzer, |outputs| outputs.tone(cue, volume));
    }

    /// Moves something; gives whether it moved.
    fn output(&mut self, part: Part, act: impl FnOnce(&mut dyn GateOutput) -> Result<(), PortError>) -> bool {
        let fault = act(self.own.outputs.as_mut()).err().map(|error| error.to_string());
        let moved = fault.is_none();
        self.own.health.set(part, fault);
        moved
    }

    fn relay(&mut self, closed: bool) {
        let moved = self.output(Part::Relay, |outputs| outputs.relay(closed));
        self.relay_order_fault = if moved { None } else { self.own.health.faults().relay };
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
        let now_ms = self.shared.clock.mono_ms();
        if !self.own.keeps_house || now_ms < self.purged_at_ms + PURGE_EVERY_MS {
            return;
        }
        self.purged_at_ms = now_ms;
        self.shared.memory.forget_old();
        if let Err(error) = self.shared.journal.purge(self.shared.clock.time(), !self.shared.has_hub) {
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

    fn sum_up(&mut self, time: Time) {
        let at = (self.own.tally.changes(), time.unix_s / 3600);
        if self.summed_at != Some(at) {
            self.summed_at = Some(at);
            self.summary = Arc::new(self.own.tally.summary(time));
        }
    }

    /// How the last append went.
    fn tell_journal(&mut self, fault: Option<&JournalError>) {
        self.journal_is_full = matches!(fault, Some(JournalError::Full { .. }));
        self.own.health.set(Part::Journal, fault.map(ToString::to_string));
    }

    /// A journal that was full takes records as soon as there is room, and nobody has to come for that to be seen.
    fn look_for_room(&mut self) {
        if self.journal_is_full && self.shared.journal.takes_records().is_ok() {
            self.tell_journal(None);
        }
    }

    /// What is wrong with this lane, and with what it shares with the others.
    fn faults(&self) -> Faults {
        let shared = self.shared.health.faults();
        let own = self.own.health.faults();
        Faults { trust: shared.trust, hub: shared.hub, neighbours: shared.neighbours, ..own }
    }

    fn tell_device(&mut self) {
        let now_ms = self.shared.clock.mono_ms();
        if self.told_at_ms.is_some_and(|told_at_ms| now_ms < told_at_ms + DEVICE_EVERY_MS) {
            return;
        }
        let clock = self.shared.clock.view();
        let time = clock.time;
        self.look_for_room();
        self.own.health.set(Part::Clock, self.shared.clock.fault());
        self.own.health.set(Part::Controller, self.own.outputs.controller_fault());
        // An order that failed is told until one succeeds, whatever is wrong meanwhile.
        let relay_fault = self.own.outputs.relay_fault().or_else(|| self.relay_order_fault.clone());
        self.own.health.set(Part::Relay, relay_fault);
        for part in [Part::Display, Part::Speaker] {
            let of_part = |(of, fault): (Part, String)| (of == part).then_some(fault);
            let fault = self.own.watchers.iter().find_map(|watcher| watcher.fault().and_then(of_part));
            self.own.health.set(part, fault);
        }
        // In this order, so that what is told to have been imported is believed already.
        let import = self.shared.feed.import();
        self.believe_what_is_new();
        self.look_at_issuers(now_ms, time);
        self.sum_up(time);
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
            journal: self.shared.journal.status(),
            has_thermometer: self.own.has_thermometer,
            has_hub: self.shared.has_hub,
            manual: self.policy.manual,
            last_stick: self.last_stick.look(import.as_ref(), now_ms),
            import,
            takes_new: self.shared.takes_new,
            standings: self.standings.clone(),
            summary: self.summary.clone(),
            faults: self.faults(),
        };
        self.own.watchers.iter_mut().for_each(|watcher| watcher.device(&device));
        self.told_at_ms = Some(now_ms);
    }
}

#[cfg(test)]
mod tests;
