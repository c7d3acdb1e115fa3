//! Who proves: started from the panel or the desk, in a thread of its own that ends with the proof.
//!
//! Invariants: one proof of a lane at a time, and whatever becomes of one, another can be started; a panic in it is a card
//! that says what was not proved; what a person says of an output counts only for one that was tried out on this card.

use super::apart::{Proven, WalkAs, prove_codes};
use super::codes::{self, Keys, World};
use super::keep::{FOLDER, KEPT_CARDS, Keep};
use super::trial::{Fitted, Wanted};
use super::walk::{NoWalk, Walked, walk};
use super::watch::Watch;
use super::{Check, FORMAT, Finding, Item, Order, Proof, Refusal, Vitals, live, stamp};
use crate::journal::{Journal, MIN_FREE_BYTES};
use crate::ports::Clock;
use crate::rules::Rules;
use crate::run::Watcher;
use crate::threads;
use crate::trust::Feed;
use crate::view::rfc3339;
use menshen_core::ids::IssuerId;
use menshen_core::lane::Trial;
use menshen_core::manual::ManualWay;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the camera is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long is waited for a camera or a thermometer that says nothing: longer than it takes to be told as silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// A lane that says nothing of itself for so long hangs.
const LANE_PATIENCE: Duration = Duration::from_secs(5);
/// An access controller that does not ask is told as silent only so long after the start of the gate.
const CONTROLLER_PATIENCE: Duration = Duration::from_secs(6);
/// How long a lane may take to try something out.
const TRIAL_PATIENCE: Duration = Duration::from_secs(3);
/// So often a lane says how it is until a loudspeaker that plays nothing is known to.
const LOUDSPEAKER_TELLS: u64 = 5;
/// The folder that a proof works in, within the state folder; gone when it is over.
const WORK_FOLDER: &str = "proof-work";
/// No gate runs before this: what a clock without a battery says is no moment to make passes for.
const EARLIEST_S: u64 = 1_600_000_000;
/// A card counts for one shift.
const COUNTS_FOR: Duration = Duration::from_secs(12 * 3600);
/// The codes of an output that nobody has tried, and of one that nobody may.
const UNTRIED: &str = "untried";
const BARRED: &str = "barred";
/// How many orders may wait for the lane.
const MOST_ORDERS: usize = 1;

/// What a lane proves itself with.
pub struct Setup {
    /// The lane's state folder.
    pub state: PathBuf,
    /// The site's names, in Chinese and English.
    pub site: (String, String),
    /// The gate's id, where it has a key.
    pub gate: Option<String>,
    /// The lane's number.
    pub lane: u8,
    /// The province or city of the gate.
    pub home: IssuerId,
    /// The rules of the site.
    pub rules: Rules,
    /// What the gate believes.
    pub trust: Feed,
    /// What is known of the time.
    pub clock: Arc<dyn Clock>,
    /// The gate's own journal, which a proof asks and never writes.
    pub journal: Arc<dyn Journal>,
    /// What the lane moves, lights and sounds.
    pub fitted: Fitted,
    /// How its codes are walked.
    pub walk_as: WalkAs,
    /// How the device itself is.
    pub vitals: Arc<dyn Fn() -> Vitals + Send + Sync>,
}

/// The proofs of one lane; clones share them.
#[derive(Clone)]
pub struct Proofs(Arc<Inner>);

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").field("lane", &self.0.setup.lane).finish_non_exhaustive()
    }
}

struct Inner {
    setup: Setup,
    watch: Watch,
    keep: Keep,
    orders: SyncSender<Order>,
    taken: Mutex<Option<Receiver<Order>>>,
    /// Held by whoever changes the card, also while it is written; whoever only looks does not wait for that.
    notes: Mutex<()>,
    now: Mutex<Now>,
    made: Instant,
}

#[derive(Default)]
struct Now {
    /// What was found so far, while a proof runs.
    running: Option<Vec<Check>>,
    /// The newest card of this run, and when it was made.
    card: Option<(Proof, Instant)>,
    /// Why the newest card is not kept.
    not_kept: Option<String>,
}

impl Now {
    /// The card that counts.
    fn current(&self) -> Option<&Proof> {
        self.card.as_ref().filter(|(_, at)| at.elapsed() < COUNTS_FOR).map(|(card, _)| card)
    }
}

/// How a proof stands, for whoever watches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Whether one runs.
    pub running: bool,
    /// What it has found so far.
    pub found: Vec<Check>,
    /// How many checks a card has before a person says anything.
    pub of: usize,
    /// The card of this shift, `null` where there is none: of a gate that was started since, or of twelve hours ago.
    pub proof: Option<Proof>,
    /// Why the newest card is not kept, `null` where it is.
    pub not_kept: Option<String>,
    /// The outputs that can be tried out now, by the names of their checks.
    pub outputs: Vec<Item>,
}

/// Why no proof was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// One runs.
    #[error("a proof of this gate is running already: wait for its card")]
    Running,
    /// There is no thread for it.
    #[error("the system has no thread for a proof just now: try again, or start the gate again")]
    NoThread,
}

/// Why nothing was tried out or noted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TryError {
    /// There is no card to note it on.
    #[error("prove the gate first: what you see is noted on its card")]
    NoCard,
    /// This is no output that can be tried.
    #[error("this gate has no such output to try: reload the page")]
    NoOutput,
    /// The site's rules let nobody in by hand.
    #[error("the rules of this site open the way for nobody by hand, and so not for a trial")]
    NotAllowed,
    /// Somebody is at the gate.
    #[error("somebody is at the gate, or the fire alarm lasts: try again when nobody is")]
    Busy,
    /// The lane had no time for it.
    #[error("the gate had no time for it just now, and nothing moved: try again")]
    Late,
    /// The lane does not answer.
    #[error("the gate does not answer: start it again")]
    Silent,
    /// It was not tried, so nobody has seen it.
    #[error("try it first, then say what you saw")]
    NotTried,
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl Proofs {
    /// The proofs of a lane; the cards of earlier days are kept and count for nothing any more.
    pub fn new(setup: Setup) -> Proofs {
        let (orders, taken) = sync_channel(MOST_ORDERS);
        let keep = Keep::of(&setup.state);
        Proofs(Arc::new(Inner {
            setup,
            watch: Watch::default(),
            keep,
            orders,
            taken: Mutex::new(Some(taken)),
            notes: Mutex::default(),
            now: Mutex::default(),
            made: Instant::now(),
        }))
    }

    /// Who looks on at the lane for them.
    pub fn watcher(&self) -> Box<dyn Watcher> {
        Box::new(self.0.watch.clone())
    }

    /// Outputs that a person tries out, for the lane that owns them; whoever asks first has it.
    pub fn take_trials(&self) -> Option<Receiver<Order>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Starts a proof, which takes some seconds.
    ///
    /// # Errors
    /// [`NotStarted`].
    pub fn start(&self) -> Result<(), NotStarted> {
        let mut now = self.0.lock();
        if now.running.is_some() {
            return Err(NotStarted::Running);
        }
        now.running = Some(Vec::new());
        drop(now);
        let run = Run { inner: Arc::clone(&self.0), is_over: false };
        let started = threads::try_spawn("proof", move || {
            // It may be asked for in the middle of a shift.
            threads::yield_to_others();
            run.prove();
        });
        started.map(drop).map_err(|_| NotStarted::NoThread)
    }

    /// How it stands.
    pub fn progress(&self) -> Progress {
        let now = self.0.lock();
        let fitted = self.0.setup.fitted.outputs().map(|(item, _)| item);
        let outputs = fitted.filter(|item| *item != Item::Way || self.0.may_open());
        Progress {
            running: now.running.is_some(),
            found: now.running.clone().unwrap_or_default(),
            of: EXPECTED,
            proof: now.current().cloned(),
            not_kept: now.not_kept.clone(),
            outputs: outputs.collect(),
        }
    }

    /// Every card that is kept, the newest first.
    pub fn earlier(&self) -> Vec<Value> {
        self.0.keep.all()
    }

    /// Lets the lane try an output out, and notes that a person is asked what they saw, or that it failed by itself. Waits
    /// for the lane.
    ///
    /// # Errors
    /// [`TryError`], and nothing moved, unless it is [`TryError::Silent`] or [`TryError::Failed`].
    pub fn try_output(&self, which: Item) -> Result<(), TryError> {
        let what = self.0.output(which).ok_or(TryError::NoOutput)?;
        {
            let now = self.0.lock();
            now.current().filter(|_| now.running.is_none()).ok_or(TryError::NoCard)?;
        }
        if what == Wanted::Output(Trial::Relay) && !self.0.may_open() {
            return Err(TryError::NotAllowed);
        }
        let (order, answered) = Order::new(what);
        self.0.orders.try_send(order).map_err(|_| TryError::Late)?;
        let mut came_of_it = answered.recv_timeout(TRIAL_PATIENCE);
        if what == Wanted::Loudspeaker && came_of_it == Ok(Ok(())) {
            // It plays by itself, and the lane hears only afterwards that it could not.
            let device = self.0.watch.device_after(LOUDSPEAKER_TELLS, TRIAL_PATIENCE);
            let fault = device.and_then(|device| device.faults.speaker.clone());
            came_of_it = Ok(fault.map_or(Ok(()), |fault| Err(Refusal::Failed(fault))));
        }
        match came_of_it {
            // What a person saw fail stays so until they say that it works.
            Ok(Ok(())) if self.0.failed(which) => Ok(()),
            Ok(Ok(())) => self.0.note(which, "waits", None),
            Ok(Err(Refusal::Busy)) => Err(TryError::Busy),
            Ok(Err(Refusal::Late)) => Err(TryError::Late),
            // Nobody has to see that for it to be so.
            Ok(Err(Refusal::Failed(why))) => {
                self.0.note(which, "no", Some(&why))?;
                Err(TryError::Failed(why))
            }
            Err(_) => Err(TryError::Silent),
        }
    }

    /// Notes what a person saw of an output that was tried out.
    ///
    /// # Errors
    /// [`TryError`] where it was not.
    pub fn answer(&self, which: Item, works: bool) -> Result<(), TryError> {
        self.0.output(which).ok_or(TryError::NoOutput)?;
        let was_tried = {
            let now = self.0.lock();
            let card = now.current().filter(|_| now.running.is_none()).ok_or(TryError::NoCard)?;
            card.check(which).is_some_and(|check| check.code != UNTRIED && check.code != BARRED)
        };
        if !was_tried {
            return Err(TryError::NotTried);
        }
        self.0.note(which, if works { "ok" } else { "no" }, None)
    }
}

/// Checks that every card has before a person says anything: eight of the codes, the disk, fifteen of the running gate.
const EXPECTED: usize = 8 + 1 + 15;

/// One proof on its way.
struct Run {
    inner: Arc<Inner>,
    /// Its card is there.
    is_over: bool,
}

impl Run {
    fn prove(mut self) {
        let card = self.inner.proved();
        tracing::info!(ready = card.ready, number = card.number, took_ms = card.took_ms, "the gate has proved itself");
        let _changes = self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let not_kept = self.inner.kept(&card);
        let mut now = self.inner.lock();
        // From here on another may run.
        self.is_over = true;
        *now = Now { running: None, card: Some((card, Instant::now())), not_kept };
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_over {
            self.inner.lock().running = None;
        }
    }
}

impl Inner {
    /// What tries an output of this lane.
    fn output(&self, which: Item) -> Option<Wanted> {
        self.setup.fitted.outputs().find(|(item, _)| *item == which).map(|(_, what)| what)
    }

    /// Whether a trial may open the way here.
    fn may_open(&self) -> bool {
        self.watch.device().is_some_and(|device| device.manual != ManualWay::Never)
    }

    /// Looks at everything, and gives the card of it.
    fn proved(&self) -> Proof {
        let begun = Instant::now();
        // What is half-way is on the card as not proved, and the next proof begins anew.
        let whole = catch_unwind(AssertUnwindSafe(|| self.look()));
        if whole.is_err() {
            tracing::error!("the proof of this gate has failed; it is a bug, please report it with this log");
        }
        let mut checks = self.lock().running.clone().unwrap_or_default();
        if whole.is_err() {
            checks.push(Check::of(Finding::ProofBroken));
        }
        checks.extend(self.untried());
        checks.sort_by_key(|check| check.name);
        let (at, clock) = stamp(self.setup.clock.time());
        let trust = self.setup.trust.trust();
        let content = trust.as_ref().map(|trust| trust.list.content());
        Proof {
            format: FORMAT,
            number: self.next_number(),
            ready: Proof::is_ready(&checks),
            at,
            clock,
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            gate: self.setup.gate.clone(),
            site_zh: self.setup.site.0.clone(),
            site_en: self.setup.site.1.clone(),
            lane: self.setup.lane,
            trust_version: content.map(|content| content.version),
            trust_as_of: content.map(|content| rfc3339(content.as_of)),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            checks,
        }
    }

    /// Rises also past a card that could not be kept, so that nobody takes the next one for it.
    fn next_number(&self) -> u64 {
        let last = self.lock().card.as_ref().map_or(0, |(card, _)| card.number);
        self.keep.next_number().max(last.saturating_add(1))
    }

    /// Keeps a card; gives why it is not.
    fn kept(&self, card: &Proof) -> Option<String> {
        let Err(error) = self.keep.put(card) else {
            if let Err(error) = self.keep.forget_old() {
                let folder = self.setup.state.join(FOLDER);
                tracing::warn!(
                    "cards beyond the last {KEPT_CARDS} stay in {} ({error}): remove them",
                    folder.display()
                );
            }
            return None;
        };
        let why = format!("the card is not kept ({error}): give the gate a state folder that it may write");
        tracing::warn!("{why}");
        Some(why)
    }

    fn untried(&self) -> Vec<Check> {
        let is_barred = self.watch.device().is_some_and(|device| device.manual == ManualWay::Never);
        let found = self.setup.fitted.outputs().filter_map(|(item, _)| {
            let code = if item == Item::Way && is_barred { BARRED } else { UNTRIED };
            Finding::find(item, code)
        });
        found.map(Check::of).collect()
    }

    /// Whether the card says that a person saw this output fail.
    fn failed(&self, which: Item) -> bool {
        let now = self.lock();
        now.current().and_then(|card| card.check(which)).is_some_and(|check| check.code == "no")
    }

    /// Notes on the card what came of an output, and what the part itself says of it.
    fn note(&self, which: Item, code: &str, why: Option<&str>) -> Result<(), TryError> {
        let finding = Finding::find(which, code).ok_or(TryError::NoOutput)?;
        let _changes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut card, at) = self.lock().card.clone().ok_or(TryError::NoCard)?;
        let check = Check::of(finding);
        card.put(why.map_or(check.clone(), |why| check.because(why)));
        let not_kept = self.kept(&card);
        let mut now = self.lock();
        (now.card, now.not_kept) = (Some((card, at)), not_kept);
        Ok(())
    }

    fn found(&self, checks: impl IntoIterator<Item = Check>) {
        if let Some(running) = self.lock().running.as_mut() {
            running.extend(checks);
        }
    }

    fn look(&self) {
        self.look_at_codes();
        self.look_at_gate();
    }

    fn look_at_codes(&self) {
        let folder = self.setup.state.join(WORK_FOLDER);
        let now_s = self.setup.clock.time().unix_s.max(EARLIEST_S);
        let walked = prove_codes(&folder, now_s, &self.setup.walk_as);
        if let Err(error) = fs::remove_dir_all(&folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("the folder {} of the proof stays ({error}): remove it", folder.display());
        }
        let (free_bytes, journal) = (self.free_bytes(), self.setup.journal.takes_records().err());
        // One that has room and fails all the same was told by the lane when it did.
        let told = || self.watch.device().and_then(|device| device.faults.journal.clone());
        let journal = journal.map(|error| error.to_string()).or_else(told);
        match walked {
            Ok(Proven { checks, slowest_ms }) => {
                self.found(checks);
                self.found([live::disk(free_bytes, slowest_ms, journal)]);
            }
            Err(NoWalk::Full { free_bytes }) => {
                self.found(code_checks(None));
                self.found([Check::of(Finding::DiskFull).with("free", free_bytes >> 20)]);
            }
            // Whatever could not be written first, room is what is lacking.
            Err(NoWalk::Disk(why)) if free_bytes.is_some_and(|bytes| bytes < MIN_FREE_BYTES) => {
                self.found(code_checks(None));
                let free_mb = free_bytes.unwrap_or_default() >> 20;
                self.found([Check::of(Finding::DiskFull).with("free", free_mb).because(why)]);
            }
            Err(NoWalk::Disk(why)) => {
                self.found(code_checks(None));
                self.found([Check::of(Finding::DiskUnwritable).because(why)]);
            }
            Err(NoWalk::Broken(why)) => {
                self.found(code_checks(None));
                self.found([Check::of(Finding::ProofBroken).because(why), live::disk(free_bytes, 0, journal)]);
            }
        }
    }

    fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.setup.state).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn look_at_gate(&self) {
        self.watch.begin();
        // Whether this lane has a thermometer is said with the first word of it.
        let device = self.watch.device_after(1, LANE_PATIENCE);
        let Some(device) = device else {
            self.watch.end();
            return self.found([Check::of(Finding::LaneSilent)]);
        };
        self.watch.until_seen(LOOK, device.has_thermometer, PATIENCE);
        let (eyes, reading) = self.watch.end();
        if self.setup.fitted.controller {
            thread::sleep(CONTROLLER_PATIENCE.saturating_sub(self.made.elapsed()));
        }
        // What came out while we looked is told by now.
        let device = self.watch.device_after(1, LANE_PATIENCE).unwrap_or(device);
        let Setup { rules, home, trust, clock, vitals, fitted, .. } = &self.setup;
        let (trust, time) = (trust.trust(), clock.time());
        let trust = trust.as_ref();
        let policy = rules.in_force(trust.map(|trust| trust.list.as_ref()), *home).policy;
        let vitals = vitals();
        self.found([
            Check::of(Finding::LaneOk),
            live::camera(&eyes, device.faults.camera.as_ref()),
            live::focus(&eyes),
            live::light(&eyes),
            live::thermometer(&device, reading, &policy),
            live::clock(&device),
            live::trust(trust, time, &policy),
            live::news(&device),
            live::lists(trust, time, &policy, *home),
            live::key(trust, time, *home),
            live::relay(&device, fitted.relay),
            live::signals(&device, fitted.signals()),
            live::power(&vitals),
            live::heat(&vitals),
            live::hub(&device),
        ]);
        self.found(live::others(&device, fitted.relay));
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        // Values are replaced whole.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Case = codes::Case;

/// Walks the codes of some keys in a folder that is made for it.
pub(super) fn walk_in(folder: &std::path::Path, now_s: u64, keys: &Keys) -> Result<(Vec<Case>, Walked), NoWalk> {
    // What a proof left behind that was cut off.
    let _ = fs::remove_dir_all(folder);
    let made = fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()));
    made.and_then(|()| World::make(folder, now_s, keys)).map_err(NoWalk::Disk).and_then(|world| {
        let cases = world.cases.clone();
        Ok((cases, walk(world, folder, now_s)?))
    })
}

/// What the walk proved of each code, and of the order of things.
pub(super) fn code_checks(walked: Option<(&[Case], &Walked)>) -> Vec<Check> {
    const CODES: [Item; 7] = [
        Item::CodeGood,
        Item::CodeYellow,
        Item::CodeWarm,
        Item::CodeExpired,
        Item::CodeForged,
        Item::CodeRevoked,
        Item::CodeUnknown,
    ];
    let Some((cases, walked)) = walked else {
        let untried = CODES.map(|item| Check::of(codes::findings(item)[2]));
        return untried.into_iter().chain([Check::of(Finding::OrderUntried)]).collect();
    };
    let mut checks: Vec<Check> = cases
        .iter()
        .enumerate()
        .map(|(at, case)| {
            let [right, wrong, _] = codes::findings(case.item);
            let (shown, recorded) = (walked.shown.get(at), walked.recorded.get(at));
            let is_right = shown == recorded
                && shown.is_some_and(|answer| (answer.verdict, answer.reason) == (case.verdict, case.reason));
            let got = shown.map_or("–", |answer| answer.reason.map_or(answer.verdict.name(), |reason| reason.name()));
            if is_right { Check::of(right) } else { Check::of(wrong).because(format!("{}: {got}", case.item.name())) }
        })
        .collect();
    let is_whole = walked.in_order && walked.shown == walked.recorded;
    checks.push(Check::of(if is_whole { Finding::OrderOk } else { Finding::OrderWrong }));
    checks
}
