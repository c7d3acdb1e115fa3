//! One lane of a gate as a pure state machine: `step(event, now) → actions`.
//!
//! Everything a gate does in time is here and nothing else is: waiting for a reading after a code,
//! measuring again, making the record durable before the relay closes, holding the verdict on the
//! screen, not deciding twice about a code that stays in view. There is no clock and no input or
//! output, so a whole shift replays from its events, and a simulator runs it faster than real time.
//!
//! It is a pipeline of two: while one person's verdict is on the screen, the next one's code is read and their
//! temperature taken; their verdict waits until the one before could be read.
//!
//! Invariants:
//! - The relay closes only for an admission, or a trial of it, that was [`Event::Recorded`], once for each.
//! - One decision at a time: while one is being made, other codes wait.
//! - No reading is carried from one person to the next (`face`).
//! - The relay is opened again by the first step at or after its pulse ends.
//! - A code that stays in view is decided once; it counts again after it was away for [`AWAY_MS`].
//! - A referral or refusal on which nobody has acted stays on the screen, and holds nobody up: for whoever comes next the
//!   lane is at rest.
//! - While the fire alarm lasts nobody is decided about.

mod blur;
mod face;
mod gathering;
mod pulse;
mod recent;
mod trial;

use crate::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use crate::hint::Hint;
use crate::ids::{first_8, sha256};
use crate::manual::Cause;
use crate::pass::PassError;
use crate::reason::Reason;
use crate::thermo::Reading;
use crate::time::Time;
use blur::{Advice, Blur};
use face::{Face, Holder};
use gathering::{Gathering, Step};
use pulse::{Lengths, Pulse};
use recent::Recent;

pub use trial::{TRIAL_MS, Trial};

/// A code that was out of view this long counts as shown anew: two taps within it are one.
pub const AWAY_MS: u64 = 3000;
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
/// So long after it was shown, a volunteer may still go beyond a verdict that did not admit, if nobody came since.
pub const REMEMBERED_MS: u64 = 60_000;

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
    /// The presence sensor: somebody is there, nobody is, or there is no such sensor.
    Presence(Option<bool>),
    /// A volunteer decided, and says why. What the site's policy does not allow changes nothing.
    ByHand(Cause),
    /// A volunteer is done with whoever is on the screen.
    Next,
    /// The building's fire alarm began or ended. Whoever drives the relay holds the way open meanwhile.
    FireAlarm(bool),
    /// A person wants to see that an output works. Nothing happens while anybody is being decided about.
    Try(Trial),
    /// The record of the last [`Action::Record`] or [`Action::RecordTrial`] is on stable storage.
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
    /// Note that the fire alarm began or ended; nothing waits for it.
    RecordAlarm(bool),
    /// Make a record durable that the relay is tried out, then answer `Recorded` or `RecordFailed`.
    RecordTrial,
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
    /// The fire alarm holds the way open: everybody leaves.
    Alarm,
}

/// The actions of one step.
pub type Actions = heapless::Vec<Action, 12>;

/// Tells codes apart: the first 8 bytes of the SHA-256 of the payload.
type Token = [u8; 8];

#[derive(Clone, Debug)]
enum Work {
    Idle,
    Gathering(Gathering),
    /// Decided, and waiting until the verdict on the screen could be read.
    Ready(Decision),
    Recording(Decision),
    /// The relay closes for nobody as soon as that is recorded.
    Trying,
}

/// The verdict on the screen.
#[derive(Clone, Debug)]
struct OnScreen {
    decision: Decision,
    since_ms: u64,
    until_ms: u64,
    /// A volunteer is done with it.
    is_done: bool,
}

impl OnScreen {
    /// From when another may take its place.
    const fn read_by_ms(&self) -> u64 {
        self.since_ms + MIN_SHOW_MS
    }
}

/// The state of one lane.
#[derive(Clone, Debug)]
pub struct Lane {
    work: Work,
    verdict: Option<OnScreen>,
    /// The last verdict, when its time on the screen is over and nobody has come since.
    last: Option<OnScreen>,
    /// Whether that verdict is still on the screen, because nobody has acted on it.
    stays: bool,
    /// What a presence sensor says, where there is one.
    presence: Option<bool>,
    recent: Recent,
    pulse: Pulse,
    face: Face,
    thermometer_present: bool,
    blur: Blur,
    alarm: bool,
    /// Until when a lamp is lit for nobody.
    lamp_tried_until_ms: Option<u64>,
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
            work: Work::Idle,
            verdict: None,
            last: None,
            stays: false,
            presence: None,
            recent: Recent::new(),
            pulse: Pulse::new(),
            face: Face::new(),
            thermometer_present: true,
            blur: Blur::new(),
            alarm: false,
            lamp_tried_until_ms: None,
        }
    }

    /// Takes one event and says what to do.
    pub fn step(&mut self, event: Event<'_>, now: Now, context: Context<'_>) -> Actions {
        let mut actions = Actions::new();
        let moved = self.pulse.step(now.mono_ms, lengths(context));
        moved.into_iter().for_each(|closed| push(&mut actions, Action::Relay(closed)));
        if self.blur.lapse(now.mono_ms) && self.is_at_rest() {
            push(&mut actions, Action::Show(Screen::Idle));
        }
        match event {
            Event::Sight { payloads, unread } => self.see(payloads, unread, now, context, &mut actions),
            Event::Reading(reading) => self.face.take(reading, now.mono_ms, context.policy),
            Event::Thermometer { present } => self.thermometer_present = present,
            Event::Presence(presence) => {
                self.face.presence(presence, now.mono_ms);
                self.presence = presence;
                match presence {
                    Some(false) => self.clear_what_stays(&mut actions),
                    Some(true) => self.end_trial(&mut actions),
                    None => {}
                }
            }
            Event::Next => self.next(&mut actions),
            Event::ByHand(cause) => self.by_hand(cause, now, context, &mut actions),
            Event::FireAlarm(began) => self.fire_alarm(began, now, context, &mut actions),
            Event::Try(trial) => self.try_out(trial, now.mono_ms, &mut actions),
            Event::Recorded => self.recorded(true, now, context, &mut actions),
            Event::RecordFailed => self.recorded(false, now, context, &mut actions),
            Event::Tick => {}
        }
        self.advance(now, context, &mut actions);
        actions
    }

    /// Whether the relay is closed.
    pub fn relay_closed(&self) -> bool {
        self.pulse.is_closed()
    }

    /// Whether a volunteer who decides now at the panel may mean whom the last verdict was about: it is on the screen, or was
    /// lately and nobody has come since.
    pub fn remembers(&self, now_ms: u64) -> bool {
        self.verdict.is_some() || self.last.as_ref().is_some_and(|last| self.is_recent(last, Cause::PaperSeen, now_ms))
    }

    /// Whether a verdict that has had its time is still meant. Whoever presses the button has perhaps not looked at the screen
    /// for long; at the panel it was before their eyes.
    fn is_recent(&self, last: &OnScreen, cause: Cause, now_ms: u64) -> bool {
        (self.stays && cause != Cause::Button) || now_ms < last.since_ms + REMEMBERED_MS
    }

    /// When the next [`Event::Tick`] is due at the latest to keep a promise to the millisecond; other waits can do with a
    /// regular one.
    pub fn due_ms(&self) -> Option<u64> {
        let read_by_ms = self.verdict.as_ref().map(OnScreen::read_by_ms);
        let shown = read_by_ms.filter(|_| matches!(self.work, Work::Ready(_)));
        self.pulse.due_ms().into_iter().chain(shown).min()
    }

    /// Nobody is being decided about and nothing is on the screen.
    fn is_at_rest(&self) -> bool {
        matches!(self.work, Work::Idle) && self.verdict.is_none() && !self.alarm
    }

    fn see(&mut self, payloads: &[&[u8]], unread: Option<Hint>, now: Now, context: Context<'_>, actions: &mut Actions) {
        // What is on the screen may have had its time since the last step.
        self.advance(now, context, actions);
        self.look_whether_left(payloads, now, context, actions);
        if let Some((token, shown)) = self.fresh_code(payloads, now, context) {
            self.blur.clear();
            self.begin(token, shown, now, context, actions);
        } else if payloads.is_empty() {
            // A frame that shows nothing at all proves nothing: the blur lapses by itself.
            if let Some(hint) = unread {
                self.see_unreadable(hint, now, context, actions);
            }
        } else if self.blur.clear() && self.is_at_rest() {
            push(actions, Action::Show(Screen::Idle));
        }
    }

    /// Whoever is being measured has left where another pass takes the place of theirs: what is measured then is not theirs.
    fn look_whether_left(&mut self, payloads: &[&[u8]], now: Now, context: Context<'_>, actions: &mut Actions) {
        let Work::Gathering(gathering) = &mut self.work else { return };
        let mut passes = payloads.iter().filter(|payload| payload.starts_with(crate::pass::PREFIX)).peekable();
        let first = passes.peek().copied();
        let mut is_another = first.is_some() && passes.all(|payload| token_of(payload) != gathering.token);
        if let Some(payload) = first.filter(|_| is_another)
            && gathering.is_renewed_by((token_of(payload), Shown::of(payload, context.trust)))
        {
            // The phone has made the next code of the same holder meanwhile.
            self.recent.see(token_of(payload), now.mono_ms);
            self.recent.answer(token_of(payload));
            is_another = false;
        }
        if gathering.has_given_way(is_another, payloads.is_empty(), &mut self.face, now) {
            let decision = gathering.decide(now, context);
            self.decided(decision, now, actions);
        }
    }

    /// The code in view to decide about, if there is one and the lane is free for it.
    fn fresh_code(&mut self, payloads: &[&[u8]], now: Now, context: Context<'_>) -> Option<(Token, Shown)> {
        let at_rest = self.is_at_rest();
        let free = matches!(self.work, Work::Idle) && !self.alarm;
        let mut open: heapless::Vec<(Token, &[u8]), 8> = heapless::Vec::new();
        for payload in payloads {
            let token = token_of(payload);
            let seen = self.recent.see(token, now.mono_ms);
            let is_pass = payload.starts_with(crate::pass::PREFIX);
            // What is no pass must stay for a while, and may not take a verdict off the screen before its time.
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
        let (token, _) = *open.get(at)?;
        self.recent.answer(token);
        if !matches!(shown, Shown::Malformed(PassError::NotAPass)) {
            // An advertisement beside a pass is answered with it: it is nobody's attempt to enter.
            let others = payloads.iter().filter(|payload| !payload.starts_with(crate::pass::PREFIX));
            others.for_each(|payload| self.recent.answer(token_of(payload)));
        }
        Some((token, shown))
    }

    fn see_unreadable(&mut self, hint: Hint, now: Now, context: Context<'_>, actions: &mut Actions) {
        match self.blur.see(hint, now.mono_ms, self.is_at_rest()) {
            Advice::Nothing => {}
            Advice::Hint(hint) => {
                // Who holds it may be somebody else.
                self.last = None;
                self.end_trial(actions);
                self.take_down(actions);
                push(actions, Action::Show(Screen::Hint(hint)));
            }
            Advice::Refer => {
                self.finish(decide(&Shown::Unreadable, Measured::Nothing, now.time, context), actions);
            }
        }
    }

    /// A code was shown: decide at once where the temperature can not change a refusal, else gather it.
    fn begin(&mut self, token: Token, shown: Shown, now: Now, context: Context<'_>, actions: &mut Actions) {
        self.last = None;
        self.end_trial(actions);
        let ask_at_ms = self.verdict.as_ref().map_or(now.mono_ms, |verdict| verdict.read_by_ms().max(now.mono_ms));
        let alone_from_ms = self.verdict.as_ref().map_or(now.mono_ms, |verdict| verdict.until_ms);
        let gathering = Gathering::new((token, shown), ask_at_ms, alone_from_ms, &mut self.face, now, context);
        match gathering.at_once(now, context, self.thermometer_present) {
            Some(decision) => self.decided(decision, now, actions),
            None => self.work = Work::Gathering(gathering),
        }
    }

    /// Whatever verdict is on the screen gives way to what is shown next.
    fn take_down(&mut self, actions: &mut Actions) {
        let stayed = core::mem::take(&mut self.stays);
        if self.verdict.take().is_some() || stayed {
            push(actions, Action::Lamp(None));
        }
    }

    /// A verdict that stayed for want of somebody who acts on it goes.
    fn clear_what_stays(&mut self, actions: &mut Actions) {
        if core::mem::take(&mut self.stays) {
            push(actions, Action::Lamp(None));
            push(actions, Action::Show(Screen::Idle));
        }
    }

    /// The volunteer is done: the verdict goes as soon as it could be read, and whoever comes is somebody else.
    fn next(&mut self, actions: &mut Actions) {
        self.last = None;
        if let Some(verdict) = &mut self.verdict {
            verdict.until_ms = verdict.until_ms.min(verdict.read_by_ms());
            verdict.is_done = true;
        }
        self.clear_what_stays(actions);
    }

    /// Moves on whatever waits for a reading or for time.
    fn advance(&mut self, now: Now, context: Context<'_>, actions: &mut Actions) {
        self.gather(now, context, actions);
        if self.lamp_tried_until_ms.is_some_and(|until_ms| now.mono_ms >= until_ms) {
            self.end_trial(actions);
        }
        let Some(verdict) = &self.verdict else { return };
        match &self.work {
            Work::Ready(decision) if now.mono_ms >= verdict.read_by_ms() => {
                let decision = decision.clone();
                self.finish(decision, actions);
            }
            Work::Idle if now.mono_ms >= verdict.until_ms => {
                let is_kept = context.policy.other_stays
                    && verdict.decision.verdict != Verdict::Admit
                    && !verdict.is_done
                    && self.presence != Some(false);
                let is_done = verdict.is_done;
                self.last = self.verdict.take().filter(|_| !is_done);
                self.face.has_changed();
                self.stays = is_kept;
                if !is_kept {
                    push(actions, Action::Lamp(None));
                    push(actions, Action::Show(Screen::Idle));
                }
            }
            Work::Idle | Work::Gathering(_) | Work::Ready(_) | Work::Recording(_) | Work::Trying => {}
        }
    }

    fn gather(&mut self, now: Now, context: Context<'_>, actions: &mut Actions) {
        let Work::Gathering(gathering) = &mut self.work else { return };
        let step = gathering.advance(&mut self.face, now, context, self.thermometer_present);
        let may_ask = self.verdict.as_ref().is_none_or(|verdict| now.mono_ms >= verdict.read_by_ms());
        let again = matches!(step, Step::Again);
        match step {
            Step::Decided(decision) => self.decided(decision, now, actions),
            Step::Wait | Step::Again => {
                if may_ask && (again || !gathering.has_asked) {
                    gathering.has_asked = true;
                    let screen = gathering.screen(context);
                    // The lamp is the last person's; the next one must not take it for an answer.
                    self.take_down(actions);
                    push(actions, Action::Show(screen));
                }
            }
        }
    }

    /// Somebody is decided about; what is on the screen may still want its time.
    fn decided(&mut self, decision: Decision, now: Now, actions: &mut Actions) {
        if self.verdict.as_ref().is_some_and(|verdict| now.mono_ms < verdict.read_by_ms()) {
            self.face.decided(holder_of(&decision), decision.verdict == Verdict::Admit);
            self.work = Work::Ready(decision);
        } else {
            self.finish(decision, actions);
        }
    }

    fn finish(&mut self, decision: Decision, actions: &mut Actions) {
        self.face.decided(holder_of(&decision), decision.verdict == Verdict::Admit);
        self.last = None;
        self.end_trial(actions);
        // Until the answer is there, nothing on the gate may look like one.
        self.take_down(actions);
        self.work = Work::Recording(decision.clone());
        push(actions, Action::Record(decision));
    }

    /// A volunteer decides beside the gate: about whoever was just decided about or is being so, or else about somebody
    /// who shows no code.
    fn by_hand(&mut self, cause: Cause, now: Now, context: Context<'_>, actions: &mut Actions) {
        // What is being written comes first; the volunteer sees it and decides then.
        if self.alarm || matches!(self.work, Work::Recording(_) | Work::Trying) {
            return;
        }
        let now_ms = now.mono_ms;
        let mut found = match (&self.verdict, &self.work) {
            // A second touch of the same button is not a second person.
            (Some(shown), _) if is_again(cause, &shown.decision) && now_ms < shown.read_by_ms() => return,
            // Whoever is on the screen is meant, also where the next one's code was read already.
            (Some(shown), _) if concerns(cause, &shown.decision) => shown.decision.clone(),
            (_, Work::Ready(decision)) => decision.clone(),
            (_, Work::Gathering(gathering)) => gathering.decide(now, context),
            (None, _) => match self.last.as_ref().filter(|last| self.is_recent(last, cause, now_ms)) {
                Some(last) if concerns(cause, &last.decision) => last.decision.clone(),
                Some(_) | None => decide(&Shown::Nothing, self.measured_now(context), now.time, context),
            },
            (Some(_), _) => decide(&Shown::Nothing, self.measured_now(context), now.time, context),
        };
        // It is decided now, however long ago it was found.
        found.evidence.time = now.time;
        if !context.policy.manual.allows(cause, &found) {
            return;
        }
        if found.verdict == Verdict::Admit {
            // Whom the relay was closed for; another's pulse goes on.
            let moved = self.pulse.stop(now.mono_ms, lengths(context));
            moved.into_iter().for_each(|closed| push(actions, Action::Relay(closed)));
        }
        self.blur.clear();
        let is_on_screen = self.verdict.as_ref().is_some_and(|shown| concerns(cause, &shown.decision));
        if is_on_screen {
            // Whose code was read meanwhile is looked at again.
            self.recent.ask_again();
        }
        self.finish(found.by_hand(cause), actions);
    }

    fn measured_now(&self, context: Context<'_>) -> Measured {
        self.face.measured(context.policy).map_or(Measured::Nothing, |burst| Measured::Reading(burst.reading))
    }

    fn fire_alarm(&mut self, began: bool, now: Now, context: Context<'_>, actions: &mut Actions) {
        if began == self.alarm {
            return;
        }
        self.alarm = began;
        push(actions, Action::RecordAlarm(began));
        let moved = self.pulse.stop(now.mono_ms, lengths(context));
        moved.into_iter().for_each(|closed| push(actions, Action::Relay(closed)));
        // Whoever was about to be decided about leaves with the others; what is being written is finished.
        if !matches!(self.work, Work::Recording(_)) {
            self.work = Work::Idle;
        }
        self.verdict = None;
        self.last = None;
        self.stays = false;
        self.lamp_tried_until_ms = None;
        self.blur.clear();
        push(actions, Action::Lamp(None));
        push(actions, Action::Show(if began { Screen::Alarm } else { Screen::Idle }));
    }

    /// Durable before green: only here does a verdict become visible and a relay close.
    fn recorded(&mut self, durable: bool, now: Now, context: Context<'_>, actions: &mut Actions) {
        if matches!(self.work, Work::Trying) {
            return self.tried(durable, now, context, actions);
        }
        // An answer that nothing waits for, late or doubled, changes nothing.
        let Work::Recording(decision) = &self.work else { return };
        let decision = decision.clone();
        self.work = Work::Idle;
        self.recent.decided();
        if self.alarm {
            return;
        }
        let decision = if durable { decision } else { decision.with(Reason::JournalFailing) };
        let verdict = decision.verdict;
        if verdict == Verdict::Admit {
            let moved = self.pulse.admit(now.mono_ms, lengths(context));
            moved.into_iter().for_each(|closed| push(actions, Action::Relay(closed)));
        }
        let hold_ms = match verdict {
            Verdict::Admit => context.policy.hold_admit_ms,
            Verdict::Refer | Verdict::Refuse => context.policy.hold_other_ms,
        };
        let until_ms = now.mono_ms + u64::from(hold_ms);
        self.verdict = Some(OnScreen { decision: decision.clone(), since_ms: now.mono_ms, until_ms, is_done: false });
        push(actions, Action::Lamp(Some(verdict)));
        push(actions, Action::Tone(verdict));
        push(actions, Action::Show(Screen::Verdict(decision)));
    }
}

/// Whether a volunteer who speaks for a cause means the person of this verdict: they let in whom the gate did not, or
/// keep out whom it did not. Otherwise they mean somebody else.
fn concerns(cause: Cause, decision: &Decision) -> bool {
    cause.verdict() != decision.verdict
}

/// Whether a touch is the one that led to this verdict, once more.
fn is_again(cause: Cause, decision: &Decision) -> bool {
    decision.cause.is_some_and(|before| before.verdict() == cause.verdict())
}

fn holder_of(decision: &Decision) -> Option<Holder> {
    decision.evidence.issuer.zip(decision.evidence.holder)
}

fn lengths(context: Context<'_>) -> Lengths {
    Lengths { pulse_ms: context.policy.relay_pulse_ms, hold_off_ms: context.policy.relay_hold_off_ms }
}

fn token_of(payload: &[u8]) -> Token {
    first_8(&sha256(payload))
}

fn push(actions: &mut Actions, action: Action) {
    let pushed = actions.push(action);
    debug_assert!(
        pushed.is_ok(),
        "a step has at most: a relay that opens, the lamp and screen of a verdict that ends, then the two of a record, the \
         two of a question, or the four of a verdict"
    );
}

#[cfg(test)]
mod tests;
