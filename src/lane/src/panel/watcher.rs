//! From what the gate tells its watchers to what the page shows.

use super::{
    Bar, ClockView, EntryView, HubView, ImportView, IssuerView, ListsView, OtherView, Panel, PartView, ScreenView,
    SoundView, TodayView, TrustView,
};
use crate::health::Faults;
use crate::run::{Device, Spectator, Timing, Watcher};
use crate::tally::Summary;
use crate::trust::Standings;
use crate::view::rfc3339;
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use std::sync::Arc;

/// Puts a gate on its panel.
#[derive(Debug)]
pub struct PanelWatcher {
    panel: Panel,
    /// How issuers stood when it was told last.
    standings: Arc<Standings>,
    /// What the lane had done, and in which hour that was.
    told: Option<(Arc<Summary>, u64)>,
    has_loudspeaker: bool,
}

impl PanelWatcher {
    /// A watcher that owns its panel.
    pub fn new(panel: Panel) -> PanelWatcher {
        PanelWatcher { panel, standings: Arc::default(), told: None, has_loudspeaker: false }
    }

    /// The same on a device that has a loudspeaker of its own.
    pub fn beside_loudspeaker(self) -> PanelWatcher {
        PanelWatcher { has_loudspeaker: true, ..self }
    }
}

impl Watcher for PanelWatcher {
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, _: Timing) {
        self.panel.publish_screen(ScreenView::of(screen, trust));
    }

    fn device(&mut self, device: &Device) {
        if !Arc::ptr_eq(&self.standings, &device.standings) {
            self.standings = device.standings.clone();
            self.panel.publish_issuers(IssuerView::all(&self.standings));
        }
        let hour = device.time.unix_s / 3600;
        let is_told = |(told, at): &(Arc<Summary>, u64)| Arc::ptr_eq(told, &device.summary) && *at == hour;
        if !self.told.as_ref().is_some_and(is_told) {
            self.told = Some((device.summary.clone(), hour));
            let today = TodayView::of(&device.summary, device.time.unix_s);
            self.panel.publish_today(today, EntryView::all(&device.summary));
        }
        // One that fails is no reason for a page to be silent.
        let loudspeaker = self.has_loudspeaker && device.faults.speaker.is_none();
        self.panel.publish_sound(SoundView::of(&self.panel.sound().get(), device.time, loudspeaker));
        self.panel.publish_bar(Bar::of(device));
    }

    fn spectator(&mut self) -> Option<Box<dyn Spectator>> {
        Some(self.panel.spectator())
    }
}

impl Bar {
    /// Of how the device is.
    pub fn of(device: &Device) -> Bar {
        let Device { faults, .. } = device;
        // Relay, lamps and buzzer have no place of their own on the page; a gate that can not move is said where the
        // gate's own storage is.
        let own = [&faults.journal, &faults.relay, &faults.controller, &faults.lamps, &faults.buzzer];
        let own = own.into_iter().find_map(Option::as_ref);
        Bar {
            clock: ClockView::of(&device.clock, faults.clock.as_deref()),
            trust: device.trust.map(|(version, as_of)| TrustView {
                freshness: device.freshness.name(),
                as_of: rfc3339(as_of),
                version,
            }),
            trust_fault: faults.trust.clone(),
            lists: ListsView::of(&device.standings),
            import: device.import.as_ref().map(ImportView::of),
            last_stick: device.last_stick.as_ref().map(ImportView::of_stick),
            takes_new: device.takes_new,
            backlog: device.journal.backlog,
            camera: part_of(faults.camera.as_ref()),
            thermometer: device.has_thermometer.then(|| part_of(faults.thermometer.as_ref())),
            others: others(faults),
            manual: device.manual.name(),
            journal: part_of(own),
            hub: device.has_hub.then(|| HubView {
                ok: faults.hub.fault.is_none(),
                message: faults.hub.fault.clone(),
                last_ack: faults.hub.last_ack_unix_s.map(rfc3339),
            }),
        }
    }
}

fn others(faults: &Faults) -> Vec<OtherView> {
    let told = [
        ("inputs", &faults.inputs),
        ("neighbours", &faults.neighbours),
        ("rules", &faults.rules),
        ("speaker", &faults.speaker),
        ("display", &faults.display),
    ];
    let ailing = told.into_iter().filter_map(|(name, fault)| fault.clone().map(|message| OtherView { name, message }));
    ailing.collect()
}

fn part_of(fault: Option<&String>) -> PartView {
    fault.map_or(PartView::FINE, PartView::ailing)
}
