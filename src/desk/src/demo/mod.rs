//! The whole mission on one machine: authority, passes, a gate with camera and thermometer, hub and panel.
//!
//! Nothing of the gate is imitated: the very program of a device runs here on a board file, reads Y4M from a pipe
//! and thermometer bytes from a pseudo-terminal, keeps its journal on disk, moves its pins in a trace, and syncs
//! to a hub over HTTP. Only the world around it is made up ([`people`], [`stage`]). In the middle the hub is
//! taken away and brought back, and at the end every record is compared ([`audit`]).

pub mod audit;
pub mod people;
pub mod stage;

use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Result, at};
use audit::Audit;
use ed25519_dalek::SigningKey;
use menshen_core::decide::Decision;
use menshen_core::ids::{GateId, Hex};
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use menshen_gate::clock::BUILD_UNIX_S;
use menshen_gate::program::Gate;
use menshen_hub::{Config, Hub, StoreUrl};
use menshen_lane::device_key;
use menshen_lane::run::{Device, Timing, Watcher};
use menshen_lane::threads::Stop;
use menshen_lane::trust::REPOSITORY;
use menshen_lane::view::DecisionView;
use people::Person;
use stage::Stage;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The board of the demonstration: the simulated one, with a film for a camera.
const BOARD: &str = "inherits = [\"sim.toml\"]\n\n[camera]\nkind = \"y4m\"\npath = \"camera.y4m\"\n";
pub(crate) const BASE_BOARD: &str = include_str!("../../../../boards/base.toml");
pub(crate) const SIM_BOARD: &str = include_str!("../../../../boards/sim.toml");
const ENROL_TOKEN: &str = "demo";
/// Nobody waits longer than this for a decision.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long nobody is there between two people: long enough for the thermometer to see the wall.
const BETWEEN: Duration = Duration::from_millis(250);
/// The gate gets this long to bring its backlog to the hub.
const SYNC_PATIENCE: Duration = Duration::from_secs(30);

/// How to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything is kept here.
    pub dir: PathBuf,
    /// Where the panel is served.
    pub panel: SocketAddr,
    /// Where the hub listens.
    pub hub: SocketAddr,
    /// How long each verdict is left on the panel.
    pub pace: Duration,
}

/// What became of one person.
#[derive(Clone, Debug)]
pub struct Met {
    /// Who.
    pub person: Person,
    /// What the gate decided.
    pub decision: Decision,
    /// The same, for `--json`.
    pub view: DecisionView,
    /// Where the time went.
    pub timing: Timing,
}

impl Met {
    /// Whether the gate did what it must.
    pub fn as_expected(&self) -> bool {
        self.decision.verdict == self.person.verdict && self.decision.reasons.first().copied() == self.person.reason
    }
}

/// A demonstration that is running.
pub struct Demo {
    dir: PathBuf,
    profile: Authority,
    stage: Stage,
    hub: Option<Hub>,
    hub_addr: SocketAddr,
    gate_id: GateId,
    panel: Option<SocketAddr>,
    seen: Receiver<Seen>,
    stop: Stop,
    gate: Option<JoinHandle<()>>,
    shown: u64,
}

enum Seen {
    MeasureAgain,
    Verdict(Box<(Decision, DecisionView, Timing)>),
    Backlog(u64),
}

impl Demo {
    /// Starts everything.
    pub fn start(options: &Options) -> Result<Demo> {
        let (dir, now) = (options.dir.clone(), moment::now());
        // Its gate would rightly not believe such a clock, and refer everybody.
        if now < BUILD_UNIX_S {
            return Err(Failure::new(format!(
                "this machine's clock says {}, which is before this program was built: set the clock",
                moment::show(now)
            )));
        }
        let state = dir.join("state");
        let profile = Authority::init(&dir.join("trust"), now)?;
        let hub = start_hub(&dir, options.hub, profile.hub_key()?)?;
        let hub_addr = hub.addr();
        write_files(&dir, options.panel, hub_addr, &hub.public_key())?;
        let stage = Stage::set(&state)?;
        let mut gate = Gate::open(&dir.join("boards/demo.toml"), &dir.join("site.toml"), &state)?;
        let gate_id = device_key::gate_id(&device_key::load_or_make(&state)?);
        let (sender, seen) = channel();
        gate.watch(Box::new(Onlooker(sender)));
        let (panel, stop) = (gate.panel(), Stop::new());
        let running = stop.clone();
        let gate = thread::spawn(move || gate.run(&running));
        let (hub, gate) = (Some(hub), Some(gate));
        Ok(Demo { dir, profile, stage, hub, hub_addr, gate_id, panel, seen, stop, gate, shown: 0 })
    }

    /// The address of the panel; `None` where another program has it.
    pub fn panel(&self) -> Option<SocketAddr> {
        self.panel
    }

    /// The address of the hub.
    pub fn hub(&self) -> SocketAddr {
        self.hub_addr
    }

    /// Everybody who comes, with passes of this moment.
    pub fn people(&self) -> Result<Vec<Person>> {
        people::everybody(&self.profile, moment::now())
    }

    /// One person comes, shows a code, is measured, hears the verdict and goes.
    pub fn meet(&mut self, person: &Person, pace: Duration) -> Result<Met> {
        self.shown += 1;
        while self.seen.try_recv().is_ok() {}
        self.stage.measure(Some(person.temp_centi_c))?;
        self.stage.show(&person.payload, person.carrier, self.shown)?;
        let begun = Instant::now();
        let met = loop {
            match self.seen.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(Seen::MeasureAgain) => self.stage.measure(Some(person.again_centi_c))?,
                Ok(Seen::Backlog(_)) => {}
                Ok(Seen::Verdict(seen)) => {
                    let (decision, view, timing) = *seen;
                    break Met { person: person.clone(), decision, view, timing };
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Failure::new(format!("the gate did not decide about {} in time", person.name)));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::new("the gate ended by itself")),
            }
        };
        thread::sleep(pace);
        self.stage.clear()?;
        thread::sleep(BETWEEN);
        Ok(met)
    }

    /// The hub goes away; the gate is not told.
    pub fn take_hub_away(&mut self) {
        self.hub = None;
    }

    /// The hub is back, at the same address with the same store.
    pub fn bring_hub_back(&mut self) -> Result<()> {
        if self.hub.is_none() {
            self.hub = Some(start_hub(&self.dir, self.hub_addr, self.profile.hub_key()?)?);
        }
        Ok(())
    }

    /// Waits until the hub has everything, stops the gate and compares.
    pub fn finish(mut self) -> Result<Audit> {
        self.bring_hub_back()?;
        let begun = Instant::now();
        while begun.elapsed() < SYNC_PATIENCE {
            // A backlog told before the last decision may be 0 as well; one told after it can not.
            match self.seen.recv_timeout(Duration::from_secs(1)) {
                Ok(Seen::Backlog(0)) => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.end_gate();
        audit::audit(&self.dir.join("state"), self.gate_id, self.hub_addr)
    }

    fn end_gate(&mut self) {
        self.stop.set();
        if let Some(gate) = self.gate.take()
            && gate.join().is_err()
        {
            tracing::error!("the gate ended in a panic; it is a bug, please report it");
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.end_gate();
    }
}

/// Tells the demonstration what the gate shows.
struct Onlooker(Sender<Seen>);

impl Watcher for Onlooker {
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, timing: Timing) {
        let seen = match screen {
            Screen::MeasureAgain { .. } => Seen::MeasureAgain,
            Screen::Verdict(decision) => {
                Seen::Verdict(Box::new((decision.clone(), DecisionView::of(decision, trust), timing)))
            }
            Screen::Idle | Screen::Hint(_) | Screen::AskReading | Screen::Alarm => return,
        };
        // A demonstration that has ended looks no more.
        let _ = self.0.send(seen);
    }

    fn device(&mut self, device: &Device) {
        let _ = self.0.send(Seen::Backlog(device.journal.backlog));
    }
}

fn start_hub(dir: &Path, listen: SocketAddr, key: SigningKey) -> Result<Hub> {
    let store = StoreUrl::Sqlite(dir.join("hub.sqlite"));
    let repository = dir.join("trust").join(REPOSITORY);
    Ok(Hub::start(Config { listen, store, repository, key, enrol_token: Some(ENROL_TOKEN.into()), tls: None })?)
}

fn write_files(dir: &Path, panel: SocketAddr, hub: SocketAddr, hub_key: &[u8; 32]) -> Result<()> {
    let boards = dir.join("boards");
    fs::create_dir_all(&boards).map_err(at(&boards, "choose a folder that you may write"))?;
    let key = Hex(hub_key);
    let site = format!(
        "name_zh = \"演示小区东门\"\nname_en = \"Demo estate, east gate\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n\n\
         [hub]\nurl = \"http://{hub}\"\nkey = \"{key}\"\nenrol_token = \"{ENROL_TOKEN}\"\nlabel = \"demo\"\nlongest_wait_s = 2\n\n\
         [policy]\nreading_window_ms = 1200\n"
    );
    let files = [
        (boards.join("base.toml"), BASE_BOARD.into()),
        (boards.join("sim.toml"), SIM_BOARD.into()),
        (boards.join("demo.toml"), format!("{BOARD}\n[panel]\nlisten = \"{panel}\"\n")),
        (dir.join("site.toml"), site),
    ];
    files
        .iter()
        .try_for_each(|(path, text)| fs::write(path, text).map_err(at(path, "choose a folder that you may write")))
}
