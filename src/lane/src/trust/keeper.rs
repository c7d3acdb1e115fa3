//! Looks for something newer to believe, by every road, and imports it.
//!
//! It runs in a thread of its own with a low priority. What it finds bad it tells and forgets; what was believed
//! before still is. It never sleeps longer than a person who put a stick in wants to wait.

use super::feed::{Feed, Import, Road, RoadState, Trust};
use super::roads::{HubRoad, Mark, mark, sticks};
use super::{REPOSITORY, TrustLoadError, read_root};
use crate::health::{Health, Part};
use crate::ports::Clock;
use crate::sync::backoff::Backoff;
use crate::threads::{self, Stop};
use menshen_trust::tuf::{Folder, Source};
use menshen_trust::vault::{self, Steps, Vault, VaultError};
use std::collections::BTreeMap;
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
    /// What each road showed when it was walked last.
    marks: BTreeMap<PathBuf, Mark>,
    ask_hub_at: Option<Instant>,
    backoff: Backoff,
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
        let marks = BTreeMap::new();
        let mut keeper = Keeper { config, vault, feed: Feed::default(), clock, marks, ask_hub_at, backoff };
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
                self.round(&health);
                stop.sleep(LOOK_EVERY);
            }
        })
    }

    /// Looks down every road once.
    pub fn round(&mut self, health: &Health) {
        let folder = self.config.folder.join(REPOSITORY);
        self.look(Road::Folder, folder, health);
        let sticks = sticks(&self.config.mounts);
        let gone =
            |road: &Road| matches!(road, Road::Stick(place) if !sticks.iter().any(|(_, at)| at.starts_with(place)));
        if self.feed.import().is_some_and(|import| gone(&import.road)) {
            self.feed.tell(None);
        }
        self.marks.retain(|place, _| {
            *place == self.config.folder.join(REPOSITORY) || sticks.iter().any(|(_, at)| at == place)
        });
        for (road, repository) in sticks {
            self.look(road, repository, health);
        }
        self.ask_hub(health);
    }

    fn begin(&mut self) {
        match self.vault.current() {
            Ok(Some(believed)) => self.believe(&believed),
            Ok(None) => {}
            Err(error) => tracing::error!("{error}"),
        }
        let place = self.config.folder.join(REPOSITORY);
        let source: Arc<dyn Source> = Arc::new(Folder::new(&place));
        if let Some(mark) = mark(source.as_ref()) {
            self.marks.insert(place, mark);
        }
        let import = match self.feed.trust() {
            None => self.vault.import_as_of_itself(source, &Steps::none()),
            Some(_) => self.vault.import(source, self.clock.time().unix_s, &Steps::none()),
        };
        match import {
            Ok(vault::Import::New(believed)) => self.believe(&believed),
            Ok(vault::Import::Unchanged) => {}
            Err(error) if self.feed.trust().is_some() => tracing::info!("the trust folder has nothing newer: {error}"),
            Err(error) => {
                tracing::error!("this gate admits nobody by itself until it has something to believe: {error}")
            }
        }
    }

    fn believe(&self, believed: &vault::Believed) {
        let content = believed.list.content();
        self.clock.raise_floor(content.as_of);
        for role in &believed.roles {
            if let Some(error) = &role.held_back {
                tracing::warn!("what {} says since is not believed: {error}", role.scope);
            }
        }
        tracing::info!("trust {} as of {} is believed", content.version, content.as_of);
        self.feed.believe(Trust::of(believed));
    }

    /// Walks a road that shows something else than when it was walked last.
    fn look(&mut self, road: Road, place: PathBuf, health: &Health) {
        let source: Arc<dyn Source> = Arc::new(Folder::new(&place));
        let Some(mark) = mark(source.as_ref()) else { return };
        if self.marks.get(&place) == Some(&mark) {
            return;
        }
        self.marks.insert(place, mark);
        self.walk(road, source, health);
    }

    fn ask_hub(&mut self, health: &Health) {
        let (Some(hub), Some(at)) = (self.config.hub.clone(), self.ask_hub_at) else { return };
        if Instant::now() < at {
            return;
        }
        let reached = self.walk(Road::Hub, hub.source(), health);
        let wait = if reached {
            self.backoff.reset();
            ASK_HUB_EVERY.min(self.config.longest_wait.max(LOOK_EVERY))
        } else {
            self.backoff.fail()
        };
        self.ask_hub_at = Some(Instant::now() + wait);
    }

    /// Imports from a source and tells what came of it; gives whether the road is open.
    fn walk(&mut self, road: Road, source: Arc<dyn Source>, health: &Health) -> bool {
        let tell = |state: RoadState| Some(Import { road: road.clone(), state });
        if matches!(road, Road::Stick(_)) {
            self.feed.tell(tell(RoadState::Importing));
        }
        let imported = self.vault.import(source, self.clock.time().unix_s, &Steps::none());
        let state = match imported {
            Ok(vault::Import::New(believed)) => {
                self.believe(&believed);
                RoadState::Imported
            }
            Ok(vault::Import::Unchanged) => RoadState::Unchanged,
            Err(error) => {
                let refusal = match &error {
                    VaultError::Refused(error) => Some(error.refusal),
                    VaultError::Io { .. } | VaultError::Damaged { .. } => None,
                };
                RoadState::Refused { refusal, why: error.to_string() }
            }
        };
        let open = !matches!(&state, RoadState::Refused { refusal: Some(refusal), .. } if refusal.is_of_the_road());
        let fault = match &state {
            RoadState::Refused { why, .. } => Some(why.clone()),
            _ => None,
        };
        if let Some(why) = &fault {
            tracing::warn!(?road, "what came by this road is not believed: {why}");
        }
        // A hub that can not be reached is told where records are; only what it says wrongly is told here.
        if open || !matches!(road, Road::Hub) {
            health.set(Part::Trust, fault);
        }
        if matches!(road, Road::Stick(_)) {
            self.feed.tell(tell(state));
        }
        open
    }
}
