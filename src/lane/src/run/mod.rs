//! The gate in motion: threads around the state machines of its lanes.
//!
//! ```text
//! eyes thread:   camera → optics ──────┐
//! touch thread:  thermometer ──────────┼→ one queue → lane's thread: lane.step → journal → outputs → watchers
//! inputs thread: presence, button, fire┘                                            └→ sync thread → hub
//! ```
//!
//! A device drives one lane or more. Each has these threads, ports and screens of its own and shares the rest: the clock,
//! the journal, what is believed, who was let in lately, the way to the hub. Everything that decides, records or moves
//! of a lane happens in one thread, in the order of one queue, so that the order "durable, then relay, then screen" can
//! be read off `Runtime::act`. A port that vanishes is told on the health board and opened again; nothing else stops for
//! it.

mod eyes;
mod order;
mod runtime;
mod senses;
mod stick;
mod touch;

pub use eyes::LOOK_BUDGET;
pub(crate) use order::LIFE as ORDER_LIFE;
pub use order::{Deed, Order, Outcome};

use crate::health::{Faults, Health, Part};
use crate::history::Memory;
use crate::history::neighbours::Talk;
use crate::journal::{self, Journal};
use crate::optics::{Frame, Sight};
use crate::ports::{Camera, Clock, GateInput, GateOutput, Open, Thermometer};
use crate::probe::Probe;
use crate::proof;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::sound::SoundSettings;
use crate::sync;
use crate::tally::{self, Summary, Tally};
use crate::threads::{self, Stop};
use crate::trust::{Feed, Import, Keeper, RoadState, Standings};
use menshen_core::clock::View;
use menshen_core::ids::IssuerId;
use menshen_core::lane::Screen;
use menshen_core::manual::ManualWay;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::{Freshness, TrustList};
use runtime::Runtime;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the lane looks at the time when nothing else happens.
const TICK: Duration = Duration::from_millis(20);
/// How many inputs may wait; a camera that is faster than the gate waits, its adapter drops frames.
const QUEUE: usize = 4;
/// How long a gate that is told to stop waits for its threads.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything a gate is made of.
pub struct Parts {
    /// Its lanes, at least one.
    pub lanes: Vec<LaneParts>,
    /// What is known of the time.
    pub clock: Arc<dyn Clock>,
    /// Where decisions are remembered.
    pub journal: Arc<dyn Journal>,
    /// Who was let in lately.
    pub memory: Arc<Memory>,
    /// The talk with the other gates of the site, where there are any.
    pub talk: Option<Talk>,
    /// What the gate believes.
    pub trust: Feed,
    /// Who keeps that new; or why nobody does, as one sentence with its remedy.
    pub keeper: Result<Keeper, String>,
    /// The rules of the site.
    pub rules: Rules,
    /// How loud it is and what it says.
    pub sound: SoundSettings,
    /// The province or city of the gate.
    pub home: IssuerId,
    /// Who carries records to the hub, on a gate that has one.
    pub sync: Option<sync::Agent>,
    /// The moments between steps.
    pub probe: Probe,
}

/// What one lane is made of.
pub struct LaneParts {
    /// Its number at its checkpoint.
    pub number: u8,
    /// Whether people leave by it, so that its admissions are outings.
    pub leads_out: bool,
    /// Where frames come from.
    pub camera: Open<dyn Camera>,
    /// Where readings come from, on a lane with a thermometer.
    pub thermometer: Option<Open<dyn Thermometer>>,
    /// Where buttons, presence and the fire alarm are heard, on a lane that has any of them.
    pub inputs: Option<Open<dyn GateInput>>,
    /// What moves, lights and sounds.
    pub outputs: Box<dyn GateOutput>,
    /// Who looks on: the panel, a demo, a test.
    pub watchers: Vec<Box<dyn Watcher>>,
    /// What a volunteer orders at the panel.
    pub orders: Option<Receiver<Order>>,
    /// What a volunteer may set there.
    pub settings: Arc<Settings>,
    /// Outputs that a person tries out.
    pub trials: Option<Receiver<proof::Order>>,
}

/// Somebody who looks on and never holds the gate up.
pub trait Watcher: Send {
    /// The screen changed.
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, timing: Timing);
    /// How the device is; told twice a second.
    fn device(&mut self, device: &Device);
    /// What is wrong with what it shows or plays the gate on, as one sentence with its remedy; asked twice a second.
    fn fault(&self) -> Option<(Part, String)> {
        None
    }
    /// A person wants to hear whether it works; nothing but a loudspeaker does anything then.
    fn try_sound(&mut self) {}
    /// The thermometer said something.
    fn reading(&mut self, _reading: Reading) {}
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
    /// A wait for a frame ended without one; `is_live` where frames are expected all the time.
    fn nothing(&mut self, _is_live: bool) {}
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
    /// Whom a volunteer may let in by hand.
    pub manual: ManualWay,
    /// What the lane has done; the same value until something about it changes.
    pub summary: Arc<Summary>,
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
    /// `None`: there is no presence sensor just now.
    Presence(Option<bool>),
    Button,
    FireAlarm(bool),
}

/// What the lanes of a gate share.
#[derive(Clone)]
struct Shared {
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    memory: Arc<Memory>,
    feed: Feed,
    rules: Rules,
    sound: SoundSettings,
    home: IssuerId,
    /// What is wrong with what they share.
    health: Arc<Health>,
    probe: Probe,
    has_hub: bool,
    takes_new: bool,
    /// Whether by any lane of this device, or of the site's other gates, people may leave.
    may_lead_out: bool,
}

/// Runs a gate until `stop` is set.
pub fn run(parts: Parts, stop: &Stop) {
    let health = Arc::new(Health::default());
    let takes_new = parts.keeper.is_ok();
    let mut threads = Vec::new();
    match parts.keeper {
        Ok(keeper) => threads.push(keeper.spawn(health.clone(), stop.clone())),
        Err(why) => health.set(Part::Trust, Some(why)),
    }
    let may_lead_out = parts.talk.is_some() || parts.lanes.iter().any(|lane| lane.leads_out);
    let has_hub = parts.sync.is_some();
    threads.extend(parts.sync.map(|agent| sync::spawn(agent, health.clone(), stop.clone())));
    threads.extend(parts.talk.map(|talk| talk.spawn(health.clone(), stop.clone())));
    let shared = Shared {
        clock: parts.clock,
        journal: parts.journal,
        memory: parts.memory,
        feed: parts.trust,
        rules: parts.rules,
        sound: parts.sound,
        home: parts.home,
        health,
        probe: parts.probe,
        has_hub,
        takes_new,
        may_lead_out,
    };
    let mut lanes = parts.lanes.into_iter();
    // The first one runs here: a gate of one lane has no thread more than it needs.
    let first = lanes.next();
    for lane in lanes {
        let (shared, stop) = (shared.clone(), stop.clone());
        threads.push(threads::spawn("lane", move || {
            // A lane that ends before the gate does has panicked: what starts the gate again starts all of its lanes.
            let ends_all = EndsAll(&stop);
            drive(lane, shared, &stop, false);
            drop(ends_all);
        }));
    }
    if let Some(lane) = first {
        drive(lane, shared, stop, true);
    }
    end_all(threads);
}

/// Stops the whole gate when it is dropped, also by a panic.
struct EndsAll<'a>(&'a Stop);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if !self.0.is_set() {
            tracing::error!("a lane has ended by itself; the gate stops so that it is started again");
            self.0.set();
        }
    }
}

/// Runs one lane until `stop` is set. One of them keeps the house: it forgets what is old.
fn drive(mut parts: LaneParts, shared: Shared, stop: &Stop, keeps_house: bool) {
    let (sender, inputs) = sync_channel(QUEUE);
    let health = Arc::new(Health::default());
    let spectators = parts.watchers.iter_mut().filter_map(|watcher| watcher.spectator()).collect();
    let mut threads = vec![eyes::spawn(parts.camera, sender.clone(), health.clone(), spectators, stop.clone())];
    let has_thermometer = parts.thermometer.is_some();
    if let Some(thermometer) = parts.thermometer {
        threads.push(touch::spawn(thermometer, sender.clone(), health.clone(), stop.clone()));
    }
    if let Some(senses) = parts.inputs {
        threads.push(senses::spawn(senses, sender, health.clone(), stop.clone()));
    }
    let tally = Arc::new(Tally::default());
    threads.push(tally::spawn_restore(tally.clone(), shared.journal.clone(), parts.number, stop.clone()));
    let lane = runtime::Own {
        number: parts.number,
        leads_out: parts.leads_out,
        outputs: parts.outputs,
        watchers: parts.watchers,
        orders: parts.orders,
        trials: parts.trials,
        settings: parts.settings,
        tally,
        health,
        has_thermometer,
        keeps_house,
    };
    Runtime::new(lane, shared).serve(&inputs, stop);
    drop(inputs);
    end_all(threads);
}

/// Waits for threads to end, all of them no longer than one may take.
fn end_all(threads: Vec<JoinHandle<()>>) {
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

/// Waits between two tries to open a port.
fn pause_before_reopening(stop: &Stop) {
    stop.sleep(Duration::from_secs(1));
}
