//! Looks for something newer to believe, by every road, and imports it.
//!
//! It runs in a thread of its own with a low priority. What it finds bad it tells and forgets; what was believed
//! before still is. It never sleeps longer than a person who put a stick in wants to wait, and does not wait for a hub
//! when a stick comes or the program ends.

use super::feed::{Feed, Road, RoadState, Trust};
use super::leaving::{Better, Leaving};
use super::roads::{HubRoad, Mark, mark, mark_of_stick, sticks};
use super::walked::{Walks, held_back, may_fare_better};
use super::{REPOSITORY, TrustLoadError, published, read_root};
use crate::health::{Health, Part};
use crate::ports::Clock;
use crate::sync::backoff::Backoff;
use crate::threads::{self, Stop};
use menshen_trust::tuf::{Folder, Refusal, Source};
use menshen_trust::vault::{self, RoleReport, Step, Steps, Vault, VaultError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often sticks and the trust folder are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the hub is asked while all is well.
const ASK_HUB_EVERY: Duration = Duration::from_secs(600);
/// The folder of the vault within the state folder.
const VAULT: &str = "trust";

/// Where a gate's trust comes from.
#[derive(Clone, Debug)]
pub struct KeeperConfig {
    /// The gate's state folder.
    pub state: PathBuf,
    /// The trust folder of the site.
    pub folder: PathBuf,
    /// The SHA-256 of the trust anchor, where the site names it.
    pub anchor: Option<[u8; 32]>,
    /// Below these folders sticks are mounted.
    pub mounts: Vec<PathBuf>,
    /// The hub, on a gate that has one.
    pub hub: Option<HubRoad>,
    /// No wait between two tries to reach the hub is longer.
    pub longest_wait: Duration,
    /// Makes gates differ in their waits.
    pub seed: u64,
}

/// Keeps a gate's trust new.
pub struct Keeper {
    config: KeeperConfig,
    vault: Vault,
    feed: Feed,
    clock: Arc<dyn Clock>,
    walks: Walks,
    ask_hub_at: Option<Instant>,
    backoff: Backoff,
    /// That the last round ended in a panic.
    failed: Option<String>,
}

impl Keeper {
    /// Believes what was imported last, or what the gate came with, whichever is newer.
    ///
    /// # Errors
    /// [`TrustLoadError`] where the trust folder has no anchor, or its vault can not be opened. A gate without anything
    /// to believe has a keeper that waits for it.
    pub fn open(config: KeeperConfig, clock: Arc<dyn Clock>) -> Result<Keeper, TrustLoadError> {
        let root = read_root(&config.folder, config.anchor)?;
        let vault = Vault::open(&config.state.join(VAULT), &root)?;
        let backoff = Backoff::new(config.seed, config.longest_wait);
        let ask_hub_at = config.hub.as_ref().map(|_| Instant::now());
        let (feed, walks) = (Feed::default(), Walks::default());
        let mut keeper = Keeper { config, vault, feed, clock, walks, ask_hub_at, backoff, failed: None };
        keeper.begin();
        Ok(keeper)
    }

    /// What this keeper brings.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Starts its thread.
    pub fn spawn(mut self, health: Arc<Health>, stop: Stop) -> JoinHandle<()> {
        threads::spawn("trust", move || {
            threads::yield_to_others();
            while !stop.is_set() {
                self.guarded_round(&health, &stop);
                stop.sleep(LOOK_EVERY);
            }
        })
    }

    /// A panic leaves what is believed as it is; the road that was being walked is walked again.
    fn guarded_round(&mut self, health: &Health, stop: &Stop) {
        let ended = threads::guarded("imports", || {
            self.round(health, stop);
            Ok(())
        });
        self.failed = ended.err().map(|error| error.to_string());
        if let Some(why) = self.failed.clone() {
            self.walks.fail(&why);
            self.tell(health);
        }
    }

    /// Looks down every road once.
    fn round(&mut self, health: &Health, stop: &Stop) {
        self.feed.free_spent();
        let sticks = sticks(&self.config.mounts);
        let is_in = |road: &Road| !matches!(road, Road::Stick(_)) || sticks.iter().any(|(stick, _)| stick == road);
        self.walks.keep(is_in);
        self.tell(health);
        let folder = self.config.folder.join(REPOSITORY);
        let source: Arc<dyn Source> = Arc::new(Folder::new(folder));
        if let Some(mark) = mark(source.as_ref()) {
            self.look(Road::Folder, source, mark, health, stop);
        }
        for (road, repository) in sticks {
            let source: Arc<dyn Source> = Arc::new(Folder::new(repository));
            let mark = mark_of_stick(source.as_ref());
            self.look(road, source, mark, health, stop);
        }
        self.ask_hub(health, stop);
    }

    fn begin(&mut self) {
        match self.vault.current() {
            Ok(Some(believed)) => self.believe(&believed),
            Ok(None) => {}
            Err(error) => tracing::error!("{error}"),
        }
        let source: Arc<dyn Source> = Arc::new(Folder::new(self.config.folder.join(REPOSITORY)));
        self.walks.begin(&Road::Folder, mark(source.as_ref()));
        let import = match self.feed.trust() {
            None => self.vault.import_as_of_itself(source, &Steps::none()),
            Some(_) => self.vault.import(source, self.now(), &Steps::none()),
        };
        let again = self.may_fare_better(&import);
        match import {
            Ok(vault::Import::New(believed)) => self.believe(&believed),
            Ok(vault::Import::Unchanged) => {}
            Err(error) if self.feed.trust().is_some() => tracing::info!("the trust folder has nothing newer: {error}"),
            Err(error) => {
                tracing::error!("this gate admits nobody by itself until it has something to believe: {error}")
            }
        }
        // That a folder has grown old while the gate lived on is no fault to tell.
        self.walks.end(&Road::Folder, RoadState::Unchanged, again);
    }

    fn now(&self) -> vault::Now {
        vault::Now { unix_s: self.clock.without_publications(), latest_s: self.clock.signed_latest() }
    }

    fn believe(&self, believed: &vault::Believed) {
        let content = believed.list.content();
        self.clock.published(published(believed));
        let before = self.feed.trust();
        let is_known = |role| before.as_ref().is_some_and(|before| before.roles.contains(role));
        for role in believed.roles.iter().filter(|role| !is_known(role)) {
            if let Some(error) = &role.held_back {
                tracing::warn!("what {} says since is not believed: {error}", role.scope);
            }
        }
        tracing::info!("trust {} as of {} is believed", content.version, content.as_of);
        self.feed.believe(Trust::of(believed));
    }

    /// Walks a road that shows something else than when it was walked last, or may fare better this time.
    fn look(&mut self, road: Road, source: Arc<dyn Source>, mark: Mark, health: &Health, stop: &Stop) {
        if !self.walks.is_worth(&road, mark, Instant::now()) || stop.is_set() {
            return;
        }
        let shown = source.clone();
        self.walk(&road, source, Some(mark), health, || stop.is_set() || mark_of_stick(shown.as_ref()) != mark);
    }

    fn ask_hub(&mut self, health: &Health, stop: &Stop) {
        let (Some(hub), Some(at)) = (self.config.hub.clone(), self.ask_hub_at) else { return };
        if Instant::now() < at || stop.is_set() {
            return;
        }
        let source = Leaving::new(hub.source(), self.better_than_the_hub(stop));
        let shared: Arc<dyn Source> = Arc::new(source.clone());
        let mark = mark(shared.as_ref());
        // What the hub showed last time costs no more than to see that it is the same.
        let is_new = mark.is_none_or(|mark| self.walks.is_worth(&Road::Hub, mark, Instant::now()));
        if is_new && !source.is_left() {
            self.walk(&Road::Hub, shared, mark, health, || source.is_left());
        }
        if source.is_left() {
            return;
        }
        let lost = matches!(
            self.walks.state(&Road::Hub),
            Some(RoadState::Refused { refusal: Some(refusal), .. }) if refusal.is_of_the_road()
        );
        let wait = if lost {
            self.backoff.fail()
        } else {
            self.backoff.reset();
            ASK_HUB_EVERY.min(self.config.longest_wait.max(LOOK_EVERY))
        };
        self.ask_hub_at = Some(Instant::now() + wait);
    }

    /// Whether the program ends, or a stick shows what was not walked yet.
    fn better_than_the_hub(&self, stop: &Stop) -> Better {
        let (stop, mounts, known) = (stop.clone(), self.config.mounts.clone(), self.walks.marks());
        Arc::new(move || {
            let is_new = |(road, repository): (Road, PathBuf)| {
                known.get(&road) != Some(&mark_of_stick(&Folder::new(repository)))
            };
            stop.is_set() || sticks(&mounts).into_iter().any(is_new)
        })
    }

    /// Imports from a source and tells what came of it. What is believed stays as it is where `ends_early` says that
    /// the source is gone, whatever was read of it.
    fn walk(
        &mut self,
        road: &Road,
        source: Arc<dyn Source>,
        mark: Option<Mark>,
        health: &Health,
        ends_early: impl Fn() -> bool,
    ) {
        let before = self.walks.state(road);
        self.walks.begin(road, mark);
        if matches!(road, Road::Stick(_)) {
            self.feed.tell(self.walks.import());
        }
        let ended_early = std::cell::Cell::new(false);
        let steps = Steps::new(|step| match step {
            Step::FileBegun | Step::FileWritten | Step::Verified if ends_early() => {
                ended_early.set(true);
                Err(io::Error::other("the import was left"))
            }
            _ => Ok(()),
        });
        let imported = self.vault.import(source, self.now(), &steps);
        let again = ended_early.get() || self.may_fare_better(&imported);
        let state = match imported {
            Ok(vault::Import::New(believed)) => {
                self.believe(&believed);
                RoadState::Imported
            }
            Ok(vault::Import::Unchanged) => RoadState::Unchanged,
            Err(_) if ended_early.get() => RoadState::Refused {
                refusal: Some(Refusal::Unreachable),
                why: "it was taken away or changed while it was read; it is read again when it is there".to_owned(),
            },
            Err(VaultError::Refused(error)) => {
                RoadState::Refused { refusal: Some(error.refusal), why: error.to_string() }
            }
            Err(error @ (VaultError::Io { .. } | VaultError::Damaged { .. })) => {
                RoadState::Refused { refusal: None, why: error.to_string() }
            }
        };
        // A hub that is out of reach for days is told once; what a person has to know the health board logs.
        if before.as_ref() != Some(&state) {
            match &state {
                RoadState::Refused { why, .. } => tracing::info!(?road, "nothing newer came by this road: {why}"),
                state => tracing::info!(?road, "what came by this road was read: {state:?}"),
            }
        }
        self.walks.end(road, state, again);
        self.tell(health);
    }

    /// Whether the same publication may be believed, or believed in more of its roles, when it is read again.
    fn may_fare_better(&self, imported: &Result<vault::Import, VaultError>) -> bool {
        let some = |roles: &[RoleReport]| {
            roles.iter().any(|role| role.held_back.as_ref().is_some_and(|error| may_fare_better(error.refusal)))
        };
        match imported {
            Ok(vault::Import::New(believed)) => some(&believed.roles),
            Ok(vault::Import::Unchanged) => self.feed.trust().is_some_and(|trust| some(&trust.roles)),
            Err(VaultError::Refused(error)) => may_fare_better(error.refusal),
            Err(VaultError::Io { .. } | VaultError::Damaged { .. }) => true,
        }
    }

    /// What is wrong with what came, or else with what is believed.
    fn tell(&self, health: &Health) {
        let held = || self.feed.trust().and_then(|trust| held_back(&trust.roles));
        health.set(Part::Trust, self.failed.clone().or_else(|| self.walks.fault()).or_else(held));
        self.feed.tell(self.walks.import());
    }
}
