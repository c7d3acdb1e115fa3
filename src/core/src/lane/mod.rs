//! One lane of a gate as a pure state machine: `step(event, now) → actions`.
//!
//! Everything a gate does in time is here and nothing else is: waiting for a reading after a code,
//! measuring again, making the record durable before the relay closes, holding the verdict on the
//! screen, not deciding twice about a code that stays in view. There is no clock and no input or
//! output, so a whole shift replays from its events, and a simulator runs it faster than real time.
//!
//! Invariants:
//! - The relay closes only in the step that takes [`Event::Recorded`] for an admission.
//! - One person at a time: while a decision is being made, other codes wait, and a reading counts only
//!   from the moment the code was seen, so it is never carried from one person to the next.
//! - The relay is opened again by the first step at or after its pulse ends.
//! - A code that stays in view is decided once; it counts again after it was away for [`AWAY_MS`].

mod blur;
mod gathering;
mod recent;

use crate::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use crate::hint::Hint;
use crate::ids::{first_8, sha256};
use crate::pass::PassError;
use crate::reason::Reason;
use crate::thermo::Reading;
use crate::time::Time;
use blur::{Advice, Blur};
use gathering::{Gathering, Step};
use recent::Recent;

/// A code that was out of view this long counts as shown anew.
pub const AWAY_MS: u64 = 2000;
/// A code that can not be read for this long gets a hint.
pub const HINT_AFTER_MS: u64 = 800;
/// A hint stays at least this long, unless the code is read: a person needs that to read it.
pub const HINT_STAYS_MS: u64 = 1200;
/// A code that can not be read for this long is referred to a person.
pub const UNREADABLE_AFTER_MS: u64 = 4000;
/// A code that is no pass must stay this long before it is answered: it may be a poster passing by.
pub const NOT_A_PASS_AFTER_MS: u64 = 400;
/// A verdict stays on the screen at least this long.
pub const MIN_SHOW_MS: u64 = 700;

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds since some moment; never goes back.
    pub mono_ms: u64,
    /// What is known of the time of day.
    pub time: Time,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The camera's newest frame was searched.
    Sight {
        /// The payload of every code that was read in it.
        payloads: &'a [&'a [u8]],
        /// What would help, where a code was located that could not be read.
        unread: Option<Hint>,
    },
    /// The thermometer said something.
    Reading(Reading),
    /// The thermometer appeared or vanished.
    Thermometer {
        /// Whether it is there.
        present: bool,
    },
    /// The record of the last [`Action::Record`] is on stable storage.
    Recorded,
    /// It could not be written.
    RecordFailed,
    /// Time passed.
    Tick,
}

/// What to do, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make the record of this decision durable, then answer `Recorded` or `RecordFailed`.
    Record(Decision),
    /// Put this on the screen.
    Show(Screen),
    /// Close (`true`) or open the relay.
    Relay(bool),
    /// Light one lamp and darken the others; `None` darkens all.
    Lamp(Option<Verdict>),
    /// Sound the tone of a verdict.
    Tone(Verdict),
}

/// What the screen shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator, and one screen is shown at a time")]
pub enum Screen {
    /// Waiting for the next person.
    Idle,
    /// A code is in view and can not be read: what to do about it.
    Hint(Hint),
    /// The code was read; the temperature is wanted.
    AskReading,
    /// The reading can not be a person's; measure again, attempt `attempt` of `of`.
    MeasureAgain {
        /// Which attempt this is, from 2.
        attempt: u8,
        /// How many there are.
        of: u8,
    },
    /// The verdict.
    Verdict(Decision),
}

/// The actions of one step.
pub type Actions = heapless::Vec<Action, 8>;

/// Tells codes apart: the first 8 bytes of the SHA-256 of the payload.
type Token = [u8; 8];

#[derive(Clone, Debug)]
enum State {
    Idle,
    Gathering(Gathering),
    Recording(Decision),
    Showing { since_ms: u64, until_ms: u64 },
}

/// The state of one lane.
#[derive(Clone, Debug)]
pub struct Lane {
    state: State,
    recent: Recent,
    relay_until_ms: Option<u64>,
    thermometer_present: bool,
    blur: Blur,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane::new()
    }
}

impl Lane {
    /// A lane at rest, with its thermometer believed present until told otherwise.
    pub const fn new() -> Lane {
        Lane {
            state: State::Idle,
            recent: Recent::new(),
            relay_until_ms: None,
            thermometer_present: true,
            blur: Blur::new(),
        }
    }

    /// Takes one event and says what to do.
    pub fn step(&mut self, event: Event<'_>, now: Now, context: Context<'_>) -> Actions {
        let mut actions = Actions::new();
        self.open_relay_in_time(now, &mut actions);
        if self.blur.lapse(now.mono_ms) {
            push(&mut actions, Action::Show(Screen::Idle));
        }
        match event {
            Event::Sight { payloads, unread } => self.see(payloads, unread, now, context, &mut actions),
            Event::Reading(reading) => self.advance(Some(reading), now, context, &mut actions),
            Event::Thermometer { present } => {
                self.thermometer_present = present;
                self.advance(None, now, context, &mut actions);
            }
            Event::Recorded => self.recorded(true, now, context, &mut actions),
            Event::RecordFailed => self.recorded(false, now, context, &mut actions),
            Event::Tick => self.advance(None, now, context, &mut actions),
        }
        actions
    }

    /// Whether the relay is closed.
    pub fn relay_closed(&self) -> bool {
        self.relay_until_ms.is_some()
    }

    fn open_relay_in_time(&mut self, now: Now, actions: &mut Actions) {
        if self.relay_until_ms.is_some_and(|until_ms| now.mono_ms >= until_ms) {
            self.relay_until_ms = None;
            push(actions, Action::Relay(false));
        }
    }

    fn see(&mut self, payloads: &[&[u8]], unread: Option<Hint>, now: Now, context: Context<'_>, actions: &mut Actions) {
        self.advance(None, now, context, actions);
        if let Some(shown) = self.fresh_code(payloads, now, context) {
            self.blur.clear();
            self.begin(shown, now, context, actions);
        } else if payloads.is_empty() {
            // A frame that shows nothing at all proves nothing: the blur lapses by itself.
            if let Some(hint) = unread {
                self.see_unreadable(hint, now, context, actions);
            }
        } else if self.blur.clear() {
            push(actions, Action::Show(Screen::Idle));
        }
    }

    /// The code in view to decide about, if there is one and the lane is free for it.
    fn fresh_code(&mut self, payloads: &[&[u8]], now: Now, context: Context<'_>) -> Option<Shown> {
        let at_rest = matches!(self.state, State::Idle);
        let free = match self.state {
            State::Idle => true,
            State::Showing { since_ms, .. } => now.mono_ms >= since_ms + MIN_SHOW_MS,
            State::Gathering(_) | State::Recording(_) => false,
        };
        let mut open: heapless::Vec<(Token, &[u8]), 8> = heapless::Vec::new();
        for payload in payloads {
            let token = token_of(payload);
            let seen = self.recent.see(token, now.mono_ms);
            let is_pass = payload.starts_with(crate::pass::PREFIX);
            // What is no pass must stay for a while, and may not take a verdict off the screen.
            let settled = is_pass || (at_rest && seen.for_ms >= NOT_A_PASS_AFTER_MS);
            if !free || !settled || seen.answered {
                continue;
            }
            if is_pass && open.is_full() {
                // However many other codes are in view, a pass finds room.
                open.pop();
            }
            open.push((token, *payload)).unwrap_or_default();
        }
        let (at, shown) = Shown::best(open.iter().map(|(_, payload)| *payload), context.trust)?;
        let (token, _) = open.get(at)?;
        self.recent.answer(*token);
        if !matches!(shown, Shown::Malformed(PassError::NotAPass)) {
            // An advertisement beside a pass is answered with it: it is nobody's attempt to enter.
            let others = payloads.iter().filter(|payload| !payload.starts_with(crate::pass::PREFIX));
            others.for_each(|payload| self.recent.answer(token_of(payload)));
        }
        Some(shown)
    }

    fn see_unreadable(&mut self, hint: Hint, now: Now, context: Context<'_>, actions: &mut Actions) {
        match self.blur.see(hint, now.mono_ms, matches!(self.state, State::Idle)) {
            Advice::Nothing => {}
            Advice::Hint(hint) => push(actions, Action::Show(Screen::Hint(hint))),
            Advice::Refer => {
                self.finish(decide(&Shown::Unreadable, Measured::Nothing, now.time, context), actions);
            }
        }
    }

    /// A code was shown: decide at once where the temperature can not change a refusal, else ask for it.
    fn begin(&mut self, shown: Shown, now: Now, context: Context<'_>, actions: &mut Actions) {
        if let State::Showing { .. } = self.state {
            // The lamp is the last person's; the next one must not take it for an answer.
            push(actions, Action::Lamp(None));
        }
        let gathering = Gathering::new(shown, now, context);
        match gathering.at_once(now, context, self.thermometer_present) {
            Some(decision) => self.finish(decision, actions),
            None => {
                self.state = State::Gathering(gathering);
                push(actions, Action::Show(Screen::AskReading));
            }
        }
    }

    /// Moves on whatever waits for a reading or for time.
    fn advance(&mut self, reading: Option<Reading>, now: Now, context: Context<'_>, actions: &mut Actions) {
        match &mut self.state {
            State::Gathering(gathering) => match gathering.advance(reading, now, context, self.thermometer_present) {
                Step::Wait => {}
                Step::Again(screen) => push(actions, Action::Show(screen)),
                Step::Decided(decision) => self.finish(decision, actions),
            },
            State::Showing { until_ms, .. } if now.mono_ms >= *until_ms => {
                self.state = State::Idle;
                push(actions, Action::Lamp(None));
                push(actions, Action::Show(Screen::Idle));
            }
            State::Idle | State::Showing { .. } | State::Recording(_) => {}
        }
    }

    fn finish(&mut self, decision: Decision, actions: &mut Actions) {
        self.state = State::Recording(decision.clone());
        push(actions, Action::Record(decision));
    }

    /// Durable before green: only here does a verdict become visible and a relay close.
    fn recorded(&mut self, durable: bool, now: Now, context: Context<'_>, actions: &mut Actions) {
        // An answer that nothing waits for, late or doubled, changes nothing.
        let State::Recording(decision) = &self.state else { return };
        let decision = decision.clone();
        let decision = if durable { decision } else { decision.with(Reason::JournalFailing) };
        let verdict = decision.verdict;
        if verdict == Verdict::Admit {
            self.relay_until_ms = Some(now.mono_ms + u64::from(context.policy.relay_pulse_ms));
            push(actions, Action::Relay(true));
        }
        let hold_ms = match verdict {
            Verdict::Admit => context.policy.hold_admit_ms,
            Verdict::Refer | Verdict::Refuse => context.policy.hold_other_ms,
        };
        self.state = State::Showing { since_ms: now.mono_ms, until_ms: now.mono_ms + u64::from(hold_ms) };
        push(actions, Action::Lamp(Some(verdict)));
        push(actions, Action::Tone(verdict));
        push(actions, Action::Show(Screen::Verdict(decision)));
    }
}

fn token_of(payload: &[u8]) -> Token {
    first_8(&sha256(payload))
}

fn push(actions: &mut Actions, action: Action) {
    let pushed = actions.push(action);
    debug_assert!(
        pushed.is_ok(),
        "a step has at most: relay open, idle lamp and screen, lamp, record; or relay open and the four of a verdict"
    );
}

#[cfg(test)]
mod tests;
