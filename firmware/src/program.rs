//! The gate program: board and site, ports and runtime, from start to stop.
//!
//! What a gate can not be a gate without (a readable board and site, a state folder) ends the start with one
//! sentence. Everything else may be missing: without a trust list, a hub, a camera or a thermometer the gate
//! runs, says what it lacks, and refers whom it can not judge.

use crate::board::{Board, BoardError};
use crate::clock::Teller;
use crate::gate::{GatePorts, LanePorts, LaneSpeaker, lane_dir};
use crate::outputs::GuardAs;
use crate::site::{Site, SiteError};
use crate::vitals::VitalsAt;
use ed25519_dalek::SigningKey;
use menshen_core::ids::GateId;
use menshen_lane::device_key;
use menshen_lane::display::DisplayWatcher;
use menshen_lane::history::neighbours::Talk;
use menshen_lane::history::{Memory, Secret};
use menshen_lane::hub_link::HubLink;
use menshen_lane::journal::{Journal, JournalError, SledJournal};
use menshen_lane::panel::{Listen, Panel, PanelConfig, PanelInfo, PanelWatcher, PinFile};
use menshen_lane::ports::Clock;
use menshen_lane::probe::Probe;
use menshen_lane::proof::{Fitted, Proofs, Setup, WalkAs};
use menshen_lane::run::{self, LaneParts, Parts, Watcher};
use menshen_lane::settings::Settings;
use menshen_lane::sound::{SoundSettings, SpeakerWatcher};
use menshen_lane::sync::{Agent, HttpUplink, HubConfig, backoff};
use menshen_lane::threads::Stop;
use menshen_lane::trust::{self, Feed, HubRoad, Keeper, KeeperConfig};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where refused batches are kept, within the state folder.
const QUARANTINE: &str = "quarantine";
/// What a development profile holds beside its keys.
const UNSAFE_FILE: &str = "UNSAFE";
/// So much longer than a pulse the board's maximum is at least, so that a late gate ends its own pulses.
const PULSE_ROOM_MS: u32 = 250;
/// China Standard Time, the time of every site.
const CHINA_UTC_OFFSET_MIN: i16 = 480;

/// Why a gate does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The board file.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The site file.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The site lets people through for longer than the board's relay ever opens, or almost.
    #[error(
        "the site's `policy.relay_pulse_ms` is {pulse_ms}, and the board's `outputs.relay_max_ms`, beyond which its relay is \
         never held, is {max_ms}, less than {PULSE_ROOM_MS} ms more: lower the one or raise the other"
    )]
    Pulse {
        /// The site's, in milliseconds.
        pulse_ms: u32,
        /// The board's, in milliseconds.
        max_ms: u32,
    },
}

/// A gate that is ready to run.
pub struct Gate {
    parts: Parts,
    panels: Vec<Option<SocketAddr>>,
    guarded: Vec<Arc<AtomicBool>>,
    proofs: Vec<Proofs>,
}

impl Gate {
    /// Reads board and site and opens what must be open. A thread guards the relay.
    pub fn open(board: &Path, site: &Path, state: &Path) -> Result<Gate, StartError> {
        Gate::open_guarded(board, site, state, &GuardAs::Thread)
    }

    /// The same with a guard of the relay that runs as it is told.
    pub fn open_guarded(board: &Path, site: &Path, state: &Path, guard_as: &GuardAs) -> Result<Gate, StartError> {
        let (board, site) = (Board::load(board)?, Site::load(site)?);
        Gate::guarded(&board, &site, state, guard_as)
    }

    /// The gate of a board at a site. A thread guards the relay.
    pub fn of(board: &Board, site: &Site, state: &Path) -> Result<Gate, StartError> {
        Gate::guarded(board, site, state, &GuardAs::Thread)
    }

    /// The same with a guard of the relay that runs as it is told.
    pub fn guarded(board: &Board, site: &Site, state: &Path, guard_as: &GuardAs) -> Result<Gate, StartError> {
        let (pulse_ms, max_ms) = (site.rules().base.relay_pulse_ms, board.outputs.relay.max_ms);
        if board.outputs.has_relay() && pulse_ms.saturating_add(PULSE_ROOM_MS) > max_ms {
            return Err(StartError::Pulse { pulse_ms, max_ms });
        }
        // A gate that has no place for its state does not start, so nothing is said of what it would do without a journal.
        std::fs::create_dir_all(state).map_err(|source| BoardError::State { path: state.into(), source })?;
        // Before the ports, because a second gate on the same state must not touch the pins of the first.
        let (journal, closed) = SledJournal::open_or_closed(state)?;
        if let Some(error) = closed {
            tracing::error!("this gate admits nobody by itself until its journal takes records: {error}");
        }
        let journal = Arc::new(journal);
        let teller = if site.hub.is_some() { Teller::Hub } else { Teller::Technician };
        let ports = GatePorts::guarded(board, state, teller, guard_as)?;
        let clock = Arc::clone(&ports.clock);
        // A gate that can not keep a key still decides and records; its records wait.
        let key = site.hub.as_ref().and_then(|_| {
            let key = device_key::load_or_make(state);
            key.inspect_err(|error| tracing::error!("this gate sends no records: {error}")).ok()
        });
        let link = site.hub.as_ref().map(|hub| HubLink::new(&hub.url, hub.certificate.as_ref()));
        let (keeper, trust) = believe(board, site, state, &clock, key.as_ref(), link.clone());
        let gate = key.as_ref().map(|key| device_key::gate_id(key).to_string());
        let hub = site.hub.as_ref().zip(link).zip(key);
        let sync = hub.map(|((hub, link), key)| agent(hub, link, state, &clock, &journal, key));
        let memory = Arc::new(remember(state, site, clock.clone(), journal.as_ref()));
        let talk = site.neighbours.as_ref().map(|site| Talk::new(site.addresses.clone(), &site.secret, memory.clone()));
        let guarded = ports.lanes.iter().filter_map(|lane| lane.guarded.clone()).collect();
        // As the guard: a process where there is a program for it.
        let walk_as = match guard_as {
            GuardAs::Process(program) => WalkAs::Process(program.clone()),
            GuardAs::Thread => WalkAs::Thread,
        };
        let sound = SoundSettings::new(site.sound.clone());
        let common =
            Common { site, state, gate, trust: &trust, clock: &clock, journal: &journal, sound: &sound, walk_as };
        let (lanes, (panels, proofs)) = with_faces(ports.lanes, &common);
        let parts = Parts {
            lanes,
            clock,
            journal,
            memory,
            talk,
            trust,
            keeper,
            rules: site.rules().clone(),
            sound,
            home: site.home,
            sync,
            probe: Probe::default(),
        };
        Ok(Gate { parts, panels, guarded, proofs })
    }

    /// The address of the panel of its first lane.
    pub fn panel(&self) -> Option<SocketAddr> {
        self.panels.first().copied().flatten()
    }

    /// The addresses of the panels of its lanes, the first one first.
    pub fn panels(&self) -> &[Option<SocketAddr>] {
        &self.panels
    }

    /// The proofs of its lanes, the first one first.
    pub fn proofs(&self) -> &[Proofs] {
        &self.proofs
    }

    /// Its clock: what counts the milliseconds of its trace.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.parts.clock.clone()
    }

    /// Of each relay, whether it has a guard.
    pub fn relays_guarded(&self) -> Vec<Arc<AtomicBool>> {
        self.guarded.clone()
    }

    /// Lets somebody look on at the first lane.
    pub fn watch(&mut self, watcher: Box<dyn Watcher>) {
        if let Some(lane) = self.parts.lanes.first_mut() {
            lane.watchers.push(watcher);
        }
    }

    /// Puts a probe between its steps.
    pub fn probe(&mut self, probe: Probe) {
        if let Some(sync) = &mut self.parts.sync {
            sync.probe(probe.clone());
        }
        self.parts.probe = probe;
    }

    /// Runs until `stop` is set.
    pub fn run(self, stop: &Stop) {
        run::run(self.parts, stop);
    }
}

/// What the faces of all lanes of a device share: their screens, and what they prove themselves with.
struct Common<'a> {
    site: &'a Site,
    state: &'a Path,
    gate: Option<String>,
    trust: &'a Feed,
    clock: &'a Arc<dyn Clock>,
    journal: &'a Arc<SledJournal>,
    sound: &'a SoundSettings,
    walk_as: WalkAs,
}

impl Common<'_> {
    /// The proofs of the `nth` lane.
    fn proofs(&self, nth: u8, number: u8, fitted: Fitted) -> Proofs {
        let vitals = VitalsAt::default();
        let journal: Arc<dyn Journal> = self.journal.clone();
        Proofs::new(Setup {
            state: lane_dir(self.state, nth),
            site: (self.site.name_zh.clone(), self.site.name_en.clone()),
            gate: self.gate.clone(),
            lane: number,
            home: self.site.home,
            rules: self.site.rules().clone(),
            trust: self.trust.clone(),
            clock: self.clock.clone(),
            journal,
            fitted,
            walk_as: self.walk_as.clone(),
            vitals: Arc::new(move || vitals.read()),
        })
    }
}

/// Where the panels of the lanes are, and what proves each lane.
type Faces = (Vec<Option<SocketAddr>>, Vec<Proofs>);

/// The lanes with their panels and loudspeakers, numbered from the site's number on.
fn with_faces(ports: Vec<LanePorts>, common: &Common<'_>) -> (Vec<LaneParts>, Faces) {
    let Common { site, state, sound, clock, .. } = *common;
    let with_face = |((ports, number), nth): ((LanePorts, u8), u8)| {
        let proofs = common.proofs(nth, number, ports.fitted.clone());
        let settings = Arc::new(Settings::open(&lane_dir(state, nth)));
        let mut panel = start_panel(&ports.panel_listen, number, settings.clone(), common);
        if let Some(panel) = &panel {
            panel.offer_proofs(proofs.clone());
        }
        let addr = panel.as_ref().map(Panel::addr);
        let orders = panel.as_mut().and_then(Panel::take_orders);
        let is_heard = ports.speaker.as_ref().is_some_and(|speaker| speaker.is_heard);
        let on_panel = |panel| {
            let watcher = PanelWatcher::new(panel);
            Box::new(if is_heard { watcher.beside_loudspeaker() } else { watcher }) as Box<dyn Watcher>
        };
        let speaker = ports.speaker.map(|LaneSpeaker { open, has_tones, .. }| {
            Box::new(SpeakerWatcher::new(open, sound.clone(), clock.clone(), has_tones)) as Box<dyn Watcher>
        });
        let display = ports
            .display
            .map(|(open, lang)| Box::new(DisplayWatcher::start(open, info(site, number), lang)) as Box<dyn Watcher>);
        let lane = LaneParts {
            number,
            leads_out: site.leads_out.contains(&number),
            camera: ports.camera,
            thermometer: ports.thermometer,
            inputs: ports.inputs,
            outputs: ports.outputs,
            watchers: {
                let seen = panel.map(on_panel).into_iter().chain(display);
                seen.chain(speaker).chain([proofs.watcher()]).collect()
            },
            orders,
            settings,
            trials: proofs.take_trials(),
        };
        (lane, (addr, proofs))
    };
    ports.into_iter().zip(site.lane..).zip(1..).map(with_face).unzip()
}

/// What a gate remembers of who was let in. One that can keep no secret of its own, or can not read what it kept, counts
/// from now and says so.
fn remember(state: &Path, site: &Site, clock: Arc<dyn Clock>, journal: &SledJournal) -> Memory {
    let told = |error: &dyn std::error::Error| {
        tracing::error!("outings and passes that come again are counted from this start only: {error}");
    };
    let own = Secret::load_or_make(state).unwrap_or_else(|error| {
        told(&error);
        Secret::random()
    });
    // The same at every start, so that what it told the others is never counted twice.
    let origin = own.origin();
    let secret = site.neighbours.as_ref().map_or(own, |site| site.secret);
    Memory::open(secret, origin, clock.clone(), journal).unwrap_or_else(|error| {
        told(&error);
        Memory::empty(secret, origin, clock)
    })
}

/// A gate without anything to believe, or without a keeper for it, runs and refers; it says so.
fn believe(
    board: &Board,
    site: &Site,
    state: &Path,
    clock: &Arc<dyn Clock>,
    key: Option<&SigningKey>,
    link: Option<HubLink>,
) -> (Result<Keeper, String>, Feed) {
    if site.trust.join(UNSAFE_FILE).exists() {
        tracing::warn!(
            "{} is an UNSAFE development profile: anybody who has it can issue passes",
            site.trust.display()
        );
    }
    let config = KeeperConfig {
        state: state.to_owned(),
        folder: site.trust.clone(),
        anchor: site.anchor,
        mounts: board.stick_mounts.iter().map(|mount| state.join(mount)).collect(),
        hub: link.map(|link| HubRoad { link }),
        longest_wait: site.hub.as_ref().map_or(backoff::CAP, |hub| hub.longest_wait),
        // Gates differ in their ids, so they differ in their waits.
        seed: key.map_or(0, |key| u64::from_be_bytes(GateId::of(key.verifying_key().as_bytes()).0)),
    };
    let why = match Keeper::open(config, clock.clone()) {
        Ok(keeper) => {
            let feed = keeper.feed();
            return (Ok(keeper), feed);
        }
        Err(why) => why,
    };
    let feed = trust::as_it_came(&site.trust, site.anchor, clock.as_ref(), &why).inspect_err(|error| {
        tracing::error!("this gate admits nobody by itself until it has something to believe: {error}")
    });
    let told = format!("{why}; then start the gate again: until then it believes nothing newer and reads no stick");
    (Err(told), feed.unwrap_or_default())
}

/// What a panel or a screen says of where it is.
fn info(site: &Site, lane: u8) -> PanelInfo {
    PanelInfo {
        site_zh: site.name_zh.clone(),
        site_en: site.name_en.clone(),
        lane,
        utc_offset_min: CHINA_UTC_OFFSET_MIN,
    }
}

/// A gate without its panel still decides, opens, lights and sounds; it says so.
fn start_panel(listen: &[Listen], lane: u8, settings: Arc<Settings>, common: &Common<'_>) -> Option<Panel> {
    let Common { site, state, sound, .. } = *common;
    if listen.is_empty() {
        return None;
    }
    let config = PanelConfig {
        listen: listen.to_vec(),
        info: info(site, lane),
        langs: site.langs.clone(),
        // One for all lanes of a device: it is the volunteer's, not the lane's.
        pin: Some(PinFile::of(state)),
        settings,
        sound: sound.clone(),
        sound_of_site: site.sound.clone(),
        holds: site.rules().base.clone(),
    };
    Panel::open(config).inspect_err(|error| tracing::error!("this gate has no panel: {error}")).ok()
}

/// Who carries records to the hub.
fn agent(
    hub: &crate::site::Hub,
    link: HubLink,
    state: &Path,
    clock: &Arc<dyn Clock>,
    journal: &Arc<SledJournal>,
    key: SigningKey,
) -> Agent {
    let config = HubConfig {
        url: hub.url.clone(),
        key: hub.key,
        enrol_token: hub.enrol_token.clone(),
        label: hub.label.clone(),
        longest_wait: hub.longest_wait,
    };
    let quarantine: PathBuf = state.join(QUARANTINE);
    let uplink = Box::new(HttpUplink::new(link));
    Agent::new(config, uplink, journal.clone(), clock.clone(), key, quarantine, Probe::default())
}
