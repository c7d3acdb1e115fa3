//! The panel: a local web page that shows the verdict to whoever stands at the gate.
//!
//! It has a thread and a single-threaded runtime of its own, so that no screen, phone or slow network can
//! hold the gate up: the gate publishes into a slot that keeps the newest value only, and never waits.
//! Any number of screens may watch (up to [`MAX_WATCHERS`]); one that joins late gets the current screen
//! and bar at once; one that loses the gate says so and shows no verdict until it has it again.
//!
//! Invariants: the page takes nothing from outside the gate and says so in its Content-Security-Policy;
//! what can be changed through it is what a volunteer decides by hand, a few settings and the proof before the shift, by
//! whoever typed the PIN, or where there is none at a screen of this very device (`session`); what a pass says reaches it as JSON and is
//! put on the screen as text; the picture of the page that helps to mount a camera is small, is never stored, and
//! shows the codes in it too coarse to be copied.

mod aim;
mod door;
mod issuers;
mod listen;
mod orders;
pub mod pin;
mod proof;
mod screen;
mod serve;
mod session;
mod set;
mod sound;
mod today;
mod watcher;

pub use issuers::{HeldBackView, IssuerView, ListsView};
pub use listen::{Listen, NoPlace};
pub use pin::{PinError, PinFile};
pub use screen::{Bar, ClockView, HubView, ImportView, OtherView, PartView, ScreenView, TrustView};
pub use serve::MAX_WATCHERS;
pub use sound::SoundView;
pub use today::{CountsView, EntryView, HourView, TodayView};
pub use watcher::PanelWatcher;

use crate::proof::Proofs;
use crate::run::{Order, Spectator};
use crate::settings::Settings;
use crate::sound::{SoundRules, SoundSettings};
use crate::words::Lang;
use aim::PanelSpectator;
use menshen_core::policy::Policy;
use serde::Serialize;
use serve::Shared;
use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Which gate this is, for the head of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PanelInfo {
    /// The site's name in Chinese.
    pub site_zh: String,
    /// The site's name in English.
    pub site_en: String,
    /// The lane at its checkpoint.
    pub lane: u8,
    /// The site's time less UTC, in minutes: 480 in China. A kiosk's own time zone is not to be relied on.
    pub utc_offset_min: i16,
}

/// What a panel is made of.
#[derive(Clone, Debug)]
pub struct PanelConfig {
    /// Where it is served, the gate's own screen first.
    pub listen: Vec<Listen>,
    /// Which gate this is.
    pub info: PanelInfo,
    /// The languages that a page offers, the first one first.
    pub langs: Vec<Lang>,
    /// Where the PIN is kept; `None`: there can be none, and only the gate's own screen may act.
    pub pin: Option<PinFile>,
    /// What a volunteer may set.
    pub settings: Arc<Settings>,
    /// How loud it is and what it says: one for all lanes of a device.
    pub sound: SoundSettings,
    /// The same by the site's own word.
    pub sound_of_site: SoundRules,
    /// The site's own rules, of which a page shows how long verdicts stay.
    pub holds: Policy,
}

impl PanelConfig {
    /// A panel at one address, in the usual languages, without a PIN.
    pub fn new(listen: SocketAddr, info: PanelInfo) -> PanelConfig {
        PanelConfig {
            listen: vec![listen.into()],
            info,
            langs: Lang::USUAL.into(),
            pin: None,
            settings: Arc::default(),
            sound: SoundSettings::default(),
            sound_of_site: SoundRules::default(),
            holds: Policy::default(),
        }
    }
}

/// Why there is no panel.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// Another program has the port.
    #[error(
        "the panel cannot use {listen}, another program does: stop that program or change `panel.listen` in the board file"
    )]
    InUse {
        /// Where the panel was to listen.
        listen: SocketAddr,
    },
    /// This device has no such address.
    #[error(
        "the panel cannot use {listen}, this device has no such address: change `panel.listen` in the board file, for example to 127.0.0.1:8460"
    )]
    NoSuchAddress {
        /// Where the panel was to listen.
        listen: SocketAddr,
    },
    /// The port is reserved.
    #[error("the panel may not use {listen}: choose a port from 1024 up for `panel.listen` in the board file")]
    NotAllowed {
        /// Where the panel was to listen.
        listen: SocketAddr,
    },
    /// The device refuses the socket or the thread for a reason of its own.
    #[error(
        "the panel cannot start on {listen} ({source}): free memory and open files on the device and start the gate again"
    )]
    Device {
        /// Where the panel was to listen.
        listen: SocketAddr,
        /// What the device says.
        source: io::Error,
    },
}

impl PanelError {
    fn of(listen: SocketAddr, source: io::Error) -> PanelError {
        match source.kind() {
            io::ErrorKind::AddrInUse => PanelError::InUse { listen },
            io::ErrorKind::AddrNotAvailable => PanelError::NoSuchAddress { listen },
            io::ErrorKind::PermissionDenied => PanelError::NotAllowed { listen },
            _ => PanelError::Device { listen, source },
        }
    }
}

/// A running panel; dropping it stops it.
#[derive(Debug)]
pub struct Panel {
    addr: SocketAddr,
    shared: Arc<Shared>,
    orders: Option<Receiver<Order>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Panel {
    /// Starts to listen at one address, in the usual languages, without a PIN. Shows the idle screen and no bar until told
    /// otherwise.
    pub fn start(listen: SocketAddr, info: PanelInfo) -> Result<Panel, PanelError> {
        Panel::open(PanelConfig::new(listen, info))
    }

    /// Starts to listen. Shows the idle screen and no bar until told otherwise.
    pub fn open(config: PanelConfig) -> Result<Panel, PanelError> {
        let anywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let first = config.listen.first().map_or(anywhere(0), |place| match place {
            Listen::At(at) => *at,
            Listen::On { port, .. } => anywhere(*port),
        });
        let failed = |source| PanelError::of(first, source);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (mut bound, mut addr) = (Vec::new(), first);
        for place in &config.listen {
            let Listen::At(at) = place else { continue };
            let _inside = runtime.enter();
            let listener = listen::bind(*at)?;
            if bound.is_empty() {
                addr = listener.local_addr().map_err(failed)?;
            }
            bound.push(listener);
        }
        let (ordered, orders) = sync_channel(orders::MOST_WAITING);
        let places = config.listen.clone();
        let shared = Arc::new(Shared::new(config, ordered).map_err(failed)?);
        let (stop, stopped) = oneshot::channel();
        let serving = serve::serve(bound, places, Arc::clone(&shared)).into_future();
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serving => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("panel".to_owned()).spawn(run).map_err(failed)?;
        Ok(Panel { addr, shared, orders: Some(orders), stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens first; the port that was chosen, if 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a volunteer orders at the panel; whoever asks first has it.
    pub fn take_orders(&mut self) -> Option<Receiver<Order>> {
        self.orders.take()
    }

    /// Shows a screen on every watcher. Never waits. The same screen again changes nothing, but a verdict
    /// is always a new one: the next person may get the same.
    pub fn publish_screen(&self, screen: ScreenView) {
        self.shared.screens.send_if_modified(|shown| shown.replace(screen));
    }

    /// Eyes for the page that helps to mount a camera: they see only while such a page is open.
    pub fn spectator(&self) -> Box<dyn Spectator> {
        Box::new(PanelSpectator::new(Arc::clone(&self.shared)))
    }

    /// Lets pages start proofs of this lane and see what came of them; the first that are offered stay.
    pub fn offer_proofs(&self, proofs: Proofs) {
        let _ = self.shared.proofs.set(proofs);
    }

    /// Keeps how issuers stand, for a page that asks. Never waits.
    pub fn publish_issuers(&self, issuers: Vec<IssuerView>) {
        self.shared.issuers.send_replace(issuers.into());
    }

    /// Shows what the lane has done, and keeps the last decisions for a page that asks. Never waits.
    pub fn publish_today(&self, today: TodayView, history: Vec<EntryView>) {
        self.shared.today.send_replace(Some(today));
        self.shared.history.send_replace(history.into());
    }

    /// The settings of how loud it is and what it says.
    pub fn sound(&self) -> &SoundSettings {
        &self.shared.sound
    }

    /// Tells every watcher how loud it is now. Never waits.
    pub fn publish_sound(&self, sound: SoundView) {
        self.shared.sounds.send_if_modified(|told| {
            let new = *told != sound;
            *told = sound;
            new
        });
    }

    /// Shows the state of the device on every watcher. Never waits.
    pub fn publish_bar(&self, bar: Bar) {
        self.shared.bars.send_if_modified(|shown| {
            let new = shown.as_ref() != Some(&bar);
            *shown = Some(bar);
            new
        });
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        // A receiver or thread that is gone has stopped already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests;
