//! The walk of a proof's codes through the gate: the gate's own loop, over ports that are the proof's.
//!
//! Nothing is copied: [`run::run`] itself drives a lane whose camera shows the codes, whose thermometer says what goes with
//! each, whose journal is a real one in a folder beside the gate's, and whose outputs write down what they are told. What
//! is read off at the end: each decision as the screen shows it, each record as it is read back from the disk, and the order
//! of "recorded" and "moved".
//!
//! Time is the one thing that is not waited for: as soon as a verdict is shown the proof's clock is moved on to its end.
//! Invariants: the folder is gone afterwards; the walk ends, whatever hangs in it, as long as one of its ports is still
//! asked.

use super::codes::{Case, World};
use super::picture;
use crate::history::{Memory, Origin, Secret};
use crate::journal::{Journal, JournalError, SledJournal};
use crate::optics::Frame;
use crate::ports::{Camera, Clock, GateOutput, PortError, Thermometer};
use crate::probe::{Probe, Step};
use crate::rules::Rules;
use crate::run::{self, Device, LaneParts, Parts, Timing, Watcher};
use crate::sound::{Cue, SoundSettings, Volume};
use crate::threads::Stop;
use crate::trust::Feed;
use menshen_core::clock::{Implausible, Published};
use menshen_core::lane::Screen;
use menshen_core::reason::Reason;
use menshen_core::record::{Body, Epoch, Record, Seq};
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::TrustList;
use menshen_core::verdict::Verdict;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A walk takes a second or two; one that takes longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often the proof's camera shows its picture, and its thermometer speaks.
const FRAME_EVERY: Duration = Duration::from_millis(15);
const READING_EVERY: Duration = Duration::from_millis(8);
/// What ends the longest verdict of the proof's policy.
const SKIPPED_MS: u64 = 1500;
/// The proof's only lane.
const LANE: u8 = 1;
/// More than a walk has.
const MOST_RECORDS: usize = 64;

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
}

/// What came of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    /// What the screen showed for each case, as far as the walk came.
    pub(super) shown: Vec<Answer>,
    /// What is read back from the disk afterwards, in its order.
    pub(super) recorded: Vec<Answer>,
    /// Whether the relay closed once, for the good code, after its record and not before, and opened again.
    pub(super) in_order: bool,
    /// The longest that a record took to become durable.
    pub(super) slowest_record: Duration,
}

/// Why there was no walk.
#[derive(Debug)]
pub(super) enum NoWalk {
    /// The disk has no room.
    Full { free_bytes: u64 },
    /// The disk takes no record.
    Disk(String),
    /// The walk itself did not come to its end.
    Broken(String),
}

/// Something that was done, in the order in which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Recorded,
    Closed,
    Opened,
    Shown(Verdict),
}

struct State {
    cases: Vec<Case>,
    /// Whose turn it is.
    at: usize,
    /// Its verdict was shown; nothing is until the screen is free.
    is_answered: bool,
    shown: Vec<Answer>,
    did: Vec<Did>,
    slowest_record: Duration,
    /// How far the clock was moved on.
    skipped_ms: u64,
}

/// The stage that all ports of the walk stand on.
#[derive(Clone)]
struct Stage {
    state: Arc<Mutex<State>>,
    begun: Instant,
    now_s: u64,
    stop: Stop,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn did(&self, what: Did) {
        self.lock().did.push(what);
    }

    /// The case that is shown now; `None` between two.
    fn case(&self) -> Option<Case> {
        if self.begun.elapsed() > PATIENCE {
            self.stop.set();
        }
        let state = self.lock();
        state.cases.get(state.at).filter(|_| !state.is_answered).cloned()
    }
}

/// Walks the codes of a world through a gate whose journal lies in `folder`.
pub(super) fn walk(world: World, folder: &Path, now_s: u64) -> Result<Walked, NoWalk> {
    let journal = SledJournal::open(folder).map_err(no_walk)?;
    let state = State {
        cases: world.cases.clone(),
        at: 0,
        is_answered: false,
        shown: Vec::new(),
        did: Vec::new(),
        slowest_record: Duration::ZERO,
        skipped_ms: 0,
    };
    let stage = Stage { state: Arc::new(Mutex::new(state)), begun: Instant::now(), now_s, stop: Stop::new() };
    let parts = parts(world, journal, &stage);
    // What a proof's own loop logs would be read as the gate's.
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || run::run(parts, &stage.stop));
    let recorded = read_back(folder).map_err(no_walk)?;
    let state = stage.lock();
    Ok(Walked {
        shown: state.shown.clone(),
        recorded,
        in_order: is_in_order(&state.did),
        slowest_record: state.slowest_record,
    })
}

fn no_walk(error: JournalError) -> NoWalk {
    match error {
        JournalError::Full { free_bytes } => NoWalk::Full { free_bytes },
        error => NoWalk::Disk(error.to_string()),
    }
}

fn parts(world: World, journal: SledJournal, stage: &Stage) -> Parts {
    let clock: Arc<dyn Clock> = Arc::new(stage.clone());
    let (eyes, touch, recorded) = (stage.clone(), stage.clone(), stage.clone());
    let lane = LaneParts {
        number: LANE,
        leads_out: false,
        camera: Box::new(move || Ok(Box::new(Pictures { stage: eyes.clone(), of: None }) as Box<dyn Camera>)),
        thermometer: Some(Box::new(move || Ok(Box::new(touch.clone()) as Box<dyn Thermometer>))),
        inputs: None,
        outputs: Box::new(stage.clone()),
        watchers: vec![Box::new(stage.clone())],
        orders: None,
        settings: Arc::default(),
        trials: None,
    };
    Parts {
        lanes: vec![lane],
        memory: Arc::new(Memory::empty(Secret::random(), Origin([0; 8]), clock.clone())),
        clock,
        journal: Arc::new(journal),
        talk: None,
        trust: Feed::fixed(Some(world.trust)),
        keeper: Err("a proof believes its own codes and nothing newer".into()),
        rules: Rules::of(world.policy),
        home: world.home,
        sync: None,
        sound: SoundSettings::default(),
        probe: Probe::new(move |step| {
            if step == Step::Recorded {
                recorded.did(Did::Recorded);
            }
        }),
    }
}

/// The decisions that are on the disk, as another program would read them.
fn read_back(folder: &Path) -> Result<Vec<Answer>, JournalError> {
    let journal = SledJournal::open(folder)?;
    let epoch = Epoch(journal.status().epoch);
    let read = journal.read(epoch, Seq(1), MOST_RECORDS)?;
    let records = read.map(|read| read.records).unwrap_or_default();
    let own = records.iter().filter_map(|bytes| Record::from_bytes(bytes).ok()).filter(|record| record.lane == LANE);
    let scans = own.filter_map(|record| match record.body {
        Body::Scan(scan) => Some(Answer { verdict: scan.verdict, reason: scan.reasons.first().copied() }),
        Body::Alarm(_) | Body::Tried(_) | Body::Loss { .. } => None,
    });
    Ok(scans.collect())
}

/// The relay closed once, right after the record of whoever is admitted and of nobody else, before that was shown, and
/// opened again.
fn is_in_order(did: &[Did]) -> bool {
    let mut closings = did.iter().enumerate().filter(|(_, did)| **did == Did::Closed).map(|(at, _)| at);
    let (Some(at), None) = (closings.next(), closings.next()) else { return false };
    let (before, after) = did.split_at(at);
    let records = before.iter().filter(|did| **did == Did::Recorded).count();
    let is_shown = |did: &&Did| matches!(did, Did::Shown(_));
    let last = before.iter().rev().find(|did| **did != Did::Opened);
    // The record of each that was shown before, and that of the one who is let in.
    last == Some(&Did::Recorded)
        && records == before.iter().filter(is_shown).count() + 1
        && after.iter().find(is_shown) == Some(&Did::Shown(Verdict::Admit))
        && after.contains(&Did::Opened)
}

/// Shows the code whose turn it is, and a wall between two.
struct Pictures {
    stage: Stage,
    /// The picture of a code, drawn once.
    of: Option<(String, Frame)>,
}

impl Camera for Pictures {
    fn frame(&mut self, _: Duration) -> Result<Option<Frame>, PortError> {
        self.stage.stop.sleep(FRAME_EVERY);
        let Some(case) = self.stage.case() else { return Ok(picture::blank()) };
        if self.of.as_ref().is_none_or(|(text, _)| *text != case.text) {
            self.of = picture::of(&case.text).map(|frame| (case.text, frame));
        }
        Ok(self.of.as_ref().map(|(_, frame)| frame.clone().at(Instant::now())))
    }
}

impl Thermometer for Stage {
    fn reading(&mut self, _: Duration) -> Result<Option<Reading>, PortError> {
        self.stop.sleep(READING_EVERY);
        Ok(self.case().map(|case| case.reading))
    }
}

impl GateOutput for Stage {
    fn relay(&mut self, closed: bool) -> Result<(), PortError> {
        self.did(if closed { Did::Closed } else { Did::Opened });
        Ok(())
    }

    fn lamp(&mut self, _: Option<Verdict>) -> Result<(), PortError> {
        Ok(())
    }

    fn tone(&mut self, _: Cue, _: Volume) -> Result<(), PortError> {
        Ok(())
    }
}

impl Watcher for Stage {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, timing: Timing) {
        let mut state = self.lock();
        match screen {
            Screen::Verdict(decision) => {
                let answer = Answer { verdict: decision.verdict, reason: decision.reasons.first().copied() };
                state.shown.push(answer);
                state.did.push(Did::Shown(decision.verdict));
                state.slowest_record = state.slowest_record.max(timing.record);
                state.is_answered = true;
                state.skipped_ms += SKIPPED_MS;
            }
            Screen::Idle if state.is_answered => {
                state.is_answered = false;
                state.at += 1;
                if state.at >= state.cases.len() {
                    self.stop.set();
                }
            }
            _ => {}
        }
    }

    fn device(&mut self, _: &Device) {}
}

impl Clock for Stage {
    fn mono_ms(&self) -> u64 {
        let skipped_ms = self.lock().skipped_ms;
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(skipped_ms)
    }

    fn time(&self) -> Time {
        Time::trusted(self.now_s + self.mono_ms() / 1000)
    }

    fn published(&self, _: Published) {}

    fn heard_not_before(&self, _: u64) {}

    fn signed_now(&self, _: u64, _: u32) -> Result<(), Implausible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_right_only_where_the_relay_closed_once_after_its_record_and_opened_again() {
        use Did::{Closed, Opened, Recorded};
        const IN: Did = Did::Shown(Verdict::Admit);
        const OUT: Did = Did::Shown(Verdict::Refuse);
        assert!(is_in_order(&[Opened, Recorded, Closed, IN, Opened, Recorded, OUT]));
        assert!(is_in_order(&[Opened, Recorded, OUT, Recorded, Closed, IN, Opened]));
        for wrong in [
            vec![],
            vec![Opened, Recorded, IN, Opened],
            vec![Opened, Closed, Recorded, IN, Opened],
            vec![Opened, Recorded, IN, Closed, Opened],
            vec![Opened, Recorded, Closed, IN, Recorded, OUT],
            vec![Opened, Recorded, Closed, IN, Opened, Recorded, Closed, OUT, Opened],
            // By the record of somebody else: who is refused, and who was decided about before.
            vec![Opened, Recorded, IN, Recorded, Closed, OUT, Opened],
            vec![Opened, Recorded, Recorded, Closed, IN, Opened],
        ] {
            assert!(!is_in_order(&wrong), "{wrong:?}");
        }
    }
}
